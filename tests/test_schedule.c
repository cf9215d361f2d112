/* test_schedule.c - firing times as an oracle of other hands says
 * (tests/schedules.py), and what is no schedule refused with its place. */
#include "row.h"

#include "base/date.h"
#include "task/schedule.h"

enum { ROWS_LEAST = 300 };

static int64_t instant(const char *text)
{
    int64_t ms;
    assert_true(date_parse_rfc3339(view_of(text), &ms, NULL));
    return ms;
}

/* expression | zone | after | times */
static bool row_holds(char *line)
{
    char *part[4];
    struct schedule s;
    struct fault fault = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < 4; i++) {
        char *bar = strstr(line, " | ");
        part[i] = line;
        if (bar != NULL) {
            *bar = '\0';
            line = bar + 3;
        }
    }
    int64_t at = instant(part[2]);
    if (!schedule_parse(&s, view_of(part[0]), zone_find(view_of(part[1])),
                        &fault)) {
        fprintf(stderr, "  %s\n", fault.words);
        return false;
    }
    s.anchor_ms = at;
    for (char *t = strtok(part[3], " \n"); t != NULL; t = strtok(NULL, " \n")) {
        at = schedule_next(&s, at);
        if (!row_number(at, instant(t)))
            return false;
        count++;
    }
    return count == 10 || schedule_next(&s, at) == SCHEDULE_NEVER;
}

static void it_fires_as_the_oracle_says(void **state)
{
    char line[1024], whole[1024];
    int broken = 0, rows = 0;
    FILE *file = fopen("tests/schedules.txt", "r");
    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#')
            continue;
        memcpy(whole, line, sizeof whole);
        broken += BROKEN(whole, row_holds(line));
        rows++;
    }
    fclose(file);
    assert_int_equal(broken, 0);
    assert_true(rows >= ROWS_LEAST);
}

