/* model.h - what the files of the tests' AWS share; not for its users. */
#ifndef AWS_MODEL_H
#define AWS_MODEL_H

#include "aws.h"
#include "digest.h"
#include "settings.h"

/* Operations and their services. An Unknown one stands for all others. */
#define AWS_OPERATIONS(X) \
    X(DescribeLogGroups, LOGS) X(DescribeLogStreams, LOGS) \
    X(FilterLogEvents, LOGS) \
    X(CreateExportTask, LOGS) X(DescribeExportTasks, LOGS) \
    X(CancelExportTask, LOGS) X(PutRetentionPolicy, LOGS) \
    X(DeleteRetentionPolicy, LOGS) X(CreateLogGroup, LOGS) \
    X(DeleteLogGroup, LOGS) X(CreateLogStream, LOGS) \
    X(DeleteLogStream, LOGS) X(PutLogEvents, LOGS) \
    X(UnknownLogs, LOGS) \
    X(PutObject, S3) X(GetObject, S3) X(HeadObject, S3) X(CopyObject, S3) \
    X(DeleteObject, S3) X(DeleteObjects, S3) X(RestoreObject, S3) \
    X(CreateMultipartUpload, S3) X(UploadPart, S3) X(UploadPartCopy, S3) \
    X(CompleteMultipartUpload, S3) X(AbortMultipartUpload, S3) \
    X(ListParts, S3) X(ListMultipartUploads, S3) X(ListObjectsV2, S3) \
    X(HeadBucket, S3) X(CreateBucket, S3) X(GetBucketLocation, S3) \
    X(GetBucketVersioning, S3) X(PutBucketVersioning, S3) \
    X(GetBucketLifecycle, S3) X(GetBucketPolicy, S3) \
    X(PutBucketPolicy, S3) X(DeleteBucketPolicy, S3) \
    X(ListBuckets, S3) X(UnknownS3, S3) \
    X(AssumeRole, STS) X(AssumeRoleWithWebIdentity, STS) \
    X(GetCallerIdentity, STS) X(UnknownSts, STS) \
    X(MetadataToken, META) X(MetadataRole, META) \
    X(MetadataCredentials, META) X(MetadataRegion, META) \
    X(ContainerCredentials, META) X(UnknownMeta, META) \
    X(Control, CONTROL)

#define AWS_OPERATION_ID(name, service) AWS_OP_##name,
enum aws_op { AWS_OPERATIONS(AWS_OPERATION_ID) AWS_OP_COUNT };
#undef AWS_OPERATION_ID

enum aws_service {
    AWS_SERVICE_LOGS, AWS_SERVICE_S3, AWS_SERVICE_STS, AWS_SERVICE_META,
    AWS_SERVICE_CONTROL,
};
extern const char *const aws_op_name[AWS_OP_COUNT];
extern const enum aws_service aws_op_service[AWS_OP_COUNT];
bool aws_op_of(struct aws_text name, enum aws_op *op);

struct aws_rng { uint64_t state; };
uint64_t aws_random(struct aws_rng *r);
bool aws_chance(struct aws_rng *r, int64_t permille);

struct aws_key {
    char   *id, *secret, *token;  /* token NULL: none */
    int64_t expires;              /* 0: never */
};

struct aws_bucket_rate {          /* a token bucket */
    int64_t per_second, burst;    /* 0: unlimited */
    int64_t millis;               /* thousandths of a request in hand */
    int64_t filled_at;
};

struct aws_group;
struct aws_bucket;
struct aws_faults;
struct aws_export;

struct aws {
    uint64_t       seed;
    struct aws_rng rng;
    char          *region, *account;
    int64_t        setting[AWS_SET_COUNT];

    struct aws_key *keys;
    size_t          key_count;

    struct aws_bucket_rate rate[AWS_OP_COUNT];
    int64_t                latency[AWS_OP_COUNT];  /* -1: the setting */
    struct aws_count       count[AWS_OP_COUNT];
    uint64_t               bytes_in, bytes_out, request_count;
    struct aws_faults     *faults;

    struct aws_group **groups;    /* by name */
    size_t             group_count;
    uint64_t           generations, puts;
    struct aws_export **exports;  /* oldest first */
    size_t             export_count;

    struct aws_bucket **buckets;  /* by name */
    size_t              bucket_count;
    uint64_t            changes;  /* counts writes to S3 */

    struct aws_buf spare;         /* of a closed exchange, for the next */
    struct aws_buf metadata_token;
    int64_t        metadata_token_ends;
};

/* Bytes stored once, shared by parts, objects and replies. */
struct aws_blob {
    uint64_t uses, size;
    char    *bytes;               /* NULL: discarded */
};
struct aws_blob *aws_blob_use(struct aws_blob *b);
void             aws_blob_drop(struct aws_blob *b);

struct aws_segment { struct aws_blob *blob; uint64_t from, len; };

/* What a fault does to one exchange; see fault.h. */
struct aws_effect {
    bool        set, before, after, in_200, html, dup, same_token, circle;
    bool        repeat, empty, no_body, disorder;
    int         status;           /* 0: no error */
    char       *code;             /* of the error */
    char       *message;
    char       *add, *drop;       /* headers */
    char       *xml;              /* inside S3's <Error> */
    int64_t     delay;            /* INT64_MAX: for ever */
    int64_t     retry_after;      /* seconds; -1: none */
    int64_t     flip;             /* byte of the request that changes; -1 */
    int64_t     block_at, break_at;  /* bytes of the request; -1: never */
    enum aws_end end;
    int64_t     end_at;
    uint64_t    bytes_per_second;
};

