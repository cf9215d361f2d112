/* test_credentials.c - which provider is taken, what it is asked, and what
 * happens when it fails or its keys run out. Virtual time, scripted answers. */
#include "call/credentials.h"
#include "row.h"
#include "script.h"

#define JSON_KEYS(id, until) \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"" id "\"," \
    "\"SecretAccessKey\":\"secret\",\"Token\":\"to\\/ken\"," \
    "\"Expiration\":\"" until "\"}"
#define XML_KEYS(id, until) \
    "<R><Result><Credentials><AccessKeyId>" id "</AccessKeyId>" \
    "<SecretAccessKey>secret</SecretAccessKey><SessionToken>t&amp;k" \
    "</SessionToken><Expiration>" until "</Expiration></Credentials>" \
    "</Result></R>"
#define NOON INT64_C(1793880000000)  /* 2026-11-05T12:00:00Z */

static struct credentials c;
static struct transport t;
static struct endpoint sts;
static struct now now;

static bool start(struct settings *s, const struct line *lines,
                  struct fault *fault)
{
    struct endpoint_options o = {0};
    endpoint_of_region(&sts, SITE_STS, view_of("eu-west-1"), &o);
    memset(&t, 0, sizeof t);
    t.lines = lines;
    now = (struct now){NOON, 1000};
    return credentials_init(&c, s, 1, fault);
}

/* Steps and answers until calls may go on, or it failed, or an hour went by;
 * pauses pass at once. */
static enum flow run(void)
{
    enum flow flow = FLOW_WANT_EVENT;
    for (int turn = 0; turn < 100; turn++) {
        flow = credentials_step(&c, &t, &sts, now);
        if (flow != FLOW_WANT_EVENT)
            return flow;
        if (script_answer(&t))
            continue;
        int64_t wake = credentials_wake_ms(&c);
        if (wake == INT64_MAX)
            return flow;
        now.wall_ms += wake - now.mono_ms;
        now.mono_ms = wake;
    }
    return flow;
}

static void later(int64_t ms)
{
    now.wall_ms += ms;
    now.mono_ms += ms;
}

enum { E_KEYS = 1, E_WEB = 2, E_FULL = 4, E_OFF = 8, E_PROFILE = 16,
       E_RELATIVE = 32, E_HALF = 64, E_EVIL = 128, E_BLANK = 256 };

static void fill(struct settings *s, unsigned env, const char *config)
{
    *s = (struct settings){.config = view_of(config)};
    struct view *e = s->env;
    if (env & (E_KEYS | E_HALF))
        e[SETTING_KEY_ID] = view_of("ENV");
    if (env & E_BLANK)
        e[SETTING_KEY_ID] = view_of("  ");
    if (env & (E_KEYS | E_BLANK))
        e[SETTING_SECRET] = view_of("secret");
    if (env & E_WEB) {
        e[SETTING_ROLE_ARN] = view_of("arn:aws:iam::1:role/w");
        e[SETTING_WEB_TOKEN_FILE] = view_of("/token");
    }
    if (env & E_RELATIVE)
        e[SETTING_CONTAINER_RELATIVE] = view_of("/v2/x");
    if (env & E_FULL)
        e[SETTING_CONTAINER_FULL] = view_of("http://169.254.170.23/v1");
    if (env & E_EVIL)
        e[SETTING_CONTAINER_FULL] = view_of("http://evil.example/v1");
    if (env & E_OFF)
        e[SETTING_IMDS_DISABLED] = view_of("true");
    if (env & E_PROFILE)
        s->profile_option = view_of("p");
}

