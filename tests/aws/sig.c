/* sig.c - AWS Signature Version 4, verified as the services do.
 *
 * Source: AWS, "Create a signed AWS API request"; S3, "Authenticating
 * requests: using the Authorization header". Where AWS is silent about a
 * header left unsigned, it is refused. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

enum { SKEW_S3_MS = 900000, SKEW_MS = 300000 };

enum wrong {
    WRONG_MISSING, WRONG_FORM, WRONG_KEY, WRONG_TOKEN, WRONG_EXPIRED,
    WRONG_SCOPE, WRONG_TIME, WRONG_UNSIGNED, WRONG_SIGNATURE,
};

struct answer { int status; const char *code, *message; };

static const struct answer of_logs[] = {
    [WRONG_MISSING] = {400, "MissingAuthenticationTokenException",
                       "Missing Authentication Token"},
    [WRONG_FORM] = {400, "IncompleteSignatureException",
                    "The Authorization header is not in the right form."},
    [WRONG_KEY] = {400, "UnrecognizedClientException",
                   "The security token included in the request is invalid."},
    [WRONG_TOKEN] = {400, "UnrecognizedClientException",
                     "The security token included in the request is "
                     "invalid."},
    [WRONG_EXPIRED] = {400, "ExpiredTokenException",
                       "The security token included in the request is "
                       "expired"},
    [WRONG_SCOPE] = {403, "InvalidSignatureException",
                     "Credential should be scoped to a valid region."},
    [WRONG_TIME] = {403, "InvalidSignatureException",
                    "Signature expired or not yet current."},
    [WRONG_UNSIGNED] = {403, "InvalidSignatureException",
                        "A header that must be signed is not."},
    [WRONG_SIGNATURE] = {403, "InvalidSignatureException",
                         "The request signature we calculated does not "
                         "match the signature you provided."},
};
static const struct answer of_s3[] = {
    [WRONG_MISSING] = {403, "AccessDenied", "Access Denied"},
    [WRONG_FORM] = {400, "AuthorizationHeaderMalformed",
                    "The authorization header is malformed."},
    [WRONG_KEY] = {403, "InvalidAccessKeyId",
                   "The AWS Access Key Id you provided does not exist in "
                   "our records."},
    [WRONG_TOKEN] = {400, "InvalidToken",
                     "The provided token is malformed or otherwise "
                     "invalid."},
    [WRONG_EXPIRED] = {400, "ExpiredToken",
                       "The provided token has expired."},
    [WRONG_SCOPE] = {400, "AuthorizationHeaderMalformed",
                     "The authorization header is malformed; the region is "
                     "wrong."},
    [WRONG_TIME] = {403, "RequestTimeTooSkewed",
                    "The difference between the request time and the "
                    "current time is too large."},
    [WRONG_UNSIGNED] = {403, "AccessDenied",
                        "There were headers present in the request which "
                        "were not signed"},
    [WRONG_SIGNATURE] = {403, "SignatureDoesNotMatch",
                         "The request signature we calculated does not "
                         "match the signature you provided."},
};
static const struct answer of_sts[] = {
    [WRONG_MISSING] = {403, "MissingAuthenticationToken",
                       "Request is missing Authentication Token"},
    [WRONG_FORM] = {400, "IncompleteSignature",
                    "The Authorization header is not in the right form."},
    [WRONG_KEY] = {403, "InvalidClientTokenId",
                   "The security token included in the request is invalid."},
    [WRONG_TOKEN] = {403, "InvalidClientTokenId",
                     "The security token included in the request is "
                     "invalid."},
    [WRONG_EXPIRED] = {403, "ExpiredToken",
                       "The security token included in the request is "
                       "expired"},
    [WRONG_SCOPE] = {403, "SignatureDoesNotMatch",
                     "Credential should be scoped to a valid region."},
    [WRONG_TIME] = {403, "SignatureDoesNotMatch",
                    "Signature expired or not yet current."},
    [WRONG_UNSIGNED] = {403, "SignatureDoesNotMatch",
                        "A header that must be signed is not."},
    [WRONG_SIGNATURE] = {403, "SignatureDoesNotMatch",
                         "The request signature we calculated does not "
                         "match the signature you provided."},
};

struct claim {                    /* what the Authorization header says */
    struct aws_text id, date, region, service, signed_names, signature;
    struct aws_text amz_date;
};

static bool refuse(struct aws_exchange *x, enum wrong wrong,
                   const char *detail)
{
    enum aws_service service = aws_op_service[x->op];
    const struct answer *a = service == AWS_SERVICE_S3 ? &of_s3[wrong]
                             : service == AWS_SERVICE_STS ? &of_sts[wrong]
                             : &of_logs[wrong];
    aws_fail_with(x, a->status, a->code, a->message, detail);
    return false;
}

static bool take(struct aws_text *rest, const char *name,
                 struct aws_text *value)
{
    struct aws_text part = aws_trim(aws_cut(*rest, ',', rest));
    if (!aws_begins(part, name)) return false;
    *value = (struct aws_text){part.at + strlen(name),
                               part.len - strlen(name)};
    return true;
}

