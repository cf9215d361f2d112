/* sigv4.h - AWS Signature Version 4, in the Authorization header.
 *
 * Source: IAM User Guide, "Create a signed AWS API request"; S3 API
 * Reference, "Authenticating Requests: Using the Authorization Header".
 *
 * Headers are kept canonical from the start: sigv4_header() keeps the lines
 * "name:value\n" in the order they are signed in, so that what is signed is
 * what is sent, and no second copy is made. */
#ifndef FIRN_CALL_SIGV4_H
#define FIRN_CALL_SIGV4_H

#include "base/date.h"
#include "call/digest.h"
#include "call/endpoint.h"
#include "call/keys.h"

#define SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"
enum { SIGV4_HASH_BYTES = 2 * SHA256_BYTES + 1 };

/* A derived key, kept as long as what it was derived from is the same. */
struct sigv4_key {
    uint8_t  key[SHA256_BYTES];
    uint32_t serial;             /* of the keys; 0: none yet */
    char     date[9];            /* "20150830" */
    char     region[REGION_BYTES];
    char     service[16];
};

struct sigv4_request {
    const char *method;
    struct view path;      /* canonical: see sigv4_path() */
    struct view query;     /* encoded and sorted */
    struct view host;      /* as it will be sent */
    const char *payload;   /* hash in hexadecimal, or SIGV4_UNSIGNED */
    const char *service;   /* "logs", "s3", "sts" */
    const char *region;
    int64_t     instant_ms;  /* by AWS's clock */
};

/* Puts a header among the others, in order; the value is trimmed and its
 * runs of blanks become one. False: it does not fit, is there already, or
 * has a byte that no header may have. */
bool sigv4_header(struct text *headers, const char *name, struct view value);
/* The canonical path of services other than S3: dot segments and double
 * slashes go, each segment is encoded once more. `path` is as sent. */
bool sigv4_path(struct text *out, struct view path);
/* One name and value, raw, into a query kept encoded and sorted. */
bool sigv4_query(struct text *query, struct view name, struct view value);
/* SHA-256 in hexadecimal. */
void sigv4_hash(const struct view *slices, uint32_t count,
                char out[SIGV4_HASH_BYTES]);
/* Derives, unless `cache` has it. */
const uint8_t *sigv4_derive(struct sigv4_key *cache, const struct keys *keys,
                            const struct sigv4_request *r);
/* HMAC-SHA-256 (RFC 2104) of a few slices. */
void sigv4_hmac(struct view key, const struct view *slices, uint32_t count,
                uint8_t out[SHA256_BYTES]);
/* Adds x-amz-date and, with a session token, x-amz-security-token, then the
 * authorization line at the end. False: no room. */
bool sigv4_sign(struct text *headers, const struct sigv4_request *r,
                const struct keys *keys, struct sigv4_key *cache);

#endif
