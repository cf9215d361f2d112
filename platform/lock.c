/* lock.c - the limits on ourselves, and the proof that they hold. */
#include "lock.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "base/limits.h"
#include "filter.h"
#include "procfs.h"

enum {
    PAGE_BYTES = 4096,  /* the smallest there is; of larger ones, each is
                           touched more than once, and asked for whole */
    CGROUP_DEPTH = 32,
    PATH_BYTES = 512,
};

/* --- does it fit -------------------------------------------------------- */

static bool refuse(struct fault *fault, const char *what, uint64_t need,
                   uint64_t have)
{
    char words[FAULT_WORDS_BYTES];
    struct text t;

    text_init(&t, words, sizeof words);
    text_str(&t, "firn needs ");
    text_u64(&t, need);
    text_str(&t, " bytes, there are ");
    text_u64(&t, have);
    fault_set(fault, ERROR_LIMIT, what, (int64_t)have);
    fault_words(fault, text_view(&t));
    return false;
}

/* The least limit of a cgroup and of those it lies in. */
static uint64_t cgroup_least(const char *mount, struct view path,
                             const char *file)
{
    uint64_t least = UINT64_MAX;

    for (uint32_t depth = 0; depth < CGROUP_DEPTH; depth++) {
        char name[PATH_BYTES];
        uint8_t bytes[32];
        struct view v;
        struct text t;
        uint64_t limit;

        text_init(&t, name, sizeof name);
        text_str(&t, mount);
        text_put(&t, path);
        text_str(&t, file);
        if (!t.overflow) {
            v = procfs_read(name, (struct span){bytes, sizeof bytes});
            if (view_u64(view_trim(v), UINT64_MAX, &limit) && limit < least)
                least = limit;  /* "max" is no number, and no limit */
        }
        if (path.len == 0)
            break;
        while (path.len > 0 && path.at[--path.len] != '/')
            continue;
    }
    return least;
}

static uint64_t cgroup_limit(void)
{
    uint8_t bytes[2048];
    struct view rest = procfs_read("/proc/self/cgroup",
                                   (struct span){bytes, sizeof bytes});
    uint64_t least = UINT64_MAX, limit = UINT64_MAX;

    while (rest.len > 0) {  /* "4:memory:/path" of v1, "0::/path" of v2 */
        struct view path = view_split(&rest, '\n');
        struct view number = view_split(&path, ':');
        struct view which = view_split(&path, ':');
        if (view_is(path, "/"))
            path.len = 0;
        if (view_is(number, "0") && which.len == 0)
            limit = cgroup_least("/sys/fs/cgroup", path, "/memory.max");
        else if (view_is(which, "memory"))
            limit = cgroup_least("/sys/fs/cgroup/memory", path,
                                 "/memory.limit_in_bytes");
        if (limit < least)
            least = limit;
    }
    return least;
}

/* What the kernel takes for itself while we run: tables of pages, sockets
 * without their bytes. Of a cgroup's limit it is the caller's to leave room. */
enum { KERNEL_BYTES = 2 << 20 };

/* MemAvailable has almost all of the kernel's own caches in it, of which a
 * small machine cannot give back much: there firn was killed once it had
 * connections (`make vm`). So half of them is not counted. */
static uint64_t machine_free(void)
{
    uint64_t available = UINT64_MAX, caches = 0;
    (void)procfs_value("/proc/meminfo", "SReclaimable:", &caches);
    if (!procfs_value("/proc/meminfo", "MemAvailable:", &available))
        return UINT64_MAX;
    return available - (caches / 2 < available ? caches / 2 : available);
}

bool lock_fits(uint64_t need_bytes, struct fault *fault)
{
    uint64_t limit = cgroup_limit(), available = machine_free();

    if (limit < need_bytes)
        return refuse(fault, "the cgroup's memory limit is too small",
                      need_bytes, limit);
    if (available < need_bytes + KERNEL_BYTES)
        return refuse(fault, "the machine has too little free memory",
                      need_bytes + KERNEL_BYTES, available);
    return true;
}

