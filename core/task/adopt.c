/* adopt.c - see adopt.h. */
#include "task/adopt.h"

#include "base/crc.h"
#include "base/trace.h"
#include "task/message.h"

_Static_assert((int)INFLATE_WORKSPACE_BYTES >= (int)RECEIPT_BYTES &&
               (int)INFLATE_WORKSPACE_BYTES >= (int)GROUP_ROOM_BYTES,
               "while nothing is inflated, its workspace serves others");

static const char *const state_name[] = {
    [ADOPT_GROUP] = "group", [ADOPT_EXISTING] = "existing",
    [ADOPT_READING] = "reading", [ADOPT_WRITING] = "writing",
    [ADOPT_DONE] = "done", [ADOPT_FAILED] = "failed",
};

static enum flow enter(struct adopt *a, enum adopt_state next)
{
    CHECK(a->state < ADOPT_DONE);
    trace_state("adopt", state_name[a->state], state_name[next]);
    a->state = next;
    return next == ADOPT_DONE     ? FLOW_ENDED
           : next == ADOPT_FAILED ? FLOW_FAILED
                                  : FLOW_MOVED;
}

static enum flow fail(struct adopt *a, const struct fault *fault)
{
    fault_adopt(&a->fault, fault);
    reading_cancel(&a->reading);
    return enter(a, ADOPT_FAILED);
}

/* `pattern` begins with the object: "s3://%/%", then two words at most. */
static enum flow refuse(struct adopt *a, enum error error,
                        const char *pattern, const char *word)
{
    const struct view parts[] = {view_of(a->spec->bucket),
                                 view_of(a->spec->key), view_of(word)};
    message_refuse(&a->fault, error, pattern, parts);
    return fail(a, &a->fault);
}

static void describe(struct adopt *a)
{
    const struct spec *s = a->spec;

    a->receipt = (struct receipt){
        .state = RECEIPT_IMPORTED,
        .key = view_of(s->key),
        .account = view_of(a->group.info.account),
        .region = view_of(a->site->endpoint[SITE_LOGS].region),
        .group = view_of(s->group),
        .via = view_of("import"),
        .masked = a->group.info.masked,
        .from_ms = s->from_ms,
        .until_ms = s->until_ms,
        .timezone = view_of(s->timezone),
        .tool_version = view_of(CONFIG_VERSION),
    };
}

static enum flow on_group(struct adopt *a, struct now now)
{
    enum flow flow = group_step(&a->group, now);
    const struct fault *f = &a->group.fault;
    struct text t;

    if (flow == FLOW_FAILED && f->error == ERROR_MISSING &&
        f->operation == NULL)
        message_no_group(&a->fault, view_of(a->spec->group),
                         view_of(a->site->region),
                         view_of(a->group.nearest));
    if (flow == FLOW_FAILED)
        return fail(a, f);
    if (flow != FLOW_ENDED)
        return flow;
    describe(a);
    text_init(&t, a->receipt_key, sizeof a->receipt_key);
    receipt_key(&t, a->receipt.key, "receipt");
    if (t.overflow)
        return refuse(a, ERROR_USAGE, "there is no room for a receipt's name "
                      "beside s3://%/%", NULL);
    call_cancel(a->group.call);
    existing_init(&a->existing, a->group.call, view_of(a->spec->bucket),
                  a->receipt.key, text_view(&t),
                  (struct span){a->room, sizeof a->room});
    return enter(a, ADOPT_EXISTING);
}

static enum flow end(struct adopt *a, const char *action,
                     const struct receipt *r)
{
    struct adopt_result *result = &a->result;
    struct text t;

    text_init(&t, result->reason, sizeof result->reason);
    message_escape(&t, r->reason);
    result->action = action;
    result->state = receipt_state_name[r->state];
    result->counted = r->counted;
    result->events = r->tally.events;
    result->bytes_raw = r->bytes_raw;
    return enter(a, ADOPT_DONE);
}

static enum flow refuse_existing(struct adopt *a)
{
    const struct existing *e = &a->existing;

