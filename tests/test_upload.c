/* test_upload.c - what is appended is one object in S3, or a fault says why.
 * Method: against the strict model of S3; every request of a run is faulted in
 * turn, in every manner; then the cases that need a story of their own. After
 * each: the object's bytes, no upload left open, every slot free. */
#include "upload_rig.h"

static void sizes(void **state)
{
    static const uint32_t bytes[] = {
        0, 1, SMALL_BYTES, CFG_PART_BYTES - 1, CFG_PART_BYTES,
        CFG_PART_BYTES + 1, LARGE_BYTES, 2 * CFG_PART_BYTES + 77777,
    };
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(bytes); i++) {
        begin(SLOTS);
        assert_int_equal(send(bytes[i]), FLOW_ENDED);
        assert_true(good(bytes[i]) && upload.crc_confirmed);
        assert_true(nothing_open());
        end();
    }
}

static void the_object_is_described(void **state)
{
    struct aws_object_info info;
    (void)state;
    begin(SLOTS);
    assert_int_equal(send(131071), FLOW_ENDED);
    aws_object(wire.model, "archive", "a/b c/events.ndjson.gz", &info);
    assert_true(aws_is(info.storage_class, "STANDARD"));
    end();
    begin(SLOTS);
    assert_int_equal(send(131072), FLOW_ENDED);
    aws_object(wire.model, "archive", "a/b c/events.ndjson.gz", &info);
    assert_true(aws_is(info.storage_class, "GLACIER_IR"));
    end();
    begin(SLOTS);
    target.sse = view_of("AES256");
    append(&upload, 0, CFG_PART_BYTES);
    for (int i = 0; i < 9 && wire.started == 0; i++)
        (void)upload_step(&upload, wire_now());
    wire_move();
    assert_non_null(strstr(wire.request, "?uploads"));
    assert_non_null(strstr(wire.request, "content-type:application/gzip\n"));
    assert_non_null(strstr(wire.request,
                           "x-amz-server-side-encryption:AES256\n"));
    assert_non_null(strstr(wire.request,
                           "x-amz-checksum-type:FULL_OBJECT\n"));
    upload_end(&upload);
    upload_commit(&upload);
    assert_int_equal(drive(&upload), FLOW_ENDED);
    aws_object(wire.model, "archive", "a/b c/events.ndjson.gz", &info);
    assert_true(aws_is(info.storage_class, "GLACIER_IR"));
    end();
}

/* --- every request faulted in turn --------------------------------------- */

static const struct manner {
    const char *how;
    const char *where;  /* of which requests; the others are not counted */
} manners[] = {
    {"lost", "*"}, {"reset", "*"}, {"cut=?", "*"}, {"stall=3", "*"},
    {"hang", "*"},
    {"dup", "CreateMultipartUpload"}, {"dup", "CompleteMultipartUpload"},
    {"error=InternalError status=500 html", "*"},
    {"error=SlowDown status=503", "*"},
    {"error=ServiceUnavailable status=503 nobody", "*"},
    {"after error=InternalError status=500", "*"},
    {"error=RequestTimeout status=400", "PutObject"},
    {"error=RequestTimeout status=400", "UploadPart"},
    {"in200 error=InternalError", "PutObject"},
    {"in200 error=InternalError", "CreateMultipartUpload"},
    {"in200 error=SlowDown", "UploadPart"},
    {"in200 error=InternalError", "ListParts"},
    {"in200 error=ServiceUnavailable", "CompleteMultipartUpload"},
    {"in200 error=OperationAborted", "CompleteMultipartUpload"},
    {"flip=100", "PutObject"}, {"flip=100", "UploadPart"},
};

