/* xml.c - reading the few XML documents that a client sends. */
#include "parse.h"

#include <string.h>

enum { DEPTH_MAX = 64 };

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
           c == ':';
}

struct tag {
    struct aws_text name;
    bool            closes;  /* </name> */
    bool            whole;   /* <name/> */
    const char     *after;
};

static bool read_tag(const char *at, const char *end, struct tag *tag)
{
    aws_must(at < end && *at == '<');
    at++;
    *tag = (struct tag){0};
    if (at < end && *at == '/') {
        tag->closes = true;
        at++;
    }
    tag->name.at = at;
    while (at < end && name_char(*at)) at++;
    tag->name.len = (size_t)(at - tag->name.at);
    char quote = 0;
    for (; at < end && (quote != 0 || *at != '>'); at++) {
        if (quote != 0) quote = *at == quote ? 0 : quote;
        else if (*at == '"' || *at == '\'') quote = *at;
        else if (*at == '<') return false;
    }
    if (at == end || tag->name.len == 0) return false;
    tag->whole = at[-1] == '/' && !tag->closes;
    tag->after = at + 1;
    return true;
}

static struct aws_text without_declaration(struct aws_text t)
{
    while (t.len > 0 && (t.at[0] == ' ' || t.at[0] == '\n' ||
                         t.at[0] == '\r' || t.at[0] == '\t')) {
        t.at++;
        t.len--;
    }
    if (!aws_begins(t, "<?xml")) return t;
    const char *found = memchr(t.at, '>', t.len);
    if (found == NULL) return (struct aws_text){NULL, 0};
    size_t skipped = (size_t)(found + 1 - t.at);
    return (struct aws_text){found + 1, t.len - skipped};
}

static const char *next_open(const char *at, const char *end)
{
    return at < end ? memchr(at, '<', (size_t)(end - at)) : NULL;
}

bool aws_xml_valid(struct aws_text t)
{
    struct aws_text open[DEPTH_MAX], body = without_declaration(t);
    const char *at = body.at, *end = body.at + body.len;
    size_t depth = 0, roots = 0;
    while (at != NULL && (at = next_open(at, end)) != NULL) {
        struct tag tag;
        if (!read_tag(at, end, &tag)) return false;
        at = tag.after;
        if (tag.closes) {
            if (depth == 0 || !aws_same(open[--depth], tag.name))
                return false;
            continue;
        }
        roots += depth == 0;
        if (tag.whole) continue;
        if (depth == DEPTH_MAX) return false;
        open[depth++] = tag.name;
    }
    return depth == 0 && roots == 1;
}

bool aws_xml_next(struct aws_text *rest, struct aws_text *name,
                  struct aws_text *inner)
{
    struct aws_text t = without_declaration(*rest);
    const char *end = t.at + t.len, *at = next_open(t.at, end);
    struct tag tag, close;
    if (at == NULL || !read_tag(at, end, &tag) || tag.closes) return false;
    *name = tag.name;
    *inner = (struct aws_text){tag.after, 0};
    at = tag.after;
    for (size_t depth = tag.whole ? 0 : 1; depth > 0; at = close.after) {
        at = next_open(at, end);
        if (at == NULL || !read_tag(at, end, &close)) return false;
        inner->len = (size_t)(at - inner->at);
        if (close.closes) depth--;
        else if (!close.whole) depth++;
    }
    *rest = (struct aws_text){at, (size_t)(end - at)};
    return true;
}

bool aws_xml_find(struct aws_text t, const char *wanted,
                  struct aws_text *inner)
{
    struct aws_text name;
    while (aws_xml_next(&t, &name, inner))
        if (aws_is(name, wanted)) return true;
    *inner = (struct aws_text){NULL, 0};
    return false;
}

static bool put_reference(struct aws_text name, struct aws_buf *out)
{
    static const struct { const char *name, *text; } known[] = {
        {"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""},
        {"apos", "'"}, {"#13", "\r"}, {"#10", "\n"}, {"#9", "\t"},
        {"#xD", "\r"}, {"#xA", "\n"}, {"#34", "\""}, {"#39", "'"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!aws_is(name, known[i].name)) continue;
        aws_puts(out, known[i].text);
        return true;
    }
    return false;
}

bool aws_xml_text(struct aws_text t, struct aws_buf *out)
{
    (void)aws_room(out, t.len + 1);
    while (t.len > 0) {
        struct aws_text after, plain = aws_cut(t, '&', &after);
        aws_put_text(out, plain);
        if (after.at == NULL) break;
        struct aws_text name = aws_cut(after, ';', &t);
        if (t.at == NULL || !put_reference(name, out)) return false;
    }
    return true;
}
