/* test_ledger.c - what is kept of a group's days, and what is said of them. */
#include "task/ledger.h"

#include "row.h"

#define DAY(n) ((int64_t)(n) * DAY_MS)

enum { D0 = 20454 };  /* 2026-01-01 */

static struct ledger ledger;
static char bytes[LEDGER_LINE_BYTES];
static struct text out;

static struct receipt receipt_of(const char *group)
{
    return (struct receipt){
        .group = view_of(group), .account = view_of("111122223333"),
        .region = view_of("us-east-1"), .from_ms = DAY(D0),
        .until_ms = DAY(D0 + 1),
    };
}

/* ---- whose keys ---- */

static const struct key_row {
    const char *name, *group, *key, *other;
    bool has, past;
} key_rows[] = {
    {"the default template", "/ecs/api",
     "111122223333/us-east-1/ecs/api/dt=2026-01-01/_events.receipt.json",
     "111122223333/us-east-1/ecs/api/dt=2027-12-31/_events.receipt.json",
     true, false},
    {"another group", "/ecs/api",
     "111122223333/us-east-1/ecs/api/dt=2026-01-01/_events.receipt.json",
     "111122223333/us-east-1/ecs/api2/dt=2026-01-01/_events.receipt.json",
     false, true},
    {"a name that also stands elsewhere", "e",
     "111122223333/us-east-1/e/dt=2026-01-01/_events.receipt.json",
     "111122223333/us-east-1/f/dt=2026-01-01/_events.receipt.json",
     false, true},
    {"a name with the year in it", "/app-2026",
     "a/app-2026/dt=2026-01-01/_e.receipt.json",
     "a/app-2026/dt=2026-01-02/_e.receipt.json", true, false},
    {"the date twice", "/api", "api/2026/01/_api-2026-01-01.receipt.json",
     "api/2027/01/_api-2027-01-01.receipt.json", true, false},
    {"dates first: never past", "/api", "2026/01/01/_api.receipt.json",
     "2026/01/02/_zzz.receipt.json", false, false},
    {"no name in the key", "/api", "x/_y.receipt.json", "z/_z.receipt.json",
     false, false},
    {"an account with the year in it", "/api",
     "111122223333/api/2026-01-01/_x.receipt.json",
     "111122223333/bpi/2026-01-01/_x.receipt.json", false, true},
};

static void keys_tell_whether_more_may_come(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(key_rows); i++) {
        const struct key_row *row = &key_rows[i];
        struct receipt r = receipt_of(row->group);
        if (strstr(row->name, "account") != NULL)
            r.account = view_of("120262026111");
        ledger_init(&ledger, &r, view_of(row->key));
        failures += BROKEN(row->name,
                           ledger_has(&ledger, view_of(row->other)) ==
                                   row->has &&
                               ledger_is_past(&ledger, view_of(row->other)) ==
                                   row->past &&
                               !ledger_is_past(&ledger, view_of(row->key)));
    }
    assert_int_equal(failures, 0);
}

/* ---- windows ---- */

/* Days as letters: s p i sealed and so on, - missing, x expired, ! damaged,
 * h an hour at noon, w two days, b the day before the first. */
static const struct days_row {
    const char *name, *days;
    int64_t from, until;     /* days since D0 */
    uint64_t archived;
    int64_t margin;          /* at the day after the last; -1: none */
} days_rows[] = {
    {"nothing", "", 0, 0, 0, -1},
    {"one day", "s", 0, 1, 1, 29},
    {"three states", "spi", 0, 3, 3, 29},
    {"an hour begins nothing", "h", 0, 0, 0, -1},
    {"an hour ends nothing", "sh", 0, 1, 1, 28},
    {"two days in one", "sws", 0, 4, 3, 29},
    {"what comes again counts once", "sbs", 0, 2, 2, 28},
    {"missing days are the margin", "ss--ss", 0, 6, 4, 25},
    {"expired ones are not", "xxxs", 0, 4, 1, 29},
    {"damaged ones are, while they can be read", "s!ss", 0, 4, 3, 26},
    {"long gone", "ss---------------------------------ss", 0, 37, 4, 0},
};

