/* copy.c - CopyObject and UploadPartCopy: bytes shared, not copied. */
#include "s3.h"

#include <stdlib.h>
#include <string.h>

static const struct aws_object *find_source(struct aws_exchange *x,
                                            int64_t now)
{
    struct aws_text value, key, query, owner;
    (void)aws_header_of(x, "x-amz-copy-source", &value);
    value = aws_cut(value, '?', &query);
    if (aws_begins(value, "/"))
        value = (struct aws_text){value.at + 1, value.len - 1};
    aws_reset(&x->text);
    (void)aws_unpercent(value, true, &x->text);
    struct aws_text path = aws_hold(x, aws_view(&x->text));
    struct aws_bucket *b = aws_find_bucket(x->model,
                                           aws_cut(path, '/', &key));
    const struct aws_object *o = b != NULL ? aws_find_object(b, key) : NULL;
    if (b == NULL) {
        aws_fail(x, 404, "NoSuchBucket",
                 "The specified bucket does not exist");
        return NULL;
    }
    if (aws_header_of(x, "x-amz-source-expected-bucket-owner", &owner) &&
        !aws_is(owner, b->owner)) {
        aws_fail(x, 403, "AccessDenied", "Access Denied");
        return NULL;
    }
    if (!aws_copy_allowed(x, o)) return NULL;
    if (aws_is_archived(x->model, o, now)) {
        aws_fail(x, 403, "InvalidObjectState", "Operation is not valid for "
                 "the source object's storage class");
        return NULL;
    }
    return o;
}

static void answer(struct aws_exchange *x, const char *root,
                   const struct aws_part *made)
{
    aws_begin_xml(x, root);
    aws_puts(&x->out, "<LastModified>");
    aws_put_iso(&x->out, made->modified);
    aws_printf(&x->out, "</LastModified><ETag>&quot;%s&quot;</ETag>",
               made->etag);
    if (made->checksum != NULL)
        aws_put_xml_tag(&x->out, "ChecksumCRC64NVME",
                        aws_str(made->checksum));
    aws_printf(&x->out, "</%s>", root);
}

void aws_copy_object(struct aws_exchange *x, struct aws_bucket *b,
                     int64_t now)
{
    struct aws_object made = {.key = x->key};
    struct aws_text directive;
    const struct aws_object *source = find_source(x, now);
    if (source == NULL || !aws_write_allowed(x, b, NULL) ||
        !aws_read_attributes(x, &made.attributes))
        return;
    (void)aws_header_of(x, "x-amz-metadata-directive", &directive);
    if (!aws_is(directive, "REPLACE")) {
        free(made.attributes.headers);
        made.attributes.headers = aws_dup(aws_str(source->attributes.headers));
    }
    free(made.attributes.algorithm);
    free(made.attributes.checksum_type);
    made.attributes.algorithm = aws_dup(aws_str("crc64nvme"));
    made.attributes.checksum_type = aws_dup(aws_str("FULL_OBJECT"));
    made.content = aws_slice_content(&source->content, 0,
                                     source->content.size);
    aws_etag_of(x->model, &made.content, made.etag);
    aws_base64_of(made.content.crc64, 8, made.checksum);
    made.modified = aws_server_now(x->model, now);
    struct aws_object *o = aws_store(x->model, b, &made);
    struct aws_part whole = {.modified = o->modified};
    memcpy(whole.etag, o->etag, sizeof whole.etag);
    answer(x, "CopyObjectResult", &whole);
}

static bool invalid(struct aws_exchange *x, const char *message)
{
    aws_fail(x, 400, "InvalidRequest", message);
    return false;
}

/* `bytes=first-last`, both given, within a source that is large enough. */
static bool read_copy_range(struct aws_exchange *x,
                            const struct aws_object *source, uint64_t *from,
                            uint64_t *len)
{
    struct aws_text value, last;
    int64_t a, z;
    *from = 0;
    *len = source->content.size;
    if (!aws_header_of(x, "x-amz-copy-source-range", &value)) return true;
    bool form = aws_begins(value, "bytes=");
    if (form) {
        value = (struct aws_text){value.at + 6, value.len - 6};
        struct aws_text first = aws_cut(value, '-', &last);
        form = aws_int(first, &a) && aws_int(last, &z) && a >= 0 && z >= a;
    }
    if (!form) {
        aws_fail(x, 400, "InvalidArgument", "The x-amz-copy-source-range "
                 "value must be of the form bytes=first-last where first and "
                 "last are the zero-based offsets of the first and last bytes "
                 "to copy");
        return false;
    }
    int64_t least = x->model->setting[AWS_SET_PART_BYTES_MIN];
    if ((uint64_t)z >= source->content.size ||
        source->content.size <= (uint64_t)least)
        return invalid(x, "The specified copy range is invalid for the "
                          "source object size.");
    *from = (uint64_t)a;
    *len = (uint64_t)(z - a) + 1;
    return true;
}

static bool tells_sum(const struct aws *m, const struct aws_upload *u)
{
    const char *algorithm = u->attributes.algorithm;
    return m->setting[AWS_SET_COPY_SUMS] && m->setting[AWS_SET_RETURN_SUMS] &&
           algorithm != NULL && strcmp(algorithm, "crc64nvme") == 0;
}

void aws_copy_part(struct aws_exchange *x, struct aws_bucket *b, int64_t now)
{
    struct aws_upload *u = aws_find_upload(x, b);
    uint64_t from, len;
    int64_t number;
    if (u == NULL || !aws_part_number(x, &number)) return;
    if (x->received > 0) {
        (void)invalid(x, "This request has no body.");
        return;
    }
    const struct aws_object *source = find_source(x, now);
    if (source == NULL || !read_copy_range(x, source, &from, &len)) return;
    if (len > (uint64_t)x->model->setting[AWS_SET_COPY_BYTES_MAX]) {
        (void)invalid(x, "The specified copy source is larger than the "
                         "maximum allowable size for a copy source.");
        return;
    }
    if (!source->content.kept && len < source->content.size) {
        aws_fail(x, 500, "InternalError", "The model discarded the bytes.");
        return;
    }
    struct aws_part *p = aws_add_part(
        x->model, u, number, aws_slice_content(&source->content, from, len));
    p->modified = aws_server_now(x->model, now);
    x->model->changes++;
    if (tells_sum(x->model, u)) {
        p->checksum = aws_alloc(16);
        aws_base64_of(p->content.crc64, 8, p->checksum);
    }
    answer(x, "CopyPartResult", p);
}
