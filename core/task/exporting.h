/* exporting.h - an archive by way of an export: CloudWatch Logs writes the
 * window into S3, and what it wrote is merged (gather.h).
 *
 *   EXPORTING  the task is created, or the one that a run before created is
 *              joined, and waited for (fetch/export.h)
 *
 * Its files lie below `<dir>/_<stem>.export-<begun>/`, beside the checkpoint;
 * in the end they are deleted (discard.h). An export holds what was ingested
 * before it began, so the archive is provisional: a recount has the last
 * word. */
#ifndef FIRN_TASK_EXPORTING_H
#define FIRN_TASK_EXPORTING_H

#include "task/archive.h"

enum flow exporting_begin(struct archive *a);
/* The export's bucket and files; of a.receipt the object that was made of
 * them says so. */
struct object_name exporting_files(const struct archive *a);
/* The export's names out of such a receipt. False: it is not ours, and there
 * are none. */
bool exporting_recall(struct archive *a, const struct receipt *r);
struct view exporting_probe(struct archive *a);
/* The task's folder is empty: what other folders of the prefix hold is the
 * task's, too, if it is the only one there (AWS names the folder after the
 * task, other stores do not). False: that was tried, or cannot be said. */
bool exporting_widen(struct archive *a);
/* It was: the files' prefix has no task's folder. */
bool exporting_is_wide(const struct archive *a);

/* There may be a task, or its files, which the next run joins: the checkpoint,
 * which knows their prefix, has to stay. */
bool exporting_stays(const struct archive *a);

/* The state ARCHIVE_EXPORTING. */
enum flow exporting_step(struct archive *a);

#endif
