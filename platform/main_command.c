/* main_command.c - firn as a command: one poll loop, and all of its memory. */
#include <stddef.h>
#include <unistd.h>

#include "base/check.h"
#include "runner.h"
#include "task/archive.h"
#include "task/cat.h"
#include "version.h"

enum {
    STEPS_AT_ONCE = 64,    /* before the network is looked at again */
    STOP_MS       = 1700,  /* to tell S3 after a signal; two seconds are
                              promised */
};

/* All memory of the program but the pool and the stack. */
static struct memory {
    struct runner runner;
    union {
        struct archive archive;
        struct cat     cat;
    } job;
} memory;

_Static_assert(sizeof(struct memory) + CFG_POOL_BYTES + CFG_STACK_BYTES <
               CFG_RESIDENT_BYTES, "what is promised holds the program");

static struct runner *const runner = &memory.runner;

#define ARCHIVE_ROW(field, what) \
    {#field, sizeof ((struct archive *)0)->field, what}

static const struct memory_row rows[] = {
    ARCHIVE_ROW(slots, "compressed: parts in hand, and lanes that are ahead"),
    ARCHIVE_ROW(lanes, "CFG_LANE_COUNT windows: reply, block, ids seen"),
    ARCHIVE_ROW(shared, "one compressor's workspace, shared by the lanes"),
    ARCHIVE_ROW(upload, "parts under way, their ETags' digest, one call each"),
    ARCHIVE_ROW(index, "the receipt's index of blocks"),
    {"archive",
     sizeof(struct archive) - sizeof ((struct archive *)0)->slots -
     sizeof ((struct archive *)0)->lanes -
     sizeof ((struct archive *)0)->shared -
     sizeof ((struct archive *)0)->upload -
     sizeof ((struct archive *)0)->index,
     "the rest of one job: group, receipt, one call"},
    {"site", sizeof(struct site), "endpoints, credentials, signing keys"},
    {"transport", sizeof(struct transport), "connections, outside the pool"},
    {"runner", sizeof(struct runner) - sizeof(struct site) -
     sizeof(struct transport), "options, progress, one text"},
};

static const struct memory_table table = {
    rows, sizeof rows / sizeof rows[0], sizeof(struct memory),
};

/* --- archive ------------------------------------------------------------ */

static const char *phase(enum archive_state state)
{
    switch (state) {
    case ARCHIVE_GROUP:
    case ARCHIVE_EXISTING:   return "looking";
    case ARCHIVE_READING:    return "reading";
    case ARCHIVE_RECHECK:
    case ARCHIVE_COMMITTING: return "committing";
    case ARCHIVE_RECEIPT:    return "receipt";
    case ARCHIVE_ABORTING:   return "aborting";
    case ARCHIVE_DONE:
    case ARCHIVE_FAILED:     break;
    }
    return "ending";
}

static struct report_counts archive_counts(const struct archive *a)
{
    return (struct report_counts){
        .events = a->counts.events, .bytes_raw = a->counts.bytes_raw,
        .bytes_stored = a->counts.bytes_stored, .parts = a->counts.parts,
        .requests = runner->site.requests,
        .throttled = runner->site.throttled,
        .retried = runner->site.retried,
    };
}

static void show_archive(const struct archive *a, struct now now)
{
    struct report_progress r = {
        .phase = phase(a->state), .spec = a->spec,
        .counts = archive_counts(a), .reached_ms = a->counts.reached_ms,
    };
    progress_show(&runner->progress, &r, now);
}

/* Steps until it ends. A signal stops it; if S3 cannot be told in time, the
 * next run finds what is left. */
static enum flow drive_archive(struct archive *a)
{
    int64_t stop_mono_ms = INT64_MAX;
    enum flow flow = FLOW_MOVED;
    for (;;) {
        struct now now = posix_now();
        for (uint32_t i = 0; i < STEPS_AT_ONCE; i++) {
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
        show_archive(a, now);
        int64_t wake = flow == FLOW_MOVED ? now.mono_ms : archive_wake_ms(a);
        if (progress_wake_ms(&runner->progress) < wake)
            wake = progress_wake_ms(&runner->progress);
        if (stop_mono_ms < wake)
            wake = stop_mono_ms;
        if (runner_wait(runner, wake, now)) {
            stop_mono_ms = now.mono_ms + STOP_MS;
            archive_stop(a);
        }
    }
}

static struct view s3_name(const struct archive *a)
{
    struct text t;
    text_init(&t, runner->path, sizeof runner->path);
    text_str(&t, "s3://");
    text_str(&t, a->spec->bucket);
    text_char(&t, '/');
    text_str(&t, a->key);
    return text_view(&t);
}

static struct view fault_thing(const struct archive *a)
{
    bool s3 = a->fault.operation != NULL &&
              view_starts(view_of(a->fault.operation), "s3:");
    return s3 ? s3_name(a) : view_of(a->spec->group);
}

static struct report_result describe(const struct archive *a)
{
    return (struct report_result){
        .spec = a->spec, .key = view_of(a->key), .action = a->result.action,
        .state = a->result.state[0] != '\0' ? a->result.state : NULL,
        .reason = view_of(a->result.reason), .counts = archive_counts(a),
        .counted = strcmp(a->result.action, "archived") == 0 ||
                   strcmp(a->result.action, "skipped") == 0,
    };
}

static int say_result(const struct archive *a, enum flow flow)
{
    enum output form = runner->options.output;
    struct report_result r = describe(a);
    if (flow == FLOW_FAILED && form == OUTPUT_TEXT)
        return 0;
    if (flow == FLOW_FAILED) {
        const struct fault *f = &a->fault;
        r.action = "failed";
        r.state = NULL;
        r.counted = false;
        r.reason = view_of(f->words[0] != '\0' ? f->words
                           : f->code[0] != '\0' ? f->code : f->what);
    }
    struct text t = runner_text(runner);
    report_result(&t, &r, form);
    text_char(&t, '\n');
    return runner_say(runner, &t);
}

/* A store that tells no checksum is said once, here and in the receipt. */
static void warn_unconfirmed(const struct archive *a)
{
    const struct message_context context = {.thing = s3_name(a)};
    const struct fault warning = {
        .what = "S3 did not confirm the object's CRC64NVME; its size alone "
                "was checked",
    };
    struct text t = runner_text(runner);
    if (strcmp(a->result.action, "archived") != 0 || !a->spec->checksum ||
        a->upload.crc_confirmed || runner->options.quiet)
        return;
    message_warning(&t, &warning, &context);
    text_char(&t, '\n');
    (void)posix_write(STDERR_FILENO, text_view(&t));
}

static int run_archive(void)
{
    struct archive *a = &memory.job.archive;
    struct span room = {(uint8_t *)a, sizeof *a};
    struct fault fault;
    fault_reset(&fault);
    if (!runner_begin(runner, room, &fault))
        return runner_complain(runner, &fault, view_of(NULL));
    archive_init(a, &runner->site, &runner->options.spec);
    enum flow flow = drive_archive(a);
    int code = say_result(a, flow);
    if (flow == FLOW_FAILED)
        code = exit_worse(code, runner_complain(runner, &a->fault,
                                                fault_thing(a)));
    else
        warn_unconfirmed(a);
    struct report_done done = {.exit = code, .counts = archive_counts(a)};
    progress_done(&runner->progress, &done, posix_now());
    return code;
}

/* --- cat ---------------------------------------------------------------- */

static void say_note(const struct cat_note *note)
{
    const struct message_context context = {.thing = note->thing};
    struct text t = runner_text(runner);
    if (!note->warning) {
        (void)runner_complain(runner, &note->fault, note->thing);
        return;
    }
    message_warning(&t, &note->fault, &context);
    text_char(&t, '\n');
    if (!runner->options.quiet)
        (void)posix_write(STDERR_FILENO, text_view(&t));
}

static int stopped(void)
{
    struct fault fault;
    fault_reset(&fault);
    fault_set(&fault, ERROR_STOPPED, "stopped by a signal; run again", 0);
    return runner_complain(runner, &fault, view_of(NULL));
}

/* What is ready goes to stdout; false: there is no more use in going on, and
 * *code says how that ends. */
static bool write_out(struct cat *c, int *code)
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
                : written == WRITE_STOPPED ? stopped() : 78;
        return false;
    }
    return true;
}