static enum ledger_state state_of(char letter)
{
    return letter == 'p'   ? LEDGER_PROVISIONAL
           : letter == 'i' ? LEDGER_IMPORTED
           : letter == '-' ? LEDGER_MISSING
           : letter == 'x' ? LEDGER_EXPIRED
           : letter == '!' ? LEDGER_DAMAGED
                           : LEDGER_SEALED;
}

static void tell(const char *days, int64_t now_ms)
{
    struct receipt r = receipt_of("/g");
    int64_t day = D0;
    ledger_init(&ledger, &r, view_of("g/2026-01-01"));
    ledger.asked = LEDGER_THERE;
    ledger.retention_days = 30;
    for (const char *c = days; *c != '\0'; c++) {
        int64_t at = *c == 'b' ? D0 - 1 : day;
        struct ledger_day d = {
            .state = state_of(*c), .from_ms = DAY(at),
            .until_ms = DAY(*c == 'w' ? at + 2 : at + 1), .receipt = &r,
            .zone = zone_find(view_of("UTC")),
        };
        if (*c == 'h') {
            d.from_ms += DAY_MS / 2;
            d.until_ms = d.from_ms + 3600000;
        }
        (void)ledger_add(&ledger, &d, now_ms);
        day += *c == 'b' ? 0 : *c == 'w' ? 2 : 1;
    }
}

static bool days_hold(const struct days_row *row)
{
    int64_t margin = -1, now_ms = DAY(D0 + (int64_t)strlen(row->days)) + 5;
    if (strchr(row->days, 'w') != NULL)
        now_ms += DAY_MS;
    tell(row->days, now_ms);
    if (!ledger_margin(&ledger, now_ms, &margin))
        margin = -1;
    uint64_t archived = ledger.days[LEDGER_SEALED] +
                        ledger.days[LEDGER_PROVISIONAL] +
                        ledger.days[LEDGER_IMPORTED];
    bool none = row->until == 0;
    return row_number(ledger.from_ms, none ? 0 : DAY(D0 + row->from)) &&
           row_number(ledger.until_ms, none ? 0 : DAY(D0 + row->until)) &&
           row_number((int64_t)archived, (int64_t)row->archived) &&
           row_number(margin, row->margin);
}

static void days_add_up(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(days_rows); i++)
        failures += BROKEN(days_rows[i].name, days_hold(&days_rows[i]));
    assert_int_equal(failures, 0);
}

/* Group, account and region, all three. */
static void a_ledger_is_of_one_group(void **state)
{
    struct receipt r = receipt_of("/g"), group = r, account = r, region = r;
    (void)state;
    group.group = view_of("/h");
    account.account = view_of("444455556666");
    region.region = view_of("eu-west-1");
    ledger_init(&ledger, &r, view_of("g/2026-01-01"));
    assert_true(ledger_is_of(&ledger, &r));
    assert_false(ledger_is_of(&ledger, &group));
    assert_false(ledger_is_of(&ledger, &account));
    assert_false(ledger_is_of(&ledger, &region));
    assert_true(ledger_has(&ledger, view_of("g/2026-01-02")));
    assert_false(ledger_has(&ledger, view_of("g/")));
    r.account = view_of("");
    ledger_init(&ledger, &r, view_of("g/2026-01-01"));
    assert_true(ledger_has(&ledger, view_of("g/2026-01-02")));
}

