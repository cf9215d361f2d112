/* call.c - see call.h. */
#include "call/call.h"

#include "base/trace.h"
#include "call/request.h"

enum {
    SKEW_MS = 240000,       /* a clock so far off is wrong */
    PAUSE_MS = 200,         /* the first pause's most; then it doubles */
    PACED_MS = 100,         /* the same where the pacer slows down too */
    SLOW_MS = 1000,         /* the same for other throttles */
    RETRY_AFTER_MS = 60000, /* the longest wish of a server's we heed */
    FEW = 3,                /* attempts at what may pass, but not often */
};

static const char *const state_name[] = {
    [CALL_IDLE] = "idle",       [CALL_WAITING] = "waiting",
    [CALL_SENDING] = "sending", [CALL_ENDED] = "ended",
    [CALL_FAILED] = "failed",
};

static void enter(struct call *c, enum call_state next)
{
    trace_state("call", state_name[c->state], state_name[next]);
    c->state = next;
    if (next != CALL_SENDING)  /* a session token was in them */
        secret_wipe(c->signed_bytes, c->signed_headers.len);
}

void call_init(struct call *c, struct site *site, struct ring *sink)
{
    memset(c, 0, sizeof *c);
    c->site = site;
    c->sink = sink;
    text_init(&c->path, c->url_bytes + CALL_ORIGIN_BYTES, CFG_URL_BYTES);
    text_init(&c->query, c->url_bytes + CALL_ORIGIN_BYTES, 1);
    text_init(&c->headers, c->header_bytes, sizeof c->header_bytes);
    text_init(&c->host, c->host_bytes, sizeof c->host_bytes);
    text_init(&c->signed_headers, c->signed_bytes, sizeof c->signed_bytes);
    text_init(&c->body, c->body_bytes, sizeof c->body_bytes);
}

static void put_target(struct call *c, const char *operation)
{
    char at[80];
    struct text t;
    text_init(&t, at, sizeof at);
    text_str(&t, "Logs_20140328.");
    text_str(&t, operation);
    call_header(c, "content-type", view_of("application/x-amz-json-1.1"));
    call_header(c, "x-amz-target", text_view(&t));
}

void call_begin(struct call *c, const struct operation *operation)
{
    CHECK(c->state != CALL_WAITING && c->state != CALL_SENDING);
    struct text *const texts[] = {&c->path, &c->headers, &c->body};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        text_reset(texts[i]);
    text_init(&c->query, c->url_bytes + CALL_ORIGIN_BYTES, 1);
    fault_reset(&c->fault);
    c->operation = operation;
    c->attempt = 0;
    c->slices = NULL;
    c->trouble = (struct trouble){0};
    c->resume_mono_ms = INT64_MIN;
    c->wake_mono_ms = INT64_MIN;
    c->begun_mono_ms = INT64_MIN;
    c->failures = 0;
    c->placed = false;
    c->cured_clock = c->cured_keys = c->cured_region = false;
    c->region[0] = c->bucket_bytes[0] = '\0';
    c->exchange.sink = c->sink;
    if (operation->service == SITE_LOGS)
        put_target(c, operation->target);
    if (operation->service == SITE_STS)
        call_header(c, "content-type",
                    view_of("application/x-www-form-urlencoded; "
                            "charset=utf-8"));
    enter(c, CALL_WAITING);
}

/* A request that cannot be made; noticed when it is stepped. */
static void refuse(struct call *c, const char *what)
{
    fault_set(&c->fault, ERROR_CONFIG, what, 0);
    c->fault.operation = c->operation->name;
}

void call_key(struct call *c, struct view bucket, struct view key)
{
    const struct endpoint *e = &c->site->endpoint[SITE_S3];
    CHECK(c->operation->service == SITE_S3 && c->path.len == 0);
    if (!view_copy(bucket, c->bucket_bytes, sizeof c->bucket_bytes) ||
        !endpoint_s3_path(e, bucket, key, &c->path))
        refuse(c, "this is no name of a bucket");
}

/* The query stands behind the path, with room for the mark between. */
static void begin_query(struct call *c)
{
    uint32_t behind = c->path.len + 1;
    if (behind < CFG_URL_BYTES)
        text_init(&c->query, c->path.at + behind, CFG_URL_BYTES - behind);
}

