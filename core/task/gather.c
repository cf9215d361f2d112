/* gather.c - see gather.h. */
#include "task/gather.h"

#include "base/check.h"
#include "task/document.h"
#include "task/ending.h"
#include "task/exporting.h"
#include "task/intake.h"
#include "task/message.h"
#include "task/refuse.h"

enum { LISTS_MOST = 3 };  /* that changed while they were merged */

struct object_name gather_from(const struct archive *a)
{
    if (a->spec->source == SOURCE_EXPORT)
        return exporting_files(a);
    struct view url = view_of(a->spec->from);
    struct object_name name = {.key = view_slice(url, 5, url.len)};

    name.bucket = view_split(&name.key, '/');
    return name;
}

void gather_lend(struct archive *a)
{
    const struct merge_names names = {
        .from = gather_from(a),
        .own = {view_of(a->spec->bucket), view_of(a->key)},
    };
    a->lent = true;
    merge_init(&a->merge, a->site, &names);
    a->call = &a->merge.sources.catalog.call;
}

void gather_init(struct archive *a)
{
    a->mode = a->spec->recompress || a->spec->order == BY_TIME
                  ? MERGE_STREAM : MERGE_COMPOSE;
    a->lines = CENSUS_EITHER;
    gather_lend(a);
}

static bool has_window(const struct archive *a)
{
    return a->spec->from_ms < a->spec->until_ms;
}

static const enum inflate_form forms[] = {
    [COMPRESS_GZIP] = INFLATE_GZIP, [COMPRESS_ZSTD] = INFLATE_ZSTD,
    [COMPRESS_NONE] = INFLATE_PLAIN,
};

/* What the object must be made of, if its key says so. */
static enum inflate_form form_of(const struct archive *a)
{
    return a->spec->as_found ? INFLATE_ANY : forms[a->spec->compress];
}

/* Lines, of the window if there is one. */
static void begin_lines(struct archive *a, struct lane_shared *shared)
{
    const struct choose_want want = {
        .from_ms = a->spec->from_ms, .until_ms = a->spec->until_ms,
        .strangers = true,
    };
    gather_lend(a);
    merge_stream(&a->merge, shared, has_window(a) ? &want : NULL);
}

/* --- in order of time ---------------------------------------------------- */

/* Before the last merge all slots are the sort's. Then a part, a block and a
 * segment's list have theirs, and the merge reads by what is left; where that
 * is little, by the workspace, for nothing is inflated any more. */
enum {
    SLOTS_BYTES = CFG_SLOT_COUNT * CFG_SLOT_BYTES,
    ARENA_BYTES = (LIMIT_PART_SLOTS + LIMIT_SEGMENT_SLOTS + PACK_SLOTS) *
                  CFG_SLOT_BYTES,
    IN_SLOTS    = SLOTS_BYTES > ARENA_BYTES + INFLATE_WORKSPACE_BYTES,
    LAST_BYTES  = IN_SLOTS ? SLOTS_BYTES - ARENA_BYTES
                           : INFLATE_WORKSPACE_BYTES,
};

struct span gather_slots(struct archive *a)
{
    bool shared = a->spec->order == BY_TIME && IN_SLOTS;
    return (struct span){a->slots, shared ? ARENA_BYTES : SLOTS_BYTES};
}

static struct order_setup order_of(struct archive *a)
{
    struct view name = view_of(a->checkpoint_key);

    name.len -= (uint32_t)strlen("checkpoint.json");
    return (struct order_setup){
        .site = a->site,
        .call = &a->upload.multipart.call,
        .bucket = view_of(a->spec->bucket),
        .beside = name,
        .sse = view_of(a->spec->sse),
        .sse_kms_key_id = view_of(a->spec->sse_kms_key_id),
        .memory = {a->slots, sizeof a->slots},
        .last_bytes = LAST_BYTES,
        .resumed = a->resumable,
    };
}

static void begin_order(struct archive *a)
{
    struct order_setup setup = order_of(a);
    struct span last = {
        IN_SLOTS ? a->slots + ARENA_BYTES : a->merge.recut.workspace.bytes,
        LAST_BYTES,
    };

    merge_order(&a->merge, &setup, last);
}

enum flow gather_clear(struct archive *a)
{
    struct order_setup setup = order_of(a);

