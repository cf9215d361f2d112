/* compose.c - see compose.h. */
#include "ship/compose.h"

#include "base/check.h"
#include "base/limits.h"

void compose_init(struct compose *c)
{
    *c = (struct compose){0};
}

void compose_object(struct compose *c, uint64_t size, uint64_t at)
{
    CHECK(c->at == c->size && at <= size);
    c->size = size;
    c->at = at;
    c->until = 0;
}

/* Where streaming stops, of what is left of the object. */
static uint64_t stream_end(const struct compose *c)
{
    uint64_t rest = c->size - c->at;
    uint64_t fill = c->filled == 0                 ? 0
                    : c->filled < LIMIT_PART_LEAST
                        ? LIMIT_PART_LEAST - c->filled
                        : 1;  /* it may close, but only behind some bytes */

    return rest < LIMIT_PART_LEAST + fill ? c->size : c->at + fill;
}

/* Equal pieces of at most 5 GiB. */
static uint64_t copy_end(const struct compose *c)
{
    uint64_t rest = c->size - c->at;
    uint64_t pieces = (rest + LIMIT_COPY_BYTES - 1) / LIMIT_COPY_BYTES;

    return c->at + (rest + pieces - 1) / pieces;
}

struct compose_piece compose_piece(struct compose *c)
{
    if (c->at == c->size)
        return (struct compose_piece){.how = COMPOSE_NONE};
    if (c->until == 0) {
        uint64_t end = stream_end(c);
        if (end == c->at)
            return (struct compose_piece){COMPOSE_COPY, c->at, copy_end(c)};
        c->from = c->at;
        c->until = end;
        c->streams++;
    }
    uint64_t to = c->at + (CFG_PART_BYTES - c->filled);
    return (struct compose_piece){COMPOSE_STREAM, c->at,
                                  to < c->until ? to : c->until};
}

static bool close_part(struct compose *c, bool closes)
{
    if (closes) {
        c->filled = 0;
        c->parts++;
    }
    return closes;
}

bool compose_insert(struct compose *c, uint64_t bytes)
{
    CHECK(c->at == c->size);
    c->filled += bytes;
    return close_part(c, c->filled >= CFG_PART_BYTES);
}

bool compose_moved(struct compose *c, uint64_t bytes)
{
    c->at += bytes;
    if (c->until == 0) {
        c->copies++;
        return close_part(c, true);
    }
    c->filled += bytes;
    c->streamed += bytes;
    CHECK(c->at <= c->until && c->filled <= CFG_PART_BYTES);
    if (c->at == c->until)
        c->until = 0;
    bool copies = c->until == 0 && c->at < c->size;
    return close_part(c, copies || c->filled == CFG_PART_BYTES);
}
