/* test_export.c - an export task is made once, waited for, and joined.
 * Method: the machine over the simulated AWS (sim.h), in virtual time, one run
 * after the other. Rows of what happens to the task; then each request is
 * faulted, and each step is the last of a run: the next one ends it. */
#include <stdlib.h>

#include "fetch/export.h"
#include "row.h"
#include "sim.h"

#define FROM   INT64_C(1794182400000)  /* 2026-11-09 */
#define UNTIL  (FROM + DAY_MS)
#define NOW    (UNTIL + 13 * (int64_t)HOUR_MS)
#define GROUP  "/sim/group"
#define BUCKET "sim-bucket"
#define PREFIX "logs/_events.export"
#define POLICY(who, acl, put) \
    "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":" \
    "\"" who "\"},\"Action\":[\"" acl "\",\"" put "\"]}]}"
#define GOOD POLICY("logs.us-east-1.amazonaws.com", "s3:GetBucketAcl", \
                    "s3:PutObject")

enum { HOUR_MS = 3600000, RING_BYTES = 8192, SPINS_MOST = 1000,
       STEPS_MOST = 200000, EVENTS = 30 };

static struct aws        *model;
static struct transport   network;
static struct site        site;
static struct call        call;
static struct ring        ring;
static struct export      job;
static struct export_spec spec;
static uint64_t           seed, steps;
static bool               queued;   /* the last run had to */
static enum export_state  deadly;   /* a run that gets there dies */
static uint8_t            ring_bytes[RING_BYTES];
static _Alignas(8) uint8_t room[EXPORT_ROOM_BYTES];

static void open_world(void)
{
    model = aws_new(1, "us-east-1", "111122223333");
    seed = 1;
    deadly = EXPORT_FAILED;
    aws_create_bucket(model, BUCKET, NULL, NULL);
    aws_set_policy(model, BUCKET, GOOD);
    aws_create_group(model, GROUP, FROM - DAY_MS);
    CHECK(aws_set(model, "latency", 20));
    for (int i = 0; i < EVENTS; i++) {
        int64_t at_ms = FROM + i * (int64_t)HOUR_MS / 2;
        aws_put_event(model, GROUP, i % 2 == 0 ? "a/even" : "odd", at_ms,
                      at_ms + 1000, aws_str("one line"));
    }
    spec = (struct export_spec){
        .group = view_of(GROUP), .from_ms = FROM, .until_ms = UNTIL,
        .bucket = view_of(BUCKET), .prefix = view_of(PREFIX),
        .region = view_of("us-east-1"), .since_ms = NOW,
    };
}

static void close_world(void)
{
    aws_free(model);
}

static void begin_site(int64_t wall_ms)
{
    memset(&site, 0, sizeof site);
    sim_init(&network, model, seed++, wall_ms);
    sim_site(&site, &network, 20, seed);
    ring_init(&ring, ring_bytes, sizeof ring_bytes);
    call_init(&call, &site, &ring);
}

static void begin_run(int64_t wall_ms)
{
    begin_site(wall_ms);
    export_init(&job, &call, &spec, (struct span){room, sizeof room});
    queued = false;
    steps = 0;
}

/* Until it ends; or so many steps, or in the deadly state, where it dies:
 * FLOW_MOVED then. */
static enum flow go_on(uint64_t most)
{
    for (uint32_t spins = 0; steps < most && job.state != deadly;) {
        enum flow flow = export_step(&job, sim_now(&network));
        queued |= job.state == EXPORT_QUEUING;
        assert_true(++steps < STEPS_MOST);
        if (flow == FLOW_ENDED || flow == FLOW_FAILED) {
            sim_kill(&network);
            return flow;
        }
        if (flow == FLOW_MOVED)
            continue;
        int64_t wake = export_wake_ms(&job);
        spins = wake <= network.mono_ms ? spins + 1 : 0;
        assert_true(spins < SPINS_MOST);
        assert_true(sim_advance(&network, wake));
    }
    export_cancel(&job);
    sim_kill(&network);
    return FLOW_MOVED;
}

