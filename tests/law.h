/* law.h - holds a stage to the six laws of core/base/stage.h.
 *
 * A stage is run over the same input through rings of many sizes, fed and
 * drained in pieces of many sizes; each step is checked, and all runs must
 * come to the same end with the same bytes. A stage that fails may have
 * written more or less before it did, never something else. */
#ifndef FIRN_TESTS_LAW_H
#define FIRN_TESTS_LAW_H

#include "base/stage.h"

enum { LAW_OUT_BYTES = 24 << 20 };  /* room for a run's output */

struct law {
    /* A stage that has not been stepped; `subject` is the test's own. */
    struct stage *(*begin)(void *subject, struct fault *fault);
    void *subject;
};

struct law_slicing {
    uint32_t in_ring, out_ring;    /* bytes, powers of two, at most 64 KiB */
    uint32_t feed_most, drain_most;  /* bytes at once, at most */
};

struct law_result {
    enum flow    flow;   /* FLOW_ENDED or FLOW_FAILED */
    struct fault fault;
    uint8_t     *bytes;  /* LAW_OUT_BYTES, the caller's */
    uint32_t     len;
};

/* One run; false, with a line on stderr, when a law is broken. */
bool law_run(const struct law *law, struct view in,
             struct law_slicing slicing, struct law_result *result);

/* All slicings; `result` is that of the widest rings. */
bool law_holds(const struct law *law, struct view in,
               struct law_result *result);

/* The same, and it ended with exactly these bytes. */
bool law_gives(const struct law *law, struct view in, struct view want);

/* The same, and it failed with this error. */
bool law_fails(const struct law *law, struct view in, enum error want);

#endif
