/* test_claim.c - what is there already decides what a job does, and a job that
 * changes nothing changes nothing.
 * Method: whole jobs over the simulated AWS (archive_rig.h). A job of several
 * parts is stopped or dies on its way; then another comes, maybe with another
 * wish; what S3 holds is compared with what it held, or an undisturbed day. */
#include "base/crc.h"
#include "noise_rig.h"

enum { DEAD_MS = 2 * CFG_LEASE_MS };

/* Until S3 has a part, and the checkpoint says so; then it is stopped, or
 * dies. */
static void leave_a_part(bool stopped)
{
    begin_job(FIRST);
    while (job.recorded == 0 || job.lease.state != LEASE_HELD)
        assert_int_equal(go_on(job_steps + 1), FLOW_MOVED);
    if (stopped) {
        archive_stop(&job);
        assert_int_equal(go_on(UINT64_MAX), FLOW_FAILED);
        assert_int_equal(job.fault.error, ERROR_STOPPED);
    }
    sim_kill(&network);
    assert_true(is_there(LEASE) && !is_there(OBJECT));
    assert_int_equal(aws_open_uploads(model, "sim-bucket"), 1);
}

static uint64_t writes(void)
{
    static const char *const names[] = {"PutObject", "DeleteObject",
        "UploadPart", "CreateMultipartUpload", "AbortMultipartUpload",
        "CompleteMultipartUpload"};
    uint64_t count = 0;
    for (size_t i = 0; i < ROW_COUNT(names); i++)
        count += aws_counted(model, names[i]).requests;
    return count;
}

static void a_dry_run_changes_nothing(void **state)
{
    (void)state;
    for (int stopped = 0; stopped < 2; stopped++) {
        open_world();
        put_noise();
        leave_a_part(stopped);
        const char *lease = name_of(LEASE);
        uint64_t before = writes();
        spec.dry_run = true;
        assert_int_equal(run_job(FIRST + DEAD_MS), FLOW_ENDED);
        assert_true(action_is("would archive"));
        assert_int_equal(writes(), before);
        assert_string_equal(name_of(LEASE), lease);
        spec.dry_run = false;
        assert_int_equal(run_job(FIRST + DEAD_MS), FLOW_ENDED);
        assert_true(is_whole() && is_tidy());
        close_world();
    }
}

/* A run dies between its receipt and the end of its lease. */
static void what_is_left_stays_at_a_dry_run(void **state)
{
    (void)state;
    open_world();
    put_day();
    begin_job(FIRST);
    while (job.state != ARCHIVE_DROPPING)
        assert_int_equal(go_on(job_steps + 1), FLOW_MOVED);
    sim_kill(&network);
    const char *lease = name_of(LEASE);
    assert_true(is_there(LEASE) && is_there(RECEIPT));
    spec.dry_run = true;
    assert_int_equal(run_job(FIRST + DEAD_MS), FLOW_ENDED);
    assert_true(action_is("skipped"));
    assert_string_equal(name_of(LEASE), lease);
    spec.dry_run = false;
    assert_int_equal(run_job(FIRST + DEAD_MS), FLOW_ENDED);
    assert_true(action_is("skipped") && is_tidy());
    close_world();
}

/* The part that S3 has is not sent again. */
static void the_next_goes_on(void **state)
{
    (void)state;
    for (int stopped = 0; stopped < 2; stopped++) {
        open_world();
        put_noise();
        leave_a_part(stopped);
        uint64_t sent = aws_counted(model, "UploadPart").requests;
        /* released, it is taken at once; else it has to die */
        int64_t at_ms = FIRST + network.mono_ms + (stopped ? 0 : DEAD_MS);
        assert_int_equal(run_job(at_ms), FLOW_ENDED);
        assert_true(action_is("archived"));
        assert_int_equal(job.upload.stored.parts, 2);
        assert_true(aws_counted(model, "UploadPart").requests - sent <=
                    (stopped ? 1 : 2));
        assert_true(is_whole() && is_tidy());
        close_world();
    }
}

/* --- another wish -------------------------------------------------------- */

static void other_format(void)
{
    spec.format = FORMAT_TEXT;
    strcpy(spec.key, "events.ndjson.gz");
}

static void more_fields(void)
{
    spec.field_id = true;
}

static void other_class(void)
{
    strcpy(spec.storage_class, "GLACIER_IR");
}

static void group_made_again(void)
{
    aws_delete_group(model, GROUP);
    aws_create_group(model, GROUP, FIRST + HOUR_MS);
}

static void upload_gone(void)
{
    CHECK(aws_fault(model, "ListParts #1 error=NoSuchUpload status=404"));
}

static void checkpoint_written_over(void)
{
    CHECK(aws_delete_object(model, "sim-bucket", LEASE, FIRST + HOUR_MS));
}