    call_cancel(a->call);
    a->cleared = true;
    order_init(&a->merge.order, &setup);
    order_clear(&a->merge.order, &a->merge.sources.catalog);
    archive_enter(a, ARCHIVE_CLEARING);
    return FLOW_MOVED;
}

/* --- all that is read ---------------------------------------------------- */

/* The object is compressed as that. */
static void become(struct archive *a, enum compress kind)
{
    a->compress = kind;
    pack_init(&a->shared.pack, archive_pack(a));
    a->target.content_type =
        view_of(target_content_type(view_of(plan_ext(FORMAT_TEXT, kind))));
}

static enum flow begin_reading(struct archive *a)
{
    bool resumed = a->journal.now.parts.parts > 0;

    a->shared.arena = &a->arena;
    become(a, resumed ? a->compress : a->spec->compress);
    if (a->mode == MERGE_COMPOSE) {
        gather_lend(a);
        merge_compose(&a->merge, &a->upload, &a->journal,
                      resumed ? forms[a->compress] : form_of(a));
    } else {
        begin_lines(a, &a->shared);
        if (a->spec->order == BY_TIME)
            begin_order(a);
    }
    if (resumed)
        merge_resume(&a->merge, &a->found.stored.mark);
    if (a->mode == MERGE_COMPOSE)
        a->journal.drop_bytes = a->journal.drop_events = 0;
    archive_enter(a, ARCHIVE_READING);
    return FLOW_MOVED;
}

/* What is stored was made by another way than ours? */
static bool is_otherwise(const struct archive *a)
{
    const struct checkpoint_stored *stored = &a->journal.now;
    bool stream = stored->bytes_raw > 0;

    return stored->parts.parts > 0 && stream != (a->mode == MERGE_STREAM);
}

enum flow gather_begin(struct archive *a)
{
    bool counts = has_window(a) || a->spec->delete_source;

    if (a->spec->source == SOURCE_EXPORT && !a->exported)
        return exporting_begin(a);
    if (a->spec->order == BY_TIME && a->price[0] == '\0')
        return gather_plan(a);  /* the price is said first */
    if (counts && !a->checked) {
        begin_lines(a, NULL);
        archive_enter(a, ARCHIVE_CHECKING);
        return FLOW_MOVED;
    }
    if (is_otherwise(a) && !counts && a->mode == MERGE_COMPOSE)
        a->mode = MERGE_STREAM;  /* the run before found that it must */
    if (is_otherwise(a))
        return ending_over(a);
    return begin_reading(a);
}

void gather_note(struct archive *a)
{
    static const enum compress kinds[] = {
        [INFLATE_ANY] = COMPRESS_GZIP, [INFLATE_GZIP] = COMPRESS_GZIP,
        [INFLATE_ZSTD] = COMPRESS_ZSTD, [INFLATE_PLAIN] = COMPRESS_NONE,
    };
    enum compress kind = kinds[a->merge.form];

    if (a->mode == MERGE_STREAM)
        a->lines = a->merge.recut.census.form;

    if (!a->spec->as_found || a->merge.form == INFLATE_ANY ||
        a->merge.mixed || kind == a->compress)
        return;
    if (upload_offset(&a->upload) == 0)
        become(a, kind);  /* by the first object alone */
}

bool gather_fits(const struct archive *a)
{
    const struct merge *m = &a->merge;
    bool same = !a->checked || m->sources.digest == a->checked_list;
    return m->unfit == NULL && !m->sources.differs && same;
}

enum flow gather_again(struct archive *a)
{
    const char *unfit = a->merge.unfit;

    if (unfit != NULL) {
        a->mode = MERGE_STREAM;
        a->unfit = unfit;
    } else if (a->overs >= LISTS_MOST) {
        fault_set(&a->fault, ERROR_CORRUPT, "the objects below the prefix "
                  "change while they are merged", 0);
        return ending_fail(a);
    }
    a->checked = false;
    return ending_over(a);
}

enum flow gather_fail(struct archive *a)
{
    (void)view_copy(view_of(a->merge.about), a->about, sizeof a->about);
    return ending_fault(a, &a->merge.fault);
}

enum flow gather_nothing(struct archive *a)
{
    struct view from = view_of(a->spec->from);

    message_refuse(&a->fault, ERROR_CONFIG, "there are no objects below %",
                   &from);
    return ending_fail(a);
}

