#include "task/archive.h"

#include <string.h>

#include "base/check.h"
#include "base/crc.h"
#include "base/trace.h"
#include "task/claim.h"
#include "task/discard.h"
#include "task/document.h"
#include "task/ending.h"
#include "task/exporting.h"
#include "task/gather.h"
#include "task/intake.h"
#include "task/recount.h"
#include "task/refuse.h"

_Static_assert(GROUP_ROOM_BYTES <= CFG_BLOCK_BYTES + LANE_SLACK_BYTES,
               "a lane's block is lent to ask for the group");

enum {
    OVERS_MOST = 3,  /* uploads that are gone before their end */
    DATE_MS    = 2000,  /* a Date counts seconds, and takes a while to come */
};

static const char *const state_name[] = {
    "group", "existing", "looking", "taking", "counting", "sealing",
    "exporting", "checking", "reading",
    "recheck", "storing", "recording", "committing", "receipt",
    "proving", "removing", "clearing",
    "aborting", "releasing", "sweeping", "dropping", "done", "failed",
};

void archive_enter(struct archive *a, enum archive_state next)
{
    CHECK(a->state < ARCHIVE_DONE);
    trace_state("archive", state_name[a->state], state_name[next]);
    a->state = next;
}

int64_t archive_aws_ms(const struct archive *a)
{
    return site_now(a->site, a->now).wall_ms;
}

int64_t archive_settled_ms(const struct archive *a)
{
    int64_t ours = archive_aws_ms(a);
    int64_t theirs = a->date_ms + a->now.mono_ms - a->date_mono_ms;
    return a->date_ms != 0 && ours > theirs + DATE_MS ? theirs : ours;
}

/* Whether it is of a group, which then is asked for. */
static bool has_group(const struct archive *a)
{
    return a->spec->group[0] != '\0';
}

static void begin_group(struct archive *a)
{
    struct span room = {a->lanes[0].block, sizeof a->lanes[0].block};

    if (a->lent)
        room = (struct span){a->merge.recut.workspace.bytes,
                             GROUP_ROOM_BYTES};
    group_init(&a->group, a->call, view_of(a->spec->group), room);
}

void archive_init(struct archive *a, struct site *site,
                  const struct spec *spec)
{
    a->spec = spec;
    a->site = site;
    a->counts = (struct archive_counts){.reached_ms = spec->from_ms};
    a->result = (struct archive_result){
        spec->source == SOURCE_MERGE ? "merged" : "archived", "", a->reason,
    };
    a->key[0] = '\0';
    memset(a->reason, 0, sizeof a->reason);
    a->doubted = a->expired = a->stopped = a->replace = a->resumable = false;
    a->recounted = a->leftover = a->stray = a->again = false;
    a->released = false;
    a->recorded = a->overs = 0;
    a->created_ms = a->date_ms = a->date_mono_ms = 0;  /* without a group */
    a->nonce = chance_next(&site->chance);
    a->serial = 0;
    fault_reset(&a->fault);
    arena_init(&a->arena, gather_slots(a), a->next, CFG_SLOT_BYTES);
    upload_init(&a->upload, site, &a->arena, &a->target);
    journal_init(&a->journal, spec->from_ms);
    index_init(&a->index);
    lease_init(&a->lease, site, view_of(NULL), view_of(NULL), false);
    a->found = (struct checkpoint){0};
    a->compress = spec->compress;
    a->lines = spec->format == FORMAT_NDJSON ? CENSUS_NDJSON : CENSUS_TEXT;
    a->checked = a->cleared = a->listed = a->exported = false;
    a->export_url[0] = '\0';
    a->unfit = NULL;
    a->price[0] = '\0';
    a->about[0] = '\0';
    a->state = ARCHIVE_GROUP;
    a->lent = spec->source == SOURCE_MERGE;
    if (a->lent) {
        gather_init(a);
    } else {
        logs_init(&a->lanes[0].logs, site, &a->shared.scope);
        a->call = &a->lanes[0].logs.call;
    }
    if (has_group(a))
        begin_group(a);
    else
        a->group.info = (struct group_info){0};
}

/* --- ways to begin ------------------------------------------------------- */

enum pack_kind archive_pack(const struct archive *a)
{
    return a->compress == COMPRESS_GZIP   ? PACK_GZIP
           : a->compress == COMPRESS_ZSTD ? PACK_ZSTD
                                          : PACK_NONE;
}

void archive_begin_lanes(struct archive *a, int64_t from_ms)
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
    pack_init(&a->shared.pack, archive_pack(a));
    join_init(&a->join, a->lanes, &a->shared, a->site, from_ms, s->until_ms);
}

void archive_upload(struct archive *a)
{
    upload_init(&a->upload, a->site, &a->arena, &a->target);
    upload_segments(&a->upload, &a->segment_target);
}

enum flow archive_begin(struct archive *a)
{
    if (a->spec->source != SOURCE_EXPORT)  /* the checkpoint knows it by that */
        a->begun_ms = archive_settled_ms(a);
    archive_upload(a);
    journal_init(&a->journal, a->spec->from_ms);
    index_init(&a->index);
    if (a->spec->source != SOURCE_READ)
        return gather_begin(a);
    archive_begin_lanes(a, a->spec->from_ms);
    archive_enter(a, ARCHIVE_READING);
    return FLOW_MOVED;
}

