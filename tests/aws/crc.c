/* crc.c - CRC-32, CRC-32C and CRC-64/NVME, eight bytes a step. */
#include "digest.h"

#include <stdbool.h>
#include <string.h>

#define POLY32  0xedb88320u
#define POLY32C 0x82f63b78u
#define POLY64  0x9a6c9329ac4bc9b5u

/* table[k][b]: the CRC of byte b followed by k zero bytes. */
struct table32 { bool ready; uint32_t at[8][256]; };
struct table64 { bool ready; uint64_t at[8][256]; };

static void make32(struct table32 *t, uint32_t poly)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? poly : 0);
        t->at[0][b] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (uint32_t b = 0; b < 256; b++)
            t->at[k][b] = t->at[k - 1][b] >> 8 ^
                          t->at[0][t->at[k - 1][b] & 255];
    t->ready = true;
}

static uint32_t run32(struct table32 *t, uint32_t crc, const uint8_t *at,
                      size_t len)
{
    crc = ~crc;
    for (; len >= 8; len -= 8, at += 8) {
        uint32_t x = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 |
                            (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
        crc = t->at[7][x & 255] ^ t->at[6][x >> 8 & 255] ^
              t->at[5][x >> 16 & 255] ^ t->at[4][x >> 24] ^
              t->at[3][at[4]] ^ t->at[2][at[5]] ^ t->at[1][at[6]] ^
              t->at[0][at[7]];
    }
    for (; len > 0; len--) crc = crc >> 8 ^ t->at[0][(crc ^ *at++) & 255];
    return ~crc;
}

uint32_t aws_crc32(uint32_t crc, const void *at, size_t len)
{
    static struct table32 table;
    if (!table.ready) make32(&table, POLY32);
    return run32(&table, crc, at, len);
}

uint32_t aws_crc32c(uint32_t crc, const void *at, size_t len)
{
    static struct table32 table;
    if (!table.ready) make32(&table, POLY32C);
    return run32(&table, crc, at, len);
}

static void make64(struct table64 *t)
{
    for (uint64_t b = 0; b < 256; b++) {
        uint64_t crc = b;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? POLY64 : 0);
        t->at[0][b] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (uint64_t b = 0; b < 256; b++)
            t->at[k][b] = t->at[k - 1][b] >> 8 ^
                          t->at[0][t->at[k - 1][b] & 255];
    t->ready = true;
}

uint64_t aws_crc64(uint64_t crc, const void *bytes, size_t len)
{
    static struct table64 table;
    const struct table64 *t = &table;
    const uint8_t *at = bytes;
    if (!table.ready) make64(&table);
    crc = ~crc;
    for (; len >= 8; len -= 8, at += 8) {
        uint64_t x = crc;
        for (int i = 0; i < 8; i++) x ^= (uint64_t)at[i] << (8 * i);
        crc = t->at[7][x & 255] ^ t->at[6][x >> 8 & 255] ^
              t->at[5][x >> 16 & 255] ^ t->at[4][x >> 24 & 255] ^
              t->at[3][x >> 32 & 255] ^ t->at[2][x >> 40 & 255] ^
              t->at[1][x >> 48 & 255] ^ t->at[0][x >> 56];
    }
    for (; len > 0; len--) crc = crc >> 8 ^ t->at[0][(crc ^ *at++) & 255];
    return ~crc;
}

/* Product of two polynomials modulo the CRC's own; bit 63 is x^0. */
static uint64_t times(uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    for (int i = 0; i < 64; i++) {
        if (a >> 63) product ^= b;
        a <<= 1;
        b = b >> 1 ^ (b & 1 ? POLY64 : 0);
    }
    return product;
}

uint64_t aws_crc64_join(uint64_t a, uint64_t b, uint64_t b_len)
{
    uint64_t shift = (uint64_t)1 << 63;         /* x^0 */
    uint64_t square = (uint64_t)1 << (63 - 8);  /* x^8, one byte */
    for (; b_len > 0; b_len >>= 1) {
        if (b_len & 1) shift = times(shift, square);
        square = times(square, square);
    }
    return times(shift, a) ^ b;
}
