/* test_overview.c - what is told of a configuration's groups, and which of
 * their archives are given, over the simulated AWS.
 * Method: firn run archives some days first; what overview, stock and status
 * then say of them is looked for in their words. */
#include "run_rig.h"
#include "shelf.h"
#include "task/overview.h"
#include "task/stock.h"

enum { TOLD_BYTES = 100000, STEPS_MOST = 1000000, DAYS = 5 };

static struct overview overview;
static struct stock stock;
static char told_bytes[TOLD_BYTES], failed_bytes[4096];
static struct text told, failed;

/* Five days of /a and /b are archived. */
static void open_days(void)
{
    open_world();
    for (const char *const *g = (const char *const[]){"/a", "/b", NULL};
         *g != NULL; g++) {
        aws_create_group(model, *g, NOON - DAYS * (int64_t)DAY_MS);
        for (int day = 1; day <= DAYS; day++)
            put_events(*g, NOON - day * (int64_t)DAY_MS, 3);
    }
    configure("\"/a\",\"/b\"", "");
    plans = false;
    assert_int_equal(run_at(NOON), 0);
}

static void begin(int64_t wall_ms)
{
    text_init(&told, told_bytes, sizeof told_bytes);
    text_init(&failed, failed_bytes, sizeof failed_bytes);
    memset(&site, 0, sizeof site);
    sim_init(&network, model, run_seed++, wall_ms);
    sim_site(&site, &network, 1000, run_seed);
}

/* ---- overview ---- */

static void run_overview(const struct overview_options *options)
{
    enum flow flow = FLOW_MOVED;
    begin(NOON);
    overview_init(&overview, options);
    for (int step = 0; flow != FLOW_ENDED; step++) {
        assert_true(step < STEPS_MOST);
        flow = overview_step(&overview, sim_now(&network));
        text_put(&told, text_view(&overview.status.out));
        text_reset(&overview.status.out);
        if (flow == FLOW_WANT_ROOM && overview.failed) {
            text_put(&failed, overview.tour.name);
            text_str(&failed, ": ");
            text_str(&failed, overview.fault.code);
            text_str(&failed, overview.fault.words);
            text_char(&failed, '\n');
        }
        if (flow == FLOW_WANT_EVENT)
            assert_true(sim_advance(&network, overview_wake_ms(&overview)));
    }
    assert_int_equal(overview_step(&overview, sim_now(&network)), FLOW_ENDED);
    sim_kill(&network);
    assert_false(told.overflow || failed.overflow);
}

#define LONG100 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG400 LONG100 LONG100 LONG100 LONG100
#define ROLE    "\"role_arn\":\"arn:aws:iam::111122223333:role/logs\""

