/* test_order_odd.c - an order whose store is not left alone, or refuses.
 * Method: runs that someone writes over, other objects beside them, requests
 * refused, and records at the memory's end. */
#include "order_rig.h"

/* Up to where it asks for the first run that it is to merge, or to give. */
static void drive_to(enum order_state wanted)
{
    uint32_t fed = 0;
    while (order.state != wanted)
        assert_int_equal(drive(&fed, wire.started + 1), FLOW_WANT_EVENT);
}

/* A run: so many records of so many bytes each. */
static void put_run(const char *key, uint32_t count, uint32_t len, bool falls)
{
    static uint8_t bytes[4096];
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++, at += RUN_HEAD_BYTES + len) {
        run_head_write(bytes + at, (struct sortrun_head){falls ? 9 - i : i,
                                                         len});
        memset(bytes + at + RUN_HEAD_BYTES, '\n', len);
    }
    run_head_write(bytes + at, (struct sortrun_head){0, 0});
    assert_true(shelf_put(wire.model, "archive", key,
                          (struct view){bytes, at + RUN_HEAD_BYTES +
                                               (count == 0 ? len : 0)}));
}

/* Someone writes over a run. */
static void runs_that_are_not_ours(void **state)
{
    static const struct {
        const char *name;
        uint32_t bytes;
        enum order_state when;
        uint32_t count, len;
        bool falls;
    } row[] = {
        {"out of order, merged", 1300000, ORDER_MERGING, 5, 10, true},
        {"out of order, given", 1, ORDER_GIVING, 5, 10, true},
        {"fewer records", 1, ORDER_GIVING, 0, 0, false},
        {"none, and bytes behind its end", 1, ORDER_GIVING, 0, 99, false},
        {"more records", 1, ORDER_GIVING, 9, 10, false},
        {"as many, of other bytes", 1, ORDER_GIVING, 1, 3, false},
    };
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(row); i++) {
        uint32_t fed = 0;
        make(row[i].bytes, i);
        open_store();
        begin(false);
        drive_to(row[i].when);
        put_run("a/_b.run-0-000000-000000", row[i].count, row[i].len,
                row[i].falls);
        failures += BROKEN(row[i].name, drive(&fed, UINT32_MAX) ==
                                            FLOW_FAILED &&
                           row_number(order.fault.error, ERROR_CORRUPT));
        failures += BROKEN(row[i].name, clears());
        wire_close();
    }
    assert_int_equal(failures, 0);
}

/* Cleared is what has the name of a run, to the letter; in batches. */
static void what_else_is_there_stays(void **state)
{
    static const char *const others[] = {
        "a/_b.run-0", "a/_b.run-0-000000-00000x", "a/_b.run-0-000000-00000:",
        "a/_b.run-0-000000-00000/", "a/_b.run-0-000000-0000000",
        "a/_b.run-0-000000_000000", "a/_b.run-0-000000-000000/_y.run-0-000000-"
        "000000",
    };
    char key[64];
    struct aws_object_info info;
    uint32_t fed = 0;

    (void)state;
    open_store();
    begin(false);
    for (size_t i = 0; i < ROW_COUNT(others); i++)
        assert_true(shelf_put(wire.model, "archive", others[i],
                              view_of("x")));
    for (int i = 0; i < 1100; i++) {
        (void)snprintf(key, sizeof key, "a/_b.run-0-%06d-000000", i);
        assert_true(shelf_put(wire.model, "archive", key, view_of("x")));
    }
    assert_true(aws_fault(wire.model, "DeleteObjects error=AccessDenied"));
    order_clear(&order, &catalog);
    assert_int_equal(drive(&fed, UINT32_MAX), FLOW_FAILED);
    assert_int_equal(order.fault.error, ERROR_DENIED);
    assert_true(aws_object(wire.model, "archive", key, &info));
    aws_clear_faults(wire.model);
    assert_true(aws_fault(wire.model, "ListObjectsV2 error=AccessDenied"));
    order_clear(&order, &catalog);
    assert_int_equal(drive(&fed, UINT32_MAX), FLOW_FAILED);
    assert_int_equal(order.fault.error, ERROR_DENIED);
    aws_clear_faults(wire.model);
    for (uint32_t nth = 0; order.state != ORDER_CLEARED; nth++) {
        order_clear(&order, &catalog);  /* cancelled, and begun again */
        (void)drive(&fed, wire.started + nth + 1);
        order_cancel(&order);
    }
    assert_int_equal(order_step(&order, wire_now()), FLOW_ENDED);
    assert_true(order_wake_ms(&order) == INT64_MAX);
    for (size_t i = 0; i < ROW_COUNT(others); i++)
        assert_true(aws_object(wire.model, "archive", others[i], &info));
    assert_false(aws_object_at(wire.model, "archive", ROW_COUNT(others) + 1,
                               &info));
    wire_close();
}

