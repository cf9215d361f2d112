/* listing.c - see listing.h. */
#include "ship/listing.h"

#include "base/crc.h"
#include "base/limits.h"

enum { ENTRY_BYTES = 64 + 6 * HTTP_ETAG_BYTES };

static void put(struct listing *l, struct view v)
{
    if (l->body == NULL)
        return;
    bool absurd = l->body->bytes + v.len > LIMIT_PART_BYTES;
    if (absurd)  /* ETags of hundreds of bytes: no store of ours */
        fault_set(&l->fault, ERROR_REMOTE, "ListParts gave ETags too long",
                  l->parts);
    while (v.len > 0 && !absurd) {  /* once a slot */
        struct span room = chain_reserve(l->arena, l->body, true);
        uint32_t len = v.len < room.len ? v.len : room.len;
        if (len == 0) {
            fault_set(&l->fault, ERROR_LIMIT, "CFG_SLOT_COUNT", l->parts);
            return;
        }
        memcpy(room.at, v.at, len);
        chain_commit(l->arena, l->body, len);
        v = view_slice(v, len, v.len);
    }
}

void listing_init(struct listing *l, struct arena *arena, struct chain *body,
                  uint32_t most)
{
    CHECK(body == NULL || body->slots == 0);
    *l = (struct listing){.arena = arena, .body = body, .most = most};
    put(l, view_of("<CompleteMultipartUpload xmlns="
                   "\"http://s3.amazonaws.com/doc/2006-03-01/\">"));
}

static void forget_part(struct listing *l)
{
    l->number = 0;
    l->size = 0;
    l->sized = false;
    l->etag[0] = l->crc64nvme[0] = '\0';
}

void listing_page(struct listing *l)
{
    forget_part(l);
    l->more = false;
}

static void add_part(struct listing *l)
{
    char room[ENTRY_BYTES];
    struct text t;
    text_init(&t, room, sizeof room);
    text_str(&t, "<Part><PartNumber>");
    text_u64(&t, l->number);
    text_str(&t, "</PartNumber><ETag>");
    elements_escape(&t, view_of(l->etag));
    text_str(&t, "</ETag></Part>");
    CHECK(!t.overflow);
    put(l, text_view(&t));
    l->parts++;
    l->bytes += l->size;
}

static void add_extra(struct listing *l)
{
    struct listing_part p = {.number = (uint32_t)l->number, .size = l->size};
    p.summed = crc64_parse(view_of(l->crc64nvme), &p.crc);
    l->extra[p.number % LISTING_EXTRA] = p;
}

static void end_part(struct listing *l)
{
    if (l->number > l->most) {
        if (l->number <= (uint64_t)l->most + LISTING_EXTRA && l->sized)
            add_extra(l);
        l->past = true;
        forget_part(l);
        return;
    }
    bool known = l->number > 0 && l->number <= l->parts;
    bool next = l->number == (uint64_t)l->parts + 1;
    if (next && l->sized && l->etag[0] != '\0')
        add_part(l);
    else if (!known)
        fault_set(&l->fault, ERROR_REMOTE,
                  next ? "ListParts gave a part without its ETag or size"
                       : "ListParts skipped a part", l->parts + 1);
    forget_part(l);
}

/* A page that is followed by another must bring something. */
static void end_page(struct listing *l)
{
    if (l->past)
        l->more = false;
    if (l->more && l->parts == l->before)
        fault_set(&l->fault, ERROR_REMOTE, "ListParts goes in a circle",
                  l->parts);
    l->before = l->parts;
}

void listing_take(struct listing *l, const struct elements *e)
{
    struct view value = text_view(&e->value);
    if (elements_at(e, "ListPartsResult/Part/PartNumber"))
        (void)view_u64(value, LIMIT_PART_COUNT, &l->number);
    else if (elements_at(e, "ListPartsResult/Part/Size"))
        l->sized = view_u64(value, UINT64_MAX >> 16, &l->size);
    else if (elements_at(e, "ListPartsResult/Part/ETag"))
        (void)view_copy(value, l->etag, sizeof l->etag);
    else if (elements_at(e, "ListPartsResult/Part/ChecksumCRC64NVME"))
        (void)view_copy(value, l->crc64nvme, sizeof l->crc64nvme);
    else if (elements_at(e, "ListPartsResult/Part"))
        end_part(l);
    else if (elements_at(e, "ListPartsResult/IsTruncated"))
        l->more = view_is(view_trim(value), "true");
    else if (elements_at(e, "ListPartsResult"))
        end_page(l);
}

void listing_finish(struct listing *l)
{
    put(l, view_of("</CompleteMultipartUpload>"));
}
