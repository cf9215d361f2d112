/* test_recount.c - past its horizon a provisional archive is counted again, and
 * is sealed, made anew or left alone.
 * Method: whole jobs over the simulated AWS (archive_rig.h): a day is archived
 * an hour after its end, something happens to the group, and two weeks later a
 * second job comes. Then that job dies after each step, and each of its
 * requests is faulted, and a third ends what it began. */
#include "archive_rig.h"

#define FIRST (DAY_FROM + DAY_MS + HOUR_MS)
#define LATER (DAY_FROM + 15 * (int64_t)DAY_MS + HOUR_MS)

/* --- what happens in between --------------------------------------------- */

static void late_events(void)
{
    put_event("even", DAY_FROM + 5, FIRST + DAY_MS, "late one");
    put_event("other", DAY_FROM + 23 * (int64_t)HOUR_MS, FIRST + DAY_MS,
              "late two");
}

/* CloudWatch had it before the archive began, and did not show it yet. */
static void shown_late(void)
{
    put_event("even", DAY_FROM + 5, FIRST - 5000, "shown late");
}

static void outside_of_the_day(void)
{
    put_event("even", DAY_FROM - 1, FIRST + DAY_MS, "before");
    put_event("even", DAY_FROM + DAY_MS, FIRST + DAY_MS, "behind");
}

static void stream_deleted(void)
{
    aws_delete_stream(model, GROUP, "odd");
}

static void stream_of_others(void)
{
    stream_deleted();
    for (int i = 0; i < 10; i++)
        put_event("new", DAY_FROM + i, FIRST + DAY_MS, "instead");
}

static void stream_of_more(void)
{
    stream_of_others();
    for (int i = 0; i < 10; i++)
        put_event("new", DAY_FROM + i, FIRST + DAY_MS, "more");
}

static void all_deleted(void)
{
    stream_deleted();
    aws_delete_stream(model, GROUP, "even");
}

static void created_again(void)
{
    aws_delete_group(model, GROUP);
    aws_create_group(model, GROUP, FIRST + DAY_MS);
    put_day();
}

static void created_again_empty(void)
{
    aws_delete_group(model, GROUP);
    aws_create_group(model, GROUP, FIRST + DAY_MS);
}

static void keeps_14_days(void)
{
    aws_group_policy(model, GROUP, "STANDARD", 14, false);
}

static void keeps_30_days(void)
{
    aws_group_policy(model, GROUP, "STANDARD", 30, false);
}

static void is_masked(void)
{
    aws_group_policy(model, GROUP, "STANDARD", 0, true);
}

static void is_dry(void)
{
    spec.dry_run = true;
}

static void is_fail(void)
{
    spec.if_exists = EXISTS_FAIL;
}

/* The receipt as another made it. */
static void rewrite(const struct receipt *r)
{
    static char json[RECEIPT_BYTES];
    struct text t;
    text_init(&t, json, sizeof json);
    receipt_write(&t, r, NULL);
    aws_add_object(model, "sim-bucket", RECEIPT,
                   (struct aws_text){t.at, t.len}, FIRST);
}

static void not_counted(void)
{
    struct receipt r = receipt_there();
    r.counted = false;
    rewrite(&r);
}

static void not_settled(void)
{
    struct receipt r = receipt_there();
    r.has_settled = false;
    rewrite(&r);
}

static void more_said(void)
{
    struct receipt r = receipt_there();
    r.tally.events += 100;
    rewrite(&r);
}

static void expires_meanwhile(void)
{
    stream_deleted();
    aws_group_policy(model, GROUP, "STANDARD", 16, false);
    CHECK(aws_set(model, "latency:FilterLogEvents", 3000));
}

/* --- the rows ------------------------------------------------------------ */

enum outcome {
    SEALED,    /* the receipt alone is written */
    REPLACED,  /* both are */
    SKIPPED,   /* nothing is */
    REFUSED,   /* exit 65, the receipt says why */
};

