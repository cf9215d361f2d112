/* ending.h - how an archive ends, well or not: what S3 is left with.
 *
 *   done, or nothing to do     uploads that nobody knows of are aborted, the
 *                              checkpoint is deleted
 *   a fault that may pass      the upload stays open and the checkpoint names
 *                              no holder, so that a later run goes on at once;
 *                              cut off from S3 it stays as it is
 *   another fault              the upload is aborted, the checkpoint deleted
 *   the lease is lost          all of it is another run's now
 *   after the commit record    all stays: a later run commits, or finds it done
 *
 * Every function is called by a step of the archive, whose flow it returns. */
#ifndef FIRN_TASK_ENDING_H
#define FIRN_TASK_ENDING_H

#include "task/archive.h"

/* a->fault is set. */
enum flow ending_fail(struct archive *a);
/* The fault of one of its parts. */
enum flow ending_fault(struct archive *a, const struct fault *fault);
/* Nothing is to be done; if we hold the lease, a dead run's rest goes. */
enum flow ending_early(struct archive *a, const char *action);
/* All is done, but for what may be left besides. */
enum flow ending_sweep(struct archive *a);
/* An upload that is of no use is aborted, and the window starts over. */
enum flow ending_over(struct archive *a);

/* The states, ARCHIVE_CLEARING to ARCHIVE_DROPPING. */
enum flow ending_clearing(struct archive *a);
enum flow ending_aborting(struct archive *a);
enum flow ending_releasing(struct archive *a);
enum flow ending_sweeping(struct archive *a);
enum flow ending_dropping(struct archive *a);

#endif