static enum flow run(int64_t wall_ms)
{
    begin_run(wall_ms);
    return go_on(UINT64_MAX);
}

/* A run that dies in that state. */
static void run_until(int64_t wall_ms, enum export_state state)
{
    deadly = state;
    (void)run(wall_ms);
    deadly = EXPORT_FAILED;
}

/* A task of somebody else's, which has the slot for a minute. */
static void take_slot(int64_t wall_ms)
{
    struct export_spec ours = spec;
    spec.prefix = view_of("others");
    run_until(wall_ms, EXPORT_PENDING);
    spec = ours;
}

static void cancel_task(int64_t wall_ms)
{
    static const struct operation cancel = {
        .name = "logs:CancelExportTask", .service = SITE_LOGS,
        .method = HTTP_POST, .target = "CancelExportTask",
    };
    enum flow flow = FLOW_MOVED;
    begin_site(wall_ms);
    call_begin(&call, &cancel);
    text_str(call_body(&call), "{\"taskId\":\"");
    text_str(call_body(&call), job.id);
    text_str(call_body(&call), "\"}");
    while ((flow = call_step(&call, sim_now(&network))) != FLOW_ENDED)
        if (flow != FLOW_MOVED)
            assert_true(sim_advance(&network, call_wake_ms(&call)));
    sim_kill(&network);
}

static uint64_t creations(void)
{
    return aws_counted(model, "CreateExportTask").requests;
}

/* The files of the task: a folder a stream, and AWS's probe. */
static bool is_there(const char *name)
{
    char key[EXPORT_PREFIX_BYTES + EXPORT_ID_BYTES + 64];
    struct aws_object_info info;
    (void)snprintf(key, sizeof key, "%s%s", job.files, name);
    return aws_object(model, BUCKET, key, &info);
}

static bool is_exported(enum flow flow)
{
    struct aws_object_info info;
    return flow == FLOW_ENDED && job.id[0] != '\0' && job.created_ms > 0 &&
           strncmp(job.files, PREFIX "/", sizeof PREFIX) == 0 &&
           strncmp(job.name, "firn-2026-11-09-", 16) == 0 &&
           is_there("a-even/000000.gz") && is_there("odd/000000.gz") &&
           aws_object(model, BUCKET, PREFIX "/" EXPORT_PROBE, &info);
}

static bool fails_so(enum flow flow, enum error error, const char *words)
{
    bool so = flow == FLOW_FAILED && job.fault.error == error &&
              (strstr(job.fault.words, words) != NULL ||
               strstr(job.fault.what, words) != NULL);
    if (!so)
        fprintf(stderr, "  flow %d, error %d %s: %s %s\n", (int)flow,
                (int)job.fault.error, job.fault.what, job.fault.code,
                job.fault.words);
    return so;
}

/* --- it is made, or joined ------------------------------------------------ */

static void one_task(void **state)
{
    (void)state;
    open_world();
    assert_true(is_exported(run(NOW)));
    assert_false(job.joined);
    assert_false(queued);
    assert_int_equal(creations(), 1);
    assert_true(network.mono_ms > 60000 && network.mono_ms < 100000);
    close_world();
}

static void another_has_the_slot(void **state)
{
    (void)state;
    open_world();
    take_slot(NOW);
    assert_true(is_exported(run(NOW + 1000)));
    assert_true(queued);
    assert_false(job.joined);
    close_world();
}

static void the_next_run_joins(void **state)
{
    static const enum export_state states[] = {EXPORT_PENDING, EXPORT_RUNNING,
                                               EXPORT_DONE};
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(states); i++) {
        char id[EXPORT_ID_BYTES];
        open_world();
        run_until(NOW, states[i]);
        memcpy(id, job.id, sizeof id);
        assert_true(is_exported(run(NOW + 90000)));
        assert_string_equal(job.id, id);
        assert_true(job.joined);
        assert_int_equal(creations(), 1);
        close_world();
    }
}

