/* law.c - see law.h. */
#include "law.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/chance.h"

enum { RING_BYTES = 65536, QUIET_STEPS = 12 };

struct trial {
    struct stage *stage;
    struct fault  fault;
    struct ring   in, out;
    struct chance chance;
    struct view   rest;       /* input that has not been fed */
    uint32_t      quiet;      /* steps in a row that moved no byte */
    uint32_t      spread;     /* 1 in so many turns: feed or drain nothing */
    uint8_t       in_bytes[RING_BYTES], out_bytes[RING_BYTES];
};

static const struct now start = {1762646400000, 0};

static bool broken(const char *law)
{
    fprintf(stderr, "  law broken: %s\n", law);
    return false;
}

static void feed(struct trial *t, uint32_t most)
{
    uint32_t len = (uint32_t)chance_below(&t->chance, most) + 1;
    len = len < t->rest.len ? len : t->rest.len;
    struct view piece = view_slice(t->rest, 0, len);
    uint32_t done = ring_write(&t->in, piece);

    t->rest = view_slice(t->rest, done, t->rest.len);
    if (t->rest.len == 0 && !t->in.ended && chance_below(&t->chance, 2) == 0)
        ring_end(&t->in);
}

static bool drain(struct trial *t, uint32_t most, struct law_result *result)
{
    struct view v = ring_peek(&t->out);
    uint32_t len = (uint32_t)chance_below(&t->chance, most) + 1;

    len = len < v.len ? len : v.len;
    if (len > LAW_OUT_BYTES - result->len)
        return broken("the output is larger than any that was asked for");
    if (len > 0)
        memcpy(result->bytes + result->len, v.at, len);
    result->len += len;
    ring_consume(&t->out, len);
    return true;
}

static enum flow once(struct trial *t)
{
    return t->stage->step(t->stage, &t->in, &t->out, start);
}

/* A final answer stays, and nothing moves any more. */
static bool stays(struct trial *t, enum flow flow)
{
    uint32_t written = t->out.written, read = t->in.read;

    for (int i = 0; i < 3; i++)
        if (once(t) != flow)
            return broken("the end is sticky");
    return (written == t->out.written && read == t->in.read) ||
           broken("nothing moves after the end");
}

static bool judge(struct trial *t, enum flow flow, bool moved)
{
    t->quiet = moved ? 0 : t->quiet + 1;
    switch (flow) {
    case FLOW_MOVED:
        return t->quiet < QUIET_STEPS || broken("it moves something");
    case FLOW_WANT_INPUT:
        return (ring_len(&t->in) == 0 && !t->in.ended) ||
               broken("it wants input only when there is none");
    case FLOW_WANT_ROOM:
        return ring_room(&t->out) == 0 ||
               broken("it wants room only when there is none");
    case FLOW_WANT_EVENT:
        return broken("a transform waits for no event");
    case FLOW_ENDED:
        if (!t->out.ended || !ring_drained(&t->in))
            return broken("it ends `out` after the end of `in`");
        return stays(t, flow);
    case FLOW_FAILED:
        if (t->out.ended || t->fault.error == ERROR_NONE)
            return broken("who failed set a fault and did not end `out`");
        return stays(t, flow);
    }
    return broken("a flow is one of six");
}

static bool run(struct trial *t, struct law_slicing s,
                struct law_result *result)
{
    enum flow flow = FLOW_MOVED;

    while (flow != FLOW_ENDED && flow != FLOW_FAILED) {
        if (chance_below(&t->chance, t->spread) == 0)
            feed(t, s.feed_most);
        if (chance_below(&t->chance, t->spread) == 0 &&
            !drain(t, s.drain_most, result))
            return false;
        uint32_t written = t->out.written, read = t->in.read;
        flow = once(t);
        bool moved = written != t->out.written || read != t->in.read;
        if (!judge(t, flow, moved || flow != FLOW_MOVED))
            return false;
    }
    while (ring_len(&t->out) > 0)
        if (!drain(t, RING_BYTES, result))
            return false;
    result->flow = flow;
    result->fault = t->fault;
    return true;
}

