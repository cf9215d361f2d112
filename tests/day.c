/* day.c - see day.h. */
#include "day.h"

#include <stdlib.h>

#include "expect.h"

static unsigned form_of(const struct spec *s)
{
    if (s->format == FORMAT_TEXT)
        return 0;
    return EXPECT_JSON | (s->field_ingested ? (unsigned)EXPECT_INGESTED : 0) |
           (s->field_id ? (unsigned)EXPECT_ID : 0);
}

struct day_line *day_add(struct day *d)
{
    if (d->count == d->room) {
        d->room = d->room * 2 + 256;
        d->line = aws_grow(d->line, d->room * sizeof d->line[0]);
        d->shown = aws_grow(d->shown, d->room * sizeof d->shown[0]);
    }
    d->line[d->count] = (struct day_line){.at = d->bytes.len};
    return &d->line[d->count++];
}

void day_read(struct day *d, struct aws *m, const struct spec *spec)
{
    struct aws_cursor *c = aws_events(m, spec->group, spec->from_ms,
                                      spec->until_ms, INT64_MAX);
    struct aws_event e;
    d->count = 0;
    aws_reset(&d->bytes);
    while (aws_next_event(c, &e)) {
        uint8_t *to = (uint8_t *)aws_room(&d->bytes, expect_most(&e));
        struct view message;
        struct view line = expect_line(to, &e, form_of(spec), &message);
        *day_add(d) = (struct day_line){
            .at = d->bytes.len, .len = line.len,
            .message = d->bytes.len + (size_t)(message.at - line.at),
            .message_len = message.len, .timestamp = e.timestamp,
            .ingestion = e.ingestion,
        };
        d->bytes.len += line.len;
    }
    aws_end_events(c);
}

static int by_place(const void *a, const void *b)
{
    const struct day_line *x = a, *y = b;
    if (x->sort_ms != y->sort_ms)
        return x->sort_ms < y->sort_ms ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

void day_sort(struct day *d)
{
    int64_t at_ms = INT64_MIN;
    for (size_t i = 0; i < d->count; i++) {
        at_ms = d->line[i].foreign ? at_ms : d->line[i].timestamp;
        d->line[i].sort_ms = at_ms;
    }
    qsort(d->line, d->count, sizeof d->line[0], by_place);
}

void day_free(struct day *d)
{
    aws_free_buf(&d->bytes);
    free(d->line);
    free(d->shown);
    *d = (struct day){0};
}
