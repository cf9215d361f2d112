#include "task/archive.h"

#include <string.h>

#include "base/check.h"
#include "base/crc.h"
#include "base/trace.h"
#include "task/message.h"

_Static_assert(GROUP_ROOM_BYTES <= CFG_BLOCK_BYTES + LANE_SLACK_BYTES,
               "a lane's block is lent to ask for the group");

enum { SEAL_MS = 14 * DAY_MS };  /* PutLogEvents takes events as late */

static const char *const state_name[] = {
    "group",      "existing", "reading",  "recheck", "committing",
    "receipt",    "aborting", "done",     "failed",
};

static void enter(struct archive *a, enum archive_state next)
{
    CHECK(a->state < ARCHIVE_DONE);
    trace_state("archive", state_name[a->state], state_name[next]);
    a->state = next;
}

/* The fault is set: what S3 has of this run is taken back first. */
static enum flow fail(struct archive *a)
{
    CHECK(a->fault.error != ERROR_NONE);
    bool uploading = a->state == ARCHIVE_READING ||
                     a->state == ARCHIVE_RECHECK ||
                     a->state == ARCHIVE_COMMITTING;
    call_cancel(a->call);
    if (!uploading) {
        enter(a, ARCHIVE_FAILED);
        return FLOW_FAILED;
    }
    join_cancel(&a->join);
    upload_abort(&a->upload);
    enter(a, ARCHIVE_ABORTING);
    return FLOW_MOVED;
}

static enum flow fail_with(struct archive *a, const struct fault *fault)
{
    fault_adopt(&a->fault, fault);
    return fail(a);
}

static void begin_group(struct archive *a)
{
    group_init(&a->group, a->call, view_of(a->spec->group),
               (struct span){a->lanes[0].block, sizeof a->lanes[0].block});
}

void archive_init(struct archive *a, struct site *site,
                  const struct spec *spec)
{
    a->spec = spec;
    a->site = site;
    a->counts = (struct archive_counts){.reached_ms = spec->from_ms};
    a->result = (struct archive_result){"archived", "", a->reason};
    a->key[0] = '\0';
    memset(a->reason, 0, sizeof a->reason);
    a->expired = false;
    a->stopped = false;
    fault_reset(&a->fault);
    arena_init(&a->arena, (struct span){a->slots, sizeof a->slots}, a->next,
               CFG_SLOT_BYTES);
    logs_init(&a->lanes[0].logs, site, &a->shared.scope);
    a->call = &a->lanes[0].logs.call;
    a->state = ARCHIVE_GROUP;
    begin_group(a);
}

static int64_t aws_ms(const struct archive *a)
{
    return site_now(a->site, a->now).wall_ms;
}

/* Is the beginning of the window past what the group holds? Then what is
 * read is not what was written. */
static bool has_expired(const struct archive *a)
{
    return a->spec->from_ms <
           group_held_from(&a->group.info, aws_ms(a));
}

/* May it be archived all the same? Not if nothing is left of it, and not in
 * the place of what may hold more. */
static bool may_be_part(const struct archive *a)
{
    return a->spec->partial && !a->existing.has_object &&
           a->spec->until_ms > group_held_from(&a->group.info, aws_ms(a));
}

static enum flow fail_expired(struct archive *a)
{
    int64_t held_ms = group_held_from(&a->group.info, aws_ms(a));
    char held[DATE_RFC3339_BYTES + 1], days[24];
    struct text t, d;

    text_init(&t, held, sizeof held);
    date_rfc3339(&t, held_ms);
    text_init(&d, days, sizeof days);
    text_i64(&d, a->group.info.retention_days);
    message_refuse(&a->fault, ERROR_CORRUPT,
                   a->spec->until_ms <= held_ms
                       ? "the window has expired: % keeps % days, and the "
                         "first instant still readable is %"
                   : a->existing.has_object
                       ? "the window has begun to expire: % keeps % days, "
                         "and the first instant still readable is %. What "
                         "is under the key may hold more and is not replaced"
                       : "the window has begun to expire: % keeps % days, "
                         "and the first instant still readable is %. Store "
                         "the rest: --partial",
                   (const struct view[]){view_of(a->spec->group),
                                         text_view(&d), text_view(&t)});
    return fail(a);
}

static enum flow fail_recreated(struct archive *a)
{
    message_refuse(&a->fault, ERROR_CORRUPT, "the log group was deleted and "
                   "created again while it was read; nothing is stored",
                   NULL);
    return fail(a);
}

