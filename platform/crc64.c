/* crc64.c - the seam crc64_add(): by carry-less multiplication, where the
 * processor has it.
 *
 * The bytes are a polynomial, the first bit the highest power. Sixteen of them
 * that stand d bits before others can be added to those, once multiplied by
 * x^d modulo the CRC's polynomial, half by half: Gopal and others, "Fast CRC
 * Computation for Generic Polynomials Using PCLMULQDQ Instruction". Eight
 * blocks go side by side; when one is left, its CRC is that of all. */
#include "base/crc.h"

#if defined(__x86_64__)
#include "blocks_x86.h"
#elif defined(__aarch64__)
#include "blocks_arm.h"
#endif

#ifdef FAST

enum { BLOCK = 16, LANES = 8, LEAST = 2 * LANES * BLOCK };

/* Reflected, and a power less, since so is a product: x^(d+63), x^(d-1). */
static const uint64_t far_on[2] = {0xa1ca681e733f9c40, 0x5f852fb61e8d92dc};
static const uint64_t next_on[2] = {0xeadc41fd2ba3d420, 0x21e9761e252621ac};

/* Moved on by the distance that `on` is of. */
FAST static inline block moved(block b, block on)
{
    return sum(low_product(b, on), high_product(b, on));
}

/* All whole blocks, at least LANES: one that has the same CRC, after zero. */
FAST static block fold(uint64_t crc, const uint8_t *at, uint32_t len)
{
    uint64_t begun[2] = {crc, 0};
    block lane[LANES], far = load(far_on), next = load(next_on);

    for (unsigned i = 0; i < LANES; i++)
        lane[i] = load(at + i * BLOCK);
    lane[0] = sum(lane[0], load(begun));
    at += LANES * BLOCK;
    len -= LANES * BLOCK;
    for (; len >= LANES * BLOCK; len -= LANES * BLOCK, at += LANES * BLOCK)
#pragma GCC unroll 8
        for (unsigned i = 0; i < LANES; i++)
            lane[i] = sum(load(at + i * BLOCK), moved(lane[i], far));
    for (unsigned i = 1; i < LANES; i++)
        lane[0] = sum(lane[i], moved(lane[0], next));
    for (; len >= BLOCK; len -= BLOCK, at += BLOCK)
        lane[0] = sum(load(at), moved(lane[0], next));
    return lane[0];
}

/* The first answer stays: a virtual machine's cpuid is a trip to its host. */
static bool can_fold(void)
{
    static enum { UNKNOWN, NO, YES } answer;

    if (answer == UNKNOWN)
        answer = able() ? YES : NO;
    return answer == YES;
}

FAST static uint64_t crc64_fast(uint64_t crc, struct view bytes)
{
    uint32_t whole = bytes.len / BLOCK * BLOCK;
    uint8_t last[BLOCK];

    store(last, fold(~crc, bytes.at, whole));
    crc = crc64_plain(UINT64_MAX, (struct view){last, BLOCK});
    return crc64_plain(crc, view_slice(bytes, whole, bytes.len));
}

uint64_t crc64_add(uint64_t crc, struct view bytes)
{
    return bytes.len >= LEAST && can_fold() ? crc64_fast(crc, bytes)
                                            : crc64_plain(crc, bytes);
}

#else

uint64_t crc64_add(uint64_t crc, struct view bytes)
{
    return crc64_plain(crc, bytes);
}

#endif
