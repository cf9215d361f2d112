/* memory.h - the table of all memory: reserved, resident, and the kernel's.
 *
 * The program's own memory is one struct; its fields are rows, bounded by
 * construction. The libraries' heap is the pool, bounded by refusing. What
 * else the linker laid out is a row of its own, so that the rows add up to
 * what is mapped. Socket buffers are the kernel's: they count in a cgroup and
 * not in the resident size. */
#ifndef FIRN_PLATFORM_MEMORY_H
#define FIRN_PLATFORM_MEMORY_H

#include "lock.h"
#include "task/options.h"

struct memory_row {
    const char *name;
    uint64_t    bytes;
    const char *what;   /* one line for people */
};

struct memory_table {
    const struct memory_row *rows;  /* of the program's one struct */
    uint32_t                 count;
    uint64_t                 struct_bytes;  /* that struct */
};

enum { MEMORY_BYTES = 8192 };

/* All that can become resident: rows, pool, stack, code. */
uint64_t memory_total(void);
/* The kernel's, for CFG_SOCKET_COUNT connections. */
uint64_t memory_sockets(void);
/* The table, with the limits that the lock set and what is resident now. */
void     memory_write(struct text *out, const struct memory_table *table,
                      const struct lock_report *lock, enum output form);

#endif
