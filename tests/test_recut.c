/* test_recut.c - objects of lines become blocks again.
 * Method: objects of every form through rings of several sizes, packed as they
 * are (pack.h, none): the blocks' bytes are the lines, whatever the slicing;
 * where blocks end, what they count, what waits for slots, what is lent. */
#include "base/chance.h"
#include "packed.h"
#include "pack/recut.h"
#include "row.h"

enum { SLOTS = 3 * PACK_SLOTS, BLOCKS_MOST = 64, OUT_BYTES = 1 << 20 };
#define STAMP "2026-11-09T00:00:0"  /* and a digit, ".000Z " */

static struct lane_shared shared;
static struct arena arena;
static uint8_t  arena_bytes[(size_t)SLOTS * CFG_SLOT_BYTES];
static uint16_t arena_next[SLOTS];
static struct recut job;
static struct block blocks[BLOCKS_MOST];
static uint32_t block_count, out_len, piece_bytes;
static char     out[OUT_BYTES];

static void begin(const struct choose_want *want)
{
    arena_init(&arena, (struct span){arena_bytes, sizeof arena_bytes},
               arena_next, CFG_SLOT_BYTES);
    pack_init(&shared.pack, PACK_NONE);
    shared.arena = &arena;
    block_count = out_len = 0;
    piece_bytes = 1 << 16;
    recut_init(&job, &shared, want);
}

static void take(void)
{
    assert_int_equal(recut_step(&job, NULL), FLOW_WANT_ROOM);
    while (job.chain.bytes > 0) {
        struct view v = chain_peek(&arena, &job.chain);
        memcpy(out + out_len, v.at, v.len);
        out_len += v.len;
        chain_consume(&arena, &job.chain, v.len);
    }
    blocks[block_count++] = job.block;
    recut_take(&job);
}

/* One object, to its end, or until it waits for slots or a fault. */
static enum flow go_on(struct ring *in, struct view *left)
{
    for (;;) {
        uint32_t len = left->len < piece_bytes ? left->len : piece_bytes;
        len = ring_write(in, view_slice(*left, 0, len));
        *left = view_slice(*left, len, left->len);
        if (left->len == 0 && !in->ended)
            ring_end(in);
        enum flow flow = recut_step(&job, in);
        if (job.ready)
            take();
        else if (flow == FLOW_WANT_ROOM || flow == FLOW_FAILED)
            return flow;
        if (flow == FLOW_ENDED)
            return flow;
    }
}

static uint8_t in_bytes[1 << 16];

static enum flow put(uint64_t number, struct view bytes)
{
    struct ring in;
    ring_init(&in, in_bytes, piece_bytes);
    recut_object(&job, number, INFLATE_ANY);
    return go_on(&in, &bytes);
}

static void end(void)
{
    assert_true(recut_end(&job));
    if (job.ready)
        take();
    assert_int_equal(job.len, 0);
    assert_int_equal(arena.free_count, arena.slot_count);
}

static struct view gzip(const char *lines)
{
    static struct packed file;
    file.len = 0;
    packed_stored(&file, 0, 0, lines);
    return packed_view(&file);
}

/* --- bytes ---------------------------------------------------------------- */

static const struct row {
    const char *name;
    const char *objects[4];
    const char *behind;       /* bytes behind the data of the second */
    const char *want;
    bool        glued;
} rows[] = {
    {"nothing", {NULL}, "", "", false},
    {"lines", {"a\nb\n", "c\n"}, "", "a\nb\nc\n", false},
    {"a last line without its newline", {"a\nb", "c\n"}, "", "a\nb\nc\n", true},
    {"the last of all", {"a\n", "b"}, "", "a\nb\n", true},
    {"an empty object", {"", "a\n"}, "", "a\n", false},
    {"rubbish behind the data", {"a\n", "b\n"}, "xx", "a\nb\n", false},
};

