/* upload.h - sink: blocks of compressed bytes become one S3 object.
 *
 *     upload_init(u, site, arena, target);
 *     for each block: when upload_room(u, len), upload_append() its bytes,
 *         upload_block_end(u)
 *     upload_end(u); ... upload_is_stored(u) ... upload_commit(u);
 *     upload_step(u, now) all the while, until FLOW_ENDED or FLOW_FAILED
 *
 * Less than a part is stored by one PutObject, more by a multipart upload,
 * created when the first part is full. Parts end at a block's end, are numbered
 * without gaps and sent one at a time, in order, from where they lie; one that
 * breaks off is sent again under its number. What S3 has is S3's to tell:
 * ListParts gives the ETags for Complete, whose condition, size and checksum
 * S3 checks; HEAD has the last word (put.h). A part may also be copied from an
 * object that S3 has; where S3 does not tell its CRC, that of the whole is not
 * known either, and the size and the ETag have to do. FLOW_ENDED means that S3
 * has confirmed the size, and the checksum unless crc_confirmed says otherwise.
 *
 * Slots. CFG_UPLOAD_COUNT parts are in hand: one fills while those before it
 * wait or are sent; with one, it is sent before the next fills. They share the
 * arena with lanes. Nobody waits for ever if lanes keep to this, P being the
 * slots a part needs at most and B those of one block being packed:
 *   - a lane ahead leaves upload_slots_wanted() + B slots free: then the lanes
 *     ahead never hold more than all slots but P + B;
 *   - the head lane leaves upload_slots_needed() slots free, so that its block
 *     finds room once what is under way is sent;
 *   - finished blocks of the head lane go to the part as soon as they fit.
 * The arena has P + B slots or more; with segments S more, LIMIT_SEGMENT_SLOTS,
 * for the list of a segment's parts: parts leave them free past
 * LIMIT_SEGMENT_FROM, lanes (as part of the two numbers) long before.
 *
 * Faults: the call's own; ERROR_CONFLICT when the condition did not hold and
 * the object is not ours (the multipart upload is aborted then); ERROR_MISSING
 * when the upload is gone; ERROR_LIMIT past LIMIT_PART_COUNT parts;
 * ERROR_CORRUPT when bytes arrive otherwise again and again, or when what is
 * copied is not what it was any more. Otherwise a failed
 * upload stays open for a later run to resume, or for upload_abort(). A
 * Create whose answer was lost may leave an empty upload behind (sweep.h).
 *
 * Resumed, it asks ListParts first, what is appended waiting meanwhile: a list
 * that lacks a part is ERROR_MISSING, like an upload that is gone. A part that
 * S3 has already, and that comes again with the same bytes, is not sent. */
#ifndef FIRN_SHIP_UPLOAD_H
#define FIRN_SHIP_UPLOAD_H

#include "ship/listing.h"
#include "ship/multipart.h"
#include "ship/part.h"
#include "ship/put.h"

enum {
    UPLOAD_NAMES_BYTES = 1280,  /* a bucket, a key of 1,024 bytes, an ETag */
    UPLOAD_TRIES    = 3,    /* of one part whose answer is not sound */
    UPLOAD_ABORTS   = 8,    /* until ListParts knows of no part */
    UPLOAD_PAUSE_MS = 500,  /* after the first, then twice that, ... */
};

/* What S3 has: with the upload's id (multipart.id) all that a later run needs
 * to go on with the next part. */
struct upload_place {      /* of the parts: see segment.h */
    uint32_t own;          /* those of the object's own upload */
    uint32_t parts;        /* in the segment in hand, behind these */
    uint64_t bytes, crc;   /* of the segment */
};

struct upload_stored {
    uint32_t parts;      /* all of them */
    uint64_t bytes;      /* of those parts */
    uint64_t crc;        /* CRC-64/NVME of them */
    bool     crc_known;  /* else S3 did not tell that of a part it copied */
    struct upload_place place;
};

struct upload {
    enum upload_state {
        UPLOAD_RESUMING,    /* waits for a page of ListParts: what is there */
        UPLOAD_FILLING,     /* waits for a full part, or the end of input */
        UPLOAD_CREATING,    /* waits for an upload id */
        UPLOAD_SENDING,     /* waits for the ETag of one part */
        UPLOAD_LISTING,     /* waits for a page of ListParts */
        UPLOAD_COMPLETING,  /* waits for a reply that is not an error in
                               disguise */
        UPLOAD_SETTLING,    /* PutObject or HEAD is under way: put.h */
        UPLOAD_MERGING,     /* waits for a segment to be copied in: segment.h */
        UPLOAD_CLEANING,    /* waits for the last segment to be deleted */
        UPLOAD_ABORTING,    /* waits for the answer to Abort */
        UPLOAD_PROVING,     /* waits for ListParts to know of no part */
        UPLOAD_DONE,        /* final */
        UPLOAD_ABORTED,     /* final, as asked for */
        UPLOAD_FAILED,      /* final but for upload_abort(); fault says why */
    } state;                       /* public */
    struct fault         fault;    /* public */
    struct upload_stored stored;   /* public */
    uint64_t bytes, crc;           /* public, once stored: of the object */
    bool     crc_known;            /* public, once stored: see above */
    char     etag[HTTP_ETAG_BYTES];/* public, once done */
    bool     crc_confirmed;        /* public, once done */

