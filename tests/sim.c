/* sim.c - see sim.h. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/trace.h"
#include "call/files.h"

/* curl's codes, so that faults read as they would. */
enum { FAILED_SEND = 55, FAILED_RECEIVE = 56, FAILED_PARTIAL = 18,
       FAILED_TIMEOUT = 28 };

enum { SIM_HEADERS = 64, SIM_URL_BYTES = 8192 };

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void sim_init(struct transport *t, struct aws *model, uint64_t seed,
              int64_t wall_ms)
{
    *t = (struct transport){
        .model = model, .wall_ms = wall_ms, .slice_most = 16384,
        .limit = CFG_SOCKET_COUNT < SIM_EXCHANGES ? CFG_SOCKET_COUNT
                                                  : SIM_EXCHANGES,
    };
    chance_init(&t->chance, seed);
}

struct now sim_now(const struct transport *t)
{
    return (struct now){t->wall_ms + t->mono_ms + t->skew_ms, t->mono_ms};
}

static int64_t aws_time(const struct transport *t)
{
    return t->wall_ms + t->mono_ms;
}

static struct aws_text part(const char *from, const char *to)
{
    return (struct aws_text){from, (size_t)(to - from)};
}

/* --- the request ---------------------------------------------------------- */

static size_t split_headers(const char *lines, struct aws_header *headers)
{
    size_t count = 0;
    for (const char *at = lines; *at != '\0'; count++) {
        const char *end = strchr(at, '\n'), *colon = strchr(at, ':');
        CHECK(end != NULL && colon != NULL && colon < end);
        CHECK(count < SIM_HEADERS - 3);
        headers[count] = (struct aws_header){
            part(at, colon), aws_trim(part(colon + 1, end))};
        at = end + 1;
    }
    return count;
}

/* No secret goes over the wire, and a session token only where it belongs. */
static void watch(struct transport *t, const struct aws_request *r)
{
    bool told = aws_tells(t->model, r->path) || aws_tells(t->model, r->query);
    for (size_t i = 0; i < r->header_count; i++)
        if (!aws_is_nocase(r->headers[i].name, "x-amz-security-token"))
            told = told || aws_tells(t->model, r->headers[i].value);
    t->told += told;
}

static struct aws_exchange *ask(struct transport *t,
                                const struct http_request *q)
{
    struct aws_header headers[SIM_HEADERS];
    char length[24];
    struct aws_request r = {.headers = headers};
    const char *host = strstr(q->url, "://");
    CHECK(host != NULL);
    r.tls = host - q->url == 5;
    host += 3;
    const char *path = strchr(host, '/');
    CHECK(path != NULL);
    const char *end = path + strlen(path), *query = strchr(path, '?');
    r.method = aws_str(http_method_name[q->method]);
    r.path = part(path, query != NULL ? query : end);
    r.query = query != NULL ? part(query + 1, end) : part(end, end);
    r.header_count = split_headers(q->headers, headers);
    headers[r.header_count++] =
        (struct aws_header){aws_str("Host"), part(host, path)};
    (void)snprintf(length, sizeof length, "%llu",
                   (unsigned long long)q->body_bytes);
    if (q->body_bytes > 0 || q->method == HTTP_PUT || q->method == HTTP_POST)
        headers[r.header_count++] = (struct aws_header){
            aws_str("Content-Length"), aws_str(length)};
    watch(t, &r);
    return aws_open(t->model, &r, aws_time(t));
}

bool transport_start(struct transport *t, struct http_exchange *x)
{
    uint32_t at = 0;
    while (at < t->limit && t->exchange[at].x != NULL)
        at++;
    if (at == t->limit)
        return false;
    struct sim_exchange *e = &t->exchange[at];
    http_reset(x);
    x->state = HTTP_ACTIVE;
    x->handle = e;
    *e = (struct sim_exchange){
        .x = x, .asked = ask(t, &x->request), .next_ms = t->mono_ms,
        .heard_ms = t->mono_ms,
        .deadline_ms = x->request.timeout_ms > 0
                           ? t->mono_ms + x->request.timeout_ms : INT64_MAX,
    };
    t->started++;
    return true;
}

static void forget(struct sim_exchange *e)
{
    aws_close(e->asked);
    e->x = NULL;
}

