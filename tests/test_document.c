/* test_document.c - a checkpoint is of the window and the bytes that it was
 * written for, and of no other; and it has room for what it says.
 * Method: what a job writes is read back, and one thing of the job is changed,
 * row by row. */
#include "archive_rig.h"
#include "task/document.h"

static char              strings_bytes[CHECKPOINT_STRINGS_BYTES];
static struct text       strings;
static struct checkpoint found;

static void begin(enum source_kind source)
{
    memset(&site, 0, sizeof site);
    memset(&job, 0, sizeof job);
    memset(&spec, 0, sizeof spec);
    job.site = &site;
    job.spec = &spec;
    spec.source = source;
    strcpy(spec.bucket, "sim-bucket");
    spec.from = "s3://from/x/";
    strcpy(spec.timezone, "UTC");
    spec.until_ms = DAY_MS;
    strcpy(job.key, "k.log");
    strcpy(job.group.info.account, "111122223333");
    strcpy(job.checkpoint_key, "_k.checkpoint.json");
    job.compress = COMPRESS_GZIP;
    index_init(&job.index);
}

/* What the job would write now, read. */
static bool read_back_own(void)
{
    struct fault fault = {0};
    struct view text = document_checkpoint(&job, CHECKPOINT_WORKING);
    text_init(&strings, strings_bytes, sizeof strings_bytes);
    return text.len > 0 &&
           checkpoint_read(&found, text, &strings, &fault);
}

static void nothing(void) { }
static void format(void) { spec.compress = COMPRESS_ZSTD; }
static void key(void) { strcpy(job.key, "l.log"); }
static void account(void) { job.group.info.account[0] = '2'; }
static void group(void) { strcpy(spec.group, "/g"); }
static void prefix(void) { strcpy(spec.stream_prefix, "p"); }
static void from(void) { spec.from = "s3://from/y/"; }
static void masked(void) { job.group.info.masked = true; }
static void early(void) { spec.from_ms = 1; }
static void late(void) { spec.until_ms++; }

static const struct row {
    const char      *name;
    enum source_kind source;
    void           (*change)(void);
    bool             ours;
} rows[] = {
    {"nothing, read", SOURCE_READ, nothing, true},
    {"nothing, merged", SOURCE_MERGE, nothing, true},
    {"its bytes", SOURCE_READ, format, false},
    {"its key", SOURCE_READ, key, false},
    {"its account", SOURCE_READ, account, false},
    {"its group", SOURCE_READ, group, false},
    {"its streams", SOURCE_READ, prefix, false},
    {"what it is made of", SOURCE_MERGE, from, false},
    {"... that does not matter, exported", SOURCE_EXPORT, from, true},
    {"masks", SOURCE_READ, masked, false},
    {"its begin", SOURCE_READ, early, false},
    {"its end", SOURCE_READ, late, false},
};

static bool is_so(const struct row *row)
{
    begin(row->source);
    if (!read_back_own())
        return false;
    row->change();
    document_describe(&job);
    return document_is_ours(&job, &found) == row->ours;
}

static void it_is_of_one_window(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        broken += BROKEN(rows[i].name, is_so(&rows[i]));
    assert_int_equal(broken, 0);
}

/* Files that are not this archive's are not told of in its receipt. */
static void files_of_others_are_not_adopted(void **state)
{
    (void)state;
    begin(SOURCE_EXPORT);
    assert_true(read_back_own());
    found.receipt.merged_from = view_of("s3://sim-bucket/_k.export-7/t/");
    document_adopt(&job, &found);
    assert_true(view_is(job.receipt.merged_from,
                        "s3://sim-bucket/_k.export-7/t/"));
    found.receipt.merged_from = view_of("s3://sim-bucket/_l.export-7/t/");
    document_adopt(&job, &found);
    assert_int_equal(job.receipt.merged_from.len, 0);
}

/* What it lacks the room for is an index that is half as fine. */
static void a_large_index_is_halved(void **state)
{
    (void)state;
    begin(SOURCE_READ);
    for (uint64_t i = 0; i < CFG_INDEX_BLOCKS; i++)
        index_add(&job.index, &(struct index_entry){
            .offset = UINT64_MAX / 2 + i, .raw_offset = UINT64_MAX / 2 + i,
            .least_ms = INT64_MIN, .greatest_ms = INT64_MIN,
            .events = UINT64_MAX / CFG_INDEX_BLOCKS});
    job.journal.stored.head.blocks = CFG_INDEX_BLOCKS;
    assert_int_equal(job.index.count, CFG_INDEX_BLOCKS);
    assert_true(document_checkpoint(&job, CHECKPOINT_WORKING).len > 0);
    assert_int_equal(job.fault.error, ERROR_NONE);
    assert_int_equal(job.index.count, CFG_INDEX_BLOCKS / 2);
}

/* As long as they may be, of bytes that JSON writes as six. */
static void the_longest_names_fit(void **state)
{
    static char url[SPEC_BUCKET_BYTES + SPEC_KEY_BYTES + 5];
    (void)state;
    begin(SOURCE_MERGE);
    memset(job.key, 1, sizeof job.key - 1);
    memset(spec.group, 1, sizeof spec.group - 1);
    memset(spec.stream_prefix, 1, sizeof spec.stream_prefix - 1);
    memset(url, 1, sizeof url - 1);
    spec.from = url;
    assert_true(document_checkpoint(&job, CHECKPOINT_WORKING).len > 0);
    assert_int_equal(job.fault.error, ERROR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_of_one_window),
        cmocka_unit_test(files_of_others_are_not_adopted),
        cmocka_unit_test(a_large_index_is_halved),
        cmocka_unit_test(the_longest_names_fit),
    };
    return RUN(tests);
}
