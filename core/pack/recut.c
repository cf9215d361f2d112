/* recut.c - see recut.h. */
#include "pack/recut.h"

#include "base/check.h"

enum { HALF_BYTES = CFG_BLOCK_BYTES / 2 };

void recut_init(struct recut *r, struct lane_shared *shared,
                const struct choose_want *want)
{
    fault_reset(&r->fault);
    chain_init(&r->chain);
    r->ready = r->glued = false;
    r->rubbish = 0;
    r->raw_bytes_in = r->raw_bytes_out = 0;
    r->form = INFLATE_ANY;
    r->pack = shared != NULL ? &shared->pack : NULL;
    r->arena = shared != NULL ? shared->arena : NULL;
    r->chooses = want != NULL;
    r->lends = false;
    if (want != NULL) {
        r->want = *want;
        choose_init(&r->choose, want, CHOOSE_ANY, &r->fault);
    }
    census_init(&r->census, CENSUS_EITHER, &r->fault);
    ring_init(&r->raw, r->inflated_bytes, sizeof r->inflated_bytes);
    ring_init(&r->chosen, r->chosen_bytes, sizeof r->chosen_bytes);
    r->number = 0;
    r->len = 0;
    r->begin = BLOCK_INNER;
    r->state = RECUT_IDLE;
}

void recut_inside(struct recut *r, bool wanted)
{
    if (r->chooses)
        choose_inside(&r->choose, wanted);
}

bool recut_wants(const struct recut *r)
{
    return r->chooses && r->choose.wanted;
}

void recut_object(struct recut *r, uint64_t number, enum inflate_form form)
{
    CHECK(r->state == RECUT_IDLE && !r->ready);
    r->number = number;
    if (r->len == 0)
        r->begin = (int64_t)number;
    r->form = INFLATE_ANY;
    inflate_init(&r->inflate, &r->workspace, form, &r->fault);
    r->state = RECUT_INFLATING;
}

/* --- blocks -------------------------------------------------------------- */

/* The open block's bytes as the census reads them. */
static void count(struct recut *r, uint32_t len)
{
    struct ring ring = {
        .bytes = r->bytes, .capacity = 1u << 31, .written = len,
    };
    while (ring_len(&ring) > 0)
        (void)r->census.stage.step(&r->census.stage, &ring, NULL,
                                   (struct now){0});
}

/* Counts what a block adds, and the times of all records of which it holds
 * some bytes: the one under way may end in it, and one may begin. */
static void describe(struct recut *r, uint32_t len, bool ends)
{
    struct tally before = r->census.tally;
    bool goes_on = census_is_inside(&r->census);
    struct block *b = &r->block;

    *b = (struct block){.raw_bytes = len, .begin_ms = r->begin};
    tally_init(&r->census.tally);
    tally_init(&b->late);
    count(r, len);
    if (ends)
        census_end(&r->census);
    b->settled = r->census.tally;
    tally_merge(&before, &b->settled);
    r->census.tally = before;
    b->events = (uint32_t)b->settled.events - goes_on +
                census_is_inside(&r->census);  /* that begin in it */
    b->first_ms = b->settled.first_ms;
    b->last_ms = b->settled.last_ms;
    if (census_is_inside(&r->census)) {
        int64_t at_ms = r->census.at_ms;
        b->first_ms = at_ms < b->first_ms ? at_ms : b->first_ms;
        b->last_ms = at_ms > b->last_ms ? at_ms : b->last_ms;
    }
}

/* Closes the first `len` bytes as a block; what follows moves up. `ends`: so
 * does its last record. */
static void close_block(struct recut *r, uint32_t len, bool ends)
{
    struct view raw = {r->bytes, len};

    CHECK(!r->ready && len > 0 && len <= r->len);
    describe(r, len, ends);
    if (r->pack != NULL) {
        r->block.crc = pack_crc(0, raw);
        r->block.packed_bytes = pack_block(r->pack, raw, r->arena, &r->chain);
        r->ready = true;
    }
    r->raw_bytes_out += len;
    r->len -= len;
    memmove(r->bytes, r->bytes + len, r->len);
    r->begin = BLOCK_INNER;
}

static bool may_close(const struct recut *r)
{
    return r->pack == NULL || r->arena->free_count >= PACK_SLOTS;
}

