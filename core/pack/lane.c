#include "pack/lane.h"

#include <string.h>

#include "base/check.h"
#include "base/trace.h"

static const char *const state_name[] = {"idle", "reading", "open", "ended",
                                         "failed"};

static void enter(struct lane *l, enum lane_state next)
{
    CHECK(l->state != LANE_FAILED || next == LANE_IDLE);
    trace_state("lane", state_name[l->state], state_name[next]);
    l->state = next;
}

void lane_init(struct lane *l, struct site *site, struct lane_shared *shared)
{
    l->shared = shared;
    l->state = LANE_IDLE;
    logs_init(&l->logs, site, &shared->scope);
    line_init(&l->line, shared->scope.form == DECODE_JSON, shared->ingested,
              shared->id);
    chain_init(&l->chain);
}

static void begin_start(struct lane_start *s)
{
    s->at_ms = INT64_MAX;
    s->blocks = 0;
}

static void begin_block(struct lane *l, int64_t begin_ms)
{
    l->open = (struct block){
        .first_ms = INT64_MAX, .last_ms = INT64_MIN, .begin_ms = begin_ms,
    };
    tally_init(&l->open.settled);
    tally_init(&l->open.late);
}

void lane_begin(struct lane *l, int64_t from_ms, int64_t until_ms, bool last)
{
    CHECK(l->state == LANE_IDLE && l->chain.bytes == 0);
    logs_begin(&l->logs, from_ms, until_ms);
    cut_init(&l->cut, from_ms - l->shared->day_ms);
    begin_start(&l->start);
    begin_block(l, from_ms);
    l->blocks_made = 0;
    l->blocks_taken = 0;
    l->raw_bytes = 0;
    l->packed_bytes = 0;
    l->block_len = 0;
    l->gap = l->line.head_len;
    l->last = last;
    l->full = l->held = false;
    l->in_long = false;
    enter(l, LANE_READING);
}

void lane_change_end(struct lane *l, int64_t until_ms, bool last)
{
    CHECK(l->state == LANE_OPEN || l->state == LANE_READING);
    l->last = last;
    logs_change_end(&l->logs, until_ms);
    if (l->state == LANE_OPEN)
        enter(l, LANE_READING);
}

void lane_cancel(struct lane *l)
{
    logs_cancel(&l->logs);
    chain_clear(l->shared->arena, &l->chain);
    enter(l, LANE_IDLE);
}

const struct block *lane_block(const struct lane *l)
{
    return l->blocks_taken == l->blocks_made
               ? NULL
               : &l->blocks[l->blocks_taken % CFG_LANE_BLOCKS];
}

void lane_take(struct lane *l)
{
    CHECK(l->blocks_taken != l->blocks_made);
    l->blocks_taken++;
}

void lane_trim(struct lane *l)
{
    CHECK(l->start.at_ms != INT64_MAX && l->blocks_taken == 0);
    while (l->blocks_taken < l->start.blocks) {
        const struct block *b = lane_block(l);
        for (uint32_t left = b->packed_bytes; left > 0;) {
            struct view v = chain_peek(l->shared->arena, &l->chain);
            uint32_t len = v.len < left ? v.len : left;
            chain_consume(l->shared->arena, &l->chain, len);
            left -= len;
        }
        l->raw_bytes -= b->raw_bytes;
        l->packed_bytes -= b->packed_bytes;
        lane_take(l);
    }
    struct block *first = l->blocks_taken == l->blocks_made
                              ? &l->open
                              : &l->blocks[l->blocks_taken % CFG_LANE_BLOCKS];
    first->begin_ms = l->start.at_ms;
    l->logs.from_ms = l->start.at_ms;  /* what is older is another lane's */
    begin_start(&l->start);
}

int64_t lane_wake_ms(const struct lane *l)
{
    const struct call *c = &l->logs.call;
    /* full, it is not stepped: its reply waits, and so does its time limit */
    bool waits = l->held || (l->full && c->state == CALL_SENDING);
    return l->state == LANE_READING && !waits ? call_wake_ms(c) : INT64_MAX;
}

static bool may_pack(const struct lane *l, struct lane_policy policy)
{
    return l->blocks_made - l->blocks_taken < CFG_LANE_BLOCKS &&
           l->shared->arena->free_count >= PACK_SLOTS + policy.slots_kept;
}

