/* compose.h - of objects put end to end, which bytes are copied within S3 and
 * which must pass through here.
 *
 * Every part but the last has COMPOSE_LEAST bytes or more. So objects that are
 * smaller are streamed, one behind the other, into parts that close at exactly
 * CFG_PART_BYTES; a larger one becomes a part by UploadPartCopy (of up to 5
 * GiB), once the part in hand is filled up, if there is one, from its first
 * bytes. What is left of it then may be too small again, and is streamed.
 *
 *     compose_object(c, size, at);
 *     while ((piece = compose_piece(c)).how != COMPOSE_NONE) {
 *         ... copy it, or stream up to piece.to, a few bytes at a time ...
 *         compose_moved(c, bytes);
 *     }
 *
 * It depends on the sizes alone, so that the requests can be counted before
 * the first is made. Source: S3 user guide, "Multipart upload limits". */
#ifndef FIRN_SHIP_COMPOSE_H
#define FIRN_SHIP_COMPOSE_H

#include "base/text.h"

struct compose {
    uint64_t parts, copies;  /* public: closed so far; of these, copied */
    uint64_t streams;        /* public: ranges streamed */
    uint64_t streamed;       /* public: bytes of these */
    uint64_t filled;         /* public: bytes in the part in hand */
    uint64_t size, at;       /* public: of the object in hand; and done of it */
    uint64_t from, until;    /* public: the range being streamed; until 0: none
                                is */
};

struct compose_piece {
    enum compose_how {
        COMPOSE_NONE,    /* the object is done */
        COMPOSE_STREAM,  /* bytes [from, to) go into the part in hand: some of
                            the range c->from, c->until */
        COMPOSE_COPY,    /* they become a part */
    } how;
    uint64_t from, to;
};

void compose_init(struct compose *c);
/* The next object; `at` of it is done already by an earlier run. */
void compose_object(struct compose *c, uint64_t size, uint64_t at);
struct compose_piece compose_piece(struct compose *c);
/* So many bytes of the piece; a copy is done whole. True: with them the part
 * in hand is closed. */
bool compose_moved(struct compose *c, uint64_t bytes);
/* Between two objects: so many bytes more go into the part in hand. */
bool compose_insert(struct compose *c, uint64_t bytes);

#endif
