/* test_interval.c - what of an interval no archive given holds.
 * Method: rows of windows and of what must be told; then random windows,
 * millisecond by millisecond. And the index: which bytes hold an interval. */
#include "task/interval.h"

#include "base/chance.h"
#include "row.h"

struct window {
    char    source;      /* '\0': none, the row ends; '?': no receipt */
    int64_t from, until;
};

#define OPEN_FROM  INT64_MIN
#define OPEN_UNTIL INT64_MAX

static const struct row {
    const char *name;
    int64_t from, until;
    struct window windows[5];
    const char *gaps;    /* "a 10 20, " */
    bool disordered;
} rows[] = {
    {"one that holds all of it", 10, 20, {{'a', 0, 30}}, "", false},
    {"one that is just as long", 10, 20, {{'a', 10, 20}}, "", false},
    {"neighbours", 10, 20, {{'a', 5, 15}, {'a', 15, 25}}, "", false},
    {"a hole", 10, 20, {{'a', 5, 12}, {'a', 14, 25}}, "a 12 14, ", false},
    {"before and after", 10, 20, {{'a', 12, 18}}, "a 10 12, a 18 20, ",
     false},
    {"not at all", 10, 20, {{'a', 20, 30}, {'a', 0, 10}}, "a 10 20, ", false},
    {"the other way round", 10, 20, {{'a', 15, 20}, {'a', 10, 15}}, "", true},
    {"twice the same", 10, 20, {{'a', 10, 20}, {'a', 10, 20}}, "", true},
    {"an open end is not judged", 10, OPEN_UNTIL, {{'a', 5, 15}}, "", false},
    {"a hole beside an open end is", 10, OPEN_UNTIL,
     {{'a', 12, 15}, {'a', 16, 18}}, "a 10 12, a 15 16, ", false},
    {"nothing of an open interval", 10, OPEN_UNTIL, {{'a', 0, 10}},
     "a 10 ..., ", false},
    {"nothing of one open before", OPEN_FROM, 10, {{'a', 10, 20}},
     "a ... 10, ", false},
    {"each source by itself", 10, 20, {{'a', 10, 20}, {'b', 0, 15}},
     "b 15 20, ", false},
    {"the first source too", 10, 20, {{'a', 10, 19}, {'b', 0, 25}},
     "a 19 20, ", false},
    {"a window that is not known: who knows", 10, 20,
     {{'a', 10, 15}, {'?', 0, 0}}, "", false},
    {"and of one source only", 10, 20,
     {{'a', 10, 15}, {'a', 0, 0}, {'b', 10, 15}}, "b 15 20, ", false},
    {"no receipts at all", 10, 20, {{'?', 0, 0}}, "", false},
    {"no archives at all", 10, 20, {{'\0', 0, 0}}, "", false},
};

static void put_gap(struct text *t, const struct interval *i)
{
    const struct interval_gap *g = &i->gaps[i->told - 1];

    text_char(t, i->source[i->group_at]);
    text_char(t, ' ');
    if (g->from_ms == INT64_MIN)
        text_str(t, "...");
    else
        text_i64(t, g->from_ms);
    text_char(t, ' ');
    if (g->until_ms == INT64_MAX)
        text_str(t, "...");
    else
        text_i64(t, g->until_ms);
    text_str(t, ", ");
}

static void tell(struct text *t, struct interval *i)
{
    struct fault fault = {0};

    while (interval_tell(i, &fault)) {
        assert_int_equal(fault.error, ERROR_CORRUPT);
        put_gap(t, i);
        fault_reset(&fault);
    }
}

static void test_rows(void **state)
{
    static struct interval i;
    int failures = 0;

    (void)state;
    for (size_t n = 0; n < ROW_COUNT(rows); n++) {
        const struct row *row = &rows[n];
        char got[256];
        struct text t;
        bool ordered = true;
        text_init(&t, got, sizeof got);
        interval_init(&i, row->from, row->until);
        for (const struct window *w = row->windows; w->source != '\0'; w++) {
            struct receipt r = {
                .account = view_of("1"), .region = view_of("r"),
                .group = {(const uint8_t *)&w->source, 1},
                .from_ms = w->from, .until_ms = w->until,
            };
            if (w->source == '?') {
                interval_take_unknown(&i);
                continue;
            }
            if (interval_is_other(&i, &r))
                tell(&t, &i);
            ordered &= interval_take(&i, &r);
        }
        tell(&t, &i);
        bool holds = row_string(got, row->gaps) &&
                     row_number(!ordered, row->disordered);
        failures += BROKEN(row->name, holds);
    }
    assert_int_equal(failures, 0);
}

