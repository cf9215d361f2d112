/* wire.h - the transport seam over the tests' AWS, in virtual time.
 *
 * For unit tests of what talks to AWS: one include a test program. Nothing
 * happens until wire_move(); a silent server is given up after WIRE_STALL_MS.
 * A canned reply may stand in for the model's, to say what it never says. */
#ifndef FIRN_TESTS_WIRE_H
#define FIRN_TESTS_WIRE_H

#include <stdlib.h>

#include "aws/aws.h"
#include "base/trace.h"
#include "call/files.h"
#include "call/site.h"
#include "row.h"

enum { WIRE_STALL_MS = 30000, WIRE_FLIGHTS = 16, WIRE_EPOCH = 1700000000 };

struct transport {
    struct aws *model;
    int64_t     mono_ms;
    uint32_t    started;              /* requests so far */
    char        request[8192];        /* the last: "PUT url\nheaders" */
    const char *canned_if;            /* found in "METHOD url" */
    const char *canned;               /* a 200 with this body ... */
    const char *canned_head;          /* ... and these headers, or NULL */
    uint32_t    canned_times;
    bool        full;                 /* nothing can be started */
    struct flight {
        struct http_exchange  *x;     /* NULL: free */
        struct aws_exchange   *asked;
        const struct aws_reply *reply;
        const char *canned;
        uint64_t    delivered;
        int64_t     since_ms;
        bool        headed;
    } flights[WIRE_FLIGHTS];
};

static struct transport wire;

static inline struct now wire_now(void)
{
    return (struct now){wire.mono_ms + 1000ll * WIRE_EPOCH, wire.mono_ms};
}

static inline struct aws_text wire_text(const char *from, const char *to)
{
    return (struct aws_text){from, (size_t)(to - from)};
}

static inline size_t wire_headers(const struct http_request *q,
                           struct aws_header *headers, struct aws_text host)
{
    static char length[24];
    size_t count = 0;
    headers[count++] = (struct aws_header){aws_str("Host"), host};
    for (const char *at = q->headers; *at != '\0';) {
        const char *end = strchr(at, '\n'), *colon = strchr(at, ':');
        headers[count++] = (struct aws_header){
            wire_text(at, colon), aws_trim(wire_text(colon + 1, end))};
        at = end + 1;
    }
    (void)snprintf(length, sizeof length, "%llu",
                   (unsigned long long)q->body_bytes);
    if (q->method == HTTP_PUT || q->method == HTTP_POST)
        headers[count++] = (struct aws_header){aws_str("Content-Length"),
                                               aws_str(length)};
    return count;
}

static inline void wire_ask(struct flight *f)
{
    struct aws_header headers[64];
    const struct http_request *q = &f->x->request;
    const char *host = strstr(q->url, "://") + 3;
    const char *path = strchr(host, '/'), *end = q->url + strlen(q->url);
    const char *mark = strchr(path, '?');
    struct aws_request r = {
        .method = aws_str(http_method_name[q->method]),
        .path = wire_text(path, mark != NULL ? mark : end),
        .query = mark != NULL ? wire_text(mark + 1, end) : aws_str(""),
        .headers = headers,
        .header_count = wire_headers(q, headers, wire_text(host, path)),
        .tls = strncmp(q->url, "https:", 6) == 0,
    };
    (void)snprintf(wire.request, sizeof wire.request, "%s %s\n%s",
                   http_method_name[q->method], q->url, q->headers);
    if (wire.canned_times > 0 && strstr(wire.request, wire.canned_if)) {
        wire.canned_times--;
        f->canned = wire.canned;
        return;
    }
    f->asked = aws_open(wire.model, &r, wire_now().wall_ms);
    for (uint32_t i = 0; i < q->body_count; i++)
        aws_body(f->asked, q->body[i].at, q->body[i].len);
    f->x->sent = q->body_bytes;
    f->reply = aws_finish(f->asked, wire_now().wall_ms);
}

static inline void wire_end(struct flight *f, int32_t failure, const char *text)
{
    if (f->asked != NULL)
        aws_close(f->asked);
    http_finish(f->x, failure, text);
    *f = (struct flight){0};
}

static inline void wire_head(struct flight *f)
{
    char line[64];
    (void)snprintf(line, sizeof line, "HTTP/1.1 %d X\r\n", f->reply->status);
    http_head_line(f->x, view_of(line));
    for (const char *at = f->reply->headers; *at != '\0';) {
        const char *end = strstr(at, "\r\n") + 2;
        http_head_line(f->x, (struct view){(const uint8_t *)at,
                                           (uint32_t)(end - at)});
        at = end;
    }
    (void)snprintf(line, sizeof line, "Content-Length: %llu\r\n",
                   (unsigned long long)f->reply->length);
    if (!f->reply->chunked)
        http_head_line(f->x, view_of(line));
    f->headed = true;
}

static inline bool wire_canned(struct flight *f)
{
    http_head_line(f->x, view_of("HTTP/1.1 200 OK"));
    for (struct view head = view_of(wire.canned_head); head.len > 0;)
        http_head_line(f->x, view_split(&head, '\n'));
    (void)http_body(f->x, view_of(f->canned));
    wire_end(f, 0, NULL);
    return true;
}

