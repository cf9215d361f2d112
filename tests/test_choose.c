/* test_choose.c - of an archive's records, those of an interval or a stream.
 * Method: rows, each through every slicing of tests/law.c; then random
 * archives, from their beginning and cut anywhere. */
#include "fetch/choose.h"

#include "base/chance.h"
#include "law.h"
#include "row.h"

#define STAMP(ms) "2026-11-09T00:00:00." ms "Z"
#define LINE(ms, s, m) \
    "{\"timestamp\":\"" STAMP(ms) "\",\"stream\":\"" s "\",\"message\":\"" m \
    "\",\"id\":\"7\"}\n"
#define TEXT(ms, m) STAMP(ms) " " m "\n"

static const int64_t zero_ms = 1794182400000;  /* STAMP("000") */

struct subject {
    struct choose choose;
    struct choose_want want;
    enum choose_form form;
    bool middle;
    bool wanted;  /* what began before */
};

static struct stage *begin(void *context, struct fault *fault)
{
    struct subject *s = context;

    choose_init(&s->choose, &s->want, s->form, fault);
    if (s->middle)
        choose_middle(&s->choose);
    return &s->choose.stage;
}

#define FROM_100 LINE("100", "a/1", "x") LINE("199", "a/2", "y\\n")

static const struct row {
    const char *name, *in, *want;
    int64_t from, until;  /* ms after zero_ms; 0, 0: all */
    const char *stream;
    enum choose_form form;
    bool middle;
    uint64_t foreign;
} rows[] = {
    {"nothing gives nothing", "", "", 100, 200, "", CHOOSE_ANY, false, 0},
    {"the first instant belongs to it, the last does not",
     LINE("099", "s", "a") FROM_100 LINE("200", "s", "b"), FROM_100,
     100, 200, "", CHOOSE_ANY, false, 0},
    {"records may be in any order", LINE("200", "s", "a") LINE("100", "s", "b")
     LINE("300", "s", "c") LINE("199", "s", "d"),
     LINE("100", "s", "b") LINE("199", "s", "d"), 100, 200, "", CHOOSE_ANY,
     false, 0},
    {"a last line without its end", "{\"timestamp\":\"" STAMP("100")
     "\",\"message\":\"a\"}", "{\"timestamp\":\"" STAMP("100")
     "\",\"message\":\"a\"}", 100, 200, "", CHOOSE_ANY, false, 0},
    {"lines that are no records are left out and counted",
     "{\"a\":1}\n\n" LINE("100", "s", "a") "x\n{\"timestamp\":\"2026",
     LINE("100", "s", "a"), 100, 200, "", CHOOSE_ANY, false, 3},
    {"the rest of a record that began before is skipped",
     "\\\"message\\\":\\\"" STAMP("100") " x\"}\n" FROM_100, FROM_100,
     100, 200, "", CHOOSE_NDJSON, true, 0},
    {"a part may begin with a whole record", FROM_100, FROM_100, 100, 200, "",
     CHOOSE_NDJSON, true, 0},
    {"a stream's name begins so", FROM_100 LINE("150", "a", "z"),
     LINE("199", "a/2", "y\\n"), 0, 0, "a/2", CHOOSE_ANY, false, 0},
    {"a longer prefix than the name", FROM_100, "", 0, 0, "a/22", CHOOSE_ANY,
     false, 0},
    {"a name is decoded first", LINE("100", "\\\"\\u00e9\\/x", "a"),
     LINE("100", "\\\"\\u00e9\\/x", "a"), 0, 0, "\"\xc3\xa9/", CHOOSE_ANY,
     false, 0},
    {"a record without a stream is of none",
     "{\"timestamp\":\"" STAMP("100") "\",\"message\":\"a\"}\n", "", 0, 0, "a",
     CHOOSE_ANY, false, 0},
    {"stream and time", FROM_100, LINE("100", "a/1", "x"), 100, 199, "a/",
     CHOOSE_ANY, false, 0},
    {"text: lines belong to the record before",
     TEXT("099", "a\n\n b") TEXT("100", "c\n  d\n") TEXT("200", "e\nf"),
     TEXT("100", "c\n  d\n"), 100, 200, "", CHOOSE_ANY, false, 0},
    {"text: lines before the first record have no time",
     "x\n\n" TEXT("100", "a"), TEXT("100", "a"), 100, 200, "", CHOOSE_ANY,
     false, 1},
    {"text: the rest of a record that began before is skipped",
     "x\ny\n" TEXT("100", "a\nb"), TEXT("100", "a\nb"), 100, 200, "",
     CHOOSE_TEXT, true, 0},
    {"text: almost a time stamp is none",
     TEXT("100", "a\n2026-11-09T00:00:00.300Zb\n2026-11-09T00:00:00.30"),
     TEXT("100", "a\n2026-11-09T00:00:00.300Zb\n2026-11-09T00:00:00.30"),
     100, 200, "", CHOOSE_ANY, false, 0},
    {"text: a last line without its end", STAMP("100") " a\nb",
     STAMP("100") " a\nb", 100, 200, "", CHOOSE_ANY, false, 0},
};

