/* test_status_odd.c - what status says of what is odd below a prefix: foreign
 * and damaged receipts, groups that are gone or not ours, keys of any order.
 * Method: as in test_retention.c, days are letters (days_rig.h). */
#include "days_rig.h"

#include "task/status.h"

enum { TOLD_BYTES = 2000000, STEPS_MOST = 4000000 };

static struct site site;
static struct transport sim;
static struct status status;
static struct text out;
static char told[TOLD_BYTES];

static void open_store(void)
{
    struct aws *m = aws_new(1, "us-east-1", DAYS_ACCOUNT);
    aws_create_bucket(m, DAYS_BUCKET, NULL, NULL);
    sim_init(&sim, m, 1, DAYS_NOW);
    sim_site(&site, &sim, 1000, 1);
    site.give_up_ms = 20000;
}

static void close_store(void)
{
    sim_kill(&sim);
    aws_free(sim.model);
}

/* Of all that is there; `drains`: what is told is taken at once. */
static enum flow run(bool draw, bool drains)
{
    const struct status_options options = {
        .bucket = view_of(DAYS_BUCKET), .age = 1, .draw = draw,
    };
    enum flow flow = FLOW_MOVED;
    text_init(&out, told, sizeof told);
    status_init(&status, &site, &options);
    for (int step = 0; flow != FLOW_ENDED && flow != FLOW_FAILED; step++) {
        assert_true(step < STEPS_MOST);
        flow = status_step(&status, sim_now(&sim));
        if (flow == FLOW_WANT_EVENT)
            assert_true(sim_advance(&sim, status_wake_ms(&status)));
        if (!drains && flow != FLOW_WANT_ROOM)
            continue;
        text_put(&out, text_view(&status.out));
        text_reset(&status.out);
    }
    text_put(&out, text_view(&status.out));
    text_reset(&status.out);
    assert_int_equal(status_step(&status, sim_now(&sim)), flow);
    assert_false(out.overflow);
    return flow;
}

/* ---- days of one group ---- */

static const struct row {
    const char *name, *letters;
    int         retention;
    int         created;     /* again, so many days ago; -1: gone; 0: not */
    const char *fault;
    int         exit_code;
    const char *words[2];
} rows[] = {
    {"all are there", "sspp", 0, 0, NULL, 0,
     {"\"days\":{\"sealed\":2,\"provisional\":2,\"imported\":0,\"missing\":0,"
      "\"expired\":0,\"damaged\":0}", NULL}},
    {"a gap of two days", "s--s", 0, 0, NULL, 75,
     {"\"day\":\"2026-11-06\",\"from\":\"2026-11-06T00:00:00.000Z\",\"until\":"
      "\"2026-11-07T00:00:00.000Z\",\"bucket\":\"archive\",\"key\":null,"
      "\"state\":\"missing\"", "\"missing\":2"}},
    {"nothing of late", "ss--", 0, 0, NULL, 75, {"\"missing\":2", NULL}},
    {"a gap that expired, and one half", "s--sss", 4, 0, NULL, 65,
     {"\"reason\":\"not archived before it expired\"",
      "\"reason\":\"not archived before it began to expire; firn archive "
      "--partial stores what is left\""}},
    {"a group that is gone", "s-s--", 0, -1, NULL, 65,
     {"\"reason\":\"not archived before the log group was deleted\"",
      "\"missing\":0,\"expired\":1"}},
    {"a group that was made again", "s-sss", 0, 2, NULL, 65,
     {"\"reason\":\"not archived, and older than the log group that is there "
      "now\"", NULL}},
    {"the first receipt is damaged", "xss", 0, 0, NULL, 65,
     {"{\"group\":null,\"day\":null,\"from\":null", "\"sealed\":2"}},
    {"a damaged one behind a gap", "s-xs", 0, 0, NULL, 65,
     {"\"missing\":1", "\"group\":\"/g\",\"day\":\"2026-11-07\""}},
    {"a damaged one of a day that is there", "wxs", 0, 0, NULL, 65,
     {"\"damaged\":0", "\"provisional\":1"}},
    {"an empty receipt", "ses", 0, 0, NULL, 65, {"\"damaged\":1", NULL}},
    {"a damaged one where nothing has begun", "hxs", 0, 0, NULL, 65,
     {"\"group\":\"/g\",\"day\":null,\"from\":null", NULL}},
    {"nothing but an hour", "h", 0, 0, NULL, 0,
     {"\"day\":null,\"from\":\"2026-11-08T12:00:00.000Z\"", NULL}},
    {"an hour behind a gap", "s-h", 0, 0, NULL, 75, {"\"missing\":2", NULL}},
    {"a receipt that is gone since", "sss", 0, 0,
     "GetObject #2 error=NoSuchKey status=404", 65,
     {"\"reason\":\"the receipt is gone\"", NULL}},
    {"a zone that is none", "sZs", 0, 0, NULL, 0, {"\"sealed\":3", NULL}},
    {"of another account", "AA", 0, 0, NULL, 0,
     {"\"account\":\"444455556666\"", "another region or account"}},
    {"of another region", "RR", 0, 0, NULL, 0,
     {"\"region\":\"eu-west-1\"", "another region or account"}},
    {"of some streams alone", "PP", 0, 0, NULL, 0,
     {"\"group\":\"/g\",\"day\":\"2026-11-07\"", NULL}},
    {"without a window", "W", 0, 0, NULL, 0, {"\"group\":\"/g\",\"day\":null",
     NULL}},
    {"the last object is gone", "ss!", 0, 0, NULL, 65,
     {"\"damaged\":1", NULL}},
};

