/* test_adopt.c - an object of others becomes a day, and what becomes of it.
 * Method: whole jobs over the simulated AWS (archive_rig.h). Rows of objects
 * with what must be said of them; then archive comes for the same day, at
 * once and after two weeks. Each request is faulted: there is a whole receipt
 * or none. */
#include "archive_rig.h"
#include "packed.h"
#include "task/adopt.h"

#define NOW   (DAY_FROM + DAY_MS + HOUR_MS)
#define LATER (DAY_FROM + 15 * (int64_t)DAY_MS + HOUR_MS)
#define KEY   "old/09.gz"
#define NOTE  "old/_09.gz.receipt.json"
#define T(time)  "2026-11-09T" time ".000Z "
#define J(time, m) "{\"timestamp\":\"2026-11-09T" time ".000Z\"," \
                   "\"stream\":\"s\",\"message\":\"" m "\"}\n"

static struct adopt   adopt;
static struct packed  object;

static enum flow run_adopt(int64_t wall_ms)
{
    memset(&site, 0, sizeof site);
    sim_init(&network, model, job_seed++, wall_ms);
    sim_site(&site, &network, 20, job_seed);
    adopt_init(&adopt, &site, &spec);
    for (uint32_t spins = 0;;) {
        enum flow flow = adopt_step(&adopt, sim_now(&network));
        if (flow == FLOW_ENDED || flow == FLOW_FAILED) {
            sim_kill(&network);
            return flow;
        }
        if (flow == FLOW_MOVED)
            continue;
        int64_t wake = adopt_wake_ms(&adopt);
        spins = wake <= network.mono_ms ? spins + 1 : 0;
        assert_true(spins < SPINS_MOST);
        assert_true(sim_advance(&network, wake));
    }
}

static void put_object(const char *key)
{
    aws_add_object(model, "sim-bucket", key,
                   (struct aws_text){(const char *)object.at, object.len},
                   NOW - HOUR_MS);
    strcpy(spec.key, key);
}

static void put_gzip(const char *key, const char *lines)
{
    object.len = 0;
    packed_stored(&object, 0, 0, lines);
    put_object(key);
}

static bool is_tidy_at(const char *key, const char *note)
{
    return is_there(key) && is_there(note) &&
           aws_open_uploads(model, "sim-bucket") == 0;
}

static struct receipt receipt_at(const char *key)
{
    static char strings_room[RECEIPT_STRINGS_BYTES];
    static uint8_t bytes[RECEIPT_BYTES];
    struct receipt r;
    struct text strings;
    struct fault fault = {0};
    size_t len = aws_object_bytes(model, "sim-bucket", key, 0, bytes,
                                  sizeof bytes);
    text_init(&strings, strings_room, sizeof strings_room);
    assert_true(receipt_read(&r, (struct view){bytes, (uint32_t)len},
                             &strings, &fault));
    return r;
}

/* --- what is read -------------------------------------------------------- */

enum packing { PLAIN, GZIP, TWO, ZSTD };