/* Why what was looked through cannot be put end to end; NULL if it can. */
static const char *obstacle(const struct archive *a)
{
    const struct merge *m = &a->merge;
    enum inflate_form form = form_of(a);

    return m->sources.count == 0 ? "there is nothing"
           : m->mixed || (form != INFLATE_ANY && m->form != form)
               ? "their forms differ"
           : m->recut.glued       ? "a last line has no newline"
           : m->recut.rubbish > 0 ? "there are bytes behind a file's data"
           : m->recut.raw_bytes_in != m->recut.raw_bytes_out
               ? "some records are not of the window" : NULL;
}

static enum flow end_check(struct archive *a)
{
    const struct merge *m = &a->merge;

    a->checked = true;
    a->checked_tally = m->recut.census.tally;
    a->lines = m->recut.census.form;
    a->checked_bytes = m->recut.raw_bytes_out;
    a->checked_list = m->sources.digest;
    if (a->mode == MERGE_COMPOSE && obstacle(a) != NULL) {
        a->unfit = obstacle(a);
        a->mode = MERGE_STREAM;
    }
    intake_cancel(a);
    return gather_begin(a);
}

/* --- what it would take -------------------------------------------------- */

enum flow gather_plan(struct archive *a)
{
    gather_lend(a);
    merge_plan(&a->merge);
    archive_enter(a, ARCHIVE_CHECKING);
    return FLOW_MOVED;
}

static void put_count(struct text *t, uint64_t count, const char *what)
{
    text_str(t, ", ");
    text_u64(t, count);
    text_char(t, ' ');
    text_str(t, what);
}

/* Said before the first object is read. */
static enum flow end_plan_order(struct archive *a)
{
    const struct merge *m = &a->merge;
    struct order_price p = order_price(m->raw_guess, sizeof a->slots,
                                       LAST_BYTES);
    struct text t;

    text_init(&t, a->price, sizeof a->price);
    text_u64(&t, m->sources.count);
    text_str(&t, " objects of ");
    message_bytes(&t, m->sources.bytes);
    put_count(&t, m->sources.count / 1000 + 1, "LIST");
    put_count(&t, m->sources.count, "GET");
    text_str(&t, "; sorting, if that is ");
    message_bytes(&t, m->raw_guess);
    text_str(&t, " of lines: ");
    text_u64(&t, p.runs);
    text_str(&t, " runs, merge passes: ");
    text_u64(&t, p.passes + 1);
    put_count(&t, p.puts, "PUT");
    put_count(&t, p.gets, "GET");
    intake_cancel(a);
    if (!a->spec->dry_run)
        return gather_begin(a);
    a->result.reason = a->price;
    return ending_early(a, "would merge");
}

static enum flow end_plan(struct archive *a)
{
    const struct merge *m = &a->merge;
    const struct compose *c = &m->compose;
    uint64_t sent = c->parts - c->copies + (c->filled > 0);
    struct text t;

    if (a->spec->order == BY_TIME)
        return end_plan_order(a);
    text_init(&t, a->reason, sizeof a->reason);
    text_u64(&t, m->sources.count);
    text_str(&t, " objects of ");
    message_bytes(&t, m->sources.bytes);
    put_count(&t, m->sources.count / 1000 + 1, "LIST");
    put_count(&t, m->peeks + c->streams, "GET");
    put_count(&t, c->copies, "UploadPartCopy");
    put_count(&t, sent, "UploadPart");
    a->counts.bytes_stored = m->sources.bytes;
    intake_cancel(a);
    return ending_early(a, "would merge");
}

/* --- the state ----------------------------------------------------------- */

enum flow gather_checking(struct archive *a)
{
    enum flow flow = merge_step(&a->merge, a->now);

    if (flow == FLOW_FAILED)
        return gather_fail(a);
    bool plans = a->merge.mode == MERGE_PLAN;  /* nothing is inflated */

    if (!plans) {
        gather_note(a);
        a->counts.events = a->merge.recut.census.tally.events;
        a->counts.bytes_raw = a->merge.recut.raw_bytes_out;
    }
    if (flow != FLOW_ENDED)
        return flow;
    if (a->merge.sources.count == 0 && a->spec->source == SOURCE_MERGE)
        return gather_nothing(a);
    if (a->merge.sources.count == 0 && exporting_widen(a)) {
        begin_lines(a, NULL);
        return FLOW_MOVED;
    }
    return plans ? end_plan(a) : end_check(a);
}
