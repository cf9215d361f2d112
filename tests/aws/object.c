/* object.c - PutObject, GetObject, HeadObject, DeleteObject(s), Restore. */
#include "s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DELETE_MOST = 1000 };  /* keys a request */

#define ONE_PUT_BYTES_MAX ((uint64_t)5 << 30)

static void put_version(struct aws_exchange *x, const struct aws_bucket *b,
                        const struct aws_object *o)
{
    if (b->versioned)
        aws_reply_header(x, "x-amz-version-id", "v%016llx",
                         (unsigned long long)aws_mix(o->version));
}

static void put_checksum(struct aws_exchange *x, const struct aws_object *o)
{
    if (!x->model->setting[AWS_SET_RETURN_SUMS] || o->checksum[0] == '\0')
        return;
    char name[40];
    (void)snprintf(name, sizeof name, "x-amz-checksum-%s",
                   o->attributes.algorithm);
    aws_reply_header(x, name, "%s", o->checksum);
    aws_reply_header(x, "x-amz-checksum-type", "%s",
                     o->attributes.checksum_type);
}

/* The checksum that came with the body, else CRC64NVME, which S3 makes. */
static void choose_checksum(struct aws_exchange *x, struct aws_object *o)
{
    static const char *const names[] = {"crc32", "crc32c", "sha1", "sha256"};
    struct aws_text value;
    char header[40];
    free(o->attributes.algorithm);
    free(o->attributes.checksum_type);
    o->attributes.checksum_type = aws_dup(aws_str("FULL_OBJECT"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(header, sizeof header, "x-amz-checksum-%s", names[i]);
        if (!aws_header_of(x, header, &value) || value.len > 60) continue;
        o->attributes.algorithm = aws_dup(aws_str(names[i]));
        memcpy(o->checksum, value.at, value.len);
        return;
    }
    o->attributes.algorithm = aws_dup(aws_str("crc64nvme"));
    aws_base64_of(o->content.crc64, 8, o->checksum);
}

void aws_put_object(struct aws_exchange *x, struct aws_bucket *b, int64_t now)
{
    struct aws_object made = {.key = x->key};
    if (x->announced < 0 && !x->chunks.on) {
        aws_fail(x, 411, "MissingContentLength",
                 "You must provide the Content-Length HTTP header.");
        return;
    }
    if (x->size > ONE_PUT_BYTES_MAX) {
        aws_fail(x, 400, "EntityTooLarge",
                 "Your proposed upload exceeds the maximum allowed size");
        return;
    }
    if (!aws_write_allowed(x, b, NULL) || !aws_body_summed(x, b) ||
        !aws_read_attributes(x, &made.attributes))
        return;
    made.content = aws_take_content(x);
    made.modified = aws_server_now(x->model, now);
    aws_etag_of(x->model, &made.content, made.etag);
    choose_checksum(x, &made);
    struct aws_object *o = aws_store(x->model, b, &made);
    aws_reply_header(x, "ETag", "\"%s\"", o->etag);
    put_checksum(x, o);
    put_version(x, b, o);
}

/* One range of `bytes=`; a header that is none of ours counts as absent. */
static bool read_range(struct aws_text value, uint64_t size, uint64_t *from,
                       uint64_t *len)
{
    struct aws_text last;
    int64_t a = -1, z = -1;
    if (!aws_begins(value, "bytes=") || aws_has(value, ",")) return false;
    value = (struct aws_text){value.at + 6, value.len - 6};
    struct aws_text first = aws_cut(value, '-', &last);
    if (last.at == NULL || (first.len == 0 && last.len == 0)) return false;
    if (first.len > 0 && (!aws_int(first, &a) || a < 0)) return false;
    if (last.len > 0 && (!aws_int(last, &z) || z < 0)) return false;
    if (first.len > 0 && last.len > 0 && z < a) return false;
    if (first.len == 0) {  /* the last z bytes */
        *len = (uint64_t)z < size ? (uint64_t)z : size;
        *from = size - *len;
        return true;
    }
    *from = (uint64_t)a;
    if (last.len == 0 || (uint64_t)z >= size) z = (int64_t)size - 1;
    *len = *from < size ? (uint64_t)z - *from + 1 : 0;
    return true;
}

static void give_bytes(struct aws_exchange *x, const struct aws_content *c,
                       uint64_t from, uint64_t len)
{
    x->reply.length = len;
    if (x->no_body || len == 0) return;
    if (!c->kept) {
        aws_clear_reply(x);
        aws_fail(x, 500, "InternalError", "The model discarded the bytes.");
        return;
    }
    x->segment = aws_grow(x->segment, c->segment_count * sizeof x->segment[0]);
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
        x->segment[x->segment_count++] = s;
    }
}

