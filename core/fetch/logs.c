#include "fetch/logs.h"

#include <string.h>

#include "base/check.h"
#include "base/trace.h"

enum {
    FEW           = 24,  /* ids sooner compared than looked up */
    LESSONS_MOST  = 32,
    BROKEN_MOST   = 4,
    RESTARTS_MOST = 4,
};

static const char *const state_name[] = {"idle", "asking", "reading",
                                         "failed"};

static void enter(struct logs *l, enum logs_state next)
{
    CHECK(l->state != LOGS_FAILED || next == LOGS_IDLE);
    trace_state("logs", state_name[l->state], state_name[next]);
    l->state = next;
}

static enum flow fail(struct logs *l, enum error error, const char *what,
                      int64_t detail)
{
    fault_set(&l->fault, error, what, detail);
    call_cancel(&l->call);
    enter(l, LOGS_FAILED);
    return FLOW_FAILED;
}

void logs_init(struct logs *l, struct site *site,
               const struct logs_scope *scope)
{
    ring_init(&l->ring, l->ring_bytes, sizeof l->ring_bytes);
    call_init(&l->call, site, &l->ring);
    l->scope = scope;
    l->state = LOGS_IDLE;
    l->repeated = 0;
    fault_reset(&l->fault);
}

static void forget_token(struct logs *l)
{
    l->token_len = 0;
    circle_begin(&l->circle);
}

void logs_begin(struct logs *l, int64_t from_ms, int64_t until_ms)
{
    CHECK(l->state == LOGS_IDLE && from_ms < until_ms);
    l->from_ms = from_ms;
    l->until_ms = until_ms;
    l->got = LOGS_NOTHING;
    l->page = (struct logs_page){0};
    l->pages = 0;
    l->any = false;
    l->max_ms = from_ms;
    l->since_max = 0;
    l->since_ask = 0;
    l->disorder = false;
    l->ask_ms = from_ms;
    l->replay = false;
    l->discard = false;
    l->broken = 0;
    l->restarts = 0;
    forget_token(l);
    long_event_reset(&l->long_event);
    seen_reset(&l->seen);
    enter(l, LOGS_ASKING);
}

/* Asked anew by the time that was asked for last, all events since then come
 * again, whatever their order: are all of them known? */
static bool knows_repeats(const struct logs *l)
{
    return l->since_ask <= CFG_SEEN_EVENTS;
}

bool logs_may_change_end(const struct logs *l)
{
    return l->state == LOGS_IDLE ||
           (l->state == LOGS_ASKING && !l->replay && knows_repeats(l) &&
            !l->long_event.learned);
}

void logs_change_end(struct logs *l, int64_t until_ms)
{
    CHECK(logs_may_change_end(l) && until_ms > l->max_ms);
    if (l->state == LOGS_IDLE) {
        l->ask_ms = l->until_ms;
        l->since_ask = 0;
    }
    l->replay = l->state == LOGS_ASKING;
    l->until_ms = until_ms;
    forget_token(l);
    enter(l, LOGS_ASKING);
}

void logs_cancel(struct logs *l)
{
    call_cancel(&l->call);
    enter(l, LOGS_IDLE);
}

/* The request for the next page, by token, or by the time reached. */
static void ask(struct logs *l)
{
    struct text *body;

    call_begin(&l->call, &filter_log_events);
    body = call_body(&l->call);
    text_str(body, "{\"logGroupName\":\"");
    text_json(body, l->scope->group);
    text_str(body, "\",\"startTime\":");
    text_i64(body, l->ask_ms);
    text_str(body, ",\"endTime\":");
    text_i64(body, l->until_ms);
    text_str(body, ",\"interleaved\":true");  /* AWS always does; moto asks */
    if (l->scope->stream_prefix.len > 0) {
        text_str(body, ",\"logStreamNamePrefix\":\"");
        text_json(body, l->scope->stream_prefix);
        text_char(body, '"');
    }
    if (l->scope->unmask)
        text_str(body, ",\"unmask\":true");
    if (l->token_len > 0) {
        text_str(body, ",\"nextToken\":\"");
        text_json(body, (struct view){l->token, l->token_len});
        text_char(body, '"');
    }
    text_char(body, '}');
    l->attempt = 0;
    enter(l, LOGS_READING);
}

/* Reads the page again: what was met is known by its id. */
static void ask_again(struct logs *l)
{
    call_cancel(&l->call);
    l->replay = true;
    enter(l, LOGS_ASKING);
}

static void begin_reply(struct logs *l)
{
    l->replay |= l->attempt > 0;
    l->attempt = l->call.attempt;
    l->discard = false;
    l->number = 0;
    l->previous = 0;
    l->long_event.matched = false;
    circle_page(&l->circle);
    l->reading = (struct logs_page){
        .asked_ms = l->token_len > 0 ? 0 : l->ask_ms,
    };
    frame_init(&l->frame, l->scope->form);
}

