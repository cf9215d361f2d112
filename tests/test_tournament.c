/* test_tournament.c - sorted runs become one, of equal times the earlier first.
 * Method: random runs through rings of every size, filled in pieces of every
 * size, against a plain stable sort; what comes out with heads is a run again;
 * a run out of order is refused. */
#include <stdlib.h>

#include "base/chance.h"
#include "pack/tournament.h"
#include "row.h"

enum { RUNS_MOST = TOURNAMENT_MOST, SORTRUN_BYTES = 8192, RECORDS_MOST = 40,
       OUT_BYTES = RUNS_MOST * SORTRUN_BYTES, RING_MOST = 256 };

struct record {
    int64_t  at_ms;
    uint32_t number, len;
    uint8_t  bytes[300];
};

struct fixture {
    struct chance chance;
    uint32_t runs, records;
    struct { uint32_t len; uint8_t bytes[SORTRUN_BYTES]; } run[RUNS_MOST];
    struct record record[RUNS_MOST * RECORDS_MOST];
    uint8_t  rings[RUNS_MOST][RING_MOST];
    uint32_t len;
    uint8_t  out[OUT_BYTES];
    struct tournament t;
    struct fault fault;
};

static void add_head(struct fixture *f, uint32_t run, struct sortrun_head head)
{
    run_head_write(f->run[run].bytes + f->run[run].len, head);
    f->run[run].len += RUN_HEAD_BYTES;
}

static void add_record(struct fixture *f, uint32_t run, int64_t at_ms)
{
    struct record *r = &f->record[f->records];
    bool is_long = chance_below(&f->chance, 20) == 0;

    r->number = f->records++;
    r->at_ms = at_ms;
    r->len = 1 + (uint32_t)chance_below(&f->chance, is_long ? 299 : 20);
    for (uint32_t i = 0; i < r->len; i++)
        r->bytes[i] = (uint8_t)chance_next(&f->chance);
    add_head(f, run, (struct sortrun_head){at_ms, r->len});
    assert_true(f->run[run].len + r->len + RUN_HEAD_BYTES <= SORTRUN_BYTES);
    memcpy(f->run[run].bytes + f->run[run].len, r->bytes, r->len);
    f->run[run].len += r->len;
}

static void make_runs(struct fixture *f, uint32_t runs)
{
    f->runs = runs;
    f->records = 0;
    for (uint32_t i = 0; i < runs; i++) {
        int64_t at_ms = chance_below(&f->chance, 5) == 0 ? SORTRUN_FRONT : -20;
        f->run[i].len = 0;
        for (uint64_t n = chance_below(&f->chance, RECORDS_MOST); n > 0; n--) {
            add_record(f, i, at_ms);
            at_ms = at_ms < 0 ? 0 : at_ms;
            at_ms += (int64_t)chance_below(&f->chance, 3);
        }
        add_head(f, i, (struct sortrun_head){0, 0});
    }
}

static void fill(struct fixture *f)
{
    struct tournament_input *in = &f->t.input[f->t.wanted];
    uint32_t left = f->run[f->t.wanted].len - (uint32_t)in->next;
    uint32_t most = 1 + (uint32_t)chance_below(&f->chance, in->ring.capacity);

    assert_true(left > 0 && ring_len(&in->ring) == 0);
    (void)ring_write(&in->ring, (struct view){
        f->run[f->t.wanted].bytes + in->next, left < most ? left : most});
}

static enum flow merge(struct fixture *f, bool heads)
{
    enum flow flow;

    fault_reset(&f->fault);
    f->len = 0;
    tournament_init(&f->t, heads, &f->fault);
    for (uint32_t i = 0; i < f->runs; i++)
        tournament_add(&f->t, (struct span){
            f->rings[i], 1u << chance_below(&f->chance, 9)});
    while ((flow = tournament_step(&f->t)) != FLOW_ENDED &&
           flow != FLOW_FAILED) {
        if (flow == FLOW_WANT_INPUT)
            fill(f);
        if (flow != FLOW_WANT_ROOM)
            continue;
        struct view v = tournament_peek(&f->t);
        uint32_t len = 1 + (uint32_t)chance_below(&f->chance, v.len);
        assert_true(v.len > 0);
        memcpy(f->out + f->len, v.at, len);
        f->len += len;
        tournament_consume(&f->t, len);
    }
    assert_int_equal(tournament_step(&f->t), flow);
    return flow;
}

static int by_time(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    int key = (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);

    return key != 0 ? key : (x->number > y->number) - (x->number < y->number);
}

static bool is_merged(struct fixture *f, bool heads)
{
    static uint8_t want[OUT_BYTES];
    uint32_t len = 0;

    qsort(f->record, f->records, sizeof *f->record, by_time);
    for (uint32_t i = 0; i < f->records; i++) {
        const struct record *r = &f->record[i];
        if (heads)
            run_head_write(want + len, (struct sortrun_head){r->at_ms, r->len});
        len += heads ? RUN_HEAD_BYTES : 0;
        memcpy(want + len, r->bytes, r->len);
        len += r->len;
    }
    if (heads)
        run_head_write(want + len, (struct sortrun_head){0, 0});
    len += heads ? RUN_HEAD_BYTES : 0;
    return f->t.records == f->records && f->len == len &&
           memcmp(f->out, want, len) == 0;
}

static void test_random(void **state)
{
    static struct fixture f;

    (void)state;
    chance_init(&f.chance, 8);
    for (uint32_t round = 0; round < 600; round++) {
        bool heads = round % 2 == 0;
        uint32_t runs = round < RUNS_MOST ? round + 1
                      : 1 + (uint32_t)chance_below(&f.chance, RUNS_MOST);
        make_runs(&f, runs);
        assert_int_equal(merge(&f, heads), FLOW_ENDED);
        assert_true(is_merged(&f, heads));
    }
}

static void test_out_of_order(void **state)
{
    static struct fixture f;

    (void)state;
    chance_init(&f.chance, 9);
    for (uint32_t bad = 0; bad < 3; bad++) {
        make_runs(&f, 3);
        f.run[bad].len = 0;
        add_record(&f, bad, 100);
        add_record(&f, bad, 99);
        add_head(&f, bad, (struct sortrun_head){0, 0});
        assert_int_equal(merge(&f, false), FLOW_FAILED);
        assert_int_equal(f.fault.error, ERROR_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_out_of_order),
    };
    return RUN(tests);
}
