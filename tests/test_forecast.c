/* test_forecast.c - what a run would cost is what it costs.
 * Method: a plan, then the run that it is of, against the simulated AWS; the
 * requests that can be known are counted there and must be the same. */
#include "run_rig.h"

#define DAYS(n) ((n) * (int64_t)DAY_MS)

static const char *const names[FORECAST_CALLS] = {
    [FORECAST_DESCRIBE] = "DescribeLogGroups",
    [FORECAST_READ] = "FilterLogEvents",
    [FORECAST_RETAIN] = "PutRetentionPolicy",
    [FORECAST_LIST] = "ListObjectsV2", [FORECAST_GET] = "GetObject",
    [FORECAST_HEAD] = "HeadObject", [FORECAST_PUT] = "PutObject",
    [FORECAST_CREATE] = "CreateMultipartUpload",
    [FORECAST_PART] = "UploadPart", [FORECAST_PARTS] = "ListParts",
    [FORECAST_COMPLETE] = "CompleteMultipartUpload",
    [FORECAST_DELETE] = "DeleteObject",
};

static char sum[FORECAST_BYTES];

static int plan_at(int64_t wall_ms, enum output form)
{
    struct text t;
    plans = true;
    int code = run_at(wall_ms);
    plans = false;
    text_init(&t, sum, sizeof sum);
    forecast_write(&t, &job.forecast, &site, job.groups, form);
    assert_false(t.overflow);
    return code;
}

/* One member of the sum's requests. */
static uint64_t planned(const char *name)
{
    char quoted[64];
    (void)snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *at = strstr(sum, quoted);
    return at == NULL ? 0 : strtoull(at + strlen(quoted), NULL, 10);
}

static bool costs_what_was_planned(int64_t wall_ms)
{
    uint64_t before[FORECAST_CALLS], written = asked("PutObject");
    bool same = true;
    assert_int_equal(plan_at(wall_ms, OUTPUT_JSON), 0);
    assert_int_equal(asked("PutObject"), written);
    struct forecast f = job.forecast;
    for (uint32_t i = 0; i < FORECAST_CALLS; i++)
        before[i] = names[i] != NULL ? asked(names[i]) : 0;
    assert_int_equal(run_at(wall_ms), 0);
    assert_int_equal(job.archived, f.archives);
    assert_int_equal(job.recounted, f.recounts);
    for (uint32_t i = 0; i < FORECAST_CALLS; i++)
        same &= names[i] == NULL ||
                row_number((int64_t)(asked(names[i]) - before[i]),
                           (int64_t)planned(names[i]));
    return same;
}

static void small_days_cost_what_was_planned(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(4));
    put_events("/a", NOON - DAYS(4), 30 * 24);
    configure("\"/a\",\"/b*\"", "");
    aws_create_group(model, "/b1", NOON - DAYS(2));
    aws_create_group(model, "/b2", NOON + DAYS(1));
    assert_true(costs_what_was_planned(NOON));            /* all is missing */
    assert_true(costs_what_was_planned(NOON + HOUR));     /* nothing is due */
    assert_true(costs_what_was_planned(NOON + DAYS(1)));  /* one day more */
    assert_true(costs_what_was_planned(NOON + DAYS(14))); /* recounts, too */
    close_world();
}

static void a_day_is_an_item_for_others(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(1));
    put_events("/a", NOON - DAYS(1), 10);
    configure("\"/a\"", "");
    assert_int_equal(plan_at(NOON, OUTPUT_TEXT), 0);
    assert_non_null(strstr(heard.told.at, "{\"group\":\"/a\",\"day\":"
                           "\"2026-11-08\",\"from\":"));
    assert_non_null(strstr(heard.told.at, "\"key\":\"" ROOT
                           "a/dt=2026-11-08/events.ndjson.gz\",\"state\":"
                           "\"missing\",\"action\":\"archive\""));
    assert_non_null(strstr(sum, "1 group: 1 day to archive, 0 to recount\n"));
    assert_non_null(strstr(sum, "us-east-1 list prices, table of 2026-"));
    close_world();
}

static void what_cannot_be_read_is_said(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/ia", NOON - DAYS(2));
    aws_group_policy(model, "/ia", "INFREQUENT_ACCESS", 0, false);
    configure("\"/ia\"", "");
    assert_int_equal(plan_at(NOON, OUTPUT_JSON), 78);
    assert_non_null(strstr(heard.words, "\"via\": \"export\""));
    configure("{\"name\":\"/ia\",\"via\":\"export\",\"format\":\"text\"}", "");
    assert_int_equal(plan_at(NOON, OUTPUT_JSON), 0);
    assert_int_equal(job.forecast.exports, 2);
    assert_int_equal(planned("CreateExportTask"), 2);
    assert_int_equal(planned("FilterLogEvents"), 0);
    close_world();
}

static void retention_is_due_too(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(40));
    configure("\"/a\"", ",\"retention_days\":30,\"age_days\":40,"
                        "\"since\":\"2026-11-08\"");
    assert_int_equal(plan_at(NOON, OUTPUT_JSON), 0);
    assert_int_equal(job.forecast.retentions, 1);
    assert_non_null(strstr(heard.told.at, "\"day\":null"));
    assert_int_equal(planned("PutRetentionPolicy"), 1);
    assert_int_equal(planned("GetObject"), 10);
    close_world();
}

/* A day of a group that holds 80 GB in 40 days. */
static struct visit v;

