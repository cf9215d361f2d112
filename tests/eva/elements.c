/* elements.c - any bytes as a long XML reply, through a ring of 8 bytes. */
#include "ship/elements.h"

static void take(const uint8_t *at, uint32_t len)
{
    static uint8_t bytes[8];
    static struct elements e;
    struct view in = {at, len};
    struct ring ring;

    ring_init(&ring, bytes, sizeof bytes);
    elements_init(&e, &ring);
    for (uint32_t turn = 0; turn < 2 * len + 4; turn++) {
        in = view_slice(in, ring_write(&ring, in), in.len);
        if (in.len == 0)
            ring_end(&ring);
        enum elements_event event = elements_next(&e);
        if (event != ELEMENTS_MORE && event != ELEMENTS_END_TAG)
            break;
        elements_at(&e, "a/b");
    }
}

void eva_elements(void)
{
    eva_any(3, take);
    eva_holes("<a b='c'>&#x41;</a >", 1, take);
}
