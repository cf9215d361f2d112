/* schedule.c - see schedule.h. */
#include "task/schedule.h"

#include "base/date.h"

enum { MINUTE_MS = 60000, MINUTES_A_DAY = 1440 };

static bool has(const struct schedule *s, enum schedule_field field,
                int32_t value)
{
    return (s->set[field].bits[value / 32] >> value % 32 & 1) != 0;
}

/* A month, of which the first is so many days after 1970. */
struct month {
    int64_t first;
    int32_t days;
};

static struct month month_of(int32_t year, int32_t month)
{
    int64_t first = date_days(year, month, 1);
    int64_t next = month == 12 ? date_days(year + 1, 1, 1)
                               : date_days(year, month + 1, 1);
    return (struct month){first, (int32_t)(next - first)};
}

/* The day of the month that is nearest to that one and neither Saturday nor
 * Sunday; 0 where the month does not have that one. */
static int32_t working_day(const struct month *m, int32_t day)
{
    if (day < 1 || day > m->days)
        return 0;
    switch (date_weekday(m->first + day - 1)) {
    case 0:  return day < m->days ? day + 1 : day - 2;
    case 6:  return day > 1 ? day - 1 : day + 2;
    default: return day;
    }
}

static bool is_day(const struct schedule *s, const struct month *m,
                   int32_t day)
{
    int32_t week_day = date_weekday(m->first + day - 1);
    switch (s->days) {
    case SCHEDULE_OF_MONTH:
        return has(s, SCHEDULE_MONTH_DAYS, day - 1);
    case SCHEDULE_OF_WEEK:
        return has(s, SCHEDULE_WEEK_DAYS, week_day);
    case SCHEDULE_BEFORE_LAST:
        return day == m->days - s->nth;
    case SCHEDULE_WORKING:
        return day == working_day(m, s->nth);
    case SCHEDULE_LAST_WORKING:
        return day == working_day(m, m->days - s->nth);
    case SCHEDULE_NTH_WEEK_DAY:
        return week_day == s->week_day && (day - 1) / 7 + 1 == s->nth;
    case SCHEDULE_LAST_WEEK_DAY:
        return week_day == s->week_day && day > m->days - 7;
    }
    return false;
}

/* When the zone's clocks first show that time; SCHEDULE_NEVER: they skip it. */
static int64_t shown_at(const struct schedule *s, int64_t local_ms)
{
    int64_t at = zone_local_to_instant(s->zone, local_ms);
    return at + zone_offset(s->zone, at) * 1000LL == local_ms
               ? at : SCHEDULE_NEVER;
}

/* What clocks are to show, from `local_ms` on, and the instants after this. */
struct search {
    int64_t local_ms;
    int64_t after_ms;
};

static int64_t next_in_day(const struct schedule *s, int64_t days,
                           const struct search *from)
{
    for (int32_t minute = 0; minute < MINUTES_A_DAY; minute++) {
        int64_t local = days * DAY_MS + minute * (int64_t)MINUTE_MS;
        if (local < from->local_ms || !has(s, SCHEDULE_HOURS, minute / 60) ||
            !has(s, SCHEDULE_MINUTES, minute % 60))
            continue;
        int64_t at = shown_at(s, local);
        if (at != SCHEDULE_NEVER && at > from->after_ms)
            return at;
    }
    return SCHEDULE_NEVER;
}

static int64_t next_in_month(const struct schedule *s, const struct month *m,
                             const struct search *from)
{
    for (int32_t day = 1; day <= m->days; day++) {
        int64_t days = m->first + day - 1;
        if ((days + 1) * DAY_MS <= from->local_ms || !is_day(s, m, day))
            continue;
        int64_t at = next_in_day(s, days, from);
        if (at != SCHEDULE_NEVER)
            return at;
    }
    return SCHEDULE_NEVER;
}

/* A time that the clocks had shown by `after` has no later first time. */
static int64_t next_cron(const struct schedule *s, int64_t after_ms)
{
    const struct search from = {
        (after_ms + zone_offset(s->zone, after_ms) * 1000LL) / MINUTE_MS *
            MINUTE_MS,
        after_ms,
    };
    struct civil c = date_civil(from.local_ms);
    int32_t month = c.year < 1970 ? 1 : c.month;
    for (int32_t y = c.year < 1970 ? 1970 : c.year; y <= 2199; y++) {
        for (; has(s, SCHEDULE_YEARS, y - 1970) && month <= 12; month++) {
            struct month m = month_of(y, month);
            int64_t at = has(s, SCHEDULE_MONTHS, month - 1)
                             ? next_in_month(s, &m, &from) : SCHEDULE_NEVER;
            if (at != SCHEDULE_NEVER)
                return at;
        }
        month = 1;
    }
    return SCHEDULE_NEVER;
}

static int64_t next_rate(const struct schedule *s, int64_t after_ms)
{
    int64_t since = after_ms - s->anchor_ms;
    int64_t periods = since < 0 ? 0 : since / s->period_ms;
    return s->anchor_ms + (periods + 1) * s->period_ms;
}

int64_t schedule_next(const struct schedule *s, int64_t after_ms)
{
    const int64_t first = -2 * (int64_t)DAY_MS;  /* west of 1970 */
    const int64_t end = date_days(2200, 1, 1) * DAY_MS;
    int64_t after = after_ms < first ? first : after_ms, at = 0;
    if (after >= end)
        return SCHEDULE_NEVER;
    switch (s->kind) {
    case SCHEDULE_RATE: at = next_rate(s, after); break;
    case SCHEDULE_AT:   at = shown_at(s, s->local_ms); break;
    case SCHEDULE_CRON: at = next_cron(s, after); break;
    }
    return at > after && at < end + DAY_MS ? at : SCHEDULE_NEVER;
}