/* Some bytes of the body, or its end. */
static inline bool wire_body(struct flight *f)
{
    static uint8_t piece[16384];
    bool cut = f->reply->end == AWS_END_CUT || f->reply->end == AWS_END_STALL;
    bool bare = f->x->request.method == HTTP_HEAD;
    uint64_t end = bare ? 0 : f->reply->length;
    end = cut && f->reply->end_at < end ? f->reply->end_at : end;
    uint64_t left = end - f->delivered;
    uint32_t room = http_room(f->x);
    size_t len = left < sizeof piece ? (size_t)left : sizeof piece;
    len = len < room ? len : room;
    if (left > 0 && len == 0)
        return false;
    if (left > 0) {
        len = aws_read(f->asked, piece, len);
        f->delivered += len;
        return http_body(f->x, (struct view){piece, (uint32_t)len});
    }
    if (f->reply->end == AWS_END_STALL &&
        wire.mono_ms < f->since_ms + WIRE_STALL_MS)
        return false;
    wire_end(f, !cut ? 0 : f->reply->end == AWS_END_CUT ? 18 : 28, "ended");
    return true;
}

static inline bool wire_flight(struct flight *f)
{
    if (f->asked == NULL && f->canned == NULL)
        wire_ask(f);
    if (f->canned != NULL)
        return wire_canned(f);
    if (wire_now().wall_ms < f->reply->ready_at) {
        if (wire.mono_ms < f->since_ms + WIRE_STALL_MS)
            return false;
        wire_end(f, 28, "stalled");
    } else if (f->reply->end == AWS_END_BEFORE) {
        wire_end(f, 56, "reset");
    } else if (!f->headed) {
        wire_head(f);
    } else {
        return wire_body(f);
    }
    return true;
}

static inline bool wire_move(void)
{
    bool moved = false;
    for (int i = 0; i < WIRE_FLIGHTS; i++)
        if (wire.flights[i].x != NULL)
            moved |= wire_flight(&wire.flights[i]);
    return moved;
}

/* When something will happen by itself, at the latest. */
static inline int64_t wire_wake_ms(void)
{
    int64_t wake = INT64_MAX;
    for (int i = 0; i < WIRE_FLIGHTS; i++) {
        const struct flight *f = &wire.flights[i];
        if (f->x == NULL)
            continue;
        int64_t at = f->since_ms + WIRE_STALL_MS;
        int64_t ready = f->reply->ready_at - 1000ll * WIRE_EPOCH;
        at = !f->headed && ready < at ? ready : at;
        wake = at < wake ? at : wake;
    }
    return wake;
}

bool transport_start(struct transport *t, struct http_exchange *x)
{
    for (int i = 0; i < WIRE_FLIGHTS; i++)
        if (t->flights[i].x == NULL && !t->full) {
            t->flights[i] = (struct flight){.x = x, .since_ms = t->mono_ms};
            t->started++;
            x->state = HTTP_ACTIVE;
            return true;
        }
    return false;
}

void transport_cancel(struct transport *t, struct http_exchange *x)
{
    for (int i = 0; i < WIRE_FLIGHTS; i++)
        if (t->flights[i].x == x) {
            if (t->flights[i].asked != NULL)
                aws_close(t->flights[i].asked);
            t->flights[i] = (struct flight){0};
        }
    x->state = HTTP_IDLE;
}

enum file_result file_read(const char *path, struct span room, uint32_t *len)
{
    (void)path;
    (void)room;
    *len = 0;
    return FILE_MISSING;
}

void trace_state(const char *machine, const char *from, const char *to)
{
    if (getenv("WIRE_TRACE") != NULL)
        fprintf(stderr, "%9lld %s: %s -> %s\n", (long long)wire.mono_ms,
                machine, from, to);
}

/* A new model with one bucket, "archive", and a site that may use it. */
static inline void wire_open(struct site *site)
{
    struct settings settings = {0};
    struct fault fault = {0};
    wire = (struct transport){.model = aws_new(1, "eu-central-1",
                                               "111122223333")};
    aws_add_key(wire.model, "AKIDEXAMPLE", "secret", NULL, 0);
    aws_create_bucket(wire.model, "archive", NULL, NULL);
    settings.env[SETTING_KEY_ID] = view_of("AKIDEXAMPLE");
    settings.env[SETTING_SECRET] = view_of("secret");
    site->transport = &wire;
    bool ok = site_init(site, &(struct site_options){
        .settings = &settings,
        .region = view_of("eu-central-1"),
        .seed = 7,
    }, &fault);
    if (!ok)
        fprintf(stderr, "site: %s: %s\n", fault.what, fault.words);
    assert_true(ok);
}

static inline void wire_close(void)
{
    for (int i = 0; i < WIRE_FLIGHTS; i++)
        if (wire.flights[i].asked != NULL)
            aws_close(wire.flights[i].asked);
    aws_free(wire.model);
}

#endif
