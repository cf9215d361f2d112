/* test_sortrun.c - records become runs, sorted by time, equal ones in place.
 * Method: rows of lines and what the run holds; random lines in random slices
 * through spans of random sizes against a plain stable sort; and that runs
 * begin at the same records however the bytes were sliced. */
#include <stdlib.h>

#include "base/chance.h"
#include "base/crc.h"
#include "pack/sortrun.h"
#include "row.h"

#define AT(ms) "2026-11-09T00:00:00." ms "Z"
#define JSON(ms, rest) "{\"timestamp\":\"" AT(ms) "\"" rest "}\n"

enum { SPAN_BYTES = 65536, OUT_BYTES = 1 << 20 };

static _Alignas(16) uint8_t span[SPAN_BYTES];

/* All runs one behind the other, without heads; a '|' behind each. */
struct made {
    struct text out;
    uint32_t    runs;
    bool        sound;
    char        bytes[OUT_BYTES];
};

static void take_run(struct sortrun *r, struct made *m)
{
    static uint8_t all[SPAN_BYTES];
    uint32_t len = 0, at = 0, records = r->count;
    struct sortrun_sorted s = sortrun_sort(r);
    int64_t last_ms = INT64_MIN;

    for (uint32_t i = 0; i < s.count; i++) {
        memcpy(all + len, s.slices[i].at, s.slices[i].len);
        len += s.slices[i].len;
    }
    m->sound = m->sound && s.bytes == len &&
               s.crc == crc64_add(0, (struct view){all, len});
    for (uint32_t i = 0; i <= records; i++) {
        struct sortrun_head h = run_head_read(all + at);
        at += RUN_HEAD_BYTES;
        m->sound = m->sound && (h.len == 0) == (i == records) &&
                   (h.len == 0 || h.at_ms >= last_ms);
        text_put(&m->out, (struct view){all + at, h.len});
        at += h.len;
        last_ms = h.at_ms;
    }
    m->sound = m->sound && at == len;
    text_char(&m->out, '|');
    m->runs++;
    sortrun_next(r);
}

/* Where `files` has a NUL, another file begins. */
static bool sort_all(struct made *m, struct view in, uint32_t span_bytes,
                     uint32_t slice_most, struct fault *fault)
{
    struct sortrun r;
    struct chance c;
    bool good = true;

    fault_reset(fault);
    chance_init(&c, slice_most);
    text_init(&m->out, m->bytes, sizeof m->bytes);
    m->runs = 0;
    m->sound = true;
    sortrun_init(&r, (struct span){span, span_bytes}, fault);
    while (good && in.len > 0) {
        uint32_t len = 1 + (uint32_t)chance_below(&c, slice_most);
        len = len < in.len ? len : in.len;
        struct view piece = view_slice(in, 0, len);
        piece.len = view_find(piece, '\0');
        if (piece.len == 0) {
            struct view none = {0};
            while ((good = sortrun_add(&r, &none)) && r.full)
                take_run(&r, m);
            sortrun_file(&r);
            in = view_slice(in, 1, in.len);
            continue;
        }
        in = view_slice(in, piece.len, in.len);
        while ((good = sortrun_add(&r, &piece)) && r.full) {
            take_run(&r, m);
            if (piece.len == 0 && in.len == 0)
                break;  /* what is still owed is the end's */
        }
        assert_true(!good || piece.len == 0);
    }
    while (good && (good = sortrun_end(&r)) && r.full)
        take_run(&r, m);
    return good;
}

