/* route.c - which operation a request is, from host, path and headers. */
#include "model.h"

#include <string.h>

#define NAME(name, service) #name,
const char *const aws_op_name[AWS_OP_COUNT] = {AWS_OPERATIONS(NAME)};
#undef NAME
#define SERVICE(name, service) AWS_SERVICE_##service,
const enum aws_service aws_op_service[AWS_OP_COUNT] = {
    AWS_OPERATIONS(SERVICE)};
#undef SERVICE

bool aws_op_of(struct aws_text name, enum aws_op *op)
{
    for (int i = 0; i < AWS_OP_COUNT; i++) {
        if (!aws_is(name, aws_op_name[i])) continue;
        *op = (enum aws_op)i;
        return true;
    }
    return false;
}

static enum aws_op logs_op(const struct aws_exchange *x)
{
    struct aws_text target, name;
    enum aws_op op;
    (void)aws_header_of(x, "x-amz-target", &target);
    if (!aws_is(aws_cut(target, '.', &name), "Logs_20140328") ||
        !aws_op_of(name, &op) || aws_op_service[op] != AWS_SERVICE_LOGS)
        return AWS_OP_UnknownLogs;
    return op;
}

/* The action stands in the body, which is not here yet. */
static enum aws_op sts_op(const struct aws_exchange *x)
{
    struct aws_text unused;
    return aws_header_of(x, "authorization", &unused)
               ? AWS_OP_UnknownSts : AWS_OP_AssumeRoleWithWebIdentity;
}

static enum aws_op meta_op(const struct aws_exchange *x)
{
    static const char list[] = "/latest/meta-data/iam/security-credentials/";
    if (aws_is(x->path, "/latest/api/token")) return AWS_OP_MetadataToken;
    if (aws_is(x->path, list)) return AWS_OP_MetadataRole;
    if (aws_begins(x->path, list)) return AWS_OP_MetadataCredentials;
    if (aws_is(x->path, "/latest/meta-data/placement/region"))
        return AWS_OP_MetadataRegion;
    return AWS_OP_UnknownMeta;
}

struct sub {
    const char *method, *query;  /* query NULL: none of the known ones */
    bool        copies;          /* has x-amz-copy-source */
    enum aws_op op;
};
/* The first row that holds decides. */
static const struct sub of_key[] = {
    {"POST", "uploads", false, AWS_OP_CreateMultipartUpload},
    {"POST", "restore", false, AWS_OP_RestoreObject},
    {"POST", "uploadId", false, AWS_OP_CompleteMultipartUpload},
    {"PUT", "uploadId", true, AWS_OP_UploadPartCopy},
    {"PUT", "uploadId", false, AWS_OP_UploadPart},
    {"DELETE", "uploadId", false, AWS_OP_AbortMultipartUpload},
    {"GET", "uploadId", false, AWS_OP_ListParts},
    {"PUT", NULL, true, AWS_OP_CopyObject},
    {"PUT", NULL, false, AWS_OP_PutObject},
    {"GET", NULL, false, AWS_OP_GetObject},
    {"HEAD", NULL, false, AWS_OP_HeadObject},
    {"DELETE", NULL, false, AWS_OP_DeleteObject},
};
static const struct sub of_bucket[] = {
    {"GET", "uploads", false, AWS_OP_ListMultipartUploads},
    {"GET", "location", false, AWS_OP_GetBucketLocation},
    {"GET", "versioning", false, AWS_OP_GetBucketVersioning},
    {"PUT", "versioning", false, AWS_OP_PutBucketVersioning},
    {"GET", "policy", false, AWS_OP_GetBucketPolicy},
    {"PUT", "policy", false, AWS_OP_PutBucketPolicy},
    {"DELETE", "policy", false, AWS_OP_DeleteBucketPolicy},
    {"GET", "lifecycle", false, AWS_OP_GetBucketLifecycle},
    {"PUT", "lifecycle", false, AWS_OP_UnknownS3},
    {"GET", "list-type", false, AWS_OP_ListObjectsV2},
    {"POST", "delete", false, AWS_OP_DeleteObjects},
    {"HEAD", NULL, false, AWS_OP_HeadBucket},
    {"PUT", NULL, false, AWS_OP_CreateBucket},
};

