/* digest.h - SHA-256, HMAC, MD5 and CRCs, written for the tests' AWS alone,
 * so that a mistake in the client's own is not forgiven by the same one here.
 *
 * FIPS 180-4, RFC 2104, RFC 1321; check values of the CRCs for "123456789":
 * crc32 cbf43926, crc32c e3069283, crc64nvme ae8b14860a799888. */
#ifndef AWS_DIGEST_H
#define AWS_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct aws_sha256 {
    uint32_t state[8];
    uint64_t total;
    uint8_t  block[64];
};
void aws_sha256_init(struct aws_sha256 *s);
void aws_sha256_add(struct aws_sha256 *s, const void *at, size_t len);
void aws_sha256_end(struct aws_sha256 *s, uint8_t out[32]);
void aws_hmac(const void *key, size_t key_len, const void *at, size_t len,
              uint8_t out[32]);

struct aws_md5 {
    uint32_t state[4];
    uint64_t total;
    uint8_t  block[64];
};
void aws_md5_init(struct aws_md5 *m);
void aws_md5_add(struct aws_md5 *m, const void *at, size_t len);
void aws_md5_end(struct aws_md5 *m, uint8_t out[16]);

/* Running CRCs: start with 0, pass the last value back in. */
uint32_t aws_crc32(uint32_t crc, const void *at, size_t len);
uint32_t aws_crc32c(uint32_t crc, const void *at, size_t len);
uint64_t aws_crc64(uint64_t crc, const void *at, size_t len);
/* The CRC-64 of a then b, from theirs and the length of b. */
uint64_t aws_crc64_join(uint64_t a, uint64_t b, uint64_t b_len);

#endif
