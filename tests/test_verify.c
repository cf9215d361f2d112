/* test_verify.c - archives held against their receipts.
 * Method: rows of damage to a sound archive and its receipt in the model's S3,
 * in virtual time, each by several seeds of slices. A row that changes the
 * object gives the receipt its new ETag, or S3 alone would notice. */
#include "task/verify.h"

#include "base/crc.h"
#include "packed.h"
#include "store.h"

#define DAY    1794182400000  /* 2026-11-09T00:00:00Z */
#define KEY    "a/events.ndjson"
#define INDEX  "[[0,0,1794182400000,1794182499000,100],[7,70,1,2,3]]"

enum { RECORDS = 3000, LONG = 1000, LONG_BYTES = 200000, SEEDS = 3 };

enum form { NONE, GZIP, ZSTD };
static const char *const form_name[] = {"none", "gzip", "zstd"};

static struct verify  verify;
static struct packed  raw, object;
static struct receipt receipt;
static char receipt_bytes[RECEIPT_BYTES];
static struct text receipt_text;
static char etag[HTTP_ETAG_BYTES];

/* --- a sound archive ------------------------------------------------------ */

static void make_raw(void)
{
    static char message[LONG_BYTES + 1], line[LONG_BYTES + 200];
    struct text t;
    raw.len = 0;
    tally_init(&receipt.tally);
    for (int i = 0; i < RECORDS; i++) {
        int len = i == LONG ? LONG_BYTES : i % 100;
        for (int b = 0; b < len; b++)
            message[b] = (char)('a' + (b * 7 + i * 13) % 26);
        int64_t at = DAY + i * 28000;
        tally_add(&receipt.tally, at,
                  (struct view){(uint8_t *)message, (uint32_t)len});
        text_init(&t, line, sizeof line);
        text_str(&t, "{\"timestamp\":\"");
        date_rfc3339(&t, at);
        text_str(&t, "\",\"stream\":\"s\",\"message\":\"");
        text_put(&t, (struct view){(uint8_t *)message, (uint32_t)len});
        text_str(&t, "\"}\n");
        packed_put(&raw, line, t.len);
    }
}

static void pack(enum form form)
{
    object.len = 0;
    if (form == NONE) {
        packed_put(&object, raw.at, raw.len);
    } else if (form == ZSTD) {
        packed_frame(&object, packed_view(&raw), 15, true);
    } else {
        packed_header(&object, 0, 0);
        packed_deflate(&object, packed_view(&raw), true);
        packed_trailer(&object, packed_view(&raw));
    }
}

static void describe(enum form form)
{
    receipt = (struct receipt){
        .state = RECEIPT_PROVISIONAL, .key = view_of(KEY),
        .account = view_of("123456789012"), .region = view_of("us-east-1"),
        .group = view_of("/ecs/api"), .via = view_of("read"),
        .masked = true, .from_ms = DAY, .until_ms = DAY + DAY_MS,
        .timezone = view_of("UTC"), .counted = true, .tally = receipt.tally,
        .bytes_raw = raw.len, .has_settled = true,
        .settled_until_ms = DAY + 2 * (int64_t)DAY_MS,
        .settled = {.events = 9, .digest = {1, 2}},
        .bytes_stored = object.len, .has_crc = true,
        .crc64nvme = crc64_add(0, packed_view(&object)),
        .crc64nvme_confirmed = true, .format = view_of("ndjson"),
        .fields = RECEIPT_TIMESTAMP | RECEIPT_STREAM | RECEIPT_MESSAGE,
        .compression = view_of(form_name[form]),
        .archived_ms = DAY + 2 * (int64_t)DAY_MS,
        .reason = view_of("late events may come"),
        .tool_version = view_of("0.0.9"), .index = view_of(INDEX),
    };
}

/* --- the store ------------------------------------------------------------ */

/* The archive, and whose ETag the receipt has. */
static void store_object(void)
{
    strcpy(etag, store_put(KEY, packed_view(&object), NULL));
    receipt.etag = view_of(etag);
}

