/* tournament.h - sorted runs become one: the other half of an external sort.
 *
 * A tree of losers (Knuth, TAOCP 3, section 5.4.1): to find the next record of
 * k runs costs log2 k comparisons. Of records of one time that of the earlier
 * run comes first, so what was in order stays so. Each run is read through a
 * ring of its own; records may be longer than that, for they are passed on in
 * pieces. Pure: it says which run it lacks bytes of.
 *
 *     tournament_init(t, heads, &fault);
 *     tournament_add(t, room);  for each run, the earliest first
 *     while ((flow = tournament_step(t)) ...)
 *         FLOW_WANT_INPUT: t->input[t->wanted].ring is empty; fill it with the
 *             run's bytes from .next on, as far as they go
 *         FLOW_WANT_ROOM: take from tournament_peek(t), tournament_consume()
 *
 * Runs are as sortrun.h writes them. With `heads` that is what comes out, too,
 * and a head of length 0 ends it; else the records alone. ERROR_CORRUPT: a run
 * is not in order. */
#ifndef FIRN_PACK_TOURNAMENT_H
#define FIRN_PACK_TOURNAMENT_H

#include "base/stage.h"
#include "pack/sortrun.h"

enum { TOURNAMENT_MOST = 30 };  /* runs at once: more would leave the buffers of
                                  ship/feed.h too small */

struct tournament_input {
    struct ring ring;     /* public: the caller fills it */
    uint64_t    next;     /* public: bytes of the run that were taken */
    int64_t     at_ms;    /* private: of the record in hand */
    uint32_t    left;     /* bytes of it to be passed on */
    bool        ended;
    uint8_t     head_len; /* bytes of the head that are here */
    uint8_t     head[RUN_HEAD_BYTES];
};

struct tournament {
    uint32_t wanted;      /* public at FLOW_WANT_INPUT */
    uint64_t records;     /* public: given so far */
    struct tournament_input input[TOURNAMENT_MOST];  /* public, see there */

    struct fault *fault;  /* private from here on */
    bool     heads;
    bool     built;       /* each run has shown its first head */
    bool     failed;
    uint8_t  owed;        /* bytes of the head that are to come out */
    uint8_t  top;         /* whose record is in hand */
    uint8_t  loser[TOURNAMENT_MOST];  /* of the match at each node; node 1 is
                                         the last one */
    uint32_t count;
};

void tournament_init(struct tournament *t, bool heads, struct fault *fault);
/* Of the next run; the room is a power of two of bytes, and lent. */
void tournament_add(struct tournament *t, struct span room);

enum flow   tournament_step(struct tournament *t);
/* The next bytes that come out; not empty at FLOW_WANT_ROOM. */
struct view tournament_peek(const struct tournament *t);
void        tournament_consume(struct tournament *t, uint32_t len);

#endif
