/* credentials_rig.h - credentials, a scripted transport and virtual time, for
 * two test programs. */
#ifndef FIRN_TESTS_CREDENTIALS_RIG_H
#define FIRN_TESTS_CREDENTIALS_RIG_H

#include "call/credentials.h"
#include "call/provider.h"
#include "row.h"
#include "script.h"

#define JSON_KEYS(id, until) \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"" id "\"," \
    "\"SecretAccessKey\":\"secret\",\"Token\":\"to\\/ken\"," \
    "\"Expiration\":\"" until "\"}"
#define XML_KEYS(id, until) \
    "<R><Result><Credentials><AccessKeyId>" id "</AccessKeyId>" \
    "<SecretAccessKey>secret</SecretAccessKey><SessionToken>t&amp;k" \
    "</SessionToken><Expiration>" until "</Expiration></Credentials>" \
    "</Result></R>"
#define NOON INT64_C(1793880000000)  /* 2026-11-05T12:00:00Z */

static struct credentials c;
static struct transport t;
static struct endpoint sts;
static struct now now;

static inline bool start(struct settings *s, const struct line *lines,
                  struct fault *fault)
{
    struct endpoint_options o = {0};
    endpoint_of_region(&sts, SITE_STS, view_of("eu-west-1"), &o);
    memset(&t, 0, sizeof t);
    t.lines = lines;
    now = (struct now){NOON, 1000};
    return credentials_init(&c, s, 1, fault);
}

/* Steps and answers until calls may go on, or it failed, or an hour went by;
 * pauses pass at once. */
static inline enum flow run(void)
{
    enum flow flow = FLOW_WANT_EVENT;
    for (int turn = 0; turn < 100; turn++) {
        flow = credentials_step(&c, &t, &sts, now);
        if (flow != FLOW_WANT_EVENT)
            return flow;
        if (script_answer(&t))
            continue;
        int64_t wake = credentials_wake_ms(&c);
        if (wake == INT64_MAX)
            return flow;
        now.wall_ms += wake - now.mono_ms;
        now.mono_ms = wake;
    }
    return flow;
}

static inline void later(int64_t ms)
{
    now.wall_ms += ms;
    now.mono_ms += ms;
}

enum { E_KEYS = 1, E_WEB = 2, E_FULL = 4, E_OFF = 8, E_PROFILE = 16,
       E_RELATIVE = 32, E_HALF = 64, E_EVIL = 128, E_BLANK = 256 };

static inline void fill(struct settings *s, unsigned env, const char *config)
{
    *s = (struct settings){.config = view_of(config)};
    struct view *e = s->env;
    if (env & (E_KEYS | E_HALF))
        e[SETTING_KEY_ID] = view_of("ENV");
    if (env & E_BLANK)
        e[SETTING_KEY_ID] = view_of("  ");
    if (env & (E_KEYS | E_BLANK))
        e[SETTING_SECRET] = view_of("secret");
    if (env & E_WEB) {
        e[SETTING_ROLE_ARN] = view_of("arn:aws:iam::1:role/w");
        e[SETTING_WEB_TOKEN_FILE] = view_of("/token");
    }
    if (env & E_RELATIVE)
        e[SETTING_CONTAINER_RELATIVE] = view_of("/v2/x");
    if (env & E_FULL)
        e[SETTING_CONTAINER_FULL] = view_of("http://169.254.170.23/v1");
    if (env & E_EVIL)
        e[SETTING_CONTAINER_FULL] = view_of("http://evil.example/v1");
    if (env & E_OFF)
        e[SETTING_IMDS_DISABLED] = view_of("true");
    if (env & E_PROFILE)
        s->profile_option = view_of("p");
}

#endif
