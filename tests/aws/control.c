/* control.c - the model driven over HTTP, for scripts. Unsigned.
 *
 *   GET  /_model/stats
 *   POST /_model/set?NAME=VALUE&...       settings.h, rate:OP, burst:OP
 *   POST /_model/fault                    body: lines of fault.h
 *   POST /_model/clear-faults
 *   POST /_model/bucket?name=B[&region=R][&owner=ACCOUNT][&versioned=1]
 *        [&locked=1]                      made if need be
 *   POST /_model/policy?bucket=B           body: JSON, or empty for none
 *   POST /_model/key?id=I&secret=S[&token=T][&expires=MS]
 *   POST /_model/fill?group=G&from=T[&until=T][&profile=P][&spread=S]
 *        [&bytes=N | &events=N][&streams=N][&seed=N][&late=PERMILLE]
 *   POST /_model/group?group=G[&class=C][&retention=DAYS][&masked=1]
 *        [&created=T]                     made if need be
 *   POST /_model/delete-group?group=G
 *   POST /_model/event?group=G&stream=S&timestamp=MS&ingestion=MS   body
 *   POST /_model/lines?group=G&stream=S&from=T[&until=T]
 *        each line of the body an event, evenly from `from` to `until`
 *   GET  /_model/expect?group=G&from=T&until=T    the events, JSON lines
 * T is YYYY-MM-DD or milliseconds; `until` is a day after `from` if absent. */
#include "group.h"
#include "s3.h"

#include <stdlib.h>
#include <string.h>

static int64_t number(struct aws_exchange *x, const char *name,
                      int64_t otherwise)
{
    struct aws_text t;
    int64_t value;
    if (!aws_query_of(x, name, &t)) return otherwise;
    if (t.len == 10 && t.at[4] == '-' && t.at[7] == '-')
        return aws_day_ms(atoi(t.at), atoi(t.at + 5), atoi(t.at + 8));
    if (aws_int(t, &value)) return value;
    aws_fail(x, 400, "Bad Request", name);
    return otherwise;
}

/* A parameter as a C string, or NULL. */
static const char *word(struct aws_exchange *x, const char *name)
{
    struct aws_text t;
    return aws_query_of(x, name, &t) ? t.at : NULL;
}

static const char *need(struct aws_exchange *x, const char *name)
{
    const char *value = word(x, name);
    if (value == NULL) aws_fail(x, 400, "Bad Request", name);
    return value;
}

static void set_all(struct aws_exchange *x)
{
    struct aws_text rest = x->query, name, value;
    int64_t n;
    while (aws_query_next(x, &rest, &name, &value))
        if (!aws_int(value, &n) || !aws_set(x->model, name.at, n))
            aws_fail(x, 400, "Bad Request", name.at);
}

static void add_faults(struct aws_exchange *x)
{
    struct aws_text rest = aws_view(&x->body);
    while (rest.len > 0) {
        struct aws_text line = aws_cut(rest, '\n', &rest);
        char *text = aws_dup(line);
        if (!aws_fault(x->model, text)) aws_fail(x, 400, "Bad Request", text);
        free(text);
    }
}

static void fill(struct aws_exchange *x)
{
    const char *group = need(x, "group");
    struct aws_fill f = {.profile = word(x, "profile"),
                         .spread = word(x, "spread")};
    f.from = number(x, "from", 0);
    f.until = number(x, "until", f.from + 86400000);
    f.bytes = (uint64_t)number(x, "bytes", 1000000);
    f.events = (uint64_t)number(x, "events", 0);
    f.streams = (uint32_t)number(x, "streams", 0);
    f.seed = (uint64_t)number(x, "seed", 1);
    f.late_permille = (uint32_t)number(x, "late", 0);
    if (!x->failed && !aws_fill_group(x->model, group, &f))
        aws_fail(x, 400, "Bad Request", "fill");
}

static void group(struct aws_exchange *x, int64_t now)
{
    const char *name = need(x, "group"), *class = word(x, "class");
    int64_t created = number(x, "created", now);
    int64_t days = number(x, "retention", 0);
    bool masked = number(x, "masked", 0) != 0;
    if (x->failed) return;
    if (aws_find_group(x->model, aws_str(name)) == NULL)
        aws_create_group(x->model, name, created);
    aws_group_policy(x->model, name, class != NULL ? class : "STANDARD",
                     (int)days, masked);
}

