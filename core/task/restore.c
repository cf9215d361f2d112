/* restore.c - see restore.h. */
#include "task/restore.h"

#include "base/trace.h"

enum { PAUSE_MS = 2000, PAUSE_MOST_MS = 240000 };

static const struct operation restore_object = {
    .name = "s3:RestoreObject",
    .service = SITE_S3,
    .method = HTTP_POST,
};

static const struct operation head_object = {
    .name = "s3:GetObject",
    .service = SITE_S3,
    .method = HTTP_HEAD,
};

static const char *const state_name[] = {"asking", "looking", "waiting",
                                         "done", "failed"};
static const char *const tier_name[] = {"Standard", "Bulk", "Expedited"};

/* What the user guide promises, by tier. */
static const struct {
    const char *class, *takes[3];
} classes[] = {
    {"GLACIER", {"3 to 5 h", "5 to 12 h", "1 to 5 min"}},
    {"DEEP_ARCHIVE", {"up to 12 h", "up to 48 h", ""}},
};

static void enter(struct restore *r, enum restore_state next)
{
    CHECK(r->state < RESTORE_DONE);
    trace_state("restore", state_name[r->state], state_name[next]);
    r->state = next;
}

static enum flow fail(struct restore *r, const struct fault *fault)
{
    CHECK(fault->error != ERROR_NONE);
    fault_adopt(&r->fault, fault);
    enter(r, RESTORE_FAILED);
    return FLOW_FAILED;
}

static void ask(struct restore *r)
{
    call_begin(&r->call, &restore_object);
    call_key(&r->call, r->options.name.bucket, r->options.name.key);
    call_query(&r->call, "restore", (struct view){0});
    struct text *body = call_body(&r->call);
    text_str(body, "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/"
                   "2006-03-01/\"><Days>");
    text_u64(body, r->options.days);
    text_str(body, "</Days><GlacierJobParameters><Tier>");
    text_str(body, tier_name[r->options.tier]);
    text_str(body, "</Tier></GlacierJobParameters></RestoreRequest>");
}

static enum flow look(struct restore *r)
{
    call_begin(&r->call, &head_object);
    call_key(&r->call, r->options.name.bucket, r->options.name.key);
    enter(r, RESTORE_LOOKING);
    return FLOW_MOVED;
}

/* What S3 says of it that is no fault: it is under way, or of another class,
 * which the object's head will tell. */
static enum flow on_refused(struct restore *r)
{
    struct view code = view_of(r->call.fault.code);

    r->result.action = "asked";
    if (view_is(code, "RestoreAlreadyInProgress"))
        return look(r);
    if (view_is(code, "InvalidArgument"))  /* a tier that its class lacks */
        r->call.fault.error = ERROR_CONFIG;
    if (!view_is(code, "InvalidObjectState"))
        return fail(r, &r->call.fault);
    r->refused = r->call.fault;
    return look(r);
}

static enum flow on_asking(struct restore *r, struct now now)
{
    enum flow flow = call_step(&r->call, now);

    if (flow == FLOW_FAILED)
        return on_refused(r);
    if (flow != FLOW_ENDED)
        return flow;
    bool there = r->call.exchange.reply.status == 200;
    r->result.action = there ? "extended" : "started";
    return look(r);
}

static enum flow end(struct restore *r, const char *state)
{
    r->result.state = state;
    enter(r, RESTORE_DONE);
    return FLOW_ENDED;
}

/* x-amz-restore: ongoing-request="false", expiry-date="Fri, 21 Dec ..." */
static enum flow end_restored(struct restore *r, struct text *reason)
{
    static const char before[] = "expiry-date=\"";
    const char *at = strstr(r->call.exchange.reply.restore, before);
    struct view date = view_of(at != NULL ? at + sizeof before - 1 : "");
    int64_t until_ms;

    text_str(reason, "a copy is in S3");
    if (date_parse_http(view_split(&date, '"'), &until_ms)) {
        text_str(reason, " until ");
        date_rfc3339(reason, until_ms);
    }
    return end(r, "readable");
}

static enum flow end_restoring(struct restore *r, struct text *reason,
                               const char *takes)
{
    text_str(reason, r->call.exchange.reply.storage_class);
    if (strcmp(r->result.action, "started") == 0 && takes[0] != '\0') {
        text_str(reason, " takes ");
        text_str(reason, takes);
    } else {
        text_str(reason, ", under way");
    }
    text_str(reason, "; run the same again to see how far it is, or with "
                     "--wait");
    return end(r, "restoring");
}

static enum flow wait(struct restore *r, struct now now)
{
    r->resume_mono_ms = now.mono_ms + r->pause_ms;
    r->pause_ms = r->pause_ms < PAUSE_MOST_MS / 2 ? 2 * r->pause_ms
                                                  : PAUSE_MOST_MS;
    enter(r, RESTORE_WAITING);
    return FLOW_MOVED;
}

static enum flow on_head(struct restore *r, struct now now)
{
    const struct http_reply *reply = &r->call.exchange.reply;
    const char *takes = NULL;
    struct text reason;

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(reply->storage_class, classes[i].class) == 0)
            takes = classes[i].takes[r->options.tier];
    text_init(&reason, r->result.reason, sizeof r->result.reason);
    if (takes != NULL && r->refused.error != ERROR_NONE)
        return fail(r, &r->refused);
    if (r->refused.error != ERROR_NONE) {
        const char *class = reply->storage_class;
        text_str(&reason, class[0] != '\0' ? class : "STANDARD");
        text_str(&reason, " can be read as it is");
        r->result.action = "skipped";
        return end(r, "readable");
    }
    if (strstr(reply->restore, "ongoing-request=\"false\"") != NULL)
        return end_restored(r, &reason);
    if (!r->options.wait)
        return end_restoring(r, &reason, takes != NULL ? takes : "");
    return wait(r, now);
}

static enum flow on_looking(struct restore *r, struct now now)
{
    enum flow flow = call_step(&r->call, now);

    if (flow == FLOW_FAILED)
        return fail(r, &r->call.fault);
    return flow == FLOW_ENDED ? on_head(r, now) : flow;
}

static enum flow on_waiting(struct restore *r, struct now now)
{
    if (now.mono_ms >= r->call.site->deadline_mono_ms) {
        fault_set(&r->fault, ERROR_STOPPED, "the deadline came before the "
                  "object; S3 goes on with it, ask again", 0);
        enter(r, RESTORE_FAILED);
        return FLOW_FAILED;
    }
    if (now.mono_ms < r->resume_mono_ms)
        return FLOW_WANT_EVENT;
    r->result.action = "restored";
    return look(r);
}

enum flow restore_step(struct restore *r, struct now now)
{
    switch (r->state) {
    case RESTORE_ASKING:  return on_asking(r, now);
    case RESTORE_LOOKING: return on_looking(r, now);
    case RESTORE_WAITING: return on_waiting(r, now);
    case RESTORE_DONE:    return FLOW_ENDED;
    case RESTORE_FAILED:  break;
    }
    return FLOW_FAILED;
}

int64_t restore_wake_ms(const struct restore *r)
{
    int64_t deadline_ms = r->call.site->deadline_mono_ms;

    if (r->state != RESTORE_WAITING)
        return call_wake_ms(&r->call);
    return r->resume_mono_ms < deadline_ms ? r->resume_mono_ms : deadline_ms;
}

void restore_init(struct restore *r, struct site *site,
                  const struct restore_options *options)
{
    *r = (struct restore){.options = *options, .pause_ms = PAUSE_MS};
    call_init(&r->call, site, NULL);
    ask(r);
}
