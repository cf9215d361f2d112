#include "ship/existing.h"

#include <string.h>

#include "base/check.h"
#include "base/crc.h"
#include "base/trace.h"

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
    fault_adopt(&e->fault, fault);
    call_cancel(e->call);
    enter(e, EXISTING_FAILED);
    return FLOW_FAILED;
}

static enum flow ask_object(struct existing *e)
{
    call_begin(e->call, &head_object);
    call_key(e->call, e->bucket, e->key);
    call_header(e->call, "x-amz-checksum-mode", view_of("ENABLED"));
    enter(e, EXISTING_OBJECT);
    return FLOW_MOVED;
}

static enum flow on_receipt_read(struct existing *e)
{
    struct text strings;
    struct fault fault;
    const struct http_reply *reply = &e->call->exchange.reply;

    if (reply->status == 404)
        return ask_object(e);
    fault_reset(&fault);
    text_init(&strings, (char *)e->room.at + RECEIPT_BYTES,
              RECEIPT_STRINGS_BYTES);
    if (!receipt_read(&e->receipt, (struct view){e->room.at, e->len},
                      &strings, &fault))
        return fail(e, &fault);
    e->has_receipt = true;
    memcpy(e->receipt_etag, reply->etag, sizeof e->receipt_etag);
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
        fault_set(&e->fault, ERROR_CORRUPT, "a receipt longer than any",
                  RECEIPT_BYTES);
        return fail(e, &e->fault);
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
    e->bytes = reply->content_length;
    e->modified_ms = reply->modified_ms;
    memcpy(e->etag, reply->etag, sizeof e->etag);
    memcpy(e->crc64nvme, reply->crc64nvme, sizeof e->crc64nvme);
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

bool existing_agrees(const struct existing *e)
{
    const struct receipt *r = &e->receipt;
    char crc[CRC64_TEXT_BYTES + 1];
    struct text t;

    if (!e->has_receipt || !e->has_object || r->bytes_stored != e->bytes ||
        !view_is(r->etag, e->etag))
        return false;
    if (!r->has_crc || e->crc64nvme[0] == '\0')
        return true;
    text_init(&t, crc, sizeof crc);
    crc64_text(&t, r->crc64nvme);
    return strcmp(crc, e->crc64nvme) == 0;
}

bool existing_is_window(const struct existing *e, const struct receipt *want)
{
    const struct receipt *r = &e->receipt;

    return e->has_receipt && view_equal(r->account, want->account) &&
           view_equal(r->region, want->region) &&
           view_equal(r->group, want->group) &&
           view_equal(r->stream_prefix, want->stream_prefix) &&
           r->from_ms == want->from_ms && r->until_ms == want->until_ms;
}
