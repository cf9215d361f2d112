/* test_catalog.c - every object below a prefix, once, in order.
 * Method: the model of S3 with more keys than a page holds, each request
 * faulted in turn; then replies that no S3 should give. */
#include "ship/catalog.h"
#include "shelf.h"
#include "wire.h"

static struct site site;
static struct catalog catalog;

static const char *const odd_keys[] = {
    "p/", "p/ ", "p/!", "p/%2B", "p/+", "p/1 2", "p/<&>\"'", "p/a\tb",
    "p/q=1&r=2", "p/\xc3\xbc", "p/\xed\x95\x9c", "p/\xf0\x9f\x98\x80",
};

enum { ODD_KEYS = sizeof odd_keys / sizeof odd_keys[0], MANY = 2100 };

static enum flow drive(void)
{
    for (int turn = 0; turn < 10000000; turn++) {
        enum flow flow = catalog_step(&catalog, wire_now());
        if (flow == FLOW_MOVED || (flow == FLOW_WANT_EVENT && wire_move()))
            continue;
        if (flow != FLOW_WANT_EVENT)
            return flow;
        int64_t at = catalog_wake_ms(&catalog), net = wire_wake_ms();
        at = net < at ? net : at;
        assert_true(at < INT64_MAX);
        wire.mono_ms = at > wire.mono_ms ? at : wire.mono_ms + 1;
    }
    return FLOW_MOVED;
}

static void begin(const char *prefix)
{
    site.give_up_ms = 60000;
    catalog_init(&catalog, &site, view_of("archive"), view_of(prefix));
}

static void fill(void)
{
    char key[32];
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(key, sizeof key, "many/%04d", i);
        assert_true(shelf_put(wire.model, "archive", key,
                              (struct view){(const uint8_t *)key,
                                            (uint32_t)i % 11}));
    }
}

/* All of "many/", each once. */
static bool gives_many(void)
{
    char key[32];
    int count = 0;
    enum flow flow;
    begin("many/");
    while ((flow = drive()) == FLOW_WANT_ROOM) {
        (void)snprintf(key, sizeof key, "many/%04d", count);
        if (!row_text(&catalog.entry.key, key) ||
            !row_number((int64_t)catalog.entry.bytes, count % 11) ||
            strlen(catalog.entry.etag) != 34 ||
            !row_string(catalog.entry.storage_class, "STANDARD"))
            return false;
        catalog_take(&catalog);
        count++;
    }
    return row_number(flow, FLOW_ENDED) && row_number(count, MANY);
}

static void every_key_comes_once(void **state)
{
    static const char *const faults[] = {
        "", "* #1 lost", "* #2 reset", "* #1 cut=0", "* #1 cut=300",
        "* #2 cut=70000", "* #3 cut=20000", "* #1-6 cut=?", "* #2 stall=5000",
        "* #3 error=SlowDown status=503", "* #1 html error=X status=500",
        "* %300 error=InternalError status=500",
    };
    int failures = 0;
    (void)state;
    wire_open(&site);
    fill();
    for (size_t i = 0; i < ROW_COUNT(faults); i++) {
        if (faults[i][0] != '\0')
            assert_true(aws_fault(wire.model, faults[i]));
        failures += BROKEN(faults[i], gives_many());
        aws_clear_faults(wire.model);
    }
    aws_set(wire.model, "chunked", 1);
    failures += BROKEN("chunked", gives_many());
    wire_close();
    assert_int_equal(failures, 0);
}

static void keys_are_decoded(void **state)
{
    uint32_t count = 0;
    (void)state;
    wire_open(&site);
    for (uint32_t i = 0; i < ODD_KEYS; i++)
        assert_true(shelf_put(wire.model, "archive", odd_keys[i],
                              view_of("x")));
    assert_true(shelf_put(wire.model, "archive", "q/other", view_of("x")));
    begin("p/");
    while (drive() == FLOW_WANT_ROOM) {
        assert_true(row_text(&catalog.entry.key, odd_keys[count++]));
        catalog_take(&catalog);
    }
    assert_int_equal(catalog.state, CATALOG_DONE);
    assert_int_equal(count, ODD_KEYS);
    begin("no such prefix");
    assert_int_equal(drive(), FLOW_ENDED);
    begin("");
    assert_int_equal(drive(), FLOW_WANT_ROOM);
    wire_close();
}

#define LIST(x) "<ListBucketResult>" x "</ListBucketResult>"
#define KEY(k) "<Contents><Key>" k "</Key><Size>1</Size></Contents>"
#define CODED "<EncodingType>url</EncodingType>"
#define MORE(t) "<IsTruncated>true</IsTruncated><NextContinuationToken>" t \
                "</NextContinuationToken>"

static const struct row {
    const char *name, *reply;
    uint32_t    keys;
    enum error  error;
} rows[] = {
    {"an empty list", LIST(""), 0, ERROR_NONE},
    {"a key in plain words", LIST(KEY("a")), 1, ERROR_NONE},
    {"keys coded", LIST(CODED KEY("a%20b") KEY("a+c")), 2, ERROR_NONE},
    {"said behind them", LIST(KEY("a%20b") CODED), 1, ERROR_NONE},
    {"not said", LIST(KEY("a%20b")), 1, ERROR_REMOTE},
    {"an escape cut off", LIST(CODED KEY("%4") KEY("%zz")), 2, ERROR_NONE},
    {"out of order", LIST(KEY("b") KEY("a")), 1, ERROR_REMOTE},
    {"the same twice", LIST(KEY("a") KEY("a")), 1, ERROR_REMOTE},
    {"an object without a size", LIST("<Contents><Key>a</Key></Contents>"),
     0, ERROR_REMOTE},
    {"an object without a key", LIST("<Contents><Size>1</Size></Contents>"),
     0, ERROR_REMOTE},
    {"more, but not where", LIST(KEY("a") "<IsTruncated>true</IsTruncated>"),
     1, ERROR_REMOTE},
    {"for ever the same page", LIST(KEY("a") MORE("t")), 1, ERROR_REMOTE},
    {"for ever empty pages", LIST(MORE("t")), 0, ERROR_REMOTE},
    {"another document", "<html></html>", 0, ERROR_REMOTE},
    {"no document", "", 0, ERROR_REMOTE},
    {"half a document", "<ListBucketResult>" KEY("a"), 1, ERROR_REMOTE},
    {"an entity of its own", LIST(KEY("&x;")), 0, ERROR_REMOTE},
};

