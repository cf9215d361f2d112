/* test_inflate.c - compressed data comes back, or is refused; never less.
 * Method: members made here by hand and files made by the tools that people
 * use, each through every slicing of tests/law.c; a file of several members
 * cut at every byte and with every bit flipped. */
#define _POSIX_C_SOURCE 200809L
#define ZSTD_STATIC_LINKING_ONLY
#include "fetch/inflate.h"

#include <stdlib.h>
#include <unistd.h>

#include <isa-l/crc.h>
#include <zstd.h>

#include "law.h"
#include "packed.h"
#include "row.h"

struct subject {
    struct inflate           inflate;
    struct inflate_workspace workspace;
    enum inflate_form        expected;
    bool                     middle;
};

static struct subject subject;
static struct packed packed, raw;

static struct stage *begin(void *context, struct fault *fault)
{
    struct subject *s = context;

    memset(&s->workspace, 0xa5, sizeof s->workspace);
    inflate_init(&s->inflate, &s->workspace, s->expected, fault);
    if (s->middle)
        inflate_middle(&s->inflate);
    return &s->inflate.stage;
}

static struct law law_of(enum inflate_form expected)
{
    subject.expected = expected;
    subject.middle = false;
    return (struct law){begin, &subject};
}

/* ---- made here ---- */

static void test_header_fields(void **state)
{
    static const uint32_t lens[] = {0, 1, 300, 65535};
    struct law law = law_of(INFLATE_ANY);
    int failures = 0;

    (void)state;
    for (uint8_t flags = 0; flags < 32; flags++)
        for (size_t i = 0; i < ROW_COUNT(lens); i++) {
            char name[64];
            snprintf(name, sizeof name, "flags %u, fields of %u", flags,
                     lens[i]);
            if (i == 3 && flags != 31)
                continue;
            packed.len = 0;
            packed_stored(&packed, flags, lens[i], "one ");
            packed_stored(&packed, 31 - flags, lens[i], "two");
            failures += BROKEN(name, law_gives(&law, packed_view(&packed),
                                               view_of("one two")));
        }
    assert_int_equal(failures, 0);
}

static void test_many_members(void **state)
{
    struct law law = law_of(INFLATE_GZIP);

    (void)state;
    packed.len = raw.len = 0;
    for (int i = 0; i < 5000; i++) {
        packed_stored(&packed, 0, 0, i % 3 == 0 ? "" : "x");
        packed_put(&raw, "x", i % 3 == 0 ? 0 : 1);
    }
    assert_true(law_gives(&law, packed_view(&packed), packed_view(&raw)));
    assert_int_equal(subject.inflate.members, 5000);
}

static void test_plain(void **state)
{
    static const char *const rows[] = {
        "", "(", "(\xb5/", "P*M", "\x1f", "\x1f\x8c", "2026-11-09 text\n",
    };
    struct law any = law_of(INFLATE_ANY);
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        failures += BROKEN(rows[i], law_gives(&any, view_of(rows[i]),
                                              view_of(rows[i])));
        struct law gzip = law_of(INFLATE_GZIP);
        failures += BROKEN(rows[i], law_fails(&gzip, view_of(rows[i]),
                                              ERROR_CORRUPT));
        struct law plain = law_of(INFLATE_PLAIN);
        failures += BROKEN(rows[i], law_gives(&plain, view_of(rows[i]),
                                              view_of(rows[i])));
        any = law_of(INFLATE_ANY);
    }
    packed.len = 0;
    packed_stored(&packed, 0, 0, "data");
    struct law plain = law_of(INFLATE_PLAIN);
    failures += BROKEN("gzip passes as plain if that is wanted",
                       law_gives(&plain, packed_view(&packed),
                                 packed_view(&packed)));
    struct law zstd = law_of(INFLATE_ZSTD);
    failures += BROKEN("gzip is not zstd",
                       law_fails(&zstd, packed_view(&packed), ERROR_CORRUPT));
    assert_int_equal(failures, 0);
}

