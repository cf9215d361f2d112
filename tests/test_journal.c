/* test_journal.c - whoever goes on behind any stored part ends where an
 * undisturbed run ends.
 * Method: a day of random blocks, its windows and parts at random. It is noted
 * once undisturbed; then again from every part that was stored, and by lives
 * that die anywhere and have windows of their own; all that is noted must
 * agree. Then the blocks that are read again are not those that are stored. */
#include <isa-l/crc.h>

#include "base/chance.h"
#include "base/crc.h"
#include "row.h"
#include "ship/journal.h"

enum { BLOCKS = 48, RAW_MOST = 400, SEEDS = 60, HOUR_MS = 3600000 };
#define DAY_FROM INT64_C(1794182400000)  /* 2026-11-09 */

static struct chance chance;
static uint8_t raw[BLOCKS][RAW_MOST];
static struct block blocks[BLOCKS];
static bool ends_part[BLOCKS];     /* a part closes with this block */

static struct checkpoint_stored stored[BLOCKS];  /* of the undisturbed run */
static uint32_t stored_count;
static struct journal whole;

static bool one_in(uint64_t n)
{
    return chance_below(&chance, n) == 0;
}

static void fill_block(uint32_t i, int64_t at_ms)
{
    struct block *b = &blocks[i];
    *b = (struct block){
        .raw_bytes = 1 + (uint32_t)chance_below(&chance, RAW_MOST),
        .packed_bytes = 1 + (uint32_t)chance_below(&chance, RAW_MOST),
        .events = (uint32_t)chance_below(&chance, 4),
        .first_ms = at_ms, .last_ms = at_ms + HOUR_MS / 8,
        .begin_ms = i == 0 || one_in(5) ? at_ms : BLOCK_INNER,
    };
    for (uint32_t k = 0; k < b->raw_bytes; k++)
        raw[i][k] = (uint8_t)chance_next(&chance);
    b->crc = crc32_gzip_refl(0, raw[i], b->raw_bytes);
    tally_init(&b->settled);
    tally_init(&b->late);
    for (uint32_t k = 0; k < b->events; k++)
        tally_add(one_in(4) ? &b->late : &b->settled, at_ms + k,
                  (struct view){raw[i], b->raw_bytes});
}

static void fill_day(uint64_t seed)
{
    chance_init(&chance, seed);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        fill_block(i, DAY_FROM + i * (HOUR_MS / 4));
        ends_part[i] = one_in(3);
    }
}

/* Parts and their bytes depend on the blocks alone. */
static struct upload_stored parts_to(uint32_t count)
{
    struct upload_stored s = {0};
    for (uint32_t i = 0; i < count; i++) {
        s.bytes += blocks[i].packed_bytes;
        s.crc = s.crc * 31 + s.bytes;
        s.parts += ends_part[i];
    }
    return s;
}

/* S3 has stored so many parts, as they were closed. */
static bool store(struct journal *j, uint32_t parts)
{
    struct upload_stored s = j->closed[parts % CFG_UPLOAD_COUNT].parts;
    s.parts = parts;
    return journal_store(j, &s);
}

/* Notes a block that is new; its part is stored at once, or later. */
static void close_part(struct journal *j, uint32_t i)
{
    struct upload_stored closed = parts_to(i + 1);
    if (ends_part[i])
        journal_close(j, &closed);
    bool full = closed.parts - j->stored.parts.parts >= CFG_UPLOAD_COUNT;
    if (closed.parts > j->stored.parts.parts && (full || one_in(2)))
        assert_true(store(j, closed.parts));
    assert_false(store(j, j->stored.parts.parts));
}

static bool same_tally(const struct tally *a, const struct tally *b)
{
    return tally_equal(a, b);
}

static bool same_mark(const struct checkpoint_mark *a,
                      const struct checkpoint_mark *b)
{
    return a->from_ms == b->from_ms && a->raw_bytes == b->raw_bytes &&
           a->raw_crc == b->raw_crc && same_tally(&a->settled, &b->settled) &&
           same_tally(&a->late, &b->late);
}

