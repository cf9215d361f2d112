/* date.h - instants, civil dates and RFC 3339, in UTC.
 *
 * Instants are milliseconds since 1970-01-01T00:00:00Z without leap seconds
 * (POSIX), int64_t; years 1 to 9999 can be written. Time zones: zone.h. */
#ifndef FIRN_BASE_DATE_H
#define FIRN_BASE_DATE_H

#include "base/text.h"

/* The two clocks, as arguments: core has none of its own. */
struct now {
    int64_t wall_ms;  /* since 1970, may jump */
    int64_t mono_ms;  /* since some start, never goes back */
};

struct civil {
    int32_t year;     /* 1 to 9999 */
    int32_t month;    /* 1 to 12 */
    int32_t day;      /* 1 to 31 */
    int32_t hour, minute, second, ms;
};

enum { DAY_MS = 86400000 };

/* Days since 1970-01-01 of a proleptic Gregorian date. */
int64_t      date_days(int32_t year, int32_t month, int32_t day);
struct civil date_civil(int64_t instant_ms);
int64_t      date_instant(const struct civil *c);
/* 0 is Sunday. */
int32_t      date_weekday(int64_t days);
/* "2026-11-09T00:00:00.123Z"; out of range years are clamped to it. */
enum { DATE_RFC3339_BYTES = 24 };
void         date_rfc3339(struct text *t, int64_t instant_ms);
/* That very form of a moment that exists; false otherwise. */
bool         date_parse_stamp(struct view v, int64_t *instant_ms);
/* "2026-11-09" */
void         date_day(struct text *t, int64_t days);
/* "20261109T000000Z", as SigV4 wants it. */
void         date_amz(struct text *t, int64_t instant_ms);
/* "YYYY-MM-DD" that exists; false otherwise. */
bool         date_parse_day(struct view v, int64_t *days);
/* RFC 3339 with Z or an offset; seconds and a fraction may be left out, then
 * they are 0. Without a zone *local is set and the instant is civil time;
 * where `local` is NULL that is false instead. */
bool         date_parse_rfc3339(struct view v, int64_t *instant_ms,
                                bool *local);
/* RFC 9110 section 5.6.7, all three forms: "Sun, 06 Nov 1994 08:49:37 GMT" */
bool         date_parse_http(struct view v, int64_t *instant_ms);

#endif
