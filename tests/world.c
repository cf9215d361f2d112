/* world.c - see world.h. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool world_traces(void)
{
    static int wanted = -1;
    if (wanted < 0)
        wanted = getenv("SIM_TRACE") != NULL;
    return wanted;
}

/* --- what is right -------------------------------------------------------- */

static struct day *today(struct world *w)
{
    if (w->changed && w->mix.merges)
        sheaf_read(w->sheaf, &w->mix.spec, &w->day[0]);
    else if (w->changed)
        day_read(&w->day[0], w->model, &w->mix.spec);
    w->changed = false;
    return &w->day[0];
}

bool world_is_damaged(const struct world *w)
{
    return w->mix.merges && w->sheaf->damaged;
}

/* Damage may go unseen where S3 copies. */
static bool may_be_damaged(const struct world *w)
{
    return world_is_damaged(w) && !w->sheaf->noticed;
}

/* Its ETag and time; "" if there is none. */
void world_name(struct world *w, const char *key, char name[80])
{
    struct aws_object_info info;
    name[0] = '\0';
    if (aws_object(w->model, w->mix.spec.bucket, key, &info))
        (void)snprintf(name, 80, "%.*s %lld", (int)info.etag.len,
                       info.etag.at, (long long)info.modified);
}

/* Whatever is under the key is a whole day, at any time. */
const char *world_shown(struct world *w)
{
    char name[80];
    world_name(w, w->key, name);
    if (name[0] == '\0' || strcmp(name, w->good) == 0 || may_be_damaged(w))
        return NULL;
    const char *fault = judge_object(today(w), w->model, &w->mix.spec, w->key,
                                     w->since_ms);
    if (fault != NULL && w->remade)
        fault = judge_object(&w->day[1], w->model, &w->mix.spec, w->key,
                             w->since_ms);
    if (fault == NULL)
        strcpy(w->good, name);
    return fault;
}

/* A process said that the day is archived. */
static const char *judge_archived(struct world *w)
{
    char key[SPEC_KEY_BYTES + 32], object[80], receipt[80], names[160];
    struct text t;
    text_init(&t, key, sizeof key);
    receipt_key(&t, view_of(w->key), "receipt");
    world_name(w, w->key, object);
    world_name(w, key, receipt);
    (void)snprintf(names, sizeof names, "%s/%s", object, receipt);
    if (strcmp(names, w->good_both) == 0 || may_be_damaged(w))
        return NULL;
    const char *fault = judge_both(today(w), w->model, &w->mix.spec, w->key);
    if (fault != NULL && world_traces())
        fprintf(stderr, "-- %s\n", fault);
    if (fault != NULL && w->remade)
        fault = judge_both(&w->day[1], w->model, &w->mix.spec, w->key);
    if (fault == NULL)
        strcpy(w->good_both, names);
    return fault;
}

/* What is merged stays; or, if it is to be deleted, what is gone is in an
 * object that was read back. */
const char *world_sources(struct world *w)
{
    const struct spec *spec = &w->mix.spec;
    if (!w->mix.merges)
        return NULL;
    struct sheaf_left left = sheaf_left(w->sheaf, w->model);
    if (left.touched > 0 || (left.gone > 0 && !spec->delete_source))
        return "what is merged was touched";
    if (left.gone == 0)
        return NULL;
    bool waits = spec->from_ms < spec->until_ms;  /* to be recounted first */
    if (!waits && !judge_proved(w->model, spec, w->key))
        return "deleted before the object was read back";
    const char *fault = judge_both(today(w), w->model, spec, w->key);
    if (fault != NULL && w->remade && !left.fresh_gone)
        fault = judge_both(&w->day[1], w->model, spec, w->key);
    return fault;
}

/* All that was merged is gone; what changed since may stay. */
static bool are_sources_left(const struct world *w)
{
    bool ended = false;
    for (size_t i = 0; i < WORLD_LIVES; i++)
        ended |= w->life[i].state == LIFE_ENDED;
    return ended && w->mix.merges && w->mix.spec.delete_source &&
           !w->remade && !w->sheaf->sudden &&
           sheaf_left(w->sheaf, w->model).gone < w->sheaf->count;
}