static bool row_holds(const struct row *row, bool packed, uint32_t piece)
{
    uint64_t in = 0;
    begin(NULL);
    piece_bytes = piece;
    for (uint32_t i = 0; row->objects[i] != NULL; i++) {
        static struct packed file;
        struct view v = view_of(row->objects[i]);
        file.len = 0;
        if (packed)
            packed_put(&file, gzip(row->objects[i]).at,
                       gzip(row->objects[i]).len);
        if (packed && i == 1)
            packed_put(&file, row->behind, (uint32_t)strlen(row->behind));
        if (put(i, packed ? packed_view(&file) : v) != FLOW_ENDED)
            return false;
        in += v.len;
    }
    end();
    out[out_len] = '\0';
    return row_string(out, row->want) && job.glued == row->glued &&
           job.rubbish == (packed && row->behind[0] != '\0') &&
           job.raw_bytes_in == in + row->glued &&
           job.raw_bytes_out == out_len &&
           block_count == (out_len > 0 ? 1 : 0);
}

static void lines_come_back(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        for (int packed = 0; packed < 2; packed++)
            for (uint32_t piece = 1; piece <= 1 << 16; piece *= 4)
                failures += BROKEN(rows[i].name,
                                   row_holds(&rows[i], packed, piece));
    assert_int_equal(failures, 0);
}

/* --- where blocks end ----------------------------------------------------- */

static char many[4 * CFG_BLOCK_BYTES];

/* Lines of `line` bytes with their newline. */
static struct view lines_of(uint32_t bytes, uint32_t line)
{
    for (uint32_t i = 0; i < bytes; i++)
        many[i] = i % line == line - 1 ? '\n' : (char)('a' + i % 23);
    many[bytes - 1] = '\n';
    return (struct view){(uint8_t *)many, bytes};
}

static void blocks_end_with_half_full_objects(void **state)
{
    enum { FULL = CFG_BLOCK_BYTES, HALF = FULL / 2 };
    static const struct { const char *name; uint32_t bytes, line;
                          uint32_t lens[4]; } row[] = {
        {"less than half", HALF - 1, 64, {HALF - 1 + 9}},
        {"half", HALF, 64, {HALF, 9}},
        {"a block", FULL, 64, {FULL, 9}},
        {"lines that end with it", FULL + 64, 64, {FULL, 64 + 9}},
        {"lines that do not", FULL + 64, 100, {FULL / 100 * 100,
                                               FULL + 64 + 9 -
                                                   FULL / 100 * 100}},
        {"a line longer than a block", 2 * FULL + 5, 2 * FULL + 5,
         {FULL, FULL, 5 + 9}},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(row); i++)
        for (uint32_t piece = 64; piece <= 1 << 16; piece *= 32) {
            uint32_t n = 0;
            begin(NULL);
            piece_bytes = piece;
            bool ok = put(7, lines_of(row[i].bytes, row[i].line)) ==
                          FLOW_ENDED &&
                      put(8, view_of("the last\n")) == FLOW_ENDED;
            end();
            uint32_t closed = row[i].bytes;  /* bytes before the next object */
            for (; n < 4 && row[i].lens[n] > 0; n++) {
                bool next = closed == 0;
                ok = ok && row_number(blocks[n].raw_bytes, row[i].lens[n]) &&
                     blocks[n].packed_bytes == row[i].lens[n] &&
                     row_number(blocks[n].begin_ms,
                                n == 0 ? 7 : next ? 8 : BLOCK_INNER);
                closed -= closed < row[i].lens[n] ? closed : row[i].lens[n];
            }
            failures += BROKEN(row[i].name, ok && block_count == n &&
                               memcmp(out, many, row[i].bytes) == 0);
        }
    assert_int_equal(failures, 0);
}

/* --- what they count ------------------------------------------------------ */

