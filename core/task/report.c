/* report.c - see report.h. */
#include "task/report.h"

#include "base/check.h"
#include "base/date.h"
#include "base/zone.h"
#include "task/message.h"

struct report_source report_asked(const struct spec *s)
{
    return (struct report_source){
        .group = view_of(s->group), .from_ms = s->from_ms,
        .until_ms = s->until_ms, .day = s->day, .whole_day = s->whole_day,
    };
}

struct report_source report_stored(const struct receipt *r)
{
    const struct zone *z = zone_find(r->timezone);
    struct report_source s = {
        .from_ms = r->from_ms, .until_ms = r->until_ms,
    };
    struct fault fault = {0};
    if (plan_group(r->group, &fault))
        s.group = r->group;
    if (z == NULL || s.until_ms <= s.from_ms)
        return s;
    s.day = zone_day_of(z, s.from_ms);
    s.whole_day = zone_day_start(z, s.day) == s.from_ms &&
                  zone_day_start(z, s.day + 1) == s.until_ms;
    return s;
}

/* {"name":, with a comma before it unless it is the first. */
static void put_name(struct text *out, const char *name)
{
    CHECK(out->len > 0);
    text_str(out, out->at[out->len - 1] == '{' ? "\"" : ",\"");
    text_str(out, name);
    text_str(out, "\":");
}

static void put_text(struct text *out, const char *name, struct view v)
{
    put_name(out, name);
    if (v.at == NULL) {
        text_str(out, "null");
        return;
    }
    text_char(out, '"');
    text_json(out, v);
    text_char(out, '"');
}

static void put_number(struct text *out, const char *name, uint64_t value)
{
    put_name(out, name);
    text_u64(out, value);
}

/* Seconds, to the millisecond. */
static void put_seconds(struct text *out, const char *name, int64_t ms)
{
    uint64_t value = ms > 0 ? (uint64_t)ms : 0;
    put_name(out, name);
    text_u64(out, value / 1000);
    text_char(out, '.');
    text_pad(out, value % 1000, 3);
}

static void put_instant(struct text *out, const char *name, int64_t ms,
                        bool known)
{
    put_name(out, name);
    if (!known) {
        text_str(out, "null");
        return;
    }
    text_char(out, '"');
    date_rfc3339(out, ms);
    text_char(out, '"');
}

static void put_counts(struct text *out, const struct report_counts *c)
{
    put_number(out, "events", c->events);
    put_number(out, "bytes_raw", c->bytes_raw);
    put_number(out, "bytes_stored", c->bytes_stored);
}

/* The day for a whole one; else null, since "from" and "until" say it. */
static void put_source(struct text *out, const struct report_source *s)
{
    char day[16];
    struct text t;
    bool known = s->from_ms < s->until_ms;
    text_init(&t, day, sizeof day);
    date_day(&t, s->day);
    put_text(out, "group", s->group.len > 0 ? s->group : view_of(NULL));
    put_text(out, "day", s->whole_day ? text_view(&t) : view_of(NULL));
    put_instant(out, "from", s->from_ms, known);
    put_instant(out, "until", s->until_ms, known);
}

static void result_json(struct text *out, const struct report_result *r)
{
    static const struct view none = {NULL, 0};
    text_char(out, '{');
    put_source(out, &r->source);
    put_text(out, "bucket", r->bucket);
    put_text(out, "key", r->key.len > 0 ? r->key : none);
    put_text(out, "state", view_of(r->state));
    put_text(out, "action", view_of(r->action));
    put_text(out, "reason", r->reason.len > 0 ? r->reason : none);
    if (r->counted)
        put_counts(out, &r->counts);
    else
        text_str(out, ",\"events\":null,\"bytes_raw\":null");
    if (!r->counted && r->sized)
        put_number(out, "bytes_stored", r->counts.bytes_stored);
    else if (!r->counted)
        text_str(out, ",\"bytes_stored\":null");
    text_char(out, '}');
}

