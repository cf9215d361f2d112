/* provider.c - see provider.h. */
#include "call/provider.h"

struct choice {
    struct credentials    *c;
    const struct settings *s;
    struct fault          *fault;
};

/* Whether a provider is in force, is not configured, or must be refused. */
enum found { FOUND_NOT, FOUND, FOUND_BAD };

/* `before "name" after`, as a fault. */
static enum found refuse(const struct choice *k, enum error error,
                         const char *const words[], uint32_t count)
{
    char at[FAULT_WORDS_BYTES];
    struct text t;
    text_init(&t, at, sizeof at);
    for (uint32_t i = 0; i < count; i++)
        text_str(&t, words[i]);
    fault_set(k->fault, error, "", 0);
    fault_words(k->fault, text_view(&t));
    return FOUND_BAD;
}

/* A profile's name for a sentence. */
struct name {
    char at[96];
};

static struct name name_of(struct view profile)
{
    struct name n;
    struct text t;
    text_init(&t, n.at, sizeof n.at);
    text_put(&t, view_slice(profile, 0, profile.len < 80 ? profile.len : 80));
    return n;
}

static enum found refuse_profile(const struct choice *k, enum error error,
                                 struct view profile, const char *why)
{
    struct name n = name_of(profile);
    const char *words[] = {"profile \"", n.at, "\" ", why};
    return refuse(k, error, words, sizeof words / sizeof words[0]);
}

/* Kinds of profile that only the AWS CLI can turn into keys. */
static enum found refuse_export(const struct choice *k, struct view profile,
                                const char *why)
{
    struct name n = name_of(profile);
    const char *words[] = {
        "profile \"", n.at, "\" ", why,
        ". Run: eval \"$(aws configure export-credentials --profile ", n.at,
        " --format env)\"",
    };
    return refuse(k, ERROR_DENIED, words, sizeof words / sizeof words[0]);
}

static struct view value(const struct choice *k, struct view profile,
                         const char *key)
{
    return settings_value(k->s, profile, key);
}

static enum found from_environment(const struct choice *k)
{
    struct view id = view_trim(k->s->env[SETTING_KEY_ID]);
    struct view secret = view_trim(k->s->env[SETTING_SECRET]);
    struct view token = view_trim(k->s->env[SETTING_SESSION_TOKEN]);
    if (id.len == 0 || secret.len == 0)
        return FOUND_NOT;
    k->c->provider = PROVIDER_ENVIRONMENT;
    if (keys_set(&k->c->base, id, secret, token))
        return FOUND;
    const char *words[] = {
        token.len >= CFG_SESSION_BYTES
            ? "AWS_SESSION_TOKEN is longer than CFG_SESSION_BYTES"
            : "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or "
              "AWS_SESSION_TOKEN is not what AWS gives out",
    };
    return refuse(k, token.len >= CFG_SESSION_BYTES ? ERROR_LIMIT
                                                    : ERROR_DENIED,
                  words, 1);
}

static enum found from_keys(const struct choice *k, struct view profile)
{
    struct view id = value(k, profile, "aws_access_key_id");
    struct view secret = value(k, profile, "aws_secret_access_key");
    struct view token = value(k, profile, "aws_session_token");
    if (id.len == 0 && secret.len == 0)
        return FOUND_NOT;
    if (id.len == 0 || secret.len == 0)
        return refuse_profile(k, ERROR_CONFIG, profile,
                              "has only one of aws_access_key_id and "
                              "aws_secret_access_key");
    k->c->provider = PROVIDER_PROFILE;
    return keys_set(&k->c->base, id, secret, token)
               ? FOUND
               : refuse_profile(k, ERROR_DENIED, profile,
                                "has keys that are not what AWS gives out, "
                                "or longer than CFG_SESSION_BYTES");
}

static enum found from_container(const struct choice *k);
static enum found from_instance(const struct choice *k);

