/* progress.h - says on stderr how far a run is, and at the end what it took.
 *
 * Where stderr is a terminal: one line, drawn over itself a few times a
 * second. Elsewhere: a JSON line at each new phase and each minute. The last
 * line, of what the run took, comes in both; --quiet leaves out all of it,
 * --no-progress all but the last. */
#ifndef FIRN_PLATFORM_PROGRESS_H
#define FIRN_PLATFORM_PROGRESS_H

#include "base/date.h"
#include "task/report.h"

struct progress {
    uint32_t    columns;   /* of the terminal; 0: stderr is none */
    bool        shown;     /* bar or lines */
    bool        last;      /* the last line */
    bool        drawn;     /* a bar stands in the terminal's line */
    int64_t     begun_mono_ms;
    int64_t     next_mono_ms;
    const char *phase;     /* of the line before */
};

void    progress_init(struct progress *p, const struct options *o,
                      struct now now);
/* Shows `r` if that is due; fills in its time and memory. */
void    progress_show(struct progress *p, struct report_progress *r,
                      struct now now);
/* When to call it next. */
int64_t progress_wake_ms(const struct progress *p);
/* Takes the bar away, before anything else is written to the terminal. */
void    progress_clear(struct progress *p);
/* The last line; fills in time and memory. */
void    progress_done(struct progress *p, struct report_done *d,
                      struct now now);

#endif
