/* record.c - see record.h. */
#include "fetch/record.h"

enum { TAKE_BYTES = 256 };

static enum flow enter(struct record *r, enum recording next)
{
    r->state = next;
    return FLOW_MOVED;
}

static void owe(struct record *r, const uint8_t *at, uint32_t len)
{
    CHECK(r->owed.len == 0);
    r->owed = (struct view){at, len};
}

static void owe_text(struct record *r, const char *string)
{
    owe(r, (const uint8_t *)string, (uint32_t)strlen(string));
}

static struct view clip(struct view v, uint32_t most)
{
    return view_slice(v, 0, v.len < most ? v.len : most);
}

static enum flow pay(struct record *r, struct ring *out)
{
    uint32_t done = ring_write(out, r->owed);

    if (done == 0)
        return FLOW_WANT_ROOM;
    r->unended = r->owed.at[done - 1] != '\n';
    r->owed = view_slice(r->owed, done, r->owed.len);
    return FLOW_MOVED;
}

/* The input is over: all that may lack is a newline. */
static enum flow finish(struct record *r)
{
    if (r->unended)
        owe_text(r, "\n");
    return enter(r, RECORD_DONE);
}

/* ---- lines that are wanted as they are ---- */

static enum flow copy(struct record *r, struct ring *in, struct ring *out,
                      uint32_t most)
{
    struct view src = ring_peek(in);
    struct span dst = ring_reserve(out);
    uint32_t len = src.len < dst.len ? src.len : dst.len;

    len = len < most ? len : most;
    if (len == 0)
        return FLOW_WANT_ROOM;
    memcpy(dst.at, src.at, len);
    r->unended = src.at[len - 1] != '\n';
    ring_consume(in, len);
    ring_commit(out, len);
    return FLOW_MOVED;
}

static enum flow on_copy(struct record *r, struct ring *in, struct ring *out)
{
    if (ring_len(in) == 0)
        return ring_drained(in) ? finish(r) : FLOW_WANT_INPUT;
    return copy(r, in, out, UINT32_MAX);
}

static enum flow on_foreign(struct record *r, struct ring *in,
                            struct ring *out)
{
    struct view src = clip(ring_peek(in), 1 + ring_room(out));
    uint32_t end = view_find(src, '\n');

    if (src.len == 0)
        return ring_drained(in) ? finish(r) : FLOW_WANT_INPUT;
    enum flow flow = copy(r, in, out, end < src.len ? end + 1 : src.len);
    if (flow == FLOW_MOVED && !r->unended)
        return enter(r, RECORD_HEAD);
    return flow;
}

/* Text: `held` is the newline before a line and the line's first bytes, as
 * many as it takes to see a time stamp and the blank behind it. */
static enum flow next_line(struct record *r)
{
    r->held[0] = '\n';
    r->held_len = 1;
    r->held_at = 0;
    return enter(r, RECORD_STAMP);
}

static enum flow on_begin(struct record *r, struct ring *in)
{
    struct view src = ring_peek(in);

    if (src.len == 0)
        return ring_drained(in) ? enter(r, RECORD_DONE) : FLOW_WANT_INPUT;
    if (src.at[0] == '{')
        return enter(r, r->form == RECORD_JSON ? RECORD_COPY : RECORD_HEAD);
    if (r->form == RECORD_TEXT && !r->one_line)
        return enter(r, RECORD_COPY);
    return next_line(r);
}

/* ---- ndjson ---- */

/* Passes on what is held, and then the rest of the line. */
static enum flow begin_foreign(struct record *r)
{
    if (r->foreign_line == 0 && r->held_len > 0)
        r->foreign_line = r->lines;
    owe(r, r->held, r->held_len);
    r->held_len = 0;
    return enter(r, RECORD_FOREIGN);
}

static enum flow on_head(struct record *r, struct ring *in)
{
    struct view src = ring_peek(in);
    uint32_t room = HEAD_BYTES - r->held_len;
    struct head head;

    if (src.len == 0 && !ring_drained(in))
        return FLOW_WANT_INPUT;
    if (src.len == 0)
        return r->held_len == 0 ? finish(r) : begin_foreign(r);
    src = clip(src, room < TAKE_BYTES ? room : TAKE_BYTES);
    uint32_t end = view_find(src, '\n'), held = r->held_len;

