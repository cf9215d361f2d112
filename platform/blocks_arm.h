/* blocks_arm.h - what gcm_fast.c and crc64.c are written in: blocks of 16
 * bytes, by ARMv8's AES and PMULL. AESE adds its key first, so each round here
 * takes the key of the round before. */
#ifndef FIRN_BLOCKS_ARM_H
#define FIRN_BLOCKS_ARM_H

#include <arm_neon.h>
#include <sys/auxv.h>

#define FAST __attribute__((target("+crypto")))

typedef uint8x16_t block;

static inline bool able(void)
{
    const unsigned long both = HWCAP_AES | HWCAP_PMULL;

    return (getauxval(AT_HWCAP) & both) == both;
}

FAST static inline block load(const void *at)
{
    return vld1q_u8(at);
}

FAST static inline void store(void *at, block b)
{
    vst1q_u8(at, b);
}

FAST static inline block zero(void)
{
    return vdupq_n_u8(0);
}

FAST static inline block sum(block a, block b)
{
    return veorq_u8(a, b);
}

/* The low and the high word in each other's place. */
FAST static inline block turned(block b)
{
    return vextq_u8(b, b, 8);
}

FAST static inline block reversed(block b)
{
    return turned(vrev64q_u8(b));
}

/* The 32-bit number in the lowest bytes, more by n; it wraps. */
FAST static inline block counted(block b, uint32_t n)
{
    uint32x4_t add = vsetq_lane_u32(n, vdupq_n_u32(0), 0);

    return vreinterpretq_u8_u32(vaddq_u32(vreinterpretq_u32_u8(b), add));
}

FAST static inline block low_product(block a, block b)
{
    poly64x2_t x = vreinterpretq_p64_u8(a), y = vreinterpretq_p64_u8(b);

    return vreinterpretq_u8_p128(
        vmull_p64(vgetq_lane_p64(x, 0), vgetq_lane_p64(y, 0)));
}

FAST static inline block high_product(block a, block b)
{
    return vreinterpretq_u8_p128(
        vmull_high_p64(vreinterpretq_p64_u8(a), vreinterpretq_p64_u8(b)));
}

/* AES in three: before its rounds, each round but the last, and the last.
 * They are given the place of that round's key. */
FAST static inline block aes_first(block b, const uint8_t *key)
{
    (void)key;
    return b;
}

FAST static inline block aes_round(block b, const uint8_t *key)
{
    return vaesmcq_u8(vaeseq_u8(b, load(key - 16)));
}

FAST static inline block aes_last(block b, const uint8_t *key)
{
    return sum(vaeseq_u8(b, load(key - 16)), load(key));
}

#endif
