/* demand.c - any bytes as an event of Lambda's. */
#include "task/demand.h"

static void take(const uint8_t *at, uint32_t len)
{
    static struct demand d;
    struct fault fault = {0};

    demand_read(&d, (struct view){at, len}, &fault);
}

void eva_demand(void)
{
    eva_any(1, take);
    eva_holes("{\"group\":\"/a\",\"day\":\"2026-11-09\"}", 1, take);
}
