/* torture.c - linked into firn for tests/test_torture.py: the heap refuses
 * the allocation whose number is in TORTURE_POOL, once, from the start of the
 * process on; and says at the end if it never came so far. */
#include <stdlib.h>
#include <unistd.h>

#include "pool.h"

__attribute__((constructor)) static void begin(void)
{
    const char *nth = getenv("TORTURE_POOL");
    if (nth != NULL)
        pool_fail(strtoull(nth, NULL, 10));
}

__attribute__((destructor)) static void end(void)
{
    static const char words[] = "every allocation was given\n";
    if (pool_use().failures == 0 && getenv("TORTURE_POOL") != NULL)
        (void)!write(STDERR_FILENO, words, sizeof words - 1);
}
