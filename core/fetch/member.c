/* member.c - see member.h. */
#include "fetch/member.h"

#include <isa-l/crc.h>

enum {
    FLAG_CRC      = 0x02,
    FLAG_EXTRA    = 0x04,
    FLAG_NAME     = 0x08,
    FLAG_COMMENT  = 0x10,
    FLAG_RESERVED = 0xe0,
};

enum { FIXED_BYTES = 10 };

void member_init(struct member *m)
{
    *m = (struct member){.field = MEMBER_FIXED};
}

static bool bad(struct member *m, const char *what)
{
    m->what = what;
    return false;
}

/* The fields come in this order; those not announced are passed over. */
static void next_field(struct member *m)
{
    static const uint8_t flag[] = {
        [MEMBER_EXTRA_LENGTH] = FLAG_EXTRA, [MEMBER_EXTRA] = FLAG_EXTRA,
        [MEMBER_NAME] = FLAG_NAME,          [MEMBER_COMMENT] = FLAG_COMMENT,
        [MEMBER_CRC] = FLAG_CRC,
    };
    uint32_t length = m->field == MEMBER_EXTRA_LENGTH ? m->value : 1;

    do
        m->field++;
    while (m->field < MEMBER_DATA &&
           ((m->flags & flag[m->field]) == 0 ||
            (m->field == MEMBER_EXTRA && length == 0)));
    if (m->field != MEMBER_EXTRA)
        m->value = 0;
    m->count = 0;
}

static bool on_fixed(struct member *m, uint8_t byte)
{
    static const uint8_t first[] = {0x1f, 0x8b, 8};  /* 8: deflate */

    if (m->count < sizeof first && byte != first[m->count])
        return bad(m, m->count < 2 ? "this is not gzip"
                                   : "a gzip header names an unknown method");
    if (m->count == sizeof first)
        m->flags = byte;
    if ((m->flags & FLAG_RESERVED) != 0)
        return bad(m, "a gzip header has reserved flags set");
    if (++m->count == FIXED_BYTES)
        next_field(m);
    return true;
}

/* The two numbers of two bytes: true once it is whole. */
static bool number(struct member *m, uint8_t byte)
{
    m->value |= (uint32_t)byte << (8 * m->count);
    return ++m->count == 2;
}

static bool on_byte(struct member *m, uint8_t byte)
{
    uint32_t crc = m->crc;

    m->crc = crc32_gzip_refl(crc, &byte, 1);
    switch (m->field) {
    case MEMBER_FIXED:
        return on_fixed(m, byte);
    case MEMBER_EXTRA_LENGTH:
        if (number(m, byte))
            next_field(m);
        return true;
    case MEMBER_EXTRA:
        if (++m->count == m->value)
            next_field(m);
        return true;
    case MEMBER_NAME:
    case MEMBER_COMMENT:
        if (byte == 0)
            next_field(m);
        return true;
    case MEMBER_CRC:
        m->crc = crc;  /* it does not cover itself */
        if (!number(m, byte))
            return true;
        if (m->value != (crc & 0xffff))
            return bad(m, "the checksum of a gzip header is wrong");
        next_field(m);
        return true;
    case MEMBER_DATA: CHECK(false);
    }
    return false;
}

enum member_got member_step(struct member *m, struct view src,
                            uint32_t *taken)
{
    *taken = 0;
    while (*taken < src.len && m->field != MEMBER_DATA)
        if (!on_byte(m, src.at[(*taken)++]))
            return MEMBER_BAD;
    return m->field == MEMBER_DATA ? MEMBER_END : MEMBER_MORE;
}
