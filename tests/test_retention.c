/* test_retention.c - retention is lowered where every day that would expire is
 * safe, and nowhere else; and the sentence says which day is not, and why.
 * Method: each row is a group's days as letters (days_rig.h), the oldest first
 * and yesterday's last. */
#include "days_rig.h"

#include "task/retention.h"

enum { STEPS_MOST = 1000000 };

static struct site site;
static struct transport sim;
static struct retention retention;
static struct spec spec;
static struct text out;
static char told[RETENTION_TEXT_BYTES];

static const struct row {
    const char *name, *letters;
    uint32_t    days;
    int         before;      /* 0: for ever */
    bool        accept, dry_run;
    const char *fault;       /* of the model; NULL: none */
    enum error  error;       /* ERROR_NONE: it is done */
    const char *words;       /* in what is told, or refused */
} rows[] = {
    {"all are safe", "ssssssss", 3, 0, false, false, NULL, ERROR_NONE,
     "set the retention of /g to 3 days, from never; 6 days may expire, all "
     "of them archived and verified\n"},
    {"one is", "s", 1, 0, false, false, NULL, ERROR_NONE,
     "to 1 day, from never; 1 day may expire, archived and verified\n"},
    {"raised, from one day", "ss", 3, 1, false, false, NULL, ERROR_NONE,
     "set the retention of /g to 3 days, from 1 day\n"},
    {"it is so already", "--", 3, 3, false, false, NULL, ERROR_NONE,
     "unchanged: the retention of /g is 3 days\n"},
    {"dry", "ssssssss", 3, 0, false, true, NULL, ERROR_NONE, "would set the"},
    {"not read back", "uuuuuuuu", 3, 0, false, false, NULL, ERROR_STOPPED,
     "retention left at never: 6 days are not safe: 2026-11-01 to 2026-11-06 "
     "not verified. Read them back: firn verify"},
    {"S3 vouches for GLACIER", "gggggggg", 3, 0, false, false, NULL,
     ERROR_NONE, "set"},
    {"and DEEP_ARCHIVE", "aaaaaaaa", 3, 0, false, false, NULL, ERROR_NONE,
     "set"},
    {"but not without a checksum", "snssssss", 3, 0, false, false, NULL,
     ERROR_STOPPED, "1 day is not safe: 2026-11-02 not verified. Read"},
    {"provisional", "ssspssss", 3, 0, false, false, NULL, ERROR_STOPPED,
     "2026-11-04 not sealed. Run again when they are recounted, from "
     "2026-11-19 on"},
    {"provisional, and kept for long", "ssspssss", 3, 30, false, false, NULL,
     ERROR_STOPPED, "Run again when they are recounted"},
    {"provisional, and soon gone", "sspsssss", 3, 7, false, false, NULL,
     ERROR_CORRUPT, "left at 7 days: 1 day is not safe: 2026-11-03 not "
     "sealed. They cannot be recounted any more; --accept-provisional"},
    {"provisional, accepted", "pppppppp", 3, 0, true, false, NULL,
     ERROR_NONE, "set"},
    {"imported cannot be accepted", "sissssss", 3, 0, true, false, NULL,
     ERROR_STOPPED, "2026-11-02 not sealed"},
    {"missing", "s-ssssss", 3, 0, false, false, NULL, ERROR_STOPPED,
     "2026-11-02 not archived. Run again when they are archived"},
    {"two ranges of a kind", "-s-sssss", 3, 0, false, false, NULL,
     ERROR_STOPPED, "2 days are not safe: 2026-11-01 not archived, "
     "2026-11-03 not archived. Run"},
    {"four and five ranges", "-u-u-uss", 3, 0, false, false, NULL,
     ERROR_STOPPED, "6 days are not safe: 2026-11-01 not archived, "
     "2026-11-02 not verified, 2026-11-03 not archived, and more. Run"},
    {"what lasts is the cause", "-!!sssss", 3, 0, false, false, NULL,
     ERROR_CORRUPT, "2026-11-01 not archived, 2026-11-02 to 2026-11-03 "
     "damaged. Archive them again: firn archive --if-exists replace"},
    {"a cut receipt", "ssxsssss", 3, 0, false, false, NULL, ERROR_CORRUPT,
     "2026-11-03 damaged"},
    {"of another group", "sfssssss", 3, 0, false, false, NULL, ERROR_CORRUPT,
     "1 day is not safe: 2026-11-02 of something else. Is --archive right?"},
    {"of another account", "sAssssss", 3, 0, false, false, NULL,
     ERROR_CORRUPT, "2026-11-02 of something else"},
    {"of another region", "sRssssss", 3, 0, false, false, NULL,
     ERROR_CORRUPT, "2026-11-02 of something else"},
    {"of some streams", "sPssssss", 3, 0, false, false, NULL, ERROR_CORRUPT,
     "2026-11-02 of something else"},
    {"of no window", "sWssssss", 3, 0, false, false, NULL, ERROR_CORRUPT,
     "2026-11-02 of something else"},
    {"another's behind a gap", "s-fsssss", 3, 0, false, false, NULL,
     ERROR_CORRUPT, "2026-11-02 not archived, 2026-11-03 of something else"},
    {"another's below a long window", "wfssssss", 3, 0, true, false, NULL,
     ERROR_NONE, "set"},
    {"half a day", "s1ssssss", 3, 0, false, false, NULL, ERROR_STOPPED,
     "1 day is not safe: 2026-11-02 not sealed. Run"},
    {"half a day, and one", "s1-sssss", 3, 0, false, false, NULL,
     ERROR_STOPPED, "2 days are not safe: 2026-11-02 not sealed, 2026-11-03 "
     "not archived. Run"},
    {"what covers the day before, too", "s-bsssss", 3, 0, true, false, NULL,
     ERROR_NONE, "set"},
    {"text is as good", "tttttttt", 3, 0, true, false, NULL, ERROR_NONE,
     "set"},
    {"the group may not be asked for", "ss", 1, 0, false, false,
     "DescribeLogGroups error=AccessDeniedException status=400",
     ERROR_DENIED, "AccessDenied"},
    {"the group is missing, says CloudWatch", "ss", 1, 0, false, false,
     "DescribeLogGroups error=ResourceNotFoundException status=400",
     ERROR_MISSING, "ResourceNotFound"},
    {"no event may be asked for", "ssss", 1, 0, false, false,
     "FilterLogEvents error=AccessDeniedException status=400", ERROR_DENIED,
     "AccessDenied"},
    {"a receipt may not be read", "ssss", 1, 0, false, false,
     "GetObject error=AccessDenied status=403", ERROR_DENIED,
     "AccessDenied"},
    {"retention may not be set", "ssss", 1, 0, false, false,
     "PutRetentionPolicy error=AccessDeniedException status=400",
     ERROR_DENIED, "AccessDenied"},
    {"nor is it answered", "ssss", 1, 0, false, false,
     "PutRetentionPolicy reset", ERROR_NETWORK, ""},
};

