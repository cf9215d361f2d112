/* receipt_read.c - see receipt.h: what comes from outside.
 *
 * Members are found by quotes and brackets alone, so that the index, which is
 * most of it, needs no tokens; each value is then read for what it must be. */
#include "ship/receipt.h"

#include "base/crc.h"
#include "base/date.h"
#include "base/json.h"

struct reading {
    struct view   all;      /* the whole receipt, for offsets */
    struct text  *strings;
    struct fault *fault;
};

static bool damaged(struct reading *rd, struct view near, const char *what)
{
    int64_t offset = near.at != NULL ? near.at - rd->all.at : 0;
    fault_set(rd->fault, ERROR_CORRUPT, "the receipt is damaged", offset);
    fault_words(rd->fault, view_of(what));
    return false;
}

static bool missing(struct reading *rd, struct view object, const char *name)
{
    fault_set(rd->fault, ERROR_CORRUPT, "the receipt lacks a member",
              object.at - rd->all.at);
    fault_words(rd->fault, view_of(name));
    return false;
}

static uint32_t skip_blanks(struct view v, uint32_t at)
{
    while (at < v.len && (v.at[at] == ' ' || v.at[at] == '\n' ||
                          v.at[at] == '\r' || v.at[at] == '\t'))
        at++;
    return at;
}

/* The offset behind the string that begins at `at`; 0 if it does not end. */
static uint32_t skip_string(struct view v, uint32_t at)
{
    for (at++; at < v.len; at++) {
        if (v.at[at] == '"')
            return at + 1;
        at += v.at[at] == '\\';
    }
    return 0;
}

/* The offset behind any value, by its quotes and brackets alone. */
static uint32_t skip_value(struct view v, uint32_t at)
{
    uint32_t depth = 0, from = at;
    while (at < v.len) {
        uint8_t c = v.at[at];
        bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
        bool ends = closes || c == ',' || c == ':';
        if (depth == 0 && ends)
            return at > from ? at : 0;
        depth = depth + opens - closes;
        at = c == '"' ? skip_string(v, at) : at + 1;
        if (at == 0)
            return 0;
    }
    return depth == 0 ? at : 0;
}

/* One member at *at, which goes on behind it and its comma. */
static bool next_member(struct view object, uint32_t *at, struct view *name,
                        struct view *value)
{
    uint32_t from = skip_blanks(object, *at);
    uint32_t to = from < object.len && object.at[from] == '"'
        ? skip_string(object, from) : 0;
    if (to == 0)
        return false;
    *name = view_slice(object, from + 1, to - 1);
    from = skip_blanks(object, to);
    if (from == object.len || object.at[from] != ':')
        return false;
    from = skip_blanks(object, from + 1);
    to = skip_value(object, from);
    if (to == 0)
        return false;
    *value = view_trim(view_slice(object, from, to));
    to = skip_blanks(object, to);
    bool comma = to < object.len && object.at[to] == ',';
    *at = skip_blanks(object, comma ? to + 1 : to);
    return comma ? *at < object.len : to == object.len;
}

/* Finds the members named, all of which must be there; others are skipped. */
static bool read_members(struct reading *rd, struct view object,
                         const char *const *names, struct view *values,
                         uint32_t count)
{
    struct view v = view_trim(object);
    uint32_t at = 1;
    if (v.len < 2 || v.at[0] != '{' || v.at[v.len - 1] != '}')
        return damaged(rd, v, "it is no JSON object");
    v = view_slice(v, 0, v.len - 1);
    memset(values, 0, count * sizeof *values);
    while (skip_blanks(v, at) < v.len) {
        struct view name, value;
        if (!next_member(v, &at, &name, &value))
            return damaged(rd, view_slice(v, at, v.len), "bad JSON");
        for (uint32_t i = 0; i < count; i++) {
            if (!view_is(name, names[i]))
                continue;
            if (values[i].at != NULL)
                return damaged(rd, name, "a member is there twice");
            values[i] = value;
        }
    }
    for (uint32_t i = 0; i < count; i++)
        if (values[i].at == NULL)
            return missing(rd, object, names[i]);
    return true;
}

static bool is_null(struct view v)
{
    return view_is(v, "null");
}

/* A string, decoded; empty where it may be null. */
static bool read_string(struct reading *rd, struct view v, bool or_null,
                        struct view *out)
{
    enum { TOKENS = 1 };
    int32_t words[JSON_WORDS(TOKENS)];
    struct json j;
    uint32_t from = rd->strings->len;
    *out = (struct view){0};
    if (or_null && is_null(v))
        return true;
    if (json_parse(&j, v, words, TOKENS) != JSON_FINE ||
        !json_text(&j, 0, rd->strings))
        return damaged(rd, v, "bad or too long a string");
    *out = view_slice(text_view(rd->strings), from, rd->strings->len);
    return true;
}

