/* test_order.c - any amount of records comes out in order of time.
 * Method: against the model of S3, in a memory so small that a few megabytes
 * need several levels; what comes out is held against a plain stable sort.
 * Every request is faulted in turn; the process is killed at every request, and
 * the next one goes on; afterwards nothing is left below the prefix. */
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
static void make(uint32_t bytes, uint64_t seed)
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

static void begin(bool resumed)
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
static enum flow drive(uint32_t *fed, uint32_t requests)
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

static bool sorts(bool resumed)
{
    uint32_t fed = 0;

    begin(resumed);
    enum flow flow = drive(&fed, UINT32_MAX);
    if (flow != FLOW_ENDED)
        fprintf(stderr, "  %s: %s\n", order.fault.what, order.fault.words);
    return flow == FLOW_ENDED && row_number(out_len, in_len) &&
           memcmp(out, want, in_len) == 0;
}

static bool clears(void)
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

static void open_store(void)
{
    wire_open(&site);
    site.give_up_ms = 60000;
    ring_init(&reply, reply_bytes, sizeof reply_bytes);
    call_init(&call, &site, &reply);
    assert_true(shelf_put(wire.model, "archive", "a/_b", view_of("stays")));
}

static uint32_t count(const char *operation)
{
    return (uint32_t)aws_counted(wire.model, operation).requests;
}

static void sizes(void **state)
{
    static const struct { uint32_t bytes, runs, levels; } row[] = {
        {1, 1, 0}, {300000, 1, 0}, {700000, 2, 0}, {1300000, 2, 1},
        {3500000, 2, 2},
    };
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(row); i++) {
        make(row[i].bytes, i);
        open_store();
        assert_true(sorts(false));
        assert_int_equal(order.level, row[i].levels);
        assert_int_equal(order.runs, row[i].runs);
        assert_int_equal(count("HeadObject"), 0);
        struct order_price p = order_price(in_len, MEMORY, LAST);
        assert_int_equal(p.passes, row[i].levels);
        assert_in_range(count("GetObject"), p.gets / 2, p.gets * 3 / 2);
        assert_in_range(count("PutObject") - 1, p.puts / 2, p.puts * 3 / 2);
        assert_true(clears());
        wire_close();
    }
}

static void nothing_is_nothing(void **state)
{
    (void)state;
    in_len = 0;
    open_store();
    assert_true(sorts(false));
    assert_true(clears());
    assert_int_equal(count("PutObject"), 1);  /* the test's own */
    wire_close();
}

static void what_is_there_is_not_sent_again(void **state)
{
    (void)state;
    make(3500000, 2);
    open_store();
    assert_true(sorts(false));
    uint32_t puts = count("PutObject");
    assert_true(sorts(true));
    /* the last run of a level may not be whole: from there on it is made again */
    assert_true(count("PutObject") - puts < puts * 3 / 4);
    make(3500000, 3);  /* another source */
    assert_true(sorts(true));
    assert_true(clears());
    wire_close();
}

static void every_request_faulted(void **state)
{
    static const char *const manners[] = {
        "lost", "reset", "cut=?", "stall=3000",
        "error=InternalError status=500", "after error=SlowDown status=503",
    };
    int failures = 0;
    bool more = true;

    (void)state;
    make(1300000, 4);
    for (uint32_t nth = 2; more; nth++)
        for (size_t i = nth % 3; i < ROW_COUNT(manners); i += 3) {
            char line[64];
            open_store();
            (void)snprintf(line, sizeof line, "* #%u %s", nth, manners[i]);
            assert_true(aws_fault(wire.model, line));
            failures += BROKEN(line, sorts(false) && clears());
            more = count("*") >= nth;
            wire_close();
        }
    assert_int_equal(failures, 0);
}

/* Before or after the request took effect. */
static void killed_at_every_request(void **state)
{
    int failures = 0;
    bool more = true;

    (void)state;
    make(1300000, 5);
    for (uint32_t nth = 1; more; nth++) {
        uint32_t fed = 0;
        open_store();
        begin(false);
        more = drive(&fed, nth) != FLOW_ENDED;
        if (nth % 2 == 0)
            (void)wire_move();
        order_cancel(&order);
        failures += BROKEN("killed", sorts(true) && clears());
        wire_close();
    }
    assert_int_equal(failures, 0);
}

static void faults_come_out(void **state)
{
    static const struct {
        const char *line;
        enum error  error;
    } row[] = {
        {"PutObject #3 error=AccessDenied", ERROR_DENIED},
        {"GetObject #3 error=AccessDenied", ERROR_DENIED},
        {"GetObject #5 error=NoSuchKey", ERROR_MISSING},
        {"PutObject #3- flip=5000", ERROR_CORRUPT},
    };
    int failures = 0;

    (void)state;
    make(1300000, 6);
    for (size_t i = 0; i < ROW_COUNT(row); i++) {
        uint32_t fed = 0;
        open_store();
        assert_true(aws_fault(wire.model, row[i].line));
        begin(false);
        bool held = drive(&fed, UINT32_MAX) == FLOW_FAILED &&
                    row_number(order.fault.error, row[i].error) &&
                    order_step(&order, wire_now()) == FLOW_FAILED;
        aws_clear_faults(wire.model);
        failures += BROKEN(row[i].line, held && clears());
        wire_close();
    }
    assert_int_equal(failures, 0);
}

static void a_record_too_large(void **state)
{
    uint32_t fed = 0;

    (void)state;
    memset(in, 'x', sizeof in);
    in_len = MEMORY;
    open_store();
    begin(false);
    assert_int_equal(drive(&fed, UINT32_MAX), FLOW_FAILED);
    assert_int_equal(order.fault.error, ERROR_LIMIT);
    assert_true(clears());
    wire_close();
}

static void both_profiles(void **state)
{
    struct order_geometry g = order_geometry(340 * 16384, 640 << 10);

    (void)state;
    assert_int_equal(g.piece_bytes % CFG_RUN_BYTES, 0);
    assert_int_equal(g.fan_in, TOURNAMENT_MOST);
    g = order_geometry(CFG_SLOT_COUNT * CFG_SLOT_BYTES,
                       (CFG_SLOT_COUNT - LIMIT_PART_SLOTS - 8) *
                           CFG_SLOT_BYTES);
    assert_int_equal(g.fan_in, TOURNAMENT_MOST);
    assert_int_equal(g.last_fan_in, TOURNAMENT_MOST);
    /* Fewer runs have larger buffers. */
    assert_int_equal(feed_buffer_bytes(8 << 20, TOURNAMENT_MOST), 128 << 10);
    assert_int_equal(feed_buffer_bytes(8 << 20, 2), 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(nothing_is_nothing),
        cmocka_unit_test(what_is_there_is_not_sent_again),
        cmocka_unit_test(every_request_faulted),
        cmocka_unit_test(killed_at_every_request),
        cmocka_unit_test(faults_come_out),
        cmocka_unit_test(a_record_too_large),
        cmocka_unit_test(both_profiles),
    };
    return RUN(tests);
}
