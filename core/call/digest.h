/* digest.h - seam: SHA-256 (FIPS 180-4) over a few slices.
 *
 * platform/digest_mbedtls.c computes it; a second, plain one serves tests. */
#ifndef FIRN_CALL_DIGEST_H
#define FIRN_CALL_DIGEST_H

#include "base/text.h"

enum { SHA256_BYTES = 32 };

void digest_sha256(const struct view *slices, uint32_t count,
                   uint8_t out[SHA256_BYTES]);

#endif
