/* text.h - views of bytes, and an append-only writer.
 *
 * A view or span borrows: it is valid as long as what it points into. A text
 * writes into memory the caller owns; once something did not fit, nothing
 * more is appended and `overflow` stays set, so one check at the end is
 * enough. A text is always terminated by a NUL that `len` does not count. */
#ifndef FIRN_BASE_TEXT_H
#define FIRN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"

struct view {
    const uint8_t *at;
    uint32_t       len;  /* bytes */
};

struct span {
    uint8_t *at;
    uint32_t len;  /* bytes */
};

struct text {
    char    *at;
    uint32_t len;       /* bytes written, without the NUL */
    uint32_t capacity;  /* bytes, with the NUL; at least 1 */
    bool     overflow;  /* something did not fit and was left out */
};

/* Views. A NULL string is an empty view. */
static inline struct view view_of(const char *string)
{
    return (struct view){
        (const uint8_t *)string,
        string != NULL ? (uint32_t)strlen(string) : 0,
    };
}

/* The bytes [from, to); 0 <= from <= to <= v.len, or it traps. */
static inline struct view view_slice(struct view v, uint32_t from, uint32_t to)
{
    CHECK(from <= to && to <= v.len);
    return (struct view){v.at != NULL ? v.at + from : NULL, to - from};
}

static inline bool view_equal(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool view_is(struct view v, const char *string)
{
    return view_equal(v, view_of(string));
}

static inline bool view_starts(struct view v, const char *prefix)
{
    struct view p = view_of(prefix);
    return p.len == 0 || (v.len >= p.len && memcmp(v.at, p.at, p.len) == 0);
}

/* The offset of the first `byte`, or v.len. */
static inline uint32_t view_find(struct view v, uint8_t byte)
{
    const uint8_t *hit = v.len > 0 ? memchr(v.at, byte, v.len) : NULL;
    return hit != NULL ? (uint32_t)(hit - v.at) : v.len;
}

/* The offset behind the last `byte`, or 0: of a key where its name begins. */
static inline uint32_t view_last(struct view v, uint8_t byte)
{
    while (v.len > 0 && v.at[v.len - 1] != byte)
        v.len--;
    return v.len;
}

bool        view_is_nocase(struct view v, const char *string);  /* ASCII */
bool        view_ends(struct view v, const char *suffix);
/* Without blanks (space, tab, CR, LF) at either end. */
struct view view_trim(struct view v);
/* What stands before the first `byte`; *v goes on after it, or ends. */
struct view view_split(struct view *v, uint8_t byte);
/* One to twenty decimal digits, all of v, at most `most`; or false. */
bool        view_u64(struct view v, uint64_t most, uint64_t *out);
/* The same with a minus sign before it, if it fits. */
bool        view_i64(struct view v, int64_t *out);
/* Copies v and a NUL; false, and "" written, when it is too long or holds a
 * NUL itself. */
bool        view_copy(struct view v, char *at, uint32_t capacity);

/* Appending. */
void        text_init(struct text *t, char *at, uint32_t capacity);
void        text_reset(struct text *t);
void        text_put(struct text *t, struct view v);
void        text_str(struct text *t, const char *string);
void        text_char(struct text *t, char c);
void        text_u64(struct text *t, uint64_t value);
void        text_i64(struct text *t, int64_t value);
/* Zero-padded to `width` digits, for dates. */
void        text_pad(struct text *t, uint64_t value, uint32_t width);
void        text_hex(struct text *t, struct view bytes);  /* lower case */
void        text_base64(struct text *t, struct view bytes);
/* A code point, at most 0x10ffff, in UTF-8. */
void        text_utf8(struct text *t, uint32_t point);
/* RFC 3986 unreserved bytes and, where `keep_slash`, "/" stay as they are. */
void        text_percent(struct text *t, struct view v, bool keep_slash);
/* The inside of a JSON string, RFC 8259 section 7; bytes over 0x7f pass. */
void        text_json(struct text *t, struct view v);
struct view text_view(const struct text *t);
/* Cuts back to an earlier length, to take back what was appended since: an
 * overflow too, so there was none before. */
void        text_cut(struct text *t, uint32_t len);

#endif
