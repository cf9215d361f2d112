/* lane.h - one window of the day: read, framed, cut and packed.
 *
 * Several lanes advance side by side, so that the latency of one page token
 * chain does not bound the whole; each packs into a chain of its own, and
 * join.h puts what they made in order. A lane's window begins where every run
 * would end a block (cut.h), as far as one can guess. Whether one ends there
 * is known when the lane before comes to its end: LANE_OPEN says that none
 * does. That lane goes on then, up to where the later one was right in any
 * case, which drops what it made before that. */
#ifndef FIRN_PACK_LANE_H
#define FIRN_PACK_LANE_H

#include "base/tally.h"
#include "fetch/logs.h"
#include "pack/cut.h"
#include "pack/line.h"
#include "pack/pack.h"

/* A finished block, its bytes being next in the lane's chain. */
struct block {
    uint32_t packed_bytes, raw_bytes;
    uint32_t crc;                /* CRC-32 of the raw bytes */
    uint32_t events;             /* that begin in it */
    int64_t  first_ms, last_ms;  /* least and greatest timestamp; a block
                                    within a long event has that event's */
    int64_t  begin_ms;           /* of its window, of which it is the first;
                                    or BLOCK_INNER */
    struct tally settled, late;  /* events that end in it; late: ingested after
                                    lane_shared.settled_ms */
};
#define BLOCK_INNER INT64_MIN

/* What all lanes of a job share. */
struct lane_shared {
    struct logs_scope scope;
    struct pack       pack;
    struct arena     *arena;
    int64_t           day_ms;       /* where the grid begins */
    int64_t           settled_ms;   /* what was ingested before is settled */
    bool              ingested, id; /* extra fields */
};

/* From `at_ms` on a lane is right wherever its window should have begun. */
struct lane_start {
    int64_t  at_ms;   /* INT64_MAX: no such point yet */
    uint32_t blocks;  /* made before it */
};

struct lane_policy {
    uint16_t slots_kept;  /* slots that must stay free, for the part in hand */
    bool     yield;       /* ask for no page now: the head is about to */
};

enum {
    LANE_SLACK_BYTES = CFG_BLOCK_BYTES / 8 + LINE_HEAD_BYTES + LINE_TAIL_BYTES,
};

struct lane {
    enum lane_state {
        LANE_IDLE,     /* no window */
        LANE_READING,
        LANE_OPEN,     /* window read; its end is no block's end */
        LANE_ENDED,    /* window read, last block packed; chain may hold it */
        LANE_FAILED,   /* final; logs.fault says why */
    } state;             /* public */
    struct logs   logs;  /* public: window, page, fault */
    struct lane_start start;      /* public */
    struct chain  chain;          /* public: packed bytes of `blocks` */
    struct block  blocks[CFG_LANE_BLOCKS];  /* public, a ring */
    uint32_t      blocks_made, blocks_taken;
    uint64_t      raw_bytes, packed_bytes;  /* public: of finished blocks */

    struct lane_shared *shared;
    struct cut     cut;
    struct line    line;
    struct block   open;          /* of the block being filled */
    struct tally_message long_message;
    uint32_t       block_len;     /* whole lines in `block` */
    uint32_t       gap;           /* room left for the head of the next */
    bool           last;          /* the window ends the day */
    bool           full;          /* waits for room */
    bool           held;          /* waits for its turn to ask for a page */
    bool           in_long;       /* in the middle of a long event's line */
    _Alignas(16) uint8_t block[CFG_BLOCK_BYTES + LANE_SLACK_BYTES];
};

void lane_init(struct lane *l, struct site *site, struct lane_shared *shared);
/* `from` begins the day, or may end a block; `last`: until_ms ends the day. */
void lane_begin(struct lane *l, int64_t from_ms, int64_t until_ms, bool last);
/* LANE_OPEN: goes on to a later end. Otherwise: ends earlier, see logs.h. */
void lane_change_end(struct lane *l, int64_t until_ms, bool last);
/* There is a start.at_ms: the window begins there, and none of what was made
 * before it has been taken. */
void lane_trim(struct lane *l);
/* Forgets its window and what it made. */
void lane_cancel(struct lane *l);
/* FLOW_WANT_ROOM: the chain or `blocks` must be emptied first. FLOW_ENDED:
 * LANE_OPEN or LANE_ENDED. */
enum flow lane_step(struct lane *l, struct now now, struct lane_policy policy);

/* The oldest finished block, or NULL; its bytes are at the chain's front. */
const struct block *lane_block(const struct lane *l);
/* That block's bytes have been consumed from the chain. */
void lane_take(struct lane *l);
/* When to step again though no event came; INT64_MAX: no need. */
int64_t lane_wake_ms(const struct lane *l);

#endif
