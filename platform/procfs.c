/* procfs.c - numbers in the kernel's text files. */
#include "procfs.h"

#include <fcntl.h>
#include <unistd.h>

struct view procfs_read(const char *path, struct span room)
{
    uint32_t len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    while (fd >= 0 && len < room.len) {
        ssize_t n = read(fd, room.at + len, room.len - len);
        if (n <= 0)
            break;
        len += (uint32_t)n;
    }
    if (fd >= 0)
        close(fd);
    return (struct view){room.at, len};
}

bool procfs_value(const char *path, const char *name, uint64_t *value)
{
    uint8_t bytes[2048];
    struct view rest = procfs_read(path, (struct span){bytes, sizeof bytes});

    while (rest.len > 0) {
        struct view line = view_split(&rest, '\n'), number;
        uint64_t scale = 1, found;
        if (!view_starts(line, name))
            continue;
        number = view_slice(line, view_of(name).len, line.len);
        if (view_ends(number, "kB")) {
            number = view_slice(number, 0, number.len - 2);
            scale = 1024;
        }
        if (!view_u64(view_trim(number), UINT64_MAX / 1024, &found))
            return false;
        *value = found * scale;
        return true;
    }
    return false;
}
