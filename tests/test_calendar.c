/* test_calendar.c - which day a listed key is of, whatever the template, and
 * what of it is due. */
#include "row.h"

#include "base/date.h"
#include "task/calendar.h"

#define NOON   INT64_C(1794225600000)  /* 2026-11-09T12:00:00Z */
#define HOUR   INT64_C(3600000)

enum { TODAY = 20766 };  /* 2026-11-09 */

static struct calendar calendar;
static struct spec spec;
static const struct plan_place place = {
    {(const uint8_t *)"111122223333", 12}, {(const uint8_t *)"eu-west-1", 9},
};

static struct calendar_facts facts(void)
{
    return (struct calendar_facts){
        .zone = zone_find(view_of("UTC")), .now_ms = NOON,
        .created_ms = NOON - 1000 * (int64_t)DAY_MS, .held_ms = INT64_MIN,
        .since = INT64_MIN, .age = 1, .backfill = 30,
    };
}

static void begin(const char *to, const struct calendar_facts *f)
{
    struct fault fault = {0};
    spec = (struct spec){0};
    strcpy(spec.group, "/ecs/2026-11-09");  /* a date that is none */
    assert_true(plan_to(&spec, view_of(to), &fault));
    assert_true(calendar_init(&calendar, f, &spec, &place, &fault));
}

static const struct row {
    const char *name, *to, *receipt, *prefix;  /* of 2026-11-05 */
    bool after;                                /* the list begins behind */
} rows[] = {
    {"the default", "s3://acme",
     "111122223333/eu-west-1/ecs/2026-11-09/dt=2026-11-05/"
     "_events.receipt.json",
     "111122223333/eu-west-1/ecs/2026-11-09/dt=", true},
    {"the date is the file's name", "s3://acme/{group}/{date}.{ext}",
     "ecs/2026-11-09/_2026-11-05.receipt.json", "ecs/2026-11-09/_", true},
    {"in three folders", "s3://acme/x/{group}/{yyyy}/{mm}/{dd}.{ext}",
     "x/ecs/2026-11-09/2026/11/_05.receipt.json", "x/ecs/2026-11-09/", true},
    {"before the group", "s3://acme/{date}/{group}.{ext}",
     "2026-11-05/ecs/_2026-11-09.receipt.json", "", true},
    {"days first", "s3://acme/{group}/{dd}.{mm}.{yyyy}.{ext}",
     "ecs/2026-11-09/_05.11.2026.receipt.json", "ecs/2026-11-09/_", false},
    {"days before months", "s3://acme/{group}/{yyyy}-{dd}-{mm}.{ext}",
     "ecs/2026-11-09/_2026-05-11.receipt.json", "ecs/2026-11-09/_", false},
    {"twice", "s3://acme/{group}/{yyyy}/{date}.{ext}",
     "ecs/2026-11-09/2026/_2026-11-05.receipt.json", "ecs/2026-11-09/",
     true},
};

static bool row_holds(const struct row *row)
{
    char prefix[SPEC_KEY_BYTES + 32], after[SPEC_KEY_BYTES + 32];
    const struct calendar_facts f = facts();
    struct text p, a;
    text_init(&p, prefix, sizeof prefix);
    text_init(&a, after, sizeof after);
    begin(row->to, &f);
    calendar_list(&calendar, &spec, &place, &p, &a);
    bool ok = row_text(&p, row->prefix) && (a.len > 0) == row->after &&
              (!row->after || strcmp(after, row->receipt) < 0) &&
              view_starts(view_of(row->receipt), row->prefix);
    calendar_take(&calendar, &spec, &place, view_of(row->receipt), NOON);
    ok = ok && calendar_at(&calendar, TODAY - 4) == CALENDAR_THERE;
    for (int64_t d = calendar.base; d <= TODAY; d++)
        ok = ok && (d == TODAY - 4 ||
                    calendar_at(&calendar, d) == CALENDAR_NONE);
    return ok;
}

static void keys_tell_their_days(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        broken += BROKEN(rows[i].name, row_holds(&rows[i]));
    assert_int_equal(broken, 0);
}

static const char *const others[] = {
    "111122223333/eu-west-1/ecs/2026-11-09/dt=2026-11-05/events.ndjson.gz",
    "111122223333/eu-west-1/ecs/2026-11-09/dt=2026-11-31/_events.receipt.json",
    "111122223333/eu-west-1/ecs/2026-11-09/dt=2026-1a-05/_events.receipt.json",
    "111122223333/eu-west-1/ecs/2026-11-08/dt=2026-11-05/_events.receipt.json",
    "111122223333/eu-west-1/ecs/2026-11-09/dt=2026-11-05/_events.receipt.jsox",
    "111122223333/eu-west-1/ecs/2026-11-09/dt=20x6-11-05/_events.receipt.json",
    "111122223333/eu-west-1/ecs/2026-11-09/dt=2026-11-0x/_events.receipt.json",
    "111122223333/eu-west-1/ecs/2026-11-09/dt=0000-11-05/_events.receipt.json",
    "111122223333/eu-west-1/ecs/2026-11-09/dt=2026-00-05/_events.receipt.json",
    "111122223333/eu-west-1/ecs/2026-11-09/dt=2026-13-05/_events.receipt.json",
    "111122223333/eu-west-1/ecs/2026-11-09/dt=2026-11-00/_events.receipt.json",
    "111122223333/eu-west-1/ecs/2026-11-09/dt=2026-11-32/_events.receipt.json",
    "111122223333/eu-west-1/ecs/2026-11-09/dt=2006-11-05/_events.receipt.json",
    "111122223333/eu-west-1/ecs/2026-11-09/dt=9999-12-31/_events.receipt.json",
    "", "dt=2026-11-05",
};

