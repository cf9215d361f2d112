/* describe.c - DescribeLogGroups, DescribeLogStreams, PutLogEvents. */
#include "logs.h"

#include <stdlib.h>
#include <string.h>

enum { LISTED_MAX = 50 };

/* The name after which the page starts; false when the token is wrong. */
static bool read_after(struct aws_exchange *x, int64_t now,
                       struct aws_text *after)
{
    struct aws_text token = aws_arg(x, "nextToken");
    struct aws_buf payload = {0};
    *after = (struct aws_text){NULL, 0};
    if (token.at == NULL) return !x->failed;
    bool good = aws_read_token(x->model, token, aws_bound(x), now, &payload);
    if (good) *after = aws_hold(x, aws_view(&payload));
    else aws_invalid(x, "The specified nextToken is invalid.");
    aws_free_buf(&payload);
    return good;
}

static void put_token(struct aws_exchange *x, struct aws_text last,
                      int64_t now)
{
    aws_puts(&x->out, ",\"nextToken\":\"");
    aws_put_token(x->model, &x->out, aws_bound(x), last, now);
    aws_puts(&x->out, "\"");
}

static void put_group(struct aws_exchange *x, const struct aws_group *g)
{
    struct aws_buf *out = &x->out;
    aws_printf(out, "{\"logGroupName\":\"%s\",\"creationTime\":%lld,", g->name,
               (long long)g->created);
    if (g->retention_days != 0)
        aws_printf(out, "\"retentionInDays\":%d,", g->retention_days);
    aws_puts(out, "\"metricFilterCount\":0,\"arn\":\"");
    aws_put_arn(x->model, out, g->name);
    aws_printf(out, ":*\",\"storedBytes\":%llu,\"logGroupClass\":\"%s\",",
               (unsigned long long)g->stored_bytes, g->class);
    if (g->masked) aws_puts(out, "\"dataProtectionStatus\":\"ACTIVATED\",");
    aws_puts(out, "\"logGroupArn\":\"");
    aws_put_arn(x->model, out, g->name);
    aws_puts(out, "\"}");
}

struct group_query {
    struct aws_text prefix, pattern, class, after;
};

static bool group_matches(const struct aws_group *g,
                          const struct group_query *q)
{
    struct aws_text name = aws_str(g->name);
    if (q->after.at != NULL && aws_order(name, q->after) <= 0) return false;
    if (q->prefix.at != NULL && !aws_begins(name, q->prefix.at)) return false;
    if (q->pattern.at != NULL && !aws_has(name, q->pattern.at)) return false;
    return q->class.at == NULL || aws_is(q->class, g->class);
}

void aws_describe_log_groups(struct aws_exchange *x, int64_t now)
{
    struct aws *m = x->model;
    struct aws_text last = {NULL, 0};
    int64_t limit = aws_arg_limit(x, LISTED_MAX), count = 0;
    struct group_query q = {aws_arg(x, "logGroupNamePrefix"),
                            aws_arg(x, "logGroupNamePattern"),
                            aws_arg(x, "logGroupClass"), {NULL, 0}};
    if (limit == 0 || !read_after(x, now, &q.after)) return;
    if (q.prefix.at != NULL && q.pattern.at != NULL) {
        aws_invalid(x, "Prefix and pattern exclude each other.");
        return;
    }
    aws_puts(&x->out, "{\"logGroups\":[");
    size_t i = 0;
    for (; i < m->group_count; i++) {
        if (!group_matches(m->groups[i], &q)) continue;
        if (count == limit) break;
        if (count++ > 0) aws_puts(&x->out, ",");
        put_group(x, m->groups[i]);
        last = aws_str(m->groups[i]->name);
    }
    aws_puts(&x->out, "]");
    if (i < m->group_count) put_token(x, last, now);
    aws_puts(&x->out, "}");
}

static void put_stream(struct aws_exchange *x, const struct aws_group *g,
                       const struct aws_stream *s)
{
    struct aws_buf *out = &x->out;
    aws_printf(out, "{\"logStreamName\":\"%s\",\"creationTime\":%lld,",
               s->json.at, (long long)s->created);
    if (s->has_events)
        aws_printf(out, "\"firstEventTimestamp\":%lld,"
                   "\"lastEventTimestamp\":%lld,\"lastIngestionTime\":%lld,"
                   "\"uploadSequenceToken\":\"49039859\",",
                   (long long)s->first, (long long)s->last,
                   (long long)s->last_ingestion);
    aws_puts(out, "\"arn\":\"");
    aws_put_arn(x->model, out, g->name);
    aws_printf(out, ":log-stream:%s\",\"storedBytes\":0}", s->json.at);
}

static int stream_order(const void *a, const void *b)
{
    const struct aws_stream *const *p = a, *const *q = b;
    return aws_order((*p)->name, (*q)->name);
}

static int late_order(const void *a, const void *b)
{
    const struct aws_stream *const *p = a, *const *q = b;
    if ((*p)->last != (*q)->last) return (*p)->last < (*q)->last ? -1 : 1;
    return aws_order((*p)->name, (*q)->name);
}

