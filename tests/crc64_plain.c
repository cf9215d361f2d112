/* crc64_plain.c - the seam crc64_add() in C alone; test_crc.c has both. */
#include "base/crc.h"

uint64_t crc64_add(uint64_t crc, struct view bytes)
{
    return crc64_plain(crc, bytes);
}
