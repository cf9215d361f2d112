/* discard.c - see discard.h. */
#include "task/discard.h"

#include "base/check.h"
#include "task/ending.h"
#include "task/exporting.h"
#include "task/gather.h"
#include "task/message.h"

enum { SECOND_MS = 1000, URL_BYTES = 5 + SPEC_BUCKET_BYTES + SPEC_KEY_BYTES };

/* Behind the receipt, which lies in the first of the slots. */
static char *url_room(struct archive *a)
{
    return (char *)a->slots + sizeof a->slots - URL_BYTES;
}

static struct span batch_room(struct archive *a)
{
    return (struct span){a->slots + RECEIPT_BYTES,
                         sizeof a->slots - RECEIPT_BYTES - URL_BYTES};
}

bool discard_is_due(const struct archive *a)
{
    return a->spec->source == SOURCE_EXPORT ||
           (a->spec->source == SOURCE_MERGE && a->spec->delete_source);
}

enum flow discard_begin(struct archive *a)
{
    struct verify_options options = {
        .urls = &a->discard.url, .url_count = 1,
        .sse = view_of(a->spec->sse),
        .sse_kms_key_id = view_of(a->spec->sse_kms_key_id),
    };
    struct text t;

    if (a->spec->source == SOURCE_EXPORT && a->export_url[0] == '\0')
        return ending_sweep(a);  /* nothing is known to be left */
    text_init(&t, url_room(a), URL_BYTES);
    text_str(&t, "s3://");
    text_str(&t, a->spec->bucket);
    text_char(&t, '/');
    text_str(&t, a->key);
    a->discard.url = t.at;
    call_cancel(a->call);
    a->call = &a->upload.multipart.call;  /* the merge makes room */
    call_cancel(a->call);
    verify_init(&a->verify, a->site, &options);
    archive_enter(a, ARCHIVE_PROVING);
    return FLOW_MOVED;
}

enum flow discard_rest(struct archive *a)
{
    const struct receipt *r = &a->existing.receipt;
    bool export = a->spec->source == SOURCE_EXPORT;

    if (export && !exporting_recall(a, r))
        return ending_early(a, "skipped");  /* nothing is known to be left */
    bool known = r->counted || r->bytes_raw > 0;  /* all was inflated */
    if (!export && (!known ||
                    !view_is(r->merged_from, a->spec->from))) {
        message_refuse(&a->fault, ERROR_CONFIG, "% is not known to hold what "
                       "is below %: nothing is deleted. Merge it again: "
                       "--if-exists replace",
                       (const struct view[]){view_of(a->key),
                                             view_of(a->spec->from)});
        return ending_fail(a);
    }
    a->receipt.merged_ms = r->merged_ms;
    a->listed = false;
    a->result.action = "skipped";
    return discard_begin(a);
}

/* --- what was merged ----------------------------------------------------- */

static void list_sources(struct archive *a)
{
    gather_lend(a);
    a->call = &a->upload.multipart.call;
    a->merge.sources.ahead_below = 0;
}

static enum flow begin_tidying(struct archive *a)
{
    const struct object_name files = exporting_files(a);
    const struct tidy_want want = {
        .bucket = files.bucket, .files = files.key,
        .wide = exporting_is_wide(a), .probe = exporting_probe(a),
        .room = batch_room(a),
    };
    tidy_init(&a->tidy, a->site, a->call, &want);
    return FLOW_MOVED;
}

enum flow discard_export(struct archive *a)
{
    archive_enter(a, ARCHIVE_REMOVING);
    return begin_tidying(a);
}

static enum flow begin_removing(struct archive *a)
{
    if (a->spec->source == SOURCE_EXPORT)
        return discard_export(a);
    archive_enter(a, ARCHIVE_REMOVING);
    a->discard.same = false;
    a->discard.compares = a->listed;
    a->discard.newer = 0;
    a->discard.resume_mono_ms = a->now.mono_ms + a->receipt.merged_ms +
                                SECOND_MS - archive_aws_ms(a);
    list_sources(a);
    remove_init(&a->discard.remove, a->call, gather_from(a).bucket,
                batch_room(a));
    return FLOW_MOVED;
}