static bool same_but_mark(const struct checkpoint_stored *a,
                          const struct checkpoint_stored *b)
{
    return a->parts.parts == b->parts.parts &&
           a->parts.bytes == b->parts.bytes && a->parts.crc == b->parts.crc &&
           a->head.blocks == b->head.blocks &&
           a->head.events == b->head.events &&
           a->head.greatest_ms == b->head.greatest_ms &&
           a->bytes_raw == b->bytes_raw && a->crc == b->crc;
}

static bool ends_as_undisturbed(const struct journal *j)
{
    return j->drop_bytes == 0 && same_but_mark(&j->now, &whole.now) &&
           same_tally(&j->settled, &whole.settled) &&
           same_tally(&j->late, &whole.late);
}

static void note_undisturbed(void)
{
    journal_init(&whole, DAY_FROM);
    stored_count = 0;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        assert_int_equal(journal_add(&whole, &blocks[i]), JOURNAL_NEW);
        uint32_t before = whole.stored.parts.parts;
        close_part(&whole, i);
        if (whole.stored.parts.parts != before)
            stored[stored_count++] = whole.stored;
    }
}

/* The block that begins there. */
static uint32_t block_at(int64_t from_ms)
{
    uint32_t i = 0;
    while (blocks[i].first_ms != from_ms)
        i++;
    return i;
}

/* All of it, as the undisturbed run noted it, mark and all. */
static bool goes_on(const struct checkpoint_stored *s)
{
    struct journal j;
    uint32_t from = block_at(s->mark.from_ms), n = 0;
    journal_resume(&j, s);
    while (n < stored_count && &stored[n] != s)
        n++;
    for (uint32_t i = from; i < BLOCKS; i++) {
        bool drops = j.drop_bytes > 0;
        if (journal_add(&j, &blocks[i]) != (drops ? JOURNAL_DROP
                                                  : JOURNAL_NEW))
            return false;
        if (drops != (i < s->head.blocks))
            return false;
        struct upload_stored closed = parts_to(i + 1);
        if (!drops && ends_part[i])
            journal_close(&j, &closed);
        while (!drops && n + 1 < stored_count &&
               stored[n + 1].parts.parts <= parts_to(i + 1).parts) {
            n++;
            if (j.now.parts.parts - stored[n].parts.parts >= CFG_UPLOAD_COUNT)
                continue;
            if (!store(&j, stored[n].parts.parts) ||
                !same_but_mark(&j.stored, &stored[n]) ||
                !same_mark(&j.stored.mark, &stored[n].mark))
                return false;
        }
    }
    return ends_as_undisturbed(&j) && same_mark(&j.now.mark, &whole.now.mark);
}

static void from_every_part(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        fill_day(seed);
        note_undisturbed();
        for (uint32_t n = 0; n < stored_count; n++)
            if (!goes_on(&stored[n]))
                fail_msg("seed %d, part %d", (int)seed,
                         (int)stored[n].parts.parts);
    }
}

/* A life whose windows are its own, but for the first; false if it died. */
static bool live(struct journal *j, struct checkpoint_stored *s, bool mortal)
{
    journal_resume(j, s);
    uint32_t from = block_at(s->mark.from_ms);
    for (uint32_t i = from; i < BLOCKS; i++) {
        struct block b = blocks[i];
        b.begin_ms = i == from || one_in(6) ? b.first_ms : BLOCK_INNER;
        enum journal_block verdict = journal_add(j, &b);
        assert_int_not_equal(verdict, JOURNAL_DIFFERS);
        if (verdict == JOURNAL_NEW)
            close_part(j, i);
        if (mortal && one_in(20)) {
            *s = j->stored;
            return false;
        }
    }
    return true;
}

static void lives_with_windows_of_their_own(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5 * SEEDS; seed++) {
        struct journal j;
        fill_day(seed);
        note_undisturbed();
        journal_init(&j, DAY_FROM);
        struct checkpoint_stored s = j.stored;
        for (uint32_t lives = 1; !live(&j, &s, lives < 40);)
            lives++;
        if (!ends_as_undisturbed(&j))
            fail_msg("seed %d", (int)seed);
    }
}

