/* test_archive_odd.c - what an archive refuses, and what each refused request
 * makes of it: the fault comes out, and the next run has the day.
 * Method: whole jobs over the simulated AWS (archive_rig.h). */
#include "archive_rig.h"
#include "shelf.h"

#define NOW_MS  (DAY_FROM + DAY_MS + HOUR_MS)
#define LATE_MS (DAY_FROM + 16 * DAY_MS)

static char long_bytes[1200];

/* ---- refused, or done all the same ---- */

static void keeps(int days)
{
    aws_group_policy(model, GROUP, "STANDARD", days, false);
}

static void nothing(void) {}
static void half_expired(void) { keeps(1); }
static void part_is_enough(void) { keeps(1); spec.partial = true; }
static void object_in_the_way(void)
{
    part_is_enough();
    assert_true(shelf_put(model, "sim-bucket", OBJECT, view_of("x")));
}
static void no_such_group(void) { strcpy(spec.group, "/sim/grup"); }
static void not_a_group(void)
{
    assert_true(aws_fault(model, "DescribeLogGroups error="
                          "ResourceNotFoundException status=400"));
}
static void long_key(void) { memcpy(spec.key, long_bytes, 1010); }
static void odd_state(void) { spec.state = view_of("x"); }
static void full_state(void)
{
    memcpy(long_bytes, "s3://sim-bucket/", 16);
    spec.state = (struct view){(const uint8_t *)long_bytes, 1020};
}
static void long_state(void)
{
    full_state();
    spec.state.len = 16 + 1024;
    spec.state = (struct view){spec.state.at, 16 + 1020};
}
static void good_state(void) { spec.state = view_of("s3://sim-bucket/st/"); }
static void cut_receipt(void)
{
    assert_true(shelf_put(model, "sim-bucket", RECEIPT, view_of("{")));
}
static void stored_already(void)
{
    assert_int_equal(run_job(NOW_MS), FLOW_ENDED);
    spec.if_exists = EXISTS_REPLACE;
    spec.dry_run = true;
}
static void masked(void)
{
    aws_group_policy(model, GROUP, "STANDARD", 0, true);
}
static void unmasked(void) { masked(); spec.unmask = true; }
static void other_class(void)
{
    aws_group_policy(model, GROUP, "INFREQUENT_ACCESS", 0, false);
}
static void no_conditions(void) { CHECK(aws_set(model, "conditions", 0)); }
static void no_sums(void) { CHECK(aws_set(model, "return-sums", 0)); }

static const struct row {
    const char *name;
    void      (*make)(void);
    int64_t     at_ms;
    enum error  error;   /* ERROR_NONE: it ends with */
    const char *action;  /* ... this ... */
    const char *words;   /* ... and this reason; or it fails with these */
} rows[] = {
    {"nothing odd", nothing, NOW_MS, ERROR_NONE, "archived", "late events"},
    {"half has expired", half_expired, DAY_FROM + DAY_MS + 6 * HOUR_MS,
     ERROR_CORRUPT, NULL, "Store the rest: --partial"},
    {"which is enough", part_is_enough, DAY_FROM + DAY_MS + 6 * HOUR_MS,
     ERROR_NONE, "archived", "what was before 2026-11-09T06:00:0"},
    {"but not over what is there", object_in_the_way,
     DAY_FROM + DAY_MS + 6 * HOUR_MS, ERROR_CORRUPT, NULL,
     "What is under the key may hold more and is not replaced"},
    {"all has expired", part_is_enough, DAY_FROM + 3 * DAY_MS, ERROR_CORRUPT,
     NULL, "the window has expired: /sim/group keeps 1 days"},
    {"no such group", no_such_group, NOW_MS, ERROR_CONFIG, NULL,
     "no log group \"/sim/grup\" in us-east-1; nearest: \"/sim/group\""},
    {"none, says CloudWatch", not_a_group, NOW_MS, ERROR_MISSING, NULL, ""},
    {"another class", other_class, NOW_MS, ERROR_CONFIG, NULL,
     "is of class INFREQUENT_ACCESS"},
    {"a key that does not fit", long_key, NOW_MS, ERROR_USAGE, NULL,
     "does not fit S3's 1,024 bytes"},
    {"a place for states that is none", odd_state, NOW_MS, ERROR_USAGE, NULL,
     "is not an object of S3"},
    {"one that leaves no room", full_state, NOW_MS, ERROR_CONFIG, NULL,
     "\"state\" leaves no room"},
    {"one that leaves none at all", long_state, NOW_MS, ERROR_CONFIG, NULL,
     "\"state\" leaves no room"},
    {"one that does", good_state, NOW_MS, ERROR_NONE, "archived", ""},
    {"a receipt that is cut, alone", cut_receipt, NOW_MS, ERROR_CORRUPT, NULL,
     "s3://sim-bucket/_events.receipt.json: "},
    {"dry, over what is there", stored_already, NOW_MS + HOUR_MS, ERROR_NONE,
     "would replace", ""},
    {"a group that is masked", masked, NOW_MS, ERROR_NONE, "archived", ""},
    {"and read in clear", unmasked, NOW_MS, ERROR_NONE, "archived", ""},
    {"a store without conditions", no_conditions, NOW_MS, ERROR_NONE,
     "archived", "; the store ignores conditions"},
    {"and long after", no_conditions, LATE_MS, ERROR_NONE, "archived",
     "the store ignores conditions"},
    {"a store without checksums", no_sums, NOW_MS, ERROR_NONE, "archived",
     ""},
};