static void test_trailing(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        uint32_t len;
        bool zeros;
    } rows[] = {
        {"zeros", "\0\0\0\0\0\0\0", 7, true},
        {"one zero", "", 1, true},
        {"rubbish", "rubbish", 7, false},
        {"zeros, then a member", "\0\0\x1f\x8b\x08", 5, false},
        {"half a magic", "\x1f\x8c", 2, false},
    };
    struct law law = law_of(INFLATE_ANY);
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        packed.len = 0;
        packed_stored(&packed, 0, 0, "data");
        uint32_t end = packed.len;
        packed_put(&packed, rows[i].bytes, rows[i].len);
        bool holds =
            law_gives(&law, packed_view(&packed), view_of("data")) &&
            subject.inflate.trailing &&
            subject.inflate.trailing_zeros == rows[i].zeros &&
            row_number((int64_t)subject.inflate.trailing_offset, end);
        failures += BROKEN(rows[i].name, holds);
    }
    assert_int_equal(failures, 0);
}

/* Three members and a frame: all fields, empty, deflated, zstd. */
static void make_mixed(uint32_t ends[5])
{
    packed_lines(&raw, 900, 5);
    packed.len = 0;
    ends[0] = 0;
    packed_stored(&packed, 31, 5, "stored\n");
    ends[1] = packed.len;
    packed_stored(&packed, 0, 0, "");
    ends[2] = packed.len;
    packed_header(&packed, 8, 3);
    packed_deflate(&packed, packed_view(&raw), true);
    packed_trailer(&packed, packed_view(&raw));
    ends[3] = packed.len;
    packed_frame(&packed, packed_view(&raw), 10, true);
    ends[4] = packed.len;
}

static void test_every_prefix(void **state)
{
    static uint8_t bytes[LAW_OUT_BYTES];
    struct law_result r = {.bytes = bytes};
    struct law_slicing wide = {4096, 4096, 4096, 4096}, thin = {1, 2, 1, 1};
    uint32_t ends[5];
    int failures = 0;

    (void)state;
    make_mixed(ends);
    for (uint32_t len = 0; len <= packed.len; len++) {
        struct law law = law_of(INFLATE_GZIP);
        struct view in = view_slice(packed_view(&packed), 0, len);
        bool whole = false;
        char name[32];

        for (int i = 1; i <= 4; i++)
            whole |= len == ends[i];
        snprintf(name, sizeof name, "a prefix of %u", len);
        bool ran = law_run(&law, in, len % 2 == 0 ? wide : thin, &r);
        failures += BROKEN(name, ran && whole == (r.flow == FLOW_ENDED) &&
                           (whole || (r.fault.error == ERROR_CORRUPT &&
                                      r.fault.detail <= (int64_t)len)));
    }
    assert_int_equal(r.len, 7 + 2 * raw.len);
    assert_int_equal(failures, 0);
}