static void store_receipt(void)
{
    text_init(&receipt_text, receipt_bytes, sizeof receipt_bytes);
    receipt_write(&receipt_text, &receipt, NULL);
    (void)store_put("a/_events.receipt.json", text_view(&receipt_text), NULL);
}

/* --- rows ----------------------------------------------------------------- */

static void sound(void) { }
static void as_text(void) { receipt.format = view_of("text"); }
static void not_counted(void) { receipt.counted = false; }
static void no_crc(void) { receipt.has_crc = false; }
static void text_no_crc(void)
{
    as_text();
    no_crc();
}
static void flip(void) { object.at[object.len / 2] ^= 1; }
static void cut(void) { receipt.bytes_stored = object.len -= 100; }
static void cut_only(void) { object.len -= 100; }
static void cut_line(void)
{
    receipt.bytes_stored = object.len -= 2;
    receipt.bytes_raw = object.len;
    receipt.crc64nvme = crc64_add(0, packed_view(&object));
}
static void add(void)
{
    packed_put(&object, "x", 1);
    receipt.bytes_stored = object.len;
}
static void key(void) { receipt.key = view_of("b/events.ndjson"); }
static void stored(void) { receipt.bytes_stored++; }
static void crc(void) { receipt.crc64nvme ^= 1; }
static void bytes(void) { receipt.bytes_raw--; }
static void events(void) { receipt.tally.events++; }
static void first(void) { receipt.tally.first_ms--; }
static void last(void) { receipt.tally.last_ms++; }
static void digest(void) { receipt.tally.digest[1] ^= 1; }
static void compression(void) { receipt.compression = view_of("zstd"); }
static void no_form(void) { receipt.compression = view_of("br"); }
static void no_events(void) { receipt.tally.events = 0; }
static void unknown(void)
{
    not_counted();
    receipt.bytes_raw = 0;
}
/* An index as long as the receipt may be, but for a few bytes. */
static void full(void)
{
    static char index[RECEIPT_BYTES];
    static char digits[] = "99999999999999999999";
    struct text t;
    text_init(&receipt_text, receipt_bytes, sizeof receipt_bytes);
    receipt.index = view_of("[]");
    receipt.etag = view_of("\"0123456789abcdef0123456789abcdef\"");
    receipt_write(&receipt_text, &receipt, NULL);
    uint32_t room = sizeof receipt_bytes - 12 - receipt_text.len;
    text_init(&t, index, sizeof index);
    text_str(&t, "[[0,0,1,2,3]");
    while (t.len < room - 24)
        text_str(&t, ",[0,0,1,2,3]");
    text_str(&t, ",[0,0,1,2,");
    text_put(&t, (struct view){(uint8_t *)digits, room - t.len});
    text_str(&t, "]]");
    receipt.index = text_view(&t);
}

