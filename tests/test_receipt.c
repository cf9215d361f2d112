/* test_receipt.c - a receipt says what was archived, and is believed only
 * when it is sound.
 * Method: one receipt byte for byte as the contract has it; what is written
 * comes back; every prefix and every single damaged byte is refused or still a
 * receipt, never a crash. */
#include <stdlib.h>

#include "row.h"
#include "ship/receipt.h"

static char room[RECEIPT_BYTES + 1];
static char strings_room[RECEIPT_STRINGS_BYTES];
static struct index entries;

static struct receipt sample(void)
{
    struct receipt r = {
        .state = RECEIPT_PROVISIONAL,
        .key = view_of("1/eu/ecs/api/dt=2023-11-09/events.ndjson.gz"),
        .etag = view_of("\"d41d8cd98f00b204e9800998ecf8427e-3\""),
        .account = view_of("111122223333"),
        .region = view_of("eu-central-1"),
        .group = view_of("/ecs/api"),
        .via = view_of("read"),
        .masked = true,
        .from_ms = 1699488000000,
        .until_ms = 1699574400000,
        .timezone = view_of("UTC"),
        .counted = true,
        .bytes_raw = 300000,
        .has_settled = true,
        .settled_until_ms = 1699570800000,
        .bytes_stored = 60000,
        .has_crc = true,
        .crc64nvme = 0xae8b14860a799888,
        .crc64nvme_confirmed = true,
        .format = view_of("ndjson"),
        .fields = RECEIPT_TIMESTAMP | RECEIPT_STREAM | RECEIPT_MESSAGE |
                  RECEIPT_ID,
        .compression = view_of("gzip"),
        .archived_ms = 1699578000123,
        .reason = view_of("late events \"may\" come\n"),
        .tool_version = view_of("firn 0.1"),
    };
    tally_init(&r.tally);
    tally_add(&r.tally, 1699488000001, view_of("a"));
    tally_add(&r.tally, 1699574399999, view_of("b"));
    tally_init(&r.settled);
    tally_add(&r.settled, 1699488000001, view_of("a"));
    return r;
}

static const char want[] =
    "{\n"
    "\"version\": 1,\n"
    "\"state\": \"provisional\",\n"
    "\"key\": \"1/eu/ecs/api/dt=2023-11-09/events.ndjson.gz\",\n"
    "\"etag\": \"\\\"d41d8cd98f00b204e9800998ecf8427e-3\\\"\",\n"
    "\"source\": {\"account\": \"111122223333\", "
    "\"region\": \"eu-central-1\", \"group\": \"/ecs/api\", "
    "\"stream_prefix\": null, \"via\": \"read\", \"masked\": true},\n"
    "\"window\": {\"from\": \"2023-11-09T00:00:00.000Z\", "
    "\"until\": \"2023-11-10T00:00:00.000Z\", \"timezone\": \"UTC\"},\n"
    "\"events\": 2,\n"
    "\"first_event\": \"2023-11-09T00:00:00.001Z\",\n"
    "\"last_event\": \"2023-11-09T23:59:59.999Z\",\n"
    "\"settled\": {\"until\": \"2023-11-09T23:00:00.000Z\", "
    "\"events\": 1, \"digest\": \"%ONE%\"},\n"
    "\"bytes_raw\": 300000,\n"
    "\"bytes_stored\": 60000,\n"
    "\"crc64nvme\": \"rosUhgp5mIg=\",\n"
    "\"crc64nvme_confirmed\": true,\n"
    "\"digest\": \"%TWO%\",\n"
    "\"format\": \"ndjson\",\n"
    "\"fields\": [\"timestamp\", \"stream\", \"message\", \"id\"],\n"
    "\"compression\": \"gzip\",\n"
    "\"archived_at\": \"2023-11-10T01:00:00.123Z\",\n"
    "\"verified_at\": null,\n"
    "\"reason\": \"late events \\\"may\\\" come\\n\",\n"
    "\"tool_version\": \"firn 0.1\",\n"
    "\"index\": [\n"
    "[10,0,1699488000001,1699488000001,1],\n"
    "[30000,131072,1699574399999,1699574399999,1]]\n"
    "}\n";

static void fill_index(void)
{
    index_init(&entries);
    index_add(&entries, &(struct index_entry){
        10, 0, 1699488000001, 1699488000001, 1});
    index_add(&entries, &(struct index_entry){
        30000, 131072, 1699574399999, 1699574399999, 1});
}

