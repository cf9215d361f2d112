/* test_line.c - heads and tails of lines are the contract's, whatever line
 * came before.
 * Method: rows in a sequence, each against its text; then every pair of rows
 * in a row, so that each head is made fresh and made from each other. */
#include "base/chance.h"
#include "base/date.h"
#include "pack/line.h"
#include "row.h"

static struct line line;
static uint8_t tail[LINE_TAIL_BYTES];

static const struct row {
    const char *name;
    int64_t     timestamp_ms, ingestion_ms;
    const char *stream, *id;
    const char *head, *text, *tail;
} rows[] = {
    {"an event", 1794182400123, 1794182401000, "s", "36",
     "{\"timestamp\":\"2026-11-09T00:00:00.123Z\",\"stream\":\"s\","
     "\"message\":\"", "2026-11-09T00:00:00.123Z ",
     "\",\"ingested\":\"2026-11-09T00:00:01.000Z\",\"id\":\"36\"}\n"},
    {"the same second", 1794182400999, 1794182401000, "s", "37",
     "{\"timestamp\":\"2026-11-09T00:00:00.999Z\",\"stream\":\"s\","
     "\"message\":\"", "2026-11-09T00:00:00.999Z ",
     "\",\"ingested\":\"2026-11-09T00:00:01.000Z\",\"id\":\"37\"}\n"},
    {"the next second", 1794182401000, 1794182401000, "s", "",
     "{\"timestamp\":\"2026-11-09T00:00:01.000Z\",\"stream\":\"s\","
     "\"message\":\"", "2026-11-09T00:00:01.000Z ",
     "\",\"ingested\":\"2026-11-09T00:00:01.000Z\",\"id\":\"\"}\n"},
    {"another stream of the same length", 1794182401000, 5, "t", "\"\\",
     "{\"timestamp\":\"2026-11-09T00:00:01.000Z\",\"stream\":\"t\","
     "\"message\":\"", "2026-11-09T00:00:01.000Z ",
     "\",\"ingested\":\"1970-01-01T00:00:00.005Z\",\"id\":\"\\\"\\\\\"}\n"},
    {"a stream with escapes", 1794182401001, 5,
     "a\\\"b\\\\c\\u0001\\n\xc3\xa9", "9",
     "{\"timestamp\":\"2026-11-09T00:00:01.001Z\",\"stream\":"
     "\"a\\\"b\\\\c\\u0001\\n\xc3\xa9\",\"message\":\"",
     "2026-11-09T00:00:01.001Z ",
     "\",\"ingested\":\"1970-01-01T00:00:00.005Z\",\"id\":\"9\"}\n"},
    {"no stream", 1794182401001, 5, "", "9",
     "{\"timestamp\":\"2026-11-09T00:00:01.001Z\",\"stream\":\"\","
     "\"message\":\"", "2026-11-09T00:00:01.001Z ",
     "\",\"ingested\":\"1970-01-01T00:00:00.005Z\",\"id\":\"9\"}\n"},
    {"the first instant", 0, 0, "s", "",
     "{\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"stream\":\"s\","
     "\"message\":\"", "1970-01-01T00:00:00.000Z ",
     "\",\"ingested\":\"1970-01-01T00:00:00.000Z\",\"id\":\"\"}\n"},
    {"just before it", -1, 0, "s", "",
     "{\"timestamp\":\"1969-12-31T23:59:59.999Z\",\"stream\":\"s\","
     "\"message\":\"", "1969-12-31T23:59:59.999Z ",
     "\",\"ingested\":\"1970-01-01T00:00:00.000Z\",\"id\":\"\"}\n"},
};

static struct log_event event_of(const struct row *row)
{
    return (struct log_event){row->timestamp_ms, row->ingestion_ms,
                              view_of(row->stream), view_of(row->id)};
}

static int holds(const struct row *row)
{
    struct log_event e = event_of(row);
    struct view head = line_head(&line, &e);
    uint32_t len = line_tail(&line, &e, tail);
    struct view t = {tail, len};
    const char *want = line.json ? row->head : row->text;
    int failures = BROKEN(row->name, view_is(head, want));
    failures += BROKEN(row->name, line.head_len == head.len);
    if (!line.json)
        want = "\n";
    else if (line.ingested && line.id)
        want = row->tail;
    else
        want = "\"}\n";
    return failures + BROKEN(row->name, view_is(t, want));
}

static void every_line_after_every_other(void **state)
{
    int failures = 0;
    (void)state;
    for (int kind = 0; kind < 3; kind++)
        for (size_t i = 0; i < ROW_COUNT(rows); i++)
            for (size_t k = 0; k < ROW_COUNT(rows); k++) {
                line_init(&line, kind > 0, kind == 2, kind == 2);
                failures += holds(&rows[i]) + holds(&rows[k]) +
                            holds(&rows[k]);
            }
    assert_int_equal(failures, 0);
}

static void one_field_or_the_other(void **state)
{
    struct log_event e = event_of(&rows[0]);
    (void)state;
    line_init(&line, true, true, false);
    uint32_t len = line_tail(&line, &e, tail);
    assert_true(view_is((struct view){tail, len},
                        "\",\"ingested\":\"2026-11-09T00:00:01.000Z\"}\n"));
    line_init(&line, true, false, true);
    len = line_tail(&line, &e, tail);
    assert_true(view_is((struct view){tail, len}, "\",\"id\":\"36\"}\n"));
}

/* Times of a day, one head after the other, against a fresh one each. */
static void dates_follow_each_other(void **state)
{
    struct chance c;
    int64_t at = 951782390000;  /* just before 2000-02-29 */
    int failures = 0;
    (void)state;
    chance_init(&c, 3);
    line_init(&line, true, false, false);
    for (int i = 0; i < 20000; i++, at += (int64_t)chance_below(&c, 9000)) {
        struct log_event e = {at, 0, view_of("s"), {0}};
        char date[DATE_RFC3339_BYTES + 1];
        struct text t;
        text_init(&t, date, sizeof date);
        date_rfc3339(&t, at);
        struct view head = line_head(&line, &e);
        failures += BROKEN(date, view_equal(view_slice(head, 14, 38),
                                            text_view(&t)));
    }
    assert_int_equal(failures, 0);
}

static void the_longest_that_fit(void **state)
{
    static uint8_t name[CFG_STREAM_BYTES], id[FRAME_ID_BYTES];
    struct log_event e = {1, 1, {name, 512}, {id, sizeof id}};
    (void)state;
    memset(name, 's', sizeof name);
    memset(id, 1, sizeof id);  /* six bytes each */
    line_init(&line, true, true, true);
    assert_true(line_head(&line, &e).len == 512 + 63);
    assert_true(line_tail(&line, &e, tail) == 128 * 6 + 49);
    e.stream.len = sizeof name;
    assert_true(line_head(&line, &e).len == sizeof name + 63);
    e.stream.len = 1;
    assert_true(line_head(&line, &e).len == 1 + 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_after_every_other),
        cmocka_unit_test(one_field_or_the_other),
        cmocka_unit_test(dates_follow_each_other),
        cmocka_unit_test(the_longest_that_fit),
    };
    return RUN(tests);
}
