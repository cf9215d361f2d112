/* lease.c - see lease.h. */
#include "ship/lease.h"

#include "base/crc.h"
#include "base/trace.h"

static const struct operation get_checkpoint = {
    .name = "s3:GetObject", .service = SITE_S3, .method = HTTP_GET,
    .also_ok = 404,
};
/* 412, or 409 from a race: somebody else was there. 404: of If-Match. */
static const struct operation put_checkpoint = {
    .name = "s3:PutObject", .service = SITE_S3, .method = HTTP_PUT,
    .also_ok = 412, .aside = true,
};
static const struct operation delete_checkpoint = {
    .name = "s3:DeleteObject", .service = SITE_S3, .method = HTTP_DELETE,
    .also_ok = 412,  /* somebody took over: theirs stays */
};

static const char *const state_name[] = {
    "free", "looking", "seen", "watching", "writing", "settling", "testing",
    "held", "dropping", "lost", "failed",
};

static enum flow enter(struct lease *l, enum lease_state next)
{
    trace_state("lease", state_name[l->state], state_name[next]);
    l->state = next;
    return FLOW_MOVED;
}

static enum flow fail_as(struct lease *l, const struct fault *fault)
{
    fault_adopt(&l->fault, fault);
    (void)enter(l, LEASE_FAILED);
    return FLOW_FAILED;
}

static enum flow lose(struct lease *l)
{
    (void)enter(l, LEASE_LOST);
    return FLOW_FAILED;
}

void lease_init(struct lease *l, struct site *site, struct view bucket,
                struct view key, bool checksum)
{
    l->state = LEASE_FREE;
    fault_reset(&l->fault);
    l->there = l->released = l->ignored = l->tested = false;
    l->age_ms = 0;
    l->text = (struct view){0};
    l->etag[0] = '\0';
    l->target = (struct target){
        .bucket = bucket,
        .key = key,
        .content_type = view_of("application/json"),
        .checksum = checksum,
    };
    call_init(&l->call, site, NULL);
}

/* --- looking ------------------------------------------------------------- */

void lease_look(struct lease *l, struct call *reader, struct span room)
{
    CHECK(l->state == LEASE_FREE || l->state == LEASE_SEEN);
    l->reader = reader;
    l->room = room;
    l->released = false;
    l->text = (struct view){room.at, 0};
    l->attempt = 0;
    call_begin(reader, &get_checkpoint);
    call_key(reader, l->target.bucket, l->target.key);
    call_header(reader, "x-amz-checksum-mode", view_of("ENABLED"));
    (void)enter(l, LEASE_LOOKING);
}

static void note_version(struct lease *l, const struct http_reply *reply)
{
    bool dated = reply->date_ms != 0 && reply->modified_ms != 0;
    l->there = reply->status != 404;
    l->age_ms = dated && reply->date_ms > reply->modified_ms
                    ? reply->date_ms - reply->modified_ms : 0;
    memcpy(l->etag, reply->etag, sizeof l->etag);
}

/* A text too long for the room is none of ours: it is cut, and unsound; like
 * one that is not what S3 has. */
static enum flow on_looking(struct lease *l, struct now now)
{
    enum flow flow = call_step(l->reader, now);
    struct ring *in = l->reader->sink;

    if (flow == FLOW_FAILED)
        return fail_as(l, &l->reader->fault);
    if (l->attempt != l->reader->attempt) {
        l->attempt = l->reader->attempt;
        l->text.len = 0;
    }
    struct view got = ring_peek(in);
    uint32_t left = l->room.len - l->text.len;
    uint32_t len = got.len < left ? got.len : left;
    memcpy(l->room.at + l->text.len, got.at, len);
    l->text.len += len;
    ring_consume(in, got.len);
    if (got.len > 0)
        return FLOW_MOVED;
    if (flow != FLOW_ENDED)
        return flow;
    note_version(l, &l->reader->exchange.reply);
    if (target_differs(&l->reader->exchange.reply, crc64_add(0, l->text)))
        l->text.len = 0;
    (void)enter(l, LEASE_SEEN);
    return FLOW_ENDED;
}

/* --- writing ------------------------------------------------------------- */

