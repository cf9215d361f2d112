/* members.h - the members of a JSON object that firn wrote, read back.
 *
 * What comes from S3 may be damaged, foreign or from the future. Members are
 * found by quotes and brackets alone, so that a long one, a receipt's index
 * say, needs no tokens; each value is then read for what it must be. All of
 * it is bounded, members unknown are skipped, and the first thing that is not
 * sound is ERROR_CORRUPT with its offset. */
#ifndef FIRN_BASE_MEMBERS_H
#define FIRN_BASE_MEMBERS_H

#include "base/error.h"
#include "base/tally.h"

struct members {
    struct view   all;      /* the whole document, for offsets */
    struct text  *strings;  /* where strings are decoded */
    struct fault *fault;
    const char   *what;     /* the fault's: "the receipt is damaged" */
};

/* Finds the members named, all of which must be there, once. */
bool members_find(struct members *m, struct view object,
                  const char *const *names, struct view *values,
                  uint32_t count);
/* Sets the fault; false, to return at once. */
bool members_damaged(struct members *m, struct view near, const char *what);
/* The same unless it holds; whether it does. */
bool members_hold(struct members *m, struct view near, bool holds,
                  const char *what);

bool members_null(struct view v);
/* Decoded, into `strings`; empty where it may be null. */
bool members_string(struct members *m, struct view v, bool or_null,
                    struct view *out);
/* RFC 3339. */
bool members_time(struct members *m, struct view v, int64_t *ms);
/* null leaves *out as it is. */
bool members_time_or_null(struct members *m, struct view v, int64_t *out);
bool members_number(struct members *m, struct view v, uint64_t *out);
bool members_bool(struct members *m, struct view v, bool *out);
bool members_digest(struct members *m, struct view v, struct tally *tally);
/* As S3 writes it; null: not known. */
bool members_crc64(struct members *m, struct view v, bool *known,
                   uint64_t *crc);

#endif
