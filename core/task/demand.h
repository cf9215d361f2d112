/* demand.h - what an event of Lambda asks for.
 *
 *   {"group": "/ecs/api", "day": "2026-11-09"}   that day of that group
 *   a scheduled event of EventBridge's rules (source aws.events), or of
 *   EventBridge Scheduler (aws.scheduler)        everything that is due
 *   {}                                           the same
 *
 * When an event was meant to come, or how often it did, does not matter: what
 * is due is found out from S3. Nothing else is taken, so that no event says
 * where an archive goes. */
#ifndef FIRN_TASK_DEMAND_H
#define FIRN_TASK_DEMAND_H

#include "base/error.h"
#include "task/spec.h"

enum { DEMAND_DAY_BYTES = sizeof "2026-11-09" };

struct demand {
    bool one;                         /* one group and day; else all due */
    char group[SPEC_GROUP_BYTES];
    char day[DEMAND_DAY_BYTES];       /* a day that exists */
};

/* False: a sentence in `fault`. */
bool demand_read(struct demand *d, struct view event, struct fault *fault);

#endif
