/* report.h - results and progress, as lines for people and for programs.
 *
 * Results go to stdout, one line each: a sentence, or a JSON object. Progress
 * goes to stderr: a bar where that is a terminal, elsewhere a JSON object for
 * each phase and each minute, and a last one that sums the run up. Nothing
 * here ends in a newline. */
#ifndef FIRN_TASK_REPORT_H
#define FIRN_TASK_REPORT_H

#include "ship/receipt.h"
#include "task/options.h"

enum { REPORT_BYTES = 3072 };  /* the longest line, group and key escaped */

struct report_counts {
    uint64_t events, bytes_raw, bytes_stored;
    uint64_t parts;
    uint64_t requests, throttled, retried;
};

/* What it is about. Without a group: not known, or of no matter. */
struct report_source {
    struct view group;
    int64_t     from_ms, until_ms;     /* half-open; equal: no window */
    int64_t     day;                   /* of the zone, if `whole_day` */
    bool        whole_day;
};

/* A run that is under way. */
struct report_progress {
    const char          *phase;        /* literal: "reading" */
    struct report_source source;
    struct report_counts counts;
    int64_t              done, whole;  /* in one unit; whole 0: not known */
    int64_t              elapsed_ms;
    uint64_t             rss_bytes;    /* now; 0: not known */
};

/* A run that is over. */
struct report_done {
    int                  exit;
    int64_t              elapsed_ms, cpu_ms;
    uint64_t             rss_peak_bytes, pool_peak_bytes;
    uint64_t             stack_peak_bytes;  /* 0: not known */
    struct report_counts counts;
};

/* What became of one object. Literals may be NULL: not known. */
struct report_result {
    struct report_source source;
    struct view          bucket, key;  /* the object's */
    const char          *state;        /* "sealed", "provisional", ... */
    const char          *action;       /* "archived", "skipped", ... */
    struct view          reason;       /* a sentence, or empty */
    struct report_counts counts;       /* of the object */
    bool                 counted;      /* `counts` is known ... */
    bool                 sized;        /* ... or its bytes_stored alone */
};

struct report_source report_asked(const struct spec *s);
/* A group's name that CloudWatch would not take is left out. */
struct report_source report_stored(const struct receipt *r);

void report_result(struct text *out, const struct report_result *r,
                   enum output form);
/* The bar, at most `columns` wide, without control characters. */
void report_bar(struct text *out, const struct report_progress *p,
                uint32_t columns);
void report_phase(struct text *out, const struct report_progress *p,
                  int64_t wall_ms);
void report_done(struct text *out, const struct report_done *d,
                 enum output form);

#endif
