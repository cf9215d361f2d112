/* run.c - see run.h. */
#include "pack/run.h"

#include "base/crc.h"

/* A whole record; and, once sorted, what is to be sent of it. */
union run_entry {
    struct {
        int64_t  at_ms;
        uint32_t at, len;  /* in the span; with its head */
    } record;
    struct view slice;
};
_Static_assert(sizeof(union run_entry) == 16, "entries fill the span's end");

static const uint8_t end_mark[RUN_HEAD_BYTES];

static void put_le(uint8_t *at, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_le(const uint8_t *at, uint32_t bytes)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

void run_head_write(uint8_t *at, struct run_head head)
{
    put_le(at, (uint64_t)head.at_ms, 8);
    put_le(at + 8, head.len, 4);
}

struct run_head run_head_read(const uint8_t *at)
{
    return (struct run_head){(int64_t)get_le(at, 8),
                             (uint32_t)get_le(at + 8, 4)};
}

void run_init(struct run *r, struct span span, struct fault *fault)
{
    CHECK(((uintptr_t)span.at | span.len) % 16 == 0 && span.len >= 1024);
    *r = (struct run){.span = span, .fault = fault};
}

/* The entries, the latest first, behind them one for the run's end. */
static union run_entry *entries(const struct run *r)
{
    return (union run_entry *)(void *)(r->span.at + r->span.len) -
           (r->count + 1);
}

/* What the open record may still take, its entry being kept free. */
static uint32_t room(const struct run *r)
{
    uint32_t kept = (r->count + 2) * (uint32_t)sizeof(union run_entry);

    CHECK(r->used <= r->span.len - kept);
    return r->span.len - kept - r->used;
}

static bool be_full(struct run *r)
{
    r->full = r->count > 0;
    if (!r->full) {
        fault_set(r->fault, ERROR_LIMIT, "CFG_SLOT_COUNT", r->span.len);
        fault_words(r->fault, view_of("a record does not fit into the memory "
                                      "that sorts"));
    }
    return r->full;
}

static void close_record(struct run *r)
{
    uint32_t len = r->used - r->open_at;

    CHECK(r->open && len > RUN_HEAD_BYTES);
    run_head_write(r->span.at + r->open_at,
                   (struct run_head){r->open_ms, len - RUN_HEAD_BYTES});
    r->count++;
    entries(r)->record.at_ms = r->open_ms;
    entries(r)->record.at = r->open_at;
    entries(r)->record.len = len;
    r->open = false;
}

static bool open_record(struct run *r)
{
    if (r->used + (r->count + 2) * sizeof(union run_entry) + RUN_HEAD_BYTES >
        r->span.len)
        return false;
    r->open_at = r->used;
    r->used += RUN_HEAD_BYTES;
    r->open = true;
    return true;
}

/* Appends as much as there is room for, and leaves the rest. */
static void append(struct run *r, struct view *bytes)
{
    uint32_t len = bytes->len < room(r) ? bytes->len : room(r);

    memcpy(r->span.at + r->used, bytes->at, len);
    r->used += len;
    *bytes = view_slice(*bytes, len, bytes->len);
}

/* The first record of a file tells its form. */
static bool begins_record(struct run *r, struct view line, int64_t *at_ms)
{
    bool json = r->form != RUN_TEXT && head_stamp_json(line, at_ms);
    bool text = r->form != RUN_NDJSON && !json && head_stamp_text(line, at_ms);

    if (json || text)
        r->form = json ? RUN_NDJSON : RUN_TEXT;
    return json || text;
}

/* The beginning of a line is gathered: does a record begin there? */
static void decide(struct run *r)
{
    int64_t at_ms = RUN_FRONT;
    bool begins = begins_record(r, (struct view){r->held, r->held_len},
                                &at_ms);

    if (begins && r->open)
        close_record(r);
    if (!r->open)
        r->open_ms = at_ms;
    r->owed_at = 0;
    r->line = RUN_LINE_OWED;
}

static void on_head(struct run *r, struct view *bytes)
{
    uint32_t left = HEAD_STAMP_BYTES - r->held_len;
    struct view piece = view_slice(*bytes, 0,
                                   bytes->len < left ? bytes->len : left);
    uint32_t end = view_find(piece, '\n');
    bool ends = end < piece.len;

    piece.len = end + ends;
    memcpy(r->held + r->held_len, piece.at, piece.len);
    r->held_len += piece.len;
    *bytes = view_slice(*bytes, piece.len, bytes->len);
    if (ends || r->held_len == HEAD_STAMP_BYTES)
        decide(r);
}

static bool on_owed(struct run *r)
{
    struct view owed = {r->held + r->owed_at, r->held_len - r->owed_at};

    if (!r->open && !open_record(r))
        return be_full(r);
    append(r, &owed);
    r->owed_at = r->held_len - owed.len;
    if (owed.len > 0)
        return be_full(r);
    r->line = r->held[r->held_len - 1] == '\n' ? RUN_LINE_HEAD
                                               : RUN_LINE_REST;
    r->held_len = 0;
    return true;
}

static bool on_rest(struct run *r, struct view *bytes)
{
    uint32_t end = view_find(*bytes, '\n');
    bool ends = end < bytes->len;
    struct view rest = {bytes->at, end + ends};

    append(r, &rest);
    *bytes = view_slice(*bytes, end + ends - rest.len, bytes->len);
    if (rest.len > 0)
        return be_full(r);
    r->line = ends ? RUN_LINE_HEAD : RUN_LINE_REST;
    return true;
}

bool run_add(struct run *r, struct view *bytes)
{
    bool good = true;

    while (good && !r->full && (bytes->len > 0 || r->line == RUN_LINE_OWED))
        switch (r->line) {
        case RUN_LINE_HEAD: on_head(r, bytes);        break;
        case RUN_LINE_OWED: good = on_owed(r);        break;
        case RUN_LINE_REST: good = on_rest(r, bytes); break;
        }
    return good;
}

void run_file(struct run *r)
{
    CHECK(r->line == RUN_LINE_HEAD && r->held_len == 0);
    r->form = RUN_ANY;
}

bool run_end(struct run *r)
{
    struct view none = {0};

    if (!run_add(r, &none))
        return false;
    if (r->full)
        return true;
    CHECK(r->line == RUN_LINE_HEAD && r->held_len == 0);
    if (r->open)
        close_record(r);
    r->full = r->count > 0;
    return true;
}

/* --- the sort ------------------------------------------------------------ */

static bool is_before(const union run_entry *a, const union run_entry *b)
{
    return a->record.at_ms != b->record.at_ms
               ? a->record.at_ms < b->record.at_ms
               : a->record.at < b->record.at;
}

/* Lets an entry sink to where both entries below it are before it. */
static void sift(union run_entry *e, uint32_t at, uint32_t count)
{
    union run_entry sinking = e[at];

    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && is_before(&e[child], &e[child + 1]);
        if (!is_before(&sinking, &e[child]))
            break;
        e[at] = e[child];
    }
    e[at] = sinking;
}

