/* test_multipart.c - replies that are not what they have to be.
 * Method: uploads to stores without checksums; answers cut, foreign or empty
 * in place of the model's; lists of parts that do not agree or go on over many
 * pages, read in slices and twice. */
#include "upload_rig.h"

static void stores_without_checksums(void **state)
{
    static const uint32_t bytes[] = {SMALL_BYTES, LARGE_BYTES};
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(bytes); i++) {
        begin(SLOTS);
        aws_set(wire.model, "return-sums", 0);
        assert_int_equal(send(bytes[i]), FLOW_ENDED);
        assert_true(good(bytes[i]) && !upload.crc_confirmed);
        end();
        begin(SLOTS);
        target.checksum = false;
        assert_int_equal(send(bytes[i]), FLOW_ENDED);
        assert_true(good(bytes[i]));
        end();
    }
}

static void white_space_before_the_answer(void **state)
{
    (void)state;
    begin(SLOTS);
    aws_set(wire.model, "spaces", 100000);
    aws_set(wire.model, "chunked", 1);
    assert_int_equal(send(LARGE_BYTES), FLOW_ENDED);
    assert_true(good(LARGE_BYTES));
    end();
}

static void answers_that_are_none(void **state)
{
    static char too_long[MULTIPART_ID_BYTES + 200];
    static const struct { const char *name, *when, *answer; } cases[] = {
        {"HTML for Create", "?uploads", "<html><p>hello</html>"},
        {"no upload id", "?uploads", "<InitiateMultipartUploadResult/>"},
        {"nothing for Create", "?uploads", ""},
        {"an empty upload id", "?uploads", "<InitiateMultipartUploadResult>"
         "<UploadId></UploadId></InitiateMultipartUploadResult>"},
        {"an upload id that is too long", "?uploads", too_long},
        {"another document for List", "GET ", "<a/>"},
        {"a list cut short", "GET ", "<ListPartsResult><Part>"},
        {"nothing for Complete", "mp-object-size", "   "},
        {"another document for Complete", "mp-object-size", "<ok/>"},
    };
    int failures = 0;
    (void)state;
    (void)snprintf(too_long, sizeof too_long, "<InitiateMultipartUploadResult>"
                   "<UploadId>%0*d</UploadId></InitiateMultipartUploadResult>",
                   MULTIPART_ID_BYTES, 7);
    for (size_t i = 0; i < ROW_COUNT(cases); i++)
        for (uint32_t times = 3; times < 200; times += 100) {
            begin(SLOTS);
            wire.canned_if = cases[i].when;
            wire.canned = cases[i].answer;
            wire.canned_times = times;
            enum flow flow = send(LARGE_BYTES);
            bool ok = times == 3 ? flow == FLOW_ENDED && good(LARGE_BYTES)
                                 : flow == FLOW_FAILED &&
                                   upload.fault.error == ERROR_REMOTE &&
                                   multipart_step(&upload.multipart,
                                                  wire_now()) == FLOW_FAILED;
            failures += BROKEN(cases[i].name, ok);
            end();
        }
    assert_int_equal(failures, 0);
}

static void lists_that_do_not_agree(void **state)
{
#define PART(n, size) "<Part><PartNumber>" n "</PartNumber><ETag>&quot;e" \
    "&quot;</ETag><Size>" size "</Size></Part>"
    static const char *const lists[] = {
        "", PART("1", "5280000"), PART("2", "5280000"),
        PART("1", "5280000") PART("3", "162880"),
        PART("1", "5280000") PART("2", "1"),
        PART("1", "5280000") PART("2", "162880") PART("3", "1"),
        PART("1", "5280000") "<Part><PartNumber>2</PartNumber></Part>",
        PART("1", "18446744073709551615") PART("2", "162880"),
        "<IsTruncated>true</IsTruncated>",
    };
    char answer[1000];
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(lists); i++) {
        begin(SLOTS);
        (void)snprintf(answer, sizeof answer, "<ListPartsResult>%s"
                       "</ListPartsResult>", lists[i]);
        wire.canned_if = "GET ";
        wire.canned = answer;
        wire.canned_times = 1;
        failures += BROKEN(lists[i], send(LARGE_BYTES) == FLOW_FAILED &&
                           upload.fault.error == ERROR_REMOTE);
        end();
    }
    assert_int_equal(failures, 0);
}

static void abort_until_no_part_is_left(void **state)
{
    (void)state;
    for (uint32_t times = 1; times < 20; times += 10) {
        begin(SLOTS);
        append(&upload, 0, LARGE_BYTES);
        (void)drive(&upload);
        wire.canned_if = "max-parts=1";
        wire.canned = "<ListPartsResult><Part></Part></ListPartsResult>";
        wire.canned_times = times;
        upload_abort(&upload);
        enum flow flow = drive(&upload);
        assert_int_equal(flow, times == 1 ? FLOW_ENDED : FLOW_FAILED);
        end();
    }
}

