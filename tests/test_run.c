/* test_run.c - what is due is done, once, for every group of a configuration.
 * Method: runs at chosen instants against the simulated AWS; what they leave
 * in S3, what they asked for and what they said. */
#include "run_rig.h"

#define DAYS(n) ((n) * (int64_t)DAY_MS)

static void the_first_run_fills_and_the_second_only_lists(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/ecs/api", NOON - DAYS(40));
    put_events("/ecs/api", NOON - DAYS(5), 100);
    configure("\"/ecs/api\"", ",\"backfill_days\":6");
    assert_int_equal(run_at(NOON), 0);
    assert_int_equal(job.archived, 6);
    assert_int_equal(object_count(), 12);
    assert_string_equal(state_of("ecs/api/dt=2026-11-08"), "provisional");
    assert_string_equal(state_of("ecs/api/dt=2026-11-03"), "provisional");
    assert_string_equal(state_of("ecs/api/dt=2026-11-02"), "");
    uint64_t lists = asked("ListObjectsV2"), all = asked("*");
    assert_int_equal(run_at(NOON + HOUR), 0);
    assert_int_equal(asked("ListObjectsV2") - lists, 1);
    assert_int_equal(asked("*") - all, 2);  /* and DescribeLogGroups */
    assert_int_equal(heard.archives, 0);
    assert_int_equal(run_at(NOON + DAYS(1)), 0);
    assert_int_equal(job.archived, 1);
    close_world();
}

static const struct due {
    const char *name, *more;
    int64_t     created_days, retention;
    uint32_t    archived;
    int         code;
} dues[] = {
    {"thirty days are the default", "", 40, 0, 30, 0},
    {"not before since", ",\"since\":\"2026-11-05\"", 40, 0, 4, 0},
    {"nothing before since", ",\"since\":\"2026-11-09\"", 40, 0, 0, 0},
    {"not before the group", "", 3, 0, 3, 0},
    {"not what has begun to expire", "", 40, 7, 6, 0},
    {"the day of an age", ",\"age_days\":3,\"backfill_days\":0", 40, 0, 1, 0},
    {"and back from it", ",\"age_days\":3,\"backfill_days\":5", 40, 0, 3, 0},
    {"thirteen of fourteen days", ",\"age_days\":13,\"retention_days\":14,"
     "\"accept_provisional\":true", 40, 14, 1, 0},
    {"an age that has expired is said", ",\"age_days\":9", 40, 7, 0, 65},
};

static void due_is_what_can_be_had(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(dues); i++) {
        const struct due *d = &dues[i];
        open_world();
        aws_create_group(model, "/a", NOON - DAYS(d->created_days));
        aws_group_policy(model, "/a", "STANDARD", (int)d->retention, false);
        configure("\"/a\"", d->more);
        int code = run_at(NOON);
        broken += BROKEN(d->name, row_number(code, d->code) &&
                                      row_number(heard.archives,
                                                 d->archived));
        close_world();
    }
    assert_int_equal(broken, 0);
}

/* A receipt written past the horizon has been recounted. */
static void a_provisional_day_is_sealed_once(void **state)
{
    struct receipt r;
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(1));
    put_events("/a", NOON - DAYS(1), 10);
    put_events("/a", NOON, 11);
    configure("\"/a\"", "");
    for (int day = 0; day <= 14; day++)
        assert_int_equal(run_at(NOON + DAYS(day)), 0);
    assert_string_equal(state_of("a/dt=2026-11-08"), "sealed");
    assert_string_equal(state_of("a/dt=2026-11-09"), "provisional");
    assert_int_equal(job.recounted, 1);
    uint64_t gets = asked("GetObject");
    assert_int_equal(run_at(NOON + DAYS(14) + HOUR), 0);
    assert_int_equal(asked("GetObject"), gets);
    /* An event that came late: archived again, and sealed. */
    aws_put_event(model, "/a", "late", NOON + HOUR, NOON + DAYS(9),
                  (struct aws_text){"late", 4});
    assert_int_equal(run_at(NOON + DAYS(15)), 0);
    assert_true(day_of("a/dt=2026-11-09", &r));
    assert_int_equal(r.state, RECEIPT_SEALED);
    assert_int_equal(r.tally.events, 12);
    close_world();
}

