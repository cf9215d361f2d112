/* zone.h - time zones: where midnight is.
 *
 * The zones of the IANA tz database, aliases and all, are part of the program
 * (platform/deps/zones.c makes the table), so that no file is needed where it
 * runs. They hold from 1970 on, and after the last change that was listed by
 * the zone's own rule for ever; before 1970 the offset of that year's first
 * instant holds. Offsets are seconds east of UTC; local times are written as
 * instants are, in milliseconds since 1970-01-01T00:00 of the zone's clocks. */
#ifndef FIRN_BASE_ZONE_H
#define FIRN_BASE_ZONE_H

#include "base/text.h"

struct zone;

/* By its exact name; NULL when there is none. The zone lives for ever. */
const struct zone *zone_find(struct view name);
/* The name that comes nearest to one not found; NULL when none is near. */
const char *zone_nearest(struct view name);

int32_t zone_offset(const struct zone *z, int64_t instant_ms);
/* The first instant at which the clocks show that time or a later one: of a
 * time shown twice the earlier, of a time left out the instant of the jump.
 * It never decreases with local_ms. */
int64_t zone_local_to_instant(const struct zone *z, int64_t local_ms);
/* Where the civil day begins that is so many days after 1970-01-01. A day is
 * from its start to the next one's start, so days leave no gap and have no
 * overlap; a day left out, as at the date line, is of no length. */
int64_t zone_day_start(const struct zone *z, int64_t days);
/* The civil day in which an instant is, by these starts. */
int64_t zone_day_of(const struct zone *z, int64_t instant_ms);

/* "2025b" */
extern const char zone_version[];

#endif
