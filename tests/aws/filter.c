/* filter.c - FilterLogEvents: pages of events.
 *
 * A page token holds a place in the order of events; the next page starts
 * after it. So pages stay right while events are being put. */
#include "logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BORDER_MAX = 64 };

struct page {
    struct aws_exchange *x;
    struct aws_group *group;
    struct aws_walk   walk;
    struct aws_place  after;         /* where this page starts */
    struct aws_place  last[BORDER_MAX];  /* places sent, in turn */
    uint8_t          *wanted;        /* by stream; NULL: all */
    int64_t  start, end;             /* half-open */
    int64_t  events_max, bytes_max;
    int64_t  sent, bytes, scanned;
    size_t   events_at;              /* where they begin in the body */
    bool     more, repeated, unmask;
};

/* --- the request -------------------------------------------------------- */

static void want_names(struct page *p, struct aws_text list)
{
    struct aws_text item;
    size_t count = 0;
    p->wanted = aws_alloc(p->group->stream_count + 1);
    while (aws_json_item(&list, &item)) {
        aws_reset(&p->x->text);
        if (!aws_json_string(item, &p->x->text) || ++count > 100) {
            aws_invalid(p->x, "logStreamNames");
            return;
        }
        size_t at = aws_find_stream(p->group, aws_view(&p->x->text));
        if (at == SIZE_MAX) {
            aws_fail(p->x, 400, "ResourceNotFoundException",
                     "The specified log stream does not exist.");
            return;
        }
        p->wanted[at] = 1;
    }
}

static void want_prefix(struct page *p, struct aws_text prefix)
{
    p->wanted = aws_alloc(p->group->stream_count + 1);
    for (size_t i = 0; i < p->group->stream_count; i++)
        p->wanted[i] = aws_begins(p->group->stream[i].name, prefix.at);
}

static void want_streams(struct page *p)
{
    struct aws_text list;
    struct aws_text prefix = aws_arg(p->x, "logStreamNamePrefix");
    bool named = aws_json_member(aws_view(&p->x->body), "logStreamNames",
                                 &list);
    if (named && prefix.at != NULL)
        aws_invalid(p->x, "logStreamNames and logStreamNamePrefix exclude "
                          "each other.");
    else if (named)
        want_names(p, list);
    else if (prefix.at != NULL)
        want_prefix(p, prefix);
}

static bool readable(struct page *p)
{
    struct aws *m = p->x->model;
    if (strcmp(p->group->class, "STANDARD") != 0) {
        aws_fail(p->x, 400, "InvalidOperationException", "This operation is "
                 "not supported for log groups of this class.");
        return false;
    }
    p->unmask = aws_arg_bool(p->x, "unmask", false);
    if (p->unmask && m->setting[AWS_SET_DENY_UNMASK]) {
        aws_fail(p->x, 400, "AccessDeniedException", "User is not authorized "
                 "to perform: logs:Unmask");
        return false;
    }
    return !p->x->failed;
}

static void put_place(struct aws_buf *out, const struct aws_place *place,
                      bool repeated)
{
    aws_printf(out, "%lld %lld %llu %d", (long long)place->timestamp,
               (long long)place->ingestion,
               (unsigned long long)place->request, repeated);
}

static bool read_place(struct aws_text t, struct aws_place *place,
                       bool *repeated)
{
    long long timestamp, ingestion;
    unsigned long long request;
    int flag;
    if (sscanf(t.at, "%lld %lld %llu %d", &timestamp, &ingestion, &request,
               &flag) != 4)
        return false;
    *place = (struct aws_place){timestamp, ingestion, request};
    *repeated = flag != 0;
    return true;
}

static uint64_t bound(struct page *p)
{
    return aws_bound(p->x) ^ p->group->generation;
}

