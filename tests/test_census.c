/* test_census.c - the records of an archive, counted.
 * Method: rows of lines with the messages that must be found in them, each
 * through every slicing of tests/law.c, which wants an output: the sink is
 * wrapped in a stage that ends one. */
#include "fetch/census.h"
#include "law.h"
#include "row.h"

#define T1 "2026-11-09T00:00:00.123Z"
#define T2 "2026-11-09T00:00:00.124Z"
#define RECORD(t, m) \
    "{\"timestamp\":\"" t "\",\"stream\":\"s\",\"message\":\"" m "\"}\n"
#define T1_MS 1794182400123

enum { MESSAGES = 3, LONG_BYTES = 300000 };

struct subject {
    struct stage   stage;
    struct census census;
    enum census_form form;
    bool           window;  /* all but T1 */
};

static enum flow step(struct stage *self, struct ring *in, struct ring *out,
                      struct now now)
{
    struct subject *s = (struct subject *)self;
    enum flow flow = s->census.stage.step(&s->census.stage, in, NULL, now);
    if (flow == FLOW_ENDED && !out->ended)
        ring_end(out);
    return flow;
}

static struct stage *begin(void *subject, struct fault *fault)
{
    struct subject *s = subject;
    census_init(&s->census, s->form, fault);
    if (s->window)
        census_window(&s->census, T1_MS + 1, T1_MS + 2);
    s->stage = (struct stage){step, fault};
    return &s->stage;
}

static const struct row {
    const char *name, *in;
    const char *messages[MESSAGES];  /* the first at T1, the others at T2 */
    uint64_t    foreign;             /* the first line, from 1 on */
    enum census_form form;
} rows[] = {
    {"nothing", "", {0}, 0, CENSUS_NDJSON},
    {"two records", RECORD(T1, "one") RECORD(T2, "two"), {"one", "two"}, 0,
     CENSUS_NDJSON},
    {"an empty message", RECORD(T1, ""), {""}, 0, CENSUS_NDJSON},
    {"a message counts as it stands", RECORD(T1, "a\\\"b\\\\") RECORD(T2,
     "\\\\\\\"\\u001b\\n"), {"a\\\"b\\\\", "\\\\\\\"\\u001b\\n"}, 0,
     CENSUS_NDJSON},
    {"longer than a stripe", RECORD(T1, "0123456789abcdef0123456789abcdef"
     "0123456789abcdef0123456789abcdef0"), {"0123456789abcdef0123456789abcdef"
     "0123456789abcdef0123456789abcdef0"}, 0, CENSUS_NDJSON},
    {"more fields", "{\"timestamp\":\"" T1 "\",\"stream\":\"\\\"\","
     "\"message\":\"one\",\"ingested\":\"" T2 "\",\"id\":\"\\\"}\"}\n",
     {"one"}, 0, CENSUS_NDJSON},
    {"a line of others is not counted", RECORD(T1, "one") "{\"a\":1}\n"
     RECORD(T2, "two"), {"one", "two"}, 2, CENSUS_NDJSON},
    {"nor is one without its message's end", RECORD(T1, "one")
     "{\"timestamp\":\"" T2 "\",\"message\":\"two\n" RECORD(T2, "three"),
     {"one", "three"}, 2, CENSUS_NDJSON},
    {"an empty line", RECORD(T1, "one") "\n", {"one"}, 2, CENSUS_NDJSON},
    {"a time that is none", "{\"timestamp\":\"2026-11-09\",\"message\":\"\"}\n",
     {0}, 1, CENSUS_NDJSON},
    {"cut in a head", RECORD(T1, "one") "{\"times", {"one"}, 2, CENSUS_NDJSON},
    {"cut in a message", RECORD(T1, "one") "{\"timestamp\":\"" T1
     "\",\"stream\":\"s\",\"message\":\"tw", {"one"}, 2, CENSUS_NDJSON},
    {"cut behind a message", "{\"timestamp\":\"" T1
     "\",\"stream\":\"s\",\"message\":\"one\"", {"one"}, 1, CENSUS_NDJSON},
    {"what is not to be counted is passed over", T1 " one\n", {0}, 0,
     CENSUS_NONE},
    {"two records of text", T1 " one\n" T2 " two\n", {"one", "two"}, 0,
     CENSUS_TEXT},
    {"lines without a time belong to the one before", T1 " one\n  more\n\n"
     "2026-\n" T2 " two\n", {"one\n  more\n\n2026-", "two"}, 0, CENSUS_TEXT},
    {"a message that ends in a newline", T1 " one\n\n" T2 " two\n\n",
     {"one\n", "two\n"}, 0, CENSUS_TEXT},
    {"without the last newline", T1 " one\n" T2 " two", {"one", "two"}, 0,
     CENSUS_TEXT},
    {"the last line is short", T1 " one\n" T1, {"one\n" T1}, 0, CENSUS_TEXT},
    {"CR LF, as it stands", T1 " one\r\n" T2 " two\r\n",
     {"one\r", "two\r"}, 0, CENSUS_TEXT},
    {"lines before the first record", "more\n\n" T1 " one\n", {"one"}, 1,
     CENSUS_TEXT},
    {"either: ndjson", RECORD(T1, "one") T2 " two\n", {"one"}, 2,
     CENSUS_EITHER},
    {"either: text", T1 " one\n" RECORD(T2, "two"),
     {"one\n{\"timestamp\":\"" T2 "\",\"stream\":\"s\",\"message\":\"two\"}"},
     0, CENSUS_EITHER},
    {"either: text behind lines of others", "{\"a\":1}\nx\n" T1 " one\n",
     {"one"}, 1, CENSUS_EITHER},
    {"either: neither", "a\nb\nc", {0}, 1, CENSUS_EITHER},
    {"either: a line that is cut", "{\"timest", {0}, 1, CENSUS_EITHER},
    {"either: nothing", "", {0}, 0, CENSUS_EITHER},
};

