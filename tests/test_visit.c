/* test_visit.c - what a run does of a group, by what lies there of its days:
 * windows that adjoin those beside them, recounts, retention; and where it
 * ends when something is refused, or when it is stopped.
 * Method: days are letters (days_rig.h), yesterday's the last. */
#include "run_rig.h"
#define DAYS_BUCKET BUCKET
#include "days_rig.h"

#define KEEPS ",\"retention_days\":3,\"accept_provisional\":true"
#define OLD   ",\"backfill_days\":1"
#define LONG100 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG400 LONG100 LONG100 LONG100 LONG100

static void open_days(const char *letters, const char *more)
{
    open_world();
    days_stored_ms = (DAYS_TODAY - 16) * (int64_t)DAY_MS;
    days_put_all(model, "/g", letters);
    configure("\"/g\"", more);
    plans = false;
}

/* ---- a day's window, by those beside it ---- */

static const struct window {
    const char *name, *letters;
    int  day;             /* the one looked at, so many days ago */
    int  from, until;     /* of its archive, in half days before today; equal:
                             there is none */
} windows[] = {
    {"between two", "s-s", 2, 4, 2},
    {"behind two days in one: nothing is left", "w-", 1, 0, 0},
    {"behind half a day", "1-s", 2, 5, 2},
    {"behind two and a half", "v--", 1, 1, 0},
    {"before one that begins before it", "--c", 3, 6, 5},
    {"before one that begins where it ends", "--s", 3, 6, 4},
    {"behind one of five days", "l-", 1, 2, 0},
    {"before one of five days before", "-m", 2, 4, 2},
    {"beside another group's", "f-s", 2, 4, 2},
    {"beside another account's", "A-s", 2, 4, 2},
    {"beside another region's", "R-s", 2, 4, 2},
    {"beside some streams'", "P-s", 2, 4, 2},
    {"beside one without a window", "W-s", 2, 4, 2},
    {"beside a cut receipt", "x-s", 2, 4, 2},
    {"two days behind one, of which none is due", "s--", 1, 2, 0},
};

static bool window_holds(const struct window *w)
{
    char day[32];
    struct text t;
    struct receipt r;
    int64_t today_ms = DAYS_TODAY * (int64_t)DAY_MS;
    open_days(w->letters, strcmp(w->letters, "s--") == 0 ? OLD : "");
    int code = run_at(NOON);
    text_init(&t, day, sizeof day);
    text_str(&t, "g/dt=");
    date_day(&t, DAYS_TODAY - w->day);
    bool there = day_of(day, &r), wanted = w->from != w->until;
    bool holds = row_number(code, 0) && there == wanted &&
        (!there ||
         (row_number(r.from_ms, today_ms - w->from * (DAY_MS / 2)) &&
          row_number(r.until_ms, today_ms - w->until * (DAY_MS / 2))));
    close_world();
    return holds;
}

static void windows_adjoin_what_is_beside(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(windows); i++)
        broken += BROKEN(windows[i].name, window_holds(&windows[i]));
    assert_int_equal(broken, 0);
}

/* ---- a day to be recounted ---- */

