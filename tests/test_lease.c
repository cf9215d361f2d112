/* test_lease.c - of those who want a day one has it, and the others know.
 * Method: runs with a lease each, stepped one beside the other over the tests'
 * S3 in virtual time; one row a story. */
#include "lease_rig.h"

/* --- one alone ----------------------------------------------------------- */

static void a_free_one_is_taken(void **state)
{
    struct run *r = &runs[0];
    (void)state;
    open_world();
    look(r);
    go(INT64_MAX);
    assert_int_equal(r->lease.state, LEASE_SEEN);
    assert_false(r->lease.there);
    take(r);
    assert_false(is_due(r));
    go(INT64_MAX);
    assert_int_equal(r->lease.state, LEASE_HELD);
    assert_false(r->lease.ignored);
    assert_true(row_string(shown(), "run 0, write 1"));
    assert_true(lease_wake_ms(&r->lease) <= mono_ms + LEASE_RENEW_MS);
    pass(LEASE_RENEW_MS);
    assert_true(is_due(r));
    uint64_t before = aws_counted(model, "*").requests;
    renew(r);
    go(INT64_MAX);
    assert_int_equal(r->lease.state, LEASE_HELD);
    assert_true(row_string(shown(), "run 0, write 2"));
    assert_int_equal(aws_counted(model, "*").requests, before + 1);
    close_world();
}

static void a_dropped_one_is_gone(void **state)
{
    struct run *r = &runs[0];
    (void)state;
    open_world();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(try(r), LEASE_HELD);
        lease_drop(&r->lease);
        go(INT64_MAX);
        assert_int_equal(r->lease.state, LEASE_FREE);
        assert_false(there());
    }
    assert_int_equal(try(r), LEASE_HELD);  /* somebody deletes it */
    assert_true(aws_delete_object(model, "archive", KEY, START));
    lease_drop(&r->lease);
    go(INT64_MAX);
    assert_int_equal(r->lease.state, LEASE_FREE);
    close_world();
}

/* After a drop, another's is watched as ever. */
static void again_after_a_drop(void **state)
{
    (void)state;
    open_world();
    assert_int_equal(try(&runs[0]), LEASE_HELD);
    lease_drop(&runs[0].lease);
    go(INT64_MAX);
    assert_int_equal(try(&runs[1]), LEASE_HELD);
    assert_int_equal(try(&runs[0]), LEASE_HELD);  /* it never renewed */
    assert_in_range(mono_ms, CFG_LEASE_MS, CFG_LEASE_MS + LEASE_WATCH_MS +
                                           LEASE_CLOCK_MS);
    close_world();
}

/* --- one that another holds ---------------------------------------------- */

static void alive_it_is_lost(void **state)
{
    (void)state;
    for (int64_t age = 0; age < LEASE_RENEW_MS; age += 500) {
        open_world();
        assert_int_equal(try(&runs[0]), LEASE_HELD);
        int64_t held_ms = runs[0].lease.since_mono_ms;
        pass(age);
        look(&runs[1]);
        go(INT64_MAX);
        assert_true(row_string((char *)runs[1].room, runs[0].text));
        take(&runs[1]);
        assert_int_equal(runs[1].lease.state, LEASE_WATCHING);
        int64_t begun_ms = mono_ms;
        while (runs[1].lease.state == LEASE_WATCHING) {
            if (is_due(&runs[0]))
                renew(&runs[0]);
            go(100);
            if (!waits(&runs[1]))
                break;
        }
        assert_int_equal(runs[1].lease.state, LEASE_LOST);
        assert_true(mono_ms - begun_ms < CFG_LEASE_MS);
        assert_true(mono_ms <= held_ms + LEASE_RENEW_MS + LEASE_WATCH_MS +
                                   1000);
        assert_int_equal(runs[1].lease.age_ms, 0);
        go(INT64_MAX);
        assert_int_equal(runs[0].lease.state, LEASE_HELD);
        close_world();
    }
}

static const struct row {
    const char *name;
    int64_t age_ms;             /* since it was renewed, when it is found */
    bool    released;
    int64_t gone_ms;            /* deleted then, after it was found; or 0 */
    const char *fault;
    int64_t least_ms, most_ms;  /* from the look to the lease */
} rows[] = {
    {"dead by S3's clock", CFG_LEASE_MS + LEASE_CLOCK_MS + 1000, false, 0,
     NULL, 0, 1000},
    {"dead for an hour", 3600000, false, 0, NULL, 0, 1000},
    {"dead by watching", 0, false, 0, "* drop=Last-Modified", CFG_LEASE_MS,
     CFG_LEASE_MS + LEASE_WATCH_MS},
    {"no date", 3600000, false, 0, "* drop=Date", CFG_LEASE_MS,
     CFG_LEASE_MS + LEASE_WATCH_MS},
    {"old when found, then watched", CFG_LEASE_MS / 2, false, 0, NULL,
     CFG_LEASE_MS / 2, CFG_LEASE_MS / 2 + LEASE_CLOCK_MS + LEASE_WATCH_MS},
    {"released", 0, true, 0, NULL, 0, 1000},
    {"gone while watched", 0, false, 3000, NULL, 3000,
     3000 + LEASE_WATCH_MS},
};

