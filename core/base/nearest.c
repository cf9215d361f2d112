/* nearest.c - see nearest.h. */
#include "base/nearest.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static uint8_t least(uint32_t a, uint32_t b)
{
    return (uint8_t)(a < b ? a : b);
}

static struct view tail(struct view v)
{
    uint32_t from = v.len > NEAREST_BYTES ? v.len - NEAREST_BYTES : 0;
    return view_slice(v, from, v.len);
}

static uint32_t edits(struct view a, struct view b)
{
    uint8_t rows[3][NEAREST_BYTES + 1];
    uint8_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (uint32_t j = 0; j <= b.len; j++)
        last[j] = (uint8_t)j;
    for (uint32_t i = 1; i <= a.len; i++) {
        row[0] = (uint8_t)i;
        for (uint32_t j = 1; j <= b.len; j++) {
            uint8_t x = lower(a.at[i - 1]), y = lower(b.at[j - 1]);
            uint8_t least_edits = least(last[j] + 1u, row[j - 1] + 1u);
            row[j] = least(least_edits, last[j - 1] + (x != y ? 1u : 0u));
            if (i > 1 && j > 1 && x == lower(b.at[j - 2]) &&
                lower(a.at[i - 2]) == y)
                row[j] = least(row[j], before[j - 2] + 1u);
        }
        uint8_t *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b.len];
}

void nearest_init(struct nearest *n, struct view wanted)
{
    n->wanted = tail(wanted);
    n->best = NULL;
    n->edits = n->wanted.len / 3 + 2;  /* further off is no help */
}

void nearest_offer(struct nearest *n, const char *name, const char *result)
{
    struct view candidate = tail(view_of(name));
    uint32_t longer = candidate.len > n->wanted.len
                          ? candidate.len - n->wanted.len
                          : n->wanted.len - candidate.len;
    if (longer >= n->edits)
        return;
    uint32_t distance = edits(n->wanted, candidate);
    if (distance < n->edits && distance < n->wanted.len) {
        n->edits = distance;
        n->best = result;
    }
}
