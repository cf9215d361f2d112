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
    bool           text;
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
    census_init(&s->census, !s->text, fault);
    s->stage = (struct stage){step, fault};
    return &s->stage;
}

static const struct row {
    const char *name, *in;
    const char *messages[MESSAGES];  /* the first at T1, the others at T2 */
    uint64_t    foreign;
    bool        text;
} rows[] = {
    {"nothing", "", {0}, 0, false},
    {"two records", RECORD(T1, "one") RECORD(T2, "two"), {"one", "two"}, 0,
     false},
    {"an empty message", RECORD(T1, ""), {""}, 0, false},
    {"a message counts as it stands", RECORD(T1, "a\\\"b\\\\") RECORD(T2,
     "\\\\\\\"\\u001b\\n"), {"a\\\"b\\\\", "\\\\\\\"\\u001b\\n"}, 0, false},
    {"longer than a stripe", RECORD(T1, "0123456789abcdef0123456789abcdef"
     "0123456789abcdef0123456789abcdef0"), {"0123456789abcdef0123456789abcdef"
     "0123456789abcdef0123456789abcdef0"}, 0, false},
    {"more fields", "{\"timestamp\":\"" T1 "\",\"stream\":\"\\\"\","
     "\"message\":\"one\",\"ingested\":\"" T2 "\",\"id\":\"\\\"}\"}\n",
     {"one"}, 0, false},
    {"a line of others is not counted", RECORD(T1, "one") "{\"a\":1}\n"
     RECORD(T2, "two"), {"one", "two"}, 2, false},
    {"nor is one without its message's end", RECORD(T1, "one")
     "{\"timestamp\":\"" T2 "\",\"message\":\"two\n" RECORD(T2, "three"),
     {"one", "three"}, 2, false},
    {"an empty line", RECORD(T1, "one") "\n", {"one"}, 2, false},
    {"a time that is none", "{\"timestamp\":\"2026-11-09\",\"message\":\"\"}\n",
     {0}, 1, false},
    {"cut in a head", RECORD(T1, "one") "{\"times", {"one"}, 2, false},
    {"cut in a message", RECORD(T1, "one") "{\"timestamp\":\"" T1
     "\",\"stream\":\"s\",\"message\":\"tw", {"one"}, 2, false},
    {"cut behind a message", "{\"timestamp\":\"" T1
     "\",\"stream\":\"s\",\"message\":\"one\"", {"one"}, 1, false},
    {"text is passed over", T1 " one\n", {0}, 0, true},
};

static bool finds(const struct row *row)
{
    static struct subject s;
    struct tally want;
    struct law law = {begin, &s};
    s.text = row->text;
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
    struct row row = {.name = "long", .in = line, .messages = {message}};
    assert_true(finds(&row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_found),
        cmocka_unit_test(a_line_of_any_length),
    };
    return RUN(tests);
}
