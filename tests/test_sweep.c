/* test_sweep.c - of the uploads that are open, those of exactly one key go, but
 * the one that is kept.
 * Method: uploads are created in the tests' S3 (wire.h), of the key and of its
 * neighbours; after the sweep the model lists what is left. Every request is
 * faulted in turn; answers that are none end it without harm. */
#include "ship/sweep.h"
#include "upload_rig.h"

#define KEY "a/b&c/events.ndjson.gz"

static struct multipart maker;
static struct sweep sweep;
static bool         object_too;
static struct call  caller;
static struct ring  ring;
static uint8_t      ring_bytes[32768];
static char         kept[MULTIPART_ID_BYTES];

static void wait_for(int64_t wake_ms)
{
    int64_t net = wire_wake_ms(), at = wake_ms < net ? wake_ms : net;
    assert_true(at < INT64_MAX);
    wire.mono_ms = at > wire.mono_ms ? at : wire.mono_ms + 1;
}

static void create(const char *key)
{
    struct target it = target;
    enum flow flow = FLOW_MOVED;
    it.key = view_of(key);
    multipart_init(&maker, &site, &it);
    multipart_create(&maker);
    while ((flow = multipart_step(&maker, wire_now())) != FLOW_ENDED) {
        assert_int_not_equal(flow, FLOW_FAILED);
        if (flow != FLOW_MOVED && !wire_move())
            wait_for(call_wake_ms(&maker.call));
    }
    multipart_cancel(&maker);
}

/* So many of the key, of which the n-th is to be kept, and neighbours. */
static void prepare(uint32_t count, uint32_t keep)
{
    static const char *const neighbours[] = {
        KEY "x", KEY "/1", "a/b&c/events.ndjson.g", "a/b&c/", "a/b&amp;c",
        "events.ndjson.gz", KEY ".tmp",
    };
    begin(SLOTS);
    target.key = view_of(KEY);
    kept[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        create(KEY);
        if (i + 1 == keep)
            strcpy(kept, maker.id);
    }
    for (size_t i = 0; i < ROW_COUNT(neighbours); i++)
        create(neighbours[i]);
    ring_init(&ring, ring_bytes, sizeof ring_bytes);
    call_init(&caller, &site, &ring);
}

enum { NEIGHBOURS = 7 };

static enum flow run(void)
{
    enum flow flow = FLOW_MOVED;
    sweep_init(&sweep, &caller, &target, view_of(kept));
    if (object_too)
        sweep_object(&sweep);
    for (int turn = 0; turn < 100000; turn++) {
        flow = sweep_step(&sweep, wire_now());
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (flow != FLOW_MOVED && !wire_move())
            wait_for(call_wake_ms(&caller));
    }
    return FLOW_MOVED;
}

static size_t left(void)
{
    return aws_open_uploads(wire.model, "archive");
}

static void close_all(void)
{
    call_cancel(&caller);
    wire_close();
}

static void exactly_those_of_the_key(void **state)
{
    int failures = 0;
    (void)state;
    for (uint32_t count = 0; count < 5; count++)
        for (uint32_t keep = 0; keep <= count; keep++) {
            prepare(count, keep);
            uint32_t strays = count - (keep > 0);
            bool ok = run() == FLOW_ENDED && sweep.state == SWEEP_DONE &&
                      sweep.aborted == strays &&
                      left() == NEIGHBOURS + (keep > 0);
            kept[0] = '\0';  /* the one that was kept is of the key */
            ok = ok && run() == FLOW_ENDED && sweep.aborted == (keep > 0) &&
                 left() == NEIGHBOURS;
            failures += BROKEN("count, keep", ok);
            close_all();
        }
    assert_int_equal(failures, 0);
}

