/* test_merge_compose.c - a merge by itself, with the simulator's small limits.
 * Method: objects of every size around the limits, in the model's S3, put end
 * to end through an upload; killed where each part was stored, then gone on
 * with; planned, and the requests counted; what is unfit, what is damaged, and
 * a stream and an order whose blocks are not taken at once. */
#include "packed.h"
#include "shelf.h"
#include "ship/merge.h"
#include "upload_rig.h"

enum {
    LEAST = LIMIT_PART_LEAST, PART = CFG_PART_BYTES, OBJECTS = 24,
    WANT_BYTES = 1 << 20, PIECE = 2 * CFG_RUN_BYTES, MEMORY = 20 * PIECE,
};

static struct merge   m;
static struct journal journal;
static struct lane_shared shared;
static struct merge_names names;
static struct call    call;
static struct ring    reply;
static uint8_t reply_bytes[16384];
static _Alignas(16) uint8_t memory[MEMORY];
static uint8_t want[WANT_BYTES], got[WANT_BYTES];
static uint32_t want_len, got_len;

static void open_world(void)
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

static void close_world(void)
{
    merge_cancel(&m);
    upload_leave(&upload);
    end();
}

static void put(const char *key, struct view bytes)
{
    assert_true(shelf_put(wire.model, "archive", key, bytes));
}

/* Lines in so many bytes, the last one ended or not; and what comes of them. */
static void put_lines(uint32_t number, uint32_t bytes, bool ended)
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

static bool wait(void)
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
static enum flow compose(uint32_t parts)
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

static bool is_made(void)
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

static void begin_compose(void)
{
    merge_compose(&m, &upload, &journal, INFLATE_ANY);
}

/* --- plain lines ---------------------------------------------------------- */

/* Sizes; negative: the last line has no newline. */
static const struct row {
    const char *name;
    int32_t     sizes[OBJECTS];
} rows[] = {
    {"a byte", {1}},
    {"three bytes, and fewer than show a form", {3, 2, -1, -3}},
    {"small ones", {100, -200, 4, 4095, -4095}},
    {"one that is copied", {4096}},
    {"one that is copied, without its newline", {-4096, 10}},
    {"copies between small ones", {10, 5000, -10, 30000, 7, -60000}},
    {"larger than a copy may be", {-250000, 3}},
    {"a part full to the byte", {4095, 4095, 4095, 4095, 4095, 4095, 6, 9}},
    {"a part that ends within a small one",
     {4095, 4095, 4095, 4095, 4095, 4095, 4095, -4095, 9}},
    {"full with the newline", {4095, 4095, 4095, 4095, 4095, 4095, -5, 9}},
    {"full, and the newline comes next",
     {4095, 4095, 4095, 4095, 4095, 4095, -6, 9}},
    {"all parts full, and a newline waits for room",
     {4095, 4095, 4095, 4095, 4095, 4095, 6, 4095, 4095, 4095, 4095, 4095,
      4095, -6, 1}},
    {"what is left of a filled part is streamed", {10, 9000, 12000, -8000}},
};

static uint32_t fill(const struct row *row)
{
    uint32_t count = 0;
    for (; row->sizes[count] != 0; count++)
        put_lines(count, (uint32_t)abs(row->sizes[count]),
                  row->sizes[count] > 0);
    return count;
}

static uint64_t counted(const char *operation)
{
    return aws_counted(wire.model, operation).requests;
}

static void plain_objects_end_to_end(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        open_world();
        uint32_t count = fill(&rows[i]);
        merge_plan(&m);
        bool ok = compose(UINT32_MAX) == FLOW_ENDED &&
                  m.sources.count == count && counted("GetObject") == 0;
        struct compose plan = m.compose;
        uint64_t gets = m.peeks + plan.streams;
        ok = ok && m.raw_guess == m.sources.bytes;

        merge_init(&m, &site, &names);
        begin_compose();
        ok = ok && compose(UINT32_MAX) == FLOW_ENDED &&
             m.form == INFLATE_PLAIN && is_made() &&
             counted("UploadPartCopy") == plan.copies &&
             counted("GetObject") >= gets &&
             counted("GetObject") <= gets + plan.copies;  /* last bytes */
        failures += BROKEN(rows[i].name, ok);
        close_world();
    }
    assert_int_equal(failures, 0);
}

