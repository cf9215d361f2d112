/* conditions.c - what S3 checks before it reads or writes an object. */
#include "s3.h"

#include <stdlib.h>
#include <string.h>

static bool not_implemented(struct aws_exchange *x, const char *header)
{
    aws_reset(&x->text);
    aws_printf(&x->text, "<Header>%s</Header>", header);
    aws_fail_with(x, 501, "NotImplemented", "A header you provided implies "
                  "functionality that is not implemented", x->text.at);
    return false;
}

static bool precondition(struct aws_exchange *x, const char *header)
{
    aws_reset(&x->text);
    aws_printf(&x->text, "<Condition>%s</Condition>", header);
    aws_fail_with(x, 412, "PreconditionFailed", "At least one of the "
                  "pre-conditions you specified did not hold", x->text.at);
    return false;
}

static bool no_such_key(struct aws_exchange *x)
{
    aws_fail(x, 404, "NoSuchKey", "The specified key does not exist.");
    return false;
}

bool aws_etag_is(const struct aws_object *o, struct aws_text value)
{
    if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
        value = (struct aws_text){value.at + 1, value.len - 2};
    return aws_is(value, o->etag);
}

static bool deleted_since(const struct aws_bucket *b, struct aws_text key,
                          uint64_t change)
{
    for (size_t i = 0; i < b->tomb_count; i++)
        if (aws_same(b->tomb[i].key, key) && b->tomb[i].change > change)
            return true;
    return false;
}

bool aws_write_allowed(struct aws_exchange *x, struct aws_bucket *b,
                       const struct aws_upload *upload)
{
    struct aws_text match, none;
    bool has_match = aws_header_of(x, "if-match", &match);
    bool has_none = aws_header_of(x, "if-none-match", &none);
    const struct aws_object *o = aws_find_object(b, x->key);
    if (!x->model->setting[AWS_SET_CONDITIONS]) return true;
    if (has_none && (has_match || !aws_is(none, "*")))
        return not_implemented(x, "If-None-Match");
    if (has_match && aws_is(match, "*"))
        return not_implemented(x, "If-Match");
    if (has_none && o != NULL) return precondition(x, "If-None-Match");
    if (has_none && upload != NULL &&
        deleted_since(b, x->key, upload->started)) {
        aws_fail(x, 409, "ConditionalRequestConflict", "The conditional "
                 "request cannot succeed due to a conflicting operation "
                 "against this resource.");
        return false;
    }
    if (has_match && o == NULL) return no_such_key(x);
    if (has_match && !aws_etag_is(o, match)) return precondition(x, "If-Match");
    return true;
}

bool aws_read_allowed(struct aws_exchange *x, const struct aws_object *o)
{
    struct aws_text value;
    if (o == NULL) return no_such_key(x);
    if (aws_header_of(x, "if-match", &value) && !aws_is(value, "*") &&
        !aws_etag_is(o, value))
        return precondition(x, "If-Match");
    if (aws_header_of(x, "if-none-match", &value) &&
        (aws_is(value, "*") || aws_etag_is(o, value))) {
        aws_fail(x, 304, "NotModified", "Not Modified");
        x->no_body = true;
        return false;
    }
    return true;
}

bool aws_body_summed(struct aws_exchange *x, const struct aws_bucket *b)
{
    if (!b->locked) return true;
    for (size_t i = 0; i < x->header_count; i++) {
        struct aws_text name = x->header[i].name;
        struct aws_text start = {name.at, name.len < 15 ? name.len : 15};
        if (aws_is_nocase(start, "x-amz-checksum-") ||
            aws_is_nocase(name, "content-md5"))
            return true;
    }
    aws_fail(x, 400, "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP "
             "header is required for Put Object requests with Object Lock "
             "parameters");
    return false;
}

bool aws_copy_allowed(struct aws_exchange *x, const struct aws_object *o)
{
    struct aws_text value;
    if (o == NULL) return no_such_key(x);
    if (aws_header_of(x, "x-amz-copy-source-if-match", &value) &&
        !aws_etag_is(o, value))
        return precondition(x, "x-amz-copy-source-If-Match");
    return true;
}

static bool one_of(struct aws_text value, const char *const *list)
{
    for (; *list != NULL; list++)
        if (aws_is(value, *list)) return true;
    return false;
}

