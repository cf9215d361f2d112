#include "pack/pack.h"

#include <string.h>

#include <isa-l/crc.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "base/check.h"

/* Tables much smaller than zstd would pick: within a block of ours they find
 * as much. A static context begins without the size in its frames. */
static void init_zstd(struct pack *p)
{
    static const struct setting {
        ZSTD_cParameter name;
        int             value;
    } settings[] = {
        {ZSTD_c_compressionLevel, CFG_ZSTD_LEVEL},
        {ZSTD_c_windowLog, CFG_ZSTD_WINDOW_LOG},
        {ZSTD_c_hashLog, 14},
        {ZSTD_c_chainLog, 13},
        {ZSTD_c_contentSizeFlag, 1},
        {ZSTD_c_checksumFlag, 1},
    };

    p->zstd = ZSTD_initStaticCCtx(p->work.context, sizeof p->work.context);
    CHECK(p->zstd != NULL);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        size_t code = ZSTD_CCtx_setParameter(p->zstd, settings[i].name,
                                             settings[i].value);
        CHECK(!ZSTD_isError(code));
    }
}

void pack_init(struct pack *p, enum pack_kind kind)
{
    p->kind = kind;
    p->zstd = NULL;
    if (kind == PACK_ZSTD)
        init_zstd(p);
}

static uint32_t append(struct arena *arena, struct chain *chain,
                       const void *bytes, uint32_t len)
{
    struct view v = {bytes, len};

    while (v.len > 0) {
        struct span room = chain_reserve(arena, chain, true);
        uint32_t some = v.len < room.len ? v.len : room.len;
        CHECK(some > 0);
        memcpy(room.at, v.at, some);
        chain_commit(arena, chain, some);
        v = view_slice(v, some, v.len);
    }
    return len;
}

/* In one call: were the output to end within the last bytes of the flush, the
 * next call would add another, and so slots would show in the bytes. */
static uint32_t deflate_block(struct pack *p, struct view raw)
{
    struct isal_zstream *z = &p->work.gzip.stream;

    isal_deflate_init(z);
    z->level = 1;
    z->level_buf = p->work.gzip.level;
    z->level_buf_size = sizeof p->work.gzip.level;
    z->flush = FULL_FLUSH;
    z->gzip_flag = IGZIP_DEFLATE;
    z->next_in = (uint8_t *)(uintptr_t)raw.at;
    z->avail_in = raw.len;
    z->next_out = p->out;
    z->avail_out = sizeof p->out;
    int code = isal_deflate(z);
    CHECK(code == COMP_OK);
    CHECK(z->avail_in == 0 && z->avail_out > 0);
    return z->total_out;
}

static uint32_t zstd_block(struct pack *p, struct view raw)
{
    size_t len = ZSTD_compress2(p->zstd, p->out, sizeof p->out, raw.at,
                                raw.len);

    CHECK(!ZSTD_isError(len));
    return (uint32_t)len;
}

uint32_t pack_block(struct pack *p, struct view raw, struct arena *arena,
                    struct chain *chain)
{
    CHECK(raw.len <= CFG_BLOCK_BYTES);
    switch (p->kind) {
    case PACK_GZIP:
        return append(arena, chain, p->out, deflate_block(p, raw));
    case PACK_ZSTD:
        return append(arena, chain, p->out, zstd_block(p, raw));
    case PACK_NONE:
        break;
    }
    return append(arena, chain, raw.at, raw.len);
}

uint32_t pack_empty(struct pack *p, uint8_t *at)
{
    if (p->kind != PACK_ZSTD)
        return 0;
    size_t len = ZSTD_compress2(p->zstd, p->out, sizeof p->out, at, 0);
    CHECK(!ZSTD_isError(len) && len <= PACK_EMPTY_BYTES);
    memcpy(at, p->out, len);
    return (uint32_t)len;
}

uint32_t pack_crc(uint32_t crc, struct view raw)
{
    return crc32_gzip_refl(crc, raw.at, raw.len);
}

/* RFC 1952 section 2.3: no name, no time, operating system unknown. */
uint32_t pack_header(enum pack_kind kind, uint8_t *at)
{
    static const uint8_t header[PACK_HEADER_BYTES] = {
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};

    if (kind != PACK_GZIP)
        return 0;
    memcpy(at, header, sizeof header);
    return sizeof header;
}

uint32_t pack_trailer(enum pack_kind kind, uint32_t crc, uint64_t raw_bytes,
                      uint8_t *at)
{
    if (kind != PACK_GZIP)
        return 0;
    at[0] = 3;  /* RFC 1951 section 3.2.3: last block, fixed codes, empty */
    at[1] = 0;
    for (uint32_t i = 0; i < 4; i++) {
        at[2 + i] = (uint8_t)(crc >> 8 * i);
        at[6 + i] = (uint8_t)(raw_bytes >> 8 * i);
    }
    return PACK_TRAILER_BYTES;
}
