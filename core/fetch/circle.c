/* circle.c - see circle.h. */
#include "fetch/circle.h"

void circle_begin(struct circle *c)
{
    *c = (struct circle){.latest_ms = INT64_MIN};
}

void circle_page(struct circle *c)
{
    c->rises = false;
}

void circle_event(struct circle *c, int64_t timestamp_ms, bool fresh)
{
    if (timestamp_ms < c->latest_ms ||
        (timestamp_ms == c->latest_ms && !fresh))
        return;
    c->latest_ms = timestamp_ms;
    c->rises = true;
}

/* Brent's algorithm: any circle of tokens meets its anchor again. */
static bool meets_anchor(struct circle *c, uint64_t token)
{
    if (c->life > 0 && token == c->anchor)
        return true;
    if (c->age == c->life) {
        c->anchor = token;
        c->life = c->life == 0 ? 1 : c->life * 2;
        c->age = 0;
    }
    c->age++;
    return false;
}

bool circle_closes(struct circle *c, uint64_t token, bool any)
{
    c->still = any && !c->rises ? c->still + 1 : 0;
    return meets_anchor(c, token) || c->still > CIRCLE_PAGES;
}
