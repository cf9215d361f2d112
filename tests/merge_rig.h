/* merge_rig.h - a merge by itself, with the simulator's small limits.
 *
 * For test_merge_compose.c and test_merge_stream.c: objects in the model's S3,
 * what is to come of them, and one merge of them at a time. */
#ifndef FIRN_TESTS_MERGE_RIG_H
#define FIRN_TESTS_MERGE_RIG_H

#include "packed.h"
#include "shelf.h"
#include "ship/merge.h"
#include "upload_rig.h"

enum {
    LEAST = LIMIT_PART_LEAST, PART = CFG_PART_BYTES, OBJECTS = 24,
    WANT_BYTES = 1 << 20,
};

static struct merge   m;
static struct journal journal;
static struct merge_names names;
static uint8_t want[WANT_BYTES], got[WANT_BYTES];
static uint32_t want_len;

static inline void open_world(void)
{
    begin(SLOTS);
    site.give_up_ms = 60000;
    assert_true(aws_set(wire.model, "part-bytes-min", LEAST));
    assert_true(aws_set(wire.model, "copy-bytes-max", LIMIT_COPY_BYTES));
    target.key = view_of("out");
    names = (struct merge_names){
        .from = {view_of("archive"), view_of("in/")},
        .own = {view_of("archive"), view_of("out")},
    };
    want_len = 0;
    upload_init(&upload, &site, &arena, &target);
    journal_init(&journal, 0);
    merge_init(&m, &site, &names);
}

static inline void close_world(void)
{
    merge_cancel(&m);
    upload_leave(&upload);
    end();
}

static inline void put(const char *key, struct view bytes)
{
    assert_true(shelf_put(wire.model, "archive", key, bytes));
}

/* Lines in so many bytes, the last one ended or not; and what comes of them. */
static inline void put_lines(uint32_t number, uint32_t bytes, bool ended)
{
    char key[32];
    uint8_t *at = want + want_len;
    for (uint32_t i = 0; i < bytes; i++)
        at[i] = i % 50 == 49 ? '\n' : (uint8_t)('a' + (i + number) % 26);
    if (bytes > 0)
        at[bytes - 1] = ended ? '\n' : 'x';
    (void)snprintf(key, sizeof key, "in/%04u", number);
    put(key, (struct view){at, bytes});
    want_len += bytes;
    if (bytes > 0 && !ended)
        want[want_len++] = '\n';
}

static inline bool wait(void)
{
    int64_t at = merge_wake_ms(&m), net = wire_wake_ms();
    int64_t up = upload_wake_ms(&upload);
    at = net < at ? net : at;
    at = up < at ? up : at;
    if (at == INT64_MAX)
        return false;
    wire.mono_ms = at > wire.mono_ms ? at : wire.mono_ms + 1;
    return true;
}

/* The upload has its turn when the merge can do no more; until the merge ends,
 * or so many parts are stored. */
static inline enum flow compose(uint32_t parts)
{
    for (;;) {
        enum flow flow = merge_step(&m, wire_now());
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (flow == FLOW_MOVED)
            continue;
        flow = upload_step(&upload, wire_now());
        assert_int_not_equal(flow, FLOW_FAILED);
        (void)journal_store(&journal, &upload.stored);
        if (upload.stored.parts >= parts)
            return FLOW_WANT_EVENT;
        if (flow != FLOW_MOVED && !wire_move())
            assert_true(wait());
    }
}

static inline bool is_made(void)
{
    if (upload.ended || m.unfit != NULL || m.sources.differs)
        return false;
    upload_end(&upload);
    upload_commit(&upload);
    return drive(&upload) == FLOW_ENDED &&
           aws_object_bytes(wire.model, "archive", "out", 0, got,
                            sizeof got) == want_len &&
           memcmp(got, want, want_len) == 0 &&
           aws_open_uploads(wire.model, "archive") == 0;
}

