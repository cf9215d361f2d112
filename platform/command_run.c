/* command_run.c - everything that is due, for every group; or what it is. */
#include "command.h"

enum { STOP_MS = 1700 };  /* to tell S3 after a signal; two seconds are
                             promised */

static struct report_counts counts_of(const struct runner *r)
{
    return (struct report_counts){
        .requests = r->site.requests, .throttled = r->site.throttled,
        .retried = r->site.retried,
    };
}

static void show(struct runner *r, const struct visit *v, struct now now)
{
    struct report_progress p = {
        .phase = "looking", .source.group = view_of(v->spec.group),
        .counts = counts_of(r),
    };
    if (v->state == VISIT_ARCHIVING)
        show_archive(r, &v->archive, now);
    else if (v->state == VISIT_VERIFYING)
        show_verify(r, &v->verify, now);
    else
        progress_show(&r->progress, &p, now);
}

/* A group that cannot be looked at. */
static int say_fault(struct runner *r, const struct visit *v)
{
    const struct fault *f = &v->fault;
    struct view group = view_of(v->spec.group);
    const struct report_result line = {
        .source.group = group, .action = "failed",
        .reason = view_of(f->words[0] != '\0'   ? f->words
                          : f->code[0] != '\0' ? f->code : f->what),
    };
    int code = 0;
    if (r->options.output == OUTPUT_JSON) {
        struct text t = runner_text(r);
        report_result(&t, &line, OUTPUT_JSON);
        text_char(&t, '\n');
        code = runner_say(r, &t);
    }
    return exit_worse(code, runner_complain(r, f, group));
}

static int say_due(struct runner *r, struct run *job)
{
    struct text t = runner_text(r);
    forecast_tell(&job->forecast, &job->visit, &t, r->options.output);
    return runner_say(r, &t);
}

static int say(struct runner *r, struct run *job)
{
    const struct visit *v = &job->visit;
    switch (v->told) {
    case VISIT_NOTHING:   break;
    case VISIT_ARCHIVE:   return say_archive(r, &v->archive, v->flow);
    case VISIT_RETENTION: return say_retention(r, &v->retention);
    case VISIT_VERIFY:    return say_verified(r, v->verified);
    case VISIT_FAULT:     return say_fault(r, v);
    case VISIT_DUE:       return say_due(r, job);
    }
    return 0;
}

/* Steps until it ends. After a signal what is archived goes into its
 * checkpoint; if that takes too long, the next run finds what is left. */
static int drive(struct runner *r, struct run *job)
{
    int64_t stop_mono_ms = INT64_MAX;
    int code = 0;
    for (;;) {
        struct now now = posix_now();
        enum flow flow = FLOW_MOVED;
        for (uint32_t i = 0; i < COMMAND_STEPS && flow == FLOW_MOVED; i++)
            flow = run_step(job, now);
        if (flow == FLOW_ENDED)
            return exit_worse(code, job->exit_code);
        if (now.mono_ms >= stop_mono_ms)
            return exit_worse(exit_worse(code, job->exit_code),
                              runner_stopped(r));
        if (flow == FLOW_WANT_ROOM) {
            code = exit_worse(code, say(r, job));
            visit_take(&job->visit);
            continue;
        }
        show(r, &job->visit, now);
        int64_t wake = flow == FLOW_MOVED ? now.mono_ms : run_wake_ms(job);
        if (progress_wake_ms(&r->progress) < wake)
            wake = progress_wake_ms(&r->progress);
        if (stop_mono_ms < wake)
            wake = stop_mono_ms;
        if (runner_wait(r, wake, now)) {
            stop_mono_ms = now.mono_ms + STOP_MS;
            run_stop(job);
        }
    }
}

int run_due(struct memory *m)
{
    struct runner *r = &m->runner;
    struct run *job = &m->job.run;
    const struct run_options options = {
        .tour = {&r->site, &m->config, view_of(r->options.bucket_owner)},
        .dry_run = r->options.spec.dry_run,
        .plan = r->options.command == COMMAND_PLAN,
    };
    run_init(job, &options);
    int code = drive(r, job);
    if (options.plan || r->options.output == OUTPUT_TEXT) {
        struct text t = runner_text(r);
        if (options.plan)
            forecast_write(&t, &job->forecast, &r->site, job->groups,
                           r->options.output);
        else
            run_write(&t, job);
        code = exit_worse(code, runner_say(r, &t));
    }
    struct report_done done = {.exit = code, .counts = counts_of(r)};
    progress_done(&r->progress, &done, posix_now());
    return code;
}

int command_run(struct memory *m)
{
    struct runner *r = &m->runner;
    struct fault fault;
    fault_reset(&fault);
    if (!configure(m, r->options.args[0], &fault))
        return runner_complain(r, &fault, configured_from(r->options.args[0]));
    return run_due(m);
}
