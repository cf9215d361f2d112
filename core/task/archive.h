/* archive.h - one group, one window, one object.
 *
 * Owns all buffers of the journey and wires its stages: lanes read, join
 * orders, upload sends, the receipt is written last. What it is made of may be
 * objects instead, which merge reads (gather.h); all else is the same.
 *
 *   before the first read   the group is asked for (account, class, age,
 *                           retention), the key is made, what is under it
 *                           already decides whether anything is done, and the
 *                           lease is taken
 *   reading                 the blocks flow; each part that S3 has stored goes
 *                           into the checkpoint
 *   before the commit       the group is asked for again: what has expired
 *                           meanwhile may be missing; then the checkpoint
 *                           holds the receipt
 *   commit, receipt         S3 confirms size and checksum; only then
 *   after                   the checkpoint is deleted
 *
 * A run that is stopped, killed or cut off leaves its upload open, and the next
 * one goes on (docs/durability.md). Where going on makes no sense, the upload
 * is aborted and nothing is left behind. */
#ifndef FIRN_TASK_ARCHIVE_H
#define FIRN_TASK_ARCHIVE_H

#include "fetch/group.h"
#include "pack/join.h"
#include "ship/existing.h"
#include "ship/journal.h"
#include "ship/lease.h"
#include "fetch/export.h"
#include "ship/merge.h"
#include "ship/sweep.h"
#include "ship/tidy.h"
#include "task/plan.h"
#include "task/spec.h"
#include "task/verify.h"

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
        ARCHIVE_LOOKING,     /* waits for the checkpoint, if there is one */
        ARCHIVE_TAKING,      /* waits for the lease */
        ARCHIVE_COUNTING,    /* the window is counted again */
        ARCHIVE_SEALING,     /* waits for the receipt to say so */
        ARCHIVE_EXPORTING,   /* waits for CloudWatch Logs to export */
        ARCHIVE_CHECKING,    /* what is to be merged is looked through */
        ARCHIVE_READING,     /* the blocks flow */
        ARCHIVE_RECHECK,     /* waits for what the group is by now */
        ARCHIVE_STORING,     /* waits for the last parts to be stored */
        ARCHIVE_RECORDING,   /* waits for the receipt in the checkpoint */
        ARCHIVE_COMMITTING,  /* waits for S3 to confirm the object */
        ARCHIVE_RECEIPT,     /* waits for S3 to confirm the receipt */
        ARCHIVE_PROVING,     /* the object is read back */
        ARCHIVE_REMOVING,    /* what it was made of is deleted */
        ARCHIVE_CLEARING,    /* waits for S3 to forget sorted runs */
        ARCHIVE_ABORTING,    /* waits for S3 to forget the upload */
        ARCHIVE_RELEASING,   /* waits for the checkpoint to name no holder */
        ARCHIVE_SWEEPING,    /* waits for S3 to forget uploads of others */
        ARCHIVE_DROPPING,    /* waits for the checkpoint to be deleted */
        ARCHIVE_DONE,        /* final */
        ARCHIVE_FAILED,      /* final; fault says why */
    } state;                 /* public */

    const struct spec *spec;
    struct site       *site;
    struct now         now;          /* of the step under way */
    int64_t            begun_ms;     /* AWS's clock, when reading began */
    int64_t            date_ms;      /* of the reply about the group ... */
    int64_t            date_mono_ms; /* ... and when it came */
    int64_t            created_ms;   /* of the group, when first asked for */
    int64_t            held_ms;      /* what is older has expired ... */
    bool               expired;      /* ... and that concerns the window */
    bool               doubted;      /* what is there was looked at twice */
    bool               stopped;      /* as soon as may be */
    bool               recounted;    /* and the receipt says so */
    bool               replace;      /* by a recount: there is more now */
    bool               resumable;    /* `found` is sound and of this window */
    bool               leftover;     /* `found` is of a run that was done */
    bool               stray;        /* uploads nobody knows of may be open */
    bool               again;        /* after the abort it starts over */
    uint32_t           overs;        /* so often it did */
    bool               released;     /* the checkpoint names no holder */
    uint32_t           recorded;     /* parts in the checkpoint; 0 with none */
    uint64_t           nonce, serial;/* of the checkpoint's writes */
    int64_t            since_ms;     /* we hold the lease */
    bool               lent;         /* to `merge` the lanes' memory is */
    struct call       *call;         /* the first lane's, or the merge's, while
                                        these do not read: for all but events
                                        and parts */
    enum compress      compress;     /* the object's ... */
    enum census_form   lines;        /* ... and its records' form */
    enum merge_mode    mode;         /* of a merge */
    bool               checked;      /* the merge was looked through, and ... */
    struct tally       checked_tally;  /* ... is known to hold this ... */
    uint64_t           checked_bytes;  /* ... in so many raw bytes ... */
    uint64_t           checked_list;   /* ... of this list */
    bool               listed;       /* what was merged is this list */
    bool               exported;     /* `export` is done */
    struct export      export;
    char               export_url[SPEC_BUCKET_BYTES + EXPORT_PREFIX_BYTES +
                                  EXPORT_ID_BYTES + 16];  /* of its files */
    struct {
        const char    *url;          /* of the object that is read back */
        struct remove  remove;
        bool           compares, same;  /* the list: it is looked at; it is
                                           the one that was merged */
        uint64_t       newer;        /* objects that are not to be deleted */
        int64_t        resume_mono_ms;
    } discard;
    char               price[160];   /* public: what sorting takes; or "" */
    bool               cleared;      /* no sorted run is left, or so it was
                                        tried */
    const char        *unfit;        /* to be put end to end; or NULL */
    char               about[CATALOG_KEY_BYTES];  /* public: the object that
                                        the fault is about; or "" */
    union {
        struct group   group;
        struct sweep   sweep;        /* at the end */
    };
    struct existing    existing;
    struct lease       lease;
    struct checkpoint  found;        /* what was there, in `slots` */
    struct target      target, segment_target;
    struct upload      upload;
    struct journal     journal;
    struct receipt     receipt;
    struct index       index;
    struct put         put;
    struct target      receipt_target;
    struct view        receipt_text;
    struct body        receipt_body;
    char               receipt_key[SPEC_KEY_BYTES + 32];
    char               checkpoint_key[SPEC_KEY_BYTES + 32];
    char               state_key[SPEC_KEY_BYTES];  /* of the lease, where
                                        that is elsewhere */
    char               segment_key[SPEC_KEY_BYTES + 32];
    char               reason[128];  /* the receipt's, as a string */
    struct lane_shared shared;
    struct join        join;
    struct arena       arena;
    uint16_t           next[CFG_SLOT_COUNT];
    union {
        struct lane    lanes[CFG_LANE_COUNT];
        struct merge   merge;
        struct verify  verify;
        struct tidy    tidy;
    };
    char        checkpoint[CFG_CHECKPOINT_BYTES];  /* as it is written */
    _Alignas(4096) uint8_t slots[CFG_SLOT_COUNT * CFG_SLOT_BYTES];
};

