/* chain.c - see chain.h. */
#include "base/chain.h"

void arena_init(struct arena *a, struct span bytes, uint16_t *next,
                uint32_t slot_bytes)
{
    CHECK(slot_bytes > 0 && bytes.len % slot_bytes == 0);
    uint32_t count = bytes.len / slot_bytes;
    CHECK(count > 0 && count < ARENA_NONE);
    *a = (struct arena){
        .bytes = bytes.at,
        .next = next,
        .slot_bytes = slot_bytes,
        .slot_count = (uint16_t)count,
        .free_first = 0,
        .free_count = (uint16_t)count,
    };
    for (uint32_t i = 0; i < count; i++)
        next[i] = (uint16_t)(i + 1 < count ? i + 1 : ARENA_NONE);
}

static uint8_t *slot_at(const struct arena *a, uint16_t slot)
{
    CHECK(slot < a->slot_count);
    return a->bytes + (size_t)slot * a->slot_bytes;
}

static uint16_t slot_take(struct arena *a)
{
    uint16_t slot = a->free_first;
    CHECK(a->free_count > 0 && slot < a->slot_count);
    a->free_first = a->next[slot];
    a->free_count--;
    uint16_t used = (uint16_t)(a->slot_count - a->free_count);
    if (used > a->used_peak)
        a->used_peak = used;
    return slot;
}

static void slot_free(struct arena *a, uint16_t slot)
{
    CHECK(slot < a->slot_count);
    CHECK(a->free_count < a->slot_count);
    a->next[slot] = a->free_first;
    a->free_first = slot;
    a->free_count++;
}

void chain_init(struct chain *c)
{
    *c = (struct chain){.first = ARENA_NONE, .last = ARENA_NONE};
}

static void append_slot(struct arena *a, struct chain *c)
{
    uint16_t slot = slot_take(a);
    a->next[slot] = ARENA_NONE;
    if (c->slots == 0)
        c->first = slot;
    else
        a->next[c->last] = slot;
    c->last = slot;
    c->tail_used = 0;
    c->slots++;
}

static void drop_first(struct arena *a, struct chain *c)
{
    uint16_t slot = c->first;
    CHECK(c->slots > 0);
    c->first = a->next[slot];
    c->head_used = 0;
    c->slots--;
    if (c->slots == 0) {
        c->last = ARENA_NONE;
        c->tail_used = 0;
    }
    slot_free(a, slot);
}

struct span chain_reserve(struct arena *a, struct chain *c, bool may_take)
{
    if (c->slots == 0 || c->tail_used == a->slot_bytes) {
        if (!may_take || a->free_count == 0)
            return (struct span){0};
        append_slot(a, c);
    }
    CHECK(c->tail_used < a->slot_bytes);
    return (struct span){slot_at(a, c->last) + c->tail_used,
                         a->slot_bytes - c->tail_used};
}

void chain_commit(const struct arena *a, struct chain *c, uint32_t len)
{
    CHECK(len == 0 || c->slots > 0);
    CHECK(len <= a->slot_bytes - c->tail_used);
    c->tail_used += len;
    c->bytes += len;
}

/* Bytes written to a slot: all but the last are full. */
static uint32_t slot_used(const struct arena *a, const struct chain *c,
                          uint16_t slot)
{
    return slot == c->last ? c->tail_used : a->slot_bytes;
}

struct view chain_peek(const struct arena *a, const struct chain *c)
{
    if (c->bytes == 0)
        return (struct view){0};
    uint32_t used = slot_used(a, c, c->first);
    CHECK(c->head_used < used);
    return (struct view){slot_at(a, c->first) + c->head_used,
                         used - c->head_used};
}

void chain_consume(struct arena *a, struct chain *c, uint32_t len)
{
    CHECK(len <= c->bytes);
    while (len > 0) {  /* at most once a slot */
        uint32_t left = slot_used(a, c, c->first) - c->head_used;
        uint32_t step = len < left ? len : left;
        CHECK(step > 0);
        c->head_used += step;
        c->bytes -= step;
        len -= step;
        if (c->head_used == a->slot_bytes)
            drop_first(a, c);
    }
    if (c->bytes == 0 && c->slots > 0)
        drop_first(a, c);
    CHECK(c->bytes > 0 || c->slots == 0);
}

void chain_clear(struct arena *a, struct chain *c)
{
    while (c->slots > 0)
        drop_first(a, c);
    chain_init(c);
}

uint32_t chain_views(const struct arena *a, const struct chain *c,
                     struct view *views, uint32_t capacity)
{
    uint32_t count = 0;
    uint32_t from = c->head_used;
    uint16_t slot = c->first;
    for (uint32_t i = 0; i < c->slots; i++) {
        uint32_t used = slot_used(a, c, slot);
        CHECK(from <= used);
        if (used > from) {
            CHECK(count < capacity);
            views[count++] = (struct view){slot_at(a, slot) + from,
                                           used - from};
        }
        from = 0;
        slot = a->next[slot];
    }
    return count;
}