static const struct refused {
    const char *expression, *zone, *words;
} refused[] = {
    {"", "UTC", "a schedule has 1 to 256 bytes"},
    {"daily", "UTC", "column 1: a schedule is rate(), cron() or at()"},
    {"0 3 * * ? *", "UTC", "or at(); nearest: \"cron(0 3 * * ? *)\""},
    {"0 3 ? * 2 *", "UTC", "nearest: \"cron(0 3 ? * 2 *)\""},
    {"0 3 * * *", "UTC", "nearest: \"cron(0 3 * * ? *)\""},
    {"crom(0 3 * * ? *)", "UTC", "not \"crom\"; nearest: \"cron()\""},
    {"CRON(0 3 * * ? *)", "UTC", "not \"CRON\"; nearest: \"cron()\""},
    {"cron(0 3 * * ? *", "UTC", "column 17: a ) is missing at the end"},
    {"cron(0 3 * * ? *) x", "UTC", "column 17: nothing follows the )"},
    {"cron((0 3 * * ? *))", "UTC", "column 18: nothing follows the )"},
    {"cron(0 3 L-3,5 * ? *)", "UTC", "column 10: L, W and # stand alone"},
    {"cron()", "UTC", "six fields, and here are fewer"},
    {"cron(0 3 * *)", "UTC", "here are fewer: minutes hours day-of-month "
     "month day-of-week year"},
    {"cron(0 3 * * *)", "UTC", "nearest: \"cron(0 3 * * ? *)\""},
    {"cron(0 3 * * MON-FRI)", "UTC", "nearest: \"cron(0 3 ? * MON-FRI *)\""},
    {"cron(0 3 * * 1-5)", "UTC", "month day-of-week year"},
    {"cron(0 0 3 * * ? *)", "UTC", "and here are more"},
    {"cron(0 3 * * * *)", "UTC", "column 10: of day-of-month and day-of-week "
     "one is \"?\", and one is not; nearest: \"cron(0 3 * * ? *)\""},
    {"cron(0 3 * * MON *)", "UTC", "nearest: \"cron(0 3 ? * MON *)\""},
    {"cron(0 3 1 * MON *)", "UTC", "nearest: \"cron(0 3 1 * ? *)\""},
    {"cron(0 3 ? * ? *)", "UTC", "nearest: \"cron(0 3 * * ? *)\""},
    {"cron(60 3 * * ? *)", "UTC", "column 6: minutes are 0 to 59, not \"60\"; "
     "nearest: \"59\""},
    {"cron(0 24 * * ? *)", "UTC", "column 8: hours are 0 to 23, not \"24\"; "
     "nearest: \"23\""},
    {"cron(0 3 0 * ? *)", "UTC", "column 10: days of the month are 1 to 31, "
     "not \"0\"; nearest: \"1\""},
    {"cron(0 3 32 * ? *)", "UTC", "nearest: \"31\""},
    {"cron(0 3 1 13 ? *)", "UTC", "column 12: months are 1 to 12 or JAN to "
     "DEC, not \"13\"; nearest: \"12\""},
    {"cron(0 3 ? * 0 *)", "UTC", "column 14: days of the week are 1 (SUN) to "
     "7 (SAT), not \"0\"; nearest: \"1\""},
    {"cron(0 3 ? * MOM *)", "UTC", "not \"MOM\"; nearest: \"MON\""},
    {"cron(0 3 ? * MONDAY *)", "UTC", "not \"MONDAY\""},
    {"cron(0 3 * JAM ? *)", "UTC", "nearest: \"JAN\""},
    {"cron(0 3 * * ? 1969)", "UTC", "column 16: years are 1970 to 2199, not "
     "\"1969\"; nearest: \"1970\""},
    {"cron(0 3 * * ? 2200)", "UTC", "nearest: \"2199\""},
    {"cron(0 3 * * ? 2030-2026)", "UTC", "years do not begin anew"},
    {"cron(? 3 * * ? *)", "UTC", "not \"?\"; nearest: \"*\""},
    {"cron(-1 3 * * ? *)", "UTC", "minutes are 0 to 59, and one is missing"},
    {"cron(1- 3 * * ? *)", "UTC", "column 8: minutes are 0 to 59, and one is "
     "missing"},
    {"cron(1,,2 3 * * ? *)", "UTC", "column 8: minutes are 0 to 59, and one"},
    {"cron(1, 3 * * ? *)", "UTC", "column 8: minutes are 0 to 59, and one"},
    {"cron(1-2-3 3 * * ? *)", "UTC", "not \"2-3\""},
    {"cron(*/0 3 * * ? *)", "UTC", "column 8: a step is a number from 1"},
    {"cron(*/60 3 * * ? *)", "UTC", "column 8: a step is a number from 1"},
    {"cron(*/ 3 * * ? *)", "UTC", "column 8: a step"},
    {"cron(/5 3 * * ? *)", "UTC", "column 6: minutes are 0 to 59, and one"},
    {"cron(*/5/5 3 * * ? *)", "UTC", "column 8: a step"},
    {"cron(1,* 3 * * ? *)", "UTC", NULL},
    {"cron(99999999999999999999 3 * * ? *)", "UTC", "not \"99999"},
    {"cron(0 3 1,L * ? *)", "UTC", "column 12: L, W and # stand alone in "
     "their field; nearest: \"L\""},
    {"cron(0 3 1W,15 * ? *)", "UTC", "column 10: L, W and # stand alone in "
     "their field; nearest: \"1W\""},
    {"cron(0 3 ? * 2#1,2#3 *)", "UTC", "nearest: \"2#1\""},
    {"cron(0 3 W * ? *)", "UTC", "the month are 1 to 31, and one is missing"},
    {"cron(0 3 32W * ? *)", "UTC", "nearest: \"31\""},
    {"cron(0 3 0W * ? *)", "UTC", "nearest: \"1\""},
    {"cron(0 3 1-5W * ? *)", "UTC", "not \"1-5\""},
    {"cron(0 3 L-31 * ? *)", "UTC", "not \"L-31\"; nearest: \"L\""},
    {"cron(0 3 L3 * ? *)", "UTC", "not \"L3\"; nearest: \"L\""},
    {"cron(0 3 15L * ? *)", "UTC", "not \"15L\""},
    {"cron(0 3 ? * 3#6 *)", "UTC", "column 16: of a weekday a month has the "
     "1st to the 5th, not \"6\""},
    {"cron(0 3 ? * 3#0 *)", "UTC", "not \"0\""},
    {"cron(0 3 ? * 8#1 *)", "UTC", "not \"8\"; nearest: \"7\""},
    {"cron(0 3 ? * 8L *)", "UTC", "nearest: \"7\""},
    {"cron(0 3 ? * L-2 *)", "UTC", "not \"L\""},
    {"cron(0 3 ? * 15W *)", "UTC", "not \"15W\""},
    {"cron(L 3 * * ? *)", "UTC", "minutes are 0 to 59, not \"L\""},
    {"cron(0 3 30 2 ? *)", "UTC", "it never fires: there is no such day"},
    {"cron(0 3 31 4,6,9,11 ? *)", "UTC", "there is no such day"},
    {"cron(0 3 30W 2 ? *)", "UTC", "there is no such day"},
    {"cron(0 3 L-29 2 ? *)", "UTC", "there is no such day"},
    {"cron(0 3 29 2 ? 2100)", "UTC", "there is no such day"},
    {"cron(0 3 ? 2 2#5 2027)", "UTC", "there is no such day"},
    {"cron(30 2 29 3 ? 2026)", "Europe/Berlin", "it never fires: the zone's "
     "clocks skip that time"},
    {"cron(0 0 ? 4 6L 2026)", "Africa/Cairo", "clocks skip that time"},
    {"cron(* * 30 12 ? 2011)", "Pacific/Apia", "clocks skip that time"},
    {"cron(0 3 29 3 ? 2026)", "Europe/Berlin", NULL},
    {"at(2026-03-29T02:30:00)", "Europe/Berlin", "clocks skip that time"},
    {"at(2026-02-29T00:00:00)", "UTC", "not \"2026-02-29T00:00:00\"; nearest: "
     "\"at(2026-11-09T03:00:00)\""},
    {"at(2026-11-09T03:00:00Z)", "UTC", "nearest: \"at("},
    {"at(2026-11-09T03:00)", "UTC", "nearest: \"at("},
    {"at(2026-11-09 03:00:00)", "UTC", NULL},
    {"at(2016-12-31T23:59:60)", "UTC", "nearest: \"at("},
    {"at(1969-12-01T00:00:00)", "UTC", "it never fires from 1970 to 2199"},
    {"at(2201-01-01T00:00:00)", "UTC", "it never fires from 1970 to 2199"},
    {"at()", "UTC", "and one is missing"},
    {"rate(5)", "UTC", "column 6: a rate is a number and a unit; nearest: "
     "\"rate(15 minutes)\""},
    {"rate(5minutes)", "UTC", "a number and a unit"},
    {"rate(0 minutes)", "UTC", "column 6: a rate's number is 1 to 9999999, "
     "not \"0\""},
    {"rate(-1 minutes)", "UTC", "not \"-1\""},
    {"rate(1.5 hours)", "UTC", "not \"1.5\""},
    {"rate(5 minuts)", "UTC", "column 8: a rate's unit is minutes, hours or "
     "days, not \"minuts\"; nearest: \"minutes\""},
    {"rate(30 seconds)", "UTC", "not \"seconds\""},
    {"rate(5 minutes now)", "UTC", "a number and a unit"},
    {"rate(9999999 days)", "UTC", "it never fires from 1970 to 2199"},
};

