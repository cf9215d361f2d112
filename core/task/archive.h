/* archive.h - one group, one window, one object.
 *
 * Owns all buffers of the journey and wires its stages: lanes read, join
 * orders, upload sends, the receipt is written last.
 *
 *   before the first read   the group is asked for (account, class, age,
 *                           retention), the key is made, and what is under
 *                           it already decides whether anything is done
 *   reading                 the blocks flow
 *   before the commit       the group is asked for again: what has expired
 *                           meanwhile may be missing
 *   commit, receipt         S3 confirms size and checksum; only then
 *
 * A run that fails aborts its upload and leaves nothing behind. */
#ifndef FIRN_TASK_ARCHIVE_H
#define FIRN_TASK_ARCHIVE_H

#include "fetch/group.h"
#include "pack/join.h"
#include "ship/existing.h"
#include "ship/receipt.h"
#include "ship/upload.h"
#include "task/plan.h"
#include "task/spec.h"

/* What has been done so far; for the progress. */
struct archive_counts {
    uint64_t events, bytes_raw, bytes_stored;  /* joined, in order */
    uint64_t parts;
    uint64_t repeated;   /* events that came again and were dropped */
    int64_t  reached_ms; /* the window is joined up to here */
};

struct archive_result {
    const char *action;  /* "archived", "skipped", "would archive" */
    const char *state;   /* of the receipt: "sealed", "provisional" */
    const char *reason;  /* why it is so; "" if there is nothing to say */
};

struct archive {
    struct archive_counts counts;   /* public */
    struct archive_result result;   /* public at FLOW_ENDED */
    struct fault          fault;    /* public at FLOW_FAILED */
    char key[SPEC_KEY_BYTES];       /* public, once the group is known */
    enum archive_state {
        ARCHIVE_GROUP,       /* waits for what the group is */
        ARCHIVE_EXISTING,    /* waits for what is under the key */
        ARCHIVE_READING,     /* the blocks flow */
        ARCHIVE_RECHECK,     /* waits for what the group is by now */
        ARCHIVE_COMMITTING,  /* waits for S3 to confirm the object */
        ARCHIVE_RECEIPT,     /* waits for S3 to confirm the receipt */
        ARCHIVE_ABORTING,    /* waits for S3 to forget the upload */
        ARCHIVE_DONE,        /* final */
        ARCHIVE_FAILED,      /* final; fault says why */
    } state;                 /* public */

    const struct spec *spec;
    struct site       *site;
    struct now         now;          /* of the step under way */
    int64_t            begun_ms;     /* AWS's clock, when reading began */
    int64_t            created_ms;   /* of the group, when first asked for */
    int64_t            held_ms;      /* what is older has expired ... */
    bool               expired;      /* ... and that concerns the window */
    bool               stopped;      /* as soon as may be */
    bool               ended;        /* the last byte is appended */
    uint32_t           crc;          /* CRC-32 of the raw bytes so far */
    struct call       *call;         /* the first lane's, while no lane reads:
                                        for all but events and parts */
    struct group       group;
    struct existing    existing;
    struct target      target;
    struct upload      upload;
    struct receipt     receipt;
    struct index       index;
    struct put         put;
    struct target      receipt_target;
    struct view        receipt_text;
    struct body        receipt_body;
    char               receipt_key[SPEC_KEY_BYTES + 32];
    char               reason[128];  /* the receipt's, as a string */
    struct lane_shared shared;
    struct join        join;
    struct arena       arena;
    uint16_t           next[CFG_SLOT_COUNT];
    struct lane        lanes[CFG_LANE_COUNT];
    _Alignas(4096) uint8_t slots[CFG_SLOT_COUNT * CFG_SLOT_BYTES];
};

/* The spec outlives it. */
void archive_init(struct archive *a, struct site *site,
                  const struct spec *spec);
enum flow archive_step(struct archive *a, struct now now);
/* Stops as soon as S3 has been told; the fault becomes ERROR_STOPPED. After the
 * commit began, it is finished instead. */
void archive_stop(struct archive *a);
/* The earliest mono_ms at which stepping makes sense without an event. */
int64_t archive_wake_ms(const struct archive *a);

#endif
