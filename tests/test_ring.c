/* test_ring.c - what goes in comes out, in order, whatever the pieces.
 * Method: a counting pattern through rings of every small size, by pieces of
 * every size, with cursors that start just before they wrap at 2^32. */
#include "base/ring.h"
#include "row.h"

static bool moves(uint32_t capacity, uint32_t in, uint32_t out, bool copied)
{
    uint8_t bytes[64];
    struct ring r;
    uint32_t written = 0, read = 0;
    ring_init(&r, bytes, capacity);
    r.written = r.read = UINT32_MAX - capacity / 2;
    for (int turn = 0; turn < 2000 && read < 700; turn++) {
        struct span room = ring_reserve(&r);
        uint32_t len = in < room.len ? in : room.len;
        for (uint32_t i = 0; i < len && !copied; i++)
            room.at[i] = (uint8_t)(written + i);
        if (!copied)
            ring_commit(&r, len);
        uint8_t piece[64];
        for (uint32_t i = 0; i < in; i++)
            piece[i] = (uint8_t)(written + i);
        if (copied)
            len = ring_write(&r, (struct view){piece, in});
        written += len;
        struct view v = ring_peek(&r);
        len = out < v.len ? out : v.len;
        for (uint32_t i = 0; i < len; i++)
            if (v.at[i] != (uint8_t)(read + i))
                return false;
        ring_consume(&r, len);
        read += len;
        if (ring_len(&r) != written - read ||
            ring_room(&r) != capacity - ring_len(&r))
            return false;
    }
    return read >= 700;
}

static void bytes_keep_their_order(void **state)
{
    int failures = 0;
    (void)state;
    for (uint32_t capacity = 1; capacity <= 64; capacity *= 2)
        for (uint32_t in = 1; in <= 64; in = in * 2 + 1)
            for (uint32_t out = 1; out <= 64; out = out * 2 + 1) {
                failures += BROKEN("in place",
                                   moves(capacity, in, out, false));
                failures += BROKEN("copied", moves(capacity, in, out, true));
            }
    assert_int_equal(failures, 0);
}

static void all_of_it_is_usable(void **state)
{
    uint8_t bytes[4];
    struct ring r;
    (void)state;
    ring_init(&r, bytes, sizeof bytes);
    assert_int_equal(ring_write(&r, view_of("abcde")), 4);
    assert_int_equal(ring_reserve(&r).len, 0);
    ring_consume(&r, 3);
    assert_int_equal(ring_reserve(&r).len, 3);
    assert_int_equal(ring_write(&r, view_of("xy")), 2);
    assert_true(view_is(ring_peek(&r), "d"));
    ring_consume(&r, 1);
    assert_true(view_is(ring_peek(&r), "xy"));
}

static void it_is_drained_once_ended_and_read(void **state)
{
    uint8_t bytes[4];
    struct ring r;
    (void)state;
    ring_init(&r, bytes, sizeof bytes);
    assert_false(ring_drained(&r));
    ring_write(&r, view_of("a"));
    ring_end(&r);
    assert_false(ring_drained(&r));
    ring_consume(&r, 1);
    assert_true(ring_drained(&r));
    ring_reset(&r);
    assert_false(ring_drained(&r));
    assert_int_equal(ring_room(&r), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_keep_their_order),
        cmocka_unit_test(all_of_it_is_usable),
        cmocka_unit_test(it_is_drained_once_ended_and_read),
    };
    return RUN(tests);
}
