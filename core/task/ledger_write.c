/* ledger_write.c - see ledger.h: what is said of a group. */
#include "task/ledger.h"

#include "base/check.h"
#include "task/message.h"

static void put_name(struct text *out, const char *name)
{
    CHECK(out->len > 0);
    text_str(out, out->at[out->len - 1] == '{' ? "\"" : ",\"");
    text_str(out, name);
    text_str(out, "\":");
}

/* Empty is null. */
static void put_string(struct text *out, const char *name, struct view v)
{
    put_name(out, name);
    if (v.len == 0) {
        text_str(out, "null");
        return;
    }
    text_char(out, '"');
    text_json(out, v);
    text_char(out, '"');
}

static void put_number(struct text *out, const char *name, bool known,
                       uint64_t value)
{
    put_name(out, name);
    if (known)
        text_u64(out, value);
    else
        text_str(out, "null");
}

static void put_time(struct text *out, const char *name, bool known,
                     int64_t ms)
{
    char bytes[DATE_RFC3339_BYTES + 1];
    struct text t;
    text_init(&t, bytes, sizeof bytes);
    if (known)
        date_rfc3339(&t, ms);
    put_string(out, name, text_view(&t));
}

/* Its civil day, if that is what it is. */
static void put_day(struct text *out, const struct ledger_day *d)
{
    char bytes[16];
    struct text t;
    int64_t day = zone_day_of(d->zone, d->from_ms);
    text_init(&t, bytes, sizeof bytes);
    if (d->from_ms < d->until_ms &&
        zone_day_start(d->zone, day) == d->from_ms &&
        zone_day_start(d->zone, day + 1) == d->until_ms)
        date_day(&t, day);
    put_string(out, "day", text_view(&t));
}

static void put_counts(struct text *out, const struct receipt *r)
{
    bool counted = r != NULL && r->counted;
    put_number(out, "events", counted, counted ? r->tally.events : 0);
    put_number(out, "bytes_raw", counted, counted ? r->bytes_raw : 0);
    put_number(out, "bytes_stored", r != NULL,
               r != NULL ? r->bytes_stored : 0);
}

void ledger_day_line(struct text *out, const struct ledger *l,
                     const struct ledger_day *d, struct view bucket)
{
    const struct receipt *r = d->receipt;
    bool windowed = d->from_ms < d->until_ms;
    text_char(out, '{');
    put_string(out, "group", r != NULL ? r->group
                             : view_of(l != NULL ? l->group : NULL));
    put_day(out, d);
    put_time(out, "from", windowed, d->from_ms);
    put_time(out, "until", windowed, d->until_ms);
    put_string(out, "bucket", bucket);
    put_string(out, "key", d->key);
    put_string(out, "state", view_of(ledger_state_name[d->state]));
    put_string(out, "action", (struct view){0});
    put_string(out, "reason", d->reason);
    put_counts(out, r);
    put_time(out, "verified_at", r != NULL && r->verified_ms != 0,
             r != NULL ? r->verified_ms : 0);
    text_str(out, "}\n");
}

/* What is to be said of the group as a whole. */
static const char *remark(const struct ledger *l)
{
    switch (l->asked) {
    case LEDGER_UNASKED:
    case LEDGER_THERE: break;
    case LEDGER_GONE:
        return "the log group is gone: no day after its last one is due";
    case LEDGER_ELSEWHERE:
        return "the log group is of another region or account: what it still "
               "holds is not known";
    }
    return "";
}

static bool has_retention(const struct ledger *l)
{
    return l->asked == LEDGER_THERE && l->retention_days > 0;
}

void ledger_group_line(struct text *out, const struct ledger *l,
                       int64_t now_ms)
{
    int64_t margin = 0;
    bool has_margin = ledger_margin(l, now_ms, &margin);
    bool has_days = l->from_ms < l->until_ms;
    text_char(out, '{');
    put_string(out, "group", view_of(l->group));
    put_string(out, "day", (struct view){0});
    put_time(out, "from", has_days, l->from_ms);
    put_time(out, "until", has_days, l->until_ms);
    put_string(out, "account", view_of(l->account));
    put_string(out, "region", view_of(l->region));
    put_string(out, "key", (struct view){0});
    put_string(out, "state", (struct view){0});
    put_string(out, "action", (struct view){0});
    put_string(out, "reason", view_of(remark(l)));
    put_number(out, "events", true, l->events);
    put_number(out, "bytes_raw", true, l->bytes_raw);
    put_number(out, "bytes_stored", true, l->bytes_stored);
    put_name(out, "days");
    text_char(out, '{');
    for (uint32_t i = 0; i < LEDGER_STATES; i++)
        put_number(out, ledger_state_name[i], true, l->days[i]);
    text_char(out, '}');
    put_number(out, "retention_days", has_retention(l),
               (uint64_t)l->retention_days);
    put_number(out, "margin_days", has_margin, (uint64_t)margin);
    text_str(out, "}\n");
}

