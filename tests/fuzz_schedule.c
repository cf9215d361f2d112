/* fuzz_schedule.c - any words as a schedule: refused with a sentence, or times
 * that follow each other, each one that the zone's clocks show first then.
 *
 * The first byte chooses the zone, the next four where it starts. */
#include "base/date.h"
#include "task/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const zones[] = {
    "UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe",
    "Pacific/Apia", "Africa/Monrovia", "Antarctica/Troll",
};

static void check_cron(const struct schedule *s, int64_t at)
{
    int64_t local = at + zone_offset(s->zone, at) * 1000LL;
    struct civil c = date_civil(local);
    CHECK(zone_local_to_instant(s->zone, local) == at);
    CHECK(c.second == 0 && c.ms == 0 && c.year >= 1970 && c.year <= 2199);
    CHECK((s->set[SCHEDULE_MINUTES].bits[c.minute / 32] >> c.minute % 32 &
           1) != 0);
    CHECK((s->set[SCHEDULE_HOURS].bits[0] >> c.hour & 1) != 0);
    CHECK((s->set[SCHEDULE_MONTHS].bits[0] >> (c.month - 1) & 1) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct schedule s;
    struct fault fault = {0};
    uint32_t start;
    if (size < 5 || size > 600)
        return 0;
    memcpy(&start, data + 1, sizeof start);
    const struct zone *zone =
        zone_find(view_of(zones[data[0] % (sizeof zones / sizeof *zones)]));
    bool ok = schedule_parse(&s, (struct view){data + 5, (uint32_t)size - 5},
                             zone, &fault);
    CHECK(ok == (fault.error == ERROR_NONE));
    CHECK(ok || (fault.error == ERROR_USAGE &&
                 strncmp(fault.words, "schedule, column ", 17) == 0));
    int64_t at = start * 1000LL;
    s.anchor_ms = at;
    for (int i = 0; ok && i < 20; i++) {
        int64_t next = schedule_next(&s, at);
        CHECK(next > at);
        if (next == SCHEDULE_NEVER)
            break;
        CHECK(schedule_next(&s, next - 1) == next);
        if (s.kind == SCHEDULE_CRON)
            check_cron(&s, next);
        at = next;
    }
    return 0;
}
