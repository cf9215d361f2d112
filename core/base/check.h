/* check.h - assertions that hold in release builds too.
 *
 * An error is the world's fault and is handled; a failed CHECK is ours and
 * stops the program before it can write a wrong byte. */
#ifndef FIRN_BASE_CHECK_H
#define FIRN_BASE_CHECK_H

#define CHECK(condition)              \
    do {                              \
        if (!(condition))             \
            __builtin_trap();         \
    } while (0)

#endif
