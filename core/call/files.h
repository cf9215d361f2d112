/* files.h - seam: a small file, as it is now.
 *
 * Read at start (the shared files) and again at each refresh (tokens that
 * someone else rotates). Only regular files count, so that nothing can hang:
 * a FIFO, a device or a directory is unreadable. */
#ifndef FIRN_CALL_FILES_H
#define FIRN_CALL_FILES_H

#include "base/text.h"

enum file_result {
    FILE_READ,
    FILE_EXPOSED,     /* read, as others on this machine can, too */
    FILE_MISSING,
    FILE_UNREADABLE,  /* no permission, not a regular file, an error */
    FILE_LONG,        /* more than the room; what was read is worthless */
};

/* Reads the whole file into `room`; *len is what it held. */
enum file_result file_read(const char *path, struct span room, uint32_t *len);

#endif
