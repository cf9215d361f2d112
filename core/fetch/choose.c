/* choose.c - see choose.h. */
#include "fetch/choose.h"

enum { TAKE_BYTES = 256 };

static enum flow enter(struct choose *c, enum choosing next)
{
    CHECK(c->state < CHOOSE_DONE);
    c->state = next;
    return next == CHOOSE_FAILED ? FLOW_FAILED : FLOW_MOVED;
}

static struct view clip(struct view v, uint32_t most)
{
    return view_slice(v, 0, v.len < most ? v.len : most);
}

/* The bytes of a line up to its end, or as far as they came; *ends: its
 * newline is the last of them. */
static struct view rest_of_line(struct view v, bool *ends)
{
    uint32_t end = view_find(v, '\n');

    *ends = end < v.len;
    return view_slice(v, 0, end + *ends);
}

static enum flow pay(struct choose *c, struct ring *out)
{
    uint32_t done = ring_write(out, c->owed);

    c->owed = view_slice(c->owed, done, c->owed.len);
    return done > 0 ? FLOW_MOVED : FLOW_WANT_ROOM;
}

static enum flow on_begin(struct choose *c, struct ring *in)
{
    struct view src = ring_peek(in);

    if (src.len == 0)
        return ring_drained(in) ? enter(c, CHOOSE_DONE) : FLOW_WANT_INPUT;
    bool text = c->form == CHOOSE_TEXT ||
                (c->form == CHOOSE_ANY && src.at[0] != '{');
    if (!text || c->want.stream.len == 0)
        return enter(c, CHOOSE_HEAD);
    fault_set(c->stage.fault, ERROR_USAGE, "it is text, which does not hold "
              "the stream's name; --stream needs ndjson", 0);
    return enter(c, CHOOSE_FAILED);
}

static bool stream_begins(struct view name, struct view prefix)
{
    uint8_t bytes[CHOOSE_STREAM_BYTES + DECODE_UNIT_BYTES];
    struct decode d;
    uint32_t taken, made;

    decode_init(&d, DECODE_TEXT);
    (void)decode_step(&d, name, &taken, (struct span){bytes, sizeof bytes},
                      &made);
    return made >= prefix.len && memcmp(bytes, prefix.at, prefix.len) == 0;
}

static bool is_wanted(const struct choose *c, const struct head *h)
{
    const struct choose_want *w = &c->want;

    return h->at_ms >= w->from_ms && h->at_ms < w->until_ms &&
           (w->stream.len == 0 || stream_begins(h->stream, w->stream));
}

static enum flow decide(struct choose *c, bool wanted)
{
    c->wanted = wanted;
    if (wanted)
        c->owed = (struct view){c->held, c->held_len};
    c->held_len = 0;
    return enter(c, wanted ? CHOOSE_PASS : CHOOSE_SKIP);
}

/* A line that begins no record: in text, more of the one before. */
static enum flow on_stranger(struct choose *c)
{
    c->foreign += !c->inside && c->held_len > 0;
    bool more = c->form == CHOOSE_ANY && c->inside;
    if (c->form == CHOOSE_TEXT || more)
        return decide(c, c->wanted);
    c->inside = false;
    return decide(c, c->want.strangers);
}

/* The first record tells the form, if it was not known. */
static enum head_got read_head(struct choose *c, struct head *head)
{
    struct view line = {c->held, c->held_len};
    enum head_got got = HEAD_FOREIGN;

    if (c->form != CHOOSE_TEXT)
        got = head_json(line, head);
    if (got == HEAD_OURS)
        c->form = CHOOSE_NDJSON;
    if (got != HEAD_FOREIGN || c->form == CHOOSE_NDJSON)
        return got;
    got = head_text(line, head);
    if (got == HEAD_OURS)
        c->form = CHOOSE_TEXT;
    return got;
}

static enum flow on_head(struct choose *c, struct ring *in)
{
    struct view src = ring_peek(in);
    uint32_t room = HEAD_BYTES - c->held_len, held = c->held_len;
    struct head head;

    if (src.len == 0 && !ring_drained(in))
        return FLOW_WANT_INPUT;
    if (src.len == 0)
        return held == 0 ? enter(c, CHOOSE_DONE) : on_stranger(c);
    src = clip(src, room < TAKE_BYTES ? room : TAKE_BYTES);
    uint32_t end = view_find(src, '\n');

    memcpy(c->held + held, src.at, end);
    c->held_len += end;
    enum head_got got = read_head(c, &head);
    if (got == HEAD_OURS) {
        ring_consume(in, head.len - held);
        c->held_len = head.len;
        c->inside = c->form == CHOOSE_TEXT;
        return decide(c, is_wanted(c, &head));
    }
    ring_consume(in, end);
    if (got == HEAD_PART && end == src.len && end < room)
        return FLOW_MOVED;
    return on_stranger(c);
}

static enum flow on_pass(struct choose *c, struct ring *in, struct ring *out)
{
    struct span dst = ring_reserve(out);
    bool ends;
    struct view src = rest_of_line(clip(ring_peek(in), dst.len), &ends);

    if (ring_len(in) == 0)
        return ring_drained(in) ? enter(c, CHOOSE_DONE) : FLOW_WANT_INPUT;
    if (src.len == 0)
        return FLOW_WANT_ROOM;
    memcpy(dst.at, src.at, src.len);
    ring_consume(in, src.len);
    ring_commit(out, src.len);
    return enter(c, ends ? CHOOSE_HEAD : CHOOSE_PASS);
}

static enum flow on_skip(struct choose *c, struct ring *in)
{
    bool ends;
    struct view src = rest_of_line(ring_peek(in), &ends);

    if (src.len == 0)
        return ring_drained(in) ? enter(c, CHOOSE_DONE) : FLOW_WANT_INPUT;
    ring_consume(in, src.len);
    return enter(c, ends ? CHOOSE_HEAD : CHOOSE_SKIP);
}

static enum flow step(struct stage *self, struct ring *in, struct ring *out,
                      struct now now)
{
    struct choose *c = (struct choose *)self;  /* its first member */

    (void)now;
    if (c->owed.len > 0)
        return pay(c, out);
    switch (c->state) {
    case CHOOSE_BEGIN: return on_begin(c, in);
    case CHOOSE_HEAD:  return on_head(c, in);
    case CHOOSE_PASS:  return on_pass(c, in, out);
    case CHOOSE_SKIP:  return on_skip(c, in);
    case CHOOSE_DONE:
        if (!out->ended)
            ring_end(out);
        return FLOW_ENDED;
    case CHOOSE_FAILED: break;
    }
    return FLOW_FAILED;
}

void choose_init(struct choose *c, const struct choose_want *want,
                 enum choose_form form, struct fault *fault)
{
    CHECK(want->stream.len <= CHOOSE_STREAM_BYTES);
    *c = (struct choose){
        .stage = {step, fault},
        .want = *want,
        .form = form,
        .wanted = want->strangers,
        .state = CHOOSE_BEGIN,
    };
}

void choose_middle(struct choose *c)
{
    CHECK(c->state == CHOOSE_BEGIN && c->form != CHOOSE_ANY);
    c->inside = true;
    c->wanted = false;
}

void choose_inside(struct choose *c, bool wanted)
{
    CHECK(c->state == CHOOSE_BEGIN);
    c->inside = true;
    c->wanted = wanted;
}
