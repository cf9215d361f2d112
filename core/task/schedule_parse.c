/* schedule_parse.c - reads what schedule.h describes, or says what is wrong
 * with it and where. */
#include "base/date.h"
#include "base/nearest.h"
#include "task/message.h"
#include "task/schedule.h"

static const struct field {
    const char *what;
    int32_t     least, most;
    const char *names;  /* three letters each, of the least and so on */
} fields[SCHEDULE_FIELDS] = {
    {"minutes are 0 to 59", 0, 59, ""},
    {"hours are 0 to 23", 0, 23, ""},
    {"days of the month are 1 to 31", 1, 31, ""},
    {"months are 1 to 12 or JAN to DEC", 1, 12,
     "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"},
    {"days of the week are 1 (SUN) to 7 (SAT)", 1, 7, "SUNMONTUEWEDTHUFRISAT"},
    {"years are 1970 to 2199", 1970, 2199, ""},
};

struct reader {
    struct view   whole;
    struct fault *fault;
};

/* `at` is a part of the whole, and the column is where it begins. */
static bool refuse(const struct reader *r, struct view at, const char *why,
                   struct view nearest)
{
    char column[24];
    struct text c;
    text_init(&c, column, sizeof column);
    text_u64(&c, (uint64_t)(at.at - r->whole.at) + 1);
    return message_refuse(r->fault, ERROR_USAGE, nearest.len > 0
                          ? "schedule, column %: %; nearest: \"%\""
                          : "schedule, column %: %",
                          (const struct view[]){text_view(&c), view_of(why),
                                                nearest});
}

/* The same, of a word that is not what it should be. */
static bool refuse_word(const struct reader *r, struct view word,
                        const char *what, struct view nearest)
{
    char why[96 + SCHEDULE_BYTES];
    struct text t;
    text_init(&t, why, sizeof why);
    text_str(&t, what);
    text_str(&t, word.len > 0 ? ", not \"" : ", and one is missing");
    text_put(&t, word);
    text_str(&t, word.len > 0 ? "\"" : "");
    return refuse(r, word, why, nearest);
}

static bool is_name(struct view word, const char *name)
{
    const char three[] = {name[0], name[1], name[2], '\0'};
    return view_is_nocase(word, three);
}

static bool bad_value(const struct reader *r, const struct field *f,
                      struct view word)
{
    char name[4] = "", best[24] = "";
    struct text t;
    uint64_t number;
    struct nearest n;
    text_init(&t, best, sizeof best);
    nearest_init(&n, word);
    if (view_u64(word, UINT64_MAX, &number))
        text_i64(&t, number < (uint64_t)f->least ? f->least : f->most);
    else if (view_is(word, "?"))
        text_char(&t, '*');
    for (const char *at = f->names; t.len == 0 && *at != '\0'; at += 3) {
        memcpy(name, at, 3);
        nearest_offer(&n, name, at);
    }
    if (n.best != NULL)
        text_put(&t, (struct view){(const uint8_t *)n.best, 3});
    return refuse_word(r, word, f->what, text_view(&t));
}

static bool read_value(const struct reader *r, const struct field *f,
                       struct view word, int32_t *value)
{
    uint64_t number;
    if (view_u64(word, (uint64_t)f->most, &number) &&
        number >= (uint64_t)f->least) {
        *value = (int32_t)number;
        return true;
    }
    *value = f->least;
    for (const char *name = f->names; *name != '\0'; name += 3, ++*value)
        if (is_name(word, name))
            return true;
    return bad_value(r, f, word);
}

/* "5", "1-5", "22-2"; or all, as "*". */
static bool read_range(const struct reader *r, const struct field *f,
                       struct view word, int32_t range[2])
{
    uint32_t dash = view_find(word, '-');
    range[0] = f->least;
    range[1] = f->most;
    if (view_is(word, "*"))
        return true;
    if (!read_value(r, f, view_slice(word, 0, dash), &range[0]))
        return false;
    range[1] = range[0];
    if (dash == word.len)
        return true;
    if (!read_value(r, f, view_slice(word, dash + 1, word.len), &range[1]))
        return false;
    if (range[1] < range[0] && f == &fields[SCHEDULE_YEARS])
        return refuse(r, word, "years do not begin anew", view_of(NULL));
    return true;
}

