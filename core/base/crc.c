/* crc.c - see crc.h.
 *
 * Eight bytes at a time through eight tables (Kounavis and Berry 2005,
 * "slicing-by-8"). A CRC is linear, so that a table's entry for a byte is the
 * sum of the entries of its bits: the preprocessor makes 256 out of eight. The
 * tests compute them again from the polynomial. */
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

/* slice[k]: of a byte that has k more after it in the word; its bits 1, 2,
 * 4 ... 128. */
static const uint64_t slice[8][256] = {
    {T8(0,
        0x7f6ef0c830358979, 0xfedde190606b12f2, 0xc962e5739841b68f,
        0xa61cecb46814fe75, 0x78e0ff3b88be6f81, 0xf1c1fe77117cdf02,
        0xd75adabd7a6e2d6f, 0x9a6c9329ac4bc9b5)},
    {T8(0,
        0x8776a97d73bddf69, 0x3a3474a9bfec2db9, 0x7468e9537fd85b72,
        0xe8d1d2a6ffb0b6e4, 0xe57a831ea7f6fea3, 0xfe2c206e177a6e2d,
        0xc881668f76634f31, 0xa5dbeb4db4510d09)},
    {T8(0,
        0xff6e4e1f4e4038be, 0xca05ba6dc417e217, 0xa0d25288d0b85745,
        0x757d8342f9e73de1, 0xeafb0685f3ce7bc2, 0xe12f2b58bf0b64ef,
        0xf68770e226815ab5, 0xd9d7c79715952601)},
    {T8(0,
        0x8211147cbaf96306, 0x30fb0eaa2d655567, 0x61f61d545acaaace,
        0xc3ec3aa8b595559c, 0xb301530233bd3853, 0x52db80573fede3cd,
        0xa5b700ae7fdbc79a, 0x7fb7270fa7201c5f)},
    {T8(0,
        0x373d15f784905d1e, 0x6e7a2bef0920ba3c, 0xdcf457de12417478,
        0x8d3189ef7c157b9b, 0x2eba358da0bd645d, 0x5d746b1b417ac8ba,
        0xbae8d63682f59174, 0x41088a3e5d7cb183)},
    {T8(0,
        0xe9742a79ef04a5d4, 0xe63172a0869ed8c3, 0xf8bbc31255aa22ed,
        0xc5aea077f3c3d6b1, 0xbf8466bcbf103e09, 0x4bd1eb2a26b7ef79,
        0x97a3d6544d6fdef2, 0x1b9e8afbc2482e8f)},
    {T8(0,
        0xfc5d27f6bf353971, 0xcc6369be26fde189, 0xac1ff52f156c5079,
        0x6ce6cc0d724f3399, 0xd9cd981ae49e6732, 0x8742166691ab5d0f,
        0x3a5d0a9e7bc12975, 0x74ba153cf78252ea)},
    {T8(0,
        0x21e9761e252621ac, 0x43d2ec3c4a4c4358, 0x87a5d878949886b0,
        0x3b9296a271a69e0b, 0x77252d44e34d3c16, 0xee4a5a89c69a782c,
        0xe84d9340d5a36333, 0xe44200d2f3d1550d)},
};

static const uint64_t crc64_poly = 0x9a6c9329ac4bc9b5;
static const uint64_t crc32_poly = 0xedb88320;  /* RFC 1952 section 8 */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "words are read as they lie");

static uint64_t load_le64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

uint64_t crc64_plain(uint64_t crc, struct view bytes)
{
    const uint8_t *at = bytes.at;
    uint32_t left = bytes.len;

    crc = ~crc;
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t w = crc ^ load_le64(at);
        crc = slice[7][w & 255] ^ slice[6][w >> 8 & 255] ^
              slice[5][w >> 16 & 255] ^ slice[4][w >> 24 & 255] ^
              slice[3][w >> 32 & 255] ^ slice[2][w >> 40 & 255] ^
              slice[1][w >> 48 & 255] ^ slice[0][w >> 56];
    }
    for (; left > 0; left--, at++)
        crc = slice[0][(crc ^ *at) & 255] ^ crc >> 8;
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
