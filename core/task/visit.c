/* visit.c - see visit.h. */
#include "task/visit.h"

#include "base/check.h"
#include "base/trace.h"

static const char *const state_name[] = {
    "listing", "choosing", "beside", "own", "archiving", "retaining",
    "picking", "verifying", "done",
};

enum flow visit_enter(struct visit *v, enum visit_state next)
{
    CHECK(v->state < VISIT_DONE);
    trace_state("visit", state_name[v->state], state_name[next]);
    v->state = next;
    return next == VISIT_DONE ? FLOW_ENDED : FLOW_MOVED;
}

struct plan_place visit_place(const struct visit *v)
{
    return (struct plan_place){
        .account = view_of(v->info.account),
        .region = view_of(v->site->endpoint[SITE_LOGS].region),
    };
}

/* ---- telling ---- */

enum flow visit_tell(struct visit *v, enum visit_told told, int code)
{
    v->told = told;
    v->exit_code = exit_worse(v->exit_code, code);
    return FLOW_WANT_ROOM;
}

/* What concerns the group as a whole is the end of the visit. */
enum flow visit_give_up(struct visit *v, const struct fault *fault)
{
    fault_reset(&v->fault);
    fault_adopt(&v->fault, fault);
    v->failed++;
    (void)visit_enter(v, VISIT_DONE);
    return visit_tell(v, VISIT_FAULT, fault_exit(fault->error));
}

void visit_take(struct visit *v)
{
    CHECK(v->told != VISIT_NOTHING);
    v->told = VISIT_NOTHING;
}

/* ---- the list ---- */

static bool begin_list(struct visit *v, struct fault *fault)
{
    struct visit_looking *l = &v->looking;
    const struct plan_place place = visit_place(v);
    const struct calendar_facts facts =
        calendar_facts(v->options.settings, &v->info,
                       site_now(v->site, v->now).wall_ms);
    struct text prefix, after;
    if (!calendar_init(&v->calendar, &facts, &v->spec, &place, fault))
        return false;
    text_init(&prefix, l->prefix, sizeof l->prefix);
    text_init(&after, l->after, sizeof l->after);
    calendar_list(&v->calendar, &v->spec, &place, &prefix, &after);
    catalog_init(&l->catalog, v->site, view_of(v->spec.bucket),
                 text_view(&prefix));
    l->catalog.after = text_view(&after);
    v->begun = true;
    return true;
}

void visit_init(struct visit *v, struct site *site,
                const struct visit_options *options)
{
    bool used = v->used;
    memset(v, 0, offsetof(struct visit, spec));
    v->used = used;
    v->open_ms = INT64_MAX;
    v->site = site;
    v->options = *options;
    v->info = *options->info;
    v->options.info = &v->info;
    v->range = v->range_count = 0;
    v->tried = 0;
    config_spec(options->settings, options->group, &v->spec);
    v->spec.dry_run = options->dry_run;
}

void visit_refuse(struct visit *v, struct view group,
                  const struct fault *fault)
{
    bool used = v->used;
    memset(v, 0, offsetof(struct visit, spec));
    v->used = used;
    (void)view_copy(group, v->spec.group, sizeof v->spec.group);
    (void)visit_give_up(v, fault);
}

static enum flow on_listing(struct visit *v)
{
    const struct plan_place place = visit_place(v);
    struct catalog *c = &v->looking.catalog;
    struct fault fault = {0};

    if (!v->begun && !begin_list(v, &fault))
        return visit_give_up(v, &fault);
    enum flow flow = catalog_step(c, v->now);
    if (flow == FLOW_FAILED)
        return visit_give_up(v, &c->fault);
    if (flow == FLOW_ENDED)
        return visit_enter(v, VISIT_CHOOSING);
    if (flow != FLOW_WANT_ROOM)
        return flow;
    calendar_take(&v->calendar, &v->spec, &place, text_view(&c->entry.key),
                  c->entry.modified_ms);
    catalog_take(c);
    return FLOW_MOVED;
}

