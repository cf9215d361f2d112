/* census.h - stage, a sink: the records of an archive, counted.
 *
 * The result is the tally that the archive had when it was made: of ndjson a
 * message counts as it stands in its line (pack/line.h), of text with all its
 * lines but the last one's end. A record may be of any length; only its head
 * is ever held. A line that belongs to no record, or is not whole, is not
 * counted, and the number of the first is kept. It never fails.
 *
 * In text a message may hold what looks like a record (head.h), and is two
 * then: what firn made itself is not counted again. */
#ifndef FIRN_FETCH_CENSUS_H
#define FIRN_FETCH_CENSUS_H

#include "base/stage.h"
#include "base/tally.h"
#include "fetch/head.h"

enum census_form {
    CENSUS_NONE,                /* there is nothing to count */
    CENSUS_NDJSON,
    CENSUS_TEXT,
    CENSUS_EITHER,              /* as the first record turns out to be */
};

struct census {
    struct stage stage;
    struct tally tally;         /* public: of the records in the window */
    enum census_form form;      /* public: of EITHER, once it is known */
    uint64_t outside;           /* public: records that are not */
    uint64_t lines;             /* public: begun */
    uint64_t foreign;           /* public: lines that belong to no record */
    uint64_t foreign_line;      /* public: 0, or the first, from 1 on */

    enum counting {
        CENSUS_HEAD,            /* a line up to its message */
        CENSUS_MESSAGE,         /* ndjson: up to its closing quote */
        CENSUS_LINE,            /* text: up to the line's end */
        CENSUS_TAIL,            /* what is behind the message */
        CENSUS_ALL,             /* not to be counted */
    } state;
    int64_t  from_ms, until_ms; /* the window, half-open */
    int64_t  at_ms;             /* of the record under way */
    bool     escaped;           /* the next byte is, by a backslash */
    bool     begun;             /* text: a record is under way ... */
    bool     owed;              /* ... and a newline, if it goes on */
    struct tally_message message;
    uint32_t held_len;
    uint8_t  held[HEAD_BYTES];  /* the beginning of a line */
};

void census_init(struct census *r, enum census_form form,
                 struct fault *fault);
/* Right after init: only records of [from_ms, until_ms) are tallied. */
void census_window(struct census *r, int64_t from_ms, int64_t until_ms);
/* Is a record under way, since r->at_ms, that may go on? */
bool census_is_inside(const struct census *r);
/* Whatever follows, it is whole. */
void census_end(struct census *r);

#endif