static bool row_holds(const struct row *row)
{
    open_store();
    days_put_all(sim.model, "/g", row->letters);
    aws_group_policy(sim.model, "/g", "STANDARD", row->retention, false);
    if (row->created != 0)
        aws_delete_group(sim.model, "/g");
    if (row->created > 0)
        aws_create_group(sim.model, "/g", DAYS_NOW -
                         row->created * (int64_t)DAY_MS);
    assert_true(row->fault == NULL || aws_fault(sim.model, row->fault));
    enum flow flow = run(false, true);
    close_store();
    return row_number(flow, FLOW_ENDED) &&
           row_number(status.exit_code, row->exit_code) &&
           row_has(told, row->words[0]) &&
           (row->words[1] == NULL || row_has(told, row->words[1]));
}

static void each_day_is_told_as_it_is(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        broken += BROKEN(rows[i].name, row_holds(&rows[i]));
    assert_int_equal(broken, 0);
}

/* ---- what may not be asked for ---- */

static void what_is_refused_is_the_end(void **state)
{
    static const struct {
        const char *fault;
        enum error  error;
    } faults[] = {
        {"ListObjectsV2 error=AccessDenied status=403", ERROR_DENIED},
        {"GetObject error=AccessDenied status=403", ERROR_DENIED},
        {"DescribeLogGroups error=AccessDeniedException status=400",
         ERROR_DENIED},
        {"DescribeLogGroups error=ResourceNotFoundException status=400",
         ERROR_MISSING},
    };
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(faults); i++) {
        open_store();
        days_put_all(sim.model, "/g", "ss");
        assert_true(aws_fault(sim.model, faults[i].fault));
        assert_int_equal(run(false, true), FLOW_FAILED);
        assert_int_equal(status.fault.error, faults[i].error);
        close_store();
    }
}

/* ---- odd names and keys ---- */

static const struct odd {
    const char *name, *key;
    uint32_t    group, account, region;  /* letters of its names */
    char        letter;
    int         exit_code;
    const char *words;
} odds[] = {
    {"without a group", "x/a", 0, 12, 9, 's', 0, "{\"group\":null,"},
    {"a group of too many letters", "x/a", 513, 12, 9, 's', 0, "kkk\",\"day"},
    {"an account of too many", "x/a", 3, 16, 9, 's', 0, "kkk\",\"day"},
    {"a region of too many", "x/a", 3, 12, 64, 's', 0, "kkk\",\"day"},
    {"one of these whose object is gone", "x/a", 3, 16, 9, '!', 65,
     "\"state\":\"damaged\""},
    {"in the bucket itself", "a", 3, 12, 9, 's', 0, "kkk\",\"day"},
    {"damaged, and in a folder of no day", "111122223333/us-east-1/g/dt=oops/"
     "events.ndjson.gz", 3, 12, 9, 'x', 65, "\"group\":\"/g\",\"day\":null"},
    {"damaged, and short", "a", 3, 12, 9, 'x', 65, "\"key\":\"_a.receipt."},
    {"damaged, with slashes in its date", "111122223333/us-east-1/g/dt=2026/"
     "11/09/events.ndjson.gz", 3, 12, 9, 'x', 65,
     "\"group\":\"/g\",\"day\":\"2026-11-09\""},
};

static bool odd_holds(const struct odd *odd)
{
    char names[3][600];
    const uint32_t lens[3] = {odd->group, odd->account, odd->region};
    struct receipt r = days_receipt("", DAYS_TODAY - 1, odd->letter);
    open_store();
    days_put_all(sim.model, "/g", "s");
    days_store(sim.model, "_other.json", view_of("{}"), "STANDARD");
    for (int i = 0; i < 3; i++) {
        memset(names[i], 'k', lens[i]);
        names[i][lens[i]] = '\0';
    }
    r.group = view_of(names[0]);
    r.account = view_of(names[1]);
    r.region = view_of(names[2]);
    days_put_as(sim.model, &r, odd->key, odd->letter);
    enum flow flow = run(false, true);
    close_store();
    return row_number(flow, FLOW_ENDED) &&
           row_number(status.exit_code, odd->exit_code) &&
           row_has(told, odd->words) &&
           row_has(told, "\"group\":\"/g\",\"day\":\"2026-11-08\"");
}

static void odd_receipts_are_told_apart(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(odds); i++)
        broken += BROKEN(odds[i].name, odd_holds(&odds[i]));
    assert_int_equal(broken, 0);
}

/* ---- groups side by side ---- */

/* Dates stand before groups in the keys, and `count` groups have two days
 * each; the first day of another one is damaged. */
