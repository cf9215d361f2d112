/* put.c - see put.h. */
#include "ship/put.h"

#include "base/trace.h"

static const char *const state_name[] = {"sending", "checking", "done",
                                         "failed"};

static const struct operation put_object = {
    .name = "s3:PutObject",
    .service = SITE_S3,
    .method = HTTP_PUT,
};

static void enter(struct put *p, enum put_state next)
{
    CHECK(p->state < PUT_DONE);
    trace_state("put", state_name[p->state], state_name[next]);
    p->state = next;
}

static enum flow fail(struct put *p, enum error error, const char *what,
                      int64_t detail)
{
    fault_set(&p->fault, error, what, detail);
    enter(p, PUT_FAILED);
    return FLOW_FAILED;
}

static enum flow fail_as(struct put *p, const struct fault *fault)
{
    CHECK(fault->error != ERROR_NONE);
    fault_adopt(&p->fault, fault);
    enter(p, PUT_FAILED);
    return FLOW_FAILED;
}

bool put_doubts(const struct fault *fault, int32_t status)
{
    static const char *const codes[] = {
        "NoSuchUpload", "NoSuchKey", "PreconditionFailed",
        "ConditionalRequestConflict",
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (view_is(view_of(fault->code), codes[i]))
            return true;
    return status == 412 || status == 409;
}

static void send(struct put *p)
{
    struct call *c = p->call;
    call_begin(c, &put_object);
    call_key(c, p->target->bucket, p->target->key);
    target_describe(p->target, c, p->body.bytes);
    target_checksum(p->target, c, p->body.crc);
    target_condition(p->target, c);
    call_slices(c, p->body.slices, p->body.count, p->body.bytes);
    p->tries++;
}

static enum flow check(struct put *p)
{
    target_head(p->target, p->call);
    enter(p, PUT_CHECKING);
    return FLOW_MOVED;
}

static void init(struct put *p, struct call *call, const struct target *target,
                 const struct body *body)
{
    *p = (struct put){.call = call, .target = target, .body = *body};
}

void put_begin(struct put *p, struct call *call, const struct target *target,
               const struct body *body)
{
    init(p, call, target, body);
    p->state = PUT_SENDING;
    send(p);
}

void put_confirm(struct put *p)
{
    p->confirm = true;
}

void put_settle(struct put *p, struct call *call, const struct target *target,
                const struct body *body)
{
    CHECK(body->slices == NULL);
    init(p, call, target, body);
    p->state = PUT_CHECKING;
    target_head(target, call);
}

void put_settle_etag(struct put *p, struct view etag)
{
    (void)view_copy(etag, p->etag, sizeof p->etag);  /* "" agrees with all */
}

void put_settle_unsummed(struct put *p)
{
    p->unsummed = true;
}

void put_settle_doubt(struct put *p, const struct fault *doubt)
{
    CHECK(doubt->error != ERROR_NONE);
    p->doubt = *doubt;
}

static enum flow on_stored(struct put *p)
{
    const struct http_reply *reply = &p->call->exchange.reply;
    bool sound = reply->etag[0] != '\0' && !target_differs(reply, p->body.crc);
    if (!sound && p->tries < PUT_TRIES) {
        send(p);
        return FLOW_MOVED;
    }
    if (!sound)
        return fail(p, ERROR_CORRUPT, "S3 did not store the object as sent",
                    (int64_t)p->body.bytes);
    memcpy(p->etag, reply->etag, sizeof p->etag);
    p->crc_confirmed = reply->crc64nvme[0] != '\0';
    if (p->confirm)
        return check(p);
    enter(p, PUT_DONE);
    return FLOW_ENDED;
}

static enum flow on_refused(struct put *p)
{
    const struct fault *fault = &p->call->fault;
    int32_t status = p->call->exchange.reply.status;
    if (!put_doubts(fault, status))
        return fail_as(p, fault);
    p->doubt = *fault;
    p->doubt.detail = status;
    return check(p);
}

static enum flow on_sending(struct put *p, struct now now)
{
    enum flow flow = call_step(p->call, now);
    if (flow == FLOW_ENDED)
        return on_stored(p);
    return flow == FLOW_FAILED ? on_refused(p) : flow;
}

static enum flow be_done(struct put *p)
{
    const struct http_reply *reply = &p->call->exchange.reply;
    memcpy(p->etag, reply->etag, sizeof p->etag);
    p->crc_confirmed = !p->unsummed && reply->crc64nvme[0] != '\0';
    enter(p, PUT_DONE);
    return FLOW_ENDED;
}

/* HEAD's answer where a success is to be confirmed. */
static enum flow on_confirmation(struct put *p, enum target_match match)
{
    const struct http_reply *reply = &p->call->exchange.reply;
    bool other = p->etag[0] != '\0' &&
                 !view_equal(view_of(p->etag), view_of(reply->etag));
    if (match == TARGET_SAME && !(other && p->unsummed))
        return be_done(p);
    if (match == TARGET_NONE)
        return fail(p, ERROR_REMOTE, "the object stored is not there", 404);
    if (other)
        return fail(p, ERROR_CONFLICT, "someone replaced the object at once",
                    (int64_t)reply->content_length);
    return fail(p, ERROR_CORRUPT, "the object stored has another size or "
                "checksum", (int64_t)reply->content_length);
}

/* HEAD's answer where it is open who wrote the object. */
static enum flow on_doubt(struct put *p, enum target_match match)
{
    if (match == TARGET_SAME)
        return be_done(p);
    bool again = match == TARGET_NONE && p->doubt.detail == 409 &&
                 p->body.slices != NULL && p->tries < PUT_TRIES;
    if (again) {  /* a racing delete: S3 says to try once more */
        p->doubt = (struct fault){0};
        send(p);
        enter(p, PUT_SENDING);
        return FLOW_MOVED;
    }
    bool gone = view_is(view_of(p->doubt.code), "NoSuchUpload");
    p->doubt.error = match == TARGET_NONE && gone ? ERROR_MISSING
                                                  : ERROR_CONFLICT;
    return fail_as(p, &p->doubt);
}

static enum flow on_checking(struct put *p, struct now now)
{
    enum flow flow = call_step(p->call, now);
    if (flow == FLOW_FAILED)
        return fail_as(p, &p->call->fault);
    if (flow != FLOW_ENDED)
        return flow;
    const uint64_t *crc = p->unsummed ? NULL : &p->body.crc;
    enum target_match match = target_compare(&p->call->exchange.reply,
                                             p->body.bytes, crc);
    return p->doubt.error != ERROR_NONE ? on_doubt(p, match)
                                        : on_confirmation(p, match);
}

enum flow put_step(struct put *p, struct now now)
{
    switch (p->state) {
    case PUT_SENDING:  return on_sending(p, now);
    case PUT_CHECKING: return on_checking(p, now);
    case PUT_DONE:     return FLOW_ENDED;
    case PUT_FAILED:   break;
    }
    return FLOW_FAILED;
}
