/* remove.c - see remove.h. */
#include "ship/remove.h"

#include "base/crc.h"
#include "base/trace.h"

static const char head[] =
    "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    "<Quiet>true</Quiet>";
static const char tail[] = "</Delete>";

static const struct operation delete_objects = {
    .name = "s3:DeleteObject", .service = SITE_S3, .method = HTTP_POST,
};

static const char *const state_name[] = {"filling", "sending", "done",
                                         "failed"};

static enum flow enter(struct remove *r, enum remove_state next)
{
    CHECK(r->state < REMOVE_DONE);
    trace_state("remove", state_name[r->state], state_name[next]);
    r->state = next;
    return next == REMOVE_DONE     ? FLOW_ENDED
           : next == REMOVE_FAILED ? FLOW_FAILED
                                   : FLOW_MOVED;
}

static enum flow fail(struct remove *r, const struct fault *fault)
{
    fault_adopt(&r->fault, fault);
    call_cancel(r->call);
    return enter(r, REMOVE_FAILED);
}

static void begin_batch(struct remove *r)
{
    text_reset(&r->body);
    text_str(&r->body, head);
    r->count = 0;
    r->full = false;
}

void remove_init(struct remove *r, struct call *call, struct view bucket,
                 struct span room)
{
    CHECK(room.len >= REMOVE_ROOM_BYTES && call->sink != NULL);
    memset(r, 0, sizeof *r);
    r->call = call;
    r->bucket = bucket;
    text_init(&r->body, (char *)room.at,
              room.len - (uint32_t)(sizeof tail - 1));
    begin_batch(r);
}

static bool is_plain(struct view key)
{
    for (uint32_t i = 0; i < key.len; i++)
        if (key.at[i] < 0x20)
            return false;
    return true;
}

bool remove_add(struct remove *r, struct view key, struct view etag)
{
    uint32_t before = r->body.len;

    CHECK(!r->ended && key.len > 0 && etag.len > 0);
    if (r->state != REMOVE_FILLING || r->full)
        return false;
    if (!is_plain(key)) {
        r->kept++;
        return true;
    }
    text_str(&r->body, "<Object><Key>");
    elements_escape(&r->body, key);
    text_str(&r->body, "</Key><ETag>");
    elements_escape(&r->body, etag);
    text_str(&r->body, "</ETag></Object>");
    if (r->body.overflow) {
        CHECK(r->count > 0);  /* one fits for sure */
        text_cut(&r->body, before);
        r->full = true;
        return false;
    }
    r->full = ++r->count == REMOVE_BATCH;
    return true;
}

void remove_end(struct remove *r)
{
    r->ended = true;
}

static enum flow send(struct remove *r)
{
    char crc[CRC64_TEXT_BYTES + 1];
    struct text t;

    memcpy(r->body.at + r->body.len, tail, sizeof tail - 1);
    r->slice = (struct view){(const uint8_t *)r->body.at,
                             r->body.len + (uint32_t)sizeof tail - 1};
    text_init(&t, crc, sizeof crc);
    crc64_text(&t, crc64_add(0, r->slice));
    call_cancel(r->call);
    call_begin(r->call, &delete_objects);
    call_key(r->call, r->bucket, (struct view){0});
    call_query(r->call, "delete", (struct view){0});
    call_header(r->call, "content-type", view_of("application/xml"));
    call_header(r->call, "x-amz-checksum-crc64nvme", text_view(&t));
    call_slices(r->call, &r->slice, 1, r->slice.len);
    r->attempt = 0;
    return enter(r, REMOVE_SENDING);
}

static enum flow on_filling(struct remove *r)
{
    if (r->count > 0 && (r->full || r->ended))
        return send(r);
    return r->ended ? enter(r, REMOVE_DONE) : FLOW_WANT_INPUT;
}

static void begin_reply(struct remove *r)
{
    r->attempt = r->call->attempt;
    r->changed = 0;
    r->whole = r->again = false;
    r->code[0] = r->words[0] = r->key[0] = '\0';
    fault_reset(&r->first);
    elements_init(&r->elements, r->call->sink);
}

