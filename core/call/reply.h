/* reply.h - a small reply, whole in memory.
 *
 * Collects what a call puts into its sink, and forgets it where the call makes
 * another attempt. The caller owns room and call, and begins the call. */
#ifndef FIRN_CALL_REPLY_H
#define FIRN_CALL_REPLY_H

#include "call/call.h"

struct reply {
    struct call *call;
    struct span  room;
    uint32_t     len, attempt;
};

/* Right after call_begin(). */
void reply_begin(struct reply *r, struct call *call, struct span room);
/* FLOW_ENDED: it is whole. FLOW_FAILED: the call failed, or the reply is
 * longer than its room, which is ERROR_REMOTE. */
enum flow reply_step(struct reply *r, struct now now, struct fault *fault);
struct view reply_view(const struct reply *r);

#endif
