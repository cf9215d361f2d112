/* status.c - see status.h. */
#include "task/status.h"

#include "base/trace.h"

static const char *const state_name[] = {"looking", "asking", "ending",
                                         "done", "failed"};

static enum flow enter(struct status *s, enum status_state next)
{
    CHECK(s->state < STATUS_DONE);
    trace_state("status", state_name[s->state], state_name[next]);
    s->state = next;
    return next == STATUS_DONE ? FLOW_ENDED : FLOW_MOVED;
}

static enum flow fail(struct status *s, const struct fault *fault)
{
    fault_adopt(&s->fault, fault);
    (void)enter(s, STATUS_FAILED);
    return FLOW_FAILED;
}

void status_init(struct status *s, struct site *site,
                 const struct status_options *options)
{
    s->options = *options;
    s->site = site;
    s->exit_code = 0;
    s->state = STATUS_LOOKING;
    s->asked = NULL;
    s->legend = false;
    s->held_len = 0;
    fault_reset(&s->fault);
    text_init(&s->out, s->out_bytes, sizeof s->out_bytes);
    catalog_init(&s->catalog, site, options->bucket, options->prefix);
    survey_init(&s->survey, site, options->bucket);
    ring_init(&s->ring, s->bytes, sizeof s->bytes);
    call_init(&s->call, site, &s->ring);
    for (uint32_t i = 0; i < CFG_STATUS_GROUPS; i++)
        s->ledgers[i].used = false;
    if (options->info == NULL)
        return;
    ledger_expect(&s->ledgers[0], options->group,
                  view_of(site->endpoint[SITE_LOGS].region), options->info);
    ledger_zone(&s->ledgers[0], options->zone);
}

/* ---- saying ---- */

/* A day is told: counted, and as a line of JSON. `l` may be NULL. */
static void tell(struct status *s, struct ledger *l,
                 const struct ledger_day *d)
{
    int code = l != NULL ? ledger_add(l, d, s->aws_ms)
                         : fault_exit(ERROR_CORRUPT);
    bool sound = l == NULL && d->state <= LEDGER_IMPORTED;
    s->exit_code = exit_worse(s->exit_code, sound ? 0 : code);
    if (!s->options.draw)
        ledger_day_line(&s->out, l, d, s->options.bucket);
}

/* The end of what is told of a group. */
static void close_ledger(struct status *s, struct ledger *l)
{
    if (s->options.draw)
        ledger_draw(&s->out, l, s->aws_ms);
    else
        ledger_group_line(&s->out, l, s->aws_ms);
    s->legend = true;
    l->used = false;
}

/* ---- gaps ---- */

/* Why a day that is not archived can, or cannot, be archived yet. */
static void judge_gap(const struct status *s, const struct ledger *l,
                      struct ledger_day *d)
{
    int64_t readable_ms = ledger_readable_ms(l, s->aws_ms);
    const char *why = "not archived";
    d->state = d->from_ms >= readable_ms ? LEDGER_MISSING : LEDGER_EXPIRED;
    if (l->asked == LEDGER_GONE)
        why = "not archived before the log group was deleted";
    else if (d->state == LEDGER_EXPIRED && d->from_ms < l->created_ms)
        why = "not archived, and older than the log group that is there now";
    else if (d->until_ms > readable_ms && d->state == LEDGER_EXPIRED)
        why = "not archived before it began to expire; firn archive "
              "--partial stores what is left";
    else if (d->state == LEDGER_EXPIRED)
        why = "not archived before it expired";
    d->reason = view_of(why);
}

/* The next day of what is not archived up to `until_ms`. */
static enum flow tell_gap(struct status *s, struct ledger *l,
                          int64_t until_ms)
{
    int64_t day = zone_day_of(l->zone, l->until_ms);
    int64_t end_ms = zone_day_start(l->zone, day + 1);
    struct ledger_day d = {
        .from_ms = l->until_ms, .zone = l->zone,
        .until_ms = end_ms < until_ms ? end_ms : until_ms,
    };
    judge_gap(s, l, &d);
    tell(s, l, &d);
    return FLOW_MOVED;
}

/* The group that was asked for begins with what is due, if that is earlier
 * than its first receipt. */
static void expect(const struct status *s, struct ledger *l, int64_t from_ms)
{
    bool asked = s->options.info != NULL && l == &s->ledgers[0];
    if (asked && s->options.due_ms < from_ms)
        ledger_begin(l, s->options.due_ms);
}

/* Up to when all days should be archived. */
static int64_t due_ms(const struct status *s, const struct ledger *l)
{
    int64_t today = zone_day_of(l->zone, s->aws_ms);
    return zone_day_start(l->zone, today - s->options.age + 1);
}

/* One day more of the gap at the end, or the end. */
static enum flow finish(struct status *s, struct ledger *l)
{
    expect(s, l, INT64_MAX);
    if (l->begun && l->asked != LEDGER_GONE && l->until_ms < due_ms(s, l))
        return tell_gap(s, l, due_ms(s, l));
    close_ledger(s, l);
    return FLOW_MOVED;
}

/* ---- receipts ---- */

