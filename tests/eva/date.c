/* date.c - any bytes as a date. */
#include "base/date.h"

static void take(const uint8_t *at, uint32_t len)
{
    struct view v = {at, len};
    int64_t ms, days;
    bool local;

    date_parse_stamp(v, &ms);
    date_parse_rfc3339(v, &ms, &local);
    date_parse_rfc3339(v, &ms, NULL);
    date_parse_day(v, &days);
}

static void take_http(const uint8_t *at, uint32_t len)
{
    int64_t ms;

    date_parse_http((struct view){at, len}, &ms);
}

void eva_date(void)
{
    eva_any(4, take);
    eva_holes("2024-02-29", 2, take);
    eva_holes("2026-11-09T23:59:59.123Z", 2, take);
    eva_holes("2026-11-09 23:59+05:45", 2, take);
    eva_any(4, take_http);
    eva_holes("Sun, 06 Nov 1994 08:49:37 GMT", 2, take_http);
    eva_holes("Sunday, 06-Nov-94 08:49:37 GMT", 2, take_http);
    eva_holes("Sun Nov  6 08:49:37 1994", 2, take_http);
}
