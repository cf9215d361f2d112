#include "task/archive.h"

#include <string.h>

#include "base/check.h"
#include "base/crc.h"
#include "base/trace.h"
#include "task/document.h"
#include "task/message.h"
#include "task/refuse.h"

_Static_assert(GROUP_ROOM_BYTES <= CFG_BLOCK_BYTES + LANE_SLACK_BYTES,
               "a lane's block is lent to ask for the group");
_Static_assert(EXISTING_ROOM_BYTES + RECEIPT_BYTES + CHECKPOINT_STRINGS_BYTES
                   <= CFG_SLOT_COUNT * CFG_SLOT_BYTES,
               "before reading, the slots hold receipt and checkpoint");

enum {
    FAREWELL_MS = 1500,  /* to write the checkpoint after a deadline */
    OVERS_MOST  = 3,     /* uploads that are gone before their end */
};

static const char *const state_name[] = {
    "group", "existing", "looking", "taking", "reading", "recheck", "storing",
    "recording", "committing", "receipt", "aborting", "releasing",
    "sweeping", "dropping", "done", "failed",
};

static void enter(struct archive *a, enum archive_state next)
{
    CHECK(a->state < ARCHIVE_DONE);
    trace_state("archive", state_name[a->state], state_name[next]);
    a->state = next;
}

static int64_t aws_ms(const struct archive *a)
{
    return site_now(a->site, a->now).wall_ms;
}

/* --- the end ------------------------------------------------------------- */

/* The last state: as it was decided. */
static enum flow finish(struct archive *a)
{
    lease_cancel(&a->lease);
    enter(a, a->fault.error != ERROR_NONE ? ARCHIVE_FAILED : ARCHIVE_DONE);
    return a->state == ARCHIVE_FAILED ? FLOW_FAILED : FLOW_ENDED;
}

/* Nothing of this window is under way any more. */
static enum flow drop(struct archive *a)
{
    lease_drop(&a->lease);
    enter(a, ARCHIVE_DROPPING);
    return FLOW_MOVED;
}

static enum flow sweep_and_drop(struct archive *a)
{
    if (!a->stray && !a->upload.stray)
        return drop(a);
    call_cancel(a->call);
    sweep_init(&a->sweep, a->call, &a->target, (struct view){0});
    enter(a, ARCHIVE_SWEEPING);
    return FLOW_MOVED;
}

/* Would a later run go on with what this one has stored? */
static bool may_go_on(enum error error)
{
    return error == ERROR_STOPPED || error == ERROR_NETWORK ||
           error == ERROR_THROTTLED || error == ERROR_REMOTE ||
           error == ERROR_DENIED || error == ERROR_LIMIT;
}

/* The upload stays. Whoever cannot reach S3 cannot say so either. */
static enum flow leave_upload(struct archive *a)
{
    bool begun = a->upload.multipart.id[0] != '\0' || a->upload.stray;

    upload_leave(&a->upload);
    if (!begun)
        return drop(a);
    if (a->fault.error == ERROR_NETWORK)
        return finish(a);
    if (a->fault.error == ERROR_STOPPED &&
        a->site->deadline_mono_ms < a->now.mono_ms + FAREWELL_MS)
        a->site->deadline_mono_ms = a->now.mono_ms + FAREWELL_MS;
    enter(a, ARCHIVE_RELEASING);
    return FLOW_MOVED;
}

static enum flow abort_upload(struct archive *a)
{
    upload_abort(&a->upload);
    enter(a, ARCHIVE_ABORTING);
    return FLOW_MOVED;
}

/* An upload that the checkpoint does not name is nobody's but ours. */
static enum flow on_lost(struct archive *a)
{
    if (!a->named && a->upload.multipart.id[0] != '\0' &&
        a->state < ARCHIVE_COMMITTING)
        return abort_upload(a);
    upload_leave(&a->upload);
    return finish(a);
}

/* The fault is set: what is under way ends, as it allows. */
static enum flow fail(struct archive *a)
{
    CHECK(a->fault.error != ERROR_NONE);
    bool began = a->state >= ARCHIVE_READING;

