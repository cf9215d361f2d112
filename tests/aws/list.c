/* list.c - ListObjectsV2, ListParts, ListMultipartUploads. */
#include "s3.h"

#include <string.h>

struct listing {
    struct aws_text prefix, delimiter, after;
    int64_t max, count;
    bool    as_url;
};

static bool read_listing(struct aws_exchange *x, struct listing *l,
                         const char *max_name)
{
    struct aws_text value;
    *l = (struct listing){.max = 1000};
    (void)aws_query_of(x, "prefix", &l->prefix);
    (void)aws_query_of(x, "delimiter", &l->delimiter);
    l->as_url = aws_query_of(x, "encoding-type", &value);
    if (l->as_url && !aws_is(value, "url")) {
        aws_fail(x, 400, "InvalidArgument", "Invalid Encoding Method");
        return false;
    }
    if (aws_query_of(x, max_name, &value) &&
        (!aws_int(value, &l->max) || l->max < 0)) {
        aws_fail(x, 400, "InvalidArgument", "Argument is not an integer");
        return false;
    }
    int64_t most = x->model->setting[AWS_SET_LIST_ENTRIES];
    if (l->max > most) l->max = most;
    return true;
}

static void put_name(struct aws_exchange *x, const struct listing *l,
                     const char *tag, struct aws_text value)
{
    aws_printf(&x->out, "<%s>", tag);
    if (l->as_url) aws_put_percent(&x->out, value, true);
    else aws_put_xml(&x->out, value);
    aws_printf(&x->out, "</%s>", tag);
}

static void put_int(struct aws_exchange *x, const char *tag, int64_t value)
{
    aws_printf(&x->out, "<%s>%lld</%s>", tag, (long long)value, tag);
}

static void put_time(struct aws_exchange *x, const char *tag, int64_t ms)
{
    aws_printf(&x->out, "<%s>", tag);
    aws_put_iso(&x->out, ms);
    aws_printf(&x->out, "</%s>", tag);
}

/* The common prefix of a key, up to and with the delimiter; or empty. */
static struct aws_text common(const struct listing *l, struct aws_text key)
{
    size_t d = l->delimiter.len;
    for (size_t i = l->prefix.len; d > 0 && i + d <= key.len; i++)
        if (memcmp(key.at + i, l->delimiter.at, d) == 0)
            return (struct aws_text){key.at, i + d};
    return (struct aws_text){NULL, 0};
}

static bool starts(struct aws_text key, struct aws_text prefix)
{
    return key.len >= prefix.len &&
           aws_same((struct aws_text){key.at, prefix.len}, prefix);
}

/* True when the key, or all that shares the given prefix, was listed. */
static bool passed(struct aws_text key, struct aws_text after)
{
    if (after.len == 0) return false;
    return aws_order(key, after) <= 0;
}

static void put_object(struct aws_exchange *x, const struct listing *l,
                       const struct aws_object *o)
{
    aws_puts(&x->out, "<Contents>");
    put_name(x, l, "Key", o->key);
    put_time(x, "LastModified", o->modified);
    aws_printf(&x->out, "<ETag>&quot;%s&quot;</ETag><Size>%llu</Size>"
               "<StorageClass>%s</StorageClass></Contents>", o->etag,
               (unsigned long long)o->content.size, o->attributes.class);
}

static void put_groups(struct aws_exchange *x, const struct listing *l,
                       const struct aws_bucket *b, struct aws_text *next)
{
    struct aws_text last = {NULL, 0};
    int64_t count = 0;
    *next = last;
    for (size_t i = 0; i < b->object_count; i++) {
        const struct aws_object *o = b->object[i];
        if (!starts(o->key, l->prefix)) continue;
        struct aws_text group = common(l, o->key);
        struct aws_text name = group.len > 0 ? group : o->key;
        if (passed(name, l->after) || (last.len > 0 && aws_same(name, last)))
            continue;
        if (count == l->max) {
            *next = last;
            break;
        }
        count++;
        last = name;
        if (group.len == 0) {
            put_object(x, l, o);
            continue;
        }
        aws_puts(&x->out, "<CommonPrefixes>");
        put_name(x, l, "Prefix", group);
        aws_puts(&x->out, "</CommonPrefixes>");
    }
    put_int(x, "KeyCount", count);
}

void aws_list_objects(struct aws_exchange *x, struct aws_bucket *b)
{
    struct listing l;
    struct aws_text type, token, next;
    struct aws_buf hex = {0};
    (void)aws_query_of(x, "list-type", &type);
    if (!read_listing(x, &l, "max-keys")) return;
    (void)aws_query_of(x, "start-after", &l.after);
    bool has_token = aws_query_of(x, "continuation-token", &token);
    if (!aws_is(type, "2") || (has_token && !aws_unhex(token, &hex))) {
        aws_fail(x, 400, "InvalidArgument",
                 "The continuation token provided is incorrect");
        aws_free_buf(&hex);
        return;
    }
    if (has_token) l.after = aws_view(&hex);
    aws_begin_xml(x, "ListBucketResult");
    aws_put_xml_tag(&x->out, "Name", x->bucket);
    put_name(x, &l, "Prefix", l.prefix);
    if (l.delimiter.len > 0) put_name(x, &l, "Delimiter", l.delimiter);
    put_int(x, "MaxKeys", l.max);
    if (l.as_url) aws_puts(&x->out, "<EncodingType>url</EncodingType>");
    put_groups(x, &l, b, &next);
    aws_puts(&x->out, next.len > 0 ? "<IsTruncated>true</IsTruncated>"
                                   : "<IsTruncated>false</IsTruncated>");
    if (next.len > 0) {
        aws_puts(&x->out, "<NextContinuationToken>");
        aws_put_hex(&x->out, next.at, next.len);
        aws_puts(&x->out, "</NextContinuationToken>");
    }
    aws_puts(&x->out, "</ListBucketResult>");
    aws_free_buf(&hex);
}