/* A body in aws-chunked form, as SDKs send it with a trailing checksum. */
struct aws_chunks {
    bool     on, ended, broken;
    int      state;
    uint64_t left;                /* bytes of the chunk in hand */
    struct aws_buf line;
};

struct aws_held {                 /* bytes that live as long as the exchange */
    struct aws_held *next;
    char             at[];
};

struct aws_exchange {
    struct aws  *model;
    struct aws_held *held;
    struct aws_text method, path, query;
    struct aws_header *header;
    size_t       header_count, sent_headers;  /* the rest: of a trailer */
    bool         tls;
    enum aws_op  op;
    struct aws_text bucket, key;  /* decoded; of S3 */
    struct aws_text host_region;  /* empty where the host names none */
    uint64_t     serial;
    int64_t      opened_at;
    struct aws_effect effect;
    bool         throttled, refused, failed, body_unwanted;

    int64_t      announced;       /* Content-Length, -1 without */
    uint64_t     received, size;  /* bytes on the wire, and of the body */
    struct aws_chunks chunks;
    struct aws_buf body;          /* as received, unless discarded */
    bool         keep_body, hash_sha, hash_md5;
    struct aws_sha256 sha;
    struct aws_md5    md5;
    uint8_t      sha_sum[32], md5_sum[16];  /* known from aws_finish() on */
    uint64_t     crc64;

    struct aws_reply reply;
    struct aws_buf headers, out, text;  /* text: scratch of the handlers */
    const char  *type;            /* Content-Type */
    struct aws_segment *segment;  /* body from S3 instead of `out` */
    size_t       segment_count;
    uint64_t     read_at;
    bool         no_body;         /* HEAD, 204, 304 */
};

/* --- request.c ---------------------------------------------------------- */
bool aws_header_of(const struct aws_exchange *x, const char *name,
                   struct aws_text *value);
/* A decoded query parameter, or form field; *value lives in x->held. */
bool aws_query_of(struct aws_exchange *x, const char *name,
                  struct aws_text *value);
bool aws_query_int(struct aws_exchange *x, const char *name, int64_t *value);
/* The next name and value of a query or form, decoded into x->held. */
bool aws_query_next(struct aws_exchange *x, struct aws_text *rest,
                    struct aws_text *name, struct aws_text *value);
struct aws_text aws_hold(struct aws_exchange *x, struct aws_text t);
int64_t aws_server_now(const struct aws *m, int64_t now);

/* --- chunks.c: takes the framing off; the data goes to aws_take_body() -- */
void aws_take_chunks(struct aws_exchange *x, const char *at, size_t len);
void aws_take_body(struct aws_exchange *x, const void *at, size_t len);

/* --- reply.c ------------------------------------------------------------ */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void aws_reply_header(struct aws_exchange *x, const char *name,
                      const char *format, ...);
/* The error in the form of the service. Extra: XML inside <Error>. */
void aws_fail(struct aws_exchange *x, int status, const char *code,
              const char *message);
void aws_fail_with(struct aws_exchange *x, int status, const char *code,
                   const char *message, const char *extra);
void aws_clear_reply(struct aws_exchange *x);
void aws_end_reply(struct aws_exchange *x, int64_t now);
void aws_put_request_id(const struct aws_exchange *x, struct aws_buf *out);

/* --- the services ------------------------------------------------------- */
void aws_route(struct aws_exchange *x);
void aws_route_sts(struct aws_exchange *x);  /* by the body */
/* Both fail the exchange and return false. */
bool aws_check_signature(struct aws_exchange *x, int64_t now);
bool aws_check_payload(struct aws_exchange *x);
void aws_serve_logs(struct aws_exchange *x, int64_t now);
void aws_serve_s3(struct aws_exchange *x, int64_t now);
void aws_serve_sts(struct aws_exchange *x, int64_t now);
void aws_serve_meta(struct aws_exchange *x, int64_t now);
void aws_serve_control(struct aws_exchange *x, int64_t now);
/* A temporary key; the JSON or XML that tells of it is the caller's. */
const struct aws_key *aws_issue_key(struct aws *m, int64_t expires);
void aws_settle_exports(struct aws *m, int64_t now);
void aws_free_groups(struct aws *m);
void aws_free_buckets(struct aws *m);

/* --- fault.c, throttle.c ------------------------------------------------ */
struct aws_effect aws_no_effect(void);
void aws_pick_effect(struct aws_exchange *x, int64_t now);
void aws_free_faults(struct aws *m);
bool aws_admit(struct aws *m, enum aws_op op, int64_t now);

/* --- token.c: opaque, bound, signed and mortal -------------------------- */
void aws_put_token(struct aws *m, struct aws_buf *out, uint64_t bound,
                   struct aws_text payload, int64_t now);
/* False for a token of another request, a forged or an old one. */
bool aws_read_token(struct aws *m, struct aws_text token, uint64_t bound,
                    int64_t now, struct aws_buf *payload);

#endif
