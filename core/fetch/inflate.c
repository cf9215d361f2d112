/* inflate.c - see inflate.h. */
#define ZSTD_STATIC_LINKING_ONLY
#include "fetch/inflate.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>

_Static_assert(sizeof(struct inflate_state) <= INFLATE_WORKSPACE_BYTES,
               "one workspace serves both decoders");

enum { MAGIC_BYTES = 4, TRAILER_BYTES = 8 };

/* What the first bytes of a member say. */
enum magic { MAGIC_NONE, MAGIC_PART, MAGIC_GZIP, MAGIC_ZSTD, MAGIC_SKIP };

static uint32_t little_endian(const uint8_t *at, uint32_t bytes)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < bytes; i++)
        value |= (uint32_t)at[i] << (8 * i);
    return value;
}

static enum flow enter(struct inflate *z, enum inflating next)
{
    CHECK(z->state != INFLATE_FAILED);
    z->state = next;
    return next == INFLATE_FAILED ? FLOW_FAILED : FLOW_MOVED;
}

/* The words go with the fault: if another was first, they are dropped. */
static enum flow fail(struct inflate *z, struct fault fault,
                      const struct text *words)
{
    fault_words(&fault, text_view(words));
    fault_adopt(z->stage.fault, &fault);
    return enter(z, INFLATE_FAILED);
}

static enum flow corrupt_at(struct inflate *z, const char *what,
                            uint64_t offset)
{
    char words[96];
    struct text t;

    text_init(&t, words, sizeof words);
    text_str(&t, "at byte ");
    text_u64(&t, offset);
    if (z->form == INFLATE_GZIP || z->form == INFLATE_ZSTD) {
        text_str(&t, ", in the member that begins at byte ");
        text_u64(&t, z->member_offset);
    }
    return fail(z, (struct fault){.error = ERROR_CORRUPT, .what = what,
                                  .detail = (int64_t)offset}, &t);
}

static enum flow corrupt(struct inflate *z, const char *what)
{
    return corrupt_at(z, what, z->offset);
}

static void take(struct inflate *z, struct ring *in, uint32_t len)
{
    ring_consume(in, len);
    z->offset += len;
}

static void give(struct inflate *z, struct ring *out, uint32_t len)
{
    ring_commit(out, len);
    z->raw_bytes += len;
}

/* No input: none yet, or the data ends where it must not. */
static enum flow starve(struct inflate *z, const struct ring *in)
{
    if (!ring_drained(in))
        return FLOW_WANT_INPUT;
    return corrupt(z, "the data is cut short");
}

/* Collects a small field across slices; true once `need` bytes are held. */
static bool gather(struct inflate *z, struct ring *in, uint32_t need)
{
    CHECK(need <= sizeof z->held);
    while (z->held_len < need) {
        struct view src = ring_peek(in);
        uint32_t lacks = need - z->held_len;
        uint32_t len = src.len < lacks ? src.len : lacks;
        if (len == 0)
            return false;
        memcpy(z->held + z->held_len, src.at, len);
        z->held_len += len;
        take(z, in, len);
    }
    return true;
}

/* What was held to tell the magic comes first, once more. */
static struct view next_input(const struct inflate *z, const struct ring *in)
{
    if (z->held_at < z->held_len)
        return (struct view){z->held + z->held_at, z->held_len - z->held_at};
    return ring_peek(in);
}

static void take_input(struct inflate *z, struct ring *in, uint32_t len)
{
    if (z->held_at < z->held_len)
        z->held_at += len;
    else
        take(z, in, len);
}

/* ---- between members ---- */

static enum flow next_member(struct inflate *z)
{
    z->members++;
    z->held_len = 0;
    z->held_at = 0;
    z->member_offset = z->offset;
    return enter(z, INFLATE_MAGIC);
}

static bool begins(const struct inflate *z, const uint8_t *magic, uint32_t len)
{
    uint32_t n = z->held_len < len ? z->held_len : len;
    return memcmp(z->held, magic, n) == 0;
}

static enum magic magic_of(const struct inflate *z)
{
    static const uint8_t gzip[] = {0x1f, 0x8b};
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    uint8_t skip[] = {z->held[0], 0x2a, 0x4d, 0x18};  /* 0x50 to 0x5f */

