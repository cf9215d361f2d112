/* ring.h - a fixed byte queue, read and written in place.
 *
 * One producer, one consumer, one thread. The caller owns the bytes, which
 * outlive the ring. Capacity is a power of two and all of it is usable: the
 * cursors run free and are masked on use. Nothing can fail; misuse traps. */
#ifndef FIRN_BASE_RING_H
#define FIRN_BASE_RING_H

#include "base/text.h"

struct ring {
    uint8_t *bytes;
    uint32_t capacity;  /* bytes, a power of two, at most 2^31 */
    uint32_t written;   /* bytes committed so far, modulo 2^32 */
    uint32_t read;      /* bytes consumed so far, modulo 2^32 */
    bool     ended;     /* the producer will commit no more */
};

void ring_init(struct ring *r, uint8_t *bytes, uint32_t capacity);
/* Empty again, and not ended: for the next reply. */
void ring_reset(struct ring *r);

/* Producer: fill a prefix of the reserved span, then commit its length.
 * The span is the room before the wrap, empty when full; a commit ends it. */
struct span ring_reserve(const struct ring *r);
void        ring_commit(struct ring *r, uint32_t len);
void        ring_end(struct ring *r);
void        ring_reopen(struct ring *r);     /* there is more after all */
uint32_t    ring_room(const struct ring *r);  /* all of it, bytes */
/* Copies in as much as there is room for; returns how much. */
uint32_t    ring_write(struct ring *r, struct view v);

/* Consumer: the same. An empty view means "none yet", unless drained. */
struct view ring_peek(const struct ring *r);
void        ring_consume(struct ring *r, uint32_t len);
uint32_t    ring_len(const struct ring *r);      /* bytes waiting */
bool        ring_drained(const struct ring *r);  /* ended and empty */

#endif
