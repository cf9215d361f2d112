/* notify.c - see notify.h. */
#include "notify.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "posix.h"

static struct {
    int     fd;           /* -1: nobody listens */
    int64_t period_ms;    /* half of what the watchdog waits; 0: none */
    int64_t next_ms;
} notify = {.fd = -1};

/* WATCHDOG_USEC, unless WATCHDOG_PID says that it is another's. */
static int64_t watchdog_ms(void)
{
    uint64_t us = 0, pid = 0;
    struct view whose = posix_variable("WATCHDOG_PID");
    if (!view_u64(posix_variable("WATCHDOG_USEC"), INT64_MAX, &us))
        return 0;
    if (whose.len > 0 && (!view_u64(whose, INT32_MAX, &pid) ||
                          (pid_t)pid != getpid()))
        return 0;
    return (int64_t)(us / 2000);
}

void notify_open(void)
{
    struct view path = posix_variable("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (path.len < 2 || path.len >= sizeof to.sun_path ||
        (path.at[0] != '/' && path.at[0] != '@'))
        return;
    memcpy(to.sun_path, path.at, path.len);
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0';  /* abstract */
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                                path.len);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)&to, len) != 0) {
        (void)close(fd);
        return;
    }
    notify.fd = fd;
    notify.period_ms = watchdog_ms();
}

void notify_say(const char *line)
{
    if (notify.fd >= 0)
        (void)posix_write(notify.fd, view_of(line));
}

void notify_reloading(struct now now)
{
    char bytes[64];
    struct text t;
    text_init(&t, bytes, sizeof bytes);
    text_str(&t, "RELOADING=1\nMONOTONIC_USEC=");
    text_i64(&t, now.mono_ms);
    text_str(&t, "000");
    notify_say(bytes);
}

int64_t notify_wake_ms(void)
{
    return notify.period_ms > 0 ? notify.next_ms : INT64_MAX;
}

void notify_alive(struct now now)
{
    if (notify.period_ms == 0 || now.mono_ms < notify.next_ms)
        return;
    notify.next_ms = now.mono_ms + notify.period_ms;
    notify_say("WATCHDOG=1");
}