/* Keys as they come and as they are meant. */
static const struct { const char *coded, *key; } coded[] = {
    {"a%20b+c", "a b c"}, {"%3c%3F%aF%fa", "<?\xaf\xfa"}, {"a%2Bb", "a+b"},
    {"a%4", "a%4"}, {"a%", "a%"}, {"%4z", "%4z"}, {"%4G", "%4G"},
    {"%z4", "%z4"}, {"%/4", "%/4"}, {"%:4", "%:4"}, {"%`4", "%`4"},
    {"%+4", "% 4"},
};

static void what_is_no_escape_stays(void **state)
{
    char reply[256];
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(coded); i++) {
        wire_open(&site);
        (void)snprintf(reply, sizeof reply, LIST(CODED KEY("%s")),
                       coded[i].coded);
        wire.canned_if = "list-type=2";
        wire.canned = reply;
        wire.canned_times = 1;
        begin("");
        failures += BROKEN(coded[i].coded, drive() == FLOW_WANT_ROOM &&
                           row_text(&catalog.entry.key, coded[i].key));
        wire_close();
    }
    assert_int_equal(failures, 0);
}

/* So long that what is kept of them would be another key's. */
static void keys_too_long(void **state)
{
    static const struct { uint32_t len; const char *byte; bool good; } row[] = {
        {1024, "a", true}, {1025, "a", false},
        {1024, "%61", true}, {1025, "%61", false}, {4000, "%61", false},
    };
    static char key[16384], reply[20000];
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(row); i++) {
        key[0] = '\0';
        for (uint32_t n = 0, at = 0; n < row[i].len; n++)
            at += (uint32_t)snprintf(key + at, sizeof key - at, "%s",
                                     row[i].byte);
        wire_open(&site);
        (void)snprintf(reply, sizeof reply, LIST(CODED KEY("%s")), key);
        wire.canned_if = "list-type=2";
        wire.canned = reply;
        wire.canned_times = 1;
        begin("");
        assert_int_equal(drive(), row[i].good ? FLOW_WANT_ROOM : FLOW_FAILED);
        assert_int_equal(catalog.fault.error,
                         row[i].good ? ERROR_NONE : ERROR_REMOTE);
        wire_close();
    }
}

/* Each says that the next one follows, and where; `keys` of a page. */
static enum flow pages(uint32_t most, const char *keys)
{
    char reply[256];
    enum flow flow = FLOW_MOVED;
    wire_open(&site);
    wire.canned_if = "list-type=2";
    wire.canned = reply;
    wire.canned_times = UINT32_MAX;
    begin("");
    while (flow != FLOW_ENDED && flow != FLOW_FAILED &&
           wire.started <= most) {
        (void)snprintf(reply, sizeof reply, LIST("%s" MORE("%u")), keys,
                       wire.started);
        flow = catalog_step(&catalog, wire_now());
        (void)wire_move();
        if (flow == FLOW_WANT_ROOM)
            catalog_take(&catalog);
    }
    wire_close();
    return flow;
}

static void empty_pages(void **state)
{
    (void)state;
    assert_int_equal(pages(2000, ""), FLOW_FAILED);
    assert_int_equal(catalog.fault.error, ERROR_REMOTE);
    assert_true(pages(900, "") != FLOW_FAILED);
}

static bool row_holds(const struct row *row)
{
    uint32_t keys = 0;
    enum flow flow;
    wire_open(&site);
    wire.canned_if = "list-type=2";
    wire.canned = row->reply;
    wire.canned_times = UINT32_MAX;
    begin("");
    while ((flow = drive()) == FLOW_WANT_ROOM) {
        catalog_take(&catalog);
        keys++;
    }
    bool final = catalog_step(&catalog, wire_now()) == flow;
    wire_close();
    return final &&
           row_number(flow, row->error == ERROR_NONE ? FLOW_ENDED
                                                     : FLOW_FAILED) &&
           row_number(catalog.fault.error, row->error) &&
           row_number(keys, row->keys);
}

static void what_is_no_list_is_refused(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, row_holds(&rows[i]));
    assert_int_equal(failures, 0);
}

static void no_bucket(void **state)
{
    (void)state;
    wire_open(&site);
    catalog_init(&catalog, &site, view_of("another"), view_of(""));
    assert_int_equal(drive(), FLOW_FAILED);
    assert_int_equal(catalog.fault.error, ERROR_MISSING);
    wire_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_comes_once),
        cmocka_unit_test(keys_are_decoded),
        cmocka_unit_test(what_is_no_escape_stays),
        cmocka_unit_test(keys_too_long),
        cmocka_unit_test(empty_pages),
        cmocka_unit_test(what_is_no_list_is_refused),
        cmocka_unit_test(no_bucket),
    };
    return RUN(tests);
}
