/* test_remove.c - exactly the objects that were named are deleted.
 * Method: the model of S3 with more objects than a batch holds and others
 * beside them, each request faulted in turn; then replies of every kind. */
#include "ship/remove.h"
#include "shelf.h"
#include "wire.h"

enum { MANY = 2300, RING_BYTES = 65536, ROOM_BYTES = 131072 };

static struct site   site;
static struct call   call;
static struct ring   ring;
static struct remove job;
static uint8_t       ring_bytes[RING_BYTES], room[ROOM_BYTES];

static void open_world(void)
{
    wire_open(&site);
    site.give_up_ms = 60000;
    ring_init(&ring, ring_bytes, sizeof ring_bytes);
    call_init(&call, &site, &ring);
}

static void begin(uint32_t room_bytes)
{
    remove_init(&job, &call, view_of("archive"),
                (struct span){room, room_bytes});
}

/* Until it ends, or wants objects. */
static enum flow drive(void)
{
    for (int turn = 0; turn < 1000000; turn++) {
        enum flow flow = remove_step(&job, wire_now());
        if (flow == FLOW_MOVED || (flow == FLOW_WANT_EVENT && wire_move()))
            continue;
        if (flow != FLOW_WANT_EVENT)
            return flow;
        int64_t at = remove_wake_ms(&job), net = wire_wake_ms();
        at = net < at ? net : at;
        assert_true(at < INT64_MAX);
        wire.mono_ms = at > wire.mono_ms ? at : wire.mono_ms + 1;
    }
    return FLOW_MOVED;
}

/* What the model has there, with the quotes; "" if nothing. */
static struct view etag_of(const char *key)
{
    static char bytes[96];
    struct aws_object_info info;
    bytes[0] = '\0';
    if (aws_object(wire.model, "archive", key, &info))
        (void)snprintf(bytes, sizeof bytes, "%s%.*s%s",
                       info.etag.at[0] == '"' ? "" : "\"",
                       (int)info.etag.len, info.etag.at,
                       info.etag.at[0] == '"' ? "" : "\"");
    return view_of(bytes);
}

static bool is_there(const char *key)
{
    return etag_of(key).len > 0;
}

static void put(const char *key, const char *body)
{
    assert_true(shelf_put(wire.model, "archive", key, view_of(body)));
}

static enum flow add(const char *key, struct view etag)
{
    enum flow flow = FLOW_MOVED;
    while (!remove_add(&job, view_of(key), etag) && flow != FLOW_FAILED)
        flow = drive();
    return flow;
}

static enum flow end(void)
{
    if (job.state == REMOVE_FAILED)
        return FLOW_FAILED;
    remove_end(&job);
    return drive();
}

/* Every second one of many. */
static enum flow remove_many(uint32_t count, uint32_t room_bytes)
{
    char key[32];
    begin(room_bytes);
    for (uint32_t i = 0; i < count; i += 2) {
        (void)snprintf(key, sizeof key, "many/%04u", i);
        put(key, "mine");
        if (add(key, etag_of(key)) == FLOW_FAILED)
            return FLOW_FAILED;
    }
    return end();
}

static bool all_gone(uint32_t count)
{
    char key[32];
    for (uint32_t i = 0; i < count; i += 2) {
        (void)snprintf(key, sizeof key, "many/%04u", i);
        if (is_there(key))
            return false;
    }
    return is_there("many/0001") && is_there("other");
}

static void in_batches(void **state)
{
    static const struct { uint32_t count, room, requests; } cases[] = {
        {2 * MANY, ROOM_BYTES, 3}, {2000, ROOM_BYTES, 1},
        {2002, ROOM_BYTES, 2}, {400, REMOVE_ROOM_BYTES, 2}, {0, ROOM_BYTES, 0},
    };
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(cases); i++) {
        open_world();
        put("many/0001", "others");
        put("other", "others");
        assert_int_equal(remove_many(cases[i].count, cases[i].room),
                         FLOW_ENDED);
        assert_true(all_gone(cases[i].count));
        assert_int_equal(job.deleted, cases[i].count / 2);
        assert_int_equal(job.kept, 0);
        uint64_t asked = aws_counted(wire.model, "DeleteObjects").requests;
        if (!row_number((int64_t)asked, cases[i].requests))
            fail_msg("case %d", (int)i);
        wire_close();
    }
}