static void what_was_left_alone_for_long_is_sealed_too(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(5));
    put_events("/a", NOON - DAYS(5), 100);
    configure("\"/a\"", "");
    assert_int_equal(run_at(NOON), 0);
    assert_int_equal(run_at(NOON + DAYS(100)), 0);
    assert_int_equal(job.recounted, 5);
    assert_int_equal(job.archived, 30);
    assert_string_equal(state_of("a/dt=2026-11-05"), "sealed");
    assert_string_equal(state_of("a/dt=2027-02-16"), "provisional");
    assert_string_equal(state_of("a/dt=2026-12-20"), "");
    close_world();
}

static void one_that_fails_does_not_stop_the_others(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(2));
    aws_create_group(model, "/c", NOON - DAYS(2));
    configure("\"/a\",\"/b\",\"/c\"", "");
    assert_int_equal(run_at(NOON), 78);
    assert_int_equal(heard.faults, 1);
    assert_non_null(strstr(heard.words, "no log group \"/b\""));
    assert_int_equal(job.archived, 4);
    assert_int_equal(job.groups, 2);
    close_world();
}

/* An object that is nobody's is in the way of its day alone. */
static void a_day_that_fails_does_not_stop_the_others(void **state)
{
    struct aws_object_info info;
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(4));
    configure("\"/a\"", "");
    assert_int_equal(run_at(NOON), 0);
    assert_true(aws_delete_object(model, BUCKET, ROOT
                                  "a/dt=2026-11-06/_events.receipt.json",
                                  NOON));
    assert_int_equal(run_at(NOON + DAYS(1)), 78);
    assert_int_equal(job.archived, 1);
    assert_int_equal(job.failed, 1);
    assert_true(aws_object(model, BUCKET, ROOT
                           "a/dt=2026-11-06/events.ndjson.gz", &info));
    close_world();
}

static void patterns_find_all_of_their_groups(void **state)
{
    char name[32];
    (void)state;
    open_world();
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "/p/%02d%s", i,
                       i % 4 == 0 ? "-tmp" : "");
        aws_create_group(model, name, NOON - DAYS(1));
    }
    aws_create_group(model, "/q", NOON - DAYS(1));
    configure("\"/p/*\",{\"name\":\"/p/07\",\"format\":\"text\"}",
              ",\"exclude\":[\"*-tmp\"]");
    assert_int_equal(run_at(NOON), 0);
    assert_int_equal(job.groups, 30);
    assert_int_equal(job.archived, 30);
    struct aws_object_info info;
    assert_true(aws_object(model, BUCKET,
                           ROOT "p/07/dt=2026-11-08/events.log.gz", &info));
    assert_true(aws_object(model, BUCKET,
                           ROOT "p/09/dt=2026-11-08/events.ndjson.gz",
                           &info));
    /* Nothing to do: pages of 15 are read once each. */
    uint64_t pages = asked("DescribeLogGroups");
    assert_int_equal(run_at(NOON + HOUR), 0);
    assert_int_equal(asked("DescribeLogGroups") - pages, 3 + 1);
    close_world();
}

/* While a group is archived its page's token dies. */
static void a_page_that_is_too_old_is_asked_for_again(void **state)
{
    char name[32];
    (void)state;
    open_world();
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "/p/%02d", i);
        aws_create_group(model, name, NOON - DAYS(1));
    }
    CHECK(aws_set(model, "token-life", 400));
    CHECK(aws_set(model, "latency:PutObject", 300));
    configure("\"/p/*\"", "");
    assert_int_equal(run_at(NOON), 0);
    assert_int_equal(job.groups, 40);
    assert_true(aws_counted(model, "DescribeLogGroups").failed > 0);
    close_world();
}

