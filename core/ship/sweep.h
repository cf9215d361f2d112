/* sweep.h - aborts multipart uploads of one key that nobody goes on with.
 *
 * A run that died between CreateMultipartUpload and the note of its id, or
 * whose answer was lost, leaves an upload that no checkpoint names. Who holds
 * the key's lease may abort all uploads of exactly that key but its own. One
 * at a time: asked for a page of ListMultipartUploads, aborted, asked again.
 * Without the permission to list, or where a store does not know it, nothing
 * is aborted, and that is no fault: a lifecycle rule does it, too. */
#ifndef FIRN_SHIP_SWEEP_H
#define FIRN_SHIP_SWEEP_H

#include "ship/elements.h"
#include "ship/multipart.h"

enum { SWEEP_MOST = 64 };  /* uploads aborted at once */

struct sweep {
    enum sweep_state {
        SWEEP_LISTING,   /* waits for a page of ListMultipartUploads */
        SWEEP_ABORTING,  /* waits for the answer to Abort */
        SWEEP_DELETING,  /* waits for the answer to DeleteObject */
        SWEEP_DONE,      /* final */
    } state;                /* public */
    uint32_t aborted;       /* public */

    struct call *call;      /* private from here on */
    const struct target *target;
    struct view  keep;      /* an upload's id, or empty */
    uint32_t     attempt;
    bool         object;    /* goes, too */
    bool         ours;      /* the <Upload> being read is of the key */
    struct elements elements;
    char id[MULTIPART_ID_BYTES];     /* of the upload being read */
    char stray[MULTIPART_ID_BYTES];  /* to be aborted; "": none seen */
};

/* `call` is lent until it is done and has a ring; the rest outlives it. */
void sweep_init(struct sweep *s, struct call *call,
                const struct target *target, struct view keep);
/* Straight after init: an object under that key is a segment (segment.h) of
 * nobody any more, and is deleted. */
void sweep_object(struct sweep *s);
/* FLOW_ENDED: done, as far as could be. Never FLOW_FAILED. */
enum flow sweep_step(struct sweep *s, struct now now);

#endif
