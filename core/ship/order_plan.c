/* order_plan.c - what sorting comes to, and names: see order.h. */
#include "base/limits.h"
#include "ship/order.h"

enum {
    PIECE_SHARE = 8,  /* of the memory: one piece of so many */
    HEADS_SHARE = 8,  /* of the bytes: heads and places, at a guess */
};

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static uint64_t share(uint64_t whole, uint64_t part)
{
    return (whole + part - 1) / part;
}

struct order_geometry order_geometry(uint32_t memory_bytes,
                                     uint32_t last_bytes)
{
    uint32_t pieces = memory_bytes / PIECE_SHARE / CFG_RUN_BYTES;
    struct order_geometry g = {
        .piece_bytes = pieces * CFG_RUN_BYTES,
    };

    CHECK(pieces > 0);
    g.fan_in = feed_runs(memory_bytes - g.piece_bytes, CFG_RUN_BYTES);
    g.last_fan_in = feed_runs(last_bytes, CFG_RUN_BYTES);
    return g;
}

/* The last merge is to have a run for each reader, no fewer. */
uint32_t order_fan(const struct order_geometry *g, uint64_t runs)
{
    uint32_t last = least(FEED_READERS, g->last_fan_in);
    uint64_t fan = share(runs, last);

    return least(fan, g->fan_in);
}

struct order_price order_price(uint64_t bytes, uint32_t memory_bytes,
                               uint32_t last_bytes)
{
    struct order_geometry g = order_geometry(memory_bytes, last_bytes);
    uint64_t stored = bytes + bytes / HEADS_SHARE;
    uint64_t runs = share(stored, memory_bytes);
    struct order_price p = {.runs = runs, .puts = runs};

    while (runs > g.last_fan_in) {
        uint32_t fan = order_fan(&g, runs);
        p.passes++;
        p.gets += runs + stored / feed_buffer_bytes(memory_bytes -
                                                    g.piece_bytes, fan);
        runs = share(runs, fan);
        p.puts += runs + stored / g.piece_bytes;
    }
    p.gets += runs + stored / feed_buffer_bytes(last_bytes, (uint32_t)runs);
    return p;
}

struct view order_name(const struct order_setup *s, char *at,
                       const struct order_run *run)
{
    struct text t;

    text_init(&t, at, ORDER_KEY_BYTES);
    text_put(&t, s->beside);
    text_str(&t, "run-");
    if (run != NULL) {
        text_u64(&t, run->level);
        text_char(&t, '-');
        text_pad(&t, run->number, 6);
        text_char(&t, '-');
        text_pad(&t, run->piece, 6);
    }
    CHECK(!t.overflow);
    return text_view(&t);
}

bool order_is_run(struct view file)
{
    static const char shape[] = ".run-d-dddddd-dddddd";
    const uint32_t len = sizeof shape - 1;
    bool same = file.len > len && file.at[0] == '_';

    for (uint32_t i = 0; same && i < len; i++) {
        uint8_t c = file.at[file.len - len + i];
        same = shape[i] == 'd' ? c >= '0' && c <= '9' : c == shape[i];
    }
    return same;
}
