/* ledger.c - see ledger.h: what is kept of a group. */
#include "task/ledger.h"

#include "base/crc.h"

const char *const ledger_state_name[] = {
    "sealed", "provisional", "imported", "missing", "expired", "damaged",
};

static bool has_days(const struct ledger *l)
{
    return l->begun;
}

static bool starts(struct view v, struct view with)
{
    return with.len > 0 && v.len >= with.len &&
           memcmp(v.at, with.at, with.len) == 0;
}

/* The key up to its date, where the group's name, which a template gives
 * without its leading "/", stands before that; 0 where it does not. */
static uint32_t shared_bytes(const struct receipt *r, struct view key)
{
    struct view name = view_slice(r->group, view_starts(r->group, "/"),
                                  r->group.len);
    bool named = false;
    char year[8];
    struct text t;

    text_init(&t, year, sizeof year);
    text_pad(&t, (uint64_t)date_civil(r->from_ms + DAY_MS / 2).year, 4);
    for (uint32_t at = 0; at < key.len; at++) {
        struct view rest = view_slice(key, at, key.len);
        if (!named && starts(rest, r->account)) {
            at += r->account.len - 1;  /* a year by chance */
        } else if (!named && starts(rest, name)) {
            at += name.len - 1;
            named = true;
        } else if (starts(rest, text_view(&t))) {
            return named ? at : 0;
        }
    }
    return 0;
}

void ledger_init(struct ledger *l, const struct receipt *r,
                 struct view receipt_key)
{
    memset(l, 0, sizeof *l);
    l->used = true;
    l->open_ms = INT64_MAX;
    (void)view_copy(r->group, l->group, sizeof l->group);
    (void)view_copy(r->account, l->account, sizeof l->account);
    (void)view_copy(r->region, l->region, sizeof l->region);
    l->shared_bytes = shared_bytes(r, receipt_key);
    l->shared_crc = crc64_add(0, view_slice(receipt_key, 0,
                                            l->shared_bytes));
}

void ledger_expect(struct ledger *l, struct view group, struct view region,
                   const struct group_info *info)
{
    memset(l, 0, sizeof *l);
    l->used = true;
    l->open_ms = INT64_MAX;
    (void)view_copy(group, l->group, sizeof l->group);
    (void)view_copy(view_of(info->account), l->account, sizeof l->account);
    (void)view_copy(region, l->region, sizeof l->region);
    l->asked = LEDGER_THERE;
    l->created_ms = info->creation_ms;
    l->retention_days = info->retention_days;
}

void ledger_zone(struct ledger *l, const struct zone *zone)
{
    l->zone = zone;
    l->created_ms = zone_day_start(zone, zone_day_of(zone, l->created_ms));
}

void ledger_begin(struct ledger *l, int64_t from_ms)
{
    if (!l->begun)
        l->from_ms = l->until_ms = from_ms;
    l->begun = true;
}

bool ledger_is_of(const struct ledger *l, const struct receipt *r)
{
    return view_is(r->group, l->group) && view_is(r->account, l->account) &&
           view_is(r->region, l->region);
}

bool ledger_has(const struct ledger *l, struct view key)
{
    return l->shared_bytes > 0 && key.len > l->shared_bytes &&
           crc64_add(0, view_slice(key, 0, l->shared_bytes)) ==
               l->shared_crc;
}

bool ledger_is_past(const struct ledger *l, struct view key)
{
    return l->shared_bytes > 0 && !ledger_has(l, key);
}

int64_t ledger_readable_ms(const struct ledger *l, int64_t now_ms)
{
    const struct group_info info = {.retention_days = l->retention_days};
    int64_t held_ms = group_held_from(&info, now_ms);

    if (l->asked == LEDGER_GONE)
        return INT64_MAX;
    if (l->asked != LEDGER_THERE)
        return INT64_MIN;
    return held_ms > l->created_ms ? held_ms : l->created_ms;
}

bool ledger_extends(const struct ledger *l, const struct ledger_day *d)
{
    int64_t day = zone_day_of(d->zone, d->from_ms);

    if (d->from_ms >= d->until_ms)
        return false;
    if (has_days(l) && d->from_ms <= l->until_ms)
        return d->until_ms > l->until_ms;
    return zone_day_start(d->zone, day) == d->from_ms &&
           zone_day_start(d->zone, zone_day_of(d->zone, d->until_ms)) ==
               d->until_ms;
}

