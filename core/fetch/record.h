/* record.h - stage: an archive's lines to lines for people, or for jq.
 *
 * Both forms of an archive come in (contract, "What lands in S3"), told apart
 * by the first byte, a brace or not; a record goes out as
 *
 *   RECORD_TEXT  timestamp, blank, message, newline; the message byte for
 *                byte, or with `one_line` each newline in it as \n
 *   RECORD_JSON  one JSON object: the archive's own line, or
 *                {"timestamp":...,"message":...} made from text
 *
 * In text a line belongs to the record before, unless it begins with a time
 * stamp as we write it; before the first such line each is a record without
 * one. In ndjson a line that does not begin as ours is passed on as it is,
 * and so is the rest of one whose message is not JSON; the numbers of the
 * first of either are kept. A last newline that is missing is added. A line
 * may be of any length: only its head is ever held. It never fails. */
#ifndef FIRN_FETCH_RECORD_H
#define FIRN_FETCH_RECORD_H

#include "base/limits.h"
#include "base/stage.h"
#include "fetch/decode.h"
#include "fetch/head.h"

enum record_form { RECORD_TEXT, RECORD_JSON };

struct record {
    struct stage stage;
    uint64_t lines;             /* public: of the input, begun */
    uint64_t foreign_line;      /* public: 0, or the first, from 1 on */
    uint64_t broken_line;       /* public: the same */

    enum record_form form;
    bool     one_line;
    enum recording {
        RECORD_BEGIN,           /* waits for the first byte */
        RECORD_COPY,            /* the archive's lines are what is wanted */
        RECORD_HEAD,            /* ndjson: a line up to its message */
        RECORD_MESSAGE,
        RECORD_MESSAGE_END,
        RECORD_TAIL,            /* what is behind the message */
        RECORD_FOREIGN,         /* a line that is passed on */
        RECORD_STAMP,           /* text: the first bytes of a line */
        RECORD_OPEN,            /* whose record it belongs to */
        RECORD_CLOSE,           /* the end of the record before */
        RECORD_LINE,            /* the rest of the line */
        RECORD_DONE,            /* final */
    } state;
    struct decode decode;
    struct view owed;           /* into this struct, to be written first */
    uint32_t held_len, held_at; /* held: the beginning of a line; of it read */
    bool     open;              /* text: a record is under way */
    bool     stamped;           /* text: a line with a time stamp was seen */
    bool     over;              /* text: no line follows */
    bool     unended;           /* the last byte out was no newline */
    uint8_t  held[HEAD_BYTES];
    uint8_t  unit[128];
};

/* `one_line` is for RECORD_TEXT. */
void record_init(struct record *r, enum record_form form, bool one_line,
                 struct fault *fault);

#endif