static inline void begin_compose(void)
{
    merge_compose(&m, &upload, &journal, INFLATE_ANY);
}

/* --- gzip and zstd -------------------------------------------------------- */

static struct packed file;

static inline struct view gzip(const char *lines)
{
    file.len = 0;
    packed_stored(&file, 0, 0, lines);
    return packed_view(&file);
}

static inline struct view zstd(const char *lines)
{
    file.len = 0;
    packed_frame(&file, view_of(lines), 10, true);
    return packed_view(&file);
}

static inline struct view with_rubbish(const char *lines)
{
    (void)gzip(lines);
    packed_put(&file, "rubbish", 7);
    return packed_view(&file);
}

static inline struct view damaged(const char *lines)
{
    (void)gzip(lines);
    file.at[16] ^= 1;
    return packed_view(&file);
}

static struct view as_it_is(const char *lines) { return view_of(lines); }

struct object_row {
    const char *key;
    struct view (*make)(const char *lines);
    const char *lines;
};

static const struct packed_row {
    const char *name;
    struct object_row objects[3];
    enum error  error;
    const char *words;       /* of the fault, or why it is unfit */
    const char *about;
} packed_rows[] = {
    {"members", {{"in/1.gz", gzip, "a\n"}, {"in/2", gzip, "b\n"}}, ERROR_NONE,
     NULL, ""},
    {"frames", {{"in/1.zst", zstd, "a\n"}, {"in/2", zstd, "b\n"}}, ERROR_NONE,
     NULL, ""},
    {"an empty one between", {{"in/1.gz", gzip, "a\n"}, {"in/2", as_it_is, ""},
     {"in/3.gz", gzip, "b\n"}}, ERROR_NONE, NULL, ""},
    {"two forms", {{"in/1.gz", gzip, "a\n"}, {"in/2.zst", zstd, "b\n"}},
     ERROR_NONE, "their forms differ", ""},
    {"beside a plain one", {{"in/1.gz", gzip, "a\n"}, {"in/2", as_it_is,
     "b\n"}}, ERROR_NONE, "their forms differ", ""},
    {"without its newline", {{"in/1.gz", gzip, "a"}}, ERROR_NONE,
     "a last line has no newline", ""},
    {"with rubbish behind", {{"in/1.gz", with_rubbish, "a\n"}}, ERROR_NONE,
     "there are bytes behind a file's data", ""},
    {"no gzip", {{"in/1.gz", as_it_is, "plain\n"}}, ERROR_CORRUPT,
     "its name ends in .gz, but it is not gzip", "in/1.gz"},
    {"a byte of gzip", {{"in/1.gz", as_it_is, "\x1f"}}, ERROR_CORRUPT,
     "its name ends in .gz, but it is not gzip", "in/1.gz"},
    {"no zstd", {{"in/1.zst", gzip, "plain\n"}}, ERROR_CORRUPT,
     "its name ends in .zst, but it is not zstd", "in/1.zst"},
    {"almost zstd", {{"in/1.zst", as_it_is, "\x28\xb5\x2f\xfe"}},
     ERROR_CORRUPT, "its name ends in .zst, but it is not zstd", "in/1.zst"},
    {"an empty file of gzip", {{"in/1.gz", gzip, "a\n"}, {"in/2.gz", as_it_is,
     ""}}, ERROR_CORRUPT, "it is empty, which no compressed file is",
     "in/2.gz"},
    {"a damaged one", {{"in/1.gz", damaged, "aaaaaaaa\n"}}, ERROR_CORRUPT, NULL,
     "in/1.gz"},
};

static inline void fill_packed(const struct packed_row *row)
{
    for (uint32_t i = 0; i < 3 && row->objects[i].key != NULL; i++) {
        struct view v = row->objects[i].make(row->objects[i].lines);
        put(row->objects[i].key, v);
        memcpy(want + want_len, v.at, v.len);
        want_len += v.len;
    }
}

#endif
