/* doctor.c - see doctor.h. */
#include "task/doctor.h"

#include "base/crc.h"
#include "base/trace.h"
#include "base/xml.h"
#include "fetch/first.h"
#include "fetch/grant.h"
#include "ship/target.h"
#include "task/recount.h"

#define VIEWS(...) ((const struct view[]){__VA_ARGS__})

enum {
    REPLY_BYTES = DOCTOR_ROOM_BYTES / 2,
    TOKENS      = (DOCTOR_ROOM_BYTES - REPLY_BYTES) / 4 / JSON_WORDS(1),
    ASK_MS      = 10000,   /* STS may be out of reach where AWS is not */
    SKEW_MS     = 60000,   /* worth a word; AWS refuses five minutes */
    SEALS_DAYS  = RECOUNT_AFTER_MS / DAY_MS,
};

/* What is tried of a bucket, in this order. */
enum probe {
    PROBE_LIST, PROBE_GET, PROBE_UPLOADS, PROBE_LIFECYCLE, PROBE_POLICY,
    PROBE_PUT, PROBE_AGAIN, PROBE_DELETE, PROBE_COUNT,
};

#define OF_S3(action, verb, status) \
    {.name = "s3:" action, .service = SITE_S3, .method = verb, \
     .also_ok = status}

static const struct operation probes[PROBE_COUNT] = {
    [PROBE_LIST] = OF_S3("ListBucket", HTTP_GET, 0),
    [PROBE_GET] = OF_S3("GetObject", HTTP_GET, 404),
    [PROBE_UPLOADS] = OF_S3("ListBucketMultipartUploads", HTTP_GET, 0),
    [PROBE_LIFECYCLE] = OF_S3("GetLifecycleConfiguration", HTTP_GET, 404),
    [PROBE_POLICY] = OF_S3("GetBucketPolicy", HTTP_GET, 404),
    [PROBE_PUT] = OF_S3("PutObject", HTTP_PUT, 412),
    [PROBE_AGAIN] = OF_S3("PutObject", HTTP_PUT, 412),
    [PROBE_DELETE] = OF_S3("DeleteObject", HTTP_DELETE, 0),
};

static const struct operation get_caller_identity = {
    .name = "sts:GetCallerIdentity", .service = SITE_STS,
    .method = HTTP_POST, .aside = true,
};

static const struct view probe_body = {(const uint8_t *)"{}\n", 3};

static const char *const state_name[] = {"asking", "touring", "reading",
                                         "probing", "done"};

static enum flow enter(struct doctor *d, enum doctor_state next)
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
static void say(struct doctor *d, enum doctor_level level, struct view thing,
                const char *pattern, const struct view *parts)
{
    struct fault words = {0};
    (void)message_refuse(&words, ERROR_USAGE, pattern, parts);
    put_line(d, level, thing, view_of(words.words));
}

static void say_fault(struct doctor *d, struct view thing,
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
        say(d, DOCTOR_WARNING, view_of("clock"), "AWS's is % % ours. firn goes "
            "by AWS's, but set this one: timedatectl set-ntp true",
            VIEWS(text_view(&t), view_of(ahead ? "ahead of" : "behind")));
    else
        say(d, DOCTOR_OK, view_of("clock"), "as AWS's", NULL);
}

static void say_identity(struct doctor *d)
{
    struct view from = view_of(credentials_source(&d->site->credentials));
    (void)xml_string(reply_view(&d->reply), "Arn", d->identity,
                     sizeof d->identity);
    say(d, DOCTOR_OK, view_of("credentials"), "%, from: %",
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
        say_fault(d, view_of("credentials"), fault);
        d->over = true;
    } else {
        say(d, DOCTOR_NOTE, view_of("credentials"), "from: %; STS does not "
            "tell whose", VIEWS(view_of(credentials_source(
                                    &d->site->credentials))));
    }
}