static bool words_name_token(const struct fault *f)
{
    return strcmp(f->code, "InvalidParameterException") == 0 &&
           strstr(f->words, "nextToken") != NULL;
}

/* Without its token, a long window goes on from the latest time it reached,
 * unless an event came out of order: then one may be missed before it. */
static bool may_ask_by_time(const struct logs *l)
{
    return knows_repeats(l) ||
           (!l->disorder && l->since_max <= CFG_SEEN_EVENTS);
}

static enum flow on_call_failed(struct logs *l)
{
    const struct fault *f = &l->call.fault;

    if (l->token_len > 0 && words_name_token(f) &&
        may_ask_by_time(l) && l->restarts++ < RESTARTS_MOST) {
        forget_token(l);
        if (!knows_repeats(l)) {
            l->ask_ms = l->max_ms;
            l->since_ask = l->since_max;
        }
        ask_again(l);
        return FLOW_MOVED;
    }
    fault_adopt(&l->fault, f);
    enter(l, LOGS_FAILED);
    return FLOW_FAILED;
}

static enum flow end_page(struct logs *l)
{
    struct view token = l->frame.next_token;

    if (l->long_event.learned && token.len == 0)
        return fail(l, ERROR_REMOTE, "a long event that is gone on the "
                                     "second reading", 0);
    l->reading.more = token.len > 0;
    l->page = l->reading;
    l->pages++;
    l->replay = false;
    l->broken = 0;
    if (l->token_len > 0)  /* a page by time says nothing of tokens */
        l->restarts = 0;
    if (token.len == 0) {
        enter(l, LOGS_IDLE);
        return FLOW_ENDED;
    }
    if (circle_closes(&l->circle, seen_hash(token, 0), l->number > 0))
        return fail(l, ERROR_REMOTE, "page tokens that walk in a circle",
                    l->pages);
    memcpy(l->token, token.at, token.len);
    l->token_len = token.len;
    enter(l, LOGS_ASKING);
    return FLOW_MOVED;
}

/* A repeat of an event at max_ms is among those that came since; in a page
 * that is read again it may be any. */
static bool was_met(struct logs *l, int64_t timestamp_ms, uint64_t hash)
{
    if (!l->replay && (!l->any || timestamp_ms > l->max_ms))
        return false;
    if (!l->replay && timestamp_ms == l->max_ms && l->since_max <= FEW)
        return seen_has_lately(&l->seen, hash, l->since_max);
    return seen_has(&l->seen, hash);
}

static bool is_wanted(struct logs *l, const struct log_event *e,
                      uint64_t *hash)
{
    *hash = seen_hash(e->id, e->timestamp_ms);
    l->previous = *hash;
    circle_event(&l->circle, e->timestamp_ms, false);
    if (e->timestamp_ms < l->from_ms || e->timestamp_ms >= l->until_ms)
        return false;
    if (e->id.len == 0 || !was_met(l, e->timestamp_ms, *hash))
        return true;
    l->repeated++;
    return false;
}

static void remember(struct logs *l, const struct log_event *e, uint64_t hash,
                     uint64_t bytes)
{
    struct logs_page *page = &l->reading;

    if (e->id.len > 0)
        seen_add(&l->seen, hash);
    l->since_max++;
    l->since_ask++;
    l->disorder |= l->any && e->timestamp_ms < l->max_ms;
    circle_event(&l->circle, e->timestamp_ms, true);
    if (!l->any || e->timestamp_ms > l->max_ms) {
        l->max_ms = e->timestamp_ms;
        l->since_max = 1;
    }
    l->any = true;
    if (page->events == 0)
        page->first_ms = e->timestamp_ms;
    page->last_ms = e->timestamp_ms;
    page->events++;
    page->bytes += bytes;
}

static enum flow fail_changed(struct logs *l)
{
    return fail(l, ERROR_REMOTE, "a page that changed while a long event was "
                                 "read", l->frame.event.timestamp_ms);
}

/* A long event that was passed over has ended. If it is a new one, its header
 * is known now; if it is the one that we know, it has moved. */
static enum flow learn(struct logs *l)
{
    struct long_event *g = &l->long_event;
    uint64_t hash;

    l->discard = false;
    if (!is_wanted(l, &l->frame.event, &hash))
        return FLOW_MOVED;
    if (!g->learned || (hash != g->id && g->emitted == 0))
        long_event_learn(g, &l->frame.event, hash);
    g->place = g->passed;
    if (hash != g->id || ++g->lessons > LESSONS_MOST)
        return fail_changed(l);
    ask_again(l);
    return FLOW_MOVED;
}

void logs_is_long(struct logs *l, struct span out)
{
    struct long_event *g = &l->long_event;

    CHECK(l->frame.message_len >= LONG_EVENT_HEAD_BYTES);
    /* Its time usually stands before the message. */
    bool other = l->frame.has_timestamp &&
                 l->frame.event.timestamp_ms != g->timestamp_ms;
    l->discard = !long_event_is_at(g, l->previous, out) || other;
    if (!l->discard)
        long_event_match(g);
}

