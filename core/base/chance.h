/* chance.h - random numbers that a seed replays.
 *
 * For jitter, never for secrets. SplitMix64 (Steele, Lea, Flood 2014). */
#ifndef FIRN_BASE_CHANCE_H
#define FIRN_BASE_CHANCE_H

#include <stdint.h>

struct chance {
    uint64_t state;
};

void     chance_init(struct chance *c, uint64_t seed);
uint64_t chance_next(struct chance *c);
/* Uniform in [0, below); below at least 1. */
uint64_t chance_below(struct chance *c, uint64_t below);

#endif