static void test_rows(void **state)
{
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const struct row *r = &rows[i];
        bool all = r->from == 0 && r->until == 0;
        struct subject s = {
            .want = {all ? INT64_MIN : zero_ms + r->from,
                     all ? INT64_MAX : zero_ms + r->until,
                     view_of(r->stream)},
            .form = r->form, .middle = r->middle,
        };
        struct law law = {begin, &s};
        bool holds = law_gives(&law, view_of(r->in), view_of(r->want)) &&
                     row_number((int64_t)s.choose.foreign,
                                (int64_t)r->foreign);
        failures += BROKEN(r->name, holds);
    }
    assert_int_equal(failures, 0);
}

static void test_text_has_no_streams(void **state)
{
    struct subject s = {.want = {INT64_MIN, INT64_MAX, view_of("a")}};
    struct law law = {begin, &s};

    (void)state;
    assert_true(law_fails(&law, view_of(TEXT("100", "a")), ERROR_USAGE));
    assert_true(law_gives(&law, view_of(""), view_of("")));
}

/* Lines before the first record are of the one that began before, wanted or
 * not, even where nothing tells the form yet. */
static struct stage *begin_inside(void *context, struct fault *fault)
{
    struct subject *s = context;
    struct stage *stage = begin(s, fault);

    choose_inside(&s->choose, s->wanted);
    return stage;
}

static void test_what_began_before_goes_on(void **state)
{
    struct subject s = {.want = {zero_ms + 100, zero_ms + 200, {0}}};
    struct law law = {begin_inside, &s};
    const char *in = "rest\nmore\n" TEXT("100", "a") TEXT("300", "b");

    (void)state;
    s.wanted = true;
    assert_true(law_gives(&law, view_of(in),
                          view_of("rest\nmore\n" TEXT("100", "a"))));
    s.wanted = false;
    assert_true(law_gives(&law, view_of(in), view_of(TEXT("100", "a"))));
    assert_int_equal(s.choose.foreign, 0);
}

/* A head that is longer than any of ours is none. */
static void test_a_head_without_end(void **state)
{
    static char line[16 * HEAD_BYTES];
    struct subject s = {.want = {INT64_MIN, INT64_MAX, {0}}};
    struct law law = {begin, &s};
    struct text t;

    (void)state;
    text_init(&t, line, sizeof line);
    text_str(&t, "{\"timestamp\":\"" STAMP("100") "\",\"stream\":\"");
    for (int i = 0; i < HEAD_BYTES; i++)
        text_str(&t, "\\u0061");
    text_str(&t, "\",\"message\":\"a\"}\n");
    text_str(&t, LINE("100", "s", "x"));
    assert_false(t.overflow);
    assert_true(law_gives(&law, text_view(&t),
                          view_of(LINE("100", "s", "x"))));
    assert_int_equal(s.choose.foreign, 1);
}