/* The streams of the reply in its order; the caller frees them. */
static const struct aws_stream **list_streams(struct aws_exchange *x,
                                              const struct aws_group *g,
                                              size_t *count)
{
    struct aws_text prefix = aws_arg(x, "logStreamNamePrefix");
    bool by_time = aws_is(aws_arg(x, "orderBy"), "LastEventTime");
    const struct aws_stream **list =
        aws_alloc(g->stream_count * sizeof list[0]);
    *count = 0;
    for (size_t i = 0; i < g->stream_count; i++)
        if (!g->stream[i].deleted &&
            (prefix.at == NULL ||
             aws_begins(g->stream[i].name, prefix.at)))
            list[(*count)++] = &g->stream[i];
    qsort(list, *count, sizeof list[0], by_time ? late_order : stream_order);
    for (size_t i = 0; aws_arg_bool(x, "descending", false) && i < *count / 2;
         i++) {
        const struct aws_stream *s = list[i];
        list[i] = list[*count - 1 - i];
        list[*count - 1 - i] = s;
    }
    if (by_time && prefix.at != NULL)
        aws_invalid(x, "Cannot order by LastEventTime with a "
                       "logStreamNamePrefix.");
    return list;
}

void aws_describe_log_streams(struct aws_exchange *x, int64_t now)
{
    struct aws_text after;
    struct aws_group *g = aws_arg_group(x);
    int64_t limit = aws_arg_limit(x, LISTED_MAX), sent = 0;
    if (g == NULL || limit == 0 || !read_after(x, now, &after)) return;
    size_t count, i = 0;
    const struct aws_stream **list = list_streams(x, g, &count);
    if (after.at != NULL)
        while (i < count && !aws_same(list[i++]->name, after)) continue;
    aws_puts(&x->out, "{\"logStreams\":[");
    for (; i < count && sent < limit; i++) {
        if (sent++ > 0) aws_puts(&x->out, ",");
        put_stream(x, g, list[i]);
    }
    aws_puts(&x->out, "]");
    if (i < count) put_token(x, list[i - 1]->name, now);
    aws_puts(&x->out, "}");
    free(list);
}

/* --- PutLogEvents ------------------------------------------------------- */

struct batch {
    int64_t count, bytes, first, last;
    int64_t too_old, too_new, expired;  /* indices; -1: none */
};

static bool check_event(struct aws_exchange *x, struct batch *b,
                        struct aws_text item, int64_t *at)
{
    struct aws_text when, message;
    if (!aws_json_member(item, "timestamp", &when) || !aws_int(when, at) ||
        !aws_json_member(item, "message", &message)) {
        aws_invalid(x, "An event lacks timestamp or message.");
        return false;
    }
    aws_reset(&x->text);
    (void)aws_room(&x->text, message.len);
    if (!aws_json_string(message, &x->text) || x->text.len == 0) {
        aws_invalid(x, "Member 'message' must have length greater than or "
                       "equal to 1");
        return false;
    }
    if (b->count > 0 && *at < b->last)
        aws_invalid(x, "Log events in a single PutLogEvents request must be "
                       "in chronological order.");
    if (b->count == 0) b->first = *at;
    b->last = *at;
    b->count++;
    b->bytes += (int64_t)x->text.len + 26;
    if (b->count > 10000 || b->bytes > 1048576 ||
        b->last - b->first > 86400000)
        aws_invalid(x, "Upload too large, or more than 24 hours in one "
                       "batch.");
    return !x->failed;
}

static bool check_events(struct aws_exchange *x, struct aws_text list)
{
    struct batch b = {0};
    struct aws_text item;
    int64_t at;
    while (aws_json_item(&list, &item))
        if (!check_event(x, &b, item, &at)) return false;
    if (b.count == 0) aws_invalid(x, "logEvents is empty.");
    return !x->failed;
}

static void put_rejected(struct aws_exchange *x, const struct batch *b)
{
    struct aws_buf *out = &x->out;
    aws_puts(out, "{\"nextSequenceToken\":\"49039859\"");
    if (b->too_new >= 0 || b->too_old >= 0 || b->expired >= 0) {
        const char *comma = "";
        aws_puts(out, ",\"rejectedLogEventsInfo\":{");
        if (b->too_new >= 0) {
            aws_printf(out, "\"tooNewLogEventStartIndex\":%lld",
                       (long long)b->too_new);
            comma = ",";
        }
        if (b->too_old >= 0) {
            aws_printf(out, "%s\"tooOldLogEventEndIndex\":%lld", comma,
                       (long long)b->too_old);
            comma = ",";
        }
        if (b->expired >= 0)
            aws_printf(out, "%s\"expiredLogEventEndIndex\":%lld", comma,
                       (long long)b->expired);
        aws_puts(out, "}");
    }
    aws_puts(out, "}");
}

void aws_put_log_events(struct aws_exchange *x, int64_t now)
{
    struct aws_group *g = aws_arg_group(x);
    struct aws_text name = aws_arg(x, "logStreamName"), list, item, message;
    struct batch b = {.too_old = -1, .too_new = -1, .expired = -1};
    if (g == NULL || x->failed) return;
    if (aws_find_stream(g, name) == SIZE_MAX) {
        aws_fail(x, 400, "ResourceNotFoundException",
                 "The specified log stream does not exist.");
        return;
    }
    if (!aws_json_member(aws_view(&x->body), "logEvents", &list) ||
        list.at[0] != '[' || !check_events(x, list))
        return;
    for (int64_t at; aws_json_item(&list, &item); b.count++) {
        struct aws_text when;
        (void)aws_json_member(item, "timestamp", &when);
        (void)aws_int(when, &at);
        (void)aws_json_member(item, "message", &message);
        if (at < now - (int64_t)14 * 86400000) b.too_old = b.count + 1;
        else if (at < aws_expiry(x->model, g, now)) b.expired = b.count + 1;
        else if (at > now + 7200000 && b.too_new < 0) b.too_new = b.count;
        else if (at <= now + 7200000) {
            aws_reset(&x->text);
            (void)aws_json_string(message, &x->text);
            aws_put_event(x->model, g->name, name.at, at, now,
                          aws_view(&x->text));
        }
    }
    put_rejected(x, &b);
}
