/* recount.c - see recount.h. */
#include "task/recount.h"

#include <string.h>

#include "task/claim.h"
#include "task/document.h"
#include "task/ending.h"
#include "task/intake.h"
#include "task/message.h"
#include "task/refuse.h"

enum verdict {
    VERDICT_SAME,  /* what is archived */
    VERDICT_MORE,  /* that, and later events */
    VERDICT_LESS,  /* less, or something else */
};

static bool stays(struct archive *a, const char *why)
{
    struct text t;

    text_init(&t, a->reason, sizeof a->reason);
    text_str(&t, why);
    return false;
}

static bool is_imported(const struct archive *a)
{
    return a->existing.receipt.state == RECEIPT_IMPORTED;
}

static const char recreated[] =
    "the log group was created after the archive was taken";
static const char counted_on[] = "a recount on ";

/* An import that was found to differ, as its receipt says. */
static bool is_settled_so(const struct archive *a)
{
    struct view reason = a->existing.receipt.reason;
    return is_imported(a) && (view_is(reason, recreated) ||
                              view_starts(reason, counted_on));
}

bool recount_is_due(struct archive *a)
{
    const struct receipt *r = &a->existing.receipt;
    int64_t now_ms = site_now(a->site, a->now).wall_ms;

    if (r->state == RECEIPT_SEALED || (!r->has_settled && !is_imported(a)) ||
        now_ms < r->until_ms + RECOUNT_AFTER_MS || is_settled_so(a))
        return false;
    if (!r->counted)
        return stays(a, "it cannot be recounted, as its own events were not "
                        "counted");
    if (!view_is(view_of(a->group.info.log_class), "STANDARD"))
        return stays(a, "it cannot be recounted, as events of its class can "
                        "only be exported");
    if (r->from_ms < group_held_from(&a->group.info, now_ms))
        return stays(a, "it cannot be recounted, as CloudWatch deletes it "
                        "after its retention already");
    if (r->masked != a->receipt.masked)
        return stays(a, "it cannot be recounted, as masking differs from "
                        "when it was archived");
    return true;
}

/* The receipt stays where it lies; the arena gets the rest. */
static void begin_counting(struct archive *a)
{
    const struct receipt *r = &a->existing.receipt;
    uint32_t kept = (EXISTING_ROOM_BYTES + CFG_SLOT_BYTES - 1) /
                    CFG_SLOT_BYTES * CFG_SLOT_BYTES;

    arena_init(&a->arena,
               (struct span){a->slots + kept,
                             (uint32_t)sizeof a->slots - kept},
               a->next, CFG_SLOT_BYTES);
    journal_init(&a->journal, r->from_ms);
    a->begun_ms = r->has_settled ? r->settled_until_ms : INT64_MAX;
    archive_begin_lanes(a, r->from_ms);
    a->shared.scope.form = view_is(r->format, "text") ? DECODE_TEXT
                                                      : DECODE_JSON;
    pack_init(&a->shared.pack, PACK_NONE);
    archive_enter(a, ARCHIVE_COUNTING);
}

static bool is_same(const struct tally *a, const struct tally *b)
{
    return a->events == b->events &&
           memcmp(a->digest, b->digest, sizeof a->digest) == 0;
}

/* Without a word of what was settled, all of it has to be. */
static const struct tally *settled_of(const struct receipt *r)
{
    return r->has_settled ? &r->settled : &r->tally;
}

static enum verdict verdict_of(const struct archive *a)
{
    const struct receipt *r = &a->existing.receipt;
    const struct tally *settled = settled_of(r);
    struct tally all = a->journal.settled;

    tally_merge(&all, &a->journal.late);
    if (is_same(&all, &r->tally))
        return VERDICT_SAME;
    /* More than was settled: it had been given to CloudWatch before, but was
     * not shown yet. */
    bool whole = is_same(&a->journal.settled, settled) ||
                 a->journal.settled.events > settled->events;
    return whole && all.events > r->tally.events && !is_imported(a)
               ? VERDICT_MORE : VERDICT_LESS;
}

