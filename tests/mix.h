/* mix.h - what a seed switches on.
 *
 * Every seed has its own day, its own habits of AWS (which last) and its own
 * few kinds of trouble (which end): all kinds at once would hide each other
 * (Groce et al., "Swarm Testing", 2012). */
#ifndef FIRN_TESTS_MIX_H
#define FIRN_TESTS_MIX_H

#include "aws/aws.h"
#include "base/chance.h"
#include "sheaf.h"
#include "task/spec.h"

enum mix_keys {
    MIX_KEYS_STATIC,
    MIX_KEYS_SESSION,    /* a session token that dies; the next life has a
                            new one */
    MIX_KEYS_CONTAINER,  /* short lives, renewed as they end */
};

struct mix {
    struct spec     spec;
    struct aws_fill fill;
    bool     merges;         /* objects, instead of archiving a day */
    bool     more;           /* these are sorted, or deleted after */
    int64_t  after_ms;       /* from the window's end to the first life */
    enum mix_keys keys;
    int64_t  keys_life_ms;
    bool     skewed;         /* clocks up to 25 minutes off */
    uint32_t slice_most;     /* bytes that come at once, at most */
    int64_t  bytes_per_ms;   /* 0: any */

    /* Trouble. */
    uint32_t lives;          /* at most, before it ends */
    bool     kills, stops, beside, freezes, late;
    bool     recreated;      /* the group; of a merge, an object changes */
    bool     lifecycle;      /* a rule aborts uploads between lives */
    bool     flips;          /* bytes turn on their way */
    bool     race;           /* two begin together once all is calm */

    /* After it is archived. */
    enum mix_later {
        MIX_NOTHING,
        MIX_SKIP,            /* again: nothing is changed */
        MIX_REPLACE,         /* days later, --if-exists replace */
        MIX_EXPIRED,         /* the same, but its beginning has expired */
        MIX_RECOUNT,         /* once no event can come any more: sealed */
    } later;
};

/* `s` NULL: a day is archived; else these are merged. */
void mix_choose(struct mix *x, struct sheaf *s, struct chance *c);
/* AWS's habits; then the faults. False: a line that the model refuses. */
bool mix_habits(const struct mix *x, struct chance *c, struct aws *m);
bool mix_trouble(const struct mix *x, struct chance *c, struct aws *m);

#endif