/* Heap sort: in place, without recursion, as fast at its worst. No two entries
 * are equal, so it is as good as a stable one. */
static void sort(union run_entry *e, uint32_t count)
{
    for (uint32_t at = count / 2; at-- > 0;)
        sift(e, at, count);
    for (uint32_t left = count; left-- > 1;) {
        union run_entry last = e[0];
        e[0] = e[left];
        e[left] = last;
        sift(e, 0, left);
    }
}

static void add_slice(struct run_sorted *s, union run_entry *e,
                      struct view slice)
{
    struct view *last = s->count > 0 ? &e[s->count - 1].slice : NULL;

    s->bytes += slice.len;
    s->crc = crc64_add(s->crc, slice);
    if (last != NULL && last->at + last->len == slice.at)
        last->len += slice.len;  /* neighbours stay together */
    else
        e[s->count++].slice = slice;
}

struct run_sorted run_sort(struct run *r)
{
    union run_entry *e = entries(r);
    struct run_sorted sorted = {.slices = &e->slice};

    CHECK(r->full && r->count > 0);
    sort(e, r->count);
    for (uint32_t i = 0; i < r->count; i++) {
        uint32_t at = e[i].record.at, len = e[i].record.len;
        add_slice(&sorted, e, (struct view){r->span.at + at, len});
    }
    add_slice(&sorted, e, (struct view){end_mark, sizeof end_mark});
    return sorted;
}

void run_next(struct run *r)
{
    CHECK(r->full);
    uint32_t left = r->open ? r->used - r->open_at : 0;

    memmove(r->span.at, r->span.at + r->open_at, left);
    r->open_at = 0;
    r->used = left;
    r->count = 0;
    r->full = false;
}
