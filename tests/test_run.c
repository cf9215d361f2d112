/* test_run.c - what is due is done, once, for every group of a configuration.
 * Method: runs at chosen instants against the simulated AWS; what they leave
 * in S3, what they asked for and what they said. */
#include "run_rig.h"

#define DAYS(n) ((n) * (int64_t)DAY_MS)

static void the_first_run_fills_and_the_second_only_lists(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/ecs/api", NOON - DAYS(40));
    put_events("/ecs/api", NOON - DAYS(5), 100);
    configure("\"/ecs/api\"", ",\"backfill_days\":6");
    assert_int_equal(run_at(NOON), 0);
    assert_int_equal(job.archived, 6);
    assert_int_equal(object_count(), 12);
    assert_string_equal(state_of("ecs/api/dt=2026-11-08"), "provisional");
    assert_string_equal(state_of("ecs/api/dt=2026-11-03"), "provisional");
    assert_string_equal(state_of("ecs/api/dt=2026-11-02"), "");
    uint64_t lists = asked("ListObjectsV2"), all = asked("*");
    assert_int_equal(run_at(NOON + HOUR), 0);
    assert_int_equal(asked("ListObjectsV2") - lists, 1);
    assert_int_equal(asked("*") - all, 2);  /* and DescribeLogGroups */
    assert_int_equal(heard.archives, 0);
    assert_int_equal(run_at(NOON + DAYS(1)), 0);
    assert_int_equal(job.archived, 1);
    close_world();
}

static const struct due {
    const char *name, *more;
    int64_t     created_days, retention;
    uint32_t    archived;
    int         code;
} dues[] = {
    {"thirty days are the default", "", 40, 0, 30, 0},
    {"not before since", ",\"since\":\"2026-11-05\"", 40, 0, 4, 0},
    {"nothing before since", ",\"since\":\"2026-11-09\"", 40, 0, 0, 0},
    {"not before the group", "", 3, 0, 3, 0},
    {"not what has begun to expire", "", 40, 7, 6, 0},
    {"the day of an age", ",\"age_days\":3,\"backfill_days\":0", 40, 0, 1, 0},
    {"and back from it", ",\"age_days\":3,\"backfill_days\":5", 40, 0, 3, 0},
    {"thirteen of fourteen days", ",\"age_days\":13,\"retention_days\":14,"
     "\"accept_provisional\":true", 40, 14, 1, 0},
    {"an age that has expired is said", ",\"age_days\":9", 40, 7, 0, 65},
};

static void due_is_what_can_be_had(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(dues); i++) {
        const struct due *d = &dues[i];
        open_world();
        aws_create_group(model, "/a", NOON - DAYS(d->created_days));
        aws_group_policy(model, "/a", "STANDARD", (int)d->retention, false);
        configure("\"/a\"", d->more);
        int code = run_at(NOON);
        broken += BROKEN(d->name, row_number(code, d->code) &&
                                      row_number(heard.archives,
                                                 d->archived));
        close_world();
    }
    assert_int_equal(broken, 0);
}

/* A receipt written past the horizon has been recounted. */
static void a_provisional_day_is_sealed_once(void **state)
{
    struct receipt r;
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(1));
    put_events("/a", NOON - DAYS(1), 10);
    put_events("/a", NOON, 11);
    configure("\"/a\"", "");
    for (int day = 0; day <= 14; day++)
        assert_int_equal(run_at(NOON + DAYS(day)), 0);
    assert_string_equal(state_of("a/dt=2026-11-08"), "sealed");
    assert_string_equal(state_of("a/dt=2026-11-09"), "provisional");
    assert_int_equal(job.recounted, 1);
    uint64_t gets = asked("GetObject");
    assert_int_equal(run_at(NOON + DAYS(14) + HOUR), 0);
    assert_int_equal(asked("GetObject"), gets);
    /* An event that came late: archived again, and sealed. */
    aws_put_event(model, "/a", "late", NOON + HOUR, NOON + DAYS(9),
                  (struct aws_text){"late", 4});
    assert_int_equal(run_at(NOON + DAYS(15)), 0);
    assert_true(day_of("a/dt=2026-11-09", &r));
    assert_int_equal(r.state, RECEIPT_SEALED);
    assert_int_equal(r.tally.events, 12);
    close_world();
}