static struct ledger *find_past(struct status *s, struct view key)
{
    for (uint32_t i = 0; i < CFG_STATUS_GROUPS; i++)
        if (s->ledgers[i].used && ledger_is_past(&s->ledgers[i], key))
            return &s->ledgers[i];
    return NULL;
}

/* The group's ledger, or one that is free for it; NULL: all are taken. */
static struct ledger *find_ledger(struct status *s, const struct receipt *r)
{
    struct ledger *spare = NULL;
    for (uint32_t i = 0; i < CFG_STATUS_GROUPS; i++) {
        struct ledger *l = &s->ledgers[i];
        if (l->used && ledger_is_of(l, r))
            return l;
        if (!l->used && spare == NULL)
            spare = l;
    }
    return spare;
}

/* Whose the key must be, if it is by its place. */
static struct ledger *find_by_key(struct status *s, struct view key)
{
    for (uint32_t i = 0; i < CFG_STATUS_GROUPS; i++)
        if (s->ledgers[i].used && ledger_has(&s->ledgers[i], key))
            return &s->ledgers[i];
    return NULL;
}

/* Does the receipt say whose day it is? */
static bool is_of_group(const struct receipt *r)
{
    return r->group.len > 0 && r->group.len < GROUP_NAME_BYTES &&
           r->account.len < GROUP_ACCOUNT_BYTES &&
           r->region.len < REGION_BYTES && r->stream_prefix.len == 0 &&
           r->from_ms < r->until_ms;
}

static void describe(struct ledger_day *d, const struct existing *e)
{
    static const enum ledger_state states[] = {
        [RECEIPT_PROVISIONAL] = LEDGER_PROVISIONAL,
        [RECEIPT_SEALED] = LEDGER_SEALED,
        [RECEIPT_IMPORTED] = LEDGER_IMPORTED,
    };
    const struct receipt *r = &e->receipt;
    const char *doubt = existing_doubt(e);
    const struct zone *zone = zone_find(r->timezone);
    *d = (struct ledger_day){
        .state = doubt != NULL ? LEDGER_DAMAGED : states[r->state],
        .from_ms = r->from_ms, .until_ms = r->until_ms, .key = r->key,
        .reason = doubt != NULL ? view_of(doubt) : r->reason, .receipt = r,
        .zone = zone != NULL ? zone : zone_find(view_of("UTC")),
    };
}

/* "2026-11-09" or "2026/11/09", somewhere in the key. */
static bool find_date(struct view key, int64_t *day)
{
    char bytes[11];
    for (uint32_t at = 0; at + 10 <= key.len; at++) {
        memcpy(bytes, key.at + at, 10);
        bytes[10] = '\0';
        bytes[4] = bytes[4] == '/' ? '-' : bytes[4];
        bytes[7] = bytes[7] == '/' ? '-' : bytes[7];
        if (date_parse_day(view_of(bytes), day))
            return true;
    }
    return false;
}

/* A receipt that cannot be read: of a day, if its key says so. */
static enum flow on_damaged(struct status *s, const struct survey_place *p)
{
    struct view key = view_of(p->key);
    struct ledger *l = find_by_key(s, key);
    const struct existing *e = &p->existing;
    struct ledger_day d = {
        .state = LEDGER_DAMAGED, .key = key,
        .reason = view_of(e->damaged ? e->fault.words : "the receipt is gone"),
        .zone = l != NULL && l->zone != NULL ? l->zone
                                             : zone_find(view_of("UTC")),
    };
    int64_t day;
    if (l != NULL && l->zone != NULL && find_date(key, &day)) {
        d.from_ms = zone_day_start(d.zone, day);
        d.until_ms = zone_day_start(d.zone, day + 1);
        if (ledger_extends(l, &d) && l->until_ms < d.from_ms)
            return tell_gap(s, l, d.from_ms);
    }
    tell(s, l, &d);
    survey_take(&s->survey);
    return FLOW_MOVED;
}

static enum flow ask(struct status *s, struct ledger *l)
{
    const char *here = s->site->endpoint[SITE_LOGS].region;
    bool ours = view_is(view_of(l->region), here);
    if (!ours) {
        l->asked = LEDGER_ELSEWHERE;
        return FLOW_MOVED;
    }
    s->asked = l;
    group_init(&s->group, &s->call, view_of(l->group),
               (struct span){s->room, sizeof s->room});
    s->group.alone = true;
    return enter(s, STATUS_ASKING);
}

static enum flow fail_full(struct status *s)
{
    struct fault fault;
    fault_reset(&fault);
    fault_set(&fault, ERROR_LIMIT, "CFG_STATUS_GROUPS", CFG_STATUS_GROUPS);
    return fail(s, &fault);
}

/* The eldest receipt is known: does what comes before it, one thing a turn,
 * and at last takes it. */
static enum flow on_receipt(struct status *s)
{
    const struct survey_place *p = survey_eldest(&s->survey);
    const struct existing *e = &p->existing;
    struct ledger *l = find_past(s, view_of(p->key));
    struct ledger_day d;