    if (e->damaged)
        return refuse(a, ERROR_CONFIG, "s3://%/% has a receipt that cannot "
                      "be read: %. Write it anew: --if-exists replace",
                      e->fault.words);
    if (!existing_is_window(e, &a->receipt))
        return refuse(a, ERROR_CONFIG, "s3://%/% has a receipt of another "
                      "group or window. Write it anew: --if-exists replace",
                      NULL);
    if (!existing_agrees(e))
        return refuse(a, ERROR_CONFIG, "s3://%/% has a receipt that is not "
                      "of it: %. Write it anew: --if-exists replace",
                      existing_doubt(e));
    return refuse(a, ERROR_CONFIG, "s3://%/% has its receipt, and "
                  "--if-exists is fail", NULL);
}

static enum flow begin_reading(struct adopt *a)
{
    const struct spec *s = a->spec;
    const struct reading_want want = {
        .name = {view_of(s->bucket), view_of(s->key)},
        .etag = view_of(a->existing.etag),
        .form = reading_form(view_of(s->key)),
        .records = CENSUS_EITHER,
        .from_ms = s->from_ms, .until_ms = s->until_ms,
    };
    reading_open(&a->reading, &want);
    return enter(a, ADOPT_READING);
}

static enum flow on_existing(struct adopt *a, struct now now)
{
    const struct existing *e = &a->existing;
    enum flow flow = existing_step(&a->existing, now);
    enum if_exists how = a->spec->if_exists;

    if (flow == FLOW_FAILED)
        return fail(a, &e->fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (!e->has_object)
        return refuse(a, ERROR_MISSING, "there is no object s3://%/%", NULL);
    if (how == EXISTS_SKIP && existing_is_window(e, &a->receipt) &&
        existing_agrees(e))
        return end(a, "skipped", &e->receipt);
    if ((e->has_receipt || e->damaged) && how != EXISTS_REPLACE)
        return refuse_existing(a);
    if (a->spec->dry_run)
        return end(a, "would adopt", &a->receipt);
    return begin_reading(a);
}

/* --- what was read -------------------------------------------------------- */

static void put_part(struct text *t, const char *what, uint64_t number)
{
    text_str(t, t->len > 0 ? "; " : "");
    text_str(t, what);
    message_number(t, number);
}

static void give_reason(struct adopt *a)
{
    const struct census *c = &a->reading.census;
    const struct inflate *z = &a->reading.inflate;
    struct text t;

    text_init(&t, a->reason, sizeof a->reason);
    if (c->outside > 0)
        put_part(&t, "events outside the window: ", c->outside);
    if (c->foreign > 0) {
        put_part(&t, "lines of no event: ", c->foreign);
        text_str(&t, ", from line ");
        text_u64(&t, c->foreign_line);
    }
    if (z->trailing)
        put_part(&t, "no data from byte ", z->trailing_offset);
    CHECK(!t.overflow);
    a->receipt.reason = text_view(&t);
}

/* All of it may be one entry: it need not be in order. */
static void make_index(struct adopt *a)
{
    const struct tally *t = &a->reading.census.tally;
    const struct index_entry all = {
        .least_ms = t->first_ms, .greatest_ms = t->last_ms,
        .events = t->events,
    };
    index_init(&a->index);
    if (t->events > 0)
        index_add(&a->index, &all);
}

static void complete(struct adopt *a, struct now now)
{
    const struct reading *is = &a->reading;
    bool text = is->census.form == CENSUS_TEXT;
    bool known = is->census.form != CENSUS_EITHER;
    struct receipt *r = &a->receipt;

    r->etag = view_of(a->existing.etag);
    r->counted = true;
    r->tally = is->census.tally;
    r->bytes_raw = is->inflate.raw_bytes;
    r->bytes_stored = a->existing.bytes;
    r->has_crc = true;
    r->crc64nvme = is->summed.crc;
    r->crc64nvme_confirmed = a->existing.crc64nvme[0] != '\0';
    r->format = view_of(!known ? "" : text ? "text" : "ndjson");
    r->fields = !known ? 0
                : text ? RECEIPT_TIMESTAMP | RECEIPT_MESSAGE
                : RECEIPT_TIMESTAMP | RECEIPT_STREAM | RECEIPT_MESSAGE;
    r->compression = view_of(is->inflate.form == INFLATE_GZIP   ? "gzip"
                             : is->inflate.form == INFLATE_ZSTD ? "zstd"
                                                                : "none");
    r->archived_ms = r->verified_ms = site_now(a->site, now).wall_ms;
    give_reason(a);
    make_index(a);
}

static enum flow begin_writing(struct adopt *a, struct now now)
{
    const struct existing *e = &a->existing;
    const struct spec *s = a->spec;
    struct text t;

