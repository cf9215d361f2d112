/* test_lane.c - one window by itself: how it ends, waits, fails, is trimmed.
 * Method: a script of replies, a page of one event each, long enough that a few
 * of them fill a cell of the grid; blocks stay as they are (PACK_NONE). */
#include "pack/lane.h"
#include "wire.h"

enum {
    DAY = 1000000, MESSAGE = 55000, SLOTS = CFG_SLOT_COUNT,
    CELL_EVENTS = CFG_CELL_BYTES / MESSAGE + 1,
    PAGES = CELL_EVENTS + 4,
};

static struct site site;
static struct lane lane;
static struct lane_shared shared;
static struct arena arena;
static uint16_t arena_next[SLOTS];
static uint8_t  arena_bytes[SLOTS * CFG_SLOT_BYTES];
static char bodies[PAGES][MESSAGE + 200];
static uint32_t page_count, answered;

/* A page with an event so long after the day began; the last has no token. */
static void add_page(int at)
{
    char *to = bodies[page_count++];
    int len = sprintf(to, "{\"events\":[{\"timestamp\":%d,\"eventId\":\"e%u\","
                      "\"message\":\"", DAY + at, page_count);
    memset(to + len, 'x', MESSAGE);
    len += MESSAGE;
    (void)sprintf(to + len, "\"}],\"nextToken\":\"t%u\"}", page_count);
}

static void last_page(void)
{
    strcpy(bodies[page_count++], "{\"events\":[]}");
}

static void begin_lane(int from, int until, bool last)
{
    wire_open(&site);
    answered = 0;
    arena_init(&arena, (struct span){arena_bytes, sizeof arena_bytes},
               arena_next, CFG_SLOT_BYTES);
    shared = (struct lane_shared){
        .scope = {.group = view_of("g"), .form = DECODE_TEXT},
        .arena = &arena, .day_ms = DAY, .settled_ms = INT64_MAX,
    };
    pack_init(&shared.pack, PACK_NONE);
    lane_init(&lane, &site, &shared);
    assert_int_equal(lane_step(&lane, wire_now(), (struct lane_policy){0}),
                     FLOW_ENDED);  /* no window yet */
    lane_begin(&lane, DAY + from, DAY + until, last);
}

static void answer(void)
{
    wire.canned_if = "POST";
    wire.canned = bodies[answered];
    wire.canned_times = 1;
    if (!wire_move())
        wire.mono_ms += 100;
    answered += wire.canned_times == 0;
}

/* Until it ends, or so many pages were read. */
static enum flow drive(uint32_t most)
{
    for (;;) {
        enum flow flow = lane_step(&lane, wire_now(), (struct lane_policy){0});
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (lane.logs.pages >= most)
            return flow;
        if (flow == FLOW_WANT_EVENT)
            answer();
    }
}

static void end_lane(void)
{
    lane_cancel(&lane);
    wire_close();
    assert_int_equal(lane.state, LANE_IDLE);
    assert_int_equal(arena.free_count, SLOTS);
    page_count = 0;
}

/* Its end is a block's if it ends the day, or a full cell. */
static void how_it_ends(void **state)
{
    (void)state;
    add_page(150);
    last_page();
    begin_lane(100, 192, false);
    assert_int_equal(drive(UINT32_MAX), FLOW_ENDED);
    assert_int_equal(lane.state, LANE_OPEN);
    assert_int_equal(lane_step(&lane, wire_now(), (struct lane_policy){0}),
                     FLOW_ENDED);
    assert_null(lane_block(&lane));
    page_count = 0;
    last_page();  /* and goes on */
    answered = 0;
    lane_change_end(&lane, DAY + 256, true);
    assert_int_equal(drive(UINT32_MAX), FLOW_ENDED);
    assert_int_equal(lane.state, LANE_ENDED);
    assert_int_equal(lane_block(&lane)->raw_bytes,
                     MESSAGE + sizeof "1970-01-01T00:16:40.150Z ");
    assert_int_equal(lane_block(&lane)->begin_ms, DAY + 100);
    end_lane();
}

/* Without room it asks all the same, so that the reply is there then; if that
 * fails, so does the lane. */
