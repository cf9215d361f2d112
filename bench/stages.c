/* stages.c - what each stage costs alone; see bench/roofline.
 *
 *   stages [MB]       (64: megabytes of messages, of web access logs)
 *
 * Pages of FilterLogEvents are made first, by the tests' AWS, and kept. Then
 * each stage has them, or what the stage before made of them, in memory: no
 * stage has another one's cold caches to pay for, nor waits. Sockets are TCP
 * on the loopback, the other end another process. A line for each: its name,
 * its bytes, CPU seconds of this process, the best of several times. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mbedtls/gcm.h>

#include "aws.h"
#include "base/crc.h"
#include "base/trace.h"
#include "call/digest.h"
#include "call/files.h"
#include "pack/lane.h"

enum {
    PAGES_MOST = 4096, SLICE_BYTES = 16384, GROUP_SLOTS = 64, TIMES = 5,
    SEND_BYTES = 65536,  /* handed to the kernel at once */
};
#define FROM INT64_C(1794182400000)

struct page {
    uint8_t *at;
    uint32_t len;
};

static struct page pages[PAGES_MOST];
static uint32_t page_count;
static uint64_t reply_bytes, raw_bytes, packed_bytes;
static uint8_t *raw;  /* the lines of all pages */

/* --- making the pages ---------------------------------------------------- */

static void ask_page(struct aws *m, const char *token)
{
    char body[8192];
    const struct aws_header headers[] = {
        {aws_str("Host"), aws_str("127.0.0.1:4566")},
        {aws_str("Content-Type"), aws_str("application/x-amz-json-1.1")},
        {aws_str("X-Amz-Target"), aws_str("Logs_20140328.FilterLogEvents")},
    };
    const struct aws_request r = {
        aws_str("POST"), aws_str("/"), aws_str(""), headers, 3, false};
    (void)snprintf(body, sizeof body,
                   "{\"logGroupName\":\"/b\",\"startTime\":%lld,"
                   "\"endTime\":%lld%s%s%s}", (long long)FROM,
                   (long long)FROM + DAY_MS,
                   token[0] != '\0' ? ",\"nextToken\":\"" : "", token,
                   token[0] != '\0' ? "\"" : "");
    struct aws_exchange *x = aws_open(m, &r, FROM + 15 * (int64_t)DAY_MS);
    aws_body(x, body, strlen(body));
    const struct aws_reply *reply = aws_finish(x, FROM + 15 *
                                                      (int64_t)DAY_MS);
    CHECK(reply->status == 200 && page_count < PAGES_MOST);
    struct page *p = &pages[page_count++];
    p->at = malloc((size_t)reply->length + 1);
    p->len = (uint32_t)aws_read(x, p->at, (size_t)reply->length);
    CHECK(p->at != NULL && p->len == reply->length);
    p->at[p->len] = '\0';
    reply_bytes += p->len;
    aws_close(x);
}

static void make_pages(const char *profile, uint64_t bytes)
{
    struct aws *m = aws_new(1, "us-east-1", "111111111111");
    struct aws_fill fill = {
        .profile = profile, .spread = "uniform", .from = FROM,
        .until = FROM + DAY_MS, .bytes = bytes, .seed = 1};
    char token[4096] = "";
    CHECK(aws_set(m, "check-signature", 0));
    CHECK(aws_fill_group(m, "/b", &fill));
    for (;;) {
        static const char name[] = "\"nextToken\":\"";
        ask_page(m, token);
        struct page *p = &pages[page_count - 1];
        const char *end = (const char *)p->at + p->len;
        const char *at = end - (p->len < 5000 ? p->len : 5000);
        at = strstr(at, name);
        if (at == NULL)
            break;
        at += sizeof name - 1;
        (void)snprintf(token, sizeof token, "%.*s",
                       (int)(strchr(at, '"') - at), at);
    }
    aws_free(m);
}

/* --- a transport that has them ------------------------------------------- */

struct transport {
    struct http_exchange *x;
    uint32_t page, at;
};

bool transport_start(struct transport *t, struct http_exchange *x)
{
    CHECK(t->x == NULL && t->page < page_count);
    http_reset(x);
    x->state = HTTP_ACTIVE;
    http_head_line(x, view_of("HTTP/1.1 200 OK\r\n"));
    t->x = x;
    t->at = 0;
    return true;
}

void transport_cancel(struct transport *t, struct http_exchange *x)
{
    x->state = HTTP_IDLE;
    t->x = NULL;
}

/* As curl does: slices of up to 16 KiB, as long as there is room. */
static void deliver(struct transport *t)
{
    while (t->x != NULL) {
        const struct page *p = &pages[t->page];
        uint32_t left = p->len - t->at;
        uint32_t len = left < SLICE_BYTES ? left : SLICE_BYTES;
        if (!http_body(t->x, (struct view){p->at + t->at, len}))
            return;
        t->at += len;
        if (t->at < p->len)
            continue;
        http_finish(t->x, 0, NULL);
        t->x = NULL;
        t->page++;
    }
}

