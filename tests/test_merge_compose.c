/* test_merge_compose.c - a merge by itself, with the simulator's small limits.
 * Method: objects of every size around the limits, in the model's S3, put end
 * to end through an upload; killed where each part was stored, then gone on
 * with; planned, and the requests counted; what is unfit, what is damaged, and
 * a stream and an order whose blocks are not taken at once. */
#include "merge_rig.h"

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
    };
    return RUN(tests);
}
