/* simulate.c - see simulate.h. */
#include "simulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/trace.h"
#include "world.h"

enum {
    CALM_LIVES = 4,        /* enough to archive it once trouble has ended */
    EVENTS_MOST = 400000,  /* that happen while processes live */
    MINUTE_MS = 60000, HOUR_MS = 3600000,
};

static bool may(struct world *w, uint64_t permille)
{
    return chance_below(&w->chance, 1000) < permille;
}

/* --- what befalls the living ---------------------------------------------- */

static void put_late(struct world *w)
{
    const struct spec *s = &w->mix.spec;
    char message[64];
    uint64_t span = (uint64_t)(s->until_ms - s->from_ms);
    int64_t at = s->from_ms + (int64_t)chance_below(&w->chance, span);
    int len = snprintf(message, sizeof message, "late event %u", ++w->late);
    w->changed = true;
    aws_put_event(w->model, s->group, "late", at, w->now_ms,
                  (struct aws_text){message, (size_t)len});
}

/* The group is deleted and created again; its events are others. */
static void remake_group(struct world *w)
{
    const char *group = w->mix.spec.group;
    struct aws_fill fill = w->mix.fill;
    day_read(&w->day[1], w->model, &w->mix.spec);
    w->remade = w->changed = true;
    fill.seed++;
    aws_delete_group(w->model, group);
    aws_create_group(w->model, group, w->now_ms);
    CHECK(aws_fill_group(w->model, group, &fill));
    trace_state("group", "is", "made anew");
}

/* One of the objects is not what it was. */
static void change_sheaf(struct world *w)
{
    sheaf_read(w->sheaf, &w->mix.spec, &w->day[1]);
    w->remade = w->changed = true;
    sheaf_change(w->sheaf, &w->chance, w->model, w->now_ms);
    trace_state("sheaf", "is", "changed");
}

static const char *befall(struct world *w, struct life *l)
{
    const struct mix *x = &w->mix;
    if (w->calm)
        return NULL;
    if (x->late && may(w, 10))
        put_late(w);
    if (x->freezes && may(w, 5)) {
        l->wakes_ms = w->now_ms + 1000 * (int64_t)chance_below(&w->chance,
                                                               90);
        w->slept |= l->wakes_ms - w->now_ms >= CFG_LEASE_MS / 2;
        trace_state("life", "lives", "sleeps");
    }
    if (x->stops && l->stop_ms == INT64_MAX && may(w, 5))
        life_stop(l);
    if (x->recreated && !w->remade && may(w, 5)) {
        const char *fault = world_shown(w);
        if (w->mix.merges)
            change_sheaf(w);
        else
            remake_group(w);
        return fault;
    }
    return NULL;
}

static void give_life(struct world *w, struct life *l)
{
    life_begin(l, &w->mix, w->model, &w->chance, w->now_ms);
    if (!w->calm && w->mix.kills && may(w, 700))
        life_doom(l, &w->mix, &w->chance);
    w->told->lives++;
    if (world_traces())
        fprintf(stderr, "-- life %zu begins at %lld\n", (size_t)(l - w->life),
                (long long)w->now_ms);
}

/* Of those that live, the one with whom something happens first. */
static struct life *first_due(struct world *w, int64_t *due_ms)
{
    struct life *first = NULL;
    for (size_t i = 0; i < WORLD_LIVES; i++) {
        if (w->life[i].state != LIFE_LIVES)
            continue;
        int64_t due = life_due(&w->life[i]);
        if (first == NULL || due < *due_ms) {
            first = &w->life[i];
            *due_ms = due;
        }
    }
    return first;
}

static const char *bury(struct world *w, struct life *l)
{
    const char *fault = world_life(w, l);
    w->told->steps += l->steps;
    w->told->kills += l->state == LIFE_KILLED;
    w->told->requests += l->transport.started;
    return fault;
}

/* A request to delete objects was made since this was asked last. */
static bool has_deleted(struct world *w)
{
    uint64_t before = w->deletes;
    if (!w->mix.spec.delete_source)
        return false;
    w->deletes = aws_counted(w->model, "DeleteObjects").requests;
    return w->deletes != before;
}

