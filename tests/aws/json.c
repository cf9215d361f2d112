/* json.c - reading the JSON that a client sends. */
#include "parse.h"

#include <string.h>

enum { DEPTH_MAX = 64 };

struct reader {
    const char *at, *end;
};

static void skip_blank(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' ||
                              *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool skip_char(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

static bool skip_string(struct reader *r)
{
    if (!skip_char(r, '"')) return false;
    while (r->at < r->end && *r->at != '"') {
        if ((uint8_t)*r->at < 0x20) return false;
        if (*r->at++ != '\\') continue;
        if (r->at == r->end) return false;
        char c = *r->at++;
        if (c == 'u') {
            if (r->end - r->at < 4) return false;
            for (int i = 0; i < 4; i++)
                if (!is_hex(*r->at++)) return false;
        } else if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL) {
            return false;
        }
    }
    return skip_char(r, '"');
}

static bool skip_digits(struct reader *r)
{
    const char *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
    return r->at > start;
}

static bool skip_number(struct reader *r)
{
    (void)skip_char(r, '-');
    if (!skip_char(r, '0') && !skip_digits(r)) return false;
    if (skip_char(r, '.') && !skip_digits(r)) return false;
    if (skip_char(r, 'e') || skip_char(r, 'E')) {
        if (!skip_char(r, '+')) (void)skip_char(r, '-');
        if (!skip_digits(r)) return false;
    }
    return true;
}

static bool skip_word(struct reader *r, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

static bool skip_scalar(struct reader *r)
{
    if (r->at == r->end) return false;
    switch (*r->at) {
    case '"': return skip_string(r);
    case 't': return skip_word(r, "true");
    case 'f': return skip_word(r, "false");
    case 'n': return skip_word(r, "null");
    default:  return skip_number(r);
    }
}

static bool skip_name(struct reader *r)
{
    skip_blank(r);
    if (!skip_string(r)) return false;
    skip_blank(r);
    return skip_char(r, ':');
}

/* After a value: closes what ends here; false when the document is wrong.
 * Leaves the reader where the next value must start, if depth is not 0. */
static bool after_value(struct reader *r, char open[DEPTH_MAX], int *depth)
{
    while (*depth > 0) {
        char kind = open[*depth - 1];
        skip_blank(r);
        if (skip_char(r, ','))
            return kind == '[' || skip_name(r);
        if (!skip_char(r, kind == '[' ? ']' : '}')) return false;
        (*depth)--;
    }
    return true;
}

static bool skip_value(struct reader *r)
{
    char open[DEPTH_MAX];
    int depth = 0;
    do {
        skip_blank(r);
        bool list = skip_char(r, '['), object = !list && skip_char(r, '{');
        if (list || object) {
            if (depth == DEPTH_MAX) return false;
            open[depth] = list ? '[' : '{';
            skip_blank(r);
            if (!skip_char(r, list ? ']' : '}')) {
                depth++;
                if (object && !skip_name(r)) return false;
                continue;
            }
        } else if (!skip_scalar(r)) {
            return false;
        }
        if (!after_value(r, open, &depth)) return false;
    } while (depth > 0);
    return true;
}

static struct reader reader_of(struct aws_text t)
{
    return (struct reader){t.at, t.at + t.len};
}

bool aws_json_valid(struct aws_text t)
{
    struct reader r = reader_of(t);
    if (t.len == 0 || !skip_value(&r)) return false;
    skip_blank(&r);
    return r.at == r.end;
}

/* The value at the reader, which moves past it and a comma. */
static struct aws_text take_value(struct reader *r)
{
    skip_blank(r);
    const char *start = r->at;
    aws_must(skip_value(r));
    struct aws_text value = {start, (size_t)(r->at - start)};
    skip_blank(r);
    (void)skip_char(r, ',');
    return value;
}

static void rest_of(struct reader *r, struct aws_text *rest)
{
    *rest = (struct aws_text){r->at, (size_t)(r->end - r->at)};
}

bool aws_json_next(struct aws_text *rest, struct aws_text *name,
                   struct aws_text *value)
{
    struct reader r = reader_of(*rest);
    skip_blank(&r);
    (void)skip_char(&r, '{');
    skip_blank(&r);
    if (r.at == r.end || *r.at != '"') return false;
    const char *start = r.at + 1;
    aws_must(skip_string(&r));
    *name = (struct aws_text){start, (size_t)(r.at - 1 - start)};
    skip_blank(&r);
    aws_must(skip_char(&r, ':'));
    *value = take_value(&r);
    rest_of(&r, rest);
    return true;
}

bool aws_json_member(struct aws_text object, const char *wanted,
                     struct aws_text *value)
{
    struct aws_text rest = object, name;
    *value = (struct aws_text){NULL, 0};
    if (object.len == 0 || object.at[0] != '{') return false;
    while (aws_json_next(&rest, &name, value))
        if (aws_is(name, wanted)) return !aws_is(*value, "null");
    *value = (struct aws_text){NULL, 0};
    return false;
}

bool aws_json_item(struct aws_text *rest, struct aws_text *value)
{
    struct reader r = reader_of(*rest);
    skip_blank(&r);
    (void)skip_char(&r, '[');
    skip_blank(&r);
    if (r.at == r.end || *r.at == ']') return false;
    *value = take_value(&r);
    rest_of(&r, rest);
    return true;
}

static unsigned hex4(const char *at)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        v = v << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return v;
}

static void put_code(struct aws_buf *out, unsigned code)
{
    char b[4];
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i-- > 1; code >>= 6)
        b[i] = (char)(0x80 | (code & 0x3f));
    b[0] = (char)(lead[len] | code);
    aws_put(out, b, len);
}

/* Reads the four digits at `at`, and a second half that may follow. */
static const char *unescape_u(const char *at, const char *end,
                              struct aws_buf *out)
{
    unsigned code = hex4(at);
    at += 4;
    if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' &&
        at[1] == 'u') {
        unsigned low = hex4(at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        }
    }
    put_code(out, code);
    return at;
}

bool aws_json_string(struct aws_text value, struct aws_buf *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    if (value.len < 2 || value.at[0] != '"') return false;
    const char *at = value.at + 1, *end = value.at + value.len - 1;
    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        const char *stop = slash != NULL ? slash : end;
        aws_put(out, at, (size_t)(stop - at));
        if (slash == NULL) break;
        char c = slash[1];
        at = slash + 2;
        if (c == 'u') {
            at = unescape_u(at, end, out);
            continue;
        }
        const char *found = strchr(from, c);
        if (found != NULL) c = to[found - from];
        aws_put(out, &c, 1);
    }
    return true;
}