static void names_of_runs(void **state)
{
    static const struct { const char *file; bool is; } row[] = {
        {"_b.run-0-000000-000000", true}, {"_.run-9-999999-123456", true},
        {".run-0-000000-000000", false}, {"b.run-0-000000-000000", false},
        {"_b.run-0-000000-00000", false}, {"_b.run-:-000000-000000", false},
        {"_b.run-/-000000-000000", false}, {"_b.ruN-0-000000-000000", false},
        {"_", false}, {"", false},
    };
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(row); i++)
        failures += BROKEN(row[i].file,
                           order_is_run(view_of(row[i].file)) == row[i].is);
    assert_int_equal(failures, 0);
}

/* Only a request is waited for. */
static void when_it_wakes(void **state)
{
    static const enum order_state idle[] = {
        ORDER_GATHERING, ORDER_SORTED, ORDER_GIVEN, ORDER_CLEARED,
        ORDER_FAILED,
    };
    uint32_t fed = 0;

    (void)state;
    open_store();
    make(1300000, 9);
    assert_true(sorts(false));
    begin(true);
    while (order.state != ORDER_SEEKING)  /* what was there */
        assert_int_equal(drive(&fed, wire.started + 1), FLOW_WANT_EVENT);
    assert_true(order_wake_ms(&order) < INT64_MAX);
    for (size_t i = 0; i < ROW_COUNT(idle); i++) {
        order.state = idle[i];
        assert_true(order_wake_ms(&order) == INT64_MAX);
    }
    order.state = ORDER_SEEKING;
    order_cancel(&order);
    wire_close();
}

/* Of what is there already, each request refused. */
static void refused_when_resumed(void **state)
{
    static const char *const lines[] = {
        "HeadObject #1 error=AccessDenied", "HeadObject #4- error=AccessDenied",
    };
    int failures = 0;

    (void)state;
    make(1300000, 6);
    for (size_t i = 0; i < ROW_COUNT(lines); i++) {
        uint32_t fed = 0;
        open_store();
        assert_true(sorts(false));
        assert_true(aws_fault(wire.model, lines[i]));
        begin(true);
        bool held = drive(&fed, UINT32_MAX) == FLOW_FAILED &&
                    row_number(order.fault.error, ERROR_DENIED) &&
                    order_step(&order, wire_now()) == FLOW_FAILED;
        aws_clear_faults(wire.model);
        failures += BROKEN(lines[i], held && clears());
        wire_close();
    }
    assert_int_equal(failures, 0);
}

/* All lines have come when it shows that the last one fits nowhere. */
static void a_last_line_too_many(void **state)
{
    const uint32_t most = MEMORY - RUN_HEAD_BYTES - 2 * 16, line = 29;

    (void)state;
    for (uint32_t more = 0; more < 2; more++) {
        uint32_t fed = 0;
        in_len = 1 + most + more;
        memset(in, 'x', in_len);
        in[0] = '\n';
        memcpy(in + 1, "2026-11-09T00:00:00.000Z ", 25);
        in[most - line] = in[in_len - 1] = '\n';
        open_store();
        begin(false);
        enum flow flow = drive(&fed, UINT32_MAX);
        assert_int_equal(flow, more == 0 ? FLOW_ENDED : FLOW_FAILED);
        assert_true(more == 0 ? out_len == in_len
                              : order.fault.error == ERROR_LIMIT);
        assert_true(clears());
        wire_close();
    }
}

/* The read of each range broken off before its first byte, or refused. */
static void each_range_in_trouble(void **state)
{
    int failures = 0;
    bool more = true;

    (void)state;
    make(1300000, 4);
    for (uint32_t nth = 1; more; nth++) {
        char line[64];
        uint32_t fed = 0;
        open_store();
        (void)snprintf(line, sizeof line, "GetObject #%u cut=0", nth);
        assert_true(aws_fault(wire.model, line));
        failures += BROKEN(line, sorts(false));
        more = count("GetObject") > nth;
        wire_close();
        open_store();
        (void)snprintf(line, sizeof line, "GetObject #%u- error=AccessDenied",
                       nth);
        assert_true(aws_fault(wire.model, line));
        begin(false);
        enum flow flow = drive(&fed, UINT32_MAX);
        failures += BROKEN(line, !more ||
                           (flow == FLOW_FAILED &&
                            order.fault.error == ERROR_DENIED));
        order_cancel(&order);
        wire_close();
    }
    assert_int_equal(failures, 0);
}

/* What is asked for again is due before the piece that is under way. */
static void reads_go_on_while_a_piece_is_slow(void **state)
{
    (void)state;
    make(1300000, 4);
    open_store();
    assert_true(aws_fault(wire.model, "PutObject #7 hang"));
    assert_true(aws_fault(wire.model, "GetObject %300 error=InternalError "
                                      "status=500"));
    assert_true(sorts(false) && clears());
    wire_close();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_that_are_not_ours),
        cmocka_unit_test(what_else_is_there_stays),
        cmocka_unit_test(names_of_runs),
        cmocka_unit_test(when_it_wakes),
        cmocka_unit_test(refused_when_resumed),
        cmocka_unit_test(a_last_line_too_many),
        cmocka_unit_test(each_range_in_trouble),
        cmocka_unit_test(reads_go_on_while_a_piece_is_slow),
        cmocka_unit_test(a_record_too_large),
    };
    return RUN(tests);
}
