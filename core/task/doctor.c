/* doctor.c - see doctor.h. */
#include "task/doctor.h"

#include "base/trace.h"
#include "base/xml.h"
#include "call/provider.h"
#include "fetch/first.h"
#include "task/recount.h"

#define VIEWS(...) ((const struct view[]){__VA_ARGS__})

enum {
    ASK_MS      = 10000,   /* STS may be out of reach where AWS is not */
    SKEW_MS     = 60000,   /* worth a word; AWS refuses five minutes */
    SEALS_DAYS  = RECOUNT_AFTER_MS / DAY_MS,
};

static const struct operation get_caller_identity = {
    .name = "sts:GetCallerIdentity", .service = SITE_STS,
    .method = HTTP_POST, .aside = true,
};

static const char *const state_name[] = {"asking", "touring", "reading",
                                         "probing", "done"};

enum flow doctor_enter(struct doctor *d, enum doctor_state next)
{
    CHECK(d->state < DOCTOR_DONE);
    trace_state("doctor", state_name[d->state], state_name[next]);
    d->state = next;
    return next == DOCTOR_DONE ? FLOW_ENDED : FLOW_MOVED;
}

/* ---- saying ---- */

static void put_line(struct doctor *d, enum doctor_level level,
                     struct view thing, struct view words)
{
    static const char *const names[] = {"ok", "note", "warning", "fail"};
    struct text *t = &d->out;
    uint32_t start = t->len;
    if (d->options.output == OUTPUT_JSON) {
        text_str(t, "{\"state\":\"");
        text_str(t, names[level]);
        text_str(t, "\",\"thing\":\"");
        text_json(t, thing);
        text_str(t, "\",\"reason\":\"");
        text_json(t, words);
        text_str(t, "\"}\n");
        return;
    }
    text_str(t, names[level]);
    while (t->len - start < sizeof "warning")
        text_char(t, ' ');
    if (level != DOCTOR_FAIL) {  /* which names it itself */
        message_escape(t, thing);
        text_str(t, ": ");
    }
    text_put(t, words);
    text_char(t, '\n');
}

/* `pattern`, with each % replaced by the next of `parts`. */
void doctor_say(struct doctor *d, enum doctor_level level, struct view thing,
                const char *pattern, const struct view *parts)
{
    struct fault words = {0};
    (void)message_refuse(&words, ERROR_USAGE, pattern, parts);
    put_line(d, level, thing, view_of(words.words));
}

void doctor_say_fault(struct doctor *d, struct view thing,
                      const struct fault *fault)
{
    char words[MESSAGE_BYTES];
    const struct message_context context = {
        .thing = thing,
        .identity = d->tour.role.len > 0 ? d->tour.role
                                         : view_of(d->identity),
    };
    struct text t;
    text_init(&t, words, sizeof words);
    message_fault(&t, fault, &context);
    put_line(d, DOCTOR_FAIL, thing, text_view(&t));
    d->exit_code = exit_worse(d->exit_code, fault_exit(fault->error));
    d->over |= fault->error == ERROR_NETWORK || fault->error == ERROR_STOPPED;
}

/* ---- who, and when ---- */

static void look_at_clock(struct doctor *d, const struct call *call)
{
    int64_t date_ms = call->exchange.reply.date_ms;
    int64_t off = date_ms - d->now.wall_ms;
    bool ahead = off > 0;
    char at[32];
    struct text t;
    if (d->timed || date_ms == 0)
        return;
    d->timed = true;
    off = ahead ? off : -off;
    text_init(&t, at, sizeof at);
    message_duration(&t, off);
    if (off > SKEW_MS)
        doctor_say(d, DOCTOR_WARNING, view_of("clock"), "AWS's is % % ours. "
                   "firn goes by AWS's, but set this one: timedatectl "
                   "set-ntp true",
                   VIEWS(text_view(&t),
                         view_of(ahead ? "ahead of" : "behind")));
    else
        doctor_say(d, DOCTOR_OK, view_of("clock"), "as AWS's", NULL);
}

static void say_identity(struct doctor *d)
{
    struct view from = view_of(provider_name(&d->site->credentials));
    (void)xml_string(reply_view(&d->reply), "Arn", d->identity,
                     sizeof d->identity);
    doctor_say(d, DOCTOR_OK, view_of("credentials"), "%, from: %",
               VIEWS(view_of(d->identity), from));
}

