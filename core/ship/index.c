/* index.c - see index.h. */
#include "ship/index.h"

void index_init(struct index *x)
{
    x->count = 0;
    x->stride = 1;
    x->in_last = 0;
}

/* What follows the entry becomes part of it. */
static void join(struct index_entry *e, const struct index_entry *next)
{
    CHECK(next->offset >= e->offset && next->raw_offset >= e->raw_offset);
    e->events += next->events;
    if (next->least_ms < e->least_ms)
        e->least_ms = next->least_ms;
    if (next->greatest_ms > e->greatest_ms)
        e->greatest_ms = next->greatest_ms;
}

void index_halve(struct index *x)
{
    CHECK(x->stride <= UINT32_MAX / 2);
    bool odd = x->count % 2 != 0;
    for (uint32_t i = 0; i < x->count / 2; i++) {
        x->entries[i] = x->entries[2 * i];
        join(&x->entries[i], &x->entries[2 * i + 1]);
    }
    if (odd)
        x->entries[x->count / 2] = x->entries[x->count - 1];
    else if (x->count > 0)
        x->in_last += x->stride;
    x->count = x->count / 2 + odd;
    x->stride *= 2;
}

void index_add(struct index *x, const struct index_entry *block)
{
    if (x->count > 0 && x->in_last < x->stride) {
        join(&x->entries[x->count - 1], block);
        x->in_last++;
        return;
    }
    if (x->count == CFG_INDEX_BLOCKS)
        index_halve(x);
    CHECK(x->count == 0 || block->offset >= x->entries[x->count - 1].offset);
    x->entries[x->count++] = *block;
    x->in_last = 1;
}

static void put_entry(struct text *t, const struct index_entry *e)
{
    text_char(t, '[');
    text_u64(t, e->offset);
    text_char(t, ',');
    text_u64(t, e->raw_offset);
    text_char(t, ',');
    text_i64(t, e->least_ms);
    text_char(t, ',');
    text_i64(t, e->greatest_ms);
    text_char(t, ',');
    text_u64(t, e->events);
    text_char(t, ']');
}

static void put_entries(struct text *t, const struct index *x, uint64_t count)
{
    text_char(t, '[');
    for (uint64_t i = 0; i < count; i++) {
        text_str(t, i > 0 ? ",\n" : "\n");
        put_entry(t, &x->entries[i]);
    }
}

void index_write(struct text *t, const struct index *x)
{
    put_entries(t, x, x->count);
    text_char(t, ']');
}

/* The last entry may have gone on since: it begins where it did, and what it
 * held is what the others do not. */
void index_write_head(struct text *t, const struct index *x,
                      const struct index_head *head)
{
    uint64_t whole = head->blocks / x->stride, events = head->events;
    CHECK(whole <= x->count);
    put_entries(t, x, whole);
    if (head->blocks % x->stride != 0) {
        struct index_entry last = x->entries[whole];
        for (uint64_t i = 0; i < whole; i++)
            events -= x->entries[i].events;
        last.events = events;
        if (last.greatest_ms > head->greatest_ms)
            last.greatest_ms = head->greatest_ms;
        text_str(t, whole > 0 ? ",\n" : "\n");
        put_entry(t, &last);
    }
    text_char(t, ']');
}

void index_open(struct index_cursor *c, struct view json)
{
    *c = (struct index_cursor){.rest = json};
}

/* Takes a mark, blanks before it or not. */
static bool take(struct index_cursor *c, char mark)
{
    uint32_t at = 0;
    while (at < c->rest.len && (c->rest.at[at] == ' ' ||
           c->rest.at[at] == '\n' || c->rest.at[at] == '\r' ||
           c->rest.at[at] == '\t'))
        at++;
    if (at == c->rest.len || c->rest.at[at] != (uint8_t)mark)
        return false;
    c->rest = view_slice(c->rest, at + 1, c->rest.len);
    return true;
}

/* A number and the mark behind it. */
static bool take_number(struct index_cursor *c, char mark, struct view *number)
{
    uint32_t len = view_find(c->rest, (uint8_t)mark);
    *number = view_trim(view_slice(c->rest, 0, len));
    c->rest = view_slice(c->rest, len, c->rest.len);
    return take(c, mark);
}

static bool take_entry(struct index_cursor *c, struct index_entry *e)
{
    struct view n[5];
    bool ok = take(c, '[');
    for (uint32_t i = 0; i < 5 && ok; i++)
        ok = take_number(c, i < 4 ? ',' : ']', &n[i]);
    return ok && view_u64(n[0], UINT64_MAX, &e->offset) &&
           view_u64(n[1], UINT64_MAX, &e->raw_offset) &&
           view_i64(n[2], &e->least_ms) && view_i64(n[3], &e->greatest_ms) &&
           view_u64(n[4], UINT64_MAX, &e->events) &&
           e->offset >= c->offset && e->raw_offset >= c->raw_offset;
}

static bool end(struct index_cursor *c, bool bad)
{
    c->ended = true;
    c->bad |= bad;
    return false;
}

bool index_next(struct index_cursor *c, struct index_entry *entry)
{
    if (c->ended)
        return false;
    if (!c->begun && !take(c, '['))
        return end(c, true);
    if (take(c, ']'))
        return end(c, view_trim(c->rest).len > 0);
    if (c->begun && !take(c, ','))
        return end(c, true);
    c->begun = true;
    if (!take_entry(c, entry))
        return end(c, true);
    c->offset = entry->offset;
    c->raw_offset = entry->raw_offset;
    return true;
}

bool index_read(struct index *x, struct view json, uint64_t blocks,
                uint64_t stride)
{
    struct index_cursor c;
    struct index_entry e;
    uint64_t count = 0;
    if (stride == 0 || stride > INDEX_STRIDE_MOST ||
        blocks > UINT64_MAX - stride)
        return false;
    uint64_t expected = (blocks + stride - 1) / stride;
    if (expected > CFG_INDEX_BLOCKS)
        return false;
    index_open(&c, json);
    while (count < expected && index_next(&c, &e))
        x->entries[count++] = e;
    if (count < expected || index_next(&c, &e) || c.bad)
        return false;
    x->count = (uint32_t)count;
    x->stride = (uint32_t)stride;
    x->in_last = count == 0 ? 0
                            : (uint32_t)(blocks - (count - 1) * stride);
    return true;
}

bool index_search(struct index_search *s, struct view json, int64_t from_ms,
                  int64_t until_ms, uint64_t bytes)
{
    struct index_entry last;

    CHECK(from_ms < until_ms);
    *s = (struct index_search){
        .from_ms = from_ms, .until_ms = until_ms, .bytes = bytes,
    };
    index_open(&s->cursor, json);
    while (index_next(&s->cursor, &last))
        continue;
    if (s->cursor.bad || !s->cursor.begun || last.offset >= bytes)
        return false;
    index_open(&s->cursor, json);
    s->has_entry = index_next(&s->cursor, &s->entry);
    return true;
}

bool index_find(struct index_search *s, uint64_t *from, uint64_t *to)
{
    bool open = false;

    while (s->has_entry) {
        const struct index_entry e = s->entry;
        bool meets = e.least_ms < s->until_ms && e.greatest_ms >= s->from_ms;

        s->has_entry = index_next(&s->cursor, &s->entry);
        uint64_t end = s->has_entry ? s->entry.offset : s->bytes;
        if (meets && end > e.offset) {
            *from = open ? *from : e.offset;
            *to = end;
            open = true;
        } else if (open) {
            break;
        }
    }
    return open;
}