static void without_room(void **state)
{
    const struct lane_policy none = {.slots_kept = SLOTS};
    (void)state;
    for (int stopped = 0; stopped < 2; stopped++) {
        add_page(150);
        last_page();
        begin_lane(0, 192, true);
        if (stopped) {
            site.deadline_mono_ms = wire.mono_ms;
            assert_int_equal(lane_step(&lane, wire_now(), none), FLOW_FAILED);
            assert_int_equal(lane.state, LANE_FAILED);
            assert_int_equal(lane.logs.fault.error, ERROR_STOPPED);
            assert_int_equal(lane_step(&lane, wire_now(), none), FLOW_FAILED);
        } else {
            assert_int_equal(lane_step(&lane, wire_now(), none), FLOW_MOVED);
            assert_int_equal(lane_step(&lane, wire_now(), none),
                             FLOW_WANT_ROOM);
            assert_true(lane.full && wire.started == 1);
            assert_int_equal(drive(UINT32_MAX), FLOW_ENDED);
            assert_false(lane.full);
        }
        end_lane();
    }
}

/* As many blocks as it may hold, however small. */
static void without_a_place_for_a_block(void **state)
{
    (void)state;
    add_page(150);
    last_page();
    begin_lane(0, 192, true);
    lane.blocks_made = CFG_LANE_BLOCKS;
    assert_int_equal(lane_step(&lane, wire_now(), (struct lane_policy){0}),
                     FLOW_MOVED);
    assert_true(lane.full && wire.started == 1);
    lane_take(&lane);
    assert_int_equal(drive(UINT32_MAX), FLOW_ENDED);
    assert_int_equal(lane.blocks_made, CFG_LANE_BLOCKS + 1);
    end_lane();
}

/* The cell before 192 is full; the lane began within a larger one. */
static void read_a_cell(void)
{
    for (int i = 0; i < CELL_EVENTS; i++)
        add_page(130 + i);
    add_page(200);
    add_page(150);  /* that is late */
    last_page();
    begin_lane(100, 1000, true);
    while (lane.start.at_ms == INT64_MAX)
        (void)drive(lane.logs.pages + 1);
    assert_int_equal(lane.start.at_ms, DAY + 192);
    assert_int_equal(lane.start.blocks, lane.blocks_made);
    assert_int_equal(lane.blocks_made, (CELL_EVENTS + 1) / 2);
}

/* What was made before is dropped, and what was older does not come again. */
static void trimmed(void **state)
{
    (void)state;
    read_a_cell();
    assert_true(lane_block(&lane)->packed_bytes > CFG_SLOT_BYTES);
    lane_trim(&lane);
    assert_null(lane_block(&lane));
    assert_int_equal(lane.chain.bytes, 0);
    assert_int_equal(lane.raw_bytes, 0);
    assert_int_equal(lane.packed_bytes, 0);
    assert_int_equal(drive(UINT32_MAX), FLOW_ENDED);
    assert_int_equal(lane.state, LANE_ENDED);
    assert_int_equal(lane_block(&lane)->events, 1);
    assert_int_equal(lane_block(&lane)->begin_ms, DAY + 192);
    assert_int_equal(lane_block(&lane)->first_ms, DAY + 200);
    end_lane();
}

/* An older event spoils the start, as long as nothing was taken. */
static void disorder(void **state)
{
    (void)state;
    for (int taken = 0; taken < 2; taken++) {
        read_a_cell();
        uint32_t blocks = lane.blocks_made;
        if (taken) {
            chain_clear(&arena, &lane.chain);
            while (lane_block(&lane) != NULL)
                lane_take(&lane);
        }
        assert_int_equal(drive(UINT32_MAX), FLOW_ENDED);
        assert_true(lane.start.at_ms == (taken ? DAY + 192 : INT64_MAX));
        assert_int_equal(lane.blocks_made, blocks + 1);
        assert_int_equal(lane.blocks[blocks].events, 2);
        assert_int_equal(lane.blocks[blocks].first_ms, DAY + 150);
        assert_int_equal(lane.blocks[blocks].last_ms, DAY + 200);
        end_lane();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_it_ends),
        cmocka_unit_test(without_room),
        cmocka_unit_test(without_a_place_for_a_block),
        cmocka_unit_test(trimmed),
        cmocka_unit_test(disorder),
    };
    return RUN(tests);
}
