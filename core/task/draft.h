/* draft.h - a configuration made from an account's log groups.
 *
 * The groups are listed, page by page, three times at most, and nothing is
 * held: once to see whether their names fit into a configuration, once to
 * write them, and once for those that are left out, if there are any. More
 * than fit become "*" and what is special about some; ERROR_LIMIT if those do
 * not fit either. What it does not need
 * to say, it says for people, in keys that begin with //.
 *
 *     draft_init(d, site, to);
 *     do {
 *         flow = draft_step(d, now);
 *         ... write text_view(&d->out) to stdout, then text_reset(&d->out) ...
 *     } while (flow is not FLOW_ENDED or FLOW_FAILED);
 *
 * The caller owns it; `to` lives as long, and is a URL for many groups. */
#ifndef FIRN_TASK_DRAFT_H
#define FIRN_TASK_DRAFT_H

#include "base/date.h"
#include "fetch/group.h"
#include "task/config.h"

enum { DRAFT_LINE_BYTES = 1024, DRAFT_OUT_BYTES = 4096 };

struct draft {
    struct text  out;       /* public: to be written, then reset */
    struct fault fault;     /* public at FLOW_FAILED */

    enum draft_state {
        DRAFT_MEASURING,    /* waits for groups, to see how many there are */
        DRAFT_LISTING,      /* waits for those that are written */
        DRAFT_LEAVING,      /* waits for those that are left out */
        DRAFT_DONE,         /* final */
        DRAFT_FAILED,       /* final */
    } state;
    struct site *site;
    struct view  to;
    struct draft_size {
        uint32_t count, bytes;
    } size[2];              /* of all entries; of those beside "*" alone */
    uint32_t     left;      /* out; then those left to be written */
    uint32_t     written;
    bool         all;       /* they are too many: "*" */
    struct group group;
    struct ring  ring;
    struct call  call;
    uint8_t      bytes_in[CFG_LANE_RING_BYTES];
    _Alignas(8) uint8_t room[GROUP_ROOM_BYTES];
    char         out_bytes[DRAFT_OUT_BYTES];
};

void draft_init(struct draft *d, struct site *site, struct view to);
/* FLOW_WANT_ROOM: `out` must be written. */
enum flow draft_step(struct draft *d, struct now now);
int64_t draft_wake_ms(const struct draft *d);

#endif
