/* plain.c - getauxval(3) of a processor without ARMv8's optional instructions:
 * linked into firn, it takes the plain path wherever there are two. */
#include <sys/auxv.h>

unsigned long __getauxval(unsigned long type);  /* musl's own name of it */

unsigned long getauxval(unsigned long type)
{
    unsigned long found = __getauxval(type);

    return type == AT_HWCAP ? found & (HWCAP_FP | HWCAP_ASIMD) : found;
}