static bool read_start(struct page *p, int64_t now)
{
    struct aws_text token = aws_arg(p->x, "nextToken");
    struct aws_buf payload = {0};
    bool good = true;
    p->after = (struct aws_place){p->start, INT64_MIN, 0};
    if (token.at != NULL) {
        good = aws_read_token(p->x->model, token, bound(p), now, &payload) &&
               read_place(aws_view(&payload), &p->after, &p->repeated);
        if (!good) aws_invalid(p->x, "The specified nextToken is invalid.");
    }
    aws_free_buf(&payload);
    return good;
}

/* --- one event ---------------------------------------------------------- */

static struct aws_text masked(struct page *p, struct aws_text message)
{
    if (!p->group->masked || p->unmask) return message;
    aws_reset(&p->x->text);
    aws_put_text(&p->x->text, message);
    for (size_t i = 0; i < message.len; i++)
        if (p->x->text.at[i] >= '0' && p->x->text.at[i] <= '9')
            p->x->text.at[i] = '*';
    return aws_view(&p->x->text);
}

#define LITERAL(to, s) ((char *)memcpy(to, s, sizeof s - 1) + sizeof s - 1)

static char *copy(char *to, const char *at, size_t len)
{
    memcpy(to, at, len);
    return to + len;
}

struct shown {                   /* an event on its way out */
    const struct aws_stream *stream;
    struct aws_text message;
    struct aws_place place;
    uint64_t odd;                /* chance for odd JSON; 0: as AWS writes */
    char id[57];
};

static char *put_member(char *to, const struct shown *e, int which)
{
    bool odd = e->odd != 0;
    switch (which) {
    case 0:
        to = LITERAL(to, "\"logStreamName\":\"");
        to = copy(to, e->stream->json.at, e->stream->json.len);
        return LITERAL(to, "\"");
    case 1:
        return aws_put_ms(LITERAL(to, "\"timestamp\":"),
                          e->place.timestamp);
    case 2:
        to = LITERAL(to, "\"message\":\"");
        if (odd) to = aws_json_odd_to(to, e->message, e->odd);
        else to = aws_json_to(to, e->message.at, e->message.len);
        return LITERAL(to, "\"");
    case 3:
        return aws_put_ms(LITERAL(to, "\"ingestionTime\":"),
                          e->place.ingestion);
    case 4:
        to = LITERAL(to, "\"eventId\":\"");
        to = copy(to, e->id, 56);
        return LITERAL(to, "\"");
    default:
        return LITERAL(to, "\"later\" : [ null , {\"message\":\"no\",\"a\":"
                           "[1.5e3], \"timestamp\" : -1} ,true]");
    }
}

/* Members in an order by chance, blanks, and one that nobody knows. */
static char *put_odd(char *to, const struct shown *e)
{
    int order[6] = {0, 1, 2, 3, 4, 5};
    uint64_t chance = e->odd;
    to = LITERAL(to, "{ ");
    for (int i = 5; i >= 0; i--, chance = aws_mix(chance)) {
        int pick = (int)(chance % (uint64_t)(i + 1));
        to = put_member(to, e, order[pick]);
        order[pick] = order[i];
        if (i > 0) to = LITERAL(to, "\t,\r\n ");
    }
    return LITERAL(to, " }");
}

static void put_event(struct page *p, struct shown *e)
{
    struct aws *m = p->x->model;
    struct aws_buf *out = &p->x->out;
    char *start = aws_room(out, 6 * e->message.len + e->stream->json.len +
                                512);
    char *to = start;
    if (p->sent > 0) *to++ = ',';
    e->odd = m->setting[AWS_SET_ODD_JSON] ? aws_random(&m->rng) | 1 : 0;
    if (e->odd != 0) {
        to = put_odd(to, e);
    } else {
        for (int i = 0; i < 5; i++) {
            *to++ = i > 0 ? ',' : '{';
            to = put_member(to, e, i);
        }
        *to++ = '}';
    }
    out->len += (size_t)(to - start);
}

