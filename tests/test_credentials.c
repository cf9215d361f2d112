/* test_credentials.c - which provider is taken, what it is asked, and what
 * happens when it fails or its keys run out. Virtual time, scripted answers. */
#include "credentials_rig.h"

static void fixed_keys_are_ready_at_once(void **state)
{
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, E_KEYS, "");
    assert_true(start(&s, NULL, &fault));
    assert_int_equal(run(), FLOW_ENDED);
    assert_true(c.keys.serial != 0);
    assert_string_equal(c.keys.id, "ENV");
    later(INT64_C(400) * 86400000);
    assert_int_equal(run(), FLOW_ENDED);
    assert_false(credentials_expire(&c, c.keys.serial));
    assert_int_equal(t.count, 0);
}

static void an_instance_gives_token_name_and_keys(void **state)
{
    static const struct line lines[] = {
        {200, "", "TOKEN", NULL},
        {200, "", "role-name\nsecond", NULL},
        {200, "", JSON_KEYS("ASIA1", "2026-11-05T18:00:00Z"), NULL},
        {0}};
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, 0, "");
    assert_true(start(&s, lines, &fault));
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(t.url[0],
                        "PUT http://169.254.169.254/latest/api/token");
    assert_string_equal(t.headers[0],
                        "x-aws-ec2-metadata-token-ttl-seconds:21600\n");
    assert_string_equal(t.url[2], "GET http://169.254.169.254/latest/"
                        "meta-data/iam/security-credentials/role-name");
    assert_string_equal(t.headers[2], "x-aws-ec2-metadata-token:TOKEN\n");
    assert_string_equal(c.keys.id, "ASIA1");
    assert_string_equal(c.keys.token, "to/ken");
    assert_true(c.keys.expires_ms == NOON + 6 * 3600000);
    for (size_t i = 0; i < sizeof c.reply; i++)
        assert_int_equal(c.reply[i], 0);  /* no secret stays behind */
}

static void keys_are_refreshed_before_they_end(void **state)
{
    static const struct line lines[] = {
        {200, "", JSON_KEYS("A", "2026-11-05T18:00:00Z"), NULL},
        {200, "", JSON_KEYS("B", "2026-11-06T00:00:00Z"), NULL},
        {0, NULL, NULL, "refused"}, {0, NULL, NULL, "refused"},
        {0, NULL, NULL, "refused"},
        {200, "", JSON_KEYS("C", "2026-11-06T06:00:00Z"), NULL},
        {0}};
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, E_FULL, "");
    s.env[SETTING_CONTAINER_TOKEN] = view_of("Bearer x");
    assert_true(start(&s, lines, &fault));
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(t.headers[0], "accept:application/json\n"
                                      "authorization:Bearer x\n");
    later(6 * 3600000 - 15 * 60000 - 1);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(t.count, 1);
    later(2);  /* advisory: calls go on meanwhile */
    assert_int_equal(credentials_step(&c, &t, &sts, now), FLOW_ENDED);
    assert_int_equal(t.count, 2);
    assert_string_equal(c.keys.id, "A");
    later(5 * 60000);  /* mandatory: now they wait */
    assert_int_equal(credentials_step(&c, &t, &sts, now), FLOW_WANT_EVENT);
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(c.keys.id, "B");
    later(c.keys.expires_ms - now.wall_ms - 9 * 60000);
    uint32_t serial = c.keys.serial;
    while (t.count < 5 || c.state != CREDENTIALS_READY) {
        credentials_step(&c, &t, &sts, now);
        script_answer(&t);
        later(500);
    }
    assert_int_equal(run(), FLOW_ENDED);  /* it failed: the old ones serve */
    assert_true(c.keys.serial == serial && t.count == 5);
    later(60000);
    run();  /* and it is tried again */
    while (script_answer(&t))
        assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(c.keys.id, "C");
}

static void what_aws_calls_expired_is_fetched_again(void **state)
{
    static const struct line lines[] = {
        {200, "", JSON_KEYS("A", "2026-11-05T18:00:00Z"), NULL},
        {200, "", JSON_KEYS("B", "2026-11-05T18:00:00Z"), NULL},
        {0}};
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, E_RELATIVE, "");
    assert_true(start(&s, lines, &fault));
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(t.url[0], "GET http://169.254.170.2/v2/x");
    uint32_t serial = c.keys.serial;
    assert_true(credentials_expire(&c, serial));
    assert_int_equal(credentials_step(&c, &t, &sts, now), FLOW_WANT_EVENT);
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(c.keys.id, "B");
    assert_true(credentials_expire(&c, serial));  /* another call's news */
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(t.count, 2);
}

