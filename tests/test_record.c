/* test_record.c - archived lines, in either form, to lines for people.
 * Method: rows, each through every slicing of tests/law.c. */
#include "fetch/record.h"
#include "law.h"
#include "row.h"
#include "task/escape.h"

#define T1 "2026-11-09T00:00:00.123Z"
#define T2 "2026-11-09T00:00:00.124Z"

struct subject {
    struct record record;
    struct escape escape;
    enum record_form form;
    bool one_line;
};

static struct stage *begin_record(void *subject, struct fault *fault)
{
    struct subject *s = subject;
    record_init(&s->record, s->form, s->one_line, fault);
    return &s->record.stage;
}

static struct stage *begin_escape(void *subject, struct fault *fault)
{
    struct subject *s = subject;
    escape_init(&s->escape, fault);
    return &s->escape.stage;
}

struct row {
    const char *name, *in, *want;
    uint64_t foreign, broken;
};

static int run_rows(const struct row *rows, size_t count,
                    enum record_form form, bool one_line)
{
    int failures = 0;

    for (size_t i = 0; i < count; i++) {
        struct subject s = {.form = form, .one_line = one_line};
        struct law law = {begin_record, &s};
        bool holds = law_gives(&law, view_of(rows[i].in),
                               view_of(rows[i].want)) &&
                     row_number((int64_t)s.record.foreign_line,
                                (int64_t)rows[i].foreign) &&
                     row_number((int64_t)s.record.broken_line,
                                (int64_t)rows[i].broken);
        failures += BROKEN(rows[i].name, holds);
    }
    return failures;
}

