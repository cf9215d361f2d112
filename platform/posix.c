/* posix.c - what the operating system tells. */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/entropy.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/trace.h"
#include "procfs.h"

enum { EXIT_STOPPED = 75 };

static volatile sig_atomic_t signals_stop, signals_reload, signals_came;
static int signals_pipe[2] = {-1, -1};
static bool tracing;

static int64_t clock_ms(clockid_t clock)
{
    struct timespec t;

    CHECK(clock_gettime(clock, &t) == 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct now posix_now(void)
{
    return (struct now){clock_ms(CLOCK_REALTIME), clock_ms(CLOCK_MONOTONIC)};
}

/* Up to 256 bytes come whole once the kernel's pool is seeded; before that,
 * early at boot, a signal may break the wait. */
static bool random_bytes(uint8_t *out, size_t len)
{
    size_t made = 0;

    while (made < len) {
        ssize_t n = getrandom(out + made, len - made, 0);
        if (n < 0 && errno != EINTR)
            return false;
        made += n > 0 ? (size_t)n : 0;
    }
    return true;
}

uint64_t posix_seed(void)
{
    uint64_t seed;

    CHECK(random_bytes((uint8_t *)&seed, sizeof seed));
    return seed;
}

void posix_holder(struct text *t)
{
    struct utsname names;

    text_str(t, uname(&names) == 0 ? names.nodename : "unknown");
    text_char(t, ':');
    text_i64(t, getpid());
}

int mbedtls_hardware_poll(void *context, unsigned char *out, size_t len,
                          size_t *made)
{
    (void)context;
    *made = 0;
    if (!random_bytes(out, len))
        return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
    *made = len;
    return 0;
}

struct view posix_variable(const char *name)
{
    return view_of(getenv(name));
}

void posix_environment(struct settings *s)
{
    for (uint32_t i = 0; i < SETTING_COUNT; i++)
        s->env[i] = posix_variable(setting_name[i]);
}

/* Reads to the end of the file; FILE_LONG if that is past the room. */
static enum file_result read_all(int fd, struct span room, uint32_t *len)
{
    uint8_t more;
    ssize_t n;

    *len = 0;
    while (*len < room.len) {
        n = read(fd, room.at + *len, room.len - *len);
        if (n < 0 && errno == EINTR && !signals_stop)
            continue;
        if (n < 0)
            return FILE_UNREADABLE;
        if (n == 0)
            return FILE_READ;
        *len += (uint32_t)n;
    }
    n = read(fd, &more, 1);
    return n == 0 ? FILE_READ : n > 0 ? FILE_LONG : FILE_UNREADABLE;
}

enum file_result file_read(const char *path, struct span room, uint32_t *len)
{
    enum file_result result = FILE_UNREADABLE;
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    *len = 0;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? FILE_MISSING
                                                   : FILE_UNREADABLE;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        result = read_all(fd, room, len);
    if (result == FILE_READ && (st.st_mode & S_IROTH) != 0)
        result = FILE_EXPOSED;
    close(fd);
    return result;
}

enum file_result posix_read_input(struct span room, uint32_t *len)
{
    return read_all(STDIN_FILENO, room, len);
}

enum write_result posix_write(int fd, struct view v)
{
    while (v.len > 0) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        ssize_t n = write(fd, v.at, v.len);
        if (n > 0)
            v = view_slice(v, (uint32_t)n, v.len);
        else if (n < 0 && errno == EPIPE)
            return WRITE_CLOSED;
        else if (n < 0 && errno == EAGAIN)
            (void)poll(&p, 1, -1);
        else if (n < 0 && errno != EINTR)
            return WRITE_FAILED;
        if (v.len > 0 && signals_stop)
            return WRITE_STOPPED;
    }
    return WRITE_DONE;
}

uint32_t posix_columns(void)
{
    struct winsize w;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) != 0)
        return 0;
    return w.ws_col == 0 ? 80 : w.ws_col;
}

static void wake(void)
{
    int saved = errno;
    ssize_t n = write(signals_pipe[1], "", 1);

    signals_came = 1;
    (void)n;  /* full: it is awake already */
    errno = saved;
}

static void on_stop(int number)
{
    (void)number;
    if (signals_stop)
        _exit(EXIT_STOPPED);
    signals_stop = 1;
    wake();
}

static void on_reload(int number)
{
    (void)number;
    signals_reload = 1;
    wake();
}

void posix_signals_init(bool reload)
{
    struct sigaction stop = {.sa_handler = on_stop};
    struct sigaction again = {.sa_handler = reload ? on_reload : on_stop};
    struct sigaction ignored = {.sa_handler = SIG_IGN};

    if (pipe2(signals_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        signals_pipe[0] = signals_pipe[1] = -1;
    CHECK(sigaction(SIGTERM, &stop, NULL) == 0);
    CHECK(sigaction(SIGINT, &stop, NULL) == 0);
    CHECK(sigaction(SIGHUP, &again, NULL) == 0);
    CHECK(sigaction(SIGPIPE, &ignored, NULL) == 0);
}

int posix_signals_fd(void)
{
    return signals_pipe[0];
}

uint32_t posix_signals_take(void)
{
    static bool stop_taken;
    uint32_t came = 0;
    uint8_t bytes[16];

    if (!signals_came)
        return 0;
    signals_came = 0;
    while (signals_pipe[0] >= 0 &&
           read(signals_pipe[0], bytes, sizeof bytes) > 0)
        continue;
    if (signals_stop && !stop_taken)
        came |= SIGNAL_STOP;
    stop_taken = signals_stop != 0;  /* it stays set, for the second */
    if (signals_reload)
        came |= SIGNAL_RELOAD;
    signals_reload = 0;
    return came;
}

struct posix_usage posix_usage(void)
{
    struct posix_usage u = {0};
    struct rusage r;

    if (getrusage(RUSAGE_SELF, &r) == 0) {
        u.cpu_ms = (int64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000 +
                   (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1000;
        u.rss_peak_bytes = (uint64_t)r.ru_maxrss * 1024;
    }
    /* ru_maxrss counts what ran before exec, too */
    (void)procfs_value("/proc/self/status", "VmHWM:", &u.rss_peak_bytes);
    (void)procfs_value("/proc/self/status", "VmRSS:", &u.rss_bytes);
    return u;
}

void posix_trace(bool on)
{
    tracing = on;
}

void trace_state(const char *machine, const char *from, const char *to)
{
    char line[256];
    struct text t;

    if (!tracing)
        return;
    text_init(&t, line, sizeof line);
    text_str(&t, "{\"trace\":\"");
    text_str(&t, machine);
    text_str(&t, "\",\"from\":\"");
    text_str(&t, from);
    text_str(&t, "\",\"to\":\"");
    text_str(&t, to);
    text_str(&t, "\",\"mono_ms\":");
    text_i64(&t, clock_ms(CLOCK_MONOTONIC));
    text_str(&t, "}\n");
    (void)posix_write(STDERR_FILENO, text_view(&t));
}
