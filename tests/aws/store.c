/* store.c - objects and their bytes. */
#include "s3.h"

#include <stdlib.h>
#include <string.h>

struct aws_blob *aws_blob_use(struct aws_blob *b)
{
    b->uses++;
    return b;
}

void aws_blob_drop(struct aws_blob *b)
{
    aws_must(b->uses > 0);
    if (--b->uses > 0) return;
    free(b->bytes);
    free(b);
}

void aws_free_content(struct aws_content *c)
{
    for (size_t i = 0; i < c->segment_count; i++)
        aws_blob_drop(c->segment[i].blob);
    free(c->segment);
    *c = (struct aws_content){0};
}

void aws_free_attributes(struct aws_attributes *a)
{
    free(a->headers);
    free(a->class);
    free(a->algorithm);
    free(a->checksum_type);
}

void aws_free_object(struct aws_object *o)
{
    aws_free_attributes(&o->attributes);
    aws_free_content(&o->content);
    free((void *)(uintptr_t)o->key.at);
    free(o);
}

static void add_segment(struct aws_content *c, struct aws_segment s)
{
    c->segment = aws_grow(c->segment,
                          (c->segment_count + 1) * sizeof c->segment[0]);
    c->segment[c->segment_count++] = s;
}

/* Something as good as an MD5 to tell contents apart. */
static void guess_md5(struct aws_content *c)
{
    uint64_t more = aws_mix(c->crc64);
    memcpy(c->md5, &c->crc64, 8);
    memcpy(c->md5 + 8, &more, 8);
}

struct aws_content aws_take_content(struct aws_exchange *x)
{
    struct aws_content c = {.size = x->size, .crc64 = x->crc64,
                            .kept = x->keep_body};
    struct aws_blob *blob = aws_alloc(sizeof *blob);
    blob->uses = 1;
    blob->size = x->size;
    if (x->keep_body) {
        blob->bytes = x->body.at;
        x->body = (struct aws_buf){0};
    }
    if (x->hash_md5)
        memcpy(c.md5, x->md5_sum, 16);
    else
        guess_md5(&c);
    add_segment(&c, (struct aws_segment){blob, 0, x->size});
    return c;
}

void aws_join_content(struct aws_content *to, const struct aws_content *more)
{
    if (to->size == 0 && to->segment_count == 0) to->kept = true;
    to->kept = to->kept && more->kept;
    to->crc64 = aws_crc64_join(to->crc64, more->crc64, more->size);
    to->size += more->size;
    for (size_t i = 0; i < more->segment_count; i++) {
        (void)aws_blob_use(more->segment[i].blob);
        add_segment(to, more->segment[i]);
    }
}

struct aws_content aws_slice_content(const struct aws_content *c,
                                     uint64_t from, uint64_t len)
{
    struct aws_content slice = {.size = len, .kept = true};
    struct aws_md5 md5;
    if (!c->kept) {
        aws_must(from == 0 && len == c->size);
        slice.size = 0;
        aws_join_content(&slice, c);
        guess_md5(&slice);
        return slice;
    }
    aws_md5_init(&md5);
    for (size_t i = 0; i < c->segment_count && len > 0; i++) {
        struct aws_segment s = c->segment[i];
        if (from >= s.len) {
            from -= s.len;
            continue;
        }
        s.from += from;
        s.len -= from;
        if (s.len > len) s.len = len;
        from = 0;
        len -= s.len;
        (void)aws_blob_use(s.blob);
        add_segment(&slice, s);
        const char *at = s.blob->bytes + s.from;
        slice.crc64 = aws_crc64(slice.crc64, at, (size_t)s.len);
        aws_md5_add(&md5, at, (size_t)s.len);
    }
    aws_md5_end(&md5, slice.md5);
    return slice;
}

