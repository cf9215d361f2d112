/* export.h - has CloudWatch Logs write a window of a group into S3.
 *
 *   the bucket's policy is looked at, where that is allowed (grant.h)
 *   a task of ours that is there already is joined, else one is created
 *   the account's one slot is waited for, then the task's end
 *
 * Afterwards its files lie at `files`*, a folder a stream, and in `prefix`
 * the probe that AWS writes first, EXPORT_PROBE. What AWS selects by, an
 * event's time or its ingestion, its documents do not agree on: it is asked
 * for [from, until - 1], and whoever reads the files holds each line's time
 * against the window. Files are not in order, and may overlap.
 *
 * CreateExportTask is not idempotent. So a task has a name that says what it
 * is of: group, window, streams, bucket and prefix. After an answer that was
 * lost, and at the start, which may be another run's end, the tasks are listed
 * and the one of that name, pending, running or completed since `since_ms`, is
 * ours: an older one has perhaps been merged and cleaned up already. A task
 * that failed or was cancelled is not joined, and its files are of no use.
 *
 *   ERROR_STOPPED  the window ended less than EXPORT_LAG_MS ago, and AWS may
 *                  not have all of it; the deadline; another task holds the
 *                  slot for EXPORT_MOST_MS
 *   ERROR_CONFIG   CloudWatch Logs may not write to the bucket, and how to let
 *                  it; bucket, range or prefix that AWS does not take
 *   ERROR_REMOTE   the task FAILED, was CANCELLED, or ran for EXPORT_MOST_MS
 *   ERROR_MISSING  no such group
 *
 * and what call.h says. Sources: API reference, CreateExportTask,
 * DescribeExportTasks; user guide, "Export log data to Amazon S3".
 *
 *     export_init(e, call, &spec, room);
 *     while ((flow = export_step(e, now)) != FLOW_ENDED) ...
 *
 * The caller owns all; what the spec points to lives as long. Left at any
 * time (export_cancel), the task goes on, and the next run joins it. */
#ifndef FIRN_FETCH_EXPORT_H
#define FIRN_FETCH_EXPORT_H

#include "call/reply.h"
#include "fetch/export_task.h"

#define EXPORT_PROBE "aws-logs-write-test"

enum {
    EXPORT_LAG_MS     = 12 * 3600000,  /* until data can be exported */
    EXPORT_MOST_MS    = 24 * 3600000,  /* AWS's limit; ours for the slot */
    EXPORT_ROOM_BYTES = 65536,
    EXPORT_ID_BYTES   = 513,
};

struct export {
    char         id[EXPORT_ID_BYTES];      /* public: the task's, or "" */
    char         name[EXPORT_NAME_BYTES];  /* public: as AWS lists it */
    char         files[EXPORT_PREFIX_BYTES + EXPORT_ID_BYTES + 2];
                              /* public, once there is an id: "PREFIX/ID/" */
    int64_t      created_ms;  /* public: by AWS's clock; 0: not yet known */
    bool         joined;      /* public: the task was there already */
    bool         sent;        /* public: there may be a task of ours ... */
    bool         over;        /* public: ... and it ended, for nothing */
    struct fault fault;       /* public at FLOW_FAILED */
    enum export_state {
        EXPORT_BEGINNING,
        EXPORT_LOOKING_IN,    /* waits for the bucket's policy */
        EXPORT_LISTING,       /* waits for a page of tasks */
        EXPORT_CREATING,      /* waits for the task's id */
        EXPORT_QUEUING,       /* waits, as another task holds the slot */
        EXPORT_PENDING,       /* waits, as the task has not begun */
        EXPORT_RUNNING,       /* waits, as it runs */
        EXPORT_ASKING,        /* waits for what has become of it */
        EXPORT_DONE,          /* final: it is completed */
        EXPORT_FAILED,        /* final; the fault says why */
    } state;                  /* public */

    struct call       *call;
    struct export_spec spec;
    struct span        room;
    struct reply       reply;
    uint32_t listed, pages;   /* which status is listed, and how far */
    uint32_t doubts;          /* creations whose answer was lost */
    uint32_t unknown;         /* AWS did not know the task, so often in a row */
    bool     full;            /* the slot was taken when last asked for */
    int64_t  pause_ms;        /* the last one's */
    int64_t  resume_mono_ms;
    int64_t  queued_mono_ms;  /* since when the slot is waited for */
    char     token[CFG_TOKEN_BYTES];
};

/* `call` is lent until the end; its sink is a ring. `room` has
 * EXPORT_ROOM_BYTES, 8-byte aligned. */
void export_init(struct export *e, struct call *call,
                 const struct export_spec *spec, struct span room);
enum flow export_step(struct export *e, struct now now);
/* When to step again without an event. */
int64_t export_wake_ms(const struct export *e);
void export_cancel(struct export *e);
/* What it waits for, in a word or two: "export runs". */
const char *export_phase(const struct export *e);

#endif