/* What is no batch yet is not sent; nor without a connection. */
static void not_before_it_is_asked(void **state)
{
    (void)state;
    open_world();
    begin(ROOM_BYTES);
    put("a", "x");
    (void)add("a", etag_of("a"));
    assert_int_equal(drive(), FLOW_WANT_INPUT);
    assert_true(is_there("a"));
    remove_end(&job);
    wire.full = true;
    assert_int_equal(remove_step(&job, wire_now()), FLOW_MOVED);
    assert_int_equal(remove_step(&job, wire_now()), FLOW_WANT_EVENT);
    wire.full = false;
    assert_int_equal(drive(), FLOW_ENDED);
    assert_false(is_there("a"));
    wire_close();
}

static void odd_keys(void **state)
{
    static const char *const keys[] = {
        "p/ ", "p/%2B", "p/+", "p/<&>\"'", "p/&amp;", "p/]]>", "p/q=1&r=2",
        "p/\xc3\xbc", "p/\xf0\x9f\x98\x80", "p/[$LATEST]x",
    };
    (void)state;
    open_world();
    begin(ROOM_BYTES);
    for (size_t i = 0; i < ROW_COUNT(keys); i++) {
        put(keys[i], keys[i]);
        (void)add(keys[i], etag_of(keys[i]));
    }
    put("p/a\tb", "kept");
    (void)add("p/a\tb", etag_of("p/a\tb"));
    assert_int_equal(end(), FLOW_ENDED);
    for (size_t i = 0; i < ROW_COUNT(keys); i++)
        assert_false(is_there(keys[i]));
    assert_true(is_there("p/a\tb"));
    assert_int_equal(job.kept, 1);
    wire_close();
}

/* A key of any length fits. */
static void the_longest_key(void **state)
{
    static char key[1025];
    (void)state;
    memset(key, '&', 1024);
    open_world();
    begin(REMOVE_ROOM_BYTES);
    put(key, "x");
    (void)add(key, etag_of(key));
    (void)add(key, etag_of(key));  /* and once more, as good as gone */
    (void)add(key, etag_of(key));
    assert_int_equal(end(), FLOW_ENDED);
    assert_false(is_there(key));
    assert_int_equal(job.deleted, 3);
    wire_close();
}

static void what_changed_is_kept(void **state)
{
    struct view etag;
    (void)state;
    open_world();
    put("a", "mine");
    put("b", "mine");
    begin(ROOM_BYTES);
    etag = etag_of("a");
    (void)add("a", etag);
    (void)add("b", etag);
    (void)add("gone", etag);
    put("a", "someone else's");
    assert_int_equal(end(), FLOW_ENDED);
    assert_true(is_there("a"));
    assert_false(is_there("b"));
    assert_int_equal(job.deleted, 2);
    assert_int_equal(job.kept, 1);
    wire_close();
}

static void every_request_faulted(void **state)
{
    static const char *const manners[] = {"lost", "reset", "cut=?", "html "
        "error=x status=503", "in200 error=InternalError", "flip=99",
        "error=AccessDenied status=403"};
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(manners); i++)
        for (uint32_t nth = 1; nth <= 3; nth++) {
            char line[96];
            open_world();
            put("many/0001", "others");
            put("other", "others");
            (void)snprintf(line, sizeof line, "DeleteObjects #%u %s", nth,
                           manners[i]);
            assert_true(aws_fault(wire.model, line));
            enum flow flow = remove_many(400, REMOVE_ROOM_BYTES);
            bool ok = i == 6 && nth < 3
                          ? flow == FLOW_FAILED &&
                                job.fault.error == ERROR_DENIED
                          : flow == FLOW_ENDED && job.deleted == 200;
            aws_clear_faults(wire.model);
            call_cancel(&call);
            ok = ok && remove_many(400, ROOM_BYTES) == FLOW_ENDED &&
                 all_gone(400);
            failures += BROKEN(line, ok);
            wire_close();
        }
    assert_int_equal(failures, 0);
}