static const struct told_row {
    const char *name, *groups, *more, *fault;
    uint32_t    age;
    bool        draw;
    int         exit_code;
    const char *told, *failed;  /* "" : nothing of the kind */
} told_rows[] = {
    {"two groups", "\"/a\",\"/b\"", "", NULL, 0, false, 0,
     "\"group\":\"/b\",\"day\":null,\"from\":\"2026-11-04", ""},
    {"drawn", "\"/a\"", "", NULL, 0, true, 0, "  2026-11     pppp", ""},
    {"the legend ends it", "\"/a\"", "", NULL, 0, true, 0, "s sealed  p ",
     ""},
    {"an age of the command line", "\"/a\"", "", NULL, 5, false, 0,
     "\"day\":\"2026-11-04\"", ""},
    {"a day that is not there yet is due", "\"/c\"", "", NULL, 0, false, 75,
     "\"day\":\"2026-11-08\",\"from\":\"2026-11-08T00:00:00.000Z\",\"until\":"
     "\"2026-11-09T00:00:00.000Z\",\"bucket\":\"acme-logs\",\"key\":null,"
     "\"state\":\"missing\"", ""},
    {"a group of today owes nothing", "\"/new\"", "", NULL, 0, false, 0,
     "\"group\":\"/new\",\"day\":null,\"from\":null", ""},
    {"what has expired since then is told", "\"/c\"",
     ",\"since\":\"2026-11-01\"", NULL, 0, false, 65,
     "\"day\":\"2026-11-03\",\"from\":\"2026-11-03T00:00:00.000Z\",\"until\":"
     "\"2026-11-04T00:00:00.000Z\",\"bucket\":\"acme-logs\",\"key\":null,"
     "\"state\":\"expired\"", ""},
    {"a pattern", "\"/a*\"", "", NULL, 0, false, 0, "\"group\":\"/a\"", ""},
    {"no such group", "\"/ab\"", "", NULL, 0, false, 78, "",
     "/ab: no log group \"/ab\" in us-east-1; nearest: \"/a\""},
    {"no group of a pattern is no fault", "\"/x*\"", "", NULL, 0, false, 0,
     "", ""},
    {"an excluded group is passed over", "\"/a\",\"/b\"",
     ",\"exclude\":[\"/a\"]", NULL, 0, false, 0, "\"group\":\"/b\"", ""},
    {"a group that may not be asked for", "\"/a\"", "",
     "DescribeLogGroups error=AccessDeniedException status=400", 0, false, 77,
     "", "/a: AccessDeniedException"},
    {"a pattern that may not be asked for", "\"/a*\",\"/b\"", "",
     "DescribeLogGroups #1 error=AccessDeniedException status=400", 0, false,
     77, "\"group\":\"/b\"", "/a*: AccessDeniedException"},
    {"what CloudWatch Logs says is missing", "\"/a\"", "",
     "DescribeLogGroups error=ResourceNotFoundException status=400", 0, false,
     78, "", "/a: ResourceNotFoundException"},
    {"a bucket that may not be listed", "\"/a\",\"/b\"", "",
     "ListObjectsV2 #1 error=AccessDenied status=403", 0, false, 77,
     "\"group\":\"/b\"", "/a: AccessDenied"},
    {"a key that does not fit", "\"/" LONG400 "\",\"/a\"",
     ",\"to\":\"s3://acme-logs/{group}{group}{group}/{date}\"", NULL, 0,
     false, 75, "\"group\":\"/a\"", "/aaa"},
    {"a role is taken, and laid down",
     "{\"name\":\"/a\"," ROLE "},\"/b\"", "", NULL, 0, false, 0,
     "\"group\":\"/b\"", ""},
    {"the last role is laid down, too", "{\"name\":\"/a\"," ROLE "}", "",
     NULL, 0, false, 0, "\"group\":\"/a\"", ""},
    {"a role that may not be taken", "{\"name\":\"/a\"," ROLE "},\"/b\"", "",
     "AssumeRole error=AccessDenied status=403", 0, false, 77,
     "\"group\":\"/b\"", "/a: "},
};

static bool told_as(const struct told_row *row)
{
    struct overview_options options = {
        .tour = {.site = &site, .config = &config}, .age = row->age,
        .draw = row->draw,
    };
    char groups[4096];
    (void)snprintf(groups, sizeof groups, "%s", row->groups);
    if (strstr(row->more, "\"to\"") != NULL) {  /* in place of the other */
        config.len = (uint32_t)snprintf(
            config.text, sizeof config.text,
            "{\"region\":\"us-east-1\",\"groups\":[%s]%s}", groups,
            row->more);
        static _Alignas(8) uint8_t room[1 << 16];
        struct fault fault = {0};
        assert_true(config_read(&config, view_of("firn.json"),
                                (struct span){room, sizeof room}, &fault));
    } else {
        configure(groups, row->more);
    }
    aws_clear_faults(model);
    assert_true(row->fault == NULL || aws_fault(model, row->fault));
    run_overview(&options);
    return row_number(overview.exit_code, row->exit_code) &&
           row_has(told.at, row->told) && row_has(failed.at, row->failed) &&
           (row->told[0] != '\0' || told.len == 0) &&
           (row->failed[0] != '\0' || failed.len == 0) &&
           !site.expected_owner && site.credentials.role_count == 0;
}

