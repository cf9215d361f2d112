/* test_object.c - each byte of one version of an object arrives once.
 * Method: a small server behind the transport seam that cuts connections
 * where a script says, at every byte in turn, read by a reader who takes
 * more or less at once; then servers that misbehave, one row each. */
#include "fetch/object.h"

#include <stdlib.h>

#include "base/trace.h"
#include "call/files.h"
#include "row.h"

enum { OBJECT_BYTES = 700, REQUEST_COUNT = 4096, RING = 512 };

#define WHOLE UINT32_MAX

/* How the server answers one request. */
struct answer {
    int32_t     status;   /* 0: 200 or 206, as asked */
    uint32_t    cut;      /* body bytes before the connection breaks */
    const char *etag;     /* NULL: "v1" */
    uint32_t    total;    /* 0: OBJECT_BYTES; WHOLE: none at all */
    uint32_t    give;     /* at most so many bytes of a range; 0: all */
    bool        deaf;     /* does not know Range */
    bool        vague;    /* tells no length */
    const char *body;     /* of an error */
};

struct transport {
    struct http_exchange *x;
    const struct answer  *script;
    uint32_t answer_count;       /* the last goes on for ever */
    uint32_t requests;
    uint64_t from, to;           /* of the request under way */
    uint64_t sent;
    bool     headed;
    uint32_t chunk;              /* bytes delivered between two steps */
    bool     unmatched;          /* a later request without If-Match */
};

static struct transport net;
static struct site      site;
static struct object    object;
static struct ring      ring;
static struct fault     fault;
static uint8_t          ring_bytes[RING], stored[2 * OBJECT_BYTES];

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

static const struct answer *answer_now(void)
{
    uint32_t i = net.requests - 1;
    return &net.script[i < net.answer_count ? i : net.answer_count - 1];
}

static uint64_t total_now(void)
{
    const struct answer *a = answer_now();
    if (a->total == WHOLE)
        return 0;
    return a->total != 0 ? a->total : OBJECT_BYTES;
}

bool transport_start(struct transport *t, struct http_exchange *x)
{
    const char *range = strstr(x->request.headers, "range:bytes=");
    const char *match = strstr(x->request.headers, "if-match:\"v1\"");
    char *end = NULL;

    assert_null(t->x);
    assert_true(t->requests < REQUEST_COUNT);
    t->requests++;
    t->x = x;
    t->from = t->to = t->sent = 0;
    t->headed = false;
    if (range != NULL && !answer_now()->deaf) {
        t->from = strtoull(range + 12, &end, 10);
        assert_int_equal(*end, '-');
        if (end[1] != '\n')
            t->to = strtoull(end + 1, NULL, 10) + 1;
    }
    t->unmatched |= object.known && match == NULL;
    x->state = HTTP_ACTIVE;
    return true;
}

void transport_cancel(struct transport *t, struct http_exchange *x)
{
    if (t->x == x)
        t->x = NULL;
    x->state = HTTP_IDLE;
}

static void line(const char *format, uint64_t a, uint64_t b, uint64_t c)
{
    char text[128];
    int len = snprintf(text, sizeof text, format, (unsigned long long)a,
                       (unsigned long long)b, (unsigned long long)c);
    http_head_line(net.x, (struct view){(uint8_t *)text, (uint32_t)len});
}

static void send_head(void)
{
    const struct answer *a = answer_now();
    bool ranged = strstr(net.x->request.headers, "range:") != NULL &&
                  !a->deaf;
    char etag[64];

    if (net.to == 0 || net.to > total_now())
        net.to = total_now();
    if (a->give != 0 && net.to - net.from > a->give)
        net.to = net.from + a->give;
    line("HTTP/1.1 %llu x", a->status != 0 ? (uint64_t)a->status
                            : ranged ? 206 : 200, 0, 0);
    if (a->body != NULL)
        return;
    snprintf(etag, sizeof etag, "etag: %s",
             a->etag != NULL ? a->etag : "\"v1\"");
    http_head_line(net.x, view_of(etag));
    if (!a->vague)
        line("content-length: %llu", net.to - net.from, 0, 0);
    if (ranged)
        line("content-range: bytes %llu-%llu/%llu", net.from, net.to - 1,
             total_now());
}