static bool read_claim(struct aws_text header, struct claim *c)
{
    static const char algorithm[] = "AWS4-HMAC-SHA256 ";
    struct aws_text rest, scope, end;
    if (!aws_begins(header, algorithm)) return false;
    rest = (struct aws_text){header.at + strlen(algorithm),
                             header.len - strlen(algorithm)};
    if (!take(&rest, "Credential=", &scope) ||
        !take(&rest, "SignedHeaders=", &c->signed_names) ||
        !take(&rest, "Signature=", &c->signature) || rest.at != NULL)
        return false;
    c->id = aws_cut(scope, '/', &scope);
    c->date = aws_cut(scope, '/', &scope);
    c->region = aws_cut(scope, '/', &scope);
    c->service = aws_cut(scope, '/', &end);
    return aws_is(end, "aws4_request") && c->signature.len == 64;
}

static bool is_signed(const struct claim *c, struct aws_text name)
{
    struct aws_text rest = c->signed_names;
    while (rest.len > 0) {
        struct aws_text one = aws_cut(rest, ';', &rest);
        if (one.len != name.len) continue;
        bool same = true;
        for (size_t i = 0; i < one.len; i++) {
            char n = name.at[i];
            if (n >= 'A' && n <= 'Z') n = (char)(n - 'A' + 'a');
            same = same && one.at[i] == n;
        }
        if (same) return true;
    }
    return false;
}

/* Sorted lower-case names without repeats, host among them, and every
 * header that AWS wants signed. */
static bool signs_enough(const struct aws_exchange *x, const struct claim *c)
{
    struct aws_text rest = c->signed_names, last = {NULL, 0};
    while (rest.len > 0) {
        struct aws_text name = aws_cut(rest, ';', &rest);
        if (name.len == 0 || aws_order(last, name) >= 0) return false;
        last = name;
    }
    if (!is_signed(c, aws_str("host"))) return false;
    for (size_t i = 0; i < x->sent_headers; i++) {
        struct aws_text name = x->header[i].name;
        bool wanted = (name.len > 6 &&
                       aws_is_nocase((struct aws_text){name.at, 6},
                                     "x-amz-")) ||
                      aws_is_nocase(name, "content-md5");
        if (aws_is_nocase(name, "x-amz-content-sha256")) wanted = false;
        if (wanted && !is_signed(c, name)) return false;
    }
    return true;
}

static void put_value(struct aws_buf *out, struct aws_text value)
{
    value = aws_trim(value);
    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] != ' ' || value.at[i - 1] != ' ')
            aws_put(out, value.at + i, 1);
}

static bool put_headers(struct aws_buf *out, const struct aws_exchange *x,
                        const struct claim *c)
{
    struct aws_text rest = c->signed_names;
    while (rest.len > 0) {
        struct aws_text name = aws_cut(rest, ';', &rest);
        bool found = false;
        char text[256] = {0};
        if (name.len >= sizeof text) return false;
        memcpy(text, name.at, name.len);
        aws_put_text(out, name);
        for (size_t i = 0; i < x->header_count; i++) {
            if (!aws_is_nocase(x->header[i].name, text)) continue;
            aws_puts(out, found ? "," : ":");
            put_value(out, x->header[i].value);
            found = true;
        }
        if (!found) return false;
        aws_puts(out, "\n");
    }
    aws_puts(out, "\n");
    aws_put_text(out, c->signed_names);
    aws_puts(out, "\n");
    return true;
}

struct pair { struct aws_text name, value; };

static int pair_order(const void *a, const void *b)
{
    const struct pair *p = a, *q = b;
    int order = aws_order(p->name, q->name);
    return order != 0 ? order : aws_order(p->value, q->value);
}

static struct aws_text encoded(struct aws_exchange *x, struct aws_text t)
{
    aws_reset(&x->text);
    aws_put_percent(&x->text, t, false);
    return aws_hold(x, aws_view(&x->text));
}

static void put_query(struct aws_buf *out, struct aws_exchange *x)
{
    struct pair pair[64];
    size_t count = 0;
    struct aws_text rest = x->query;
    while (count < 64 &&
           aws_query_next(x, &rest, &pair[count].name, &pair[count].value)) {
        pair[count].name = encoded(x, pair[count].name);
        pair[count].value = encoded(x, pair[count].value);
        count++;
    }
    qsort(pair, count, sizeof pair[0], pair_order);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) aws_puts(out, "&");
        aws_put_text(out, pair[i].name);
        aws_puts(out, "=");
        aws_put_text(out, pair[i].value);
    }
}

static void put_path(struct aws_buf *out, struct aws_exchange *x)
{
    struct aws_text path = x->path;
    aws_reset(&x->text);
    if (aws_op_service[x->op] == AWS_SERVICE_S3 &&
        aws_unpercent(path, false, &x->text))
        path = aws_view(&x->text);
    aws_put_percent(out, path, true);
}

