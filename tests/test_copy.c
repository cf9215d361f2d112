/* test_copy.c - parts that S3 copies from other objects.
 * Method: objects stand in the model's S3; uploads take parts of the content by
 * bytes and by copy, in every order, every request faulted in turn; sources
 * that change or go; stores that do not tell a copy's checksum. After each: the
 * object is the content, its checksum right or owned not to be known. */
#include "upload_rig.h"

enum {
    SOURCE_BYTES = 5300000,
    TAIL_BYTES = 77777,
    WHOLE_BYTES = 2 * SOURCE_BYTES + TAIL_BYTES,
};

static char source_etag[HTTP_ETAG_BYTES];

/* The content's first bytes as an object "source/a b". */
static void put_source(void)
{
    static struct upload other;
    static struct target it;
    it = target;
    it.key = view_of("source/\xc3\xa4 b+%");
    it.condition = TARGET_ANYHOW;
    it.storage_class = view_of("STANDARD");
    upload_init(&other, &site, &arena, &it);
    for (uint32_t at = 0; at < SOURCE_BYTES;) {
        uint32_t len = SOURCE_BYTES - at < BLOCK_BYTES ? SOURCE_BYTES - at
                                                       : BLOCK_BYTES;
        upload_append(&other, (struct view){content + at, len});
        upload_block_end(&other);
        at += len;
    }
    upload_end(&other);
    upload_commit(&other);
    assert_int_equal(drive(&other), FLOW_ENDED);
    memcpy(source_etag, other.etag, sizeof source_etag);
}

static struct copy_source whole_source(void)
{
    return (struct copy_source){
        .bucket = view_of("archive"), .key = view_of("source/\xc3\xa4 b+%"),
        .etag = view_of(source_etag), .to = SOURCE_BYTES, .whole = true,
    };
}

/* The next bytes of what is expected, in `made`. */
static uint8_t  made[WHOLE_BYTES + SOURCE_BYTES];
static uint32_t made_bytes;

static void note(uint32_t from, uint32_t to)
{
    memcpy(made + made_bytes, content + from, to - from);
    made_bytes += to - from;
}

static void copy(uint32_t from, uint32_t to)
{
    struct copy_source s = whole_source();
    char key[64], etag[HTTP_ETAG_BYTES];
    memcpy(key, s.key.at, s.key.len);
    memcpy(etag, source_etag, sizeof etag);
    s.key.at = (const uint8_t *)key;
    s.etag = view_of(etag);
    s.from = from;
    s.to = to;
    s.whole = to - from == SOURCE_BYTES;
    while (!upload_may_copy(&upload) && upload.state != UPLOAD_FAILED)
        if (drive(&upload) == FLOW_FAILED)
            return;
    upload_copy(&upload, &s);
    memset(key, 0, sizeof key);  /* it has taken a copy */
    memset(etag, 0, sizeof etag);
    note(from, to);
}

static void bytes(uint32_t from, uint32_t to)
{
    append(&upload, from, to);
    note(from, to);
}

static enum flow finish(void)
{
    upload_end(&upload);
    upload_commit(&upload);
    return drive(&upload);
}

static bool is_made(bool known)
{
    static uint8_t back[sizeof made];
    return upload.state == UPLOAD_DONE && upload.bytes == made_bytes &&
           upload.stored.bytes == made_bytes &&
           upload.crc_known == known && upload.crc_confirmed == known &&
           (!known ||
            upload.crc == crc64_add(0, (struct view){made, made_bytes})) &&
           aws_object_bytes(wire.model, "archive", "a/b c/events.ndjson.gz",
                            0, back, sizeof back) == made_bytes &&
           memcmp(back, made, made_bytes) == 0;
}

static void begin_copies(void)
{
    begin(SLOTS);
    put_source();
    made_bytes = 0;
    upload_init(&upload, &site, &arena, &target);
}

/* --- orders -------------------------------------------------------------- */

enum { FULL = (CFG_PART_BYTES + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES };

static void first(void)  { copy(0, SOURCE_BYTES); bytes(0, TAIL_BYTES); }
static void last(void)   { bytes(0, FULL); copy(0, SOURCE_BYTES); }
static void alone(void)  { copy(0, SOURCE_BYTES); }
static void middle(void) { bytes(0, FULL); copy(0, SOURCE_BYTES);
                           bytes(0, FULL + 1); }
static void range(void)  { bytes(0, FULL); copy(7, CFG_PART_BYTES + 7); }
static void three(void)  { copy(0, SOURCE_BYTES); copy(1, SOURCE_BYTES);
                           copy(0, SOURCE_BYTES); }

static const struct { const char *name; void (*make)(void); } orders[] = {
    {"a copy, then bytes", first},
    {"bytes, then a copy", last},
    {"a copy alone", alone},
    {"a copy between bytes", middle},
    {"a range of an object", range},
    {"three copies", three},
};

static void copies_and_bytes(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(orders); i++)
        for (int told = 0; told < 2; told++) {
            begin_copies();
            aws_set(wire.model, "copy-sums", told);
            orders[i].make();
            bool ok = finish() == FLOW_ENDED && is_made(told != 0) &&
                      nothing_open();
            failures += BROKEN(orders[i].name, ok);
            end();
        }
    assert_int_equal(failures, 0);
}

