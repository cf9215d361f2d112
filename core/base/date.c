/* date.c - see date.h. */
#include "base/date.h"

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The year is taken to begin in March, so that a leap day is its last; an era
 * is 400 years, 146,097 days (H. Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms"). */
int64_t date_days(int32_t year, int32_t month, int32_t day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 +
                      day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
           719468;
}

struct civil date_civil(int64_t instant_ms)
{
    int64_t days = floor_div(instant_ms, DAY_MS);
    int64_t of_day = instant_ms % DAY_MS;
    uint32_t ms = (uint32_t)(of_day < 0 ? of_day + DAY_MS : of_day);
    int64_t era = floor_div(days + 719468, 146097);
    uint32_t of_era = (uint32_t)(days + 719468 - era * 146097);
    uint32_t year = (of_era - of_era / 1460 + of_era / 36524 -
                     of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint32_t march = (5 * of_year + 2) / 153;  /* months since March */
    int32_t month = (int32_t)(march < 10 ? march + 3 : march - 9);
    return (struct civil){
        .year = (int32_t)(era * 400 + year) + (month <= 2),
        .month = month,
        .day = (int32_t)(of_year - (153 * march + 2) / 5 + 1),
        .hour = (int32_t)(ms / 3600000),
        .minute = (int32_t)(ms / 60000 % 60),
        .second = (int32_t)(ms / 1000 % 60),
        .ms = (int32_t)(ms % 1000),
    };
}

int64_t date_instant(const struct civil *c)
{
    return date_days(c->year, c->month, c->day) * DAY_MS +
           (int64_t)c->hour * 3600000 + (int64_t)c->minute * 60000 +
           (int64_t)c->second * 1000 + c->ms;
}

int32_t date_weekday(int64_t days)
{
    int64_t shifted = days + 4;  /* 1970-01-01 was a Thursday */
    return (int32_t)(shifted - floor_div(shifted, 7) * 7);
}

static struct civil clamped(int64_t instant_ms)
{
    const int64_t first = -62135596800000, last = 253402300799999;
    int64_t i = instant_ms < first ? first : instant_ms;
    return date_civil(i > last ? last : i);
}

static void two(char *at, int32_t value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
}

/* Written in one piece, since every event of an archive has one. */
void date_rfc3339(struct text *t, int64_t instant_ms)
{
    struct civil c = clamped(instant_ms);
    char s[DATE_RFC3339_BYTES + 1] = "yyyy-mm-ddThh:mm:ss.mmmZ";
    two(s, c.year / 100);
    two(s + 2, c.year % 100);
    two(s + 5, c.month);
    two(s + 8, c.day);
    two(s + 11, c.hour);
    two(s + 14, c.minute);
    two(s + 17, c.second);
    s[20] = (char)('0' + c.ms / 100);
    two(s + 21, c.ms % 100);
    text_put(t, (struct view){(const uint8_t *)s, DATE_RFC3339_BYTES});
}

void date_day(struct text *t, int64_t days)
{
    const int64_t most = INT64_MAX / DAY_MS;
    int64_t d = days > most ? most : days < -most ? -most : days;
    struct civil c = clamped(d * DAY_MS);
    text_pad(t, (uint64_t)c.year, 4);
    text_char(t, '-');
    text_pad(t, (uint64_t)c.month, 2);
    text_char(t, '-');
    text_pad(t, (uint64_t)c.day, 2);
}

void date_amz(struct text *t, int64_t instant_ms)
{
    struct civil c = clamped(instant_ms);
    text_pad(t, (uint64_t)c.year, 4);
    text_pad(t, (uint64_t)c.month, 2);
    text_pad(t, (uint64_t)c.day, 2);
    text_char(t, 'T');
    text_pad(t, (uint64_t)c.hour, 2);
    text_pad(t, (uint64_t)c.minute, 2);
    text_pad(t, (uint64_t)c.second, 2);
    text_char(t, 'Z');
}

/* Takes exactly `width` digits from the front of *v. */
static bool eat_number(struct view *v, uint32_t width, int32_t *out)
{
    uint64_t value;
    if (v->len < width || !view_u64(view_slice(*v, 0, width), 9999, &value))
        return false;
    *v = view_slice(*v, width, v->len);
    *out = (int32_t)value;
    return true;
}

static bool eat(struct view *v, const char *literal)
{
    if (!view_starts(*v, literal))
        return false;
    *v = view_slice(*v, (uint32_t)strlen(literal), v->len);
    return true;
}

/* Whether the fields, of a year of four digits, name a moment that exists; a
 * leap second counts. */
static bool is_civil(const struct civil *c)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31};
    bool leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);

    if (c->year < 1 || c->month < 1 || c->month > 12)
        return false;
    return c->day >= 1 &&
           c->day <= days[c->month - 1] + (leap && c->month == 2) &&
           c->hour < 24 && c->minute < 60 && c->second <= 60;
}