/* "2026-11-09 of /ecs/api: " */
static void put_span(struct text *out, const struct report_source *s)
{
    if (s->whole_day) {
        date_day(out, s->day);
    } else if (s->from_ms < s->until_ms) {
        date_rfc3339(out, s->from_ms);
        text_str(out, " to ");
        date_rfc3339(out, s->until_ms);
    } else {
        text_str(out, "all");
    }
    text_str(out, " of ");
    message_escape(out, s->group);
    text_str(out, ": ");
}

/* "archived 2026-11-09 of /ecs/api: 12 events, 3.1 kB, as s3://b/k (700 B),
 * provisional: reason" */
static void result_text(struct text *out, const struct report_result *r)
{
    text_str(out, r->action != NULL ? r->action : "looked at");
    text_char(out, ' ');
    if (r->source.group.len > 0)
        put_span(out, &r->source);
    if (r->counted) {
        message_number(out, r->counts.events);
        text_str(out, r->counts.events == 1 ? " event, " : " events, ");
        message_bytes(out, r->counts.bytes_raw);
        text_str(out, ", ");
    }
    if (r->counted || r->sized)
        text_str(out, "as ");
    text_str(out, "s3://");
    text_put(out, r->bucket);
    text_char(out, '/');
    message_escape(out, r->key);
    if (r->counted || r->sized) {
        text_str(out, " (");
        message_bytes(out, r->counts.bytes_stored);
        text_char(out, ')');
    }
    if (r->state != NULL) {
        text_str(out, ", ");
        text_str(out, r->state);
    }
    if (r->reason.len > 0) {
        text_str(out, ": ");
        message_escape(out, r->reason);
    }
}

void report_result(struct text *out, const struct report_result *r,
                   enum output form)
{
    if (form == OUTPUT_JSON)
        result_json(out, r);
    else
        result_text(out, r);
}

void report_phase(struct text *out, const struct report_progress *p,
                  int64_t wall_ms)
{
    text_char(out, '{');
    put_instant(out, "time", wall_ms, true);
    put_text(out, "phase", view_of(p->phase));
    if (p->source.group.len > 0)
        put_source(out, &p->source);
    put_counts(out, &p->counts);
    put_number(out, "parts", p->counts.parts);
    put_number(out, "requests", p->counts.requests);
    put_number(out, "throttled", p->counts.throttled);
    put_number(out, "retried", p->counts.retried);
    put_seconds(out, "seconds", p->elapsed_ms);
    put_number(out, "rss_bytes", p->rss_bytes);
    text_char(out, '}');
}

enum { WIDE_COLUMNS = 110 };  /* for all of the bar, in words */

/* How much of it is done, of 1,000. */
static uint32_t permille(const struct report_progress *p)
{
    if (p->done <= 0)
        return 0;
    return p->done >= p->whole ? 1000 : (uint32_t)(p->done * 1000 / p->whole);
}

static void put_bar(struct text *out, uint32_t of_1000, uint32_t width)
{
    uint32_t full = of_1000 * width / 1000;
    text_char(out, '[');
    for (uint32_t i = 0; i < width; i++)
        text_char(out, i < full ? '#' : '.');
    text_str(out, "] ");
    text_u64(out, of_1000 / 10);
    text_char(out, '%');
}

/* A piece and the blanks before it, if there is room: the least important come
 * last, and are left out. */
static void put_piece(struct text *out, const struct text *piece,
                      uint32_t columns)
{
    const char *blanks = columns < WIDE_COLUMNS ? " " : "  ";
    if (out->len + view_of(blanks).len + piece->len > columns)
        return;
    text_str(out, blanks);
    text_put(out, text_view(piece));
}

/* "391,206", or "391 k" where columns are few. */
static void put_count(struct text *out, uint64_t count, uint32_t columns)
{
    char bytes[32];
    struct text t;
    if (columns >= WIDE_COLUMNS || count < 100000) {
        message_number(out, count);
        return;
    }
    text_init(&t, bytes, sizeof bytes);
    message_bytes(&t, count);
    text_put(out, view_slice(text_view(&t), 0, t.len - 1));  /* no "B" */
}

