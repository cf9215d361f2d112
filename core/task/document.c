/* document.c - see document.h. */
#include "task/document.h"

#include "base/check.h"
#include "base/crc.h"
#include "task/exporting.h"
#include "task/recount.h"

void document_describe(struct archive *a)
{
    static const char *const via[] = {
        [SOURCE_READ] = "read", [SOURCE_MERGE] = "merge",
        [SOURCE_EXPORT] = "export",
    };
    const struct spec *s = a->spec;

    a->receipt = (struct receipt){
        .key = view_of(a->key),
        .account = view_of(a->group.info.account),
        .region = view_of(a->site->endpoint[SITE_LOGS].region),
        .group = view_of(s->group),
        .stream_prefix = view_of(s->stream_prefix),
        .via = view_of(via[s->source]),
        .masked = a->group.info.masked && !s->unmask,
        .from_ms = s->from_ms,
        .until_ms = s->until_ms,
        .timezone = view_of(s->timezone),
    };
    if (s->source == SOURCE_MERGE) {
        a->receipt.merged_from = view_of(s->from);
        a->receipt.masked = false;
    }
}

/* All that the bytes of the object depend on, and how it is stored. */
static uint64_t shape_of(const struct archive *a)
{
    const struct spec *s = a->spec;
    const struct view parts[] = {
        view_of(CONFIG_VERSION), view_of(s->storage_class), view_of(s->sse),
        view_of(s->sse_kms_key_id),
    };
    const uint32_t numbers[] = {
        s->format, s->compress, s->field_ingested, s->field_id, s->unmask,
        s->checksum, s->source, s->recompress, s->order, CFG_RUN_BYTES,
        CFG_SLOT_BYTES, CFG_SLOT_COUNT, s->as_found, CFG_BLOCK_BYTES,
        CFG_CELL_BYTES, CFG_PART_BYTES, CFG_ZSTD_LEVEL, CFG_ZSTD_WINDOW_LOG,
    };
    uint64_t shape = crc64_add(0, (struct view){(const uint8_t *)numbers,
                                                sizeof numbers});
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        shape = crc64_add(shape, parts[i]);
        shape = crc64_add(shape, view_of("\n"));
    }
    return shape;
}

bool document_is_ours(const struct archive *a, const struct checkpoint *c)
{
    const struct receipt *r = &c->receipt, *want = &a->receipt;

    return c->shape == shape_of(a) && view_equal(r->key, want->key) &&
           view_equal(r->account, want->account) &&
           view_equal(r->region, want->region) &&
           view_equal(r->group, want->group) &&
           view_equal(r->stream_prefix, want->stream_prefix) &&
           (a->spec->source == SOURCE_EXPORT ||
            view_equal(r->merged_from, want->merged_from)) &&
           r->masked == want->masked && r->from_ms == want->from_ms &&
           r->until_ms == want->until_ms;
}

/* Why it is not the last word; and what is odd about the store. */
static void give_reason(struct archive *a)
{
    struct text t;

    text_init(&t, a->reason, sizeof a->reason);
    if (a->expired) {
        text_str(&t, "what was before ");
        date_rfc3339(&t, a->held_ms);
        text_str(&t, " had expired when it was read");
    } else if (a->spec->source == SOURCE_EXPORT) {
        text_str(&t, "an export may lack late events, which a recount tells");
    } else if (a->begun_ms < a->spec->until_ms + RECOUNT_AFTER_MS) {
        text_str(&t, "late events may come until 14 days after the window's "
                     "end");
    }
    a->receipt.state = t.len > 0 ? RECEIPT_PROVISIONAL : RECEIPT_SEALED;
    if (a->lease.ignored)
        text_str(&t, t.len > 0 ? "; the store ignores conditions"
                               : "the store ignores conditions");
    a->receipt.reason = text_view(&t);
}

static void describe_form(struct archive *a)
{
    const struct spec *s = a->spec;
    struct receipt *r = &a->receipt;
    bool ndjson = a->lines == CENSUS_NDJSON, text = a->lines == CENSUS_TEXT;

    r->format = view_of(ndjson ? "ndjson" : text ? "text" : NULL);
    r->fields = (uint8_t)((ndjson || text
                               ? RECEIPT_TIMESTAMP | RECEIPT_MESSAGE : 0) |
                          (ndjson ? RECEIPT_STREAM : 0) |
                          (s->field_ingested ? RECEIPT_INGESTED : 0) |
                          (s->field_id ? RECEIPT_ID : 0));
    r->compression = view_of(a->compress == COMPRESS_GZIP   ? "gzip"
                             : a->compress == COMPRESS_ZSTD ? "zstd"
                                                            : "none");
    r->tool_version = view_of(CONFIG_VERSION);
}

static void describe_start(struct archive *a)
{
    a->receipt.has_settled = a->spec->source != SOURCE_MERGE;
    a->receipt.settled_until_ms = a->begun_ms;
}