    if (l != NULL)
        return finish(s, l);
    if (!e->has_receipt)
        return on_damaged(s, p);
    describe(&d, e);
    l = is_of_group(&e->receipt) ? find_ledger(s, &e->receipt) : NULL;
    if (is_of_group(&e->receipt) && l == NULL)
        return fail_full(s);
    if (l != NULL && !l->used)
        ledger_init(l, &e->receipt, view_of(p->key));
    if (l != NULL && l->asked == LEDGER_UNASKED)
        return ask(s, l);
    if (l != NULL)
        expect(s, l, d.from_ms);
    if (l != NULL && l->begun && l->until_ms < d.from_ms &&
        ledger_extends(l, &d))
        return tell_gap(s, l, d.from_ms);
    tell(s, l, &d);
    survey_take(&s->survey);
    return FLOW_MOVED;
}

/* ---- the machine ---- */

/* Is it "_*.receipt.json", in any directory? */
static bool is_receipt(struct view key)
{
    struct view file = view_slice(key, view_last(key, '/'), key.len);
    return view_starts(file, "_") &&
           view_ends(key, ".receipt.json");
}

/* The receipt held back goes to the survey, with what was listed after it. */
static bool release(struct status *s, const struct catalog_entry *next)
{
    struct view key = {(const uint8_t *)s->held, s->held_len};
    if (key.len == 0)
        return true;
    if (survey_full(&s->survey))
        return false;
    survey_ask(&s->survey, key, 0);
    if (next != NULL)
        survey_listed(&s->survey, next);
    s->held_len = 0;
    return true;
}

/* Moves keys of receipts from the list to the survey. */
static enum flow feed(struct status *s)
{
    enum flow flow = catalog_step(&s->catalog, s->now);
    const struct catalog_entry *e = &s->catalog.entry;
    if (flow == FLOW_ENDED)
        return release(s, NULL) ? flow : FLOW_WANT_EVENT;
    if (flow != FLOW_WANT_ROOM)
        return flow;
    if (!release(s, e))
        return FLOW_WANT_EVENT;
    if (is_receipt(text_view(&e->key))) {
        memcpy(s->held, e->key.at, e->key.len);
        s->held_len = e->key.len;
    }
    catalog_take(&s->catalog);
    return FLOW_MOVED;
}

static enum flow on_looking(struct status *s)
{
    enum flow listed = feed(s);
    enum flow found = survey_step(&s->survey, s->now);

    if (listed == FLOW_FAILED)
        return fail(s, &s->catalog.fault);
    if (found == FLOW_FAILED)
        return fail(s, &s->survey.fault);
    if (found == FLOW_WANT_ROOM)
        return on_receipt(s);
    if (found == FLOW_ENDED && listed == FLOW_ENDED)
        return enter(s, STATUS_ENDING);
    return found == FLOW_MOVED || listed == FLOW_MOVED ? FLOW_MOVED
                                                       : FLOW_WANT_EVENT;
}

static enum flow on_asking(struct status *s)
{
    struct ledger *l = s->asked;
    (void)feed(s);  /* a failure stays, and is told when looking again */
    (void)survey_step(&s->survey, s->now);
    enum flow flow = group_step(&s->group, s->now);
    const struct group_info *info = &s->group.info;
    const struct fault *fault = &s->group.fault;

    if (flow == FLOW_FAILED && (fault->error != ERROR_MISSING ||
                                fault->operation != NULL))
        return fail(s, fault);
    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    l->asked = flow == FLOW_FAILED ? LEDGER_GONE : LEDGER_THERE;
    if (flow == FLOW_ENDED && !view_is(view_of(l->account), info->account))
        l->asked = LEDGER_ELSEWHERE;
    l->created_ms = info->creation_ms;
    l->retention_days = info->retention_days;
    return enter(s, STATUS_LOOKING);
}

static enum flow on_ending(struct status *s)
{
    for (uint32_t i = 0; i < CFG_STATUS_GROUPS; i++)
        if (s->ledgers[i].used)
            return finish(s, &s->ledgers[i]);
    if (s->options.draw && s->legend && s->options.info == NULL)
        ledger_legend(&s->out);
    return enter(s, STATUS_DONE);
}

enum flow status_step(struct status *s, struct now now)
{
    s->now = now;
    s->aws_ms = site_now(s->site, now).wall_ms;
    if (s->out.len + LEDGER_LINE_BYTES > s->out.capacity)
        return FLOW_WANT_ROOM;
    switch (s->state) {
    case STATUS_LOOKING: return on_looking(s);
    case STATUS_ASKING:  return on_asking(s);
    case STATUS_ENDING:  return on_ending(s);
    case STATUS_DONE:    return FLOW_ENDED;
    case STATUS_FAILED:  break;
    }
    return FLOW_FAILED;
}

int64_t status_wake_ms(const struct status *s)
{
    int64_t list = catalog_wake_ms(&s->catalog);
    int64_t survey = survey_wake_ms(&s->survey);
    int64_t group = s->state == STATUS_ASKING ? call_wake_ms(&s->call)
                                              : INT64_MAX;
    int64_t least = list < survey ? list : survey;
    return group < least ? group : least;
}
