/* digest_mbedtls.c - the digest seam: SHA-256 by mbedTLS, or by sha256.h. */
#include <mbedtls/sha256.h>
#include <string.h>

#include "base/check.h"
#include "call/digest.h"
#include "sha256.h"

struct running {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t  held[64];  /* bytes % 64 of them */
};

static void add(struct running *r, struct view v)
{
    uint32_t held = (uint32_t)(r->bytes % 64);

    r->bytes += v.len;
    if (held > 0) {
        uint32_t take = v.len < 64 - held ? v.len : 64 - held;
        memcpy(r->held + held, v.at, take);
        v = view_slice(v, take, v.len);
        if (held + take < 64)
            return;
        sha256_blocks(r->state, r->held, 1);
    }
    sha256_blocks(r->state, v.at, v.len / 64);
    if (v.len % 64 > 0)
        memcpy(r->held, v.at + v.len / 64 * 64, v.len % 64);
}

/* FIPS 180-4 section 5.1.1: one bit, zeros, the length in bits. */
static void finish(struct running *r, uint8_t out[SHA256_BYTES])
{
    static const uint8_t padding[64] = {0x80};
    uint64_t bits = r->bytes * 8;
    uint8_t length[8];

    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    add(r, (struct view){padding, 1 + (uint32_t)((119 - r->bytes % 64) % 64)});
    add(r, (struct view){length, 8});
    for (int i = 0; i < SHA256_BYTES; i++)
        out[i] = (uint8_t)(r->state[i / 4] >> (24 - 8 * (i % 4)));
}

static void digest_fast(const struct view *slices, uint32_t count,
                        uint8_t out[SHA256_BYTES])
{
    struct running r = {
        .state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                  0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
    };

    for (uint32_t i = 0; i < count; i++)
        add(&r, slices[i]);
    finish(&r, out);
}

void digest_sha256(const struct view *slices, uint32_t count,
                   uint8_t out[SHA256_BYTES])
{
    mbedtls_sha256_context context;

    if (sha256_is_fast()) {
        digest_fast(slices, count, out);
        return;
    }
    mbedtls_sha256_init(&context);
    int code = mbedtls_sha256_starts(&context, 0);
    for (uint32_t i = 0; i < count; i++)
        code |= mbedtls_sha256_update(&context, slices[i].at, slices[i].len);
    code |= mbedtls_sha256_finish(&context, out);
    CHECK(code == 0);
    mbedtls_sha256_free(&context);
}