static void records_are_counted_where_they_begin(void **state)
{
    static char text[2 * CFG_BLOCK_BYTES];
    struct text t;
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        bool checks = kind & 1, older = kind & 2;
        text_init(&t, text, sizeof text);
        text_str(&t, STAMP "5.000Z five\n");
        text_str(&t, older ? STAMP "3" : STAMP "7");
        text_str(&t, ".000Z another, which is long: ");
        while (t.len < CFG_BLOCK_BYTES + 100)
            text_str(&t, "xxxxxxxxx\n");
        text_str(&t, STAMP "9.000Z nine\n");
        begin(NULL);
        if (checks)
            recut_init(&job, NULL, NULL);
        assert_int_equal(put(1, text_view(&t)), FLOW_ENDED);
        end();
        assert_true(job.census.tally.events == 3);
        assert_int_equal(block_count, checks ? 0 : 2);
        assert_true(job.raw_bytes_out == t.len);
        if (checks)
            continue;
        int64_t first = blocks[0].first_ms;
        assert_int_equal(blocks[0].events, 2);
        assert_int_equal(blocks[0].last_ms - first, 2000);
        assert_int_equal(blocks[1].events, 1);
        /* the one that goes on in the other block belongs to both */
        assert_int_equal(blocks[1].first_ms - first, older ? 0 : 2000);
        assert_int_equal(blocks[1].last_ms - first, older ? 6000 : 4000);
        assert_true(blocks[1].settled.events + blocks[0].settled.events == 3);
    }
}

/* --- what is chosen ------------------------------------------------------- */

static const struct choose_want from_three = {
    .from_ms = INT64_C(1794182403000), .until_ms = INT64_MAX,
};

static void records_are_chosen(void **state)
{
    (void)state;
    for (uint32_t piece = 1; piece <= 1 << 16; piece *= 16) {
        begin(&from_three);
        piece_bytes = piece;
        assert_false(recut_wants(&job));
        (void)put(0, view_of(STAMP "1.000Z a\n more\n"));
        assert_false(recut_wants(&job));
        (void)put(1, view_of(" of it\n" STAMP "4.000Z b\n more"));
        assert_true(recut_wants(&job));
        (void)put(2, view_of(" of b\n" STAMP "2.000Z c\n"));
        assert_false(recut_wants(&job));
        end();
        out[out_len] = '\0';
        assert_true(row_string(out, STAMP "4.000Z b\n more\n of b\n"));
        assert_int_equal(blocks[0].begin_ms, 1);  /* of 0 nothing is left */
    }
}

/* A run before this one was within a record here. */
static void it_begins_inside_a_record(void **state)
{
    static const struct { const struct choose_want *want; bool wanted;
                          const char *out; } row[] = {
        {&from_three, true, " more\n" STAMP "4.000Z b\n"},
        {&from_three, false, STAMP "4.000Z b\n"},
        {NULL, false, " more\n" STAMP "4.000Z b\n"},
    };
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(row); i++) {
        begin(row[i].want);
        recut_inside(&job, row[i].wanted);
        assert_int_equal(recut_wants(&job), row[i].wanted);
        (void)put(5, view_of(" more\n" STAMP "4.000Z b\n"));
        end();
        out[out_len] = '\0';
        assert_true(row_string(out, row[i].out));
    }
}

/* So many short lines that one step does not look at all of them. */
static void many_that_are_not_wanted(void **state)
{
    (void)state;
    begin(&from_three);
    assert_int_equal(put(0, view_of(STAMP "1.000Z a\n")), FLOW_ENDED);
    assert_int_equal(put(1, lines_of(60000, 2)), FLOW_ENDED);
    assert_int_equal(put(2, view_of(STAMP "4.000Z b\n")), FLOW_ENDED);
    end();
    out[out_len] = '\0';
    assert_true(row_string(out, STAMP "4.000Z b\n"));
}

/* --- what it waits for ---------------------------------------------------- */

/* All slots but so many are someone else's. */
static struct chain taken;

static void leave_slots(uint32_t count)
{
    chain_init(&taken);
    while (arena.free_count > count) {
        struct span room = chain_reserve(&arena, &taken, true);
        chain_commit(&arena, &taken, room.len);
    }
}