enum file_result file_read(const char *path, struct span room, uint32_t *len)
{
    (void)path;
    (void)room;
    *len = 0;
    return FILE_MISSING;
}

void trace_state(const char *machine, const char *from, const char *to)
{
    (void)machine;
    (void)from;
    (void)to;
}

/* --- TLS and sockets ----------------------------------------------------- */

/* Records as TLS has them, by AES-256-GCM. */
static void crypt_records(int mode, uint64_t bytes)
{
    static uint8_t record[SLICE_BYTES], key[32], iv[12], added[5], tag[16];
    mbedtls_gcm_context g;
    mbedtls_gcm_init(&g);
    CHECK(mbedtls_gcm_setkey(&g, MBEDTLS_CIPHER_ID_AES, key, 256) == 0);
    for (uint64_t at = 0; at < bytes; at += SLICE_BYTES)
        CHECK(mbedtls_gcm_crypt_and_tag(
                  &g, mode, SLICE_BYTES, iv, sizeof iv, added, sizeof added,
                  record, record, sizeof tag, tag) == 0);
    mbedtls_gcm_free(&g);
}

static void run_decipher(void)
{
    crypt_records(MBEDTLS_GCM_DECRYPT, reply_bytes);
}

static void run_encipher(void)
{
    crypt_records(MBEDTLS_GCM_ENCRYPT, packed_bytes);
}

static void send_all(int fd, uint64_t bytes)
{
    static uint8_t piece[SEND_BYTES];
    while (bytes > 0) {
        size_t len = bytes < sizeof piece ? (size_t)bytes : sizeof piece;
        ssize_t sent = send(fd, piece, len, MSG_NOSIGNAL);
        CHECK(sent > 0);
        bytes -= (uint64_t)sent;
    }
}

static void receive_all(int fd)
{
    static uint8_t piece[SLICE_BYTES];
    while (recv(fd, piece, sizeof piece, 0) > 0)
        continue;
}

/* With the buffers that firn asks for. */
static int made_socket(void)
{
    int bytes = CFG_SOCKET_BYTES, fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return fd;
}

