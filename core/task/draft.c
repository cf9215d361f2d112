/* draft.c - see draft.h. */
#include "task/draft.h"

#include "base/trace.h"
#include "task/message.h"
#include "task/recount.h"

enum {
    FRAME_BYTES = 2048,  /* of a configuration, without its groups */
    SEALS_DAYS  = RECOUNT_AFTER_MS / DAY_MS,  /* less never seals */
};

static const char *const state_name[] = {"measuring", "listing", "leaving",
                                         "done", "failed"};

static enum flow enter(struct draft *d, enum draft_state next)
{
    CHECK(d->state < DRAFT_DONE);
    trace_state("draft", state_name[d->state], state_name[next]);
    d->state = next;
    return next == DRAFT_DONE ? FLOW_ENDED : FLOW_MOVED;
}

static void list(struct draft *d)
{
    group_each_init(&d->group, &d->call, view_of(NULL),
                    (struct span){d->room, sizeof d->room});
}

void draft_init(struct draft *d, struct site *site, struct view to)
{
    memset(d, 0, offsetof(struct draft, bytes_in));
    d->site = site;
    d->to = to;
    text_init(&d->out, d->out_bytes, sizeof d->out_bytes);
    ring_init(&d->ring, d->bytes_in, sizeof d->bytes_in);
    call_init(&d->call, site, &d->ring);
    list(d);
}

/* ---- what is written of a group ---- */

static bool is_class(const struct group_info *info, const char *class)
{
    return strcmp(info->log_class, class) == 0;
}

/* Neither can be archived by anyone: yesterday is gone before it is over. */
static bool is_left(const struct group_info *info)
{
    return info->retention_days == 1 || is_class(info, "DELIVERY");
}

static void put_days(struct text *t, const struct group_info *info)
{
    text_str(t, "keeps ");
    text_i64(t, info->retention_days);
    text_str(t, info->retention_days == 1 ? " day: " : " days: ");
}

/* What is to be known of it; nothing, of most. */
static void put_note(struct text *t, const struct group_info *info)
{
    if (is_class(info, "DELIVERY")) {
        text_str(t, "class DELIVERY cannot be read");
        return;
    }
    if (info->retention_days == 1) {
        put_days(t, info);
        text_str(t, "each has begun to expire before it is over");
        return;
    }
    if (info->retention_days > 0 && info->retention_days <= SEALS_DAYS) {
        put_days(t, info);
        text_str(t, "its archives stay provisional; 30 would seal them. ");
    }
    if (!is_class(info, "STANDARD"))
        text_str(t, "cannot be read, only exported: firn policy --bucket. ");
    if (info->masked)
        text_str(t, "archived as it is masked. ");
}

static void put_entry(struct text *t, const struct group *g)
{
    char note_at[256];
    struct text note;
    text_init(&note, note_at, sizeof note_at);
    put_note(&note, &g->info);
    text_str(t, note.len > 0 ? "\n    {\"name\": \"" : "\n    \"");
    text_json(t, view_of(g->found));
    text_char(t, '"');
    if (note.len == 0)
        return;
    if (!is_class(&g->info, "STANDARD"))
        text_str(t, ", \"via\": \"export\", \"format\": \"text\", "
                    "\"age_days\": 2");  /* a day can be exported 12 h late */
    text_str(t, ",\n     \"//\": \"");
    text_json(t, view_trim(text_view(&note)));
    text_str(t, "\"}");
}

/* ---- the frame around them ---- */

static void put_head(struct draft *d)
{
    struct text *t = &d->out;
    text_str(t, "{\n  \"//\": \"made by firn init; look at it with firn "
                "doctor and firn plan\",\n  \"region\": \"");
    text_json(t, view_of(d->site->endpoint[SITE_LOGS].region));
    text_str(t, "\",\n  \"to\": \"");
    text_json(t, d->to);
    text_str(t, "\",\n  \"groups\": [");
    if (d->all)
        text_str(t, "\n    \"*\"");
    d->written = d->all;
}

static void put_tail(struct draft *d, int64_t now_ms)
{
    struct text *t = &d->out;
    text_str(t, "\n  ],\n  \"// since\": \"what is older is not archived; "
                "earlier days: firn plan says what they cost\",\n"
                "  \"since\": \"");
    date_day(t, now_ms / DAY_MS);
    text_str(t, "\",\n  \"age_days\": 1,\n  \"backfill_days\": 30,\n"
                "  \"timezone\": \"UTC\",\n"
                "  \"schedule\": \"cron(0 3 * * ? *)\",\n"
                "  \"format\": \"ndjson\",\n  \"compress\": \"gzip\",\n"
                "  \"storage_class\": \"STANDARD\",\n"
                "  \"// retention_days\": \"30, say, lets CloudWatch delete "
                "what is archived, sealed and verified\"");
}

