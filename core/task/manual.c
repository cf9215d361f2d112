/* manual.c - see manual.h. */
#include "task/manual.h"

#include <stddef.h>

#define AT(field) offsetof(struct options, field)

enum {
    RUN     = 1 << COMMAND_RUN,
    DAEMON  = 1 << COMMAND_DAEMON,
    ARCHIVE = 1 << COMMAND_ARCHIVE,
    MERGE   = 1 << COMMAND_MERGE,
    ADOPT   = 1 << COMMAND_ADOPT,
    CAT     = 1 << COMMAND_CAT,
    VERIFY  = 1 << COMMAND_VERIFY,
    RESTORE = 1 << COMMAND_RESTORE,
    STATUS  = 1 << COMMAND_STATUS,
    RETENTION = 1 << COMMAND_RETENTION,
    SCHEDULE = 1 << COMMAND_SCHEDULE,
    INIT    = 1 << COMMAND_INIT,
    DOCTOR  = 1 << COMMAND_DOCTOR,
    POLICY  = 1 << COMMAND_POLICY,
    PLAN    = 1 << COMMAND_PLAN,
    MEMORY  = 1 << COMMAND_MEMORY,
    MAKES   = ARCHIVE | MERGE,
    DAYS    = MAKES | ADOPT,
    REMOTE  = RUN | DAEMON | DAYS | CAT | VERIFY | RESTORE | STATUS |
              RETENTION | INIT | DOCTOR | POLICY |
              PLAN,
    WRITES  = DAYS | VERIFY,
    ALL     = REMOTE | SCHEDULE | MEMORY,
};

