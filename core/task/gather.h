/* gather.h - an archive that is made of objects, not of pages.
 *
 * The same archive in all else: what is under the key, the lease, the commit,
 * the receipt. What differs is what it is made of (ship/merge.h), and that it
 * is looked through before, where the receipt must say what it holds, or the
 * objects are to be deleted:
 *
 *   CHECKING  all is inflated once and counted; whether it can be put end to
 *             end is known then
 *   READING   it is put end to end, or made anew; if that turns out not to do,
 *             the archive starts over, as a stream
 *
 * The list must be the same each time, and an object the version that was
 * listed. With --dry-run the requests are counted, from the list alone. */
#ifndef FIRN_TASK_GATHER_H
#define FIRN_TASK_GATHER_H

#include "task/archive.h"

void gather_init(struct archive *a);
/* What is merged: bucket and prefix. */
struct object_name gather_from(const struct archive *a);
/* A merge takes the place of the lanes; its calls are lent until it begins. */
void gather_lend(struct archive *a);
/* What the arena is made of: of --order time, without the last merge's. */
struct span gather_slots(struct archive *a);
/* Begins, or goes on behind what the journal says is stored. */
enum flow gather_begin(struct archive *a);
/* Counts what it would take; ends the archive. */
enum flow gather_plan(struct archive *a);
/* After each merge_step(): what is known by now of the object's form. */
void      gather_note(struct archive *a);
/* All is read: was it as it was thought to be? */
bool      gather_fits(const struct archive *a);
/* It was not: starts over, or fails. */
enum flow gather_again(struct archive *a);
/* The merge failed. */
enum flow gather_fail(struct archive *a);
/* Takes away what was sorted, then sweeps. */
enum flow gather_clear(struct archive *a);

/* There is nothing to merge: an archive of it would hide a mistyped prefix. */
enum flow gather_nothing(struct archive *a);

/* The state ARCHIVE_CHECKING. */
enum flow gather_checking(struct archive *a);

#endif
