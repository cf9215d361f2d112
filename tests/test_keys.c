/* test_keys.c - keys are whole and printable, or there are none. */
#include "call/keys.h"
#include "row.h"

#define MANY10 "xxxxxxxxxx"
#define MANY \
    MANY10 MANY10 MANY10 MANY10 MANY10 MANY10 MANY10 MANY10 MANY10 MANY10 \
    MANY10 MANY10 MANY10 MANY10

static const struct set_row {
    const char *name, *id, *secret;
    uint32_t    token_len;
    const char *token;
    bool        ok;
} set_rows[] = {
    {"a user's", "AKID", "s/+=", 0, "", true},
    {"a session's", "ASIA", "s", 3, "t/=", true},
    {"no id", "", "s", 0, "", false},
    {"no secret", "A", "", 0, "", false},
    {"a long id", MANY, "s", 0, "", false},
    {"a long secret", "A", MANY, 0, "", false},
    {"a long token", "A", "s", CFG_SESSION_BYTES, NULL, false},
    {"the longest token", "A", "s", CFG_SESSION_BYTES - 1, NULL, true},
    {"a line break in the id", "A\n", "s", 0, "", false},
    {"a byte 127 in the secret", "A", "s\x7f", 0, "", false},
    {"a blank in the token", "A", "s", 3, "t t", false},
};

static void keys_are_set_or_refused(void **state)
{
    static char many[CFG_SESSION_BYTES];
    static struct keys k;
    int failures = 0;
    (void)state;
    memset(many, 't', sizeof many);
    for (size_t i = 0; i < ROW_COUNT(set_rows); i++) {
        const struct set_row *row = &set_rows[i];
        const char *from = row->token != NULL ? row->token : many;
        struct view token = {(const uint8_t *)from, row->token_len};
        bool ok = keys_set(&k, view_of(row->id), view_of(row->secret), token);
        failures += BROKEN(row->name, ok == row->ok &&
                           (!ok || (strcmp(k.id, row->id) == 0 &&
                                    strcmp(k.secret, row->secret) == 0 &&
                                    strlen(k.token) == token.len &&
                                    k.expires_ms == INT64_MAX)));
    }
    assert_int_equal(failures, 0);
    keys_forget(&k);
    for (size_t i = 0; i < sizeof k; i++)
        assert_int_equal(((const char *)&k)[i], 0);
}

#define NOON INT64_C(1793880000000)  /* 2026-11-05T12:00:00Z */

static const struct reply_row {
    const char *name, *id, *secret, *token, *until;  /* NULL: left out */
    bool        ok;
    int64_t     expires_ms;
} reply_rows[] = {
    {"all of it", "A", "s", "t", "2026-11-05T12:00:00Z", true, NOON},
    {"without an end", "A", "s", "t", NULL, true, INT64_MAX},
    {"no id", NULL, "s", "t", NULL, false, 0},
    {"no secret", "A", NULL, "t", NULL, false, 0},
    {"no token", "A", "s", NULL, NULL, false, 0},
    {"an empty id", "", "s", "t", NULL, false, 0},
    {"an empty secret", "A", "", "t", NULL, false, 0},
    {"an end that is none", "A", "s", "t", "tomorrow", false, 0},
    {"an id that is too long", MANY, "s", "t", NULL, false, 0},
    {"a blank in the secret", "A", "s s", "t", NULL, false, 0},
    {"a blank in the token", "A", "s", "t ", NULL, false, 0},
};

static void put(struct text *t, const char *format, const char *name,
                const char *value)
{
    char at[512];
    if (value == NULL)
        return;
    (void)snprintf(at, sizeof at, format, name, value, name);
    text_str(t, at);
}

static void write_reply(struct text *t, const struct reply_row *row, bool json)
{
    const char *format = json ? "\"%s\":\"%s\"," : "<%s>%s</%s>";
    text_reset(t);
    text_str(t, json ? "{" : "<R><Credentials>");
    put(t, format, "AccessKeyId", row->id);
    put(t, format, "SecretAccessKey", row->secret);
    put(t, format, json ? "Token" : "SessionToken", row->token);
    put(t, format, "Expiration", row->until);
    text_str(t, json ? "\"Code\":\"Success\"}" : "</Credentials></R>");
}

static void replies_are_read_whole(void **state)
{
    static struct keys k;
    char at[1024], code[64];
    struct text t;
    int failures = 0;
    (void)state;
    text_init(&t, at, sizeof at);
    for (size_t i = 0; i < ROW_COUNT(reply_rows); i++) {
        const struct reply_row *row = &reply_rows[i];
        write_reply(&t, row, true);
        bool ok = keys_of_json(&k, text_view(&t), code);
        failures += BROKEN(row->name, ok == row->ok &&
                           strcmp(code, "Success") == 0 &&
                           (!ok || k.expires_ms == row->expires_ms));
        write_reply(&t, row, false);
        ok = keys_of_xml(&k, text_view(&t));
        failures += BROKEN(row->name, ok == row->ok &&
                           (!ok || k.expires_ms == row->expires_ms));
    }
    assert_int_equal(failures, 0);
    assert_false(keys_of_json(&k, view_of("{\"Code\":\"Failed\"}"), code));
    assert_string_equal(code, "Failed");
    assert_false(keys_of_json(&k, view_of("hello"), code));
    assert_string_equal(code, "");
    assert_false(keys_of_xml(&k, view_of("<R><Result/></R>")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_set_or_refused),
        cmocka_unit_test(replies_are_read_whole),
    };
    return RUN(tests);
}
