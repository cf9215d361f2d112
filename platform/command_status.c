/* command_status.c - every day of every group, to stdout. */
#include <unistd.h>

#include "command.h"

static int drive(struct runner *r, struct status *s)
{
    struct view url = view_of(r->options.args[0]);
    int code = 0;
    for (;;) {
        struct now now = posix_now();
        enum flow flow = FLOW_MOVED;
        for (uint32_t i = 0; i < COMMAND_STEPS && flow == FLOW_MOVED; i++)
            flow = status_step(s, now);
        if (flow != FLOW_MOVED && !runner_flush(r, &s->out, &code))
            return code;
        if (flow == FLOW_FAILED)
            return exit_worse(runner_complain(r, &s->fault, url),
                              s->exit_code);
        if (flow == FLOW_ENDED)
            return s->exit_code;
        bool ready = flow == FLOW_MOVED || flow == FLOW_WANT_ROOM;
        if (runner_wait(r, ready ? now.mono_ms : status_wake_ms(s), now))
            return exit_worse(runner_stopped(r), s->exit_code);
    }
}

/* The same of a configuration's groups. */
static int drive_all(struct runner *r, struct overview *o)
{
    int code = 0;
    for (;;) {
        struct now now = posix_now();
        enum flow flow = FLOW_MOVED;
        for (uint32_t i = 0; i < COMMAND_STEPS && flow == FLOW_MOVED; i++)
            flow = overview_step(o, now);
        if (flow != FLOW_MOVED && !runner_flush(r, &o->status.out, &code))
            return code;
        if (flow == FLOW_WANT_ROOM && o->failed)
            (void)runner_complain(r, &o->fault, o->tour.name);
        if (flow == FLOW_ENDED)
            return o->exit_code;
        bool ready = flow == FLOW_MOVED || flow == FLOW_WANT_ROOM;
        if (runner_wait(r, ready ? now.mono_ms : overview_wake_ms(o), now))
            return exit_worse(runner_stopped(r), o->exit_code);
    }
}

static void sum_up(struct runner *r, int code)
{
    struct report_done done = {
        .exit = code, .counts.requests = r->site.requests,
        .counts.throttled = r->site.throttled,
        .counts.retried = r->site.retried,
    };
    if (posix_columns() == 0)
        progress_done(&r->progress, &done, posix_now());
}

static int status_of_config(struct memory *m, bool draw)
{
    struct runner *r = &m->runner;
    const struct options *o = &r->options;
    struct fault fault;
    fault_reset(&fault);
    if (!configure(m, o->args[0], &fault))
        return runner_complain(r, &fault, configured_from(o->args[0]));
    const struct overview_options options = {
        .tour = {&r->site, &m->config, view_of(o->bucket_owner)},
        .age = o->when.age != PLAN_NO_AGE ? o->when.age : 0, .draw = draw,
    };
    overview_init(&m->job.overview, &options);
    int code = drive_all(r, &m->job.overview);
    sum_up(r, code);
    return code;
}

int command_status(struct memory *m)
{
    struct runner *r = &m->runner;
    struct status *s = &m->job.status;
    struct span room = {(uint8_t *)s, sizeof *s};
    const struct options *o = &r->options;
    struct status_options options = {
        .age = o->when.age != PLAN_NO_AGE ? o->when.age : 1,
        .draw = o->output == OUTPUT_TEXT &&
                (isatty(STDOUT_FILENO) == 1 || options_given(o, "--output")),
    };
    struct fault fault;
    fault_reset(&fault);
    if (options_config(o->args[0]))
        return status_of_config(m, options.draw);
    if (!plan_url(view_of(o->args[0]), &options.bucket, &options.prefix,
                  &fault) ||
        !runner_begin(r, room, &fault))
        return runner_complain(r, &fault, view_of(NULL));
    status_init(s, &r->site, &options);
    int code = drive(r, s);
    sum_up(r, code);
    return code;
}
