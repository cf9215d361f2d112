/* run.c - see run.h. */
#include "task/run.h"

#include "base/check.h"
#include "base/trace.h"
#include "task/message.h"

static const char *const state_name[] = {"touring", "visiting", "done"};

static enum flow enter(struct run *r, enum run_state next)
{
    CHECK(r->state < RUN_DONE);
    trace_state("run", state_name[r->state], state_name[next]);
    r->state = next;
    return next == RUN_DONE ? FLOW_ENDED : FLOW_MOVED;
}

void run_init(struct run *r, const struct run_options *options)
{
    memset(r, 0, offsetof(struct run, tour));
    r->dry_run = options->dry_run;
    r->plan = options->plan;
    r->margin_days = INT64_MAX;
    r->visit.used = false;
    tour_init(&r->tour, &options->tour, &r->visit.looking.tour);
}

static enum flow on_touring(struct run *r, struct now now)
{
    struct tour *t = &r->tour;
    enum flow flow = tour_step(t, now);
    if (flow == FLOW_ENDED)
        return enter(r, RUN_DONE);
    if (flow != FLOW_WANT_ROOM)
        return flow;
    const struct visit_options options = {
        .group = t->name, .info = &t->group.info, .settings = &t->settings,
        .dry_run = r->dry_run, .plan = r->plan,
    };
    if (t->failed)
        visit_refuse(&r->visit, t->name, &t->fault);
    else
        visit_init(&r->visit, t->options.site, &options);
    r->groups += !t->failed;
    return enter(r, RUN_VISITING);
}

static enum flow on_visiting(struct run *r, struct now now)
{
    struct visit *v = &r->visit;
    enum flow flow = visit_step(v, now);
    int64_t margin;
    if (flow != FLOW_ENDED)
        return flow;
    r->exit_code = exit_worse(r->exit_code, v->exit_code);
    r->archived += v->archived;
    r->recounted += v->recounted;
    r->failed += v->failed;
    if (visit_margin(v, &margin) && margin < r->margin_days)
        r->margin_days = margin;
    if (v->used)
        tour_lend(&r->tour, &v->looking.tour);
    v->used = false;
    tour_next(&r->tour);
    return enter(r, RUN_TOURING);
}

enum flow run_step(struct run *r, struct now now)
{
    r->stopped |= now.mono_ms >= r->tour.options.site->deadline_mono_ms;
    if (r->stopped && r->state == RUN_TOURING) {
        tour_stop(&r->tour);
        r->exit_code = exit_worse(r->exit_code, fault_exit(ERROR_STOPPED));
        return enter(r, RUN_DONE);
    }
    switch (r->state) {
    case RUN_TOURING:  return on_touring(r, now);
    case RUN_VISITING: return on_visiting(r, now);
    case RUN_DONE:     break;
    }
    return FLOW_ENDED;
}

void run_stop(struct run *r)
{
    r->stopped = true;
    if (r->state == RUN_VISITING)
        visit_stop(&r->visit);
}

int64_t run_wake_ms(const struct run *r)
{
    switch (r->state) {
    case RUN_TOURING:  return tour_wake_ms(&r->tour);
    case RUN_VISITING: return visit_wake_ms(&r->visit);
    case RUN_DONE:     break;
    }
    return INT64_MIN;
}

static void put_count(struct text *out, uint64_t count, const char *one,
                      const char *many)
{
    message_number(out, count);
    text_str(out, count == 1 ? one : many);
}

void run_write(struct text *out, const struct run *r)
{
    put_count(out, r->groups, " group: ", " groups: ");
    put_count(out, r->archived, " day archived, ", " days archived, ");
    message_number(out, r->recounted);
    text_str(out, " recounted");
    if (r->failed > 0) {
        text_str(out, ", ");
        message_number(out, r->failed);
        text_str(out, " failed");
    }
    text_char(out, '\n');
}

static void put_metric(struct text *out, const char *name, int64_t value)
{
    text_str(out, ",\"");
    text_str(out, name);
    text_str(out, "\":");
    text_i64(out, value);
}

void run_metrics(struct text *out, const struct run *r, struct view function,
                 int64_t wall_ms)
{
    int64_t margin = r->margin_days < CONFIG_DAYS_MOST ? r->margin_days
                                                       : CONFIG_DAYS_MOST;
    text_str(out, "{\"_aws\":{\"Timestamp\":");
    text_i64(out, wall_ms);
    text_str(out, ",\"CloudWatchMetrics\":[{\"Namespace\":\"firn\","
                  "\"Dimensions\":[[\"FunctionName\"]],\"Metrics\":["
                  "{\"Name\":\"FirnArchivedDays\",\"Unit\":\"Count\"},"
                  "{\"Name\":\"FirnFailedDays\",\"Unit\":\"Count\"},"
                  "{\"Name\":\"FirnMarginDays\",\"Unit\":\"Count\"}"
                  "]}]},\"FunctionName\":\"");
    text_json(out, function);
    text_char(out, '"');
    put_metric(out, "FirnArchivedDays", (int64_t)(r->archived + r->recounted));
    put_metric(out, "FirnFailedDays", (int64_t)r->failed);
    put_metric(out, "FirnMarginDays", margin);
    text_str(out, "}\n");
}
