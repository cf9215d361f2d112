/* census.c - see census.h. */
#include "fetch/census.h"

enum { TAKE_BYTES = 128 };  /* a head, most often */

static enum flow enter(struct census *r, enum counting next)
{
    r->state = next;
    return FLOW_MOVED;
}

static void end_record(struct census *r)
{
    if (r->at_ms >= r->from_ms && r->at_ms < r->until_ms)
        tally_end(&r->tally, &r->message);
    else
        r->outside++;
}

static void end_text(struct census *r)
{
    if (r->begun)
        end_record(r);
    r->begun = r->owed = false;
}

static void note_foreign(struct census *r)
{
    r->foreign++;
    if (r->foreign_line == 0)
        r->foreign_line = r->lines;
}

/* The rest of the line is passed over. */
static enum flow begin_foreign(struct census *r)
{
    note_foreign(r);
    r->held_len = 0;
    return enter(r, CENSUS_TAIL);
}

/* A line of text that begins no record belongs to the one before. */
static enum flow go_on(struct census *r)
{
    CHECK(r->owed);
    tally_feed(&r->message, view_of("\n"));
    r->owed = false;
    tally_feed(&r->message, (struct view){r->held, r->held_len});
    r->held_len = 0;
    return enter(r, CENSUS_LINE);
}

static enum flow starve(struct census *r, const struct ring *in)
{
    if (!ring_drained(in))
        return FLOW_WANT_INPUT;
    if (r->begun && r->held_len > 0)
        (void)go_on(r);
    else if (r->held_len > 0 || r->state == CENSUS_MESSAGE)
        note_foreign(r);
    else if (r->state == CENSUS_TAIL && r->foreign_line == 0)
        r->foreign_line = r->lines;  /* a record, but its line has no end */
    end_text(r);
    r->held_len = 0;
    r->state = CENSUS_ALL;  /* it may be stepped again */
    return FLOW_ENDED;
}

static enum head_got read_head(struct census *r, struct head *head)
{
    struct view v = {r->held, r->held_len};
    enum head_got got = HEAD_FOREIGN;

    if (r->form != CENSUS_TEXT)
        got = head_json(v, head);
    if (got == HEAD_OURS)
        r->form = CENSUS_NDJSON;
    if (got != HEAD_FOREIGN || r->form == CENSUS_NDJSON)
        return got;
    got = head_text(v, head);
    if (got == HEAD_OURS)
        r->form = CENSUS_TEXT;
    return got;
}

static enum flow begin_record(struct census *r, int64_t at_ms)
{
    bool text = r->form == CENSUS_TEXT;

    end_text(r);
    r->at_ms = at_ms;
    r->begun = text;
    r->held_len = 0;
    r->escaped = false;
    tally_begin(&r->message, at_ms);
    return enter(r, text ? CENSUS_LINE : CENSUS_MESSAGE);
}

static enum flow on_head(struct census *r, struct ring *in)
{
    struct view src = ring_peek(in);
    uint32_t room = HEAD_BYTES - r->held_len, held = r->held_len;
    uint32_t most = room < TAKE_BYTES ? room : TAKE_BYTES;
    struct head head;

    src.len = src.len < most ? src.len : most;
    uint32_t end = view_find(src, '\n');
    r->lines += held == 0;
    memcpy(r->held + held, src.at, end);
    r->held_len += end;
    enum head_got got = read_head(r, &head);
    if (got == HEAD_OURS) {
        CHECK(head.len > held);
        ring_consume(in, head.len - held);
        return begin_record(r, head.at_ms);
    }
    ring_consume(in, end);
    if (got == HEAD_PART && end == src.len && end < room)
        return FLOW_MOVED;
    return r->begun ? go_on(r) : begin_foreign(r);
}

/* Text: a line of a message. */
static enum flow on_line(struct census *r, struct ring *in)
{
    struct view v = ring_peek(in);
    uint32_t end = view_find(v, '\n');

    tally_feed(&r->message, view_slice(v, 0, end));
    r->owed = end < v.len;
    ring_consume(in, end < v.len ? end + 1 : end);
    return enter(r, r->owed ? CENSUS_HEAD : CENSUS_LINE);
}

/* Backslashes at the end of v, of which there is an odd number. */
static bool escapes(struct view v, bool escaped)
{
    uint32_t count = 0;
    while (count < v.len && v.at[v.len - 1 - count] == '\\')
        count++;
    return (count % 2 != 0) != (escaped && count == v.len);
}

/* Where the message ends in v, which goes on with it: at the first quote that
 * no backslash escapes; or v.len. */
static uint32_t find_end(struct census *r, struct view v)
{
    uint32_t from = 0;
    for (;;) {
        struct view rest = view_slice(v, from, v.len);
        uint32_t quote = view_find(rest, '"');
        bool escaped = escapes(view_slice(rest, 0, quote), r->escaped);
        if (quote == rest.len || !escaped) {
            r->escaped = escaped;
            return from + quote;
        }
        r->escaped = false;
        from += quote + 1;
    }
}

static enum flow on_message(struct census *r, struct ring *in)
{
    struct view v = ring_peek(in);
    uint32_t end = find_end(r, v);
    struct view piece = view_slice(v, 0, end);
    uint32_t newline = view_find(piece, '\n');

    if (newline < end) {  /* the line ends inside its message */
        ring_consume(in, newline);
        return begin_foreign(r);
    }
    tally_feed(&r->message, piece);
    ring_consume(in, end < v.len ? end + 1 : end);
    if (end == v.len)
        return FLOW_MOVED;
    end_record(r);
    return enter(r, CENSUS_TAIL);
}

static enum flow on_tail(struct census *r, struct ring *in)
{
    struct view v = ring_peek(in);
    uint32_t end = view_find(v, '\n');

    ring_consume(in, end < v.len ? end + 1 : end);
    return enter(r, end < v.len ? CENSUS_HEAD : CENSUS_TAIL);
}

static enum flow step(struct stage *self, struct ring *in, struct ring *out,
                      struct now now)
{
    struct census *r = (struct census *)self;  /* its first member */

    (void)now;
    CHECK(out == NULL);
    if (ring_len(in) == 0)
        return starve(r, in);
    switch (r->state) {
    case CENSUS_HEAD:    return on_head(r, in);
    case CENSUS_MESSAGE: return on_message(r, in);
    case CENSUS_LINE:    return on_line(r, in);
    case CENSUS_TAIL:    return on_tail(r, in);
    case CENSUS_ALL:     break;
    }
    ring_consume(in, ring_peek(in).len);
    return FLOW_MOVED;
}

void census_init(struct census *r, enum census_form form,
                 struct fault *fault)
{
    *r = (struct census){
        .stage = {step, fault},
        .form = form,
        .state = form == CENSUS_NONE ? CENSUS_ALL : CENSUS_HEAD,
        .from_ms = INT64_MIN, .until_ms = INT64_MAX,
    };
    tally_init(&r->tally);
}

bool census_is_inside(const struct census *r)
{
    return r->begun || r->state == CENSUS_MESSAGE;
}

void census_end(struct census *r)
{
    end_text(r);
}

void census_window(struct census *r, int64_t from_ms, int64_t until_ms)
{
    CHECK(r->lines == 0 && from_ms < until_ms);
    r->from_ms = from_ms;
    r->until_ms = until_ms;
}
