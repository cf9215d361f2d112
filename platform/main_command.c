/* main_command.c - firn as a command: one poll loop, and all of its memory.
 *
 * The order is that of trust: read files, connect nothing, touch and lock all
 * memory, then run. What is said goes to stdout, how it goes to stderr. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "base/check.h"
#include "lock.h"
#include "memory.h"
#include "posix.h"
#include "progress.h"
#include "task/archive.h"
#include "task/cat.h"
#include "task/manual.h"
#include "task/message.h"
#include "task/report.h"
#include "transport_curl.h"
#include "version.h"

enum {
    STEPS_AT_ONCE = 64,     /* before the network is looked at again */
    STOP_MS       = 1700,   /* to tell S3 after a signal; two seconds are
                               promised */
    ASLEEP_MS     = 15000,  /* a pause that the poll cannot explain */
    TEXT_BYTES    = 8192,
    PATH_BYTES    = 1024,
};

/* All memory of the program but the pool and the stack. */
static struct memory {
    struct options     options;
    struct transport   transport;
    struct site        site;
    struct progress    progress;
    struct lock_report lock;
    char               text[TEXT_BYTES];
    char               ca_path[PATH_BYTES];
    union {
        struct archive archive;
        struct cat     cat;
    } job;
} memory;

_Static_assert((int)TEXT_BYTES >= (int)MANUAL_BYTES &&
               (int)TEXT_BYTES >= (int)MEMORY_BYTES &&
               (int)TEXT_BYTES >= REPORT_BYTES + (int)MESSAGE_BYTES,
               "one text for all");
_Static_assert(sizeof(struct memory) + CFG_POOL_BYTES + CFG_STACK_BYTES <
               CFG_RESIDENT_BYTES, "what is promised holds the program");

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
    {"command", offsetof(struct memory, job) - sizeof(struct site) -
     sizeof(struct transport), "options, progress, one text"},
};

static const struct memory_table table = {
    rows, sizeof rows / sizeof rows[0], sizeof(struct memory),
};

static struct text start_text(void)
{
    struct text t;
    text_init(&t, memory.text, sizeof memory.text);
    return t;
}

/* A result, to stdout. A reader that closed the pipe has had enough. */
static int say(const struct text *t)
{
    CHECK(!t->overflow);
    enum write_result written = posix_write(STDOUT_FILENO, text_view(t));
    if (written == WRITE_DONE || written == WRITE_CLOSED)
        return 0;
    (void)posix_write(STDERR_FILENO,
                      view_of("78 stdout cannot be written to\n"));
    return 78;
}

static int complain(const struct fault *fault, struct view thing)
{
    const struct message_context context = {.thing = thing};
    struct text t = start_text();
    progress_clear(&memory.progress);
    message_fault(&t, fault, &context);
    text_char(&t, '\n');
    (void)posix_write(STDERR_FILENO, text_view(&t));
    return fault_exit(fault->error);
}

/* A descriptor that is closed at the start would be a socket's soon, and be
 * written to; a directory takes its place, which nobody can write to. */
