/* text.c - views of bytes and a growing writer, for the tests' AWS. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void aws_must(bool holds)
{
    if (!holds) abort();
}

void *aws_alloc(size_t bytes)
{
    void *at = calloc(1, bytes > 0 ? bytes : 1);
    aws_must(at != NULL);
    return at;
}

void *aws_grow(void *at, size_t bytes)
{
    void *grown = realloc(at, bytes > 0 ? bytes : 1);
    aws_must(grown != NULL);
    return grown;
}

char *aws_dup(struct aws_text t)
{
    char *copy = aws_alloc(t.len + 1);
    if (t.len > 0) memcpy(copy, t.at, t.len);
    return copy;
}

struct aws_text aws_str(const char *s)
{
    return (struct aws_text){s, s != NULL ? strlen(s) : 0};
}

bool aws_same(struct aws_text a, struct aws_text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool aws_is(struct aws_text a, const char *s)
{
    return aws_same(a, aws_str(s));
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool aws_is_nocase(struct aws_text a, const char *s)
{
    if (strlen(s) != a.len) return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.at[i]) != lower(s[i])) return false;
    return true;
}

bool aws_begins(struct aws_text a, const char *s)
{
    size_t len = strlen(s);
    return a.len >= len && (len == 0 || memcmp(a.at, s, len) == 0);
}

bool aws_has(struct aws_text a, const char *s)
{
    size_t len = strlen(s);
    if (len == 0) return true;
    for (size_t i = 0; i + len <= a.len; i++) {
        const char *at = memchr(a.at + i, s[0], a.len - len - i + 1);
        if (at == NULL) return false;
        if (memcmp(at, s, len) == 0) return true;
        i = (size_t)(at - a.at);
    }
    return false;
}

int aws_order(struct aws_text a, struct aws_text b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.at, b.at, len) : 0;
    if (order != 0) return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

struct aws_text aws_trim(struct aws_text a)
{
    while (a.len > 0 && (a.at[0] == ' ' || a.at[0] == '\t')) {
        a.at++;
        a.len--;
    }
    while (a.len > 0 && (a.at[a.len - 1] == ' ' || a.at[a.len - 1] == '\t'))
        a.len--;
    return a;
}

struct aws_text aws_cut(struct aws_text a, char c, struct aws_text *rest)
{
    const char *found = a.len > 0 ? memchr(a.at, c, a.len) : NULL;
    if (found == NULL) {
        *rest = (struct aws_text){NULL, 0};
        return a;
    }
    size_t before = (size_t)(found - a.at);
    *rest = (struct aws_text){found + 1, a.len - before - 1};
    return (struct aws_text){a.at, before};
}

bool aws_int(struct aws_text a, int64_t *value)
{
    bool minus = a.len > 0 && a.at[0] == '-';
    size_t i = minus ? 1 : 0;
    uint64_t sum = 0;
    if (i == a.len || a.len - i > 18) return false;
    for (; i < a.len; i++) {
        if (a.at[i] < '0' || a.at[i] > '9') return false;
        sum = sum * 10 + (uint64_t)(a.at[i] - '0');
    }
    *value = minus ? -(int64_t)sum : (int64_t)sum;
    return true;
}

/* The finisher of splitmix64 (Steele, Lea, Flood 2014). */
uint64_t aws_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t aws_hash(uint64_t seed, struct aws_text t)
{
    uint64_t sum = aws_mix(seed ^ t.len);
    for (size_t i = 0; i < t.len; i++)
        sum = aws_mix(sum ^ (uint8_t)t.at[i]);
    return sum;
}

char *aws_room(struct aws_buf *b, size_t bytes)
{
    if (b->cap - b->len <= bytes) {
        size_t cap = b->cap * 2 + bytes + 64;
        b->at = aws_grow(b->at, cap);
        b->cap = cap;
    }
    return b->at + b->len;
}

void aws_reset(struct aws_buf *b)
{
    b->len = 0;
    if (b->at != NULL) b->at[0] = '\0';
}

void aws_free_buf(struct aws_buf *b)
{
    free(b->at);
    *b = (struct aws_buf){0};
}

void aws_put(struct aws_buf *b, const void *at, size_t len)
{
    char *room = aws_room(b, len);
    if (len > 0) memcpy(room, at, len);
    b->len += len;
    b->at[b->len] = '\0';
}

void aws_puts(struct aws_buf *b, const char *s)
{
    aws_put(b, s, strlen(s));
}

void aws_put_text(struct aws_buf *b, struct aws_text t)
{
    aws_put(b, t.at, t.len);
}

void aws_printf(struct aws_buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    aws_must(len >= 0);
    (void)vsnprintf(aws_room(b, (size_t)len + 1), (size_t)len + 1, format,
                    again);
    b->len += (size_t)len;
    va_end(again);
    va_end(args);
}

struct aws_text aws_view(const struct aws_buf *b)
{
    return (struct aws_text){b->at, b->len};
}
