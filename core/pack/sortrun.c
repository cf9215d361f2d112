/* sortrun.c - see sortrun.h. */
#include "pack/sortrun.h"

#include "base/crc.h"

/* A whole record; and, once sorted, what is to be sent of it. */
union sortrun_entry {
    struct {
        int64_t  at_ms;
        uint32_t at, len;  /* in the span; with its head */
    } record;
    struct view slice;
};
_Static_assert(sizeof(union sortrun_entry) == 16,
               "entries fill the span's end");

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

void run_head_write(uint8_t *at, struct sortrun_head head)
{
    put_le(at, (uint64_t)head.at_ms, 8);
    put_le(at + 8, head.len, 4);
}

struct sortrun_head run_head_read(const uint8_t *at)
{
    return (struct sortrun_head){(int64_t)get_le(at, 8),
                             (uint32_t)get_le(at + 8, 4)};
}

void sortrun_init(struct sortrun *r, struct span span, struct fault *fault)
{
    CHECK(((uintptr_t)span.at | span.len) % 16 == 0 && span.len >= 1024);
    *r = (struct sortrun){.span = span, .fault = fault};
}

/* The entries, the latest first, behind them one for the run's end. */
static union sortrun_entry *entries(const struct sortrun *r)
{
    return (union sortrun_entry *)(void *)(r->span.at + r->span.len) -
           (r->count + 1);
}

/* What the open record may still take, its entry being kept free. */
static uint32_t room(const struct sortrun *r)
{
    uint32_t kept = (r->count + 2) * (uint32_t)sizeof(union sortrun_entry);

    CHECK(r->used <= r->span.len - kept);
    return r->span.len - kept - r->used;
}

static bool be_full(struct sortrun *r)
{
    r->full = r->count > 0;
    if (!r->full) {
        fault_set(r->fault, ERROR_LIMIT, "CFG_SLOT_COUNT", r->span.len);
        fault_words(r->fault, view_of("a record does not fit into the memory "
                                      "that sorts"));
    }
    return r->full;
}

static void close_record(struct sortrun *r)
{
    uint32_t len = r->used - r->open_at;

    CHECK(r->open && len > RUN_HEAD_BYTES);
    run_head_write(r->span.at + r->open_at,
                   (struct sortrun_head){r->open_ms, len - RUN_HEAD_BYTES});
    r->count++;
    entries(r)->record.at_ms = r->open_ms;
    entries(r)->record.at = r->open_at;
    entries(r)->record.len = len;
    r->open = false;
}

static bool open_record(struct sortrun *r)
{
    uint32_t kept = (r->count + 2) * (uint32_t)sizeof(union sortrun_entry);

    if (r->used + kept + RUN_HEAD_BYTES > r->span.len)
        return false;
    r->open_at = r->used;
    r->used += RUN_HEAD_BYTES;
    r->open = true;
    return true;
}

/* Appends as much as there is room for, and leaves the rest. */
static void append(struct sortrun *r, struct view *bytes)
{
    uint32_t len = bytes->len < room(r) ? bytes->len : room(r);

    memcpy(r->span.at + r->used, bytes->at, len);
    r->used += len;
    *bytes = view_slice(*bytes, len, bytes->len);
}

/* The first record of a file tells its form. */
static bool begins_record(struct sortrun *r, struct view line, int64_t *at_ms)
{
    bool json = r->form != SORTRUN_TEXT && head_stamp_json(line, at_ms);
    bool text = r->form != SORTRUN_NDJSON && !json &&
                head_stamp_text(line, at_ms);

    if (json || text)
        r->form = json ? SORTRUN_NDJSON : SORTRUN_TEXT;
    return json || text;
}

/* The beginning of a line is gathered: does a record begin there? */
static void decide(struct sortrun *r)
{
    int64_t at_ms = SORTRUN_FRONT;
    bool begins = begins_record(r, (struct view){r->held, r->held_len},
                                &at_ms);

    if (begins && r->open)
        close_record(r);
    if (!r->open)
        r->open_ms = at_ms;
    r->owed_at = 0;
    r->line = RUN_LINE_OWED;
}

static void on_head(struct sortrun *r, struct view *bytes)
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

static bool on_owed(struct sortrun *r)
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

static bool on_rest(struct sortrun *r, struct view *bytes)
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

bool sortrun_add(struct sortrun *r, struct view *bytes)
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

void sortrun_file(struct sortrun *r)
{
    CHECK(r->line == RUN_LINE_HEAD && r->held_len == 0);
    r->form = SORTRUN_ANY;
}

bool sortrun_end(struct sortrun *r)
{
    struct view none = {0};

    if (!sortrun_add(r, &none))
        return false;
    CHECK(!r->full && r->line == RUN_LINE_HEAD && r->held_len == 0);
    if (r->open)
        close_record(r);
    r->full = r->count > 0;
    return true;
}

/* --- the sort ------------------------------------------------------------ */

static bool is_before(const union sortrun_entry *a,
                      const union sortrun_entry *b)
{
    return a->record.at_ms != b->record.at_ms
               ? a->record.at_ms < b->record.at_ms
               : a->record.at < b->record.at;
}

/* Lets an entry sink to where both entries below it are before it. */
static void sift(union sortrun_entry *e, uint32_t at, uint32_t count)
{
    union sortrun_entry sinking = e[at];

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
static void sort(union sortrun_entry *e, uint32_t count)
{
    for (uint32_t at = count / 2; at-- > 0;)
        sift(e, at, count);
    for (uint32_t left = count; left-- > 1;) {
        union sortrun_entry last = e[0];
        e[0] = e[left];
        e[left] = last;
        sift(e, 0, left);
    }
}

static void add_slice(struct sortrun_sorted *s, union sortrun_entry *e,
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

struct sortrun_sorted sortrun_sort(struct sortrun *r)
{
    union sortrun_entry *e = entries(r);
    struct sortrun_sorted sorted = {.slices = &e->slice};

    CHECK(r->full && r->count > 0);
    sort(e, r->count);
    for (uint32_t i = 0; i < r->count; i++) {
        uint32_t at = e[i].record.at, len = e[i].record.len;
        add_slice(&sorted, e, (struct view){r->span.at + at, len});
    }
    add_slice(&sorted, e, (struct view){end_mark, sizeof end_mark});
    return sorted;
}

void sortrun_next(struct sortrun *r)
{
    CHECK(r->full);
    uint32_t left = r->open ? r->used - r->open_at : 0;

    memmove(r->span.at, r->span.at + r->open_at, left);
    r->open_at = 0;
    r->used = left;
    r->count = 0;
    r->full = false;
}