/* One process, perhaps a second beside it, until none lives. */
static const char *live(struct world *w)
{
    bool second = w->calm ? w->mix.race : w->mix.beside && may(w, 600);
    struct life *l;
    int64_t due = 0;
    w->life[1].state = LIFE_NONE;
    give_life(w, &w->life[0]);
    for (uint32_t n = 0; (l = first_due(w, &due)) != NULL; n++) {
        const char *fault = n < EVENTS_MOST ? NULL : "it goes on and on";
        if (due == INT64_MAX)
            fault = "nothing will ever happen";
        w->now_ms = fault == NULL && due > w->now_ms ? due : w->now_ms;
        for (size_t i = 0; i < WORLD_LIVES; i++)
            if (w->life[i].state == LIFE_LIVES)
                life_pass(&w->life[i], w->now_ms);
        if (fault == NULL)
            fault = life_step(l);
        if (fault == NULL && l->state == LIFE_LIVES)
            fault = befall(w, l);
        if (fault == NULL && l->state != LIFE_LIVES)
            fault = bury(w, l);
        if (fault == NULL)
            fault = has_deleted(w) ? world_sources(w) : world_lease(w);
        if (fault != NULL)
            return fault;
        if (second && (w->calm || may(w, 20))) {
            second = false;
            give_life(w, &w->life[1]);
        }
    }
    return NULL;
}

/* --- the story ------------------------------------------------------------ */

static void let_time_pass(struct world *w)
{
    static const int64_t most[] = {1, 1, 5000, MINUTE_MS, 3 * HOUR_MS,
                                   30 * HOUR_MS};
    uint64_t i = chance_below(&w->chance, sizeof most / sizeof most[0]);
    w->now_ms += (int64_t)chance_below(&w->chance, (uint64_t)most[i]);
    if (w->mix.late && may(w, 500))
        put_late(w);
    if (w->mix.lifecycle && may(w, 200))
        aws_expire_uploads(w->model, w->mix.spec.bucket);
}

static bool has_ended(const struct world *w)
{
    return w->life[0].state == LIFE_ENDED || w->life[1].state == LIFE_ENDED;
}

/* Whoever died after the receipt left a checkpoint. One that finds the day
 * archived deletes it once its holder is known to be dead. */
static const char *clean_up(struct world *w)
{
    const char *fault = world_bucket(w);
    if (fault == NULL)
        return NULL;
    w->now_ms += 2 * CFG_LEASE_MS;
    fault = live(w);
    return fault != NULL ? fault : world_bucket(w);
}

static void calm_down(struct world *w)
{
    w->calm = true;
    w->mix.keys_life_ms = 12 * HOUR_MS;
    aws_clear_faults(w->model);
    CHECK(aws_set(w->model, "key-life", w->mix.keys_life_ms));
    CHECK(aws_set(w->model, "rate:FilterLogEvents", 0));
    w->life[0].state = w->life[1].state = LIFE_NONE;
}

/* A group made anew may hold less: then nothing is replaced. What is damaged
 * may not be merged. */
static bool may_refuse(const struct world *w)
{
    bool refused = false;
    for (size_t i = 0; i < WORLD_LIVES; i++)  /* of two, either did the work */
        refused |= w->life[i].state == LIFE_FAILED &&
                   w->life[i].archive.fault.error == ERROR_CORRUPT;
    return refused && (w->mix.merges ? w->sheaf->damaged : w->remade);
}

/* Lives under trouble, then calm ones, until the day is archived. */
static const char *archive_it(struct world *w)
{
    const char *fault = NULL;
    w->since_ms = w->now_ms - 1000;  /* S3 tells whole seconds */
    w->calm = false;
    CHECK(mix_trouble(&w->mix, &w->chance, w->model));
    for (uint32_t i = 0; fault == NULL && i < w->mix.lives; i++) {
        fault = live(w);
        let_time_pass(w);
    }
    if (fault == NULL)
        calm_down(w);
    for (uint32_t i = 0; fault == NULL && i < CALM_LIVES && !has_ended(w); i++)
        fault = live(w);
    if (fault == NULL && !has_ended(w) && !may_refuse(w))
        fault = "it is not archived though all is calm";
    if (fault == NULL && has_ended(w) && world_is_damaged(w) &&
        w->sheaf->noticed)
        fault = "what is damaged is merged";
    return fault != NULL ? fault : clean_up(w);
}