/* A range, and how far it goes at a time. */
static bool read_item(const struct reader *r, const struct field *f,
                      struct view item, struct schedule_set *set)
{
    uint32_t slash = view_find(item, '/');
    int32_t range[2], count = f->most - f->least + 1;
    uint64_t step = 1;
    struct view body = view_slice(item, 0, slash);
    if (!read_range(r, f, body, range))
        return false;
    if (slash < item.len) {
        struct view word = view_slice(item, slash + 1, item.len);
        if (!view_u64(word, (uint64_t)f->most, &step) || step == 0)
            return refuse(r, word, "a step is a number from 1 to the "
                          "greatest of its field", view_of(NULL));
        if (view_find(body, '-') == body.len)
            range[1] = f->most;
    }
    if (range[1] < range[0])
        range[1] += count;
    for (int32_t v = range[0]; v <= range[1]; v += (int32_t)step) {
        int32_t bit = (v - f->least) % count;
        set->bits[bit / 32] |= 1u << bit % 32;
    }
    return true;
}

static bool read_list(const struct reader *r, enum schedule_field field,
                      struct view word, struct schedule *s)
{
    for (;;) {
        uint32_t comma = view_find(word, ',');
        if (!read_item(r, &fields[field], view_slice(word, 0, comma),
                       &s->set[field]))
            return false;
        if (comma == word.len)
            return true;
        word = view_slice(word, comma + 1, word.len);
    }
}

static bool is_letter(struct view word, uint32_t at, char upper)
{
    return at < word.len &&
           (word.at[at] == upper || word.at[at] == upper + ('a' - 'A'));
}

/* Among others, what may only stand alone: "L" and "15W", "6L" and "3#2". */
static bool stands_alone(const struct reader *r, struct view word)
{
    struct view rest = word;
    while (view_find(word, ',') < word.len && rest.len > 0) {
        struct view item = view_split(&rest, ',');
        if (is_letter(item, item.len - 1, 'L') || is_letter(item, 0, 'L') ||
            view_find(item, '#') < item.len ||
            is_letter(item, item.len - 1, 'W'))
            return refuse(r, item, "L, W and # stand alone in their field",
                          item);
    }
    return true;
}

/* What is before a W, or all: "L" and "L-3". */
static bool read_from_last(const struct reader *r, struct view word,
                           struct schedule *s)
{
    uint64_t before = 0;
    if (word.len > 1 &&
        (word.at[1] != '-' ||
         !view_u64(view_slice(word, 2, word.len), 30, &before)))
        return refuse_word(r, word, "the last days of the month are L, L-1 "
                           "to L-30, and LW", view_of("L"));
    s->nth = (int32_t)before;
    return true;
}

static bool read_month_days(const struct reader *r, struct view word,
                            struct schedule *s)
{
    bool working = is_letter(word, word.len - 1, 'W');
    struct view day = view_slice(word, 0, word.len - working);
    if (!stands_alone(r, word))
        return false;
    if (is_letter(day, 0, 'L')) {
        s->days = working ? SCHEDULE_LAST_WORKING : SCHEDULE_BEFORE_LAST;
        return read_from_last(r, day, s);
    }
    if (working) {
        s->days = SCHEDULE_WORKING;
        return read_value(r, &fields[SCHEDULE_MONTH_DAYS], day, &s->nth);
    }
    s->days = SCHEDULE_OF_MONTH;
    return read_list(r, SCHEDULE_MONTH_DAYS, word, s);
}

static bool read_week_day(const struct reader *r, struct view word,
                          struct schedule *s)
{
    if (!read_value(r, &fields[SCHEDULE_WEEK_DAYS], word, &s->week_day))
        return false;
    s->week_day--;  /* 1 is Sunday there */
    return true;
}