static const struct row {
    const char *name;
    enum form   form;
    void      (*damage)(void);
    enum error  error;
    const char *words;   /* of the fault, a part; or of the reason */
} rows[] = {
    {"sound, gzip", GZIP, sound, ERROR_NONE, ""},
    {"sound, zstd", ZSTD, sound, ERROR_NONE, ""},
    {"sound, not compressed", NONE, sound, ERROR_NONE, ""},
    {"text: what can be known", GZIP, as_text, ERROR_NONE,
     "records cannot be told apart"},
    {"text without a checksum", GZIP, text_no_crc, ERROR_NONE,
     "the lengths agree, no more is known"},
    {"nothing was counted", GZIP, not_counted, ERROR_NONE,
     "does not count the records"},
    {"no checksum", GZIP, no_crc, ERROR_NONE, "has no checksum"},
    {"a bit flips in gzip", GZIP, flip, ERROR_CORRUPT, "at byte "},
    {"a bit flips in zstd", ZSTD, flip, ERROR_CORRUPT, "at byte "},
    {"a bit flips in lines", NONE, flip, ERROR_CORRUPT, "crc64nvme "},
    {"... and its digest", NONE, flip, ERROR_CORRUPT, "; digest "},
    {"shorter than its receipt", GZIP, cut_only, ERROR_CORRUPT,
     "bytes_stored "},
    {"cut short", GZIP, cut, ERROR_CORRUPT, "at byte "},
    {"cut inside the last line", NONE, cut_line, ERROR_CORRUPT,
     "no whole record in line 3000"},
    {"a byte more", GZIP, add, ERROR_CORRUPT, "crc64nvme "},
    {"a byte more in lines", NONE, add, ERROR_CORRUPT, "; bytes_raw "},
    {"another key", GZIP, key, ERROR_CORRUPT,
     "key a/events.ndjson, not b/events.ndjson"},
    {"another bytes_stored", GZIP, stored, ERROR_CORRUPT, "bytes_stored "},
    {"another crc64nvme", GZIP, crc, ERROR_CORRUPT, "crc64nvme "},
    {"another bytes_raw", GZIP, bytes, ERROR_CORRUPT, "bytes_raw "},
    {"another count", GZIP, events, ERROR_CORRUPT, "events 3000, not 3001"},
    {"another first event", GZIP, first, ERROR_CORRUPT, "first_event "
     "2026-11-09T00:00:00.000Z, not 2026-11-08T23:59:59.999Z"},
    {"another last event", GZIP, last, ERROR_CORRUPT, "last_event "},
    {"another digest", GZIP, digest, ERROR_CORRUPT, "digest "},
    {"another compression", GZIP, compression, ERROR_CORRUPT, ""},
    {"one that nobody knows", GZIP, no_form, ERROR_NONE, ""},
    {"no events are said to be there", GZIP, no_events, ERROR_CORRUPT,
     "events 3000, not 0"},
    {"neither counted nor measured", GZIP, unknown, ERROR_NONE,
     "does not count the records"},
    {"no room for the time", GZIP, full, ERROR_CORRUPT, "no room for the"},
};

static void begin(const char *const *urls, uint32_t count)
{
    const struct verify_options options = {.urls = urls, .url_count = count};
    verify_init(&verify, &site, &options);
}

static const char *const the_url[] = {"s3://bkt/" KEY};

/* The next result, copied; false at the end. */
static bool next(struct verify_result *result)
{
    for (;;) {
        enum flow flow = verify_step(&verify, sim_now(&net));
        if (verify.state == VERIFY_TELLING)  /* it waits for that */
            assert_int_equal(verify_step(&verify, sim_now(&net)), FLOW_MOVED);
        const struct verify_result *r = verify_result(&verify);
        assert_null(verify_result(&verify));
        if (r != NULL)
            *result = *r;
        if (flow == FLOW_ENDED)
            assert_int_equal(verify_step(&verify, sim_now(&net)), FLOW_ENDED);
        if (r != NULL || flow == FLOW_ENDED)
            return r != NULL;
        if (flow != FLOW_MOVED)
            assert_true(sim_advance(&net, verify_wake_ms(&verify)));
    }
}

/* The receipt in the store: byte for byte as it was, but, once verified, for
 * the time. */
static bool receipt_is(bool verified)
{
    static char got[RECEIPT_BYTES], want[RECEIPT_BYTES];
    static char strings_bytes[RECEIPT_STRINGS_BYTES];
    struct text strings, t;
    struct receipt r;
    struct fault fault = {0};
    int64_t now_ms = sim_now(&net).wall_ms;
    uint32_t len = (uint32_t)aws_object_bytes(
        net.model, "bkt", "a/_events.receipt.json", 0, got, sizeof got);
    text_init(&strings, strings_bytes, sizeof strings_bytes);
    if (!receipt_read(&r, (struct view){(uint8_t *)got, len}, &strings,
                      &fault))
        return false;
    bool timely = verified ? r.verified_ms > now_ms - 120000 &&
                             r.verified_ms <= now_ms : r.verified_ms == 0;
    receipt.verified_ms = r.verified_ms;
    text_init(&t, want, sizeof want);
    receipt_write(&t, &receipt, NULL);
    return timely && view_equal(text_view(&t),
                                (struct view){(uint8_t *)got, len});
}

