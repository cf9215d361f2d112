/* finish.c - see finish.h. */
#include "ship/finish.h"

enum flow finish_list(struct upload *u)
{
    upload_enter(u, UPLOAD_LISTING);
    listing_init(&u->listing, u->arena, &u->complete, u->closed);
    multipart_list(&u->multipart, &u->listing);
    return FLOW_MOVED;
}

static enum flow begin_completing(struct upload *u)
{
    upload_enter(u, UPLOAD_COMPLETING);
    struct body xml = upload_body(u, &u->complete, 0);
    multipart_complete(&u->multipart, &xml, u->bytes,
                       u->crc_known ? &u->crc : NULL);
    return FLOW_MOVED;
}

/* All in one PutObject. */
enum flow finish_put(struct upload *u)
{
    const struct part *p = &u->part[0];
    struct body body = upload_body(u, &p->chain, p->crc);
    upload_enter(u, UPLOAD_SETTLING);
    put_begin(&u->put, &u->multipart.call, u->target, &body);
    put_confirm(&u->put);
    return FLOW_MOVED;
}

/* HEAD is to say what became of Complete: a success, or a doubt. */
static enum flow begin_settling(struct upload *u)
{
    const struct multipart *m = &u->multipart;
    struct body body = {.bytes = u->bytes, .crc = u->crc};
    upload_enter(u, UPLOAD_SETTLING);
    put_settle(&u->put, &u->multipart.call, u->target, &body);
    if (!u->crc_known)
        put_settle_unsummed(&u->put);
    if (m->fault.error != ERROR_NONE)
        put_settle_doubt(&u->put, &m->fault);
    else
        put_settle_etag(&u->put, view_of(m->etag));
    return FLOW_MOVED;
}

enum flow finish_abort(struct upload *u, enum upload_state outcome)
{
    upload_enter(u, UPLOAD_ABORTING);
    u->outcome = outcome;
    u->tries = 0;
    multipart_abort(&u->multipart);
    return FLOW_MOVED;
}

static enum flow on_page(struct upload *u)
{
    struct listing *l = &u->listing;
    if (l->more && l->fault.error == ERROR_NONE) {
        multipart_list(&u->multipart, l);
        return FLOW_MOVED;
    }
    listing_finish(l);
    if (l->parts != u->closed || l->bytes != u->bytes)
        fault_set(&l->fault, ERROR_REMOTE,
                  "ListParts does not give the parts that were sent",
                  l->parts);
    return l->fault.error != ERROR_NONE ? upload_fail_as(u, &l->fault)
                                        : begin_completing(u);
}

/* A request about the whole upload failed: perhaps because it succeeded. */
static enum flow on_refused(struct upload *u)
{
    struct multipart *m = &u->multipart;
    return put_doubts(&m->fault, m->status) ? begin_settling(u)
                                            : upload_fail_as(u, &m->fault);
}

enum flow finish_listing(struct upload *u, struct now now)
{
    enum flow flow = multipart_step(&u->multipart, now);
    if (flow == FLOW_FAILED)
        return on_refused(u);
    return flow == FLOW_ENDED ? on_page(u) : flow;
}

enum flow finish_completing(struct upload *u, struct now now)
{
    enum flow flow = multipart_step(&u->multipart, now);
    if (flow == FLOW_FAILED)
        return on_refused(u);
    return flow == FLOW_ENDED ? begin_settling(u) : flow;
}

/* Whether a multipart upload of ours may still hold its parts. */
static bool is_left_open(const struct upload *u)
{
    const struct fault *doubt = &u->put.doubt;
    return upload_is_created(u) && doubt->error != ERROR_NONE &&
           !view_is(view_of(doubt->code), "NoSuchUpload");
}

enum flow finish_settling(struct upload *u, struct now now)
{
    enum flow flow = put_step(&u->put, now);
    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    if (flow == FLOW_ENDED) {
        memcpy(u->etag, u->put.etag, sizeof u->etag);
        u->crc_confirmed = u->put.crc_confirmed;
        return is_left_open(u) ? finish_abort(u, UPLOAD_DONE)
                               : upload_leave_as(u, UPLOAD_DONE);
    }
    bool conflict = u->put.fault.error == ERROR_CONFLICT;
    fault_adopt(&u->fault, &u->put.fault);
    return conflict && is_left_open(u) ? finish_abort(u, UPLOAD_FAILED)
                                       : upload_leave_as(u, UPLOAD_FAILED);
}

/* It could not be aborted; if the object is done that changes nothing. */
static enum flow on_stuck(struct upload *u)
{
    if (u->outcome == UPLOAD_DONE)
        return upload_leave_as(u, UPLOAD_DONE);
    fault_adopt(&u->fault, &u->multipart.fault);
    return upload_fail(u, ERROR_REMOTE, "parts of an aborted upload remain",
                u->tries);
}

enum flow finish_aborting(struct upload *u, struct now now)
{
    if (now.mono_ms < u->resume_mono_ms)
        return FLOW_WANT_EVENT;
    u->resume_mono_ms = 0;
    enum flow flow = multipart_step(&u->multipart, now);
    if (flow == FLOW_FAILED)
        return on_stuck(u);
    if (flow != FLOW_ENDED)
        return flow;
    upload_enter(u, UPLOAD_PROVING);
    multipart_prove(&u->multipart);
    return FLOW_MOVED;
}

enum flow finish_proving(struct upload *u, struct now now)
{
    enum flow flow = multipart_step(&u->multipart, now);
    if (flow == FLOW_FAILED)
        return on_stuck(u);
    if (flow != FLOW_ENDED)
        return flow;
    u->gone = u->multipart.status == 404 || !u->multipart.told;
    if (u->gone)
        return upload_leave_as(u, u->outcome);
    u->tries++;
    if (u->tries >= UPLOAD_ABORTS)
        return on_stuck(u);
    upload_enter(u, UPLOAD_ABORTING);
    multipart_abort(&u->multipart);
    u->resume_mono_ms = now.mono_ms + UPLOAD_PAUSE_MS * (int64_t)u->tries;
    return FLOW_MOVED;
}
