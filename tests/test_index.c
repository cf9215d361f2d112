/* test_index.c - an entry a run of blocks, for an archive of any length.
 * Method: of every length, all blocks are covered, none twice; what is no index
 * is refused; and of the first blocks, read back and gone on with, it is the
 * undisturbed one. */
#include "base/chance.h"
#include "row.h"
#include "ship/index.h"
#include "ship/receipt.h"

enum { BLOCKS = 5 * CFG_INDEX_BLOCKS };
#define DAY_FROM INT64_C(1794182400000)  /* 2026-11-09 */

static char room[RECEIPT_BYTES];
static struct index entries;
static struct chance chance;

static bool same_index(const struct index *a, const struct index *b)
{
    bool all = a->count == b->count && a->stride == b->stride &&
               a->in_last == b->in_last;
    for (uint32_t i = 0; all && i < a->count; i++) {
        const struct index_entry *e = &a->entries[i], *f = &b->entries[i];
        all = e->offset == f->offset && e->raw_offset == f->raw_offset &&
              e->least_ms == f->least_ms &&
              e->greatest_ms == f->greatest_ms && e->events == f->events;
    }
    return all;
}

/* Blocks of 100 bytes with one event a millisecond each. */
static void the_index_covers_any_length(void **state)
{
    (void)state;
    static const uint32_t lens[] = {
        0, 1, 2, 1023, 1024, 1025, 2047, 2048, 2049, 4096, 5000, 100000,
    };
    for (size_t n = 0; n < ROW_COUNT(lens); n++) {
        struct index_cursor c;
        struct index_entry e;
        uint64_t events = 0, next = 0;
        index_init(&entries);
        for (uint32_t i = 0; i < lens[n]; i++)
            index_add(&entries, &(struct index_entry){
                10 + 100ull * i, 1000ull * i, i, i + 5, 3});
        assert_true(entries.count <= CFG_INDEX_BLOCKS);
        assert_true(lens[n] < CFG_INDEX_BLOCKS ||
                    entries.count > CFG_INDEX_BLOCKS / 2);
        struct text t;
        text_init(&t, room, sizeof room);
        index_write(&t, &entries);
        index_open(&c, text_view(&t));
        while (index_next(&c, &e)) {
            assert_true(e.offset == 10 + 100 * next);
            assert_true(e.raw_offset == 1000 * next);
            assert_true(e.least_ms == (int64_t)next);
            next += entries.stride;
            uint64_t last = next < lens[n] ? next : lens[n];
            assert_true(e.greatest_ms == (int64_t)last + 4);
            events += e.events;
        }
        assert_false(c.bad);
        assert_true(events == 3ull * lens[n] && next >= lens[n]);
    }
}

static void bad_indexes(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "[", "[[", "[[]]", "[[1,2,3,4]]", "[[1,2,3,4,5,6]]", "{}",
        "[[1,2,3,4,5]", "[[1,2,3,4,5]]x", "[[1,2,3,4,5],]", "[,]",
        "[[1,2,3,4,5][1,2,3,4,5]]", "[[-1,2,3,4,5]]", "[[1,2,3,4,1e3]]",
        "[[9,2,3,4,5],[8,2,3,4,5]]", "[[1,2,3,99999999999999999999,5]]",
        "[[1,2,3,4,5]]]", "null",
    };
    int failures = 0;
    for (size_t i = 0; i < ROW_COUNT(bad); i++) {
        struct index_cursor c;
        struct index_entry e;
        index_open(&c, view_of(bad[i]));
        for (int n = 0; n < 9 && index_next(&c, &e); n++)
            continue;
        failures += BROKEN(bad[i], c.bad && !index_next(&c, &e));
    }
    assert_int_equal(failures, 0);
}

static void blanks_are_passed_over(void **state)
{
    struct index_cursor c;
    struct index_entry e;
    (void)state;
    index_open(&c, view_of(" [\t[ 1, 2,3 ,4,5 ]\r\n,\n\r[2,3,4,5,6] ] "));
    assert_true(index_next(&c, &e) && e.offset == 1 && e.least_ms == 3);
    assert_true(index_next(&c, &e) && e.offset == 2 && e.events == 6);
    assert_true(!index_next(&c, &e) && !c.bad);
}

