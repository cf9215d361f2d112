/* test_model.c - the tests' AWS held against itself and published vectors.
 *
 * Method: read generated groups page by page, under every setting that
 * makes pages odd, drop repeats by event id as a client must, and compare
 * with the group's own list. Then tables of requests and their answers. */
#include "group.h"
#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures, checks;

static void check(bool good, const char *name, const char *detail)
{
    checks++;
    if (good) return;
    failures++;
    (void)fprintf(stderr, "FAIL %s: %s\n", name, detail);
}

/* --- asking ------------------------------------------------------------- */

struct call {
    const char *method, *target, *headers, *body;  /* headers: A: b\n... */
    struct aws_buf text;         /* of the reply */
    struct aws_buf head;
    int status;
    int64_t took;
};

static void ask(struct aws *m, struct call *c, int64_t now)
{
    struct aws_header header[20];
    struct aws_request r = {.method = aws_str(c->method), .headers = header};
    struct aws_text rest = aws_str(c->headers), line, value;
    r.path = aws_cut(aws_str(c->target), '?', &r.query);
    while (rest.len > 0) {
        line = aws_cut(rest, '\n', &rest);
        header[r.header_count].name = aws_cut(line, ':', &value);
        header[r.header_count++].value = aws_trim(value);
    }
    struct aws_exchange *x = aws_open(m, &r, now);
    for (size_t i = 0, len = strlen(c->body); i < len; i += 7)
        aws_body(x, c->body + i, len - i < 7 ? len - i : 7);
    const struct aws_reply *reply = aws_finish(x, now);
    char slice[4096];
    aws_reset(&c->text);
    aws_reset(&c->head);
    for (size_t n; (n = aws_read(x, slice, sizeof slice)) > 0;)
        aws_put(&c->text, slice, n);
    aws_puts(&c->head, reply->headers);
    aws_puts(&c->text, "");
    c->status = reply->end == AWS_END_BEFORE ? 0 : reply->status;
    c->took = reply->ready_at - now;
    aws_close(x);
}

static void drop(struct call *c)
{
    aws_free_buf(&c->text);
    aws_free_buf(&c->head);
}

/* --- pages -------------------------------------------------------------- */

struct reader {
    struct aws *m;
    struct aws_cursor *expected;
    struct aws_buf seen;         /* the latest ids, 56 bytes each */
    struct aws_buf text;
    uint64_t events, pages, repeats;
    int64_t  from, until;
    const char *name;
};

static bool was_seen(const struct reader *r, struct aws_text id)
{
    size_t most = 300 * 56, start = r->seen.len > most ? r->seen.len - most
                                                       : 0;
    for (size_t i = start; i < r->seen.len; i += 56)
        if (memcmp(r->seen.at + i, id.at, 56) == 0) return true;
    return false;
}

static bool member_is(struct reader *r, struct aws_text item,
                      const char *name, struct aws_text wanted)
{
    struct aws_text value;
    if (!aws_json_member(item, name, &value)) return false;
    aws_reset(&r->text);
    return aws_json_string(value, &r->text) &&
           aws_same(aws_view(&r->text), wanted);
}

static void take_event(struct reader *r, struct aws_text item)
{
    struct aws_event e;
    struct aws_text id, when;
    int64_t at;
    bool good = aws_json_member(item, "eventId", &id) && id.len == 58 &&
                aws_json_member(item, "timestamp", &when) &&
                aws_int(when, &at);
    check(good, r->name, "an event lacks members");
    if (!good) return;
    id.at++;
    id.len = 56;
    if (was_seen(r, id)) {
        r->repeats++;
        return;
    }
    aws_put_text(&r->seen, id);
    if (at < r->from || at >= r->until) return;
    good = aws_next_event(r->expected, &e);
    check(good, r->name, "more events than there are");
    if (!good) return;
    r->events++;
    check(at == e.timestamp && aws_is(id, e.id), r->name, "wrong order");
    check(member_is(r, item, "message", e.message), r->name, "message");
    check(member_is(r, item, "logStreamName", e.stream), r->name, "stream");
}

/* Repeats come from this page or shortly before: so many ids will do. */
static void forget_older(struct reader *r)
{
    size_t most = 300 * 56;
    if (r->seen.len <= most) return;
    memmove(r->seen.at, r->seen.at + r->seen.len - most, most);
    r->seen.len = most;
}