static void put_part(struct aws_exchange *x, const struct aws_upload *u,
                     const struct aws_part *p)
{
    aws_puts(&x->out, "<Part>");
    put_int(x, "PartNumber", p->number);
    put_time(x, "LastModified", p->modified);
    aws_printf(&x->out, "<ETag>&quot;%s&quot;</ETag>", p->etag);
    put_int(x, "Size", (int64_t)p->content.size);
    if (x->model->setting[AWS_SET_RETURN_SUMS]) {
        char sum[16];
        aws_base64_of(p->content.crc64, 8, sum);
        const char *name = u->attributes.algorithm;
        if (name == NULL || strcmp(name, "crc64nvme") == 0)
            aws_printf(&x->out, "<ChecksumCRC64NVME>%s</ChecksumCRC64NVME>",
                       sum);
    }
    aws_puts(&x->out, "</Part>");
}

void aws_list_parts(struct aws_exchange *x, struct aws_bucket *b)
{
    struct listing l;
    const struct aws_upload *u = aws_find_upload(x, b);
    int64_t marker = 0, last = 0;
    if (u == NULL || !read_listing(x, &l, "max-parts")) return;
    (void)aws_query_int(x, "part-number-marker", &marker);
    aws_begin_xml(x, "ListPartsResult");
    aws_put_xml_tag(&x->out, "Bucket", x->bucket);
    aws_put_xml_tag(&x->out, "Key", x->key);
    aws_put_xml_tag(&x->out, "UploadId", aws_str(u->id));
    put_int(x, "PartNumberMarker", marker);
    put_int(x, "MaxParts", l.max);
    size_t i = 0;
    while (i < u->part_count && u->part[i].number <= marker) i++;
    for (; i < u->part_count && l.count < l.max; i++, l.count++) {
        put_part(x, u, &u->part[i]);
        last = u->part[i].number;
    }
    put_int(x, "NextPartNumberMarker", last);
    aws_puts(&x->out, i < u->part_count ? "<IsTruncated>true</IsTruncated>"
                                        : "<IsTruncated>false</IsTruncated>");
    aws_put_xml_tag(&x->out, "StorageClass", aws_str(u->attributes.class));
    aws_puts(&x->out, "</ListPartsResult>");
}

/* Uploads by key, then by start: the first one after (key, id). */
static const struct aws_upload *next_upload(const struct aws_bucket *b,
                                            const struct listing *l,
                                            const struct aws_upload *last)
{
    const struct aws_upload *best = NULL;
    for (size_t i = 0; i < b->upload_count; i++) {
        const struct aws_upload *u = b->upload[i];
        if (!starts(u->key, l->prefix)) continue;
        if (last == NULL && l->after.len > 0 &&
            aws_order(u->key, l->after) <= 0)
            continue;
        if (last != NULL) {
            int order = aws_order(u->key, last->key);
            if (order < 0 || (order == 0 && u->started <= last->started))
                continue;
        }
        int order = best != NULL ? aws_order(u->key, best->key) : -1;
        if (order < 0 || (order == 0 && u->started < best->started)) best = u;
    }
    return best;
}

static void put_upload(struct aws_exchange *x, const struct listing *l,
                       const struct aws_upload *u)
{
    aws_puts(&x->out, "<Upload>");
    put_name(x, l, "Key", u->key);
    aws_put_xml_tag(&x->out, "UploadId", aws_str(u->id));
    put_time(x, "Initiated", u->initiated);
    aws_put_xml_tag(&x->out, "StorageClass", aws_str(u->attributes.class));
    aws_puts(&x->out, "</Upload>");
}

void aws_list_uploads(struct aws_exchange *x, struct aws_bucket *b)
{
    struct listing l;
    struct aws_text id;
    const struct aws_upload *last = NULL, *u;
    if (!read_listing(x, &l, "max-uploads")) return;
    (void)aws_query_of(x, "key-marker", &l.after);
    if (aws_query_of(x, "upload-id-marker", &id))
        for (size_t i = 0; i < b->upload_count; i++)
            if (aws_is(id, b->upload[i]->id)) last = b->upload[i];
    aws_begin_xml(x, "ListMultipartUploadsResult");
    aws_put_xml_tag(&x->out, "Bucket", x->bucket);
    put_name(x, &l, "KeyMarker", l.after);
    put_name(x, &l, "Prefix", l.prefix);
    put_int(x, "MaxUploads", l.max);
    while ((u = next_upload(b, &l, last)) != NULL && l.count < l.max) {
        put_upload(x, &l, u);
        last = u;
        l.count++;
    }
    if (u != NULL && last != NULL) {
        put_name(x, &l, "NextKeyMarker", last->key);
        aws_put_xml_tag(&x->out, "NextUploadIdMarker", aws_str(last->id));
    }
    aws_puts(&x->out, u != NULL ? "<IsTruncated>true</IsTruncated>"
                                : "<IsTruncated>false</IsTruncated>");
    aws_puts(&x->out, "</ListMultipartUploadsResult>");
}