static void test_every_flip(void **state)
{
    static uint8_t bytes[LAW_OUT_BYTES], whole[LAW_OUT_BYTES];
    struct law law = law_of(INFLATE_ANY);
    struct law_result good = {.bytes = whole}, bad = {.bytes = bytes};
    struct law_slicing wide = {4096, 4096, 4096, 4096};
    uint32_t ends[5];
    int failures = 0;

    (void)state;
    make_mixed(ends);
    assert_true(law_run(&law, packed_view(&packed), wide, &good));
    for (uint32_t bit = 0; bit < 8 * packed.len; bit++) {
        char name[32];
        packed.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        snprintf(name, sizeof name, "bit %u flipped", bit);
        bool ran = law_run(&law, packed_view(&packed), wide, &bad);
        bool same = bad.len == good.len &&
                    memcmp(bad.bytes, good.bytes, bad.len) == 0;
        bool said = bad.flow == FLOW_FAILED || subject.inflate.trailing ||
                    subject.inflate.form == INFLATE_PLAIN;
        failures += BROKEN(name, ran && (same || said));
        packed.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(failures, 0);
}

static void test_damage_is_named(void **state)
{
    static const struct {
        const char *name;
        int32_t at;      /* from the end if below zero */
        uint8_t value;
        int64_t offset;  /* of the fault */
    } rows[] = {
        {"an unknown method", 2, 7, 3},
        {"reserved flags", 3, 0x40, 4},
        {"a wrong CRC", -8, 0, 23},
        {"a wrong length", -1, 9, 23},
        {"a block of type 3", 10, 7, 11},
    };
    struct law law = law_of(INFLATE_ANY);
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        uint8_t bytes[64];
        struct law_result r = {.bytes = bytes};
        struct law_slicing s = {64, 64, 64, 64};
        packed.len = 0;
        packed_stored(&packed, 0, 0, "");
        uint32_t at = rows[i].at < 0 ? packed.len - (uint32_t)-rows[i].at
                                     : (uint32_t)rows[i].at;
        packed.at[at] = rows[i].value ^ (rows[i].at == -8 ? 0xff : 0);
        bool holds = law_fails(&law, packed_view(&packed), ERROR_CORRUPT) &&
                     law_run(&law, packed_view(&packed), s, &r) &&
                     r.fault.detail <= rows[i].offset &&
                     strstr(r.fault.words, "in the member") != NULL;
        failures += BROKEN(rows[i].name, holds);
    }
    assert_int_equal(failures, 0);
}

/* Ends of members that are cut, and damage where nothing was read ahead. */
static void test_cut_short(void **state)
{
    static const struct {
        const char *name, *in;
        uint32_t    len;
    } rows[] = {
        {"a stored block that contradicts itself",
         "\x1f\x8b\x08\0\0\0\0\0\0\3\1\0\0\0\0", 15},
        {"a skippable frame, in its length", "\x50\x2a\x4d\x18\1\0", 6},
    };
    struct law law = law_of(INFLATE_ANY);
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        packed.len = 0;
        packed_put(&packed, rows[i].in, rows[i].len);
        failures += BROKEN(rows[i].name, law_fails(&law, packed_view(&packed),
                                                   ERROR_CORRUPT));
    }
    assert_int_equal(failures, 0);
}

/* Found by fuzz_inflate: on such damage ISA-L miscounts what it has read. */
static void test_found_by_fuzzing(void **state)
{
    static const uint8_t bytes[] = {
        0x1f, 0x8b, 0x08, 0x00, 0xdf, 0x01, 0x03, 0x6b, 0x02, 0xff, 0xab, 0x56,
        0x2a, 0xc9, 0xcc, 0x4d, 0x2d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d,
        0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d,
        0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d,
        0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d,
        0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d,
        0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d, 0x0d,
        0x0d, 0x0d, 0x2e, 0x49, 0xcc, 0x2d, 0x50, 0xb2, 0x52, 0x32, 0x32, 0x30,
        0x32, 0xd3, 0x35, 0x34, 0xd4, 0x35, 0xb0, 0x0c, 0x31, 0x30, 0xb0, 0x02,
        0x23, 0x3d, 0x43, 0x23, 0xe3, 0x28, 0x25, 0x1d, 0xa5, 0xe2, 0x92, 0xa2,
        0xd4, 0xc4, 0x5c, 0xb0, 0x02, 0x23, 0x3d, 0x43, 0x23, 0xe3, 0x28, 0x25,
        0x1d, 0xa5, 0xe2, 0xa2, 0x92, 0xd4, 0xc4, 0x5c, 0xa0, 0x9a, 0x62, 0x03,
        0x20, 0x0f, 0xa8, 0x4d, 0xb1, 0x30, 0x4e, 0x01, 0x92, 0x94, 0xe1, 0x26,
        0x40, 0xc3, 0x01, 0xcd, 0x46, 0x73, 0x32, 0xd1, 0x01, 0x00, 0x00,
    };
    struct law law = law_of(INFLATE_ANY);

    (void)state;
    assert_true(law_fails(&law, (struct view){bytes, sizeof bytes},
                          ERROR_CORRUPT));
}