static const struct row {
    const char *name, *key, *in;
    enum packing   pack;
    enum error  error;     /* ERROR_NONE: adopted */
    const char *words;     /* of the fault, or the reason */
    uint64_t    events;
    const char *format, *compression;
} rows[] = {
    {"an export's lines", KEY, T("00:00:01") "one\n" T("00:00:02") "two\n",
     GZIP, ERROR_NONE, "", 2, "text", "gzip"},
    {"two members, a record across them", KEY, T("00:00:01") "one\nmore\n"
     T("00:00:02") "two\n", TWO, ERROR_NONE, "", 2, "text", "gzip"},
    {"not in order", KEY, T("00:00:02") "two\n" T("00:00:01") "one\n", GZIP,
     ERROR_NONE, "", 2, "text", "gzip"},
    {"ndjson, plain", "old/x", J("00:00:01", "one") J("00:00:02", "two"),
     PLAIN, ERROR_NONE, "", 2, "ndjson", "none"},
    {"zstd, by its magic", "old/x", J("00:00:01", "one"), ZSTD, ERROR_NONE,
     "", 1, "ndjson", "zstd"},
    {"gzip, by its magic", "old/x", T("00:00:01") "one\n", GZIP, ERROR_NONE,
     "", 1, "text", "gzip"},
    {"events outside the window", KEY, "2026-11-08T23:59:59.999Z a\n"
     T("00:00:00") "b\n" "2026-11-10T00:00:00.000Z c\n", GZIP, ERROR_NONE,
     "events outside the window: 2", 1, "text", "gzip"},
    {"lines of no record", KEY, "x\ny\n" T("00:00:01") "one\n", GZIP,
     ERROR_NONE, "lines of no event: 2, from line 1", 1, "text", "gzip"},
    {"both", "old/x", J("00:00:01", "one") "x\n"
     "{\"timestamp\":\"2026-11-10T00:00:00.000Z\",\"message\":\"\"}\n", PLAIN,
     ERROR_NONE, "events outside the window: 1; lines of no event: 1, "
     "from line 2", 1, "ndjson", "none"},
    {"an empty day", KEY, "", GZIP, ERROR_NONE, "", 0, "", "gzip"},
    {"no bytes at all", "old/x", "", PLAIN, ERROR_NONE, "", 0, "", "none"},
    {"no bytes at all in .gz", KEY, "", PLAIN, ERROR_CORRUPT, "at byte 0", 0,
     NULL, NULL},
    {"a .gz that is none", KEY, T("00:00:01") "one\n", PLAIN, ERROR_CORRUPT,
     "at byte 0", 0, NULL, NULL},
    {"a .zst that is gzip", "old/x.zst", T("00:00:01") "one\n", GZIP,
     ERROR_CORRUPT, "at byte 0", 0, NULL, NULL},
    {"no record", "old/x", "time,message\n1,one\n", PLAIN, ERROR_CORRUPT,
     "no line of s3://sim-bucket/old/x is an event", 0, NULL, NULL},
    {"another day", KEY, "2026-11-08T00:00:00.000Z one\n", GZIP, ERROR_CONFIG,
     "no event of s3://sim-bucket/old/09.gz is in the window", 0, NULL, NULL},
};

static void make(const struct row *row)
{
    struct view v = view_of(row->in);
    uint32_t half = v.len / 2;
    char first[512] = "";

    object.len = 0;
    switch (row->pack) {
    case PLAIN: packed_put(&object, v.at, v.len); break;
    case GZIP:  packed_stored(&object, 0, 0, row->in); break;
    case ZSTD:  packed_frame(&object, v, 17, true); break;
    case TWO:
        memcpy(first, row->in, half);
        packed_stored(&object, 0, 0, first);
        packed_stored(&object, 0, 0, row->in + half);
        break;
    }
    put_object(row->key);
}

static bool says(const struct row *row, const struct receipt *r)
{
    struct aws_object_info info;
    bool there = aws_object(model, "sim-bucket", row->key, &info);
    return there && r->state == RECEIPT_IMPORTED &&
           view_is(r->via, "import") && view_is(r->key, row->key) &&
           r->etag.len == info.etag.len + 2 && r->bytes_stored == info.size &&
           memcmp(r->etag.at + 1, info.etag.at, info.etag.len) == 0 &&
           r->has_crc && r->crc64nvme_confirmed &&
           r->crc64nvme == info.crc64 && !r->has_settled && r->counted &&
           row_number((int64_t)r->tally.events, (int64_t)row->events) &&
           r->bytes_raw == view_of(row->in).len &&
           view_is(r->format, row->format) &&
           view_is(r->compression, row->compression) &&
           view_is(r->account, "111122223333") &&
           view_is(r->group, GROUP) && r->stream_prefix.len == 0 &&
           r->from_ms == DAY_FROM && r->until_ms == DAY_FROM + DAY_MS &&
           view_is(r->reason, row->words) &&
           row_string(adopt.result.reason, row->words) &&
           strcmp(adopt.result.action, "adopted") == 0;
}

