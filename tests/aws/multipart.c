/* multipart.c - an upload from its creation to its end, strictly. */
#include "s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 10000 };

void aws_free_upload(struct aws_upload *u)
{
    for (size_t i = 0; i < u->part_count; i++) {
        aws_free_content(&u->part[i].content);
        free(u->part[i].checksum);
    }
    aws_free_attributes(&u->attributes);
    free(u->part);
    free((void *)(uintptr_t)u->key.at);
    free(u);
}

static void drop_upload(struct aws_bucket *b, struct aws_upload *u)
{
    size_t at = 0;
    while (b->upload[at] != u) at++;
    aws_free_upload(u);
    b->upload_count--;
    memmove(b->upload + at, b->upload + at + 1,
            (b->upload_count - at) * sizeof b->upload[0]);
}

struct aws_upload *aws_find_upload(struct aws_exchange *x,
                                   struct aws_bucket *b)
{
    struct aws_text id;
    (void)aws_query_of(x, "uploadId", &id);
    for (size_t i = 0; i < b->upload_count; i++)
        if (aws_is(id, b->upload[i]->id) &&
            aws_same(b->upload[i]->key, x->key))
            return b->upload[i];
    aws_fail(x, 404, "NoSuchUpload", "The specified upload does not exist. "
             "The upload ID may be invalid, or the upload may have been "
             "aborted or completed.");
    return NULL;
}

void aws_create_upload(struct aws_exchange *x, struct aws_bucket *b,
                       int64_t now)
{
    struct aws_attributes attributes;
    if (x->received > 0) {
        aws_fail(x, 400, "InvalidRequest", "This request has no body.");
        return;
    }
    if (!aws_read_attributes(x, &attributes)) return;
    struct aws *m = x->model;
    struct aws_upload *u = aws_alloc(sizeof *u);
    uint64_t id = aws_mix(m->seed ^ ++m->changes ^ 0x75706c64);
    (void)snprintf(u->id, sizeof u->id, "%016llx%016llx",
                   (unsigned long long)id,
                   (unsigned long long)aws_mix(id));
    u->key = (struct aws_text){aws_dup(x->key), x->key.len};
    u->attributes = attributes;
    u->initiated = aws_server_now(m, now);
    u->started = m->changes;
    b->upload = aws_grow(b->upload,
                         (b->upload_count + 1) * sizeof b->upload[0]);
    b->upload[b->upload_count++] = u;
    if (attributes.algorithm != NULL) {
        aws_reply_header(x, "x-amz-checksum-algorithm", "%s",
                         attributes.algorithm);
        aws_reply_header(x, "x-amz-checksum-type", "%s",
                         attributes.checksum_type);
    }
    aws_begin_xml(x, "InitiateMultipartUploadResult");
    aws_put_xml_tag(&x->out, "Bucket", x->bucket);
    aws_put_xml_tag(&x->out, "Key", x->key);
    aws_put_xml_tag(&x->out, "UploadId", aws_str(u->id));
    aws_puts(&x->out, "</InitiateMultipartUploadResult>");
}

bool aws_part_number(struct aws_exchange *x, int64_t *number)
{
    if (aws_query_int(x, "partNumber", number) && *number >= 1 &&
        *number <= PARTS_MAX)
        return true;
    aws_fail(x, 400, "InvalidArgument", "Part number must be an integer "
             "between 1 and 10000, inclusive");
    return false;
}

struct aws_part *aws_add_part(struct aws *m, struct aws_upload *u,
                              int64_t number, struct aws_content content)
{
    size_t at = 0;
    while (at < u->part_count && u->part[at].number < number) at++;
    if (at < u->part_count && u->part[at].number == number) {
        aws_free_content(&u->part[at].content);
        free(u->part[at].checksum);
    } else {
        u->part = aws_grow(u->part,
                           (u->part_count + 1) * sizeof u->part[0]);
        memmove(u->part + at + 1, u->part + at,
                (u->part_count - at) * sizeof u->part[0]);
        u->part_count++;
    }
    struct aws_part *p = &u->part[at];
    *p = (struct aws_part){.number = number, .content = content};
    aws_etag_of(m, &content, p->etag);
    return p;
}