static void what_was_left_alone_for_long_is_sealed_too(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(5));
    put_events("/a", NOON - DAYS(5), 100);
    configure("\"/a\"", "");
    assert_int_equal(run_at(NOON), 0);
    assert_int_equal(run_at(NOON + DAYS(100)), 0);
    assert_int_equal(job.recounted, 5);
    assert_int_equal(job.archived, 30);
    assert_string_equal(state_of("a/dt=2026-11-05"), "sealed");
    assert_string_equal(state_of("a/dt=2027-02-16"), "provisional");
    assert_string_equal(state_of("a/dt=2026-12-20"), "");
    close_world();
}

static void one_that_fails_does_not_stop_the_others(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(2));
    aws_create_group(model, "/c", NOON - DAYS(2));
    configure("\"/a\",\"/b\",\"/c\"", "");
    assert_int_equal(run_at(NOON), 78);
    assert_int_equal(heard.faults, 1);
    assert_non_null(strstr(heard.words, "no log group \"/b\""));
    assert_int_equal(job.archived, 4);
    assert_int_equal(job.groups, 2);
    close_world();
}

/* An object that is nobody's is in the way of its day alone. */
static void a_day_that_fails_does_not_stop_the_others(void **state)
{
    struct aws_object_info info;
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(4));
    configure("\"/a\"", "");
    assert_int_equal(run_at(NOON), 0);
    assert_true(aws_delete_object(model, BUCKET, ROOT
                                  "a/dt=2026-11-06/_events.receipt.json",
                                  NOON));
    assert_int_equal(run_at(NOON + DAYS(1)), 78);
    assert_int_equal(job.archived, 1);
    assert_int_equal(job.failed, 1);
    assert_true(aws_object(model, BUCKET, ROOT
                           "a/dt=2026-11-06/events.ndjson.gz", &info));
    close_world();
}

static void patterns_find_all_of_their_groups(void **state)
{
    char name[32];
    (void)state;
    open_world();
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "/p/%02d%s", i,
                       i % 4 == 0 ? "-tmp" : "");
        aws_create_group(model, name, NOON - DAYS(1));
    }
    aws_create_group(model, "/q", NOON - DAYS(1));
    configure("\"/p/*\",{\"name\":\"/p/07\",\"format\":\"text\"}",
              ",\"exclude\":[\"*-tmp\"]");
    assert_int_equal(run_at(NOON), 0);
    assert_int_equal(job.groups, 30);
    assert_int_equal(job.archived, 30);
    struct aws_object_info info;
    assert_true(aws_object(model, BUCKET,
                           ROOT "p/07/dt=2026-11-08/events.log.gz", &info));
    assert_true(aws_object(model, BUCKET,
                           ROOT "p/09/dt=2026-11-08/events.ndjson.gz",
                           &info));
    /* Nothing to do: pages of 15 are read once each. */
    uint64_t pages = asked("DescribeLogGroups");
    assert_int_equal(run_at(NOON + HOUR), 0);
    assert_int_equal(asked("DescribeLogGroups") - pages, 3 + 1);
    close_world();
}

/* While a group is archived its page's token dies. */
static void a_page_that_is_too_old_is_asked_for_again(void **state)
{
    char name[32];
    (void)state;
    open_world();
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "/p/%02d", i);
        aws_create_group(model, name, NOON - DAYS(1));
    }
    CHECK(aws_set(model, "token-life", 400));
    CHECK(aws_set(model, "latency:PutObject", 300));
    configure("\"/p/*\"", "");
    assert_int_equal(run_at(NOON), 0);
    assert_int_equal(job.groups, 40);
    assert_true(aws_counted(model, "DescribeLogGroups").failed > 0);
    close_world();
}

static void a_dry_run_writes_nothing(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(5));
    configure("\"/a\"", ",\"retention_days\":30");
    assert_int_equal(run_for(NOON, true, UINT64_MAX), 0);
    assert_int_equal(heard.archives, 5);
    assert_int_equal(heard.retentions, 1);
    assert_int_equal(object_count(), 0);
    assert_int_equal(asked("PutRetentionPolicy"), 0);
    close_world();
}