/* --- faults -------------------------------------------------------------- */

static const char *const manners[] = {
    "lost", "reset", "cut=?", "stall=3", "hang", "dup",
    "error=InternalError status=500 html", "error=SlowDown status=503",
    "after error=InternalError status=500", "in200 error=InternalError",
    "in200 error=SlowDown",
};

static void every_copy_faulted(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(manners); i++)
        for (int nth = 1; nth <= 2; nth++) {
            char line[128];
            begin_copies();
            (void)snprintf(line, sizeof line, "UploadPartCopy #%d %s", nth,
                           manners[i]);
            assert_true(aws_fault(wire.model, line));
            copy(0, SOURCE_BYTES);
            copy(0, SOURCE_BYTES);
            bytes(0, TAIL_BYTES);
            bool ok = finish() == FLOW_ENDED && is_made(true) &&
                      nothing_open();
            if (!ok)
                fprintf(stderr, "%s: %s, %s (%s)\n", line, upload.fault.what,
                        upload.fault.code, upload.fault.words);
            failures += BROKEN(line, ok);
            end();
        }
    assert_int_equal(failures, 0);
}

static const struct row {
    const char *name, *fault;
    enum error  error;
    const char *words;
} rows[] = {
    {"the source has changed", "UploadPartCopy error=PreconditionFailed "
     "status=412", ERROR_CORRUPT, "source/\xc3\xa4 b+%"},
    {"and this is said in a 200", "UploadPartCopy in200 "
     "error=PreconditionFailed", ERROR_CORRUPT, "source/\xc3\xa4 b+%"},
    {"the source is gone", "UploadPartCopy error=NoSuchKey status=404",
     ERROR_CORRUPT, "source/\xc3\xa4 b+%"},
    {"the upload is gone", "UploadPartCopy error=NoSuchUpload status=404",
     ERROR_MISSING, NULL},
    {"the source is not to be read", "UploadPartCopy error=AccessDenied "
     "status=403", ERROR_DENIED, NULL},
    {"S3 does not like it", "UploadPartCopy error=InvalidRequest status=400",
     ERROR_REMOTE, NULL},
};

static bool comes_out(const struct row *row)
{
    begin_copies();
    assert_true(aws_fault(wire.model, row->fault));
    copy(0, SOURCE_BYTES);
    bytes(0, TAIL_BYTES);
    bool ok = finish() == FLOW_FAILED && upload.fault.error == row->error &&
              (row->words == NULL ||
               strcmp(upload.fault.words, row->words) == 0);
    if (!ok)
        fprintf(stderr, "%s: error %d, %s, %s\n", row->name,
                upload.fault.error, upload.fault.what, upload.fault.words);
    upload_abort(&upload);
    (void)drive(&upload);
    ok = ok && nothing_open();
    end();
    return ok;
}

static void faults_come_out(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, comes_out(&rows[i]));
    assert_int_equal(failures, 0);
}

static void a_source_replaced_meanwhile(void **state)
{
    (void)state;
    begin_copies();
    source_etag[1] ^= 1;
    copy(0, SOURCE_BYTES);
    assert_int_equal(finish(), FLOW_FAILED);
    assert_int_equal(upload.fault.error, ERROR_CORRUPT);
    end();
}

static void answers_that_are_none(void **state)
{
    static const char *const answers[] = {
        "", "<a/>", "<CopyPartResult/>", "<CopyPartResult><ETag>&quot;e",
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(answers); i++) {
        begin_copies();
        wire.canned_if = "partNumber=1";
        wire.canned = answers[i];
        wire.canned_times = 3;
        copy(0, SOURCE_BYTES);
        failures += BROKEN(answers[i], finish() == FLOW_ENDED &&
                                       is_made(true));
        end();
    }
    assert_int_equal(failures, 0);
}

/* A checksum that is not the source's: Complete's does not hold then. */
static void a_checksum_that_lies(void **state)
{
    (void)state;
    begin_copies();
    copy(0, SOURCE_BYTES);
    while (upload.stored.parts == 0) {
        if (upload_step(&upload, wire_now()) != FLOW_MOVED)
            wire_move();
    }
    upload.stored.crc ^= 1;
    upload.crc ^= 1;
    assert_int_equal(finish(), FLOW_FAILED);
    assert_int_equal(upload.fault.error, ERROR_CORRUPT);
    end();
}

/* --- what is asked, what is counted, what is resumed --------------------- */