static bool row_holds(const struct row *row)
{
    open_world();
    memset(long_bytes, 'k', sizeof long_bytes - 1);
    put_day();
    row->make();
    enum flow flow = run_job(row->at_ms);
    bool ok = row->error == ERROR_NONE;
    const char *said = ok ? job.result.reason : job.fault.words;
    bool holds = row_number(flow, ok ? FLOW_ENDED : FLOW_FAILED) &&
                 row_number(job.fault.error, row->error) &&
                 (!ok || action_is(row->action)) &&
                 strstr(said != NULL ? said : "", row->words) != NULL;
    if (!holds)
        fprintf(stderr, "  said \"%s\"\n", said);
    if (strcmp(row->name, "a group that is masked") == 0)
        holds = holds && receipt_there().masked;
    if (strcmp(row->name, "and read in clear") == 0)
        holds = holds && !receipt_there().masked;
    holds = holds && archive_step(&job, sim_now(&network)) == flow &&
            archive_wake_ms(&job) == INT64_MAX;
    close_world();
    return holds;
}

static void each_is_refused_or_done(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        broken += BROKEN(rows[i].name, row_holds(&rows[i]));
    assert_int_equal(broken, 0);
}

/* ---- whichever request is refused ---- */

static const struct refusal {
    const char *name, *what;
    enum error  error;
    bool        deadline;
} refusals[] = {
    {"denied", "error=AccessDenied status=403", ERROR_DENIED, false},
    {"the service fails", "error=InternalError status=500 times=9999",
     ERROR_REMOTE, false},
    {"no answer, and a deadline", "hang", ERROR_STOPPED, true},
    {"reset for ever", "reset times=9999", ERROR_NETWORK, false},
};

/* The n-th request, and for some all that follow. False: there is none. */
static bool refuses(const struct refusal *r, int n, int64_t at_ms)
{
    char fault[96];
    open_world();
    put_day();
    bool lasts = strstr(r->what, "times") != NULL || r->deadline;
    (void)snprintf(fault, sizeof fault, "* #%d%s %s", n, lasts ? "-" : "",
                   r->what);
    assert_true(aws_fault(model, fault));
    begin_job(at_ms);
    site.give_up_ms = r->deadline ? 900000 : 20000;
    if (r->deadline)
        site.deadline_mono_ms = sim_now(&network).mono_ms + 40000;
    enum flow flow = go_on(UINT64_MAX);
    bool hit = aws_counted(model, "*").requests >= (uint64_t)n;
    if (flow == FLOW_FAILED)
        assert_true(job.fault.error == r->error ||
                    job.fault.error == ERROR_STOPPED ||
                    job.fault.error == ERROR_CONFLICT);
    else
        assert_int_equal(flow, FLOW_ENDED);
    aws_clear_faults(model);
    spec.dry_run = false;
    assert_int_equal(run_job(at_ms + 8 * HOUR_MS), FLOW_ENDED);
    assert_true(is_there(OBJECT) && is_there(RECEIPT) && !is_there(LEASE));
    assert_int_equal(receipt_there().tally.events, 20);
    close_world();
    return hit;
}

static void the_next_run_has_the_day(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(refusals); i++)
        for (int n = 1; n < 60 && refuses(&refusals[i], n, NOW_MS); n++)
            continue;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_refused_or_done),
        cmocka_unit_test(the_next_run_has_the_day),
    };
    return RUN(tests);
}
