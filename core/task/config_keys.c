/* config_keys.c - see config_keys.h. */
#include "task/config_keys.h"

#include "base/check.h"
#include "base/date.h"
#include "base/json.h"
#include "base/nearest.h"
#include "call/endpoint.h"
#include "call/keys.h"
#include "task/message.h"

#define VIEWS(...) ((const struct view[]){__VA_ARGS__})

enum { RATE_MOST = 10000 };

enum kind {
    KIND_TEXT,    /* any string */
    KIND_WORD,    /* one of `words`, as it stands */
    KIND_CHOICE,  /* one of `words`, as its place */
    KIND_NUMBER,  /* `least` to `most` */
    KIND_FLAG,
    KIND_DAY,     /* YYYY-MM-DD */
    KIND_ZONE,
    KIND_FIELDS,  /* "+ingested,+id" */
    KIND_PLACE,   /* s3://BUCKET/KEY, a template */
    KIND_PREFIX,  /* s3://BUCKET/PREFIX/ */
    KIND_REGION,
    KIND_ACCOUNT,
    KIND_ROLE,
    KIND_NAME,    /* of a group; read with its entry */
    KIND_NAMES,   /* groups, exclude; read on their own */
};

static const struct key {
    const char *name;
    enum kind   kind;
    uint16_t    at;          /* offset in struct config_settings */
    enum config_scope  scope;
    uint16_t    least, most;
    const char *words;       /* "a|b", or what it should look like */
} keys[] = {
#define AT(field) offsetof(struct config_settings, field)
    {"region", KIND_REGION, AT(region), CONFIG_OF_FILE, 0, 0, "eu-central-1"},
    {"to", KIND_PLACE, AT(to), CONFIG_OF_BOTH, 0, 0, "s3://BUCKET/"},
    {"groups", KIND_NAMES, 0, CONFIG_OF_FILE, 0, 0, NULL},
    {"name", KIND_NAME, 0, CONFIG_OF_GROUP, 0, 0, NULL},
    {"exclude", KIND_NAMES, 0, CONFIG_OF_FILE, 0, 0, NULL},
    {"since", KIND_DAY, AT(since), CONFIG_OF_BOTH, 0, 0, "2026-11-01"},
    {"age_days", KIND_NUMBER, AT(age_days), CONFIG_OF_BOTH, 1, CONFIG_DAYS_MOST,
     NULL},
    {"backfill_days", KIND_NUMBER, AT(backfill_days), CONFIG_OF_BOTH, 0,
     CONFIG_DAYS_MOST, NULL},
    {"timezone", KIND_ZONE, AT(timezone), CONFIG_OF_BOTH, 0, 0, "Asia/Seoul"},
    {"schedule", KIND_TEXT, AT(schedule), CONFIG_OF_FILE, 0, 0,
     "cron(0 3 * * ? *)"},
    {"format", KIND_CHOICE, AT(format), CONFIG_OF_BOTH, 0, 0, "ndjson|text"},
    {"compress", KIND_CHOICE, AT(compress), CONFIG_OF_BOTH, 0, 0,
     "gzip|zstd|none"},
    {"fields", KIND_FIELDS, 0, CONFIG_OF_BOTH, 0, 0, "+ingested,+id"},
    {"storage_class", KIND_WORD, AT(storage_class), CONFIG_OF_BOTH, 0, 0,
     "STANDARD|STANDARD_IA|ONEZONE_IA|INTELLIGENT_TIERING|GLACIER_IR|GLACIER|"
     "DEEP_ARCHIVE|REDUCED_REDUNDANCY"},
    {"sse", KIND_WORD, AT(sse), CONFIG_OF_BOTH, 0, 0,
     "AES256|aws:kms|aws:kms:dsse"},
    {"sse_kms_key_id", KIND_TEXT, AT(sse_kms_key_id), CONFIG_OF_BOTH, 0, 0,
     "arn:aws:kms:..."},
    {"retention_days", KIND_NUMBER, AT(retention_days), CONFIG_OF_BOTH, 1,
     CONFIG_DAYS_MOST, NULL},
    {"accept_provisional", KIND_FLAG, AT(accept_provisional), CONFIG_OF_BOTH,
     0, 0, NULL},
    {"bucket_owner", KIND_ACCOUNT, AT(bucket_owner), CONFIG_OF_BOTH, 0, 0,
     "111122223333"},
    {"state", KIND_PREFIX, AT(state), CONFIG_OF_FILE, 0, 0,
     "s3://BUCKET/PREFIX/"},
    {"rate", KIND_NUMBER, AT(rate), CONFIG_OF_FILE, 1, RATE_MOST, NULL},
    {"via", KIND_CHOICE, AT(via), CONFIG_OF_BOTH, 0, 0, "read|export"},
    {"role_arn", KIND_ROLE, AT(role_arn), CONFIG_OF_BOTH, 0, 0,
     "arn:aws:iam::111122223333:role/NAME"},
    {"checksum", KIND_CHOICE, AT(no_checksum), CONFIG_OF_BOTH, 0, 0,
     "crc64nvme|none"},
#undef AT
};
enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

