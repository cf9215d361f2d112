/* tour.h - the log groups of a configuration, one after the other.
 *
 * The entries are taken in the order in which they are written; a pattern is
 * resolved page by page, and nothing is held but the page. A group is given
 * once, by the entry that speaks for it; what an entry says of a role and of
 * the bucket's owner is in force while its groups are given.
 *
 *     tour_init(t, &options, room);
 *     while ((flow = tour_step(t, now)) != FLOW_ENDED)
 *         if (flow == FLOW_WANT_ROOM) {
 *             ... t->name; t->failed ? t->fault : t->group.info, t->settings
 *             ... and if the room was used: tour_lend(t, room)
 *             tour_next(t);
 *         }
 *
 * The caller owns it; the configuration lives as long, and is not changed. */
#ifndef FIRN_TASK_TOUR_H
#define FIRN_TASK_TOUR_H

#include "fetch/group.h"
#include "task/config.h"

struct tour_options {
    struct site   *site;
    struct config *config;
    struct view    bucket_owner;  /* of the command line; empty: the
                                     configuration's */
    struct view    only;          /* this group alone; empty: all */
};

/* Needed between two groups only. */
struct tour_room {
    struct ring ring;
    struct call call;
    uint8_t     bytes[CFG_LANE_RING_BYTES];
    _Alignas(8) uint8_t page[GROUP_ROOM_BYTES];
};

struct tour {
    struct view  name;      /* public: of the group, or of the entry that
                               failed */
    bool         failed;    /* public: the entry cannot be worked on ... */
    struct fault fault;     /* public: ... because of this */
    struct config_settings settings;  /* public */
    enum tour_state {
        TOUR_ENTRY,   /* takes the next entry, if there is one */
        TOUR_GROUP,   /* waits for the next group of the entry */
        TOUR_GIVING,  /* waits for it to be taken */
        TOUR_DONE,    /* final */
    } state;
    struct tour_options options;
    struct tour_room   *room;
    uint32_t     entry;     /* in hand */
    struct view  role;      /* in force */
    struct group group;     /* public: info */
};

void tour_init(struct tour *t, const struct tour_options *options,
               struct tour_room *room);
/* What was in the room is gone. */
void tour_lend(struct tour *t, struct tour_room *room);
enum flow tour_step(struct tour *t, struct now now);
void tour_next(struct tour *t);
/* Ends it, with its call, if one is under way. */
void tour_stop(struct tour *t);
int64_t tour_wake_ms(const struct tour *t);

#endif
