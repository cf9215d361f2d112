/* test_provider.c - which provider is taken, and which settings are refused, in
 * which words. */
#include "credentials_rig.h"

static const struct row {
    const char *name;
    unsigned    env;
    const char *config;
    enum credentials_provider want;
    const char *id, *words;  /* of a refusal: how its words begin */
    int         code;
} rows[] = {
    {"keys of the environment", E_KEYS, "", PROVIDER_ENVIRONMENT, "ENV",
     NULL, 0},
    {"the environment before a profile", E_KEYS,
     "[default]\naws_access_key_id=P\naws_secret_access_key=s\n",
     PROVIDER_ENVIRONMENT, "ENV", NULL, 0},
    {"a profile by option before the environment", E_KEYS | E_PROFILE,
     "[profile p]\naws_access_key_id=P\naws_secret_access_key=s\n",
     PROVIDER_PROFILE, "P", NULL, 0},
    {"blank keys are none", E_BLANK,
     "[default]\naws_access_key_id=P\naws_secret_access_key=s\n",
     PROVIDER_PROFILE, "P", NULL, 0},
    {"half a pair is none", E_HALF | E_RELATIVE, "", PROVIDER_CONTAINER, "",
     NULL, 0},
    {"web identity before the container", E_WEB | E_FULL, "",
     PROVIDER_WEB_IDENTITY, "", NULL, 0},
    {"a profile's keys before the container", E_FULL,
     "[default]\naws_access_key_id=P\naws_secret_access_key=s\n",
     PROVIDER_PROFILE, "P", NULL, 0},
    {"the container before the instance", E_FULL, "", PROVIDER_CONTAINER,
     "", NULL, 0},
    {"the instance at last", 0, "", PROVIDER_INSTANCE, "", NULL, 0},
    {"web identity of a profile", 0,
     "[default]\nrole_arn=r\nweb_identity_token_file=/t\n",
     PROVIDER_WEB_IDENTITY, "", NULL, 0},
    {"nothing at all", E_OFF, "", PROVIDER_NONE, NULL,
     "no credentials. Tried: environment (no AWS_ACCESS_KEY_ID), profile "
     "\"default\" (no keys), web identity (not set), container (not set), "
     "instance metadata (switched off)", 77},
    {"half a pair is told", E_OFF | E_HALF, "", PROVIDER_NONE, NULL,
     "no credentials. Tried: environment (only one of", 77},
    {"a profile that is missing", E_PROFILE, "", PROVIDER_NONE, NULL,
     "profile \"p\" is not in the shared files", 78},
    {"half a pair in a profile", 0, "[default]\naws_access_key_id=P\n",
     PROVIDER_NONE, NULL, "profile \"default\" has only one of", 78},
    {"Identity Center", E_PROFILE, "[profile p]\nsso_session=x\n",
     PROVIDER_NONE, NULL, "profile \"p\" uses IAM Identity Center. Run: eval "
     "\"$(aws configure export-credentials --profile p --format env)\"", 77},
    {"a credential_process", E_PROFILE, "[profile p]\ncredential_process=x\n",
     PROVIDER_NONE, NULL, "profile \"p\" runs a credential_process, and firn "
     "starts no other program. Run: eval", 77},
    {"MFA", 0, "[default]\nrole_arn=r\nsource_profile=default\n"
     "mfa_serial=x\n", PROVIDER_NONE, NULL,
     "profile \"default\" asks for an MFA code. Run: eval", 77},
    {"a container of someone else", E_EVIL, "", PROVIDER_NONE, NULL,
     "AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL", 78},
    {"a role of one's own keys", 0,
     "[default]\nrole_arn=r\nsource_profile=default\naws_access_key_id=P\n"
     "aws_secret_access_key=s\n", PROVIDER_PROFILE, "P", NULL, 0},
    {"a role of the instance", 0,
     "[default]\nrole_arn=r\ncredential_source=Ec2InstanceMetadata\n",
     PROVIDER_INSTANCE, "", NULL, 0},
    {"a role of the environment, by option", E_KEYS | E_PROFILE,
     "[profile p]\nrole_arn=r\ncredential_source=Environment\n",
     PROVIDER_ENVIRONMENT, "ENV", NULL, 0},
    {"a role of nothing", E_OFF,
     "[default]\nrole_arn=r\ncredential_source=Ec2InstanceMetadata\n",
     PROVIDER_NONE, NULL, "profile \"default\" names a credential_source",
     78},
    {"a role without a source", 0, "[default]\nrole_arn=r\n", PROVIDER_NONE,
     NULL, "profile \"default\" needs one of source_profile and", 78},
    {"a role with two", 0, "[default]\nrole_arn=r\nsource_profile=a\n"
     "credential_source=Environment\n", PROVIDER_NONE, NULL,
     "profile \"default\" needs one of source_profile and", 78},
    {"a source that is missing", 0,
     "[default]\nrole_arn=r\nsource_profile=q\n", PROVIDER_NONE, NULL,
     "profile \"default\" names a source_profile that is missing", 78},
    {"a source without keys", 0,
     "[default]\nrole_arn=r\nsource_profile=q\n[profile q]\nregion=x\n",
     PROVIDER_NONE, NULL, "profile \"q\" is named as a source_profile", 78},
    {"a loop", 0, "[default]\nrole_arn=r\nsource_profile=q\n[profile q]\n"
     "role_arn=s\nsource_profile=default\n", PROVIDER_NONE, NULL,
     "profile \"q\" is one of a row of source_profiles that leads", 78},
};

