/* test_date.c - civil dates against a plain count of days, and the forms. */
#include "base/date.h"
#include "row.h"

static int32_t month_days(int32_t year, int32_t month)
{
    static const int32_t days[] = {31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static void every_day_of_ten_thousand_years(void **state)
{
    int64_t days = date_days(1, 1, 1);
    int failures = 0;
    (void)state;
    assert_int_equal(days, -719162);
    for (int32_t year = 1; year <= 9999; year++)
        for (int32_t month = 1; month <= 12; month++)
            for (int32_t day = 1; day <= month_days(year, month); day++) {
                struct civil c = date_civil(days * DAY_MS + DAY_MS - 1);
                failures += days != date_days(year, month, day) ||
                            c.year != year || c.month != month ||
                            c.day != day || c.hour != 23 || c.ms != 999;
                failures += date_weekday(days) != (days + 719163) % 7;
                days++;
            }
    assert_int_equal(failures, 0);
    assert_int_equal(date_weekday(0), 4);
}

static const struct rfc_row {
    const char *name, *in;
    bool        ok, local;
    int64_t     want;
} rfc_rows[] = {
    {"the epoch", "1970-01-01T00:00:00Z", true, false, 0},
    {"milliseconds", "1970-01-01T00:00:00.123Z", true, false, 123},
    {"one digit of fraction", "1970-01-01T00:00:00.1Z", true, false, 100},
    {"nanoseconds are cut", "1970-01-01T00:00:00.123999999Z", true, false,
     123},
    {"lower case", "1970-01-01t00:00:01z", true, false, 1000},
    {"a blank for T", "1970-01-01 00:00:01Z", true, false, 1000},
    {"seconds left out", "1970-01-01T00:01Z", true, false, 60000},
    {"east of Greenwich", "1970-01-01T09:00:00+09:00", true, false, 0},
    {"west, a half hour", "1969-12-31T20:30:00-03:30", true, false, 0},
    {"no zone is civil time", "1970-01-01T00:00:01", true, true, 1000},
    {"no zone, no seconds", "1970-01-01T00:01", true, true, 60000},
    {"a leap second is the next second", "2016-12-31T23:59:60Z", true, false,
     1483228800000},
    {"a leap day", "2024-02-29T00:00:00Z", true, false, 1709164800000},
    {"past 2038", "2106-02-07T06:28:16Z", true, false, 4294967296000},
    {"the last moment", "9999-12-31T23:59:59.999Z", true, false,
     253402300799999},
    {"a leap day that is none", "2100-02-29T00:00:00Z", false, false, 0},
    {"month 13", "2026-13-01T00:00:00Z", false, false, 0},
    {"day 0", "2026-01-00T00:00:00Z", false, false, 0},
    {"hour 24", "2026-01-01T24:00:00Z", false, false, 0},
    {"minute 60", "2026-01-01T00:60:00Z", false, false, 0},
    {"second 61", "2026-01-01T00:00:61Z", false, false, 0},
    {"no sign before the zone", "2026-01-01T00:00:00 01:00", false, false, 0},
    {"year 0", "0000-01-01T00:00:00Z", false, false, 0},
    {"a point without digits", "2026-01-01T00:00:00.Z", false, false, 0},
    {"words after it", "2026-01-01T00:00:00Z ", false, false, 0},
    {"only a day", "2026-01-01", false, false, 0},
    {"an offset of words", "2026-01-01T00:00:00+ab:00", false, false, 0},
    {"an offset without minutes", "2026-01-01T00:00:00+09:", false, false, 0},
    {"an offset of 60 minutes", "2026-01-01T00:00:00+09:60", false, false, 0},
    {"an offset of 24 hours", "2026-01-01T00:00:00+24:00", false, false, 0},
    {"an offset without a colon", "2026-01-01T00:00:00+0900", false, false,
     0},
    {"signs inside", "2026-+1-01T00:00:00Z", false, false, 0},
    {"nothing", "", false, false, 0},
};

static void rfc_3339_is_read(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rfc_rows); i++) {
        const struct rfc_row *row = &rfc_rows[i];
        int64_t got = 0, utc = 0;
        bool local = false;
        bool ok = date_parse_rfc3339(view_of(row->in), &got, &local);
        bool zoned = date_parse_rfc3339(view_of(row->in), &utc, NULL);
        failures += BROKEN(row->name, ok == row->ok && got == row->want &&
                                          local == row->local &&
                                          zoned == (ok && !local));
    }
    assert_int_equal(failures, 0);
}

static const struct stamp_row {
    const char *name;
    const char *in;
    bool        ok;
} stamp_rows[] = {
    {"an instant", "2026-11-09T02:10:03.045Z", true},
    {"a leap second", "2016-12-31T23:59:60.000Z", true},
    {"a leap day", "2000-02-29T00:00:00.000Z", true},
    {"a leap day that is none", "1900-02-29T00:00:00.000Z", false},
    {"November 31st", "2026-11-31T00:00:00.000Z", false},
    {"day 0", "2026-11-00T00:00:00.000Z", false},
    {"month 0", "2026-00-09T00:00:00.000Z", false},
    {"year 0", "0000-01-01T00:00:00.000Z", false},
    {"minute 60", "2026-11-09T02:60:03.045Z", false},
    {"a small t", "2026-11-09t02:10:03.045Z", false},
    {"a byte below 0", "2026-11-09T02:10:03./45Z", false},
    {"a byte above 9", "2026-11-09T02:10:03.:45Z", false},
    {"no milliseconds", "2026-11-09T02:10:03Z", false},
    {"one byte more", "2026-11-09T02:10:03.0456Z", false},
    {"nothing", "", false},
};

