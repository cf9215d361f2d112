/* command_policy.c - what IAM must allow for a configuration. */
#include "command.h"

int command_policy(struct memory *m)
{
    struct runner *r = &m->runner;
    const struct options *o = &r->options;
    struct policy *job = &m->job.policy;
    struct fault fault;
    fault_reset(&fault);
    const struct policy_options options = {
        .config = &m->config,
        .source = view_of(o->args[0]),
        .role = view_of(o->arg_count > 1 ? o->args[1] : NULL),
        .owner = view_of(o->bucket_owner),
        .kind = o->bucket      ? POLICY_BUCKET
                : o->read_only ? POLICY_READ_ONLY : POLICY_RUN,
    };
    if (!configure(m, o->args[0], &fault) ||
        !policy_write(job, &options, &fault))
        return runner_complain(r, &fault, configured_from(o->args[0]));
    return runner_say(r, &job->text);
}
