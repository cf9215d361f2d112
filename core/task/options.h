/* options.h - the command line: a table of commands and a table of flags.
 *
 * One row says all about a flag: its name, what follows it, where its value
 * goes, which commands know it, and what --help says. Flags may stand before
 * and after the command, as "--flag value" or "--flag=value"; the last of the
 * same counts; after "--" nothing is a flag. What cannot be is refused with a
 * whole sentence (message.h), naming the nearest thing that can. */
#ifndef FIRN_TASK_OPTIONS_H
#define FIRN_TASK_OPTIONS_H

#include "task/plan.h"
#include "task/schedule.h"
#include "task/spec.h"

enum command {
    COMMAND_RUN,
    COMMAND_DAEMON,
    COMMAND_ARCHIVE,
    COMMAND_MERGE,
    COMMAND_ADOPT,
    COMMAND_CAT,
    COMMAND_VERIFY,
    COMMAND_RESTORE,
    COMMAND_STATUS,
    COMMAND_RETENTION,
    COMMAND_SCHEDULE,
    COMMAND_INIT,
    COMMAND_DOCTOR,
    COMMAND_POLICY,
    COMMAND_PLAN,
    COMMAND_MEMORY,
    COMMAND_NONE,  /* none was given */
};
enum { COMMAND_COUNT = COMMAND_NONE };

enum output { OUTPUT_TEXT, OUTPUT_JSON };
enum restore_tier { TIER_STANDARD, TIER_BULK, TIER_EXPEDITED };

struct options {
    enum command     command;
    bool             help, version;   /* nothing else is to be done */
    struct spec      spec;
    struct plan_when when;

    /* Strings of the argument vector; NULL when not given. */
    const char *group, *to;
    const char *archive;              /* retention */
    const char *region, *profile, *endpoint_url, *ca_bundle, *bucket_owner;
    const char *stream;               /* cat: a prefix */
    bool        accept_provisional;
    uint32_t    rate;                 /* log reads a second; 0: half the
                                         quota */
    uint32_t    give_up_s, deadline_s;  /* deadline 0: none */
    uint32_t    days;                 /* restore, retention */
    enum restore_tier tier;
    enum output output;
    enum { CHECKSUM_CRC64NVME, CHECKSUM_NONE } checksum;
    enum { VIA_READ, VIA_EXPORT } via;
    bool        wait;                 /* restore */
    uint32_t    count;                /* schedule */
    struct schedule schedule;         /* counted from spec.from_ms */
    bool        bucket, read_only;    /* policy */
    bool        write;                /* doctor */
    bool        quiet, no_progress, no_sandbox, allow_http, debug;

    char    **args;      /* what is neither flag nor command */
    uint32_t  arg_count;
    uint64_t  given;     /* bit i: option_rows[i] was */
};

enum option_kind {
    OPTION_FLAG,    /* nothing follows; a bool becomes true */
    OPTION_STRING,  /* a const char * into the argument vector */
    OPTION_COPY,    /* a char array of `most` bytes */
    OPTION_NUMBER,  /* a uint32_t, `least` to `most` */
    OPTION_CHOICE,  /* an enum: the place of the word in `value` */
    OPTION_FIELDS,  /* "+ingested,+id" */
};

struct option_row {
    const char      *name;      /* "--group" */
    const char      *value;     /* "NAME", "a|b"; NULL: nothing follows */
    enum option_kind kind;
    uint16_t         at;        /* offset in struct options */
    uint32_t         least, most;
    uint32_t         commands;  /* bit i: command i knows it */
    const char      *help;      /* lines, each ended but the last by \n */
};

struct command_row {
    const char *name;
    const char *args;      /* "s3://BUCKET/KEY...", or "" */
    uint32_t    arg_least, arg_most;
    const char *summary;   /* one line of firn --help */
    const char *about;     /* paragraphs of firn CMD --help */
    const char *examples;
    const char *exits;     /* what its exit codes mean */
};

extern const struct option_row  option_rows[];
extern const uint32_t           option_row_count;
extern const struct command_row command_rows[COMMAND_COUNT];

/* Reads the arguments, the program's name first; may reorder them. */
bool options_parse(struct options *o, int argc, char **argv,
                   struct fault *fault);
/* Is it a configuration, and no prefix or object of archives? */
bool options_config(const char *arg);
/* Was that flag there? */
bool options_given(const struct options *o, const char *name);
/* Completes o->spec: everything that can be said before AWS is asked. */
bool options_check(struct options *o, int64_t now_ms, struct fault *fault);

#endif
