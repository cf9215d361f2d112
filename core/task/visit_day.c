/* visit_day.c - see visit.h: a day's window, by the receipts beside it. */
#include "base/check.h"
#include "task/message.h"
#include "task/recount.h"
#include "task/visit.h"

enum { ODD_MS = 2 * DAY_MS };  /* further off no zone moves midnight */

enum flow visit_ask(struct visit *v, int64_t day, enum visit_state next)
{
    struct visit_looking *l = &v->looking;
    const struct plan_place place = visit_place(v);
    struct fault fault = {0};
    struct text key;

    if (v->used) {
        ring_init(&l->tour.ring, l->tour.bytes, sizeof l->tour.bytes);
        call_init(&l->tour.call, v->site, &l->tour.ring);
    }
    text_init(&key, l->prefix, sizeof l->prefix);
    CHECK(calendar_key(&key, &v->spec, &place, day, &fault));
    v->asked_day = day;
    existing_init(&l->existing, &l->tour.call, view_of(v->spec.bucket),
                  (struct view){0}, text_view(&key),
                  (struct span){l->receipt, sizeof l->receipt});
    return visit_enter(v, next);
}

/* The receipt asked for, if it is there and of this group. */
const struct receipt *visit_found(const struct visit *v)
{
    const struct existing *e = &v->looking.existing;
    const struct receipt *r = &e->receipt;
    const struct plan_place place = visit_place(v);
    bool ours = e->has_receipt && view_equal(r->account, place.account) &&
                view_equal(r->region, place.region) &&
                view_is(r->group, v->spec.group) &&
                r->stream_prefix.len == 0 && r->from_ms < r->until_ms;
    return ours ? r : NULL;
}

static enum flow begin_archive(struct visit *v)
{
    struct spec *s = &v->spec;
    const struct zone *z = zone_find(view_of(s->timezone));
    s->day = v->day;
    s->whole_day = z != NULL && zone_day_start(z, s->day) == s->from_ms &&
                   zone_day_start(z, s->day + 1) == s->until_ms;
    v->used = true;
    archive_init(&v->archive, v->site, s);
    return visit_enter(v, VISIT_ARCHIVING);
}

/* The next day before or after that has a receipt of an earlier run. */
static bool find_beside(const struct visit *v, int64_t *day)
{
    for (int32_t far = 1; far <= 2; far++) {
        enum calendar_mark mark =
            calendar_at(&v->calendar, v->day + far * v->side);
        *day = v->day + far * v->side;
        if (mark != CALENDAR_NONE && mark != CALENDAR_VOID)
            return mark != CALENDAR_SEEN;
    }
    return false;
}

/* Both sides are looked at; then the day is known, and may be of no length. */
static enum flow look_beside(struct visit *v)
{
    int64_t day;
    for (; v->side <= 1; v->side += 2)
        if (find_beside(v, &day))
            return visit_ask(v, day, VISIT_BESIDE);
    if (v->spec.from_ms < v->spec.until_ms)
        return begin_archive(v);
    calendar_set(&v->calendar, v->day, CALENDAR_VOID);
    return visit_enter(v, VISIT_CHOOSING);
}

/* As the configuration has it. */
void visit_set_day(struct visit *v, int64_t day)
{
    const struct zone *z = v->calendar.facts.zone;
    config_spec(v->options.settings, v->options.group, &v->spec);
    v->spec.dry_run = v->options.dry_run;
    v->spec.from_ms = zone_day_start(z, day);
    v->spec.until_ms = zone_day_start(z, day + 1);
    v->day = day;
}

enum flow visit_begin_day(struct visit *v, int64_t day)
{
    visit_set_day(v, day);
    v->side = -1;
    return look_beside(v);
}

static bool is_near(int64_t a, int64_t b)
{
    return a - b < ODD_MS && b - a < ODD_MS;
}

/* The day's window adjoins those beside it; one further off only takes away
 * what it has already. */
