/* row.h - what the unit tests share.
 *
 * A test is rows of data and a loop; a row that does not hold is named on
 * stderr, with the line that says so, and counted. cmocka runs the tests and
 * counts those that passed. */
#ifndef FIRN_TESTS_ROW_H
#define FIRN_TESTS_ROW_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define ROW_COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
/* 1 if the row is broken, to be added up; 0 if it holds. */
#define BROKEN(name, holds) row_broken(__FILE__, __LINE__, (name), (holds))
#define RUN(tests) cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL)

static inline int row_broken(const char *file, int line, const char *name,
                             bool holds)
{
    if (!holds)
        fprintf(stderr, "%s:%d: broken: %s\n", file, line, name);
    return !holds;
}

/* Whether the text holds exactly this, and is terminated. */
static inline bool row_text(const struct text *t, const char *want)
{
    bool same = !t->overflow && view_is(text_view(t), want) &&
                t->at[t->len] == '\0';
    if (!same)
        fprintf(stderr, "  got  \"%s\"%s\n  want \"%s\"\n", t->at,
                t->overflow ? " (overflow)" : "", want);
    return same;
}

/* Whether a string is exactly this one. */
static inline bool row_string(const char *got, const char *want)
{
    bool same = strcmp(got, want) == 0;
    if (!same)
        fprintf(stderr, "  got  \"%s\"\n  want \"%s\"\n", got, want);
    return same;
}

/* Whether the words are somewhere in what was told. */
static inline bool row_has(const char *told, const char *words)
{
    bool holds = strstr(told, words) != NULL;
    if (!holds)
        fprintf(stderr, "  \"%s\" is not in:\n%s\n", words, told);
    return holds;
}

/* How often they are, overlapping or not. */
static inline uint32_t row_times(const char *told, const char *words)
{
    uint32_t n = 0;
    for (const char *at = told; (at = strstr(at, words)) != NULL; at++)
        n++;
    return n;
}

static inline bool row_number(int64_t got, int64_t want)
{
    if (got != want)
        fprintf(stderr, "  got  %lld\n  want %lld\n", (long long)got,
                (long long)want);
    return got == want;
}

#endif
