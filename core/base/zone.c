/* zone.c - see zone.h. */
#include "base/zone.h"

#include <string.h>

#include "base/check.h"
#include "base/date.h"
#include "base/nearest.h"

struct zone {
    int32_t  initial;  /* offset, s */
    uint16_t first;    /* in zone_paths[] */
    uint16_t count;    /* of its changes */
    uint8_t  rule;     /* in zone_rules[], from 1; 0: the last change stays */
};

/* POSIX, "TZ": the day `day` (0 is Sunday) of the week `week` (5 is the last)
 * of a month, so many seconds after its local midnight. */
struct zone_turn {
    int8_t  month, week, day;
    int32_t second;
};

struct zone_rule {
    int32_t          base, summer;  /* offsets, s */
    struct zone_turn to_summer, to_base;
};

/* A change of offset, by what lies between it and the change before. */
struct zone_step {
    uint32_t seconds;
    int32_t  offset;
};

/* zone_names[] are all the names, each ended by a zero; zone_named[], where in
 * zone_table[] the zone of each is; zone_paths[], the steps of each zone. */
#include "zones.h"

const char zone_version[] = ZONES_VERSION;

enum { ZONE_COUNT = sizeof zone_named / sizeof zone_named[0] };

/* Seconds in which one offset holds, until another begins. */
struct stretch {
    int32_t offset;
    int64_t until;  /* INT64_MAX: for ever */
};

static const char *next_name(const char *name)
{
    return name + strlen(name) + 1;
}

const struct zone *zone_find(struct view name)
{
    const char *candidate = zone_names;
    for (uint32_t i = 0; i < ZONE_COUNT; i++) {
        if (view_is(name, candidate))
            return &zone_table[zone_named[i]];
        candidate = next_name(candidate);
    }
    return NULL;
}

const char *zone_nearest(struct view name)
{
    const char *candidate = zone_names;
    struct nearest n;
    nearest_init(&n, name);
    for (uint32_t i = 0; i < ZONE_COUNT; i++) {
        nearest_offer(&n, candidate, candidate);
        candidate = next_name(candidate);
    }
    candidate = zone_names;
    for (uint32_t i = 0; i < ZONE_COUNT; i++) {  /* "Seoul" */
        const char *slash = strrchr(candidate, '/');
        if (slash != NULL)
            nearest_offer(&n, slash + 1, candidate);
        candidate = next_name(candidate);
    }
    return n.best;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* When a clock that is `before` seconds ahead makes this turn in a year. */
static int64_t turn_at(const struct zone_turn *t, int32_t year,
                       int32_t before)
{
    CHECK(t->month < 12);  /* of no zone is it December */
    int64_t first = date_days(year, t->month, 1);
    int64_t next = date_days(year, t->month + 1, 1);
    int64_t day = first + (t->day + 7 - date_weekday(first)) % 7 +
                  7 * (t->week - 1);
    while (day >= next)  /* the fifth may not exist */
        day -= 7;
    return day * (DAY_MS / 1000) + t->second - before;
}

static struct stretch by_rule(const struct zone_rule *r, int64_t at)
{
    int32_t year = date_civil(at * 1000).year;
    int64_t began = INT64_MIN;
    struct stretch s = {r->base, INT64_MAX};

    /* A turn may fall into a neighbouring year of UTC, hence three. Summers
     * come in order; south of the equator the year's base came before. */
    for (int32_t y = year - 1; y <= year + 1; y++) {
        int64_t summer = turn_at(&r->to_summer, y, r->base);
        int64_t base = turn_at(&r->to_base, y, r->summer);
        if (summer <= at) {
            began = summer;
            s.offset = r->summer;
        }
        if (base <= at && base > began) {
            began = base;
            s.offset = r->base;
        }
        if (summer > at && summer < s.until)
            s.until = summer;
        if (base > at && base < s.until)
            s.until = base;
    }
    CHECK(began != INT64_MIN && s.until != INT64_MAX);
    return s;
}

static struct zone_step step_at(const uint8_t **path)
{
    uint32_t step = *(*path)++;
    if (step >= ZONE_SHORT_STEPS)
        step = ZONE_SHORT_STEPS + (step - ZONE_SHORT_STEPS) * 256 +
               *(*path)++;
    return zone_steps[step];
}

static struct stretch stretch_at(const struct zone *z, int64_t at)
{
    const uint8_t *path = &zone_paths[z->first];
    struct stretch s = {z->initial, 0};

    for (uint32_t i = 0; i < z->count; i++) {
        struct zone_step step = step_at(&path);
        s.until += step.seconds;
        if (at < s.until)
            return s;
        s.offset += step.offset;
    }
    if (z->rule != 0)
        return by_rule(&zone_rules[z->rule - 1], at);
    s.until = INT64_MAX;
    return s;
}

/* Years 1 to 9999, with days to spare for any offset. */
static int64_t bounded_ms(int64_t ms)
{
    const int64_t first = -62135596800000 + 7 * (int64_t)DAY_MS;
    const int64_t last = 253402300799999 - 7 * (int64_t)DAY_MS;
    return ms < first ? first : ms > last ? last : ms;
}

int32_t zone_offset(const struct zone *z, int64_t instant_ms)
{
    return stretch_at(z, floor_div(bounded_ms(instant_ms), 1000)).offset;
}

int64_t zone_local_to_instant(const struct zone *z, int64_t local_ms)
{
    /* No clock is further ahead than this, and none further behind, so that a
     * few stretches from here the time has come. */
    const int64_t most_ms = 16 * 3600 * 1000;
    int64_t local = bounded_ms(local_ms);
    int64_t from = local - most_ms;
    for (uint32_t i = 0;; i++) {
        CHECK(i < 64);
        struct stretch s = stretch_at(z, floor_div(from, 1000));
        int64_t found = local - (int64_t)s.offset * 1000;
        if (found < from)
            found = from;
        if (s.until == INT64_MAX || found < s.until * 1000)
            return found;
        from = s.until * 1000;
    }
}

int64_t zone_day_start(const struct zone *z, int64_t days)
{
    const int64_t most = INT64_MAX / DAY_MS;
    int64_t d = days > most ? most : days < -most ? -most : days;
    return zone_local_to_instant(z, d * DAY_MS);
}

int64_t zone_day_of(const struct zone *z, int64_t instant_ms)
{
    int64_t instant = bounded_ms(instant_ms);
    int64_t day = floor_div(instant, DAY_MS) + 2;
    for (uint32_t i = 0; i < 6 && zone_day_start(z, day) > instant; i++)
        day--;
    return day;
}
