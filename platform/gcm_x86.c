/* gcm_x86.c - AES-GCM by AES-NI and PCLMULQDQ.
 *
 * The hash is computed as POLYVAL on reversed blocks (RFC 8452, appendix A),
 * whose product needs no shift: a block is one little-endian number. Eight
 * products are added up before one reduction (Gueron and Kounavis, "Intel
 * Carry-Less Multiplication Instruction", 2014). Hashing and encrypting
 * different blocks in one turn, the processor does both at once. */
#include "gcm.h"

#if defined(MBEDTLS_GCM_ALT) && defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

enum { BLOCK = 16, WIDE = 8 };

#define TARGET __attribute__((target("aes,pclmul,ssse3,sse2")))
#define INLINE static inline __attribute__((always_inline)) TARGET

struct product {
    __m128i low, middle, high;
};

bool gcm_fast_available(void)
{
    const unsigned want = bit_AES | bit_PCLMUL | bit_SSSE3;
    unsigned a, b, c, d;

    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & want) == want;
}

INLINE __m128i load(const void *at)
{
    return _mm_loadu_si128(at);
}

INLINE void store(void *at, __m128i v)
{
    _mm_storeu_si128(at, v);
}

INLINE __m128i reverse(__m128i v)
{
    return _mm_shuffle_epi8(v, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
                                            11, 12, 13, 14, 15));
}

INLINE struct product multiply(struct product p, __m128i a, __m128i b)
{
    __m128i middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01),
                                   _mm_clmulepi64_si128(a, b, 0x10));

    p.low = _mm_xor_si128(p.low, _mm_clmulepi64_si128(a, b, 0x00));
    p.high = _mm_xor_si128(p.high, _mm_clmulepi64_si128(a, b, 0x11));
    p.middle = _mm_xor_si128(p.middle, middle);
    return p;
}

/* Montgomery's way, by x^128 + x^127 + x^126 + x^121 + 1, in two halves. */
INLINE __m128i reduce(struct product p)
{
    const __m128i poly = _mm_set_epi64x((long long)0xc200000000000000, 1);
    __m128i low = _mm_xor_si128(p.low, _mm_slli_si128(p.middle, 8));
    __m128i high = _mm_xor_si128(p.high, _mm_srli_si128(p.middle, 8));

    for (int half = 0; half < 2; half++)
        low = _mm_xor_si128(_mm_clmulepi64_si128(low, poly, 0x10),
                            _mm_shuffle_epi32(low, 0x4e));
    return _mm_xor_si128(high, low);
}

INLINE struct product nothing(void)
{
    __m128i zero = _mm_setzero_si128();

    return (struct product){zero, zero, zero};
}

TARGET void gcm_fast_key(mbedtls_gcm_context *c, const uint8_t hash_key[BLOCK])
{
    __m128i v = reverse(load(hash_key)), one, power;
    /* Times x: the sign of each 64-bit half, carried into the next. */
    __m128i sign = _mm_srli_epi64(v, 63);
    __m128i carry = _mm_sub_epi64(_mm_setzero_si128(),
                                  _mm_unpackhi_epi64(sign, sign));
    const __m128i poly = _mm_set_epi64x((long long)0xc200000000000000, 1);

    one = _mm_or_si128(_mm_slli_epi64(v, 1), _mm_slli_si128(sign, 8));
    one = _mm_xor_si128(one, _mm_and_si128(carry, poly));
    power = one;
    for (uint32_t i = 0; i < WIDE; i++) {
        store(c->key.powers[i], power);
        power = reduce(multiply(nothing(), power, one));
    }
}

INLINE __m128i hash_eight(const mbedtls_gcm_context *c, __m128i hash,
                          const uint8_t *in)
{
    struct product p = nothing();

    p = multiply(p, _mm_xor_si128(hash, reverse(load(in))),
                 load(c->key.powers[7]));
    p = multiply(p, reverse(load(in + 16)), load(c->key.powers[6]));
    p = multiply(p, reverse(load(in + 32)), load(c->key.powers[5]));
    p = multiply(p, reverse(load(in + 48)), load(c->key.powers[4]));
    p = multiply(p, reverse(load(in + 64)), load(c->key.powers[3]));
    p = multiply(p, reverse(load(in + 80)), load(c->key.powers[2]));
    p = multiply(p, reverse(load(in + 96)), load(c->key.powers[1]));
    p = multiply(p, reverse(load(in + 112)), load(c->key.powers[0]));
    return reduce(p);
}

INLINE __m128i hash_one(const mbedtls_gcm_context *c, __m128i hash,
                        const uint8_t *in)
{
    __m128i sum = _mm_xor_si128(hash, reverse(load(in)));

    return reduce(multiply(nothing(), sum, load(c->key.powers[0])));
}

