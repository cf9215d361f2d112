/* export.c - export tasks: one at a time, finished by the clock, after 24
 * hours in any case.
 *
 * What a task writes appears in S3 when it completes: a folder per stream, or
 * for all whose names differ in "/" and "-" alone, with a file or more, their
 * lines as CloudWatch writes them. */
#include "logs.h"
#include "s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 86400000, LATE_MS = 14 * DAY_MS, EARLY_MS = 2 * 3600000 };

enum state { PENDING, RUNNING, PENDING_CANCEL, COMPLETED, FAILED, CANCELLED };
static const char *const state_name[] = {
    "PENDING", "RUNNING", "PENDING_CANCEL", "COMPLETED", "FAILED",
    "CANCELLED",
};
static const char *const state_message[] = {
    NULL, "Started Successfully", "Task is being cancelled",
    "Completed successfully", "Failed while writing to the bucket",
    "Cancelled by user",
};

struct aws_export {
    char    id[37];
    char   *name, *group, *bucket, *prefix, *stream_prefix;
    int64_t from, to, created, ends;
    enum state state;
};

static void free_export(struct aws_export *e)
{
    free(e->name);
    free(e->group);
    free(e->bucket);
    free(e->prefix);
    free(e->stream_prefix);
    free(e);
}

void aws_free_exports(struct aws *m)
{
    for (size_t i = 0; i < m->export_count; i++) free_export(m->exports[i]);
    free(m->exports);
}

/* --- the files ---------------------------------------------------------- */

/* Stored blocks of at most 65,535 bytes: RFC 1951 §3.2.4, RFC 1952. */
static void put_gzip(struct aws_buf *out, struct aws_text t)
{
    static const uint8_t head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    uint32_t crc = aws_crc32(0, t.at, t.len), size = (uint32_t)t.len;
    size_t at = 0;
    aws_put(out, head, sizeof head);
    do {
        size_t len = t.len - at < 65535 ? t.len - at : 65535;
        uint8_t block[5] = {at + len == t.len, (uint8_t)len,
                            (uint8_t)(len >> 8), (uint8_t)~len,
                            (uint8_t)(~len >> 8)};
        aws_put(out, block, sizeof block);
        aws_put(out, t.at + at, len);
        at += len;
    } while (at < t.len);
    uint8_t tail[8];
    for (int i = 0; i < 4; i++) {
        tail[i] = (uint8_t)(crc >> (8 * i));
        tail[4 + i] = (uint8_t)(size >> (8 * i));
    }
    aws_put(out, tail, sizeof tail);
}

struct file {                    /* of one stream, while it grows */
    struct aws_buf text, line, late;
};

/* How many there are in the folder. */
static unsigned next_number(const struct aws_bucket *b, struct aws_text folder)
{
    unsigned number = 0;
    for (size_t i = 0; i < b->object_count; i++)
        number += aws_begins(b->object[i]->key, folder.at);
    return number;
}

static void put_file(struct aws *m, const struct aws_export *e,
                     struct aws_text stream, struct file *f)
{
    struct aws_buf key = {0}, gzip = {0};
    struct aws_bucket *b = aws_find_bucket(m, aws_str(e->bucket));
    aws_printf(&key, "%s/%s/", e->prefix, e->id);
    for (size_t i = 0; i < stream.len; i++)
        aws_put(&key, stream.at[i] == '/' ? "-" : stream.at + i, 1);
    aws_puts(&key, "/");
    put_gzip(&gzip, aws_view(&f->text));
    if (b != NULL) {
        aws_printf(&key, "%06u.gz", next_number(b, aws_view(&key)));
        aws_store_bytes(m, b, key.at, aws_view(&gzip), e->ends);
    }
    aws_reset(&f->text);
    aws_free_buf(&key);
    aws_free_buf(&gzip);
}

static void put_late(struct file *f)
{
    aws_put(&f->text, f->late.at, f->late.len);
    aws_reset(&f->late);
}