_Static_assert(KEY_COUNT <= 32, "keys seen are bits");

_Static_assert((int)KEY_COUNT == (int)CONFIG_KEYS, "a node for each");

/* ---- refusing ---- */

/* "firn.json:3:9: " and the sentence. */
bool config_refuse_at(struct config_reader *r, uint32_t at, const char *pattern,
                      const struct view *parts)
{
    struct fault own = {0};
    char words[FAULT_WORDS_BYTES];
    struct text t;
    uint32_t line = 1, column = 1;
    CHECK(at <= r->c->len);
    for (uint32_t i = 0; i < at; i++) {
        uint8_t byte = (uint8_t)r->c->text[i];
        column = byte == '\n' ? 1 : column + ((byte & 0xc0) != 0x80);
        line += byte == '\n';
    }
    message_refuse(&own, ERROR_CONFIG, pattern, parts);
    text_init(&t, words, sizeof words);
    message_escape(&t, r->name);
    text_char(&t, ':');
    text_u64(&t, line);
    text_char(&t, ':');
    text_u64(&t, column);
    text_str(&t, ": ");
    struct view said = view_of(own.words);
    uint32_t room = t.capacity - 1 - t.len;
    text_put(&t, view_slice(said, 0, said.len < room ? said.len : room));
    fault_set(r->fault, ERROR_CONFIG, "", 0);
    fault_words(r->fault, text_view(&t));
    return false;
}

static uint32_t place_of(const struct config_reader *r, int32_t node)
{
    return (uint32_t)((const char *)json_raw(&r->json, node).at -
                      r->c->text);
}

bool config_refuse(struct config_reader *r, int32_t node, const char *pattern,
                   const struct view *parts)
{
    return config_refuse_at(r, place_of(r, node), pattern, parts);
}

/* The same with a sentence that another made. */
bool config_refuse_as(struct config_reader *r, int32_t node,
                      const struct fault *other)
{
    return config_refuse(r, node, "%", VIEWS(view_of(other->words)));
}

/* "age_days" takes ..., not ... */
static bool refuse_value(struct config_reader *r, const struct key *k,
                         int32_t node, struct view wanted)
{
    struct view is = json_raw(&r->json, node);
    if (is.len > 60)
        is.len = 60;
    bool string = json_kind(&r->json, node) == JSON_STRING;
    return config_refuse(r, node, string ? "\"%\" takes %, not \"%\""
                                         : "\"%\" takes %, not %",
                  VIEWS(view_of(k->name), wanted, is));
}

static bool refuse_key(struct config_reader *r, int32_t node, struct view name)
{
    struct nearest n;
    nearest_init(&n, name);
    for (uint32_t i = 0; i < KEY_COUNT; i++)
        if ((keys[i].scope & r->scope) != 0)
            nearest_offer(&n, keys[i].name, keys[i].name);
    for (uint32_t i = 0; i < KEY_COUNT; i++)
        if (view_is(name, keys[i].name))
            return config_refuse(r, node, r->scope == CONFIG_OF_GROUP
                          ? "\"%\" is of the whole configuration, not of a "
                            "group"
                          : "\"%\" is of a group, not of the whole "
                            "configuration", &name);
    return config_refuse(r, node, n.best != NULL
                         ? "no key \"%\"; nearest: \"%\""
                         : "no key \"%\"",
                  VIEWS(name, view_of(n.best)));
}

/* ---- values ---- */

/* A string; one with escapes is written over by what it stands for, and
 * blanks, so that a second reading finds the same. */
