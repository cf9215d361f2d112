/* run.h - everything that is due now, for every group of a configuration.
 *
 * The entries are taken in the order in which they are written; a pattern is
 * resolved page by page, and nothing is held but the page. Each group that an
 * entry speaks for is visited (visit.h); one that fails does not stop the
 * others. Entries with a role of their own are worked on as that role.
 *
 *     run_init(r, site, &options);
 *     while ((flow = run_step(r, now)) != FLOW_ENDED)
 *         if (flow == FLOW_WANT_ROOM) {
 *             ... say what r->visit.told is about ...
 *             visit_take(&r->visit);
 *         }
 *     exit(r->exit_code);
 *
 * The caller owns it; the configuration lives as long, and is not changed. */
#ifndef FIRN_TASK_RUN_H
#define FIRN_TASK_RUN_H

#include "task/config.h"
#include "task/visit.h"

struct run_options {
    struct config *config;
    struct view    bucket_owner;  /* of the command line; empty: the
                                     configuration's */
    bool           dry_run;
};

struct run {
    int      exit_code;           /* public: the worst so far; final at the
                                     end */
    uint64_t groups, archived, recounted, failed;  /* public: visited, days,
                                     and what failed */

    struct run_options options;
    enum run_state {
        RUN_ENTRY,     /* takes the next entry, if there is one */
        RUN_GROUP,     /* waits for the next group of the entry */
        RUN_VISITING,  /* visits it */
        RUN_DONE,      /* final */
    } state;
    struct site *site;
    bool         stopped, refused;
    uint32_t     entry;           /* in hand */
    struct view  role;            /* in force */
    struct config_settings settings;  /* the entry's */
    struct group group;
    struct visit visit;           /* public: told, and what that is about */
};

void run_init(struct run *r, struct site *site,
              const struct run_options *options);
/* FLOW_WANT_ROOM: something is to be told. Never FLOW_FAILED. */
enum flow run_step(struct run *r, struct now now);
/* Stops as soon as may be; the exit code says so. */
void run_stop(struct run *r);
int64_t run_wake_ms(const struct run *r);
/* What it came to, a sentence. */
void run_write(struct text *out, const struct run *r);

#endif
