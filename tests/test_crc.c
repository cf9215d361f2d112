/* test_crc.c - fast CRCs against the definition, a bit at a time.
 * Method: published check values; every table entry and every short length;
 * every split of a buffer combined again. The seam is the program's own here:
 * it must be as the plain one at every length, and at random ones. */
#include "base/chance.h"
#include "base/crc.h"
#include "row.h"

#include "../platform/crc64.c"

static uint8_t data[4096];

static void fill(uint64_t seed)
{
    struct chance c;
    chance_init(&c, seed);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)chance_next(&c);
}

static uint64_t plain(uint64_t poly, uint64_t ones, struct view v)
{
    uint64_t crc = ones;
    for (uint32_t i = 0; i < v.len; i++) {
        crc ^= v.at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? poly : 0);
    }
    return crc ^ ones;
}

static uint64_t plain64(struct view v)
{
    return plain(0x9a6c9329ac4bc9b5, UINT64_MAX, v);
}

static uint32_t plain32(struct view v)
{
    return (uint32_t)plain(0xedb88320, UINT32_MAX, v);
}

static void check_values(void **state)
{
    (void)state;
    struct view digits = view_of("123456789");
    char room[16];
    struct text t;
    assert_true(crc64_add(0, digits) == 0xae8b14860a799888);
    assert_true(crc64_add(0, (struct view){0}) == 0);
    assert_true(plain32(digits) == 0xcbf43926);
    text_init(&t, room, sizeof room);
    crc64_text(&t, crc64_add(0, digits));
    assert_string_equal(room, "rosUhgp5mIg=");
    assert_int_equal(t.len, CRC64_TEXT_BYTES);
}

static void every_table_entry(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < 8; at++)
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint8_t word[8] = {0};
            word[at] = (uint8_t)byte;
            struct view v = {word, sizeof word};
            assert_true(crc64_plain(0, v) == plain64(v));
        }
}

static void every_length_and_alignment(void **state)
{
    (void)state;
    fill(1);
    for (uint32_t from = 0; from < 8; from++)
        for (uint32_t len = 0; len < 70; len++) {
            struct view v = {data + from, len};
            assert_true(crc64_plain(0, v) == plain64(v));
        }
}

static void the_seam_is_as_the_plain_one(void **state)
{
    (void)state;
    struct chance c;
    fill(3);
    chance_init(&c, 4);
    for (uint32_t len = 0; len <= 1500; len++) {
        struct view v = {data + len % 16, len};
        assert_true(crc64_add(0, v) == crc64_plain(0, v));
    }
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t from = (uint32_t)(chance_next(&c) % sizeof data);
        uint32_t len = (uint32_t)(chance_next(&c) % (sizeof data - from));
        struct view v = {data + from, len};
        uint64_t before = chance_next(&c);
        assert_true(crc64_add(before, v) == crc64_plain(before, v));
    }
}

static void pieces_and_combinations_agree(void **state)
{
    (void)state;
    fill(2);
    for (uint32_t cut = 0; cut <= 600; cut++) {
        struct view all = {data, 600};
        struct view a = view_slice(all, 0, cut), b = view_slice(all, cut, 600);
        uint64_t whole = plain64(all);
        assert_true(crc64_add(crc64_add(0, a), b) == whole);
        assert_true(crc64_combine(plain64(a), plain64(b), b.len) == whole);
        assert_int_equal(crc32_combine(plain32(a), plain32(b), b.len),
                         plain32(all));
    }
}

/* A terabyte of zeros, by doubling: nobody adds it up byte by byte. */
static void long_lengths_combine(void **state)
{
    (void)state;
    static const uint8_t zero[1];
    uint64_t crc = plain64((struct view){zero, 1});
    uint32_t crc32 = plain32((struct view){zero, 1});
    for (uint64_t len = 1; len < 1ull << 40; len *= 2) {
        crc = crc64_combine(crc, crc, len);
        crc32 = crc32_combine(crc32, crc32, len);
    }
    uint64_t once = plain64((struct view){zero, 1});
    uint64_t twice = crc64_combine(crc, once, 1);
    assert_true(twice == crc64_add(crc, (struct view){zero, 1}));
    assert_true(crc64_combine(once, crc, 1ull << 40) == twice);
    assert_true(crc32_combine(0, crc32, 1ull << 40) == crc32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_values),
        cmocka_unit_test(every_table_entry),
        cmocka_unit_test(every_length_and_alignment),
        cmocka_unit_test(the_seam_is_as_the_plain_one),
        cmocka_unit_test(pieces_and_combinations_agree),
        cmocka_unit_test(long_lengths_combine),
    };
    return RUN(tests);
}
