/* json.c - any bytes as a small JSON document. */
#include "base/json.h"

static void visit(const struct json *j, int32_t at)
{
    char room[8];
    struct text t;
    int64_t number;
    bool flag;

    text_init(&t, room, sizeof room);
    json_text(j, at, &t);
    json_is(j, at, "a");
    json_i64(j, at, &number);
    json_bool(j, at, &flag);
}

static void take(const uint8_t *at, uint32_t len)
{
    enum { TOKENS = 12 };
    int32_t words[JSON_WORDS(TOKENS)];
    struct json j;

    if (json_parse(&j, (struct view){at, len}, words, TOKENS) != JSON_FINE)
        return;
    visit(&j, json_member(&j, 0, "a"));
    for (int32_t node = json_first(&j, 0); node != JSON_NONE;
         node = json_next(&j, node)) {
        visit(&j, node);
        visit(&j, json_value(&j, node));
    }
}

void eva_json(void)
{
    eva_any(2, take);
    eva_holes("{\"a\":[-1,null]}", 1, take);
    eva_holes("[\"\\ud83d\\ude00\"]", 1, take);
}