    complete(a, now);
    text_init(&t, (char *)a->reading.workspace.bytes, RECEIPT_BYTES);
    receipt_write(&t, &a->receipt, &a->index);
    CHECK(!t.overflow);
    a->text = text_view(&t);
    a->body = (struct body){
        .slices = &a->text, .count = 1, .bytes = t.len,
        .crc = crc64_add(0, a->text),
    };
    a->target = (struct target){
        .bucket = view_of(s->bucket), .key = view_of(a->receipt_key),
        .content_type = view_of("application/json"),
        .sse = view_of(s->sse), .sse_kms_key_id = view_of(s->sse_kms_key_id),
        .checksum = true,
        .condition = e->receipt_etag[0] != '\0' ? TARGET_MATCHES
                                                : TARGET_ABSENT,
        .etag = view_of(e->receipt_etag),
    };
    reading_cancel(&a->reading);
    put_begin(&a->put, &a->reading.object.call, &a->target, &a->body);
    return enter(a, ADOPT_WRITING);
}

static bool is_other_than_s3_says(const struct adopt *a)
{
    char crc[CRC64_TEXT_BYTES + 1];
    struct text t;

    text_init(&t, crc, sizeof crc);
    crc64_text(&t, a->reading.summed.crc);
    return a->existing.crc64nvme[0] != '\0' &&
           strcmp(crc, a->existing.crc64nvme) != 0;
}

static enum flow on_reading(struct adopt *a, struct now now)
{
    const struct census *c = &a->reading.census;
    enum flow flow = reading_step(&a->reading, now);

    if (flow == FLOW_FAILED)
        return fail(a, &a->fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (is_other_than_s3_says(a))
        return refuse(a, ERROR_CORRUPT, "s3://%/% is not what it was when S3 "
                      "was given it: its CRC64NVME is another", NULL);
    if (c->form == CENSUS_EITHER && c->lines > 0)
        return refuse(a, ERROR_CORRUPT, "no line of s3://%/% is an event: "
                      "firn's ndjson, or a time and a blank as CloudWatch "
                      "exports them, 2026-11-09T00:00:00.000Z", NULL);
    if (c->tally.events == 0 && c->outside > 0)
        return refuse(a, ERROR_CONFIG, "no event of s3://%/% is in the "
                      "window; check the day and the time zone", NULL);
    return begin_writing(a, now);
}

static enum flow on_writing(struct adopt *a, struct now now)
{
    enum flow flow = put_step(&a->put, now);

    if (flow == FLOW_FAILED)
        return fail(a, &a->put.fault);
    if (flow != FLOW_ENDED)
        return flow;
    return end(a, "adopted", &a->receipt);
}

enum flow adopt_step(struct adopt *a, struct now now)
{
    switch (a->state) {
    case ADOPT_GROUP:    return on_group(a, now);
    case ADOPT_EXISTING: return on_existing(a, now);
    case ADOPT_READING:  return on_reading(a, now);
    case ADOPT_WRITING:  return on_writing(a, now);
    case ADOPT_DONE:     return FLOW_ENDED;
    case ADOPT_FAILED:   break;
    }
    return FLOW_FAILED;
}

int64_t adopt_wake_ms(const struct adopt *a)
{
    return a->state == ADOPT_READING ? reading_wake_ms(&a->reading)
                                     : call_wake_ms(&a->reading.object.call);
}

void adopt_init(struct adopt *a, struct site *site, const struct spec *spec)
{
    struct reading *r = &a->reading;

    a->result = (struct adopt_result){.action = ""};
    fault_reset(&a->fault);
    a->state = ADOPT_GROUP;
    a->spec = spec;
    a->site = site;
    reading_init(r, site, &a->fault);
    group_init(&a->group, &r->object.call, view_of(spec->group),
               (struct span){r->workspace.bytes, sizeof r->workspace.bytes});
}
