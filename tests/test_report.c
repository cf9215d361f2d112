/* test_report.c - results and progress, word for word. */
#include "row.h"

#include "task/report.h"

static struct spec spec = {
    .group = "/ecs/\"api\"", .bucket = "acme-logs", .day = 20766,
    .from_ms = 1794182400000, .until_ms = 1794268800000, .whole_day = true,
};
static char room[REPORT_BYTES];
static struct text out;

static void start(void)
{
    text_init(&out, room, sizeof room);
}

static void a_result_for_programs(void **state)
{
    struct report_result r = {
        .source = report_asked(&spec), .bucket = view_of(spec.bucket),
        .key = view_of("a/b.gz"), .state = "sealed",
        .action = "archived", .counted = true,
        .counts = {.events = 12, .bytes_raw = 3100, .bytes_stored = 700},
    };
    (void)state;
    start();
    report_result(&out, &r, OUTPUT_JSON);
    assert_true(row_text(&out,
        "{\"group\":\"/ecs/\\\"api\\\"\",\"day\":\"2026-11-09\","
        "\"from\":\"2026-11-09T00:00:00.000Z\","
        "\"until\":\"2026-11-10T00:00:00.000Z\",\"bucket\":\"acme-logs\","
        "\"key\":\"a/b.gz\",\"state\":\"sealed\",\"action\":\"archived\","
        "\"reason\":null,\"events\":12,\"bytes_raw\":3100,"
        "\"bytes_stored\":700}"));
    r.counted = false;
    r.state = NULL;
    r.action = "skipped";
    r.reason = view_of("as its receipt says");
    r.source.whole_day = false;
    start();
    report_result(&out, &r, OUTPUT_JSON);
    assert_non_null(strstr(room, "\"day\":null,"));
    assert_non_null(strstr(room, "\"state\":null,\"action\":\"skipped\","
                           "\"reason\":\"as its receipt says\","
                           "\"events\":null,"));
}

static void a_result_for_people(void **state)
{
    struct report_result r = {
        .source = report_asked(&spec), .bucket = view_of(spec.bucket),
        .key = view_of("a/b.gz"), .state = "provisional",
        .action = "archived", .counted = true,
        .reason = view_of("the day is open until 2026-11-24"),
        .counts = {.events = 1234, .bytes_raw = 3100, .bytes_stored = 700},
    };
    (void)state;
    start();
    report_result(&out, &r, OUTPUT_TEXT);
    assert_true(row_text(&out,
        "archived 2026-11-09 of /ecs/\"api\": 1,234 events, 3.1 kB, as "
        "s3://acme-logs/a/b.gz (700 B), provisional: the day is open until "
        "2026-11-24"));
}

static void a_result_of_a_receipt(void **state)
{
    static char long_group[600];
    struct receipt stored = {
        .group = view_of("/ecs/api"), .timezone = view_of("Asia/Seoul"),
        .from_ms = 1794150000000, .until_ms = 1794236400000,
    };
    struct report_result r = {
        .source = report_stored(&stored), .bucket = view_of("acme-logs"),
        .key = view_of("k.gz"), .action = "verified",
    };
    (void)state;
    start();
    report_result(&out, &r, OUTPUT_TEXT);
    assert_true(row_text(&out, "verified 2026-11-09 of /ecs/api: "
                               "s3://acme-logs/k.gz"));
    stored.timezone = view_of("Nowhere");
    r.source = report_stored(&stored);
    assert_false(r.source.whole_day);
    memset(long_group, 'a', sizeof long_group - 1);
    stored.group = view_of(long_group);
    stored.until_ms = stored.from_ms;
    r.source = report_stored(&stored);
    r.state = "readable";
    start();
    report_result(&out, &r, OUTPUT_TEXT);
    assert_true(row_text(&out, "verified s3://acme-logs/k.gz, readable"));
    start();
    report_result(&out, &r, OUTPUT_JSON);
    assert_non_null(strstr(room, "{\"group\":null,\"day\":null,"
                           "\"from\":null,\"until\":null,"));
}