/* 4 GiB and 5 MiB of zeros in one member: its length wraps. */
static void test_length_wraps(void **state)
{
    enum { CHUNK = 1 << 20, CHUNKS = 4096 + 5 };
    static uint8_t in_bytes[65536], out_bytes[65536];
    struct law law = law_of(INFLATE_GZIP);
    struct fault fault = {0};
    struct ring in, out;
    struct packed *f = &packed;
    uint32_t crc = 0, chunk = 0, done = 0;
    enum flow flow = FLOW_MOVED;

    (void)state;
    memset(raw.at, 0, CHUNK);
    f->len = 0;
    packed_header(f, 0, 0);
    uint32_t body = f->len;
    packed_deflate(f, (struct view){raw.at, CHUNK}, false);
    uint32_t tail = f->len;
    packed_put(f, (uint8_t[]){3, 0}, 2);  /* an empty last block */
    for (int i = 0; i < CHUNKS; i++)
        crc = crc32_gzip_refl(crc, raw.at, CHUNK);
    packed_number(f, crc, 4);
    packed_number(f, (uint64_t)CHUNK * CHUNKS, 4);

    struct stage *stage = law.begin(law.subject, &fault);
    ring_init(&in, in_bytes, sizeof in_bytes);
    ring_init(&out, out_bytes, sizeof out_bytes);
    while (flow != FLOW_ENDED && flow != FLOW_FAILED) {
        uint32_t end = chunk < CHUNKS ? tail : f->len;
        done += ring_write(&in, (struct view){f->at + done, end - done});
        if (done == tail && ++chunk < CHUNKS)
            done = body;
        if (done == f->len)
            ring_end(&in);
        flow = stage->step(stage, &in, &out, (struct now){0, 0});
        ring_consume(&out, ring_len(&out));
    }
    assert_int_equal(flow, FLOW_ENDED);
    assert_true(subject.inflate.raw_bytes == (uint64_t)CHUNK * CHUNKS);
}

static void test_middle(void **state)
{
    struct law law = law_of(INFLATE_GZIP);

    (void)state;
    packed_lines(&raw, 100000, 9);
    packed.len = 0;
    packed_deflate(&packed, packed_view(&raw), false);
    subject.middle = true;
    assert_true(law_gives(&law, packed_view(&packed), packed_view(&raw)));

    packed.len = 0;
    packed_deflate(&packed, packed_view(&raw), true);
    packed_number(&packed, 0, 8);  /* a trailer that cannot fit */
    assert_true(law_gives(&law, packed_view(&packed), packed_view(&raw)));
    subject.middle = false;
}

/* ---- zstd ---- */

static void test_zstd(void **state)
{
    struct law law = law_of(INFLATE_ZSTD);

    (void)state;
    packed_lines(&raw, 500000, 11);
    packed.len = 0;
    packed_number(&packed, 0x184d2a5f, 4);  /* a skippable frame */
    packed_number(&packed, 70000, 4);
    packed.len += 70000;
    packed_frame(&packed, view_slice(packed_view(&raw), 0, 300000),
              CFG_ZSTD_WINDOW_LOG, true);
    packed_frame(&packed, view_of(""), CFG_ZSTD_WINDOW_LOG, false);
    packed_frame(&packed, view_slice(packed_view(&raw), 300000, raw.len),
              10, false);
    packed_number(&packed, 0x184d2a50, 4);
    packed_number(&packed, 0, 4);
    assert_true(law_gives(&law, packed_view(&packed), packed_view(&raw)));
    assert_int_equal(subject.inflate.members, 5);
}