/* What was done before this work began may be cleaned up already. */
static void an_old_task_is_not_joined(void **state)
{
    (void)state;
    open_world();
    assert_true(is_exported(run(NOW)));
    spec.since_ms = NOW + HOUR_MS;
    assert_true(is_exported(run(NOW + HOUR_MS)));
    assert_false(job.joined);
    assert_int_equal(creations(), 2);
    close_world();
}

static void what_differs_is_another_task(void **state)
{
    char name[EXPORT_NAME_BYTES];
    (void)state;
    open_world();
    assert_true(is_exported(run(NOW)));
    memcpy(name, job.name, sizeof name);
    struct export_spec first = spec;
    for (int i = 0; i < 5; i++) {
        spec = first;
        if (i == 0) spec.until_ms--;
        if (i == 1) spec.from_ms++;
        if (i == 2) spec.stream_prefix = view_of("o");
        if (i == 3) spec.prefix = view_of(PREFIX "2");
        if (i == 4) spec.group = view_of("/sim/group2");
        begin_run(NOW);
        assert_string_not_equal(job.name, name);
    }
    spec = first;
    spec.stream_prefix = view_of("o");
    assert_int_equal(run(NOW + 90000), FLOW_ENDED);
    assert_false(job.joined);
    assert_true(is_there("odd/000000.gz") && !is_there("a-even/000000.gz"));
    close_world();
}

static void many_tasks_are_paged(void **state)
{
    (void)state;
    open_world();
    CHECK(aws_set(model, "export-time", 1));
    assert_true(is_exported(run(NOW)));
    char id[EXPORT_ID_BYTES];
    memcpy(id, job.id, sizeof id);
    for (int i = 1; i <= 25; i++)
        take_slot(NOW + i * 10000);
    assert_true(is_exported(run(NOW + HOUR_MS)));
    assert_string_equal(job.id, id);
    uint64_t lists = aws_counted(model, "DescribeExportTasks").requests;
    spec.since_ms = NOW + HOUR_MS;  /* all are old: a page tells */
    assert_true(is_exported(run(NOW + HOUR_MS)));
    assert_false(job.joined);
    assert_true(aws_counted(model, "DescribeExportTasks").requests - lists
                < 6);
    close_world();
}

/* --- answers that are lost ------------------------------------------------ */

static void a_lost_answer_is_settled(void **state)
{
    static const struct { const char *name, *fault; int64_t hidden; }
    cases[] = {
        {"done, the answer lost", "CreateExportTask #1 lost", 0},
        {"done, the answer cut", "CreateExportTask #1 cut=5", 0},
        {"done, answered with 500",
         "CreateExportTask #1 after error=InternalFailure status=500", 0},
        {"done, not listed at once", "CreateExportTask #1 lost", 8000},
        {"not done", "CreateExportTask #1 reset", 0},
        {"not done, with 500",
         "CreateExportTask #1 error=InternalFailure status=500", 0},
        {"throttled", "CreateExportTask #1-4 error=ThrottlingException", 0},
        {"listed late", "* #999 reset", 8000},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(cases); i++) {
        open_world();
        CHECK(aws_set(model, "export-hidden", cases[i].hidden));
        assert_true(aws_fault(model, cases[i].fault));
        bool ok = is_exported(run(NOW));
        aws_clear_faults(model);
        spec.since_ms = NOW + DAY_MS;
        CHECK(aws_set(model, "export-hidden", 0));
        ok = ok && is_exported(run(NOW + DAY_MS)) && !job.joined;
        failures += BROKEN(cases[i].name, ok);
        close_world();
    }
    assert_int_equal(failures, 0);
}

static void it_does_not_go_on_for_ever(void **state)
{
    (void)state;
    open_world();
    assert_true(aws_fault(model, "CreateExportTask reset"));
    assert_true(fails_so(run(NOW), ERROR_NETWORK, ""));
    close_world();
    open_world();
    CHECK(aws_set(model, "export-hidden", DAY_MS));
    assert_true(fails_so(run(NOW), ERROR_REMOTE, "does not know"));
    close_world();
}

