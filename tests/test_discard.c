/* test_discard.c - merge --delete-source, over the model of S3.
 * Method: a few objects below a prefix are merged; while the result is read
 * back, something changes. What was merged is deleted, and nothing else; a
 * result that is damaged keeps all; a run that is killed after every so many
 * steps is ended by the next one. */
#include "archive_rig.h"

#define NOW_MS (DAY_FROM + 20 * DAY_MS)
#define PUT_MS (DAY_FROM + 2 * DAY_MS)
#define JOINED "joined.log"
#define THEIRS "_joined.receipt.json"

enum { SOURCES = 5 };

static const char *const sources[SOURCES] = {
    "in/a/000000", "in/a/000001", "in/b/000000", "in/c", "in/d & <e>",
};

static void put(const char *key, const char *bytes, int64_t at_ms)
{
    aws_add_object(model, "sim-bucket", key, aws_str(bytes), at_ms);
}

static void open_sources(void)
{
    char lines[128];

    open_world();
    spec = (struct spec){
        .source = SOURCE_MERGE, .from = "s3://sim-bucket/in/",
        .format = FORMAT_TEXT, .compress = COMPRESS_NONE, .checksum = true,
        .delete_source = true, .as_found = true,
    };
    strcpy(spec.bucket, "sim-bucket");
    strcpy(spec.key, JOINED);
    strcpy(spec.timezone, "UTC");
    for (int i = 0; i < SOURCES; i++) {
        (void)snprintf(lines, sizeof lines, "2026-11-09T0%d:00:00.000Z one\n"
                       "2026-11-09T0%d:00:01.000Z two\n", i, i);
        put(sources[i], lines, PUT_MS);
    }
}

static uint32_t left(void)
{
    uint32_t count = 0;
    for (int i = 0; i < SOURCES; i++)
        count += is_there(sources[i]);
    return count;
}

static void show(void)
{
    struct aws_object_info info;
    for (size_t i = 0; aws_object_at(model, "sim-bucket", i, &info); i++)
        fprintf(stderr, "  there is %.*s\n", (int)info.key.len, info.key.at);
    fprintf(stderr, "  %s %s %s %s: %s %s\n", job.fault.what,
            job.fault.code, job.fault.words, job.about, job.result.action,
            job.result.reason);
}

/* The object, its receipt, and none of the sources. */
static bool is_ended(enum flow flow)
{
    bool good = flow == FLOW_ENDED && left() == 0 && is_there(JOINED) &&
                is_there(THEIRS) && !is_there("_joined.checkpoint.json") &&
                aws_open_uploads(model, "sim-bucket") == 0;
    if (!good)
        show();
    return good;
}

/* Until the object is about to be read back. */
static void go_to(enum archive_state state)
{
    begin_job(NOW_MS);
    for (uint64_t most = 1; job.state != state; most++)
        assert_int_equal(go_on(most), FLOW_MOVED);
}

static bool says(const char *part)
{
    bool said = strstr(job.result.reason, part) != NULL;
    if (!said)
        show();
    return said;
}

