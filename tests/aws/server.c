/* server.c - the tests' AWS as an HTTP(S) server on the loopback.
 *
 * One thread, libmicrohttpd with epoll, the model behind it. Prints
 * `port N` and serves until SIGTERM or SIGINT; then it prints one JSON line
 * with its counts and the CPU it took, so that no one mistakes the server
 * for what is measured.
 *
 *   --port N                    0, the default: any free one
 *   --tls CERT KEY              PEM files
 *   --seed N --region R --account A
 *   --now T                     the clock starts at T (ms or YYYY-MM-DD)
 *   --key ID:SECRET[:TOKEN]     may sign; default AWS's example key
 *   --bucket NAME               default: test-bucket
 *   --group NAME:PROFILE:BYTES:DATE[:SPREAD[:STREAMS[:DAYS]]]
 *   --rate N                    FilterLogEvents a second
 *   --latency-ms N --page-limit BYTES --empty-pages PERMILLE
 *   --discard-bodies            keep sizes and CRCs of objects only
 *   --idle-s N                  idle connections are closed after N seconds
 *   --set NAME=VALUE            see settings.h; also rate:OP, burst:OP
 *   --fault 'LINE'              see fault.h
 * The same and more over HTTP: see control.c. */
#define _POSIX_C_SOURCE 200809L
#include "aws.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum { HEADERS_MAX = 100, CHUNK_BYTES = 65536 };

struct transfer {                /* one request, as HTTP sees it */
    char *uri;
    struct aws_exchange *exchange;
    const struct aws_reply *reply;
    struct MHD_Connection *connection;
    int64_t  wake_at;            /* suspended until then; 0: it is not */
    bool     slept;
    bool     expects;            /* "100 Continue", and did not get it */
    struct transfer *next_waiting;
};

static struct aws *model;
static struct transfer *waiting;
static volatile sig_atomic_t stopping;
static bool tls;

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 +
           aws_get(model, "clock");
}

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

/* --- waiting ------------------------------------------------------------ */

static void sleep_until(struct transfer *t, int64_t at)
{
    t->wake_at = at;
    t->next_waiting = waiting;
    waiting = t;
    MHD_suspend_connection(t->connection);
}

static void wake_due(int64_t now)
{
    struct transfer **link = &waiting;
    while (*link != NULL) {
        struct transfer *t = *link;
        if (t->wake_at > now) {
            link = &t->next_waiting;
            continue;
        }
        *link = t->next_waiting;
        t->wake_at = 0;
        MHD_resume_connection(t->connection);
    }
}

static int next_wait(int64_t now)
{
    int64_t least = 1000;
    for (const struct transfer *t = waiting; t != NULL; t = t->next_waiting)
        if (t->wake_at - now < least) least = t->wake_at - now;
    return least < 0 ? 0 : (int)least;
}

/* --- the reply ---------------------------------------------------------- */

static ssize_t give_body(void *user, uint64_t at, char *to, size_t room)
{
    struct transfer *t = user;
    const struct aws_reply *r = t->reply;
    (void)at;
    if (r->bytes_per_second > 0) {  /* a tenth of a second at a time */
        t->slept = !t->slept;
        if (t->slept) {
            sleep_until(t, now_ms() + 100);
            return 0;
        }
        if (room > r->bytes_per_second / 10 + 1)
            room = (size_t)(r->bytes_per_second / 10 + 1);
    }
    size_t len = aws_read(t->exchange, to, room);
    if (len > 0) return (ssize_t)len;
    if (r->end == AWS_END_STALL) {
        sleep_until(t, INT64_MAX);
        return 0;
    }
    return r->end == AWS_END_CUT ? MHD_CONTENT_READER_END_WITH_ERROR
                                 : MHD_CONTENT_READER_END_OF_STREAM;
}

