/* daemon.h - when the next run is: the clockwork of firn daemon.
 *
 *   - the first run begins at once: what was missed while the machine was off
 *     is not known, but a run finds out what is due by itself
 *   - after that one at each time of the schedule, counted from when the last
 *     run began, so that nothing drifts
 *   - times that came while a run was under way, or the machine asleep, are
 *     made up for by one run, not by many
 *   - the wall clock is looked at again at every turn; set back, it does not
 *     keep the next run waiting
 *
 * Only times go in and come out. A schedule that will never fire again ends
 * it, once the run that is due is over. */
#ifndef FIRN_TASK_DAEMON_H
#define FIRN_TASK_DAEMON_H

#include "base/date.h"
#include "task/schedule.h"

enum daemon_act {
    DAEMON_WAIT,  /* until daemon_wake_ms() at the latest */
    DAEMON_RUN,   /* now; then daemon_ran() */
    DAEMON_END,   /* it will never fire again */
};

struct daemon {
    struct schedule schedule;
    int64_t due_ms;     /* public: wall; SCHEDULE_NEVER */
    int64_t begun_ms;   /* the last run, wall */
    int64_t seen_ms;    /* the wall clock, when last looked at */
};

/* Refused as by schedule_parse(). */
bool daemon_init(struct daemon *d, struct view schedule,
                 const struct zone *zone, struct now now,
                 struct fault *fault);
/* Another schedule from now on; false: refused, and nothing has changed. */
bool daemon_change(struct daemon *d, struct view schedule,
                   const struct zone *zone, struct fault *fault);
enum daemon_act daemon_look(struct daemon *d, struct now now);
/* The run that daemon_look() asked for is over. */
void daemon_ran(struct daemon *d);
/* On the clock of now.mono_ms. */
int64_t daemon_wake_ms(const struct daemon *d, struct now now);

#endif