static bool survives(const struct manner *m, uint32_t nth, uint32_t bytes,
                     bool *more)
{
    char line[128];
    begin(SLOTS);
    (void)snprintf(line, sizeof line, "%s #%u %s", m->where, nth, m->how);
    assert_true(aws_fault(wire.model, line));
    bool ok = send(bytes) == FLOW_ENDED && good(bytes);
    *more = aws_counted(wire.model, m->where).requests >= nth;
    /* a Create that was done twice, or whose answer was lost, leaves an empty
     * upload that nobody knows of */
    bool orphan = bytes == LARGE_BYTES && nth == 1;
    ok = ok && (orphan || nothing_open());
    if (!ok)
        fprintf(stderr, "%s: %s, %s (%s)\n", line, upload.fault.what,
                upload.fault.code, upload.fault.words);
    wire_close();
    return ok && arena.free_count == arena.slot_count;
}

static void every_request_faulted(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(manners); i++)
        for (int large = 0; large < 2; large++) {
            bool more = true;
            for (uint32_t nth = 1; more && nth < 30; nth++)
                failures += BROKEN(manners[i].how,
                    survives(&manners[i], nth,
                             large ? LARGE_BYTES : SMALL_BYTES, &more));
        }
    assert_int_equal(failures, 0);
}

/* --- faults that come out ------------------------------------------------ */

static const struct row {
    const char *name, *fault;
    enum error  error;
    const char *code;
    bool        open;   /* the upload may stay open */
} rows[] = {
    {"no permission", "CreateMultipartUpload error=AccessDenied",
     ERROR_DENIED, "AccessDenied", false},
    {"no permission for parts", "UploadPart error=AccessDenied",
     ERROR_DENIED, "AccessDenied", true},
    {"no permission to look", "HeadObject error=AccessDenied",
     ERROR_DENIED, "", false},
    {"the upload was aborted by someone", "UploadPart #2 error=NoSuchUpload",
     ERROR_MISSING, "NoSuchUpload", true},
    {"and at Complete, with no object", "CompleteMultipartUpload "
     "error=NoSuchUpload", ERROR_MISSING, "NoSuchUpload", true},
    {"parts damaged again and again", "UploadPart flip=9", ERROR_CORRUPT,
     "BadDigest", true},
    {"an error in every 200", "CompleteMultipartUpload in200 "
     "error=InternalError", ERROR_REMOTE, "InternalError", true},
    {"an error in a 200 that will not pass", "CompleteMultipartUpload in200 "
     "error=InvalidPart", ERROR_REMOTE, "InvalidPart", true},
    {"a checksum refused in a 200", "CompleteMultipartUpload in200 "
     "error=BadDigest", ERROR_CORRUPT, "BadDigest", true},
    {"a race at Complete", "CompleteMultipartUpload "
     "error=ConditionalRequestConflict status=409", ERROR_CONFLICT,
     "ConditionalRequestConflict", false},
    {"parts without ETag", "UploadPart drop=ETag", ERROR_CORRUPT, "", true},
};

static bool comes_out(const struct row *row)
{
    begin(SLOTS);
    assert_true(aws_fault(wire.model, row->fault));
    enum flow flow = send(LARGE_BYTES);
    bool ok = flow == FLOW_FAILED && upload.state == UPLOAD_FAILED &&
              upload.fault.error == row->error &&
              row_string(upload.fault.code, row->code) &&
              (nothing_open() || row->open) &&
              upload_step(&upload, wire_now()) == FLOW_FAILED;
    if (!ok)
        fprintf(stderr, "%s: error %d, %s, %s\n", row->name,
                upload.fault.error, upload.fault.what, upload.fault.words);
    aws_clear_faults(wire.model);
    enum error was = upload.fault.error;
    upload_abort(&upload);
    (void)drive(&upload);
    ok = ok && upload.state == UPLOAD_FAILED && nothing_open() &&
         upload.fault.error == was;
    wire_close();
    return ok && arena.free_count == arena.slot_count;
}

static void faults_come_out(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, comes_out(&rows[i]));
    assert_int_equal(failures, 0);
}

static void damaged_once_is_sent_again(void **state)
{
    (void)state;
    begin(SLOTS);
    assert_true(aws_fault(wire.model, "UploadPart #1 flip=9"));
    assert_true(aws_fault(wire.model, "UploadPart #3 drop=ETag"));
    assert_int_equal(send(LARGE_BYTES), FLOW_ENDED);
    assert_true(good(LARGE_BYTES) && nothing_open());
    assert_int_equal(aws_counted(wire.model, "UploadPart").requests, 4);
    end();
}

