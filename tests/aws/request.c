/* request.c - a request: opened, its body taken, closed; the settings. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

struct aws_text aws_hold(struct aws_exchange *x, struct aws_text t)
{
    struct aws_held *h = aws_alloc(sizeof *h + t.len + 1);
    h->next = x->held;
    x->held = h;
    if (t.len > 0) memcpy(h->at, t.at, t.len);
    return (struct aws_text){h->at, t.len};
}

bool aws_header_of(const struct aws_exchange *x, const char *name,
                   struct aws_text *value)
{
    for (size_t i = 0; i < x->header_count; i++) {
        if (!aws_is_nocase(x->header[i].name, name)) continue;
        *value = aws_trim(x->header[i].value);
        return true;
    }
    *value = (struct aws_text){NULL, 0};
    return false;
}

static struct aws_text decoded(struct aws_exchange *x, struct aws_text t)
{
    aws_reset(&x->text);
    if (!aws_unpercent(t, true, &x->text)) return aws_hold(x, t);
    return aws_hold(x, aws_view(&x->text));
}

bool aws_query_next(struct aws_exchange *x, struct aws_text *rest,
                    struct aws_text *name, struct aws_text *value)
{
    if (rest->len == 0) return false;
    struct aws_text after, pair = aws_cut(*rest, '&', &after);
    *rest = after;
    *name = decoded(x, aws_cut(pair, '=', value));
    *value = decoded(x, *value);
    return true;
}

bool aws_query_of(struct aws_exchange *x, const char *wanted,
                  struct aws_text *value)
{
    struct aws_text rest = x->query, name;
    if (x->op == AWS_OP_COUNT) rest = x->query;
    while (aws_query_next(x, &rest, &name, value))
        if (aws_is(name, wanted)) return true;
    *value = (struct aws_text){NULL, 0};
    return false;
}

bool aws_query_int(struct aws_exchange *x, const char *name, int64_t *value)
{
    struct aws_text t;
    return aws_query_of(x, name, &t) && aws_int(t, value);
}

int64_t aws_server_now(const struct aws *m, int64_t now)
{
    return now + m->setting[AWS_SET_SKEW];
}

static void keep_request(struct aws_exchange *x, const struct aws_request *r)
{
    x->method = aws_hold(x, r->method);
    x->path = aws_hold(x, r->path);
    x->query = aws_hold(x, r->query);
    x->tls = r->tls;
    x->header_count = x->sent_headers = r->header_count;
    /* A trailer may add one. */
    x->header = aws_alloc((r->header_count + 1) * sizeof x->header[0]);
    for (size_t i = 0; i < r->header_count; i++) {
        x->header[i].name = aws_hold(x, r->headers[i].name);
        x->header[i].value = aws_hold(x, r->headers[i].value);
    }
}

