/* claim.c - see claim.h. */
#include "task/claim.h"

#include <string.h>

#include "base/check.h"
#include "task/discard.h"
#include "task/document.h"
#include "task/ending.h"
#include "task/gather.h"
#include "task/message.h"
#include "task/recount.h"
#include "task/refuse.h"

_Static_assert(EXISTING_ROOM_BYTES + RECEIPT_BYTES + CHECKPOINT_STRINGS_BYTES
                   <= CFG_SLOT_COUNT * CFG_SLOT_BYTES,
               "before reading, the slots hold receipt and checkpoint");

enum { RACES_MOST = 3 };  /* runs that were first, in a row */

/* Where reading begins: with the window, or with what is left of it. */
static int64_t reads_from(const struct archive *a)
{
    return a->resumable && a->spec->source == SOURCE_READ
               ? a->found.stored.mark.from_ms : a->spec->from_ms;
}

bool claim_has_expired(struct archive *a)
{
    if (a->spec->source == SOURCE_MERGE)
        return false;
    a->held_ms = group_held_from(&a->group.info, archive_aws_ms(a));
    return reads_from(a) < a->held_ms;
}

bool claim_may_be_part(const struct archive *a)
{
    return a->spec->partial && !a->existing.has_object &&
           a->spec->until_ms > a->held_ms;
}

/* plan_key() has left room for it. */
static void make_name(struct archive *a, const char *kind, struct text *name)
{
    receipt_key(name, view_of(a->key), kind);
    CHECK(!name->overflow);
}

static bool make_names(struct archive *a)
{
    const struct plan_place place = {
        .account = view_of(a->group.info.account),
        .region = view_of(a->site->endpoint[SITE_LOGS].region),
    };
    struct text key, receipt, checkpoint, segment;

    text_init(&key, a->key, sizeof a->key);
    text_init(&receipt, a->receipt_key, sizeof a->receipt_key);
    text_init(&checkpoint, a->checkpoint_key, sizeof a->checkpoint_key);
    text_init(&segment, a->segment_key, sizeof a->segment_key);
    if (!plan_key(a->spec, &place, &key, &a->fault))
        return false;
    make_name(a, "receipt", &receipt);
    make_name(a, "checkpoint", &checkpoint);
    make_name(a, "segment", &segment);
    text_cut(&segment, segment.len - (uint32_t)strlen(".json"));
    return true;
}

/* Beside the object; or in the place for states, below the bucket's name. */
static bool begin_lease(struct archive *a)
{
    struct view bucket = view_of(a->spec->bucket);
    struct view key = view_of(a->checkpoint_key), prefix;
    struct text t;

    if (a->spec->state.len > 0) {
        text_init(&t, a->state_key, sizeof a->state_key);
        if (!plan_url(a->spec->state, &bucket, &prefix, &a->fault))
            return false;
        text_put(&t, prefix);
        text_str(&t, a->spec->bucket);
        text_char(&t, '/');
        text_put(&t, key);
        key = text_view(&t);
        if (t.overflow)
            return message_refuse(&a->fault, ERROR_CONFIG, "\"state\" leaves "
                                  "no room for the checkpoint's name", NULL);
    }
    lease_init(&a->lease, a->site, bucket, key, a->spec->checksum);
    return true;
}

enum flow claim_again(struct archive *a)
{
    call_cancel(a->call);
    existing_init(&a->existing, a->call, view_of(a->spec->bucket),
                  view_of(a->key), view_of(a->receipt_key),
                  (struct span){a->slots, EXISTING_ROOM_BYTES});
    a->existing.any_form = true;
    archive_enter(a, ARCHIVE_EXISTING);
    return FLOW_MOVED;
}

/* Who we are is known, as far as it matters. */
static enum flow begin_claim(struct archive *a)
{
    if (!make_names(a))
        return ending_fail(a);
    document_describe(a);
    if (!begin_lease(a))
        return ending_fail(a);
    return claim_again(a);
}

enum flow claim_group(struct archive *a)
{
    if (a->spec->group[0] == '\0')
        return begin_claim(a);
    enum flow flow = group_step(&a->group, a->now);

