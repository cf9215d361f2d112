/* json.c - see json.h. */
#include "base/json.h"

#define JSMN_STATIC
#define JSMN_PARENT_LINKS
#define JSMN_STRICT
#include <jsmn.h>

_Static_assert(sizeof(jsmntok_t) == JSON_WORDS(sizeof(int32_t)),
               "a token is five words");

static const jsmntok_t *token(const struct json *j, int32_t node)
{
    CHECK(node >= 0 && node < j->count);
    return (const jsmntok_t *)(const void *)j->words + node;
}

/* The first node after this one and all that is inside it. */
static int32_t behind(const struct json *j, int32_t node)
{
    int end = token(j, node)->end;
    int32_t at = node + 1;
    while (at < j->count && token(j, at)->start < end)
        at++;
    return at;
}

/* Between two places, is there the mark, once, unless it is 0, and blanks? */
static bool is_parted(struct json *j, uint32_t from, uint32_t to, char mark)
{
    for (j->offset = from; j->offset < to; j->offset++) {
        char c = (char)j->text.at[j->offset];
        if (c == mark && mark != 0)
            mark = 0;
        else if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            return false;
    }
    return mark == 0;
}

/* A token's first byte, and the one behind it; quotes are a string's. */
static uint32_t begin_of(const struct json *j, int32_t node)
{
    const jsmntok_t *t = token(j, node);
    return (uint32_t)t->start - (t->type == JSMN_STRING);
}

static uint32_t end_of(const struct json *j, int32_t node)
{
    const jsmntok_t *t = token(j, node);
    return (uint32_t)t->end + (t->type == JSMN_STRING);
}

/* An object's or a list's commas, and a name's colon. */
static bool is_filled(struct json *j, int32_t node)
{
    bool names = token(j, node)->type == JSMN_OBJECT;
    uint32_t from = begin_of(j, node) + 1;
    char mark = 0;
    for (int32_t at = json_first(j, node); at != JSON_NONE;
         at = json_next(j, at), mark = ',') {
        if (!is_parted(j, from, begin_of(j, at), mark))
            return false;
        j->offset = from = end_of(j, at);
        if (!names)
            continue;
        int32_t value = json_value(j, at);
        if (value == JSON_NONE ||
            !is_parted(j, from, begin_of(j, value), ':'))
            return false;
        from = end_of(j, value);
    }
    return is_parted(j, from, end_of(j, node) - 1, 0);
}

/* jsmn takes commas and colons for blanks. */
static bool is_punctuated(struct json *j)
{
    for (int32_t node = 0; node < j->count; node++) {
        int type = token(j, node)->type;
        if ((type == JSMN_OBJECT || type == JSMN_ARRAY) &&
            !is_filled(j, node))
            return false;
    }
    return is_parted(j, 0, begin_of(j, 0), 0) &&
           is_parted(j, end_of(j, 0), j->text.len, 0);
}

enum json_error json_parse(struct json *j, struct view text, int32_t *words,
                           uint32_t tokens)
{
    jsmn_parser parser;
    *j = (struct json){.text = text, .words = words};
    if (text.len > INT32_MAX)
        return JSON_MANY;
    jsmn_init(&parser);
    int count = jsmn_parse(&parser, (const char *)text.at, text.len,
                           (jsmntok_t *)(void *)words, tokens);
    j->offset = parser.pos < text.len ? parser.pos : text.len;
    if (count == JSMN_ERROR_NOMEM)
        return JSON_MANY;
    if (count == JSMN_ERROR_INVAL)
        return JSON_INVALID;
    if (count <= 0)
        return JSON_CUT;
    j->count = count;
    if (behind(j, 0) < count) {  /* a second document */
        j->offset = (uint32_t)token(j, behind(j, 0))->start;
        j->count = 0;
        return JSON_INVALID;
    }
    return is_punctuated(j) ? JSON_FINE : JSON_INVALID;
}

enum json_kind json_kind(const struct json *j, int32_t node)
{
    if (node == JSON_NONE)
        return JSON_ABSENT;
    struct view raw = json_raw(j, node);
    jsmntype_t type = token(j, node)->type;
    if (type == JSMN_OBJECT)
        return JSON_OBJECT;
    if (type == JSMN_ARRAY)
        return JSON_ARRAY;
    if (type == JSMN_STRING)
        return JSON_STRING;
    if (view_is(raw, "null"))
        return JSON_NULL;
    if (view_is(raw, "true") || view_is(raw, "false"))
        return JSON_BOOL;
    return JSON_NUMBER;
}

