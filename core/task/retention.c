/* retention.c - see retention.h. */
#include "task/retention.h"

#include "base/trace.h"
#include "base/zone.h"
#include "task/message.h"

enum {
    LATE_DAYS     = 14,  /* PutLogEvents takes events as old */
    BACKFILL_DAYS = 30,  /* so far back a run archives, by default */
};

static const struct operation put_retention = {
    .name = "logs:PutRetentionPolicy",
    .service = SITE_LOGS,
    .method = HTTP_POST,
    .target = "PutRetentionPolicy",
};

static const char *const state_name[] = {"group", "first", "days",
                                         "setting", "done", "failed"};

static enum flow enter(struct retention *r, enum retention_state next)
{
    CHECK(r->state < RETENTION_DONE);
    trace_state("retention", state_name[r->state], state_name[next]);
    r->state = next;
    return next == RETENTION_DONE     ? FLOW_ENDED
           : next == RETENTION_FAILED ? FLOW_FAILED
                                      : FLOW_MOVED;
}

static enum flow fail(struct retention *r, const struct fault *fault)
{
    fault_adopt(&r->fault, fault);
    return enter(r, RETENTION_FAILED);
}

void retention_init(struct retention *r, struct site *site,
                    const struct retention_options *options)
{
    const struct spec *s = options->spec;
    memset(r, 0, offsetof(struct retention, group));
    r->options = *options;
    r->site = site;
    r->zone = zone_find(view_of(s->timezone));
    r->key_spec = *s;
    r->named = INT64_MIN;
    r->state = RETENTION_GROUP;
    CHECK(r->zone != NULL && options->days > 0);
    ring_init(&r->ring, r->bytes, sizeof r->bytes);
    call_init(&r->call, site, &r->ring);
    survey_init(&r->survey, site, view_of(s->bucket));
    group_init(&r->group, &r->call, view_of(s->group),
               (struct span){r->room, sizeof r->room});
}

/* ---- what is wrong ---- */

/* Will a run cure it, if nothing else happens? */
static bool is_passing(const struct retention *r,
                       const struct retention_range *w, int64_t from_ms,
                       int64_t until_ms)
{
    int64_t today = zone_day_of(r->zone, r->now_ms);
    int64_t recount_ms = until_ms + LATE_DAYS * (int64_t)DAY_MS;
    if (recount_ms < r->now_ms)
        recount_ms = r->now_ms;
    switch (w->why) {
    case RETENTION_MISSING:
        return w->first >= today - BACKFILL_DAYS;
    case RETENTION_PROVISIONAL:
        return r->before == 0 || recount_ms < from_ms + r->before * DAY_MS;
    case RETENTION_UNVERIFIED:
        return true;
    case RETENTION_DAMAGED:
    case RETENTION_FOREIGN:
        break;
    }
    return false;
}

static void name_range(struct retention *r, const struct retention_range *w)
{
    struct retention_range *end =
        r->range_count > 0 ? &r->range[r->range_count - 1] : NULL;
    if (end != NULL && !r->more && end->why == w->why &&
        end->last + 1 >= w->first)
        end->last = w->last;
    else if (r->range_count < RETENTION_RANGES)
        r->range[r->range_count++] = *w;
    else
        r->more = true;
}

/* What lies between two instants, as far as it would expire, is wrong. */
static void blame(struct retention *r, int64_t from_ms, int64_t until_ms,
                  enum retention_why why)
{
    int64_t end_ms = until_ms < r->cut_ms ? until_ms : r->cut_ms;
    if (from_ms < r->reached_ms)
        from_ms = r->reached_ms;
    if (from_ms >= end_ms)
        return;
    struct retention_range w = {
        .first = zone_day_of(r->zone, from_ms),
        .last = zone_day_of(r->zone, end_ms - 1), .why = why,
    };
    bool passing = is_passing(r, &w, from_ms, until_ms);
    if (r->wrong == 0 || (!passing && !r->lasting))
        r->cause = w;
    r->lasting |= !passing;
    if (why == RETENTION_PROVISIONAL)
        r->sealed_ms = until_ms + LATE_DAYS * (int64_t)DAY_MS;
    if (w.first <= r->named)
        w.first = r->named + 1;
    if (w.first > w.last)
        return;
    r->wrong += (uint64_t)(w.last - w.first + 1);
    r->named = w.last;
    name_range(r, &w);
}

