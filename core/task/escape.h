/* escape.h - stage: text made fit to be shown on a terminal.
 *
 * Whoever writes to a log must not command the terminal of whoever reads it.
 * Printable UTF-8, tabs and newlines pass; control codes (C0, DEL, C1), line
 * and paragraph separators and the marks that turn the writing direction
 * around are shown as \u001b, carriage return as \r; a byte that is no UTF-8
 * becomes U+FFFD. JSON stays JSON. */
#ifndef FIRN_TASK_ESCAPE_H
#define FIRN_TASK_ESCAPE_H

#include "base/stage.h"

struct escape {
    struct stage stage;
    uint8_t owed_len;
    uint8_t seq_len;    /* bytes held of a character that is not yet whole */
    uint8_t owed[8];    /* to be written first */
    uint8_t seq[4];
};

void escape_init(struct escape *e, struct fault *fault);

#endif
