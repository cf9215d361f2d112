/* config.c - see config.h: which group is of which entry. */
#include "task/config.h"

#include "base/check.h"
#include "task/config_keys.h"
#include "task/schedule.h"

#define VIEWS(...) ((const struct view[]){__VA_ARGS__})

enum { ENTRY_TOKENS = 96 };  /* of one group's object; more is a mistake */

/* ---- names ---- */

static struct view piece_view(const struct config *c, struct config_piece p)
{
    return (struct view){(const uint8_t *)c->text + p.at, p.len};
}

static struct config_piece piece_of(const struct config *c, struct view v)
{
    struct config_piece p = {0, 0};
    if (v.len > 0)
        p = (struct config_piece){
            (uint16_t)((const char *)v.at - c->text), (uint16_t)v.len,
        };
    return p;
}

struct view config_name(const struct config *c, uint32_t entry)
{
    CHECK(entry < c->group_count + c->exclude_count);
    return piece_view(c, c->group[entry].name);
}

struct view config_role(const struct config *c, uint32_t entry)
{
    CHECK(entry < c->group_count);
    return piece_view(c, c->group[entry].role);
}

static bool is_pattern(struct view name)
{
    return view_find(name, '*') < name.len;
}

/* A * stands for any run of characters: on a mismatch the last one takes one
 * character more. */
static bool matches(struct view pattern, struct view name)
{
    uint32_t p = 0, n = 0, star = UINT32_MAX, from = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.at[p] == '*') {
            star = p++;
            from = n;
        } else if (p < pattern.len && pattern.at[p] == name.at[n]) {
            p++;
            n++;
        } else if (star != UINT32_MAX) {
            p = star + 1;
            n = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.at[p] == '*')
        p++;
    return p == pattern.len;
}

/* Does the first name a group more closely than the second? */
static bool is_closer(struct view a, struct view b)
{
    if (is_pattern(a) != is_pattern(b))
        return !is_pattern(a);
    return a.len > b.len;
}

int32_t config_find(const struct config *c, struct view group,
                    struct view role)
{
    int32_t best = CONFIG_NONE;
    uint32_t end = c->group_count + c->exclude_count;
    for (uint32_t i = c->group_count; i < end; i++)
        if (matches(config_name(c, i), group))
            return CONFIG_NONE;
    for (uint32_t i = 0; i < c->group_count; i++) {
        struct view name = config_name(c, i);
        if (view_equal(config_role(c, i), role) && matches(name, group) &&
            (best == CONFIG_NONE ||
             is_closer(name, config_name(c, (uint32_t)best))))
            best = (int32_t)i;
    }
    return best;
}

bool config_has(const struct config *c, struct view group)
{
    for (uint32_t i = 0; i < c->group_count; i++)
        if (config_find(c, group, config_role(c, i)) != CONFIG_NONE)
            return true;
    return false;
}

/* ---- reading ---- */

/* A name, or a pattern: it would be a name with something else for each *. */
static bool take_name(struct config_reader *r, int32_t node,
                      struct view *name)
{
    char plain[SPEC_GROUP_BYTES];
    struct fault own = {0};
    bool string = config_string(r, node, name);
    if (!string && r->fault->error == ERROR_NONE)
        (void)config_refuse(r, node, "a log group is a name in quotes, or an "
                            "object with a \"name\"", NULL);
    if (!string)
        return false;
    struct view v = *name;
    if (is_pattern(v) && v.len < sizeof plain) {
        for (uint32_t i = 0; i < v.len; i++)
            plain[i] = v.at[i] == '*' ? 'x' : (char)v.at[i];
        v.at = (const uint8_t *)plain;
    }
    if (plan_group(v, &own))
        return true;
    return config_refuse_as(r, node, &own);
}