/* Turns the second event and the first one round, with their comma. */
static void disorder(struct page *p, size_t first_end)
{
    struct aws_buf *out = &p->x->out;
    size_t start = p->events_at, second = first_end + 1;
    char *first = aws_dup((struct aws_text){out->at + start,
                                            first_end - start});
    memmove(out->at + start, out->at + second, out->len - second);
    size_t end = start + out->len - second;
    out->at[end] = ',';
    memcpy(out->at + end + 1, first, first_end - start);
    free(first);
}

static void send(struct page *p, struct shown *e)
{
    struct aws *m = p->x->model;
    size_t before = p->x->out.len;
    put_event(p, e);
    if (p->x->effect.disorder && p->sent == 1) disorder(p, before);
    p->last[p->sent % BORDER_MAX] = e->place;
    p->sent++;
    p->bytes += (int64_t)e->message.len + m->setting[AWS_SET_EVENT_BYTES];
    if (m->setting[AWS_SET_REPEAT_INSIDE] > 0 &&
        aws_chance(&m->rng, m->setting[AWS_SET_REPEAT_INSIDE]))
        put_event(p, e);
}

/* --- one page ----------------------------------------------------------- */

static void shorten(struct page *p)
{
    struct aws *m = p->x->model;
    p->bytes_max = m->setting[AWS_SET_PAGE_BYTES];
    if (p->events_max > m->setting[AWS_SET_PAGE_EVENTS])
        p->events_max = m->setting[AWS_SET_PAGE_EVENTS];
    if (aws_chance(&m->rng, m->setting[AWS_SET_SHORT_PAGES]))
        p->events_max = 1 + (int64_t)(aws_random(&m->rng) %
                                      (uint64_t)p->events_max);
    if (p->x->effect.empty ||
        (!p->repeated && aws_chance(&m->rng, m->setting[AWS_SET_EMPTY_PAGES])))
        p->events_max = 0;
}

static void fill_page(struct page *p)
{
    struct aws *m = p->x->model;
    struct shown e;
    while (aws_walk_peek(&p->walk, &e.place)) {
        p->more = true;
        if (p->sent == p->events_max ||
            p->scanned == m->setting[AWS_SET_SCAN_EVENTS])
            return;
        size_t stream = aws_walk_stream_index(&p->walk);
        p->scanned++;
        if (p->wanted == NULL || p->wanted[stream]) {
            e.stream = &p->group->stream[stream];
            e.message = masked(p, aws_walk_message(&p->walk));
            int64_t cost = (int64_t)e.message.len +
                           m->setting[AWS_SET_EVENT_BYTES];
            if (p->sent > 0 && p->bytes + cost > p->bytes_max) return;
            aws_event_id(p->group, &e.place, e.id);
            send(p, &e);
        }
        p->after = e.place;
        aws_walk_next(&p->walk);
    }
    p->more = false;
}

/* Where the next page starts, with the repeats that are asked for. */
static struct aws_place next_place(struct page *p, struct aws_place start,
                                   bool *repeat)
{
    struct aws *m = p->x->model;
    int64_t border = m->setting[AWS_SET_REPEAT_BORDER];
    *repeat = !p->repeated &&
              (p->x->effect.repeat ||
               aws_chance(&m->rng, m->setting[AWS_SET_REPEAT_PAGES]));
    if (p->events_max == 0) {
        *repeat = true;  /* not empty again */
        return start;
    }
    if (*repeat) return start;
    if (p->x->effect.circle)
        return (struct aws_place){p->start, INT64_MIN, 0};
    if (border >= BORDER_MAX) border = BORDER_MAX - 1;
    if (border > 0 && p->sent > border)
        return p->last[(p->sent - 1 - border) % BORDER_MAX];
    return p->after;
}