static const struct row {
    const char *name;
    void      (*between)(void);
    int64_t     second_ms;     /* 0: LATER */
    enum outcome outcome;
    const char *reason;        /* part of what is said */
    uint64_t    events;        /* of the receipt, in the end */
} rows[] = {
    {"nothing happens", NULL, 0, SEALED, "", 20},
    {"events of other days", outside_of_the_day, 0, SEALED, "", 20},
    {"a retention of 30 days", keeps_30_days, 0, SEALED, "", 20},
    {"late events", late_events, 0, REPLACED, "", 22},
    {"an event shown late", shown_late, 0, REPLACED, "", 21},
    {"a stream is deleted", stream_deleted, 0, REFUSED,
     "a recount on 2026-11-24 found 10 events instead of 20", 20},
    {"all are deleted", all_deleted, 0, REFUSED,
     "found 0 events instead of 20", 20},
    {"as many others", stream_of_others, 0, REFUSED,
     "found 10 events instead of 20", 20},
    {"a stream less, and more late events", stream_of_more, 0, REFUSED,
     "found 10 events instead of 20", 20},
    {"the group is made again, with the same events", created_again, 0,
     REFUSED, "the log group was created after the archive was taken", 20},
    {"the group is made again, empty", created_again_empty, 0, REFUSED,
     "the log group was created after the archive was taken", 20},
    {"a retention of 14 days", keeps_14_days, 0, SKIPPED,
     "CloudWatch deletes it after its retention already", 20},
    {"its events were not counted", not_counted, 0, SKIPPED,
     "as its own events were not counted", 0},
    {"it does not say what was settled", not_settled, 0, SKIPPED,
     "late events may come until 14 days after the window's end", 20},
    {"it says more than there is", more_said, 0, REFUSED,
     "found 20 events instead of 20, or other ones", 120},
    {"it expires while it is counted", expires_meanwhile,
     DAY_FROM + 16 * (int64_t)DAY_MS - 1000, SKIPPED,
     "CloudWatch deletes it after its retention already", 20},
    {"masked now", is_masked, 0, SKIPPED, "as masking differs", 20},
    {"a moment before the horizon", late_events,
     DAY_FROM + 15 * (int64_t)DAY_MS - 5000, SKIPPED,
     "late events may come until 14 days after the window's end", 20},
    {"at the horizon", NULL, DAY_FROM + 15 * (int64_t)DAY_MS, SEALED, "", 20},
    {"a dry run", is_dry, 0, SKIPPED,
     "late events may come until 14 days after the window's end", 20},
    {"--if-exists fail", is_fail, 0, REFUSED, NULL, 20},
};

static bool is_provisional(void)
{
    return receipt_there().state == RECEIPT_PROVISIONAL;
}

static bool ends_so(const struct row *row, enum flow flow, const char *object,
                    const char *receipt)
{
    struct receipt r = receipt_there();
    bool kept = strcmp(name_of(OBJECT), object) == 0;
    bool same = strcmp(name_of(RECEIPT), receipt) == 0;
    switch (row->outcome) {
    case SEALED:
        return flow == FLOW_ENDED && action_is("sealed") && kept && !same &&
               r.state == RECEIPT_SEALED && r.reason.len == 0 &&
               strcmp(job.result.state, "sealed") == 0 &&
               job.result.reason[0] == '\0';
    case REPLACED:
        return flow == FLOW_ENDED && action_is("archived") && !kept &&
               r.state == RECEIPT_SEALED && r.reason.len == 0 &&
               strcmp(job.result.state, "sealed") == 0;
    case SKIPPED:
        return flow == FLOW_ENDED && action_is("skipped") && kept && same &&
               r.state == RECEIPT_PROVISIONAL &&
               strcmp(job.result.state, "provisional") == 0 &&
               view_has(view_of(job.result.reason), row->reason);
    case REFUSED:
        break;
    }
    if (row->reason == NULL)  /* as it stands there */
        return flow == FLOW_FAILED && kept && same;
    return flow == FLOW_FAILED && job.fault.error == ERROR_CORRUPT && kept &&
           !same && r.state == RECEIPT_PROVISIONAL &&
           view_has(view_of(job.fault.words), row->reason) &&
           view_has(r.reason, row->reason);
}