static bool read_time(struct reading *rd, struct view v, int64_t *ms)
{
    bool quoted = v.len >= 2 && v.at[0] == '"';
    struct view inside = quoted ? view_slice(v, 1, v.len - 1) : v;
    if (quoted && date_parse_rfc3339(inside, ms, NULL))
        return true;
    return damaged(rd, v, "bad time");
}

/* Not known is null, and leaves *out as it is. */
static bool read_time_or_null(struct reading *rd, struct view v, int64_t *out)
{
    return is_null(v) || read_time(rd, v, out);
}

static bool read_number(struct reading *rd, struct view v, uint64_t *out)
{
    return view_u64(v, UINT64_MAX, out) || damaged(rd, v, "bad number");
}

static bool read_bool(struct reading *rd, struct view v, bool *out)
{
    *out = view_is(v, "true");
    return *out || view_is(v, "false") || damaged(rd, v, "bad boolean");
}

static bool read_digest(struct reading *rd, struct view v, struct tally *tally)
{
    bool quoted = v.len >= 2 && v.at[0] == '"';
    return (quoted && tally_parse(view_slice(v, 1, v.len - 1),
                                  tally->digest)) ||
           damaged(rd, v, "bad digest");
}

static uint32_t base64_digit(uint8_t c)
{
    struct view digits = view_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/");
    return view_find(digits, c);
}

static bool read_crc(struct reading *rd, struct view v, struct receipt *r)
{
    uint64_t crc = 0;
    if (is_null(v))
        return true;
    bool ok = v.len == CRC64_TEXT_BYTES + 2 && v.at[0] == '"' &&
              v.at[CRC64_TEXT_BYTES] == '=';
    for (uint32_t i = 1; ok && i < CRC64_TEXT_BYTES; i++) {
        uint32_t digit = base64_digit(v.at[i]);
        ok = digit < 64 && (i < 11 || digit % 4 == 0);
        crc = i < 11 ? crc << 6 | digit : crc << 4 | digit >> 2;
    }
    r->crc64nvme = crc;
    r->has_crc = ok;
    return ok || damaged(rd, v, "bad crc64nvme");
}

static bool read_state(struct reading *rd, struct view v, struct receipt *r)
{
    struct view word;
    if (!read_string(rd, v, false, &word))
        return false;
    for (uint32_t i = 0; i < RECEIPT_STATE_COUNT; i++)
        if (view_is(word, receipt_state_name[i])) {
            r->state = (enum receipt_state)i;
            return true;
        }
    return damaged(rd, v, "unknown state");
}

static bool read_fields(struct reading *rd, struct view v, struct receipt *r)
{
    enum { TOKENS = 2 * RECEIPT_FIELD_COUNT };
    int32_t words[JSON_WORDS(TOKENS)];
    struct json j;
    if (json_parse(&j, v, words, TOKENS) != JSON_FINE ||
        json_kind(&j, 0) != JSON_ARRAY)
        return damaged(rd, v, "bad fields");
    for (int32_t at = json_first(&j, 0); at != JSON_NONE;
         at = json_next(&j, at)) {
        uint32_t i = 0;
        while (i < RECEIPT_FIELD_COUNT &&
               !json_is(&j, at, receipt_field_name[i]))
            i++;
        if (i == RECEIPT_FIELD_COUNT)
            return damaged(rd, v, "unknown field");
        r->fields |= (uint8_t)(1u << i);
    }
    return true;
}

static bool read_source(struct reading *rd, struct view v, struct receipt *r)
{
    static const char *const names[] = {
        "account", "region", "group", "stream_prefix", "via", "masked",
    };
    struct view m[6];
    return read_members(rd, v, names, m, 6) &&
           read_string(rd, m[0], true, &r->account) &&
           read_string(rd, m[1], true, &r->region) &&
           read_string(rd, m[2], true, &r->group) &&
           read_string(rd, m[3], true, &r->stream_prefix) &&
           read_string(rd, m[4], true, &r->via) &&
           read_bool(rd, m[5], &r->masked);
}

static bool read_window(struct reading *rd, struct view v, struct receipt *r)
{
    static const char *const names[] = {"from", "until", "timezone"};
    struct view m[3];
    if (is_null(v))
        return true;
    return read_members(rd, v, names, m, 3) &&
           read_time(rd, m[0], &r->from_ms) &&
           read_time(rd, m[1], &r->until_ms) &&
           read_string(rd, m[2], true, &r->timezone) &&
           (r->from_ms < r->until_ms || damaged(rd, v, "bad window"));
}

