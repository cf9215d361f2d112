/* gcm.c - the functions of mbedtls/gcm.h, in place of mbedTLS's own; see
 * deps/mbedtls_config.h. What they mean stands in that header. They write as
 * many bytes as they are given, at once. */
#include "gcm_blocks.h"

#include <mbedtls/constant_time.h>
#include <mbedtls/platform_util.h>
#include <string.h>

enum { BLOCK = GCM_BLOCK_BYTES, IV_BYTES = 12, TAG_BYTES_MIN = 4 };

/* NIST SP 800-38D, 5.2.1.1: of the text, and of the rest. */
static const uint64_t TEXT_BYTES_MAX = ((uint64_t)1 << 36) - 32;
static const uint64_t ADDED_BYTES_MAX = ((uint64_t)1 << 61) - 1;

static void hash_blocks(mbedtls_gcm_context *g, const uint8_t *at,
                        size_t blocks)
{
    if (g->fast)
        gcm_fast_hash(g, at, blocks);
    else
        gcm_plain_hash(g, at, blocks);
}

/* The hash as a block, byte by byte. */
static uint8_t hash_byte(const mbedtls_gcm_context *g, unsigned i)
{
    return (uint8_t)(g->hash[1 - i / 8] >> (7 - i % 8) * 8);
}

/* Hashes the partial block, filled up with zeros, and empties it. */
static void hash_partial(mbedtls_gcm_context *g)
{
    hash_blocks(g, g->partial, 1);
    memset(g->partial, 0, BLOCK);
}

/* Hashes bytes that follow so many. Those of a block that is not whole wait
 * for the rest, or for the end. */
static void hash_bytes(mbedtls_gcm_context *g, const uint8_t *at, size_t len,
                       uint64_t after)
{
    size_t held = (size_t)(after % BLOCK);
    size_t wanted = held == 0 ? 0 : BLOCK - held;
    size_t first = len < wanted ? len : wanted;

    memcpy(g->partial + held, at, first);
    if (first > 0 && first == wanted)
        hash_partial(g);
    at += first;
    len -= first;
    if (len >= BLOCK)
        hash_blocks(g, at, len / BLOCK);
    memcpy(g->partial, at + len / BLOCK * BLOCK, len % BLOCK);
}

static void crypt_blocks(mbedtls_gcm_context *g, struct gcm_span s)
{
    if (s.blocks == 0)
        return;
    if (g->fast)
        gcm_fast_crypt(g, s);
    else
        gcm_plain_crypt(g, s);
    g->text_bytes += s.blocks * BLOCK;
}

/* Bytes of one block, of which the stream is there. */
static void crypt_bytes(mbedtls_gcm_context *g, const uint8_t *in,
                        uint8_t *out, size_t len)
{
    size_t held = (size_t)(g->text_bytes % BLOCK);

    for (size_t i = 0; i < len; i++) {
        uint8_t from = in[i], made = from ^ g->stream[held + i];
        g->partial[held + i] = g->decrypting ? from : made;
        out[i] = made;
    }
    g->text_bytes += len;
    if (held + len == BLOCK)
        hash_partial(g);
}

/* A first block of the counter: the IV and 1, or a hash of the IV. */
static void begin_counter(mbedtls_gcm_context *g, const uint8_t *iv,
                          size_t iv_len)
{
    memset(g->counter, 0, BLOCK);
    if (iv_len == IV_BYTES) {
        memcpy(g->counter, iv, IV_BYTES);
        g->counter[BLOCK - 1] = 1;
        return;
    }
    hash_bytes(g, iv, iv_len, 0);
    if (iv_len % BLOCK != 0)
        hash_partial(g);
    g->hash[0] ^= (uint64_t)iv_len * 8;
    hash_partial(g);
    for (unsigned i = 0; i < BLOCK; i++)
        g->counter[i] = hash_byte(g, i);
    g->hash[0] = g->hash[1] = 0;
}

void mbedtls_gcm_init(mbedtls_gcm_context *g)
{
    memset(g, 0, sizeof *g);
}

void mbedtls_gcm_free(mbedtls_gcm_context *g)
{
    if (g != NULL)
        mbedtls_platform_zeroize(g, sizeof *g);
}

int mbedtls_gcm_setkey(mbedtls_gcm_context *g, mbedtls_cipher_id_t cipher,
                       const unsigned char *key, unsigned int keybits)
{
    uint8_t zeros[BLOCK] = {0}, hash_key[BLOCK];
    int error;

    if (cipher != MBEDTLS_CIPHER_ID_AES)
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    error = mbedtls_aes_setkey_enc(&g->aes, key, keybits);
    if (error == 0)
        error = mbedtls_aes_crypt_ecb(&g->aes, MBEDTLS_AES_ENCRYPT, zeros,
                                      hash_key);
    if (error != 0)
        return error;
    gcm_plain_powers(g, hash_key);
    mbedtls_platform_zeroize(hash_key, sizeof hash_key);
    g->fast = gcm_fast_able();
    return 0;
}

