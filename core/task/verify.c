/* verify.c - see verify.h. */
#include "task/verify.h"

#include "base/crc.h"
#include "base/trace.h"
#include "task/message.h"
#include "task/recount.h"

_Static_assert((int)INFLATE_WORKSPACE_BYTES >= (int)RECEIPT_BYTES,
               "the receipt is written where it was inflated");

static const char differs[] = "it does not agree with its receipt";

static const char *const state_name[] = {
    [VERIFY_NEXT] = "next", [VERIFY_EXISTING] = "existing",
    [VERIFY_READING] = "reading", [VERIFY_WRITING] = "writing",
    [VERIFY_TELLING] = "telling", [VERIFY_DONE] = "done",
};

static enum flow enter(struct verify *v, enum verify_state next)
{
    CHECK(v->state != VERIFY_DONE);
    trace_state("verify", state_name[v->state], state_name[next]);
    v->state = next;
    return next == VERIFY_DONE ? FLOW_ENDED : FLOW_MOVED;
}

/* The object in hand is done with, for better or, with a fault, for worse. */
static enum flow tell(struct verify *v)
{
    reading_cancel(&v->reading);
    v->result.receipt = v->existing.has_receipt ? &v->existing.receipt : NULL;
    v->result.fault = v->fault;
    v->exit_code = exit_worse(v->exit_code, fault_exit(v->fault.error));
    v->taken = false;
    return enter(v, VERIFY_TELLING);
}

static enum flow tell_fault(struct verify *v, const struct fault *fault)
{
    CHECK(fault->error != ERROR_NONE);
    fault_adopt(&v->fault, fault);
    return tell(v);
}

static enum flow refuse(struct verify *v, enum error error, const char *what,
                        struct view words)
{
    fault_set(&v->fault, error, what, 0);
    fault_words(&v->fault, words);
    return tell(v);
}

/* --- what differs --------------------------------------------------------- */

/* "bytes_raw 12, not 13"; what is there, then what the receipt says. */
static void put_name(struct text *t, const char *name)
{
    if (t->len > 0)
        text_str(t, "; ");
    text_str(t, name);
    text_char(t, ' ');
}

static void hold_number(struct text *t, const char *name, uint64_t is,
                        uint64_t said)
{
    if (is == said)
        return;
    put_name(t, name);
    text_u64(t, is);
    text_str(t, ", not ");
    text_u64(t, said);
}

static void hold_view(struct text *t, const char *name, struct view is,
                      struct view said)
{
    if (view_equal(is, said))
        return;
    put_name(t, name);
    text_put(t, is);
    text_str(t, ", not ");
    text_put(t, said);
}

static void hold_crc(struct text *t, uint64_t is, uint64_t said)
{
    char a[CRC64_TEXT_BYTES + 1], b[CRC64_TEXT_BYTES + 1];
    struct text i, s;
    text_init(&i, a, sizeof a);
    crc64_text(&i, is);
    text_init(&s, b, sizeof b);
    crc64_text(&s, said);
    hold_view(t, "crc64nvme", text_view(&i), text_view(&s));
}

static void hold_time(struct text *t, const char *name, int64_t is,
                      int64_t said)
{
    if (is == said)
        return;
    put_name(t, name);
    date_rfc3339(t, is);
    text_str(t, ", not ");
    date_rfc3339(t, said);
}

static void hold_digest(struct text *t, const struct tally *is,
                        const struct tally *said)
{
    char a[TALLY_TEXT_BYTES + 1], b[TALLY_TEXT_BYTES + 1];
    struct text i, s;
    text_init(&i, a, sizeof a);
    tally_text(&i, is);
    text_init(&s, b, sizeof b);
    tally_text(&s, said);
    hold_view(t, "digest", text_view(&i), text_view(&s));
}

/* What is made of others' objects may hold lines of no record, too. */
static void hold_tally(struct text *t, const struct census *found,
                       const struct receipt *r)
{
    const struct tally *is = &found->tally, *said = &r->tally;

    if (found->foreign_line != 0 && view_is(r->via, "read")) {
        put_name(t, "no whole record in line");
        text_u64(t, found->foreign_line);
    }
    hold_number(t, "events", is->events, said->events);
    if (is->events == 0 || said->events == 0)
        return;
    hold_time(t, "first_event", is->first_ms, said->first_ms);
    hold_time(t, "last_event", is->last_ms, said->last_ms);
    if (is->events == said->events)
        hold_digest(t, is, said);
}