static void begin(struct doctor *d, const struct operation *operation)
{
    call_cancel(&d->call);
    call_begin(&d->call, operation);
    reply_begin(&d->reply, &d->call, (struct span){d->room, REPLY_BYTES});
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
    begin(d, &get_caller_identity);
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
    return enter(d, d->over ? DOCTOR_DONE : DOCTOR_TOURING);
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
        (void)message_refuse(&fault, ERROR_CONFIG, "% keeps % days: the day at "
                             "\"age_days\" has expired. Use a lower one",
                             VIEWS(group, kept));
    else if (days > 0 && days <= SEALS_DAYS && s->accept_provisional)
        say(d, DOCTOR_NOTE, group, "keeps % days: its archives stay "
            "provisional, as was accepted", &kept);
    else if (days > 0 && days <= SEALS_DAYS)
        say(d, DOCTOR_WARNING, group, "keeps % days: no day can be sealed, "
            "since events come for 14. Keep 30: aws logs put-retention-policy "
            "--retention-in-days 30 --log-group-name %", VIEWS(kept, group));
    if (fault.error != ERROR_NONE)
        say_fault(d, group, &fault);
    if (s->retention_days == 0 || s->retention_days == days)
        return;
    kept = decimal(&t, s->retention_days);
    if (s->retention_days <= SEALS_DAYS && !s->accept_provisional)
        say(d, DOCTOR_WARNING, group, "\"retention_days\": % comes to nothing: "
            "with 14 or less no day is sealed. 30 would do, or "
            "\"accept_provisional\": true", &kept);
    else
        say(d, DOCTOR_NOTE, group, "run sets retention to % days once all "
            "that expires by it is archived, sealed and verified", &kept);
}

static bool is_read(const struct doctor *d)
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
    if (is_read(d) && !view_is(class, "STANDARD")) {
        (void)message_refuse(&fault, ERROR_CONFIG, "% is of class %, whose "
                             "events cannot be read, only exported: \"via\": "
                             "\"export\"", VIEWS(group, class));
        say_fault(d, group, &fault);
    } else {
        say(d, DOCTOR_OK, group, "class %, %", VIEWS(class, text_view(&t)));
    }
    look_at_retention(d);
    if (info->masked)
        say(d, DOCTOR_WARNING, group, "a data protection policy masks it: so "
            "it is archived. In clear: firn archive --unmask", NULL);
    if (d->spec.format == FORMAT_TEXT)
        say(d, DOCTOR_NOTE, group, "text does not hold the streams' names",
            NULL);
}

static enum flow begin_reading(struct doctor *d)
{
    int64_t at_ms = site_now(d->site, d->now).wall_ms - 3600000;
    begin(d, &filter_log_events);
    struct text *body = call_body(&d->call);
    text_str(body, "{\"logGroupName\":\"");
    text_json(body, d->tour.name);
    text_str(body, "\",\"limit\":1,\"startTime\":");
    text_i64(body, at_ms);
    text_str(body, ",\"endTime\":");
    text_i64(body, at_ms + 1);
    text_char(body, '}');
    return enter(d, DOCTOR_READING);
}

/* ---- its bucket ---- */

static bool is_tried(const struct doctor *d, enum probe probe)
{
    return probe == PROBE_POLICY  ? !is_read(d)
           : probe >= PROBE_PUT ? d->options.write : true;
}

/* In the folder that all keys have in common; named as what a run deletes. */
static void make_key(struct doctor *d)
{
    struct view key = view_of(d->spec.key);
    struct text t;
    key = view_slice(key, 0, view_find(key, '{'));
    while (key.len > 0 && key.at[key.len - 1] != '/')
        key.len--;
    text_init(&t, d->key, sizeof d->key);
    text_put(&t, key);
    text_str(&t, "_firn-doctor.checkpoint.json");
}

static void begin_put(struct doctor *d)
{
    const struct target target = {
        .content_type = view_of("application/json"),
        .sse = view_of(d->spec.sse),
        .sse_kms_key_id = view_of(d->spec.sse_kms_key_id),
        .checksum = d->spec.checksum, .condition = TARGET_ABSENT,
    };
    target_describe(&target, &d->call, probe_body.len);
    target_condition(&target, &d->call);
    target_checksum(&target, &d->call, crc64_add(0, probe_body));
    call_slices(&d->call, &probe_body, 1, probe_body.len);
}

