/* throttle.c - so many requests a second, and a burst. */
#include "model.h"

/* One request is a thousand; a millisecond brings per_second of them. */
bool aws_admit(struct aws *m, enum aws_op op, int64_t now)
{
    struct aws_bucket_rate *r = &m->rate[op];
    if (r->per_second == 0) return true;
    int64_t full = r->burst * 1000;
    int64_t passed = now - r->filled_at;
    if (passed > 0) {
        bool fills = passed > full / r->per_second;
        r->millis = fills ? full : r->millis + passed * r->per_second;
        if (r->millis > full) r->millis = full;
        r->filled_at = now;
    }
    if (r->millis < 1000) return false;
    r->millis -= 1000;
    return true;
}
