/* part.c - see part.h. */
#include "ship/part.h"

#include "base/crc.h"

void part_init(struct part *p)
{
    chain_init(&p->chain);
    p->crc = 0;
}

uint64_t part_room(const struct part *p, const struct arena *arena)
{
    uint32_t tail = p->chain.slots > 0
        ? arena->slot_bytes - p->chain.tail_used : 0;
    return tail + (uint64_t)arena->free_count * arena->slot_bytes;
}

void part_append(struct part *p, struct arena *arena, struct view bytes)
{
    CHECK(p->chain.bytes + bytes.len <= LIMIT_PART_BYTES);
    p->crc = crc64_add(p->crc, bytes);
    while (bytes.len > 0) {  /* once a slot */
        struct span room = chain_reserve(arena, &p->chain, true);
        uint32_t len = bytes.len < room.len ? bytes.len : room.len;
        CHECK(len > 0);
        memcpy(room.at, bytes.at, len);
        chain_commit(arena, &p->chain, len);
        bytes = view_slice(bytes, len, bytes.len);
    }
}

void part_clear(struct part *p, struct arena *arena)
{
    chain_clear(arena, &p->chain);
    p->crc = 0;
}

uint32_t part_slots(const struct arena *arena)
{
    return (LIMIT_PART_BYTES + arena->slot_bytes - 1) / arena->slot_bytes;
}
