/* ring.c - see ring.h. */
#include "base/ring.h"

void ring_init(struct ring *r, uint8_t *bytes, uint32_t capacity)
{
    CHECK(bytes != NULL);
    CHECK(capacity > 0 && (capacity & (capacity - 1)) == 0);
    r->bytes = bytes;
    r->capacity = capacity;
    ring_reset(r);
}

void ring_reset(struct ring *r)
{
    r->written = 0;
    r->read = 0;
    r->ended = false;
}

uint32_t ring_len(const struct ring *r)
{
    uint32_t len = r->written - r->read;
    CHECK(len <= r->capacity);
    return len;
}

uint32_t ring_room(const struct ring *r)
{
    return r->capacity - ring_len(r);
}

bool ring_drained(const struct ring *r)
{
    return r->ended && r->written == r->read;
}

struct span ring_reserve(const struct ring *r)
{
    uint32_t at = r->written & (r->capacity - 1);
    uint32_t room = ring_room(r), before_wrap = r->capacity - at;
    return (struct span){r->bytes + at,
                         room < before_wrap ? room : before_wrap};
}

void ring_commit(struct ring *r, uint32_t len)
{
    CHECK(!r->ended || len == 0);
    CHECK(len <= ring_room(r));
    r->written += len;
}

void ring_end(struct ring *r)
{
    r->ended = true;
}

void ring_reopen(struct ring *r)
{
    r->ended = false;
}

uint32_t ring_write(struct ring *r, struct view v)
{
    uint32_t done = 0;
    for (int piece = 0; piece < 2 && done < v.len; piece++) {
        struct span room = ring_reserve(r);
        uint32_t left = v.len - done;
        uint32_t len = left < room.len ? left : room.len;
        if (len == 0)
            break;
        memcpy(room.at, v.at + done, len);
        ring_commit(r, len);
        done += len;
    }
    return done;
}

struct view ring_peek(const struct ring *r)
{
    uint32_t at = r->read & (r->capacity - 1);
    uint32_t len = ring_len(r), before_wrap = r->capacity - at;
    return (struct view){r->bytes + at, len < before_wrap ? len : before_wrap};
}

void ring_consume(struct ring *r, uint32_t len)
{
    CHECK(len <= ring_len(r));
    r->read += len;
}
