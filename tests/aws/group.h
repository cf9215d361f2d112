/* group.h - a log group: events computed from a seed, and events put.
 *
 * A batch is one call of aws_fill_group(): its i-th event is a function of
 * (seed, i), its times rise with i, so that any time is found by a division.
 * A walk merges the batches and the events that were put, in the order
 * (timestamp, ingestion, request). */
#ifndef AWS_GROUP_H
#define AWS_GROUP_H

#include "message.h"
#include "model.h"

struct aws_place {               /* the order of events, total */
    int64_t  timestamp, ingestion;
    uint64_t request;
};
int aws_place_order(const struct aws_place *a, const struct aws_place *b);

struct aws_stretch {             /* events laid evenly over a span */
    int64_t  from, until;
    uint64_t first, count;       /* indices within the batch */
    uint64_t step;               /* ms between two, times 2^32 */
};

struct aws_batch {
    const struct aws_profile *profile;
    uint64_t seed, count, request0;
    uint32_t stream0, streams, late_permille;
    struct aws_stretch *stretch;
    size_t   stretch_count;
};

struct aws_stream {
    struct aws_text name, json;  /* json: escaped */
    int64_t  created, first, last, last_ingestion;
    bool     has_events, deleted;
};

struct aws_placed {              /* an event that was put */
    struct aws_place place;
    uint32_t stream;
    struct aws_text message;
};

struct aws_group {
    char    *name;
    const char *class;
    int64_t  created;
    uint64_t generation;
    int      retention_days;     /* 0: for ever */
    bool     masked;
    uint64_t stored_bytes;
    struct aws_stream *stream;
    size_t   stream_count;
    struct aws_batch *batch;
    size_t   batch_count;
    struct aws_placed *placed;
    size_t   placed_count, placed_room;
    bool     placed_sorted;
};

struct aws_group *aws_find_group(struct aws *m, struct aws_text name);
void aws_drop_group(struct aws *m, struct aws_group *g);
/* SIZE_MAX: no such stream. */
size_t aws_find_stream(const struct aws_group *g, struct aws_text name);
size_t aws_add_stream(struct aws_group *g, struct aws_text name,
                      int64_t created);
/* The earliest timestamp that is still readable. */
int64_t aws_expiry(const struct aws *m, const struct aws_group *g,
                   int64_t now);

/* --- batch.c ------------------------------------------------------------ */
bool aws_batch_init(struct aws_batch *b, const struct aws_fill *fill);
int64_t aws_batch_time(const struct aws_batch *b, uint64_t i, size_t *hint);
uint64_t aws_batch_find(const struct aws_batch *b, int64_t timestamp);
int64_t aws_batch_ingestion(const struct aws_batch *b, int64_t timestamp);

/* --- walk.c ------------------------------------------------------------- */
struct aws_walk_source {
    const struct aws_batch *batch;  /* NULL: the events that were put */
    uint64_t next, end;
    size_t   hint;
    struct aws_place place;         /* of next, when next < end */
};
struct aws_walk {
    struct aws_group *group;
    struct aws_walk_source *source;
    size_t  source_count, best;     /* best: SIZE_MAX at the end */
    int64_t now;
    struct aws_buf raw;
};
/* Events after the place, before the time `until`, ingested by `now`. */
struct aws_range {
    struct aws_place after;
    int64_t until, now;
};
void aws_walk_init(struct aws_walk *w, struct aws_group *g,
                   const struct aws_range *range);
bool aws_walk_peek(const struct aws_walk *w, struct aws_place *place);
void aws_walk_next(struct aws_walk *w);
const struct aws_stream *aws_walk_stream(const struct aws_walk *w);
size_t aws_walk_stream_index(const struct aws_walk *w);
/* Lives until the next call. */
struct aws_text aws_walk_message(struct aws_walk *w);
void aws_walk_end(struct aws_walk *w);
void aws_event_id(const struct aws_group *g, const struct aws_place *place,
                  char id[57]);
char *aws_put_ms(char *to, int64_t ms);  /* decimal; 20 bytes at most */

#endif