/* S3 says that it stored something else. */
static void a_part_not_stored_as_sent(void **state)
{
    (void)state;
    for (uint32_t times = 1; times < 200; times += 100) {
        begin(SLOTS);
        wire.canned_if = "partNumber=1";
        wire.canned = "";
        wire.canned_head = "etag: \"e\"\n"
                           "x-amz-checksum-crc64nvme: AAAAAAAAAAA=";
        wire.canned_times = times;
        enum flow flow = send(LARGE_BYTES);
        assert_int_equal(flow, times == 1 ? FLOW_ENDED : FLOW_FAILED);
        assert_true(times == 1 ? good(LARGE_BYTES)
                               : upload.fault.error == ERROR_CORRUPT);
        end();
    }
}

/* --- conditions ---------------------------------------------------------- */

static void someone_was_first(void **state)
{
    static const uint32_t bytes[] = {SMALL_BYTES, LARGE_BYTES};
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(bytes); i++) {
        begin(SLOTS);
        put_other("another one");
        assert_int_equal(send(bytes[i]), FLOW_FAILED);
        assert_int_equal(upload.fault.error, ERROR_CONFLICT);
        assert_true(nothing_open() && !stored(bytes[i]));
        end();
    }
}

static void someone_was_first_with_the_same(void **state)
{
    static const uint32_t bytes[] = {SMALL_BYTES, LARGE_BYTES};
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(bytes); i++) {
        begin(SLOTS);
        assert_int_equal(send(bytes[i]), FLOW_ENDED);
        upload_init(&upload, &site, &arena, &target);
        assert_int_equal(send(bytes[i]), FLOW_ENDED);
        assert_true(good(bytes[i]) && nothing_open());
        end();
    }
}

/* The object is there: that its parts are, too, changes nothing. */
static void what_is_done_stays_done(void **state)
{
    (void)state;
    begin(SLOTS);
    assert_int_equal(send(LARGE_BYTES), FLOW_ENDED);
    assert_true(aws_fault(wire.model,
                          "AbortMultipartUpload error=AccessDenied"));
    upload_init(&upload, &site, &arena, &target);
    assert_int_equal(send(LARGE_BYTES), FLOW_ENDED);
    assert_true(good(LARGE_BYTES) && !nothing_open() && !upload.gone);
    end();
}

static void replacement(void **state)
{
    static const uint32_t bytes[] = {SMALL_BYTES, LARGE_BYTES};
    char etag[HTTP_ETAG_BYTES];
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(bytes); i++) {
        begin(SLOTS);
        assert_int_equal(send(1000), FLOW_ENDED);
        memcpy(etag, upload.etag, sizeof etag);
        target.condition = TARGET_MATCHES;
        target.etag = view_of(etag);
        upload_init(&upload, &site, &arena, &target);
        assert_int_equal(send(bytes[i]), FLOW_ENDED);
        assert_true(good(bytes[i]));
        put_other("another one");  /* now the ETag is of the past */
        upload_init(&upload, &site, &arena, &target);
        assert_int_equal(send(bytes[i]), FLOW_FAILED);
        assert_int_equal(upload.fault.error, ERROR_CONFLICT);
        aws_delete_object(wire.model, "archive", "a/b c/events.ndjson.gz",
                          wire_now().wall_ms);
        upload_init(&upload, &site, &arena, &target);
        assert_int_equal(send(bytes[i]), FLOW_FAILED);
        assert_int_equal(upload.fault.error, ERROR_CONFLICT);
        assert_true(nothing_open());
        end();
    }
}

/* --- abort, resume, limits ----------------------------------------------- */

