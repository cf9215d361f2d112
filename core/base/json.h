/* json.h - a small JSON document, whole in memory, taken apart by jsmn.
 *
 * Nodes are indexes of the token array, which the caller lends as words so
 * that jsmn.h stays in json.c; JSON_NONE is "not there" and may be given to
 * every function. The text and the words outlive the struct. Commas and
 * colons, which jsmn does not mind, are checked here; numbers and names where
 * they are read. Large replies are read by fetch/frame. */
#ifndef FIRN_BASE_JSON_H
#define FIRN_BASE_JSON_H

#include "base/text.h"

enum { JSON_NONE = -1 };
#define JSON_WORDS(tokens) ((tokens) * 5)

enum json_kind {
    JSON_ABSENT, JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY,
    JSON_OBJECT,
};

enum json_error {
    JSON_FINE,
    JSON_MANY,     /* more tokens than there was room for */
    JSON_INVALID,  /* not JSON, near `offset` */
    JSON_CUT,      /* it ends too early */
};

struct json {
    struct view    text;
    const int32_t *words;
    int32_t        count;   /* tokens */
    uint32_t       offset;  /* where an error was noticed, bytes */
};

/* Node 0 is the document. `words` has room for JSON_WORDS(tokens). */
enum json_error json_parse(struct json *j, struct view text, int32_t *words,
                           uint32_t tokens);
enum json_kind  json_kind(const struct json *j, int32_t node);
/* The value of an object's member; the last of that name. */
int32_t         json_member(const struct json *j, int32_t node,
                            const char *name);
/* Walking: the first child of an array or object, the next of its siblings.
 * An object's children are its names; json_value() is what a name stands
 * for. */
int32_t         json_first(const struct json *j, int32_t node);
int32_t         json_next(const struct json *j, int32_t node);
int32_t         json_value(const struct json *j, int32_t name);
/* The text as it stands, a string's without its quotes; where in the document
 * is its `at` less the text's. */
struct view     json_raw(const struct json *j, int32_t node);
/* Appends a decoded string; an unpaired surrogate becomes U+FFFD. False if it
 * is no string or does not fit. */
bool            json_text(const struct json *j, int32_t node,
                          struct text *out);
/* Whether it is that string. */
bool            json_is(const struct json *j, int32_t node,
                        const char *string);
bool            json_i64(const struct json *j, int32_t node, int64_t *out);
bool            json_bool(const struct json *j, int32_t node, bool *out);

#endif