/* One page; false at the end. The token goes into `token`. */
static bool read_page(struct reader *r, struct aws_buf *token, int64_t now)
{
    struct aws_buf body = {0};
    struct aws_text events, item, next;
    struct call c = {"POST", "/", "Host: logs.x\n"
                     "Content-Type: application/x-amz-json-1.1\n"
                     "X-Amz-Target: Logs_20140328.FilterLogEvents", "",
                     {0}, {0}, 0, 0};
    aws_printf(&body, "{\"logGroupName\":\"/g\",\"startTime\":%lld,"
               "\"endTime\":%lld", (long long)r->from, (long long)r->until);
    if (token->len > 0) aws_printf(&body, ",\"nextToken\":\"%s\"", token->at);
    aws_puts(&body, "}");
    c.body = body.at;
    ask(r->m, &c, now);
    struct aws_text text = aws_view(&c.text);
    bool good = c.status == 200 && aws_json_valid(text) &&
                aws_json_member(text, "events", &events);
    check(good, r->name, good ? "" : c.text.at);
    r->pages++;
    forget_older(r);
    while (good && aws_json_item(&events, &item)) take_event(r, item);
    aws_reset(token);
    if (good && aws_json_member(text, "nextToken", &next))
        (void)aws_json_string(next, token);
    aws_free_buf(&body);
    drop(&c);
    return token->len > 0;
}

static uint64_t read_group(struct aws *m, const char *name, int64_t from,
                           int64_t now)
{
    struct reader r = {.m = m, .from = from, .until = from + 86400000,
                       .name = name};
    struct aws_buf token = {0};
    struct aws_event e;
    r.expected = aws_events(m, "/g", r.from, r.until, now);
    while (read_page(&r, &token, now) && r.pages < 100000 && failures < 20)
        continue;
    check(!aws_next_event(r.expected, &e), name, "events are missing");
    aws_end_events(r.expected);
    aws_free_buf(&token);
    aws_free_buf(&r.seen);
    aws_free_buf(&r.text);
    return r.events;
}

static const struct {
    const char *name, *profile, *spread, *set;
    uint64_t events;
} page_rows[] = {
    {"plain", "web", "uniform", "", 6000},
    {"bursts", "json", "bursts", "", 4000},
    {"nights", "noise", "nights", "page-bytes=100000", 1500},
    {"instant", "tiny", "instant", "page-events=100", 1500},
    {"edges", "hostile", "edges", "page-events=100", 1000},
    {"hostile", "hostile", "bursts", "", 1000},
    {"huge", "huge", "uniform", "", 5},
    {"odd JSON", "hostile", "uniform", "odd-json=1 page-events=50", 1500},
    {"empty pages", "tiny", "uniform", "empty-pages=500 page-events=100",
     1500},
    {"short pages", "web", "uniform", "short-pages=900 page-events=100",
     1500},
    {"pages twice", "web", "uniform", "repeat-pages=300 page-events=100",
     1500},
    {"borders", "tiny", "instant", "repeat-border=3 page-events=100", 1500},
    {"inside", "tiny", "uniform", "repeat-inside=100 page-events=100", 1500},
    {"last token", "web", "uniform", "last-token=1000", 1500},
    {"exclusive", "tiny", "edges", "end-exclusive=1", 1000},
    {"all at once", "hostile", "edges", "odd-json=1 empty-pages=200 "
     "short-pages=300 repeat-pages=200 repeat-border=2 repeat-inside=50 "
     "page-events=40 last-token=500", 1500},
};

static void set_words(struct aws *m, const char *words)
{
    struct aws_text rest = aws_str(words), value;
    int64_t n;
    while (rest.len > 0) {
        struct aws_text name = aws_cut(aws_cut(rest, ' ', &rest), '=',
                                       &value);
        char *text = aws_dup(name);
        bool good = aws_int(value, &n) && aws_set(m, text, n);
        check(good, "settings", text);
        free(text);
    }
}

