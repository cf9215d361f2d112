/* keys.c - see keys.h. */
#include "call/keys.h"

#include "base/date.h"
#include "base/json.h"
#include "base/xml.h"

enum { TOKENS = 64 };  /* of a metadata reply: it has nine members or so */

void secret_wipe(void *at, size_t bytes)
{
    volatile uint8_t *byte = at;
    for (size_t i = 0; i < bytes; i++)
        byte[i] = 0;
}

void keys_forget(struct keys *k)
{
    secret_wipe(k, sizeof *k);
}

/* They go into header lines, so no control byte may be in them. */
static bool is_printable(const char *s)
{
    for (; *s != '\0'; s++)
        if (*s <= ' ' || *s == 0x7f)
            return false;
    return true;
}

static bool is_sound(const struct keys *k)
{
    return k->id[0] != '\0' && k->secret[0] != '\0' && is_printable(k->id) &&
           is_printable(k->secret) && is_printable(k->token);
}

bool keys_set(struct keys *k, struct view id, struct view secret,
              struct view token)
{
    k->expires_ms = INT64_MAX;
    return view_copy(id, k->id, sizeof k->id) &&
           view_copy(secret, k->secret, sizeof k->secret) &&
           view_copy(token, k->token, sizeof k->token) && is_sound(k);
}

static bool member(const struct json *j, const char *name, char *at,
                   uint32_t bytes)
{
    struct text t;
    text_init(&t, at, bytes);
    bool ok = json_text(j, json_member(j, 0, name), &t);
    if (!ok)
        text_reset(&t);
    return ok;
}

static bool set_expiry(struct keys *k, const char *expiration)
{
    k->expires_ms = INT64_MAX;
    return expiration[0] == '\0' ||
           date_parse_rfc3339(view_of(expiration), &k->expires_ms, NULL);
}

bool keys_of_json(struct keys *k, struct view reply, char code[64])
{
    int32_t words[JSON_WORDS(TOKENS)];
    char expiration[64] = "";
    struct json j;
    code[0] = '\0';
    if (json_parse(&j, reply, words, TOKENS) != JSON_FINE)
        return false;
    if (member(&j, "Code", code, 64) && !view_is(view_of(code), "Success"))
        return false;
    member(&j, "Expiration", expiration, sizeof expiration);
    return member(&j, "AccessKeyId", k->id, sizeof k->id) &&
           member(&j, "SecretAccessKey", k->secret, sizeof k->secret) &&
           member(&j, "Token", k->token, sizeof k->token) &&
           set_expiry(k, expiration) && is_sound(k);
}

bool keys_of_xml(struct keys *k, struct view reply)
{
    char expiration[64] = "";
    struct view c;
    if (!xml_find(reply, "Credentials", &c))
        return false;
    xml_string(c, "Expiration", expiration, sizeof expiration);
    return xml_string(c, "AccessKeyId", k->id, sizeof k->id) &&
           xml_string(c, "SecretAccessKey", k->secret, sizeof k->secret) &&
           xml_string(c, "SessionToken", k->token, sizeof k->token) &&
           set_expiry(k, expiration) && is_sound(k);
}

/* Codes of STS. */
static bool may_pass(const char *code)
{
    static const char *const codes[] = {
        "ExpiredTokenException", "InvalidIdentityToken",
        "IDPCommunicationError", "Throttling", "ThrottlingException",
        "RequestExpired",
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (view_is(view_of(code), codes[i]))
            return true;
    return false;
}

bool keys_refusal(struct text *words, int32_t status, struct view error)
{
    char code[64], message[200];
    xml_string(error, "Code", code, sizeof code);
    xml_string(error, "Message", message, sizeof message);
    text_str(words, code[0] != '\0' ? code : "HTTP ");
    if (code[0] == '\0')
        text_i64(words, status);
    text_str(words, message[0] != '\0' ? ", \"" : "");
    text_str(words, message);
    text_str(words, message[0] != '\0' ? "\"" : "");
    return status >= 500 || status == 429 || status == 401 || may_pass(code);
}

static void field(struct text *body, const char *name, struct view value)
{
    text_char(body, '&');
    text_str(body, name);
    text_char(body, '=');
    text_percent(body, value, false);
}

bool keys_ask(struct text *body, const struct role *role,
              struct view web_token, int64_t wall_ms)
{
    char at[ROLE_SESSION_BYTES];
    struct text session;
    text_init(&session, at, sizeof at);
    text_str(&session, role->session);
    if (session.len == 0) {
        text_str(&session, "firn-");
        text_i64(&session, wall_ms / 1000);
    }
    text_str(body, web_token.len > 0 ? "Action=AssumeRoleWithWebIdentity"
                                     : "Action=AssumeRole");
    text_str(body, "&Version=2011-06-15");
    field(body, "RoleArn", view_of(role->arn));
    field(body, "RoleSessionName", text_view(&session));
    if (role->duration_s > 0) {
        text_str(body, "&DurationSeconds=");
        text_u64(body, role->duration_s);
    }
    if (role->external_id[0] != '\0')
        field(body, "ExternalId", view_of(role->external_id));
    if (web_token.len > 0)
        field(body, "WebIdentityToken", web_token);
    return !body->overflow;
}
