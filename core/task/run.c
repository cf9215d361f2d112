/* run.c - see run.h. */
#include "task/run.h"

#include "base/check.h"
#include "base/trace.h"
#include "task/message.h"

static const char *const state_name[] = {"entry", "group", "visiting",
                                         "done"};

static enum flow enter(struct run *r, enum run_state next)
{
    CHECK(r->state < RUN_DONE);
    trace_state("run", state_name[r->state], state_name[next]);
    r->state = next;
    return next == RUN_DONE ? FLOW_ENDED : FLOW_MOVED;
}

void run_init(struct run *r, struct site *site,
              const struct run_options *options)
{
    memset(r, 0, offsetof(struct run, group));
    r->options = *options;
    r->site = site;
    r->entry = UINT32_MAX;
    r->visit.used = true;
}

static struct view name_of(const struct run *r)
{
    return config_name(r->options.config, r->entry);
}

/* What stands before the first *. */
static struct view prefix_of(struct view name)
{
    return view_slice(name, 0, view_find(name, '*'));
}

static bool is_pattern(const struct run *r)
{
    return prefix_of(name_of(r)).len < name_of(r).len;
}

/* The entry cannot be worked on. */
static enum flow refuse(struct run *r, const struct fault *fault)
{
    visit_refuse(&r->visit, name_of(r), fault);
    r->refused = true;
    return enter(r, RUN_VISITING);
}

static bool is_ours(const struct run *r, struct view group)
{
    return config_find(r->options.config, group, r->role) ==
           (int32_t)r->entry;
}

/* The role and the bucket's owner of the entry in hand. */
static bool set_up(struct run *r, struct fault *fault)
{
    struct view owner = r->options.bucket_owner;
    struct view role = config_role(r->options.config, r->entry);
    if (owner.len == 0)
        owner = r->settings.bucket_owner;
    if (!view_equal(role, r->role) && !site_assume(r->site, role, fault))
        return false;
    r->role = role;
    return site_owner(r->site, owner, fault);
}

static enum flow on_entry(struct run *r)
{
    struct config *c = r->options.config;
    struct visit_looking *l = &r->visit.looking;
    struct span room = {l->room, sizeof l->room};
    struct fault fault = {0};
    if (++r->entry == c->group_count) {
        CHECK(r->role.len == 0 || site_assume(r->site, view_of(NULL), &fault));
        return enter(r, RUN_DONE);
    }
    r->refused = false;
    config_settings(c, r->entry, &r->settings);
    if (!set_up(r, &fault))
        return refuse(r, &fault);
    visit_lend(&r->visit, r->site);
    if (is_pattern(r)) {
        group_each_init(&r->group, &l->call, prefix_of(name_of(r)), room);
        return enter(r, RUN_GROUP);
    }
    if (!is_ours(r, name_of(r)))
        return FLOW_MOVED;  /* excluded */
    group_init(&r->group, &l->call, name_of(r), room);
    return enter(r, RUN_GROUP);
}

static enum flow fail_group(struct run *r)
{
    const struct fault *fault = &r->group.fault;
    struct fault missing = {0};
    if (fault->error != ERROR_MISSING || fault->operation != NULL)
        return refuse(r, fault);
    if (is_pattern(r))
        return enter(r, RUN_ENTRY);  /* that was all */
    message_no_group(&missing, name_of(r), view_of(r->site->region),
                     view_of(r->group.nearest));
    return refuse(r, &missing);
}

static enum flow on_group(struct run *r, struct now now)
{
    enum flow flow = group_step(&r->group, now);
    if (flow == FLOW_FAILED)
        return fail_group(r);
    if (flow != FLOW_ENDED)
        return flow;
    struct view name = is_pattern(r) ? view_of(r->group.found) : name_of(r);
    if (!is_ours(r, name)) {
        group_next(&r->group);
        return FLOW_MOVED;
    }
    const struct visit_options options = {
        .group = name, .info = &r->group.info, .settings = &r->settings,
        .dry_run = r->options.dry_run,
    };
    visit_init(&r->visit, r->site, &options);
    r->groups++;
    return enter(r, RUN_VISITING);
}

/* On to the next group of the entry. */
static enum flow leave(struct run *r)
{
    struct visit *v = &r->visit;
    struct visit_looking *l = &v->looking;
    r->exit_code = exit_worse(r->exit_code, v->exit_code);
    r->archived += v->archived;
    r->recounted += v->recounted;
    r->failed += v->failed;
    if (!is_pattern(r) || r->refused)
        return enter(r, RUN_ENTRY);
    if (v->used) {
        visit_lend(v, r->site);
        group_lend(&r->group, &l->call,
                   (struct span){l->room, sizeof l->room});
    }
    group_next(&r->group);
    return enter(r, RUN_GROUP);
}

static enum flow on_visiting(struct run *r, struct now now)
{
    enum flow flow = visit_step(&r->visit, now);
    return flow == FLOW_ENDED ? leave(r) : flow;
}

/* Nothing is under way, or only the question for a group. */
static enum flow stop(struct run *r)
{
    if (r->state == RUN_GROUP)
        call_cancel(&r->visit.looking.call);
    r->exit_code = exit_worse(r->exit_code, fault_exit(ERROR_STOPPED));
    return enter(r, RUN_DONE);
}

enum flow run_step(struct run *r, struct now now)
{
    bool over = r->stopped || now.mono_ms >= r->site->deadline_mono_ms;
    if (over && (r->state == RUN_ENTRY || r->state == RUN_GROUP))
        return stop(r);
    switch (r->state) {
    case RUN_ENTRY:    return on_entry(r);
    case RUN_GROUP:    return on_group(r, now);
    case RUN_VISITING: return on_visiting(r, now);
    case RUN_DONE:     break;
    }
    return FLOW_ENDED;
}

void run_stop(struct run *r)
{
    r->stopped = true;
    if (r->state == RUN_VISITING)
        visit_stop(&r->visit);
}

int64_t run_wake_ms(const struct run *r)
{
    switch (r->state) {
    case RUN_GROUP:    return call_wake_ms(&r->visit.looking.call);
    case RUN_VISITING: return visit_wake_ms(&r->visit);
    case RUN_ENTRY:
    case RUN_DONE:     break;
    }
    return INT64_MIN;
}

static void put_count(struct text *out, uint64_t count, const char *one,
                      const char *many)
{
    message_number(out, count);
    text_str(out, count == 1 ? one : many);
}

void run_write(struct text *out, const struct run *r)
{
    put_count(out, r->groups, " group: ", " groups: ");
    put_count(out, r->archived, " day archived, ", " days archived, ");
    message_number(out, r->recounted);
    text_str(out, " recounted");
    if (r->failed > 0) {
        text_str(out, ", ");
        message_number(out, r->failed);
        text_str(out, " failed");
    }
    text_char(out, '\n');
}