static bool is_ours(const struct retention *r, const struct receipt *x)
{
    return view_is(x->account, r->group.info.account) &&
           view_is(x->region, r->site->endpoint[SITE_LOGS].region) &&
           view_is(x->group, r->options.spec->group) &&
           x->stream_prefix.len == 0 && x->from_ms < x->until_ms;
}

/* Was the object read back; or does S3, where that cannot be, vouch for it? */
static bool is_verified(const struct existing *e)
{
    struct view class = view_of(e->storage_class);
    bool glacier = view_starts(class, "GLACIER") ||
                   view_starts(class, "DEEP_ARCHIVE");
    return e->receipt.verified_ms != 0 ||
           (glacier && e->receipt.has_crc && e->crc64nvme[0] != '\0');
}

/* A receipt that is there and is this group's. */
static void judge(struct retention *r, const struct existing *e)
{
    const struct receipt *x = &e->receipt;
    bool sealed = x->state == RECEIPT_SEALED ||
                  (x->state == RECEIPT_PROVISIONAL &&
                   r->options.accept_provisional);
    blame(r, r->reached_ms, x->from_ms, RETENTION_MISSING);
    if (x->from_ms > r->reached_ms)
        r->reached_ms = x->from_ms;
    if (!existing_agrees(e))
        blame(r, x->from_ms, x->until_ms, RETENTION_DAMAGED);
    else if (!sealed)
        blame(r, x->from_ms, x->until_ms, RETENTION_PROVISIONAL);
    else if (!is_verified(e))
        blame(r, x->from_ms, x->until_ms, RETENTION_UNVERIFIED);
    if (x->until_ms > r->reached_ms)
        r->reached_ms = x->until_ms;
    r->text_days += view_is(x->format, "text");
}

/* A receipt that tells nothing of this group: its key's day stays open. */
static void judge_other(struct retention *r, int64_t day,
                        enum retention_why why)
{
    int64_t from_ms = zone_day_start(r->zone, day);
    int64_t until_ms = zone_day_start(r->zone, day + 1);
    blame(r, r->reached_ms, from_ms, RETENTION_MISSING);
    if (from_ms > r->reached_ms)
        r->reached_ms = from_ms;
    blame(r, from_ms, until_ms, why);
    if (until_ms > r->reached_ms)
        r->reached_ms = until_ms;
}

static void take(struct retention *r, const struct survey_place *p)
{
    const struct existing *e = &p->existing;
    if (e->damaged)
        judge_other(r, p->tag, RETENTION_DAMAGED);
    else if (e->has_receipt && !is_ours(r, &e->receipt))
        judge_other(r, p->tag, RETENTION_FOREIGN);
    else if (e->has_receipt)
        judge(r, e);
}

/* Names the days; nothing is changed. */
static enum flow refuse(struct retention *r)
{
    char words[FAULT_WORDS_BYTES];
    struct text t;
    text_init(&t, words, sizeof words);
    retention_refuse(&t, r);
    CHECK(!t.overflow);
    fault_set(&r->fault, r->lasting ? ERROR_CORRUPT : ERROR_STOPPED, "", 0);
    fault_words(&r->fault, text_view(&t));
    return enter(r, RETENTION_FAILED);
}

/* ---- the machine ---- */

static enum flow set_it(struct retention *r)
{
    if (r->options.spec->dry_run) {
        r->action = "would set";
        return enter(r, RETENTION_DONE);
    }
    call_begin(&r->call, &put_retention);
    struct text *body = call_body(&r->call);
    text_str(body, "{\"logGroupName\":\"");
    text_json(body, view_of(r->options.spec->group));
    text_str(body, "\",\"retentionInDays\":");
    text_u64(body, r->options.days);
    text_char(body, '}');
    r->action = "set";
    return enter(r, RETENTION_SETTING);
}

static enum flow fail_missing(struct retention *r)
{
    message_no_group(&r->fault, view_of(r->options.spec->group),
                     view_of(r->site->region), view_of(r->group.nearest));
    return enter(r, RETENTION_FAILED);
}

/* What would expire is known to begin at from_ms. */
static enum flow begin_days(struct retention *r)
{
    if (r->from_ms >= r->cut_ms)
        return set_it(r);  /* raised, or young */
    r->reached_ms = r->from_ms;
    r->ask = zone_day_of(r->zone, r->from_ms) - 1;  /* another zone's may */
    r->last = zone_day_of(r->zone, r->cut_ms - 1) + 1;  /* cover a part */
    r->days = (uint64_t)(r->last - r->ask - 1);
    return enter(r, RETENTION_DAYS);
}