static bool holds(const struct row *row)
{
    put_day();
    if (run_job(FIRST) != FLOW_ENDED || !is_provisional())
        return false;
    if (row->between != NULL)
        row->between();
    const char *object = name_of(OBJECT), *receipt = name_of(RECEIPT);
    int64_t at_ms = row->second_ms != 0 ? row->second_ms : LATER;
    enum flow flow = run_job(at_ms);
    bool ok = ends_so(row, flow, object, receipt) && is_tidy() &&
              receipt_there().tally.events == row->events;
    if (!ok)
        fprintf(stderr, "  flow %d, %s %s (%s), fault: %s\n", (int)flow,
                job.result.action, job.result.state, job.result.reason,
                job.fault.words);
    return ok;
}

/* A third time nothing is to be done, or the same is said again. */
static bool stays(const struct row *row)
{
    const char *object = name_of(OBJECT), *receipt = name_of(RECEIPT);
    enum flow flow = run_job(LATER + DAY_MS);
    bool kept = strcmp(name_of(OBJECT), object) == 0;
    bool same = strcmp(name_of(RECEIPT), receipt) == 0;
    if (row->outcome == REFUSED)
        return flow == FLOW_FAILED && kept && is_tidy();
    return flow == FLOW_ENDED && action_is("skipped") && kept && same &&
           is_tidy();
}

static void what_becomes_of_it(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        open_world();
        failures += BROKEN(rows[i].name, holds(&rows[i]));
        if (rows[i].second_ms == 0)
            failures += BROKEN(rows[i].name, stays(&rows[i]));
        close_world();
    }
    assert_int_equal(failures, 0);
}

static void it_may_not_be_sealed(void **state)
{
    (void)state;
    open_world();
    put_day();
    assert_int_equal(run_job(FIRST), FLOW_ENDED);
    assert_true(aws_fault(model, "PutObject error=AccessDenied status=403"));
    assert_int_equal(run_job(LATER), FLOW_FAILED);
    assert_int_equal(job.fault.error, ERROR_DENIED);
    assert_true(is_provisional());
    close_world();
}

/* --- days of other shapes ------------------------------------------------ */

static void text(void)
{
    spec.format = FORMAT_TEXT;
    spec.compress = COMPRESS_NONE;
}

static void extra_fields(void)
{
    spec.field_id = spec.field_ingested = true;
}

static void one_stream(void)
{
    strcpy(spec.stream_prefix, "e");
}

static void masked_before(void)
{
    aws_group_policy(model, GROUP, "STANDARD", 0, true);
}

static void small_pages(void)
{
    CHECK(aws_set(model, "page-events", 3));
    CHECK(aws_set(model, "repeat-border", 1));
    CHECK(aws_set(model, "empty-pages", 300));
}

static void odd_store(void)
{
    CHECK(aws_set(model, "return-sums", 0));
    CHECK(aws_set(model, "opaque-etags", 1));
}

static void much_noise(void)
{
    CHECK(aws_set(model, "jitter", 300));
    assert_true(aws_fill_group(model, GROUP, &(struct aws_fill){
        .profile = "noise", .spread = "uniform", .from = DAY_FROM,
        .until = DAY_FROM + DAY_MS, .bytes = 14000000, .streams = 4,
        .seed = 5}));
}

static void hostile(void)
{
    assert_true(aws_fill_group(model, GROUP, &(struct aws_fill){
        .profile = "hostile", .spread = "bursts", .from = DAY_FROM,
        .until = DAY_FROM + DAY_MS, .events = 60, .streams = 4, .seed = 5}));
}

