/* elements.c - see elements.h.
 *
 * One byte, one turn of a state machine: replies are small beside the bytes
 * they are about. */
#include "ship/elements.h"

enum state {
    OUTSIDE,   /* before or after the outermost element */
    TEXT,
    ENTITY,    /* behind "&" */
    TAG,       /* behind "<" */
    NAME,      /* of a start tag */
    INSIDE,    /* a start tag, behind its name */
    QUOTED,    /* an attribute's value */
    EMPTY,     /* behind the "/" of "<a/>" */
    END_NAME,  /* of an end tag */
    END_REST,  /* blanks behind it */
    BANG,      /* behind "<!" */
    COMMENT,
    ASKED,     /* a processing instruction, behind "<?" */
    WHOLE,     /* the outermost element has ended */
    BAD,       /* final */
};

void elements_init(struct elements *e, struct ring *in)
{
    *e = (struct elements){.in = in, .state = OUTSIDE};
    text_init(&e->path, e->path_bytes, sizeof e->path_bytes);
    text_init(&e->value, e->value_bytes, sizeof e->value_bytes);
    text_init(&e->entity, e->entity_bytes, sizeof e->entity_bytes);
}

bool elements_at(const struct elements *e, const char *path)
{
    return view_is(text_view(&e->path), path);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
           c >= 0x80;  /* a colon ends a prefix */
}

/* Where text goes on after markup that is no element. */
static enum state around(const struct elements *e)
{
    return (enum state)e->after;
}

static enum state open_name(struct elements *e, uint8_t c)
{
    if (e->after == WHOLE || e->depth == ELEMENTS_DEPTH)
        return BAD;  /* a second document, or too deep */
    if (e->depth > 0)
        text_char(&e->path, '/');
    e->name_from[e->depth++] = (uint16_t)e->path.len;
    text_char(&e->path, (char)c);
    text_reset(&e->value);
    return e->path.overflow ? BAD : NAME;
}

static enum state on_tag(struct elements *e, uint8_t c)
{
    if (c == '!')
        return BANG;
    if (c == '?') {
        e->dashes = 0;
        return ASKED;
    }
    e->matched = 0;
    e->differs = false;
    if (c == '/')
        return e->depth > 0 ? END_NAME : BAD;
    return is_name(c) ? open_name(e, c) : BAD;
}

static enum state on_inside(struct elements *e, uint8_t c)
{
    e->quote = c;
    if (c == '"' || c == '\'')
        return QUOTED;
    if (c == '/')
        return EMPTY;
    if (c == '<')
        return BAD;
    return c == '>' ? TEXT : INSIDE;
}

static enum state on_name(struct elements *e, uint8_t c)
{
    uint16_t from = e->name_from[e->depth - 1];
    if (c == ':') {
        text_cut(&e->path, from);
        return NAME;
    }
    if (is_name(c)) {
        text_char(&e->path, (char)c);
        return e->path.overflow ? BAD : NAME;
    }
    if (e->path.len == from || (!is_blank(c) && c != '/' && c != '>'))
        return BAD;
    return on_inside(e, c);
}

static struct view name_of(const struct elements *e)
{
    return view_slice(text_view(&e->path), e->name_from[e->depth - 1],
                      e->path.len);
}

static enum state on_end_name(struct elements *e, uint8_t c)
{
    struct view name = name_of(e);
    if (c == ':') {
        e->matched = 0;
        e->differs = false;
        return END_NAME;
    }
    if (is_name(c)) {
        e->differs |= e->matched >= name.len || name.at[e->matched] != c;
        e->matched = (uint16_t)(e->matched + !e->differs);
        return END_NAME;
    }
    if (e->differs || e->matched != name.len)
        return BAD;
    e->pop = c == '>';
    return c == '>' ? TEXT : is_blank(c) ? END_REST : BAD;
}

static uint32_t digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - (uint32_t)'0';
    uint32_t letter = (c | 0x20u) - 'a';
    return letter < 6 ? letter + 10 : 16;
}

/* "#10" or "#x1F600"; 0 if it is no character. */
static uint32_t character(struct view v)
{
    bool hex = v.len > 1 && v.at[1] == 'x';
    uint32_t c = 0, base = hex ? 16 : 10;
    if (v.len < 2u + hex)
        return 0;
    for (uint32_t i = 1 + (uint32_t)hex; i < v.len; i++) {
        uint32_t digit = digit_of(v.at[i]);
        c = c * base + digit;
        if (digit >= base || c > 0x10ffff)
            return 0;
    }
    return c >= 0xd800 && c <= 0xdfff ? 0 : c;
}

