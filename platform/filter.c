/* filter.c - a seccomp program, written by a loop from a list. */
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/check.h"

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#else
#error "the filter knows x86-64 and aarch64"
#endif

/* Whatever the arguments; the most frequent first. */
static const uint16_t allowed[] = {
    SYS_recvfrom, SYS_sendto, SYS_ppoll, SYS_clock_gettime,
    /* sockets */
    SYS_socket, SYS_connect, SYS_bind, SYS_getsockname, SYS_getpeername,
    SYS_getsockopt, SYS_setsockopt, SYS_shutdown, SYS_sendmsg, SYS_recvmsg,
    /* what is open */
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_lseek,
    SYS_close, SYS_fstat, SYS_newfstatat, SYS_faccessat, SYS_readlinkat,
    /* time, chance, ourselves */
    SYS_gettimeofday, SYS_nanosleep, SYS_clock_nanosleep, SYS_getrandom,
    SYS_getrusage, SYS_uname, SYS_sysinfo, SYS_getpid, SYS_gettid,
    SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
    /* signals and the end */
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_tkill,
    SYS_futex, SYS_sched_yield, SYS_restart_syscall, SYS_exit,
    SYS_exit_group,
#ifdef SYS_statx
    SYS_statx,
#endif
#if defined(__x86_64__)
    SYS_poll, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_time,
#endif
};

/* Only with these commands, in the second argument. */
static const struct {
    uint16_t number;
    uint32_t command;
} commands[] = {
    {SYS_ioctl, TIOCGWINSZ}, {SYS_ioctl, FIONBIO}, {SYS_ioctl, FIONREAD},
    {SYS_ioctl, SIOCGIFINDEX},
    {SYS_fcntl, F_GETFL}, {SYS_fcntl, F_SETFL}, {SYS_fcntl, F_GETFD},
    {SYS_fcntl, F_SETFD},
};

enum {
    ALLOWED = sizeof allowed / sizeof allowed[0],
    COMMANDS = sizeof commands / sizeof commands[0],
    PROGRAM_MOST = 24 + 2 * ALLOWED + 8 * COMMANDS,
    /* Any of these, or what O_TMPFILE adds to O_DIRECTORY, is writing. */
    WRITING = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND |
              (O_TMPFILE & ~O_DIRECTORY),
};

struct program {
    struct sock_filter step[PROGRAM_MOST];
    uint16_t           len;
};

static void put(struct program *p, struct sock_filter step)
{
    CHECK(p->len < PROGRAM_MOST);
    p->step[p->len++] = step;
}

static void load(struct program *p, uint32_t offset)
{
    put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

static void answer(struct program *p, uint32_t what)
{
    put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

/* Steps over the next `past` if what was loaded is not `value`. */
static void unless(struct program *p, uint32_t value, uint8_t past)
{
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0,
                                        past));
}

/* The low half of an argument: both processors are little-endian. */
static uint32_t argument(uint32_t index)
{
    return (uint32_t)(offsetof(struct seccomp_data, args) +
                      index * sizeof(uint64_t));
}

static void put_command(struct program *p, uint32_t number, uint32_t command)
{
    unless(p, number, 4);
    load(p, argument(1));
    unless(p, command, 1);
    answer(p, SECCOMP_RET_ALLOW);
    load(p, offsetof(struct seccomp_data, nr));
}

static void put_open(struct program *p, uint32_t number, uint32_t flags_at)
{
    unless(p, number, 4);
    load(p, argument(flags_at));
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, WRITING,
                                        1, 0));
    answer(p, SECCOMP_RET_ALLOW);
    answer(p, SECCOMP_RET_ERRNO | EPERM);
}

static void build(struct program *p)
{
    p->len = 0;
    load(p, offsetof(struct seccomp_data, arch));
    unless(p, FILTER_ARCH, 1);
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0));
    answer(p, SECCOMP_RET_ERRNO | EPERM);
    load(p, offsetof(struct seccomp_data, nr));
    for (uint32_t i = 0; i < ALLOWED; i++) {
        unless(p, allowed[i], 1);
        answer(p, SECCOMP_RET_ALLOW);
    }
    put_open(p, SYS_openat, 2);
#ifdef SYS_open
    put_open(p, SYS_open, 1);
#endif
    for (uint32_t i = 0; i < COMMANDS; i++)
        put_command(p, commands[i].number, commands[i].command);
    answer(p, SECCOMP_RET_ERRNO | EPERM);
}

const char *filter_enter(void)
{
    struct program p;
    struct sock_fprog prog = {.filter = p.step};

    build(&p);
    prog.len = p.len;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return "the kernel cannot give up privileges";
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0)
        return errno == EINVAL || errno == ENOSYS
                   ? "the kernel has no seccomp"
                   : "the kernel refused the filter";
    return NULL;
}