/* Dies when so many parts are stored; the next run knows what was recorded. */
static bool goes_on_behind(uint32_t parts, bool *more)
{
    static char id[MULTIPART_ID_BYTES];
    begin_compose();
    *more = compose(parts) == FLOW_WANT_EVENT;
    if (!*more)
        return true;
    struct checkpoint_stored stored = journal.stored;
    memcpy(id, upload.multipart.id, sizeof id);
    merge_cancel(&m);
    upload_leave(&upload);
    upload_init(&upload, &site, &arena, &target);
    if (stored.parts.parts > 0)
        upload_resume(&upload, view_of(id), (struct view){0}, &stored.parts);
    else
        aws_expire_uploads(wire.model, "archive");
    journal_init(&journal, 0);
    journal_resume(&journal, &stored);
    merge_init(&m, &site, &names);
    begin_compose();
    if (stored.parts.parts > 0)
        merge_resume(&m, &stored.mark);
    return compose(UINT32_MAX) == FLOW_ENDED && is_made();
}

static void killed_at_every_part(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        bool more = true;
        for (uint32_t parts = 1; more; parts++) {
            open_world();
            (void)fill(&rows[i]);
            failures += BROKEN(rows[i].name, goes_on_behind(parts, &more));
            close_world();
        }
    }
    assert_int_equal(failures, 0);
}

/* Within an object that has become smaller: no position in it. */
static void a_place_that_is_gone(void **state)
{
    static const struct checkpoint_mark at_first = {.raw_bytes = 0};
    (void)state;
    for (uint32_t at = 0; at < 2; at++) {
        open_world();
        put_lines(0, 5000, true);
        begin_compose();
        merge_resume(&m, &at_first);
        m.resume = at == 0 ? 5000 : 5001;
        assert_int_equal(compose(UINT32_MAX), FLOW_ENDED);
        assert_int_equal(m.sources.differs, at);
        assert_int_equal(merge_step(&m, wire_now()), FLOW_ENDED);
        close_world();
    }
}

/* Not the list that was gone through. */
static void another_list(void **state)
{
    static const struct checkpoint_mark mark = {.from_ms = 1, .list = 7};
    (void)state;
    for (int streamed = 0; streamed < 2; streamed++) {
        open_world();
        put_lines(0, 5000, true);
        put_lines(1, 5000, true);
        if (streamed)
            merge_stream(&m, NULL, NULL);
        else
            begin_compose();
        merge_resume(&m, &mark);
        assert_int_equal(compose(UINT32_MAX), FLOW_ENDED);
        assert_true(m.sources.differs && m.recut.raw_bytes_in == 0);
        close_world();
    }
}

/* A stream that goes on at the first object. */
static void from_the_beginning(void **state)
{
    static const struct checkpoint_mark mark = {.inside = true};
    (void)state;
    open_world();
    put_lines(0, 5000, true);
    merge_stream(&m, NULL, NULL);
    merge_resume(&m, &mark);
    assert_int_equal(compose(UINT32_MAX), FLOW_ENDED);
    assert_true(!m.sources.differs && m.recut.raw_bytes_in == 5000);
    close_world();
}

/* --- gzip and zstd -------------------------------------------------------- */

static struct packed file;

static struct view gzip(const char *lines)
{
    file.len = 0;
    packed_stored(&file, 0, 0, lines);
    return packed_view(&file);
}

static struct view zstd(const char *lines)
{
    file.len = 0;
    packed_frame(&file, view_of(lines), 10, true);
    return packed_view(&file);
}

static struct view with_rubbish(const char *lines)
{
    (void)gzip(lines);
    packed_put(&file, "rubbish", 7);
    return packed_view(&file);
}

static struct view damaged(const char *lines)
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