static bool read_settled(struct reading *rd, struct view v, struct receipt *r)
{
    static const char *const names[] = {"until", "events", "digest"};
    struct view m[3];
    if (is_null(v))
        return true;
    r->has_settled = true;
    return read_members(rd, v, names, m, 3) &&
           read_time(rd, m[0], &r->settled_until_ms) &&
           read_number(rd, m[1], &r->settled.events) &&
           read_digest(rd, m[2], &r->settled);
}

static const char *const member[] = {
    "version", "state", "key", "etag", "source", "window", "events",
    "first_event", "last_event", "settled", "bytes_raw", "bytes_stored",
    "crc64nvme", "crc64nvme_confirmed", "digest", "format", "fields",
    "compression", "archived_at", "verified_at", "reason", "tool_version",
    "index",
};
enum {
    M_VERSION, M_STATE, M_KEY, M_ETAG, M_SOURCE, M_WINDOW, M_EVENTS,
    M_FIRST_EVENT, M_LAST_EVENT, M_SETTLED, M_BYTES_RAW, M_BYTES_STORED,
    M_CRC, M_CRC_CONFIRMED, M_DIGEST, M_FORMAT, M_FIELDS, M_COMPRESSION,
    M_ARCHIVED_AT, M_VERIFIED_AT, M_REASON, M_TOOL_VERSION, M_INDEX, M_COUNT,
};

/* What only inflating tells: all of it known, or none. */
static bool read_counts(struct reading *rd, const struct view *m,
                        struct receipt *r)
{
    r->counted = !is_null(m[M_EVENTS]);
    if (!r->counted)
        return true;
    if (!read_number(rd, m[M_EVENTS], &r->tally.events) ||
        !read_number(rd, m[M_BYTES_RAW], &r->bytes_raw) ||
        !read_digest(rd, m[M_DIGEST], &r->tally))
        return false;
    if (r->tally.events == 0)
        return true;
    return read_time(rd, m[M_FIRST_EVENT], &r->tally.first_ms) &&
           read_time(rd, m[M_LAST_EVENT], &r->tally.last_ms);
}

static bool read_form(struct reading *rd, const struct view *m,
                      struct receipt *r)
{
    return read_string(rd, m[M_FORMAT], true, &r->format) &&
           read_fields(rd, m[M_FIELDS], r) &&
           read_string(rd, m[M_COMPRESSION], true, &r->compression) &&
           read_time(rd, m[M_ARCHIVED_AT], &r->archived_ms) &&
           read_time_or_null(rd, m[M_VERIFIED_AT], &r->verified_ms) &&
           read_string(rd, m[M_REASON], true, &r->reason) &&
           read_string(rd, m[M_TOOL_VERSION], true, &r->tool_version);
}

static bool read_index(struct reading *rd, struct view v, struct receipt *r)
{
    struct index_cursor c;
    struct index_entry e;
    uint32_t count = 0;
    index_open(&c, v);
    while (index_next(&c, &e))
        count++;
    r->index = v;
    return (!c.bad && count <= RECEIPT_BYTES) || damaged(rd, v, "bad index");
}

bool receipt_read(struct receipt *r, struct view json, struct text *strings,
                  struct fault *fault)
{
    struct reading rd = {.all = json, .strings = strings, .fault = fault};
    struct view m[M_COUNT];
    *r = (struct receipt){0};
    tally_init(&r->tally);
    tally_init(&r->settled);
    if (json.len > RECEIPT_BYTES)
        return damaged(&rd, json, "it is larger than 128 KiB");
    if (!read_members(&rd, json, member, m, M_COUNT))
        return false;
    if (!view_is(m[M_VERSION], "1"))
        return damaged(&rd, m[M_VERSION], "its version is another one");
    return read_state(&rd, m[M_STATE], r) &&
           read_string(&rd, m[M_KEY], false, &r->key) &&
           read_string(&rd, m[M_ETAG], false, &r->etag) &&
           read_source(&rd, m[M_SOURCE], r) &&
           read_window(&rd, m[M_WINDOW], r) &&
           read_counts(&rd, m, r) &&
           read_settled(&rd, m[M_SETTLED], r) &&
           read_number(&rd, m[M_BYTES_STORED], &r->bytes_stored) &&
           read_crc(&rd, m[M_CRC], r) &&
           read_bool(&rd, m[M_CRC_CONFIRMED], &r->crc64nvme_confirmed) &&
           read_form(&rd, m, r) &&
           read_index(&rd, m[M_INDEX], r);
}
