/* transport_handle.c - libcurl's easy interface: requests, and callbacks. */
#include "transport_handle.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/check.h"

enum {
    PIECE_BYTES = 16384,    /* read at once, and a TLS record's payload */
    UPLOAD_BYTES = 16384,   /* handed to curl at once, and as much of the pool
                               for each handle that ever sent a body */
    LARGE_BYTES = CFG_POOL_BYTES < 1 << 20 ? UPLOAD_BYTES : 65536,  /* the
                               same of a body that is worth it */
    IDLE_S = 60,            /* a connection unused for so long is closed */
};

bool handle_has_room(const struct http_exchange *x)
{
    uint64_t want = PIECE_BYTES, length = x->reply.content_length;

    if (x->sink != NULL && x->sink->capacity / 2 < want)
        want = x->sink->capacity / 2;
    if (x->reply.has_length && length < x->received + want)
        want = length > x->received ? length - x->received : 0;
    return http_room(x) >= want;
}

static bool starts(struct view line, const char *name)
{
    size_t len = strlen(name);

    return line.len >= len &&
           strncasecmp((const char *)line.at, name, len) == 0;
}

static size_t on_head(char *at, size_t one, size_t count, void *context)
{
    struct transport_slot *s = context;
    struct view line = {(const uint8_t *)at, (uint32_t)(one * count)};

    s->moved += line.len;
    if (starts(line, "HTTP/"))
        s->framed = s->headed = false;
    if (line.len > 0 && (line.at[0] == '\r' || line.at[0] == '\n'))
        s->headed = true;
    if (starts(line, "Content-Length:") || starts(line, "Transfer-Encoding:"))
        s->framed = true;
    http_head_line(s->x, line);
    return one * count;
}

/* Both directions, because curl 8.14 reads on, once, when only one of them is
 * paused. */
static void pause_both(struct transport_slot *s)
{
    s->paused = true;
    (void)curl_easy_pause(s->easy, CURLPAUSE_ALL);
}

/* Pausing before curl has read what the sink could not take keeps the bytes
 * in the kernel; else curl holds a piece of them in the pool. */
static size_t on_body(char *at, size_t one, size_t count, void *context)
{
    struct transport_slot *s = context;
    uint32_t len = (uint32_t)(one * count), room = http_room(s->x), take;

    CHECK(s->given <= len);
    take = len - s->given < room ? len - s->given : room;
    if (take > 0) {
        const uint8_t *from = (const uint8_t *)at + s->given;
        CHECK(http_body(s->x, (struct view){from, take}));
        s->moved += take;
    }
    if (s->given + take < len) {
        s->given += take;
        pause_both(s);
        return CURL_WRITEFUNC_PAUSE;
    }
    s->given = 0;
    if (!handle_has_room(s->x))
        pause_both(s);
    return len;
}

static size_t on_upload(char *at, size_t one, size_t count, void *context)
{
    struct transport_slot *s = context;
    size_t room = one * count, used = 0;

    CHECK(room <= CURL_MAX_READ_SIZE);
    while (used < room) {
        struct view v = http_upload(s->x, (uint32_t)(room - used));
        if (v.len == 0)
            break;
        CHECK(v.len <= room - used);
        memcpy(at + used, v.at, v.len);
        s->x->sent += v.len;
        s->moved += v.len;
        used += v.len;
    }
    return used;
}

/* curl sends the request again on a new connection. */
static int on_seek(void *context, curl_off_t offset, int origin)
{
    struct transport_slot *s = context;

    if (origin != SEEK_SET || offset < 0 ||
        (uint64_t)offset > s->x->request.body_bytes)
        return CURL_SEEKFUNC_FAIL;
    s->x->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* As curl would, which forgets why there is none. */
static curl_socket_t on_socket(void *context, curlsocktype kind,
                               struct curl_sockaddr *address)
{
    struct transport_slot *s = context;
    curl_socket_t fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
                              address->protocol);

    (void)kind;
    if (fd < 0)
        s->no_socket = errno;
    return fd;
}

/* Before connecting, so that the window is agreed on accordingly. */
static int on_socket_made(void *context, curl_socket_t fd, curlsocktype kind)
{
    int bytes = CFG_SOCKET_BYTES, on = 1;

    (void)context;
    (void)kind;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return CURL_SOCKOPT_OK;
}

static CURLcode on_tls(CURL *easy, void *config, void *context)
{
    struct transport_slot *s = context;

    (void)easy;
    trust_apply(&s->transport->trust, config, s->host, &s->verdict);
    return CURLE_OK;
}

static bool names(const char *line, const char *name)
{
    size_t len = strlen(name);

    return strncasecmp(line, name, len) == 0 && line[len] == ':';
}

/* curl wants a list of strings; a name with no value is written "name;", and
 * "name:" takes back a header that curl would add. */
static bool make_headers(struct transport_slot *s, const char *lines)
{
    size_t bytes = strlen(lines) + 1, count = 2, used = 0;
    bool has_type = false;
    struct curl_slist *node;
    char *text;

    for (const char *c = lines; *c != '\0'; c++)
        count += *c == '\n';
    node = malloc(count * sizeof *node + bytes);
    if (node == NULL)
        return false;
    text = (char *)(node + count);
    memcpy(text, lines, bytes);
    s->headers = node;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL;
         line = end + 1) {
        char *colon = memchr(line, ':', (size_t)(end - line));
        *end = '\0';
        CHECK(colon != NULL);
        if (colon[1 + strspn(colon + 1, " ")] == '\0')
            memcpy(colon, ";", 2);
        has_type = has_type || names(line, "content-type");
        node[used++].data = line;
    }
    node[used++].data = (char *)(uintptr_t)"Accept:";
    if (!has_type)
        node[used++].data = (char *)(uintptr_t)"Content-Type:";
    for (size_t i = 0; i < used; i++)
        node[i].next = i + 1 < used ? &node[i + 1] : NULL;
    return true;
}

