/* sha256.c - SHA-256 and HMAC (FIPS 180-4, RFC 2104). */
#include "digest.h"

#include <string.h>

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
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
}

static uint32_t load_be(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

static void rounds(uint32_t v[8], const uint32_t w[64])
{
    for (int i = 0; i < 64; i++) {
        uint32_t s1 = turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25);
        uint32_t pick = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t t1 = v[7] + s1 + pick + round_key[i] + w[i];
        uint32_t s0 = turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22);
        uint32_t most = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + s0 + most;
    }
}

static void portable(uint32_t state[8], const uint8_t *at, size_t blocks)
{
    uint32_t w[64], v[8];
    for (; blocks > 0; blocks--, at += 64) {
        for (int i = 0; i < 16; i++) w[i] = load_be(at + 4 * i);
        for (int i = 16; i < 64; i++) {
            uint32_t a = w[i - 15], b = w[i - 2];
            w[i] = w[i - 16] + w[i - 7] +
                   (turn(a, 7) ^ turn(a, 18) ^ a >> 3) +
                   (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
        }
        memcpy(v, state, sizeof v);
        rounds(v, w);
        for (int i = 0; i < 8; i++) state[i] += v[i];
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>

static int has_sha(void)
{
    static int known = -1;
    unsigned a, b, c, d;
    if (known < 0)
        known = __get_cpuid_count(7, 0, &a, &b, &c, &d) ? b >> 29 & 1 : 0;
    return known;
}

__attribute__((target("sha,sse4.1,ssse3")))
static void hardware(uint32_t state[8], const uint8_t *at, size_t blocks)
{
    const __m128i flip = _mm_set_epi64x(0x0c0d0e0f08090a0b,
                                        0x0405060700010203);
    __m128i t = _mm_loadu_si128((const __m128i *)(const void *)state);
    __m128i s1 = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
    t = _mm_shuffle_epi32(t, 0xb1);
    s1 = _mm_shuffle_epi32(s1, 0x1b);
    __m128i s0 = _mm_alignr_epi8(t, s1, 8);
    s1 = _mm_blend_epi16(s1, t, 0xf0);
    for (; blocks > 0; blocks--, at += 64) {
        __m128i keep0 = s0, keep1 = s1, w[4];
        for (int i = 0; i < 16; i++) {
            __m128i x;
            if (i < 4) {
                x = _mm_loadu_si128((const __m128i *)(const void *)
                                    (at + 16 * i));
                x = _mm_shuffle_epi8(x, flip);
            } else {
                x = _mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]);
                x = _mm_add_epi32(x, _mm_alignr_epi8(w[(i + 3) & 3],
                                                     w[(i + 2) & 3], 4));
                x = _mm_sha256msg2_epu32(x, w[(i + 3) & 3]);
            }
            w[i & 3] = x;
            x = _mm_add_epi32(x, _mm_loadu_si128(
                (const __m128i *)(const void *)(round_key + 4 * i)));
            s1 = _mm_sha256rnds2_epu32(s1, s0, x);
            s0 = _mm_sha256rnds2_epu32(s0, s1, _mm_shuffle_epi32(x, 0x0e));
        }
        s0 = _mm_add_epi32(s0, keep0);
        s1 = _mm_add_epi32(s1, keep1);
    }
    t = _mm_shuffle_epi32(s0, 0x1b);
    s1 = _mm_shuffle_epi32(s1, 0xb1);
    s0 = _mm_blend_epi16(t, s1, 0xf0);
    s1 = _mm_alignr_epi8(s1, t, 8);
    _mm_storeu_si128((__m128i *)(void *)state, s0);
    _mm_storeu_si128((__m128i *)(void *)(state + 4), s1);
}

static void take(uint32_t state[8], const uint8_t *at, size_t blocks)
{
    if (has_sha()) hardware(state, at, blocks);
    else portable(state, at, blocks);
}
#else
static void take(uint32_t state[8], const uint8_t *at, size_t blocks)
{
    portable(state, at, blocks);
}
#endif

void aws_sha256_init(struct aws_sha256 *s)
{
    static const uint32_t start[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(s->state, start, sizeof start);
    s->total = 0;
}

void aws_sha256_add(struct aws_sha256 *s, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    size_t held = s->total % 64;
    s->total += len;
    if (held > 0) {
        size_t part = len < 64 - held ? len : 64 - held;
        memcpy(s->block + held, at, part);
        at += part;
        len -= part;
        if (held + part < 64) return;
        take(s->state, s->block, 1);
    }
    take(s->state, at, len / 64);
    if (len % 64 > 0) memcpy(s->block, at + len - len % 64, len % 64);
}

void aws_sha256_end(struct aws_sha256 *s, uint8_t out[32])
{
    uint8_t tail[72] = {0x80};
    uint64_t bits = s->total * 8;
    size_t pad = (s->total % 64 < 56 ? 56 : 120) - s->total % 64;
    for (int i = 0; i < 8; i++)
        tail[pad + (size_t)i] = (uint8_t)(bits >> (56 - 8 * i));
    aws_sha256_add(s, tail, pad + 8);
    for (int i = 0; i < 32; i++)
        out[i] = (uint8_t)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}

void aws_hmac(const void *key, size_t key_len, const void *at, size_t len,
              uint8_t out[32])
{
    struct aws_sha256 s;
    uint8_t pad[64] = {0};
    if (key_len > 64) {
        aws_sha256_init(&s);
        aws_sha256_add(&s, key, key_len);
        aws_sha256_end(&s, pad);
    } else if (key_len > 0) {
        memcpy(pad, key, key_len);
    }
    for (int i = 0; i < 64; i++) pad[i] ^= 0x36;
    aws_sha256_init(&s);
    aws_sha256_add(&s, pad, 64);
    if (len > 0) aws_sha256_add(&s, at, len);
    aws_sha256_end(&s, out);
    for (int i = 0; i < 64; i++) pad[i] ^= 0x36 ^ 0x5c;
    aws_sha256_init(&s);
    aws_sha256_add(&s, pad, 64);
    aws_sha256_add(&s, out, 32);
    aws_sha256_end(&s, out);
}
