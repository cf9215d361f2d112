/* claim.h - before the first read: may this window be archived, and by us?
 *
 * What the group is, what is under the key, whose the checkpoint is; then the
 * lease, and, with it, a second look: whoever held it may have finished. What
 * a dead run left is taken over in any case, to be gone on with, finished or
 * taken away. The caller is archive.c. */
#ifndef FIRN_TASK_CLAIM_H
#define FIRN_TASK_CLAIM_H

#include "task/archive.h"

/* Is the beginning of what is to be read past what the group holds by now?
 * Then what is read is not what was written. Sets a->held_ms. */
bool claim_has_expired(struct archive *a);
/* May it be archived all the same? Not if nothing is left of it, and not in
 * the place of what may hold more. */
bool claim_may_be_part(const struct archive *a);

/* Looks at what is there once more. */
enum flow claim_again(struct archive *a);
/* The states, ARCHIVE_GROUP to ARCHIVE_TAKING. */
enum flow claim_group(struct archive *a);
enum flow claim_existing(struct archive *a);
enum flow claim_looking(struct archive *a);
enum flow claim_taking(struct archive *a);

/* While it is ours: renews the lease when it is due, and tells what is stored
 * by then. FLOW_WANT_EVENT: nothing to do; if a->state has changed, it has
 * failed. */
enum flow claim_keep(struct archive *a);
/* Writes the checkpoint now; LEASE_HELD. */
enum flow claim_record(struct archive *a, enum checkpoint_state state);
/* The lease is another's, or a step of it failed. */
enum flow claim_lost(struct archive *a);

#endif
