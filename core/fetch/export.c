/* export.c - see export.h. */
#include "fetch/export.h"

#include "base/trace.h"
#include "fetch/grant.h"

enum {
    REPLY_BYTES  = EXPORT_ROOM_BYTES * 5 / 8,
    TOKENS       = (EXPORT_ROOM_BYTES - REPLY_BYTES) / 4 / JSON_WORDS(1),
    PAGES_MOST   = 2000,     /* of tasks; it may be a circle */
    QUEUE_MS     = 5000,     /* the first pause's, which doubles ... */
    QUEUE_MOST_MS = 120000,  /* ... up to this */
    POLL_MS      = 1000,     /* the same while the task is under way */
    POLL_MOST_MS = 30000,
    DOUBTS_MOST  = 5,
    UNKNOWN_MOST = 8,        /* a task just created may not be listed yet */
    SLACK_MS     = 5000,     /* our clock may be ahead of AWS's */
};

static const struct operation get_policy = {
    .name = "s3:GetBucketPolicy", .service = SITE_S3, .method = HTTP_GET,
    .also_ok = 404,
};
static const struct operation create_task = {
    .name = "logs:CreateExportTask", .service = SITE_LOGS,
    .method = HTTP_POST, .target = "CreateExportTask", .once = true,
};
static const struct operation describe_tasks = {
    .name = "logs:DescribeExportTasks", .service = SITE_LOGS,
    .method = HTTP_POST, .target = "DescribeExportTasks",
};

/* In the order in which a task goes through them, so that none is missed that
 * goes on while they are listed. */
static const char *const statuses[] = {"PENDING", "RUNNING", "COMPLETED"};
enum { STATUS_PENDING, STATUS_RUNNING, STATUS_COMPLETED, STATUS_COUNT };

static const char *const state_name[] = {
    [EXPORT_BEGINNING] = "beginning", [EXPORT_LOOKING_IN] = "looking in",
    [EXPORT_LISTING] = "listing", [EXPORT_CREATING] = "creating",
    [EXPORT_QUEUING] = "queuing", [EXPORT_PENDING] = "pending",
    [EXPORT_RUNNING] = "running", [EXPORT_ASKING] = "asking",
    [EXPORT_DONE] = "done", [EXPORT_FAILED] = "failed",
};

static enum flow enter(struct export *e, enum export_state next)
{
    CHECK(e->state < EXPORT_DONE);
    trace_state("export", state_name[e->state], state_name[next]);
    e->state = next;
    return next == EXPORT_DONE     ? FLOW_ENDED
           : next == EXPORT_FAILED ? FLOW_FAILED
                                   : FLOW_MOVED;
}

static enum flow fail(struct export *e)
{
    CHECK(e->fault.error != ERROR_NONE);
    call_cancel(e->call);
    return enter(e, EXPORT_FAILED);
}

/* A whole sentence of ours, each % of `pattern` replaced by the next part: the
 * first is the group's name. */
static enum flow refuse(struct export *e, enum error error,
                        const char *pattern, const struct view *parts)
{
    char words[FAULT_WORDS_BYTES];
    struct text t;

    text_init(&t, words, sizeof words);
    text_put(&t, e->spec.group);
    text_str(&t, ": ");
    for (const char *p = pattern; *p != '\0'; p++)
        if (*p == '%')
            text_put(&t, *parts++);
        else
            text_char(&t, *p);
    fault_reset(&e->fault);
    fault_set(&e->fault, error, "", 0);
    fault_words(&e->fault, text_view(&t));
    return fail(e);
}

static int64_t aws_ms(const struct export *e, struct now now)
{
    return site_now(e->call->site, now).wall_ms;
}

static void begin(struct export *e, const struct operation *operation)
{
    call_cancel(e->call);
    call_begin(e->call, operation);
    reply_begin(&e->reply, e->call, (struct span){e->room.at, REPLY_BYTES});
}

static bool parse(const struct export *e, struct json *j)
{
    int32_t *words = (int32_t *)(void *)(e->room.at + REPLY_BYTES);
    return json_parse(j, reply_view(&e->reply), words, TOKENS) == JSON_FINE;
}

static enum flow not_json(struct export *e)
{
    fault_set(&e->fault, ERROR_REMOTE, "a reply that is not JSON, or has no "
              "task in it", 0);
    e->fault.operation = e->call->operation->name;
    return fail(e);
}

/* --- the bucket's policy -------------------------------------------------- */

static enum flow list(struct export *e, uint32_t status)
{
    if (e->listed != status)
        e->token[0] = '\0';
    e->listed = status;
    begin(e, &describe_tasks);
    export_task_list(call_body(e->call), statuses[status], e->token);
    return enter(e, EXPORT_LISTING);
}