    struct multipart     multipart;  /* public: id; its call, once done */
    const struct target *target;     /* private from here on */
    struct arena        *arena;
    struct part          part[CFG_UPLOAD_COUNT];  /* number n at n modulo */
    struct copy_source   copy;     /* a part in hand that S3 is to copy */
    uint32_t             copy_number;  /* of that part, from 1; 0: none */
    char                 copy_names[UPLOAD_NAMES_BYTES];
    uint32_t             closed;   /* parts closed, those sent included */
    struct upload_place  place;    /* of those */
    const struct target *segment;  /* NULL: no segments */
    char                 aside[MULTIPART_ID_BYTES];  /* of the two uploads, the
                                      id of that which multipart is not about */
    bool                 inner;    /* multipart is about the segment */
    bool                 merging;  /* a segment is becoming a part */
    bool                 clean;    /* its object was deleted, or is another's */
    bool                 named;    /* public: a checkpoint has the id; ... */
    bool                 named_segment;  /* ... that of the segment in hand */
    uint32_t             recorded; /* parts that a later run would know of */
    uint32_t             tries;    /* of the part, of the abort */
    bool                 stray;    /* public: an upload may be open whose id
                                      nobody was told */
    bool                 gone;     /* public: aborted, S3 has none of it */
    bool                 ended;    /* no more input */
    bool                 commit;   /* the object may appear */
    bool                 abort;    /* as soon as the upload id is known */
    enum upload_state    outcome;  /* where to go after an abort */
    int64_t              resume_mono_ms;
    struct put           put;
    struct listing       listing;
    struct chain         complete; /* the body of Complete */
    struct view          slices[LIMIT_PART_SLOTS + 1];
};

/* All but `u` is lent and outlives it; slots of CFG_SLOT_BYTES at least. May
 * be called again once it is final: all of its slots are free then. */
void upload_init(struct upload *u, struct site *site, struct arena *arena,
                 const struct target *target);
/* Straight after init: past LIMIT_SEGMENT_FROM parts it goes on in segments
 * (segment.h), which are objects of this target, one after the other. The
 * caller calls upload_recorded(). Without it, 10,000 parts are all. */
void upload_segments(struct upload *u, const struct target *segment);
/* After both: goes on with a multipart upload of an earlier run that should
 * have what is stored. `segment` is the id of the segment's upload, or empty.
 * upload_name() is for who only passes the ids on. */
void upload_resume(struct upload *u, struct view id, struct view segment,
                   const struct upload_stored *stored);
void upload_name(struct upload *u, struct view id, struct view segment);

/* A later run would go on behind so many parts: a checkpoint says so. Before a
 * segment is completed all of its parts have to be recorded:
 * upload_wants_record(). */
void upload_recorded(struct upload *u, uint32_t parts);
/* A checkpoint that is being written has the ids. */
void upload_told(struct upload *u);
bool upload_wants_record(const struct upload *u);

/* Would a whole block of so many bytes, LIMIT_PACKED_BYTES at most, fit into
 * the part in hand now? False once failed. */
bool upload_room(const struct upload *u, uint32_t len);
/* Bytes of a block for which there was room; in pieces if that helps. */
void upload_append(struct upload *u, struct view bytes);
/* The block is whole: the part is closed if it is full. */
void upload_block_end(struct upload *u);
/* The part in hand is closed, which holds LIMIT_PART_LEAST bytes or more. */
void upload_close(struct upload *u);
/* May the next part be one that S3 copies from another object? The part in
 * hand is empty then, and no other copy is waiting or under way. */
bool upload_may_copy(const struct upload *u);
/* It is to be: LIMIT_PART_LEAST bytes at least, LIMIT_COPY_BYTES at most. The
 * source is copied. Resumed, it is copied again if it was not counted: what S3
 * has under that number may come of another source. */
void upload_copy(struct upload *u, const struct copy_source *source);
/* There is no more to come; what is there is sent, but for the commit. */
void upload_end(struct upload *u);
/* Is all of it stored but for the commit? u->bytes and u->crc are known. */
bool upload_is_stored(const struct upload *u);
/* Complete, or PutObject, may go: the object is to appear. */
void upload_commit(struct upload *u);
/* Stops wherever it is and takes the parts back from S3, until ListParts says
 * that it has none. Ends UPLOAD_ABORTED, or failed if it was that before. */
void upload_abort(struct upload *u);
/* Another run has taken over: what a checkpoint names is that one's, and so is
 * the segment's object. True: there is more, which is to be aborted. */
bool upload_yield(struct upload *u);
/* Stops wherever it is, at once, and leaves what S3 has to a later run. */
void upload_leave(struct upload *u);

enum flow upload_step(struct upload *u, struct now now);
/* As call_wake_ms(). */
int64_t   upload_wake_ms(const struct upload *u);

/* See "Slots": how many the part that fills, or the next one, may still take
 * until it closes; and how many of them are not about to become free, and S. */
uint16_t upload_slots_wanted(const struct upload *u);
uint16_t upload_slots_needed(const struct upload *u);
/* The parts closed so far, as they will be stored. Of a copy the CRC is told
 * when it is done: until then, and not longer, crc is not to be used. */
struct upload_stored upload_closed(const struct upload *u);
/* The multipart upload's id, once it is known for sure; else empty. */
struct view upload_id(const struct upload *u);
/* The same of the segment in hand. */
struct view upload_segment_id(const struct upload *u);
/* Bytes of the object so far, appended or resumed: the next one's offset. */
uint64_t upload_offset(const struct upload *u);

#endif
