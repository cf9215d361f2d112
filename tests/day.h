/* day.h - the lines that an object has to hold, in order.
 *
 * Of the model's group, every event a line; or of objects that are merged
 * (sheaf.h). Allocates; zeroed at first. */
#ifndef FIRN_TESTS_DAY_H
#define FIRN_TESTS_DAY_H

#include "aws/aws.h"
#include "task/spec.h"

struct day_line {
    size_t   at, message;       /* offsets in `bytes` */
    uint32_t len, message_len;
    int64_t  timestamp, ingestion;
    int64_t  sort_ms;           /* private: of the record that it belongs to */
    bool     foreign;           /* no record: it is not counted */
    bool     glued;             /* it may lack its newline */
    bool     taken;             /* the object holds it */
};

struct day {
    struct aws_buf   bytes;
    struct day_line *line;
    size_t          *shown;     /* lines of the object, as they come there */
    size_t           count, room, shown_count;
    uint64_t         objects;   /* it is a merge of; 0: it is not */
    bool             crossed;   /* records go over their borders: these are
                                   counted as if they ended there */
    bool             any, wanted;  /* of the record that is read */
};

/* What the group holds of the spec's window. */
void day_read(struct day *d, struct aws *m, const struct spec *spec);
/* One line more, empty, of the bytes behind the last. */
struct day_line *day_add(struct day *d);
/* In order of time: a line that is no record stays behind the one before it,
 * and lines of one time stay as they are. */
void day_sort(struct day *d);
void day_free(struct day *d);

#endif