/* Is it the version that was merged? */
static bool was_merged(const struct archive *a, const struct source *s)
{
    int64_t listed_ms = a->receipt.merged_ms;
    int64_t second_ms = listed_ms - listed_ms % SECOND_MS;

    return s->modified_ms > 0 &&
           (s->modified_ms < second_ms ||
            (a->discard.same && s->modified_ms <= listed_ms));
}

static enum flow on_source(struct archive *a)
{
    const struct source *s = sources_head(&a->merge.sources);
    struct remove *r = &a->discard.remove;
    bool merged = was_merged(a, s);

    if (a->discard.compares) {
        sources_take(&a->merge.sources);
        return FLOW_MOVED;
    }
    if (merged && !remove_add(r, s->key, s->etag))
        return remove_step(r, a->now);
    a->discard.newer += !merged;
    sources_take(&a->merge.sources);
    return FLOW_MOVED;
}

static void say_removed(struct archive *a, uint64_t deleted, uint64_t kept)
{
    struct text t;

    text_init(&t, a->reason, sizeof a->reason);
    text_u64(&t, deleted);
    text_str(&t, " objects of which it was made are deleted");
    if (kept > 0) {
        text_str(&t, ", ");
        text_u64(&t, kept);
        text_str(&t, " that changed since are kept");
    }
}

static enum flow on_list_end(struct archive *a)
{
    struct remove *r = &a->discard.remove;

    if (a->discard.compares) {
        a->discard.compares = false;
        a->discard.same = a->merge.sources.digest == a->checked_list;
        list_sources(a);
        return FLOW_MOVED;
    }
    remove_end(r);
    return remove_step(r, a->now);
}

static enum flow step_sources(struct archive *a)
{
    enum flow flow;

    if (a->discard.remove.state == REMOVE_SENDING)
        return remove_step(&a->discard.remove, a->now);
    if (a->discard.compares && a->now.mono_ms < a->discard.resume_mono_ms)
        return FLOW_WANT_EVENT;
    flow = sources_step(&a->merge.sources, a->now);
    if (flow == FLOW_FAILED)
        fault_adopt(&a->discard.remove.fault, &a->merge.sources.fault);
    if (flow == FLOW_ENDED)
        return on_list_end(a);
    if (sources_head(&a->merge.sources) != NULL)
        return on_source(a);
    return flow;
}

/* --- states -------------------------------------------------------------- */

enum flow discard_proving(struct archive *a)
{
    enum flow flow = verify_step(&a->verify, a->now);
    const struct verify_result *r = verify_result(&a->verify);

    if (r != NULL && r->fault.error != ERROR_NONE)
        return ending_fault(a, &r->fault);
    return flow == FLOW_ENDED ? begin_removing(a) : flow;
}

enum flow discard_removing(struct archive *a)
{
    bool exported = a->spec->source == SOURCE_EXPORT;
    enum flow flow = exported ? tidy_step(&a->tidy, a->now)
                              : step_sources(a);

    if (flow == FLOW_FAILED)
        return ending_fault(a, exported ? &a->tidy.fault
                                        : &a->discard.remove.fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (exported)
        a->about[0] = '\0';  /* it had the probe's name */
    else
        say_removed(a, a->discard.remove.deleted,
                    a->discard.remove.kept + a->discard.newer);
    return ending_early(a, a->result.action);
}

int64_t discard_wake_ms(const struct archive *a)
{
    if (a->state == ARCHIVE_PROVING)
        return verify_wake_ms(&a->verify);
    if (a->spec->source == SOURCE_EXPORT)
        return tidy_wake_ms(&a->tidy);
    int64_t lists = a->discard.compares &&
                            a->now.mono_ms < a->discard.resume_mono_ms
                        ? a->discard.resume_mono_ms
                        : sources_wake_ms(&a->merge.sources);
    int64_t removes = remove_wake_ms(&a->discard.remove);
    return lists < removes ? lists : removes;
}