static void test_deleted(void **state)
{
    int broken = 0;

    (void)state;
    open_sources();
    broken += BROKEN("deleted", is_ended(run_job(NOW_MS)) &&
                     action_is("merged") && says("5 objects"));
    broken += BROKEN("again", is_ended(run_job(NOW_MS + DAY_MS)) &&
                     action_is("skipped") && says("0 objects"));
    put(sources[0], "late", PUT_MS);
    spec.dry_run = true;
    broken += BROKEN("nothing by a dry run",
                     run_job(NOW_MS + DAY_MS) == FLOW_ENDED &&
                     action_is("skipped") && left() == 1);
    close_world();

    open_sources();
    spec.delete_source = false;
    broken += BROKEN("not asked to", run_job(NOW_MS) == FLOW_ENDED &&
                     left() == SOURCES);
    spec.delete_source = true;
    broken += BROKEN("not counted then", run_job(NOW_MS) == FLOW_FAILED &&
                     job.fault.error == ERROR_CONFIG && left() == SOURCES);
    spec.if_exists = EXISTS_REPLACE;
    broken += BROKEN("replaced", is_ended(run_job(NOW_MS)));
    close_world();

    open_sources();
    for (int i = 0; i < SOURCES; i++)
        put(sources[i], "", PUT_MS);
    broken += BROKEN("no bytes", is_ended(run_job(NOW_MS)) &&
                     says("5 objects"));
    close_world();

    open_sources();
    for (int i = 0; i < SOURCES; i++)
        put(sources[i], "a line, no record\n", PUT_MS);
    broken += BROKEN("no records", is_ended(run_job(NOW_MS)) &&
                     says("5 objects"));
    broken += BROKEN("no records, again", is_ended(run_job(NOW_MS)) &&
                     action_is("skipped"));
    close_world();

    open_sources();
    put("in/b/000001", "{\"odd\":1}\n{\"timestamp\":\"2026-11-09T00:00:00."
        "000Z\",\"stream\":\"s\",\"message\":\"m\"}\n{\"odd\":2}\n", PUT_MS);
    for (int i = 0; i < SOURCES; i++)
        put(sources[i], "{\"odd\":3}\n", PUT_MS);
    broken += BROKEN("lines between records", is_ended(run_job(NOW_MS)) &&
                     says("6 objects"));
    close_world();

    open_sources();
    broken += BROKEN("merged", is_ended(run_job(NOW_MS)));
    put("other/x", "2026-11-09T00:00:00.000Z one\n", PUT_MS);
    spec.from = "s3://sim-bucket/other/";
    broken += BROKEN("merged from elsewhere", run_job(NOW_MS) == FLOW_FAILED &&
                     job.fault.error == ERROR_CONFIG && is_there("other/x"));
    close_world();
    assert_int_equal(broken, 0);
}

/* Written in the second in which it was listed, and not since, by a list that
 * is the same. */
static void test_of_this_second(void **state)
{
    (void)state;
    open_sources();
    put(sources[2], "2026-11-09T02:00:00.000Z new\n", NOW_MS);
    assert_true(is_ended(run_job(NOW_MS)));
    assert_true(says("5 objects"));
    close_world();
}

/* What is there is of the same day, but was made of others. */
static void test_of_other_objects(void **state)
{
    (void)state;
    open_sources();
    spec.from_ms = DAY_FROM;
    spec.until_ms = DAY_FROM + DAY_MS;
    assert_true(is_ended(run_job(NOW_MS)));
    put("old/a", "2026-11-09T02:00:00.000Z old\n", PUT_MS);
    spec.from = "s3://sim-bucket/old/";
    assert_int_equal(run_job(NOW_MS + DAY_MS), FLOW_FAILED);
    assert_int_equal(job.fault.error, ERROR_CONFIG);
    assert_non_null(strstr(job.fault.words, "is not known to hold what is "
                           "below s3://sim-bucket/old/"));
    assert_true(is_there("old/a"));
    close_world();
}

static void test_may_not_list(void **state)
{
    (void)state;
    open_sources();
    go_to(ARCHIVE_REMOVING);
    assert_true(aws_fault(model, "ListObjectsV2 error=AccessDenied "
                                 "status=403"));
    assert_int_equal(go_on(UINT64_MAX), FLOW_FAILED);
    assert_int_equal(job.fault.error, ERROR_DENIED);
    assert_int_equal(left(), SOURCES);
    aws_clear_faults(model);
    assert_true(is_ended(run_job(NOW_MS + DAY_MS)));
    close_world();
}

/* All of them are there until the object was read back, and its receipt says
 * so. */
static void test_not_before(void **state)
{
    enum flow flow = FLOW_MOVED;
    int broken = 0;

    (void)state;
    open_sources();
    begin_job(NOW_MS);
    while (flow == FLOW_MOVED && job.state != ARCHIVE_REMOVING) {
        broken += BROKEN("not before", left() == SOURCES);
        flow = go_on(job_steps + 1);
    }
    broken += BROKEN("not before", left() == SOURCES &&
                     job.verify.result.receipt != NULL);
    broken += BROKEN("but then", is_ended(go_on(UINT64_MAX)));
    close_world();
    assert_int_equal(broken, 0);
}

