/* walk.c - the events of a group in order, whatever they come from. */
#include "group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int aws_place_order(const struct aws_place *a, const struct aws_place *b)
{
    if (a->timestamp != b->timestamp)
        return a->timestamp < b->timestamp ? -1 : 1;
    if (a->ingestion != b->ingestion)
        return a->ingestion < b->ingestion ? -1 : 1;
    return (a->request > b->request) - (a->request < b->request);
}

static int placed_order(const void *a, const void *b)
{
    const struct aws_placed *p = a, *q = b;
    return aws_place_order(&p->place, &q->place);
}

static void sort_placed(struct aws_group *g)
{
    if (g->placed_sorted || g->placed_count == 0) return;
    qsort(g->placed, g->placed_count, sizeof g->placed[0], placed_order);
    g->placed_sorted = true;
}

static uint64_t first_placed(const struct aws_group *g,
                             const struct aws_place *after)
{
    size_t low = 0, high = g->placed_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (aws_place_order(&g->placed[middle].place, after) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first event of the batch after the place. */
static uint64_t first_made(const struct aws_batch *b,
                           const struct aws_place *after)
{
    uint64_t low = aws_batch_find(b, after->timestamp);
    size_t hint = 0;
    if (low == b->count ||
        aws_batch_time(b, low, &hint) != after->timestamp)
        return low;
    int64_t ingestion = aws_batch_ingestion(b, after->timestamp);
    if (ingestion > after->ingestion) return low;
    uint64_t high = aws_batch_find(b, after->timestamp + 1);
    if (ingestion < after->ingestion) return high;
    if (after->request < b->request0 + low) return low;
    uint64_t next = after->request - b->request0 + 1;
    return next < high ? next : high;
}

/* Fills in the place of the source's next event. */
static void look(struct aws_walk *w, struct aws_walk_source *s)
{
    if (s->next >= s->end) return;
    if (s->batch == NULL) {
        s->place = w->group->placed[s->next].place;
        return;
    }
    int64_t last = s->place.timestamp;
    s->place.timestamp = aws_batch_time(s->batch, s->next, &s->hint);
    s->place.request = s->batch->request0 + s->next;
    if (s->place.timestamp != last || s->place.ingestion == INT64_MIN)
        s->place.ingestion = aws_batch_ingestion(s->batch,
                                                 s->place.timestamp);
}

/* Passes what cannot be read yet or any more, then picks the earliest. */
static void settle(struct aws_walk *w)
{
    w->best = SIZE_MAX;
    for (size_t i = 0; i < w->source_count; i++) {
        struct aws_walk_source *s = &w->source[i];
        if (s->next >= s->end) continue;
        if (w->best == SIZE_MAX ||
            aws_place_order(&s->place, &w->source[w->best].place) < 0)
            w->best = i;
    }
}

static bool hidden(const struct aws_walk *w)
{
    const struct aws_walk_source *s = &w->source[w->best];
    return s->place.ingestion > w->now || aws_walk_stream(w)->deleted;
}

static void pass_hidden(struct aws_walk *w)
{
    settle(w);
    while (w->best != SIZE_MAX && hidden(w)) {
        w->source[w->best].next++;
        look(w, &w->source[w->best]);
        settle(w);
    }
}

static void add_source(struct aws_walk *w, const struct aws_batch *b,
                       uint64_t next, uint64_t end)
{
    if (next >= end) return;
    struct aws_walk_source *s = &w->source[w->source_count++];
    *s = (struct aws_walk_source){b, next, end, 0, {0, INT64_MIN, 0}};
    look(w, s);
}

void aws_walk_init(struct aws_walk *w, struct aws_group *g,
                   const struct aws_range *range)
{
    struct aws_place end = {range->until, INT64_MIN, 0};
    *w = (struct aws_walk){.group = g, .now = range->now};
    w->source = aws_alloc((g->batch_count + 1) * sizeof w->source[0]);
    sort_placed(g);
    for (size_t i = 0; i < g->batch_count; i++)
        add_source(w, &g->batch[i], first_made(&g->batch[i], &range->after),
                   aws_batch_find(&g->batch[i], range->until));
    add_source(w, NULL, first_placed(g, &range->after), first_placed(g, &end));
    pass_hidden(w);
}

bool aws_walk_peek(const struct aws_walk *w, struct aws_place *place)
{
    if (w->best == SIZE_MAX) return false;
    *place = w->source[w->best].place;
    return true;
}

void aws_walk_next(struct aws_walk *w)
{
    aws_must(w->best != SIZE_MAX);
    struct aws_walk_source *s = &w->source[w->best];
    s->next++;
    look(w, s);
    pass_hidden(w);
}

size_t aws_walk_stream_index(const struct aws_walk *w)
{
    const struct aws_walk_source *s = &w->source[w->best];
    const struct aws_batch *b = s->batch;
    if (b == NULL) return w->group->placed[s->next].stream;
    return b->stream0 + aws_mix(b->seed + s->next * 7) % b->streams;
}

const struct aws_stream *aws_walk_stream(const struct aws_walk *w)
{
    return &w->group->stream[aws_walk_stream_index(w)];
}

struct aws_text aws_walk_message(struct aws_walk *w)
{
    const struct aws_walk_source *s = &w->source[w->best];
    const struct aws_batch *b = s->batch;
    if (b == NULL) return w->group->placed[s->next].message;
    w->raw.len = 0;
    b->profile->write(&w->raw, aws_mix(b->seed ^ s->next),
                      s->place.timestamp);
    return aws_view(&w->raw);
}

void aws_walk_end(struct aws_walk *w)
{
    free(w->source);
    aws_free_buf(&w->raw);
    w->source = NULL;
}

/* Eight digits at once: halves, quarters, then single digits, side by side
 * in one word whose lowest byte is the first digit. */
static uint64_t eight_digits(uint32_t value)
{
    uint64_t x = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t tops = (x * 10486 >> 20) & 0x0000007f0000007f;
    x = tops | (x - 100 * tops) << 16;
    tops = (x * 103 >> 10) & 0x000f000f000f000f;
    return tops | (x - 10 * tops) << 8;
}

static void put_eight(char *to, uint64_t digits)
{
    digits += 0x3030303030303030;
    memcpy(to, &digits, 8);  /* lowest byte first: asserted in encode.c */
}

char *aws_put_ms(char *to, int64_t ms)
{
    char digit[16];
    if (ms < 1000000000000 || ms > 9999999999999)
        return to + sprintf(to, "%lld", (long long)ms);
    put_eight(digit, eight_digits((uint32_t)(ms / 100000000)));
    put_eight(digit + 8, eight_digits((uint32_t)(ms % 100000000)));
    memcpy(to, digit + 3, 13);
    return to + 13;
}

/* 56 digits: a 3, something opaque around the time, what tells it apart. */
void aws_event_id(const struct aws_group *g, const struct aws_place *place,
                  char id[57])
{
    uint64_t opaque = aws_mix(g->generation ^ (uint64_t)place->timestamp);
    uint64_t ms = (uint64_t)place->timestamp, request = place->request;
    put_eight(id, opaque & 0x0707070707070707);
    put_eight(id + 8, eight_digits((uint32_t)(ms / 100000000 % 100000000)));
    put_eight(id + 16, eight_digits((uint32_t)(ms % 100000000)));
    put_eight(id + 24, opaque >> 3 & 0x0707070707070707);
    for (size_t i = 0; i < 3; i++, request /= 100000000)
        put_eight(id + 48 - 8 * i,
                  eight_digits((uint32_t)(request % 100000000)));
    id[0] = '3';
    id[56] = '\0';
}
