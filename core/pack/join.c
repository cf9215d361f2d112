#include "pack/join.h"

#include <string.h>

#include "base/check.h"

enum {
    STEPS_MOST  = 512,  /* events of a lane before the next has its turn */
    PAGES_LEAST = 2,    /* of a window */
    AHEAD_LANES = CFG_LANE_COUNT > 1 ? CFG_LANE_COUNT - 1 : 1,
    AHEAD_BYTES = (CFG_SLOT_COUNT - LIMIT_PART_SLOTS - PACK_SLOTS) *
                  CFG_SLOT_BYTES,
    MILLE       = 1000,
    CENT        = 100,  /* pages are guessed in hundredths */
    DOUBT_CENTS = 6,    /* by which a guess may be too low, and one a page */
};
#define SPAN_MOST_MS (INT64_C(1) << 48)  /* dates end in 9999: fewer */

void join_init(struct join *j, struct lane *lanes, struct lane_shared *shared,
               struct site *site, int64_t from_ms, int64_t until_ms)
{
    CHECK(from_ms < until_ms && until_ms - from_ms < SPAN_MOST_MS);
    j->lanes = lanes;
    j->shared = shared;
    j->until_ms = until_ms;
    j->page_ms = 0;
    j->cell_ms = 0;
    j->page_packed = 0;
    j->page_bytes = 0;
    j->page_events = 0;
    j->windows[0] = (struct join_window){from_ms, until_ms, JOIN_GAP};
    j->window_count = 1;
    j->repeated = 0;
    fault_reset(&j->fault);
    for (uint32_t i = 0; i < CFG_LANE_COUNT; i++)
        lane_init(&lanes[i], site, shared);
}

static struct lane *lane_of(const struct join *j, uint32_t window)
{
    int32_t lane = j->windows[window].lane;
    return lane == JOIN_GAP ? NULL : &j->lanes[lane];
}

static void remove_window(struct join *j, uint32_t at)
{
    j->window_count--;
    memmove(&j->windows[at], &j->windows[at + 1],
            (j->window_count - at) * sizeof j->windows[0]);
}

/* Cuts the window in two at `at_ms`; the later part is a gap. */
static void split_window(struct join *j, uint32_t at, int64_t at_ms)
{
    struct join_window *w = &j->windows[at];

    CHECK(j->window_count < JOIN_WINDOWS);
    CHECK(at_ms > w->from_ms && at_ms < w->until_ms);
    memmove(w + 2, w + 1, (j->window_count - at - 1) * sizeof *w);
    w[1] = (struct join_window){at_ms, w->until_ms, JOIN_GAP};
    w->until_ms = at_ms;
    j->window_count++;
}

static int64_t guess_cents(const struct join *j, int64_t span_ms)
{
    return span_ms * CENT / (j->page_ms > 0 ? j->page_ms : 1);
}

/* How many pages a window should have that begins there: no more than lanes
 * ahead have room for, which on average are half through; and fewer towards
 * the end of the day, so that all lanes end alike. */
static int64_t pages_wanted(const struct join *j, int64_t from_ms)
{
    int64_t fit = 2 * AHEAD_BYTES / AHEAD_LANES / (j->page_packed + 1);
    int64_t each = guess_cents(j, j->until_ms - from_ms) / CENT /
                   CFG_LANE_COUNT;
    int64_t pages = CFG_WINDOW_PAGES;

    pages = fit < pages ? fit : pages;
    pages = each < pages ? each : pages;
    return pages > PAGES_LEAST ? pages : PAGES_LEAST;
}

/* Of a window, how well it uses the pages that it costs. */
static int64_t worth(const struct join *j, int64_t span_ms)
{
    int64_t cents = guess_cents(j, span_ms);
    int64_t doubt = DOUBT_CENTS + cents / CENT;
    int64_t pages = (cents + doubt + CENT - 1) / CENT;
    return cents * CENT / pages;
}

/* The distance of points whose cells are likely full. */
static int64_t step_ms(const struct join *j)
{
    int level = CUT_LEVEL_LEAST;

    while (level < CUT_LEVEL_MOST &&
           (int64_t)1 << level < j->cell_ms + j->cell_ms / 4)
        level++;
    return (int64_t)1 << level;
}

/* Where a window from `from_ms` should end: at a point whose cell is likely
 * full, and that uses its pages well; until_ms if that is near. */