static void stamps_are_read(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(stamp_rows); i++) {
        const struct stamp_row *row = &stamp_rows[i];
        int64_t got = 0, want = 0;
        bool ok = date_parse_stamp(view_of(row->in), &got);
        failures += BROKEN(row->name, ok == row->ok &&
                           (!ok || (date_parse_rfc3339(view_of(row->in), &want,
                                                       NULL) && got == want)));
    }
    assert_int_equal(failures, 0);
}

static const struct out_row {
    const char *name;
    int64_t     in;
    const char *rfc3339, *day, *amz;
} out_rows[] = {
    {"the epoch", 0, "1970-01-01T00:00:00.000Z", "1970-01-01",
     "19700101T000000Z"},
    {"before the epoch", -1, "1969-12-31T23:59:59.999Z", "1969-12-31",
     "19691231T235959Z"},
    {"SigV4's day", 1440938160000, "2015-08-30T12:36:00.000Z", "2015-08-30",
     "20150830T123600Z"},
    {"the last moment", 253402300799999, "9999-12-31T23:59:59.999Z",
     "9999-12-31", "99991231T235959Z"},
    {"after it is clamped", INT64_MAX, "9999-12-31T23:59:59.999Z",
     "9999-12-31", "99991231T235959Z"},
    {"before the first is clamped", INT64_MIN, "0001-01-01T00:00:00.000Z",
     "0001-01-01", "00010101T000000Z"},
};

static void instants_are_written(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(out_rows); i++) {
        const struct out_row *row = &out_rows[i];
        int64_t days = row->in / DAY_MS - (row->in % DAY_MS < 0);
        char at[32];
        struct text t;
        text_init(&t, at, sizeof at);
        date_rfc3339(&t, row->in);
        failures += BROKEN(row->name, row_text(&t, row->rfc3339));
        text_reset(&t);
        date_day(&t, row->in == INT64_MAX || row->in == INT64_MIN ? row->in
                                                                  : days);
        failures += BROKEN(row->name, row_text(&t, row->day));
        text_reset(&t);
        date_amz(&t, row->in);
        failures += BROKEN(row->name, row_text(&t, row->amz));
        date_civil(row->in);
    }
    assert_int_equal(failures, 0);
}

static const struct http_row {
    const char *name, *in;
    bool        ok;
    int64_t     want;
} http_rows[] = {
    {"the fixed form", "Sun, 06 Nov 1994 08:49:37 GMT", true, 784111777000},
    {"RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", true, 784111777000},
    {"RFC 850 after 2000", "Friday, 06-Nov-26 00:00:00 GMT", true,
     1793923200000},
    {"asctime", "Sun Nov  6 08:49:37 1994", true, 784111777000},
    {"asctime with two digits", "Wed Nov 16 08:49:37 1994", true,
     784975777000},
    {"blanks around it", " Sun, 06 Nov 1994 08:49:37 GMT\r\n", true,
     784111777000},
    {"another zone", "Sun, 06 Nov 1994 08:49:37 PST", false, 0},
    {"a day that is none", "Sun, 31 Nov 1994 08:49:37 GMT", false, 0},
    {"lower case", "sun, 06 nov 1994 08:49:37 gmt", false, 0},
    {"cut", "Sun, 06 Nov 1994 08:49", false, 0},
    {"words after it", "Sun, 06 Nov 1994 08:49:37 GMT+1", false, 0},
    {"a number", "0", false, 0},
    {"nothing", "", false, 0},
};

/* Whether a date is refused as soon as one byte behind the day's name, which
 * says nothing new, is another. */
static bool each_byte_counts(const char *in)
{
    char copy[64];
    bool refused = true;
    struct view v = view_trim(view_of(in));
    uint32_t from = view_find(v, ',');
    if (from == v.len)
        from = view_find(v, ' ');
    memcpy(copy, v.at, v.len);
    for (uint32_t i = from; i < v.len; i++) {
        int64_t got;
        copy[i] = '?';
        refused &= !date_parse_http((struct view){(uint8_t *)copy, v.len},
                                    &got);
        copy[i] = (char)v.at[i];
    }
    return refused;
}

static void http_dates_are_read(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(http_rows); i++) {
        const struct http_row *row = &http_rows[i];
        int64_t got = 0;
        bool ok = date_parse_http(view_of(row->in), &got);
        failures += BROKEN(row->name, ok == row->ok && got == row->want &&
                                          (!ok || each_byte_counts(row->in)));
    }
    assert_int_equal(failures, 0);
}

static void days_are_read(void **state)
{
    int64_t days = 0;
    (void)state;
    assert_true(date_parse_day(view_of("2026-11-09"), &days));
    assert_int_equal(days, 20766);
    assert_false(date_parse_day(view_of("2026-11-31"), &days));
    assert_false(date_parse_day(view_of("2026-11-9"), &days));
    assert_false(date_parse_day(view_of("2026-11-09T"), &days));
    assert_false(date_parse_day(view_of("20261109"), &days));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_ten_thousand_years),
        cmocka_unit_test(rfc_3339_is_read),
        cmocka_unit_test(stamps_are_read),
        cmocka_unit_test(instants_are_written),
        cmocka_unit_test(http_dates_are_read),
        cmocka_unit_test(days_are_read),
    };
    return RUN(tests);
}