/* The spec outlives it. */
void archive_init(struct archive *a, struct site *site,
                  const struct spec *spec);
enum flow archive_step(struct archive *a, struct now now);
/* Stops as soon as the checkpoint is written; the fault becomes ERROR_STOPPED.
 * After the commit began, it is finished instead. */
void archive_stop(struct archive *a);
/* The earliest mono_ms at which stepping makes sense without an event. */
int64_t archive_wake_ms(const struct archive *a);

/* For claim.c, recount.c, gather.c and ending.c: the one place that writes
 * a->state; AWS's clock; lanes that read from there on; and the ways to go on
 * once the day is ours: from its beginning, behind what is stored, with the
 * receipt. */
void      archive_enter(struct archive *a, enum archive_state next);
int64_t   archive_aws_ms(const struct archive *a);
/* The instant before which all that is ingested counts as settled: now, by our
 * clock; by CloudWatch's last Date, if ours is two seconds ahead of that. What
 * it took in between, a recount finds and has archived. */
int64_t   archive_settled_ms(const struct archive *a);
/* An upload that has not begun. */
void      archive_upload(struct archive *a);
void      archive_begin_lanes(struct archive *a, int64_t from_ms);
enum pack_kind archive_pack(const struct archive *a);
enum flow archive_begin(struct archive *a);
enum flow archive_resume(struct archive *a);
enum flow archive_finish(struct archive *a);

#endif
