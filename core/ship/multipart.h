/* multipart.h - the requests of a multipart upload, one at a time.
 *
 * Each function begins a request; multipart_step() goes on until its reply is
 * whole and is what it has to be. A 200 may hold an error, be cut, or be none
 * of S3's at all: such a reply counts as a 500 where the error is a passing
 * one, and the request is made again, MULTIPART_REPEATS times at most. Only
 * bytes read to their end decide. Source: S3 API reference, "Common errors"
 * and CompleteMultipartUpload. */
#ifndef FIRN_SHIP_MULTIPART_H
#define FIRN_SHIP_MULTIPART_H

#include "ship/elements.h"
#include "ship/listing.h"
#include "ship/target.h"

enum {
    MULTIPART_ID_BYTES    = 1024,
    MULTIPART_REPEATS     = 8,
    MULTIPART_REPLY_BYTES = 16384,  /* the transport hands over so much */
};

struct multipart {
    struct call   call;       /* public: lent to others while it is idle */
    struct fault  fault;      /* public: of the request that failed */
    int32_t       status;     /* public: of the last reply */
    char          id[MULTIPART_ID_BYTES];  /* public: "" before Create */
    char          etag[HTTP_ETAG_BYTES];   /* public: Complete's, if given */
    bool          told;       /* public: the reply held what was asked for;
                                 after multipart_prove(): a part is left */

    struct {
        bool     summed;      /* public, of the part copied: S3 told its CRC */
        uint64_t crc;         /* CRC-64/NVME */
    } copied;

    const struct target *target;   /* private from here on */
    enum multipart_request {
        MULTIPART_CREATE, MULTIPART_PART, MULTIPART_COPY, MULTIPART_LIST,
        MULTIPART_COMPLETE, MULTIPART_ABORT, MULTIPART_PROVE,
    } request;
    struct listing     *listing;
    struct elements     elements;
    enum elements_event event;     /* the last one read */
    uint32_t            repeats;
    uint32_t            attempt;   /* of the call, whose reply we read */
    char                code[FAULT_CODE_BYTES], words[FAULT_WORDS_BYTES];
    struct ring         reply;
    uint8_t             reply_bytes[MULTIPART_REPLY_BYTES];
};

void multipart_init(struct multipart *m, struct site *site,
                    const struct target *target);

/* Afterwards m->id. */
void multipart_create(struct multipart *m);
/* Afterwards m->call.exchange.reply. The slices outlive the request. */
void multipart_part(struct multipart *m, uint32_t number,
                    const struct body *body);
/* Afterwards m->copied. The source's views need not outlive the call. 412,
 * or 404 and NoSuchKey: it is not what it was (multipart_source_changed()). */
void multipart_copy(struct multipart *m, uint32_t number,
                    const struct copy_source *source);
bool multipart_source_changed(const struct multipart *m);
/* The page of ListParts behind what the listing already has. */
void multipart_list(struct multipart *m, struct listing *listing);
/* `xml` is the request; the object has so many bytes and that CRC, NULL if
 * it is not known. */
void multipart_complete(struct multipart *m, const struct body *xml,
                        uint64_t bytes, const uint64_t *crc);
/* An upload that is not there any more is aborted, too. */
void multipart_abort(struct multipart *m);
/* Asks whether any part is left. */
void multipart_prove(struct multipart *m);

/* FLOW_ENDED: the reply is sound. FLOW_FAILED: m->fault says why. */
enum flow multipart_step(struct multipart *m, struct now now);
void      multipart_cancel(struct multipart *m);

#endif
