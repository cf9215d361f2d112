/* gcm_alt.h - the context of AES-GCM, for mbedTLS and for platform/gcm.c,
 * which takes the place of mbedTLS's own; see mbedtls_config.h.
 *
 * It holds no pointer, so it may be copied; it holds secrets, so it must be
 * given to mbedtls_gcm_free(), which wipes it. Elements of the field of GHASH
 * are kept as the block's bytes in reverse: two words, the low one first. */
#ifndef FIRN_GCM_ALT_H
#define FIRN_GCM_ALT_H

#include <stdbool.h>
#include <stdint.h>

#include "mbedtls/aes.h"

enum { GCM_BLOCK_BYTES = 16, GCM_BATCH_BLOCKS = 8 };

typedef struct mbedtls_gcm_context {
    mbedtls_aes_context aes;               /* the round keys */
    uint64_t power[GCM_BATCH_BLOCKS][2];   /* H, H^2, ... each times x */
    uint64_t hash[2];                      /* of all whole blocks so far */
    uint64_t added_bytes;                  /* of additional data so far */
    uint64_t text_bytes;                   /* of the text so far */
    uint8_t  counter[GCM_BLOCK_BYTES];     /* of the block enciphered last */
    uint8_t  tag_mask[GCM_BLOCK_BYTES];    /* what the hash is hidden by */
    uint8_t  stream[GCM_BLOCK_BYTES];      /* of the block begun, if any */
    uint8_t  partial[GCM_BLOCK_BYTES];     /* what is to be hashed of it */
    bool     decrypting;
    bool     fast;                         /* by the processor's own means */
} mbedtls_gcm_context;

#endif
