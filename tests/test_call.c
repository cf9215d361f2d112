/* test_call.c - one call from its beginning to its end: how it is written and
 * signed, when it is tried again, how it is paced, when it gives up. Virtual
 * time, scripted answers. */
#include "caller.h"

static void a_call_of_logs(void **state)
{
    static const struct line lines[] = {{200, "", "{\"events\":[]}", NULL},
                                        {0}};
    (void)state;
    setup(lines, "");
    begin(&filter);
    text_str(call_body(&call), "{\"limit\":1}");
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(t.url[0],
                        "POST https://logs.eu-west-1.amazonaws.com/");
    assert_string_equal(t.body[0], "{\"limit\":1}");
    assert_non_null(strstr(t.headers[0],
                           "content-type:application/x-amz-json-1.1\n"));
    assert_non_null(strstr(t.headers[0],
                           "x-amz-target:Logs_20140328.FilterLogEvents\n"));
    assert_non_null(strstr(t.headers[0], "Credential=AKID/20261105/eu-west-1/"
                           "logs/aws4_request, SignedHeaders=content-type;"
                           "host;x-amz-date;x-amz-target, Signature="));
    assert_true(view_is(ring_peek(&sink), "{\"events\":[]}"));
    assert_true(sink.ended && call.attempt == 1);
}

static void a_body_is_never_empty_for_logs(void **state)
{
    static const struct line lines[] = {{200, "", "", NULL}, {0}};
    (void)state;
    setup(lines, "https://h.example/p");
    begin(&export);
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(t.url[0], "POST https://h.example/p/");
    assert_string_equal(t.body[0], "{}");
}

static void a_call_of_s3(void **state)
{
    static const struct line lines[] = {{200, "etag: \"e\"\n", "", NULL},
                                        {0}};
    static uint8_t large[70000];
    struct view slices[] = {view_of("abc"), {large, sizeof large}};
    (void)state;
    memset(large, 'd', sizeof large);
    setup(lines, "");
    site.expected_owner = true;
    strcpy(site.owner, "123456789012");
    begin(&put);
    call_query(&call, "partNumber", view_of("7"));
    call_query(&call, "uploadId", view_of("a/b"));
    call_header(&call, "x-amz-checksum-crc64nvme", view_of("rosUhgp5mIg="));
    call_slices(&call, slices, 2, 3 + sizeof large);
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(t.url[0], "PUT https://acme-logs.s3.eu-west-1."
                        "amazonaws.com/a%20b.gz?partNumber=7&uploadId=a%2Fb");
    assert_non_null(strstr(t.headers[0],
                           "x-amz-content-sha256:UNSIGNED-PAYLOAD\n"));
    assert_non_null(strstr(t.headers[0],
                           "x-amz-expected-bucket-owner:123456789012\n"));
    assert_string_equal(call.exchange.reply.etag, "\"e\"");
    assert_int_equal(call.exchange.request.body_bytes, 3 + sizeof large);
}

static void small_or_in_clear_the_payload_is_hashed(void **state)
{
    static const struct line lines[] = {
        {200, "", "", NULL}, {200, "", "", NULL}, {0}};
    static const char hash[] = "x-amz-content-sha256:ba7816bf8f01cfea414140de"
                               "5dae2223b00361a396177a9cb410ff61f20015ad\n";
    struct view slices[] = {view_of("ab"), view_of("c")};
    (void)state;
    setup(lines, "");
    begin(&put);
    call_slices(&call, slices, 2, 3);
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(t.body[0], "abc");
    assert_non_null(strstr(t.headers[0], hash));
    setup(lines, "http://127.0.0.1:9000");
    begin(&put);
    call_slices(&call, slices, 2, 70000);  /* what is said to be large */
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(t.url[0],
                        "PUT http://127.0.0.1:9000/acme-logs/a%20b.gz");
    assert_non_null(strstr(t.headers[0], hash));
}

static void no_token_stays_behind(void **state)
{
    static const struct line lines[] = {{200, "", "", NULL}, {0}};
    (void)state;
    setup(lines, "");
    strcpy(site.credentials.base.token, "PLANTED");
    begin(&put);
    assert_int_equal(run(), FLOW_ENDED);
    assert_non_null(strstr(t.headers[0], "PLANTED"));
    const char *at = (const char *)&call;
    for (size_t i = 0; i + 7 <= sizeof call; i++)
        assert_memory_not_equal(at + i, "PLANTED", 7);
}