void transport_cancel(struct transport *t, struct http_exchange *x)
{
    struct sim_exchange *e = x->handle;
    CHECK(x->state == HTTP_ACTIVE && e->x == x);
    CHECK(e >= t->exchange && e < t->exchange + SIM_EXCHANGES);
    forget(e);
    x->state = HTTP_IDLE;
}

/* --- the reply ------------------------------------------------------------ */

static void finish(struct transport *t, struct sim_exchange *e,
                   int32_t failure, const char *text)
{
    struct http_exchange *x = e->x;
    forget(e);
    t->failed += failure != 0;
    http_finish(x, failure, text);
}

static bool tracing(void)
{
    static int wanted = -1;
    if (wanted < 0)
        wanted = getenv("SIM_TRACE") != NULL;
    return wanted;
}

static void trace_reply(const struct transport *t,
                        const struct sim_exchange *e)
{
    static const char *const ends[] = {"", ", reset", ", cut", ", stalled"};
    const struct http_request *q = &e->x->request;
    if (tracing())
        fprintf(stderr, "%lld %s %.100s: %d%s\n", (long long)aws_time(t),
                http_method_name[q->method], strchr(q->url + 8, '/'),
                e->reply->status, ends[e->reply->end]);
}

/* The whole request arrives, and its reply is made. */
static void send_all(struct transport *t, struct sim_exchange *e)
{
    struct http_exchange *x = e->x;
    while (x->sent < x->request.body_bytes && !aws_refused(e->asked)) {
        struct view v = http_upload(x, 65536);
        CHECK(v.len > 0);
        t->told += aws_tells(t->model, (struct aws_text){
                                           (const char *)v.at, v.len});
        aws_body(e->asked, v.at, v.len);
        x->sent += v.len;
    }
    e->reply = aws_finish(e->asked, aws_time(t));
    trace_reply(t, e);
    e->next_ms = e->reply->ready_at == INT64_MAX
                     ? INT64_MAX : e->reply->ready_at - t->wall_ms;
    if (e->next_ms < t->mono_ms)
        e->next_ms = t->mono_ms;
}

static void put_head(struct sim_exchange *e)
{
    const struct aws_reply *r = e->reply;
    char line[64];
    (void)snprintf(line, sizeof line, "HTTP/1.1 %d X\r\n", r->status);
    http_head_line(e->x, view_of(line));
    for (const char *at = r->headers; *at != '\0';) {
        const char *end = strchr(at, '\n') + 1;
        http_head_line(e->x, (struct view){(const uint8_t *)at,
                                           (uint32_t)(end - at)});
        at = end;
    }
    if (!r->chunked) {
        (void)snprintf(line, sizeof line, "Content-Length: %llu\r\n",
                       (unsigned long long)r->length);
        http_head_line(e->x, view_of(line));
    }
    http_head_line(e->x, view_of("\r\n"));
    e->headed = true;
}

/* No more bytes will come: how it ends. */
static void end(struct transport *t, struct sim_exchange *e)
{
    switch (e->reply->end) {
    case AWS_END_CLEAN:
        finish(t, e, 0, NULL);
        return;
    case AWS_END_BEFORE:
        finish(t, e, FAILED_RECEIVE, "connection reset");
        return;
    case AWS_END_CUT:
        finish(t, e, FAILED_PARTIAL, "connection closed early");
        return;
    case AWS_END_STALL:
        break;
    }
    e->next_ms = INT64_MAX;
}

static uint32_t next_slice(struct transport *t)
{
    uint64_t least_bits = chance_below(&t->chance, 15);
    uint64_t some = 1 + chance_below(&t->chance, (uint64_t)1 << least_bits);
    bool large = chance_below(&t->chance, 4) > 0;
    return large || some > t->slice_most ? t->slice_most : (uint32_t)some;
}

/* A slice comes in, if the sink has room for it. False: it waits. */
static bool put_slice(struct transport *t, struct sim_exchange *e)
{
    if (!e->spare) {
        uint32_t most = next_slice(t);
        bool body = e->x->request.method != HTTP_HEAD;
        e->held_len = body ? (uint32_t)aws_read(e->asked, e->held, most) : 0;
        e->spare = true;
    }
    if (!http_body(e->x, (struct view){e->held, e->held_len}))
        return false;
    e->spare = false;
    e->delivered += e->held_len;
    e->heard_ms = t->mono_ms;
    e->next_ms = t->mono_ms;
    if (t->bytes_per_ms > 0)
        e->next_ms += (int64_t)e->held_len / t->bytes_per_ms;
    /* The end may show at once, or only when there is nothing more. */
    bool clean = e->reply->end == AWS_END_CLEAN;
    bool last = e->delivered == (clean ? e->reply->length
                                       : e->reply->end_at) &&
                chance_below(&t->chance, 2) == 0;
    if (e->held_len == 0 || last)
        end(t, e);
    return true;
}

