/* test_trouble.c - every kind of answer that is no success: what it is called,
 * whether it is tried again, and where a redirect may lead. */
#include "caller.h"

#define HUNDRED \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* One answer, then success: is it tried again, and as what does it end? */
static const struct row {
    const char *name;
    const struct operation *operation;
    struct line line;
    enum error  want;      /* ERROR_NONE: it is tried again, and good */
    const char *code, *words;
} rows[] = {
    {"a throttle that says 400", &filter,
     {400, "", "{\"__type\":\"ThrottlingException\",\"message\":\"Rate "
               "exceeded\"}", NULL}, ERROR_NONE, "", ""},
    {"429", &filter, {429, "retry-after: 2\n", "", NULL}, ERROR_NONE, "",
     ""},
    {"SlowDown", &put, {503, "", "<Error><Code>SlowDown</Code></Error>",
                        NULL}, ERROR_NONE, "", ""},
    {"500 without words", &filter, {500, "", "", NULL}, ERROR_NONE, "", ""},
    {"502 in HTML", &filter, {502, "", "<html>Bad Gateway", NULL},
     ERROR_NONE, "", ""},
    {"503 in half an XML", &put, {503, "", "<Error><Code>Slow", NULL},
     ERROR_NONE, "", ""},
    {"RequestTimeout is a 400", &put,
     {400, "", "<Error><Code>RequestTimeout</Code></Error>", NULL},
     ERROR_NONE, "", ""},
    {"BadDigest, once", &put,
     {400, "", "<Error><Code>BadDigest</Code></Error>", NULL}, ERROR_NONE,
     "", ""},
    {"a lost reply", &filter, {0, NULL, NULL, "connection reset"},
     ERROR_NONE, "", ""},
    {"a reply cut short", &filter, {200, "content-length: 99\n", "{", NULL},
     ERROR_NONE, "", ""},
    {"access denied", &filter,
     {400, "x-amzn-RequestId: R-1\n" DATE,
      "{\"__type\":\"AccessDeniedException\",\"Message\":\"User: x is not "
      "authorized\"}", NULL},
     ERROR_DENIED, "AccessDeniedException", "User: x is not authorized"},
    {"a code with a namespace", &filter,
     {400, "", "{\"__type\":\"com.amazonaws.logs#ResourceNotFoundException\","
               "\"message\":\"The specified log group does not exist.\"}",
      NULL},
     ERROR_MISSING, "ResourceNotFoundException",
     "The specified log group does not exist."},
    {"a code in the header, with a URI", &filter,
     {400, "x-amzn-ErrorType: InvalidParameterException:http://x/\n", "{}",
      NULL}, ERROR_REMOTE, "InvalidParameterException", ""},
    {"a member named code", &filter,
     {400, "", "{\"code\":\"LimitExceededException\"}", NULL},
     ERROR_CONFLICT, "LimitExceededException", ""},
    {"an unknown code goes by its status", &filter,
     {418, "", "{\"__type\":\"Teapot\"}", NULL}, ERROR_REMOTE, "Teapot",
     ""},
    {"an unknown code of a 500", &filter,
     {500, "", "{\"__type\":\"Teapot\"}", NULL}, ERROR_NONE, "", ""},
    {"a 401", &filter, {401, "", "", NULL}, ERROR_DENIED, "", ""},
    {"408", &filter, {408, "", "", NULL}, ERROR_NONE, "", ""},
    {"504", &filter, {504, "", "", NULL}, ERROR_NONE, "", ""},
    {"once, and 504", &export, {504, "", "", NULL}, ERROR_NETWORK, "", ""},
    {"once, and 408", &export, {408, "", "", NULL}, ERROR_NETWORK, "", ""},
    {"once, and 502", &export, {502, "", "", NULL}, ERROR_NETWORK, "", ""},
    {"a redirect for good, without a region", &put, {308, "", "", NULL},
     ERROR_REMOTE, "", ""},
    {"a redirect that is denied", &put,
     {307, "location: https://acme-logs.s3-us-west-2.amazonaws.com/x\n",
      "<Error><Code>AccessDenied</Code></Error>", NULL},
     ERROR_DENIED, "AccessDenied", ""},
    {"half a JSON", &filter, {400, "", "{\"__type\":\"Acc", NULL},
     ERROR_REMOTE, "", "{\"__type\":\"Acc"},
    {"a code longer than its room", &filter,
     {400, "", "{\"__type\":\"" HUNDRED "\"}", NULL}, ERROR_REMOTE,
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ""},
    {"no such bucket", &put,
     {404, "", "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchBucket</Code>"
               "<Message>The specified bucket &quot;x&quot;</Message>"
               "<RequestId>R-2</RequestId></Error>", NULL},
     ERROR_MISSING, "NoSuchBucket", "The specified bucket \"x\""},
    {"a condition that failed", &put,
     {412, "", "<Error><Code>PreconditionFailed</Code></Error>", NULL},
     ERROR_CONFLICT, "PreconditionFailed", ""},
    {"a race", &put,
     {409, "", "<Error><Code>ConditionalRequestConflict</Code></Error>",
      NULL}, ERROR_CONFLICT, "ConditionalRequestConflict", ""},
    {"KMS is off", &put,
     {400, "", "<Error><Code>KMS.DisabledException</Code></Error>", NULL},
     ERROR_CONFIG, "KMS.DisabledException", ""},
    {"an archived object", &put,
     {403, "", "<Error><Code>InvalidObjectState</Code></Error>", NULL},
     ERROR_CONFIG, "InvalidObjectState", ""},
    {"not implemented", &put,
     {501, "", "<Error><Code>NotImplemented</Code></Error>", NULL},
     ERROR_REMOTE, "NotImplemented", ""},
    {"a HEAD has only a status", &head, {403, "", "", NULL}, ERROR_DENIED,
     "", ""},
    {"a signature that is wrong, at the right time", &put,
     {403, DATE, "<Error><Code>SignatureDoesNotMatch</Code></Error>", NULL},
     ERROR_DENIED, "SignatureDoesNotMatch", ""},
    {"fixed credentials that expired", &put,
     {400, "", "<Error><Code>ExpiredToken</Code></Error>", NULL},
     ERROR_DENIED, "ExpiredToken", ""},
    {"once, and the reply is lost", &export,
     {0, NULL, NULL, "connection reset"}, ERROR_NETWORK, "", ""},
    {"once, and 500", &export, {500, "", "", NULL}, ERROR_NETWORK, "", ""},
    {"once, and a throttle", &export,
     {400, "", "{\"__type\":\"ThrottlingException\"}", NULL}, ERROR_NONE,
     "", ""},
    {"once, and 503", &export,
     {503, "", "{\"__type\":\"ServiceUnavailableException\"}", NULL},
     ERROR_NONE, "", ""},
};

