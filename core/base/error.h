/* error.h - what can go wrong, and the first thing that did.
 *
 * The set is closed: whether to retry and with which code to exit follow from
 * the error alone. A fault keeps the first error it is given; later ones are
 * consequences and are dropped. */
#ifndef FIRN_BASE_ERROR_H
#define FIRN_BASE_ERROR_H

#include "base/text.h"

enum error {
    ERROR_NONE,
    ERROR_LIMIT,      /* a limit of config.h was reached; detail: the limit */
    ERROR_USAGE,      /* the command line says something impossible */
    ERROR_CONFIG,     /* the configuration does, or names what is not there */
    ERROR_MISSING,    /* no such group, bucket, key or upload */
    ERROR_NETWORK,    /* no whole reply; detail: the transport's code */
    ERROR_THROTTLED,  /* asked to slow down */
    ERROR_REMOTE,     /* the service failed, or answered what it must not */
    ERROR_DENIED,     /* credentials or permission */
    ERROR_CONFLICT,   /* a condition of a write did not hold: someone else */
    ERROR_CORRUPT,    /* damaged or lost data */
    ERROR_STOPPED,    /* signal or deadline: run again to go on */
};

enum { FAULT_CODE_BYTES = 64, FAULT_WORDS_BYTES = 320, FAULT_ID_BYTES = 80 };

struct fault {
    enum error  error;
    const char *what;       /* literal: what was being done, or found */
    const char *operation;  /* literal, "logs:FilterLogEvents"; or NULL */
    int64_t     detail;     /* one number: HTTP status, offset, limit */
    char        code[FAULT_CODE_BYTES];        /* AWS's error code, or "" */
    char        words[FAULT_WORDS_BYTES];      /* AWS's words, or ours */
    char        request_id[FAULT_ID_BYTES];    /* AWS's request id, or "" */
};

void fault_reset(struct fault *f);
/* The first fault wins; ERROR_NONE is not a fault. */
void fault_set(struct fault *f, enum error error, const char *what,
               int64_t detail);
/* Copies the words in, cut to their room, only if `f` has none yet. */
void fault_words(struct fault *f, struct view words);
/* Takes over another's fault, if this one has none. */
void fault_adopt(struct fault *f, const struct fault *other);
/* sysexits: 64 65 69 75 77 78, or 0 (contract, "Exit codes"). */
int  fault_exit(enum error error);
/* The worse of two exit codes: the first of 65 78 77 69 75 64 0. */
int  exit_worse(int a, int b);

#endif
