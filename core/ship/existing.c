/* existing.c - see existing.h. */
#include "ship/existing.h"

#include <string.h>

#include "base/check.h"
#include "base/crc.h"
#include "base/trace.h"
#include "base/xml.h"

static const struct operation get_receipt = {
    .name = "s3:GetObject",
    .service = SITE_S3,
    .method = HTTP_GET,
    .also_ok = 404,
};

static const struct operation head_object = {
    .name = "s3:GetObject",
    .service = SITE_S3,
    .method = HTTP_HEAD,
    .also_ok = 404,
};

static const char *const state_name[] = {"asking", "receipt", "object",
                                         "done", "failed"};

static void enter(struct existing *e, enum existing_state next)
{
    CHECK(e->state < EXISTING_DONE);
    trace_state("existing", state_name[e->state], state_name[next]);
    e->state = next;
}

void existing_init(struct existing *e, struct call *call, struct view bucket,
                   struct view key, struct view receipt_key,
                   struct span room)
{
    CHECK(room.len >= EXISTING_ROOM_BYTES);
    memset(e, 0, sizeof *e);
    e->call = call;
    e->bucket = bucket;
    e->key = key;
    e->receipt_key = receipt_key;
    e->room = room;
    e->state = EXISTING_ASKING;
}

static enum flow fail(struct existing *e, const struct fault *fault)
{
    if (e->damaged)
        fault_reset(&e->fault);  /* that of the receipt, which was borne */
    fault_adopt(&e->fault, fault);
    call_cancel(e->call);
    enter(e, EXISTING_FAILED);
    return FLOW_FAILED;
}

/* What a list showed will do: the ETag tells one version from another. */
static enum flow take_listed(struct existing *e)
{
    e->has_object = true;
    e->bytes = e->listed.bytes;
    CHECK(view_copy(e->listed.etag, e->etag, sizeof e->etag));
    enter(e, EXISTING_DONE);
    return FLOW_ENDED;
}

static enum flow ask_object(struct existing *e)
{
    if (e->key.len == 0 && e->has_receipt)
        e->key = e->receipt.key;
    if (e->key.len == 0) {
        enter(e, EXISTING_DONE);
        return FLOW_ENDED;
    }
    if (view_equal(e->listed.key, e->key))
        return take_listed(e);
    call_begin(e->call, &head_object);
    call_key(e->call, e->bucket, e->key);
    call_header(e->call, "x-amz-checksum-mode", view_of("ENABLED"));
    enter(e, EXISTING_OBJECT);
    return FLOW_MOVED;
}

/* A 404 is good news of a key, but not of the bucket. */
static bool has_bucket(struct existing *e)
{
    const struct http_exchange *x = &e->call->exchange;
    char code[FAULT_CODE_BYTES], words[FAULT_WORDS_BYTES];
    struct view error = {(const uint8_t *)x->error, x->error_len};
    struct text t;

    if (!xml_string(error, "Code", code, sizeof code) ||
        strcmp(code, "NoSuchBucket") != 0)
        return true;
    text_init(&t, words, sizeof words);
    text_str(&t, "no bucket \"");
    text_put(&t, e->bucket);
    text_str(&t, "\" exists; create it, or name another");
    fault_set(&e->fault, ERROR_CONFIG, "", 0);
    fault_words(&e->fault, text_view(&t));
    return false;
}

/* Whether that matters is not for us to say: the object is asked for, too. */
static enum flow damaged(struct existing *e)
{
    CHECK(e->fault.error == ERROR_CORRUPT);
    e->damaged = true;
    call_cancel(e->call);
    return ask_object(e);
}

/* Whether it is the receipt of the object beside it. */
static bool is_beside(const struct existing *e)
{
    char bytes[1024 + 32];
    struct text t;

    text_init(&t, bytes, sizeof bytes);
    receipt_key(&t, e->receipt.key, "receipt");
    return !t.overflow && view_equal(text_view(&t), e->receipt_key);
}

static enum flow on_receipt_read(struct existing *e)
{
    struct text strings;
    const struct http_reply *reply = &e->call->exchange.reply;

    if (reply->status == 404)
        return has_bucket(e) ? ask_object(e) : fail(e, &e->fault);
    memcpy(e->receipt_etag, reply->etag, sizeof e->receipt_etag);
    text_init(&strings, (char *)e->room.at + RECEIPT_BYTES,
              RECEIPT_STRINGS_BYTES);
    if (!receipt_read(&e->receipt, (struct view){e->room.at, e->len},
                      &strings, &e->fault))
        return damaged(e);
    if (e->key.len == 0 && !is_beside(e)) {
        fault_set(&e->fault, ERROR_CORRUPT, "the receipt is damaged", 0);
        fault_words(&e->fault, view_of("it names another object's key"));
        return damaged(e);
    }
    e->has_receipt = true;
    return ask_object(e);
}

