/* gcm.h - AES-GCM at the processor's speed, behind mbedTLS's interface.
 *
 * NIST SP 800-38D. mbedTLS hashes one block at a time and reduces each; on the
 * machines firn is for that is most of the CPU that TLS takes. gcm.c defines
 * mbedTLS's own functions (MBEDTLS_GCM_ALT; platform/deps/gcm_alt.h holds the
 * context) and hands whole blocks, eight at a time and reduced once, to one
 * of the kernels below: gcm_x86.c with AES and carry-less multiply, gcm_arm.c
 * with the ARMv8 crypto extension. A processor that has neither is served by
 * mbedTLS's AES and a table of 4 bits. The kernels' time does not depend on
 * the data. */
#ifndef FIRN_PLATFORM_GCM_H
#define FIRN_PLATFORM_GCM_H

#include <mbedtls/gcm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(MBEDTLS_GCM_ALT)

/* Asked once a key. */
bool gcm_fast_available(void);
/* Fills key.powers from the hash key, the encrypted zero block. */
void gcm_fast_key(mbedtls_gcm_context *c, const uint8_t hash_key[16]);
/* Adds whole blocks to the hash. */
void gcm_fast_hash(mbedtls_gcm_context *c, const uint8_t *in, size_t blocks);
/* En- or decrypts whole blocks, and adds the encrypted ones to the hash;
 * `in` and `out` are the same or do not overlap. */
void gcm_fast_crypt(mbedtls_gcm_context *c, const uint8_t *in, uint8_t *out,
                    size_t blocks);
/* For tests: pretends that the processor has no such instructions. */
void gcm_forbid_fast(bool forbidden);

#endif
#endif
