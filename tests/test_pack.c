/* test_pack.c - what is packed can be unpacked, by others too, and is the same
 * whatever was packed before and wherever slots begin.
 * Method: blocks of several kinds and lengths through chains with a slot begun
 * at many places; back again by ISA-L and zstd, here, and by zcat, zstd and
 * Python, where they are installed. */
#include <stdlib.h>
#include <unistd.h>

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include "base/chance.h"
#include "pack/pack.h"
#include "row.h"

enum { SLOTS = 3 * PACK_SLOTS, SOME_BLOCKS = 6 };

static struct pack pack;
static uint8_t slot_bytes[SLOTS * CFG_SLOT_BYTES];
static uint16_t slot_next[SLOTS];
static struct arena arena;
static struct chain chain;

enum kind { KIND_LINES, KIND_NOISE, KIND_ZEROS, KIND_MIXED, KIND_COUNT };

static void fill(uint8_t *at, uint32_t len, enum kind kind, uint64_t seed)
{
    static const char *const words[] = {
        "{\"timestamp\":\"2026-11-09T00:00:00.", "GET /index.html ", "200 ",
        "\"message\":\"", "error ", "connection closed\"}\n", "10.0.0.",
    };
    struct chance c;
    uint32_t made = 0;
    chance_init(&c, seed);
    while (made < len) {
        uint64_t r = chance_next(&c);
        const char *word = words[r % ROW_COUNT(words)];
        uint32_t left = len - made, use = (uint32_t)strlen(word);
        bool noise = kind == KIND_NOISE ||
                     (kind == KIND_MIXED && made / 5000 % 2 == 0);
        if (kind == KIND_ZEROS)
            r = 0;
        if (noise || kind == KIND_ZEROS) {
            word = (const char *)&r;
            use = sizeof r;
        }
        use = use < left ? use : left;
        memcpy(at + made, word, use);
        made += use;
    }
}

static void begin(enum pack_kind kind)
{
    arena_init(&arena, (struct span){slot_bytes, sizeof slot_bytes},
               slot_next, CFG_SLOT_BYTES);
    chain_init(&chain);
    pack_init(&pack, kind);
}

static void put(const void *bytes, uint32_t len)
{
    for (uint32_t done = 0; done < len;) {
        struct span room = chain_reserve(&arena, &chain, true);
        uint32_t use = len - done < room.len ? len - done : room.len;
        memcpy(room.at, (const uint8_t *)bytes + done, use);
        chain_commit(&arena, &chain, use);
        done += use;
    }
}

/* Takes the first `len` bytes of the chain. */
static void take(uint8_t *to, uint32_t len)
{
    while (len > 0) {
        struct view v = chain_peek(&arena, &chain);
        uint32_t use = v.len < len ? v.len : len;
        CHECK(use > 0);
        if (to != NULL) {
            memcpy(to, v.at, use);
            to += use;
        }
        chain_consume(&arena, &chain, use);
        len -= use;
    }
}

/* Packs, `offset` bytes being in the first slot already. */
static uint32_t pack_at(uint32_t offset, struct view raw, uint8_t *out)
{
    static const uint8_t zeros[CFG_SLOT_BYTES];
    put(zeros, offset);
    take(NULL, offset);  /* a slot read to its end is free again */
    chain_clear(&arena, &chain);
    put(zeros, offset);
    uint32_t free_before = arena.free_count;
    uint32_t len = pack_block(&pack, raw, &arena, &chain);
    CHECK(free_before - arena.free_count <= PACK_SLOTS);
    CHECK(chain.bytes == offset + len && len <= LIMIT_PACKED_BYTES);
    take(NULL, offset);
    take(out, len);
    chain_clear(&arena, &chain);
    CHECK(arena.free_count == SLOTS);
    return len;
}

static const char *const kind_name[] = {"gzip", "zstd", "none"};

