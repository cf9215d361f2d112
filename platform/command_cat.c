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

/* What cat is fed with: the next archive of the group. False: it has to wait
 * for the network. */
static bool feed(struct runner *r, struct stock *s, struct cat *c,
                 struct now now)
{
    enum flow flow = FLOW_MOVED;
    if (s->state == STOCK_GIVING)
        stock_next(s);  /* that one is read */
    for (uint32_t i = 0; i < COMMAND_STEPS && flow == FLOW_MOVED; i++)
        flow = stock_step(s, now);
    if (flow == FLOW_ENDED) {
        cat_feed(c, NULL);
    } else if (flow == FLOW_WANT_ROOM && s->failed) {
        c->exit_code = exit_worse(c->exit_code,
                                  runner_complain(r, &s->fault,
                                                  s->tour.name));
        stock_next(s);
    } else if (flow == FLOW_WANT_ROOM) {
        cat_feed(c, s->url);
    }
    return flow != FLOW_WANT_EVENT;
}

static int drive(struct runner *r, struct cat *c, struct stock *s)
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
        bool fed = flow == FLOW_WANT_INPUT;
        bool ready = flow == FLOW_MOVED || flow == FLOW_WANT_ROOM ||
                     note != NULL || (fed && feed(r, s, c, now));
        int64_t wake = fed ? stock_wake_ms(s) : cat_wake_ms(c);
        if (runner_wait(r, ready ? now.mono_ms : wake, now))
            return exit_worse(runner_stopped(r), c->exit_code);
    }
}

/* The group's archives; those of days that cannot meet the interval are not
 * looked at. */
static bool begin_stock(struct memory *m, struct stock *s,
                        struct fault *fault)
{
    struct runner *r = &m->runner;
    const struct options *o = &r->options;
    struct view group = view_of(o->group);
    if (!configure(m, o->args[0], fault))
        return false;
    if (!config_has(&m->config, group))
        return message_refuse(fault, ERROR_CONFIG, "the configuration does "
                              "not speak of \"%\"", &group);
    const struct stock_options options = {
        .tour = {&r->site, &m->config, view_of(o->bucket_owner), group},
        .from_ms = o->spec.from_ms, .until_ms = o->spec.until_ms,
    };
    stock_init(s, &options);
    return true;
}

int command_cat(struct memory *m)
{
    struct runner *r = &m->runner;
    struct cat *c = &m->job.stocked.cat;
    struct stock *s = &m->job.stocked.stock;
    struct span room = {(uint8_t *)&m->job, sizeof m->job};
    const struct options *o = &r->options;
    struct fault fault;
    fault_reset(&fault);
    if (o->group != NULL ? !begin_stock(m, s, &fault)
                         : !runner_begin(r, room, &fault))
        return runner_complain(r, &fault, view_of(NULL));
    const struct cat_options options = {
        .urls = (const char *const *)o->args,
        .url_count = o->group != NULL ? 0 : o->arg_count,
        .fed = o->group != NULL,
        .json = o->output == OUTPUT_JSON,
        .escape = isatty(STDOUT_FILENO) == 1,
        .want = {o->spec.from_ms, o->spec.until_ms, view_of(o->stream)},
    };
    cat_init(c, &r->site, &options);
    int code = drive(r, c, s);
    struct report_done done = {
        .exit = code, .counts.requests = r->site.requests,
        .counts.throttled = r->site.throttled,
        .counts.retried = r->site.retried,
    };
    if (posix_columns() == 0)
        progress_done(&r->progress, &done, posix_now());
    return code;
}