    r->lines += held == 0;
    memcpy(r->held + held, src.at, end);
    r->held_len += end;
    enum head_got got = head_json((struct view){r->held, r->held_len}, &head);
    if (got == HEAD_OURS) {
        ring_consume(in, head.len - held);
        r->held_len = 0;
        r->held[HEAD_STAMP_AT + DATE_RFC3339_BYTES] = ' ';
        owe(r, r->held + HEAD_STAMP_AT, HEAD_TEXT_BYTES);
        decode_init(&r->decode, DECODE_TEXT);
        return enter(r, RECORD_MESSAGE);
    }
    ring_consume(in, end);
    if (got == HEAD_PART && end == src.len && end < room)
        return FLOW_MOVED;
    return begin_foreign(r);
}

/* What was decoded at the end of `unit`, with newlines shown if wanted. */
static void show(struct record *r, uint32_t from, uint32_t len)
{
    struct text t;

    text_init(&t, (char *)r->unit, from);
    for (uint32_t i = from; i < from + len; i++) {
        if (r->unit[i] == '\n' && r->one_line)
            text_str(&t, "\\n");
        else
            text_char(&t, (char)r->unit[i]);
    }
    CHECK(!t.overflow);
    owe(r, r->unit, t.len);
}

/* Decodes into `out`, or where that has no room for one unit, or newlines
 * are to be shown, into `unit` at first. */
static enum decode_got decode_some(struct record *r, struct view src,
                                   uint32_t *taken, struct ring *out)
{
    struct span dst = ring_reserve(out);
    uint32_t made = 0, from = sizeof r->unit - DECODE_UNIT_BYTES;
    bool straight = !r->one_line && dst.len >= DECODE_UNIT_BYTES;

    if (!straight)
        dst = (struct span){r->unit + from, DECODE_UNIT_BYTES};
    enum decode_got got = decode_step(&r->decode, src, taken, dst, &made);
    r->unended = true;
    if (straight)
        ring_commit(out, made);
    else if (made > 0)
        show(r, from, made);
    return got;
}

static void note_broken(struct record *r)
{
    if (r->broken_line == 0)
        r->broken_line = r->lines;
}

static enum flow on_message(struct record *r, struct ring *in,
                            struct ring *out)
{
    uint32_t most = r->one_line ? DECODE_UNIT_BYTES : 1 + ring_room(out);
    struct view src = clip(ring_peek(in), most);
    uint32_t taken = 0;

    if (src.len == 0 && !ring_drained(in))
        return FLOW_WANT_INPUT;
    src.len = view_find(src, '\n');
    if (src.len == 0) {  /* the line ends inside its message */
        note_broken(r);
        return enter(r, RECORD_MESSAGE_END);
    }
    if (ring_room(out) == 0)
        return FLOW_WANT_ROOM;
    enum decode_got got = decode_some(r, src, &taken, out);
    ring_consume(in, taken);
    if (got == DECODE_QUOTE)
        return enter(r, RECORD_MESSAGE_END);
    if (got != DECODE_BAD)
        return FLOW_MOVED;
    note_broken(r);
    return enter(r, RECORD_FOREIGN);
}

static enum flow on_message_end(struct record *r)
{
    owe_text(r, "\n");
    return enter(r, RECORD_TAIL);
}

static enum flow on_tail(struct record *r, struct ring *in)
{
    struct view src = ring_peek(in);
    uint32_t end = view_find(src, '\n');

    if (src.len == 0)
        return ring_drained(in) ? finish(r) : FLOW_WANT_INPUT;
    ring_consume(in, end < src.len ? end + 1 : end);
    return enter(r, end < src.len ? RECORD_HEAD : RECORD_TAIL);
}

/* ---- text ---- */

enum { STAMP_HELD = 1 + HEAD_TEXT_BYTES };

static struct view held_stamp(const struct record *r)
{
    struct view line = {r->held + 1, r->held_len - 1};
    struct head head;

    if (head_text(line, &head) != HEAD_OURS)
        return (struct view){0};
    return view_slice(line, 0, DATE_RFC3339_BYTES);
}

static enum flow on_stamp(struct record *r, struct ring *in)
{
    struct view src = clip(ring_peek(in), STAMP_HELD - r->held_len);
    uint32_t end = view_find(src, '\n');

    if (src.len == 0 && !ring_drained(in))
        return FLOW_WANT_INPUT;
    r->over = src.len == 0 && r->held_len == 1;
    r->lines += src.len > 0 && r->held_len == 1;
    memcpy(r->held + r->held_len, src.at, end);
    r->held_len += end;
    ring_consume(in, end);
    if (r->held_len == STAMP_HELD || end < src.len || src.len == 0)
        return enter(r, RECORD_OPEN);
    return FLOW_MOVED;
}

