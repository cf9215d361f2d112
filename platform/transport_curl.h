/* transport_curl.h - core's transport, over libcurl.
 *
 * A fixed set of CFG_SOCKET_COUNT easy handles, made before the lock and used
 * again and again; as many connections at most, kept alive between requests.
 * HTTP/1.1 in plain or over TLS (trust.h); no redirects, no compression; a
 * proxy (HTTPS_PROXY, NO_PROXY) for https alone, and never for what is local.
 * Bodies over 1 MiB are announced by "Expect: 100-continue", so that a refusal
 * is read before they are sent: S3 closes the connection otherwise, and its
 * words are lost. A request on a kept connection that dies before one byte of
 * a reply is sent once more by curl itself, on a new one.
 *
 * The main loop steps core until nothing moves, then lets the network act:
 *
 *     flow = archive_step(&job, posix_now());
 *     ...
 *     transport_poll(&t, extra, extra_count, wait_ms);
 *
 * All that an exchange records happens inside transport_poll(). Waiting ends
 * with the first event: a socket, one of the extra descriptors (signals; their
 * revents are filled), or the time. A transfer whose sink lacks room is not
 * read from until a later transport_poll() finds room. One that moves less
 * than 1 KiB in CFG_STALL_MS (CFG_PATIENT_MS, if it is patient) has stalled and
 * fails, unless it waits for room, or is endless.
 *
 * `failure` of an exchange is a CURLcode, perhaps plus TRANSPORT_LASTING, and
 * failure_text says which, in literal words; text TRANSPORT_POOL_FULL means
 * that the pool was. */
#ifndef FIRN_PLATFORM_TRANSPORT_CURL_H
#define FIRN_PLATFORM_TRANSPORT_CURL_H

#include <curl/curl.h>
#include <poll.h>

#include "base/error.h"
#include "call/transport.h"
#include "trust.h"

enum {
    TRANSPORT_EXTRA = 4,         /* descriptors of the caller's */
    TRANSPORT_WATCHED = 8 * CFG_SOCKET_COUNT,  /* while connecting, a handle
                                    has up to two, and the resolver's */
};

extern const char TRANSPORT_POOL_FULL[];

struct transport_slot {
    struct http_exchange *x;     /* NULL: free */
    struct transport     *transport;
    CURL                 *easy;
    struct curl_slist    *headers;   /* one block of the pool: nodes, text */
    struct verdict        verdict;   /* of the connection made for it */
    struct view           host;      /* within the request's URL */
    uint32_t              given;     /* bytes that the sink took of a piece
                                        which curl will hand over again */
    bool                  paused;
    bool                  headed;    /* the reply's head is complete */
    bool                  framed;    /* the reply's length can be known */
    uint64_t              moved;     /* bytes either way, so far */
    uint64_t              mark;      /* `moved` when it last was enough */
    int64_t               mark_ms;   /* when that was */
    bool                  fresh;     /* must not use a kept connection */
    CURLcode              doomed;    /* failed before it began */
    int                   no_socket; /* errno when one was refused, or 0 */
    uint32_t              refusals;  /* of the pool, before it began */
    char                  error[CURL_ERROR_SIZE];
};

struct transport {
    CURLM   *multi;
    struct trust trust;
    struct transport_slot slot[CFG_SOCKET_COUNT];
    struct pollfd watched[TRANSPORT_WATCHED + TRANSPORT_EXTRA];
    uint32_t watched_count;
    int64_t  timer_ms;     /* mono; when curl wants to run; INT64_MAX: never */
    uint32_t refusals;     /* of the pool, up to which curl is in order */
    bool     ended;        /* an exchange has, in this poll */
    uint32_t fresh;        /* so many more exchanges distrust what is kept */
};

struct transport_options {
    const char *ca_bundle;   /* a path, or NULL or "": see trust.h */
    const char *user_agent;  /* "firn/1.0" */
};

/* Before the lock. False: a sentence in `fault`. */
bool transport_init(struct transport *t, const struct transport_options *o,
                    struct fault *fault);
/* Moves bytes; waits up to timeout_ms (0: not at all; negative: for ever)
 * when there are none to move. `extra` may be NULL; at most
 * TRANSPORT_EXTRA. */
void transport_poll(struct transport *t, struct pollfd *extra,
                    uint32_t extra_count, int64_t timeout_ms);
/* The process slept or was frozen: kept connections are not used again. */
void transport_distrust(struct transport *t);
/* Exchanges under way. */
uint32_t transport_active(const struct transport *t);
/* curl's, mbedTLS's and c-ares's versions, for --version. */
const char *transport_version(void);

#endif
