/* decode.h - the inside of a JSON string, as it comes, to how it is kept.
 *
 * One pass over the bytes of a string value, in any slicing, up to and with
 * its closing quote. Two forms come out:
 *
 *   DECODE_JSON  the inside of a JSON string in one canonical form: what must
 *                be escaped is (RFC 8259 section 7: \" \\ \b \f \n \r \t, else
 *                \u00xx in lower case), nothing else is. An unpaired
 *                surrogate, which UTF-8 cannot carry, stays an escape: \ud83d.
 *   DECODE_TEXT  the bytes that the string stands for. An unpaired surrogate
 *                becomes U+FFFD.
 *
 * Bytes that are not UTF-8 become U+FFFD, one for each maximal part of a
 * character (Unicode 15, section 3.9). Control codes that should have been
 * escaped are taken as if they were. */
#ifndef FIRN_FETCH_DECODE_H
#define FIRN_FETCH_DECODE_H

#include "base/text.h"

enum decode_form { DECODE_JSON, DECODE_TEXT };

enum { DECODE_UNIT_BYTES = 16 };  /* room that one step may need */

/* What the end of a slice may cut in two. */
struct decode {
    enum decode_form form;
    uint8_t  escape;     /* 0; 1: after "\"; 2 to 5: digits of \u seen + 2 */
    uint16_t code;       /* the digits so far */
    uint16_t high;       /* a high surrogate that waits for its low one; 0 */
    uint8_t  utf8_len;   /* bytes of a character so far */
    uint8_t  utf8_need;  /* bytes it will have */
    uint8_t  utf8[4];
};

enum decode_got {
    DECODE_MORE,   /* all of src is taken */
    DECODE_ROOM,   /* dst has less than DECODE_UNIT_BYTES left */
    DECODE_QUOTE,  /* the closing quote is taken: the string is whole */
    DECODE_BAD,    /* an escape that JSON does not know */
};

void decode_init(struct decode *d, enum decode_form form);
/* Takes *taken bytes of src and makes *made bytes of dst. */
enum decode_got decode_step(struct decode *d, struct view src,
                            uint32_t *taken, struct span dst,
                            uint32_t *made);

#endif
