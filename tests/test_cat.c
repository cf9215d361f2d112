/* test_cat.c - objects in, lines out, and a word about what was wrong.
 * Method: a store of a few objects behind the transport seam; each row is a
 * command line, with what must stand on stdout and stderr and the exit code.
 * Each runs with a reader that takes all and one that takes a byte at once. */
#include "cat_rig.h"
#include "task/message.h"

static struct site site;
static struct cat cat;

/* ---- what is seen ---- */

struct seen {
    char     out[4096], err[4096];
    uint32_t out_len;
};

static void note(struct seen *s)
{
    const struct cat_note *n = cat_note(&cat);
    struct text t;
    uint32_t at = (uint32_t)strlen(s->err);

    if (n == NULL)
        return;
    text_init(&t, s->err + at, (uint32_t)sizeof s->err - at);
    if (n->warning) {
        text_put(&t, n->thing);
        text_str(&t, ": ");
        text_str(&t, n->fault.what);
        text_str(&t, ": ");
        text_str(&t, n->fault.words);
    } else {
        struct message_context context = {.thing = n->thing};
        message_fault(&t, &n->fault, &context);
    }
    text_char(&t, '\n');
}

static void run(const struct cat_options *options, uint32_t take,
                struct seen *s)
{
    struct now now = {1762646400000, 0};
    enum flow flow = FLOW_MOVED;

    net = (struct transport){0};
    *s = (struct seen){0};
    cat_init(&cat, &site, options);
    while (flow != FLOW_ENDED) {
        flow = cat_step(&cat, now);
        struct view v = ring_peek(&cat.out);
        uint32_t len = v.len < take ? v.len : take;
        assert_true(len < sizeof s->out - s->out_len);
        memcpy(s->out + s->out_len, v.at, len);
        s->out_len += len;
        ring_consume(&cat.out, len);
        note(s);
        if (flow != FLOW_WANT_EVENT || pump() || len > 0)
            continue;
        int64_t wake = cat_wake_ms(&cat);
        assert_true(wake < INT64_MAX);
        now.mono_ms = wake > now.mono_ms ? wake : now.mono_ms + 1;
    }
    assert_true(ring_len(&cat.out) == 0);
}

static const struct row {
    const char *name;
    const char *urls[4];
    bool        json, escape;
    const char *out;
    const char *err;   /* each line begins with its part of it */
    int         exit;
} rows[] = {
    {"ndjson becomes lines", {"s3://bkt/a.ndjson.gz"}, false, false,
     T1 " one\ntwo\n" T2 " three\n", "", 0},
    {"a broken connection is taken up", {"s3://bkt/half.ndjson.gz"}, false,
     false, T1 " one\ntwo\n" T2 " three\n", "", 0},
    {"ndjson stays ndjson", {"s3://bkt/a.ndjson.gz"}, true, false,
     RECORD(T1, "one\\ntwo") RECORD(T2, "three"), "", 0},
    {"on a terminal a record is a line",
     {"s3://bkt/a.ndjson.gz", "s3://bkt/b.log"}, false, true,
     T1 " one\\ntwo\n" T2 " three\n"
     T1 " one\\n two\n" T2 " \\u001b[2Jthree\n", "", 0},
    {"objects stand one behind the other",
     {"s3://bkt/b.log", "s3://bkt/empty", "s3://bkt/plain.log"}, false, false,
     T1 " one\n two\n" T2 " \x1b[2Jthree\n" T1 " plain\n", "", 0},
    {"text becomes json", {"s3://bkt/b.log"}, true, false,
     "{\"timestamp\":\"" T1 "\",\"message\":\"one\\n two\"}\n"
     "{\"timestamp\":\"" T2 "\",\"message\":\"\\u001b[2Jthree\"}\n", "", 0},
    {"what is missing does not keep the rest back",
     {"s3://bkt/nothing", "s3://bkt/plain.log"}, false, false,
     T1 " plain\n", "78 s3://bkt/nothing: NoSuchKey\n", 78},
    {"what is damaged comes as far as it goes",
     {"s3://bkt/cut.ndjson.gz", "s3://bkt/plain.log"}, false, false,
     T1 " one\n" T2 " three\n" T1 " plain\n",
     "65 s3://bkt/cut.ndjson.gz: the data is cut short: at byte\n", 65},
    {"what is called .gz must be that", {"s3://bkt/no.gz"}, false, false,
     "", "65 s3://bkt/no.gz: this is not gzip: at byte 0\n", 65},
    {"a record cut short is damage", {"s3://bkt/open.ndjson"}, false, false,
     T1 " one\n", "65 s3://bkt/open.ndjson: a record's message is not whole; "
     "its line (1)\n", 65},
    {"strangers are passed on and named", {"s3://bkt/foreign.ndjson"}, false,
     false, "{\"a\":1}\n" T1 " one\n",
     "s3://bkt/foreign.ndjson: lines that are no record of firn's are printed "
     "as they are: the first is line 1\n", 0},
    {"padding is left out and named", {"s3://bkt/zeros.gz"}, false, false,
     T1 " one\n", "s3://bkt/zeros.gz: zeros behind the data were left out: "
     "from byte \n", 0},
    {"what is no padding, too", {"s3://bkt/tail.gz"}, false, false,
     T1 " one\n", "s3://bkt/tail.gz: bytes that are not compressed data were "
     "left out: from byte \n", 0},
    {"damage within a record is said once", {"s3://bkt/torn.ndjson.gz"},
     false, false, T1 " one\n" T2 " t\n",
     "65 s3://bkt/torn.ndjson.gz: the data is cut short: at byte\n", 65},
    {"no URL of S3", {"b/a", "s3://bkt/plain.log"}, false, false,
     T1 " plain\n", "64 b/a: this is not s3://BUCKET/KEY\n", 64},
    {"the worst counts", {"b/a", "s3://bkt/no.gz", "s3://bkt/nothing"}, false,
     false, "", "64 b/a\n65 s3://bkt/no.gz\n78 s3://bkt/nothing\n", 65},
    {"a dead store ends it", {"s3://bkt/dead", "s3://bkt/plain.log"}, false,
     false, "", "69 s3://bkt/dead\n", 69},
};

