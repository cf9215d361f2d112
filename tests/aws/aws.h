/* aws.h - the tests' AWS: CloudWatch Logs, S3, STS and the two credential
 * endpoints, as one deterministic model in memory.
 *
 * No system call, thread or clock: the time is an argument (milliseconds
 * since 1970), chance comes from a seed. The same calls in the same order
 * give the same bytes. The simulation uses it behind the transport seam, the
 * loopback server behind HTTP. The model allocates and never runs out; bad
 * use traps.
 *
 * Rules are those of AWS's service models and documents. Where these are
 * silent the model is strict, and a setting relaxes it. */
#ifndef AWS_H
#define AWS_H

#include "text.h"

struct aws;  /* the model */

struct aws_header {
    struct aws_text name, value;
};

struct aws_request {
    struct aws_text          method;
    struct aws_text          path;   /* as on the wire, percent-encoded */
    struct aws_text          query;  /* after the '?', as on the wire */
    const struct aws_header *headers;
    size_t                   header_count;
    bool                     tls;
};

enum aws_end {
    AWS_END_CLEAN,   /* the whole body arrives */
    AWS_END_BEFORE,  /* the connection is reset before any byte of reply */
    AWS_END_CUT,     /* the connection closes after end_at body bytes */
    AWS_END_STALL,   /* silence after end_at body bytes, for ever */
};

struct aws_reply {
    int         status;
    const char *headers;   /* "Name: value\r\n" each; no Content-Length */
    uint64_t    length;    /* body bytes, also those a HEAD only announces */
    bool        chunked;   /* no Content-Length: the end is the end */
    int64_t     ready_at;  /* ms: no byte before this; INT64_MAX: never */
    enum aws_end end;
    uint64_t    end_at;
    uint64_t    bytes_per_second;  /* 0: as fast as it goes */
};

/* One request in flight, from aws_open() to aws_close(). It copies what it
 * keeps of the request; any number may be open at once. */
struct aws_exchange;
struct aws_exchange *aws_open(struct aws *m, const struct aws_request *r,
                              int64_t now);
/* True when the headers alone decide: the body need not be sent. */
bool aws_refused(const struct aws_exchange *x);
void aws_body(struct aws_exchange *x, const void *at, size_t len);
/* What the server does to the connection while the body comes. */
enum aws_intake {
    AWS_TAKES,               /* goes on reading */
    AWS_BLOCKED,             /* reads no more, for ever */
    AWS_GONE,                /* has reset it: close the exchange */
};
enum aws_intake aws_intake(const struct aws_exchange *x);
/* The request is whole: it takes effect now, and its reply is made. The
 * reply lives until aws_close(). */
const struct aws_reply *aws_finish(struct aws_exchange *x, int64_t now);
/* The next bytes of the body; 0 at its end (or at end_at). */
size_t aws_read(struct aws_exchange *x, void *to, size_t room);
/* The whole body where it lies in one piece, else at NULL. */
struct aws_text aws_whole(const struct aws_exchange *x);
/* At any time: a request closed before aws_finish() has no effect. */
void aws_close(struct aws_exchange *x);

/* --- the model --------------------------------------------------------- */

struct aws *aws_new(uint64_t seed, const char *region, const char *account);
void aws_free(struct aws *m);

/* A setting by name, as in settings.h; `latency:OP` delays one operation
 * alone (-1: as the setting latency); `rate:OP` and `burst:OP` set the
 * throttle of an operation (OP may be *) in requests a second and at once;
 * a rate sets the burst too. False: no such name or value. */
bool aws_set(struct aws *m, const char *name, int64_t value);
int64_t aws_get(const struct aws *m, const char *name);
/* A fault by script, one a line; the grammar stands in fault.h. */
bool aws_fault(struct aws *m, const char *line);
void aws_clear_faults(struct aws *m);

/* A key that may sign. token NULL: none; expires 0: never. */
void aws_add_key(struct aws *m, const char *id, const char *secret,
                 const char *token, int64_t expires);