static void test_ndjson_as_text(void **state)
{
    static const struct row rows[] = {
        {"nothing gives nothing", "", "", 0, 0},
        {"a record becomes time and message",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\",\"message\":\"abc\"}\n",
         T1 " abc\n", 0, 0},
        {"what is behind the message is left out",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"a\\\"b\\\\\","
         "\"message\":\"x\""
         ",\"ingested\":\"" T2 "\",\"id\":\"7\"}\n"
         "{\"timestamp\":\"" T2 "\",\"stream\":\"s\",\"message\":\"\"}\n",
         T1 " x\n" T2 " \n", 0, 0},
        {"a stream's name may be left out",
         "{\"timestamp\":\"" T1 "\",\"message\":\"x\"}\n", T1 " x\n", 0, 0},
        {"a message is decoded",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\",\"message\":"
         "\"a\\n\\tb\\\"\\\\\\/\\u00e9\\ud83d\\ude00\\ud83d \xc3\xa9\"}\n",
         T1 " a\n\tb\"\\/\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd \xc3\xa9\n",
         0, 0},
        {"a message that ends in a newline keeps it",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\",\"message\":\"a\\n\"}\n",
         T1 " a\n\n", 0, 0},
        {"a last newline that is missing is added",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\",\"message\":\"abc\"}",
         T1 " abc\n", 0, 0},
        {"keys in another order are passed on",
         "{\"message\":\"x\",\"timestamp\":\"" T1 "\"}\n"
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\",\"message\":\"abc\"}\n",
         "{\"message\":\"x\",\"timestamp\":\"" T1 "\"}\n" T1 " abc\n", 1, 0},
        {"a time that does not exist is not ours",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\",\"message\":\"abc\"}\n"
         "{\"timestamp\":\"2026-02-30T00:00:00.123Z\",\"message\":\"x\"}",
         T1 " abc\n"
         "{\"timestamp\":\"2026-02-30T00:00:00.123Z\",\"message\":\"x\"}\n",
         2, 0},
        {"the beginning of a record is passed on",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\n", 1, 0},
        {"empty lines are kept, and are no strangers",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\",\"message\":\"abc\"}\n\n",
         T1 " abc\n\n", 0, 0},
        {"a line that ends inside its message ends there",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\",\"message\":\"abc\n"
         "{\"timestamp\":\"" T2 "\",\"stream\":\"s\",\"message\":\"d\"}\n",
         T1 " abc\n" T2 " d\n", 0, 1},
        {"data that ends inside a message ends there",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\",\"message\":\"abc\\u00",
         T1 " abc\n", 0, 1},
        {"after an escape that JSON lacks all is passed on",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\",\"message\":\"a\\xbc\"}\n",
         T1 " abc\"}\n", 0, 1},
    };
    (void)state;
    assert_int_equal(run_rows(rows, ROW_COUNT(rows), RECORD_TEXT, false), 0);
}

static void test_ndjson_as_json(void **state)
{
    static const struct row rows[] = {
        {"lines pass, whatever is in them",
         "{\"timestamp\":\"" T1 "\",\"message\":\"a\\u0000\"}\n{ \"a\":1}\n\n",
         "{\"timestamp\":\"" T1 "\",\"message\":\"a\\u0000\"}\n{ \"a\":1}\n\n",
         0, 0},
        {"a last newline that is missing is added", "{}", "{}\n", 0, 0},
    };
    (void)state;
    assert_int_equal(run_rows(rows, ROW_COUNT(rows), RECORD_JSON, false), 0);
}

static void test_ndjson_on_one_line(void **state)
{
    static const struct row rows[] = {
        {"a newline in a message is shown",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\",\"message\":"
         "\"a\\nb\\n\"}\n",
         T1 " a\\nb\\n\n", 0, 0},
    };
    (void)state;
    assert_int_equal(run_rows(rows, ROW_COUNT(rows), RECORD_TEXT, true), 0);
}

static void test_text_as_text(void **state)
{
    static const struct row rows[] = {
        {"text passes byte for byte", T1 " a\n b\xff\r\n" T2 " c\n\n",
         T1 " a\n b\xff\r\n" T2 " c\n\n", 0, 0},
        {"a last newline that is missing is added", "abc", "abc\n", 0, 0},
    };
    (void)state;
    assert_int_equal(run_rows(rows, ROW_COUNT(rows), RECORD_TEXT, false), 0);
}

static void test_text_on_one_line(void **state)
{
    static const struct row rows[] = {
        {"lines of one record are shown as one",
         T1 " a\n  at b\n\n" T2 " c\n" T2 " \n",
         T1 " a\\n  at b\\n\n" T2 " c\n" T2 " \n", 0, 0},
        {"lines before the first time stamp are records", "x\n\n" T1 " a\ny",
         "x\n\n" T1 " a\\ny\n", 0, 0},
        {"a time stamp without a blank begins nothing", T1 " a\n" T2 "\n",
         T1 " a\\n" T2 "\n", 0, 0},
    };
    (void)state;
    assert_int_equal(run_rows(rows, ROW_COUNT(rows), RECORD_TEXT, true), 0);
}

static void test_text_as_json(void **state)
{
    static const struct row rows[] = {
        {"a line becomes an object", T1 " a\n",
         "{\"timestamp\":\"" T1 "\",\"message\":\"a\"}\n", 0, 0},
        {"lines without a time stamp belong to the record before",
         T1 " a\n  at b\n" T2 " c\n\n" T2 " \n",
         "{\"timestamp\":\"" T1 "\",\"message\":\"a\\n  at b\"}\n"
         "{\"timestamp\":\"" T2 "\",\"message\":\"c\\n\"}\n"
         "{\"timestamp\":\"" T2 "\",\"message\":\"\"}\n", 0, 0},
        {"lines before the first have no time", "x\n\n" T1 " a",
         "{\"message\":\"x\"}\n{\"message\":\"\"}\n"
         "{\"timestamp\":\"" T1 "\",\"message\":\"a\"}\n", 0, 0},
        {"what JSON escapes is escaped", T1 " \"\\\t\x01\r\n\\\"\"\n",
         "{\"timestamp\":\"" T1 "\",\"message\":"
         "\"\\\"\\\\\\t\\u0001\\r\\n\\\\\\\"\\\"\"}\n", 0, 0},
        {"what is no UTF-8 is replaced, a character cut by a line too",
         T1 " \xc3\xa9\xff\xe2\x82\n\xe2\"\xf0\x9f",
         "{\"timestamp\":\"" T1 "\",\"message\":\"\xc3\xa9\xef\xbf\xbd"
         "\xef\xbf\xbd\\n\xef\xbf\xbd\\\"\xef\xbf\xbd\"}\n", 0, 0},
        {"almost a time stamp is none", T1 " a\n2026-11-09T00:00:00.12Z b\n",
         "{\"timestamp\":\"" T1 "\",\"message\":"
         "\"a\\n2026-11-09T00:00:00.12Z b\"}\n", 0, 0},
    };
    (void)state;
    assert_int_equal(run_rows(rows, ROW_COUNT(rows), RECORD_JSON, false), 0);
}

/* 6 MB of escapes in one message, and a head too long to be ours. */
/* The first of each kind is told. */
static void test_the_first_is_told(void **state)
{
    static const struct row rows[] = {
        {"two lines of others", "{\"a\":1}\n{\"b\":2}\n",
         "{\"a\":1}\n{\"b\":2}\n", 1, 0},
        {"two messages without an end",
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\",\"message\":\"a\n"
         "{\"timestamp\":\"" T1 "\",\"stream\":\"s\",\"message\":\"b\n",
         T1 " a\n" T1 " b\n", 0, 1},
    };

    (void)state;
    assert_int_equal(run_rows(rows, ROW_COUNT(rows), RECORD_TEXT, false), 0);
}

static void test_long_lines(void **state)
{
    enum { CODES = 1 << 20 };
    static char in[200 + 6 * CODES], want[200 + CODES];
    static char stream[3 * CFG_STREAM_BYTES + 100];
    struct subject s = {.form = RECORD_TEXT};
    struct law law = {begin_record, &s};
    uint32_t in_len, want_len;

    (void)state;
    in_len = (uint32_t)snprintf(in, sizeof in, "{\"timestamp\":\"" T1
                                "\",\"stream\":\"s\",\"message\":\"");
    want_len = (uint32_t)snprintf(want, sizeof want, T1 " ");
    for (int i = 0; i < CODES; i++, in_len += 6, want_len++) {
        memcpy(in + in_len, "\\u0000", 6);
        want[want_len] = 0;
    }
    memcpy(in + in_len, "\"}\n", 3);
    want[want_len] = '\n';
    assert_true(law_gives(&law, (struct view){(uint8_t *)in, in_len + 3},
                          (struct view){(uint8_t *)want, want_len + 1}));

    memset(stream, 'x', sizeof stream - 1);
    memcpy(stream, "{\"timestamp\":\"" T1 "\",\"stream\":\"", 50);
    stream[sizeof stream - 2] = '\n';
    assert_true(law_gives(&law, view_of(stream), view_of(stream)));
    assert_int_equal(s.record.foreign_line, 1);
}

static void test_escape(void **state)
{
    static const struct { const char *name, *in, *want; } rows[] = {
        {"nothing gives nothing", "", ""},
        {"what can be printed passes",
         "a\tb\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
         "a\tb\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"control codes are shown", "\x1b[31m\r\x07\x7f\xc2\x9b",
         "\\u001b[31m\\r\\u0007\\u007f\\u009b"},
        {"separators and marks of direction are shown",
         "\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6",
         "\\u2028\\u202e\\u2066"},
        {"bytes that are no UTF-8 are replaced",
         "\x9b" "a\xff\xc3(\xe2\x82",
         "\xef\xbf\xbd" "a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd"},
        {"nor are longer overlong forms, or what is past U+10FFFF",
         "\xe0\x80\x80\xf0\x80\x80\x80\xf4\x90\x80\x80",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
         "\xef\xbf\xbd"},
        {"the least and the most of them are",
         "\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
         "\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"a surrogate and an overlong form are no UTF-8",
         "\xed\xa0\x80\xc0\x80",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    struct subject s = {0};
    struct law law = {begin_escape, &s};
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name,
                           law_gives(&law, view_of(rows[i].in),
                                     view_of(rows[i].want)));
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ndjson_as_text),
        cmocka_unit_test(test_ndjson_as_json),
        cmocka_unit_test(test_ndjson_on_one_line),
        cmocka_unit_test(test_text_as_text),
        cmocka_unit_test(test_text_on_one_line),
        cmocka_unit_test(test_text_as_json),
        cmocka_unit_test(test_the_first_is_told),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_escape),
    };
    return RUN(tests);
}
