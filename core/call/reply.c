/* reply.c - see reply.h. */
#include "call/reply.h"

void reply_begin(struct reply *r, struct call *call, struct span room)
{
    CHECK(call->sink != NULL && call->attempt == 0);
    *r = (struct reply){.call = call, .room = room};
}

enum flow reply_step(struct reply *r, struct now now, struct fault *fault)
{
    enum flow flow = call_step(r->call, now);
    struct ring *in = r->call->sink;

    if (flow == FLOW_FAILED) {
        fault_adopt(fault, &r->call->fault);
        return FLOW_FAILED;
    }
    if (r->attempt != r->call->attempt) {
        r->attempt = r->call->attempt;
        r->len = 0;
    }
    struct view got = ring_peek(in);
    if (got.len > r->room.len - r->len) {
        fault_set(fault, ERROR_REMOTE, "a reply longer than its limit",
                  r->room.len);
        call_cancel(r->call);
        return FLOW_FAILED;
    }
    memcpy(r->room.at + r->len, got.at, got.len);
    r->len += got.len;
    ring_consume(in, got.len);
    if (got.len > 0)
        return FLOW_MOVED;
    return flow == FLOW_ENDED && ring_drained(in) ? FLOW_ENDED : flow;
}

struct view reply_view(const struct reply *r)
{
    return (struct view){r->room.at, r->len};
}