/* The header that carries the checksum of the upload's algorithm. */
static bool sent_checksum(struct aws_exchange *x, const struct aws_upload *u,
                          char name[40], struct aws_text *value)
{
    const char *algorithm = u->attributes.algorithm;
    (void)snprintf(name, 40, "x-amz-checksum-%s",
                   algorithm != NULL ? algorithm : "crc64nvme");
    return aws_header_of(x, name, value);
}

void aws_upload_part(struct aws_exchange *x, struct aws_bucket *b,
                     int64_t now)
{
    int64_t number;
    struct aws_text sum;
    char name[40];
    struct aws_upload *u = aws_find_upload(x, b);
    if (u == NULL || !aws_part_number(x, &number)) return;
    if (x->announced < 0 && !x->chunks.on) {
        aws_fail(x, 411, "MissingContentLength",
                 "You must provide the Content-Length HTTP header.");
        return;
    }
    bool has_sum = sent_checksum(x, u, name, &sum);
    bool composite = u->attributes.algorithm != NULL &&
                     strcmp(u->attributes.checksum_type, "COMPOSITE") == 0;
    if (composite && !has_sum) {
        aws_fail(x, 400, "InvalidRequest", "The upload was created with a "
                 "checksum algorithm; the part has no checksum of it.");
        return;
    }
    if (!aws_body_summed(x, b)) return;
    struct aws_part *p = aws_add_part(x->model, u, number,
                                      aws_take_content(x));
    p->modified = aws_server_now(x->model, now);
    x->model->changes++;
    aws_reply_header(x, "ETag", "\"%s\"", p->etag);
    if (!has_sum) return;
    p->checksum = aws_dup(sum);
    if (x->model->setting[AWS_SET_RETURN_SUMS])
        aws_reply_header(x, name, "%s", p->checksum);
}

void aws_abort_upload(struct aws_exchange *x, struct aws_bucket *b)
{
    struct aws_upload *u = aws_find_upload(x, b);
    if (u == NULL) return;
    x->model->changes++;
    if (!aws_chance(&x->model->rng,
                    x->model->setting[AWS_SET_ABORT_AGAIN]))
        drop_upload(b, u);
    x->reply.status = 204;
    x->no_body = true;
}

/* --- complete ----------------------------------------------------------- */

struct listed {                  /* while the list of parts is read */
    struct aws_upload *upload;
    struct aws_object  made;
    struct aws_md5     md5;
    int64_t            last, count;
    const struct aws_part *before;   /* must not be too small */
};

static const struct aws_part *part_of(const struct aws_upload *u, int64_t n)
{
    for (size_t i = 0; i < u->part_count; i++)
        if (u->part[i].number == n) return &u->part[i];
    return NULL;
}

static bool invalid_part(struct aws_exchange *x, int64_t number,
                         struct aws_text etag)
{
    struct aws_buf extra = {0};
    aws_put_xml_tag(&extra, "ETag", etag);
    aws_printf(&extra, "<PartNumber>%lld</PartNumber>", (long long)number);
    aws_fail_with(x, 400, "InvalidPart", "One or more of the specified parts "
                  "could not be found. The part may not have been uploaded, "
                  "or the specified entity tag may not match the part's "
                  "entity tag.", extra.at);
    aws_free_buf(&extra);
    return false;
}

static bool too_small(struct aws_exchange *x, const struct aws_part *p)
{
    struct aws_buf extra = {0};
    long long min = (long long)x->model->setting[AWS_SET_PART_BYTES_MIN];
    if (p == NULL || p->content.size >= (uint64_t)min) return false;
    aws_printf(&extra, "<ProposedSize>%llu</ProposedSize><MinSizeAllowed>%lld"
               "</MinSizeAllowed><PartNumber>%lld</PartNumber><ETag>%s"
               "</ETag>", (unsigned long long)p->content.size, min,
               (long long)p->number, p->etag);
    aws_fail_with(x, 400, "EntityTooSmall", "Your proposed upload is smaller "
                  "than the minimum allowed size", extra.at);
    aws_free_buf(&extra);
    return true;
}

/* <ChecksumCRC64NVME> and the like, where the list has one. */
static bool sums_agree(struct aws_text item, const struct aws_part *p)
{
    struct aws_text name, value;
    while (aws_xml_next(&item, &name, &value))
        if (aws_begins(name, "Checksum") &&
            (p->checksum == NULL || !aws_is(value, p->checksum)))
            return false;
    return true;
}