static enum flow on_receipt(struct existing *e, struct now now)
{
    enum flow flow = call_step(e->call, now);

    if (flow == FLOW_FAILED)
        return fail(e, &e->call->fault);
    if (e->attempt != e->call->attempt) {
        e->attempt = e->call->attempt;
        e->len = 0;
    }
    struct view got = ring_peek(e->call->sink);
    if (got.len > RECEIPT_BYTES - e->len) {
        memcpy(e->receipt_etag, e->call->exchange.reply.etag,
               sizeof e->receipt_etag);
        fault_set(&e->fault, ERROR_CORRUPT, "the receipt is damaged", 0);
        fault_words(&e->fault, view_of("it is larger than 128 KiB"));
        return damaged(e);
    }
    memcpy(e->room.at + e->len, got.at, got.len);
    e->len += got.len;
    ring_consume(e->call->sink, got.len);
    if (got.len > 0)
        return FLOW_MOVED;
    return flow == FLOW_ENDED ? on_receipt_read(e) : flow;
}

static enum flow on_object(struct existing *e, struct now now)
{
    enum flow flow = call_step(e->call, now);
    const struct http_reply *reply = &e->call->exchange.reply;

    if (flow == FLOW_FAILED)
        return fail(e, &e->call->fault);
    if (flow != FLOW_ENDED)
        return flow;
    e->has_object = reply->status != 404;
    if (!e->has_object && e->any_form && e->has_receipt && is_beside(e) &&
        !view_equal(e->key, e->receipt.key)) {
        e->key = e->receipt.key;  /* "x.log.gz" instead of "x.ndjson.gz" */
        call_cancel(e->call);
        return ask_object(e);
    }
    e->bytes = reply->content_length;
    e->modified_ms = reply->modified_ms;
    memcpy(e->etag, reply->etag, sizeof e->etag);
    memcpy(e->crc64nvme, reply->crc64nvme, sizeof e->crc64nvme);
    memcpy(e->storage_class, reply->storage_class, sizeof e->storage_class);
    enter(e, EXISTING_DONE);
    return FLOW_ENDED;
}

enum flow existing_step(struct existing *e, struct now now)
{
    switch (e->state) {
    case EXISTING_ASKING:
        call_begin(e->call, &get_receipt);
        call_key(e->call, e->bucket, e->receipt_key);
        e->attempt = 0;
        enter(e, EXISTING_RECEIPT);
        return FLOW_MOVED;
    case EXISTING_RECEIPT:
        return on_receipt(e, now);
    case EXISTING_OBJECT:
        return on_object(e, now);
    case EXISTING_DONE:
        return FLOW_ENDED;
    case EXISTING_FAILED:
        break;
    }
    return FLOW_FAILED;
}

bool existing_is_stored(const struct existing *e, const struct receipt *r)
{
    char crc[CRC64_TEXT_BYTES + 1];
    struct text t;

    if (!e->has_object || r->bytes_stored != e->bytes)
        return false;
    if (!r->has_crc || e->crc64nvme[0] == '\0')
        return true;
    text_init(&t, crc, sizeof crc);
    crc64_text(&t, r->crc64nvme);
    return strcmp(crc, e->crc64nvme) == 0;
}

const char *existing_doubt(const struct existing *e)
{
    const struct receipt *r = &e->receipt;

    if (!e->has_receipt)
        return "there is no receipt";
    if (!e->has_object)
        return "its object is gone";
    if (r->bytes_stored != e->bytes)
        return "its object has another size";
    if (!view_is(r->etag, e->etag))
        return "its object was written over";
    return existing_is_stored(e, r) ? NULL : "its object has another checksum";
}

bool existing_agrees(const struct existing *e)
{
    return existing_doubt(e) == NULL;
}

bool existing_is_window(const struct existing *e, const struct receipt *want)
{
    const struct receipt *r = &e->receipt;

    return e->has_receipt && view_equal(r->account, want->account) &&
           view_equal(r->region, want->region) &&
           view_equal(r->group, want->group) &&
           view_equal(r->stream_prefix, want->stream_prefix) &&
           r->from_ms == want->from_ms && r->until_ms == want->until_ms &&
           (r->from_ms < r->until_ms ||
            view_equal(r->merged_from, want->merged_from));
}
