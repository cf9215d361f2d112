/* listing.h - what ListParts says becomes the body of Complete.
 *
 * Nothing is kept of a part once it is sent: S3 knows its ETag. At the end its
 * list, page by page, is turned into the Complete request's XML as it comes,
 * in slots of the arena, which is free by then: up to 2 MB for 10,000 parts.
 * Numbers must run from 1 without a gap. A page read twice, because its first
 * reply broke off, does no harm.
 *
 * For an upload that is resumed the list is only looked through: whether it
 * has the parts that it should have, and which more. */
#ifndef FIRN_SHIP_LISTING_H
#define FIRN_SHIP_LISTING_H

#include "base/chain.h"
#include "base/error.h"
#include "call/http.h"
#include "ship/elements.h"

enum { LISTING_EXTRA = 16 };

/* A part that S3 has. */
struct listing_part {
    uint32_t number;      /* 0: none */
    uint64_t size, crc;   /* CRC-64/NVME */
    bool     summed;      /* that was told */
};

struct listing {
    struct fault  fault;  /* public: the list is not what it must be */
    uint32_t      parts;  /* public: 1 to this number are in the body */
    uint64_t      bytes;  /* public: the sum of their sizes */
    bool          more;   /* public, after a page: another one follows */
    struct listing_part extra[LISTING_EXTRA];  /* public: parts behind `most`,
                             number n at n modulo */

    struct arena *arena;  /* private from here on */
    struct chain *body;          /* NULL: none is made */
    uint32_t      most;          /* parts of the object; others are extra */
    uint32_t      before;        /* parts before this page */
    uint64_t      number, size;  /* of the part being read */
    bool          sized;
    bool          past;          /* an extra part was seen: that will do */
    char          crc64nvme[HTTP_CRC_BYTES];
    char          etag[HTTP_ETAG_BYTES];
};

/* The object is to have parts 1 to `most`. `body` is an empty chain of the
 * arena; both outlive it, or are NULL. */
void listing_init(struct listing *l, struct arena *arena, struct chain *body,
                  uint32_t most);
/* A page's reply begins, or begins again. */
void listing_page(struct listing *l);
/* An element of the page has ended. */
void listing_take(struct listing *l, const struct elements *e);
/* After the last page: the body is whole. */
void listing_finish(struct listing *l);

#endif