/* Line by line, whether `got` begins as `want` does. */
static bool lines_begin(const char *got, const char *want)
{
    struct view g = view_of(got), w = view_of(want);

    while (g.len > 0 || w.len > 0) {
        struct view a = view_split(&g, '\n'), b = view_split(&w, '\n');
        if (b.len == 0 || a.len < b.len ||
            !view_equal(view_slice(a, 0, b.len), b)) {
            fprintf(stderr, "  got  %s\n  want %s\n", got, want);
            return false;
        }
    }
    return true;
}

static void test_rows(void **state)
{
    static struct seen seen;
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        for (uint32_t take = 1; take <= 4096; take *= 4096) {
            struct cat_options options = {
                .urls = rows[i].urls, .json = rows[i].json,
                .escape = rows[i].escape,
                .want = {INT64_MIN, INT64_MAX, {0}},
            };
            while (options.url_count < 4 &&
                   rows[i].urls[options.url_count] != NULL)
                options.url_count++;
            run(&options, take, &seen);
            bool holds = row_string(seen.out, rows[i].out) &&
                         lines_begin(seen.err, rows[i].err) &&
                         row_number(cat.exit_code, rows[i].exit);
            failures += BROKEN(rows[i].name, holds);
        }
    assert_int_equal(failures, 0);
}

enum { ANY = 9999 };  /* bytes: not looked at */
#define DAY_LACKS(span) "65 2026-11-09T" span " is not in these archives of /g"

