/* interval.c - see interval.h. */
#include "task/interval.h"

#include "base/date.h"
#include "task/message.h"

static bool has_window(const struct receipt *r)
{
    return r->from_ms < r->until_ms;
}

/* The group last, for what is said of it. */
static uint32_t put_source(struct text *t, const struct receipt *r)
{
    text_put(t, r->account);
    text_char(t, '\n');
    text_put(t, r->region);
    text_char(t, '\n');
    text_put(t, r->stream_prefix);
    text_char(t, '\n');
    uint32_t at = t->len;
    text_put(t, r->group);
    return at;
}

static void begin(struct interval *i)
{
    i->gaps[0] = (struct interval_gap){i->from_ms, i->until_ms};
    i->count = 1;
    i->told = 0;
    i->reached_ms = INT64_MIN;
    i->known = false;
    i->unknown = false;
}

void interval_init(struct interval *i, int64_t from_ms, int64_t until_ms)
{
    CHECK(from_ms < until_ms);
    i->from_ms = from_ms;
    i->until_ms = until_ms;
    i->source[0] = '\0';
    begin(i);
}

bool interval_is_other(const struct interval *i, const struct receipt *r)
{
    char bytes[sizeof i->source];
    struct text t;

    text_init(&t, bytes, sizeof bytes);
    (void)put_source(&t, r);
    return i->known && strcmp(i->source, bytes) != 0;
}

static void add_gap(struct interval *i, int64_t from_ms, int64_t until_ms)
{
    if (from_ms < until_ms && i->count < INTERVAL_GAPS)
        i->gaps[i->count++] = (struct interval_gap){from_ms, until_ms};
}

/* Cuts [from, until) out of every gap: what is left of one are its ends. */
static void cut(struct interval *i, int64_t from_ms, int64_t until_ms)
{
    struct interval_gap old[INTERVAL_GAPS];
    uint32_t count = i->count;

    memcpy(old, i->gaps, count * sizeof *old);
    i->count = 0;
    for (uint32_t n = 0; n < count; n++) {
        const struct interval_gap *g = &old[n];
        add_gap(i, g->from_ms,
                from_ms < g->until_ms ? from_ms : g->until_ms);
        add_gap(i, until_ms > g->from_ms ? until_ms : g->from_ms,
                g->until_ms);
    }
}

bool interval_take(struct interval *i, const struct receipt *r)
{
    struct text t;

    if (interval_is_other(i, r))
        begin(i);
    text_init(&t, i->source, sizeof i->source);
    i->group_at = put_source(&t, r);
    i->known = true;
    if (!has_window(r)) {
        i->unknown = true;
        return true;
    }
    bool late = r->from_ms < i->reached_ms && interval_meets(i, r);
    if (interval_meets(i, r))
        i->reached_ms = r->until_ms;
    cut(i, r->from_ms, r->until_ms);
    return !late;
}

void interval_take_unknown(struct interval *i)
{
    i->unknown = true;
}

bool interval_meets(const struct interval *i, const struct receipt *r)
{
    return !has_window(r) ||
           (r->from_ms < i->until_ms && i->from_ms < r->until_ms);
}

static bool counts(const struct interval *i, const struct interval_gap *g)
{
    bool open = g->from_ms == INT64_MIN || g->until_ms == INT64_MAX;
    bool whole = g->from_ms == i->from_ms && g->until_ms == i->until_ms;

    return !open || whole;
}

static void put_gap(struct text *t, const struct interval_gap *g)
{
    if (g->from_ms == INT64_MIN) {
        text_str(t, "what is before ");
        date_rfc3339(t, g->until_ms);
        return;
    }
    text_str(t, g->until_ms == INT64_MAX ? "what is from " : "");
    date_rfc3339(t, g->from_ms);
    text_str(t, g->until_ms == INT64_MAX ? " on" : " to ");
    if (g->until_ms != INT64_MAX)
        date_rfc3339(t, g->until_ms);
}

bool interval_tell(struct interval *i, struct fault *fault)
{
    char bytes[80];
    struct text t;

    if (!i->known || i->unknown)
        return false;
    while (i->told < i->count && !counts(i, &i->gaps[i->told]))
        i->told++;
    if (i->told == i->count)
        return false;
    text_init(&t, bytes, sizeof bytes);
    put_gap(&t, &i->gaps[i->told++]);
    const struct view parts[] = {text_view(&t),
                                 view_of(i->source + i->group_at)};
    message_refuse(fault, ERROR_CORRUPT, "% is not in these archives of %; "
                   "give the key that holds it, if there is one", parts);
    return true;
}
