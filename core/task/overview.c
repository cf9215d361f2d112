/* overview.c - see overview.h. */
#include "task/overview.h"

#include "base/trace.h"

static const char *const state_name[] = {"touring", "telling", "passing",
                                         "done"};

static enum flow enter(struct overview *o, enum overview_state next)
{
    CHECK(o->state < OVERVIEW_DONE);
    trace_state("overview", state_name[o->state], state_name[next]);
    o->state = next;
    return next == OVERVIEW_DONE      ? FLOW_ENDED
           : next == OVERVIEW_PASSING ? FLOW_WANT_ROOM
                                      : FLOW_MOVED;
}

void overview_init(struct overview *o,
                   const struct overview_options *options)
{
    o->options = *options;
    o->exit_code = 0;
    o->failed = false;
    o->state = OVERVIEW_TOURING;
    tour_init(&o->tour, &options->tour, &o->room);
    text_init(&o->status.out, o->status.out_bytes,
              sizeof o->status.out_bytes);
}

/* A group, or an entry, of which nothing can be told. */
static enum flow fail(struct overview *o, const struct fault *fault)
{
    fault_reset(&o->fault);
    fault_adopt(&o->fault, fault);
    o->failed = true;
    o->exit_code = exit_worse(o->exit_code, fault_exit(fault->error));
    return enter(o, OVERVIEW_PASSING);
}

static enum flow begin_group(struct overview *o, struct now now)
{
    const struct tour *t = &o->tour;
    struct site *site = o->options.tour.site;
    const struct group_info *info = &t->group.info;
    const struct plan_place place = {
        view_of(info->account), view_of(site->endpoint[SITE_LOGS].region),
    };
    struct calendar_facts facts =
        calendar_facts(&t->settings, info, site_now(site, now).wall_ms);
    struct text prefix, after;
    struct fault fault = {0};

    facts.age = o->options.age > 0 ? o->options.age : facts.age;
    if (facts.since != INT64_MIN) {  /* each day, also what has expired */
        facts.backfill = CONFIG_DAYS_MOST;
        facts.held_ms = INT64_MIN;
    }
    config_spec(&t->settings, t->name, &o->spec);
    if (!calendar_init(&o->calendar, &facts, &o->spec, &place, &fault))
        return fail(o, &fault);
    text_init(&prefix, o->prefix, sizeof o->prefix);
    text_init(&after, o->status.held, sizeof o->status.held);
    calendar_list(&o->calendar, &o->spec, &place, &prefix, &after);
    const struct status_options options = {
        .bucket = view_of(o->spec.bucket), .prefix = text_view(&prefix),
        .age = facts.age, .draw = o->options.draw,
        .group = t->name, .info = info, .zone = facts.zone,
        .due_ms = o->calendar.first <= o->calendar.last
                      ? zone_day_start(facts.zone, o->calendar.first)
                      : INT64_MAX,
    };
    status_init(&o->status, site, &options);
    return enter(o, OVERVIEW_TELLING);
}

static enum flow on_touring(struct overview *o, struct now now)
{
    enum flow flow = tour_step(&o->tour, now);
    if (flow == FLOW_WANT_ROOM)
        return o->tour.failed ? fail(o, &o->tour.fault)
                              : begin_group(o, now);
    if (flow != FLOW_ENDED)
        return flow;
    if (o->options.draw)
        ledger_legend(&o->status.out);
    return enter(o, OVERVIEW_DONE);
}

static enum flow on_telling(struct overview *o, struct now now)
{
    enum flow flow = status_step(&o->status, now);
    if (flow == FLOW_FAILED)
        return fail(o, &o->status.fault);
    if (flow != FLOW_ENDED)
        return flow;
    o->exit_code = exit_worse(o->exit_code, o->status.exit_code);
    return enter(o, OVERVIEW_PASSING);
}

/* The caller has been here: on to the next group. */
static enum flow on_passing(struct overview *o)
{
    o->failed = false;
    tour_next(&o->tour);
    return enter(o, OVERVIEW_TOURING);
}

enum flow overview_step(struct overview *o, struct now now)
{
    switch (o->state) {
    case OVERVIEW_TOURING: return on_touring(o, now);
    case OVERVIEW_TELLING: return on_telling(o, now);
    case OVERVIEW_PASSING: return on_passing(o);
    case OVERVIEW_DONE:    break;
    }
    return FLOW_ENDED;
}

int64_t overview_wake_ms(const struct overview *o)
{
    return o->state == OVERVIEW_TELLING ? status_wake_ms(&o->status)
                                        : tour_wake_ms(&o->tour);
}