static void fill_packed(const struct packed_row *row)
{
    for (uint32_t i = 0; i < 3 && row->objects[i].key != NULL; i++) {
        struct view v = row->objects[i].make(row->objects[i].lines);
        put(row->objects[i].key, v);
        memcpy(want + want_len, v.at, v.len);
        want_len += v.len;
    }
}

static bool packed_holds(const struct packed_row *row, bool probed)
{
    enum flow flow = compose(UINT32_MAX);
    if (merge_step(&m, wire_now()) != flow)
        return false;  /* it is final */
    bool looks = row->error == ERROR_NONE && row->words != NULL;
    if (row->error != ERROR_NONE)
        return flow == FLOW_FAILED && m.fault.error == row->error &&
               row_string(m.about, row->about) &&
               (row->words == NULL || row_string(m.fault.what, row->words));
    if (looks && (!probed || strstr(row->words, "differ") != NULL))
        return flow == FLOW_ENDED && m.unfit != NULL &&
               row_string(m.unfit, row->words);
    return flow == FLOW_ENDED && is_made();
}

static void packed_objects_end_to_end(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(packed_rows); i++)
        for (int probed = 0; probed < 2; probed++) {
            if (probed && packed_rows[i].objects[0].make == damaged)
                continue;  /* it is not looked into any more */
            open_world();
            fill_packed(&packed_rows[i]);
            begin_compose();
            m.probed = probed ? MERGE_PROBE_BYTES : 0;
            failures += BROKEN(packed_rows[i].name,
                               packed_holds(&packed_rows[i], probed));
            close_world();
        }
    assert_int_equal(failures, 0);
}

static void what_is_packed_is_guessed_at_ten_times(void **state)
{
    (void)state;
    open_world();
    put("in/1", view_of("12345678\n"));
    put("in/2.gz", view_of("1234567\n"));
    put("in/3.zst", view_of("123456\n"));
    merge_plan(&m);
    assert_int_equal(compose(UINT32_MAX), FLOW_ENDED);
    assert_int_equal(m.raw_guess, 9 + 80 + 70);
    close_world();
}

/* --- streams -------------------------------------------------------------- */

/* Blocks are taken every so many turns. */
static enum flow stream(uint32_t lazy)
{
    got_len = 0;
    for (uint32_t turn = 1; ; turn++) {
        enum flow flow = merge_step(&m, wire_now());
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (m.recut.ready && turn % lazy == 0) {
            while (m.recut.chain.bytes > 0) {
                struct view v = chain_peek(&arena, &m.recut.chain);
                memcpy(got + got_len, v.at, v.len);
                got_len += v.len;
                chain_consume(&arena, &m.recut.chain, v.len);
            }
            merge_note(&m, &journal);
            merge_take(&m);
        }
        if (flow == FLOW_WANT_EVENT && !wire_move())
            assert_true(wait());
    }
}

static void begin_stream(bool ordered, bool keep_slots)
{
    static _Alignas(16) uint8_t last[1 << 20];
    ring_init(&reply, reply_bytes, sizeof reply_bytes);
    call_init(&call, &site, &reply);
    pack_init(&shared.pack, PACK_NONE);
    shared.arena = &arena;
    merge_stream(&m, keep_slots ? &shared : NULL, NULL);
    if (ordered)
        merge_order(&m, &(struct order_setup){
            .site = &site, .call = &call,
            .bucket = view_of("archive"), .beside = view_of("_out."),
            .memory = {memory, sizeof memory}, .last_bytes = sizeof last,
        }, (struct span){last, sizeof last});
}

/* Half a megabyte of lines with equal times: in order they stay as they are. */
static void fill_large(void)
{
    static const char line[] = "2026-11-09T00:00:00.000Z and so on\n";
    for (uint32_t i = 0; i < 5; i++) {
        uint8_t *from = want + want_len;
        char key[32];
        while (want + want_len < from + 100000) {
            memcpy(want + want_len, line, sizeof line - 1);
            want_len += (uint32_t)sizeof line - 1;
        }
        uint32_t len = (uint32_t)(want + want_len - from);
        (void)snprintf(key, sizeof key, "in/%04u", i);
        put(key, (struct view){from, len - i % 2});  /* some lack the newline */
    }
}