static void a_dry_run_writes_nothing(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(5));
    configure("\"/a\"", ",\"retention_days\":30");
    assert_int_equal(run_for(NOON, true, UINT64_MAX), 0);
    assert_int_equal(heard.archives, 5);
    assert_int_equal(heard.retentions, 1);
    assert_int_equal(object_count(), 0);
    assert_int_equal(asked("PutRetentionPolicy"), 0);
    close_world();
}

static const struct move {
    const char *name, *from, *to;
} moves[] = {
    {"to the east", "UTC", "Asia/Seoul"},
    {"to the west", "Asia/Seoul", "America/Los_Angeles"},
    {"half way around", "America/Los_Angeles", "Asia/Seoul"},
    {"by a day and two hours", "Etc/GMT+12", "Pacific/Kiritimati"},
    {"and back", "Pacific/Kiritimati", "Etc/GMT+12"},
    {"by half an hour", "Asia/Kolkata", "Asia/Kathmandu"},
};

static void moved(int64_t now_ms, const char *zone, const char *more)
{
    char text[128];
    (void)snprintf(text, sizeof text, ",\"timezone\":\"%s\"%s", zone, more);
    configure("\"/a\"", text);
    assert_int_equal(run_at(now_ms), 0);
}

/* Days leave no gap and have no overlap, and are sealed as they are. */
static void a_change_of_zone_leaves_no_gap(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(moves); i++) {
        const struct move *m = &moves[i];
        int64_t from_ms, until_ms;
        open_world();
        aws_create_group(model, "/a", NOON - DAYS(4));
        put_events("/a", NOON - DAYS(4), 300);
        moved(NOON, m->from, "");
        bool ok = windows_adjoin(&from_ms, &until_ms);
        for (int day = 1; day <= 25; day++)
            moved(NOON + DAYS(day), m->to, "");
        ok = ok && windows_adjoin(&from_ms, &until_ms) &&
             until_ms == zone_day_start(zone_find(view_of(m->to)), zone_day_of(
                 zone_find(view_of(m->to)), NOON + DAYS(25)));
        uint64_t puts = asked("PutObject");
        moved(NOON + DAYS(25) + HOUR / 2, m->to, "");
        ok = ok && puts == asked("PutObject");
        ok = ok && strcmp(state_of("a/dt=2026-11-07"), "sealed") == 0 &&
             strcmp(state_of("a/dt=2026-11-15"), "sealed") == 0;
        if (!ok)
            list_windows();
        broken += BROKEN(m->name, ok);
        close_world();
    }
    assert_int_equal(broken, 0);
}

/* Gaps between days of two zones are filled to their edges. */
static void a_gap_between_two_zones_is_filled(void **state)
{
    int64_t from_ms, until_ms;
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(10));
    moved(NOON, "Asia/Seoul", ",\"backfill_days\":10");
    static const char *const keys[] = {"05", "06"};
    for (int i = 0; i < 2; i++) {
        char key[128];
        (void)snprintf(key, sizeof key, ROOT
                       "a/dt=2026-11-%s/_events.receipt.json", keys[i]);
        assert_true(aws_delete_object(model, BUCKET, key, NOON));
        (void)snprintf(key, sizeof key, ROOT
                       "a/dt=2026-11-%s/events.ndjson.gz", keys[i]);
        assert_true(aws_delete_object(model, BUCKET, key, NOON));
    }
    assert_false(windows_adjoin(&from_ms, &until_ms));
    moved(NOON + DAYS(1), "America/Los_Angeles", "");
    assert_true(windows_adjoin(&from_ms, &until_ms));
    close_world();
}