static void abort_wherever_it_is(void **state)
{
    (void)state;
    for (int steps = 0; steps < 40; steps++) {
        begin(SLOTS);
        append(&upload, 0, LARGE_BYTES);
        upload_end(&upload);
        upload_commit(&upload);
        for (int i = 0; i < steps; i++)
            if (upload_step(&upload, wire_now()) != FLOW_MOVED)
                wire_move();
        bool done = upload.state == UPLOAD_DONE;
        upload_abort(&upload);
        assert_int_equal(drive(&upload), FLOW_ENDED);
        assert_true(upload.state == (done ? UPLOAD_DONE : UPLOAD_ABORTED));
        assert_true(nothing_open());
        end();
    }
}

static void an_abort_that_is_refused(void **state)
{
    static const char *const faults[] = {
        "AbortMultipartUpload error=AccessDenied",
        "ListParts error=AccessDenied",
    };
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(faults); i++) {
        begin(SLOTS);
        append(&upload, 0, LARGE_BYTES);
        (void)drive(&upload);
        assert_true(aws_fault(wire.model, faults[i]));
        upload_abort(&upload);
        assert_int_equal(drive(&upload), FLOW_FAILED);
        assert_int_equal(upload.fault.error, ERROR_DENIED);
        assert_true(nothing_open() == (i == 1) && !upload.gone);
        end();
    }
}

/* Ended, aborted or failed it takes nothing more, and wants no slots. */
static void it_takes_no_more(void **state)
{
    (void)state;
    begin(SLOTS);
    assert_false(upload_is_stored(&upload));
    assert_true(upload_room(&upload, 1) && upload_slots_wanted(&upload) > 0);
    upload_end(&upload);
    assert_false(upload_room(&upload, 1));
    assert_int_equal(upload_slots_wanted(&upload), 0);
    assert_true(upload_is_stored(&upload));
    end();

    begin(SLOTS);
    append(&upload, 0, LARGE_BYTES);
    while (upload.state != UPLOAD_CREATING)
        (void)upload_step(&upload, wire_now());
    assert_true(upload_room(&upload, 1));
    upload_abort(&upload);
    assert_false(upload_room(&upload, 1));
    upload_abort(&upload);
    assert_int_equal(drive(&upload), FLOW_ENDED);
    assert_true(upload.state == UPLOAD_ABORTED && nothing_open());
    upload_abort(&upload);
    assert_int_equal(drive(&upload), FLOW_ENDED);
    end();
}

/* Two parts are there, of which the first was recorded; the process dies, and
 * what follows is other bytes, or the same. */
static void the_part_behind_is_believed_by_its_sum(void **state)
{
    static const struct { bool same, summed; uint32_t sent; } row[] = {
        {true, true, 0}, {false, true, 1}, {true, false, 1},
    };
    static char id[MULTIPART_ID_BYTES];
    enum { FULL = (CFG_PART_BYTES + BLOCK_BYTES - 1) / BLOCK_BYTES *
                  BLOCK_BYTES };
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(row); i++) {
        begin(SLOTS);
        append(&upload, 0, FULL);
        (void)drive(&upload);
        struct upload_stored was = upload.stored;
        append(&upload, FULL, 2 * FULL);
        (void)drive(&upload);
        assert_int_equal(upload.stored.parts, 2);
        memcpy(id, upload.multipart.id, sizeof id);
        aws_set(wire.model, "return-sums", row[i].summed);
        uint64_t sent = aws_counted(wire.model, "UploadPart").requests;
        upload_init(&upload, &site, &arena, &target);
        upload_resume(&upload, view_of(id), (struct view){0}, &was);
        content[FULL + 7] ^= !row[i].same;
        append(&upload, FULL, 2 * FULL);
        upload_end(&upload);
        upload_commit(&upload);
        assert_int_equal(drive(&upload), FLOW_ENDED);
        assert_true(good(2 * FULL));
        assert_int_equal(aws_counted(wire.model, "UploadPart").requests - sent,
                         row[i].sent);
        content[FULL + 7] ^= !row[i].same;
        end();
    }
}

#define PART(n, size) "<Part><PartNumber>" n "</PartNumber><ETag>e</ETag>" \
    "<Size>" size "</Size></Part>"

