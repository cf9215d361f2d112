/* test_cat_days.c - intervals out of archives that firn made, in each form,
 * and of what is beside them; over the simulated AWS. */
#include "run_rig.h"
#define DAYS_BUCKET BUCKET
#include "days_rig.h"
#include "shelf.h"

#include "task/cat.h"

#define DAY_URL(group, day) "s3://" BUCKET "/" ROOT group "/dt=2026-11-" day

enum { STEPS_MOST = 1000000 };

static struct cat  cat;
static char        lines_bytes[65536], notes_bytes[8192];
static struct text lines, notes;

static void hear_notes(void)
{
    const struct cat_note *note = cat_note(&cat);
    if (note == NULL)
        return;
    text_put(&notes, note->thing);
    text_str(&notes, ": ");
    text_str(&notes, note->fault.what);
    text_str(&notes, note->fault.words);
    text_char(&notes, '\n');
}

static void begin(const struct cat_options *options)
{
    text_init(&lines, lines_bytes, sizeof lines_bytes);
    text_init(&notes, notes_bytes, sizeof notes_bytes);
    memset(&site, 0, sizeof site);
    sim_init(&network, model, run_seed++, NOON);
    sim_site(&site, &network, 1000, run_seed);
    cat_init(&cat, &site, options);
}

static enum flow go(void)
{
    for (int step = 0; step < STEPS_MOST; step++) {
        enum flow flow = cat_step(&cat, sim_now(&network));
        if (flow == FLOW_WANT_ROOM) {
            struct view v = ring_peek(&cat.out);
            text_put(&lines, v);
            ring_consume(&cat.out, v.len);
        }
        if (flow == FLOW_ENDED || flow == FLOW_WANT_INPUT)
            return flow;
        if (flow == FLOW_WANT_EVENT)
            assert_true(sim_advance(&network, cat_wake_ms(&cat)));
        else if (flow == FLOW_MOVED)  /* a note is told before it goes on */
            assert_int_equal(cat.noted ? cat_step(&cat, sim_now(&network))
                                       : FLOW_MOVED, FLOW_MOVED);
        hear_notes();
    }
    return FLOW_MOVED;
}

static void run_cat(const struct cat_options *options)
{
    begin(options);
    assert_int_equal(go(), FLOW_ENDED);
    assert_int_equal(cat_step(&cat, sim_now(&network)), FLOW_ENDED);
    assert_int_equal(cat_wake_ms(&cat), INT64_MAX);
    sim_kill(&network);
}

/* Three days of /g, ten events each, as the configuration says. */
static void open_archives(const char *more)
{
    open_world();
    aws_create_group(model, "/g", NOON - 3 * (int64_t)DAY_MS);
    for (int day = 3; day > 0; day--)
        put_events("/g", (DAYS_TODAY - day) * (int64_t)DAY_MS, 10);
    configure("\"/g\"", more);
    plans = false;
    assert_int_equal(run_at(NOON), 0);
}

/* ---- forms ---- */

static const struct form {
    const char *name, *more, *ext;
    bool json, escape;
} forms[] = {
    {"gzip", ",\"compress\":\"gzip\"", "ndjson.gz", false, false},
    {"zstd", ",\"compress\":\"zstd\"", "ndjson.zst", false, false},
    {"plain", ",\"compress\":\"none\"", "ndjson", false, false},
    {"text, gzip", ",\"format\":\"text\"", "log.gz", false, false},
    {"text, zstd", ",\"format\":\"text\",\"compress\":\"zstd\"", "log.zst",
     false, true},
    {"as JSON", ",\"compress\":\"gzip\"", "ndjson.gz", true, true},
};

static const struct hours {
    int      from_h, until_h;  /* hours of the day; -1: open */
    uint32_t events;
} parts[] = {
    {-1, -1, 10}, {0, 24, 10}, {2, 5, 3}, {-1, 3, 3}, {8, -1, 2}, {12, 20, 0},
};

static bool form_holds(const struct form *f)
{
    const int64_t day_ms = (DAYS_TODAY - 1) * (int64_t)DAY_MS;
    char url[256];
    const char *urls[] = {url};
    bool holds = true;
    (void)snprintf(url, sizeof url, DAY_URL("g", "08") "/events.%s", f->ext);
    open_archives(f->more);
    for (size_t i = 0; i < ROW_COUNT(parts); i++) {
        const struct hours *p = &parts[i];
        const struct cat_options options = {
            .urls = urls, .url_count = 1, .json = f->json,
            .escape = f->escape,
            .want.from_ms = p->from_h < 0 ? INT64_MIN
                                          : day_ms + p->from_h * HOUR,
            .want.until_ms = p->until_h < 0 ? INT64_MAX
                                            : day_ms + p->until_h * HOUR,
        };
        run_cat(&options);
        holds = holds && row_number(cat.exit_code, 0) &&
                row_number(row_times(lines.at, "event "), p->events);
    }
    close_world();
    return holds;
}