const struct option_row option_rows[] = {
    {"--group", "NAME", OPTION_STRING, AT(group), 0, 0,
     CAT | DAYS | RETENTION, "the log group; of a merge, with --day, the one\n"
     "whose day it counts as"},
    {"--days", "N", OPTION_NUMBER, AT(days), 1, 36500, RESTORE | RETENTION,
     "restore: how long the copy stays in S3, from when it\n"
     "is there. retention: how long CloudWatch keeps events:\n"
     "1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096\n"
     "1827 2192 2557 2922 3288 3653"},
    {"--archive", "s3://BUCKET/KEY", OPTION_STRING, AT(archive), 0, 0,
     RETENTION,
     "where the group's days are archived: KEY as archive's\n"
     "--to had it, {date} and all"},
    {"--accept-provisional", NULL, OPTION_FLAG, AT(accept_provisional), 0, 0,
     RETENTION,
     "days that late events may still change count as\n"
     "archived; for those who keep 14 days and know it"},
    {"--to", "s3://BUCKET/KEY", OPTION_STRING, AT(to), 0, 0, MAKES | INIT,
     "the object to write. In KEY these are filled in:\n"
     "{account} {region} {group} {yyyy} {mm} {dd} {date}\n"
     "{ext}. A bucket alone, or a KEY that ends in \"/\", is\n"
     "followed by\n"
     "{account}/{region}/{group}/dt={date}/events.{ext}"},
    {"--stream-prefix", "P", OPTION_COPY, AT(spec.stream_prefix), 0,
     SPEC_GROUP_BYTES, ARCHIVE,
     "only log streams whose names begin so; needs a KEY\n"
     "without {group} and {date}"},
    {"--via", "read|export", OPTION_CHOICE, AT(via), 0, 0, ARCHIVE,
     "how to get at the events: read, by FilterLogEvents; or\n"
     "export, by a task of CloudWatch Logs whose files are\n"
     "merged, as text, and deleted. firn policy --bucket"},
    {"--recompress", NULL, OPTION_FLAG, AT(spec.recompress), 0, 0, MERGE,
     "inflate and compress anew, into one gzip member, even\n"
     "where the objects could be put end to end"},
    {"--delete-source", NULL, OPTION_FLAG, AT(spec.delete_source), 0, 0,
     MERGE,
     "delete the objects once the result was read back; only\n"
     "those that were merged, in the version that was"},
    {"--order", "name|time", OPTION_CHOICE, AT(spec.order), 0, 0, MERGE,
     "name (default): the objects as their keys follow each\n"
     "other. time: all records by their timestamps, those of\n"
     "one time as they came; lines without one stay with the\n"
     "record before. What it takes is said first"},
    {"--day", "YYYY-MM-DD", OPTION_STRING, AT(when.day), 0, 0, DAYS,
     "the calendar day, from midnight to midnight"},
    {"--age", "N", OPTION_NUMBER, AT(when.age), 0, 36500, ARCHIVE | STATUS,
     "the day N days before today; default 1, yesterday.\n"
     "For status, the last one that is due"},
    {"--from", "T", OPTION_STRING, AT(when.from), 0, 0, DAYS | CAT,
     "from this instant: 2026-11-09T02:10:00Z, with +09:00,\n"
     "or without a zone, as the clocks of --timezone show"},
    {"--until", "T", OPTION_STRING, AT(when.until), 0, 0, DAYS | CAT,
     "until before this one"},
    {"--after", "T", OPTION_STRING, AT(when.from), 0, 0, SCHEDULE,
     "later than this: 2026-11-09T02:10:00Z, with +09:00, or\n"
     "as the clocks of --timezone show; default now. A rate\n"
     "is counted from it"},
    {"--count", "N", OPTION_NUMBER, AT(count), 1, 100000, SCHEDULE,
     "so many times at most; default 10"},
    {"--timezone", "NAME", OPTION_COPY, AT(spec.timezone), 0,
     SPEC_ZONE_BYTES, DAYS | CAT | RETENTION | SCHEDULE,
     "where midnight is: Asia/Seoul, say; default UTC"},
    {"--stream", "P", OPTION_STRING, AT(stream), 0, 0, CAT,
     "only log streams whose names begin so; of ndjson, for\n"
     "text does not hold them"},
    {"--format", "ndjson|text", OPTION_CHOICE, AT(spec.format), 0, 0,
     ARCHIVE,
     "ndjson, the default: one JSON object an event, with\n"
     "timestamp, stream and message. text: timestamp and\n"
     "message, as CloudWatch exports them; drops the stream"},
    {"--fields", "+ingested,+id", OPTION_FIELDS, 0, 0, 0, ARCHIVE,
     "more keys for each event of ndjson"},
    {"--compress", "gzip|zstd|none", OPTION_CHOICE, AT(spec.compress), 0, 0,
     ARCHIVE, "default gzip"},
    {"--unmask", NULL, OPTION_FLAG, AT(spec.unmask), 0, 0, ARCHIVE,
     "what a data protection policy masks, in clear; needs\n"
     "the permission logs:Unmask"},
    {"--if-exists", "skip|replace|fail", OPTION_CHOICE, AT(spec.if_exists),
     0, 0, DAYS,
     "when the object is there: skip it if its receipt says\n"
     "it is this very window (default), write over it, or\n"
     "exit 78. adopt: the same of the receipt"},
    {"--partial", NULL, OPTION_FLAG, AT(spec.partial), 0, 0, ARCHIVE,
     "store what is left of a window that began to expire"},
    {"--storage-class", "CLASS", OPTION_COPY, AT(spec.storage_class), 0,
     SPEC_NAME_BYTES, MAKES,
     "GLACIER_IR, say; under 128 KiB always STANDARD"},
    {"--sse", "ALGORITHM", OPTION_COPY, AT(spec.sse), 0, SPEC_NAME_BYTES,
     WRITES, "AES256, aws:kms or aws:kms:dsse; default the bucket's"},
    {"--sse-kms-key-id", "KEY", OPTION_COPY, AT(spec.sse_kms_key_id), 0, 2048,
     WRITES, "the KMS key, with --sse aws:kms"},
    {"--checksum", "crc64nvme|none", OPTION_CHOICE, AT(checksum), 0, 0,
     MAKES, "what S3 checks the object by; default crc64nvme"},
    {"--tier", "Standard|Bulk|Expedited", OPTION_CHOICE, AT(tier), 0, 0,
     RESTORE, "how fast, and at what price; default Standard"},
    {"--wait", NULL, OPTION_FLAG, AT(wait), 0, 0, RESTORE,
     "until the object can be read"},
    {"--expected-bucket-owner", "ACCOUNT", OPTION_STRING, AT(bucket_owner), 0,
     0, REMOTE, "refuse the bucket if another account owns it"},
    {"--bucket", NULL, OPTION_FLAG, AT(bucket), 0, 0, POLICY,
     "the bucket's policy instead, by which CloudWatch Logs\n"
     "may write exports into it"},
    {"--write", NULL, OPTION_FLAG, AT(write), 0, 0, DOCTOR,
     "also try to write, with an object of three bytes that\n"
     "is deleted again"},
    {"--read-only", NULL, OPTION_FLAG, AT(read_only), 0, 0, POLICY,
     "for people on call: status and cat"},
    {"--rate", "N", OPTION_NUMBER, AT(rate), 1, 10000,
     RUN | DAEMON | ARCHIVE | PLAN,
     "log reads a second, at most; default half the quota"},
    {"--give-up", "S", OPTION_NUMBER, AT(give_up_s), 1, 604800, REMOTE,
     "exit 69 after S seconds without one successful call;\n"
     "default 300. Being throttled alone never gives up"},
    {"--deadline", "S", OPTION_NUMBER, AT(deadline_s), 1, 2592000, REMOTE,
     "stop after S seconds and exit 75; default never"},
    {"--region", "NAME", OPTION_STRING, AT(region), 0, 0, REMOTE,
     "default: AWS_REGION, AWS_DEFAULT_REGION, the profile's"},
    {"--profile", "NAME", OPTION_STRING, AT(profile), 0, 0, REMOTE,
     "of ~/.aws/config and credentials; default AWS_PROFILE"},
    {"--endpoint-url", "URL", OPTION_STRING, AT(endpoint_url), 0, 0, REMOTE,
     "for all services, instead of AWS's. Also from\n"
     "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 and\n"
     "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"},
    {"--ca-bundle", "FILE", OPTION_STRING, AT(ca_bundle), 0, 0, REMOTE,
     "trust these certificates alone; also AWS_CA_BUNDLE"},
    {"--allow-http", NULL, OPTION_FLAG, AT(allow_http), 0, 0, REMOTE,
     "plain http to hosts other than this machine"},
    {"--output", "text|json", OPTION_CHOICE, AT(output), 0, 0,
     ALL, "the form of results on stdout; default text"},
    {"--dry-run", NULL, OPTION_FLAG, AT(spec.dry_run), 0, 0,
     RUN | DAYS | RETENTION,
     "say what would be done; write nothing"},
    {"--quiet", NULL, OPTION_FLAG, AT(quiet), 0, 0, ALL,
     "nothing on stderr but errors"},
    {"--no-progress", NULL, OPTION_FLAG, AT(no_progress), 0, 0, ALL,
     "no progress bar and no progress lines"},
    {"--debug", NULL, OPTION_FLAG, AT(debug), 0, 0, REMOTE,
     "say on stderr what each part does; without secrets"},
    {"--no-sandbox", NULL, OPTION_FLAG, AT(no_sandbox), 0, 0, REMOTE,
     "without the system-call filter, for debuggers"},
    {"--help", NULL, OPTION_FLAG, AT(help), 0, 0, ALL, "this text"},
    {"--version", NULL, OPTION_FLAG, AT(version), 0, 0, ALL,
     "version, profile, changed limits, linked parts"},
};

