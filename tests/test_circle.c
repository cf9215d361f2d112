/* test_circle.c - a chain that leads on is never taken for a circle, and every
 * circle is found within a few rounds.
 * Method: chains of pages made up here, each of one event. */
#include "fetch/circle.h"
#include "row.h"

enum { PAGES_MOST = 10000 };

/* A token of a chain that runs into a circle of `length` after `tail`. */
static uint64_t token_of(uint32_t page, uint32_t tail, uint32_t length)
{
    uint32_t at = page < tail ? page : tail + (page - tail) % length;
    return at * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

/* Pages until it closes; PAGES_MOST: never. */
static uint32_t walk(uint32_t tail, uint32_t length)
{
    struct circle c;
    circle_begin(&c);
    for (uint32_t page = 0; page < PAGES_MOST; page++) {
        circle_page(&c);
        circle_event(&c, page, true);  /* its events never tell */
        if (circle_closes(&c, token_of(page, tail, length), true))
            return page;
    }
    return PAGES_MOST;
}

static void circles_of_tokens_are_found(void **state)
{
    (void)state;
    for (uint32_t tail = 0; tail < 70; tail += 3)
        for (uint32_t length = 1; length < 70; length++)
            assert_true(walk(tail, length) <= 4 * (tail + length));
    assert_int_equal(walk(PAGES_MOST, 1), PAGES_MOST);
}

/* Each page's events, new tokens all the way. */
static uint32_t walk_events(int64_t (*time)(uint32_t page), bool fresh)
{
    struct circle c;
    circle_begin(&c);
    for (uint32_t page = 0; page < PAGES_MOST; page++) {
        circle_page(&c);
        circle_event(&c, time(page), fresh);
        if (circle_closes(&c, token_of(page, PAGES_MOST, 1), true))
            return page;
    }
    return PAGES_MOST;
}

static int64_t rising(uint32_t page) { return page; }
static int64_t round_and_round(uint32_t page) { return page % 10; }
static int64_t one_instant(uint32_t page) { return page * 0; }

static void events_tell_where_tokens_do_not(void **state)
{
    (void)state;
    assert_int_equal(walk_events(rising, true), PAGES_MOST);
    assert_int_equal(walk_events(rising, false), PAGES_MOST);  /* again */
    assert_int_equal(walk_events(one_instant, true), PAGES_MOST);
    assert_int_equal(walk_events(one_instant, false), CIRCLE_PAGES + 1);
    assert_int_equal(walk_events(round_and_round, false),
                     9 + CIRCLE_PAGES + 1);
}

static void empty_pages_are_no_circle(void **state)
{
    struct circle c;
    (void)state;
    circle_begin(&c);
    for (uint32_t page = 0; page < PAGES_MOST; page++) {
        circle_page(&c);
        assert_false(circle_closes(&c, token_of(page, PAGES_MOST, 1), false));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(circles_of_tokens_are_found),
        cmocka_unit_test(events_tell_where_tokens_do_not),
        cmocka_unit_test(empty_pages_are_no_circle),
    };
    return RUN(tests);
}
