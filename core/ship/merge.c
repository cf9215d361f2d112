/* merge.c - see merge.h. */
#include "base/check.h"
#include "ship/merge_compose.h"

enum inflate_form merge_form(struct view key)
{
    return view_ends(key, ".gz")    ? INFLATE_GZIP
           : view_ends(key, ".zst") ? INFLATE_ZSTD
                                    : INFLATE_ANY;
}

void merge_init(struct merge *m, struct site *site,
                const struct merge_names *names)
{
    fault_reset(&m->fault);
    m->about[0] = '\0';
    m->unfit = NULL;
    m->form = INFLATE_ANY;
    m->mixed = m->unseen = m->begun = m->ordered = false;
    m->mode = MERGE_CHECK;
    m->resume = m->probed = m->peeks = m->raw_guess = 0;
    m->mark = (struct checkpoint_mark){0};
    compose_init(&m->compose);
    sources_init(&m->sources, site, names->from, names->own);
}

void merge_compose(struct merge *m, struct upload *u, struct journal *j,
                   enum inflate_form form)
{
    m->mode = MERGE_COMPOSE;
    m->upload = u;
    m->journal = j;
    m->form = form;
    m->sources.ahead_below = LIMIT_PART_LEAST;
    recut_init(&m->recut, NULL, NULL);
}

void merge_stream(struct merge *m, struct lane_shared *shared,
                  const struct choose_want *want)
{
    m->mode = shared != NULL ? MERGE_STREAM : MERGE_CHECK;
    recut_init(&m->recut, shared, want);
}

void merge_order(struct merge *m, const struct order_setup *setup,
                 struct span last)
{
    CHECK(m->mode == MERGE_STREAM);
    order_init(&m->order, setup);
    m->ordered = m->recut.lends = true;
    m->last_memory = last;
}

void merge_plan(struct merge *m)
{
    m->mode = MERGE_PLAN;
    m->sources.ahead_below = 0;
}

void merge_resume(struct merge *m, const struct checkpoint_mark *mark)
{
    bool within = m->mode == MERGE_COMPOSE && mark->raw_bytes > 0;

    sources_begin(&m->sources, (uint64_t)mark->from_ms, mark->list, within);
    m->unseen = m->mode == MERGE_COMPOSE && mark->from_ms > 0;
    if (m->mode == MERGE_COMPOSE)
        m->resume = mark->raw_bytes;
    else if (mark->from_ms > 0)
        recut_inside(&m->recut, mark->inside);
}

enum flow merge_fail(struct merge *m, const struct fault *fault,
                     struct view key)
{
    fault_adopt(&m->fault, fault);
    (void)view_copy(key, m->about, sizeof m->about);
    return FLOW_FAILED;
}

enum flow merge_fail_head(struct merge *m, const char *what)
{
    struct fault fault;

    fault_reset(&fault);
    fault_set(&fault, ERROR_CORRUPT, what, 0);
    return merge_fail(m, &fault, sources_head(&m->sources)->key);
}

/* An earlier result would be merged, and what that was made of, too. */
static enum flow fail_nested(struct merge *m)
{
    struct fault fault;

    fault_reset(&fault);
    fault_set(&fault, ERROR_CONFIG, "another archive lies below the prefix, "
              "which would be merged, too; merge to a key elsewhere", 0);
    return merge_fail(m, &fault, view_of(m->sources.skipped_key));
}

enum flow merge_take_head(struct merge *m)
{
    sources_take(&m->sources);
    m->begun = false;
    return FLOW_MOVED;
}

enum flow merge_pass_empty(struct merge *m)
{
    if (merge_form(sources_head(&m->sources)->key) == INFLATE_ANY)
        return merge_take_head(m);
    return merge_fail_head(m, "it is empty, which no compressed file is");
}

void merge_note_form(struct merge *m, enum inflate_form form)
{
    if (m->form == INFLATE_ANY)
        m->form = form;
    m->mixed |= form != m->form;
}

/* --- stream -------------------------------------------------------------- */

static enum flow begin_stream(struct merge *m)
{
    const struct source *s = sources_head(&m->sources);

    if (s->bytes == 0)
        return merge_pass_empty(m);
    recut_object(&m->recut, s->number, merge_form(s->key));
    if (m->recut.begin == (int64_t)s->number)
        m->mark = (struct checkpoint_mark){
            .list = s->before, .inside = recut_wants(&m->recut),
        };
    m->begun = true;
    return FLOW_MOVED;
}

static enum flow step_stream(struct merge *m)
{
    struct recut *r = &m->recut;
    enum flow flow;

    if (r->ready)
        return FLOW_WANT_ROOM;
    if (!m->begun)
        return begin_stream(m);
    flow = recut_step(r, sources_open(&m->sources, 0, 0));
    if (r->form != INFLATE_ANY)
        merge_note_form(m, r->form);
    if (flow == FLOW_FAILED)
        return merge_fail(m, &r->fault, sources_head(&m->sources)->key);
    if (flow == FLOW_ENDED)
        return merge_take_head(m);
    return flow == FLOW_WANT_INPUT ? FLOW_WANT_EVENT : flow;
}

