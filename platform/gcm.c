/* gcm.c - mbedTLS's interface of AES-GCM, over the kernels of gcm.h. */
#include "gcm.h"

#if defined(MBEDTLS_GCM_ALT)

#include <mbedtls/constant_time.h>
#include <mbedtls/platform_util.h>
#include <string.h>

enum { BLOCK = 16, TAG_LEAST = 4, IV_USUAL = 12 };

static const uint64_t bytes_most = (UINT64_C(1) << 36) - 32;

static bool forbidden;

void gcm_forbid_fast(bool yes)
{
    forbidden = yes;
}

static uint64_t get_be(const uint8_t *at)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

static void put_be(uint8_t *at, uint64_t value)
{
    for (uint32_t i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (56 - 8 * i));
}

/* --- the hash, by a table of the key's multiples by 4 bits -------------- */

static void table_make(mbedtls_gcm_context *c, const uint8_t hash_key[BLOCK])
{
    uint64_t high = get_be(hash_key), low = get_be(hash_key + 8);

    memset(c->key.table, 0, sizeof c->key.table);
    for (uint32_t i = 8; i > 0; i /= 2) {
        uint64_t carry = (low & 1) * UINT64_C(0xe100000000000000);
        c->key.table[i][0] = high;
        c->key.table[i][1] = low;
        low = high << 63 | low >> 1;
        high = high >> 1 ^ carry;
    }
    for (uint32_t i = 2; i < 16; i *= 2)
        for (uint32_t j = 1; j < i; j++) {
            c->key.table[i + j][0] = c->key.table[i][0] ^ c->key.table[j][0];
            c->key.table[i + j][1] = c->key.table[i][1] ^ c->key.table[j][1];
        }
}

static void table_multiply(mbedtls_gcm_context *c)
{
    /* What the four bits that fall out at the low end come back as. */
    static const uint16_t carries[16] = {
        0x0000, 0x1c20, 0x3840, 0x2460, 0x7080, 0x6ca0, 0x48c0, 0x54e0,
        0xe100, 0xfd20, 0xd940, 0xc560, 0x9180, 0x8da0, 0xa9c0, 0xb5e0,
    };
    uint64_t high = 0, low = 0;

    for (uint32_t i = 0; i < 2 * BLOCK; i++) {
        uint8_t byte = c->hash[BLOCK - 1 - i / 2];
        uint32_t digit = i % 2 == 0 ? byte & 15 : byte >> 4;
        uint64_t carry = carries[low & 15];
        low = high << 60 | low >> 4;
        high = (high >> 4 ^ carry << 48) ^ c->key.table[digit][0];
        low ^= c->key.table[digit][1];
    }
    put_be(c->hash, high);
    put_be(c->hash + 8, low);
}

/* --- blocks ------------------------------------------------------------- */

static void multiply(mbedtls_gcm_context *c)
{
    static const uint8_t zero[BLOCK];

    if (c->fast)
        gcm_fast_hash(c, zero, 1);
    else
        table_multiply(c);
}

/* Adds bytes to the hash from `at` of its block on; where the next go. */
static uint32_t hash_bytes(mbedtls_gcm_context *c, uint32_t at,
                           const uint8_t *in, size_t len)
{
    size_t whole;

    for (; len > 0 && at > 0; len--) {
        c->hash[at++] ^= *in++;
        if (at < BLOCK)
            continue;
        multiply(c);
        at = 0;
    }
    whole = c->fast ? len / BLOCK : 0;
    if (whole > 0)
        gcm_fast_hash(c, in, whole);
    for (size_t i = whole * BLOCK; i < len; i++) {
        c->hash[at++] ^= in[i];
        if (at < BLOCK)
            continue;
        multiply(c);
        at = 0;
    }
    return at;
}

static int next_pad(mbedtls_gcm_context *c)
{
    for (uint32_t i = BLOCK; i > IV_USUAL; i--)
        if (++c->counter[i - 1] != 0)
            break;
    return mbedtls_aes_crypt_ecb(&c->aes, MBEDTLS_AES_ENCRYPT, c->counter,
                                 c->pad);
}

