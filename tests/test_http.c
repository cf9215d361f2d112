/* test_http.c - what is recorded of a reply, and what is handed out of a
 * request, whatever the pieces. */
#include "call/http.h"
#include "row.h"

static void begin(struct http_exchange *x, struct ring *sink)
{
    memset(x, 0, sizeof *x);
    x->sink = sink;
    http_reset(x);
    x->state = HTTP_ACTIVE;
}

static void lines(struct http_exchange *x, const char *text)
{
    struct view rest = view_of(text);
    while (rest.len > 0) {
        struct view all = rest;
        struct view line = view_split(&rest, '\n');
        http_head_line(x, view_slice(all, 0, line.len +
                                                 (line.len < all.len)));
    }
}

static void the_head_is_read(void **state)
{
    struct http_exchange x;
    (void)state;
    begin(&x, NULL);
    lines(&x, "HTTP/1.1 206 Partial Content\r\n"
              "content-LENGTH:  12\t\r\n"
              "Content-Range: bytes 0-11/1234\r\n"
              "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
              "Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT\r\n"
              "ETag: \"9b2c\"\r\n"
              "x-amz-checksum-crc64nvme: rosUhgp5mIg=\r\n"
              "X-Amz-Request-Id: R1\r\n"
              "x-amz-bucket-region: eu-west-1\r\n"
              "x-amz-restore: ongoing-request=\"true\"\r\n"
              "Lambda-Runtime-Aws-Request-Id: L1\r\n"
              "Lambda-Runtime-Deadline-Ms: 17\r\n"
              "Retry-After: 3\r\n"
              "Nothing of ours: x\r\n"
              "no colon\r\n"
              "\r\n");
    const struct http_reply *r = &x.reply;
    assert_int_equal(r->status, 206);
    assert_true(r->has_length && r->content_length == 12);
    assert_int_equal(r->range_total, 1234);
    assert_true(r->date_ms == 784111777000);
    assert_int_equal(r->date_ms - r->modified_ms, 1000);
    assert_string_equal(r->etag, "\"9b2c\"");
    assert_string_equal(r->crc64nvme, "rosUhgp5mIg=");
    assert_string_equal(r->request_id, "R1");
    assert_string_equal(r->bucket_region, "eu-west-1");
    assert_string_equal(r->restore, "ongoing-request=\"true\"");
    assert_string_equal(r->invocation[0], "L1");
    assert_string_equal(r->invocation[2], "17");
    assert_int_equal(r->retry_after_ms, 3000);
}

static void a_reply_needs_no_sink(void **state)
{
    struct http_exchange x;
    (void)state;
    begin(&x, NULL);
    lines(&x, "HTTP/1.1 204 No Content\r\n\r\n");
    http_finish(&x, 0, NULL);
    assert_int_equal(x.state, HTTP_DONE);
    assert_true(http_room(&x) == UINT32_MAX);
}

static void a_new_status_line_starts_afresh(void **state)
{
    struct http_exchange x;
    (void)state;
    begin(&x, NULL);
    lines(&x, "HTTP/1.1 100 Continue\r\nETag: \"old\"\r\n\r\n"
              "HTTP/2 200\r\nx-amz-retry-after: 250\r\n\r\n");
    assert_int_equal(x.reply.status, 200);
    assert_string_equal(x.reply.etag, "");
    assert_int_equal(x.reply.retry_after_ms, 250);
}

