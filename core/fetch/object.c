/* object.c - see object.h. */
#include "fetch/object.h"

#include "base/trace.h"

static const struct operation get_object = {
    .name = "s3:GetObject",
    .service = SITE_S3,
    .method = HTTP_GET,
    .also_ok = 412,  /* If-Match did not hold */
};

static const char *const state_name[] = {
    [OBJECT_OPENED] = "opened", [OBJECT_READING] = "reading",
    [OBJECT_BROKEN] = "broken", [OBJECT_DONE] = "done",
    [OBJECT_FAILED] = "failed",
};

bool object_name_parse(struct view url, struct object_name *name)
{
    if (!view_starts(url, "s3://"))
        return false;
    name->key = view_slice(url, 5, url.len);
    name->bucket = view_split(&name->key, '/');
    return name->bucket.len > 0 && name->key.len > 0;
}

static void enter(struct object *o, enum object_state next)
{
    CHECK(o->state < OBJECT_DONE);
    trace_state("object", state_name[o->state], state_name[next]);
    o->state = next;
}

static enum flow fail(struct object *o, enum error error, const char *what)
{
    struct fault *f = o->stage.fault;

    /* What came with such a reply is not the object. */
    ring_reset(o->call.sink);
    if (f->error == ERROR_NONE)
        f->operation = get_object.name;
    fault_set(f, error, what, o->call.exchange.reply.status);
    call_cancel(&o->call);
    enter(o, OBJECT_FAILED);
    return FLOW_FAILED;
}

/* Where the bytes asked for end; only if the size is known. */
static uint64_t end_of(const struct object *o)
{
    CHECK(o->known);
    return o->to != 0 && o->to < o->total ? o->to : o->total;
}

/* Bytes that the reader took since last looked. */
static void settle(struct object *o)
{
    const struct ring *out = o->call.sink;

    o->next += out->read - o->read;
    o->read = out->read;
}

static void begin(struct object *o)
{
    char range[64];
    struct text t;

    call_cancel(&o->call);
    call_begin(&o->call, &get_object);
    call_key(&o->call, o->name.bucket, o->name.key);
    text_init(&t, range, sizeof range);
    text_str(&t, "bytes=");
    text_u64(&t, o->next);
    text_char(&t, '-');
    if (o->to != 0)
        text_u64(&t, o->to - 1);
    if (o->next != 0 || o->to != 0)
        call_header(&o->call, "range", text_view(&t));
    if (o->etag[0] != '\0')
        call_header(&o->call, "if-match", view_of(o->etag));
    call_header(&o->call, "x-amz-checksum-mode", view_of("ENABLED"));
    ring_reset(o->call.sink);
    o->read = 0;
    o->asked = o->next;
    o->received = 0;
    o->attempt = 0;
    o->checked = false;
}

static void learn(struct object *o, uint64_t total)
{
    const struct http_reply *r = &o->call.exchange.reply;

    o->known = true;
    o->total = total;
    o->modified_ms = r->modified_ms;
    if (r->etag[0] != '\0')
        memcpy(o->etag, r->etag, sizeof o->etag);
    if (view_is_nocase(view_of(r->checksum_type), "FULL_OBJECT"))
        memcpy(o->crc64nvme, r->crc64nvme, sizeof o->crc64nvme);
}

/* Why the reply's head is not what was asked for; NULL if it is. */
static const char *mistake_in_head(const struct object *o)
{
    const struct http_reply *r = &o->call.exchange.reply;
    bool ranged = o->asked != 0 || o->to != 0;

    if (r->status != (ranged ? 206 : 200))
        return ranged ? "the store does not honour a range"
                      : "the store answered with a part";
    if (ranged && r->range_total <= o->asked)
        return "a range of nothing was answered";
    uint64_t total = ranged ? r->range_total : r->content_length;
    uint64_t end = o->to != 0 && o->to < total ? o->to : total;
    if (!r->has_length)
        return "the store does not say how much it sends";
    if (r->content_length != end - o->asked)
        return "the store answered with more or less than it was asked for";
    return NULL;
}

static enum flow check_head(struct object *o)
{
    const struct http_reply *r = &o->call.exchange.reply;
    const char *mistake = mistake_in_head(o);
    uint64_t total = r->status == 206 ? r->range_total : r->content_length;

    if (mistake != NULL)
        return fail(o, ERROR_REMOTE, mistake);
    if (o->etag[0] != '\0' && r->etag[0] != '\0' &&
        strcmp(o->etag, r->etag) != 0)
        return fail(o, ERROR_CORRUPT, o->known
                    ? "the object changed while it was read"
                    : "the object is not the one expected");
    if (o->known && total != o->total)
        return fail(o, ERROR_CORRUPT, "the object changed while it was read");
    if (!o->known)
        learn(o, total);
    o->checked = true;
    return FLOW_MOVED;
}

/* It is there, but in a class that must be asked for it first. */
static void say_restore(struct object *o)
{
    char bytes[FAULT_WORDS_BYTES];
    struct text t;

    text_init(&t, bytes, sizeof bytes);
    text_str(&t, "run: firn restore s3://");
    text_put(&t, o->name.bucket);
    text_char(&t, '/');
    text_put(&t, o->name.key);
    text_str(&t, " --days 7");
    struct fault fault = {
        .error = o->call.fault.error,
        .what = "InvalidObjectState, its storage class keeps it offline",
        .detail = o->call.fault.detail,
    };
    fault_words(&fault, t.overflow
                ? view_of("run: firn restore URL --days 7")
                : text_view(&t));
    fault_adopt(o->stage.fault, &fault);
}