static bool make_names(struct archive *a)
{
    const struct plan_place place = {
        .account = view_of(a->group.info.account),
        .region = view_of(a->site->endpoint[SITE_LOGS].region),
    };
    struct text key, receipt;

    text_init(&key, a->key, sizeof a->key);
    if (!plan_key(a->spec, &place, &key, &a->fault))
        return false;
    text_init(&receipt, a->receipt_key, sizeof a->receipt_key);
    receipt_key(&receipt, text_view(&key), "receipt");
    if (receipt.overflow)
        return message_refuse(&a->fault, ERROR_USAGE, "the key \"%\" leaves "
                              "no room for its receipt's name",
                              &(struct view){(uint8_t *)a->key, key.len});
    return true;
}

static enum flow on_group(struct archive *a)
{
    const struct group_info *info = &a->group.info;
    enum flow flow = group_step(&a->group, a->now);
    struct view name = view_of(a->spec->group);

    if (flow == FLOW_FAILED && a->group.fault.error == ERROR_MISSING &&
        a->group.fault.operation == NULL) {
        message_refuse(&a->fault, ERROR_CONFIG,
                       a->group.nearest[0] != '\0'
                           ? "no log group \"%\" in %; nearest: \"%\""
                           : "no log group \"%\" in %",
                       (const struct view[]){
                           name, view_of(a->site->region),
                           view_of(a->group.nearest)});
        return fail(a);
    }
    if (flow == FLOW_FAILED)
        return fail_with(a, &a->group.fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (strcmp(info->log_class, "STANDARD") != 0) {
        message_refuse(&a->fault, ERROR_CONFIG, "log group \"%\" is of class "
                       "%, whose events cannot be read, only exported",
                       (const struct view[]){name,
                                             view_of(info->log_class)});
        return fail(a);
    }
    a->created_ms = info->creation_ms;
    if (!make_names(a))
        return fail(a);
    existing_init(&a->existing, a->call, view_of(a->spec->bucket),
                  view_of(a->key), view_of(a->receipt_key),
                  (struct span){a->slots, EXISTING_ROOM_BYTES});
    enter(a, ARCHIVE_EXISTING);
    return FLOW_MOVED;
}

/* What is under the key is not this window, or may not be written over. */
static enum flow refuse_existing(struct archive *a)
{
    const struct existing *e = &a->existing;
    char size[32], day[16];
    struct text t, d;
    struct view parts[4] = {view_of(a->spec->bucket), view_of(a->key)};