static void keys_that_come_expired_still_serve(void **state)
{
    static const struct line lines[] = {
        {200, "", JSON_KEYS("A", "2016-11-05T18:00:00Z"), NULL},
        {0}};
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, E_RELATIVE, "");
    assert_true(start(&s, lines, &fault));
    assert_int_equal(run(), FLOW_ENDED);
    later(60000);
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(t.count, 1);
}

static void a_token_file_is_read_each_time(void **state)
{
    static const struct line lines[] = {
        {200, "", XML_KEYS("A", "2026-11-05T13:00:00Z"), NULL},
        {200, "", XML_KEYS("B", "2026-11-05T14:00:00Z"), NULL},
        {0}};
    struct settings s;
    struct fault fault = {0};
    (void)state;
    script_files = (const struct file[]){{"/token", "one.jwt\n"}, {0}};
    fill(&s, E_WEB, "");
    assert_true(start(&s, lines, &fault));
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(t.url[0],
                        "POST https://sts.eu-west-1.amazonaws.com/");
    assert_null(strstr(t.headers[0], "authorization"));
    assert_string_equal(t.body[0],
                        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
                        "&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fw"
                        "&RoleSessionName=firn-1793880000"
                        "&WebIdentityToken=one.jwt");
    assert_string_equal(c.keys.token, "t&k");
    script_files = (const struct file[]){{"/token", "two.jwt"}, {0}};
    later(3600000);
    assert_int_equal(run(), FLOW_ENDED);
    assert_non_null(strstr(t.body[1], "=two.jwt"));
    assert_string_equal(c.keys.id, "B");
}

static void roles_are_assumed_one_by_one(void **state)
{
    static const struct line lines[] = {
        {200, "", XML_KEYS("INNER", "2026-11-05T13:00:00Z"), NULL},
        {200, "", XML_KEYS("OUTER", "2026-11-05T13:00:00Z"), NULL},
        {0}};
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, 0,
         "[default]\nrole_arn=outer\nsource_profile=mid\n"
         "duration_seconds=900\nexternal_id=x y\n"
         "[profile mid]\nrole_arn=inner\nsource_profile=base\n"
         "role_session_name=me\n"
         "[profile base]\naws_access_key_id=BASE\n"
         "aws_secret_access_key=s\n");
    assert_true(start(&s, lines, &fault));
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(t.body[0], "Action=AssumeRole&Version=2011-06-15"
                                   "&RoleArn=inner&RoleSessionName=me");
    assert_non_null(strstr(t.headers[0], "Credential=BASE/20261105/"
                                         "eu-west-1/sts/aws4_request"));
    assert_string_equal(t.body[1],
                        "Action=AssumeRole&Version=2011-06-15&RoleArn=outer"
                        "&RoleSessionName=firn-1793880000"
                        "&DurationSeconds=900&ExternalId=x%20y");
    assert_non_null(strstr(t.headers[1], "Credential=INNER/"));
    assert_non_null(strstr(t.headers[1], "x-amz-security-token:t&k\n"));
    assert_string_equal(c.keys.id, "OUTER");
}

#define FIFTY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY

