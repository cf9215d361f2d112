/* journal.c - see journal.h. */
#include "ship/journal.h"

#include <isa-l/crc.h>

#include "base/check.h"
#include "base/crc.h"

static void begin_window(struct journal *j, int64_t from_ms)
{
    j->now.mark = (struct checkpoint_mark){
        .from_ms = from_ms, .settled = j->settled, .late = j->late,
    };
}

void journal_init(struct journal *j, int64_t from_ms)
{
    *j = (struct journal){.now.head.greatest_ms = INT64_MIN};
    tally_init(&j->settled);
    tally_init(&j->late);
    begin_window(j, from_ms);
    j->stored = j->now;
}

void journal_resume(struct journal *j, const struct checkpoint_stored *stored)
{
    *j = (struct journal){
        .settled = stored->mark.settled,
        .late = stored->mark.late,
        .now = *stored,
        .stored = *stored,
        .drop_bytes = stored->mark.raw_bytes,
        .drop_events = stored->head.events - stored->mark.settled.events -
                       stored->mark.late.events,
        .drop_crc = stored->mark.raw_crc,
    };
    begin_window(j, stored->mark.from_ms);
}

/* Of the window in hand, stored or not. */
static void add_to_window(struct journal *j, const struct block *b)
{
    struct checkpoint_mark *m = &j->now.mark;

    if (b->begin_ms != BLOCK_INNER)
        begin_window(j, b->begin_ms);
    m->raw_crc = crc32_combine(m->raw_crc, b->crc, b->raw_bytes);
    m->raw_bytes += b->raw_bytes;
    tally_merge(&j->settled, &b->settled);
    tally_merge(&j->late, &b->late);
}

static enum journal_block drop(struct journal *j, const struct block *b)
{
    if (b->raw_bytes > j->drop_bytes)
        return JOURNAL_DIFFERS;
    j->dropped_crc = crc32_combine(j->dropped_crc, b->crc, b->raw_bytes);
    j->drop_bytes -= b->raw_bytes;
    j->drop_events -= b->events;
    bool same = j->dropped_crc == j->drop_crc && j->drop_events == 0;
    return j->drop_bytes > 0 || same ? JOURNAL_DROP : JOURNAL_DIFFERS;
}

enum journal_block journal_add(struct journal *j, const struct block *b)
{
    add_to_window(j, b);
    if (j->drop_bytes > 0)
        return drop(j, b);
    j->now.head.blocks++;
    j->now.head.events += b->events;
    if (b->last_ms > j->now.head.greatest_ms)
        j->now.head.greatest_ms = b->last_ms;
    j->now.crc = crc32_combine(j->now.crc, b->crc, b->raw_bytes);
    j->now.bytes_raw += b->raw_bytes;
    return JOURNAL_NEW;
}

void journal_place(struct journal *j, const struct checkpoint_mark *mark)
{
    j->now.mark.from_ms = mark->from_ms;
    j->now.mark.raw_bytes = mark->raw_bytes;
    j->now.mark.list = mark->list;
}

void journal_close(struct journal *j, const struct upload_stored *closed)
{
    j->now.parts = *closed;
    j->closed[closed->parts % CFG_UPLOAD_COUNT] = j->now;
}

bool journal_store(struct journal *j, const struct upload_stored *stored)
{
    const struct checkpoint_stored *s;
    uint32_t parts = stored->parts;

    if (parts > j->now.parts.parts)  /* the last one: not to be gone behind */
        parts = j->now.parts.parts;
    if (parts <= j->stored.parts.parts)
        return false;
    s = &j->closed[parts % CFG_UPLOAD_COUNT];
    CHECK(s->parts.parts == parts);
    j->stored = *s;
    if (parts == stored->parts)
        j->stored.parts = *stored;  /* of a copied part S3 tells the CRC */
    return true;
}
