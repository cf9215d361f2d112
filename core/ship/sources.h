/* sources.h - the objects below a prefix, in the order of their keys: what a
 * merge is made of.
 *
 * The list comes page by page (ship/catalog.h), and of the next few objects
 * the bytes are fetched ahead, so that many small ones do not cost a round
 * trip each. Nothing else is held, however many there are. Each has a number,
 * from 0 on, and the list up to it a digest, by which a later run knows that
 * it stands at the same place of the same list.
 *
 *     while ((head = sources_head(s)) != NULL) {
 *         ring = sources_open(s, from, to);
 *         ... read it, stepping sources_step() ...
 *         sources_take(s);
 *     }
 *
 * An object is read If-Match the ETag that the list gave. Left out are what
 * CloudWatch Logs and firn put beside data: `aws-logs-write-test`, receipts,
 * checkpoints and the like, folders' markers, and the object that is written.
 * The caller owns it, and the names' bytes. */
#ifndef FIRN_SHIP_SOURCES_H
#define FIRN_SHIP_SOURCES_H

#include "fetch/object.h"
#include "ship/catalog.h"

enum {
    SOURCES_MAGIC_BYTES = 4,  /* may be looked at before they are taken */
    SOURCES_AHEAD = CFG_LANE_COUNT - 1,  /* read side by side: with the list,
                                            the upload and the lease as many
                                            connections as lanes have */
};

struct source {
    uint64_t    number;
    uint64_t    bytes;
    int64_t     modified_ms;  /* 0: not told */
    struct view key;
    struct view etag;    /* with its quotes */
    uint64_t    before;  /* the digest of the list up to it ... */
    uint64_t    after;   /* ... and with it */
};

struct sources_reader {
    struct source source;
    struct object object;
    struct ring   ring;
    bool          open;
    uint64_t      from, to;    /* what is open; to 0: the whole */
    char          key[CATALOG_KEY_BYTES];
    char          etag[HTTP_ETAG_BYTES];
    uint8_t       bytes[CFG_LANE_RING_BYTES];
};

struct sources {
    struct fault fault;      /* public at FLOW_FAILED ... */
    struct view  failed;     /* ... and the key it is about; empty: the list */
    uint64_t     count;      /* public: numbered so far */
    uint64_t     bytes;      /* public: of these */
    uint64_t     skipped;    /* public: left out */
    char         skipped_key[CATALOG_KEY_BYTES];  /* the first of them, or
                                what is nested */
    bool         differs;    /* public: not the list that was gone through */
    bool         nested;     /* public: what is written lies among what it is
                                made of, and another archive does, too */
    bool         ended;      /* public: the list is read to its end */
    int64_t      listed_ms;  /* public: S3's clock when the list began */

    struct object_name own;  /* the object that is written */
    uint64_t     begin;      /* the number of the first that is wanted ... */
    uint64_t     expected;   /* ... and the digest of the list before it ... */
    bool         within;     /* ... or with it */
    uint64_t     digest;     /* of the list, CRC-64/NVME */
    uint64_t     ahead_below;/* smaller objects are fetched ahead */
    uint32_t     first, held;/* readers in use, a ring */
    struct catalog catalog;
    struct sources_reader reader[SOURCES_AHEAD];
};

/* Below `from`; `own` is what is written and no source of itself. Objects of
 * less than s->ahead_below bytes are fetched ahead, whole: all, unless the
 * caller sets it after. */
void sources_init(struct sources *s, struct site *site,
                  struct object_name from, struct object_name own);
/* Straight after init: those before `number` are passed over; the list before
 * it must have that digest; with it, if it is to be gone on `within`. */
void sources_begin(struct sources *s, uint64_t number, uint64_t digest,
                   bool within);
/* The first object not taken yet, or NULL: not known yet, or, if s->ended,
 * none. */
const struct source *sources_head(const struct sources *s);
/* The digest of the list before the head. */
uint64_t sources_digest(const struct sources *s);
/* Its bytes [from, to); to 0: to its end. The ring is the reader's, whole at
 * its end. Asked for again with the same range it goes on. */
struct ring *sources_open(struct sources *s, uint64_t from, uint64_t to);
void sources_take(struct sources *s);
/* FLOW_ENDED: the list is at its end and all is taken. */
enum flow sources_step(struct sources *s, struct now now);
int64_t   sources_wake_ms(const struct sources *s);
void      sources_cancel(struct sources *s);

#endif
