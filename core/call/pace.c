/* pace.c - see pace.h. */
#include "call/pace.h"

#include "base/check.h"
#include "base/text.h"

enum {
    FLOOR = 250,        /* one read in four seconds, whatever happens */
    CLUSTER_MS = 1500,  /* refusals so close together are one */
    UNDER = 20,         /* thousandths under the knee, to begin with */
    REACH_TENTHS = 100, /* tenths of a second until the knee is reached */
    RISE_TENTHS = 1800, /* after so long the rise goes no faster */
};

void pace_init(struct pace *p, uint32_t reads_per_second)
{
    CHECK(reads_per_second > 0 && reads_per_second <= 10000);
    *p = (struct pace){
        .limit = reads_per_second * 1000,
        .rate = reads_per_second * 1000,
        .next_mono_us = INT64_MIN / 2,
        .refused_mono_ms = INT64_MIN / 2,
    };
}

/* knee * (1 + UNDER/1000 * ((t - REACH) / REACH)^3), at most the limit. */
static uint32_t rate_at(const struct pace *p, int64_t mono_ms)
{
    const int64_t reach = REACH_TENTHS;
    if (p->knee == 0)
        return p->limit;
    int64_t tenths = (mono_ms - p->refused_mono_ms) / 100;
    int64_t t = (tenths < RISE_TENTHS ? tenths : RISE_TENTHS) - reach;
    int64_t knee = p->knee;
    int64_t rate = knee + knee * UNDER * t * t * t /
                              (1000 * reach * reach * reach);
    if (rate < FLOOR)
        rate = FLOOR;
    return rate < p->limit ? (uint32_t)rate : p->limit;
}

bool pace_take(struct pace *p, int64_t mono_ms)
{
    int64_t now_us = mono_ms * 1000;
    if (now_us < p->next_mono_us)
        return false;
    p->rate = rate_at(p, mono_ms);
    int64_t tick_us = 1000000000 / (int64_t)p->rate;
    int64_t late_us = now_us - p->next_mono_us;
    /* Who comes late by less than a tick has not lost its place. */
    p->next_mono_us = now_us + tick_us - (late_us < tick_us ? late_us : 0);
    return true;
}

int64_t pace_wake_ms(const struct pace *p)
{
    int64_t us = p->next_mono_us;
    return us < 0 ? 0 : (us + 999) / 1000;
}

void pace_answered(struct pace *p)
{
    p->answered++;
}

/* Between what the server let through since the refusal before, the older past
 * fading, and the rate it refused: what we left in a shallow bucket was lost,
 * and a few answers measure badly. */
static uint32_t measured(struct pace *p, int64_t elapsed_ms)
{
    p->past_answered = p->past_answered / 2 + p->answered;
    p->past_ms = p->past_ms / 2 + (uint64_t)elapsed_ms;
    uint64_t through = p->past_answered * 1000000 / p->past_ms;
    return through < p->rate ? (uint32_t)(through + p->rate) / 2 : p->rate;
}

void pace_refused(struct pace *p, int64_t mono_ms)
{
    int64_t elapsed_ms = mono_ms - p->refused_mono_ms;
    if (elapsed_ms < CLUSTER_MS)
        return;
    uint32_t knee = p->knee != 0 ? measured(p, elapsed_ms)
                                 : p->rate - p->rate / 4;
    p->knee = knee > FLOOR ? knee : FLOOR;
    p->answered = 0;
    p->refused_mono_ms = mono_ms;
    p->rate = rate_at(p, mono_ms);
}

uint32_t pace_default(const char *region)
{
    static const char *const five[] = {
        "ap-northeast-3", "ap-southeast-3", "ca-west-1", "eu-central-1",
        "il-central-1",
    };
    struct view r = view_of(region);
    if (view_is(r, "us-east-1"))
        return 25 / 2;
    for (uint32_t i = 0; i < sizeof five / sizeof five[0]; i++)
        if (view_is(r, five[i]))
            return 5 / 2;
    return 10 / 2;
}
