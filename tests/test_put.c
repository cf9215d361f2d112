/* test_put.c - one PutObject, and HEAD where it is open what became of it.
 * Method: every answer to each of its requests, from a script; the fault that
 * comes out, how many requests it took, and that the end is final. */
#include "caller.h"
#include "ship/put.h"

#define CRC UINT64_C(0xae8b14860a799888)  /* of "123456789" */
#define SUM "x-amz-checksum-crc64nvme: rosUhgp5mIg=\n"
#define LIE "x-amz-checksum-crc64nvme: AAAAAAAAAAA=\n"
#define TAG "etag: \"e\"\n"
#define NINE "content-length: 9\n"
#define CODE(code) "<Error><Code>" code "</Code></Error>"
#define END {0, NULL, NULL, NULL}

enum how {
    SEND,       /* and believe its answer */
    CONFIRM,    /* send, and look */
    SETTLE,     /* look: it was stored with that ETag */
    NAMELESS,   /* the same, its ETag not told */
    UNSUMMED,   /* the same, and its checksum is not known */
    DOUBT,      /* look: it was refused */
    GONE,       /* the same, its upload is not there any more */
};

static const struct row {
    const char *name;
    enum how    how;
    struct line lines[5];
    enum error  error;
    uint32_t    requests;
    bool        confirmed;
} rows[] = {
    {"stored", SEND, {{200, TAG SUM, "", NULL}, END}, ERROR_NONE, 1, true},
    {"stored without a sum", SEND, {{200, TAG, "", NULL}, END}, ERROR_NONE, 1,
     false},
    {"damaged once", SEND, {{200, TAG LIE, "", NULL}, {200, TAG SUM, "", NULL},
     END}, ERROR_NONE, 2, true},
    {"damaged again and again", SEND, {{200, TAG LIE, "", NULL},
     {200, TAG LIE, "", NULL}, {200, TAG LIE, "", NULL}, END}, ERROR_CORRUPT,
     3, false},
    {"without an ETag", SEND, {{200, SUM, "", NULL}, {200, SUM, "", NULL},
     {200, SUM, "", NULL}, END}, ERROR_CORRUPT, 3, false},
    {"no permission", SEND, {{403, DATE, CODE("AccessDenied"), NULL}, END},
     ERROR_DENIED, 1, false},
    {"refused in words, and not there", SEND, {{412, "",
     CODE("PreconditionFailed"), NULL}, {404, "", "", NULL}, END},
     ERROR_CONFLICT, 2, false},
    {"refused without words, but ours", SEND, {{412, "", "", NULL},
     {200, TAG NINE SUM, "", NULL}, END}, ERROR_NONE, 2, true},
    {"refused without words, and another's", SEND, {{409, "", "", NULL},
     {200, TAG NINE LIE, "", NULL}, END}, ERROR_CONFLICT, 2, false},
    {"raced by a delete", SEND, {{409, "",
     CODE("ConditionalRequestConflict"), NULL}, {404, "", "", NULL},
     {200, TAG SUM, "", NULL}, END}, ERROR_NONE, 3, true},
    {"refused, and looking is not allowed", SEND, {{412, "", "", NULL},
     {403, DATE, "", NULL}, END}, ERROR_DENIED, 2, false},
    {"confirmed", CONFIRM, {{200, TAG, "", NULL}, {200, TAG NINE SUM, "", NULL},
     END}, ERROR_NONE, 2, true},
    {"confirmed by size alone", CONFIRM, {{200, TAG, "", NULL},
     {200, TAG NINE, "", NULL}, END}, ERROR_NONE, 2, false},
    {"not there after all", CONFIRM, {{200, TAG, "", NULL},
     {404, "", "", NULL}, END}, ERROR_REMOTE, 2, false},
    {"replaced at once", CONFIRM, {{200, TAG, "", NULL},
     {200, "etag: \"f\"\ncontent-length: 7\n", "", NULL}, END}, ERROR_CONFLICT,
     2, false},
    {"of another size", CONFIRM, {{200, TAG, "", NULL},
     {200, TAG "content-length: 7\n", "", NULL}, END}, ERROR_CORRUPT, 2, false},
    {"settled", SETTLE, {{200, TAG NINE SUM, "", NULL}, END}, ERROR_NONE, 1,
     true},
    {"settled, by an ETag of its own", SETTLE, {{200, "etag: \"f\"\n" NINE SUM,
     "", NULL}, END}, ERROR_NONE, 1, true},
    {"settled, no ETag told", NAMELESS, {{200, TAG NINE SUM, "", NULL}, END},
     ERROR_NONE, 1, true},
    {"no ETag told, and another sum", NAMELESS, {{200, TAG NINE LIE, "", NULL},
     END}, ERROR_CORRUPT, 1, false},
    {"no sum known, and the same ETag", UNSUMMED, {{200, TAG NINE LIE, "",
     NULL}, END}, ERROR_NONE, 1, false},
    {"no sum known, and another ETag", UNSUMMED, {{200, "etag: \"f\"\n" NINE,
     "", NULL}, END}, ERROR_CONFLICT, 1, false},
    {"doubted, but ours", DOUBT, {{200, TAG NINE SUM, "", NULL}, END},
     ERROR_NONE, 1, true},
    {"doubted, and not there", DOUBT, {{404, "", "", NULL}, END},
     ERROR_CONFLICT, 1, false},
    {"its upload gone, and not there", GONE, {{404, "", "", NULL}, END},
     ERROR_MISSING, 1, false},
    {"its upload gone, and another's", GONE, {{200, TAG NINE LIE, "", NULL},
     END}, ERROR_CONFLICT, 1, false},
};