bool config_string(struct config_reader *r, int32_t node, struct view *out)
{
    char bytes[SPEC_KEY_BYTES * 2];
    struct text t;
    *out = json_raw(&r->json, node);
    if (json_kind(&r->json, node) != JSON_STRING)
        return false;
    bool escaped = view_find(*out, '\\') < out->len;
    text_init(&t, bytes, sizeof bytes);
    if (!json_text(&r->json, node, &t))
        return config_refuse(r, node, "a string that is too long, or not JSON",
                      NULL);
    struct view v = text_view(&t);
    for (uint32_t i = 0; i < v.len; i++)
        if (v.at[i] < 0x20 || v.at[i] == 0x7f || v.at[i] == '"' ||
            v.at[i] == '\\')
            return config_refuse(r, node, "quotes, backslashes and control "
                          "characters cannot be in it", NULL);
    if (!escaped)
        return true;
    char *at = &r->c->text[place_of(r, node)];
    memcpy(at, v.at, v.len);
    at[v.len] = '"';
    memset(at + v.len + 1, ' ', out->len - v.len);
    out->len = v.len;
    return true;
}

static bool choose(const char *words, struct view v, uint32_t *place)
{
    struct view rest = view_of(words);
    for (*place = 0; rest.len > 0; ++*place)
        if (view_equal(view_split(&rest, '|'), v))
            return true;
    return false;
}

static bool take_fields(struct config_settings *s, struct view v)
{
    s->field_ingested = s->field_id = false;
    while (v.len > 0) {
        struct view word = view_split(&v, ',');
        s->field_ingested |= view_is(word, "+ingested");
        s->field_id |= view_is(word, "+id");
        if (!view_is(word, "+ingested") && !view_is(word, "+id"))
            return false;
    }
    return true;
}

static bool take_place(struct config_reader *r, int32_t node, struct view v)
{
    struct fault own = {0};
    if (plan_many(v, &own))
        return true;
    return config_refuse_as(r, node, &own);
}

static bool take_prefix(struct config_reader *r, int32_t node, struct view v)
{
    struct fault own = {0};
    struct view bucket, prefix;
    if (!plan_url(v, &bucket, &prefix, &own))
        return config_refuse_as(r, node, &own);
    if (prefix.len == 0 || view_ends(prefix, "/"))
        return true;
    return config_refuse(r, node, "\"%\" is no prefix; those end in \"/\": "
                  "s3://BUCKET/PREFIX/", &v);
}

static bool take_zone(struct config_reader *r, int32_t node, struct view v)
{
    const char *near = zone_nearest(v);
    if (zone_find(v) != NULL)
        return true;
    return config_refuse(r, node, near != NULL
                  ? "no time zone \"%\" in tzdata %; nearest: \"%\""
                  : "no time zone \"%\" in tzdata %",
                  VIEWS(v, view_of(zone_version), view_of(near)));
}

static bool is_role(struct view v)
{
    struct view rest = v;
    for (int i = 0; i < 5; i++)  /* arn:aws:iam::111122223333: */
        (void)view_split(&rest, ':');
    return view_starts(v, "arn:") && view_starts(rest, "role/") &&
           v.len < ROLE_ARN_BYTES && view_find(v, ' ') == v.len;
}

static bool is_account(struct view v)
{
    uint64_t account;
    return v.len == 12 && view_u64(v, UINT64_MAX, &account);
}

/* Is a string what its key takes? Some say themselves why it is not. */
static bool suits(struct config_reader *r, const struct key *k, int32_t node,
                  struct view v)
{
    uint32_t place;
    int64_t day;
    enum kind kind = k->kind;
    return kind == KIND_WORD || kind == KIND_CHOICE
                                   ? choose(k->words, v, &place)
           : kind == KIND_DAY      ? date_parse_day(v, &day)
           : kind == KIND_REGION   ? endpoint_region_ok(v)
           : kind == KIND_FIELDS   ? take_fields(r->out, v)
           : kind == KIND_ROLE     ? is_role(v)
           : kind == KIND_ACCOUNT  ? is_account(v)
           : kind == KIND_ZONE     ? v.len < SPEC_ZONE_BYTES &&
                                         take_zone(r, node, v)
           : kind == KIND_PLACE    ? take_place(r, node, v)
           : kind == KIND_PREFIX   ? take_prefix(r, node, v)
                                   : v.len > 0;  /* KIND_TEXT */
}

