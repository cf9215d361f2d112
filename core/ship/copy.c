/* copy.c - see copy.h. */
#include "ship/copy.h"

#include "ship/finish.h"
#include "ship/segment.h"

bool upload_may_copy(const struct upload *u)
{
    const struct part *p = &u->part[u->closed % CFG_UPLOAD_COUNT];
    return upload_room(u, 0) && p->chain.bytes == 0 && u->copy_number == 0;
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
    if (!upload_may_begin(u, bytes))
        return;
    CHECK(upload_may_copy(u) && source->from < source->to);
    CHECK(bytes >= LIMIT_PART_LEAST && bytes <= LIMIT_COPY_BYTES);
    text_init(&names, u->copy_names, sizeof u->copy_names);
    u->copy = *source;
    u->copy.bucket = keep(&names, source->bucket);
    u->copy.key = keep(&names, source->key);
    u->copy.etag = keep(&names, source->etag);
    u->bytes += bytes;
    segment_count(u, &u->place, bytes, 0);
    u->copy_number = ++u->closed;
}

bool copy_is_next(const struct upload *u)
{
    return u->copy_number == u->stored.parts + 1;
}

enum flow copy_begin(struct upload *u)
{
    multipart_copy(&u->multipart, segment_number(u), &u->copy);
    return FLOW_MOVED;
}

/* Now its CRC is known, or not, and so that of the parts closed since. */
enum flow copy_end(struct upload *u)
{
    const struct multipart *m = &u->multipart;
    struct upload_stored *s = &u->stored;
    s->crc_known = s->crc_known && m->copied.summed;
    upload_count(u, u->copy.to - u->copy.from,
                 s->crc_known ? m->copied.crc : 0);
    u->copy_number = 0;
    segment_recount(u);
    upload_enter(u, UPLOAD_FILLING);
    return FLOW_MOVED;
}

enum flow copy_fail(struct upload *u)
{
    if (!multipart_source_changed(&u->multipart))
        return upload_fail_as(u, &u->multipart.fault);
    fault_set(&u->fault, ERROR_CORRUPT, "this object is not what it was when "
              "it was listed", u->multipart.status);
    fault_words(&u->fault, u->copy.key);
    return upload_leave_as(u, UPLOAD_FAILED);
}
