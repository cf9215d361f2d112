/* line.h - one event, one line, in the two forms that the contract fixes.
 *
 *   ndjson  {"timestamp":"2026-11-09T00:00:00.123Z","stream":"…","message":"…"
 *           [,"ingested":"…"][,"id":"…"]}
 *   text    2026-11-09T00:00:00.123Z …
 *
 * A line is a head, the message and a tail. Message and stream come from
 * fetch/frame.h in the form that the line has, and the message is already in
 * its place; so only head and tail are made here. */
#ifndef FIRN_PACK_LINE_H
#define FIRN_PACK_LINE_H

#include "fetch/frame.h"

enum {
    LINE_HEAD_BYTES = CFG_STREAM_BYTES + 128,
    LINE_TAIL_BYTES = 1024,  /* 128 bytes of id likewise, and a date */
};

struct line {
    bool     json, ingested, id;
    uint32_t head_len;     /* public: bytes of the last head */
    int64_t  day, second;  /* whose date and time the head has */
    uint32_t stream_len;   /* of the name in head, in its place */
    char     head[LINE_HEAD_BYTES];
};

void line_init(struct line *l, bool json, bool ingested, bool id);
/* The head of e's line, valid until the next. */
struct view line_head(struct line *l, const struct log_event *e);
/* Writes the tail of e's line, with its newline; at most LINE_TAIL_BYTES. */
uint32_t line_tail(const struct line *l, const struct log_event *e,
                   uint8_t *at);

#endif
