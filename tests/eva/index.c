/* index.c - any bytes as the index of a receipt. */
#include "ship/index.h"

static void take(const uint8_t *at, uint32_t len)
{
    static struct index x;
    struct index_cursor c;
    struct index_entry e;
    struct index_search s;
    uint64_t from, until;

    index_open(&c, (struct view){at, len});
    for (int i = 0; i < 4 && index_next(&c, &e); i++) {
    }
    index_read(&x, (struct view){at, len}, 2, 1);
    if (index_search(&s, (struct view){at, len}, 0, 100, 1000))
        for (int i = 0; i < 4 && index_find(&s, &from, &until); i++) {
        }
}

void eva_index(void)
{
    eva_any(2, take);
    eva_holes("[[1,0,1,5,1]]", 1, take);
}
