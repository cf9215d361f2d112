/* logs.h - source: the events of a window of time, by FilterLogEvents.
 *
 * Follows page tokens until there is none; an empty page is not the end. Keeps
 * from <= timestamp < until whatever the service thinks of its bounds. Each
 * event is given once: a page that broke off is read again, and an event met
 * before is known by its id. A token that expired is replaced by the time
 * reached; tokens that walk in a circle are a fault. Order is the service's.
 *
 * Short events come whole. One that the caller has no room for is long: its
 * page is read to learn its time, stream and id, then again, and its message
 * comes in pieces; if that reading breaks off, the next one goes on at the
 * byte where it stopped. It is known again by the event before it and by how
 * it begins, and its id must be the same in the end. */
#ifndef FIRN_FETCH_LOGS_H
#define FIRN_FETCH_LOGS_H

#include "call/call.h"
#include "fetch/circle.h"
#include "fetch/first.h"
#include "fetch/frame.h"
#include "fetch/long_event.h"
#include "fetch/seen.h"

/* Whose events; shared by all lanes of a job, which outlive it. */
struct logs_scope {
    struct view      group;
    struct view      stream_prefix;  /* empty: all streams */
    bool             unmask;
    enum decode_form form;
};

enum logs_got {
    LOGS_NOTHING,
    LOGS_EVENT,  /* `event`, with all of its message in `out` */
    LOGS_PIECE,  /* the next bytes of a long message, in `out` */
    LOGS_LAST,   /* likewise, the last of them; may be none */
};

/* What one page told about how dense the window is. */
struct logs_page {
    int64_t  asked_ms;           /* by time, from here on; by token: 0 */
    int64_t  first_ms, last_ms;  /* of its events in the window */
    uint64_t bytes;              /* of their messages, as kept */
    uint32_t events;
    bool     more;               /* it carried a token */
};

struct logs {
    enum logs_got    got;          /* public: what the last step brought */
    struct log_event event;        /* public: valid until the next step */
    uint32_t         message_len;  /* public: bytes in `out` */
    int64_t          from_ms, until_ms;  /* public: the window */
    struct logs_page page;         /* public: of the last page */
    uint32_t         pages;        /* public: of this window, so far */
    uint64_t         repeated;     /* public: events dropped as repeats */
    struct fault     fault;        /* public, at FLOW_FAILED */

    const struct logs_scope *scope;
    enum logs_state {
        LOGS_IDLE,     /* no window, or it is exhausted */
        LOGS_ASKING,   /* a request is to be made */
        LOGS_READING,  /* waits for the reply */
        LOGS_FAILED,   /* final */
    } state;
    struct call      call;
    struct ring      ring;
    struct frame     frame;
    struct seen      seen;
    struct logs_page reading;      /* the page under way */
    bool     any;                  /* an event was met in this window */
    int64_t  max_ms;               /* the latest of them */
    uint32_t since_max;            /* ids added to `seen` since max_ms came */
    uint32_t since_ask;            /* likewise, since ask_ms was last set */
    bool     disorder;             /* a new event was older than max_ms */
    int64_t  ask_ms;               /* startTime of the next request */
    bool     replay;               /* the page was read before, in part */
    bool     discard;              /* a long message is passed over */
    uint32_t attempt;              /* of the call, whose reply is framed */
    uint32_t broken;               /* replies in a row that were not JSON */
    uint32_t restarts;             /* tokens refused in a row */
    uint32_t number;               /* events of the reply so far, all */
    uint64_t previous;             /* seen_hash() of the last of them */
    uint32_t token_len;
    struct circle circle;          /* of the tokens */
    struct long_event long_event;
    uint8_t token[CFG_TOKEN_BYTES];
    uint8_t ring_bytes[CFG_LANE_RING_BYTES];
};

void logs_init(struct logs *l, struct site *site,
               const struct logs_scope *scope);
void logs_begin(struct logs *l, int64_t from_ms, int64_t until_ms);
/* Ends the window earlier, between two pages and later than every event met so
 * far; or, once it is exhausted, later than it was. What is left is asked for
 * anew, by time. */
void logs_change_end(struct logs *l, int64_t until_ms);
/* May it? No page is under way, and repeats will be known. */
bool logs_may_change_end(const struct logs *l);
/* No window any more; whatever was under way is cancelled. */
void logs_cancel(struct logs *l);

/* The message under way is written to `out`, which keeps its bytes between
 * steps. FLOW_MOVED: see `got`. FLOW_WANT_ROOM: `out` is full with the first
 * message_len bytes of a message: give a larger one, which begins with the
 * same bytes, or call logs_is_long(). FLOW_ENDED: the window is exhausted. */
enum flow logs_step(struct logs *l, struct now now, struct span out);
/* A page is to be asked for, but nothing was sent. */
bool      logs_is_between(const struct logs *l);
/* For a caller without any room: the next request goes out, so that its reply
 * is there when there is. FLOW_WANT_ROOM when it has. */
enum flow logs_send(struct logs *l, struct now now);
/* Bytes of a message in `out` that are not yet an event. */
uint32_t  logs_pending(const struct logs *l);
/* That event will be given: its time says that it is no repeat. */
bool      logs_is_certain(const struct logs *l);
/* At FLOW_WANT_ROOM, `out` being LONG_EVENT_HEAD_BYTES or larger: from now on
 * the event comes in pieces, or not, if it is a repeat. */
void      logs_is_long(struct logs *l, struct span out);

#endif