static void test_zstd_window(void **state)
{
    static const char want[] = "CFG_ZSTD_WINDOW_LOG=";
    struct law law = law_of(INFLATE_ANY);
    uint8_t bytes[64];
    struct law_result r = {.bytes = bytes};
    struct law_slicing s = {64, 64, 64, 64};

    (void)state;
    packed_lines(&raw, 500000, 12);
    packed.len = 0;
    packed_frame(&packed, packed_view(&raw), CFG_ZSTD_WINDOW_LOG + 1, true);
    assert_true(law_fails(&law, packed_view(&packed), ERROR_LIMIT));
    assert_true(law_run(&law, packed_view(&packed), s, &r));
    assert_int_equal(r.len, 0);
    assert_int_equal(r.fault.detail, INFLATE_WINDOW_BYTES);
    assert_non_null(strstr(r.fault.words, want));
    assert_true(ZSTD_estimateDStreamSize(INFLATE_WINDOW_BYTES) <=
                INFLATE_WORKSPACE_BYTES);
}

/* ---- made by the tools that people use ---- */

static bool run_tool(const char *command, const char *path)
{
    char line[512];
    FILE *f;

    snprintf(line, sizeof line, "F='%s'; %s", path, command);
    f = popen(line, "r");
    if (f == NULL)
        return false;
    packed.len = (uint32_t)fread(packed.at, 1, PACKED_BYTES, f);
    return pclose(f) == 0;
}

static void test_tools(void **state)
{
    static const struct { const char *name, *tool, *command; } rows[] = {
        {"gzip -1", "gzip", "gzip -1c $F"},
        {"gzip -9 with a name, twice", "gzip", "gzip -9Nc $F; gzip -c $F"},
        {"python's gzip", "python3", "python3 -c 'import gzip,sys; "
         "sys.stdout.buffer.write(gzip.compress(open(sys.argv[1],\"rb\")"
         ".read()))' $F"},
        {"python's gzip, flushed", "python3", "python3 -c 'import zlib,sys; "
         "c=zlib.compressobj(6,8,31); d=open(sys.argv[1],\"rb\").read();"
         "w=sys.stdout.buffer.write; [w(c.compress(d[i:i+5000])"
         "+c.flush(3)) for i in range(0,len(d),5000)]; w(c.flush())' $F"},
        {"pigz", "pigz", "pigz -p 3 -b 128 -c $F"},
        {"bgzip", "bgzip", "bgzip -c $F"},
        {"igzip", "igzip", "igzip -2 -c $F"},
        {"zstd", "zstd", "zstd -qc --zstd=wlog=15 $F"},
        {"zstd -19 of a pipe, twice", "zstd", "zstd -19 -qc --zstd=wlog=15 "
         "< $F; zstd -qc --no-check --zstd=wlog=12 $F"},
        {"no tool", "cat", "cat $F"},
    };
    char path[] = "/tmp/test_inflate.XXXXXX", probe[64];
    int failures = 0, fd = mkstemp(path);
    uint32_t once;

    (void)state;
    packed_lines(&raw, 300000, 21);
    once = raw.len;
    packed_put(&raw, raw.at, once);
    assert_true(fd >= 0 && write(fd, raw.at, once) == (ssize_t)once);
    close(fd);
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct law law = law_of(INFLATE_ANY);
        bool twice = strstr(rows[i].name, "twice") != NULL;
        snprintf(probe, sizeof probe, "command -v %s >/dev/null",
                 rows[i].tool);
        if (system(probe) != 0) {
            fprintf(stderr, "skipped: %s is not here\n", rows[i].tool);
            continue;
        }
        bool holds = run_tool(rows[i].command, path) &&
            law_gives(&law, packed_view(&packed),
                      view_slice(packed_view(&raw), 0, twice ? raw.len : once));
        failures += BROKEN(rows[i].name, holds);
    }
    unlink(path);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_fields),
        cmocka_unit_test(test_many_members),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_trailing),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_every_flip),
        cmocka_unit_test(test_damage_is_named),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_found_by_fuzzing),
        cmocka_unit_test(test_length_wraps),
        cmocka_unit_test(test_middle),
        cmocka_unit_test(test_zstd),
        cmocka_unit_test(test_zstd_window),
        cmocka_unit_test(test_tools),
    };
    return RUN(tests);
}