/* All that was found is taken out of the slots: they are the arena's now. */
enum flow archive_resume(struct archive *a)
{
    const struct checkpoint *c = &a->found;

    a->begun_ms = c->receipt.settled_until_ms;
    journal_resume(&a->journal, &c->stored);
    archive_upload(a);
    upload_resume(&a->upload, c->upload, c->segment, &c->stored.parts);
    a->recorded = c->stored.parts.parts;
    if (c->state == CHECKPOINT_COMMITTING) {
        document_adopt(a, c);
        upload_end(&a->upload);
        upload_commit(&a->upload);
        archive_enter(a, ARCHIVE_COMMITTING);
        return FLOW_MOVED;
    }
    if (a->spec->source != SOURCE_READ)
        return gather_begin(a);
    archive_begin_lanes(a, c->stored.mark.from_ms);
    archive_enter(a, ARCHIVE_READING);
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
    archive_enter(a, ARCHIVE_RECEIPT);
    return FLOW_MOVED;
}

/* The object is there, without its receipt. */
enum flow archive_finish(struct archive *a)
{
    document_adopt(a, &a->found);
    return write_receipt(a, a->existing.etag,
                         a->existing.crc64nvme[0] != '\0');
}

/* --- reading ------------------------------------------------------------- */

static void count(struct archive *a)
{
    a->counts.events = a->journal.now.head.events;
    a->counts.bytes_raw = a->journal.now.bytes_raw;
    a->counts.bytes_stored = upload_offset(&a->upload);
    a->counts.parts = a->upload.stored.parts;
    if (!a->lent)
        a->counts.repeated = a->join.repeated;
}

/* An upload that is gone, by a lifecycle rule say, is made anew. */
static enum flow fail_upload(struct archive *a)
{
    const struct fault *f = &a->upload.fault;
    bool gone = f->error == ERROR_MISSING &&
                (f->operation == NULL ||
                 view_is(view_of(f->code), "NoSuchUpload"));

    if (gone && a->overs < OVERS_MOST)
        return ending_over(a);
    return ending_fault(a, f);
}

static enum flow send(struct archive *a)
{
    enum flow flow = upload_step(&a->upload, a->now);

    (void)journal_store(&a->journal, &a->upload.stored);
    return flow;
}

static enum flow begin_recheck(struct archive *a)
{
    begin_group(a);
    archive_enter(a, ARCHIVE_RECHECK);
    return FLOW_MOVED;
}

/* What a merge is made of does not expire; what was exported did. */
static enum flow finish_reading(struct archive *a)
{
    bool exported = a->spec->source == SOURCE_EXPORT;

    if (a->merge.sources.count == 0 && !exported)
        return gather_nothing(a);
    if (!exported && !intake_end(a))
        return FLOW_WANT_EVENT;
    a->checked_list = a->merge.sources.digest;
    a->listed = true;
    intake_cancel(a);
    if (exported)
        return begin_recheck(a);
    archive_enter(a, ARCHIVE_STORING);
    return FLOW_MOVED;
}

static enum flow on_reading(struct archive *a)
{
    enum flow read = intake_step(a);
    bool moved = read == FLOW_MOVED;

    if (a->lent)
        gather_note(a);
    if (read == FLOW_FAILED)
        return a->lent ? gather_fail(a) : ending_fault(a, &a->join.fault);
    while (intake_block(a))
        moved = true;
    if (a->lent && read == FLOW_ENDED && !gather_fits(a))
        return gather_again(a);
    if (a->again || (read == FLOW_ENDED && a->journal.drop_bytes > 0))
        return ending_over(a);
    enum flow sent = send(a);
    if (sent == FLOW_FAILED)
        return fail_upload(a);
    count(a);
    if (read == FLOW_ENDED && a->lent)
        return finish_reading(a);
    if (read == FLOW_ENDED)
        return begin_recheck(a);
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
        return ending_fault(a, &a->group.fault);
    if (flow != FLOW_ENDED)
        return flow == FLOW_MOVED || sent == FLOW_MOVED ? FLOW_MOVED : flow;
    if (a->group.info.creation_ms != a->created_ms) {
        refuse_recreated(a);
        return ending_fail(a);
    }
    a->expired = claim_has_expired(a);
    if (a->expired && !claim_may_be_part(a)) {
        refuse_expired(a);
        return ending_fail(a);
    }
    if (!intake_end(a))
        return sent == FLOW_MOVED ? FLOW_MOVED : FLOW_WANT_EVENT;
    archive_enter(a, ARCHIVE_STORING);
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
    a->journal.now.parts = upload_closed(u);
    document_complete(a);
    archive_enter(a, ARCHIVE_RECORDING);
    return claim_record(a, CHECKPOINT_COMMITTING);
}

static enum flow on_recording(struct archive *a)
{
    enum flow flow = lease_step(&a->lease, a->now);

