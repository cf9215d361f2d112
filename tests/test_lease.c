/* test_lease.c - of those who want a day one has it, and the others know.
 * Method: runs with a lease each, stepped one beside the other over the tests'
 * S3 (sim.h) in virtual time; one row a story. Every request of a run is
 * faulted in turn, and every run is cancelled after every step. */
#include "base/crc.h"
#include "row.h"
#include "ship/lease.h"
#include "sim.h"

enum { RUNS = 3, ROOM = 4096, STEPS_MOST = 100000 };
#define START INT64_C(1794182400000)  /* 2026-11-09 */
#define KEY "a/_events.checkpoint.json"

static struct run {
    struct transport transport;
    struct site  site;
    struct call  reader;
    struct ring  ring;
    struct lease lease;
    struct view  bucket, key;
    bool         asleep;
    uint32_t     serial;
    char         text[64];        /* what it writes */
    uint8_t      ring_bytes[32768], room[ROOM];
} runs[RUNS];

static struct aws *model;
static int64_t mono_ms;

static void pass(int64_t ms)
{
    mono_ms += ms;
    for (int i = 0; i < RUNS; i++)
        if (runs[i].transport.mono_ms < mono_ms)
            runs[i].transport.mono_ms = mono_ms;
}

static void open_world(void)
{
    model = aws_new(1, "us-east-1", "111122223333");
    mono_ms = 0;
    aws_create_bucket(model, "archive", NULL, NULL);
    assert_true(aws_set(model, "latency", 20));
    for (int i = 0; i < RUNS; i++) {
        struct run *r = &runs[i];
        memset(r, 0, sizeof *r);
        sim_init(&r->transport, model, 7 + (uint64_t)i, START);
        sim_site(&r->site, &r->transport, 10, 3 + (uint64_t)i);
        r->bucket = view_of("archive");
        r->key = view_of(KEY);
        ring_init(&r->ring, r->ring_bytes, sizeof r->ring_bytes);
        call_init(&r->reader, &r->site, &r->ring);
        lease_init(&r->lease, &r->site, r->bucket, r->key, true);
    }
}

static void close_world(void)
{
    for (int i = 0; i < RUNS; i++)
        sim_kill(&runs[i].transport);
    aws_free(model);
}

static struct now now_of(const struct run *r)
{
    return sim_now(&r->transport);
}

static void look(struct run *r)
{
    lease_look(&r->lease, &r->reader, (struct span){r->room, ROOM});
}

static struct view text_of(struct run *r)
{
    (void)snprintf(r->text, sizeof r->text, "run %d, write %u",
                   (int)(r - runs), ++r->serial);
    return view_of(r->text);
}

static void take(struct run *r)
{
    lease_take(&r->lease, text_of(r), now_of(r));
}

static void renew(struct run *r)
{
    lease_write(&r->lease, text_of(r), now_of(r));
}

static bool is_due(const struct run *r)
{
    return lease_is_due(&r->lease, now_of(r), LEASE_RENEW_MS);
}

/* Steps it till nothing moves; whether it waits for something. */
static bool step(struct run *r)
{
    enum flow flow = FLOW_MOVED;
    for (int i = 0; i < STEPS_MOST && flow == FLOW_MOVED; i++)
        flow = lease_step(&r->lease, now_of(r));
    assert_int_not_equal(flow, FLOW_MOVED);
    if (flow == FLOW_ENDED)
        call_cancel(&r->reader);
    return flow == FLOW_WANT_EVENT;
}

static bool waits(const struct run *r)
{
    return !r->asleep && r->lease.state != LEASE_FREE &&
           r->lease.state != LEASE_SEEN && r->lease.state != LEASE_HELD &&
           r->lease.state < LEASE_LOST;
}

