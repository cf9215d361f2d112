/* test_json.c - small documents are taken apart, hostile ones refused. */
#include "base/json.h"
#include "row.h"

enum { TOKENS = 64 };

static const char document[] =
    "{\"Code\":\"Success\",\"a\":{\"b\":[1,{\"c\":2},\"x\"],\"d\":null},"
    "\"yes\":true,\"no\":false,\"big\":-9223372036854775808,\"float\":1.5,"
    "\"twice\":1,\"twice\":2,\"k\\u0065y\":\"v\",\"empty\":{},\"\":[]}";

static void members_are_found(void **state)
{
    int32_t words[JSON_WORDS(TOKENS)];
    struct json j;
    int64_t number = 0;
    bool yes = false;
    (void)state;
    assert_int_equal(json_parse(&j, view_of(document), words, TOKENS), 0);
    int32_t a = json_member(&j, 0, "a"), b = json_member(&j, a, "b");
    assert_true(json_is(&j, json_member(&j, 0, "Code"), "Success"));
    assert_int_equal(json_kind(&j, b), JSON_ARRAY);
    assert_int_equal(json_kind(&j, json_member(&j, a, "d")), JSON_NULL);
    assert_true(json_bool(&j, json_member(&j, 0, "yes"), &yes) && yes);
    assert_true(json_bool(&j, json_member(&j, 0, "no"), &yes) && !yes);
    assert_false(json_bool(&j, json_member(&j, 0, "big"), &yes));
    assert_true(json_i64(&j, json_member(&j, 0, "big"), &number));
    assert_true(number == INT64_MIN);
    assert_false(json_i64(&j, json_member(&j, 0, "float"), &number));
    assert_true(json_i64(&j, json_member(&j, 0, "twice"), &number));
    assert_int_equal(number, 2);
    assert_true(json_is(&j, json_member(&j, 0, "key"), "v"));
    assert_int_equal(json_member(&j, 0, "c"), JSON_NONE);
    assert_int_equal(json_member(&j, JSON_NONE, "c"), JSON_NONE);
    assert_int_equal(json_kind(&j, json_member(&j, 0, "")), JSON_ARRAY);
    assert_int_equal(json_first(&j, json_member(&j, 0, "empty")), JSON_NONE);
    assert_int_equal(json_first(&j, json_member(&j, 0, "Code")), JSON_NONE);
    assert_int_equal(json_value(&j, JSON_NONE), JSON_NONE);
    assert_int_equal(json_next(&j, JSON_NONE), JSON_NONE);
    assert_int_equal(json_raw(&j, JSON_NONE).len, 0);
}

/* A name longer than any we ask for is no name of ours, escaped or not. */
static void a_long_name_is_another(void **state)
{
    char name[200], text[256];
    int32_t words[JSON_WORDS(TOKENS)];
    struct json j;
    (void)state;
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    (void)snprintf(text, sizeof text, "{\"\\u0061%s\":1}", name + 1);
    assert_int_equal(json_parse(&j, view_of(text), words, TOKENS), JSON_FINE);
    assert_int_equal(json_member(&j, 0, name), JSON_NONE);
    assert_int_equal(json_member(&j, 0, "a"), JSON_NONE);
}

static void walking_visits_siblings_only(void **state)
{
    int32_t words[JSON_WORDS(TOKENS)];
    struct json j;
    int32_t names = 0, items = 0;
    (void)state;
    assert_int_equal(json_parse(&j, view_of(document), words, TOKENS), 0);
    for (int32_t at = json_first(&j, 0); at != JSON_NONE;
         at = json_next(&j, at)) {
        names++;
        assert_int_not_equal(json_value(&j, at), JSON_NONE);
    }
    assert_int_equal(names, 11);
    int32_t b = json_member(&j, json_member(&j, 0, "a"), "b");
    for (int32_t at = json_first(&j, b); at != JSON_NONE;
         at = json_next(&j, at))
        items++;
    assert_int_equal(items, 3);
}

static const struct text_row {
    const char *name, *in, *want;  /* NULL: refused */
} text_rows[] = {
    {"plain", "\"abc\"", "abc"},
    {"nothing", "\"\"", ""},
    {"every letter", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
    {"a two-byte character", "\"\\u00e9\"", "\xc3\xa9"},
    {"a three-byte character", "\"\\u20AC!\"", "\xe2\x82\xac!"},
    {"a pair", "\"\\ud83d\\uDE00\"", "\xf0\x9f\x98\x80"},
    {"a lone high surrogate", "\"\\ud83dx\"", "\xef\xbf\xbdx"},
    {"a high one twice", "\"\\ud83d\\ud83d\"",
     "\xef\xbf\xbd\xef\xbf\xbd"},
    {"a lone low surrogate", "\"\\ude00\"", "\xef\xbf\xbd"},
    {"a high one before the end", "\"\\ud83d\"", "\xef\xbf\xbd"},
    {"a high one before letters", "\"\\ud83dabcdefg\"",
     "\xef\xbf\xbd" "abcdefg"},
    {"a high one before another escape", "\"\\ud83d\\nabcdefg\"",
     "\xef\xbf\xbd\nabcdefg"},
    {"a high one before a low one cut short", "\"\\ud83d\\\\ude\"",
     "\xef\xbf\xbd\\ude"},
    {"a number is no string", "12", NULL},
    {"a character too many", "\"0123456789abcdef0123456789abcd\\u00e9\"",
     NULL},
    {"too long", "\"0123456789abcdef0123456789abcdef\"", NULL},
};

static void strings_are_decoded(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(text_rows); i++) {
        const struct text_row *row = &text_rows[i];
        int32_t words[JSON_WORDS(TOKENS)];
        char room[32];
        struct json j;
        struct text t;
        text_init(&t, room, sizeof room);
        bool ok = json_parse(&j, view_of(row->in), words, TOKENS) ==
                      JSON_FINE &&
                  json_text(&j, 0, &t);
        failures += BROKEN(row->name, ok == (row->want != NULL) &&
                                          (!ok || row_text(&t, row->want)));
    }
    assert_int_equal(failures, 0);
}

