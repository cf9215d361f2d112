/* fuzz_head.c - any bytes as a reply: how its head is written, and how its
 * body is cut, changes nothing of what is read.
 *
 * The first byte chooses the pieces of the body and whether there is a sink;
 * then come the head's lines, an empty one and the body. */
#include "call/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IN_MOST = 1 << 16 };

struct reading {
    struct http_exchange x;
    struct ring ring;
    uint8_t     bytes[2 * IN_MOST];
};

/* The same header as other servers write it. */
static uint32_t rewrite(struct view line, uint8_t *to)
{
    uint32_t colon = view_find(line, ':'), len = 0;
    bool name = !view_starts(view_trim(line), "HTTP/") && colon < line.len;

    for (uint32_t i = 0; i < line.len; i++) {
        uint8_t b = line.at[i];
        bool letter = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
        to[len++] = name && i < colon && letter ? b ^ 0x20 : b;
        if (name && i == colon) {
            to[len++] = ' ';
            to[len++] = '\t';
        }
    }
    memcpy(to + len, " \r\n", 3);
    return len + 3;
}

static void read_reply(struct reading *r, struct view in, uint32_t piece,
                       bool sink)
{
    static uint8_t line_bytes[IN_MOST + 8];

    memset(r, 0, sizeof *r);
    ring_init(&r->ring, r->bytes, sizeof r->bytes);
    r->x.sink = sink ? &r->ring : NULL;
    http_reset(&r->x);
    r->x.state = HTTP_ACTIVE;
    while (in.len > 0) {
        struct view line = view_split(&in, '\n');
        if (line.len == 0)
            break;
        if (piece < IN_MOST)
            line = (struct view){line_bytes, rewrite(line, line_bytes)};
        http_head_line(&r->x, line);
    }
    while (in.len > 0) {
        CHECK(http_body(&r->x, view_slice(in, 0, piece < in.len ? piece
                                                                : in.len)));
        in = view_slice(in, piece < in.len ? piece : in.len, in.len);
    }
    http_finish(&r->x, 0, NULL);
}

static void check_reply(const struct reading *r)
{
    const struct http_exchange *x = &r->x;
    const struct http_reply *p = &x->reply;
    bool good = p->status >= 200 && p->status <= 299;
    bool whole = !p->has_length || x->received >= p->content_length;

    CHECK(p->status == 0 || (p->status >= 100 && p->status <= 999));
    CHECK(p->has_length || p->content_length == 0);
    CHECK(p->retry_after_ms >= 0 && p->retry_after_ms <= 1000000000);
    CHECK((x->state == HTTP_DONE) ==
          (p->status >= 200 && (whole || p->status == 304)));
    CHECK((x->state == HTTP_DONE) == (x->failure_text == NULL));
    if (x->sink != NULL)
        CHECK(x->sink->ended == (good && x->state == HTTP_DONE));
    CHECK(!good || x->error_len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading whole, cut;
    if (size < 1 || size > IN_MOST)
        return 0;
    struct view in = {data + 1, (uint32_t)size - 1};
    read_reply(&whole, in, IN_MOST, data[0] & 1);
    read_reply(&cut, in, 1 + (data[0] >> 1), data[0] & 1);
    check_reply(&whole);
    CHECK(whole.x.state == cut.x.state);
    CHECK(whole.x.received == cut.x.received);
    CHECK(memcmp(&whole.x.reply, &cut.x.reply, sizeof whole.x.reply) == 0);
    CHECK(whole.x.error_len == cut.x.error_len);
    CHECK(memcmp(whole.x.error, cut.x.error, sizeof whole.x.error) == 0);
    CHECK(memcmp(whole.bytes, cut.bytes, sizeof whole.bytes) == 0);
    return 0;
}
