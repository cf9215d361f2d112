/* long_event.c - see long_event.h. */
#include "fetch/long_event.h"

#include <string.h>

#include <isa-l/crc.h>

#include "base/check.h"
#include "fetch/seen.h"

void long_event_reset(struct long_event *g)
{
    g->learned = false;
    g->matched = false;
    g->lessons = 0;
}

void long_event_learn(struct long_event *g, const struct log_event *e,
                      uint64_t hash)
{
    CHECK(e->stream.len <= sizeof g->stream);
    g->learned = true;
    g->id = hash;
    g->emitted = 0;
    g->crc = 0;
    g->timestamp_ms = e->timestamp_ms;
    g->ingestion_ms = e->ingestion_ms;
    g->stream_len = e->stream.len;
    memcpy(g->stream, e->stream.at, e->stream.len);
    CHECK(e->id.len <= sizeof g->event_id);
    g->id_len = e->id.len;
    memcpy(g->event_id, e->id.at, g->id_len);
}

struct log_event long_event_header(const struct long_event *g)
{
    return (struct log_event){
        .timestamp_ms = g->timestamp_ms,
        .ingestion_ms = g->ingestion_ms,
        .stream = {g->stream, g->stream_len},
        .id = {g->event_id, g->id_len},
    };
}

bool long_event_is_at(struct long_event *g, uint64_t previous,
                      struct span out)
{
    g->passed = (struct long_event_place){
        .previous = previous,
        .head = seen_hash((struct view){out.at, LONG_EVENT_HEAD_BYTES}, 0),
    };
    return g->learned && g->passed.previous == g->place.previous &&
           g->passed.head == g->place.head;
}

void long_event_match(struct long_event *g)
{
    g->matched = true;
    g->position = 0;
    g->crc_again = 0;
}

bool long_event_take(struct long_event *g, struct span out, uint32_t len,
                     uint32_t *fresh)
{
    uint32_t old = 0;

    if (g->position < g->emitted) {
        uint64_t left = g->emitted - g->position;
        old = left < len ? (uint32_t)left : len;
        g->crc_again = crc32_gzip_refl(g->crc_again, out.at, old);
        if (old == left && g->crc_again != g->crc)
            return false;
        memmove(out.at, out.at + old, len - old);
    }
    *fresh = len - old;
    g->position += len;
    g->emitted += *fresh;
    g->crc = crc32_gzip_refl(g->crc, out.at, *fresh);
    return true;
}
