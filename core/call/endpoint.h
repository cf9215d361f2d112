/* endpoint.h - where a service of AWS is.
 *
 * Hosts follow from region, partition and the FIPS and dual-stack options
 * (AWS's endpoint rule sets; botocore's partitions.json), or from a URL that
 * the user gave. Nothing that came from outside gets into a host name
 * unchecked. */
#ifndef FIRN_CALL_ENDPOINT_H
#define FIRN_CALL_ENDPOINT_H

#include "base/error.h"
#include "base/text.h"

enum site_service { SITE_LOGS, SITE_S3, SITE_STS, SITE_SERVICES };

enum { REGION_BYTES = 32 };

struct endpoint {
    char     scheme[8];        /* "https" or "http"; "": not known yet */
    char     authority[256];   /* host[:port] as it is signed */
    char     base_path[128];   /* "" or "/prefix", of a custom endpoint */
    char     region[REGION_BYTES];  /* signing region */
    bool     custom;           /* given by the user: S3 in path style */
};

struct endpoint_options {
    bool fips, dualstack;
    bool allow_http;   /* plain http to hosts that are not loopback */
};

/* ^[a-z0-9-]+$, shorter than REGION_BYTES. */
bool endpoint_region_ok(struct view region);
/* The suffix of a region's partition, "amazonaws.com". */
const char *endpoint_suffix(const char *region);
/* "aws", "aws-cn", ...: for ARNs. */
const char *endpoint_partition(const char *region);
/* AWS's own endpoint. False: a region no host name can hold. */
bool endpoint_of_region(struct endpoint *e, enum site_service service,
                        struct view region,
                        const struct endpoint_options *options);
/* An endpoint the user gave: http(s)://host[:port][/path]. False: it is not
 * that, has user@, a query or a fragment, or is plain http to elsewhere than
 * loopback without leave; a sentence in `fault`. */
bool endpoint_of_url(struct endpoint *e, struct view url,
                     const struct endpoint_options *options,
                     struct fault *fault);
/* localhost, 127.0.0.0/8, [::1]; the port does not matter. */
bool endpoint_is_loopback(struct view authority);

/* S3: the host of a bucket and the encoded path of a key in it are appended;
 * virtual-hosted where the bucket's name allows it, else in path style. An
 * empty key is the bucket. False: this is no name of a bucket. */
bool endpoint_s3_host(const struct endpoint *e, struct view bucket,
                      struct text *host);
bool endpoint_s3_path(const struct endpoint *e, struct view bucket,
                      struct view key, struct text *path);

#endif
