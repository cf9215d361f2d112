/* export_task.h - an export task as CloudWatch Logs is asked for it, and as it
 * lists it (API reference, CreateExportTask, DescribeExportTasks). */
#ifndef FIRN_FETCH_EXPORT_TASK_H
#define FIRN_FETCH_EXPORT_TASK_H

#include "base/json.h"

enum { EXPORT_NAME_BYTES = 40, EXPORT_PREFIX_BYTES = 1024 };

struct export_spec {
    struct view group;
    struct view stream_prefix;   /* empty: all */
    int64_t     from_ms, until_ms;  /* half-open */
    struct view bucket;          /* in the group's region */
    struct view prefix;          /* of keys, without "/" at its end */
    struct view region;          /* of the group */
    int64_t     since_ms;        /* when the work on the window began, by
                                    AWS's clock; also that of a run before */
};

/* "firn-2026-11-09-" and a checksum of all that makes a task what it is, but
 * `since_ms`. */
void export_task_name(struct text *name, const struct export_spec *s);
/* Bodies of requests. An empty token: the first page. */
void export_task_create(struct text *body, const struct export_spec *s,
                        const char *name);
void export_task_list(struct text *body, const char *status,
                      const char *token);
void export_task_ask(struct text *body, const char *id);

/* Of a task in a reply: is it the one that would be created; and when it was,
 * 0 if that is not said. */
bool    export_task_is(const struct json *j, int32_t task,
                       const struct export_spec *s, const char *name);
int64_t export_task_created(const struct json *j, int32_t task);

#endif