static void it_waits_for_slots(void **state)
{
    static const struct { const char *name; uint32_t bytes; bool at_end; }
    row[] = {
        {"in the middle of an object", CFG_BLOCK_BYTES + 100, false},
        {"at the end of an object", CFG_BLOCK_BYTES / 2, false},
        {"at the end of all", 100, true},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(row); i++) {
        struct ring in;
        struct view left = lines_of(row[i].bytes, 50);
        begin(NULL);
        leave_slots(PACK_SLOTS - 1);
        ring_init(&in, in_bytes, piece_bytes);
        recut_object(&job, 0, INFLATE_ANY);
        enum flow flow = go_on(&in, &left);
        bool ok = flow == (row[i].at_end ? FLOW_ENDED : FLOW_WANT_ROOM) &&
                  block_count == 0;
        if (row[i].at_end)
            ok = ok && !recut_end(&job) && !job.ready;
        else
            ok = ok && recut_step(&job, &in) == FLOW_WANT_ROOM && !job.ready;
        chain_clear(&arena, &taken);
        if (!row[i].at_end)
            ok = ok && go_on(&in, &left) == FLOW_ENDED;
        end();
        failures += BROKEN(row[i].name, ok && out_len == row[i].bytes &&
                           memcmp(out, many, out_len) == 0);
    }
    assert_int_equal(failures, 0);
}

/* --- what is lent --------------------------------------------------------- */

/* Lines go elsewhere, and what comes of them is cut. A file as long as the
 * ring waits until there is room for the newline that it lacks. */
static void lines_are_lent(void **state)
{
    static const uint32_t lens[] = {10, CFG_LANE_RING_BYTES,
                                    CFG_LANE_RING_BYTES + 10};
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(lens); i++) {
        struct ring in;
        struct view left = lines_of(lens[i], 30);
        uint32_t waits = 0, lent = 0;
        many[lens[i] - 1] = 'x';
        begin(NULL);
        job.lends = true;
        ring_init(&in, in_bytes, piece_bytes);
        recut_object(&job, 0, INFLATE_PLAIN);
        while (go_on(&in, &left) == FLOW_WANT_ROOM) {
            struct ring *lines = recut_lines(&job);
            if (waits++ < 9)
                continue;  /* nobody takes them yet */
            struct view v = ring_peek(lines);
            assert_true(lent + v.len > lens[i] ||
                        memcmp(v.at, many + lent, v.len) == 0);
            lent += v.len;
            ring_consume(lines, v.len);
        }
        assert_int_equal(lent, lens[i] + 1);
        assert_true(job.glued && job.len == 0 && block_count == 0);
        recut_sorted(&job);
        assert_int_equal(put(0, view_of("sorted\n")), FLOW_ENDED);
        end();
        assert_true(out_len == 7 && memcmp(out, "sorted\n", 7) == 0);
    }
}

/* --- faults --------------------------------------------------------------- */

static void faults_are_sticky(void **state)
{
    static const struct choose_want stream = {
        .from_ms = INT64_MIN, .until_ms = INT64_MAX,
        .stream = {(const uint8_t *)"web", 3},
    };
    struct view whole = gzip("lines\n");
    struct ring in;
    (void)state;
    begin(NULL);
    assert_int_equal(put(0, view_slice(whole, 0, whole.len - 1)), FLOW_FAILED);
    assert_int_equal(job.fault.error, ERROR_CORRUPT);
    ring_init(&in, in_bytes, piece_bytes);
    assert_int_equal(recut_step(&job, &in), FLOW_FAILED);
    begin(&stream);
    assert_int_equal(put(0, view_of(STAMP "1.000Z a\n")), FLOW_FAILED);
    assert_int_equal(job.fault.error, ERROR_USAGE);
    assert_int_equal(recut_step(&job, &in), FLOW_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_back),
        cmocka_unit_test(blocks_end_with_half_full_objects),
        cmocka_unit_test(records_are_counted_where_they_begin),
        cmocka_unit_test(records_are_chosen),
        cmocka_unit_test(it_begins_inside_a_record),
        cmocka_unit_test(many_that_are_not_wanted),
        cmocka_unit_test(it_waits_for_slots),
        cmocka_unit_test(lines_are_lent),
        cmocka_unit_test(faults_are_sticky),
    };
    return RUN(tests);
}
