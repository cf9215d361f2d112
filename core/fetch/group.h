/* group.h - what CloudWatch Logs says of a log group, before it is read.
 *
 * One DescribeLogGroups by prefix: the exact name sorts before all longer
 * ones, so it is the first of the reply or not there. Then the account's
 * groups are looked through for a name that comes nearest, for the error's
 * sentence. Account and region come from the group's ARN.
 *
 * Or, one after the other, all groups whose names begin so, in the order of
 * their names (API reference, DescribeLogGroups: ASCII):
 *
 *     group_each_init(g, call, prefix, room);
 *     while ((flow = group_step(g, now)) == FLOW_ENDED) {
 *         ... g->found, g->info; and if call and room were used for other
 *         ... things since: group_lend(g, call, room)
 *         group_next(g);
 *     }
 *
 * until FLOW_FAILED, by ERROR_MISSING without an operation: that was all.
 * Nothing is held but a page; one that is lost, or whose token is too old, is
 * asked for again, and names up to the last one are passed over. */
#ifndef FIRN_FETCH_GROUP_H
#define FIRN_FETCH_GROUP_H

#include "base/nearest.h"
#include "call/reply.h"

enum { GROUP_NAME_BYTES = 513, GROUP_ACCOUNT_BYTES = 16 };

struct group_info {
    char    account[GROUP_ACCOUNT_BYTES];  /* 12 digits; "" if unknown */
    char    log_class[32];                 /* "STANDARD" */
    int64_t creation_ms;
    int64_t retention_days;                /* 0: for ever */
    int64_t stored_bytes;
    bool    masked;                        /* a data protection policy */
};

struct group {
    struct group_info info;     /* public at FLOW_ENDED */
    char              nearest[GROUP_NAME_BYTES];  /* public at FLOW_FAILED
                                     with ERROR_MISSING; "": none is near */
    struct fault      fault;    /* public at FLOW_FAILED */

    struct call      *call;
    struct view       name;
    struct span       room;     /* for the reply and its tokens */
    struct nearest    near;
    struct reply      reply;
    uint32_t          pages;
    enum group_state {
        GROUP_ASKING,    /* a request is to be made */
        GROUP_READING,   /* waits for the reply about this name */
        GROUP_LOOKING,   /* waits for replies about all names */
        GROUP_DONE,      /* final */
        GROUP_FAILED,    /* final */
    } state;
    bool              looking;
    bool              each;     /* all groups that begin so */
    bool              held;     /* `room` has their page, whole */
    char              found[GROUP_NAME_BYTES];  /* public: of `each` */
    bool              alone;    /* public: set after init; a name that is not
                                   there is not compared with others */
    char              token[CFG_TOKEN_BYTES];
};

enum { GROUP_ROOM_BYTES = 65536 };  /* 15 groups with the longest names */

/* `call` is lent until the end; its sink is a ring of its own. `room` has
 * GROUP_ROOM_BYTES, 8-byte aligned. The name lives as long. */
void group_init(struct group *g, struct call *call, struct view name,
                struct span room);
enum flow group_step(struct group *g, struct now now);

void group_each_init(struct group *g, struct call *call, struct view prefix,
                     struct span room);
void group_next(struct group *g);
/* Other ones, or the same: what they held is gone. */
void group_lend(struct group *g, struct call *call, struct span room);

/* The first instant that the group's retention still covers at `now_ms`;
 * INT64_MIN if it keeps all. */
int64_t group_held_from(const struct group_info *info, int64_t now_ms);

#endif