    text_init(&t, size, sizeof size);
    message_bytes(&t, e->bytes);
    text_init(&d, day, sizeof day);
    date_day(&d, e->modified_ms / DAY_MS);
    parts[2] = text_view(&t);
    parts[3] = text_view(&d);
    if (e->has_object && a->spec->if_exists == EXISTS_FAIL)
        message_refuse(&a->fault, ERROR_CONFIG, "s3://%/% exists (%, %), and "
                       "--if-exists is fail", parts);
    else if (e->damaged)
        message_refuse(&a->fault, ERROR_CORRUPT, "s3://%/%: %: %. Archive it "
                       "again: --if-exists replace",
                       (const struct view[]){
                           parts[0], view_of(a->receipt_key),
                           view_of(e->fault.what), view_of(e->fault.words)});
    else if (!e->has_object)
        message_refuse(&a->fault, ERROR_CORRUPT, "s3://%/% is gone, but its "
                       "receipt is there. Archive it again: --if-exists "
                       "replace", parts);
    else if (!e->has_receipt)
        message_refuse(&a->fault, ERROR_CONFIG, "s3://%/% exists without a "
                       "receipt (%, %). Write over it: --if-exists replace",
                       parts);
    else if (!existing_is_window(e, &a->receipt))
        message_refuse(&a->fault, ERROR_CONFIG, "s3://%/% (%, %) is an "
                       "archive of another group or window. Write over it: "
                       "--if-exists replace", parts);
    else
        message_refuse(&a->fault, ERROR_CORRUPT, "s3://%/% (%, %) is not "
                       "what its receipt says. Archive it again: "
                       "--if-exists replace", parts);
    return fail(a);
}

static void begin_target(struct archive *a)
{
    const struct spec *s = a->spec;
    const struct existing *e = &a->existing;

    a->target = (struct target){
        .bucket = view_of(s->bucket),
        .key = view_of(a->key),
        .content_type =
            view_of(target_content_type(
                view_of(plan_ext(s->format, s->compress)))),
        .storage_class = view_of(s->storage_class),
        .sse = view_of(s->sse),
        .sse_kms_key_id = view_of(s->sse_kms_key_id),
        .checksum = s->checksum,
        .condition = e->has_object ? TARGET_MATCHES : TARGET_ABSENT,
        .etag = view_of(e->etag),
    };
    a->receipt_target = a->target;
    a->receipt_target.key = view_of(a->receipt_key);
    a->receipt_target.content_type = view_of("application/json");
    a->receipt_target.storage_class = (struct view){0};
    a->receipt_target.condition =
        e->receipt_etag[0] != '\0' ? TARGET_MATCHES : TARGET_ABSENT;
    a->receipt_target.etag = view_of(e->receipt_etag);
}

static enum pack_kind pack_kind(const struct archive *a)
{
    return a->spec->compress == COMPRESS_GZIP   ? PACK_GZIP
           : a->spec->compress == COMPRESS_ZSTD ? PACK_ZSTD
                                                : PACK_NONE;
}

static void begin_reading(struct archive *a)
{
    const struct spec *s = a->spec;

    a->begun_ms = aws_ms(a);
    begin_target(a);
    a->shared.scope = (struct logs_scope){
        .group = view_of(s->group),
        .stream_prefix = view_of(s->stream_prefix),
        .unmask = s->unmask,
        .form = s->format == FORMAT_NDJSON ? DECODE_JSON : DECODE_TEXT,
    };
    a->shared.arena = &a->arena;
    a->shared.day_ms = s->from_ms;
    a->shared.settled_ms = a->begun_ms;
    a->shared.ingested = s->field_ingested;
    a->shared.id = s->field_id;
    pack_init(&a->shared.pack, pack_kind(a));
    upload_init(&a->upload, a->site, &a->arena, &a->target);
    index_init(&a->index);
    join_init(&a->join, a->lanes, &a->shared, a->site, s->from_ms,
              s->until_ms);
    a->ended = false;
    a->crc = 0;
    enter(a, ARCHIVE_READING);
}

/* What the receipt says of source and window: also what it must say for the
 * window to be there already. */
static void describe(struct archive *a)
{
    const struct spec *s = a->spec;

    a->receipt = (struct receipt){
        .key = view_of(a->key),
        .account = view_of(a->group.info.account),
        .region = view_of(a->site->endpoint[SITE_LOGS].region),
        .group = view_of(s->group),
        .stream_prefix = view_of(s->stream_prefix),
        .via = view_of("read"),
        .masked = a->group.info.masked && !s->unmask,
        .from_ms = s->from_ms,
        .until_ms = s->until_ms,
        .timezone = view_of(s->timezone),
    };
}

static enum flow end_early(struct archive *a, const char *action)
{
    a->result.action = action;
    enter(a, ARCHIVE_DONE);
    return FLOW_ENDED;
}

static enum flow skip(struct archive *a)
{
    const struct receipt *r = &a->existing.receipt;
    struct text t;

    text_init(&t, a->reason, sizeof a->reason);
    message_escape(&t, r->reason);
    a->counts.events = r->tally.events;
    a->counts.bytes_raw = r->bytes_raw;
    a->counts.bytes_stored = r->bytes_stored;
    a->result.state = receipt_state_name[r->state];
    return end_early(a, "skipped");
}

static enum flow on_existing(struct archive *a)
{
    enum flow flow = existing_step(&a->existing, a->now);
    const struct existing *e = &a->existing;

