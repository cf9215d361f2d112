/* chain.h - compressed bytes in slots of one arena.
 *
 * An arena is a fixed array of slots and a free list; a chain is a queue of
 * bytes in slots it took. Lanes that run ahead and the parts in hand draw on
 * the same arena, so that memory goes to whoever can use it; who may take a
 * slot, and how many must stay free, is the caller's policy. Every slot is in
 * exactly one chain or free. The caller owns all memory. */
#ifndef FIRN_BASE_CHAIN_H
#define FIRN_BASE_CHAIN_H

#include "base/text.h"

enum { ARENA_NONE = 0xffff };

struct arena {
    uint8_t  *bytes;
    uint16_t *next;        /* a slot's successor in its chain */
    uint32_t  slot_bytes;
    uint16_t  slot_count;  /* below ARENA_NONE */
    uint16_t  free_first;
    uint16_t  free_count;
    uint16_t  used_peak;   /* slots, the most ever taken at once */
};

struct chain {
    uint64_t bytes;      /* held in all */
    uint32_t head_used;  /* bytes already read of the first slot */
    uint32_t tail_used;  /* bytes written to the last slot */
    uint16_t first;
    uint16_t last;
    uint16_t slots;
};

void arena_init(struct arena *a, struct span bytes, uint16_t *next,
                uint32_t slot_bytes);

void        chain_init(struct chain *c);
/* Room in the last slot, taking a new one if that is full and `may_take`.
 * Empty when there is none. Write a prefix of it, then commit its length. */
struct span chain_reserve(struct arena *a, struct chain *c, bool may_take);
void        chain_commit(const struct arena *a, struct chain *c,
                         uint32_t len);
/* The bytes at the front, within one slot; empty when the chain is. */
struct view chain_peek(const struct arena *a, const struct chain *c);
/* Drops bytes from the front; slots read to their end become free, and the
 * last one when nothing is left: no reservation may be open then. */
void        chain_consume(struct arena *a, struct chain *c, uint32_t len);
/* All slots become free. */
void        chain_clear(struct arena *a, struct chain *c);
/* All bytes, in order, one view a slot; returns how many. `capacity` must be
 * enough. */
uint32_t    chain_views(const struct arena *a, const struct chain *c,
                        struct view *views, uint32_t capacity);

#endif