static const struct move {
    const char *name, *from, *to;
} moves[] = {
    {"to the east", "UTC", "Asia/Seoul"},
    {"to the west", "Asia/Seoul", "America/Los_Angeles"},
    {"half way around", "America/Los_Angeles", "Asia/Seoul"},
    {"by a day and two hours", "Etc/GMT+12", "Pacific/Kiritimati"},
    {"and back", "Pacific/Kiritimati", "Etc/GMT+12"},
    {"by half an hour", "Asia/Kolkata", "Asia/Kathmandu"},
};

static void moved(int64_t now_ms, const char *zone, const char *more)
{
    char text[128];
    (void)snprintf(text, sizeof text, ",\"timezone\":\"%s\"%s", zone, more);
    configure("\"/a\"", text);
    assert_int_equal(run_at(now_ms), 0);
}

/* Days leave no gap and have no overlap, and are sealed as they are. */
static void a_change_of_zone_leaves_no_gap(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(moves); i++) {
        const struct move *m = &moves[i];
        int64_t from_ms, until_ms;
        open_world();
        aws_create_group(model, "/a", NOON - DAYS(4));
        put_events("/a", NOON - DAYS(4), 300);
        moved(NOON, m->from, "");
        bool ok = windows_adjoin(&from_ms, &until_ms);
        for (int day = 1; day <= 25; day++)
            moved(NOON + DAYS(day), m->to, "");
        ok = ok && windows_adjoin(&from_ms, &until_ms) &&
             until_ms == zone_day_start(zone_find(view_of(m->to)), zone_day_of(
                 zone_find(view_of(m->to)), NOON + DAYS(25)));
        uint64_t puts = asked("PutObject");
        moved(NOON + DAYS(25) + HOUR / 2, m->to, "");
        ok = ok && puts == asked("PutObject");
        ok = ok && strcmp(state_of("a/dt=2026-11-07"), "sealed") == 0 &&
             strcmp(state_of("a/dt=2026-11-15"), "sealed") == 0;
        if (!ok)
            list_windows();
        broken += BROKEN(m->name, ok);
        close_world();
    }
    assert_int_equal(broken, 0);
}

/* Gaps between days of two zones are filled to their edges. */
static void a_gap_between_two_zones_is_filled(void **state)
{
    int64_t from_ms, until_ms;
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(10));
    moved(NOON, "Asia/Seoul", ",\"backfill_days\":10");
    static const char *const keys[] = {"05", "06"};
    for (int i = 0; i < 2; i++) {
        char key[128];
        (void)snprintf(key, sizeof key, ROOT
                       "a/dt=2026-11-%s/_events.receipt.json", keys[i]);
        assert_true(aws_delete_object(model, BUCKET, key, NOON));
        (void)snprintf(key, sizeof key, ROOT
                       "a/dt=2026-11-%s/events.ndjson.gz", keys[i]);
        assert_true(aws_delete_object(model, BUCKET, key, NOON));
    }
    assert_false(windows_adjoin(&from_ms, &until_ms));
    moved(NOON + DAYS(1), "America/Los_Angeles", "");
    assert_true(windows_adjoin(&from_ms, &until_ms));
    close_world();
}

/* Verified by the run itself, since nothing else is in the way. */
static void retention_is_lowered_when_nothing_is_lost(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(40));
    put_events("/a", NOON - DAYS(40), 900);
    configure("\"/a\"", ",\"retention_days\":30,\"backfill_days\":20");
    assert_int_equal(run_at(NOON), 65);
    assert_int_equal(asked("PutRetentionPolicy"), 0);
    assert_non_null(strstr(heard.words, "\"backfill_days\": "));
    configure("\"/a\"", ",\"retention_days\":30,\"backfill_days\":50");
    assert_int_equal(run_at(NOON + HOUR), 0);
    assert_int_equal(asked("PutRetentionPolicy"), 1);
    assert_true(heard.verified >= 10);
    assert_int_equal(heard.retentions, 1);
    uint64_t all = asked("*");
    assert_int_equal(run_at(NOON + 2 * HOUR), 0);
    assert_int_equal(asked("*") - all, 2);
    close_world();
}

static void roles_are_assumed_and_laid_down(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(1));
    aws_create_group(model, "/b", NOON - DAYS(1));
    configure("{\"name\":\"/a\",\"role_arn\":"
              "\"arn:aws:iam::111122223333:role/logs\"},\"/b\"", "");
    assert_int_equal(run_at(NOON), 0);
    assert_int_equal(asked("AssumeRole"), 1);
    assert_int_equal(job.archived, 2);
    assert_int_equal(site.credentials.role_count, 0);
    close_world();
}

