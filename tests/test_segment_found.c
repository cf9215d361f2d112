/* test_segment_found.c - what a resumed upload makes of the segment it finds.
 * Method: the simulator's limits, and a record of three parts and a segment of
 * two; whatever S3 may list of them; then, what is left to another run. */
#include "segment_rig.h"

#define SIZE "24576"
#define PART(n, size, more) "<Part><PartNumber>" n "</PartNumber><ETag>e" \
    "</ETag><Size>" size "</Size>" more "</Part>"
#define SUM(sum) "<ChecksumCRC64NVME>" sum "</ChecksumCRC64NVME>"
#define OWN PART("1", SIZE, "") PART("2", SIZE, "") PART("3", SIZE, "")
#define INNER PART("1", SIZE, "") PART("2", "20000", "")

static const struct found {
    const char *name, *own, *inner;  /* the lists; NULL: it is not there */
    const char *fault, *object;      /* of the segment's list; its object */
    enum error  error;
    bool        merged;              /* it is a part already */
    bool        unknown;             /* the CRC of what was stored */
} found[] = {
    {"a part already", OWN PART("4", "44576", SUM("rosUhgp5mIg=")), NULL, NULL,
     NULL, ERROR_NONE, true, false},
    {"a part, its sum not told", OWN PART("4", "44576", ""), NULL, NULL, NULL,
     ERROR_NONE, true, false},
    {"a part, its sum not known", OWN PART("4", "44576", SUM("AAAAAAAAAAA=")),
     NULL, NULL, NULL, ERROR_NONE, true, true},
    {"a part of another sum", OWN PART("4", "44576", SUM("AAAAAAAAAAA=")),
     INNER, NULL, NULL, ERROR_NONE, false, false},
    {"a part of another size", OWN PART("4", "44575", ""), INNER, NULL, NULL,
     ERROR_NONE, false, false},
    {"an upload still", OWN, INNER, NULL, NULL, ERROR_NONE, false, false},
    {"of too few parts", OWN, PART("1", SIZE, ""), NULL, NULL, ERROR_MISSING,
     false, false},
    {"of parts of other sizes", OWN, PART("1", SIZE, "") PART("2", "1", ""),
     NULL, NULL, ERROR_MISSING, false, false},
    {"of parts with gaps", OWN, PART("1", SIZE, "") PART("3", "1", "") PART("2",
     "20000", "") "<Part></Part>", NULL, NULL, ERROR_MISSING, false, false},
    {"not to be listed", OWN, NULL, "ListParts error=AccessDenied", NULL,
     ERROR_DENIED, false, false},
    {"neither an upload nor an object", OWN, NULL, NULL, NULL, ERROR_MISSING,
     false, false},
    {"not an upload, and another's object", OWN, NULL, NULL, "another's",
     ERROR_MISSING, false, false},
    {"not an upload, and its object not to be looked at", OWN, NULL,
     "HeadObject error=AccessDenied", NULL, ERROR_DENIED, false, false},
};

static void can(const char *id, const char *list)
{
    static char answer[2000];
    (void)snprintf(answer, sizeof answer,
                   "<ListPartsResult>%s</ListPartsResult>", list);
    wire.canned_if = id;
    wire.canned = answer;
    wire.canned_times = 1;
}

/* Until it is known what there is. */
static void resume(const struct found *f, const char *segment_id)
{
    const struct upload_stored was = {
        .parts = 5, .bytes = 3 * 24576 + 44576, .crc_known = !f->unknown,
        .place = {.own = 3, .parts = 2, .bytes = 44576,
                  .crc = UINT64_C(0xae8b14860a799888)},
    };
    can("uploadId=own", f->own);
    upload_resume(&upload, view_of("own"), view_of(segment_id), &was);
    while (upload.state != UPLOAD_FILLING && upload.state != UPLOAD_FAILED) {
        if (upload_step(&upload, wire_now()) == FLOW_MOVED)
            continue;
        if (wire.started == 2 && f->inner != NULL)
            can("uploadId=inner", f->inner);
        if (!wire_move())
            wire.mono_ms += 1000;
    }
}

static void what_is_found_of_a_segment(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(found); i++) {
        const struct found *f = &found[i];
        open_segments();
        if (f->object != NULL) {
            target.key = segment.key;
            put_other(f->object);
            target.key = view_of("a/b c/events.ndjson.gz");
        }
        if (f->fault != NULL)
            assert_true(aws_fault(wire.model, f->fault));
        resume(f, "inner");
        bool good = f->error == ERROR_NONE;
        bool ok = upload.state == (good ? UPLOAD_FILLING : UPLOAD_FAILED) &&
                  row_number(upload.fault.error, f->error) &&
                  (!good || upload.stored.place.own == 3u + f->merged) &&
                  (!good || upload.inner != f->merged);
        failures += BROKEN(f->name, ok);
        end();
    }
    for (int none = 0; none < 2; none++) {  /* nobody knows where it is */
        open_segments();
        if (none)
            upload.segment = NULL;
        resume(&found[5], none ? "inner" : "");
        failures += BROKEN("no segment", upload.state == UPLOAD_FAILED &&
                           upload.fault.error == ERROR_MISSING);
        end();
    }
    assert_int_equal(failures, 0);
}

/* To yield is to forget what a checkpoint names. */
static void what_is_left_to_another_run(void **state)
{
    int failures = 0;
    (void)state;
    for (uint32_t bits = 0; bits < 32; bits++) {
        bool named = bits & 1, named_segment = bits & 2, inner = bits & 4;
        bool own = bits & 8, more = bits & 16;
        open_segments();
        upload_name(&upload, view_of(named ? "own" : ""),
                    view_of(named_segment ? "more" : ""));
        strcpy(upload.multipart.id, named || own ? "own" : "");
        strcpy(upload.aside, named_segment || more ? "more" : "");
        segment_switch(&upload, inner);
        bool left = upload_yield(&upload);
        bool own_left = own && !named, more_left = more && !named_segment;
        failures += BROKEN("a yield", left == (own_left || more_left) &&
                           (upload_id(&upload).len > 0) == own_left &&
                           (upload_segment_id(&upload).len > 0) == more_left);
        end();
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found_of_a_segment),
        cmocka_unit_test(what_is_left_to_another_run),
    };
    return RUN(tests);
}