/* --- the index of the first blocks --------------------------------------- */

static struct index_entry blocks[BLOCKS];

static void fill_blocks(uint64_t seed)
{
    uint64_t offset = 10, raw_offset = 0;
    int64_t at = DAY_FROM;
    chance_init(&chance, seed);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        int64_t until = at + (int64_t)chance_below(&chance, 3);
        blocks[i] = (struct index_entry){offset, raw_offset, at, until,
                                         chance_below(&chance, 20)};
        offset += 1 + chance_below(&chance, 90000);
        raw_offset += 1 + chance_below(&chance, 131072);
        at = until + (int64_t)chance_below(&chance, 2);
    }
}

static void add_blocks(struct index *x, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        index_add(x, &blocks[i]);
}

static struct index_head head_of(uint32_t count)
{
    struct index_head head = {.blocks = count, .greatest_ms = INT64_MIN};
    for (uint32_t i = 0; i < count; i++) {
        head.events += blocks[i].events;
        if (blocks[i].greatest_ms > head.greatest_ms)
            head.greatest_ms = blocks[i].greatest_ms;
    }
    return head;
}

static bool goes_on_alike(uint32_t count, uint32_t known, uint32_t end,
                          bool halve)
{
    static struct index x, back;
    struct index_head head = head_of(count);
    struct text t;
    index_init(&x);
    add_blocks(&x, 0, known);
    if (halve)
        index_halve(&x);
    text_init(&t, room, sizeof room);
    index_write_head(&t, &x, &head);
    if (!index_read(&back, text_view(&t), count, x.stride))
        return false;
    add_blocks(&back, count, end);
    add_blocks(&x, known, end);
    return same_index(&x, &back);
}

static void an_index_goes_on(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        if (seed % 20 == 1)
            fill_blocks(seed);
        uint32_t end = (uint32_t)chance_below(&chance, seed % 2 == 0
                           ? BLOCKS + 1 : CFG_INDEX_BLOCKS + 20);
        uint32_t known = (uint32_t)chance_below(&chance, end + 1);
        uint32_t count = (uint32_t)chance_below(&chance, known + 1);
        if (seed % 3 == 0)
            count = known;
        if (!goes_on_alike(count, known, end, seed % 5 == 0))
            fail_msg("of %d blocks, %d known, to %d", (int)count, (int)known,
                     (int)end);
    }
    for (uint32_t known = 0; known < 9; known++)
        for (uint32_t count = 0; count <= known; count++) {
            assert_true(goes_on_alike(count, known, 12, false));
            assert_true(goes_on_alike(count, known, BLOCKS, true));
        }
}

static void an_index_of_other_blocks(void **state)
{
    (void)state;
    for (uint32_t known = 1; known < BLOCKS; known = known * 2 + 1) {
        static struct index x, back;
        struct index_head head = head_of(known);
        struct text t;
        index_init(&x);
        add_blocks(&x, 0, known);
        text_init(&t, room, sizeof room);
        index_write_head(&t, &x, &head);
        struct view json = text_view(&t);
        uint64_t least = (uint64_t)(x.count - 1) * x.stride;
        for (uint64_t blocks_said = least > 8 ? least - 8 : 0;
             blocks_said < least + x.stride + 8; blocks_said++)
            assert_int_equal(index_read(&back, json, blocks_said, x.stride),
                             blocks_said > least &&
                                 blocks_said <= least + x.stride);
        assert_false(index_read(&back, json, known, 0));
        assert_false(index_read(&back, json, UINT64_MAX, x.stride));
        assert_false(index_read(&back, json, known, UINT64_MAX));
        assert_false(index_read(&back, view_of("[]"), known, x.stride));
        assert_false(index_read(&back, view_of("null"), 0, 1));
        assert_true(index_read(&back, view_of("[]"), 0, 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_covers_any_length),
        cmocka_unit_test(bad_indexes),
        cmocka_unit_test(blanks_are_passed_over),
        cmocka_unit_test(an_index_goes_on),
        cmocka_unit_test(an_index_of_other_blocks),
    };
    return RUN(tests);
}
