/* http.h - one HTTP exchange, as data.
 *
 * The caller owns a struct http_exchange and everything its request points
 * to; all of it lives, unmoved, until the exchange is done or cancelled.
 * Core writes the request; the transport (transport.h) sends it and records
 * what came back by the functions at the end, which are the only place where
 * a reply is written. Sources: RFC 9110, RFC 9112. */
#ifndef FIRN_CALL_HTTP_H
#define FIRN_CALL_HTTP_H

#include "base/date.h"
#include "base/limits.h"
#include "base/ring.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_DELETE };
extern const char *const http_method_name[];  /* "GET", ... */

struct http_request {
    enum http_method method;
    const char      *url;         /* absolute, NUL-terminated, encoded */
    const char      *headers;     /* "name:value" lines, each ended by \n,
                                     NUL-terminated, no value empty; no Host,
                                     no length */
    const struct view *body;      /* slices, in order; may be none */
    uint32_t         body_count;
    uint64_t         body_bytes;  /* the sum of the slices */
    uint32_t         timeout_ms;  /* for the whole exchange; 0: none */
    bool             patient;     /* the reply may be silent for long (S3's
                                     Complete) */
    bool             endless;     /* or for ever (Lambda's next) */
    bool             local;       /* metadata, runtime API: never by a proxy */
    bool             once;        /* not idempotent: on a connection of its
                                     own, so that it is never sent again */
};

enum { HTTP_ETAG_BYTES = 136, HTTP_WORD_BYTES = 80, HTTP_CRC_BYTES = 16 };

/* What firn reads of a reply's head. Text is NUL-terminated, "" if absent;
 * a value longer than its field is dropped as if absent. */
struct http_reply {
    int32_t  status;                   /* 0: none came */
    bool     has_length;
    uint64_t content_length;
    uint64_t range_total;              /* of Content-Range; 0: absent */
    int64_t  date_ms;                  /* Date; 0: absent */
    int64_t  modified_ms;              /* Last-Modified; 0: absent */
    int64_t  retry_after_ms;           /* Retry-After or x-amz-retry-after */
    int64_t  retry_at_ms;              /* Retry-After, when it is a date */
    char     etag[HTTP_ETAG_BYTES];    /* with its quotes */
    char     crc64nvme[HTTP_CRC_BYTES];/* base64, of x-amz-checksum-... */
    char     checksum_type[HTTP_CRC_BYTES];
    char     error_type[HTTP_WORD_BYTES];    /* x-amzn-ErrorType */
    char     request_id[HTTP_WORD_BYTES];    /* x-amzn- or x-amz-request-id */
    char     bucket_region[HTTP_WORD_BYTES]; /* x-amz-bucket-region */
    char     location[256];
    char     storage_class[24];
    char     restore[HTTP_WORD_BYTES];       /* x-amz-restore */
    char     version_id[HTTP_ETAG_BYTES];
    char     invocation[3][HTTP_WORD_BYTES]; /* Lambda-Runtime-: request id,
                                                invocation id, deadline ms */
};

enum http_state {
    HTTP_IDLE,     /* not started, or cancelled */
    HTTP_ACTIVE,   /* the transport owns it */
    HTTP_DONE,     /* a whole reply came */
    HTTP_FAILED,   /* it did not; `failure` says why */
};

struct http_exchange {
    struct http_request request;
    struct http_reply   reply;
    enum http_state     state;
    int32_t             failure;       /* the transport's own code */
    const char         *failure_text;  /* literal; NULL if none */
    bool                reused;        /* on a connection used before */
    struct ring        *sink;          /* where a 2xx body goes; else bounded
                                          into `error` below */
    uint64_t            received;      /* body bytes so far */
    uint64_t            sent;          /* request body bytes so far */
    uint64_t            slice_from;    /* private: where in the body ... */
    uint32_t            slice;         /* ... the slice begins that is sent */
    uint32_t            error_len;
    char                error[CFG_ERROR_BYTES];  /* body of another status */
    void               *handle;        /* the transport's, opaque */
};

/* For whoever starts it: forgets the last exchange, but for the request and
 * the sink, which is emptied. */
void     http_reset(struct http_exchange *x);

/* For the transport: the status line and one header line at a time, in any
 * slicing of case and blanks ("ETag: \"x\"\r\n"). A new status line, after a
 * 100 Continue say, starts the reply's head afresh. */
void     http_head_line(struct http_exchange *x, struct view line);
/* Body bytes: takes all, or none when the sink lacks room for all (then the
 * transport pauses until http_room() says otherwise). */
bool     http_body(struct http_exchange *x, struct view bytes);
uint32_t http_room(const struct http_exchange *x);
/* The next bytes of the request's body from `sent` on, at most `most`; the
 * transport then adds to `sent` what it took. */
struct view http_upload(struct http_exchange *x, uint32_t most);
/* The end; failure 0 is success. A body cut short of its announced length
 * must come here as a failure. Ends the sink only after a whole 2xx reply. */
void     http_finish(struct http_exchange *x, int32_t failure,
                     const char *text);

#endif
