/* seen.h - the event ids that a lane has met lately.
 *
 * Pages may repeat an event, and a page that broke off is read again; an
 * event's id says what came before. The last CFG_SEEN_EVENTS ids are kept, as
 * 64-bit hashes together with the timestamp: that two different events of
 * one window agree in both is less likely than 10,000 in 2^64 an event, and
 * ids are only looked up where the time allows a repeat. To add one is a
 * store; the table is brought up to date by a look-up that needs it. */
#ifndef FIRN_FETCH_SEEN_H
#define FIRN_FETCH_SEEN_H

#include "base/limits.h"
#include "base/text.h"

enum { SEEN_SLOTS = 16384 };  /* a power of two, a third more than ids */

struct seen {
    uint64_t hash[CFG_SEEN_EVENTS];   /* a ring, oldest overwritten */
    uint16_t slot[SEEN_SLOTS];        /* open addressing: index + 1, 0 empty */
    uint32_t count;                   /* ever added, since the last reset */
    uint32_t listed;                  /* of them in the table, or past it */
};

void seen_reset(struct seen *s);
/* The key of an event. */
uint64_t seen_hash(struct view id, int64_t timestamp_ms);
bool     seen_has(struct seen *s, uint64_t hash);
/* Whether it is one of the so many added last: for a few, sooner told. */
bool     seen_has_lately(const struct seen *s, uint64_t hash, uint32_t most);
void     seen_add(struct seen *s, uint64_t hash);

#endif