static struct put job;
static struct target target;

static void start(enum how how)
{
    static const struct view bytes = {(const uint8_t *)"123456789", 9};
    struct body sent = {&bytes, 1, 9, CRC}, known = {.bytes = 9, .crc = CRC};
    struct fault doubt = {.error = ERROR_CONFLICT, .detail = 409};

    target = (struct target){.bucket = view_of("acme-logs"),
                             .key = view_of("k"), .checksum = true,
                             .condition = TARGET_ABSENT};
    if (how == SEND || how == CONFIRM)
        put_begin(&job, &call, &target, &sent);
    else
        put_settle(&job, &call, &target, &known);
    if (how == CONFIRM)
        put_confirm(&job);
    if (how == SETTLE || how == UNSUMMED)
        put_settle_etag(&job, view_of("\"e\""));
    if (how == UNSUMMED)
        put_settle_unsummed(&job);
    if (how == GONE)
        strcpy(doubt.code, "NoSuchUpload");
    if (how == DOUBT || how == GONE)
        put_settle_doubt(&job, &doubt);
}

static bool holds(const struct row *row)
{
    enum flow flow = FLOW_MOVED;

    setup(row->lines, "");
    start(row->how);
    while (flow != FLOW_ENDED && flow != FLOW_FAILED) {
        flow = put_step(&job, now);
        (void)script_answer(&t);
    }
    return row_number(job.fault.error, row->error) &&
           row_number(t.count, row->requests) &&
           row_number(flow, row->error == ERROR_NONE ? FLOW_ENDED
                                                     : FLOW_FAILED) &&
           put_step(&job, now) == flow && job.crc_confirmed == row->confirmed &&
           (row->error != ERROR_NONE || job.etag[0] == '"');
}

static void every_answer(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, holds(&rows[i]));
    assert_int_equal(failures, 0);
}

/* Raced for ever, it is no loop. */
static void a_race_without_end(void **state)
{
    static const struct line lines[] = {
        {409, "", CODE("ConditionalRequestConflict"), NULL},
        {404, "", "", NULL},
        {409, "", CODE("ConditionalRequestConflict"), NULL},
        {404, "", "", NULL},
        {409, "", CODE("ConditionalRequestConflict"), NULL},
        {404, "", "", NULL}, END,
    };
    enum flow flow = FLOW_MOVED;

    (void)state;
    setup(lines, "");
    start(SEND);
    while (flow != FLOW_FAILED) {
        flow = put_step(&job, now);
        assert_int_not_equal(flow, FLOW_ENDED);
        (void)script_answer(&t);
    }
    assert_int_equal(t.count, 2 * PUT_TRIES);
    assert_int_equal(job.fault.error, ERROR_CONFLICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer),
        cmocka_unit_test(a_race_without_end),
    };
    return RUN(tests);
}
