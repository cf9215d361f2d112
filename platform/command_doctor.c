/* command_doctor.c - what would fail, and the cure, to stdout. */
#include "command.h"

static int drive(struct runner *r, struct doctor *d)
{
    int code = 0;
    for (;;) {
        struct now now = posix_now();
        enum flow flow = FLOW_MOVED;
        for (uint32_t i = 0; i < COMMAND_STEPS && flow == FLOW_MOVED; i++)
            flow = doctor_step(d, now);
        if (flow != FLOW_MOVED && !runner_flush(r, &d->out, &code))
            return code;
        if (flow == FLOW_ENDED)
            return d->exit_code;
        bool ready = flow == FLOW_MOVED || flow == FLOW_WANT_ROOM;
        if (runner_wait(r, ready ? now.mono_ms : doctor_wake_ms(d), now))
            return exit_worse(runner_stopped(r), d->exit_code);
    }
}

int command_doctor(struct memory *m)
{
    struct runner *r = &m->runner;
    struct doctor *d = &m->job.doctor;
    struct fault fault;
    fault_reset(&fault);
    if (!configure(m, r->options.args[0], &fault))
        return runner_complain(r, &fault, configured_from(r->options.args[0]));
    const struct doctor_options options = {
        .tour = {&r->site, &m->config, view_of(r->options.bucket_owner)},
        .output = r->options.output, .write = r->options.write,
    };
    doctor_init(d, &options);
    return drive(r, d);
}