static bool told(const struct verify_result *r, const struct row *row)
{
    const char *words = row->error == ERROR_NONE ? r->reason : r->fault.words;
    char offset[32] = "at byte ";
    if (r->fault.words[0] == '\0' && row->error != ERROR_NONE)
        words = r->fault.detail != 0 ? offset  /* as message.h says it */
                                     : r->fault.what;
    bool holds = r->fault.error == row->error &&
                 strstr(words, row->words) != NULL;
    if (!holds)
        fprintf(stderr, "  got  %d %s: %s (%s)\n", (int)r->fault.error,
                r->fault.what, r->fault.words, r->reason);
    return holds;
}

static bool row_holds(const struct row *row, uint64_t seed)
{
    struct verify_result r = {0};
    store_open(seed);
    pack(row->form);
    describe(row->form);
    struct tally tally = receipt.tally;
    row->damage();
    store_object();
    store_receipt();
    begin(the_url, 1);
    bool holds = next(&r) && told(&r, row) && !next(&r) &&
                 row_number(verify.exit_code, fault_exit(row->error)) &&
                 receipt_is(row->error == ERROR_NONE);
    receipt.tally = tally;
    store_close();
    return holds;
}

static void every_damage_is_told(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            failures += BROKEN(rows[i].name, row_holds(&rows[i], seed));
    assert_int_equal(failures, 0);
}

/* --- what the store does -------------------------------------------------- */

static void begin_sound(uint64_t seed)
{
    store_open(seed);
    pack(GZIP);
    describe(GZIP);
    store_object();
    store_receipt();
    begin(the_url, 1);
}

static const struct fault_row {
    const char *name, *rule;
    enum error  error;
    bool        written;
} fault_rows[] = {
    {"a connection breaks", "GetObject #2 cut=?", ERROR_NONE, true},
    {"and again", "GetObject #2-5 cut=?", ERROR_NONE, true},
    {"silence", "GetObject #2 stall=1000", ERROR_NONE, true},
    {"no receipt at first", "GetObject #1 error=InternalError status=500",
     ERROR_NONE, true},
    {"a lost answer to the receipt", "PutObject #1 lost", ERROR_NONE, true},
    {"no permission to write", "PutObject error=AccessDenied", ERROR_DENIED,
     false},
    {"no permission to read", "GetObject error=AccessDenied", ERROR_DENIED,
     false},
    {"a dead store", "* reset", ERROR_NETWORK, false},
    {"a receipt without its ETag", "GetObject #1 drop=ETag", ERROR_NONE,
     true},
    {"in a Glacier class", "GetObject #2- error=InvalidObjectState status=403",
     ERROR_CONFIG, false},
};

static void the_store_is_endured(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(fault_rows); i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            const struct fault_row *row = &fault_rows[i];
            struct verify_result r = {0};
            begin_sound(seed);
            assert_true(aws_fault(net.model, row->rule));
            bool holds = next(&r) && !next(&r) &&
                         row_number(r.fault.error, row->error) &&
                         receipt_is(row->written);
            failures += BROKEN(row->name, holds);
            store_close();
        }
    assert_int_equal(failures, 0);
}

/* What cannot be asked for in time is not asked for at all. */
static void a_deadline_ends_it(void **state)
{
    static const char *const urls[] = {"s3://bkt/" KEY, "s3://bkt/" KEY};
    struct verify_result r = {0};
    (void)state;
    begin_sound(1);
    begin(urls, 2);
    assert_true(aws_fault(net.model, "GetObject hang"));
    site.deadline_mono_ms = net.mono_ms + 2000;
    assert_true(next(&r));
    assert_int_equal(r.fault.error, ERROR_STOPPED);
    assert_false(next(&r));
    assert_int_equal(verify.at, 0);
    store_close();
}

