/* existing.h - what is under a key already: the receipt and the object.
 *
 * One GET and one HEAD, before a day is read; a bucket that does not exist is
 * found out here. Only a receipt that says exactly this day, and agrees with
 * the object that S3 has, is the day. Where only the receipt's key is known,
 * the object is the one that it names, which must be the one beside it. */
#ifndef FIRN_SHIP_EXISTING_H
#define FIRN_SHIP_EXISTING_H

#include "call/call.h"
#include "ship/receipt.h"

enum { EXISTING_ROOM_BYTES = RECEIPT_BYTES + RECEIPT_STRINGS_BYTES };

/* An object as a list showed it. */
struct existing_listed {
    struct view key;
    struct view etag;  /* with its quotes */
    uint64_t    bytes;
};

struct existing {
    bool     has_receipt, has_object;      /* public at FLOW_ENDED */
    bool     damaged;                      /* there is a receipt that cannot
                                              be read; fault says why */
    struct receipt receipt;                /* public if has_receipt */
    char     receipt_etag[HTTP_ETAG_BYTES];
    uint64_t bytes;                        /* of the object */
    int64_t  modified_ms;
    char     etag[HTTP_ETAG_BYTES];
    char     crc64nvme[HTTP_CRC_BYTES];    /* "" if S3 does not tell */
    char     storage_class[24];            /* "": STANDARD */
    struct fault fault;                    /* public at FLOW_FAILED, and if
                                              damaged */

    struct existing_listed listed;         /* public: may be set after init;
                                              if it is the object that the
                                              receipt names, no HEAD is made */
    bool     any_form;                     /* public: may be set after init;
                                              if there is no such object, it
                                              is the one of another form that
                                              the receipt beside it names */
    struct view  key;                      /* public: the object's */
    struct call *call;
    struct view  bucket, receipt_key;
    struct span  room;                     /* for the receipt's text */
    uint32_t     len, attempt;
    enum existing_state {
        EXISTING_ASKING,
        EXISTING_RECEIPT,  /* waits for the receipt */
        EXISTING_OBJECT,   /* waits for the object's head */
        EXISTING_DONE,     /* final */
        EXISTING_FAILED,   /* final */
    } state;
};

/* `call` is lent until the end and has a ring; the rest lives as long, and
 * `room`, of EXISTING_ROOM_BYTES, as long as the receipt is looked at. An
 * empty `key` is the one that the receipt names. */
void existing_init(struct existing *e, struct call *call, struct view bucket,
                   struct view key, struct view receipt_key,
                   struct span room);
enum flow existing_step(struct existing *e, struct now now);
/* Is the receipt exactly of that account, region, group and window, without a
 * stream prefix unless that is the same, too? (contract: "Only an exact
 * receipt is that day") Without a window: of the same objects, merged. */
bool existing_is_window(const struct existing *e, const struct receipt *want);
/* Does the receipt agree with the object's size, ETag and checksum? */
bool existing_agrees(const struct existing *e);
/* Why it does not, a literal; NULL if it does. */
const char *existing_doubt(const struct existing *e);
/* Is the object of that receipt's size, and its checksum, where both are told,
 * the same? */
bool existing_is_stored(const struct existing *e, const struct receipt *r);

#endif
