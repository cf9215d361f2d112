/* test_exporting.c - archives by way of an export, over the model of CloudWatch
 * Logs and S3, in virtual time.
 * Method: rows turn what the model lets vary (files, their order, what is
 * selected by); the object must hold the lines of the window's events, no more
 * and no less, and nothing else may be left in the bucket. Then tasks that
 * fail, a slot that is taken for hours, the recount after, and a run that is
 * killed after every so many steps, or of which a request is lost. */
#include "archive_rig.h"

enum { OUT_BYTES = 1 << 20, LINES_MOST = 4000, EVENTS = 240 };
#define UNTIL  (DAY_FROM + DAY_MS)
#define NOW_MS (UNTIL + 13 * (int64_t)HOUR_MS)
#define SETTLED_MS (UNTIL + 15 * DAY_MS)
#define TEXT   "events.log.gz"
#define POLICY \
    "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":" \
    "\"logs.us-east-1.amazonaws.com\"},\"Action\":[\"s3:GetBucketAcl\"," \
    "\"s3:PutObject\"]}]}"

static char     got_bytes[OUT_BYTES], want_bytes[OUT_BYTES];
static char    *got[LINES_MOST], *want[LINES_MOST];
static size_t   want_lines;

/* --- the world ------------------------------------------------------------ */

/* Two streams; some events are around the window, and some came late. */
static void put_events(void)
{
    char message[64];

    for (int i = -20; i < EVENTS + 20; i++) {
        int64_t at_ms = DAY_FROM + i * (DAY_MS / EVENTS);
        int64_t late_ms = i % 7 == 0 ? 3 * HOUR_MS : 1000;
        (void)snprintf(message, sizeof message, "event %d", i);
        put_event("a/even", at_ms, at_ms + late_ms, message);
        (void)snprintf(message, sizeof message, "odd %d", i);
        put_event("odd", at_ms, at_ms + 1000, message);
    }
}

static void open_export(void)
{
    open_world();
    aws_set_policy(model, "sim-bucket", POLICY);
    spec.source = SOURCE_EXPORT;
    spec.format = FORMAT_TEXT;
}

static void open_filled(void)
{
    open_export();
    put_events();
}

/* --- what is there -------------------------------------------------------- */