static int64_t choose_end(const struct join *j, int64_t from_ms,
                          int64_t until_ms)
{
    int64_t wanted = pages_wanted(j, from_ms), best_worth = -1;
    int64_t step = step_ms(j), day_ms = j->shared->day_ms, best = until_ms;

    if (j->page_ms == 0 ||
        guess_cents(j, until_ms - from_ms) <= (wanted + wanted / 2) * CENT)
        return until_ms;
    int64_t least = from_ms + wanted * j->page_ms / 2;
    int64_t most = from_ms + wanted * j->page_ms;
    int64_t at = (least - day_ms) / step * step + day_ms + step;
    for (; at < until_ms && (at <= most || best_worth < 0); at += step) {
        int64_t w = worth(j, at - from_ms);
        if (w >= best_worth) {
            best = at;
            best_worth = w;
        }
    }
    return best;
}

static void learn(int64_t *guess, uint64_t told, int64_t most)
{
    int64_t sample = told < 1 ? 1
                     : told > (uint64_t)most ? most : (int64_t)told;
    bool far = *guess == 0 || sample < *guess - *guess / 8;
    *guess = far ? sample : (*guess + sample + 1) / 2;
}

static uint64_t scale(int64_t span_ms, uint64_t by, uint64_t over)
{
    uint64_t scaled;

    if (__builtin_mul_overflow((uint64_t)(span_ms + 1), by, &scaled))
        return UINT64_MAX;
    return scaled / (over + 1);
}

/* A page that carried a token was full, more or less, so its time says how much
 * a page covers; a window that needed one page only was sparse, and says so. */
static void learn_density(struct join *j, const struct lane *l, int32_t lane)
{
    const struct logs_page *page = &l->logs.page;
    int64_t most = j->until_ms - j->shared->day_ms;
    uint64_t raw = l->cut.bytes - j->raw_seen[lane];

    j->raw_seen[lane] = l->cut.bytes;
    if (page->bytes > j->page_bytes)
        j->page_bytes = page->bytes;
    if (page->events > j->page_events)
        j->page_events = page->events;
    uint64_t of_bytes = page->bytes * MILLE / (j->page_bytes + 1);
    uint64_t of_events = (uint64_t)page->events * MILLE /
                         (j->page_events + 1);
    uint64_t filled = of_bytes > of_events ? of_bytes : of_events;
    if (page->more ? filled < MILLE / 8 : page->asked_ms == 0)
        return;
    int64_t span = page->more ? page->last_ms - page->first_ms
                              : l->logs.until_ms - page->asked_ms;
    learn(&j->page_ms, scale(span, MILLE, filled), most);
    learn(&j->cell_ms, scale(span, CFG_CELL_BYTES, raw), most);
    uint64_t ratio = (l->packed_bytes + 1) * MILLE / (l->raw_bytes + 1);
    uint64_t packed = raw * MILLE / (filled + 1) * ratio / MILLE;
    learn(&j->page_packed, packed, AHEAD_BYTES);
}

static uint32_t idle_lanes(const struct join *j)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < CFG_LANE_COUNT; i++)
        count += j->lanes[i].state == LANE_IDLE;
    return count;
}

/* A page has ended in this window. If much is left of it and lanes are idle,
 * what is left is shared out. */
static void after_page(struct join *j, uint32_t at)
{
    struct join_window *w = &j->windows[at];
    struct lane *l = lane_of(j, at);

    j->pages_seen[w->lane] = l->logs.pages;
    learn_density(j, l, w->lane);
    if (!l->logs.page.more || !logs_may_change_end(&l->logs) ||
        idle_lanes(j) == 0 || j->window_count == JOIN_WINDOWS)
        return;
    int64_t reached = l->logs.max_ms;
    int64_t end = choose_end(j, reached, w->until_ms);
    if (end >= w->until_ms)
        return;
    split_window(j, at, end);
    lane_change_end(l, end, false);
}

/* The lane of window `at` goes on up to where the next lane is right. */
static void meet(struct join *j, uint32_t at)
{
    struct join_window *w = &j->windows[at];
    struct lane *next = lane_of(j, at + 1);

    w->until_ms = next->start.at_ms;
    w[1].from_ms = next->start.at_ms;
    lane_trim(next);
    lane_change_end(&j->lanes[w->lane], w->until_ms, false);
}

/* The window ended, but not where a block must: it goes on into the next. */
static void absorb(struct join *j, uint32_t at)
{
    struct join_window *w = &j->windows[at];
    struct lane *next = lane_of(j, at + 1);

    CHECK(at + 1 < j->window_count);
    if (next != NULL && next->start.at_ms != INT64_MAX) {
        meet(j, at);
        return;
    }
    if (next != NULL) {
        lane_cancel(next);
        w[1].lane = JOIN_GAP;
    }
    int64_t end = choose_end(j, w[1].from_ms, w[1].until_ms);
    if (end < w[1].until_ms) {
        w->until_ms = end;
        w[1].from_ms = end;
    } else {
        w->until_ms = w[1].until_ms;
        remove_window(j, at + 1);
    }
    lane_change_end(&j->lanes[w->lane], w->until_ms,
                    w->until_ms == j->until_ms);
}

