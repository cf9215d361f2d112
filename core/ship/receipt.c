/* receipt.c - see receipt.h. */
#include "ship/receipt.h"

#include "base/crc.h"
#include "base/date.h"

const char *const receipt_state_name[] = {"provisional", "sealed", "imported"};
const char *const receipt_field_name[] = {
    "timestamp", "stream", "message", "ingested", "id",
};

/* --- values -------------------------------------------------------------- */

static void put_string(struct text *t, struct view v)
{
    text_char(t, '"');
    text_json(t, v);
    text_char(t, '"');
}

static void put_optional(struct text *t, struct view v)
{
    if (v.len > 0)
        put_string(t, v);
    else
        text_str(t, "null");
}

static void put_bool(struct text *t, bool value)
{
    text_str(t, value ? "true" : "false");
}

static void put_time(struct text *t, int64_t ms, bool known)
{
    if (!known) {
        text_str(t, "null");
        return;
    }
    text_char(t, '"');
    date_rfc3339(t, ms);
    text_char(t, '"');
}

static void put_number(struct text *t, uint64_t value, bool known)
{
    if (known)
        text_u64(t, value);
    else
        text_str(t, "null");
}

static void put_digest(struct text *t, const struct tally *tally, bool known)
{
    text_str(t, known ? "\"" : "null");
    if (!known)
        return;
    tally_text(t, tally);
    text_char(t, '"');
}

static void put_crc(struct text *t, const struct receipt *r)
{
    text_str(t, r->has_crc ? "\"" : "null");
    if (!r->has_crc)
        return;
    crc64_text(t, r->crc64nvme);
    text_char(t, '"');
}

static void name(struct text *t, const char *before, const char *member)
{
    text_str(t, before);
    text_char(t, '"');
    text_str(t, member);
    text_str(t, "\": ");
}

/* --- groups of members --------------------------------------------------- */

static void put_source(struct text *t, const struct receipt *r)
{
    name(t, ",\n", "source");
    name(t, "{", "account");
    put_optional(t, r->account);
    name(t, ", ", "region");
    put_optional(t, r->region);
    name(t, ", ", "group");
    put_optional(t, r->group);
    name(t, ", ", "stream_prefix");
    put_optional(t, r->stream_prefix);
    name(t, ", ", "via");
    put_optional(t, r->via);
    name(t, ", ", "masked");
    put_bool(t, r->masked);
    text_char(t, '}');
}

static void put_window(struct text *t, const struct receipt *r)
{
    name(t, ",\n", "window");
    if (r->until_ms <= r->from_ms) {
        text_str(t, "null");
        return;
    }
    name(t, "{", "from");
    put_time(t, r->from_ms, true);
    name(t, ", ", "until");
    put_time(t, r->until_ms, true);
    name(t, ", ", "timezone");
    put_optional(t, r->timezone);
    text_char(t, '}');
}

static void put_settled(struct text *t, const struct receipt *r)
{
    name(t, ",\n", "settled");
    if (!r->has_settled) {
        text_str(t, "null");
        return;
    }
    name(t, "{", "until");
    put_time(t, r->settled_until_ms, true);
    name(t, ", ", "events");
    text_u64(t, r->settled.events);
    name(t, ", ", "digest");
    put_digest(t, &r->settled, true);
    text_char(t, '}');
}

/* Of a merge: what it was made of. */
static void put_merged(struct text *t, const struct receipt *r)
{
    if (r->merged_from.len == 0)
        return;
    name(t, ",\n", "merged");
    name(t, "{", "from");
    put_string(t, r->merged_from);
    name(t, ", ", "objects");
    text_u64(t, r->merged_objects);
    name(t, ", ", "listed_at");
    put_time(t, r->merged_ms, true);
    text_char(t, '}');
}

static void put_counts(struct text *t, const struct receipt *r)
{
    bool any = r->counted && r->tally.events > 0;
    name(t, ",\n", "events");
    put_number(t, r->tally.events, r->counted);
    name(t, ",\n", "first_event");
    put_time(t, r->tally.first_ms, any);
    name(t, ",\n", "last_event");
    put_time(t, r->tally.last_ms, any);
    put_settled(t, r);
    name(t, ",\n", "bytes_raw");
    put_number(t, r->bytes_raw, r->counted || r->bytes_raw > 0);
    name(t, ",\n", "bytes_stored");
    text_u64(t, r->bytes_stored);
    name(t, ",\n", "crc64nvme");
    put_crc(t, r);
    name(t, ",\n", "crc64nvme_confirmed");
    put_bool(t, r->crc64nvme_confirmed);
    name(t, ",\n", "digest");
    put_digest(t, &r->tally, r->counted);
}

static void put_fields(struct text *t, uint8_t fields)
{
    const char *before = "";
    text_char(t, '[');
    for (uint32_t i = 0; i < RECEIPT_FIELD_COUNT; i++) {
        if ((fields >> i & 1) == 0)
            continue;
        text_str(t, before);
        put_string(t, view_of(receipt_field_name[i]));
        before = ", ";
    }
    text_char(t, ']');
}

static void put_form(struct text *t, const struct receipt *r)
{
    name(t, ",\n", "format");
    put_optional(t, r->format);
    name(t, ",\n", "fields");
    put_fields(t, r->fields);
    name(t, ",\n", "compression");
    put_optional(t, r->compression);
    name(t, ",\n", "archived_at");
    put_time(t, r->archived_ms, true);
    name(t, ",\n", "verified_at");
    put_time(t, r->verified_ms, r->verified_ms != 0);
    name(t, ",\n", "reason");
    put_optional(t, r->reason);
    name(t, ",\n", "tool_version");
    put_optional(t, r->tool_version);
}

void receipt_write(struct text *t, const struct receipt *r,
                   const struct index *x)
{
    name(t, "{\n", "version");
    text_u64(t, RECEIPT_VERSION);
    name(t, ",\n", "state");
    put_string(t, view_of(receipt_state_name[r->state]));
    name(t, ",\n", "key");
    put_string(t, r->key);
    name(t, ",\n", "etag");
    put_string(t, r->etag);
    put_source(t, r);
    put_window(t, r);
    put_merged(t, r);
    put_counts(t, r);
    put_form(t, r);
    name(t, ",\n", "index");
    if (x != NULL)
        index_write(t, x);
    else if (r->index.len > 0)
        text_put(t, r->index);
    else
        text_str(t, "[]");
    text_str(t, "\n}\n");
}

/* --- the key ------------------------------------------------------------- */

static struct view stem_of(struct view file)
{
    static const char *const endings[] = {
        ".ndjson.gz", ".ndjson.zst", ".ndjson",
        ".log.gz", ".log.zst", ".log",
    };
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        uint32_t len = view_of(endings[i]).len;
        if (file.len > len && view_ends(file, endings[i]))
            return view_slice(file, 0, file.len - len);
    }
    return file;
}

void receipt_key(struct text *t, struct view key, const char *kind)
{
    uint32_t file = view_last(key, '/');
    text_put(t, view_slice(key, 0, file));
    text_char(t, '_');
    text_put(t, stem_of(view_slice(key, file, key.len)));
    text_char(t, '.');
    text_str(t, kind);
    text_str(t, ".json");
}