static void other_shapes(void **state)
{
    static const struct { const char *name, *key; void (*make)(void); }
    cases[] = {
        {"text", "events.log", text}, {"more fields", OBJECT, extra_fields},
        {"one stream", OBJECT, one_stream},
        {"masked before and now", OBJECT, masked_before},
        {"small pages", OBJECT, small_pages},
        {"a store without checksums", OBJECT, odd_store},
        {"all lanes full of noise", OBJECT, much_noise},
        {"hostile events", OBJECT, hostile},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(cases); i++) {
        open_world();
        put_day();
        cases[i].make();
        bool ok = run_job(FIRST) == FLOW_ENDED && is_provisional();
        const char *object = name_of(cases[i].key);
        ok = ok && object[0] != '\0' && run_job(LATER) == FLOW_ENDED &&
             action_is("sealed") && is_tidy() &&
             receipt_there().state == RECEIPT_SEALED &&
             strcmp(name_of(cases[i].key), object) == 0;
        if (!ok)
            fprintf(stderr, "  %s (%s), fault: %s\n", job.result.action,
                    job.result.reason, job.fault.words);
        failures += BROKEN(cases[i].name, ok);
        close_world();
    }
    assert_int_equal(failures, 0);
}

static void replaced_when_asked(void **state)
{
    (void)state;
    open_world();
    put_day();
    assert_int_equal(run_job(FIRST), FLOW_ENDED);
    const char *object = name_of(OBJECT);
    spec.if_exists = EXISTS_REPLACE;
    assert_int_equal(run_job(LATER), FLOW_ENDED);
    assert_true(action_is("archived"));
    assert_int_equal(receipt_there().state, RECEIPT_SEALED);
    assert_string_not_equal(name_of(OBJECT), object);
    close_world();
}

/* --- death and faults ---------------------------------------------------- */

/* The second job dies or fails; a third, a lease later, ends it well. */
static bool ends_well(const char *fault, uint64_t steps, bool *more)
{
    uint64_t events = receipt_there().tally.events;
    uint64_t before = aws_counted(model, "*").requests;
    uint64_t want = events + 2;
    late_events();
    if (fault != NULL)
        assert_true(aws_fault(model, fault));
    enum flow flow = kill_job(LATER, steps);
    *more = fault != NULL ? aws_counted(model, "*").requests - before >= steps
                          : flow == FLOW_MOVED;
    aws_clear_faults(model);
    uint64_t now = receipt_there().tally.events;
    if (now != events && now != want)
        return false;
    if (run_job(LATER + HOUR_MS) != FLOW_ENDED)
        return false;
    struct receipt r = receipt_there();
    return r.state == RECEIPT_SEALED && r.tally.events == want && is_tidy();
}

static void it_dies_anywhere(void **state)
{
    bool more = true;
    (void)state;
    for (uint64_t steps = 1; more; steps += 1 + steps / 40) {
        open_world();
        put_day();
        assert_int_equal(run_job(FIRST), FLOW_ENDED);
        if (!ends_well(NULL, steps, &more))
            fail_msg("after %d steps: %s (%s) %s", (int)steps,
                     job.result.action, job.result.reason, job.fault.words);
        close_world();
    }
}

static void every_request_faulted(void **state)
{
    static const char *const manners[] = {"lost", "reset", "cut=?",
        "error=InternalError status=500", "error=AccessDenied status=403"};
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(manners); i++) {
        bool more = true;
        for (uint32_t nth = 1; more && nth < 60; nth++) {
            char line[128];
            open_world();
            put_day();
            assert_int_equal(run_job(FIRST), FLOW_ENDED);
            (void)snprintf(line, sizeof line, "* #%u %s", nth, manners[i]);
            uint64_t before = aws_counted(model, "*").requests;
            bool ok = ends_well(line, UINT64_MAX, &more);
            more = aws_counted(model, "*").requests - before >= nth + 4;
            if (!ok)
                fprintf(stderr, "  %s (%s) %s\n", job.result.action,
                        job.result.reason, job.fault.words);
            failures += BROKEN(line, ok);
            close_world();
        }
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_becomes_of_it),
        cmocka_unit_test(it_may_not_be_sealed),
        cmocka_unit_test(other_shapes),
        cmocka_unit_test(replaced_when_asked),
        cmocka_unit_test(it_dies_anywhere),
        cmocka_unit_test(every_request_faulted),
    };
    return RUN(tests);
}