/* Less than a block is left of `pad`, from `at` on. */
static void crypt_bytes(mbedtls_gcm_context *c, uint32_t at,
                        const uint8_t *in, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t was = in[i], is = was ^ c->pad[at];
        c->hash[at++] ^= c->encrypting ? is : was;
        out[i] = is;
    }
    if (at == BLOCK)
        multiply(c);
}

static int crypt_slow(mbedtls_gcm_context *c, const uint8_t *in, uint8_t *out,
                      size_t blocks)
{
    for (size_t i = 0; i < blocks; i++) {
        int error = next_pad(c);
        if (error != 0)
            return error;
        crypt_bytes(c, 0, in + i * BLOCK, out + i * BLOCK, BLOCK);
    }
    return 0;
}

static int crypt(mbedtls_gcm_context *c, const uint8_t *in, uint8_t *out,
                 size_t len)
{
    uint32_t at = (uint32_t)(c->bytes % BLOCK);
    size_t begun = at == 0 ? 0 : BLOCK - at, blocks;
    int error = 0;

    begun = begun < len ? begun : len;
    if (c->bytes == 0 && c->ad_bytes % BLOCK != 0)
        multiply(c);  /* the last of the additional data */
    c->bytes += len;
    crypt_bytes(c, at, in, out, begun);
    in += begun;
    out += begun;
    blocks = (len - begun) / BLOCK;
    if (c->fast && blocks > 0)
        gcm_fast_crypt(c, in, out, blocks);
    else
        error = crypt_slow(c, in, out, blocks);
    if (error == 0 && (len - begun) % BLOCK != 0) {
        error = next_pad(c);
        crypt_bytes(c, 0, in + blocks * BLOCK, out + blocks * BLOCK,
                    (len - begun) % BLOCK);
    }
    return error;
}

/* --- mbedtls/gcm.h ------------------------------------------------------ */

void mbedtls_gcm_init(mbedtls_gcm_context *ctx)
{
    memset(ctx, 0, sizeof *ctx);
    mbedtls_aes_init(&ctx->aes);
}

void mbedtls_gcm_free(mbedtls_gcm_context *ctx)
{
    if (ctx == NULL)
        return;
    mbedtls_aes_free(&ctx->aes);
    mbedtls_platform_zeroize(ctx, sizeof *ctx);
}

int mbedtls_gcm_setkey(mbedtls_gcm_context *ctx, mbedtls_cipher_id_t cipher,
                       const unsigned char *key, unsigned int keybits)
{
    uint8_t hash_key[BLOCK] = {0};
    int error;

    if (cipher != MBEDTLS_CIPHER_ID_AES)
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    error = mbedtls_aes_setkey_enc(&ctx->aes, key, keybits);
    if (error == 0)
        error = mbedtls_aes_crypt_ecb(&ctx->aes, MBEDTLS_AES_ENCRYPT,
                                      hash_key, hash_key);
    if (error != 0)
        return error;
    ctx->fast = !forbidden && gcm_fast_available();
    if (ctx->fast)
        gcm_fast_key(ctx, hash_key);
    else
        table_make(ctx, hash_key);
    mbedtls_platform_zeroize(hash_key, sizeof hash_key);
    return 0;
}

int mbedtls_gcm_starts(mbedtls_gcm_context *ctx, int mode,
                       const unsigned char *iv, size_t iv_len)
{
    uint8_t lengths[BLOCK] = {0};

    if (iv_len == 0 || iv_len > UINT32_MAX)
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    ctx->encrypting = mode == MBEDTLS_GCM_ENCRYPT;
    ctx->bytes = ctx->ad_bytes = 0;
    memset(ctx->hash, 0, BLOCK);
    if (iv_len == IV_USUAL) {
        memcpy(ctx->counter, iv, IV_USUAL);
        memcpy(ctx->counter + IV_USUAL, "\0\0\0\1", 4);
    } else {
        if (hash_bytes(ctx, 0, iv, iv_len) != 0)
            multiply(ctx);
        put_be(lengths + 8, (uint64_t)iv_len * 8);
        (void)hash_bytes(ctx, 0, lengths, BLOCK);
        memcpy(ctx->counter, ctx->hash, BLOCK);
        memset(ctx->hash, 0, BLOCK);
    }
    return mbedtls_aes_crypt_ecb(&ctx->aes, MBEDTLS_AES_ENCRYPT, ctx->counter,
                                 ctx->first);
}

