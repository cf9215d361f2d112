/* credentials.c - see credentials.h. */
#include "call/credentials.h"

#include "base/trace.h"
#include "call/ask.h"
#include "call/provider.h"

enum {
    ADVISORY_MS = 15 * 60000,
    MANDATORY_MS = 10 * 60000,
    TRIES = 3,              /* of one fetch, before it counts as failed */
    PAUSE_MS = 1000,        /* between them, and as much again by chance */
    AGAIN_MS = 60000,       /* until a failed fetch is begun again */
};

static const char *const state_name[] = {
    [CREDENTIALS_IDLE] = "idle",
    [CREDENTIALS_TOKEN] = "token",
    [CREDENTIALS_REGION] = "region",
    [CREDENTIALS_LOCATED] = "located",
    [CREDENTIALS_NAME] = "name",
    [CREDENTIALS_INSTANCE] = "instance",
    [CREDENTIALS_CONTAINER] = "container",
    [CREDENTIALS_WEB] = "web",
    [CREDENTIALS_ROLE] = "role",
    [CREDENTIALS_PAUSED] = "paused",
    [CREDENTIALS_READY] = "ready",
    [CREDENTIALS_FAILED] = "failed",
};

/* What every handler works on. */
struct scene {
    struct credentials    *c;
    struct transport      *t;
    const struct endpoint *sts;
    struct now             now;
};

static void enter(struct credentials *c, enum credentials_state next)
{
    trace_state("credentials", state_name[c->state], state_name[next]);
    c->state = next;
}

bool credentials_init(struct credentials *c, const struct settings *s,
                      uint64_t seed, struct fault *fault)
{
    memset(c, 0, sizeof *c);  /* it is IDLE; large for a temporary */
    chance_init(&c->chance, seed);
    ring_init(&c->ring, c->reply, sizeof c->reply);
    c->exchange.sink = &c->ring;
    return provider_choose(c, s, fault);
}

bool credentials_may_ask_region(const struct credentials *c)
{
    return c->imds_base[0] != '\0';
}

static bool is_fixed(const struct credentials *c)
{
    bool fixed = c->provider == PROVIDER_ENVIRONMENT ||
                 c->provider == PROVIDER_PROFILE;
    return fixed && c->role_count == 0;
}

/* How long before their end keys are in a margin; less for short lives. */
static int64_t margin(const struct credentials *c, int64_t most_ms)
{
    int64_t share = c->life_ms / (most_ms == ADVISORY_MS ? 4 : 6);
    return share < most_ms ? share : most_ms;
}

static bool usable(const struct credentials *c, int64_t wall_ms,
                   int64_t margin_ms)
{
    if (c->keys.serial == 0 || c->expired)
        return false;
    return c->keys.expires_ms == INT64_MAX ||
           wall_ms < c->keys.expires_ms - margin_ms;
}

static void wipe_buffers(struct credentials *c)
{
    secret_wipe(c->reply, sizeof c->reply);
    secret_wipe(c->headers, sizeof c->headers);
    secret_wipe(c->body, sizeof c->body);
}

/* A sentence: what was tried, or who refused, and why. */
static void say(struct credentials *c, enum error error, const char *words)
{
    bool all = c->tried[0] != '\0', plain = error == ERROR_CONFIG;
    char at[FAULT_WORDS_BYTES];
    struct text t;
    text_init(&t, at, sizeof at);
    if (!plain) {
        text_str(&t, all ? "no credentials. Tried: " : "credentials by ");
        text_str(&t, all ? c->tried : provider_name(c));
        text_str(&t, all ? "" : ": ");
    }
    text_str(&t, words);
    text_str(&t, all && !plain ? ")" : "");
    fault_reset(&c->fault);
    fault_set(&c->fault, error, "", c->exchange.reply.status);
    fault_words(&c->fault, text_view(&t));
}

static enum flow fail(struct scene *s, enum error error, const char *words)
{
    struct credentials *c = s->c;
    wipe_buffers(c);
    c->tries = 0;
    c->resume_mono_ms = s->now.mono_ms + AGAIN_MS;
    if (usable(c, s->now.wall_ms, 0)) {
        enter(c, CREDENTIALS_READY);
        return FLOW_MOVED;
    }
    say(c, error, words);
    enter(c, CREDENTIALS_FAILED);
    return FLOW_FAILED;
}

