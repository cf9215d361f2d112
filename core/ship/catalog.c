/* catalog.c - see catalog.h. */
#include "ship/catalog.h"

#include "base/date.h"
#include "base/trace.h"

enum {
    EMPTY_PAGES_MOST = 1000,  /* S3 may give some, not for ever */
    REPEATS_MOST     = 3,     /* of a page that is none */
};

static const struct operation list_objects = {
    .name = "s3:ListBucket",
    .service = SITE_S3,
    .method = HTTP_GET,
};

static const char *const state_name[] = {"asking", "reading", "giving",
                                         "done", "failed"};

static void enter(struct catalog *c, enum catalog_state next)
{
    CHECK(c->state < CATALOG_DONE);
    trace_state("catalog", state_name[c->state], state_name[next]);
    c->state = next;
}

static enum flow fail(struct catalog *c, const char *what)
{
    fault_set(&c->fault, ERROR_REMOTE, what, 0);
    call_cancel(&c->call);
    enter(c, CATALOG_FAILED);
    return FLOW_FAILED;
}

static void forget_part(struct catalog *c)
{
    text_init(&c->part.key, c->part.key_bytes, sizeof c->part.key_bytes);
    c->part.etag[0] = '\0';
    c->part.storage_class[0] = '\0';
    c->part.modified_ms = 0;
    c->sized = false;
}

void catalog_init(struct catalog *c, struct site *site, struct view bucket,
                  struct view prefix)
{
    c->bucket = bucket;
    c->prefix = prefix;
    c->after = (struct view){0};
    c->state = CATALOG_ASKING;
    c->empty_pages = 0;
    c->token[0] = '\0';
    text_init(&c->entry.key, c->entry.key_bytes, sizeof c->entry.key_bytes);
    fault_reset(&c->fault);
    ring_init(&c->ring, c->bytes, sizeof c->bytes);
    call_init(&c->call, site, &c->ring);
}

static void begin_page(struct catalog *c)
{
    elements_init(&c->elements, &c->ring);
    forget_part(c);
    c->next[0] = '\0';
    c->more = false;
    c->told = false;
    c->coded = false;
    c->codes = false;
    c->keys = 0;
}

static enum flow on_asking(struct catalog *c)
{
    call_begin(&c->call, &list_objects);
    call_key(&c->call, c->bucket, (struct view){0});
    call_query(&c->call, "list-type", view_of("2"));
    call_query(&c->call, "encoding-type", view_of("url"));
    if (c->prefix.len > 0)
        call_query(&c->call, "prefix", c->prefix);
    if (c->token[0] != '\0')
        call_query(&c->call, "continuation-token", view_of(c->token));
    else if (c->after.len > 0)
        call_query(&c->call, "start-after", c->after);
    c->attempt = 0;
    c->repeats = 0;
    c->again = false;
    begin_page(c);
    enter(c, CATALOG_READING);
    return FLOW_MOVED;
}

static int32_t hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A key as encoding-type=url has it: "+" is a blank, "%2B" a plus. */
static void decode_key(struct catalog *c, struct view v)
{
    struct text *key = &c->part.key;
    key->overflow |= c->elements.value.overflow;
    for (uint32_t i = 0; i < v.len; i++) {
        uint8_t byte = v.at[i];
        bool escape = byte == '%' && i + 2 < v.len &&
                      hex_digit(v.at[i + 1]) >= 0 &&
                      hex_digit(v.at[i + 2]) >= 0;
        c->coded |= byte == '%' || byte == '+';
        if (escape) {
            byte = (uint8_t)(hex_digit(v.at[i + 1]) * 16 +
                             hex_digit(v.at[i + 2]));
            i += 2;
        } else if (byte == '+') {
            byte = ' ';
        }
        text_put(key, (struct view){&byte, 1});
    }
}

/* Does the key in hand come after the last one given? */
static bool is_after(const struct catalog *c)
{
    const struct text *last = &c->entry.key, *key = &c->part.key;
    uint32_t len = last->len < key->len ? last->len : key->len;
    int order = memcmp(key->at, last->at, len);
    return order > 0 || (order == 0 && key->len > last->len);
}

/* An object's entry is whole. */
static enum flow end_object(struct catalog *c)
{
    struct catalog_entry *e = &c->entry;
    c->keys++;
    if (c->part.key.len == 0 || c->part.key.overflow || !c->sized)
        return fail(c, "ListObjectsV2 gave an object without key or size");
    if (!is_after(c)) {
        forget_part(c);
        return c->again ? FLOW_MOVED
                        : fail(c, "ListObjectsV2 gave keys out of order");
    }
    *e = c->part;
    e->key.at = e->key_bytes;
    forget_part(c);
    enter(c, CATALOG_GIVING);
    return FLOW_WANT_ROOM;
}