static void lines(struct aws_exchange *x, int64_t now)
{
    const char *name = need(x, "group"), *stream = need(x, "stream");
    int64_t from = number(x, "from", 0), count = 0, at = 0;
    int64_t until = number(x, "until", from + 86400000);
    struct aws_text rest = aws_view(&x->body);
    if (x->failed) return;
    for (size_t i = 0; i < rest.len; i++) count += rest.at[i] == '\n';
    if (aws_find_group(x->model, aws_str(name)) == NULL)
        aws_create_group(x->model, name, from < now ? from : now);
    for (; rest.len > 0; at++) {
        struct aws_text line = aws_cut(rest, '\n', &rest);
        int64_t time = from + (int64_t)((double)(until - from) *
                                        (double)at / (double)(count + 1));
        if (line.len > 0)
            aws_put_event(x->model, name, stream, time, time + 100, line);
    }
}

static void bucket(struct aws_exchange *x)
{
    const char *name = need(x, "name");
    bool versioned = number(x, "versioned", 0) != 0;
    bool locked = number(x, "locked", 0) != 0;
    if (x->failed) return;
    if (aws_find_bucket(x->model, aws_str(name)) == NULL)
        aws_create_bucket(x->model, name, word(x, "region"),
                          word(x, "owner"));
    aws_bucket_policy(x->model, name, versioned, locked);
}

static void event(struct aws_exchange *x, int64_t now)
{
    const char *name = need(x, "group"), *stream = need(x, "stream");
    int64_t timestamp = number(x, "timestamp", now);
    int64_t ingestion = number(x, "ingestion", now);
    if (x->failed) return;
    if (aws_find_group(x->model, aws_str(name)) == NULL)
        aws_create_group(x->model, name, now);
    aws_put_event(x->model, name, stream, timestamp, ingestion,
                  aws_view(&x->body));
}

static void expect(struct aws_exchange *x)
{
    const char *name = need(x, "group");
    int64_t from = number(x, "from", 0);
    int64_t until = number(x, "until", from + 86400000);
    struct aws_event e;
    if (x->failed) return;
    if (aws_find_group(x->model, aws_str(name)) == NULL) {
        aws_fail(x, 404, "Not Found", name);
        return;
    }
    struct aws_cursor *c = aws_events(x->model, name, from, until, INT64_MAX);
    while (aws_next_event(c, &e)) {
        aws_printf(&x->out, "{\"timestamp\":%lld,\"ingestion\":%lld,"
                   "\"id\":\"%s\",\"stream\":\"", (long long)e.timestamp,
                   (long long)e.ingestion, e.id);
        aws_put_json(&x->out, e.stream.at, e.stream.len);
        aws_puts(&x->out, "\",\"message\":\"");
        aws_put_json(&x->out, e.message.at, e.message.len);
        aws_puts(&x->out, "\"}\n");
    }
    aws_end_events(c);
    x->type = "application/x-ndjson";
}

void aws_serve_control(struct aws_exchange *x, int64_t now)
{
    struct aws_text what = {x->path.at + 8, x->path.len - 8};
    x->type = "application/json";
    if (aws_is(what, "stats")) {
        aws_stats(x->model, &x->out);
    } else if (aws_is(what, "set")) {
        set_all(x);
    } else if (aws_is(what, "fault")) {
        add_faults(x);
    } else if (aws_is(what, "clear-faults")) {
        aws_clear_faults(x->model);
    } else if (aws_is(what, "bucket")) {
        bucket(x);
    } else if (aws_is(what, "policy")) {
        const char *name = need(x, "bucket");
        if (!x->failed)
            aws_set_policy(x->model, name,
                           x->body.len > 0 ? x->body.at : NULL);
    } else if (aws_is(what, "key")) {
        const char *id = need(x, "id"), *secret = need(x, "secret");
        if (!x->failed)
            aws_add_key(x->model, id, secret, word(x, "token"),
                        number(x, "expires", 0));
    } else if (aws_is(what, "fill")) {
        fill(x);
    } else if (aws_is(what, "group")) {
        group(x, now);
    } else if (aws_is(what, "delete-group")) {
        const char *name = need(x, "group");
        if (name != NULL) aws_delete_group(x->model, name);
    } else if (aws_is(what, "event")) {
        event(x, now);
    } else if (aws_is(what, "lines")) {
        lines(x, now);
    } else if (aws_is(what, "expect")) {
        expect(x);
    } else {
        aws_fail(x, 404, "Not Found", "no such control");
    }
}