static void slots_and_what_came_before_do_not_matter(void **state)
{
    static uint8_t raw[CFG_BLOCK_BYTES], other[CFG_BLOCK_BYTES];
    static uint8_t first[LIMIT_PACKED_BYTES], again[LIMIT_PACKED_BYTES];
    int failures = 0;
    (void)state;
    for (enum pack_kind p = PACK_GZIP; p <= PACK_NONE; p++)
        for (enum kind k = KIND_LINES; k < KIND_COUNT; k++) {
            uint32_t lens[] = {1, 100, 5000, CFG_BLOCK_BYTES - 1,
                               CFG_BLOCK_BYTES};
            for (size_t i = 0; i < ROW_COUNT(lens); i++) {
                struct view v = {raw, lens[i]};
                begin(p);
                fill(raw, lens[i], k, 1);
                uint32_t len = pack_at(0, v, first);
                fill(other, sizeof other, KIND_MIXED, len);
                (void)pack_at(9, (struct view){other, sizeof other}, again);
                for (uint32_t n = 0; n < 40; n++) {
                    /* The slot ends just where something of ours does. */
                    uint32_t offset = n < 8 ? CFG_SLOT_BYTES - 1 - n
                                            : CFG_SLOT_BYTES -
                                                  (len + n - 20) %
                                                      CFG_SLOT_BYTES;
                    uint32_t got = pack_at(offset % CFG_SLOT_BYTES, v,
                                           again);
                    failures += BROKEN(kind_name[p],
                                       got == len &&
                                           memcmp(first, again, len) == 0);
                }
            }
        }
    assert_int_equal(failures, 0);
}

/* SOME_BLOCKS blocks as one object: its bytes, and what they were. */
struct object {
    uint32_t len, raw_len;
    uint8_t  bytes[SOME_BLOCKS * LIMIT_PACKED_BYTES + 64];
    uint8_t  raw[SOME_BLOCKS * CFG_BLOCK_BYTES];
    uint32_t block_at[SOME_BLOCKS + 1];
};

static void make_object(struct object *o, enum pack_kind p, uint32_t blocks)
{
    uint32_t crc = 0;
    begin(p);
    o->len = pack_header(p, o->bytes);
    o->raw_len = 0;
    for (uint32_t i = 0; i < blocks; i++) {
        uint32_t len = i == 1 ? 77 : CFG_BLOCK_BYTES - 1000 * i;
        struct view raw = {o->raw + o->raw_len, len};
        fill(o->raw + o->raw_len, len, (enum kind)(i % KIND_COUNT), i);
        crc = pack_crc(crc, raw);
        o->block_at[i] = o->len;
        uint32_t packed = pack_block(&pack, raw, &arena, &chain);
        take(o->bytes + o->len, packed);
        o->len += packed;
        o->raw_len += len;
    }
    o->block_at[blocks] = o->len;
    if (blocks == 0)
        o->len += pack_empty(&pack, o->bytes + o->len);
    o->len += pack_trailer(p, crc, o->raw_len, o->bytes + o->len);
}

/* Whether the command, given the object, prints what it was. */
static bool read_by(const char *command, const struct object *o)
{
    static uint8_t got[sizeof o->raw + 1];
    char path[] = "/tmp/firn-pack-XXXXXX", line[512];
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, o->bytes, o->len) == (ssize_t)o->len);
    (void)close(fd);
    (void)snprintf(line, sizeof line, "%s < %s", command, path);
    FILE *pipe = popen(line, "r");
    CHECK(pipe != NULL);
    size_t len = fread(got, 1, sizeof got, pipe);
    bool good = pclose(pipe) == 0 && len == o->raw_len &&
                memcmp(got, o->raw, len) == 0;
    (void)unlink(path);
    return good;
}

static bool installed(const char *program)
{
    char line[128];
    (void)snprintf(line, sizeof line, "command -v %s > /dev/null", program);
    return system(line) == 0;
}

