/* error.c - see error.h. */
#include "base/error.h"

void fault_reset(struct fault *f)
{
    *f = (struct fault){0};
}

void fault_set(struct fault *f, enum error error, const char *what,
               int64_t detail)
{
    CHECK(what != NULL || error == ERROR_NONE);
    if (f->error != ERROR_NONE || error == ERROR_NONE)
        return;
    f->error = error;
    f->what = what;
    f->detail = detail;
}

void fault_words(struct fault *f, struct view words)
{
    struct view v = view_trim(words);
    if (f->words[0] != '\0' || v.len == 0)
        return;
    uint32_t len = v.len;
    if (len >= sizeof f->words) {
        len = sizeof f->words - 1;
        while (len > 0 && (v.at[len] & 0xc0) == 0x80)
            len--;  /* not in the middle of a character */
    }
    for (uint32_t i = 0; i < len; i++)  /* one line, no terminal commands */
        f->words[i] = v.at[i] < 0x20 || v.at[i] == 0x7f ? ' ' : (char)v.at[i];
    f->words[len] = '\0';
}

void fault_adopt(struct fault *f, const struct fault *other)
{
    if (f->error == ERROR_NONE && other->error != ERROR_NONE)
        *f = *other;
}

int fault_exit(enum error error)
{
    switch (error) {
    case ERROR_NONE:      return 0;
    case ERROR_USAGE:     return 64;
    case ERROR_CORRUPT:   return 65;
    case ERROR_NETWORK:
    case ERROR_THROTTLED:
    case ERROR_REMOTE:    return 69;
    case ERROR_CONFLICT:
    case ERROR_STOPPED:   return 75;
    case ERROR_DENIED:    return 77;
    case ERROR_LIMIT:
    case ERROR_CONFIG:
    case ERROR_MISSING:   return 78;
    }
    CHECK(false);
    return 70;
}

int exit_worse(int a, int b)
{
    static const int order[] = {65, 78, 77, 69, 75, 64};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (a == order[i] || b == order[i])
            return order[i];
    CHECK(a == 0 && b == 0);
    return 0;
}