/* A segment's object goes with its uploads, whatever becomes of these. */
static void the_object_goes_too(void **state)
{
    static const char *const faults[] = {
        "AbortMultipartUpload #9 lost",
        "AbortMultipartUpload error=AccessDenied",
        "ListMultipartUploads error=AccessDenied",
        "DeleteObject #1 error=AccessDenied",
    };
    struct aws_object_info info;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(faults); i++) {
        prepare(2, 0);
        assert_true(aws_fault(wire.model, faults[i]));
        put_other("a segment");
        object_too = false;
        assert_int_equal(run(), FLOW_ENDED);
        assert_true(aws_object(wire.model, "archive", KEY, &info));
        object_too = true;
        assert_int_equal(run(), FLOW_ENDED);
        assert_int_equal(aws_object(wire.model, "archive", KEY, &info), i == 3);
        object_too = false;
        close_all();
    }
}

/* More than may be aborted at once: the next sweep goes on. */
static void many(void **state)
{
    (void)state;
    prepare(SWEEP_MOST + 10, 0);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(sweep.aborted, SWEEP_MOST);
    assert_int_equal(left(), NEIGHBOURS + 10);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(left(), NEIGHBOURS);
    close_all();
}

/* Neighbours that fill a page come behind the key itself. */
static void pages(void **state)
{
    (void)state;
    prepare(2, 1);
    for (int i = 0; i < 1100; i++)
        create(KEY ".tmp");
    create(KEY);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(sweep.aborted, 2);
    assert_int_equal(left(), NEIGHBOURS + 1100 + 1);
    close_all();
}

static void a_key_as_long_as_may_be(void **state)
{
    char key[1025];
    (void)state;
    prepare(1, 0);
    memset(key, '<', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    create(key);
    create(key);
    key[1023] = '\0';
    create(key);
    key[1023] = '<';
    target.key = view_of(key);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(sweep.aborted, 2);
    assert_int_equal(left(), NEIGHBOURS + 2);
    close_all();
}

static const struct refusal {
    const char *name, *fault;
    size_t left;       /* of two of the key */
} refusals[] = {
    {"no permission to list", "ListMultipartUploads error=AccessDenied", 2},
    {"a store that does not know it", "ListMultipartUploads "
     "error=NotImplemented status=501", 2},
    {"a list without end", "ListMultipartUploads in200 "
     "error=InternalError", 2},
    {"no permission to abort", "AbortMultipartUpload error=AccessDenied", 2},
    {"gone before it is aborted", "AbortMultipartUpload "
     "error=NoSuchUpload status=404", 2},
};

static void without_permission(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(refusals); i++) {
        prepare(2, 0);
        assert_true(aws_fault(wire.model, refusals[i].fault));
        failures += BROKEN(refusals[i].name,
                           run() == FLOW_ENDED &&
                               sweep.state == SWEEP_DONE &&
                               left() == NEIGHBOURS + refusals[i].left &&
                               sweep.aborted <= SWEEP_MOST);
        close_all();
    }
    assert_int_equal(failures, 0);
}

/* An id that is not kept whole is nobody's; the next one is taken. */
static void an_id_too_long(void **state)
{
    static char answer[4000], id[3000];
    (void)state;
    for (size_t len = MULTIPART_ID_BYTES - 1; len < sizeof id;
         len += sizeof id - MULTIPART_ID_BYTES) {
        prepare(0, 0);
        memset(id, 'x', len);
        id[len] = '\0';
        (void)snprintf(answer, sizeof answer, "<ListMultipartUploadsResult>"
                       "<Upload><Key>a/b&amp;c/events.ndjson.gz</Key><UploadId>"
                       "%s</UploadId></Upload></ListMultipartUploadsResult>",
                       id);
        wire.canned_if = "uploads";
        wire.canned = answer;
        wire.canned_times = 1;
        assert_int_equal(run(), FLOW_ENDED);
        assert_int_equal(sweep.aborted, len < MULTIPART_ID_BYTES);
        close_all();
    }
}

