/* gcm_fast.c - AES-GCM by blocks, with the processor's instructions.
 *
 * Eight blocks are enciphered side by side, since a round of AES takes longer
 * to finish than to start. Eight are hashed at a time: each is multiplied by
 * its own power of H, and the sum of the products is reduced once. The two
 * keep different parts of the processor busy, so each round of the one comes
 * with a block of the other. */
#include "gcm_blocks.h"

#if defined(__x86_64__)
#include "blocks_x86.h"
#define GCM_FAST 1
#elif defined(__aarch64__)
#include "blocks_arm.h"
#define GCM_FAST 1
#endif

#ifdef GCM_FAST
#include <mbedtls/platform_util.h>

enum { BATCH = GCM_BATCH_BLOCKS, BATCH_BYTES = BATCH * GCM_BLOCK_BYTES };

/* A sum of products of two words by two, as Karatsuba has them. */
struct products {
    block low, middle, high;
};

FAST static inline void add_product(struct products *p, block a, block b)
{
    p->low = sum(p->low, low_product(a, b));
    p->high = sum(p->high, high_product(a, b));
    p->middle = sum(p->middle,
                    low_product(sum(a, turned(a)), sum(b, turned(b))));
}

/* Moves the low word of the lower block into the upper: see gcm_plain.c. */
FAST static inline block folded_up(block b)
{
    static const uint64_t modulus[2] = {0xc200000000000000, 0};

    return sum(turned(b), low_product(b, load(modulus)));
}

FAST static inline block reduced(struct products p)
{
    block middle = sum(p.middle, sum(p.low, p.high));

    return sum(p.high, folded_up(sum(folded_up(p.low), middle)));
}

FAST static inline block block_at(const uint8_t *at)
{
    return reversed(load(at));
}

static const uint8_t *first_key(const mbedtls_gcm_context *g)
{
    return (const uint8_t *)(g->aes.buf + g->aes.rk_offset);
}

bool gcm_fast_able(void)
{
    return able();
}

FAST void gcm_fast_hash(mbedtls_gcm_context *g, const uint8_t *at,
                        size_t blocks)
{
    block hash = load(g->hash);

    while (blocks > 0) {
        size_t count = blocks < BATCH ? blocks : BATCH;
        struct products p = {zero(), zero(), zero()};
        for (size_t i = 0; i < count; i++) {
            block b = block_at(at + i * GCM_BLOCK_BYTES);
            add_product(&p, i == 0 ? sum(b, hash) : b,
                        load(g->power[count - 1 - i]));
        }
        hash = reduced(p);
        at += count * GCM_BLOCK_BYTES;
        blocks -= count;
    }
    store(g->hash, hash);
}

/* A batch or less, unhashed; the key stream is made for a whole one. */
FAST static void crypt_few(mbedtls_gcm_context *g, struct gcm_span s)
{
    const uint8_t *key = first_key(g);
    block counter = block_at(g->counter), b[BATCH];

    if (s.blocks == 0)
        return;
    for (unsigned i = 0; i < BATCH; i++)
        b[i] = aes_first(reversed(counted(counter, i + 1)), key);
    for (int r = 1; r < g->aes.nr; r++) {
        key += GCM_BLOCK_BYTES;
        for (unsigned i = 0; i < BATCH; i++)
            b[i] = aes_round(b[i], key);
    }
    key += GCM_BLOCK_BYTES;
    for (unsigned i = 0; i < s.blocks; i++)
        store(s.out + i * GCM_BLOCK_BYTES,
              sum(load(s.in + i * GCM_BLOCK_BYTES), aes_last(b[i], key)));
    store(g->counter, reversed(counted(counter, (uint32_t)s.blocks)));
    mbedtls_platform_zeroize(b, sizeof b);
}

/* What goes from batch to batch, in registers. */
struct state {
    block counter, hash;
};

/* A batch, and the hash of one: of this when deciphering, of the one before
 * when enciphering. The hash is read before anything is written. */
FAST static inline struct state crypt_batch(const mbedtls_gcm_context *g,
                                            struct state now,
                                            struct gcm_span s)
{
    const uint8_t *key = first_key(g);
    const uint8_t *hashed = g->decrypting ? s.in : s.out - BATCH_BYTES;
    struct products p = {zero(), zero(), zero()};
    block b[BATCH];

#pragma GCC unroll 8
    for (unsigned i = 0; i < BATCH; i++)
        b[i] = aes_first(reversed(counted(now.counter, i + 1)), key);
#pragma GCC unroll 8
    for (unsigned r = 0; r < BATCH; r++) {
        block t = block_at(hashed + r * GCM_BLOCK_BYTES);
        key += GCM_BLOCK_BYTES;
#pragma GCC unroll 8
        for (unsigned i = 0; i < BATCH; i++)
            b[i] = aes_round(b[i], key);
        add_product(&p, r == 0 ? sum(t, now.hash) : t,
                    load(g->power[BATCH - 1 - r]));
    }
    for (int r = BATCH + 1; r < g->aes.nr; r++) {
        key += GCM_BLOCK_BYTES;
#pragma GCC unroll 8
        for (unsigned i = 0; i < BATCH; i++)
            b[i] = aes_round(b[i], key);
    }
    key += GCM_BLOCK_BYTES;
#pragma GCC unroll 8
    for (unsigned i = 0; i < BATCH; i++)
        store(s.out + i * GCM_BLOCK_BYTES,
              sum(load(s.in + i * GCM_BLOCK_BYTES), aes_last(b[i], key)));
    return (struct state){counted(now.counter, BATCH), reduced(p)};
}

static struct gcm_span after(struct gcm_span s, size_t blocks)
{
    return (struct gcm_span){s.in + blocks * GCM_BLOCK_BYTES,
                             s.out + blocks * GCM_BLOCK_BYTES,
                             s.blocks - blocks};
}

/* All whole batches; gives what is left. */
FAST static struct gcm_span crypt_batches(mbedtls_gcm_context *g,
                                          struct gcm_span s)
{
    struct state now = {block_at(g->counter), load(g->hash)};

    for (; s.blocks >= BATCH; s = after(s, BATCH))
        now = crypt_batch(g, now, s);
    store(g->counter, reversed(now.counter));
    store(g->hash, now.hash);
    return s;
}

static void decipher(mbedtls_gcm_context *g, struct gcm_span s)
{
    s = crypt_batches(g, s);
    gcm_fast_hash(g, s.in, s.blocks);
    crypt_few(g, s);
}

static void encipher(mbedtls_gcm_context *g, struct gcm_span s)
{
    size_t head = s.blocks < BATCH ? s.blocks : BATCH;

    crypt_few(g, (struct gcm_span){s.in, s.out, head});
    s = crypt_batches(g, after(s, head));
    crypt_few(g, s);
    gcm_fast_hash(g, s.out - head * GCM_BLOCK_BYTES, head + s.blocks);
}

void gcm_fast_crypt(mbedtls_gcm_context *g, struct gcm_span s)
{
    if (g->decrypting)
        decipher(g, s);
    else
        encipher(g, s);
}

#else

bool gcm_fast_able(void)
{
    return false;
}

void gcm_fast_hash(mbedtls_gcm_context *g, const uint8_t *at, size_t blocks)
{
    gcm_plain_hash(g, at, blocks);
}

void gcm_fast_crypt(mbedtls_gcm_context *g, struct gcm_span s)
{
    gcm_plain_crypt(g, s);
}

#endif
