/* gcm_plain.c - AES-GCM by blocks in C alone, for any 64-bit processor. */
#include "gcm_blocks.h"

#include "base/check.h"

struct pair {
    uint64_t low, high;
};

/* Without carries: one bit in four is kept of each factor, so that what is
 * carried lands on bits that are masked away. Low half of the product. */
static uint64_t product_low(uint64_t a, uint64_t b)
{
    const uint64_t every_fourth = 0x1111111111111111;
    uint64_t made = 0;

#pragma GCC unroll 4
    for (unsigned bit = 0; bit < 4; bit++) {
        uint64_t sum = 0;
#pragma GCC unroll 4
        for (unsigned i = 0; i < 4; i++)
            sum ^= (a & (every_fourth << i)) *
                   (b & (every_fourth << ((bit + 4 - i) % 4)));
        made |= sum & (every_fourth << bit);
    }
    return made;
}

static uint64_t mirrored(uint64_t v)
{
    v = (v & 0x5555555555555555) << 1 | (v >> 1 & 0x5555555555555555);
    v = (v & 0x3333333333333333) << 2 | (v >> 2 & 0x3333333333333333);
    v = (v & 0x0f0f0f0f0f0f0f0f) << 4 | (v >> 4 & 0x0f0f0f0f0f0f0f0f);
    return __builtin_bswap64(v);
}

static struct pair product(uint64_t a, uint64_t b)
{
    return (struct pair){
        .low = product_low(a, b),
        .high = mirrored(product_low(mirrored(a), mirrored(b))) >> 1,
    };
}

/* Adds to the upper word, and those below it, what the lower one stands for:
 * x^128 is x^127 + x^126 + x^121 + 1, all being reversed. */
static struct pair folded(struct pair p)
{
    uint64_t v = p.low;

    return (struct pair){
        .low = p.high ^ v << 63 ^ v << 62 ^ v << 57,
        .high = v ^ v >> 1 ^ v >> 2 ^ v >> 7,
    };
}

/* Karatsuba's way: three products of halves in place of four. The middle one
 * spans the lower and the upper word, and is added between two folds. */
static struct pair times(struct pair a, const uint64_t b[2])
{
    struct pair low = product(a.low, b[0]);
    struct pair high = product(a.high, b[1]);
    struct pair middle = product(a.low ^ a.high, b[0] ^ b[1]);
    struct pair rest = folded(low);

    rest.low ^= middle.low ^ low.low ^ high.low;
    rest.high ^= middle.high ^ low.high ^ high.high;
    rest = folded(rest);
    return (struct pair){high.low ^ rest.low, high.high ^ rest.high};
}

static uint64_t word(const uint8_t *at)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | at[i];
    return v;
}

void gcm_plain_powers(mbedtls_gcm_context *g,
                      const uint8_t key[GCM_BLOCK_BYTES])
{
    struct pair p = {word(key + 8), word(key)};

    for (unsigned i = 0; i < GCM_BATCH_BLOCKS; i++) {
        uint64_t all = 0 - (p.high >> 63);  /* times x: what falls off */
        g->power[i][0] = p.low << 1 ^ (all & 1);
        g->power[i][1] = (p.high << 1 | p.low >> 63) ^
                         (all & 0xc200000000000000);
        p = times(p, g->power[0]);
    }
}

void gcm_plain_hash(mbedtls_gcm_context *g, const uint8_t *at, size_t blocks)
{
    struct pair sum = {g->hash[0], g->hash[1]};

    for (; blocks > 0; blocks--, at += GCM_BLOCK_BYTES) {
        sum.low ^= word(at + 8);
        sum.high ^= word(at);
        sum = times(sum, g->power[0]);
    }
    g->hash[0] = sum.low;
    g->hash[1] = sum.high;
}

static void xor_block(uint8_t *out, const uint8_t *in, const uint8_t *with)
{
    for (unsigned i = 0; i < GCM_BLOCK_BYTES; i++)
        out[i] = in[i] ^ with[i];
}

void gcm_plain_stream(mbedtls_gcm_context *g)
{
    for (unsigned i = GCM_BLOCK_BYTES; i > 12 && ++g->counter[--i] == 0;)
        continue;
    CHECK(mbedtls_aes_crypt_ecb(&g->aes, MBEDTLS_AES_ENCRYPT, g->counter,
                                g->stream) == 0);
}

void gcm_plain_crypt(mbedtls_gcm_context *g, struct gcm_span s)
{
    for (; s.blocks > 0; s.blocks--) {
        gcm_plain_stream(g);
        if (g->decrypting)
            gcm_plain_hash(g, s.in, 1);
        xor_block(s.out, s.in, g->stream);
        if (!g->decrypting)
            gcm_plain_hash(g, s.out, 1);
        s.in += GCM_BLOCK_BYTES;
        s.out += GCM_BLOCK_BYTES;
    }
}