static bool ends_as(const struct row *row)
{
    struct line lines[] = {row->line, {200, "", "fine", NULL}, {0}};
    setup(lines, "");
    t.sends = true;
    begin(row->operation);
    enum flow flow = run();
    if (row->want == ERROR_NONE)
        return flow == FLOW_ENDED && call.attempt == 2 &&
               site.retried == 1 && view_is(ring_peek(&sink), "fine");
    const struct fault *f = &call.fault;
    return flow == FLOW_FAILED && call.attempt == 1 &&
           row_number(f->error, row->want) && row_string(f->code, row->code) &&
           row_string(f->words, row->words) &&
           row_string(f->operation, row->operation->name) &&
           call_step(&call, now) == FLOW_FAILED && !sink.ended;
}

static void each_answer_has_its_end(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, ends_as(&rows[i]));
    assert_int_equal(failures, 0);
    const struct row *denied = rows;
    while (strcmp(denied->name, "access denied") != 0)
        denied++;
    assert_true(ends_as(denied));
    assert_string_equal(call.fault.request_id, "R-1");
    assert_int_equal(call.fault.detail, 400);
}

static void what_does_not_pass_is_tried_a_few_times(void **state)
{
    static const struct line lines[] = {
        {0, NULL, NULL, "its certificate has expired"},
        {0, NULL, NULL, "its certificate has expired"},
        {0, NULL, NULL, "its certificate has expired"}, {0}};
    (void)state;
    setup(lines, "");
    t.lasting = true;
    begin(&filter);
    int64_t begun_ms = now.mono_ms;
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(call.attempt, 3);
    assert_in_range(now.mono_ms - begun_ms, 300, 5000);
    assert_int_equal(call.fault.error, ERROR_NETWORK);
    assert_int_equal(call.fault.detail, 7);
    assert_string_equal(call.fault.what, "its certificate has expired");
}

static void a_wrong_clock_is_put_right_once(void **state)
{
    static const struct line lines[] = {
        {403, DATE, "<Error><Code>RequestTimeTooSkewed</Code></Error>",
         NULL},
        {200, "", "", NULL},
        {403, "date: Thu, 05 Nov 2020 12:00:00 GMT\n",
         "<Error><Code>RequestTimeTooSkewed</Code></Error>", NULL},
        {403, "date: Thu, 05 Nov 2026 12:00:00 GMT\n",
         "<Error><Code>RequestTimeTooSkewed</Code></Error>", NULL},
        {0}};
    (void)state;
    setup(lines, "");
    now.wall_ms += INT64_C(10) * 365 * 86400000;
    begin(&put);
    assert_int_equal(run(), FLOW_ENDED);
    assert_true(site.offset_ms < INT64_C(-10) * 365 * 86400000 + 1000);
    assert_non_null(strstr(t.headers[0], "x-amz-date:2036"));
    assert_non_null(strstr(t.headers[1], "x-amz-date:20261105T1200"));
    begin(&put);  /* a server that keeps saying it is not believed for ever */
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(call.attempt, 2);
}