/* Whether a secret key or a session token stands in the text. */
bool aws_tells(const struct aws *m, struct aws_text t);

/* owner NULL: this account; region NULL: the model's. */
void aws_create_bucket(struct aws *m, const char *name, const char *region,
                       const char *owner);
/* The bucket's policy, JSON; NULL: none. */
void aws_set_policy(struct aws *m, const char *bucket, const char *json);
/* locked: objects are retained, so that a body must bring a checksum. */
void aws_bucket_policy(struct aws *m, const char *name, bool versioned,
                       bool locked);
void aws_create_group(struct aws *m, const char *name, int64_t created);
void aws_delete_group(struct aws *m, const char *name);
/* class: STANDARD or INFREQUENT_ACCESS; days 0: for ever. */
void aws_group_policy(struct aws *m, const char *name, const char *class,
                      int retention_days, bool masked);
void aws_put_event(struct aws *m, const char *group, const char *stream,
                   int64_t timestamp, int64_t ingestion,
                   struct aws_text message);
void aws_delete_stream(struct aws *m, const char *group, const char *stream);

/* Generated events. They follow those generated for the group before. */
struct aws_fill {
    const char *profile;  /* web json noise hostile tiny; see message.h */
    const char *spread;   /* uniform bursts nights instant edges */
    int64_t     from, until;  /* ms, half-open; edges also lie outside */
    uint64_t    bytes;    /* of messages, about; or: */
    uint64_t    events;   /* exactly, when not 0 */
    uint32_t    streams;  /* 0: 20 */
    uint64_t    seed;
    uint32_t    late_permille;  /* that many ingested up to 13 days late */
};
/* The group is created at `from` if it does not exist. */
bool aws_fill_group(struct aws *m, const char *group,
                    const struct aws_fill *fill);

/* --- what a test holds the client's work against ------------------------ */

struct aws_event {
    int64_t         timestamp, ingestion;
    uint64_t        request;  /* order among equals */
    struct aws_text stream, message;  /* decoded; see aws_put_json() */
    char            id[57];
};
/* The group's events with from <= timestamp < until, in CloudWatch's order
 * (timestamp, ingestion, request), as readable at `now` (INT64_MAX: all). */
struct aws_cursor;
struct aws_cursor *aws_events(struct aws *m, const char *group,
                              int64_t from, int64_t until, int64_t now);
bool aws_next_event(struct aws_cursor *c, struct aws_event *event);
void aws_end_events(struct aws_cursor *c);

struct aws_object_info {
    struct aws_text bucket, key, etag, storage_class;
    uint64_t        size, crc64;
    int64_t         modified;
    bool            kept;  /* its bytes can be read */
};
bool aws_object(struct aws *m, const char *bucket, const char *key,
                struct aws_object_info *info);
size_t aws_object_bytes(struct aws *m, const char *bucket, const char *key,
                        uint64_t offset, void *to, size_t room);
/* The index-th object of the bucket in key order. */
bool aws_object_at(struct aws *m, const char *bucket, size_t index,
                   struct aws_object_info *info);
/* An object of someone else's. */
void aws_add_object(struct aws *m, const char *bucket, const char *key,
                    struct aws_text bytes, int64_t now);
bool aws_delete_object(struct aws *m, const char *bucket, const char *key,
                       int64_t now);
size_t aws_open_uploads(struct aws *m, const char *bucket);
/* As a lifecycle rule does with all that are open. */
void aws_expire_uploads(struct aws *m, const char *bucket);
size_t aws_open_parts(struct aws *m, const char *bucket);  /* of all those */

/* How often an operation was asked ("*": all), answered with a throttle,
 * or with another error. */
struct aws_count {
    uint64_t requests, throttled, failed;
};
struct aws_count aws_counted(struct aws *m, const char *operation);
/* JSON: every operation that was asked, bytes in and out, open uploads. */
void aws_stats(struct aws *m, struct aws_buf *out);

#endif
