/* test_join.c - a day read through all lanes is the day, in order, each event
 * once; and its blocks do not depend on lanes, network or faults.
 * Method: the simulated AWS (sim.h) and virtual time. What should come
 * is made apart from core (oracle.h). Each row is a day and a mood of AWS; each
 * runs with several seeds. */
#include <stdlib.h>

#include <isa-l/igzip_lib.h>

#include "oracle.h"
#include "row.h"
#include "sim.h"

enum { SPINS_MOST = 2000 };

/* --- a run ---------------------------------------------------------------- */

struct mood {
    const char *name;
    const char *profile, *spread;
    uint64_t    bytes;
    const char *settings;  /* "name=value name=value" */
    const char *faults;    /* one a line */
    uint32_t    rate;      /* reads a second; 0: no limit to speak of */
    uint32_t    late_permille;
    int64_t     until_ms;  /* length of the window; 0: a day */
    enum pack_kind kind;
    bool        text;      /* not JSON */
    bool        slow;      /* whoever takes the blocks takes his time */
    uint16_t    kept;      /* slots that even the head leaves free */
};

struct machine {
    struct transport   transport;
    struct site        site;
    struct arena       arena;
    struct lane_shared shared;
    struct join        join;
    uint16_t           next[CFG_SLOT_COUNT];
    struct lane        lanes[CFG_LANE_COUNT];
    uint8_t            slots[CFG_SLOT_COUNT * CFG_SLOT_BYTES];
    struct tally       tally;
    int64_t            begin_ms;  /* of the window in hand */
};
static struct machine machine;

struct figures {
    uint64_t blocks, lines, raw_bytes, requests, throttled, repeated;
    int64_t  virtual_ms;
};

static bool apply_settings(struct aws *m, const char *settings)
{
    for (const char *at = settings; at != NULL && *at != '\0';) {
        char name[64];
        long long value;
        int used = 0;
        if (sscanf(at, " %63[^=]=%lld%n", name, &value, &used) != 2 ||
            !aws_set(m, name, value))
            return false;
        at += used;
    }
    return true;
}

static bool apply_faults(struct aws *m, const char *faults)
{
    char line[256];
    for (const char *at = faults; at != NULL && *at != '\0';) {
        size_t len = strcspn(at, "\n");
        CHECK(len < sizeof line);
        memcpy(line, at, len);
        line[len] = '\0';
        if (!aws_fault(m, line))
            return false;
        at += len + (at[len] == '\n');
    }
    return true;
}

static struct aws *make_model(const struct mood *mood, int64_t until,
                              uint64_t seed)
{
    struct aws *m = aws_new(seed, "us-east-1", "111111111111");
    struct aws_fill fill = {
        .profile = mood->profile, .spread = mood->spread, .from = DAY_FROM,
        .until = until, .bytes = mood->bytes, .seed = seed,
        .late_permille = mood->late_permille,
    };
    CHECK(aws_set(m, "check-signature", 0));
    CHECK(apply_settings(m, mood->settings));
    CHECK(apply_faults(m, mood->faults));
    CHECK(aws_fill_group(m, GROUP, &fill));
    return m;
}

static void begin_machine(struct machine *k, struct aws *m,
                          const struct mood *mood, int64_t until,
                          uint64_t seed)
{
    sim_init(&k->transport, m, seed, DAY_FROM + 15 * (int64_t)DAY_MS);
    sim_site(&k->site, &k->transport, mood->rate > 0 ? mood->rate : 1000,
             seed);
    k->transport.limit = SIM_EXCHANGES;
    arena_init(&k->arena, (struct span){k->slots, sizeof k->slots}, k->next,
               CFG_SLOT_BYTES);
    k->shared.scope = (struct logs_scope){
        .group = view_of(GROUP),
        .form = mood->text ? DECODE_TEXT : DECODE_JSON,
    };
    k->shared.arena = &k->arena;
    k->shared.day_ms = DAY_FROM;
    k->shared.settled_ms = INT64_MAX;
    k->shared.ingested = k->shared.id = !mood->text;
    pack_init(&k->shared.pack, mood->kind);
    tally_init(&k->tally);
    k->begin_ms = INT64_MIN;
    join_init(&k->join, k->lanes, &k->shared, &k->site, DAY_FROM, until);
}