/* From when on it can be read, by what CloudWatch Logs said of it. */
static void what_is_not_known_is_not_held(void **state)
{
    static const struct {
        enum ledger_asked asked;
        int64_t     days, readable_ms, margin;
        const char *remark;
    } asked[] = {
        {LEDGER_UNASKED, 30, INT64_MIN, -1, "\"reason\":null"},
        {LEDGER_THERE, 0, DAY(D0), -1, "\"reason\":null"},
        {LEDGER_THERE, 1, DAY(D0 + 1), 0, "\"retention_days\":1,"},
        {LEDGER_THERE, 2, DAY(D0), 1, "\"margin_days\":1}"},
        {LEDGER_GONE, 30, INT64_MAX, -1, "\"reason\":\"the log group is gone"},
        {LEDGER_ELSEWHERE, 30, INT64_MIN, -1, "of another region or account"},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(asked); i++) {
        int64_t margin = -1, now_ms = DAY(D0 + 2);
        tell("s", now_ms);
        ledger.asked = asked[i].asked;
        ledger.retention_days = asked[i].days;
        ledger.created_ms = DAY(D0);
        text_init(&out, bytes, sizeof bytes);
        ledger_group_line(&out, &ledger, now_ms);
        if (!ledger_margin(&ledger, now_ms, &margin))
            margin = -1;
        failures += BROKEN(asked[i].remark,
            row_number(ledger_readable_ms(&ledger, now_ms),
                       asked[i].readable_ms) &&
            row_number(margin, asked[i].margin) &&
            strstr(bytes, asked[i].remark) != NULL);
        text_init(&out, bytes, sizeof bytes);
        ledger_draw(&out, &ledger, now_ms);
        failures += BROKEN(asked[i].remark, !out.overflow &&
                           strstr(bytes, "\n  1 day: 1 sealed; 0 B in 0 B") !=
                               NULL);
    }
    assert_int_equal(failures, 0);
}

/* Two parts of one day: what is bad of it stays seen. */
static void a_bad_half_marks_its_day(void **state)
{
    static const struct {
        enum ledger_state first, second;
        bool verified;
        char cell;
    } halves[] = {
        {LEDGER_MISSING, LEDGER_SEALED, false, '-'},
        {LEDGER_EXPIRED, LEDGER_SEALED, false, 'x'},
        {LEDGER_DAMAGED, LEDGER_SEALED, false, '!'},
        {LEDGER_SEALED, LEDGER_EXPIRED, false, 'x'},
        {LEDGER_IMPORTED, LEDGER_IMPORTED, true, 'I'},
        {LEDGER_IMPORTED, LEDGER_IMPORTED, false, 'i'},
        {LEDGER_PROVISIONAL, LEDGER_PROVISIONAL, true, 'P'},
        {LEDGER_SEALED, LEDGER_SEALED, true, 'S'},
    };
    struct receipt r = receipt_of("/g");
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(halves); i++) {
        struct ledger_day d = {
            .state = halves[i].first, .from_ms = DAY(D0),
            .until_ms = DAY(D0) + DAY_MS / 2, .receipt = &r,
            .zone = zone_find(view_of("UTC")),
        };
        r.verified_ms = halves[i].verified ? DAY(D0) : 0;
        ledger_init(&ledger, &r, view_of("g/2026-01-01"));
        ledger_begin(&ledger, d.from_ms);
        (void)ledger_add(&ledger, &d, DAY(D0));
        d.state = halves[i].second;
        d.from_ms = d.until_ms;
        d.until_ms = DAY(D0 + 1);
        (void)ledger_add(&ledger, &d, DAY(D0));
        assert_int_equal(ledger.cell[0][0], halves[i].cell);
    }
}

/* A line says no more than is known: neither whose, nor when. */
static void a_line_leaves_out_what_is_not_known(void **state)
{
    struct ledger_day d = {
        .state = LEDGER_DAMAGED, .key = view_of("x"),
        .zone = zone_find(view_of("UTC")),
    };
    (void)state;
    tell("s", DAY(D0));
    text_init(&out, bytes, sizeof bytes);
    ledger_day_line(&out, NULL, &d, view_of("b"));
    assert_true(view_starts(text_view(&out), "{\"group\":null,\"day\":null,"
                            "\"from\":null,\"until\":null,"));
    assert_int_equal(ledger_add(&ledger, &d, DAY(D0)), 65);
    d.state = LEDGER_MISSING;
    assert_int_equal(ledger_add(&ledger, &d, DAY(D0)), 75);
    assert_int_equal(ledger.days[LEDGER_DAMAGED], 0);
    d.from_ms = DAY(D0);  /* an hour is no day */
    d.until_ms = d.from_ms + 3600000;
    text_init(&out, bytes, sizeof bytes);
    ledger_day_line(&out, &ledger, &d, view_of("b"));
    assert_true(view_starts(text_view(&out), "{\"group\":\"/g\",\"day\":null,"
                            "\"from\":\"2026-01-01T00:00:00.000Z\","));
    d.from_ms += 3600000;
    text_init(&out, bytes, sizeof bytes);
    d.until_ms = DAY(D0 + 1);
    ledger_day_line(&out, &ledger, &d, view_of("b"));
    assert_non_null(strstr(bytes, "\"day\":null,"));
}

