/* stock.c - see stock.h. */
#include "task/stock.h"

#include "base/trace.h"

static const char *const state_name[] = {"touring", "listing", "giving",
                                         "failing", "done"};

static enum flow enter(struct stock *s, enum stock_state next)
{
    CHECK(s->state < STOCK_DONE);
    trace_state("stock", state_name[s->state], state_name[next]);
    s->state = next;
    s->failed = next == STOCK_FAILING;
    return next == STOCK_DONE                             ? FLOW_ENDED
           : next == STOCK_GIVING || next == STOCK_FAILING ? FLOW_WANT_ROOM
                                                           : FLOW_MOVED;
}

void stock_init(struct stock *s, const struct stock_options *options)
{
    s->options = *options;
    s->state = STOCK_TOURING;
    s->failed = false;
    tour_init(&s->tour, &options->tour, &s->room);
}

static enum flow fail(struct stock *s, const struct fault *fault)
{
    fault_reset(&s->fault);
    fault_adopt(&s->fault, fault);
    return enter(s, STOCK_FAILING);
}

static struct plan_place place_of(const struct stock *s)
{
    const struct site *site = s->options.tour.site;
    return (struct plan_place){
        view_of(s->tour.group.info.account),
        view_of(site->endpoint[SITE_LOGS].region),
    };
}

/* May a window of that day, of any zone, meet what is wanted? */
static bool is_wanted(const struct stock *s, int64_t day)
{
    return (s->options.until_ms == INT64_MAX ||
            (day - 2) * DAY_MS < s->options.until_ms) &&
           (s->options.from_ms == INT64_MIN ||
            (day + 3) * DAY_MS > s->options.from_ms);
}

static enum flow begin_list(struct stock *s, struct now now)
{
    const struct tour *t = &s->tour;
    struct site *site = s->options.tour.site;
    const struct plan_place place = place_of(s);
    const struct calendar_facts facts = calendar_facts(
        &t->settings, &t->group.info, site_now(site, now).wall_ms);
    struct text prefix, after;
    struct fault fault = {0};
    int64_t from_ms = s->options.from_ms;

    config_spec(&t->settings, t->name, &s->spec);
    if (!calendar_init(&s->calendar, &facts, &s->spec, &place, &fault))
        return fail(s, &fault);
    s->calendar.base = from_ms > 0 ? from_ms / DAY_MS - 2 : 0;
    text_init(&prefix, s->prefix, sizeof s->prefix);
    text_init(&after, s->after, sizeof s->after);
    calendar_list(&s->calendar, &s->spec, &place, &prefix, &after);
    catalog_init(&s->catalog, site, view_of(s->spec.bucket),
                 text_view(&prefix));
    s->catalog.after = text_view(&after);
    return enter(s, STOCK_LISTING);
}

static enum flow on_touring(struct stock *s, struct now now)
{
    enum flow flow = tour_step(&s->tour, now);
    if (flow == FLOW_WANT_ROOM)
        return s->tour.failed ? fail(s, &s->tour.fault) : begin_list(s, now);
    return flow == FLOW_ENDED ? enter(s, STOCK_DONE) : flow;
}

static enum flow on_listing(struct stock *s, struct now now)
{
    const struct plan_place place = place_of(s);
    enum flow flow = catalog_step(&s->catalog, now);
    struct view key = text_view(&s->catalog.entry.key);
    int64_t day;
    struct text t;

    if (flow == FLOW_FAILED)
        return fail(s, &s->catalog.fault);
    if (flow == FLOW_ENDED) {
        tour_next(&s->tour);
        return enter(s, STOCK_TOURING);
    }
    if (flow != FLOW_WANT_ROOM)
        return flow;
    bool ours = calendar_archive(&s->calendar, &s->spec, &place, key, &day);
    catalog_take(&s->catalog);
    if (!ours || !is_wanted(s, day))
        return FLOW_MOVED;
    text_init(&t, s->url, sizeof s->url);
    text_str(&t, "s3://");
    text_str(&t, s->spec.bucket);
    text_char(&t, '/');
    text_put(&t, key);
    return enter(s, STOCK_GIVING);
}

void stock_next(struct stock *s)
{
    if (s->state == STOCK_FAILING)
        tour_next(&s->tour);
    (void)enter(s, s->state == STOCK_GIVING ? STOCK_LISTING : STOCK_TOURING);
}

enum flow stock_step(struct stock *s, struct now now)
{
    switch (s->state) {
    case STOCK_TOURING: return on_touring(s, now);
    case STOCK_LISTING: return on_listing(s, now);
    case STOCK_GIVING:
    case STOCK_FAILING: return FLOW_WANT_ROOM;
    case STOCK_DONE:    break;
    }
    return FLOW_ENDED;
}

int64_t stock_wake_ms(const struct stock *s)
{
    return s->state == STOCK_LISTING ? catalog_wake_ms(&s->catalog)
                                     : tour_wake_ms(&s->tour);
}
