/* stock.h - the archives of a configuration's groups, one after the other.
 *
 * Each group of the tour is listed; what is an archive of a day is given, by
 * its URL, in the order of the days. Nothing is held but the list's page.
 *
 *     stock_init(s, &options);
 *     while ((flow = stock_step(s, now)) != FLOW_ENDED)
 *         if (flow == FLOW_WANT_ROOM) {
 *             ... s->failed ? s->fault of s->tour.name : s->url ...
 *             stock_next(s);
 *         }
 *
 * The caller owns it. */
#ifndef FIRN_TASK_STOCK_H
#define FIRN_TASK_STOCK_H

#include "ship/survey.h"
#include "task/calendar.h"
#include "task/tour.h"

struct stock_options {
    struct tour_options tour;
    int64_t from_ms, until_ms;  /* only days that may meet this; INT64_MIN and
                                   INT64_MAX: open */
};

struct stock {
    bool failed;         /* public at FLOW_WANT_ROOM */
    struct fault fault;
    char url[SPEC_BUCKET_BYTES + CATALOG_KEY_BYTES + 8];  /* public */

    struct stock_options options;
    enum stock_state {
        STOCK_TOURING,   /* waits for the next group */
        STOCK_LISTING,   /* waits for its list */
        STOCK_GIVING,    /* waits for an archive to be taken */
        STOCK_FAILING,   /* waits for a fault to be taken */
        STOCK_DONE,      /* final */
    } state;
    struct tour      tour;
    struct spec      spec;
    struct calendar  calendar;
    char             prefix[SURVEY_KEY_BYTES], after[SURVEY_KEY_BYTES];
    struct tour_room room;
    struct catalog   catalog;
};

void stock_init(struct stock *s, const struct stock_options *options);
enum flow stock_step(struct stock *s, struct now now);
void stock_next(struct stock *s);
int64_t stock_wake_ms(const struct stock *s);

#endif
