/* ending.c - see ending.h. */
#include "task/ending.h"

#include "base/check.h"
#include "task/document.h"
#include "task/exporting.h"
#include "task/gather.h"
#include "task/intake.h"

enum { FAREWELL_MS = 1500 };  /* to write the checkpoint after a deadline */

/* The last state: as it was decided. */
static enum flow finish(struct archive *a)
{
    bool failed = a->fault.error != ERROR_NONE;

    lease_cancel(&a->lease);
    archive_enter(a, failed ? ARCHIVE_FAILED : ARCHIVE_DONE);
    return failed ? FLOW_FAILED : FLOW_ENDED;
}

/* Nothing of this window is under way any more. */
static enum flow drop(struct archive *a)
{
    if (a->lease.state == LEASE_HELD || a->leftover)
        lease_drop(&a->lease);
    archive_enter(a, ARCHIVE_DROPPING);
    return FLOW_MOVED;
}

/* Sorted runs: of this run, or of a dead one whose checkpoint was found. */
static bool may_have_runs(const struct archive *a)
{
    return a->spec->order == BY_TIME ||
           (a->spec->source == SOURCE_MERGE && a->stray);
}

enum flow ending_sweep(struct archive *a)
{
    if (!a->cleared && may_have_runs(a))
        return gather_clear(a);
    if (!a->stray && !a->upload.stray)
        return drop(a);
    call_cancel(a->call);
    sweep_init(&a->sweep, a->call, &a->target, (struct view){0});
    archive_enter(a, ARCHIVE_SWEEPING);
    return FLOW_MOVED;
}

/* Would a later run go on with what this one has stored? */
static bool may_go_on(enum error error)
{
    return error == ERROR_STOPPED || error == ERROR_NETWORK ||
           error == ERROR_REMOTE || error == ERROR_DENIED ||
           error == ERROR_LIMIT;
}

/* The upload stays. Whoever cannot reach S3 cannot say so either. */
static enum flow leave_upload(struct archive *a)
{
    bool begun = upload_id(&a->upload).len > 0 || a->upload.stray ||
                 a->spec->order == BY_TIME || exporting_stays(a);

    upload_leave(&a->upload);
    if (!begun && !a->stray)
        return drop(a);
    if (a->fault.error == ERROR_NETWORK)
        return finish(a);
    if (a->fault.error == ERROR_STOPPED &&
        a->site->deadline_mono_ms < a->now.mono_ms + FAREWELL_MS)
        a->site->deadline_mono_ms = a->now.mono_ms + FAREWELL_MS;
    archive_enter(a, ARCHIVE_RELEASING);
    return FLOW_MOVED;
}

static enum flow abort_upload(struct archive *a)
{
    upload_abort(&a->upload);
    archive_enter(a, ARCHIVE_ABORTING);
    return FLOW_MOVED;
}

/* What no checkpoint names is nobody's but ours. */
static enum flow on_lost(struct archive *a)
{
    if (a->state < ARCHIVE_COMMITTING && upload_yield(&a->upload))
        return abort_upload(a);
    upload_leave(&a->upload);
    return finish(a);
}

/* HEAD has shown that the object is not ours: there is none, or another's. */
static bool is_refused(const struct archive *a)
{
    int32_t status = a->upload.multipart.call.exchange.reply.status;
    return a->fault.error == ERROR_CONFLICT &&
           (status == 200 || status == 404);
}

/* The fault is set: what is under way ends, as it allows. */
enum flow ending_fail(struct archive *a)
{
    CHECK(a->fault.error != ERROR_NONE);
    bool began = a->state >= ARCHIVE_READING;

