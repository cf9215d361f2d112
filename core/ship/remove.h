/* remove.h - objects of no more use are deleted: exactly those, as they were.
 *
 * They are named one after the other, each with the ETag that it had when it
 * was read or listed, and deleted in batches:
 *
 *     remove_init(r, call, bucket, room);
 *     while (... another object ...)
 *         while (!remove_add(r, key, etag))
 *             flow = remove_step(r, now);
 *     remove_end(r);
 *     ... remove_step(r, now) ... until FLOW_ENDED or FLOW_FAILED
 *
 * An object that has another ETag by then is someone else's: S3 keeps it, and
 * it is counted. One that is gone is as good as deleted, so that what was
 * lost on the way is simply sent again. S3 tells of each key inside a 200
 * (API reference, DeleteObjects; user guide, "How to perform conditional
 * deletes": it wants s3:GetObject, too). A store that does not know
 * conditions deletes by key alone.
 *
 *   ERROR_DENIED   no permission for a key, which is named; others may be gone
 *
 * and what call.h says. XML cannot carry keys with control characters: those
 * are kept. The caller owns all. */
#ifndef FIRN_SHIP_REMOVE_H
#define FIRN_SHIP_REMOVE_H

#include "call/call.h"
#include "ship/elements.h"

enum {
    REMOVE_BATCH      = 1000,   /* keys a request: S3's limit */
    REMOVE_ROOM_BYTES = 16384,  /* at least: the longest key, all escaped */
};

struct remove {
    uint64_t     deleted;  /* public: or gone already */
    uint64_t     kept;     /* public: changed meanwhile */
    struct fault fault;    /* public at FLOW_FAILED */
    enum remove_state {
        REMOVE_FILLING,    /* waits for objects */
        REMOVE_SENDING,    /* waits for what became of a batch */
        REMOVE_DONE,       /* final */
        REMOVE_FAILED,     /* final */
    } state;

    struct call *call;
    struct view  bucket;
    struct text  body;
    struct view  slice;
    bool         ended, full;
    uint32_t     count;    /* in the batch ... */
    uint32_t     changed;  /* ... of which S3 kept so many */
    uint32_t     attempt;
    bool         whole;    /* the reply was a DeleteResult, to its end */
    bool         again;    /* a key failed that may succeed */
    struct fault first;    /* of a key that will not */
    char         code[64];
    char         words[FAULT_WORDS_BYTES];
    char         key[96];  /* the beginning of it */
    struct elements elements;
};

/* `call` is lent until the end, its sink is a ring; the bucket lives as long.
 * `room` is for a batch, of REMOVE_ROOM_BYTES or more. */
void remove_init(struct remove *r, struct call *call, struct view bucket,
                 struct span room);
/* Takes an object, the ETag with its quotes. False: step until it can. */
bool remove_add(struct remove *r, struct view key, struct view etag);
/* That was the last one. */
void remove_end(struct remove *r);
/* FLOW_WANT_INPUT: it waits for objects. */
enum flow remove_step(struct remove *r, struct now now);
int64_t remove_wake_ms(const struct remove *r);

#endif
