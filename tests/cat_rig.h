/* cat_rig.h - a store of a few objects and receipts behind the transport
 * seam, for test_cat.c. Bodies come 16 bytes at a time. */
#ifndef FIRN_TESTS_CAT_RIG_H
#define FIRN_TESTS_CAT_RIG_H

#include "task/cat.h"

#include "base/trace.h"
#include "call/files.h"
#include "packed.h"
#include "row.h"

#define T1 "2026-11-09T00:00:00.123Z"
#define T2 "2026-11-09T00:00:00.124Z"
#define T3 "2026-11-09T00:00:01.000Z"
#define RECORD(t, m) \
    "{\"timestamp\":\"" t "\",\"stream\":\"s\",\"message\":\"" m "\"}\n"

enum { STORED_BYTES = 4096 };
static const int64_t t0_ms = 1794182400000;  /* midnight before T1 */

struct stored {
    const char *key;
    const char *data;
    bool        gzip;
    uint32_t    lacks;      /* bytes missing at its end */
    const char *behind;     /* rubbish behind it */
    bool        breaks;     /* the first connection, half way */
    bool        dead;       /* every connection, at once */
};

#define DAY_ONE   RECORD(T1, "one")
#define DAY_TWO   RECORD(T2, "two")
#define DAY_THREE RECORD(T3, "three")
#define TEXT_ONE  "early\n" T1 " one\n  more\n"
#define TEXT_TWO  T2 " two\n"

static char receipts[6][STORED_BYTES];

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
    {"tail.gz", T1 " one\n", .gzip = true, .behind = "xyz"},
    {"torn.ndjson.gz", RECORD(T1, "one") RECORD(T2, "three"), .gzip = true,
     .lacks = 14},
    {"zeros.gz", T1 " one\n", .gzip = true, .behind = "0000"},
    {"dead", "x", .dead = true},
    {"day.ndjson", DAY_ONE DAY_TWO DAY_THREE, .gzip = false},
    {"stale.ndjson", DAY_ONE DAY_TWO DAY_THREE, .gzip = false},
    {"odd.ndjson", DAY_ONE DAY_TWO DAY_THREE, .gzip = false},
    {"_day.receipt.json", receipts[0], .gzip = false},
    {"_stale.receipt.json", receipts[1], .gzip = false},
    {"_odd.receipt.json", "{", .gzip = false},
    {"_text.receipt.json", receipts[2], .gzip = false},
    {"csv.ndjson", DAY_ONE DAY_TWO DAY_THREE, .gzip = false},
    {"br.ndjson", DAY_ONE DAY_TWO DAY_THREE, .gzip = false},
    {"whole.ndjson", DAY_ONE DAY_TWO DAY_THREE, .gzip = false},
    {"_csv.receipt.json", receipts[3], .gzip = false},
    {"_br.receipt.json", receipts[4], .gzip = false},
    {"_whole.receipt.json", receipts[5], .gzip = false},
    {"text.log", TEXT_ONE TEXT_TWO, .gzip = false},
};

/* What archive would have written: a block a record, the last two of text in
 * one. */
static void write_receipts(void)
{
    static struct index ndjson, text;
    struct receipt r = {
        .key = view_of("k"), .etag = view_of("\"e\""),
        .account = view_of("1"), .region = view_of("r"),
        .group = view_of("/g"), .via = view_of("read"),
        .from_ms = t0_ms, .until_ms = t0_ms + 5000,
        .timezone = view_of("UTC"), .format = view_of("ndjson"),
        .fields = 7, .compression = view_of("none"),
        .tool_version = view_of("0"), .counted = true,
        .bytes_stored = sizeof DAY_ONE DAY_TWO DAY_THREE - 1,
    };
    const struct index_entry blocks[] = {
        {0, 0, t0_ms + 123, t0_ms + 123, 1},
        {sizeof DAY_ONE - 1, sizeof DAY_ONE - 1, t0_ms + 124, t0_ms + 124, 1},
        {sizeof DAY_ONE DAY_TWO - 1, sizeof DAY_ONE DAY_TWO - 1,
         t0_ms + 1000, t0_ms + 1000, 1},
    };
    struct text t;

    index_init(&ndjson);
    index_init(&text);
    for (int i = 0; i < 3; i++)
        index_add(&ndjson, &blocks[i]);
    index_add(&text, &(struct index_entry){0, 0, t0_ms, t0_ms + 5000, 2});
    tally_init(&r.tally);
    tally_init(&r.settled);
    r.tally.events = 3;
    r.tally.first_ms = r.tally.last_ms = t0_ms;
    text_init(&t, receipts[0], sizeof receipts[0]);
    receipt_write(&t, &r, &ndjson);
    r.etag = view_of("\"of another\"");
    text_init(&t, receipts[1], sizeof receipts[1]);
    receipt_write(&t, &r, &ndjson);
    r.etag = view_of("\"e\"");
    for (int i = 0; i < 3; i++) {  /* whose index is of no use */
        r.format = view_of(i == 0 ? "csv" : "ndjson");
        r.compression = view_of(i == 0 ? "none" : i == 1 ? "br" : "gzip");
        text_init(&t, receipts[3 + i], sizeof receipts[3 + i]);
        receipt_write(&t, &r, &ndjson);
    }
    r.compression = view_of("none");
    r.format = view_of("text");
    r.bytes_stored = sizeof TEXT_ONE TEXT_TWO - 1;
    text_init(&t, receipts[2], sizeof receipts[2]);
    receipt_write(&t, &r, &text);
    assert_false(t.overflow);
}

