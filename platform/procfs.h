/* procfs.h - numbers in the kernel's text files. */
#ifndef FIRN_PLATFORM_PROCFS_H
#define FIRN_PLATFORM_PROCFS_H

#include "base/text.h"

/* The file's first bytes, as many as there is room for; empty if it cannot be
 * read. */
struct view procfs_read(const char *path, struct span room);
/* The number after `name` at the start of a line, times 1,024 where "kB"
 * follows. False, and *value as it was, when it is not there. */
bool        procfs_value(const char *path, const char *name, uint64_t *value);

#endif