static const struct stale {
    const char *name;
    char        letter;    /* of 18 days ago */
    bool        dry_run;
    const char *fault;
    int         code;
    uint32_t    recounted, archives, failures, faults;
} stales[] = {
    {"sealed already, and stored early", 's', false, NULL, 0, 0, 0, 0, 0},
    {"never settled", 'p', false, NULL, 0, 0, 0, 0, 0},
    {"not counted", 'U', false, NULL, 0, 0, 0, 0, 0},
    {"another group's", 'f', false, NULL, 0, 0, 0, 0, 0},
    {"of a zone that is none", 'Z', false, NULL, 0, 0, 0, 0, 0},
    {"of a zone too long", 'Y', false, NULL, 0, 0, 0, 0, 0},
    {"to be sealed, of a zone that is none", 'y', false, NULL, 0, 1, 1, 0, 0},
    {"imported", 'i', false, NULL, 0, 1, 1, 0, 0},
    {"to be sealed", 'q', false, NULL, 0, 1, 1, 0, 0},
    {"to be sealed, text", 'T', false, NULL, 0, 1, 1, 0, 0},
    {"to be sealed, zstd", 'z', false, NULL, 0, 1, 1, 0, 0},
    {"to be sealed, not packed", 'o', false, NULL, 0, 1, 1, 0, 0},
    {"dry", 'q', true, NULL, 0, 0, 1, 0, 0},
    {"its receipt is cut", 'x', false, NULL, 65, 0, 0, 1, 0},
    {"its receipt is gone", 'q', false,
     "GetObject #1 error=NoSuchKey status=404", 0, 1, 1, 0, 0},
    {"its receipt may not be read", 'q', false,
     "GetObject error=AccessDenied status=403", 77, 0, 0, 0, 1},
    {"its events may not be read", 'q', false,
     "FilterLogEvents error=AccessDeniedException status=400", 77, 0, 0, 1,
     0},
};

static bool stale_holds(const struct stale *s)
{
    char letters[19];
    memset(letters, '-', sizeof letters - 1);
    letters[0] = s->letter;
    letters[17] = 's';
    letters[18] = '\0';
    open_days(letters, OLD);
    assert_true(s->fault == NULL || aws_fault(model, s->fault));
    int code = run_for(NOON, s->dry_run, UINT64_MAX);
    close_world();
    return row_number(code, s->code) && job.recounted == s->recounted &&
           row_number(heard.archives, s->archives) &&
           row_number(heard.failures, s->failures) &&
           row_number(heard.faults, s->faults);
}

static void old_days_are_sealed(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(stales); i++)
        broken += BROKEN(stales[i].name, stale_holds(&stales[i]));
    assert_int_equal(broken, 0);
}

/* ---- what fails ---- */

static const struct failing {
    const char *name, *letters, *more, *fault;
    bool        dry_run;
    int         code;
    uint32_t    archives, failures, faults;
    const char *words;   /* of the last fault, or its code */
} failings[] = {
    {"receipts may not be listed", "--", "",
     "ListObjectsV2 error=AccessDenied status=403", false, 77, 0, 0, 1, ""},
    {"nor those beside be read", "s-", "",
     "GetObject error=AccessDenied status=403", false, 77, 0, 0, 1, ""},
    {"events may not be read: one day is enough", "--", "",
     "FilterLogEvents error=AccessDeniedException status=400", false, 77, 0,
     1, 0, ""},
    {"the network is gone: one is enough", "--", "",
     "FilterLogEvents reset", false, 69, 0, 1, 0, ""},
    {"the service fails: one is enough", "--", "",
     "FilterLogEvents error=InternalFailure status=500", false, 69, 0, 1, 0,
     ""},
    {"the group is gone: one is enough", "--", "",
     "FilterLogEvents error=ResourceNotFoundException status=400", false, 78,
     0, 1, 0, ""},
    {"retention is not asked for after a failure", "-ssssss", KEEPS,
     "FilterLogEvents error=AccessDeniedException status=400", false, 77, 0,
     1, 0, ""},
    {"retention would fail, dry", "uuuuuuu", KEEPS, NULL, true, 75, 0, 1, 0,
     "not verified"},
    {"retention may not be set", "sssssss", KEEPS,
     "PutRetentionPolicy error=AccessDeniedException status=400", false, 77,
     0, 1, 0, ""},
    {"what only a recount cures", "siissss", KEEPS, NULL, false, 75, 0, 1, 0,
     "not sealed"},
    {"what is of something else", "sfsssss", KEEPS, NULL, false, 65, 0, 1, 0,
     "of something else"},
    {"what cannot be read back", "suissss", KEEPS, NULL, false, 65, 0, 1, 0,
     "not verified"},
};