static bool is_ndjson(const struct receipt *r)
{
    return view_is(r->format, "ndjson");
}

/* What could not be held against the receipt. */
static const char *gap(const struct receipt *r)
{
    if (!r->counted)
        return "the receipt does not count the records";
    if (is_ndjson(r))
        return r->has_crc ? "" : "the receipt has no checksum of the object";
    return r->has_crc ? "text: the bytes agree; records cannot be told apart, "
                        "so they were not counted"
                      : "text without a checksum: the lengths agree, no more "
                        "is known";
}

/* --- one object ----------------------------------------------------------- */

static enum inflate_form form_of(struct view compression)
{
    if (view_is(compression, "gzip"))
        return INFLATE_GZIP;
    if (view_is(compression, "zstd"))
        return INFLATE_ZSTD;
    return view_is(compression, "none") ? INFLATE_PLAIN : INFLATE_ANY;
}

static enum flow on_next(struct verify *v)
{
    struct text t;

    if (v->at == v->options.url_count)
        return enter(v, VERIFY_DONE);
    fault_reset(&v->fault);
    v->result = (struct verify_result){
        .url = view_of(v->options.urls[v->at]), .reason = "",
    };
    v->existing.has_receipt = false;
    CHECK(object_name_parse(v->result.url, &v->name));
    v->result.name = v->name;
    text_init(&t, v->receipt_key, sizeof v->receipt_key);
    receipt_key(&t, v->name.key, "receipt");
    if (t.overflow)
        return refuse(v, ERROR_USAGE, "the key leaves no room for its "
                      "receipt's name", (struct view){0});
    existing_init(&v->existing, &v->reading.object.call, v->name.bucket,
                  v->name.key, text_view(&t),
                  (struct span){v->room, sizeof v->room});
    return enter(v, VERIFY_EXISTING);
}

static void begin_reading(struct verify *v)
{
    const struct receipt *r = &v->existing.receipt;
    const struct reading_want want = {
        .name = v->name, .etag = r->etag, .form = form_of(r->compression),
        .records = r->counted && is_ndjson(r) ? CENSUS_NDJSON : CENSUS_NONE,
        .from_ms = r->from_ms, .until_ms = r->until_ms,
    };
    reading_open(&v->reading, &want);
}

/* A receipt is there, but no object, or the other way about. */
static enum flow refuse_missing(struct verify *v)
{
    const struct existing *e = &v->existing;
    char bytes[64];
    struct text t;

    if (e->has_receipt)
        return refuse(v, ERROR_CORRUPT, "the object is gone, but its receipt "
                      "is there", (struct view){0});
    if (!e->has_object)
        return refuse(v, ERROR_MISSING, "there is no such object, and no "
                      "receipt of it", (struct view){0});
    text_init(&t, bytes, sizeof bytes);
    message_bytes(&t, e->bytes);
    text_str(&t, ", of ");
    date_day(&t, e->modified_ms / DAY_MS);
    return refuse(v, ERROR_CONFIG, "it has no receipt to be held against",
                  text_view(&t));
}

static enum flow on_existing(struct verify *v, struct now now)
{
    const struct existing *e = &v->existing;
    enum flow flow = existing_step(&v->existing, now);
    char bytes[FAULT_WORDS_BYTES];
    struct text t;

    if (flow == FLOW_FAILED || (flow == FLOW_ENDED && e->damaged))
        return tell_fault(v, &e->fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (!e->has_receipt || !e->has_object)
        return refuse_missing(v);
    text_init(&t, bytes, sizeof bytes);
    hold_number(&t, "bytes_stored", e->bytes, e->receipt.bytes_stored);
    hold_view(&t, "etag", view_of(e->etag), e->receipt.etag);
    hold_view(&t, "key", v->name.key, e->receipt.key);
    if (t.len > 0)
        return refuse(v, ERROR_CORRUPT, differs, text_view(&t));
    begin_reading(v);
    return enter(v, VERIFY_READING);
}

/* A receipt that is written past its window's end and 14 days passes for
 * recounted (contract, section 3); this one still has to be. */
static bool waits_for_recount(const struct receipt *r, int64_t aws_ms)
{
    return r->state != RECEIPT_SEALED && r->from_ms < r->until_ms &&
           aws_ms >= r->until_ms + RECOUNT_AFTER_MS;
}

/* The receipt again, with a new time. */
static enum flow begin_writing(struct verify *v, struct now now)
{
    struct receipt *r = &v->existing.receipt;
    struct text t;

