/* group.c - log groups, their streams, and what is put into them. */
#include "group.h"

#include <stdlib.h>
#include <string.h>

struct aws_group *aws_find_group(struct aws *m, struct aws_text name)
{
    for (size_t i = 0; i < m->group_count; i++)
        if (aws_is(name, m->groups[i]->name)) return m->groups[i];
    return NULL;
}

static struct aws_group *need_group(struct aws *m, const char *name)
{
    struct aws_group *g = aws_find_group(m, aws_str(name));
    aws_must(g != NULL);
    return g;
}

void aws_create_group(struct aws *m, const char *name, int64_t created)
{
    size_t at = m->group_count;
    aws_must(aws_find_group(m, aws_str(name)) == NULL);
    m->groups = aws_grow(m->groups, (at + 1) * sizeof m->groups[0]);
    while (at > 0 && strcmp(m->groups[at - 1]->name, name) > 0) {
        m->groups[at] = m->groups[at - 1];
        at--;
    }
    struct aws_group *g = aws_alloc(sizeof *g);
    g->name = aws_dup(aws_str(name));
    g->class = "STANDARD";
    g->created = created;
    g->generation = aws_mix(m->seed ^ ++m->generations);
    g->placed_sorted = true;
    m->groups[at] = g;
    m->group_count++;
}

static void free_group(struct aws_group *g)
{
    for (size_t i = 0; i < g->stream_count; i++) {
        free((void *)(uintptr_t)g->stream[i].name.at);
        free((void *)(uintptr_t)g->stream[i].json.at);
    }
    for (size_t i = 0; i < g->batch_count; i++) free(g->batch[i].stretch);
    for (size_t i = 0; i < g->placed_count; i++)
        free((void *)(uintptr_t)g->placed[i].message.at);
    free(g->stream);
    free(g->batch);
    free(g->placed);
    free(g->name);
    free(g);
}

void aws_drop_group(struct aws *m, struct aws_group *g)
{
    size_t at = 0;
    while (m->groups[at] != g) at++;
    free_group(g);
    m->group_count--;
    memmove(m->groups + at, m->groups + at + 1,
            (m->group_count - at) * sizeof m->groups[0]);
}

void aws_delete_group(struct aws *m, const char *name)
{
    aws_drop_group(m, need_group(m, name));
}

void aws_delete_stream(struct aws *m, const char *group, const char *stream)
{
    struct aws_group *g = need_group(m, group);
    size_t at = aws_find_stream(g, aws_str(stream));
    aws_must(at != SIZE_MAX);
    g->stream[at].deleted = true;
}

void aws_free_groups(struct aws *m)
{
    for (size_t i = 0; i < m->group_count; i++) free_group(m->groups[i]);
    free(m->groups);
}

void aws_group_policy(struct aws *m, const char *name, const char *class,
                      int retention_days, bool masked)
{
    struct aws_group *g = need_group(m, name);
    static const char *const classes[] = {"STANDARD", "INFREQUENT_ACCESS",
                                          "DELIVERY"};
    size_t i = 0;
    while (i < 3 && strcmp(class, classes[i]) != 0) i++;
    aws_must(i < 3);
    g->class = classes[i];
    g->retention_days = retention_days;
    g->masked = masked;
}

int64_t aws_expiry(const struct aws *m, const struct aws_group *g,
                   int64_t now)
{
    if (g->retention_days == 0) return INT64_MIN;
    return now - (int64_t)g->retention_days * 86400000 -
           m->setting[AWS_SET_EXPIRY_LAG];
}

size_t aws_find_stream(const struct aws_group *g, struct aws_text name)
{
    for (size_t i = 0; i < g->stream_count; i++)
        if (!g->stream[i].deleted && aws_same(g->stream[i].name, name))
            return i;
    return SIZE_MAX;
}

size_t aws_add_stream(struct aws_group *g, struct aws_text name,
                      int64_t created)
{
    size_t at = g->stream_count++;
    struct aws_buf json = {0};
    aws_put_json(&json, name.at, name.len);
    g->stream = aws_grow(g->stream, g->stream_count * sizeof g->stream[0]);
    g->stream[at] = (struct aws_stream){
        .name = {aws_dup(name), name.len}, .json = aws_view(&json),
        .created = created};
    return at;
}

/* What DescribeLogStreams tells of the streams of a new batch. */
static void date_streams(struct aws_group *g, const struct aws_batch *b)
{
    size_t hint = 0;
    if (b->count == 0) return;
    int64_t first = aws_batch_time(b, 0, &hint);
    int64_t last = aws_batch_time(b, b->count - 1, &hint);
    for (uint32_t i = 0; i < b->streams; i++) {
        struct aws_stream *s = &g->stream[b->stream0 + i];
        s->has_events = true;
        s->first = first;
        s->last = last;
        s->last_ingestion = aws_batch_ingestion(b, last);
    }
}

bool aws_fill_group(struct aws *m, const char *name,
                    const struct aws_fill *fill)
{
    struct aws_batch batch;
    struct aws_buf text = {0};
    if (!aws_batch_init(&batch, fill)) return false;
    if (aws_find_group(m, aws_str(name)) == NULL)
        aws_create_group(m, name, fill->from - 86400000);
    struct aws_group *g = need_group(m, name);
    batch.stream0 = (uint32_t)g->stream_count;
    for (uint32_t i = 0; i < batch.streams; i++) {
        aws_reset(&text);
        batch.profile->stream(&text, batch.seed ^ g->batch_count, i);
        if (g->batch_count > 0)
            aws_printf(&text, "-%zu", g->batch_count);
        (void)aws_add_stream(g, aws_view(&text), fill->from);
    }
    aws_free_buf(&text);
    batch.request0 = (uint64_t)g->batch_count << 40;
    g->batch = aws_grow(g->batch,
                        (g->batch_count + 1) * sizeof g->batch[0]);
    g->batch[g->batch_count++] = batch;
    g->stored_bytes += fill->bytes;
    date_streams(g, &batch);
    return true;
}

void aws_put_event(struct aws *m, const char *group, const char *stream,
                   int64_t timestamp, int64_t ingestion,
                   struct aws_text message)
{
    struct aws_group *g = need_group(m, group);
    size_t s = aws_find_stream(g, aws_str(stream));
    if (s == SIZE_MAX) s = aws_add_stream(g, aws_str(stream), ingestion);
    if (g->placed_count == g->placed_room) {
        g->placed_room = g->placed_room * 2 + 64;
        g->placed = aws_grow(g->placed,
                             g->placed_room * sizeof g->placed[0]);
    }
    struct aws_placed p = {
        {timestamp, ingestion, ((uint64_t)1 << 62) + m->puts++},
        (uint32_t)s, {aws_dup(message), message.len}};
    if (g->placed_count > 0 &&
        aws_place_order(&g->placed[g->placed_count - 1].place, &p.place) > 0)
        g->placed_sorted = false;
    g->placed[g->placed_count++] = p;
    g->stored_bytes += message.len + 26;
    struct aws_stream *t = &g->stream[s];
    if (!t->has_events || timestamp < t->first) t->first = timestamp;
    if (!t->has_events || timestamp > t->last) t->last = timestamp;
    if (ingestion > t->last_ingestion) t->last_ingestion = ingestion;
    t->has_events = true;
}