static bool complain(const struct mood *mood, uint64_t seed, const char *what)
{
    fprintf(stderr, "  %s, seed %llu: %s\n", mood->name,
            (unsigned long long)seed, what);
    return false;
}

/* The bytes of the block at hand, unpacked. */
static struct view take_block(struct machine *k, const struct block *b)
{
    static uint8_t packed[LIMIT_PACKED_BYTES], raw[BLOCK_MOST + 1];
    static struct inflate_state z;
    uint32_t len = 0;
    while (len < b->packed_bytes) {
        struct view v = join_peek(&k->join);
        uint32_t left = b->packed_bytes - len;
        uint32_t use = v.len < left ? v.len : left;
        CHECK(use > 0);
        memcpy(packed + len, v.at, use);
        join_consume(&k->join, use);
        len += use;
    }
    if (k->shared.pack.kind == PACK_NONE)
        return (struct view){packed, len};
    isal_inflate_init(&z);
    z.next_in = packed;
    z.avail_in = len;
    z.next_out = raw;
    z.avail_out = sizeof raw;
    CHECK(isal_inflate(&z) == ISAL_DECOMP_OK && z.avail_in == 0);
    return (struct view){raw, (uint32_t)sizeof raw - z.avail_out};
}

static const char *block_fault(const struct block *got, struct view raw,
                               const struct oracle *o)
{
    const struct block *want = &o->block;
    if (got->raw_bytes != raw.len || pack_crc(0, raw) != got->crc)
        return "a block is not what it says";
    if (raw.len != want->raw_bytes)
        return "a block of another length";
    if (memcmp(raw.at, o->bytes, raw.len) != 0)
        return "a block of other bytes";
    if (got->events != want->events)
        return "a block of so many events";
    if (got->first_ms != want->first_ms || got->last_ms != want->last_ms)
        return "a block's times";
    return NULL;
}

/* A window begins behind all blocks before it, and where one ends. */
static const char *window_fault(struct machine *k, const struct block *b)
{
    bool first = k->begin_ms == INT64_MIN;
    if (b->begin_ms == BLOCK_INNER)
        return first ? "the first block begins no window" : NULL;
    if (b->begin_ms <= k->begin_ms || b->first_ms < b->begin_ms)
        return "a window's beginning";
    if (!first && b->begin_ms <= k->tally.last_ms)
        return "a window begins before its time";
    k->begin_ms = b->begin_ms;
    return NULL;
}

/* Takes the blocks that are ready, each against what should come. */
static const char *take_blocks(struct machine *k, struct oracle *o,
                               struct figures *f, uint32_t most)
{
    const struct block *b;
    for (; most > 0 && (b = join_block(&k->join)) != NULL; most--) {
        if (!next_block(o))
            return "a block too many";
        struct view raw = take_block(k, b);
        const char *fault = block_fault(b, raw, o);
        if (fault != NULL)
            fprintf(stderr, "  block %llu at raw byte %llu: %u bytes, %u "
                            "events; should be %u, %u\n",
                    (unsigned long long)f->blocks,
                    (unsigned long long)f->raw_bytes, b->raw_bytes,
                    b->events, o->block.raw_bytes, o->block.events);
        if (fault == NULL)
            fault = window_fault(k, b);
        if (fault != NULL)
            return fault;
        tally_merge(&k->tally, &b->settled);
        tally_merge(&k->tally, &b->late);
        f->blocks++;
        f->raw_bytes += raw.len;
        join_take(&k->join);
    }
    return NULL;
}