static size_t read_object(const char *key, char *to)
{
    size_t len = read_back(key, (struct span){(uint8_t *)to, OUT_BYTES - 1});

    to[len] = '\0';
    return len;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t cut_lines(char *bytes, char **lines)
{
    size_t count = 0;
    for (char *at = bytes; *at != '\0'; count++) {
        char *end = strchr(at, '\n');
        assert_non_null(end);
        assert_true(count < LINES_MOST);
        *end = '\0';
        lines[count] = at;
        at = end + 1;
    }
    qsort(lines, count, sizeof lines[0], by_text);
    return count;
}

/* The window's events as lines, such as came before. */
static void write_wanted(int64_t before_ms)
{
    struct aws_event e;
    struct text t;
    struct aws_cursor *c = aws_events(model, GROUP, spec.from_ms,
                                      spec.until_ms, INT64_MAX);
    text_init(&t, want_bytes, sizeof want_bytes);
    while (aws_next_event(c, &e)) {
        if (e.ingestion >= before_ms)
            continue;
        date_rfc3339(&t, e.timestamp);
        text_char(&t, ' ');
        text_put(&t, (struct view){(const uint8_t *)e.message.at,
                                   (uint32_t)e.message.len});
        text_char(&t, '\n');
    }
    aws_end_events(c);
    assert_false(t.overflow);
}

/* The object has these lines, in whatever order. */
static bool holds_before(int64_t before_ms)
{
    write_wanted(before_ms);
    (void)read_object(TEXT, got_bytes);
    want_lines = cut_lines(want_bytes, want);
    size_t gots = cut_lines(got_bytes, got);

    for (size_t i = 0; i < want_lines && i < gots; i++)
        if (!row_string(got[i], want[i]))
            return false;
    return row_number((int64_t)gots, (int64_t)want_lines);
}

static bool holds(void)
{
    return holds_before(INT64_MAX);
}

/* Tasks that were made, not the refused ones. */
static uint64_t created(void)
{
    struct aws_count c = aws_counted(model, "CreateExportTask");
    return c.requests - c.failed - c.throttled;
}

static void show_left(void)
{
    struct aws_object_info info;
    for (size_t i = 0; aws_object_at(model, "sim-bucket", i, &info); i++)
        fprintf(stderr, "  there is %.*s\n", (int)info.key.len, info.key.at);
    fprintf(stderr, "  %s %s %s %s: %s\n", job.fault.what, job.fault.code,
            job.fault.words, job.about, job.result.action);
}

/* One object, its receipt, and no more. */
static bool only_two(void)
{
    bool tidy = is_tidy() && is_there(TEXT) && is_there(RECEIPT);
    if (!tidy)
        show_left();
    return tidy;
}

static bool run_well(int64_t wall_ms)
{
    enum flow flow = run_job(wall_ms);
    if (flow != FLOW_ENDED)
        show_left();
    return flow == FLOW_ENDED;
}

/* --- what varies ---------------------------------------------------------- */

static void test_exported(void **state)
{
    static const struct row {
        const char *name;
        struct { const char *name; int64_t value; } settings[4];
        bool recompress;
        int64_t before_ms;
    } rows[] = {
        {"by event", {{0}}, false, INT64_MAX},
        {"by ingestion", {{"export-ingested", 1}}, false, UNTIL},
        {"many files", {{"export-file", 500}}, false, INT64_MAX},
        {"unsorted", {{"export-file", 500}, {"export-disorder", 1}}, false,
                     INT64_MAX},
        {"unsorted, by ingestion", {{"export-file", 700},
                     {"export-disorder", 1}, {"export-ingested", 1}}, false,
                     UNTIL},
        {"anew", {{"export-file", 500}}, true, INT64_MAX},
        {"it takes hours", {{"export-time", 7 * HOUR_MS}}, false,
                     INT64_MAX},
        {"listed late", {{"export-hidden", 5000}}, false, INT64_MAX},
        {"no conditions", {{"conditions", 0}}, false, INT64_MAX},
    };
    int broken = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const struct row *r = &rows[i];
        open_filled();
        for (size_t k = 0; k < 4 && r->settings[k].name != NULL; k++)
            assert_true(aws_set(model, r->settings[k].name,
                                r->settings[k].value));
        spec.recompress = r->recompress;
        broken += BROKEN(r->name, run_well(NOW_MS) &&
                         action_is("archived") &&
                         holds_before(r->before_ms) && only_two());
        struct receipt got_receipt = receipt_there();
        broken += BROKEN(r->name, view_is(got_receipt.via, "export") &&
                         got_receipt.state == RECEIPT_PROVISIONAL &&
                         got_receipt.counted && got_receipt.has_settled &&
                         got_receipt.merged_objects > 0 &&
                         view_has(got_receipt.merged_from,
                                  "s3://sim-bucket/_events.export-") &&
                         got_receipt.tally.events == want_lines &&
                         got_receipt.settled.events == want_lines &&
                         got_receipt.bytes_raw ==
                             read_object(TEXT, got_bytes));
        broken += BROKEN(r->name, created() == 1);
        broken += BROKEN(r->name, run_well(NOW_MS + HOUR_MS) &&
                         action_is("skipped") && created() == 1);
        close_world();
    }
    assert_int_equal(broken, 0);
}

static void test_empty(void **state)
{
    int broken = 0;

    (void)state;
    open_export();
    broken += BROKEN("empty", run_well(NOW_MS) && action_is("archived") &&
                     holds() && only_two() &&
                     read_object(TEXT, got_bytes) == 0 &&
                     receipt_there().counted &&
                     receipt_there().tally.events == 0);
    broken += BROKEN("again", run_well(NOW_MS) && action_is("skipped"));
    spec.source = SOURCE_READ;
    broken += BROKEN("sealed", run_well(SETTLED_MS) && action_is("sealed") &&
                     only_two());
    close_world();
    assert_int_equal(broken, 0);
}

/* --- tasks that come to nothing, and tasks of others ---------------------- */

/* Until its export is in that state. */
static enum flow go_until(int64_t wall_ms, enum export_state want_state)
{
    enum flow flow = FLOW_MOVED;

    begin_job(wall_ms);
    for (uint64_t most = 1; flow == FLOW_MOVED; most++) {
        if (job.state == ARCHIVE_EXPORTING && job.export.state == want_state)
            break;
        flow = go_on(most);
    }
    return flow;
}

