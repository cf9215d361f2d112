/* command_cat.c - archived records to stdout. */
#include <unistd.h>

#include "command.h"

static void say_note(struct runner *r, const struct cat_note *note)
{
    const struct message_context context = {.thing = note->thing};
    struct text t = runner_text(r);
    if (!note->warning) {
        (void)runner_complain(r, &note->fault, note->thing);
        return;
    }
    message_warning(&t, &note->fault, &context);
    text_char(&t, '\n');
    if (!r->options.quiet)
        (void)posix_write(STDERR_FILENO, text_view(&t));
}

/* What is ready goes to stdout; false: there is no more use in going on, and
 * *code says how that ends. */
static bool write_out(struct runner *r, struct cat *c, int *code)
{
    while (ring_len(&c->out) > 0) {
        struct view v = ring_peek(&c->out);
        enum write_result written = posix_write(STDOUT_FILENO, v);
        if (written == WRITE_DONE) {
            ring_consume(&c->out, v.len);
            continue;
        }
        if (written == WRITE_FAILED)
            (void)posix_write(STDERR_FILENO,
                              view_of("78 stdout cannot be written to\n"));
        *code = written == WRITE_CLOSED ? 0
                : written == WRITE_STOPPED ? runner_stopped(r) : 78;
        return false;
    }
    return true;
}

static int drive(struct runner *r, struct cat *c)
{
    int code = 0;
    for (;;) {
        struct now now = posix_now();
        enum flow flow = FLOW_MOVED;
        const struct cat_note *note = NULL;
        for (uint32_t i = 0; i < COMMAND_STEPS && flow == FLOW_MOVED; i++) {
            flow = cat_step(c, now);
            note = cat_note(c);
            if (note != NULL)
                break;
        }
        if (flow != FLOW_MOVED && !write_out(r, c, &code))
            return code;
        if (note != NULL)
            say_note(r, note);
        if (flow == FLOW_ENDED)
            return c->exit_code;
        bool ready = flow == FLOW_MOVED || flow == FLOW_WANT_ROOM ||
                     note != NULL;
        if (runner_wait(r, ready ? now.mono_ms : cat_wake_ms(c), now))
            return exit_worse(runner_stopped(r), c->exit_code);
    }
}

int command_cat(struct memory *m)
{
    struct runner *r = &m->runner;
    struct cat *c = &m->job.cat;
    struct span room = {(uint8_t *)c, sizeof *c};
    const struct options *o = &r->options;
    struct fault fault;
    fault_reset(&fault);
    if (!runner_begin(r, room, &fault))
        return runner_complain(r, &fault, view_of(NULL));
    const struct cat_options options = {
        .urls = (const char *const *)o->args, .url_count = o->arg_count,
        .json = o->output == OUTPUT_JSON,
        .escape = isatty(STDOUT_FILENO) == 1,
        .want = {o->spec.from_ms, o->spec.until_ms, view_of(o->stream)},
    };
    cat_init(c, &r->site, &options);
    int code = drive(r, c);
    struct report_done done = {
        .exit = code, .counts.requests = r->site.requests,
        .counts.throttled = r->site.throttled,
        .counts.retried = r->site.retried,
    };
    if (posix_columns() == 0)
        progress_done(&r->progress, &done, posix_now());
    return code;
}
