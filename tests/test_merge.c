/* test_merge.c - many objects become one, over the model of S3.
 * Method: a row names the objects below a prefix, how they are merged and what
 * must come of it: the bytes, inflated, are the lines of the objects in the
 * order of their keys; the requests made; what the receipt says. Then the
 * same again does nothing, and a run killed after each so many steps is gone
 * on with to the same bytes. */
#include "archive_rig.h"
#include "packed.h"

enum { OBJECTS = 24, OUT_BYTES = 96 << 20 };
#define NOW_MS (DAY_FROM + 20 * DAY_MS)

static struct packed made;
static uint8_t out[OUT_BYTES], want[OUT_BYTES], stored[OUT_BYTES];
static uint32_t want_len;

static void put(const char *key, struct view bytes)
{
    static const struct operation put_object = {
        .name = "s3:PutObject", .service = SITE_S3, .method = HTTP_PUT,
    };
    struct call *call = &job.lease.call;
    enum flow flow = FLOW_MOVED;

    memset(&site, 0, sizeof site);
    sim_init(&network, model, 7, DAY_FROM + DAY_MS);
    sim_site(&site, &network, 20, 7);
    call_init(call, &site, NULL);
    call_begin(call, &put_object);
    call_key(call, view_of("sim-bucket"), view_of(key));
    call_slices(call, &bytes, 1, bytes.len);
    while (flow == FLOW_MOVED ||
           (flow == FLOW_WANT_EVENT &&
            sim_advance(&network, call_wake_ms(call))))
        flow = call_step(call, sim_now(&network));
    assert_int_equal(flow, FLOW_ENDED);
    sim_kill(&network);
}

static void expect(struct view lines, bool newline)
{
    memcpy(want + want_len, lines.at, lines.len);
    want_len += lines.len;
    if (newline && lines.len > 0 && lines.at[lines.len - 1] != '\n')
        want[want_len++] = '\n';
}

/* So many bytes of lines, the last one ended or not. */
static struct view lines_of(uint32_t bytes, uint64_t seed, bool ended)
{
    packed_lines(&made, bytes, seed);
    struct view v = packed_view(&made);
    if (ended && v.len > 0)
        made.at[v.len - 1] = '\n';
    else if (v.len > 0)
        made.at[v.len - 1] = 'x';
    return v;
}

/* The same lines in so many members. */
static void put_members(const char *key, struct view lines, uint32_t members)
{
    static struct packed file;
    static uint8_t copy[PACKED_BYTES];

    memcpy(copy, lines.at, lines.len);
    lines.at = copy;
    file.len = 0;
    for (uint32_t i = 0; i < members; i++) {
        packed_header(&file, 0, 0);
        packed_deflate(&file, lines, true);
        packed_trailer(&file, lines);
    }
    put(key, packed_view(&file));
}

static void put_gzip(const char *key, struct view lines)
{
    put_members(key, lines, 1);
}

static void open_merge(const char *key)
{
    open_world();
    spec = (struct spec){
        .source = SOURCE_MERGE, .from = "s3://sim-bucket/in/",
        .format = FORMAT_TEXT, .checksum = true,
        .as_found = strstr(key, ".gz") == NULL,
    };
    strcpy(spec.bucket, "sim-bucket");
    strcpy(spec.key, key);
    strcpy(spec.timezone, "UTC");
    want_len = 0;
}

static uint64_t asked(const char *operation)
{
    return aws_counted(model, operation).requests;
}

static bool reads_well(const char *key)
{
    uint32_t len = read_back(key, (struct span){out, sizeof out});
    return row_number(len, want_len) && memcmp(out, want, len) == 0;
}

static bool run_well(void)
{
    enum flow flow = run_job(NOW_MS);
    if (flow != FLOW_ENDED)
        fprintf(stderr, "  %s %s %s %s\n", job.fault.what, job.fault.code,
                job.fault.words, job.about);
    return flow == FLOW_ENDED && aws_open_uploads(model, "sim-bucket") == 0;
}

/* Small and large gzip files: put end to end. The large ones have several
 * members. */
static void fill_gzip(void)
{
    static const uint32_t sizes[] = {
        200000, 0, 7000000, 1, 7500000, 300000, 400000, 7900000,
    };
    for (uint32_t i = 0; i < ROW_COUNT(sizes); i++) {
        char key[64];
        uint32_t members = sizes[i] > 1000000 ? 3 : 1;
        (void)snprintf(key, sizeof key, "in/stream/%06u.gz", i);
        struct view v = lines_of(sizes[i], i + 1, true);
        for (uint32_t m = 0; m < members; m++)
            expect(v, false);
        put_members(key, v, members);
    }
    put("in/aws-logs-write-test", view_of("Permission Check Successful"));
}

