/* hostile.c - messages and stream names that break careless readers. */
#include "message.h"

#include <string.h>

static void repeat(struct aws_buf *out, const char *s, size_t len,
                   size_t times)
{
    size_t all = len * times, made = len;
    char *to = aws_room(out, all);
    if (times == 0) return;
    memcpy(to, s, len);
    while (made < all) {  /* by doubling what is there */
        size_t part = made < all - made ? made : all - made;
        memcpy(to + made, to, part);
        made += part;
    }
    out->len += all;
    to[all] = '\0';
}

static void controls(struct aws_buf *out, uint64_t chance, size_t count)
{
    char *to = aws_room(out, count);
    for (size_t i = 0; i < count; i++)
        to[i] = (char)((chance + i) % 32);
    out->len += count;
}

static bool ends_high(const struct aws_buf *out)
{
    const uint8_t *end = (const uint8_t *)out->at + out->len;
    return out->len >= 3 && end[-3] == 0xed && end[-2] >= 0xa0 &&
           end[-2] < 0xb0;
}

/* Halves of pairs alone, reversed, doubled, at the start and the end. */
static void surrogates(struct aws_buf *out, uint64_t chance)
{
    static const char *const piece[] = {
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xed\xb0\x80\xed\xa0\x80",
        "x", "\xed\xaf\xbfz", "\xf0\x9f\x98\x80", "\xed\xa0\x80\\u"};
    for (int i = 0; i < 6; i++, chance >>= 4) {
        const char *next = piece[chance % 7];
        bool high = ends_high(out);
        if (high && next[0] == '\xed' && (uint8_t)next[1] >= 0xb0)
            aws_puts(out, ".");  /* two halves in order would be a pair */
        aws_puts(out, next);
    }
}

static void scripts(struct aws_buf *out, uint64_t chance)
{
    static const char *const piece[] = {
        "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf", "\xef\xbf\xbf",
        "\xf4\x8f\xbf\xbf", "\xed\x95\x9c\xea\xb8\x80", "\xc2\x80", "\x7f",
        "\xdf\xbf", "\xe0\xa0\x80", "\xf0\x90\x80\x80", "\xef\xbf\xbd"};
    for (int i = 0; i < 10; i++, chance >>= 5)
        aws_puts(out, piece[chance % 12]);
}

static void long_one(struct aws_buf *out, uint64_t chance)
{
    size_t len = 1000 + (size_t)(chance >> 8) % 60000;
    if (chance % 64 == 0) {
        aws_huge_message(out, chance >> 6, 0);
        return;
    }
    if (chance & 1) controls(out, chance, len);
    else repeat(out, "\\\"", 2, len / 2);
}

/* Fixed texts, each a trap of its own. */
static const struct aws_text traps[] = {
#define TRAP(s) {s, sizeof s - 1}
    TRAP("\",\"message\":\"x\",\"nextToken\":\"y\"},{\"timestamp\":0"),
    TRAP("{\"events\":[{\"eventId\":\"1\",\"timestamp\":12}]}"),
    TRAP("]}],\"nextToken\":\"stop\""),
    TRAP("\\"), TRAP("\\\\\""), TRAP("\""), TRAP(" "), TRAP("\n"),
    TRAP("\r\n\r\n"), TRAP("\0"), TRAP("a\0b\0\0c"), TRAP("\\u0041 \\n"),
    TRAP("line one\nline two\n\n  at com.example.Main(Main.java:1)\n"),
    TRAP("2026-11-09T00:00:00.000Z looks like a record"),
    TRAP("first\n2026-11-09T00:00:00.000Z looks like the next record"),
    TRAP("\x1b[31mred\x1b[0m \x1b]0;title\x07 \x08\x08\x7f"),
    TRAP("\t tabs \t and \v vertical \f feeds"),
    TRAP("</Error><Code>NoSuchKey</Code>&amp;&#0;<![CDATA[x]]>"),
    TRAP("the very same message"), TRAP("null"), TRAP("\\ud800"),
#undef TRAP
};

void aws_hostile_message(struct aws_buf *out, uint64_t chance, int64_t at)
{
    uint64_t more = aws_mix(chance);
    (void)at;
    switch (chance % 16) {
    case 0:  controls(out, more, 1 + more % 300); break;
    case 1:  surrogates(out, more); break;
    case 2:  scripts(out, more); break;
    case 3:
        if (more % 8 == 0) long_one(out, more >> 3);
        else controls(out, more, 1 + more % 8);
        break;
    case 4:  repeat(out, "\0", 1, 1 + more % 40); break;
    default:
        aws_put_text(out, traps[more % (sizeof traps / sizeof traps[0])]);
        if (more >> 32 & 1) aws_printf(out, " %d", (int)(more >> 40 & 999));
        break;
    }
}

void aws_huge_message(struct aws_buf *out, uint64_t chance, int64_t at)
{
    size_t start = out->len, max = AWS_MESSAGE_BYTES_MAX;
    (void)at;
    (void)aws_room(out, max + 16);
    switch (chance % 5) {
    case 0:  controls(out, chance, max); break;
    case 1:  repeat(out, "\xf0\x9f\x98\x80", 4, max / 4); break;
    case 2:  repeat(out, "\"\\", 2, max / 2); break;
    case 3:  repeat(out, "\xed\xa0\x80", 3, max / 3); break;
    default: repeat(out, "plain words, ", 13, max / 13); break;
    }
    while (out->len - start < max) aws_put(out, ".", 1);
}

void aws_hostile_stream(struct aws_buf *out, uint64_t chance, uint32_t index)
{
    size_t start = out->len;
    aws_printf(out, "%04x", index);
    switch (index % 8) {
    case 0: repeat(out, "s", 1, 508); break;
    case 1: repeat(out, "\"", 1, 508); break;
    case 2: repeat(out, "\xed\x95\x9c", 3, 508); break;
    case 3: aws_puts(out, "/[$LATEST]4eee a&b<c>d"); break;
    case 4: aws_puts(out, "/a-b"); break;
    case 5: aws_puts(out, "/a/b"); break;
    case 6: aws_puts(out, "\\,\"timestamp\"\t\x01\x7f"); break;
    default: aws_printf(out, "%llx", (unsigned long long)chance); break;
    }
    aws_must(out->len > start);
}