static const struct row {
    const char *name;
    unsigned    env;
    const char *config;
    enum credentials_provider want;
    const char *id, *words;  /* of a refusal: how its words begin */
    int         code;
} rows[] = {
    {"keys of the environment", E_KEYS, "", PROVIDER_ENVIRONMENT, "ENV",
     NULL, 0},
    {"the environment before a profile", E_KEYS,
     "[default]\naws_access_key_id=P\naws_secret_access_key=s\n",
     PROVIDER_ENVIRONMENT, "ENV", NULL, 0},
    {"a profile by option before the environment", E_KEYS | E_PROFILE,
     "[profile p]\naws_access_key_id=P\naws_secret_access_key=s\n",
     PROVIDER_PROFILE, "P", NULL, 0},
    {"blank keys are none", E_BLANK,
     "[default]\naws_access_key_id=P\naws_secret_access_key=s\n",
     PROVIDER_PROFILE, "P", NULL, 0},
    {"half a pair is none", E_HALF | E_RELATIVE, "", PROVIDER_CONTAINER, "",
     NULL, 0},
    {"web identity before the container", E_WEB | E_FULL, "",
     PROVIDER_WEB_IDENTITY, "", NULL, 0},
    {"a profile's keys before the container", E_FULL,
     "[default]\naws_access_key_id=P\naws_secret_access_key=s\n",
     PROVIDER_PROFILE, "P", NULL, 0},
    {"the container before the instance", E_FULL, "", PROVIDER_CONTAINER,
     "", NULL, 0},
    {"the instance at last", 0, "", PROVIDER_INSTANCE, "", NULL, 0},
    {"web identity of a profile", 0,
     "[default]\nrole_arn=r\nweb_identity_token_file=/t\n",
     PROVIDER_WEB_IDENTITY, "", NULL, 0},
    {"nothing at all", E_OFF, "", PROVIDER_NONE, NULL,
     "no credentials. Tried: environment (no AWS_ACCESS_KEY_ID), profile "
     "\"default\" (no keys), web identity (not set), container (not set), "
     "instance metadata (switched off)", 77},
    {"half a pair is told", E_OFF | E_HALF, "", PROVIDER_NONE, NULL,
     "no credentials. Tried: environment (only one of", 77},
    {"a profile that is missing", E_PROFILE, "", PROVIDER_NONE, NULL,
     "profile \"p\" is not in the shared files", 78},
    {"half a pair in a profile", 0, "[default]\naws_access_key_id=P\n",
     PROVIDER_NONE, NULL, "profile \"default\" has only one of", 78},
    {"Identity Center", E_PROFILE, "[profile p]\nsso_session=x\n",
     PROVIDER_NONE, NULL, "profile \"p\" uses IAM Identity Center. Run: eval "
     "\"$(aws configure export-credentials --profile p --format env)\"", 77},
    {"a credential_process", E_PROFILE, "[profile p]\ncredential_process=x\n",
     PROVIDER_NONE, NULL, "profile \"p\" runs a credential_process, and firn "
     "starts no other program. Run: eval", 77},
    {"MFA", 0, "[default]\nrole_arn=r\nsource_profile=default\n"
     "mfa_serial=x\n", PROVIDER_NONE, NULL,
     "profile \"default\" asks for an MFA code. Run: eval", 77},
    {"a container of someone else", E_EVIL, "", PROVIDER_NONE, NULL,
     "AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL", 78},
    {"a role of one's own keys", 0,
     "[default]\nrole_arn=r\nsource_profile=default\naws_access_key_id=P\n"
     "aws_secret_access_key=s\n", PROVIDER_PROFILE, "P", NULL, 0},
    {"a role of the instance", 0,
     "[default]\nrole_arn=r\ncredential_source=Ec2InstanceMetadata\n",
     PROVIDER_INSTANCE, "", NULL, 0},
    {"a role of the environment, by option", E_KEYS | E_PROFILE,
     "[profile p]\nrole_arn=r\ncredential_source=Environment\n",
     PROVIDER_ENVIRONMENT, "ENV", NULL, 0},
    {"a role of nothing", E_OFF,
     "[default]\nrole_arn=r\ncredential_source=Ec2InstanceMetadata\n",
     PROVIDER_NONE, NULL, "profile \"default\" names a credential_source",
     78},
    {"a role without a source", 0, "[default]\nrole_arn=r\n", PROVIDER_NONE,
     NULL, "profile \"default\" needs one of source_profile and", 78},
    {"a role with two", 0, "[default]\nrole_arn=r\nsource_profile=a\n"
     "credential_source=Environment\n", PROVIDER_NONE, NULL,
     "profile \"default\" needs one of source_profile and", 78},
    {"a source that is missing", 0,
     "[default]\nrole_arn=r\nsource_profile=q\n", PROVIDER_NONE, NULL,
     "profile \"default\" names a source_profile that is missing", 78},
    {"a source without keys", 0,
     "[default]\nrole_arn=r\nsource_profile=q\n[profile q]\nregion=x\n",
     PROVIDER_NONE, NULL, "profile \"q\" is named as a source_profile", 78},
    {"a loop", 0, "[default]\nrole_arn=r\nsource_profile=q\n[profile q]\n"
     "role_arn=s\nsource_profile=default\n", PROVIDER_NONE, NULL,
     "profile \"q\" is one of a row of source_profiles that leads", 78},
};

static bool chosen(const struct row *row)
{
    struct settings s;
    struct fault fault = {0};
    fill(&s, row->env, row->config);
    bool ok = start(&s, NULL, &fault);
    if (row->id != NULL)
        return ok && c.provider == row->want &&
               row_string(c.base.id, row->id);
    bool said = view_starts(view_of(fault.words), row->words);
    if (!said)
        fprintf(stderr, "  got \"%s\"\n", fault.words);
    return !ok && said && fault_exit(fault.error) == row->code;
}

static void the_first_that_is_configured_wins(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, chosen(&rows[i]));
    assert_int_equal(failures, 0);
}

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
        cmocka_unit_test(the_first_that_is_configured_wins),
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