    if (a->state == ARCHIVE_READING)
        join_cancel(&a->join);
    call_cancel(a->call);
    if (!began && a->lease.state != LEASE_HELD)
        return finish(a);
    if (a->lease.state == LEASE_LOST)
        return on_lost(a);
    if (!began && may_go_on(a->fault.error))
        return a->stray ? finish(a) : drop(a);
    if (!began)
        return sweep_and_drop(a);
    if (a->state < ARCHIVE_RECORDING)
        return may_go_on(a->fault.error) ? leave_upload(a) : abort_upload(a);
    /* The checkpoint has the receipt: a later run commits, or sees that it
     * was committed; unless the object is another's. */
    upload_leave(&a->upload);
    return a->fault.error == ERROR_CONFLICT ? sweep_and_drop(a) : finish(a);
}

static enum flow fail_with(struct archive *a, const struct fault *fault)
{
    fault_adopt(&a->fault, fault);
    return fail(a);
}

/* Nothing is to be done; what a dead run left is taken away. */
static enum flow end_early(struct archive *a, const char *action)
{
    a->result.action = action;
    if (a->lease.state == LEASE_HELD)
        return sweep_and_drop(a);
    return finish(a);
}

/* --- the lease ----------------------------------------------------------- */

static enum flow write_checkpoint(struct archive *a,
                                  enum checkpoint_state state)
{
    struct view text = document_checkpoint(a, state);

    if (a->fault.error != ERROR_NONE)
        return fail(a);
    a->recorded = a->journal.stored.parts.parts;
    a->named = a->upload.multipart.id[0] != '\0';
    lease_write(&a->lease, text, a->now);
    return FLOW_MOVED;
}

static enum flow fail_lease(struct archive *a)
{
    if (a->lease.state != LEASE_LOST)
        return fail_with(a, &a->lease.fault);
    refuse_lost(a);
    return fail(a);
}

static bool is_news(const struct archive *a)
{
    return a->journal.stored.parts.parts != a->recorded ||
           (!a->named && a->upload.multipart.id[0] != '\0');
}

/* Renews it, and tells what is new. */
static enum flow keep_lease(struct archive *a)
{
    enum flow flow = lease_step(&a->lease, a->now);
    bool final = a->state > ARCHIVE_RECORDING;

    if (flow == FLOW_FAILED)
        return fail_lease(a);
    if (a->lease.state != LEASE_HELD)
        return flow;
    if (!lease_is_due(&a->lease, a->now) && (final || !is_news(a)))
        return FLOW_WANT_EVENT;
    return write_checkpoint(a, final ? CHECKPOINT_COMMITTING
                                     : CHECKPOINT_WORKING);
}

/* --- before the first read ----------------------------------------------- */

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
    a->expired = a->stopped = a->resumable = a->stray = a->again = false;
    a->named = a->released = false;
    a->recorded = a->overs = 0;
    a->nonce = chance_next(&site->chance);
    a->serial = 0;
    fault_reset(&a->fault);
    arena_init(&a->arena, (struct span){a->slots, sizeof a->slots}, a->next,
               CFG_SLOT_BYTES);
    upload_init(&a->upload, site, &a->arena, &a->target);
    journal_init(&a->journal, spec->from_ms);
    index_init(&a->index);
    logs_init(&a->lanes[0].logs, site, &a->shared.scope);
    a->call = &a->lanes[0].logs.call;
    a->state = ARCHIVE_GROUP;
    begin_group(a);
}

/* Where reading begins: with the window, or with what is left of it. */
static int64_t reads_from(const struct archive *a)
{
    return a->resumable ? a->found.stored.mark.from_ms : a->spec->from_ms;
}

/* Is the beginning of what is to be read past what the group holds? Then what
 * is read is not what was written. */
static bool has_expired(struct archive *a)
{
    a->held_ms = group_held_from(&a->group.info, aws_ms(a));
    return reads_from(a) < a->held_ms;
}

/* May it be archived all the same? Not if nothing is left of it, and not in
 * the place of what may hold more. */
static bool may_be_part(const struct archive *a)
{
    return a->spec->partial && !a->existing.has_object &&
           a->spec->until_ms > a->held_ms;
}

static bool make_name(struct archive *a, const char *kind, struct text *name)
{
    receipt_key(name, view_of(a->key), kind);
    return !name->overflow ||
           message_refuse(&a->fault, ERROR_USAGE, "the key \"%\" leaves no "
                          "room for its receipt's name",
                          &(const struct view){(uint8_t *)a->key,
                                               view_of(a->key).len});
}