static void a_long_name_leaves_no_room(void **state)
{
    char url[9 + 1024 + 1] = "s3://bkt/";
    const char *const urls[] = {url};
    struct verify_result r = {0};
    (void)state;
    begin_sound(1);
    memset(url + 9, 'k', 1024);
    begin(urls, 1);
    assert_true(next(&r));
    assert_int_equal(r.fault.error, ERROR_USAGE);
    assert_int_equal(store_call.site->requests, 2);  /* the two of the test */
    store_close();
}

static void until_reading(void)
{
    while (verify.state != VERIFY_READING)
        if (verify_step(&verify, sim_now(&net)) != FLOW_MOVED)
            assert_true(sim_advance(&net, verify_wake_ms(&verify)));
}

static void another_version_is_noticed(void **state)
{
    struct verify_result r = {0};
    (void)state;
    begin_sound(1);
    (void)store_put(KEY, view_of("other"), NULL);
    assert_true(next(&r));
    assert_int_equal(r.fault.error, ERROR_CORRUPT);
    assert_non_null(strstr(r.fault.words, "bytes_stored 5, not "));
    assert_non_null(strstr(r.fault.words, "; etag \""));
    store_close();

    begin_sound(1);  /* between its head and its bytes */
    until_reading();
    object.at[object.len - 1] ^= 1;
    (void)store_put(KEY, packed_view(&object), NULL);
    assert_true(next(&r));
    assert_int_equal(r.fault.error, ERROR_CORRUPT);
    assert_string_equal(r.fault.what, "the object is not the one expected");
    assert_true(receipt_is(false));
    store_close();
}

static void another_receipt_is_kept(void **state)
{
    struct verify_result r = {0};
    (void)state;
    begin_sound(1);
    until_reading();
    receipt.state = RECEIPT_SEALED;
    store_receipt();
    assert_true(next(&r));
    assert_int_equal(fault_exit(r.fault.error), 75);
    assert_true(receipt_is(false));
    store_close();
}

/* One after the other; what is missing, and that a damaged one does not keep
 * the next from being read. */
static void each_in_turn(void **state)
{
    static const char *const urls[] = {
        "s3://bkt/gone.gz", "s3://bkt/none.gz", "s3://bkt/bare.gz",
        "s3://bkt/bad.gz", "s3://nil/x.gz", "s3://bkt/" KEY,
    };
    static const enum error errors[] = {
        ERROR_CORRUPT, ERROR_MISSING, ERROR_CONFIG, ERROR_CORRUPT,
        ERROR_CONFIG, ERROR_NONE,
    };
    struct verify_result r = {0};
    (void)state;
    begin_sound(1);
    receipt.key = view_of("gone.gz");
    struct text t;
    static char bytes_of[RECEIPT_BYTES];
    text_init(&t, bytes_of, sizeof bytes_of);
    receipt_write(&t, &receipt, NULL);
    (void)store_put("_gone.gz.receipt.json", text_view(&t), NULL);
    (void)store_put("bare.gz", view_of("x"), NULL);
    (void)store_put("bad.gz", view_of("x"), NULL);
    (void)store_put("_bad.gz.receipt.json", view_of("{\"version\":1}"), NULL);
    receipt.key = view_of(KEY);
    begin(urls, ROW_COUNT(urls));
    for (size_t i = 0; i < ROW_COUNT(urls); i++) {
        assert_true(next(&r));
        assert_true(view_is(r.url, urls[i]));
        assert_int_equal(BROKEN(urls[i], r.fault.error == errors[i]), 0);
    }
    assert_false(next(&r));
    assert_int_equal(verify.exit_code, 65);
    assert_true(receipt_is(true));
    store_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_damage_is_told),
        cmocka_unit_test(the_store_is_endured),
        cmocka_unit_test(a_deadline_ends_it),
        cmocka_unit_test(a_long_name_leaves_no_room),
        cmocka_unit_test(another_version_is_noticed),
        cmocka_unit_test(another_receipt_is_kept),
        cmocka_unit_test(each_in_turn),
    };
    make_raw();
    return RUN(tests);
}
