#include "fetch/frame.h"

#include <string.h>

#include "base/check.h"

/* What is awaited. */
enum state {
    AT_START,        /* the reply's "{" */
    AT_MEMBER,       /* a member's name, or the object's end */
    AT_COLON,
    AT_VALUE,
    AT_ELEMENT,      /* an event, or the end of the array */
    AFTER_VALUE,     /* a comma or the object's end */
    AT_END,          /* nothing but blanks */
    AT_MARK,         /* a byte order mark, or none; no blanks from here on */
    IN_KEY,
    IN_STRING,       /* of a member that is kept */
    IN_NUMBER,       /* likewise */
    IN_WORD,         /* true, false, null, or a number not kept */
    IN_SKIP,         /* an object or array not kept */
    IN_SKIP_STRING,  /* a string not kept, by itself or inside one of those */
};

enum member {
    MEMBER_STREAM, MEMBER_TIMESTAMP, MEMBER_MESSAGE, MEMBER_INGESTION,
    MEMBER_ID, MEMBER_EVENTS, MEMBER_TOKEN, MEMBER_TYPE, MEMBER_OTHER,
};

/* As they are usually written, so that one comparison finds the next. */
enum { KNOWN_BYTES = 16 };
static const struct known {
    char    text[KNOWN_BYTES + 1];
    uint8_t len, key_len;  /* len: 8 to KNOWN_BYTES */
} known[] = {
    [MEMBER_STREAM]    = {"\"logStreamName\":", 16, 13},
    [MEMBER_TIMESTAMP] = {"\"timestamp\":", 12, 9},
    [MEMBER_MESSAGE]   = {"\"message\":", 10, 7},
    [MEMBER_INGESTION] = {"\"ingestionTime\":", 16, 13},
    [MEMBER_ID]        = {"\"eventId\":", 10, 7},
    [MEMBER_EVENTS]    = {"\"events\":", 9, 6},
    [MEMBER_TOKEN]     = {"\"nextToken\":", 12, 9},
    [MEMBER_TYPE]      = {"\"__type\":", 9, 6},
};

struct input {
    const uint8_t *at, *end;
};

static uint64_t load_64(const void *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

void frame_init(struct frame *f, enum decode_form form)
{
    f->form = form;
    f->state = AT_MARK;
    f->depth = 0;
    f->offset = 0;
    f->message_len = 0;
    f->token_len = 0;
    f->in_event = false;
    f->expected = MEMBER_EVENTS;
    f->next_token = (struct view){0};
    fault_reset(&f->fault);
}

static enum frame_got bad(struct frame *f, const char *what)
{
    fault_set(&f->fault, ERROR_REMOTE, what, (int64_t)f->offset);
    return FRAME_BAD;
}

static void skip_blanks(struct input *in)
{
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\n' ||
                                *in->at == '\r' || *in->at == '\t'))
        in->at++;
}

/* Nobody should send one, and some do (RFC 8259 section 8.1). */
static enum frame_got on_mark(struct frame *f, struct input *in)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};

    if (*in->at != mark[f->depth] && f->depth > 0)
        return bad(f, "a reply that is not a JSON object");
    bool marked = *in->at == mark[f->depth];
    in->at += marked;
    f->depth++;
    if (!marked || f->depth == sizeof mark)
        f->state = AT_START;
    return FRAME_MORE;
}

static void begin_event(struct frame *f)
{
    f->event = (struct log_event){0};
    f->message_len = 0;
    f->stream_len = 0;
    f->id_len = 0;
    f->has_timestamp = false;
    f->spilled = false;
    f->in_event = true;
    f->expected = MEMBER_STREAM;
    f->state = AT_MEMBER;
}

/* The member named by `key`, as far as it belongs here. */
static enum member find_member(const struct frame *f)
{
    for (enum member m = MEMBER_STREAM; m < MEMBER_OTHER; m++)
        if ((m <= MEMBER_ID) == f->in_event &&
            f->key_len == known[m].key_len &&
            memcmp(f->key, known[m].text + 1, f->key_len) == 0)
            return m;
    return MEMBER_OTHER;
}