/* Nothing is left of the work but the work. */
const char *world_bucket(struct world *w)
{
    struct aws_object_info info;
    const char *bucket = w->mix.spec.bucket;
    uint32_t others = 0;
    const char *fault = world_sources(w);
    if (fault != NULL)
        return fault;
    if (are_sources_left(w))
        return "what was merged is left";
    if (aws_open_parts(w->model, bucket) > 0)
        return "an upload is left open";
    w->told->runs = 0;
    w->told->orphans = aws_open_uploads(w->model, bucket);
    if (world_traces() && w->told->orphans > 0)
        fprintf(stderr, "-- an empty upload is left\n");
    for (size_t i = 0; aws_object_at(w->model, bucket, i, &info); i++) {
        if (w->mix.merges && sheaf_holds(w->sheaf, &info))
            continue;
        if (aws_has(info.key, "checkpoint"))
            return "a checkpoint is left";
        if (aws_has(info.key, ".run-")) {
            if (!w->slept)
                return "a sorted run is left";
            w->told->runs++;
            continue;
        }
        others++;
    }
    return others > 2 ? "an object is left" : NULL;
}

/* May a process that was not killed end so? */
static const char *judge_failure(const struct world *w, const struct life *l)
{
    const struct fault *f = &l->archive.fault;
    struct aws_text words = aws_str(f->words);
    bool keys = w->mix.keys != MIX_KEYS_STATIC;
    /* Who has lost the lease finds what the other has deleted. */
    bool robbed = w->mix.merges && w->mix.spec.delete_source && !w->calm;
    if (aws_tells(w->model, words))
        return "the fault tells a secret";
    switch (f->error) {
    case ERROR_NETWORK: case ERROR_THROTTLED: case ERROR_REMOTE:
    case ERROR_CONFLICT:
        if (w->mix.spec.delete_source && w->mix.race)
            return NULL;  /* both read it back, and one says so */
        return w->calm ? "it fails though all is calm" : NULL;
    case ERROR_STOPPED:
        return w->calm && !w->mix.race ? "it stops though all is calm" : NULL;
    case ERROR_DENIED:
        return keys ? NULL : "denied, with good keys";
    case ERROR_CORRUPT:
        return w->remade || w->expired || w->mix.flips || robbed ||
                       world_is_damaged(w)
                   ? NULL : "it calls good data corrupt";
    case ERROR_MISSING:
        if (w->mix.merges && w->remade && !w->calm)
            return NULL;  /* an object is gone */
        if (robbed)
            return NULL;
        break;
    case ERROR_CONFIG:
        if (robbed)
            return NULL;
        break;
    case ERROR_USAGE:
    case ERROR_LIMIT: case ERROR_NONE:
        break;
    }
    return "it fails for no reason";
}

static void note_fault(struct world *w, const struct life *l)
{
    const struct fault *f = &l->archive.fault;
    (void)snprintf(w->told->words, sizeof w->told->words,
                   "error %d, %s, %s, %s, %s", (int)f->error,
                   f->what != NULL ? f->what : "-",
                   f->operation != NULL ? f->operation : "-", f->code,
                   f->words);
}

const char *world_life(struct world *w, const struct life *l)
{
    if (l->archive.key[0] != '\0')
        strcpy(w->key, l->archive.key);
    if (world_traces())
        fprintf(stderr, "-- life %zu is over: %s after %llu steps\n",
                (size_t)(l - w->life),
                l->state == LIFE_ENDED    ? l->archive.result.action
                : l->state == LIFE_FAILED ? "failed" : "killed",
                (unsigned long long)l->steps);
    if (l->state == LIFE_FAILED)
        note_fault(w, l);
    if (world_traces() && l->state == LIFE_FAILED)
        fprintf(stderr, "-- %s\n", w->told->words);
    if (l->transport.told > 0)
        return "a request tells a secret";
    const char *fault = world_shown(w);
    if (fault == NULL && l->state == LIFE_ENDED)
        fault = judge_archived(w);
    if (fault == NULL && l->state == LIFE_FAILED)
        fault = judge_failure(w, l);
    return fault;
}

/* In calm only the holder of the lease reads and writes. */
const char *world_lease(const struct world *w)
{
    uint32_t holders = 0;
    for (size_t i = 0; i < WORLD_LIVES; i++)
        holders += w->life[i].state == LIFE_LIVES &&
                   w->life[i].archive.state >= ARCHIVE_READING &&
                   w->life[i].archive.state <= ARCHIVE_RECEIPT;
    return w->calm && holders > 1 ? "two work on the day" : NULL;
}

