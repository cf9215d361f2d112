/* test_decode.c - the inside of a JSON string comes out in both forms.
 * Method: rows, whole and in every slicing, into rooms of several sizes; then
 * random strings against a decoder that works on all of a string at once. */
#include "base/chance.h"
#include "fetch/decode.h"
#include "row.h"

#define BYTES(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}
#define FFFD "\xef\xbf\xbd"

enum { ALL_BYTES = 4096 };

static const struct row {
    const char *name;
    struct view in, json, text;  /* `in` without its closing quote */
} rows[] = {
    {"empty", BYTES(""), BYTES(""), BYTES("")},
    {"plain", BYTES("abc 123 ~"), BYTES("abc 123 ~"), BYTES("abc 123 ~")},
    {"sixteen plain bytes", BYTES("0123456789abcdef"),
     BYTES("0123456789abcdef"), BYTES("0123456789abcdef")},
    {"fifteen, then an escape", BYTES("0123456789abcde\\n"),
     BYTES("0123456789abcde\\n"), BYTES("0123456789abcde\n")},
    {"sixteen, then an escape", BYTES("0123456789abcdef\\\""),
     BYTES("0123456789abcdef\\\""), BYTES("0123456789abcdef\"")},
    {"seventeen, then three bytes", BYTES("0123456789abcdefg\xe2\x82\xac"),
     BYTES("0123456789abcdefg\xe2\x82\xac"),
     BYTES("0123456789abcdefg\xe2\x82\xac")},
    {"brief escapes", BYTES("\\\"\\\\\\/\\b\\f\\n\\r\\t"),
     BYTES("\\\"\\\\/\\b\\f\\n\\r\\t"), BYTES("\"\\/\b\f\n\r\t")},
    {"brief escapes in long form",
     BYTES("\\u0022\\u005C\\u002f\\u0008\\u000C\\u000a\\u000D\\u0009"),
     BYTES("\\\"\\\\/\\b\\f\\n\\r\\t"), BYTES("\"\\/\b\f\n\r\t")},
    {"control codes", BYTES("\\u0000\\u001F\\u000b\\u007f"),
     BYTES("\\u0000\\u001f\\u000b\x7f"), BYTES("\0\x1f\x0b\x7f")},
    {"control codes not escaped", BYTES("\0\x1f\n\x7f"),
     BYTES("\\u0000\\u001f\\n\x7f"), BYTES("\0\x1f\n\x7f")},
    {"two, three bytes by escape", BYTES("\\u00e9\\u20AC\\u0080\\uffff"),
     BYTES("\xc3\xa9\xe2\x82\xac\xc2\x80\xef\xbf\xbf"),
     BYTES("\xc3\xa9\xe2\x82\xac\xc2\x80\xef\xbf\xbf")},
    {"a surrogate pair", BYTES("\\ud83d\\uDE00."),
     BYTES("\xf0\x9f\x98\x80."), BYTES("\xf0\x9f\x98\x80.")},
    {"first and last pair", BYTES("\\ud800\\udc00\\udbff\\udfff"),
     BYTES("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
     BYTES("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")},
    {"a high surrogate alone", BYTES("\\ud83dx"), BYTES("\\ud83dx"),
     BYTES(FFFD "x")},
    {"a high surrogate at the end", BYTES("\\uD83D"), BYTES("\\ud83d"),
     BYTES(FFFD)},
    {"a low surrogate alone", BYTES("\\ude00"), BYTES("\\ude00"),
     BYTES(FFFD)},
    {"a low surrogate before a high one", BYTES("\\ude00\\ud83d"),
     BYTES("\\ude00\\ud83d"), BYTES(FFFD FFFD)},
    {"two high surrogates, then a low one", BYTES("\\ud83d\\ud83d\\ude00"),
     BYTES("\\ud83d\xf0\x9f\x98\x80"), BYTES(FFFD "\xf0\x9f\x98\x80")},
    {"a high surrogate before an escape", BYTES("\\ud83d\\n\\ude00"),
     BYTES("\\ud83d\\n\\ude00"), BYTES(FFFD "\n" FFFD)},
    {"a high surrogate before \\u0000", BYTES("\\ud83d\\u0000"),
     BYTES("\\ud83d\\u0000"), BYTES(FFFD "\0")},
    {"a high surrogate before UTF-8", BYTES("\\ud83d\xe2\x82\xac"),
     BYTES("\\ud83d\xe2\x82\xac"), BYTES(FFFD "\xe2\x82\xac")},
    {"a high surrogate before a broken byte", BYTES("\\ud83d\x80"),
     BYTES("\\ud83d" FFFD), BYTES(FFFD FFFD)},
    {"UTF-8 of each length", BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
     BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
     BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")},
    {"many characters of three bytes",
     BYTES("\xea\xb0\x80\xeb\x82\x98\xeb\x8b\xa4\xeb\x9d\xbc\xeb\xa7\x88!"),
     BYTES("\xea\xb0\x80\xeb\x82\x98\xeb\x8b\xa4\xeb\x9d\xbc\xeb\xa7\x88!"),
     BYTES("\xea\xb0\x80\xeb\x82\x98\xeb\x8b\xa4\xeb\x9d\xbc\xeb\xa7\x88!")},
    {"Unicode 15, table 3-8", BYTES("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41"),
     BYTES(FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A"),
     BYTES(FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A")},
    {"Unicode 15, table 3-9", BYTES("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41"),
     BYTES(FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A"),
     BYTES(FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A")},
    {"Unicode 15, table 3-10",
     BYTES("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42"),
     BYTES(FFFD FFFD FFFD FFFD FFFD "A" FFFD FFFD "B"),
     BYTES(FFFD FFFD FFFD FFFD FFFD "A" FFFD FFFD "B")},
    {"Unicode 15, table 3-11",
     BYTES("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"),
     BYTES(FFFD FFFD FFFD FFFD "A"), BYTES(FFFD FFFD FFFD FFFD "A")},
    {"a character cut by the end", BYTES("\xf0\x9f\x98"), BYTES(FFFD),
     BYTES(FFFD)},
    {"a character cut by an escape", BYTES("\xe2\x82\\n"), BYTES(FFFD "\\n"),
     BYTES(FFFD "\n")},
};

/* --- running it -------------------------------------------------------- */

struct slicing {
    uint32_t first, piece;  /* bytes of the first slice, and of the others */
    uint32_t room;
};

/* Into out; returns its length, or GOT_BAD. A buffer of exactly the room is
 * used, so that the sanitizer sees a write beyond it. */
enum { GOT_BAD = -2, GOT_SHORT = -3 };

static int64_t run(enum decode_form form, struct view in, struct slicing s,
                   uint8_t *out)
{
    struct decode d;
    uint8_t room[64];
    uint32_t at = 0, len = 0, slice = s.first;
    decode_init(&d, form);
    while (true) {
        uint32_t left = in.len - at, taken, made;
        uint32_t use = slice < left ? slice : left;
        enum decode_got got = decode_step(
            &d, view_slice(in, at, at + use), &taken,
            (struct span){room, s.room}, &made);
        CHECK(len + made <= ALL_BYTES);
        memcpy(out + len, room, made);
        at += taken;
        len += made;
        slice = got == DECODE_ROOM && taken < use ? use - taken : s.piece;
        if (got == DECODE_BAD)
            return GOT_BAD;
        if (got == DECODE_QUOTE)
            return at == in.len ? (int64_t)len : GOT_SHORT;
        if (got == DECODE_MORE && (taken != use || at == in.len))
            return GOT_SHORT;
        if (got == DECODE_ROOM && s.room - made >= DECODE_UNIT_BYTES)
            return GOT_SHORT;
    }
}

static bool gives(const char *name, enum decode_form form, struct view quoted,
                  struct slicing s, struct view want)
{
    uint8_t out[ALL_BYTES];
    int64_t len = run(form, quoted, s, out);
    bool same = len == (int64_t)want.len &&
                memcmp(out, want.at, want.len) == 0;
    if (!same)
        fprintf(stderr, "%s: form %d, slices of %u then %u, room %u: "
                        "%lld bytes\n  got  \"%.*s\"\n  want \"%.*s\"\n",
                name, form, s.first, s.piece, s.room, (long long)len,
                len < 0 ? 0 : (int)len, (const char *)out, (int)want.len,
                (const char *)want.at);
    return same;
}

/* In with a quote put after it. */
static struct view quoted(struct view in, uint8_t *at)
{
    CHECK(in.len < ALL_BYTES);
    memcpy(at, in.at, in.len);
    at[in.len] = '"';
    return (struct view){at, in.len + 1};
}

static void rows_in_every_slicing(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        uint8_t bytes[ALL_BYTES];
        struct view in = quoted(rows[i].in, bytes);
        for (uint32_t first = 1; first <= in.len; first++)
            for (uint32_t piece = 1; piece <= in.len; piece++)
                for (uint32_t room = 16; room <= 64; room += 3) {
                    struct slicing s = {first, piece, room};
                    failures += !gives(rows[i].name, DECODE_JSON, in, s,
                                       rows[i].json);
                    failures += !gives(rows[i].name, DECODE_TEXT, in, s,
                                       rows[i].text);
                }
    }
    assert_int_equal(failures, 0);
}

/* Each row behind 0 to 40 plain bytes: all positions within sixteen. */
static void rows_at_every_place(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        for (uint32_t shift = 0; shift <= 40; shift++) {
            uint8_t in[256], bytes[256], json[256], text[256];
            memset(in, 'x', shift);
            memset(json, 'x', shift);
            memset(text, 'x', shift);
            memcpy(in + shift, rows[i].in.at, rows[i].in.len);
            memcpy(json + shift, rows[i].json.at, rows[i].json.len);
            memcpy(text + shift, rows[i].text.at, rows[i].text.len);
            struct view all = quoted(
                (struct view){in, shift + rows[i].in.len}, bytes);
            struct slicing s = {16, 1 + shift % 17, 16 + shift};
            failures += !gives(rows[i].name, DECODE_JSON, all, s,
                               (struct view){json,
                                             shift + rows[i].json.len});
            failures += !gives(rows[i].name, DECODE_TEXT, all, s,
                               (struct view){text,
                                             shift + rows[i].text.len});
        }
    assert_int_equal(failures, 0);
}

static void no_escape_but_those_of_json(void **state)
{
    uint8_t out[ALL_BYTES];
    static const char *const bad[] = {
        "\\x41\"", "\\'\"", "\\u12\"", "\\u12g4\"", "\\u+123\"", "\\ \"",
        "\\0\"", "\\U0041\"", "\\u 041\"", "\\\x80\"", "\\u\\u0041\"",
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(bad); i++)
        for (uint32_t piece = 1; piece <= 8; piece++) {
            struct slicing s = {piece, piece, 64};
            failures += BROKEN(bad[i], run(DECODE_JSON, view_of(bad[i]), s,
                                           out) == GOT_BAD);
        }
    struct view nul = BYTES("\\\0\"");
    struct slicing s = {1, 1, 64};
    failures += BROKEN("a NUL", run(DECODE_TEXT, nul, s, out) == GOT_BAD);
    assert_int_equal(failures, 0);
}

/* --- a second decoder: all at once, in three passes --------------------- */

enum { LONE = 0x1000000, BROKEN_CODE = 0xfffd };

/* Table 3-7 of Unicode 15: well-formed sequences; as many rows of ranges. */
static const struct form37 {
    uint8_t len, range[4][2];
} table37[] = {
    {1, {{0x00, 0x7f}}},
    {2, {{0xc2, 0xdf}, {0x80, 0xbf}}},
    {3, {{0xe0, 0xe0}, {0xa0, 0xbf}, {0x80, 0xbf}}},
    {3, {{0xe1, 0xec}, {0x80, 0xbf}, {0x80, 0xbf}}},
    {3, {{0xed, 0xed}, {0x80, 0x9f}, {0x80, 0xbf}}},
    {3, {{0xee, 0xef}, {0x80, 0xbf}, {0x80, 0xbf}}},
    {4, {{0xf0, 0xf0}, {0x90, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}}},
    {4, {{0xf1, 0xf3}, {0x80, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}}},
    {4, {{0xf4, 0xf4}, {0x80, 0x8f}, {0x80, 0xbf}, {0x80, 0xbf}}},
};

/* One character of v: its code, or BROKEN_CODE for a maximal part of one. */
static uint32_t plain_code(struct view v, uint32_t *len)
{
    static const uint8_t lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    *len = 1;
    for (size_t i = 0; i < ROW_COUNT(table37); i++) {
        const struct form37 *f = &table37[i];
        uint32_t fits = 0, code;
        while (fits < f->len && fits < v.len &&
               v.at[fits] >= f->range[fits][0] &&
               v.at[fits] <= f->range[fits][1])
            fits++;
        if (fits > *len)
            *len = fits;
        if (fits < f->len)
            continue;
        code = v.at[0] & lead[f->len];
        for (uint32_t n = 1; n < f->len; n++)
            code = code << 6 | (v.at[n] & 0x3f);
        return code;
    }
    return BROKEN_CODE;
}

/* The codes of a string; escaped surrogates are marked LONE. */
static uint32_t all_codes(struct view v, uint32_t *codes)
{
    uint32_t count = 0;
    while (v.len > 0) {
        uint32_t len = 2, unit;
        if (v.at[0] != '\\') {
            codes[count++] = plain_code(v, &len);
        } else if (v.at[1] == 'u') {
            char digits[5] = {(char)v.at[2], (char)v.at[3], (char)v.at[4],
                              (char)v.at[5], '\0'};
            CHECK(sscanf(digits, "%x", &unit) == 1);
            codes[count++] = unit >> 11 == 27 ? unit | LONE : unit;
            len = 6;
        } else {
            static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
            const char *at = strchr(from, v.at[1]);
            codes[count++] = at == NULL ? v.at[1] : (uint8_t)to[at - from];
        }
        v = view_slice(v, len, v.len);
    }
    return count;
}

static uint32_t pair_up(uint32_t *codes, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t high = codes[i] ^ LONE, low = 0;
        if (i + 1 < count)
            low = codes[i + 1] ^ LONE;
        bool pair = high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 &&
                    low <= 0xdfff;
        codes[kept++] = pair ? 0x10000 + ((high & 0x3ff) << 10) +
                                   (low & 0x3ff)
                             : codes[i];
        i += pair;
    }
    return kept;
}

static void put_one(struct text *t, uint32_t code, enum decode_form form)
{
    static const char *const brief[0x80] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
        ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t",
    };
    bool lone = (code & LONE) != 0;
    char escape[8];
    (void)snprintf(escape, sizeof escape, "\\u%04x", code & 0xffff);
    if (form == DECODE_TEXT)
        text_utf8(t, lone ? BROKEN_CODE : code);
    else if (lone)
        text_str(t, escape);
    else if (code < 0x80 && brief[code] != NULL)
        text_str(t, brief[code]);
    else if (code < 0x20)
        text_str(t, escape);
    else
        text_utf8(t, code);
}

static struct view oracle(struct view v, enum decode_form form, char *at)
{
    static uint32_t codes[ALL_BYTES];
    struct text t;
    uint32_t count = pair_up(codes, all_codes(v, codes));
    text_init(&t, at, ALL_BYTES);
    for (uint32_t i = 0; i < count; i++)
        put_one(&t, codes[i], form);
    CHECK(!t.overflow);
    return text_view(&t);
}

static void put_random(struct text *t, struct chance *c)
{
    static const char *const pieces[] = {
        "\\n", "\\\"", "\\\\", "\\/", "\\u0000", "\\u001b", "\\ud83d",
        "\\ude00", "\\ud83d\\ude00", "\\udbff", "\\u20ac", "\\u00e9",
        "\xc3\xa9", "\xe2\x82\xac", "\xea\xb0\x80", "\xf0\x9f\x98\x80",
        "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf", "\x7f",
    };
    uint64_t kind = chance_below(c, 8);
    if (kind < 3) {
        for (uint64_t n = chance_below(c, 40); n > 0; n--)
            text_char(t, (char)('A' + chance_below(c, 26)));
    } else if (kind < 7) {
        text_str(t, pieces[chance_below(c, ROW_COUNT(pieces))]);
    } else {
        uint8_t b = (uint8_t)chance_below(c, 256);
        text_char(t, b == '"' || b == '\\' ? ' ' : (char)b);
    }
}

static void random_strings_as_the_oracle_has_them(void **state)
{
    struct chance c;
    int failures = 0;
    (void)state;
    chance_init(&c, 1);
    for (int turn = 0; turn < 20000 && failures == 0; turn++) {
        char in[1024], want[ALL_BYTES];
        uint8_t bytes[ALL_BYTES];
        struct text t;
        text_init(&t, in, sizeof in);
        for (uint64_t n = chance_below(&c, 12); n > 0; n--)
            put_random(&t, &c);
        struct view all = quoted(text_view(&t), bytes);
        enum decode_form form = turn % 2 == 0 ? DECODE_JSON : DECODE_TEXT;
        struct view expect = oracle(text_view(&t), form, want);
        struct slicing s = {1 + (uint32_t)chance_below(&c, 40),
                            1 + (uint32_t)chance_below(&c, 40),
                            16 + (uint32_t)chance_below(&c, 49)};
        failures += !gives("random", form, all, s, expect);
        s = (struct slicing){ALL_BYTES, ALL_BYTES, 64};
        failures += !gives("random, whole", form, all, s, expect);
        if (form == DECODE_JSON) {  /* what it made is what it would make */
            uint8_t again[ALL_BYTES];
            failures += !gives("again", form, quoted(expect, again), s,
                               expect);
        }
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_in_every_slicing),
        cmocka_unit_test(rows_at_every_place),
        cmocka_unit_test(no_escape_but_those_of_json),
        cmocka_unit_test(random_strings_as_the_oracle_has_them),
    };
    return RUN(tests);
}
