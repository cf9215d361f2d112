/* nearest.h - the known name that a misspelt one was meant to be.
 *
 * For "unknown flag --bukcet; nearest: --bucket". Distance is the number of
 * letters to insert, drop or change, or of neighbours to swap (optimal string
 * alignment); the case of letters does not count. */
#ifndef FIRN_BASE_NEAREST_H
#define FIRN_BASE_NEAREST_H

#include "base/text.h"

/* Longer names are compared by this many of their last bytes. */
enum { NEAREST_BYTES = 64 };

struct nearest {
    struct view wanted;
    const char *best;   /* public: NULL while nothing near was offered */
    uint32_t    edits;  /* of the best; fewer are better */
};

void nearest_init(struct nearest *n, struct view wanted);
/* `name` stands for `result`, which lives as long as n->best is looked at. Of
 * equals the first stays. */
void nearest_offer(struct nearest *n, const char *name, const char *result);

#endif
