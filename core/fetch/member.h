/* member.h - the header of one gzip member, in any slicing.
 *
 * Ten fixed bytes, then what their flags announce: an extra field, a name, a
 * comment, a checksum of all that (RFC 1952 section 2.3). Fields of any
 * length pass through; none is kept or used, least of all the name. */
#ifndef FIRN_FETCH_MEMBER_H
#define FIRN_FETCH_MEMBER_H

#include "base/text.h"

enum member_got {
    MEMBER_MORE,  /* all of the slice is taken */
    MEMBER_END,   /* the header is whole; deflate data follows */
    MEMBER_BAD,   /* `what` says why */
};

struct member {
    const char *what;        /* public at MEMBER_BAD; literal */
    enum member_field {
        MEMBER_FIXED,
        MEMBER_EXTRA_LENGTH,
        MEMBER_EXTRA,
        MEMBER_NAME,
        MEMBER_COMMENT,
        MEMBER_CRC,
        MEMBER_DATA,
    } field;                 /* the one under way */
    uint32_t    count;       /* bytes of it so far */
    uint32_t    value;       /* what they say, if it is a number */
    uint32_t    crc;         /* of the header up to here */
    uint8_t     flags;
};

void member_init(struct member *m);
enum member_got member_step(struct member *m, struct view src,
                            uint32_t *taken);

#endif