static void others_read_it(void **state)
{
    static struct object o;
    static const struct {
        const char *program, *command;
        enum pack_kind kind;
    } readers[] = {
        {"zcat", "zcat", PACK_GZIP},
        {"python3", "python3 -c 'import gzip,sys;sys.stdout.buffer.write("
                    "gzip.decompress(sys.stdin.buffer.read()))'", PACK_GZIP},
        {"zstd", "zstd -dc", PACK_ZSTD},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(readers); i++)
        for (uint32_t blocks = 0; blocks <= SOME_BLOCKS; blocks += 3) {
            if (!installed(readers[i].program))
                continue;
            make_object(&o, readers[i].kind, blocks);
            failures += BROKEN(readers[i].program,
                               read_by(readers[i].command, &o));
        }
    assert_int_equal(failures, 0);
}

/* As issue and receipt have it: each block can be read by itself. */
static void each_block_stands_alone(void **state)
{
    static struct object o;
    static uint8_t out[CFG_BLOCK_BYTES + 1];
    static struct inflate_state z;
    int failures = 0;
    (void)state;
    make_object(&o, PACK_GZIP, SOME_BLOCKS);
    for (uint32_t i = 0, at = 0; i < SOME_BLOCKS; i++) {
        isal_inflate_init(&z);
        z.next_in = o.bytes + o.block_at[i];
        z.avail_in = o.block_at[i + 1] - o.block_at[i];
        z.next_out = out;
        z.avail_out = sizeof out;
        failures += BROKEN("inflates", isal_inflate(&z) == ISAL_DECOMP_OK);
        uint32_t len = (uint32_t)sizeof out - z.avail_out;
        failures += BROKEN("to the same", memcmp(out, o.raw + at, len) == 0);
        /* RFC 1951: the flush is an empty stored block, on a byte's edge. */
        failures += BROKEN("flushed",
                           memcmp(o.bytes + o.block_at[i + 1] - 4,
                                  "\0\0\xff\xff", 4) == 0);
        at += len;
        failures += BROKEN("to its end", i < SOME_BLOCKS - 1 ||
                                             at == o.raw_len);
    }
    make_object(&o, PACK_ZSTD, SOME_BLOCKS);
    for (uint32_t i = 0; i < SOME_BLOCKS; i++) {
        size_t packed = o.block_at[i + 1] - o.block_at[i];
        size_t len = ZSTD_decompress(out, sizeof out,
                                     o.bytes + o.block_at[i], packed);
        failures += BROKEN("a frame", !ZSTD_isError(len) && len > 0);
        failures += BROKEN("with its window",
                           ZSTD_getFrameContentSize(o.bytes + o.block_at[i],
                                                    packed) == len);
    }
    assert_int_equal(failures, 0);
}

static void nothing_is_a_valid_object(void **state)
{
    static struct object o;
    (void)state;
    make_object(&o, PACK_GZIP, 0);
    assert_int_equal(o.len, PACK_HEADER_BYTES + PACK_TRAILER_BYTES);
    assert_int_equal(o.raw_len, 0);
    make_object(&o, PACK_ZSTD, 0);
    assert_true(o.len > 0 && o.len <= PACK_EMPTY_BYTES);
    assert_int_equal(ZSTD_getFrameContentSize(o.bytes, o.len), 0);
    make_object(&o, PACK_NONE, 0);
    assert_int_equal(o.len, 0);
}

static void what_cannot_shrink_fits(void **state)
{
    static uint8_t raw[CFG_BLOCK_BYTES], out[LIMIT_PACKED_BYTES];
    (void)state;
    for (enum pack_kind p = PACK_GZIP; p <= PACK_NONE; p++) {
        begin(p);
        for (uint32_t len = 1; len <= CFG_BLOCK_BYTES; len = len * 5 / 4 + 1) {
            fill(raw, len, KIND_NOISE, len);
            assert_true(pack_at(CFG_SLOT_BYTES - 1, (struct view){raw, len},
                                out) <= LIMIT_PACKED_BYTES);
        }
    }
    assert_true(ZSTD_compressBound(CFG_BLOCK_BYTES) <= LIMIT_PACKED_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_and_what_came_before_do_not_matter),
        cmocka_unit_test(others_read_it),
        cmocka_unit_test(each_block_stands_alone),
        cmocka_unit_test(nothing_is_a_valid_object),
        cmocka_unit_test(what_cannot_shrink_fits),
    };
    return RUN(tests);
}
