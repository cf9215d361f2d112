/* fuzz_decode.c - any bytes as the inside of a JSON string.
 *
 * The first two bytes choose form, slices and room; the rest is the string.
 * What comes out must be the same as in one go, be UTF-8 and, in JSON's form,
 * be what it itself decodes to. */
#include <stdlib.h>

#include "fetch/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IN_MOST = 1 << 14, OUT_MOST = 6 * IN_MOST + 16 };

struct result {
    enum decode_got got;
    uint32_t        taken, len;
    uint8_t         bytes[OUT_MOST];
};

static void decode(struct result *r, enum decode_form form, struct view in,
                   uint32_t piece, uint32_t room)
{
    uint8_t *dst = malloc(room);
    struct decode d;
    uint32_t len = piece;
    r->taken = 0;
    r->len = 0;
    r->got = DECODE_MORE;
    decode_init(&d, form);
    while (r->got == DECODE_ROOM ||
           (r->got == DECODE_MORE && r->taken < in.len)) {
        uint32_t left = in.len - r->taken, taken, made;
        r->got = decode_step(&d,
                             view_slice(in, r->taken,
                                        r->taken + (len < left ? len : left)),
                             &taken, (struct span){dst, room}, &made);
        CHECK(made <= OUT_MOST - r->len);
        CHECK(r->got != DECODE_ROOM || room - made < DECODE_UNIT_BYTES);
        memcpy(r->bytes + r->len, dst, made);
        r->taken += taken;
        r->len += made;
    }
    free(dst);
}

/* RFC 3629, as a syntax of its bytes. */
static bool is_utf8(struct view v)
{
    for (uint32_t i = 0; i < v.len;) {
        uint8_t a = v.at[i], b = i + 1 < v.len ? v.at[i + 1] : 0;
        uint32_t len = a < 0x80 ? 1 : a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4;
        bool bad = (a >= 0x80 && a < 0xc2) || a > 0xf4 || i + len > v.len ||
                   (a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f) ||
                   (a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f);
        for (uint32_t n = 1; n < len && !bad; n++)
            bad = v.at[i + n] >> 6 != 2;
        if (bad)
            return false;
        i += len;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct result whole, sliced;
    if (size < 2 || size > IN_MOST)
        return 0;
    struct view in = {data + 2, (uint32_t)size - 2};
    enum decode_form form = data[0] % 2 == 0 ? DECODE_JSON : DECODE_TEXT;
    uint32_t piece = 1 + data[0] / 2, room = DECODE_UNIT_BYTES + data[1];
    decode(&whole, form, in, IN_MOST, OUT_MOST);
    decode(&sliced, form, in, piece, room);
    CHECK(whole.got == sliced.got && whole.taken == sliced.taken);
    CHECK(whole.len == sliced.len);
    CHECK(memcmp(whole.bytes, sliced.bytes, whole.len) == 0);
    CHECK(is_utf8((struct view){whole.bytes, whole.len}));
    if (form == DECODE_JSON && whole.len < IN_MOST) {
        decode(&sliced, form, (struct view){whole.bytes, whole.len}, IN_MOST,
               OUT_MOST);
        CHECK(sliced.got == DECODE_MORE && sliced.taken == whole.len);
        CHECK(sliced.len <= whole.len);  /* a surrogate may still wait */
        CHECK(memcmp(whole.bytes, sliced.bytes, sliced.len) == 0);
        CHECK(whole.len - sliced.len <= 6);
    }
    return 0;
}
