/* payload.c - does the body have the digests that its headers announce? */
#include "model.h"

#include <string.h>

static bool check_hash(struct aws_exchange *x)
{
    struct aws_text hash;
    struct aws_buf hex = {0};
    if (!aws_header_of(x, "x-amz-content-sha256", &hash)) {
        aws_fail(x, 400, "InvalidRequest", "Missing required header for "
                 "this request: x-amz-content-sha256");
        return false;
    }
    if (aws_is(hash, "UNSIGNED-PAYLOAD")) {
        if (x->tls || x->model->setting[AWS_SET_UNSIGNED_HTTP]) return true;
        aws_fail(x, 400, "InvalidRequest",
                 "UNSIGNED-PAYLOAD is for https alone here.");
        return false;
    }
    if (x->chunks.on) return true;
    if (aws_begins(hash, "STREAMING-")) {
        aws_fail(x, 501, "NotImplemented",
                 "Signed chunks are not taken here.");
        return false;
    }
    aws_put_hex(&hex, x->sha_sum, 32);
    bool same = aws_same(hash, aws_view(&hex));
    aws_free_buf(&hex);
    if (!same)
        aws_fail(x, 400, "XAmzContentSHA256Mismatch", "The provided "
                 "'x-amz-content-sha256' header does not match what was "
                 "computed.");
    return same;
}

static void put_be(struct aws_buf *out, uint64_t v, size_t bytes)
{
    uint8_t byte[8];
    for (size_t i = 0; i < bytes; i++)
        byte[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
    aws_put(out, byte, bytes);
}

/* The digest of that name as bytes; false when it is not computed here. */
static bool digest(struct aws_exchange *x, const char *name,
                   struct aws_buf *out)
{
    bool whole = x->body.len == x->size;
    if (strcmp(name, "x-amz-checksum-crc64nvme") == 0)
        put_be(out, x->crc64, 8);
    else if (strcmp(name, "x-amz-checksum-crc32") == 0 && whole)
        put_be(out, aws_crc32(0, x->body.at, x->body.len), 4);
    else if (strcmp(name, "x-amz-checksum-crc32c") == 0 && whole)
        put_be(out, aws_crc32c(0, x->body.at, x->body.len), 4);
    else if (strcmp(name, "content-md5") == 0)
        aws_put(out, x->md5_sum, 16);
    else
        return false;
    return true;
}

/* On Complete such a header is of the whole object, not of the body. */
static bool checksum_is_of_body(const struct aws_exchange *x)
{
    return x->op == AWS_OP_PutObject || x->op == AWS_OP_UploadPart ||
           x->op == AWS_OP_DeleteObjects || x->op == AWS_OP_RestoreObject;
}

static bool check_digest(struct aws_exchange *x, const char *name)
{
    struct aws_text header;
    struct aws_buf wanted = {0}, got = {0};
    if (!aws_header_of(x, name, &header)) return true;
    bool form = aws_unbase64(header, &wanted);
    bool known = digest(x, name, &got);
    bool same = known && aws_same(aws_view(&wanted), aws_view(&got));
    if (!form || (known && wanted.len != got.len))
        aws_fail(x, 400, "InvalidRequest",
                 "Value for a checksum header is invalid.");
    else if (known && !same && x->model->setting[AWS_SET_CHECK_SUMS])
        aws_fail(x, 400, "BadDigest", "The checksum you specified did not "
                 "match what we received.");
    aws_free_buf(&wanted);
    aws_free_buf(&got);
    return !x->failed;
}

bool aws_check_payload(struct aws_exchange *x)
{
    static const char *const names[] = {
        "content-md5", "x-amz-checksum-crc64nvme", "x-amz-checksum-crc32",
        "x-amz-checksum-crc32c"};
    if (aws_op_service[x->op] != AWS_SERVICE_S3) return true;
    if (x->model->setting[AWS_SET_CHECK_SIGNATURE] && !check_hash(x))
        return false;
    if (!checksum_is_of_body(x)) return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!check_digest(x, names[i])) return false;
    return true;
}
