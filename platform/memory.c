/* memory.c - see memory.h. */
#include "memory.h"

#include <elf.h>
#include <sys/auxv.h>

#include "base/check.h"
#include "base/limits.h"
#include "pool.h"
#include "posix.h"
#include "task/message.h"

struct segments {
    uint64_t code;  /* mapped from the file, never written */
    uint64_t data;  /* written: .data and .bss */
};

/* In whole pages of this kernel's, of 4, 16 or 64 KiB. */
static uint64_t pages(uint64_t from, uint64_t to)
{
    uint64_t page = getauxval(AT_PAGESZ);
    CHECK(page > 0);
    return ((to + page - 1) / page - from / page) * page;
}

/* By the program's own headers. */
static struct segments segments(void)
{
    struct segments s = {0, 0};
    const Elf64_Phdr *header =
        (const Elf64_Phdr *)getauxval(AT_PHDR);  /* NOLINT: the kernel's */
    unsigned long count = getauxval(AT_PHNUM);

    for (unsigned long i = 0; header != NULL && i < count; i++) {
        uint64_t bytes = pages(header[i].p_vaddr,
                               header[i].p_vaddr + header[i].p_memsz);
        if (header[i].p_type == PT_LOAD && (header[i].p_flags & PF_W) != 0)
            s.data += bytes;
        else if (header[i].p_type == PT_LOAD)
            s.code += bytes;
    }
    return s;
}

uint64_t memory_total(void)
{
    struct segments s = segments();
    return s.code + s.data + CFG_STACK_BYTES;
}

/* Each direction has its buffer, and the kernel doubles what it is asked for
 * (socket(7), SO_RCVBUF). */
uint64_t memory_sockets(void)
{
    return (uint64_t)CFG_SOCKET_COUNT * 2 * 2 * CFG_SOCKET_BYTES;
}

static void put_spaces(struct text *out, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        text_char(out, ' ');
}

static void put_row(struct text *out, const struct memory_row *row,
                    enum output form)
{
    if (form == OUTPUT_JSON) {
        text_str(out, "{\"region\":\"");
        text_str(out, row->name);
        text_str(out, "\",\"bytes\":");
        text_u64(out, row->bytes);
        text_str(out, ",\"what\":\"");
        text_json(out, view_of(row->what));
        text_str(out, "\"}\n");
        return;
    }
    char number[32];
    struct text t;
    uint32_t start = out->len;
    text_init(&t, number, sizeof number);
    message_number(&t, row->bytes);
    text_str(out, row->name);
    uint32_t used = out->len - start + t.len;
    put_spaces(out, used < 29 ? 29 - used : 1);
    text_put(out, text_view(&t));
    if (row->what[0] != '\0') {
        text_str(out, "  ");
        text_str(out, row->what);
    }
    text_char(out, '\n');
}

static void put(struct text *out, const char *name, uint64_t bytes,
                const char *what, enum output form)
{
    put_row(out, &(struct memory_row){name, bytes, what}, form);
}

static void put_heading(struct text *out, const char *heading,
                        enum output form)
{
    if (form == OUTPUT_TEXT) {
        text_str(out, heading);
        text_char(out, '\n');
    }
}

static void put_limits(struct text *out, const struct lock_report *lock,
                       enum output form)
{
    struct posix_usage usage = posix_usage();
    put_heading(out, "\nLimits set by the kernel, bytes", form);
    put(out, "address space", lock->address_bytes,
        "RLIMIT_AS: the code, the data, the stack", form);
    put(out, "data", lock->data_bytes, "RLIMIT_DATA", form);
    put(out, "stack limit", lock->stack_bytes, "RLIMIT_STACK", form);
    put(out, "filter", lock->filtered ? 1 : 0,
        lock->filtered ? "seccomp refuses memory, processes, files to write"
        : lock->unfiltered != NULL ? lock->unfiltered : "off", form);
    put_heading(out, "\nMeasured now, all of it touched, bytes", form);
    put(out, "resident", usage.rss_bytes, "VmRSS", form);
    put(out, "resident peak", usage.rss_peak_bytes, "VmHWM", form);
    put(out, "pool peak", pool_use().peak, "", form);
}

void memory_write(struct text *out, const struct memory_table *table,
                  const struct lock_report *lock, enum output form)
{
    struct segments s = segments();
    uint64_t pool = pool_memory().len, listed = pool;
    put_heading(out, "Reserved, bounded by construction, bytes", form);
    for (uint32_t i = 0; i < table->count; i++) {
        put_row(out, &table->rows[i], form);
        listed += table->rows[i].bytes;
    }
    put(out, "other data", s.data > listed ? s.data - listed : 0,
        "the libraries' and musl's, and the ends of pages", form);
    put(out, "stack", CFG_STACK_BYTES, "CFG_STACK_BYTES, touched", form);
    put(out, "code", s.code, "and constants: roots, time zones, tables",
        form);
    put_heading(out, "Reserved, bounded by refusing more, bytes", form);
    put(out, "pool", pool, "CFG_POOL_BYTES: curl, mbedTLS, c-ares", form);
    put_heading(out, "", form);
    put(out, "total", memory_total(), "all that can become resident", form);
    put(out, "promised", CFG_RESIDENT_BYTES, "CFG_RESIDENT_BYTES, profile "
        CONFIG_PROFILE, form);
    put_heading(out, "\nThe kernel's, counted by a cgroup, bytes", form);
    put(out, "sockets", memory_sockets(),
        "CFG_SOCKET_COUNT connections, both ways, doubled", form);
    put_limits(out, lock, form);
}