static void every_request_faulted(void **state)
{
    static const char *const manners[] = {"lost", "reset", "cut=?", "html "
        "error=x status=503", "error=AccessDeniedException status=403"};
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(manners); i++)
        for (uint32_t nth = 1; nth <= 12; nth++) {
            char line[96];
            open_world();
            (void)snprintf(line, sizeof line, "* #%u %s", nth, manners[i]);
            assert_true(aws_fault(model, line));
            enum flow flow = run(NOW);
            bool ok = is_exported(flow) ||
                      (i == 4 && job.fault.error == ERROR_DENIED);
            aws_clear_faults(model);
            ok = ok && is_exported(run(NOW + HOUR_MS)) && creations() <= 3;
            failures += BROKEN(line, ok);
            close_world();
        }
    assert_int_equal(failures, 0);
}

/* Whenever it dies, one task is made for both runs. */
static void it_dies_anywhere(void **state)
{
    bool more = true;
    (void)state;
    for (uint64_t most = 1; more; most++) {
        open_world();
        begin_run(NOW);
        more = go_on(most) == FLOW_MOVED;
        bool ok = is_exported(run(NOW + 5000)) && !queued &&
                  (creations() == 1 || !job.joined);
        close_world();
        if (!ok)
            fail_msg("after %d steps", (int)most);
    }
}

/* --- how it fails --------------------------------------------------------- */

static void nothing(void) {}
static void all_fail(void) { CHECK(aws_set(model, "export-fails", 1000)); }
static void takes_a_day(void)
{
    CHECK(aws_set(model, "export-time", DAY_MS));
}
static void no_policy(void) { aws_set_policy(model, BUCKET, NULL); }
static void other_region(void)
{
    aws_set_policy(model, BUCKET, POLICY("logs.eu-west-1.amazonaws.com",
                                         "s3:GetBucketAcl", "s3:PutObject"));
}
static void no_put(void)
{
    aws_set_policy(model, BUCKET, POLICY("logs.us-east-1.amazonaws.com",
                                         "s3:GetBucketAcl", "s3:GetObject"));
}
static void no_policy_unseen(void)
{
    no_policy();
    assert_true(aws_fault(model, "GetBucketPolicy error=AccessDenied "
                          "status=403"));
}
static void not_json(void)
{
    aws_set_policy(model, BUCKET, "<Policy/> \"logs.amazonaws.com\" "
                   "\"s3:*\"");
}
static void no_bucket(void) { spec.bucket = view_of("nothing-there"); }
static void no_group(void) { spec.group = view_of("/none"); }
static void always_full(void)
{
    assert_true(aws_fault(model, "CreateExportTask "
                          "error=LimitExceededException status=400"));
}
static void too_young(void)
{
    spec.from_ms += 2 * HOUR_MS;
    spec.until_ms += 2 * HOUR_MS;
}
static void before_the_group(void)
{
    spec.from_ms -= 9 * (int64_t)DAY_MS;
    spec.until_ms -= 9 * (int64_t)DAY_MS;
}
static void denied(void)
{
    assert_true(aws_fault(model, "CreateExportTask "
                          "error=AccessDeniedException status=403"));
}

static const struct row {
    const char *name;
    void      (*make)(void);
    enum error  error;     /* ERROR_NONE: it is exported */
    const char *words;
} rows[] = {
    {"the task fails", all_fail, ERROR_REMOTE, "ended FAILED, and nothing of "
     "it is used. AWS: \"Failed while writing to the bucket\""},
    {"it runs for a day", takes_a_day, ERROR_REMOTE, "export a smaller range"},
    {"the bucket has no policy", no_policy, ERROR_CONFIG, "does not let "
     "CloudWatch Logs do s3:GetBucketAcl and s3:PutObject, which an export "
     "needs. Add what this prints: firn policy --bucket"},
    {"one for another region", other_region, ERROR_CONFIG,
     "firn policy --bucket"},
    {"one without PutObject", no_put, ERROR_CONFIG, "Logs do s3:PutObject,"},
    {"none, and it cannot be seen", no_policy_unseen, ERROR_CONFIG,
     "firn policy --bucket. AWS: \"GetBucketAcl call"},
    {"one that is not JSON is left to AWS", not_json, ERROR_NONE, ""},
    {"no bucket", no_bucket, ERROR_CONFIG,
     "AWS: \"The given bucket does not exist"},
    {"no group", no_group, ERROR_MISSING, "does not exist"},
    {"the slot is never free", always_full, ERROR_STOPPED,
     "for 24 hours other export tasks held"},
    {"a window that ended 11 h ago", too_young, ERROR_STOPPED,
     "run again after 2026-11-10T14:00:00.000Z"},
    {"a window before the group", before_the_group, ERROR_CONFIG,
     "The time range is not valid"},
    {"no permission", denied, ERROR_DENIED, ""},
    {"all is well", nothing, ERROR_NONE, ""},
};

