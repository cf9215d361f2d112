/* http.c - see http.h. */
#include "call/http.h"

const char *const http_method_name[] = {
    [HTTP_GET] = "GET",   [HTTP_HEAD] = "HEAD",     [HTTP_PUT] = "PUT",
    [HTTP_POST] = "POST", [HTTP_DELETE] = "DELETE",
};

enum { FAILURE_CUT = -1, FAILURE_EMPTY = -2 };

void http_reset(struct http_exchange *x)
{
    CHECK(x->state != HTTP_ACTIVE);
    x->reply = (struct http_reply){0};
    x->state = HTTP_IDLE;
    x->failure = 0;
    x->failure_text = NULL;
    x->reused = false;
    x->received = 0;
    x->sent = 0;
    x->slice_from = x->slice = 0;
    x->error_len = 0;
    if (x->sink != NULL)
        ring_reset(x->sink);
}

static bool is_success(const struct http_exchange *x)
{
    return x->reply.status >= 200 && x->reply.status <= 299;
}

/* "HTTP/1.1 200 OK", "HTTP/2 200" */
static bool status_of(struct view line, int32_t *status)
{
    uint64_t value;
    struct view rest = view_trim(line);
    if (!view_starts(rest, "HTTP/"))
        return false;
    view_split(&rest, ' ');
    struct view number = view_split(&rest, ' ');
    if (number.len != 3 || !view_u64(number, 999, &value) || value < 100)
        return false;
    *status = (int32_t)value;
    return true;
}

/* "bytes 0-9/1234", "bytes * /1234"; 0 where the total is not told. */
static uint64_t total_of(struct view value)
{
    uint64_t total = 0;
    if (!view_starts(value, "bytes "))
        return 0;
    view_split(&value, '/');
    return view_u64(value, INT64_MAX, &total) ? total : 0;
}

static void retry_after(struct http_reply *r, struct view value)
{
    uint64_t seconds;
    if (view_u64(value, 1000000, &seconds))
        r->retry_after_ms = (int64_t)seconds * 1000;
    else if (!date_parse_http(value, &r->retry_at_ms))
        r->retry_at_ms = 0;
}

/* Headers that are more than text. */
static bool set_number(struct http_reply *r, struct view name,
                       struct view value)
{
    uint64_t number = 0;
    if (view_is_nocase(name, "content-length")) {
        r->has_length = view_u64(value, INT64_MAX, &number);
        r->content_length = r->has_length ? number : 0;
    } else if (view_is_nocase(name, "content-range")) {
        r->range_total = total_of(value);
    } else if (view_is_nocase(name, "date")) {
        if (!date_parse_http(value, &r->date_ms))
            r->date_ms = 0;
    } else if (view_is_nocase(name, "last-modified")) {
        if (!date_parse_http(value, &r->modified_ms))
            r->modified_ms = 0;
    } else if (view_is_nocase(name, "retry-after")) {
        retry_after(r, value);
    } else if (view_is_nocase(name, "x-amz-retry-after")) {
        if (view_u64(value, 1000000000, &number))
            r->retry_after_ms = (int64_t)number;
    } else {
        return false;
    }
    return true;
}

static void set_text(struct http_reply *r, struct view name,
                     struct view value)
{
    const struct field {
        const char *name;
        char       *at;
        uint32_t    bytes;
    } fields[] = {
        {"etag", r->etag, sizeof r->etag},
        {"x-amz-checksum-crc64nvme", r->crc64nvme, sizeof r->crc64nvme},
        {"x-amz-checksum-type", r->checksum_type, sizeof r->checksum_type},
        {"x-amzn-errortype", r->error_type, sizeof r->error_type},
        {"x-amzn-requestid", r->request_id, sizeof r->request_id},
        {"x-amz-request-id", r->request_id, sizeof r->request_id},
        {"x-amz-bucket-region", r->bucket_region, sizeof r->bucket_region},
        {"location", r->location, sizeof r->location},
        {"x-amz-storage-class", r->storage_class, sizeof r->storage_class},
        {"x-amz-restore", r->restore, sizeof r->restore},
        {"x-amz-version-id", r->version_id, sizeof r->version_id},
        {"lambda-runtime-aws-request-id", r->invocation[0], HTTP_WORD_BYTES},
        {"lambda-runtime-invocation-id", r->invocation[1], HTTP_WORD_BYTES},
        {"lambda-runtime-deadline-ms", r->invocation[2], HTTP_WORD_BYTES},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (view_is_nocase(name, fields[i].name))
            view_copy(value, fields[i].at, fields[i].bytes);
}

void http_head_line(struct http_exchange *x, struct view line)
{
    int32_t status;
    CHECK(x->state == HTTP_ACTIVE);
    if (x->received > 0)
        return;  /* a trailer: nothing of it is known to us */
    if (status_of(line, &status)) {
        x->reply = (struct http_reply){.status = status};
        return;
    }
    if (view_find(line, ':') == line.len)
        return;
    struct view name = view_split(&line, ':');
    struct view value = view_trim(line);
    if (!set_number(&x->reply, name, value))
        set_text(&x->reply, name, value);
}

uint32_t http_room(const struct http_exchange *x)
{
    bool flows = is_success(x) && x->sink != NULL;
    return flows ? ring_room(x->sink) : UINT32_MAX;
}

bool http_body(struct http_exchange *x, struct view bytes)
{
    CHECK(x->state == HTTP_ACTIVE);
    if (bytes.len > http_room(x))
        return false;
    if (is_success(x)) {
        if (x->sink != NULL)
            CHECK(ring_write(x->sink, bytes) == bytes.len);
    } else {
        uint32_t room = (uint32_t)sizeof x->error - x->error_len;
        uint32_t len = bytes.len < room ? bytes.len : room;
        if (len > 0)
            memcpy(x->error + x->error_len, bytes.at, len);
        x->error_len += len;
    }
    x->received += bytes.len;
    return true;
}

struct view http_upload(struct http_exchange *x, uint32_t most)
{
    if (x->sent < x->slice_from)  /* it is sent again */
        x->slice_from = x->slice = 0;
    for (; x->slice < x->request.body_count; x->slice++) {
        struct view slice = x->request.body[x->slice];
        uint64_t at = x->sent - x->slice_from;
        if (at < slice.len) {
            uint32_t from = (uint32_t)at, left = slice.len - from;
            return view_slice(slice, from,
                              from + (left < most ? left : most));
        }
        x->slice_from += slice.len;
    }
    return (struct view){0};
}

/* Whether the reply kept its promise; a HEAD and a 304 announce a length that
 * does not come. */
static bool is_whole(const struct http_exchange *x)
{
    bool bare = x->request.method == HTTP_HEAD || x->reply.status == 304;
    return bare || !x->reply.has_length ||
           x->received >= x->reply.content_length;
}

void http_finish(struct http_exchange *x, int32_t failure, const char *text)
{
    CHECK(x->state == HTTP_ACTIVE);
    if (failure == 0 && x->reply.status < 200) {
        failure = FAILURE_EMPTY;
        text = "no reply came";
    } else if (failure == 0 && !is_whole(x)) {
        failure = FAILURE_CUT;
        text = "the reply was cut short";
    }
    CHECK(failure == 0 || text != NULL);
    x->failure = failure;
    x->failure_text = text;
    x->state = failure == 0 ? HTTP_DONE : HTTP_FAILED;
    if (failure == 0 && is_success(x) && x->sink != NULL)
        ring_end(x->sink);
}