void call_query(struct call *c, const char *name, struct view value)
{
    CHECK(c->state == CALL_WAITING && c->attempt == 0);
    if (c->query.capacity == 1)
        begin_query(c);
    (void)sigv4_query(&c->query, view_of(name), value);
}

void call_header(struct call *c, const char *name, struct view value)
{
    if (!sigv4_header(&c->headers, name, value) && !c->headers.overflow)
        refuse(c, "a header is given twice, or has control characters");
}

struct text *call_body(struct call *c)
{
    return &c->body;
}

void call_slices(struct call *c, const struct view *slices, uint32_t count,
                 uint64_t bytes)
{
    c->slices = slices;
    c->slice_count = count;
    c->slice_bytes = bytes;
}

/* What changes the world, and may take long, is waited for in any case; other
 * attempts only while a byte moves, or another call succeeds, now and then. */
static int64_t attempt_ends_ms(const struct call *c)
{
    const struct site *s = c->site;
    int64_t heard = c->heard_mono_ms > s->success_mono_ms
                        ? c->heard_mono_ms : s->success_mono_ms;
    if (c->operation->patient)
        return INT64_MAX;
    return s->deadline_mono_ms - heard < s->give_up_ms
               ? s->deadline_mono_ms : heard + s->give_up_ms;
}

int64_t call_wake_ms(const struct call *c)
{
    return c->state == CALL_WAITING   ? c->wake_mono_ms
           : c->state == CALL_SENDING ? attempt_ends_ms(c)
                                      : INT64_MAX;
}

void call_cancel(struct call *c)
{
    if (c->exchange.state == HTTP_ACTIVE)
        transport_cancel(c->site->transport, &c->exchange);
    if (c->state != CALL_IDLE)
        enter(c, CALL_IDLE);
}

static enum flow fail(struct call *c)
{
    CHECK(c->fault.error != ERROR_NONE);
    enter(c, CALL_FAILED);
    return FLOW_FAILED;
}

static enum flow wait_until(struct call *c, int64_t mono_ms)
{
    int64_t deadline = c->site->deadline_mono_ms;
    c->wake_mono_ms = mono_ms < deadline ? mono_ms : deadline;
    return FLOW_WANT_EVENT;
}

/* Past the deadline, or too long without any success: no more attempts. */
static bool is_over(struct call *c, struct now now)
{
    const struct site *s = c->site;
    if (now.mono_ms >= s->deadline_mono_ms) {
        struct fault last = c->fault;
        fault_reset(&c->fault);
        fault_set(&c->fault, ERROR_STOPPED, "the deadline is reached", 0);
        c->fault.operation = c->operation->name;
        memcpy(c->fault.code, last.code, sizeof last.code);
        memcpy(c->fault.words, last.words, sizeof last.words);
        return true;
    }
    int64_t since = s->success_mono_ms > c->begun_mono_ms
                        ? s->success_mono_ms : c->begun_mono_ms;
    return c->failures > 0 && c->trouble.cure != CURE_SLOW &&
           now.mono_ms - since >= s->give_up_ms;
}

static enum flow on_waiting(struct call *c, struct now now)
{
    struct site *s = c->site;
    if (c->begun_mono_ms == INT64_MIN)
        c->begun_mono_ms = now.mono_ms;
    if (c->attempt == 0 && c->fault.error != ERROR_NONE)
        return fail(c);
    if (is_over(c, now))
        return fail(c);
    if (now.mono_ms < c->resume_mono_ms)
        return wait_until(c, c->resume_mono_ms);

    struct fault fault = {0};
    enum flow flow = site_step(s, now, &fault);
    if (flow == FLOW_FAILED) {
        c->fault = fault;
        return fail(c);
    }
    if (flow != FLOW_ENDED)
        return wait_until(c, credentials_wake_ms(&s->credentials));
    if (c->operation->paced && !c->placed &&
        !pace_take(&s->pace, now.mono_ms))
        return wait_until(c, pace_wake_ms(&s->pace));
    c->placed = true;
    fault_reset(&fault);
    if (!request_write(c, site_now(s, now), &fault)) {
        c->fault = fault;
        return fail(c);
    }
    if (!transport_start(s->transport, &c->exchange))
        return wait_until(c, INT64_MAX);
    c->placed = false;
    c->moved = 0;
    c->signed_mono_ms = c->heard_mono_ms = now.mono_ms;
    c->signed_offset_ms = c->site->offset_ms;
    c->attempt++;
    s->requests++;
    s->retried += c->attempt > 1;
    enter(c, CALL_SENDING);
    return FLOW_MOVED;
}

