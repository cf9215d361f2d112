/* token.c - page tokens: opaque, bound to their request, mortal. */
#include "model.h"

/* Base64 of time, length, payload and padding, and a keyed hash of it all. */
static uint64_t seal(const struct aws *m, uint64_t bound, struct aws_text t)
{
    return aws_hash(aws_mix(m->seed ^ 0x746f6b656eu) ^ aws_mix(bound), t);
}

static void put_u64(struct aws_buf *out, uint64_t v)
{
    uint8_t byte[8];
    for (int i = 0; i < 8; i++) byte[i] = (uint8_t)(v >> (56 - 8 * i));
    aws_put(out, byte, 8);
}

static uint64_t get_u64(const char *at)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v = v << 8 | (uint8_t)at[i];
    return v;
}

void aws_put_token(struct aws *m, struct aws_buf *out, uint64_t bound,
                   struct aws_text payload, int64_t now)
{
    struct aws_buf plain = {0};
    size_t wanted = (size_t)m->setting[AWS_SET_TOKEN_BYTES] * 3 / 4;
    put_u64(&plain, (uint64_t)now);
    put_u64(&plain, payload.len);
    aws_put_text(&plain, payload);
    put_u64(&plain, aws_random(&m->rng));  /* no two tokens are alike */
    while (plain.len + 8 < wanted) aws_put(&plain, "\xfb", 1);
    put_u64(&plain, seal(m, bound, aws_view(&plain)));
    aws_put_base64(out, plain.at, plain.len);
    aws_free_buf(&plain);
}

bool aws_read_token(struct aws *m, struct aws_text token, uint64_t bound,
                    int64_t now, struct aws_buf *payload)
{
    struct aws_buf plain = {0};
    bool good = aws_unbase64(token, &plain) && plain.len >= 32;
    if (good) {
        struct aws_text sealed = {plain.at, plain.len - 8};
        int64_t made = (int64_t)get_u64(plain.at);
        uint64_t len = get_u64(plain.at + 8);
        good = seal(m, bound, sealed) == get_u64(plain.at + sealed.len) &&
               len <= sealed.len - 24 &&
               now - made <= m->setting[AWS_SET_TOKEN_LIFE];
        if (good) aws_put(payload, plain.at + 16, (size_t)len);
    }
    aws_free_buf(&plain);
    return good;
}
