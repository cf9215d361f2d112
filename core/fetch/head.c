/* head.c - see head.h. */
#include "fetch/head.h"

/* Whether `v` goes on with `want` at *at; moves *at past it. */
static enum head_got expect(struct view v, uint32_t *at, const char *want)
{
    uint32_t len = (uint32_t)strlen(want), left = v.len - *at;
    uint32_t n = left < len ? left : len;

    if (memcmp(v.at + *at, want, n) != 0)
        return HEAD_FOREIGN;
    *at += n;
    return n == len ? HEAD_OURS : HEAD_PART;
}

/* Moves *at to the quote that ends the string. */
static enum head_got past_string(struct view v, uint32_t *at)
{
    for (; *at < v.len && v.at[*at] != '"'; ++*at)
        if (v.at[*at] == '\\' && ++*at == v.len)
            break;
    return *at < v.len ? HEAD_OURS : HEAD_PART;
}

enum head_got head_json(struct view v, struct head *h)
{
    uint32_t at = 0;
    enum head_got got = expect(v, &at, HEAD_START);

    *h = (struct head){0};
    if (got != HEAD_OURS)
        return got;
    if (v.len - at < DATE_RFC3339_BYTES)
        return HEAD_PART;
    if (!date_parse_stamp(view_slice(v, at, at + DATE_RFC3339_BYTES),
                          &h->at_ms))
        return HEAD_FOREIGN;
    at += DATE_RFC3339_BYTES;
    uint32_t from = at;
    got = expect(v, &from, "\",\"stream\":\"");
    if (got == HEAD_PART)
        return got;
    if (got == HEAD_OURS) {
        at = from;
        if (past_string(v, &at) == HEAD_PART)
            return HEAD_PART;
        h->stream = view_slice(v, from, at);
    }
    got = expect(v, &at, HEAD_MESSAGE);
    h->len = at;
    return got;
}

bool head_stamp_text(struct view line, int64_t *at_ms)
{
    return line.len >= HEAD_TEXT_BYTES &&
           line.at[DATE_RFC3339_BYTES] == ' ' &&
           date_parse_stamp(view_slice(line, 0, DATE_RFC3339_BYTES), at_ms);
}

bool head_stamp_json(struct view line, int64_t *at_ms)
{
    return line.len >= HEAD_STAMP_BYTES && view_starts(line, HEAD_START) &&
           line.at[HEAD_STAMP_BYTES - 1] == '"' &&
           date_parse_stamp(view_slice(line, HEAD_STAMP_AT,
                                       HEAD_STAMP_BYTES - 1), at_ms);
}

enum head_got head_text(struct view v, struct head *h)
{
    *h = (struct head){.len = HEAD_TEXT_BYTES};
    if (v.len < HEAD_TEXT_BYTES)
        return HEAD_PART;
    return head_stamp_text(v, &h->at_ms) ? HEAD_OURS : HEAD_FOREIGN;
}