static void test_changed(void **state)
{
    int broken = 0;

    (void)state;
    open_sources();
    go_to(ARCHIVE_PROVING);
    put("in/c", "2026-11-09T09:00:00.000Z another\n", NOW_MS + 500);
    put("in/b/000001", "2026-11-09T09:00:00.000Z new\n", NOW_MS + 500);
    put("elsewhere", "2026-11-09T09:00:00.000Z new\n", PUT_MS);
    broken += BROKEN("what is newer stays", go_on(UINT64_MAX) == FLOW_ENDED &&
                     left() == 1 && is_there("in/c") &&
                     is_there("in/b/000001") && is_there("elsewhere") &&
                     says("2 that changed"));
    close_world();

    /* An older time, but other bytes: as if a clock were wrong, or the object
     * were put between the list and the delete. */
    open_sources();
    assert_true(aws_set(model, "latency", 2000));
    go_to(ARCHIVE_REMOVING);
    while (job.discard.remove.state != REMOVE_SENDING)
        assert_int_equal(go_on(job_steps + 1), FLOW_MOVED);
    put("in/c", "2026-11-09T09:00:00.000Z another\n", PUT_MS);
    broken += BROKEN("If-Match", go_on(UINT64_MAX) == FLOW_ENDED &&
                     left() == 1 && is_there("in/c") &&
                     says("1 that changed"));
    close_world();

    open_sources();
    spec.from = "s3://sim-bucket/";
    put("_events.segment", "{}", PUT_MS);
    put("in/aws-logs-write-test", "Permission Check Successful", PUT_MS);
    broken += BROKEN("strangers stay", is_ended(run_job(NOW_MS)) &&
                     is_there("_events.segment") &&
                     is_there("in/aws-logs-write-test"));
    close_world();
    assert_int_equal(broken, 0);
}

/* A bit of the object turns before it is read back. */
static void test_damaged(void **state)
{
    uint8_t bytes[4096];
    size_t len;
    int broken = 0;

    (void)state;
    open_sources();
    go_to(ARCHIVE_PROVING);
    len = aws_object_bytes(model, "sim-bucket", JOINED, 0, bytes,
                           sizeof bytes - 1);
    bytes[len] = '\0';
    bytes[len / 2] ^= 1;
    put(JOINED, (char *)bytes, NOW_MS + 100);
    broken += BROKEN("damaged", go_on(UINT64_MAX) == FLOW_FAILED &&
                     job.fault.error == ERROR_CORRUPT && left() == SOURCES);
    broken += BROKEN("and still so", run_job(NOW_MS + DAY_MS) == FLOW_FAILED &&
                     job.fault.error == ERROR_CORRUPT && left() == SOURCES);
    close_world();
    assert_int_equal(broken, 0);
}

static void test_killed(void **state)
{
    bool ended = false;
    int broken = 0;

    (void)state;
    for (uint64_t steps = 1; !ended; steps++) {
        open_sources();
        ended = kill_job(NOW_MS, steps) == FLOW_ENDED;
        broken += BROKEN("killed",
                         is_ended(ended ? FLOW_ENDED
                                        : run_job(NOW_MS + HOUR_MS)));
        close_world();
    }
    assert_int_equal(broken, 0);
}

static void test_requests_fail(void **state)
{
    static const char *const what[] = {"lost", "reset", "cut=20"};
    int broken = 0;

    (void)state;
    for (size_t k = 0; k < ROW_COUNT(what); k++) {
        uint64_t requests = UINT64_MAX;
        for (uint64_t i = 1; i <= requests; i++) {
            char line[80];
            open_sources();
            (void)snprintf(line, sizeof line, "* #%llu %s",
                           (unsigned long long)i, what[k]);
            assert_true(aws_fault(model, line));
            broken += BROKEN(line, is_ended(run_job(NOW_MS)));
            requests = aws_counted(model, "*").requests;
            close_world();
        }
    }
    assert_int_equal(broken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deleted),
        cmocka_unit_test(test_of_this_second),
        cmocka_unit_test(test_of_other_objects),
        cmocka_unit_test(test_may_not_list),
        cmocka_unit_test(test_not_before),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_requests_fail),
    };
    return RUN(tests);
}
