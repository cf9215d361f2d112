/* test_sources.c - the objects below a prefix, each once, in the order of their
 * keys, and their bytes.
 * Method: keys of every kind in the model's S3: which are sources and which are
 * left out; begun again at each place of the list, with the right digest and a
 * wrong one; ranges; and replies that break off anywhere. */
#include "shelf.h"
#include "ship/sources.h"
#include "wire.h"

enum { LARGE = 300000, MANY = 70 };

static struct site    site;
static struct sources job;
static struct object_name from, own;

static const struct stored {
    const char *key, *body;
    bool        taken;
} objects[] = {
    {"in/", "", false},
    {"in/_a.checkpoint.json", "c", false},
    {"in/_a.other.json", "o", true},
    {"in/_a.receipt.json", "r", false},
    {"in/_a.run-0-000000-000000", "r", false},
    {"in/_a.segment", "s", false},
    {"in/a.receipt.json", "not firn's", true},
    {"in/aws-logs-write-test", "Permission Check Successful", false},
    {"in/empty", "", true},
    {"in/folder/", "", false},
    {"in/folder/aws-logs-write-test", "Permission Check Successful", false},
    {"in/full/", "bytes under a folder's name", true},
    {"in/own", "what is written", false},
    {"in/own/own", "beside it", true},
};

static void open_world(void)
{
    wire_open(&site);
    site.give_up_ms = 60000;
    from = (struct object_name){view_of("archive"), view_of("in/")};
    own = (struct object_name){view_of("archive"), view_of("in/own")};
    for (size_t i = 0; i < ROW_COUNT(objects); i++)
        assert_true(shelf_put(wire.model, "archive", objects[i].key,
                              view_of(objects[i].body)));
}

static bool wait(void)
{
    int64_t at = sources_wake_ms(&job), net = wire_wake_ms();
    at = net < at ? net : at;
    if (at == INT64_MAX)
        return false;
    wire.mono_ms = at > wire.mono_ms ? at : wire.mono_ms + 1;
    return true;
}

/* Until there is a head, or the list has ended, or it fails. */
static enum flow seek(void)
{
    for (;;) {
        enum flow flow = sources_step(&job, wire_now());
        if (flow == FLOW_ENDED || flow == FLOW_FAILED ||
            sources_head(&job) != NULL)
            return flow;
        if (flow != FLOW_MOVED && !wire_move())
            assert_true(wait());
    }
}

/* Reads the head's bytes [a, b) and compares; `least` at a time, if it can. */
static bool reads(uint64_t a, uint64_t b, const char *body, uint32_t least)
{
    uint64_t at = a, end = b != 0 ? b : strlen(body);
    for (;;) {
        struct ring *ring = sources_open(&job, a, b);
        struct view v = ring_peek(ring);
        if (v.len >= least || (v.len > 0 && ring->ended)) {
            if (at + v.len > end || memcmp(v.at, body + at, v.len) != 0)
                return false;
            at += v.len;
            ring_consume(ring, v.len);
        }
        if (ring_drained(ring))
            return row_number((int64_t)at, (int64_t)end);
        enum flow flow = sources_step(&job, wire_now());
        if (flow == FLOW_FAILED)
            return false;
        if (flow != FLOW_MOVED && !wire_move() && !wait())
            return false;
    }
}

static void which_are_sources(void **state)
{
    int failures = 0;
    (void)state;
    for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
        uint64_t skipped = 0, taken = 0, bytes = 0;
        open_world();
        if (elsewhere)
            own.bucket = view_of("another");
        sources_init(&job, &site, from, own);
        for (size_t i = 0; i < ROW_COUNT(objects); i++) {
            const struct stored *o = &objects[i];
            bool take = o->taken ||
                        (elsewhere && strcmp(o->key, "in/own") == 0);
            skipped += !take;
            if (!take)
                continue;
            (void)seek();
            const struct source *s = sources_head(&job);
            assert_non_null(s);
            failures += BROKEN(o->key, view_is(s->key, o->key) &&
                               s->number == taken &&
                               s->bytes == strlen(o->body) &&
                               s->etag.len == 34 &&
                               (s->bytes == 0 || reads(0, 0, o->body, 1)));
            taken++;
            bytes += s->bytes;
            sources_take(&job);
        }
        assert_int_equal(seek(), FLOW_ENDED);
        assert_true(job.ended && !job.differs && job.count == taken &&
                    job.bytes == bytes && job.skipped == skipped);
        assert_true(row_string(job.skipped_key,
                               job.nested ? "in/_a.receipt.json" : "in/"));
        assert_true(sources_wake_ms(&job) == INT64_MAX);
        sources_cancel(&job);
        wire_close();
    }
    assert_int_equal(failures, 0);
}