/* The token as a member of the reply; nothing after the last page. */
static void put_next_token(struct page *p, struct aws_buf *to,
                           struct aws_place start, int64_t now)
{
    struct aws *m = p->x->model;
    struct aws_buf payload = {0};
    bool repeat;
    struct aws_place next = next_place(p, start, &repeat);
    bool last = !p->more && !repeat && !p->x->effect.circle;
    struct aws_text token = {NULL, 0};
    if (p->x->effect.same_token) token = aws_arg(p->x, "nextToken");
    if (token.at != NULL) {
        aws_printf(to, "\"nextToken\":\"%s\",", token.at);
        return;
    }
    if (last && !aws_chance(&m->rng, m->setting[AWS_SET_LAST_TOKEN])) return;
    if (last) next = p->after;
    put_place(&payload, &next, repeat);
    struct aws_buf plain = {0};
    aws_put_token(m, &plain, bound(p), aws_view(&payload), now);
    aws_puts(to, "\"nextToken\":\"");
    char *at = aws_room(to, 6 * plain.len + 16);
    char *end = m->setting[AWS_SET_ODD_JSON]
                    ? aws_json_odd_to(at, aws_view(&plain),
                                      aws_random(&m->rng))
                    : aws_json_to(at, plain.at, plain.len);
    to->len += (size_t)(end - at);
    aws_puts(to, "\",");
    aws_free_buf(&plain);
    aws_free_buf(&payload);
}

static void open_walk(struct page *p, int64_t now)
{
    struct aws *m = p->x->model;
    int64_t expiry = aws_expiry(m, p->group, now);
    struct aws_range range = {
        p->after, p->end, now - m->setting[AWS_SET_VISIBLE_AFTER]};
    if (range.after.timestamp < expiry)
        range.after = (struct aws_place){expiry, INT64_MIN, 0};
    aws_walk_init(&p->walk, p->group, &range);
}

/* The head of the reply is inserted at last: only then the token is known,
 * and it may come before the events or after them. */
static void close_page(struct page *p, const struct aws_buf *token)
{
    static const char odd[] = "\"extra\":{\"events\":[{\"timestamp\":1}],"
                              "\"nextToken\":\"no\"} ,";
    struct aws *m = p->x->model;
    struct aws_buf *out = &p->x->out;
    if (m->setting[AWS_SET_ODD_JSON] && aws_chance(&m->rng, 500)) {
        size_t more = token->len + sizeof odd - 1;
        (void)aws_room(out, more + 32);
        memmove(out->at + 1 + more, out->at + 1, out->len - 1);
        if (token->len > 0) memcpy(out->at + 1, token->at, token->len);
        memcpy(out->at + 1 + token->len, odd, sizeof odd - 1);
        out->len += more;
        aws_puts(out, "]}");
        return;
    }
    aws_puts(out, "],");
    aws_put_text(out, aws_view(token));
    aws_puts(out, "\"searchedLogStreams\":[]}");
}

static void make_page(struct page *p, int64_t now)
{
    struct aws_place start = p->after;
    struct aws_buf spare = p->x->model->spare, token = {0};
    p->x->model->spare = p->x->out;
    p->x->out = spare;
    aws_reset(&p->x->out);
    shorten(p);
    open_walk(p, now);
    aws_puts(&p->x->out, "{\"events\":[");
    p->events_at = p->x->out.len;
    fill_page(p);
    put_next_token(p, &token, start, now);
    close_page(p, &token);
    aws_walk_end(&p->walk);
    aws_free_buf(&token);
}

void aws_filter_log_events(struct aws_exchange *x, int64_t now)
{
    struct page p = {.x = x, .group = aws_arg_group(x), .end = INT64_MAX};
    p.events_max = aws_arg_limit(x, 10000);
    if (p.group == NULL || p.events_max == 0 || !readable(&p)) return;
    (void)aws_arg_int(x, "startTime", &p.start);
    if (aws_arg_int(x, "endTime", &p.end) &&
        !x->model->setting[AWS_SET_END_EXCLUSIVE])
        p.end++;  /* "events later than this are not returned" */
    want_streams(&p);
    if (!aws_arg_bool(x, "startFromHead", true) ||
        aws_arg(x, "filterPattern").len > 0)
        aws_invalid(x, "The model knows neither patterns nor backwards.");
    if (!x->failed && read_start(&p, now)) make_page(&p, now);
    free(p.wanted);
}