static void cancel_task(void)
{
    static const struct operation cancel = {
        .name = "logs:CancelExportTask", .service = SITE_LOGS,
        .method = HTTP_POST, .target = "CancelExportTask",
    };
    static uint8_t bytes[4096];
    static struct call call;
    enum flow flow = FLOW_MOVED;
    struct ring ring;

    ring_init(&ring, bytes, sizeof bytes);
    call_init(&call, &site, &ring);
    call_begin(&call, &cancel);
    text_str(call_body(&call), "{\"taskId\":\"");
    text_str(call_body(&call), job.export.id);
    text_str(call_body(&call), "\"}");
    while (flow == FLOW_MOVED ||
           (flow == FLOW_WANT_EVENT &&
            sim_advance(&network, call_wake_ms(&call))))
        flow = call_step(&call, sim_now(&network));
    assert_int_equal(flow, FLOW_ENDED);
}

static bool nothing_stored(void)
{
    bool nothing = !is_there(TEXT) && !is_there(RECEIPT) &&
                   !is_there(LEASE) &&
                   aws_open_uploads(model, "sim-bucket") == 0;
    if (!nothing)
        show_left();
    return nothing;
}

static void test_comes_to_nothing(void **state)
{
    int broken = 0;

    (void)state;
    open_filled();
    assert_true(aws_set(model, "export-fails", 1000));
    broken += BROKEN("failed", run_job(NOW_MS) == FLOW_FAILED &&
                     job.fault.error == ERROR_REMOTE && nothing_stored());
    assert_true(aws_set(model, "export-fails", 0));
    broken += BROKEN("made again", run_well(NOW_MS + HOUR_MS) && holds() &&
                     only_two() && created() == 2);
    close_world();

    open_filled();
    assert_int_equal(go_until(NOW_MS, EXPORT_PENDING), FLOW_MOVED);
    cancel_task();
    broken += BROKEN("cancelled", go_on(UINT64_MAX) == FLOW_FAILED &&
                     job.fault.error == ERROR_REMOTE && nothing_stored());
    broken += BROKEN("made again", run_well(NOW_MS + HOUR_MS) && holds() &&
                     only_two() && created() == 2);
    close_world();

    open_filled();
    broken += BROKEN("too young", run_job(UNTIL + HOUR_MS) == FLOW_FAILED &&
                     job.fault.error == ERROR_STOPPED && nothing_stored() &&
                     created() == 0);
    aws_set_policy(model, "sim-bucket", NULL);
    broken += BROKEN("no policy", run_job(NOW_MS) == FLOW_FAILED &&
                     job.fault.error == ERROR_CONFIG && nothing_stored() &&
                     created() == 0);
    close_world();
    assert_int_equal(broken, 0);
}

/* For hours another has the slot, then ours runs for hours: all the while the
 * lease is ours. */
static void test_slot_is_taken(void **state)
{
    struct aws_object_info info;
    enum flow flow = FLOW_MOVED;
    int64_t oldest_ms = 0;
    int broken = 0;

    (void)state;
    open_filled();
    assert_true(aws_set(model, "export-time", 7 * HOUR_MS));
    strcpy(spec.key, "other.{ext}");
    assert_int_equal(go_until(NOW_MS, EXPORT_PENDING), FLOW_MOVED);
    sim_kill(&network);

    put_event("odd", DAY_FROM + HOUR_MS, NOW_MS + HOUR_MS, "meanwhile");
    strcpy(spec.key, "events.{ext}");
    begin_job(NOW_MS + 1000);
    for (uint64_t most = 1; flow == FLOW_MOVED; most++) {
        flow = go_on(most);
        if (job.state != ARCHIVE_EXPORTING ||
            !aws_object(model, "sim-bucket", LEASE, &info))
            continue;
        int64_t age_ms = network.wall_ms - info.modified;
        oldest_ms = age_ms > oldest_ms ? age_ms : oldest_ms;
    }
    broken += BROKEN("it waits", flow == FLOW_ENDED && holds() &&
                     network.mono_ms > 13 * (int64_t)HOUR_MS &&
                     created() == 2);
    broken += BROKEN("and keeps the lease", oldest_ms < CFG_LEASE_MS);
    broken += BROKEN("what came meanwhile is in it", view_has(
        (struct view){(uint8_t *)got_bytes, OUT_BYTES}, "meanwhile"));
    strcpy(spec.key, "other.{ext}");
    broken += BROKEN("the other goes on, too",
                     run_well(NOW_MS + 20 * HOUR_MS) && created() == 2 &&
                     is_there("other.log.gz"));
    broken += BROKEN("tidy", !aws_object_at(model, "sim-bucket", 4, &info));
    put_event("odd", DAY_FROM + HOUR_MS, NOW_MS + DAY_MS, "later");
    spec.source = SOURCE_READ;
    strcpy(spec.key, "events.{ext}");
    broken += BROKEN("and more since", run_well(SETTLED_MS) &&
                     action_is("archived") && holds());
    close_world();
    assert_int_equal(broken, 0);
}

