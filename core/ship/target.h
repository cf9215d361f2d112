/* target.h - which object to write, under which headers and condition.
 *
 * The caller fills it and keeps it, and what its views point to, until the
 * upload is done. Sources: S3 API reference, PutObject, CreateMultipartUpload,
 * CompleteMultipartUpload; user guide, "Conditional writes". */
#ifndef FIRN_SHIP_TARGET_H
#define FIRN_SHIP_TARGET_H

#include "call/call.h"

enum { TARGET_STANDARD_BYTES = 128 * 1024 };  /* below: always STANDARD */

struct target {
    struct view bucket, key;
    struct view content_type;
    struct view storage_class;        /* empty: STANDARD */
    struct view sse, sse_kms_key_id;  /* empty: what the bucket does */
    bool        checksum;   /* CRC64NVME goes along, and is asked for again */
    enum target_condition {
        TARGET_ANYHOW,
        TARGET_ABSENT,      /* If-None-Match: * */
        TARGET_MATCHES,     /* If-Match: `etag` */
    } condition;
    struct view etag;       /* with its quotes, as S3 gave it */
};

enum target_match {
    TARGET_SAME,   /* size agrees, and the checksum where there is one */
    TARGET_OTHER,
    TARGET_NONE,   /* no object under that key */
};

/* What to send: bytes in slices, with their CRC-64/NVME. */
struct body {
    const struct view *slices;
    uint32_t           count;
    uint64_t           bytes;
    uint64_t           crc;
};

/* Bytes of an object that S3 holds, [from, to). */
struct copy_source {
    struct view bucket, key;
    struct view etag;      /* with its quotes: it must still be this one */
    uint64_t    from, to;
    bool        whole;     /* they are all of it: no range is asked for, which
                              S3 knows for objects of more than 5 MB only */
};

/* The Content-Type of what an archive's ending promises: "ndjson.gz" is
 * application/gzip. */
const char *target_content_type(struct view ext);

/* Headers of PutObject and CreateMultipartUpload for an object of at least so
 * many bytes: type, storage class, encryption. */
void target_describe(const struct target *t, struct call *c, uint64_t bytes);
/* The condition's header: PutObject and CompleteMultipartUpload. */
void target_condition(const struct target *t, struct call *c);
/* x-amz-checksum-crc64nvme, if checksums are wanted. */
void target_checksum(const struct target *t, struct call *c, uint64_t crc);
/* Whether a reply's checksum is another than this; none agrees with all. */
bool target_differs(const struct http_reply *reply, uint64_t crc);

/* HeadObject, and what its reply says of an object of ours. The CRC is NULL
 * if it is not known. */
void target_head(const struct target *t, struct call *c);
enum target_match target_compare(const struct http_reply *reply,
                                 uint64_t bytes, const uint64_t *crc);

#endif