/* The same again after a pause, or it has failed. */
static enum flow again(struct scene *s, enum error error, const char *words)
{
    struct credentials *c = s->c;
    if (++c->tries >= TRIES)
        return fail(s, error, words);
    wipe_buffers(c);
    c->resume_mono_ms = s->now.mono_ms + PAUSE_MS +
                        (int64_t)chance_below(&c->chance, PAUSE_MS);
    enter(c, CREDENTIALS_PAUSED);
    return FLOW_MOVED;
}

/* A reply that is no 200, or none. */
static enum flow refused(struct scene *s)
{
    struct http_exchange *x = &s->c->exchange;
    struct view error = {(const uint8_t *)x->error, x->error_len};
    char words[FAULT_WORDS_BYTES];
    struct text t;
    if (x->state == HTTP_FAILED)
        return again(s, ERROR_DENIED, x->failure_text);
    text_init(&t, words, sizeof words);
    return keys_refusal(&t, x->reply.status, error)
               ? again(s, ERROR_DENIED, words)
               : fail(s, ERROR_DENIED, words);
}

/* Starts the exchange if need be; true when it has an outcome. */
static bool answered(struct scene *s)
{
    struct http_exchange *x = &s->c->exchange;
    if (x->state == HTTP_IDLE)
        transport_start(s->t, x);  /* if not now, at the next step */
    return x->state == HTTP_DONE || x->state == HTTP_FAILED;
}

static bool is_200(const struct credentials *c)
{
    return c->exchange.state == HTTP_DONE && c->exchange.reply.status == 200;
}

static struct view reply_of(const struct credentials *c)
{
    return ring_peek(&c->ring);  /* whole: it never wraps */
}

/* Sends what was asked, or treats as a failed try that it could not be. */
static enum flow sent(struct scene *s, bool asked, const struct fault *why,
                      enum credentials_state next)
{
    if (!asked)
        return again(s, why->error, why->what);
    enter(s->c, next);
    return FLOW_MOVED;
}

static enum flow send_token(struct scene *s)
{
    ask_token(s->c);
    return sent(s, true, NULL, CREDENTIALS_TOKEN);
}

static enum flow send_container(struct scene *s)
{
    struct fault why = {0};
    bool asked = ask_container(s->c, &why);
    return sent(s, asked, &why, CREDENTIALS_CONTAINER);
}

static enum flow send_web(struct scene *s)
{
    struct fault why = {0};
    bool asked = ask_web(s->c, s->sts, s->now.wall_ms, &why);
    return sent(s, asked, &why, CREDENTIALS_WEB);
}

static enum flow send_role(struct scene *s)
{
    ask_role(s->c, s->sts, s->now.wall_ms);
    return sent(s, true, NULL, CREDENTIALS_ROLE);
}

/* Keys that are final: calls sign with them from now on. */
static enum flow publish(struct scene *s, const struct keys *keys)
{
    struct credentials *c = s->c;
    int64_t wall_ms = s->now.wall_ms;
    c->keys = *keys;
    /* Keys just given out that look expired are the sign of a metadata
     * service in trouble, or of our clock: they serve until asked again. */
    bool odd = c->keys.expires_ms <= wall_ms;
    if (odd)
        c->keys.expires_ms = wall_ms + ADVISORY_MS;
    bool forever = c->keys.expires_ms == INT64_MAX;
    c->life_ms = forever ? INT64_MAX : c->keys.expires_ms - wall_ms;
    c->keys.serial = ++c->serial;
    c->expired = false;
    c->tries = 0;
    c->resume_mono_ms = INT64_MIN;
    fault_reset(&c->fault);
    wipe_buffers(c);
    enter(c, CREDENTIALS_READY);
    return FLOW_MOVED;
}

/* The provider's keys, which may only be the base of roles. */
static enum flow have_base(struct scene *s)
{
    struct credentials *c = s->c;
    c->base.serial = ++c->serial;
    c->hop = 0;
    return c->role_count > 0 ? send_role(s) : publish(s, &c->base);
}