/* "dddd-dd-ddTdd:dd:dd.dddZ", eight bytes at a time: what of a byte differs
 * from `shape` is at most 9 where a digit stands, else 0, and with what lacks
 * to 15 it stays in the lower half. */
static bool is_stamp(const uint8_t *at)
{
    static const char shape[] = "0000-00-00T00:00:00.000Z";
    static const char lacks[] = "\6\6\6\6\17\6\6\17\6\6\17\6\6\17\6\6\17\6\6"
                                "\17\6\6\6\17";
    uint64_t over = 0, byte, want, lack;

    for (uint32_t i = 0; i < DATE_RFC3339_BYTES; i += sizeof byte) {
        memcpy(&byte, at + i, sizeof byte);
        memcpy(&want, shape + i, sizeof want);
        memcpy(&lack, lacks + i, sizeof lack);
        over |= (byte ^ want) | ((byte ^ want) + lack);
    }
    return (over & 0xf0f0f0f0f0f0f0f0) == 0;
}

static int32_t digits(const uint8_t *at, uint32_t width)
{
    int32_t value = 0;
    for (uint32_t i = 0; i < width; i++)
        value = value * 10 + (at[i] - '0');
    return value;
}

/* In one piece, as it is written: lines are read by the hundred million. */
bool date_parse_stamp(struct view v, int64_t *instant_ms)
{
    if (v.len != DATE_RFC3339_BYTES || !is_stamp(v.at))
        return false;
    struct civil c = {
        .year = digits(v.at, 4), .month = digits(v.at + 5, 2),
        .day = digits(v.at + 8, 2), .hour = digits(v.at + 11, 2),
        .minute = digits(v.at + 14, 2), .second = digits(v.at + 17, 2),
        .ms = digits(v.at + 20, 3),
    };
    if (!is_civil(&c))
        return false;
    *instant_ms = date_instant(&c);
    return true;
}

static bool eat_day(struct view *v, struct civil *c)
{
    return eat_number(v, 4, &c->year) && eat(v, "-") &&
           eat_number(v, 2, &c->month) && eat(v, "-") &&
           eat_number(v, 2, &c->day);
}

bool date_parse_day(struct view v, int64_t *days)
{
    struct civil c = {0};
    if (!eat_day(&v, &c) || v.len > 0 || !is_civil(&c))
        return false;
    *days = date_days(c.year, c.month, c.day);
    return true;
}

/* Digits after the point; those beyond milliseconds are dropped. */
static bool eat_fraction(struct view *v, int32_t *ms)
{
    int32_t scale = 100;
    uint32_t at = 0;
    for (; at < v->len && v->at[at] >= '0' && v->at[at] <= '9'; at++) {
        *ms += (v->at[at] - '0') * scale;
        scale /= 10;
    }
    *v = view_slice(*v, at, v->len);
    return at > 0;
}

