/* gcm_blocks.h - the work of AES-GCM by whole blocks, in two ways that give
 * the same bytes: with the processor's instructions for AES and carry-less
 * multiplication (gcm_fast.c), and in C alone (gcm_plain.c).
 *
 * All take the same time whatever the data and the key, but for the AES of
 * the plain way, which is mbedTLS's, by tables. The text may be enciphered in
 * place, or to a place that begins below it.
 *
 * NIST SP 800-38D; the multiplication follows Gueron and Kounavis, "Intel
 * Carry-Less Multiplication Instruction and its Usage for Computing the GCM
 * Mode": bytes reversed, one factor times x, so that nothing is shifted. */
#ifndef FIRN_GCM_BLOCKS_H
#define FIRN_GCM_BLOCKS_H

#ifndef MBEDTLS_ALLOW_PRIVATE_ACCESS
#define MBEDTLS_ALLOW_PRIVATE_ACCESS  /* to the round keys */
#endif
#include <mbedtls/gcm.h>

/* Whole blocks, at least one: read here, written there. */
struct gcm_span {
    const uint8_t *in;
    uint8_t       *out;
    size_t         blocks;
};

/* Whether the processor has what the fast functions need. */
bool gcm_fast_able(void);

/* Makes g->power of the hash key, for both. */
void gcm_plain_powers(mbedtls_gcm_context *g,
                      const uint8_t key[GCM_BLOCK_BYTES]);

/* Moves on to the next block: g->counter and, from it, g->stream. */
void gcm_plain_stream(mbedtls_gcm_context *g);

/* Brings g->hash past these blocks. */
void gcm_fast_hash(mbedtls_gcm_context *g, const uint8_t *at, size_t blocks);
void gcm_plain_hash(mbedtls_gcm_context *g, const uint8_t *at, size_t blocks);

/* Enciphers or deciphers, as g says, and hashes what is enciphered. */
void gcm_fast_crypt(mbedtls_gcm_context *g, struct gcm_span s);
void gcm_plain_crypt(mbedtls_gcm_context *g, struct gcm_span s);

#endif
