/* oracle.h - the blocks that a day of the model's events must become.
 *
 * Made one after the other by the rules in cut.h and line.h, as a naive writer
 * would follow them: lines, blocks and their figures. */
#ifndef FIRN_TESTS_ORACLE_H
#define FIRN_TESTS_ORACLE_H

#include "expect.h"
#include "pack/join.h"


#define DAY_FROM INT64_C(1794182400000)  /* 2026-11-09 */
#define GROUP "/sim/group"

enum { BLOCK_MOST = CFG_BLOCK_BYTES, LINE_MOST = 8 << 20 };

struct oracle {
    struct aws_cursor *cursor;
    struct cut   cut;
    bool         json, ended, waiting;  /* a line waits for its block */
    int64_t      line_ms;
    uint8_t     *line, *bytes;          /* the line; the block, and more */
    uint32_t     line_len, len;
    struct block open, block;           /* public: block, its bytes first */
    uint64_t     lines;
};

static inline bool read_line(struct oracle *o)
{
    struct aws_event e;
    struct view message;
    unsigned form = o->json ? EXPECT_JSON | EXPECT_INGESTED | EXPECT_ID : 0;
    if (!aws_next_event(o->cursor, &e))
        return false;
    CHECK(expect_most(&e) <= LINE_MOST);
    o->line_len = expect_line(o->line, &e, form, &message).len;
    o->line_ms = e.timestamp;
    o->lines++;
    return true;
}

static inline void begin_oracle(struct oracle *o, struct aws *m, int64_t from,
                         int64_t until, bool json)
{
    static uint8_t line[LINE_MOST], bytes[LINE_MOST + BLOCK_MOST];
    *o = (struct oracle){.json = json, .line = line, .bytes = bytes};
    o->cursor = aws_events(m, GROUP, from, until, INT64_MAX);
    o->open = (struct block){.first_ms = INT64_MAX, .last_ms = INT64_MIN};
    cut_init(&o->cut, 0);
}

static inline void note(struct oracle *o, int64_t ms)
{
    if (ms < o->open.first_ms)
        o->open.first_ms = ms;
    if (ms > o->open.last_ms)
        o->open.last_ms = ms;
}

static inline bool give(struct oracle *o, uint32_t len)
{
    int64_t last = o->open.last_ms;
    o->block = o->open;
    o->block.raw_bytes = len;
    o->block.crc = pack_crc(0, (struct view){o->bytes, len});
    o->open = (struct block){.first_ms = INT64_MAX, .last_ms = INT64_MIN};
    if (o->len > len)
        note(o, last);
    return true;
}

/* The next block; the one before is dropped. */
static inline bool next_block(struct oracle *o)
{
    o->len -= o->block.raw_bytes;
    memmove(o->bytes, o->bytes + o->block.raw_bytes, o->len);
    o->block.raw_bytes = 0;
    while (o->len < BLOCK_MOST) {
        o->waiting = o->waiting || read_line(o);
        if (!o->waiting)
            return o->len > 0 && give(o, o->len);
        int64_t at = o->line_ms - DAY_FROM;
        if (o->len > 0 && (cut_before(&o->cut, at) ||
                           o->len + o->line_len > BLOCK_MOST))
            return give(o, o->len);
        memcpy(o->bytes + o->len, o->line, o->line_len);
        o->len += o->line_len;
        o->open.events++;
        note(o, o->line_ms);
        cut_add(&o->cut, at, o->line_len);
        o->waiting = false;
    }
    return give(o, BLOCK_MOST);
}

#endif
