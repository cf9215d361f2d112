/* schedule.h - when to run: rate(), cron() and at(), in a time zone.
 *
 * The grammar and the rules of EventBridge Scheduler (user guide, "Schedule
 * types"), and where that is silent those of Quartz, which AWS took it from:
 *
 *   rate(15 minutes)              minutes, hours or days, with s or without;
 *                                 a day is 24 hours
 *   at(2026-11-09T03:00:00)       once
 *   cron(0 3 * * ? *)             minutes hours day-of-month month
 *                                 day-of-week year
 *
 *   minutes       0-59            , - * /
 *   hours         0-23            , - * /
 *   day-of-month  1-31            , - * / ?   L L-3 15W LW L-3W
 *   month         1-12 JAN-DEC    , - * /
 *   day-of-week   1-7 SUN-SAT     , - * / ?   L 6L 3#2
 *   year          1970-2199       , - * /
 *
 * One of the two days is "?". A range may wrap (22-2, FRI-MON), but not that
 * of years; a/n is from a on. L is the month's last day, L-3 three days
 * before it; of the week it is Saturday, and 6L the month's last Friday; 3#2
 * is its second Tuesday. 15W is the day from Monday to Friday that is nearest
 * to the 15th in that month. These stand alone in their field. A month that
 * has no such day is passed over. The case of names does not count.
 *
 * What the clocks of the zone never show does not fire that day; what they
 * show twice fires the first time. Nothing fires after 2199. */
#ifndef FIRN_TASK_SCHEDULE_H
#define FIRN_TASK_SCHEDULE_H

#include "base/error.h"
#include "base/zone.h"

enum schedule_field {
    SCHEDULE_MINUTES, SCHEDULE_HOURS, SCHEDULE_MONTH_DAYS, SCHEDULE_MONTHS,
    SCHEDULE_WEEK_DAYS, SCHEDULE_YEARS, SCHEDULE_FIELDS,
};

enum schedule_kind { SCHEDULE_RATE, SCHEDULE_AT, SCHEDULE_CRON };

enum schedule_days {
    SCHEDULE_OF_MONTH,  /* "1,15", "*" */
    SCHEDULE_OF_WEEK,   /* "MON-FRI", "L" */
    SCHEDULE_BEFORE_LAST,  /* "L-3": `nth` days before the last */
    SCHEDULE_WORKING,      /* "15W": nearest to the `nth` */
    SCHEDULE_LAST_WORKING, /* "LW", "L-3W": to `nth` days before the last */
    SCHEDULE_NTH_WEEK_DAY,  /* "3#2": the `nth` */
    SCHEDULE_LAST_WEEK_DAY, /* "6L" */
};

enum { SCHEDULE_BYTES = 256, SCHEDULE_YEAR_COUNT = 2199 - 1970 + 1 };
#define SCHEDULE_NEVER INT64_MAX

/* Bit i: the value that is i more than the field's least. */
struct schedule_set {
    uint32_t bits[(SCHEDULE_YEAR_COUNT + 31) / 32];
};

struct schedule {
    enum schedule_kind  kind;
    const struct zone  *zone;
    int64_t             anchor_ms;  /* public, for rate(): what it is counted
                                       from, when the daemon began, say; 0
                                       after schedule_parse() */
    int64_t             period_ms;  /* rate() */
    int64_t             local_ms;   /* at() */
    enum schedule_days  days;       /* cron(), from here on */
    int32_t             nth;
    int32_t             week_day;   /* 0 is Sunday */
    struct schedule_set set[SCHEDULE_FIELDS];
};

/* Refuses, as ERROR_USAGE, what is not of the grammar and what never fires,
 * in a sentence (message.h) with the column, the reason and, where there is
 * one, the nearest right form. */
bool schedule_parse(struct schedule *s, struct view expression,
                    const struct zone *zone, struct fault *fault);

/* The first time later than that, or SCHEDULE_NEVER; a rate's first is one
 * period after its anchor. It looks at each month until 2199 at most. */
int64_t schedule_next(const struct schedule *s, int64_t after_ms);

#endif