/* Full jitter: anything up to a bound that doubles. */
static int64_t pause_ms(struct call *c, enum cure cure)
{
    int64_t most = cure != CURE_SLOW ? PAUSE_MS
                   : c->operation->paced ? PACED_MS : SLOW_MS;
    for (uint32_t i = 1; i < c->failures && most < CFG_BACKOFF_MS; i++)
        most *= 2;
    if (most > CFG_BACKOFF_MS)
        most = CFG_BACKOFF_MS;
    return (int64_t)chance_below(&c->site->chance, (uint64_t)most + 1);
}

/* What the reply asks for, in milliseconds; 0 if nothing. */
static int64_t retry_after_ms(const struct http_reply *r)
{
    int64_t ms = r->retry_after_ms;
    if (r->retry_at_ms != 0 && r->date_ms != 0)
        ms = r->retry_at_ms - r->date_ms;
    return ms < 0 ? 0 : ms < RETRY_AFTER_MS ? ms : RETRY_AFTER_MS;
}

static enum flow again(struct call *c, int64_t resume_mono_ms)
{
    c->resume_mono_ms = resume_mono_ms;
    c->wake_mono_ms = resume_mono_ms;
    enter(c, CALL_WAITING);
    return FLOW_MOVED;
}

/* After a pause, unless it makes no sense any more. */
static enum flow again_later(struct call *c, struct now now, enum cure cure)
{
    const struct http_exchange *x = &c->exchange;
    bool few = cure == CURE_FEW && c->failures + 1 >= FEW;
    if ((c->operation->once && c->trouble.ambiguous) || few) {
        if (!few)
            c->fault.error = ERROR_NETWORK;
        return fail(c);
    }
    c->failures++;
    /* A kept connection may have been closed while the request was on its
     * way: that is no one's trouble. */
    bool stale = x->state == HTTP_FAILED && x->reused && c->failures == 1 &&
                 x->reply.status == 0;
    int64_t pause = stale ? 0 : pause_ms(c, cure);
    int64_t asked = retry_after_ms(&x->reply);
    return again(c, now.mono_ms + (pause > asked ? pause : asked));
}

static bool cure_keys(struct call *c)
{
    bool can = !c->cured_keys &&
               credentials_expire(&c->site->credentials, c->serial);
    c->cured_keys = true;
    return can;
}

/* Our clock is off; or it is right enough, but what was signed lay for long. */
static bool cure_clock(struct call *c, struct now now)
{
    struct site *s = c->site;
    int64_t date_ms = c->exchange.reply.date_ms;
    int64_t off = date_ms - (now.wall_ms + s->offset_ms);
    bool wrong = off > SKEW_MS || off < -SKEW_MS;
    bool lay = off + now.mono_ms - c->signed_mono_ms > SKEW_MS;
    bool other = s->offset_ms != c->signed_offset_ms;  /* cured meanwhile */
    bool can = !c->cured_clock && date_ms != 0 && (wrong || lay || other);
    c->cured_clock = true;
    if (can && wrong)
        s->offset_ms = date_ms - now.wall_ms;
    return can;
}

/* Whether a redirect leads to a host of the same bucket under AWS's own
 * suffix, and nowhere else. */