static void intervals_come_out_of_each_form(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(forms); i++)
        broken += BROKEN(forms[i].name, form_holds(&forms[i]));
    assert_int_equal(broken, 0);
}

/* ---- what is beside them ---- */

static const struct beside {
    const char *name, *urls[2], *letters;  /* of /d, yesterday's the last */
    uint32_t    events;
    int         exit_code;
    const char *notes;
} besides[] = {
    {"a day is missing between",
     {DAY_URL("g", "06") "/events.ndjson.gz",
      DAY_URL("g", "08") "/events.ndjson.gz"}, "-", 20, 65, "2026-11-07"},
    {"the days turned round",
     {DAY_URL("g", "08") "/events.ndjson.gz",
      DAY_URL("g", "07") "/events.ndjson.gz"}, "-", 20, 65,
     "its window begins before that of the object before it ends"},
    {"another group's day, when the first was not whole",
     {DAY_URL("g", "07") "/events.ndjson.gz",
      DAY_URL("d", "08") "/events.ndjson.gz"}, "q", 10, 65, ""},
    {"a receipt of no window",
     {DAY_URL("g", "08") "/events.ndjson.gz",
      DAY_URL("d", "08") "/events.ndjson.gz"}, "W", 10, 65,
     "is not in these archives"},
    {"one that was not counted",
     {DAY_URL("g", "08") "/events.ndjson.gz",
      DAY_URL("d", "08") "/events.ndjson.gz"}, "U", 10, 65, ""},
    {"one of an object that is gone",
     {DAY_URL("g", "08") "/events.ndjson.gz",
      DAY_URL("d", "08") "/events.ndjson.gz"}, "!", 10, 65,
     "is not in these archives"},
};

static bool beside_holds(const struct beside *b)
{
    const struct cat_options options = {
        .urls = b->urls, .url_count = 2,
        .want.from_ms = (DAYS_TODAY - 3) * (int64_t)DAY_MS,
        .want.until_ms = DAYS_TODAY * (int64_t)DAY_MS,
    };
    open_archives("");
    days_put_all(model, "/d", b->letters);
    run_cat(&options);
    close_world();
    return row_number(cat.exit_code, b->exit_code) &&
           row_number(row_times(lines.at, "event "), b->events) &&
           row_has(notes.at, b->notes);
}

static void what_is_beside_is_told(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(besides); i++)
        broken += BROKEN(besides[i].name, beside_holds(&besides[i]));
    assert_int_equal(broken, 0);
}

/* ---- fed, and at an end ---- */

static void urls_can_be_fed(void **state)
{
    const struct cat_options options = {
        .fed = true, .want = {.from_ms = INT64_MIN, .until_ms = INT64_MAX},
    };
    (void)state;
    open_archives("");
    begin(&options);
    assert_int_equal(go(), FLOW_WANT_INPUT);
    cat_feed(&cat, DAY_URL("g", "08") "/events.ndjson.gz");
    assert_int_equal(go(), FLOW_WANT_INPUT);
    assert_int_equal(row_times(lines.at, "event "), 10);
    cat_feed(&cat, NULL);
    assert_int_equal(go(), FLOW_ENDED);
    sim_kill(&network);
    close_world();
}

static void a_deadline_ends_it(void **state)
{
    static const char *const urls[] = {
        DAY_URL("g", "07") "/events.ndjson.gz",
        DAY_URL("g", "08") "/events.ndjson.gz",
    };
    const struct cat_options options = {
        .urls = urls, .url_count = 2,
        .want = {.from_ms = INT64_MIN, .until_ms = INT64_MAX},
    };
    (void)state;
    open_archives("");
    assert_true(aws_fault(model, "GetObject hang"));
    begin(&options);
    site.deadline_mono_ms = sim_now(&network).mono_ms + 2000;
    assert_int_equal(go(), FLOW_ENDED);
    assert_int_equal(cat.exit_code, 75);
    assert_int_equal(lines.len, 0);
    sim_kill(&network);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_come_out_of_each_form),
        cmocka_unit_test(what_is_beside_is_told),
        cmocka_unit_test(urls_can_be_fed),
        cmocka_unit_test(a_deadline_ends_it),
    };
    return RUN(tests);
}
