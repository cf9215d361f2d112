/* invocation.c - see invocation.h. */
#include "task/invocation.h"

#include "base/trace.h"
#include "call/endpoint.h"
#include "call/sigv4.h"
#include "task/message.h"

enum { WORDS_BYTES = 600 };  /* of an error, each up to six bytes in JSON */

static const char *const state_name[] = {
    "asking", "held", "telling", "failed",
};

static void enter(struct invocation *i, enum invocation_state next)
{
    CHECK(i->state != INVOCATION_FAILED);
    trace_state("invocation", state_name[i->state], state_name[next]);
    i->state = next;
}

/* Every URL begins alike; `more` is what follows. */
static void begin(struct invocation *i, enum http_method method,
                  const char *more)
{
    http_reset(&i->exchange);
    text_reset(&i->url);
    text_str(&i->url, i->base);
    text_str(&i->url, "/2018-06-01/runtime/");
    if (method == HTTP_POST && !i->last) {
        text_str(&i->url, "invocation/");
        text_percent(&i->url, view_of(i->id), false);
    }
    text_str(&i->url, more);
    CHECK(!i->url.overflow);
    i->exchange.request = (struct http_request){
        .method = method, .url = i->url.at, .headers = i->header_bytes,
        .local = true, .endless = method == HTTP_GET,
    };
}

static void ask(struct invocation *i)
{
    text_reset(&i->event);
    text_reset(&i->headers);
    i->exchange.sink = &i->ring;
    begin(i, HTTP_GET, "invocation/next");
}

/* Link-local addresses are where newer environments have it. */
static bool is_here(struct view api)
{
    uint32_t colon = view_find(api, ':');
    struct view host = view_slice(api, 0, colon), rest = host;
    uint64_t number;
    bool numbers = true;
    for (uint32_t n = 0; n < 4; n++)
        numbers &= view_u64(view_split(&rest, '.'), 255, &number);
    return endpoint_is_loopback(api) ||
           (numbers && rest.len == 0 && view_starts(host, "169.254."));
}

bool invocation_init(struct invocation *i, struct transport *t,
                     struct view api, struct fault *fault)
{
    struct text base;
    memset(i, 0, sizeof *i);
    i->transport = t;
    ring_init(&i->ring, i->ring_bytes, sizeof i->ring_bytes);
    text_init(&i->event, i->bytes, sizeof i->bytes);
    text_init(&i->url, i->url_bytes, sizeof i->url_bytes);
    text_init(&i->headers, i->header_bytes, sizeof i->header_bytes);
    text_init(&base, i->base, sizeof i->base);
    text_str(&base, "http://");
    text_put(&base, api);
    uint32_t colon = view_find(api, ':');
    struct view port = view_slice(api, colon + (colon < api.len), api.len);
    uint64_t number = 0;
    if (base.overflow || !is_here(api) ||
        (port.len > 0 && !view_u64(port, UINT16_MAX, &number)))
        return message_refuse(fault, ERROR_CONFIG, "AWS_LAMBDA_RUNTIME_API "
                              "\"%\" is not HOST:PORT of this machine", &api);
    ask(i);
    return true;
}

static enum flow fail(struct invocation *i, enum error error,
                      const char *why)
{
    message_refuse(&i->fault, error, "the runtime API at % %",
                   (const struct view[]){view_of(i->base), view_of(why)});
    enter(i, INVOCATION_FAILED);
    return FLOW_FAILED;
}

/* What does not fit any more is let go. */
static bool drain(struct invocation *i)
{
    struct view v = ring_peek(&i->ring);
    text_put(&i->event, v);
    ring_consume(&i->ring, v.len);
    return v.len > 0;
}

static void hold(struct invocation *i)
{
    const struct http_reply *r = &i->exchange.reply;
    uint64_t deadline = 0;
    memcpy(i->id, r->invocation[0], sizeof i->id);
    memcpy(i->attempt, r->invocation[1], sizeof i->attempt);
    (void)view_u64(view_of(r->invocation[2]), 253402300799999, &deadline);
    i->deadline_ms = (int64_t)deadline;
    fault_reset(&i->refused);
    if (i->event.overflow)
        message_refuse(&i->refused, ERROR_CONFIG, "the event is larger than "
                       "4,096 bytes, and none of firn's is", NULL);
    else
        (void)demand_read(&i->demand, text_view(&i->event), &i->refused);
    enter(i, INVOCATION_HELD);
}