static bool failing_holds(const struct failing *f)
{
    open_days(f->letters, f->more);
    assert_true(f->fault == NULL || aws_fault(model, f->fault));
    int code = run_for(NOON, f->dry_run, UINT64_MAX);
    close_world();
    if (strstr(heard.words, f->words) == NULL)
        fprintf(stderr, "  said \"%s\"\n", heard.words);
    return row_number(code, f->code) &&
           row_number(heard.archives, f->archives) &&
           row_number(heard.failures, f->failures) &&
           row_number(heard.faults, f->faults) &&
           strstr(heard.words, f->words) != NULL;
}

static void what_fails_ends_where_it_must(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(failings); i++)
        broken += BROKEN(failings[i].name, failing_holds(&failings[i]));
    assert_int_equal(broken, 0);
}

/* Objects in the way of two days are of these days alone. */
static void another_day_may_do_better(void **state)
{
    (void)state;
    open_days("---", "");
    for (int day = 2; day < 4; day++) {
        char key[128], date[16];
        struct text t;
        text_init(&t, date, sizeof date);
        date_day(&t, DAYS_TODAY - day);
        (void)snprintf(key, sizeof key, ROOT "g/dt=%s/events.ndjson.gz", date);
        days_store(model, key, view_of("other"), "STANDARD");
    }
    assert_int_equal(run_at(NOON), 78);
    assert_int_equal(heard.failures, 2);
    assert_int_equal(heard.archives, 1);
    close_world();
}

static void a_key_that_does_not_fit_is_a_fault(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/" LONG400, NOON - 3 * (int64_t)DAY_MS);
    configure("{\"name\":\"/" LONG400 "\",\"to\":\"s3://acme-logs/{group}"
              "{group}{group}/{date}\"}", "");
    assert_int_equal(run_at(NOON), 64);
    assert_int_equal(heard.faults, 1);
    close_world();
}

/* Nor is retention asked for after that; and a group that cannot be read at
 * all fails once. */
static void what_failed_is_counted(void **state)
{
    (void)state;
    open_days("--", KEEPS);
    days_store(model, ROOT "g/dt=2026-11-08/events.ndjson.gz",
               view_of("other"), "STANDARD");
    assert_int_equal(run_at(NOON), 78);
    assert_int_equal(heard.retentions, 0);
    assert_int_equal(heard.failures, 1);
    close_world();
    open_days("--", "");
    aws_group_policy(model, "/g", "STANDARD", 30, false);
    assert_true(aws_fault(model, "FilterLogEvents status=400 "
                          "error=AccessDeniedException"));
    assert_int_equal(run_at(NOON), 77);
    assert_int_equal(job.margin_days, 27);  /* of the first, 2 days old */
    close_world();
    open_days("--", "");
    aws_group_policy(model, "/g", "INFREQUENT_ACCESS", 0, false);
    assert_int_equal(run_at(NOON), 78);
    assert_int_equal(heard.failures, 1);
    close_world();
}

/* What a run says of itself: days, and the least margin of its groups. */
static void a_run_is_told_in_a_line(void **state)
{
    char bytes[1024];
    struct text t;
    (void)state;
    open_days("ss-", "");
    days_put_all(model, "/h", "--");
    aws_group_policy(model, "/g", "STANDARD", 30, false);
    aws_group_policy(model, "/h", "STANDARD", 60, false);
    configure("\"/g\",\"/h\",\"/x\"", "");
    assert_int_equal(run_at(NOON), 78);
    text_init(&t, bytes, sizeof bytes);
    run_write(&t, &job);
    assert_true(row_text(&t, "2 groups: 3 days archived, 0 recounted, 1 "
                             "failed\n"));
    text_init(&t, bytes, sizeof bytes);
    run_metrics(&t, &job, view_of("f"), NOON);
    assert_non_null(strstr(bytes, "\"FirnMarginDays\":29}"));
    configure("\"/g\"", "");
    assert_int_equal(run_at(NOON), 0);
    text_init(&t, bytes, sizeof bytes);
    run_write(&t, &job);
    assert_true(row_text(&t, "1 group: 0 days archived, 0 recounted\n"));
    aws_group_policy(model, "/g", "STANDARD", 0, false);
    assert_int_equal(run_at(NOON), 0);
    text_init(&t, bytes, sizeof bytes);
    run_metrics(&t, &job, view_of("f"), NOON);
    assert_non_null(strstr(bytes, "\"FirnMarginDays\":3653}"));
    assert_int_equal(run_step(&job, (struct now){0}), FLOW_ENDED);
    close_world();
}

