/* retention.h - how long CloudWatch keeps a group, lowered only where nothing
 * would be lost (contract, "Retention guard").
 *
 *   DescribeLogGroups -> FilterLogEvents, for what is older than the group ->
 *   a receipt and an object for each day that would expire ->
 *   PutRetentionPolicy, or a sentence that names the days
 *
 * What would expire reaches from the group's creation, or its first event if
 * a collector brought old ones, or what its retention holds still, to now less
 * the new one. All of it must be covered by windows of receipts that are this
 * group's, agree with their objects, are sealed and verified; the windows
 * count, not the keys' dates, so that a change of time zone leaves no day out.
 *
 * Refused is ERROR_STOPPED where the next runs will cure it, else
 * ERROR_CORRUPT; the fault's words are the whole sentence. The caller owns it;
 * the spec outlives it. */
#ifndef FIRN_TASK_RETENTION_H
#define FIRN_TASK_RETENTION_H

#include "fetch/first.h"
#include "fetch/group.h"
#include "ship/survey.h"
#include "task/options.h"

/* What is wrong with a day. */
enum retention_why {
    RETENTION_MISSING,      /* not archived */
    RETENTION_PROVISIONAL,  /* also imported: not recounted yet */
    RETENTION_UNVERIFIED,
    RETENTION_DAMAGED,
    RETENTION_FOREIGN,      /* the receipt is of something else */
};

enum { RETENTION_RANGES = 3 };  /* named, of those that are wrong */

struct retention_range {
    int64_t first, last;    /* civil days */
    enum retention_why why;
};

struct retention_options {
    const struct spec *spec;      /* group, bucket, key, time zone, dry_run */
    uint32_t days;                /* one that CloudWatch knows */
    bool     accept_provisional;
};

struct retention {
    struct fault fault;     /* public at FLOW_FAILED */
    const char  *action;    /* public at FLOW_ENDED: "set", "unchanged",
                               "would set" */
    int64_t      before;    /* public: the retention found; 0: for ever */
    uint64_t     days;      /* public: that would expire */
    uint64_t     text_days; /* public: of these, in text form */
    int64_t      from_ms, cut_ms;  /* public: what would expire, half-open;
                               from >= cut: nothing */

    struct retention_options options;
    enum retention_state {
        RETENTION_GROUP,    /* waits for what the group is */
        RETENTION_FIRST,    /* waits for an event older than it */
        RETENTION_DAYS,     /* waits for receipts and objects */
        RETENTION_SETTING,  /* waits for PutRetentionPolicy */
        RETENTION_DONE,     /* final */
        RETENTION_FAILED,   /* final */
    } state;
    struct site       *site;
    const struct zone *zone;
    int64_t  now_ms;        /* AWS's clock, when the group was known */
    int64_t  ask, last;     /* the next day to be asked for, and the last */
    int64_t  reached_ms;    /* judged up to here */
    int64_t  named;         /* the last civil day that was counted wrong */
    uint64_t wrong;         /* days */
    bool     lasting;       /* ... some of which no run will cure */
    struct retention_range cause;  /* what the cure is about */
    int64_t  sealed_ms;     /* when the last provisional one can be sealed */
    uint32_t range_count;
    struct retention_range range[RETENTION_RANGES];
    bool     more;          /* than these ranges */
    struct spec   key_spec; /* the spec, with the day in hand */
    struct group  group;
    struct first  first;
    struct ring   ring;
    struct call   call;
    struct survey survey;
    uint8_t       bytes[CFG_LANE_RING_BYTES];
    _Alignas(8) uint8_t room[GROUP_ROOM_BYTES];
};

enum { RETENTION_TEXT_BYTES = 3072 };

void retention_init(struct retention *r, struct site *site,
                    const struct retention_options *options);
enum flow retention_step(struct retention *r, struct now now);
/* No call is under way any more; that is its end. */
void retention_cancel(struct retention *r);
int64_t retention_wake_ms(const struct retention *r);
/* The sentence of a refusal, into FAULT_WORDS_BYTES. */
void retention_refuse(struct text *t, const struct retention *r);
/* What was done, at FLOW_ENDED or FLOW_FAILED, as a line of at most
 * RETENTION_TEXT_BYTES; of a failure, text has nothing more to say. */
void retention_write(struct text *out, const struct retention *r,
                     enum output form);

#endif
