/* runner.c - see runner.h. */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"
#include "notify.h"

enum {
    IDLE_MS   = 1000,   /* the longest wait: clocks are looked at again */
    ASLEEP_MS = 15000,  /* a pause that waiting cannot explain */
    STACK_SPARE_BYTES = 32768,  /* arguments, environment, what main() has */
    FILES_LEAST = 8 + CFG_SOCKET_COUNT,  /* the standard three, the signals'
                                            pipe, the resolver, a file */
};

_Static_assert((int)RUNNER_TEXT_BYTES >= (int)MANUAL_BYTES &&
               (int)RUNNER_TEXT_BYTES >= (int)MEMORY_BYTES &&
               (int)RUNNER_TEXT_BYTES >= (int)REPORT_BYTES &&
               (int)RUNNER_TEXT_BYTES >= (int)MESSAGE_BYTES,
               "one text for all");

struct text runner_text(struct runner *c)
{
    struct text t;
    text_init(&t, c->text, sizeof c->text);
    return t;
}

int runner_say(struct runner *c, const struct text *t)
{
    CHECK(!t->overflow);
    progress_clear(&c->progress);
    enum write_result written = posix_write(STDOUT_FILENO, text_view(t));
    if (written == WRITE_DONE || written == WRITE_CLOSED)
        return 0;
    (void)posix_write(STDERR_FILENO,
                      view_of("78 stdout cannot be written to\n"));
    return fault_exit(ERROR_CONFIG);
}

bool runner_flush(struct runner *c, struct text *t, int *code)
{
    if (t->len == 0)
        return true;
    CHECK(!t->overflow);
    enum write_result written = posix_write(STDOUT_FILENO, text_view(t));
    text_reset(t);
    if (written == WRITE_DONE)
        return true;
    if (written == WRITE_FAILED)
        (void)posix_write(STDERR_FILENO,
                          view_of("78 stdout cannot be written to\n"));
    *code = written == WRITE_CLOSED ? 0
            : written == WRITE_STOPPED ? runner_stopped(c) : 78;
    return false;
}

/* Where a call went that nobody answered. */
static struct view host_of(const struct runner *c, const struct fault *fault)
{
    struct view operation = view_of(fault->operation);
    enum site_service service = view_starts(operation, "logs:") ? SITE_LOGS
                                : view_starts(operation, "s3:") ? SITE_S3
                                                                : SITE_STS;
    return view_of(service == SITE_STS
                       ? NULL : c->site.endpoint[service].authority);
}

int runner_complain(struct runner *c, const struct fault *fault,
                    struct view thing)
{
    const struct message_context context = {
        .thing = thing, .host = host_of(c, fault),
    };
    struct text t = runner_text(c);
    progress_clear(&c->progress);
    message_fault(&t, fault, &context);
    text_char(&t, '\n');
    (void)posix_write(STDERR_FILENO, text_view(&t));
    return fault_exit(fault->error);
}

struct view runner_said(const struct runner *c)
{
    return view_trim(view_of(c->text));
}

int runner_stopped(struct runner *c)
{
    struct fault fault;
    fault_reset(&fault);
    fault_set(&fault, ERROR_STOPPED, "stopped by a signal; run again", 0);
    return runner_complain(c, &fault, view_of(NULL));
}

/* A directory takes the place: nobody can write to it. */
void runner_hold(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)open("/", O_RDONLY | O_DIRECTORY);
}

static bool set_up_site(struct runner *c, const struct settings *settings,
                        struct fault *fault)
{
    const struct options *o = &c->options;
    char name[512];
    struct text holder;
    text_init(&holder, name, sizeof name);
    posix_holder(&holder);
    const struct site_options options = {
        .holder = text_view(&holder),
        .settings = settings,
        .region = o->region != NULL ? view_of(o->region) : c->region,
        .endpoint_url = view_of(o->endpoint_url),
        .bucket_owner = view_of(o->bucket_owner),
        .allow_http = o->allow_http, .rate = o->rate > 0 ? o->rate : c->rate,
        .seed = posix_seed(),
    };
    c->site.transport = &c->transport;
    return site_init(&c->site, &options, fault);
}

static bool set_up_transport(struct runner *c,
                             const struct settings *settings,
                             struct fault *fault)
{
    struct view bundle = view_of(c->options.ca_bundle);
    if (bundle.len == 0)
        bundle = settings_either(settings, SETTING_CA_BUNDLE, "ca_bundle");
    if (!view_copy(bundle, c->path, sizeof c->path))
        return message_refuse(fault, ERROR_CONFIG, "the CA bundle's path is "
                              "too long: \"%\"", &bundle);
    const struct transport_options options = {
        .ca_bundle = c->path, .user_agent = "firn/" CONFIG_VERSION,
    };
    return transport_init(&c->transport, &options, fault);
}

static void set_times(struct runner *c, struct now now)
{
    const struct options *o = &c->options;
    c->site.give_up_ms = (int64_t)o->give_up_s * 1000;
    c->site.success_mono_ms = now.mono_ms;
    c->site.deadline_mono_ms =
        o->deadline_s > 0 ? now.mono_ms + (int64_t)o->deadline_s * 1000
                          : INT64_MAX;
}