static const struct bad_row {
    const char     *name, *in;
    enum json_error want;
} bad_rows[] = {
    {"nothing", "", JSON_CUT},
    {"blanks", " \r\n", JSON_CUT},
    {"cut in an object", "{\"a\":", JSON_CUT},
    {"cut in a string", "{\"a", JSON_CUT},
    {"the wrong bracket", "{]", JSON_INVALID},
    {"words", "hello", JSON_INVALID},
    {"an escape that is none", "\"\\x\"", JSON_INVALID},
    {"two documents", "{}{}", JSON_INVALID},
    {"HTML", "<html>", JSON_INVALID},
    {"two colons", "{\"a\"::1}", JSON_INVALID},
    {"all blanks there are", "\r{\"a\"\r:\t1 ,\r\n\"b\":2\r}\n", JSON_FINE},
    {"all marks", " {\"a\" : [1 ,{} , \"x\"]\n,\"b\":\t{\"c\":2} } ",
     JSON_FINE},
    {"a comma at the end of a list", "[1,2,]", JSON_INVALID},
    {"a comma at the end of an object", "{\"a\":1,}", JSON_INVALID},
    {"a comma at the beginning", "[,1]", JSON_INVALID},
    {"two commas", "[1,,2]", JSON_INVALID},
    {"no comma in a list", "[\"a\" \"b\"]", JSON_INVALID},
    {"no comma in an object", "{\"a\":1 \"b\":2}", JSON_INVALID},
    {"no colon", "{\"a\" 1}", JSON_INVALID},
    {"a comma for a colon", "{\"a\",1}", JSON_INVALID},
    {"a colon for a comma", "{\"a\":{}:\"b\":2}", JSON_INVALID},
    {"a colon in a list", "[\"a\":1]", JSON_INVALID},
    {"a name without its value", "{\"a\"}", JSON_INVALID},
    {"a comma behind it all", "{},", JSON_INVALID},
    {"a comma before it all", ",{}", JSON_INVALID},
};

static void what_is_not_json_is_refused(void **state)
{
    int failures = 0;
    int32_t words[JSON_WORDS(TOKENS)];
    struct json j;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(bad_rows); i++)
        failures += BROKEN(bad_rows[i].name,
                           json_parse(&j, view_of(bad_rows[i].in), words,
                                      TOKENS) == bad_rows[i].want);
    assert_int_equal(failures, 0);
    assert_int_equal(json_parse(&j, (struct view){(const uint8_t *)"{}\0", 3},
                                words, TOKENS), JSON_INVALID);
    char deep[1000];
    memset(deep, '[', sizeof deep);
    assert_int_equal(json_parse(&j, (struct view){(uint8_t *)deep, 1000},
                                words, TOKENS), JSON_MANY);
    assert_int_equal(json_parse(&j, (struct view){(uint8_t *)deep, 1u << 31},
                                words, TOKENS), JSON_MANY);  /* not looked at */
}

/* Each prefix of the document, and each with one byte changed: no crash, and
 * no member that was not there. */
static void damage_does_no_harm(void **state)
{
    int32_t words[JSON_WORDS(TOKENS)];
    char copy[sizeof document], room[64];
    struct json j;
    struct text t;
    (void)state;
    for (uint32_t i = 0; i < sizeof document - 1; i++)
        for (int c = 0; c < 128; c += 3) {
            memcpy(copy, document, sizeof copy);
            copy[i] = (char)c;
            struct view v = {(const uint8_t *)copy,
                             c == 0 ? i : (uint32_t)sizeof copy - 1};
            if (json_parse(&j, v, words, TOKENS) != JSON_FINE)
                continue;
            for (int32_t at = json_first(&j, 0); at != JSON_NONE;
                 at = json_next(&j, at)) {
                text_init(&t, room, sizeof room);
                json_text(&j, json_value(&j, at), &t);
            }
            assert_int_equal(json_member(&j, 0, "absent"), JSON_NONE);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(a_long_name_is_another),
        cmocka_unit_test(walking_visits_siblings_only),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(damage_does_no_harm),
    };
    return RUN(tests);
}