/* The failures of setopt are those of memory; the first one stays. */
#define SET(slot, option, value)                                      \
    do {                                                              \
        CURLcode code_ = curl_easy_setopt((slot)->easy, option, value); \
        if ((slot)->doomed == CURLE_OK)                               \
            (slot)->doomed = code_;                                   \
    } while (0)

static void set_method(struct transport_slot *s, const struct http_request *r)
{
    curl_off_t bytes = (curl_off_t)r->body_bytes;
    bool large = r->body_bytes > LARGE_BYTES;

    SET(s, CURLOPT_UPLOAD_BUFFERSIZE,
        large ? (long)LARGE_BYTES : (long)UPLOAD_BYTES);
    SET(s, CURLOPT_CUSTOMREQUEST, NULL);
    SET(s, CURLOPT_HTTPGET, 1L);  /* undoes what the last one set */
    switch (r->method) {
    case HTTP_GET:
        break;
    case HTTP_HEAD:
        SET(s, CURLOPT_NOBODY, 1L);
        break;
    case HTTP_PUT:
        SET(s, CURLOPT_UPLOAD, 1L);
        SET(s, CURLOPT_INFILESIZE_LARGE, bytes);
        break;
    case HTTP_POST:
        SET(s, CURLOPT_POST, 1L);
        SET(s, CURLOPT_POSTFIELDSIZE_LARGE, bytes);
        break;
    case HTTP_DELETE:
        SET(s, CURLOPT_CUSTOMREQUEST, "DELETE");
        break;
    }
}

static struct view host_of(const char *url)
{
    const char *at = strstr(url, "://");

    CHECK(at != NULL);
    at += 3;
    if (*at == '[') {
        at++;
        return (struct view){(const uint8_t *)at, (uint32_t)strcspn(at, "]")};
    }
    return (struct view){(const uint8_t *)at, (uint32_t)strcspn(at, ":/?#")};
}

void handle_version(struct transport_slot *s)
{
    bool old = trust_is_demoted(&s->transport->trust, s->host);

    SET(s, CURLOPT_SSLVERSION, old ? (long)CURL_SSLVERSION_TLSv1_2 |
                                         (long)CURL_SSLVERSION_MAX_TLSv1_2
                                   : (long)CURL_SSLVERSION_TLSv1_2);
}

void handle_request(struct transport_slot *s, const struct http_request *r)
{
    bool proxied = !r->local && strncmp(r->url, "https:", 6) == 0;

    s->host = host_of(r->url);
    if (!make_headers(s, r->headers))
        s->doomed = CURLE_OUT_OF_MEMORY;
    SET(s, CURLOPT_URL, r->url);
    SET(s, CURLOPT_HTTPHEADER, s->headers);
    set_method(s, r);
    handle_version(s);
    SET(s, CURLOPT_PROXY, proxied ? NULL : "");  /* NULL: as the
                                                    environment says */
    SET(s, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    SET(s, CURLOPT_FRESH_CONNECT, s->fresh || r->once ? 1L : 0L);
}

bool handle_make(struct transport_slot *s, const char *user_agent)
{
    s->doomed = CURLE_OK;
    s->easy = curl_easy_init();
    if (s->easy == NULL)
        return false;
    SET(s, CURLOPT_PRIVATE, (char *)s);
    SET(s, CURLOPT_ERRORBUFFER, s->error);
    SET(s, CURLOPT_USERAGENT, user_agent);
    SET(s, CURLOPT_NOSIGNAL, 1L);
    SET(s, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(s, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(s, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    SET(s, CURLOPT_PATH_AS_IS, 1L);
    SET(s, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(s, CURLOPT_FOLLOWLOCATION, 0L);
    SET(s, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(s, CURLOPT_CONNECTTIMEOUT_MS, (long)CFG_CONNECT_MS);
    SET(s, CURLOPT_MAXAGE_CONN, (long)IDLE_S);
    SET(s, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(s, CURLOPT_BUFFERSIZE, (long)PIECE_BYTES);
    SET(s, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(s, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(s, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    SET(s, CURLOPT_SSL_CTX_FUNCTION, on_tls);
    SET(s, CURLOPT_SSL_CTX_DATA, s);
    SET(s, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    SET(s, CURLOPT_OPENSOCKETDATA, s);
    SET(s, CURLOPT_SOCKOPTFUNCTION, on_socket_made);
    SET(s, CURLOPT_HEADERFUNCTION, on_head);
    SET(s, CURLOPT_HEADERDATA, s);
    SET(s, CURLOPT_WRITEFUNCTION, on_body);
    SET(s, CURLOPT_WRITEDATA, s);
    SET(s, CURLOPT_READFUNCTION, on_upload);
    SET(s, CURLOPT_READDATA, s);
    SET(s, CURLOPT_SEEKFUNCTION, on_seek);
    SET(s, CURLOPT_SEEKDATA, s);
    return s->doomed == CURLE_OK;
}
