/* test_head.c - a line's time by its place alone, as firn writes it. */
#include "fetch/head.h"
#include "row.h"

#define STAMP "1970-01-01T00:00:01.234Z"

static const struct row {
    const char *name, *line;
    bool        json, text;
} rows[] = {
    {"a record", "{\"timestamp\":\"" STAMP "\",\"message\":\"a\"}", true,
     false},
    {"as short as can be", "{\"timestamp\":\"" STAMP "\"", true, false},
    {"a byte short", "{\"timestamp\":\"" STAMP, false, false},
    {"another member first", "{\"timestomp\":\"" STAMP "\"", false, false},
    {"more behind the stamp", "{\"timestamp\":\"" STAMP "x\"", false, false},
    {"no stamp", "{\"timestamp\":\"1970-13-01T00:00:01.234Z\"", false, false},
    {"text", STAMP " a", false, true},
    {"an empty message", STAMP " ", false, true},
    {"no blank", STAMP "aaaa", false, false},
    {"no time", "1970-01-01T00:00:61.234Z a", false, false},
    {"a byte short of text", STAMP, false, false},
};

static void times_are_found(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct view line = view_of(rows[i].line);
        int64_t json_ms = -1, text_ms = -1;
        failures += BROKEN(rows[i].name,
                           head_stamp_json(line, &json_ms) == rows[i].json &&
                           head_stamp_text(line, &text_ms) == rows[i].text &&
                           (!rows[i].json || json_ms == 1234) &&
                           (!rows[i].text || text_ms == 1234));
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times_are_found)};
    return RUN(tests);
}
