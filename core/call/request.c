/* request.c - see request.h. */
#include "call/request.h"

enum { HASHED_BYTES = 65536 };  /* the longest body hashed over TLS too */

static const char *service_name(enum site_service service)
{
    switch (service) {
    case SITE_LOGS:     return "logs";
    case SITE_S3:       return "s3";
    case SITE_STS:      return "sts";
    case SITE_SERVICES: CHECK(false);
    }
    return "";
}

struct endpoint request_endpoint(const struct call *c)
{
    const struct site *s = c->site;
    struct endpoint e = s->endpoint[c->operation->service];
    const char *known = site_region_of(s, view_of(c->bucket_bytes));
    const char *region = c->region[0] != '\0' ? c->region : known;
    struct view v = view_of(region);
    if (v.len > 0 && e.custom)
        CHECK(view_copy(v, e.region, sizeof e.region));
    else if (v.len > 0)
        CHECK(endpoint_of_region(&e, SITE_S3, v, &s->options));
    return e;
}

/* Scheme and host go right before the path, and the query behind its mark. */
static const char *join_url(struct call *c, const char *scheme)
{
    struct view start = view_of(scheme), host = text_view(&c->host);
    char *at = c->path.at - host.len;
    CHECK(start.len + 3 + host.len <= CALL_ORIGIN_BYTES);
    memcpy(at, host.at, host.len);
    at -= 3;
    memcpy(at, "://", 3);
    at -= start.len;
    memcpy(at, start.at, start.len);
    if (c->query.len > 0)
        c->path.at[c->path.len] = '?';
    return at;
}

/* Host and URL; the host of a redirect has been set before. */
static void put_url(struct call *c, const struct endpoint *e)
{
    bool s3 = c->operation->service == SITE_S3;
    text_reset(&c->host);
    if (c->trouble.host[0] != '\0')
        text_str(&c->host, c->trouble.host);
    else if (s3)
        (void)endpoint_s3_host(e, view_of(c->bucket_bytes), &c->host);
    else
        text_str(&c->host, e->authority);
    if (c->path.len == 0) {
        text_str(&c->path, e->base_path);
        text_char(&c->path, '/');
    }
    c->exchange.request.url = join_url(c, e->scheme);
}

static void put_body(struct call *c)
{
    struct http_request *r = &c->exchange.request;
    bool empty_json = c->operation->service == SITE_LOGS && c->body.len == 0;
    if (empty_json)
        text_str(&c->body, "{}");
    c->slice = text_view(&c->body);
    r->body = c->slices != NULL ? c->slices : &c->slice;
    r->body_count = c->slices != NULL ? c->slice_count : c->body.len > 0;
    r->body_bytes = c->slices != NULL ? c->slice_bytes : c->body.len;
}

/* The headers as they are sent, the authorization at their end. */
static void put_headers(struct call *c, const struct endpoint *e,
                        struct now aws)
{
    struct site *s = c->site;
    const struct http_request *r = &c->exchange.request;
    bool s3 = c->operation->service == SITE_S3;
    bool large = c->slices != NULL && r->body_bytes > HASHED_BYTES &&
                 view_is(view_of(e->scheme), "https");
    char hash[SIGV4_HASH_BYTES] = SIGV4_UNSIGNED, path_at[256];
    struct text path, *h = &c->signed_headers;
    text_init(&path, path_at, sizeof path_at);
    if (!s3)
        (void)sigv4_path(&path, text_view(&c->path));
    if (!s3 || !large)
        sigv4_hash(r->body, r->body_count, hash);
    text_reset(h);
    text_put(h, text_view(&c->headers));
    if (s3)
        (void)sigv4_header(h, "x-amz-content-sha256", view_of(hash));
    if (s3 && s->expected_owner)
        (void)sigv4_header(h, "x-amz-expected-bucket-owner",
                           view_of(s->owner));
    struct sigv4_request request = {
        .method = http_method_name[r->method],
        .path = s3 ? text_view(&c->path) : text_view(&path),
        .query = text_view(&c->query),
        .host = text_view(&c->host),
        .payload = hash,
        .service = service_name(c->operation->service),
        .region = e->region,
        .instant_ms = aws.wall_ms,
    };
    (void)sigv4_sign(h, &request, &s->credentials.keys,
                     &s->key[c->operation->service]);
    c->serial = s->credentials.keys.serial;
}

static bool refuse(struct fault *fault, const char *limit, int64_t value)
{
    fault_set(fault, ERROR_LIMIT, limit, value);
    return false;
}

bool request_write(struct call *c, struct now aws, struct fault *fault)
{
    struct http_exchange *x = &c->exchange;
    struct endpoint e = request_endpoint(c);
    http_reset(x);
    x->request = (struct http_request){
        .method = c->operation->method,
        .patient = c->operation->patient,
        .once = c->operation->once,
    };
    put_body(c);
    put_url(c, &e);
    CHECK(!c->host.overflow);
    if (c->path.overflow || c->query.overflow)
        return refuse(fault, "CFG_URL_BYTES", CFG_URL_BYTES);
    if (c->body.overflow)
        return refuse(fault, "CFG_BODY_BYTES", CFG_BODY_BYTES);
    put_headers(c, &e, aws);
    if (c->headers.overflow || c->signed_headers.overflow)
        return refuse(fault, "CFG_HEADER_BYTES", CFG_HEADER_BYTES);
    x->request.headers = c->signed_headers.at;
    return true;
}
