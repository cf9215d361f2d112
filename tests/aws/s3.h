/* s3.h - buckets, objects and unfinished uploads, as the model keeps them.
 *
 * Bytes live in blobs that parts, objects and replies share. Of a versioned
 * bucket only the newest versions are kept. */
#ifndef AWS_S3_H
#define AWS_S3_H

#include "model.h"
#include "parse.h"

struct aws_attributes {          /* given when an object is begun */
    char *headers;               /* lines that GET and HEAD give back */
    char *class;                 /* storage class */
    char *algorithm;             /* lower case: crc64nvme, crc32...; or NULL */
    char *checksum_type;         /* FULL_OBJECT or COMPOSITE */
};

struct aws_content {             /* some bytes, and what is known of them */
    struct aws_segment *segment;
    size_t   segment_count;
    uint64_t size, crc64;
    uint8_t  md5[16];
    bool     kept;
};

struct aws_object {
    struct aws_text key;
    struct aws_attributes attributes;
    struct aws_content    content;
    char     etag[48];           /* without quotes */
    char     checksum[64];       /* base64, by attributes.algorithm */
    int64_t  modified;
    uint64_t version;
    int64_t  restored_at, restored_until;  /* 0: not asked for */
};

struct aws_part {
    int64_t  number, modified;
    char     etag[48];
    char    *checksum;           /* base64; NULL: none was sent */
    struct aws_content content;
};

struct aws_upload {
    char     id[33];
    struct aws_text key;
    struct aws_attributes attributes;
    int64_t  initiated;
    uint64_t started;            /* the model's count of changes */
    struct aws_part *part;       /* by number */
    size_t   part_count;
};

struct aws_finished {            /* an upload that was completed */
    char id[33];
    struct aws_text key;
    char etag[48];
};

struct aws_tomb {                /* a key that was deleted */
    struct aws_text key;
    uint64_t change;
};

struct aws_bucket {
    char *name, *region, *owner;
    char *policy;                /* JSON; NULL: none */
    bool  versioned;
    bool  locked;                /* objects are retained: needs checksums */
    struct aws_object **object;  /* by key */
    size_t object_count;
    struct aws_upload **upload;  /* oldest first */
    size_t upload_count;
    struct aws_finished *finished;
    size_t finished_count;
    struct aws_tomb *tomb;
    size_t tomb_count;
};

/* --- s3.c --------------------------------------------------------------- */
struct aws_bucket *aws_find_bucket(struct aws *m, struct aws_text name);
void aws_put_xml_tag(struct aws_buf *out, const char *tag,
                     struct aws_text value);
void aws_begin_xml(struct aws_exchange *x, const char *root);

/* --- store.c ------------------------------------------------------------ */
struct aws_object *aws_find_object(const struct aws_bucket *b,
                                   struct aws_text key);
/* Takes over attributes and content; the key is copied. */
struct aws_object *aws_store(struct aws *m, struct aws_bucket *b,
                             const struct aws_object *made);
/* An object of AWS's own making, with these bytes. */
void aws_store_bytes(struct aws *m, struct aws_bucket *b, const char *key,
                     struct aws_text bytes, int64_t now);
bool aws_unstore(struct aws *m, struct aws_bucket *b, struct aws_text key);
void aws_free_object(struct aws_object *o);
void aws_free_content(struct aws_content *c);
void aws_free_attributes(struct aws_attributes *a);
/* The body of the exchange becomes a content. */
struct aws_content aws_take_content(struct aws_exchange *x);
/* Appends `more` to `to`, sharing its bytes. */
void aws_join_content(struct aws_content *to, const struct aws_content *more);
/* A range of the content, sharing its bytes; its digests are computed. Of one
 * whose bytes are not kept, all of it. */
struct aws_content aws_slice_content(const struct aws_content *c,
                                     uint64_t from, uint64_t len);
/* Hex of the MD5; something opaque where the setting says so. */
void aws_etag_of(const struct aws *m, const struct aws_content *c,
                 char etag[48]);
void aws_base64_of(uint64_t value, size_t bytes, char to[16]);

/* --- conditions.c: each fails the exchange and returns false ------------ */
bool aws_write_allowed(struct aws_exchange *x, struct aws_bucket *b,
                       const struct aws_upload *upload);
bool aws_read_allowed(struct aws_exchange *x, const struct aws_object *o);
bool aws_etag_is(const struct aws_object *o, struct aws_text value);
bool aws_body_summed(struct aws_exchange *x, const struct aws_bucket *b);
bool aws_copy_allowed(struct aws_exchange *x, const struct aws_object *o);
bool aws_read_attributes(struct aws_exchange *x, struct aws_attributes *a);
bool aws_is_archived(const struct aws *m, const struct aws_object *o,
                     int64_t now);

/* --- object.c, multipart.c, copy.c, list.c ------------------------------ */
void aws_put_object(struct aws_exchange *x, struct aws_bucket *b,
                    int64_t now);
void aws_get_object(struct aws_exchange *x, struct aws_bucket *b,
                    int64_t now);
void aws_remove_object(struct aws_exchange *x, struct aws_bucket *b);
void aws_remove_objects(struct aws_exchange *x, struct aws_bucket *b);
void aws_restore_object(struct aws_exchange *x, struct aws_bucket *b,
                        int64_t now);
void aws_create_upload(struct aws_exchange *x, struct aws_bucket *b,
                       int64_t now);
void aws_upload_part(struct aws_exchange *x, struct aws_bucket *b,
                     int64_t now);
void aws_complete_upload(struct aws_exchange *x, struct aws_bucket *b,
                         int64_t now);
void aws_abort_upload(struct aws_exchange *x, struct aws_bucket *b);
struct aws_upload *aws_find_upload(struct aws_exchange *x,
                                   struct aws_bucket *b);
/* Replaces a part of that number; takes the content over. */
struct aws_part *aws_add_part(struct aws *m, struct aws_upload *u,
                              int64_t number, struct aws_content content);
void aws_free_upload(struct aws_upload *u);
void aws_copy_object(struct aws_exchange *x, struct aws_bucket *b,
                     int64_t now);
void aws_copy_part(struct aws_exchange *x, struct aws_bucket *b,
                   int64_t now);
void aws_list_parts(struct aws_exchange *x, struct aws_bucket *b);
void aws_list_uploads(struct aws_exchange *x, struct aws_bucket *b);
void aws_list_objects(struct aws_exchange *x, struct aws_bucket *b);
bool aws_part_number(struct aws_exchange *x, int64_t *number);

#endif
