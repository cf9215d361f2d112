/* site.c - see site.h. */
#include "call/site.h"

enum { GIVE_UP_MS = 300000 };

static bool refuse(struct fault *fault, const char *words)
{
    fault_set(fault, ERROR_CONFIG, "", 0);
    fault_words(fault, view_of(words));
    return false;
}

/* What the user gave as the endpoint of a service; empty if nothing. */
static struct view endpoint_given(enum site_service service,
                                  const struct site_options *o)
{
    static const struct {
        enum setting setting;
        const char  *key;
    } names[SITE_SERVICES] = {
        [SITE_LOGS] = {SETTING_ENDPOINT_LOGS, "cloudwatch_logs"},
        [SITE_S3] = {SETTING_ENDPOINT_S3, "s3"},
        [SITE_STS] = {SETTING_ENDPOINT_STS, "sts"},
    };
    const struct settings *s = o->settings;
    if (o->endpoint_url.len > 0)
        return o->endpoint_url;
    if (view_is_nocase(s->env[SETTING_IGNORE_ENDPOINTS], "true"))
        return (struct view){0};
    struct view own = view_trim(s->env[names[service].setting]);
    struct view all = view_trim(s->env[SETTING_ENDPOINT]);
    if (own.len > 0 || all.len > 0)
        return own.len > 0 ? own : all;
    return settings_endpoint(s, names[service].key);
}

static bool find_endpoints(struct site *s, const struct site_options *o,
                           struct fault *fault)
{
    for (uint32_t i = 0; i < SITE_SERVICES; i++) {
        struct view url = endpoint_given((enum site_service)i, o);
        if (url.len == 0)
            continue;
        if (!endpoint_of_url(&s->endpoint[i], url, &s->options, fault))
            return false;
        if (s->options.fips || s->options.dualstack)
            return refuse(fault, "an endpoint URL cannot be combined with "
                                 "FIPS or dual-stack endpoints: say either");
    }
    return true;
}

static struct view find_region(const struct site_options *o)
{
    const struct settings *s = o->settings;
    struct view v[] = {
        o->region, view_trim(s->env[SETTING_REGION]),
        view_trim(s->env[SETTING_DEFAULT_REGION]),
        settings_value(s, settings_profile(s), "region"),
    };
    uint32_t i = 0;
    while (i < 3 && v[i].len == 0)
        i++;
    return v[i];
}

static void begin_pace(struct site *s)
{
    pace_init(&s->pace, s->rate > 0 ? s->rate : pace_default(s->region));
}

/* Everything that follows from the region. */
static bool locate(struct site *s, struct view region, struct fault *fault)
{
    if (!endpoint_region_ok(region))
        return refuse(fault, "a region has only a-z, 0-9 and -, such as "
                             "eu-central-1");
    CHECK(view_copy(region, s->region, sizeof s->region));
    for (uint32_t i = 0; i < SITE_SERVICES; i++) {
        struct endpoint *e = &s->endpoint[i];
        if (e->custom)
            CHECK(view_copy(region, e->region, sizeof e->region));
        else
            CHECK(endpoint_of_region(e, (enum site_service)i, region,
                                     &s->options));
    }
    begin_pace(s);
    return true;
}

bool site_owner(struct site *s, struct view owner, struct fault *fault)
{
    uint64_t number;
    s->expected_owner = owner.len > 0;
    if (!s->expected_owner)
        return true;
    if (owner.len != 12 || !view_u64(owner, INT64_MAX, &number))
        return refuse(fault, "a bucket's owner is an account of 12 digits");
    CHECK(view_copy(owner, s->owner, sizeof s->owner));
    return true;
}

bool site_init(struct site *s, const struct site_options *options,
               struct fault *fault)
{
    static const struct settings none;
    struct transport *transport = s->transport;
    struct site_options o = *options;
    if (o.settings == NULL)
        o.settings = &none;
    memset(s, 0, sizeof *s);
    s->transport = transport;
    s->rate = o.rate;
    s->give_up_ms = GIVE_UP_MS;
    s->deadline_mono_ms = INT64_MAX;
    s->success_mono_ms = INT64_MIN;
    s->options = (struct endpoint_options){
        .fips = o.fips || settings_true(o.settings, SETTING_FIPS,
                                        "use_fips_endpoint"),
        .dualstack = o.dualstack ||
                     settings_true(o.settings, SETTING_DUALSTACK,
                                   "use_dualstack_endpoint"),
        .allow_http = o.allow_http,
    };
    struct text holder;
    text_init(&holder, s->holder, sizeof s->holder);
    text_put(&holder, view_slice(o.holder, 0, o.holder.len <
                                 SITE_HOLDER_BYTES ? o.holder.len
                                                   : SITE_HOLDER_BYTES - 1));
    chance_init(&s->chance, o.seed);
    pace_init(&s->pace, s->rate > 0 ? s->rate : 1);
    if (!credentials_init(&s->credentials, o.settings,
                          chance_next(&s->chance), fault) ||
        !find_endpoints(s, &o, fault) ||
        !site_owner(s, o.bucket_owner, fault))
        return false;
    struct view region = find_region(&o);
    if (region.len > 0)
        return locate(s, region, fault);
    s->credentials.want_region = true;
    if (!credentials_may_ask_region(&s->credentials))
        return refuse(fault, "no region: give --region, AWS_REGION or a "
                             "profile's region");
    return true;
}

bool site_locate(struct site *s, struct view region, uint32_t rate,
                 struct fault *fault)
{
    s->rate = rate;
    return locate(s, region, fault);
}

bool site_assume(struct site *s, struct view role_arn, struct fault *fault)
{
    if (!credentials_assume(&s->credentials, s->transport, role_arn))
        return refuse(fault, "a role_arn is one role too many behind those of "
                             "the profile, or too long");
    begin_pace(s);
    return true;
}

const char *site_region_of(const struct site *s, struct view bucket)
{
    for (uint32_t i = 0; i < SITE_BUCKETS && bucket.len > 0; i++)
        if (view_is(bucket, s->bucket[i].name))
            return s->bucket[i].region;
    return "";
}

void site_learn(struct site *s, struct view bucket, const char *region)
{
    struct site_bucket *b = &s->bucket[s->bucket_next];
    for (uint32_t i = 0; i < SITE_BUCKETS; i++)
        if (view_is(bucket, s->bucket[i].name))
            b = &s->bucket[i];
    if (b == &s->bucket[s->bucket_next])
        s->bucket_next = (s->bucket_next + 1) % SITE_BUCKETS;
    if (!view_copy(bucket, b->name, sizeof b->name))
        b->name[0] = '\0';
    CHECK(view_copy(view_of(region), b->region, sizeof b->region));
}

struct now site_now(const struct site *s, struct now now)
{
    return (struct now){now.wall_ms + s->offset_ms, now.mono_ms};
}

static const struct endpoint *sts_of(const struct site *s)
{
    return s->region[0] != '\0' ? &s->endpoint[SITE_STS] : NULL;
}

enum flow site_step(struct site *s, struct now now, struct fault *fault)
{
    struct credentials *c = &s->credentials;
    struct now aws = site_now(s, now);
    enum flow flow = credentials_step(c, s->transport, sts_of(s), aws);
    if (s->region[0] == '\0' && c->region[0] != '\0') {
        CHECK(locate(s, view_of(c->region), fault));
        flow = credentials_step(c, s->transport, sts_of(s), aws);
    }
    if (flow == FLOW_FAILED)
        fault_adopt(fault, &c->fault);
    return flow;
}