/* The next thing happens to one of them, all at the same time. */
static void advance(void)
{
    struct run *first = NULL;
    int64_t due = INT64_MAX;
    for (int i = 0; i < RUNS; i++)
        if (waits(&runs[i])) {
            int64_t at = lease_wake_ms(&runs[i].lease);
            first = first == NULL || at < due ? &runs[i] : first;
            due = at < due ? at : due;
        }
    for (int i = 0; i < RUNS; i++)
        if (waits(&runs[i]) && sim_busy(&runs[i].transport))
            first = &runs[i], due = mono_ms + 1 < due ? mono_ms + 1 : due;
    assert_non_null(first);
    assert_true(due < INT64_MAX);
    pass(due > mono_ms ? due - mono_ms : 1);
    for (int i = 0; i < RUNS; i++)
        if (waits(&runs[i]) && sim_busy(&runs[i].transport))
            (void)sim_advance(&runs[i].transport, mono_ms);
}

/* Until none of them waits any more, or so much time has passed. */
static void go(int64_t most_ms)
{
    int64_t until = most_ms < INT64_MAX - mono_ms ? mono_ms + most_ms
                                                  : INT64_MAX;
    for (int i = 0; i < STEPS_MOST && mono_ms < until; i++) {
        bool waiting = false;
        for (int k = 0; k < RUNS; k++)
            if (waits(&runs[k]))
                waiting |= step(&runs[k]);
        if (!waiting)
            return;
        advance();
    }
    assert_true(mono_ms >= until);
}

static enum lease_state try(struct run *r)
{
    look(r);
    go(INT64_MAX);
    if (r->lease.state == LEASE_SEEN)
        take(r);
    go(INT64_MAX);
    return r->lease.state;
}

static bool there(void)
{
    struct aws_object_info info;
    return aws_object(model, "archive", KEY, &info);
}

/* What is there; "" if nothing. */
static const char *shown(void)
{
    static char text[128];
    size_t len = there() ? aws_object_bytes(model, "archive", KEY, 0, text,
                                            sizeof text - 1) : 0;
    text[len] = '\0';
    return text;
}

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

/* --- faults -------------------------------------------------------------- */

/* Takes it, renews it twice and drops it. */
static enum lease_state live(struct run *r)
{
    if (try(r) != LEASE_HELD)
        return r->lease.state;
    for (int i = 0; i < 2; i++) {
        pass(LEASE_RENEW_MS);
        renew(r);
        go(INT64_MAX);
        if (r->lease.state != LEASE_HELD)
            return r->lease.state;
        assert_true(row_string(shown(), r->text));
    }
    lease_drop(&r->lease);
    go(INT64_MAX);
    return r->lease.state;
}

static const char *const manners[] = {
    "lost", "reset", "cut=?", "stall=3", "hang", "dup",
    "after error=InternalError status=500",
    "error=InternalError status=500 html",
    "error=SlowDown status=503",
    "error=RequestTimeout status=400",
};

static void every_request_faulted(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(manners); i++) {
        bool more = true;
        for (uint32_t nth = 1; more; nth++) {
            char line[128];
            open_world();
            (void)snprintf(line, sizeof line, "* #%u %s", nth, manners[i]);
            assert_true(aws_fault(model, line));
            enum lease_state ended = live(&runs[0]);
            more = aws_counted(model, "*").requests >= nth;
            if (ended != LEASE_FREE)
                fprintf(stderr, "  %s: state %d\n", line, (int)ended);
            failures += BROKEN(line, ended == LEASE_FREE && !there());
            close_world();
        }
    }
    assert_int_equal(failures, 0);
}

static const struct outcome {
    const char *name, *fault;
    enum lease_state state;     /* after take, two renewals and the drop */
    enum error error;
} outcomes[] = {
    {"no permission to write", "PutObject error=AccessDenied", LEASE_FAILED,
     ERROR_DENIED},
    {"no permission to look", "GetObject error=AccessDenied", LEASE_FAILED,
     ERROR_DENIED},
    {"no permission to delete", "DeleteObject error=AccessDenied",
     LEASE_FAILED, ERROR_DENIED},
    {"a race when it is taken", "PutObject #1 status=409 "
     "error=ConditionalRequestConflict", LEASE_FREE, ERROR_NONE},
    {"a race when it is renewed", "PutObject #3 status=409 "
     "error=ConditionalRequestConflict", LEASE_FREE, ERROR_NONE},
    {"races without end", "PutObject #3- status=409 "
     "error=ConditionalRequestConflict", LEASE_LOST, ERROR_NONE},
    {"an answer without ETag", "PutObject drop=ETag", LEASE_FREE,
     ERROR_NONE},
    {"a test that is denied", "PutObject #2 error=AccessDenied", LEASE_FREE,
     ERROR_NONE},
};

