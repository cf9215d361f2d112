/* md5.c - MD5 (RFC 1321), because S3's ETags are made of it. */
#include "digest.h"

#include <string.h>

static const uint32_t sine[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a,
    0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
    0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
    0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8,
    0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
    0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
    0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
    0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
    0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
static const uint8_t turns[16] = {7, 12, 17, 22, 5, 9,  14, 20,
                                  4, 11, 16, 23, 6, 10, 15, 21};

static uint32_t load_le(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 |
           (uint32_t)at[1] << 8 | at[0];
}

#define STEP(mix, i, word) do { \
        uint32_t sum_ = a + (mix) + sine[i] + w[(word) & 15]; \
        unsigned by_ = turns[(i) / 16 * 4 + (i) % 4]; \
        a = d; d = c; c = b; \
        b += sum_ << by_ | sum_ >> (32 - by_); \
    } while (0)

static void take(struct aws_md5 *m, const uint8_t *at, size_t blocks)
{
    uint32_t w[16];
    for (; blocks > 0; blocks--, at += 64) {
        uint32_t a = m->state[0], b = m->state[1];
        uint32_t c = m->state[2], d = m->state[3];
        for (unsigned i = 0; i < 16; i++) w[i] = load_le(at + 4 * i);
        for (unsigned i = 0; i < 16; i++)
            STEP((b & c) | (~b & d), i, i);
        for (unsigned i = 16; i < 32; i++)
            STEP((d & b) | (~d & c), i, 5 * i + 1);
        for (unsigned i = 32; i < 48; i++)
            STEP(b ^ c ^ d, i, 3 * i + 5);
        for (unsigned i = 48; i < 64; i++)
            STEP(c ^ (b | ~d), i, 7 * i);
        m->state[0] += a;
        m->state[1] += b;
        m->state[2] += c;
        m->state[3] += d;
    }
}

void aws_md5_init(struct aws_md5 *m)
{
    static const uint32_t start[4] = {0x67452301, 0xefcdab89, 0x98badcfe,
                                      0x10325476};
    memcpy(m->state, start, sizeof start);
    m->total = 0;
}

void aws_md5_add(struct aws_md5 *m, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    size_t held = m->total % 64;
    m->total += len;
    if (held > 0) {
        size_t part = len < 64 - held ? len : 64 - held;
        memcpy(m->block + held, at, part);
        at += part;
        len -= part;
        if (held + part < 64) return;
        take(m, m->block, 1);
    }
    take(m, at, len / 64);
    if (len % 64 > 0) memcpy(m->block, at + len - len % 64, len % 64);
}

void aws_md5_end(struct aws_md5 *m, uint8_t out[16])
{
    uint8_t tail[72] = {0x80};
    uint64_t bits = m->total * 8;
    size_t pad = (m->total % 64 < 56 ? 56 : 120) - m->total % 64;
    for (int i = 0; i < 8; i++)
        tail[pad + (size_t)i] = (uint8_t)(bits >> (8 * i));
    aws_md5_add(m, tail, pad + 8);
    for (int i = 0; i < 16; i++)
        out[i] = (uint8_t)(m->state[i / 4] >> (8 * (i % 4)));
}