    if (a->state == ARCHIVE_READING || a->state == ARCHIVE_COUNTING ||
        a->state == ARCHIVE_CHECKING)
        intake_cancel(a);
    if (a->state == ARCHIVE_EXPORTING)
        export_cancel(&a->export);
    call_cancel(a->call);
    if (!began && a->lease.state != LEASE_HELD)
        return finish(a);
    if (a->lease.state == LEASE_LOST)
        return on_lost(a);
    if (!began && exporting_stays(a) &&
        (may_go_on(a->fault.error) || a->state == ARCHIVE_EXISTING))
        return leave_upload(a);
    if (!began && may_go_on(a->fault.error))
        return a->stray ? finish(a) : drop(a);
    if (!began)
        return ending_sweep(a);
    if (a->state < ARCHIVE_RECORDING)
        return may_go_on(a->fault.error) ? leave_upload(a) : abort_upload(a);
    /* The checkpoint has the receipt: a later run commits, or sees that it
     * was committed, or that the object is another's. */
    bool refused = a->state == ARCHIVE_COMMITTING && is_refused(a);
    upload_leave(&a->upload);
    return refused ? ending_sweep(a) : finish(a);
}

enum flow ending_fault(struct archive *a, const struct fault *fault)
{
    fault_adopt(&a->fault, fault);
    return ending_fail(a);
}

/* Nothing is to be done; what a dead run left is taken away. */
enum flow ending_early(struct archive *a, const char *action)
{
    a->result.action = action;
    a->stray |= a->leftover;  /* it may have died before its own sweep */
    if (a->lease.state == LEASE_HELD || a->leftover)
        return ending_sweep(a);
    return finish(a);
}

/* An upload that is of no use is aborted, and the window starts over. */
enum flow ending_over(struct archive *a)
{
    if (a->state == ARCHIVE_READING)
        intake_cancel(a);
    call_cancel(a->call);
    a->again = true;
    a->resumable = false;
    a->overs++;
    return abort_upload(a);
}

/* --- states -------------------------------------------------------------- */

/* The first fault stays, whatever becomes of the abort. */
enum flow ending_aborting(struct archive *a)
{
    enum flow flow = upload_step(&a->upload, a->now);
    bool gone = a->upload.gone;

    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    if (a->again && gone) {
        a->again = false;
        a->recorded = 0;
        return archive_begin(a);
    }
    if (a->again)
        fault_adopt(&a->fault, &a->upload.fault);
    return gone && a->lease.state != LEASE_LOST ? ending_sweep(a)
                                                : finish(a);
}

enum flow ending_releasing(struct archive *a)
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

/* The lease is kept meanwhile, so that nobody's new runs are deleted; who
 * takes over finds the object done. False: it is another's. */
static bool keep_lease(struct archive *a)
{
    if (!lease_is_ours(&a->lease))
        return true;  /* what is left is of a run that was done */
    if (lease_step(&a->lease, a->now) == FLOW_FAILED)
        return false;
    if (lease_is_due(&a->lease, a->now, LEASE_RENEW_MS))
        lease_write(&a->lease, document_checkpoint(a, CHECKPOINT_WORKING),
                    a->now);
    return true;
}

/* Runs that stay cost a little, but harm nobody. */
enum flow ending_clearing(struct archive *a)
{
    bool ours = keep_lease(a);
    enum flow flow = order_step(&a->merge.order, a->now);

    if (ours && flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    order_cancel(&a->merge.order);
    return ours ? ending_sweep(a) : finish(a);
}

enum flow ending_sweeping(struct archive *a)
{
    enum flow flow = sweep_step(&a->sweep, a->now);

    if (flow != FLOW_ENDED || a->sweep.target == &a->segment_target)
        return flow == FLOW_ENDED ? drop(a) : flow;
    sweep_init(&a->sweep, a->call, &a->segment_target, (struct view){0});
    sweep_object(&a->sweep);
    return FLOW_MOVED;
}

/* A write that is under way comes to its end first. */
enum flow ending_dropping(struct archive *a)
{
    enum flow flow = lease_step(&a->lease, a->now);

    if (flow == FLOW_ENDED && a->lease.state == LEASE_HELD) {
        lease_drop(&a->lease);
        return FLOW_MOVED;
    }
    return flow == FLOW_ENDED || flow == FLOW_FAILED ? finish(a) : flow;
}