/* A role's parameters as a profile names them. */
static enum found read_role(const struct choice *k, struct view profile,
                            struct role *role)
{
    uint64_t seconds = 0;
    struct view duration = value(k, profile, "duration_seconds");
    *role = (struct role){0};
    if (value(k, profile, "mfa_serial").len > 0)
        return refuse_export(k, profile, "asks for an MFA code");
    if (duration.len > 0 && !view_u64(duration, 43200, &seconds))
        return refuse_profile(k, ERROR_CONFIG, profile,
                              "has a duration_seconds that is none");
    role->duration_s = (uint32_t)seconds;
    if (!view_copy(value(k, profile, "role_arn"), role->arn,
                   sizeof role->arn) ||
        !view_copy(value(k, profile, "external_id"), role->external_id,
                   sizeof role->external_id) ||
        !view_copy(value(k, profile, "role_session_name"), role->session,
                   sizeof role->session))
        return refuse_profile(k, ERROR_CONFIG, profile,
                              "has a role_arn, external_id or "
                              "role_session_name that is too long");
    return FOUND;
}

static enum found from_web(const struct choice *k, struct view profile,
                           struct view file)
{
    k->c->provider = PROVIDER_WEB_IDENTITY;
    if (!view_copy(file, k->c->token_file, sizeof k->c->token_file))
        return refuse_profile(k, ERROR_CONFIG, profile,
                              "has too long a web_identity_token_file");
    return read_role(k, profile, &k->c->web);
}

static enum found from_source(const struct choice *k, struct view profile)
{
    struct view source = value(k, profile, "credential_source");
    enum found found = FOUND_NOT;
    if (view_is(source, "Ec2InstanceMetadata"))
        found = from_instance(k);
    else if (view_is(source, "EcsContainer"))
        found = from_container(k);
    else if (view_is(source, "Environment"))
        found = from_environment(k);
    if (found != FOUND_NOT)
        return found;
    return refuse_profile(k, ERROR_CONFIG, profile,
                          "names a credential_source that gives nothing");
}

/* What a profile has besides a role that leads elsewhere. */
static enum found from_profile(const struct choice *k, struct view profile)
{
    struct view file = value(k, profile, "web_identity_token_file");
    if (file.len > 0 && value(k, profile, "role_arn").len > 0)
        return from_web(k, profile, file);
    if (value(k, profile, "sso_session").len > 0 ||
        value(k, profile, "sso_start_url").len > 0)
        return refuse_export(k, profile, "uses IAM Identity Center");
    enum found found = from_keys(k, profile);
    if (found != FOUND_NOT)
        return found;
    if (value(k, profile, "credential_process").len > 0)
        return refuse_export(k, profile, "runs a credential_process, and "
                                         "firn starts no other program");
    if (value(k, profile, "login_session").len > 0)
        return refuse_export(k, profile, "uses aws login");
    return FOUND_NOT;
}

/* Follows role_arn and source_profile from profile to profile; the roles are
 * assumed in the opposite order. */
static enum found from_roles(const struct choice *k, struct view profile)
{
    struct credentials *c = k->c;
    struct role role;
    while (c->role_count < ROLE_COUNT) {
        struct view next = value(k, profile, "source_profile");
        bool source = value(k, profile, "credential_source").len > 0;
        enum found found = read_role(k, profile, &role);
        if (found == FOUND_BAD)
            return found;
        for (uint32_t i = c->role_count; i > 0; i--)
            c->roles[i] = c->roles[i - 1];
        c->roles[0] = role;
        c->role_count++;
        if (source == (next.len > 0))
            return refuse_profile(k, ERROR_CONFIG, profile,
                                  "needs one of source_profile and "
                                  "credential_source beside its role_arn");
        if (source)
            return from_source(k, profile);
        if (!settings_has_profile(k->s, next))
            return refuse_profile(k, ERROR_CONFIG, profile,
                                  "names a source_profile that is missing");
        bool itself = view_equal(next, profile);
        found = from_profile(k, next);
        if (found != FOUND_NOT)
            return found;
        if (itself || value(k, next, "role_arn").len == 0)
            return refuse_profile(k, ERROR_CONFIG, next, "is named as a "
                                  "source_profile and has no credentials");
        profile = next;
    }
    return refuse_profile(k, ERROR_CONFIG, profile,
                          "is one of a row of source_profiles that leads "
                          "back to itself, or is too long");
}

