/* segment.c - see segment.h. */
#include "ship/segment.h"

#include "base/crc.h"
#include "ship/finish.h"

/* --- where a part goes --------------------------------------------------- */

static uint32_t first(const struct upload *u)
{
    return u->segment != NULL ? LIMIT_SEGMENT_FROM : LIMIT_PART_COUNT;
}

static bool passes(const struct upload_place *p, uint64_t bytes)
{
    return p->parts > 0 && p->bytes + bytes > LIMIT_COPY_BYTES;
}

void segment_count(const struct upload *u, struct upload_place *p,
                   uint64_t bytes, uint64_t crc)
{
    if (p->own < first(u)) {
        p->own++;
        return;
    }
    if (passes(p, bytes)) {
        p->own++;
        p->parts = 0;
        p->bytes = p->crc = 0;
    }
    p->parts++;
    p->bytes += bytes;
    p->crc = crc64_combine(p->crc, crc, bytes);
}

bool segment_is_last(const struct upload *u, uint64_t bytes)
{
    const struct upload_place *p = &u->place;
    uint32_t begun = p->own + (p->parts > 0);
    return begun >= LIMIT_PART_COUNT && (p->parts == 0 || passes(p, bytes));
}

bool segment_is_open(const struct upload *u)
{
    return u->stored.place.parts > 0;
}

bool segment_is_full(const struct upload *u, uint64_t bytes)
{
    return segment_is_open(u) && passes(&u->stored.place, bytes);
}

uint32_t segment_parts(const struct upload *u)
{
    return u->place.own + (u->place.parts > 0);
}

uint32_t segment_slots(const struct upload *u, uint32_t from)
{
    uint32_t listed = u->complete.slots;
    bool near = u->segment != NULL && u->place.own >= from;
    return near && listed < LIMIT_SEGMENT_SLOTS ? LIMIT_SEGMENT_SLOTS - listed
                                                : 0;
}

/* --- what is stored and what is closed ------------------------------------ */

uint32_t segment_number(const struct upload *u)
{
    struct upload_place p = u->stored.place;
    segment_count(u, &p, upload_next_bytes(u), 0);
    return p.parts > 0 ? p.parts : p.own;
}

void segment_recount(struct upload *u)
{
    const struct upload_stored *s = &u->stored;
    u->crc = s->crc;
    u->crc_known = s->crc_known;
    u->place = s->place;
    for (uint32_t n = s->parts; n < u->closed; n++) {
        bool copy = u->copy_number == n + 1;
        const struct part *p = &u->part[n % CFG_UPLOAD_COUNT];
        uint64_t bytes = copy ? u->copy.to - u->copy.from : p->chain.bytes;
        u->crc = crc64_combine(u->crc, p->crc, bytes);
        segment_count(u, &u->place, bytes, p->crc);
    }
}

bool upload_wants_record(const struct upload *u)
{
    return u->closed > u->stored.parts && u->recorded < u->stored.parts &&
           segment_is_full(u, upload_next_bytes(u));
}

void upload_recorded(struct upload *u, uint32_t parts)
{
    u->recorded = parts;
}

/* --- what another run knows of ------------------------------------------- */

void upload_told(struct upload *u)
{
    u->named = upload_id(u).len > 0;
    u->named_segment = upload_segment_id(u).len > 0;
}

bool upload_yield(struct upload *u)
{
    u->clean = true;
    if (u->named)
        (u->inner ? u->aside : u->multipart.id)[0] = '\0';
    if (u->named_segment)
        (u->inner ? u->multipart.id : u->aside)[0] = '\0';
    return upload_id(u).len > 0 || upload_segment_id(u).len > 0;
}

/* --- two uploads, one at a time ------------------------------------------ */

void upload_segments(struct upload *u, const struct target *segment)
{
    CHECK(u->state == UPLOAD_FILLING && u->closed == 0);
    u->segment = segment;
}

void segment_switch(struct upload *u, bool inner)
{
    struct multipart *m = &u->multipart;
    char id[MULTIPART_ID_BYTES];
    if (u->inner == inner)
        return;
    CHECK(!inner || u->segment != NULL);
    memcpy(id, m->id, sizeof id);
    memcpy(m->id, u->aside, sizeof m->id);
    memcpy(u->aside, id, sizeof u->aside);
    m->target = inner ? u->segment : u->target;
    u->inner = inner;
    listing_init(&u->listing, NULL, NULL, 0);  /* its parts are of the other */
}