static void test_pages(void)
{
    int64_t from = aws_day_ms(2026, 11, 9);
    for (size_t i = 0; i < sizeof page_rows / sizeof page_rows[0]; i++) {
        struct aws *m = aws_new(i, "us-east-1", "111122223333");
        struct aws_fill fill = {
            .profile = page_rows[i].profile, .spread = page_rows[i].spread,
            .from = from, .until = from + 86400000, .seed = i,
            .events = page_rows[i].events, .late_permille = 20};
        check(aws_fill_group(m, "/g", &fill), page_rows[i].name, "fill");
        fill.events /= 7;
        fill.seed++;
        check(aws_fill_group(m, "/g", &fill), page_rows[i].name, "fill");
        for (int64_t k = 0; k < 40; k++)
            aws_put_event(m, "/g", "late", from + k * 2160000, from + k,
                          aws_str("a late event"));
        (void)aws_set(m, "check-signature", 0);
        set_words(m, page_rows[i].set);
        uint64_t events = read_group(m, page_rows[i].name, from,
                                     from + 2 * (int64_t)86400000);
        check(events > page_rows[i].events / 2, page_rows[i].name, "few");
        aws_free(m);
    }
}

/* --- what is readable --------------------------------------------------- */

static struct aws *small_model(int64_t from)
{
    struct aws *m = aws_new(3, "us-east-1", "111122223333");
    struct aws_fill fill = {.profile = "web", .from = from,
                            .until = from + 86400000, .events = 2000,
                            .streams = 4};
    check(aws_fill_group(m, "/g", &fill), "small", "fill");
    (void)aws_set(m, "check-signature", 0);
    (void)aws_set(m, "page-events", 100);
    return m;
}

static void test_readable(void)
{
    int64_t from = aws_day_ms(2026, 11, 9), day = 86400000;
    struct aws *m = small_model(from);
    uint64_t all = read_group(m, "all", from, from + 2 * day);
    check(all == 2000, "readable", "all");
    uint64_t noon = read_group(m, "noon", from, from + day / 2);
    check(noon > 950 && noon < 1050, "readable", "half of them by noon");
    aws_group_policy(m, "/g", "STANDARD", 1, false);
    uint64_t left = read_group(m, "expired", from, from + day * 3 / 2);
    check(left > 950 && left < 1050, "readable", "half have expired");
    (void)aws_set(m, "expiry-lag", day);
    left = read_group(m, "late expiry", from, from + day * 3 / 2);
    check(left == all, "readable", "expired but not deleted");
    aws_put_event(m, "/g", "late", from + 5, from + day * 3 / 2,
                  aws_str("late"));
    (void)aws_set(m, "visible-after", 1000);
    left = read_group(m, "not yet", from, from + day * 3 / 2);
    check(left == all, "readable", "not yet visible");
    left = read_group(m, "now", from, from + day * 3 / 2 + 1000);
    check(left == all + 1, "readable", "visible");
    aws_delete_stream(m, "/g", "late");
    left = read_group(m, "stream", from, from + day * 3 / 2 + 1000);
    check(left == all, "readable", "gone with its stream");
    aws_free(m);
}

/* The status of one request with the token; the next one replaces it. */
static int page_status(struct aws *m, struct aws_buf *token, int64_t until,
                       int64_t now)
{
    struct aws_buf body = {0};
    struct aws_text next;
    struct call c = {"POST", "/", "Host: logs.x\n"
                     "Content-Type: application/x-amz-json-1.1\n"
                     "X-Amz-Target: Logs_20140328.FilterLogEvents", "",
                     {0}, {0}, 0, 0};
    aws_printf(&body, "{\"logGroupName\":\"/g\",\"endTime\":%lld",
               (long long)until);
    if (token->len > 0) aws_printf(&body, ",\"nextToken\":\"%s\"", token->at);
    aws_puts(&body, "}");
    c.body = body.at;
    ask(m, &c, now);
    if (c.status == 200) {
        aws_reset(token);
        if (aws_json_member(aws_view(&c.text), "nextToken", &next))
            (void)aws_json_string(next, token);
    }
    int status = c.status;
    aws_free_buf(&body);
    drop(&c);
    return status;
}

static void test_tokens(void)
{
    int64_t day = 86400000, from = aws_day_ms(2026, 11, 9), now = from + day;
    struct aws *m = small_model(from);
    struct aws_buf t = {0};
    check(page_status(m, &t, now, now) == 200, "tokens", "none");
    check(page_status(m, &t, now, now + day + 1) == 400, "tokens", "old");
    check(page_status(m, &t, now, now + day) == 200, "tokens", "a day old");
    check(page_status(m, &t, now + 1, now + day) == 400, "tokens",
          "of another window");
    aws_delete_group(m, "/g");
    aws_create_group(m, "/g", from);
    check(page_status(m, &t, now, now + day) == 400, "tokens",
          "of a group deleted since");
    aws_free_buf(&t);
    aws_free(m);
}