struct view json_raw(const struct json *j, int32_t node)
{
    if (node == JSON_NONE)
        return (struct view){0};
    const jsmntok_t *t = token(j, node);
    return view_slice(j->text, (uint32_t)t->start, (uint32_t)t->end);
}

int32_t json_first(const struct json *j, int32_t node)
{
    enum json_kind kind = json_kind(j, node);
    bool holds = (kind == JSON_OBJECT || kind == JSON_ARRAY) &&
                 token(j, node)->size > 0;
    return holds ? node + 1 : JSON_NONE;
}

int32_t json_next(const struct json *j, int32_t node)
{
    if (node == JSON_NONE)
        return JSON_NONE;
    int32_t last = json_value(j, node) != JSON_NONE ? node + 1 : node;
    int32_t next = behind(j, last);
    bool sibling = next < j->count &&
                   token(j, next)->parent == token(j, node)->parent;
    return sibling ? next : JSON_NONE;
}

int32_t json_value(const struct json *j, int32_t name)
{
    bool has = name != JSON_NONE && token(j, name)->type == JSMN_STRING &&
               token(j, name)->size == 1;
    return has ? name + 1 : JSON_NONE;
}

int32_t json_member(const struct json *j, int32_t node, const char *name)
{
    int32_t found = JSON_NONE;
    if (json_kind(j, node) != JSON_OBJECT)
        return JSON_NONE;
    for (int32_t at = json_first(j, node); at != JSON_NONE;
         at = json_next(j, at))
        if (json_is(j, at, name))
            found = json_value(j, at);
    return found;
}

/* Of a digit: jsmn takes no other in an escape. */
static uint32_t hex_digit(uint8_t c)
{
    return c <= '9' ? c - (uint32_t)'0' : (c | 0x20u) - 'a' + 10;
}

/* The four digits of \uXXXX, if it stands at `at`; else UINT32_MAX. */
static uint32_t unit_at(struct view v, uint32_t at)
{
    uint32_t unit = 0;
    if (v.len - at < 6 || v.at[at] != '\\' || v.at[at + 1] != 'u')
        return UINT32_MAX;
    for (uint32_t i = 2; i < 6; i++)
        unit = unit << 4 | (hex_digit(v.at[at + i]) & 15);
    return unit;
}

/* Decodes the escape at `at` and returns its length. That it is one of JSON's
 * jsmn has seen to; another would be NUL. */
static uint32_t put_escape(struct text *out, struct view v, uint32_t at)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint32_t c = unit_at(v, at);
    if (c == UINT32_MAX) {
        text_char(out, to[view_find(view_of(from), v.at[at + 1])]);
        return 2;
    }
    if (c < 0xd800 || c > 0xdfff) {
        text_utf8(out, c);
        return 6;
    }
    uint32_t low = c < 0xdc00 ? unit_at(v, at + 6) : 0;
    bool pair = low >= 0xdc00 && low <= 0xdfff;
    text_utf8(out, pair ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00)
                        : 0xfffd);
    return pair ? 12 : 6;
}

bool json_text(const struct json *j, int32_t node, struct text *out)
{
    if (json_kind(j, node) != JSON_STRING)
        return false;
    struct view v = json_raw(j, node);
    uint32_t at = 0;
    while (at < v.len) {
        struct view rest = view_slice(v, at, v.len);
        uint32_t plain = view_find(rest, '\\');
        text_put(out, view_slice(rest, 0, plain));
        at += plain;
        if (at == v.len)
            break;
        at += put_escape(out, v, at);
    }
    return !out->overflow;
}

bool json_is(const struct json *j, int32_t node, const char *string)
{
    char room[128];
    struct text t;
    if (json_kind(j, node) != JSON_STRING)
        return false;
    struct view raw = json_raw(j, node);
    if (view_find(raw, '\\') == raw.len)
        return view_is(raw, string);
    text_init(&t, room, sizeof room);
    return json_text(j, node, &t) && view_is(text_view(&t), string);
}

bool json_i64(const struct json *j, int32_t node, int64_t *out)
{
    return json_kind(j, node) == JSON_NUMBER &&
           view_i64(json_raw(j, node), out);
}

bool json_bool(const struct json *j, int32_t node, bool *out)
{
    if (json_kind(j, node) != JSON_BOOL)
        return false;
    *out = view_is(json_raw(j, node), "true");
    return true;
}