/* Only what was said of the keys themselves is the end of it all. */
static void judge_identity(struct doctor *d, enum flow flow,
                           const struct fault *fault)
{
    bool keys = fault->error == ERROR_DENIED &&
                !view_starts(view_of(fault->code), "AccessDeni");
    look_at_clock(d, &d->call);
    if (flow == FLOW_ENDED) {
        say_identity(d);
    } else if (keys || fault->error == ERROR_STOPPED) {
        doctor_say_fault(d, view_of("credentials"), fault);
        d->over = true;
    } else {
        doctor_say(d, DOCTOR_NOTE, view_of("credentials"), "from: %; STS "
                   "does not tell whose",
                   VIEWS(view_of(provider_name(&d->site->credentials))));
    }
}

void doctor_begin(struct doctor *d, const struct operation *operation)
{
    call_cancel(&d->call);
    call_begin(&d->call, operation);
    reply_begin(&d->reply, &d->call,
                (struct span){d->room, DOCTOR_REPLY_BYTES});
}

void doctor_init(struct doctor *d, const struct doctor_options *options)
{
    memset(d, 0, offsetof(struct doctor, bytes));
    d->options = *options;
    d->site = options->tour.site;
    d->ask_until_ms = INT64_MAX;
    text_init(&d->out, d->out_bytes, sizeof d->out_bytes);
    ring_init(&d->ring, d->bytes, sizeof d->bytes);
    call_init(&d->call, d->site, &d->ring);
    tour_init(&d->tour, &options->tour, &d->tour_room);
    doctor_begin(d, &get_caller_identity);
    text_str(call_body(&d->call),
             "Action=GetCallerIdentity&Version=2011-06-15");
}

static enum flow on_asking(struct doctor *d)
{
    struct fault fault = {0};
    enum flow flow = reply_step(&d->reply, d->now, &fault);
    if (d->call.attempt > 0 && d->ask_until_ms == INT64_MAX)
        d->ask_until_ms = d->now.mono_ms + ASK_MS;
    bool late = d->now.mono_ms >= d->ask_until_ms;
    if (flow != FLOW_ENDED && flow != FLOW_FAILED && !late)
        return flow;
    judge_identity(d, flow, &fault);
    return doctor_enter(d, d->over ? DOCTOR_DONE : DOCTOR_TOURING);
}

/* ---- a group ---- */

static struct view decimal(struct text *t, int64_t number)
{
    text_reset(t);
    text_i64(t, number);
    return text_view(t);
}

/* How long CloudWatch keeps it: enough for a day to be read, and sealed? */
static void look_at_retention(struct doctor *d)
{
    const struct config_settings *s = &d->tour.settings;
    int64_t days = d->tour.group.info.retention_days;
    struct view group = d->tour.name;
    struct fault fault = {0};
    char at[24];
    struct text t;
    text_init(&t, at, sizeof at);
    struct view kept = decimal(&t, days);
    if (days > 0 && days <= s->age_days)
        (void)message_refuse(&fault, ERROR_CONFIG, "% keeps % days: the day "
                             "at \"age_days\" has expired. Use a lower one",
                             VIEWS(group, kept));
    else if (days > 0 && days <= SEALS_DAYS && s->accept_provisional)
        doctor_say(d, DOCTOR_NOTE, group, "keeps % days: its archives stay "
            "provisional, as was accepted", &kept);
    else if (days > 0 && days <= SEALS_DAYS)
        doctor_say(d, DOCTOR_WARNING, group, "keeps % days: no day can be "
                   "sealed, since events come for 14. Keep 30: aws logs "
                   "put-retention-policy --retention-in-days 30 "
                   "--log-group-name %", VIEWS(kept, group));
    if (fault.error != ERROR_NONE)
        doctor_say_fault(d, group, &fault);
    if (s->retention_days == 0 || s->retention_days == days)
        return;
    kept = decimal(&t, s->retention_days);
    if (s->retention_days <= SEALS_DAYS && !s->accept_provisional)
        doctor_say(d, DOCTOR_WARNING, group, "\"retention_days\": % comes "
                   "to nothing: with 14 or less no day is sealed. 30 would "
                   "do, or \"accept_provisional\": true", &kept);
    else
        doctor_say(d, DOCTOR_NOTE, group, "run sets retention to % days "
                   "once all that expires by it is archived, sealed and "
                   "verified", &kept);
}

bool doctor_reads(const struct doctor *d)
{
    return d->spec.source == SOURCE_READ;
}