static enum frame_got end_event(struct frame *f)
{
    f->in_event = false;
    f->state = AT_ELEMENT;
    if (!f->has_timestamp)
        return bad(f, "an event without a timestamp");
    f->event.stream = (struct view){f->stream, f->stream_len};
    f->event.id = (struct view){f->id, f->id_len};
    return FRAME_EVENT;
}

static enum frame_got end_object(struct frame *f)
{
    if (f->in_event)
        return end_event(f);
    f->next_token = (struct view){f->token, f->token_len};
    f->state = AT_END;
    return FRAME_MORE;
}

/* Compares the first 8 bytes and the last 8, which overlap. */
static bool is_known(const struct known *k, const uint8_t *at)
{
    uint32_t rest = k->len - 8u;

    return ((load_64(at) ^ load_64(k->text)) |
            (load_64(at + rest) ^ load_64(k->text + rest))) == 0;
}

static enum frame_got on_member(struct frame *f, struct input *in)
{
    const struct known *k = &known[f->expected];

    if (in->end - in->at >= KNOWN_BYTES && is_known(k, in->at)) {
        in->at += k->len;
        f->member = f->expected;
        f->state = AT_VALUE;
        return FRAME_MORE;
    }
    uint8_t b = *in->at++;
    if (b == '}')
        return end_object(f);
    if (b != '"')
        return bad(f, "a reply that is not JSON: no member's name");
    f->key_len = 0;
    f->escaped = false;
    decode_init(&f->decode, DECODE_TEXT);
    f->state = IN_KEY;
    return FRAME_MORE;
}

static enum frame_got on_key(struct frame *f, struct input *in)
{
    struct span room = {f->key + f->key_len, sizeof f->key - f->key_len};
    uint32_t taken, made;
    enum decode_got got = decode_step(
        &f->decode, (struct view){in->at, (uint32_t)(in->end - in->at)},
        &taken, room, &made);

    in->at += taken;
    f->key_len += made;
    if (got == DECODE_ROOM)
        f->key_len = 0;
    f->escaped |= got == DECODE_ROOM;  /* too long to be one of ours */
    if (got == DECODE_BAD)
        return bad(f, "a reply that is not JSON: a member's name");
    if (got == DECODE_QUOTE) {
        f->member = f->escaped ? MEMBER_OTHER : (uint8_t)find_member(f);
        f->state = AT_COLON;
    }
    return FRAME_MORE;
}

/* Where a string that is kept goes. */
struct kept {
    uint32_t   *len;
    struct span room;
    const char *limit;  /* NULL for the message */
};

static struct kept kept_string(struct frame *f, struct span out)
{
    if (f->member == MEMBER_STREAM)
        return (struct kept){&f->stream_len, {f->stream, sizeof f->stream},
                             "CFG_STREAM_BYTES"};
    if (f->member == MEMBER_ID)
        return (struct kept){&f->id_len, {f->id, sizeof f->id},
                             "FRAME_ID_BYTES"};
    if (f->member == MEMBER_TOKEN)
        return (struct kept){&f->token_len, {f->token, sizeof f->token},
                             "CFG_TOKEN_BYTES"};
    return (struct kept){&f->message_len, out, NULL};
}

static enum frame_got begin_string(struct frame *f)
{
    bool formed = f->member == MEMBER_MESSAGE || f->member == MEMBER_STREAM;
    bool kept = formed || f->member == MEMBER_ID || f->member == MEMBER_TOKEN;

    if (f->member == MEMBER_MESSAGE && f->spilled)
        return bad(f, "an event with two long messages");
    f->state = kept ? IN_STRING : IN_SKIP_STRING;
    f->escaped = false;
    f->depth = 0;
    if (kept)
        *kept_string(f, (struct span){0}).len = 0;
    decode_init(&f->decode, formed ? f->form : DECODE_TEXT);
    return FRAME_MORE;
}

static enum frame_got on_value(struct frame *f, struct input *in)
{
    uint8_t b = *in->at;
    bool is_number = b == '-' || (b >= '0' && b <= '9');