    if (flow == FLOW_FAILED && a->group.fault.error == ERROR_MISSING &&
        a->group.fault.operation == NULL) {
        refuse_group(a);
        return ending_fail(a);
    }
    if (flow == FLOW_FAILED)
        return ending_fault(a, &a->group.fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (a->spec->source == SOURCE_READ &&
        strcmp(a->group.info.log_class, "STANDARD") != 0) {
        refuse_class(a);
        return ending_fail(a);
    }
    a->created_ms = a->group.info.creation_ms;
    a->date_ms = a->call->exchange.reply.date_ms;
    a->date_mono_ms = a->now.mono_ms;
    return begin_claim(a);
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
                view_of(plan_ext(s->format, a->compress)))),
        .storage_class = view_of(s->storage_class),
        .sse = view_of(s->sse),
        .sse_kms_key_id = view_of(s->sse_kms_key_id),
        .checksum = s->checksum,
        .condition = e->has_object && view_is(e->key, a->key)
                         ? TARGET_MATCHES : TARGET_ABSENT,
        .etag = view_of(e->etag),
    };
    a->segment_target = a->target;
    a->segment_target.key = view_of(a->segment_key);
    a->segment_target.storage_class = (struct view){0};
    a->segment_target.condition = TARGET_ANYHOW;
    a->receipt_target = a->target;
    a->receipt_target.key = view_of(a->receipt_key);
    a->receipt_target.content_type = view_of("application/json");
    a->receipt_target.storage_class = (struct view){0};
    a->receipt_target.condition =
        e->receipt_etag[0] != '\0' ? TARGET_MATCHES : TARGET_ABSENT;
    a->receipt_target.etag = view_of(e->receipt_etag);
}

/* Did what was found hold the receipt already? */
static bool is_commit(const struct archive *a)
{
    return a->resumable && a->found.state == CHECKPOINT_COMMITTING;
}

/* Is the object what a dead run was about to commit, without its receipt? */
static bool is_committed(const struct archive *a)
{
    const struct existing *e = &a->existing;

    return is_commit(a) && !existing_agrees(e) &&
           existing_is_stored(e, &a->found.receipt);
}

/* Did a run die between its receipt and the end, of which this is left? */
static bool is_over(const struct archive *a)
{
    const struct receipt *r = &a->existing.receipt, *f = &a->found.receipt;
    return is_commit(a) && r->archived_ms == f->archived_ms &&
           r->settled_until_ms == f->settled_until_ms;
}

static enum flow skip(struct archive *a)
{
    const struct receipt *r = &a->existing.receipt;
    struct text t;

    if (a->reason[0] == '\0') {  /* else a recount's */
        text_init(&t, a->reason, sizeof a->reason);
        message_escape(&t, r->reason);
    }
    a->counts.events = r->tally.events;
    a->counts.bytes_raw = r->bytes_raw;
    a->counts.bytes_stored = r->bytes_stored;
    a->result.state = receipt_state_name[r->state];
    if (discard_is_due(a) && !a->spec->dry_run &&
        (is_over(a) || a->spec->source == SOURCE_MERGE))
        return discard_rest(a);
    return ending_early(a, "skipped");
}

/* The day is ours. */
static enum flow begin(struct archive *a)
{
    const struct checkpoint *c = &a->found;
    bool begun = c->upload.len > 0;

    if (is_committed(a))
        return archive_finish(a);
    if (a->resumable && begun && c->stored.parts.parts > 0)
        return archive_resume(a);
    if (!begun)
        return archive_begin(a);
    archive_upload(a);
    upload_resume(&a->upload, c->upload, c->segment, &c->stored.parts);
    return ending_over(a);
}

/* What was found goes into ours, so that it outlives us, too. */
static enum flow take_lease(struct archive *a)
{
    const struct checkpoint *c = &a->found;
    enum checkpoint_state state = CHECKPOINT_WORKING;

    a->since_ms = archive_aws_ms(a);
    a->begun_ms = archive_settled_ms(a);
    a->stray = a->lease.there;
    a->resumable = a->resumable && checkpoint_index(c, &a->index);
    upload_name(&a->upload, c->upload, c->segment);
    if (a->resumable) {
        a->begun_ms = c->receipt.settled_until_ms;
        a->compress = document_compress(c);
        a->journal.stored = a->journal.now = c->stored;
    }
    if (is_commit(a)) {
        document_adopt(a, c);
        state = CHECKPOINT_COMMITTING;
    }
    a->recorded = a->journal.stored.parts.parts;
    struct view text = document_checkpoint(a, state);
    if (a->fault.error != ERROR_NONE)
        return ending_fail(a);
    lease_take(&a->lease, text, a->now);
    archive_enter(a, ARCHIVE_TAKING);
    return FLOW_MOVED;
}

/* What is to be done, by what is there; with the lease or before it. */
static enum flow decide(struct archive *a)
{
    const struct existing *e = &a->existing;
    bool held = a->lease.state == LEASE_HELD;
    bool there = e->has_object || e->has_receipt || e->damaged;
    bool same = existing_agrees(e) && existing_is_window(e, &a->receipt);
    bool skips = same && a->spec->if_exists == EXISTS_SKIP && !a->replace;
    bool stale = a->lease.there && lease_is_stale(&a->lease);
    bool files = a->spec->source == SOURCE_EXPORT && is_over(a);

