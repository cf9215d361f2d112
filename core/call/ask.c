/* ask.c - see ask.h. */
#include "call/ask.h"

#include "call/files.h"
#include "call/sigv4.h"

enum {
    INSTANCE_MS = 1000,  /* for one answer */
    CONTAINER_MS = 2000,
    STS_MS = 15000,
};

_Static_assert(CFG_BODY_BYTES >= 256 + 3 * (ROLE_ARN_BYTES +
                                            ROLE_EXTERNAL_BYTES +
                                            ROLE_SESSION_BYTES),
               "a role to be assumed, percent-encoded");
_Static_assert(CFG_HEADER_BYTES >= CFG_SESSION_BYTES + 1024,
               "a session token and a signature");

static bool refuse(struct fault *why, enum error error, const char *what)
{
    fault_set(why, error, what, 0);
    return false;
}

static void prepare(struct credentials *c, enum http_method method,
                    uint32_t timeout_ms)
{
    http_reset(&c->exchange);
    c->exchange.request = (struct http_request){
        .method = method,
        .url = c->url,
        .headers = c->headers,
        .timeout_ms = timeout_ms,
        .local = true,
    };
}

void ask_token(struct credentials *c)
{
    struct text url, headers;
    text_init(&url, c->url, sizeof c->url);
    text_str(&url, c->imds_base);
    text_str(&url, "/latest/api/token");
    text_init(&headers, c->headers, sizeof c->headers);
    text_str(&headers, "x-aws-ec2-metadata-token-ttl-seconds:21600\n");
    prepare(c, HTTP_PUT, INSTANCE_MS);
}

void ask_instance(struct credentials *c, const char *path, const char *name)
{
    struct text url, headers;
    text_init(&url, c->url, sizeof c->url);
    text_str(&url, c->imds_base);
    text_str(&url, path);
    text_percent(&url, view_of(name), false);
    CHECK(!url.overflow);
    text_init(&headers, c->headers, sizeof c->headers);
    CHECK(sigv4_header(&headers, "x-aws-ec2-metadata-token",
                       view_of(c->imds_token)));
    prepare(c, HTTP_GET, INSTANCE_MS);
}

/* A token file's text, without the newline at its end. */
static enum file_result read_token(struct credentials *c, struct view *token)
{
    uint32_t len = 0;
    struct span room = {(uint8_t *)c->body, sizeof c->body};
    enum file_result result = file_read(c->token_file, room, &len);
    if (result == FILE_EXPOSED)  /* as Kubernetes mounts them */
        result = FILE_READ;
    *token = view_trim((struct view){room.at, result == FILE_READ ? len : 0});
    return result;
}

bool ask_container(struct credentials *c, struct fault *why)
{
    struct view token = view_trim(c->container_token);
    struct text url, headers;
    if (c->token_file[0] != '\0' && read_token(c, &token) != FILE_READ)
        return refuse(why, ERROR_DENIED,
                      "its authorization token file cannot be read");
    text_init(&url, c->url, sizeof c->url);
    text_str(&url, c->container_url);
    text_init(&headers, c->headers, sizeof c->headers);
    text_str(&headers, "accept:application/json\n");
    if (token.len > 0 && !sigv4_header(&headers, "authorization", token))
        return refuse(why, ERROR_DENIED, "its authorization token is too "
                                         "long, or more than a line");
    prepare(c, HTTP_GET, CONTAINER_MS);
    return true;
}

/* What both requests to STS share; signed unless `keys` is NULL. */
struct question {
    const struct endpoint *sts;
    const struct keys     *keys;
    struct view            body;
    int64_t                wall_ms;
};

static void sign(struct text *headers, const struct question *q)
{
    struct sigv4_key key = {0};
    struct text path;
    char hash[SIGV4_HASH_BYTES], path_at[3 * sizeof q->sts->base_path];
    text_init(&path, path_at, sizeof path_at);
    sigv4_path(&path, view_of(q->sts->base_path));
    sigv4_hash(&q->body, 1, hash);
    struct sigv4_request r = {
        .method = "POST", .path = text_view(&path),
        .host = view_of(q->sts->authority), .payload = hash,
        .service = "sts", .region = q->sts->region, .instant_ms = q->wall_ms,
    };
    CHECK(!path.overflow);
    CHECK(sigv4_sign(headers, &r, q->keys, &key));
    secret_wipe(&key, sizeof key);
}

static void ask_sts(struct credentials *c, const struct question *q)
{
    struct text url, headers;
    text_init(&url, c->url, sizeof c->url);
    text_str(&url, q->sts->scheme);
    text_str(&url, "://");
    text_str(&url, q->sts->authority);
    text_str(&url, q->sts->base_path);
    text_char(&url, '/');
    CHECK(!url.overflow);
    text_init(&headers, c->headers, sizeof c->headers);
    sigv4_header(&headers, "content-type",
                 view_of("application/x-www-form-urlencoded; charset=utf-8"));
    if (q->keys != NULL)
        sign(&headers, q);
    prepare(c, HTTP_POST, STS_MS);
    c->slice = q->body;
    c->exchange.request.local = false;
    c->exchange.request.body = &c->slice;
    c->exchange.request.body_count = 1;
    c->exchange.request.body_bytes = q->body.len;
}

bool ask_web(struct credentials *c, const struct endpoint *sts,
             int64_t wall_ms, struct fault *why)
{
    const char *too_long = "the token file is longer than CFG_BODY_BYTES";
    struct view token;
    struct text body;
    enum file_result result = read_token(c, &token);
    if (result == FILE_LONG || token.len > sizeof c->headers)
        return refuse(why, ERROR_LIMIT, too_long);
    if (result != FILE_READ || token.len == 0)
        return refuse(why, ERROR_DENIED,
                      "the token file is missing, empty or unreadable");
    /* The token stands where the body will: it moves aside meanwhile. */
    uint8_t *aside = (uint8_t *)c->headers;
    memcpy(aside, token.at, token.len);
    text_init(&body, c->body, sizeof c->body);
    bool ok = keys_ask(&body, &c->web, (struct view){aside, token.len},
                       wall_ms);
    struct question q = {sts, NULL, text_view(&body), wall_ms};
    secret_wipe(c->headers, sizeof c->headers);
    if (!ok)
        return refuse(why, ERROR_LIMIT, too_long);
    ask_sts(c, &q);
    return true;
}

void ask_role(struct credentials *c, const struct endpoint *sts,
              int64_t wall_ms)
{
    struct text body;
    text_init(&body, c->body, sizeof c->body);
    CHECK(keys_ask(&body, &c->roles[c->hop], (struct view){0}, wall_ms));
    struct question q = {sts, c->hop == 0 ? &c->base : &c->between,
                         text_view(&body), wall_ms};
    ask_sts(c, &q);
}