static void other_keys_tell_nothing(void **state)
{
    const struct calendar_facts f = facts();
    int64_t day;
    (void)state;
    begin("s3://acme", &f);
    for (size_t i = 0; i < ROW_COUNT(others); i++)
        calendar_take(&calendar, &spec, &place, view_of(others[i]), NOON);
    assert_true(calendar_missing(&calendar, &day));
    assert_int_equal(day, TODAY - 30);
    for (int64_t d = calendar.base; d <= TODAY; d++)
        assert_int_equal(calendar_at(&calendar, d), CALENDAR_NONE);
    assert_true(calendar_archive(&calendar, &spec, &place,
                                 view_of(others[0]), &day));
    assert_int_equal(day, TODAY - 4);
}

/* What is before the list's first day, or behind its last, has no mark. */
static void the_list_has_two_ends(void **state)
{
    struct calendar_facts f = facts();
    char longest[SPEC_KEY_BYTES + 64];
    int64_t day;
    (void)state;
    f.backfill = 500;
    begin("s3://acme", &f);
    assert_int_equal(calendar.base, TODAY - 500);
    calendar_set(&calendar, calendar.base, CALENDAR_VOID);
    assert_int_equal(calendar_at(&calendar, TODAY - 500), CALENDAR_VOID);
    assert_int_equal(calendar_at(&calendar, TODAY - 501), CALENDAR_NONE);
    assert_int_equal(calendar_at(&calendar, calendar.base + CALENDAR_DAYS),
                     CALENDAR_NONE);
    assert_true(calendar_missing(&calendar, &day));
    assert_int_equal(day, TODAY - 499);
    memset(longest, 'k', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_false(calendar_archive(&calendar, &spec, &place,
                                  view_of(longest), &day));
}

/* Samoa had no 30 December 2011. */
static void a_day_without_length_is_not_missing(void **state)
{
    struct calendar_facts f = facts();
    int64_t left_out = date_days(2011, 12, 30), day;
    (void)state;
    f.zone = zone_find(view_of("Pacific/Apia"));
    f.now_ms = (left_out + 3) * (int64_t)DAY_MS;
    f.created_ms = 0;
    f.backfill = 4;
    begin("s3://acme", &f);
    calendar_set(&calendar, left_out - 2, CALENDAR_THERE);
    calendar_set(&calendar, left_out - 1, CALENDAR_THERE);
    assert_true(calendar_missing(&calendar, &day));
    assert_int_equal(day, left_out + 1);
    for (day = calendar.first; day <= calendar.last; day++)
        if (day != left_out)
            calendar_set(&calendar, day, CALENDAR_THERE);
    assert_false(calendar_missing(&calendar, &day));
}

/* By when the receipt was written, and what is held still. */
static void the_time_of_a_receipt_tells_the_rest(void **state)
{
    static const char key[] = "111122223333/eu-west-1/ecs/2026-11-09/"
                              "dt=2026-10-20/_events.receipt.json";
    struct calendar_facts f = facts();
    int64_t end_ms = (TODAY - 19) * (int64_t)DAY_MS, day;
    (void)state;
    begin("s3://acme", &f);
    calendar_take(&calendar, &spec, &place, view_of(key), end_ms + HOUR);
    assert_true(calendar_stale(&calendar, &day));
    assert_int_equal(day, TODAY - 20);
    calendar_take(&calendar, &spec, &place, view_of(key), 0);
    assert_int_equal(calendar_at(&calendar, day), CALENDAR_THERE);
    calendar_take(&calendar, &spec, &place, view_of(key),
                  end_ms + 14 * (int64_t)DAY_MS);
    assert_int_equal(calendar_at(&calendar, day), CALENDAR_FINAL);
    f.held_ms = NOON - 15 * (int64_t)DAY_MS;
    begin("s3://acme", &f);
    calendar_take(&calendar, &spec, &place, view_of(key), end_ms + HOUR);
    assert_false(calendar_stale(&calendar, &day));
    assert_true(calendar_missing(&calendar, &day));
    assert_int_equal(day, TODAY - 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_tell_their_days),
        cmocka_unit_test(other_keys_tell_nothing),
        cmocka_unit_test(the_list_has_two_ends),
        cmocka_unit_test(a_day_without_length_is_not_missing),
        cmocka_unit_test(the_time_of_a_receipt_tells_the_rest),
    };
    return RUN(tests);
}
