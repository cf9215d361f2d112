/* test_cat.c - objects in, lines out, and a word about what was wrong.
 * Method: a store of a few objects behind the transport seam; each row is a
 * command line, with what must stand on stdout and stderr and the exit code.
 * Each runs with a reader that takes all and one that takes a byte at once. */
#include "task/cat.h"

#include <isa-l/igzip_lib.h>

#include "base/trace.h"
#include "call/files.h"
#include "row.h"
#include "task/message.h"

#define T1 "2026-11-09T00:00:00.123Z"
#define T2 "2026-11-09T00:00:00.124Z"
#define RECORD(t, m) \
    "{\"timestamp\":\"" t "\",\"stream\":\"s\",\"message\":\"" m "\"}\n"

enum { STORED_BYTES = 2048 };

struct stored {
    const char *key;
    const char *data;
    bool        gzip;
    uint32_t    lacks;      /* bytes missing at its end */
    const char *behind;     /* rubbish behind it */
    bool        breaks;     /* the first connection, half way */
    bool        dead;       /* every connection, at once */
};

static const struct stored store[] = {
    {"a.ndjson.gz", RECORD(T1, "one\\ntwo") RECORD(T2, "three"), .gzip = true},
    {"half.ndjson.gz", RECORD(T1, "one\\ntwo") RECORD(T2, "three"),
     .gzip = true, .breaks = true},
    {"b.log", T1 " one\n two\n" T2 " \x1b[2Jthree", .gzip = true},
    {"plain.log", T1 " plain\n", .gzip = false},
    {"empty", "", .gzip = false},
    {"no.gz", "this is no gzip", .gzip = false},
    {"cut.ndjson.gz", RECORD(T1, "one") RECORD(T2, "three"), .gzip = true,
     .lacks = 5},
    {"open.ndjson", "{\"timestamp\":\"" T1 "\",\"message\":\"one",
     .gzip = false},
    {"foreign.ndjson", "{\"a\":1}\n" RECORD(T1, "one"),
     .gzip = false},
    {"zeros.gz", T1 " one\n", .gzip = true, .behind = "0000"},
    {"dead", "x", .dead = true},
};

struct transport {
    struct http_exchange *x;
    const struct stored  *object;   /* NULL: 404 */
    uint8_t  bytes[STORED_BYTES];
    uint32_t len, from, sent, requests;
};

static struct transport net;
static struct site site;
static struct cat cat;

/* ---- the seams ---- */

void trace_state(const char *machine, const char *from, const char *to)
{
    (void)machine;
    (void)from;
    (void)to;
}

enum file_result file_read(const char *path, struct span room, uint32_t *len)
{
    (void)path;
    (void)room;
    *len = 0;
    return FILE_MISSING;
}

static void load(const struct stored *s)
{
    struct isal_zstream z;
    uint32_t len = (uint32_t)strlen(s->data);

    memcpy(net.bytes, s->data, len);
    if (s->gzip) {
        isal_deflate_stateless_init(&z);
        z.gzip_flag = IGZIP_GZIP;
        z.end_of_stream = 1;
        z.next_in = (uint8_t *)(uintptr_t)s->data;
        z.avail_in = len;
        z.next_out = net.bytes;
        z.avail_out = STORED_BYTES;
        assert_int_equal(isal_deflate_stateless(&z), COMP_OK);
        len = (uint32_t)z.total_out;
    }
    len -= s->lacks;
    for (const char *c = s->behind; c != NULL && *c != '\0'; c++)
        net.bytes[len++] = *c == '0' ? 0 : (uint8_t)*c;
    net.len = len;
}

bool transport_start(struct transport *t, struct http_exchange *x)
{
    const char *range = strstr(x->request.headers, "range:bytes=");
    unsigned from = 0;

    assert_null(t->x);
    if (range != NULL)
        assert_int_equal(sscanf(range, "range:bytes=%u-", &from), 1);
    t->x = x;
    t->from = from;
    t->sent = 0;
    t->requests++;
    t->object = NULL;
    for (size_t i = 0; i < ROW_COUNT(store); i++)
        if (view_ends(view_of(x->request.url), store[i].key) &&
            view_find(view_of(x->request.url), '?') ==
                strlen(x->request.url))
            t->object = &store[i];
    if (t->object != NULL)
        load(t->object);
    x->state = HTTP_ACTIVE;
    return true;
}

void transport_cancel(struct transport *t, struct http_exchange *x)
{
    t->x = t->x == x ? NULL : t->x;
    x->state = HTTP_IDLE;
}

static void head(const char *format, uint32_t a, uint32_t b)
{
    char text[80];
    snprintf(text, sizeof text, format, a, b);
    http_head_line(net.x, view_of(text));
}

static bool pump(void)
{
    struct http_exchange *x = net.x;
    uint32_t left = net.len - net.from - net.sent;

    if (x == NULL)
        return false;
    if (net.object == NULL || net.object->dead) {
        head("HTTP/1.1 %u x", net.object == NULL ? 404 : 503, 0);
        assert_true(http_body(x, view_of("<Error><Code>NoSuchKey</Code>"
                                         "<Message>m</Message></Error>")));
        http_finish(x, net.object == NULL ? 0 : 56, "reset");
        net.x = NULL;
        return true;
    }
    if (net.sent == 0) {
        head("HTTP/1.1 %u x", net.from > 0 ? 206 : 200, 0);
        head("content-length: %u", left, 0);
        head("content-range: bytes %u-0/%u", net.from, net.len);
    }
    uint32_t len = left < 16 ? left : 16;
    bool breaks = net.object->breaks && net.requests == 1 && net.sent >= 32;
    assert_true(http_body(x, (struct view){net.bytes + net.from + net.sent,
                                           len}));
    net.sent += len;
    if (breaks || len == left) {
        http_finish(x, breaks ? 56 : 0, "reset");
        net.x = NULL;
    }
    return true;
}

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
    };
    return cmocka_run_group_tests_name(__FILE__, tests, set_up, NULL);
}