/* Gives what is new of the message bytes in `out`. */
static enum flow give_piece(struct logs *l, struct span out, bool last)
{
    uint32_t len = l->frame.message_len;

    if (!long_event_take(&l->long_event, out, len, &l->message_len))
        return fail(l, ERROR_CORRUPT, "a long event that differs on another "
                                      "reading", 0);
    l->frame.message_len = 0;
    l->event = long_event_header(&l->long_event);
    l->got = last ? LOGS_LAST : LOGS_PIECE;
    return FLOW_MOVED;
}

static enum flow end_long(struct logs *l, struct span out)
{
    struct long_event *g = &l->long_event;
    const struct log_event *e = &l->frame.event;

    if (seen_hash(e->id, e->timestamp_ms) != g->id)
        return fail_changed(l);
    l->previous = g->id;
    remember(l, e, g->id, g->position + l->frame.message_len);
    g->learned = false;
    g->lessons = 0;
    g->matched = false;
    return give_piece(l, out, true);
}

static enum flow on_event(struct logs *l, struct span out)
{
    const struct log_event *e = &l->frame.event;
    uint64_t hash;

    if (l->long_event.matched)
        return end_long(l, out);
    if (l->discard)
        return learn(l);
    if (!is_wanted(l, e, &hash)) {
        l->frame.message_len = 0;
        return FLOW_MOVED;
    }
    if (l->long_event.learned && hash == l->long_event.id) {
        long_event_match(&l->long_event);  /* this time there was room for it */
        return end_long(l, out);
    }
    if (l->long_event.learned && l->long_event.emitted > 0)
        return fail_changed(l);
    remember(l, e, hash, l->frame.message_len);
    l->event = *e;
    l->message_len = l->frame.message_len;
    l->frame.message_len = 0;
    l->got = LOGS_EVENT;
    return FLOW_MOVED;
}

static enum flow on_room(struct logs *l, struct span out)
{
    if (l->long_event.matched)
        return give_piece(l, out, false);
    if (l->discard) {
        l->frame.message_len = 0;
        return FLOW_MOVED;
    }
    return FLOW_WANT_ROOM;
}

static enum flow on_bad(struct logs *l)
{
    if (l->frame.fault.error == ERROR_REMOTE && l->broken++ < BROKEN_MOST) {
        ask_again(l);
        return FLOW_MOVED;
    }
    fault_adopt(&l->fault, &l->frame.fault);
    return fail(l, ERROR_REMOTE, "a reply", 0);
}

static enum flow on_reading(struct logs *l, struct now now, struct span out)
{
    /* What has come is read first: the call changes only when it is stepped. */
    enum flow flow = l->attempt > 0 && ring_len(&l->ring) > 0
                         ? FLOW_MOVED
                         : call_step(&l->call, now);

    if (flow == FLOW_FAILED)
        return on_call_failed(l);
    if (l->call.attempt != l->attempt)
        begin_reply(l);
    if (l->attempt == 0)
        return flow;
    switch (frame_step(&l->frame, &l->ring, out)) {
    case FRAME_MORE:
        CHECK(flow != FLOW_ENDED);
        return flow;
    case FRAME_ROOM:
        return on_room(l, out);
    case FRAME_EVENT:
        flow = on_event(l, out);
        l->number++;
        return flow;
    case FRAME_END:  /* the call may not have been told yet */
        return flow == FLOW_ENDED ? end_page(l) : FLOW_MOVED;
    case FRAME_BAD:
        break;
    }
    return on_bad(l);
}

bool logs_is_between(const struct logs *l)
{
    return l->state == LOGS_ASKING ||
           (l->state == LOGS_READING && l->call.state == CALL_WAITING &&
            l->call.attempt == 0);
}

enum flow logs_send(struct logs *l, struct now now)
{
    if (l->state == LOGS_ASKING)
        ask(l);
    if (l->state != LOGS_READING || l->call.state != CALL_WAITING)
        return FLOW_WANT_ROOM;
    enum flow flow = call_step(&l->call, now);
    return flow == FLOW_FAILED ? on_call_failed(l) : flow;
}

enum flow logs_step(struct logs *l, struct now now, struct span out)
{
    l->got = LOGS_NOTHING;
    switch (l->state) {
    case LOGS_IDLE:
        return FLOW_ENDED;
    case LOGS_ASKING:
        ask(l);
        return FLOW_MOVED;
    case LOGS_READING:
        return on_reading(l, now, out);
    case LOGS_FAILED:
        break;
    }
    return FLOW_FAILED;
}

uint32_t logs_pending(const struct logs *l)
{
    return l->state == LOGS_READING ? l->frame.message_len : 0;
}

bool logs_is_certain(const struct logs *l)
{
    const struct frame *f = &l->frame;

    return logs_pending(l) > 0 && f->has_timestamp &&
           f->event.timestamp_ms >= l->from_ms &&
           f->event.timestamp_ms < l->until_ms &&
           (!l->any || f->event.timestamp_ms > l->max_ms);
}
