/* feed.c - see feed.h. */
#include "ship/feed.h"

#include "ship/order.h"

enum {
    NONE = 0xff,
    TURN_BYTES = 16384,  /* merged between two looks at what arrives */
    FEED_BYTES = (sizeof(struct feed) + 63) / 64 * 64,
};

_Static_assert((int)FEED_BUFFERS < (int)NONE, "buffers are numbered in 8 bits");

/* --- how much ------------------------------------------------------------ */

uint32_t feed_room(uint32_t count, uint32_t buffer_bytes)
{
    return FEED_BYTES + (count + FEED_READERS) * buffer_bytes;
}

uint32_t feed_runs(uint32_t room_bytes, uint32_t buffer_bytes)
{
    CHECK(room_bytes >= feed_room(2, buffer_bytes));
    uint32_t count = (room_bytes - FEED_BYTES) / buffer_bytes - FEED_READERS;

    return count < TOURNAMENT_MOST ? count : TOURNAMENT_MOST;
}

uint32_t feed_buffer_bytes(uint32_t room_bytes, uint32_t count)
{
    uint32_t bytes = FEED_BUFFER_BYTES;

    while (feed_room(count, bytes) > room_bytes)
        bytes /= 2;
    return bytes;
}

struct feed *feed_init(const struct feed_plan *plan)
{
    struct feed *f = (struct feed *)(void *)plan->room.at;

    CHECK(plan->count > 0 && plan->count <= TOURNAMENT_MOST);
    f->plan = *plan;
    f->bytes = plan->room.at + FEED_BYTES;
    f->buffer_bytes = feed_buffer_bytes(plan->room.len, plan->count);
    f->free = 0;
    f->taken = f->looked = 0;
    f->free_count = plan->count + FEED_READERS;
    for (uint32_t i = 0; i < f->free_count; i++)
        f->buffer[i].next = (uint8_t)(i + 1);
    tournament_init(&f->tournament, plan->heads, plan->fault);
    for (uint32_t i = 0; i < plan->count; i++) {
        f->input[i] = (struct feed_input){
            .last_ms = INT64_MIN, .held = NONE, .first = NONE,
        };
        tournament_add(&f->tournament,
                       (struct span){f->bytes, f->buffer_bytes});
    }
    for (uint32_t i = 0; i < FEED_READERS; i++) {
        struct feed_reader *r = &f->reader[i];
        r->busy = false;
        ring_init(&r->ring, f->bytes, f->buffer_bytes);
        object_init(&r->object, plan->setup->site, &r->ring, plan->fault);
    }
    return f;
}

/* --- asking -------------------------------------------------------------- */

static uint8_t *bytes_of(const struct feed *f, uint8_t buffer)
{
    return f->bytes + buffer * f->buffer_bytes;
}

/* Nothing of the run is here or on its way. */
static bool lacks(const struct feed_input *in)
{
    return !in->over && !in->asking && in->first == NONE && in->held == NONE;
}

/* The run that is to be asked for more; the last keeps a buffer for each that
 * lacks one. NULL: none. */
static struct feed_input *choose(struct feed *f)
{
    struct feed_input *best = NULL;
    uint32_t lacking = 0;

    for (uint32_t i = 0; i < f->plan.count; i++)
        lacking += lacks(&f->input[i]);
    for (uint32_t i = 0; i < f->plan.count; i++) {
        struct feed_input *in = &f->input[i];
        bool may = !in->over && !in->asking &&
                   (lacks(in) || f->free_count > lacking);
        if (may && (best == NULL || in->last_ms < best->last_ms))
            best = in;
    }
    return best;
}

static void ask(struct feed *f, struct feed_reader *r, struct feed_input *in)
{
    const struct feed_plan *p = &f->plan;
    struct order_run run = {.level = p->level};
    uint64_t from = in->asked, len = f->buffer_bytes;

    r->busy = in->asking = true;
    r->input = (uint8_t)(in - f->input);
    r->buffer = f->free;
    f->free = f->buffer[r->buffer].next;
    f->free_count--;
    run.number = p->first + r->input;
    if (run.level > 0) {
        run.piece = (uint32_t)(from / p->piece_bytes);
        from %= p->piece_bytes;
        len = len < p->piece_bytes - from ? len : p->piece_bytes - from;
    }
    ring_init(&r->ring, bytes_of(f, r->buffer), f->buffer_bytes);
    object_open_range(&r->object, (struct object_name){
        p->setup->bucket, order_name(p->setup, r->key, &run),
    }, from, from + len);
}

/* --- arriving ------------------------------------------------------------ */

