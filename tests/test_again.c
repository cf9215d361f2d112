/* test_again.c - calls: what is tried again, when, and when no more. */
#include "caller.h"

#include "call/reply.h"

static const struct wish_row {
    const char *name, *headers;
    int64_t     least_ms;
} wish_rows[] = {
    {"a date, by the server's clock",
     DATE "retry-after: Thu, 05 Nov 2026 12:00:30 GMT\n", 30000},
    {"a date, without its clock",
     "retry-after: Thu, 05 Nov 2026 12:00:30 GMT\n", 0},
    {"a date that has passed",
     DATE "retry-after: Thu, 05 Nov 2026 11:00:00 GMT\n", 0},
    {"a long time", "retry-after: 86400\n", 60000},
    {"nonsense", "retry-after: soon\n", 0},
};

static void wishes_to_wait_are_bounded(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(wish_rows); i++) {
        const struct line lines[] = {{503, wish_rows[i].headers, "", NULL},
                                     {0}};
        setup(lines, "");
        begin(&put);
        assert_int_equal(call_step(&call, now), FLOW_MOVED);
        assert_true(script_answer(&t));
        assert_int_equal(call_step(&call, now), FLOW_MOVED);
        int64_t wait = call_wake_ms(&call) - now.mono_ms;
        failures += BROKEN(wish_rows[i].name,
                           wait >= wish_rows[i].least_ms &&
                               wait <= wish_rows[i].least_ms + 200);
    }
    assert_int_equal(failures, 0);
}

/* A kept connection that was closed costs no pause, once; what had begun to
 * answer was not closed before. */
static void only_the_first_stale_one_costs_nothing(void **state)
{
    static const struct line twice[] = {
        {0, NULL, NULL, "connection reset"},
        {0, NULL, NULL, "connection reset"}, {200, "", "", NULL}, {0}};
    static const struct line cut[] = {
        {200, "content-length: 99\n", "half", NULL}, {200, "", "", NULL},
        {0}};
    (void)state;
    setup(twice, "");
    t.reused = true;
    begin(&put);
    assert_int_equal(run(), FLOW_ENDED);
    assert_true(now.mono_ms > 1000 + 300);
    setup(cut, "");
    t.reused = true;
    begin(&put);
    assert_int_equal(run(), FLOW_ENDED);
    assert_true(now.mono_ms > 1000 + 200);
}

/* Our clock is right, but the signature was old when it came. */
static void what_lay_too_long_is_signed_again(void **state)
{
    static const struct line lines[] = {
        {403, "date: Thu, 05 Nov 2026 12:04:50 GMT\n",
         "<Error><Code>RequestTimeTooSkewed</Code></Error>", NULL},
        {200, "", "", NULL}, {0}};
    (void)state;
    setup(lines, "");
    begin(&put);
    assert_int_equal(call_step(&call, now), FLOW_MOVED);
    pass(290000);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(site.offset_ms, 0);
    assert_non_null(strstr(t.headers[1], "x-amz-date:20261105T120450"));
}

/* Two requests are under way when the first learns that the clock is off. */
static void both_of_two_are_signed_again(void **state)
{
    static const struct line lines[] = {
        {403, DATE, "<Error><Code>RequestTimeTooSkewed</Code></Error>", NULL},
        {403, DATE, "<Error><Code>RequestTimeTooSkewed</Code></Error>", NULL},
        {200, "", "", NULL}, {200, "", "", NULL}, {0}};
    static struct call other;
    (void)state;
    setup(lines, "");
    now.wall_ms += INT64_C(3600000);
    call_init(&other, &site, NULL);
    begin(&put);
    call_begin(&other, &put);
    call_key(&other, view_of("acme-logs"), view_of("k"));
    assert_int_equal(call_step(&call, now), FLOW_MOVED);
    assert_int_equal(call_step(&other, now), FLOW_MOVED);
    assert_true(script_answer(&t) && script_answer(&t));
    assert_int_equal(call_step(&call, now), FLOW_MOVED);
    assert_int_equal(site.offset_ms, -3600000);
    assert_int_equal(call_step(&other, now), FLOW_MOVED);
    assert_int_equal(site.offset_ms, -3600000);
    assert_int_equal(call_step(&call, now), FLOW_MOVED);
    assert_int_equal(call_step(&other, now), FLOW_MOVED);
    assert_true(script_answer(&t) && script_answer(&t));
    assert_int_equal(call_step(&call, now), FLOW_ENDED);
    assert_int_equal(call_step(&other, now), FLOW_ENDED);
    assert_non_null(strstr(t.headers[3], "x-amz-date:20261105T120000"));
}

/* An old bucket's name may be as long as no host's can be. */
static void a_long_bucket_is_not_redirected(void **state)
{
    static const struct line lines[] = {
        {307, "location: https://" "a123456789a123456789a123456789a123456789"
              "a123456789a123456789a123456789a123456789.s3.amazonaws.com/\n",
         "", NULL}, {0}};
    (void)state;
    setup(lines, "");
    call_begin(&call, &put);
    call_key(&call, view_of("a123456789a123456789a123456789a123456789"
                            "a123456789a123456789a123456789a123456789"),
             view_of("k"));
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(t.count, 1);
}