/* The template with the digests put in. */
static void expected(struct text *t, const struct receipt *r)
{
    struct view v = view_of(want);
    while (v.len > 0) {
        if (view_starts(v, "%ONE%"))
            tally_text(t, &r->settled);
        else if (view_starts(v, "%TWO%"))
            tally_text(t, &r->tally);
        else
            text_char(t, (char)v.at[0]);
        v = view_slice(v, v.at[0] == '%' ? 5 : 1, v.len);
    }
}

static struct text written(const struct receipt *r, const struct index *x)
{
    struct text t;
    text_init(&t, room, sizeof room);
    receipt_write(&t, r, x);
    return t;
}

static bool reads(struct receipt *r, struct view json, struct fault *fault)
{
    struct text strings;
    text_init(&strings, strings_room, sizeof strings_room);
    *fault = (struct fault){0};
    return receipt_read(r, json, &strings, fault);
}

static void byte_for_byte(void **state)
{
    (void)state;
    static char want_room[4096];
    struct text expect;
    struct receipt r = sample();
    fill_index();
    struct text got = written(&r, &entries);
    text_init(&expect, want_room, sizeof want_room);
    expected(&expect, &r);
    assert_true(row_text(&got, want_room));
}

static bool same(const struct receipt *a, const struct receipt *b)
{
    return a->state == b->state && view_equal(a->key, b->key) &&
           view_equal(a->etag, b->etag) &&
           view_equal(a->account, b->account) &&
           view_equal(a->region, b->region) &&
           view_equal(a->group, b->group) &&
           view_equal(a->stream_prefix, b->stream_prefix) &&
           view_equal(a->via, b->via) && a->masked == b->masked &&
           a->from_ms == b->from_ms && a->until_ms == b->until_ms &&
           view_equal(a->timezone, b->timezone) &&
           a->counted == b->counted && tally_equal(&a->tally, &b->tally) &&
           a->bytes_raw == b->bytes_raw &&
           a->has_settled == b->has_settled &&
           a->settled_until_ms == b->settled_until_ms &&
           a->settled.events == b->settled.events &&
           memcmp(a->settled.digest, b->settled.digest, 16) == 0 &&
           a->bytes_stored == b->bytes_stored && a->has_crc == b->has_crc &&
           a->crc64nvme == b->crc64nvme &&
           a->crc64nvme_confirmed == b->crc64nvme_confirmed &&
           view_equal(a->format, b->format) && a->fields == b->fields &&
           view_equal(a->compression, b->compression) &&
           a->archived_ms == b->archived_ms &&
           a->verified_ms == b->verified_ms &&
           view_equal(a->reason, b->reason) &&
           view_equal(a->tool_version, b->tool_version);
}

static void what_is_written_comes_back(void **state)
{
    (void)state;
    static char copy[RECEIPT_BYTES];
    struct fault fault;
    struct receipt r = sample(), back;
    fill_index();
    struct text t = written(&r, &entries);
    assert_true(reads(&back, text_view(&t), &fault));
    assert_true(same(&r, &back));
    /* again from what was read: byte for byte */
    memcpy(copy, room, t.len);
    uint32_t len = t.len;
    assert_true(reads(&back, (struct view){(uint8_t *)copy, len}, &fault));
    t = written(&back, NULL);
    assert_true(t.len == len && memcmp(copy, room, len) == 0);
}

static void what_is_not_known_is_null(void **state)
{
    (void)state;
    struct fault fault;
    struct receipt r = sample(), back;
    r.counted = r.has_settled = r.has_crc = r.crc64nvme_confirmed = false;
    r.crc64nvme = r.bytes_raw = 0;
    r.until_ms = r.from_ms = r.settled_until_ms = 0;
    r.timezone = r.reason = (struct view){0};
    r.state = RECEIPT_IMPORTED;
    r.verified_ms = 1699578000999;
    tally_init(&r.tally);
    tally_init(&r.settled);
    struct text t = written(&r, NULL);
    assert_non_null(strstr(room, "\"window\": null,\n\"events\": null,\n"
        "\"first_event\": null,\n\"last_event\": null,\n\"settled\": null,\n"
        "\"bytes_raw\": null,\n"));
    assert_non_null(strstr(room, "\"index\": []\n"));
    assert_true(reads(&back, text_view(&t), &fault));
    assert_true(same(&r, &back));
    r.counted = true;  /* a day without events */
    t = written(&r, NULL);
    assert_non_null(strstr(room, "\"events\": 0,\n\"first_event\": null"));
    assert_true(reads(&back, text_view(&t), &fault));
    assert_true(same(&r, &back));
}

