#include "pack/line.h"

#include <string.h>

#include "base/check.h"
#include "base/date.h"

static const char before_date[] = "{\"timestamp\":\"";
static const char before_stream[] = "\",\"stream\":\"";
static const char before_message[] = "\",\"message\":\"";

/* Where the parts stand: 2026-11-09T00:00:00.123Z */
enum {
    DATE_AT = sizeof before_date - 1,
    STREAM_AT = DATE_AT + DATE_RFC3339_BYTES + sizeof before_stream - 1,
    HOUR_AT = 11, MINUTE_AT = 14, SECOND_AT = 17, MS_AT = 20,
};

void line_init(struct line *l, bool json, bool ingested, bool id)
{
    l->json = json;
    l->ingested = ingested;
    l->id = id;
    l->head_len = 0;
    l->day = INT64_MIN;
    l->stream_len = UINT32_MAX;
}

static void two_digits(char *at, int64_t value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
}

/* Most events have the second of the one before, nearly all its day. */
static void put_date(struct line *l, char *date, int64_t timestamp_ms)
{
    int64_t day = timestamp_ms / DAY_MS, second = timestamp_ms / 1000;
    int64_t ms = timestamp_ms % 1000, of_day = second % 86400;

    if (day != l->day || timestamp_ms < 0) {
        char stamp[DATE_RFC3339_BYTES + 1];
        struct text t;
        text_init(&t, stamp, sizeof stamp);
        date_rfc3339(&t, timestamp_ms);
        memcpy(date, stamp, DATE_RFC3339_BYTES);
        l->day = timestamp_ms < 0 ? INT64_MIN : day;
        l->second = second;
        return;
    }
    if (second != l->second) {
        two_digits(date + HOUR_AT, of_day / 3600);
        two_digits(date + MINUTE_AT, of_day / 60 % 60);
        two_digits(date + SECOND_AT, of_day % 60);
        l->second = second;
    }
    date[MS_AT] = (char)('0' + ms / 100);
    two_digits(date + MS_AT + 1, ms % 100);
}

/* All of a head but its date. */
static void put_stream(struct line *l, struct view stream)
{
    char *at = l->head + STREAM_AT;

    CHECK(stream.len <= CFG_STREAM_BYTES);
    memcpy(l->head, before_date, DATE_AT);
    memcpy(at - (sizeof before_stream - 1), before_stream,
           sizeof before_stream - 1);
    memcpy(at, stream.at, stream.len);
    memcpy(at + stream.len, before_message, sizeof before_message - 1);
    l->stream_len = stream.len;
    l->head_len = (uint32_t)(STREAM_AT + sizeof before_message - 1) +
                  stream.len;
}

struct view line_head(struct line *l, const struct log_event *e)
{
    if (!l->json) {
        put_date(l, l->head, e->timestamp_ms);
        l->head[DATE_RFC3339_BYTES] = ' ';
        l->head_len = DATE_RFC3339_BYTES + 1;
    } else {
        if (e->stream.len != l->stream_len ||
            memcmp(e->stream.at, l->head + STREAM_AT, l->stream_len) != 0)
            put_stream(l, e->stream);
        put_date(l, l->head + DATE_AT, e->timestamp_ms);
    }
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
