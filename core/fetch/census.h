/* census.h - stage, a sink: the records of an archive, counted.
 *
 * Of ndjson as pack/line.h writes it the result is the tally that the archive
 * had when it was made: a message counts as it stands in its line. A line may
 * be of any length; only its head is ever held. A line that is not ours, or
 * not whole, is not counted, and the number of the first is kept. In text a
 * message may look like a record, so its lines are passed over. It never
 * fails. */
#ifndef FIRN_FETCH_CENSUS_H
#define FIRN_FETCH_CENSUS_H

#include "base/stage.h"
#include "base/tally.h"
#include "fetch/head.h"

struct census {
    struct stage stage;
    struct tally tally;         /* public */
    uint64_t lines;             /* public: begun */
    uint64_t foreign_line;      /* public: 0, or the first, from 1 on */

    enum counting {
        CENSUS_HEAD,           /* a line up to its message */
        CENSUS_MESSAGE,
        CENSUS_TAIL,           /* what is behind the message */
        CENSUS_ALL,            /* not to be counted */
    } state;
    bool     escaped;           /* the next byte is, by a backslash */
    struct tally_message message;
    uint32_t held_len;
    uint8_t  held[HEAD_BYTES];  /* the beginning of a line */
};

/* `ndjson`: there is something to count. */
void census_init(struct census *r, bool ndjson, struct fault *fault);

#endif