/* What a resumed upload finds is not what was recorded. */
static void parts_that_are_gone(void **state)
{
    static const char *const lists[] = {
        "", PART("1", "7000000"), PART("1", "7000000") PART("2", "6999999"),
        PART("2", "7000000") "<IsTruncated>true</IsTruncated>",
        PART("1", "7000000") PART("3", "1"),
        PART("1", "7000000") "<Part><PartNumber>2</PartNumber></Part>",
    };
    const struct upload_stored was = {
        .parts = 2, .bytes = 14000000, .place.own = 2, .crc_known = true,
    };
    char answer[600];
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(lists); i++) {
        begin(SLOTS);
        (void)snprintf(answer, sizeof answer,
                       "<ListPartsResult>%s</ListPartsResult>", lists[i]);
        wire.canned_if = "GET ";
        wire.canned = answer;
        wire.canned_times = 1;
        upload_resume(&upload, view_of("id"), (struct view){0}, &was);
        failures += BROKEN(lists[i], drive(&upload) == FLOW_FAILED &&
                           upload.fault.error == ERROR_MISSING);
        end();
    }
    assert_int_equal(failures, 0);
}

static void resume_at_a_part(void **state)
{
    static char id[MULTIPART_ID_BYTES];
    struct upload_stored was;
    (void)state;
    begin(SLOTS);
    append(&upload, 0, CFG_PART_BYTES + 500000);
    (void)drive(&upload);  /* one part is there; then the process dies */
    was = upload.stored;
    memcpy(id, upload.multipart.id, sizeof id);
    assert_true(was.parts == 1 && was.bytes >= CFG_PART_BYTES);
    arena_init(&arena, (struct span){arena_bytes, sizeof arena_bytes},
               arena_next, CFG_SLOT_BYTES);
    upload_init(&upload, &site, &arena, &target);
    upload_resume(&upload, view_of(id), (struct view){0}, &was);
    assert_true(upload_offset(&upload) == was.bytes);
    append(&upload, (uint32_t)was.bytes, 2 * CFG_PART_BYTES + 7);
    upload_end(&upload);
    upload_commit(&upload);
    assert_int_equal(drive(&upload), FLOW_ENDED);
    assert_true(good(2 * CFG_PART_BYTES + 7) && nothing_open());
    end();
}

static void no_part_past_the_last(void **state)
{
    struct upload_stored was = {
        .parts = LIMIT_PART_COUNT, .bytes = 1,
        .place.own = LIMIT_PART_COUNT,
    };
    (void)state;
    begin(SLOTS);
    upload_resume(&upload, view_of("id"), (struct view){0}, &was);
    assert_true(upload_room(&upload, 10));
    upload_append(&upload, view_of("0123456789"));
    assert_int_equal(upload.fault.error, ERROR_LIMIT);
    assert_false(upload_room(&upload, 10));
    upload_append(&upload, view_of("0123456789"));
    upload_block_end(&upload);
    upload_close(&upload);
    upload_copy(&upload, &(struct copy_source){.to = LIMIT_PART_LEAST});
    assert_int_equal(upload.closed, LIMIT_PART_COUNT);
    upload_end(&upload);
    upload_commit(&upload);
    assert_int_equal(drive(&upload), FLOW_FAILED);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(the_object_is_described),
        cmocka_unit_test(every_request_faulted),
        cmocka_unit_test(faults_come_out),
        cmocka_unit_test(damaged_once_is_sent_again),
        cmocka_unit_test(someone_was_first),
        cmocka_unit_test(someone_was_first_with_the_same),
        cmocka_unit_test(a_part_not_stored_as_sent),
        cmocka_unit_test(what_is_done_stays_done),
        cmocka_unit_test(replacement),
        cmocka_unit_test(abort_wherever_it_is),
        cmocka_unit_test(an_abort_that_is_refused),
        cmocka_unit_test(it_takes_no_more),
        cmocka_unit_test(the_part_behind_is_believed_by_its_sum),
        cmocka_unit_test(parts_that_are_gone),
        cmocka_unit_test(resume_at_a_part),
        cmocka_unit_test(no_part_past_the_last),
    };
    rig_fill();
    return RUN(tests);
}
