/* catalog.h - the objects below a prefix, one after the other.
 *
 * ListObjectsV2, page by page, each read as it comes: nothing is kept but the
 * object in hand and the next page's token, however many there are.
 *
 *     while ((flow = catalog_step(c, now)) == FLOW_WANT_ROOM) {
 *         ... c->entry ...
 *         catalog_take(c);
 *     }
 *
 * S3 lists in the order of the keys' bytes (API reference, ListObjectsV2;
 * buckets of S3 Express do not, and are refused by their name). The order is
 * held to: so a page that broke off and is read again does no harm, since
 * what was given already is passed over, and a list in a circle is noticed.
 * A reader that waits makes the transfer wait. The caller owns it. */
#ifndef FIRN_SHIP_CATALOG_H
#define FIRN_SHIP_CATALOG_H

#include "call/call.h"
#include "ship/elements.h"

enum { CATALOG_KEY_BYTES = 1025, CATALOG_CLASS_BYTES = 24 };

struct catalog_entry {
    struct text key;                    /* decoded */
    uint64_t    bytes;
    int64_t     modified_ms;            /* 0: not told */
    char        etag[HTTP_ETAG_BYTES];  /* with its quotes */
    char        storage_class[CATALOG_CLASS_BYTES];
    char        key_bytes[CATALOG_KEY_BYTES];
};

struct catalog {
    struct catalog_entry entry;   /* public at FLOW_WANT_ROOM */
    struct fault         fault;   /* public at FLOW_FAILED */

    enum catalog_state {
        CATALOG_ASKING,    /* the next page is to be asked for */
        CATALOG_READING,   /* waits for the page */
        CATALOG_GIVING,    /* waits for the entry to be taken */
        CATALOG_DONE,      /* final */
        CATALOG_FAILED,    /* final */
    } state;
    struct view bucket, prefix;
    struct view after;        /* public: set after init, and outlives it; only
                                 keys behind it are listed */
    uint32_t    attempt;      /* of the page's call, when last looked at */
    uint32_t    repeats;      /* of the page, because it was none */
    bool        again;        /* the page is read again */
    bool        more;         /* another page follows this one */
    bool        told;         /* the page was a list, to its end */
    bool        sized;        /* `part` has its size */
    bool        coded;        /* a key had to be decoded ... */
    bool        codes;        /* ... and the page says that keys are coded */
    uint32_t    keys;         /* in this page, so far */
    uint32_t    empty_pages;  /* in a row */
    struct catalog_entry part;  /* what is being read */
    char        token[CFG_TOKEN_BYTES], next[CFG_TOKEN_BYTES];
    struct elements elements;
    struct ring ring;
    struct call call;
    uint8_t     bytes[CFG_LANE_RING_BYTES];
};

/* Bucket and prefix, which may be empty, outlive it. */
void catalog_init(struct catalog *c, struct site *site, struct view bucket,
                  struct view prefix);
/* FLOW_WANT_ROOM: an entry waits to be taken. FLOW_ENDED: that was all. */
enum flow catalog_step(struct catalog *c, struct now now);
void catalog_take(struct catalog *c);
int64_t catalog_wake_ms(const struct catalog *c);

#endif
