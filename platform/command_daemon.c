/* command_daemon.c - stays, and runs at each time of the schedule. */
#include <unistd.h>

#include "command.h"
#include "notify.h"

/* The configuration again, where nothing lies that is still wanted; one that
 * cannot be read changes nothing. */
static void reload(struct memory *m, struct daemon *d)
{
    struct runner *r = &m->runner;
    struct fault fault;
    fault_reset(&fault);
    notify_reloading(posix_now());
    if (!configure_again(m, r->options.args[0], &fault) ||
        !daemon_change(d, m->config.settings.schedule,
                       zone_find(m->config.settings.timezone), &fault))
        (void)runner_complain(r, &fault, view_of(NULL));
    notify_say("READY=1");
}

/* One line, so that a log tells when the next run is. */
static void say_next(struct runner *r, const struct daemon *d)
{
    struct text t = runner_text(r);
    if (r->options.quiet || d->due_ms == SCHEDULE_NEVER)
        return;
    text_str(&t, "{\"phase\":\"waiting\",\"until\":\"");
    date_rfc3339(&t, d->due_ms);
    text_str(&t, "\"}\n");
    if (posix_columns() == 0)
        (void)posix_write(STDERR_FILENO, text_view(&t));
}

static int64_t deadline(const struct runner *r, struct now now)
{
    int64_t s = r->options.deadline_s;
    return s > 0 ? now.mono_ms + s * 1000 : INT64_MAX;
}

/* The exit code: of the last run, and 75 after a signal. */
static int drive(struct memory *m, struct daemon *d)
{
    struct runner *r = &m->runner;
    int code = 0;
    for (;;) {
        struct now now = posix_now();
        enum daemon_act act = daemon_look(d, now);
        if (act == DAEMON_END)
            return code;
        if (act == DAEMON_RUN) {
            runner_again(r, deadline(r, now));
            code = run_due(m);
            if (m->job.run.stopped)
                return code;
            daemon_ran(d);
            say_next(r, d);
        } else if (runner_wait(r, daemon_wake_ms(d, now), now)) {
            return fault_exit(ERROR_STOPPED);
        }
        if (r->reload)
            reload(m, d);
        r->reload = false;
    }
}

int command_daemon(struct memory *m)
{
    struct runner *r = &m->runner;
    const struct config_settings *s = &m->config.settings;
    struct daemon d;
    struct fault fault;
    fault_reset(&fault);
    notify_open();
    if (!configure(m, r->options.args[0], &fault) ||
        !daemon_init(&d, s->schedule, zone_find(s->timezone), posix_now(),
                     &fault))
        return runner_complain(r, &fault, configured_from(r->options.args[0]));
    notify_say("READY=1");
    int code = drive(m, &d);
    notify_say("STOPPING=1");
    return code;
}
