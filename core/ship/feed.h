/* feed.h - the runs of a merge, read ahead of it.
 *
 * Runs lie in S3 (order.h); what is merged of them (pack/tournament.h) is in
 * buffers, each filled by one GET of a range. There are FEED_READERS buffers
 * more than runs, and as many GETs under way at once: for the runs that will
 * lack bytes first, which is told by the time of the last record that came of
 * each (Knuth, TAOCP 3, section 5.4.6, "forecasting"). So a merge waits for S3
 * only if it is faster than so many GETs side by side.
 *
 *     feed_init(f, &plan);
 *     while ((flow = feed_step(f, now)) ...)
 *         FLOW_WANT_ROOM: take from feed_peek(f), feed_consume()
 *         FLOW_WANT_EVENT: wait for the network, or feed_wake_ms()
 *
 * It stands itself at the beginning of the memory that it is given. */
#ifndef FIRN_SHIP_FEED_H
#define FIRN_SHIP_FEED_H

#include "fetch/object.h"
#include "pack/tournament.h"

enum {
    FEED_READERS      = 2 * CFG_UPLOAD_COUNT,  /* beside lease and upload as
                                                  many connections as lanes
                                                  have, or fewer */
    FEED_BUFFERS      = TOURNAMENT_MOST + FEED_READERS,
    FEED_BUFFER_BYTES = 1 << 20,  /* at most */
    FEED_KEY_BYTES    = 1100,
};

struct order_setup;

struct feed_plan {
    const struct order_setup *setup;
    struct span   room;      /* feed_room() or more, ends aligned to 16 */
    struct fault *fault;
    uint32_t level;          /* of the runs ... */
    uint32_t first, count;   /* ... and which */
    uint32_t piece_bytes;    /* of those above level 0 */
    bool     heads;          /* as tournament_init() */
};

struct feed_input {
    uint64_t asked;          /* bytes of the run, so far */
    uint64_t skip;           /* bytes up to the next head that will come */
    int64_t  last_ms;        /* of the last that came */
    uint8_t  held;           /* buffer that is merged */
    uint8_t  first, last;    /* buffers that wait, a list */
    uint8_t  head_len;
    bool     asking;         /* one is on its way */
    bool     over;           /* the run's end has come */
    uint8_t  head[RUN_HEAD_BYTES];
};

struct feed_buffer {
    uint32_t len;
    uint8_t  next;           /* in a run's list, or of those that are free */
};

struct feed_reader {
    struct object object;
    struct ring   ring;
    bool          busy;
    uint8_t       input, buffer;
    char          key[FEED_KEY_BYTES];
};

struct feed {
    struct tournament tournament;  /* public: records */
    struct feed_plan  plan;
    uint8_t          *bytes;       /* the first buffer's */
    uint32_t          buffer_bytes;
    uint32_t          free_count;
    uint32_t          taken;       /* bytes, since what arrives was looked at */
    uint32_t          looked;      /* of these, at the step before */
    uint8_t           free;
    struct feed_input  input[TOURNAMENT_MOST];
    struct feed_buffer buffer[FEED_BUFFERS];
    struct feed_reader reader[FEED_READERS];
};

/* The memory for so many runs, with buffers of so many bytes. */
uint32_t feed_room(uint32_t count, uint32_t buffer_bytes);
/* The most runs for which it does; and the buffers that so many get. */
uint32_t feed_runs(uint32_t room_bytes, uint32_t buffer_bytes);
uint32_t feed_buffer_bytes(uint32_t room_bytes, uint32_t count);

struct feed *feed_init(const struct feed_plan *plan);
enum flow    feed_step(struct feed *f, struct now now);
/* Only lets what is under way arrive. */
enum flow    feed_fetch(struct feed *f, struct now now);
struct view  feed_peek(const struct feed *f);
void         feed_consume(struct feed *f, uint32_t len);
void         feed_cancel(struct feed *f);
int64_t      feed_wake_ms(const struct feed *f);

#endif