    if (flow == FLOW_FAILED)
        return claim_lost(a);
    if (flow != FLOW_ENDED)
        return flow;
    upload_commit(&a->upload);
    archive_enter(a, ARCHIVE_COMMITTING);
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
        return ending_fault(a, &a->put.fault);
    if (flow != FLOW_ENDED)
        return flow;
    return discard_is_due(a) ? discard_begin(a) : ending_sweep(a);
}

/* --- steps --------------------------------------------------------------- */

static enum flow step(struct archive *a)
{
    switch (a->state) {
    case ARCHIVE_GROUP:      return claim_group(a);
    case ARCHIVE_EXISTING:   return claim_existing(a);
    case ARCHIVE_LOOKING:    return claim_looking(a);
    case ARCHIVE_TAKING:     return claim_taking(a);
    case ARCHIVE_COUNTING:   return recount_counting(a);
    case ARCHIVE_SEALING:    return recount_sealing(a);
    case ARCHIVE_EXPORTING:  return exporting_step(a);
    case ARCHIVE_CHECKING:   return gather_checking(a);
    case ARCHIVE_READING:    return on_reading(a);
    case ARCHIVE_RECHECK:    return on_recheck(a);
    case ARCHIVE_STORING:    return on_storing(a);
    case ARCHIVE_RECORDING:  return on_recording(a);
    case ARCHIVE_COMMITTING: return on_committing(a);
    case ARCHIVE_RECEIPT:    return on_receipt(a);
    case ARCHIVE_PROVING:    return discard_proving(a);
    case ARCHIVE_REMOVING:   return discard_removing(a);
    case ARCHIVE_CLEARING:   return ending_clearing(a);
    case ARCHIVE_ABORTING:   return ending_aborting(a);
    case ARCHIVE_RELEASING:  return ending_releasing(a);
    case ARCHIVE_SWEEPING:   return ending_sweeping(a);
    case ARCHIVE_DROPPING:   return ending_dropping(a);
    case ARCHIVE_DONE:       return FLOW_ENDED;
    case ARCHIVE_FAILED:     break;
    }
    return FLOW_FAILED;
}

/* Between taking the lease and giving it back. */
static bool is_at_work(const struct archive *a)
{
    bool late = a->state >= ARCHIVE_READING && a->state <= ARCHIVE_REMOVING &&
                a->state != ARCHIVE_RECORDING;
    bool early = a->state == ARCHIVE_EXPORTING ||
                 a->state == ARCHIVE_CHECKING || a->state == ARCHIVE_EXISTING;
    return (late || early) && lease_is_ours(&a->lease);
}

enum flow archive_step(struct archive *a, struct now now)
{
    enum archive_state before = a->state;
    enum flow kept = FLOW_WANT_EVENT;

    a->now = now;
    if (a->stopped && a->state <= ARCHIVE_STORING) {
        fault_set(&a->fault, ERROR_STOPPED, "stopped; run again", 0);
        return ending_fail(a);
    }
    if (is_at_work(a))
        kept = claim_keep(a);
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
    case ARCHIVE_EXISTING:
        return earlier(call_wake_ms(a->call),
                       lease_is_ours(&a->lease) ? lease_wake_ms(&a->lease)
                                                : INT64_MAX);
    case ARCHIVE_GROUP:
    case ARCHIVE_SEALING:
    case ARCHIVE_SWEEPING:
        return call_wake_ms(a->call);
    case ARCHIVE_COUNTING:
        return join_wake_ms(&a->join);
    case ARCHIVE_LOOKING:
    case ARCHIVE_TAKING:
    case ARCHIVE_RECORDING:
    case ARCHIVE_RELEASING:
    case ARCHIVE_DROPPING:
        return lease_wake_ms(&a->lease);
    case ARCHIVE_EXPORTING:
        return earlier(export_wake_ms(&a->export), lease_wake_ms(&a->lease));
    case ARCHIVE_PROVING:
    case ARCHIVE_REMOVING:
        return earlier(discard_wake_ms(a), lease_wake_ms(&a->lease));
    case ARCHIVE_CHECKING:
        return earlier(merge_wake_ms(&a->merge), lease_wake_ms(&a->lease));
    case ARCHIVE_READING:  /* the call is one of the lanes' */
        return earlier(a->lent ? merge_wake_ms(&a->merge)
                                 : join_wake_ms(&a->join),
                       earlier(upload_wake_ms(&a->upload),
                               lease_wake_ms(&a->lease)));
    case ARCHIVE_RECHECK:
    case ARCHIVE_STORING:
    case ARCHIVE_COMMITTING:
    case ARCHIVE_RECEIPT:
        return earlier(call_wake_ms(a->call),
                       earlier(upload_wake_ms(&a->upload),
                               lease_wake_ms(&a->lease)));
    case ARCHIVE_CLEARING:
        return earlier(order_wake_ms(&a->merge.order),
                       lease_wake_ms(&a->lease));
    case ARCHIVE_ABORTING:
        return upload_wake_ms(&a->upload);
    case ARCHIVE_DONE:
    case ARCHIVE_FAILED:
        break;
    }
    return INT64_MAX;
}
