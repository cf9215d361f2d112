#include "pack/cut.h"

#include "base/check.h"
#include "base/limits.h"

void cut_init(struct cut *c, int64_t at)
{
    CHECK(at >= 0);
    *c = (struct cut){.last = at};
    /* Cells that began before us are full: a point within them ended a
     * block, namely the one where we begin. */
    for (int n = CUT_LEVEL_LEAST; n <= CUT_LEVEL_MOST; n++)
        if (at >> n << n != at)
            c->full |= (uint64_t)1 << n;
}

static bool is_seen_full(const struct cut *c, int n)
{
    return c->bytes - c->before[n] >= CFG_CELL_BYTES;
}

static bool is_full(const struct cut *c, int n)
{
    return (c->full >> n & 1) != 0 || is_seen_full(c, n);
}

/* The highest level whose cell `at` is no longer in; below least: none. */
static int level_left(const struct cut *c, int64_t at)
{
    if (at <= c->last)
        return 0;
    int n = 63 - __builtin_clzll((uint64_t)(at ^ c->last));
    return n < CUT_LEVEL_MOST ? n : CUT_LEVEL_MOST;
}

bool cut_before(const struct cut *c, int64_t at)
{
    int most = level_left(c, at);

    /* Of each level, only the first point after the latest event can have
     * that event in its cell; it is of that level if the cell is even. */
    for (int n = CUT_LEVEL_LEAST; n <= most; n++)
        if ((c->last >> n & 1) == 0 && is_full(c, n))
            return true;
    return false;
}

int64_t cut_sure(const struct cut *c, int64_t at)
{
    int most = level_left(c, at);

    for (int n = CUT_LEVEL_LEAST; n <= most; n++)
        if ((c->last >> n & 1) == 0 && is_seen_full(c, n))
            return ((c->last >> n) + 1) << n;
    return CUT_NONE;
}

bool cut_at(const struct cut *c, int64_t at)
{
    if (at <= c->last)
        return false;
    int n = __builtin_ctzll((uint64_t)at);
    if (n < CUT_LEVEL_LEAST || n > CUT_LEVEL_MOST)
        return false;
    return (c->last >> n) + 1 == at >> n && is_full(c, n);
}

void cut_add(struct cut *c, int64_t at, uint32_t bytes)
{
    int most = level_left(c, at);

    for (int n = CUT_LEVEL_LEAST; n <= most; n++) {
        c->before[n] = c->bytes;
        c->full &= ~((uint64_t)1 << n);
    }
    if (at > c->last)
        c->last = at;
    c->bytes += bytes;
}