static void adjoin(struct visit *v, const struct receipt *r)
{
    struct spec *s = &v->spec;
    bool next = v->asked_day == v->day + v->side;
    if (v->side < 0 && is_near(r->until_ms, s->from_ms) &&
        (next || r->until_ms > s->from_ms))
        s->from_ms = r->until_ms;
    if (v->side > 0 && is_near(r->from_ms, s->until_ms) &&
        (next || r->from_ms < s->until_ms))
        s->until_ms = r->from_ms;
}

enum flow visit_beside(struct visit *v)
{
    enum flow flow = existing_step(&v->looking.existing, v->now);
    if (flow == FLOW_FAILED)
        return visit_give_up(v, &v->looking.existing.fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (visit_found(v) != NULL)
        adjoin(v, visit_found(v));
    v->side += 2;
    return look_beside(v);
}

/* What is recounted is the window and the form of the receipt. */
static bool take_own(struct visit *v, const struct receipt *r)
{
    struct spec *s = &v->spec;
    bool text = view_is(r->format, "text");
    bool known = view_copy(r->timezone, s->timezone, sizeof s->timezone);
    s->format = text ? FORMAT_TEXT : FORMAT_NDJSON;
    s->compress = view_is(r->compression, "zstd")   ? COMPRESS_ZSTD
                  : view_is(r->compression, "none") ? COMPRESS_NONE
                                                    : COMPRESS_GZIP;
    s->field_ingested = (r->fields & RECEIPT_INGESTED) != 0;
    s->field_id = (r->fields & RECEIPT_ID) != 0;
    s->from_ms = r->from_ms;
    s->until_ms = r->until_ms;
    return known && r->state != RECEIPT_SEALED && r->counted &&
           (r->has_settled || r->state == RECEIPT_IMPORTED) &&
           site_now(v->site, v->now).wall_ms >=
               r->until_ms + RECOUNT_AFTER_MS;
}

/* A receipt that is gone or damaged is told by the archive. */
enum flow visit_own(struct visit *v)
{
    const struct existing *e = &v->looking.existing;
    enum flow flow = existing_step(&v->looking.existing, v->now);
    if (flow == FLOW_FAILED)
        return visit_give_up(v, &e->fault);
    if (flow != FLOW_ENDED)
        return flow;
    calendar_set(&v->calendar, v->day, CALENDAR_SEEN);
    if (e->has_receipt &&
        (visit_found(v) == NULL || !take_own(v, visit_found(v))))
        return visit_enter(v, VISIT_CHOOSING);
    return begin_archive(v);
}

/* Groups that can only be exported are refused as the archive would. */
static bool is_readable(const struct visit *v, struct fault *fault)
{
    struct view class = view_of(v->info.log_class);
    if (v->spec.source != SOURCE_READ || view_is(class, "STANDARD"))
        return true;
    return message_refuse(fault, ERROR_CONFIG, "log group \"%\" is of class "
                          "%, whose events cannot be read, only exported: "
                          "\"via\": \"export\"", (const struct view[]){
                          view_of(v->spec.group), class});
}

enum flow visit_plan(struct visit *v, int64_t day, enum visit_due due)
{
    struct fault fault = {0};
    int64_t other;
    visit_set_day(v, day);
    v->spec.day = day;
    v->spec.whole_day = true;
    if (due != VISIT_KEEP && !is_readable(v, &fault))
        return visit_give_up(v, &fault);
    v->due = due;
    v->used = true;  /* groups are looked for as they would be */
    v->beside = 0;
    for (v->side = -1; v->side <= 1; v->side += 2)
        v->beside += due == VISIT_MISSING && find_beside(v, &other);
    if (due == VISIT_KEEP)
        (void)visit_enter(v, VISIT_DONE);
    else
        calendar_set(&v->calendar, day, CALENDAR_SEEN);
    return visit_tell(v, VISIT_DUE, 0);
}

enum flow visit_begin_recount(struct visit *v, int64_t day)
{
    visit_set_day(v, day);
    return visit_ask(v, day, VISIT_OWN);
}

