/* sources.c - see sources.h. */
#include "ship/sources.h"

#include "base/check.h"
#include "base/crc.h"
#include "fetch/export.h"
#include "ship/order.h"
#include "ship/receipt.h"

void sources_init(struct sources *s, struct site *site,
                  struct object_name from, struct object_name own)
{
    fault_reset(&s->fault);
    s->failed = (struct view){0};
    s->count = s->bytes = s->skipped = 0;
    s->skipped_key[0] = '\0';
    s->differs = s->nested = s->ended = false;
    s->listed_ms = 0;
    s->own = own;
    s->begin = s->expected = s->digest = 0;
    s->within = false;
    s->ahead_below = UINT64_MAX;
    s->first = s->held = 0;
    catalog_init(&s->catalog, site, from.bucket, from.key);
    for (uint32_t i = 0; i < SOURCES_AHEAD; i++) {
        struct sources_reader *r = &s->reader[i];
        r->open = false;
        ring_init(&r->ring, r->bytes, sizeof r->bytes);
        object_init(&r->object, site, &r->ring, &s->fault);
    }
}

void sources_begin(struct sources *s, uint64_t number, uint64_t digest,
                   bool within)
{
    CHECK(s->count == 0);
    s->within = within;
    s->begin = number;
    s->expected = digest;
}

static struct sources_reader *head_of(struct sources *s)
{
    CHECK(s->held > 0);
    return &s->reader[s->first];
}

const struct source *sources_head(const struct sources *s)
{
    return s->held > 0 ? &s->reader[s->first].source : NULL;
}

uint64_t sources_digest(const struct sources *s)
{
    return s->held > 0 ? s->reader[s->first].source.before : s->digest;
}

/* --- the list ------------------------------------------------------------ */

/* What firn keeps beside an archive (ship/receipt.h, receipt_key()). */
static bool is_beside(struct view file)
{
    static const char *const kinds[] = {
        ".receipt.json", ".checkpoint.json", ".segment",
    };
    if (!view_starts(file, "_"))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (view_ends(file, kinds[i]))
            return true;
    return order_is_run(file);
}

static bool is_source(const struct sources *s, const struct catalog_entry *e)
{
    struct view key = text_view(&e->key);
    struct view file = view_slice(key, view_last(key, '/'), key.len);
    bool own = view_equal(key, s->own.key) &&
               view_equal(s->catalog.bucket, s->own.bucket);

    return !own && !view_is(file, EXPORT_PROBE) && !is_beside(file) &&
           (file.len > 0 || e->bytes > 0);
}

/* Would its object be a source, and itself be made of such? What is merged
 * into a place among its sources is told by its receipt alone. */
static bool is_nested(const struct sources *s, const struct catalog_entry *e)
{
    struct view key = text_view(&e->key), own = s->own.key;
    struct view file = view_slice(key, view_last(key, '/'), key.len);
    char mine[CATALOG_KEY_BYTES + 32];
    struct text t;

    if (!view_starts(file, "_") || !view_ends(file, ".receipt.json") ||
        !view_equal(s->catalog.bucket, s->own.bucket) ||
        own.len < s->catalog.prefix.len ||
        !view_equal(view_slice(own, 0, s->catalog.prefix.len),
                    s->catalog.prefix))
        return false;
    text_init(&t, mine, sizeof mine);
    receipt_key(&t, own, "receipt");
    return !view_equal(key, text_view(&t));
}

static uint64_t digest_of(uint64_t digest, const struct catalog_entry *e)
{
    char number[24];
    struct text t;

    text_init(&t, number, sizeof number);
    text_str(&t, "\n");
    text_u64(&t, e->bytes);
    text_str(&t, "\n");
    digest = crc64_add(digest, text_view(&e->key));
    digest = crc64_add(digest, text_view(&t));
    return crc64_add(digest, view_of(e->etag));
}

static void hold(struct sources *s, const struct catalog_entry *e,
                 uint64_t after)
{
    uint32_t at = (s->first + s->held++) % SOURCES_AHEAD;
    struct sources_reader *r = &s->reader[at];

    memcpy(r->key, e->key_bytes, e->key.len);
    memcpy(r->etag, e->etag, sizeof r->etag);
    r->source = (struct source){
        .number = s->count,
        .bytes = e->bytes,
        .modified_ms = e->modified_ms,
        .key = {(const uint8_t *)r->key, e->key.len},
        .etag = view_of(r->etag),
        .before = s->digest,
        .after = after,
    };
    r->open = false;
}

static void take_entry(struct sources *s, const struct catalog_entry *e)
{
    if (!is_source(s, e)) {
        bool nested = is_nested(s, e);
        s->nested |= nested;
        if (s->skipped++ == 0 || nested)
            (void)view_copy(text_view(&e->key), s->skipped_key,
                            sizeof s->skipped_key);
        return;
    }
    uint64_t before = s->digest, after = digest_of(before, e);
    if (s->count == s->begin && (s->within ? after : before) != s->expected)
        s->differs = true;
    if (s->count >= s->begin)
        hold(s, e, after);
    s->digest = after;
    s->bytes += e->bytes;
    s->count++;
}