static void the_deadline_ends_what_is_silent(void **state)
{
    static const struct line none[] = {{0}};
    (void)state;
    setup(none, "");
    site.deadline_mono_ms = now.mono_ms + 1000;
    begin(&filter);
    assert_int_equal(call_step(&call, now), FLOW_MOVED);
    assert_int_equal(call_wake_ms(&call), now.mono_ms + 1000);
    pass(1000);
    assert_int_equal(call_step(&call, now), FLOW_FAILED);
    assert_int_equal(call.fault.error, ERROR_STOPPED);
    assert_string_equal(call.fault.operation, filter.name);
    assert_null(t.active[0]);
}

/* What was answered in part may have been done, sent whole or not. */
static void an_answer_in_part_is_ambiguous(void **state)
{
    static const struct line none[] = {{0}};
    (void)state;
    for (int answered = 0; answered <= 1; answered++) {
        setup(none, "");
        begin(&export);
        text_str(call_body(&call), "{\"a\":1}");
        assert_int_equal(call_step(&call, now), FLOW_MOVED);
        struct http_exchange *x = t.active[0];
        t.active[0] = NULL;
        if (answered)
            http_head_line(x, view_of("HTTP/1.1 200 OK"));
        http_finish(x, 7, "connection reset");
        assert_int_equal(call_step(&call, now),
                         answered ? FLOW_FAILED : FLOW_MOVED);
        assert_int_equal(call.state, answered ? CALL_FAILED : CALL_WAITING);
    }
}

/* An error in a 200 takes back its own success, and no other call's. */
static void success_is_taken_back_of_its_own(void **state)
{
    static const struct line lines[] = {
        {200, "", "<Error/>", NULL}, {200, "", "<Error/>", NULL}, {0}};
    (void)state;
    setup(lines, "");
    site.success_mono_ms = 500;
    begin(&put);
    assert_int_equal(run(), FLOW_ENDED);
    call_again(&call, now, view_of("SlowDown"), view_of(""));
    assert_int_equal(site.success_mono_ms, 500);
    assert_int_equal(site.throttled, 1);
    assert_int_equal(run(), FLOW_ENDED);
    site.success_mono_ms = now.mono_ms + 7;
    call_again(&call, now, view_of("InternalError"), view_of(""));
    assert_int_equal(site.success_mono_ms, now.mono_ms + 7);
}

static void what_is_too_long_is_told(void **state)
{
    static char many[CFG_HEADER_BYTES];
    static const struct line none[] = {{0}};
    (void)state;
    memset(many, 'x', sizeof many);
    setup(none, "");
    call_begin(&call, &put);
    call_key(&call, (struct view){(uint8_t *)many, 256}, view_of("k"));
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(call.fault.error, ERROR_CONFIG);
    call_begin(&call, &put);
    call_key(&call, view_of("acme-logs"),
             (struct view){(uint8_t *)many, CFG_URL_BYTES + 10});
    call_query(&call, "q", view_of("v"));
    assert_int_equal(run(), FLOW_FAILED);
    assert_string_equal(call.fault.what, "CFG_URL_BYTES");
    begin(&put);  /* it fits, but not beside a long token */
    memset(site.credentials.keys.token, 't', CFG_SESSION_BYTES - 1);
    call_header(&call, "h",
                (struct view){(uint8_t *)many, CFG_HEADER_BYTES / 2 - 10});
    assert_int_equal(run(), FLOW_FAILED);
    assert_string_equal(call.fault.what, "CFG_HEADER_BYTES");
    assert_int_equal(t.count, 0);
}

static void a_reply_fits_or_is_refused(void **state)
{
    static const struct line lines[] = {
        {200, "", "abcd", NULL}, {200, "", "abcde", NULL}, {0}};
    uint8_t room[4];
    struct reply reply;
    struct fault fault = {0};
    enum flow flow;
    (void)state;
    setup(lines, "");
    for (int n = 0; n < 2; n++) {
        begin(&filter);
        reply_begin(&reply, &call, (struct span){room, sizeof room});
        do {
            flow = reply_step(&reply, now, &fault);
            if (!script_answer(&t))
                pass(100);
        } while (flow == FLOW_MOVED || flow == FLOW_WANT_EVENT);
        assert_int_equal(flow, n == 0 ? FLOW_ENDED : FLOW_FAILED);
        assert_true(n == 1 || view_is(reply_view(&reply), "abcd"));
    }
    assert_int_equal(fault.error, ERROR_REMOTE);
    assert_string_equal(fault.what, "a reply longer than its limit");
    assert_int_equal(call.state, CALL_IDLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wishes_to_wait_are_bounded),
        cmocka_unit_test(only_the_first_stale_one_costs_nothing),
        cmocka_unit_test(what_lay_too_long_is_signed_again),
        cmocka_unit_test(both_of_two_are_signed_again),
        cmocka_unit_test(a_long_bucket_is_not_redirected),
        cmocka_unit_test(the_deadline_ends_what_is_silent),
        cmocka_unit_test(an_answer_in_part_is_ambiguous),
        cmocka_unit_test(success_is_taken_back_of_its_own),
        cmocka_unit_test(what_is_too_long_is_told),
        cmocka_unit_test(a_reply_fits_or_is_refused),
    };
    return RUN(tests);
}