/* As many whole lines as there are; or all, in the middle of a long one. */
static uint32_t whole_lines(const struct recut *r)
{
    uint32_t len = r->len;
    while (len > 0 && r->bytes[len - 1] != '\n')
        len--;
    return len > 0 ? len : r->len;
}

static enum flow fill_block(struct recut *r, struct ring *from)
{
    struct view v = ring_peek(from);
    uint32_t room = sizeof r->bytes - r->len;

    if (v.len == 0)
        return FLOW_WANT_INPUT;  /* a full one may be the last */
    if (r->lends)
        return FLOW_WANT_ROOM;
    if (room == 0) {
        if (!may_close(r))
            return FLOW_WANT_ROOM;
        close_block(r, whole_lines(r), false);
        return FLOW_MOVED;
    }
    v.len = v.len < room ? v.len : room;
    memcpy(r->bytes + r->len, v.at, v.len);
    r->len += v.len;
    ring_consume(from, v.len);
    return FLOW_MOVED;
}

struct ring *recut_lines(struct recut *r)
{
    return r->chooses ? &r->chosen : &r->raw;
}

void recut_sorted(struct recut *r)
{
    CHECK(r->state == RECUT_IDLE && r->len == 0);
    r->lends = r->chooses = false;
}

/* --- one object ---------------------------------------------------------- */

/* The last byte that was inflated; true if there was none. */
static bool ends_line(const struct recut *r)
{
    const struct ring *raw = &r->raw;
    return r->inflate.raw_bytes == 0 ||
           raw->bytes[(raw->written - 1) & (raw->capacity - 1)] == '\n';
}

static enum flow on_inflating(struct recut *r, struct ring *in)
{
    struct stage *s = &r->inflate.stage;
    enum flow flow = s->step(s, in, &r->raw, (struct now){0});

    r->form = r->inflate.form;
    if (flow != FLOW_ENDED)
        return flow;
    if (!ends_line(r) && ring_room(&r->raw) == 0)
        return FLOW_WANT_ROOM;
    ring_reopen(&r->raw);  /* the next object's lines follow */
    r->rubbish += r->inflate.trailing;
    r->raw_bytes_in += r->inflate.raw_bytes + !ends_line(r);
    if (!ends_line(r)) {
        r->glued = true;
        (void)ring_write(&r->raw, view_of("\n"));
    }
    r->state = RECUT_DRAINING;
    return FLOW_MOVED;
}

static enum flow choose(struct recut *r)
{
    struct stage *s = &r->choose.stage;
    return s->step(s, &r->raw, &r->chosen, (struct now){0});
}

/* All of the object is in blocks, or in the open one: its last line has been
 * chosen, as it has a newline. */
static enum flow end_object(struct recut *r)
{
    CHECK(ring_len(&r->raw) == 0);
    CHECK(!r->chooses || r->choose.held_len == 0);
    if (r->len >= HALF_BYTES && !may_close(r))
        return FLOW_WANT_ROOM;
    r->state = RECUT_IDLE;
    if (r->len >= HALF_BYTES)
        close_block(r, r->len, true);
    return FLOW_ENDED;
}

enum flow recut_step(struct recut *r, struct ring *in)
{
    enum flow last = FLOW_WANT_INPUT, flow;
    bool moved = false;

    if (r->fault.error != ERROR_NONE)
        return FLOW_FAILED;
    if (r->ready)
        return FLOW_WANT_ROOM;
    if (r->state == RECUT_INFLATING) {
        last = on_inflating(r, in);
        moved |= last == FLOW_MOVED;
        if (last == FLOW_FAILED)
            return FLOW_FAILED;
    }
    for (uint32_t i = 0; r->chooses && i < STAGE_TURNS; i++) {
        flow = choose(r);
        if (flow == FLOW_FAILED)
            return FLOW_FAILED;
        if (flow != FLOW_MOVED)
            break;
        moved = true;
    }
    flow = fill_block(r, recut_lines(r));
    if (flow == FLOW_WANT_ROOM)
        return flow;
    if (flow == FLOW_MOVED || moved)
        return FLOW_MOVED;
    return r->state == RECUT_DRAINING ? end_object(r) : last;
}

bool recut_end(struct recut *r)
{
    CHECK(r->state == RECUT_IDLE);
    if (r->len > 0 && may_close(r))
        close_block(r, r->len, true);
    return r->len == 0;
}

void recut_take(struct recut *r)
{
    CHECK(r->ready && r->chain.bytes == 0);
    r->ready = false;
}
