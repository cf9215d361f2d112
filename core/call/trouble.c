/* trouble.c - see trouble.h. */
#include "call/trouble.h"

#include "base/json.h"
#include "base/xml.h"
#include "call/transport.h"

enum { TOKENS = 64 };  /* of an error in JSON */

static const struct meaning {
    const char *code;
    enum error  error;
    enum cure   cure;
} meanings[] = {
    {"Throttling", ERROR_THROTTLED, CURE_SLOW},
    {"ThrottlingException", ERROR_THROTTLED, CURE_SLOW},
    {"ThrottledException", ERROR_THROTTLED, CURE_SLOW},
    {"RequestThrottled", ERROR_THROTTLED, CURE_SLOW},
    {"RequestThrottledException", ERROR_THROTTLED, CURE_SLOW},
    {"TooManyRequestsException", ERROR_THROTTLED, CURE_SLOW},
    {"ProvisionedThroughputExceededException", ERROR_THROTTLED, CURE_SLOW},
    {"RequestLimitExceeded", ERROR_THROTTLED, CURE_SLOW},
    {"BandwidthLimitExceeded", ERROR_THROTTLED, CURE_SLOW},
    {"PriorRequestNotComplete", ERROR_THROTTLED, CURE_SLOW},
    {"TransactionInProgressException", ERROR_THROTTLED, CURE_SLOW},
    {"EC2ThrottledException", ERROR_THROTTLED, CURE_SLOW},
    {"SlowDown", ERROR_THROTTLED, CURE_SLOW},

    {"ServiceUnavailable", ERROR_REMOTE, CURE_PAUSE},
    {"ServiceUnavailableException", ERROR_REMOTE, CURE_PAUSE},
    {"InternalFailure", ERROR_REMOTE, CURE_PAUSE},
    {"InternalError", ERROR_REMOTE, CURE_PAUSE},
    {"InternalServerError", ERROR_REMOTE, CURE_PAUSE},
    {"RequestTimeout", ERROR_REMOTE, CURE_PAUSE},
    {"RequestTimeoutException", ERROR_REMOTE, CURE_PAUSE},
    {"GlacierExpeditedRetrievalNotAvailable", ERROR_REMOTE, CURE_FEW},
    {"OperationAborted", ERROR_CONFLICT, CURE_FEW},
    {"OperationAbortedException", ERROR_CONFLICT, CURE_FEW},
    {"IncompleteBody", ERROR_CORRUPT, CURE_FEW},
    {"BadDigest", ERROR_CORRUPT, CURE_FEW},
    {"InvalidDigest", ERROR_CORRUPT, CURE_FEW},
    {"XAmzContentSHA256Mismatch", ERROR_CORRUPT, CURE_FEW},
    {"XAmzContentChecksumMismatch", ERROR_CORRUPT, CURE_FEW},

    {"ExpiredToken", ERROR_DENIED, CURE_KEYS},
    {"ExpiredTokenException", ERROR_DENIED, CURE_KEYS},
    {"TokenRefreshRequired", ERROR_DENIED, CURE_KEYS},
    {"InvalidToken", ERROR_DENIED, CURE_KEYS},

    {"InvalidSignatureException", ERROR_DENIED, CURE_CLOCK},
    {"SignatureDoesNotMatch", ERROR_DENIED, CURE_CLOCK},
    {"AuthFailure", ERROR_DENIED, CURE_CLOCK},
    {"RequestTimeTooSkewed", ERROR_DENIED, CURE_CLOCK},
    {"RequestExpired", ERROR_DENIED, CURE_CLOCK},
    {"RequestInTheFuture", ERROR_DENIED, CURE_CLOCK},
    {"AccessDeniedException", ERROR_DENIED, CURE_CLOCK},
    {"AccessDenied", ERROR_DENIED, CURE_CLOCK},

    {"AuthorizationHeaderMalformed", ERROR_CONFIG, CURE_REGION},
    {"PermanentRedirect", ERROR_CONFIG, CURE_REGION},
    {"TemporaryRedirect", ERROR_REMOTE, CURE_REGION},
    {"Redirect", ERROR_REMOTE, CURE_REGION},
    {"IllegalLocationConstraintException", ERROR_CONFIG, CURE_REGION},

    {"UnrecognizedClientException", ERROR_DENIED, CURE_NONE},
    {"IncompleteSignature", ERROR_DENIED, CURE_NONE},
    {"MissingAuthenticationToken", ERROR_DENIED, CURE_NONE},
    {"InvalidClientTokenId", ERROR_DENIED, CURE_NONE},
    {"InvalidAccessKeyId", ERROR_DENIED, CURE_NONE},
    {"AllAccessDisabled", ERROR_DENIED, CURE_NONE},
    {"AccountProblem", ERROR_DENIED, CURE_NONE},
    {"NotSignedUp", ERROR_DENIED, CURE_NONE},
    {"OptInRequired", ERROR_DENIED, CURE_NONE},

    {"ResourceNotFoundException", ERROR_MISSING, CURE_NONE},
    {"NoSuchBucket", ERROR_MISSING, CURE_NONE},
    {"NoSuchKey", ERROR_MISSING, CURE_NONE},
    {"NoSuchUpload", ERROR_MISSING, CURE_NONE},
    {"NoSuchVersion", ERROR_MISSING, CURE_NONE},

    {"LimitExceededException", ERROR_CONFLICT, CURE_NONE},
    {"PreconditionFailed", ERROR_CONFLICT, CURE_NONE},
    {"ConditionalRequestConflict", ERROR_CONFLICT, CURE_NONE},
    {"ResourceAlreadyExistsException", ERROR_CONFLICT, CURE_NONE},
    {"RestoreAlreadyInProgress", ERROR_CONFLICT, CURE_NONE},

    {"InvalidObjectState", ERROR_CONFIG, CURE_NONE},
    {"InvalidStorageClass", ERROR_CONFIG, CURE_NONE},
    {"InvalidBucketName", ERROR_CONFIG, CURE_NONE},
    {"KeyTooLongError", ERROR_CONFIG, CURE_NONE},
    {"AccessControlListNotSupported", ERROR_CONFIG, CURE_NONE},
    {"KMS.DisabledException", ERROR_CONFIG, CURE_NONE},
    {"KMS.KMSInvalidStateException", ERROR_CONFIG, CURE_NONE},
    {"KMS.NotFoundException", ERROR_CONFIG, CURE_NONE},
    {"KMS.InvalidKeyUsageException", ERROR_CONFIG, CURE_NONE},
};

