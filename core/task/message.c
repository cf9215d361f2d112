/* message.c - see message.h. */
#include "task/message.h"

void message_escape(struct text *out, struct view v)
{
    for (uint32_t i = 0; i < v.len; i++) {
        uint8_t c = v.at[i];
        bool c1 = c == 0xc2 && i + 1 < v.len && v.at[i + 1] >= 0x80 &&
                  v.at[i + 1] < 0xa0;  /* U+0080 to U+009F, in UTF-8 */
        if (c < 0x20 || c == 0x7f || c1) {
            text_str(out, "\\x");
            text_hex(out, (struct view){&v.at[i + c1], 1});
            i += c1;
        } else {
            text_char(out, (char)c);
        }
    }
}

void message_number(struct text *out, uint64_t value)
{
    uint64_t unit = 1;
    while (value / unit >= 1000)
        unit *= 1000;
    text_u64(out, value / unit);
    for (unit /= 1000; unit > 0; unit /= 1000) {
        text_char(out, ',');
        text_pad(out, value / unit % 1000, 3);
    }
}

void message_bytes(struct text *out, uint64_t bytes)
{
    static const char *const names[] = {" B", " kB", " MB", " GB", " TB",
                                        " PB", " EB"};
    uint32_t name = 0;
    uint64_t unit = 1;
    while (bytes / unit >= 1000) {
        unit *= 1000;
        name++;
    }
    text_u64(out, bytes / unit);
    if (name > 0 && bytes / unit < 100) {
        text_char(out, '.');
        text_u64(out, bytes % unit / (unit / 10));
    }
    text_str(out, names[name]);
}

void message_duration(struct text *out, int64_t ms)
{
    uint64_t s = ms > 0 ? (uint64_t)ms / 1000 : 0;
    if (s < 120) {
        text_u64(out, s);
        text_str(out, " s");
    } else if (s < 7200) {
        text_u64(out, s / 60);
        text_str(out, " min");
    } else if (s < 48 * 3600) {
        text_u64(out, s / 3600);
        text_str(out, " h ");
        text_u64(out, s / 60 % 60);
        text_str(out, " min");
    } else {
        text_u64(out, s / 86400);
        text_str(out, " days");
    }
}

bool message_refuse(struct fault *fault, enum error error,
                    const char *pattern, const struct view *parts)
{
    char words[FAULT_WORDS_BYTES];
    struct text t;
    text_init(&t, words, sizeof words);
    for (const char *p = pattern; *p != '\0'; p++)
        if (*p == '%')
            message_escape(&t, *parts++);
        else
            text_char(&t, *p);
    if (fault->error == ERROR_NONE) {
        fault_set(fault, error, "", 0);
        fault_words(fault, text_view(&t));
    }
    return false;
}

bool message_no_group(struct fault *fault, struct view name,
                      struct view region, struct view nearest)
{
    return message_refuse(fault, ERROR_CONFIG, nearest.len > 0
                          ? "no log group \"%\" in %; nearest: \"%\""
                          : "no log group \"%\" in %",
                          (const struct view[]){name, region, nearest});
}

/* A policy's refusal, and not that of keys or signatures. A HEAD is refused
 * without a word. */
static bool wants_grant(const struct fault *f)
{
    return f->operation != NULL &&
           (view_starts(view_of(f->code), "AccessDeni") ||
            (f->code[0] == '\0' && f->detail == 403));
}

/* "... is not authorized to perform: logs:Unmask on resource: ..." names the
 * action better than the call does. */
static struct view wanted_action(const struct fault *f)
{
    static const char said[] = "to perform: ";
    const char *at = strstr(f->words, said);
    struct view action = view_of(at != NULL ? at + sizeof said - 1 : "");
    action = view_split(&action, ' ');
    return view_find(action, ':') < action.len ? action
                                               : view_of(f->operation);
}