static bool finds(const struct row *row)
{
    static struct subject s;
    struct tally want;
    struct law law = {begin, &s};
    s.form = row->form;
    tally_init(&want);
    for (int i = 0; i < MESSAGES && row->messages[i] != NULL; i++)
        tally_add(&want, T1_MS + (i > 0), view_of(row->messages[i]));
    return law_gives(&law, view_of(row->in), view_of("")) &&
           row_number((int64_t)s.census.tally.events, (int64_t)want.events) &&
           tally_equal(&s.census.tally, &want) &&
           row_number((int64_t)s.census.foreign_line, (int64_t)row->foreign);
}

static void every_message_is_found(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, finds(&rows[i]));
    assert_int_equal(failures, 0);
}

/* Records of other times are told apart, whatever the form. */
static void a_window(void **state)
{
    static const struct { const char *in; enum census_form form; } forms[] = {
        {RECORD(T1, "one") RECORD(T2, "two") RECORD(T1, "three"),
         CENSUS_EITHER},
        {T1 " one\n" T2 " two\n" T1 " three\nmore\n", CENSUS_EITHER},
    };
    static struct subject s;
    struct law law = {begin, &s};
    struct tally want;
    (void)state;
    tally_init(&want);
    tally_add(&want, T1_MS + 1, view_of("two"));
    for (size_t i = 0; i < ROW_COUNT(forms); i++) {
        s = (struct subject){.form = forms[i].form, .window = true};
        assert_true(law_gives(&law, view_of(forms[i].in), view_of("")));
        assert_true(tally_equal(&s.census.tally, &want));
        assert_int_equal(s.census.outside, 2);
        assert_int_equal(s.census.foreign, 0);
    }
}

/* Lines of no record are counted; a last one without its end is none. */
static void foreign_lines(void **state)
{
    static const struct { const char *in; uint64_t count; } cases[] = {
        {"a\nb\n" T1 " one\nc\n", 2},
        {"a\n" RECORD(T1, "one") "\nb\n" RECORD(T2, "two"), 3},
        {"a\n{\"timestamp\":\"" T1 "\",\"message\":\"one\"}", 1},
        {"a\n{\"timestamp\":\"" T1 "\",\"message\":\"on", 2},
    };
    static struct subject s;
    struct law law = {begin, &s};
    (void)state;
    s = (struct subject){.form = CENSUS_EITHER};
    for (size_t i = 0; i < ROW_COUNT(cases); i++) {
        assert_true(law_gives(&law, view_of(cases[i].in), view_of("")));
        assert_int_equal(s.census.foreign, cases[i].count);
    }
}

/* More than any ring holds, with escapes all over. */
static void a_line_of_any_length(void **state)
{
    static char message[LONG_BYTES + 1], line[LONG_BYTES + 200];
    (void)state;
    for (int i = 0; i < LONG_BYTES; i++)
        message[i] = i % 2 == 0 ? "\\ab"[i % 3] : "\\\"n\\"[i % 4];
    for (int i = 0; i < LONG_BYTES; i++)  /* what is escaped may be */
        if (message[i] == '\\' && strchr("\\\"n", message[++i]) == NULL)
            message[i] = 'n';
        else if (message[i] == '"')
            message[i] = 'q';
    message[LONG_BYTES - 1] = 'x';
    message[LONG_BYTES - 2] = 'x';
    message[LONG_BYTES - 3] = 'x';
    snprintf(line, sizeof line, "{\"timestamp\":\"" T1 "\",\"stream\":\"s\","
             "\"message\":\"%s\"}\n", message);
    struct row row = {.name = "long", .in = line, .messages = {message},
                      .form = CENSUS_NDJSON};
    assert_true(finds(&row));
    snprintf(line, sizeof line, T1 " %s\n", message);
    row.form = CENSUS_TEXT;
    assert_true(finds(&row));
}

/* A head that is longer than any of ours is none. */
static void a_head_without_end(void **state)
{
    static char line[16 * HEAD_BYTES];
    struct row row = {.name = "a long head", .in = line, .foreign = 1,
                      .form = CENSUS_NDJSON};
    struct text t;
    (void)state;
    text_init(&t, line, sizeof line);
    text_str(&t, "{\"timestamp\":\"" T1 "\",\"stream\":\"");
    for (int i = 0; i < HEAD_BYTES; i++)
        text_str(&t, "\\u0061");
    text_str(&t, "\",\"message\":\"one\"}\n");
    assert_false(t.overflow);
    assert_true(finds(&row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_found),
        cmocka_unit_test(a_window),
        cmocka_unit_test(foreign_lines),
        cmocka_unit_test(a_line_of_any_length),
        cmocka_unit_test(a_head_without_end),
    };
    return RUN(tests);
}
