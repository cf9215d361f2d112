/* line.h - one event, one line, in the two forms that the contract fixes.
 *
 *   ndjson  {"timestamp":"2026-11-09T00:00:00.123Z","stream":"…","message":"…"
 *           [,"ingested":"…"][,"id":"…"]}
 *   text    2026-11-09T00:00:00.123Z …
 *
 * A line is a head, the message as fetch/decode.h makes it, and a tail; the
 * message is already in its place, so only head and tail are made here. */
#ifndef FIRN_PACK_LINE_H
#define FIRN_PACK_LINE_H

#include "fetch/frame.h"

enum {
    LINE_HEAD_BYTES = 4096,  /* 512 characters may be 6 bytes each in JSON */
    LINE_TAIL_BYTES = 1024,  /* 128 bytes of id likewise, and a date */
};

struct line {
    bool     json, ingested, id;
    uint32_t head_len;     /* public: bytes of the last head */
    int64_t  day, second;  /* whose date and time the head has */
    uint32_t stream_len;
    char     head[LINE_HEAD_BYTES];
    uint8_t  stream[CFG_STREAM_BYTES];  /* whose name is in head */
};

void line_init(struct line *l, bool json, bool ingested, bool id);
/* The head of e's line, valid until the next; empty if it has no room. */
struct view line_head(struct line *l, const struct log_event *e);
/* Writes the tail of e's line, with its newline; at most LINE_TAIL_BYTES. */
uint32_t line_tail(const struct line *l, const struct log_event *e,
                   uint8_t *at);

#endif
