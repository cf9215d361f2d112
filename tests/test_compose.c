/* test_compose.c - objects put end to end: which bytes S3 copies.
 * Method: rows of sizes, by hand; then lists of sizes by chance, about the
 * limits and far beyond them, streamed in pieces of any length. The pieces
 * tile each object, every part but the last is large enough, none too large,
 * and a planner begun again behind any part makes the same parts. */
#include <stdlib.h>

#include "base/chance.h"
#include "base/limits.h"
#include "row.h"
#include "ship/compose.h"

#define LEAST ((uint64_t)LIMIT_PART_LEAST)
#define PART  ((uint64_t)CFG_PART_BYTES)
#define COPY  ((uint64_t)LIMIT_COPY_BYTES)

enum { OBJECTS = 60, PARTS = 4000, ROUNDS = 3000 };

struct part_made {
    uint32_t object;  /* behind which ... */
    uint64_t at;      /* ... so many bytes of it, it ends */
    uint64_t bytes;
};

struct made {
    uint32_t count;
    uint64_t rest;    /* of the last part, that did not close */
    bool     sound;
    struct part_made part[PARTS];
};

static uint64_t sizes[OBJECTS];
static uint32_t count;

static void note(struct made *m, const struct compose *c, uint32_t object)
{
    CHECK(m->count < PARTS);
    m->part[m->count++] = (struct part_made){
        .object = object, .at = c->at, .bytes = m->rest,
    };
    m->rest = 0;
}

/* One piece, perhaps only some bytes of it. */
static void move(struct made *m, struct compose *c, uint32_t object,
                 struct chance *chance)
{
    struct compose_piece p = compose_piece(c);
    bool copies = p.how == COMPOSE_COPY;
    uint64_t bytes = p.to - p.from, before = m->rest;
    m->sound &= p.from == c->at && p.to > p.from && p.to <= sizes[object];
    if (copies)
        m->sound &= before == 0 && bytes >= LEAST && bytes <= COPY;
    else if (chance != NULL)
        bytes = 1 + chance_below(chance, bytes);
    m->rest += bytes;
    if (compose_moved(c, bytes))
        note(m, c, object);
    else
        m->sound &= !copies;
    m->sound &= copies || m->rest <= PART;
}

/* From some place on. */
static void plan(struct made *m, uint32_t object, uint64_t at,
                 struct chance *chance)
{
    struct compose c;
    compose_init(&c);
    *m = (struct made){.sound = true};
    for (; object < count; object++, at = 0) {
        compose_object(&c, sizes[object], at);
        while (compose_piece(&c).how != COMPOSE_NONE)
            move(m, &c, object, chance);
        m->sound &= c.at == sizes[object] && c.filled == m->rest;
    }
}

static bool same_parts(const struct made *a, uint32_t from,
                       const struct made *b)
{
    bool same = a->count - from == b->count && a->rest == b->rest;
    for (uint32_t i = 0; same && i < b->count; i++)
        same = a->part[from + i].object == b->part[i].object &&
               a->part[from + i].at == b->part[i].at &&
               a->part[from + i].bytes == b->part[i].bytes;
    return same;
}

static bool holds(struct chance *chance)
{
    static struct made whole, sliced, again;
    uint64_t all = 0, sum = 0;
    plan(&whole, 0, 0, NULL);
    plan(&sliced, 0, 0, chance);
    for (uint32_t i = 0; i < count; i++)
        all += sizes[i];
    bool sound = whole.sound && sliced.sound && same_parts(&whole, 0, &sliced);
    for (uint32_t i = 0; i < whole.count; i++) {
        const struct part_made *p = &whole.part[i];
        sound &= p->bytes >= LEAST && p->bytes <= COPY;
        sum += p->bytes;
        plan(&again, p->object, p->at, NULL);
        sound &= again.sound && same_parts(&whole, i + 1, &again);
    }
    return sound && sum + whole.rest == all;
}

static const struct row {
    const char *name;
    uint64_t    size[4];
    uint64_t    parts, copies, streamed;
} rows[] = {
    {"nothing", {0}, 0, 0, 0},
    {"one byte", {1}, 0, 0, 1},
    {"just too small to be copied", {LEAST - 1}, 0, 0, LEAST - 1},
    {"just large enough", {LEAST}, 1, 1, 0},
    {"two that are copied", {LEAST, LEAST + 1}, 2, 2, 0},
    {"a small one is filled up from the next", {1, 2 * LEAST - 1}, 2, 1,
     LEAST},
    {"of which too little would be left", {1, 2 * LEAST - 2}, 0, 0,
     2 * LEAST - 1},
    {"as large as one copy may be", {COPY}, 1, 1, 0},
    {"one byte more is halves", {COPY + 1}, 2, 2, 0},
    {"5 TiB", {COPY << 10}, 1024, 1024, 0},
};

static bool is(uint64_t got, uint64_t want)
{
    return row_number((int64_t)got, (int64_t)want);
}

static void test_rows(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const struct row *r = &rows[i];
        struct compose c;
        compose_init(&c);
        for (uint32_t n = 0; n < 4; n++) {
            compose_object(&c, r->size[n], 0);
            for (struct compose_piece p;
                 (p = compose_piece(&c)).how != COMPOSE_NONE;)
                (void)compose_moved(&c, p.to - p.from);
        }
        broken += BROKEN(r->name, is(c.copies, r->copies) &&
                                      is(c.streamed, r->streamed));
        broken += BROKEN(r->name, c.streamed >= PART ||
                                      is(c.parts, r->parts));
    }
    assert_int_equal(broken, 0);
}

static uint64_t some_size(struct chance *c)
{
    const uint64_t limits[] = {LEAST, 2 * LEAST, PART, PART + LEAST, COPY};
    switch (chance_below(c, 6)) {
    case 0:  return chance_below(c, 10);
    case 1:  return chance_below(c, LEAST);
    case 2:  return chance_below(c, 40 * LEAST);
    case 3:  return chance_below(c, 12 * COPY);
    default: return limits[chance_below(c, 5)] - 3 + chance_below(c, 6);
    }
}

static void test_chance(void **state)
{
    int broken = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct chance c;
        chance_init(&c, seed);
        count = 1 + (uint32_t)chance_below(&c, OBJECTS);
        for (uint32_t i = 0; i < count; i++)
            sizes[i] = some_size(&c);
        bool sound = holds(&c);
        broken += BROKEN("a list of sizes", sound);
        if (!sound && broken < 5)
            fprintf(stderr, "  seed %llu\n", (unsigned long long)seed);
    }
    assert_int_equal(broken, 0);
}

/* A newline that is inserted counts, and may close the part. */
static void test_insert(void **state)
{
    struct compose c;
    (void)state;
    compose_init(&c);
    compose_object(&c, LEAST - 2, 0);
    assert_true(compose_piece(&c).how == COMPOSE_STREAM);
    assert_false(compose_moved(&c, LEAST - 2));
    assert_false(compose_insert(&c, 1));
    assert_true(c.filled == LEAST - 1);
    while (c.filled < PART - 1)
        assert_false(compose_insert(&c, 1));
    assert_true(compose_insert(&c, 1));
    assert_true(c.parts == 1 && c.filled == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_chance),
        cmocka_unit_test(test_insert),
    };
    return RUN(tests);
}