static void happen(struct transport *t, struct sim_exchange *e)
{
    if (e->reply == NULL) {
        send_all(t, e);
    } else if (e->reply->end == AWS_END_BEFORE) {
        end(t, e);
    } else if (!e->headed) {
        put_head(e);
    } else {
        (void)put_slice(t, e);
    }
}

/* A slice waits for room, and there is none. */
static bool paused(const struct sim_exchange *e)
{
    return e->spare && http_room(e->x) < e->held_len;
}

/* When something happens to it: a byte, the stall, its timeout. */
static int64_t due_ms(const struct sim_exchange *e)
{
    int64_t stall = e->heard_ms + (e->x->request.patient ? CFG_PATIENT_MS
                                                         : CFG_STALL_MS);
    int64_t due = paused(e) ? INT64_MAX : least(e->next_ms, stall);
    return least(due, e->deadline_ms);
}

/* Of those due first, one by chance. */
static struct sim_exchange *choose(struct transport *t, int64_t *at_ms)
{
    struct sim_exchange *best = NULL;
    uint64_t equal = 0;
    for (uint32_t i = 0; i < SIM_EXCHANGES; i++) {
        struct sim_exchange *e = &t->exchange[i];
        if (e->x == NULL)
            continue;
        int64_t due = due_ms(e);
        if (best != NULL && due > *at_ms)
            continue;
        equal = best != NULL && due == *at_ms ? equal + 1 : 1;
        if (equal > 1 && chance_below(&t->chance, equal) > 0)
            continue;
        best = e;
        *at_ms = due;
    }
    return best;
}

int64_t sim_due_ms(const struct transport *t)
{
    int64_t due = INT64_MAX;
    for (uint32_t i = 0; i < SIM_EXCHANGES; i++)
        if (t->exchange[i].x != NULL)
            due = least(due, due_ms(&t->exchange[i]));
    return due;
}

bool sim_advance(struct transport *t, int64_t wake_mono_ms)
{
    int64_t at_ms = INT64_MAX;
    struct sim_exchange *e = choose(t, &at_ms);
    if (wake_mono_ms <= at_ms) {
        if (wake_mono_ms == INT64_MAX)
            return false;
        if (wake_mono_ms > t->mono_ms)
            t->mono_ms = wake_mono_ms;
        return true;
    }
    if (at_ms > t->mono_ms)
        t->mono_ms = at_ms;
    if (e->next_ms <= t->mono_ms && !paused(e))
        happen(t, e);
    else
        finish(t, e, FAILED_TIMEOUT, "timed out");
    return true;
}

bool sim_busy(const struct transport *t)
{
    for (uint32_t i = 0; i < SIM_EXCHANGES; i++)
        if (t->exchange[i].x != NULL)
            return true;
    return false;
}

void sim_kill(struct transport *t)
{
    for (uint32_t i = 0; i < SIM_EXCHANGES; i++)
        if (t->exchange[i].x != NULL)
            transport_cancel(t, t->exchange[i].x);
}

/* --- what else a run stands on -------------------------------------------- */

void sim_site(struct site *s, struct transport *t, uint32_t rate,
              uint64_t seed)
{
    static const char id[] = "AKIASIMULATION000001";
    static const char secret[] = "simulated/secret/key/of/forty/characters";
    struct settings settings = {0};
    struct fault fault = {0};
    settings.env[SETTING_KEY_ID] = view_of(id);
    settings.env[SETTING_SECRET] = view_of(secret);
    struct site_options options = {
        .settings = &settings, .region = view_of("us-east-1"),
        .endpoint_url = view_of("http://127.0.0.1:4566"), .rate = rate,
        .seed = seed,
    };
    aws_add_key(t->model, id, secret, NULL, 0);
    s->transport = t;
    CHECK(site_init(s, &options, &fault));
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
    if (tracing())
        fprintf(stderr, "%s: %s -> %s\n", machine, from, to);
}