#define ERROR_OF(key, code) "<Error><Key>" key "</Key><Code>" code \
    "</Code><Message>words</Message></Error>"
#define RESULT(inside) "<?xml version=\"1.0\"?>\n<DeleteResult>" inside \
    "</DeleteResult>"

static const struct row {
    const char *name, *reply;
    enum error  error;
    uint64_t    deleted, kept;
    bool        again;   /* it is asked once more, and that is good */
} rows[] = {
    {"all are deleted", RESULT(""), ERROR_NONE, 2, 0, false},
    {"an empty element", "<DeleteResult/>", ERROR_NONE, 2, 0, false},
    {"not quiet", RESULT("<Deleted><Key>a</Key></Deleted><Deleted><Key>b"
     "</Key></Deleted>"), ERROR_NONE, 2, 0, false},
    {"one has changed", RESULT(ERROR_OF("a", "PreconditionFailed")),
     ERROR_NONE, 1, 1, false},
    {"one is gone", RESULT(ERROR_OF("a", "NoSuchKey")), ERROR_NONE, 2, 0,
     false},
    {"one may pass", RESULT(ERROR_OF("a", "InternalError")), ERROR_NONE, 2, 0,
     true},
    {"one is too fast", RESULT(ERROR_OF("a", "SlowDown")), ERROR_NONE, 2, 0,
     true},
    {"one is raced for", RESULT(ERROR_OF("a", "ConditionalRequestConflict")),
     ERROR_NONE, 2, 0, true},
    {"one is forbidden, another in trouble", RESULT(
     ERROR_OF("a", "AccessDenied") ERROR_OF("b", "Odd")), ERROR_DENIED, 0, 0,
     false},
    {"one is forbidden", RESULT(ERROR_OF("a", "AccessDenied")), ERROR_DENIED,
     0, 0, false},
    {"one has an unknown trouble", RESULT(ERROR_OF("b", "Odd")), ERROR_REMOTE,
     0, 0, false},
    {"cut short", "<DeleteResult><Err", ERROR_NONE, 2, 0, true},
    {"an error in a 200", "<Error><Code>InternalError</Code></Error>",
     ERROR_NONE, 2, 0, true},
    {"something else", "<html>", ERROR_NONE, 2, 0, true},
    {"nothing", "", ERROR_NONE, 2, 0, true},
};

static bool holds(const struct row *row)
{
    enum flow flow;
    put("a", "mine");
    put("b", "mine");
    begin(ROOM_BYTES);
    (void)add("a", etag_of("a"));
    (void)add("b", etag_of("b"));
    wire.canned_if = "?delete";
    wire.canned = row->reply;
    wire.canned_times = 1;
    flow = end();
    if (remove_step(&job, wire_now()) != flow)
        return false;
    if (row->error != ERROR_NONE)
        return flow == FLOW_FAILED && job.fault.error == row->error &&
               strstr(job.fault.words, ": words") != NULL &&
               strcmp(job.fault.operation, "s3:DeleteObject") == 0;
    return flow == FLOW_ENDED && row_number((int64_t)job.deleted,
                                            (int64_t)row->deleted) &&
           row_number((int64_t)job.kept, (int64_t)row->kept) &&
           row->again == !is_there("a");
}

static void what_s3_may_say(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        open_world();
        bool ok = holds(&rows[i]);
        if (!ok)
            fprintf(stderr, "  %s %s %s\n", job.fault.what, job.fault.code,
                    job.fault.words);
        failures += BROKEN(rows[i].name, ok);
        call_cancel(&call);
        wire_close();
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_batches),
        cmocka_unit_test(not_before_it_is_asked),
        cmocka_unit_test(odd_keys),
        cmocka_unit_test(the_longest_key),
        cmocka_unit_test(what_changed_is_kept),
        cmocka_unit_test(every_request_faulted),
        cmocka_unit_test(what_s3_may_say),
    };
    return RUN(tests);
}