static void hang_up(int32_t failure)
{
    http_finish(net.x, failure, failure != 0 ? "connection reset" : NULL);
    net.x = NULL;
}

/* The network, between two steps of core. */
static bool pump(void)
{
    const struct answer *a;

    if (net.x == NULL)
        return false;
    a = answer_now();
    if (a->status == -1) {
        hang_up(7);
        return true;
    }
    if (!net.headed)
        send_head();
    net.headed = true;
    if (a->body != NULL) {
        assert_true(http_body(net.x, view_of(a->body)));
        hang_up(0);
        return true;
    }
    uint64_t left = net.to - net.from - net.sent, cut = a->cut - net.sent;
    uint64_t len = left < cut ? left : cut;
    len = len < net.chunk ? len : net.chunk;
    if (len > http_room(net.x))
        return false;
    assert_true(http_body(net.x, (struct view){
        stored + net.from + net.sent, (uint32_t)len}));
    net.sent += len;
    if (net.sent == a->cut)
        hang_up(56);
    else if (net.from + net.sent == net.to)
        hang_up(0);
    return true;
}

/* ---- the reader ---- */

struct reading {
    const struct answer *script;
    uint32_t answer_count;
    uint32_t chunk, take;  /* delivered, and read, at once */
    uint64_t from, to;
    const char *expect;    /* an ETag */
};

struct result {
    enum flow flow;
    uint8_t   bytes[2 * OBJECT_BYTES];
    uint32_t  len;
    int64_t   took_ms;
};

static void begin(const struct reading *r)
{
    static const struct object_name name = {
        {(const uint8_t *)"bucket", 6}, {(const uint8_t *)"a/key.gz", 8},
    };

    site.success_mono_ms = 0;
    fault_reset(&fault);
    ring_init(&ring, ring_bytes, sizeof ring_bytes);
    object_init(&object, &site, &ring, &fault);
    net = (struct transport){.script = r->script,
                             .answer_count = r->answer_count,
                             .chunk = r->chunk};
    object_open_range(&object, name, r->from, r->to);
    if (r->expect != NULL)
        view_copy(view_of(r->expect), object.etag, sizeof object.etag);
}

static void run(const struct reading *r, struct result *result)
{
    struct now now = {1762646400000, 0};

    begin(r);
    result->len = 0;
    result->flow = FLOW_MOVED;
    for (uint32_t turn = 0; turn < 1000000; turn++) {
        enum flow flow = object.stage.step(&object.stage, NULL, &ring, now);
        struct view v = ring_peek(&ring);
        uint32_t len = v.len < r->take ? v.len : r->take;

        assert_true(len <= sizeof result->bytes - result->len);
        memcpy(result->bytes + result->len, v.at, len);
        result->len += len;
        ring_consume(&ring, len);
        result->flow = flow;
        result->took_ms = now.mono_ms;
        if (flow == FLOW_FAILED || (flow == FLOW_ENDED && ring_drained(&ring)))
            return;
        bool pumped = pump();
        if (flow != FLOW_WANT_EVENT || pumped || len > 0)
            continue;
        int64_t wake = object_wake_ms(&object);
        assert_true(wake < INT64_MAX);
        now.wall_ms += wake > now.mono_ms ? wake - now.mono_ms : 1;
        now.mono_ms = wake > now.mono_ms ? wake : now.mono_ms + 1;
    }
    fail_msg("it does not end");
}

static bool came(const struct result *r, uint64_t from, uint64_t to)
{
    bool holds = r->flow == FLOW_ENDED && r->len == to - from &&
                 memcmp(r->bytes, stored + from, r->len) == 0 &&
                 !net.unmatched;

    if (!holds)
        fprintf(stderr, "  flow %d, %u bytes, %u requests, %s: %s\n", r->flow,
                r->len, net.requests, fault.what, fault.words);
    return holds;
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

    (void)state;
    for (uint32_t i = 0; i < sizeof stored; i++)
        stored[i] = (uint8_t)(i * 7 + i / 256);
    if (!site_init(&site, &options, &fault)) {
        fprintf(stderr, "%s %s\n", fault.what, fault.words);
        return 1;
    }
    site.transport = &net;
    return 0;
}

/* ---- tests ---- */