static void what_is_none_is_refused_with_its_place(void **state)
{
    char large[300];
    int broken = 0;
    struct schedule s;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(refused); i++) {
        const struct refused *r = &refused[i];
        struct fault fault = {0};
        bool ok = schedule_parse(&s, view_of(r->expression),
                                 zone_find(view_of(r->zone)), &fault);
        bool holds = ok == (r->words == NULL) &&
                     (ok || (fault.error == ERROR_USAGE &&
                             strstr(fault.words, r->words) != NULL));
        if (!holds)
            fprintf(stderr, "  words \"%s\"\n", fault.words);
        broken += BROKEN(r->expression, holds);
    }
    assert_int_equal(broken, 0);
    memset(large, ' ', sizeof large);
    memcpy(large, "cron(", 5);
    memcpy(large + sizeof large - 12, "0 3 * * ? *)", 12);
    struct fault fault = {0};
    assert_false(schedule_parse(
        &s, (struct view){(uint8_t *)large, sizeof large},
        zone_find(view_of("UTC")), &fault));
}

/* A year of the daemon: it sleeps until the next time, whatever else. */
static void a_rate_does_not_drift(void **state)
{
    struct schedule s;
    struct fault fault = {0};
    (void)state;
    assert_true(schedule_parse(&s, view_of("rate(7 minutes)"),
                               zone_find(view_of("Asia/Seoul")), &fault));
    s.anchor_ms = 1795348800123;
    int64_t at = s.anchor_ms;
    for (int i = 1; i < 75000; i++) {
        int64_t late = at + i * 7919 % 400000;  /* woken late */
        at = schedule_next(&s, late);
        assert_int_equal((at - s.anchor_ms) % 420000, 0);
        assert_true(at > late && at <= late + 420000);
    }
    assert_int_equal(schedule_next(&s, INT64_MIN), s.anchor_ms + 420000);
    assert_int_equal(schedule_next(&s, INT64_MAX), SCHEDULE_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_fires_as_the_oracle_says),
        cmocka_unit_test(what_is_none_is_refused_with_its_place),
        cmocka_unit_test(a_rate_does_not_drift),
    };
    return RUN(tests);
}