/* Packs the first `len` bytes of the block; what follows them moves up. */
static void close_block(struct lane *l, uint32_t len, uint32_t follows)
{
    struct view raw = {l->block, len};
    struct block *b = &l->blocks[l->blocks_made % CFG_LANE_BLOCKS];

    CHECK(len > 0 && len <= CFG_BLOCK_BYTES);
    CHECK(l->blocks_made - l->blocks_taken < CFG_LANE_BLOCKS);
    *b = l->open;
    b->raw_bytes = len;
    b->crc = pack_crc(0, raw);
    b->packed_bytes = pack_block(&l->shared->pack, raw, l->shared->arena,
                                 &l->chain);
    l->blocks_made++;
    l->raw_bytes += len;
    l->packed_bytes += b->packed_bytes;
    memmove(l->block, l->block + len, follows);
    begin_block(l, BLOCK_INNER);
}

static struct tally *tally_of(struct lane *l, const struct log_event *e)
{
    return e->ingestion_ms < l->shared->settled_ms ? &l->open.settled
                                                   : &l->open.late;
}

static void note_event(struct lane *l, int64_t timestamp_ms)
{
    struct block *b = &l->open;

    if (timestamp_ms < b->first_ms)
        b->first_ms = timestamp_ms;
    if (timestamp_ms > b->last_ms)
        b->last_ms = timestamp_ms;
}

/* Packs a full block off the front of a line longer than one. What is left of
 * the line has the line's time. */
static enum flow close_full(struct lane *l)
{
    int64_t timestamp_ms = l->open.last_ms;

    l->block_len -= CFG_BLOCK_BYTES;
    close_block(l, CFG_BLOCK_BYTES, l->block_len);
    if (l->block_len > 0)
        note_event(l, timestamp_ms);
    return FLOW_MOVED;
}

/* The message is at block_len + gap: puts head and tail around it. Returns
 * the length of the line. */
static uint32_t make_line(struct lane *l)
{
    const struct log_event *e = &l->logs.event;
    struct view head = line_head(&l->line, e);
    uint8_t *at = l->block + l->block_len;
    uint32_t len = l->logs.message_len;

    if (head.len != l->gap)
        memmove(at + head.len, at + l->gap, len);
    memcpy(at, head.at, head.len);
    return head.len + len + line_tail(&l->line, e, at + head.len + len);
}

static enum flow failed(struct lane *l)
{
    enter(l, LANE_FAILED);
    return FLOW_FAILED;
}

/* If a block is sure to end before an event at `at`, the first such point is
 * kept, and what was made so far is told from the rest. An event that came out
 * of order, from before that point, spoils it: it would not be dropped. */
static void find_start(struct lane *l, int64_t at)
{
    if (l->start.at_ms != INT64_MAX && l->blocks_taken == 0 &&
        l->shared->day_ms + at < l->start.at_ms)
        begin_start(&l->start);
    if (l->start.at_ms != INT64_MAX || l->blocks_taken != 0)
        return;
    int64_t sure = cut_sure(&l->cut, at);
    if (sure == CUT_NONE)
        return;
    l->start = (struct lane_start){
        .at_ms = l->shared->day_ms + sure,
        .blocks = l->blocks_made + (l->block_len > 0),
    };
}

static enum flow on_event(struct lane *l)
{
    const struct log_event *e = &l->logs.event;
    int64_t at = e->timestamp_ms - l->shared->day_ms;

    find_start(l, at);
    uint32_t len = make_line(l);
    bool ends = cut_before(&l->cut, at) ||
                l->block_len + len > CFG_BLOCK_BYTES;
    if (ends && l->block_len > 0) {
        close_block(l, l->block_len, len);
        l->block_len = 0;
    }
    struct view message = {l->block + l->block_len + l->line.head_len,
                           l->logs.message_len};
    tally_add(tally_of(l, e), e->timestamp_ms, message);
    cut_add(&l->cut, at, len);
    note_event(l, e->timestamp_ms);
    l->open.events++;
    l->block_len += len;
    l->gap = l->line.head_len;
    return FLOW_MOVED;
}

