/* test_invocation.c - the loop of Lambda's runtime API: what is asked and told
 * of it, and how each of its failures ends. Scripted answers. */
#include "row.h"
#include "script.h"

#include "task/invocation.h"

#define ID "lambda-runtime-aws-request-id: 8476a536-e9f4\n"
#define HEAD ID "Lambda-Runtime-Deadline-Ms: 1542409706888\n"
#define BASE "http://127.0.0.1:9001/2018-06-01/runtime/"
#define DAY "{\"group\":\"/ecs/api\",\"day\":\"2026-11-09\"}"

static struct invocation i;
static struct transport t;
static struct fault fault;

static void start(const struct line *lines)
{
    memset(&t, 0, sizeof t);
    t.lines = lines;
    fault_reset(&fault);
    assert_true(invocation_init(&i, &t, view_of("127.0.0.1:9001"), &fault));
}

/* Steps and answers until an event is in hand or it failed. */
static enum flow run(void)
{
    enum flow flow = FLOW_WANT_EVENT;
    for (int turn = 0; turn < 100; turn++) {
        flow = invocation_step(&i);
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (flow == FLOW_WANT_EVENT && !script_answer(&t))
            return flow;
    }
    return flow;
}

static void an_event_is_taken_and_answered(void **state)
{
    static const struct line lines[] = {
        {200, HEAD "Lambda-Runtime-Invocation-Id: attempt-7\n", DAY, NULL},
        {202, "", "", NULL},
        {200, HEAD, "{}", NULL},
        {202, "", "", NULL},
        {0, NULL, NULL, "gone"},
    };
    (void)state;
    start(lines);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(i.refused.error, ERROR_NONE);
    assert_true(i.demand.one);
    assert_string_equal(i.demand.group, "/ecs/api");
    assert_string_equal(t.url[0], "GET " BASE "invocation/next");
    assert_true(i.exchange.request.local && i.exchange.request.endless);
    invocation_answer(&i, view_of("{\"exit\":0}"));
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(i.answered, 202);
    assert_string_equal(t.url[1],
                        "POST " BASE "invocation/8476a536-e9f4/response");
    assert_string_equal(t.body[1], "{\"exit\":0}");
    assert_string_equal(t.headers[1], "content-type:application/json\n"
                        "lambda-runtime-invocation-id:attempt-7\n");
    assert_string_equal(t.url[2], t.url[0]);
    assert_string_equal(t.headers[2], "");
    assert_false(i.demand.one);
    invocation_error(&i, 77, view_of("77 /a: \"no\"\x01"));
    assert_int_equal(run(), FLOW_FAILED);
    assert_string_equal(t.url[3],
                        "POST " BASE "invocation/8476a536-e9f4/error");
    assert_string_equal(t.headers[3], "content-type:application/json\n"
                        "lambda-runtime-function-error-type:Function.Denied\n"
                        );
    assert_string_equal(t.body[3], "{\"errorMessage\":\"77 /a: \\\"no\\\""
                        "\\u0001\",\"errorType\":\"Function.Denied\","
                        "\"stackTrace\":[]}");
    assert_int_equal(i.fault.error, ERROR_NETWORK);
    assert_string_equal(i.fault.words, "the runtime API at "
                        "http://127.0.0.1:9001 gone");
}

/* Failure mode 93 */
static const struct next {
    const char *name;
    struct line line;
    const char *words;  /* of the fault that ends it, or of the event's */
    bool        goes_on;
} nexts[] = {
    {"it closes", {0, NULL, NULL, "closed the connection"}, "closed", false},
    {"400", {400, ID, "{}", NULL}, "has no event", false},
    {"403", {403, "", "", NULL}, "has no event", false},
    {"500", {500, ID, "x", NULL}, "has no event", false},
    {"202", {202, ID, "{}", NULL}, "has no event", false},
    {"no id", {200, "x: y\n", "{}", NULL}, "without its id", false},
    {"no JSON", {200, HEAD, "x", NULL}, "is not JSON", true},
    {"no event of ours", {200, HEAD, "{\"a\":1}", NULL}, "\"a\" is not known",
     true},
    {"nothing", {200, HEAD, "", NULL}, "is not JSON", true},
};

static void what_is_no_event_is_told_or_ends_it(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t k = 0; k < ROW_COUNT(nexts); k++) {
        const struct line lines[] = {nexts[k].line, {202, "", "", NULL},
                                     {200, HEAD, "{}", NULL}};
        start(lines);
        enum flow flow = run();
        const struct fault *f = nexts[k].goes_on ? &i.refused : &i.fault;
        bool holds = flow == (nexts[k].goes_on ? FLOW_ENDED : FLOW_FAILED) &&
                     strstr(f->words, nexts[k].words) != NULL;
        if (flow == FLOW_ENDED) {
            invocation_error(&i, 78, view_of(f->words));
            holds &= run() == FLOW_ENDED && i.refused.error == ERROR_NONE &&
                     strstr(t.url[1], "/error") != NULL;
        }
        broken += BROKEN(nexts[k].name, holds);
    }
    assert_int_equal(broken, 0);
}