static bool chosen(const struct row *row)
{
    struct settings s;
    struct fault fault = {0};
    fill(&s, row->env, row->config);
    bool ok = start(&s, NULL, &fault);
    if (row->id != NULL)
        return ok && c.provider == row->want &&
               row_string(c.base.id, row->id);
    bool said = view_starts(view_of(fault.words), row->words);
    if (!said)
        fprintf(stderr, "  got \"%s\"\n", fault.words);
    return !ok && said && fault_exit(fault.error) == row->code;
}

static void the_first_that_is_configured_wins(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, chosen(&rows[i]));
    assert_int_equal(failures, 0);
}

/* A setting's text; "$" stands for 5,000 letters. */
static struct view filled(const char *text, char *room)
{
    struct text out;
    text_init(&out, room, 16384);
    for (; *text != '\0'; text++)
        for (int n = *text == '$' ? 5000 : 1; n > 0; n--)
            text_char(&out, *text == '$' ? 'x' : *text);
    return text_view(&out);
}

#define PROFILE_KEYS "aws_access_key_id=P\naws_secret_access_key=s\n"
#define ONE(s, text) {{SETTING_##s, text}}
#define OFF {SETTING_IMDS_DISABLED, "true"}

static const struct given_row {
    const char *name;
    struct { enum setting setting; const char *text; } env[4];
    const char *option, *config;
    enum credentials_provider want;
    const char *url;    /* NULL: any; where it is asked */
    const char *words;  /* NULL: it is taken; of the refusal, or in it */
    int         code;
} given_rows[] = {
    {"a profile's name of any length", {OFF}, "$", "", PROVIDER_NONE, NULL,
     "xxxxx\" is not in the shared files", 78},
    {"a key with a blank", {{SETTING_KEY_ID, "A B"}, {SETTING_SECRET, "s"}},
     "", "", PROVIDER_NONE, NULL, "AWS_SESSION_TOKEN is not what AWS", 77},
    {"a session token that is too long",
     {{SETTING_KEY_ID, "A"}, {SETTING_SECRET, "s"},
      {SETTING_SESSION_TOKEN, "$"}}, "", "", PROVIDER_NONE, NULL,
     "AWS_SESSION_TOKEN is longer than CFG_SESSION_BYTES", 78},
    {"a key's id that is too long",
     {{SETTING_KEY_ID, "$"}, {SETTING_SECRET, "s"}}, "", "", PROVIDER_NONE,
     NULL, "AWS_SESSION_TOKEN is not what AWS", 77},
    {"a profile's secret alone", {{0}}, "",
     "[default]\naws_secret_access_key=s\n", PROVIDER_NONE, NULL,
     "has only one of aws_access_key_id", 78},
    {"a profile's key with a blank", {{0}}, "",
     "[default]\naws_access_key_id=A B\naws_secret_access_key=s\n",
     PROVIDER_NONE, NULL, "has keys that are not what AWS", 77},
    {"a role for too long", {{0}}, "",
     "[default]\nrole_arn=r\nsource_profile=default\nduration_seconds=43201\n"
     PROFILE_KEYS, PROVIDER_NONE, NULL, "duration_seconds that is none", 78},
    {"a role with a long name", {{0}}, "",
     "[default]\nrole_arn=$\nsource_profile=default\n" PROFILE_KEYS,
     PROVIDER_NONE, NULL, "role_session_name that is too long", 78},
    {"a role with a long external id", {{0}}, "",
     "[default]\nrole_arn=r\nexternal_id=$\nsource_profile=default\n"
     PROFILE_KEYS, PROVIDER_NONE, NULL, "role_session_name that is too long",
     78},
    {"a role with a long session's name", {{0}}, "",
     "[default]\nrole_arn=r\nrole_session_name=$\nsource_profile=default\n"
     PROFILE_KEYS, PROVIDER_NONE, NULL, "role_session_name that is too long",
     78},
    {"a profile's long token file", {{0}}, "",
     "[default]\nrole_arn=r\nweb_identity_token_file=/$\n", PROVIDER_NONE,
     NULL, "has too long a web_identity_token_file", 78},
    {"a token file without a role", {{0}}, "",
     "[default]\nweb_identity_token_file=/t\n" PROFILE_KEYS, PROVIDER_PROFILE,
     NULL, NULL, 0},
    {"a role of the container", ONE(CONTAINER_RELATIVE, "/v2"), "",
     "[default]\nrole_arn=r\ncredential_source=EcsContainer\n",
     PROVIDER_CONTAINER, "http://169.254.170.2/v2", NULL, 0},
    {"a role of somewhere else", {{0}}, "",
     "[default]\nrole_arn=r\ncredential_source=Elsewhere\n", PROVIDER_NONE,
     NULL, "names a credential_source that gives nothing", 78},
    {"Identity Center of old", {{0}}, "", "[default]\nsso_start_url=x\n",
     PROVIDER_NONE, NULL, "uses IAM Identity Center", 77},
    {"aws login", {{0}}, "", "[default]\nlogin_session=x\n", PROVIDER_NONE,
     NULL, "uses aws login", 77},
    {"a role of itself, without keys", {{0}}, "",
     "[default]\nrole_arn=r\nsource_profile=default\n", PROVIDER_NONE, NULL,
     "profile \"default\" is named as a source_profile and has no", 78},
    {"a web identity without a role", ONE(WEB_TOKEN_FILE, "/t"), "", "",
     PROVIDER_NONE, NULL, "AWS_ROLE_ARN is not, or one of them is too", 78},
    {"a web identity with a long role",
     {{SETTING_WEB_TOKEN_FILE, "/t"}, {SETTING_ROLE_ARN, "$"}}, "", "",
     PROVIDER_NONE, NULL, "AWS_ROLE_ARN is not, or one of them is too", 78},
    {"a web identity with a long session's name",
     {{SETTING_WEB_TOKEN_FILE, "/t"}, {SETTING_ROLE_ARN, "r"},
      {SETTING_ROLE_SESSION, "$"}}, "", "", PROVIDER_NONE, NULL,
     "AWS_ROLE_ARN is not, or one of them is too", 78},
    {"a web identity with a long file",
     {{SETTING_WEB_TOKEN_FILE, "/$"}, {SETTING_ROLE_ARN, "r"}}, "", "",
     PROVIDER_NONE, NULL, "AWS_ROLE_ARN is not, or one of them is too", 78},
    {"a web identity beside --profile",
     {{SETTING_WEB_TOKEN_FILE, "/t"}, {SETTING_ROLE_ARN, "r"}}, "p",
     "[profile p]\n" PROFILE_KEYS, PROVIDER_PROFILE, NULL, NULL, 0},
    {"a container by https", ONE(CONTAINER_FULL, "https://h/x"), "", "",
     PROVIDER_CONTAINER, "https://h/x", NULL, 0},
    {"a container on loopback", ONE(CONTAINER_FULL, "http://127.0.0.1:80/x"),
     "", "", PROVIDER_CONTAINER, "http://127.0.0.1:80/x", NULL, 0},
    {"a container's port", ONE(CONTAINER_FULL, "http://169.254.170.2:8/x"),
     "", "", PROVIDER_CONTAINER, "http://169.254.170.2:8/x", NULL, 0},
    {"an address that goes on", ONE(CONTAINER_FULL, "http://169.254.170.234"),
     "", "", PROVIDER_NONE, NULL, "FULL_URI is no URL that may be", 78},
    {"an address that begins so",
     ONE(CONTAINER_FULL, "http://169.254.170.2.evil/"), "", "", PROVIDER_NONE,
     NULL, "FULL_URI is no URL that may be", 78},
    {"another scheme", ONE(CONTAINER_FULL, "ftp://169.254.170.2/"), "", "",
     PROVIDER_NONE, NULL, "FULL_URI is no URL that may be", 78},
    {"a blank in a URL", ONE(CONTAINER_FULL, "https://h/a b"), "", "",
     PROVIDER_NONE, NULL, "FULL_URI is no URL that may be", 78},
    {"a byte past ASCII in a URL", ONE(CONTAINER_FULL, "http://127.0.0.1/\x7f"),
     "", "", PROVIDER_NONE, NULL, "FULL_URI is no URL that may be", 78},
    {"a fragment in a URL", ONE(CONTAINER_FULL, "http://127.0.0.1/#x"), "", "",
     PROVIDER_NONE, NULL, "FULL_URI is no URL that may be", 78},
    {"a URL without a host", ONE(CONTAINER_FULL, "https:///x"), "", "",
     PROVIDER_NONE, NULL, "FULL_URI is no URL that may be", 78},
    {"a user in a URL", ONE(CONTAINER_FULL, "https://169.254.170.2@evil/"),
     "", "", PROVIDER_NONE, NULL, "FULL_URI is no URL that may be", 78},
    {"a query behind a host", ONE(CONTAINER_FULL, "https://h?x"), "", "",
     PROVIDER_NONE, NULL, "FULL_URI is no URL that may be", 78},
    {"a relative one that is not", ONE(CONTAINER_RELATIVE, "@evil/"), "", "",
     PROVIDER_NONE, NULL, "RELATIVE_URI is no URL that may be", 78},
    {"one that is too long", ONE(CONTAINER_RELATIVE, "/$"), "", "",
     PROVIDER_NONE, NULL, "RELATIVE_URI is no URL that may be", 78},
    {"a container's long token file",
     {{SETTING_CONTAINER_RELATIVE, "/x"}, {SETTING_CONTAINER_TOKEN_FILE, "$"}},
     "", "", PROVIDER_NONE, NULL, "RELATIVE_URI is no URL that may be", 78},
    {"metadata by IPv6", ONE(IMDS_MODE, "ipv6"), "", "", PROVIDER_INSTANCE,
     "http://[fd00:ec2::254]", NULL, 0},
    {"metadata elsewhere", ONE(IMDS_ENDPOINT, "http://localhost:1338//"), "",
     "", PROVIDER_INSTANCE, "http://localhost:1338", NULL, 0},
    {"metadata of someone else", ONE(IMDS_ENDPOINT, "http://evil/"), "",
     PROFILE_KEYS, PROVIDER_NONE, NULL, "SERVICE_ENDPOINT is no URL", 78},
    {"metadata at a long URL", ONE(IMDS_ENDPOINT, "https://h/$"), "", "",
     PROVIDER_NONE, NULL, "SERVICE_ENDPOINT is no URL", 78},
    {"a profile of nothing", {OFF, {SETTING_KEY_ID, "A"},
                              {SETTING_SECRET, "s"}}, "p",
     "[profile p]\nregion=x\n", PROVIDER_NONE, NULL,
     "environment (left out for --profile), profile \"p\" (no keys)", 77},
};