static void hold_descriptors(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        while (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            if (open("/", O_RDONLY | O_DIRECTORY) < 0)
                break;
}

/* The settings, the site and the transport. The shared files are read into
 * room that the job needs later. */
static bool set_up(struct fault *fault)
{
    const struct options *o = &memory.options;
    struct settings settings = {.profile_option = view_of(o->profile)};
    struct span room = {(uint8_t *)&memory.job, sizeof memory.job};
    struct view bundle = view_of(o->ca_bundle);

    posix_environment(&settings);
    if (!settings_read(&settings, room, fault))
        return false;
    const struct site_options site = {
        .settings = &settings, .region = view_of(o->region),
        .endpoint_url = view_of(o->endpoint_url),
        .bucket_owner = view_of(o->bucket_owner),
        .allow_http = o->allow_http, .rate = o->rate, .seed = posix_seed(),
    };
    memory.site.transport = &memory.transport;
    if (!site_init(&memory.site, &site, fault))
        return false;
    if (bundle.len == 0)
        bundle = settings_either(&settings, SETTING_CA_BUNDLE, "ca_bundle");
    if (!view_copy(bundle, memory.ca_path, sizeof memory.ca_path))
        return message_refuse(fault, ERROR_CONFIG, "the CA bundle's path is "
                              "too long: \"%\"", &bundle);
    const struct transport_options transport = {
        .ca_bundle = memory.ca_path, .user_agent = "firn/" CONFIG_VERSION,
    };
    bool ready = transport_init(&memory.transport, &transport, fault);
    memset(&memory.job, 0, sizeof memory.job);  /* no secret stays in it */
    return ready;
}

/* To people only what they would not expect. */
static void say_lock(void)
{
    const struct lock_report *lock = &memory.lock;
    struct text t = start_text();
    if (memory.options.quiet)
        return;
    if (posix_columns() == 0) {
        lock_describe(lock, &t);
    } else if (!lock->filtered) {
        text_str(&t, "note: no system-call filter: ");
        text_str(&t, lock->unfiltered != NULL ? lock->unfiltered : "off");
        text_str(&t, "; the limits on memory hold\n");
    }
    (void)posix_write(STDERR_FILENO, text_view(&t));
}

/* From here on nothing grows. */
static bool lock_up(struct fault *fault)
{
    const struct options *o = &memory.options;
    if (!lock_fits(memory_total() + memory_sockets(), fault))
        return false;
    lock_touch();
    lock_enter(!o->no_sandbox, &memory.lock);
    say_lock();
    return true;
}

static void set_times(struct now now)
{
    const struct options *o = &memory.options;
    memory.site.give_up_ms = (int64_t)o->give_up_s * 1000;
    memory.site.success_mono_ms = now.mono_ms;
    memory.site.deadline_mono_ms =
        o->deadline_s > 0 ? now.mono_ms + (int64_t)o->deadline_s * 1000
                          : INT64_MAX;
}

static bool begin(struct fault *fault)
{
    posix_trace(memory.options.debug);
    posix_signals_init(false);
    if (!set_up(fault) || !lock_up(fault))
        return false;
    set_times(posix_now());
    return true;
}

/* Lets the network act, until `wake_ms` at the latest. True: a signal asks to
 * stop. */
static bool wait_until(int64_t wake_ms, struct now now)
{
    struct pollfd signals = {.fd = posix_signals_fd(), .events = POLLIN};
    int64_t wait = wake_ms - now.mono_ms;
    if (wait < 0)
        wait = 0;
    if (wait > 1000)
        wait = 1000;
    transport_poll(&memory.transport, &signals, signals.fd >= 0 ? 1 : 0,
                   wait);
    if (posix_now().mono_ms - now.mono_ms > wait + ASLEEP_MS)
        transport_distrust(&memory.transport);
    return (posix_signals_take() & SIGNAL_STOP) != 0;
}

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
        .requests = memory.site.requests, .throttled = memory.site.throttled,
    };
}

static void show_archive(const struct archive *a, struct now now)
{
    struct report_progress r = {
        .phase = phase(a->state), .spec = a->spec,
        .counts = archive_counts(a), .reached_ms = a->counts.reached_ms,
    };
    progress_show(&memory.progress, &r, now);
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
        if (progress_wake_ms(&memory.progress) < wake)
            wake = progress_wake_ms(&memory.progress);
        if (stop_mono_ms < wake)
            wake = stop_mono_ms;
        if (wait_until(wake, now)) {
            stop_mono_ms = now.mono_ms + STOP_MS;
            archive_stop(a);
        }
    }
}

static struct view fault_thing(const struct archive *a)
{
    bool s3 = a->fault.operation != NULL &&
              view_starts(view_of(a->fault.operation), "s3:");
    struct text t;
    if (!s3)
        return view_of(a->spec->group);
    text_init(&t, memory.ca_path, sizeof memory.ca_path);
    text_str(&t, "s3://");
    text_str(&t, a->spec->bucket);
    text_char(&t, '/');
    text_str(&t, a->key);
    return text_view(&t);
}

