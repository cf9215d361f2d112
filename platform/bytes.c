/* bytes.c - memcpy, memmove and memcmp for short lengths; memchr.
 *
 * A log line is copied in pieces of 20 to 200 bytes, and musl's x86-64 memcpy
 * is one `rep movsq`, which takes longer to start than such a piece takes to
 * copy: it was a seventh of all time. These move 16 bytes at a time with
 * overlapping ends, and leave long copies to `rep movsb` where it is. Compile
 * with -fno-builtin, or gcc makes them call themselves. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __x86_64__
#include <emmintrin.h>
#endif

typedef uint64_t word __attribute__((may_alias, aligned(1)));
typedef uint32_t half __attribute__((may_alias, aligned(1)));
typedef uint64_t wide
    __attribute__((vector_size(16), may_alias, aligned(1)));

enum { LONG = 2048 };

/* All of it is read before anything is written, so ends may overlap. */
static void copy_short(unsigned char *to, const unsigned char *from, size_t n)
{
    if (n >= 8) {
        word first = *(const word *)from, last = *(const word *)(from + n - 8);
        *(word *)to = first;
        *(word *)(to + n - 8) = last;
    } else if (n >= 4) {
        half first = *(const half *)from, last = *(const half *)(from + n - 4);
        *(half *)to = first;
        *(half *)(to + n - 4) = last;
    } else if (n > 0) {
        unsigned char first = from[0], middle = from[n / 2], last = from[n - 1];
        to[0] = first;
        to[n / 2] = middle;
        to[n - 1] = last;
    }
}

static void copy_forward(unsigned char *to, const unsigned char *from,
                         size_t n)
{
    wide last = *(const wide *)(from + n - 16);
    unsigned char *end = to + n - 16;

    for (; to < end; to += 16, from += 16)
        *(wide *)to = *(const wide *)from;
    *(wide *)end = last;
}

static void copy_backward(unsigned char *to, const unsigned char *from,
                          size_t n)
{
    wide first = *(const wide *)from;

    for (size_t at = n; at > 16; at -= 16)
        *(wide *)(to + at - 16) = *(const wide *)(from + at - 16);
    *(wide *)to = first;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    if (n < 16) {
        copy_short(to, from, n);
        return to;
    }
#ifdef __x86_64__
    if (n >= LONG) {
        void *at = to;
        __asm__ volatile("rep movsb"
                         : "+D"(at), "+S"(from), "+c"(n)
                         :
                         : "memory");
        return to;
    }
#endif
    copy_forward(to, from, n);
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    if (n < 16)
        copy_short(to, from, n);
    else if ((uintptr_t)to - (uintptr_t)from >= n)
        copy_forward(to, from, n);
    else
        copy_backward(to, from, n);
    return to;
}

int memcmp(const void *one, const void *other, size_t n)
{
    const unsigned char *a = one, *b = other;

    for (; n >= 8; n -= 8, a += 8, b += 8)
        if (*(const word *)a != *(const word *)b)
            break;
    for (; n > 0; n--, a++, b++)
        if (*a != *b)
            return *a < *b ? -1 : 1;
    return 0;
}

/* musl's looks at one word at a time, and lines are sought in all bytes. */
#ifdef __x86_64__
static unsigned matches(const unsigned char *at, __m128i sought)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, sought));
}

void *memchr(const void *from, int c, size_t n)
{
    const unsigned char *at = from, *end = at + n;
    __m128i sought = _mm_set1_epi8((char)c);
    unsigned found;

    for (; (size_t)(end - at) >= 16; at += 16)
        if ((found = matches(at, sought)) != 0)
            return (void *)(uintptr_t)(at + __builtin_ctz(found));
    for (; at < end; at++)
        if (*at == (unsigned char)c)
            return (void *)(uintptr_t)at;
    return NULL;
}
#endif
