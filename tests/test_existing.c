/* test_existing.c - what S3 says of a key, before a day is written there.
 * Method: every pair of answers, of the receipt and of the object; then what is
 * made of a receipt and an object that are there. */
#include "caller.h"
#include "ship/existing.h"

static struct existing existing;
static uint8_t room[EXISTING_ROOM_BYTES];

#define NO(code) "<?xml version=\"1.0\"?>\n<Error><Code>" code "</Code>" \
                 "<Message>m</Message></Error>"

static const struct row {
    const char *name;
    struct line receipt, object;
    enum error  want;
    bool        has_object, damaged;
    const char *words;
} rows[] = {
    {"neither", {404, "", NO("NoSuchKey"), NULL}, {404, "", "", NULL},
     ERROR_NONE, false, false, ""},
    {"an object without a receipt", {404, "", NO("NoSuchKey"), NULL},
     {200, "content-length: 7\netag: \"x\"\n", "", NULL}, ERROR_NONE,
     true, false, ""},
    {"a 404 without words", {404, "", "", NULL}, {404, "", "", NULL},
     ERROR_NONE, false, false, ""},
    {"a 404 in another language", {404, "", "<html>No</html>", NULL},
     {404, "", "", NULL}, ERROR_NONE, false, false, ""},
    {"no bucket", {404, "", NO("NoSuchBucket"), NULL}, {0}, ERROR_CONFIG,
     false, false,
     "no bucket \"acme-logs\" exists; create it, or name another"},
    {"no access", {403, DATE, NO("AccessDenied"), NULL}, {0}, ERROR_DENIED,
     false, false, "m"},
    {"no access to the object", {404, "", "", NULL},
     {403, DATE, "", NULL}, ERROR_DENIED, false, false, NULL},
    {"a receipt that is none, and no access", {200, "", "{}", NULL},
     {403, DATE, "", NULL}, ERROR_DENIED, false, true, NULL},
    {"a receipt that is none, beside an object", {200, "", "{}", NULL},
     {200, "content-length: 7\n", "", NULL}, ERROR_NONE, true, true, ""},
};

static struct ring large;
static uint8_t large_bytes[1 << 18];

static void open_key(const struct line *lines, const char *key)
{
    setup(lines, "");
    ring_init(&large, large_bytes, sizeof large_bytes);
    call_init(&call, &site, &large);
    existing_init(&existing, &call, view_of("acme-logs"), view_of(key),
                  view_of("a/_k.receipt.json"),
                  (struct span){room, sizeof room});
}

/* To its end, which is final. */
static enum flow look(void)
{
    enum flow flow = FLOW_MOVED;
    while (flow == FLOW_MOVED || (flow == FLOW_WANT_EVENT &&
                                  script_answer(&t)))
        flow = existing_step(&existing, now);
    assert_int_equal(existing_step(&existing, now), flow);
    return flow;
}

static bool says(const struct row *row)
{
    struct line lines[] = {row->receipt, row->object, {0}};
    open_key(lines, "k");
    enum flow flow = look();
    if (row->want == ERROR_NONE)
        return flow == FLOW_ENDED && !existing.has_receipt &&
               existing.has_object == row->has_object &&
               existing.damaged == row->damaged && t.count == 2;
    return flow == FLOW_FAILED && t.count == (row->words != NULL ? 1 : 2) &&
           row_number(existing.fault.error, row->want) &&
           existing.damaged == row->damaged &&
           (row->words == NULL || row_string(existing.fault.words, row->words));
}

static void each_answer_is_understood(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, says(&rows[i]));
    assert_int_equal(failures, 0);
}

/* --- a receipt that is there ---------------------------------------------- */

#define HEAD(etag, more) "content-length: 7\netag: " etag "\n" more

static struct receipt receipt_of(const char *key)
{
    struct receipt r = {
        .key = view_of(key), .etag = view_of("\"e\""),
        .account = view_of("1"), .region = view_of("r"), .group = view_of("g"),
        .stream_prefix = view_of("p"), .from_ms = 1000, .until_ms = 2000,
        .bytes_stored = 7, .has_crc = true,
        .crc64nvme = UINT64_C(0xae8b14860a799888),
        .format = view_of("ndjson"), .compression = view_of("gzip"),
        .archived_ms = 3000,
    };
    tally_init(&r.tally);
    tally_init(&r.settled);
    return r;
}

static const char *written(const struct receipt *r)
{
    static char bytes[RECEIPT_BYTES];
    struct text json;
    text_init(&json, bytes, sizeof bytes);
    receipt_write(&json, r, NULL);
    return bytes;
}

