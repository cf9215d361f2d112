/* eva.c - see eva.h. Each text is in memory of its own size, so that a byte
 * before or behind it is out of bounds. */
#include "eva.h"

void eva_any(uint32_t most, void (*take)(const uint8_t *at, uint32_t len))
{
    //@ loop unroll 100;
    for (uint32_t len = 0; len <= most; len++) {
        uint8_t *at = malloc(len > 0 ? len : 1);
        Frama_C_make_unknown((char *)at, len > 0 ? len : 1);
        take(at, len);
        free(at);
    }
}

void eva_holes(const char *text, uint32_t width,
               void (*take)(const uint8_t *at, uint32_t len))
{
    uint32_t len = (uint32_t)strlen(text);
    //@ loop unroll 4000;
    for (uint32_t hole = 0; hole + width <= len; hole++) {
        uint8_t *at = malloc(len);
        memcpy(at, text, len);
        Frama_C_make_unknown((char *)at + hole, width);
        take(at, len);
        free(at);
    }
}
