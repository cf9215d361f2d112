/* interval.h - the part of an interval of time that no archive given holds.
 *
 * Archives come one after the other, with their receipts; those of one source
 * (account, region, group, stream prefix) stand together. What lies in the
 * interval but in no window of a source is a gap. Where an end of the interval
 * was left open nobody said how far it should reach: then a gap at that end
 * counts only if all of the interval is one. Gaps of a source are not judged
 * once an archive came whose window is not known. The caller owns it. */
#ifndef FIRN_TASK_INTERVAL_H
#define FIRN_TASK_INTERVAL_H

#include "ship/receipt.h"
#include "task/spec.h"

enum { INTERVAL_GAPS = 32 };  /* of one source, named; more are not */

struct interval_gap {
    int64_t from_ms, until_ms;
};

struct interval {
    int64_t from_ms, until_ms;  /* public; half-open, INT64_MIN and INT64_MAX:
                                   an open end */
    struct interval_gap gaps[INTERVAL_GAPS];
    uint32_t count;
    uint32_t told;              /* of them */
    int64_t  reached_ms;        /* where the last window ended */
    bool     known;             /* a source is under way */
    bool     unknown;           /* one of its windows is not known */
    uint32_t group_at;          /* in `source` */
    char     source[2 * SPEC_GROUP_BYTES + SPEC_NAME_BYTES];
};

/* from_ms < until_ms */
void interval_init(struct interval *i, int64_t from_ms, int64_t until_ms);
/* Whether the receipt is of another source than the one under way: its gaps
 * are to be told first. */
bool interval_is_other(const struct interval *i, const struct receipt *r);
/* Takes an archive's window; false: it begins before the last one ended. */
bool interval_take(struct interval *i, const struct receipt *r);
/* An archive came of which the window is not known. */
void interval_take_unknown(struct interval *i);
/* Whether its window, if it has one, meets the interval. */
bool interval_meets(const struct interval *i, const struct receipt *r);
/* The next gap, as ERROR_CORRUPT in a sentence; false: there is no other. */
bool interval_tell(struct interval *i, struct fault *fault);

#endif
