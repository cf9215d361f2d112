/* eva.h - before every file that Frama-C's Eva reads: what it does not know of
 * C11 and gcc, and the inputs of the drivers.
 *
 * A CHECK that fails ends the program, which is no run-time error; so what
 * comes behind it is looked at with the condition true. The C library's
 * searches are spelled out, for Eva's own lose where they stopped. */
#ifndef FIRN_TESTS_EVA_H
#define FIRN_TESTS_EVA_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "__fc_builtin.h"

#undef __SSE2__
#define _Alignas(bytes)
#define _Alignof(type) sizeof(type)

/* Only base/tally.c's fold() has 128 bits; this is taken in its place. */
#define __int128 long
/*@ assigns \result \from x, y; */
static unsigned long fold(unsigned long x, unsigned long y);

/*@ assigns \nothing; ensures \false; */
void eva_stop(void);
#define __builtin_trap eva_stop

static inline int eva_ctz(unsigned bits)
{
    int zeros = 0;
    //@ assert bits != 0;
    while ((bits >> zeros & 1) == 0)
        zeros++;
    return zeros;
}
#define __builtin_ctz eva_ctz

/*@ requires \valid_read(bytes + (0 .. len - 1));
    requires \initialized(bytes + (0 .. len - 1));
    assigns \result \from crc, bytes[0 .. len - 1]; */
uint32_t crc32_gzip_refl(uint32_t crc, const uint8_t *bytes, uint64_t len);

static inline void *eva_memchr(const void *bytes, int byte, size_t len)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = at[i];
        if (c == (uint8_t)byte)
            return (void *)(at + i);
    }
    return NULL;
}
#define memchr eva_memchr

static inline int eva_memcmp(const void *one, const void *two, size_t len)
{
    const uint8_t *a = one, *b = two;
    for (size_t i = 0; i < len; i++) {
        uint8_t x = a[i], y = b[i];
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}
#define memcmp eva_memcmp

/* Calls `take` with every text of 0 to `most` bytes. */
void eva_any(uint32_t most, void (*take)(const uint8_t *at, uint32_t len));
/* Calls it with `text` in which any `width` neighbours are any bytes. */
void eva_holes(const char *text, uint32_t width,
               void (*take)(const uint8_t *at, uint32_t len));

#endif