/* What an Abort says besides is not read. */
static void an_abort_with_words(void **state)
{
    (void)state;
    begin(SLOTS);
    append(&upload, 0, LARGE_BYTES);
    (void)drive(&upload);
    wire.canned_if = "DELETE ";
    wire.canned = "<InitiateMultipartUploadResult><UploadId>x</UploadId>"
                  "</InitiateMultipartUploadResult>";
    wire.canned_times = 1;  /* and so is tried again */
    upload_abort(&upload);
    assert_int_equal(drive(&upload), FLOW_ENDED);
    assert_true(nothing_open());
    end();
}

/* --- a list by itself ---------------------------------------------------- */

static char page_room[400000];

static void write_page(struct text *t, uint32_t from, uint32_t to, bool more)
{
    text_init(t, page_room, sizeof page_room);
    text_str(t, "<?xml version=\"1.0\"?>\n<ListPartsResult xmlns=\"x\">"
                "<Bucket>b</Bucket><IsTruncated>");
    text_str(t, more ? "true" : "false");
    text_str(t, "</IsTruncated>");
    for (uint32_t n = from; n <= to; n++) {
        text_str(t, "<Part><PartNumber>");
        text_u64(t, n);
        text_str(t, "</PartNumber><LastModified>2026</LastModified><ETag>"
                    "&quot;0123456789abcdef0123456789abcdef&quot;</ETag>"
                    "<Size>5300000</Size><ChecksumCRC64NVME>x"
                    "</ChecksumCRC64NVME></Part>");
    }
    text_str(t, "</ListPartsResult>");
    assert_false(t->overflow);
}

/* Reads the first `bytes` of a page through a small ring. */
static enum elements_event read_page(struct listing *l, struct view page,
                                     uint32_t bytes)
{
    static struct elements e;
    static uint8_t ring_bytes[1024];
    struct ring r;
    enum elements_event event;
    uint32_t at = 0;
    ring_init(&r, ring_bytes, sizeof ring_bytes);
    elements_init(&e, &r);
    listing_page(l);
    do {
        uint32_t end = at + 700 < bytes ? at + 700 : bytes;
        at += ring_write(&r, view_slice(page, at, end));
        if (at == page.len)
            ring_end(&r);
        while ((event = elements_next(&e)) == ELEMENTS_END_TAG)
            listing_take(l, &e);
    } while (event == ELEMENTS_MORE && at < bytes);
    return event;
}

/* 10,000 parts in ten pages, each of which breaks off once. */
static void the_longest_list(void **state)
{
    struct listing l;
    struct chain body;
    struct text page;
    struct view views[LIMIT_PART_SLOTS];
    (void)state;
    arena_init(&arena, (struct span){arena_bytes, sizeof arena_bytes},
               arena_next, CFG_SLOT_BYTES);
    chain_init(&body);
    listing_init(&l, &arena, &body, LIMIT_PART_COUNT);
    for (uint32_t n = 0; n < 10; n++) {
        write_page(&page, 1000 * n + 1, 1000 * n + 1000, n < 9);
        (void)read_page(&l, text_view(&page), 9000 * n + 20);
        assert_int_equal(read_page(&l, text_view(&page), page.len),
                         ELEMENTS_END);
        assert_true(l.more == (n < 9) && l.parts == 1000 * n + 1000);
    }
    listing_finish(&l);
    assert_int_equal(l.fault.error, ERROR_NONE);
    assert_true(l.bytes == 53000000000);
    assert_true(body.bytes < 1200000);
    uint32_t count = chain_views(&arena, &body, views, LIMIT_PART_SLOTS);
    assert_true(view_ends(views[count - 1],
                          "</ETag></Part></CompleteMultipartUpload>"));
    static const char start[] = "<CompleteMultipartUpload xmlns=\"http://s3."
        "amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>1</PartNumber>"
        "<ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag></Part>"
        "<Part><PartNumber>2</PartNumber>";
    assert_true(view_starts(views[0], start));
    chain_clear(&arena, &body);
}

static void begin_listing(struct listing *l, struct chain *body, uint32_t slots,
                          uint32_t most)
{
    arena_init(&arena, (struct span){arena_bytes, slots * CFG_SLOT_BYTES},
               arena_next, CFG_SLOT_BYTES);
    chain_init(body);
    listing_init(l, &arena, body, most);
}

/* One page; `most` parts of it are the object's. */
static enum error list_error(const char *parts, uint32_t most,
                             struct listing *l)
{
    struct chain body;
    struct text page;
    begin_listing(l, &body, SLOTS, most);
    text_init(&page, page_room, sizeof page_room);
    text_str(&page, "<ListPartsResult>");
    text_str(&page, parts);
    text_str(&page, "</ListPartsResult>");
    assert_int_equal(read_page(l, text_view(&page), page.len), ELEMENTS_END);
    return l->fault.error;
}