/* Steps until the day has ended; what went wrong, or NULL. */
static const char *drive(struct machine *k, struct oracle *o,
                         const struct mood *mood, struct figures *f)
{
    uint32_t spins = 0;
    for (uint64_t turn = 0; ; turn++) {
        /* As if a part were always about to fill. */
        struct join_kept kept = {LIMIT_PART_SLOTS, mood->kept};
        int64_t before = k->transport.mono_ms;
        uint64_t taken = f->blocks;
        enum flow flow = join_step(&k->join, sim_now(&k->transport), kept);
        if (flow == FLOW_FAILED)
            return k->join.fault.what;
        uint32_t most = !mood->slow ? UINT32_MAX : turn % 64 == 0;
        const char *fault = take_blocks(k, o, f, most);
        if (fault != NULL)
            return fault;
        if (flow == FLOW_ENDED)
            return next_block(o) ? "a block is missing" : NULL;
        if (flow == FLOW_MOVED || f->blocks > taken)
            continue;
        int64_t wake = join_wake_ms(&k->join);
        if (join_block(&k->join) != NULL && wake > before + 10)
            wake = before + 10;
        if (!sim_advance(&k->transport, wake))
            return "nothing will ever happen";
        spins = wake <= before ? spins + 1 : 0;
        if (spins > SPINS_MOST)
            return "it spins";
    }
}

static const char *end_fault(const struct machine *k, const struct oracle *o)
{
    if (k->tally.events != o->lines)
        return "the tally counts otherwise";
    if (k->arena.free_count != CFG_SLOT_COUNT)
        return "slots are lost";
    if (sim_busy(&k->transport))
        return "an exchange is left";
    return NULL;
}

static bool run(const struct mood *mood, uint64_t seed, struct figures *f)
{
    struct oracle oracle;
    int64_t until = DAY_FROM + (mood->until_ms > 0 ? mood->until_ms
                                                   : DAY_MS);
    struct aws *m = make_model(mood, until, seed);
    *f = (struct figures){0};
    begin_oracle(&oracle, m, DAY_FROM, until, !mood->text);
    begin_machine(&machine, m, mood, until, seed);
    const char *fault = drive(&machine, &oracle, mood, f);
    if (fault == NULL)
        fault = end_fault(&machine, &oracle);
    f->lines = oracle.lines;
    f->repeated = machine.join.repeated;
    f->virtual_ms = machine.transport.mono_ms;
    f->requests = machine.site.requests;
    f->throttled = machine.site.throttled;
    join_cancel(&machine.join);
    aws_end_events(oracle.cursor);
    aws_free(m);
    return fault == NULL || complain(mood, seed, fault);
}

/* --- the rows ------------------------------------------------------------- */

#define LIVELY "latency=40 jitter=300"
#define SHORT LIVELY " page-bytes=100000"  /* many pages, for all lanes */