static void each_group_is_told(void **state)
{
    int broken = 0;
    (void)state;
    open_days();
    aws_create_group(model, "/c", NOON - 9 * (int64_t)DAY_MS);
    aws_group_policy(model, "/c", "STANDARD", 3, false);
    aws_create_group(model, "/new", NOON);
    aws_create_group(model, "/" LONG400, NOON);
    for (size_t i = 0; i < ROW_COUNT(told_rows); i++)
        broken += BROKEN(told_rows[i].name, told_as(&told_rows[i]));
    close_world();
    assert_int_equal(broken, 0);
}

/* ---- stock ---- */

static void run_stock(const struct stock_options *options)
{
    enum flow flow;
    begin(NOON);
    stock_init(&stock, options);
    for (int step = 0;; step++) {
        assert_true(step < STEPS_MOST);
        flow = stock_step(&stock, sim_now(&network));
        if (flow == FLOW_ENDED)
            break;
        if (flow == FLOW_WANT_ROOM) {
            assert_int_equal(stock_step(&stock, sim_now(&network)), flow);
            struct text *to = stock.failed ? &failed : &told;
            text_str(to, stock.failed ? stock.fault.words : stock.url);
            text_str(to, stock.failed ? stock.fault.code : "");
            text_char(to, '\n');
            stock_next(&stock);
        } else if (flow != FLOW_MOVED) {
            assert_true(sim_advance(&network, stock_wake_ms(&stock)));
        }
    }
    assert_int_equal(stock_step(&stock, sim_now(&network)), FLOW_ENDED);
    sim_kill(&network);
    assert_false(told.overflow || failed.overflow);
}

static const struct stock_row {
    const char *name, *groups, *only, *fault;
    int         from_day, until_day;  /* 0: open; of November */
    uint32_t    count;
    const char *failed;
} stock_rows[] = {
    {"all of two groups", "\"/a\",\"/b\"", "", NULL, 0, 0, 10, ""},
    {"of one alone", "\"/b\"", "/b", NULL, 0, 0, 5, ""},
    {"of a pattern's one", "\"/*\"", "/a", NULL, 0, 0, 5, ""},
    {"of a day, and those that may reach into it", "\"/a\"", "", NULL, 8, 9,
     3, ""},
    {"up to a day, and what may begin before it", "\"/a\"", "", NULL, 0, 4,
     2, ""},
    {"from long before", "\"/a\"", "", NULL, -40, 0, 5, ""},
    {"from before 1970", "\"/a\"", "", NULL, -30000, 0, 5, ""},
    {"after the last", "\"/a\"", "", NULL, 20, 0, 0, ""},
    {"a group that is none", "\"/x\",\"/b\"", "", NULL, 0, 0, 5,
     "no log group \"/x\" in us-east-1"},
    {"a list that is refused", "\"/a\",\"/b\"", "",
     "ListObjectsV2 #1 error=AccessDenied status=403", 0, 0, 5,
     "AccessDenied"},
    {"a key that does not fit", "{\"name\":\"/" LONG400 "\","
     "\"to\":\"s3://acme-logs/{group}{group}{group}/{date}\"},\"/a\"", "",
     NULL, 0, 0, 5, "the key for "},
};

static bool given_as(const struct stock_row *row)
{
    const int64_t first_ms = NOON - DAY_MS / 2 - 8 * (int64_t)DAY_MS;
    const struct stock_options options = {
        .tour = {.site = &site, .config = &config,
                 .only = view_of(row->only)},
        .from_ms = row->from_day != 0
                       ? first_ms + (row->from_day - 1) * (int64_t)DAY_MS
                       : INT64_MIN,
        .until_ms = row->until_day != 0
                        ? first_ms + (row->until_day - 1) * (int64_t)DAY_MS
                        : INT64_MAX,
    };
    configure(row->groups, "");
    aws_clear_faults(model);
    assert_true(row->fault == NULL || aws_fault(model, row->fault));
    run_stock(&options);
    return row_number(row_times(told.at, "s3://acme-logs/" ROOT), row->count) &&
           row_number(row_times(told.at, "/events.ndjson.gz\n"), row->count) &&
           row_has(failed.at, row->failed) &&
           (row->failed[0] != '\0' || failed.len == 0);
}

