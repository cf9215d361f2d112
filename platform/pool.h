/* pool.h - the heap: one fixed array behind the whole malloc family.
 *
 * pool.c defines malloc, calloc, realloc, free, aligned_alloc, memalign,
 * posix_memalign and malloc_usable_size, so that every allocation of the
 * process (libcurl, mbedTLS, c-ares, musl itself) comes from CFG_POOL_BYTES of
 * static memory: no brk, no mmap, no growth. firn's own code allocates
 * nothing while it works.
 *
 * Two-level segregated free lists (Masmano, Ripoll, Crespo, Real: "TLSF",
 * 2004): every operation takes bounded time; neighbours that are free are
 * joined at once. 8 bytes a block, payloads aligned to 16. A block that is
 * freed twice, was never allocated or whose header was overwritten traps.
 * One thread. Compile with -fno-builtin: gcc would turn calloc into a call of
 * calloc. */
#ifndef FIRN_PLATFORM_POOL_H
#define FIRN_PLATFORM_POOL_H

#include <stdint.h>

#include "base/text.h"

struct pool_use {
    uint32_t used;          /* bytes held now, headers included */
    uint32_t peak;          /* the most ever held */
    uint32_t failures;      /* allocations refused since the start */
    uint32_t failed_bytes;  /* what the last of them asked for */
    uint64_t count;         /* allocations made since the start */
};

struct pool_use pool_use(void);
/* All of the array: to be touched before the lock, and for the table. */
struct span     pool_memory(void);
/* For tests: the nth allocation from now on fails, once; 0: none does. */
void            pool_fail(uint64_t nth);

#endif