static void the_largest_stays_small(void **state)
{
    (void)state;
    struct fault fault;
    struct receipt r = sample(), back;
    index_init(&entries);
    for (uint32_t i = 0; i < CFG_INDEX_BLOCKS; i++)
        index_add(&entries, &(struct index_entry){
            UINT64_MAX - 2000 + i, UINT64_MAX - 2000 + i, INT64_MIN,
            INT64_MIN, UINT64_MAX});
    struct text t = written(&r, &entries);
    assert_true(!t.overflow && t.len < RECEIPT_BYTES);
    assert_true(reads(&back, text_view(&t), &fault));
}

#define NOON "\"2026-11-09T12:00:00.000Z\""
#define MERGED(from, objects, at) "\"merged\": {\"from\": " from \
    ", \"objects\": " objects ", \"listed_at\": " at "}, \"reason\""

/* Replaces one text by another in a good receipt; what comes of it. */
static const struct change {
    const char *name, *from, *to, *words;
} changes[] = {
    {"another version", "\"version\": 1", "\"version\": 2",
     "its version is another one"},
    {"an unknown state", "provisional", "final", "unknown state"},
    {"no etag", "\"etag\"", "\"e\"", "it lacks \"etag\""},
    {"an etag twice", "\"source\":", "\"etag\": 1, \"source\":",
     "a member is there twice"},
    {"a bad digest", "\"digest\": \"", "\"digest\": \"x", "bad digest"},
    {"a bad time", "2023-11-10T01", "2023-13-10T01", "bad time"},
    {"a time without zone", "01:00:00.123Z", "01:00:00.123", "bad time"},
    {"a negative count", "\"events\": 2", "\"events\": -2", "bad number"},
    {"a count too large", "\"events\": 2", "\"events\": 18446744073709551616",
     "bad number"},
    {"a half number", "\"bytes_stored\": 60000", "\"bytes_stored\": 6e4",
     "bad number"},
    {"a window the wrong way round", "\"until\": \"2023-11-10",
     "\"until\": \"2023-11-08", "bad window"},
    {"a bad checksum", "rosUhgp5mIg=", "rosUhgp5mIh=", "bad CRC-64"},
    {"an unknown field", "\"id\"]", "\"idd\"]", "unknown field"},
    {"fields that are no list", "\"fields\": [", "\"fields\": {}, \"x\": [",
     "bad fields"},
    {"fields that are no JSON", "\"fields\": [", "\"fields\": [1 2], \"x\": [",
     "bad fields"},
    {"a bad index", "\"index\": [", "\"index\": [[1]", "bad index"},
    {"merged of nothing", "\"reason\"", "\"merged\": {}, \"reason\"",
     "it lacks \"from\""},
    {"merged from a number", "\"reason\"", MERGED("1", "1", NOON),
     "bad or too long a string"},
    {"merged of half an object", "\"reason\"", MERGED("\"a\"", "0.5", NOON),
     "bad number"},
    {"merged at no time", "\"reason\"", MERGED("\"a\"", "1", "\"\""),
     "bad time"},
    {"merged", "\"reason\"", MERGED("\"a\"", "1", NOON), NULL},
    {"a bad boolean", "\"masked\": true", "\"masked\": 1", "bad boolean"},
    {"a trailing comma", "]]\n}", "]],\n}", "bad JSON"},
    {"a comma left out", "\"events\": 2,", "\"events\": 2", "bad JSON"},
    {"text behind it", "]]\n}\n", "]]\n}\nx", "it is no JSON object"},
    {"a key that is no string", "\"key\": \"1", "\"key\": 1, \"x\": \"1",
     "bad or too long a string"},
    {"a member of the future", "\"events\": 2", "\"a\": {\"b\": [\"}\", 1]}, "
     "\"events\": 2", NULL},
    {"blanks elsewhere", "\"events\": 2,", " \"events\" :\t2 \r\n , ", NULL},
};