/* Out of order, a line goes before all others of its file at times, or is
 * held back until the next file. */
static void put_line(struct aws *m, struct file *f, int64_t at,
                     struct aws_text message)
{
    struct aws_buf *line = &f->line;
    bool disorder = m->setting[AWS_SET_EXPORT_DISORDER] != 0;
    aws_reset(line);
    aws_put_iso(line, at);
    aws_puts(line, " ");
    aws_put_text(line, message);
    aws_puts(line, "\n");
    if (disorder && f->late.len == 0 && aws_chance(&m->rng, 50)) {
        aws_put(&f->late, line->at, line->len);
        return;
    }
    bool first = disorder && aws_chance(&m->rng, 100);
    aws_put(&f->text, line->at, line->len);
    if (!first) return;
    memmove(f->text.at + line->len, f->text.at, f->text.len - line->len);
    memcpy(f->text.at, line->at, line->len);
}

static void write_files(struct aws *m, const struct aws_export *e,
                        struct aws_group *g)
{
    struct file *file = aws_alloc(g->stream_count * sizeof file[0]);
    bool ingested = m->setting[AWS_SET_EXPORT_INGESTED] != 0;
    struct aws_range range = {
        {e->from - (ingested ? LATE_MS : 0), INT64_MIN, 0},
        e->to + 1 + (ingested ? EARLY_MS : 0),
        e->created - m->setting[AWS_SET_EXPORT_LAG]};
    struct aws_walk walk;
    struct aws_place place;
    aws_walk_init(&walk, g, &range);
    for (; aws_walk_peek(&walk, &place); aws_walk_next(&walk)) {
        size_t s = aws_walk_stream_index(&walk);
        if (e->stream_prefix != NULL &&
            !aws_begins(g->stream[s].name, e->stream_prefix))
            continue;
        if (ingested && (place.ingestion < e->from || place.ingestion > e->to))
            continue;
        put_line(m, &file[s], place.timestamp, aws_walk_message(&walk));
        if ((int64_t)file[s].text.len >= m->setting[AWS_SET_EXPORT_FILE])
        {
            put_file(m, e, g->stream[s].name, &file[s]);
            put_late(&file[s]);
        }
    }
    aws_walk_end(&walk);
    for (size_t s = 0; s < g->stream_count; s++) {
        put_late(&file[s]);
        if (file[s].text.len > 0)
            put_file(m, e, g->stream[s].name, &file[s]);
        aws_free_buf(&file[s].text);
        aws_free_buf(&file[s].line);
        aws_free_buf(&file[s].late);
    }
    free(file);
}

void aws_settle_exports(struct aws *m, int64_t now)
{
    if (m->export_count == 0) return;
    struct aws_export *e = m->exports[m->export_count - 1];
    if (e->state > PENDING_CANCEL) return;
    int64_t runs = m->setting[AWS_SET_EXPORT_TIME] * 3 / 4;
    if (e->state == PENDING && now >= e->ends - runs) e->state = RUNNING;
    if (now < e->ends) return;
    struct aws_group *g = aws_find_group(m, aws_str(e->group));
    bool fails = aws_chance(&m->rng, m->setting[AWS_SET_EXPORT_FAILS]) ||
                 e->ends - e->created >= DAY_MS;
    e->state = e->state == PENDING_CANCEL ? CANCELLED
               : g == NULL || fails       ? FAILED
                                          : COMPLETED;
    if (e->state == COMPLETED) write_files(m, e, g);
}

/* --- the operations ----------------------------------------------------- */

static void probe(struct aws *m, const struct aws_export *e, bool has_prefix)
{
    struct aws_buf key = {0};
    struct aws_bucket *b = aws_find_bucket(m, aws_str(e->bucket));
    if (has_prefix) aws_printf(&key, "%s/", e->prefix);
    aws_puts(&key, "aws-logs-write-test");
    aws_store_bytes(m, b, key.at, aws_str("Permission Check Successful"),
                    e->created);
    aws_free_buf(&key);
}

