/* test_text.c - views compare and cut as they say; a text never overflows.
 * Method: rows of input and output, and every writer at every capacity. */
#include "row.h"

static struct view hex(const char *string, uint8_t *room)
{
    uint32_t len = 0;
    for (; string[2 * len] != '\0'; len++) {
        unsigned byte;
        sscanf(string + (size_t)2 * len, "%2x", &byte);
        room[len] = (uint8_t)byte;
    }
    return (struct view){room, len};
}

enum writer { PUT, HEX, BASE64, PERCENT, PATH, JSON, PAD6 };

static void write_as(struct text *t, enum writer writer, struct view v)
{
    switch (writer) {
    case PUT:     text_put(t, v); break;
    case HEX:     text_hex(t, v); break;
    case BASE64:  text_base64(t, v); break;
    case PERCENT: text_percent(t, v, false); break;
    case PATH:    text_percent(t, v, true); break;
    case JSON:    text_json(t, v); break;
    case PAD6:    text_pad(t, v.len, 6); break;
    }
}

static const struct row {
    const char *name;
    enum writer writer;
    const char *in;  /* hexadecimal */
    const char *want;
} rows[] = {
    {"nothing is nothing", PUT, "", ""},
    {"bytes are copied", PUT, "616263", "abc"},
    {"hexadecimal is lower case", HEX, "00ff1ac3", "00ff1ac3"},
    {"base64 of nothing", BASE64, "", ""},
    {"base64 of one byte has two pads", BASE64, "66", "Zg=="},
    {"base64 of two bytes has one pad", BASE64, "666f", "Zm8="},
    {"base64 of three bytes has none", BASE64, "666f6f", "Zm9v"},
    {"base64 of a CRC64NVME", BASE64, "ae8b14860a799888", "rosUhgp5mIg="},
    {"base64 uses plus and slash", BASE64, "fbffbf", "+/+/"},
    {"unreserved bytes stay", PERCENT, "41612d5f2e7e39", "Aa-_.~9"},
    {"a space is %20, a plus %2B", PERCENT, "202b", "%20%2B"},
    {"a slash in a value is encoded", PERCENT, "2f", "%2F"},
    {"a slash in a path stays", PATH, "612f2f2e2f62", "a//./b"},
    {"bytes over 0x7f and NUL are encoded", PATH, "00c3a9", "%00%C3%A9"},
    {"JSON letters", JSON, "08090a0c0d", "\\b\\t\\n\\f\\r"},
    {"JSON quote and backslash", JSON, "225c2f", "\\\"\\\\/"},
    {"JSON control bytes", JSON, "00011b1f", "\\u0000\\u0001\\u001b\\u001f"},
    {"JSON passes DEL and UTF-8", JSON, "7fc3a9ff", "\x7f\xc3\xa9\xff"},
    {"JSON escapes after eight plain bytes", JSON,
     "6162636465666768690a6a6b6c6d6e6f70717222", "abcdefghi\\njklmnopqr\\\""},
    {"a number is padded with zeros", PAD6, "0102", "000002"},
};

static void each_writer_writes(void **state)
{
    int failures = 0;
    uint8_t in[64];
    char out[128];
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct text t;
        text_init(&t, out, sizeof out);
        write_as(&t, rows[i].writer, hex(rows[i].in, in));
        failures += BROKEN(rows[i].name, row_text(&t, rows[i].want));
    }
    assert_int_equal(failures, 0);
}

/* What was written before the overflow is a prefix; nothing comes after. */
static bool holds_at(const struct row *row, uint32_t capacity)
{
    uint8_t in[64];
    char out[128];
    struct text t;
    uint32_t want_len = (uint32_t)strlen(row->want);
    memset(out, '#', sizeof out);
    text_init(&t, out, capacity);
    write_as(&t, row->writer, hex(row->in, in));
    bool fits = capacity > want_len;
    uint32_t len = t.len;
    text_char(&t, '!');
    return t.overflow == (capacity <= want_len + 1) && len < capacity &&
           (fits ? len == want_len : t.len == len) &&
           memcmp(out, row->want, len) == 0 && out[t.len] == '\0' &&
           out[capacity] == '#';
}

static void nothing_is_written_past_the_room(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        for (uint32_t capacity = 1; capacity < 100; capacity++)
            failures += BROKEN(rows[i].name, holds_at(&rows[i], capacity));
    assert_int_equal(failures, 0);
}

/* Every byte value at every place of a word, against the plain definition. */
static void json_does_not_depend_on_the_place(void **state)
{
    int failures = 0;
    (void)state;
    for (uint32_t byte = 0; byte < 256; byte++)
        for (uint32_t place = 0; place < 20; place++) {
            uint8_t in[20];
            char out[64], want[64];
            struct text t, w;
            memset(in, 'x', sizeof in);
            in[place] = (uint8_t)byte;
            text_init(&t, out, sizeof out);
            text_json(&t, (struct view){in, sizeof in});
            text_init(&w, want, sizeof want);
            for (uint32_t i = 0; i < sizeof in; i++)
                text_json(&w, (struct view){in + i, 1});
            failures += BROKEN("one byte in twenty",
                               view_equal(text_view(&t), text_view(&w)));
        }
    assert_int_equal(failures, 0);
}

