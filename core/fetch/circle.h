/* circle.h - does a chain of page tokens lead on, or in a circle?
 *
 * Only a missing token ends a chain, so a service that hands out the same
 * tokens over and over would be read for ever. A circle of tokens is found by
 * their hashes, in constant memory, whatever its length. Tokens that look new
 * each time may lead in one, too: then page after page brings no event later
 * than those before it, and no new one that is as late. The caller owns it. */
#ifndef FIRN_FETCH_CIRCLE_H
#define FIRN_FETCH_CIRCLE_H

#include <stdbool.h>
#include <stdint.h>

enum { CIRCLE_PAGES = 64 };  /* in a row that bring nothing later */

struct circle {
    uint64_t anchor;             /* Brent: a token's hash, how far back it is */
    uint32_t age, life;          /* and how far it may get */
    int64_t  latest_ms;          /* of the chain's events */
    bool     rises;              /* the page under way brought such an event */
    uint32_t still;              /* pages in a row that did not */
};

/* A chain begins: a request without a token. */
void circle_begin(struct circle *c);
/* A page begins, or begins again. */
void circle_page(struct circle *c);
/* An event of the page; `fresh`: it was not met before. */
void circle_event(struct circle *c, int64_t timestamp_ms, bool fresh);
/* The page ends and another one follows, by a token of that hash. Do they
 * walk in a circle? `any`: the page had events. */
bool circle_closes(struct circle *c, uint64_t token, bool any);

#endif
