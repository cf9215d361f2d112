/* retention_write.c - see retention.h: what is said of it. */
#include "base/zone.h"
#include "task/message.h"
#include "task/retention.h"

static const char *const why_name[] = {
    "not archived", "not sealed", "not verified", "damaged",
    "of something else",
};

static void put_kept(struct text *t, int64_t days)
{
    if (days == 0) {
        text_str(t, "never");
        return;
    }
    text_i64(t, days);
    text_str(t, days == 1 ? " day" : " days");
}

static void put_ranges(struct text *t, const struct retention *r)
{
    for (uint32_t i = 0; i < r->range_count; i++) {
        const struct retention_range *w = &r->range[i];
        text_str(t, i > 0 ? ", " : "");
        date_day(t, w->first);
        if (w->last > w->first) {
            text_str(t, " to ");
            date_day(t, w->last);
        }
        text_char(t, ' ');
        text_str(t, why_name[w->why]);
    }
    text_str(t, r->more ? ", and more" : "");
}

/* "Set "backfill_days": 1100": a little more than what is needed. */
static void put_backfill(struct text *t, const struct retention *r)
{
    int64_t days = zone_day_of(r->zone, r->now_ms) - r->cause.first;
    int64_t step = days > 200 ? 100 : 10;
    text_str(t, "Set \"backfill_days\": ");
    text_i64(t, (days + step - 1) / step * step);
    text_str(t, " for firn run");
}

static void put_cure(struct text *t, const struct retention *r)
{
    switch (r->cause.why) {
    case RETENTION_MISSING:
        if (r->lasting)
            put_backfill(t, r);
        else
            text_str(t, "Run again when they are archived");
        return;
    case RETENTION_PROVISIONAL:
        if (r->lasting) {
            text_str(t, "They cannot be recounted any more; "
                        "--accept-provisional takes them as they are");
            return;
        }
        text_str(t, "Run again when they are recounted, from ");
        date_day(t, zone_day_of(r->zone, r->sealed_ms));
        text_str(t, " on");
        return;
    case RETENTION_UNVERIFIED:
        text_str(t, "Read them back: firn verify");
        return;
    case RETENTION_DAMAGED:
        text_str(t, "Archive them again: firn archive --if-exists replace");
        return;
    case RETENTION_FOREIGN:
        break;
    }
    text_str(t, "Is --archive right?");
}

void retention_refuse(struct text *t, const struct retention *r)
{
    text_str(t, "retention left at ");
    put_kept(t, r->before);
    text_str(t, ": ");
    message_number(t, r->wrong);
    text_str(t, r->wrong == 1 ? " day is not safe: "
                               : " days are not safe: ");
    put_ranges(t, r);
    text_str(t, ". ");
    put_cure(t, r);
}

static void write_json(struct text *out, const struct retention *r)
{
    const struct fault *f = &r->fault;
    bool failed = r->state == RETENTION_FAILED;
    const char *reason = !failed              ? ""
                         : f->words[0] != '\0' ? f->words
                         : f->code[0] != '\0'  ? f->code : f->what;
    text_str(out, "{\"group\":\"");
    text_json(out, view_of(r->options.spec->group));
    text_str(out, "\",\"day\":null,\"key\":null,\"state\":null,\"action\":\"");
    text_str(out, failed ? "failed" : r->action);
    text_str(out, "\",\"reason\":");
    text_str(out, reason[0] != '\0' ? "\"" : "null");
    text_json(out, view_of(reason));
    text_str(out, reason[0] != '\0' ? "\"" : "");
    text_str(out, ",\"events\":null,\"bytes_raw\":null,\"bytes_stored\":null,"
                  "\"retention_days\":");
    text_u64(out, r->options.days);
    text_str(out, ",\"retention_days_before\":");
    if (r->before > 0)
        text_i64(out, r->before);
    else
        text_str(out, "null");
    text_str(out, ",\"days_expiring\":");
    text_u64(out, r->days);
    text_str(out, ",\"days_unsafe\":");
    text_u64(out, r->wrong);
    text_str(out, "}\n");
}

/* "set the retention of /ecs/api to 30 days, from never; 1,035 days may
 * expire, all of them safe" */
static void write_sentence(struct text *out, const struct retention *r)
{
    bool same = strcmp(r->action, "unchanged") == 0;
    text_str(out, r->action);
    text_str(out, same ? ": the retention of " : " the retention of ");
    message_escape(out, view_of(r->options.spec->group));
    text_str(out, same ? " is " : " to ");
    put_kept(out, r->options.days);
    if (!same) {
        text_str(out, ", from ");
        put_kept(out, r->before);
    }
    if (r->days > 0) {
        text_str(out, "; ");
        message_number(out, r->days);
        text_str(out, r->days == 1 ? " day may expire, archived and verified"
                      : " days may expire, all of them archived and "
                        "verified");
    }
    text_char(out, '\n');
}

void retention_write(struct text *out, const struct retention *r,
                     enum output form)
{
    if (form == OUTPUT_JSON)
        write_json(out, r);
    else if (r->state == RETENTION_DONE)
        write_sentence(out, r);
}
