/* fault.c - reads the rules of fault.h and picks the one that acts. */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

struct rule {
    bool        any;
    enum aws_op op;
    uint64_t    first, last;     /* of those it means; 0: not counted */
    int64_t     permille;        /* -1: not by chance */
    int64_t     times, from, until;
    char       *where;
    struct aws_effect effect;    /* its texts belong to the rule */
    uint64_t    seen, done;
};

struct aws_faults {
    struct rule *rule;
    size_t       count;
};

struct aws_effect aws_no_effect(void)
{
    return (struct aws_effect){.retry_after = -1, .flip = -1,
                               .block_at = -1, .break_at = -1};
}

static char *blanks(struct aws_text t)
{
    char *text = aws_dup(t);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '_') *c = ' ';
    return text;
}

static bool read_count(struct rule *r, struct aws_text t)
{
    struct aws_text last;
    struct aws_text first = aws_cut(t, '-', &last);
    int64_t from, to;
    if (!aws_int(first, &from) || from < 1) return false;
    to = from;
    if (last.at != NULL && last.len == 0) to = INT64_MAX;
    else if (last.len > 0 && !aws_int(last, &to)) return false;
    r->first = (uint64_t)from;
    r->last = (uint64_t)to;
    return true;
}

static bool read_flag(struct rule *r, struct aws_text t)
{
    struct aws_effect *e = &r->effect;
    if (aws_is(t, "lost")) e->after = e->before = true;
    else if (aws_is(t, "reset")) e->before = true;
    else if (aws_is(t, "after")) e->after = true;
    else if (aws_is(t, "in200")) e->in_200 = true;
    else if (aws_is(t, "hang")) e->delay = INT64_MAX;
    else if (aws_is(t, "dup")) e->dup = true;
    else if (aws_is(t, "html")) e->html = true;
    else if (aws_is(t, "nobody")) e->no_body = true;
    else if (aws_is(t, "same-token")) e->same_token = true;
    else if (aws_is(t, "circle")) e->circle = true;
    else if (aws_is(t, "repeat")) e->repeat = true;
    else if (aws_is(t, "empty")) e->empty = true;
    else if (aws_is(t, "disorder")) e->disorder = true;
    else return false;
    return true;
}

static bool read_text(struct rule *r, struct aws_text name,
                      struct aws_text value)
{
    struct aws_effect *e = &r->effect;
    char **to = aws_is(name, "error") ? &e->code
                : aws_is(name, "message") ? &e->message
                : aws_is(name, "add") ? &e->add
                : aws_is(name, "drop") ? &e->drop
                : aws_is(name, "xml") ? &e->xml
                : aws_is(name, "if") ? &r->where : NULL;
    if (to == NULL || *to != NULL) return false;
    *to = blanks(value);
    return true;
}

static bool read_number(struct rule *r, struct aws_text name,
                        struct aws_text value)
{
    struct aws_effect *e = &r->effect;
    int64_t n = -1;
    if (!aws_is(value, "?") && (!aws_int(value, &n) || n < 0)) return false;
    if (aws_is(name, "cut") || aws_is(name, "stall")) {
        e->end = aws_is(name, "cut") ? AWS_END_CUT : AWS_END_STALL;
        e->end_at = n;
    } else if (n < 0) {
        return false;
    } else if (aws_is(name, "status")) {
        e->status = (int)n;
    } else if (aws_is(name, "delay")) {
        e->delay = n;
    } else if (aws_is(name, "drip")) {
        e->bytes_per_second = (uint64_t)n;
    } else if (aws_is(name, "flip")) {
        e->flip = n;
    } else if (aws_is(name, "break")) {
        e->break_at = n;
    } else if (aws_is(name, "block")) {
        e->block_at = n;
    } else if (aws_is(name, "retry-after")) {
        e->retry_after = n;
    } else if (aws_is(name, "times")) {
        r->times = n;
    } else if (aws_is(name, "from")) {
        r->from = n;
    } else if (aws_is(name, "until")) {
        r->until = n;
    } else {
        return false;
    }
    return true;
}

static bool read_word(struct rule *r, struct aws_text word)
{
    struct aws_text value, rest = {word.at + 1, word.len - 1};
    if (word.at[0] == '#') return read_count(r, rest);
    if (word.at[0] == '%')
        return aws_int(rest, &r->permille) && r->permille >= 0;
    struct aws_text name = aws_cut(word, '=', &value);
    if (value.at == NULL) return read_flag(r, name);
    return read_text(r, name, value) || read_number(r, name, value);
}