static enum flow run(void)
{
    for (int turn = 0; turn < STEPS_MOST; turn++) {
        enum flow flow = retention_step(&retention, sim_now(&sim));
        if (flow == FLOW_ENDED || flow == FLOW_FAILED) {
            assert_int_equal(retention_step(&retention, sim_now(&sim)), flow);
            return flow;
        }
        if (flow == FLOW_WANT_EVENT)
            assert_true(sim_advance(&sim, retention_wake_ms(&retention)));
    }
    return FLOW_MOVED;
}

static void open_group(const char *group, const char *letters, int before)
{
    struct aws *m = aws_new(1, "us-east-1", DAYS_ACCOUNT);
    struct fault fault = {0};
    aws_create_bucket(m, DAYS_BUCKET, NULL, NULL);
    days_put_all(m, group, letters);
    aws_group_policy(m, group, "STANDARD", before, false);
    sim_init(&sim, m, 1, DAYS_NOW);
    sim_site(&site, &sim, 1000, 1);
    site.give_up_ms = 20000;
    spec = (struct spec){0};
    assert_true(plan_to(&spec, view_of("s3://" DAYS_BUCKET), &fault));
    assert_true(view_copy(view_of("UTC"), spec.timezone,
                          sizeof spec.timezone));
    assert_true(view_copy(view_of(group), spec.group, sizeof spec.group));
}

static enum flow ask(const struct row *row)
{
    const struct retention_options options = {
        .spec = &spec, .days = row->days, .accept_provisional = row->accept,
    };
    spec.dry_run = row->dry_run;
    retention_init(&retention, &site, &options);
    enum flow flow = run();
    text_init(&out, told, sizeof told);
    retention_write(&out, &retention, OUTPUT_TEXT);
    return flow;
}

static void close_group(void)
{
    sim_kill(&sim);
    aws_free(sim.model);
}

static bool has(const char *where, const char *words)
{
    bool holds = strstr(where, words) != NULL;
    if (!holds)
        fprintf(stderr, "  said \"%s\"\n", where);
    return holds;
}

static bool json_holds(const struct row *row)
{
    char want[64];
    const struct fault *f = &retention.fault;
    text_init(&out, told, sizeof told);
    retention_write(&out, &retention, OUTPUT_JSON);
    (void)snprintf(want, sizeof want, "\"retention_days\":%u,\"retention_days"
                   "_before\":", row->days);
    return has(told, want) && has(told, row->error == ERROR_NONE
                                            ? "\"reason\":null" : "\"failed\"")
           && (row->error != ERROR_NETWORK || has(told, f->what));
}

