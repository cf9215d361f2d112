/* upload.c - see upload.h. */
#include "ship/upload.h"

#include "base/crc.h"
#include "base/trace.h"
#include "ship/copy.h"
#include "ship/finish.h"
#include "ship/segment.h"

static const char *const state_name[] = {
    "resuming", "filling", "creating", "sending", "listing", "completing",
    "settling", "merging", "cleaning", "aborting", "proving", "done", "aborted",
    "failed",
};

/* Only an abort leads out of failure. */
void upload_enter(struct upload *u, enum upload_state next)
{
    CHECK(u->state != UPLOAD_DONE && u->state != UPLOAD_ABORTED);
    CHECK(u->state != UPLOAD_FAILED || next == UPLOAD_ABORTING);
    trace_state("upload", state_name[u->state], state_name[next]);
    u->state = next;
}

/* --- the parts in hand --------------------------------------------------- */

static uint32_t in_hand(const struct upload *u)
{
    CHECK(u->closed >= u->stored.parts);
    return u->closed - u->stored.parts;
}

static struct part *part_of(struct upload *u, uint32_t number)
{
    return &u->part[number % CFG_UPLOAD_COUNT];
}

static void release(struct upload *u)
{
    for (uint32_t i = 0; i < CFG_UPLOAD_COUNT; i++)
        part_clear(&u->part[i], u->arena);
    chain_clear(u->arena, &u->complete);
}

enum flow upload_leave_as(struct upload *u, enum upload_state final)
{
    CHECK(final >= UPLOAD_DONE);
    CHECK(final != UPLOAD_FAILED || u->fault.error != ERROR_NONE);
    multipart_cancel(&u->multipart);
    release(u);
    upload_enter(u, final);
    return final == UPLOAD_FAILED ? FLOW_FAILED : FLOW_ENDED;
}

enum flow upload_fail(struct upload *u, enum error error, const char *what,
                      int64_t detail)
{
    fault_set(&u->fault, error, what, detail);
    return upload_leave_as(u, UPLOAD_FAILED);
}

enum flow upload_fail_as(struct upload *u, const struct fault *fault)
{
    fault_adopt(&u->fault, fault);
    return upload_leave_as(u, UPLOAD_FAILED);
}

void upload_init(struct upload *u, struct site *site, struct arena *arena,
                 const struct target *target)
{
    CHECK(arena->slot_bytes >= CFG_SLOT_BYTES);
    CHECK(arena->slot_count >= part_slots(arena));
    u->state = UPLOAD_FILLING;
    u->target = target;
    u->arena = arena;
    u->fault = (struct fault){0};
    u->stored = (struct upload_stored){.crc_known = true};
    u->crc_known = true;
    u->copy_number = 0;
    u->bytes = u->crc = 0;
    u->etag[0] = '\0';
    u->crc_confirmed = u->ended = u->commit = u->abort = false;
    u->stray = u->gone = false;
    u->place = (struct upload_place){0};
    u->segment = NULL;
    u->aside[0] = '\0';
    u->inner = u->merging = u->clean = false;
    u->named = u->named_segment = false;
    u->recorded = 0;
    u->closed = u->tries = 0;
    u->outcome = UPLOAD_ABORTED;
    u->resume_mono_ms = 0;
    for (uint32_t i = 0; i < CFG_UPLOAD_COUNT; i++)
        part_init(&u->part[i]);
    chain_init(&u->complete);
    listing_init(&u->listing, NULL, NULL, 0);
    multipart_init(&u->multipart, site, target);
}

void upload_name(struct upload *u, struct view id, struct view segment)
{
    CHECK(!u->inner);
    CHECK(view_copy(id, u->multipart.id, sizeof u->multipart.id));
    CHECK(view_copy(segment, u->aside, sizeof u->aside));
    upload_told(u);
}

void upload_resume(struct upload *u, struct view id, struct view segment,
                   const struct upload_stored *stored)
{
    CHECK(u->state == UPLOAD_FILLING && upload_offset(u) == 0);
    CHECK(id.len > 0 && stored->parts <= LIMIT_SENT_COUNT);
    upload_name(u, id, segment);
    u->stored = *stored;
    u->place = stored->place;
    u->recorded = stored->parts;
    u->closed = stored->parts;
    u->bytes = stored->bytes;
    u->crc = stored->crc;
    u->crc_known = stored->crc_known;
    listing_init(&u->listing, NULL, NULL, stored->place.own);
    upload_enter(u, UPLOAD_RESUMING);
    multipart_list(&u->multipart, &u->listing);
}

