/* calendar.c - see calendar.h. */
#include "task/calendar.h"

#include "base/check.h"
#include "base/date.h"
#include "ship/survey.h"
#include "task/recount.h"

struct key {
    struct text text;
    char        bytes[SURVEY_KEY_BYTES];
};

bool calendar_key(struct text *key, struct spec *spec,
                  const struct plan_place *place, int64_t day,
                  struct fault *fault)
{
    char object[SPEC_KEY_BYTES];
    struct text t;
    text_init(&t, object, sizeof object);
    spec->day = day;
    if (!plan_key(spec, place, &t, fault))
        return false;
    receipt_key(key, text_view(&t), "receipt");
    CHECK(!key->overflow);
    return true;
}

static bool make_key(struct key *k, struct spec *spec,
                     const struct plan_place *place, int64_t day,
                     struct fault *fault)
{
    text_init(&k->text, k->bytes, sizeof k->bytes);
    return calendar_key(&k->text, spec, place, day, fault);
}

static uint32_t first_difference(const struct key *a, const struct key *b)
{
    uint32_t at = 0;
    CHECK(a->text.len == b->text.len);
    while (a->bytes[at] == b->bytes[at]) {
        at++;
        CHECK(at < a->text.len);
    }
    return at;
}

/* Of two days that differ only in their years the keys differ first where the
 * year begins; and so on. */
static bool find_shape(struct calendar_shape *s, struct spec *spec,
                       const struct plan_place *place, struct fault *fault)
{
    struct key base, other;
    if (!make_key(&base, spec, place, date_days(1111, 11, 11), fault))
        return false;
    s->len = base.text.len;
    CHECK(make_key(&other, spec, place, date_days(2222, 11, 11), fault));
    s->year_at = first_difference(&base, &other);
    CHECK(make_key(&other, spec, place, date_days(1111, 1, 11), fault));
    s->month_at = first_difference(&base, &other);
    CHECK(make_key(&other, spec, place, date_days(1111, 11, 1), fault));
    s->day_at = first_difference(&base, &other);
    return true;
}