/* "  2026-11  ssssssPPP---" */
static void draw_month(struct text *out, const struct ledger *l, uint32_t i)
{
    int32_t month = l->month + (int32_t)i;
    uint32_t len = 31;
    while (len > 0 && l->cell[i][len - 1] == '\0')
        len--;
    if (len == 0)
        return;
    text_str(out, "  ");
    text_pad(out, (uint64_t)(month / 12), 4);
    text_char(out, '-');
    text_pad(out, (uint64_t)(month % 12 + 1), 2);
    text_str(out, "  ");
    for (uint32_t day = 0; day < len; day++)
        text_char(out, l->cell[i][day] != '\0' ? l->cell[i][day] : ' ');
    text_char(out, '\n');
}

static void draw_head(struct text *out, const struct ledger *l)
{
    message_escape(out, view_of(l->group));
    text_str(out, "  ");
    message_escape(out, view_of(l->region));
    text_str(out, l->asked == LEDGER_THERE ? "  retention " : "");
    if (has_retention(l)) {
        text_i64(out, l->retention_days);
        text_str(out, l->retention_days == 1 ? " day" : " days");
    } else if (l->asked == LEDGER_THERE) {
        text_str(out, "never ends");
    }
    text_char(out, '\n');
    if (l->earlier == 0)
        return;
    text_str(out, "  before   ");
    message_number(out, l->earlier);
    text_str(out, " days, ");
    message_number(out, l->earlier_bad);
    text_str(out, " of them not archived\n");
}

/* "  41 days: 26 sealed, 14 provisional, 1 missing; 12 GB in 1.4 GB" */
static void draw_sum(struct text *out, const struct ledger *l)
{
    uint64_t days = 0;
    bool first = true;
    for (uint32_t i = 0; i < LEDGER_STATES; i++)
        days += l->days[i];
    text_str(out, "  ");
    message_number(out, days);
    text_str(out, days == 1 ? " day: " : " days: ");
    for (uint32_t i = 0; i < LEDGER_STATES; i++) {
        if (l->days[i] == 0)
            continue;
        text_str(out, first ? "" : ", ");
        message_number(out, l->days[i]);
        text_char(out, ' ');
        text_str(out, ledger_state_name[i]);
        first = false;
    }
    text_str(out, first ? "none\n" : "; ");
    if (first)
        return;
    message_bytes(out, l->bytes_raw);
    text_str(out, " in ");
    message_bytes(out, l->bytes_stored);
    text_char(out, '\n');
}

static void draw_margin(struct text *out, const struct ledger *l,
                        int64_t now_ms)
{
    int64_t margin = 0, day_ms = l->open_ms < l->until_ms ? l->open_ms
                                                          : l->until_ms;
    if (remark(l)[0] != '\0') {
        text_str(out, "  ");
        text_str(out, remark(l));
        text_char(out, '\n');
    }
    if (!ledger_margin(l, now_ms, &margin))
        return;
    text_str(out, "  margin: ");
    text_i64(out, margin);
    text_str(out, margin == 1 ? " day" : " days");
    text_str(out, " until CloudWatch deletes ");
    date_day(out, zone_day_of(l->zone, day_ms));
    text_str(out, ", which is not archived\n");
}

void ledger_draw(struct text *out, const struct ledger *l, int64_t now_ms)
{
    draw_head(out, l);
    for (uint32_t i = 0; i < LEDGER_MONTHS; i++)
        draw_month(out, l, i);
    draw_sum(out, l);
    draw_margin(out, l, now_ms);
    text_char(out, '\n');
}

void ledger_legend(struct text *out)
{
    text_str(out, "s sealed  p provisional  i imported  (S P I: verified too)"
                  "  - missing  x expired  ! damaged\n");
}