/* The earliest gap goes to an idle lane, if there is one of each. */
static bool assign(struct join *j)
{
    uint32_t at = 0;
    int32_t lane = 0;

    while (at < j->window_count && j->windows[at].lane != JOIN_GAP)
        at++;
    while (lane < CFG_LANE_COUNT && j->lanes[lane].state != LANE_IDLE)
        lane++;
    if (at == j->window_count || lane == CFG_LANE_COUNT)
        return false;
    struct join_window *w = &j->windows[at];
    int64_t end = choose_end(j, w->from_ms, w->until_ms);
    if (end < w->until_ms && j->window_count < JOIN_WINDOWS)
        split_window(j, at, end);
    w->lane = lane;
    j->pages_seen[lane] = 0;
    j->raw_seen[lane] = 0;
    lane_begin(&j->lanes[lane], w->from_ms, w->until_ms,
               w->until_ms == j->until_ms);
    return true;
}

/* The earliest window is done with. */
static void retire_head(struct join *j)
{
    struct lane *l = lane_of(j, 0);

    j->repeated += l->logs.repeated;
    l->logs.repeated = 0;
    lane_cancel(l);
    remove_window(j, 0);
}

/* The head will soon ask for a page, and then nothing should be before it. */
static bool head_asks_soon(const struct join *j)
{
    const struct lane *head = lane_of(j, 0);

    CHECK(head != NULL);  /* the earliest gap has the first idle lane */
    if (head->state != LANE_READING || head->full)
        return false;
    const struct call *c = &head->logs.call;
    return c->state != CALL_SENDING || c->exchange.received > 0;
}

static enum flow step_lane(struct join *j, uint32_t at, struct now now,
                           struct join_kept kept)
{
    struct lane *l = lane_of(j, at);
    struct lane_policy policy = {
        .slots_kept = at == 0 ? kept.head
                              : (uint16_t)(kept.ahead + PACK_SLOTS),
        .yield = at > 0 && head_asks_soon(j),
    };
    enum flow flow = FLOW_MOVED;
    bool moved = false;

    for (int i = 0; i < STEPS_MOST && flow == FLOW_MOVED; i++) {
        flow = lane_step(l, now, policy);
        moved |= flow == FLOW_MOVED;
        if (l->logs.pages != j->pages_seen[j->windows[at].lane])
            after_page(j, at);
    }
    if (flow == FLOW_FAILED)
        fault_adopt(&j->fault, &l->logs.fault);
    return flow != FLOW_FAILED && moved ? FLOW_MOVED : flow;
}

enum flow join_step(struct join *j, struct now now, struct join_kept kept)
{
    bool moved = false;

    while (assign(j))
        moved = true;
    for (uint32_t at = 0; at < j->window_count; at++) {
        struct lane *l = lane_of(j, at);
        if (l == NULL)
            continue;
        enum flow flow = step_lane(j, at, now, kept);
        if (flow == FLOW_FAILED)
            return flow;
        moved |= flow == FLOW_MOVED;
        if (l->state == LANE_OPEN) {
            absorb(j, at);
            moved = true;
        }
    }
    while (j->window_count > 0 && lane_of(j, 0) != NULL &&
           lane_of(j, 0)->state == LANE_ENDED &&
           lane_block(lane_of(j, 0)) == NULL) {
        retire_head(j);
        moved = true;
    }
    if (j->window_count == 0)
        return FLOW_ENDED;
    if (moved)
        return FLOW_MOVED;
    return join_block(j) != NULL ? FLOW_WANT_ROOM : FLOW_WANT_EVENT;
}

const struct block *join_block(const struct join *j)
{
    const struct lane *l = j->window_count > 0 ? lane_of(j, 0) : NULL;
    return l == NULL ? NULL : lane_block(l);
}

struct view join_peek(const struct join *j)
{
    return chain_peek(j->shared->arena, &lane_of(j, 0)->chain);
}

void join_consume(struct join *j, uint32_t len)
{
    chain_consume(j->shared->arena, &lane_of(j, 0)->chain, len);
}

void join_take(struct join *j)
{
    lane_take(lane_of(j, 0));
}

void join_cancel(struct join *j)
{
    for (uint32_t i = 0; i < CFG_LANE_COUNT; i++)
        lane_cancel(&j->lanes[i]);
    j->window_count = 0;
}

int64_t join_wake_ms(const struct join *j)
{
    int64_t wake = INT64_MAX;

    for (uint32_t at = 0; at < j->window_count; at++) {
        const struct lane *l = lane_of(j, at);
        int64_t own = l != NULL ? lane_wake_ms(l) : INT64_MAX;
        wake = own < wake ? own : wake;
    }
    return wake;
}