/* A key that S3 did not delete. */
static void on_key(struct remove *r)
{
    char words[FAULT_WORDS_BYTES];
    struct trouble trouble;
    struct text t;

    trouble_of_code(&trouble, view_of(r->code), 200);
    if (strcmp(r->code, "PreconditionFailed") == 0) {
        r->changed++;
    } else if (trouble.error == ERROR_MISSING) {
        /* gone already */
    } else if (trouble.cure == CURE_PAUSE || trouble.cure == CURE_SLOW ||
               strcmp(r->code, "ConditionalRequestConflict") == 0) {
        r->again = true;
    } else if (r->first.error == ERROR_NONE) {
        text_init(&t, words, sizeof words);
        text_str(&t, r->key);
        text_str(&t, ": ");
        text_str(&t, r->words);
        r->first.operation = delete_objects.name;
        fault_set(&r->first, trouble.error, "a key is not deleted", 200);
        memcpy(r->first.code, r->code, sizeof r->code);
        fault_words(&r->first, text_view(&t));
    }
}

static struct view beginning(struct view v, uint32_t bytes)
{
    return view_slice(v, 0, v.len < bytes ? v.len : bytes - 1);
}

static void take(struct remove *r)
{
    const struct elements *e = &r->elements;
    struct view value = text_view(&e->value);

    if (elements_at(e, "DeleteResult/Error/Code"))
        (void)view_copy(beginning(value, sizeof r->code), r->code,
                        sizeof r->code);
    else if (elements_at(e, "DeleteResult/Error/Message"))
        (void)view_copy(beginning(value, sizeof r->words), r->words,
                        sizeof r->words);
    else if (elements_at(e, "DeleteResult/Error/Key"))
        (void)view_copy(beginning(value, sizeof r->key), r->key,
                        sizeof r->key);
    else if (elements_at(e, "DeleteResult/Error"))
        on_key(r);
    else if (elements_at(e, "DeleteResult"))
        r->whole = true;
}

static enum flow end_reply(struct remove *r, struct now now, bool good)
{
    if (!good || r->again) {  /* deleting twice does no harm */
        call_again(r->call, now, view_of(r->again ? r->code : ""),
                   view_of(r->again ? r->words : "DeleteObjects gave what is "
                           "no DeleteResult"));
        return FLOW_MOVED;
    }
    if (r->first.error != ERROR_NONE)
        return fail(r, &r->first);
    r->kept += r->changed;
    r->deleted += r->count - r->changed;
    begin_batch(r);
    return enter(r, REMOVE_FILLING);
}

static enum flow on_sending(struct remove *r, struct now now)
{
    enum flow flow = call_step(r->call, now);
    enum elements_event event = ELEMENTS_MORE;

    if (flow == FLOW_FAILED)
        return fail(r, &r->call->fault);
    if (r->attempt != r->call->attempt)
        begin_reply(r);
    if (r->attempt == 0)
        return flow;  /* the ring is still that of an older reply */
    while ((event = elements_next(&r->elements)) == ELEMENTS_END_TAG)
        take(r);
    if (event == ELEMENTS_BAD)  /* the rest is not read */
        ring_consume(r->call->sink, ring_peek(r->call->sink).len);
    if (flow != FLOW_ENDED)
        return flow;
    return end_reply(r, now, event == ELEMENTS_END && r->whole);
}

enum flow remove_step(struct remove *r, struct now now)
{
    switch (r->state) {
    case REMOVE_FILLING: return on_filling(r);
    case REMOVE_SENDING: return on_sending(r, now);
    case REMOVE_DONE:    return FLOW_ENDED;
    case REMOVE_FAILED:  break;
    }
    return FLOW_FAILED;
}

int64_t remove_wake_ms(const struct remove *r)
{
    return r->state == REMOVE_SENDING ? call_wake_ms(r->call) : INT64_MAX;
}