static bool is_taken(const struct row *row)
{
    struct run *r = &runs[1];
    assert_int_equal(try(&runs[0]), LEASE_HELD);
    runs[0].asleep = true;
    pass(row->age_ms);
    if (row->fault != NULL)
        assert_true(aws_fault(model, row->fault));
    int64_t begun_ms = mono_ms;
    look(r);
    go(INT64_MAX);
    assert_true(r->lease.there);
    r->lease.released = row->released;
    bool stale = lease_is_stale(&r->lease);
    take(r);
    if (row->gone_ms > 0) {
        go(row->gone_ms);
        assert_true(aws_delete_object(model, "archive", KEY,
                                      START + mono_ms));
    }
    go(INT64_MAX);
    int64_t took_ms = mono_ms - begun_ms;
    if (took_ms < row->least_ms || took_ms > row->most_ms)
        fprintf(stderr, "  it took %d ms\n", (int)took_ms);
    return r->lease.state == LEASE_HELD && took_ms >= row->least_ms &&
           took_ms <= row->most_ms && stale == (row->most_ms == 1000) &&
           row_string(shown(), "run 1, write 1");
}

static void a_dead_one_is_taken(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        open_world();
        failures += BROKEN(rows[i].name, is_taken(&rows[i]));
        close_world();
    }
    assert_int_equal(failures, 0);
}

/* --- several at once ----------------------------------------------------- */

static uint32_t holders(void)
{
    uint32_t count = 0;
    for (int i = 0; i < RUNS; i++)
        count += runs[i].lease.state == LEASE_HELD && !runs[i].asleep;
    return count;
}

static void of_two_one_has_it(void **state)
{
    (void)state;
    for (int apart = 0; apart < 120; apart += 1 + apart / 10)
        for (int dead = 0; dead < 3; dead++) {  /* free, dead, watched */
            open_world();
            if (dead > 0)
                assert_int_equal(try(&runs[2]), LEASE_HELD);
            runs[2].asleep = true;
            pass(dead == 1 ? 2 * CFG_LEASE_MS : 0);
            look(&runs[0]);
            look(&runs[1]);
            go(INT64_MAX);
            take(&runs[0]);
            go(apart);
            take(&runs[1]);
            go(INT64_MAX);
            assert_int_equal(holders(), 1);
            assert_int_equal(runs[0].lease.state == LEASE_HELD
                                 ? runs[1].lease.state : runs[0].lease.state,
                             LEASE_LOST);
            assert_true(row_string(shown(), runs[0].lease.state == LEASE_HELD
                                                ? runs[0].text
                                                : runs[1].text));
            /* and whoever slept knows it, too */
            runs[2].asleep = false;
            if (dead > 0) {
                renew(&runs[2]);
                go(INT64_MAX);
                assert_int_equal(runs[2].lease.state, LEASE_LOST);
            }
            assert_int_equal(holders(), 1);
            close_world();
        }
}

static void who_slept_has_lost_it(void **state)
{
    (void)state;
    for (int gone = 0; gone < 2; gone++) {
        open_world();
        assert_int_equal(try(&runs[0]), LEASE_HELD);
        runs[0].asleep = true;
        pass(2 * CFG_LEASE_MS);
        assert_int_equal(try(&runs[1]), LEASE_HELD);
        if (gone) {
            lease_drop(&runs[1].lease);
            go(INT64_MAX);
        }
        runs[0].asleep = false;
        assert_true(is_due(&runs[0]));
        renew(&runs[0]);
        go(INT64_MAX);
        assert_int_equal(runs[0].lease.state, LEASE_LOST);
        assert_true(row_string(shown(), gone ? "" : runs[1].text));
        close_world();
    }
}

/* Nor does it delete what is another's by now. */
static void who_slept_drops_nothing(void **state)
{
    (void)state;
    for (int gone = 0; gone < 2; gone++) {
        open_world();
        assert_int_equal(try(&runs[0]), LEASE_HELD);
        runs[0].asleep = true;
        pass(2 * CFG_LEASE_MS);
        assert_int_equal(try(&runs[1]), LEASE_HELD);
        if (gone) {
            lease_drop(&runs[1].lease);
            go(INT64_MAX);
        }
        runs[0].asleep = false;
        lease_drop(&runs[0].lease);
        go(INT64_MAX);
        assert_int_equal(runs[0].lease.state, LEASE_FREE);
        assert_true(row_string(shown(), gone ? "" : runs[1].text));
        close_world();
    }
}

/* Nobody else was there: it is still ours. */
static void who_slept_alone_still_has_it(void **state)
{
    (void)state;
    open_world();
    assert_int_equal(try(&runs[0]), LEASE_HELD);
    pass(2 * CFG_LEASE_MS);
    renew(&runs[0]);
    go(INT64_MAX);
    assert_int_equal(runs[0].lease.state, LEASE_HELD);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_one_is_taken),
        cmocka_unit_test(a_dropped_one_is_gone),
        cmocka_unit_test(again_after_a_drop),
        cmocka_unit_test(alive_it_is_lost),
        cmocka_unit_test(a_dead_one_is_taken),
        cmocka_unit_test(of_two_one_has_it),
        cmocka_unit_test(who_slept_has_lost_it),
        cmocka_unit_test(who_slept_drops_nothing),
        cmocka_unit_test(who_slept_alone_still_has_it),
    };
    return RUN(tests);
}