static void bar_events(struct text *t, const struct report_progress *p,
                       uint32_t columns)
{
    text_reset(t);
    put_count(t, p->counts.events, columns);
    text_str(t, " events");
}

static void bar_bytes(struct text *t, const struct report_progress *p,
                      uint32_t columns)
{
    uint64_t ms = p->elapsed_ms > 0 ? (uint64_t)p->elapsed_ms : 1;
    uint64_t bytes = p->counts.bytes_raw;
    text_reset(t);
    message_bytes(t, bytes);
    text_str(t, columns < WIDE_COLUMNS ? " " : " at ");
    message_bytes(t, bytes / ms * 1000 + bytes % ms * 1000 / ms);
    text_str(t, "/s");
}

/* "1 part", "2 parts" */
static void bar_number(struct text *t, uint64_t number, const char *one,
                       const char *many)
{
    text_reset(t);
    text_u64(t, number);
    text_str(t, number == 1 ? one : many);
}

void report_bar(struct text *out, const struct report_progress *p,
                uint32_t columns)
{
    char bytes[64];
    struct text t;
    const struct report_counts *c = &p->counts;
    bool wide = columns >= WIDE_COLUMNS;

    text_init(&t, bytes, sizeof bytes);
    text_str(out, p->phase);
    if (p->whole > 0) {
        text_char(out, ' ');
        put_bar(out, permille(p), columns >= 130 ? 30 : wide ? 20 : 6);
    }
    bar_events(&t, p, columns);
    put_piece(out, &t, columns);
    bar_bytes(&t, p, columns);
    put_piece(out, &t, columns);
    bar_number(&t, c->parts, " part", " parts");
    put_piece(out, &t, columns);
    bar_number(&t, c->throttled, wide ? " throttle" : " thr.",
               wide ? " throttles" : " thr.");
    put_piece(out, &t, columns);
    text_reset(&t);
    message_bytes(&t, p->rss_bytes);
    text_str(&t, wide ? " memory" : " mem");
    if (p->rss_bytes > 0)
        put_piece(out, &t, columns);
    bar_number(&t, c->retried, " retry", " retries");
    if (c->retried > c->throttled)
        put_piece(out, &t, columns);
}

static void done_text(struct text *out, const struct report_done *d)
{
    message_duration(out, d->elapsed_ms);
    text_str(out, ", CPU ");
    text_u64(out, (uint64_t)d->cpu_ms / 1000);
    text_char(out, '.');
    text_u64(out, (uint64_t)d->cpu_ms / 100 % 10);
    text_str(out, " s, memory ");
    message_bytes(out, d->rss_peak_bytes);
    text_str(out, " at most (pool ");
    message_bytes(out, d->pool_peak_bytes);
    text_str(out, "), ");
    message_number(out, d->counts.requests);
    text_str(out, d->counts.requests == 1 ? " request, " : " requests, ");
    message_number(out, d->counts.throttled);
    text_str(out, " throttled");
}

void report_done(struct text *out, const struct report_done *d,
                 enum output form)
{
    if (form == OUTPUT_TEXT) {
        done_text(out, d);
        return;
    }
    text_char(out, '{');
    put_text(out, "phase", view_of("done"));
    put_number(out, "exit", (uint64_t)d->exit);
    put_seconds(out, "seconds", d->elapsed_ms);
    put_seconds(out, "cpu_seconds", d->cpu_ms);
    put_number(out, "rss_peak_bytes", d->rss_peak_bytes);
    put_number(out, "pool_peak_bytes", d->pool_peak_bytes);
    if (d->stack_peak_bytes > 0)
        put_number(out, "stack_peak_bytes", d->stack_peak_bytes);
    put_counts(out, &d->counts);
    put_number(out, "parts", d->counts.parts);
    put_number(out, "requests", d->counts.requests);
    put_number(out, "throttled", d->counts.throttled);
    put_number(out, "retried", d->counts.retried);
    text_char(out, '}');
}
