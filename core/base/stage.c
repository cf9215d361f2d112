/* stage.c - see stage.h. */
#include "base/stage.h"

void stage_row_init(struct stage_row *r, struct ring *in)
{
    *r = (struct stage_row){.ring = {in}};
}

void stage_row_add(struct stage_row *r, struct stage *stage, struct ring *out)
{
    CHECK(r->count < STAGE_ROW_COUNT);
    CHECK(r->count == 0 || r->ring[r->count] != NULL);
    r->stage[r->count++] = stage;
    r->ring[r->count] = out;
}

static enum flow step_one(struct stage_row *r, uint32_t i, struct now now,
                          bool *moved)
{
    struct stage *stage = r->stage[i];
    enum flow flow = FLOW_MOVED;

    for (int turn = 0; turn < STAGE_TURNS && flow == FLOW_MOVED; turn++) {
        flow = stage->step(stage, r->ring[i], r->ring[i + 1], now);
        *moved |= flow == FLOW_MOVED;
    }
    return flow;
}

enum flow stage_row_step(struct stage_row *r, struct now now)
{
    enum flow flow = FLOW_ENDED, first = FLOW_ENDED;
    bool moved = false, waits = false;

    CHECK(r->first < r->count);
    for (uint32_t i = r->first; i < r->count; i++) {
        flow = step_one(r, i, now, &moved);
        if (flow == FLOW_FAILED) {
            r->failed = i;
            return flow;
        }
        if (i == r->first)
            first = flow;
        waits |= flow == FLOW_WANT_EVENT;
    }
    if (flow == FLOW_ENDED)
        return flow;
    if (moved)
        return FLOW_MOVED;
    if (flow == FLOW_WANT_ROOM)
        return flow;
    if (waits)
        return FLOW_WANT_EVENT;
    CHECK(first == FLOW_WANT_INPUT && r->ring[r->first] != NULL);
    return first;
}

bool stage_row_cut(struct stage_row *r)
{
    r->first = r->failed + 1;
    CHECK(r->first <= r->count);
    if (r->first == r->count)
        return false;
    CHECK(!r->ring[r->first]->ended);
    ring_end(r->ring[r->first]);
    return true;
}