static enum flow step_list(struct sources *s, struct now now)
{
    bool moved = false;

    while (s->held < SOURCES_AHEAD && !s->ended) {
        enum flow flow = catalog_step(&s->catalog, now);
        if (s->listed_ms == 0)
            s->listed_ms = s->catalog.call.exchange.reply.date_ms;
        if (flow == FLOW_FAILED) {
            fault_adopt(&s->fault, &s->catalog.fault);
            return FLOW_FAILED;
        }
        s->ended = flow == FLOW_ENDED;
        if (flow == FLOW_WANT_ROOM) {
            take_entry(s, &s->catalog.entry);
            catalog_take(&s->catalog);
        } else if (flow != FLOW_MOVED && flow != FLOW_ENDED) {
            break;
        }
        moved = true;
    }
    if (s->ended && s->count <= s->begin)  /* else it was seen on the way */
        s->differs |= s->count < s->begin || s->digest != s->expected;
    return moved ? FLOW_MOVED : FLOW_WANT_EVENT;
}

/* --- the bytes ----------------------------------------------------------- */

static void open_range(struct sources *s, struct sources_reader *r,
                       uint64_t from, uint64_t to)
{
    struct object_name name = {s->catalog.bucket, r->source.key};

    r->open = true;
    r->from = from;
    r->to = to;
    object_open_range(&r->object, name, from, to);
    (void)view_copy(r->source.etag, r->object.etag, sizeof r->object.etag);
}

struct ring *sources_open(struct sources *s, uint64_t from, uint64_t to)
{
    struct sources_reader *r = head_of(s);

    if (to == r->source.bytes)
        to = 0;
    if (!r->open || r->from != from || r->to != to) {
        object_cancel(&r->object);
        open_range(s, r, from, to);
    }
    return &r->ring;
}

void sources_take(struct sources *s)
{
    object_cancel(&head_of(s)->object);
    head_of(s)->open = false;
    s->first = (s->first + 1) % SOURCES_AHEAD;
    s->held--;
}

static bool is_busy(const struct sources_reader *r)
{
    return r->open && r->object.state < OBJECT_DONE;
}

/* It broke off within so few bytes that nobody can tell what they are, and
 * goes on only when these are taken. */
static bool is_stuck(const struct sources_reader *r)
{
    return r->open && r->object.state == OBJECT_BROKEN && r->ring.read == 0 &&
           ring_len(&r->ring) < SOURCES_MAGIC_BYTES;
}

static enum flow step_reader(struct sources *s, struct sources_reader *r,
                             struct now now)
{
    if (!r->open && r->source.bytes > 0 && r->source.bytes < s->ahead_below)
        open_range(s, r, 0, 0);
    if (!is_busy(r))
        return FLOW_WANT_EVENT;
    if (is_stuck(r) && now.mono_ms >= r->object.resume_mono_ms) {
        object_cancel(&r->object);
        open_range(s, r, r->from, r->to);
    }
    enum flow flow = r->object.stage.step(&r->object.stage, NULL, &r->ring,
                                          now);
    if (flow == FLOW_FAILED)
        s->failed = r->source.key;
    return flow;
}

enum flow sources_step(struct sources *s, struct now now)
{
    enum flow listed = step_list(s, now);
    bool moved = listed == FLOW_MOVED;

    if (listed == FLOW_FAILED)
        return FLOW_FAILED;
    for (uint32_t i = 0; i < s->held; i++) {
        uint32_t at = (s->first + i) % SOURCES_AHEAD;
        enum flow flow = step_reader(s, &s->reader[at], now);
        if (flow == FLOW_FAILED)
            return FLOW_FAILED;
        moved |= flow == FLOW_MOVED;
    }
    if (s->ended && s->held == 0)
        return FLOW_ENDED;
    return moved ? FLOW_MOVED : FLOW_WANT_EVENT;
}

int64_t sources_wake_ms(const struct sources *s)
{
    int64_t wake = s->held < SOURCES_AHEAD && !s->ended
                       ? catalog_wake_ms(&s->catalog) : INT64_MAX;

    for (uint32_t i = 0; i < s->held; i++) {
        const struct sources_reader *r =
            &s->reader[(s->first + i) % SOURCES_AHEAD];
        int64_t at = is_stuck(r) ? r->object.resume_mono_ms
                     : is_busy(r) ? object_wake_ms(&r->object) : INT64_MAX;
        wake = at < wake ? at : wake;
    }
    return wake;
}

void sources_cancel(struct sources *s)
{
    for (uint32_t i = 0; i < SOURCES_AHEAD; i++)
        object_cancel(&s->reader[i].object);
    call_cancel(&s->catalog.call);
    s->held = 0;
}
