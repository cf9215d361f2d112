/* simulate.h - whole archive jobs and merges, from seed to verdict, in virtual
 * time.
 *
 * A world is the tests' AWS, a day in it and up to two processes that archive
 * that day beside each other, each with a connection to AWS, credentials and a
 * clock of its own. What the seed switches on (mix.h) befalls them: faults,
 * death between any two steps, a stop, a sleep from which a process wakes
 * late, late events, a group made anew. After each life of a process, what S3
 * shows is judged (judge.h). Then the trouble ends, and within a few lives the
 * day must be archived, and nothing else be left in the bucket. */
#ifndef FIRN_TESTS_SIMULATE_H
#define FIRN_TESTS_SIMULATE_H

#include <stdbool.h>
#include <stdint.h>

struct simulation {
    const char *broken;   /* the invariant; NULL: all hold */
    char        words[640];   /* the fault of the process, if it had one */
    uint64_t    lives, kills, steps, requests;
    uint64_t    orphans;  /* uploads without a part that are left: a Create
                             whose answer was lost; see upload.h */
    uint64_t    runs;     /* sorted runs that are left: of who slept, and was
                             taken over */
};

/* What a world is about: a day to archive; objects to merge; such that are to
 * be put in order of time, or deleted after, or both. */
enum simulated { SIMULATE_ARCHIVE, SIMULATE_MERGE, SIMULATE_SORT };

/* Replays exactly by the seed. With SIM_TRACE in the environment it tells
 * what happens on stderr. */
bool simulate(enum simulated kind, uint64_t seed, struct simulation *s);

#endif