    if (flow == FLOW_FAILED)
        return fail_with(a, &e->fault);
    if (flow != FLOW_ENDED)
        return flow;
    describe(a);
    bool there = e->has_object || e->has_receipt || e->damaged;
    bool same = existing_agrees(e) && existing_is_window(e, &a->receipt);
    if (same && a->spec->if_exists == EXISTS_SKIP)
        return skip(a);
    if (has_expired(a) && !may_be_part(a))
        return fail_expired(a);
    if (there && a->spec->if_exists != EXISTS_REPLACE)
        return refuse_existing(a);
    if (a->spec->dry_run)
        return end_early(a, there ? "would replace" : "would archive");
    begin_reading(a);
    return FLOW_MOVED;
}

/* Moves the next block, whole, from its lane to the part in hand. */
static bool move_block(struct archive *a)
{
    const struct block *b = join_block(&a->join);
    uint32_t left;

    if (b == NULL || !upload_room(&a->upload, b->packed_bytes +
                                                  PACK_HEADER_BYTES))
        return false;
    if (upload_offset(&a->upload) == 0) {
        uint8_t header[PACK_HEADER_BYTES];
        uint32_t len = pack_header(a->shared.pack.kind, header);
        upload_append(&a->upload, (struct view){header, len});
    }
    index_add(&a->index, &(struct index_entry){
                             .offset = upload_offset(&a->upload),
                             .raw_offset = a->counts.bytes_raw,
                             .least_ms = b->first_ms,
                             .greatest_ms = b->last_ms,
                             .events = b->events,
                         });
    for (left = b->packed_bytes; left > 0;) {
        struct view piece = join_peek(&a->join);
        piece.len = piece.len < left ? piece.len : left;
        CHECK(piece.len > 0);
        upload_append(&a->upload, piece);
        join_consume(&a->join, piece.len);
        left -= piece.len;
    }
    a->crc = crc32_combine(a->crc, b->crc, b->raw_bytes);
    a->counts.events += b->events;
    a->counts.bytes_raw += b->raw_bytes;
    a->counts.reached_ms = b->last_ms;
    upload_block_end(&a->upload);
    join_take(&a->join);
    return true;
}

/* The archive's last bytes; of an empty day, all of them. */
static bool end_archive(struct archive *a)
{
    uint8_t bytes[PACK_HEADER_BYTES + PACK_TRAILER_BYTES + PACK_EMPTY_BYTES];
    enum pack_kind kind = a->shared.pack.kind;
    uint32_t len = 0;

    if (!upload_room(&a->upload, sizeof bytes))
        return false;
    if (upload_offset(&a->upload) == 0) {
        len = pack_header(kind, bytes);
        len += pack_empty(&a->shared.pack, bytes + len);
    }
    len += pack_trailer(kind, a->crc, a->counts.bytes_raw, bytes + len);
    upload_append(&a->upload, (struct view){bytes, len});
    upload_end(&a->upload);
    a->ended = true;
    return true;
}

static enum flow on_reading(struct archive *a)
{
    struct join_kept kept = {
        .ahead = upload_slots_needed(&a->upload),
        .head = upload_slots_needed(&a->upload),
    };
    enum flow joined = join_step(&a->join, a->now, kept);
    bool moved = joined == FLOW_MOVED;

    if (joined == FLOW_FAILED)
        return fail_with(a, &a->join.fault);
    while (move_block(a))
        moved = true;
    enum flow sent = upload_step(&a->upload, a->now);
    if (sent == FLOW_FAILED)
        return fail_with(a, &a->upload.fault);
    a->counts.parts = a->upload.stored.parts;
    a->counts.bytes_stored = upload_offset(&a->upload);
    a->counts.repeated = a->join.repeated;
    if (joined == FLOW_ENDED) {
        begin_group(a);
        enter(a, ARCHIVE_RECHECK);
        return FLOW_MOVED;
    }
    return moved || sent == FLOW_MOVED ? FLOW_MOVED : FLOW_WANT_EVENT;
}

/* Asked again after the last page: what has expired since it was first asked
 * may be missing from what was read. */
static enum flow on_recheck(struct archive *a)
{
    enum flow sent = upload_step(&a->upload, a->now);
    enum flow flow = group_step(&a->group, a->now);