static bool host_ok(const struct call *c, const char *host)
{
    char start[80];
    struct text t;
    struct view h = view_of(host);
    const struct endpoint *e = &c->site->endpoint[SITE_S3];
    text_init(&t, start, sizeof start);
    text_str(&t, c->bucket_bytes);
    text_str(&t, ".s3");
    for (uint32_t i = 0; i < h.len; i++) {
        uint8_t b = h.at[i];
        if (!((b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || b == '-' ||
              b == '.'))
            return false;
    }
    struct text suffix;
    char end[64];
    text_init(&suffix, end, sizeof end);
    text_char(&suffix, '.');
    text_str(&suffix, endpoint_suffix(e->region));
    return !e->custom && !t.overflow && view_starts(h, start) &&
           view_ends(h, end);
}

static bool cure_region(struct call *c)
{
    struct endpoint e = request_endpoint(c);
    struct trouble *t = &c->trouble;
    bool can = !c->cured_region && c->operation->service == SITE_S3;
    c->cured_region = true;
    if (!can || (t->host[0] != '\0' && !host_ok(c, t->host)))
        t->host[0] = '\0';
    if (can && t->host[0] != '\0')
        return true;
    if (!can || t->region[0] == '\0' ||
        view_is(view_of(t->region), e.region))
        return false;
    CHECK(view_copy(view_of(t->region), c->region, sizeof c->region));
    site_learn(c->site, view_of(c->bucket_bytes), c->region);
    return true;
}

static enum flow on_trouble(struct call *c, struct now now)
{
    struct site *s = c->site;
    bool cured = false;
    trouble_read(&c->trouble, &c->exchange, &c->fault);
    c->fault.operation = c->operation->name;
    switch (c->trouble.cure) {
    case CURE_NONE:
        return fail(c);
    case CURE_PAUSE:
    case CURE_FEW:
        return again_later(c, now, c->trouble.cure);
    case CURE_SLOW:
        s->throttled++;
        if (c->operation->paced)
            pace_refused(&s->pace, now.mono_ms);
        c->trouble.ambiguous = false;
        return again_later(c, now, CURE_SLOW);
    case CURE_KEYS:
        cured = cure_keys(c);
        break;
    case CURE_CLOCK:
        cured = cure_clock(c, now);
        break;
    case CURE_REGION:
        cured = cure_region(c);
        break;
    }
    return cured ? again(c, now.mono_ms) : fail(c);
}

/* No end yet. */
static enum flow on_active(struct call *c, struct now now)
{
    const struct http_exchange *x = &c->exchange;
    uint64_t moved = x->sent + x->received;
    bool more = moved > c->moved;
    bool full = x->sink != NULL && http_room(x) < x->sink->capacity / 2;
    if (more || full)  /* full: it is us who keep it waiting */
        c->heard_mono_ms = now.mono_ms;
    c->moved = moved;
    if (now.mono_ms >= attempt_ends_ms(c)) {
        transport_cancel(c->site->transport, &c->exchange);
        if (!is_over(c, now))
            fault_set(&c->fault, ERROR_NETWORK, "no answer", 0);
        c->fault.operation = c->operation->name;
        return fail(c);
    }
    return more && x->reply.status / 100 == 2 ? FLOW_MOVED : FLOW_WANT_EVENT;
}

static enum flow on_sending(struct call *c, struct now now)
{
    struct http_exchange *x = &c->exchange;
    int32_t status = x->reply.status;
    CHECK(x->state != HTTP_IDLE);
    if (x->state == HTTP_ACTIVE)
        return on_active(c, now);
    bool good = x->state == HTTP_DONE &&
                (status / 100 == 2 || (c->operation->also_ok != 0 &&
                                       status == c->operation->also_ok));
    if (!good)
        return on_trouble(c, now);
    c->success_before_ms = c->site->success_mono_ms;
    c->success_ms = now.mono_ms;
    if (!c->operation->aside)
        c->site->success_mono_ms = now.mono_ms;
    if (c->operation->paced)
        pace_answered(&c->site->pace);
    fault_reset(&c->fault);
    enter(c, CALL_ENDED);
    return FLOW_ENDED;
}

enum flow call_step(struct call *c, struct now now)
{
    switch (c->state) {
    case CALL_IDLE:    CHECK(false); break;
    case CALL_WAITING: return on_waiting(c, now);
    case CALL_SENDING: return on_sending(c, now);
    case CALL_ENDED:   return FLOW_ENDED;
    case CALL_FAILED:  break;
    }
    return FLOW_FAILED;
}

void call_again(struct call *c, struct now now, struct view code,
                struct view words)
{
    CHECK(c->state == CALL_ENDED);
    trouble_of_code(&c->trouble, code, 500);
    bool slow = c->trouble.cure == CURE_SLOW;
    if (c->site->success_mono_ms == c->success_ms)  /* it was none */
        c->site->success_mono_ms = c->success_before_ms;
    fault_reset(&c->fault);
    fault_set(&c->fault, slow ? ERROR_THROTTLED : ERROR_REMOTE,
              "an error in place of a result", c->exchange.reply.status);
    c->fault.operation = c->operation->name;
    view_copy(code, c->fault.code, sizeof c->fault.code);
    fault_words(&c->fault, words);
    c->site->throttled += slow;
    c->trouble.cure = slow ? CURE_SLOW : CURE_PAUSE;
    (void)again_later(c, now, c->trouble.cure);
}
