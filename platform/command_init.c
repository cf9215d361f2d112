/* command_init.c - a configuration of the account's log groups, to stdout. */
#include "command.h"

static int drive(struct runner *r, struct draft *d)
{
    int code = 0;
    for (;;) {
        struct now now = posix_now();
        enum flow flow = FLOW_MOVED;
        for (uint32_t i = 0; i < COMMAND_STEPS && flow == FLOW_MOVED; i++)
            flow = draft_step(d, now);
        if (flow != FLOW_MOVED && !runner_flush(r, &d->out, &code))
            return code;
        if (flow == FLOW_FAILED)
            return runner_complain(r, &d->fault, view_of(NULL));
        if (flow == FLOW_ENDED)
            return 0;
        bool ready = flow == FLOW_MOVED || flow == FLOW_WANT_ROOM;
        if (runner_wait(r, ready ? now.mono_ms : draft_wake_ms(d), now))
            return runner_stopped(r);
    }
}

int command_init(struct memory *m)
{
    struct runner *r = &m->runner;
    struct draft *d = &m->job.draft;
    struct fault fault;
    fault_reset(&fault);
    if (!runner_begin(r, (struct span){(uint8_t *)&m->job, sizeof m->job},
                      &fault))
        return runner_complain(r, &fault, view_of(NULL));
    draft_init(d, &r->site, view_of(r->options.to));
    return drive(r, d);
}