static void put_restore(struct aws_exchange *x, const struct aws_object *o,
                        int64_t now)
{
    if (o->restored_until == 0 || now >= o->restored_until) return;
    if (now < o->restored_at) {
        aws_reply_header(x, "x-amz-restore", "ongoing-request=\"true\"");
        return;
    }
    struct aws_buf date = {0};
    aws_put_http_date(&date, o->restored_until);
    aws_reply_header(x, "x-amz-restore", "ongoing-request=\"false\", "
                     "expiry-date=\"%s\"", date.at);
    aws_free_buf(&date);
}

static void describe(struct aws_exchange *x, const struct aws_bucket *b,
                     const struct aws_object *o, int64_t now)
{
    struct aws_buf date = {0};
    aws_put_http_date(&date, o->modified);
    aws_reply_header(x, "Last-Modified", "%s", date.at);
    aws_free_buf(&date);
    aws_reply_header(x, "ETag", "\"%s\"", o->etag);
    aws_reply_header(x, "Accept-Ranges", "bytes");
    aws_puts(&x->headers, o->attributes.headers);
    if (!aws_has(aws_str(o->attributes.headers), "ontent-"))
        aws_reply_header(x, "Content-Type", "binary/octet-stream");
    if (strcmp(o->attributes.class, "STANDARD") != 0)
        aws_reply_header(x, "x-amz-storage-class", "%s",
                         o->attributes.class);
    put_restore(x, o, now);
    put_version(x, b, o);
}

static bool fail_archived(struct aws_exchange *x, const struct aws_object *o,
                          int64_t now)
{
    char extra[96];
    if (x->no_body || !aws_is_archived(x->model, o, now)) return false;
    (void)snprintf(extra, sizeof extra, "<StorageClass>%s</StorageClass>",
                   o->attributes.class);
    aws_fail_with(x, 403, "InvalidObjectState", "The operation is not valid "
                  "for the object's storage class", extra);
    return true;
}

void aws_get_object(struct aws_exchange *x, struct aws_bucket *b, int64_t now)
{
    const struct aws_object *o = aws_find_object(b, x->key);
    struct aws_text value;
    uint64_t from = 0;
    if (!aws_read_allowed(x, o) || fail_archived(x, o, now)) return;
    uint64_t size = o->content.size, len = size;
    bool ranged = aws_header_of(x, "range", &value) &&
                  read_range(value, size, &from, &len);
    if (ranged && len == 0) {
        char extra[64];
        (void)snprintf(extra, sizeof extra,
                       "<ActualObjectSize>%llu</ActualObjectSize>",
                       (unsigned long long)size);
        aws_fail_with(x, 416, "InvalidRange",
                      "The requested range is not satisfiable", extra);
        return;
    }
    describe(x, b, o, now);
    if (ranged) {
        x->reply.status = 206;
        aws_reply_header(x, "Content-Range", "bytes %llu-%llu/%llu",
                         (unsigned long long)from,
                         (unsigned long long)(from + len - 1),
                         (unsigned long long)size);
    } else if (aws_header_of(x, "x-amz-checksum-mode", &value) &&
               aws_is(value, "ENABLED")) {
        put_checksum(x, o);
    }
    give_bytes(x, &o->content, from, len);
}

void aws_remove_object(struct aws_exchange *x, struct aws_bucket *b)
{
    struct aws_text match;
    const struct aws_object *o = aws_find_object(b, x->key);
    if (aws_header_of(x, "if-match", &match) &&
        x->model->setting[AWS_SET_CONDITIONS] && !aws_is(match, "*") &&
        !aws_read_allowed(x, o))
        return;
    x->reply.status = 204;
    x->no_body = true;
    if (aws_unstore(x->model, b, x->key) && b->versioned)
        aws_reply_header(x, "x-amz-delete-marker", "true");
}

static size_t count_objects(struct aws_text list)
{
    struct aws_text name, item;
    size_t count = 0;
    while (aws_xml_next(&list, &name, &item)) count += aws_is(name, "Object");
    return count;
}

