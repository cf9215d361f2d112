/* crc.c - see crc.h.
 *
 * A byte at a time, by a table: what has many bytes has platform/crc64.c. A CRC
 * is linear, so that a table's entry for a byte is the sum of the entries of
 * its bits: the preprocessor makes 256 out of eight. The tests compute them
 * again from the polynomial. */
#include "base/crc.h"

#define T1(x, a)                      (x), (x) ^ (a)
#define T2(x, a, b)                   T1(x, a), T1((x) ^ (b), a)
#define T3(x, a, b, c)                T2(x, a, b), T2((x) ^ (c), a, b)
#define T4(x, a, b, c, d)             T3(x, a, b, c), T3((x) ^ (d), a, b, c)
#define T5(x, a, b, c, d, e) \
    T4(x, a, b, c, d), T4((x) ^ (e), a, b, c, d)
#define T6(x, a, b, c, d, e, f) \
    T5(x, a, b, c, d, e), T5((x) ^ (f), a, b, c, d, e)
#define T7(x, a, b, c, d, e, f, g) \
    T6(x, a, b, c, d, e, f), T6((x) ^ (g), a, b, c, d, e, f)
#define T8(x, a, b, c, d, e, f, g, h) \
    T7(x, a, b, c, d, e, f, g), T7((x) ^ (h), a, b, c, d, e, f, g)

/* Of one byte; its bits 1, 2, 4 ... 128. */
static const uint64_t table[256] = {
    T8(0,
        0x7f6ef0c830358979, 0xfedde190606b12f2, 0xc962e5739841b68f,
        0xa61cecb46814fe75, 0x78e0ff3b88be6f81, 0xf1c1fe77117cdf02,
        0xd75adabd7a6e2d6f, 0x9a6c9329ac4bc9b5),
};

static const uint64_t crc64_poly = 0x9a6c9329ac4bc9b5;
static const uint64_t crc32_poly = 0xedb88320;  /* RFC 1952 section 8 */

uint64_t crc64_plain(uint64_t crc, struct view bytes)
{
    crc = ~crc;
    for (uint32_t i = 0; i < bytes.len; i++)
        crc = table[(crc ^ bytes.at[i]) & 255] ^ crc >> 8;
    return ~crc;
}

/* a times b modulo the polynomial. Reflected: the top bit is x to the 0th. */
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t poly, uint64_t one)
{
    uint64_t product = 0;
    for (uint64_t bit = one; bit != 0; bit >>= 1) {
        product ^= (a & bit) != 0 ? b : 0;
        b = b >> 1 ^ ((b & 1) != 0 ? poly : 0);
    }
    return product;
}

/* crc times x to the power of 8 * len: what `len` zero bytes make of it. */
static uint64_t shift(uint64_t crc, uint64_t len, uint64_t poly, uint64_t one)
{
    uint64_t power = one >> 8;  /* x^8, squared once a bit of len */
    for (; len > 0; len >>= 1) {
        if ((len & 1) != 0)
            crc = multiply(power, crc, poly, one);
        power = multiply(power, power, poly, one);
    }
    return crc;
}

uint64_t crc64_combine(uint64_t first, uint64_t second, uint64_t len)
{
    return shift(first, len, crc64_poly, 1ull << 63) ^ second;
}

uint32_t crc32_combine(uint32_t first, uint32_t second, uint64_t len)
{
    uint64_t shifted = shift(first, len, crc32_poly, 1ull << 31);
    CHECK(shifted >> 32 == 0);
    return (uint32_t)shifted ^ second;
}

void crc64_text(struct text *t, uint64_t crc)
{
    uint8_t bytes[8];
    for (uint32_t i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(crc >> (56 - 8 * i));
    text_base64(t, (struct view){bytes, sizeof bytes});
}

static uint32_t base64_digit(uint8_t c)
{
    struct view digits = view_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/");
    return view_find(digits, c);
}

bool crc64_parse(struct view v, uint64_t *crc)
{
    uint64_t value = 0;
    if (v.len != CRC64_TEXT_BYTES || v.at[CRC64_TEXT_BYTES - 1] != '=')
        return false;
    for (uint32_t i = 0; i < CRC64_TEXT_BYTES - 1; i++) {
        uint32_t digit = base64_digit(v.at[i]);
        if (digit > 63 || (i == 10 && digit % 4 != 0))
            return false;
        value = i < 10 ? value << 6 | digit : value << 4 | digit >> 2;
    }
    *crc = value;
    return true;
}
