/* test_part.c - lanes and parts share an arena, and nobody waits for ever.
 * Method: a small join of lanes that keep to upload.h's rules about slots, with
 * random blocks, windows, speeds and arenas from the smallest on. When nothing
 * can move although everything was tried, it is a deadlock. At the end the
 * object's CRC is that of the blocks in order. */
#include "upload_rig.h"

enum {
    LANES = 4, WINDOW_BLOCKS = 40, RUNS = 30,
    BLOCK_SLOTS = (LIMIT_PACKED_BYTES + CFG_SLOT_BYTES - 1) / CFG_SLOT_BYTES
                  + 1,
};

struct worker {
    struct chain chain;
    uint32_t lens[WINDOW_BLOCKS];  /* of the window's blocks */
    uint32_t made, moved, count;
    uint32_t window;
};

static struct chance dice;
static struct worker lanes[LANES];
static uint32_t      windows, next_window;
static uint64_t      want_crc;

static void take_window(struct worker *w)
{
    w->window = next_window++;
    w->made = w->moved = 0;
    w->count = w->window < windows
        ? 1 + (uint32_t)chance_below(&dice, WINDOW_BLOCKS) : 0;
    for (uint32_t i = 0; i < w->count; i++)
        w->lens[i] = chance_below(&dice, 3) == 0
            ? 1 + (uint32_t)chance_below(&dice, LIMIT_PACKED_BYTES)
            : LIMIT_PACKED_BYTES;
}

static struct worker *head(void)
{
    struct worker *first = &lanes[0];
    for (int i = 1; i < LANES; i++)
        first = lanes[i].window < first->window ? &lanes[i] : first;
    return first;
}

/* As pack_block() does it: only when a whole block's slots are free. */
static bool pack(struct worker *w)
{
    uint32_t kept = w == head() ? upload_slots_needed(&upload)
                                : upload_slots_wanted(&upload);
    kept += w == head() ? 0 : BLOCK_SLOTS;
    if (w->made == w->count || arena.free_count < kept + BLOCK_SLOTS)
        return false;
    for (uint32_t left = w->lens[w->made]; left > 0;) {
        struct span room = chain_reserve(&arena, &w->chain, true);
        uint32_t len = left < room.len ? left : room.len;
        uint64_t from = chance_below(&dice, sizeof content - len);
        assert_true(len > 0);
        memcpy(room.at, content + from, len);
        chain_commit(&arena, &w->chain, len);
        left -= len;
    }
    w->made++;
    return true;
}

/* The head's finished blocks go to the part as they fit. */
static bool move(void)
{
    struct worker *w = head();
    bool moved = false;
    while (w->moved < w->made && upload_room(&upload, w->lens[w->moved])) {
        for (uint32_t left = w->lens[w->moved++]; left > 0;) {
            struct view v = chain_peek(&arena, &w->chain);
            v = view_slice(v, 0, v.len < left ? v.len : left);
            want_crc = crc64_add(want_crc, v);
            upload_append(&upload, v);
            chain_consume(&arena, &w->chain, v.len);
            left -= v.len;
        }
        upload_block_end(&upload);
        moved = true;
    }
    if (w->moved == w->count && w->window < windows) {
        take_window(w);
        moved = true;
    }
    return moved;
}

static bool all_read(void)
{
    return head()->window >= windows;
}

/* One turn: everybody may do something; who goes first is chance. */
static bool turn(bool slow_network)
{
    bool moved = false;
    uint32_t first = (uint32_t)chance_below(&dice, LANES);
    for (uint32_t i = 0; i < LANES; i++) {
        if (chance_below(&dice, 3) > 0)
            moved |= pack(&lanes[(first + i) % LANES]);
        moved |= chance_below(&dice, 6) == 0 && move();
    }
    if (!slow_network || chance_below(&dice, 8) == 0)
        moved |= upload_step(&upload, wire_now()) == FLOW_MOVED ||
                 wire_move();
    return moved;
}

/* Nothing moved by chance: does anything at all? */
static bool anything(void)
{
    bool moved = move();
    for (uint32_t i = 0; i < LANES; i++)
        moved |= pack(&lanes[i]);
    return moved | (upload_step(&upload, wire_now()) == FLOW_MOVED) |
           wire_move();
}

static bool flows(uint32_t slots, uint64_t seed)
{
    chance_init(&dice, seed);
    begin(slots);
    aws_set(wire.model, "discard", 1);
    windows = 5 + (uint32_t)chance_below(&dice, 4);
    next_window = 0;
    want_crc = 0;
    for (int i = 0; i < LANES; i++) {
        chain_init(&lanes[i].chain);
        take_window(&lanes[i]);
    }
    bool ok = true;
    for (uint32_t n = 0; ok && !all_read(); n++)
        ok = turn(seed % 4 < 2) || anything();
    if (ok) {
        upload_end(&upload);
        upload_commit(&upload);
    }
    ok = ok && drive(&upload) == FLOW_ENDED && upload.crc == want_crc &&
         upload.crc_confirmed && nothing_open();
    wire_close();
    return ok && arena.free_count == arena.slot_count;
}

static void nobody_waits_for_ever(void **state)
{
    int failures = 0;
    uint32_t least = LIMIT_PART_SLOTS + BLOCK_SLOTS;
    (void)state;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        char name[64];
        uint64_t more = seed * seed * (SLOTS - least) / (RUNS * RUNS);
        uint32_t slots = least + (uint32_t)(seed % 2 == 1 ? 0 : more);
        (void)snprintf(name, sizeof name, "%u slots, seed %u", slots,
                       (unsigned)seed);
        failures += BROKEN(name, flows(slots, seed));
    }
    assert_int_equal(failures, 0);
}

static void a_part_keeps_its_bytes(void **state)
{
    struct part p;
    struct view views[LIMIT_PART_SLOTS];
    (void)state;
    arena_init(&arena, (struct span){arena_bytes, 10 * CFG_SLOT_BYTES},
               arena_next, CFG_SLOT_BYTES);
    part_init(&p);
    assert_true(part_room(&p, &arena) == 10ull * CFG_SLOT_BYTES);
    for (uint32_t at = 0; at < 100000; at += 999)
        part_append(&p, &arena, (struct view){content + at, 999});
    uint32_t bytes = (uint32_t)p.chain.bytes, at = 0;
    assert_true(part_room(&p, &arena) == 10ull * CFG_SLOT_BYTES - bytes);
    assert_true(p.crc == crc64_add(0, (struct view){content, bytes}));
    uint32_t count = chain_views(&arena, &p.chain, views, LIMIT_PART_SLOTS);
    for (uint32_t i = 0; i < count; at += views[i++].len)
        assert_memory_equal(views[i].at, content + at, views[i].len);
    assert_int_equal(at, bytes);
    part_clear(&p, &arena);
    assert_int_equal(arena.free_count, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_keeps_its_bytes),
        cmocka_unit_test(nobody_waits_for_ever),
    };
    rig_fill();
    return RUN(tests);
}
