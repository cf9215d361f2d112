/* command_adopt.c - an object that something else made, taken for a day. */
#include "command.h"

static struct report_counts counts_of(const struct runner *r)
{
    return (struct report_counts){
        .requests = r->site.requests, .throttled = r->site.throttled,
        .retried = r->site.retried,
    };
}

static const char *phase(enum adopt_state state)
{
    switch (state) {
    case ADOPT_GROUP:
    case ADOPT_EXISTING: return "looking";
    case ADOPT_READING:  return "reading";
    case ADOPT_WRITING:  return "receipt";
    case ADOPT_DONE:
    case ADOPT_FAILED:   break;
    }
    return "ending";
}

static void show(struct runner *r, const struct adopt *a, struct now now)
{
    struct report_progress p = {
        .phase = phase(a->state), .source = report_asked(a->spec),
        .counts = counts_of(r),
    };
    if (a->state == ADOPT_READING) {
        p.counts.events = a->reading.census.tally.events;
        p.counts.bytes_raw = a->reading.inflate.raw_bytes;
        p.counts.bytes_stored = a->reading.object.next;
        p.done = (int64_t)a->reading.object.next;
        p.whole = (int64_t)a->existing.bytes;
    }
    progress_show(&r->progress, &p, now);
}

static enum flow drive(struct runner *r, struct adopt *a)
{
    for (;;) {
        struct now now = posix_now();
        enum flow flow = FLOW_MOVED;
        for (uint32_t i = 0; i < COMMAND_STEPS && flow == FLOW_MOVED; i++)
            flow = adopt_step(a, now);
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        show(r, a, now);
        int64_t wake = flow == FLOW_MOVED ? now.mono_ms : adopt_wake_ms(a);
        if (progress_wake_ms(&r->progress) < wake)
            wake = progress_wake_ms(&r->progress);
        if (!runner_wait(r, wake, now))
            continue;
        fault_set(&a->fault, ERROR_STOPPED, "stopped by a signal; nothing "
                  "was written, run again", 0);
        return FLOW_FAILED;
    }
}

static int say(struct runner *r, const struct adopt *a, enum flow flow)
{
    const struct fault *f = &a->fault;
    struct report_result line = {
        .source = report_asked(a->spec), .bucket = view_of(a->spec->bucket),
        .key = view_of(a->spec->key), .action = a->result.action,
        .state = a->result.state, .reason = view_of(a->result.reason),
        .counted = a->result.counted,
        .counts = {.events = a->result.events,
                   .bytes_raw = a->result.bytes_raw,
                   .bytes_stored = a->existing.bytes},
    };
    int code = 0;
    if (flow == FLOW_FAILED) {
        code = runner_complain(r, f, view_of(r->options.args[0]));
        if (r->options.output == OUTPUT_TEXT)
            return code;
        line.action = "failed";
        line.state = f->error == ERROR_CORRUPT ? "damaged" : NULL;
        line.counted = false;
        line.reason = view_of(f->words[0] != '\0' ? f->words
                              : f->code[0] != '\0' ? f->code : f->what);
    }
    struct text t = runner_text(r);
    report_result(&t, &line, r->options.output);
    text_char(&t, '\n');
    return exit_worse(code, runner_say(r, &t));
}

int command_adopt(struct memory *m)
{
    struct runner *r = &m->runner;
    struct adopt *a = &m->job.adopt;
    struct span room = {(uint8_t *)a, sizeof *a};
    struct fault fault;
    fault_reset(&fault);
    if (!runner_begin(r, room, &fault))
        return runner_complain(r, &fault, view_of(NULL));
    adopt_init(a, &r->site, &r->options.spec);
    enum flow flow = drive(r, a);
    struct report_done done = {.exit = say(r, a, flow)};
    done.counts = counts_of(r);
    progress_done(&r->progress, &done, posix_now());
    return done.exit;
}