static bool takes_bytes(const struct upload *u)
{
    bool busy = u->state >= UPLOAD_LISTING && !u->merging;
    return !busy && u->state < UPLOAD_DONE && !u->ended && !u->abort;
}

bool upload_room(const struct upload *u, uint32_t len)
{
    CHECK(len <= LIMIT_PACKED_BYTES);
    const struct part *p = &u->part[u->closed % CFG_UPLOAD_COUNT];
    bool unsure = u->state == UPLOAD_RESUMING && segment_is_open(u);
    return !unsure && takes_bytes(u) && in_hand(u) < CFG_UPLOAD_COUNT &&
           part_room(p, u->arena) >=
               len + (uint64_t)u->arena->slot_bytes *
                         segment_slots(u, LIMIT_SEGMENT_FROM);
}

bool upload_may_begin(struct upload *u, uint64_t bytes)
{
    if (u->state == UPLOAD_FAILED)
        return false;
    CHECK(takes_bytes(u) && in_hand(u) < CFG_UPLOAD_COUNT);
    if (!segment_is_last(u, bytes))
        return true;
    (void)upload_fail(u, ERROR_LIMIT, "CFG_PART_BYTES", LIMIT_PART_COUNT);
    fault_words(&u->fault, view_of("the object needs more than 10,000 parts"));
    return false;
}

void upload_append(struct upload *u, struct view bytes)
{
    if (!upload_may_begin(u, LIMIT_PART_BYTES))
        return;
    part_append(part_of(u, u->closed), u->arena, bytes);
}

static void close_part(struct upload *u)
{
    const struct part *p = part_of(u, u->closed);
    u->crc = crc64_combine(u->crc, p->crc, p->chain.bytes);
    u->bytes += p->chain.bytes;
    segment_count(u, &u->place, p->chain.bytes, p->crc);
    u->closed++;
}

void upload_block_end(struct upload *u)
{
    if (u->state == UPLOAD_FAILED)
        return;
    if (part_of(u, u->closed)->chain.bytes >= CFG_PART_BYTES)
        close_part(u);
}

void upload_close(struct upload *u)
{
    if (u->state == UPLOAD_FAILED)
        return;
    CHECK(part_of(u, u->closed)->chain.bytes >= LIMIT_PART_LEAST);
    close_part(u);
}

struct upload_stored upload_closed(const struct upload *u)
{
    return (struct upload_stored){u->closed, u->bytes, u->crc, u->crc_known,
                                  u->place};
}

void upload_end(struct upload *u)
{
    if (u->state == UPLOAD_FAILED)
        return;
    CHECK(takes_bytes(u));
    bool open = in_hand(u) < CFG_UPLOAD_COUNT &&
                part_of(u, u->closed)->chain.bytes > 0;
    if (open && u->closed > 0)
        close_part(u);
    if (u->closed == 0) {
        u->bytes = u->part[0].chain.bytes;
        u->crc = u->part[0].crc;
    }
    u->ended = true;
}

bool upload_is_stored(const struct upload *u)
{
    return u->state == UPLOAD_FILLING && u->ended && in_hand(u) == 0;
}

void upload_commit(struct upload *u)
{
    CHECK(u->ended || u->state == UPLOAD_FAILED);
    u->commit = true;
}

static struct view id_of(const struct upload *u, bool inner)
{
    bool told = u->state != UPLOAD_CREATING;  /* its answer may be cut yet */
    return view_of(u->inner != inner ? u->aside
                   : told            ? u->multipart.id : NULL);
}

struct view upload_id(const struct upload *u)
{
    return id_of(u, false);
}

struct view upload_segment_id(const struct upload *u)
{
    return id_of(u, true);
}

uint64_t upload_offset(const struct upload *u)
{
    bool open = in_hand(u) < CFG_UPLOAD_COUNT;
    const struct part *p = &u->part[u->closed % CFG_UPLOAD_COUNT];
    return u->bytes + (open ? p->chain.bytes : 0);
}

/* The number of the part that fills, or of the one that must go first. */
static uint32_t next_part(const struct upload *u)
{
    return in_hand(u) < CFG_UPLOAD_COUNT ? u->closed : u->stored.parts;
}

uint16_t upload_slots_wanted(const struct upload *u)
{
    const struct part *p = &u->part[next_part(u) % CFG_UPLOAD_COUNT];
    uint32_t most = part_slots(u->arena);
    CHECK(p->chain.slots <= most);
    return takes_bytes(u) ? (uint16_t)(most - p->chain.slots) : 0;
}