static void by_status(struct trouble *t, int32_t status)
{
    t->error = ERROR_REMOTE;
    t->cure = CURE_NONE;
    switch (status) {
    case 301: case 307: case 308:
        t->cure = CURE_REGION;
        break;
    case 401: case 403:
        t->error = ERROR_DENIED;
        t->cure = CURE_CLOCK;
        break;
    case 404:
        t->error = ERROR_MISSING;
        break;
    case 408: case 500: case 502: case 503: case 504:
        t->cure = CURE_PAUSE;
        break;
    case 409: case 412:
        t->error = ERROR_CONFLICT;
        break;
    case 429:
        t->error = ERROR_THROTTLED;
        t->cure = CURE_SLOW;
        break;
    default:
        break;
    }
}

struct view trouble_clean(struct view code)
{
    struct view v = view_trim(view_split(&code, ':'));
    while (view_find(v, '#') < v.len)
        view_split(&v, '#');
    return v;
}

void trouble_of_code(struct trouble *t, struct view code, int32_t status)
{
    by_status(t, status);
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (view_is(code, meanings[i].code)) {
            t->error = meanings[i].error;
            t->cure = meanings[i].cure;
        }
    t->ambiguous = status == 500 || status == 502 || status == 504 ||
                   status == 408;
}

static void member(const struct json *j, const char *name, char *at,
                   uint32_t bytes)
{
    struct text t;
    if (at[0] != '\0')
        return;
    text_init(&t, at, bytes);
    if (!json_text(j, json_member(j, 0, name), &t))
        text_reset(&t);
}