/* ---- the machine ---- */

static bool is_written(const struct draft *d)
{
    struct text note;
    char at[256];
    text_init(&note, at, sizeof at);
    put_note(&note, &d->group.info);
    return !is_left(&d->group.info) && (!d->all || note.len > 0);
}

static void measure(struct draft *d)
{
    struct text line;
    char at[DRAFT_LINE_BYTES];
    bool left = is_left(&d->group.info);
    text_init(&line, at, sizeof at);
    put_entry(&line, &d->group);
    d->left += left;
    for (int beside = 0; beside <= 1; beside++) {
        struct draft_size *size = &d->size[beside];
        if (beside == 1 && at[sizeof "\n    " - 1] != '{')
            continue;  /* nothing is special about it */
        size->count += beside == 1 || !left;
        size->bytes += line.len + 1;
    }
}

/* The name, and why; or, where all others are taken, the name alone. */
static void put_left(struct draft *d)
{
    struct text *t = &d->out;
    text_str(t, d->all ? "\n    \"" : ",\n  \"// ");
    text_json(t, view_of(d->group.found));
    if (!d->all) {
        text_str(t, "\": \"");
        put_note(t, &d->group.info);
    }
    text_str(t, d->all && --d->left > 0 ? "\"," : "\"");
}

static void take(struct draft *d)
{
    struct text *t = &d->out;
    if (d->state == DRAFT_MEASURING) {
        measure(d);
    } else if (d->state == DRAFT_LISTING && is_written(d)) {
        text_str(t, d->written++ > 0 ? "," : "");
        put_entry(t, &d->group);
    } else if (d->state == DRAFT_LEAVING && is_left(&d->group.info)) {
        put_left(d);
    }
}

static enum flow refuse(struct draft *d, bool none)
{
    struct view region = view_of(d->site->endpoint[SITE_LOGS].region);
    if (none)
        (void)message_refuse(&d->fault, ERROR_CONFIG, "there is no log group "
                             "in % that could be archived", &region);
    (void)enter(d, DRAFT_FAILED);
    return FLOW_FAILED;
}

static bool fits(const struct draft_size *size)
{
    return size->count < CFG_CONFIG_GROUPS &&
           size->bytes < CFG_CONFIG_BYTES - FRAME_BYTES;
}

/* That was the last group. */
static enum flow turn(struct draft *d, struct now now)
{
    fault_reset(&d->group.fault);
    if (d->state == DRAFT_MEASURING) {
        if (d->size[0].count == 0)
            return refuse(d, true);
        d->all = !fits(&d->size[0]);
        if (d->all && !fits(&d->size[1])) {
            fault_set(&d->fault, ERROR_LIMIT, "CFG_CONFIG_GROUPS",
                      CFG_CONFIG_GROUPS);
            return refuse(d, false);
        }
        put_head(d);
        list(d);
        return enter(d, DRAFT_LISTING);
    }
    if (d->state == DRAFT_LISTING) {
        put_tail(d, site_now(d->site, now).wall_ms);
        if (d->left > 0) {
            text_str(&d->out, d->all ? ",\n  \"exclude\": [" : "");
            list(d);
            return enter(d, DRAFT_LEAVING);
        }
    } else if (d->all) {
        text_str(&d->out, "\n  ]");
    }
    text_str(&d->out, "\n}\n");
    return enter(d, DRAFT_DONE);
}

enum flow draft_step(struct draft *d, struct now now)
{
    struct group *g = &d->group;
    if (d->state == DRAFT_DONE)
        return FLOW_ENDED;
    if (d->state == DRAFT_FAILED)
        return FLOW_FAILED;
    if (d->out.len + DRAFT_LINE_BYTES > d->out.capacity)
        return FLOW_WANT_ROOM;
    enum flow flow = group_step(g, now);
    if (flow == FLOW_FAILED) {
        if (g->fault.error == ERROR_MISSING && g->fault.operation == NULL)
            return turn(d, now);
        fault_adopt(&d->fault, &g->fault);
        return refuse(d, false);
    }
    if (flow != FLOW_ENDED)
        return flow;
    take(d);
    group_next(g);
    return FLOW_MOVED;
}

int64_t draft_wake_ms(const struct draft *d)
{
    return call_wake_ms(&d->call);
}
