/* test_segment.c - more parts than S3 takes become one object all the same.
 * Method: the simulator's limits: 3 parts, then segments of four or so. Uploads
 * of many lengths, by bytes and by copies; killed before and after every
 * request, then gone on with behind what was recorded last, by a caller that
 * records every part and one that only does what it must; aborted after every
 * request. At the end: the object is the content, and nothing else is left.
 * SEGMENTS=n: in one run so many, with bodies that the model does not keep. */
#include "segment_rig.h"

enum { PIECE_BYTES = CFG_PART_BYTES / 5 };

static uint64_t total;

/* What a caller knows: in memory, and what would survive it. */
static struct record {
    struct upload_stored stored;
    char id[MULTIPART_ID_BYTES], segment[MULTIPART_ID_BYTES];
    bool committing;
} record;
static struct upload_stored closed[CFG_UPLOAD_COUNT], known;
static bool thrifty;

static struct view piece_at(uint64_t offset)
{
    uint64_t left = total - offset;
    uint32_t from = (uint32_t)(offset % (sizeof content - PIECE_BYTES));
    return (struct view){content + from,
                         left < PIECE_BYTES ? (uint32_t)left : PIECE_BYTES};
}

static uint64_t crc_of_all(void)
{
    uint64_t crc = 0;
    for (uint64_t at = 0; at < total; at += PIECE_BYTES)
        crc = crc64_add(crc, piece_at(at));
    return crc;
}

static void begin_of(uint64_t bytes)
{
    open_segments();
    total = bytes;
    record = (struct record){.stored.crc_known = true};
    memset(closed, 0, sizeof closed);
    known = record.stored;
}

static void write_record(const struct upload_stored *stored)
{
    record.stored = *stored;
    (void)view_copy(upload_id(&upload), record.id, sizeof record.id);
    (void)view_copy(upload_segment_id(&upload), record.segment,
                    sizeof record.segment);
    upload_recorded(&upload, stored->parts);
}

/* As an archive's journal and claim do. */
static void keep_record(void)
{
    bool due = !thrifty || upload_wants_record(&upload);
    if (upload.ended && !record.committing && upload_is_stored(&upload)) {
        struct upload_stored all = upload_closed(&upload);
        record.committing = true;
        write_record(&all);
        upload_commit(&upload);
    } else if (!record.committing && due && known.parts > record.stored.parts) {
        write_record(&known);
    }
}

static void feed(void)
{
    while (!upload.ended && upload_room(&upload, PIECE_BYTES)) {
        uint32_t before = upload.closed;
        struct view piece = piece_at(upload_offset(&upload));
        if (piece.len == 0) {
            upload_end(&upload);
            return;
        }
        upload_append(&upload, piece);
        upload_block_end(&upload);
        if (upload.closed != before)
            closed[upload.closed % CFG_UPLOAD_COUNT] = upload_closed(&upload);
    }
}

/* Until it ends, or so many requests were made in all. */
static enum flow go_on(uint32_t most)
{
    for (uint64_t turn = 0; turn < 100000000; turn++) {
        feed();
        keep_record();
        enum flow flow = upload_step(&upload, wire_now());
        uint32_t parts = upload.stored.parts;
        if (closed[parts % CFG_UPLOAD_COUNT].parts == parts)
            known = closed[parts % CFG_UPLOAD_COUNT];  /* not of the last */
        if (wire.started >= most && flow != FLOW_ENDED)
            return FLOW_MOVED;
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (flow == FLOW_MOVED || wire_move())
            continue;
        int64_t at = upload_wake_ms(&upload), net = wire_wake_ms();
        at = net < at ? net : at;
        if (at < INT64_MAX)
            wire.mono_ms = at > wire.mono_ms ? at : wire.mono_ms + 1;
    }
    return FLOW_FAILED;
}

static bool is_whole(void)
{
    struct aws_object_info info, more;
    bool there = aws_object(wire.model, "archive", "a/b c/events.ndjson.gz",
                            &info);
    return there && info.size == total && info.crc64 == crc_of_all() &&
           aws_open_uploads(wire.model, "archive") == 0 &&
           !aws_object_at(wire.model, "archive", 1, &more);
}