/* The parts of a body that are looked at. */
struct parts {
    char code[128], message[FAULT_WORDS_BYTES], region[64], host[256];
    char request_id[FAULT_ID_BYTES];
};

static void of_json(struct parts *p, struct view body)
{
    int32_t words[JSON_WORDS(TOKENS)];
    struct json j;
    if (json_parse(&j, body, words, TOKENS) != JSON_FINE)
        return;
    member(&j, "code", p->code, sizeof p->code);
    member(&j, "__type", p->code, sizeof p->code);
    member(&j, "message", p->message, sizeof p->message);
    member(&j, "Message", p->message, sizeof p->message);
}

static void of_xml(struct parts *p, struct view body)
{
    struct view error = body;
    xml_string(error, "Code", p->code, sizeof p->code);
    xml_string(error, "Message", p->message, sizeof p->message);
    xml_string(error, "Region", p->region, sizeof p->region);
    xml_string(error, "Endpoint", p->host, sizeof p->host);
    xml_string(error, "RequestId", p->request_id, sizeof p->request_id);
}

/* The host of "https://host/path". */
static void host_of(struct parts *p, const char *location)
{
    struct view v = view_of(location);
    if (p->host[0] != '\0' || !view_starts(v, "https://"))
        return;
    v = view_slice(v, 8, v.len);
    view_copy(view_split(&v, '/'), p->host, sizeof p->host);
}

static void note(struct trouble *t, const struct parts *p,
                 const struct http_reply *r)
{
    struct view region = view_of(r->bucket_region);
    if (region.len == 0)
        region = view_of(p->region);
    if (endpoint_region_ok(region))
        view_copy(region, t->region, sizeof t->region);
    if (r->status == 307 && t->cure == CURE_REGION)
        view_copy(view_of(p->host), t->host, sizeof t->host);
}

static void of_reply(struct trouble *t, const struct http_exchange *x,
                     struct fault *fault)
{
    const struct http_reply *r = &x->reply;
    struct view body = {(const uint8_t *)x->error, x->error_len};
    struct view start = view_trim(body);
    struct parts p = {0};
    view_copy(trouble_clean(view_of(r->error_type)), p.code, sizeof p.code);
    if (view_starts(start, "{"))
        of_json(&p, body);
    else if (view_starts(start, "<"))
        of_xml(&p, body);
    host_of(&p, r->location);

    struct view code = trouble_clean(view_of(p.code));
    trouble_of_code(t, code, r->status);
    bool bare = code.len == 0 && r->status == 400 && r->bucket_region[0];
    if (bare)  /* how a HEAD says "wrong region" */
        t->cure = CURE_REGION;
    note(t, &p, r);
    fault_set(fault, t->error, "an unexpected answer", r->status);
    view_copy(view_slice(code, 0, code.len < FAULT_CODE_BYTES
                                      ? code.len : FAULT_CODE_BYTES - 1),
              fault->code, sizeof fault->code);
    fault_words(fault, view_of(p.message));
    if (code.len == 0)
        fault_words(fault, body);
    view_copy(view_of(r->request_id[0] != '\0' ? r->request_id
                                               : p.request_id),
              fault->request_id, sizeof fault->request_id);
}

void trouble_read(struct trouble *t, const struct http_exchange *x,
                  struct fault *fault)
{
    *t = (struct trouble){.error = ERROR_NETWORK, .cure = CURE_PAUSE};
    fault_reset(fault);
    if (x->state == HTTP_DONE) {
        of_reply(t, x, fault);
        return;
    }
    const char *text = x->failure_text;
    bool lasting = x->failure >= TRANSPORT_LASTING;
    bool full = view_is(view_of(text), "pool full");
    if (full) {
        t->error = ERROR_LIMIT;
        t->cure = CURE_FEW;
    }
    if (lasting)
        t->cure = CURE_FEW;
    t->ambiguous = x->sent > 0 || x->request.body_bytes == 0 ||
                   x->reply.status != 0;
    fault_set(fault, t->error, text,
              full ? CFG_POOL_BYTES
                   : x->failure - (lasting ? TRANSPORT_LASTING : 0));
}
