/* segment_rig.h - an upload with segments, by the simulator's small limits.
 *
 * For test_segment.c and test_segment_found.c; see upload_rig.h. */
#ifndef FIRN_TESTS_SEGMENT_RIG_H
#define FIRN_TESTS_SEGMENT_RIG_H

#include "ship/segment.h"
#include "upload_rig.h"

static struct target segment;

static inline void open_segments(void)
{
    begin(SLOTS);
    assert_true(aws_set(wire.model, "part-bytes-min", LIMIT_PART_LEAST));
    assert_true(aws_set(wire.model, "copy-bytes-max", LIMIT_COPY_BYTES));
    segment = target;
    segment.key = view_of("a/_events.segment");
    segment.condition = TARGET_ANYHOW;
    segment.storage_class = (struct view){0};
    upload_segments(&upload, &segment);
}

#endif