/* Verified by the run itself, since nothing else is in the way. */
static void retention_is_lowered_when_nothing_is_lost(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(40));
    put_events("/a", NOON - DAYS(40), 900);
    configure("\"/a\"", ",\"retention_days\":30,\"backfill_days\":20");
    assert_int_equal(run_at(NOON), 65);
    assert_int_equal(asked("PutRetentionPolicy"), 0);
    assert_non_null(strstr(heard.words, "\"backfill_days\": "));
    configure("\"/a\"", ",\"retention_days\":30,\"backfill_days\":50");
    assert_int_equal(run_at(NOON + HOUR), 0);
    assert_int_equal(asked("PutRetentionPolicy"), 1);
    assert_true(heard.verified >= 10);
    assert_int_equal(heard.retentions, 1);
    uint64_t all = asked("*");
    assert_int_equal(run_at(NOON + 2 * HOUR), 0);
    assert_int_equal(asked("*") - all, 2);
    close_world();
}

/* A bucket of its own for checkpoints; nothing is left in it. */
static void checkpoints_may_be_elsewhere(void **state)
{
    struct aws_object_info info;
    (void)state;
    open_world();
    aws_create_bucket(model, "states", NULL, NULL);
    aws_create_group(model, "/a", NOON - DAYS(3));
    put_events("/a", NOON - DAYS(3), 50);
    configure("\"/a\"", ",\"state\":\"s3://states/firn/\"");
    assert_true(aws_fault(model, "PutObject if=/states/firn/" BUCKET "/" ROOT
                          "a/dt times=1 error=AccessDenied status=403"));
    assert_int_equal(run_at(NOON), 77);
    assert_int_equal(object_count(), 0);
    assert_int_equal(run_at(NOON + HOUR), 0);
    assert_false(aws_object_at(model, "states", 0, &info));
    assert_int_equal(object_count(), 6);
    close_world();
}

static void roles_are_assumed_and_laid_down(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(1));
    aws_create_group(model, "/b", NOON - DAYS(1));
    configure("{\"name\":\"/a\",\"role_arn\":"
              "\"arn:aws:iam::111122223333:role/logs\"},\"/b\"", "");
    assert_int_equal(run_at(NOON), 0);
    assert_int_equal(asked("AssumeRole"), 1);
    assert_int_equal(job.archived, 2);
    assert_int_equal(site.credentials.role_count, 0);
    close_world();
}

/* Wherever it is stopped, it ends soon, and the next run ends the work. */
static void stopped_it_ends_at_once(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(3));
    put_events("/a", NOON - DAYS(3), 50);
    configure("\"/a\"", "");
    for (uint64_t steps = 1; steps < 400; steps += 3) {
        int code = run_for(NOON, false, steps);
        assert_true(code == 75 || code == 0);
        assert_true(network.mono_ms < 60000);
        if (code == 0)
            break;
    }
    assert_int_equal(run_at(NOON + HOUR), 0);
    assert_string_equal(state_of("a/dt=2026-11-08"), "provisional");
    assert_int_equal(aws_open_uploads(model, BUCKET), 0);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_run_fills_and_the_second_only_lists),
        cmocka_unit_test(due_is_what_can_be_had),
        cmocka_unit_test(a_provisional_day_is_sealed_once),
        cmocka_unit_test(what_was_left_alone_for_long_is_sealed_too),
        cmocka_unit_test(one_that_fails_does_not_stop_the_others),
        cmocka_unit_test(a_day_that_fails_does_not_stop_the_others),
        cmocka_unit_test(patterns_find_all_of_their_groups),
        cmocka_unit_test(a_page_that_is_too_old_is_asked_for_again),
        cmocka_unit_test(a_dry_run_writes_nothing),
        cmocka_unit_test(a_change_of_zone_leaves_no_gap),
        cmocka_unit_test(a_gap_between_two_zones_is_filled),
        cmocka_unit_test(retention_is_lowered_when_nothing_is_lost),
        cmocka_unit_test(checkpoints_may_be_elsewhere),
        cmocka_unit_test(roles_are_assumed_and_laid_down),
        cmocka_unit_test(stopped_it_ends_at_once),
    };
    return RUN(tests);
}
