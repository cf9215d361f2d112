/* command_schedule.c - the next times of a schedule, to stdout. */
#include "base/date.h"
#include "command.h"

enum { LINE_BYTES = 64 };

/* To the second: a schedule knows no more. */
static void put_line(struct text *t, int64_t at_ms, enum output output)
{
    text_str(t, output == OUTPUT_JSON ? "{\"time\":\"" : "");
    date_rfc3339(t, at_ms);
    text_cut(t, t->len - (uint32_t)strlen(".000Z"));
    text_str(t, output == OUTPUT_JSON ? "Z\"}\n" : "Z\n");
}

int command_schedule(struct memory *m)
{
    const struct options *o = &m->runner.options;
    struct text t = runner_text(&m->runner);
    int64_t at = schedule_next(&o->schedule, o->spec.from_ms);
    int code = 0;
    for (uint32_t i = 0; i < o->count && at != SCHEDULE_NEVER && code == 0;
         i++) {
        put_line(&t, at, o->output);
        if (t.len + LINE_BYTES > t.capacity) {
            code = runner_say(&m->runner, &t);
            text_reset(&t);
        }
        at = schedule_next(&o->schedule, at);
    }
    return code != 0 ? code : runner_say(&m->runner, &t);
}