    if (sent == FLOW_FAILED)
        return fail_with(a, &a->upload.fault);
    if (flow == FLOW_FAILED)
        return fail_with(a, &a->group.fault);
    if (flow != FLOW_ENDED)
        return flow == FLOW_MOVED || sent == FLOW_MOVED ? FLOW_MOVED : flow;
    if (a->group.info.creation_ms != a->created_ms)
        return fail_recreated(a);
    a->expired = has_expired(a);
    if (a->expired && !may_be_part(a))
        return fail_expired(a);
    a->held_ms = group_held_from(&a->group.info, aws_ms(a));
    if (!end_archive(a))
        return sent == FLOW_MOVED ? FLOW_MOVED : FLOW_WANT_EVENT;
    enter(a, ARCHIVE_COMMITTING);
    return FLOW_MOVED;
}

/* Why it is not the last word; nothing if it is. */
static void give_reason(struct archive *a)
{
    struct text t;

    text_init(&t, a->reason, sizeof a->reason);
    if (a->expired) {
        text_str(&t, "what was before ");
        date_rfc3339(&t, a->held_ms);
        text_str(&t, " had expired when it was read");
    } else if (a->begun_ms < a->spec->until_ms + SEAL_MS) {
        text_str(&t, "late events may come until 14 days after the window's "
                     "end");
    }
    a->receipt.reason = text_view(&t);
    a->receipt.state = t.len > 0 ? RECEIPT_PROVISIONAL : RECEIPT_SEALED;
}

static void write_receipt(struct archive *a)
{
    const struct spec *s = a->spec;
    struct receipt *r = &a->receipt;
    struct text t;

    give_reason(a);
    r->etag = view_of(a->upload.etag);
    r->counted = true;
    r->tally = a->join.settled;
    tally_merge(&r->tally, &a->join.late);
    r->bytes_raw = a->counts.bytes_raw;
    r->has_settled = true;
    r->settled_until_ms = a->begun_ms;
    r->settled = a->join.settled;
    r->bytes_stored = a->upload.bytes;
    r->has_crc = s->checksum;
    r->crc64nvme = a->upload.crc;
    r->crc64nvme_confirmed = a->upload.crc_confirmed;
    r->format = view_of(s->format == FORMAT_NDJSON ? "ndjson" : "text");
    r->fields = (uint8_t)(RECEIPT_TIMESTAMP | RECEIPT_MESSAGE |
                          (s->format == FORMAT_NDJSON ? RECEIPT_STREAM : 0) |
                          (s->field_ingested ? RECEIPT_INGESTED : 0) |
                          (s->field_id ? RECEIPT_ID : 0));
    r->compression = view_of(s->compress == COMPRESS_GZIP   ? "gzip"
                             : s->compress == COMPRESS_ZSTD ? "zstd"
                                                            : "none");
    r->archived_ms = aws_ms(a);
    r->tool_version = view_of(CONFIG_VERSION);
    CHECK(r->tally.events == a->counts.events);
    text_init(&t, (char *)a->slots, RECEIPT_BYTES);
    receipt_write(&t, r, &a->index);
    CHECK(!t.overflow);
    a->receipt_text = text_view(&t);
    a->receipt_body = (struct body){
        .slices = &a->receipt_text,
        .count = 1,
        .bytes = t.len,
        .crc = crc64_add(0, text_view(&t)),
    };
    a->result.state = receipt_state_name[r->state];
}

static enum flow on_committing(struct archive *a)
{
    enum flow flow = upload_step(&a->upload, a->now);

    if (flow == FLOW_FAILED)
        return fail_with(a, &a->upload.fault);
    if (flow != FLOW_ENDED)
        return flow;
    a->counts.bytes_stored = a->upload.bytes;
    a->counts.parts = a->upload.stored.parts;
    write_receipt(a);
    put_begin(&a->put, a->call, &a->receipt_target, &a->receipt_body);
    enter(a, ARCHIVE_RECEIPT);
    return FLOW_MOVED;
}

static enum flow on_receipt(struct archive *a)
{
    enum flow flow = put_step(&a->put, a->now);

    if (flow == FLOW_FAILED)
        return fail_with(a, &a->put.fault);
    if (flow != FLOW_ENDED)
        return flow;
    enter(a, ARCHIVE_DONE);
    return FLOW_ENDED;
}

/* The first fault stays, whatever becomes of the abort. */
static enum flow on_aborting(struct archive *a)
{
    enum flow flow = upload_step(&a->upload, a->now);

    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    enter(a, ARCHIVE_FAILED);
    return FLOW_FAILED;
}

enum flow archive_step(struct archive *a, struct now now)
{
    a->now = now;
    if (a->stopped && a->state <= ARCHIVE_RECHECK) {
        fault_set(&a->fault, ERROR_STOPPED, "stopped; run again", 0);
        return fail(a);
    }
    switch (a->state) {
    case ARCHIVE_GROUP:      return on_group(a);
    case ARCHIVE_EXISTING:   return on_existing(a);
    case ARCHIVE_READING:    return on_reading(a);
    case ARCHIVE_RECHECK:    return on_recheck(a);
    case ARCHIVE_COMMITTING: return on_committing(a);
    case ARCHIVE_RECEIPT:    return on_receipt(a);
    case ARCHIVE_ABORTING:   return on_aborting(a);
    case ARCHIVE_DONE:       return FLOW_ENDED;
    case ARCHIVE_FAILED:     break;
    }
    return FLOW_FAILED;
}

void archive_stop(struct archive *a)
{
    a->stopped = true;
}

int64_t archive_wake_ms(const struct archive *a)
{
    if (a->state < ARCHIVE_READING)
        return call_wake_ms(a->call);
    /* While lanes read, the call is one of theirs. */
    int64_t wake = a->state == ARCHIVE_READING ? join_wake_ms(&a->join)
                                               : call_wake_ms(a->call);
    int64_t upload = upload_wake_ms(&a->upload);
    return upload < wake ? upload : wake;
}
