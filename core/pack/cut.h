/* cut.h - where a block must end: a matter of events and of time alone.
 *
 * A resumed run must make the same bytes, and so must a run with other lanes,
 * another network, other retries. So windows of time may begin only where
 * everybody would end a block: at points of a grid that is binary, relative
 * to the start of the day. A point p of level n is a multiple of 2^n
 * milliseconds but not of 2^(n+1), and its cell is the 2^n milliseconds
 * before it.
 *
 *     A block ends at p if p's own cell holds CFG_CELL_BYTES of raw lines.
 *
 * To know that, one needs to have seen no more than the cell. Cells nest: if
 * a point within a cell ended a block, the cell is full enough itself, so a
 * lane that begins at such a point knows all it must; and one that began
 * elsewhere is right from the first point on whose cell it saw fill up. Empty
 * nights cost nothing, and dense hours have a point wherever one is wanted. */
#ifndef FIRN_PACK_CUT_H
#define FIRN_PACK_CUT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CUT_LEVEL_LEAST = 6,   /* 64 ms */
    CUT_LEVEL_MOST  = 40,  /* 34 years: more than any window */
};
#define CUT_NONE INT64_MAX

/* All times are milliseconds since the day's start, 0 and up. */
struct cut {
    int64_t  last;          /* of the latest event, or where we began */
    uint64_t bytes;         /* raw bytes since we began */
    uint64_t before[CUT_LEVEL_MOST + 1];  /* `bytes` when the cell began */
    uint64_t full;          /* bit n: the cell of level n is full for sure */
};

/* Begins at a point that ends a block, or at 0. */
void cut_init(struct cut *c, int64_t at);
/* Does a block end between the latest event and one at `at`? */
bool cut_before(const struct cut *c, int64_t at);
/* Does a block end at the point `at`, no event being in between? Only then
 * may another lane begin there. */
bool cut_at(const struct cut *c, int64_t at);
/* A point between the latest event and one at `at` that ends a block even if
 * we began where none does; or CUT_NONE. */
int64_t cut_sure(const struct cut *c, int64_t at);
/* An event of so many raw bytes came. Earlier ones than the latest count to
 * its cell: the service's order rules. */
void cut_add(struct cut *c, int64_t at, uint32_t bytes);

#endif
