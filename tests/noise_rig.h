/* noise_rig.h - a day of several parts, and what an undisturbed run makes of
 * it, over the simulated AWS (archive_rig.h). */
#ifndef FIRN_TESTS_NOISE_RIG_H
#define FIRN_TESTS_NOISE_RIG_H

#include "archive_rig.h"

#define FIRST (DAY_FROM + DAY_MS + HOUR_MS)

enum { NOISE_BYTES = 12000000 };

static uint8_t whole[2 * NOISE_BYTES], shown[2 * NOISE_BYTES];
static size_t  whole_len;

static inline void put_noise(void)
{
    CHECK(aws_set(model, "latency:FilterLogEvents", 3000));
    assert_true(aws_fill_group(model, GROUP, &(struct aws_fill){
        .profile = "noise", .spread = "uniform", .from = DAY_FROM,
        .until = DAY_FROM + DAY_MS, .bytes = NOISE_BYTES, .streams = 4,
        .seed = 5}));
}

static inline void make_undisturbed(void)
{
    open_world();
    put_noise();
    assert_int_equal(run_job(FIRST), FLOW_ENDED);
    assert_true(is_tidy());
    whole_len = aws_object_bytes(model, "sim-bucket", OBJECT, 0, whole,
                                 sizeof whole);
    close_world();
}

static inline bool is_whole(void)
{
    return is_there(OBJECT) &&
           aws_object_bytes(model, "sim-bucket", OBJECT, 0, shown,
                            sizeof shown) == whole_len &&
           memcmp(shown, whole, whole_len) == 0;
}

#endif