/* To people only what they would not expect. */
static void say_lock(struct runner *c)
{
    struct text t = runner_text(c);
    if (c->options.quiet || c->options.command == COMMAND_MEMORY)
        return;
    if (posix_columns() == 0) {
        lock_describe(&c->lock, &t);
    } else if (!c->lock.filtered) {
        text_str(&t, "note: no system-call filter: ");
        text_str(&t, c->lock.unfiltered != NULL ? c->lock.unfiltered : "off");
        text_str(&t, "; the limits on memory hold\n");
    }
    (void)posix_write(STDERR_FILENO, text_view(&t));
}

void runner_lock(struct runner *c)
{
    lock_touch();
    lock_enter(!c->options.no_sandbox, &c->lock);
    say_lock(c);
}

/* A limit that others set on us, raised as far as they allow. */
struct limit {
    int         which;
    uint64_t    need;
    enum error  error;
    const char *what;
};

static bool limit_fits(const struct limit *l, struct fault *fault)
{
    char need[24], have[24];
    struct rlimit limit;
    struct text n, h;
    if (getrlimit(l->which, &limit) != 0 || limit.rlim_cur >= l->need)
        return true;
    limit.rlim_cur = l->need < limit.rlim_max ? l->need : limit.rlim_max;
    if (setrlimit(l->which, &limit) == 0 && limit.rlim_cur >= l->need)
        return true;
    text_init(&n, need, sizeof need);
    text_u64(&n, l->need);
    text_init(&h, have, sizeof have);
    text_u64(&h, limit.rlim_cur);
    return message_refuse(fault, l->error, "the limit of % is too small: firn "
                          "needs %, there are %",
                          (const struct view[]){view_of(l->what),
                                                text_view(&n),
                                                text_view(&h)});
}

bool runner_fits(struct fault *fault)
{
    const struct limit limits[] = {
        {RLIMIT_AS, memory_total(), ERROR_LIMIT,
         "address space (ulimit -v, bytes)"},
        {RLIMIT_STACK, CFG_STACK_BYTES + STACK_SPARE_BYTES, ERROR_LIMIT,
         "the stack (ulimit -s, bytes)"},
        {RLIMIT_NOFILE, FILES_LEAST, ERROR_NETWORK,
         "open files (ulimit -n)"},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (!limit_fits(&limits[i], fault))
            return false;
    return lock_fits(memory_total() + memory_sockets(), fault);
}

/* Keys that everyone on this machine can have. */
static void warn_exposed(struct runner *c, const struct settings *settings)
{
    const struct fault warning = {
        .what = "others on this machine can read your keys; chmod 600",
    };
    const struct message_context context = {
        .thing = view_of("the shared credentials file"),
    };
    struct text t = runner_text(c);
    if (!settings->exposed || c->options.quiet ||
        c->site.credentials.provider != PROVIDER_PROFILE)
        return;
    message_warning(&t, &warning, &context);
    text_char(&t, '\n');
    (void)posix_write(STDERR_FILENO, text_view(&t));
}

bool runner_begin(struct runner *c, struct span room, struct fault *fault)
{
    struct settings settings = {
        .profile_option = view_of(c->options.profile),
    };
    posix_trace(c->options.debug);
    posix_signals_init(c->options.command == COMMAND_DAEMON);
    if (!runner_fits(fault))
        return false;
    posix_environment(&settings);
    bool ready = settings_read(&settings, room, fault) &&
                 set_up_site(c, &settings, fault) &&
                 set_up_transport(c, &settings, fault);
    memset(room.at, 0, room.len);  /* no secret stays in it */
    if (!ready)
        return false;
    warn_exposed(c, &settings);
    runner_lock(c);
    set_times(c, posix_now());
    progress_init(&c->progress, &c->options, posix_now());
    return true;
}

void runner_again(struct runner *c, int64_t deadline_mono_ms)
{
    struct now now = posix_now();
    set_times(c, now);
    c->site.deadline_mono_ms = deadline_mono_ms;
    c->site.requests = c->site.throttled = c->site.retried = 0;
    transport_distrust(&c->transport);
    progress_init(&c->progress, &c->options, now);
}

bool runner_wait(struct runner *c, int64_t wake_ms, struct now now)
{
    struct pollfd signals = {.fd = posix_signals_fd(), .events = POLLIN};
    notify_alive(now);
    wake_ms = notify_wake_ms() < wake_ms ? notify_wake_ms() : wake_ms;
    int64_t wait = wake_ms < now.mono_ms + IDLE_MS ? wake_ms - now.mono_ms
                                                   : IDLE_MS;
    if (wait < 0)
        wait = 0;
    transport_poll(&c->transport, &signals, signals.fd >= 0 ? 1 : 0, wait);
    if (posix_now().mono_ms - now.mono_ms > wait + ASLEEP_MS)
        transport_distrust(&c->transport);
    uint32_t came = posix_signals_take();
    c->reload |= (came & SIGNAL_RELOAD) != 0;
    return (came & SIGNAL_STOP) != 0;
}
