/* test_daemon.c - when runs are, whatever the clocks do.
 * Method: a clock that goes in steps, with sleeps, jumps and runs that take
 * their time; the instants at which runs began. */
#include "row.h"

#include "task/daemon.h"

#define NOON   INT64_C(1794225600000)  /* 2026-11-09T12:00:00Z */
#define HOUR   INT64_C(3600000)
#define MINUTE INT64_C(60000)

enum { RUNS = 6 };

static const struct row {
    const char *name, *schedule, *zone;
    int64_t run_ms;          /* so long takes each run */
    int64_t jump_at_ms, jump_ms;  /* of the wall clock, after the start */
    int64_t begun[RUNS];     /* minutes after the start; -1: it has ended */
} rows[] = {
    {"at once, then each hour", "rate(1 hours)", "UTC", MINUTE, 0, 0,
     {0, 60, 120, 180, 240, 300}},
    {"each night", "cron(0 3 * * ? *)", "UTC", HOUR, 0, 0,
     {0, 15 * 60, 39 * 60, 63 * 60, 87 * 60, 111 * 60}},
    {"each night in Seoul", "cron(0 3 * * ? *)", "Asia/Seoul", HOUR, 0, 0,
     {0, 6 * 60, 30 * 60, 54 * 60, 78 * 60, 102 * 60}},
    {"a run that takes longer than the interval", "rate(5 minutes)", "UTC",
     12 * MINUTE, 0, 0, {0, 12, 24, 36, 48, 60}},
    {"a sleep of three days is made up for once", "cron(0 3 * * ? *)", "UTC",
     MINUTE, HOUR, 72 * HOUR,
     {0, 73 * 60, 87 * 60, 111 * 60, 135 * 60, 159 * 60}},
    {"a clock set back an hour", "cron(0 * * * ? *)", "UTC", MINUTE,
     90 * MINUTE, -HOUR, {0, 60, 60, 120, 180, 240}},
    {"a clock set back a year", "cron(0 * * * ? *)", "UTC", MINUTE,
     90 * MINUTE, -8760 * HOUR,
     {0, 60, 120 - 525600, 180 - 525600, 240 - 525600, 300 - 525600}},
    {"once, in two hours", "at(2026-11-09T14:00:00)", "UTC", MINUTE, 0, 0,
     {0, 120, -1}},
    {"once, and set back before", "at(2026-11-09T14:00:00)", "UTC", MINUTE,
     30 * MINUTE, -HOUR, {0, 120, -1}},
    {"once, and that is over", "at(2026-11-09T11:00:00)", "UTC", MINUTE, 0,
     0, {0, -1}},
};

/* Looks every 700 ms, as a process would that wakes each second. */
static bool holds(const struct row *row)
{
    struct daemon d;
    struct fault fault = {0};
    struct now now = {NOON, 1000};
    bool jumped = row->jump_ms == 0;
    if (!daemon_init(&d, view_of(row->schedule),
                     zone_find(view_of(row->zone)), now, &fault))
        return false;
    for (int i = 0; i < RUNS;) {
        enum daemon_act act = daemon_look(&d, now);
        if (act == DAEMON_END)
            return row_number(row->begun[i], -1);
        int64_t step_ms = daemon_wake_ms(&d, now) - now.mono_ms;
        step_ms = step_ms < 700 ? step_ms : 700;
        if (act == DAEMON_RUN) {
            int64_t late = now.wall_ms - (NOON + row->begun[i] * MINUTE);
            if (late < 0 || late >= 1000)
                return row_number((now.wall_ms - NOON) / MINUTE,
                                  row->begun[i]) && row_number(late, 0);
            i++;
            step_ms = row->run_ms;
            daemon_ran(&d);
        }
        now.wall_ms += step_ms;
        now.mono_ms += step_ms;
        if (!jumped && now.mono_ms - 1000 >= row->jump_at_ms) {
            jumped = true;
            now.wall_ms += row->jump_ms;
        }
    }
    return true;
}

static void runs_begin_when_they_should(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        broken += BROKEN(rows[i].name, holds(&rows[i]));
    assert_int_equal(broken, 0);
}

static void a_schedule_that_is_none_is_refused(void **state)
{
    struct daemon d;
    struct fault fault = {0};
    (void)state;
    assert_false(daemon_init(&d, view_of("daily"), zone_find(view_of("UTC")),
                             (struct now){NOON, 1000}, &fault));
    assert_int_equal(fault.error, ERROR_USAGE);
}

static void a_schedule_may_change(void **state)
{
    const struct zone *utc = zone_find(view_of("UTC"));
    struct daemon d;
    struct fault fault = {0};
    struct now now = {NOON, 0};
    (void)state;
    assert_true(daemon_init(&d, view_of("rate(2 days)"), utc, now, &fault));
    assert_int_equal(daemon_look(&d, now), DAEMON_RUN);
    daemon_ran(&d);
    assert_false(daemon_change(&d, view_of("cron(0 3)"), utc, &fault));
    assert_true(d.due_ms == NOON + 48 * HOUR);
    fault_reset(&fault);
    assert_true(daemon_change(&d, view_of("rate(3 hours)"), utc, &fault));
    assert_true(d.due_ms == NOON + 3 * HOUR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_begin_when_they_should),
        cmocka_unit_test(a_schedule_that_is_none_is_refused),
        cmocka_unit_test(a_schedule_may_change),
    };
    return RUN(tests);
}