static int say_result(const struct archive *a, enum flow flow)
{
    bool failed = flow == FLOW_FAILED;
    enum output form = memory.options.output;
    bool archived = !failed && strcmp(a->result.action, "archived") == 0;
    struct report_result r = {
        .spec = a->spec, .key = view_of(a->key), .action = a->result.action,
        .state = a->result.state[0] != '\0' ? a->result.state : NULL,
        .reason = view_of(a->result.reason), .counted = archived,
        .counts = archive_counts(a),
    };
    if (failed && form == OUTPUT_TEXT)
        return 0;
    if (failed) {
        r.action = "failed";
        r.state = NULL;
        r.reason = view_of(a->fault.words[0] != '\0' ? a->fault.words
                           : a->fault.code[0] != '\0' ? a->fault.code
                           : a->fault.what);
    }
    struct text t = start_text();
    report_result(&t, &r, form);
    text_char(&t, '\n');
    progress_clear(&memory.progress);
    return say(&t);
}

static int run_archive(void)
{
    struct archive *a = &memory.job.archive;
    struct fault fault;
    fault_reset(&fault);
    if (!begin(&fault))
        return complain(&fault, view_of(NULL));
    progress_init(&memory.progress, &memory.options, posix_now());
    archive_init(a, &memory.site, &memory.options.spec);
    enum flow flow = drive_archive(a);
    int code = say_result(a, flow);
    if (flow == FLOW_FAILED)
        code = exit_worse(complain(&a->fault, fault_thing(a)), code);
    struct report_done done = {.exit = code, .counts = archive_counts(a)};
    progress_done(&memory.progress, &done, posix_now());
    return code;
}

/* --- cat ---------------------------------------------------------------- */

static void say_note(const struct cat_note *note)
{
    const struct message_context context = {.thing = note->thing};
    struct text t = start_text();
    if (!note->warning) {
        (void)complain(&note->fault, note->thing);
        return;
    }
    message_warning(&t, &note->fault, &context);
    text_char(&t, '\n');
    if (!memory.options.quiet)
        (void)posix_write(STDERR_FILENO, text_view(&t));
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
                : written == WRITE_STOPPED ? fault_exit(ERROR_STOPPED) : 78;
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
        if (wait_until(ready ? now.mono_ms : cat_wake_ms(c), now))
            return exit_worse(fault_exit(ERROR_STOPPED), c->exit_code);
    }
}

static int run_cat(void)
{
    struct cat *c = &memory.job.cat;
    const struct options *o = &memory.options;
    struct fault fault;
    fault_reset(&fault);
    if (!begin(&fault))
        return complain(&fault, view_of(NULL));
    const struct cat_options options = {
        .urls = (const char *const *)o->args, .url_count = o->arg_count,
        .json = o->output == OUTPUT_JSON,
        .escape = isatty(STDOUT_FILENO) == 1,
    };
    progress_init(&memory.progress, o, posix_now());
    cat_init(c, &memory.site, &options);
    int code = drive_cat(c);
    struct report_done done = {
        .exit = code, .counts.requests = memory.site.requests,
        .counts.throttled = memory.site.throttled,
    };
    if (posix_columns() == 0)
        progress_done(&memory.progress, &done, posix_now());
    return code;
}

/* --- the others ----------------------------------------------------------- */

/* As a run would be: all is touched and locked before it is counted. */
static int run_memory(void)
{
    struct fault fault;
    fault_reset(&fault);
    const struct transport_options transport = {.ca_bundle = ""};
    if (!transport_init(&memory.transport, &transport, &fault) ||
        !lock_fits(memory_total() + memory_sockets(), &fault))
        return complain(&fault, view_of(NULL));
    lock_touch();
    lock_enter(true, &memory.lock);
    struct text t = start_text();
    memory_write(&t, &table, &memory.lock, memory.options.output);
    return say(&t);
}

static int run(void)
{
    struct options *o = &memory.options;
    struct text t = start_text();
    if (o->help || o->version) {
        if (o->help)
            manual_write(&t, o->command);
        else
            version_write(&t);
        return say(&t);
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
    struct fault fault;
    fault_reset(&fault);
    hold_descriptors();
    if (!options_parse(&memory.options, argc, argv, &fault) ||
        (!memory.options.help && !memory.options.version &&
         !options_check(&memory.options, posix_now().wall_ms, &fault)))
        return complain(&fault, view_of(NULL));
    return run();
}
