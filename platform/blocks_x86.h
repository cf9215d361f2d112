/* blocks_x86.h - what gcm_fast.c and crc64.c are written in: blocks of 16
 * bytes, by AES-NI and PCLMULQDQ. Three operands an instruction (AVX) were no
 * faster. */
#ifndef FIRN_BLOCKS_X86_H
#define FIRN_BLOCKS_X86_H

#include <cpuid.h>
#include <immintrin.h>

#define FAST __attribute__((target("aes,pclmul,ssse3")))

typedef __m128i block;

static inline bool able(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_AES) != 0 &&
           (c & bit_PCLMUL) != 0 && (c & bit_SSSE3) != 0;
}

FAST static inline block load(const void *at)
{
    return _mm_loadu_si128(at);
}

FAST static inline void store(void *at, block b)
{
    _mm_storeu_si128(at, b);
}

FAST static inline block zero(void)
{
    return _mm_setzero_si128();
}

FAST static inline block sum(block a, block b)
{
    return _mm_xor_si128(a, b);
}

FAST static inline block reversed(block b)
{
    return _mm_shuffle_epi8(b, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
                                            11, 12, 13, 14, 15));
}

/* The low and the high word in each other's place. */
FAST static inline block turned(block b)
{
    return _mm_shuffle_epi32(b, 0x4e);
}

/* The 32-bit number in the lowest bytes, more by n; it wraps. */
FAST static inline block counted(block b, uint32_t n)
{
    return _mm_add_epi32(b, _mm_set_epi32(0, 0, 0, (int)n));
}

FAST static inline block low_product(block a, block b)
{
    return _mm_clmulepi64_si128(a, b, 0x00);
}

FAST static inline block high_product(block a, block b)
{
    return _mm_clmulepi64_si128(a, b, 0x11);
}

/* AES in three: before its rounds, each round but the last, and the last.
 * They are given the place of that round's key. */
FAST static inline block aes_first(block b, const uint8_t *key)
{
    return sum(b, load(key));
}

FAST static inline block aes_round(block b, const uint8_t *key)
{
    return _mm_aesenc_si128(b, load(key));
}

FAST static inline block aes_last(block b, const uint8_t *key)
{
    return _mm_aesenclast_si128(b, load(key));
}

#endif
