/* receipt_read.c - see receipt.h: what comes from outside.
 *
 * The index, which is most of it, is checked and left in place. */
#include "ship/receipt.h"

#include "base/json.h"
#include "base/members.h"

static bool read_state(struct members *rd, struct view v, struct receipt *r)
{
    struct view word;
    if (!members_string(rd, v, false, &word))
        return false;
    for (uint32_t i = 0; i < RECEIPT_STATE_COUNT; i++)
        if (view_is(word, receipt_state_name[i])) {
            r->state = (enum receipt_state)i;
            return true;
        }
    return members_damaged(rd, v, "unknown state");
}

static bool read_fields(struct members *rd, struct view v, struct receipt *r)
{
    enum { TOKENS = 2 * RECEIPT_FIELD_COUNT };
    int32_t words[JSON_WORDS(TOKENS)];
    struct json j;
    if (json_parse(&j, v, words, TOKENS) != JSON_FINE ||
        json_kind(&j, 0) != JSON_ARRAY)
        return members_damaged(rd, v, "bad fields");
    for (int32_t at = json_first(&j, 0); at != JSON_NONE;
         at = json_next(&j, at)) {
        uint32_t i = 0;
        while (i < RECEIPT_FIELD_COUNT &&
               !json_is(&j, at, receipt_field_name[i]))
            i++;
        if (i == RECEIPT_FIELD_COUNT)
            return members_damaged(rd, v, "unknown field");
        r->fields |= (uint8_t)(1u << i);
    }
    return true;
}

static bool read_source(struct members *rd, struct view v, struct receipt *r)
{
    static const char *const names[] = {
        "account", "region", "group", "stream_prefix", "via", "masked",
    };
    struct view m[6];
    return members_find(rd, v, names, m, 6) &&
           members_string(rd, m[0], true, &r->account) &&
           members_string(rd, m[1], true, &r->region) &&
           members_string(rd, m[2], true, &r->group) &&
           members_string(rd, m[3], true, &r->stream_prefix) &&
           members_string(rd, m[4], true, &r->via) &&
           members_bool(rd, m[5], &r->masked);
}

static bool read_window(struct members *rd, struct view v, struct receipt *r)
{
    static const char *const names[] = {"from", "until", "timezone"};
    struct view m[3];
    if (members_null(v))
        return true;
    return members_find(rd, v, names, m, 3) &&
           members_time(rd, m[0], &r->from_ms) &&
           members_time(rd, m[1], &r->until_ms) &&
           members_string(rd, m[2], true, &r->timezone) &&
           members_hold(rd, v, r->from_ms < r->until_ms, "bad window");
}

/* Only a merge has it. */
static bool read_merged(struct members *rd, struct view json,
                        struct receipt *r)
{
    static const char *const all[] = {"merged"};
    static const char *const names[] = {"from", "objects", "listed_at"};
    struct fault none;
    struct members probe = {.all = json, .fault = &none, .what = ""};
    struct view v, m[3];
    fault_reset(&none);
    if (!members_find(&probe, json, all, &v, 1))
        return true;
    return members_find(rd, v, names, m, 3) &&
           members_string(rd, m[0], false, &r->merged_from) &&
           members_number(rd, m[1], &r->merged_objects) &&
           members_time(rd, m[2], &r->merged_ms);
}

static bool read_settled(struct members *rd, struct view v, struct receipt *r)
{
    static const char *const names[] = {"until", "events", "digest"};
    struct view m[3];
    if (members_null(v))
        return true;
    r->has_settled = true;
    return members_find(rd, v, names, m, 3) &&
           members_time(rd, m[0], &r->settled_until_ms) &&
           members_number(rd, m[1], &r->settled.events) &&
           members_digest(rd, m[2], &r->settled);
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

/* What only inflating tells; what lies in lines that are no records is not
 * counted. */
static bool read_counts(struct members *rd, const struct view *m,
                        struct receipt *r)
{
    bool raw = !members_null(m[M_BYTES_RAW]);

    r->counted = !members_null(m[M_EVENTS]);
    if ((raw || r->counted) &&
        !members_number(rd, m[M_BYTES_RAW], &r->bytes_raw))
        return false;
    if (!r->counted)
        return true;
    if (!members_number(rd, m[M_EVENTS], &r->tally.events) ||
        !members_digest(rd, m[M_DIGEST], &r->tally))
        return false;
    if (r->tally.events == 0)
        return true;
    return members_time(rd, m[M_FIRST_EVENT], &r->tally.first_ms) &&
           members_time(rd, m[M_LAST_EVENT], &r->tally.last_ms);
}

static bool read_form(struct members *rd, const struct view *m,
                      struct receipt *r)
{
    return members_string(rd, m[M_FORMAT], true, &r->format) &&
           read_fields(rd, m[M_FIELDS], r) &&
           members_string(rd, m[M_COMPRESSION], true, &r->compression) &&
           members_time(rd, m[M_ARCHIVED_AT], &r->archived_ms) &&
           members_time_or_null(rd, m[M_VERIFIED_AT], &r->verified_ms) &&
           members_string(rd, m[M_REASON], true, &r->reason) &&
           members_string(rd, m[M_TOOL_VERSION], true, &r->tool_version);
}

static bool read_index(struct members *rd, struct view v, struct receipt *r)
{
    struct index_cursor c;
    struct index_entry e;
    index_open(&c, v);
    while (index_next(&c, &e))
        continue;
    r->index = v;
    return members_hold(rd, v, !c.bad, "bad index");
}

bool receipt_read(struct receipt *r, struct view json, struct text *strings,
                  struct fault *fault)
{
    struct members rd = {
        .all = json, .strings = strings, .fault = fault,
        .what = "the receipt is damaged",
    };
    struct view m[M_COUNT];
    *r = (struct receipt){0};
    tally_init(&r->tally);
    tally_init(&r->settled);
    if (json.len > RECEIPT_BYTES)
        return members_damaged(&rd, json, "it is larger than 128 KiB");
    if (!members_find(&rd, json, member, m, M_COUNT))
        return false;
    if (!view_is(m[M_VERSION], "1"))
        return members_damaged(&rd, m[M_VERSION], "its version is another one");
    return read_state(&rd, m[M_STATE], r) &&
           members_string(&rd, m[M_KEY], false, &r->key) &&
           members_string(&rd, m[M_ETAG], false, &r->etag) &&
           read_source(&rd, m[M_SOURCE], r) &&
           read_window(&rd, m[M_WINDOW], r) &&
           read_merged(&rd, json, r) &&
           read_counts(&rd, m, r) &&
           read_settled(&rd, m[M_SETTLED], r) &&
           members_number(&rd, m[M_BYTES_STORED], &r->bytes_stored) &&
           members_crc64(&rd, m[M_CRC], &r->has_crc, &r->crc64nvme) &&
           members_bool(&rd, m[M_CRC_CONFIRMED], &r->crc64nvme_confirmed) &&
           read_form(&rd, m, r) &&
           read_index(&rd, m[M_INDEX], r);
}
