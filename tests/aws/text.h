/* text.h - views of bytes and a growing writer, for the tests' AWS.
 *
 * Tests are not core: a writer allocates, and traps when memory is out.
 * Times are milliseconds since 1970 in UTC. */
#ifndef AWS_TEXT_H
#define AWS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aws_text {
    const char *at;
    size_t      len;
};

struct aws_buf {
    char  *at;   /* NUL-terminated once anything was written */
    size_t len, cap;
};

/* A failed check is the test's own fault: it stops the program. */
void aws_must(bool holds);
void *aws_alloc(size_t bytes);              /* zeroed */
void *aws_grow(void *at, size_t bytes);     /* realloc that cannot fail */
char *aws_dup(struct aws_text t);

struct aws_text aws_str(const char *s);
bool aws_same(struct aws_text a, struct aws_text b);
bool aws_is(struct aws_text a, const char *s);
bool aws_is_nocase(struct aws_text a, const char *s);
bool aws_begins(struct aws_text a, const char *s);
bool aws_has(struct aws_text a, const char *s);
int  aws_order(struct aws_text a, struct aws_text b);  /* byte order */
struct aws_text aws_trim(struct aws_text a);
/* What stands before the first `c`; *rest is what follows (at NULL: none). */
struct aws_text aws_cut(struct aws_text a, char c, struct aws_text *rest);
bool aws_int(struct aws_text a, int64_t *value);  /* the whole text */
uint64_t aws_hash(uint64_t seed, struct aws_text t);
uint64_t aws_mix(uint64_t x);               /* a good scrambling of x */

char *aws_room(struct aws_buf *b, size_t bytes);  /* at least, uncommitted */
void aws_reset(struct aws_buf *b);
void aws_free_buf(struct aws_buf *b);
void aws_put(struct aws_buf *b, const void *at, size_t len);
void aws_puts(struct aws_buf *b, const char *s);
void aws_put_text(struct aws_buf *b, struct aws_text t);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void aws_printf(struct aws_buf *b, const char *format, ...);
struct aws_text aws_view(const struct aws_buf *b);

/* The inside of a JSON string. Three bytes of an unpaired surrogate
 * (ED A0..BF xx) become a \u escape; other bytes go as they are. */
void aws_put_json(struct aws_buf *b, const void *at, size_t len);
char *aws_json_to(char *to, const void *at, size_t len);  /* 6 len + 16 */
/* The same string written otherwise: some escapes that nothing asks for. */
char *aws_json_odd_to(char *to, struct aws_text t, uint64_t chance);
void aws_put_xml(struct aws_buf *b, struct aws_text t);
void aws_put_hex(struct aws_buf *b, const void *at, size_t len);
void aws_put_base64(struct aws_buf *b, const void *at, size_t len);
void aws_put_percent(struct aws_buf *b, struct aws_text t, bool keep_slash);

/* False where the text is not what it should be; out is then partial. */
bool aws_unpercent(struct aws_text t, bool plus_is_space,
                   struct aws_buf *out);
bool aws_unbase64(struct aws_text t, struct aws_buf *out);
bool aws_unhex(struct aws_text t, struct aws_buf *out);

void aws_put_http_date(struct aws_buf *b, int64_t ms);
void aws_put_iso(struct aws_buf *b, int64_t ms);        /* with .mmmZ */
void aws_put_amz_date(struct aws_buf *b, int64_t ms);   /* 20260101T000000Z */
bool aws_read_amz_date(struct aws_text t, int64_t *ms);
int64_t aws_day_ms(int year, int month, int day);

#endif
