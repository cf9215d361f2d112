/* aws.c - the model as a whole: made, set, looked into, freed. */
#include "group.h"
#include "logs.h"
#include "s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTING_NAME(id, name, value) name,
static const char *const setting_name[] = {AWS_SETTINGS(SETTING_NAME)};
#undef SETTING_NAME
#define SETTING_VALUE(id, name, value) value,
static const int64_t setting_value[] = {AWS_SETTINGS(SETTING_VALUE)};
#undef SETTING_VALUE

uint64_t aws_random(struct aws_rng *r)
{
    r->state += 0x9e3779b97f4a7c15u;
    return aws_mix(r->state);
}

bool aws_chance(struct aws_rng *r, int64_t permille)
{
    return permille > 0 && (int64_t)(aws_random(r) % 1000) < permille;
}

struct aws *aws_new(uint64_t seed, const char *region, const char *account)
{
    struct aws *m = aws_alloc(sizeof *m);
    m->seed = aws_mix(seed);
    m->rng.state = aws_mix(m->seed);
    m->region = aws_dup(aws_str(region));
    m->account = aws_dup(aws_str(account));
    memcpy(m->setting, setting_value, sizeof setting_value);
    for (int i = 0; i < AWS_OP_COUNT; i++) m->latency[i] = -1;
    return m;
}

void aws_free(struct aws *m)
{
    for (size_t i = 0; i < m->key_count; i++) {
        free(m->keys[i].id);
        free(m->keys[i].secret);
        free(m->keys[i].token);
    }
    aws_free_groups(m);
    aws_free_exports(m);
    aws_free_buckets(m);
    aws_free_faults(m);
    aws_free_buf(&m->metadata_token);
    aws_free_buf(&m->spare);
    free(m->keys);
    free(m->region);
    free(m->account);
    free(m);
}

static bool set_by_operation(struct aws *m, struct aws_text kind,
                             struct aws_text name, int64_t value)
{
    enum aws_op op;
    bool all = aws_is(name, "*");
    bool rate = aws_is(kind, "rate"), burst = aws_is(kind, "burst");
    if (!rate && !burst && !aws_is(kind, "latency")) return false;
    if (!all && !aws_op_of(name, &op)) return false;
    for (int i = 0; i < AWS_OP_COUNT; i++) {
        struct aws_bucket_rate *r = &m->rate[i];
        if (all ? i == AWS_OP_Control : i != (int)op) continue;
        if (!rate && !burst) {
            m->latency[i] = value;
            continue;
        }
        if (rate) r->per_second = value;
        r->burst = value;
        r->millis = r->burst * 1000;
    }
    return true;
}

bool aws_set(struct aws *m, const char *name, int64_t value)
{
    struct aws_text text = aws_str(name), of;
    struct aws_text kind = aws_cut(text, ':', &of);
    if (of.at != NULL) return set_by_operation(m, kind, of, value);
    for (int i = 0; i < AWS_SET_COUNT; i++) {
        if (strcmp(setting_name[i], name) != 0) continue;
        m->setting[i] = value;
        return true;
    }
    return false;
}

int64_t aws_get(const struct aws *m, const char *name)
{
    for (int i = 0; i < AWS_SET_COUNT; i++)
        if (strcmp(setting_name[i], name) == 0) return m->setting[i];
    aws_must(false);
    return 0;
}

void aws_add_key(struct aws *m, const char *id, const char *secret,
                 const char *token, int64_t expires)
{
    m->keys = aws_grow(m->keys, (m->key_count + 1) * sizeof m->keys[0]);
    m->keys[m->key_count++] = (struct aws_key){
        aws_dup(aws_str(id)), aws_dup(aws_str(secret)),
        token != NULL ? aws_dup(aws_str(token)) : NULL, expires};
}

/* By its beginning, which no escaping changes. */
static bool tells(struct aws_text t, const char *secret)
{
    enum { BEGINNING = 12 };
    char beginning[BEGINNING + 1];
    if (secret == NULL || strlen(secret) < BEGINNING) return false;
    memcpy(beginning, secret, BEGINNING);
    beginning[BEGINNING] = '\0';
    return aws_has(t, beginning);
}

bool aws_tells(const struct aws *m, struct aws_text t)
{
    for (size_t i = 0; i < m->key_count; i++)
        if (tells(t, m->keys[i].secret) || tells(t, m->keys[i].token))
            return true;
    return false;
}

const struct aws_key *aws_issue_key(struct aws *m, int64_t expires)
{
    char id[32], secret[48], token[320];
    uint64_t a = aws_mix(m->seed ^ (m->key_count + 1) * 77);
    uint64_t b = aws_mix(a), c = aws_mix(b);
    (void)snprintf(id, sizeof id, "ASIA%016llX", (unsigned long long)a);
    (void)snprintf(secret, sizeof secret, "s%016llx+/%016llx",
                   (unsigned long long)b, (unsigned long long)c);
    (void)snprintf(token, sizeof token, "IQoJ%0296llx//+==",
                   (unsigned long long)aws_mix(c));
    aws_add_key(m, id, secret, token, expires);
    return &m->keys[m->key_count - 1];
}

