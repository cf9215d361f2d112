/* calendar.h - which days of a group are archived, by one list, and which are
 * due.
 *
 * Nothing is read for it but the names and times of receipts: a receipt that
 * was written past its day's end and the 14 days in which events come late has
 * been recounted (contract, "Provisional, sealed, imported"); an older one
 * wants it, once those are over. Due are the day at `age` and, back to
 * `backfill`, those without a receipt: not before `since` nor the group's
 * creation, and, but for the first, not what has begun to expire.
 *
 * A day's mark is a byte; the list begins CALENDAR_LOOK_DAYS back, or where
 * gaps are looked for, so that one page of 1,000 keys holds it. */
#ifndef FIRN_TASK_CALENDAR_H
#define FIRN_TASK_CALENDAR_H

#include "fetch/group.h"
#include "task/config.h"
#include "task/plan.h"

enum {
    CALENDAR_DAYS      = CONFIG_DAYS_MOST + 2,
    CALENDAR_LOOK_DAYS = 400,
};

enum calendar_mark {
    CALENDAR_NONE,   /* no receipt */
    CALENDAR_THERE,  /* archived, and not yet to be recounted, if ever */
    CALENDAR_STALE,  /* to be recounted by now */
    CALENDAR_FINAL,  /* it was */
    CALENDAR_SEEN,   /* done with in this run, well or not */
    CALENDAR_VOID,   /* no receipt, and the days beside it hold all of it */
};

struct calendar_facts {
    const struct zone *zone;
    int64_t  now_ms, created_ms;
    int64_t  held_ms;          /* what is older expires; INT64_MIN: nothing */
    int64_t  since;            /* a civil day; INT64_MIN: any */
    uint32_t age, backfill;    /* days before today */
};

/* Where the date stands in the receipts' keys, which are all of one length. */
struct calendar_shape {
    uint32_t len, year_at, month_at, day_at;
};

struct calendar {
    struct calendar_facts facts;
    int64_t base;              /* public: the civil day of mark[0] */
    int64_t first, last;       /* public: may be due; first > last: none */
    struct calendar_shape shape;
    uint8_t mark[CALENDAR_DAYS];
};

/* Of a group with these settings, at an instant. */
struct calendar_facts calendar_facts(const struct config_settings *s,
                                     const struct group_info *info,
                                     int64_t now_ms);
/* `spec` has group and template; its day is used up. False: a key does not
 * fit S3. */
bool calendar_init(struct calendar *c, const struct calendar_facts *facts,
                   struct spec *spec, const struct plan_place *place,
                   struct fault *fault);
/* Appends the key of a day's receipt; spec->day becomes that day. */
bool calendar_key(struct text *key, struct spec *spec,
                  const struct plan_place *place, int64_t day,
                  struct fault *fault);
/* What to list: keys that begin so, behind that one; empty: all. */
void calendar_list(const struct calendar *c, struct spec *spec,
                   const struct plan_place *place, struct text *prefix,
                   struct text *after);
/* The day of an archive's key; false: it is none of this group's. */
bool calendar_archive(const struct calendar *c, struct spec *spec,
                      const struct plan_place *place, struct view key,
                      int64_t *day);
/* A key of the list: marks its day, if it is a receipt of this group. */
void calendar_take(struct calendar *c, struct spec *spec,
                   const struct plan_place *place, struct view key,
                   int64_t modified_ms);

enum calendar_mark calendar_at(const struct calendar *c, int64_t day);
void calendar_set(struct calendar *c, int64_t day, enum calendar_mark mark);
/* The first day that is due and not archived; the first to be recounted. */
bool calendar_missing(const struct calendar *c, int64_t *day);
bool calendar_stale(const struct calendar *c, int64_t *day);

#endif