static enum flow on_asking(struct invocation *i)
{
    struct http_exchange *x = &i->exchange;
    switch (x->state) {
    case HTTP_IDLE:
        (void)transport_start(i->transport, x);
        return FLOW_WANT_EVENT;
    case HTTP_ACTIVE:
        return drain(i) ? FLOW_MOVED : FLOW_WANT_EVENT;
    case HTTP_FAILED:
        return fail(i, ERROR_NETWORK, x->failure_text);
    case HTTP_DONE:
        break;
    }
    if (x->reply.status != 200)
        return fail(i, ERROR_REMOTE, "has no event, but an error");
    if (x->reply.invocation[0][0] == '\0')
        return fail(i, ERROR_REMOTE, "gave an event without its id");
    if (drain(i))
        return FLOW_MOVED;
    hold(i);
    return FLOW_ENDED;
}

/* An answer that got lost is seen by the next question, if Lambda minds. */
static enum flow on_telling(struct invocation *i)
{
    struct http_exchange *x = &i->exchange;
    if (x->state == HTTP_IDLE)
        (void)transport_start(i->transport, x);
    if (x->state == HTTP_ACTIVE || x->state == HTTP_IDLE)
        return FLOW_WANT_EVENT;
    i->answered = x->state == HTTP_DONE ? x->reply.status : 0;
    if (i->last)
        return fail(i, ERROR_CONFIG, "was told why firn cannot begin");
    if (i->answered >= 500)
        return fail(i, ERROR_REMOTE, "failed to take an answer");
    ask(i);
    enter(i, INVOCATION_ASKING);
    return FLOW_MOVED;
}

enum flow invocation_step(struct invocation *i)
{
    switch (i->state) {
    case INVOCATION_ASKING:  return on_asking(i);
    case INVOCATION_HELD:    return FLOW_ENDED;
    case INVOCATION_TELLING: return on_telling(i);
    case INVOCATION_FAILED:  break;
    }
    return FLOW_FAILED;
}

int64_t invocation_stop_mono_ms(const struct invocation *i, struct now now)
{
    int64_t left = i->deadline_ms - now.wall_ms;
    if (i->deadline_ms == 0)
        return INT64_MAX;
    if (left <= 0)
        return now.mono_ms;
    return now.mono_ms + left - (left / 4 < INVOCATION_MARGIN_MS
                                     ? left / 4 : INVOCATION_MARGIN_MS);
}

static void tell(struct invocation *i, const char *more, uint32_t len)
{
    i->exchange.sink = NULL;
    begin(i, HTTP_POST, more);
    i->slice = (struct view){(const uint8_t *)i->bytes, len};
    i->exchange.request.body = &i->slice;
    i->exchange.request.body_count = 1;
    i->exchange.request.body_bytes = len;
    enter(i, INVOCATION_TELLING);
}

static void begin_headers(struct invocation *i)
{
    text_reset(&i->headers);
    (void)sigv4_header(&i->headers, "content-type",
                       view_of("application/json"));
    if (i->attempt[0] != '\0')
        (void)sigv4_header(&i->headers, "lambda-runtime-invocation-id",
                           view_of(i->attempt));
}

void invocation_answer(struct invocation *i, struct view json)
{
    CHECK(i->state == INVOCATION_HELD && json.len <= INVOCATION_BYTES);
    memcpy(i->bytes, json.at, json.len);
    begin_headers(i);
    tell(i, "/response", json.len);
}

static const char *type_of(int code)
{
    switch (code) {
    case 65: return "Function.DataLost";
    case 69: return "Function.Unreachable";
    case 77: return "Function.Denied";
    default: return "Function.Configuration";
    }
}

/* Whole characters of UTF-8, as many as fit. */
static struct view cut(struct view words)
{
    uint32_t len = words.len < WORDS_BYTES ? words.len : WORDS_BYTES;
    while (len > 0 && len < words.len && (words.at[len] & 0xc0) == 0x80)
        len--;
    return view_slice(words, 0, len);
}

static void put_error(struct invocation *i, int code, struct view words)
{
    struct text t;
    text_init(&t, i->bytes, sizeof i->bytes);
    text_str(&t, "{\"errorMessage\":\"");
    text_json(&t, cut(words));
    text_str(&t, "\",\"errorType\":\"");
    text_str(&t, type_of(code));
    text_str(&t, "\",\"stackTrace\":[]}");
    CHECK(!t.overflow);
    begin_headers(i);
    (void)sigv4_header(&i->headers, "lambda-runtime-function-error-type",
                       view_of(type_of(code)));
    tell(i, i->last ? "init/error" : "/error", t.len);
}

void invocation_error(struct invocation *i, int code, struct view words)
{
    CHECK(i->state == INVOCATION_HELD);
    put_error(i, code, words);
}

void invocation_abandon(struct invocation *i, int code, struct view words)
{
    CHECK(i->state == INVOCATION_ASKING &&
          i->exchange.state != HTTP_ACTIVE);
    i->last = true;
    put_error(i, code, words);
}
