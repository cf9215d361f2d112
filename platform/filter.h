/* filter.h - the list of system calls that may be made after the lock. */
#ifndef FIRN_PLATFORM_FILTER_H
#define FIRN_PLATFORM_FILTER_H

/* Puts the filter in force, for good: what is not on the list fails with
 * EPERM. NULL, or why it could not be: a few literal words. x86-64 and
 * aarch64 (seccomp(2); Documentation/userspace-api/seccomp_filter). */
const char *filter_enter(void);

#endif