static void hostile_heads_leave_nothing(void **state)
{
    struct http_exchange x;
    char longer[400] = "etag: ";
    (void)state;
    memset(longer + 6, 'x', sizeof longer - 7);
    longer[sizeof longer - 1] = '\0';
    begin(&x, NULL);
    lines(&x, "HTTP/1.1 2000 X\r\n");
    assert_int_equal(x.reply.status, 0);
    lines(&x, "HTTP/1.1 099 X\r\nHTTP/1.1 2x0 X\r\nHTTP/1.1 20 X\r\n");
    assert_int_equal(x.reply.status, 0);
    lines(&x, "HTTP/1.1 200 OK\r\nRetry-After: soon\r\n"
              "X-Amz-Retry-After: later\r\nLast-Modified: never\r\n"
              "Content-Range: items 0-1/5\r\n");
    assert_true(x.reply.retry_at_ms == 0 && x.reply.retry_after_ms == 0 &&
                x.reply.modified_ms == 0 && x.reply.range_total == 0);
    lines(&x, "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n"
              "Content-Range: bytes */x\r\nDate: yesterday\r\n"
              "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    lines(&x, longer);
    http_head_line(&x, (struct view){(const uint8_t *)"etag: a\0b", 9});
    assert_false(x.reply.has_length);
    assert_int_equal(x.reply.range_total, 0);
    assert_true(x.reply.date_ms == 0);
    assert_true(x.reply.retry_at_ms == 784111777000);
    assert_string_equal(x.reply.etag, "");
    lines(&x, "HTTP/1.1 200 OK\r\nContent-Length: "
              "99999999999999999999\r\n");
    assert_false(x.reply.has_length);
}

static void a_body_is_taken_whole_or_not_at_all(void **state)
{
    uint8_t bytes[8];
    struct ring sink;
    struct http_exchange x;
    (void)state;
    ring_init(&sink, bytes, sizeof bytes);
    begin(&x, &sink);
    lines(&x, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    assert_true(http_body(&x, view_of("abcdef")));
    assert_false(http_body(&x, view_of("ghij")));
    assert_int_equal(http_room(&x), 2);
    ring_consume(&sink, 5);
    assert_true(http_body(&x, view_of("ghij")));
    assert_int_equal(x.received, 10);
    http_head_line(&x, view_of("ETag: \"of a trailer\""));  /* unknown */
    assert_string_equal(x.reply.etag, "");
    assert_false(sink.ended);
    http_finish(&x, 0, NULL);
    assert_int_equal(x.state, HTTP_DONE);
    assert_true(sink.ended && ring_len(&sink) == 5);
    http_reset(&x);
    assert_true(x.state == HTTP_IDLE && ring_len(&sink) == 0 && !sink.ended);
}

static void an_error_is_kept_apart_and_cut(void **state)
{
    uint8_t bytes[8];
    struct ring sink;
    struct http_exchange x;
    (void)state;
    ring_init(&sink, bytes, sizeof bytes);
    begin(&x, &sink);
    lines(&x, "HTTP/1.1 503 Slow Down\r\n\r\n");
    for (int i = 0; i < 300; i++)
        assert_true(http_body(&x, view_of("0123456789")));
    http_finish(&x, 0, NULL);
    assert_int_equal(x.state, HTTP_DONE);
    assert_int_equal(x.error_len, CFG_ERROR_BYTES);
    assert_int_equal(x.received, 3000);
    assert_true(ring_len(&sink) == 0 && !sink.ended);
}

static const struct end_row {
    const char *name, *head, *body;
    int32_t     failure;
    bool        head_method;
    enum http_state want;
} end_rows[] = {
    {"a whole reply", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "abc", 0,
     false, HTTP_DONE},
    {"no length", "HTTP/1.1 200 OK\r\n", "abc", 0, false, HTTP_DONE},
    {"cut short", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n", "abc", 0,
     false, HTTP_FAILED},
    {"an error cut short", "HTTP/1.1 500 X\r\nContent-Length: 4\r\n", "abc",
     0, false, HTTP_FAILED},
    {"a HEAD has no body", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n", "", 0,
     true, HTTP_DONE},
    {"nor has a 304", "HTTP/1.1 304 X\r\nContent-Length: 4\r\n", "", 0,
     false, HTTP_DONE},
    {"no reply at all", "", "", 0, false, HTTP_FAILED},
    {"only a 100", "HTTP/1.1 100 Continue\r\n", "", 0, false, HTTP_FAILED},
    {"a failure", "HTTP/1.1 200 OK\r\n", "abc", 56, false, HTTP_FAILED},
};

static void the_end_is_judged(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(end_rows); i++) {
        const struct end_row *row = &end_rows[i];
        uint8_t bytes[8];
        struct ring sink;
        struct http_exchange x;
        ring_init(&sink, bytes, sizeof bytes);
        begin(&x, &sink);
        x.request.method = row->head_method ? HTTP_HEAD : HTTP_GET;
        lines(&x, row->head);
        http_body(&x, view_of(row->body));
        http_finish(&x, row->failure, row->failure != 0 ? "x" : NULL);
        bool done = row->want == HTTP_DONE;
        bool good = done && x.reply.status == 200;
        failures += BROKEN(row->name, x.state == row->want &&
                                          (x.failure == 0) == done &&
                                          (x.failure_text == NULL) == done &&
                                          sink.ended == good);
    }
    assert_int_equal(failures, 0);
}

static void the_body_is_handed_out_from_anywhere(void **state)
{
    const struct view slices[] = {view_of("ab"), view_of(""),
                                  view_of("cde"), view_of("f")};
    (void)state;
    for (uint32_t most = 1; most < 8; most++) {
        struct http_exchange x = {.request = {.body = slices,
                                              .body_count = 4,
                                              .body_bytes = 6}};
        char got[8] = "";
        for (int turn = 0; turn < 10; turn++) {
            struct view v = http_upload(&x, most);
            assert_true(v.len <= most && v.len <= 3);
            if (v.len > 0)
                memcpy(got + x.sent, v.at, v.len);
            x.sent += v.len;
        }
        assert_string_equal(got, "abcdef");
        for (x.sent = 6; x.sent-- > 0;)  /* sent again, from there */
            assert_int_equal(http_upload(&x, 1).at[0], got[x.sent]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_is_read),
        cmocka_unit_test(a_reply_needs_no_sink),
        cmocka_unit_test(a_new_status_line_starts_afresh),
        cmocka_unit_test(hostile_heads_leave_nothing),
        cmocka_unit_test(a_body_is_taken_whole_or_not_at_all),
        cmocka_unit_test(an_error_is_kept_apart_and_cut),
        cmocka_unit_test(the_end_is_judged),
        cmocka_unit_test(the_body_is_handed_out_from_anywhere),
    };
    return RUN(tests);
}
