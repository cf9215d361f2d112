/* batch.c - the times of generated events: computed, and found again. */
#include "group.h"

#include <string.h>

enum { BATCH_DAYS_MAX = 24 };  /* a span in ms must fit in 31 bits */

struct layout {                /* stretches while they are being made */
    struct aws_batch *batch;
    size_t room;
};

static void add_stretch(struct layout *l, int64_t from, int64_t until,
                        uint64_t count)
{
    struct aws_batch *b = l->batch;
    if (count == 0) return;
    aws_must(from < until && until - from < (int64_t)1 << 31);
    if (b->stretch_count == l->room) {
        l->room = l->room * 2 + 8;
        b->stretch = aws_grow(b->stretch, l->room * sizeof b->stretch[0]);
    }
    b->stretch[b->stretch_count++] = (struct aws_stretch){
        from, until, b->count, count,
        ((uint64_t)(until - from) << 32) / count};
    b->count += count;
}

/* Lays `events` over equal slices of the span, by weight. */
static void lay_weighted(struct layout *l, const struct aws_fill *f,
                         uint64_t events, const uint32_t *weight,
                         size_t slices)
{
    uint64_t total = 0, sum = 0, laid = 0;
    int64_t span = f->until - f->from;
    for (size_t i = 0; i < slices; i++) total += weight[i];
    for (size_t i = 0; i < slices; i++) {
        int64_t from = f->from + span * (int64_t)i / (int64_t)slices;
        int64_t until = f->from + span * (int64_t)(i + 1) / (int64_t)slices;
        sum += weight[i];
        uint64_t upto = events / total * sum + events % total * sum / total;
        if (from == until) continue;
        add_stretch(l, from, until, upto - laid);
        laid = upto;
    }
    if (laid < events)
        add_stretch(l, f->until - 1, f->until, events - laid);
}

static void lay_bursts(struct layout *l, const struct aws_fill *f,
                       uint64_t events)
{
    uint32_t weight[288];
    for (size_t i = 0; i < 288; i++) {
        uint32_t w = (uint32_t)(aws_mix(f->seed ^ i) % 100);
        weight[i] = w * w * w / 100 + (i == 0);
    }
    lay_weighted(l, f, events, weight, 288);
}

/* Nothing from 22 to 7 o'clock, much at noon. */
static void lay_nights(struct layout *l, const struct aws_fill *f,
                       uint64_t events)
{
    uint32_t weight[96];
    for (uint32_t i = 0; i < 96; i++)
        weight[i] = i < 28 || i >= 88 ? 0 : 10 + (i - 28) % 30;
    lay_weighted(l, f, events, weight, 96);
}

/* Events on the edges of the window, on both sides, and on its ends. */
static void lay_edges(struct layout *l, const struct aws_fill *f,
                      uint64_t events)
{
    uint64_t few = events / 8;
    add_stretch(l, f->from - 1, f->from, few);
    add_stretch(l, f->from, f->from + 1, few);
    add_stretch(l, f->from + 1, f->until - 1, events - 5 * few);
    add_stretch(l, f->until - 1, f->until, few);
    add_stretch(l, f->until, f->until + 1, few);
    add_stretch(l, f->until + 1, f->until + 1000, few);
}

static bool lay(struct layout *l, const struct aws_fill *f, uint64_t events)
{
    const char *spread = f->spread != NULL ? f->spread : "uniform";
    int64_t middle = f->from + (f->until - f->from) / 2;
    if (strcmp(spread, "uniform") == 0)
        add_stretch(l, f->from, f->until, events);
    else if (strcmp(spread, "bursts") == 0)
        lay_bursts(l, f, events);
    else if (strcmp(spread, "nights") == 0)
        lay_nights(l, f, events);
    else if (strcmp(spread, "instant") == 0)
        add_stretch(l, middle, middle + 1, events);
    else if (strcmp(spread, "edges") == 0)
        lay_edges(l, f, events);
    else
        return false;
    return true;
}

/* How many events make about so many bytes, by a sample. */
static uint64_t events_for(const struct aws_batch *b, uint64_t bytes,
                           int64_t at)
{
    struct aws_buf text = {0};
    uint64_t sampled = 0, total = 0;
    while (sampled < 1024 && total < 8u << 20) {
        aws_reset(&text);
        b->profile->write(&text, aws_mix(b->seed ^ sampled), at);
        total += text.len;
        sampled++;
    }
    aws_free_buf(&text);
    return (uint64_t)((double)bytes * (double)sampled / (double)total);
}

bool aws_batch_init(struct aws_batch *b, const struct aws_fill *f)
{
    struct layout l = {b, 0};
    *b = (struct aws_batch){0};
    b->profile = aws_profile_of(f->profile != NULL ? f->profile : "web");
    b->seed = aws_mix(f->seed);
    b->late_permille = f->late_permille;
    b->streams = f->streams > 0 ? f->streams : 20;
    if (b->profile == NULL || f->until - f->from < 4 ||
        f->until - f->from > BATCH_DAYS_MAX * (int64_t)86400000)
        return false;
    uint64_t events = f->events;
    if (events == 0) events = events_for(b, f->bytes, f->from);
    return lay(&l, f, events);
}

/* Milliseconds since the stretch began, times 2^32, of its k-th event. */
static uint64_t offset(const struct aws_batch *b, const struct aws_stretch *s,
                       uint64_t k)
{
    uint64_t chance = aws_mix(b->seed ^ ~(s->first + k));
    return k * s->step + (chance >> 32) * (s->step >> 32);
}

static size_t stretch_of(const struct aws_batch *b, uint64_t i)
{
    size_t low = 0, high = b->stretch_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (b->stretch[middle].first <= i) low = middle;
        else high = middle;
    }
    return low;
}

int64_t aws_batch_time(const struct aws_batch *b, uint64_t i, size_t *hint)
{
    aws_must(i < b->count);
    const struct aws_stretch *s = &b->stretch[*hint];
    if (i < s->first || i >= s->first + s->count) {
        *hint = stretch_of(b, i);
        s = &b->stretch[*hint];
    }
    return s->from + (int64_t)(offset(b, s, i - s->first) >> 32);
}

/* The index of the first event that is not before the time. */
uint64_t aws_batch_find(const struct aws_batch *b, int64_t timestamp)
{
    size_t low = 0, high = b->stretch_count;
    while (low < high) {  /* the first stretch that ends after it */
        size_t middle = low + (high - low) / 2;
        if (b->stretch[middle].until <= timestamp) low = middle + 1;
        else high = middle;
    }
    if (low == b->stretch_count) return b->count;
    const struct aws_stretch *s = &b->stretch[low];
    if (timestamp <= s->from) return s->first;
    uint64_t wanted = (uint64_t)(timestamp - s->from) << 32;
    uint64_t k = wanted / s->step;
    while (k < s->count && offset(b, s, k) < wanted) k++;
    return s->first + k;
}

/* All events of one batch and millisecond arrive together. */
int64_t aws_batch_ingestion(const struct aws_batch *b, int64_t timestamp)
{
    uint64_t chance = aws_mix(b->seed ^ (uint64_t)timestamp * 31);
    int64_t lag = 40 + (int64_t)(chance % 4000);
    if ((chance >> 40) % 1000 < b->late_permille)
        lag += (int64_t)((chance >> 12) % ((uint64_t)13 * 86400000));
    return timestamp + lag;
}