/* --- touching ----------------------------------------------------------- */

/* The program's own header, by the linker. */
extern const Elf64_Ehdr __ehdr_start;

static void touch(uintptr_t from, uintptr_t to)
{
    for (uintptr_t at = from; at < to; at += PAGE_BYTES) {
        volatile uint8_t *byte = (volatile uint8_t *)at;
        *byte = *byte;
    }
    if (to > from) {
        volatile uint8_t *last = (volatile uint8_t *)(to - 1);
        *last = *last;
    }
}

enum { PAINT = 0xa5 };

static uintptr_t painted;  /* the lowest byte of it; 0: none yet */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wframe-larger-than="
static __attribute__((noinline)) void paint_stack(void)
{
    volatile uint8_t stack[CFG_STACK_BYTES];

    for (uint32_t i = 0; i < sizeof stack; i++)
        stack[i] = PAINT;
    painted = (uintptr_t)stack;
}
#pragma GCC diagnostic pop

uint32_t lock_stack_peak(void)
{
    const volatile uint8_t *stack = (const volatile uint8_t *)painted;
    uint32_t clean = 0;

    if (painted == 0)
        return 0;
    while (clean < CFG_STACK_BYTES && stack[clean] == PAINT)
        clean++;
    return CFG_STACK_BYTES - clean;
}

void lock_touch(void)
{
    const uint8_t *base = (const uint8_t *)&__ehdr_start;
    const Elf64_Phdr *head =
        (const Elf64_Phdr *)(const void *)(base + __ehdr_start.e_phoff);
    uintptr_t bias = 0;

    if (__ehdr_start.e_type == ET_DYN)  /* static-pie: linked at 0 */
        bias = (uintptr_t)base;
    for (uint32_t i = 0; i < __ehdr_start.e_phnum; i++) {
        uintptr_t at = (uintptr_t)head[i].p_vaddr + bias;
        if (head[i].p_type == PT_LOAD && (head[i].p_flags & PF_W) != 0)
            touch(at, at + (uintptr_t)head[i].p_memsz);
    }
    paint_stack();
}

/* --- limits ------------------------------------------------------------- */

static uint64_t set_limit(int which, uint64_t bytes)
{
    struct rlimit r = {bytes, bytes};

    return setrlimit(which, &r) == 0 ? bytes : 0;
}

/* At what the kernel says is in use; 0: it does not say, or forbids. */
static uint64_t set_to(int which, const char *name)
{
    uint64_t bytes;

    if (!procfs_value("/proc/self/status", name, &bytes))
        return 0;
    return set_limit(which, bytes);
}

/* --- proof -------------------------------------------------------------- */

struct try {
    const char *name;
    long        number;
    long        a, b, c, d, e;
};

static const char nowhere[] = "";

/* Each would fail for another reason than permission if it were allowed, or
 * do nothing worse than lend a page or a descriptor. */
static const struct try tries[] = {
    {"mmap", SYS_mmap, 0, PAGE_BYTES, PROT_READ | PROT_WRITE,
     MAP_PRIVATE | MAP_ANONYMOUS, -1},
    {"mremap", SYS_mremap, 0, PAGE_BYTES, 2 * PAGE_BYTES, 0, 0},
    {"clone", SYS_clone, CLONE_THREAD, 0, 0, 0, 0},
    {"execve", SYS_execve, 0, 0, 0, 0, 0},
    {"open to write", SYS_openat, AT_FDCWD, (long)"/dev/null", O_WRONLY, 0,
     0},
    {"open to create", SYS_openat, AT_FDCWD, (long)nowhere,
     O_RDONLY | O_CREAT, 0600, 0},
    {"open to truncate", SYS_openat, AT_FDCWD, (long)nowhere,
     O_RDONLY | O_TRUNC, 0, 0},
    {"unlink", SYS_unlinkat, AT_FDCWD, (long)nowhere, 0, 0, 0},
    {"rename", SYS_renameat2, AT_FDCWD, (long)nowhere, AT_FDCWD,
     (long)nowhere, 0},
    {"mkdir", SYS_mkdirat, AT_FDCWD, (long)nowhere, 0700, 0, 0},
    {"truncate", SYS_truncate, (long)nowhere, 0, 0, 0, 0},
    {"ftruncate", SYS_ftruncate, -1, 0, 0, 0, 0},
    {"memfd_create", SYS_memfd_create, 0, 0, 0, 0, 0},
    {"ptrace", SYS_ptrace, -1, 0, 0, 0, 0},
    {"mount", SYS_mount, 0, 0, 0, 0, 0},
#ifdef SYS_open
    {"open to write, old", SYS_open, (long)"/dev/null", O_RDWR, 0, 0, 0},
    {"creat", SYS_creat, (long)nowhere, 0600, 0, 0, 0},
#endif
};