static bool make_names(struct archive *a)
{
    const struct plan_place place = {
        .account = view_of(a->group.info.account),
        .region = view_of(a->site->endpoint[SITE_LOGS].region),
    };
    struct text key, receipt, checkpoint;

    text_init(&key, a->key, sizeof a->key);
    text_init(&receipt, a->receipt_key, sizeof a->receipt_key);
    text_init(&checkpoint, a->checkpoint_key, sizeof a->checkpoint_key);
    return plan_key(a->spec, &place, &key, &a->fault) &&
           make_name(a, "receipt", &receipt) &&
           make_name(a, "checkpoint", &checkpoint);
}

static enum flow look_at_existing(struct archive *a)
{
    call_cancel(a->call);
    existing_init(&a->existing, a->call, view_of(a->spec->bucket),
                  view_of(a->key), view_of(a->receipt_key),
                  (struct span){a->slots, EXISTING_ROOM_BYTES});
    enter(a, ARCHIVE_EXISTING);
    return FLOW_MOVED;
}

static enum flow on_group(struct archive *a)
{
    enum flow flow = group_step(&a->group, a->now);

    if (flow == FLOW_FAILED && a->group.fault.error == ERROR_MISSING &&
        a->group.fault.operation == NULL) {
        refuse_group(a);
        return fail(a);
    }
    if (flow == FLOW_FAILED)
        return fail_with(a, &a->group.fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (strcmp(a->group.info.log_class, "STANDARD") != 0) {
        refuse_class(a);
        return fail(a);
    }
    a->created_ms = a->group.info.creation_ms;
    if (!make_names(a))
        return fail(a);
    document_describe(a);
    lease_init(&a->lease, a->site, view_of(a->spec->bucket),
               view_of(a->checkpoint_key), a->spec->checksum);
    return look_at_existing(a);
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

/* Is the object what a dead run was about to commit, without its receipt? */
static bool is_committed(const struct archive *a)
{
    const struct existing *e = &a->existing;

    return a->resumable && a->found.state == CHECKPOINT_COMMITTING &&
           !existing_agrees(e) && existing_is_stored(e, &a->found.receipt);
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

/* --- reading ------------------------------------------------------------- */

static enum pack_kind pack_kind(const struct archive *a)
{
    return a->spec->compress == COMPRESS_GZIP   ? PACK_GZIP
           : a->spec->compress == COMPRESS_ZSTD ? PACK_ZSTD
                                                : PACK_NONE;
}

static void begin_lanes(struct archive *a, int64_t from_ms)
{
    const struct spec *s = a->spec;

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
    join_init(&a->join, a->lanes, &a->shared, a->site, from_ms, s->until_ms);
}

static enum flow begin_reading(struct archive *a)
{
    a->begun_ms = aws_ms(a);
    upload_init(&a->upload, a->site, &a->arena, &a->target);
    journal_init(&a->journal, a->spec->from_ms);
    index_init(&a->index);
    begin_lanes(a, a->spec->from_ms);
    enter(a, ARCHIVE_READING);
    return FLOW_MOVED;
}

/* An upload that is of no use is aborted, and the window starts over. */
static enum flow start_over(struct archive *a)
{
    if (a->state == ARCHIVE_READING)
        join_cancel(&a->join);
    call_cancel(a->call);
    a->again = true;
    a->resumable = false;
    a->overs++;
    return abort_upload(a);
}

/* All that was found is taken out of the slots: they are the arena's now. */
static enum flow resume(struct archive *a)
{
    const struct checkpoint *c = &a->found;

    a->begun_ms = c->receipt.settled_until_ms;
    journal_resume(&a->journal, &c->stored);
    upload_init(&a->upload, a->site, &a->arena, &a->target);
    upload_resume(&a->upload, c->upload, &c->stored.parts);
    a->recorded = c->stored.parts.parts;
    a->named = true;
    if (c->state == CHECKPOINT_COMMITTING) {
        document_adopt(a, c);
        upload_end(&a->upload);
        upload_commit(&a->upload);
        enter(a, ARCHIVE_COMMITTING);
        return FLOW_MOVED;
    }
    begin_lanes(a, c->stored.mark.from_ms);
    enter(a, ARCHIVE_READING);
    return FLOW_MOVED;
}

static enum flow write_receipt(struct archive *a, const char *etag,
                               bool confirmed)
{
    a->counts.events = a->receipt.tally.events;
    a->counts.bytes_raw = a->receipt.bytes_raw;
    a->counts.bytes_stored = a->receipt.bytes_stored;
    document_receipt(a, etag, confirmed);
    call_cancel(a->call);
    put_begin(&a->put, a->call, &a->receipt_target, &a->receipt_body);
    enter(a, ARCHIVE_RECEIPT);
    return FLOW_MOVED;
}

/* The day is ours. */
static enum flow begin(struct archive *a)
{
    const struct checkpoint *c = &a->found;
    bool begun = c->upload.len > 0;

    if (is_committed(a)) {
        document_adopt(a, c);
        return write_receipt(a, a->existing.etag,
                             a->existing.crc64nvme[0] != '\0');
    }
    if (a->resumable && begun && c->stored.parts.parts > 0)
        return resume(a);
    if (!begun)
        return begin_reading(a);
    upload_init(&a->upload, a->site, &a->arena, &a->target);
    upload_resume(&a->upload, c->upload, &c->stored.parts);
    return start_over(a);
}

/* What was found goes into ours, so that it outlives us, too. */
static enum flow take_lease(struct archive *a)
{
    const struct checkpoint *c = &a->found;
    enum checkpoint_state state = CHECKPOINT_WORKING;

    a->since_ms = a->begun_ms = aws_ms(a);
    a->stray = a->lease.there;
    a->resumable = a->resumable &&
                   index_read(&a->index, c->index, c->stored.head.blocks,
                              c->stride);
    (void)view_copy(c->upload, a->upload.multipart.id,
                    sizeof a->upload.multipart.id);
    if (a->resumable) {
        a->begun_ms = c->receipt.settled_until_ms;
        a->journal.stored = a->journal.now = c->stored;
    }
    if (a->resumable && c->state == CHECKPOINT_COMMITTING) {
        document_adopt(a, c);
        state = CHECKPOINT_COMMITTING;
    }
    struct view text = document_checkpoint(a, state);
    if (a->fault.error != ERROR_NONE)
        return fail(a);
    lease_take(&a->lease, text, a->now);
    enter(a, ARCHIVE_TAKING);
    return FLOW_MOVED;
}

/* What is to be done, by what is there; with the lease or before it. */
static enum flow decide(struct archive *a)
{
    const struct existing *e = &a->existing;
    bool held = a->lease.state == LEASE_HELD;
    bool there = e->has_object || e->has_receipt || e->damaged;
    bool same = existing_agrees(e) && existing_is_window(e, &a->receipt);

    begin_target(a);
    if (!held && a->lease.there && lease_is_stale(&a->lease))
        return take_lease(a);  /* what a dead run left is seen to first */
    if (same && a->spec->if_exists == EXISTS_SKIP)
        return skip(a);
    if (has_expired(a) && !may_be_part(a) && !is_committed(a)) {
        refuse_expired(a);
        return fail(a);
    }
    if (there && a->spec->if_exists != EXISTS_REPLACE && !is_committed(a)) {
        refuse_existing(a);
        return fail(a);
    }
    if (a->spec->dry_run)
        return end_early(a, there ? "would replace" : "would archive");
    return held ? begin(a) : take_lease(a);
}

static enum flow on_existing(struct archive *a)
{
    enum flow flow = existing_step(&a->existing, a->now);

    if (flow == FLOW_FAILED)
        return fail_with(a, &a->existing.fault);
    if (flow != FLOW_ENDED)
        return flow;
    call_cancel(a->call);
    if (a->lease.state == LEASE_HELD)
        return decide(a);
    lease_look(&a->lease, a->call,
               (struct span){a->slots + EXISTING_ROOM_BYTES, RECEIPT_BYTES});
    enter(a, ARCHIVE_LOOKING);
    return FLOW_MOVED;
}

/* A checkpoint that is not sound, or of something else, is a lease all the
 * same. */
static void read_found(struct archive *a)
{
    struct checkpoint *c = &a->found;
    struct fault fault;
    struct text strings;

    *c = (struct checkpoint){0};
    if (!a->lease.there)
        return;
    fault_reset(&fault);
    text_init(&strings,
              (char *)a->slots + EXISTING_ROOM_BYTES + RECEIPT_BYTES,
              CHECKPOINT_STRINGS_BYTES);
    if (!checkpoint_read(c, a->lease.text, &strings, &fault)) {
        *c = (struct checkpoint){0};
        return;
    }
    a->lease.released = c->state == CHECKPOINT_RELEASED;
    a->resumable = document_is_ours(a, c) &&
                   a->created_ms <= c->receipt.settled_until_ms;
}

static enum flow on_looking(struct archive *a)
{
    enum flow flow = lease_step(&a->lease, a->now);

    if (flow == FLOW_FAILED)
        return fail_with(a, &a->lease.fault);
    if (flow != FLOW_ENDED)
        return flow;
    read_found(a);
    return decide(a);
}

static enum flow on_taking(struct archive *a)
{
    enum flow flow = lease_step(&a->lease, a->now);

    if (flow == FLOW_FAILED && a->lease.state == LEASE_LOST) {
        refuse_held(a);
        return finish(a);
    }
    if (flow == FLOW_FAILED)
        return fail_with(a, &a->lease.fault);
    if (flow != FLOW_ENDED)
        return flow;
    return look_at_existing(a);  /* whoever held it may have finished */
}

/* --- reading ------------------------------------------------------------- */

/* Passes the block's bytes on, or drops them. */
static void move_bytes(struct archive *a, uint32_t left, bool stored)
{
    while (left > 0) {
        struct view piece = join_peek(&a->join);
        piece.len = piece.len < left ? piece.len : left;
        CHECK(piece.len > 0);
        if (!stored)
            upload_append(&a->upload, piece);
        join_consume(&a->join, piece.len);
        left -= piece.len;
    }
}

static void add_block(struct archive *a, const struct block *b,
                      uint64_t raw_offset)
{
    struct upload *u = &a->upload;
    uint32_t closed = u->closed;

    if (upload_offset(u) == 0) {
        uint8_t header[PACK_HEADER_BYTES];
        uint32_t len = pack_header(a->shared.pack.kind, header);
        upload_append(u, (struct view){header, len});
    }
    index_add(&a->index, &(struct index_entry){
                             .offset = upload_offset(u),
                             .raw_offset = raw_offset,
                             .least_ms = b->first_ms,
                             .greatest_ms = b->last_ms,
                             .events = b->events,
                         });
    move_bytes(a, b->packed_bytes, false);
    upload_block_end(u);
    if (u->closed != closed)
        journal_close(&a->journal, &(struct upload_stored){
                                       u->closed, u->bytes, u->crc});
}

/* The next block, whole, goes from its lane to the part in hand, unless it is
 * stored already. */
static bool move_block(struct archive *a)
{
    const struct block *b = join_block(&a->join);
    uint64_t raw_offset = a->journal.now.bytes_raw;

    if (b == NULL || !upload_room(&a->upload, b->packed_bytes +
                                                  PACK_HEADER_BYTES))
        return false;
    switch (journal_add(&a->journal, b)) {
    case JOURNAL_NEW:
        add_block(a, b, raw_offset);
        break;
    case JOURNAL_DROP:
        move_bytes(a, b->packed_bytes, true);
        break;
    case JOURNAL_DIFFERS:
        a->again = true;
        return false;
    }
    a->counts.reached_ms = b->last_ms;
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
    len += pack_trailer(kind, a->journal.now.crc, a->journal.now.bytes_raw,
                        bytes + len);
    upload_append(&a->upload, (struct view){bytes, len});
    upload_end(&a->upload);
    return true;
}

static void count(struct archive *a)
{
    a->counts.events = a->journal.now.head.events;
    a->counts.bytes_raw = a->journal.now.bytes_raw;
    a->counts.bytes_stored = upload_offset(&a->upload);
    a->counts.parts = a->upload.stored.parts;
    a->counts.repeated = a->join.repeated;
}

/* An upload that is gone, by a lifecycle rule say, is made anew. */
static enum flow fail_upload(struct archive *a)
{
    const struct fault *f = &a->upload.fault;

    if (f->error == ERROR_MISSING && f->operation == NULL &&
        a->overs < OVERS_MOST)
        return start_over(a);
    return fail_with(a, f);
}

static enum flow send(struct archive *a)
{
    enum flow flow = upload_step(&a->upload, a->now);

    (void)journal_store(&a->journal, a->upload.stored.parts);
    return flow;
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
    if (a->again || (joined == FLOW_ENDED && a->journal.drop_bytes > 0))
        return start_over(a);
    enum flow sent = send(a);
    if (sent == FLOW_FAILED)
        return fail_upload(a);
    count(a);
    if (joined == FLOW_ENDED) {
        begin_group(a);
        enter(a, ARCHIVE_RECHECK);
        return FLOW_MOVED;
    }
    return moved || sent == FLOW_MOVED ? FLOW_MOVED : FLOW_WANT_EVENT;
}

/* --- the commit ---------------------------------------------------------- */

/* Asked again after the last page: what has expired since it was first asked
 * may be missing from what was read. */
static enum flow on_recheck(struct archive *a)
{
    enum flow sent = send(a);
    enum flow flow = group_step(&a->group, a->now);

    if (sent == FLOW_FAILED)
        return fail_upload(a);
    if (flow == FLOW_FAILED)
        return fail_with(a, &a->group.fault);
    if (flow != FLOW_ENDED)
        return flow == FLOW_MOVED || sent == FLOW_MOVED ? FLOW_MOVED : flow;
    if (a->group.info.creation_ms != a->created_ms) {
        refuse_recreated(a);
        return fail(a);
    }
    a->expired = has_expired(a);
    if (a->expired && !may_be_part(a)) {
        refuse_expired(a);
        return fail(a);
    }
    if (!end_archive(a))
        return sent == FLOW_MOVED ? FLOW_MOVED : FLOW_WANT_EVENT;
    enter(a, ARCHIVE_STORING);
    return FLOW_MOVED;
}

static enum flow on_storing(struct archive *a)
{
    enum flow flow = send(a);
    const struct upload *u = &a->upload;

    if (flow == FLOW_FAILED)
        return fail_upload(a);
    if (!upload_is_stored(u) || a->lease.state != LEASE_HELD)
        return flow == FLOW_MOVED ? FLOW_MOVED : FLOW_WANT_EVENT;
    a->journal.now.parts = (struct upload_stored){u->closed, u->bytes, u->crc};
    document_complete(a);
    enter(a, ARCHIVE_RECORDING);
    return write_checkpoint(a, CHECKPOINT_COMMITTING);
}

static enum flow on_recording(struct archive *a)
{
    enum flow flow = lease_step(&a->lease, a->now);

    if (flow == FLOW_FAILED)
        return fail_lease(a);
    if (flow != FLOW_ENDED)
        return flow;
    upload_commit(&a->upload);
    enter(a, ARCHIVE_COMMITTING);
    return FLOW_MOVED;
}

static enum flow on_committing(struct archive *a)
{
    enum flow flow = upload_step(&a->upload, a->now);

    if (flow == FLOW_FAILED)
        return fail_upload(a);
    if (flow != FLOW_ENDED)
        return flow;
    a->counts.parts = a->upload.stored.parts;
    return write_receipt(a, a->upload.etag, a->upload.crc_confirmed);
}

static enum flow on_receipt(struct archive *a)
{
    enum flow flow = put_step(&a->put, a->now);

    if (flow == FLOW_FAILED)
        return fail_with(a, &a->put.fault);
    return flow == FLOW_ENDED ? sweep_and_drop(a) : flow;
}

/* --- the end of what was begun ------------------------------------------- */

/* The first fault stays, whatever becomes of the abort. */
static enum flow on_aborting(struct archive *a)
{
    enum flow flow = upload_step(&a->upload, a->now);
    bool gone = a->upload.gone;

    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    if (a->again && gone) {
        a->again = a->named = false;
        a->recorded = 0;
        return begin_reading(a);
    }
    if (a->again)
        fault_adopt(&a->fault, &a->upload.fault);
    return gone && a->lease.state != LEASE_LOST ? sweep_and_drop(a)
                                                : finish(a);
}

static enum flow on_releasing(struct archive *a)
{
    enum flow flow = lease_step(&a->lease, a->now);

    if (flow == FLOW_FAILED || (flow == FLOW_ENDED && a->released))
        return finish(a);
    if (flow != FLOW_ENDED)
        return flow;
    a->released = true;
    lease_write(&a->lease, document_checkpoint(a, CHECKPOINT_RELEASED),
                a->now);
    return FLOW_MOVED;
}

static enum flow on_sweeping(struct archive *a)
{
    enum flow flow = sweep_step(&a->sweep, a->now);
    return flow == FLOW_ENDED ? drop(a) : flow;
}

/* A write that is under way comes to its end first. */
static enum flow on_dropping(struct archive *a)
{
    enum flow flow = lease_step(&a->lease, a->now);

    if (flow == FLOW_ENDED && a->lease.state == LEASE_HELD) {
        lease_drop(&a->lease);
        return FLOW_MOVED;
    }
    return flow == FLOW_ENDED || flow == FLOW_FAILED ? finish(a) : flow;
}

static enum flow step(struct archive *a)
{
    switch (a->state) {
    case ARCHIVE_GROUP:      return on_group(a);
    case ARCHIVE_EXISTING:   return on_existing(a);
    case ARCHIVE_LOOKING:    return on_looking(a);
    case ARCHIVE_TAKING:     return on_taking(a);
    case ARCHIVE_READING:    return on_reading(a);
    case ARCHIVE_RECHECK:    return on_recheck(a);
    case ARCHIVE_STORING:    return on_storing(a);
    case ARCHIVE_RECORDING:  return on_recording(a);
    case ARCHIVE_COMMITTING: return on_committing(a);
    case ARCHIVE_RECEIPT:    return on_receipt(a);
    case ARCHIVE_ABORTING:   return on_aborting(a);
    case ARCHIVE_RELEASING:  return on_releasing(a);
    case ARCHIVE_SWEEPING:   return on_sweeping(a);
    case ARCHIVE_DROPPING:   return on_dropping(a);
    case ARCHIVE_DONE:       return FLOW_ENDED;
    case ARCHIVE_FAILED:     break;
    }
    return FLOW_FAILED;
}

/* Between taking the lease and giving it back. */
static bool is_at_work(const struct archive *a)
{
    return a->state >= ARCHIVE_READING && a->state <= ARCHIVE_RECEIPT &&
           a->state != ARCHIVE_RECORDING;
}

enum flow archive_step(struct archive *a, struct now now)
{
    enum archive_state before = a->state;
    enum flow kept = FLOW_WANT_EVENT;

    a->now = now;
    if (a->stopped && a->state <= ARCHIVE_STORING) {
        fault_set(&a->fault, ERROR_STOPPED, "stopped; run again", 0);
        return fail(a);
    }
    if (is_at_work(a))
        kept = keep_lease(a);
    if (a->state != before)
        return kept;
    enum flow flow = step(a);
    return flow == FLOW_WANT_EVENT && kept == FLOW_MOVED ? FLOW_MOVED : flow;
}

void archive_stop(struct archive *a)
{
    a->stopped = true;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t archive_wake_ms(const struct archive *a)
{
    switch (a->state) {
    case ARCHIVE_GROUP:
    case ARCHIVE_EXISTING:
    case ARCHIVE_SWEEPING:
        return call_wake_ms(a->call);
    case ARCHIVE_LOOKING:
    case ARCHIVE_TAKING:
    case ARCHIVE_RECORDING:
    case ARCHIVE_RELEASING:
    case ARCHIVE_DROPPING:
        return lease_wake_ms(&a->lease);
    case ARCHIVE_READING:  /* the call is one of the lanes' */
        return earlier(join_wake_ms(&a->join),
                       earlier(upload_wake_ms(&a->upload),
                               lease_wake_ms(&a->lease)));
    case ARCHIVE_RECHECK:
    case ARCHIVE_STORING:
    case ARCHIVE_COMMITTING:
    case ARCHIVE_RECEIPT:
        return earlier(call_wake_ms(a->call),
                       earlier(upload_wake_ms(&a->upload),
                               lease_wake_ms(&a->lease)));
    case ARCHIVE_ABORTING:
        return upload_wake_ms(&a->upload);
    case ARCHIVE_DONE:
    case ARCHIVE_FAILED:
        break;
    }
    return INT64_MAX;
}
