/* journal.h - what an archive holds so far, and at the end of each part.
 *
 * Blocks are noted in order as they go to the upload, and each part when it
 * closes; once S3 has stored it, `stored` is what a checkpoint says. A resumed
 * run begins where the window in hand begins: its first blocks are stored
 * already and are dropped, and at the end of these their CRC-32 must be what
 * it was, and their events as many as are said to be stored. */
#ifndef FIRN_SHIP_JOURNAL_H
#define FIRN_SHIP_JOURNAL_H

#include "pack/lane.h"
#include "ship/checkpoint.h"

enum journal_block {
    JOURNAL_NEW,      /* it goes to the upload */
    JOURNAL_DROP,     /* it is stored already */
    JOURNAL_DIFFERS,  /* this is not what was stored */
};

struct journal {
    struct tally settled, late;       /* public: of all blocks so far */
    struct checkpoint_stored now;     /* public: all of it */
    struct checkpoint_stored stored;  /* public: as far as S3 has it */
    struct checkpoint_stored closed[CFG_UPLOAD_COUNT];  /* part n at n modulo */
    uint64_t drop_bytes;              /* public: raw bytes still to come that
                                         are stored already */
    uint64_t drop_events;             /* that begin in these */
    uint32_t drop_crc, dropped_crc;   /* of all of these, and of those seen */
};

/* An archive whose first window begins there. */
void journal_init(struct journal *j, int64_t from_ms);
/* One that goes on behind what is stored. */
void journal_resume(struct journal *j, const struct checkpoint_stored *stored);
/* The next block. */
enum journal_block journal_add(struct journal *j, const struct block *b);
/* A merge that composes: the next part begins there. */
void journal_place(struct journal *j, const struct checkpoint_mark *mark);
/* With that block the upload closed a part; so much is closed by now. The last
 * part, which the archive's end closes, is none to go on behind. */
void journal_close(struct journal *j, const struct upload_stored *closed);
/* S3 has stored so much. True: `stored` has moved. */
bool journal_store(struct journal *j, const struct upload_stored *stored);

#endif
