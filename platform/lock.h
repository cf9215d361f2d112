/* lock.h - from here on: no more memory, no new process, no file written.
 *
 *     lock_fits(need_bytes, &fault)      before anything large is touched
 *     lock_touch()                       all writable memory becomes resident
 *     lock_enter(sandbox, &report)       limits, filter, and the proof
 *     lock_describe(&report, &text)      one JSON line for stderr
 *
 * The limits: address space, data and stack at what is mapped now, no core
 * file, no new process. The filter (seccomp, a list of the system calls that
 * the libraries and musl need to talk to the network, to read files, clocks
 * and signals, and to write to what is open already) answers EPERM to all
 * else; opening is for reading alone. Then each forbidden thing is tried, in a
 * form that would do no harm if it were not refused. Without seccomp in the
 * kernel the limits hold alone.
 *
 * Do before: open the CA bundle, the signals' pipe; make all of the
 * transport's handles. What stays possible: sockets, opening files for
 * reading. */
#ifndef FIRN_PLATFORM_LOCK_H
#define FIRN_PLATFORM_LOCK_H

#include "base/error.h"

enum { LOCK_TRIES = 24 };

struct lock_report {
    bool        filtered;        /* the filter is in force */
    const char *unfiltered;      /* why it is not: literal, or NULL */
    uint64_t    address_bytes;   /* RLIMIT_AS, or 0 */
    uint64_t    data_bytes;      /* RLIMIT_DATA, or 0 */
    uint64_t    stack_bytes;     /* RLIMIT_STACK, or 0 */
    const char *refused[LOCK_TRIES];
    const char *allowed[LOCK_TRIES];  /* tried, and not refused */
    uint32_t    refused_count, allowed_count;
};

/* Whether the machine's free memory and the cgroup's limits (v1 and v2, all
 * levels) allow so many bytes; both numbers in `fault` if not. */
bool lock_fits(uint64_t need_bytes, struct fault *fault);
/* Writes to each page of the program's data and of CFG_STACK_BYTES of stack
 * below the caller, so that all of it is counted from the start. */
void lock_touch(void);
/* The most bytes of those that were used since; 0 before lock_touch(). */
uint32_t lock_stack_peak(void);
/* `sandbox` false leaves the filter out (--no-sandbox). */
void lock_enter(bool sandbox, struct lock_report *report);
/* {"phase":"locked",...} and a newline. */
void lock_describe(const struct lock_report *report, struct text *t);

#endif
