/* sweep.c - see sweep.h. */
#include "ship/sweep.h"

#include "base/trace.h"

static const struct operation list_uploads = {
    .name = "s3:ListBucketMultipartUploads", .service = SITE_S3,
    .method = HTTP_GET,
};
static const struct operation abort_upload = {
    .name = "s3:AbortMultipartUpload", .service = SITE_S3,
    .method = HTTP_DELETE, .also_ok = 404,
};

static const struct operation delete_object = {
    .name = "s3:DeleteObject", .service = SITE_S3, .method = HTTP_DELETE,
    .also_ok = 404,
};

static const char *const state_name[] = {
    "listing", "aborting", "deleting", "done",
};

static enum flow enter(struct sweep *s, enum sweep_state next)
{
    trace_state("sweep", state_name[s->state], state_name[next]);
    s->state = next;
    return next == SWEEP_DONE ? FLOW_ENDED : FLOW_MOVED;
}

static enum flow list(struct sweep *s)
{
    call_begin(s->call, &list_uploads);
    call_key(s->call, s->target->bucket, (struct view){0});
    call_query(s->call, "uploads", (struct view){0});
    call_query(s->call, "prefix", s->target->key);
    s->attempt = 0;
    return enter(s, SWEEP_LISTING);
}

void sweep_init(struct sweep *s, struct call *call,
                const struct target *target, struct view keep)
{
    s->state = SWEEP_LISTING;
    s->aborted = 0;
    s->object = false;
    s->call = call;
    s->target = target;
    s->keep = keep;
    (void)list(s);
}

void sweep_object(struct sweep *s)
{
    s->object = true;
}

/* No more uploads, or none that can be aborted. */
static enum flow end(struct sweep *s)
{
    if (!s->object)
        return enter(s, SWEEP_DONE);
    call_begin(s->call, &delete_object);
    call_key(s->call, s->target->bucket, s->target->key);
    return enter(s, SWEEP_DELETING);
}

static void begin_page(struct sweep *s)
{
    s->attempt = s->call->attempt;
    s->ours = false;
    s->id[0] = s->stray[0] = '\0';
    elements_init(&s->elements, s->call->sink);
}

static void take(struct sweep *s)
{
    const struct elements *e = &s->elements;
    struct view value = text_view(&e->value);

    if (elements_at(e, "ListMultipartUploadsResult/Upload/Key")) {
        s->ours = view_equal(value, s->target->key);
    } else if (elements_at(e, "ListMultipartUploadsResult/Upload/UploadId")) {
        if (!view_copy(value, s->id, sizeof s->id))
            s->id[0] = '\0';
    } else if (elements_at(e, "ListMultipartUploadsResult/Upload")) {
        bool stray = s->ours && !view_is(s->keep, s->id);
        if (stray && s->stray[0] == '\0')
            memcpy(s->stray, s->id, sizeof s->stray);
        s->ours = false;
        s->id[0] = '\0';
    }
}

static enum flow abort_stray(struct sweep *s)
{
    if (s->stray[0] == '\0' || s->aborted == SWEEP_MOST)
        return end(s);
    call_begin(s->call, &abort_upload);
    call_key(s->call, s->target->bucket, s->target->key);
    call_query(s->call, "uploadId", view_of(s->stray));
    return enter(s, SWEEP_ABORTING);
}

static enum flow on_listing(struct sweep *s, struct now now)
{
    enum flow flow = call_step(s->call, now);
    enum elements_event event = ELEMENTS_MORE;

    if (flow == FLOW_FAILED)
        return end(s);
    if (s->attempt != s->call->attempt)
        begin_page(s);
    if (s->attempt == 0)
        return flow;
    while ((event = elements_next(&s->elements)) == ELEMENTS_END_TAG)
        take(s);
    if (event == ELEMENTS_BAD) {
        call_cancel(s->call);
        return end(s);
    }
    return flow == FLOW_ENDED ? abort_stray(s) : flow;
}

static enum flow on_aborting(struct sweep *s, struct now now)
{
    enum flow flow = call_step(s->call, now);

    if (flow == FLOW_FAILED)
        return end(s);
    if (flow != FLOW_ENDED)
        return flow;
    s->aborted++;
    return list(s);
}

static enum flow on_deleting(struct sweep *s, struct now now)
{
    enum flow flow = call_step(s->call, now);
    bool ended = flow == FLOW_ENDED || flow == FLOW_FAILED;

    return ended ? enter(s, SWEEP_DONE) : flow;
}

enum flow sweep_step(struct sweep *s, struct now now)
{
    switch (s->state) {
    case SWEEP_LISTING:  return on_listing(s, now);
    case SWEEP_ABORTING: return on_aborting(s, now);
    case SWEEP_DELETING: return on_deleting(s, now);
    case SWEEP_DONE:     break;
    }
    return FLOW_ENDED;
}
