/* run_rig.h - whole runs over the simulated AWS, in virtual time.
 *
 * One bucket, a configuration; a run after the other, each a process of its
 * own. What was told is counted; what S3 holds afterwards is read back. */
#ifndef FIRN_TESTS_RUN_RIG_H
#define FIRN_TESTS_RUN_RIG_H

#include <stdlib.h>

#include "row.h"
#include "sim.h"
#include "task/run.h"

#define BUCKET "acme-logs"
#define HOUR   INT64_C(3600000)
#define NOON   INT64_C(1794225600000)  /* 2026-11-09T12:00:00Z */
#define ROOT   "111122223333/us-east-1/"

enum { RUN_STEPS_MOST = 20000000 };

static struct aws      *model;
static struct transport network;
static struct site      site;
static struct config    config;
static struct run       job;
static bool             plans;  /* nothing is to be done */
static uint64_t         run_seed;
static struct {
    uint32_t archives, failures, faults, retentions, verified;
    enum error error;     /* the last one */
    char     words[FAULT_WORDS_BYTES];
    struct text told;     /* the last day that was planned */
    char     told_bytes[FORECAST_BYTES];
} heard;

static inline void open_world(void)
{
    model = aws_new(1, "us-east-1", "111122223333");
    run_seed = 1;
    aws_create_bucket(model, BUCKET, NULL, NULL);
    CHECK(aws_set(model, "latency", 5));
}

static inline void close_world(void)
{
    aws_free(model);
}

/* What follows region and bucket: ", \"age_days\": 2" and so on. */
static inline void configure(const char *groups, const char *more)
{
    static _Alignas(8) uint8_t room[1 << 20];
    struct fault fault = {0};
    config.len = (uint32_t)snprintf(
        config.text, sizeof config.text,
        "{\"region\":\"us-east-1\",\"to\":\"s3://" BUCKET "/\","
        "\"groups\":[%s]%s}", groups, more);
    bool ok = config_read(&config, view_of("firn.json"),
                          (struct span){room, sizeof room}, &fault);
    if (!ok)
        fprintf(stderr, "%s\n", fault.words);
    assert_true(ok);
}

static inline void put_events(const char *group, int64_t from_ms, int count)
{
    char message[32];
    for (int i = 0; i < count; i++) {
        int64_t at_ms = from_ms + i * HOUR;
        int len = snprintf(message, sizeof message, "event %d", i);
        aws_put_event(model, group, "stream", at_ms, at_ms + 1000,
                      (struct aws_text){message, (size_t)len});
    }
}

static inline void hear_fault(const struct fault *fault)
{
    heard.error = fault->error;
    memcpy(heard.words, fault->words, sizeof heard.words);
}

static inline void hear(struct visit *v)
{
    bool failed = v->flow == FLOW_FAILED;
    switch (v->told) {
    case VISIT_NOTHING: break;
    case VISIT_ARCHIVE:
        heard.archives += !failed;
        heard.failures += failed;
        if (failed)
            hear_fault(&v->archive.fault);
        break;
    case VISIT_RETENTION:
        heard.retentions += !failed;
        heard.failures += failed;
        if (failed)
            hear_fault(&v->retention.fault);
        break;
    case VISIT_VERIFY:
        heard.verified += v->verified->fault.error == ERROR_NONE;
        break;
    case VISIT_FAULT:
        heard.faults++;
        hear_fault(&v->fault);
        break;
    case VISIT_DUE:
        heard.told.len = 0;
        forecast_tell(&job.forecast, v, &heard.told, OUTPUT_JSON);
        break;
    }
    visit_take(v);
}