static enum flow begin_probe(struct doctor *d)
{
    struct view none = view_of("");
    for (; d->probe < PROBE_COUNT && !is_tried(d, (enum probe)d->probe);
         d->probe++)
        if (d->probe == PROBE_PUT)
            say(d, DOCTOR_NOTE, view_of(d->url), "not tried without --write: "
                "s3:PutObject, s3:DeleteObject, conditions, checksums", NULL);
    if (d->probe == PROBE_COUNT) {
        tour_next(&d->tour);
        return enter(d, DOCTOR_TOURING);
    }
    begin(d, &probes[d->probe]);
    bool whole = d->probe == PROBE_GET || d->probe >= PROBE_PUT;
    call_key(&d->call, view_of(d->bucket), whole ? view_of(d->key) : none);
    if (d->probe == PROBE_LIST)
        call_query(&d->call, "list-type", view_of("2"));
    if (d->probe == PROBE_LIST)
        call_query(&d->call, "max-keys", view_of("1"));
    if (d->probe == PROBE_UPLOADS)
        call_query(&d->call, "uploads", none);
    if (d->probe == PROBE_LIFECYCLE)
        call_query(&d->call, "lifecycle", none);
    if (d->probe == PROBE_POLICY)
        call_query(&d->call, "policy", none);
    if (d->probe == PROBE_PUT || d->probe == PROBE_AGAIN)
        begin_put(d);
    return d->state == DOCTOR_PROBING ? FLOW_MOVED
                                      : enter(d, DOCTOR_PROBING);
}

static void judge_region(struct doctor *d, struct view url)
{
    const char *known = site_region_of(d->site, view_of(d->bucket));
    const char *here = d->site->endpoint[SITE_LOGS].region;
    if (known[0] == '\0' || strcmp(known, here) == 0)
        say(d, DOCTOR_OK, url, "there, and may be listed", NULL);
    else
        say(d, DOCTOR_WARNING, url, is_read(d)
            ? "is in %, the groups in %: what goes there is billed as transfer"
            : "is in %, the groups in %: exports need a bucket in theirs",
            VIEWS(view_of(known), view_of(here)));
}

static void judge_lifecycle(struct doctor *d, struct view url)
{
    struct view rule;
    bool ends = d->call.exchange.reply.status == 200 &&
                xml_find(reply_view(&d->reply),
                         "AbortIncompleteMultipartUpload", &rule);
    if (ends)
        say(d, DOCTOR_OK, url, "uploads that nobody ends are ended", NULL);
    else
        say(d, DOCTOR_WARNING, url, "nothing ends uploads that nobody goes on "
            "with: add a lifecycle rule, AbortIncompleteMultipartUpload after "
            "7 days", NULL);
}

static void judge_policy(struct doctor *d, struct view url)
{
    struct view region = view_of(d->site->endpoint[SITE_LOGS].region);
    int32_t *words = (int32_t *)(void *)(d->room + REPLY_BYTES);
    struct fault fault = {0};
    struct json j;
    bool there = d->call.exchange.reply.status == 200 &&
                 json_parse(&j, reply_view(&d->reply), words, TOKENS) ==
                     JSON_FINE;
    if (there && grant_read(&j, region) == GRANT_ALL) {
        say(d, DOCTOR_OK, url, "lets CloudWatch Logs write exports", NULL);
        return;
    }
    (void)message_refuse(&fault, ERROR_CONFIG, "the policy of % does not let "
                         "CloudWatch Logs write exports. Add what this "
                         "prints: firn policy --bucket", &url);
    say_fault(d, url, &fault);
}

static void judge_put(struct doctor *d, struct view url)
{
    const struct http_reply *r = &d->call.exchange.reply;
    if (d->probe == PROBE_PUT && r->status != 412)
        say(d, r->crc64nvme[0] != '\0' ? DOCTOR_OK : DOCTOR_WARNING, url,
            r->crc64nvme[0] != '\0' ? "may be written to; tells checksums"
            : "may be written to, but tells no checksum: sizes will decide",
            NULL);
    else if (d->probe == PROBE_AGAIN && r->status == 412)
        say(d, DOCTOR_OK, url, "keeps to conditions", NULL);
    else if (d->probe == PROBE_AGAIN)
        say(d, DOCTOR_WARNING, url, "ignores If-None-Match: nothing keeps two "
            "runs at once apart. Have only one", NULL);
}

