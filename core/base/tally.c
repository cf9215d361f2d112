/* tally.c - see tally.h. */
#include "base/tally.h"

__extension__ typedef unsigned __int128 wide;

/* Odd numbers with as many ones as zeros: the fractions of the square roots
 * of 2, 3, 5 ... 37 (FIPS 180-4 section 5.3.5 lists them), made odd. */
static const uint64_t key_a[4] = {
    0x6a09e667f3bcc909, 0xbb67ae8584caa73b,
    0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
};
static const uint64_t key_b[4] = {
    0x510e527fade682d1, 0x9b05688c2b3e6c1f,
    0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};
static const uint64_t key_end[4] = {
    0xcbbb9d5dc1059ed9, 0x629a292a367cd507,
    0x9159015a3070dd17, 0x152fecd8f70e5939,
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "words are read as they lie");

static uint64_t load_le64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t load_le32(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* One to eight bytes, as if zeros came after them. */
static uint64_t load_short(const uint8_t *at, uint32_t len)
{
    if (len >= 8)
        return load_le64(at);
    if (len >= 4)  /* two loads that overlap in equal bits */
        return load_le32(at) | load_le32(at + len - 4) << 8 * (len - 4);
    return at[0] | (uint64_t)at[len / 2] << 8 * (len / 2) |
           (uint64_t)at[len - 1] << 8 * (len - 1);
}

static uint64_t rotate(uint64_t x, uint32_t bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t fold(uint64_t x, uint64_t y)
{
    wide product = (wide)x * y;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Sixteen bytes into one strand of each hash. What a strand held is added
 * again, rotated, so that a factor of zero cannot wipe it out; each word is
 * keyed in one of the two products, so that no value wipes out its neighbour
 * in both. */
static inline void absorb(uint64_t *a, uint64_t *b, uint32_t strand,
                          uint64_t x, uint64_t y)
{
    uint64_t next_a = fold(x ^ key_a[strand], y ^ *a);
    uint64_t next_b = fold(y ^ key_b[strand], x ^ *b);
    *a = rotate(*a, 29) + next_a;
    *b = rotate(*b, 37) + next_b;
}

static void absorb_stripes(struct tally_message *m, struct view v)
{
    uint64_t a0 = m->a[0], a1 = m->a[1], a2 = m->a[2], a3 = m->a[3];
    uint64_t b0 = m->b[0], b1 = m->b[1], b2 = m->b[2], b3 = m->b[3];
    const uint8_t *end = v.at + v.len;
    CHECK(v.len % TALLY_STRIPE_BYTES == 0);
    for (const uint8_t *at = v.at; at < end; at += TALLY_STRIPE_BYTES) {
        absorb(&a0, &b0, 0, load_le64(at), load_le64(at + 8));
        absorb(&a1, &b1, 1, load_le64(at + 16), load_le64(at + 24));
        absorb(&a2, &b2, 2, load_le64(at + 32), load_le64(at + 40));
        absorb(&a3, &b3, 3, load_le64(at + 48), load_le64(at + 56));
    }
    m->a[0] = a0, m->a[1] = a1, m->a[2] = a2, m->a[3] = a3;
    m->b[0] = b0, m->b[1] = b1, m->b[2] = b2, m->b[3] = b3;
}

/* The last bytes, fewer than a stripe; padded by zeros, which the length tells
 * from zeros of the message. */
static void absorb_rest(struct tally_message *m, const uint8_t *at,
                        uint32_t len)
{
    CHECK(len < TALLY_STRIPE_BYTES);
    for (uint32_t strand = 0; len > 0; strand++) {
        uint32_t step = len < 16 ? len : 16;
        uint64_t x = load_short(at, step);
        uint64_t y = step > 8 ? load_short(at + 8, step - 8) : 0;
        absorb(&m->a[strand], &m->b[strand], strand, x, y);
        at += step;
        len -= step;
    }
}

static uint64_t join(uint64_t x, uint64_t y)
{
    return fold(x, y) + rotate(x, 32) + y;
}

/* One of the two hashes: its strands, the timestamp and the length. */
static uint64_t finish(const uint64_t strand[4], const struct tally_message *m)
{
    uint64_t low = join(strand[0] ^ key_end[0], strand[1] ^ m->bytes);
    uint64_t high = join(strand[2] ^ (uint64_t)m->timestamp_ms,
                         strand[3] ^ key_end[1]);
    return join(low ^ key_end[2], high ^ key_end[3]);
}

static void count(struct tally *t, struct tally_message *m, const uint8_t *rest)
{
    absorb_rest(m, rest, (uint32_t)(m->bytes % TALLY_STRIPE_BYTES));
    t->events++;
    t->digest[0] += finish(m->a, m);
    t->digest[1] += finish(m->b, m);
    if (m->timestamp_ms < t->first_ms)
        t->first_ms = m->timestamp_ms;
    if (m->timestamp_ms > t->last_ms)
        t->last_ms = m->timestamp_ms;
}

void tally_init(struct tally *t)
{
    *t = (struct tally){.first_ms = INT64_MAX, .last_ms = INT64_MIN};
}

void tally_begin(struct tally_message *m, int64_t timestamp_ms)
{
    memcpy(m->a, key_b, sizeof m->a);
    memcpy(m->b, key_a, sizeof m->b);
    m->bytes = 0;
    m->timestamp_ms = timestamp_ms;
}

void tally_add(struct tally *t, int64_t timestamp_ms, struct view message)
{
    struct tally_message m;
    uint32_t whole = message.len - message.len % TALLY_STRIPE_BYTES;
    tally_begin(&m, timestamp_ms);
    if (whole > 0)
        absorb_stripes(&m, view_slice(message, 0, whole));
    m.bytes = message.len;
    count(t, &m, message.at + whole);
}

/* Fills up what is held to a stripe; returns how much of the piece it took. */
static uint32_t top_up(struct tally_message *m, struct view piece)
{
    uint32_t held = (uint32_t)(m->bytes % TALLY_STRIPE_BYTES);
    uint32_t room = TALLY_STRIPE_BYTES - held;
    uint32_t len = piece.len < room ? piece.len : room;
    memcpy(m->held + held, piece.at, len);
    m->bytes += len;
    if (len == room)
        absorb_stripes(m, (struct view){m->held, TALLY_STRIPE_BYTES});
    return len;
}

void tally_feed(struct tally_message *m, struct view piece)
{
    if (piece.len > 0 && m->bytes % TALLY_STRIPE_BYTES != 0)
        piece = view_slice(piece, top_up(m, piece), piece.len);
    uint32_t whole = piece.len - piece.len % TALLY_STRIPE_BYTES;
    if (whole > 0)
        absorb_stripes(m, view_slice(piece, 0, whole));
    m->bytes += whole;
    if (whole < piece.len)
        top_up(m, view_slice(piece, whole, piece.len));
}

void tally_end(struct tally *t, const struct tally_message *m)
{
    struct tally_message last = *m;
    count(t, &last, m->held);
}

void tally_merge(struct tally *t, const struct tally *from)
{
    t->events += from->events;
    t->digest[0] += from->digest[0];
    t->digest[1] += from->digest[1];
    if (from->first_ms < t->first_ms)
        t->first_ms = from->first_ms;
    if (from->last_ms > t->last_ms)
        t->last_ms = from->last_ms;
}

bool tally_equal(const struct tally *a, const struct tally *b)
{
    return a->events == b->events && a->digest[0] == b->digest[0] &&
           a->digest[1] == b->digest[1] && a->first_ms == b->first_ms &&
           a->last_ms == b->last_ms;
}

void tally_text(struct text *t, const struct tally *tally)
{
    uint8_t bytes[16];
    for (uint32_t i = 0; i < 16; i++)
        bytes[i] = (uint8_t)(tally->digest[i / 8] >> (56 - i % 8 * 8));
    text_hex(t, (struct view){bytes, sizeof bytes});
}

bool tally_parse(struct view v, uint64_t digest[2])
{
    uint64_t value[2] = {0, 0};
    if (v.len != TALLY_TEXT_BYTES)
        return false;
    for (uint32_t i = 0; i < TALLY_TEXT_BYTES; i++) {
        uint8_t c = v.at[i];
        bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'f';
        if (!digit && !letter)
            return false;
        uint64_t nibble = digit ? c - (uint64_t)'0' : c - (uint64_t)'a' + 10;
        value[i / 16] = value[i / 16] << 4 | nibble;
    }
    memcpy(digest, value, sizeof value);
    return true;
}
