/* chance.c - see chance.h. */
#include "base/chance.h"

#include "base/check.h"

void chance_init(struct chance *c, uint64_t seed)
{
    c->state = seed;
}

uint64_t chance_next(struct chance *c)
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* The remainder favours small numbers by below/2^64, which no jitter shows. */
uint64_t chance_below(struct chance *c, uint64_t below)
{
    CHECK(below > 0);
    return chance_next(c) % below;
}