/* ---- the calendar ---- */

/* An archive of long ago that comes after newer ones is counted alone. */
static void what_comes_before_the_calendar_is_counted(void **state)
{
    char days[1101];
    struct receipt r = receipt_of("/g");
    struct ledger_day d = {
        .state = LEDGER_SEALED, .receipt = &r, .from_ms = DAY(D0),
        .until_ms = DAY(D0 + 1101), .zone = zone_find(view_of("UTC")),
    };
    (void)state;
    memset(days, 's', sizeof days - 1);
    days[sizeof days - 1] = '\0';
    tell(days, DAY(D0 + 1100));
    uint64_t earlier = ledger.earlier;
    assert_int_equal(ledger_add(&ledger, &d, DAY(D0 + 1100)), 0);
    assert_true(ledger.earlier > earlier);
    assert_int_equal(ledger.until_ms, DAY(D0 + 1101));
}

static void a_long_calendar_forgets_its_beginning(void **state)
{
    char days[1201];
    (void)state;
    memset(days, 's', sizeof days - 1);
    days[sizeof days - 1] = '\0';
    memset(days + 100, '-', 7);
    memcpy(days + 1190, "pp-ppx!pip", 10);
    tell(days, DAY(D0 + 1200));
    text_init(&out, bytes, sizeof bytes);
    ledger_draw(&out, &ledger, DAY(D0 + 1200));
    text_char(&out, '\n');
    ledger_legend(&out);
    assert_false(out.overflow);
    assert_non_null(strstr(bytes, "/g  us-east-1  retention 30 days\n"
                           "  before   790 days, 7 of them not archived\n"
                           "  2028-03  sssssss"));
    assert_non_null(strstr(bytes, "\n  2029-04  ssss" "pp-ppx!pip\n"
                           "  1,200 days: 1,183 sealed, "));
    assert_non_null(strstr(bytes, "8 missing, 1 expired, 1 damaged; "));
    assert_non_null(strstr(bytes, "\n  margin: 22 days until CloudWatch "
                           "deletes 2029-04-07, which is not archived\n"));
}

static void a_hostile_window_does_no_harm(void **state)
{
    struct receipt r = receipt_of("/g");
    struct ledger_day d = {
        .state = LEDGER_SEALED, .receipt = &r, .from_ms = DAY(D0),
        .until_ms = DAY(2932896), .zone = zone_find(view_of("Asia/Seoul")),
        .key = view_of("\x01\xff\"\\"),
    };
    (void)state;
    ledger_init(&ledger, &r, view_of("g/2026-01-01"));
    ledger.asked = LEDGER_ELSEWHERE;
    d.from_ms -= 9 * 3600000;
    d.until_ms -= 9 * 3600000;
    assert_int_equal(ledger_add(&ledger, &d, DAY(D0)), 0);
    text_init(&out, bytes, sizeof bytes);
    ledger_draw(&out, &ledger, DAY(D0));
    ledger_day_line(&out, &ledger, &d, view_of("b"));
    ledger_group_line(&out, &ledger, DAY(D0));
    assert_false(out.overflow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_tell_whether_more_may_come),
        cmocka_unit_test(days_add_up),
        cmocka_unit_test(a_ledger_is_of_one_group),
        cmocka_unit_test(what_is_not_known_is_not_held),
        cmocka_unit_test(a_bad_half_marks_its_day),
        cmocka_unit_test(a_line_leaves_out_what_is_not_known),
        cmocka_unit_test(what_comes_before_the_calendar_is_counted),
        cmocka_unit_test(a_long_calendar_forgets_its_beginning),
        cmocka_unit_test(a_hostile_window_does_no_harm),
    };
    return RUN(tests);
}