/* ---- random archives ---- */

enum { RECORDS = 60, RANDOM_BYTES = 1 << 20 };

struct made {
    char     bytes[RANDOM_BYTES];
    uint32_t len;
    uint32_t at[RECORDS + 1];  /* where records begin; the end */
    int64_t  ms[RECORDS];
};

static void put_message(struct text *t, struct chance *c, bool text)
{
    static const char *const pieces[] = {
        "a", "\\\"timestamp\\\":\\\"", "\\\\", " ", "\\n", "{", "\xc3\xa9",
        STAMP("100"), "\\u0000", "long long long long long long long ",
    };
    uint64_t most = chance_below(c, 8) == 0 ? 3000 : 20;

    for (uint64_t n = chance_below(c, most); n > 0; n--)
        text_str(t, pieces[chance_below(c, ROW_COUNT(pieces))]);
    if (text && chance_below(c, 2) == 0)
        text_str(t, "\n  at\n");
}

static void make(struct made *m, struct chance *c, bool text)
{
    struct text t;

    text_init(&t, m->bytes, sizeof m->bytes);
    for (int i = 0; i < RECORDS; i++) {
        m->at[i] = t.len;
        m->ms[i] = zero_ms + (int64_t)chance_below(c, 30);
        text_str(&t, text ? "" : "{\"timestamp\":\"");
        date_rfc3339(&t, m->ms[i]);
        text_str(&t, text ? " " : "\",\"stream\":\"s\",\"message\":\"");
        put_message(&t, c, text);
        text_str(&t, text ? "\n" : "\"}\n");
    }
    assert_false(t.overflow);
    m->len = m->at[RECORDS] = t.len;
}

/* Cut anywhere: records that begin behind the cut come, and no others. */
static void test_any_interval_and_cut(void **state)
{
    static struct made m;
    static char want[RANDOM_BYTES];
    static const struct law_slicing wide = {65536, 65536, 65536, 65536},
                                    thin = {256, 64, 300, 50};
    static uint8_t out[LAW_OUT_BYTES];
    struct chance chance;
    struct law_result result = {.bytes = out};

    (void)state;
    chance_init(&chance, 5);
    for (int round = 0; round < 400; round++) {
        bool text = round % 2 != 0;
        make(&m, &chance, text);
        int64_t from = zero_ms + (int64_t)chance_below(&chance, 30);
        int64_t until = from + 1 + (int64_t)chance_below(&chance, 20);
        uint32_t first = (uint32_t)chance_below(&chance, RECORDS);
        uint32_t cut = m.at[first];
        if (chance_below(&chance, 4) > 0 && cut + 1 < m.at[first + 1])
            cut += 1 + (uint32_t)chance_below(&chance,
                                              m.at[first + 1] - cut - 1);
        first += cut > m.at[first];
        uint32_t len = 0;
        for (uint32_t i = first; i < RECORDS; i++)
            if (m.ms[i] >= from && m.ms[i] < until) {
                memcpy(want + len, m.bytes + m.at[i], m.at[i + 1] - m.at[i]);
                len += m.at[i + 1] - m.at[i];
            }
        struct subject s = {
            .want = {from, until, {0}}, .middle = true,
            .form = text ? CHOOSE_TEXT : CHOOSE_NDJSON,
        };
        struct law law = {begin, &s};
        struct view in = {(uint8_t *)m.bytes + cut, m.len - cut};
        assert_true(law_run(&law, in, round % 3 == 0 ? thin : wide, &result));
        assert_int_equal(result.flow, FLOW_ENDED);
        assert_int_equal(result.len, len);
        assert_memory_equal(out, want, len);
        assert_int_equal(s.choose.foreign, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_text_has_no_streams),
        cmocka_unit_test(test_what_began_before_goes_on),
        cmocka_unit_test(test_a_head_without_end),
        cmocka_unit_test(test_any_interval_and_cut),
    };
    return RUN(tests);
}