static const struct mood moods[] = {
    {.name = "web, all day", .profile = "web", .spread = "uniform",
     .bytes = 6000000, .settings = SHORT, .kind = PACK_GZIP},
    {.name = "json, bursts", .profile = "json", .spread = "bursts",
     .bytes = 6000000, .settings = SHORT, .kind = PACK_GZIP},
    {.name = "noise, quiet nights", .profile = "noise", .spread = "nights",
     .bytes = 6000000, .settings = SHORT, .kind = PACK_GZIP},
    {.name = "one instant", .profile = "tiny", .spread = "instant",
     .bytes = 100000, .settings = LIVELY, .kind = PACK_NONE},
    {.name = "tiny", .profile = "tiny", .spread = "uniform",
     .bytes = 400000, .settings = LIVELY, .kind = PACK_NONE},
    {.name = "edges", .profile = "json", .spread = "edges",
     .bytes = 2000000, .settings = LIVELY, .kind = PACK_NONE},
    {.name = "edges, end exclusive", .profile = "json", .spread = "edges",
     .bytes = 2000000, .settings = LIVELY " end-exclusive=1",
     .kind = PACK_NONE},
    {.name = "nothing at all", .profile = "web", .spread = "uniform",
     .bytes = 0, .settings = LIVELY, .kind = PACK_GZIP},
    {.name = "a few events", .profile = "web", .spread = "uniform",
     .bytes = 2000, .settings = LIVELY, .kind = PACK_GZIP},
    {.name = "a few events, cut off", .profile = "web", .spread = "uniform",
     .bytes = 2000, .settings = LIVELY, .kind = PACK_GZIP,
     .faults = "FilterLogEvents #1-8 cut=?"},
    {.name = "hostile", .profile = "hostile", .spread = "bursts",
     .bytes = 3000000, .settings = LIVELY, .kind = PACK_GZIP},
    {.name = "hostile, text", .profile = "hostile", .spread = "uniform",
     .bytes = 5000000, .settings = LIVELY, .kind = PACK_NONE, .text = true},
    {.name = "hostile, odd JSON", .profile = "hostile", .spread = "uniform",
     .bytes = 4000000, .settings = LIVELY " odd-json=1", .kind = PACK_NONE},
    {.name = "huge", .profile = "huge", .spread = "uniform",
     .bytes = 12000000, .settings = LIVELY, .kind = PACK_NONE},
    {.name = "huge, cut off", .profile = "huge", .spread = "bursts",
     .bytes = 8000000, .settings = LIVELY, .kind = PACK_NONE,
     .faults = "FilterLogEvents %400 cut=?"},
    {.name = "huge, short pages", .profile = "huge", .spread = "uniform",
     .bytes = 8000000,
     .settings = LIVELY " page-bytes=4000000 short-pages=300",
     .kind = PACK_NONE},
    {.name = "huge, repeats", .profile = "huge", .spread = "uniform",
     .bytes = 8000000,
     .settings = LIVELY " page-bytes=4000000 repeat-inside=400 "
                 "repeat-border=2 repeat-pages=200",
     .kind = PACK_NONE,
     .faults = "FilterLogEvents %200 cut=?"},
    {.name = "late events", .profile = "json", .spread = "bursts",
     .bytes = 4000000, .settings = SHORT, .late_permille = 100,
     .kind = PACK_NONE},
    {.name = "little pages", .profile = "web", .spread = "uniform",
     .bytes = 3000000, .settings = LIVELY " page-events=37",
     .kind = PACK_NONE},
    {.name = "pages of odd sizes", .profile = "json", .spread = "bursts",
     .bytes = 4000000, .settings = SHORT " short-pages=500 empty-pages=200",
     .kind = PACK_NONE},
    {.name = "repeats", .profile = "json", .spread = "bursts",
     .bytes = 4000000,
     .settings = SHORT " repeat-pages=200 repeat-border=40 repeat-inside=20 "
                        "last-token=300",
     .kind = PACK_NONE},
    {.name = "odd JSON", .profile = "json", .spread = "uniform",
     .bytes = 4000000, .settings = SHORT " odd-json=1", .kind = PACK_NONE},
    {.name = "cut replies", .profile = "json", .spread = "bursts",
     .bytes = 5000000, .settings = SHORT, .kind = PACK_NONE,
     .faults = "FilterLogEvents %300 cut=?"},
    {.name = "resets, stalls, errors", .profile = "web", .spread = "uniform",
     .bytes = 4000000, .settings = SHORT, .kind = PACK_NONE,
     .faults = "FilterLogEvents %80 reset\nFilterLogEvents %50 stall=30000\n"
               "FilterLogEvents %80 error=InternalFailure status=500\n"
               "FilterLogEvents %50 error=ServiceUnavailableException "
               "status=503\nFilterLogEvents %30 hang\n"
               "FilterLogEvents %50 lost"},
    {.name = "throttles", .profile = "web", .spread = "bursts",
     .bytes = 6000000, .settings = SHORT " rate:FilterLogEvents=5",
     .kind = PACK_NONE, .rate = 50},
    {.name = "everything at once", .profile = "hostile", .spread = "bursts",
     .bytes = 4000000,
     .settings = LIVELY " repeat-pages=100 repeat-border=10 short-pages=200 "
                 "empty-pages=100 last-token=100 odd-json=1",
     .kind = PACK_GZIP,
     .faults = "FilterLogEvents %100 cut=?\nFilterLogEvents %50 reset"},
    {.name = "tokens that expire", .profile = "web", .spread = "uniform",
     .bytes = 5000000, .settings = SHORT " token-life=250",
     .kind = PACK_NONE},
    {.name = "whoever takes is slow", .profile = "noise",
     .spread = "uniform", .bytes = 12000000, .settings = SHORT,
     .kind = PACK_NONE, .slow = true},
    {.name = "not even the head has room", .profile = "tiny",
     .spread = "uniform", .bytes = 300000, .settings = LIVELY,
     .kind = PACK_NONE, .slow = true,
     .kept = LIMIT_PART_SLOTS - 2 * PACK_SLOTS},
    {.name = "an odd window", .profile = "web", .spread = "uniform",
     .bytes = 5000000, .settings = SHORT, .until_ms = 1234567,
     .kind = PACK_GZIP},
    {.name = "four milliseconds", .profile = "web", .spread = "uniform",
     .bytes = 50000, .settings = LIVELY, .until_ms = 4, .kind = PACK_GZIP},
};

