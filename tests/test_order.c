/* test_order.c - any amount of records comes out in order of time.
 * Method: of several sizes, with nothing or some of it there already; every
 * request is faulted in turn; the process is killed at every request, and the
 * next one goes on; afterwards nothing is left below the prefix. */
#include "order_rig.h"

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
    /* a level's last run may not be whole: from there on it is made again */
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
    /* As few are merged at once as leave a run for each reader. */
    assert_int_equal(order_fan(&g, 10 * FEED_READERS), 10);
    assert_int_equal(order_fan(&g, 1000 * TOURNAMENT_MOST), g.fan_in);
    g.last_fan_in = 2;
    assert_int_equal(order_fan(&g, 10), 5);
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
        cmocka_unit_test(both_profiles),
    };
    return RUN(tests);
}