/* Only what the request needs is computed of its body. */
static void prepare_body(struct aws_exchange *x)
{
    struct aws_text value;
    bool stored = x->op == AWS_OP_PutObject || x->op == AWS_OP_UploadPart;
    bool discard = x->model->setting[AWS_SET_DISCARD] != 0;
    int64_t length;
    x->announced = -1;
    if (aws_header_of(x, "content-length", &value) &&
        aws_int(value, &length) && length >= 0)
        x->announced = length;
    x->keep_body = !(stored && discard);
    x->hash_md5 = stored &&
                  (!discard || x->model->setting[AWS_SET_DISCARD_MD5] != 0);
    x->hash_sha = aws_op_service[x->op] != AWS_SERVICE_S3 ||
                  (aws_header_of(x, "x-amz-content-sha256", &value) &&
                   value.len == 64);
    x->chunks.on = aws_op_service[x->op] == AWS_SERVICE_S3 &&
                   aws_header_of(x, "x-amz-content-sha256", &value) &&
                   aws_is(value, "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    if (aws_header_of(x, "content-md5", &value)) x->hash_md5 = true;
    aws_sha256_init(&x->sha);
    aws_md5_init(&x->md5);
}

/* Counts the request and decides what becomes of it. Only the body says
 * what is asked of STS, so there this waits for it. */
static void meet(struct aws_exchange *x, int64_t now)
{
    x->model->count[x->op].requests++;
    aws_pick_effect(x, now);
    x->throttled = !aws_admit(x->model, x->op, now);
}

struct aws_exchange *aws_open(struct aws *m, const struct aws_request *r,
                              int64_t now)
{
    struct aws_exchange *x = aws_alloc(sizeof *x);
    x->model = m;
    x->opened_at = now;
    keep_request(x, r);
    x->effect = aws_no_effect();
    aws_route(x);
    x->no_body = aws_is(x->method, "HEAD");
    x->serial = ++m->request_count;
    if (aws_op_service[x->op] != AWS_SERVICE_STS) meet(x, now);
    prepare_body(x);
    x->refused = aws_op_service[x->op] == AWS_SERVICE_S3 &&
                 (x->throttled || (x->effect.status != 0 &&
                                   !x->effect.after && !x->effect.in_200));
    return x;
}

bool aws_refused(const struct aws_exchange *x)
{
    return x->refused;
}

void aws_take_body(struct aws_exchange *x, const void *at, size_t len)
{
    x->size += len;
    if (x->hash_sha) aws_sha256_add(&x->sha, at, len);
    if (x->hash_md5) aws_md5_add(&x->md5, at, len);
    if (aws_op_service[x->op] == AWS_SERVICE_S3)
        x->crc64 = aws_crc64(x->crc64, at, len);
    if (x->keep_body && x->body.cap == 0 && x->announced > 0)
        (void)aws_room(&x->body, (size_t)x->announced + 1);
    if (x->keep_body) aws_put(&x->body, at, len);
}

enum aws_intake aws_intake(const struct aws_exchange *x)
{
    const struct aws_effect *e = &x->effect;
    if (e->break_at >= 0 && x->received >= (uint64_t)e->break_at)
        return AWS_GONE;
    if (e->block_at >= 0 && x->received >= (uint64_t)e->block_at)
        return AWS_BLOCKED;
    return AWS_TAKES;
}

void aws_body(struct aws_exchange *x, const void *at, size_t len)
{
    uint64_t flip = x->received;
    x->model->bytes_in += len;
    x->received += len;
    if (len == 0) return;
    if (x->effect.flip >= 0) {  /* the reader's bytes are not ours to turn */
        uint64_t wanted = (uint64_t)x->effect.flip;
        if (wanted >= flip && wanted - flip < len) {
            char *turned = aws_dup((struct aws_text){at, len});
            turned[wanted - flip] ^= 1;
            aws_take_body(x, turned, len);
            free(turned);
            return;
        }
    }
    if (x->chunks.on) aws_take_chunks(x, at, len);
    else aws_take_body(x, at, len);
}

/* Pages are megabytes: their memory is used again. */
static void keep_spare(struct aws_exchange *x)
{
    struct aws_buf *spare = &x->model->spare;
    if (x->out.cap > spare->cap) {
        struct aws_buf old = *spare;
        *spare = x->out;
        x->out = old;
    }
    aws_free_buf(&x->out);
}

void aws_close(struct aws_exchange *x)
{
    struct aws_held *h = x->held;
    while (h != NULL) {
        struct aws_held *next = h->next;
        free(h);
        h = next;
    }
    aws_clear_reply(x);
    free(x->segment);
    free(x->header);
    free(x->effect.code);
    free(x->effect.message);
    free(x->effect.add);
    free(x->effect.drop);
    free(x->effect.xml);
    aws_free_buf(&x->body);
    aws_free_buf(&x->chunks.line);
    aws_free_buf(&x->headers);
    aws_free_buf(&x->text);
    keep_spare(x);
    free(x);
}

static void serve(struct aws_exchange *x, int64_t now)
{
    switch (aws_op_service[x->op]) {
    case AWS_SERVICE_LOGS:    aws_serve_logs(x, now); break;
    case AWS_SERVICE_S3:      aws_serve_s3(x, now); break;
    case AWS_SERVICE_STS:     aws_serve_sts(x, now); break;
    case AWS_SERVICE_META:    aws_serve_meta(x, now); break;
    case AWS_SERVICE_CONTROL: aws_serve_control(x, now); break;
    }
}

static bool signed_service(const struct aws_exchange *x)
{
    return aws_op_service[x->op] <= AWS_SERVICE_STS &&
           x->op != AWS_OP_AssumeRoleWithWebIdentity &&
           x->model->setting[AWS_SET_CHECK_SIGNATURE] != 0;
}

static void fail_by_effect(struct aws_exchange *x)
{
    const struct aws_effect *e = &x->effect;
    const char *code = e->code != NULL ? e->code : "InternalFailure";
    aws_fail_with(x, e->status, code,
                  e->message != NULL ? e->message : "By the test's script.",
                  e->xml != NULL ? e->xml : "");
    if (e->html) {
        aws_reset(&x->out);
        aws_puts(&x->out, "<html><head><title>Error</title></head>\n"
                          "<body><h1>Service Unavailable</h1></body></html>");
        x->type = "text/html";
    }
    if (e->no_body) aws_reset(&x->out);
}

static void throttle(struct aws_exchange *x)
{
    x->model->count[x->op].throttled++;
    if (aws_op_service[x->op] == AWS_SERVICE_S3)
        aws_fail(x, 503, "SlowDown", "Please reduce your request rate.");
    else if (aws_op_service[x->op] == AWS_SERVICE_STS)
        aws_fail(x, 400, "Throttling", "Rate exceeded");
    else
        aws_fail(x, 400, "ThrottlingException", "Rate exceeded");
}

static void work(struct aws_exchange *x, int64_t now)
{
    const struct aws_effect *e = &x->effect;
    if (x->throttled) {
        throttle(x);
        return;
    }
    if (e->status != 0 && !e->after && !e->in_200) {
        fail_by_effect(x);
        return;
    }
    if (x->chunks.on && !x->chunks.ended) x->chunks.broken = true;
    if (x->chunks.broken ||
        (x->announced >= 0 && x->received != (uint64_t)x->announced)) {
        aws_fail(x, 400, "IncompleteBody", "The request body is too short.");
        return;
    }
    if (signed_service(x) && !aws_check_signature(x, now)) return;
    if (!aws_check_payload(x)) return;
    if (e->in_200 && !e->after) {
        fail_by_effect(x);
        return;
    }
    if (e->dup) {  /* what is stored takes the body away */
        struct aws_buf body = {0};
        aws_put_text(&body, aws_view(&x->body));
        serve(x, now);
        aws_clear_reply(x);
        aws_free_buf(&x->body);
        x->body = body;
    }
    serve(x, now);
    if (e->status != 0 && e->after) {
        aws_clear_reply(x);
        fail_by_effect(x);
    }
}

const struct aws_reply *aws_finish(struct aws_exchange *x, int64_t now)
{
    aws_must(x->reply.status == 0);
    aws_sha256_end(&x->sha, x->sha_sum);
    aws_md5_end(&x->md5, x->md5_sum);
    if (aws_op_service[x->op] == AWS_SERVICE_STS) {
        aws_route_sts(x);
        meet(x, now);
    }
    aws_settle_exports(x->model, now);
    if (!x->effect.before || x->effect.after) work(x, now);
    if (x->failed && !x->throttled) x->model->count[x->op].failed++;
    aws_end_reply(x, now);
    return &x->reply;
}
