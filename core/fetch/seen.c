#include "fetch/seen.h"

#include <string.h>

#include "base/check.h"

_Static_assert(CFG_SEEN_EVENTS * 4 <= SEEN_SLOTS * 3,
               "probes stay short while a quarter of the table is empty");
_Static_assert(CFG_SEEN_EVENTS < UINT16_MAX, "an index and 1 fit 16 bits");

void seen_reset(struct seen *s)
{
    memset(s->slot, 0, sizeof s->slot);
    s->count = 0;
    s->listed = 0;
}

__extension__ typedef unsigned __int128 uint128;

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint128 product = (uint128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* At most 16 bytes, as if zeros came after them. */
static inline uint64_t absorb(uint64_t hash, const uint8_t *at, uint32_t len)
{
    uint64_t word[2] = {0, 0};

    memcpy(word, at, len);
    return mix(hash ^ word[0] ^ 0xa0761d6478bd642fu,
               word[1] ^ 0xe7037ed1a0b428dbu ^ len);
}

uint64_t seen_hash(struct view id, int64_t timestamp_ms)
{
    /* Mixed, or a short id that changes as the time does would undo it. */
    uint64_t hash = mix(0x9e3779b97f4a7c15u ^ (uint64_t)timestamp_ms,
                        0xe7037ed1a0b428dbu);
    uint32_t at = 0;

    for (; id.len - at >= 16; at += 16)
        hash = absorb(hash, id.at + at, 16);
    if (at < id.len)
        hash = absorb(hash, id.at + at, id.len - at);
    return mix(hash ^ 0x8ebc6af09c88c6e3u, id.len ^ 0x589965cc75374cc3u);
}

static uint32_t first_slot(uint64_t hash)
{
    return (uint32_t)(hash >> 32) & (SEEN_SLOTS - 1);
}

/* Knuth, TAOCP 6.4, Algorithm R: what follows moves up into the gap. So no
 * younger one ever stands before an older, and the oldest is at its home. */
static void forget(struct seen *s, uint32_t index)
{
    uint32_t gap = first_slot(s->hash[index]);

    CHECK(s->slot[gap] == index + 1);
    s->slot[gap] = 0;
    for (uint32_t at = (gap + 1) & (SEEN_SLOTS - 1); s->slot[at] != 0;
         at = (at + 1) & (SEEN_SLOTS - 1)) {
        uint32_t home = first_slot(s->hash[s->slot[at] - 1]);
        if (((at - home) & (SEEN_SLOTS - 1)) >=
            ((at - gap) & (SEEN_SLOTS - 1))) {
            s->slot[gap] = s->slot[at];
            s->slot[at] = 0;
            gap = at;
        }
    }
}

static void list(struct seen *s, uint32_t index)
{
    uint32_t at = first_slot(s->hash[index]);

    while (s->slot[at] != 0)
        at = (at + 1) & (SEEN_SLOTS - 1);
    s->slot[at] = (uint16_t)(index + 1);
}

bool seen_has(struct seen *s, uint64_t hash)
{
    for (; s->listed < s->count; s->listed++)
        list(s, s->listed % CFG_SEEN_EVENTS);
    for (uint32_t at = first_slot(hash); s->slot[at] != 0;
         at = (at + 1) & (SEEN_SLOTS - 1))
        if (s->hash[s->slot[at] - 1] == hash)
            return true;
    return false;
}

bool seen_has_lately(const struct seen *s, uint64_t hash, uint32_t most)
{
    uint32_t kept = s->count < CFG_SEEN_EVENTS ? s->count : CFG_SEEN_EVENTS;

    for (uint32_t back = 1; back <= most && back <= kept; back++)
        if (s->hash[(s->count - back) % CFG_SEEN_EVENTS] == hash)
            return true;
    return false;
}

void seen_add(struct seen *s, uint64_t hash)
{
    uint32_t index = s->count % CFG_SEEN_EVENTS;

    if (s->count >= CFG_SEEN_EVENTS) {
        uint32_t oldest = s->count - CFG_SEEN_EVENTS;
        if (oldest < s->listed)
            forget(s, index);
        else
            s->listed = oldest + 1;
    }
    s->hash[index] = hash;
    s->count++;
    if (s->count == 2u * CFG_SEEN_EVENTS) {  /* the same ring, no overflow */
        s->count -= CFG_SEEN_EVENTS;
        s->listed -= CFG_SEEN_EVENTS;
    }
}