    if (z->held_len == 0)
        return MAGIC_PART;
    if (begins(z, gzip, 2))
        return z->held_len < 2 ? MAGIC_PART : MAGIC_GZIP;
    if (begins(z, zstd, 4))
        return z->held_len < MAGIC_BYTES ? MAGIC_PART : MAGIC_ZSTD;
    if ((z->held[0] & 0xf0) == 0x50 && begins(z, skip, 4))
        return z->held_len < MAGIC_BYTES ? MAGIC_PART : MAGIC_SKIP;
    return MAGIC_NONE;
}

/* Not a member: the first bytes of plain data, or some behind the last. */
static enum flow on_no_magic(struct inflate *z)
{
    if (z->members > 0) {
        z->trailing = true;
        z->trailing_offset = z->member_offset;
        z->trailing_zeros = true;
        for (uint32_t i = 0; i < z->held_len; i++)
            z->trailing_zeros &= z->held[i] == 0;
        return enter(z, INFLATE_TRAILING);
    }
    if (z->expected != INFLATE_ANY)
        return corrupt_at(z, z->expected == INFLATE_GZIP
                          ? "this is not gzip" : "this is not zstd", 0);
    z->form = INFLATE_PLAIN;
    return enter(z, INFLATE_COPY);
}

/* The data ends where a member might have begun. */
static enum flow on_end(struct inflate *z)
{
    if (z->held_len == 0 && z->members > 0)
        return enter(z, INFLATE_DONE);
    if (z->members > 0)
        return corrupt(z, "the data is cut short");
    return on_no_magic(z);
}

static enum flow on_member(struct inflate *z, enum inflate_form form,
                           enum inflating next)
{
    if (z->members == 0 && z->expected != INFLATE_ANY && z->expected != form)
        return on_no_magic(z);
    z->form = form;
    return enter(z, next);
}

static enum flow on_magic(struct inflate *z, struct ring *in)
{
    enum magic magic = magic_of(z);

    while (magic == MAGIC_PART) {  /* at most four times */
        if (!gather(z, in, z->held_len + 1))
            return ring_drained(in) ? on_end(z) : FLOW_WANT_INPUT;
        magic = magic_of(z);
    }
    switch (magic) {
    case MAGIC_GZIP:
        member_init(&z->member);
        return on_member(z, INFLATE_GZIP, INFLATE_HEADER);
    case MAGIC_ZSTD:
        return on_member(z, INFLATE_ZSTD, INFLATE_FRAME_HEADER);
    case MAGIC_SKIP:
        z->held_len = 0;
        return on_member(z, INFLATE_ZSTD, INFLATE_SKIP_LENGTH);
    case MAGIC_NONE:
        break;
    case MAGIC_PART: CHECK(false);
    }
    return on_no_magic(z);
}

/* ---- gzip ---- */

static enum flow begin_deflate(struct inflate *z)
{
    isal_inflate_init((struct inflate_state *)(void *)z->workspace->bytes);
    z->crc = 0;
    z->length = 0;
    z->more = false;
    return enter(z, INFLATE_DEFLATE);
}

static enum flow on_header(struct inflate *z, struct ring *in)
{
    struct view src = next_input(z, in);
    uint32_t taken = 0;
    enum member_got got = member_step(&z->member, src, &taken);

    if (src.len == 0)
        return starve(z, in);
    take_input(z, in, taken);
    if (got == MEMBER_BAD)
        return corrupt(z, z->member.what);
    return got == MEMBER_END ? begin_deflate(z) : FLOW_MOVED;
}

/* The decoder reads up to eight bytes ahead: they begin the trailer. */
static enum flow end_deflate(struct inflate *z, const struct inflate_state *s)
{
    uint64_t bits = s->read_in >> (s->read_in_length & 7);

    z->held_len = (uint32_t)s->read_in_length / 8;
    CHECK(z->held_len <= TRAILER_BYTES);
    for (uint32_t i = 0; i < z->held_len; i++)
        z->held[i] = (uint8_t)(bits >> (8 * i));
    return enter(z, INFLATE_TRAILER);
}

static enum flow damaged(struct inflate *z, const struct inflate_state *s)
{
    uint64_t ahead = s->read_in_length > 0 ? (uint32_t)s->read_in_length / 8
                                           : 0;
    return corrupt_at(z, "the deflate data is damaged", z->offset - ahead);
}