static const struct interval_row {
    const char *name;
    const char *url;
    int64_t     from, until;   /* ms of the day; -1: open */
    const char *stream;
    const char *out, *err;
    int         exit;
    uint32_t    fetched;       /* bytes of the object */
} interval_rows[] = {
    {"a block in the middle", "s3://bkt/day.ndjson", 124, 125, "",
     T2 " two\n", "", 0, sizeof DAY_TWO - 1},
    {"neighbours", "s3://bkt/day.ndjson", 0, 1000, "",
     T1 " one\n" T2 " two\n", "", 0, sizeof DAY_ONE DAY_TWO - 1},
    {"an open end", "s3://bkt/day.ndjson", 1000, -1, "", T3 " three\n", "",
     0, sizeof DAY_THREE - 1},
    {"nothing at that time", "s3://bkt/day.ndjson", 125, 1000, "", "", "", 0,
     0},
    {"a stream", "s3://bkt/day.ndjson", 0, 5000, "t", "", "", 0,
     sizeof DAY_ONE DAY_TWO DAY_THREE - 1},
    {"a stream of all times", "s3://bkt/day.ndjson", -1, -1, "s",
     T1 " one\n" T2 " two\n" T3 " three\n", "", 0,
     sizeof DAY_ONE DAY_TWO DAY_THREE - 1},
    {"what is not archived is said", "s3://bkt/day.ndjson", 1000, 6000, "",
     T3 " three\n", DAY_LACKS("00:00:05.000Z to 2026-11-09T00:00:06.000Z"),
     65, sizeof DAY_THREE - 1},
    {"another interval altogether", "s3://bkt/day.ndjson", 5000, 6000, "", "",
     DAY_LACKS("00:00:05.000Z to 2026-11-09T00:00:06.000Z"), 65, 0},
    {"a receipt of another version", "s3://bkt/stale.ndjson", 124, 6000, "",
     T2 " two\n" T3 " three\n", "s3://bkt/stale.ndjson: its receipt is of "
     "another object: all of it is read", 0,
     sizeof DAY_ONE DAY_TWO DAY_THREE - 1},
    {"a damaged receipt", "s3://bkt/odd.ndjson", 0, 124, "", T1 " one\n",
     "s3://bkt/odd.ndjson: its receipt is damaged: all of it is read", 0,
     sizeof DAY_ONE DAY_TWO DAY_THREE - 1},
    {"an index of a format that is new", "s3://bkt/csv.ndjson", 124, 125, "",
     T2 " two\n", "", 0, sizeof DAY_ONE DAY_TWO DAY_THREE - 1},
    {"of a compression that is", "s3://bkt/br.ndjson", 124, 125, "",
     T2 " two\n", "", 0, sizeof DAY_ONE DAY_TWO DAY_THREE - 1},
    {"of gzip, and no frame before it", "s3://bkt/whole.ndjson", 124, 125, "",
     T2 " two\n", "", 0, sizeof DAY_ONE DAY_TWO DAY_THREE - 1},
    {"strangers in an interval", "s3://bkt/foreign.ndjson", 0, 200, "",
     T1 " one\n", "s3://bkt/foreign.ndjson: it has no receipt\n"
     "s3://bkt/foreign.ndjson: lines that are no record of firn's are left "
     "out: their number is 1", 0, ANY},
    {"no receipt", "s3://bkt/b.log", 124, 125, "", T2 " \x1b[2Jthree\n",
     "s3://bkt/b.log: it has no receipt: all of it is read", 0, ANY},
    {"no object", "s3://bkt/nothing", 0, 1, "", "",
     "78 s3://bkt/nothing: NoSuchKey", 78, 0},
    {"a dead store", "s3://bkt/dead", 0, 1, "", "", "69 s3://bkt/dead", 69,
     0},
    {"text, and lines before its first record", "s3://bkt/text.log", 0, 124,
     "", T1 " one\n  more\n", "", 0, sizeof TEXT_ONE TEXT_TWO - 1},
    {"text holds no streams", "s3://bkt/text.log", 0, 5000, "s", "",
     "64 s3://bkt/text.log: it is text, which does not hold the stream's "
     "name; --stream needs ndjson", 64, ANY},
};

static bool interval_holds(const struct interval_row *row, uint32_t take)
{
    static struct seen seen;
    const char *urls[] = {row->url};
    struct cat_options options = {
        .urls = urls, .url_count = 1,
        .want = {row->from < 0 ? INT64_MIN : t0_ms + row->from,
                 row->until < 0 ? INT64_MAX : t0_ms + row->until,
                 view_of(row->stream)},
    };

    run(&options, take, &seen);
    return row_string(seen.out, row->out) &&
           lines_begin(seen.err, row->err) &&
           row_number(cat.exit_code, row->exit) &&
           (row->fetched == ANY || row_number(net.fetched, row->fetched));
}

static void test_intervals(void **state)
{
    int failures = 0;

    (void)state;
    write_receipts();
    for (size_t i = 0; i < ROW_COUNT(interval_rows); i++)
        for (uint32_t take = 1; take <= 4096; take *= 4096)
            failures += BROKEN(interval_rows[i].name,
                               interval_holds(&interval_rows[i], take));
    assert_int_equal(failures, 0);
}

static int set_up(void **state)
{
    static const struct settings settings = {
        .env = {
            [SETTING_REGION] = {(const uint8_t *)"eu-west-1", 9},
            [SETTING_KEY_ID] = {(const uint8_t *)"AKIDEXAMPLE", 11},
            [SETTING_SECRET] = {(const uint8_t *)"secret", 6},
        },
    };
    struct site_options options = {.settings = &settings, .seed = 1};
    struct fault fault = {0};

    (void)state;
    if (!site_init(&site, &options, &fault))
        return 1;
    site.transport = &net;
    site.give_up_ms = 3000;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_intervals),
    };
    return cmocka_run_group_tests_name(__FILE__, tests, set_up, NULL);
}
