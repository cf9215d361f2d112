/* refuse.h - why an archive is not made: the sentences.
 *
 * Each sets the archive's fault (message.h) and nothing else. */
#ifndef FIRN_TASK_REFUSE_H
#define FIRN_TASK_REFUSE_H

#include "task/archive.h"

/* DescribeLogGroups did not find the group. */
void refuse_group(struct archive *a);
void refuse_class(struct archive *a);
/* The window has begun to expire, and may not be stored for what is left. */
void refuse_expired(struct archive *a);
void refuse_recreated(struct archive *a);
/* What is under the key is not this window, or may not be written over. */
void refuse_existing(struct archive *a);
/* A recount found less than is archived; a->reason says it. */
void refuse_recount(struct archive *a);
/* Another run is alive, and has it. */
void refuse_held(struct archive *a);
/* Another run took it over from us. */
void refuse_lost(struct archive *a);

#endif