static bool take_listed(struct aws_exchange *x, struct listed *l,
                        struct aws_text item)
{
    struct aws_text value, etag;
    int64_t number;
    if (!aws_xml_find(item, "PartNumber", &value) ||
        !aws_int(value, &number) || !aws_xml_find(item, "ETag", &etag)) {
        aws_fail(x, 400, "MalformedXML", "The XML you provided was not "
                 "well-formed or did not validate against our schema");
        return false;
    }
    aws_reset(&x->text);
    (void)aws_xml_text(etag, &x->text);
    etag = aws_view(&x->text);
    if (etag.len >= 2 && etag.at[0] == '"')
        etag = (struct aws_text){etag.at + 1, etag.len - 2};
    bool summed = l->upload->attributes.algorithm != NULL;
    if (number <= l->last || (summed && number != l->last + 1)) {
        aws_fail(x, 400, "InvalidPartOrder", "The list of parts was not in "
                 "ascending order.");
        return false;
    }
    const struct aws_part *p = part_of(l->upload, number);
    if (p == NULL || !aws_is(etag, p->etag) || !sums_agree(item, p))
        return invalid_part(x, number, etag);
    if (too_small(x, l->before)) return false;
    l->before = p;
    l->last = number;
    l->count++;
    aws_md5_add(&l->md5, p->content.md5, 16);
    aws_join_content(&l->made.content, &p->content);
    return true;
}

static bool take_list(struct aws_exchange *x, struct listed *l)
{
    struct aws_text body = aws_view(&x->body), list, name, item;
    aws_md5_init(&l->md5);
    if (!aws_xml_valid(body) ||
        !aws_xml_find(body, "CompleteMultipartUpload", &list)) {
        aws_fail(x, 400, "MalformedXML", "The XML you provided was not "
                 "well-formed or did not validate against our schema");
        return false;
    }
    while (aws_xml_next(&list, &name, &item))
        if (aws_is(name, "Part") && !take_listed(x, l, item)) return false;
    if (l->count > 0) return true;
    aws_fail(x, 400, "InvalidRequest", "You must specify at least one part");
    return false;
}

/* The checksum of the whole, for algorithms that the model computes. */
static bool sum_of(const struct aws_upload *u, const struct aws_content *c,
                   char sum[64])
{
    const char *name = u->attributes.algorithm;
    uint32_t crc = 0;
    memset(sum, 0, 64);
    if (name == NULL || strcmp(name, "crc64nvme") == 0) {
        aws_base64_of(c->crc64, 8, sum);
        return true;
    }
    bool c32 = strcmp(name, "crc32") == 0;
    if (!c->kept || (!c32 && strcmp(name, "crc32c") != 0) ||
        strcmp(u->attributes.checksum_type, "FULL_OBJECT") != 0)
        return false;
    for (size_t i = 0; i < c->segment_count; i++) {
        const struct aws_segment *s = &c->segment[i];
        const char *at = s->blob->bytes + s->from;
        crc = c32 ? aws_crc32(crc, at, (size_t)s->len)
                  : aws_crc32c(crc, at, (size_t)s->len);
    }
    aws_base64_of(crc, 4, sum);
    return true;
}

static bool check_whole(struct aws_exchange *x, struct listed *l)
{
    struct aws_text value;
    struct aws_upload *u = l->upload;
    int64_t size;
    char name[40], sum[64];
    if (aws_header_of(x, "x-amz-mp-object-size", &value) &&
        (!aws_int(value, &size) || (uint64_t)size != l->made.content.size)) {
        aws_fail(x, 400, "InvalidRequest", "The provided x-amz-mp-object-size "
                 "header does not match what was computed");
        return false;
    }
    if (u->attributes.algorithm != NULL &&
        aws_header_of(x, "x-amz-checksum-type", &value) &&
        !aws_is(value, u->attributes.checksum_type)) {
        aws_fail(x, 400, "InvalidRequest", "The upload was created with "
                 "another checksum type.");
        return false;
    }
    bool known = sum_of(u, &l->made.content, sum);
    if (u->attributes.algorithm != NULL && known &&
        x->model->setting[AWS_SET_CHECK_SUMS] &&
        sent_checksum(x, u, name, &value) && !aws_is(value, sum)) {
        aws_fail(x, 400, "BadDigest", "The checksum you specified did not "
                 "match the calculated checksum.");
        return false;
    }
    if (known) memcpy(l->made.checksum, sum, sizeof l->made.checksum);
    return true;
}