/* The heads in what came: when is the last, and is it the run's end? */
static void look(struct feed_input *in, struct view v)
{
    while (v.len > 0 && !in->over) {
        bool heads = in->skip == 0;
        uint64_t want = heads ? (uint64_t)RUN_HEAD_BYTES - in->head_len
                              : in->skip;
        uint32_t len = want < v.len ? (uint32_t)want : v.len;
        if (heads) {
            memcpy(in->head + in->head_len, v.at, len);
            in->head_len = (uint8_t)(in->head_len + len);
        } else {
            in->skip -= len;
        }
        v = view_slice(v, len, v.len);
        if (in->head_len < RUN_HEAD_BYTES)
            continue;
        struct sortrun_head head = run_head_read(in->head);
        in->over = head.len == 0;
        in->last_ms = head.at_ms;
        in->skip = head.len;
        in->head_len = 0;
    }
}

static void arrive(struct feed *f, struct feed_reader *r)
{
    struct feed_input *in = &f->input[r->input];
    struct feed_buffer *b = &f->buffer[r->buffer];

    b->len = ring_len(&r->ring);
    b->next = NONE;
    if (in->first == NONE)
        in->first = r->buffer;
    else
        f->buffer[in->last].next = r->buffer;
    in->last = r->buffer;
    in->asked += b->len;
    in->asking = r->busy = false;
    look(in, (struct view){bytes_of(f, r->buffer), b->len});
}

/* What broke off is used as far as it came; the rest is asked for anew. */
static enum flow fetch(struct feed *f, struct feed_reader *r, struct now now)
{
    struct object *o = &r->object;
    enum flow flow = o->stage.step(&o->stage, NULL, &r->ring, now);
    bool broken = o->state == OBJECT_BROKEN;

    if (broken) {
        CHECK(ring_len(&r->ring) > 0);  /* else the call asks again itself */
        object_cancel(o);
    }
    if (flow != FLOW_ENDED && !broken)
        return flow;
    arrive(f, r);
    return FLOW_MOVED;
}

enum flow feed_fetch(struct feed *f, struct now now)
{
    bool moved = false;

    for (uint32_t i = 0; i < FEED_READERS; i++) {
        struct feed_reader *r = &f->reader[i];
        enum flow flow = r->busy ? fetch(f, r, now) : FLOW_WANT_EVENT;
        struct feed_input *in = r->busy ? NULL : choose(f);
        if (flow == FLOW_FAILED)
            return FLOW_FAILED;
        if (in != NULL)
            ask(f, r, in);
        moved |= flow == FLOW_MOVED || in != NULL;
    }
    return moved ? FLOW_MOVED : FLOW_WANT_EVENT;
}

/* --- merging ------------------------------------------------------------- */

/* The run that lacks bytes gives its buffer back for the next one. False:
 * that has not come yet. */
static bool feed(struct feed *f, uint32_t input)
{
    struct feed_input *in = &f->input[input];

    if (in->held != NONE) {
        f->buffer[in->held].next = f->free;
        f->free = in->held;
        f->free_count++;
        in->held = NONE;
    }
    if (in->first == NONE)
        return false;
    in->held = in->first;
    in->first = f->buffer[in->held].next;
    struct ring *ring = &f->tournament.input[input].ring;
    ring_init(ring, bytes_of(f, in->held), f->buffer_bytes);
    ring_commit(ring, f->buffer[in->held].len);
    return true;
}

enum flow feed_step(struct feed *f, struct now now)
{
    struct tournament *t = &f->tournament;
    enum flow fetched, flow;

    do
        flow = tournament_step(t);
    while (flow == FLOW_MOVED ||
           (flow == FLOW_WANT_INPUT && feed(f, t->wanted)));
    bool takes = f->taken != f->looked;  /* else it waits, for others' sake */
    f->looked = f->taken;
    if (flow == FLOW_WANT_ROOM && takes && f->taken < TURN_BYTES)
        return flow;
    f->taken = f->looked = 0;
    fetched = feed_fetch(f, now);
    return flow == FLOW_WANT_INPUT || fetched == FLOW_FAILED ? fetched : flow;
}

struct view feed_peek(const struct feed *f)
{
    return tournament_peek(&f->tournament);
}

void feed_consume(struct feed *f, uint32_t len)
{
    f->taken += len;
    tournament_consume(&f->tournament, len);
}

void feed_cancel(struct feed *f)
{
    for (uint32_t i = 0; i < FEED_READERS; i++)
        object_cancel(&f->reader[i].object);
}

int64_t feed_wake_ms(const struct feed *f)
{
    int64_t wake = INT64_MAX;

    for (uint32_t i = 0; i < FEED_READERS; i++) {
        const struct feed_reader *r = &f->reader[i];
        int64_t at = r->busy ? object_wake_ms(&r->object) : INT64_MAX;
        wake = at < wake ? at : wake;
    }
    return wake;
}