static enum flow send_provider(struct scene *s)
{
    switch (s->c->provider) {
    case PROVIDER_NONE:         break;
    case PROVIDER_ENVIRONMENT:
    case PROVIDER_PROFILE:      return have_base(s);
    case PROVIDER_WEB_IDENTITY: return send_web(s);
    case PROVIDER_CONTAINER:    return send_container(s);
    case PROVIDER_INSTANCE:     return send_token(s);
    }
    return fail(s, ERROR_DENIED, "no credentials");
}

static enum flow on_idle(struct scene *s)
{
    bool region = s->c->want_region && s->c->region[0] == '\0';
    if (region)
        return send_token(s);
    enter(s->c, CREDENTIALS_LOCATED);
    return FLOW_MOVED;
}

static enum flow on_token(struct scene *s)
{
    struct credentials *c = s->c;
    if (!answered(s))
        return FLOW_WANT_EVENT;
    if (!is_200(c) || !view_copy(view_trim(reply_of(c)), c->imds_token,
                                 sizeof c->imds_token)) {
        bool region = c->want_region && c->region[0] == '\0';
        if (region && c->tries + 1 >= TRIES)
            return fail(s, ERROR_CONFIG, "no region: give --region, "
                        "AWS_REGION or a profile's region (the instance "
                        "metadata does not answer)");
        return refused(s);
    }
    if (c->want_region && c->region[0] == '\0') {
        ask_instance(c, "/latest/meta-data/placement/region", "");
        enter(c, CREDENTIALS_REGION);
        return FLOW_MOVED;
    }
    ask_instance(c, "/latest/meta-data/iam/security-credentials/", "");
    enter(c, CREDENTIALS_NAME);
    return FLOW_MOVED;
}

static enum flow on_region(struct scene *s)
{
    struct credentials *c = s->c;
    if (!answered(s))
        return FLOW_WANT_EVENT;
    if (!is_200(c))
        return refused(s);
    struct view region = view_trim(reply_of(c));
    if (!endpoint_region_ok(region))
        return fail(s, ERROR_CONFIG, "the instance metadata gave a region "
                                     "that is none");
    CHECK(view_copy(region, c->region, sizeof c->region));
    enter(c, CREDENTIALS_LOCATED);
    return FLOW_MOVED;
}

static enum flow on_located(struct scene *s)
{
    return s->sts != NULL ? send_provider(s) : FLOW_WANT_EVENT;
}

static enum flow on_name(struct scene *s)
{
    struct credentials *c = s->c;
    if (!answered(s))
        return FLOW_WANT_EVENT;
    if (c->exchange.state == HTTP_DONE && c->exchange.reply.status == 404)
        return fail(s, ERROR_DENIED, "no role is attached to the instance");
    if (!is_200(c))
        return refused(s);
    struct view names = reply_of(c);
    struct view name = view_trim(view_split(&names, '\n'));
    if (name.len == 0 || !view_copy(name, c->imds_role, sizeof c->imds_role))
        return fail(s, ERROR_DENIED, "the instance's role has no name");
    ask_instance(c, "/latest/meta-data/iam/security-credentials/",
                 c->imds_role);
    enter(c, CREDENTIALS_INSTANCE);
    return FLOW_MOVED;
}

/* Of the instance and of the container. */
static enum flow on_metadata(struct scene *s)
{
    struct credentials *c = s->c;
    char code[64];
    if (!answered(s))
        return FLOW_WANT_EVENT;
    if (!is_200(c))
        return refused(s);
    if (!keys_of_json(&c->base, reply_of(c), code))
        return again(s, ERROR_DENIED,
                     code[0] != '\0' ? code : "an answer without keys");
    return have_base(s);
}

static enum flow on_web(struct scene *s)
{
    if (!answered(s))
        return FLOW_WANT_EVENT;
    if (!is_200(s->c))
        return refused(s);
    if (!keys_of_xml(&s->c->base, reply_of(s->c)))
        return again(s, ERROR_DENIED, "an answer of STS without keys, or "
                     "with a token longer than CFG_SESSION_BYTES");
    return have_base(s);
}

