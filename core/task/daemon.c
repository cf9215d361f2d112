/* daemon.c - see daemon.h. */
#include "task/daemon.h"

#include "base/check.h"

bool daemon_init(struct daemon *d, struct view schedule,
                 const struct zone *zone, struct now now,
                 struct fault *fault)
{
    *d = (struct daemon){
        .due_ms = now.wall_ms, .begun_ms = now.wall_ms,
        .seen_ms = now.wall_ms,
    };
    if (!schedule_parse(&d->schedule, schedule, zone, fault))
        return false;
    d->schedule.anchor_ms = now.wall_ms;
    return true;
}

bool daemon_change(struct daemon *d, struct view schedule,
                   const struct zone *zone, struct fault *fault)
{
    struct schedule changed;
    if (!schedule_parse(&changed, schedule, zone, fault))
        return false;
    changed.anchor_ms = d->schedule.anchor_ms;
    d->schedule = changed;
    d->due_ms = schedule_next(&d->schedule, d->seen_ms);
    return true;
}

enum daemon_act daemon_look(struct daemon *d, struct now now)
{
    if (now.wall_ms < d->seen_ms) {  /* set back */
        int64_t next_ms = schedule_next(&d->schedule, now.wall_ms);
        d->due_ms = next_ms < d->due_ms ? next_ms : d->due_ms;
    }
    d->seen_ms = now.wall_ms;
    if (d->due_ms == SCHEDULE_NEVER)
        return DAEMON_END;
    if (now.wall_ms < d->due_ms)
        return DAEMON_WAIT;
    d->begun_ms = now.wall_ms;
    return DAEMON_RUN;
}

void daemon_ran(struct daemon *d)
{
    d->due_ms = schedule_next(&d->schedule, d->begun_ms);
    CHECK(d->due_ms > d->begun_ms);
}

int64_t daemon_wake_ms(const struct daemon *d, struct now now)
{
    return now.mono_ms + (d->due_ms > now.wall_ms ? d->due_ms - now.wall_ms
                                                  : 0);
}