static void archives_are_given_in_order(void **state)
{
    int broken = 0;
    (void)state;
    open_days();
    aws_create_group(model, "/" LONG400, NOON);
    assert_true(shelf_put(model, BUCKET, ROOT "a/dt=2026-11-08/other",
                          view_of("body")));
    for (size_t i = 0; i < ROW_COUNT(stock_rows); i++)
        broken += BROKEN(stock_rows[i].name, given_as(&stock_rows[i]));
    close_world();
    assert_int_equal(broken, 0);
}

/* ---- the tour alone ---- */

/* A bucket's owner of the command line goes before the configuration's. */
static void the_owner_is_the_command_lines(void **state)
{
    static struct tour tour;
    static struct tour_room room;
    struct tour_options options = {
        .site = &site, .config = &config,
        .bucket_owner = view_of("444455556666"),
    };
    (void)state;
    open_days();
    for (int i = 0; i < 2; i++) {
        enum flow flow = FLOW_MOVED;
        configure("\"/a\"", ",\"bucket_owner\":\"111122223333\"");
        begin(NOON);
        tour_init(&tour, &options, &room);
        while (flow != FLOW_WANT_ROOM) {
            flow = tour_step(&tour, sim_now(&network));
            if (flow == FLOW_WANT_EVENT)
                assert_true(sim_advance(&network, tour_wake_ms(&tour)));
        }
        assert_false(tour.failed);
        assert_string_equal(site.owner, i == 0 ? "444455556666"
                                               : "111122223333");
        tour_stop(&tour);
        tour_stop(&tour);  /* it has ended already */
        assert_int_equal(tour_step(&tour, sim_now(&network)), FLOW_ENDED);
        sim_kill(&network);
        options.bucket_owner = (struct view){0};
    }
    close_world();
}

/* In the middle of a call it is stopped, too. */
static void a_tour_can_be_stopped(void **state)
{
    static struct tour tour;
    static struct tour_room room;
    const struct tour_options options = {.site = &site, .config = &config};
    (void)state;
    open_days();
    configure("{\"name\":\"/a\"," ROLE "}", "");
    begin(NOON);
    tour_init(&tour, &options, &room);
    assert_int_equal(tour_wake_ms(&tour), INT64_MIN);
    for (enum flow flow = FLOW_MOVED; flow == FLOW_MOVED;)
        flow = tour_step(&tour, sim_now(&network));
    assert_true(sim_busy(&network));
    tour_stop(&tour);
    assert_int_equal(tour_step(&tour, sim_now(&network)), FLOW_ENDED);
    assert_int_equal(site.credentials.role_count, 0);
    sim_kill(&network);
    close_world();
}

/* A profile can have as many roles as there is room for. */
static void a_role_too_many_fails_its_entry(void **state)
{
    static struct tour tour;
    static struct tour_room room;
    const struct tour_options options = {.site = &site, .config = &config};
    (void)state;
    open_days();
    configure("{\"name\":\"/a\"," ROLE "}", "");
    begin(NOON);
    site.credentials.role_count = ROLE_COUNT;
    tour_init(&tour, &options, &room);
    assert_int_equal(tour_step(&tour, sim_now(&network)), FLOW_WANT_ROOM);
    assert_true(tour.failed && view_is(tour.name, "/a"));
    assert_non_null(strstr(tour.fault.words, "one role too many"));
    tour_next(&tour);
    assert_int_equal(tour_step(&tour, sim_now(&network)), FLOW_ENDED);
    assert_int_equal(site.credentials.role_count, ROLE_COUNT);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_group_is_told),
        cmocka_unit_test(archives_are_given_in_order),
        cmocka_unit_test(the_owner_is_the_command_lines),
        cmocka_unit_test(a_tour_can_be_stopped),
        cmocka_unit_test(a_role_too_many_fails_its_entry),
    };
    return RUN(tests);
}
