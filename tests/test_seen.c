/* test_seen.c - the last CFG_SEEN_EVENTS ids are known, no other.
 * Method: beside a naive queue, with many hashes that share their place in
 * the table, so that runs are long and gaps must close. */
#include "base/chance.h"
#include "fetch/seen.h"
#include "row.h"

static struct seen seen;

/* The i-th hash of a kind; `spread` places of the table are used. */
static uint64_t hash_of(uint64_t i, uint64_t spread)
{
    struct chance c;
    chance_init(&c, i);
    uint64_t place = chance_next(&c) % spread;
    return place << 32 | (i & 0xffffffff);
}

/* Adds `count` and looks: the latest CFG_SEEN_EVENTS are there. */
static int window_moves(uint64_t spread, uint64_t count, uint64_t stride)
{
    int failures = 0;
    seen_reset(&seen);
    for (uint64_t i = 0; i < count; i++) {
        failures += BROKEN("new", !seen_has(&seen, hash_of(i, spread)));
        seen_add(&seen, hash_of(i, spread));
        failures += BROKEN("added", seen_has(&seen, hash_of(i, spread)));
        if (i >= CFG_SEEN_EVENTS)
            failures += BROKEN(
                "the oldest is forgotten",
                !seen_has(&seen, hash_of(i - CFG_SEEN_EVENTS, spread)));
        if (i % stride != 0)
            continue;
        uint64_t from = i + 1 > CFG_SEEN_EVENTS ? i + 1 - CFG_SEEN_EVENTS
                                                : 0;
        for (uint64_t k = from; k <= i; k += stride == 1 ? 1 : 7)
            failures += BROKEN("kept", seen_has(&seen, hash_of(k, spread)));
    }
    return failures;
}

static void the_latest_are_known(void **state)
{
    (void)state;
    assert_int_equal(window_moves(SEEN_SLOTS, 5 * CFG_SEEN_EVENTS, 1000), 0);
}

static void crowded_places_stay_right(void **state)
{
    (void)state;
    assert_int_equal(window_moves(64, CFG_SEEN_EVENTS + 3000, 3000), 0);
}

/* Two that are equal: one may go, the other stays. */
static void equal_hashes_count_twice(void **state)
{
    (void)state;
    seen_reset(&seen);
    seen_add(&seen, 1);
    seen_add(&seen, 1);
    for (uint64_t i = 2; i < CFG_SEEN_EVENTS + 1; i++)
        seen_add(&seen, i);
    assert_true(seen_has(&seen, 1));
    seen_add(&seen, CFG_SEEN_EVENTS + 1);
    assert_false(seen_has(&seen, 1));
    assert_true(seen_has(&seen, 2));
    seen_reset(&seen);
    assert_false(seen_has(&seen, 2));
}

/* Ids that differ in one digit, or in their time, or in their length. */
static void hashes_differ(void **state)
{
    char id[64] = "36542078163923456789012345678901234567890123456789012345";
    uint64_t base = seen_hash(view_of(id), 5);
    int failures = 0;
    (void)state;
    failures += BROKEN("the same", seen_hash(view_of(id), 5) == base);
    failures += BROKEN("time", seen_hash(view_of(id), 6) != base);
    for (uint32_t len = 0; len < 56; len++) {
        uint64_t hash = seen_hash((struct view){(uint8_t *)id, len}, 5);
        failures += BROKEN("length", hash != base);
        id[len]++;
        hash = seen_hash(view_of(id), 5);
        failures += BROKEN("digit", hash != base);
        failures += BROKEN("place", (hash ^ base) >> 32 != 0 &&
                                        (uint32_t)(hash ^ base) != 0);
        id[len]--;
    }
    for (int i = 1; i < 26; i++) {  /* a time and an id that change alike */
        char letter[2] = {(char)('a' + i), '\0'};
        failures += BROKEN("both",
                           seen_hash(view_of(letter), 1000 ^ 'a' ^ letter[0])
                               != seen_hash(view_of("a"), 1000));
    }
    uint8_t zero[32] = {0};
    for (uint32_t len = 1; len < 32; len++)
        failures += BROKEN("zeros",
                           seen_hash((struct view){zero, len}, 0) !=
                               seen_hash((struct view){zero, len - 1}, 0));
    assert_int_equal(failures, 0);
}

static void few_are_looked_through_backwards(void **state)
{
    (void)state;
    seen_reset(&seen);
    assert_false(seen_has_lately(&seen, 1, 3));
    seen_add(&seen, 1);
    seen_add(&seen, 2);
    assert_true(seen_has_lately(&seen, 1, 2));
    assert_false(seen_has_lately(&seen, 1, 1));
    assert_false(seen_has_lately(&seen, 3, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_are_known),
        cmocka_unit_test(crowded_places_stay_right),
        cmocka_unit_test(equal_hashes_count_twice),
        cmocka_unit_test(hashes_differ),
        cmocka_unit_test(few_are_looked_through_backwards),
    };
    return RUN(tests);
}
