/* sort.h - a plain stable sort, to hold sorting against. */
#ifndef FIRN_TESTS_SORT_H
#define FIRN_TESTS_SORT_H

#include <stdint.h>
#include <string.h>

struct sort_record {
    uint32_t key, at, len;  /* where it lies, and its bytes */
};

/* As sort -s would; `room` is as large. */
static inline void sort_stably(struct sort_record *r, struct sort_record *room,
                               uint32_t count)
{
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t from = 0; from < count; from += 2 * width) {
            uint32_t mid = from + width < count ? from + width : count;
            uint32_t end = mid + width < count ? mid + width : count;
            uint32_t a = from, b = mid;
            for (uint32_t i = from; i < end; i++)
                room[i] = b == end || (a < mid && r[a].key <= r[b].key)
                              ? r[a++] : r[b++];
        }
        memcpy(r, room, count * sizeof *r);
    }
}

#endif