static void a_bucket_elsewhere_is_found(void **state)
{
    static const struct line lines[] = {
        {301, "x-amz-bucket-region: us-west-2\nlocation: https://evil/\n",
         "<Error><Code>PermanentRedirect</Code></Error>", NULL},
        {200, "", "", NULL}, {200, "", "", NULL}, {0}};
    (void)state;
    setup(lines, "");
    begin(&put);
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(t.url[1], "PUT https://acme-logs.s3.us-west-2."
                                  "amazonaws.com/a%20b.gz");
    assert_non_null(strstr(t.headers[1], "/us-west-2/s3/aws4_request"));
    begin(&put);  /* and remembered */
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(t.url[2], t.url[1]);
}

static const struct region_row {
    const char *name;
    const struct operation *operation;
    const char *endpoint;
    struct line line;
    const char *host;  /* of the second attempt; NULL: there is none */
} region_rows[] = {
    {"a malformed authorization names the region", &put, "",
     {400, "", "<Error><Code>AuthorizationHeaderMalformed</Code>"
               "<Region>us-west-2</Region></Error>", NULL},
     "PUT https://acme-logs.s3.us-west-2.amazonaws.com/"},
    {"a HEAD says it by a bare 400", &head, "",
     {400, "x-amz-bucket-region: us-west-2\n", "", NULL},
     "HEAD https://acme-logs.s3.us-west-2.amazonaws.com/"},
    {"a custom endpoint is signed for another region", &put,
     "https://minio.example",
     {400, "", "<Error><Code>AuthorizationHeaderMalformed</Code>"
               "<Region>us-west-2</Region></Error>", NULL},
     "PUT https://minio.example/acme-logs/"},
    {"a redirect for now, to the bucket's other name", &put, "",
     {307, "location: https://acme-logs.s3-us-west-2.amazonaws.com/x\n", "",
      NULL},
     "PUT https://acme-logs.s3-us-west-2.amazonaws.com/a%20b.gz"},
    {"the same by its body", &put, "",
     {307, "", "<Error><Code>TemporaryRedirect</Code><Endpoint>"
               "acme-logs.s3.us-west-2.amazonaws.com</Endpoint></Error>",
      NULL},
     "PUT https://acme-logs.s3.us-west-2.amazonaws.com/a%20b.gz"},
    {"a redirect to another host", &put, "",
     {307, "location: https://evil.example/x\n", "", NULL}, NULL},
    {"a look-alike suffix", &put, "",
     {307, "location: https://acme-logs.s3.amazonaws.com.evil.example/\n",
      "", NULL}, NULL},
    {"a look-alike bucket", &put, "",
     {307, "location: https://acme-logs-evil.s3.amazonaws.com/\n", "", NULL},
     NULL},
    {"a redirect to http", &put, "",
     {307, "location: http://acme-logs.s3.amazonaws.com/\n", "", NULL},
     NULL},
    {"a byte above z in the host", &put, "",
     {307, "location: https://acme-logs.s3.us~west.amazonaws.com/\n", "",
      NULL}, NULL},
    {"a user in the host", &put, "",
     {307, "location: https://acme-logs.s3@evil.amazonaws.com/\n", "", NULL},
     NULL},
    {"a redirect of a custom endpoint", &put, "https://minio.example",
     {307, "location: https://acme-logs.s3.amazonaws.com/\n", "", NULL},
     NULL},
    {"a region that is no word", &put, "",
     {301, "x-amz-bucket-region: evil.example/\n", "", NULL}, NULL},
    {"a region with a number sign", &put, "",
     {301, "", "<Error><Code>PermanentRedirect</Code><Region>a#</Region>"
               "</Error>", NULL}, NULL},
    {"the region that it is in", &put, "",
     {301, "x-amz-bucket-region: eu-west-1\n", "", NULL}, NULL},
    {"no region at all", &put, "", {301, "", "", NULL}, NULL},
    {"a redirect of logs", &filter, "",
     {301, "x-amz-bucket-region: us-west-2\n", "", NULL}, NULL},
};

