/* first.h - when the first event of a group in a stretch of time is.
 *
 * FilterLogEvents with a limit of one event, page after page, most of which
 * hold none. A reply that is longer than `room` holds an event for sure, but
 * its time is not looked for: the stretch's begin is given instead. */
#ifndef FIRN_FETCH_FIRST_H
#define FIRN_FETCH_FIRST_H

#include "call/call.h"

/* The one way that log events are asked for; logs.h, too. */
extern const struct operation filter_log_events;

enum { FIRST_ROOM_BYTES = 65536 };

struct first_scope {
    struct view group;
    int64_t     from_ms, until_ms;  /* half-open */
    struct span room;               /* FIRST_ROOM_BYTES, 4-byte aligned */
};

struct first {
    bool         found;   /* public at FLOW_ENDED */
    int64_t      at_ms;   /* public: the event's time */
    struct fault fault;   /* public at FLOW_FAILED */

    struct call *call;
    struct first_scope scope;
    enum first_state {
        FIRST_ASKING,     /* the next page is to be asked for */
        FIRST_READING,    /* waits for it */
        FIRST_DONE,       /* final */
        FIRST_FAILED,     /* final */
    } state;
    uint32_t len, attempt, pages;
    char     token[CFG_TOKEN_BYTES];
};

/* `call` is lent until the end and has a ring; the scope's views live as
 * long. */
void first_init(struct first *f, struct call *call,
                const struct first_scope *scope);
enum flow first_step(struct first *f, struct now now);

#endif
