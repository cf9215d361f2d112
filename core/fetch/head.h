/* head.h - where a record begins, and what its beginning says.
 *
 *   ndjson  {"timestamp":"T","stream":"S","message":"   up to the message
 *   text    T and a blank
 *
 * T is a time that exists, in the one form that firn writes. The stream may
 * be left out. In ndjson nothing within a record looks like that, for the
 * quotes would be escaped; in text a message can hold such a line. */
#ifndef FIRN_FETCH_HEAD_H
#define FIRN_FETCH_HEAD_H

#include "base/date.h"
#include "base/limits.h"

#define HEAD_START   "{\"timestamp\":\""
#define HEAD_MESSAGE "\",\"message\":\""

enum {
    HEAD_STAMP_AT   = sizeof HEAD_START - 1,  /* where T is, ndjson */
    HEAD_TEXT_BYTES = DATE_RFC3339_BYTES + 1,
    /* At most: the time stamp and the stream's name, which escapes may
     * lengthen. */
    HEAD_BYTES = 64 + 2 * CFG_STREAM_BYTES,
};

enum head_got {
    HEAD_OURS,
    HEAD_PART,     /* as far as it goes */
    HEAD_FOREIGN,
};

struct head {              /* of HEAD_OURS */
    uint32_t    len;       /* bytes; the message begins behind them */
    int64_t     at_ms;
    struct view stream;    /* as it stands in the JSON; empty: left out */
};

/* Only what is needed to order: HEAD_STAMP_BYTES of a line of ndjson, or 25 of
 * text, tell the time if it begins a record. */
enum { HEAD_STAMP_BYTES = HEAD_STAMP_AT + DATE_RFC3339_BYTES + 1 };
bool head_stamp_json(struct view line, int64_t *at_ms);
bool head_stamp_text(struct view line, int64_t *at_ms);

enum head_got head_json(struct view v, struct head *h);
enum head_got head_text(struct view v, struct head *h);

#endif