static int drive_cat(struct cat *c)
{
    int code = 0;
    for (;;) {
        struct now now = posix_now();
        enum flow flow = FLOW_MOVED;
        const struct cat_note *note = NULL;
        for (uint32_t i = 0; i < STEPS_AT_ONCE && flow == FLOW_MOVED; i++) {
            flow = cat_step(c, now);
            note = cat_note(c);
            if (note != NULL)
                break;
        }
        if (flow != FLOW_MOVED && !write_out(c, &code))
            return code;
        if (note != NULL)
            say_note(note);
        if (flow == FLOW_ENDED)
            return c->exit_code;
        bool ready = flow == FLOW_MOVED || flow == FLOW_WANT_ROOM ||
                     note != NULL;
        if (runner_wait(runner, ready ? now.mono_ms : cat_wake_ms(c), now))
            return exit_worse(stopped(), c->exit_code);
    }
}

static int run_cat(void)
{
    struct cat *c = &memory.job.cat;
    struct span room = {(uint8_t *)c, sizeof *c};
    const struct options *o = &runner->options;
    struct fault fault;
    fault_reset(&fault);
    if (!runner_begin(runner, room, &fault))
        return runner_complain(runner, &fault, view_of(NULL));
    const struct cat_options options = {
        .urls = (const char *const *)o->args, .url_count = o->arg_count,
        .json = o->output == OUTPUT_JSON,
        .escape = isatty(STDOUT_FILENO) == 1,
    };
    cat_init(c, &runner->site, &options);
    int code = drive_cat(c);
    struct report_done done = {
        .exit = code, .counts.requests = runner->site.requests,
        .counts.throttled = runner->site.throttled,
        .counts.retried = runner->site.retried,
    };
    if (posix_columns() == 0)
        progress_done(&runner->progress, &done, posix_now());
    return code;
}

