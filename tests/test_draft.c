/* test_draft.c - a configuration of what is there, which can be run as it is.
 * Method: accounts of the simulated AWS; the draft is read as a configuration,
 * and run. */
#include "run_rig.h"
#include "task/draft.h"

#define DAYS(n) ((n) * (int64_t)DAY_MS)

static struct draft draft;
static char made[CFG_CONFIG_BYTES + DRAFT_OUT_BYTES];

static bool drafts(const char *to)
{
    size_t len = 0;
    memset(&site, 0, sizeof site);
    sim_init(&network, model, run_seed++, NOON);
    sim_site(&site, &network, 1000, run_seed);
    draft_init(&draft, &site, view_of(to));
    for (;;) {
        enum flow flow = draft_step(&draft, sim_now(&network));
        if (flow != FLOW_MOVED && flow != FLOW_WANT_EVENT) {
            assert_true(len + draft.out.len < sizeof made);
            memcpy(made + len, draft.out.at, draft.out.len + 1);
            len += draft.out.len;
            text_reset(&draft.out);
        }
        if (flow == FLOW_ENDED || flow == FLOW_FAILED) {
            assert_int_equal(draft_step(&draft, sim_now(&network)), flow);
            return flow == FLOW_ENDED;
        }
        if (flow == FLOW_WANT_EVENT)
            assert_true(sim_advance(&network, draft_wake_ms(&draft)));
    }
}

static bool reads(void)
{
    static _Alignas(8) uint8_t room[1 << 20];
    struct fault fault = {0};
    config.len = (uint32_t)strlen(made);
    assert_true(config.len <= sizeof config.text);
    memcpy(config.text, made, config.len);
    bool ok = config_read(&config, view_of("firn.json"),
                          (struct span){room, sizeof room}, &fault);
    if (!ok)
        fprintf(stderr, "%s %s in %s\n", fault.what, fault.words, made);
    return ok;
}

static void it_can_be_run(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(40));
    assert_true(drafts("s3://" BUCKET "/"));
    assert_true(reads());
    assert_null(strstr(made, "\"// /"));  /* nothing is left out */
    aws_create_group(model, "/delivered", NOON - DAYS(40));
    aws_group_policy(model, "/delivered", "DELIVERY", 0, false);
    aws_create_group(model, "/ia", NOON - DAYS(40));
    aws_group_policy(model, "/ia", "INFREQUENT_ACCESS", 0, false);
    aws_create_group(model, "/masked", NOON - DAYS(40));
    aws_group_policy(model, "/masked", "STANDARD", 30, true);
    aws_create_group(model, "/one", NOON - DAYS(40));
    aws_group_policy(model, "/one", "STANDARD", 1, false);
    aws_create_group(model, "/week", NOON - DAYS(40));
    aws_group_policy(model, "/week", "STANDARD", 7, false);
    assert_true(drafts("s3://" BUCKET "/"));
    assert_non_null(strstr(made, "\n    \"/a\",\n"));
    assert_non_null(strstr(made, "{\"name\": \"/ia\", \"via\": \"export\", "
                           "\"format\": \"text\", \"age_days\": 2,\n     "
                           "\"//\": \"cannot be"));
    assert_non_null(strstr(made, "{\"name\": \"/masked\",\n     \"//\": "
                           "\"archived as it is masked.\"}"));
    assert_non_null(strstr(made, "\"/week\",\n     \"//\": \"keeps 7 days: "));
    assert_non_null(strstr(made, "\"since\": \"2026-11-09\""));
    assert_non_null(strstr(made, "\n  \"// /one\": \"keeps 1 day: "));
    assert_non_null(strstr(made, "\n  \"// /delivered\": \"class DELIVERY "
                           "cannot be read"));
    assert_true(reads());
    assert_int_equal(config.group_count, 4);
    assert_int_equal(run_at(NOON), 0);
    assert_int_equal(job.archived, 0);
    close_world();
}

/* Names that fill more than a page, and more than a configuration. */
static void more_than_fit_are_all(void **state)
{
    char name[300];
    struct config_settings s;
    (void)state;
    open_world();
    for (int i = 0; i < 260; i++) {
        (void)snprintf(name, sizeof name, "/%03d/%0270d", i, i);
        aws_create_group(model, name, NOON - DAYS(4));
        aws_group_policy(model, name, "STANDARD", i % 50 == 0 ? 7
                         : i % 60 == 1 ? 1 : 0, false);
    }
    assert_true(drafts("s3://" BUCKET "/x/"));
    assert_true(reads());
    assert_int_equal(config.group_count, 1 + 6);
    assert_int_equal(config.exclude_count, 5);
    config_settings(&config, 0, &s);
    assert_true(view_is(config_name(&config, 0), "*"));
    assert_true(view_is(s.to, "s3://" BUCKET "/x/"));
    close_world();
}

/* What is left out is named one by one, even where all else is "*". */
static void too_much_to_leave_out_is_a_limit(void **state)
{
    char name[64];
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(4));
    for (int i = 0; i < 2 * CFG_CONFIG_GROUPS; i++) {
        (void)snprintf(name, sizeof name, "/g/%d", i);
        aws_create_group(model, name, NOON - DAYS(4));
        aws_group_policy(model, name, "STANDARD",
                         i < CFG_CONFIG_GROUPS ? 1 : 7, false);
    }
    assert_false(drafts("s3://" BUCKET "/"));
    assert_int_equal(draft.fault.error, ERROR_LIMIT);
    assert_string_equal(draft.fault.what, "CFG_CONFIG_GROUPS");
    close_world();
}

static void nothing_is_no_configuration(void **state)
{
    (void)state;
    open_world();
    assert_false(drafts("s3://" BUCKET "/"));
    assert_int_equal(fault_exit(draft.fault.error), 78);
    assert_non_null(strstr(draft.fault.words, "no log group in us-east-1"));
    aws_create_group(model, "/a", NOON);
    assert_true(aws_fault(model, "DescribeLogGroups error="
                                 "AccessDeniedException status=400"));
    assert_false(drafts("s3://" BUCKET "/"));
    assert_int_equal(draft.fault.error, ERROR_DENIED);
    assert_string_equal(made, "");
    aws_clear_faults(model);
    assert_true(aws_fault(model, "DescribeLogGroups error="
                                 "ResourceNotFoundException status=400"));
    assert_false(drafts("s3://" BUCKET "/"));
    assert_int_equal(draft.fault.error, ERROR_MISSING);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_can_be_run),
        cmocka_unit_test(more_than_fit_are_all),
        cmocka_unit_test(too_much_to_leave_out_is_a_limit),
        cmocka_unit_test(nothing_is_no_configuration),
    };
    return RUN(tests);
}