static bool take_text(struct config_reader *r, const struct key *k,
                      int32_t node)
{
    uint8_t *field = (uint8_t *)r->out + k->at;
    struct view v;
    uint32_t place;
    bool ok = config_string(r, node, &v) && suits(r, k, node, v);
    if (!ok && r->fault->error == ERROR_NONE)
        (void)refuse_value(r, k, node, view_of(k->words));
    if (!ok)
        return false;
    if (k->kind == KIND_CHOICE) {
        CHECK(choose(k->words, v, &place));
        memcpy(field, &place, sizeof place);
    } else if (k->kind != KIND_FIELDS) {
        memcpy(field, &v, sizeof v);
    }
    return true;
}

static bool take_number(struct config_reader *r, const struct key *k,
                        int32_t node)
{
    char bytes[64];
    struct text t;
    struct fault own = {0};
    int64_t number = 0;
    text_init(&t, bytes, sizeof bytes);
    text_str(&t, "a whole number from ");
    text_u64(&t, k->least);
    text_str(&t, " to ");
    text_u64(&t, k->most);
    if (!json_i64(&r->json, node, &number) || number < k->least ||
        number > k->most)
        return refuse_value(r, k, node, text_view(&t));
    uint32_t value = (uint32_t)number;
    if (view_is(view_of(k->name), "retention_days") &&
        !plan_retention(value, &own))
        return config_refuse_as(r, node, &own);
    memcpy((uint8_t *)r->out + k->at, &value, sizeof value);
    return true;
}

static bool take_flag(struct config_reader *r, const struct key *k,
                      int32_t node)
{
    bool value;
    if (!json_bool(&r->json, node, &value))
        return refuse_value(r, k, node, view_of("true or false"));
    memcpy((uint8_t *)r->out + k->at, &value, sizeof value);
    return true;
}

/* ---- objects ---- */

static bool is_remark(struct view name)
{
    return view_starts(name, "//") || view_is(name, "$schema");
}

static bool take_member(struct config_reader *r, int32_t at)
{
    struct view name = json_raw(&r->json, at);
    int32_t value = json_value(&r->json, at);
    uint32_t i = 0;
    if (is_remark(name))
        return true;
    while (i < KEY_COUNT && ((keys[i].scope & r->scope) == 0 ||
                             !view_is(name, keys[i].name)))
        i++;
    if (i == KEY_COUNT)
        return refuse_key(r, at, name);
    if (r->value[i] != JSON_NONE)
        return config_refuse(r, at, "\"%\" is there twice", &name);
    r->value[i] = value;
    switch (keys[i].kind) {
    case KIND_NAME:
    case KIND_NAMES:  return true;
    case KIND_NUMBER: return take_number(r, &keys[i], value);
    case KIND_FLAG:   return take_flag(r, &keys[i], value);
    case KIND_TEXT: case KIND_WORD: case KIND_CHOICE: case KIND_DAY:
    case KIND_ZONE: case KIND_FIELDS: case KIND_PLACE: case KIND_PREFIX:
    case KIND_REGION: case KIND_ACCOUNT: case KIND_ROLE: break;
    }
    return take_text(r, &keys[i], value);
}

/* What only shows when all of it is known. */
static bool makes_sense(struct config_reader *r)
{
    const struct config_settings *s = r->out;
    bool kms = view_starts(s->sse, "aws:kms");
    if (s->format == FORMAT_TEXT && (s->field_ingested || s->field_id))
        return config_refuse(r, 0, "\"fields\" needs \"format\": \"ndjson\"; "
                             "text has no room for them", NULL);
    if (s->sse_kms_key_id.len > 0 && !kms)
        return config_refuse(r, 0, "\"sse_kms_key_id\" needs \"sse\": "
                             "\"aws:kms\" beside it", NULL);
    if (s->sse_kms_key_id.len < sizeof ((struct spec *)0)->sse_kms_key_id)
        return true;
    return config_refuse(r, 0, "\"sse_kms_key_id\" is too long", NULL);
}

bool config_keys(struct config_reader *r)
{
    for (uint32_t i = 0; i < KEY_COUNT; i++)
        r->value[i] = JSON_NONE;
    for (int32_t at = json_first(&r->json, 0); at != JSON_NONE;
         at = json_next(&r->json, at))
        if (!take_member(r, at))
            return false;
    return makes_sense(r);
}

int32_t config_value(const struct config_reader *r, const char *name)
{
    uint32_t i = 0;
    while (strcmp(keys[i].name, name) != 0) {
        i++;
        CHECK(i < KEY_COUNT);
    }
    return r->value[i];
}

