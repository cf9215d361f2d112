/* survey.c - see survey.h. */
#include "ship/survey.h"

static struct survey_place *at(struct survey *s, uint32_t i)
{
    return &s->place[(s->eldest + i) % SURVEY_COUNT];
}

void survey_init(struct survey *s, struct site *site, struct view bucket)
{
    s->bucket = bucket;
    s->eldest = 0;
    s->count = 0;
    s->failed = false;
    fault_reset(&s->fault);
    for (uint32_t i = 0; i < SURVEY_COUNT; i++) {
        struct survey_place *p = &s->place[i];
        ring_init(&p->ring, p->bytes, sizeof p->bytes);
        call_init(&p->call, site, &p->ring);
    }
}

bool survey_full(const struct survey *s)
{
    return s->count == SURVEY_COUNT;
}

void survey_ask(struct survey *s, struct view receipt_key, int64_t tag)
{
    CHECK(!survey_full(s));
    struct survey_place *p = at(s, s->count++);
    CHECK(view_copy(receipt_key, p->key, sizeof p->key));
    p->tag = tag;
    p->flow = FLOW_MOVED;
    existing_init(&p->existing, &p->call, s->bucket, (struct view){0},
                  view_of(p->key), (struct span){p->room, sizeof p->room});
}

void survey_listed(struct survey *s, const struct catalog_entry *entry)
{
    CHECK(s->count > 0);
    struct survey_place *p = at(s, s->count - 1);
    if (entry->etag[0] == '\0')
        return;  /* a store that does not list them */
    CHECK(p->existing.state == EXISTING_ASKING);
    memcpy(p->listed_key, entry->key.at, entry->key.len);
    memcpy(p->listed_etag, entry->etag, sizeof p->listed_etag);
    p->existing.listed = (struct existing_listed){
        .key = {(const uint8_t *)p->listed_key, entry->key.len},
        .etag = view_of(p->listed_etag), .bytes = entry->bytes,
    };
}

void survey_cancel(struct survey *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        call_cancel(&at(s, i)->call);
}

/* What failed of one is the end of all. */
static enum flow fail(struct survey *s, const struct fault *fault)
{
    fault_adopt(&s->fault, fault);
    survey_cancel(s);
    s->failed = true;
    return FLOW_FAILED;
}

enum flow survey_step(struct survey *s, struct now now)
{
    bool moved = false;

    if (s->failed)
        return FLOW_FAILED;
    for (uint32_t i = 0; i < s->count; i++) {
        struct survey_place *p = at(s, i);
        if (p->flow != FLOW_ENDED)
            p->flow = existing_step(&p->existing, now);
        if (p->flow == FLOW_FAILED)
            return fail(s, &p->existing.fault);
        moved |= p->flow == FLOW_MOVED;
    }
    if (s->count == 0)
        return FLOW_ENDED;
    if (at(s, 0)->flow == FLOW_ENDED)
        return FLOW_WANT_ROOM;
    return moved ? FLOW_MOVED : FLOW_WANT_EVENT;
}

const struct survey_place *survey_eldest(const struct survey *s)
{
    CHECK(s->count > 0);
    return &s->place[s->eldest];
}

void survey_take(struct survey *s)
{
    CHECK(s->count > 0 && s->place[s->eldest].flow == FLOW_ENDED);
    s->eldest = (s->eldest + 1) % SURVEY_COUNT;
    s->count--;
}

int64_t survey_wake_ms(const struct survey *s)
{
    int64_t least = INT64_MAX;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct survey_place *p =
            &s->place[(s->eldest + i) % SURVEY_COUNT];
        int64_t wake = p->flow == FLOW_ENDED ? INT64_MAX
                                             : call_wake_ms(&p->call);
        least = wake < least ? wake : least;
    }
    return least;
}
