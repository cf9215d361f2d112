/* command_restore.c - an object back from a Glacier class. */
#include "base/check.h"
#include "command.h"

static struct report_counts counts_of(const struct runner *r)
{
    return (struct report_counts){
        .requests = r->site.requests, .throttled = r->site.throttled,
        .retried = r->site.retried,
    };
}

static enum flow drive(struct runner *r, struct restore *job)
{
    for (;;) {
        struct now now = posix_now();
        enum flow flow = restore_step(job, now);
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        struct report_progress p = {
            .phase = job->state == RESTORE_WAITING ? "waiting" : "asking",
            .counts = counts_of(r),
        };
        if (!job->options.wait || job->state == RESTORE_WAITING)
            progress_show(&r->progress, &p, now);
        int64_t wake = flow == FLOW_MOVED ? now.mono_ms
                                          : restore_wake_ms(job);
        if (progress_wake_ms(&r->progress) < wake)
            wake = progress_wake_ms(&r->progress);
        if (!runner_wait(r, wake, now))
            continue;
        fault_set(&job->fault, ERROR_STOPPED, "stopped by a signal; S3 goes "
                  "on with it, ask again", 0);
        return FLOW_FAILED;
    }
}

static int say(struct runner *r, const struct restore *job, enum flow flow)
{
    const struct fault *f = &job->fault;
    struct report_result line = {
        .bucket = job->options.name.bucket, .key = job->options.name.key,
        .action = job->result.action, .state = job->result.state,
        .reason = view_of(job->result.reason),
    };
    if (flow == FLOW_FAILED && r->options.output == OUTPUT_TEXT)
        return 0;
    if (flow == FLOW_FAILED) {
        line.action = "failed";
        line.state = NULL;
        line.reason = view_of(f->words[0] != '\0' ? f->words
                              : f->code[0] != '\0' ? f->code : f->what);
    }
    struct text t = runner_text(r);
    report_result(&t, &line, r->options.output);
    text_char(&t, '\n');
    return runner_say(r, &t);
}

int command_restore(struct memory *m)
{
    struct runner *r = &m->runner;
    struct restore *job = &m->job.restore;
    struct span room = {(uint8_t *)&m->job, sizeof m->job};
    const struct options *o = &r->options;
    struct fault fault;
    fault_reset(&fault);
    if (!runner_begin(r, room, &fault))
        return runner_complain(r, &fault, view_of(NULL));
    struct restore_options options = {
        .days = o->days, .tier = o->tier, .wait = o->wait,
    };
    bool parsed = object_name_parse(view_of(o->args[0]), &options.name);
    CHECK(parsed);
    restore_init(job, &r->site, &options);
    enum flow flow = drive(r, job);
    int code = say(r, job, flow);
    if (flow == FLOW_FAILED)
        code = exit_worse(code, runner_complain(r, &job->fault,
                                                view_of(o->args[0])));
    struct report_done done = {.exit = code, .counts = counts_of(r)};
    progress_done(&r->progress, &done, posix_now());
    return code;
}