/* All objects are done. */
static enum flow end(struct merge *m)
{
    if (m->mode == MERGE_COMPOSE || m->mode == MERGE_PLAN)
        return FLOW_ENDED;
    if (m->recut.ready)
        return FLOW_WANT_ROOM;
    if (m->recut.len == 0)
        return FLOW_ENDED;
    return recut_end(&m->recut) ? FLOW_MOVED : FLOW_WANT_ROOM;
}

/* --- in order of time ---------------------------------------------------- */

/* Lines of the head go to where they are sorted. */
static enum flow gather(struct merge *m)
{
    struct ring *lines = recut_lines(&m->recut);
    bool first = !m->begun;
    enum flow flow = step_stream(m);

    if (flow == FLOW_MOVED && !first && !m->begun)
        order_file(&m->order);
    if (flow != FLOW_WANT_ROOM)
        return flow;
    struct view v = ring_peek(lines), left = v;
    order_add(&m->order, &left);
    ring_consume(lines, v.len - left.len);
    return FLOW_MOVED;
}

/* All is in runs: what comes of them is one object of lines. */
static enum flow begin_sorted(struct merge *m)
{
    order_give(&m->order, m->last_memory);
    recut_sorted(&m->recut);
    recut_object(&m->recut, 0, INFLATE_PLAIN);
    m->mark = (struct checkpoint_mark){0};
    return FLOW_MOVED;
}

/* What is sorted is cut into blocks. */
static enum flow cut(struct merge *m)
{
    struct view v = order_peek(&m->order);
    struct ring ring = {
        .bytes = (uint8_t *)(uintptr_t)v.at, .capacity = 1u << 31,
        .written = v.len, .ended = m->order.state == ORDER_GIVEN,
    };
    if (m->recut.ready)
        return FLOW_WANT_ROOM;
    enum flow flow = recut_step(&m->recut, &ring);
    if (ring.read > 0)
        order_consume(&m->order, ring.read);
    return flow == FLOW_ENDED ? FLOW_MOVED : flow;
}

static enum flow step_order(struct merge *m, enum flow fetched,
                            struct now now)
{
    struct order *o = &m->order;
    enum flow flow = order_step(o, now);

    if (flow == FLOW_FAILED)
        return merge_fail(m, &o->fault, (struct view){0});
    if (flow == FLOW_ENDED && o->state == ORDER_SORTED)
        return begin_sorted(m);
    if (flow == FLOW_ENDED || flow == FLOW_WANT_ROOM)
        return m->recut.state == RECUT_IDLE ? end(m) : cut(m);
    if (flow != FLOW_WANT_INPUT)
        return flow;
    if (fetched == FLOW_ENDED) {
        order_end(o);
        return FLOW_MOVED;
    }
    return sources_head(&m->sources) != NULL ? gather(m) : FLOW_WANT_EVENT;
}

enum flow merge_step(struct merge *m, struct now now)
{
    enum flow fetched, flow;

    if (m->fault.error != ERROR_NONE)
        return FLOW_FAILED;
    if (m->unfit != NULL || m->sources.differs)
        return FLOW_ENDED;
    fetched = sources_step(&m->sources, now);
    if (fetched == FLOW_FAILED)
        return merge_fail(m, &m->sources.fault, m->sources.failed);
    if (m->sources.nested)
        return fail_nested(m);
    if (m->sources.differs)
        return FLOW_ENDED;
    if (fetched == FLOW_ENDED && !m->ordered)
        return end(m);
    if (sources_head(&m->sources) == NULL && !m->ordered)
        return fetched;
    flow = m->ordered                 ? step_order(m, fetched, now)
           : m->mode == MERGE_COMPOSE ? merge_compose_step(m)
           : m->mode == MERGE_PLAN    ? merge_plan_step(m)
                                      : step_stream(m);
    return flow == FLOW_WANT_EVENT && fetched == FLOW_MOVED ? FLOW_MOVED
                                                            : flow;
}

void merge_note(const struct merge *m, struct journal *j)
{
    if (m->recut.block.begin_ms == BLOCK_INNER)
        return;
    j->now.mark.list = m->mark.list;
    j->now.mark.inside = m->mark.inside;
}

void merge_take(struct merge *m)
{
    recut_take(&m->recut);
}

int64_t merge_wake_ms(const struct merge *m)
{
    int64_t wake = sources_wake_ms(&m->sources);
    int64_t order = m->ordered ? order_wake_ms(&m->order) : INT64_MAX;

    return order < wake ? order : wake;
}

void merge_cancel(struct merge *m)
{
    sources_cancel(&m->sources);
    if (m->ordered)
        order_cancel(&m->order);
    if (m->mode == MERGE_STREAM)  /* the only one that holds slots */
        chain_clear(m->recut.arena, &m->recut.chain);
}
