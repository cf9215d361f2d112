/* recount.h - does CloudWatch still hold what a provisional archive holds?
 *
 * Events come up to 14 days late, so past the window's end and 14 days the
 * window is counted once more (contract, "Provisional, sealed, imported"): it
 * is read as for an archive, but only its tally is kept. `settled` in the
 * receipt is what had been ingested before the archive began:
 *
 *   that, and nothing more than what is archived   sealed
 *   that, and later events                         archived again, then sealed
 *   less, or something else                        nothing is replaced, the
 *                                                  receipt says so; 65
 *
 * Of an imported archive nobody knows what had been ingested before it was
 * made, and it is never replaced: it is sealed if it holds what CloudWatch
 * has, no more and no less, and else the receipt says so; 65, once: from then
 * on it is skipped with that reason, and not counted a second time.
 *
 * The tally tells any event that is missing, more or altered, not a changed
 * order or stream (base/tally.h). */
#ifndef FIRN_TASK_RECOUNT_H
#define FIRN_TASK_RECOUNT_H

#include "task/archive.h"

enum { RECOUNT_AFTER_MS = 14 * DAY_MS };  /* as late PutLogEvents takes them */

/* May, and should, the archive that is there be counted again? Otherwise
 * a->reason may say why it stays as it is. */
bool recount_is_due(struct archive *a);
enum flow recount_begin(struct archive *a);
/* Once it was: sealed, or refused. */
enum flow recount_end(struct archive *a);

/* The states, ARCHIVE_COUNTING and ARCHIVE_SEALING. */
enum flow recount_counting(struct archive *a);
enum flow recount_sealing(struct archive *a);

#endif