static const struct fail_row {
    const char *name;
    unsigned    env;
    struct line lines[5];
    uint32_t    requests;
    const char *words;
} fail_rows[] = {
    {"no instance", 0,
     {{0, NULL, NULL, "timed out"}, {0, NULL, NULL, "timed out"},
      {0, NULL, NULL, "timed out"}},
     3, "container (not set), instance metadata (timed out)"},
    {"IMDSv1 is never asked", 0, {{403, "", "", NULL}}, 1,
     "instance metadata (HTTP 403)"},
    {"no role", 0, {{200, "", "T", NULL}, {404, "", "", NULL}}, 2,
     "instance metadata (no role is attached to the instance)"},
    {"a code in a 200", 0,
     {{200, "", "T", NULL}, {200, "", "r", NULL},
      {200, "", "{\"Code\":\"AssumeRoleUnauthorizedAccess\"}", NULL},
      {403, "", "", NULL}},
     4, "instance metadata (HTTP 403)"},
    {"a container that fails", E_RELATIVE,
     {{500, "", "", NULL}, {503, "", "", NULL}, {500, "", "", NULL}},
     3, "credentials by container: HTTP 500"},
    {"a container that cannot be reached", E_RELATIVE,
     {{200, "content-length: 99\n", "{", NULL},
      {200, "content-length: 99\n", "{", NULL},
      {200, "content-length: 99\n", "{", NULL}},
     3, "credentials by container: the reply was cut short"},
    {"a container that is busy, or forgot the token", E_RELATIVE,
     {{429, "", "", NULL}, {401, "", "", NULL}, {429, "", "", NULL}},
     3, "credentials by container: HTTP 429"},
    {"an instance's token that is too long", 0, {{200, "", LONG, NULL}}, 1,
     "instance metadata (HTTP 200)"},
    {"an instance that loses the role", 0,
     {{200, "", "T", NULL}, {0, NULL, NULL, "reset"}, {200, "", "T", NULL},
      {500, "", "", NULL}, {403, "", "", NULL}},
     5, "instance metadata (HTTP 403)"},
    {"a role without a name", 0,
     {{200, "", "T", NULL}, {200, "", " \n", NULL}}, 2,
     "instance metadata (the instance's role has no name)"},
    {"a role with a long name", 0,
     {{200, "", "T", NULL}, {200, "", LONG, NULL}}, 2,
     "instance metadata (the instance's role has no name)"},
    {"STS says nothing", E_WEB,
     {{200, "", "<R/>", NULL}, {200, "", "", NULL}, {200, "", "{}", NULL}},
     3, "credentials by web identity: an answer of STS without keys"},
    {"a container that refuses", E_RELATIVE, {{403, "", "", NULL}}, 1,
     "credentials by container: HTTP 403"},
    {"a container that talks", E_RELATIVE,
     {{200, "", "hello", NULL}, {200, "", "{}", NULL},
      {200, "", "{\"AccessKeyId\":\"a\\n\",\"SecretAccessKey\":\"b\","
                "\"Token\":\"c\"}", NULL}},
     3, "credentials by container: an answer without keys"},
    {"STS says no", E_WEB,
     {{403, "", "<ErrorResponse><Error><Code>AccessDenied</Code><Message>"
                "Not you</Message></Error></ErrorResponse>", NULL}},
     1, "credentials by web identity: AccessDenied, \"Not you\""},
    {"STS finds the token too old, thrice", E_WEB,
     {{400, "", "<Error><Code>ExpiredTokenException</Code></Error>", NULL},
      {400, "", "<Error><Code>ExpiredTokenException</Code></Error>", NULL},
      {400, "", "<Error><Code>ExpiredTokenException</Code></Error>", NULL}},
     3, "credentials by web identity: ExpiredTokenException"},
};

static void failures_are_bounded_and_told(void **state)
{
    int failures = 0;
    (void)state;
    script_files = (const struct file[]){{"/token", "jwt"}, {0}};
    for (size_t i = 0; i < ROW_COUNT(fail_rows); i++) {
        const struct fail_row *row = &fail_rows[i];
        struct settings s;
        struct fault fault = {0};
        fill(&s, row->env, "");
        start(&s, row->lines, &fault);
        bool failed = run() == FLOW_FAILED && c.fault.error == ERROR_DENIED;
        bool said = strstr(c.fault.words, row->words) != NULL;
        if (!said)
            fprintf(stderr, "  got \"%s\"\n", c.fault.words);
        failures += BROKEN(row->name, failed && said &&
                                          t.count == row->requests);
    }
    assert_int_equal(failures, 0);
}

static const struct token_row {
    const char *name, *text;  /* NULL: unreadable */
    const char *words;
} token_rows[] = {
    {"a token file that is empty", "\n", "the token file is missing, empty"},
    {"a token file of someone else", NULL, "the token file is missing"},
};

