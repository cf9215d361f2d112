/* test_zone.c - every zone, 1970 to 2100, held against the C library's.
 * Method: $TZDIR is the database that the table was made from; days are
 * sampled, and both sides of every change looked at. The library is glibc:
 * musl knows no $TZDIR, and errs before a zone's first change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/date.h"
#include "base/nearest.h"
#include "base/zone.h"

static const int64_t first_day = 0, last_day = 47847;  /* to 2101-01-01 */

static char root[256];

static const struct zone *find(const char *name)
{
    const struct zone *z = zone_find(view_of(name));
    if (z == NULL)
        fail_msg("no zone %s", name);
    return z;
}

static void compare_at(const struct zone *z, const char *name, int64_t second)
{
    struct tm tm;
    time_t t = (time_t)second;
    localtime_r(&t, &tm);
    if (tm.tm_gmtoff != zone_offset(z, second * 1000))
        fail_msg("%s at %lld: %ld, not %d", name, (long long)second,
                 tm.tm_gmtoff, zone_offset(z, second * 1000));
}

/* Both sides of the change that lies between two instants, by halving. */
static void compare_change(const struct zone *z, const char *name,
                           int64_t low, int64_t high)
{
    int32_t before = zone_offset(z, low * 1000);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (zone_offset(z, middle * 1000) == before)
            low = middle;
        else
            high = middle;
    }
    compare_at(z, name, low);
    compare_at(z, name, high);
}

static uint32_t compare_zone(const char *name)
{
    const int64_t step = 5 * 86400;
    const struct zone *z = find(name);
    uint32_t changes = 0;
    setenv("TZ", name, 1);
    tzset();
    for (int64_t t = 0; t < last_day * 86400; t += step) {
        compare_at(z, name, t);
        if (zone_offset(z, t * 1000) != zone_offset(z, (t + step) * 1000)) {
            compare_change(z, name, t, t + step);
            changes++;
        }
    }
    return changes;
}

/* A day starts when its midnight is first reached: a millisecond before, the
 * clocks show less. Starts never go back, so days tile time. */
static void check_days(const char *name, int64_t step)
{
    const struct zone *z = find(name);
    int64_t start = zone_day_start(z, first_day);
    for (int64_t d = first_day; d < last_day; d += step) {
        start = zone_day_start(z, d);
        int64_t next = zone_day_start(z, d + 1);
        int64_t local = start + zone_offset(z, start) * 1000LL;
        int64_t before = start - 1 + zone_offset(z, start - 1) * 1000LL;
        if (local < d * DAY_MS || before >= d * DAY_MS || next < start ||
            next - start > 27 * 3600000LL)
            fail_msg("%s: day %lld from %lld to %lld", name, (long long)d,
                     (long long)start, (long long)next);
        if (next > start) {
            assert_int_equal(zone_day_of(z, start), d);
            assert_int_equal(zone_day_of(z, next - 1), d);
        }
    }
}

static uint32_t each_zone(const char *folder, uint32_t depth)
{
    char path[sizeof root + 640];
    uint32_t count = 0;
    snprintf(path, sizeof path, "%s/%s", root, folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char name[300], magic[4] = "";
        struct stat st;
        snprintf(name, sizeof name, "%s%s%s", folder, *folder ? "/" : "",
                 e->d_name);
        snprintf(path, sizeof path, "%s/%s", root, name);
        if (e->d_name[0] == '.' || stat(path, &st) != 0 ||
            strcmp(name, "posix") == 0 || strcmp(name, "right") == 0 ||
            strcmp(name, "posixrules") == 0 || strcmp(name, "Factory") == 0 ||
            strcmp(name, "localtime") == 0)
            continue;
        if (S_ISDIR(st.st_mode)) {
            assert_true(depth < 3);
            count += each_zone(name, depth + 1);
            continue;
        }
        FILE *file = fopen(path, "rb");
        size_t len = file != NULL ? fread(magic, 1, 4, file) : 0;
        if (file != NULL)
            fclose(file);
        if (len == 4 && memcmp(magic, "TZif", 4) == 0) {
            compare_zone(name);
            check_days(name, 7);
            count++;
        }
    }
    closedir(dir);
    return count;
}

static void all_zones_agree_with_the_c_library(void **state)
{
    (void)state;
#ifndef __GLIBC__
    skip();
#endif
    uint32_t count = each_zone("", 0);
    assert_true(count > 400);
    check_days("America/Sao_Paulo", 1);
    check_days("Pacific/Apia", 1);
    check_days("Asia/Seoul", 1);
}

