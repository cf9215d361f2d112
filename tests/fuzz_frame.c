/* fuzz_frame.c - any bytes as a reply of FilterLogEvents.
 *
 * The first two bytes choose slices, ring and room; the rest is the reply.
 * What is told must be the same as when it comes whole, within the limits,
 * and it must come to an end. */
#include <stdlib.h>

#include "fetch/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IN_MOST = 1 << 16, ROOM_MOST = 1 << 19, RING_BYTES = 1 << 16 };

static uint64_t mix(uint64_t seen, const void *bytes, uint32_t len)
{
    const uint8_t *at = bytes;
    for (uint32_t i = 0; i < len; i++)
        seen = (seen ^ at[i]) * 1099511628211u;
    return (seen ^ len) * 1099511628211u;
}

/* What is told of the end: the kind, and of a fault not where it was. */
static uint64_t mix_end(uint64_t seen, const struct frame *f,
                        enum frame_got got)
{
    CHECK(f->next_token.len <= CFG_TOKEN_BYTES);
    if (got == FRAME_END)
        return mix(seen, f->next_token.at, f->next_token.len);
    return mix(seen, f->fault.what, (uint32_t)strlen(f->fault.what));
}

static uint64_t read_all(struct view in, uint32_t piece, uint32_t ring_bytes,
                         uint32_t room)
{
    static struct frame f;
    uint8_t *bytes = malloc(ring_bytes), *message = malloc(room);
    uint64_t seen = 14695981039346656037u;
    struct ring r;
    ring_init(&r, bytes, ring_bytes);
    frame_init(&f, DECODE_JSON);
    for (uint64_t turn = 0; ; turn++) {
        struct span out = {message, room};
        enum frame_got got = frame_step(&f, &r, out);
        CHECK(turn < 1u << 20);
        CHECK(f.message_len <= room);
        if (got == FRAME_END || got == FRAME_BAD) {
            seen = mix_end(seen, &f, got);
            break;
        }
        if (got == FRAME_MORE) {
            uint32_t len = piece < in.len ? piece : in.len;
            in = view_slice(in, ring_write(&r, view_slice(in, 0, len)),
                            in.len);
            if (in.len == 0)
                ring_end(&r);
            continue;
        }
        if (got == FRAME_ROOM) {
            CHECK(room - f.message_len < DECODE_UNIT_BYTES);
            /* Long messages are not compared: pieces differ. */
            f.message_len = 0;
            continue;
        }
        CHECK(f.event.stream.len <= CFG_STREAM_BYTES);
        CHECK(f.event.id.len <= FRAME_ID_BYTES);
        seen = mix(seen, &f.event.timestamp_ms, 8);
        seen = mix(seen, &f.event.ingestion_ms, 8);
        seen = mix(seen, f.event.stream.at, f.event.stream.len);
        seen = mix(seen, f.event.id.at, f.event.id.len);
        if (room == ROOM_MOST)
            seen = mix(seen, message, f.message_len);
    }
    free(bytes);
    free(message);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > IN_MOST)
        return 0;
    struct view in = {data + 2, (uint32_t)size - 2};
    uint32_t piece = 1 + data[0], ring = 1u << data[1] % 8;
    CHECK(read_all(in, piece, ring, ROOM_MOST) ==
          read_all(in, IN_MOST, RING_BYTES, ROOM_MOST));
    (void)read_all(in, piece, ring, DECODE_UNIT_BYTES + data[1]);
    return 0;
}
