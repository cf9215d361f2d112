/* caller.h - a site, a call and a scripted transport, for two test programs. */
#ifndef FIRN_TESTS_CALLER_H
#define FIRN_TESTS_CALLER_H

#include "call/call.h"
#include "row.h"
#include "script.h"

#define NOON INT64_C(1793880000000)  /* 2026-11-05T12:00:00Z */
#define DATE "date: Thu, 05 Nov 2026 12:00:00 GMT\n"

static struct site site;
static struct call call;
static struct transport t;
static struct ring sink;
static uint8_t sink_bytes[256];
static struct now now;

static const struct operation filter = {
    .name = "logs:FilterLogEvents", .service = SITE_LOGS,
    .method = HTTP_POST, .target = "FilterLogEvents", .paced = true};
static const struct operation export = {
    .name = "logs:CreateExportTask", .service = SITE_LOGS,
    .method = HTTP_POST, .target = "CreateExportTask", .once = true};
static const struct operation put = {
    .name = "s3:PutObject", .service = SITE_S3, .method = HTTP_PUT};
static const struct operation head = {
    .name = "s3:GetObject", .service = SITE_S3, .method = HTTP_HEAD,
    .also_ok = 404};
static const struct operation identity = {
    .name = "sts:GetCallerIdentity", .service = SITE_STS,
    .method = HTTP_POST};

static inline void setup(const struct line *lines, const char *endpoint)
{
    struct settings s = {
        .env = {[SETTING_KEY_ID] = view_of("AKID"),
                [SETTING_SECRET] = view_of("secret"),
                [SETTING_REGION] = view_of("eu-west-1")}};
    struct site_options o = {.settings = &s, .rate = 10, .seed = 3,
                             .endpoint_url = view_of(endpoint)};
    struct fault fault = {0};
    memset(&t, 0, sizeof t);
    t.lines = lines;
    site.transport = &t;
    assert_true(site_init(&site, &o, &fault));
    ring_init(&sink, sink_bytes, sizeof sink_bytes);
    call_init(&call, &site, &sink);
    now = (struct now){NOON, 1000};
}

static inline void begin(const struct operation *operation)
{
    call_begin(&call, operation);
    if (operation->service == SITE_S3)
        call_key(&call, view_of("acme-logs"), view_of("a b.gz"));
}

static inline void pass(int64_t ms)
{
    now.wall_ms += ms;
    now.mono_ms += ms;
}

/* Steps, answers after 100 ms, and lets pauses pass, for a virtual day. */
static inline enum flow run(void)
{
    int64_t end = now.mono_ms + 86400000;
    while (now.mono_ms < end) {
        enum flow flow = call_step(&call, now);
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (flow == FLOW_MOVED)
            continue;
        int64_t wake = call_wake_ms(&call);
        if (script_answer(&t))
            pass(100);
        else if (wake == INT64_MAX)
            return flow;
        else
            pass(wake > now.mono_ms ? wake - now.mono_ms : 1);
    }
    return FLOW_WANT_EVENT;
}

#endif
