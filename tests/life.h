/* life.h - a process that archives, in a world with others.
 *
 * From archive_init() to its end, or to its death between two steps. AWS's
 * clock is the world's; the process's own may be wrong. */
#ifndef FIRN_TESTS_LIFE_H
#define FIRN_TESTS_LIFE_H

#include "mix.h"
#include "sim.h"
#include "task/archive.h"

struct life {
    struct transport transport;
    struct site      site;
    enum life_state {
        LIFE_NONE,      /* not born yet, or buried */
        LIFE_LIVES,
        LIFE_ENDED,     /* archived, skipped */
        LIFE_FAILED,    /* archive.fault says why */
        LIFE_KILLED,
    } state;
    uint64_t steps;         /* taken */
    uint64_t most;          /* dies after so many; UINT64_MAX: lives on */
    const char *fatal;      /* operation that it dies after, or NULL */
    uint64_t fatal_count, fatal_steps;  /* after so many requests and steps */
    int64_t  wakes_ms;      /* sleeps until then */
    int64_t  stop_ms;       /* is killed then, after archive_stop() */
    bool     stirred;       /* steps whether or not something happens */
    uint32_t spins;         /* woke up so often and time stood still */
    char     id[32], token[48];  /* its keys */
    struct archive archive; /* last: the rest is zero when it begins */
};

/* The spec outlives it; `now_ms` is AWS's clock. */
void life_begin(struct life *l, const struct mix *x, struct aws *m,
                struct chance *c, int64_t now_ms);
/* It will die, at a time of chance's choosing. */
void life_doom(struct life *l, const struct mix *x, struct chance *c);
/* AWS's clock, as far as this life has come. */
int64_t life_now(const struct life *l);
/* When it will do something next, by AWS's clock. */
int64_t life_due(const struct life *l);
/* Lets the next thing happen, then steps until nothing moves. Those that live
 * beside it must not be due before. NULL, or what is wrong. */
const char *life_step(struct life *l);
/* A signal: it is killed if it does not end in time. */
void life_stop(struct life *l);
/* Time passes without it. */
void life_pass(struct life *l, int64_t now_ms);
void life_kill(struct life *l);

#endif