static bool read_week_days(const struct reader *r, struct view word,
                           struct schedule *s)
{
    uint32_t hash = view_find(word, '#');
    if (!stands_alone(r, word))
        return false;
    if (hash < word.len) {
        uint64_t nth;
        struct view which = view_slice(word, hash + 1, word.len);
        if (!view_u64(which, 5, &nth) || nth == 0)
            return refuse_word(r, which, "of a weekday a month has the 1st "
                               "to the 5th", view_of(NULL));
        s->days = SCHEDULE_NTH_WEEK_DAY;
        s->nth = (int32_t)nth;
        return read_week_day(r, view_slice(word, 0, hash), s);
    }
    if (word.len > 1 && is_letter(word, word.len - 1, 'L')) {
        s->days = SCHEDULE_LAST_WEEK_DAY;
        return read_week_day(r, view_slice(word, 0, word.len - 1), s);
    }
    s->days = SCHEDULE_OF_WEEK;
    if (!is_letter(word, 0, 'L') || word.len > 1)
        return read_list(r, SCHEDULE_WEEK_DAYS, word, s);
    s->set[SCHEDULE_WEEK_DAYS].bits[0] = 1u << 6;  /* Saturday */
    return true;
}

/* At most one word more than there are fields is looked for. */
enum { WORDS = SCHEDULE_FIELDS + 1 };

static uint32_t read_words(struct view body, struct view words[WORDS])
{
    uint32_t count = 0, at = 0;
    while (count < WORDS) {
        while (at < body.len && (body.at[at] == ' ' || body.at[at] == '\t'))
            at++;
        uint32_t from = at;
        while (at < body.len && body.at[at] != ' ' && body.at[at] != '\t')
            at++;
        if (from == at)
            break;
        words[count++] = view_slice(body, from, at);
    }
    return count;
}

/* The words as they would do, if that is plain: five are those of Unix, whose
 * numbers of weekdays are others. */
static struct view mended(struct text *t, const struct view given[WORDS],
                          uint32_t count)
{
    struct view w[WORDS], none = view_of("?"), all = view_of("*");
    if (count != SCHEDULE_FIELDS &&
        (count != SCHEDULE_FIELDS - 1 || (given[4].at[0] >= '0' &&
                                          given[4].at[0] <= '9')))
        return view_of(NULL);
    memcpy(w, given, count * sizeof *w);
    if (count < SCHEDULE_FIELDS)
        w[SCHEDULE_YEARS] = all;
    bool no_month_day = view_is(w[2], "?"), no_week_day = view_is(w[4], "?");
    if (no_month_day && no_week_day)
        w[2] = all;
    else if (view_is(w[2], "*") && !no_week_day && !view_is(w[4], "*"))
        w[2] = none;
    else if (!no_month_day)
        w[4] = none;
    text_str(t, "cron(");
    for (uint32_t i = 0; i < SCHEDULE_FIELDS; i++) {
        text_str(t, i > 0 ? " " : "");
        text_put(t, w[i]);
    }
    text_char(t, ')');
    return text_view(t);
}

static bool read_cron(const struct reader *r, struct view body,
                      struct schedule *s)
{
    char near[SCHEDULE_BYTES + 32];
    struct text t;
    struct view w[WORDS];
    uint32_t count = read_words(body, w);
    text_init(&t, near, sizeof near);
    if (count != SCHEDULE_FIELDS)
        return refuse(r, body, count < SCHEDULE_FIELDS
                      ? "cron() has six fields, and here are fewer: minutes "
                        "hours day-of-month month day-of-week year"
                      : "cron() has six fields, and here are more: minutes "
                        "hours day-of-month month day-of-week year",
                      mended(&t, w, count));
    bool any_day = view_is(w[SCHEDULE_MONTH_DAYS], "?");
    if (any_day == view_is(w[SCHEDULE_WEEK_DAYS], "?"))
        return refuse(r, w[SCHEDULE_MONTH_DAYS], "of day-of-month and "
                      "day-of-week one is \"?\", and one is not",
                      mended(&t, w, count));
    return read_list(r, SCHEDULE_MINUTES, w[SCHEDULE_MINUTES], s) &&
           read_list(r, SCHEDULE_HOURS, w[SCHEDULE_HOURS], s) &&
           (any_day ? read_week_days(r, w[SCHEDULE_WEEK_DAYS], s)
                    : read_month_days(r, w[SCHEDULE_MONTH_DAYS], s)) &&
           read_list(r, SCHEDULE_MONTHS, w[SCHEDULE_MONTHS], s) &&
           read_list(r, SCHEDULE_YEARS, w[SCHEDULE_YEARS], s);
}