/* An entry's own settings, over those of the file. */
static bool take_own(struct config_reader *r, struct config_piece object,
                     struct view *name)
{
    int32_t words[JSON_WORDS(ENTRY_TOKENS)];
    *r->out = r->c->settings;
    r->scope = CONFIG_OF_GROUP;
    if (json_parse(&r->json, piece_view(r->c, object), words,
                   ENTRY_TOKENS) != JSON_FINE)
        return config_refuse_at(r, object.at, "too much is said of one group",
                                NULL);
    if (!config_keys(r))
        return false;
    int32_t node = config_value(r, "name");
    if (node == JSON_NONE)
        return config_refuse(r, 0, "a group's \"name\" is missing", NULL);
    return take_name(r, node, name);
}

static struct view bare(struct view name)
{
    return view_slice(name, view_starts(name, "/"), name.len);
}

/* Is a name there already? Two that differ by the leading "/" alone would
 * share their keys. */
static bool is_known(const struct config *c, const struct config_group *g)
{
    struct view name = bare(piece_view(c, g->name));
    for (uint32_t i = 0; i < c->group_count; i++)
        if (view_equal(bare(config_name(c, i)), name) &&
            view_equal(config_role(c, i), piece_view(c, g->role)))
            return true;
    return false;
}

static bool holds(struct view v, const char *word)
{
    for (; v.len > 0; v = view_slice(v, 1, v.len))
        if (view_starts(v, word))
            return true;
    return false;
}

/* Without {account}, groups of two accounts may share their keys. What ends in
 * "/" gets it. */
static bool tells_accounts(const struct config *c,
                           const struct config_settings *s)
{
    return c->group_count == 0 || holds(s->to, "{account}") ||
           view_ends(s->to, "/") || !holds(s->to, "{") ||
           view_equal(config_role(c, 0), s->role_arn);
}

static bool take_entry(struct config_reader *r, int32_t node)
{
    struct config *c = r->c;
    struct config_group *g = &c->group[c->group_count];
    struct config_settings own = c->settings;
    struct config_reader inner = *r;
    struct view name;
    *g = (struct config_group){0};
    inner.out = &own;
    if (json_kind(&r->json, node) == JSON_OBJECT) {
        g->object = piece_of(c, json_raw(&r->json, node));
        if (!take_own(&inner, g->object, &name))
            return false;
    } else if (!take_name(r, node, &name)) {
        return false;
    }
    g->name = piece_of(c, name);
    g->role = piece_of(c, own.role_arn);
    if (is_known(c, g))
        return config_refuse(r, node, "\"%\" is there twice, or differs only "
                             "by its leading \"/\"", &name);
    if (!tells_accounts(c, &own))
        return config_refuse(r, node, "\"to\" does not tell accounts apart, "
                             "and \"role_arn\" may lead to another one; it "
                             "needs {account}", NULL);
    c->group_count++;
    return true;
}

static bool take_exclude(struct config_reader *r, int32_t node)
{
    struct config *c = r->c;
    struct view name;
    if (!take_name(r, node, &name))
        return false;
    c->group[c->group_count + c->exclude_count++] =
        (struct config_group){.name = piece_of(c, name)};
    return true;
}

static bool take_list(struct config_reader *r, const char *key)
{
    bool excluded = strcmp(key, "exclude") == 0;
    int32_t list = config_value(r, key);
    if (list == JSON_NONE)
        return true;
    if (json_kind(&r->json, list) != JSON_ARRAY)
        return config_refuse(r, list, "\"%\" takes a list: [\"/ecs/api\", "
                             "\"/aws/lambda/*\"]", VIEWS(view_of(key)));
    for (int32_t at = json_first(&r->json, list); at != JSON_NONE;
         at = json_next(&r->json, at)) {
        if (r->c->group_count + r->c->exclude_count == CFG_CONFIG_GROUPS) {
            fault_set(r->fault, ERROR_LIMIT, "CFG_CONFIG_GROUPS",
                      CFG_CONFIG_GROUPS);
            return false;
        }
        if (!(excluded ? take_exclude(r, at) : take_entry(r, at)))
            return false;
    }
    return true;
}