/* "Z", "+09:00" or nothing. */
static bool eat_zone(struct view *v, int64_t *offset_ms, bool *local)
{
    int32_t hours, minutes;
    *offset_ms = 0;
    *local = v->len == 0;
    if (*local || eat(v, "Z") || eat(v, "z"))
        return true;
    bool minus = v->at[0] == '-';
    if (!(eat(v, "+") || eat(v, "-")) || !eat_number(v, 2, &hours) ||
        !eat(v, ":") || !eat_number(v, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *offset_ms = ((int64_t)hours * 60 + minutes) * (minus ? -60000 : 60000);
    return true;
}

bool date_parse_rfc3339(struct view v, int64_t *instant_ms, bool *local)
{
    struct civil c = {0};
    int64_t offset_ms;
    bool no_zone;
    if (!eat_day(&v, &c) || !(eat(&v, "T") || eat(&v, "t") || eat(&v, " ")) ||
        !eat_number(&v, 2, &c.hour) || !eat(&v, ":") ||
        !eat_number(&v, 2, &c.minute))
        return false;
    if (eat(&v, ":")) {
        if (!eat_number(&v, 2, &c.second))
            return false;
        if (eat(&v, ".") && !eat_fraction(&v, &c.ms))
            return false;
    }
    if (!eat_zone(&v, &offset_ms, &no_zone) || v.len > 0 || !is_civil(&c) ||
        (no_zone && local == NULL))
        return false;
    if (local != NULL)
        *local = no_zone;
    *instant_ms = date_instant(&c) - offset_ms;
    return true;
}

static bool eat_month(struct view *v, int32_t *month)
{
    static const char *const name[] = {"Jan", "Feb", "Mar", "Apr",
                                       "May", "Jun", "Jul", "Aug",
                                       "Sep", "Oct", "Nov", "Dec"};
    for (*month = 1; *month <= 12; ++*month)
        if (eat(v, name[*month - 1]))
            return true;
    return false;
}

static bool eat_time(struct view *v, struct civil *c)
{
    return eat_number(v, 2, &c->hour) && eat(v, ":") &&
           eat_number(v, 2, &c->minute) && eat(v, ":") &&
           eat_number(v, 2, &c->second);
}

/* "06 Nov 1994 08:49:37 GMT" and the obsolete "06-Nov-94 08:49:37 GMT",
 * whose century is the one that puts it after 1970. */
static bool eat_dated(struct view *v, struct civil *c)
{
    if (!eat_number(v, 2, &c->day) || !(eat(v, " ") || eat(v, "-")) ||
        !eat_month(v, &c->month))
        return false;
    if (eat(v, "-")) {
        if (!eat_number(v, 2, &c->year))
            return false;
        c->year += c->year < 70 ? 2000 : 1900;
    } else if (!eat(v, " ") || !eat_number(v, 4, &c->year)) {
        return false;
    }
    return eat(v, " ") && eat_time(v, c) && eat(v, " GMT");
}

/* "Nov  6 08:49:37 1994" */
static bool eat_asctime(struct view *v, struct civil *c)
{
    if (!eat_month(v, &c->month) || !eat(v, " "))
        return false;
    uint32_t width = eat(v, " ") ? 1 : 2;
    return eat_number(v, width, &c->day) && eat(v, " ") && eat_time(v, c) &&
           eat(v, " ") && eat_number(v, 4, &c->year);
}

bool date_parse_http(struct view v, int64_t *instant_ms)
{
    struct civil c = {0};
    v = view_trim(v);
    bool comma = view_find(v, ',') < v.len;
    view_split(&v, comma ? ',' : ' ');  /* the day's name says nothing new */
    if (comma && !eat(&v, " "))
        return false;
    if (!(comma ? eat_dated(&v, &c) : eat_asctime(&v, &c)) || v.len > 0 ||
        !is_civil(&c))
        return false;
    *instant_ms = date_instant(&c);
    return true;
}
