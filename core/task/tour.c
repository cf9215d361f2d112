/* tour.c - see tour.h. */
#include "task/tour.h"

#include "base/check.h"
#include "base/trace.h"
#include "task/message.h"

static const char *const state_name[] = {"entry", "group", "giving", "done"};

static enum flow enter(struct tour *t, enum tour_state next)
{
    CHECK(t->state < TOUR_DONE);
    trace_state("tour", state_name[t->state], state_name[next]);
    t->state = next;
    return next == TOUR_DONE     ? FLOW_ENDED
           : next == TOUR_GIVING ? FLOW_WANT_ROOM
                                 : FLOW_MOVED;
}

void tour_lend(struct tour *t, struct tour_room *room)
{
    struct span page = {room->page, sizeof room->page};
    ring_init(&room->ring, room->bytes, sizeof room->bytes);
    call_init(&room->call, t->options.site, &room->ring);
    t->room = room;
    group_lend(&t->group, &room->call, page);
}

void tour_init(struct tour *t, const struct tour_options *options,
               struct tour_room *room)
{
    memset(t, 0, offsetof(struct tour, group));
    t->options = *options;
    t->entry = UINT32_MAX;
    tour_lend(t, room);
}

static struct view entry_name(const struct tour *t)
{
    struct view only = t->options.only;
    return only.len > 0 ? only : config_name(t->options.config, t->entry);
}

/* What stands before the first *. */
static struct view prefix_of(struct view name)
{
    return view_slice(name, 0, view_find(name, '*'));
}

static bool is_pattern(const struct tour *t)
{
    return prefix_of(entry_name(t)).len < entry_name(t).len;
}

static enum flow refuse(struct tour *t, const struct fault *fault)
{
    fault_reset(&t->fault);
    fault_adopt(&t->fault, fault);
    t->failed = true;
    t->name = entry_name(t);
    return enter(t, TOUR_GIVING);
}

static bool is_ours(const struct tour *t, struct view group)
{
    const struct config *c = t->options.config;
    return config_find(c, group, config_role(c, t->entry)) ==
           (int32_t)t->entry;
}

/* The role and the bucket's owner of the entry in hand. */
static bool set_up(struct tour *t, struct fault *fault)
{
    struct site *site = t->options.site;
    struct view owner = t->options.bucket_owner;
    struct view role = config_role(t->options.config, t->entry);
    if (owner.len == 0)
        owner = t->settings.bucket_owner;
    if (!view_equal(role, t->role) && !site_assume(site, role, fault))
        return false;
    t->role = role;
    return site_owner(site, owner, fault);
}

/* The role is laid down: who comes next has none. */
static enum flow end(struct tour *t)
{
    struct fault fault = {0};
    if (t->role.len > 0)
        CHECK(site_assume(t->options.site, view_of(NULL), &fault));
    return enter(t, TOUR_DONE);
}

static enum flow on_entry(struct tour *t)
{
    struct config *c = t->options.config;
    struct span page = {t->room->page, sizeof t->room->page};
    struct fault fault = {0};
    if (++t->entry == c->group_count)
        return end(t);
    if (!is_pattern(t) && !is_ours(t, entry_name(t)))
        return FLOW_MOVED;  /* excluded, or another entry's */
    config_settings(c, t->entry, &t->settings);
    if (!set_up(t, &fault))
        return refuse(t, &fault);
    if (is_pattern(t))
        group_each_init(&t->group, &t->room->call, prefix_of(entry_name(t)),
                        page);
    else
        group_init(&t->group, &t->room->call, entry_name(t), page);
    return enter(t, TOUR_GROUP);
}

static enum flow fail_group(struct tour *t)
{
    const struct fault *fault = &t->group.fault;
    struct fault missing = {0};
    if (fault->error != ERROR_MISSING || fault->operation != NULL)
        return refuse(t, fault);
    if (is_pattern(t))
        return enter(t, TOUR_ENTRY);  /* that was all */
    message_no_group(&missing, entry_name(t), view_of(t->options.site->region),
                     view_of(t->group.nearest));
    return refuse(t, &missing);
}

static enum flow on_group(struct tour *t, struct now now)
{
    enum flow flow = group_step(&t->group, now);
    if (flow == FLOW_FAILED)
        return fail_group(t);
    if (flow != FLOW_ENDED)
        return flow;
    t->name = is_pattern(t) ? view_of(t->group.found) : entry_name(t);
    if (is_ours(t, t->name))
        return enter(t, TOUR_GIVING);
    group_next(&t->group);
    return FLOW_MOVED;
}

void tour_next(struct tour *t)
{
    CHECK(t->state == TOUR_GIVING);
    if (is_pattern(t) && !t->failed)
        group_next(&t->group);
    (void)enter(t, is_pattern(t) && !t->failed ? TOUR_GROUP : TOUR_ENTRY);
    t->failed = false;
}

enum flow tour_step(struct tour *t, struct now now)
{
    switch (t->state) {
    case TOUR_ENTRY:  return on_entry(t);
    case TOUR_GROUP:  return on_group(t, now);
    case TOUR_GIVING: return FLOW_WANT_ROOM;
    case TOUR_DONE:   break;
    }
    return FLOW_ENDED;
}

void tour_stop(struct tour *t)
{
    if (t->state == TOUR_GROUP)
        call_cancel(&t->room->call);
    if (t->state != TOUR_DONE)
        (void)end(t);
}

int64_t tour_wake_ms(const struct tour *t)
{
    return t->state == TOUR_GROUP ? call_wake_ms(&t->room->call) : INT64_MIN;
}