static void token_files_are_judged(void **state)
{
    static char large[CFG_BODY_BYTES + 10];
    int failures = 0;
    struct settings s;
    struct fault fault = {0};
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(token_rows); i++) {
        const struct file files[] = {{"/token", token_rows[i].text}, {0}};
        script_files = files;
        fill(&s, E_WEB, "");
        start(&s, NULL, &fault);
        bool failed = run() == FLOW_FAILED;
        failures += BROKEN(token_rows[i].name,
                           failed && t.count == 0 &&
                               strstr(c.fault.words,
                                      token_rows[i].words) != NULL);
    }
    memset(large, 'a', sizeof large - 1);
    for (size_t len = sizeof large - 1; len > 8060; len -= 40) {
        const struct file files[] = {{"/token", large}, {0}};
        large[len] = '\0';
        script_files = files;
        fill(&s, E_WEB, "");
        start(&s, NULL, &fault);
        failures += BROKEN("a token file that is too long",
                           run() == FLOW_FAILED &&
                               c.fault.error == ERROR_LIMIT);
    }
    script_files = (const struct file[]){{"/t", NULL}, {0}};
    fill(&s, E_FULL, "");
    s.env[SETTING_CONTAINER_TOKEN_FILE] = view_of("/t");
    start(&s, NULL, &fault);
    failures += BROKEN("a container's token that cannot be read",
                       run() == FLOW_FAILED && t.count == 0 &&
                           strstr(c.fault.words, "cannot be read") != NULL);
    script_files = (const struct file[]){{"/t", "a\nb"}, {0}};
    fill(&s, E_FULL, "");
    s.env[SETTING_CONTAINER_TOKEN_FILE] = view_of("/t");
    start(&s, NULL, &fault);
    failures += BROKEN("a container's token of two lines",
                       run() == FLOW_FAILED && t.count == 0);
    assert_int_equal(failures, 0);
}

static void the_region_of_an_instance_is_asked_first(void **state)
{
    static const struct line lines[] = {
        {200, "", "T", NULL}, {200, "", "eu-north-1\n", NULL}, {0}};
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, E_KEYS, "");
    assert_true(start(&s, lines, &fault));
    c.want_region = true;
    while (credentials_step(&c, &t, NULL, now) == FLOW_WANT_EVENT &&
           script_answer(&t))
        ;
    assert_string_equal(c.region, "eu-north-1");
    assert_int_equal(c.state, CREDENTIALS_LOCATED);
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(c.keys.id, "ENV");
    assert_int_equal(t.count, 2);
}

static void a_full_transport_is_asked_again(void **state)
{
    static const struct line lines[] = {
        {200, "", JSON_KEYS("A", "2026-11-05T18:00:00Z"), NULL}, {0}};
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, E_RELATIVE, "");
    assert_true(start(&s, lines, &fault));
    t.full = true;
    assert_int_equal(run(), FLOW_WANT_EVENT);
    t.full = false;
    assert_int_equal(run(), FLOW_ENDED);
}

static void secrets_are_forgotten(void **state)
{
    static const struct line lines[] = {
        {200, "", JSON_KEYS("A", "2026-11-05T18:00:00Z"), NULL}, {0}};
    static const struct keys nothing;
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, E_RELATIVE, "");
    s.env[SETTING_CONTAINER_TOKEN] = view_of("authorizing");
    assert_true(start(&s, lines, &fault));
    assert_int_equal(run(), FLOW_ENDED);
    credentials_expire(&c, c.keys.serial);
    assert_int_equal(credentials_step(&c, &t, &sts, now), FLOW_WANT_EVENT);
    credentials_forget(&c, &t);
    assert_int_equal(c.exchange.state, HTTP_IDLE);
    assert_memory_equal(&c.keys, &nothing, sizeof nothing);
    assert_memory_equal(&c.base, &nothing, sizeof nothing);
    assert_int_equal(c.headers[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_keys_are_ready_at_once),
        cmocka_unit_test(an_instance_gives_token_name_and_keys),
        cmocka_unit_test(keys_are_refreshed_before_they_end),
        cmocka_unit_test(what_aws_calls_expired_is_fetched_again),
        cmocka_unit_test(keys_that_come_expired_still_serve),
        cmocka_unit_test(a_token_file_is_read_each_time),
        cmocka_unit_test(roles_are_assumed_one_by_one),
        cmocka_unit_test(failures_are_bounded_and_told),
        cmocka_unit_test(token_files_are_judged),
        cmocka_unit_test(the_region_of_an_instance_is_asked_first),
        cmocka_unit_test(a_full_transport_is_asked_again),
        cmocka_unit_test(secrets_are_forgotten),
    };
    return RUN(tests);
}
