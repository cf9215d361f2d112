/* discard.h - what an archive was made of is deleted, after the archive was
 * read back: with --delete-source, and an export's files.
 *
 *   PROVING   the object is read in full and held against its receipt
 *             (verify.h), which then says so
 *   REMOVING  the objects are deleted, each in the version that was merged
 *
 * Nothing is deleted that may not have been merged. An object is as it was
 * listed then if S3 says that it is older than the list; or of the same second,
 * if the whole list still has its digest in a later one. It is deleted If-Match
 * its ETag. What is newer stays, and is counted. Killed here, the next run
 * finds the receipt and does the rest. */
#ifndef FIRN_TASK_DISCARD_H
#define FIRN_TASK_DISCARD_H

#include "task/archive.h"

/* Is there something to be deleted, now that the receipt is there? */
bool discard_is_due(const struct archive *a);
/* The same where it was there already; the receipt must tell what it was made
 * of. May fail the archive. */
enum flow discard_rest(struct archive *a);
enum flow discard_begin(struct archive *a);
/* An export's files, without looking back. */
enum flow discard_export(struct archive *a);

/* The states. */
enum flow discard_proving(struct archive *a);
enum flow discard_removing(struct archive *a);
int64_t discard_wake_ms(const struct archive *a);

#endif