static void open_record(struct record *r, struct view stamp)
{
    bool json = r->form == RECORD_JSON;
    struct text t;

    text_init(&t, (char *)r->unit, sizeof r->unit);
    if (stamp.len > 0) {
        text_str(&t, json ? HEAD_START : "");
        text_put(&t, stamp);
        text_str(&t, json ? HEAD_MESSAGE : " ");
    } else {
        text_str(&t, json ? "{\"message\":\"" : "");
    }
    owe(r, r->unit, t.len);
    decode_init(&r->decode, json ? DECODE_JSON : DECODE_TEXT);
    r->open = true;
    r->stamped |= stamp.len > 0;
}

static enum flow on_open(struct record *r, struct ring *out)
{
    struct view stamp = held_stamp(r);
    bool begins = r->over || stamp.len > 0 || !r->stamped;
    uint32_t taken;

    if (begins && r->open) {
        if (ring_room(out) == 0)
            return FLOW_WANT_ROOM;
        if (decode_some(r, view_of("\""), &taken, out) != DECODE_QUOTE)
            return FLOW_MOVED;
        r->open = false;
        return enter(r, RECORD_CLOSE);
    }
    if (r->over)
        return finish(r);
    if (begins) {
        r->held_at = stamp.len > 0 ? r->held_len : 1;
        open_record(r, stamp);
    }
    return enter(r, RECORD_LINE);
}

static enum flow on_close(struct record *r)
{
    owe_text(r, r->form == RECORD_JSON ? "\"}\n" : "\n");
    return enter(r, RECORD_OPEN);
}

static bool is_special(uint8_t byte)
{
    return byte == '"' || byte == '\\';
}

/* The bytes as they would stand in a JSON string: decoding that cleans them,
 * whatever form they are wanted in. */
static uint32_t clean(struct record *r, struct view src, struct ring *out)
{
    uint32_t taken = 0, run = 1;

    if (r->decode.escape == 0 && is_special(src.at[0])) {
        (void)decode_some(r, view_of("\\"), &taken, out);
        return 0;
    }
    while (r->decode.escape == 0 && run < src.len && !is_special(src.at[run]))
        run++;
    enum decode_got got = decode_some(r, clip(src, run), &taken, out);
    CHECK(got == DECODE_MORE || got == DECODE_ROOM);
    return taken;
}

static enum flow on_line(struct record *r, struct ring *in, struct ring *out)
{
    bool held = r->held_at < r->held_len;
    struct view src = held
        ? (struct view){r->held + r->held_at, r->held_len - r->held_at}
        : clip(ring_peek(in), TAKE_BYTES);

    if (src.len == 0)
        return ring_drained(in) ? next_line(r) : FLOW_WANT_INPUT;
    if (!held && src.at[0] == '\n') {
        ring_consume(in, 1);
        return next_line(r);
    }
    if (ring_room(out) == 0)
        return FLOW_WANT_ROOM;
    if (held) {
        r->held_at += clean(r, src, out);
    } else {
        src.len = view_find(src, '\n');
        ring_consume(in, clean(r, src, out));
    }
    return FLOW_MOVED;
}

static enum flow step(struct stage *self, struct ring *in, struct ring *out,
                      struct now now)
{
    struct record *r = (struct record *)self;  /* its first member */

    (void)now;
    if (r->owed.len > 0)
        return pay(r, out);
    switch (r->state) {
    case RECORD_BEGIN:       return on_begin(r, in);
    case RECORD_COPY:        return on_copy(r, in, out);
    case RECORD_HEAD:        return on_head(r, in);
    case RECORD_MESSAGE:     return on_message(r, in, out);
    case RECORD_MESSAGE_END: return on_message_end(r);
    case RECORD_TAIL:        return on_tail(r, in);
    case RECORD_FOREIGN:     return on_foreign(r, in, out);
    case RECORD_STAMP:       return on_stamp(r, in);
    case RECORD_OPEN:        return on_open(r, out);
    case RECORD_CLOSE:       return on_close(r);
    case RECORD_LINE:        return on_line(r, in, out);
    case RECORD_DONE:        break;
    }
    if (!out->ended)
        ring_end(out);
    return FLOW_ENDED;
}

void record_init(struct record *r, enum record_form form, bool one_line,
                 struct fault *fault)
{
    CHECK(form == RECORD_TEXT || !one_line);
    *r = (struct record){
        .stage = {step, fault},
        .form = form,
        .one_line = one_line,
        .state = RECORD_BEGIN,
    };
}
