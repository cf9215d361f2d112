/* escape.c - see escape.h. */
#include "task/escape.h"

/* What the bytes of one character, as far as they go, may become. */
enum sequence { SEQUENCE_PART, SEQUENCE_WHOLE, SEQUENCE_BAD };

static uint32_t length_of(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead < 0xe0)
        return 2;
    if (lead >= 0xe0 && lead < 0xf0)
        return 3;
    return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

/* RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF. */
static enum sequence judge(const uint8_t *seq, uint32_t len)
{
    uint32_t need = length_of(seq[0]);

    if (need == 0)
        return SEQUENCE_BAD;
    for (uint32_t i = 1; i < len; i++)
        if ((seq[i] & 0xc0) != 0x80)
            return SEQUENCE_BAD;
    if (len > 1 && ((seq[0] == 0xe0 && seq[1] < 0xa0) ||
                    (seq[0] == 0xed && seq[1] > 0x9f) ||
                    (seq[0] == 0xf0 && seq[1] < 0x90) ||
                    (seq[0] == 0xf4 && seq[1] > 0x8f)))
        return SEQUENCE_BAD;
    return len < need ? SEQUENCE_PART : SEQUENCE_WHOLE;
}

static uint32_t code_of(const uint8_t *seq, uint32_t len)
{
    uint32_t code = len == 1 ? seq[0] : seq[0] & (0x7fu >> len);
    for (uint32_t i = 1; i < len; i++)
        code = code << 6 | (seq[i] & 0x3f);
    return code;
}

static bool is_shown(uint32_t code)
{
    if (code < 0x20)
        return code == '\t' || code == '\n';
    return !(code >= 0x7f && code <= 0x9f) &&
           !(code >= 0x2028 && code <= 0x202e) &&
           !(code >= 0x2066 && code <= 0x2069);
}

static void owe(struct escape *e, const void *bytes, uint32_t len)
{
    CHECK(e->owed_len == 0 && len <= sizeof e->owed);
    memcpy(e->owed, bytes, len);
    e->owed_len = (uint8_t)len;
    e->seq_len = 0;
}

static void owe_code(struct escape *e, uint32_t code)
{
    char bytes[8];
    struct text t;
    uint8_t big_endian[] = {(uint8_t)(code >> 8), (uint8_t)code};

    text_init(&t, bytes, sizeof bytes);
    if (code == '\r') {
        text_str(&t, "\\r");
    } else {
        text_str(&t, "\\u");
        text_hex(&t, (struct view){big_endian, 2});
    }
    owe(e, bytes, t.len);
}

/* One more byte; true if it was taken. */
static bool on_byte(struct escape *e, uint8_t byte)
{
    static const uint8_t replacement[] = {0xef, 0xbf, 0xbd};

    e->seq[e->seq_len] = byte;
    switch (judge(e->seq, e->seq_len + 1u)) {
    case SEQUENCE_PART:
        e->seq_len++;
        return true;
    case SEQUENCE_WHOLE:
        break;
    case SEQUENCE_BAD:
        /* After a beginning it belongs to the next character. */
        byte = e->seq_len;
        owe(e, replacement, sizeof replacement);
        return byte == 0;
    }
    uint32_t code = code_of(e->seq, e->seq_len + 1u);
    if (is_shown(code))
        owe(e, e->seq, e->seq_len + 1u);
    else
        owe_code(e, code);
    return true;
}

static bool pay(struct escape *e, struct ring *out)
{
    uint32_t done = ring_write(out, (struct view){e->owed, e->owed_len});

    e->owed_len = (uint8_t)(e->owed_len - done);
    memmove(e->owed, e->owed + done, e->owed_len);
    return e->owed_len == 0;
}

static enum flow step(struct stage *self, struct ring *in, struct ring *out,
                      struct now now)
{
    struct escape *e = (struct escape *)self;  /* its first member */
    struct view src = ring_peek(in);
    uint32_t taken = 0;

    (void)now;
    if (out->ended)
        return FLOW_ENDED;
    if (ring_room(out) == 0)
        return FLOW_WANT_ROOM;
    while (pay(e, out) && taken < src.len)
        taken += on_byte(e, src.at[taken]);
    ring_consume(in, taken);
    if (taken > 0 || src.len > 0 || e->owed_len > 0)
        return FLOW_MOVED;
    if (!ring_drained(in))
        return FLOW_WANT_INPUT;
    if (e->seq_len > 0) {  /* cut short by the end */
        CHECK(!on_byte(e, 0xff));
        return FLOW_MOVED;
    }
    ring_end(out);
    return FLOW_ENDED;
}

void escape_init(struct escape *e, struct fault *fault)
{
    *e = (struct escape){.stage = {step, fault}};
}