TARGET void gcm_fast_hash(mbedtls_gcm_context *c, const uint8_t *in,
                          size_t blocks)
{
    __m128i hash = reverse(load(c->hash));

    for (; blocks >= WIDE; blocks -= WIDE, in += WIDE * BLOCK)
        hash = hash_eight(c, hash, in);
    for (; blocks > 0; blocks--, in += BLOCK)
        hash = hash_one(c, hash, in);
    store(c->hash, reverse(hash));
}

/* The counter as a number, plus n. */
INLINE __m128i plus(__m128i counter, int n)
{
    return _mm_add_epi32(counter, _mm_set_epi32(0, 0, 0, n));
}

INLINE void store_sum(uint8_t *out, const uint8_t *in, __m128i pad)
{
    store(out, _mm_xor_si128(load(in), pad));
}

INLINE void crypt_eight(const uint8_t *keys, int rounds, __m128i counter,
                        const uint8_t *in, uint8_t *out)
{
    __m128i k = load(keys);
    __m128i a = _mm_xor_si128(k, reverse(plus(counter, 1)));
    __m128i b = _mm_xor_si128(k, reverse(plus(counter, 2)));
    __m128i c = _mm_xor_si128(k, reverse(plus(counter, 3)));
    __m128i d = _mm_xor_si128(k, reverse(plus(counter, 4)));
    __m128i e = _mm_xor_si128(k, reverse(plus(counter, 5)));
    __m128i f = _mm_xor_si128(k, reverse(plus(counter, 6)));
    __m128i g = _mm_xor_si128(k, reverse(plus(counter, 7)));
    __m128i h = _mm_xor_si128(k, reverse(plus(counter, 8)));

    for (int round = 1; round < rounds; round++) {
        k = load(keys + round * BLOCK);
        a = _mm_aesenc_si128(a, k);
        b = _mm_aesenc_si128(b, k);
        c = _mm_aesenc_si128(c, k);
        d = _mm_aesenc_si128(d, k);
        e = _mm_aesenc_si128(e, k);
        f = _mm_aesenc_si128(f, k);
        g = _mm_aesenc_si128(g, k);
        h = _mm_aesenc_si128(h, k);
    }
    k = load(keys + rounds * BLOCK);
    store_sum(out, in, _mm_aesenclast_si128(a, k));
    store_sum(out + 16, in + 16, _mm_aesenclast_si128(b, k));
    store_sum(out + 32, in + 32, _mm_aesenclast_si128(c, k));
    store_sum(out + 48, in + 48, _mm_aesenclast_si128(d, k));
    store_sum(out + 64, in + 64, _mm_aesenclast_si128(e, k));
    store_sum(out + 80, in + 80, _mm_aesenclast_si128(f, k));
    store_sum(out + 96, in + 96, _mm_aesenclast_si128(g, k));
    store_sum(out + 112, in + 112, _mm_aesenclast_si128(h, k));
}

INLINE void crypt_one(const uint8_t *keys, int rounds, __m128i counter,
                      const uint8_t *in, uint8_t *out)
{
    __m128i v = _mm_xor_si128(load(keys), reverse(plus(counter, 1)));

    for (int round = 1; round < rounds; round++)
        v = _mm_aesenc_si128(v, load(keys + round * BLOCK));
    store_sum(out, in, _mm_aesenclast_si128(v, load(keys + rounds * BLOCK)));
}

/* Encrypted bytes are hashed a turn later than they are made, and those to be
 * decrypted before they are overwritten, so that no turn waits for itself. */
TARGET void gcm_fast_crypt(mbedtls_gcm_context *c, const uint8_t *in,
                           uint8_t *out, size_t blocks)
{
    const uint8_t *keys = (const uint8_t *)(c->aes.MBEDTLS_PRIVATE(buf) +
                                            c->aes.MBEDTLS_PRIVATE(rk_offset));
    const int rounds = c->aes.MBEDTLS_PRIVATE(nr);
    const uint8_t *made = NULL;
    __m128i counter = reverse(load(c->counter));
    __m128i hash = reverse(load(c->hash));

    for (; blocks >= WIDE; blocks -= WIDE) {
        if (!c->encrypting)
            hash = hash_eight(c, hash, in);
        else if (made != NULL)
            hash = hash_eight(c, hash, made);
        crypt_eight(keys, rounds, counter, in, out);
        counter = plus(counter, WIDE);
        made = out;
        in += WIDE * BLOCK;
        out += WIDE * BLOCK;
    }
    if (c->encrypting && made != NULL)
        hash = hash_eight(c, hash, made);
    for (; blocks > 0; blocks--, in += BLOCK, out += BLOCK) {
        if (!c->encrypting)
            hash = hash_one(c, hash, in);
        crypt_one(keys, rounds, counter, in, out);
        if (c->encrypting)
            hash = hash_one(c, hash, out);
        counter = plus(counter, 1);
    }
    store(c->counter, reverse(counter));
    store(c->hash, reverse(hash));
}

#endif
