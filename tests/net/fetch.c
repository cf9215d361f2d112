/* fetch.c - the transport alone, as a command: for tests and measurements.
 *
 *     fetch METHOD URL [ca=FILE] [body=BYTES] [times=N] [parallel=N]
 *           [ring=BYTES] [slow=BYTES] [after_ms=N] [fail=NTH] [sandbox=1]
 *           [patient=1] [once=1] [timeout_ms=N] [hold_ms=N]
 *
 * A line for each exchange: "200 bytes=.. sum=.. sent=.. reused=.. error=..",
 * `sum` being the Adler-32 (RFC 1950) of a body that reached the sink, or
 * "failed CODE WORDS"; then one of figures. `slow` bytes are taken from a sink
 * at a time; for `hold_ms` none are; `after_ms` is waited between exchanges;
 * `fail` makes the nth allocation after the start fail. Exit code 0, or 69 if
 * one failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "lock.h"
#include "pool.h"
#include "posix.h"
#include "transport_curl.h"

enum {
    LANES = CFG_SOCKET_COUNT, RING_BYTES = 65536, SLICE_BYTES = 32768,
    SLICES = 256,
};

static struct {
    struct transport     transport;
    struct http_exchange x[LANES];
    struct ring          ring[LANES];
    uint8_t              bytes[LANES][RING_BYTES];
    struct view          slices[SLICES];
    uint8_t              body[SLICE_BYTES];
    uint32_t             sum[LANES][2];
    uint64_t             received, sent, polls;
    uint32_t             begun, ended, failed;
} job;

static struct options {
    const char *ca;
    uint64_t    body, times, parallel, ring, slow, after_ms, fail, sandbox,
                patient, once, timeout_ms, hold_ms;
} options = {.times = 1, .parallel = 1, .ring = RING_BYTES};

static void option(const char *arg)
{
    const struct {
        const char *name;
        uint64_t   *value;
    } numbers[] = {
        {"body=", &options.body}, {"times=", &options.times},
        {"parallel=", &options.parallel}, {"ring=", &options.ring},
        {"slow=", &options.slow}, {"after_ms=", &options.after_ms},
        {"fail=", &options.fail}, {"sandbox=", &options.sandbox},
        {"patient=", &options.patient}, {"once=", &options.once},
        {"timeout_ms=", &options.timeout_ms}, {"hold_ms=", &options.hold_ms},
    };
    if (strncmp(arg, "ca=", 3) == 0)
        options.ca = arg + 3;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strncmp(arg, numbers[i].name, strlen(numbers[i].name)) == 0)
            *numbers[i].value =
                strtoull(strchr(arg, '=') + 1, NULL, 10);
}

static enum http_method method_of(const char *name)
{
    for (enum http_method m = HTTP_GET; m <= HTTP_DELETE; m++)
        if (strcasecmp(name, http_method_name[m]) == 0)
            return m;
    return HTTP_GET;
}

static uint32_t make_slices(void)
{
    uint64_t left = options.body;
    uint32_t count = 0;
    for (; left > 0; count++) {
        uint32_t len = left < SLICE_BYTES ? (uint32_t)left : SLICE_BYTES;
        CHECK(count < SLICES);
        job.slices[count] = (struct view){job.body, len};
        left -= len;
    }
    return count;
}

static void begin(uint32_t i, const char *method, const char *url)
{
    struct http_exchange *x = &job.x[i];
    x->request = (struct http_request){
        .method = method_of(method), .url = url,
        .headers = "x-amz-test:1\ncontent-type:text/plain\n",
        .body = job.slices, .body_count = make_slices(),
        .body_bytes = options.body, .patient = options.patient != 0,
        .timeout_ms = (uint32_t)options.timeout_ms,
        .once = options.once != 0,
    };
    x->sink = &job.ring[i];
    job.sum[i][0] = 1;
    job.sum[i][1] = 0;
    http_reset(x);
    CHECK(transport_start(&job.transport, x));
    job.begun++;
}

static void add(uint32_t sum[2], struct view v)
{
    for (uint32_t i = 0; i < v.len && options.times <= 64; i++) {
        sum[0] = (sum[0] + v.at[i]) % 65521;
        sum[1] = (sum[1] + sum[0]) % 65521;
    }
}

static void drain(uint32_t i)
{
    struct view v;
    while ((v = ring_peek(&job.ring[i])).len > 0) {
        bool slow = options.slow != 0 && v.len > options.slow;
        uint32_t len = slow ? (uint32_t)options.slow : v.len;
        add(job.sum[i], view_slice(v, 0, len));
        ring_consume(&job.ring[i], len);
        if (slow)
            break;
    }
}

static void end(uint32_t i)
{
    struct http_exchange *x = &job.x[i];
    struct timespec pause = {(time_t)(options.after_ms / 1000),
                             (long)(options.after_ms % 1000) * 1000000};
    job.received += x->received;
    job.sent += x->sent;
    job.ended++;
    if (x->state == HTTP_FAILED)
        printf("failed %d %s\n", x->failure, x->failure_text);
    else if (options.times <= 64)
        printf("%d bytes=%llu sum=%08x sent=%llu reused=%d error=%.*s\n",
               x->reply.status, (unsigned long long)x->received,
               job.sum[i][1] << 16 | job.sum[i][0],
               (unsigned long long)x->sent, x->reused, (int)x->error_len,
               x->error);
    fflush(stdout);
    job.failed += x->state == HTTP_FAILED;
    http_reset(x);
    if (options.after_ms > 0)
        nanosleep(&pause, NULL);
}

static int64_t wait_ms(int64_t begun_ms)
{
    int64_t held_ms = posix_now().mono_ms - begun_ms;
    if (held_ms < (int64_t)options.hold_ms)
        return (int64_t)options.hold_ms - held_ms;
    return options.slow ? 1 : 60000;
}

static bool run(const char *method, const char *url)
{
    struct pollfd signals = {.fd = posix_signals_fd(), .events = POLLIN};
    int64_t begun_ms = posix_now().mono_ms;
    while (job.ended < options.times) {
        for (uint32_t i = 0; i < options.parallel; i++)
            if (job.x[i].state == HTTP_IDLE && job.begun < options.times)
                begin(i, method, url);
        transport_poll(&job.transport, &signals, 1, wait_ms(begun_ms));
        job.polls++;
        if ((posix_signals_take() & SIGNAL_STOP) != 0)
            return false;
        if (posix_now().mono_ms - begun_ms < (int64_t)options.hold_ms)
            continue;
        for (uint32_t i = 0; i < options.parallel; i++) {
            drain(i);
            if (job.x[i].state >= HTTP_DONE && ring_len(&job.ring[i]) == 0)
                end(i);
        }
    }
    return true;
}

static void lock(void)
{
    static char line[2048];
    struct lock_report report;
    struct text t;
    text_init(&t, line, sizeof line);
    lock_touch();
    lock_enter(true, &report);
    lock_describe(&report, &t);
    fputs(line, stderr);
}

int main(int argc, char **argv)
{
    struct fault fault = {0};
    struct posix_usage before, after;
    struct transport_options o = {.user_agent = "firn/test"};
    double gb;
    CHECK(argc >= 3);
    for (int i = 3; i < argc; i++)
        option(argv[i]);
    o.ca_bundle = options.ca;
    posix_signals_init(false);
    if (!transport_init(&job.transport, &o, &fault)) {
        printf("%s: %s\n", fault.what, fault.words);
        return fault_exit(fault.error);
    }
    for (uint32_t i = 0; i < LANES; i++)
        ring_init(&job.ring[i], job.bytes[i], (uint32_t)options.ring);
    if (options.sandbox != 0)
        lock();
    pool_fail(options.fail);
    before = posix_usage();
    if (!run(argv[1], argv[2]))
        printf("stopped\n");
    for (uint32_t i = 0; i < LANES; i++)
        transport_cancel(&job.transport, &job.x[i]);
    after = posix_usage();
    gb = (double)(job.received + job.sent) / 1e9;
    printf("gb=%.3f cpu_ms=%lld cpu_s_per_gb=%.3f polls=%llu "
           "rss_peak=%llu pool_peak=%u pool_used=%u refused=%u\n",
           gb, (long long)(after.cpu_ms - before.cpu_ms),
           gb > 0 ? (double)(after.cpu_ms - before.cpu_ms) / 1e3 / gb : 0.0,
           (unsigned long long)job.polls,
           (unsigned long long)after.rss_peak_bytes, pool_use().peak,
           pool_use().used, pool_use().failures);
    return job.failed > 0 ? 69 : 0;
}
