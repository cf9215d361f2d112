/* command_verify.c - archives held against their receipts. */
#include "command.h"

static const char *phase(enum verify_state state)
{
    switch (state) {
    case VERIFY_NEXT:
    case VERIFY_EXISTING: return "looking";
    case VERIFY_READING:  return "reading";
    case VERIFY_WRITING:
    case VERIFY_TELLING:  return "receipt";
    case VERIFY_DONE:     break;
    }
    return "ending";
}

static struct report_counts counts_of(const struct runner *r)
{
    return (struct report_counts){
        .requests = r->site.requests, .throttled = r->site.throttled,
        .retried = r->site.retried,
    };
}

void show_verify(struct runner *r, const struct verify *v, struct now now)
{
    struct report_progress p = {
        .phase = phase(v->state), .counts = counts_of(r),
    };
    if (v->state == VERIFY_READING) {
        p.source = report_stored(&v->existing.receipt);
        p.counts.events = v->reading.census.tally.events;
        p.counts.bytes_raw = v->reading.inflate.raw_bytes;
        p.counts.bytes_stored = v->reading.object.next;
        p.done = (int64_t)v->reading.object.next;
        p.whole = (int64_t)v->existing.bytes;
    }
    progress_show(&r->progress, &p, now);
}

/* What failed, and how. */
static struct view reason(struct runner *r, const struct fault *f)
{
    struct text t;
    text_init(&t, r->path, sizeof r->path);
    text_str(&t, f->code[0] != '\0' ? f->code : f->what);
    text_str(&t, t.len > 0 && f->words[0] != '\0' ? ": " : "");
    text_str(&t, f->words);
    return text_view(&t);
}

static struct report_result describe(struct runner *runner,
                                     const struct verify_result *result)
{
    const struct fault *f = &result->fault;
    struct report_result line = {
        .bucket = result->name.bucket, .key = result->name.key,
        .action = "verified", .reason = view_of(result->reason),
    };
    if (result->receipt != NULL) {
        const struct receipt *r = result->receipt;
        line.source = report_stored(r);
        line.state = receipt_state_name[r->state];
        line.counted = r->counted;
        line.counts = (struct report_counts){
            .events = r->tally.events, .bytes_raw = r->bytes_raw,
            .bytes_stored = r->bytes_stored,
        };
    }
    if (f->error == ERROR_NONE)
        return line;
    line.action = "failed";
    line.state = f->error == ERROR_CORRUPT ? "damaged" : NULL;
    line.counted = false;
    line.reason = reason(runner, f);
    return line;
}

int say_verified(struct runner *r, const struct verify_result *result)
{
    enum output form = r->options.output;
    bool failed = result->fault.error != ERROR_NONE;
    if (failed)
        (void)runner_complain(r, &result->fault, result->url);
    if (failed && form == OUTPUT_TEXT)
        return 0;
    const struct report_result line = describe(r, result);
    struct text t = runner_text(r);
    report_result(&t, &line, form);
    text_char(&t, '\n');
    return runner_say(r, &t);
}

static void say(struct runner *r, struct verify *v)
{
    const struct verify_result *result = verify_result(v);
    if (result != NULL)
        v->exit_code = exit_worse(v->exit_code, say_verified(r, result));
}

static int stopped(struct runner *r, const struct verify *v)
{
    struct fault fault;
    fault_reset(&fault);
    fault_set(&fault, ERROR_STOPPED, "stopped by a signal; run again", 0);
    return exit_worse(v->exit_code,
                      runner_complain(r, &fault,
                                      view_of(v->options.urls[v->at])));
}

static int drive(struct runner *r, struct verify *v)
{
    for (;;) {
        struct now now = posix_now();
        enum flow flow = FLOW_MOVED;
        for (uint32_t i = 0; i < COMMAND_STEPS && flow == FLOW_MOVED; i++) {
            flow = verify_step(v, now);
            say(r, v);
        }
        if (flow == FLOW_ENDED)
            return v->exit_code;
        show_verify(r, v, now);
        int64_t wake = flow == FLOW_MOVED ? now.mono_ms : verify_wake_ms(v);
        if (progress_wake_ms(&r->progress) < wake)
            wake = progress_wake_ms(&r->progress);
        if (runner_wait(r, wake, now))
            return stopped(r, v);
    }
}

/* One after the other, until a signal comes. */
static int drive_all(struct runner *r, struct stock *s, struct verify *v)
{
    const char *url = s->url;
    const struct verify_options options = {
        .urls = &url, .url_count = 1, .sse = view_of(r->options.spec.sse),
        .sse_kms_key_id = view_of(r->options.spec.sse_kms_key_id),
    };
    int code = 0;
    for (;;) {
        struct now now = posix_now();
        enum flow flow = stock_step(s, now);
        if (flow == FLOW_ENDED)
            return code;
        if (flow == FLOW_WANT_ROOM && s->failed) {
            code = exit_worse(code, runner_complain(r, &s->fault,
                                                    s->tour.name));
        } else if (flow == FLOW_WANT_ROOM) {
            verify_init(v, &r->site, &options);
            code = exit_worse(code, drive(r, v));
            if (v->state != VERIFY_DONE)
                return code;
        }
        if (flow == FLOW_WANT_ROOM)
            stock_next(s);
        else if (flow != FLOW_MOVED &&
                 runner_wait(r, stock_wake_ms(s), now))
            return exit_worse(code, runner_stopped(r));
    }
}

static int verify_config(struct memory *m)
{
    struct runner *r = &m->runner;
    const struct options *o = &r->options;
    struct fault fault;
    fault_reset(&fault);
    if (!configure(m, o->args[0], &fault))
        return runner_complain(r, &fault, view_of(NULL));
    const struct stock_options options = {
        .tour = {.site = &r->site, .config = &m->config,
                 .bucket_owner = view_of(o->bucket_owner)},
        .from_ms = INT64_MIN, .until_ms = INT64_MAX,
    };
    stock_init(&m->job.stocked.stock, &options);
    return drive_all(r, &m->job.stocked.stock, &m->job.stocked.verify);
}

static int verify_objects(struct memory *m)
{
    struct runner *r = &m->runner;
    struct verify *v = &m->job.verify;
    struct span room = {(uint8_t *)v, sizeof *v};
    const struct options *o = &r->options;
    struct fault fault;
    fault_reset(&fault);
    if (!runner_begin(r, room, &fault))
        return runner_complain(r, &fault, view_of(NULL));
    const struct verify_options options = {
        .urls = (const char *const *)o->args, .url_count = o->arg_count,
        .sse = view_of(o->spec.sse),
        .sse_kms_key_id = view_of(o->spec.sse_kms_key_id),
    };
    verify_init(v, &r->site, &options);
    return drive(r, v);
}

int command_verify(struct memory *m)
{
    struct runner *r = &m->runner;
    bool config = options_config(r->options.args[0]);
    struct report_done done = {
        .exit = config ? verify_config(m) : verify_objects(m),
    };
    done.counts = counts_of(r);
    progress_done(&r->progress, &done, posix_now());
    return done.exit;
}
