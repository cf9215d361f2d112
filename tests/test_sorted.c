/* test_sorted.c - many objects become one in order of time.
 * Method: whole jobs over the model of S3, in virtual time. What comes of
 * files that overlap is held against a plain stable sort of their records in
 * the order of the keys; what else is in the bucket, against nothing. Then the
 * same, killed after each so many steps and run again. */
#include "archive_rig.h"
#include "shelf.h"
#include "sort.h"

enum {
    FILES = 9, FILE_BYTES = 1500000, ALL_BYTES = 14 << 20, RECORDS = 150000,
};
#define NOW_MS (DAY_FROM + 20 * DAY_MS)

static char all[ALL_BYTES], want[ALL_BYTES], out[ALL_BYTES];
static uint32_t want_len;

static struct sort_record records[RECORDS], room[RECORDS];

/* Files of lines whose times overlap; the last line of some has no end. */
static uint32_t ends[FILES];

static void make(void)
{
    struct chance c;
    struct text t;
    uint32_t count = 0, at = 0;

    chance_init(&c, 1);
    text_init(&t, all, sizeof all);
    for (uint32_t file = 0; file < FILES; ends[file++] = t.len)
        for (uint32_t from = t.len; t.len < from + FILE_BYTES;) {
            uint32_t ms = (uint32_t)chance_below(&c, 100000);
            uint32_t begin = t.len;
            date_rfc3339(&t, DAY_FROM + ms);
            text_char(&t, ' ');
            for (int i = 0; i < 8; i++)
                text_u64(&t, chance_next(&c));
            text_str(&t, chance_below(&c, 9) == 0 ? "\n  at f\n\n" : "\n");
            records[count++] = (struct sort_record){ms, begin, t.len - begin};
        }
    assert_true(!t.overflow && count < RECORDS);
    sort_stably(records, room, count);
    for (uint32_t i = 0; i < count; at += records[i++].len)
        memcpy(want + at, all + records[i].at, records[i].len);
    want_len = at;
}

static void put_files(void)
{
    for (uint32_t file = 0, from = 0; file < FILES; from = ends[file++]) {
        char key[32];
        (void)snprintf(key, sizeof key, "in/%u/000000", file);
        uint32_t len = ends[file] - from - (all[ends[file] - 2] != '\n');
        assert_true(shelf_put(model, "sim-bucket", key,
                              (struct view){(uint8_t *)all + from, len}));
    }
}

static void open_merge(void)
{
    open_world();
    spec = (struct spec){
        .source = SOURCE_MERGE, .from = "s3://sim-bucket/in/",
        .order = BY_TIME, .format = FORMAT_TEXT, .checksum = true,
    };
    strcpy(spec.bucket, "sim-bucket");
    strcpy(spec.key, "out/sorted.log.gz");
    strcpy(spec.timezone, "UTC");
    put_files();
}

/* The object and its receipt, and nothing else besides the files. */
static bool is_well(void)
{
    struct aws_object_info info;

    uint32_t len = read_back("out/sorted.log.gz",
                             (struct span){(uint8_t *)out, sizeof out});

    return row_number(len, want_len) &&
           memcmp(out, want, want_len) == 0 &&
           is_there("out/_sorted.receipt.json") &&
           !aws_object_at(model, "sim-bucket", FILES + 2, &info) &&
           aws_open_uploads(model, "sim-bucket") == 0;
}

static bool run_well(void)
{
    enum flow flow = run_job(NOW_MS);
    if (flow != FLOW_ENDED)
        fprintf(stderr, "  %s %s %s\n", job.fault.what, job.fault.code,
                job.fault.words);
    return flow == FLOW_ENDED;
}

static uint64_t asked(const char *operation)
{
    return aws_counted(model, operation).requests;
}

static void test_sorted(void **state)
{
    int broken = 0;

    (void)state;
    open_merge();
    spec.dry_run = true;
    broken += BROKEN("the price", run_well() && action_is("would merge") &&
                     strstr(job.result.reason, "2 runs") != NULL &&
                     asked("GetObject") == 2 && asked("PutObject") ==
                     FILES);
    spec.dry_run = false;
    broken += BROKEN("sorted", run_well() && action_is("merged") &&
                     is_well() && job.upload.stored.parts > 1);
    broken += BROKEN("again", run_well() && action_is("skipped") &&
                     is_well());
    assert_int_equal(broken, 0);
    close_world();
}

static void test_killed(void **state)
{
    int broken = 0;
    bool ended = false;

    (void)state;
    for (uint64_t steps = 40; !ended; steps += 700 + steps) {
        open_merge();
        ended = kill_job(NOW_MS, steps) == FLOW_ENDED;
        bool well = (ended || run_well()) && is_well();
        broken += BROKEN("killed and run again", well);
        if (!well)
            fprintf(stderr, "  after %llu\n", (unsigned long long)steps);
        close_world();
    }
    assert_int_equal(broken, 0);
}

/* It takes so long that the lease is renewed; killed meanwhile, the next run
 * finds all done, and goes on with that. What fails for good clears up, too. */
static void test_cleared(void **state)
{
    int broken = 0;

    (void)state;
    open_merge();
    assert_true(aws_fault(model, "DeleteObjects #1 delay=9000"));
    begin_job(NOW_MS);
    while (go_on(job_steps + 1) == FLOW_MOVED &&
           (job.state != ARCHIVE_CLEARING || !lease_is_due(&job.lease,
            sim_now(&network), LEASE_RENEW_MS - 1000)))
        continue;
    broken += BROKEN("clearing", job.state == ARCHIVE_CLEARING);
    while (job.state == ARCHIVE_CLEARING &&
           lease_is_due(&job.lease, sim_now(&network), 4000))
        (void)go_on(job_steps + 1);
    broken += BROKEN("renewed", job.state == ARCHIVE_CLEARING);
    sim_kill(&network);
    broken += BROKEN("the next", run_well() && action_is("skipped") &&
                     is_well());
    close_world();

    open_merge();
    assert_true(aws_fault(model, "UploadPart error=BadDigest status=400"));
    broken += BROKEN("failed", run_job(NOW_MS) == FLOW_FAILED);
    struct aws_object_info info;
    broken += BROKEN("nothing is left",
                     !aws_object_at(model, "sim-bucket", FILES, &info));
    close_world();
    assert_int_equal(broken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorted),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_cleared),
    };
    make();
    return RUN(tests);
}