static enum flow on_deflate(struct inflate *z, struct ring *in,
                            struct ring *out)
{
    struct inflate_state *s = (void *)z->workspace->bytes;
    struct view src = ring_peek(in);
    struct span dst = ring_reserve(out);

    if (dst.len == 0)
        return FLOW_WANT_ROOM;
    if (src.len == 0 && !z->more) {
        if (z->middle && ring_drained(in))
            return enter(z, INFLATE_DONE);
        return starve(z, in);
    }
    s->next_in = (uint8_t *)(uintptr_t)src.at;  /* it only reads */
    s->avail_in = src.len;
    s->next_out = dst.at;
    s->avail_out = dst.len;
    int result = isal_inflate(s);

    /* By the pointers: on damage ISA-L's counts may be off by its slack. */
    uint32_t taken = (uint32_t)(s->next_in - src.at);
    uint32_t made = (uint32_t)(s->next_out - dst.at);
    CHECK(taken <= src.len && made <= dst.len);
    z->crc = crc32_gzip_refl(z->crc, dst.at, made);
    z->length += made;
    z->more = made == dst.len;
    take(z, in, taken);
    give(z, out, made);
    if (result != ISAL_DECOMP_OK)
        return damaged(z, s);
    if (s->block_state == ISAL_BLOCK_FINISH)
        return end_deflate(z, s);
    return FLOW_MOVED;
}

static enum flow on_trailer(struct inflate *z, struct ring *in)
{
    if (!gather(z, in, TRAILER_BYTES))
        return starve(z, in);
    if (!z->middle && little_endian(z->held, 4) != z->crc)
        return corrupt(z, "the CRC-32 of a gzip member is wrong");
    if (!z->middle && little_endian(z->held + 4, 4) != z->length)
        return corrupt(z, "the length of a gzip member is wrong");
    z->middle = false;
    return next_member(z);
}

/* ---- zstd ---- */

/* A frame that we could read, were we built with a larger window. */
static enum flow refuse_window(struct inflate *z, uint64_t bytes)
{
    char words[96];
    struct text t;
    uint32_t log = CFG_ZSTD_WINDOW_LOG;

    while (log < ZSTD_WINDOWLOG_MAX && bytes > 1ull << log)
        log++;
    text_init(&t, words, sizeof words);
    text_str(&t, "its window is ");
    text_u64(&t, bytes);
    text_str(&t, " bytes: build with CFG_ZSTD_WINDOW_LOG=");
    text_u64(&t, log);
    return fail(z, (struct fault){
        .error = ERROR_LIMIT,
        .what = "a zstd frame needs more memory than CFG_ZSTD_WINDOW_LOG "
                "gives",
        .detail = INFLATE_WINDOW_BYTES,
    }, &t);
}

static enum flow refuse_dictionary(struct inflate *z, uint32_t id)
{
    fault_set(z->stage.fault, ERROR_CONFIG, "a zstd frame needs a dictionary",
              id);
    return enter(z, INFLATE_FAILED);
}

static enum flow begin_frame(struct inflate *z)
{
    ZSTD_DCtx *d = ZSTD_initStaticDCtx(z->workspace->bytes,
                                       sizeof z->workspace->bytes);
    CHECK((void *)d == (void *)z->workspace->bytes);
    size_t set = ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax,
                                        CFG_ZSTD_WINDOW_LOG);
    CHECK(!ZSTD_isError(set));
    z->more = false;
    return enter(z, INFLATE_FRAME);
}

static enum flow on_frame_header(struct inflate *z, struct ring *in)
{
    ZSTD_frameHeader header;
    size_t need = ZSTD_getFrameHeader(&header, z->held, z->held_len);

    if (ZSTD_isError(need))
        return corrupt(z, "a zstd header is damaged");
    if (need > 0)
        return gather(z, in, (uint32_t)need) ? FLOW_MOVED : starve(z, in);
    if (header.windowSize > INFLATE_WINDOW_BYTES)
        return refuse_window(z, header.windowSize);
    if (header.dictID != 0)
        return refuse_dictionary(z, header.dictID);
    return begin_frame(z);
}

