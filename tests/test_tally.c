/* test_tally.c - one digest for one set of events, another for any other.
 * Method: orders, slicings and cuts of a set must agree; every single change
 * must show in both lanes; a fixed value guards the receipt's format. */
#include <stdlib.h>

#include "base/chance.h"
#include "base/tally.h"
#include "row.h"

static uint8_t data[1024];

static void fill(uint64_t seed)
{
    struct chance c;
    chance_init(&c, seed);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)chance_next(&c);
}

static struct tally of_one(int64_t ms, struct view v)
{
    struct tally t;
    tally_init(&t);
    tally_add(&t, ms, v);
    return t;
}

static bool lanes_differ(const struct tally *a, const struct tally *b)
{
    return a->digest[0] != b->digest[0] && a->digest[1] != b->digest[1];
}

static void the_format_never_changes(void **state)
{
    (void)state;
    struct tally t;
    char room[TALLY_TEXT_BYTES + 1];
    struct text text;
    uint64_t back[2];
    tally_init(&t);
    tally_add(&t, 1699488000123, view_of("GET /index.html 200"));
    tally_add(&t, 1699488000124, view_of(""));
    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    tally_add(&t, -1, (struct view){data, sizeof data});
    text_init(&text, room, sizeof room);
    tally_text(&text, &t);
    assert_string_equal(room, "17f6ce164af77bf97c5a0272a6820da6");
    assert_true(tally_parse(text_view(&text), back));
    assert_memory_equal(back, t.digest, sizeof back);
    assert_int_equal(t.events, 3);
    assert_true(t.first_ms == -1 && t.last_ms == 1699488000124);
}

static void digests_are_read_strictly(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "00", "0123456789abcdef0123456789abcdeg",
        "0123456789ABCDEF0123456789ABCDEF",
        "0123456789abcdef0123456789abcdef0",
    };
    uint64_t digest[2];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(tally_parse(view_of(bad[i]), digest));
}

static void slicing_does_not_matter(void **state)
{
    (void)state;
    fill(1);
    for (uint32_t len = 0; len <= 300; len++) {
        struct tally want = of_one(7, (struct view){data, len});
        for (uint32_t piece = 1; piece <= 130; piece += 1 + piece / 8) {
            struct tally_message m;
            struct tally t;
            tally_init(&t);
            tally_begin(&m, 7);
            for (uint32_t at = 0; at < len; at += piece)
                tally_feed(&m, (struct view){
                    data + at, len - at < piece ? len - at : piece});
            tally_feed(&m, (struct view){0});
            tally_end(&t, &m);
            assert_true(tally_equal(&t, &want));
        }
    }
}

static void order_and_cuts_do_not_matter(void **state)
{
    (void)state;
    struct tally forth, back, left, right;
    fill(2);
    tally_init(&forth);
    tally_init(&back);
    tally_init(&left);
    tally_init(&right);
    for (uint32_t i = 0; i < 200; i++) {
        struct view v = {data + i, i};
        tally_add(&forth, 1000 + i, v);
        tally_add(i % 3 == 0 ? &left : &right, 1000 + i, v);
    }
    for (uint32_t i = 200; i-- > 0;)
        tally_add(&back, 1000 + i, (struct view){data + i, i});
    assert_true(tally_equal(&forth, &back));
    tally_merge(&left, &right);
    assert_true(tally_equal(&forth, &left));
    tally_init(&right);
    tally_merge(&left, &right);  /* of nothing */
    assert_true(tally_equal(&forth, &left));
}

static void each_field_counts(void **state)
{
    struct tally a = {3, {1, 2}, 10, 20}, b[] = {
        {4, {1, 2}, 10, 20}, {3, {9, 2}, 10, 20}, {3, {1, 9}, 10, 20},
        {3, {1, 2}, 11, 20}, {3, {1, 2}, 10, 21},
    };
    (void)state;
    assert_true(tally_equal(&a, &a));
    for (size_t i = 0; i < ROW_COUNT(b); i++)
        assert_false(tally_equal(&a, &b[i]));
}

