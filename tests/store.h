/* store.h - a bucket in the model's S3, for a test of what reads one.
 *
 * One at a time, in virtual time; "bkt" is there and empty. */
#ifndef FIRN_TESTS_STORE_H
#define FIRN_TESTS_STORE_H

#include "call/call.h"
#include "row.h"
#include "sim.h"

#define STORE_NOW_MS 1795435200000  /* 2026-11-23T12:00:00Z */

static struct transport net;
static struct site      site;
static struct call      store_call;

static inline void store_open(uint64_t seed)
{
    struct aws *m = aws_new(seed, "us-east-1", "123456789012");
    aws_create_bucket(m, "bkt", NULL, NULL);
    sim_init(&net, m, seed, STORE_NOW_MS);
    sim_site(&site, &net, 0, seed);
    site.give_up_ms = 60000;
    call_init(&store_call, &site, NULL);
}

static inline void store_close(void)
{
    sim_kill(&net);
    aws_free(net.model);
}

/* Puts an object, of a class or where that is NULL of none; its ETag. */
static inline const char *store_put(const char *key, struct view bytes,
                                    const char *class)
{
    static const struct operation put = {
        .name = "s3:PutObject", .service = SITE_S3, .method = HTTP_PUT,
    };
    enum flow flow = FLOW_MOVED;
    call_begin(&store_call, &put);
    call_key(&store_call, view_of("bkt"), view_of(key));
    if (class != NULL)
        call_header(&store_call, "x-amz-storage-class", view_of(class));
    call_slices(&store_call, &bytes, 1, bytes.len);
    while (flow == FLOW_MOVED ||
           (flow == FLOW_WANT_EVENT &&
            sim_advance(&net, call_wake_ms(&store_call))))
        flow = call_step(&store_call, sim_now(&net));
    assert_int_equal(flow, FLOW_ENDED);
    return store_call.exchange.reply.etag;
}

#endif