/* ---- what is read back ---- */

/* Whichever GetObject is refused, or finds nothing: retention is not set. */
static void a_receipt_not_had_sets_nothing(void **state)
{
    static const char *const errors[] = {"AccessDenied status=403",
                                         "NoSuchKey status=404"};
    char fault[80];
    (void)state;
    for (size_t e = 0; e < ROW_COUNT(errors); e++)
        for (int n = 1; n < 16; n++) {
            open_days("uuuuuuu", KEEPS);
            (void)snprintf(fault, sizeof fault, "GetObject #%d error=%s", n,
                           errors[e]);
            assert_true(aws_fault(model, fault));
            int code = run_at(NOON);
            assert_true(code != 0);
            assert_int_equal(asked("PutRetentionPolicy"), 0);
            close_world();
        }
}

/* Days that firn made, without having read them back: that is done, and then
 * retention is set. */
static void what_is_read_back_is_safe(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/g", NOON - 20 * (int64_t)DAY_MS);
    put_events("/g", NOON - 20 * (int64_t)DAY_MS, 3);
    configure("\"/g\"", "");
    assert_int_equal(run_at(NOON), 0);
    configure("\"/g\"", ",\"retention_days\":5,\"accept_provisional\":true");
    assert_int_equal(run_at(NOON), 0);
    assert_int_equal(asked("PutRetentionPolicy"), 1);
    assert_true(heard.verified > 0 && heard.retentions == 1);
    close_world();
}

/* ---- stopped ---- */

/* Wherever it is: it ends, with 75 until it is through, and the next run does
 * the rest. */
static void it_can_be_stopped_anywhere(void **state)
{
    static const struct {
        const char *letters, *more;
    } worlds[] = {
        {"s-s", ""}, {"uuuuuuu", KEEPS},
        {"q----------------s", OLD},
        {"sssssss", KEEPS},
    };
    (void)state;
    for (size_t w = 0; w < ROW_COUNT(worlds); w++)
        for (uint64_t stop = 0;; stop += 1 + stop / 150) {
            open_days(worlds[w].letters, worlds[w].more);
            int code = run_for(NOON, false, stop);
            bool over = code != 75;
            if (!over)
                assert_true(run_at(NOON) != 75);
            close_world();
            if (over)
                break;
            assert_true(stop < 100000);
        }
}

/* A visit that does not wait wakes at once. */
static void what_does_not_wait_wakes(void **state)
{
    (void)state;
    memset(&job, 0, sizeof job);
    job.visit.state = VISIT_CHOOSING;
    assert_int_equal(visit_wake_ms(&job.visit), INT64_MIN);
    job.visit.state = VISIT_DONE;
    assert_int_equal(visit_wake_ms(&job.visit), INT64_MIN);
    job.visit.stopped = true;
    assert_int_equal(visit_step(&job.visit, (struct now){0, 0}), FLOW_ENDED);
    assert_int_equal(job.visit.exit_code, 0);
    job.state = RUN_DONE;
    assert_int_equal(run_wake_ms(&job), INT64_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_adjoin_what_is_beside),
        cmocka_unit_test(old_days_are_sealed),
        cmocka_unit_test(what_fails_ends_where_it_must),
        cmocka_unit_test(another_day_may_do_better),
        cmocka_unit_test(what_failed_is_counted),
        cmocka_unit_test(a_run_is_told_in_a_line),
        cmocka_unit_test(a_key_that_does_not_fit_is_a_fault),
        cmocka_unit_test(a_receipt_not_had_sets_nothing),
        cmocka_unit_test(what_is_read_back_is_safe),
        cmocka_unit_test(it_can_be_stopped_anywhere),
        cmocka_unit_test(what_does_not_wait_wakes),
    };
    return RUN(tests);
}