static bool is_as_given(const struct given_row *row)
{
    static char room[6][16384];
    struct settings s = {.profile_option = filled(row->option, room[0]),
                         .config = filled(row->config, room[1])};
    struct fault fault = {0};
    for (int i = 0; i < 4 && row->env[i].text != NULL; i++)
        s.env[row->env[i].setting] = filled(row->env[i].text, room[2 + i]);
    bool ok = start(&s, NULL, &fault);
    if (row->words != NULL) {
        bool said = strstr(fault.words, row->words) != NULL;
        if (!said)
            fprintf(stderr, "  got \"%s\"\n", fault.words);
        return !ok && said && fault_exit(fault.error) == row->code;
    }
    const char *url = c.provider == PROVIDER_INSTANCE ? c.imds_base
                                                      : c.container_url;
    return ok && fault.error == ERROR_NONE && c.provider == row->want &&
           (row->url == NULL || row_string(url, row->url));
}

static void what_is_given_is_taken_or_refused(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(given_rows); i++)
        failures += BROKEN(given_rows[i].name, is_as_given(&given_rows[i]));
    assert_int_equal(failures, 0);
}

static void what_was_refused_gives_no_keys(void **state)
{
    struct settings s;
    struct fault fault = {0};
    (void)state;
    fill(&s, E_OFF, "");
    assert_false(start(&s, NULL, &fault));
    assert_int_equal(run(), FLOW_FAILED);
    assert_int_equal(c.fault.error, ERROR_DENIED);
    assert_int_equal(t.count, 0);
}

static void each_has_a_name_for_people(void **state)
{
    static const char *const names[] = {
        "nothing", "environment", "profile", "web identity", "container",
        "instance metadata",
    };
    static struct credentials one;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(names); i++) {
        one.provider = (enum credentials_provider)i;
        assert_string_equal(provider_name(&one), names[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_is_configured_wins),
        cmocka_unit_test(what_is_given_is_taken_or_refused),
        cmocka_unit_test(what_was_refused_gives_no_keys),
        cmocka_unit_test(each_has_a_name_for_people),
    };
    return RUN(tests);
}