static bool row_holds(const struct row *row)
{
    open_group("/g", row->letters, row->before);
    assert_true(row->fault == NULL || aws_fault(sim.model, row->fault));
    enum flow flow = ask(row);
    bool done = row->error == ERROR_NONE;
    bool sets = done && !row->dry_run && retention.before != row->days;
    const struct fault *f = &retention.fault;
    bool holds =
        row_number(flow, done ? FLOW_ENDED : FLOW_FAILED) &&
        row_number(f->error, row->error) &&
        (done ? has(told, row->words)
              : out.len == 0 && (has(f->words, row->words) ||
                                 has(f->code, row->words))) &&
        (aws_counted(sim.model, "PutRetentionPolicy").requests > 0) ==
            (sets || (row->fault != NULL && row->fault[0] == 'P')) &&
        json_holds(row);
    close_group();
    return holds;
}

static void retention_is_lowered_only_where_it_may_be(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        broken += BROKEN(rows[i].name, row_holds(&rows[i]));
    assert_int_equal(broken, 0);
}

/* An event that is older than the group would expire, too. */
static void what_is_older_than_the_group_counts(void **state)
{
    static const struct row row = {.days = 3};
    int64_t old_ms = (DAYS_TODAY - 10) * (int64_t)DAY_MS;
    (void)state;
    open_group("/g", "ssssssss", 0);
    aws_put_event(sim.model, "/g", "s", old_ms, DAYS_NOW,
                  (struct aws_text){"x", 1});
    assert_int_equal(ask(&row), FLOW_FAILED);
    assert_true(has(retention.fault.words, "2 days are not safe: 2026-10-30 "
                                           "to 2026-10-31 not archived"));
    assert_int_equal(retention.from_ms, old_ms);
    aws_group_policy(sim.model, "/g", "INFREQUENT_ACCESS", 0, false);
    assert_int_equal(ask(&row), FLOW_ENDED);  /* it cannot be asked for */
    close_group();
}

static void a_long_gap_needs_a_long_backfill(void **state)
{
    static const struct row row = {.days = 3};
    char letters[252];
    (void)state;
    memset(letters, '-', sizeof letters - 1);
    letters[sizeof letters - 1] = '\0';
    open_group("/g", letters, 0);
    assert_int_equal(ask(&row), FLOW_FAILED);
    assert_true(has(retention.fault.words, "Set \"backfill_days\": 300 for "));
    close_group();
}

static void a_key_that_does_not_fit_is_refused(void **state)
{
    static const struct row row = {.days = 3};
    struct fault fault = {0};
    char group[501] = "/";
    (void)state;
    memset(group + 1, 'g', sizeof group - 2);
    group[sizeof group - 1] = '\0';
    open_group(group, "--------", 0);
    assert_true(plan_to(&spec, view_of("s3://archive/{group}{group}{group}/"
                                       "{date}"), &fault));
    assert_int_equal(ask(&row), FLOW_FAILED);
    assert_int_equal(retention.fault.error, ERROR_USAGE);
    close_group();
}

/* Who does not tell a checksum does not vouch. */
static void a_store_without_checksums_vouches_for_nothing(void **state)
{
    static const struct row row = {.days = 3};
    (void)state;
    open_group("/g", "gggggggg", 0);
    assert_true(aws_set(sim.model, "return-sums", 0));
    assert_int_equal(ask(&row), FLOW_FAILED);
    assert_true(has(retention.fault.words, "not verified"));
    close_group();
}

/* AWS's code alone, without words. */
static void a_code_is_a_reason(void **state)
{
    static const struct row row = {.days = 1};
    (void)state;
    open_group("/g", "ss", 0);
    aws_group_policy(sim.model, "/g", "STANDARD", 0, false);
    assert_true(aws_fault(sim.model, "PutRetentionPolicy "
                          "error=AccessDeniedException status=400 message="));
    assert_int_equal(ask(&row), FLOW_FAILED);
    assert_string_equal(retention.fault.words, "");
    text_init(&out, told, sizeof told);
    retention_write(&out, &retention, OUTPUT_JSON);
    assert_true(has(told, "\"reason\":\"AccessDeniedException\""));
    close_group();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retention_is_lowered_only_where_it_may_be),
        cmocka_unit_test(what_is_older_than_the_group_counts),
        cmocka_unit_test(a_long_gap_needs_a_long_backfill),
        cmocka_unit_test(a_key_that_does_not_fit_is_refused),
        cmocka_unit_test(a_store_without_checksums_vouches_for_nothing),
        cmocka_unit_test(a_code_is_a_reason),
    };
    return RUN(tests);
}
