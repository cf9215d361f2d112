/* site.h - what all calls of a run share: where AWS is and who we are.
 *
 * Endpoints and regions, credentials, the clock's offset, the pace of log
 * reads, the budget of retries and the counters. Set up before the first
 * call, owned by the job. */
#ifndef FIRN_CALL_SITE_H
#define FIRN_CALL_SITE_H

#include "base/chance.h"
#include "base/date.h"
#include "base/error.h"
#include "call/credentials.h"
#include "call/endpoint.h"
#include "call/pace.h"
#include "call/settings.h"
#include "call/sigv4.h"
#include "call/transport.h"

enum { SITE_BUCKETS = 4, SITE_HOLDER_BYTES = 96 };

/* A bucket that S3 said is in another region. */
struct site_bucket {
    char name[64];
    char region[REGION_BYTES];
};

struct site {
    struct transport  *transport;        /* the caller sets it */
    struct credentials credentials;
    struct endpoint    endpoint[SITE_SERVICES];
    struct sigv4_key   key[SITE_SERVICES];
    struct endpoint_options options;
    struct pace        pace;             /* of log reads */
    uint32_t           rate;             /* asked for; 0: half the quota */
    struct chance      chance;
    char               region[REGION_BYTES];  /* "" until it is known */
    int64_t            offset_ms;        /* AWS's clock minus ours */
    int64_t            give_up_ms;       /* without one success */
    int64_t            deadline_mono_ms; /* INT64_MAX: none */
    int64_t            success_mono_ms;  /* of the last good reply */
    uint64_t           requests, throttled, retried;  /* counters */
    struct site_bucket bucket[SITE_BUCKETS];
    uint32_t           bucket_next;      /* to be forgotten */
    bool               expected_owner;
    char               owner[16];        /* x-amz-expected-bucket-owner */
    char               holder[SITE_HOLDER_BYTES];  /* who we are, for people:
                                            a lease's holder */
};

struct site_options {
    const struct settings *settings;  /* see settings.h */
    struct view region;           /* of the command line, else empty */
    struct view endpoint_url;     /* --endpoint-url */
    struct view bucket_owner;
    bool        fips, dualstack, allow_http;
    uint32_t    rate;             /* log reads a second; 0: half the quota */
    struct view holder;           /* host and process; cut if too long */
    uint64_t    seed;             /* for jitter */
};

/* Fills the site from the options and the settings (reference: "Endpoints",
 * "Region resolution"); give_up_ms is 300 s and there is no deadline until the
 * caller says otherwise. False, and a sentence in `fault`, when a URL, region
 * or profile cannot be used. Without a region anywhere it is asked of the
 * instance, and s->region stays "" until the first call is under way. */
bool site_init(struct site *s, const struct site_options *options,
               struct fault *fault);
/* From now on in that region, with that rate (0: half the quota); before any
 * call is under way. */
bool site_locate(struct site *s, struct view region, uint32_t rate,
                 struct fault *fault);
/* From now on as that role, an empty ARN: as before. It may be of another
 * account, whose pace begins anew. False, and a sentence in `fault`. */
bool site_assume(struct site *s, struct view role_arn, struct fault *fault);
/* The account that must own the buckets; empty: any. */
bool site_owner(struct site *s, struct view owner, struct fault *fault);
/* Moves the credentials on. FLOW_ENDED: a call may be signed. */
enum flow site_step(struct site *s, struct now now, struct fault *fault);
/* Where a bucket is, "" if not known otherwise; and that it is there. */
const char *site_region_of(const struct site *s, struct view bucket);
void site_learn(struct site *s, struct view bucket, const char *region);
/* AWS's clock, as far as we know it. */
struct now site_now(const struct site *s, struct now now);

#endif