static bool parse(struct config_reader *r, struct span room)
{
    struct config *c = r->c;
    struct view text = {(const uint8_t *)c->text, c->len};
    CHECK((uintptr_t)room.at % _Alignof(int32_t) == 0);
    if (c->len >= 3 && memcmp(c->text, "\xef\xbb\xbf", 3) == 0)
        memset(c->text, ' ', 3);  /* a byte order mark */
    enum json_error error =
        json_parse(&r->json, text, (int32_t *)(void *)room.at,
                   room.len / (uint32_t)sizeof(int32_t) / JSON_WORDS(1));
    switch (error) {
    case JSON_FINE:    break;
    case JSON_MANY:    return config_refuse_at(r, r->json.offset, "too many "
                                               "values", NULL);
    case JSON_INVALID: return config_refuse_at(r, r->json.offset, "this is "
                                               "not JSON; look for a comma "
                                               "too many or too few", NULL);
    case JSON_CUT:     return config_refuse_at(r, c->len, "it ends too early; "
                                               "a quote or bracket is not "
                                               "closed", NULL);
    }
    if (json_kind(&r->json, 0) == JSON_OBJECT)
        return true;
    return config_refuse(r, 0, "a configuration is an object: {\"region\": "
                         "..., \"to\": ..., \"groups\": [...]}", NULL);
}

static bool has_all(struct config_reader *r)
{
    static const char *const wanted[] = {"region", "to", "groups"};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (config_value(r, wanted[i]) == JSON_NONE)
            return config_refuse(r, 0, "\"%\" is missing",
                                 VIEWS(view_of(wanted[i])));
    return true;
}

static bool check_schedule(struct config_reader *r)
{
    const struct config_settings *s = r->out;
    struct schedule schedule;
    struct fault own = {0};
    if (schedule_parse(&schedule, s->schedule, zone_find(s->timezone),
                       &own))
        return true;
    return config_refuse_as(r, config_value(r, "schedule"), &own);
}

bool config_read(struct config *c, struct view name, struct span room,
                 struct fault *fault)
{
    struct config_reader r = {
        .c = c, .name = name, .scope = CONFIG_OF_FILE, .out = &c->settings,
        .fault = fault,
    };
    CHECK(c->len <= sizeof c->text);
    c->group_count = c->exclude_count = 0;
    c->settings = (struct config_settings){
        .age_days = 1, .backfill_days = 30, .timezone = view_of("UTC"),
        .schedule = view_of("cron(0 3 * * ? *)"),
    };
    if (!parse(&r, room) || !config_keys(&r) || !has_all(&r) ||
        !check_schedule(&r) ||
        !take_list(&r, "groups") ||
        !take_list(&r, "exclude"))
        return false;
    if (c->group_count > 0)
        return true;
    return config_refuse(&r, config_value(&r, "groups"), "\"groups\" is "
                         "empty", NULL);
}

/* ---- using ---- */

void config_settings(struct config *c, uint32_t entry,
                     struct config_settings *out)
{
    struct fault fault = {0};
    struct config_reader r = {.c = c, .out = out, .fault = &fault};
    struct view name;
    CHECK(entry < c->group_count);
    *out = c->settings;
    if (c->group[entry].object.len > 0)
        CHECK(take_own(&r, c->group[entry].object, &name));
}

void config_spec(const struct config_settings *s, struct view group,
                 struct spec *spec)
{
    struct fault fault = {0};
    memset(spec, 0, sizeof *spec);
    CHECK(view_copy(group, spec->group, sizeof spec->group));
    CHECK(plan_to(spec, s->to, &fault));
    CHECK(view_copy(s->timezone, spec->timezone, sizeof spec->timezone));
    CHECK(view_copy(s->storage_class, spec->storage_class,
                    sizeof spec->storage_class));
    CHECK(view_copy(s->sse, spec->sse, sizeof spec->sse));
    CHECK(view_copy(s->sse_kms_key_id, spec->sse_kms_key_id,
                    sizeof spec->sse_kms_key_id));
    if (s->via == CONFIG_EXPORT)
        spec->source = SOURCE_EXPORT;
    spec->state = s->state;
    spec->format = (enum format)s->format;
    spec->compress = (enum compress)s->compress;
    spec->field_ingested = s->field_ingested;
    spec->field_id = s->field_id;
    spec->checksum = !s->no_checksum;
}
