/* test_merge_stream.c - a merge that inflates and packs anew, or sorts.
 * Method: as test_merge_compose.c; a stream and an order whose blocks are not
 * taken at once, for want of slots too, and what fails on the way. */
#include "merge_rig.h"

enum { MEMORY = 40 * CFG_RUN_BYTES };

static struct lane_shared shared;
static struct call    call;
static struct ring    reply;
static uint8_t reply_bytes[16384];
static _Alignas(16) uint8_t memory[MEMORY];
static uint32_t got_len;

/* Blocks are taken every so many turns. */
static enum flow stream(uint32_t lazy)
{
    got_len = 0;
    for (uint32_t turn = 1; ; turn++) {
        enum flow flow = merge_step(&m, wire_now());
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (m.recut.ready && turn % lazy == 0) {
            while (m.recut.chain.bytes > 0) {
                struct view v = chain_peek(&arena, &m.recut.chain);
                memcpy(got + got_len, v.at, v.len);
                got_len += v.len;
                chain_consume(&arena, &m.recut.chain, v.len);
            }
            merge_note(&m, &journal);
            merge_take(&m);
        }
        if (flow == FLOW_WANT_EVENT && !wire_move())
            assert_true(wait());
    }
}

static void begin_stream(bool ordered, bool keep_slots)
{
    static _Alignas(16) uint8_t last[1 << 20];
    ring_init(&reply, reply_bytes, sizeof reply_bytes);
    call_init(&call, &site, &reply);
    pack_init(&shared.pack, PACK_NONE);
    shared.arena = &arena;
    merge_stream(&m, keep_slots ? &shared : NULL, NULL);
    if (ordered)
        merge_order(&m, &(struct order_setup){
            .site = &site, .call = &call,
            .bucket = view_of("archive"), .beside = view_of("_out."),
            .memory = {memory, sizeof memory}, .last_bytes = sizeof last,
        }, (struct span){last, sizeof last});
}

/* Half a megabyte of lines with equal times: in order they stay as they are. */
static void fill_large(void)
{
    static const char line[] = "2026-11-09T00:00:00.000Z and so on\n";
    for (uint32_t i = 0; i < 5; i++) {
        uint8_t *from = want + want_len;
        char key[32];
        while (want + want_len < from + 100000) {
            memcpy(want + want_len, line, sizeof line - 1);
            want_len += (uint32_t)sizeof line - 1;
        }
        uint32_t len = (uint32_t)(want + want_len - from);
        (void)snprintf(key, sizeof key, "in/%04u", i);
        put(key, (struct view){from, len - i % 2});  /* some lack the newline */
    }
}

static void streams_are_the_lines(void **state)
{
    int failures = 0;
    (void)state;
    for (int ordered = 0; ordered < 2; ordered++)
        for (uint32_t lazy = 1; lazy < 50; lazy += 23) {
            open_world();
            fill_large();
            begin_stream(ordered, true);
            bool ok = stream(lazy) == FLOW_ENDED && got_len == want_len &&
                      memcmp(got, want, want_len) == 0 && m.recut.glued;
            if (ordered)
                order_cancel(&m.order);
            failures += BROKEN(ordered ? "ordered" : "streamed", ok);
            close_world();
        }
    assert_int_equal(failures, 0);
}

static void the_last_block_waits_for_slots(void **state)
{
    struct chain taken;
    (void)state;
    open_world();
    put_lines(0, 100, true);
    begin_stream(false, true);
    chain_init(&taken);
    while (arena.free_count >= PACK_SLOTS) {
        struct span room = chain_reserve(&arena, &taken, true);
        chain_commit(&arena, &taken, room.len);
    }
    enum flow flow;
    while ((flow = merge_step(&m, wire_now())) != FLOW_WANT_ROOM)
        if (flow != FLOW_MOVED && !wire_move())
            assert_true(wait());
    assert_false(m.recut.ready);
    chain_clear(&arena, &taken);
    assert_int_equal(stream(1), FLOW_ENDED);
    assert_true(got_len == 100 && memcmp(got, want, 100) == 0);
    close_world();
}

static const struct fault_row {
    const char *name, *fault, *about;
    bool        ordered;
    enum error  error;
} fault_rows[] = {
    {"the list", "ListObjectsV2 error=AccessDenied status=403", "", false,
     ERROR_DENIED},
    {"an object", "GetObject #2 error=AccessDenied status=403", "in/0001",
     false, ERROR_DENIED},
    {"a run", "PutObject error=AccessDenied status=403", "", true,
     ERROR_DENIED},
    {"a run read back", "GetObject #7- error=NoSuchKey status=404", "", true,
     ERROR_MISSING},
};

static void faults_come_out(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(fault_rows); i++) {
        const struct fault_row *row = &fault_rows[i];
        open_world();
        fill_large();
        assert_true(aws_fault(wire.model, row->fault));
        begin_stream(row->ordered, true);
        failures += BROKEN(row->name, stream(1) == FLOW_FAILED &&
                           row_number(m.fault.error, row->error) &&
                           row_string(m.about, row->about) &&
                           merge_step(&m, wire_now()) == FLOW_FAILED);
        close_world();
    }
    assert_int_equal(failures, 0);
}

/* What the packed rows are, as a stream and only counted. */
static void streams_of_packed_objects(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(packed_rows); i++)
        for (int checks = 0; checks < 2; checks++) {
            const struct packed_row *row = &packed_rows[i];
            open_world();
            fill_packed(row);
            begin_stream(false, !checks);
            enum flow flow = stream(1);
            bool good = row->error == ERROR_NONE;
            failures += BROKEN(row->name,
                flow == (good ? FLOW_ENDED : FLOW_FAILED) &&
                row_string(m.about, row->about) &&
                (!good || checks == (got_len == 0)) &&
                (!good || m.mixed == (row->words != NULL &&
                                      strstr(row->words, "differ") != NULL)));
            close_world();
        }
    assert_int_equal(failures, 0);
}

/* Into a place among them, beside another archive. */
static void another_archive_among_them(void **state)
{
    (void)state;
    for (int streamed = 0; streamed < 2; streamed++) {
        open_world();
        names.own.key = view_of("in/out");
        merge_init(&m, &site, &names);
        put_lines(0, 100, true);
        put("in/_a.receipt.json", view_of("{}"));
        if (streamed)
            begin_stream(false, true);
        else
            merge_plan(&m);
        assert_int_equal(stream(1), FLOW_FAILED);
        assert_int_equal(m.fault.error, ERROR_CONFIG);
        assert_true(row_string(m.about, "in/_a.receipt.json"));
        close_world();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_the_lines),
        cmocka_unit_test(the_last_block_waits_for_slots),
        cmocka_unit_test(faults_come_out),
        cmocka_unit_test(streams_of_packed_objects),
        cmocka_unit_test(another_archive_among_them),
    };
    return RUN(tests);
}