static enum found from_web_environment(const struct choice *k)
{
    struct view file = view_trim(k->s->env[SETTING_WEB_TOKEN_FILE]);
    struct view arn = view_trim(k->s->env[SETTING_ROLE_ARN]);
    struct view session = view_trim(k->s->env[SETTING_ROLE_SESSION]);
    struct role *web = &k->c->web;
    if (k->s->profile_option.len > 0 || file.len == 0)
        return FOUND_NOT;
    k->c->provider = PROVIDER_WEB_IDENTITY;
    *web = (struct role){0};
    if (arn.len > 0 && view_copy(arn, web->arn, sizeof web->arn) &&
        view_copy(session, web->session, sizeof web->session) &&
        view_copy(file, k->c->token_file, sizeof k->c->token_file))
        return FOUND;
    const char *words[] = {
        "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not, or one "
        "of them is too long",
    };
    return refuse(k, ERROR_CONFIG, words, 1);
}

/* Printable, without blanks; the authority has no user. */
static bool url_ok(struct view url, uint32_t authority_from)
{
    struct view rest = view_slice(url, authority_from, url.len);
    struct view authority = view_split(&rest, '/');
    for (uint32_t i = 0; i < url.len; i++)
        if (url.at[i] <= ' ' || url.at[i] >= 0x7f || url.at[i] == '#')
            return false;
    return authority.len > 0 &&
           view_find(authority, '@') == authority.len &&
           view_find(authority, '?') == authority.len;
}

/* Hosts that may be asked for credentials in clear. */
static bool is_metadata_host(struct view url)
{
    static const char *const host[] = {
        "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]",
        "169.254.169.254", "[fd00:ec2::254]",
    };
    struct view rest = view_slice(url, 7, url.len);
    struct view authority = view_split(&rest, '/');
    if (endpoint_is_loopback(authority))
        return true;
    for (size_t i = 0; i < sizeof host / sizeof host[0]; i++) {
        uint32_t len = (uint32_t)strlen(host[i]);
        if (view_starts(authority, host[i]) &&
            (authority.len == len || authority.at[len] == ':'))
            return true;
    }
    return false;
}

static bool metadata_url_ok(struct view url)
{
    if (view_starts(url, "https://"))
        return url_ok(url, 8);
    return view_starts(url, "http://") && url_ok(url, 7) &&
           is_metadata_host(url);
}

static enum found from_container(const struct choice *k)
{
    struct view relative = view_trim(k->s->env[SETTING_CONTAINER_RELATIVE]);
    struct view full = view_trim(k->s->env[SETTING_CONTAINER_FULL]);
    struct view file = view_trim(k->s->env[SETTING_CONTAINER_TOKEN_FILE]);
    struct credentials *c = k->c;
    struct text url;
    if (relative.len == 0 && full.len == 0)
        return FOUND_NOT;
    c->provider = PROVIDER_CONTAINER;
    c->container_token = view_trim(k->s->env[SETTING_CONTAINER_TOKEN]);
    text_init(&url, c->container_url, sizeof c->container_url);
    text_str(&url, relative.len > 0 ? "http://169.254.170.2" : "");
    text_put(&url, relative.len > 0 ? relative : full);
    bool slash = relative.len == 0 || view_starts(relative, "/");
    if (slash && !url.overflow && metadata_url_ok(text_view(&url)) &&
        view_copy(file, c->token_file, sizeof c->token_file))
        return FOUND;
    const char *words[] = {
        "AWS_CONTAINER_CREDENTIALS_", relative.len > 0 ? "RELATIVE" : "FULL",
        "_URI is no URL that may be asked for credentials: over plain http "
        "only loopback and AWS's own metadata addresses",
    };
    return refuse(k, ERROR_CONFIG, words, sizeof words / sizeof words[0]);
}