    if (f->member == MEMBER_TYPE)
        return bad(f, "an error in place of events");
    if (f->member == MEMBER_EVENTS && b != 'n') {  /* null */
        in->at++;
        f->state = AT_ELEMENT;
        return b == '[' ? FRAME_MORE
                        : bad(f, "a reply whose events are no list");
    }
    if (b == '"') {
        in->at++;
        return begin_string(f);
    }
    if (b == '[' || b == '{') {
        in->at++;
        f->depth = 1;
        f->state = IN_SKIP;
        return FRAME_MORE;
    }
    if (is_number && (f->member == MEMBER_TIMESTAMP ||
                      f->member == MEMBER_INGESTION)) {
        f->negative = b == '-';
        in->at += f->negative;
        f->number = 0;
        f->has_digit = false;
        f->state = IN_NUMBER;
        return FRAME_MORE;
    }
    if (!is_number && (b < 'a' || b > 'z'))
        return bad(f, "a reply that is not JSON: no value");
    f->state = IN_WORD;
    return FRAME_MORE;
}

static enum frame_got end_number(struct frame *f, uint8_t next)
{
    if (!f->has_digit || next == '.' || next == 'e' || next == 'E')
        return bad(f, "a time that is not a whole number");
    int64_t value = f->negative ? -(int64_t)f->number : (int64_t)f->number;
    if (f->member == MEMBER_TIMESTAMP)
        f->event.timestamp_ms = value;
    else
        f->event.ingestion_ms = value;
    f->has_timestamp |= f->member == MEMBER_TIMESTAMP;
    f->state = AFTER_VALUE;
    return FRAME_MORE;
}

/* Eight digits at once: by pairs, by fours, all. False: not all are digits.
 * The first is the lowest byte (decode.c asserts that). */
static bool eight_digits(const uint8_t *at, uint64_t *value)
{
    const uint64_t ones = 0x0101010101010101, high = ones * 0xf0;
    uint64_t w = load_64(at);

    if (((w & high) | ((w + ones * 6) & high) >> 4) != ones * 0x33)
        return false;
    w -= ones * '0';
    w = (w * 10 + (w >> 8)) & 0x00ff00ff00ff00ff;
    w = (w * 100 + (w >> 16)) & 0x0000ffff0000ffff;
    *value = (w * 10000 + (w >> 32)) & 0xffffffff;
    return true;
}

static enum frame_got on_number(struct frame *f, struct input *in)
{
    const uint8_t *start = in->at;
    uint64_t number = f->number, eight;

    if (number == 0 && in->end - in->at >= 8 &&
        eight_digits(in->at, &eight)) {
        number = eight;
        in->at += 8;
    }
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') {
        if (number > (uint64_t)INT64_MAX / 10 - 1)
            return bad(f, "a time out of range");
        number = number * 10 + (uint64_t)(*in->at++ - '0');
    }
    f->number = number;
    f->has_digit |= in->at > start;
    return in->at < in->end ? end_number(f, *in->at) : FRAME_MORE;
}

static enum frame_got on_overflow(struct frame *f, const struct kept *kept)
{
    if (kept->limit == NULL) {
        f->spilled = true;
        return FRAME_ROOM;
    }
    fault_set(&f->fault, ERROR_LIMIT, kept->limit,
              kept->room.len - DECODE_UNIT_BYTES);
    return FRAME_BAD;
}

static enum frame_got on_string(struct frame *f, struct input *in,
                                struct span out)
{
    struct kept kept = kept_string(f, out);
    uint32_t len = *kept.len, taken, made;
    CHECK(len <= kept.room.len);
    enum decode_got got = decode_step(
        &f->decode, (struct view){in->at, (uint32_t)(in->end - in->at)},
        &taken, (struct span){kept.room.at + len, kept.room.len - len}, &made);

    in->at += taken;
    *kept.len = len + made;
    /* Beyond the limit there is room, so that slices do not matter. */
    if (kept.limit != NULL && *kept.len > kept.room.len - DECODE_UNIT_BYTES)
        return on_overflow(f, &kept);
    switch (got) {
    case DECODE_MORE:
        return FRAME_MORE;
    case DECODE_ROOM:
        return on_overflow(f, &kept);
    case DECODE_BAD:
        return bad(f, "a reply that is not JSON: an escape");
    case DECODE_QUOTE:
        break;
    }
    f->state = AFTER_VALUE;
    return FRAME_MORE;
}