const uint32_t option_row_count = sizeof option_rows / sizeof option_rows[0];
_Static_assert(sizeof option_rows / sizeof option_rows[0] <= 64,
               "options.given has a bit for each");
_Static_assert(sizeof(struct options) <= UINT16_MAX, "offsets are 16 bits");
_Static_assert(sizeof(enum format) == 4, "choices are stored as uint32_t");

static const char exit_codes[] =
    "   0  done\n"
    "  64  usage: the command line says something impossible\n"
    "  65  data is damaged or lost\n"
    "  69  a service could not be reached, or gave up\n"
    "  75  stopped; run again to go on\n"
    "  77  credentials or permission\n"
    "  78  configuration; also no such group, bucket or key, or a limit of\n"
    "      config.h reached\n";

/* Where a section of flags begins. */
static const struct section {
    const char *first, *title;
} sections[] = {
    {"--group", "What, and where to"},
    {"--day", "Which time"},
    {"--format", "In which form"},
    {"--if-exists", "The object"},
    {"--rate", "How fast, and how long"},
    {"--region", "Where AWS is, and who asks"},
    {"--output", "What is said"},
};

enum { HELP_COLUMN = 26 };

static void put_spaces(struct text *out, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        text_char(out, ' ');
}

static void put_option(struct text *out, const struct option_row *row)
{
    uint32_t start = out->len;
    struct view help = view_of(row->help);
    text_str(out, "  ");
    text_str(out, row->name);
    if (row->value != NULL) {
        text_char(out, ' ');
        text_str(out, row->value);
    }
    uint32_t used = out->len - start;
    if (used + 2 > HELP_COLUMN) {
        text_char(out, '\n');
        used = 0;
    }
    while (help.len > 0) {
        put_spaces(out, HELP_COLUMN - used);
        text_put(out, view_split(&help, '\n'));
        text_char(out, '\n');
        used = 0;
    }
}