static void redirects_stay_within_aws(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(region_rows); i++) {
        const struct region_row *row = &region_rows[i];
        struct line lines[] = {row->line, {200, "", "", NULL}, {0}};
        setup(lines, row->endpoint);
        begin(row->operation);
        enum flow flow = run();
        bool good = row->host != NULL
                        ? flow == FLOW_ENDED && t.count == 2 &&
                              view_starts(view_of(t.url[1]), row->host)
                        : flow == FLOW_FAILED && t.count == 1;
        if (!good)
            fprintf(stderr, "  %s\n", t.url[t.count - 1]);
        failures += BROKEN(row->name, good);
    }
    assert_int_equal(failures, 0);
}

static void two_wrong_regions_are_one_too_many(void **state)
{
    static const struct line lines[] = {
        {301, "x-amz-bucket-region: us-west-2\n", "", NULL},
        {301, "x-amz-bucket-region: us-west-1\n", "", NULL}, {0}};
    (void)state;
    setup(lines, "");
    begin(&put);
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(call.attempt, 2);
}

static void expired_credentials_are_fetched_once(void **state)
{
    #define KEYS(id) "{\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":" \
                     "\"s\",\"Token\":\"T\"," \
                     "\"Expiration\":\"2026-11-05T18:00:00Z\"}"
    #define EXPIRED {400, "", "<Error><Code>ExpiredToken</Code></Error>", \
                     NULL}
    static const struct line lines[] = {
        {200, "", KEYS("ONE"), NULL}, EXPIRED,
        {200, "", KEYS("TWO"), NULL}, {200, "", "", NULL},
        EXPIRED, {200, "", KEYS("THREE"), NULL}, EXPIRED, {0}};
    struct settings s = {
        .env = {[SETTING_CONTAINER_RELATIVE] = view_of("/x"),
                [SETTING_REGION] = view_of("eu-west-1")}};
    struct site_options o = {.settings = &s};
    struct fault fault = {0};
    (void)state;
    setup(lines, "");
    assert_true(site_init(&site, &o, &fault));
    begin(&put);
    assert_int_equal(run(), FLOW_ENDED);
    assert_non_null(strstr(t.headers[1], "Credential=ONE/"));
    assert_non_null(strstr(t.headers[3], "Credential=TWO/"));
    assert_non_null(strstr(t.headers[3], "x-amz-security-token:T\n"));
    begin(&put);
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(call.fault.error, ERROR_DENIED);
    assert_string_equal(call.fault.code, "ExpiredToken");
}

static void an_error_in_a_200_is_no_success(void **state)
{
    static struct line lines[SCRIPT_SEEN + 1];
    enum flow flow = FLOW_ENDED;
    (void)state;
    for (int i = 0; i < SCRIPT_SEEN; i++)
        lines[i] = (struct line){200, "", "<Error/>", NULL};
    setup(lines, "");
    begin(&put);
    int64_t start = now.mono_ms;
    while (now.mono_ms - start < 1000000) {
        flow = run();
        if (flow != FLOW_ENDED)
            break;
        call_again(&call, now, view_of("InternalError"), view_of("Sorry"));
        assert_true(ring_len(&sink) == 8 || call.state == CALL_WAITING);
    }
    assert_int_equal(flow, FLOW_FAILED);
    assert_int_equal(call.fault.error, ERROR_REMOTE);
    assert_string_equal(call.fault.words, "Sorry");
    assert_in_range(now.mono_ms - start, 300000, 330000);
}

static void what_passes_seldom_is_tried_thrice(void **state)
{
    static const struct line digest = {
        400, "", "<Error><Code>BadDigest</Code></Error>", NULL};
    static const struct line full = {0, NULL, NULL, "pool full"};
    struct line lines[] = {digest, digest, digest, full, full, full, {0}};
    (void)state;
    setup(lines, "");
    begin(&put);
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(call.fault.error, ERROR_CORRUPT);
    assert_int_equal(call.attempt, 3);
    begin(&put);
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(call.fault.error, ERROR_LIMIT);
    assert_int_equal(call.fault.detail, CFG_POOL_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_end),
        cmocka_unit_test(what_does_not_pass_is_tried_a_few_times),
        cmocka_unit_test(a_wrong_clock_is_put_right_once),
        cmocka_unit_test(a_bucket_elsewhere_is_found),
        cmocka_unit_test(redirects_stay_within_aws),
        cmocka_unit_test(two_wrong_regions_are_one_too_many),
        cmocka_unit_test(expired_credentials_are_fetched_once),
        cmocka_unit_test(an_error_in_a_200_is_no_success),
        cmocka_unit_test(what_passes_seldom_is_tried_thrice),
    };
    return RUN(tests);
}
