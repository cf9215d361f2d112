/* spec.h - what one archive job was asked to do.
 *
 * Filled from the command line or a configuration's group, then only read.
 * Strings are NUL-terminated and already checked for their characters. */
#ifndef FIRN_TASK_SPEC_H
#define FIRN_TASK_SPEC_H

#include "base/limits.h"
#include "base/text.h"

enum format   { FORMAT_NDJSON, FORMAT_TEXT };
enum compress { COMPRESS_GZIP, COMPRESS_ZSTD, COMPRESS_NONE };
enum if_exists { EXISTS_SKIP, EXISTS_REPLACE, EXISTS_FAIL };

enum {
    SPEC_GROUP_BYTES  = 513,   /* 512 characters of [.\-_/#A-Za-z0-9] */
    SPEC_BUCKET_BYTES = 256,
    SPEC_KEY_BYTES    = 1025,  /* S3: 1,024 bytes */
    SPEC_ZONE_BYTES   = 64,
    SPEC_NAME_BYTES   = 128,
};

/* Where the records come from. */
enum source_kind {
    SOURCE_READ,   /* CloudWatch Logs, page by page */
    SOURCE_MERGE,  /* objects that are there: `from` */
    SOURCE_EXPORT, /* objects that CloudWatch Logs exports */
};

struct spec {
    enum source_kind source;
    const char *from;              /* SOURCE_MERGE: "s3://BUCKET/PREFIX/" */
    bool     recompress;           /* no putting end to end */
    enum order_by { BY_NAME, BY_TIME } order;  /* of its records */
    bool     delete_source;        /* once the object was read back */
    char group[SPEC_GROUP_BYTES];  /* SOURCE_MERGE: may be empty */
    char stream_prefix[SPEC_GROUP_BYTES];
    char bucket[SPEC_BUCKET_BYTES];
    char key[SPEC_KEY_BYTES];      /* may hold {account} ... {ext} */
    char timezone[SPEC_ZONE_BYTES];
    char storage_class[SPEC_NAME_BYTES];  /* "" is STANDARD */
    char sse[SPEC_NAME_BYTES];
    char sse_kms_key_id[2048];
    struct view state;             /* s3://BUCKET/PREFIX/, of a configuration,
                                      which outlives it: where checkpoints
                                      are; empty: beside the object */
    int64_t  from_ms, until_ms;    /* half-open; both 0: not yet known */
    int64_t  day;                  /* days since 1970 of the civil day; only
                                      if `whole_day` */
    bool     whole_day;
    enum format    format;
    enum compress  compress;
    bool     as_found;             /* SOURCE_MERGE: compressed as what it is
                                      made of is, if all is the same */
    enum if_exists if_exists;
    bool     field_ingested, field_id;
    bool     unmask, partial;
    bool     checksum;             /* crc64nvme; false: none */
    bool     dry_run;
};

#endif