struct transport {
    struct http_exchange *x;
    const struct stored  *object;   /* NULL: 404 */
    uint8_t  bytes[STORED_BYTES];
    uint32_t len, total, from, sent, requests;
    uint32_t fetched;               /* bytes of objects, not of receipts */
    bool     ranged;
};

static struct transport net;

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
    static struct packed gzip;
    struct view data = view_of(s->data);
    uint32_t len = data.len;

    if (s->gzip) {
        gzip.len = 0;
        packed_header(&gzip, 0, 0);
        packed_deflate(&gzip, data, true);
        packed_trailer(&gzip, data);
        data = packed_view(&gzip);
        len = data.len;
    }
    assert_true(len <= STORED_BYTES);
    memcpy(net.bytes, data.at, len);
    len -= s->lacks;
    for (const char *c = s->behind; c != NULL && *c != '\0'; c++)
        net.bytes[len++] = *c == '0' ? 0 : (uint8_t)*c;
    net.len = len;
}

static const char *path_of(const struct stored *s, char path[64])
{
    snprintf(path, 64, "/%s", s->key);
    return path;
}

bool transport_start(struct transport *t, struct http_exchange *x)
{
    char path[64];
    const char *range = strstr(x->request.headers, "range:bytes=");
    unsigned from = 0, last = UINT32_MAX;

    assert_null(t->x);
    if (range != NULL)
        assert_true(sscanf(range, "range:bytes=%u-%u", &from, &last) > 0);
    t->x = x;
    t->from = from;
    t->sent = 0;
    t->requests++;
    t->object = NULL;
    for (size_t i = 0; i < ROW_COUNT(store); i++)
        if (view_ends(view_of(x->request.url), path_of(&store[i], path)) &&
            view_find(view_of(x->request.url), '?') ==
                strlen(x->request.url))
            t->object = &store[i];
    if (t->object != NULL)
        load(t->object);
    t->ranged = range != NULL;
    t->total = t->len;
    if (last < t->len)
        t->len = last + 1;
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

static void finish(int code)
{
    http_finish(net.x, code, "reset");
    net.x = NULL;
}

static void refuse(void)
{
    head("HTTP/1.1 %u x", net.object == NULL ? 404 : 503, 0);
    if (net.x->request.method != HTTP_HEAD)
        assert_true(http_body(net.x, view_of("<Error><Code>NoSuchKey</Code>"
                                             "<Message>m</Message></Error>")));
    finish(net.object == NULL ? 0 : 56);
}

static bool pump(void)
{
    struct http_exchange *x = net.x;
    uint32_t left = net.len - net.from - net.sent;

    if (x == NULL)
        return false;
    if (net.object == NULL || net.object->dead) {
        refuse();
        return true;
    }
    if (net.sent == 0) {
        head("HTTP/1.1 %u x", net.ranged ? 206 : 200, 0);
        head("content-length: %u", left, 0);
        head("content-range: bytes %u-0/%u", net.from, net.total);
        head("etag: \"e\"", 0, 0);
    }
    if (x->request.method == HTTP_HEAD) {
        finish(0);
        return true;
    }
    uint32_t len = left < 16 ? left : 16;
    bool breaks = net.object->breaks && net.requests == 1 && net.sent >= 32;
    assert_true(http_body(x, (struct view){net.bytes + net.from + net.sent,
                                           len}));
    net.sent += len;
    net.fetched += net.object->key[0] == '_' ? 0 : len;
    if (breaks || len == left)
        finish(breaks ? 56 : 0);
    return true;
}

#endif