void segment_forget(struct upload *u)
{
    segment_switch(u, false);
    u->aside[0] = '\0';
    u->named_segment = false;
}

/* --- it becomes a part --------------------------------------------------- */

enum flow segment_finish(struct upload *u)
{
    CHECK(segment_is_open(u));
    u->merging = true;
    segment_switch(u, true);
    return finish_list(u);
}

enum flow segment_merge(struct upload *u)
{
    const struct upload_place *p = &u->stored.place;
    struct copy_source source = {
        .bucket = u->segment->bucket, .key = u->segment->key,
        .etag = view_of(u->etag), .to = p->bytes, .whole = true,
    };
    CHECK(segment_is_open(u));
    chain_clear(u->arena, &u->complete);
    segment_forget(u);
    upload_enter(u, UPLOAD_MERGING);
    multipart_copy(&u->multipart, p->own + 1, &source);
    return FLOW_MOVED;
}

static enum flow be_merged(struct upload *u)
{
    struct upload_place *p = &u->stored.place;
    segment_forget(u);
    listing_init(&u->listing, NULL, NULL, 0);
    *p = (struct upload_place){.own = p->own + 1};
    segment_recount(u);
    u->merging = false;
    upload_enter(u, UPLOAD_FILLING);
    return FLOW_MOVED;
}

static enum flow fail_gone(struct upload *u)
{
    return upload_fail(u, ERROR_MISSING, "a segment stored before is gone",
                       u->stored.place.own + 1);
}

enum flow segment_merging(struct upload *u, struct now now)
{
    const struct multipart *m = &u->multipart;
    enum flow flow = multipart_step(&u->multipart, now);
    if (flow == FLOW_FAILED)
        return multipart_source_changed(m) ? fail_gone(u)
                                           : upload_fail_as(u, &m->fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (u->stored.crc_known && m->copied.summed &&
        m->copied.crc != u->stored.place.crc)
        return upload_fail(u, ERROR_CORRUPT, "S3 did not copy the segment as "
                           "it was sent", u->stored.place.own + 1);
    return be_merged(u);
}

/* --- its object goes ----------------------------------------------------- */

enum flow segment_clean(struct upload *u)
{
    static const struct operation delete_object = {
        .name = "s3:DeleteObject", .service = SITE_S3,
        .method = HTTP_DELETE, .also_ok = 404,
    };
    struct call *c = &u->multipart.call;
    u->clean = true;
    call_begin(c, &delete_object);
    call_key(c, u->segment->bucket, u->segment->key);
    upload_enter(u, UPLOAD_CLEANING);
    return FLOW_MOVED;
}

/* Before the commit, or after an abort. Who may not delete leaves it. */
enum flow segment_cleaning(struct upload *u, struct now now)
{
    enum flow flow = call_step(&u->multipart.call, now);
    bool failed = flow == FLOW_FAILED &&
                  u->multipart.call.fault.error != ERROR_DENIED;
    if (failed && !u->gone)
        return upload_fail_as(u, &u->multipart.call.fault);
    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    if (u->gone)
        return upload_leave_as(u, u->outcome);
    upload_enter(u, UPLOAD_FILLING);
    return FLOW_MOVED;
}

/* --- resumed ------------------------------------------------------------- */

/* Whether the list has it among the object's own parts. */
static bool is_part(const struct upload *u)
{
    const struct upload_place *p = &u->stored.place;
    uint32_t number = p->own + 1;
    const struct listing_part *there =
        &u->listing.extra[number % LISTING_EXTRA];
    bool differs = u->stored.crc_known && there->summed && there->crc != p->crc;
    return there->number == number && there->size == p->bytes && !differs;
}

enum flow segment_resume(struct upload *u)
{
    if (is_part(u))
        return be_merged(u);
    if (u->segment == NULL || u->aside[0] == '\0')
        return fail_gone(u);
    segment_switch(u, true);
    listing_init(&u->listing, NULL, NULL, u->stored.place.parts);
    multipart_list(&u->multipart, &u->listing);
    return FLOW_MOVED;
}

enum flow segment_resumed(struct upload *u)
{
    const struct listing *l = &u->listing;
    const struct upload_place *p = &u->stored.place;
    if (l->fault.error != ERROR_NONE || l->parts != p->parts ||
        l->bytes != p->bytes)
        return fail_gone(u);
    upload_enter(u, UPLOAD_FILLING);
    return FLOW_MOVED;
}

enum flow segment_gone(struct upload *u)
{
    u->merging = true;
    return finish_settle(u);
}