static const struct row {
    const char *name, *in, *want;
} rows[] = {
    {"no input makes no run", "", ""},
    {"a record is a run", AT("001") " a\n", AT("001") " a\n|"},
    {"records are put in order",
     AT("003") " c\n" AT("001") " a\n" AT("002") " b\n",
     AT("001") " a\n" AT("002") " b\n" AT("003") " c\n|"},
    {"equal times stay as they came",
     AT("002") " b\n" AT("001") " 1\n" AT("001") " 2\n" AT("001") " 3\n",
     AT("001") " 1\n" AT("001") " 2\n" AT("001") " 3\n" AT("002") " b\n|"},
    {"lines without a time go with their record",
     AT("002") " b\n  at x\n\n" AT("001") " a\n\tat y\n",
     AT("001") " a\n\tat y\n" AT("002") " b\n  at x\n\n|"},
    {"lines before all records are first",
     "x\ny\n" AT("002") " b\n" AT("001") " a\n",
     "x\ny\n" AT("001") " a\n" AT("002") " b\n|"},
    {"nothing but such lines", "x\n\n", "x\n\n|"},
    {"almost a time is none",
     AT("002") " b\n2026-11-09T00:00:00.001Zx\n2026-11-09T00:00:00.001\n"
     "2026-13-09T00:00:00.001Z x\n" AT("001") " a\n",
     AT("001") " a\n" AT("002") " b\n2026-11-09T00:00:00.001Zx\n"
     "2026-11-09T00:00:00.001\n2026-13-09T00:00:00.001Z x\n|"},
    {"an empty message", AT("002") " \n" AT("001") " \n",
     AT("001") " \n" AT("002") " \n|"},
    {"CRLF and NULs are bytes", AT("002") " b\r\n" AT("001") " \x01\r\n",
     AT("001") " \x01\r\n" AT("002") " b\r\n|"},
    {"ndjson", JSON("002", ",\"message\":\"b\"") JSON("001", ""),
     JSON("001", "") JSON("002", ",\"message\":\"b\"") "|"},
    {"ndjson: a line without a time goes with the one before",
     JSON("002", "") "{}\n" JSON("001", ""),
     JSON("001", "") JSON("002", "") "{}\n|"},
    {"in text a line of ndjson is none",
     AT("002") " b\n" JSON("000", "") AT("001") " a\n",
     AT("001") " a\n" AT("002") " b\n" JSON("000", "") "|"},
    {"in ndjson a line of text is none",
     JSON("002", "") AT("000") " x\n" JSON("001", ""),
     JSON("001", "") JSON("002", "") AT("000") " x\n|"},
};

static void test_rows(void **state)
{
    static struct made m;
    struct fault fault;
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        for (uint32_t most = 1; most < 300; most *= 2)
            failures += BROKEN(rows[i].name,
                               sort_all(&m, view_of(rows[i].in), SPAN_BYTES,
                                        most, &fault) &&
                               row_text(&m.out, rows[i].want) && m.sound);
    assert_int_equal(failures, 0);
}

static void test_each_file_has_a_form(void **state)
{
    static const char in[] = AT("003") " c\n" JSON("009", "") "\0"
                             JSON("002", "") AT("000") " x\n\0"
                             "rest\n" AT("001") " a\n";
    static struct made m;
    struct fault fault;

    (void)state;
    assert_true(sort_all(&m, (struct view){(const uint8_t *)in,
                                           sizeof in - 1},
                         SPAN_BYTES, 100, &fault));
    assert_true(row_text(&m.out, AT("001") " a\n" JSON("002", "")
                         AT("000") " x\nrest\n" AT("003") " c\n"
                         JSON("009", "") "|") && m.sound);
}

/* ---- what does not fit ---- */

static uint8_t many[SPAN_BYTES * 2];

static struct view record_of(uint32_t bytes)
{
    memset(many, 'x', sizeof many);
    memcpy(many, AT("001") " ", 25);
    many[bytes - 1] = '\n';
    return (struct view){many, bytes};
}

static void test_a_record_fits_or_not(void **state)
{
    static struct made m;
    const uint32_t most = 1024 - RUN_HEAD_BYTES - 2 * 16;
    struct fault fault;

    (void)state;
    for (uint32_t slice = 1; slice < 2000; slice += 333) {
        assert_true(sort_all(&m, record_of(most), 1024, slice, &fault));
        assert_true(m.sound && m.runs == 1 && m.out.len == most + 1);
        assert_false(sort_all(&m, record_of(most + 1), 1024, slice, &fault));
        assert_int_equal(fault.error, ERROR_LIMIT);
        assert_string_equal(fault.what, "CFG_SLOT_COUNT");
    }
}

