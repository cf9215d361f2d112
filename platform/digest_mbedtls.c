/* digest_mbedtls.c - SHA-256 by mbedTLS, with the processor's instructions
 * where mbedTLS knows them. */
#include <mbedtls/sha256.h>

#include "base/check.h"
#include "call/digest.h"

void digest_sha256(const struct view *slices, uint32_t count,
                   uint8_t out[SHA256_BYTES])
{
    mbedtls_sha256_context c;

    mbedtls_sha256_init(&c);
    CHECK(mbedtls_sha256_starts(&c, 0) == 0);
    for (uint32_t i = 0; i < count; i++)
        CHECK(mbedtls_sha256_update(&c, slices[i].at, slices[i].len) == 0);
    CHECK(mbedtls_sha256_finish(&c, out) == 0);
    mbedtls_sha256_free(&c);
}