static void add_headers(struct MHD_Response *response, const char *block)
{
    char line[8192];
    while (*block != '\0') {
        const char *end = strstr(block, "\r\n");
        size_t len = end != NULL ? (size_t)(end - block) : strlen(block);
        if (len < sizeof line) {
            memcpy(line, block, len);
            line[len] = '\0';
            char *colon = strchr(line, ':');
            if (colon != NULL) {
                *colon = '\0';
                (void)MHD_add_response_header(response, line,
                                              colon + 1 + (colon[1] == ' '));
            }
        }
        block += len + (end != NULL ? 2 : 0);
    }
}

/* Disconnecting a TCP socket sends a reset, on Linux, at once. */
static enum MHD_Result reset(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    if (info != NULL) (void)connect(info->connect_fd, &none, sizeof none);
    return MHD_NO;
}

static enum MHD_Result answer(struct transfer *t)
{
    const struct aws_reply *r = t->reply;
    struct aws_text whole = aws_whole(t->exchange);
    struct MHD_Response *response;
    if (r->end == AWS_END_BEFORE) return reset(t->connection);
    if (whole.len == r->length && r->end == AWS_END_CLEAN && !r->chunked) {
        char *at = whole.len > 0 ? (char *)(uintptr_t)whole.at : "";
        response = MHD_create_response_from_buffer(whole.len, at,
                                                   MHD_RESPMEM_PERSISTENT);
    } else {
        response = MHD_create_response_from_callback(
            r->chunked ? MHD_SIZE_UNKNOWN : r->length, CHUNK_BYTES,
            give_body, t, NULL);
    }
    add_headers(response, r->headers);
    if (t->expects) add_headers(response, "Connection: close\r\n");
    enum MHD_Result queued = MHD_queue_response(
        t->connection, (unsigned)r->status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result finish(struct transfer *t)
{
    int64_t now = now_ms();
    if (t->reply == NULL) t->reply = aws_finish(t->exchange, now);
    if (t->reply->ready_at > now) {
        sleep_until(t, t->reply->ready_at);
        return MHD_YES;
    }
    return answer(t);
}

/* --- the request -------------------------------------------------------- */

struct header_list {
    struct aws_header at[HEADERS_MAX];
    size_t count;
    bool   expects;
};

static enum MHD_Result add_header(void *user, enum MHD_ValueKind kind,
                                  const char *name, const char *value)
{
    struct header_list *list = user;
    (void)kind;
    if (list->count == HEADERS_MAX) return MHD_NO;
    list->at[list->count++] = (struct aws_header){aws_str(name),
                                                  aws_str(value)};
    if (aws_is_nocase(aws_str(name), "expect")) list->expects = true;
    return MHD_YES;
}

static enum MHD_Result begin(struct transfer *t, const char *method)
{
    struct header_list list = {.count = 0};
    struct aws_request r = {.method = aws_str(method), .tls = tls};
    (void)MHD_get_connection_values(t->connection, MHD_HEADER_KIND,
                                    add_header, &list);
    r.path = aws_cut(aws_str(t->uri), '?', &r.query);
    r.headers = list.at;
    r.header_count = list.count;
    t->exchange = aws_open(model, &r, now_ms());
    t->expects = list.expects;
    return list.expects && aws_refused(t->exchange) ? finish(t) : MHD_YES;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *c,
                                  const char *url, const char *method,
                                  const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct transfer *t = *state;
    (void)user;
    (void)url;
    (void)version;
    if (t->exchange == NULL) {
        t->connection = c;
        return begin(t, method);
    }
    if (*size > 0) {
        aws_body(t->exchange, data, *size);
        t->expects = false;
        *size = 0;
        enum aws_intake intake = aws_intake(t->exchange);
        if (intake == AWS_GONE) return reset(c);
        if (intake == AWS_BLOCKED) sleep_until(t, INT64_MAX);
        return MHD_YES;
    }
    return finish(t);
}

static void *on_uri(void *user, const char *uri, struct MHD_Connection *c)
{
    struct transfer *t = aws_alloc(sizeof *t);
    (void)user;
    (void)c;
    t->uri = aws_dup(aws_str(uri));
    return t;
}

static void on_done(void *user, struct MHD_Connection *c, void **state,
                    enum MHD_RequestTerminationCode why)
{
    struct transfer *t = *state;
    (void)user;
    (void)c;
    (void)why;
    if (t == NULL) return;
    for (struct transfer **link = &waiting; *link != NULL;)
        if (*link == t) *link = t->next_waiting;
        else link = &(*link)->next_waiting;
    if (t->exchange != NULL) aws_close(t->exchange);
    free(t->uri);
    free(t);
    *state = NULL;
}

/* --- the command line --------------------------------------------------- */

struct options {
    uint16_t    port;
    unsigned    idle_s;          /* 0: idle connections stay */
    const char *cert, *key;
    bool        has_key, has_bucket;
};

static void usage(const char *why)
{
    (void)fprintf(stderr, "aws-server: %s; see tests/aws/server.c\n", why);
    exit(64);
}

static int64_t when(const char *text)
{
    if (strlen(text) == 10 && text[4] == '-')
        return aws_day_ms(atoi(text), atoi(text + 5), atoi(text + 8));
    return strtoll(text, NULL, 10);
}

/* Cuts the text at colons; what is missing is NULL. */
static void fields(char *text, char *field[8])
{
    for (int i = 0; i < 8; i++) {
        field[i] = text;
        char *colon = text != NULL && i < 7 ? strchr(text, ':') : NULL;
        if (colon != NULL) *colon = '\0';
        text = colon != NULL ? colon + 1 : NULL;
    }
}

static void add_group(char *text)
{
    char *f[8];
    fields(text, f);
    if (f[3] == NULL) usage("--group NAME:PROFILE:BYTES:DATE");
    int64_t from = when(f[3]);
    int64_t days = f[6] != NULL ? strtoll(f[6], NULL, 10) : 1;
    struct aws_fill fill = {
        .profile = f[1], .spread = f[4], .from = from,
        .until = from + days * 86400000,
        .bytes = strtoull(f[2], NULL, 10),
        .streams = f[5] != NULL ? (uint32_t)strtoul(f[5], NULL, 10) : 0,
        .seed = 1};
    if (!aws_fill_group(model, f[0], &fill)) usage("--group: bad value");
}

static void add_key(struct options *o, char *text)
{
    char *f[8];
    fields(text, f);
    if (f[1] == NULL) usage("--key ID:SECRET");
    aws_add_key(model, f[0], f[1], f[2], 0);
    o->has_key = true;
}

static void set(const char *name, const char *value)
{
    if (!aws_set(model, name, strtoll(value, NULL, 10))) usage(name);
}

static void set_pair(char *text)
{
    char *equals = strchr(text, '=');
    if (equals == NULL) usage("--set NAME=VALUE");
    *equals = '\0';
    set(text, equals + 1);
}

static void take_option(struct options *o, const char *name, char *value)
{
    if (strcmp(name, "--port") == 0)
        o->port = (uint16_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "--idle-s") == 0)
        o->idle_s = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(name, "--group") == 0) add_group(value);
    else if (strcmp(name, "--key") == 0) add_key(o, value);
    else if (strcmp(name, "--set") == 0) set_pair(value);
    else if (strcmp(name, "--rate") == 0) set("rate:FilterLogEvents", value);
    else if (strcmp(name, "--latency-ms") == 0) set("latency", value);
    else if (strcmp(name, "--page-limit") == 0) set("page-bytes", value);
    else if (strcmp(name, "--empty-pages") == 0) set("empty-pages", value);
    else if (strcmp(name, "--bucket") == 0) {
        aws_create_bucket(model, value, NULL, NULL);
        o->has_bucket = true;
    } else if (strcmp(name, "--fault") == 0) {
        if (!aws_fault(model, value)) usage(value);
    } else if (strcmp(name, "--now") == 0) {
        int64_t offset = when(value) - now_ms();
        (void)aws_set(model, "clock", offset);
    } else {
        usage(name);
    }
}

