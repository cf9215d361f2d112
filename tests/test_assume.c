/* test_assume.c - credentials: an instance's region, a role on top of others,
 * and what is tried again. */
#include "credentials_rig.h"

static const struct located_row {
    const char *name;
    struct line lines[5];
    const char *words;
} located_rows[] = {
    {"no instance metadata",
     {{0, NULL, NULL, "timed out"}, {0, NULL, NULL, "timed out"},
      {0, NULL, NULL, "timed out"}},
     "no region: give --region"},
    {"a region that is none",
     {{200, "", "T", NULL}, {200, "", "evil.example/", NULL}},
     "the instance metadata gave a region that is none"},
    {"no region there", {{200, "", "T", NULL}, {404, "", "", NULL}},
     "HTTP 404"},
};

static void a_region_that_is_not_found_is_told(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < 2 * ROW_COUNT(located_rows); i++) {
        const struct located_row *row = &located_rows[i / 2];
        struct settings s;
        struct fault fault = {0};
        fill(&s, i % 2 == 0 ? E_KEYS : 0, "");  /* or all of the instance */
        assert_true(start(&s, row->lines, &fault));
        c.want_region = true;
        bool failed = run() == FLOW_FAILED;
        failures += BROKEN(row->name, failed &&
                           strstr(c.fault.words, row->words) != NULL);
    }
    assert_int_equal(failures, 0);
}

/* Once found, the region is not asked for again with the next keys. */
static void an_instance_gives_its_region_once(void **state)
{
    static const struct line lines[] = {
        {200, "", "T", NULL}, {200, "", "eu-north-1", NULL},
        {200, "", "T", NULL}, {200, "", "r", NULL},
        {200, "", JSON_KEYS("A", "2026-11-05T18:00:00Z"), NULL},
        {0, NULL, NULL, "timed out"}, {0, NULL, NULL, "timed out"},
        {0, NULL, NULL, "timed out"}, {0}};
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, 0, "");
    assert_true(start(&s, lines, &fault));
    c.want_region = true;
    assert_int_equal(run(), FLOW_ENDED);
    assert_int_equal(t.count, 5);
    later(7 * 3600000);
    assert_int_equal(run(), FLOW_FAILED);
    assert_non_null(strstr(c.fault.words, "instance metadata (timed out)"));
    assert_int_equal(t.count, 8);
}

/* What has failed is failed for a while, and then tried again. */
static void a_failure_lasts_for_a_minute(void **state)
{
    static const struct line lines[] = {
        {403, "", "", NULL},
        {200, "", JSON_KEYS("A", "2026-11-05T18:00:00Z"), NULL}, {0}};
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, E_RELATIVE, "");
    assert_true(start(&s, lines, &fault));
    assert_int_equal(run(), FLOW_FAILED);
    later(59999);
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(t.count, 1);
    later(1);
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(c.keys.id, "A");
}

/* A role behind fixed keys: its own expire, and the longest names fit. */
static void a_role_is_assumed_and_given_up(void **state)
{
    static const struct line lines[] = {
        {200, "", XML_KEYS("ROLE", "2026-11-05T13:00:00Z"), NULL},
        {200, "", XML_KEYS("ROLE2", "2026-11-05T13:00:00Z"), NULL},
        {200, "", "<R/>", NULL}, {500, "", "", NULL},
        {200, "", XML_KEYS("ROLE3", "2026-11-05T13:00:00Z"), NULL},
        {403, "", "", NULL}, {0}};
    char arn[ROLE_ARN_BYTES];
    struct settings s;
    struct fault fault = {0};
    struct view name = {(const uint8_t *)arn, sizeof arn - 1};
    (void)state;
    memset(arn, '/', sizeof arn);
    fill(&s, E_KEYS, "");
    assert_true(start(&s, lines, &fault));
    assert_false(credentials_assume(&c, &t, (struct view){name.at,
                                                          sizeof arn}));
    assert_true(credentials_assume(&c, &t, name));
    memset(c.roles[0].external_id, '/', ROLE_EXTERNAL_BYTES - 1);
    memset(c.roles[0].session, '/', ROLE_SESSION_BYTES - 1);
    memset(c.base.token, 't', CFG_SESSION_BYTES - 1);
    memset(sts.base_path, '%', sizeof sts.base_path - 1);
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(c.keys.id, "ROLE");
    assert_true(credentials_expire(&c, c.keys.serial));
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(c.keys.id, "ROLE2");
    assert_true(credentials_expire(&c, c.keys.serial));
    assert_int_equal(credentials_step(&c, &t, &sts, now), FLOW_WANT_EVENT);
    assert_int_equal(t.count, 3);
    assert_int_equal(run(), FLOW_ENDED);  /* after two answers without keys */
    assert_string_equal(c.keys.id, "ROLE3");
    assert_true(credentials_expire(&c, c.keys.serial));
    assert_int_equal(run(), FLOW_FAILED);
    assert_string_equal(c.fault.words, "credentials by environment: HTTP 403");
    assert_true(credentials_assume(&c, &t, view_of("")));
    assert_int_equal(run(), FLOW_ENDED);
    assert_string_equal(c.keys.id, "ENV");
    credentials_forget(&c, &t);  /* nothing is under way */
    assert_int_equal(c.keys.serial, 0);
}

static void a_role_too_many_is_refused(void **state)
{
    static const struct line lines[] = {
        {200, "", JSON_KEYS("A", "2026-11-05T18:00:00Z"), NULL}, {0}};
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, E_RELATIVE, "");
    assert_true(start(&s, lines, &fault));
    assert_int_equal(credentials_step(&c, &t, &sts, now), FLOW_WANT_EVENT);
    c.role_count = ROLE_COUNT;
    assert_false(credentials_assume(&c, &t, view_of("one more")));
    assert_non_null(t.active[0]);
    c.role_count = 0;
    assert_true(credentials_assume(&c, &t, view_of("arn")));
    assert_null(t.active[0]);  /* what was asked before is not waited for */
}

static void fixed_keys_of_a_profile_do_not_expire(void **state)
{
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, 0, "[default]\naws_access_key_id=P\naws_secret_access_key=s\n");
    assert_true(start(&s, NULL, &fault));
    assert_int_equal(run(), FLOW_ENDED);
    assert_false(credentials_expire(&c, c.keys.serial));
}

/* Kubernetes mounts token files that others can read. */
static void an_exposed_token_file_is_read(void **state)
{
    static const struct line lines[] = {
        {200, "", JSON_KEYS("A", "2026-11-05T18:00:00Z"), NULL}, {0}};
    struct settings s;
    struct fault fault = {0};
    (void)state;
    script_files = (const struct file[]){{"/t", "open\n"}, {0}};
    script_exposed = "/t";
    fill(&s, E_FULL, "");
    s.env[SETTING_CONTAINER_TOKEN_FILE] = view_of("/t");
    assert_true(start(&s, lines, &fault));
    assert_int_equal(run(), FLOW_ENDED);
    assert_non_null(strstr(t.headers[0], "authorization:open\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_that_is_not_found_is_told),
        cmocka_unit_test(an_instance_gives_its_region_once),
        cmocka_unit_test(a_failure_lasts_for_a_minute),
        cmocka_unit_test(a_role_is_assumed_and_given_up),
        cmocka_unit_test(a_role_too_many_is_refused),
        cmocka_unit_test(fixed_keys_of_a_profile_do_not_expire),
        cmocka_unit_test(an_exposed_token_file_is_read),
    };
    return RUN(tests);
}
