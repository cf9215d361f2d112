/* reading.c - see reading.h. */
#include "fetch/reading.h"

#include "base/crc.h"

enum inflate_form reading_form(struct view key)
{
    if (view_ends(key, ".gz"))
        return INFLATE_GZIP;
    return view_ends(key, ".zst") ? INFLATE_ZSTD : INFLATE_ANY;
}

static enum flow sum_step(struct stage *self, struct ring *in,
                          struct ring *out, struct now now)
{
    struct summed *s = (struct summed *)self;  /* its first member */
    struct view src = ring_peek(in);
    uint32_t had = ring_len(in);
    enum flow flow = s->inner->step(s->inner, in, out, now);
    uint32_t taken = had - ring_len(in);
    CHECK(taken <= src.len);  /* the bytes still lie there */
    s->crc = crc64_add(s->crc, view_slice(src, 0, taken));
    return flow;
}

void reading_init(struct reading *r, struct site *site, struct fault *fault)
{
    r->fault = fault;
    ring_init(&r->fetched, r->fetched_bytes, sizeof r->fetched_bytes);
    ring_init(&r->raw, r->raw_bytes, sizeof r->raw_bytes);
    object_init(&r->object, site, &r->fetched, fault);
}

void reading_open(struct reading *r, const struct reading_want *want)
{
    object_open(&r->object, want->name);
    CHECK(view_copy(want->etag, r->object.etag, sizeof r->object.etag));
    inflate_init(&r->inflate, &r->workspace, want->form, r->fault);
    census_init(&r->census, want->records, r->fault);
    if (want->from_ms < want->until_ms)
        census_window(&r->census, want->from_ms, want->until_ms);
    r->summed = (struct summed){{sum_step, r->fault}, &r->inflate.stage, 0};
    ring_reset(&r->raw);
    stage_row_init(&r->row, NULL);
    stage_row_add(&r->row, &r->object.stage, &r->fetched);
    stage_row_add(&r->row, &r->summed.stage, &r->raw);
    stage_row_add(&r->row, &r->census.stage, NULL);
}

enum flow reading_step(struct reading *r, struct now now)
{
    return stage_row_step(&r->row, now);
}

void reading_cancel(struct reading *r)
{
    object_cancel(&r->object);
}

int64_t reading_wake_ms(const struct reading *r)
{
    return object_wake_ms(&r->object);
}
