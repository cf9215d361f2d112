/* merge_compose.c - see merge_compose.h. */
#include "ship/merge_compose.h"

#include <string.h>

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

    if (named == INFLATE_GZIP && form != named)
        return merge_fail_head(m, "its name ends in .gz, but it is not gzip");
    if (named == INFLATE_ZSTD && form != named)
        return merge_fail_head(m, "its name ends in .zst, but it is not zstd");
    merge_note_form(m, form);
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
            return merge_fail(m, &r->fault, sources_head(&m->sources)->key);
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

/* Within the head, which must be the same later, too. */
static void note_head(struct merge *m)
{
    const struct source *s = sources_head(&m->sources);

    CHECK(m->compose.at > 0);
    note_part(m, s->number, m->compose.at, s->after);
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
    (void)merge_take_head(m);
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
        return merge_pass_empty(m);
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

enum flow merge_compose_step(struct merge *m)
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
    return m->form == INFLATE_PLAIN ? end_plain(m) : merge_take_head(m);
}

/* --- what it would take -------------------------------------------------- */

enum flow merge_plan_step(struct merge *m)
{
    struct compose *c = &m->compose;
    const struct source *s = sources_head(&m->sources);
    struct compose_piece piece;

    m->raw_guess += s->bytes * (merge_form(s->key) == INFLATE_ANY ? 1 : 10);
    compose_object(c, s->bytes, 0);
    for (bool first = true; ; first = false) {
        piece = compose_piece(c);
        if (piece.how == COMPOSE_NONE)
            break;
        m->peeks += first && c->until < magic_bytes(c);
        (void)compose_moved(c, piece.to - piece.from);
    }
    return merge_take_head(m);
}
