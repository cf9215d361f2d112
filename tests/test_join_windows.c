/* test_join_windows.c - windows at their limits: so many, so long.
 * Method: windows made by hand, the long ones such that each would be split; no
 * request is answered but one. */
#include "pack/join.h"
#include "wire.h"

enum { HOUR_MS = 3600000, LONG_MS = 10 * HOUR_MS, SHORT_MS = 60000 };

static struct site   site;
static struct join   join;
static struct lane   lanes[CFG_LANE_COUNT];
static struct lane_shared shared;
static struct arena  arena;
static uint16_t arena_next[CFG_SLOT_COUNT];
static uint8_t  arena_bytes[CFG_SLOT_COUNT * CFG_SLOT_BYTES];
static const struct join_kept kept;

static void begin_join(int64_t until_ms)
{
    wire_open(&site);
    wire.full = true;
    arena_init(&arena, (struct span){arena_bytes, sizeof arena_bytes},
               arena_next, CFG_SLOT_BYTES);
    shared = (struct lane_shared){
        .scope = {.group = view_of("g"), .form = DECODE_TEXT},
        .arena = &arena, .settled_ms = INT64_MAX,
    };
    pack_init(&shared.pack, PACK_NONE);
    join_init(&join, lanes, &shared, &site, 0, until_ms);
}

/* All of them gaps, the first so many long. */
static void open_windows(uint32_t longs)
{
    int64_t at = 0;

    begin_join(longs * LONG_MS + (JOIN_WINDOWS - longs) * SHORT_MS);
    join.page_ms = SHORT_MS;
    join.cell_ms = 1000;
    join.window_count = JOIN_WINDOWS;
    for (uint32_t i = 0; i < JOIN_WINDOWS; i++) {
        int64_t until = at + (i < longs ? LONG_MS : SHORT_MS);
        join.windows[i] = (struct join_window){at, until, JOIN_GAP};
        at = until;
    }
    assert_true(at == join.until_ms);
}

static void close_windows(void)
{
    join_cancel(&join);
    assert_int_equal(arena.free_count, CFG_SLOT_COUNT);
    wire_close();
}

static void a_lane_has_all_of_a_gap(void **state)
{
    (void)state;
    open_windows(1);
    assert_int_equal(join_step(&join, wire_now(), kept), FLOW_MOVED);
    assert_int_equal(join.window_count, JOIN_WINDOWS);
    assert_int_equal(join.windows[0].until_ms, LONG_MS);
    assert_int_equal(lanes[0].logs.until_ms, LONG_MS);
    close_windows();
    open_windows(1);
    join.window_count--;  /* there is one left, and it is split */
    join.until_ms -= SHORT_MS;
    assert_int_equal(join_step(&join, wire_now(), kept), FLOW_MOVED);
    assert_int_equal(join.window_count, JOIN_WINDOWS);
    assert_true(join.windows[0].until_ms < LONG_MS);
    assert_int_equal(lanes[0].logs.until_ms, join.windows[0].until_ms);
    close_windows();
}

/* The first lane ended too early and goes on into the next window, whose lane
 * is idle from then on; the third has read a page. */
static void what_is_left_is_not_shared_out(void **state)
{
    (void)state;
    open_windows(3);
    (void)join_step(&join, wire_now(), kept);
    logs_cancel(&lanes[0].logs);
    lanes[0].state = LANE_OPEN;
    logs_cancel(&lanes[2].logs);
    logs_begin(&lanes[2].logs, 2 * LONG_MS, 3 * LONG_MS);
    lanes[2].logs.page.more = true;
    lanes[2].logs.pages = 1;
    assert_int_equal(join_step(&join, wire_now(), kept), FLOW_MOVED);
    assert_int_equal(lanes[0].state, LANE_READING);
    assert_in_range(join.windows[0].until_ms, LONG_MS + 1, 2 * LONG_MS - 1);
    assert_int_equal(join.windows[1].lane, JOIN_GAP);
    assert_int_equal(lanes[1].state, LANE_IDLE);
    assert_int_equal(join.window_count, JOIN_WINDOWS);
    assert_int_equal(join.pages_seen[2], 1);
    assert_int_equal(lanes[2].logs.until_ms, 3 * LONG_MS);
    close_windows();
}

/* A page of one event and a third of all time: what is learned is no more than
 * all of it, and points of the grid are 34 years apart, no further. */
static void thousands_of_years(void **state)
{
    const int64_t page_ms = INT64_C(1) << 46, until = 3 * page_ms;

    (void)state;
    begin_join(until);
    assert_int_equal(join_step(&join, wire_now(), kept), FLOW_MOVED);
    struct logs *logs = &lanes[0].logs;
    logs->page = (struct logs_page){
        .last_ms = page_ms, .bytes = 1000, .events = 1, .more = true,
    };
    logs->pages = 1;
    (void)join_step(&join, wire_now(), kept);
    assert_true(join.cell_ms == until);
    assert_in_range(join.page_ms, page_ms, page_ms + page_ms / 100);
    join.page_ms = page_ms / 1000;
    join.windows[0].until_ms = page_ms;
    join.windows[1] = (struct join_window){page_ms, until, JOIN_GAP};
    join.window_count = 2;
    assert_int_equal(join_step(&join, wire_now(), kept), FLOW_MOVED);
    assert_true(join.window_count > 2);
    for (uint32_t i = 1; i < join.window_count; i++)
        assert_int_equal(join.windows[i].from_ms % (INT64_C(1) << 40), 0);
    close_windows();
}

/* All of a page is here; the next lane has its turn in the midst of it. */
static void turns(void **state)
{
    static char page[CFG_LANE_RING_BYTES];
    enum { EVENTS = sizeof page / 64 };
    struct text t;
    const struct block *b;
    uint32_t steps = 0;

    (void)state;
    text_init(&t, page, sizeof page);
    text_str(&t, "{\"events\":[");
    for (uint32_t i = 0; i < EVENTS; i++) {
        text_str(&t, i == 0 ? "{\"timestamp\":1,\"eventId\":\""
                            : ",{\"timestamp\":1,\"eventId\":\"");
        text_u64(&t, i);
        text_str(&t, "\",\"message\":\"\"}");
    }
    text_str(&t, "]}");
    assert_false(t.overflow);
    begin_join(LONG_MS);
    wire.full = false;
    wire.canned_if = "POST";
    wire.canned = page;
    wire.canned_times = 1;
    for (; steps < 100 && lanes[0].open.events == 0; steps++)
        if (join_step(&join, wire_now(), kept) != FLOW_MOVED)
            (void)wire_move();
    assert_in_range(lanes[0].open.events, EVENTS / 4, EVENTS - 1);
    while ((b = join_block(&join)) == NULL && steps++ < EVENTS)
        (void)join_step(&join, wire_now(), kept);
    assert_int_equal(b->events, EVENTS);
    close_windows();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_has_all_of_a_gap),
        cmocka_unit_test(what_is_left_is_not_shared_out),
        cmocka_unit_test(thousands_of_years),
        cmocka_unit_test(turns),
    };
    return RUN(tests);
}