static bool holds(const struct row *row)
{
    char note[64];
    struct text t;

    text_init(&t, note, sizeof note);
    receipt_key(&t, view_of(row->key), "receipt");
    make(row);
    const char *before = name_of(row->key);
    enum flow flow = run_adopt(NOW);
    if (strcmp(name_of(row->key), before) != 0)
        return false;
    if (row->error != ERROR_NONE)
        return flow == FLOW_FAILED && adopt.fault.error == row->error &&
               view_has(view_of(adopt.fault.words), row->words) &&
               !is_there(note);
    struct receipt r = {0};
    if (flow == FLOW_ENDED && is_there(note))
        r = receipt_at(note);
    return flow == FLOW_ENDED && says(row, &r);
}

static void what_is_adopted(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        open_world();
        bool ok = holds(&rows[i]);
        if (!ok)
            fprintf(stderr, "  %s; fault: %s %s\n", adopt.result.reason,
                    adopt.fault.what, adopt.fault.words);
        failures += BROKEN(rows[i].name, ok);
        close_world();
    }
    assert_int_equal(failures, 0);
}

/* Cut anywhere, or with any byte turned: nothing is written. */
static void damage_is_refused(void **state)
{
    (void)state;
    open_world();
    put_gzip(KEY, T("00:00:01") "one\n" T("00:00:02") "two\n");
    const uint32_t whole = object.len;
    for (uint32_t len = 0; len < whole; len++) {
        object.len = len;
        put_object(KEY);
        assert_int_equal(run_adopt(NOW), FLOW_FAILED);
        assert_int_equal(adopt.fault.error, ERROR_CORRUPT);
        assert_true(view_has(view_of(adopt.fault.words), "at byte "));
        assert_false(is_there(NOTE));
    }
    object.len = whole;
    for (uint32_t at = 18; at < whole; at++) {  /* behind free header bytes */
        object.at[at] ^= 1;
        put_object(KEY);
        assert_int_equal(run_adopt(NOW), FLOW_FAILED);
        assert_int_equal(adopt.fault.error, ERROR_CORRUPT);
        assert_false(is_there(NOTE));
        object.at[at] ^= 1;
    }
    close_world();
}

static void trailing_bytes_are_said(void **state)
{
    (void)state;
    open_world();
    put_gzip(KEY, T("00:00:01") "one\n");
    packed_put(&object, "\0\0\0rest", 7);
    put_object(KEY);
    assert_int_equal(run_adopt(NOW), FLOW_ENDED);
    assert_string_equal(adopt.result.reason, "no data from byte 52");
    close_world();
}

/* --- what is there already ------------------------------------------------ */

static void again(void **state)
{
    (void)state;
    open_world();
    put_gzip(KEY, T("00:00:01") "one\n");
    spec.dry_run = true;
    assert_int_equal(run_adopt(NOW), FLOW_ENDED);
    assert_string_equal(adopt.result.action, "would adopt");
    assert_false(is_there(NOTE));
    spec.dry_run = false;
    assert_int_equal(run_adopt(NOW), FLOW_ENDED);
    const char *note = name_of(NOTE);
    assert_int_equal(run_adopt(NOW + 1000), FLOW_ENDED);
    assert_string_equal(adopt.result.action, "skipped");
    assert_string_equal(name_of(NOTE), note);
    spec.if_exists = EXISTS_FAIL;
    assert_int_equal(run_adopt(NOW), FLOW_FAILED);
    assert_int_equal(adopt.fault.error, ERROR_CONFIG);
    spec.if_exists = EXISTS_SKIP;
    spec.until_ms -= HOUR_MS;  /* another window */
    assert_int_equal(run_adopt(NOW), FLOW_FAILED);
    assert_int_equal(adopt.fault.error, ERROR_CONFIG);
    assert_true(view_has(view_of(adopt.fault.words), "--if-exists replace"));
    assert_string_equal(name_of(NOTE), note);
    spec.if_exists = EXISTS_REPLACE;
    assert_int_equal(run_adopt(NOW + 2000), FLOW_ENDED);
    assert_string_equal(adopt.result.action, "adopted");
    assert_string_not_equal(name_of(NOTE), note);
    assert_true(receipt_at(NOTE).until_ms == spec.until_ms);
    put_gzip(KEY, T("00:00:01") "two\n");  /* the object is another one */
    spec.if_exists = EXISTS_SKIP;
    assert_int_equal(run_adopt(NOW + 3000), FLOW_FAILED);
    assert_int_equal(adopt.fault.error, ERROR_CONFIG);
    spec.if_exists = EXISTS_REPLACE;
    assert_int_equal(run_adopt(NOW + 3000), FLOW_ENDED);
    close_world();
}