/* What was begun is of no use to it: it is taken away, and begun anew. */
static void another_wish(void **state)
{
    static const struct { const char *name; void (*make)(void);
                          bool tidy; } cases[] = {
        {"another format", other_format, true},
        {"more fields", more_fields, true},
        {"another storage class", other_class, true},
        {"the group is made again", group_made_again, true},
        {"the upload is gone", upload_gone, false},
        {"the checkpoint is gone", checkpoint_written_over, false},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(cases); i++) {
        open_world();
        put_noise();
        leave_a_part(true);
        cases[i].make();
        bool ok = run_job(FIRST + 2 * HOUR_MS) == FLOW_ENDED &&
                  action_is("archived") && (!cases[i].tidy || is_tidy()) &&
                  !is_there(LEASE) && is_there(OBJECT) && is_there(RECEIPT);
        ok = ok && run_job(FIRST + 3 * HOUR_MS) == FLOW_ENDED &&
             action_is("skipped");
        if (!ok)
            fprintf(stderr, "  %s (%s), fault: %s\n", job.result.action,
                    job.result.reason, job.fault.words);
        failures += BROKEN(cases[i].name, ok);
        close_world();
    }
    assert_int_equal(failures, 0);
}

/* --- a checkpoint that is damaged ---------------------------------------- */

/* Writes it anew with a number changed: `name` is that of a member. */
static bool damage(const char *name, const char *value, int nth)
{
    static uint8_t text[RECEIPT_BYTES], other[RECEIPT_BYTES + 64];
    size_t len = aws_object_bytes(model, "sim-bucket", LEASE, 0, text,
                                  sizeof text - 1);
    char quoted[64], *at = (char *)text - 1;
    text[len] = '\0';
    (void)snprintf(quoted, sizeof quoted, "\"%s\": ", name);
    do
        at = strstr(at + 1, quoted);
    while (at != NULL && nth-- > 0);
    assert_non_null(at);
    at += strlen(quoted);
    int bytes = snprintf((char *)other, sizeof other, "%.*s%s%s",
                         (int)(at - (char *)text), text, value,
                         at + strcspn(at, ",}\n"));
    struct view body_text = {other, (uint32_t)bytes};
    struct body body = {.slices = &body_text, .count = 1,
                        .bytes = body_text.len,
                        .crc = crc64_add(0, body_text)};
    struct target target = {.bucket = view_of("sim-bucket"),
                            .key = view_of(LEASE), .checksum = true};
    begin_job(FIRST + HOUR_MS);
    call_cancel(job.call);
    put_begin(&job.put, job.call, &target, &body);
    enum flow flow = FLOW_MOVED;
    while (flow != FLOW_ENDED && flow != FLOW_FAILED) {
        flow = put_step(&job.put, sim_now(&network));
        if (flow == FLOW_WANT_EVENT)
            assert_true(sim_advance(&network, call_wake_ms(job.call)));
    }
    sim_kill(&network);
    return flow == FLOW_ENDED;
}

static void damaged_checkpoints(void **state)
{
    static const struct { const char *name, *member, *value; int nth; }
    cases[] = {
        {"an event more", "events", "1000000", 0},
        {"no events before the window", "events", "0", 1},
        {"another CRC in hand", "crc32", "1", 1},
        {"one part less", "parts", "0", 0},
        {"fewer bytes", "bytes", "5", 0},
        {"another upload", "upload", "\"no-such-upload\"", 0},
        {"another key", "key", "\"x\"", 0},
        {"another account", "account", "\"444455556666\"", 0},
        {"another region", "region", "\"eu-west-1\"", 0},
        {"another group", "group", "\"/sim/other\"", 0},
        {"some streams", "stream_prefix", "\"web\"", 0},
        {"masked", "masked", "true", 0},
        {"from another time", "from", "\"2026-11-08T00:00:00.000Z\"", 0},
        {"until another", "until", "\"2026-11-10T12:00:00.000Z\"", 0},
        {"no checkpoint at all", "version", "[[[", 0},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(cases); i++) {
        open_world();
        put_noise();
        leave_a_part(true);
        assert_true(damage(cases[i].member, cases[i].value, cases[i].nth));
        bool ok = run_job(FIRST + 2 * HOUR_MS) == FLOW_ENDED && is_whole() &&
                  is_tidy();
        if (!ok)
            fprintf(stderr, "  %s (%s), fault: %s, %s\n", job.result.action,
                    job.result.reason, job.fault.what, job.fault.words);
        failures += BROKEN(cases[i].name, ok);
        close_world();
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dry_run_changes_nothing),
        cmocka_unit_test(what_is_left_stays_at_a_dry_run),
        cmocka_unit_test(the_next_goes_on),
        cmocka_unit_test(another_wish),
        cmocka_unit_test(damaged_checkpoints),
    };
    make_undisturbed();
    return RUN(tests);
}