static const struct told {
    const char *name;
    struct line line;
    int32_t     answered;
    bool        goes_on;
} tolds[] = {
    {"202", {202, "", "{\"status\":\"OK\"}", NULL}, 202, true},
    {"400, of another attempt", {400, "", "InvalidInvocationId", NULL}, 400,
     true},
    {"403", {403, "", "", NULL}, 403, true},
    {"413", {413, "", "", NULL}, 413, true},
    {"500", {500, "", "", NULL}, 500, false},
    {"503", {503, "", "", NULL}, 503, false},
    {"it closes", {0, NULL, NULL, "closed"}, 0, true},
};

static void an_answer_is_taken_or_not(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t k = 0; k < ROW_COUNT(tolds); k++) {
        const struct line lines[] = {{200, HEAD, "{}", NULL}, tolds[k].line,
                                     {200, HEAD, DAY, NULL}};
        start(lines);
        assert_int_equal(run(), FLOW_ENDED);
        invocation_answer(&i, view_of("{}"));
        broken += BROKEN(tolds[k].name, run() == (tolds[k].goes_on
                                                      ? FLOW_ENDED
                                                      : FLOW_FAILED) &&
                                        i.answered == tolds[k].answered);
    }
    assert_int_equal(broken, 0);
}

/* A huge event: of one byte more than there is room for, and of 6 MB. */
static void a_huge_event_is_refused(void **state)
{
    static const struct line none[] = {{202, "", "", NULL},
                                       {200, HEAD, "{}", NULL}};
    uint8_t piece[512];
    const uint32_t sizes[] = {4095, 4096, 4097, 6000000};
    (void)state;
    memset(piece, ' ', sizeof piece);
    for (size_t k = 0; k < ROW_COUNT(sizes); k++) {
        start(none);
        assert_int_equal(invocation_step(&i), FLOW_WANT_EVENT);
        assert_int_equal(invocation_step(&i), FLOW_WANT_EVENT);
        struct http_exchange *x = t.active[0];
        t.active[0] = NULL;
        http_head_line(x, view_of("HTTP/1.1 200 OK\r\n"));
        http_head_line(x, view_of(ID));
        for (uint32_t sent = 0; sent < sizes[k];) {
            uint32_t left = sizes[k] - sent, room = http_room(x);
            uint32_t len = left < sizeof piece ? left : sizeof piece;
            len = len < room ? len : room;
            memcpy(piece, sent == 0 ? "{}" : "  ", 2);
            assert_true(http_body(x, (struct view){piece, len}));
            sent += len;
            assert_true(len > 0 || invocation_step(&i) == FLOW_MOVED);
        }
        http_finish(x, 0, NULL);
        assert_int_equal(run(), FLOW_ENDED);
        bool fits = sizes[k] <= INVOCATION_BYTES;
        assert_int_equal(i.refused.error, fits ? ERROR_NONE : ERROR_CONFIG);
        assert_true(fits || strstr(i.refused.words, "larger than") != NULL);
        invocation_error(&i, 78, view_of("x"));
        assert_int_equal(run(), FLOW_ENDED);
    }
}

/* The handles are all in use, for an answer. */
static void an_answer_waits_for_a_handle(void **state)
{
    static const struct line lines[] = {{200, HEAD, DAY, NULL},
                                        {202, "", "", NULL},
                                        {200, HEAD, "{}", NULL}};
    (void)state;
    start(lines);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(invocation_step(&i), FLOW_ENDED);  /* it is held */
    invocation_answer(&i, view_of("{}"));
    t.full = true;
    assert_int_equal(invocation_step(&i), FLOW_WANT_EVENT);
    assert_int_equal(t.count, 1);
    t.full = false;
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(t.count, 3);
    assert_int_equal(i.answered, 202);
}

static const struct type {
    int         code;
    const char *type;
} types[] = {
    {65, "DataLost"}, {69, "Unreachable"}, {77, "Denied"},
    {78, "Configuration"}, {75, "Configuration"},
};