static enum flow list_all(struct export *e)
{
    e->token[0] = '\0';
    e->pages = 0;
    return list(e, STATUS_PENDING);
}

static enum flow refuse_policy(struct export *e, uint32_t granted)
{
    return refuse(e, ERROR_CONFIG, "the policy of bucket \"%\" does not let "
                  "CloudWatch Logs do %, which an export needs. Add what this "
                  "prints: firn policy --bucket",
                  (const struct view[]){e->spec.bucket,
                                        view_of(grant_lacks(granted))});
}

static enum flow on_looking_in(struct export *e, struct now now)
{
    struct fault fault = {0};
    enum flow flow = reply_step(&e->reply, now, &fault);
    bool none = grant_is_absent(&e->call->exchange);
    uint32_t granted = 0;
    struct json j;

    if (flow == FLOW_FAILED && (fault.error == ERROR_NETWORK ||
                                fault.error == ERROR_STOPPED)) {
        fault_adopt(&e->fault, &fault);
        return fail(e);
    }
    if (flow == FLOW_FAILED)  /* not to be seen; AWS will tell */
        return list_all(e);
    if (flow != FLOW_ENDED)
        return flow;
    if (!none && !parse(e, &j))  /* or there is no such bucket */
        return list_all(e);
    if (!none)
        granted = grant_read(&j, e->spec.region);
    return granted == GRANT_ALL ? list_all(e) : refuse_policy(e, granted);
}

static enum flow on_beginning(struct export *e, struct now now)
{
    int64_t safe_ms = e->spec.until_ms + EXPORT_LAG_MS;
    char stamp[DATE_RFC3339_BYTES + 1];
    struct text t;

    text_init(&t, stamp, sizeof stamp);
    date_rfc3339(&t, safe_ms);
    if (aws_ms(e, now) < safe_ms)
        return refuse(e, ERROR_STOPPED, "an export may lack what came in the "
                      "last 12 hours; run again after %",
                      &(const struct view){(uint8_t *)stamp, t.len});
    begin(e, &get_policy);
    call_key(e->call, e->spec.bucket, (struct view){0});
    call_query(e->call, "policy", (struct view){0});
    return enter(e, EXPORT_LOOKING_IN);
}

/* --- pauses --------------------------------------------------------------- */

static enum flow pause(struct export *e, enum export_state why,
                       struct now now)
{
    bool queuing = why == EXPORT_QUEUING;
    int64_t most = queuing ? QUEUE_MOST_MS : POLL_MOST_MS;
    int64_t next = e->pause_ms > 0 ? 2 * e->pause_ms
                   : queuing ? QUEUE_MS : POLL_MS;

    e->pause_ms = next < most ? next : most;
    e->resume_mono_ms = now.mono_ms + e->pause_ms / 2 +
                        (int64_t)chance_below(&e->call->site->chance,
                                              (uint64_t)e->pause_ms / 2 + 1);
    return enter(e, why);
}

static bool is_deadline(struct export *e, struct now now)
{
    if (now.mono_ms < e->call->site->deadline_mono_ms)
        return false;
    fault_set(&e->fault, ERROR_STOPPED, e->state == EXPORT_QUEUING
              ? "the deadline is reached while another export task holds the "
                "account's one slot"
              : "the deadline is reached; the export task goes on, and the "
                "next run joins it", 0);
    return true;
}

static bool is_day_over(const struct export *e, struct now now)
{
    return e->state == EXPORT_QUEUING &&
           e->call->site->deadline_mono_ms == INT64_MAX &&
           now.mono_ms - e->queued_mono_ms >= EXPORT_MOST_MS;
}

static enum flow ask(struct export *e)
{
    begin(e, &describe_tasks);
    export_task_ask(call_body(e->call), e->id);
    return enter(e, EXPORT_ASKING);
}

static enum flow on_pause(struct export *e, struct now now)
{
    if (is_deadline(e, now))
        return fail(e);
    if (is_day_over(e, now))
        return refuse(e, ERROR_STOPPED, "for 24 hours other export tasks "
                      "held the account's one slot; run again later", NULL);
    if (now.mono_ms < e->resume_mono_ms)
        return FLOW_WANT_EVENT;
    return e->state == EXPORT_QUEUING ? list_all(e) : ask(e);
}

/* --- the task ------------------------------------------------------------- */