static void what_is_not_there(void **state)
{
    (void)state;
    open_world();
    strcpy(spec.key, KEY);
    assert_int_equal(run_adopt(NOW), FLOW_FAILED);
    assert_int_equal(adopt.fault.error, ERROR_MISSING);
    strcpy(spec.group, "/sim/grup");
    assert_int_equal(run_adopt(NOW), FLOW_FAILED);
    assert_int_equal(adopt.fault.error, ERROR_CONFIG);
    assert_true(view_has(view_of(adopt.fault.words), GROUP));
    close_world();
}

/* --- archive, later ------------------------------------------------------- */

/* The day as CloudWatch exports it, with `extra` behind it. */
static void put_export(const char *key, const char *extra)
{
    static char lines[4096];
    struct text t;

    text_init(&t, lines, sizeof lines);
    for (int i = 0; i < 20; i++) {
        date_rfc3339(&t, DAY_FROM + i * (int64_t)HOUR_MS);
        text_str(&t, " event ");
        text_u64(&t, (uint64_t)i);
        text_char(&t, '\n');
    }
    text_str(&t, extra);
    put_day();
    put_gzip(key, lines);
}

static void nothing(void) {}
static void more(void)
{
    put_event("even", DAY_FROM + 7, NOW + HOUR_MS, "late");
}
static void less(void) { aws_delete_stream(model, GROUP, "odd"); }
static void recreated(void)
{
    aws_delete_group(model, GROUP);
    aws_create_group(model, GROUP, NOW + HOUR_MS);
    put_day();
}
static void short_of_time(void)
{
    aws_group_policy(model, GROUP, "STANDARD", 14, false);
}

static const struct sequel {
    const char *name, *extra;
    void      (*between)(void);
    const char *action;      /* NULL: refused, exit 65 */
    const char *reason;      /* part of it */
    enum receipt_state state;
} sequels[] = {
    {"the same", "", nothing, "sealed", "", RECEIPT_SEALED},
    {"the same, and others outside", "2026-11-10T00:00:00.000Z x\n", nothing,
     "sealed", "events outside the window: 1", RECEIPT_SEALED},
    {"CloudWatch has more", "", more, NULL,
     "found 21 events instead of 20", RECEIPT_IMPORTED},
    {"CloudWatch has less", "", less, NULL,
     "found 10 events instead of 20", RECEIPT_IMPORTED},
    {"the object has more", T("05:00:00") "x\n", nothing, NULL,
     "found 20 events instead of 21", RECEIPT_IMPORTED},
    {"a message differs", "more of the last one\n", nothing, NULL,
     "found 20 events instead of 20, or other ones", RECEIPT_IMPORTED},
    {"the group was made again", "", recreated, NULL,
     "the log group was created after", RECEIPT_IMPORTED},
    {"CloudWatch deletes it already", "", short_of_time, "skipped",
     "it cannot be recounted", RECEIPT_IMPORTED},
};

static bool follows(const struct sequel *s)
{
    put_export(KEY, s->extra);
    if (run_adopt(NOW) != FLOW_ENDED)
        return false;
    const char *object_name = name_of(KEY), *note = name_of(NOTE);
    bool soon = run_job(NOW + 1000) == FLOW_ENDED && action_is("skipped") &&
                strcmp(job.result.state, "imported") == 0 &&
                strcmp(name_of(NOTE), note) == 0;
    s->between();
    for (int i = 0; i < 2 && soon; i++) {
        bool ended = run_job(LATER + i * (int64_t)DAY_MS) == FLOW_ENDED;
        const char *action = i > 0 ? "skipped" : s->action;
        struct receipt r = receipt_at(NOTE);
        struct view said = ended ? view_of(job.result.reason)
                                 : view_of(job.fault.words);
        soon = ended == (action != NULL) && r.state == s->state &&
               (!ended || action_is(action)) &&
               (ended || job.fault.error == ERROR_CORRUPT) &&
               view_has(said, s->reason) && view_is(r.via, "import") &&
               (s->action != NULL || view_has(r.reason, s->reason)) &&
               strcmp(name_of(KEY), object_name) == 0 &&
               is_tidy_at(KEY, NOTE);
    }
    return soon;
}