static void test_cut_at_every_byte(void **state)
{
    static const uint32_t chunks[] = {1, 100, 512}, takes[] = {1, 33, 512};
    static struct result result;
    int failures = 0;

    (void)state;
    for (uint32_t cut = 0; cut < OBJECT_BYTES; cut++)
        for (int i = 0; i < 9; i++) {
            struct answer script[] = {{.cut = cut}, {.cut = WHOLE}};
            struct reading r = {script, 2, chunks[i / 3], takes[i % 3],
                                0, 0, NULL};
            char name[64];

            if (r.chunk == 1 && r.take == 512 && cut % 7 != 0)
                continue;
            run(&r, &result);
            snprintf(name, sizeof name, "cut at %u, %u in, %u out", cut,
                     r.chunk, r.take);
            failures += BROKEN(name, came(&result, 0, OBJECT_BYTES) &&
                                     net.requests == 2);
        }
    assert_int_equal(failures, 0);
}

/* A connection that never carries more than a few bytes. */
static void test_cut_again_and_again(void **state)
{
    static struct result result;
    int failures = 0;

    (void)state;
    for (uint32_t cut = 1; cut < 40; cut++) {
        struct answer script[] = {{.cut = cut}};
        struct reading r = {script, 1, 512, 1 + cut % 5, 0, 0, NULL};
        char name[64];

        run(&r, &result);
        snprintf(name, sizeof name, "cut every %u", cut);
        failures += BROKEN(name, came(&result, 0, OBJECT_BYTES) &&
                           net.requests >= (OBJECT_BYTES + cut - 1) / cut);
    }
    assert_int_equal(failures, 0);
}

static void test_ranges(void **state)
{
    static const struct { uint64_t from, to; } rows[] = {
        {0, 1}, {0, 700}, {0, 5000}, {699, 0}, {100, 650}, {350, 351},
    };
    static struct result result;
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        for (uint32_t cut = 0; cut <= 350; cut += 50) {
            struct answer script[] = {{.cut = cut}, {.cut = WHOLE}};
            struct reading r = {script, 2, 64, 64, rows[i].from, rows[i].to,
                                NULL};
            uint64_t to = rows[i].to == 0 || rows[i].to > OBJECT_BYTES
                              ? OBJECT_BYTES : rows[i].to;
            run(&r, &result);
            failures += BROKEN("a range", came(&result, rows[i].from, to));
        }
    assert_int_equal(failures, 0);
}

static const struct odd_row {
    const char   *name;
    struct answer script[3];
    enum error    error;    /* ERROR_NONE: the object comes */
    uint32_t      len;      /* what came, at most */
    const char   *expect;
    uint64_t      from;
} odd_rows[] = {
    {"503, then well", {{.status = 503, .body = "busy"}, {.cut = WHOLE}},
     ERROR_NONE, 700, NULL, 0},
    {"the connection is refused twice",
     {{.status = -1}, {.status = -1}, {.cut = WHOLE}},
     ERROR_NONE, 700, NULL, 0},
    {"it is never up", {{.status = -1}, {.status = -1}, {.status = -1}},
     ERROR_NETWORK, 0, NULL, 0},
    {"less than was asked for",
     {{.cut = 100}, {.cut = WHOLE, .give = 50}},
     ERROR_REMOTE, 100, NULL, 0},
    {"no length is told", {{.cut = WHOLE, .vague = true}},
     ERROR_REMOTE, 0, NULL, 0},
    {"it was written again, and If-Match holds it back",
     {{.cut = 100}, {.status = 412, .body = "<Error/>"}},
     ERROR_CORRUPT, 100, NULL, 0},
    {"it was written again, and If-Match means nothing to the server",
     {{.cut = 100}, {.cut = WHOLE, .etag = "\"v2\""}},
     ERROR_CORRUPT, 100, NULL, 0},
    {"the same, and that connection breaks at once",
     {{.cut = 100}, {.cut = 1, .etag = "\"v2\""}, {.cut = WHOLE}},
     ERROR_CORRUPT, 100, NULL, 0},
    {"it has grown", {{.cut = 100}, {.cut = WHOLE, .total = 800}},
     ERROR_CORRUPT, 100, NULL, 0},
    {"ranges mean nothing to the server",
     {{.cut = 100}, {.cut = WHOLE, .deaf = true}},
     ERROR_REMOTE, 100, NULL, 0},
    {"the same from the first request on",
     {{.cut = WHOLE, .deaf = true}}, ERROR_REMOTE, 0, NULL, 10},
    {"no such key", {{.status = 404, .body =
      "<Error><Code>NoSuchKey</Code><Message>m</Message></Error>"}},
     ERROR_MISSING, 0, NULL, 0},
    {"access denied", {{.status = 403, .body =
      "<Error><Code>AccessDenied</Code><Message>m</Message></Error>"}},
     ERROR_DENIED, 0, NULL, 0},
    {"in a Glacier class", {{.status = 403, .body =
      "<Error><Code>InvalidObjectState</Code><Message>m</Message>"
      "</Error>"}}, ERROR_CONFIG, 0, NULL, 0},
    {"the version that is expected", {{.cut = 5}, {.cut = WHOLE}},
     ERROR_NONE, 700, "\"v1\"", 0},
    {"another version than is expected",
     {{.status = 412, .body = "<Error/>"}},
     ERROR_CORRUPT, 0, "\"v0\"", 0},
    {"the same, and If-Match means nothing to the server",
     {{.cut = WHOLE}}, ERROR_CORRUPT, 0, "\"v0\"", 0},
};

