/* s3.c - S3: buckets, what holds for every request, dispatch. */
#include "s3.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES_MAX = 1024, HEADER_BYTES_MAX = 8192 };

struct aws_bucket *aws_find_bucket(struct aws *m, struct aws_text name)
{
    for (size_t i = 0; i < m->bucket_count; i++)
        if (aws_is(name, m->buckets[i]->name)) return m->buckets[i];
    return NULL;
}

void aws_create_bucket(struct aws *m, const char *name, const char *region,
                       const char *owner)
{
    struct aws_bucket *b = aws_alloc(sizeof *b);
    aws_must(aws_find_bucket(m, aws_str(name)) == NULL);
    b->name = aws_dup(aws_str(name));
    b->region = aws_dup(aws_str(region != NULL ? region : m->region));
    b->owner = aws_dup(aws_str(owner != NULL ? owner : m->account));
    m->buckets = aws_grow(m->buckets,
                          (m->bucket_count + 1) * sizeof m->buckets[0]);
    m->buckets[m->bucket_count++] = b;
}

void aws_bucket_policy(struct aws *m, const char *name, bool versioned,
                       bool locked)
{
    struct aws_bucket *b = aws_find_bucket(m, aws_str(name));
    aws_must(b != NULL);
    b->versioned = versioned || locked;
    b->locked = locked;
}

void aws_set_policy(struct aws *m, const char *bucket, const char *json)
{
    struct aws_bucket *b = aws_find_bucket(m, aws_str(bucket));
    aws_must(b != NULL);
    free(b->policy);
    b->policy = json != NULL ? aws_dup(aws_str(json)) : NULL;
}

void aws_free_buckets(struct aws *m)
{
    for (size_t i = 0; i < m->bucket_count; i++) {
        struct aws_bucket *b = m->buckets[i];
        for (size_t k = 0; k < b->object_count; k++)
            aws_free_object(b->object[k]);
        for (size_t k = 0; k < b->upload_count; k++)
            aws_free_upload(b->upload[k]);
        for (size_t k = 0; k < b->tomb_count; k++)
            free((void *)(uintptr_t)b->tomb[k].key.at);
        for (size_t k = 0; k < b->finished_count; k++)
            free((void *)(uintptr_t)b->finished[k].key.at);
        free(b->finished);
        free(b->object);
        free(b->upload);
        free(b->tomb);
        free(b->name);
        free(b->region);
        free(b->owner);
        free(b->policy);
        free(b);
    }
    free(m->buckets);
}

void aws_put_xml_tag(struct aws_buf *out, const char *tag,
                     struct aws_text value)
{
    aws_printf(out, "<%s>", tag);
    aws_put_xml(out, value);
    aws_printf(out, "</%s>", tag);
}