static void lengths(void **state)
{
    int failures = 0;
    (void)state;
    for (uint64_t bytes = 10000; bytes < 900000; bytes += 9973) {
        begin_of(bytes);
        bool ok = go_on(UINT32_MAX) == FLOW_ENDED && is_whole() &&
                  upload.crc == crc_of_all() && upload.crc_confirmed;
        failures += BROKEN("a length", ok);
        end();
    }
    assert_int_equal(failures, 0);
}

/* --- killed at every request --------------------------------------------- */

static void die(bool asked)
{
    if (asked)
        (void)wire_move();
    for (int i = 0; i < WIRE_FLIGHTS; i++)
        if (wire.flights[i].x != NULL)
            transport_cancel(&wire, wire.flights[i].x);
    arena_init(&arena, (struct span){arena_bytes, sizeof arena_bytes},
               arena_next, CFG_SLOT_BYTES);
    upload_init(&upload, &site, &arena, &target);
    upload_segments(&upload, &segment);
}

/* The object may be there already: whoever looked would have seen it. */
static bool goes_on(uint64_t *again)
{
    uint64_t before = record.stored.bytes;
    bool committing = record.committing;
    if (is_whole())
        return true;
    if (record.id[0] == '\0')
        return go_on(UINT32_MAX) == FLOW_ENDED;
    upload_resume(&upload, view_of(record.id), view_of(record.segment),
                  &record.stored);
    if (committing) {
        upload_end(&upload);
        upload_commit(&upload);
    }
    bool ok = go_on(UINT32_MAX) == FLOW_ENDED;
    *again += total - before;
    return ok;
}

static bool survives(uint32_t nth, bool asked, bool *more)
{
    uint64_t again = 0;
    begin_of(470000);
    *more = go_on(nth) == FLOW_MOVED;
    if (*more)
        die(asked);
    bool ok = !*more || goes_on(&again);
    aws_expire_uploads(wire.model, "archive");  /* not recorded: sweep.h */
    ok = ok && is_whole();
    if (!ok)
        fprintf(stderr, "request %u, %s, %s: %s (%s), own %u, inner %u\n", nth,
                asked ? "asked" : "not asked",
                thrifty ? "thrifty" : "eager", upload.fault.what,
                upload.fault.code, record.stored.place.own,
                record.stored.place.parts);
    end();
    return ok;
}

static void killed_at_every_request(void **state)
{
    int failures = 0;
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        bool more = true;
        thrifty = kind & 1;
        for (uint32_t nth = 1; more && nth < 200; nth++)
            failures += BROKEN("a kill", survives(nth, kind & 2, &more));
        assert_false(more);
    }
    thrifty = false;
    assert_int_equal(failures, 0);
}

/* --- aborted at every request -------------------------------------------- */

static void aborted_at_every_request(void **state)
{
    struct aws_object_info info;
    bool more = true;
    int failures = 0;
    (void)state;
    for (uint32_t nth = 1; more && nth < 200; nth++) {
        begin_of(470000);
        more = go_on(nth) == FLOW_MOVED;
        upload_abort(&upload);
        enum flow flow = drive(&upload);
        bool ok = flow == FLOW_ENDED &&
                  (upload.state == UPLOAD_DONE ||
                   (upload.gone && nothing_open() &&
                    (upload.commit ||
                     !aws_object_at(wire.model, "archive", 0, &info))));
        failures += BROKEN("an abort", ok);
        end();
    }
    assert_false(more);
    assert_int_equal(failures, 0);
}

/* --- faults -------------------------------------------------------------- */

static const struct row {
    const char *name, *fault;
    enum error  error;
} rows[] = {
    {"the segment's upload is gone", "UploadPart #6 error=NoSuchUpload",
     ERROR_MISSING},
    {"its object is gone before it is copied", "UploadPartCopy #1 "
     "error=NoSuchKey status=404", ERROR_MISSING},
    {"its object is another's", "UploadPartCopy #1 error=PreconditionFailed "
     "status=412", ERROR_MISSING},
    {"copies are not allowed", "UploadPartCopy error=AccessDenied status=403",
     ERROR_DENIED},
    {"segments are not allowed to go", "DeleteObject error=AccessDenied "
     "status=403", ERROR_NONE},
    {"S3 does not like a segment to go", "DeleteObject error=InvalidRequest "
     "status=400", ERROR_REMOTE},
};

