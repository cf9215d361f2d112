/* expect.h - the line that an event of the model's must become.
 *
 * As a naive writer would make it from the contract's section 3, apart from
 * core's own code. */
#ifndef FIRN_TESTS_EXPECT_H
#define FIRN_TESTS_EXPECT_H

#include "aws/aws.h"
#include "base/text.h"

enum expect_form {  /* bits; none: text */
    EXPECT_JSON = 1, EXPECT_INGESTED = 2, EXPECT_ID = 4,
};

/* More than any line of this event needs. */
uint32_t expect_most(const struct aws_event *e);
/* The line with its newline; `message` becomes where its message stands. */
struct view expect_line(uint8_t *to, const struct aws_event *e,
                        unsigned form, struct view *message);

#endif