bool law_run(const struct law *law, struct view in,
             struct law_slicing slicing, struct law_result *result)
{
    struct trial *t = calloc(1, sizeof *t);

    if (t == NULL)
        return broken("no memory for the test");
    ring_init(&t->in, t->in_bytes, slicing.in_ring);
    ring_init(&t->out, t->out_bytes, slicing.out_ring);
    chance_init(&t->chance, slicing.feed_most * 7 + slicing.drain_most);
    t->spread = slicing.feed_most % 3 + 1;
    t->rest = in;
    t->stage = law->begin(law->subject, &t->fault);
    result->len = 0;
    bool held = run(t, slicing, result);
    free(t);
    return held;
}

static bool agree(const struct law_result *a, const struct law_result *b)
{
    uint32_t len = a->len < b->len ? a->len : b->len;

    if (a->flow != b->flow || a->fault.error != b->fault.error)
        return broken("all slicings come to the same end");
    if (a->fault.what != b->fault.what)
        return broken("all slicings fail for the same reason");
    if (a->flow == FLOW_ENDED && a->len != b->len)
        return broken("all slicings give as many bytes");
    return len == 0 || memcmp(a->bytes, b->bytes, len) == 0 ||
           broken("all slicings give the same bytes");
}

bool law_holds(const struct law *law, struct view in,
               struct law_result *result)
{
    static const struct law_slicing slicings[] = {
        {1, 1, 1, 1},          {1, 65536, 1, 65536}, {65536, 1, 65536, 1},
        {2, 4, 2, 3},          {16, 2, 5, 2},        {64, 64, 64, 64},
        {64, 4096, 7, 999},    {4096, 16, 4096, 16}, {8192, 32768, 3000, 700},
        {65536, 65536, 40000, 50000},
    };
    struct law_result other = {.bytes = malloc(LAW_OUT_BYTES)};
    struct law_slicing widest = {65536, 65536, 65536, 65536};
    bool held = other.bytes != NULL && law_run(law, in, widest, result);
    size_t i = 0, n = sizeof slicings / sizeof slicings[0];

    for (; held && i < n; i++) {
        /* One byte at a time is for inputs that are not too long. */
        if (result->len > 40000 && slicings[i].in_ring < 4096)
            continue;
        held = law_run(law, in, slicings[i], &other) && agree(result, &other);
    }
    if (!held)
        fprintf(stderr, "  %u bytes in; slicing %zu of %zu\n", in.len, i, n);
    free(other.bytes);
    return held;
}

bool law_gives(const struct law *law, struct view in, struct view want)
{
    struct law_result result = {.bytes = malloc(LAW_OUT_BYTES)};
    bool held = result.bytes != NULL && law_holds(law, in, &result);

    if (held && result.flow != FLOW_ENDED) {
        fprintf(stderr, "  failed: %s %s\n", result.fault.what,
                result.fault.words);
        held = false;
    }
    if (held && !view_equal((struct view){result.bytes, result.len}, want)) {
        fprintf(stderr, "  got  \"%.*s\"\n  want \"%.*s\"\n",
                (int)(result.len < 400 ? result.len : 400),
                (const char *)result.bytes,
                (int)(want.len < 400 ? want.len : 400),
                (const char *)want.at);
        held = false;
    }
    free(result.bytes);
    return held;
}

bool law_fails(const struct law *law, struct view in, enum error want)
{
    struct law_result result = {.bytes = malloc(LAW_OUT_BYTES)};
    bool held = result.bytes != NULL && law_holds(law, in, &result);

    if (held && (result.flow != FLOW_FAILED || result.fault.error != want)) {
        fprintf(stderr, "  flow %d, error %d instead of %d\n", result.flow,
                result.fault.error, want);
        held = false;
    }
    free(result.bytes);
    return held;
}
