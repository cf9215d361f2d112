/* test_cut.c - blocks end where the definition says, wherever one begins.
 * Method: days of many densities, short ones in full; the definition of cut.h
 * evaluated on the whole day, point by point, against the running one, with
 * one lane and with lanes that begin at every point that ends a block. */
#include <stdlib.h>

#include "base/chance.h"
#include "base/limits.h"
#include "pack/cut.h"
#include "row.h"

enum { EVENTS_MOST = 4000 };

struct day {
    uint32_t count;
    int64_t  until;
    int64_t  at[EVENTS_MOST];
    uint32_t bytes[EVENTS_MOST];
    uint64_t sum[EVENTS_MOST + 1];  /* of the events before */
};

/* Raw bytes of [from, until). */
static uint64_t bytes_within(const struct day *d, int64_t from, int64_t until)
{
    uint32_t edge[2];
    const int64_t time[2] = {from, until};
    for (int i = 0; i < 2; i++) {
        uint32_t low = 0, high = d->count;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (d->at[middle] < time[i])
                low = middle + 1;
            else
                high = middle;
        }
        edge[i] = low;
    }
    return d->sum[edge[1]] - d->sum[edge[0]];
}

/* The definition: p ends a block if its own cell is full. */
static bool ends_block(const struct day *d, int64_t p)
{
    int n = 0;
    while ((p >> n & 1) == 0)
        n++;
    return n >= CUT_LEVEL_LEAST && n <= CUT_LEVEL_MOST &&
           bytes_within(d, p - ((int64_t)1 << n), p) >= CFG_CELL_BYTES;
}

/* Whether a point in (from, until] ends a block, and no event is between. */
static bool any_ends(const struct day *d, int64_t from, int64_t until)
{
    for (int n = CUT_LEVEL_LEAST; n <= CUT_LEVEL_MOST; n++) {
        int64_t p = ((from >> n) + 1) << n;
        /* Later points of this level have cells without an event. */
        for (int i = 0; i < 3 && p <= until; i++, p += (int64_t)1 << n)
            if (ends_block(d, p))
                return true;
    }
    return false;
}

/* A lane that begins at any event is right from the first sure point on. */
static bool is_right_in_the_end(const struct day *d, uint32_t first)
{
    struct cut c;
    int64_t from = d->at[first] >> CUT_LEVEL_LEAST << CUT_LEVEL_LEAST;
    int64_t last = from, sure = CUT_NONE;
    while (first > 0 && d->at[first - 1] >= from)
        first--;
    cut_init(&c, from);
    for (uint32_t i = first; i < d->count; i++) {
        if (sure == CUT_NONE) {
            sure = cut_sure(&c, d->at[i]);
            if (sure != CUT_NONE &&
                (sure <= last || sure > d->at[i] || !ends_block(d, sure)))
                return false;
        }
        if (sure != CUT_NONE &&
            cut_before(&c, d->at[i]) != any_ends(d, last, d->at[i]))
            return false;
        cut_add(&c, d->at[i], d->bytes[i]);
        last = d->at[i];
    }
    return true;
}

/* From the event `first` on, which a lane meets that began at `from`: the
 * running answer is the definition's, up to the day's end. */
static bool holds_from(const struct day *d, uint32_t first, int64_t from)
{
    struct cut c;
    int64_t last = from;
    cut_init(&c, from);
    for (uint32_t i = first; i < d->count; i++) {
        bool want = any_ends(d, last, d->at[i]);
        if (cut_before(&c, d->at[i]) != want)
            return false;
        cut_add(&c, d->at[i], d->bytes[i]);
        last = d->at[i];
    }
    return true;
}

/* Points in the gap after the event `i`, and whether cut_at() knows them. */
static bool points_hold(const struct day *d, const struct cut *c, int64_t last,
                        int64_t next)
{
    for (int n = CUT_LEVEL_LEAST; n < 32; n++)
        for (int64_t k = 1; k <= 3; k++) {
            int64_t p = ((last >> n) + k) << n;
            if (p <= next && p > last && cut_at(c, p) != ends_block(d, p))
                return false;
        }
    return !cut_at(c, last) && !cut_at(c, last - 1) &&
           (next <= last + 1 || cut_at(c, last + 1) ==
                                    ends_block(d, last + 1));
}