/* The call gave up, or S3 refused; what the ring still holds is good. */
static enum flow on_refused(struct object *o)
{
    if (strcmp(o->call.fault.code, "InvalidObjectState") == 0)
        say_restore(o);
    fault_adopt(o->stage.fault, &o->call.fault);
    enter(o, OBJECT_FAILED);
    return FLOW_FAILED;
}

/* A whole reply came, or word that the version is another one. */
static enum flow on_reply(struct object *o)
{
    if (o->call.exchange.reply.status == 412)
        return fail(o, ERROR_CORRUPT, o->known
                    ? "the object changed while it was read"
                    : "the object is not the one expected");
    if (o->next + ring_len(o->call.sink) != end_of(o))
        return fail(o, ERROR_REMOTE, "more came than was announced");
    enter(o, OBJECT_DONE);
    return FLOW_ENDED;
}

/* The attempt broke off behind bytes of the object: the call may not make it
 * again as it was. Its pause is kept. */
static enum flow on_break(struct object *o)
{
    if (!o->checked && check_head(o) == FLOW_FAILED)
        return FLOW_FAILED;
    o->resume_mono_ms = call_wake_ms(&o->call);
    call_cancel(&o->call);
    enter(o, OBJECT_BROKEN);
    return FLOW_MOVED;
}

/* Bytes that arrive are a sign of life, as a whole reply is. */
static bool arrived(struct object *o, struct now now)
{
    const struct http_exchange *x = &o->call.exchange;
    bool more = o->checked && x->received > o->received;

    o->received = x->received;
    if (more)
        o->call.site->success_mono_ms = now.mono_ms;
    return more;
}

static enum flow on_reading(struct object *o, struct now now)
{
    const struct http_exchange *x = &o->call.exchange;
    struct ring *out = o->call.sink;
    enum flow flow = call_step(&o->call, now);
    bool again = o->call.attempt != o->attempt;

    o->read = out->read;  /* the call may have reset it */
    o->attempt = o->call.attempt;
    CHECK(!again || !o->checked);  /* a break behind bytes ends the call */
    CHECK(!again || o->next == o->asked);
    if (flow == FLOW_FAILED)
        return on_refused(o);
    if (o->call.state == CALL_WAITING && o->next + ring_len(out) > o->asked)
        return on_break(o);
    if (o->call.state == CALL_WAITING)
        return flow;  /* what is known is of the reply before */
    bool headed = x->reply.status / 100 == 2 &&
                  (flow == FLOW_ENDED || x->received > 0);
    if (headed && !o->checked && check_head(o) == FLOW_FAILED)
        return FLOW_FAILED;
    bool more = arrived(o, now);
    if (flow == FLOW_ENDED)
        return on_reply(o);
    return more ? FLOW_MOVED : flow;
}

static enum flow on_broken(struct object *o, struct now now)
{
    if (ring_len(o->call.sink) > 0)
        return ring_room(o->call.sink) == 0 ? FLOW_WANT_ROOM
                                            : FLOW_WANT_EVENT;
    if (o->next == end_of(o)) {  /* it broke behind the last */
        ring_end(o->call.sink);
        enter(o, OBJECT_DONE);
        return FLOW_ENDED;
    }
    if (now.mono_ms < o->resume_mono_ms)
        return FLOW_WANT_EVENT;
    begin(o);
    enter(o, OBJECT_READING);
    return FLOW_MOVED;
}

static enum flow step(struct stage *self, struct ring *in, struct ring *out,
                      struct now now)
{
    struct object *o = (struct object *)self;  /* its first member */

    CHECK(in == NULL && out == o->call.sink);
    settle(o);
    switch (o->state) {
    case OBJECT_OPENED:
        begin(o);
        enter(o, OBJECT_READING);
        return FLOW_MOVED;
    case OBJECT_READING: return on_reading(o, now);
    case OBJECT_BROKEN:  return on_broken(o, now);
    case OBJECT_DONE:    return FLOW_ENDED;
    case OBJECT_FAILED:  break;
    }
    return FLOW_FAILED;
}

void object_init(struct object *o, struct site *site, struct ring *out,
                 struct fault *fault)
{
    o->stage = (struct stage){step, fault};
    call_init(&o->call, site, out);
    o->state = OBJECT_OPENED;
}

void object_open_range(struct object *o, struct object_name name,
                       uint64_t from, uint64_t to)
{
    CHECK(to == 0 || from < to);
    call_cancel(&o->call);
    ring_reset(o->call.sink);
    o->name = name;
    o->to = to;
    o->next = from;
    o->read = 0;
    o->known = false;
    o->total = 0;
    o->modified_ms = 0;
    o->crc64nvme[0] = '\0';
    o->etag[0] = '\0';
    o->state = OBJECT_OPENED;
}

void object_open(struct object *o, struct object_name name)
{
    object_open_range(o, name, 0, 0);
}

void object_cancel(struct object *o)
{
    call_cancel(&o->call);
    if (o->state < OBJECT_DONE)
        enter(o, OBJECT_FAILED);
}

int64_t object_wake_ms(const struct object *o)
{
    switch (o->state) {
    case OBJECT_OPENED:  return 0;
    case OBJECT_READING: return call_wake_ms(&o->call);
    case OBJECT_BROKEN:  /* what came is to be read first */
        return ring_len(o->call.sink) > 0 ? INT64_MAX : o->resume_mono_ms;
    case OBJECT_DONE:
    case OBJECT_FAILED:  break;
    }
    return INT64_MAX;
}
