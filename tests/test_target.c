/* test_target.c - what is said of an object to S3, and what S3 says of it. */
#include "base/crc.h"
#include "caller.h"
#include "ship/target.h"

static void types(void **state)
{
    static const struct { const char *ext, *type; } rows[] = {
        {"ndjson.gz", "application/gzip"}, {"log.zst", "application/zstd"},
        {"ndjson", "application/x-ndjson"},
        {"receipt.json", "application/json"},
        {"log", "text/plain; charset=utf-8"},
        {"", "application/octet-stream"}, {"gzip", "application/octet-stream"},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].ext, row_string(
            target_content_type(view_of(rows[i].ext)), rows[i].type));
    assert_int_equal(failures, 0);
}

#define CRC UINT64_C(0xae8b14860a799888)  /* of "123456789" */
#define SUM "rosUhgp5mIg="

static void objects_are_compared(void **state)
{
    static const struct {
        const char *name;
        struct http_reply reply;
        bool crc_known;
        enum target_match match;
    } rows[] = {
        {"not there", {.status = 404}, true, TARGET_NONE},
        {"the same", {.status = 200, .has_length = true, .content_length = 9,
                      .crc64nvme = SUM}, true, TARGET_SAME},
        {"without a sum", {.status = 200, .has_length = true,
                           .content_length = 9}, true, TARGET_SAME},
        {"another sum", {.status = 200, .has_length = true,
                         .content_length = 9, .crc64nvme = "AAAAAAAAAAA="},
         true, TARGET_OTHER},
        {"another sum, ours not known",
         {.status = 200, .has_length = true, .content_length = 9,
          .crc64nvme = "AAAAAAAAAAA="}, false, TARGET_SAME},
        {"another size", {.status = 200, .has_length = true,
                          .content_length = 8, .crc64nvme = SUM}, true,
         TARGET_OTHER},
        {"a size not told", {.status = 200, .content_length = 9}, true,
         TARGET_OTHER},
    };
    uint64_t crc = CRC;
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, row_number(
            target_compare(&rows[i].reply, 9,
                           rows[i].crc_known ? &crc : NULL), rows[i].match));
    assert_int_equal(failures, 0);
}

/* Which headers a request for it has. */
static void headers_are_as_wanted(void **state)
{
    static const struct {
        const char *name;
        struct target target;
        uint64_t bytes;
        const char *has, *lacks;
    } rows[] = {
        {"nothing wanted", {.condition = TARGET_ANYHOW}, 1 << 20, "",
         "x-amz-s"},
        {"only if it is not there", {.condition = TARGET_ABSENT}, 0,
         "if-none-match:*", "if-match"},
        {"only in place of this one",
         {.condition = TARGET_MATCHES, .etag = {(const uint8_t *)"\"e\"", 3}},
         0, "if-match:\"e\"", "if-none"},
        {"with a sum", {.checksum = true}, 0,
         "x-amz-checksum-crc64nvme:" SUM, "storage"},
        {"its class", {.storage_class = {(const uint8_t *)"GLACIER_IR", 10}},
         TARGET_STANDARD_BYTES, "x-amz-storage-class:GLACIER_IR", "checksum"},
        {"too small for a class",
         {.storage_class = {(const uint8_t *)"GLACIER_IR", 10}},
         TARGET_STANDARD_BYTES - 1, "", "storage"},
        {"a key of its own", {.sse = {(const uint8_t *)"aws:kms", 7},
                              .sse_kms_key_id = {(const uint8_t *)"k", 1}}, 0,
         "x-amz-server-side-encryption-aws-kms-key-id:k", "checksum"},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static const struct line lines[] = {{200, "", "", NULL}, {0}};
        setup(lines, "");
        begin(&put);
        target_describe(&rows[i].target, &call, rows[i].bytes);
        target_condition(&rows[i].target, &call);
        target_checksum(&rows[i].target, &call, CRC);
        const char *headers = t.headers[0];
        failures += BROKEN(rows[i].name, run() == FLOW_ENDED &&
                           strstr(headers, rows[i].has) != NULL &&
                           strstr(headers, rows[i].lacks) == NULL);
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
        cmocka_unit_test(objects_are_compared),
        cmocka_unit_test(headers_are_as_wanted),
    };
    return RUN(tests);
}