/* --- the generator ------------------------------------------------------ */

static void test_batches(void)
{
    static const char *const spreads[] = {"uniform", "bursts", "nights",
                                          "instant", "edges"};
    int64_t from = aws_day_ms(2026, 11, 9);
    for (size_t i = 0; i < 5; i++) {
        struct aws_batch b;
        struct aws_fill f = {.profile = "tiny", .spread = spreads[i],
                             .from = from, .until = from + 86400000,
                             .events = 10000, .seed = i};
        check(aws_batch_init(&b, &f), spreads[i], "init");
        check(b.count == f.events, spreads[i], "count");
        size_t hint = 0;
        int64_t last = INT64_MIN;
        bool rises = true, found = true;
        for (uint64_t k = 0; k < b.count; k++) {
            int64_t t = aws_batch_time(&b, k, &hint);
            rises = rises && t >= last;
            if (t != last) found = found && aws_batch_find(&b, t) == k;
            if (t > last + 1)
                found = found && aws_batch_find(&b, t - 1) == k;
            last = t;
        }
        check(rises, spreads[i], "times fall");
        check(found, spreads[i], "a time is not found");
        check(aws_batch_find(&b, last + 1) == b.count, spreads[i], "end");
        free(b.stretch);
    }
}

/* --- tables of requests ------------------------------------------------- */

static const struct {
    const char *name, *method, *target, *headers, *body;
    int status;
    const char *contains;  /* in the reply's body or headers */
} rows[] = {
#include "test_rows.h"
};

static void test_rows(void)
{
    struct aws *m = aws_new(1, "us-east-1", "111122223333");
    int64_t now = aws_day_ms(2013, 5, 24);
    aws_add_key(m, "AKIAIOSFODNN7EXAMPLE",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL, 0);
    aws_create_bucket(m, "examplebucket", NULL, NULL);
    aws_create_bucket(m, "far", "eu-west-1", NULL);
    aws_create_group(m, "/g", now);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct call c = {rows[i].method, rows[i].target, rows[i].headers,
                         rows[i].body, {0}, {0}, 0, 0};
        if (strcmp(rows[i].method, "SET") == 0) {
            set_words(m, rows[i].target);
            continue;
        }
        if (strcmp(rows[i].method, "FAULT") == 0) {
            check(aws_fault(m, rows[i].target), rows[i].name, "fault");
            continue;
        }
        ask(m, &c, now);
        bool good = c.status == rows[i].status &&
                    (aws_has(aws_view(&c.text), rows[i].contains) ||
                     aws_has(aws_view(&c.head), rows[i].contains));
        aws_printf(&c.head, "%d %s", c.status, c.text.at);
        check(good, rows[i].name, c.head.at);
        drop(&c);
    }
    aws_free(m);
}

static void test_throttle(void)
{
    struct aws *m = aws_new(1, "us-east-1", "111122223333");
    (void)aws_set(m, "rate:FilterLogEvents", 10);
    (void)aws_set(m, "latency", 300);
    int64_t now = 1000000, good = 0;
    struct call c = {"POST", "/", "X-Amz-Target: Logs_20140328.FilterLogEvents",
                     "{}", {0}, {0}, 0, 0};
    for (int i = 0; i < 2000; i++, now += 10) {
        ask(m, &c, now);
        good += !aws_has(aws_view(&c.text), "ThrottlingException");
        check(c.took == 300 || c.took == 5, "throttle", "latency");
    }
    check(good == 10 + 199, "throttle", "ten a second and a burst of ten");
    check(aws_counted(m, "*").throttled == (uint64_t)(2000 - good),
          "throttle", "counted");
    drop(&c);
    aws_free(m);
}

int main(void)
{
    test_batches();
    test_pages();
    test_readable();
    test_tokens();
    test_rows();
    test_throttle();
    (void)printf("aws model: %d checks, %d failed\n", checks, failures);
    return failures > 0;
}
