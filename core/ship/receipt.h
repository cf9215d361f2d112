/* receipt.h - what was archived: the JSON object beside the archive.
 *
 * Written last and conditionally, it is what makes an object "that day". Field
 * order, names and the key are the contract's (section 3). Times are RFC 3339
 * with milliseconds, in UTC; what is not known is null.
 *
 * What is read comes from S3, perhaps damaged, foreign or from the future: all
 * of it is bounded and checked, unknown members are skipped, and a receipt that
 * is not sound is ERROR_CORRUPT with the member's name and the offset. */
#ifndef FIRN_SHIP_RECEIPT_H
#define FIRN_SHIP_RECEIPT_H

#include "base/error.h"
#include "base/tally.h"
#include "ship/index.h"

enum {
    RECEIPT_VERSION       = 1,
    RECEIPT_BYTES         = 128 * 1024,  /* written or read, at most */
    RECEIPT_HEAD_BYTES    = 16384,       /* of it without the index */
    RECEIPT_STRINGS_BYTES = 8192,        /* decoded strings of one */
};

enum receipt_state {
    RECEIPT_PROVISIONAL,  /* late events may still come */
    RECEIPT_SEALED,       /* recounted, or taken, after its end + 14 days */
    RECEIPT_IMPORTED,     /* made by something else, not yet recounted */
};

/* Bits of `fields`, in the order of the record. */
enum receipt_field {
    RECEIPT_TIMESTAMP = 1, RECEIPT_STREAM = 2, RECEIPT_MESSAGE = 4,
    RECEIPT_INGESTED = 8, RECEIPT_ID = 16,
};

enum { RECEIPT_STATE_COUNT = 3, RECEIPT_FIELD_COUNT = 5 };

extern const char *const receipt_state_name[];  /* "provisional", ... */
extern const char *const receipt_field_name[];  /* "timestamp", ... */

struct receipt {
    enum receipt_state state;
    struct view key, etag;      /* etag: with its quotes, as S3 gave it */

    struct view account, region, group;
    struct view stream_prefix;  /* empty: all streams */
    struct view via;            /* "read", "merge", "export", "import" */
    bool        masked;

    struct view merged_from;    /* "s3://BUCKET/PREFIX/"; empty: not merged */
    uint64_t    merged_objects; /* of which it was made */
    int64_t     merged_ms;      /* S3's clock when they were listed */

    int64_t     from_ms, until_ms;  /* half-open; equal: no window, null */
    struct view timezone;

    bool         counted;       /* tally and bytes_raw are known */
    struct tally tally;
    uint64_t     bytes_raw;     /* not counted, and not 0: known all the same,
                                   of lines that are no records */
    bool         has_settled;
    int64_t      settled_until_ms;
    struct tally settled;       /* events and digest alone */

    uint64_t    bytes_stored;
    bool        has_crc;
    uint64_t    crc64nvme;
    bool        crc64nvme_confirmed;  /* S3 told the same */

    struct view format;         /* "ndjson", "text" */
    uint8_t     fields;         /* enum receipt_field, or-ed */
    struct view compression;    /* "gzip", "zstd", "none" */
    int64_t     archived_ms;
    int64_t     verified_ms;    /* 0: not yet, null */
    struct view reason;         /* empty: null */
    struct view tool_version;
    struct view index;          /* as JSON, for index_open(); when written,
                                   the one that is used without a struct */
};

/* Appends it; `x` may be NULL. No more than RECEIPT_BYTES where key, names and
 * reason are of sane length; otherwise t->overflow tells. */
void receipt_write(struct text *t, const struct receipt *r,
                   const struct index *x);
/* Reads it. Strings are decoded into `strings`, RECEIPT_STRINGS_BYTES of room,
 * and both the text and they outlive it. */
bool receipt_read(struct receipt *r, struct view json, struct text *strings,
                  struct fault *fault);

/* The key of what stands beside an archive: "<dir>/_<stem>.<kind>.json", kind
 * being "receipt" or "checkpoint"; the stem is the file's name without an
 * ending that firn gives (".ndjson.gz", ".log", ...). */
void receipt_key(struct text *t, struct view key, const char *kind);

_Static_assert(CFG_INDEX_BLOCKS * INDEX_ENTRY_BYTES + RECEIPT_HEAD_BYTES
                   <= RECEIPT_BYTES,
               "a receipt stays under 128 KiB, so that it is STANDARD");

#endif
