/* command_lambda.c - one event of Lambda's after the other.
 *
 * FIRN_CONFIG says what there is to do: a file's name, s3://BUCKET/KEY, or the
 * JSON itself. It is read once, at the start. */
#include <unistd.h>

#include "base/date.h"
#include "command.h"

/* Which entry of the configuration speaks for a group, in whichever account;
 * CONFIG_NONE. */
static int32_t find_entry(const struct config *c, struct view group)
{
    for (uint32_t e = 0; e < c->group_count; e++)
        if (config_find(c, group, config_role(c, e)) == (int32_t)e)
            return (int32_t)e;
    return CONFIG_NONE;
}

/* The day's spec, and whose keys it is done with. */
static bool prepare(struct memory *m, struct fault *fault)
{
    const struct demand *d = &m->invocation.demand;
    struct runner *r = &m->runner;
    struct spec *spec = &r->options.spec;
    struct view group = view_of(d->group);
    const struct plan_when when = {.day = d->day, .age = PLAN_NO_AGE};
    struct config_settings s;
    int32_t entry = find_entry(&m->config, group);
    if (entry == CONFIG_NONE)
        return message_refuse(fault, ERROR_CONFIG, "log group \"%\" is not one "
                              "of the configuration's", &group);
    config_settings(&m->config, (uint32_t)entry, &s);
    config_spec(&s, group, spec);
    return plan_window(spec, &when, posix_now().wall_ms, fault) &&
           site_assume(&r->site, s.role_arn, fault) &&
           site_owner(&r->site, s.bucket_owner, fault);
}

static void put_string(struct text *t, const char *name, struct view value)
{
    text_str(t, name);
    text_str(t, ":\"");
    text_json(t, value);
    text_str(t, "\",");
}

static void put_number(struct text *t, const char *name, uint64_t value)
{
    text_str(t, name);
    text_char(t, ':');
    text_u64(t, value);
    text_char(t, ',');
}

static void put_day(struct text *t, const struct archive *a,
                    const struct demand *d, bool done)
{
    put_string(t, "\"group\"", view_of(d->group));
    put_string(t, "\"day\"", view_of(d->day));
    put_string(t, "\"action\"", view_of(done ? a->result.action : "stopped"));
    put_number(t, "\"events\"", a->counts.events);
    put_number(t, "\"bytes_stored\"", a->counts.bytes_stored);
    text_str(t, "\"reached\":\"");
    date_rfc3339(t, done ? a->spec->until_ms : a->counts.reached_ms);
    text_str(t, "\",");
}

static int one_day(struct memory *m, struct text *answer)
{
    struct runner *r = &m->runner;
    struct fault fault = {0};
    if (!prepare(m, &fault))
        return runner_complain(r, &fault, view_of(NULL));
    int code = run_archive(m, &r->options.spec);
    put_day(answer, &m->job.archive, &m->invocation.demand, code == 0);
    (void)site_assume(&r->site, view_of(NULL), &fault);
    return code;
}

/* Of failures Lambda is told how many; the log has each of them. */
static int all_due(struct memory *m, struct text *answer)
{
    const struct run *job = &m->job.run;
    int code = run_due(m);
    put_number(answer, "\"groups\"", job->groups);
    put_number(answer, "\"archived\"", job->archived);
    put_number(answer, "\"recounted\"", job->recounted);
    put_number(answer, "\"failed\"", job->failed);
    struct text t = runner_text(&m->runner);
    run_metrics(&t, job, posix_variable("AWS_LAMBDA_FUNCTION_NAME"),
                posix_now().wall_ms);
    (void)runner_say(&m->runner, &t);
    t = runner_text(&m->runner);  /* what Lambda is told of failures */
    run_write(&t, job);
    return code;
}

/* What is left when its time is over is for the next event, and no error. */
static void serve(struct memory *m)
{
    struct invocation *i = &m->invocation;
    struct runner *r = &m->runner;
    char bytes[1024];  /* a group's name needs no escapes */
    struct text answer;
    text_init(&answer, bytes, sizeof bytes);
    text_char(&answer, '{');
    runner_again(r, invocation_stop_mono_ms(i, posix_now()));
    int code = i->refused.error != ERROR_NONE
                   ? runner_complain(r, &i->refused, view_of(NULL))
               : i->demand.one ? one_day(m, &answer)
                               : all_due(m, &answer);
    if (code != 0 && code != fault_exit(ERROR_STOPPED)) {
        invocation_error(i, code, runner_said(r));
        return;
    }
    text_str(&answer, "\"exit\":");
    text_i64(&answer, code);
    text_char(&answer, '}');
    CHECK(!answer.overflow);
    invocation_answer(i, text_view(&answer));
}

/* An answer that the API would not have. */
static void warn(struct memory *m)
{
    const struct fault warning = {.what = "it did not take the answer"};
    const struct message_context context = {
        .thing = view_of("the runtime API"),
    };
    struct text t = runner_text(&m->runner);
    message_warning(&t, &warning, &context);
    text_char(&t, '\n');
    (void)posix_write(STDERR_FILENO, text_view(&t));
}

/* Until the API fails, or a signal comes between two events. */
static int loop(struct memory *m)
{
    struct invocation *i = &m->invocation;
    for (;;) {
        struct now now = posix_now();
        bool telling = i->state == INVOCATION_TELLING;
        enum flow flow = invocation_step(i);
        if (telling && i->state != INVOCATION_TELLING &&
            i->answered / 100 != 2)
            warn(m);
        if (flow == FLOW_FAILED)
            return runner_complain(&m->runner, &i->fault, view_of(NULL));
        if (flow == FLOW_ENDED)
            serve(m);
        else if (runner_wait(&m->runner, flow == FLOW_MOVED ? now.mono_ms
                                                            : INT64_MAX, now))
            return 0;
    }
}

/* As `firn run FIRN_CONFIG --output json` would. */
static bool begin(struct memory *m, struct fault *fault)
{
    static char firn[] = "firn", run[] = "run", config[] = "FIRN_CONFIG",
                json[] = "--output=json";
    static char *words[] = {firn, run, config, json, NULL};
    struct view where = posix_variable(config);
    if (!options_parse(&m->runner.options, 4, words, fault))
        return false;
    if (where.len == 0)
        return message_refuse(fault, ERROR_CONFIG, "FIRN_CONFIG is not set: "
                              "the configuration's file, s3://BUCKET/KEY, or "
                              "its JSON", NULL);
    return configure(m, (const char *)where.at, fault);
}

int command_lambda(struct memory *m)
{
    struct runner *r = &m->runner;
    struct view api = posix_variable("AWS_LAMBDA_RUNTIME_API");
    const struct transport_options options = {.ca_bundle = ""};
    struct fault why = {0}, fault = {0};
    bool ready = begin(m, &why);
    if (!ready)
        (void)runner_complain(r, &why, view_of(NULL));
    if ((r->transport.multi == NULL &&
         !transport_init(&r->transport, &options, &fault)) ||
        !invocation_init(&m->invocation, &r->transport, api, &fault))
        return runner_complain(r, &fault, view_of(NULL));
    if (!ready)
        invocation_abandon(&m->invocation, fault_exit(why.error),
                           runner_said(r));
    return loop(m);
}
