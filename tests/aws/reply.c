/* reply.c - status, headers and body, and errors in each service's form. */
#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void aws_reply_header(struct aws_exchange *x, const char *name,
                      const char *format, ...)
{
    char value[4096];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(value, sizeof value, format, args);
    va_end(args);
    aws_must(len >= 0 && (size_t)len < sizeof value);
    aws_printf(&x->headers, "%s: %s\r\n", name, value);
}

void aws_put_request_id(const struct aws_exchange *x, struct aws_buf *out)
{
    uint64_t a = aws_mix(x->model->seed ^ x->serial * 2);
    uint64_t b = aws_mix(a);
    if (aws_op_service[x->op] == AWS_SERVICE_S3)
        aws_printf(out, "%016llX", (unsigned long long)a);
    else
        aws_printf(out, "%08x-%04x-4%03x-8%03x-%012llx",
                   (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
                   (unsigned)(a & 0xfff), (unsigned)(b >> 52),
                   (unsigned long long)(b & 0xffffffffffff));
}

void aws_clear_reply(struct aws_exchange *x)
{
    for (size_t i = 0; i < x->segment_count; i++)
        aws_blob_drop(x->segment[i].blob);
    x->segment_count = 0;
    aws_reset(&x->headers);
    aws_reset(&x->out);
    x->reply = (struct aws_reply){0};
    x->failed = false;
    x->type = NULL;
}

static void fail_s3(struct aws_exchange *x, const char *code,
                    const char *message, const char *extra)
{
    struct aws_buf *out = &x->out;
    aws_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<Error><Code>");
    aws_puts(out, code);
    aws_puts(out, "</Code><Message>");
    aws_put_xml(out, aws_str(message));
    aws_puts(out, "</Message>");
    aws_puts(out, extra);
    aws_puts(out, "<Resource>");
    aws_put_xml(out, x->path);
    aws_puts(out, "</Resource><RequestId>");
    aws_put_request_id(x, out);
    aws_printf(out, "</RequestId><HostId>%016llx</HostId></Error>",
               (unsigned long long)aws_mix(x->serial));
    x->type = "application/xml";
}

static void json_member(struct aws_buf *out, const char *name,
                        const char *text)
{
    if (out->len > 1) aws_puts(out, ",");
    aws_printf(out, "\"%s\":\"", name);
    aws_put_json(out, text, strlen(text));
    aws_puts(out, "\"");
}

/* The forms that AWS's JSON protocol allows, by the setting error-form. */
static void fail_json(struct aws_exchange *x, const char *code,
                      const char *message)
{
    struct aws_buf *out = &x->out;
    char named[256];
    int64_t form = x->model->setting[AWS_SET_ERROR_FORM];
    if (form == 7) form = (int64_t)(aws_random(&x->model->rng) % 7);
    aws_puts(out, "{");
    x->type = "application/x-amz-json-1.1";
    if (form == 1) {
        aws_reply_header(x, "x-amzn-ErrorType", "%s", code);
        json_member(out, "Message", message);
    } else if (form == 2) {
        (void)snprintf(named, sizeof named,
                       "com.amazonaws.logs#%s:http://x.example/", code);
        json_member(out, "message", message);
        json_member(out, "__type", named);
    } else if (form == 3) {
        (void)snprintf(named, sizeof named, "aws.protocoltests#%s", code);
        json_member(out, "code", named);
        json_member(out, "Message", message);
    } else if (form == 4) {
        aws_reply_header(x, "X-Amzn-Errortype", "%s:http://x.example/",
                         code);
    } else if (form == 5) {
        json_member(out, "__type", code);
    } else {
        json_member(out, "__type", code);
        json_member(out, form == 6 ? "Message" : "message", message);
    }
    aws_puts(out, "}");
}

static void fail_sts(struct aws_exchange *x, const char *code,
                     const char *message)
{
    struct aws_buf *out = &x->out;
    aws_puts(out, "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/"
                  "2011-06-15/\"><Error><Type>Sender</Type><Code>");
    aws_puts(out, code);
    aws_puts(out, "</Code><Message>");
    aws_put_xml(out, aws_str(message));
    aws_puts(out, "</Message></Error><RequestId>");
    aws_put_request_id(x, out);
    aws_puts(out, "</RequestId></ErrorResponse>");
    x->type = "text/xml";
}

void aws_fail_with(struct aws_exchange *x, int status, const char *code,
                   const char *message, const char *extra)
{
    if (x->failed) return;  /* the first error counts */
    aws_reset(&x->out);
    x->failed = true;
    x->reply.status = status;
    switch (aws_op_service[x->op]) {
    case AWS_SERVICE_S3:   fail_s3(x, code, message, extra); break;
    case AWS_SERVICE_LOGS: fail_json(x, code, message); break;
    case AWS_SERVICE_STS:  fail_sts(x, code, message); break;
    case AWS_SERVICE_META:
    case AWS_SERVICE_CONTROL:
        aws_printf(&x->out, "%s: %s\n", code, message);
        x->type = "text/plain";
        break;
    }
}

void aws_fail(struct aws_exchange *x, int status, const char *code,
              const char *message)
{
    aws_fail_with(x, status, code, message, "");
}

/* Removes the lines of one header from the block. */
static void drop_header(struct aws_buf *headers, const char *name)
{
    struct aws_text rest = aws_view(headers), value;
    struct aws_buf kept = {0};
    while (rest.len > 0) {
        struct aws_text line = aws_cut(rest, '\n', &rest);
        struct aws_text found = aws_cut(line, ':', &value);
        if (aws_is_nocase(found, name)) continue;
        aws_put_text(&kept, line);
        aws_puts(&kept, "\n");
    }
    aws_reset(headers);
    aws_put(headers, kept.at, kept.len);
    aws_free_buf(&kept);
}

static void common_headers(struct aws_exchange *x, int64_t now)
{
    struct aws_buf *h = &x->headers;
    enum aws_service service = aws_op_service[x->op];
    aws_puts(h, "Date: ");
    aws_put_http_date(h, aws_server_now(x->model, now));
    aws_puts(h, "\r\n");
    if (service == AWS_SERVICE_S3) {
        aws_puts(h, "x-amz-request-id: ");
        aws_put_request_id(x, h);
        aws_printf(h, "\r\nx-amz-id-2: %016llx\r\nServer: AmazonS3\r\n",
                   (unsigned long long)aws_mix(x->serial));
    } else if (service <= AWS_SERVICE_STS) {
        aws_puts(h, "x-amzn-RequestId: ");
        aws_put_request_id(x, h);
        aws_puts(h, "\r\n");
    }
    if (x->type != NULL && (x->out.len > 0 || x->segment_count > 0))
        aws_reply_header(x, "Content-Type", "%s", x->type);
    if (x->effect.retry_after >= 0)
        aws_reply_header(x, "Retry-After", "%lld",
                         (long long)x->effect.retry_after);
    if (x->effect.drop != NULL) drop_header(h, x->effect.drop);
    if (x->effect.add != NULL) aws_printf(h, "%s\r\n", x->effect.add);
}

static int64_t ready_at(struct aws_exchange *x, int64_t now)
{
    struct aws *m = x->model;
    if (x->effect.delay == INT64_MAX) return INT64_MAX;
    int64_t wait = m->latency[x->op];
    if (wait < 0) wait = m->setting[AWS_SET_LATENCY];
    if (x->throttled) wait = m->setting[AWS_SET_LATENCY_THROTTLED];
    if (aws_op_service[x->op] == AWS_SERVICE_CONTROL) return now;
    if (m->setting[AWS_SET_JITTER] > 0)
        wait += (int64_t)(aws_random(&m->rng) %
                          (uint64_t)m->setting[AWS_SET_JITTER]);
    return now + wait + x->effect.delay;
}

/* Bytes of the body that may leave at all. */
static uint64_t body_bytes(const struct aws_exchange *x)
{
    const struct aws_reply *r = &x->reply;
    uint64_t all = x->no_body ? 0 : r->length;
    bool short_end = r->end == AWS_END_CUT || r->end == AWS_END_STALL;
    if (short_end && r->end_at < all) all = r->end_at;
    return r->end == AWS_END_BEFORE ? 0 : all;
}

void aws_end_reply(struct aws_exchange *x, int64_t now)
{
    struct aws_reply *r = &x->reply;
    if (r->status == 0) r->status = 200;
    if (x->no_body && x->failed) aws_reset(&x->out);
    common_headers(x, now);
    r->headers = x->headers.at;
    if (r->length == 0) r->length = x->out.len;
    r->chunked = x->model->setting[AWS_SET_CHUNKED] != 0 && !x->no_body;
    r->ready_at = ready_at(x, now);
    r->end = x->effect.end;
    if (x->effect.before) r->end = AWS_END_BEFORE;
    r->end_at = (uint64_t)x->effect.end_at;
    r->bytes_per_second = x->effect.bytes_per_second;
    if (x->effect.end == AWS_END_CUT && x->effect.end_at < 0) {
        uint64_t span = r->length > 0 ? r->length : 1;
        r->end_at = aws_random(&x->model->rng) % span;
    }
    x->model->bytes_out += body_bytes(x);
}

static size_t copy_segments(const struct aws_exchange *x, uint64_t from,
                            char *to, size_t len)
{
    size_t made = 0;
    for (size_t i = 0; i < x->segment_count && made < len; i++) {
        const struct aws_segment *s = &x->segment[i];
        if (from >= s->len) {
            from -= s->len;
            continue;
        }
        uint64_t part = s->len - from;
        if (part > len - made) part = len - made;
        memcpy(to + made, s->blob->bytes + s->from + from, (size_t)part);
        made += (size_t)part;
        from = 0;
    }
    return made;
}

size_t aws_read(struct aws_exchange *x, void *to, size_t room)
{
    uint64_t left = body_bytes(x) - x->read_at;
    size_t len = left < room ? (size_t)left : room;
    if (len == 0) return 0;
    if (x->segment_count > 0)
        len = copy_segments(x, x->read_at, to, len);
    else
        memcpy(to, x->out.at + x->read_at, len);
    x->read_at += len;
    return len;
}

struct aws_text aws_whole(const struct aws_exchange *x)
{
    uint64_t all = body_bytes(x);
    if (all != x->reply.length || x->reply.bytes_per_second != 0)
        return (struct aws_text){NULL, 0};
    if (x->segment_count == 0) return (struct aws_text){x->out.at, x->out.len};
    if (x->segment_count > 1) return (struct aws_text){NULL, 0};
    return (struct aws_text){x->segment[0].blob->bytes + x->segment[0].from,
                             (size_t)all};
}