/* Would another day of this group fail alike? */
static bool is_hopeless(const struct visit *v, const struct archive *a)
{
    static const uint32_t alike =
        1u << ERROR_DENIED | 1u << ERROR_NETWORK | 1u << ERROR_THROTTLED |
        1u << ERROR_REMOTE | 1u << ERROR_LIMIT | 1u << ERROR_MISSING;
    if (a->fault.error == ERROR_STOPPED)
        return v->now.mono_ms >= v->site->deadline_mono_ms;
    return (alike >> a->fault.error & 1) != 0 ||
           a->key[0] == '\0';  /* before any day was looked at */
}

static enum flow on_archiving(struct visit *v)
{
    struct archive *a = &v->archive;
    bool recount = calendar_at(&v->calendar, v->day) == CALENDAR_SEEN;
    enum flow flow = archive_step(a, v->now);
    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    v->flow = flow;
    calendar_set(&v->calendar, v->day, CALENDAR_SEEN);
    if (flow == FLOW_FAILED) {
        v->failed++;
        if (!recount && v->spec.from_ms < v->open_ms)
            v->open_ms = v->spec.from_ms;
        (void)visit_enter(v, is_hopeless(v, a) ? VISIT_DONE : VISIT_CHOOSING);
        return visit_tell(v, VISIT_ARCHIVE, fault_exit(a->fault.error));
    }
    if (recount && v->spec.dry_run)
        a->result.action = "would recount";
    bool done = strcmp(a->result.action, "archived") == 0;
    v->recounted += recount && !v->spec.dry_run;
    v->archived += !recount && done;
    (void)visit_enter(v, VISIT_CHOOSING);
    return visit_tell(v, VISIT_ARCHIVE, 0);
}

/* ---- retention ---- */

static enum flow begin_retention(struct visit *v)
{
    const struct config_settings *s = v->options.settings;
    visit_set_day(v, v->calendar.last);
    const struct retention_options options = {
        .spec = &v->spec, .days = s->retention_days,
        .accept_provisional = s->accept_provisional,
    };
    v->used = true;
    retention_init(&v->retention, v->site, &options);
    return visit_enter(v, VISIT_RETAINING);
}

/* The days that only have to be read back. */
static bool may_be_proved(struct visit *v)
{
    const struct retention *r = &v->retention;
    v->range = v->range_count = 0;
    if (r->lasting || v->spec.dry_run || r->fault.error != ERROR_STOPPED)
        return false;
    for (uint32_t i = 0; i < r->range_count; i++)
        if (r->range[i].why == RETENTION_UNVERIFIED)
            v->ranges[v->range_count++] = r->range[i];
    if (v->range_count == 0 || v->ranges[0].first == v->tried)
        return false;  /* reading it back did not help */
    v->tried = v->ranges[0].first;
    return true;
}

/* The receipt of the next day to be verified; behind the last, retention is
 * asked once more. */
static enum flow pick(struct visit *v)
{
    while (v->range < v->range_count) {
        struct retention_range *w = &v->ranges[v->range];
        if (w->first <= w->last)
            return visit_ask(v, w->first++, VISIT_PICKING);
        v->range++;
    }
    return begin_retention(v);
}

static enum flow on_retaining(struct visit *v)
{
    struct retention *r = &v->retention;
    enum flow flow = retention_step(r, v->now);
    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    if (flow == FLOW_FAILED && may_be_proved(v))
        return pick(v);
    v->flow = flow;
    v->failed += flow == FLOW_FAILED;
    (void)visit_enter(v, VISIT_DONE);
    return visit_tell(v, VISIT_RETENTION,
                flow == FLOW_FAILED ? fault_exit(r->fault.error) : 0);
}