static void a_call_of_sts(void **state)
{
    static const struct line lines[] = {{200, "", "<A/>", NULL}, {0}};
    (void)state;
    setup(lines, "");
    begin(&identity);
    text_str(call_body(&call), "Action=GetCallerIdentity&Version=2011-06-15");
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(t.url[0],
                        "POST https://sts.eu-west-1.amazonaws.com/");
    assert_non_null(strstr(t.headers[0], "/eu-west-1/sts/aws4_request"));
}

static void a_status_may_be_expected(void **state)
{
    static const struct line lines[] = {{404, "", "", NULL}, {0}};
    (void)state;
    setup(lines, "");
    begin(&head);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(call.exchange.reply.status, 404);
    assert_false(sink.ended);
}

static void a_broken_body_is_read_from_the_start(void **state)
{
    static const struct line lines[] = {
        {200, "content-length: 9\n", "old", NULL},
        {200, "content-length: 3\n", "new", NULL}, {0}};
    (void)state;
    setup(lines, "");
    begin(&filter);
    while (call.attempt < 1)
        call_step(&call, now);
    script_answer(&t);
    assert_true(view_is(ring_peek(&sink), "old"));
    pass(2000);
    assert_int_equal(run(), FLOW_ENDED);
    assert_true(view_is(ring_peek(&sink), "new"));
    assert_int_equal(call.attempt, 2);
    assert_string_not_equal(t.headers[0], t.headers[1]);  /* signed anew */
}

static void progress_is_told(void **state)
{
    static const struct line none[] = {{0}};
    (void)state;
    setup(none, "");
    begin(&filter);
    assert_int_equal(call_step(&call, now), FLOW_MOVED);
    assert_int_equal(call_step(&call, now), FLOW_WANT_EVENT);
    assert_int_equal(call_wake_ms(&call), now.mono_ms + site.give_up_ms);
    http_head_line(&call.exchange, view_of("HTTP/1.1 200 OK"));
    assert_int_equal(call_step(&call, now), FLOW_WANT_EVENT);
    http_body(&call.exchange, view_of("x"));
    assert_int_equal(call_step(&call, now), FLOW_MOVED);
    assert_int_equal(call_step(&call, now), FLOW_WANT_EVENT);
    call_cancel(&call);
    assert_int_equal(call.state, CALL_IDLE);
    assert_null(t.active[0]);
}

static void pauses_grow_with_jitter_to_a_bound(void **state)
{
    static struct line lines[SCRIPT_SEEN + 1];
    int64_t longest = 0, before = 1000;
    (void)state;
    for (int i = 0; i < 40; i++)
        lines[i] = (struct line){503, "", "", NULL};
    setup(lines, "");
    site.give_up_ms = INT64_MAX;
    begin(&put);
    for (uint32_t seen = 0; seen < 40;) {
        call_step(&call, now);
        if (t.count > seen) {
            int64_t pause = now.mono_ms - before, most = 200;
            for (uint32_t i = 1; i < seen && most < 20000; i++)
                most *= 2;
            assert_true(pause <= (most < 20000 ? most : 20000) + 1);
            longest = pause > longest ? pause : longest;
            before = now.mono_ms;
            seen = t.count;
            script_answer(&t);
            call_step(&call, now);
        }
        pass(1);
    }
    assert_true(longest > 12000);
}

static void a_wish_to_wait_is_heeded(void **state)
{
    static const struct line lines[] = {
        {503, "x-amz-retry-after: 4321\n", "", NULL},
        {503, "retry-after: 86400\n", "", NULL},
        {503, DATE "retry-after: Thu, 05 Nov 2026 12:00:30 GMT\n", "", NULL},
        {200, "", "", NULL}, {0}};
    const int64_t least[] = {4321, 60000, 30000};
    (void)state;
    setup(lines, "");
    begin(&put);
    for (uint32_t i = 0; i < 3; i++) {
        while (t.count <= i)
            if (call_step(&call, now) == FLOW_WANT_EVENT)
                pass(1);
        script_answer(&t);
        call_step(&call, now);
        int64_t wait = call_wake_ms(&call) - now.mono_ms;
        assert_in_range(wait, least[i], least[i] + 400);
    }
    assert_int_equal(run(), FLOW_ENDED);
}

