/* settings.c - see settings.h. */
#include "call/settings.h"

#include "call/files.h"

const char *const setting_name[SETTING_COUNT] = {
    [SETTING_HOME] = "HOME",
    [SETTING_PROFILE] = "AWS_PROFILE",
    [SETTING_DEFAULT_PROFILE] = "AWS_DEFAULT_PROFILE",
    [SETTING_CONFIG_FILE] = "AWS_CONFIG_FILE",
    [SETTING_CREDENTIALS_FILE] = "AWS_SHARED_CREDENTIALS_FILE",
    [SETTING_REGION] = "AWS_REGION",
    [SETTING_DEFAULT_REGION] = "AWS_DEFAULT_REGION",
    [SETTING_ENDPOINT] = "AWS_ENDPOINT_URL",
    [SETTING_ENDPOINT_LOGS] = "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    [SETTING_ENDPOINT_S3] = "AWS_ENDPOINT_URL_S3",
    [SETTING_ENDPOINT_STS] = "AWS_ENDPOINT_URL_STS",
    [SETTING_IGNORE_ENDPOINTS] = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    [SETTING_FIPS] = "AWS_USE_FIPS_ENDPOINT",
    [SETTING_DUALSTACK] = "AWS_USE_DUALSTACK_ENDPOINT",
    [SETTING_CA_BUNDLE] = "AWS_CA_BUNDLE",
    [SETTING_KEY_ID] = "AWS_ACCESS_KEY_ID",
    [SETTING_SECRET] = "AWS_SECRET_ACCESS_KEY",
    [SETTING_SESSION_TOKEN] = "AWS_SESSION_TOKEN",
    [SETTING_ROLE_ARN] = "AWS_ROLE_ARN",
    [SETTING_ROLE_SESSION] = "AWS_ROLE_SESSION_NAME",
    [SETTING_WEB_TOKEN_FILE] = "AWS_WEB_IDENTITY_TOKEN_FILE",
    [SETTING_CONTAINER_RELATIVE] = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    [SETTING_CONTAINER_FULL] = "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    [SETTING_CONTAINER_TOKEN_FILE] =
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    [SETTING_CONTAINER_TOKEN] = "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    [SETTING_IMDS_DISABLED] = "AWS_EC2_METADATA_DISABLED",
    [SETTING_IMDS_ENDPOINT] = "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    [SETTING_IMDS_MODE] = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
};

/* A walk over the lines of one file. As in Python's configparser, a line that
 * is indented deeper than the key above it belongs to that key. */
struct ini {
    struct view rest;
    uint32_t    line;      /* number of the one just read */
    struct view section;   /* inside the brackets; empty before the first */
    struct view parent;    /* the key above, if it had no value */
    uint32_t    indent;    /* of the key above */
    bool        has_key;   /* there is a key above in this section */
    struct view key, value;
};

enum ini_line { INI_END, INI_SECTION, INI_PAIR, INI_NESTED, INI_NOTHING,
                INI_BAD };

static struct ini ini_of(struct view text)
{
    bool mark = view_starts(text, "\xef\xbb\xbf");
    return (struct ini){.rest = view_slice(text, mark ? 3 : 0, text.len)};
}

static enum ini_line section_line(struct ini *i, struct view line)
{
    uint32_t end = view_find(line, ']');
    struct view after = view_trim(view_slice(line, end, line.len));
    bool note = view_starts(after, "] #") || view_starts(after, "] ;");
    if (after.len == 0 || (after.len > 1 && !note))
        return INI_BAD;
    i->section = view_trim(view_slice(line, 1, end));
    i->has_key = false;
    i->parent = (struct view){0};
    return i->section.len > 0 ? INI_SECTION : INI_BAD;
}

static enum ini_line ini_next(struct ini *i)
{
    if (i->rest.len == 0)
        return INI_END;
    struct view whole = view_split(&i->rest, '\n');
    struct view line = view_trim(whole);
    i->line++;
    if (line.len == 0 || line.at[0] == '#' || line.at[0] == ';')
        return INI_NOTHING;
    uint32_t indent = (uint32_t)(line.at - whole.at);
    bool nested = i->has_key && indent > i->indent;
    if (line.at[0] == '[' && !nested)
        return section_line(i, line);
    bool pair = view_find(line, '=') < line.len;
    i->value = line;
    i->key = view_trim(view_split(&i->value, '='));
    i->value = view_trim(i->value);
    if (nested)
        return pair && i->parent.len > 0 ? INI_NESTED : INI_NOTHING;
    if (!pair || i->key.len == 0 || i->section.len == 0)
        return INI_BAD;
    i->has_key = true;
    i->indent = indent;
    i->parent = i->value.len == 0 ? i->key : (struct view){0};
    return INI_PAIR;
}

/* Whether a section is "TYPE name", the name perhaps in quotes. */
static bool section_is(struct view section, const char *type,
                       struct view name)
{
    uint32_t len = (uint32_t)strlen(type);
    if (!view_starts(section, type) || section.len <= len ||
        (section.at[len] != ' ' && section.at[len] != '\t'))
        return false;
    struct view rest = view_trim(view_slice(section, len, section.len));
    bool quoted = rest.len >= 2 && rest.at[0] == rest.at[rest.len - 1] &&
                  (rest.at[0] == '"' || rest.at[0] == '\'');
    return view_equal(quoted ? view_slice(rest, 1, rest.len - 1) : rest,
                      name);
}

static bool config_section_is(struct view section, struct view profile)
{
    return section_is(section, "profile", profile) ||
           (view_is(profile, "default") && view_is(section, "default"));
}