static void put_side_by_side(uint32_t count)
{
    char key[64], group[16];
    for (int day = 2; day > 0; day--)
        for (uint32_t i = 0; i < count; i++) {
            (void)snprintf(group, sizeof group, "/g%u", i);
            (void)snprintf(key, sizeof key, "2026-11-%02d/g%04u.log", 9 - day,
                           i);
            struct receipt r = days_receipt(group, DAYS_TODAY - day, 's');
            days_put_as(sim.model, &r, key,
                        i == 1 && day == 2 ? 'x' : 's');
        }
}

static void groups_can_stand_side_by_side(void **state)
{
    (void)state;
    open_store();
    put_side_by_side(3);
    assert_int_equal(run(false, true), FLOW_ENDED);
    assert_int_equal(status.exit_code, 65);
    assert_true(row_has(told,
                        "\"group\":\"/g0\",\"day\":null,"
                        "\"from\":\"2026-11-07T00:00:00.000Z\","
                        "\"until\":\"2026-11-09"));
    assert_true(row_has(told,
                        "\"group\":\"/g2\",\"day\":null,"
                        "\"from\":\"2026-11-07T00:00:00.000Z\","
                        "\"until\":\"2026-11-09"));
    assert_true(row_has(told,
                        "{\"group\":null,\"day\":null,\"from\":null,\"until\":"
                        "null,\"bucket\":\"archive\",\"key\":"
                        "\"2026-11-07/_g0001.receipt.json\","
                        "\"state\":\"damaged\""));
    close_store();
}

static void but_not_too_many(void **state)
{
    (void)state;
    open_store();
    put_side_by_side(CFG_STATUS_GROUPS + 2);
    assert_int_equal(run(false, true), FLOW_FAILED);
    assert_int_equal(status.fault.error, ERROR_LIMIT);
    assert_string_equal(status.fault.what, "CFG_STATUS_GROUPS");
    assert_int_equal(status.fault.detail, CFG_STATUS_GROUPS);
    close_store();
}

/* Another group's receipt where one group alone is asked for: what is due of
 * that one is not of this. */
static void who_is_asked_for_has_company(void **state)
{
    const struct group_info info = {
        .account = DAYS_ACCOUNT, .log_class = "STANDARD",
        .creation_ms = (DAYS_TODAY - 4) * (int64_t)DAY_MS,
    };
    const struct status_options options = {
        .bucket = view_of(DAYS_BUCKET), .age = 1, .group = view_of("/g"),
        .info = &info, .zone = zone_find(view_of("UTC")),
        .due_ms = (DAYS_TODAY - 4) * (int64_t)DAY_MS,
    };
    enum flow flow = FLOW_MOVED;
    (void)state;
    open_store();
    days_put_all(sim.model, "/g", "-sfs");
    text_init(&out, told, sizeof told);
    status_init(&status, &site, &options);
    while (flow != FLOW_ENDED) {
        flow = status_step(&status, sim_now(&sim));
        if (flow == FLOW_WANT_EVENT)
            assert_true(sim_advance(&sim, status_wake_ms(&status)));
        text_put(&out, text_view(&status.out));
        text_reset(&status.out);
    }
    assert_true(row_has(told,
                        "\"group\":\"/g\",\"day\":\"2026-11-05\",\"from\""));
    assert_true(row_has(told,
                        "\"group\":\"/other\",\"day\":null,"
                        "\"from\":\"2026-11-07"));
    assert_int_equal(status.exit_code, 75);
    close_store();
}

/* ---- drawn, and slow ---- */

static void nothing_has_no_legend(void **state)
{
    (void)state;
    open_store();
    assert_int_equal(run(true, true), FLOW_ENDED);
    assert_string_equal(told, "");
    days_put_all(sim.model, "/g", "ss");
    assert_int_equal(run(true, true), FLOW_ENDED);
    assert_true(row_has(told, "  2026-11        SS\n"));
    assert_true(row_has(told, "\ns sealed  p "));
    close_store();
}

/* The list is at its end long before the receipts are: they wait. And what
 * is told waits to be written. */
static void what_is_slow_says_the_same(void **state)
{
    static char first[TOLD_BYTES];
    char letters[91];
    (void)state;
    memset(letters, 's', sizeof letters - 1);
    letters[sizeof letters - 1] = '\0';
    letters[sizeof letters - 2] = '!';
    open_store();
    days_put_all(sim.model, "/g", letters);
    assert_int_equal(run(false, true), FLOW_ENDED);
    memcpy(first, told, sizeof first);
    assert_true(aws_set(sim.model, "latency:GetObject", 3000));
    assert_int_equal(run(false, false), FLOW_ENDED);
    assert_string_equal(told, first);
    close_store();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_day_is_told_as_it_is),
        cmocka_unit_test(what_is_refused_is_the_end),
        cmocka_unit_test(odd_receipts_are_told_apart),
        cmocka_unit_test(groups_can_stand_side_by_side),
        cmocka_unit_test(but_not_too_many),
        cmocka_unit_test(who_is_asked_for_has_company),
        cmocka_unit_test(nothing_has_no_legend),
        cmocka_unit_test(what_is_slow_says_the_same),
    };
    return RUN(tests);
}
