/* packed.c - see packed.h. */
#define ZSTD_STATIC_LINKING_ONLY
#include "packed.h"

#include <stdio.h>

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include "base/chance.h"

struct view packed_view(const struct packed *f)
{
    return (struct view){f->at, f->len};
}

void packed_put(struct packed *f, const void *bytes, uint32_t len)
{
    CHECK(len <= PACKED_BYTES - f->len);
    memcpy(f->at + f->len, bytes, len);
    f->len += len;
}

void packed_number(struct packed *f, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        packed_put(f, &(uint8_t){(uint8_t)(value >> (8 * i))}, 1);
}

static void put_string(struct packed *f, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        packed_put(f, i == 0 ? ".." : "/", 1);
    packed_put(f, "", 1);
}

void packed_header(struct packed *f, uint8_t flags, uint32_t field_len)
{
    uint32_t from = f->len;

    packed_put(f, (uint8_t[]){0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 255}, 10);
    if ((flags & 4) != 0) {
        packed_number(f, field_len, 2);
        for (uint32_t i = 0; i < field_len; i++)
            packed_number(f, i, 1);
    }
    if ((flags & 8) != 0)
        put_string(f, field_len);
    if ((flags & 16) != 0)
        put_string(f, field_len);
    if ((flags & 2) != 0)
        packed_number(f, crc32_gzip_refl(0, f->at + from, f->len - from), 2);
}

void packed_trailer(struct packed *f, struct view data)
{
    packed_number(f, crc32_gzip_refl(0, data.at, data.len), 4);
    packed_number(f, data.len, 4);
}

void packed_stored(struct packed *f, uint8_t flags, uint32_t field_len,
                   const char *data)
{
    struct view v = view_of(data);

    packed_header(f, flags, field_len);
    packed_number(f, 1, 1);
    packed_number(f, v.len, 2);
    packed_number(f, ~v.len, 2);
    packed_put(f, v.at, v.len);
    packed_trailer(f, v);
}

void packed_deflate(struct packed *f, struct view data, bool last)
{
    static struct isal_zstream stream;
    static uint8_t level[ISAL_DEF_LVL1_DEFAULT];

    memset(&stream, 0, sizeof stream);
    memset(level, 0, sizeof level);  /* the same bytes each time */
    isal_deflate_init(&stream);
    stream.level = 1;
    stream.level_buf = level;
    stream.level_buf_size = sizeof level;
    stream.flush = FULL_FLUSH;
    stream.end_of_stream = last;
    stream.next_in = (uint8_t *)(uintptr_t)data.at;
    stream.avail_in = data.len;
    stream.next_out = f->at + f->len;
    stream.avail_out = PACKED_BYTES - f->len;
    CHECK(isal_deflate(&stream) == COMP_OK);
    CHECK(stream.avail_in == 0);
    f->len = PACKED_BYTES - stream.avail_out;
}

void packed_frame(struct packed *f, struct view data, int window_log,
                  bool checksum)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_outBuffer out = {f->at, PACKED_BYTES, f->len};
    ZSTD_inBuffer in = {data.at, data.len, 0};

    ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, checksum);
    CHECK(ZSTD_compressStream2(c, &out, &in, ZSTD_e_end) == 0);
    f->len = (uint32_t)out.pos;
    ZSTD_freeCCtx(c);
}

void packed_lines(struct packed *f, uint32_t bytes, uint64_t seed)
{
    struct chance c;

    chance_init(&c, seed);
    f->len = 0;
    while (f->len < bytes) {
        char line[128];
        int len = snprintf(line, sizeof line, "2026-11-09T00:00:%02u.%03uZ "
                           "GET /%llx 200 %u\n",
                           (unsigned)chance_below(&c, 60),
                           (unsigned)chance_below(&c, 1000),
                           (unsigned long long)chance_next(&c),
                           (unsigned)chance_below(&c, 3));
        packed_put(f, line, (uint32_t)len);
    }
}
