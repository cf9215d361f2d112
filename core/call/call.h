/* call.h - one operation of AWS: sign, send, pace, back off, retry.
 *
 * A call is begun, given its parts, and stepped until it ends:
 *
 *     call_begin(c, &operation);
 *     call_key(c, bucket, key);
 *     call_query(c, "partNumber", number);
 *     ... call_step(c, now) ... until FLOW_ENDED or FLOW_FAILED
 *
 * The body of a 2xx reply flows into the sink while the call is under way
 * (FLOW_MOVED: look there); other bodies are kept, bounded, and become the
 * fault's words. An attempt that breaks off is made again, signed anew:
 * `attempt` grows by one, the sink has been reset, and whoever read a part of
 * the old reply must forget it or recognise what comes again. What is retried
 * follows from the error alone (reference: "Errors and retry policy"):
 * network, throttled and 5xx with full jitter, expired credentials and a skewed
 * clock once after the cure, a wrong region once in the right one. It gives
 * up after site->give_up_ms without one successful call of the whole site, or
 * at the site's deadline (ERROR_STOPPED); throttling alone gives up only at the
 * deadline. An endpoint's answer 301 or 307 leads to another region of AWS,
 * never to another host.
 *
 * The caller owns the call, and everything given by view to call_slices();
 * all else is copied. */
#ifndef FIRN_CALL_CALL_H
#define FIRN_CALL_CALL_H

#include "base/error.h"
#include "base/stage.h"
#include "call/http.h"
#include "call/site.h"
#include "call/trouble.h"

struct operation {
    const char       *name;    /* as IAM spells it: "logs:FilterLogEvents" */
    enum site_service service;
    enum http_method  method;
    const char       *target;  /* X-Amz-Target's operation, or NULL */
    bool              paced;   /* a log read, under the site's pacer */
    bool              patient; /* see http.h */
    bool              aside;   /* says nothing of the work's success */
    bool              once;    /* not idempotent: an ambiguous failure ends
                                  the call as ERROR_NETWORK */
    int32_t           also_ok; /* one status that is no fault besides 2xx: the
                                  caller looks at reply.status; 0: none */
};

enum { CALL_ORIGIN_BYTES = 336 };  /* "https://" and a host */

struct call {
    struct site            *site;
    struct ring            *sink;     /* may be NULL: a 2xx body is dropped */
    const struct operation *operation;
    enum call_state {
        CALL_IDLE,      /* not begun, or ended and read */
        CALL_WAITING,   /* waits for credentials, the pacer or a pause's end */
        CALL_SENDING,   /* waits for the reply */
        CALL_ENDED,     /* final: exchange.reply holds the head */
        CALL_FAILED,    /* final: fault says why */
    } state;
    uint32_t        attempt;    /* attempts sent so far; public */
    struct fault    fault;      /* public once CALL_FAILED */
    struct http_exchange exchange;  /* public: reply, received, sent */

    /* private: the parts of the request, and what retrying needs */
    struct text     path, query, headers, host, signed_headers, body;
    struct view     slice;      /* `body` as a slice */
    const struct view *slices;  /* of the caller, instead of `body` */
    uint32_t        slice_count;
    uint64_t        slice_bytes;
    struct trouble  trouble;    /* of the last attempt */
    int64_t         resume_mono_ms;   /* not before */
    int64_t         wake_mono_ms;
    int64_t         begun_mono_ms;    /* INT64_MIN: not yet stepped */
    int64_t         success_ms, success_before_ms;  /* this one's, and the
                                   site's before it */
    uint64_t        moved;      /* bytes of both bodies, when last looked at */
    int64_t         signed_mono_ms;  /* of this attempt ... */
    int64_t         signed_offset_ms;  /* ... and the site's, then */
    int64_t         heard_mono_ms;  /* when that was more than before */
    uint32_t        failures;   /* in a row, for the pause's length */
    uint32_t        serial;     /* of the keys it was signed with */
    bool            placed;     /* the pacer has let it go */
    bool            cured_clock, cured_keys, cured_region;
    char            region[REGION_BYTES];  /* "": the endpoint's */
    char            bucket_bytes[256];
    char            host_bytes[320];
    char            url_bytes[CALL_ORIGIN_BYTES + CFG_URL_BYTES];  /* path and
                                   query stand in their place from the first */
    char            header_bytes[CFG_HEADER_BYTES / 2];  /* no token */
    char            signed_bytes[CFG_HEADER_BYTES];
    char            body_bytes[CFG_BODY_BYTES];
};

void call_init(struct call *c, struct site *site, struct ring *sink);
void call_begin(struct call *c, const struct operation *operation);
/* S3: the bucket and, unless empty, the key, raw. Otherwise the path is "/". */
void call_key(struct call *c, struct view bucket, struct view key);
/* Raw name and value; encoded and sorted here. */
void call_query(struct call *c, const char *name, struct view value);
/* The name in lower case. A value with a control byte fails the call. */
void call_header(struct call *c, const char *name, struct view value);
/* Where to write a small body; call_slices() is for large ones. Over https a
 * body of more than 64 KiB goes to S3 without its hash: give a checksum by
 * header. */
struct text *call_body(struct call *c);
void call_slices(struct call *c, const struct view *slices, uint32_t count,
                 uint64_t bytes);
enum flow call_step(struct call *c, struct now now);
/* The reply that just ended well was an error in disguise (an <Error> inside
 * a 200): retry it as if it had been a 500 with that code and those words. */
void call_again(struct call *c, struct now now, struct view code,
                struct view words);
/* Ends it wherever it is; it may be begun again. */
void call_cancel(struct call *c);
/* The earliest mono_ms at which stepping it again makes sense without an
 * event of the network; INT64_MAX when only the network matters. */
int64_t call_wake_ms(const struct call *c);

#endif