static void what_becomes_of_it(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(sequels); i++) {
        open_world();
        bool ok = follows(&sequels[i]);
        if (!ok)
            fprintf(stderr, "  %s (%s) %s\n", job.result.action,
                    job.result.reason, job.fault.words);
        failures += BROKEN(sequels[i].name, ok);
        close_world();
    }
    assert_int_equal(failures, 0);
}

/* As an export's lines, beside where archive would put ndjson. */
static void another_form_is_that_day(void **state)
{
    (void)state;
    open_world();
    put_export("events.log.gz", "");
    assert_int_equal(run_adopt(NOW), FLOW_ENDED);
    strcpy(spec.key, "events.{ext}");
    assert_int_equal(run_job(NOW + 1000), FLOW_ENDED);
    assert_true(action_is("skipped"));
    assert_int_equal(run_job(LATER), FLOW_ENDED);
    assert_true(action_is("sealed"));
    assert_true(is_there("events.log.gz") && !is_there(OBJECT));
    spec.if_exists = EXISTS_REPLACE;
    assert_int_equal(run_job(LATER), FLOW_ENDED);
    assert_true(action_is("archived"));
    assert_true(is_there("events.log.gz") && is_there(OBJECT));
    assert_true(view_is(receipt_there().key, OBJECT));
    spec.if_exists = EXISTS_SKIP;
    assert_int_equal(run_job(LATER), FLOW_ENDED);
    assert_true(action_is("skipped"));
    assert_true(aws_delete_object(model, "sim-bucket", OBJECT, LATER));
    assert_int_equal(run_job(LATER), FLOW_FAILED);  /* it is gone */
    assert_int_equal(job.fault.error, ERROR_CORRUPT);
    close_world();
}

/* Never by itself, but when asked. */
static void replaced_when_asked(void **state)
{
    (void)state;
    open_world();
    put_export(KEY, "");
    assert_int_equal(run_adopt(NOW), FLOW_ENDED);
    more();
    spec.if_exists = EXISTS_REPLACE;
    assert_int_equal(run_job(LATER), FLOW_ENDED);
    assert_true(action_is("archived"));
    assert_int_equal(receipt_at(NOTE).state, RECEIPT_SEALED);
    assert_int_equal(receipt_at(NOTE).tally.events, 21);
    close_world();
}

/* --- faults --------------------------------------------------------------- */

static void every_request_faulted(void **state)
{
    static const char *const manners[] = {"lost", "reset", "cut=?",
        "error=InternalError status=500", "error=AccessDenied status=403"};
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(manners); i++)
        for (uint32_t nth = 1; nth <= 6; nth++) {
            char line[128];
            open_world();
            put_export(KEY, "");
            (void)snprintf(line, sizeof line, "* #%u %s", nth, manners[i]);
            assert_true(aws_fault(model, line));
            enum flow flow = run_adopt(NOW);
            bool ok = (flow == FLOW_ENDED) == is_there(NOTE) &&
                      (flow == FLOW_ENDED || i == 4);
            aws_clear_faults(model);
            ok = ok && run_adopt(NOW + HOUR_MS) == FLOW_ENDED &&
                 receipt_at(NOTE).tally.events == 20;
            if (!ok)
                fprintf(stderr, "  %s: %s %s\n", adopt.result.action,
                        adopt.fault.code, adopt.fault.words);
            failures += BROKEN(line, ok);
            close_world();
        }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_adopted),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(trailing_bytes_are_said),
        cmocka_unit_test(again),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(what_becomes_of_it),
        cmocka_unit_test(another_form_is_that_day),
        cmocka_unit_test(replaced_when_asked),
        cmocka_unit_test(every_request_faulted),
    };
    return RUN(tests);
}
