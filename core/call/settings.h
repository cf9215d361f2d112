/* settings.h - what the environment and the shared files say.
 *
 * platform/ fills `env` by the names of setting_name[] and `profile_option`
 * from --profile; settings_read() fetches the two files. All is by view: the
 * environment's values live as long as the process; the files' text, and so
 * every value of a profile, as long as the room it was read into, which must
 * be until site_init() returned and may then serve something else.
 * Rules: AWS SDKs and Tools Reference Guide, "Shared config and credentials
 * files"; botocore where that is silent. */
#ifndef FIRN_CALL_SETTINGS_H
#define FIRN_CALL_SETTINGS_H

#include "base/error.h"
#include "base/text.h"

enum setting {
    SETTING_HOME,
    SETTING_PROFILE, SETTING_DEFAULT_PROFILE,
    SETTING_CONFIG_FILE, SETTING_CREDENTIALS_FILE,
    SETTING_REGION, SETTING_DEFAULT_REGION,
    SETTING_ENDPOINT, SETTING_ENDPOINT_LOGS, SETTING_ENDPOINT_S3,
    SETTING_ENDPOINT_STS, SETTING_IGNORE_ENDPOINTS,
    SETTING_FIPS, SETTING_DUALSTACK, SETTING_CA_BUNDLE,
    SETTING_KEY_ID, SETTING_SECRET, SETTING_SESSION_TOKEN,
    SETTING_ROLE_ARN, SETTING_ROLE_SESSION, SETTING_WEB_TOKEN_FILE,
    SETTING_CONTAINER_RELATIVE, SETTING_CONTAINER_FULL,
    SETTING_CONTAINER_TOKEN_FILE, SETTING_CONTAINER_TOKEN,
    SETTING_IMDS_DISABLED, SETTING_IMDS_ENDPOINT, SETTING_IMDS_MODE,
    SETTING_COUNT
};

extern const char *const setting_name[SETTING_COUNT];  /* "HOME", ... */

struct settings {
    struct view env[SETTING_COUNT];  /* empty where unset */
    struct view profile_option;      /* --profile, or empty */
    struct view config;              /* the files' text, or empty */
    struct view credentials;
    bool        exposed;             /* others can read the latter */
};

/* Reads and checks the shared files; a missing file is an empty one. False: a
 * file is unreadable, larger than the room, or has a line that is none. */
bool        settings_read(struct settings *s, struct span room,
                          struct fault *fault);
/* The profile in force, "default" if none was named. */
struct view settings_profile(const struct settings *s);
bool        settings_has_profile(const struct settings *s,
                                 struct view profile);
/* A profile's value, from the credentials file before the config file; empty
 * when there is none. */
struct view settings_value(const struct settings *s, struct view profile,
                           const char *key);
/* The first that is there: the environment's value, the profile's. */
struct view settings_either(const struct settings *s, enum setting setting,
                            const char *key);
/* "true" in either; false otherwise. */
bool        settings_true(const struct settings *s, enum setting setting,
                          const char *key);
/* endpoint_url of a service in the profile's `services` section, or of the
 * profile; `service` as "cloudwatch_logs", "s3", "sts". */
struct view settings_endpoint(const struct settings *s, const char *service);

#endif