static bool is_bad(char cell)
{
    return cell == '-' || cell == 'x' || cell == '!';
}

static void count_earlier(struct ledger *l, char cell)
{
    l->earlier += cell != '\0';
    l->earlier_bad += is_bad(cell);
}

/* Makes room for a month by forgetting the first ones; days come without a
 * gap, so that the next month is hardly ever far. */
static void reach_month(struct ledger *l, int32_t month)
{
    if (l->month == 0)
        l->month = month;
    for (; month - l->month >= LEDGER_MONTHS; l->month++) {
        for (uint32_t i = 0; i < 31; i++)
            count_earlier(l, l->cell[0][i]);
        memmove(l->cell[0], l->cell[1], sizeof l->cell - sizeof l->cell[0]);
        memset(l->cell[LEDGER_MONTHS - 1], 0, sizeof l->cell[0]);
    }
}

static char cell_of(const struct ledger_day *d)
{
    bool verified = d->receipt != NULL && d->receipt->verified_ms != 0;
    switch (d->state) {
    case LEDGER_SEALED:      return verified ? 'S' : 's';
    case LEDGER_PROVISIONAL: return verified ? 'P' : 'p';
    case LEDGER_IMPORTED:    return verified ? 'I' : 'i';
    case LEDGER_MISSING:     return '-';
    case LEDGER_EXPIRED:     return 'x';
    case LEDGER_DAMAGED:     break;
    }
    return '!';
}

static void mark(struct ledger *l, int64_t day, char cell)
{
    struct civil c = date_civil(day * DAY_MS);
    int32_t month = c.year * 12 + c.month - 1;

    reach_month(l, month);
    if (month < l->month) {
        count_earlier(l, cell);
        return;
    }
    char *at = &l->cell[month - l->month][c.day - 1];
    *at = is_bad(*at) ? *at : cell;
}

/* The days of a window; a long one, of an import say, by its last ones. */
static void mark_days(struct ledger *l, const struct ledger_day *d)
{
    enum { MOST = LEDGER_MONTHS * 31 };
    int64_t first = zone_day_of(d->zone, d->from_ms);
    int64_t last = zone_day_of(d->zone, d->until_ms - 1);

    for (int64_t day = last - first < MOST ? first : last - MOST;
         day <= last; day++)
        mark(l, day, cell_of(d));
}

static int exit_of(enum ledger_state state)
{
    switch (state) {
    case LEDGER_SEALED:
    case LEDGER_PROVISIONAL:
    case LEDGER_IMPORTED: return 0;
    case LEDGER_MISSING:  return fault_exit(ERROR_STOPPED);
    case LEDGER_EXPIRED:
    case LEDGER_DAMAGED:  break;
    }
    return fault_exit(ERROR_CORRUPT);
}

int ledger_add(struct ledger *l, const struct ledger_day *d, int64_t now_ms)
{
    bool archived = d->state <= LEDGER_IMPORTED;

    if (!ledger_extends(l, d))
        return exit_of(d->state);
    ledger_begin(l, d->from_ms);
    l->until_ms = d->until_ms;
    l->zone = d->zone;
    l->days[d->state]++;
    if ((d->state == LEDGER_MISSING || d->state == LEDGER_DAMAGED) &&
        d->from_ms >= ledger_readable_ms(l, now_ms) &&
        d->from_ms < l->open_ms)
        l->open_ms = d->from_ms;
    if (archived) {
        l->events += d->receipt->tally.events;
        l->bytes_raw += d->receipt->bytes_raw;
        l->bytes_stored += d->receipt->bytes_stored;
    }
    mark_days(l, d);
    return exit_of(d->state);
}

bool ledger_margin(const struct ledger *l, int64_t now_ms, int64_t *days)
{
    int64_t first_ms = l->open_ms < l->until_ms ? l->open_ms : l->until_ms;

    if (l->asked != LEDGER_THERE || l->retention_days == 0 || !has_days(l))
        return false;
    int64_t left_ms = first_ms + l->retention_days * DAY_MS - now_ms;
    *days = left_ms > 0 ? left_ms / DAY_MS : 0;
    return true;
}
