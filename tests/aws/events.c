/* events.c - the events a test expects, in order. */
#include "group.h"

#include <stdlib.h>

struct aws_cursor {
    struct aws_walk walk;
};

struct aws_cursor *aws_events(struct aws *m, const char *group,
                              int64_t from, int64_t until, int64_t now)
{
    struct aws_cursor *c = aws_alloc(sizeof *c);
    struct aws_group *g = aws_find_group(m, aws_str(group));
    aws_must(g != NULL);
    int64_t expiry = now == INT64_MAX ? INT64_MIN : aws_expiry(m, g, now);
    if (now != INT64_MAX) now -= m->setting[AWS_SET_VISIBLE_AFTER];
    if (expiry > from) from = expiry;
    struct aws_range range = {{from, INT64_MIN, 0}, until, now};
    aws_walk_init(&c->walk, g, &range);
    return c;
}

bool aws_next_event(struct aws_cursor *c, struct aws_event *event)
{
    struct aws_place place;
    if (!aws_walk_peek(&c->walk, &place)) return false;
    event->timestamp = place.timestamp;
    event->ingestion = place.ingestion;
    event->request = place.request;
    event->stream = aws_walk_stream(&c->walk)->name;
    event->message = aws_walk_message(&c->walk);
    aws_event_id(c->walk.group, &place, event->id);
    aws_walk_next(&c->walk);
    return true;
}

void aws_end_events(struct aws_cursor *c)
{
    aws_walk_end(&c->walk);
    free(c);
}