void aws_etag_of(const struct aws *m, const struct aws_content *c,
                 char etag[48])
{
    struct aws_buf hex = {0};
    uint64_t half[2];
    memcpy(half, c->md5, 16);
    if (m->setting[AWS_SET_OPAQUE_ETAGS]) {
        half[0] = aws_mix(half[0] ^ m->seed);
        half[1] = aws_mix(half[1] ^ half[0]);
    }
    aws_put_hex(&hex, half, 16);
    memcpy(etag, hex.at, hex.len + 1);
    aws_free_buf(&hex);
}

void aws_base64_of(uint64_t value, size_t bytes, char to[16])
{
    uint8_t byte[8];
    struct aws_buf text = {0};
    for (size_t i = 0; i < bytes; i++)
        byte[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    aws_put_base64(&text, byte, bytes);
    memcpy(to, text.at, text.len + 1);
    aws_free_buf(&text);
}

/* The index of the first object that is not before the key. */
static size_t place_of(const struct aws_bucket *b, struct aws_text key)
{
    size_t low = 0, high = b->object_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (aws_order(b->object[middle]->key, key) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

struct aws_object *aws_find_object(const struct aws_bucket *b,
                                   struct aws_text key)
{
    size_t at = place_of(b, key);
    if (at == b->object_count || !aws_same(b->object[at]->key, key))
        return NULL;
    return b->object[at];
}

struct aws_object *aws_store(struct aws *m, struct aws_bucket *b,
                             const struct aws_object *made)
{
    size_t at = place_of(b, made->key);
    struct aws_object *o = aws_alloc(sizeof *o);
    *o = *made;
    o->key.at = aws_dup(made->key);
    o->version = ++m->changes;
    if (at < b->object_count && aws_same(b->object[at]->key, made->key)) {
        aws_free_object(b->object[at]);
    } else {
        b->object = aws_grow(b->object,
                             (b->object_count + 1) * sizeof b->object[0]);
        memmove(b->object + at + 1, b->object + at,
                (b->object_count - at) * sizeof b->object[0]);
        b->object_count++;
    }
    b->object[at] = o;
    return o;
}

void aws_store_bytes(struct aws *m, struct aws_bucket *b, const char *key,
                     struct aws_text bytes, int64_t now)
{
    struct aws_object made = {.key = aws_str(key)};
    struct aws_blob *blob = aws_alloc(sizeof *blob);
    struct aws_md5 md5;
    *blob = (struct aws_blob){1, bytes.len, aws_dup(bytes)};
    made.content = (struct aws_content){
        .size = bytes.len, .kept = true,
        .crc64 = aws_crc64(0, bytes.at, bytes.len)};
    aws_md5_init(&md5);
    aws_md5_add(&md5, bytes.at, bytes.len);
    aws_md5_end(&md5, made.content.md5);
    add_segment(&made.content, (struct aws_segment){blob, 0, bytes.len});
    made.attributes = (struct aws_attributes){
        aws_dup(aws_str("")), aws_dup(aws_str("STANDARD")),
        aws_dup(aws_str("crc64nvme")), aws_dup(aws_str("FULL_OBJECT"))};
    made.modified = aws_server_now(m, now);
    aws_etag_of(m, &made.content, made.etag);
    aws_base64_of(made.content.crc64, 8, made.checksum);
    (void)aws_store(m, b, &made);
}

static void bury(struct aws *m, struct aws_bucket *b, struct aws_text key)
{
    for (size_t i = 0; i < b->tomb_count; i++) {
        if (!aws_same(b->tomb[i].key, key)) continue;
        b->tomb[i].change = ++m->changes;
        return;
    }
    b->tomb = aws_grow(b->tomb, (b->tomb_count + 1) * sizeof b->tomb[0]);
    b->tomb[b->tomb_count++] = (struct aws_tomb){
        {aws_dup(key), key.len}, ++m->changes};
}

bool aws_unstore(struct aws *m, struct aws_bucket *b, struct aws_text key)
{
    size_t at = place_of(b, key);
    if (at == b->object_count || !aws_same(b->object[at]->key, key))
        return false;
    bury(m, b, key);
    aws_free_object(b->object[at]);
    b->object_count--;
    memmove(b->object + at, b->object + at + 1,
            (b->object_count - at) * sizeof b->object[0]);
    return true;
}