static void test_composed(void **state)
{
    int broken = 0;

    (void)state;
    open_merge("joined.log.gz");
    fill_gzip();
    broken += BROKEN("composed", run_well() && action_is("merged") &&
                     reads_well("joined.log.gz"));
    broken += BROKEN("by S3", asked("UploadPartCopy") >= 1);
    broken += BROKEN("probe left out", job.counts.parts > 1);
    broken += BROKEN("again", run_well() && action_is("skipped"));
    assert_int_equal(broken, 0);
    close_world();
}

static void test_anew(void **state)
{
    int broken = 0;

    (void)state;
    open_merge("joined.log.gz");
    fill_gzip();
    spec.recompress = true;
    broken += BROKEN("anew", run_well() && reads_well("joined.log.gz"));
    close_world();

    open_merge("joined.log.gz");
    struct view v = lines_of(200000, 3, false);
    expect(v, true);
    put_gzip("in/a.gz", v);
    v = lines_of(100000, 4, false);
    expect(v, true);
    put_gzip("in/b.gz", v);
    broken += BROKEN("no line is glued", run_well() &&
                     reads_well("joined.log.gz") &&
                     strstr(job.result.reason, "newline") != NULL);
    close_world();

    open_merge("joined");
    v = lines_of(6000000, 3, false);
    expect(v, true);
    put("in/a", v);
    v = lines_of(100000, 4, false);
    expect(v, true);
    put("in/b", v);
    broken += BROKEN("plain", run_well() && reads_well("joined") &&
                     job.compress == COMPRESS_NONE &&
                     aws_object_bytes(model, "sim-bucket", "joined", 0, stored,
                                      1) == 1 && stored[0] != 0x1f);
    close_world();

    open_merge("joined");
    v = lines_of(100000, 3, true);
    expect(v, true);
    put("in/a", v);
    v = lines_of(100000, 4, true);
    expect(v, true);
    put_gzip("in/b", v);
    broken += BROKEN("mixed", run_well() && reads_well("joined"));
    close_world();
    assert_int_equal(broken, 0);
}

static void test_refused(void **state)
{
    int broken = 0;

    (void)state;
    open_merge("joined.log.gz");
    broken += BROKEN("nothing", run_job(NOW_MS) == FLOW_FAILED &&
                     job.fault.error == ERROR_CONFIG);
    put("in/a.gz", view_of("not gzip\n"));
    broken += BROKEN("no gzip", run_job(NOW_MS) == FLOW_FAILED &&
                     job.fault.error == ERROR_CORRUPT &&
                     row_string(job.about, "in/a.gz"));
    put_gzip("in/a.gz", lines_of(100000, 1, true));
    size_t len = aws_object_bytes(model, "sim-bucket", "in/a.gz", 0, stored,
                                  sizeof stored);
    put("in/a.gz", (struct view){stored, (uint32_t)len - 9});
    broken += BROKEN("cut", run_job(NOW_MS) == FLOW_FAILED &&
                     job.fault.error == ERROR_CORRUPT &&
                     row_string(job.about, "in/a.gz"));
    broken += BROKEN("nothing stored", !is_there("joined.log.gz") &&
                     aws_open_uploads(model, "sim-bucket") == 0);
    assert_int_equal(broken, 0);
    close_world();
}

static void test_killed(void **state)
{
    int broken = 0;

    (void)state;
    for (int mode = 0; mode < 2; mode++) {
        bool ended = false;
        for (uint64_t steps = 1; !ended; steps += 97 + 24 * steps) {
            open_merge("joined.log.gz");
            fill_gzip();
            spec.recompress = mode == 1;
            ended = kill_job(NOW_MS, steps) == FLOW_ENDED;
            broken += BROKEN(mode == 1 ? "anew" : "composed",
                             ended || run_well());
            if (!reads_well("joined.log.gz")) {
                broken++;
                fprintf(stderr, "  killed after %llu\n",
                        (unsigned long long)steps);
            }
            close_world();
        }
    }
    assert_int_equal(broken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_composed),
        cmocka_unit_test(test_anew),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_killed),
    };
    return RUN(tests);
}