static void answer_complete(struct aws_exchange *x,
                            const struct aws_object *o)
{
    struct aws_buf *out = &x->out;
    for (int64_t i = 0; i < x->model->setting[AWS_SET_SPACES]; i++)
        aws_puts(out, i % 80 == 79 ? "\n" : " ");
    aws_begin_xml(x, "CompleteMultipartUploadResult");
    aws_puts(out, "<Location>http://s3/");
    aws_put_xml(out, x->bucket);
    aws_puts(out, "/");
    aws_put_xml(out, x->key);
    aws_puts(out, "</Location>");
    aws_put_xml_tag(out, "Bucket", x->bucket);
    aws_put_xml_tag(out, "Key", x->key);
    aws_printf(out, "<ETag>&quot;%s&quot;</ETag>", o->etag);
    if (x->model->setting[AWS_SET_RETURN_SUMS] && o->checksum[0] != '\0') {
        char tag[32] = "Checksum";
        for (size_t i = 0; o->attributes.algorithm[i] != '\0'; i++) {
            char c = o->attributes.algorithm[i];
            tag[8 + i] = (char)(c >= 'a' ? c - 'a' + 'A' : c);
        }
        aws_put_xml_tag(out, tag, aws_str(o->checksum));
        aws_put_xml_tag(out, "ChecksumType",
                        aws_str(o->attributes.checksum_type));
    }
    aws_puts(out, "</CompleteMultipartUploadResult>");
}

static char *dup_or(const char *text, const char *otherwise)
{
    return aws_dup(aws_str(text != NULL ? text : otherwise));
}

/* True when the request repeats a Complete that succeeded. */
static bool answer_again(struct aws_exchange *x, const struct aws_bucket *b)
{
    struct aws_text id;
    const struct aws_object *o = aws_find_object(b, x->key);
    (void)aws_query_of(x, "uploadId", &id);
    if (!x->model->setting[AWS_SET_COMPLETE_AGAIN] || o == NULL)
        return false;
    for (size_t i = 0; i < b->finished_count; i++) {
        const struct aws_finished *f = &b->finished[i];
        if (!aws_is(id, f->id) || !aws_same(x->key, f->key) ||
            strcmp(o->etag, f->etag) != 0)
            continue;
        answer_complete(x, o);
        return true;
    }
    return false;
}

static void remember(struct aws_bucket *b, const struct aws_upload *u,
                     const struct aws_object *o)
{
    struct aws_finished f = {.key = {aws_dup(u->key), u->key.len}};
    memcpy(f.id, u->id, sizeof f.id);
    memcpy(f.etag, o->etag, sizeof f.etag);
    b->finished = aws_grow(b->finished, (b->finished_count + 1) * sizeof f);
    b->finished[b->finished_count++] = f;
}

void aws_complete_upload(struct aws_exchange *x, struct aws_bucket *b,
                         int64_t now)
{
    if (answer_again(x, b)) return;
    struct listed l = {.upload = aws_find_upload(x, b)};
    uint8_t md5[16];
    if (l.upload == NULL) return;
    if (!take_list(x, &l) || !check_whole(x, &l) ||
        !aws_write_allowed(x, b, l.upload)) {
        aws_free_content(&l.made.content);
        return;
    }
    const struct aws_attributes *a = &l.upload->attributes;
    aws_md5_end(&l.md5, md5);
    struct aws_content digest = {.size = 0};
    memcpy(digest.md5, md5, 16);
    aws_etag_of(x->model, &digest, l.made.etag);
    (void)snprintf(l.made.etag + 32, sizeof l.made.etag - 32, "-%lld",
                   (long long)l.count);
    l.made.attributes = (struct aws_attributes){
        dup_or(a->headers, ""), dup_or(a->class, "STANDARD"),
        dup_or(a->algorithm, "crc64nvme"),
        dup_or(a->checksum_type, "FULL_OBJECT")};
    l.made.key = x->key;
    l.made.modified = aws_server_now(x->model, now);
    struct aws_object *o = aws_store(x->model, b, &l.made);
    remember(b, l.upload, o);
    drop_upload(b, l.upload);
    answer_complete(x, o);
}
