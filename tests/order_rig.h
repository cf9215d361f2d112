/* order_rig.h - records put in order in a memory so small that a few megabytes
 * need several levels, against the model of S3.
 *
 * For test_order.c and test_order_odd.c. What comes out is held against a plain
 * stable sort. */
#ifndef FIRN_TESTS_ORDER_RIG_H
#define FIRN_TESTS_ORDER_RIG_H

#include "base/chance.h"
#include "shelf.h"
#include "ship/order.h"
#include "sort.h"
#include "wire.h"

enum {
    ROOM = sizeof(struct feed) + 64 + (2 + FEED_READERS) * CFG_RUN_BYTES,
    LAST = ROOM / 64 * 64,           /* two runs at once */
    MEMORY = LAST + CFG_RUN_BYTES,   /* and a piece */
    BYTES_MOST = 4 << 20,
    RECORDS_MOST = 60000,
};

static _Alignas(16) uint8_t memory[MEMORY];
static _Alignas(16) uint8_t last[LAST];
static char in[BYTES_MOST], want[BYTES_MOST], out[BYTES_MOST];
static uint32_t in_len, out_len;
static struct site  site;
static struct order order;
static struct catalog catalog;
static struct call call;
static struct ring reply;
static uint8_t reply_bytes[16384];

static struct sort_record records[RECORDS_MOST], other[RECORDS_MOST];

/* Records like those of files that overlap; some are of several lines, one is
 * longer than a buffer. */
static inline void make(uint32_t bytes, uint64_t seed)
{
    struct chance c;
    struct text t;
    uint32_t count = 0, at = 0;

    chance_init(&c, seed);
    text_init(&t, in, sizeof in);
    text_str(&t, "a line before all\n");
    records[count++] = (struct sort_record){0, 0, t.len};
    while (t.len < bytes) {
        uint32_t ms = (count % 5000) / 7 + (uint32_t)chance_below(&c, 3);
        at = t.len;
        text_str(&t, "2026-11-09T00:00:00.");
        text_pad(&t, ms, 3);
        text_str(&t, "Z ");
        text_u64(&t, chance_next(&c));
        uint32_t len = count == 999 ? 200000 : (uint32_t)chance_below(&c, 99);
        for (uint32_t i = 0; i < len; i++)
            text_char(&t, (char)('a' + i % 26));
        text_str(&t, chance_below(&c, 9) == 0 ? "\n  at f\n\n" : "\n");
        records[count++] = (struct sort_record){1 + ms, at, t.len - at};
    }
    assert_true(!t.overflow && count < RECORDS_MOST);
    in_len = t.len;
    sort_stably(records, other, count);
    for (uint32_t i = at = 0; i < count; at += records[i++].len)
        memcpy(want + at, in + records[i].at, records[i].len);
}

static inline void begin(bool resumed)
{
    order_init(&order, &(struct order_setup){
        .site = &site, .call = &call,
        .bucket = view_of("archive"),
        .beside = view_of("a/_b."),
        .memory = {memory, sizeof memory},
        .last_bytes = LAST,
        .resumed = resumed,
    });
    out_len = 0;
}

/* Steps until it ends, fails, or has begun so many requests. */
static inline enum flow drive(uint32_t *fed, uint32_t requests)
{
    for (;;) {
        if (wire.started >= requests)
            return FLOW_WANT_EVENT;
        enum flow flow = order_step(&order, wire_now());
        if (flow == FLOW_WANT_INPUT) {
            uint32_t len = in_len - *fed < 50000 ? in_len - *fed : 50000;
            struct view piece = {(uint8_t *)in + *fed, len};
            if (len == 0)
                order_end(&order);
            else
                order_add(&order, &piece);
            *fed += len - piece.len;
        } else if (flow == FLOW_WANT_ROOM) {
            struct view v = order_peek(&order);
            assert_true(v.len > 0 && out_len + v.len <= sizeof out);
            memcpy(out + out_len, v.at, v.len);
            out_len += v.len;
            order_consume(&order, v.len);
        } else if (flow == FLOW_ENDED && order.state == ORDER_SORTED) {
            memset(memory, 0xdd, sizeof memory);
            order_give(&order, (struct span){last, sizeof last});
        } else if (flow == FLOW_ENDED || flow == FLOW_FAILED) {
            return flow;
        } else if (flow == FLOW_WANT_EVENT && !wire_move()) {
            int64_t at = order_wake_ms(&order), net = wire_wake_ms();
            at = net < at ? net : at;
            assert_true(at < INT64_MAX);
            wire.mono_ms = at > wire.mono_ms ? at : wire.mono_ms + 1;
        }
    }
}

static inline bool sorts(bool resumed)
{
    uint32_t fed = 0;

    begin(resumed);
    enum flow flow = drive(&fed, UINT32_MAX);
    if (flow != FLOW_ENDED)
        fprintf(stderr, "  %s: %s\n", order.fault.what, order.fault.words);
    return flow == FLOW_ENDED && row_number(out_len, in_len) &&
           memcmp(out, want, in_len) == 0;
}

static inline bool clears(void)
{
    struct aws_object_info info;
    uint32_t fed = 0;

    order_clear(&order, &catalog);
    return drive(&fed, UINT32_MAX) == FLOW_ENDED &&
           order.state == ORDER_CLEARED &&
           aws_object_at(wire.model, "archive", 0, &info) &&
           aws_is(info.key, "a/_b") &&
           !aws_object_at(wire.model, "archive", 1, &info);
}

static inline void open_store(void)
{
    wire_open(&site);
    site.give_up_ms = 60000;
    ring_init(&reply, reply_bytes, sizeof reply_bytes);
    call_init(&call, &site, &reply);
    assert_true(shelf_put(wire.model, "archive", "a/_b", view_of("stays")));
}

static inline uint32_t count(const char *operation)
{
    return (uint32_t)aws_counted(wire.model, operation).requests;
}

#endif
