/* test_chain.c - every slot is in one chain or free, and bytes keep order.
 * Method: random pushes and pulls on three chains of one arena, held against
 * counting patterns; then a few cases by hand. */
#include "base/chain.h"
#include "base/chance.h"
#include "row.h"

enum { SLOTS = 13, SLOT_BYTES = 8, CHAINS = 3 };

struct bench {
    uint8_t      bytes[SLOTS * SLOT_BYTES];
    uint16_t     next[SLOTS];
    struct arena arena;
    struct chain chain[CHAINS];
    uint32_t     written[CHAINS], read[CHAINS];
};

static void setup(struct bench *b)
{
    memset(b, 0, sizeof *b);
    arena_init(&b->arena, (struct span){b->bytes, sizeof b->bytes}, b->next,
               SLOT_BYTES);
    for (int i = 0; i < CHAINS; i++)
        chain_init(&b->chain[i]);
}

static void push(struct bench *b, uint32_t which, uint32_t most)
{
    struct chain *c = &b->chain[which];
    struct span room = chain_reserve(&b->arena, c, true);
    uint32_t len = most < room.len ? most : room.len;
    for (uint32_t i = 0; i < len; i++)
        room.at[i] = (uint8_t)b->written[which]++;
    chain_commit(&b->arena, c, len);
}

static bool pull(struct bench *b, uint32_t which, uint32_t most)
{
    struct chain *c = &b->chain[which];
    struct view v = chain_peek(&b->arena, c);
    uint32_t len = most < v.len ? most : v.len;
    for (uint32_t i = 0; i < len; i++)
        if (v.at[i] != (uint8_t)b->read[which]++)
            return false;
    chain_consume(&b->arena, c, len);
    return true;
}

static bool adds_up(const struct bench *b)
{
    uint32_t slots = b->arena.free_count, free = 0;
    uint16_t at = b->arena.free_first;
    for (; at != ARENA_NONE && free <= SLOTS; free++)
        at = b->next[at];
    for (int i = 0; i < CHAINS; i++) {
        struct view views[SLOTS];
        uint32_t count = chain_views(&b->arena, &b->chain[i], views, SLOTS);
        uint32_t bytes = 0;
        for (uint32_t v = 0; v < count; v++)
            for (uint32_t k = 0; k < views[v].len; k++)
                if (views[v].at[k] != (uint8_t)(b->read[i] + bytes++))
                    return false;
        if (bytes != b->chain[i].bytes ||
            bytes != b->written[i] - b->read[i])
            return false;
        slots += b->chain[i].slots;
    }
    return slots == SLOTS && free == b->arena.free_count;
}

static void slots_and_bytes_add_up(void **state)
{
    struct chance chance;
    struct bench b;
    int failures = 0;
    (void)state;
    setup(&b);
    chance_init(&chance, 7);
    for (int turn = 0; turn < 20000; turn++) {
        uint32_t which = (uint32_t)chance_below(&chance, CHAINS);
        uint32_t most = (uint32_t)chance_below(&chance, SLOT_BYTES + 2);
        switch (chance_below(&chance, 5)) {
        case 0: case 1:
            push(&b, which, most);
            break;
        case 2: case 3:
            failures += BROKEN("bytes come in order", pull(&b, which, most));
            break;
        default:
            if (chance_below(&chance, 20) > 0)
                break;
            chain_clear(&b.arena, &b.chain[which]);
            b.read[which] = b.written[which];
        }
        failures += BROKEN("slots and bytes add up", adds_up(&b));
    }
    assert_int_equal(failures, 0);
    assert_int_equal(b.arena.used_peak, SLOTS);
}

static void a_slot_is_taken_only_with_leave(void **state)
{
    struct bench b;
    (void)state;
    setup(&b);
    assert_int_equal(chain_reserve(&b.arena, &b.chain[0], false).len, 0);
    assert_int_equal(b.chain[0].slots, 0);
    push(&b, 0, 3);
    assert_int_equal(chain_reserve(&b.arena, &b.chain[0], false).len, 5);
    push(&b, 0, 5);
    assert_int_equal(chain_reserve(&b.arena, &b.chain[0], false).len, 0);
}

static void an_empty_chain_holds_no_slot(void **state)
{
    struct bench b;
    (void)state;
    setup(&b);
    push(&b, 0, 8);
    push(&b, 0, 3);
    assert_int_equal(b.chain[0].slots, 2);
    chain_consume(&b.arena, &b.chain[0], 11);
    assert_int_equal(b.chain[0].slots, 0);
    assert_int_equal(b.arena.free_count, SLOTS);
    assert_int_equal(chain_peek(&b.arena, &b.chain[0]).len, 0);
}

static void chance_is_replayed_by_its_seed(void **state)
{
    struct chance c;
    (void)state;
    chance_init(&c, 1234567);  /* the values of the reference code */
    assert_true(chance_next(&c) == 6457827717110365317u);
    assert_true(chance_next(&c) == 3203168211198807973u);
    for (int i = 0; i < 100; i++)
        assert_true(chance_below(&c, 3) < 3);
    assert_true(chance_below(&c, 1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_and_bytes_add_up),
        cmocka_unit_test(a_slot_is_taken_only_with_leave),
        cmocka_unit_test(an_empty_chain_holds_no_slot),
        cmocka_unit_test(chance_is_replayed_by_its_seed),
    };
    return RUN(tests);
}