static void test_sentence(void **state)
{
    static struct interval i;
    struct receipt r = {.group = view_of("/ecs/api"),
                        .from_ms = 1794182400000, .until_ms = 1794268800000};
    struct fault fault = {0};

    (void)state;
    interval_init(&i, 1794182400000 - 60000, 1794182400000 + 60000);
    assert_true(interval_take(&i, &r));
    assert_true(interval_tell(&i, &fault));
    assert_string_equal(fault.words,
                        "2026-11-08T23:59:00.000Z to 2026-11-09T00:00:00.000Z "
                        "is not in these archives of /ecs/api; give the key "
                        "that holds it, if there is one");
    assert_false(interval_tell(&i, &fault));
}

/* More than are named: the first of them. */
static void test_many_gaps(void **state)
{
    static struct interval i;
    struct fault fault = {0};
    int64_t told = 0;

    (void)state;
    interval_init(&i, 0, 1000);
    for (int64_t ms = 1; ms < 2 * (INTERVAL_GAPS + 8); ms += 2) {
        struct receipt r = {.from_ms = ms, .until_ms = ms + 1};
        assert_true(interval_take(&i, &r));
    }
    while (interval_tell(&i, &fault)) {
        assert_int_equal(i.gaps[i.told - 1].from_ms, 2 * told);
        assert_int_equal(i.gaps[i.told - 1].until_ms, 2 * told + 1);
        told++;
        fault_reset(&fault);
    }
    assert_int_equal(told, INTERVAL_GAPS);
}

static void test_random_windows(void **state)
{
    static struct interval i;
    struct chance c;

    (void)state;
    chance_init(&c, 3);
    for (int round = 0; round < 3000; round++) {
        bool held[100] = {false};
        int64_t from = (int64_t)chance_below(&c, 50);
        int64_t until = from + 1 + (int64_t)chance_below(&c, 50);
        struct fault fault = {0};
        interval_init(&i, from, until);
        for (uint64_t n = chance_below(&c, 12) + 1; n > 0; n--) {
            struct receipt r = {.from_ms = (int64_t)chance_below(&c, 95)};
            r.until_ms = r.from_ms + 1 + (int64_t)chance_below(&c, 5);
            (void)interval_take(&i, &r);
            for (int64_t ms = r.from_ms; ms < r.until_ms; ms++)
                held[ms] = true;
        }
        while (interval_tell(&i, &fault)) {
            const struct interval_gap *g = &i.gaps[i.told - 1];
            for (int64_t ms = g->from_ms; ms < g->until_ms; ms++) {
                assert_false(held[ms]);
                held[ms] = true;
            }
            fault_reset(&fault);
        }
        for (int64_t ms = from; ms < until; ms++)
            assert_true(held[ms]);
    }
}

static const struct search_row {
    const char *name, *index;
    int64_t from, until;
    const char *ranges;    /* "bad": the index cannot be used */
} searches[] = {
    {"one entry", "[[10,0,5,9,3]]", 9, 10, "10-100 "},
    {"its greatest is inside, the end is not", "[[10,0,5,9,3]]", 10, 20, ""},
    {"until its least", "[[10,0,5,9,3]]", 0, 5, ""},
    {"neighbours are one range",
     "[[10,0,1,2,1],[20,5,3,4,1],[30,9,5,6,1],[40,12,7,8,1]]", 3, 6,
     "20-40 "},
    {"entries apart are two",
     "[[10,0,1,2,1],[20,5,9,9,1],[30,9,1,1,1],[40,12,7,8,1]]", 1, 3,
     "10-20 30-40 "},
    {"an entry of no bytes is left out",
     "[[10,0,1,2,1],[10,0,1,2,1],[20,9,3,3,1]]", 1, 3, "10-20 "},
    {"all of it", "[[0,0,1,2,1],[20,5,9,9,1]]", INT64_MIN, INT64_MAX,
     "0-100 "},
    {"no entry", "[]", 1, 3, "bad"},
    {"behind the object", "[[10,0,1,2,1],[100,5,3,4,1]]", 1, 3, "bad"},
    {"no index", "null", 1, 3, "bad"},
};

static void test_index_search(void **state)
{
    int failures = 0;

    (void)state;
    for (size_t n = 0; n < ROW_COUNT(searches); n++) {
        const struct search_row *row = &searches[n];
        struct index_search s;
        uint64_t from, to;
        char got[128];
        struct text t;
        text_init(&t, got, sizeof got);
        if (!index_search(&s, view_of(row->index), row->from, row->until,
                          100))
            text_str(&t, "bad");
        else
            while (index_find(&s, &from, &to)) {
                text_u64(&t, from);
                text_char(&t, '-');
                text_u64(&t, to);
                text_char(&t, ' ');
            }
        failures += BROKEN(row->name, row_string(got, row->ranges));
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_sentence),
        cmocka_unit_test(test_many_gaps),
        cmocka_unit_test(test_random_windows),
        cmocka_unit_test(test_index_search),
    };
    return RUN(tests);
}