/* Long before the first segment, so that by then no lane holds more. */
static uint32_t listing_slots(const struct upload *u)
{
    return segment_slots(u, LIMIT_SEGMENT_FROM / 2);
}

uint16_t upload_slots_needed(const struct upload *u)
{
    uint32_t wanted = upload_slots_wanted(u), coming = 0;
    for (uint32_t n = u->stored.parts; n < u->closed; n++)
        if (n != next_part(u))
            coming += u->part[n % CFG_UPLOAD_COUNT].chain.slots;
    wanted = wanted > coming ? wanted - coming : 0;
    return (uint16_t)(wanted + listing_slots(u));
}

/* --- requests ------------------------------------------------------------ */

uint64_t upload_next_bytes(const struct upload *u)
{
    return copy_is_next(u)
               ? u->copy.to - u->copy.from
               : u->part[u->stored.parts % CFG_UPLOAD_COUNT].chain.bytes;
}

static enum flow begin_creating(struct upload *u)
{
    upload_enter(u, UPLOAD_CREATING);
    multipart_create(&u->multipart);
    return FLOW_MOVED;
}

/* A chain as a body; its slices stay in u. */
struct body upload_body(struct upload *u, const struct chain *c, uint64_t crc)
{
    return (struct body){
        .slices = u->slices,
        .count = chain_views(u->arena, c, u->slices, LIMIT_PART_SLOTS + 1),
        .bytes = c->bytes,
        .crc = crc,
    };
}

static enum flow send_part(struct upload *u)
{
    const struct part *p = part_of(u, u->stored.parts);
    struct body body = upload_body(u, &p->chain, p->crc);
    u->tries++;
    multipart_part(&u->multipart, segment_number(u), &body);
    return FLOW_MOVED;
}

void upload_count(struct upload *u, uint64_t bytes, uint64_t crc)
{
    struct upload_stored *s = &u->stored;
    segment_count(u, &s->place, bytes, crc);
    s->crc = crc64_combine(s->crc, crc, bytes);
    s->bytes += bytes;
    s->parts++;
}

static void count_part(struct upload *u)
{
    struct part *p = part_of(u, u->stored.parts);
    upload_count(u, p->chain.bytes, p->crc);
    part_clear(p, u->arena);
}

/* Whether S3 has this part already, from a run before this one. */
static bool is_there(const struct upload *u)
{
    uint32_t number = segment_number(u);
    const struct listing_part *there =
        &u->listing.extra[number % LISTING_EXTRA];
    const struct part *p = &u->part[u->stored.parts % CFG_UPLOAD_COUNT];
    return there->number == number && there->size == p->chain.bytes &&
           there->summed && there->crc == p->crc;
}

/* Where the next part goes there may be no upload yet, or one that is full. */
static enum flow begin_sending(struct upload *u)
{
    struct upload_place place = u->stored.place;
    if (upload_wants_record(u))
        return FLOW_WANT_INPUT;
    if (segment_is_full(u, upload_next_bytes(u)))
        return segment_finish(u);
    segment_count(u, &place, upload_next_bytes(u), 0);
    segment_switch(u, place.parts > 0);
    if (u->multipart.id[0] == '\0')
        return begin_creating(u);
    if (!copy_is_next(u) && is_there(u)) {
        count_part(u);
        return FLOW_MOVED;
    }
    upload_enter(u, UPLOAD_SENDING);
    u->tries = 0;
    return copy_is_next(u) ? copy_begin(u) : send_part(u);
}

void upload_abort(struct upload *u)
{
    if (u->abort || u->state == UPLOAD_DONE)
        return;
    u->abort = true;
    if (u->state == UPLOAD_CREATING)
        return;  /* only its answer tells what is to be aborted */
    bool failed = u->state == UPLOAD_FAILED;
    bool open = u->multipart.id[0] != '\0' || u->aside[0] != '\0';
    multipart_cancel(&u->multipart);
    release(u);
    if (open)
        (void)finish_abort(u, failed ? UPLOAD_FAILED : UPLOAD_ABORTED);
    else if (!failed)
        (void)upload_leave_as(u, UPLOAD_ABORTED);
    u->gone = !open;
}

void upload_leave(struct upload *u)
{
    if (u->state >= UPLOAD_DONE)
        return;
    u->stray |= u->state == UPLOAD_CREATING;
    u->abort = true;
    (void)upload_leave_as(u, UPLOAD_ABORTED);
}