static void it_gives_up_without_any_success(void **state)
{
    static struct line lines[SCRIPT_SEEN + 1];
    (void)state;
    for (int i = 0; i < SCRIPT_SEEN; i++)
        lines[i] = (struct line){0, NULL, NULL, "connection refused"};
    setup(lines, "");
    pass(10 * 86400000);  /* the last success is long ago, or never was */
    int64_t start = now.mono_ms;
    site.success_mono_ms = 1000;
    begin(&put);
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(call.fault.error, ERROR_NETWORK);
    assert_string_equal(call.fault.what, "connection refused");
    assert_in_range(now.mono_ms - start, 300000, 330000);
    start = now.mono_ms;
    t.lines = lines;
    t.count = 0;
    begin(&put);
    for (int i = 0; i < 3; i++) {  /* others succeed meanwhile */
        site.give_up_ms = 100000;
        pass(50000);
        site.success_mono_ms = now.mono_ms;
        assert_int_not_equal(call_step(&call, now), FLOW_FAILED);
        script_answer(&t);
        call_step(&call, now);
    }
    assert_int_equal(run(), FLOW_FAILED);
    assert_in_range(now.mono_ms - start, 250000, 280000);
}

static void a_silent_call_is_given_up(void **state)
{
    static const struct line none[] = {{0}};
    (void)state;
    setup(none, "");
    site.give_up_ms = 5000;
    site.success_mono_ms = now.mono_ms;
    begin(&filter);
    assert_int_equal(call_step(&call, now), FLOW_MOVED);
    assert_int_equal(call_wake_ms(&call), now.mono_ms + 5000);
    pass(3000);
    t.active[0]->received++;  /* a byte moves */
    (void)call_step(&call, now);
    pass(3000);
    site.success_mono_ms = now.mono_ms;  /* another call succeeds */
    pass(4999);
    assert_int_equal(call_step(&call, now), FLOW_WANT_EVENT);
    pass(1);
    assert_int_equal(call_step(&call, now), FLOW_FAILED);
    assert_string_equal(call.fault.what, "no answer");
    assert_string_equal(call.fault.operation, filter.name);
    assert_int_equal(call.fault.error, ERROR_NETWORK);
    assert_null(t.active[0]);
}

static void a_lease_renewed_is_no_success(void **state)
{
    static const struct line lines[] = {{200, "", "", NULL},
                                        {200, "", "", NULL}, {0}};
    struct operation renew = put;
    (void)state;
    setup(lines, "");
    site.success_mono_ms = 0;
    renew.aside = true;
    begin(&renew);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(site.success_mono_ms, 0);
    begin(&put);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(site.success_mono_ms, now.mono_ms);
}

static void throttling_gives_up_only_at_the_deadline(void **state)
{
    static struct line lines[SCRIPT_SEEN + 1];
    (void)state;
    for (int i = 0; i < SCRIPT_SEEN; i++)
        lines[i] = (struct line){400, "",
                                 "{\"__type\":\"ThrottlingException\","
                                 "\"message\":\"Rate exceeded\"}", NULL};
    setup(lines, "");
    site.give_up_ms = 10000;
    site.deadline_mono_ms = 400000;
    begin(&export);
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(call.fault.error, ERROR_STOPPED);
    assert_string_equal(call.fault.words, "Rate exceeded");
    assert_in_range(now.mono_ms, 400000, 400200);
    assert_int_equal(site.throttled, t.count);
}

static void a_throttle_slows_the_pacer(void **state)
{
    static const struct line lines[] = {
        {400, "", "{\"__type\":\"ThrottlingException\"}", NULL},
        {200, "", "", NULL}, {0}};
    (void)state;
    setup(lines, "");
    begin(&filter);
    assert_int_equal(run(), FLOW_ENDED);
    assert_true(site.pace.rate < 8000);
    assert_int_equal(site.throttled, 1);
}

static void paced_calls_share_one_budget(void **state)
{
    static const struct line none[] = {{0}};
    static struct call other;
    (void)state;
    setup(none, "");
    begin(&filter);
    call_init(&other, &site, NULL);
    call_begin(&other, &filter);
    assert_int_equal(call_step(&call, now), FLOW_MOVED);
    assert_int_equal(call_step(&other, now), FLOW_WANT_EVENT);
    assert_int_equal(call_wake_ms(&other) - now.mono_ms, 100);
    pass(100);
    assert_int_equal(call_step(&other, now), FLOW_MOVED);
}

static void no_credentials_end_every_call(void **state)
{
    static const struct line lines[] = {{403, "", "", NULL}, {0}};
    struct settings s = {
        .env = {[SETTING_CONTAINER_RELATIVE] = view_of("/x"),
                [SETTING_REGION] = view_of("eu-west-1")}};
    struct site_options o = {.settings = &s};
    struct fault fault = {0};
    (void)state;
    setup(lines, "");
    assert_true(site_init(&site, &o, &fault));
    begin(&put);
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(call.fault.error, ERROR_DENIED);
    assert_string_equal(call.fault.words,
                        "credentials by container: HTTP 403");
    assert_int_equal(call.attempt, 0);
    begin(&put);
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(t.count, 1);
}