static char *dup_arg(struct aws_exchange *x, const char *name,
                     const char *otherwise)
{
    struct aws_text t = aws_arg(x, name);
    if (t.at != NULL) return aws_dup(t);
    return otherwise != NULL ? aws_dup(aws_str(otherwise)) : NULL;
}

/* What an export needs that the policy does not grant, or NULL. */
static const char *lacks(const struct aws *m, const struct aws_bucket *b)
{
    struct aws_text policy = aws_str(b->policy != NULL ? b->policy : "");
    struct aws_buf service = {0};
    aws_printf(&service, "\"logs.%s.amazonaws.com\"", m->region);
    bool named = aws_has(policy, service.at) ||
                 aws_has(policy, "\"logs.amazonaws.com\"");
    aws_free_buf(&service);
    bool all = named && aws_has(policy, "\"s3:*\"");
    if (m->setting[AWS_SET_EXPORT_POLICY] == 0) return NULL;
    if (!named || (!all && !aws_has(policy, "\"s3:GetBucketAcl\"")))
        return "GetBucketAcl call on the given bucket failed. Please check "
               "if CloudWatch Logs has been granted permission to perform "
               "this operation.";
    if (!all && !aws_has(policy, "\"s3:PutObject\""))
        return "PutObject call on the given bucket failed. Please check if "
               "CloudWatch Logs has been granted permission to perform this "
               "operation.";
    return NULL;
}

static bool may_export(struct aws_exchange *x, const struct aws_group *g,
                       int64_t from, int64_t to)
{
    struct aws *m = x->model;
    const struct aws_bucket *b = aws_find_bucket(m, aws_arg(x, "destination"));
    const char *missing = b != NULL ? lacks(m, b) : NULL;
    if (b == NULL || strcmp(b->region, m->region) != 0)
        aws_invalid(x, "The given bucket does not exist. Please make sure "
                       "the bucket is valid.");
    else if (from < 0 || to < from || to < g->created)
        aws_invalid(x, "The time range is not valid.");
    else if (m->export_count > 0 &&
             m->exports[m->export_count - 1]->state <= PENDING_CANCEL)
        aws_fail(x, 400, "LimitExceededException",
                 "Resource limit exceeded.");
    else if (missing != NULL)
        aws_invalid(x, missing);
    return !x->failed;
}

void aws_create_export_task(struct aws_exchange *x, int64_t now)
{
    struct aws *m = x->model;
    struct aws_group *g = aws_arg_group(x);
    int64_t from = -1, to = -1;
    if (g == NULL) return;
    (void)aws_arg_int(x, "from", &from);
    (void)aws_arg_int(x, "to", &to);
    if (!may_export(x, g, from, to)) return;
    struct aws_export *e = aws_alloc(sizeof *e);
    uint64_t id = aws_mix(m->seed ^ m->export_count ^ 0x657870);
    (void)snprintf(e->id, sizeof e->id, "%08x-%04x-4%03x-8%03x-%012llx",
                   (unsigned)(id >> 32), (unsigned)(id >> 16 & 0xffff),
                   (unsigned)(id & 0xfff), (unsigned)(id >> 8 & 0xfff),
                   (unsigned long long)(aws_mix(id) >> 16));
    e->name = dup_arg(x, "taskName", NULL);
    e->group = aws_dup(aws_str(g->name));
    e->bucket = dup_arg(x, "destination", NULL);
    e->prefix = dup_arg(x, "destinationPrefix", "exportedlogs");
    e->stream_prefix = dup_arg(x, "logStreamNamePrefix", NULL);
    e->from = from;
    e->to = to;
    e->created = now;
    e->ends = now + (m->setting[AWS_SET_EXPORT_TIME] < DAY_MS
                         ? m->setting[AWS_SET_EXPORT_TIME] : DAY_MS);
    m->exports = aws_grow(m->exports,
                          (m->export_count + 1) * sizeof m->exports[0]);
    m->exports[m->export_count++] = e;
    probe(m, e, aws_arg(x, "destinationPrefix").at != NULL);
    aws_printf(&x->out, "{\"taskId\":\"%s\"}", e->id);
}

