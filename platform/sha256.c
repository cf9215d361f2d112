#include "sha256.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

#define FAST __attribute__((target("sha,sse4.1,ssse3")))

static const uint32_t round_key[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* The state as the instructions want it: ABEF and CDGH, high word first. */
struct halves {
    __m128i abef, cdgh;
};

FAST static struct halves load_state(const uint32_t state[8])
{
    __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)state);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);

    return (struct halves){_mm_alignr_epi8(cdab, efgh, 8),
                           _mm_blend_epi16(efgh, cdab, 0xf0)};
}

FAST static void store_state(uint32_t state[8], struct halves h)
{
    __m128i feba = _mm_shuffle_epi32(h.abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(h.cdgh, 0xb1);

    _mm_storeu_si128((__m128i *)(void *)state,
                     _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4),
                     _mm_alignr_epi8(dchg, feba, 8));
}

/* Four words of the message schedule from the sixteen before them. */
FAST static __m128i schedule(__m128i a, __m128i b, __m128i c, __m128i d)
{
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(a, b),
                                _mm_alignr_epi8(d, c, 4));
    return _mm_sha256msg2_epu32(sum, d);
}

FAST void sha256_blocks(uint32_t state[8], const uint8_t *blocks,
                        size_t count)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b,
                                        0x0405060700010203);
    struct halves h = load_state(state);

    for (; count > 0; count--, blocks += 64) {
        struct halves before = h;
        __m128i w[4];

#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            const void *at = blocks + 16 * i, *key = &round_key[4 * i];
            __m128i next = i < 4 ? _mm_shuffle_epi8(_mm_loadu_si128(at), swap)
                                 : schedule(w[i & 3], w[(i + 1) & 3],
                                            w[(i + 2) & 3], w[(i + 3) & 3]);
            w[i & 3] = next;
            __m128i sum = _mm_add_epi32(next, _mm_loadu_si128(key));
            h.cdgh = _mm_sha256rnds2_epu32(h.cdgh, h.abef, sum);
            h.abef = _mm_sha256rnds2_epu32(h.abef, h.cdgh,
                                           _mm_shuffle_epi32(sum, 0x0e));
        }
        h.abef = _mm_add_epi32(h.abef, before.abef);
        h.cdgh = _mm_add_epi32(h.cdgh, before.cdgh);
    }
    store_state(state, h);
}

/* A virtual machine's cpuid is a trip to its host: asked once. */
bool sha256_is_fast(void)
{
    static enum { UNKNOWN, SLOW, QUICK } answer;
    unsigned a, b, c, d;

    if (answer == UNKNOWN)
        answer = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1) != 0 &&
                         (c & bit_SSSE3) != 0 &&
                         __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
                         (b & bit_SHA) != 0
                     ? QUICK
                     : SLOW;
    return answer == QUICK;
}

#else

bool sha256_is_fast(void)
{
    return false;
}

void sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    (void)state, (void)blocks, (void)count;
    __builtin_trap();
}

#endif
