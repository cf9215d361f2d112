/* stages.c - what each stage costs, without any network.
 *
 *   stages [PROFILE [MB]]       (tests/aws/message.h; web, 64)
 *
 * Pages of FilterLogEvents are made first, by the tests' AWS, and kept; then
 * they are read again and again, each time by more of the pipeline: messages
 * decoded; replies framed; a lane that makes lines and blocks, unpacked, then
 * packed. CPU seconds are those of this process, for each GB of lines. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "aws.h"
#include "base/trace.h"
#include "call/files.h"
#include "pack/lane.h"

enum { PAGES_MOST = 4096, SLICE_BYTES = 16384, GROUP_SLOTS = 64 };
#define FROM INT64_C(1794182400000)

struct page {
    uint8_t *at;
    uint32_t len;
};

static struct page pages[PAGES_MOST];
static uint32_t page_count;
static uint64_t reply_bytes;

/* --- making the pages ------------------------------------------------------ */

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

/* --- a transport that has them ---------------------------------------------- */

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

/* --- the stages -------------------------------------------------------------- */

static uint64_t raw_bytes;  /* of all lines; known from the first lane */

static void report(const char *what, clock_t begun, uint64_t bytes)
{
    double seconds = (double)(clock() - begun) / CLOCKS_PER_SEC;
    printf("%-28s %7.0f MB/s of %7.1f MB", what,
           (double)bytes / 1e6 / seconds, (double)bytes / 1e6);
    if (raw_bytes > 0)
        printf("   %.3f CPU s/GB of lines",
               seconds / ((double)raw_bytes / 1e9));
    printf("\n");
}

static void run_copy(void)
{
    static uint8_t bytes[CFG_LANE_RING_BYTES];
    struct ring r;
    clock_t begun = clock();
    ring_init(&r, bytes, sizeof bytes);
    for (uint32_t i = 0; i < page_count; i++)
        for (uint32_t at = 0; at < pages[i].len;) {
            uint32_t left = pages[i].len - at;
            uint32_t len = left < SLICE_BYTES ? left : SLICE_BYTES;
            at += ring_write(&r, (struct view){pages[i].at + at, len});
            ring_consume(&r, ring_len(&r));
        }
    report("copied into the ring", begun, reply_bytes);
}

static void run_decode(void)
{
    static uint8_t out[1 << 21];
    static const char name[] = "\"message\":\"";
    struct decode d;
    uint64_t bytes = 0;
    clock_t spent = 0;
    for (uint32_t i = 0; i < page_count; i++) {
        struct view strings[10000];
        uint32_t count = 0, taken, made;
        const char *at = (const char *)pages[i].at;
        while (count < 10000 && (at = strstr(at, name)) != NULL) {
            at += sizeof name - 1;
            const char *end = at;
            while (*end != '"')
                end += *end == '\\' ? 2 : 1;
            strings[count++] = (struct view){(const uint8_t *)at,
                                             (uint32_t)(end + 1 - at)};
            bytes += (uint64_t)(end + 1 - at);
            at = end;
        }
        clock_t begun = clock();
        for (uint32_t k = 0; k < count; k++) {
            decode_init(&d, DECODE_JSON);
            (void)decode_step(&d, strings[k], &taken,
                              (struct span){out, sizeof out}, &made);
        }
        spent += clock() - begun;
    }
    report("decode, messages alone", clock() - spent, bytes);
}

static void run_frame(void)
{
    static uint8_t bytes[CFG_LANE_RING_BYTES], out[1 << 21];
    static struct frame f;
    clock_t begun = clock();
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
    report("frame, copy and decode in it", begun, reply_bytes);
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

static void run_lane(const char *what, enum pack_kind kind)
{
    static struct job j;
    clock_t begun = clock();
    const struct lane_policy policy = {0};
    struct now now = {FROM + 15 * (int64_t)DAY_MS, 1};
    uint64_t packed = 0;
    begin_job(&j, kind);
    while (j.lane.state == LANE_READING) {
        enum flow flow = lane_step(&j.lane, now, policy);
        CHECK(flow != FLOW_FAILED);
        for (const struct block *b; (b = lane_block(&j.lane)) != NULL;) {
            packed += b->packed_bytes;
            chain_clear(&j.arena, &j.lane.chain);
            lane_take(&j.lane);
        }
        if (flow != FLOW_MOVED)
            deliver(&j.transport);
        now.mono_ms += flow != FLOW_MOVED;
    }
    bool first = raw_bytes == 0;
    raw_bytes = j.lane.raw_bytes;
    if (!first)
        report(what, begun, reply_bytes);
    else
        printf("%llu events in %u pages, %.1f MB; lines %.1f MB\n",
               (unsigned long long)j.lane.settled.events +
                   j.lane.start.settled.events,
               page_count, (double)reply_bytes / 1e6,
               (double)raw_bytes / 1e6);
    if (!first && kind != PACK_NONE)
        printf("%-28s %.2f\n", "  ratio",
               (double)raw_bytes / (double)packed);
}

int main(int argc, char **argv)
{
    const char *profile = argc > 1 ? argv[1] : "web";
    uint64_t megabytes = argc > 2 ? (uint64_t)atoll(argv[2]) : 64;
    make_pages(profile, megabytes * 1000000);
    run_lane("", PACK_NONE);
    run_copy();
    run_decode();
    run_frame();
    run_lane("lane, blocks not packed", PACK_NONE);
    run_lane("lane, gzip", PACK_GZIP);
    run_lane("lane, zstd", PACK_ZSTD);
    return 0;
}
