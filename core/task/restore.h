/* restore.h - an object comes back from a Glacier class into S3.
 *
 * RestoreObject asks for a copy that can be read; that one is under way, or
 * there already (then it is kept longer), is as good. HeadObject tells how
 * far it is, in x-amz-restore, and the object's class: one that needs no
 * restore is good news, too. Where it is to be waited for, HeadObject is
 * asked again after seconds at first, later every four minutes, under the
 * site's deadline. Sources: S3 API reference, RestoreObject, HeadObject; user
 * guide, "Archive retrieval options".
 *
 * The caller owns it; the strings live as long as it does. It may be left at
 * any time: S3 goes on by itself. */
#ifndef FIRN_TASK_RESTORE_H
#define FIRN_TASK_RESTORE_H

#include "call/call.h"
#include "fetch/object.h"
#include "task/options.h"

struct restore_options {
    struct object_name name;
    uint32_t           days;
    enum restore_tier  tier;
    bool               wait;
};

struct restore_result {
    const char *action;  /* "started", "extended", "asked", "restored",
                            "skipped" */
    const char *state;   /* "restoring", "readable" */
    char        reason[160];
};

struct restore {
    struct restore_result result;  /* public at FLOW_ENDED */
    struct fault          fault;   /* public at FLOW_FAILED */
    enum restore_state {
        RESTORE_ASKING,   /* waits for the answer to RestoreObject */
        RESTORE_LOOKING,  /* waits for the object's head */
        RESTORE_WAITING,  /* waits for a pause to end */
        RESTORE_DONE,     /* final */
        RESTORE_FAILED,   /* final; fault says why */
    } state;              /* public */

    struct restore_options options;
    struct fault refused;         /* S3 sees nothing to restore */
    int64_t      pause_ms;        /* the next one */
    int64_t      resume_mono_ms;
    struct call  call;
};

void restore_init(struct restore *r, struct site *site,
                  const struct restore_options *options);
enum flow restore_step(struct restore *r, struct now now);
/* When to step again without an event; INT64_MAX: no need. */
int64_t restore_wake_ms(const struct restore *r);

#endif
