/* upload.c - see upload.h. */
#include "ship/upload.h"

#include "base/crc.h"
#include "base/trace.h"
#include "ship/finish.h"

static const char *const state_name[] = {
    "resuming", "filling", "creating", "sending", "listing", "completing",
    "settling", "aborting", "proving", "done", "aborted", "failed",
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
    u->closed = u->tries = 0;
    u->outcome = UPLOAD_ABORTED;
    u->resume_mono_ms = 0;
    for (uint32_t i = 0; i < CFG_UPLOAD_COUNT; i++)
        part_init(&u->part[i]);
    chain_init(&u->complete);
    listing_init(&u->listing, NULL, NULL, 0);
    multipart_init(&u->multipart, site, target);
}

void upload_resume(struct upload *u, struct view id,
                   const struct upload_stored *stored)
{
    CHECK(u->state == UPLOAD_FILLING && upload_offset(u) == 0);
    CHECK(id.len > 0 && stored->parts <= LIMIT_PART_COUNT);
    bool fits = view_copy(id, u->multipart.id, sizeof u->multipart.id);
    CHECK(fits);
    u->stored = *stored;
    u->closed = stored->parts;
    u->bytes = stored->bytes;
    u->crc = stored->crc;
    u->crc_known = stored->crc_known;
    listing_init(&u->listing, NULL, NULL, stored->parts);
    upload_enter(u, UPLOAD_RESUMING);
    multipart_list(&u->multipart, &u->listing);
}

static bool takes_bytes(const struct upload *u)
{
    return u->state < UPLOAD_LISTING && !u->ended && !u->abort;
}

bool upload_room(const struct upload *u, uint32_t len)
{
    CHECK(len <= LIMIT_PACKED_BYTES);
    const struct part *p = &u->part[u->closed % CFG_UPLOAD_COUNT];
    return takes_bytes(u) && in_hand(u) < CFG_UPLOAD_COUNT &&
           part_room(p, u->arena) >= len;
}

/* Whether another part may begin; else it has failed. */
static bool may_begin(struct upload *u)
{
    if (u->state == UPLOAD_FAILED)
        return false;
    CHECK(takes_bytes(u) && in_hand(u) < CFG_UPLOAD_COUNT);
    if (u->closed < LIMIT_PART_COUNT)
        return true;
    (void)upload_fail(u, ERROR_LIMIT, "CFG_PART_BYTES", LIMIT_PART_COUNT);
    fault_words(&u->fault, view_of("the object needs more than 10,000 parts"));
    return false;
}

void upload_append(struct upload *u, struct view bytes)
{
    if (!may_begin(u))
        return;
    part_append(part_of(u, u->closed), u->arena, bytes);
}