/* Are there events older than the group? */
static enum flow on_first(struct retention *r, struct now now)
{
    enum flow flow = first_step(&r->first, now);

    if (flow == FLOW_FAILED)
        return fail(r, &r->first.fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (r->first.found)
        r->from_ms = r->first.at_ms;
    return begin_days(r);
}

static enum flow on_group(struct retention *r, struct now now)
{
    enum flow flow = group_step(&r->group, now);
    const struct group_info *info = &r->group.info;
    const struct fault *fault = &r->group.fault;

    if (flow == FLOW_FAILED)
        return fault->error == ERROR_MISSING && fault->operation == NULL
                   ? fail_missing(r) : fail(r, fault);
    if (flow != FLOW_ENDED)
        return flow;
    r->before = info->retention_days;
    if (r->before == r->options.days) {
        r->action = "unchanged";
        return enter(r, RETENTION_DONE);
    }
    r->now_ms = site_now(r->site, now).wall_ms;
    int64_t held_ms = group_held_from(info, r->now_ms);
    r->from_ms = held_ms > info->creation_ms ? held_ms : info->creation_ms;
    r->cut_ms = r->now_ms - (int64_t)r->options.days * DAY_MS;
    int64_t old_ms = info->creation_ms - LATE_DAYS * (int64_t)DAY_MS;
    struct first_scope scope = {
        .group = view_of(r->options.spec->group),
        .from_ms = held_ms > old_ms ? held_ms : old_ms,
        .until_ms = r->from_ms < r->cut_ms ? r->from_ms : r->cut_ms,
        .room = {r->room, sizeof r->room},
    };
    /* Of another class no event can be asked for. */
    if (scope.from_ms >= scope.until_ms ||
        strcmp(info->log_class, "STANDARD") != 0)
        return begin_days(r);
    first_init(&r->first, &r->call, &scope);
    return enter(r, RETENTION_FIRST);
}

/* Asks for the receipt of the next day. */
static bool ask_day(struct retention *r)
{
    const struct plan_place place = {
        .account = view_of(r->group.info.account),
        .region = view_of(r->site->endpoint[SITE_LOGS].region),
    };
    char key[SPEC_KEY_BYTES], receipt[SURVEY_KEY_BYTES];
    struct text k, x;

    text_init(&k, key, sizeof key);
    text_init(&x, receipt, sizeof receipt);
    r->key_spec.day = r->ask;
    if (!plan_key(&r->key_spec, &place, &k, &r->fault))
        return false;
    receipt_key(&x, text_view(&k), "receipt");
    CHECK(!x.overflow);
    survey_ask(&r->survey, text_view(&x), r->ask);
    r->ask++;
    return true;
}

static enum flow on_days(struct retention *r, struct now now)
{
    while (r->ask <= r->last && !survey_full(&r->survey))
        if (!ask_day(r))
            return enter(r, RETENTION_FAILED);
    enum flow flow = survey_step(&r->survey, now);
    if (flow == FLOW_FAILED)
        return fail(r, &r->survey.fault);
    if (flow == FLOW_WANT_ROOM) {
        take(r, survey_eldest(&r->survey));
        survey_take(&r->survey);
        return FLOW_MOVED;
    }
    if (flow != FLOW_ENDED)
        return flow;
    blame(r, r->reached_ms, r->cut_ms, RETENTION_MISSING);
    return r->wrong > 0 ? refuse(r) : set_it(r);
}

static enum flow on_setting(struct retention *r, struct now now)
{
    enum flow flow = call_step(&r->call, now);
    if (flow == FLOW_FAILED)
        return fail(r, &r->call.fault);
    return flow == FLOW_ENDED ? enter(r, RETENTION_DONE) : flow;
}

enum flow retention_step(struct retention *r, struct now now)
{
    switch (r->state) {
    case RETENTION_GROUP:   return on_group(r, now);
    case RETENTION_FIRST:   return on_first(r, now);
    case RETENTION_DAYS:    return on_days(r, now);
    case RETENTION_SETTING: return on_setting(r, now);
    case RETENTION_DONE:    return FLOW_ENDED;
    case RETENTION_FAILED:  break;
    }
    return FLOW_FAILED;
}

void retention_cancel(struct retention *r)
{
    call_cancel(&r->call);
    survey_cancel(&r->survey);
}

int64_t retention_wake_ms(const struct retention *r)
{
    return r->state == RETENTION_DAYS ? survey_wake_ms(&r->survey)
                                      : call_wake_ms(&r->call);
}