static const char *early(int count, char **argument, const char *name,
                         const char *otherwise)
{
    for (int i = 1; i + 1 < count; i++)
        if (strcmp(argument[i], name) == 0) return argument[i + 1];
    return otherwise;
}

static void read_options(struct options *o, int count, char **argument)
{
    model = aws_new(strtoull(early(count, argument, "--seed", "1"), NULL, 10),
                    early(count, argument, "--region", "us-east-1"),
                    early(count, argument, "--account", "111122223333"));
    for (int i = 1; i < count; i++) {
        const char *name = argument[i];
        if (strcmp(name, "--discard-bodies") == 0) {
            set("discard", "1");
            continue;
        }
        if (i + 1 == count) usage(name);
        char *value = argument[++i];
        if (strcmp(name, "--tls") == 0) {
            if (i + 1 == count) usage(name);
            o->cert = value;
            o->key = argument[++i];
        } else if (strcmp(name, "--seed") != 0 &&
                   strcmp(name, "--region") != 0 &&
                   strcmp(name, "--account") != 0) {
            take_option(o, name, value);
        }
    }
    if (!o->has_bucket)
        aws_create_bucket(model, "test-bucket", NULL, NULL);
    if (!o->has_key)
        aws_add_key(model, "AKIAIOSFODNN7EXAMPLE",
                    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL, 0);
}