static void streams_are_the_lines(void **state)
{
    int failures = 0;
    (void)state;
    for (int ordered = 0; ordered < 2; ordered++)
        for (uint32_t lazy = 1; lazy < 50; lazy += 23) {
            open_world();
            fill_large();
            begin_stream(ordered, true);
            bool ok = stream(lazy) == FLOW_ENDED && got_len == want_len &&
                      memcmp(got, want, want_len) == 0 && m.recut.glued;
            if (ordered)
                order_cancel(&m.order);
            failures += BROKEN(ordered ? "ordered" : "streamed", ok);
            close_world();
        }
    assert_int_equal(failures, 0);
}

static void the_last_block_waits_for_slots(void **state)
{
    struct chain taken;
    (void)state;
    open_world();
    put_lines(0, 100, true);
    begin_stream(false, true);
    chain_init(&taken);
    while (arena.free_count >= PACK_SLOTS) {
        struct span room = chain_reserve(&arena, &taken, true);
        chain_commit(&arena, &taken, room.len);
    }
    enum flow flow;
    while ((flow = merge_step(&m, wire_now())) != FLOW_WANT_ROOM)
        if (flow != FLOW_MOVED && !wire_move())
            assert_true(wait());
    assert_false(m.recut.ready);
    chain_clear(&arena, &taken);
    assert_int_equal(stream(1), FLOW_ENDED);
    assert_true(got_len == 100 && memcmp(got, want, 100) == 0);
    close_world();
}

static const struct fault_row {
    const char *name, *fault, *about;
    bool        ordered;
    enum error  error;
} fault_rows[] = {
    {"the list", "ListObjectsV2 error=AccessDenied status=403", "", false,
     ERROR_DENIED},
    {"an object", "GetObject #2 error=AccessDenied status=403", "in/0001",
     false, ERROR_DENIED},
    {"a run", "PutObject error=AccessDenied status=403", "", true,
     ERROR_DENIED},
    {"a run read back", "GetObject #7- error=NoSuchKey status=404", "", true,
     ERROR_MISSING},
};

static void faults_come_out(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(fault_rows); i++) {
        const struct fault_row *row = &fault_rows[i];
        open_world();
        fill_large();
        assert_true(aws_fault(wire.model, row->fault));
        begin_stream(row->ordered, true);
        failures += BROKEN(row->name, stream(1) == FLOW_FAILED &&
                           row_number(m.fault.error, row->error) &&
                           row_string(m.about, row->about) &&
                           merge_step(&m, wire_now()) == FLOW_FAILED);
        close_world();
    }
    assert_int_equal(failures, 0);
}

/* What the packed rows are, as a stream and only counted. */
static void streams_of_packed_objects(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(packed_rows); i++)
        for (int checks = 0; checks < 2; checks++) {
            const struct packed_row *row = &packed_rows[i];
            open_world();
            fill_packed(row);
            begin_stream(false, !checks);
            enum flow flow = stream(1);
            bool good = row->error == ERROR_NONE;
            failures += BROKEN(row->name,
                flow == (good ? FLOW_ENDED : FLOW_FAILED) &&
                row_string(m.about, row->about) &&
                (!good || checks == (got_len == 0)) &&
                (!good || m.mixed == (row->words != NULL &&
                                      strstr(row->words, "differ") != NULL)));
            close_world();
        }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_objects_end_to_end),
        cmocka_unit_test(killed_at_every_part),
        cmocka_unit_test(a_place_that_is_gone),
        cmocka_unit_test(another_list),
        cmocka_unit_test(from_the_beginning),
        cmocka_unit_test(packed_objects_end_to_end),
        cmocka_unit_test(what_is_packed_is_guessed_at_ten_times),
        cmocka_unit_test(streams_are_the_lines),
        cmocka_unit_test(the_last_block_waits_for_slots),
        cmocka_unit_test(faults_come_out),
        cmocka_unit_test(streams_of_packed_objects),
    };
    return RUN(tests);
}