static enum frame_got on_word(struct frame *f, struct input *in)
{
    while (in->at < in->end) {
        uint8_t b = *in->at;
        bool part = (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') ||
                    b == '-' || b == '+' || b == '.' || b == 'E';
        if (!part) {
            f->state = AFTER_VALUE;
            return FRAME_MORE;
        }
        in->at++;
    }
    return FRAME_MORE;
}

static enum frame_got on_skip(struct frame *f, struct input *in)
{
    uint8_t b = *in->at++;

    if (b == '"') {
        f->escaped = false;
        f->state = IN_SKIP_STRING;
    } else if (b == '[' || b == '{') {
        f->depth++;
    } else if ((b == ']' || b == '}') && --f->depth == 0) {
        f->state = AFTER_VALUE;
    }
    return FRAME_MORE;
}

static enum frame_got on_skip_string(struct frame *f, struct input *in)
{
    while (in->at < in->end) {
        uint8_t b = *in->at++;
        if (f->escaped)
            f->escaped = false;
        else if (b == '\\')
            f->escaped = true;
        else if (b == '"') {
            f->state = f->depth > 0 ? IN_SKIP : AFTER_VALUE;
            return FRAME_MORE;
        }
    }
    return FRAME_MORE;
}

static enum frame_got after_value(struct frame *f, struct input *in)
{
    uint8_t b = *in->at++;

    if (b == ',') {
        f->expected = !f->in_event ? MEMBER_TOKEN
                      : f->member < MEMBER_ID ? (uint8_t)(f->member + 1)
                                              : MEMBER_STREAM;
        f->state = AT_MEMBER;
        return FRAME_MORE;
    }
    if (b == '}')
        return end_object(f);
    return bad(f, "a reply that is not JSON: no comma");
}

static enum frame_got on_element(struct frame *f, struct input *in)
{
    uint8_t b = *in->at++;

    if (b == '{')
        begin_event(f);
    else if (b == ']') {
        f->member = MEMBER_EVENTS;
        f->state = AFTER_VALUE;
    } else if (b != ',')
        return bad(f, "a reply that is not JSON: no event");
    return FRAME_MORE;
}

static enum frame_got on_start(struct frame *f, struct input *in)
{
    f->state = AT_MEMBER;
    return *in->at++ == '{' ? FRAME_MORE
                            : bad(f, "a reply that is not a JSON object");
}

static enum frame_got on_colon(struct frame *f, struct input *in)
{
    f->state = AT_VALUE;
    return *in->at++ == ':' ? FRAME_MORE
                            : bad(f, "a reply that is not JSON: no colon");
}

/* One piece in the state we are in; `in` is not empty. */
static enum frame_got advance(struct frame *f, struct input *in,
                              struct span out)
{
    if (f->state < AT_MARK)
        skip_blanks(in);
    if (in->at == in->end)
        return FRAME_MORE;
    switch ((enum state)f->state) {
    case AT_START:       return on_start(f, in);
    case AT_MEMBER:      return on_member(f, in);
    case AT_COLON:       return on_colon(f, in);
    case AT_VALUE:       return on_value(f, in);
    case AT_ELEMENT:     return on_element(f, in);
    case AFTER_VALUE:    return after_value(f, in);
    case AT_END:         return bad(f, "a reply with more after its end");
    case AT_MARK:        return on_mark(f, in);
    case IN_KEY:         return on_key(f, in);
    case IN_STRING:      return on_string(f, in, out);
    case IN_NUMBER:      return on_number(f, in);
    case IN_WORD:        return on_word(f, in);
    case IN_SKIP:        return on_skip(f, in);
    case IN_SKIP_STRING: return on_skip_string(f, in);
    }
    return bad(f, "a reply that is not JSON");
}

enum frame_got frame_step(struct frame *f, struct ring *in, struct span out)
{
    enum frame_got got = FRAME_MORE;

    while (got == FRAME_MORE) {
        struct view src = ring_peek(in);
        struct input input = {src.at, src.at + src.len};

        if (src.len == 0 && !ring_drained(in))
            return FRAME_MORE;
        if (src.len == 0)
            return f->state == AT_END
                       ? FRAME_END
                       : bad(f, "a reply that ends too early");
        while (got == FRAME_MORE && input.at < input.end)
            got = advance(f, &input, out);
        uint32_t taken = (uint32_t)(input.at - src.at);
        ring_consume(in, taken);
        f->offset += taken;
    }
    return got;
}
