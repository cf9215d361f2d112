/* life.c - see life.h. */
#include "life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/trace.h"

enum {
    SPINS_MOST = 3000, STEPS_MOST = 2000000, MINUTE_MS = 60000,
    STOP_MS = 1700,  /* between a signal and the end */
};

static void set_keys(struct life *l, struct settings *s, const struct mix *x)
{
    static const char secret[] = "simulated-secret/key/of/forty/characters";
    bool session = x->keys == MIX_KEYS_SESSION;
    int64_t now_ms = l->transport.wall_ms;
    if (x->keys == MIX_KEYS_CONTAINER) {
        s->env[SETTING_CONTAINER_RELATIVE] = view_of("/v2/credentials/a");
        s->env[SETTING_CONTAINER_TOKEN] = view_of("container-token");
        return;
    }
    (void)snprintf(l->id, sizeof l->id, "ASIA%lld", (long long)now_ms);
    (void)snprintf(l->token, sizeof l->token, "token-of-%lld",
                   (long long)now_ms);
    s->env[SETTING_KEY_ID] = view_of(l->id);
    s->env[SETTING_SECRET] = view_of(secret);
    if (session)
        s->env[SETTING_SESSION_TOKEN] = view_of(l->token);
    aws_add_key(l->transport.model, l->id, secret,
                session ? l->token : NULL,
                session ? now_ms + x->keys_life_ms : 0);
}

static void begin_site(struct life *l, const struct mix *x, uint64_t seed)
{
    struct settings settings = {0};
    struct fault fault = {0};
    struct site_options options = {
        .settings = &settings, .region = view_of("us-east-1"),
        .endpoint_url = view_of("http://127.0.0.1:4566"), .rate = 20,
        .seed = seed, .holder = view_of("somebody"),
    };
    set_keys(l, &settings, x);
    l->site.transport = &l->transport;
    CHECK(site_init(&l->site, &options, &fault));
}

void life_begin(struct life *l, const struct mix *x, struct aws *m,
                struct chance *c, int64_t now_ms)
{
    memset(l, 0, offsetof(struct life, archive));
    sim_init(&l->transport, m, chance_next(c), now_ms);
    l->transport.slice_most = x->slice_most;
    l->transport.bytes_per_ms = x->bytes_per_ms;
    if (x->skewed)
        l->transport.skew_ms = (int64_t)chance_below(c, 50 * MINUTE_MS) -
                               25 * MINUTE_MS;
    begin_site(l, x, chance_next(c));
    /* What lay there before does not matter. */
    memset(&l->archive, 0xa5, sizeof l->archive);
    archive_init(&l->archive, &l->site, &x->spec);
    l->state = LIFE_LIVES;
    l->most = UINT64_MAX;
    l->wakes_ms = INT64_MIN;
    l->stop_ms = INT64_MAX;
    l->stirred = true;
}

void life_doom(struct life *l, const struct mix *x, struct chance *c)
{
    static const char *const fatal[] = {
        "CreateMultipartUpload", "UploadPart", "ListParts", "PutObject",
        "CompleteMultipartUpload", "AbortMultipartUpload", "GetObject",
        "HeadObject", "DeleteObject", "FilterLogEvents",
    };
    if (chance_below(c, 2) == 0) {
        uint64_t bits = chance_below(c, 13);
        l->most = 1 + chance_below(c, (uint64_t)2 << bits);
        return;
    }
    l->fatal = fatal[chance_below(c, sizeof fatal / sizeof fatal[0])];
    if (x->more && strcmp(l->fatal, "FilterLogEvents") == 0)
        l->fatal = "DeleteObjects";
    l->fatal_count = aws_counted(l->transport.model, l->fatal).requests + 1 +
                     chance_below(c, (uint64_t)1 << chance_below(c, 4));
    l->fatal_steps = chance_below(c, (uint64_t)1 << chance_below(c, 6));
}

int64_t life_now(const struct life *l)
{
    return l->transport.wall_ms + l->transport.mono_ms;
}

int64_t life_due(const struct life *l)
{
    int64_t mono = sim_due_ms(&l->transport);
    int64_t wake = archive_wake_ms(&l->archive);
    mono = wake < mono ? wake : mono;
    int64_t due = mono == INT64_MAX ? mono : l->transport.wall_ms + mono;
    due = l->stop_ms < due ? l->stop_ms : due;
    due = due < life_now(l) || l->stirred ? life_now(l) : due;
    return due < l->wakes_ms ? l->wakes_ms : due;
}

void life_pass(struct life *l, int64_t now_ms)
{
    if (now_ms > life_now(l))
        l->transport.mono_ms = now_ms - l->transport.wall_ms;
}

void life_kill(struct life *l)
{
    sim_kill(&l->transport);
    l->state = LIFE_KILLED;
    trace_state("life", "lives", "killed");
}

/* Whether its time has come. */
static bool is_doomed(struct life *l)
{
    if (l->fatal != NULL &&
        aws_counted(l->transport.model, l->fatal).requests >=
            l->fatal_count) {
        l->fatal = NULL;
        l->most = l->steps + l->fatal_steps;
    }
    return l->steps >= l->most || life_now(l) >= l->stop_ms;
}

void life_stop(struct life *l)
{
    trace_state("life", "lives", "is stopped");
    archive_stop(&l->archive);
    l->stop_ms = life_now(l) + STOP_MS;
    l->stirred = true;
}

/* Something happens to it, or its time comes. */
static const char *wait(struct life *l)
{
    int64_t wake = archive_wake_ms(&l->archive);
    if (l->stop_ms != INT64_MAX && l->stop_ms - l->transport.wall_ms < wake)
        wake = l->stop_ms - l->transport.wall_ms;
    l->spins = wake <= l->transport.mono_ms ? l->spins + 1 : 0;
    if (!sim_advance(&l->transport, wake))
        return "nothing will ever happen";
    return l->spins > SPINS_MOST ? "it spins" : NULL;
}

const char *life_step(struct life *l)
{
    const char *fault = l->stirred ? NULL : wait(l);
    enum flow flow = FLOW_MOVED;
    CHECK(l->state == LIFE_LIVES);
    l->stirred = false;
    while (fault == NULL && flow == FLOW_MOVED) {
        if (is_doomed(l)) {
            life_kill(l);
            return NULL;
        }
        flow = archive_step(&l->archive, sim_now(&l->transport));
        fault = ++l->steps > STEPS_MOST ? "it never ends" : NULL;
    }
    /* Only keys may be on their way that no one will need. */
    if (fault == NULL && flow == FLOW_ENDED && l->id[0] != '\0' &&
        sim_busy(&l->transport))
        fault = "an exchange is left";
    if (flow == FLOW_ENDED || flow == FLOW_FAILED) {
        sim_kill(&l->transport);
        l->state = flow == FLOW_ENDED ? LIFE_ENDED : LIFE_FAILED;
    }
    return fault;
}