    r->verified_ms = site_now(v->site, now).wall_ms;
    text_init(&t, (char *)v->reading.workspace.bytes, RECEIPT_BYTES);
    receipt_write(&t, r, NULL);
    if (t.overflow)
        return refuse(v, ERROR_CORRUPT, "the receipt has no room for the time "
                      "it was verified", (struct view){0});
    v->text = text_view(&t);
    v->body = (struct body){
        .slices = &v->text, .count = 1, .bytes = t.len,
        .crc = crc64_add(0, v->text),
    };
    v->target = (struct target){
        .bucket = v->name.bucket, .key = view_of(v->receipt_key),
        .content_type = view_of("application/json"),
        .sse = v->options.sse, .sse_kms_key_id = v->options.sse_kms_key_id,
        .checksum = r->has_crc,
        .condition = v->existing.receipt_etag[0] != '\0' ? TARGET_MATCHES
                                                         : TARGET_ANYHOW,
        .etag = view_of(v->existing.receipt_etag),
    };
    put_begin(&v->put, &v->reading.object.call, &v->target, &v->body);
    return enter(v, VERIFY_WRITING);
}

static enum flow on_reading(struct verify *v, struct now now)
{
    const struct receipt *r = &v->existing.receipt;
    enum flow flow = reading_step(&v->reading, now);
    char bytes[2 * FAULT_WORDS_BYTES];  /* fault_words() cuts it */
    struct text t;

    if (flow == FLOW_FAILED)
        return tell(v);
    if (flow != FLOW_ENDED)
        return flow;
    text_init(&t, bytes, sizeof bytes);
    if (r->has_crc)
        hold_crc(&t, v->reading.summed.crc, r->crc64nvme);
    if (r->counted || r->bytes_raw > 0)
        hold_number(&t, "bytes_raw", v->reading.inflate.raw_bytes,
                    r->bytes_raw);
    if (r->counted && is_ndjson(r))
        hold_tally(&t, &v->reading.census, r);
    if (t.len > 0)
        return refuse(v, ERROR_CORRUPT, differs, text_view(&t));
    v->result.reason = gap(r);
    if (waits_for_recount(r, site_now(v->site, now).wall_ms)) {
        v->result.reason = "the receipt stays as it is until the day is "
                           "recounted, which firn run does";
        return tell(v);
    }
    return begin_writing(v, now);
}

static enum flow on_writing(struct verify *v, struct now now)
{
    enum flow flow = put_step(&v->put, now);

    if (flow == FLOW_FAILED)
        return tell_fault(v, &v->put.fault);
    return flow == FLOW_ENDED ? tell(v) : flow;
}

/* Whether it makes no sense to ask S3 for anything else. What is throttled is
 * asked again until the deadline. */
static bool is_hopeless(enum error error)
{
    return error == ERROR_NETWORK || error == ERROR_STOPPED;
}

static enum flow on_telling(struct verify *v)
{
    if (!v->taken)
        return FLOW_MOVED;
    if (is_hopeless(v->fault.error))
        return enter(v, VERIFY_DONE);
    v->at++;
    return enter(v, VERIFY_NEXT);
}

enum flow verify_step(struct verify *v, struct now now)
{
    switch (v->state) {
    case VERIFY_NEXT:     return on_next(v);
    case VERIFY_EXISTING: return on_existing(v, now);
    case VERIFY_READING:  return on_reading(v, now);
    case VERIFY_WRITING:  return on_writing(v, now);
    case VERIFY_TELLING:  return on_telling(v);
    case VERIFY_DONE:     break;
    }
    return FLOW_ENDED;
}

const struct verify_result *verify_result(struct verify *v)
{
    if (v->state != VERIFY_TELLING || v->taken)
        return NULL;
    v->taken = true;
    return &v->result;
}

int64_t verify_wake_ms(const struct verify *v)
{
    return v->state == VERIFY_READING ? reading_wake_ms(&v->reading)
                                      : call_wake_ms(&v->reading.object.call);
}

void verify_init(struct verify *v, struct site *site,
                 const struct verify_options *options)
{
    v->options = *options;
    v->site = site;
    v->exit_code = 0;
    v->state = VERIFY_NEXT;
    v->at = 0;
    reading_init(&v->reading, site, &v->fault);
}
