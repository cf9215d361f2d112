/* text.c - any bytes as numbers, words and what is escaped. */
#include "base/text.h"

static void numbers(const uint8_t *at, uint32_t len)
{
    struct view v = {at, len};
    uint64_t number;
    int64_t  signed_number;

    view_u64(v, UINT64_MAX, &number);
    view_u64(v, 1000, &number);
    view_i64(v, &signed_number);
}

static void words(const uint8_t *at, uint32_t len)
{
    struct view v = {at, len}, rest = v;
    char room[3];

    view_split(&rest, ',');
    view_copy(v, room, sizeof room);
    view_is_nocase(v, "abc");
    view_ends(v, "abc");
}

static void trim(const uint8_t *at, uint32_t len)
{
    view_trim((struct view){at, len});
}

static void escape(const uint8_t *at, uint32_t len)
{
    struct view v = {at, len};
    char room[8];
    struct text t;

    text_init(&t, room, sizeof room);
    text_put(&t, v);
    text_reset(&t);
    text_hex(&t, v);
    text_reset(&t);
    text_base64(&t, v);
}

static void percent(const uint8_t *at, uint32_t len)
{
    char room[8];
    struct text t;

    text_init(&t, room, sizeof room);
    text_percent(&t, (struct view){at, len}, true);
}

static void json(const uint8_t *at, uint32_t len)
{
    char room[8];
    struct text t;

    text_init(&t, room, sizeof room);
    text_json(&t, (struct view){at, len});
}

void eva_text(void)
{
    eva_any(8, numbers);
    eva_holes("18446744073709551615", 1, numbers);
    eva_holes("-9223372036854775808", 1, numbers);
    eva_any(4, words);
    eva_any(3, trim);
    eva_any(4, escape);
    eva_any(3, percent);
    eva_any(2, json);
}
