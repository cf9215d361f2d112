/* command_retention.c - how long CloudWatch keeps a group. */
#include <unistd.h>

#include "command.h"

static enum flow drive(struct runner *r, struct retention *job)
{
    for (;;) {
        struct now now = posix_now();
        enum flow flow = FLOW_MOVED;
        for (uint32_t i = 0; i < COMMAND_STEPS && flow == FLOW_MOVED; i++)
            flow = retention_step(job, now);
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (runner_wait(r, flow == FLOW_MOVED ? now.mono_ms
                                              : retention_wake_ms(job), now))
            return flow;
    }
}

static void warn(struct runner *r, const struct retention *job,
                 const char *what)
{
    const struct message_context context = {
        .thing = view_of(job->options.spec->group),
    };
    const struct fault warning = {.what = what};
    struct text t = runner_text(r);
    message_warning(&t, &warning, &context);
    text_char(&t, '\n');
    if (!r->options.quiet)
        (void)posix_write(STDERR_FILENO, text_view(&t));
}

static void warn_all(struct runner *r, const struct retention *job)
{
    if (job->options.days <= 14)
        warn(r, job, "with 14 days or less no archive is ever recounted, "
                "because late events come for as long; 30 days would do");
    if (job->text_days > 0)
        warn(r, job, "days are archived as text: the names of their streams "
                "are in CloudWatch alone, and go with it");
}

int say_retention(struct runner *r, const struct retention *job)
{
    struct text t = runner_text(r);
    retention_write(&t, job, r->options.output);
    int code = runner_say(r, &t);
    struct view group = view_of(job->options.spec->group);
    if (job->state == RETENTION_FAILED)
        return exit_worse(code, runner_complain(r, &job->fault, group));
    warn_all(r, job);
    return code;
}

int command_retention(struct memory *m)
{
    struct runner *r = &m->runner;
    struct retention *job = &m->job.retention;
    struct span room = {(uint8_t *)job, sizeof *job};
    const struct options *o = &r->options;
    const struct retention_options options = {
        .spec = &o->spec, .days = o->days,
        .accept_provisional = o->accept_provisional,
    };
    struct fault fault;
    fault_reset(&fault);
    if (!runner_begin(r, room, &fault))
        return runner_complain(r, &fault, view_of(NULL));
    retention_init(job, &r->site, &options);
    enum flow flow = drive(r, job);
    bool over = flow == FLOW_ENDED || flow == FLOW_FAILED;
    int code = over ? say_retention(r, job) : runner_stopped(r);
    struct report_done done = {
        .exit = code, .counts.requests = r->site.requests,
        .counts.throttled = r->site.throttled,
        .counts.retried = r->site.retried,
    };
    if (posix_columns() == 0)
        progress_done(&r->progress, &done, posix_now());
    return code;
}