/* It waits for a connection, and is the same when that is there. */
static void no_connection_yet(void **state)
{
    (void)state;
    prepare(1, 0);
    wire.full = true;
    sweep_init(&sweep, &caller, &target, (struct view){0});
    assert_int_equal(sweep_step(&sweep, wire_now()), FLOW_WANT_EVENT);
    assert_int_equal(sweep_step(&sweep, wire_now()), FLOW_WANT_EVENT);
    wire.full = false;
    call_cancel(&caller);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(sweep.aborted, 1);
    assert_int_equal(sweep_step(&sweep, wire_now()), FLOW_ENDED);
    close_all();
}

/* Of two the first goes, even if the other has no id. */
static void an_upload_without_an_id(void **state)
{
    (void)state;
    prepare(2, 1);
    wire.canned_if = "uploads";
    wire.canned = "<ListMultipartUploadsResult>"
        "<Upload><Key>a/b&amp;c/events.ndjson.gz</Key></Upload>"
        "<Upload><Key>a/b&amp;c/events.ndjson.gz</Key><UploadId>1</UploadId>"
        "</Upload><Upload><Key>a/b&amp;c/events.ndjson.gz</Key><UploadId>2"
        "</UploadId></Upload></ListMultipartUploadsResult>";
    wire.canned_times = 1;
    sweep_init(&sweep, &caller, &target, view_of(kept));
    while (sweep.state == SWEEP_LISTING) {
        (void)sweep_step(&sweep, wire_now());
        (void)wire_move();
    }
    (void)sweep_step(&sweep, wire_now());
    (void)wire_move();
    assert_non_null(strstr(wire.request, "uploadId=1"));
    close_all();
}

static const char *const answers[] = {
    "", " ", "<a/>", "<html><p>hello</html>", "<ListMultipartUploadsResult>",
    "<ListMultipartUploadsResult><Upload><Key>" "a/b&amp;c/events.ndjson.gz"
    "</Key></Upload></ListMultipartUploadsResult>",
    "<ListMultipartUploadsResult><Upload><UploadId>1</UploadId></Upload>"
    "</ListMultipartUploadsResult>",
    "<Error><Code>InternalError</Code></Error>",
};

static void answers_that_are_none(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(answers); i++) {
        prepare(2, 0);
        wire.canned_if = "uploads";
        wire.canned = answers[i];
        wire.canned_times = 1000;
        failures += BROKEN(answers[i], run() == FLOW_ENDED &&
                                           sweep.state == SWEEP_DONE &&
                                           sweep.aborted == 0 &&
                                           left() == NEIGHBOURS + 2);
        close_all();
    }
    assert_int_equal(failures, 0);
}

static const char *const manners[] = {
    "lost", "reset", "cut=?", "stall=3", "hang", "dup",
    "error=InternalError status=500 html", "error=SlowDown status=503",
    "after error=InternalError status=500",
};

static void every_request_faulted(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(manners); i++)
        for (uint32_t nth = 1; nth <= 6; nth++) {
            char line[128];
            prepare(3, 2);
            (void)snprintf(line, sizeof line, "* #%u %s", nth, manners[i]);
            assert_true(aws_fault(wire.model, line));
            failures += BROKEN(line, run() == FLOW_ENDED &&
                                         sweep.state == SWEEP_DONE &&
                                         left() == NEIGHBOURS + 1);
            close_all();
        }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_those_of_the_key),
        cmocka_unit_test(the_object_goes_too),
        cmocka_unit_test(an_id_too_long),
        cmocka_unit_test(no_connection_yet),
        cmocka_unit_test(an_upload_without_an_id),
        cmocka_unit_test(many),
        cmocka_unit_test(pages),
        cmocka_unit_test(a_key_as_long_as_may_be),
        cmocka_unit_test(without_permission),
        cmocka_unit_test(answers_that_are_none),
        cmocka_unit_test(every_request_faulted),
    };
    return RUN(tests);
}
