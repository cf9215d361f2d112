/* test_stage.c - a row moves all bytes through, and knows why it stands.
 * Method: stages that double bytes, through rings of every small size; one
 * that fails in the middle. */
#include "base/stage.h"
#include "row.h"

/* Writes each byte twice; fails at an 'x'. */
struct twice {
    struct stage stage;
    uint8_t owed;
    bool    owes, failed;
};

static enum flow step(struct stage *self, struct ring *in, struct ring *out,
                      struct now now)
{
    struct twice *t = (struct twice *)self;
    struct view src = ring_peek(in);
    struct span dst = ring_reserve(out);

    (void)now;
    if (t->failed)
        return FLOW_FAILED;
    if (out->ended)
        return FLOW_ENDED;
    if (dst.len == 0)
        return FLOW_WANT_ROOM;
    if (!t->owes && src.len == 0) {
        if (!ring_drained(in))
            return FLOW_WANT_INPUT;
        ring_end(out);
        return FLOW_ENDED;
    }
    if (!t->owes && src.at[0] == 'x') {
        fault_set(t->stage.fault, ERROR_CORRUPT, "an x", 0);
        t->failed = true;
        return FLOW_FAILED;
    }
    dst.at[0] = t->owes ? t->owed : src.at[0];
    t->owed = dst.at[0];
    ring_consume(in, t->owes ? 0 : 1);
    ring_commit(out, 1);
    t->owes = !t->owes;
    return FLOW_MOVED;
}

struct bench {
    struct fault     fault;
    struct twice     twice[3];
    struct ring      ring[4];
    struct stage_row row;
    uint8_t          bytes[4][64];
    char             got[64];
    uint32_t         got_len;
};

static void begin(struct bench *b, uint32_t capacity)
{
    memset(b, 0, sizeof *b);
    for (int i = 0; i < 4; i++)
        ring_init(&b->ring[i], b->bytes[i], capacity);
    stage_row_init(&b->row, &b->ring[0]);
    for (int i = 0; i < 3; i++) {
        b->twice[i].stage = (struct stage){step, &b->fault};
        stage_row_add(&b->row, &b->twice[i].stage, &b->ring[i + 1]);
    }
}

static enum flow run(struct bench *b, struct view in)
{
    struct now now = {0, 0};
    enum flow flow = FLOW_MOVED;

    for (int turn = 0; turn < 1000; turn++) {
        in = view_slice(in, ring_write(&b->ring[0], in), in.len);
        if (in.len == 0)
            ring_end(&b->ring[0]);
        flow = stage_row_step(&b->row, now);
        struct view v = ring_peek(&b->ring[3]);
        memcpy(b->got + b->got_len, v.at, v.len);
        b->got_len += v.len;
        ring_consume(&b->ring[3], v.len);
        if (flow == FLOW_FAILED && stage_row_cut(&b->row))
            continue;
        if (flow != FLOW_MOVED && flow != FLOW_WANT_ROOM && v.len == 0)
            break;
    }
    return flow;
}

static void test_all_comes_through(void **state)
{
    static struct bench b;

    (void)state;
    for (uint32_t capacity = 1; capacity <= 64; capacity *= 2) {
        begin(&b, capacity);
        assert_int_equal(run(&b, view_of("abc")), FLOW_ENDED);
        assert_int_equal(b.got_len, 24);
        assert_memory_equal(b.got, "aaaaaaaabbbbbbbbcccccccc", 24);
    }
}

static void test_why_it_stands(void **state)
{
    static struct bench b;
    struct now now = {0, 0};

    (void)state;
    begin(&b, 4);
    assert_int_equal(stage_row_step(&b.row, now), FLOW_WANT_INPUT);
    ring_write(&b.ring[0], view_of("ab"));
    while (stage_row_step(&b.row, now) == FLOW_MOVED)
        assert_true(ring_len(&b.ring[3]) <= 4);
    assert_int_equal(stage_row_step(&b.row, now), FLOW_WANT_ROOM);
    ring_consume(&b.ring[3], 4);
    assert_int_equal(stage_row_step(&b.row, now), FLOW_MOVED);
}

/* The first stage fails: what it wrote before still comes out. */
static void test_what_was_good_comes_out(void **state)
{
    static struct bench b;

    (void)state;
    for (uint32_t capacity = 1; capacity <= 64; capacity *= 2) {
        begin(&b, capacity);
        assert_int_equal(run(&b, view_of("abxc")), FLOW_ENDED);
        assert_int_equal(b.fault.error, ERROR_CORRUPT);
        assert_int_equal(b.got_len, 16);
        assert_memory_equal(b.got, "aaaaaaaabbbbbbbb", 16);
    }
}

static void test_no_stage_comes_after_the_last(void **state)
{
    static struct bench b;

    (void)state;
    begin(&b, 4);
    b.row.count = 1;
    ring_write(&b.ring[0], view_of("x"));
    assert_int_equal(stage_row_step(&b.row, (struct now){0, 0}), FLOW_FAILED);
    assert_false(stage_row_cut(&b.row));
    assert_false(b.ring[1].ended);
}

static uint32_t turns;

static enum flow spin(struct stage *self, struct ring *in, struct ring *out,
                      struct now now)
{
    (void)self;
    (void)in;
    (void)out;
    (void)now;
    turns++;
    return FLOW_MOVED;
}

/* One that could go on for ever gives way to the others. */
static void test_a_step_is_bounded(void **state)
{
    static struct bench b;
    struct stage endless = {spin, &b.fault};
    struct stage_row row;

    (void)state;
    begin(&b, 4);
    stage_row_init(&row, &b.ring[0]);
    stage_row_add(&row, &endless, &b.ring[1]);
    turns = 0;
    assert_int_equal(stage_row_step(&row, (struct now){0, 0}), FLOW_MOVED);
    assert_int_equal(turns, STAGE_TURNS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_comes_through),
        cmocka_unit_test(test_why_it_stands),
        cmocka_unit_test(test_what_was_good_comes_out),
        cmocka_unit_test(test_no_stage_comes_after_the_last),
        cmocka_unit_test(test_a_step_is_bounded),
    };
    return RUN(tests);
}