void aws_begin_xml(struct aws_exchange *x, const char *root)
{
    x->type = "application/xml";
    aws_printf(&x->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s "
               "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">", root);
}

static bool headers_fit(struct aws_exchange *x)
{
    size_t bytes = 0;
    for (size_t i = 0; i < x->header_count; i++)
        bytes += x->header[i].name.len + x->header[i].value.len + 4;
    if (bytes <= HEADER_BYTES_MAX) return true;
    aws_fail(x, 400, "RequestHeaderSectionTooLarge",
             "Your request header section exceeds the maximum allowed size.");
    return false;
}

static bool right_region(struct aws_exchange *x, const struct aws_bucket *b)
{
    struct aws_text region = x->host_region;
    if (region.len == 0) region = aws_str(x->model->region);
    if (aws_is(region, b->region)) return true;
    aws_reply_header(x, "x-amz-bucket-region", "%s", b->region);
    aws_reset(&x->text);
    aws_printf(&x->text, "<Endpoint>%s.s3.%s.amazonaws.com</Endpoint>"
               "<Bucket>%s</Bucket>", b->name, b->region, b->name);
    aws_fail_with(x, 301, "PermanentRedirect", "The bucket you are "
                  "attempting to access must be addressed using the "
                  "specified endpoint.", x->text.at);
    return false;
}

static struct aws_bucket *need_bucket(struct aws_exchange *x)
{
    struct aws_text owner;
    struct aws_bucket *b = aws_find_bucket(x->model, x->bucket);
    if (b == NULL) {
        aws_reset(&x->text);
        aws_put_xml_tag(&x->text, "BucketName", x->bucket);
        aws_fail_with(x, 404, "NoSuchBucket",
                      "The specified bucket does not exist", x->text.at);
        return NULL;
    }
    if (!right_region(x, b)) return NULL;
    if (aws_header_of(x, "x-amz-expected-bucket-owner", &owner) &&
        !aws_is(owner, b->owner)) {
        aws_fail(x, 403, "AccessDenied", "Access Denied");
        return NULL;
    }
    if (x->key.len > KEY_BYTES_MAX) {
        aws_fail(x, 400, "KeyTooLongError", "Your key is too long");
        return NULL;
    }
    return b;
}

static void create_bucket(struct aws_exchange *x)
{
    struct aws_text body = aws_view(&x->body), root, region;
    if (aws_find_bucket(x->model, x->bucket) != NULL) {
        aws_fail(x, 409, "BucketAlreadyOwnedByYou", "Your previous request "
                 "to create the named bucket succeeded and you already own "
                 "it.");
        return;
    }
    bool named = body.len > 0 &&
                 aws_xml_find(body, "CreateBucketConfiguration", &root) &&
                 aws_xml_find(root, "LocationConstraint", &region);
    bool east = strcmp(x->model->region, "us-east-1") == 0;
    if (named ? !aws_is(region, x->model->region) || east : !east) {
        aws_fail(x, 400, "IllegalLocationConstraintException", "The "
                 "location constraint is incompatible for the region "
                 "specific endpoint this request was sent to.");
        return;
    }
    char *name = aws_dup(x->bucket);
    aws_create_bucket(x->model, name, NULL, NULL);
    aws_reply_header(x, "Location", "/%s", name);
    free(name);
}

static void list_buckets(struct aws_exchange *x)
{
    aws_begin_xml(x, "ListAllMyBucketsResult");
    aws_puts(&x->out, "<Buckets>");
    for (size_t i = 0; i < x->model->bucket_count; i++) {
        aws_puts(&x->out, "<Bucket>");
        aws_put_xml_tag(&x->out, "Name", aws_str(x->model->buckets[i]->name));
        aws_puts(&x->out, "<CreationDate>2020-01-01T00:00:00.000Z"
                          "</CreationDate></Bucket>");
    }
    aws_puts(&x->out, "</Buckets></ListAllMyBucketsResult>");
}

static void bucket_location(struct aws_exchange *x,
                            const struct aws_bucket *b)
{
    aws_begin_xml(x, "LocationConstraint");
    if (strcmp(b->region, "us-east-1") != 0)
        aws_put_xml(&x->out, aws_str(b->region));
    aws_puts(&x->out, "</LocationConstraint>");
}

static void versioning(struct aws_exchange *x, struct aws_bucket *b)
{
    if (x->op == AWS_OP_PutBucketVersioning) {
        b->versioned = aws_has(aws_view(&x->body), "<Status>Enabled<");
        return;
    }
    aws_begin_xml(x, "VersioningConfiguration");
    if (b->versioned) aws_puts(&x->out, "<Status>Enabled</Status>");
    aws_puts(&x->out, "</VersioningConfiguration>");
}

static void policy(struct aws_exchange *x, struct aws_bucket *b)
{
    if (x->op == AWS_OP_GetBucketPolicy && b->policy == NULL) {
        aws_fail(x, 404, "NoSuchBucketPolicy",
                 "The bucket policy does not exist");
    } else if (x->op == AWS_OP_GetBucketPolicy) {
        x->type = "application/json";
        aws_puts(&x->out, b->policy);
    } else {
        free(b->policy);
        b->policy = x->op == AWS_OP_PutBucketPolicy
                        ? aws_dup(aws_view(&x->body)) : NULL;
        x->reply.status = 204;
        x->no_body = true;
    }
}

static void lifecycle(struct aws_exchange *x)
{
    int64_t kind = aws_get(x->model, "lifecycle");
    if (kind == 1) {
        aws_fail(x, 404, "NoSuchLifecycleConfiguration",
                 "The lifecycle configuration does not exist");
        return;
    }
    aws_begin_xml(x, "LifecycleConfiguration");
    aws_puts(&x->out, kind == 2
        ? "<Rule><Status>Enabled</Status><AbortIncompleteMultipartUpload>"
          "<DaysAfterInitiation>7</DaysAfterInitiation>"
          "</AbortIncompleteMultipartUpload></Rule>"
        : "<Rule><Status>Enabled</Status><Expiration><Days>9</Days>"
          "</Expiration></Rule>");
    aws_puts(&x->out, "</LifecycleConfiguration>");
}

/* A rarer half of the operations, so that neither function is long. */
static void serve_bucket(struct aws_exchange *x, struct aws_bucket *b)
{
    if (x->op == AWS_OP_ListObjectsV2) aws_list_objects(x, b);
    else if (x->op == AWS_OP_ListParts) aws_list_parts(x, b);
    else if (x->op == AWS_OP_ListMultipartUploads) aws_list_uploads(x, b);
    else if (x->op == AWS_OP_GetBucketLocation) bucket_location(x, b);
    else if (x->op == AWS_OP_GetBucketVersioning ||
             x->op == AWS_OP_PutBucketVersioning) versioning(x, b);
    else if (x->op == AWS_OP_HeadBucket)
        aws_reply_header(x, "x-amz-bucket-region", "%s", b->region);
    else if (x->op == AWS_OP_DeleteObjects) aws_remove_objects(x, b);
    else if (x->op == AWS_OP_GetBucketLifecycle &&
             aws_get(x->model, "lifecycle") > 0) lifecycle(x);
    else if (x->op == AWS_OP_GetBucketPolicy ||
             x->op == AWS_OP_PutBucketPolicy ||
             x->op == AWS_OP_DeleteBucketPolicy) policy(x, b);
    else
        aws_fail(x, 501, "NotImplemented", "The model does not know this "
                 "operation.");
}

void aws_serve_s3(struct aws_exchange *x, int64_t now)
{
    if (!headers_fit(x)) return;
    if (x->op == AWS_OP_CreateBucket) {
        create_bucket(x);
        return;
    }
    if (x->op == AWS_OP_ListBuckets) {
        list_buckets(x);
        return;
    }
    struct aws_bucket *b = need_bucket(x);
    if (b == NULL) return;
    if (x->op == AWS_OP_PutObject) aws_put_object(x, b, now);
    else if (x->op == AWS_OP_UploadPart) aws_upload_part(x, b, now);
    else if (x->op == AWS_OP_GetObject || x->op == AWS_OP_HeadObject)
        aws_get_object(x, b, now);
    else if (x->op == AWS_OP_CreateMultipartUpload)
        aws_create_upload(x, b, now);
    else if (x->op == AWS_OP_CompleteMultipartUpload)
        aws_complete_upload(x, b, now);
    else if (x->op == AWS_OP_AbortMultipartUpload) aws_abort_upload(x, b);
    else if (x->op == AWS_OP_UploadPartCopy) aws_copy_part(x, b, now);
    else if (x->op == AWS_OP_CopyObject) aws_copy_object(x, b, now);
    else if (x->op == AWS_OP_DeleteObject) aws_remove_object(x, b);
    else if (x->op == AWS_OP_RestoreObject) aws_restore_object(x, b, now);
    else serve_bucket(x, b);
}