static void report(const struct mood *mood, const struct figures *f)
{
    if (getenv("JOIN_FIGURES") != NULL)
        fprintf(stderr, "%-26s %8llu lines %6llu blocks %5.1f MB raw %5llu "
                        "requests %4llu throttled %6llu repeats %7.1f s\n",
                mood->name, (unsigned long long)f->lines,
                (unsigned long long)f->blocks, (double)f->raw_bytes / 1e6,
                (unsigned long long)f->requests,
                (unsigned long long)f->throttled,
                (unsigned long long)f->repeated,
                (double)f->virtual_ms / 1e3);
}

/* SEEDS=n runs n of them; MOOD=text only the rows whose name has it. */
static void the_day_comes_once_and_in_order(void **state)
{
    const char *seeds = getenv("SEEDS"), *only = getenv("MOOD");
    const char *first = getenv("SEED");
    uint64_t from = first != NULL ? (uint64_t)atoll(first) : 1;
    uint64_t count = seeds != NULL ? (uint64_t)atoll(seeds) : 1;
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(moods); i++)
        for (uint64_t n = 0; n < count; n++) {
            struct figures f;
            if (only != NULL && strstr(moods[i].name, only) == NULL)
                continue;
            failures += BROKEN(moods[i].name, run(&moods[i], from + n, &f));
            report(&moods[i], &f);
        }
    assert_int_equal(failures, 0);
}

/* --- how fast ------------------------------------------------------------- */

/* Pages that one reader would need who never stops. */
static uint64_t pages_of(const struct mood *mood, uint64_t seed)
{
    struct aws *m = make_model(mood, DAY_FROM + DAY_MS, seed);
    struct aws_cursor *c = aws_events(m, GROUP, DAY_FROM, DAY_FROM + DAY_MS,
                                      INT64_MAX);
    struct aws_event e;
    uint64_t pages = 1, bytes = 0, events = 0;
    while (aws_next_event(c, &e)) {
        bytes += e.message.len + 26;
        if (++events <= 10000 && bytes <= 1048576)
            continue;
        pages++;
        bytes = e.message.len + 26;
        events = 1;
    }
    aws_end_events(c);
    aws_free(m);
    return pages;
}

/* 300 ms a page, and AWS allows 10 or 5 a second; MB=300 for the real thing.
 * The small profile has no room for much, so latency is what bounds it. */
static void pages_come_as_fast_as_allowed(void **state)
{
    static const struct {
        const char *name, *settings;
        uint32_t    allowed;
    } rows[] = {
        {"10 a second", "latency=300 rate:FilterLogEvents=10", 10},
        {"5 a second", "latency=300 rate:FilterLogEvents=5", 5},
    };
    const char *mb = getenv("MB");
    bool few = CFG_LANE_COUNT < 4;
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct mood mood = {
            .name = rows[i].name, .profile = "web", .spread = "uniform",
            .bytes = (mb != NULL ? (uint64_t)atoll(mb) : 40) * 1000000,
            .settings = rows[i].settings, .rate = rows[i].allowed,
            .kind = PACK_GZIP,
        };
        struct figures f;
        uint64_t pages = pages_of(&mood, 1);
        uint64_t each_ms = 1100 / rows[i].allowed;
        if (few && each_ms < 210)
            each_ms = 210;
        failures += BROKEN(rows[i].name, run(&mood, 1, &f));
        report(&mood, &f);
        failures += BROKEN("few requests", f.requests <= pages * 112 / 100 + 4);
        failures += BROKEN("in time", (uint64_t)f.virtual_ms <=
                                          pages * each_ms + 2000);
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_day_comes_once_and_in_order),
        cmocka_unit_test(pages_come_as_fast_as_allowed),
    };
    return RUN(tests);
}
