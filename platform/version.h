/* version.h - what this binary is made of. */
#ifndef FIRN_PLATFORM_VERSION_H
#define FIRN_PLATFORM_VERSION_H

#include "base/text.h"

/* Version, processor, profile, changed limits, and each linked part with the
 * Debian version it comes from: lines. */
void version_write(struct text *out);

#endif
