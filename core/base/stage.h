/* stage.h - how every step of firn says what it did and what it lacks.
 *
 * A stage has one shape for source, transform and sink: a source has no `in`,
 * a sink no `out`. Six laws, tested for every stage by tests/law.c:
 *
 *   1. A step never blocks.
 *   2. Its work is bounded by the rings.
 *   3. It moves something or says what it lacks: FLOW_WANT_INPUT only when
 *      `in` is empty and not ended, FLOW_WANT_ROOM only when `out` is full.
 *   4. What it writes does not depend on how its input was sliced.
 *   5. Failure is sticky, and a stage that failed has not ended `out`.
 *   6. It ends `out` once, after its last byte.
 *
 * A row is stages one behind the other, a ring between each two. The caller
 * owns stages and rings; both outlive the row. */
#ifndef FIRN_BASE_STAGE_H
#define FIRN_BASE_STAGE_H

#include "base/date.h"
#include "base/error.h"
#include "base/ring.h"

enum flow {
    FLOW_MOVED,       /* progress was made; step again */
    FLOW_WANT_INPUT,  /* nothing to read yet */
    FLOW_WANT_ROOM,   /* nowhere to write yet */
    FLOW_WANT_EVENT,  /* the network or a timer must act first */
    FLOW_ENDED,       /* all done, and it stays so */
    FLOW_FAILED,      /* a fault is set, and it stays so */
};

/* The first member of whatever is a stage. */
struct stage {
    enum flow (*step)(struct stage *self, struct ring *in, struct ring *out,
                      struct now now);  /* `now` is for the network's ends */
    struct fault *fault;                /* where it reports; lent, shared */
};

enum { STAGE_ROW_COUNT = 6, STAGE_TURNS = 4096 };

struct stage_row {
    struct stage *stage[STAGE_ROW_COUNT];
    struct ring  *ring[STAGE_ROW_COUNT + 1];  /* ring[i] feeds stage[i] */
    uint32_t      first;   /* stages before it were cut off */
    uint32_t      failed;  /* of FLOW_FAILED */
    uint32_t      count;
};

/* `in` is what the first stage reads; NULL if that is a source. */
void stage_row_init(struct stage_row *r, struct ring *in);
/* `out` is what it writes; NULL if it is a sink, which ends the row. */
void stage_row_add(struct stage_row *r, struct stage *stage,
                   struct ring *out);
/* Steps each stage in order, and each as long as it moves something, up to
 * STAGE_TURNS times: thrift, for one that is fed by the spoon works by the
 * spoon. FLOW_ENDED when the last has ended;
 * FLOW_WANT_INPUT and FLOW_WANT_ROOM are about the row's own ends, and traps
 * if its stages wait for one another. */
enum flow stage_row_step(struct stage_row *r, struct now now);
/* After FLOW_FAILED: ends the output of the stage that failed, and from now
 * on only those behind it are stepped, so that what was good may come out.
 * False when the last one failed, and nothing is left to step. */
bool stage_row_cut(struct stage_row *r);

#endif