static void put_string(struct aws_buf *out, const char *name,
                       const char *text)
{
    if (text == NULL) return;
    aws_printf(out, "\"%s\":\"", name);
    aws_put_json(out, text, strlen(text));
    aws_puts(out, "\",");
}

static void put_export(struct aws_buf *out, const struct aws_export *e)
{
    aws_puts(out, "{");
    put_string(out, "taskId", e->id);
    put_string(out, "taskName", e->name);
    put_string(out, "logGroupName", e->group);
    put_string(out, "destination", e->bucket);
    put_string(out, "destinationPrefix", e->prefix);
    aws_printf(out, "\"from\":%lld,\"to\":%lld,\"status\":{\"code\":\"%s\"",
               (long long)e->from, (long long)e->to, state_name[e->state]);
    if (state_message[e->state] != NULL)
        aws_printf(out, ",\"message\":\"%s\"", state_message[e->state]);
    aws_printf(out, "},\"executionInfo\":{\"creationTime\":%lld",
               (long long)e->created);
    if (e->state > PENDING_CANCEL)
        aws_printf(out, ",\"completionTime\":%lld", (long long)e->ends);
    aws_puts(out, "}}");
}

void aws_describe_export_tasks(struct aws_exchange *x, int64_t now)
{
    struct aws *m = x->model;
    struct aws_text id = aws_arg(x, "taskId"), code = aws_arg(x,
                                                              "statusCode");
    struct aws_text token = aws_arg(x, "nextToken");
    struct aws_buf payload = {0};
    int64_t limit = aws_arg_limit(x, 50), sent = 0;
    size_t i = m->export_count;
    if (limit == 0) return;
    if (id.at != NULL && code.at != NULL) {
        aws_invalid(x, "Only one of taskId and statusCode may be specified.");
        return;
    }
    if (token.at != NULL) {
        bool good = aws_read_token(m, token, aws_bound(x), now, &payload);
        if (!good) aws_invalid(x, "The specified nextToken is invalid.");
        else i = (size_t)strtoull(payload.at, NULL, 10);
        aws_free_buf(&payload);
        if (!good) return;
    }
    aws_puts(&x->out, "{\"exportTasks\":[");
    for (; i > 0 && sent < limit; i--) {
        const struct aws_export *e = m->exports[i - 1];
        if (now < e->created + m->setting[AWS_SET_EXPORT_HIDDEN]) continue;
        if (id.at != NULL && !aws_is(id, e->id)) continue;
        if (code.at != NULL && !aws_is(code, state_name[e->state])) continue;
        if (sent++ > 0) aws_puts(&x->out, ",");
        put_export(&x->out, e);
    }
    aws_puts(&x->out, "]");
    if (i > 0 && id.at == NULL) {
        aws_printf(&payload, "%zu", i);
        aws_puts(&x->out, ",\"nextToken\":\"");
        aws_put_token(m, &x->out, aws_bound(x), aws_view(&payload), now);
        aws_puts(&x->out, "\"");
        aws_free_buf(&payload);
    }
    aws_puts(&x->out, "}");
}

void aws_cancel_export_task(struct aws_exchange *x, int64_t now)
{
    struct aws *m = x->model;
    struct aws_text id = aws_arg(x, "taskId");
    for (size_t i = 0; i < m->export_count; i++) {
        struct aws_export *e = m->exports[i];
        if (!aws_is(id, e->id)) continue;
        if (e->state > RUNNING) {  /* or is about to be */
            aws_fail(x, 400, "InvalidOperationException",
                     "The specified export task has already finished");
            return;
        }
        e->state = PENDING_CANCEL;
        e->ends = now + m->setting[AWS_SET_EXPORT_CANCEL];
        return;
    }
    aws_fail(x, 400, "ResourceNotFoundException",
             "The specified export task does not exist.");
}