static bool read_class(struct aws_exchange *x, struct aws_attributes *a)
{
    static const char *const known[] = {
        "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA",
        "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR",
        NULL};
    struct aws_text value;
    if (!aws_header_of(x, "x-amz-storage-class", &value))
        value = aws_str("STANDARD");
    if (!one_of(value, known)) {
        aws_fail(x, 400, "InvalidStorageClass",
                 "The storage class you specified is not valid");
        return false;
    }
    a->class = aws_dup(value);
    return true;
}

static bool read_encryption(struct aws_exchange *x, struct aws_buf *headers)
{
    static const char *const known[] = {"AES256", "aws:kms", "aws:kms:dsse",
                                        NULL};
    struct aws_text value;
    if (!aws_header_of(x, "x-amz-server-side-encryption", &value))
        value = aws_str("AES256");
    if (!one_of(value, known)) {
        aws_fail(x, 400, "InvalidEncryptionAlgorithmError",
                 "The encryption request you specified is not valid.");
        return false;
    }
    aws_printf(headers, "x-amz-server-side-encryption: %.*s\r\n",
               (int)value.len, value.at);
    if (aws_header_of(x, "x-amz-server-side-encryption-aws-kms-key-id",
                      &value))
        aws_printf(headers, "x-amz-server-side-encryption-aws-kms-key-id: "
                   "%.*s\r\n", (int)value.len, value.at);
    return true;
}

static bool read_kept_headers(struct aws_exchange *x, struct aws_buf *to)
{
    static const char *const kept[] = {
        "content-type", "content-encoding", "content-disposition",
        "content-language", "cache-control"};
    size_t meta = 0;
    for (size_t i = 0; i < x->header_count; i++) {
        const struct aws_header *h = &x->header[i];
        bool mine = h->name.len > 11 &&
                    aws_is_nocase((struct aws_text){h->name.at, 11},
                                  "x-amz-meta-");
        if (mine) meta += h->name.len - 11 + h->value.len;
        for (size_t k = 0; k < sizeof kept / sizeof kept[0]; k++)
            mine = mine || aws_is_nocase(h->name, kept[k]);
        if (mine)
            aws_printf(to, "%.*s: %.*s\r\n", (int)h->name.len, h->name.at,
                       (int)h->value.len, h->value.at);
    }
    if (meta <= 2048) return true;
    aws_fail(x, 400, "MetadataTooLarge", "Your metadata headers exceed the "
             "maximum allowed metadata size.");
    return false;
}

/* Algorithm and type as CreateMultipartUpload names them. */
static bool read_algorithm(struct aws_exchange *x, struct aws_attributes *a)
{
    struct aws_text name, type;
    static const char *const known[] = {"CRC64NVME", "CRC32", "CRC32C",
                                        "SHA1", "SHA256", NULL};
    bool named = aws_header_of(x, "x-amz-checksum-algorithm", &name);
    bool typed = aws_header_of(x, "x-amz-checksum-type", &type);
    if (named) {
        a->algorithm = aws_dup(name);
        for (char *c = a->algorithm; *c != '\0'; c++)
            if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    }
    bool whole = aws_is(type, "FULL_OBJECT");
    bool crc = aws_begins(name, "CRC"), crc64 = aws_is(name, "CRC64NVME");
    if ((named && !one_of(name, known)) || (typed && !named) ||
        (typed && !whole && !aws_is(type, "COMPOSITE")) ||
        (whole && !crc) || (typed && !whole && crc64)) {
        aws_fail(x, 400, "InvalidRequest", "The checksum algorithm and type "
                 "do not fit each other.");
        return false;
    }
    if (named)
        a->checksum_type = aws_dup(typed ? type
                                   : aws_str(crc64 ? "FULL_OBJECT"
                                                   : "COMPOSITE"));
    return true;
}

bool aws_read_attributes(struct aws_exchange *x, struct aws_attributes *a)
{
    struct aws_buf headers = {0};
    *a = (struct aws_attributes){0};
    bool good = read_class(x, a) && read_encryption(x, &headers) &&
                read_kept_headers(x, &headers) && read_algorithm(x, a);
    a->headers = headers.at;
    if (!good) {
        aws_free_attributes(a);
        *a = (struct aws_attributes){0};
    }
    return good;
}

bool aws_is_archived(const struct aws *m, const struct aws_object *o,
                     int64_t now)
{
    (void)m;
    if (strcmp(o->attributes.class, "GLACIER") != 0 &&
        strcmp(o->attributes.class, "DEEP_ARCHIVE") != 0)
        return false;
    return o->restored_until == 0 || now < o->restored_at ||
           now >= o->restored_until;
}
