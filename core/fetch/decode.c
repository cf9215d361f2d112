#include "fetch/decode.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/check.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the plain run's end is found by counting trailing zeros");

struct cursor {
    const uint8_t *src, *src_end;
    uint8_t       *dst, *dst_end;
};

/* What stands after a backslash in the usual escapes, and what they mean. */
static const uint8_t brief[256] = {
    ['"'] = '"', ['\\'] = '\\', ['b'] = '\b', ['f'] = '\f',
    ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
};

/* A bit for each of 16 bytes that is not printable ASCII, or a quote or
 * backslash. As signed bytes the control codes and everything beyond ASCII are
 * below the blank. */
#ifdef __FRAMAC__  /* it knows no vectors */
static uint32_t special_bits(const uint8_t *at)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < 16; i++)
        bits |= (uint32_t)(at[i] < 0x20 || at[i] >= 0x80 || at[i] == '"' ||
                           at[i] == '\\') << i;
    return bits;
}
#else
typedef int8_t lanes16 __attribute__((vector_size(16)));

static uint32_t special_bits(const uint8_t *at)
{
    lanes16 bytes;
    memcpy(&bytes, at, 16);
    lanes16 special = (lanes16)((bytes < 0x20) | (bytes == '"') |
                                (bytes == '\\'));
#ifdef __SSE2__
    return (uint32_t)_mm_movemask_epi8((__m128i)special);
#else
    const uint64_t own = 0x8040201008040201, ones = 0x0101010101010101;
    uint64_t half[2];

    memcpy(half, &special, 16);
    return (uint32_t)((half[0] & own) * ones >> 56 |
                      (half[1] & own) * ones >> 56 << 8);
#endif
}
#endif

/* How many of 16 bytes stay as they are; in JSON's form the usual escapes do,
 * unless cut in two. */
static int plain_bytes(const struct decode *d, const uint8_t *at,
                       uint32_t special)
{
    while (special != 0) {
        int n = __builtin_ctz(special);
        if (n == 15 || d->form != DECODE_JSON || at[n] != '\\' ||
            brief[at[n + 1]] == 0)
            return n;
        special &= ~(3u << n);
    }
    return 16;
}

void decode_init(struct decode *d, enum decode_form form)
{
    *d = (struct decode){.form = form};
}

/* Copies what needs no thought. */
static void copy_plain(const struct decode *d, struct cursor *c)
{
    while (c->src_end - c->src >= 16 && c->dst_end - c->dst >= 16) {
        int n = plain_bytes(d, c->src, special_bits(c->src));

        memcpy(c->dst, c->src, 16);
        c->src += n;
        c->dst += n;
        if (n < 16)
            return;
    }
    while (c->src < c->src_end && c->dst < c->dst_end) {
        uint8_t b = *c->src;
        if (b < 0x20 || b >= 0x80 || b == '"' || b == '\\')
            return;
        *c->dst++ = b;
        c->src++;
    }
}

static void put(struct cursor *c, const void *bytes, uint32_t len)
{
    memcpy(c->dst, bytes, len);
    c->dst += len;
}

static void put_escape(struct cursor *c, uint32_t code)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t out[6] = {'\\', 'u',
                      (uint8_t)hex[code >> 12 & 15],
                      (uint8_t)hex[code >> 8 & 15],
                      (uint8_t)hex[code >> 4 & 15],
                      (uint8_t)hex[code & 15]};
    put(c, out, 6);
}

/* One character below U+0080. */
static void put_ascii(struct decode *d, struct cursor *c, uint8_t b)
{
    static const char letters[] = "btn\0fr";  /* of 0x08 to 0x0d */

    if (d->form == DECODE_TEXT || (b >= 0x20 && b != '"' && b != '\\')) {
        *c->dst++ = b;
    } else if (b >= 0x20 || (b >= 0x08 && b <= 0x0d && b != 0x0b)) {
        *c->dst++ = '\\';
        *c->dst++ = b >= 0x20 ? b : (uint8_t)letters[b - 0x08];
    } else {
        put_escape(c, b);
    }
}

/* One character of any size but a surrogate. */
static void put_code(struct decode *d, struct cursor *c, uint32_t code)
{
    uint8_t out[4];

    if (code < 0x80) {
        put_ascii(d, c, (uint8_t)code);
    } else if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3f));
        put(c, out, 2);
    } else if (code < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code & 0x3f));
        put(c, out, 3);
    } else {
        out[0] = (uint8_t)(0xf0 | code >> 18);
        out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        out[3] = (uint8_t)(0x80 | (code & 0x3f));
        put(c, out, 4);
    }
}

static void put_lone(struct decode *d, struct cursor *c, uint32_t surrogate)
{
    if (d->form == DECODE_JSON)
        put_escape(c, surrogate);
    else
        put_code(d, c, 0xfffd);
}

/* A high surrogate is lonely as soon as anything else follows it. */
static void flush_high(struct decode *d, struct cursor *c)
{
    if (d->high != 0)
        put_lone(d, c, d->high);
    d->high = 0;
}

static void end_code_unit(struct decode *d, struct cursor *c)
{
    uint32_t unit = d->code;

    d->escape = 0;
    if (unit >= 0xdc00 && unit <= 0xdfff && d->high != 0) {
        put_code(d, c, 0x10000 + ((uint32_t)(d->high - 0xd800) << 10) +
                           (unit - 0xdc00));
        d->high = 0;
        return;
    }
    flush_high(d, c);
    if (unit >= 0xd800 && unit <= 0xdbff)
        d->high = (uint16_t)unit;
    else if (unit >= 0xdc00 && unit <= 0xdfff)
        put_lone(d, c, unit);
    else
        put_code(d, c, unit);
}