/* What helps, where the error alone says it; "" where it does not. */
static const char *cure(const struct fault *f)
{
    switch (f->error) {
    case ERROR_NONE:
    case ERROR_USAGE:
    case ERROR_CONFIG:
    case ERROR_MISSING:
    case ERROR_LIMIT:  /* see put_limit() */
    case ERROR_CORRUPT:   return "";
    case ERROR_THROTTLED: return "Run again later, or with a lower --rate";
    case ERROR_NETWORK:
    case ERROR_REMOTE:    return "Run again later";
    case ERROR_DENIED:    break;
    case ERROR_CONFLICT:
    case ERROR_STOPPED:
        return strstr(f->what, "again") == NULL ? "Run again to go on" : "";
    }
    if (wants_grant(f))
        return "Grant: ";
    if (strstr(f->words, "valid region") != NULL)
        return "Check the region";
    return f->operation != NULL ? "Check the keys and the clock" : "";
}

/* A limit has a name, a value and a cure that doubles it. */
static void put_limit(struct text *out, const struct fault *f)
{
    bool pool = !view_starts(view_of(f->what), "CFG_");
    const char *name = pool ? "CFG_POOL_BYTES" : f->what;
    uint64_t value = f->detail > 0 ? (uint64_t)f->detail : 0;
    message_escape(out, view_of(pool ? f->what : "limit reached"));
    text_str(out, ": ");
    if (!pool) {
        text_str(out, name);
        text_str(out, " is ");
    }
    message_number(out, value);
    text_str(out, pool ? " bytes" : "");
    if (value == 0)
        return;
    text_str(out, ". Build with ");
    text_str(out, name);
    text_char(out, '=');
    text_u64(out, 2 * value);
    text_str(out, pool ? ", or use a lower --rate" : "");
}

static void put_happening(struct text *out, const struct fault *f,
                          const struct message_context *context)
{
    struct view identity = context->identity;
    bool aws = f->code[0] != '\0';
    message_escape(out, view_of(aws ? f->code : f->what));
    if (!aws && f->detail != 0 && f->words[0] == '\0') {
        text_str(out, " (");
        text_i64(out, f->detail);
        text_char(out, ')');
    }
    if (f->error == ERROR_NETWORK && context->host.len > 0) {
        text_str(out, ", ");
        message_escape(out, context->host);
    }
    if (f->operation != NULL) {
        text_str(out, ", ");
        text_str(out, f->operation);
    }
    if (identity.len > 0) {
        text_str(out, " as ");
        message_escape(out, identity);
    }
    if (f->request_id[0] != '\0') {
        text_str(out, " (request ");
        message_escape(out, view_of(f->request_id));
        text_char(out, ')');
    }
}

static void put_words(struct text *out, const struct fault *f)
{
    if (f->words[0] == '\0')
        return;
    if (f->operation == NULL && f->code[0] == '\0') {
        text_str(out, ": ");
        message_escape(out, view_of(f->words));
        return;
    }
    text_str(out, ". AWS: \"");
    message_escape(out, view_of(f->words));
    text_char(out, '"');
}

void message_fault(struct text *out, const struct fault *fault,
                   const struct message_context *context)
{
    text_u64(out, (uint64_t)fault_exit(fault->error));
    text_char(out, ' ');
    if (fault->what != NULL && fault->what[0] == '\0' &&
        fault->operation == NULL) {
        message_escape(out, view_of(fault->words));
        return;
    }
    if (context->thing.len > 0) {
        message_escape(out, context->thing);
        text_str(out, ": ");
    }
    if (fault->error == ERROR_LIMIT && fault->words[0] == '\0') {
        put_limit(out, fault);
        return;
    }
    put_happening(out, fault, context);
    put_words(out, fault);
    const char *help = cure(fault);
    if (help[0] != '\0') {
        text_str(out, ". ");
        text_str(out, help);
        if (fault->error == ERROR_DENIED && wants_grant(fault))
            message_escape(out, wanted_action(fault));
    }
}

void message_warning(struct text *out, const struct fault *fault,
                     const struct message_context *context)
{
    text_str(out, "warning: ");
    if (context->thing.len > 0) {
        message_escape(out, context->thing);
        text_str(out, ": ");
    }
    if (fault->what != NULL)
        text_str(out, fault->what);
    if (fault->words[0] != '\0') {
        text_str(out, ": ");
        message_escape(out, view_of(fault->words));
    }
}
