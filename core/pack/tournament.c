/* tournament.c - see tournament.h. */
#include "pack/tournament.h"

void tournament_init(struct tournament *t, bool heads, struct fault *fault)
{
    t->wanted = t->count = 0;
    t->records = 0;
    t->fault = fault;
    t->heads = heads;
    t->built = t->failed = false;
    t->owed = t->top = 0;
}

void tournament_add(struct tournament *t, struct span room)
{
    CHECK(t->count < TOURNAMENT_MOST && !t->built);
    struct tournament_input *in = &t->input[t->count++];

    *in = (struct tournament_input){.at_ms = INT64_MIN};
    ring_init(&in->ring, room.at, room.len);
}

static void take(struct tournament_input *in, uint32_t len)
{
    ring_consume(&in->ring, len);
    in->next += len;
}

/* Reads the head of the next record; false while bytes of it are lacking, or
 * if it is none. */
static bool read_head(struct tournament *t, struct tournament_input *in)
{
    while (in->head_len < RUN_HEAD_BYTES && ring_len(&in->ring) > 0) {
        in->head[in->head_len++] = ring_peek(&in->ring).at[0];
        take(in, 1);
    }
    if (in->head_len < RUN_HEAD_BYTES)
        return false;
    struct sortrun_head head = run_head_read(in->head);

    in->ended = head.len == 0;
    t->failed = !in->ended && head.at_ms < in->at_ms;
    if (t->failed)
        fault_set(t->fault, ERROR_CORRUPT, "a sorted run is out of order",
                  (int64_t)in->next);
    in->at_ms = head.at_ms;
    in->left = head.len;
    return !t->failed;
}

static bool is_before(const struct tournament *t, uint32_t a, uint32_t b)
{
    const struct tournament_input *x = &t->input[a], *y = &t->input[b];

    if (x->ended != y->ended)
        return y->ended;
    return x->at_ms != y->at_ms ? x->at_ms < y->at_ms : a < b;
}

/* All matches, from the leaves on: a leaf is count + the run's number. */
static void build(struct tournament *t)
{
    uint8_t winner[2 * TOURNAMENT_MOST];

    for (uint32_t i = 0; i < t->count; i++)
        winner[t->count + i] = (uint8_t)i;
    for (uint32_t node = t->count - 1; node > 0; node--) {
        uint8_t a = winner[2 * node], b = winner[2 * node + 1];
        bool first = is_before(t, a, b);
        winner[node] = first ? a : b;
        t->loser[node] = first ? b : a;
    }
    t->top = winner[1];
    t->built = true;
}

/* The matches of the run whose record is new. */
static void replay(struct tournament *t)
{
    uint8_t best = t->top;

    for (uint32_t node = (t->count + best) / 2; node > 0; node /= 2)
        if (is_before(t, t->loser[node], best)) {
            uint8_t other = t->loser[node];
            t->loser[node] = best;
            best = other;
        }
    t->top = best;
}

/* A record is in hand: its head is to come out first. */
static void show(struct tournament *t)
{
    t->owed = t->heads ? RUN_HEAD_BYTES : 0;
    t->records += !t->input[t->top].ended;
}

static enum flow lack(struct tournament *t, uint32_t input)
{
    t->wanted = input;
    return t->failed ? FLOW_FAILED : FLOW_WANT_INPUT;
}

static enum flow begin(struct tournament *t)
{
    CHECK(t->count > 0);
    for (uint32_t i = 0; i < t->count; i++)
        if (t->input[i].head_len < RUN_HEAD_BYTES &&
            !read_head(t, &t->input[i]))
            return lack(t, i);
    build(t);
    show(t);
    return FLOW_MOVED;
}

static enum flow next(struct tournament *t)
{
    struct tournament_input *in = &t->input[t->top];

    if (in->head_len == RUN_HEAD_BYTES)
        in->head_len = 0;
    if (!read_head(t, in))
        return lack(t, t->top);
    replay(t);
    show(t);
    return FLOW_MOVED;
}

enum flow tournament_step(struct tournament *t)
{
    const struct tournament_input *in = &t->input[t->top];

    if (t->failed)
        return FLOW_FAILED;
    if (!t->built)
        return begin(t);
    if (t->owed > 0)
        return FLOW_WANT_ROOM;
    if (in->ended)
        return FLOW_ENDED;
    if (in->left == 0)
        return next(t);
    return ring_len(&in->ring) > 0 ? FLOW_WANT_ROOM : lack(t, t->top);
}

struct view tournament_peek(const struct tournament *t)
{
    const struct tournament_input *in = &t->input[t->top];
    struct view v = ring_peek(&in->ring);

    if (t->owed > 0)
        return (struct view){in->head + RUN_HEAD_BYTES - t->owed, t->owed};
    return view_slice(v, 0, v.len < in->left ? v.len : in->left);
}

void tournament_consume(struct tournament *t, uint32_t len)
{
    struct tournament_input *in = &t->input[t->top];

    if (t->owed > 0) {
        CHECK(len <= t->owed);
        t->owed = (uint8_t)(t->owed - len);
        return;
    }
    CHECK(len <= in->left);
    in->left -= len;
    take(in, len);
}
