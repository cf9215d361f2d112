/* main_command.c - firn as a command: one poll loop, and all of its memory. */
#include <stddef.h>

#include "base/check.h"
#include "command.h"
#include "version.h"

static struct memory memory;

_Static_assert(sizeof(struct memory) + CFG_POOL_BYTES + CFG_STACK_BYTES <
               CFG_RESIDENT_BYTES, "what is promised holds the program");

_Static_assert(sizeof memory.job == sizeof memory.job.run,
               "the table's rows are of the largest job");

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
    {"run", sizeof(struct run) - sizeof(struct archive),
     "the group in hand, a mark for each of its days"},
    {"config", sizeof(struct config), "the configuration's text"},
    {"invocation", sizeof(struct invocation), "Lambda's event and answer"},
    {"site", sizeof(struct site), "endpoints, credentials, signing keys"},
    {"transport", sizeof(struct transport), "connections, outside the pool"},
    {"runner", sizeof(struct runner) - sizeof(struct site) -
     sizeof(struct transport), "options, progress, one text"},
};

static const struct memory_table table = {
    rows, sizeof rows / sizeof rows[0], sizeof(struct memory),
};

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
    case COMMAND_ARCHIVE:
    case COMMAND_MERGE:   return command_archive(&memory);
    case COMMAND_ADOPT:   return command_adopt(&memory);
    case COMMAND_PLAN:
    case COMMAND_RUN:     return command_run(&memory);
    case COMMAND_DAEMON:  return command_daemon(&memory);
    case COMMAND_CAT:     return command_cat(&memory);
    case COMMAND_VERIFY:  return command_verify(&memory);
    case COMMAND_RESTORE: return command_restore(&memory);
    case COMMAND_STATUS:  return command_status(&memory);
    case COMMAND_RETENTION: return command_retention(&memory);
    case COMMAND_SCHEDULE: return command_schedule(&memory);
    case COMMAND_INIT:    return command_init(&memory);
    case COMMAND_DOCTOR:  return command_doctor(&memory);
    case COMMAND_POLICY:  return command_policy(&memory);
    case COMMAND_MEMORY:  return run_memory();
    case COMMAND_NONE:    break;
    }
    CHECK(false);
    return 70;
}

/* Lambda gives its bootstrap no arguments. */
static bool is_lambda(int argc)
{
    return argc <= 1 && posix_variable("AWS_LAMBDA_RUNTIME_API").len > 0;
}

int main(int argc, char **argv)
{
    struct options *o = &runner->options;
    struct fault fault;
    fault_reset(&fault);
    runner_hold();
    if (is_lambda(argc))
        return command_lambda(&memory);
    if (!options_parse(o, argc, argv, &fault) ||
        (!o->help && !o->version &&
         !options_check(o, posix_now().wall_ms, &fault)))
        return runner_complain(runner, &fault, view_of(NULL));
    return run();
}
