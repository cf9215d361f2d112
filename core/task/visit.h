/* visit.h - all that is due of one log group.
 *
 *   one LIST of its receipts -> each day that is missing, the oldest first ->
 *   each that is to be recounted -> its retention, where that is asked for
 *
 * A visit that finds nothing due costs that LIST. A day's window begins where
 * the receipt of the day before ends, and ends where that of the day after
 * begins, if there are: so days leave no gap and have no overlap when the
 * time zone was changed. Before retention is lowered, days that are sealed
 * but not yet read back are verified.
 *
 * A day that fails does not stop the others, unless they would fail alike:
 * without permission, or when AWS cannot be reached. Whenever something is to
 * be told, the visit waits:
 *
 *     visit_init(v, site, &options);
 *     while ((flow = visit_step(v, now)) != FLOW_ENDED)
 *         if (flow == FLOW_WANT_ROOM) {
 *             ... say what v->told is about ...
 *             visit_take(v);
 *         }
 *
 * The caller owns it; what the options point to lives as long as the visit. */
#ifndef FIRN_TASK_VISIT_H
#define FIRN_TASK_VISIT_H

#include "ship/catalog.h"
#include "task/archive.h"
#include "task/calendar.h"
#include "task/retention.h"
#include "task/tour.h"
#include "task/verify.h"

enum visit_told {
    VISIT_NOTHING,
    VISIT_ARCHIVE,    /* `archive` has ended; `flow` says how */
    VISIT_RETENTION,  /* `retention` has; likewise */
    VISIT_VERIFY,     /* `verified` is the result */
    VISIT_FAULT,      /* of the group as a whole: `fault` */
    VISIT_DUE,        /* of one that plans: `due`, of the day in `spec` */
};

enum visit_due {
    VISIT_MISSING,    /* the day is to be archived ... */
    VISIT_STALE,      /* ... or recounted */
    VISIT_KEEP,       /* retention is to be set */
};

struct visit_options {
    struct view group;
    const struct group_info      *info;      /* copied */
    const struct config_settings *settings;
    bool        dry_run;
    bool        plan;         /* tells what is due, and does nothing */
};

/* What it needs while no job is under way. */
struct visit_looking {
    struct tour_room tour;    /* its call is used, its page is not */
    struct catalog  catalog;
    struct existing existing;
    char     prefix[SURVEY_KEY_BYTES], after[SURVEY_KEY_BYTES];
    uint8_t  receipt[EXISTING_ROOM_BYTES];
};

struct visit {
    enum visit_told told;     /* public at FLOW_WANT_ROOM */
    enum flow       flow;     /* public: of the job that is told */
    struct fault    fault;    /* public: VISIT_FAULT's */
    const struct verify_result *verified;  /* public */
    enum visit_due due;       /* public: VISIT_DUE's */
    uint32_t beside;          /* public: receipts that its day would need */
    int      exit_code;       /* public: the worst so far */
    uint32_t archived, recounted, failed;  /* public: days */
    int64_t  open_ms;         /* public: where the first day begins that was
                                 tried and is not archived; INT64_MAX: none */
    bool     used;            /* public: a job has lain where `looking` is */

    struct visit_options options;
    enum visit_state {
        VISIT_LISTING,    /* waits for the list of its receipts */
        VISIT_CHOOSING,   /* chooses what is next */
        VISIT_BESIDE,     /* waits for the receipt of a day beside */
        VISIT_OWN,        /* waits for that of a day to be recounted */
        VISIT_ARCHIVING,  /* the archive is under way */
        VISIT_RETAINING,  /* retention is */
        VISIT_PICKING,    /* waits for the receipt of a day to be verified */
        VISIT_VERIFYING,  /* it is read back */
        VISIT_DONE,       /* final */
    } state;              /* public */
    struct site  *site;
    struct now    now;        /* of the step under way */
    bool          begun;      /* the list is */
    bool          stopped;
    struct group_info info;
    struct spec   spec;       /* public: of the day in hand */
    int64_t       day;
    int64_t       asked_day;  /* whose receipt is asked for */
    int32_t       side;       /* of `day`: -1 before it, 1 after it */
    uint32_t      range, range_count;  /* to be verified */
    struct retention_range ranges[RETENTION_RANGES];
    int64_t       tried;      /* the first day of these, the last time */
    const char   *url;
    char          url_bytes[SPEC_KEY_BYTES + SPEC_BUCKET_BYTES + 8];
    struct calendar calendar;
    union {
        struct visit_looking looking;
        struct archive       archive;
        struct retention     retention;
        struct verify        verify;
    };
};

/* `looking.tour` is ready. */
void visit_init(struct visit *v, struct site *site,
                const struct visit_options *options);
/* A visit that is over before it begins: the group cannot be looked at. */
void visit_refuse(struct visit *v, struct view group,
                  const struct fault *fault);
/* FLOW_WANT_ROOM: something is to be told. */
enum flow visit_step(struct visit *v, struct now now);
void visit_take(struct visit *v);
/* As soon as may be: what is archived goes into its checkpoint. */
void visit_stop(struct visit *v);
int64_t visit_wake_ms(const struct visit *v);

/* For visit_day.c: the one place that writes v->state; something is to be
 * told; that is the end of the visit. And back: a day that is missing, one to
 * be recounted, and their states, VISIT_BESIDE and VISIT_OWN. */
enum flow visit_enter(struct visit *v, enum visit_state next);
enum flow visit_tell(struct visit *v, enum visit_told told, int code);
enum flow visit_give_up(struct visit *v, const struct fault *fault);
struct plan_place visit_place(const struct visit *v);
void      visit_set_day(struct visit *v, int64_t day);
enum flow visit_ask(struct visit *v, int64_t day, enum visit_state next);
const struct receipt *visit_found(const struct visit *v);
enum flow visit_begin_day(struct visit *v, int64_t day);
enum flow visit_beside(struct visit *v);
enum flow visit_begin_recount(struct visit *v, int64_t day);
enum flow visit_own(struct visit *v);
/* Or, of one that plans, either is told; or that retention is to be set. */
enum flow visit_plan(struct visit *v, int64_t day, enum visit_due due);
/* Once it is done: days until CloudWatch deletes one that is not archived, at
 * least 0. False: it keeps the group for ever, or nothing is known. */
bool visit_margin(const struct visit *v, int64_t *days);

#endif
