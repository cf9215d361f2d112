/* checkpoint.c - see checkpoint.h. */
#include "ship/checkpoint.h"

#include "base/date.h"
#include "base/members.h"

static const char *const state_name[] = {
    "working", "released", "committing",
};

/* --- writing ------------------------------------------------------------- */

static void name(struct text *t, const char *before, const char *member)
{
    text_str(t, before);
    text_char(t, '"');
    text_str(t, member);
    text_str(t, "\": ");
}

static void put_string(struct text *t, const char *member, struct view v)
{
    name(t, ",\n", member);
    text_char(t, '"');
    text_json(t, v);
    text_char(t, '"');
}

static void put_number(struct text *t, const char *member, uint64_t value)
{
    name(t, ", ", member);
    text_u64(t, value);
}

static void put_time(struct text *t, const char *member, int64_t ms)
{
    name(t, ",\n", member);
    text_char(t, '"');
    date_rfc3339(t, ms);
    text_char(t, '"');
}

static void put_tally(struct text *t, const char *member,
                      const struct tally *tally)
{
    name(t, ",\n", member);
    name(t, "{", "events");
    text_u64(t, tally->events);
    name(t, ", ", "digest");
    text_char(t, '"');
    tally_text(t, tally);
    text_char(t, '"');
    name(t, ", ", "first");
    text_i64(t, tally->first_ms);
    name(t, ", ", "last");
    text_i64(t, tally->last_ms);
    text_char(t, '}');
}

static void put_stored(struct text *t, const struct checkpoint_stored *s)
{
    name(t, ",\n", "stored");
    name(t, "{", "parts");
    text_u64(t, s->parts.parts);
    put_number(t, "bytes", s->parts.bytes);
    if (s->parts.crc_known)
        put_number(t, "crc64nvme", s->parts.crc);
    else
        text_str(t, ", \"crc64nvme\": null");
    put_number(t, "own", s->parts.place.own);
    put_number(t, "inner", s->parts.place.parts);
    put_number(t, "inner_bytes", s->parts.place.bytes);
    put_number(t, "inner_crc64nvme", s->parts.place.crc);
    put_number(t, "blocks", s->head.blocks);
    put_number(t, "events", s->head.events);
    name(t, ", ", "last");
    text_i64(t, s->head.greatest_ms);
    put_number(t, "bytes_raw", s->bytes_raw);
    put_number(t, "crc32", s->crc);
    text_char(t, '}');
}

static void put_mark(struct text *t, const struct checkpoint_mark *m)
{
    name(t, ",\n", "in_hand");
    name(t, "{", "from");
    text_i64(t, m->from_ms);
    put_number(t, "bytes_raw", m->raw_bytes);
    put_number(t, "crc32", m->raw_crc);
    put_number(t, "inside", m->inside);
    put_number(t, "list", m->list);
    put_tally(t, "settled", &m->settled);
    put_tally(t, "late", &m->late);
    text_char(t, '}');
}

void checkpoint_write(struct text *t, const struct checkpoint *c,
                      const struct index *x)
{
    struct receipt receipt = c->receipt;

    receipt.index = (struct view){0};
    name(t, "{\n", "version");
    text_str(t, CHECKPOINT_VERSION);
    put_string(t, "state", view_of(state_name[c->state]));
    put_string(t, "holder", c->holder);
    put_time(t, "since", c->since_ms);
    put_number(t, "nonce", c->nonce);
    put_number(t, "serial", c->serial);
    put_number(t, "shape", c->shape);
    put_string(t, "upload", c->upload);
    put_string(t, "segment", c->segment);
    put_stored(t, &c->stored);
    put_mark(t, &c->stored.mark);
    name(t, ",\n", "receipt");
    receipt_write(t, &receipt, NULL);
    name(t, ",", "blocks_an_entry");
    text_u64(t, x->stride);
    name(t, ",\n", "index");
    index_write_head(t, x, &c->stored.head);
    text_str(t, "\n}\n");
}

/* --- reading ------------------------------------------------------------- */

static bool read_state(struct members *m, struct view v, struct checkpoint *c)
{
    struct view word;

    if (!members_string(m, v, false, &word))
        return false;
    for (uint32_t i = 0; i < CHECKPOINT_STATE_COUNT; i++)
        if (view_is(word, state_name[i])) {
            c->state = (enum checkpoint_state)i;
            return true;
        }
    return members_damaged(m, v, "unknown state");
}

static bool read_u32(struct members *m, struct view v, uint32_t most,
                     uint32_t *out)
{
    uint64_t value = 0;
    bool sound = view_u64(v, most, &value);

    *out = (uint32_t)value;
    return members_hold(m, v, sound, "bad number");
}

static bool read_i64(struct members *m, struct view v, int64_t *out)
{
    return members_hold(m, v, view_i64(v, out), "bad number");
}

static bool read_tally(struct members *m, struct view v, struct tally *tally)
{
    static const char *const names[] = {"events", "digest", "first", "last"};
    struct view v4[4];

    return members_find(m, v, names, v4, 4) &&
           members_number(m, v4[0], &tally->events) &&
           members_digest(m, v4[1], tally) &&
           read_i64(m, v4[2], &tally->first_ms) &&
           read_i64(m, v4[3], &tally->last_ms);
}

static bool read_mark(struct members *m, struct view v,
                      struct checkpoint_mark *mark)
{
    static const char *const names[] = {
        "from", "bytes_raw", "crc32", "inside", "list", "settled", "late",
    };
    struct view v7[7];
    uint32_t inside = 0;