/* Wherever it is stopped, it ends soon, and the next run ends the work. */
static void stopped_it_ends_at_once(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(3));
    put_events("/a", NOON - DAYS(3), 50);
    configure("\"/a\"", "");
    for (uint64_t steps = 1; steps < 400; steps += 3) {
        int code = run_for(NOON, false, steps);
        assert_true(code == 75 || code == 0);
        assert_true(network.mono_ms < 60000);
        if (code == 0)
            break;
    }
    assert_int_equal(run_at(NOON + HOUR), 0);
    assert_string_equal(state_of("a/dt=2026-11-08"), "provisional");
    assert_int_equal(aws_open_uploads(model, BUCKET), 0);
    close_world();
/* test_run.c - records become runs, sorted by time, equal ones as they came.
 * Method: rows of lines and what the run holds; random lines in random slices
 * through spans of random sizes against a plain stable sort; and that runs
 * begin at the same records however the bytes were sliced. */
#include <stdlib.h>

#include "base/chance.h"
#include "base/crc.h"
#include "pack/run.h"
#include "row.h"

#define AT(ms) "2026-11-09T00:00:00." ms "Z"
#define JSON(ms, rest) "{\"timestamp\":\"" AT(ms) "\"" rest "}\n"

enum { SPAN_BYTES = 65536, OUT_BYTES = 1 << 20 };

static _Alignas(16) uint8_t span[SPAN_BYTES];

/* All runs one behind the other, without heads; a '|' behind each. */
struct made {
    struct text out;
    uint32_t    runs;
    bool        sound;
    char        bytes[OUT_BYTES];
};

static void take_run(struct run *r, struct made *m)
{
    static uint8_t all[SPAN_BYTES];
    uint32_t len = 0, at = 0, records = r->count;
    struct run_sorted s = run_sort(r);
    int64_t last_ms = INT64_MIN;

    for (uint32_t i = 0; i < s.count; i++) {
        memcpy(all + len, s.slices[i].at, s.slices[i].len);
        len += s.slices[i].len;
    }
    m->sound = m->sound && s.bytes == len &&
               s.crc == crc64_add(0, (struct view){all, len});
    for (uint32_t i = 0; i <= records; i++) {
        struct run_head h = run_head_read(all + at);
        at += RUN_HEAD_BYTES;
        m->sound = m->sound && (h.len == 0) == (i == records) &&
                   (h.len == 0 || h.at_ms >= last_ms);
        text_put(&m->out, (struct view){all + at, h.len});
        at += h.len;
        last_ms = h.at_ms;
    }
    m->sound = m->sound && at == len;
    text_char(&m->out, '|');
    m->runs++;
    run_next(r);
}

/* Where `files` has a NUL, another file begins. */
static bool sort_all(struct made *m, struct view in, uint32_t span_bytes,
                     uint32_t slice_most, struct fault *fault)
{
    struct run r;
    struct chance c;
    bool good = true;

    fault_reset(fault);
    chance_init(&c, slice_most);
    text_init(&m->out, m->bytes, sizeof m->bytes);
    m->runs = 0;
    m->sound = true;
    run_init(&r, (struct span){span, span_bytes}, fault);
    while (good && in.len > 0) {
        uint32_t len = 1 + (uint32_t)chance_below(&c, slice_most);
        len = len < in.len ? len : in.len;
        struct view piece = view_slice(in, 0, len);
        piece.len = view_find(piece, '\0');
        if (piece.len == 0) {
            struct view none = {0};
            while ((good = run_add(&r, &none)) && r.full)
                take_run(&r, m);
            run_file(&r);
            in = view_slice(in, 1, in.len);
            continue;
        }
        in = view_slice(in, piece.len, in.len);
        while ((good = run_add(&r, &piece)) && r.full)
            take_run(&r, m);
        assert_true(!good || piece.len == 0);
    }
    while (good && (good = run_end(&r)) && r.full)
        take_run(&r, m);
    return good;
}