/* The status that AWS gives with the code, when the script names none. */
static int status_of(const struct aws_effect *e)
{
    static const struct { const char *code; int status; } known[] = {
        {"SlowDown", 503}, {"ServiceUnavailable", 503},
        {"ServiceUnavailableException", 503}, {"InternalError", 500},
        {"InternalFailure", 500}, {"AccessDenied", 403},
        {"AccessDeniedException", 403}, {"NoSuchUpload", 404},
        {"NoSuchKey", 404}, {"NoSuchBucket", 404},
        {"ExpiredTokenException", 403}, {"RequestTimeTooSkewed", 403},
        {"InvalidSignatureException", 403}, {"SignatureDoesNotMatch", 403},
        {"UnrecognizedClientException", 403}, {"InvalidAccessKeyId", 403},
        {"PreconditionFailed", 412}, {"ConditionalRequestConflict", 409},
        {"OperationAborted", 409}, {"InvalidObjectState", 403},
        {"NotImplemented", 501}, {"RequestTimeoutException", 408},
        {"PermanentRedirect", 301}, {"TemporaryRedirect", 307}};
    if (e->in_200) return 200;
    if (e->code == NULL) return 500;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(e->code, known[i].code) == 0) return known[i].status;
    return 400;
}

static void free_rule(struct rule *r)
{
    free(r->where);
    free(r->effect.code);
    free(r->effect.message);
    free(r->effect.add);
    free(r->effect.drop);
    free(r->effect.xml);
}

static bool read_rule(struct rule *r, struct aws_text line)
{
    struct aws_text rest, who = aws_cut(line, ' ', &rest);
    *r = (struct rule){.permille = -1, .times = INT64_MAX,
                       .from = INT64_MIN, .until = INT64_MAX,
                       .effect = aws_no_effect()};
    r->any = aws_is(who, "*");
    if (!r->any && !aws_op_of(who, &r->op)) return false;
    while (rest.len > 0) {
        struct aws_text word = aws_cut(aws_trim(rest), ' ', &rest);
        if (word.len > 0 && !read_word(r, word)) return false;
    }
    struct aws_effect *e = &r->effect;
    if (e->code != NULL || e->html || e->no_body)
        e->status = e->status != 0 ? e->status : status_of(e);
    return true;
}

bool aws_fault(struct aws *m, const char *text)
{
    struct aws_text line = aws_trim(aws_str(text));
    struct rule rule;
    if (line.len == 0 || line.at[0] == '#') return true;
    if (!read_rule(&rule, line)) {
        free_rule(&rule);
        return false;
    }
    if (m->faults == NULL) m->faults = aws_alloc(sizeof *m->faults);
    struct aws_faults *f = m->faults;
    f->rule = aws_grow(f->rule, (f->count + 1) * sizeof f->rule[0]);
    f->rule[f->count++] = rule;
    return true;
}

void aws_clear_faults(struct aws *m)
{
    aws_free_faults(m);
    m->faults = NULL;
}

void aws_free_faults(struct aws *m)
{
    if (m->faults == NULL) return;
    for (size_t i = 0; i < m->faults->count; i++)
        free_rule(&m->faults->rule[i]);
    free(m->faults->rule);
    free(m->faults);
}

static bool mentions(const struct aws_exchange *x, const char *where)
{
    if (aws_has(x->path, where) || aws_has(x->query, where)) return true;
    for (size_t i = 0; i < x->header_count; i++)
        if (aws_has(x->header[i].value, where)) return true;
    return false;
}

static bool holds(struct rule *r, const struct aws_exchange *x, int64_t now)
{
    if (r->any ? x->op == AWS_OP_Control : r->op != x->op) return false;
    if (now < r->from || now >= r->until) return false;
    if (r->where != NULL && !mentions(x, r->where)) return false;
    r->seen++;
    if (r->first != 0 && (r->seen < r->first || r->seen > r->last))
        return false;
    if (r->permille >= 0 && !aws_chance(&x->model->rng, r->permille))
        return false;
    return r->done < (uint64_t)r->times;
}

static char *copy(const char *text)
{
    return text != NULL ? aws_dup(aws_str(text)) : NULL;
}

void aws_pick_effect(struct aws_exchange *x, int64_t now)
{
    struct aws_faults *f = x->model->faults;
    bool found = false;
    x->effect = aws_no_effect();
    for (size_t i = 0; f != NULL && i < f->count; i++) {
        struct rule *r = &f->rule[i];
        if (!holds(r, x, now) || found) continue;
        r->done++;
        found = true;
        x->effect = r->effect;
        x->effect.set = true;
        x->effect.code = copy(r->effect.code);
        x->effect.message = copy(r->effect.message);
        x->effect.add = copy(r->effect.add);
        x->effect.drop = copy(r->effect.drop);
        x->effect.xml = copy(r->effect.xml);
    }
}