/* Sub-resources of S3 that the model does not know. */
static bool foreign_query(struct aws_exchange *x)
{
    static const char *const known[] = {
        "acl", "tagging", "cors", "website", "torrent",
        "attributes", "legal-hold", "retention", "select", "encryption",
        "object-lock", "publicAccessBlock", "notification", "versions"};
    struct aws_text unused;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (aws_query_of(x, known[i], &unused)) return true;
    return false;
}

static enum aws_op s3_op(struct aws_exchange *x)
{
    const struct sub *row = x->key.len > 0 ? of_key : of_bucket;
    size_t rows = x->key.len > 0 ? sizeof of_key / sizeof of_key[0]
                                 : sizeof of_bucket / sizeof of_bucket[0];
    struct aws_text unused;
    bool copies = aws_header_of(x, "x-amz-copy-source", &unused);
    if (x->bucket.len == 0 && aws_is(x->method, "GET"))
        return AWS_OP_ListBuckets;
    if (x->bucket.len == 0 || foreign_query(x)) return AWS_OP_UnknownS3;
    for (size_t i = 0; i < rows; i++)
        if (aws_is(x->method, row[i].method) && row[i].copies <= copies &&
            (row[i].query == NULL || aws_query_of(x, row[i].query, &unused)))
            return row[i].op;
    return AWS_OP_UnknownS3;
}

/* bucket.s3[-fips][.dualstack].region.suffix, without the bucket too. */
static void split_host(struct aws_exchange *x, struct aws_text host)
{
    struct aws_text rest = host, before = {host.at, 0};
    while (rest.len > 0) {
        struct aws_text after, label = aws_cut(rest, '.', &after);
        bool s3 = aws_is(label, "s3") || aws_is(label, "s3-fips");
        if (s3 && (aws_has(after, "amazonaws") || aws_is(after, "localhost"))) {
            before.len = label.at > host.at
                             ? (size_t)(label.at - 1 - host.at) : 0;
            x->bucket = before;
            x->host_region = aws_cut(after, '.', &rest);
            if (aws_is(x->host_region, "dualstack"))
                x->host_region = aws_cut(rest, '.', &rest);
            if (aws_is(x->host_region, "amazonaws"))
                x->host_region = aws_str("us-east-1");
            if (aws_is(x->host_region, "localhost"))
                x->host_region.len = 0;
            return;
        }
        rest = after;
    }
    struct aws_text after, first = aws_cut(host, '.', &after);
    if (aws_is(after, "localhost")) x->bucket = first;
}

static void split_path(struct aws_exchange *x)
{
    struct aws_text path = x->path, key;
    aws_reset(&x->text);
    if (path.len > 0 && path.at[0] == '/') {
        path.at++;
        path.len--;
    }
    if (!aws_unpercent(path, false, &x->text)) aws_reset(&x->text);
    path = aws_hold(x, aws_view(&x->text));
    if (x->bucket.len > 0) {
        x->key = path;
        return;
    }
    x->bucket = aws_cut(path, '/', &key);
    x->key = key;
}

static struct aws_text host_of(const struct aws_exchange *x)
{
    struct aws_text host, port;
    (void)aws_header_of(x, "host", &host);
    if (aws_begins(host, "[")) return host;
    return aws_cut(host, ':', &port);
}

void aws_route(struct aws_exchange *x)
{
    struct aws_text host = host_of(x), unused;
    bool post = aws_is(x->method, "POST") && aws_is(x->path, "/");
    if (aws_begins(x->path, "/_model/")) {
        x->op = AWS_OP_Control;
    } else if (aws_begins(host, "169.254.170.") ||
               aws_begins(x->path, "/v2/credentials/") ||
               aws_begins(x->path, "/v1/credentials")) {
        x->op = AWS_OP_ContainerCredentials;
    } else if (aws_is(host, "169.254.169.254") ||
               aws_begins(x->path, "/latest/")) {
        x->op = meta_op(x);
    } else if (aws_begins(host, "logs.") || aws_begins(host, "logs-fips.") ||
               aws_header_of(x, "x-amz-target", &unused)) {
        x->op = logs_op(x);
    } else if (aws_begins(host, "sts.") || aws_begins(host, "sts-fips.") ||
               (post && x->query.len == 0)) {
        x->op = sts_op(x);
    } else {
        split_host(x, host);
        split_path(x);
        x->op = s3_op(x);
    }
}
