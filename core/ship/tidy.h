/* tidy.h - an export's files are deleted, once nobody needs them any more.
 *
 * Below a task's prefix lie a folder a stream, and in it NNNNNN.gz: these are
 * deleted, as they are listed, and AWS's probe beside the tasks, if it is as
 * AWS writes it. Whatever else is there is someone's, and stays (`foreign`).
 *
 *     tidy_init(t, site, call, &want);
 *     while ((flow = tidy_step(t, now)) != FLOW_ENDED) ...
 *
 * It may be left and begun again at any time. The caller owns all. */
#ifndef FIRN_SHIP_TIDY_H
#define FIRN_SHIP_TIDY_H

#include "ship/catalog.h"
#include "ship/remove.h"

struct tidy_want {
    struct view bucket;
    struct view files;  /* "PREFIX/TASK-ID/" ... */
    bool        wide;   /* ... or "PREFIX/", a folder a task below it */
    struct view probe;  /* "PREFIX/aws-logs-write-test" */
    struct span room;   /* as remove.h wants it */
};

struct tidy {
    uint64_t       foreign;  /* public: objects that are not an export's */
    struct remove  remove;   /* public: deleted, kept */
    struct fault   fault;    /* public at FLOW_FAILED */
    enum tidy_state {
        TIDY_FILES,          /* lists the files, and deletes them */
        TIDY_PROBE,          /* the same of the probe */
        TIDY_LAST,           /* waits for the last batch */
        TIDY_DONE,           /* final */
        TIDY_FAILED,         /* final; the fault says why */
    } state;
    struct tidy_want want;
    struct site     *site;
    struct catalog   catalog;
};

/* `call` is lent until the end; its sink is a ring. */
void tidy_init(struct tidy *t, struct site *site, struct call *call,
               const struct tidy_want *want);
enum flow tidy_step(struct tidy *t, struct now now);
int64_t tidy_wake_ms(const struct tidy *t);

#endif
