/* decode.c - any bytes as the inside of a JSON string, in any two slices, into
 * little room. */
#include "fetch/decode.h"

static void decode(enum decode_form form, struct view in)
{
    uint8_t room[2 * DECODE_UNIT_BYTES];
    struct decode d;
    uint32_t taken, made;

    decode_init(&d, form);
    for (int turn = 0; turn < 16; turn++) {
        struct span out = {room, turn % 2 == 0 ? DECODE_UNIT_BYTES
                                               : sizeof room};
        enum decode_got got = decode_step(&d, in, &taken, out, &made);
        in = view_slice(in, taken, in.len);
        if (got != DECODE_ROOM)
            break;
    }
}

static void take(const uint8_t *at, uint32_t len)
{
    decode(DECODE_JSON, (struct view){at, len});
    decode(DECODE_TEXT, (struct view){at, len});
}

void eva_decode(void)
{
    eva_any(2, take);
    eva_holes("plain as a word \\ud83d\\ude00\"", 1, take);
}