static void an_overflow_sticks_until_it_is_taken_back(void **state)
{
    char out[8];
    struct text t;
    (void)state;
    text_init(&t, out, sizeof out);
    text_str(&t, "abcde");
    uint32_t mark = t.len;
    text_str(&t, "fghij");
    text_char(&t, 'k');
    assert_true(t.overflow);
    assert_string_equal(out, "abcde");
    text_cut(&t, mark - 1);
    text_i64(&t, -42);
    assert_true(row_text(&t, "abcd-42"));
    text_reset(&t);
    text_i64(&t, INT64_MIN);
    assert_true(t.overflow);
}

static void numbers_at_their_ends(void **state)
{
    char out[64];
    struct text t;
    (void)state;
    text_init(&t, out, sizeof out);
    text_u64(&t, UINT64_MAX);
    text_char(&t, ' ');
    text_i64(&t, INT64_MIN);
    text_char(&t, ' ');
    text_u64(&t, 0);
    assert_true(row_text(&t, "18446744073709551615 -9223372036854775808 0"));
}

static const struct number_row {
    const char *name, *in;
    uint64_t    most;
    bool        ok;
    uint64_t    want;
} number_rows[] = {
    {"zero", "0", 10, true, 0},
    {"the most", "10", 10, true, 10},
    {"one more", "11", 10, false, 0},
    {"a digit above a small most", "7", 5, false, 0},
    {"the greatest", "18446744073709551615", UINT64_MAX, true, UINT64_MAX},
    {"past the greatest", "18446744073709551616", UINT64_MAX, false, 0},
    {"twenty-one digits", "000000000000000000001", UINT64_MAX, false, 0},
    {"leading zeros", "007", 10, true, 7},
    {"empty", "", 10, false, 0},
    {"a sign", "+1", 10, false, 0},
    {"a blank", " 1", 10, false, 0},
    {"a letter", "1a", 100, false, 0},
};

static void numbers_are_read_strictly(void **state)
{
    int failures = 0;
    int64_t i64 = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(number_rows); i++) {
        const struct number_row *row = &number_rows[i];
        uint64_t got = 0;
        bool ok = view_u64(view_of(row->in), row->most, &got);
        failures += BROKEN(row->name, ok == row->ok && got == row->want);
    }
    assert_int_equal(failures, 0);
    assert_true(view_i64(view_of("-9223372036854775808"), &i64));
    assert_true(i64 == INT64_MIN);
    assert_true(view_i64(view_of("9223372036854775807"), &i64));
    assert_true(i64 == INT64_MAX);
    assert_false(view_i64(view_of("9223372036854775808"), &i64));
    assert_false(view_i64(view_of("-"), &i64));
    assert_false(view_i64(view_of("--1"), &i64));
    assert_true(view_i64(view_of("-15"), &i64) && i64 == -15);
}

static void views_compare_and_cut(void **state)
{
    char copy[4];
    struct view v = view_of(" \t a b\r\n"), rest = view_of("a,,b");
    (void)state;
    assert_true(view_is(view_trim(v), "a b"));
    assert_true(view_is(view_trim(view_of(" \r\n ")), ""));
    assert_int_equal(view_of(NULL).len, 0);
    assert_true(view_equal(view_of(NULL), view_of("")));
    assert_true(view_is_nocase(view_of("ETag"), "etAG"));
    assert_false(view_is_nocase(view_of("ETag"), "etags"));
    assert_true(view_starts(view_of("abc"), "ab"));
    assert_false(view_starts(view_of("a"), "ab"));
    assert_true(view_starts(view_of(NULL), ""));
    assert_true(view_ends(view_of("abc"), "bc"));
    assert_false(view_ends(view_of("c"), "bc"));
    assert_int_equal(view_find(view_of("abc"), 'c'), 2);
    assert_int_equal(view_find(view_of("abc"), 'd'), 3);
    assert_int_equal(view_find(view_of(NULL), 'd'), 0);
    assert_int_equal(view_last(view_of("a/b/cd"), '/'), 4);
    assert_int_equal(view_last(view_of("a/"), '/'), 2);
    assert_int_equal(view_last(view_of("ab"), '/'), 0);
    assert_int_equal(view_last(view_of(NULL), '/'), 0);
    assert_true(view_is(view_split(&rest, ','), "a"));
    assert_true(view_is(view_split(&rest, ','), ""));
    assert_true(view_is(view_split(&rest, ','), "b"));
    assert_true(view_is(view_split(&rest, ','), "") && rest.len == 0);
    assert_true(view_copy(view_of("abc"), copy, sizeof copy));
    assert_string_equal(copy, "abc");
    assert_false(view_copy(view_of("abcd"), copy, sizeof copy));
    assert_string_equal(copy, "");
    assert_false(view_copy((struct view){(const uint8_t *)"a\0b", 3}, copy,
                           sizeof copy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_writer_writes),
        cmocka_unit_test(nothing_is_written_past_the_room),
        cmocka_unit_test(json_does_not_depend_on_the_place),
        cmocka_unit_test(an_overflow_sticks_until_it_is_taken_back),
        cmocka_unit_test(numbers_at_their_ends),
        cmocka_unit_test(numbers_are_read_strictly),
        cmocka_unit_test(views_compare_and_cut),
    };
    return RUN(tests);
}