static void what_is_asked(void **state)
{
    (void)state;
    begin_copies();
    site.expected_owner = true;
    (void)view_copy(view_of("111122223333"), site.owner, sizeof site.owner);
    copy(7, CFG_PART_BYTES + 7);
    (void)drive(&upload);
    assert_non_null(strstr(wire.request, "x-amz-copy-source:/archive/"
                                         "source/%C3%A4%20b%2B%25\n"));
    assert_non_null(strstr(wire.request,
                           "x-amz-copy-source-range:bytes=7-5242886\n"));
    assert_non_null(strstr(wire.request, "x-amz-copy-source-if-match:\""));
    assert_non_null(strstr(wire.request, "x-amz-source-expected-bucket-owner:"
                                         "111122223333\n"));
    assert_int_equal(finish(), FLOW_ENDED);
    assert_true(is_made(true));
    end();
}

static void the_part_behind_fills_meanwhile(void **state)
{
    struct upload_stored closed;
    (void)state;
    begin_copies();
    assert_true(upload_may_copy(&upload));
    copy(0, SOURCE_BYTES);
    assert_false(upload_may_copy(&upload));
    closed = upload_closed(&upload);
    assert_true(closed.parts == 1 && closed.bytes == SOURCE_BYTES);
    assert_true(upload_offset(&upload) == SOURCE_BYTES);
    if (CFG_UPLOAD_COUNT > 1)
        assert_true(upload_room(&upload, BLOCK_BYTES));
    bytes(0, 2 * FULL);
    assert_true(upload_offset(&upload) == SOURCE_BYTES + 2 * FULL);
    assert_int_equal(finish(), FLOW_ENDED);
    assert_true(is_made(true));
    end();
}

static void not_behind_some_bytes(void **state)
{
    (void)state;
    begin_copies();
    bytes(0, TAIL_BYTES);
    assert_true(upload_room(&upload, 0) && !upload_may_copy(&upload));
    bytes(0, FULL);
    assert_int_equal(finish(), FLOW_ENDED);
    assert_true(is_made(true));
    end();
}

/* Whoever goes on copies again what was not counted, though S3 has a part of
 * that number and size: it is of another source. */
static void a_copy_is_made_again(void **state)
{
    static char id[MULTIPART_ID_BYTES];
    (void)state;
    begin_copies();
    struct upload_stored none = upload.stored;
    copy(1, SOURCE_BYTES);
    (void)drive(&upload);
    assert_int_equal(upload.stored.parts, 1);
    memcpy(id, upload.multipart.id, sizeof id);
    upload_init(&upload, &site, &arena, &target);
    upload_resume(&upload, view_of(id), (struct view){0}, &none);
    made_bytes = 0;
    copy(0, SOURCE_BYTES - 1);
    bytes(0, TAIL_BYTES);
    assert_int_equal(finish(), FLOW_ENDED);
    assert_true(is_made(true));
    assert_int_equal(aws_counted(wire.model, "UploadPartCopy").requests, 2);
    end();
}

static void without_its_checksum_it_goes_on(void **state)
{
    static char id[MULTIPART_ID_BYTES];
    (void)state;
    begin_copies();
    aws_set(wire.model, "copy-sums", 0);
    copy(0, SOURCE_BYTES);
    (void)drive(&upload);
    struct upload_stored was = upload.stored;
    assert_true(was.parts == 1 && !was.crc_known);
    memcpy(id, upload.multipart.id, sizeof id);
    upload_init(&upload, &site, &arena, &target);
    upload_resume(&upload, view_of(id), (struct view){0}, &was);
    bytes(0, TAIL_BYTES);
    assert_int_equal(finish(), FLOW_ENDED);
    assert_true(is_made(false));
    end();
}

static void someone_replaced_it_at_once(void **state)
{
    (void)state;
    begin_copies();
    aws_set(wire.model, "copy-sums", 0);
    copy(0, SOURCE_BYTES);
    wire.canned_if = "mp-object-size";
    wire.canned = "<CompleteMultipartUploadResult><ETag>&quot;other&quot;"
                  "</ETag></CompleteMultipartUploadResult>";
    target.condition = TARGET_ANYHOW;
    put_other("another one");
    wire.canned_times = 1;
    assert_int_equal(finish(), FLOW_FAILED);
    assert_int_equal(upload.fault.error, ERROR_CONFLICT);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_and_bytes),
        cmocka_unit_test(every_copy_faulted),
        cmocka_unit_test(faults_come_out),
        cmocka_unit_test(a_source_replaced_meanwhile),
        cmocka_unit_test(answers_that_are_none),
        cmocka_unit_test(a_checksum_that_lies),
        cmocka_unit_test(what_is_asked),
        cmocka_unit_test(the_part_behind_fills_meanwhile),
        cmocka_unit_test(not_behind_some_bytes),
        cmocka_unit_test(a_copy_is_made_again),
        cmocka_unit_test(without_its_checksum_it_goes_on),
        cmocka_unit_test(someone_replaced_it_at_once),
    };
    rig_fill();
    return RUN(tests);
}