/* A long event's line is not known to fit, so it begins its own block. */
static uint32_t begin_long(struct lane *l)
{
    const struct log_event *e = &l->logs.event;
    struct view head = line_head(&l->line, e);
    uint32_t len = l->logs.message_len;

    find_start(l, e->timestamp_ms - l->shared->day_ms);
    if (l->block_len > 0) {
        uint32_t keep = l->gap + len;
        close_block(l, l->block_len, keep);
        l->block_len = 0;
    }
    memmove(l->block + head.len, l->block + l->gap, len);
    memcpy(l->block, head.at, head.len);
    tally_begin(&l->long_message, e->timestamp_ms);
    l->open.events++;
    l->in_long = true;
    return head.len;
}

static enum flow on_piece(struct lane *l)
{
    const struct log_event *e = &l->logs.event;
    int64_t at = e->timestamp_ms - l->shared->day_ms;
    uint32_t len = l->logs.message_len;
    uint32_t line = len;

    if (!l->in_long) {
        uint32_t head = begin_long(l);
        tally_feed(&l->long_message, (struct view){l->block + head, len});
        line += head;
    } else {
        tally_feed(&l->long_message,
                   (struct view){l->block + l->block_len, len});
    }
    if (l->logs.got == LOGS_LAST) {
        line += line_tail(&l->line, e, l->block + l->block_len + line);
        tally_end(tally_of(l, e), &l->long_message);
        l->in_long = false;
    }
    cut_add(&l->cut, at, line);
    note_event(l, e->timestamp_ms);
    l->block_len += line;
    l->gap = l->in_long ? 0 : l->line.head_len;
    return FLOW_MOVED;
}

/* Room for a message, with its tail and whatever its head turns out to be. */
static struct span message_room(struct lane *l)
{
    uint32_t head = l->in_long ? 0 : LINE_HEAD_BYTES;
    uint32_t used = l->block_len + head + LINE_TAIL_BYTES;

    CHECK(used < sizeof l->block);
    return (struct span){l->block + l->block_len + l->gap,
                         (uint32_t)sizeof l->block - used};
}

/* The message does not fit beside the block in hand, or not at all. */
static enum flow on_room(struct lane *l, struct span out)
{
    uint32_t keep = l->gap + logs_pending(&l->logs);

    if (l->in_long || l->block_len == 0 || !logs_is_certain(&l->logs)) {
        logs_is_long(&l->logs, out);
        return FLOW_MOVED;
    }
    close_block(l, l->block_len, keep);
    l->block_len = 0;
    return FLOW_MOVED;
}

static enum flow on_exhausted(struct lane *l)
{
    int64_t until = l->logs.until_ms - l->shared->day_ms;

    if (!l->last && !cut_at(&l->cut, until)) {
        enter(l, LANE_OPEN);
        return FLOW_ENDED;
    }
    if (l->block_len > 0)
        close_block(l, l->block_len, 0);
    l->block_len = 0;
    enter(l, LANE_ENDED);
    return FLOW_ENDED;
}

static enum flow on_reading(struct lane *l, struct now now,
                            struct lane_policy policy)
{
    l->full = !may_pack(l, policy);
    l->held = policy.yield && logs_is_between(&l->logs);
    if (l->held)
        return FLOW_WANT_EVENT;
    if (l->full) {
        enum flow sent = logs_send(&l->logs, now);
        return sent == FLOW_FAILED ? failed(l) : sent;
    }
    if (l->block_len >= CFG_BLOCK_BYTES)
        return close_full(l);
    struct span out = message_room(l);
    enum flow flow = logs_step(&l->logs, now, out);

    if (flow == FLOW_WANT_ROOM)
        return on_room(l, out);
    if (flow == FLOW_ENDED)
        return on_exhausted(l);
    if (flow == FLOW_FAILED)
        return failed(l);
    switch (l->logs.got) {
    case LOGS_NOTHING:
        return flow;
    case LOGS_EVENT:
        return on_event(l);
    case LOGS_PIECE:
    case LOGS_LAST:
        break;
    }
    return on_piece(l);
}

enum flow lane_step(struct lane *l, struct now now, struct lane_policy policy)
{
    switch (l->state) {
    case LANE_READING:
        return on_reading(l, now, policy);
    case LANE_IDLE:
    case LANE_OPEN:
    case LANE_ENDED:
        return FLOW_ENDED;
    case LANE_FAILED:
        break;
    }
    return FLOW_FAILED;
}