struct calendar_facts calendar_facts(const struct config_settings *s,
                                     const struct group_info *info,
                                     int64_t now_ms)
{
    struct calendar_facts f = {
        .zone = zone_find(s->timezone), .now_ms = now_ms,
        .created_ms = info->creation_ms,
        .held_ms = group_held_from(info, now_ms), .since = INT64_MIN,
        .age = s->age_days, .backfill = s->backfill_days,
    };
    CHECK(f.zone != NULL);
    if (s->since.len > 0)
        CHECK(date_parse_day(s->since, &f.since));
    return f;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

bool calendar_init(struct calendar *c, const struct calendar_facts *facts,
                   struct spec *spec, const struct plan_place *place,
                   struct fault *fault)
{
    int64_t today = zone_day_of(facts->zone, facts->now_ms);
    int64_t back = today - facts->backfill, look = today - CALENDAR_LOOK_DAYS;
    CHECK(facts->age < CALENDAR_DAYS && facts->backfill < CALENDAR_DAYS);
    memset(c, 0, sizeof *c);
    c->facts = *facts;
    c->last = today - facts->age;
    c->first = back < c->last ? back : c->last;
    c->first = later(c->first, facts->since);
    c->first = later(c->first, zone_day_of(facts->zone, facts->created_ms));
    while (c->first < c->last &&
           zone_day_start(facts->zone, c->first) < facts->held_ms)
        c->first++;
    c->base = c->first < look ? c->first : look;
    c->base = later(c->base, today + 1 - CALENDAR_DAYS);
    return find_shape(&c->shape, spec, place, fault);
}

/* Do the keys stand in the order of their days? */
static bool is_in_order(const struct calendar *c)
{
    return c->shape.year_at <= c->shape.month_at &&
           c->shape.month_at <= c->shape.day_at;
}

void calendar_list(const struct calendar *c, struct spec *spec,
                   const struct plan_place *place, struct text *prefix,
                   struct text *after)
{
    const struct calendar_shape *s = &c->shape;
    struct fault fault = {0};
    struct key key;
    uint32_t end = s->year_at < s->month_at ? s->year_at : s->month_at;
    CHECK(make_key(&key, spec, place, c->base - 1, &fault));
    end = s->day_at < end ? s->day_at : end;
    text_put(prefix, view_slice(text_view(&key.text), 0, end));
    if (is_in_order(c))
        text_put(after, text_view(&key.text));
}

static bool read_digits(struct view key, uint32_t at, uint32_t digits,
                        int32_t *out)
{
    uint64_t number = 0;
    bool ok = view_u64(view_slice(key, at, at + digits), 9999, &number);
    CHECK(at + digits <= key.len);  /* as long as those it is found in */
    *out = (int32_t)number;
    return ok;
}

/* The day that the key would be of. */
static bool read_day(const struct calendar_shape *s, struct view key,
                     int64_t *day)
{
    int32_t y, m, d;
    if (key.len != s->len || !read_digits(key, s->year_at, 4, &y) ||
        !read_digits(key, s->month_at, 2, &m) ||
        !read_digits(key, s->day_at, 2, &d) || y < 1 || m < 1 || m > 12 ||
        d < 1 || d > 31)
        return false;
    *day = date_days(y, m, d);
    return true;
}

static enum calendar_mark judge(const struct calendar *c, int64_t day,
                                int64_t modified_ms)
{
    const struct calendar_facts *f = &c->facts;
    int64_t final_ms = zone_day_start(f->zone, day + 1) + RECOUNT_AFTER_MS;
    bool held = zone_day_start(f->zone, day) >= f->held_ms;
    if (modified_ms >= final_ms)
        return CALENDAR_FINAL;
    return held && modified_ms > 0 && f->now_ms >= final_ms ? CALENDAR_STALE
                                                            : CALENDAR_THERE;
}

/* The day whose receipt has that key. */
static bool find_day(const struct calendar *c, struct spec *spec,
                     const struct plan_place *place, struct view key,
                     int64_t *day)
{
    struct fault fault = {0};
    struct key own;
    if (!read_day(&c->shape, key, day))
        return false;
    CHECK(make_key(&own, spec, place, *day, &fault));
    return view_equal(text_view(&own.text), key);
}

bool calendar_archive(const struct calendar *c, struct spec *spec,
                      const struct plan_place *place, struct view key,
                      int64_t *day)
{
    struct key beside;
    text_init(&beside.text, beside.bytes, sizeof beside.bytes);
    receipt_key(&beside.text, key, "receipt");
    return !beside.text.overflow &&
           find_day(c, spec, place, text_view(&beside.text), day);
}

void calendar_take(struct calendar *c, struct spec *spec,
                   const struct plan_place *place, struct view key,
                   int64_t modified_ms)
{
    int64_t day;
    if (find_day(c, spec, place, key, &day) && day >= c->base &&
        day - c->base < CALENDAR_DAYS)
        c->mark[day - c->base] = (uint8_t)judge(c, day, modified_ms);
}

enum calendar_mark calendar_at(const struct calendar *c, int64_t day)
{
    int64_t at = day - c->base;
    return at >= 0 && at < CALENDAR_DAYS ? (enum calendar_mark)c->mark[at]
                                         : CALENDAR_NONE;
}

void calendar_set(struct calendar *c, int64_t day, enum calendar_mark mark)
{
    CHECK(day >= c->base && day - c->base < CALENDAR_DAYS);
    c->mark[day - c->base] = (uint8_t)mark;
}

/* A day that the clocks went past has no length, and nothing to archive. */
bool calendar_missing(const struct calendar *c, int64_t *day)
{
    const struct zone *z = c->facts.zone;
    for (int64_t d = c->first; d <= c->last; d++)
        if (calendar_at(c, d) == CALENDAR_NONE &&
            zone_day_start(z, d) < zone_day_start(z, d + 1)) {
            *day = d;
            return true;
        }
    return false;
}

bool calendar_stale(const struct calendar *c, int64_t *day)
{
    for (int64_t i = 0; i < CALENDAR_DAYS; i++)
        if (c->mark[i] == CALENDAR_STALE) {
            *day = c->base + i;
            return true;
        }
    return false;
}