static bool changed_holds(const struct change *c)
{
    static char other[RECEIPT_BYTES];
    struct fault fault;
    struct receipt r = sample();
    struct text t;
    fill_index();
    written(&r, &entries);
    char *at = strstr(room, c->from);
    if (at == NULL)
        return false;
    text_init(&t, other, sizeof other);
    text_put(&t, (struct view){(uint8_t *)room, (uint32_t)(at - room)});
    text_str(&t, c->to);
    text_str(&t, at + strlen(c->from));
    bool ok = reads(&r, text_view(&t), &fault);
    if (c->words == NULL)
        return ok;
    return !ok && fault.error == ERROR_CORRUPT && fault.detail >= 0 &&
           row_string(fault.words, c->words);
}

static void damage_is_named(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < ROW_COUNT(changes); i++)
        failures += BROKEN(changes[i].name, changed_holds(&changes[i]));
    assert_int_equal(failures, 0);
}

/* Copies to the heap, so that a byte read too far is seen. */
static bool reads_copy(const char *at, uint32_t len)
{
    struct fault fault;
    struct receipt r;
    uint8_t *copy = malloc(len > 0 ? len : 1);
    memcpy(copy, at, len);
    bool ok = reads(&r, (struct view){copy, len}, &fault);
    assert_true(ok || fault.error == ERROR_CORRUPT);
    free(copy);
    return ok;
}

static void every_prefix_and_every_byte(void **state)
{
    (void)state;
    struct receipt r = sample();
    fill_index();
    struct text t = written(&r, &entries);
    for (uint32_t len = 0; len + 1 < t.len; len++)  /* but the last newline */
        assert_false(reads_copy(room, len));
    static const char marks[] = "\"\\{}[],:0x\n";
    for (uint32_t at = 0; at < t.len; at++)
        for (size_t i = 0; i < sizeof marks; i++) {
            char was = room[at];
            room[at] = marks[i];
            (void)reads_copy(room, t.len);
            room[at] = was;
        }
}

static void not_larger_than_it_may_be(void **state)
{
    static char large[RECEIPT_BYTES + 1];
    struct fault fault;
    struct receipt r = sample();
    (void)state;
    fill_index();
    memset(large, ' ', sizeof large);
    struct text t = written(&r, &entries);
    memcpy(large, room, t.len);
    assert_true(reads(&r, (struct view){(uint8_t *)large, RECEIPT_BYTES},
                      &fault));
    assert_false(reads(&r, (struct view){(uint8_t *)large, sizeof large},
                       &fault));
    assert_true(row_string(fault.words, "it is larger than 128 KiB"));
}

static void what_was_merged_comes_back(void **state)
{
    struct fault fault;
    struct receipt r = sample(), back;
    (void)state;
    r.merged_from = view_of("s3://bkt/in/");
    r.merged_objects = 1234567;
    r.merged_ms = 1699578000123;
    struct text t = written(&r, NULL);
    assert_true(reads(&back, text_view(&t), &fault));
    assert_true(view_equal(r.merged_from, back.merged_from) &&
                r.merged_objects == back.merged_objects &&
                r.merged_ms == back.merged_ms);
}

static const struct key { const char *key, *want; } keys[] = {
    {"a/dt=2026-11-09/events.ndjson.gz",
     "a/dt=2026-11-09/_events.receipt.json"},
    {"events.log.zst", "_events.receipt.json"},
    {"a/events.log", "a/_events.receipt.json"},
    {"a/.log", "a/_.log.receipt.json"},
    {"a/day.gz", "a/_day.gz.receipt.json"},
    {"a.b/x", "a.b/_x.receipt.json"},
};

static void keys_beside_the_archive(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < ROW_COUNT(keys); i++) {
        struct text t;
        text_init(&t, room, sizeof room);
        receipt_key(&t, view_of(keys[i].key), "receipt");
        failures += BROKEN(keys[i].key, row_text(&t, keys[i].want));
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_for_byte),
        cmocka_unit_test(what_is_written_comes_back),
        cmocka_unit_test(what_was_merged_comes_back),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(the_largest_stays_small),
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(every_prefix_and_every_byte),
        cmocka_unit_test(not_larger_than_it_may_be),
        cmocka_unit_test(keys_beside_the_archive),
    };
    return RUN(tests);
}