/* Until it ends; after so many steps it is asked to stop. Its exit code. */
static inline int run_for(int64_t wall_ms, bool dry_run, uint64_t stop_at)
{
    const struct run_options options = {
        .tour = {.site = &site, .config = &config}, .dry_run = dry_run,
        .plan = plans,
    };
    memset(&heard, 0, sizeof heard);
    text_init(&heard.told, heard.told_bytes, sizeof heard.told_bytes);
    memset(&site, 0, sizeof site);
    sim_init(&network, model, run_seed++, wall_ms);
    sim_site(&site, &network, 1000, run_seed);
    run_init(&job, &options);
    for (uint64_t step = 0;; step++) {
        if (step == stop_at)
            run_stop(&job);
        enum flow flow = run_step(&job, sim_now(&network));
        assert_true(step < RUN_STEPS_MOST);
        if (flow == FLOW_ENDED)
            break;
        if (flow == FLOW_WANT_ROOM)
            hear(&job.visit);
        else if (flow != FLOW_MOVED)
            assert_true(sim_advance(&network, run_wake_ms(&job)));
    }
    assert_true(stop_at != UINT64_MAX || !sim_busy(&network));
    sim_kill(&network);
    return job.exit_code;
}

static inline int run_at(int64_t wall_ms)
{
    return run_for(wall_ms, false, UINT64_MAX);
}

static inline uint64_t asked(const char *operation)
{
    return aws_counted(model, operation).requests;
}

/* The receipt under that key of the bucket. */
static inline bool receipt_of(const char *key, struct receipt *r)
{
    static char strings_room[RECEIPT_STRINGS_BYTES];
    static uint8_t bytes[RECEIPT_BYTES];
    struct aws_object_info info;
    struct text strings;
    struct fault fault = {0};
    if (!aws_object(model, BUCKET, key, &info))
        return false;
    size_t len = aws_object_bytes(model, BUCKET, key, 0, bytes, sizeof bytes);
    text_init(&strings, strings_room, sizeof strings_room);
    assert_true(receipt_read(r, (struct view){bytes, (uint32_t)len}, &strings,
                             &fault));
    return true;
}

/* "GROUP/dt=DAY" without the leading slash. */
static inline bool day_of(const char *day, struct receipt *r)
{
    char key[256];
    (void)snprintf(key, sizeof key, ROOT "%s/_events.receipt.json", day);
    return receipt_of(key, r);
}

static inline const char *state_of(const char *day)
{
    struct receipt r;
    return day_of(day, &r) ? receipt_state_name[r.state] : "";
}

static inline size_t object_count(void)
{
    struct aws_object_info info;
    size_t count = 0;
    while (aws_object_at(model, BUCKET, count, &info))
        count++;
    return count;
}

/* Do the windows of all receipts, in the order of their keys, adjoin? Then
 * they reach from *from to *until. */
static inline bool windows_adjoin(int64_t *from_ms, int64_t *until_ms)
{
    struct aws_object_info info;
    struct receipt r;
    char key[256];
    *from_ms = *until_ms = 0;
    for (size_t i = 0; aws_object_at(model, BUCKET, i, &info); i++) {
        (void)snprintf(key, sizeof key, "%.*s", (int)info.key.len,
                       info.key.at);
        if (strstr(key, ".receipt.json") == NULL)
            continue;
        assert_true(receipt_of(key, &r));
        if (*from_ms != 0 && r.from_ms != *until_ms)
            return false;
        if (*from_ms == 0)
            *from_ms = r.from_ms;
        *until_ms = r.until_ms;
    }
    return true;
}

static inline void list_windows(void)
{
    struct aws_object_info info;
    struct receipt r;
    char key[256], line[128];
    for (size_t i = 0; aws_object_at(model, BUCKET, i, &info); i++) {
        struct text t;
        (void)snprintf(key, sizeof key, "%.*s", (int)info.key.len,
                       info.key.at);
        if (strstr(key, ".receipt.json") == NULL || !receipt_of(key, &r))
            continue;
        text_init(&t, line, sizeof line);
        date_rfc3339(&t, r.from_ms);
        text_str(&t, " to ");
        date_rfc3339(&t, r.until_ms);
        fprintf(stderr, "  %s  %s %s\n", line, receipt_state_name[r.state],
                key);
    }
}

#endif