static void the_region_may_come_from_the_instance(void **state)
{
    static const struct line lines[] = {
        {200, "", "T", NULL}, {200, "", "ap-south-1", NULL},
        {200, "", "", NULL}, {0}};
    struct settings s = {.env = {[SETTING_KEY_ID] = view_of("AKID"),
                                 [SETTING_SECRET] = view_of("secret")}};
    struct site_options o = {.settings = &s};
    struct fault fault = {0};
    (void)state;
    setup(lines, "");
    assert_true(site_init(&site, &o, &fault));
    assert_string_equal(site.region, "");
    begin(&put);
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(site.region, "ap-south-1");
    assert_string_equal(t.url[2], "PUT https://acme-logs.s3.ap-south-1."
                                  "amazonaws.com/a%20b.gz");
    assert_int_equal(site.pace.limit, 5000);
}

static void a_stale_connection_costs_no_pause(void **state)
{
    static const struct line lines[] = {
        {0, NULL, NULL, "connection reset"}, {200, "", "", NULL}, {0}};
    (void)state;
    setup(lines, "");
    t.reused = true;
    begin(&put);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(now.mono_ms, 1000 + 200);  /* two answers of 100 ms */
}

static void what_does_not_fit_names_the_limit(void **state)
{
    static char large[CFG_BODY_BYTES + 1];
    static const struct line none[] = {{0}};
    (void)state;
    memset(large, 'k', sizeof large - 1);
    setup(none, "");
    begin(&put);
    call_query(&call, "q", (struct view){(uint8_t *)large, CFG_URL_BYTES});
    assert_int_equal(run(), FLOW_FAILED);
    assert_string_equal(call.fault.what, "CFG_URL_BYTES");
    assert_int_equal(call.fault.error, ERROR_LIMIT);
    begin(&put);
    call_header(&call, "h", (struct view){(uint8_t *)large, 4096});
    assert_int_equal(run(), FLOW_FAILED);
    assert_string_equal(call.fault.what, "CFG_HEADER_BYTES");
    begin(&filter);
    text_str(call_body(&call), large);
    assert_int_equal(run(), FLOW_FAILED);
    assert_string_equal(call.fault.what, "CFG_BODY_BYTES");
    begin(&put);
    call_header(&call, "x-amz-tagging", view_of("a\r\nhost: evil"));
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(call.fault.error, ERROR_CONFIG);
    call_begin(&call, &put);
    call_key(&call, view_of("../etc"), view_of("k"));
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(call.fault.error, ERROR_CONFIG);
    assert_int_equal(t.count, 0);
}

static void a_full_transport_is_asked_again(void **state)
{
    static const struct line lines[] = {{200, "", "", NULL}, {0}};
    (void)state;
    setup(lines, "");
    begin(&filter);
    t.full = true;
    for (int i = 0; i < 5; i++)
        assert_int_equal(call_step(&call, now), FLOW_WANT_EVENT);
    t.full = false;  /* its place in the pacer's queue is kept */
    assert_int_equal(call_step(&call, now), FLOW_MOVED);
    assert_int_equal(run(), FLOW_ENDED);
    assert_true(call.attempt == 1 && site.requests == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_of_logs),
        cmocka_unit_test(a_body_is_never_empty_for_logs),
        cmocka_unit_test(a_call_of_s3),
        cmocka_unit_test(small_or_in_clear_the_payload_is_hashed),
        cmocka_unit_test(no_token_stays_behind),
        cmocka_unit_test(a_call_of_sts),
        cmocka_unit_test(a_status_may_be_expected),
        cmocka_unit_test(a_broken_body_is_read_from_the_start),
        cmocka_unit_test(progress_is_told),
        cmocka_unit_test(pauses_grow_with_jitter_to_a_bound),
        cmocka_unit_test(a_wish_to_wait_is_heeded),
        cmocka_unit_test(it_gives_up_without_any_success),
        cmocka_unit_test(a_silent_call_is_given_up),
        cmocka_unit_test(a_lease_renewed_is_no_success),
        cmocka_unit_test(throttling_gives_up_only_at_the_deadline),
        cmocka_unit_test(a_throttle_slows_the_pacer),
        cmocka_unit_test(paced_calls_share_one_budget),
        cmocka_unit_test(no_credentials_end_every_call),
        cmocka_unit_test(the_region_may_come_from_the_instance),
        cmocka_unit_test(a_stale_connection_costs_no_pause),
        cmocka_unit_test(what_does_not_fit_names_the_limit),
        cmocka_unit_test(a_full_transport_is_asked_again),
    };
    return RUN(tests);
}