static void test_odd_servers(void **state)
{
    static struct result result;
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(odd_rows); i++) {
        uint32_t count = 3;
        while (odd_rows[i].script[count - 1].cut == 0 &&
               odd_rows[i].script[count - 1].status == 0)
            count--;
        struct reading r = {odd_rows[i].script, count, 128, 128,
                            odd_rows[i].from, 0, odd_rows[i].expect};
        run(&r, &result);
        bool holds = odd_rows[i].error == ERROR_NONE
            ? came(&result, odd_rows[i].from, OBJECT_BYTES)
            : result.flow == FLOW_FAILED && fault.error == odd_rows[i].error &&
              result.len <= odd_rows[i].len && !ring.ended &&
              memcmp(result.bytes, stored, result.len) == 0;
        if (!holds)
            fprintf(stderr, "  flow %d, %u bytes, error %d %s %s\n",
                    result.flow, result.len, fault.error, fault.what,
                    fault.words);
        failures += BROKEN(odd_rows[i].name, holds);
        if (strcmp(odd_rows[i].name, "in a Glacier class") == 0)
            failures += BROKEN(odd_rows[i].name, row_string(fault.words,
                "run: firn restore s3://bucket/a/key.gz --days 7"));
        if (odd_rows[i].error == ERROR_NETWORK)
            failures += BROKEN("it gives up after 300 s",
                               result.took_ms > 250000 &&
                               result.took_ms < 400000);
    }
    assert_int_equal(failures, 0);
}

/* Long after the last whole reply, as long as bytes arrive, all is well. */
static void test_progress_is_life(void **state)
{
    static struct result result;
    struct answer script[] = {{.cut = 1}};
    struct reading r = {script, 1, 512, 512, 0, 0, NULL};

    (void)state;
    site.give_up_ms = 3000;
    run(&r, &result);
    site.give_up_ms = 300000;
    assert_true(came(&result, 0, OBJECT_BYTES));
}

static void test_empty(void **state)
{
    static struct result result;
    struct answer script[] = {{.cut = WHOLE, .total = WHOLE}};
    struct reading r = {script, 1, 512, 512, 0, 0, NULL};

    (void)state;
    run(&r, &result);
    assert_true(came(&result, 0, 0));
    assert_int_equal(object.total, 0);
}

static void test_names(void **state)
{
    static const struct { const char *url, *bucket, *key; } rows[] = {
        {"s3://b/k", "b", "k"},          {"s3://b/a/b c?", "b", "a/b c?"},
        {"s3://b/", NULL, NULL},         {"s3://b", NULL, NULL},
        {"s3:///k", NULL, NULL},         {"https://b/k", NULL, NULL},
        {"", NULL, NULL},                {"s3://b//k", "b", "/k"},
    };
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct object_name n;
        bool is = object_name_parse(view_of(rows[i].url), &n);
        failures += BROKEN(rows[i].url, rows[i].bucket == NULL ? !is
                           : is && view_is(n.bucket, rows[i].bucket) &&
                             view_is(n.key, rows[i].key));
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_cut_again_and_again),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_odd_servers),
        cmocka_unit_test(test_progress_is_life),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name(__FILE__, tests, set_up, NULL);
}