static struct aws_bucket *need_bucket(struct aws *m, const char *name)
{
    struct aws_bucket *b = aws_find_bucket(m, aws_str(name));
    aws_must(b != NULL);
    return b;
}

static void fill_info(const struct aws_bucket *b, const struct aws_object *o,
                      struct aws_object_info *info)
{
    *info = (struct aws_object_info){
        aws_str(b->name), o->key, aws_str(o->etag),
        aws_str(o->attributes.class), o->content.size, o->content.crc64,
        o->modified, o->content.kept};
}

bool aws_object(struct aws *m, const char *bucket, const char *key,
                struct aws_object_info *info)
{
    struct aws_bucket *b = need_bucket(m, bucket);
    const struct aws_object *o = aws_find_object(b, aws_str(key));
    if (o != NULL) fill_info(b, o, info);
    return o != NULL;
}

bool aws_object_at(struct aws *m, const char *bucket, size_t index,
                   struct aws_object_info *info)
{
    struct aws_bucket *b = need_bucket(m, bucket);
    if (index >= b->object_count) return false;
    fill_info(b, b->object[index], info);
    return true;
}

size_t aws_object_bytes(struct aws *m, const char *bucket, const char *key,
                        uint64_t offset, void *to, size_t room)
{
    const struct aws_object *o = aws_find_object(need_bucket(m, bucket),
                                                 aws_str(key));
    char *at = to;
    size_t made = 0;
    aws_must(o != NULL && o->content.kept);
    for (size_t i = 0; i < o->content.segment_count && made < room; i++) {
        const struct aws_segment *s = &o->content.segment[i];
        if (offset >= s->len) {
            offset -= s->len;
            continue;
        }
        size_t part = (size_t)(s->len - offset);
        if (part > room - made) part = room - made;
        memcpy(at + made, s->blob->bytes + s->from + offset, part);
        made += part;
        offset = 0;
    }
    return made;
}

void aws_add_object(struct aws *m, const char *bucket, const char *key,
                    struct aws_text bytes, int64_t now)
{
    aws_store_bytes(m, need_bucket(m, bucket), key, bytes, now);
}

bool aws_delete_object(struct aws *m, const char *bucket, const char *key,
                       int64_t now)
{
    (void)now;
    return aws_unstore(m, need_bucket(m, bucket), aws_str(key));
}

size_t aws_open_uploads(struct aws *m, const char *bucket)
{
    return need_bucket(m, bucket)->upload_count;
}

void aws_expire_uploads(struct aws *m, const char *bucket)
{
    struct aws_bucket *b = need_bucket(m, bucket);
    while (b->upload_count > 0)
        aws_free_upload(b->upload[--b->upload_count]);
}

size_t aws_open_parts(struct aws *m, const char *bucket)
{
    const struct aws_bucket *b = need_bucket(m, bucket);
    size_t parts = 0;
    for (size_t i = 0; i < b->upload_count; i++)
        parts += b->upload[i]->part_count;
    return parts;
}

struct aws_count aws_counted(struct aws *m, const char *operation)
{
    struct aws_count sum = {0};
    enum aws_op op = AWS_OP_COUNT;
    if (strcmp(operation, "*") != 0)
        aws_must(aws_op_of(aws_str(operation), &op));
    for (int i = 0; i < AWS_OP_COUNT; i++) {
        if (op != AWS_OP_COUNT ? i != (int)op : i == AWS_OP_Control) continue;
        sum.requests += m->count[i].requests;
        sum.throttled += m->count[i].throttled;
        sum.failed += m->count[i].failed;
    }
    return sum;
}

void aws_stats(struct aws *m, struct aws_buf *out)
{
    size_t uploads = 0, objects = 0;
    for (size_t i = 0; i < m->bucket_count; i++) {
        uploads += m->buckets[i]->upload_count;
        objects += m->buckets[i]->object_count;
    }
    aws_printf(out, "{\"bytes_in\":%llu,\"bytes_out\":%llu,"
               "\"open_uploads\":%zu,\"objects\":%zu,\"operations\":{",
               (unsigned long long)m->bytes_in,
               (unsigned long long)m->bytes_out, uploads, objects);
    const char *comma = "";
    for (int i = 0; i < AWS_OP_COUNT; i++) {
        const struct aws_count *c = &m->count[i];
        if (c->requests == 0) continue;
        aws_printf(out, "%s\"%s\":{\"requests\":%llu,\"throttled\":%llu,"
                   "\"failed\":%llu}", comma, aws_op_name[i],
                   (unsigned long long)c->requests,
                   (unsigned long long)c->throttled,
                   (unsigned long long)c->failed);
        comma = ",";
    }
    aws_puts(out, "}}\n");
}