static void send(struct lease *l, const char *etag, enum lease_state state)
{
    l->target.condition = etag[0] != '\0' ? TARGET_MATCHES : TARGET_ABSENT;
    l->target.etag = view_of(etag);
    l->body = (struct body){
        .slices = &l->written, .count = 1, .bytes = l->written.len,
        .crc = crc64_add(0, l->written),
    };
    call_begin(&l->call, &put_checkpoint);
    call_key(&l->call, l->target.bucket, l->target.key);
    target_describe(&l->target, &l->call, l->body.bytes);
    target_checksum(&l->target, &l->call, l->body.crc);
    target_condition(&l->target, &l->call);
    call_slices(&l->call, &l->written, 1, l->body.bytes);
    (void)enter(l, state);
}

void lease_write(struct lease *l, struct view text, struct now now)
{
    CHECK(l->state == LEASE_HELD);
    l->written = text;
    l->since_mono_ms = now.mono_ms;
    l->tries = 1;
    send(l, l->etag, LEASE_WRITING);
}

static enum flow settle(struct lease *l)
{
    target_head(&l->target, &l->call);
    return enter(l, LEASE_SETTLING);
}

static enum flow hold(struct lease *l)
{
    memcpy(l->etag, l->call.exchange.reply.etag, sizeof l->etag);
    if (!l->tested) {
        l->tested = true;
        send(l, "\"0\"", LEASE_TESTING);
        return FLOW_MOVED;
    }
    (void)enter(l, LEASE_HELD);
    return FLOW_ENDED;
}

/* Refused, or not to be told: the version that is there decides. */
static enum flow on_writing(struct lease *l, struct now now)
{
    enum flow flow = call_step(&l->call, now);
    const struct http_reply *reply = &l->call.exchange.reply;

    if (flow == FLOW_FAILED && (reply->status == 409 || reply->status == 404))
        return settle(l);
    if (flow == FLOW_FAILED)
        return fail_as(l, &l->call.fault);
    if (flow != FLOW_ENDED)
        return flow;
    return reply->status == 412 || reply->etag[0] == '\0' ? settle(l)
                                                          : hold(l);
}

/* Is what is there what our write was to replace? Then a race that refused it
 * (409) had no winner, or was with a write of ours that broke off. */
static bool is_unchanged(const struct lease *l, const struct http_reply *reply)
{
    return l->target.condition == TARGET_ABSENT
               ? reply->status == 404
               : reply->status != 404 && view_is(l->target.etag, reply->etag);
}

static enum flow on_settling(struct lease *l, struct now now)
{
    enum flow flow = call_step(&l->call, now);
    const struct http_reply *reply = &l->call.exchange.reply;

    if (flow == FLOW_FAILED)
        return fail_as(l, &l->call.fault);
    if (flow != FLOW_ENDED)
        return flow;
    bool same = reply->etag[0] != '\0' && reply->crc64nvme[0] != '\0' &&
                target_compare(reply, l->body.bytes, &l->body.crc) ==
                    TARGET_SAME;
    if (same)
        return hold(l);
    if (l->tries == LEASE_TRIES || !is_unchanged(l, reply))
        return lose(l);
    l->tries++;
    send(l, l->target.condition == TARGET_ABSENT ? "" : l->etag,
         LEASE_WRITING);
    return FLOW_MOVED;
}

/* Whatever the answer: only a success says that conditions are ignored. */
static enum flow on_testing(struct lease *l, struct now now)
{
    enum flow flow = call_step(&l->call, now);
    const struct http_reply *reply = &l->call.exchange.reply;

    if (flow != FLOW_FAILED && flow != FLOW_ENDED)
        return flow;
    if (flow == FLOW_ENDED && reply->status / 100 == 2) {
        l->ignored = true;
        memcpy(l->etag, reply->etag, sizeof l->etag);
    }
    (void)enter(l, LEASE_HELD);
    return FLOW_ENDED;
}

bool lease_is_ours(const struct lease *l)
{
    return l->state >= LEASE_WRITING && l->state <= LEASE_HELD;
}

bool lease_is_due(const struct lease *l, struct now now, int64_t after_ms)
{
    return l->state == LEASE_HELD &&
           now.mono_ms - l->since_mono_ms >= after_ms;
}

/* --- another's ----------------------------------------------------------- */

bool lease_is_stale(const struct lease *l)
{
    return l->released || l->age_ms >= CFG_LEASE_MS + LEASE_CLOCK_MS;
}

static bool is_dead(const struct lease *l, struct now now)
{
    return lease_is_stale(l) ||
           now.mono_ms - l->since_mono_ms >= CFG_LEASE_MS;
}