static const struct row {
    const char *name, *in, *want;
} rows[] = {
    {"no input makes no run", "", ""},
    {"a record is a run", AT("001") " a\n", AT("001") " a\n|"},
    {"records are put in order",
     AT("003") " c\n" AT("001") " a\n" AT("002") " b\n",
     AT("001") " a\n" AT("002") " b\n" AT("003") " c\n|"},
    {"equal times stay as they came",
     AT("002") " b\n" AT("001") " 1\n" AT("001") " 2\n" AT("001") " 3\n",
     AT("001") " 1\n" AT("001") " 2\n" AT("001") " 3\n" AT("002") " b\n|"},
    {"lines without a time go with their record",
     AT("002") " b\n  at x\n\n" AT("001") " a\n\tat y\n",
     AT("001") " a\n\tat y\n" AT("002") " b\n  at x\n\n|"},
    {"lines before all records are first",
     "x\ny\n" AT("002") " b\n" AT("001") " a\n",
     "x\ny\n" AT("001") " a\n" AT("002") " b\n|"},
    {"nothing but such lines", "x\n\n", "x\n\n|"},
    {"almost a time is none",
     AT("002") " b\n2026-11-09T00:00:00.001Zx\n2026-11-09T00:00:00.001\n"
     "2026-13-09T00:00:00.001Z x\n" AT("001") " a\n",
     AT("001") " a\n" AT("002") " b\n2026-11-09T00:00:00.001Zx\n"
     "2026-11-09T00:00:00.001\n2026-13-09T00:00:00.001Z x\n|"},
    {"an empty message", AT("002") " \n" AT("001") " \n",
     AT("001") " \n" AT("002") " \n|"},
    {"CRLF and NULs are bytes", AT("002") " b\r\n" AT("001") " \x01\r\n",
     AT("001") " \x01\r\n" AT("002") " b\r\n|"},
    {"ndjson", JSON("002", ",\"message\":\"b\"") JSON("001", ""),
     JSON("001", "") JSON("002", ",\"message\":\"b\"") "|"},
    {"ndjson: a line without a time goes with the one before",
     JSON("002", "") "{}\n" JSON("001", ""),
     JSON("001", "") JSON("002", "") "{}\n|"},
    {"in text a line of ndjson is none",
     AT("002") " b\n" JSON("000", "") AT("001") " a\n",
     AT("001") " a\n" AT("002") " b\n" JSON("000", "") "|"},
    {"in ndjson a line of text is none",
     JSON("002", "") AT("000") " x\n" JSON("001", ""),
     JSON("001", "") JSON("002", "") AT("000") " x\n|"},
};

static void test_rows(void **state)
{
    static struct made m;
    struct fault fault;
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        for (uint32_t most = 1; most < 300; most *= 2)
            failures += BROKEN(rows[i].name,
                               sort_all(&m, view_of(rows[i].in), SPAN_BYTES,
                                        most, &fault) &&
                               row_text(&m.out, rows[i].want) && m.sound);
    assert_int_equal(failures, 0);
}

static void test_each_file_has_a_form(void **state)
{
    static const char in[] = AT("003") " c\n" JSON("009", "") "\0"
                             JSON("002", "") AT("000") " x\n\0"
                             "rest\n" AT("001") " a\n";
    static struct made m;
    struct fault fault;

    (void)state;
    assert_true(sort_all(&m, (struct view){(const uint8_t *)in,
                                           sizeof in - 1},
                         SPAN_BYTES, 100, &fault));
    assert_true(row_text(&m.out, AT("001") " a\n" JSON("002", "")
                         AT("000") " x\nrest\n" AT("003") " c\n"
                         JSON("009", "") "|") && m.sound);
}

/* ---- what does not fit ---- */

static uint8_t many[SPAN_BYTES * 2];

static struct view record_of(uint32_t bytes)
{
    memset(many, 'x', sizeof many);
    memcpy(many, AT("001") " ", 25);
    many[bytes - 1] = '\n';
    return (struct view){many, bytes};
}

static void test_a_record_fits_or_not(void **state)
{
    static struct made m;
    const uint32_t most = 1024 - RUN_HEAD_BYTES - 2 * 16;
    struct fault fault;

    (void)state;
    for (uint32_t slice = 1; slice < 2000; slice += 333) {
        assert_true(sort_all(&m, record_of(most), 1024, slice, &fault));
        assert_true(m.sound && m.runs == 1 && m.out.len == most + 1);
        assert_false(sort_all(&m, record_of(most + 1), 1024, slice, &fault));
        assert_int_equal(fault.error, ERROR_LIMIT);
        assert_string_equal(fault.what, "CFG_SLOT_COUNT");
    }
}

