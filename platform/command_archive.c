/* command_archive.c - one group, one window, one object; or many objects, one
 * object. */
#include <unistd.h>

#include "command.h"
#include "task/gather.h"

enum {
    STOP_MS = 1700,  /* to tell S3 after a signal; two seconds are promised */
};

static const char *phase(enum archive_state state)
{
    switch (state) {
    case ARCHIVE_GROUP:
    case ARCHIVE_EXISTING:
    case ARCHIVE_LOOKING:    return "looking";
    case ARCHIVE_TAKING:     return "waiting";
    case ARCHIVE_EXPORTING:  return "exporting";
    case ARCHIVE_PROVING:    return "verifying";
    case ARCHIVE_REMOVING:   return "deleting";
    case ARCHIVE_COUNTING:
    case ARCHIVE_CHECKING:   return "counting";
    case ARCHIVE_READING:    return "reading";
    case ARCHIVE_RECHECK:
    case ARCHIVE_STORING:
    case ARCHIVE_RECORDING:
    case ARCHIVE_COMMITTING: return "committing";
    case ARCHIVE_SEALING:
    case ARCHIVE_RECEIPT:    return "receipt";
    case ARCHIVE_CLEARING:
    case ARCHIVE_ABORTING:   return "aborting";
    case ARCHIVE_RELEASING:
    case ARCHIVE_SWEEPING:
    case ARCHIVE_DROPPING:
    case ARCHIVE_DONE:
    case ARCHIVE_FAILED:     break;
    }
    return "ending";
}

static struct report_counts archive_counts(const struct runner *r,
                                           const struct archive *a)
{
    return (struct report_counts){
        .events = a->counts.events, .bytes_raw = a->counts.bytes_raw,
        .bytes_stored = a->counts.bytes_stored, .parts = a->counts.parts,
        .requests = r->site.requests,
        .throttled = r->site.throttled,
        .retried = r->site.retried,
    };
}

void show_archive(struct runner *r, const struct archive *a,
                  struct now now)
{
    const struct spec *s = a->spec;
    struct report_progress p = {
        .phase = phase(a->state), .source = report_asked(s),
        .counts = archive_counts(r, a),
        .done = a->counts.reached_ms - s->from_ms,
        .whole = s->until_ms - s->from_ms,
    };
    progress_show(&r->progress, &p, now);
}

static struct view s3_name(struct runner *r, const struct archive *a)
{
    struct text t;
    text_init(&t, r->path, sizeof r->path);
    text_str(&t, "s3://");
    text_str(&t, a->spec->bucket);
    text_char(&t, '/');
    text_str(&t, a->key);
    return text_view(&t);
}

/* Of --order time, once and before it begins. */
static void say_price(struct runner *r, const struct archive *a)
{
    struct text t = runner_text(r);

    if (r->options.quiet)
        return;
    message_escape(&t, s3_name(r, a));
    text_str(&t, ": ");
    text_str(&t, a->price);
    text_char(&t, '\n');
    progress_clear(&r->progress);
    (void)posix_write(STDERR_FILENO, text_view(&t));
}

/* Steps until it ends. A signal stops it; if S3 cannot be told in time, the
 * next run finds what is left. */
static enum flow drive(struct runner *r, struct archive *a)
{
    int64_t stop_mono_ms = INT64_MAX;
    enum flow flow = FLOW_MOVED;
    bool told = a->spec->dry_run;
    for (;;) {
        struct now now = posix_now();
        for (uint32_t i = 0; i < COMMAND_STEPS; i++) {
            flow = archive_step(a, now);
            if (flow != FLOW_MOVED)
                break;
        }
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (now.mono_ms >= stop_mono_ms) {
            fault_set(&a->fault, ERROR_STOPPED, "stopped by a signal", 0);
            return FLOW_FAILED;
        }
        show_archive(r, a, now);
        if (!told && a->price[0] != '\0') {
            told = true;
            say_price(r, a);
        }
        int64_t wake = flow == FLOW_MOVED ? now.mono_ms : archive_wake_ms(a);
        if (progress_wake_ms(&r->progress) < wake)
            wake = progress_wake_ms(&r->progress);
        if (stop_mono_ms < wake)
            wake = stop_mono_ms;
        if (runner_wait(r, wake, now)) {
            stop_mono_ms = now.mono_ms + STOP_MS;
            archive_stop(a);
        }
    }
}

static struct view fault_thing(struct runner *r, const struct archive *a)
{
    struct text t;

