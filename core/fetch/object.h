/* object.h - source: one S3 object, or a range of it, byte after byte.
 *
 * The first GET tells size and ETag. When a connection breaks, a new one goes
 * on behind the last byte that the reader took, If-Match that ETag, so that
 * each byte of one version arrives once. The ring that the object is written
 * to is the call's own sink: nothing is copied, and a reader that stops stops
 * the transfer.
 *
 *   ERROR_CORRUPT  it changed while it was read, or is not the one expected
 *   ERROR_MISSING  no such bucket or key
 *   ERROR_REMOTE   a store that does not know ranges, or miscounts
 *
 * and what call.h says. Where a storage class keeps the object offline, the
 * fault's words are the command that brings it back. The caller owns it and
 * the name's bytes. */
#ifndef FIRN_FETCH_OBJECT_H
#define FIRN_FETCH_OBJECT_H

#include "base/stage.h"
#include "call/call.h"

struct object_name {
    struct view bucket, key;  /* raw */
};

/* "s3://BUCKET/KEY", neither empty; the views point into `url`. */
bool object_name_parse(struct view url, struct object_name *name);

struct object {
    struct stage stage;
    struct object_name name;
    uint64_t next;        /* public: the first byte not taken by the reader */
    bool     known;       /* public: a reply came, and these are set: */
    uint64_t total;       /*   bytes of the whole object */
    int64_t  modified_ms;
    char     crc64nvme[HTTP_CRC_BYTES];  /* "" if S3 has none of all of it */
    char     etag[HTTP_ETAG_BYTES];  /* may be set before the first step: the
                                        version that is expected */

    enum object_state {
        OBJECT_OPENED,    /* waits to be stepped */
        OBJECT_READING,   /* waits for the reply, and for it to be read */
        OBJECT_BROKEN,    /* waits for a pause to end, and for the reader */
        OBJECT_DONE,      /* final: all of it is in the ring */
        OBJECT_FAILED,    /* final; the fault says why */
    } state;
    uint64_t to;          /* where to stop; 0: at the end */
    uint64_t asked;       /* where the request under way begins */
    uint64_t received;    /* of it, when last looked at */
    uint32_t attempt;     /* the one that `checked` is about */
    uint32_t read;        /* the ring's cursor when last looked at */
    bool     checked;     /* the reply's head is what we asked for */
    int64_t  resume_mono_ms;
    struct call call;
};

/* `out` is the ring it will be stepped with. */
void object_init(struct object *o, struct site *site, struct ring *out,
                 struct fault *fault);
/* From one object to the next; the whole of it, or bytes [from, to) of what
 * there is. Resets the ring. */
void object_open(struct object *o, struct object_name name);
void object_open_range(struct object *o, struct object_name name,
                       uint64_t from, uint64_t to);
/* Stops a transfer that nobody wants any more. */
void object_cancel(struct object *o);
int64_t object_wake_ms(const struct object *o);

#endif
