/* test_range.c - objects: answers that do not fit what was asked for, by
 * script; test_object has connections that break anywhere. */
#include "caller.h"

#include "fetch/object.h"

#define LONG \
    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk" \
    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk" \
    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk" \
    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define OFFLINE \
    {403, "", "<Error><Code>InvalidObjectState</Code></Error>", NULL}

static struct object object;
static struct fault fault;
static char got[64];
static uint32_t got_len;

static const struct row {
    const char *name, *key;
    uint64_t    from, to;
    struct line lines[3];
    const char *want;     /* the bytes; NULL: it fails */
    const char *what;     /* of the fault, or its words */
} rows[] = {
    {"all of it", "k", 0, 0, {{200, "content-length: 4\netag: \"v1\"\n",
                               "abcd", NULL}}, "abcd", NULL},
    {"without an ETag", "k", 0, 0, {{200, "content-length: 4\n", "abcd",
                                     NULL}}, "abcd", NULL},
    {"without one on the second answer", "k", 0, 0,
     {{200, "content-length: 4\netag: \"v1\"\n", "ab", NULL},
      {206, "content-length: 2\ncontent-range: bytes 2-3/4\n", "cd", NULL}},
     "abcd", NULL},
    {"a part in place of all", "k", 0, 0,
     {{206, "content-length: 4\ncontent-range: bytes 0-3/4\n", "abcd", NULL}},
     NULL, "the store answered with a part"},
    {"all in place of a part", "k", 2, 0,
     {{200, "content-length: 4\n", "abcd", NULL}}, NULL,
     "the store does not honour a range"},
    {"a range behind the end", "k", 5, 9,
     {{206, "content-length: 0\ncontent-range: bytes 0-0/5\n", "", NULL}},
     NULL, "a range of nothing was answered"},
    {"more than announced", "k", 0, 0,
     {{200, "content-length: 3\n", "abcd", NULL}}, NULL,
     "more came than was announced"},
    {"kept offline", "k", 0, 0, {OFFLINE}, NULL,
     "run: firn restore s3://acme-logs/k --days 7"},
    {"kept offline under a long name", LONG, 0, 0, {OFFLINE}, NULL,
     "run: firn restore URL --days 7"},
};

static enum flow step(void)
{
    return object.stage.step(&object.stage, NULL, &sink, now);
}

static void prepare(const struct row *row)
{
    setup(row->lines, "");
    fault_reset(&fault);
    object_init(&object, &site, &sink, &fault);
    object_open_range(&object, (struct object_name){view_of("acme-logs"),
                                                    view_of(row->key)},
                      row->from, row->to);
    got_len = 0;
}

static void take(void)
{
    struct view v = ring_peek(&sink);
    memcpy(got + got_len, v.at, v.len);
    got_len += v.len;
    ring_consume(&sink, v.len);
}

static enum flow end_of(void)
{
    for (int turn = 0; turn < 10000; turn++) {
        enum flow flow = step();
        take();
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (flow != FLOW_MOVED && !script_answer(&t))
            pass(100);
    }
    return FLOW_WANT_EVENT;
}

static void answers_fit_or_are_refused(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        prepare(row);
        enum flow flow = end_of();
        bool good = row->want != NULL
                        ? flow == FLOW_ENDED && sink.ended &&
                              view_is((struct view){(uint8_t *)got, got_len},
                                      row->want)
                        : flow == FLOW_FAILED &&
                              (strcmp(fault.what, row->what) == 0 ||
                               row_string(fault.words, row->what));
        failures += BROKEN(row->name, good && step() == flow &&
                                          object_wake_ms(&object) ==
                                              INT64_MAX);
    }
    assert_int_equal(failures, 0);
}

/* The fault may be of another stage of the row: it stays as it is. */
static void the_first_fault_stays(void **state)
{
    (void)state;
    prepare(&rows[6]);
    fault_set(&fault, ERROR_CORRUPT, "of another", 7);
    assert_int_equal(end_of(), FLOW_FAILED);
    assert_string_equal(fault.what, "of another");
    assert_null(fault.operation);
}

/* A head says nothing yet: it is looked at when bytes come, or the end. */
static void a_head_alone_is_no_news(void **state)
{
    static const struct row row = {.key = "k", .lines = {{0}}};
    enum flow flow;
    (void)state;
    prepare(&row);
    while ((flow = step()) == FLOW_MOVED)
        ;
    assert_int_equal(flow, FLOW_WANT_EVENT);
    http_head_line(t.active[0], view_of("HTTP/1.1 200 OK"));
    http_head_line(t.active[0], view_of("content-length: 2"));
    assert_int_equal(step(), FLOW_WANT_EVENT);
    assert_false(object.known);
    assert_true(http_body(t.active[0], view_of("a")));
    assert_int_equal(step(), FLOW_MOVED);
    assert_true(object.known && object.total == 2);
}

/* What came before a break is read first, however long that takes. */
static void a_full_ring_is_emptied_first(void **state)
{
    static const struct row row = {
        .key = "k",
        .lines = {{200, "content-length: 8\n", "abcd", NULL},
                  {206, "content-length: 4\ncontent-range: bytes 4-7/8\n",
                   "efgh", NULL}}};
    enum flow flow;
    (void)state;
    prepare(&row);
    ring_init(&sink, sink_bytes, 4);
    while ((flow = step()) != FLOW_WANT_ROOM)
        if (flow == FLOW_WANT_EVENT)
            (void)script_answer(&t);
    assert_int_equal(object_wake_ms(&object), INT64_MAX);
    pass(60000);
    assert_int_equal(step(), FLOW_WANT_ROOM);
    assert_int_equal(t.count, 1);
    assert_int_equal(end_of(), FLOW_ENDED);
    assert_memory_equal(got, "abcdefgh", 8);
    assert_non_null(strstr(t.headers[1], "range:bytes=4-\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_fit_or_are_refused),
        cmocka_unit_test(the_first_fault_stays),
        cmocka_unit_test(a_head_alone_is_no_news),
        cmocka_unit_test(a_full_ring_is_emptied_first),
    };
    return RUN(tests);
}