static bool put_canonical(struct aws_buf *out, struct aws_exchange *x,
                          const struct claim *c)
{
    struct aws_text hash;
    aws_put_text(out, x->method);
    aws_puts(out, "\n");
    put_path(out, x);
    aws_puts(out, "\n");
    put_query(out, x);
    aws_puts(out, "\n");
    if (!put_headers(out, x, c)) return false;
    if (aws_op_service[x->op] == AWS_SERVICE_S3) {
        (void)aws_header_of(x, "x-amz-content-sha256", &hash);
        aws_put_text(out, hash);
    } else {
        aws_put_hex(out, x->sha_sum, 32);
    }
    return true;
}

static void signing_key(const struct claim *c, const char *secret,
                        uint8_t key[32])
{
    struct aws_buf first = {0};
    aws_printf(&first, "AWS4%s", secret);
    aws_hmac(first.at, first.len, c->date.at, c->date.len, key);
    aws_hmac(key, 32, c->region.at, c->region.len, key);
    aws_hmac(key, 32, c->service.at, c->service.len, key);
    aws_hmac(key, 32, "aws4_request", 12, key);
    aws_free_buf(&first);
}

static bool signature_holds(struct aws_exchange *x, const struct claim *c,
                            const char *secret)
{
    struct aws_buf text = {0}, hex = {0};
    struct aws_sha256 sha;
    uint8_t sum[32], key[32];
    bool good = put_canonical(&text, x, c);
    if (good) {
        aws_sha256_init(&sha);
        aws_sha256_add(&sha, text.at, text.len);
        aws_sha256_end(&sha, sum);
        aws_reset(&text);
        aws_printf(&text, "AWS4-HMAC-SHA256\n%.16s\n%.*s/%.*s/%.*s/"
                   "aws4_request\n", c->amz_date.at, (int)c->date.len,
                   c->date.at, (int)c->region.len, c->region.at,
                   (int)c->service.len, c->service.at);
        aws_put_hex(&text, sum, 32);
        signing_key(c, secret, key);
        aws_hmac(key, 32, text.at, text.len, sum);
        aws_put_hex(&hex, sum, 32);
        good = aws_same(aws_view(&hex), c->signature);
    }
    aws_free_buf(&text);
    aws_free_buf(&hex);
    return good;
}

static const struct aws_key *find_key(const struct aws *m,
                                      struct aws_text id)
{
    for (size_t i = 0; i < m->key_count; i++)
        if (aws_is(id, m->keys[i].id)) return &m->keys[i];
    return NULL;
}

static bool time_holds(const struct aws_exchange *x, const struct claim *c,
                       int64_t now)
{
    int64_t made, most = aws_op_service[x->op] == AWS_SERVICE_S3
                             ? SKEW_S3_MS : SKEW_MS;
    if (!aws_read_amz_date(c->amz_date, &made)) return false;
    int64_t off = made - aws_server_now(x->model, now);
    return off <= most && off >= -most;
}

/* The bucket's region, for one who signed for another. */
static bool refuse_scope(struct aws_exchange *x)
{
    char region[128];
    struct aws_buf extra = {0};
    aws_must(strlen(x->model->region) < sizeof region);
    aws_printf(&extra, "<Region>%s</Region>", x->model->region);
    (void)refuse(x, WRONG_SCOPE, extra.at);
    aws_free_buf(&extra);
    return false;
}

bool aws_check_signature(struct aws_exchange *x, int64_t now)
{
    static const char *const service_name[] = {"logs", "s3", "sts"};
    enum aws_service service = aws_op_service[x->op];
    struct aws_text header, token;
    struct claim c = {0};
    if (!aws_header_of(x, "authorization", &header))
        return refuse(x, WRONG_MISSING, "");
    if (!read_claim(header, &c) ||
        !aws_header_of(x, "x-amz-date", &c.amz_date) ||
        c.amz_date.len != 16 || c.date.len != 8 ||
        memcmp(c.date.at, c.amz_date.at, 8) != 0 ||
        !aws_is(c.service, service_name[service]))
        return refuse(x, WRONG_FORM, "");
    const struct aws_key *key = find_key(x->model, c.id);
    if (key == NULL) return refuse(x, WRONG_KEY, "");
    (void)aws_header_of(x, "x-amz-security-token", &token);
    if (!aws_same(token, aws_str(key->token)))
        return refuse(x, WRONG_TOKEN, "");
    if (!time_holds(x, &c, now)) return refuse(x, WRONG_TIME, "");
    struct aws_text region = aws_str(x->model->region);
    if (x->host_region.len > 0) region = x->host_region;
    if (!aws_same(c.region, region)) return refuse_scope(x);
    if (!signs_enough(x, &c)) return refuse(x, WRONG_UNSIGNED, "");
    if (!signature_holds(x, &c, key->secret))
        return refuse(x, WRONG_SIGNATURE, "");
    if (key->expires != 0 && aws_server_now(x->model, now) >= key->expires)
        return refuse(x, WRONG_EXPIRED, "");
    return true;
}
