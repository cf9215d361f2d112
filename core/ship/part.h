/* part.h - one part of an object: its bytes in slots of the arena, its CRC.
 *
 * A part is filled with whole blocks and closed at the first block's end past
 * CFG_PART_BYTES, so it never holds more than LIMIT_PART_BYTES. */
#ifndef FIRN_SHIP_PART_H
#define FIRN_SHIP_PART_H

#include "base/chain.h"
#include "base/limits.h"

struct part {
    struct chain chain;
    uint64_t     crc;  /* CRC-64/NVME of what it holds */
};

void     part_init(struct part *p);
/* How many more bytes it could take now, without anyone giving back a slot. */
uint64_t part_room(const struct part *p, const struct arena *arena);
/* No more than there is room for, or it traps. */
void     part_append(struct part *p, struct arena *arena, struct view bytes);
/* Gives its slots back. */
void     part_clear(struct part *p, struct arena *arena);
/* Slots that a part needs at most. */
uint32_t part_slots(const struct arena *arena);

#endif
