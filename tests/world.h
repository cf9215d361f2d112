/* world.h - a simulated world, and what is right in it (simulate.h). */
#ifndef FIRN_TESTS_WORLD_H
#define FIRN_TESTS_WORLD_H

#include "judge.h"
#include "life.h"
#include "simulate.h"

enum {
    WORLD_LIVES = 2,        /* beside each other */
    WORLD_GENERATIONS = 2,  /* of the group */
};

struct world {
    struct simulation *told;
    struct chance chance;
    struct mix    mix;
    struct sheaf *sheaf;       /* of a merge */
    struct aws   *model;
    struct life  *life;        /* WORLD_LIVES */
    int64_t       now_ms;      /* AWS's clock */
    int64_t       since_ms;    /* what was ingested before must be there */
    bool          calm;
    bool          slept;       /* a life did, longer than its lease: when it
                                  wakes it may store what nobody clears */
    bool          expired;     /* the window's beginning is */
    bool          remade;      /* the group is */
    uint32_t      late;        /* events so far */
    uint64_t      deletes;     /* requests so far */
    struct day    day[WORLD_GENERATIONS];  /* the first: of what is now */
    char          key[SPEC_KEY_BYTES];
    bool          changed;     /* the group's events, since they were read */
    char          good[80];    /* ETag and time of the object judged last */
    char          good_both[160];  /* the same of object and receipt */
};

/* What is wrong, or NULL: with what is under the key, and what of the sources
 * is gone, at any time; with how a life ended; with what is in the bucket;
 * with who works. */
const char *world_shown(struct world *w);
const char *world_sources(struct world *w);
const char *world_life(struct world *w, const struct life *l);
const char *world_bucket(struct world *w);
const char *world_lease(const struct world *w);

/* Some object that is merged is. */
bool world_is_damaged(const struct world *w);
/* An object's ETag and time; "" if there is none. */
void world_name(struct world *w, const char *key, char name[80]);
bool world_traces(void);  /* SIM_TRACE */

#endif