/* --- begun again ---------------------------------------------------------- */

static uint64_t before[16], after[16];

static uint64_t learn_digests(void)
{
    uint64_t count = 0;
    sources_init(&job, &site, from, own);
    while (seek() != FLOW_ENDED) {
        const struct source *s = sources_head(&job);
        before[count] = s->before;
        after[count++] = s->after;
        assert_true(sources_digest(&job) == s->before);
        sources_take(&job);
    }
    assert_true(sources_digest(&job) == after[count - 1]);
    before[count] = after[count - 1];
    return count;
}

/* The head's number, or that of all if none is left; -1 if it differs. */
static int64_t begin_at(uint64_t number, uint64_t digest, bool within)
{
    sources_init(&job, &site, from, own);
    sources_begin(&job, number, digest, within);
    (void)seek();
    int64_t at = job.differs ? -1
                 : sources_head(&job) == NULL
                     ? (int64_t)job.count
                     : (int64_t)sources_head(&job)->number;
    sources_cancel(&job);
    return at;
}

static void begun_again_at_each_place(void **state)
{
    (void)state;
    open_world();
    uint64_t count = learn_digests();
    assert_int_equal(count, 5);
    for (uint64_t n = 0; n <= count; n++) {
        assert_int_equal(begin_at(n, before[n], false), n);
        assert_int_equal(begin_at(n, before[n] ^ 1, false), -1);
        if (n == count)
            continue;
        assert_int_equal(begin_at(n, after[n], true), n);
        assert_int_equal(begin_at(n, before[n], true), -1);
    }
    assert_int_equal(begin_at(count + 1, before[count], false), -1);
    /* one that is new, and one that has changed */
    assert_true(shelf_put(wire.model, "archive", "in/aa", view_of("new")));
    assert_int_equal(begin_at(2, before[2], false), 2);
    assert_int_equal(begin_at(3, before[3], false), -1);
    assert_true(shelf_put(wire.model, "archive", "in/_a.other.json",
                          view_of("p")));
    assert_int_equal(begin_at(0, before[0], false), 0);
    assert_int_equal(begin_at(1, before[1], false), -1);
    wire_close();
}

/* --- bytes ---------------------------------------------------------------- */

static char large[LARGE + 1];

static void open_large(void)
{
    wire_open(&site);
    site.give_up_ms = 60000;
    from = (struct object_name){view_of("archive"), view_of("in/")};
    own = (struct object_name){view_of("archive"), view_of("in/own")};
    for (uint32_t i = 0; i < LARGE; i++)
        large[i] = (char)('a' + i * 7 % 26);
    assert_true(shelf_put(wire.model, "archive", "in/large", view_of(large)));
    assert_true(shelf_put(wire.model, "archive", "in/small", view_of("1234")));
    sources_init(&job, &site, from, own);
}

static uint64_t gets(void)
{
    return aws_counted(wire.model, "GetObject").requests;
}

static void ranges(void **state)
{
    (void)state;
    open_large();
    job.ahead_below = 1000;
    assert_int_equal(seek(), FLOW_MOVED);
    (void)sources_open(&job, 0, 8);
    assert_true(reads(0, 8, large, 8));
    assert_true(reads(0, 4, large, 4));            /* another end */
    assert_true(reads(LARGE - 5, LARGE, large, 1)); /* another beginning */
    assert_true(reads(7, 0, large, 1));
    assert_int_equal(gets(), 5);                   /* and "small", ahead */
    sources_take(&job);
    assert_int_equal(seek(), FLOW_WANT_EVENT);
    assert_true(reads(0, 0, "1234", 4));
    assert_int_equal(gets(), 5);
    sources_take(&job);
    assert_int_equal(seek(), FLOW_ENDED);
    wire_close();
}