static char *read_file(const char *path)
{
    struct aws_buf text = {0};
    FILE *f = fopen(path, "rb");
    if (f == NULL) usage(path);
    for (size_t n = 1; n > 0;) {
        n = fread(aws_room(&text, 4096), 1, 4096, f);
        text.len += n;
    }
    (void)fclose(f);
    aws_put(&text, "", 1);
    return text.at;
}

static struct MHD_Daemon *start(const struct options *o)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(o->port)};
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct MHD_OptionItem secure[3] = {{MHD_OPTION_END, 0, NULL}};
    if (o->cert != NULL) {
        tls = true;
        flags |= MHD_USE_TLS;
        secure[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
                                            read_file(o->cert)};
        secure[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
                                            read_file(o->key)};
        secure[2] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    }
    return MHD_start_daemon(
        flags, o->port, NULL, NULL, on_request, NULL,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL,
        MHD_OPTION_CONNECTION_TIMEOUT, o->idle_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(256 << 10),
        MHD_OPTION_ARRAY, secure, MHD_OPTION_END);
}

static void report(void)
{
    struct rusage used;
    struct aws_buf stats = {0};
    (void)getrusage(RUSAGE_SELF, &used);
    aws_stats(model, &stats);
    (void)fprintf(stderr, "{\"cpu_user\":%ld.%03ld,\"cpu_system\":%ld.%03ld,"
                  "\"rss_kib\":%ld,\"stats\":%.*s}\n",
                  (long)used.ru_utime.tv_sec,
                  (long)used.ru_utime.tv_usec / 1000,
                  (long)used.ru_stime.tv_sec,
                  (long)used.ru_stime.tv_usec / 1000, used.ru_maxrss,
                  (int)stats.len - 1, stats.at);
    aws_free_buf(&stats);
}

int main(int count, char **argument)
{
    struct options o = {0};
    struct sigaction act = {.sa_handler = on_signal};
    read_options(&o, count, argument);
    (void)sigaction(SIGTERM, &act, NULL);
    (void)sigaction(SIGINT, &act, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    struct MHD_Daemon *daemon = start(&o);
    if (daemon == NULL) usage("cannot start");
    (void)printf("port %u\n", (unsigned)MHD_get_daemon_info(
        daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    (void)fflush(stdout);
    int epoll = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)
                    ->epoll_fd;
    while (!stopping) {
        struct pollfd fd = {epoll, POLLIN, 0};
        MHD_UNSIGNED_LONG_LONG ms;
        int wait = next_wait(now_ms());
        if (MHD_get_timeout(daemon, &ms) == MHD_YES &&
            ms < (MHD_UNSIGNED_LONG_LONG)wait)
            wait = (int)ms;
        if (poll(&fd, 1, wait) < 0 && errno != EINTR) break;
        wake_due(now_ms());
        (void)MHD_run(daemon);
    }
    wake_due(INT64_MAX);
    report();
    MHD_stop_daemon(daemon);
    aws_free(model);
    return 0;
}