static int hex_digit(uint8_t b)
{
    if (b >= '0' && b <= '9')
        return b - '0';
    b |= 0x20;
    return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

/* The byte after a backslash, or a digit of \uXXXX; false: not JSON. */
static bool on_escape(struct decode *d, struct cursor *c, uint8_t b)
{
    if (d->escape >= 2) {
        int digit = hex_digit(b);
        if (digit < 0)
            return false;
        d->code = (uint16_t)(d->code << 4 | digit);
        if (++d->escape == 6)
            end_code_unit(d, c);
        return true;
    }
    if (b == 'u') {
        d->escape = 2;
        d->code = 0;
        return true;
    }
    static const char names[] = "\"\\/bfnrt", codes[] = "\"\\/\b\f\n\r\t";
    const char *at = b == 0 ? NULL : strchr(names, b);
    if (at == NULL)
        return false;
    flush_high(d, c);
    put_ascii(d, c, (uint8_t)codes[at - names]);
    d->escape = 0;
    return true;
}

/* Bytes that a leading byte wants in all; 0: it cannot lead. */
static uint8_t utf8_length(uint8_t b)
{
    if (b >= 0xc2 && b <= 0xdf)
        return 2;
    if (b >= 0xe0 && b <= 0xef)
        return 3;
    return b >= 0xf0 && b <= 0xf4 ? 4 : 0;
}

/* May b follow a lead of `lead` and `len` - 1 bytes after it? RFC 3629. */
static bool utf8_continues(uint8_t lead, uint8_t len, uint8_t b)
{
    uint8_t low = 0x80, high = 0xbf;

    if (len == 1) {
        if (lead == 0xe0)
            low = 0xa0;
        else if (lead == 0xed)
            high = 0x9f;
        else if (lead == 0xf0)
            low = 0x90;
        else if (lead == 0xf4)
            high = 0x8f;
    }
    return b >= low && b <= high;
}

/* A byte beyond ASCII, or any byte within an unfinished character. False: it
 * ended a broken character and must be looked at again. */
static bool on_utf8(struct decode *d, struct cursor *c, uint8_t b)
{
    if (d->utf8_len == 0) {
        d->utf8_need = utf8_length(b);
        if (d->utf8_need == 0)
            put_code(d, c, 0xfffd);
        else
            d->utf8[d->utf8_len++] = b;
        return true;
    }
    if (!utf8_continues(d->utf8[0], d->utf8_len, b)) {
        d->utf8_len = 0;
        put_code(d, c, 0xfffd);
        return false;
    }
    d->utf8[d->utf8_len++] = b;
    if (d->utf8_len == d->utf8_need) {
        put(c, d->utf8, d->utf8_len);
        d->utf8_len = 0;
    }
    return true;
}

/* Whole three-byte characters, most of the world's text, without state. */
static void copy_three(struct cursor *c)
{
    while (c->src_end - c->src >= 3 &&
           c->dst_end - c->dst >= 3 + DECODE_UNIT_BYTES &&
           (c->src[0] & 0xf0) == 0xe0 &&
           utf8_continues(c->src[0], 1, c->src[1]) &&
           (c->src[2] & 0xc0) == 0x80) {
        put(c, c->src, 3);
        c->src += 3;
    }
}

/* The usual escapes, whole, without state: \\n or \\" for two bytes each, which
 * DECODE_JSON keeps as they are. */
static void copy_escapes(const struct decode *d, struct cursor *c)
{
    while (c->src_end - c->src >= 2 && c->src[0] == '\\' &&
           c->dst_end - c->dst >= 2 + DECODE_UNIT_BYTES &&
           brief[c->src[1]] != 0) {
        if (d->form == DECODE_JSON)
            *c->dst++ = '\\';
        *c->dst++ = d->form == DECODE_JSON ? c->src[1] : brief[c->src[1]];
        c->src += 2;
    }
}

/* One byte that is not plain, or any byte in a state that waits for more. */
static enum decode_got on_byte(struct decode *d, struct cursor *c)
{
    uint8_t b = *c->src;

    if (d->utf8_len != 0) {
        if (on_utf8(d, c, b))
            c->src++;
        return DECODE_MORE;
    }
    c->src++;
    if (d->escape != 0)
        return on_escape(d, c, b) ? DECODE_MORE : DECODE_BAD;
    if (b == '\\') {
        d->escape = 1;
        return DECODE_MORE;
    }
    flush_high(d, c);
    if (b == '"')
        return DECODE_QUOTE;
    if (b < 0x80) {
        put_ascii(d, c, b);
    } else {
        (void)on_utf8(d, c, b);  /* a first byte is always taken */
    }
    return DECODE_MORE;
}

enum decode_got decode_step(struct decode *d, struct view src,
                            uint32_t *taken, struct span dst, uint32_t *made)
{
    struct cursor c = {src.at, src.at + src.len, dst.at, dst.at + dst.len};
    enum decode_got got = DECODE_MORE;

    while (got == DECODE_MORE && c.src < c.src_end) {
        if (c.dst_end - c.dst < DECODE_UNIT_BYTES) {
            got = DECODE_ROOM;
            break;
        }
        if (d->escape == 0 && d->utf8_len == 0 && d->high == 0) {
            const uint8_t *from;
            do {
                copy_plain(d, &c);
                from = c.src;
                copy_escapes(d, &c);
                copy_three(&c);
            } while (c.src != from);
            if (c.src == c.src_end)
                break;
            if (c.dst_end - c.dst < DECODE_UNIT_BYTES) {
                got = DECODE_ROOM;
                break;
            }
        }
        got = on_byte(d, &c);
    }
    *taken = (uint32_t)(c.src - src.at);
    *made = (uint32_t)(c.dst - dst.at);
    CHECK(*taken <= src.len && *made <= dst.len);
    return got;
}
