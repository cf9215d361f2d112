/* members.c - any bytes as an object of a receipt or checkpoint. */
#include "base/members.h"

static void take(const uint8_t *at, uint32_t len)
{
    static const char *const names[] = {"a", "bc"};
    struct view all = {at, len}, m[2], out;
    char room[16];
    struct fault fault = {0};
    struct text strings;
    struct tally tally;
    uint64_t number;
    int64_t ms;
    bool flag;

    text_init(&strings, room, sizeof room);
    struct members rd = {.all = all, .strings = &strings, .fault = &fault,
                         .what = "it is damaged"};
    if (!members_find(&rd, all, names, m, 2))
        return;
    members_string(&rd, m[0], true, &out);
    members_time_or_null(&rd, m[0], &ms);
    members_number(&rd, m[1], &number);
    members_bool(&rd, m[1], &flag);
    members_digest(&rd, m[0], &tally);
    members_crc64(&rd, m[0], &flag, &number);
}

void eva_members(void)
{
    eva_any(2, take);
    eva_holes("{\"a\":\"x\\n\", \"bc\":12}", 1, take);
    eva_holes("{\"a\":null,\"bc\":[1,[]]}", 1, take);
}