static bool day_holds(const struct day *d)
{
    struct cut c;
    uint32_t begun = 0;
    if (!holds_from(d, 0, 0))
        return false;
    for (uint32_t i = 1; i < d->count; i += 1 + d->count / 20)
        if (!is_right_in_the_end(d, i))
            return false;
    cut_init(&c, 0);
    for (uint32_t i = 0; i <= d->count; i++) {
        int64_t next = i < d->count ? d->at[i] : d->until;
        int64_t last = i > 0 ? d->at[i - 1] : 0;
        if (!points_hold(d, &c, last, next))
            return false;
        for (int n = CUT_LEVEL_LEAST; n < 32 && begun < 40; n++) {
            int64_t p = ((last >> n) + 1) << n;
            if (p > next || !cut_at(&c, p))
                continue;
            begun++;
            if (!holds_from(d, i, p))
                return false;
        }
        if (i < d->count)
            cut_add(&c, d->at[i], d->bytes[i]);
    }
    return true;
}

/* Quiet and dense stretches, ties, gaps of any length. */
static void fill_day(struct day *d, uint64_t seed)
{
    struct chance c;
    int64_t at = 0;
    chance_init(&c, seed);
    uint32_t count = 1 + (uint32_t)chance_below(&c, EVENTS_MOST);
    uint32_t bytes = 1u << chance_below(&c, 20), scale = 0;
    d->count = 0;
    d->sum[0] = 0;
    while (d->count < count) {
        if (chance_below(&c, 50) == 0)
            scale = (uint32_t)chance_below(&c, 18);
        if (chance_below(&c, 300) == 0)
            at = (at >> scale << scale) + ((int64_t)1 << scale);
        at += (int64_t)chance_below(&c, (uint64_t)1 << scale);
        d->at[d->count] = at;
        d->bytes[d->count] = 30 + (uint32_t)chance_below(&c, bytes);
        d->sum[d->count + 1] = d->sum[d->count] + d->bytes[d->count];
        d->count++;
    }
    d->until = at + 1 + (int64_t)chance_below(&c, 100000);
}

static void blocks_end_by_the_definition(void **state)
{
    static struct day day;
    int failures = 0, full = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        char name[32];
        (void)snprintf(name, sizeof name, "seed %llu",
                       (unsigned long long)seed);
        fill_day(&day, seed);
        failures += BROKEN(name, day_holds(&day));
        full += day.sum[day.count] > 16 * CFG_CELL_BYTES;
    }
    assert_int_equal(failures, 0);
    assert_true(full > 10);  /* the days are no empty ones */
}

/* The service gives an event that is older than the one before. */
static void an_older_event_counts_to_the_latest_cell(void **state)
{
    struct cut c, d;
    (void)state;
    cut_init(&c, 0);
    cut_init(&d, 0);
    cut_add(&c, 1000, CFG_CELL_BYTES - 1);
    cut_add(&d, 1000, CFG_CELL_BYTES - 1);
    assert_false(cut_before(&c, 1024));
    assert_false(cut_before(&c, 10));
    cut_add(&c, 10, 1);
    cut_add(&d, 1000, 1);
    assert_memory_equal(&c, &d, sizeof c);
    assert_true(cut_before(&c, 1024));
    assert_false(cut_before(&c, 10));
}

static void a_day_as_long_as_can_be(void **state)
{
    struct cut c;
    (void)state;
    cut_init(&c, 0);
    assert_false(cut_before(&c, INT64_MAX));
    cut_add(&c, 5, CFG_CELL_BYTES);
    assert_true(cut_before(&c, INT64_MAX));
    assert_true(cut_at(&c, 64));
    assert_true(cut_at(&c, (int64_t)1 << CUT_LEVEL_MOST));
    assert_false(cut_at(&c, (int64_t)1 << (CUT_LEVEL_MOST + 1)));
    assert_false(cut_at(&c, 32));
    cut_add(&c, INT64_MAX, 1);
    assert_false(cut_before(&c, INT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_end_by_the_definition),
        cmocka_unit_test(an_older_event_counts_to_the_latest_cell),
        cmocka_unit_test(a_day_as_long_as_can_be),
    };
    return RUN(tests);
}