static bool take_id(struct export *e, const struct json *j, int32_t node)
{
    struct text t;

    text_init(&t, e->id, sizeof e->id);
    bool good = json_text(j, node, &t) && t.len > 0 &&
                view_find(text_view(&t), '/') == t.len;
    if (!good)
        text_reset(&t);
    text_init(&t, e->files, sizeof e->files);
    text_put(&t, e->spec.prefix);
    text_char(&t, '/');
    text_str(&t, e->id);
    text_char(&t, '/');
    CHECK(!t.overflow);
    e->pause_ms = 0;
    e->sent |= good;
    return good;
}

static enum flow create(struct export *e)
{
    begin(e, &create_task);
    export_task_create(call_body(e->call), &e->spec, e->name);
    e->sent = true;
    return enter(e, EXPORT_CREATING);
}

/* None of ours is there, so the one that holds the slot is another's. */
static enum flow on_listed(struct export *e, struct now now)
{
    if (e->full) {
        e->full = false;
        return pause(e, EXPORT_QUEUING, now);
    }
    return create(e);
}

/* Lists are newest first: behind a page of old ones there are but older. */
static enum flow on_page(struct export *e, const struct json *j,
                         struct now now)
{
    int32_t tasks = json_member(j, 0, "exportTasks");
    bool done = e->listed == STATUS_COMPLETED, all_old = done;
    struct text t;

    for (int32_t at = json_first(j, tasks); at != JSON_NONE;
         at = json_next(j, at)) {
        bool old = export_task_created(j, at) < e->spec.since_ms - SLACK_MS;
        all_old &= old;
        if (!export_task_is(j, at, &e->spec, e->name) || (done && old) ||
            !take_id(e, j, json_member(j, at, "taskId")))
            continue;
        e->joined = true;
        e->created_ms = export_task_created(j, at);
        return ask(e);
    }
    text_init(&t, e->token, sizeof e->token);
    bool more = json_text(j, json_member(j, 0, "nextToken"), &t) && t.len > 0;
    if (more && ++e->pages > PAGES_MOST) {
        fault_set(&e->fault, ERROR_REMOTE, "a list of tasks without an end",
                  PAGES_MOST);
        return fail(e);
    }
    if (more && !all_old)
        return list(e, e->listed);
    if (e->listed + 1 < STATUS_COUNT)
        return list(e, e->listed + 1);
    return on_listed(e, now);
}

static enum flow on_listing(struct export *e, struct now now)
{
    enum flow flow = reply_step(&e->reply, now, &e->fault);
    struct json j;

    if (flow == FLOW_FAILED)
        return fail(e);
    if (flow != FLOW_ENDED)
        return flow;
    return parse(e, &j) ? on_page(e, &j, now) : not_json(e);
}

/* Range, prefix or bucket: AWS's words for one that it may not write to, and
 * how to let it. */
static enum flow refuse_range(struct export *e)
{
    char words[FAULT_WORDS_BYTES];
    bool permit = strstr(e->fault.words, "permission") != NULL ||
                  strstr(e->fault.words, "Acl") != NULL;

    memcpy(words, e->fault.words, sizeof words);
    return refuse(e, ERROR_CONFIG, permit
                  ? "an export to bucket \"%\" is refused. Add to its policy "
                    "what this prints: firn policy --bucket. AWS: \"%\""
                  : "an export to bucket \"%\" is refused. AWS: \"%\"",
                  (const struct view[]){e->spec.bucket, view_of(words)});
}

/* The slot is taken, by a task of ours perhaps; or nobody knows if ours is
 * there: the list tells. */
static enum flow on_refused(struct export *e, struct now now)
{
    const char *code = e->fault.code;
    bool full = strcmp(code, "LimitExceededException") == 0;
    bool there = strcmp(code, "ResourceAlreadyExistsException") == 0;
    bool lost = e->fault.error == ERROR_NETWORK;

    e->sent = there || lost || e->doubts > 0;
    if (strcmp(code, "InvalidParameterException") == 0)
        return refuse_range(e);
    if (!full && ((!there && !lost) || ++e->doubts > DOUBTS_MOST))
        return fail(e);
    fault_reset(&e->fault);
    if (full && e->queued_mono_ms == INT64_MIN)
        e->queued_mono_ms = now.mono_ms;
    e->full = full;
    return list_all(e);
}

static enum flow on_creating(struct export *e, struct now now)
{
    enum flow flow = reply_step(&e->reply, now, &e->fault);
    struct json j;

    if (flow == FLOW_FAILED)
        return on_refused(e, now);
    if (flow != FLOW_ENDED)
        return flow;
    if (!parse(e, &j) || !take_id(e, &j, json_member(&j, 0, "taskId")))
        return ++e->doubts > DOUBTS_MOST ? not_json(e) : list_all(e);
    e->created_ms = aws_ms(e, now);
    return pause(e, EXPORT_PENDING, now);
}

