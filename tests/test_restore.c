/* test_restore.c - objects back from Glacier classes.
 * Method: rows of an object's class and state in the model's S3, in virtual
 * time, and what is said of it. */
#include "task/restore.h"

#include "store.h"

enum { HOUR_MS = 3600000 };

static struct restore restore;

enum before { NEW, UNDER_WAY, THERE };

static const struct row {
    const char       *name, *class;
    enum before       before;
    enum restore_tier tier;
    bool              wait;
    int64_t           takes_ms, deadline_ms;  /* deadline 0: none */
    const char       *rule;                   /* a fault, or NULL */
    enum error        error;
    const char       *action, *state, *reason;  /* a part; or of the fault */
} rows[] = {
    {"a restore begins", "GLACIER", NEW, TIER_STANDARD, false, 4 * HOUR_MS, 0,
     NULL, ERROR_NONE, "started", "restoring", "GLACIER takes 3 to 5 h; run "
     "the same again to see how far it is, or with --wait"},
    {"of the deepest class", "DEEP_ARCHIVE", NEW, TIER_BULK, false,
     4 * HOUR_MS, 0, NULL, ERROR_NONE, "started", "restoring",
     "DEEP_ARCHIVE takes up to 48 h; "},
    {"a tier that it has not", "DEEP_ARCHIVE", NEW, TIER_EXPEDITED, false,
     4 * HOUR_MS, 0, NULL, ERROR_CONFIG, "", "",
     "not supported by this storage class"},
    {"one that is under way", "GLACIER", UNDER_WAY, TIER_STANDARD, false,
     4 * HOUR_MS, 0, NULL, ERROR_NONE, "asked", "restoring",
     "GLACIER, under way; "},
    {"one that is there", "GLACIER", THERE, TIER_STANDARD, false, 0, 0,
     NULL, ERROR_NONE, "extended", "readable",
     "a copy is in S3 until 2026-12-01T00:00:00.000Z"},
    {"one that is needless", "GLACIER_IR", NEW, TIER_STANDARD, false,
     4 * HOUR_MS, 0, NULL, ERROR_NONE, "skipped", "readable",
     "GLACIER_IR can be read as it is"},
    {"of no class", NULL, NEW, TIER_STANDARD, true, 4 * HOUR_MS, 0, NULL,
     ERROR_NONE, "skipped", "readable", "STANDARD can be read as it is"},
    {"waited for", "GLACIER", NEW, TIER_STANDARD, true, 4 * HOUR_MS, 0, NULL,
     ERROR_NONE, "restored", "readable",
     "a copy is in S3 until 2026-12-01T00:00:00.000Z"},
    {"waited for, begun by another", "DEEP_ARCHIVE", UNDER_WAY, TIER_BULK,
     true, 40 * HOUR_MS, 0, NULL, ERROR_NONE, "restored", "readable",
     "a copy is in S3 until 2026-12-03T00:00:00.000Z"},
    {"not waited for longer than may be", "GLACIER", NEW, TIER_BULK, true,
     4 * HOUR_MS, HOUR_MS, NULL, ERROR_STOPPED, "", "", "the deadline came"},
    {"over bad roads", "GLACIER", NEW, TIER_STANDARD, true, 4 * HOUR_MS, 0,
     "* %300 lost", ERROR_NONE, "restored", "readable", "a copy is in S3"},
    {"no capacity", "GLACIER", NEW, TIER_EXPEDITED, false, HOUR_MS, 0,
     "RestoreObject error=GlacierExpeditedRetrievalNotAvailable status=503 "
     "message=try_again_later", ERROR_REMOTE, "", "", "try again later"},
    {"no permission", "GLACIER", NEW, TIER_STANDARD, false, HOUR_MS, 0,
     "RestoreObject error=AccessDenied message=no", ERROR_DENIED, "", "",
     "no"},
    {"begun, of a class that is new", "GLACIER", NEW, TIER_STANDARD, false,
     HOUR_MS, 0, "HeadObject drop=x-amz-storage-class "
     "add=x-amz-storage-class:_SNOW", ERROR_NONE, "started", "restoring",
     "SNOW, under way; run the same again"},
    {"there, until nobody knows when", "GLACIER", THERE, TIER_STANDARD, false,
     0, 0, "HeadObject drop=x-amz-restore "
     "add=x-amz-restore:_ongoing-request=\"false\"", ERROR_NONE, "extended",
     "readable", "a copy is in S3"},
    {"refused, though it is of that class", "GLACIER", NEW, TIER_STANDARD,
     false, HOUR_MS, 0, "RestoreObject error=InvalidObjectState status=403 "
     "message=not_now", ERROR_CONFIG, "", "", "not now"},
    {"nor to look", "GLACIER", NEW, TIER_STANDARD, false, HOUR_MS, 0,
     "HeadObject error=AccessDenied status=403", ERROR_DENIED, "", "", ""},
};

static enum flow run(const struct row *row, bool wait)
{
    const struct restore_options options = {
        .name = {view_of("bkt"), view_of("k.gz")}, .days = 7,
        .tier = row->tier, .wait = wait,
    };
    enum flow flow = FLOW_MOVED;
    restore_init(&restore, &site, &options);
    while (flow == FLOW_MOVED || flow == FLOW_WANT_EVENT) {
        flow = restore_step(&restore, sim_now(&net));
        if (flow == FLOW_WANT_EVENT)
            assert_true(sim_advance(&net, restore_wake_ms(&restore)));
    }
    assert_int_equal(restore_step(&restore, sim_now(&net)), flow);
    return flow;
}

static bool says(const struct row *row)
{
    store_open(1);
    assert_true(aws_set(net.model, "restore-time", row->takes_ms));
    (void)store_put("k.gz", view_of("x"), row->class);
    if (row->before != NEW)
        assert_int_equal(run(row, false), FLOW_ENDED);
    if (row->rule != NULL)
        assert_true(aws_fault(net.model, row->rule));
    if (row->deadline_ms > 0)
        site.deadline_mono_ms = net.mono_ms + row->deadline_ms;
    enum flow flow = run(row, row->wait);
    const struct restore_result *r = &restore.result;
    const struct fault *f = &restore.fault;
    bool holds = flow == FLOW_ENDED
        ? row_string(r->action, row->action) &&
          row_string(r->state, row->state) &&
          strstr(r->reason, row->reason) != NULL
        : strstr(f->words[0] != '\0' ? f->words : f->what,
                 row->reason) != NULL;
    if (!holds)
        fprintf(stderr, "  got  %s%s\n", r->reason, f->words);
    holds = holds && row_number(f->error, row->error);
    store_close();
    return holds;
}

static void each_object_in_its_class(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, says(&rows[i]));
    assert_int_equal(failures, 0);
}

static void what_is_not_there(void **state)
{
    static const struct row row = {.name = "none"};
    (void)state;
    store_open(1);
    assert_int_equal(run(&row, false), FLOW_FAILED);
    assert_int_equal(fault_exit(restore.fault.error), 78);
    store_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_object_in_its_class),
        cmocka_unit_test(what_is_not_there),
    };
    return RUN(tests);
}
