/* pace.h - how many log reads a second: below the quota, adapting.
 *
 * A token bucket of depth one tick whose rate starts at the limit and, once
 * AWS refuses, follows what AWS really lets through: between two refusals
 * the server's bucket was empty at both ends, so the answers in between are
 * its rate. The pacer then goes from just under that rate slowly up to it
 * and, faster and faster, beyond it (the curve of CUBIC, RFC 9438). One
 * budget for all lanes, because the quota is one for the account. Units:
 * reads per 1,000 seconds. */
#ifndef FIRN_CALL_PACE_H
#define FIRN_CALL_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    uint32_t limit;          /* never above, reads per 1,000 s */
    uint32_t rate;           /* now */
    uint32_t knee;           /* the server's rate, as measured; 0: unknown */
    int64_t  next_mono_us;   /* the next read may go */
    int64_t  refused_mono_ms;/* the last refusal that changed the rate */
    uint64_t answered;       /* reads since then */
    uint64_t past_answered;  /* what was measured before, fading */
    uint64_t past_ms;
};

void    pace_init(struct pace *p, uint32_t reads_per_second);
/* May a read go now? Takes its place if so. */
bool    pace_take(struct pace *p, int64_t mono_ms);
/* When the next may go. */
int64_t pace_wake_ms(const struct pace *p);
/* A read was answered. */
void    pace_answered(struct pace *p);
/* A read was refused by a throttle. */
void    pace_refused(struct pace *p, int64_t mono_ms);
/* Half of the account's FilterLogEvents quota in a region (reference:
 * "Quotas"), at least 1. */
uint32_t pace_default(const char *region);

#endif
