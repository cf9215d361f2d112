/* member.c - any bytes as the header of a gzip member, in two slices. */
#include "fetch/member.h"

static void take(const uint8_t *at, uint32_t len)
{
    struct view v = {at, len};
    struct member m;
    uint32_t taken;

    member_init(&m);
    if (member_step(&m, view_slice(v, 0, len / 2), &taken) == MEMBER_MORE)
        member_step(&m, view_slice(v, taken, len), &taken);
}

void eva_member(void)
{
    eva_any(24, take);
}
