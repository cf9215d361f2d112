/* test_status.c - status and retention against the simulated AWS.
 * Method: a store of 90 days of four groups, some missing, some damaged. What
 * is told of them without a fault is right, and is the same for every seed of
 * slices, delays and faults; and retention is set only where it may be. */
#include "row.h"
#include "shelf.h"
#include "sim.h"
#include "task/retention.h"
#include "task/status.h"

#include <stdlib.h>

#define NOW (1793880000000 + DAY_MS)  /* 2026-11-06T12:00:00Z */

enum {
    TODAY = 20763, DAYS = 90, SEEDS = 20, TOLD_BYTES = 400000,
};

static struct site site;
static struct transport sim;
static struct status status;
static struct retention retention;
static char told[TOLD_BYTES], first[TOLD_BYTES];
static struct text out;

/* ---- the store ---- */

static const struct shelf_row {
    const char *group;
    int     missing;        /* so many days ago; 0: none */
    int     gone;           /* that day's object is */
    int     broken;         /* that day's receipt is */
    int     retention;
} shelves[] = {
    {"/a", 0, 0, 0, 0},
    {"/a/b", 40, 0, 0, 60},
    {"/b", 0, 33, 0, 0},
    {"/c", 80, 0, 12, 60},
};

static void key_of(struct text *t, const char *group, int64_t day)
{
    text_str(t, "111122223333/us-east-1");
    text_str(t, group);
    text_str(t, "/dt=");
    date_day(t, day);
    text_str(t, "/events.ndjson.gz");
}

static void put_day(struct aws *m, const struct shelf_row *s, int days)
{
    static char json[RECEIPT_BYTES];
    char key[256], beside[256], etag[80];
    struct aws_object_info info;
    struct text k, b, e, j;
    int64_t day = TODAY - days;
    text_init(&k, key, sizeof key);
    key_of(&k, s->group, day);
    text_init(&b, beside, sizeof beside);
    receipt_key(&b, text_view(&k), "receipt");
    assert_true(shelf_put(m, "archive", key, view_of("body")));
    assert_true(aws_object(m, "archive", key, &info));
    text_init(&e, etag, sizeof etag);
    text_char(&e, '"');
    text_put(&e, (struct view){(const uint8_t *)info.etag.at,
                               (uint32_t)info.etag.len});
    text_char(&e, '"');
    struct receipt r = {
        .state = days > 14 ? RECEIPT_SEALED : RECEIPT_PROVISIONAL,
        .key = text_view(&k), .etag = text_view(&e),
        .account = view_of("111122223333"), .region = view_of("us-east-1"),
        .group = view_of(s->group), .via = view_of("read"),
        .from_ms = day * DAY_MS, .until_ms = (day + 1) * DAY_MS,
        .timezone = view_of("UTC"), .counted = true, .bytes_raw = 7,
        .bytes_stored = 4, .has_crc = true, .crc64nvme = info.crc64,
        .format = view_of("ndjson"), .compression = view_of("gzip"),
        .archived_ms = NOW, .verified_ms = NOW, .tool_version = view_of("1"),
    };
    tally_init(&r.tally);
    text_init(&j, json, sizeof json);
    receipt_write(&j, &r, NULL);
    struct view whole = text_view(&j);
    whole.len = days == s->broken ? whole.len / 2 : whole.len;
    assert_true(shelf_put(m, "archive", beside, whole));
    if (days == s->gone)
        assert_true(aws_delete_object(m, "archive", key, NOW));
}

static void open_all(uint64_t seed)
{
    struct aws *m = aws_new(seed, "us-east-1", "111122223333");
    aws_create_bucket(m, "archive", NULL, NULL);
    for (size_t i = 0; i < ROW_COUNT(shelves); i++) {
        const struct shelf_row *s = &shelves[i];
        aws_create_group(m, s->group, NOW - DAYS * (int64_t)DAY_MS);
        aws_group_policy(m, s->group, "STANDARD", s->retention, false);
        for (int days = DAYS; days > 0; days--)
            if (days != s->missing)
                put_day(m, s, days);
    }
    sim_init(&sim, m, seed, NOW);
    sim_site(&site, &sim, 1000, seed);
    site.give_up_ms = 3600000;
}

static void close_all(void)
{
    sim_kill(&sim);
    aws_free(sim.model);
}

static void make_trouble(uint64_t seed)
{
    static const char *const faults[] = {
        "* %30 lost times=50", "* %30 cut=? times=50",
        "* %30 error=InternalError status=500 times=50",
        "GetObject %50 error=SlowDown status=503 times=50",
        "* %30 reset times=50", "ListObjectsV2 %500 cut=? times=9",
        "* %10 stall=20 times=9", "* %100 delay=3000",
    };
    for (size_t i = 0; i < ROW_COUNT(faults); i++)
        if ((seed >> (i % 5) & 1) != 0)
            assert_true(aws_fault(sim.model, faults[i]));
}

/* ---- status ---- */

static enum flow run_status(bool draw)
{
    struct status_options options = {
        .bucket = view_of("archive"), .age = 1, .draw = draw,
    };
    text_init(&out, told, sizeof told);
    status_init(&status, &site, &options);
    for (int turn = 0; turn < 10000000; turn++) {
        enum flow flow = status_step(&status, sim_now(&sim));
        if (flow == FLOW_MOVED)
            continue;
        text_put(&out, text_view(&status.out));
        text_reset(&status.out);
        assert_false(out.overflow);
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (flow == FLOW_WANT_EVENT)
            assert_true(sim_advance(&sim, status_wake_ms(&status)));
    }
    return FLOW_MOVED;
}

