/* test_lease_faults.c - a lease in trouble is had or lost, and nothing between.
 * Method: a run that takes a lease, renews it twice and drops it: every request
 * faulted in turn, then what comes out, odd stores, and cancelled after every
 * step. */
#include "lease_rig.h"

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
        cmocka_unit_test(every_request_faulted),
        cmocka_unit_test(faults_that_come_out),
        cmocka_unit_test(a_store_that_ignores_conditions),
        cmocka_unit_test(a_store_without_checksums),
        cmocka_unit_test(cancelled_anywhere),
    };
    return RUN(tests);
}