    if (!members_find(m, v, names, v7, 7) ||
        !read_i64(m, v7[0], &mark->from_ms) ||
        !members_number(m, v7[1], &mark->raw_bytes) ||
        !read_u32(m, v7[2], UINT32_MAX, &mark->raw_crc) ||
        !read_u32(m, v7[3], 1, &inside))
        return false;
    mark->inside = inside != 0;
    return members_number(m, v7[4], &mark->list) &&
           read_tally(m, v7[5], &mark->settled) &&
           read_tally(m, v7[6], &mark->late);
}

/* The CRC of the parts, or null. */
static bool read_crc(struct members *m, struct view v, struct upload_stored *s)
{
    s->crc_known = !members_null(v);
    return !s->crc_known || members_number(m, v, &s->crc);
}

static bool read_place(struct members *m, struct view v,
                       struct upload_place *p)
{
    static const char *const names[] = {
        "own", "inner", "inner_bytes", "inner_crc64nvme",
    };
    struct view v4[4];

    return members_find(m, v, names, v4, 4) &&
           read_u32(m, v4[0], LIMIT_PART_COUNT, &p->own) &&
           read_u32(m, v4[1], LIMIT_PART_COUNT, &p->parts) &&
           members_number(m, v4[2], &p->bytes) &&
           members_number(m, v4[3], &p->crc);
}

static bool read_stored(struct members *m, struct view v,
                        struct checkpoint_stored *s)
{
    static const char *const names[] = {
        "parts", "bytes", "crc64nvme", "blocks", "events", "last",
        "bytes_raw", "crc32",
    };
    struct view v8[8];

    return members_find(m, v, names, v8, 8) &&
           read_place(m, v, &s->parts.place) &&
           read_u32(m, v8[0], LIMIT_SENT_COUNT, &s->parts.parts) &&
           members_number(m, v8[1], &s->parts.bytes) &&
           read_crc(m, v8[2], &s->parts) &&
           members_number(m, v8[3], &s->head.blocks) &&
           members_number(m, v8[4], &s->head.events) &&
           read_i64(m, v8[5], &s->head.greatest_ms) &&
           members_number(m, v8[6], &s->bytes_raw) &&
           read_u32(m, v8[7], UINT32_MAX, &s->crc);
}

static const char *const member[] = {
    "version", "state", "holder", "since", "nonce", "serial", "shape",
    "upload", "segment", "stored", "in_hand", "receipt", "blocks_an_entry",
    "index",
};
enum {
    M_VERSION, M_STATE, M_HOLDER, M_SINCE, M_NONCE, M_SERIAL, M_SHAPE,
    M_UPLOAD, M_SEGMENT, M_STORED, M_IN_HAND, M_RECEIPT, M_STRIDE, M_INDEX,
    M_COUNT,
};

static bool is_id(struct view id)
{
    return id.len < MULTIPART_ID_BYTES && view_find(id, '\0') == id.len;
}

static bool is_place(const struct upload_stored *s)
{
    const struct upload_place *p = &s->place;

    return (p->parts == 0) == (p->bytes == 0) && p->bytes <= s->bytes &&
           p->bytes <= LIMIT_COPY_BYTES && p->parts <= s->parts &&
           p->own <= s->parts - p->parts &&
           p->own + (p->parts > 0) <= LIMIT_PART_COUNT;
}

/* What is not of the window can be told from the rest of it. */
static bool is_sound(const struct checkpoint *c)
{
    const struct checkpoint_stored *s = &c->stored;
    uint64_t before = s->mark.settled.events;
    bool merged = !view_is(c->receipt.via, "read");

    return is_id(c->upload) && is_id(c->segment) &&
           is_place(&s->parts) &&
           (merged || s->mark.raw_bytes <= s->bytes_raw) &&
           before <= s->head.events &&
           s->mark.late.events <= s->head.events - before &&
           s->mark.from_ms >= (merged ? 0 : c->receipt.from_ms) &&
           (merged || s->mark.from_ms < c->receipt.until_ms) &&
           s->parts.bytes >= (uint64_t)s->parts.parts;
}

bool checkpoint_read(struct checkpoint *c, struct view json,
                     struct text *strings, struct fault *fault)
{
    struct members m = {
        .all = json, .strings = strings, .fault = fault,
        .what = "the checkpoint is damaged",
    };
    struct view v[M_COUNT];

    *c = (struct checkpoint){0};
    if (!members_find(&m, json, member, v, M_COUNT))
        return false;
    if (!view_is(v[M_VERSION], CHECKPOINT_VERSION))
        return members_damaged(&m, v[M_VERSION], "its version is another one");
    c->index = v[M_INDEX];
    return read_state(&m, v[M_STATE], c) &&
           members_string(&m, v[M_HOLDER], false, &c->holder) &&
           members_time(&m, v[M_SINCE], &c->since_ms) &&
           members_number(&m, v[M_NONCE], &c->nonce) &&
           members_number(&m, v[M_SERIAL], &c->serial) &&
           members_number(&m, v[M_SHAPE], &c->shape) &&
           members_string(&m, v[M_UPLOAD], false, &c->upload) &&
           members_string(&m, v[M_SEGMENT], false, &c->segment) &&
           read_stored(&m, v[M_STORED], &c->stored) &&
           read_mark(&m, v[M_IN_HAND], &c->stored.mark) &&
           receipt_read(&c->receipt, v[M_RECEIPT], strings, fault) &&
           members_number(&m, v[M_STRIDE], &c->stride) &&
           members_hold(&m, json, is_sound(c), "it contradicts itself");
}

bool checkpoint_index(const struct checkpoint *c, struct index *x)
{
    const struct index_entry *last;

    if (!index_read(x, c->index, c->stored.head.blocks, c->stride))
        return false;
    if (x->count == 0)
        return true;
    last = &x->entries[x->count - 1];
    return last->offset < c->stored.parts.bytes &&
           last->raw_offset < c->stored.bytes_raw;
}