/* One way: the other end is a child, whose CPU is its own. */
static void through_socket(uint64_t bytes, bool in)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    int door = made_socket(), fd;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(door, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK(listen(door, 1) == 0);
    CHECK(getsockname(door, (struct sockaddr *)&at, &len) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        fd = made_socket();
        CHECK(connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
        if (in)
            send_all(fd, bytes);
        else
            receive_all(fd);
        _exit(0);
    }
    fd = accept(door, NULL, NULL);
    CHECK(fd >= 0);
    if (in)
        receive_all(fd);
    else
        send_all(fd, bytes);
    (void)close(fd);
    (void)close(door);
    (void)waitpid(child, NULL, 0);
}

static void run_receive(void)
{
    through_socket(reply_bytes, true);
}

static void run_send(void)
{
    through_socket(packed_bytes, false);
}

/* --- the stages ---------------------------------------------------------- */

static void run_frame(void)
{
    static uint8_t bytes[CFG_LANE_RING_BYTES], out[1 << 21];
    static struct frame f;
    for (uint32_t i = 0; i < page_count; i++) {
        enum frame_got got = FRAME_MORE;
        struct ring r;
        uint32_t at = 0;
        ring_init(&r, bytes, sizeof bytes);
        frame_init(&f, DECODE_JSON);
        while (got != FRAME_END) {
            uint32_t left = pages[i].len - at;
            uint32_t len = left < SLICE_BYTES ? left : SLICE_BYTES;
            if (got == FRAME_MORE)
                at += ring_write(&r, (struct view){pages[i].at + at, len});
            if (at == pages[i].len)
                ring_end(&r);
            got = frame_step(&f, &r, (struct span){out, sizeof out});
            CHECK(got != FRAME_BAD && got != FRAME_ROOM);
        }
    }
}

struct job {
    struct transport   transport;
    struct site        site;
    struct arena       arena;
    struct lane_shared shared;
    struct lane        lane;
    uint16_t           next[GROUP_SLOTS];
    uint8_t            slots[GROUP_SLOTS * CFG_SLOT_BYTES];
};

static void begin_job(struct job *j, enum pack_kind kind)
{
    struct settings settings = {0};
    struct fault fault = {0};
    settings.env[SETTING_KEY_ID] = view_of("AKIABENCH00000000001");
    settings.env[SETTING_SECRET] = view_of("secret");
    const struct site_options options = {
        .settings = &settings, .region = view_of("us-east-1"), .rate = 10000,
        .endpoint_url = view_of("http://127.0.0.1:4566"), .seed = 1};
    j->transport = (struct transport){0};
    j->site.transport = &j->transport;
    CHECK(site_init(&j->site, &options, &fault));
    arena_init(&j->arena, (struct span){j->slots, sizeof j->slots}, j->next,
               CFG_SLOT_BYTES);
    j->shared = (struct lane_shared){
        .scope = {.group = view_of("/b"), .form = DECODE_JSON},
        .arena = &j->arena, .day_ms = FROM, .settled_ms = INT64_MAX};
    pack_init(&j->shared.pack, kind);
    lane_init(&j->lane, &j->site, &j->shared);
    lane_begin(&j->lane, FROM, FROM + DAY_MS, true);
}

/* The lines of a block, kept the first time. */
static void keep_lines(struct job *j, uint64_t at)
{
    struct view v;
    while (raw_bytes == 0 && raw != NULL &&
           (v = chain_peek(&j->arena, &j->lane.chain)).len > 0) {
        memcpy(raw + at, v.at, v.len);
        at += v.len;
        chain_consume(&j->arena, &j->lane.chain, v.len);
    }
    chain_clear(&j->arena, &j->lane.chain);
}

/* Replies become lines in blocks, and these are dropped unpacked. */
static void run_lane(void)
{
    static struct job j;
    const struct lane_policy policy = {0};
    struct now now = {FROM + 15 * (int64_t)DAY_MS, 1};
    uint64_t at = 0;
    begin_job(&j, PACK_NONE);
    while (j.lane.state == LANE_READING) {
        enum flow flow = lane_step(&j.lane, now, policy);
        CHECK(flow != FLOW_FAILED);
        for (const struct block *b; (b = lane_block(&j.lane)) != NULL;) {
            uint32_t len = b->packed_bytes;
            keep_lines(&j, at);
            at += len;
            lane_take(&j.lane);
        }
        if (flow != FLOW_MOVED)
            deliver(&j.transport);
        now.mono_ms += flow != FLOW_MOVED;
    }
    raw_bytes = at;
}

/* The blocks of lines, in memory. */
static void run_deflate(void)
{
    static struct job j;
    begin_job(&j, PACK_GZIP);
    packed_bytes = 0;
    for (uint64_t at = 0; at < raw_bytes; at += CFG_BLOCK_BYTES) {
        uint64_t left = raw_bytes - at;
        struct view block = {raw + at, left < CFG_BLOCK_BYTES
                                           ? (uint32_t)left : CFG_BLOCK_BYTES};
        packed_bytes += pack_block(&j.shared.pack, block, &j.arena,
                                   &j.lane.chain);
        chain_clear(&j.arena, &j.lane.chain);
    }
}

static void run_crc32(void)
{
    uint32_t crc = 0;
    for (uint64_t at = 0; at + CFG_BLOCK_BYTES <= raw_bytes;
         at += CFG_BLOCK_BYTES)
        crc = pack_crc(crc, (struct view){raw + at, CFG_BLOCK_BYTES});
    CHECK(crc != 1);  /* so that it is computed */
}

static void run_crc64(void)
{
    uint64_t crc = 0;
    for (uint64_t at = 0; at + SLICE_BYTES <= packed_bytes; at += SLICE_BYTES)
        crc = crc64_add(crc, (struct view){raw + at, SLICE_BYTES});
    CHECK(crc != 1);
}

static void run_sha256(void)
{
    uint8_t out[SHA256_BYTES];
    const struct view v = {raw, (uint32_t)packed_bytes};
    digest_sha256(&v, 1, out);
}

static void measure(const char *name, void (*run)(void), const uint64_t *bytes)
{
    double best = 1e9;
    for (int i = 0; i < TIMES; i++) {
        clock_t begun = clock();
        run();
        double seconds = (double)(clock() - begun) / CLOCKS_PER_SEC;
        best = seconds < best ? seconds : best;
    }
    printf("%s\t%llu\t%.4f\n", name, (unsigned long long)*bytes, best);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    make_pages("web", (argc > 1 ? (uint64_t)atoll(argv[1]) : 64) * 1000000);
    raw = malloc(reply_bytes);
    CHECK(raw != NULL);
    run_lane();
    run_deflate();
    measure("lines", run_lane, &raw_bytes);
    measure("json", run_frame, &reply_bytes);
    measure("deflate", run_deflate, &raw_bytes);
    measure("crc32", run_crc32, &raw_bytes);
    measure("crc64", run_crc64, &packed_bytes);
    measure("sha256", run_sha256, &packed_bytes);
    measure("decipher", run_decipher, &reply_bytes);
    measure("encipher", run_encipher, &packed_bytes);
    measure("receive", run_receive, &reply_bytes);
    measure("send", run_send, &packed_bytes);
    return 0;
}
