/* lease_rig.h - several runs that want one lease, in virtual time.
 *
 * For test_lease.c and test_lease_faults.c. Each run has its own clock and
 * network (sim.h) before the same S3; those asleep are not stepped. */
#ifndef FIRN_TESTS_LEASE_RIG_H
#define FIRN_TESTS_LEASE_RIG_H

#include "base/crc.h"
#include "row.h"
#include "ship/lease.h"
#include "sim.h"

enum { RUNS = 3, ROOM = 4096, STEPS_MOST = 100000 };
#define START INT64_C(1794182400000)  /* 2026-11-09 */
#define KEY "a/_events.checkpoint.json"

static struct run {
    struct transport transport;
    struct site  site;
    struct call  reader;
    struct ring  ring;
    struct lease lease;
    struct view  bucket, key;
    bool         asleep;
    uint32_t     serial;
    char         text[64];        /* what it writes */
    uint8_t      ring_bytes[32768], room[ROOM];
} runs[RUNS];

static struct aws *model;
static int64_t mono_ms;

static inline void pass(int64_t ms)
{
    mono_ms += ms;
    for (int i = 0; i < RUNS; i++)
        if (runs[i].transport.mono_ms < mono_ms)
            runs[i].transport.mono_ms = mono_ms;
}

static inline void open_world(void)
{
    model = aws_new(1, "us-east-1", "111122223333");
    mono_ms = 0;
    aws_create_bucket(model, "archive", NULL, NULL);
    assert_true(aws_set(model, "latency", 20));
    for (int i = 0; i < RUNS; i++) {
        struct run *r = &runs[i];
        memset(r, 0, sizeof *r);
        sim_init(&r->transport, model, 7 + (uint64_t)i, START);
        sim_site(&r->site, &r->transport, 10, 3 + (uint64_t)i);
        r->bucket = view_of("archive");
        r->key = view_of(KEY);
        ring_init(&r->ring, r->ring_bytes, sizeof r->ring_bytes);
        call_init(&r->reader, &r->site, &r->ring);
        lease_init(&r->lease, &r->site, r->bucket, r->key, true);
    }
}

static inline void close_world(void)
{
    for (int i = 0; i < RUNS; i++)
        sim_kill(&runs[i].transport);
    aws_free(model);
}

static inline struct now now_of(const struct run *r)
{
    return sim_now(&r->transport);
}

static inline void look(struct run *r)
{
    lease_look(&r->lease, &r->reader, (struct span){r->room, ROOM});
}

static inline struct view text_of(struct run *r)
{
    (void)snprintf(r->text, sizeof r->text, "run %d, write %u",
                   (int)(r - runs), ++r->serial);
    return view_of(r->text);
}

static inline void take(struct run *r)
{
    lease_take(&r->lease, text_of(r), now_of(r));
}

static inline void renew(struct run *r)
{
    lease_write(&r->lease, text_of(r), now_of(r));
}

static inline bool is_due(const struct run *r)
{
    return lease_is_due(&r->lease, now_of(r), LEASE_RENEW_MS);
}

/* Steps it till nothing moves; whether it waits for something. */
static inline bool step(struct run *r)
{
    enum flow flow = FLOW_MOVED;
    for (int i = 0; i < STEPS_MOST && flow == FLOW_MOVED; i++)
        flow = lease_step(&r->lease, now_of(r));
    assert_int_not_equal(flow, FLOW_MOVED);
    if (flow == FLOW_ENDED)
        call_cancel(&r->reader);
    return flow == FLOW_WANT_EVENT;
}

static inline bool waits(const struct run *r)
{
    return !r->asleep && r->lease.state != LEASE_FREE &&
           r->lease.state != LEASE_SEEN && r->lease.state != LEASE_HELD &&
           r->lease.state < LEASE_LOST;
}

/* The next thing happens to one of them, all at the same time. */
static inline void advance(void)
{
    struct run *first = NULL;
    int64_t due = INT64_MAX;
    for (int i = 0; i < RUNS; i++)
        if (waits(&runs[i])) {
            int64_t at = lease_wake_ms(&runs[i].lease);
            first = first == NULL || at < due ? &runs[i] : first;
            due = at < due ? at : due;
        }
    for (int i = 0; i < RUNS; i++)
        if (waits(&runs[i]) && sim_busy(&runs[i].transport))
            first = &runs[i], due = mono_ms + 1 < due ? mono_ms + 1 : due;
    assert_non_null(first);
    assert_true(due < INT64_MAX);
    pass(due > mono_ms ? due - mono_ms : 1);
    for (int i = 0; i < RUNS; i++)
        if (waits(&runs[i]) && sim_busy(&runs[i].transport))
            (void)sim_advance(&runs[i].transport, mono_ms);
}

/* Until none of them waits any more, or so much time has passed. */
static inline void go(int64_t most_ms)
{
    int64_t until = most_ms < INT64_MAX - mono_ms ? mono_ms + most_ms
                                                  : INT64_MAX;
    for (int i = 0; i < STEPS_MOST && mono_ms < until; i++) {
        bool waiting = false;
        for (int k = 0; k < RUNS; k++)
            if (waits(&runs[k]))
                waiting |= step(&runs[k]);
        if (!waiting)
            return;
        advance();
    }
    assert_true(mono_ms >= until);
}

static inline enum lease_state try(struct run *r)
{
    look(r);
    go(INT64_MAX);
    if (r->lease.state == LEASE_SEEN)
        take(r);
    go(INT64_MAX);
    return r->lease.state;
}

static inline bool there(void)
{
    struct aws_object_info info;
    return aws_object(model, "archive", KEY, &info);
}

/* What is there; "" if nothing. */
static inline const char *shown(void)
{
    static char text[128];
    size_t len = there() ? aws_object_bytes(model, "archive", KEY, 0, text,
                                            sizeof text - 1) : 0;
    text[len] = '\0';
    return text;
}

#endif