static enum flow replace(struct lease *l, struct now now)
{
    l->since_mono_ms = now.mono_ms;
    l->tries = 1;
    send(l, l->there ? l->etag : "", LEASE_WRITING);
    return FLOW_MOVED;
}

void lease_take(struct lease *l, struct view text, struct now now)
{
    CHECK(l->state == LEASE_SEEN);
    l->written = text;
    l->since_mono_ms = now.mono_ms;
    l->look_mono_ms = now.mono_ms + LEASE_WATCH_MS;
    if (!l->there || is_dead(l, now))
        (void)replace(l, now);
    else
        (void)enter(l, LEASE_WATCHING);
}

static enum flow on_seen_again(struct lease *l, struct now now)
{
    const struct http_reply *reply = &l->call.exchange.reply;

    l->look_mono_ms = now.mono_ms + LEASE_WATCH_MS;
    if (reply->status != 404 && strcmp(reply->etag, l->etag) != 0) {
        l->age_ms = 0;
        return lose(l);
    }
    note_version(l, reply);
    return !l->there || is_dead(l, now) ? replace(l, now) : FLOW_MOVED;
}

static enum flow on_watching(struct lease *l, struct now now)
{
    if (now.mono_ms < l->look_mono_ms)
        return FLOW_WANT_EVENT;
    if (l->call.state == CALL_IDLE)
        target_head(&l->target, &l->call);
    enum flow flow = call_step(&l->call, now);
    if (flow == FLOW_FAILED)
        return fail_as(l, &l->call.fault);
    if (flow != FLOW_ENDED)
        return flow;
    flow = on_seen_again(l, now);
    if (l->state == LEASE_WATCHING)
        call_cancel(&l->call);
    return flow;
}

/* --- the end ------------------------------------------------------------- */

void lease_drop(struct lease *l)
{
    call_cancel(&l->call);
    call_begin(&l->call, &delete_checkpoint);
    call_key(&l->call, l->target.bucket, l->target.key);
    if (!l->ignored)
        call_header(&l->call, "if-match", view_of(l->etag));
    (void)enter(l, LEASE_DROPPING);
}

static enum flow on_dropping(struct lease *l, struct now now)
{
    enum flow flow = call_step(&l->call, now);
    int32_t status = l->call.exchange.reply.status;

    if (flow == FLOW_FAILED && status == 501 && !l->ignored) {
        l->ignored = true;  /* a store that deletes, but not on condition */
        lease_drop(l);
        return FLOW_MOVED;
    }
    if (flow == FLOW_FAILED && status != 404)
        return fail_as(l, &l->call.fault);
    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    call_cancel(&l->call);
    (void)enter(l, LEASE_FREE);
    return FLOW_ENDED;
}

void lease_cancel(struct lease *l)
{
    if (l->state == LEASE_LOOKING)
        call_cancel(l->reader);
    call_cancel(&l->call);
    if (l->state != LEASE_FREE)
        (void)enter(l, LEASE_FREE);
}

enum flow lease_step(struct lease *l, struct now now)
{
    switch (l->state) {
    case LEASE_LOOKING:  return on_looking(l, now);
    case LEASE_WATCHING: return on_watching(l, now);
    case LEASE_WRITING:  return on_writing(l, now);
    case LEASE_SETTLING: return on_settling(l, now);
    case LEASE_TESTING:  return on_testing(l, now);
    case LEASE_DROPPING: return on_dropping(l, now);
    case LEASE_FREE:
    case LEASE_SEEN:
    case LEASE_HELD:     return FLOW_ENDED;
    case LEASE_LOST:
    case LEASE_FAILED:   break;
    }
    return FLOW_FAILED;
}

int64_t lease_wake_ms(const struct lease *l)
{
    switch (l->state) {
    case LEASE_LOOKING:
        return call_wake_ms(l->reader);
    case LEASE_WATCHING:
        return l->call.state == CALL_IDLE ? l->look_mono_ms
                                          : call_wake_ms(&l->call);
    case LEASE_HELD:
        return l->since_mono_ms + LEASE_RENEW_MS;
    case LEASE_WRITING:
    case LEASE_SETTLING:
    case LEASE_TESTING:
    case LEASE_DROPPING:
        return call_wake_ms(&l->call);
    case LEASE_FREE:
    case LEASE_SEEN:
    case LEASE_LOST:
    case LEASE_FAILED:
        break;
    }
    return INT64_MAX;
}
