/* census.c - see census.h. */
#include "fetch/census.h"

enum { TAKE_BYTES = 128 };  /* a head, most often */

static enum flow enter(struct census *r, enum counting next)
{
    r->state = next;
    return FLOW_MOVED;
}

/* The rest of the line is passed over. */
static enum flow begin_foreign(struct census *r)
{
    if (r->foreign_line == 0)
        r->foreign_line = r->lines;
    r->held_len = 0;
    return enter(r, CENSUS_TAIL);
}

static enum flow starve(struct census *r, const struct ring *in)
{
    if (!ring_drained(in))
        return FLOW_WANT_INPUT;
    bool whole = r->state == CENSUS_ALL ||
                 (r->state == CENSUS_HEAD && r->held_len == 0);
    if (!whole && r->foreign_line == 0)
        r->foreign_line = r->lines;
    return FLOW_ENDED;
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
    enum head_got got = head_json((struct view){r->held, r->held_len}, &head);
    if (got == HEAD_OURS) {
        CHECK(head.len > held);
        ring_consume(in, head.len - held);
        r->held_len = 0;
        r->escaped = false;
        tally_begin(&r->message, head.at_ms);
        return enter(r, CENSUS_MESSAGE);
    }
    ring_consume(in, end);
    if (got == HEAD_PART && end == src.len && end < room)
        return FLOW_MOVED;
    return begin_foreign(r);
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
    tally_end(&r->tally, &r->message);
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
    case CENSUS_TAIL:    return on_tail(r, in);
    case CENSUS_ALL:     break;
    }
    ring_consume(in, ring_peek(in).len);
    return FLOW_MOVED;
}

void census_init(struct census *r, bool ndjson, struct fault *fault)
{
    *r = (struct census){
        .stage = {step, fault},
        .state = ndjson ? CENSUS_HEAD : CENSUS_ALL,
    };
    tally_init(&r->tally);
}