/* What is known of a merge: all that was inflated. */
static void describe_merge(struct archive *a)
{
    struct receipt *r = &a->receipt;
    struct text t;

    if (a->spec->source == SOURCE_EXPORT) {
        r->merged_from = view_of(a->export_url);
        r->merged_objects = a->merge.sources.count;
        r->merged_ms = a->merge.sources.listed_ms;
        r->settled_until_ms = r->merged_ms;  /* it holds none of later */
        r->state = RECEIPT_PROVISIONAL;
        if (a->mode != MERGE_STREAM)
            r->tally = r->settled = a->checked_tally;
        if (a->mode != MERGE_STREAM)
            r->bytes_raw = a->checked_bytes;
        return;
    }
    text_init(&t, a->reason, sizeof a->reason);
    if (a->unfit != NULL) {
        text_str(&t, "compressed anew, since ");
        text_str(&t, a->unfit);
    } else if (a->merge.unseen && !a->checked) {
        text_str(&t, "not all of it was inflated: damage in a large file, or "
                     "no newline at its end, would not be seen");
    }
    r->reason = text_view(&t);
    r->state = RECEIPT_IMPORTED;
    r->merged_objects = a->merge.sources.count;
    r->merged_ms = a->merge.sources.listed_ms;
    if (a->mode != MERGE_STREAM) {
        r->tally = a->checked_tally;
        r->bytes_raw = a->checked ? a->checked_bytes : 0;
    }
    r->counted = (a->mode == MERGE_STREAM || a->checked) &&
                 (r->tally.events > 0 || r->bytes_raw == 0);
}

enum compress document_compress(const struct checkpoint *c)
{
    struct view name = c->receipt.compression;

    return view_is(name, "zstd")   ? COMPRESS_ZSTD
           : view_is(name, "none") ? COMPRESS_NONE : COMPRESS_GZIP;
}

void document_complete(struct archive *a)
{
    struct receipt *r = &a->receipt;

    document_describe(a);
    describe_form(a);
    describe_start(a);
    give_reason(a);
    r->counted = true;
    r->tally = a->journal.settled;
    tally_merge(&r->tally, &a->journal.late);
    r->settled = a->journal.settled;
    r->bytes_raw = a->journal.now.bytes_raw;
    CHECK(r->tally.events == a->journal.now.head.events);
    if (a->spec->source != SOURCE_READ)
        describe_merge(a);
    r->bytes_stored = a->upload.bytes;
    r->has_crc = a->spec->checksum && a->upload.crc_known;
    r->crc64nvme = a->upload.crc;
    r->archived_ms = site_now(a->site, a->now).wall_ms;
}

void document_adopt(struct archive *a, const struct checkpoint *c)
{
    const struct receipt *from = &c->receipt;
    struct receipt *r = &a->receipt;

    a->lines = view_is(from->format, "ndjson") ? CENSUS_NDJSON
               : view_is(from->format, "text") ? CENSUS_TEXT : CENSUS_EITHER;
    document_describe(a);
    describe_form(a);
    if (a->spec->source == SOURCE_EXPORT && exporting_recall(a, from))
        r->merged_from = view_of(a->export_url);
    r->merged_objects = from->merged_objects;
    r->merged_ms = from->merged_ms;
    view_copy(from->reason, a->reason, sizeof a->reason);
    r->reason = view_of(a->reason);
    r->state = from->state;
    r->counted = from->counted;
    r->tally = from->tally;
    r->has_settled = from->has_settled;
    r->settled_until_ms = from->settled_until_ms;
    r->settled = from->settled;
    r->bytes_raw = from->bytes_raw;
    r->bytes_stored = from->bytes_stored;
    r->has_crc = from->has_crc;
    r->crc64nvme = from->crc64nvme;
    r->archived_ms = from->archived_ms;
}

void document_body(struct archive *a, const struct receipt *r,
                   const struct index *x, uint8_t *at)
{
    struct text t;

    text_init(&t, (char *)at, RECEIPT_BYTES);
    receipt_write(&t, r, x);
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

void document_receipt(struct archive *a, const char *etag, bool confirmed)
{
    a->receipt.etag = view_of(etag);
    a->receipt.crc64nvme_confirmed = confirmed;
    document_body(a, &a->receipt, a->receipt.counted ? &a->index : NULL,
                  a->slots);
}

struct view document_checkpoint(struct archive *a, enum checkpoint_state state)
{
    struct checkpoint c = {
        .state = state,
        .holder = view_of(a->site->holder),
        .since_ms = a->since_ms,
        .nonce = a->nonce,
        .serial = a->serial++,
        .shape = shape_of(a),
        .upload = upload_id(&a->upload),
        .segment = upload_segment_id(&a->upload),
        .stored = state == CHECKPOINT_COMMITTING ? a->journal.now
                                                 : a->journal.stored,
    };
    struct text t;

    if (state != CHECKPOINT_COMMITTING) {
        document_describe(a);
        describe_form(a);
        describe_start(a);
    }
    c.receipt = a->receipt;
    text_init(&t, a->checkpoint, sizeof a->checkpoint);
    checkpoint_write(&t, &c, &a->index);
    while (t.overflow && a->index.count > 1) {
        index_halve(&a->index);
        text_reset(&t);
        checkpoint_write(&t, &c, &a->index);
    }
    if (t.overflow) {
        fault_set(&a->fault, ERROR_LIMIT, "CFG_CHECKPOINT_BYTES",
                  CFG_CHECKPOINT_BYTES);
        text_reset(&t);
    }
    return text_view(&t);
}
