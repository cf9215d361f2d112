/* finish.c - see finish.h. */
#include "ship/finish.h"

#include "ship/segment.h"

/* What is being finished: the object, or a segment of it. */
static struct upload_stored whole_of(const struct upload *u)
{
    const struct upload_place *p = &u->stored.place;
    if (u->inner)
        return (struct upload_stored){p->parts, p->bytes, p->crc,
                                      u->stored.crc_known, {0}};
    return (struct upload_stored){segment_parts(u), u->bytes, u->crc,
                                  u->crc_known, {0}};
}

enum flow finish_list(struct upload *u)
{
    upload_enter(u, UPLOAD_LISTING);
    listing_init(&u->listing, u->arena, &u->complete, whole_of(u).parts);
    multipart_list(&u->multipart, &u->listing);
    return FLOW_MOVED;
}

static enum flow begin_completing(struct upload *u)
{
    upload_enter(u, UPLOAD_COMPLETING);
    struct body xml = upload_body(u, &u->complete, 0);
    struct upload_stored whole = whole_of(u);
    multipart_complete(&u->multipart, &xml, whole.bytes,
                       whole.crc_known ? &whole.crc : NULL);
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
enum flow finish_settle(struct upload *u)
{
    const struct multipart *m = &u->multipart;
    struct upload_stored whole = whole_of(u);
    struct body body = {.bytes = whole.bytes, .crc = whole.crc};
    upload_enter(u, UPLOAD_SETTLING);
    put_settle(&u->put, &u->multipart.call, m->target, &body);
    if (!whole.crc_known)
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
    /* First the segment's, if S3 ever gave it an id; then its own. */
    segment_switch(u, upload_segment_id(u).len > 0);
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
    struct upload_stored whole = whole_of(u);
    listing_finish(l);
    if (l->parts != whole.parts || l->bytes != whole.bytes)
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
    return put_doubts(&m->fault, m->status) ? finish_settle(u)
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
    return flow == FLOW_ENDED ? finish_settle(u) : flow;
}

/* Whether a multipart upload of ours may still hold its parts. */
static bool is_left_open(const struct upload *u)
{
    const struct fault *doubt = &u->put.doubt;
    return upload_id(u).len > 0 && doubt->error != ERROR_NONE &&
           !view_is(view_of(doubt->code), "NoSuchUpload");
}

/* A segment that is neither an upload nor an object can only be made anew. */
static enum flow fail_segment(struct upload *u)
{
    const struct put *p = &u->put;
    bool lost = p->fault.error == ERROR_CONFLICT ||
                p->fault.error == ERROR_MISSING;
    return lost ? upload_fail(u, ERROR_MISSING, "a segment stored before is "
                              "gone", u->stored.place.own + 1)
                : upload_fail_as(u, &p->fault);
}

enum flow finish_settling(struct upload *u, struct now now)
{
    enum flow flow = put_step(&u->put, now);
    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    if (u->inner && flow == FLOW_FAILED)
        return fail_segment(u);
    if (flow == FLOW_ENDED) {
        memcpy(u->etag, u->put.etag, sizeof u->etag);
        if (u->inner)
            return segment_merge(u);
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
    bool gone = u->multipart.status == 404 || !u->multipart.told;
    if (gone && u->inner) {
        segment_forget(u);
        if (u->multipart.id[0] != '\0')
            return finish_abort(u, u->outcome);
    }
    u->gone = gone;
    if (gone && u->segment != NULL && !u->clean &&
        u->place.own >= LIMIT_SEGMENT_FROM)
        return segment_clean(u);
    if (gone)
        return upload_leave_as(u, u->outcome);
    u->tries++;
    if (u->tries >= UPLOAD_ABORTS)
        return on_stuck(u);
    upload_enter(u, UPLOAD_ABORTING);
    multipart_abort(&u->multipart);
    u->resume_mono_ms = now.mono_ms + UPLOAD_PAUSE_MS * (int64_t)u->tries;
    return FLOW_MOVED;
}