/* --- the others ----------------------------------------------------------- */

/* As a run would be: all is touched and locked before it is counted. */
static int run_memory(void)
{
    struct fault fault;
    fault_reset(&fault);
    const struct transport_options transport = {.ca_bundle = ""};
    if (!runner_fits(&fault) ||
        !transport_init(&runner->transport, &transport, &fault))
        return runner_complain(runner, &fault, view_of(NULL));
    runner_lock(runner);
    struct text t = runner_text(runner);
    memory_write(&t, &table, &runner->lock, runner->options.output);
    return runner_say(runner, &t);
}

static int run(void)
{
    const struct options *o = &runner->options;
    struct text t = runner_text(runner);
    if (o->help || o->version) {
        if (o->help)
            manual_write(&t, o->command);
        else
            version_write(&t);
        return runner_say(runner, &t);
    }
    switch (o->command) {
    case COMMAND_ARCHIVE: return run_archive();
    case COMMAND_CAT:     return run_cat();
    case COMMAND_MEMORY:  return run_memory();
    case COMMAND_NONE:    break;
    }
    CHECK(false);
    return 70;
}

int main(int argc, char **argv)
{
    struct options *o = &runner->options;
    struct fault fault;
    fault_reset(&fault);
    runner_hold();
    if (!options_parse(o, argc, argv, &fault) ||
        (!o->help && !o->version &&
         !options_check(o, posix_now().wall_ms, &fault)))
        return runner_complain(runner, &fault, view_of(NULL));
    return run();
}
