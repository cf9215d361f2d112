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

/* --- compose ------------------------------------------------------------- */

static enum flow is_unfit(struct merge *m, const char *why)
{
    m->unfit = why;
    return FLOW_ENDED;
}

static enum inflate_form form_of(struct view v)
{
    static const uint8_t gzip[] = {0x1f, 0x8b};
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    if (v.len >= sizeof gzip && memcmp(v.at, gzip, sizeof gzip) == 0)
        return INFLATE_GZIP;
    return v.len >= sizeof zstd && memcmp(v.at, zstd, sizeof zstd) == 0
               ? INFLATE_ZSTD : INFLATE_PLAIN;
}

/* By its first bytes, which are in the ring: is it what it has to be? */
static enum flow look(struct merge *m, const struct ring *ring)
{
    const struct source *s = sources_head(&m->sources);
    enum inflate_form form = form_of(ring_peek(ring));
    enum inflate_form named = merge_form(s->key);

    if (named != INFLATE_ANY && named != form)
        return fail_head(m, named == INFLATE_GZIP ? "its name ends in .gz, "
                                                    "but it is not gzip"
                                                  : "its name ends in .zst, "
                                                    "but it is not zstd");
    note_form(m, form);
    if (m->mixed)
        return is_unfit(m, "their forms differ");
    m->looked = true;
    m->probing = form != INFLATE_PLAIN && m->probed < MERGE_PROBE_BYTES &&
                 m->compose.at == 0 && m->compose.until == m->compose.size;
    m->unseen |= form != INFLATE_PLAIN && !m->probing;
    if (m->probing)
        recut_object(&m->recut, s->number, form);
    return FLOW_MOVED;
}

/* Which show the form, of the object in hand. */
static uint64_t magic_bytes(const struct compose *c)
{
    return c->size < SOURCES_MAGIC_BYTES ? c->size : SOURCES_MAGIC_BYTES;
}

/* The first bytes of the head, out of the range that is streamed, if they are
 * in it. */
static enum flow look_first(struct merge *m)
{
    const struct compose *c = &m->compose;
    uint64_t need = magic_bytes(c);
    uint64_t to = c->until >= need && c->from == 0 ? c->until : need;
    struct ring *ring = sources_open(&m->sources, 0, to);

    return ring_len(ring) < need ? FLOW_WANT_EVENT : look(m, ring);
}

/* The bytes go by: they are inflated, and what comes out is forgotten, but
 * for the last byte. */
static enum flow probe(struct merge *m, struct view v, bool ends)
{
    struct recut *r = &m->recut;
    struct ring ring = {
        .bytes = (uint8_t *)(uintptr_t)v.at, .capacity = 1u << 31,
        .written = v.len, .ended = ends,
    };
    for (;;) {
        enum flow flow = recut_step(r, &ring);
        if (flow == FLOW_FAILED)
            return fail(m, &r->fault, sources_head(&m->sources)->key);
        if (flow == FLOW_ENDED || flow == FLOW_WANT_INPUT)
            break;
    }
    if (ends && (r->glued || r->rubbish > 0)) {
        m->probed = UINT64_MAX;
        return is_unfit(m, r->glued ? "a last line has no newline"
                                    : "there are bytes behind a file's data");
    }
    m->probed += v.len;
    return FLOW_MOVED;
}

/* The journal learns where the next part begins. */
static void note_part(struct merge *m, uint64_t number, uint64_t at,
                      uint64_t list)
{
    const struct upload_stored closed = upload_closed(m->upload);
    struct checkpoint_mark mark = {
        .from_ms = (int64_t)number, .raw_bytes = at, .list = list,
    };
    journal_place(m->journal, &mark);
    journal_close(m->journal, &closed);
}

/* Within the head, perhaps: then it must be the same later, too. */
static void note_head(struct merge *m)
{
    const struct source *s = sources_head(&m->sources);
    uint64_t at = m->compose.at;

    note_part(m, s->number, at, at > 0 ? s->after : s->before);
}

static void close_part(struct merge *m)
{
    upload_close(m->upload);
    note_head(m);
}

static enum flow copy(struct merge *m, const struct compose_piece *piece)
{
    const struct source *s = sources_head(&m->sources);
    const struct copy_source from = {
        .bucket = m->sources.catalog.bucket, .key = s->key, .etag = s->etag,
        .from = piece->from, .to = piece->to,
        .whole = piece->from == 0 && piece->to == s->bytes,
    };
    if (!upload_may_copy(m->upload))
        return FLOW_WANT_EVENT;
    upload_copy(m->upload, &from);
    (void)compose_moved(&m->compose, piece->to - piece->from);
    note_head(m);
    m->last = -1;
    return FLOW_MOVED;
}

static enum flow stream(struct merge *m, const struct compose_piece *piece)
{
    struct compose *c = &m->compose;
    struct ring *ring = sources_open(&m->sources, c->from, c->until);
    struct view v = ring_peek(ring);
    uint64_t left = piece->to - c->at;

    v.len = v.len < left ? v.len : (uint32_t)left;
    if (v.len == 0 || !upload_room(m->upload, v.len))
        return FLOW_WANT_EVENT;
    if (m->probing && probe(m, v, c->at + v.len == c->size) != FLOW_MOVED)
        return m->unfit != NULL ? FLOW_ENDED : FLOW_FAILED;
    upload_append(m->upload, v);
    m->last = v.at[v.len - 1];
    ring_consume(ring, v.len);
    if (compose_moved(c, v.len))
        close_part(m);
    return FLOW_MOVED;
}

/* Plain lines: the last one gets its newline if it lacks it. */
static enum flow end_plain(struct merge *m)
{
    const struct source *s = sources_head(&m->sources);

    if (m->last < 0) {
        struct ring *ring = sources_open(&m->sources, s->bytes - 1, 0);
        if (ring_len(ring) == 0)
            return FLOW_WANT_EVENT;
        m->last = ring_peek(ring).at[0];
    }
    if (m->last != '\n' && !upload_room(m->upload, 1))
        return FLOW_WANT_EVENT;
    uint64_t next = s->number + 1;
    bool lacks = m->last != '\n';
    if (lacks)
        upload_append(m->upload, view_of("\n"));
    (void)take_head(m);
    if (lacks && compose_insert(&m->compose, 1)) {
        upload_close(m->upload);
        note_part(m, next, 0, sources_digest(&m->sources));
    }
    return FLOW_MOVED;
}

static enum flow begin_head(struct merge *m)
{
    const struct source *s = sources_head(&m->sources);

    if (s->bytes == 0)
        return pass_empty(m);
    if (m->resume > s->bytes) {
        m->sources.differs = true;  /* no position in it */
        return FLOW_ENDED;
    }
    compose_object(&m->compose, s->bytes, m->resume);
    m->begun = true;
    m->looked = m->probing = false;
    m->resume = 0;
    m->last = -1;
    return FLOW_MOVED;
}

static enum flow step_compose(struct merge *m)
{
    struct compose_piece piece;

    if (!m->begun)
        return begin_head(m);
    piece = compose_piece(&m->compose);
    if (!m->looked)
        return look_first(m);
    switch (piece.how) {
    case COMPOSE_STREAM: return stream(m, &piece);
    case COMPOSE_COPY:   return copy(m, &piece);
    case COMPOSE_NONE:   break;
    }
    return m->form == INFLATE_PLAIN ? end_plain(m) : take_head(m);
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