static enum flow on_picking(struct visit *v)
{
    struct existing *e = &v->looking.existing;
    enum flow flow = existing_step(e, v->now);
    struct text t;
    if (flow == FLOW_FAILED)
        return visit_give_up(v, &e->fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (visit_found(v) == NULL)
        return pick(v);
    text_init(&t, v->url_bytes, sizeof v->url_bytes);
    text_str(&t, "s3://");
    text_str(&t, v->spec.bucket);
    text_char(&t, '/');
    text_put(&t, visit_found(v)->key);
    v->url = v->url_bytes;
    const struct verify_options options = {
        .urls = &v->url, .url_count = 1, .sse = view_of(v->spec.sse),
        .sse_kms_key_id = view_of(v->spec.sse_kms_key_id),
    };
    verify_init(&v->verify, v->site, &options);
    return visit_enter(v, VISIT_VERIFYING);
}

static enum flow on_verifying(struct visit *v)
{
    struct verify *job = &v->verify;
    enum flow flow = verify_step(job, v->now);
    v->verified = verify_result(job);
    if (v->verified != NULL)
        return visit_tell(v, VISIT_VERIFY, job->exit_code);
    if (flow != FLOW_ENDED)
        return flow;
    v->failed += job->exit_code != 0;
    return pick(v);
}

/* ---- the machine ---- */

static enum flow on_choosing(struct visit *v)
{
    const struct config_settings *s = v->options.settings;
    bool plan = v->options.plan;
    int64_t day;
    if (calendar_missing(&v->calendar, &day))
        return plan ? visit_plan(v, day, VISIT_MISSING)
                    : visit_begin_day(v, day);
    if (calendar_stale(&v->calendar, &day))
        return plan ? visit_plan(v, day, VISIT_STALE)
                    : visit_begin_recount(v, day);
    if (s->retention_days > 0 && v->failed == 0 &&
        v->info.retention_days != s->retention_days)
        return plan ? visit_plan(v, v->calendar.last, VISIT_KEEP)
                    : begin_retention(v);
    return visit_enter(v, VISIT_DONE);
}

/* A call that is under way ends with it; only an archive has more to do. */
static enum flow stop(struct visit *v)
{
    if (v->state == VISIT_LISTING && v->begun)
        call_cancel(&v->looking.catalog.call);
    if (v->state == VISIT_BESIDE || v->state == VISIT_OWN ||
        v->state == VISIT_PICKING)
        call_cancel(&v->looking.tour.call);
    if (v->state == VISIT_RETAINING)
        retention_cancel(&v->retention);
    if (v->state == VISIT_VERIFYING)
        reading_cancel(&v->verify.reading);
    v->exit_code = exit_worse(v->exit_code, fault_exit(ERROR_STOPPED));
    return visit_enter(v, VISIT_DONE);
}

enum flow visit_step(struct visit *v, struct now now)
{
    v->now = now;
    if (v->told != VISIT_NOTHING)
        return FLOW_WANT_ROOM;
    if (v->stopped && v->state != VISIT_ARCHIVING && v->state != VISIT_DONE)
        return stop(v);
    switch (v->state) {
    case VISIT_LISTING:   return on_listing(v);
    case VISIT_CHOOSING:  return on_choosing(v);
    case VISIT_BESIDE:    return visit_beside(v);
    case VISIT_OWN:       return visit_own(v);
    case VISIT_ARCHIVING: return on_archiving(v);
    case VISIT_RETAINING: return on_retaining(v);
    case VISIT_PICKING:   return on_picking(v);
    case VISIT_VERIFYING: return on_verifying(v);
    case VISIT_DONE:      break;
    }
    return FLOW_ENDED;
}

void visit_stop(struct visit *v)
{
    v->stopped = true;
    if (v->state == VISIT_ARCHIVING)
        archive_stop(&v->archive);
}

int64_t visit_wake_ms(const struct visit *v)
{
    switch (v->state) {
    case VISIT_LISTING:   return catalog_wake_ms(&v->looking.catalog);
    case VISIT_BESIDE:
    case VISIT_OWN:
    case VISIT_PICKING:   return call_wake_ms(&v->looking.tour.call);
    case VISIT_ARCHIVING: return archive_wake_ms(&v->archive);
    case VISIT_RETAINING: return retention_wake_ms(&v->retention);
    case VISIT_VERIFYING: return verify_wake_ms(&v->verify);
    case VISIT_CHOOSING:
    case VISIT_DONE:      break;
    }
    return INT64_MIN;
}

bool visit_margin(const struct visit *v, int64_t *days)
{
    const struct calendar *c = &v->calendar;
    int64_t keeps = v->info.retention_days, open_ms = v->open_ms, day;

    if (!v->begun || keeps == 0)
        return false;
    if (!calendar_missing(c, &day))
        day = c->last + 1;  /* the next to be due */
    if (zone_day_start(c->facts.zone, day) < open_ms)
        open_ms = zone_day_start(c->facts.zone, day);
    *days = (open_ms + keeps * DAY_MS - c->facts.now_ms) / DAY_MS;
    if (*days < 0)
        *days = 0;
    return true;
}