int mbedtls_gcm_update_ad(mbedtls_gcm_context *ctx, const unsigned char *add,
                          size_t add_len)
{
    uint32_t at = (uint32_t)(ctx->ad_bytes % BLOCK);

    if (ctx->bytes != 0 || add_len > bytes_most - ctx->ad_bytes)
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    ctx->ad_bytes += add_len;
    (void)hash_bytes(ctx, at, add, add_len);
    return 0;
}

int mbedtls_gcm_update(mbedtls_gcm_context *ctx, const unsigned char *input,
                       size_t input_length, unsigned char *output,
                       size_t output_size, size_t *output_length)
{
    *output_length = 0;
    if (output_size < input_length)
        return MBEDTLS_ERR_GCM_BUFFER_TOO_SMALL;
    if (input_length > bytes_most - ctx->bytes)
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    if (input_length == 0)
        return 0;
    *output_length = input_length;
    return crypt(ctx, input, output, input_length);
}

int mbedtls_gcm_finish(mbedtls_gcm_context *ctx, unsigned char *output,
                       size_t output_size, size_t *output_length,
                       unsigned char *tag, size_t tag_len)
{
    uint8_t lengths[BLOCK];
    uint64_t last = ctx->bytes != 0 ? ctx->bytes : ctx->ad_bytes;

    (void)output;
    (void)output_size;
    *output_length = 0;
    if (tag_len < TAG_LEAST || tag_len > BLOCK)
        return MBEDTLS_ERR_GCM_BAD_INPUT;
    if (last % BLOCK != 0)
        multiply(ctx);
    put_be(lengths, ctx->ad_bytes * 8);
    put_be(lengths + 8, ctx->bytes * 8);
    (void)hash_bytes(ctx, 0, lengths, BLOCK);
    for (size_t i = 0; i < tag_len; i++)
        tag[i] = ctx->hash[i] ^ ctx->first[i];
    return 0;
}

int mbedtls_gcm_crypt_and_tag(mbedtls_gcm_context *ctx, int mode,
                              size_t length, const unsigned char *iv,
                              size_t iv_len, const unsigned char *add,
                              size_t add_len, const unsigned char *input,
                              unsigned char *output, size_t tag_len,
                              unsigned char *tag)
{
    size_t made;
    int error = mbedtls_gcm_starts(ctx, mode, iv, iv_len);

    if (error == 0)
        error = mbedtls_gcm_update_ad(ctx, add, add_len);
    if (error == 0)
        error = mbedtls_gcm_update(ctx, input, length, output, length, &made);
    if (error == 0)
        error = mbedtls_gcm_finish(ctx, NULL, 0, &made, tag, tag_len);
    return error;
}

int mbedtls_gcm_auth_decrypt(mbedtls_gcm_context *ctx, size_t length,
                             const unsigned char *iv, size_t iv_len,
                             const unsigned char *add, size_t add_len,
                             const unsigned char *tag, size_t tag_len,
                             const unsigned char *input,
                             unsigned char *output)
{
    uint8_t want[BLOCK];
    int error = mbedtls_gcm_crypt_and_tag(ctx, MBEDTLS_GCM_DECRYPT, length,
                                          iv, iv_len, add, add_len, input,
                                          output, tag_len, want);

    if (error == 0 && mbedtls_ct_memcmp(want, tag, tag_len) != 0)
        error = MBEDTLS_ERR_GCM_AUTH_FAILED;
    if (error != 0 && length > 0)
        mbedtls_platform_zeroize(output, length);
    return error;
}

#endif
