/* test_pace.c - a limit below, at and above what the server allows.
 * Method: five workers and token-bucket servers of several depths, 300 ms
 * away, in virtual time of one millisecond. */
#include "base/chance.h"
#include "call/pace.h"
#include "row.h"

enum { WORKERS = 5, LATENCY_MS = 300, MINUTES = 5 };

static const struct row {
    const char *name;
    uint32_t limit;      /* reads a second we allow ourselves */
    uint32_t server;     /* reads a second the server allows, milli */
    uint32_t depth;      /* of its bucket, thousandths of a read */
    uint32_t jitter_ms;  /* of the way there */
    uint32_t used;       /* per mille of the server's rate, at least */
    uint32_t refused;    /* per mille of what was sent, at most */
} rows[] = {
    {"half, a bucket of one read", 10, 5000, 1000, 0, 940, 60},
    {"half, a burst of one second", 10, 5000, 5000, 0, 950, 60},
    {"half, a burst of ten seconds", 10, 5000, 50000, 0, 950, 60},
    {"half, a burst of a minute", 10, 5000, 300000, 0, 950, 60},
    {"half, no burst, uneven ways", 10, 5000, 2000, 40, 950, 60},
    {"half, a burst, uneven ways", 10, 5000, 10000, 100, 950, 60},
    {"a fifth", 25, 5000, 5000, 20, 950, 60},
    {"a tenth", 10, 1000, 2000, 20, 930, 120},
    {"just under", 10, 9500, 10000, 20, 950, 50},
    {"the same, a bucket of one read", 10, 10000, 1000, 0, 980, 1},
    {"the same, a burst", 10, 10000, 10000, 20, 980, 1},
    {"the same, little burst, uneven ways", 10, 10000, 2000, 30, 980, 10},
    {"twice as much", 10, 20000, 1000, 0, 495, 0},
};

struct world {
    struct chance chance;
    struct pace   pace;
    int64_t       tokens;      /* of the server, millionths of a read */
    int64_t       arrives_ms[WORKERS], answers_ms[WORKERS];
    int64_t       resume_ms[WORKERS];
    bool          refused[WORKERS];
    uint32_t      failures[WORKERS];
    uint32_t      sent, good, bad;
};

static void one_worker(struct world *w, const struct row *row, int i,
                       int64_t now)
{
    if (w->arrives_ms[i] == now) {
        w->refused[i] = w->tokens < 1000000;
        w->tokens -= w->refused[i] ? 0 : 1000000;
        w->answers_ms[i] = now + LATENCY_MS / 2;
    }
    if (w->answers_ms[i] == now) {
        w->arrives_ms[i] = w->answers_ms[i] = -1;
        w->good += !w->refused[i];
        w->bad += w->refused[i];
        w->failures[i] = w->refused[i] ? w->failures[i] + 1 : 0;
        if (w->refused[i])
            pace_refused(&w->pace, now);
        else
            pace_answered(&w->pace);
        /* The call's own pause, see call.c. */
        w->resume_ms[i] = now;
        if (w->refused[i])
            w->resume_ms[i] += (int64_t)chance_below(
                &w->chance, (uint64_t)100 << w->failures[i]);
    }
    if (w->arrives_ms[i] < 0 && w->answers_ms[i] < 0 &&
        now >= w->resume_ms[i] && pace_take(&w->pace, now)) {
        int64_t way = LATENCY_MS / 2;
        if (row->jitter_ms > 0)
            way += (int64_t)chance_below(&w->chance, row->jitter_ms);
        w->arrives_ms[i] = now + way;
        w->sent++;
    }
}

static bool holds(const struct row *row)
{
    struct world w = {0};
    int64_t end = 60000 * MINUTES;
    chance_init(&w.chance, 1);
    pace_init(&w.pace, row->limit);
    w.tokens = (int64_t)row->depth * 1000;
    for (int i = 0; i < WORKERS; i++)
        w.arrives_ms[i] = w.answers_ms[i] = -1;
    for (int64_t now = 0; now < end; now++) {
        int64_t most = (int64_t)row->depth * 1000;
        w.tokens += row->server;
        w.tokens = w.tokens < most ? w.tokens : most;
        for (int i = 0; i < WORKERS; i++)
            one_worker(&w, row, i, now);
    }
    double could = row->server / 1000.0 * MINUTES * 60 + row->depth / 1000.0;
    double used = w.good * 1000.0 / could, bad = w.bad * 1000.0 / w.sent;
    printf("%-40s used %5.1f %%, refused %5.2f %%\n", row->name, used / 10,
           bad / 10);
    return used >= row->used && bad <= row->refused;
}

static void the_servers_rate_is_used(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, holds(&rows[i]));
    assert_int_equal(failures, 0);
}

static void never_above_the_limit(void **state)
{
    struct pace p;
    uint32_t taken = 0;
    (void)state;
    pace_init(&p, 10);
    for (int64_t ms = 0; ms < 10000; ms += 7)
        taken += pace_take(&p, ms);
    assert_in_range(taken, 99, 101);
    for (int64_t ms = 100000; ms < 100100; ms++)  /* no saving up */
        taken += pace_take(&p, ms);
    assert_in_range(taken, 100, 102);
}

static void the_wake_time_is_when_a_read_may_go(void **state)
{
    struct pace p;
    int64_t ms = 5;
    (void)state;
    pace_init(&p, 7);
    assert_true(pace_wake_ms(&p) <= 0);
    for (int i = 0; i < 100; i++) {
        assert_true(pace_take(&p, ms));
        assert_false(pace_take(&p, ms));
        ms = pace_wake_ms(&p);
        assert_false(pace_take(&p, ms - 1));
    }
}

static void it_rises_again_when_the_server_allows_more(void **state)
{
    struct pace p;
    (void)state;
    pace_init(&p, 10);
    pace_take(&p, 0);
    for (int64_t ms = 0; ms < 60000; ms += 2000)
        pace_refused(&p, ms);
    assert_true(p.rate < 2000 && p.rate >= 200);
    for (int64_t ms = 60000; ms < 240000; ms += 10)
        pace_take(&p, ms);
    assert_int_equal(p.rate, 10000);
}

/* What a deep bucket let through in a moment is no rate to believe in. */
static void it_is_never_thought_above_what_was_refused(void **state)
{
    struct pace p;
    (void)state;
    pace_init(&p, 10);
    pace_take(&p, 0);
    pace_refused(&p, 0);
    uint32_t refused = p.rate;
    assert_true(refused < 10000);
    for (int i = 0; i < 1000; i++)
        pace_answered(&p);
    pace_refused(&p, 2000);
    assert_int_equal(p.knee, refused);
}

static const struct region_row {
    const char *region;
    uint32_t    want;
} region_rows[] = {
    {"us-east-1", 12}, {"eu-central-1", 2}, {"ap-northeast-2", 5}, {"", 5},
};

static void the_default_is_half_of_the_quota(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(region_rows); i++)
        failures += BROKEN(region_rows[i].region,
                           pace_default(region_rows[i].region) ==
                               region_rows[i].want);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_servers_rate_is_used),
        cmocka_unit_test(never_above_the_limit),
        cmocka_unit_test(the_wake_time_is_when_a_read_may_go),
        cmocka_unit_test(it_rises_again_when_the_server_allows_more),
        cmocka_unit_test(it_is_never_thought_above_what_was_refused),
        cmocka_unit_test(the_default_is_half_of_the_quota),
    };
    return RUN(tests);
}
