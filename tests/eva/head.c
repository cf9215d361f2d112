/* head.c - any bytes as the beginning of a record. */
#include "fetch/head.h"

static void take(const uint8_t *at, uint32_t len)
{
    struct view v = {at, len};
    struct head head;
    int64_t ms;

    head_json(v, &head);
    head_text(v, &head);
    head_stamp_json(v, &ms);
    head_stamp_text(v, &ms);
}

void eva_head(void)
{
    eva_any(6, take);
    eva_holes("{\"timestamp\":\"2026-11-09T00:00:00.000Z\",\"stream\":\"s\\n\","
              "\"message\":\"m", 2, take);
    eva_holes("2026-11-09T00:00:00.000Z m", 2, take);
}
