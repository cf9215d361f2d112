/* order.h - any amount of records in order of time, in fixed memory.
 *
 * An external sort (Knuth, TAOCP 3, section 5.4). Records are gathered into
 * runs as large as the memory, each sorted and stored by one PutObject
 * (pack/sortrun.h); as long as there are more of them than the last merge can
 * take at once, as many as fit are merged into one, level by level (feed.h);
 * the last merge gives the bytes away as they come. Runs are neighbours where
 * they are merged, so records of one time stay as they came.
 *
 *     order_init(o, &setup);
 *     while (order_step(o, now) ...)
 *         FLOW_WANT_INPUT: order_add() bytes, order_file() behind each file,
 *             order_end() at the end
 *         FLOW_WANT_EVENT: wait for the network, or order_wake_ms()
 *         FLOW_ENDED: ORDER_SORTED: the memory is free but for what
 *             order_give() is given for the last merge
 *     while (order_step(o, now) ...)
 *         FLOW_WANT_ROOM: take from order_peek(), order_consume()
 *         FLOW_ENDED: ORDER_GIVEN, that was all
 *     order_clear(o, &catalog); ... until FLOW_ENDED: all of it is deleted
 *
 * A run of level n is stored beside the object as "run-n-NUMBER-PIECE"; of
 * level 0 it is one piece, of the others pieces of geometry.piece_bytes, so
 * that nothing but PutObject is needed and nothing is left open.
 *
 * All of it depends on the bytes and the memory's size alone. So one who
 * resumes gathers again, and what is stored already, and is the same by its
 * size and CRC-64/NVME, is not sent again; of later levels, what has a run
 * behind it is whole. The first that is not there ends the looking. */
#ifndef FIRN_SHIP_ORDER_H
#define FIRN_SHIP_ORDER_H

#include "pack/sortrun.h"
#include "ship/catalog.h"
#include "ship/feed.h"
#include "ship/put.h"
#include "ship/remove.h"

enum { ORDER_KEY_BYTES = FEED_KEY_BYTES };

/* How the memory is used: each merge but the last fills a piece of so many
 * bytes, and reads up to `fan_in` runs. */
struct order_geometry {
    uint32_t piece_bytes;
    uint32_t fan_in, last_fan_in;
};

/* What it costs, but for the deletes, which are free. */
struct order_price {
    uint64_t runs;
    uint32_t passes;      /* between gathering and the last merge */
    uint64_t gets, puts;
};

struct order_setup {
    struct site *site;
    struct call *call;       /* lent while it is not ORDER_GIVING; its sink is
                                a ring */
    struct view  bucket, beside;       /* "a/_b.": runs are "a/_b.run-..." */
    struct view  sse, sse_kms_key_id;  /* as in target.h */
    struct span  memory;     /* lent until ORDER_SORTED; ends aligned to 16 */
    uint32_t     last_bytes; /* of the memory for order_give() */
    bool         resumed;    /* what is there may be of use */
};

struct order {
    struct fault fault;      /* public at FLOW_FAILED */
    enum order_state {
        ORDER_GATHERING,     /* waits for bytes */
        ORDER_COMPARING,     /* waits for HEAD of the run that is full */
        ORDER_STORING,       /* waits for S3 to have a run or a piece */
        ORDER_SEEKING,       /* waits for HEAD of the run behind the next */
        ORDER_MERGING,       /* runs become one, up to a full piece */
        ORDER_SORTED,        /* waits for memory to give from */
        ORDER_GIVING,        /* waits for its bytes to be taken */
        ORDER_GIVEN,         /* all of them were */
        ORDER_LISTING,       /* waits for what is stored */
        ORDER_DELETING,      /* waits for S3 to delete it */
        ORDER_CLEARED,       /* final */
        ORDER_FAILED,        /* final but for order_clear() */
    } state;                 /* public */
    uint32_t level;          /* public: of the runs being made */
    uint32_t runs;           /* public: of that level, in all once known */
    uint32_t number;         /* public: of the run being made */
    uint64_t records, bytes; /* public: gathered so far */

    struct order_setup setup;      /* private from here on */
    struct order_geometry geometry;
    struct target target;
    uint64_t given_bytes;
    uint32_t inputs, fan;    /* runs of the level below; so many become one */
    uint32_t piece, piece_len;
    bool     fresh;          /* nothing that is there is of use */
    bool     ended;          /* no more bytes will come */
    struct body   body;
    struct view   slice;     /* a piece's */
    struct put    put;
    union {
        struct sortrun run;
        struct feed   *feed;         /* of a merge, in its memory */
        struct remove  remove;
    };
    struct catalog *catalog;         /* of what is to be deleted */
    char key[ORDER_KEY_BYTES];       /* of the target */
};

struct order_geometry order_geometry(uint32_t memory_bytes,
                                     uint32_t last_bytes);
/* How many of so many runs, more than the last merge takes, become one. */
uint32_t order_fan(const struct order_geometry *g, uint64_t runs);
/* About; for so many bytes of records. */
struct order_price order_price(uint64_t bytes, uint32_t memory_bytes,
                               uint32_t last_bytes);

/* The key of a piece, written to `at`, ORDER_KEY_BYTES of room; of NULL, what
 * all of them begin with. And does a file's name end as theirs do? */
struct order_run {
    uint32_t level, number, piece;
};
struct view order_name(const struct order_setup *s, char *at,
                       const struct order_run *run);
bool        order_is_run(struct view file);

/* What the setup points to outlives it. */
void order_init(struct order *o, const struct order_setup *setup);
enum flow order_step(struct order *o, struct now now);

/* ORDER_GATHERING: takes a prefix. */
void order_add(struct order *o, struct view *bytes);
/* A file has ended, with a newline, and all of it was taken. */
void order_file(struct order *o);
void order_end(struct order *o);

/* ORDER_SORTED: of last_bytes or more, lent until ORDER_GIVEN. */
void order_give(struct order *o, struct span memory);
struct view order_peek(const struct order *o);
void        order_consume(struct order *o, uint32_t len);

/* Stops wherever it is, or right after init, and deletes what is named as
 * a run. The catalog is lent meanwhile. */
void    order_clear(struct order *o, struct catalog *catalog);
/* Stops wherever it is, at once. */
void    order_cancel(struct order *o);
int64_t order_wake_ms(const struct order *o);

#endif