/* An ETag is a condition: the object goes only if it has that one. */
static void remove_one(struct aws_exchange *x, struct aws_bucket *b,
                       struct aws_text item, bool quiet)
{
    struct aws_text value, key, etag = {0};
    struct aws_buf text = {0};
    if (!aws_xml_find(item, "Key", &value)) return;
    aws_reset(&x->text);
    (void)aws_xml_text(value, &x->text);
    key = aws_hold(x, aws_view(&x->text));
    const struct aws_object *o = aws_find_object(b, key);
    if (aws_xml_find(item, "ETag", &value)) {
        (void)aws_xml_text(value, &text);
        etag = aws_view(&text);
    }
    bool differs = etag.at != NULL && x->model->setting[AWS_SET_CONDITIONS] &&
                   (o == NULL || !aws_etag_is(o, etag));
    aws_free_buf(&text);
    if (differs) {
        aws_puts(&x->out, "<Error>");
        aws_put_xml_tag(&x->out, "Key", key);
        aws_puts(&x->out, o == NULL
                 ? "<Code>NoSuchKey</Code><Message>The specified key does "
                   "not exist.</Message></Error>"
                 : "<Code>PreconditionFailed</Code><Message>At least one of "
                   "the pre-conditions you specified did not hold</Message>"
                   "</Error>");
        return;
    }
    (void)aws_unstore(x->model, b, key);
    if (quiet) return;
    aws_puts(&x->out, "<Deleted>");
    aws_put_xml_tag(&x->out, "Key", key);
    aws_puts(&x->out, "</Deleted>");
}

void aws_remove_objects(struct aws_exchange *x, struct aws_bucket *b)
{
    struct aws_text body = aws_view(&x->body), name, list, item, value;
    struct aws_text unused;
    if (!aws_header_of(x, "content-md5", &unused) &&
        !aws_header_of(x, "x-amz-checksum-crc32", &unused) &&
        !aws_header_of(x, "x-amz-checksum-crc64nvme", &unused)) {
        aws_fail(x, 400, "InvalidRequest", "Missing required header for this "
                 "request: Content-MD5 OR x-amz-checksum-*");
        return;
    }
    if (!aws_xml_valid(body) || !aws_xml_find(body, "Delete", &list)) {
        aws_fail(x, 400, "MalformedXML", "The XML you provided was not "
                 "well-formed");
        return;
    }
    if (count_objects(list) == 0 || count_objects(list) > DELETE_MOST) {
        aws_fail(x, 400, "MalformedXML", "The XML you provided was not "
                 "well-formed or did not validate against our published "
                 "schema");
        return;
    }
    bool quiet = aws_xml_find(list, "Quiet", &value) &&
                 aws_is(value, "true");
    aws_begin_xml(x, "DeleteResult");
    while (aws_xml_next(&list, &name, &item))
        if (aws_is(name, "Object"))
            remove_one(x, b, item, quiet);
    aws_puts(&x->out, "</DeleteResult>");
}

/* What a restore asks for; anything else fails the exchange. */
static bool read_restore(struct aws_exchange *x, int64_t *days,
                         struct aws_text *tier)
{
    struct aws_text body = aws_view(&x->body), request, value, job;
    *tier = aws_str("Standard");
    bool good = aws_xml_valid(body) &&
                aws_xml_find(body, "RestoreRequest", &request) &&
                aws_xml_find(request, "Days", &value) &&
                aws_int(value, days) && *days >= 1;
    if (good && aws_xml_find(request, "GlacierJobParameters", &job))
        good = aws_xml_find(job, "Tier", tier) &&
               (aws_is(*tier, "Standard") || aws_is(*tier, "Bulk") ||
                aws_is(*tier, "Expedited"));
    if (!good)
        aws_fail(x, 400, "MalformedXML", "The XML you provided was not "
                 "well-formed or did not validate against our published "
                 "schema");
    return good;
}

/* S3 rounds up to the next midnight, UTC. */
static int64_t restored_until(int64_t from, int64_t days)
{
    return (from / 86400000 + days + (from % 86400000 != 0)) * 86400000;
}

void aws_restore_object(struct aws_exchange *x, struct aws_bucket *b,
                        int64_t now)
{
    struct aws_object *o = aws_find_object(b, x->key);
    struct aws_text tier;
    int64_t days = 0;
    if (!aws_read_allowed(x, o) || !read_restore(x, &days, &tier)) return;
    bool deep = strcmp(o->attributes.class, "DEEP_ARCHIVE") == 0;
    if (!deep && strcmp(o->attributes.class, "GLACIER") != 0) {
        aws_fail(x, 403, "InvalidObjectState", "Restore is not allowed for "
                 "the object's current storage class");
    } else if (deep && aws_is(tier, "Expedited")) {
        aws_fail(x, 400, "InvalidArgument", "Retrieval option is not "
                 "supported by this storage class");
    } else if (o->restored_until != 0 && now < o->restored_at) {
        aws_fail(x, 409, "RestoreAlreadyInProgress",
                 "Object restore is already in progress");
    } else {
        bool here = o->restored_until > now;
        if (!here) o->restored_at = now +
                                    x->model->setting[AWS_SET_RESTORE_TIME];
        o->restored_until = restored_until(here ? now : o->restored_at, days);
        x->reply.status = here ? 200 : 202;
    }
}