/* --- the recount ---------------------------------------------------------- */

static void test_recounted(void **state)
{
    static const struct row {
        const char *name;
        enum source_kind source;
        bool ingested, late;
        const char *action;
    } rows[] = {
        {"by reading", SOURCE_READ, false, false, "sealed"},
        {"more was ingested", SOURCE_READ, false, true, "archived"},
        {"the export had less", SOURCE_READ, true, false, "archived"},
        {"via export", SOURCE_EXPORT, false, false, "sealed"},
        {"via export, more", SOURCE_EXPORT, false, true, "archived"},
    };
    int broken = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const struct row *r = &rows[i];
        open_filled();
        assert_true(aws_set(model, "export-ingested", r->ingested));
        broken += BROKEN(r->name, run_well(NOW_MS));
        if (r->late)
            put_event("odd", DAY_FROM + HOUR_MS, NOW_MS + DAY_MS, "late");
        spec.source = r->source;
        broken += BROKEN(r->name, run_well(SETTLED_MS) &&
                         action_is(r->action) && holds() && only_two());
        bool sealed = receipt_there().state == RECEIPT_SEALED;
        broken += BROKEN(r->name, sealed == (r->source == SOURCE_READ ||
                                             !r->late));
        broken += BROKEN(r->name, run_well(SETTLED_MS + DAY_MS) &&
                         action_is(sealed ? "skipped" : "sealed"));
        close_world();
    }
    assert_int_equal(broken, 0);
}

static void test_infrequent_access(void **state)
{
    int broken = 0;

    (void)state;
    open_filled();
    aws_group_policy(model, GROUP, "INFREQUENT_ACCESS", 0, false);
    spec.source = SOURCE_READ;
    broken += BROKEN("read refuses", run_job(NOW_MS) == FLOW_FAILED &&
                     job.fault.error == ERROR_CONFIG && nothing_stored() &&
                     strstr(job.fault.words, "--via export") != NULL);
    spec.source = SOURCE_EXPORT;
    broken += BROKEN("exported", run_well(NOW_MS) && holds() && only_two());
    broken += BROKEN("not recounted", run_well(SETTLED_MS) &&
                     action_is("skipped") && only_two() &&
                     strstr(job.result.reason, "only be exported") != NULL);
    close_world();
    assert_int_equal(broken, 0);
}

/* Stopped, by a signal or a deadline, while a task is under way: the next run
 * joins it, at once. */
static void test_stopped(void **state)
{
    static const struct row {
        const char *name;
        enum export_state state;
    } rows[] = {
        {"while it is made", EXPORT_CREATING},
        {"while it is pending", EXPORT_PENDING},
        {"while it is asked for", EXPORT_ASKING},
        {"while it runs", EXPORT_RUNNING},
    };
    int broken = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        open_filled();
        assert_int_equal(go_until(NOW_MS, rows[i].state), FLOW_MOVED);
        archive_stop(&job);
        broken += BROKEN(rows[i].name, go_on(UINT64_MAX) == FLOW_FAILED &&
                         job.fault.error == ERROR_STOPPED);
        broken += BROKEN(rows[i].name, run_well(NOW_MS + 5000) && holds() &&
                         only_two() && created() == 1);
        close_world();

        open_filled();
        assert_int_equal(go_until(NOW_MS, EXPORT_BEGINNING), FLOW_MOVED);
        for (uint64_t most = 1; job.export.state != rows[i].state; most++)
            assert_int_equal(go_on(most), FLOW_MOVED);
        site.deadline_mono_ms = network.mono_ms;
        broken += BROKEN(rows[i].name, go_on(UINT64_MAX) == FLOW_FAILED &&
                         job.fault.error == ERROR_STOPPED);
        broken += BROKEN(rows[i].name, run_well(NOW_MS + 5000) && holds() &&
                         only_two() && created() == 1);
        close_world();
    }
    assert_int_equal(broken, 0);
}

