/* choose.h - stage: of an archive's records, those that are wanted.
 *
 * Whole records come out, byte for byte as they stand in the archive: those
 * whose timestamp is in [from, until) and, where a prefix is wanted, whose
 * stream's name begins so. In ndjson each line is one record; in text a line
 * that does not begin as a record does belongs to the one before (head.h).
 *
 * The input may be a part of an archive that begins in the middle of a
 * record; that one does not concern us and is skipped. Lines that belong to
 * no record are counted, and left out unless they are wanted, too.
 * ERROR_USAGE: text has no streams. */
#ifndef FIRN_FETCH_CHOOSE_H
#define FIRN_FETCH_CHOOSE_H

#include "base/stage.h"
#include "fetch/decode.h"
#include "fetch/head.h"

enum { CHOOSE_STREAM_BYTES = 4 * 512 };  /* of a name, at most */

struct choose_want {
    int64_t     from_ms, until_ms;  /* half-open; INT64_MIN, INT64_MAX: all */
    struct view stream;             /* prefix, decoded; empty: all */
    bool        strangers;          /* and lines that belong to no record */
};

enum choose_form { CHOOSE_ANY, CHOOSE_NDJSON, CHOOSE_TEXT };

struct choose {
    struct stage stage;
    uint64_t foreign;         /* public: lines that belong to no record */

    struct choose_want want;
    enum choose_form form;    /* ANY: not known until the first record */
    enum choosing {
        CHOOSE_BEGIN,         /* waits for the first byte */
        CHOOSE_HEAD,          /* gathers the beginning of a line */
        CHOOSE_PASS,          /* the rest of a line that is wanted */
        CHOOSE_SKIP,          /* of one that is not */
        CHOOSE_DONE,          /* final */
        CHOOSE_FAILED,        /* final; the fault says why */
    } state;
    bool        inside;       /* lines may belong to a record not seen */
    bool        wanted;       /* the record under way is */
    struct view owed;         /* of `held`, to be written first */
    uint32_t    held_len;
    uint8_t     held[HEAD_BYTES];
};

/* `form` as the receipt has it. The want's prefix outlives the stage. */
void choose_init(struct choose *c, const struct choose_want *want,
                 enum choose_form form, struct fault *fault);
/* Right after init, with a form: the input may begin inside a record. */
void choose_middle(struct choose *c);
/* The same of text, when it is known whether that record is wanted. */
void choose_inside(struct choose *c, bool wanted);

#endif
