/* expect.c - see expect.h. */
#include "expect.h"

#include <stdio.h>
#include <string.h>

#include "base/date.h"

/* A character of the model's strings: like UTF-8, but surrogates may be alone.
 * The model makes no others. */
static uint32_t read_code(const uint8_t *at, uint32_t *len)
{
    uint32_t n = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    uint32_t code = n == 1 ? at[0] : at[0] & (0xffu >> (n + 1));
    for (uint32_t i = 1; i < n; i++)
        code = code << 6 | (at[i] & 0x3f);
    *len = n;
    return code;
}

static uint8_t *put_string(uint8_t *to, const char *string)
{
    size_t len = strlen(string);
    memcpy(to, string, len);
    return to + len;
}

static uint8_t *put_escaped(uint8_t *to, uint32_t code)
{
    char escape[8];
    (void)snprintf(escape, sizeof escape, "\\u%04x", code);
    return put_string(to, escape);
}

static uint8_t *put_json(uint8_t *to, struct aws_text t, bool lone)
{
    const uint8_t *at = (const uint8_t *)t.at, *end = at + t.len;
    static const char brief[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (uint32_t len = 0; at < end; at += len) {
        uint32_t code = read_code(at, &len);
        const char *name = NULL;
        for (size_t i = 0; i + 1 < sizeof brief; i += 2)
            if (code == (uint8_t)brief[i])
                name = &brief[i + 1];
        if (name != NULL) {
            *to++ = '\\';
            *to++ = (uint8_t)*name;
        } else if (code < 0x20 || (lone && code >> 11 == 27)) {
            to = put_escaped(to, code);
        } else if (code >> 11 == 27) {
            to = put_string(to, "\xef\xbf\xbd");
        } else {
            memcpy(to, at, len);
            to += len;
        }
    }
    return to;
}

static uint8_t *put_text(uint8_t *to, struct aws_text t)
{
    const uint8_t *at = (const uint8_t *)t.at, *end = at + t.len;
    for (uint32_t len = 0; at < end; at += len) {
        bool lone = read_code(at, &len) >> 11 == 27;
        memcpy(to, lone ? (const uint8_t *)"\xef\xbf\xbd" : at, len);
        to += len;
    }
    return to;
}

static uint8_t *put_date(uint8_t *to, int64_t ms)
{
    char date[DATE_RFC3339_BYTES + 1];
    struct text t;
    text_init(&t, date, sizeof date);
    date_rfc3339(&t, ms);
    return put_string(to, date);
}

uint32_t expect_most(const struct aws_event *e)
{
    return (uint32_t)((e->message.len + e->stream.len) * 6 + 256);
}

struct view expect_line(uint8_t *to, const struct aws_event *e,
                        unsigned form, struct view *message)
{
    uint8_t *from = to;
    bool json = (form & EXPECT_JSON) != 0;
    if (json)
        to = put_string(to, "{\"timestamp\":\"");
    to = put_date(to, e->timestamp);
    if (json) {
        to = put_json(put_string(to, "\",\"stream\":\""), e->stream, false);
        to = put_string(to, "\",\"message\":\"");
    } else {
        *to++ = ' ';
    }
    message->at = to;
    to = json ? put_json(to, e->message, true) : put_text(to, e->message);
    message->len = (uint32_t)(to - message->at);
    if ((form & EXPECT_INGESTED) != 0)
        to = put_date(put_string(to, "\",\"ingested\":\""), e->ingestion);
    if ((form & EXPECT_ID) != 0)
        to = put_string(put_string(to, "\",\"id\":\""), e->id);
    to = put_string(to, json ? "\"}\n" : "\n");
    return (struct view){from, (uint32_t)(to - from)};
}
