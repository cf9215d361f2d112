#include "pack/line.h"

#include <string.h>

#include "base/check.h"
#include "base/date.h"

/* Where the date stands in a JSON head, and the milliseconds in the date. */
static const char json_start[] = "{\"timestamp\":\"";
enum { MS_AT = 20 };

void line_init(struct line *l, bool json, bool ingested, bool id)
{
    l->json = json;
    l->ingested = ingested;
    l->id = id;
    l->head_len = 0;
}

/* The whole head, for a stream or a format that differs from the last. */
static void make_head(struct line *l, const struct log_event *e)
{
    struct text t;

    text_init(&t, l->head, sizeof l->head);
    if (l->json)
        text_str(&t, json_start);
    date_rfc3339(&t, e->timestamp_ms);
    if (l->json) {
        text_str(&t, "\",\"stream\":\"");
        text_json(&t, e->stream);
        text_str(&t, "\",\"message\":\"");
    } else {
        text_char(&t, ' ');
    }
    l->head_len = t.overflow ? 0 : t.len;
    CHECK(e->stream.len <= sizeof l->stream);
    memcpy(l->stream, e->stream.at, e->stream.len);
    l->stream_len = e->stream.len;
}

/* Most events share their stream with the one before, many their second. */
struct view line_head(struct line *l, const struct log_event *e)
{
    int64_t second = e->timestamp_ms / 1000;
    int64_t ms = e->timestamp_ms % 1000;
    char *date = l->head + (l->json ? sizeof json_start - 1 : 0);
    bool same = l->head_len > 0 && ms >= 0 && e->timestamp_ms >= 0 &&
                (!l->json || (e->stream.len == l->stream_len &&
                              memcmp(e->stream.at, l->stream,
                                     l->stream_len) == 0));

    if (!same) {
        make_head(l, e);
    } else if (second == l->second) {
        date[MS_AT] = (char)('0' + ms / 100);
        date[MS_AT + 1] = (char)('0' + ms / 10 % 10);
        date[MS_AT + 2] = (char)('0' + ms % 10);
    } else {
        char stamp[DATE_RFC3339_BYTES + 1];
        struct text t;
        text_init(&t, stamp, sizeof stamp);
        date_rfc3339(&t, e->timestamp_ms);
        memcpy(date, stamp, DATE_RFC3339_BYTES);
    }
    l->second = e->timestamp_ms >= 0 ? second : INT64_MIN;
    return (struct view){(const uint8_t *)l->head, l->head_len};
}

uint32_t line_tail(const struct line *l, const struct log_event *e,
                   uint8_t *at)
{
    struct text t;

    if (!l->json) {
        at[0] = '\n';
        return 1;
    }
    if (!l->ingested && !l->id) {
        memcpy(at, "\"}\n", 3);
        return 3;
    }
    text_init(&t, (char *)at, LINE_TAIL_BYTES);
    text_char(&t, '"');
    if (l->ingested) {
        text_str(&t, ",\"ingested\":\"");
        date_rfc3339(&t, e->ingestion_ms);
        text_char(&t, '"');
    }
    if (l->id) {
        text_str(&t, ",\"id\":\"");
        text_json(&t, e->id);
        text_char(&t, '"');
    }
    text_str(&t, "}\n");
    CHECK(!t.overflow);
    return t.len;
}