/* A window that is no day, and none at all. */
static void a_window_is_told_as_it_is(void **state)
{
    static const struct {
        const char *name;
        int64_t     from_ms, until_ms;
        bool        whole_day;
        const char *want;
    } windows[] = {
        {"a day", 1794182400000, 1794268800000, true,
         "made 2026-11-09 of /g: s3://b/k"},
        {"its end", 1794186000000, 1794268800000, false,
         "made 2026-11-09T01:00:00.000Z to 2026-11-10T00:00:00.000Z of /g: "
         "s3://b/k"},
        {"its beginning", 1794182400000, 1794186000000, false,
         "made 2026-11-09T00:00:00.000Z to 2026-11-09T01:00:00.000Z of /g: "
         "s3://b/k"},
        {"none", 0, 0, false, "made all of /g: s3://b/k"},
        {"backwards", 5, 4, false, "made all of /g: s3://b/k"},
    };
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(windows); i++) {
        const struct receipt stored = {
            .group = view_of("/g"), .timezone = view_of("UTC"),
            .from_ms = windows[i].from_ms, .until_ms = windows[i].until_ms,
        };
        const struct report_result r = {
            .source = report_stored(&stored), .bucket = view_of("b"),
            .key = view_of("k"), .action = "made",
        };
        start();
        report_result(&out, &r, OUTPUT_TEXT);
        broken += BROKEN(windows[i].name, row_text(&out, windows[i].want) &&
                         r.source.whole_day == windows[i].whole_day);
    }
    assert_int_equal(broken, 0);
}

static void what_is_not_counted_may_be_sized(void **state)
{
    struct report_result r = {
        .bucket = view_of("b"), .key = view_of("k"), .sized = true,
        .counts = {.events = 1, .bytes_raw = 2, .bytes_stored = 3},
    };
    (void)state;
    start();
    report_result(&out, &r, OUTPUT_TEXT);
    assert_true(row_text(&out, "looked at as s3://b/k (3 B)"));
    start();
    report_result(&out, &r, OUTPUT_JSON);
    assert_non_null(strstr(room, "\"action\":null,\"reason\":null,"
                           "\"events\":null,\"bytes_raw\":null,"
                           "\"bytes_stored\":3}"));
    r.counted = true;
    start();
    report_result(&out, &r, OUTPUT_TEXT);
    assert_true(row_text(&out, "looked at 1 event, 2 B, as s3://b/k (3 B)"));
    r.key = view_of("");
    start();
    report_result(&out, &r, OUTPUT_JSON);
    assert_non_null(strstr(room, "\"key\":null,"));
}

static void a_bar_has_two_ends(void **state)
{
    static const struct {
        int64_t     done;
        const char *want;
    } bars[] = {
        {-1, "p [......] 0% 99,999 events 0 B 0 B/s 0 parts 0 thr. 3 retries"},
        {0, "p [......] 0% 99,999 events 0 B 0 B/s 0 parts 0 thr. 3 retries"},
        {50, "p [###...] 50% 99,999 events 0 B 0 B/s 0 parts 0 thr. 3 retries"},
        {100, "p [######] 100% 99,999 events 0 B 0 B/s 0 parts 0 thr. 3 "
         "retries"},
        {999, "p [######] 100% 99,999 events 0 B 0 B/s 0 parts 0 thr. 3 "
         "retries"},
    };
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(bars); i++) {
        const struct report_progress p = {
            .phase = "p", .whole = 100, .done = bars[i].done,
            .elapsed_ms = 1000, .counts = {.events = 99999, .retried = 3},
        };
        start();
        report_bar(&out, &p, 90);
        assert_true(row_text(&out, bars[i].want));
    }
}

