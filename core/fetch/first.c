/* first.c - see first.h. */
#include "fetch/first.h"

#include "base/crc.h"
#include "base/json.h"
#include "base/trace.h"

enum {
    REPLY_BYTES = FIRST_ROOM_BYTES / 2,
    TOKENS      = (FIRST_ROOM_BYTES - REPLY_BYTES) / 4 / JSON_WORDS(1),
    PAGES_MOST  = 10000,
};

const struct operation filter_log_events = {
    .name = "logs:FilterLogEvents",
    .service = SITE_LOGS,
    .method = HTTP_POST,
    .target = "FilterLogEvents",
    .paced = true,
};

static const char *const state_name[] = {"asking", "reading", "done",
                                         "failed"};

static enum flow enter(struct first *f, enum first_state next)
{
    CHECK(f->state < FIRST_DONE);
    trace_state("first", state_name[f->state], state_name[next]);
    f->state = next;
    return next == FIRST_DONE     ? FLOW_ENDED
           : next == FIRST_FAILED ? FLOW_FAILED
                                  : FLOW_MOVED;
}

static enum flow fail(struct first *f, const char *what)
{
    fault_set(&f->fault, ERROR_REMOTE, what, 0);
    return enter(f, FIRST_FAILED);
}

void first_init(struct first *f, struct call *call,
                const struct first_scope *scope)
{
    CHECK(scope->room.len >= FIRST_ROOM_BYTES);
    CHECK((uintptr_t)scope->room.at % 4 == 0);
    *f = (struct first){.call = call, .scope = *scope};
}

static enum flow on_asking(struct first *f)
{
    call_begin(f->call, &filter_log_events);
    struct text *body = call_body(f->call);
    text_str(body, "{\"logGroupName\":\"");
    text_json(body, f->scope.group);
    text_str(body, "\",\"limit\":1,\"startTime\":");
    text_i64(body, f->scope.from_ms);
    text_str(body, ",\"endTime\":");
    text_i64(body, f->scope.until_ms);
    if (f->token[0] != '\0') {
        text_str(body, ",\"nextToken\":\"");
        text_json(body, view_of(f->token));
        text_char(body, '"');
    }
    text_char(body, '}');
    f->len = 0;
    f->attempt = 0;
    return enter(f, FIRST_READING);
}

static enum flow find(struct first *f, int64_t at_ms)
{
    call_cancel(f->call);
    f->found = at_ms < f->scope.until_ms;  /* the end may be included */
    f->at_ms = at_ms;
    return enter(f, FIRST_DONE);
}

static enum flow on_reply(struct first *f)
{
    struct json j;
    struct text t;
    int64_t at_ms = f->scope.from_ms;
    int32_t *words = (int32_t *)(void *)(f->scope.room.at + REPLY_BYTES);

    if (json_parse(&j, (struct view){f->scope.room.at, f->len}, words,
                   TOKENS) != JSON_FINE)
        return fail(f, "FilterLogEvents gave what is not JSON");
    int32_t event = json_first(&j, json_member(&j, 0, "events"));
    if (event != JSON_NONE) {
        (void)json_i64(&j, json_member(&j, event, "timestamp"), &at_ms);
        return find(f, at_ms);
    }
    uint64_t before = crc64_add(0, view_of(f->token));
    text_init(&t, f->token, sizeof f->token);
    if (!json_text(&j, json_member(&j, 0, "nextToken"), &t) || t.len == 0)
        return t.overflow ? fail(f, "a page token longer than "
                                    "CFG_TOKEN_BYTES")
                          : find(f, INT64_MAX);
    if (++f->pages == PAGES_MOST || before == crc64_add(0, text_view(&t)))
        return fail(f, "FilterLogEvents gives empty pages for ever");
    return enter(f, FIRST_ASKING);
}

static enum flow on_reading(struct first *f, struct now now)
{
    enum flow flow = call_step(f->call, now);
    struct ring *in = f->call->sink;

    if (flow == FLOW_FAILED) {
        fault_adopt(&f->fault, &f->call->fault);
        return enter(f, FIRST_FAILED);
    }
    if (f->attempt != f->call->attempt) {
        f->attempt = f->call->attempt;
        f->len = 0;
    }
    struct view got = ring_peek(in);
    if (got.len > REPLY_BYTES - f->len)
        return find(f, f->scope.from_ms);
    memcpy(f->scope.room.at + f->len, got.at, got.len);
    f->len += got.len;
    ring_consume(in, got.len);
    if (got.len > 0)
        return FLOW_MOVED;
    return flow == FLOW_ENDED ? on_reply(f) : flow;
}

enum flow first_step(struct first *f, struct now now)
{
    switch (f->state) {
    case FIRST_ASKING:  return on_asking(f);
    case FIRST_READING: return on_reading(f, now);
    case FIRST_DONE:    return FLOW_ENDED;
    case FIRST_FAILED:  break;
    }
    return FLOW_FAILED;
}