/* ---- random lines ---- */

enum { RECORDS = 400 };

struct record {
    int64_t  key;
    uint32_t at, len, number;
};

static int by_time(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    int key = (x->key > y->key) - (x->key < y->key);

    return key != 0 ? key : (x->number > y->number) - (x->number < y->number);
}

static void put_record(struct text *t, struct chance *c, uint64_t ms)
{
    text_str(t, "2026-11-09T00:00:00.");
    text_pad(t, ms, 3);
    text_str(t, "Z ");
    for (uint64_t n = chance_below(c, chance_below(c, 9) == 0 ? 400 : 30);
         n > 0; n--)
        text_char(t, "a\n\r -:TZ0"[chance_below(c, 9)]);
    text_char(t, '\n');
}

/* Runs are what a plain sort makes of as many records. */
static bool is_sorted(const struct made *m, const char *in,
                      struct record *records)
{
    static char want[OUT_BYTES];
    uint32_t from = 0, at = 0;
    struct text t;

    text_init(&t, want, sizeof want);
    for (uint32_t run = 0; run < m->runs; run++) {
        uint32_t end = at + view_find(view_slice(text_view(&m->out), at,
                                                 m->out.len), '|');
        uint32_t len = 0, to = from;
        while (len < end - at)
            len += records[to++].len;
        qsort(records + from, to - from, sizeof *records, by_time);
        for (; from < to; from++)
            text_put(&t, (struct view){(const uint8_t *)in + records[from].at,
                                       records[from].len});
        text_char(&t, '|');
        at = end + 1;
    }
    return from == RECORDS && view_equal(text_view(&t), text_view(&m->out));
}

static void test_random(void **state)
{
    static char in[OUT_BYTES];
    static struct made m, again;
    static struct record records[RECORDS];
    struct chance c;
    struct fault fault;

    (void)state;
    chance_init(&c, 3);
    for (int round = 0; round < 200; round++) {
        struct text t;
        text_init(&t, in, sizeof in);
        uint64_t times = 1 + chance_below(&c, 900);
        for (uint32_t i = 0; i < RECORDS; i++) {
            uint64_t ms = chance_below(&c, times);
            uint32_t at = t.len;
            put_record(&t, &c, ms);
            records[i] = (struct record){(int64_t)ms, at, t.len - at, i};
        }
        uint32_t bytes = 1024 + 16 * (uint32_t)chance_below(&c, 3000);
        uint32_t slice = 1 + (uint32_t)chance_below(&c, 2000);
        assert_true(sort_all(&m, text_view(&t), bytes, slice, &fault));
        assert_true(m.sound && is_sorted(&m, in, records));
        assert_true(sort_all(&again, text_view(&t), bytes, 7, &fault));
        assert_true(view_equal(text_view(&m.out), text_view(&again.out)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_run_fills_and_the_second_only_lists),
        cmocka_unit_test(due_is_what_can_be_had),
        cmocka_unit_test(a_provisional_day_is_sealed_once),
        cmocka_unit_test(what_was_left_alone_for_long_is_sealed_too),
        cmocka_unit_test(one_that_fails_does_not_stop_the_others),
        cmocka_unit_test(a_day_that_fails_does_not_stop_the_others),
        cmocka_unit_test(patterns_find_all_of_their_groups),
        cmocka_unit_test(a_page_that_is_too_old_is_asked_for_again),
        cmocka_unit_test(a_dry_run_writes_nothing),
        cmocka_unit_test(a_change_of_zone_leaves_no_gap),
        cmocka_unit_test(a_gap_between_two_zones_is_filled),
        cmocka_unit_test(retention_is_lowered_when_nothing_is_lost),
        cmocka_unit_test(roles_are_assumed_and_laid_down),
        cmocka_unit_test(stopped_it_ends_at_once),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_each_file_has_a_form),
        cmocka_unit_test(test_a_record_fits_or_not),
        cmocka_unit_test(test_random),
    };
    return RUN(tests);
}