/* The window has begun to expire: nothing may be done to what is there. */
static const char *expire_it(struct world *w)
{
    char before[80], after[80];
    int64_t age = w->now_ms - w->mix.spec.from_ms;
    int days = (int)(age / DAY_MS);
    world_name(w, w->key, before);
    aws_group_policy(w->model, w->mix.spec.group, "STANDARD",
                     days > 0 ? days : 1, false);
    w->now_ms += age < DAY_MS ? DAY_MS - age + HOUR_MS : HOUR_MS;
    w->expired = true;
    w->mix.spec.if_exists = EXISTS_REPLACE;
    const char *fault = live(w);
    if (fault == NULL && has_ended(w))
        fault = "a day that has begun to expire was replaced";
    world_name(w, w->key, after);
    if (fault == NULL && strcmp(before, after) != 0)
        fault = "what is there was replaced by less";
    return fault != NULL ? fault : world_bucket(w);
}

static const char *skip_it(struct world *w)
{
    const char *fault = live(w);
    if (fault == NULL && !has_ended(w))
        fault = "what is archived is not skipped";
    else if (fault == NULL &&
             strcmp(w->life[0].archive.result.action, "skipped") != 0)
        fault = "what is archived is archived again";
    return fault != NULL ? fault : world_bucket(w);
}

/* Late events came, or not: 14 days after its end the day is what it is. */
static const char *recount_it(struct world *w)
{
    int64_t sealed_ms = w->mix.spec.until_ms + 14 * (int64_t)DAY_MS;
    if (w->remade)
        return NULL;  /* a recount of other events: never replaced */
    for (uint64_t i = chance_below(&w->chance, 4); i > 0; i--)
        put_late(w);
    w->now_ms = (w->now_ms > sealed_ms ? w->now_ms : sealed_ms) + HOUR_MS;
    return archive_it(w);
}

static const char *come_back(struct world *w)
{
    switch (w->mix.later) {
    case MIX_NOTHING:
        return NULL;
    case MIX_SKIP:
        return skip_it(w);
    case MIX_REPLACE:
        w->now_ms += (int64_t)chance_below(&w->chance, 20) * DAY_MS;
        for (uint64_t i = chance_below(&w->chance, 4); i > 0; i--)
            if (!w->mix.merges)
                put_late(w);
        w->mix.spec.if_exists = EXISTS_REPLACE;
        return archive_it(w);
    case MIX_EXPIRED:
        return expire_it(w);
    case MIX_RECOUNT:
        return recount_it(w);
    }
    return NULL;
}

static void begin_world(struct world *w, uint64_t seed)
{
    const struct spec *s = &w->mix.spec;
    chance_init(&w->chance, seed);
    mix_choose(&w->mix, w->sheaf, &w->chance);
    w->now_ms = w->mix.fill.until + w->mix.after_ms;
    w->model = aws_new(seed, "us-east-1", "111111111111");
    aws_create_bucket(w->model, s->bucket, NULL, NULL);
    CHECK(mix_habits(&w->mix, &w->chance, w->model));
    if (!w->mix.merges)
        CHECK(aws_fill_group(w->model, s->group, &w->mix.fill));
    else if (s->group[0] != '\0')
        aws_create_group(w->model, s->group, s->from_ms);
    if (w->mix.merges)
        strcpy(w->key, s->key);
    if (w->mix.merges)
        sheaf_put(w->sheaf, w->model, w->now_ms);
}

bool simulate(enum simulated kind, uint64_t seed, struct simulation *s)
{
    static struct sheaf sheaf;
    static struct world world;  /* its days' rooms stay */
    static struct life lives[WORLD_LIVES];
    struct world *w = &world;
    struct day day[WORLD_GENERATIONS];
    memcpy(day, w->day, sizeof day);
    *w = (struct world){.told = s, .changed = true, .life = lives,
                        .sheaf = kind != SIMULATE_ARCHIVE ? &sheaf : NULL};
    sheaf.more = kind == SIMULATE_SORT;
    memcpy(w->day, day, sizeof day);
    w->day[0].objects = w->day[1].objects = 0;
    w->day[0].crossed = w->day[1].crossed = false;
    *s = (struct simulation){0};
    begin_world(w, seed);
    s->broken = archive_it(w);
    if (s->broken == NULL && (has_ended(w) || !w->mix.merges))
        s->broken = come_back(w);
    for (size_t i = 0; i < WORLD_LIVES; i++)
        if (w->life[i].state == LIFE_LIVES)
            life_kill(&w->life[i]);
    aws_free(w->model);
    return s->broken == NULL;
}