static enum flow on_frame(struct inflate *z, struct ring *in,
                          struct ring *out)
{
    ZSTD_DCtx *d = (void *)z->workspace->bytes;
    struct view src = next_input(z, in);
    struct span dst = ring_reserve(out);

    if (dst.len == 0)
        return FLOW_WANT_ROOM;
    if (src.len == 0 && !z->more)
        return starve(z, in);
    ZSTD_inBuffer from = {src.at, src.len, 0};
    ZSTD_outBuffer to = {dst.at, dst.len, 0};
    size_t result = ZSTD_decompressStream(d, &to, &from);

    z->more = to.pos == to.size;
    take_input(z, in, (uint32_t)from.pos);
    give(z, out, (uint32_t)to.pos);
    if (ZSTD_isError(result))
        return corrupt(z, "the zstd data is damaged");
    return result == 0 ? next_member(z) : FLOW_MOVED;
}

static enum flow on_skip_length(struct inflate *z, struct ring *in)
{
    if (!gather(z, in, 4))
        return starve(z, in);
    z->skip = little_endian(z->held, 4);
    return enter(z, INFLATE_SKIP);
}

static enum flow on_skip(struct inflate *z, struct ring *in)
{
    struct view src = ring_peek(in);
    uint32_t len = src.len < z->skip ? src.len : z->skip;

    if (z->skip == 0)
        return next_member(z);
    if (len == 0)
        return starve(z, in);
    z->skip -= len;
    take(z, in, len);
    return FLOW_MOVED;
}

/* ---- plain, and what is behind the last member ---- */

static enum flow on_copy(struct inflate *z, struct ring *in, struct ring *out)
{
    struct view src = next_input(z, in);
    struct span dst = ring_reserve(out);
    uint32_t len = src.len < dst.len ? src.len : dst.len;

    if (src.len == 0)
        return ring_drained(in) ? enter(z, INFLATE_DONE) : FLOW_WANT_INPUT;
    if (len == 0)
        return FLOW_WANT_ROOM;
    memcpy(dst.at, src.at, len);
    take_input(z, in, len);
    give(z, out, len);
    return FLOW_MOVED;
}

static enum flow on_trailing(struct inflate *z, struct ring *in)
{
    struct view src = ring_peek(in);

    if (src.len == 0)
        return ring_drained(in) ? enter(z, INFLATE_DONE) : FLOW_WANT_INPUT;
    for (uint32_t i = 0; i < src.len && z->trailing_zeros; i++)
        z->trailing_zeros = src.at[i] == 0;
    take(z, in, src.len);
    return FLOW_MOVED;
}

static enum flow step(struct stage *self, struct ring *in, struct ring *out,
                      struct now now)
{
    struct inflate *z = (struct inflate *)self;  /* its first member */

    (void)now;
    switch (z->state) {
    case INFLATE_MAGIC:        return on_magic(z, in);
    case INFLATE_HEADER:       return on_header(z, in);
    case INFLATE_DEFLATE:      return on_deflate(z, in, out);
    case INFLATE_TRAILER:      return on_trailer(z, in);
    case INFLATE_FRAME_HEADER: return on_frame_header(z, in);
    case INFLATE_FRAME:        return on_frame(z, in, out);
    case INFLATE_SKIP_LENGTH:  return on_skip_length(z, in);
    case INFLATE_SKIP:         return on_skip(z, in);
    case INFLATE_COPY:         return on_copy(z, in, out);
    case INFLATE_TRAILING:     return on_trailing(z, in);
    case INFLATE_DONE:
        if (!out->ended)
            ring_end(out);
        return FLOW_ENDED;
    case INFLATE_FAILED:       break;
    }
    return FLOW_FAILED;
}

void inflate_init(struct inflate *z, struct inflate_workspace *workspace,
                  enum inflate_form expected, struct fault *fault)
{
    *z = (struct inflate){
        .stage = {step, fault},
        .workspace = workspace,
        .expected = expected,
        .state = INFLATE_MAGIC,
    };
    if (expected == INFLATE_PLAIN) {
        z->form = INFLATE_PLAIN;
        z->state = INFLATE_COPY;
    }
}

void inflate_middle(struct inflate *z)
{
    CHECK(z->state == INFLATE_MAGIC && z->offset == 0);
    z->form = INFLATE_GZIP;
    z->middle = true;
    (void)begin_deflate(z);
}