static void judge_probe(struct doctor *d, struct view url)
{
    switch ((enum probe)d->probe) {
    case PROBE_LIST:      judge_region(d, url); break;
    case PROBE_GET:       break;
    case PROBE_UPLOADS:
        say(d, DOCTOR_OK, url, "objects may be read, uploads be listed",
            NULL);
        break;
    case PROBE_LIFECYCLE: judge_lifecycle(d, url); break;
    case PROBE_POLICY:    judge_policy(d, url); break;
    case PROBE_PUT:
    case PROBE_AGAIN:     judge_put(d, url); break;
    case PROBE_DELETE:
        say(d, DOCTOR_OK, url, "what a run leaves may be deleted", NULL);
        break;
    case PROBE_COUNT:     break;
    }
}

/* Nothing that firn needs; a store may not know it. */
static bool is_optional(const struct doctor *d)
{
    return d->probe == PROBE_LIFECYCLE;
}

static enum flow on_probing(struct doctor *d)
{
    struct fault fault = {0};
    struct view url = view_of(d->url);
    enum flow flow = reply_step(&d->reply, d->now, &fault);
    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    if (flow == FLOW_ENDED)
        judge_probe(d, url);
    else if (is_optional(d) && fault.error != ERROR_STOPPED)
        say(d, DOCTOR_NOTE, url, "its lifecycle cannot be looked "
            "at (s3:GetLifecycleConfiguration)", NULL);
    else
        say_fault(d, url, &fault);
    if (d->over)
        return enter(d, DOCTOR_DONE);
    /* What is not there, or may not be listed, is not asked any more. */
    d->probe = flow == FLOW_FAILED && !is_optional(d) &&
                       (d->probe == PROBE_LIST || d->probe == PROBE_PUT)
                   ? PROBE_COUNT : d->probe + 1;
    return begin_probe(d);
}

/* Each bucket once, and again as another role. */
static enum flow begin_bucket(struct doctor *d)
{
    if (strcmp(d->bucket, d->spec.bucket) == 0 &&
        view_equal(d->role, d->tour.role)) {
        tour_next(&d->tour);
        return enter(d, DOCTOR_TOURING);
    }
    struct text url;
    memcpy(d->bucket, d->spec.bucket, sizeof d->bucket);
    d->role = d->tour.role;
    d->probe = 0;
    text_init(&url, d->url, sizeof d->url);
    text_str(&url, "s3://");
    text_str(&url, d->bucket);
    make_key(d);
    return begin_probe(d);
}

/* ---- the machine ---- */

static enum flow on_touring(struct doctor *d)
{
    enum flow flow = tour_step(&d->tour, d->now);
    if (flow == FLOW_ENDED)
        return enter(d, DOCTOR_DONE);
    if (flow != FLOW_WANT_ROOM)
        return flow;
    look_at_clock(d, &d->tour_room.call);
    if (d->tour.failed) {
        say_fault(d, d->tour.name, &d->tour.fault);
        if (d->over)
            return enter(d, DOCTOR_DONE);
        tour_next(&d->tour);
        return FLOW_MOVED;
    }
    config_spec(&d->tour.settings, d->tour.name, &d->spec);
    look_at_group(d);
    bool reads = is_read(d) &&
                 strcmp(d->tour.group.info.log_class, "STANDARD") == 0;
    return reads ? begin_reading(d) : begin_bucket(d);
}

static enum flow on_reading(struct doctor *d)
{
    struct fault fault = {0};
    enum flow flow = reply_step(&d->reply, d->now, &fault);
    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    if (flow == FLOW_FAILED)
        say_fault(d, d->tour.name, &fault);
    return d->over ? enter(d, DOCTOR_DONE) : begin_bucket(d);
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
    case DOCTOR_PROBING: return on_probing(d);
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