static bool key_is(struct view key, const char *name)
{
    return view_is_nocase(key, name);
}

static bool put_path(struct text *path, const struct settings *s,
                     enum setting setting, const char *fallback)
{
    struct view given = s->env[setting], home = s->env[SETTING_HOME];
    bool tilde = view_starts(given, "~/");
    if ((given.len == 0 || tilde) && home.len == 0)
        return false;
    if (given.len == 0 || tilde)
        text_put(path, home);
    if (given.len == 0)
        text_str(path, fallback);
    else
        text_put(path, view_slice(given, tilde ? 1 : 0, given.len));
    return true;
}

static void refuse(struct fault *fault, const char *path, const char *words,
                   uint32_t line)
{
    char at[FAULT_WORDS_BYTES];
    struct text t;
    text_init(&t, at, sizeof at);
    text_str(&t, path);
    if (line > 0) {
        text_str(&t, " line ");
        text_u64(&t, line);
    }
    text_str(&t, words);
    fault_set(fault, ERROR_CONFIG, "", 0);
    fault_words(fault, text_view(&t));
}

/* Reads one file into the front of *room, which shrinks by it. */
static enum file_result read_one(const char *path, struct span *room,
                                 struct view *text, struct fault *fault)
{
    uint32_t len = 0;
    enum file_result result = file_read(path, *room, &len);
    switch (result) {
    case FILE_READ:
    case FILE_EXPOSED:
        break;
    case FILE_MISSING:
        return result;
    case FILE_UNREADABLE:
        refuse(fault, path, " cannot be read", 0);
        return result;
    case FILE_LONG:
        refuse(fault, path, " is too long", 0);
        return result;
    }
    CHECK(len <= room->len);
    *text = (struct view){room->at, len};
    *room = (struct span){room->at + len, room->len - len};
    return result;
}

static bool check_lines(const char *path, struct view text,
                        struct fault *fault)
{
    struct ini i = ini_of(text);
    enum ini_line kind;
    while ((kind = ini_next(&i)) != INI_END)
        if (kind == INI_BAD) {
            refuse(fault, path, " is neither [section] nor key = value",
                   i.line);
            return false;
        }
    return true;
}

bool settings_read(struct settings *s, struct span room, struct fault *fault)
{
    const struct {
        enum setting setting;
        const char  *fallback;
        struct view *text;
    } files[] = {
        {SETTING_CONFIG_FILE, "/.aws/config", &s->config},
        {SETTING_CREDENTIALS_FILE, "/.aws/credentials", &s->credentials},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char at[1024];
        struct text path;
        text_init(&path, at, sizeof at);
        *files[i].text = (struct view){0};
        s->exposed = false;
        if (!put_path(&path, s, files[i].setting, files[i].fallback))
            continue;
        if (path.overflow) {
            refuse(fault, setting_name[files[i].setting], " is too long", 0);
            return false;
        }
        enum file_result got = read_one(at, &room, files[i].text, fault);
        s->exposed = got == FILE_EXPOSED;
        if (got == FILE_UNREADABLE || got == FILE_LONG ||
            !check_lines(at, *files[i].text, fault))
            return false;
    }
    return true;
}

struct view settings_profile(const struct settings *s)
{
    if (s->profile_option.len > 0)
        return s->profile_option;
    if (s->env[SETTING_PROFILE].len > 0)
        return s->env[SETTING_PROFILE];
    if (s->env[SETTING_DEFAULT_PROFILE].len > 0)
        return s->env[SETTING_DEFAULT_PROFILE];
    return view_of("default");
}

bool settings_has_profile(const struct settings *s, struct view profile)
{
    struct ini i = ini_of(s->config);
    enum ini_line kind;
    while ((kind = ini_next(&i)) != INI_END)
        if (kind == INI_SECTION && config_section_is(i.section, profile))
            return true;
    i = ini_of(s->credentials);
    while ((kind = ini_next(&i)) != INI_END)
        if (kind == INI_SECTION && view_equal(i.section, profile))
            return true;
    return false;
}

struct view settings_value(const struct settings *s, struct view profile,
                           const char *key)
{
    struct view found = {0};
    struct ini i = ini_of(s->config);
    enum ini_line kind;
    while ((kind = ini_next(&i)) != INI_END)
        if (kind == INI_PAIR && config_section_is(i.section, profile) &&
            key_is(i.key, key))
            found = i.value;
    i = ini_of(s->credentials);
    while ((kind = ini_next(&i)) != INI_END)
        if (kind == INI_PAIR && view_equal(i.section, profile) &&
            key_is(i.key, key))
            found = i.value;
    return found;
}

struct view settings_either(const struct settings *s, enum setting setting,
                            const char *key)
{
    struct view v = view_trim(s->env[setting]);
    return v.len > 0 ? v : settings_value(s, settings_profile(s), key);
}

bool settings_true(const struct settings *s, enum setting setting,
                   const char *key)
{
    return view_is_nocase(settings_either(s, setting, key), "true");
}

struct view settings_endpoint(const struct settings *s, const char *service)
{
    struct view profile = settings_profile(s), found = {0};
    struct view services = settings_value(s, profile, "services");
    struct ini i = ini_of(s->config);
    enum ini_line kind;
    while (services.len > 0 && (kind = ini_next(&i)) != INI_END)
        if (kind == INI_NESTED && key_is(i.parent, service) &&
            key_is(i.key, "endpoint_url") &&
            section_is(i.section, "services", services))
            found = i.value;
    return found.len > 0 ? found
                         : settings_value(s, profile, "endpoint_url");
}
