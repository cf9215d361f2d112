/* xml.c - see xml.h. */
#include "base/xml.h"

struct tag {
    struct view name;   /* local */
    uint32_t    from;   /* of the "<" */
    uint32_t    to;     /* behind the ">" */
    bool        closes; /* </a> or <a/> */
    bool        opens;  /* <a> or <a/> */
};

static struct view from(struct view v, uint32_t at)
{
    return view_slice(v, at, v.len);
}

/* The offset behind the first `mark` at or after `at`; 0 if there is none. */
static uint32_t behind(struct view v, uint32_t at, const char *mark)
{
    uint32_t len = (uint32_t)strlen(mark);
    while (v.len - at >= len) {
        at += view_find(from(v, at), (uint8_t)mark[0]);
        if (view_starts(from(v, at), mark))
            return at + len;
        at += at < v.len;
    }
    return 0;
}

/* Skips what is no element at "<!" or "<?"; 0 if it has no end. */
static uint32_t skip_other(struct view v, uint32_t at)
{
    struct view rest = from(v, at);
    if (view_starts(rest, "<!--"))
        return behind(v, at + 4, "-->");
    if (view_starts(rest, "<![CDATA["))
        return behind(v, at + 9, "]]>");
    if (view_starts(rest, "<?"))
        return behind(v, at + 2, "?>");
    uint32_t bracket = view_find(rest, '['), end = view_find(rest, '>');
    return bracket < end ? behind(v, at + bracket, "]>")
                         : behind(v, at, ">");
}

/* The ">" of a tag, not one inside an attribute's quotes; v.len if none. */
static uint32_t tag_end(struct view v, uint32_t at)
{
    uint8_t quote = 0;
    for (; at < v.len; at++) {
        uint8_t c = v.at[at];
        if (quote == 0 && c == '>')
            return at;
        if (quote != 0)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
    }
    return v.len;
}

static struct view local_name(struct view inside)
{
    uint32_t len = 0, colon = 0;
    for (; len < inside.len; len++) {
        uint8_t c = inside.at[len];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '/')
            break;
        if (c == ':')
            colon = len + 1;
    }
    return view_slice(inside, colon, len);
}

/* The first tag at or after `at`. */
static bool next_tag(struct view v, uint32_t at, struct tag *tag)
{
    while (at < v.len) {  /* each turn moves on by a byte at least */
        at += view_find(from(v, at), '<');
        if (v.len - at < 3)
            return false;
        if (v.at[at + 1] == '!' || v.at[at + 1] == '?') {
            at = skip_other(v, at);
            if (at == 0)
                return false;
            continue;
        }
        uint32_t end = tag_end(v, at + 1);
        if (end == v.len)
            return false;
        bool end_tag = v.at[at + 1] == '/';
        bool empty = !end_tag && v.at[end - 1] == '/';
        *tag = (struct tag){
            .name = local_name(view_slice(v, at + 1 + end_tag, end)),
            .from = at,
            .to = end + 1,
            .closes = end_tag || empty,
            .opens = !end_tag,
        };
        return true;
    }
    return false;
}

/* Goes from an opened element to its end tag: the one that brings the count
 * of open elements to nothing. */
static bool find_end(struct view v, const struct tag *open, struct tag *end)
{
    uint32_t depth = 1;
    *end = *open;
    if (open->closes)
        return true;
    while (next_tag(v, end->to, end)) {
        depth += end->opens;
        depth -= end->closes;
        if (depth == 0)
            return view_equal(end->name, open->name);
    }
    return false;
}

bool xml_next(struct view *rest, const char *name, struct view *content)
{
    struct tag open = {0}, end;
    while (next_tag(*rest, open.to, &open)) {
        if (!open.opens || !view_is(open.name, name))
            continue;
        if (!find_end(*rest, &open, &end))
            return false;
        *content = open.closes ? view_slice(*rest, open.to, open.to)
                               : view_slice(*rest, open.to, end.from);
        *rest = from(*rest, end.to);
        return true;
    }
    return false;
}

bool xml_find(struct view xml, const char *name, struct view *content)
{
    return xml_next(&xml, name, content);
}

bool xml_root_is(struct view xml, const char *name)
{
    struct tag tag;
    return next_tag(xml, 0, &tag) && tag.opens && view_is(tag.name, name);
}

/* "#10" or "#x1F600"; 0 if it is no character. */
static uint32_t character(struct view v)
{
    bool hex = v.len > 1 && v.at[1] == 'x';
    uint32_t c = 0;
    if (v.len < 2u + hex || v.len > 9)
        return 0;
    for (uint32_t i = 1 + (uint32_t)hex; i < v.len; i++) {
        uint32_t digit = v.at[i] - (uint32_t)'0';
        uint32_t letter = (v.at[i] | 0x20u) - 'a';
        if (hex && letter < 6)
            digit = letter + 10;
        else if (digit > 9)
            return 0;
        c = c * (hex ? 16 : 10) + digit;
    }
    return c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : c;
}

static bool put_entity(struct text *out, struct view name)
{
    static const struct { const char *name; char is; } entity[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''},
    };
    for (size_t i = 0; i < sizeof entity / sizeof entity[0]; i++)
        if (view_is(name, entity[i].name)) {
            text_char(out, entity[i].is);
            return true;
        }
    uint32_t c = view_starts(name, "#") ? character(name) : 0;
    if (c != 0)
        text_utf8(out, c);
    return c != 0;
}

/* Appends what one "<...>" inside a content stands for and returns the offset
 * behind it: a CDATA section's bytes, nothing for anything else. */
static uint32_t put_markup(struct text *out, struct view v, uint32_t at)
{
    bool cdata = view_starts(from(v, at), "<![CDATA[");
    bool other = at + 1 < v.len && (v.at[at + 1] == '!' ||
                                    v.at[at + 1] == '?');
    uint32_t end = tag_end(v, at + 1);
    uint32_t to = other ? skip_other(v, at) : end < v.len ? end + 1 : 0;
    if (cdata && to != 0)
        text_put(out, view_slice(v, at + 9, to - 3));
    return to;
}

bool xml_text(struct view content, struct text *out)
{
    uint32_t at = 0;
    while (at < content.len) {
        uint8_t c = content.at[at];
        if (c == '<') {
            at = put_markup(out, content, at);
            if (at == 0)
                return false;
        } else if (c == '&') {
            struct view rest = from(content, at + 1);
            uint32_t end = view_find(rest, ';');
            if (end == rest.len || !put_entity(out, view_slice(rest, 0, end)))
                return false;
            at += end + 2;
        } else {
            uint32_t end = at;
            while (end < content.len && content.at[end] != '<' &&
                   content.at[end] != '&')
                end++;
            text_put(out, view_slice(content, at, end));
            at = end;
        }
    }
    return !out->overflow;
}

bool xml_string(struct view xml, const char *name, char *at,
                uint32_t capacity)
{
    struct view content;
    struct text t;
    text_init(&t, at, capacity);
    bool ok = xml_find(xml, name, &content) && xml_text(content, &t);
    if (!ok)
        text_reset(&t);
    return ok;
}