int mbedtls_gcm_starts(mbedtls_gcm_context *g, int mode,
                       const unsigned char *iv, size_t iv_len)
{
    if (iv_len == 0 || iv_len > ADDED_BYTES_MAX)
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    g->decrypting = mode == MBEDTLS_GCM_DECRYPT;
    g->hash[0] = g->hash[1] = 0;
    g->added_bytes = g->text_bytes = 0;
    memset(g->partial, 0, BLOCK);
    begin_counter(g, iv, iv_len);
    return mbedtls_aes_crypt_ecb(&g->aes, MBEDTLS_AES_ENCRYPT, g->counter,
                                 g->tag_mask);
}

int mbedtls_gcm_update_ad(mbedtls_gcm_context *g, const unsigned char *add,
                          size_t add_len)
{
    if (add_len > ADDED_BYTES_MAX - g->added_bytes)
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    if (add_len == 0)
        return 0;
    hash_bytes(g, add, add_len, g->added_bytes);
    g->added_bytes += add_len;
    return 0;
}

int mbedtls_gcm_update(mbedtls_gcm_context *g, const unsigned char *input,
                       size_t input_length, unsigned char *output,
                       size_t output_size, size_t *output_length)
{
    size_t held = (size_t)(g->text_bytes % BLOCK);
    size_t first = held == 0 ? 0 : BLOCK - held, blocks, last;

    if (output_size < input_length)
        return MBEDTLS_ERR_GCM_BUFFER_TOO_SMALL;
    *output_length = input_length;
    if (input_length == 0)
        return 0;
    if (output > input && (size_t)(output - input) < input_length)
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    if (input_length > TEXT_BYTES_MAX - g->text_bytes)
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    if (g->text_bytes == 0 && g->added_bytes % BLOCK != 0)
        hash_partial(g);
    first = input_length < first ? input_length : first;
    blocks = (input_length - first) / BLOCK;
    last = (input_length - first) % BLOCK;
    crypt_bytes(g, input, output, first);
    crypt_blocks(g, (struct gcm_span){input + first, output + first, blocks});
    if (last > 0) {
        gcm_plain_stream(g);
        crypt_bytes(g, input + input_length - last,
                    output + input_length - last, last);
    }
    return 0;
}

int mbedtls_gcm_finish(mbedtls_gcm_context *g, unsigned char *output,
                       size_t output_size, size_t *output_length,
                       unsigned char *tag, size_t tag_len)
{
    uint64_t last = g->text_bytes > 0 ? g->text_bytes : g->added_bytes;

    (void)output;
    (void)output_size;
    *output_length = 0;
    if (tag_len > BLOCK || tag_len < TAG_BYTES_MIN)
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    if (last % BLOCK != 0)
        hash_partial(g);
    g->hash[0] ^= g->text_bytes * 8;
    g->hash[1] ^= g->added_bytes * 8;
    hash_partial(g);
    for (unsigned i = 0; i < tag_len; i++)
        tag[i] = g->tag_mask[i] ^ hash_byte(g, i);
    return 0;
}

int mbedtls_gcm_crypt_and_tag(mbedtls_gcm_context *g, int mode, size_t length,
                              const unsigned char *iv, size_t iv_len,
                              const unsigned char *add, size_t add_len,
                              const unsigned char *input,
                              unsigned char *output, size_t tag_len,
                              unsigned char *tag)
{
    size_t made;
    int error = mbedtls_gcm_starts(g, mode, iv, iv_len);

    if (error == 0)
        error = mbedtls_gcm_update_ad(g, add, add_len);
    if (error == 0)
        error = mbedtls_gcm_update(g, input, length, output, length, &made);
    if (error == 0)
        error = mbedtls_gcm_finish(g, NULL, 0, &made, tag, tag_len);
    return error;
}

int mbedtls_gcm_auth_decrypt(mbedtls_gcm_context *g, size_t length,
                             const unsigned char *iv, size_t iv_len,
                             const unsigned char *add, size_t add_len,
                             const unsigned char *tag, size_t tag_len,
                             const unsigned char *input,
                             unsigned char *output)
{
    uint8_t own[BLOCK];
    int error;

    if (tag_len > BLOCK || tag_len < TAG_BYTES_MIN)
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    error = mbedtls_gcm_crypt_and_tag(g, MBEDTLS_GCM_DECRYPT, length, iv,
                                      iv_len, add, add_len, input, output,
                                      tag_len, own);
    if (error != 0 || mbedtls_ct_memcmp(tag, own, tag_len) == 0)
        return error;
    mbedtls_platform_zeroize(output, length);
    return MBEDTLS_ERR_GCM_AUTH_FAILED;
}
