/* archive_rig.h - whole archive jobs over the simulated AWS, in virtual time.
 *
 * One group, one day, one bucket; a job after the other, each a process of its
 * own. What S3 holds afterwards is read back. */
#ifndef FIRN_TESTS_ARCHIVE_RIG_H
#define FIRN_TESTS_ARCHIVE_RIG_H

#include <stdlib.h>

#include "fetch/inflate.h"
#include "row.h"
#include "sim.h"
#include "task/archive.h"

#define DAY_FROM INT64_C(1794182400000)  /* 2026-11-09 */
#define GROUP    "/sim/group"
#define OBJECT   "events.ndjson.gz"
#define RECEIPT  "_events.receipt.json"
#define LEASE    "_events.checkpoint.json"

enum {
    HOUR_MS = 3600000, UNTIL_AGE_MS = DAY_MS,  /* the day's length */
    SPINS_MOST = 5000, STEPS_MOST = 3000000,
};

static struct aws      *model;
static struct transport network;
static struct site      site;
static struct spec      spec;
static struct archive   job;
static uint64_t         job_steps;  /* of the last one */
static uint64_t         job_seed;

static inline void put_event(const char *stream, int64_t at_ms,
                             int64_t ingestion_ms, const char *message)
{
    aws_put_event(model, GROUP, stream, at_ms, ingestion_ms,
                  (struct aws_text){message, strlen(message)});
}

/* Two streams of ten events each. */
static inline void put_day(void)
{
    char message[32];
    for (int i = 0; i < 20; i++) {
        int64_t at_ms = DAY_FROM + i * (int64_t)HOUR_MS;
        (void)snprintf(message, sizeof message, "event %d", i);
        put_event(i % 2 == 0 ? "even" : "odd", at_ms, at_ms + 1000, message);
    }
}

static inline void open_world(void)
{
    model = aws_new(1, "us-east-1", "111122223333");
    job_seed = 1;
    aws_create_bucket(model, "sim-bucket", NULL, NULL);
    aws_create_group(model, GROUP, DAY_FROM - DAY_MS);
    CHECK(aws_set(model, "latency", 20));
    spec = (struct spec){.from_ms = DAY_FROM, .until_ms = DAY_FROM + DAY_MS,
                         .day = DAY_FROM / DAY_MS, .whole_day = true,
                         .checksum = true};
    strcpy(spec.group, GROUP);
    strcpy(spec.bucket, "sim-bucket");
    strcpy(spec.key, "events.{ext}");
    strcpy(spec.timezone, "UTC");
}

static inline void close_world(void)
{
    aws_free(model);
}

static inline void begin_job(int64_t wall_ms)
{
    memset(&site, 0, sizeof site);
    sim_init(&network, model, job_seed++, wall_ms);
    sim_site(&site, &network, 20, job_seed);
    archive_init(&job, &site, &spec);
    job_steps = 0;
}

/* Until it ends, or has taken so many steps: FLOW_MOVED then. */
static inline enum flow go_on(uint64_t most)
{
    for (uint32_t spins = 0; job_steps < most;) {
        enum flow flow = archive_step(&job, sim_now(&network));
        job_steps++;
        assert_true(job_steps < STEPS_MOST);
        if (flow == FLOW_ENDED || flow == FLOW_FAILED) {
            sim_kill(&network);
            return flow;
        }
        if (flow == FLOW_MOVED)
            continue;
        int64_t wake = archive_wake_ms(&job);
        spins = wake <= network.mono_ms ? spins + 1 : 0;
        assert_true(spins < SPINS_MOST);
        assert_true(sim_advance(&network, wake));
    }
    return FLOW_MOVED;
}

static inline enum flow run_job(int64_t wall_ms)
{
    begin_job(wall_ms);
    return go_on(UINT64_MAX);
}

/* A job that dies after so many steps. */
static inline enum flow kill_job(int64_t wall_ms, uint64_t steps)
{
    begin_job(wall_ms);
    enum flow flow = go_on(steps);
    sim_kill(&network);
    return flow;
}

static inline bool action_is(const char *action)
{
    return strcmp(job.result.action, action) == 0;
}

/* ETag and time of what is there; "" if nothing. */
static inline const char *name_of(const char *key)
{
    static char names[8][160];
    static uint32_t next;
    struct aws_object_info info;
    char *name = names[next++ % 8];
    name[0] = '\0';
    if (aws_object(model, "sim-bucket", key, &info))
        (void)snprintf(name, 160, "%.*s %lld", (int)info.etag.len,
                       info.etag.at, (long long)info.modified);
    return name;
}

static inline bool is_there(const char *key)
{
    return name_of(key)[0] != '\0';
}

static inline struct receipt receipt_there(void)
{
    static char strings_room[RECEIPT_STRINGS_BYTES];
    static uint8_t bytes[RECEIPT_BYTES];
    struct receipt r;
    struct text strings;
    struct fault fault = {0};
    size_t len = aws_object_bytes(model, "sim-bucket", RECEIPT, 0, bytes,
                                  sizeof bytes);
    text_init(&strings, strings_room, sizeof strings_room);
    assert_true(receipt_read(&r, (struct view){bytes, (uint32_t)len},
                             &strings, &fault));
    return r;
}

static inline bool view_has(struct view v, const char *part)
{
    uint32_t len = (uint32_t)strlen(part);
    for (uint32_t at = 0; at + len <= v.len; at++)
        if (memcmp(v.at + at, part, len) == 0)
            return true;
    return len == 0;
}

/* Inflates what is under the key, of any form; its length. */
static inline uint32_t read_back(const char *key, struct span out)
{
    static struct inflate_workspace workspace;
    static uint8_t in_bytes[1 << 16], raw_bytes[1 << 16];
    struct inflate z;
    struct ring in, raw;
    struct fault fault = {0};
    uint32_t len = 0;
    uint64_t at = 0;

    ring_init(&in, in_bytes, sizeof in_bytes);
    ring_init(&raw, raw_bytes, sizeof raw_bytes);
    inflate_init(&z, &workspace, INFLATE_ANY, &fault);
    for (enum flow flow = FLOW_MOVED; flow != FLOW_ENDED;) {
        struct span room = ring_reserve(&in);
        size_t got = in.ended ? 0 : aws_object_bytes(model, "sim-bucket", key,
                                                     at, room.at, room.len);
        at += got;
        ring_commit(&in, (uint32_t)got);
        if (got < room.len && !in.ended)
            ring_end(&in);
        flow = z.stage.step(&z.stage, &in, &raw, (struct now){0});
        assert_int_not_equal(flow, FLOW_FAILED);
        for (struct view v; (v = ring_peek(&raw)).len > 0;) {
            assert_true(v.len <= out.len - len);
            memcpy(out.at + len, v.at, v.len);
            len += v.len;
            ring_consume(&raw, v.len);
        }
    }
    assert_false(z.trailing);
    return len;
}

/* Nothing but object and receipt. */
static inline bool is_tidy(void)
{
    struct aws_object_info info;
    return aws_open_uploads(model, "sim-bucket") == 0 && !is_there(LEASE) &&
           !aws_object_at(model, "sim-bucket", 2, &info);
}

#endif
