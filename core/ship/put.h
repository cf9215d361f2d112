/* put.h - an object is stored whole, and it is ours: said by S3.
 *
 * PutObject under the target's condition, and the settling of doubts that any
 * commit has: a condition that failed, or an answer that was lost and a second
 * try that met our own success. HEAD decides: an object of our size and
 * checksum is ours. With `confirm` HEAD also has the last word after a clean
 * success. An answer that does not confirm what was sent, without an ETag or
 * with another checksum, makes it send again, twice at most.
 *
 * For receipts as they are, for archives by upload.h, which also settles its
 * CompleteMultipartUpload here. The caller owns everything and lends the call
 * meanwhile. */
#ifndef FIRN_SHIP_PUT_H
#define FIRN_SHIP_PUT_H

#include "ship/target.h"

enum { PUT_TRIES = 3 };

struct put {
    enum put_state {
        PUT_SENDING,   /* waits for the answer to PutObject */
        PUT_CHECKING,  /* waits for HEAD */
        PUT_DONE,      /* final; the fields below tell */
        PUT_FAILED,    /* final; fault says why: ERROR_CONFLICT if the object
                          under the key is another's */
    } state;
    struct fault fault;           /* public */
    char etag[HTTP_ETAG_BYTES];   /* public, once done: with its quotes */
    bool crc_confirmed;           /* public: S3 told the same checksum */

    struct call         *call;    /* private from here on */
    const struct target *target;
    struct body      body;
    struct fault         doubt;   /* what HEAD has to settle */
    bool                 confirm;
    bool                 unsummed;
    uint32_t             tries;
};

/* The body's slices outlive it. */
void put_begin(struct put *p, struct call *call, const struct target *target,
               const struct body *body);
/* Before the first step: HEAD is to confirm a success, too. */
void put_confirm(struct put *p);
/* Asks HEAD alone: after a Complete that answered with this ETag, or, in
 * doubt, with this fault. The body has no slices, only its size and CRC. */
void put_settle(struct put *p, struct call *call, const struct target *target,
                const struct body *body);
void put_settle_etag(struct put *p, struct view etag);
/* The body's CRC is not known: the size decides, and the ETag where known. */
void put_settle_unsummed(struct put *p);
void put_settle_doubt(struct put *p, const struct fault *doubt);

enum flow put_step(struct put *p, struct now now);

/* Whether a fault leaves open if the object was written: a condition did not
 * hold (of a reply with that status), or what was worked on is gone. */
bool put_doubts(const struct fault *fault, int32_t status);

#endif