static void a_bar_fits_its_columns(void **state)
{
    struct report_progress p = {
        .phase = "reading", .source = report_asked(&spec),
        .elapsed_ms = 2000, .done = 21600000, .whole = 86400000,
        .rss_bytes = 12400000,
        .counts = {.events = 1234567, .bytes_raw = 90000000, .parts = 1,
                   .throttled = 2},
    };
    (void)state;
    start();
    report_bar(&out, &p, 130);
    assert_true(row_text(&out,
        "reading [#######.......................] 25%  1,234,567 events  "
        "90.0 MB at 45.0 MB/s  1 part  2 throttles  12.4 MB memory"));
    start();
    report_bar(&out, &p, 79);
    assert_true(row_text(&out,
        "reading [#.....] 25% 1.2 M events 90.0 MB 45.0 MB/s 1 part 2 thr. "
        "12.4 MB mem"));
    for (uint32_t columns = 40; columns < 130; columns++) {
        start();
        report_bar(&out, &p, columns);
        assert_true(out.len <= columns);
    }
    p.whole = 0;
    p.elapsed_ms = 0;
    p.counts.bytes_raw = UINT64_MAX;
    start();
    report_bar(&out, &p, 120);
    assert_false(out.overflow);
}

static void phases_and_the_end(void **state)
{
    struct report_progress p = {.phase = "reading",
                                .source = report_asked(&spec),
                                .elapsed_ms = 1500, .counts.events = 3};
    struct report_done d = {.exit = 75, .elapsed_ms = 61234, .cpu_ms = 1250,
                            .rss_peak_bytes = 14000000,
                            .pool_peak_bytes = 500000,
                            .counts = {.requests = 7, .throttled = 1}};
    (void)state;
    start();
    report_phase(&out, &p, 1794182400000);
    assert_true(row_text(&out,
        "{\"time\":\"2026-11-09T00:00:00.000Z\",\"phase\":\"reading\","
        "\"group\":\"/ecs/\\\"api\\\"\",\"day\":\"2026-11-09\","
        "\"from\":\"2026-11-09T00:00:00.000Z\","
        "\"until\":\"2026-11-10T00:00:00.000Z\",\"events\":3,"
        "\"bytes_raw\":0,\"bytes_stored\":0,\"parts\":0,\"requests\":0,"
        "\"throttled\":0,\"retried\":0,\"seconds\":1.500,\"rss_bytes\":0}"));
    start();
    report_done(&out, &d, OUTPUT_JSON);
    assert_true(row_text(&out,
        "{\"phase\":\"done\",\"exit\":75,\"seconds\":61.234,"
        "\"cpu_seconds\":1.250,\"rss_peak_bytes\":14000000,"
        "\"pool_peak_bytes\":500000,\"events\":0,\"bytes_raw\":0,"
        "\"bytes_stored\":0,\"parts\":0,\"requests\":7,\"throttled\":1,"
        "\"retried\":0}"));
    d.counts.requests = 1;
    d.stack_peak_bytes = 9000;
    d.elapsed_ms = -5;
    start();
    report_done(&out, &d, OUTPUT_JSON);
    assert_non_null(strstr(room, "\"seconds\":0.000,"));
    assert_non_null(strstr(room, "\"stack_peak_bytes\":9000,"));
    start();
    report_done(&out, &d, OUTPUT_TEXT);
    assert_true(row_text(&out, "0 s, CPU 1.2 s, memory 14.0 MB at most "
                         "(pool 500 kB), 1 request, 1 throttled"));
    p.source.group = view_of("");
    start();
    report_phase(&out, &p, 1794182400000);
    assert_null(strstr(room, "group"));
    d.elapsed_ms = 61234;
    d.counts.requests = 7;
    start();
    report_done(&out, &d, OUTPUT_TEXT);
    assert_true(row_text(&out, "61 s, CPU 1.2 s, memory 14.0 MB at most "
                         "(pool 500 kB), 7 requests, 1 throttled"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_for_programs),
        cmocka_unit_test(a_result_for_people),
        cmocka_unit_test(a_result_of_a_receipt),
        cmocka_unit_test(a_window_is_told_as_it_is),
        cmocka_unit_test(what_is_not_counted_may_be_sized),
        cmocka_unit_test(a_bar_has_two_ends),
        cmocka_unit_test(a_bar_fits_its_columns),
        cmocka_unit_test(phases_and_the_end),
    };
    return RUN(tests);
}