/* Where an instance's metadata is, whether or not it gives the keys. */
static enum found find_imds(const struct choice *k)
{
    struct view url = view_trim(k->s->env[SETTING_IMDS_ENDPOINT]);
    struct view mode = view_trim(k->s->env[SETTING_IMDS_MODE]);
    struct view off = view_trim(k->s->env[SETTING_IMDS_DISABLED]);
    if (view_is_nocase(off, "true"))
        return FOUND_NOT;
    if (url.len == 0)
        url = view_of(view_is_nocase(mode, "IPv6")
                          ? "http://[fd00:ec2::254]"
                          : "http://169.254.169.254");
    while (view_ends(url, "/"))
        url = view_slice(url, 0, url.len - 1);
    if (metadata_url_ok(url) &&
        view_copy(url, k->c->imds_base, sizeof k->c->imds_base))
        return FOUND;
    const char *words[] = {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT is no URL that may be asked for "
        "credentials",
    };
    return refuse(k, ERROR_CONFIG, words, 1);
}

static enum found from_instance(const struct choice *k)
{
    if (k->c->imds_base[0] == '\0')
        return FOUND_NOT;
    k->c->provider = PROVIDER_INSTANCE;
    return FOUND;
}

/* Why nothing before the container and the instance gave keys. */
static void note_tried(const struct choice *k)
{
    struct name n = name_of(settings_profile(k->s));
    bool half = (view_trim(k->s->env[SETTING_KEY_ID]).len > 0) !=
                (view_trim(k->s->env[SETTING_SECRET]).len > 0);
    struct text t;
    text_init(&t, k->c->tried, sizeof k->c->tried);
    text_str(&t, "environment (");
    text_str(&t, k->s->profile_option.len > 0 ? "left out for --profile"
                 : half ? "only one of AWS_ACCESS_KEY_ID and "
                          "AWS_SECRET_ACCESS_KEY"
                        : "no AWS_ACCESS_KEY_ID");
    text_str(&t, "), profile \"");
    text_str(&t, n.at);
    text_str(&t, "\" (no keys), web identity (not set), container (not "
                 "set), instance metadata (");
}

static enum found choose(const struct choice *k)
{
    struct view profile = settings_profile(k->s);
    enum found found = find_imds(k);
    if (found == FOUND_BAD)
        return found;
    bool named = k->s->profile_option.len > 0 ||
                 k->s->env[SETTING_PROFILE].len > 0;
    if (named && !settings_has_profile(k->s, profile))
        return refuse_profile(k, ERROR_CONFIG, profile,
                              "is not in the shared files");
    if (k->s->profile_option.len == 0)
        found = from_environment(k);
    else
        found = FOUND_NOT;
    if (found != FOUND_NOT)
        return found;
    if (value(k, profile, "role_arn").len > 0 &&
        value(k, profile, "web_identity_token_file").len == 0)
        return from_roles(k, profile);
    found = from_web_environment(k);
    if (found == FOUND_NOT)
        found = from_profile(k, profile);
    if (found == FOUND_NOT)
        found = from_container(k);
    if (found != FOUND_NOT)
        return found;
    note_tried(k);
    found = from_instance(k);
    if (found != FOUND_NOT)
        return found;
    const char *words[] = {"no credentials. Tried: ", k->c->tried,
                           "switched off)"};
    return refuse(k, ERROR_DENIED, words, sizeof words / sizeof words[0]);
}

bool provider_choose(struct credentials *c, const struct settings *s,
                     struct fault *fault)
{
    const struct choice k = {c, s, fault};
    enum found found = choose(&k);
    CHECK(found != FOUND_NOT);
    return found == FOUND;
}

const char *provider_name(const struct credentials *c)
{
    switch (c->provider) {
    case PROVIDER_NONE:         return "nothing";
    case PROVIDER_ENVIRONMENT:  return "environment";
    case PROVIDER_PROFILE:      return "profile";
    case PROVIDER_WEB_IDENTITY: return "web identity";
    case PROVIDER_CONTAINER:    return "container";
    case PROVIDER_INSTANCE:     return "instance metadata";
    }
    return "";
}
