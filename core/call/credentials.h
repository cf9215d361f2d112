/* credentials.h - who we are: the provider chain, as a state machine.
 *
 * credentials_init() decides which provider is in force, in botocore's order:
 * environment, a profile's role, web identity, keys of the shared files,
 * container, instance metadata (IMDSv2 only). The first that is configured
 * wins; its failure is an error, not a step to the next. The keys that a
 * provider gives may only be the base of one or more roles to assume.
 *
 * credentials_step() fetches, and refreshes what expires: from 15 minutes
 * before the end while calls go on with the old keys, from 10 minutes before
 * it they wait; when a refresh fails, old keys serve as long as they last.
 * Identity Center and credential_process are refused with the cure.
 *
 * The caller owns the struct; nothing in it points into the settings' files
 * after init. Secrets stay in here and in the headers of calls. */
#ifndef FIRN_CALL_CREDENTIALS_H
#define FIRN_CALL_CREDENTIALS_H

#include "base/chance.h"
#include "base/stage.h"
#include "call/endpoint.h"
#include "call/keys.h"
#include "call/settings.h"
#include "call/transport.h"

enum {
    ROLE_COUNT = 3,                 /* profiles that lead to each other */
    CREDENTIALS_RING_BYTES = 8192,  /* a reply; STS bounds no token */
};

struct credentials {
    enum credentials_provider {
        PROVIDER_NONE,         /* nothing is configured: refused */
        PROVIDER_ENVIRONMENT,
        PROVIDER_PROFILE,      /* keys in the shared files */
        PROVIDER_WEB_IDENTITY,
        PROVIDER_CONTAINER,
        PROVIDER_INSTANCE,
    } provider;                /* public */
    enum credentials_state {
        CREDENTIALS_IDLE,      /* waits for the first step, or a refresh */
        CREDENTIALS_TOKEN,     /* waits for IMDS's session token */
        CREDENTIALS_REGION,    /* waits for the instance's region */
        CREDENTIALS_LOCATED,   /* waits for STS's endpoint */
        CREDENTIALS_NAME,      /* waits for the instance's role's name */
        CREDENTIALS_INSTANCE,  /* waits for the instance's keys */
        CREDENTIALS_CONTAINER, /* waits for the container's keys */
        CREDENTIALS_WEB,       /* waits for STS to accept a web identity */
        CREDENTIALS_ROLE,      /* waits for STS to assume roles[hop] */
        CREDENTIALS_PAUSED,    /* waits to try again */
        CREDENTIALS_READY,     /* waits until a refresh is due */
        CREDENTIALS_FAILED,    /* waits a while; calls fail by `fault` */
    } state;
    struct keys  keys;         /* public: to sign with, once usable */
    struct fault fault;        /* public when CREDENTIALS_FAILED */
    char         region[REGION_BYTES];  /* public: the instance's, or "" */
    bool         want_region;  /* nothing else said which */

    /* private */
    struct keys  base;         /* of the provider, for the first role */
    struct keys  between;      /* of a role, for the next */
    struct role  roles[ROLE_COUNT];  /* in the order they are assumed */
    struct role  web;          /* the role of the web identity */
    uint32_t     role_count, hop;
    bool         assumed;      /* the last of them is not the settings' */
    uint32_t     tries;        /* failed in a row */
    uint32_t     serial;
    bool         expired;      /* AWS said so: refresh now */
    int64_t      life_ms;      /* of the keys, when they were fetched */
    int64_t      resume_mono_ms;
    struct chance chance;
    struct view  container_token;      /* of the environment */
    char         container_url[1024], imds_base[128];  /* "": none */
    char         token_file[512];      /* of container or web identity */
    char         imds_token[256], imds_role[128];
    char         tried[FAULT_WORDS_BYTES];  /* why no provider before it */
    struct http_exchange exchange;
    struct ring  ring;
    struct view  slice;
    char         url[1280];
    char         headers[CFG_HEADER_BYTES];
    char         body[CFG_BODY_BYTES];
    uint8_t      reply[CREDENTIALS_RING_BYTES];
};

/* Chooses the provider. False: the settings contradict themselves, or name
 * what is missing or not supported; a sentence in `fault`. */
bool credentials_init(struct credentials *c, const struct settings *s,
                      uint64_t seed, struct fault *fault);
/* From now on as that role, which is assumed behind all others; an empty ARN
 * takes it back. The keys in force are forgotten. False: it is one too many,
 * or its ARN is too long. */
bool credentials_assume(struct credentials *c, struct transport *t,
                        struct view arn);
/* Whether an instance can be asked for its region. */
bool credentials_may_ask_region(const struct credentials *c);
/* FLOW_ENDED: `keys` may be used (and a refresh may be under way);
 * FLOW_WANT_EVENT: not yet; FLOW_FAILED: `fault` says why. `sts` may be
 * NULL until the region is known. now.wall_ms is AWS's clock: corrected. */
enum flow credentials_step(struct credentials *c, struct transport *t,
                           const struct endpoint *sts, struct now now);
/* AWS called the keys of that serial expired or unknown. False: they are not
 * the kind that can be fetched again. */
bool credentials_expire(struct credentials *c, uint32_t serial);
/* Stops an exchange under way, and forgets all secrets. */
void credentials_forget(struct credentials *c, struct transport *t);
/* When to step again without an event; INT64_MAX: no need. */
int64_t credentials_wake_ms(const struct credentials *c);

#endif
