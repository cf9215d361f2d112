/* init.c - the first process of the guest that tests/vm/measure.py boots.
 *
 * Beside firn the only program there: loads the modules of a network card,
 * sets up one address, makes the root read-only, shows that it is, runs firn
 * with the words of the kernel's command line, in a cgroup of VM_LIMIT bytes if
 * that is among its variables, and prints one JSON line on what the kernel
 * counted. Then it turns the machine off. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* By what each stands on. The kernel may have one built in, or none. */
static const char *const modules[] = {
    "/virtio_ring.ko", "/virtio.ko", "/virtio_pci_legacy_dev.ko",
    "/virtio_pci_modern_dev.ko", "/virtio_pci.ko", "/failover.ko",
    "/net_failover.ko", "/virtio_net.ko",
};

static void load_modules(void)
{
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        int fd = open(modules[i], O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (syscall(SYS_finit_module, fd, "", 0) != 0)
            printf("init: %s: %s\n", modules[i], strerror(errno));
        close(fd);
        unlink(modules[i]);  /* its bytes are memory */
    }
}

static void set_address(const char *card, const char *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq r = {.ifr_flags = 0};
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&r.ifr_addr;

    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", card);
    in->sin_family = AF_INET;
    inet_pton(AF_INET, address, &in->sin_addr);
    for (int tries = 0; ioctl(fd, SIOCSIFADDR, &r) != 0; tries++) {
        if (tries == 100) {
            printf("init: no network card: %s\n", strerror(errno));
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    if (ioctl(fd, SIOCSIFFLAGS, &r) != 0)
        printf("init: %s stays down: %s\n", card, strerror(errno));
    close(fd);
}

static void put(const char *file, const char *text)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        printf("init: %s: %s\n", file, strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* Version 2 counts sockets, page tables and the page cache, too. */
static void make_cgroup(const char *limit)
{
    mount("cgroup2", "/sys", "cgroup2", MS_NOSUID | MS_NODEV, NULL);
    put("/sys/cgroup.subtree_control", "+memory");
    mkdir("/sys/firn", 0700);
    put("/sys/firn/memory.max", limit);
}

/* The number behind `name` in a file of /proc; -1 if it is not there. */
static long value(const char *file, const char *name)
{
    char line[256];
    long found = -1;
    FILE *f = fopen(file, "r");

    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            found = strtol(line + strlen(name), NULL, 10);
    if (f != NULL)
        fclose(f);
    return found;
}

/* What firn says goes through a pipe, since it speaks to people on a console.
 * Its exit code, or 128 and the signal. */
static int run(char **words, struct rusage *usage)
{
    char bytes[4096];
    ssize_t len;
    int status = 0, ends[2];
    if (pipe(ends) != 0)
        return 126;
    pid_t child = fork();
    if (child == 0) {
        if (getenv("VM_LIMIT") != NULL)
            put("/sys/firn/cgroup.procs", "0");
        words[0] = (char *)(uintptr_t)"/firn";
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv("/firn", words);
        _exit(127);
    }
    close(ends[1]);
    while ((len = read(ends[0], bytes, sizeof bytes)) > 0)
        (void)!write(STDOUT_FILENO, bytes, (size_t)len);
    while (wait4(child, &status, 0, usage) != child)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status)
                             : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    struct rusage usage = {.ru_maxrss = 0};
    (void)argc;
    setvbuf(stdout, NULL, _IOLBF, 0);
    load_modules();
    mkdir("/proc", 0555);
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    if (getenv("VM_LIMIT") != NULL)
        make_cgroup(getenv("VM_LIMIT"));
    set_address("lo", "127.0.0.1");
    set_address("eth0", "10.0.2.15");
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0)
        printf("init: the root stays writable: %s\n", strerror(errno));
    bool written = open("/x", O_WRONLY | O_CREAT, 0600) >= 0;
    bool refused = !written && errno == EROFS;
    long free_kb = value("/proc/meminfo", "MemAvailable:");

    int code = run(argv, &usage);
    printf("\n{\"guest\":true,\"exit\":%d,\"maxrss_kb\":%ld,"
           "\"memtotal_kb\":%ld,\"available_before_kb\":%ld,"
           "\"swap_kb\":%ld,\"oom_kill\":%ld,\"root_read_only\":%s,"
           "\"cgroup_peak\":%ld,\"cgroup_oom\":%ld}\n",
           code, usage.ru_maxrss, value("/proc/meminfo", "MemTotal:"),
           free_kb, value("/proc/meminfo", "SwapTotal:"),
           value("/proc/vmstat", "oom_kill "), refused ? "true" : "false",
           value("/sys/firn/memory.peak", ""),
           value("/sys/firn/memory.events", "oom "));
    sync();
    reboot(RB_POWER_OFF);
    return 0;
}