/* --- states -------------------------------------------------------------- */

static enum flow on_resuming(struct upload *u, struct now now)
{
    struct listing *l = &u->listing;
    enum flow flow = multipart_step(&u->multipart, now);
    if (flow == FLOW_FAILED)
        return u->inner && put_doubts(&u->multipart.fault, u->multipart.status)
                   ? segment_gone(u)
                   : upload_fail_as(u, &u->multipart.fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (l->more && l->fault.error == ERROR_NONE) {
        multipart_list(&u->multipart, l);
        return FLOW_MOVED;
    }
    if (u->inner)
        return segment_resumed(u);
    if (l->fault.error != ERROR_NONE || l->parts != u->stored.place.own ||
        l->bytes != u->stored.bytes - u->stored.place.bytes)
        return upload_fail(u, ERROR_MISSING, "parts stored before are gone",
                           l->parts);
    if (segment_is_open(u))
        return segment_resume(u);
    upload_enter(u, UPLOAD_FILLING);
    return FLOW_MOVED;
}

static enum flow on_filling(struct upload *u)
{
    if (in_hand(u) > 0)
        return begin_sending(u);
    if (!u->commit)
        return FLOW_WANT_INPUT;
    if (segment_is_open(u))
        return segment_finish(u);
    if (u->stored.place.own > LIMIT_SEGMENT_FROM && u->segment != NULL &&
        !u->clean)
        return segment_clean(u);
    segment_switch(u, false);
    return u->closed > 0 ? finish_list(u) : finish_put(u);
}

static enum flow on_creating(struct upload *u, struct now now)
{
    enum flow flow = multipart_step(&u->multipart, now);
    u->stray |= u->multipart.call.attempt > 1 || flow == FLOW_FAILED;
    if (flow == FLOW_FAILED)
        return upload_fail_as(u, &u->multipart.fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (u->abort) {
        release(u);
        return finish_abort(u, UPLOAD_ABORTED);
    }
    upload_enter(u, UPLOAD_FILLING);
    return FLOW_MOVED;
}

static enum flow on_part_stored(struct upload *u)
{
    const struct http_reply *reply = &u->multipart.call.exchange.reply;
    struct part *p = part_of(u, u->stored.parts);
    bool sound = reply->etag[0] != '\0' && !target_differs(reply, p->crc);
    if (!sound && u->tries >= UPLOAD_TRIES)
        return upload_fail(u, ERROR_CORRUPT, "S3 did not store the part as "
                                             "sent", u->stored.parts + 1);
    if (!sound)
        return send_part(u);
    count_part(u);
    upload_enter(u, UPLOAD_FILLING);
    return FLOW_MOVED;
}

static enum flow on_sending(struct upload *u, struct now now)
{
    enum flow flow = multipart_step(&u->multipart, now);
    if (flow == FLOW_FAILED)
        return copy_is_next(u) ? copy_fail(u)
                               : upload_fail_as(u, &u->multipart.fault);
    if (flow != FLOW_ENDED)
        return flow;
    return copy_is_next(u) ? copy_end(u) : on_part_stored(u);
}

enum flow upload_step(struct upload *u, struct now now)
{
    switch (u->state) {
    case UPLOAD_RESUMING:   return on_resuming(u, now);
    case UPLOAD_FILLING:    return on_filling(u);
    case UPLOAD_CREATING:   return on_creating(u, now);
    case UPLOAD_SENDING:    return on_sending(u, now);
    case UPLOAD_LISTING:    return finish_listing(u, now);
    case UPLOAD_COMPLETING: return finish_completing(u, now);
    case UPLOAD_SETTLING:   return finish_settling(u, now);
    case UPLOAD_MERGING:    return segment_merging(u, now);
    case UPLOAD_CLEANING:   return segment_cleaning(u, now);
    case UPLOAD_ABORTING:   return finish_aborting(u, now);
    case UPLOAD_PROVING:    return finish_proving(u, now);
    case UPLOAD_DONE:
    case UPLOAD_ABORTED:    return FLOW_ENDED;
    case UPLOAD_FAILED:     break;
    }
    return FLOW_FAILED;
}

int64_t upload_wake_ms(const struct upload *u)
{
    if (u->state == UPLOAD_FILLING || u->state >= UPLOAD_DONE)
        return INT64_MAX;
    return u->resume_mono_ms != 0 ? u->resume_mono_ms
                                  : call_wake_ms(&u->multipart.call);
}