/* Each bit must change each lane, and about half of its bits. */
static void every_bit_counts(void **state)
{
    (void)state;
    static const uint32_t lens[] = {1, 8, 15, 16, 17, 63, 64, 65, 100, 257};
    fill(3);
    uint64_t flipped = 0, flips = 0;
    for (size_t n = 0; n < sizeof lens / sizeof lens[0]; n++) {
        struct view v = {data, lens[n]};
        struct tally was = of_one(1699488000123, v);
        for (uint32_t bit = 0; bit < 8 * v.len; bit++) {
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            struct tally is = of_one(1699488000123, v);
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_true(lanes_differ(&was, &is));
            for (int lane = 0; lane < 2; lane++)
                flipped += (uint64_t)__builtin_popcountll(
                    was.digest[lane] ^ is.digest[lane]);
            flips += 2;
        }
        for (uint32_t bit = 0; bit < 63; bit++) {
            struct tally is = of_one(1699488000123 ^ (int64_t)1 << bit, v);
            assert_true(lanes_differ(&was, &is));
        }
    }
    assert_true(flipped > flips * 31 && flipped < flips * 33);
}

static void accidents_show(void **state)
{
    (void)state;
    fill(4);
    memset(data, 0, 200);
    struct tally zero = of_one(5, (struct view){data, 100});
    struct tally longer = of_one(5, (struct view){data, 101});
    struct tally empty = of_one(5, (struct view){0});
    assert_true(lanes_differ(&zero, &longer));
    assert_true(lanes_differ(&zero, &empty));
    struct tally twice = zero;
    tally_add(&twice, 5, (struct view){data, 100});
    assert_true(lanes_differ(&zero, &twice));
    /* two events that exchange their timestamps */
    struct tally a = of_one(1, view_of("x")), b = of_one(2, view_of("x"));
    tally_add(&a, 2, view_of("y"));
    tally_add(&b, 1, view_of("y"));
    assert_true(lanes_differ(&a, &b));
    /* a byte that moves over to the neighbour */
    a = of_one(1, view_of("ab"));
    b = of_one(1, view_of("a"));
    tally_add(&a, 1, view_of("c"));
    tally_add(&b, 1, view_of("bc"));
    assert_true(lanes_differ(&a, &b));
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* 2^18 similar lines: 2^35 pairs, 32 bits of each lane seen by chance alone
 * in about 8 of them; whole lanes never. */
static void similar_lines_differ(void **state)
{
    (void)state;
    enum { LINES = 1 << 18 };
    static uint64_t lane[2][LINES];
    char room[64];
    for (uint32_t i = 0; i < LINES; i++) {
        struct text t;
        text_init(&t, room, sizeof room);
        text_str(&t, "10.0.0.1 - GET /item/");
        text_u64(&t, i);
        text_str(&t, " 200");
        struct tally one = of_one(1699488000000, text_view(&t));
        lane[0][i] = one.digest[0];
        lane[1][i] = one.digest[1];
    }
    for (int l = 0; l < 2; l++) {
        uint32_t near = 0;
        qsort(lane[l], LINES, sizeof lane[l][0], compare);
        for (uint32_t i = 1; i < LINES; i++) {
            assert_true(lane[l][i] != lane[l][i - 1]);
            near += lane[l][i] >> 32 == lane[l][i - 1] >> 32;
        }
        assert_in_range(near, 0, 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_format_never_changes),
        cmocka_unit_test(digests_are_read_strictly),
        cmocka_unit_test(slicing_does_not_matter),
        cmocka_unit_test(order_and_cuts_do_not_matter),
        cmocka_unit_test(each_field_counts),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(accidents_show),
        cmocka_unit_test(similar_lines_differ),
    };
    return RUN(tests);
}
