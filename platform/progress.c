/* progress.c - see progress.h. */
#include "progress.h"

#include <unistd.h>

#include "lock.h"
#include "pool.h"
#include "posix.h"

enum { BAR_MS = 200, LINE_MS = 60000 };

void progress_init(struct progress *p, const struct options *o,
                   struct now now)
{
    *p = (struct progress){
        .columns = posix_columns(),
        .shown = !o->quiet && !o->no_progress,
        .last = !o->quiet,
        .begun_mono_ms = now.mono_ms,
        .next_mono_ms = INT64_MAX,
    };
    if (p->shown)
        p->next_mono_ms = now.mono_ms + (p->columns > 0 ? BAR_MS : LINE_MS);
}

int64_t progress_wake_ms(const struct progress *p)
{
    return p->next_mono_ms;
}

/* To the start of the line, and all of it away. */
void progress_clear(struct progress *p)
{
    if (p->drawn)
        (void)posix_write(STDERR_FILENO, view_of("\r\033[K"));
    p->drawn = false;
}

static void draw(struct progress *p, const struct report_progress *r)
{
    char room[512];
    struct text out;
    uint32_t columns = posix_columns();  /* windows change their size */
    if (columns > 1)
        p->columns = columns < 400 ? columns : 400;
    text_init(&out, room, sizeof room);
    report_bar(&out, r, p->columns - 1);
    text_str(&out, "\033[K");
    (void)posix_write(STDERR_FILENO, view_of("\r"));
    p->drawn = posix_write(STDERR_FILENO, text_view(&out)) == WRITE_DONE;
}

static void write_line(const struct report_progress *r, struct now now)
{
    char room[REPORT_BYTES];
    struct text out;
    text_init(&out, room, sizeof room);
    report_phase(&out, r, now.wall_ms);
    text_char(&out, '\n');
    if (!out.overflow)
        (void)posix_write(STDERR_FILENO, text_view(&out));
}

void progress_show(struct progress *p, struct report_progress *r,
                   struct now now)
{
    bool fresh = p->phase != r->phase;
    if (!p->shown || (!fresh && now.mono_ms < p->next_mono_ms))
        return;
    r->elapsed_ms = now.mono_ms - p->begun_mono_ms;
    r->rss_bytes = posix_usage().rss_bytes;
    p->phase = r->phase;
    if (p->columns > 0)
        draw(p, r);
    else
        write_line(r, now);
    p->next_mono_ms = now.mono_ms + (p->columns > 0 ? BAR_MS : LINE_MS);
}

void progress_done(struct progress *p, struct report_done *d, struct now now)
{
    char room[REPORT_BYTES];
    struct text out;
    struct posix_usage usage = posix_usage();

    progress_clear(p);
    if (!p->last)
        return;
    d->elapsed_ms = now.mono_ms - p->begun_mono_ms;
    d->cpu_ms = usage.cpu_ms;
    d->rss_peak_bytes = usage.rss_peak_bytes;
    d->pool_peak_bytes = pool_use().peak;
    d->stack_peak_bytes = lock_stack_peak();
    text_init(&out, room, sizeof room);
    report_done(&out, d, p->columns > 0 ? OUTPUT_TEXT : OUTPUT_JSON);
    text_char(&out, '\n');
    (void)posix_write(STDERR_FILENO, text_view(&out));
}