static void faults_that_come_out(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(outcomes); i++) {
        open_world();
        assert_true(aws_fault(model, outcomes[i].fault));
        enum lease_state ended = live(&runs[0]);
        if (ended != outcomes[i].state)
            fprintf(stderr, "  state %d\n", (int)ended);
        failures += BROKEN(outcomes[i].name,
                           ended == outcomes[i].state &&
                               runs[0].lease.fault.error ==
                                   outcomes[i].error);
        close_world();
    }
    assert_int_equal(failures, 0);
}

/* --- odd stores ---------------------------------------------------------- */

static void a_store_that_ignores_conditions(void **state)
{
    (void)state;
    open_world();
    assert_true(aws_set(model, "conditions", 0));
    assert_int_equal(try(&runs[0]), LEASE_HELD);
    assert_true(runs[0].lease.ignored);
    uint64_t before = aws_counted(model, "*").requests;
    renew(&runs[0]);
    go(INT64_MAX);
    assert_int_equal(runs[0].lease.state, LEASE_HELD);
    assert_int_equal(aws_counted(model, "*").requests, before + 1);
    assert_true(row_string(shown(), runs[0].text));
    close_world();
}

static void a_store_without_checksums(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        open_world();
        assert_true(aws_set(model, "return-sums", 0));
        if (lost)  /* the third: the second is the test */
            assert_true(aws_fault(model, "PutObject #3 lost"));
        assert_int_equal(live(&runs[0]), lost ? LEASE_LOST : LEASE_FREE);
        assert_false(runs[0].lease.ignored);
        close_world();
    }
}

/* --- cancelled anywhere -------------------------------------------------- */

/* Takes what is there, for so many things that happen, and no further. */
static bool is_cancelled(uint32_t after, int64_t age_ms)
{
    struct run *r = &runs[0];
    if (age_ms > 0)
        assert_int_equal(try(&runs[1]), LEASE_HELD);
    runs[1].asleep = true;
    pass(age_ms);
    look(r);
    uint32_t n = 0;
    for (bool renewed = false; n < after; n++) {
        if (waits(r) && step(r))
            advance();
        else if (r->lease.state == LEASE_SEEN)
            take(r);
        else if (r->lease.state == LEASE_HELD && !renewed)
            renew(r), renewed = true;
        else if (r->lease.state == LEASE_HELD)
            lease_drop(&r->lease);
        else if (!waits(r))
            break;
    }
    lease_cancel(&r->lease);
    assert_int_equal(r->lease.state, LEASE_FREE);
    assert_int_equal(lease_step(&r->lease, now_of(r)), FLOW_ENDED);
    assert_false(sim_busy(&r->transport));
    pass(2 * CFG_LEASE_MS);
    assert_int_equal(try(r), LEASE_HELD);
    return n == after;
}

static void cancelled_anywhere(void **state)
{
    static const int64_t ages[] = {0, 1000, 3600000};
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(ages); i++) {
        bool more = true;
        for (uint32_t after = 0; more; after++) {
            open_world();
            more = is_cancelled(after, ages[i]);
            close_world();
        }
    }
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
        cmocka_unit_test(every_request_faulted),
        cmocka_unit_test(faults_that_come_out),
        cmocka_unit_test(a_store_that_ignores_conditions),
        cmocka_unit_test(a_store_without_checksums),
        cmocka_unit_test(cancelled_anywhere),
    };
    return RUN(tests);
}