static enum flow refuse_ended(struct export *e, const struct json *j,
                              int32_t status)
{
    char words[FAULT_WORDS_BYTES];
    struct text t;

    text_init(&t, words, sizeof words);
    (void)json_text(j, json_member(j, status, "message"), &t);
    return refuse(e, ERROR_REMOTE, "export task % ended %, and nothing of it "
                  "is used. AWS: \"%\"",
                  (const struct view[]){
                      view_of(e->id),
                      json_raw(j, json_member(j, status, "code")),
                      text_view(&t)});
}

static enum flow on_status(struct export *e, const struct json *j,
                           int32_t task, struct now now)
{
    int32_t status = json_member(j, task, "status");
    int32_t code = json_member(j, status, "code");
    bool pending = json_is(j, code, "PENDING");
    bool under_way = pending || json_is(j, code, "RUNNING");

    if (export_task_created(j, task) > 0)
        e->created_ms = export_task_created(j, task);
    bool late = aws_ms(e, now) - e->created_ms >= EXPORT_MOST_MS;
    e->over = late || !under_way;
    if (json_is(j, code, "COMPLETED"))
        return enter(e, EXPORT_DONE);
    if (late && (under_way || json_is(j, code, "FAILED")))
        return refuse(e, ERROR_REMOTE, "the export was not done within 24 "
                      "hours, which is AWS's limit; export a smaller range: "
                      "--from and --until, or --stream-prefix", NULL);
    if (!under_way)
        return refuse_ended(e, j, status);
    return pause(e, pending ? EXPORT_PENDING : EXPORT_RUNNING, now);
}

static enum flow on_asking(struct export *e, struct now now)
{
    enum flow flow = reply_step(&e->reply, now, &e->fault);
    struct json j;

    if (flow == FLOW_FAILED)
        return fail(e);
    if (flow != FLOW_ENDED)
        return flow;
    if (!parse(e, &j))
        return not_json(e);
    int32_t task = json_first(&j, json_member(&j, 0, "exportTasks"));
    if (task == JSON_NONE && ++e->unknown < UNKNOWN_MOST)
        return pause(e, EXPORT_PENDING, now);
    if (task == JSON_NONE)
        return refuse(e, ERROR_REMOTE, "CloudWatch Logs does not know the "
                      "export task any more", NULL);
    e->unknown = 0;
    return on_status(e, &j, task, now);
}

enum flow export_step(struct export *e, struct now now)
{
    switch (e->state) {
    case EXPORT_BEGINNING:  return on_beginning(e, now);
    case EXPORT_LOOKING_IN: return on_looking_in(e, now);
    case EXPORT_LISTING:    return on_listing(e, now);
    case EXPORT_CREATING:   return on_creating(e, now);
    case EXPORT_QUEUING:
    case EXPORT_PENDING:
    case EXPORT_RUNNING:    return on_pause(e, now);
    case EXPORT_ASKING:     return on_asking(e, now);
    case EXPORT_DONE:       return FLOW_ENDED;
    case EXPORT_FAILED:     break;
    }
    return FLOW_FAILED;
}

int64_t export_wake_ms(const struct export *e)
{
    int64_t deadline_ms = e->call->site->deadline_mono_ms;
    bool pauses = e->state >= EXPORT_QUEUING && e->state <= EXPORT_RUNNING;

    if (!pauses)
        return call_wake_ms(e->call);
    return e->resume_mono_ms < deadline_ms ? e->resume_mono_ms : deadline_ms;
}

void export_cancel(struct export *e)
{
    call_cancel(e->call);
}

const char *export_phase(const struct export *e)
{
    return e->state == EXPORT_QUEUING   ? "export waits for the account's slot"
           : e->state == EXPORT_PENDING ? "export pending"
           : e->state == EXPORT_RUNNING || e->state == EXPORT_ASKING
               ? "export runs" : "export";
}

void export_init(struct export *e, struct call *call,
                 const struct export_spec *spec, struct span room)
{
    struct text name;

    CHECK(room.len >= EXPORT_ROOM_BYTES && (uintptr_t)room.at % 8 == 0);
    CHECK(spec->from_ms < spec->until_ms && spec->prefix.len > 0 &&
          spec->prefix.len < EXPORT_PREFIX_BYTES);
    *e = (struct export){
        .state = EXPORT_BEGINNING, .call = call, .spec = *spec, .room = room,
        .queued_mono_ms = INT64_MIN,
    };
    text_init(&name, e->name, sizeof e->name);
    export_task_name(&name, spec);
    CHECK(!name.overflow);
}
