/* test_tidy.c - an export's files go, and nothing else does.
 * Method: what an export leaves, made by the model, with others' objects
 * between; each request is faulted, and a second run ends it. */
#include "ship/tidy.h"
#include "shelf.h"
#include "wire.h"

#define FILES "p/_e.export/0123-4567/"
#define PROBE "p/_e.export/aws-logs-write-test"
#define PROBED "Permission Check Successful"

enum { MANY = 2100, RING_BYTES = 65536, ROOM_BYTES = 32768 };

static struct site site;
static struct call call;
static struct ring ring;
static struct tidy job;
static uint8_t     ring_bytes[RING_BYTES], room[ROOM_BYTES];

static const char *const files[] = {
    FILES "a/000000.gz", FILES "a/000001.gz", FILES "b-c/000000.gz",
    FILES "2024-08-28-[$LATEST]4eee/000000.gz", FILES "big/1000000.gz", PROBE,
};
static const char *const others[] = {
    "p/_e.export/0123-4567", "p/_e.export/0123-4568/a/000000.gz",
    "p/_e.export/x", FILES "a", FILES "a/000000.gz.bak", FILES "a/00000.gz",
    FILES "a/b/000000.gz", FILES "000000.gz", FILES "/000000.gz",
    FILES "a/000000.txt", PROBE "2", "p/events.log.gz",
};

static void put(const char *key, const char *body)
{
    assert_true(shelf_put(wire.model, "archive", key, view_of(body)));
}

static void open_world(void)
{
    wire_open(&site);
    site.give_up_ms = 60000;
    ring_init(&ring, ring_bytes, sizeof ring_bytes);
    call_init(&call, &site, &ring);
    for (size_t i = 0; i < ROW_COUNT(files); i++)
        put(files[i], PROBED);
    for (size_t i = 0; i < ROW_COUNT(others); i++)
        put(others[i], "other");
}

static enum flow run(void)
{
    const struct tidy_want want = {
        .bucket = view_of("archive"), .files = view_of(FILES),
        .probe = view_of(PROBE), .room = {room, sizeof room},
    };
    tidy_init(&job, &site, &call, &want);
    for (int turn = 0; turn < 1000000; turn++) {
        enum flow flow = tidy_step(&job, wire_now());
        if (flow == FLOW_MOVED || (flow == FLOW_WANT_EVENT && wire_move()))
            continue;
        if (flow != FLOW_WANT_EVENT)
            return flow;
        int64_t at = tidy_wake_ms(&job), net = wire_wake_ms();
        at = net < at ? net : at;
        assert_true(at < INT64_MAX);
        wire.mono_ms = at > wire.mono_ms ? at : wire.mono_ms + 1;
    }
    return FLOW_MOVED;
}

static bool is_there(const char *key)
{
    struct aws_object_info info;
    return aws_object(wire.model, "archive", key, &info);
}

static bool is_tidy(void)
{
    for (size_t i = 0; i < ROW_COUNT(files); i++)
        if (is_there(files[i]))
            return false;
    for (size_t i = 0; i < ROW_COUNT(others); i++)
        if (!is_there(others[i]))
            return false;
    return true;
}

static void its_files_go(void **state)
{
    (void)state;
    open_world();
    assert_int_equal(run(), FLOW_ENDED);
    assert_true(is_tidy());
    assert_int_equal(job.remove.deleted, ROW_COUNT(files));
    assert_int_equal(job.foreign, 8);
    assert_int_equal(tidy_step(&job, wire_now()), FLOW_ENDED);
    assert_int_equal(run(), FLOW_ENDED);  /* there is nothing left */
    assert_int_equal(job.remove.deleted, 0);
    assert_true(is_tidy());
    wire_close();
}

static void a_probe_of_others_stays(void **state)
{
    (void)state;
    open_world();
    put(PROBE, "somebody else's file, of another length");
    assert_int_equal(run(), FLOW_ENDED);
    assert_true(is_there(PROBE));
    assert_false(is_there(files[0]));
    wire_close();
}

static void many_files(void **state)
{
    char key[64];
    (void)state;
    open_world();
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(key, sizeof key, FILES "stream-%d/000000.gz", i);
        put(key, "x");
    }
    assert_int_equal(run(), FLOW_ENDED);
    assert_true(is_tidy());
    assert_int_equal(job.remove.deleted, ROW_COUNT(files) + MANY);
    wire_close();
}

/* What cannot be told from another version stays. */
static void without_its_etag(void **state)
{
    (void)state;
    open_world();
    wire.canned_if = "list-type=2";
    wire.canned = "<ListBucketResult><Contents><Key>" FILES "a/000000.gz</Key>"
        "<Size>1</Size></Contents></ListBucketResult>";
    wire.canned_times = 1;
    assert_int_equal(run(), FLOW_ENDED);
    assert_true(is_there(FILES "a/000000.gz"));
    assert_int_equal(job.foreign, 2);  /* and one beside the probe */
    wire_close();
}

static void more_than_a_batch_refused(void **state)
{
    char key[64];
    (void)state;
    open_world();
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(key, sizeof key, FILES "stream-%d/000000.gz", i);
        put(key, "x");
    }
    assert_true(aws_fault(wire.model, "DeleteObjects error=AccessDenied"));
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(job.fault.error, ERROR_DENIED);
    assert_int_equal(job.state, TIDY_FAILED);
    assert_int_equal(tidy_step(&job, wire_now()), FLOW_FAILED);
    assert_true(is_there(key) && is_there(files[0]));
    wire_close();
}

static void every_request_faulted(void **state)
{
    static const char *const manners[] = {"lost", "reset", "cut=?", "html "
        "error=x status=503", "error=AccessDenied status=403"};
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(manners); i++)
        for (uint32_t nth = 1; nth <= 4; nth++) {
            char line[96];
            open_world();
            (void)snprintf(line, sizeof line, "* #%u %s", nth, manners[i]);
            assert_true(aws_fault(wire.model, line));
            enum flow flow = run();
            bool ok = flow == FLOW_ENDED ? is_tidy()
                      : i == 4 && job.fault.error == ERROR_DENIED;
            aws_clear_faults(wire.model);
            ok = ok && run() == FLOW_ENDED && is_tidy();
            failures += BROKEN(line, ok);
            wire_close();
        }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_files_go),
        cmocka_unit_test(a_probe_of_others_stays),
        cmocka_unit_test(many_files),
        cmocka_unit_test(without_its_etag),
        cmocka_unit_test(more_than_a_batch_refused),
        cmocka_unit_test(every_request_faulted),
    };
    return RUN(tests);
}