static void an_error_has_a_type(void **state)
{
    static const struct line lines[] = {{200, HEAD, DAY, NULL},
                                        {202, "", "", NULL},
                                        {200, HEAD, "{}", NULL}};
    int broken = 0;
    char has[100];
    (void)state;
    for (size_t k = 0; k < ROW_COUNT(types); k++) {
        start(lines);
        assert_int_equal(run(), FLOW_ENDED);
        invocation_error(&i, types[k].code, view_of("why"));
        assert_int_equal(run(), FLOW_ENDED);
        (void)snprintf(has, sizeof has, "{\"errorMessage\":\"why\","
                       "\"errorType\":\"Function.%s\",\"stackTrace\":[]}",
                       types[k].type);
        broken += BROKEN(types[k].type, strcmp(t.body[1], has) == 0);
    }
    assert_int_equal(broken, 0);
}

static void it_says_why_it_cannot_begin(void **state)
{
    static const struct line lines[] = {{202, "", "", NULL}};
    char words[2000];
    (void)state;
    start(lines);
    memset(words, 'x', sizeof words);
    memcpy(words + 599, "\xc3\xa9", 2);  /* cut in the middle */
    invocation_abandon(&i, 78, (struct view){(uint8_t *)words, sizeof words});
    assert_int_equal(run(), FLOW_FAILED);
    assert_string_equal(t.url[0], "POST " BASE "init/error");
    assert_true(view_ends(view_of(t.body[0]), "x\",\"errorType\":\"Function."
                          "Configuration\",\"stackTrace\":[]}"));
    assert_int_equal(strlen(t.body[0]), 599 + 72);
    assert_int_equal(invocation_step(&i), FLOW_FAILED);
    start(lines);
    memset(words, '\x80', sizeof words);  /* no character begins in it */
    invocation_abandon(&i, 78, (struct view){(uint8_t *)words, sizeof words});
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(strlen(t.body[0]), 72);
}

static const struct api {
    const char *api;
    bool        ok;
} apis[] = {
    {"127.0.0.1:9001", true}, {"localhost:8080", true}, {"127.0.0.1", true},
    {"169.254.100.1:9001", true}, {"169.254.1:9001", false},
    {"169.254.1.1.example.com:80", false}, {"169.254.256.1:80", false},
    {"example.com:80", false}, {"10.0.0.1:9001", false}, {"", false},
    {"127.0.0.1:9001/x", false}, {"127.0.0.1:", true},
    {"a@127.0.0.1:1", false}, {"127.0.0.1:1\nx:y", false},
    {"127.0.0.1:70000", false},
    {"127.0.0.1:00000000000000000000000000000000000000000000000000000000001",
     false},
};

static void it_is_on_this_machine(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t k = 0; k < ROW_COUNT(apis); k++) {
        struct fault f = {0};
        bool ok = invocation_init(&i, &t, view_of(apis[k].api), &f);
        broken += BROKEN(apis[k].api, ok == apis[k].ok &&
                                      (f.error == ERROR_CONFIG) == !ok);
    }
    assert_int_equal(broken, 0);
}

static const struct deadline {
    const char *name, *header;
    int64_t     wall_ms, stop_mono_ms;  /* the clock was started at 1,000 */
} deadlines[] = {
    {"a minute", "60000", 0, 58000}, {"15 minutes", "900000", 0, 898000},
    {"half of it gone", "60000", 30000, 28000},
    {"so little that a quarter is kept", "4000", 0, 4000},
    {"over", "60000", 61000, 1000}, {"none", "", 0, INT64_MAX},
    {"nonsense", "soon", 0, INT64_MAX}, {"negative", "-5", 0, INT64_MAX},
};

static void it_stops_before_the_deadline(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t k = 0; k < ROW_COUNT(deadlines); k++) {
        char head[200];
        snprintf(head, sizeof head, ID "lambda-runtime-deadline-ms: %s",
                 deadlines[k].header);
        const struct line lines[] = {{200, head, "{}", NULL}};
        start(lines);
        assert_int_equal(run(), FLOW_ENDED);
        struct now now = {deadlines[k].wall_ms, 1000};
        broken += BROKEN(deadlines[k].name,
                         row_number(invocation_stop_mono_ms(&i, now),
                                    deadlines[k].stop_mono_ms));
    }
    assert_int_equal(broken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_taken_and_answered),
        cmocka_unit_test(what_is_no_event_is_told_or_ends_it),
        cmocka_unit_test(an_answer_is_taken_or_not),
        cmocka_unit_test(a_huge_event_is_refused),
        cmocka_unit_test(an_answer_waits_for_a_handle),
        cmocka_unit_test(an_error_has_a_type),
        cmocka_unit_test(it_says_why_it_cannot_begin),
        cmocka_unit_test(it_is_on_this_machine),
        cmocka_unit_test(it_stops_before_the_deadline),
    };
    return RUN(tests);
}