static void parts_behind_the_last(void **state)
{
#define SUM "<ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME>"
    static const struct {
        const char *name, *part;
        bool kept, summed;
    } row[] = {
        {"the next", "<PartNumber>2</PartNumber><Size>7</Size>" SUM, true,
         true},
        {"no sum", "<PartNumber>2</PartNumber><Size>7</Size>", true, false},
        {"no size", "<PartNumber>2</PartNumber>" SUM, false, false},
        {"a size that is none", "<PartNumber>2</PartNumber><Size>x</Size>",
         false, false},
        {"far behind", "<PartNumber>18</PartNumber><Size>7</Size>" SUM, false,
         false},
    };
    char parts[400];
    struct listing l;
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(row); i++) {
        (void)snprintf(parts, sizeof parts, PART("1", "5") "<Part>%s</Part>"
                       "<IsTruncated>true</IsTruncated>", row[i].part);
        enum error error = list_error(parts, 1, &l);
        const struct listing_part *p = &l.extra[2];
        failures += BROKEN(row[i].name, error == ERROR_NONE && !l.more &&
                           l.parts == 1 && l.bytes == 5 &&
                           (p->number == 2) == row[i].kept &&
                           p->summed == row[i].summed &&
                           p->size == (row[i].kept ? 7 : 0));
    }
    assert_int_equal(failures, 0);
}

static void parts_that_are_none(void **state)
{
    static const char *const parts[] = {
        "<Part><Size>7</Size></Part>",
        "<Part><PartNumber>0</PartNumber><Size>7</Size></Part>",
        "<Part><PartNumber>1</PartNumber><Size>7</Size></Part>",
        "<Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>",
        PART("2", "7"),
    };
    struct listing l;
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(parts); i++)
        failures += BROKEN(parts[i], list_error(parts[i], 2, &l) ==
                                         ERROR_REMOTE && l.parts == 0);
    assert_int_equal(list_error(PART("1", "7") PART("1", "9"), 2, &l),
                     ERROR_NONE);
    assert_true(l.parts == 1 && l.bytes == 7);  /* read twice */
    assert_int_equal(failures, 0);
}

/* The body of Complete has bounds, whatever the ETags. */
static void a_body_too_large(void **state)
{
    static const struct { uint32_t slots, etag; enum error error; } row[] = {
        {SLOTS, 30, ERROR_NONE}, {SLOTS, 130, ERROR_REMOTE},
        {3, 30, ERROR_LIMIT},
    };
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(row); i++) {
        struct listing l;
        struct chain body;
        struct text page;
        begin_listing(&l, &body, row[i].slots, LIMIT_PART_COUNT);
        for (uint32_t n = 1; n <= LIMIT_PART_COUNT; n++) {
            text_init(&page, page_room, sizeof page_room);
            text_str(&page, "<ListPartsResult><Part><PartNumber>");
            text_u64(&page, n);
            text_str(&page, "</PartNumber><Size>5</Size><ETag>");
            for (uint32_t k = 0; k < row[i].etag; k++)
                text_str(&page, "&quot;");
            text_str(&page, "</ETag></Part></ListPartsResult>");
            (void)read_page(&l, text_view(&page), page.len);
        }
        listing_finish(&l);
        assert_int_equal(l.fault.error, row[i].error);
        assert_true(body.bytes <= LIMIT_PART_BYTES);
        chain_clear(&arena, &body);
    }
}

/* The part is far from full, but there is no slot. */
static void no_slot_left(void **state)
{
    struct chain taken;
    (void)state;
    begin(SLOTS);
    assert_true(upload_room(&upload, BLOCK_BYTES));
    chain_init(&taken);
    while (arena.free_count > 0) {
        struct span room = chain_reserve(&arena, &taken, true);
        chain_commit(&arena, &taken, room.len);
    }
    assert_false(upload_room(&upload, BLOCK_BYTES));
    chain_clear(&arena, &taken);
    assert_true(upload_room(&upload, BLOCK_BYTES));
    upload_leave(&upload);
    end();
}

static void not_without_a_connection(void **state)
{
    (void)state;
    begin(SLOTS);
    wire.full = true;
    append(&upload, 0, LARGE_BYTES);
    upload_end(&upload);
    upload_commit(&upload);
    for (int i = 0; i < 9; i++)
        (void)upload_step(&upload, wire_now());
    assert_int_equal(upload_step(&upload, wire_now()), FLOW_WANT_EVENT);
    assert_int_equal(wire.started, 0);
    wire.full = false;
    assert_int_equal(drive(&upload), FLOW_ENDED);
    assert_true(good(LARGE_BYTES));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores_without_checksums),
        cmocka_unit_test(white_space_before_the_answer),
        cmocka_unit_test(answers_that_are_none),
        cmocka_unit_test(lists_that_do_not_agree),
        cmocka_unit_test(abort_until_no_part_is_left),
        cmocka_unit_test(an_abort_with_words),
        cmocka_unit_test(the_longest_list),
        cmocka_unit_test(parts_behind_the_last),
        cmocka_unit_test(parts_that_are_none),
        cmocka_unit_test(a_body_too_large),
        cmocka_unit_test(no_slot_left),
        cmocka_unit_test(not_without_a_connection),
    };
    rig_fill();
    return RUN(tests);
}