static void look_at_group(struct doctor *d)
{
    const struct group_info *info = &d->tour.group.info;
    struct view group = d->tour.name, class = view_of(info->log_class);
    struct fault fault = {0};
    char kept[32];
    struct text t;
    text_init(&t, kept, sizeof kept);
    text_str(&t, info->retention_days > 0 ? "keeps " : "keeps all");
    if (info->retention_days > 0) {
        text_i64(&t, info->retention_days);
        text_str(&t, " days");
    }
    if (doctor_reads(d) && !view_is(class, "STANDARD")) {
        (void)message_refuse(&fault, ERROR_CONFIG, "% is of class %, whose "
                             "events cannot be read, only exported: \"via\": "
                             "\"export\"", VIEWS(group, class));
        doctor_say_fault(d, group, &fault);
    } else {
        doctor_say(d, DOCTOR_OK, group, "class %, %",
                   VIEWS(class, text_view(&t)));
    }
    look_at_retention(d);
    if (!doctor_reads(d) && d->tour.settings.age_days < 2)
        doctor_say(d, DOCTOR_WARNING, group, "\"age_days\": 1: a day is "
                   "exported 12 hours after its end, before that run fails "
                   "(75). 2 is early enough", NULL);
    if (info->masked)
        doctor_say(d, DOCTOR_WARNING, group, "a data protection policy "
                   "masks it: so it is archived. In clear: firn archive "
                   "--unmask", NULL);
    if (d->spec.format == FORMAT_TEXT)
        doctor_say(d, DOCTOR_NOTE, group, "text does not hold the streams' "
                   "names", NULL);
}

static enum flow begin_reading(struct doctor *d)
{
    int64_t at_ms = site_now(d->site, d->now).wall_ms - 3600000;
    doctor_begin(d, &filter_log_events);
    struct text *body = call_body(&d->call);
    text_str(body, "{\"logGroupName\":\"");
    text_json(body, d->tour.name);
    text_str(body, "\",\"limit\":1,\"startTime\":");
    text_i64(body, at_ms);
    text_str(body, ",\"endTime\":");
    text_i64(body, at_ms + 1);
    text_char(body, '}');
    return doctor_enter(d, DOCTOR_READING);
}

/* ---- the machine ---- */

/* An entry before the tour's that gave no group; one at a time. */
static bool say_empty(struct doctor *d, uint32_t until)
{
    if (d->entry >= until)
        return false;
    doctor_say(d, DOCTOR_WARNING, config_name(d->options.tour.config,
                                              d->entry++),
               "there is no log group that this entry speaks for", NULL);
    return true;
}

static enum flow on_touring(struct doctor *d)
{
    enum flow flow = tour_step(&d->tour, d->now);
    if (flow == FLOW_ENDED)
        return say_empty(d, d->options.tour.config->group_count)
                   ? FLOW_MOVED : doctor_enter(d, DOCTOR_DONE);
    if (flow != FLOW_WANT_ROOM)
        return flow;
    if (say_empty(d, d->tour.entry))
        return FLOW_MOVED;
    d->entry = d->tour.entry + 1;
    look_at_clock(d, &d->tour_room.call);
    if (d->tour.failed) {
        doctor_say_fault(d, d->tour.name, &d->tour.fault);
        if (d->over)
            return doctor_enter(d, DOCTOR_DONE);
        tour_next(&d->tour);
        return FLOW_MOVED;
    }
    config_spec(&d->tour.settings, d->tour.name, &d->spec);
    look_at_group(d);
    bool reads = doctor_reads(d) &&
                 strcmp(d->tour.group.info.log_class, "STANDARD") == 0;
    return reads ? begin_reading(d) : doctor_begin_bucket(d);
}

static enum flow on_reading(struct doctor *d)
{
    struct fault fault = {0};
    enum flow flow = reply_step(&d->reply, d->now, &fault);
    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    if (flow == FLOW_FAILED)
        doctor_say_fault(d, d->tour.name, &fault);
    return d->over ? doctor_enter(d, DOCTOR_DONE) : doctor_begin_bucket(d);
}

enum flow doctor_step(struct doctor *d, struct now now)
{
    d->now = now;
    if (d->state < DOCTOR_DONE && d->out.len > 0)
        return FLOW_WANT_ROOM;
    switch (d->state) {
    case DOCTOR_ASKING:  return on_asking(d);
    case DOCTOR_TOURING: return on_touring(d);
    case DOCTOR_READING: return on_reading(d);
    case DOCTOR_PROBING: return doctor_bucket(d);
    case DOCTOR_DONE:    break;
    }
    return FLOW_ENDED;
}

int64_t doctor_wake_ms(const struct doctor *d)
{
    int64_t own = call_wake_ms(&d->call);
    switch (d->state) {
    case DOCTOR_ASKING:  return own < d->ask_until_ms ? own
                                                      : d->ask_until_ms;
    case DOCTOR_TOURING: return tour_wake_ms(&d->tour);
    case DOCTOR_READING:
    case DOCTOR_PROBING: return own;
    case DOCTOR_DONE:    break;
    }
    return INT64_MIN;
}