/* Failure mode 55: lengths in minutes. */
static const struct day {
    const char *name, *zone, *day;
    int64_t     minutes;
} days[] = {
    {"a plain day",                   "UTC", "2026-11-09", 1440},
    {"clocks go forward",             "Europe/Berlin", "2026-03-29", 1380},
    {"clocks go back",                "Europe/Berlin", "2026-10-25", 1500},
    {"by half an hour forward",       "Australia/Lord_Howe", "2026-10-04",
                                      1410},
    {"by half an hour back",          "Australia/Lord_Howe", "2026-04-05",
                                      1470},
    {"by two hours forward",          "Antarctica/Troll", "2026-03-29", 1320},
    {"by two hours back",             "Antarctica/Troll", "2026-10-25", 1560},
    {"the date line leaves a day out", "Pacific/Apia", "2011-12-30", 0},
    {"and the day before is whole",   "Pacific/Apia", "2011-12-29", 1440},
    {"midnight that does not exist",  "America/Santiago", "2026-09-06", 1380},
    {"the same in Cairo, at last Friday", "Africa/Cairo", "2026-04-24", 1380},
    {"in Beirut",                     "Asia/Beirut", "2026-03-29", 1380},
    {"in Havana",                     "America/Havana", "2026-03-08", 1380},
    {"midnight that comes twice",     "America/St_Johns", "2010-11-06", 1440},
    {"and the day after it",          "America/St_Johns", "2010-11-07", 1500},
    {"long after the table's end",    "Europe/Berlin", "2399-03-28", 1380},
    {"a leap day",                    "Asia/Kolkata", "2028-02-29", 1440},
};

static void days_have_their_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        const struct zone *z = find(days[i].zone);
        int64_t d;
        assert_true(date_parse_day(view_of(days[i].day), &d));
        int64_t ms = zone_day_start(z, d + 1) - zone_day_start(z, d);
        if (ms != days[i].minutes * 60000)
            fail_msg("%s: %lld minutes", days[i].name,
                     (long long)(ms / 60000));
    }
}

static const struct local {
    const char *name, *zone, *local, *want;
} locals[] = {
    {"an ordinary time", "Asia/Seoul", "2026-11-09T00:00:00Z",
     "2026-11-08T15:00:00.000Z"},
    {"in a gap: when the clocks jump", "Europe/Berlin",
     "2026-03-29T02:30:00Z", "2026-03-29T01:00:00.000Z"},
    {"twice: the earlier", "Europe/Berlin", "2026-10-25T02:30:00Z",
     "2026-10-25T00:30:00.000Z"},
    {"no midnight: the day's first instant", "America/Santiago",
     "2026-09-06T00:00:00Z", "2026-09-06T04:00:00.000Z"},
    {"two midnights: the earlier", "America/St_Johns",
     "2010-11-07T00:00:00Z", "2010-11-07T02:30:00.000Z"},
    {"a left-out day begins with the next", "Pacific/Apia",
     "2011-12-30T00:00:00Z", "2011-12-30T10:00:00.000Z"},
    {"an offset with seconds", "Africa/Monrovia", "1971-06-01T00:00:00Z",
     "1971-06-01T00:44:30.000Z"},
};

static void local_times_become_instants(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof locals / sizeof locals[0]; i++) {
        char stamp[DATE_RFC3339_BYTES + 1];
        struct text t;
        int64_t ms;
        bool local;
        assert_true(date_parse_rfc3339(view_of(locals[i].local), &ms,
                                       &local));
        text_init(&t, stamp, sizeof stamp);
        date_rfc3339(&t, zone_local_to_instant(find(locals[i].zone), ms));
        if (strcmp(stamp, locals[i].want) != 0)
            fail_msg("%s: %s", locals[i].name, stamp);
    }
}

static void names_are_found_or_suggested(void **state)
{
    (void)state;
    static const char *const near[][2] = {
        {"Asia/Seol", "Asia/Seoul"}, {"asia/seoul", "Asia/Seoul"},
        {"Seoul", "Asia/Seoul"}, {"Europe/Belrin", "Europe/Berlin"},
        {"utc", "UTC"}, {"America/New York", "America/New_York"},
    };
    assert_null(zone_find(view_of("Asia/Seol")));
    assert_null(zone_find(view_of("")));
    assert_null(zone_find(view_of("Asia/Seoul2")));
    assert_null(zone_find(view_of("Asia")));
    assert_ptr_equal(find("US/Pacific"), find("America/Los_Angeles"));
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++)
        assert_string_equal(zone_nearest(view_of(near[i][0])), near[i][1]);
    assert_null(zone_nearest(view_of("")));
    assert_null(zone_nearest(view_of("nowhere at all, never was")));
    assert_true(strlen(zone_version) >= 5);
}

/* Failure mode 52: nothing overflows, whatever the number. */
static void extremes_do_not_overflow(void **state)
{
    (void)state;
    static const int64_t values[] = {INT64_MIN, INT64_MAX, -1, 0, 1,
                                     -62135596800000, 253402300799999};
    const struct zone *z = find("America/New_York");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        zone_offset(z, values[i]);
        zone_local_to_instant(z, values[i]);
        zone_day_start(z, values[i]);
        zone_day_of(z, values[i]);
    }
    assert_int_equal(zone_offset(z, -1), -18000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_zones_agree_with_the_c_library),
        cmocka_unit_test(days_have_their_length),
        cmocka_unit_test(local_times_become_instants),
        cmocka_unit_test(names_are_found_or_suggested),
        cmocka_unit_test(extremes_do_not_overflow),
    };
    const char *dir = getenv("TZDIR");
    snprintf(root, sizeof root, "%s",
             dir != NULL ? dir : "/usr/share/zoneinfo");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