static bool is_recreated(const struct archive *a)
{
    const struct receipt *r = &a->existing.receipt;
    return a->created_ms > (r->has_settled ? r->settled_until_ms
                                           : r->archived_ms);
}

static void give_reason(struct archive *a)
{
    struct text t;

    text_init(&t, a->reason, sizeof a->reason);
    if (is_recreated(a)) {
        text_str(&t, recreated);
        return;
    }
    text_str(&t, counted_on);
    date_day(&t, archive_aws_ms(a) / DAY_MS);
    text_str(&t, " found ");
    message_number(&t, a->journal.settled.events);
    text_str(&t, " events instead of ");
    message_number(&t, settled_of(&a->existing.receipt)->events);
    text_str(&t, ", or other ones");
}

static enum flow write_receipt(struct archive *a, enum verdict verdict)
{
    struct receipt *r = &a->existing.receipt;

    a->reason[0] = '\0';
    if (verdict != VERDICT_SAME)
        give_reason(a);
    else if (is_imported(a))  /* what is odd about it stays so */
        (void)view_copy(r->reason, a->reason, sizeof a->reason);
    if (verdict == VERDICT_SAME)
        r->state = RECEIPT_SEALED;
    r->reason = view_of(a->reason);
    document_body(a, r, NULL, a->slots + EXISTING_ROOM_BYTES);
    put_begin(&a->put, a->call, &a->receipt_target, &a->receipt_body);
    archive_enter(a, ARCHIVE_SEALING);
    return FLOW_MOVED;
}

enum flow recount_begin(struct archive *a)
{
    if (is_recreated(a))
        return write_receipt(a, VERDICT_LESS);
    begin_counting(a);
    return FLOW_MOVED;
}

static enum flow end_counting(struct archive *a)
{
    enum verdict verdict = verdict_of(a);

    call_cancel(a->call);
    if (verdict == VERDICT_MORE) {  /* archived again, over what is there */
        arena_init(&a->arena, (struct span){a->slots, sizeof a->slots},
                   a->next, CFG_SLOT_BYTES);
        a->replace = true;
        return claim_again(a);
    }
    if (verdict == VERDICT_LESS && !recount_is_due(a)) {
        a->result.state = receipt_state_name[a->existing.receipt.state];
        return ending_early(a, "skipped");  /* it has expired meanwhile */
    }
    return write_receipt(a, verdict);
}

enum flow recount_counting(struct archive *a)
{
    enum flow joined = join_step(&a->join, a->now, (struct join_kept){0, 0});
    bool moved = joined == FLOW_MOVED;
    const struct block *b;

    if (joined == FLOW_FAILED)
        return ending_fault(a, &a->join.fault);
    while ((b = join_block(&a->join)) != NULL) {
        (void)journal_add(&a->journal, b);
        intake_move(a, b->packed_bytes, true);
        a->counts.reached_ms = b->last_ms;
        join_take(&a->join);
        moved = true;
    }
    a->counts.events = a->journal.now.head.events;
    a->counts.bytes_raw = a->journal.now.bytes_raw;
    if (joined == FLOW_ENDED)
        return end_counting(a);
    return moved ? FLOW_MOVED : FLOW_WANT_EVENT;
}

enum flow recount_sealing(struct archive *a)
{
    enum flow flow = put_step(&a->put, a->now);

    if (flow == FLOW_FAILED)
        return ending_fault(a, &a->put.fault);
    if (flow != FLOW_ENDED)
        return flow;
    a->recounted = true;
    return a->lease.there && lease_is_stale(&a->lease)
               ? claim_again(a)  /* what a dead run left is taken away */
               : recount_end(a);
}

enum flow recount_end(struct archive *a)
{
    if (a->existing.receipt.state == RECEIPT_SEALED)
        return ending_early(a, "sealed");
    refuse_recount(a);
    return ending_fail(a);
}
