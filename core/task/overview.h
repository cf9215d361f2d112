/* overview.h - status, of each group of a configuration.
 *
 * As status.h tells what lies below a prefix, group by group in the order of
 * the tour; but what is due is known here: each day that run would archive is
 * told, also of a group that has no archive at all.
 *
 *     overview_init(o, &options);
 *     do {
 *         flow = overview_step(o, now);
 *         ... write text_view(&o->status.out) to stdout, text_reset() it ...
 *         ... if (o->failed): o->tour.name and its fault, to stderr ...
 *     } while (flow != FLOW_ENDED);
 *     exit(o->exit_code);
 *
 * The caller owns it. */
#ifndef FIRN_TASK_OVERVIEW_H
#define FIRN_TASK_OVERVIEW_H

#include "task/calendar.h"
#include "task/status.h"
#include "task/tour.h"

struct overview_options {
    struct tour_options tour;
    uint32_t age;     /* of the command line; 0: the configuration's */
    bool     draw;    /* calendars, not JSON lines */
};

struct overview {
    int  exit_code;   /* public: the worst so far; final at the end */
    bool failed;      /* public at FLOW_WANT_ROOM: `fault` is to be told, too */
    struct fault fault;

    struct overview_options options;
    enum overview_state {
        OVERVIEW_TOURING,  /* waits for the next group */
        OVERVIEW_TELLING,  /* its days are told */
        OVERVIEW_PASSING,  /* waits for what was said to be taken */
        OVERVIEW_DONE,     /* final */
    } state;
    struct spec      spec;
    struct calendar  calendar;
    char             prefix[SURVEY_KEY_BYTES];
    struct tour      tour;       /* public: name */
    struct tour_room room;
    struct status    status;     /* public: out */
};

void overview_init(struct overview *o,
                   const struct overview_options *options);
/* FLOW_WANT_ROOM: something is to be written. Never FLOW_FAILED. */
enum flow overview_step(struct overview *o, struct now now);
int64_t overview_wake_ms(const struct overview *o);

#endif
