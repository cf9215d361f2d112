/* exporting.c - see exporting.h. */
#include "task/exporting.h"

#include "base/check.h"
#include "task/discard.h"
#include "task/ending.h"
#include "task/gather.h"

/* "s3://BUCKET/DIR/_STEM.export-BEGUN", which is this archive's alone, however
 * often it is gone on with; or with `files` what was exported. */
static void name_files(struct archive *a, struct view files)
{
    struct view stem = view_of(a->checkpoint_key);
    struct text t;

    stem.len -= (uint32_t)strlen("checkpoint.json");
    text_init(&t, a->export_url, sizeof a->export_url);
    text_str(&t, "s3://");
    text_str(&t, a->spec->bucket);
    text_char(&t, '/');
    if (files.len > 0) {
        text_put(&t, files);
    } else {
        text_put(&t, stem);
        text_str(&t, "export-");
        text_i64(&t, a->begun_ms);
    }
    CHECK(!t.overflow);
}

static struct view name_of(const struct archive *a)
{
    struct view url = view_of(a->export_url);
    return view_slice(url, 6 + view_of(a->spec->bucket).len, url.len);
}

struct object_name exporting_files(const struct archive *a)
{
    return (struct object_name){view_of(a->spec->bucket), name_of(a)};
}

enum flow exporting_begin(struct archive *a)
{
    struct export_spec spec = {
        .group = view_of(a->spec->group),
        .stream_prefix = view_of(a->spec->stream_prefix),
        .from_ms = a->spec->from_ms, .until_ms = a->spec->until_ms,
        .bucket = view_of(a->spec->bucket),
        .region = view_of(a->site->endpoint[SITE_LOGS].region),
        .since_ms = a->begun_ms,
    };

    name_files(a, (struct view){0});
    gather_lend(a);
    spec.prefix = name_of(a);
    export_init(&a->export, a->call, &spec,
                (struct span){a->merge.recut.workspace.bytes,
                              EXPORT_ROOM_BYTES});
    archive_enter(a, ARCHIVE_EXPORTING);
    return FLOW_MOVED;
}

bool exporting_recall(struct archive *a, const struct receipt *r)
{
    struct view from = r->merged_from;
    uint32_t bucket = 6 + view_of(a->spec->bucket).len;

    a->begun_ms = 0;
    name_files(a, (struct view){0});  /* "...export-0" */
    uint32_t stem = view_of(a->export_url).len - 1;
    a->export_url[stem] = '\0';
    bool ours = view_starts(from, a->export_url) && view_ends(from, "/") &&
                from.len < sizeof a->export_url;
    struct view rest = view_slice(from, ours ? stem : 0, from.len);
    ours = ours && view_i64(view_split(&rest, '/'), &a->begun_ms);
    if (ours)
        name_files(a, view_slice(from, bucket, from.len));
    else
        a->export_url[0] = '\0';
    return ours;
}

/* Up to and with the "/" behind the prefix: without the task's folder. */
static uint32_t prefix_len(const struct archive *a)
{
    struct view files = name_of(a);
    uint32_t len = view_of(a->checkpoint_key).len;

    len -= (uint32_t)strlen("checkpoint.json");  /* "DIR/_STEM." */
    while (len < files.len && files.at[len] != '/')
        len++;
    return len + 1;
}

struct view exporting_probe(struct archive *a)
{
    struct text t;

    text_init(&t, a->about, sizeof a->about);
    text_put(&t, view_slice(name_of(a), 0, prefix_len(a)));
    text_str(&t, EXPORT_PROBE);
    return text_view(&t);
}

bool exporting_is_wide(const struct archive *a)
{
    return name_of(a).len == prefix_len(a);
}

bool exporting_widen(struct archive *a)
{
    uint32_t to = prefix_len(a), from = name_of(a).len;

    if (from <= to || a->export.doubts > 0)
        return false;
    a->export_url[view_of(a->export_url).len - (from - to)] = '\0';
    return true;
}

bool exporting_stays(const struct archive *a)
{
    return a->spec->source == SOURCE_EXPORT &&
           (a->exported ||
            (a->state == ARCHIVE_EXISTING && a->export_url[0] != '\0') ||
            (a->state == ARCHIVE_EXPORTING && a->export.sent));
}

/* A task that failed may have written some files, and has written the probe:
 * the next run's have another prefix. */
static enum flow throw_away(struct archive *a)
{
    name_files(a, view_of(a->export.files));
    call_cancel(a->call);
    a->call = &a->upload.multipart.call;
    call_cancel(a->call);
    return discard_export(a);
}

enum flow exporting_step(struct archive *a)
{
    enum flow flow = export_step(&a->export, a->now);

    if (flow == FLOW_FAILED && a->export.over) {
        fault_adopt(&a->fault, &a->export.fault);
        return throw_away(a);
    }
    if (flow == FLOW_FAILED)
        return ending_fault(a, &a->export.fault);
    if (flow != FLOW_ENDED)
        return flow;
    name_files(a, view_of(a->export.files));
    a->exported = true;
    return gather_begin(a);
}
