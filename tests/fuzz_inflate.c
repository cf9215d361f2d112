/* fuzz_inflate.c - whatever an object holds, reading it ends, the same way
 * in every slicing: inflate, choose, record and escape one behind the other.
 *
 * The first byte chooses the slicing and what is asked of choose, if that is
 * there, and of record; the rest is the object. */
#include "fetch/choose.h"
#include "fetch/inflate.h"
#include "fetch/record.h"
#include "task/escape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MOST = 1 << 22 };

struct outcome {
    enum flow  flow;
    enum error error;
    uint64_t   bytes, hash;  /* of what came out: FNV-1a */
};

static void drain(struct ring *out, struct outcome *o)
{
    struct view v = ring_peek(out);

    for (uint32_t i = 0; i < v.len; i++)
        o->hash = (o->hash ^ v.at[i]) * 1099511628211u;
    o->bytes += v.len;
    ring_consume(out, v.len);
}

/* 2026-11-09, the first minute; sometimes of one stream, or of a part. */
static void begin_choose(struct choose *c, uint8_t choice,
                         struct fault *fault)
{
    struct choose_want want = {1794182400000, 1794182460000,
                               view_of(choice & 16 ? "s" : "")};

    choose_init(c, &want, choice & 64 ? CHOOSE_ANY
                : choice & 32 ? CHOOSE_TEXT : CHOOSE_NDJSON, fault);
    if (c->form != CHOOSE_ANY)
        choose_middle(c);
}

static struct outcome read_all(struct view in, uint32_t ring_bytes,
                               uint8_t choice)
{
    static struct inflate_workspace workspace;
    static uint8_t bytes[5][65536];
    struct outcome o = {.flow = FLOW_MOVED, .hash = 14695981039346656037u};
    struct fault fault = {0};
    struct inflate inflate;
    struct choose choose;
    struct record record;
    struct escape escape;
    struct ring ring[5], *next = &ring[1];
    struct stage_row row;

    for (int i = 0; i < 5; i++)
        ring_init(&ring[i], bytes[i], ring_bytes);
    inflate_init(&inflate, &workspace, INFLATE_ANY, &fault);
    record_init(&record, choice & 1 ? RECORD_JSON : RECORD_TEXT,
                (choice & 3) == 2, &fault);
    escape_init(&escape, &fault);
    begin_choose(&choose, choice, &fault);
    stage_row_init(&row, &ring[0]);
    stage_row_add(&row, &inflate.stage, next);
    if (choice & 128)
        stage_row_add(&row, &choose.stage, ++next);
    stage_row_add(&row, &record.stage, ++next);
    stage_row_add(&row, &escape.stage, ++next);
    for (uint64_t turn = 0; o.flow != FLOW_ENDED && o.bytes < OUT_MOST;
         turn++) {
        CHECK(turn < 1u << 26);
        in = view_slice(in, ring_write(&ring[0], in), in.len);
        if (in.len == 0 && !ring[0].ended)
            ring_end(&ring[0]);
        o.flow = stage_row_step(&row, (struct now){0, 0});
        drain(next, &o);
        drain(next, &o);  /* behind the wrap */
        if (o.flow == FLOW_FAILED)
            break;
    }
    o.error = fault.error;
    CHECK((o.flow == FLOW_FAILED) == (o.error != ERROR_NONE));
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 1u << 20)
        return 0;
    struct view in = {data + 1, (uint32_t)size - 1};
    struct outcome a = read_all(in, 65536, data[0]);
    struct outcome b = read_all(in, 1u << (data[0] >> 2) % 17, data[0]);

    if (a.bytes >= OUT_MOST || b.bytes >= OUT_MOST)
        return 0;
    /* Where both inflate and choose find fault, slices say who is first. */
    bool either = a.error == ERROR_USAGE || b.error == ERROR_USAGE;
    CHECK(a.flow == b.flow && (a.error == b.error || either));
    CHECK(a.flow != FLOW_ENDED || (a.bytes == b.bytes && a.hash == b.hash));
    return 0;
}