static enum state on_entity(struct elements *e, uint8_t c)
{
    static const struct { const char *name; char is; } entity[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''},
    };
    if (c != ';') {
        text_char(&e->entity, (char)c);
        return e->entity.overflow ? BAD : ENTITY;
    }
    struct view name = text_view(&e->entity);
    for (size_t i = 0; i < sizeof entity / sizeof entity[0]; i++)
        if (view_is(name, entity[i].name)) {
            text_char(&e->value, entity[i].is);
            return TEXT;
        }
    uint32_t is = view_starts(name, "#") ? character(name) : 0;
    if (is != 0)
        text_utf8(&e->value, is);
    return is != 0 ? TEXT : BAD;
}

static enum state on_text(struct elements *e, uint8_t c)
{
    e->after = TEXT;
    if (c == '<')
        return TAG;
    if (c != '&') {
        text_char(&e->value, (char)c);
        return TEXT;
    }
    text_reset(&e->entity);
    return ENTITY;
}

static enum state on_outside(struct elements *e, uint8_t c)
{
    e->after = e->state;
    bool mark = c == 0xef || c == 0xbb || c == 0xbf;  /* byte order mark */
    if (is_blank(c) || (mark && e->state == OUTSIDE))
        return (enum state)e->state;
    return c == '<' ? TAG : BAD;
}

/* "<!--": nothing else that begins with "<!" is taken. */
static enum state on_bang(struct elements *e, uint8_t c)
{
    if (c != '-')
        return BAD;
    e->dashes++;
    if (e->dashes < 2)
        return BANG;
    e->dashes = 0;
    return COMMENT;
}

static enum state on_comment(struct elements *e, uint8_t c)
{
    if (c == '>' && e->dashes == 2)
        return around(e);
    e->dashes = (uint8_t)(c != '-' ? 0 : e->dashes < 2 ? e->dashes + 1 : 2);
    return COMMENT;
}

static enum state on_asked(struct elements *e, uint8_t c)
{
    if (c == '>' && e->dashes == 1)
        return around(e);
    e->dashes = c == '?';
    return ASKED;
}

static enum state on_empty(struct elements *e, uint8_t c)
{
    e->pop = c == '>';
    return c == '>' ? TEXT : BAD;
}

static enum state take(struct elements *e, uint8_t c)
{
    switch ((enum state)e->state) {
    case OUTSIDE:
    case WHOLE:    return on_outside(e, c);
    case TEXT:     return on_text(e, c);
    case ENTITY:   return on_entity(e, c);
    case TAG:      e->dashes = 0; return on_tag(e, c);
    case NAME:     return on_name(e, c);
    case INSIDE:   return on_inside(e, c);
    case QUOTED:   return c == e->quote ? INSIDE : QUOTED;
    case EMPTY:    return on_empty(e, c);
    case END_NAME: return on_end_name(e, c);
    case END_REST:
        e->pop = c == '>';
        return e->pop ? TEXT : is_blank(c) ? END_REST : BAD;
    case BANG:     return on_bang(e, c);
    case COMMENT:  return on_comment(e, c);
    case ASKED:    return on_asked(e, c);
    case BAD:      break;  /* read all the same: the transport waits */
    }
    return BAD;
}

/* Leaves the element that was reported. */
static void pop(struct elements *e)
{
    CHECK(e->depth > 0);
    e->pop = false;
    e->depth--;
    uint32_t from = e->name_from[e->depth];
    text_cut(&e->path, from > 0 ? from - 1 : 0);  /* and the slash */
    text_reset(&e->value);
    if (e->depth == 0)
        e->state = WHOLE;
}

enum elements_event elements_next(struct elements *e)
{
    if (e->pop)
        pop(e);
    for (struct view v = ring_peek(e->in); v.len > 0; v = ring_peek(e->in)) {
        uint32_t used = 0;
        while (used < v.len && !e->pop)
            e->state = (uint8_t)take(e, v.at[used++]);
        ring_consume(e->in, used);
        if (e->pop)
            return ELEMENTS_END_TAG;
    }
    if (e->state == BAD)
        return ELEMENTS_BAD;
    if (!ring_drained(e->in))
        return ELEMENTS_MORE;
    e->state = e->state == WHOLE ? WHOLE : BAD;
    return e->state == WHOLE ? ELEMENTS_END : ELEMENTS_BAD;
}

void elements_escape(struct text *t, struct view v)
{
    for (uint32_t i = 0; i < v.len; i++)
        switch (v.at[i]) {
        case '&': text_str(t, "&amp;"); break;
        case '<': text_str(t, "&lt;"); break;
        case '>': text_str(t, "&gt;"); break;
        case '"': text_str(t, "&quot;"); break;
        default:  text_char(t, (char)v.at[i]); break;
        }
}