/* The last part is none to go on behind: the archive's end closes it. */
static void the_last_part(void **state)
{
    (void)state;
    struct journal j;
    fill_day(1);
    journal_init(&j, DAY_FROM);
    assert_int_equal(journal_add(&j, &blocks[0]), JOURNAL_NEW);
    assert_false(store(&j, 1));
    journal_close(&j, &(struct upload_stored){1, 10, 100, true, {0}});
    assert_int_equal(journal_add(&j, &blocks[1]), JOURNAL_NEW);
    assert_true(store(&j, 2));
    assert_int_equal(j.stored.parts.parts, 1);
    assert_int_equal(j.stored.head.blocks, 1);
    assert_false(store(&j, 2));
}

/* --- another prefix ------------------------------------------------------ */

/* What is read of three blocks that are stored, then two more. */
static const struct row {
    const char *name;
    int32_t     grown;     /* bytes more in the second block */
    bool        flipped;   /* a bit of the third */
    bool        lacking;   /* the second */
    bool        twice;     /* the second */
    bool        short_day; /* none comes behind the second */
    uint64_t    miscounted;  /* the checkpoint's events */
    bool        good;
} rows[] = {
    {.name = "the same", .good = true},
    {.name = "one bit", .flipped = true},
    {.name = "a byte more", .grown = 1},
    {.name = "a byte less", .grown = -1},
    {.name = "a block less", .lacking = true},
    {.name = "a block twice", .twice = true},
    {.name = "too short a day", .short_day = true},
    {.name = "an event that is not there", .miscounted = 1},
    {.name = "an event that is", .miscounted = UINT64_MAX},
};

static bool resumes(const struct checkpoint_stored *s, const struct row *row)
{
    struct journal j;
    journal_resume(&j, s);
    for (uint32_t i = 0; i < (row->short_day ? 2 : 5); i++) {
        uint8_t bytes[RAW_MOST + 1];
        struct block b = blocks[i];
        memcpy(bytes, raw[i], RAW_MOST);
        if (i == 1 && row->lacking)
            continue;
        b.raw_bytes += i == 1 ? (uint32_t)row->grown : 0;
        bytes[b.raw_bytes / 2] ^= i == 2 && row->flipped;
        b.crc = crc32_gzip_refl(0, bytes, b.raw_bytes);
        for (int times = i == 1 && row->twice ? 2 : 1; times > 0; times--)
            if (journal_add(&j, &b) == JOURNAL_DIFFERS)
                return false;
    }
    return j.drop_bytes == 0;
}

static void another_prefix(void **state)
{
    (void)state;
    int failures = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct journal j;
        fill_day(seed);
        journal_init(&j, DAY_FROM);
        for (uint32_t i = 0; i < 3; i++) {
            blocks[i].begin_ms = i == 0 ? DAY_FROM : BLOCK_INNER;
            blocks[i].raw_bytes += blocks[i].raw_bytes == 1;
            blocks[i].raw_bytes -= blocks[i].raw_bytes == RAW_MOST;
            blocks[i].crc = crc32_gzip_refl(0, raw[i], blocks[i].raw_bytes);
            (void)journal_add(&j, &blocks[i]);
        }
        journal_close(&j, &(struct upload_stored){1, 10, 100, true, {0}});
        assert_true(store(&j, 1));
        for (size_t i = 0; i < ROW_COUNT(rows); i++) {
            struct checkpoint_stored s = j.stored;
            s.head.events += rows[i].miscounted;
            failures += BROKEN(rows[i].name,
                               resumes(&s, &rows[i]) == rows[i].good);
        }
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_every_part),
        cmocka_unit_test(lives_with_windows_of_their_own),
        cmocka_unit_test(the_last_part),
        cmocka_unit_test(another_prefix),
    };
    return RUN(tests);
}
