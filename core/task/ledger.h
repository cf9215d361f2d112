/* ledger.h - one log group's days, as its receipts tell them.
 *
 * Receipts come in the order of their windows; what lies between two of them
 * is a gap. The ledger keeps how far the days go, what they add up to and, for
 * a calendar, the last LEDGER_MONTHS months, a character a day. */
#ifndef FIRN_TASK_LEDGER_H
#define FIRN_TASK_LEDGER_H

#include "base/date.h"
#include "base/zone.h"
#include "fetch/group.h"
#include "ship/existing.h"
#include "task/spec.h"

enum { LEDGER_MONTHS = 14, LEDGER_LINE_BYTES = 6144 };

enum ledger_state {
    LEDGER_SEALED,
    LEDGER_PROVISIONAL,
    LEDGER_IMPORTED,
    LEDGER_MISSING,   /* not archived, and still readable */
    LEDGER_EXPIRED,   /* not archived, and not readable any more */
    LEDGER_DAMAGED,   /* the receipt is, or does not agree with its object */
};
enum { LEDGER_STATES = 6 };

/* What CloudWatch Logs says of the group. */
enum ledger_asked {
    LEDGER_UNASKED,
    LEDGER_THERE,
    LEDGER_GONE,       /* no such group any more */
    LEDGER_ELSEWHERE,  /* in another region or account than we ask */
};

/* A day, or the part of one that is told by itself. */
struct ledger_day {
    enum ledger_state state;
    int64_t     from_ms, until_ms;  /* equal: not known */
    struct view key;                /* the object's; empty: none */
    struct view reason;             /* empty: nothing to say */
    const struct receipt *receipt;  /* NULL: none that could be read */
    const struct zone *zone;
};

struct ledger {
    bool        used;
    bool        begun;            /* from_ms and until_ms are known */
    char        group[GROUP_NAME_BYTES];
    char        account[GROUP_ACCOUNT_BYTES];
    char        region[REGION_BYTES];
    enum ledger_asked  asked;
    int64_t     created_ms, retention_days;  /* if LEDGER_THERE; 0: never */
    const struct zone *zone;      /* of the last receipt */
    int64_t     from_ms, until_ms;  /* told so far; equal: nothing yet */
    int64_t     open_ms;          /* the first instant that is readable and
                                     not archived; INT64_MAX: none told */
    uint32_t    shared_bytes;     /* what the keys of all its receipts begin */
    uint64_t    shared_crc;       /*   with; 0 bytes: nothing that is known */
    uint64_t    days[LEDGER_STATES];
    uint64_t    events, bytes_raw, bytes_stored;
    int32_t     month;            /* first of the calendar: year * 12 + month */
    uint64_t    earlier, earlier_bad;  /* days before it; not archived ones */
    char        cell[LEDGER_MONTHS][31];  /* '\0': nothing told */
};

extern const char *const ledger_state_name[];  /* "sealed", ... */

/* Named by the receipt; nothing told yet. */
void ledger_init(struct ledger *l, const struct receipt *r,
                 struct view receipt_key);
/* Named by a configuration, and known to CloudWatch Logs. */
void ledger_expect(struct ledger *l, struct view group, struct view region,
                   const struct group_info *info);
/* The zone of its days; the day of its creation is one of them. */
void ledger_zone(struct ledger *l, const struct zone *zone);
/* What is told of it begins there, unless it has begun. */
void ledger_begin(struct ledger *l, int64_t from_ms);
bool ledger_is_of(const struct ledger *l, const struct receipt *r);
/* Is no receipt of this group to come any more, when this key has come? Only
 * known where the keys have the group before the date. */
bool ledger_is_past(const struct ledger *l, struct view key);
/* Whether the key is of the same directory of days. */
bool ledger_has(const struct ledger *l, struct view key);
/* From when on the group can be read; INT64_MIN: it keeps all, or it is not
 * known; INT64_MAX: nothing can. */
int64_t ledger_readable_ms(const struct ledger *l, int64_t now_ms);
/* Does it begin the days, or reach further than they do? A window that is no
 * whole day does only where it adjoins: an hour by itself is no gap's end. */
bool ledger_extends(const struct ledger *l, const struct ledger_day *d);
/* Adds a day to sums, calendar and reach; returns the exit code it means. */
int  ledger_add(struct ledger *l, const struct ledger_day *d, int64_t now_ms);
/* Days until CloudWatch deletes the first that is not archived. False: never,
 * or not known. */
bool ledger_margin(const struct ledger *l, int64_t now_ms, int64_t *days);

/* Lines of JSON, with their newline, at most LEDGER_LINE_BYTES: of a day (`l`
 * NULL: the group is not known), and of the group at its end. */
void ledger_day_line(struct text *out, const struct ledger *l,
                     const struct ledger_day *d, struct view bucket);
void ledger_group_line(struct text *out, const struct ledger *l,
                       int64_t now_ms);
/* The calendar and what it comes to, for a terminal. */
void ledger_draw(struct text *out, const struct ledger *l, int64_t now_ms);
/* What the characters of calendars mean. */
void ledger_legend(struct text *out);

#endif
