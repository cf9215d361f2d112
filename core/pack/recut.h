/* recut.h - objects of lines become blocks again: inflated, chosen, counted,
 * cut and packed.
 *
 *     recut_init(r, &shared, want)
 *     for each object:
 *         recut_object(r, number, form)
 *         while ((flow = recut_step(r, bytes)) != FLOW_ENDED)
 *             FLOW_WANT_ROOM: r->block and its bytes, then recut_take()
 *     recut_end(r): the last block, if there is one
 *
 * A last line without its newline gets one, so no two lines are glued. A
 * block holds whole lines, but for a line longer than a block, and it ends
 * where an object ends if it is half full by then: there a later run may begin
 * again, and makes the same blocks. So blocks depend on the objects' bytes
 * alone.
 *
 * With `want`, only records of that window are kept; a line that does not
 * begin as a record belongs to the one before, even in the object before.
 * Or lines are to be sorted first: then they are lent instead, object by
 * object, and what comes of them is cut as if it were one plain object.
 *
 * Faults are inflate.h's; what stands behind the last member of an object and
 * is none is left out and noted. */
#ifndef FIRN_PACK_RECUT_H
#define FIRN_PACK_RECUT_H

#include "fetch/census.h"
#include "fetch/choose.h"
#include "fetch/inflate.h"
#include "pack/lane.h"

struct recut {
    struct fault  fault;     /* public at FLOW_FAILED */
    struct block  block;     /* public while `ready`: begin_ms is the number of
                                the object that it begins with */
    struct chain  chain;     /* public: its packed bytes */
    bool          ready;
    bool          glued;     /* public: a last newline was missing */
    uint64_t      rubbish;   /* public: objects with bytes behind their data */
    uint64_t      raw_bytes_in;  /* public: inflated so far, newlines that
                                were missing included ... */
    uint64_t      raw_bytes_out; /* ... and in blocks */
    enum inflate_form form;  /* public: of the object in hand, once known */
    struct census census;    /* public: what is kept, so far */

    struct pack  *pack;      /* NULL: nothing is packed, only counted */
    struct arena *arena;
    struct choose_want want;
    bool          chooses;
    bool          lends;     /* public: set after init, for the next objects */
    struct choose choose;
    struct inflate inflate;
    struct ring   raw, chosen;
    uint64_t      number;    /* of the object in hand */
    int64_t       begin;     /* where the open block begins, or BLOCK_INNER */
    uint32_t      len;       /* of the open block */
    enum recutting {
        RECUT_IDLE,          /* between two objects */
        RECUT_INFLATING,     /* waits for its bytes */
        RECUT_DRAINING,      /* what was inflated goes on to the block */
    } state;
    struct inflate_workspace workspace;
    uint8_t inflated_bytes[CFG_LANE_RING_BYTES];
    uint8_t chosen_bytes[CFG_LANE_RING_BYTES];
    uint8_t bytes[CFG_BLOCK_BYTES];
};

/* `shared` has pack and arena, and outlives it; NULL: nothing is packed.
 * `want` may be NULL: all is kept. */
void recut_init(struct recut *r, struct lane_shared *shared,
                const struct choose_want *want);
/* Straight after init: the run before this one was within a record here, and
 * wanted it. */
void recut_inside(struct recut *r, bool wanted);
bool recut_wants(const struct recut *r);
/* The next object; `form` as in inflate_init(). */
void recut_object(struct recut *r, uint64_t number, enum inflate_form form);
/* While it lends, FLOW_WANT_ROOM: lines that wait, to be consumed from here. */
struct ring *recut_lines(struct recut *r);
/* What comes now was chosen before, and is cut. */
void recut_sorted(struct recut *r);
/* FLOW_ENDED: the object is done. FLOW_WANT_ROOM: a block is ready, or waits
 * for slots. */
enum flow recut_step(struct recut *r, struct ring *in);
/* After the last object: closes the open block. False: it waits for slots. */
bool recut_end(struct recut *r);
/* The chain is empty. */
void recut_take(struct recut *r);

#endif