static void a_receipt_names_its_object(void **state)
{
    static char long_key[1101];
    static const struct {
        const char *name, *key, *asked;
        bool beside, any_form, has_receipt, has_object;
        const char *requests;  /* the keys of the HEADs */
    } row[] = {
        {"its object", "a/k.log.gz", "", true, false, true, true, "k.log.gz"},
        {"another's", "a/other.log.gz", "", false, false, false, false, ""},
        {"a key too long", long_key, "", false, false, false, false, ""},
        {"asked for another", "a/x", "a/k.log", true, false, true, true,
         "k.log"},
        {"of another form", "a/k.log.gz", "a/k.ndjson", true, true, true,
         true, "k.ndjson k.log.gz"},
        {"of another form, not asked for", "a/k.log.gz", "a/k.ndjson", true,
         false, true, false, "k.ndjson"},
        {"of the same form", "a/k.log.gz", "a/k.log.gz", true, true, true,
         false, "k.log.gz"},
        {"any form, but another's receipt", "a/other.log.gz", "a/k.ndjson",
         false, true, true, false, "k.ndjson"},
    };
    int failures = 0;
    (void)state;
    memset(long_key, 'k', sizeof long_key - 1);
    for (size_t i = 0; i < ROW_COUNT(row); i++) {
        struct receipt r = receipt_of(row[i].key);
        bool gone = strchr(row[i].requests, ' ') != NULL ||
                    !row[i].has_object;
        struct line lines[] = {
            {200, "etag: \"r\"\n", written(&r), NULL},
            {gone ? 404 : 200, gone ? "" : HEAD("\"e\"", ""), "", NULL},
            {200, HEAD("\"e\"", ""), "", NULL}, {0},
        };
        char asked[200] = "";
        open_key(lines, row[i].asked);
        existing.any_form = row[i].any_form;
        bool ok = look() == FLOW_ENDED;
        for (uint32_t n = 1; n < t.count; n++) {
            strcat(asked, n > 1 ? " " : "");
            strcat(asked, strrchr(t.url[n], '/') + 1);
        }
        failures += BROKEN(row[i].name, ok &&
                           existing.has_receipt == row[i].has_receipt &&
                           existing.damaged != row[i].has_receipt &&
                           existing.has_object == row[i].has_object &&
                           row_string(asked, row[i].requests));
    }
    assert_int_equal(failures, 0);
}

static void a_receipt_too_large(void **state)
{
    static char body[RECEIPT_BYTES + 2];
    static const struct line lines[] = {
        {200, "etag: \"r\"\n", body, NULL}, {404, "", "", NULL}, {0},
    };
    (void)state;
    memset(body, ' ', sizeof body - 1);
    open_key(lines, "a/k");
    assert_int_equal(look(), FLOW_ENDED);
    assert_true(existing.damaged && !existing.has_receipt);
    assert_true(row_string(existing.fault.words, "it is larger than 128 KiB"));
    assert_true(row_string(existing.receipt_etag, "\"r\""));
}

#define SUM(base64) "x-amz-checksum-crc64nvme: " base64 "\n"

static void what_is_doubted(void **state)
{
    static const struct {
        const char *head, *doubt;
        bool has_crc, stored;
    } row[] = {
        {HEAD("\"e\"", SUM("rosUhgp5mIg=")), NULL, true, true},
        {HEAD("\"e\"", ""), NULL, true, true},
        {HEAD("\"e\"", SUM("AAAAAAAAAAA=")), NULL, false, true},
        {HEAD("\"e\"", SUM("AAAAAAAAAAA=")),
         "its object has another checksum", true, false},
        {HEAD("\"f\"", ""), "its object was written over", true, true},
        {"content-length: 8\netag: \"e\"\n", "its object has another size",
         true, false},
        {NULL, "its object is gone", true, false},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(row); i++) {
        struct receipt r = receipt_of("a/k.log.gz");
        r.has_crc = row[i].has_crc;
        bool there = row[i].head != NULL;
        struct line lines[] = {
            {200, "etag: \"r\"\n", written(&r), NULL},
            {there ? 200 : 404, there ? row[i].head : "", "", NULL}, {0},
        };
        open_key(lines, "a/k.log.gz");
        bool ok = look() == FLOW_ENDED;
        const char *doubt = existing_doubt(&existing);
        const char *want = row[i].doubt != NULL ? row[i].doubt : "none";
        failures += BROKEN(want, ok &&
                           row_string(doubt != NULL ? doubt : "none", want) &&
                           existing_agrees(&existing) == (doubt == NULL) &&
                           existing_is_stored(&existing, &r) == row[i].stored);
    }
    memset(&existing, 0, sizeof existing);
    assert_string_equal(existing_doubt(&existing), "there is no receipt");
    assert_int_equal(failures, 0);
}

static void account(struct receipt *r) { r->account = view_of("2"); }
static void region(struct receipt *r)  { r->region = view_of("s"); }
static void group(struct receipt *r)   { r->group = view_of("h"); }
static void prefix(struct receipt *r)  { r->stream_prefix = view_of(""); }
static void from(struct receipt *r)    { r->from_ms = 999; }
static void until(struct receipt *r)   { r->until_ms = 2001; }
static void merged(struct receipt *r)  { r->merged_from = view_of("s3://a"); }
static void nothing(struct receipt *r) { r->until_ms = r->from_ms; }

static void of_which_window(void **state)
{
    static const struct {
        const char *name;
        void (*there)(struct receipt *), (*want)(struct receipt *);
        bool same;
    } row[] = {
        {"another account", NULL, account, false},
        {"another region", NULL, region, false},
        {"another group", NULL, group, false},
        {"another prefix", NULL, prefix, false},
        {"another beginning", NULL, from, false},
        {"another end", NULL, until, false},
        {"the same, whatever it was merged from", merged, NULL, true},
        {"no window, and the same source", nothing, nothing, true},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(row); i++) {
        struct receipt want = receipt_of("k");
        existing.receipt = receipt_of("k");
        existing.has_receipt = true;
        if (row[i].there != NULL)
            row[i].there(&existing.receipt);
        if (row[i].want != NULL)
            row[i].want(&want);
        failures += BROKEN(row[i].name, existing_is_window(&existing, &want) ==
                                             row[i].same);
        if (want.from_ms == want.until_ms) {
            merged(&want);
            failures += BROKEN("no window, and another source",
                               !existing_is_window(&existing, &want));
        }
        existing.has_receipt = false;
        failures += BROKEN("no receipt", !existing_is_window(&existing, &want));
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_is_understood),
        cmocka_unit_test(a_receipt_names_its_object),
        cmocka_unit_test(a_receipt_too_large),
        cmocka_unit_test(what_is_doubted),
        cmocka_unit_test(of_which_window),
    };
    return RUN(tests);
}
