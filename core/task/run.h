/* run.h - everything that is due now, for every group of a configuration.
 *
 * Each group of the tour is visited (visit.h), in that order; one that fails
 * does not stop the others.
 *
 *     run_init(r, &options);
 *     while ((flow = run_step(r, now)) != FLOW_ENDED)
 *         if (flow == FLOW_WANT_ROOM) {
 *             ... say what r->visit.told is about ...
 *             visit_take(&r->visit);
 *         }
 *     exit(r->exit_code);
 *
 * The caller owns it. */
#ifndef FIRN_TASK_RUN_H
#define FIRN_TASK_RUN_H

#include "task/forecast.h"
#include "task/tour.h"
#include "task/visit.h"

struct run_options {
    struct tour_options tour;
    bool                dry_run;
    bool                plan;     /* nothing is done; what is due is told */
};

struct run {
    int      exit_code;           /* public: the worst so far; final at the
                                     end */
    uint64_t groups, archived, recounted, failed;  /* public: visited, days,
                                     and what failed */
    int64_t  margin_days;         /* public: the least of all groups, see
                                     visit_margin(); INT64_MAX: none has one */
    bool     stopped;             /* public: by run_stop() or the deadline */

    bool     dry_run, plan;
    struct forecast forecast;     /* public: of what was told to be due */
    enum run_state {
        RUN_TOURING,   /* waits for the next group */
        RUN_VISITING,  /* visits it */
        RUN_DONE,      /* final */
    } state;                      /* public */
    struct tour  tour;
    struct visit visit;           /* public: told, and what that is about */
};

void run_init(struct run *r, const struct run_options *options);
/* FLOW_WANT_ROOM: something is to be told. Never FLOW_FAILED. */
enum flow run_step(struct run *r, struct now now);
/* Stops as soon as may be; the exit code says so. */
void run_stop(struct run *r);
int64_t run_wake_ms(const struct run *r);
/* What it came to, a sentence. */
void run_write(struct text *out, const struct run *r);
/* The same in CloudWatch's embedded metric format: a line, of the Lambda
 * function with that name; a margin of CONFIG_DAYS_MOST is none. Source:
 * CloudWatch user guide, "Embedded metric format specification". */
void run_metrics(struct text *out, const struct run *r, struct view function,
                 int64_t wall_ms);

#endif