static void close_part(struct upload *u)
{
    const struct part *p = part_of(u, u->closed);
    u->crc = crc64_combine(u->crc, p->crc, p->chain.bytes);
    u->bytes += p->chain.bytes;
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

bool upload_may_copy(const struct upload *u)
{
    const struct part *p = &u->part[u->closed % CFG_UPLOAD_COUNT];
    return takes_bytes(u) && in_hand(u) < CFG_UPLOAD_COUNT &&
           p->chain.bytes == 0 && u->copy_number == 0;
}

static struct view keep(struct text *names, struct view v)
{
    const uint8_t *at = (const uint8_t *)names->at + names->len;
    text_put(names, v);
    CHECK(!names->overflow);
    return (struct view){at, v.len};
}

void upload_copy(struct upload *u, const struct copy_source *source)
{
    struct text names;
    uint64_t bytes = source->to - source->from;
    if (!may_begin(u))
        return;
    CHECK(upload_may_copy(u) && source->from < source->to);
    CHECK(bytes >= LIMIT_PART_LEAST && bytes <= LIMIT_COPY_BYTES);
    text_init(&names, u->copy_names, sizeof u->copy_names);
    u->copy = *source;
    u->copy.bucket = keep(&names, source->bucket);
    u->copy.key = keep(&names, source->key);
    u->copy.etag = keep(&names, source->etag);
    u->bytes += bytes;
    u->copy_number = ++u->closed;
}

struct upload_stored upload_closed(const struct upload *u)
{
    return (struct upload_stored){u->closed, u->bytes, u->crc, u->crc_known};
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

struct view upload_id(const struct upload *u)
{
    bool told = u->state != UPLOAD_CREATING;  /* its answer may be cut yet */
    return view_of(told ? u->multipart.id : NULL);
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

uint16_t upload_slots_needed(const struct upload *u)
{
    uint32_t wanted = upload_slots_wanted(u), coming = 0;
    for (uint32_t n = u->stored.parts; n < u->closed; n++)
        if (n != next_part(u))
            coming += u->part[n % CFG_UPLOAD_COUNT].chain.slots;
    return (uint16_t)(wanted > coming ? wanted - coming : 0);
}

/* --- requests ------------------------------------------------------------ */

bool upload_is_created(const struct upload *u)
{
    return u->multipart.id[0] != '\0';
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
    multipart_part(&u->multipart, u->stored.parts + 1, &body);
    return FLOW_MOVED;
}

static void count_part(struct upload *u)
{
    struct part *p = part_of(u, u->stored.parts);
    u->stored.crc = crc64_combine(u->stored.crc, p->crc, p->chain.bytes);
    u->stored.bytes += p->chain.bytes;
    u->stored.parts++;
    part_clear(p, u->arena);
}

/* Whether S3 has this part already, from a run before this one. */
static bool is_there(const struct upload *u)
{
    uint32_t number = u->stored.parts + 1;
    const struct listing_part *there =
        &u->listing.extra[number % LISTING_EXTRA];
    const struct part *p = &u->part[u->stored.parts % CFG_UPLOAD_COUNT];
    return there->number == number && there->size == p->chain.bytes &&
           there->crc == p->crc;
}

static bool is_copy(const struct upload *u)
{
    return u->copy_number == u->stored.parts + 1;
}

static enum flow begin_sending(struct upload *u)
{
    if (!is_copy(u) && is_there(u)) {
        count_part(u);
        return FLOW_MOVED;
    }
    upload_enter(u, UPLOAD_SENDING);
    u->tries = 0;
    if (!is_copy(u))
        return send_part(u);
    multipart_copy(&u->multipart, u->copy_number, &u->copy);
    return FLOW_MOVED;
}

void upload_abort(struct upload *u)
{
    if (u->abort || u->state == UPLOAD_DONE || u->state == UPLOAD_ABORTED)
        return;
    u->abort = true;
    if (u->state == UPLOAD_CREATING)
        return;  /* only its answer tells what is to be aborted */
    bool failed = u->state == UPLOAD_FAILED;
    multipart_cancel(&u->multipart);
    release(u);
    if (upload_is_created(u))
        (void)finish_abort(u, failed ? UPLOAD_FAILED : UPLOAD_ABORTED);
    else if (!failed)
        (void)upload_leave_as(u, UPLOAD_ABORTED);
    u->gone = !upload_is_created(u);
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
        return upload_fail_as(u, &u->multipart.fault);
    if (flow != FLOW_ENDED)
        return flow;
    if (l->more && l->fault.error == ERROR_NONE) {
        multipart_list(&u->multipart, l);
        return FLOW_MOVED;
    }
    if (l->fault.error != ERROR_NONE || l->parts != u->stored.parts ||
        l->bytes != u->stored.bytes)
        return upload_fail(u, ERROR_MISSING, "parts stored before are gone",
                    l->parts);
    upload_enter(u, UPLOAD_FILLING);
    return FLOW_MOVED;
}

static enum flow on_filling(struct upload *u)
{
    if (in_hand(u) > 0)
        return upload_is_created(u) ? begin_sending(u) : begin_creating(u);
    if (!u->commit)
        return FLOW_WANT_INPUT;
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

/* Now its CRC is known, or not, and so that of the parts closed since. */
static enum flow on_part_copied(struct upload *u)
{
    const struct multipart *m = &u->multipart;
    struct upload_stored *s = &u->stored;
    uint64_t bytes = u->copy.to - u->copy.from;
    s->crc_known = s->crc_known && m->copied.summed;
    s->crc = s->crc_known ? crc64_combine(s->crc, m->copied.crc, bytes) : 0;
    s->bytes += bytes;
    s->parts++;
    u->copy_number = 0;
    u->crc = s->crc;
    u->crc_known = s->crc_known;
    for (uint32_t n = s->parts; n < u->closed; n++) {
        const struct part *p = part_of(u, n);
        u->crc = crc64_combine(u->crc, p->crc, p->chain.bytes);
    }
    upload_enter(u, UPLOAD_FILLING);
    return FLOW_MOVED;
}

static enum flow fail_changed(struct upload *u)
{
    fault_set(&u->fault, ERROR_CORRUPT, "this object is not what it was when "
              "it was listed", u->multipart.status);
    fault_words(&u->fault, u->copy.key);
    return upload_leave_as(u, UPLOAD_FAILED);
}

static enum flow on_sending(struct upload *u, struct now now)
{
    enum flow flow = multipart_step(&u->multipart, now);
    if (flow == FLOW_FAILED)
        return multipart_source_changed(&u->multipart)
                   ? fail_changed(u)
                   : upload_fail_as(u, &u->multipart.fault);
    if (flow != FLOW_ENDED)
        return flow;
    return is_copy(u) ? on_part_copied(u) : on_part_stored(u);
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