/* --- killed, and cut off -------------------------------------------------- */

/* The next run ends what a dead one began: one task, one object. A request
 * that did not arrive whole, `unsent`, is counted, but made no task. */
static bool is_ended_well(int64_t wall_ms, bool unsent)
{
    return run_well(wall_ms) && holds() && only_two() &&
           (created() == 1 || row_number((int64_t)created(), unsent ? 2 : 1));
}

static void test_killed(void **state)
{
    bool ended = false;
    int broken = 0;

    (void)state;
    for (uint64_t steps = 1; !ended; steps += 3) {
        open_filled();
        assert_true(aws_set(model, "export-file", 4000));
        ended = kill_job(NOW_MS, steps) == FLOW_ENDED;
        bool unsent = job.state == ARCHIVE_EXPORTING &&
                      job.export.state == EXPORT_CREATING;
        int64_t next_ms = steps % 2 == 0 ? NOW_MS + HOUR_MS : SETTLED_MS;
        if (!ended && !is_ended_well(next_ms, unsent)) {
            broken++;
            fprintf(stderr, "  killed after %llu\n",
                    (unsigned long long)steps);
        }
        close_world();
    }
    assert_int_equal(broken, 0);
}

/* A bit of the object turns before it is read back: the files stay. */
static void test_damaged(void **state)
{
    static uint8_t bytes[OUT_BYTES];
    enum flow flow = FLOW_MOVED;
    int broken = 0;

    (void)state;
    open_filled();
    begin_job(NOW_MS);
    while (flow == FLOW_MOVED && job.state != ARCHIVE_PROVING)
        flow = go_on(job_steps + 1);
    size_t len = aws_object_bytes(model, "sim-bucket", TEXT, 0, bytes,
                                  sizeof bytes);
    bytes[len / 2] ^= 1;
    aws_add_object(model, "sim-bucket", TEXT,
                   (struct aws_text){(char *)bytes, len}, NOW_MS + 70000);
    for (int i = 0; i < 2; i++) {
        struct aws_object_info info;
        flow = i == 0 ? go_on(UINT64_MAX) : run_job(NOW_MS + HOUR_MS);
        broken += BROKEN("damaged", flow == FLOW_FAILED &&
                         job.fault.error == ERROR_CORRUPT &&
                         aws_object_at(model, "sim-bucket", 4, &info));
    }
    spec.if_exists = EXISTS_REPLACE;
    broken += BROKEN("replaced", run_well(NOW_MS + 2 * HOUR_MS) &&
                     holds() && only_two() && created() == 1);
    close_world();
    assert_int_equal(broken, 0);
}

/* Each request in turn is done, but its answer is lost; or breaks. */
static void test_requests_fail(void **state)
{
    static const char *const what[] = {
        "lost", "reset", "cut=20", "error=InternalError_status=500",
    };
    int broken = 0;

    (void)state;
    for (size_t k = 0; k < ROW_COUNT(what); k++) {
        uint64_t requests = UINT64_MAX;
        for (uint64_t i = 1; i < requests; i++) {
            char line[80];
            open_filled();
            (void)snprintf(line, sizeof line, "* #%llu %s",
                           (unsigned long long)i, what[k]);
            for (char *at = strchr(line, '_'); at != NULL; at = NULL)
                *at = ' ';
            assert_true(aws_fault(model, line));
            if (!is_ended_well(NOW_MS, k == 1)) {
                broken++;
                fprintf(stderr, "  %s\n", line);
            }
            requests = aws_counted(model, "*").requests;
            close_world();
        }
    }
    assert_int_equal(broken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exported),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_comes_to_nothing),
        cmocka_unit_test(test_slot_is_taken),
        cmocka_unit_test(test_recounted),
        cmocka_unit_test(test_infrequent_access),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_requests_fail),
    };
    return RUN(tests);
}
