/* members.c - see members.h. */
#include "base/members.h"

#include "base/crc.h"
#include "base/date.h"
#include "base/json.h"

bool members_damaged(struct members *m, struct view near, const char *what)
{
    int64_t offset = near.at != NULL ? near.at - m->all.at : 0;
    fault_set(m->fault, ERROR_CORRUPT, m->what, offset);
    fault_words(m->fault, view_of(what));
    return false;
}

bool members_hold(struct members *m, struct view near, bool holds,
                  const char *what)
{
    return holds ? true : members_damaged(m, near, what);
}

static bool missing(struct members *m, struct view object, const char *name)
{
    char words[64];
    struct text t;
    text_init(&t, words, sizeof words);
    text_str(&t, "it lacks \"");
    text_str(&t, name);
    text_str(&t, "\"");
    fault_set(m->fault, ERROR_CORRUPT, m->what, object.at - m->all.at);
    fault_words(m->fault, text_view(&t));
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
    return depth == 0 && at > from ? at : 0;
}

/* One member at *at, where there is more than blanks; *at goes on behind it and
 * its comma. */
static bool next_member(struct view object, uint32_t *at, struct view *name,
                        struct view *value)
{
    uint32_t from = skip_blanks(object, *at);
    uint32_t to = object.at[from] == '"' ? skip_string(object, from) : 0;
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

bool members_find(struct members *m, struct view object,
                  const char *const *names, struct view *values,
                  uint32_t count)
{
    struct view v = view_trim(object);
    uint32_t at = 1;
    if (v.len < 2 || v.at[0] != '{' || v.at[v.len - 1] != '}')
        return members_damaged(m, v, "it is no JSON object");
    v = view_slice(v, 0, v.len - 1);
    memset(values, 0, count * sizeof *values);
    while (skip_blanks(v, at) < v.len) {
        struct view name, value;
        if (!next_member(v, &at, &name, &value))
            return members_damaged(m, view_slice(v, at, v.len), "bad JSON");
        for (uint32_t i = 0; i < count; i++) {
            if (!view_is(name, names[i]))
                continue;
            if (values[i].at != NULL)
                return members_damaged(m, name, "a member is there twice");
            values[i] = value;
        }
    }
    for (uint32_t i = 0; i < count; i++)
        if (values[i].at == NULL)
            return missing(m, object, names[i]);
    return true;
}

bool members_null(struct view v)
{
    return view_is(v, "null");
}

bool members_string(struct members *m, struct view v, bool or_null,
                    struct view *out)
{
    enum { TOKENS = 1 };
    int32_t words[JSON_WORDS(TOKENS)];
    struct json j;
    uint32_t from = m->strings->len;
    *out = (struct view){0};
    if (or_null && members_null(v))
        return true;
    if (json_parse(&j, v, words, TOKENS) != JSON_FINE ||
        !json_text(&j, 0, m->strings))
        return members_damaged(m, v, "bad or too long a string");
    *out = view_slice(text_view(m->strings), from, m->strings->len);
    return true;
}

bool members_time(struct members *m, struct view v, int64_t *ms)
{
    bool quoted = v.len >= 2 && v.at[0] == '"';
    struct view inside = quoted ? view_slice(v, 1, v.len - 1) : v;
    if (quoted && date_parse_rfc3339(inside, ms, NULL))
        return true;
    return members_damaged(m, v, "bad time");
}

bool members_time_or_null(struct members *m, struct view v, int64_t *out)
{
    return members_null(v) || members_time(m, v, out);
}

bool members_number(struct members *m, struct view v, uint64_t *out)
{
    return members_hold(m, v, view_u64(v, UINT64_MAX, out), "bad number");
}

bool members_bool(struct members *m, struct view v, bool *out)
{
    *out = view_is(v, "true");
    return members_hold(m, v, *out || view_is(v, "false"), "bad boolean");
}

bool members_digest(struct members *m, struct view v, struct tally *tally)
{
    bool quoted = v.len >= 2 && v.at[0] == '"';
    bool sound = quoted && tally_parse(view_slice(v, 1, v.len - 1),
                                       tally->digest);
    return members_hold(m, v, sound, "bad digest");
}

bool members_crc64(struct members *m, struct view v, bool *known,
                   uint64_t *crc)
{
    bool quoted = v.len >= 2 && v.at[0] == '"';
    *known = !members_null(v);
    bool sound = !*known ||
                 (quoted && crc64_parse(view_slice(v, 1, v.len - 1), crc));
    return members_hold(m, v, sound, "bad CRC-64");
}
