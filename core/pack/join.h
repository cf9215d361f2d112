/* join.h - the windows of a day, and their blocks in order.
 *
 * Splits the day into windows as it learns how dense it is, gives them to
 * lanes, and hands out the blocks of the earliest window. How the day is
 * split depends on what the network did; the blocks do not (cut.h).
 *
 * It begins with one window, the day. After a page says how much time a page
 * covers, windows are made of CFG_WINDOW_PAGES or so, their ends at points of
 * the grid whose cells should be well filled, and a whole number of pages
 * apart as far as one can guess, since a page broken by a window's end is a
 * request half wasted. Where a guess fails, and a window ends too empty for
 * its end to be a block's, its lane goes on into the next window, whose lane
 * starts elsewhere. */
#ifndef FIRN_PACK_JOIN_H
#define FIRN_PACK_JOIN_H

#include "pack/lane.h"

/* Each lane's window may have a gap after it that nobody reads yet. */
enum { JOIN_WINDOWS = 2 * CFG_LANE_COUNT + 1, JOIN_GAP = -1 };

struct join_window {
    int64_t from_ms, until_ms;
    int32_t lane;              /* or JOIN_GAP */
};

struct join {
    struct lane        *lanes;     /* CFG_LANE_COUNT of them */
    struct lane_shared *shared;
    struct join_window  windows[JOIN_WINDOWS];  /* in order, no hole between */
    uint32_t window_count;
    int64_t  until_ms;             /* the day's end */
    int64_t  page_ms;              /* time a page covers; 0: not known */
    int64_t  cell_ms;              /* time in which CFG_CELL_BYTES come */
    int64_t  page_packed;          /* bytes that a page becomes */
    uint64_t page_bytes;           /* of the largest page so far */
    uint32_t page_events;
    uint32_t pages_seen[CFG_LANE_COUNT];  /* of each lane's window */
    uint64_t raw_seen[CFG_LANE_COUNT];
    uint64_t repeated;             /* public: repeats dropped */
    struct fault fault;            /* public, at FLOW_FAILED */
};

void join_init(struct join *j, struct lane *lanes, struct lane_shared *shared,
               struct site *site, int64_t from_ms, int64_t until_ms);
/* Slots of the arena that stay free for the part in hand: whatever lanes ahead
 * would like, and whatever the head lane would (ship/upload.h, "Slots"). */
struct join_kept {
    uint16_t ahead, head;
};
/* Lets every lane advance. FLOW_ENDED: all blocks are taken. */
enum flow join_step(struct join *j, struct now now, struct join_kept kept);

/* The next block in order, or NULL: "none yet", unless it has ended. */
const struct block *join_block(const struct join *j);
/* Its bytes, piece by piece; all of them, then join_take(). */
struct view join_peek(const struct join *j);
void        join_consume(struct join *j, uint32_t len);
void        join_take(struct join *j);

/* Stops all lanes and gives their slots back. */
void join_cancel(struct join *j);

/* The earliest mono_ms at which a lane waits for a time, not the network. */
int64_t join_wake_ms(const struct join *j);

#endif