_Static_assert(sizeof tries / sizeof tries[0] + 2 <= LOCK_TRIES,
               "the report has a place for each try");

static void note(struct lock_report *r, const char *name, bool refused)
{
    if (refused)
        r->refused[r->refused_count++] = name;
    else
        r->allowed[r->allowed_count++] = name;
}

/* brk answers with the break it leaves, instead of an error. */
static void try_break(struct lock_report *r)
{
    long now = syscall(SYS_brk, 0L), next = syscall(SYS_brk, now + 65536L);

    note(r, "brk", now == -1 || next != now + 65536);
}

static void try_fork(struct lock_report *r)
{
#ifdef SYS_fork
    long child = syscall(SYS_fork);
#else
    long child = syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
#endif

    if (child == 0)
        _exit(0);
    note(r, "fork", child == -1 && errno == EPERM);
}

static void try_all(struct lock_report *r)
{
    const uint32_t count = sizeof tries / sizeof tries[0];

    try_break(r);
    for (uint32_t i = 0; i < count && (r->filtered || i == 0); i++) {
        const struct try *t = &tries[i];
        long got;
        errno = 0;
        got = syscall(t->number, t->a, t->b, t->c, t->d, t->e, 0L);
        note(r, t->name, got == -1 && errno == (r->filtered ? EPERM
                                                            : ENOMEM));
    }
    if (r->filtered && r->allowed_count == 0)
        try_fork(r);
}

void lock_enter(bool sandbox, struct lock_report *report)
{
    *report = (struct lock_report){.unfiltered = "--no-sandbox"};
    (void)set_limit(RLIMIT_CORE, 0);
    (void)set_limit(RLIMIT_NPROC, 0);
    report->stack_bytes = set_to(RLIMIT_STACK, "VmStk:");
    report->data_bytes = set_to(RLIMIT_DATA, "VmData:");
    report->address_bytes = set_to(RLIMIT_AS, "VmSize:");
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  /* no core, no ptrace */
    if (sandbox) {
        report->unfiltered = filter_enter();
        report->filtered = report->unfiltered == NULL;
    }
    try_all(report);
}

static void put_names(struct text *t, const char *key,
                      const char *const *names, uint32_t count)
{
    text_str(t, ",\"");
    text_str(t, key);
    text_str(t, "\":[");
    for (uint32_t i = 0; i < count; i++) {
        text_str(t, i == 0 ? "\"" : ",\"");
        text_str(t, names[i]);
        text_char(t, '"');
    }
    text_char(t, ']');
}

void lock_describe(const struct lock_report *report, struct text *t)
{
    text_str(t, "{\"phase\":\"locked\",\"filter\":");
    text_str(t, report->filtered ? "true" : "false");
    if (!report->filtered) {
        text_str(t, ",\"why\":\"");
        text_str(t, report->unfiltered);
        text_char(t, '"');
    }
    text_str(t, ",\"address_bytes\":");
    text_u64(t, report->address_bytes);
    text_str(t, ",\"data_bytes\":");
    text_u64(t, report->data_bytes);
    text_str(t, ",\"stack_bytes\":");
    text_u64(t, report->stack_bytes);
    put_names(t, "refused", report->refused, report->refused_count);
    put_names(t, "allowed", report->allowed, report->allowed_count);
    text_str(t, "}\n");
}