static enum flow on_role(struct scene *s)
{
    struct credentials *c = s->c;
    if (!answered(s))
        return FLOW_WANT_EVENT;
    if (!is_200(c))
        return refused(s);
    if (!keys_of_xml(&c->between, reply_of(c)))
        return again(s, ERROR_DENIED, "an answer of STS without keys, or "
                     "with a token longer than CFG_SESSION_BYTES");
    c->between.serial = ++c->serial;
    if (++c->hop < c->role_count)
        return send_role(s);
    enum flow flow = publish(s, &c->between);
    keys_forget(&c->between);
    return flow;
}

static enum flow on_paused(struct scene *s)
{
    return s->now.mono_ms < s->c->resume_mono_ms ? FLOW_WANT_EVENT
                                                 : on_idle(s);
}

static enum flow on_ready(struct scene *s)
{
    struct credentials *c = s->c;
    bool fresh = usable(c, s->now.wall_ms, margin(c, ADVISORY_MS));
    if (fresh || s->now.mono_ms < c->resume_mono_ms)
        return FLOW_ENDED;
    return on_idle(s);
}

static enum flow on_failed(struct scene *s)
{
    return s->now.mono_ms < s->c->resume_mono_ms ? FLOW_FAILED : on_idle(s);
}

static enum flow on_state(struct scene *s)
{
    switch (s->c->state) {
    case CREDENTIALS_IDLE:      return on_idle(s);
    case CREDENTIALS_TOKEN:     return on_token(s);
    case CREDENTIALS_REGION:    return on_region(s);
    case CREDENTIALS_LOCATED:   return on_located(s);
    case CREDENTIALS_NAME:      return on_name(s);
    case CREDENTIALS_INSTANCE:  return on_metadata(s);
    case CREDENTIALS_CONTAINER: return on_metadata(s);
    case CREDENTIALS_WEB:       return on_web(s);
    case CREDENTIALS_ROLE:      return on_role(s);
    case CREDENTIALS_PAUSED:    return on_paused(s);
    case CREDENTIALS_READY:     return on_ready(s);
    case CREDENTIALS_FAILED:    return on_failed(s);
    }
    return FLOW_FAILED;
}

enum flow credentials_step(struct credentials *c, struct transport *t,
                           const struct endpoint *sts, struct now now)
{
    struct scene s = {c, t, sts, now};
    enum flow flow = FLOW_MOVED;
    for (int moves = 0; flow == FLOW_MOVED; moves++) {
        CHECK(moves < 16);
        flow = on_state(&s);
    }
    if (flow != FLOW_WANT_EVENT)
        return flow;
    /* A fetch is under way; do calls have to wait for it? Not once it has
     * failed, as long as the old keys last. */
    int64_t left_ms = c->state == CREDENTIALS_PAUSED
                          ? 0 : margin(c, MANDATORY_MS);
    return usable(c, now.wall_ms, left_ms) ? FLOW_ENDED : FLOW_WANT_EVENT;
}

bool credentials_assume(struct credentials *c, struct transport *t,
                        struct view arn)
{
    uint32_t own = c->role_count - c->assumed;
    struct role *role = &c->roles[own];
    if (arn.len > 0 && own == ROLE_COUNT)
        return false;
    if (c->exchange.state == HTTP_ACTIVE)
        transport_cancel(t, &c->exchange);
    if (arn.len > 0) {
        *role = (struct role){0};
        if (!view_copy(arn, role->arn, sizeof role->arn))
            return false;
    }
    c->assumed = arn.len > 0;
    c->role_count = own + c->assumed;
    c->tries = 0;
    keys_forget(&c->keys);
    enter(c, CREDENTIALS_IDLE);
    return true;
}

bool credentials_expire(struct credentials *c, uint32_t serial)
{
    if (is_fixed(c))
        return false;
    if (c->keys.serial == serial)
        c->expired = true;
    return true;
}

void credentials_forget(struct credentials *c, struct transport *t)
{
    if (c->exchange.state == HTTP_ACTIVE)
        transport_cancel(t, &c->exchange);
    keys_forget(&c->keys);
    keys_forget(&c->base);
    keys_forget(&c->between);
    secret_wipe(c->imds_token, sizeof c->imds_token);
    wipe_buffers(c);
}

int64_t credentials_wake_ms(const struct credentials *c)
{
    return c->state == CREDENTIALS_PAUSED ? c->resume_mono_ms : INT64_MAX;
}