    if (a->about[0] != '\0') {
        text_init(&t, r->path, sizeof r->path);
        text_str(&t, "s3://");
        text_put(&t, gather_from(a).bucket);
        text_char(&t, '/');
        text_str(&t, a->about);
        return text_view(&t);
    }
    if (a->spec->source == SOURCE_MERGE)
        return s3_name(r, a);
    bool s3 = a->fault.operation != NULL &&
              view_starts(view_of(a->fault.operation), "s3:");
    return s3 ? s3_name(r, a) : view_of(a->spec->group);
}

static struct report_result describe(const struct runner *r,
                                     const struct archive *a)
{
    bool skipped = strcmp(a->result.action, "skipped") == 0;
    bool made = strcmp(a->result.action, "archived") == 0 ||
                strcmp(a->result.action, "merged") == 0;
    bool counted = skipped ? a->existing.receipt.counted : a->receipt.counted;
    bool sealed = strcmp(a->result.action, "sealed") == 0;
    return (struct report_result){
        .source = report_asked(a->spec), .bucket = view_of(a->spec->bucket),
        .key = skipped || sealed ? a->existing.key : view_of(a->key),
        .action = a->result.action,
        .state = a->result.state[0] != '\0' ? a->result.state : NULL,
        .reason = view_of(a->result.reason), .counts = archive_counts(r, a),
        .counted = (made || skipped) && counted, .sized = made || skipped,
    };
}

static int say_result(struct runner *r, const struct archive *a,
                      enum flow flow)
{
    enum output form = r->options.output;
    struct report_result result = describe(r, a);
    if (flow == FLOW_FAILED && form == OUTPUT_TEXT)
        return 0;
    if (flow == FLOW_FAILED) {
        const struct fault *f = &a->fault;
        result.action = "failed";
        result.state = NULL;
        result.counted = false;
        result.reason = view_of(f->words[0] != '\0' ? f->words
                           : f->code[0] != '\0' ? f->code : f->what);
    }
    struct text t = runner_text(r);
    report_result(&t, &result, form);
    text_char(&t, '\n');
    return runner_say(r, &t);
}

static void warn(struct runner *r, const struct archive *a, const char *what)
{
    const struct message_context context = {.thing = s3_name(r, a)};
    const struct fault warning = {.what = what};
    struct text t = runner_text(r);

    if (r->options.quiet)
        return;
    message_warning(&t, &warning, &context);
    text_char(&t, '\n');
    (void)posix_write(STDERR_FILENO, text_view(&t));
}

/* What a store lacks is said once, here and in the receipt. */
static void warn_of_store(struct runner *r, const struct archive *a)
{
    if (strcmp(a->result.action, "archived") != 0 &&
        strcmp(a->result.action, "merged") != 0)
        return;
    if (a->spec->checksum && !a->receipt.crc64nvme_confirmed)
        warn(r, a, "S3 did not confirm the object's CRC64NVME; its size alone "
                   "was checked");
    if (a->lease.ignored)
        warn(r, a, "the store ignores conditions (If-Match), so two runs are "
                   "not kept apart for sure");
    if (a->lease.fault.error != ERROR_NONE)
        warn(r, a, "its checkpoint could not be deleted; a later run does");
    if (a->cleared && a->merge.order.fault.error != ERROR_NONE)
        warn(r, a, "the sorted runs beside it could not be deleted: "
                   "_NAME.run-*");
}

int say_archive(struct runner *r, const struct archive *a, enum flow flow)
{
    int code = say_result(r, a, flow);
    if (flow == FLOW_FAILED)
        return exit_worse(code, runner_complain(r, &a->fault,
                                                fault_thing(r, a)));
    warn_of_store(r, a);
    return code;
}

int run_archive(struct memory *m, const struct spec *spec)
{
    struct runner *r = &m->runner;
    struct archive *a = &m->job.archive;
    archive_init(a, &r->site, spec);
    enum flow flow = drive(r, a);
    int code = say_archive(r, a, flow);
    struct report_done done = {.exit = code, .counts = archive_counts(r, a)};
    progress_done(&r->progress, &done, posix_now());
    return code;
}

int command_archive(struct memory *m)
{
    struct runner *r = &m->runner;
    struct span room = {(uint8_t *)&m->job, sizeof m->job};
    struct fault fault;
    fault_reset(&fault);
    if (!runner_begin(r, room, &fault))
        return runner_complain(r, &fault, view_of(NULL));
    return run_archive(m, &r->options.spec);
}