static bool read_rate(const struct reader *r, struct view body,
                      struct schedule *s)
{
    static const struct unit {
        const char *name;
        int32_t     ms;
    } units[] = {
        {"minutes", 60000}, {"hours", 3600000}, {"days", DAY_MS},
        {"minute", 60000}, {"hour", 3600000}, {"day", DAY_MS},
    };
    uint64_t number = 0;
    struct view w[WORDS];
    struct nearest n;
    if (read_words(body, w) != 2)
        return refuse(r, body, "a rate is a number and a unit",
                      view_of("rate(15 minutes)"));
    if (!view_u64(w[0], 9999999, &number) || number == 0)
        return refuse_word(r, w[0], "a rate's number is 1 to 9999999",
                           view_of(NULL));
    nearest_init(&n, w[1]);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        s->period_ms = (int64_t)number * units[i].ms;
        if (view_is(w[1], units[i].name))
            return true;
        nearest_offer(&n, units[i].name, units[i].name);
    }
    return refuse_word(r, w[1], "a rate's unit is minutes, hours or days",
                       view_of(n.best));
}

static bool read_at(const struct reader *r, struct view body,
                    struct schedule *s)
{
    bool is_local;  /* it is: 19 bytes leave no room for a zone */
    if (body.len != 19 || view_ends(body, ":60") ||
        !date_parse_rfc3339(body, &s->local_ms, &is_local))
        return refuse_word(r, body, "at() takes a time as the zone's clocks "
                           "show it", view_of("at(2026-11-09T03:00:00)"));
    return true;
}

/* Neither a rate nor anything else that is known. */
static bool read_unknown(const struct reader *r)
{
    char near[SCHEDULE_BYTES + 32];
    struct text t;
    struct view w[WORDS];
    uint32_t open = view_find(r->whole, '(');
    struct view word = view_slice(r->whole, 0, open);
    struct nearest n;
    text_init(&t, near, sizeof near);
    if (open == r->whole.len) {
        uint32_t count = read_words(r->whole, w);
        return refuse(r, r->whole, "a schedule is rate(), cron() or at()",
                      mended(&t, w, count));
    }
    nearest_init(&n, word);
    nearest_offer(&n, "rate", "rate()");
    nearest_offer(&n, "cron", "cron()");
    nearest_offer(&n, "at", "at()");
    return refuse_word(r, word, "a schedule is rate(), cron() or at()",
                       view_of(n.best));
}

static bool fires(const struct reader *r, const struct schedule *s)
{
    struct schedule anywhere = *s;
    if (schedule_next(s, INT64_MIN) != SCHEDULE_NEVER)
        return true;
    anywhere.zone = zone_find(view_of("UTC"));
    bool skipped = schedule_next(&anywhere, INT64_MIN) != SCHEDULE_NEVER;
    return refuse(r, r->whole, skipped
                  ? "it never fires: the zone's clocks skip that time"
                  : s->kind == SCHEDULE_CRON
                  ? "it never fires: there is no such day"
                  : "it never fires from 1970 to 2199", view_of(NULL));
}

bool schedule_parse(struct schedule *s, struct view expression,
                    const struct zone *zone, struct fault *fault)
{
    const struct reader r = {view_trim(expression), fault};
    uint32_t open = view_find(r.whole, '(');
    struct view word = view_slice(r.whole, 0, open), body;
    bool read = false;
    *s = (struct schedule){.zone = zone};
    if (r.whole.len == 0 || r.whole.len > SCHEDULE_BYTES)
        return refuse(&r, r.whole, "a schedule has 1 to 256 bytes",
                      view_of(NULL));
    s->kind = view_is(word, "rate") ? SCHEDULE_RATE
              : view_is(word, "at") ? SCHEDULE_AT : SCHEDULE_CRON;
    if (open == r.whole.len ||
        (s->kind == SCHEDULE_CRON && !view_is(word, "cron")))
        return read_unknown(&r);
    body = view_slice(r.whole, open + 1, r.whole.len);
    uint32_t close = view_find(body, ')');
    if (close + 1 != body.len)
        return refuse(&r, view_slice(body, close, body.len),
                      close == body.len ? "a ) is missing at the end"
                                        : "nothing follows the )",
                      view_of(NULL));
    body = view_trim(view_slice(body, 0, close));
    switch (s->kind) {
    case SCHEDULE_RATE: read = read_rate(&r, body, s); break;
    case SCHEDULE_AT:   read = read_at(&r, body, s); break;
    case SCHEDULE_CRON: read = read_cron(&r, body, s); break;
    }
    return read && fires(&r, s);
}