/* Broken off so early that it shows no form, it begins again by itself;
 * later, it goes on when what came was read. */
static void broken_off(void **state)
{
    static const char *const faults[] = {
        "GetObject #1 cut=1", "GetObject #1 cut=3", "GetObject #1 cut=4",
        "GetObject #1-3 cut=2", "GetObject #1 cut=100", "GetObject #1 reset",
        "GetObject #1-3 cut=?", "GetObject #1 stall=2",
        "GetObject #1 error=SlowDown status=503",
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(faults); i++) {
        open_large();
        assert_true(aws_fault(wire.model, faults[i]));
        (void)seek();
        for (uint32_t n = 0; n < 3 * i; n++) {
            (void)sources_step(&job, wire_now());
            (void)wire_move();
            (void)sources_wake_ms(&job);
        }
        failures += BROKEN(faults[i],
                           reads(0, 0, large, SOURCES_MAGIC_BYTES));
        sources_cancel(&job);
        wire_close();
    }
    assert_int_equal(failures, 0);
}

/* More than are held at once; none is asked for twice. */
static void many(void **state)
{
    char key[32], body[32];
    (void)state;
    wire_open(&site);
    site.give_up_ms = 60000;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(key, sizeof key, "in/%04d", i);
        assert_true(shelf_put(wire.model, "archive", key,
                              view_of(i % 3 == 0 ? "" : key)));
    }
    sources_init(&job, &site, from, own);
    for (int i = 0; i < MANY; i++) {
        (void)seek();
        for (int n = 0; n < 40; n++)
            if (sources_step(&job, wire_now()) != FLOW_MOVED && !wire_move())
                (void)wait();
        (void)snprintf(body, sizeof body, "in/%04d", i);
        assert_true(view_is(sources_head(&job)->key, body));
        assert_true(job.count <= (uint64_t)i + SOURCES_AHEAD);
        assert_true(i % 3 == 0 || reads(0, 0, body, 1));
        sources_take(&job);
    }
    assert_int_equal(seek(), FLOW_ENDED);
    assert_int_equal(gets(), MANY - (MANY + 2) / 3);
    wire_close();
}

static void faults_come_out(void **state)
{
    static const struct {
        const char *fault, *key;
        enum error  error;
    } rows[] = {
        {"ListObjectsV2 error=AccessDenied status=403", "", ERROR_DENIED},
        {"GetObject #2 error=AccessDenied status=403", "in/small",
         ERROR_DENIED},
        {"GetObject #1 error=PreconditionFailed status=412", "in/large",
         ERROR_CORRUPT},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        open_large();
        assert_true(aws_fault(wire.model, rows[i].fault));
        failures += BROKEN(rows[i].fault,
                           (seek() == FLOW_FAILED || !reads(0, 0, large, 1)) &&
                           row_number(job.fault.error, rows[i].error) &&
                           view_is(job.failed, rows[i].key));
        sources_cancel(&job);
        wire_close();
    }
    assert_int_equal(failures, 0);
}

/* Whoever writes among the sources is told of another archive there. */
static void an_archive_among_them(void **state)
{
    static const struct {
        const char *name, *bucket, *key;
        bool nested;
    } row[] = {
        {"written among them", "archive", "in/own", true},
        {"written elsewhere", "archive", "out/own", false},
        {"written under a name shorter than theirs", "archive", "i", false},
        {"written into another bucket", "other", "in/own", false},
        {"its own receipt", "archive", "in/a.log.gz", false},
    };
    int failures = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(row); i++) {
        open_world();
        own = (struct object_name){view_of(row[i].bucket),
                                   view_of(row[i].key)};
        sources_init(&job, &site, from, own);
        while (seek() != FLOW_ENDED && sources_head(&job) != NULL)
            sources_take(&job);
        failures += BROKEN(row[i].name, job.nested == row[i].nested);
        wire_close();
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_are_sources),
        cmocka_unit_test(begun_again_at_each_place),
        cmocka_unit_test(ranges),
        cmocka_unit_test(broken_off),
        cmocka_unit_test(many),
        cmocka_unit_test(faults_come_out),
        cmocka_unit_test(an_archive_among_them),
    };
    return RUN(tests);
}