static enum flow on_element(struct catalog *c)
{
    const struct elements *e = &c->elements;
    struct view value = text_view(&e->value);
    if (elements_at(e, "ListBucketResult/Contents/Key"))
        decode_key(c, value);
    else if (elements_at(e, "ListBucketResult/Contents/Size"))
        c->sized = view_u64(value, UINT64_MAX >> 16, &c->part.bytes);
    else if (elements_at(e, "ListBucketResult/Contents/ETag"))
        (void)view_copy(value, c->part.etag, sizeof c->part.etag);
    else if (elements_at(e, "ListBucketResult/Contents/LastModified"))
        (void)date_parse_rfc3339(value, &c->part.modified_ms, NULL);
    else if (elements_at(e, "ListBucketResult/Contents/StorageClass"))
        (void)view_copy(value, c->part.storage_class,
                        sizeof c->part.storage_class);
    else if (elements_at(e, "ListBucketResult/Contents"))
        return end_object(c);
    else if (elements_at(e, "ListBucketResult/EncodingType"))
        c->codes = view_is(value, "url");
    else if (elements_at(e, "ListBucketResult/IsTruncated"))
        c->more = view_is(view_trim(value), "true");
    else if (elements_at(e, "ListBucketResult/NextContinuationToken"))
        (void)view_copy(value, c->next, sizeof c->next);
    else if (elements_at(e, "ListBucketResult"))
        c->told = true;
    return FLOW_MOVED;
}

static enum flow end_page(struct catalog *c)
{
    if (c->coded && !c->codes)
        return fail(c, "ListObjectsV2 did not encode keys as it was asked");
    if (!c->more) {
        enter(c, CATALOG_DONE);
        return FLOW_ENDED;
    }
    c->empty_pages = c->keys > 0 ? 0 : c->empty_pages + 1;
    if (c->next[0] == '\0' || strcmp(c->next, c->token) == 0 ||
        c->empty_pages == EMPTY_PAGES_MOST)
        return fail(c, "ListObjectsV2 says that more follows, but not where");
    memcpy(c->token, c->next, sizeof c->token);
    enter(c, CATALOG_ASKING);
    return FLOW_MOVED;
}

/* The reply is whole, but it is no list: asked again, a few times. */
static enum flow ask_again(struct catalog *c, struct now now)
{
    const char *what = "ListObjectsV2 gave what is not a list";
    if (++c->repeats > REPEATS_MOST)
        return fail(c, what);
    call_again(&c->call, now, (struct view){0}, view_of(what));
    return FLOW_MOVED;
}

static enum flow on_reading(struct catalog *c, struct now now)
{
    enum flow flow = call_step(&c->call, now);
    enum elements_event event;

    if (flow == FLOW_FAILED) {
        fault_adopt(&c->fault, &c->call.fault);
        enter(c, CATALOG_FAILED);
        return FLOW_FAILED;
    }
    if (c->attempt != c->call.attempt) {
        c->again |= c->attempt != 0;
        c->attempt = c->call.attempt;
        begin_page(c);
    }
    if (c->attempt == 0)
        return flow;  /* the ring is still that of an older reply */
    bool waiting = ring_len(&c->ring) > 0;
    while ((event = elements_next(&c->elements)) == ELEMENTS_END_TAG) {
        enum flow taken = on_element(c);
        if (taken != FLOW_MOVED)
            return taken;
    }
    if (flow != FLOW_ENDED)
        return waiting && flow == FLOW_WANT_EVENT ? FLOW_MOVED : flow;
    return event == ELEMENTS_END && c->told ? end_page(c)
                                            : ask_again(c, now);
}

enum flow catalog_step(struct catalog *c, struct now now)
{
    switch (c->state) {
    case CATALOG_ASKING:  return on_asking(c);
    case CATALOG_READING: return on_reading(c, now);
    case CATALOG_GIVING:  return FLOW_WANT_ROOM;
    case CATALOG_DONE:    return FLOW_ENDED;
    case CATALOG_FAILED:  break;
    }
    return FLOW_FAILED;
}

void catalog_take(struct catalog *c)
{
    CHECK(c->state == CATALOG_GIVING);
    enter(c, CATALOG_READING);
}

int64_t catalog_wake_ms(const struct catalog *c)
{
    return c->state == CATALOG_READING ? call_wake_ms(&c->call) : INT64_MAX;
}