/* Its last line is what does not fit, known only when all has come: beside the
 * record before it not, and not alone. */
static void test_a_last_line_fits_or_not(void **state)
{
    static struct made m;
    const uint32_t most = 1024 - RUN_HEAD_BYTES - 2 * 16, line = 29;
    struct fault fault;

    (void)state;
    for (uint32_t more = 0; more < 2; more++) {
        struct view v = record_of(1 + most + more);
        many[0] = '\n';
        memcpy(many + 1, AT("001") " ", 25);
        many[most - line] = '\n';
        bool good = sort_all(&m, v, 1024, v.len, &fault);
        assert_int_equal(good, more == 0);
        if (good)
            assert_true(m.sound && m.runs == 2 && m.out.len == v.len + 2);
        else
            assert_int_equal(fault.error, ERROR_LIMIT);
    }
}

/* ---- random lines ---- */

enum { RECORDS = 400 };

struct record {
    int64_t  key;
    uint32_t at, len, number;
};

static int by_time(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    int key = (x->key > y->key) - (x->key < y->key);

    return key != 0 ? key : (x->number > y->number) - (x->number < y->number);
}

static void put_record(struct text *t, struct chance *c, uint64_t ms)
{
    text_str(t, "2026-11-09T00:00:00.");
    text_pad(t, ms, 3);
    text_str(t, "Z ");
    for (uint64_t n = chance_below(c, chance_below(c, 9) == 0 ? 400 : 30);
         n > 0; n--)
        text_char(t, "a\n\r -:TZ0"[chance_below(c, 9)]);
    text_char(t, '\n');
}

/* Runs are what a plain sort makes of as many records. */
static bool is_sorted(const struct made *m, const char *in,
                      struct record *records)
{
    static char want[OUT_BYTES];
    uint32_t from = 0, at = 0;
    struct text t;

    text_init(&t, want, sizeof want);
    for (uint32_t run = 0; run < m->runs; run++) {
        uint32_t end = at + view_find(view_slice(text_view(&m->out), at,
                                                 m->out.len), '|');
        uint32_t len = 0, to = from;
        while (len < end - at)
            len += records[to++].len;
        qsort(records + from, to - from, sizeof *records, by_time);
        for (; from < to; from++)
            text_put(&t, (struct view){(const uint8_t *)in + records[from].at,
                                       records[from].len});
        text_char(&t, '|');
        at = end + 1;
    }
    return from == RECORDS && view_equal(text_view(&t), text_view(&m->out));
}

static void test_random(void **state)
{
    static char in[OUT_BYTES];
    static struct made m, again;
    static struct record records[RECORDS];
    struct chance c;
    struct fault fault;

    (void)state;
    chance_init(&c, 3);
    for (int round = 0; round < 200; round++) {
        struct text t;
        text_init(&t, in, sizeof in);
        uint64_t times = 1 + chance_below(&c, 900);
        for (uint32_t i = 0; i < RECORDS; i++) {
            uint64_t ms = chance_below(&c, times);
            uint32_t at = t.len;
            put_record(&t, &c, ms);
            records[i] = (struct record){(int64_t)ms, at, t.len - at, i};
        }
        uint32_t bytes = 1024 + 16 * (uint32_t)chance_below(&c, 3000);
        uint32_t slice = 1 + (uint32_t)chance_below(&c, 2000);
        assert_true(sort_all(&m, text_view(&t), bytes, slice, &fault));
        assert_true(m.sound && is_sorted(&m, in, records));
        assert_true(sort_all(&again, text_view(&t), bytes, 7, &fault));
        assert_true(view_equal(text_view(&m.out), text_view(&again.out)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_each_file_has_a_form),
        cmocka_unit_test(test_a_record_fits_or_not),
        cmocka_unit_test(test_a_last_line_fits_or_not),
        cmocka_unit_test(test_random),
    };
    return RUN(tests);
}
