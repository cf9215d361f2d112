/* status.h - every day of every group below a prefix: archived, or not.
 *
 *   catalog (LIST) -> survey (a GET a receipt) -> ledgers -> out
 *
 * What S3 lists as _*.receipt.json says a day of a group. Its object stands
 * next in the list, under the default template, and is asked for by a HEAD if
 * it does not. What lies between
 * two of a group's windows, and from its last one to yesterday, is a gap, told
 * day by day. One DescribeLogGroups a group says what of a gap can still be
 * read, and how many days are left to do so. Days before the first one that
 * is archived are not due: nothing here says since when they should be.
 *
 * Nothing is kept of a day that was told. A group is done with as soon as the
 * list is past it, which the keys tell where the group stands before the date,
 * as in the default template; otherwise groups are kept till the end, and more
 * than CFG_STATUS_GROUPS of them are ERROR_LIMIT. A template's days must be in
 * order by their keys; one that comes too late fills no gap.
 *
 *     status_init(s, site, &options);
 *     do {
 *         flow = status_step(s, now);
 *         ... write text_view(&s->out) to stdout, then text_reset(&s->out) ...
 *     } while (flow is not FLOW_ENDED or FLOW_FAILED);
 *
 * The caller owns it; the options' views live as long as it does. */
#ifndef FIRN_TASK_STATUS_H
#define FIRN_TASK_STATUS_H

#include "ship/catalog.h"
#include "ship/survey.h"
#include "task/ledger.h"

struct status_options {
    struct view bucket, prefix;
    uint32_t    age;        /* the day so many before today is the last due */
    bool        draw;       /* calendars, not JSON lines */
    /* Of one group that is known already, else all empty: what is due of it
     * from due_ms on, whether or not a day is archived; INT64_MAX: nothing. */
    struct view group;
    const struct group_info *info;
    const struct zone       *zone;
    int64_t     due_ms;
};

struct status {
    struct text  out;       /* public: to be written, then reset */
    int          exit_code; /* public: the worst so far; final at the end */
    struct fault fault;     /* public at FLOW_FAILED */

    struct status_options options;
    enum status_state {
        STATUS_LOOKING,     /* waits for the list and for receipts */
        STATUS_ASKING,      /* waits for what CloudWatch says of a group */
        STATUS_ENDING,      /* all receipts are told; the last gaps */
        STATUS_DONE,        /* final */
        STATUS_FAILED,      /* final */
    } state;
    struct site    *site;
    struct now      now;      /* of the step under way */
    int64_t         aws_ms;   /* AWS's clock then */
    struct ledger  *asked;    /* the group being asked for */
    bool            legend;   /* something was drawn */
    uint32_t        held_len; /* of `held`, a receipt's key */
    struct catalog  catalog;
    struct survey   survey;
    struct group    group;
    struct ring     ring;
    struct call     call;
    struct ledger   ledgers[CFG_STATUS_GROUPS];
    uint8_t         bytes[CFG_LANE_RING_BYTES];
    _Alignas(8) uint8_t room[GROUP_ROOM_BYTES];
    char            held[CATALOG_KEY_BYTES];  /* till its neighbour is known */
    char            out_bytes[2 * LEDGER_LINE_BYTES];
};

void status_init(struct status *s, struct site *site,
                 const struct status_options *options);
/* FLOW_WANT_ROOM: `out` must be written. */
enum flow status_step(struct status *s, struct now now);
int64_t status_wake_ms(const struct status *s);

#endif