static void every_day_is_told(void **state)
{
    (void)state;
    open_all(1);
    assert_int_equal(run_status(false), FLOW_ENDED);
    assert_int_equal(status.exit_code, 65);
    assert_int_equal(row_times(told, "\n"), 4 * DAYS + 4);
    assert_int_equal(row_times(told, "\"state\":\"sealed\""),
                     4 * (DAYS - 14) - 3);
    assert_int_equal(row_times(told, "\"state\":\"provisional\""), 4 * 14 - 1);
    assert_int_equal(row_times(told, "\"state\":\"missing\""), 1);
    assert_int_equal(row_times(told, "\"state\":\"expired\""), 1);
    assert_int_equal(row_times(told, "\"state\":\"damaged\""), 2);
    assert_int_equal(row_times(told, "\"margin_days\":19}"), 1);
    assert_int_equal(row_times(told, "\"margin_days\":47}"), 1);
    assert_int_equal(row_times(told, "\"day\":\"2026-10-25\""), 4);
    memcpy(first, told, sizeof first);
    close_all();
}

static void no_fault_changes_a_word(void **state)
{
    int failures = 0;
    (void)state;
    for (uint64_t seed = 2; seed < 2 + SEEDS; seed++) {
        char name[32];
        open_all(seed);
        make_trouble(seed);
        enum flow flow = run_status(false);
        (void)snprintf(name, sizeof name, "seed %u", (unsigned)seed);
        failures += BROKEN(name, row_number(flow, FLOW_ENDED) &&
                                     row_number(status.exit_code, 65) &&
                                     strcmp(told, first) == 0);
        close_all();
    }
    assert_int_equal(failures, 0);
}

static void it_can_be_drawn(void **state)
{
    (void)state;
    open_all(1);
    assert_int_equal(run_status(true), FLOW_ENDED);
    assert_int_equal(row_times(told, "\n  2026-09  "), 4);
    assert_int_equal(row_times(told, "90 days: "), 4);
    assert_non_null(strstr(told, "/c  us-east-1  retention 60 days\n"
                           "  2026-08         SSSSSSSSSSxSSS"));
    close_all();
}

/* ---- retention ---- */

static const struct retention_row {
    const char *name, *group;
    uint32_t    days;
    bool        accept;
    enum error  error;      /* ERROR_NONE: it is set */
    const char *words;      /* in the fault's */
} rows[] = {
    {"all is there", "/a", 30, false, ERROR_NONE, ""},
    {"nothing to guard", "/a/b", 90, false, ERROR_NONE, ""},
    {"provisional days", "/a", 7, false, ERROR_STOPPED,
     "8 days are not safe: 2026-10-23 to 2026-10-30 not sealed"},
    {"accepted", "/a", 7, true, ERROR_NONE, ""},
    {"a day is missing", "/a/b", 30, false, ERROR_CORRUPT,
     "1 day is not safe: 2026-09-27 not archived. Set \"backfill_days\": "
     "40 for firn run"},
    {"an object is gone", "/b", 30, true, ERROR_CORRUPT,
     "2026-10-04 damaged. Archive them again"},
    {"a receipt is cut, but would stay", "/c", 14, true, ERROR_NONE, ""},
    {"a receipt is cut", "/c", 7, true, ERROR_CORRUPT,
     "1 day is not safe: 2026-10-25 damaged"},
    {"no such group", "/d", 30, false, ERROR_CONFIG, "no log group \"/d\""},
};

static enum flow run_retention(const struct retention_row *row)
{
    static struct spec spec;
    struct fault fault = {0};
    const struct retention_options options = {
        .spec = &spec, .days = row->days, .accept_provisional = row->accept,
    };
    memset(&spec, 0, sizeof spec);
    assert_true(plan_to(&spec, view_of("s3://archive/"), &fault));
    assert_true(view_copy(view_of("UTC"), spec.timezone,
                          sizeof spec.timezone));
    assert_true(view_copy(view_of(row->group), spec.group,
                          sizeof spec.group));
    retention_init(&retention, &site, &options);
    for (int turn = 0; turn < 10000000; turn++) {
        enum flow flow = retention_step(&retention, sim_now(&sim));
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (flow == FLOW_WANT_EVENT)
            assert_true(sim_advance(&sim, retention_wake_ms(&retention)));
    }
    return FLOW_MOVED;
}

static bool row_holds(const struct retention_row *row, uint64_t seed)
{
    open_all(seed);
    if (seed > 1)
        make_trouble(seed);
    enum flow flow = run_retention(row);
    bool sets = row->error == ERROR_NONE;
    uint64_t put = aws_counted(sim.model, "PutRetentionPolicy").requests;
    text_init(&out, told, sizeof told);
    retention_write(&out, &retention, OUTPUT_JSON);
    close_all();
    if (strstr(retention.fault.words, row->words) == NULL)
        fprintf(stderr, "  said \"%s\"\n", retention.fault.words);
    return row_number(flow, sets ? FLOW_ENDED : FLOW_FAILED) &&
           row_number(retention.fault.error, row->error) &&
           (put > 0) == sets && !out.overflow &&
           strstr(retention.fault.words, row->words) != NULL;
}

static void retention_is_lowered_only_where_it_may_be(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        for (uint64_t seed = 1; seed < 6; seed++)
            failures += BROKEN(rows[i].name, row_holds(&rows[i], seed));
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_is_told),
        cmocka_unit_test(no_fault_changes_a_word),
        cmocka_unit_test(it_can_be_drawn),
        cmocka_unit_test(retention_is_lowered_only_where_it_may_be),
    };
    return RUN(tests);
}
