/* checkpoint.h - how far an archive has come: the JSON object beside it.
 *
 * Written while a run is under way, by the lease (lease.h), and gone after.
 * It says where a later run goes on, on whatever machine:
 *
 *   the parts that S3 has stored, and what they hold;
 *   the window in hand: reading begins again where it begins, and what is
 *   stored of it already is dropped if its CRC-32 is the same. Page tokens
 *   are not kept: they die after a day, and times tie.
 *
 * Before the commit it holds the receipt, so that whoever finds the object
 * stored can finish. What is read comes from S3 and is checked like a receipt
 * (receipt.h); what is not sound is ERROR_CORRUPT. */
#ifndef FIRN_SHIP_CHECKPOINT_H
#define FIRN_SHIP_CHECKPOINT_H

#include "ship/receipt.h"
#include "ship/upload.h"

#define CHECKPOINT_VERSION "3"

enum {
    CHECKPOINT_STRINGS_BYTES = RECEIPT_STRINGS_BYTES +
                               2 * MULTIPART_ID_BYTES +
                               256,
    CHECKPOINT_HOLDER_BYTES  = 128,
};

enum checkpoint_state {
    CHECKPOINT_WORKING,     /* the holder renews it, or is dead */
    CHECKPOINT_RELEASED,    /* nobody holds it */
    CHECKPOINT_COMMITTING,  /* all is stored; the receipt is whole */
};
enum { CHECKPOINT_STATE_COUNT = 3 };

/* The window in hand, as far as it is stored; or the source of a merge, which
 * has a number instead of a time (ship/sources.h). */
struct checkpoint_mark {
    int64_t      from_ms;        /* where every run ends a block */
    uint64_t     raw_bytes;      /* since then; composed: of the source */
    uint32_t     raw_crc;        /* CRC-32 of these */
    bool         inside;         /* a record that is wanted goes on there */
    uint64_t     list;           /* digest of the sources before it */
    struct tally settled, late;  /* of all that was before */
};

/* What an archive holds at the end of a part. */
struct checkpoint_stored {
    struct upload_stored   parts;
    struct checkpoint_mark mark;
    struct index_head      head;       /* blocks, events */
    uint64_t               bytes_raw;
    uint32_t               crc;        /* CRC-32 of the raw bytes */
};

struct checkpoint {
    enum checkpoint_state state;
    struct view holder;          /* who, for people */
    int64_t     since_ms;        /* it holds it */
    uint64_t    nonce;           /* of the holder alone */
    uint64_t    serial;          /* of its writes: no two are the same */
    uint64_t    shape;           /* equal: the same bytes will be made */
    struct view upload;          /* its id; empty: none yet */
    struct view segment;         /* the same of the segment in hand */
    uint64_t    stride;          /* of the index */
    struct checkpoint_stored stored;
    struct receipt receipt;      /* source and window; whole if committing */
    struct view index;           /* as JSON, for index_read(); when written,
                                    the struct is used */
};

/* Appends it; t->overflow tells if there is no room. */
void checkpoint_write(struct text *t, const struct checkpoint *c,
                      const struct index *x);
/* Strings are decoded into `strings`, CHECKPOINT_STRINGS_BYTES of room; both
 * that and the text outlive it. */
bool checkpoint_read(struct checkpoint *c, struct view json,
                     struct text *strings, struct fault *fault);
/* Its index, into `x`. False: it is not one of what is stored. */
bool checkpoint_index(const struct checkpoint *c, struct index *x);

#endif