static void faults_come_out(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        begin_of(470000);
        assert_true(aws_fault(wire.model, rows[i].fault));
        enum flow flow = go_on(UINT32_MAX);
        bool ok = rows[i].error == ERROR_NONE
                      ? flow == FLOW_ENDED
                      : flow == FLOW_FAILED &&
                        upload.fault.error == rows[i].error &&
                        !upload_room(&upload, PIECE_BYTES);
        aws_clear_faults(wire.model);
        upload_abort(&upload);
        (void)drive(&upload);
        failures += BROKEN(rows[i].name, ok && nothing_open());
        end();
    }
    assert_int_equal(failures, 0);
}

/* What S3 says of the copy is not what was sent. */
static void a_copy_of_something_else(void **state)
{
    (void)state;
    begin_of(470000);
    wire.canned_if = "x-amz-copy-source:";
    wire.canned = "<CopyPartResult><ETag>e</ETag><ChecksumCRC64NVME>"
                  "AAAAAAAAAAA=</ChecksumCRC64NVME></CopyPartResult>";
    wire.canned_times = 1;
    assert_int_equal(go_on(UINT32_MAX), FLOW_FAILED);
    assert_int_equal(upload.fault.error, ERROR_CORRUPT);
    upload_abort(&upload);
    assert_int_equal(drive(&upload), FLOW_FAILED);
    assert_true(nothing_open());
    end();
}

/* Aborted it is gone, even if the segment's object cannot be deleted. */
static void an_abort_that_leaves_the_object(void **state)
{
    (void)state;
    begin_of(470000);
    while (upload.stored.place.own <= LIMIT_SEGMENT_FROM)
        assert_int_equal(go_on(wire.started + 1), FLOW_MOVED);
    assert_true(aws_fault(wire.model, "DeleteObject error=InvalidRequest "
                                      "status=400"));
    upload_abort(&upload);
    assert_int_equal(drive(&upload), FLOW_ENDED);
    assert_true(upload.state == UPLOAD_ABORTED && upload.gone &&
                nothing_open());
    end();
}

/* As many parts, but none of them by way of a segment. */
static void without_segments(void **state)
{
    (void)state;
    begin_of(300000);
    upload.segment = NULL;
    assert_int_equal(go_on(UINT32_MAX), FLOW_ENDED);
    assert_true(is_whole() && upload.stored.place.own > LIMIT_SEGMENT_FROM);
    end();
}

/* --- very many ----------------------------------------------------------- */

static void very_many(void **state)
{
    const char *wanted = getenv("SEGMENTS");
    uint64_t most = wanted != NULL ? strtoull(wanted, NULL, 10) : 40;
    (void)state;
    begin_of(most * (LIMIT_COPY_BYTES - CFG_PART_BYTES));
    aws_set(wire.model, "discard", 1);
    aws_set(wire.model, "check-signature", 0);
    assert_int_equal(go_on(UINT32_MAX), FLOW_ENDED);
    assert_true(is_whole() && upload.crc == crc_of_all());
    print_message("%llu bytes, %u parts sent, %u of the object\n",
                  (unsigned long long)total, upload.stored.parts,
                  upload.stored.place.own);
    end();
}

static void no_part_past_the_last(void **state)
{
    struct upload_stored was = {
        .parts = LIMIT_PART_COUNT, .bytes = LIMIT_COPY_BYTES,
        .place = {.own = LIMIT_PART_COUNT - 1, .parts = 1,
                  .bytes = LIMIT_COPY_BYTES - 2 * LIMIT_PART_BYTES / 3},
    };
    (void)state;
    begin_of(0);
    upload_resume(&upload, view_of("id"), view_of("id"), &was);
    upload_append(&upload, view_of("0123456789"));
    assert_int_equal(upload.fault.error, ERROR_LIMIT);
    end();
    begin_of(0);
    was.place.bytes = 1000;  /* in the last one there is room yet */
    upload_resume(&upload, view_of("id"), view_of("id"), &was);
    upload_append(&upload, view_of("0123456789"));
    assert_int_equal(upload.fault.error, ERROR_NONE);
    upload_leave(&upload);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths),
        cmocka_unit_test(killed_at_every_request),
        cmocka_unit_test(aborted_at_every_request),
        cmocka_unit_test(faults_come_out),
        cmocka_unit_test(a_copy_of_something_else),
        cmocka_unit_test(an_abort_that_leaves_the_object),
        cmocka_unit_test(without_segments),
        cmocka_unit_test(very_many),
        cmocka_unit_test(no_part_past_the_last),
    };
    rig_fill();
    return RUN(tests);
}