static void put_options(struct text *out, enum command command)
{
    const char *due = NULL;
    for (uint32_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        for (size_t s = 0; s < sizeof sections / sizeof *sections; s++)
            if (strcmp(sections[s].first, row->name) == 0)
                due = sections[s].title;
        if ((row->commands >> command & 1) == 0)
            continue;
        if (due != NULL) {
            text_char(out, '\n');
            text_str(out, due);
            text_char(out, '\n');
        }
        due = NULL;
        put_option(out, row);
    }
}

static void write_all(struct text *out)
{
    text_str(out,
        "firn - a day of CloudWatch Logs becomes one S3 object, in constant "
        "memory\n\nUsage: firn COMMAND [FLAGS]\n\nCommands\n");
    for (uint32_t i = 0; i < COMMAND_COUNT; i++) {
        uint32_t start = out->len;
        text_str(out, "  ");
        text_str(out, command_rows[i].name);
        put_spaces(out, 12 - (out->len - start));
        text_str(out, command_rows[i].summary);
        text_char(out, '\n');
    }
    text_str(out,
        "\n  firn COMMAND --help   explains one, with its flags and "
        "examples\n"
        "  firn --version        version, profile, changed limits, linked "
        "parts\n"
        "\nA first run\n"
        "  firn archive --group /ecs/api --to s3://acme-logs --dry-run\n"
        "  firn archive --group /ecs/api --to s3://acme-logs\n"
        "\nCredentials and region come from where the AWS CLI finds them:\n"
        "the environment, shared files and profiles, the container, the\n"
        "instance. Results go to stdout, progress and errors to stderr.\n"
        "\nExit codes\n");
    text_str(out, exit_codes);
}

void manual_write(struct text *out, enum command command)
{
    if (command == COMMAND_NONE) {
        write_all(out);
        return;
    }
    const struct command_row *row = &command_rows[command];
    text_str(out, "firn ");
    text_str(out, row->name);
    text_str(out, " - ");
    text_str(out, row->summary);
    text_str(out, "\n\nUsage: firn ");
    text_str(out, row->name);
    text_str(out, row->args[0] != '\0' ? " " : "");
    text_str(out, row->args);
    text_str(out, " [FLAGS]\n\n");
    text_str(out, row->about);
    text_str(out, "\nExamples\n");
    text_str(out, row->examples);
    put_options(out, command);
    text_str(out, "\nExit codes\n");
    text_str(out, row->exits);
}