static void how_it_fails(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        open_world();
        row->make();
        enum flow flow = run(NOW);
        failures += BROKEN(row->name, row->error == ERROR_NONE
                           ? is_exported(flow)
                           : fails_so(flow, row->error, row->words));
        close_world();
    }
    assert_int_equal(failures, 0);
}

/* A task that failed or was cancelled is not joined by the next run. */
static void a_failed_task_is_left(void **state)
{
    char id[EXPORT_ID_BYTES];
    (void)state;
    open_world();
    run_until(NOW, EXPORT_RUNNING);
    memcpy(id, job.id, sizeof id);
    CHECK(aws_set(model, "export-cancel", 30000));
    cancel_task(NOW + 20000);
    assert_true(is_exported(run(NOW + 21000)));
    assert_string_not_equal(job.id, id);
    assert_true(queued);
    close_world();
    open_world();
    CHECK(aws_set(model, "export-fails", 1000));
    assert_true(fails_so(run(NOW), ERROR_REMOTE, "ended FAILED"));
    CHECK(aws_set(model, "export-fails", 0));
    assert_true(is_exported(run(NOW + HOUR_MS)));
    assert_false(job.joined);
    close_world();
}

static void cancelled_while_it_waits(void **state)
{
    struct export kept;
    (void)state;
    open_world();
    run_until(NOW, EXPORT_RUNNING);
    kept = job;
    cancel_task(NOW + 20000);
    begin_site(NOW + 21000);
    job = kept;  /* the same run goes on */
    job.resume_mono_ms = network.mono_ms;
    assert_true(fails_so(go_on(UINT64_MAX), ERROR_REMOTE,
                         "ended PENDING_CANCEL, and nothing of it is used"));
    close_world();
}

static void a_deadline(void **state)
{
    (void)state;
    open_world();
    take_slot(NOW);
    begin_run(NOW + 1000);
    site.deadline_mono_ms = network.mono_ms + 20000;
    assert_true(fails_so(go_on(UINT64_MAX), ERROR_STOPPED,
                         "while another export task holds"));
    assert_true(network.mono_ms <= site.deadline_mono_ms + 1000);
    close_world();
    open_world();
    begin_run(NOW);
    site.deadline_mono_ms = network.mono_ms + 20000;
    assert_true(fails_so(go_on(UINT64_MAX), ERROR_STOPPED,
                         "the next run joins it"));
    assert_true(is_exported(run(NOW + 30000)));
    assert_true(job.joined);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_task),
        cmocka_unit_test(another_has_the_slot),
        cmocka_unit_test(the_next_run_joins),
        cmocka_unit_test(an_old_task_is_not_joined),
        cmocka_unit_test(what_differs_is_another_task),
        cmocka_unit_test(many_tasks_are_paged),
        cmocka_unit_test(a_lost_answer_is_settled),
        cmocka_unit_test(it_does_not_go_on_for_ever),
        cmocka_unit_test(every_request_faulted),
        cmocka_unit_test(it_dies_anywhere),
        cmocka_unit_test(how_it_fails),
        cmocka_unit_test(a_failed_task_is_left),
        cmocka_unit_test(cancelled_while_it_waits),
        cmocka_unit_test(a_deadline),
    };
    return RUN(tests);
}