    begin_target(a);
    if (lease_is_due(&a->lease, a->now, CFG_LEASE_MS))
        return claim_lost(a);  /* so long looked at: it may be another's */
    if (skips && !held && !a->recounted && !a->spec->dry_run &&
        a->spec->source != SOURCE_MERGE && !files && recount_is_due(a))
        return recount_begin(a);  /* a dead run's rest may be what it needs */
    if (stale && !held && !a->spec->dry_run)
        return take_lease(a);  /* what a dead run left is seen to first */
    a->leftover = skips && !held && is_over(a) && !a->spec->dry_run;
    if (skips)
        return a->recounted ? recount_end(a) : skip(a);
    if (claim_has_expired(a) && !claim_may_be_part(a) && !is_committed(a)) {
        refuse_expired(a);
        return ending_fail(a);
    }
    if (there && a->spec->if_exists != EXISTS_REPLACE && !a->replace &&
        !is_committed(a)) {
        if (!a->doubted) {
            a->doubted = true;  /* seen between the object and its receipt? */
            return claim_again(a);
        }
        refuse_existing(a);
        return ending_fail(a);
    }
    if (a->spec->dry_run && a->spec->source == SOURCE_MERGE)
        return gather_plan(a);
    if (a->spec->dry_run)
        return ending_early(a, there ? "would replace" : "would archive");
    return held ? begin(a) : take_lease(a);
}

static enum flow look_at_lease(struct archive *a)
{
    lease_look(&a->lease, a->call,
               (struct span){a->slots + EXISTING_ROOM_BYTES, RECEIPT_BYTES});
    archive_enter(a, ARCHIVE_LOOKING);
    return FLOW_MOVED;
}

enum flow claim_existing(struct archive *a)
{
    enum flow flow = existing_step(&a->existing, a->now);

    if (flow == FLOW_FAILED)
        return ending_fault(a, &a->existing.fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (!lease_is_ours(&a->lease)) {
        call_cancel(a->call);
        return look_at_lease(a);
    }
    if (a->lease.state != LEASE_HELD)
        return FLOW_WANT_EVENT;  /* it is just renewed */
    call_cancel(a->call);
    return decide(a);
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
                   (!c->receipt.has_settled ||  /* of objects */
                    a->created_ms <= c->receipt.settled_until_ms);
}

enum flow claim_looking(struct archive *a)
{
    enum flow flow = lease_step(&a->lease, a->now);

    if (flow == FLOW_FAILED)
        return ending_fault(a, &a->lease.fault);
    if (flow != FLOW_ENDED)
        return flow;
    read_found(a);
    return decide(a);
}

enum flow claim_taking(struct archive *a)
{
    enum flow flow = lease_step(&a->lease, a->now);

    if (flow == FLOW_FAILED && a->lease.state == LEASE_LOST) {
        if (!a->lease.there && a->overs++ < RACES_MOST) {
            lease_cancel(&a->lease);  /* begun together: who was first? */
            return look_at_lease(a);
        }
        refuse_held(a);
        return ending_fail(a);
    }
    if (flow == FLOW_FAILED)
        return ending_fault(a, &a->lease.fault);
    if (flow != FLOW_ENDED)
        return flow;
    return claim_again(a);  /* whoever held it may have finished */
}

/* --- while it is ours ---------------------------------------------------- */

enum flow claim_record(struct archive *a, enum checkpoint_state state)
{
    struct view text = document_checkpoint(a, state);

    if (a->fault.error != ERROR_NONE)
        return ending_fail(a);
    a->recorded = a->journal.stored.parts.parts;
    upload_told(&a->upload);
    lease_write(&a->lease, text, a->now);
    return FLOW_MOVED;
}

enum flow claim_lost(struct archive *a)
{
    if (a->lease.state == LEASE_FAILED)
        return ending_fault(a, &a->lease.fault);
    refuse_lost(a);
    return ending_fail(a);
}

/* Parts that are stored but not recorded are read again by the next run, yet
 * not sent again, so long as they are few. */
static bool is_due(const struct archive *a)
{
    uint32_t stored = a->journal.stored.parts.parts;
    bool many = stored >= a->recorded + LISTING_EXTRA / 2 ||
                (stored > a->recorded && upload_wants_record(&a->upload));
    bool named = a->upload.named || upload_id(&a->upload).len == 0;
    int64_t after_ms = !named || many          ? 0
                       : stored > a->recorded ? LEASE_NEWS_MS
                                               : LEASE_RENEW_MS;
    return lease_is_due(&a->lease, a->now, after_ms);
}

enum flow claim_keep(struct archive *a)
{
    enum flow flow = lease_step(&a->lease, a->now);
    bool final = (a->state > ARCHIVE_RECORDING &&
                  a->fault.error == ERROR_NONE) ||
                 (a->state == ARCHIVE_EXISTING && is_commit(a));

    if (flow == FLOW_FAILED)
        return claim_lost(a);
    if (a->lease.state != LEASE_HELD)
        return flow;
    upload_recorded(&a->upload, a->recorded);
    if (final ? !lease_is_due(&a->lease, a->now, LEASE_RENEW_MS) : !is_due(a))
        return FLOW_WANT_EVENT;
    return claim_record(a, final ? CHECKPOINT_COMMITTING
                                     : CHECKPOINT_WORKING);
}
