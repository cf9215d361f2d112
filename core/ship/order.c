/* order.c - see order.h. */
#include "ship/order.h"

#include "base/crc.h"
#include "base/trace.h"

static const char *const state_name[] = {
    "gathering", "comparing", "storing", "seeking", "merging",
    "sorted", "giving", "given", "listing", "deleting", "cleared", "failed",
};

/* Runs are being read. */
static bool feeds(const struct order *o)
{
    return o->state == ORDER_MERGING || o->state == ORDER_GIVING ||
           (o->state == ORDER_STORING && o->level > 0);
}

static enum flow enter(struct order *o, enum order_state next)
{
    CHECK(o->state != ORDER_CLEARED);
    CHECK(o->state != ORDER_FAILED || next == ORDER_LISTING);
    trace_state("order", state_name[o->state], state_name[next]);
    if (next == ORDER_FAILED && feeds(o))
        feed_cancel(o->feed);
    o->state = next;
    return next == ORDER_FAILED ? FLOW_FAILED : FLOW_MOVED;
}

static enum flow fail_as(struct order *o, const struct fault *fault)
{
    fault_adopt(&o->fault, fault);
    return enter(o, ORDER_FAILED);
}

/* --- what is there ------------------------------------------------------- */

static uint32_t smaller(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static void name_target(struct order *o, uint32_t number, uint32_t piece)
{
    const struct order_run run = {o->level, number, piece};

    o->target.key = order_name(&o->setup, o->key, &run);
}

static struct call *lend_call(struct order *o)
{
    call_cancel(o->setup.call);
    return o->setup.call;
}

static enum flow look(struct order *o, enum order_state state)
{
    target_head(&o->target, lend_call(o));
    return enter(o, state);
}

static enum flow store(struct order *o)
{
    put_begin(&o->put, lend_call(o), &o->target, &o->body);
    return enter(o, ORDER_STORING);
}

void order_init(struct order *o, const struct order_setup *setup)
{
    memset(o, 0, sizeof *o);
    o->state = ORDER_GATHERING;
    o->setup = *setup;
    o->geometry = order_geometry(setup->memory.len, setup->last_bytes);
    o->fresh = !setup->resumed;
    o->target = (struct target){
        .bucket = setup->bucket,
        .content_type = view_of("application/octet-stream"),
        .sse = setup->sse,
        .sse_kms_key_id = setup->sse_kms_key_id,
        .checksum = true,
    };
    sortrun_init(&o->run, setup->memory, &o->fault);
}

/* --- gathering ----------------------------------------------------------- */

/* The run is full: stored, unless it is there. */
static enum flow store_run(struct order *o)
{
    struct sortrun_sorted sorted = sortrun_sort(&o->run);

    o->records += o->run.count;
    o->bytes += sorted.bytes - (o->run.count + 1ull) * RUN_HEAD_BYTES;
    o->body = (struct body){sorted.slices, sorted.count, sorted.bytes,
                            sorted.crc};
    name_target(o, o->number, 0);
    return o->fresh ? store(o) : look(o, ORDER_COMPARING);
}

void order_add(struct order *o, struct view *bytes)
{
    CHECK(o->state == ORDER_GATHERING && !o->ended);
    if (!sortrun_add(&o->run, bytes))
        (void)enter(o, ORDER_FAILED);
    else if (o->run.full)
        (void)store_run(o);
}

void order_file(struct order *o)
{
    CHECK(o->state == ORDER_GATHERING && !o->ended);
    sortrun_file(&o->run);
}

void order_end(struct order *o)
{
    o->ended = true;
}

static enum flow begin_merge(struct order *o)
{
    const struct order_geometry *g = &o->geometry;
    const struct span m = o->setup.memory;
    uint32_t first = o->number * o->fan;
    const struct feed_plan plan = {
        .setup = &o->setup,
        .room = {m.at + g->piece_bytes, m.len - g->piece_bytes},
        .fault = &o->fault,
        .level = o->level - 1,
        .first = first,
        .count = smaller(o->inputs - first, o->fan),
        .piece_bytes = g->piece_bytes,
        .heads = true,
    };

    o->feed = feed_init(&plan);
    o->piece = o->piece_len = 0;
    return enter(o, ORDER_MERGING);
}

/* The next run of the level, or the next level. */
static enum flow next_run(struct order *o)
{
    if (o->number == o->runs) {
        if (o->runs <= o->geometry.last_fan_in)
            return enter(o, ORDER_SORTED);
        o->level++;
        o->inputs = o->runs;
        o->fan = order_fan(&o->geometry, o->inputs);
        o->runs = (o->inputs + o->fan - 1) / o->fan;
        o->number = 0;
    }
    if (o->fresh)
        return begin_merge(o);
    name_target(o, o->number + 1, 0);
    return look(o, ORDER_SEEKING);
}

static enum flow on_gathering(struct order *o)
{
    struct view none = {0};
    bool good = o->ended ? sortrun_end(&o->run) : sortrun_add(&o->run, &none);

    if (!good)
        return enter(o, ORDER_FAILED);
    if (o->run.full)
        return store_run(o);
    return o->ended ? next_run(o) : FLOW_WANT_INPUT;
}

static enum flow end_run(struct order *o)
{
    sortrun_next(&o->run);
    o->runs = ++o->number;
    return enter(o, ORDER_GATHERING);
}

static enum flow on_comparing(struct order *o, struct now now)
{
    const struct http_reply *reply = &o->setup.call->exchange.reply;
    enum flow flow = call_step(o->setup.call, now);

    if (flow == FLOW_FAILED)
        return fail_as(o, &o->setup.call->fault);
    if (flow != FLOW_ENDED)
        return flow;
    o->fresh = reply->crc64nvme[0] == '\0' ||
               target_compare(reply, o->body.bytes, &o->body.crc) !=
                   TARGET_SAME;
    return o->fresh ? store(o) : end_run(o);
}

/* --- merging ------------------------------------------------------------- */

static enum flow on_seeking(struct order *o, struct now now)
{
    enum flow flow = call_step(o->setup.call, now);

    if (flow == FLOW_FAILED)
        return fail_as(o, &o->setup.call->fault);
    if (flow != FLOW_ENDED)
        return flow;
    o->fresh = o->setup.call->exchange.reply.status == 404;
    if (o->fresh)
        return begin_merge(o);
    o->number++;
    return next_run(o);
}

static void take(struct order *o)
{
    struct view v = feed_peek(o->feed);
    uint32_t len = smaller(v.len, o->geometry.piece_bytes - o->piece_len);

    memcpy(o->setup.memory.at + o->piece_len, v.at, len);
    o->piece_len += len;
    feed_consume(o->feed, len);
}

static enum flow store_piece(struct order *o)
{
    o->slice = (struct view){o->setup.memory.at, o->piece_len};
    o->body = (struct body){&o->slice, 1, o->slice.len,
                            crc64_add(0, o->slice)};
    name_target(o, o->number, o->piece);
    return store(o);
}

static enum flow end_merge(struct order *o)
{
    o->number++;
    return next_run(o);
}

static enum flow on_merging(struct order *o, struct now now)
{
    for (;;) {  /* until a piece is full */
        if (o->piece_len == o->geometry.piece_bytes)
            return store_piece(o);
        enum flow flow = feed_step(o->feed, now);
        if (flow == FLOW_FAILED)
            return enter(o, ORDER_FAILED);
        if (flow == FLOW_ENDED)
            return o->piece_len > 0 ? store_piece(o) : end_merge(o);
        if (flow != FLOW_WANT_ROOM)
            return flow;
        take(o);
    }
}

/* While a piece is stored, reads go on. */
static enum flow on_storing(struct order *o, struct now now)
{
    enum flow flow = put_step(&o->put, now);
    enum flow fetched = o->level > 0 ? feed_fetch(o->feed, now) : flow;

    if (flow == FLOW_FAILED)
        return fail_as(o, &o->put.fault);
    if (fetched == FLOW_FAILED)
        return enter(o, ORDER_FAILED);
    if (flow != FLOW_ENDED)
        return fetched == FLOW_MOVED ? fetched : flow;
    if (o->level == 0)
        return end_run(o);
    o->piece++;
    o->piece_len = 0;
    return enter(o, ORDER_MERGING);
}

/* --- giving -------------------------------------------------------------- */

void order_give(struct order *o, struct span memory)
{
    const struct feed_plan plan = {
        .setup = &o->setup,
        .room = memory,
        .fault = &o->fault,
        .level = o->level,
        .count = o->runs,
        .piece_bytes = o->geometry.piece_bytes,
    };

    CHECK(o->state == ORDER_SORTED && memory.len >= o->setup.last_bytes);
    o->feed = o->runs > 0 ? feed_init(&plan) : NULL;
    (void)enter(o, o->runs > 0 ? ORDER_GIVING : ORDER_GIVEN);
}

static enum flow on_giving(struct order *o, struct now now)
{
    enum flow flow = feed_step(o->feed, now);
    uint64_t records = o->feed->tournament.records;

    if (flow == FLOW_FAILED)
        return enter(o, ORDER_FAILED);
    if (flow != FLOW_ENDED)
        return flow;
    if (records == o->records && o->given_bytes == o->bytes)
        return enter(o, ORDER_GIVEN);
    fault_set(&o->fault, ERROR_CORRUPT, "sorting lost or repeated records",
              (int64_t)records);
    return enter(o, ORDER_FAILED);
}

struct view order_peek(const struct order *o)
{
    return o->state == ORDER_GIVING ? feed_peek(o->feed) : (struct view){0};
}

void order_consume(struct order *o, uint32_t len)
{
    CHECK(o->state == ORDER_GIVING);
    o->given_bytes += len;
    feed_consume(o->feed, len);
}

/* --- clearing ------------------------------------------------------------ */

void order_clear(struct order *o, struct catalog *catalog)
{
    const struct order_setup *s = &o->setup;

    order_cancel(o);
    fault_reset(&o->fault);
    o->catalog = catalog;
    catalog_init(catalog, s->site, s->bucket, order_name(s, o->key, NULL));
    remove_init(&o->remove, lend_call(o), s->bucket, s->memory);
    (void)enter(o, ORDER_LISTING);
}

static enum flow remove_more(struct order *o, struct now now)
{
    enum flow flow = remove_step(&o->remove, now);

    return flow == FLOW_FAILED ? fail_as(o, &o->remove.fault) : flow;
}

/* Whatever else is named like that is someone's. */
static bool is_ours(const struct order *o)
{
    struct view key = text_view(&o->catalog->entry.key);
    uint32_t from = view_last(key, '/');

    return from == view_last(o->setup.beside, '/') &&
           order_is_run(view_slice(key, from, key.len));
}

static enum flow on_listing(struct order *o, struct now now)
{
    const struct catalog_entry *e = &o->catalog->entry;
    enum flow flow = catalog_step(o->catalog, now);

    if (flow == FLOW_FAILED)
        return fail_as(o, &o->catalog->fault);
    if (flow == FLOW_ENDED) {
        remove_end(&o->remove);
        return enter(o, ORDER_DELETING);
    }
    if (flow != FLOW_WANT_ROOM)
        return flow;
    if (is_ours(o) &&
        !remove_add(&o->remove, text_view(&e->key), view_of(e->etag)))
        return remove_more(o, now);
    catalog_take(o->catalog);
    return FLOW_MOVED;
}

static enum flow on_deleting(struct order *o, struct now now)
{
    enum flow flow = remove_more(o, now);

    if (flow == FLOW_ENDED)
        (void)enter(o, ORDER_CLEARED);
    return flow;
}

/* --- steps --------------------------------------------------------------- */

enum flow order_step(struct order *o, struct now now)
{
    switch (o->state) {
    case ORDER_GATHERING: return on_gathering(o);
    case ORDER_COMPARING: return on_comparing(o, now);
    case ORDER_STORING:   return on_storing(o, now);
    case ORDER_SEEKING:   return on_seeking(o, now);
    case ORDER_MERGING:   return on_merging(o, now);
    case ORDER_GIVING:    return on_giving(o, now);
    case ORDER_LISTING:   return on_listing(o, now);
    case ORDER_DELETING:  return on_deleting(o, now);
    case ORDER_SORTED:
    case ORDER_GIVEN:
    case ORDER_CLEARED:   return FLOW_ENDED;
    case ORDER_FAILED:    break;
    }
    return FLOW_FAILED;
}

void order_cancel(struct order *o)
{
    if (feeds(o))
        feed_cancel(o->feed);
    if (o->state == ORDER_LISTING || o->state == ORDER_DELETING)
        call_cancel(&o->catalog->call);
    if (o->state != ORDER_GIVING && o->state != ORDER_GIVEN)
        call_cancel(o->setup.call);  /* else its lender's again */
}

static int64_t clearing_wake_ms(const struct order *o)
{
    int64_t lists = catalog_wake_ms(o->catalog);
    int64_t removes = remove_wake_ms(&o->remove);

    return lists < removes ? lists : removes;
}

int64_t order_wake_ms(const struct order *o)
{
    int64_t feed = feeds(o) ? feed_wake_ms(o->feed) : INT64_MAX, call;

    switch (o->state) {
    case ORDER_COMPARING:
    case ORDER_STORING:
    case ORDER_SEEKING:
        call = call_wake_ms(o->setup.call);
        return call < feed ? call : feed;
    case ORDER_LISTING:
    case ORDER_DELETING: return clearing_wake_ms(o);
    case ORDER_GATHERING:
    case ORDER_MERGING:
    case ORDER_SORTED:
    case ORDER_GIVING:
    case ORDER_GIVEN:
    case ORDER_CLEARED:
    case ORDER_FAILED:   break;
    }
    return feed;
}