static void describe_much(void)
{
    static const struct config_settings settings;
    memset(&v, 0, sizeof v);
    v.options.settings = &settings;
    v.site = &site;
    (void)view_copy(view_of(BUCKET), v.spec.bucket, sizeof v.spec.bucket);
    (void)view_copy(view_of("x"), v.spec.key, sizeof v.spec.key);
    v.options.group = view_of("/a");
    strcpy(v.spec.group, "/a");
    v.info.stored_bytes = 80000000000;
    v.info.creation_ms = NOON - DAYS(40);
    v.calendar.facts.now_ms = NOON;
    v.calendar.facts.held_ms = INT64_MIN;
    v.spec.until_ms = NOON;
    v.spec.from_ms = NOON - DAYS(1);
    (void)view_copy(view_of("GLACIER_IR"), v.spec.storage_class,
                    sizeof v.spec.storage_class);
}

/* 80 GB in 40 days are 2 GB a day: 1,908 pages, 239 MB, 48 parts. */
static void much_is_estimated(void **state)
{
    struct forecast f = {0};
    struct text t;
    char bytes[REPORT_BYTES];
    (void)state;
    describe_much();
    text_init(&t, bytes, sizeof bytes);
    site.pace.limit = 12000;
    forecast_tell(&f, &v, &t, OUTPUT_TEXT);
    assert_non_null(strstr(bytes, "about 1.9 GB to be read, 249 MB to be"));
    assert_int_equal(f.calls[FORECAST_READ], 1908);
    assert_int_equal(f.calls[FORECAST_PART], 48);
    assert_int_equal(f.month_nano / 1000, 930);  /* 0.2328 GiB at 0.004 */
    assert_true(f.request_nano > 50 * 20000);
    text_init(&t, sum, sizeof sum);
    forecast_write(&t, &f, &site, 1, OUTPUT_TEXT);
    assert_non_null(strstr(sum, "1,908 log reads at 12 a second: 2 min at"));
    assert_non_null(strstr(sum, "requests, about: 1,908 FilterLogEvents"));
}

/* What a day is estimated by, when one thing about it is otherwise. */
static struct forecast of_day(const char *has, enum output form)
{
    static char bytes[REPORT_BYTES];
    struct forecast f = {0};
    struct text t;
    text_init(&t, bytes, sizeof bytes);
    forecast_tell(&f, &v, &t, form);
    if (strstr(bytes, has) == NULL)
        fail_msg("\"%s\" is not in %s", has, bytes);
    return f;
}

static void a_day_is_of_its_group(void **state)
{
    static struct config_settings settings = {.retention_days = 30};
    (void)state;
    describe_much();
    v.spec.storage_class[0] = '\0';
    assert_int_equal(of_day("", OUTPUT_TEXT).month_nano / 1000, 5352);
    strcpy(v.spec.storage_class, "OUTPOSTS");  /* as STANDARD, at least */
    assert_int_equal(of_day("", OUTPUT_TEXT).month_nano / 1000, 5352);
    v.calendar.facts.held_ms = NOON - DAYS(20);  /* it holds no more */
    assert_int_equal(of_day("", OUTPUT_TEXT).calls[FORECAST_READ], 3815);
    v.calendar.facts.held_ms = NOON - HOUR;
    (void)of_day("\"state\":\"expired\"", OUTPUT_JSON);
    v.due = VISIT_KEEP;
    v.options.settings = &settings;
    assert_int_equal(of_day("/a: 30 days of retention",
                            OUTPUT_TEXT).calls[FORECAST_GET], 0);
    v.calendar.facts.held_ms = NOON - DAYS(35);
    assert_int_equal(of_day("\"day\":null", OUTPUT_JSON)
                         .calls[FORECAST_GET], 5);
}

static void no_room_is_told(void **state)
{
    char few[8];
    struct forecast f = {0};
    struct text t;
    (void)state;
    describe_much();
    text_init(&t, few, sizeof few);
    forecast_tell(&f, &v, &t, OUTPUT_JSON);
    assert_true(t.overflow);
    assert_int_equal(f.archives, 1);
}

static void a_sum_says_what_there_is(void **state)
{
    struct forecast f = {0};
    struct text t;
    (void)state;
    site.requests = site.retried = 0;
    site.pace.limit = 0;
    text_init(&t, sum, sizeof sum);
    forecast_write(&t, &f, &site, 0, OUTPUT_TEXT);
    assert_null(strstr(sum, "requests:"));
    assert_null(strstr(sum, "requests, about:"));
    assert_null(strstr(sum, "export,"));
    f.exports = f.calls[FORECAST_EXPORT] = 1;
    f.calls[FORECAST_READ] = 7;
    site.requests = 3;
    text_init(&t, sum, sizeof sum);
    forecast_write(&t, &f, &site, 2, OUTPUT_TEXT);
    assert_non_null(strstr(sum, "; 1 export, one at a time"));
    assert_non_null(strstr(sum, "requests: 1 DescribeLogGroups, "
                                "1 CreateExportTask, 2 ListObjectsV2\n"));
    text_init(&t, sum, sizeof sum);
    forecast_write(&t, &f, &site, 2, OUTPUT_JSON);  /* as one in a second */
    assert_non_null(strstr(sum, "\"seconds\":7000,"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_days_cost_what_was_planned),
        cmocka_unit_test(a_day_is_an_item_for_others),
        cmocka_unit_test(what_cannot_be_read_is_said),
        cmocka_unit_test(retention_is_due_too),
        cmocka_unit_test(much_is_estimated),
        cmocka_unit_test(a_day_is_of_its_group),
        cmocka_unit_test(no_room_is_told),
        cmocka_unit_test(a_sum_says_what_there_is),
    };
    return RUN(tests);
}
