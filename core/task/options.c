/* options.c - see options.h. */
#include "task/options.h"

#include "base/check.h"
#include "base/nearest.h"
#include "fetch/choose.h"
#include "task/message.h"

#define VIEWS(...) ((const struct view[]){__VA_ARGS__})

/* Letters, digits and these others. */
static bool made_of(struct view v, const char *others)
{
    for (uint32_t i = 0; i < v.len; i++) {
        uint8_t c = v.at[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9') && strchr(others, c) == NULL)
            return false;
    }
    return true;
}

static const struct option_row *find_row(struct view name)
{
    for (uint32_t i = 0; i < option_row_count; i++)
        if (view_is(name, option_rows[i].name))
            return &option_rows[i];
    return NULL;
}

static bool knows(enum command command, const struct option_row *row)
{
    return command == COMMAND_NONE || (row->commands >> command & 1) != 0;
}

static bool unknown_flag(enum command command, struct view name,
                         struct fault *fault)
{
    struct nearest n;
    nearest_init(&n, name);
    for (uint32_t i = 0; i < option_row_count; i++)
        if (knows(command, &option_rows[i]))
            nearest_offer(&n, option_rows[i].name, option_rows[i].name);
    const char *of = command == COMMAND_NONE ? NULL
                                             : command_rows[command].name;
    struct view parts[] = {name, view_of(of), view_of(n.best)};
    if (of == NULL) {
        parts[1] = view_of(n.best);
        return message_refuse(fault, ERROR_USAGE, n.best != NULL
                              ? "no flag \"%\"; nearest: %"
                              : "no flag \"%\"; firn --help lists them",
                              parts);
    }
    if (n.best != NULL)
        return message_refuse(fault, ERROR_USAGE, "no flag \"%\" for firn %; "
                              "nearest: %", parts);
    parts[2] = view_of(of);
    return message_refuse(fault, ERROR_USAGE, "no flag \"%\" for firn %; "
                          "firn % --help lists them", parts);
}

static bool unknown_command(struct view name, struct fault *fault)
{
    struct nearest n;
    nearest_init(&n, name);
    for (uint32_t i = 0; i < COMMAND_COUNT; i++)
        nearest_offer(&n, command_rows[i].name, command_rows[i].name);
    return message_refuse(fault, ERROR_USAGE, n.best != NULL
                          ? "no command \"%\"; nearest: firn %"
                          : "no command \"%\"; firn --help lists them",
                          VIEWS(name, view_of(n.best)));
}

/* The place of v among "a|b|c". */
static bool choice(struct view words, struct view v, uint32_t *index)
{
    for (*index = 0; words.len > 0; ++*index)
        if (view_equal(view_split(&words, '|'), v))
            return true;
    return false;
}

/* "+ingested,+id", in any order. */
static bool fields(struct spec *spec, struct view v)
{
    while (v.len > 0) {
        struct view word = view_split(&v, ',');
        if (view_is(word, "+ingested"))
            spec->field_ingested = true;
        else if (view_is(word, "+id"))
            spec->field_id = true;
        else
            return false;
    }
    return true;
}

static bool bad_value(const struct option_row *row, struct view v,
                      struct fault *fault)
{
    char least[24], most[24];
    struct text l, m;
    text_init(&l, least, sizeof least);
    text_u64(&l, row->least);
    text_init(&m, most, sizeof most);
    text_u64(&m, row->most);
    struct view name = view_of(row->name);
    if (row->kind == OPTION_NUMBER)
        return message_refuse(fault, ERROR_USAGE, "% takes a whole number "
                              "from % to %, not \"%\"",
                              VIEWS(name, text_view(&l), text_view(&m), v));
    if (row->kind == OPTION_COPY)
        return message_refuse(fault, ERROR_USAGE, "the value of % is longer "
                              "than % bytes", VIEWS(name, text_view(&m)));
    return message_refuse(fault, ERROR_USAGE, "% takes %, not \"%\"",
                          VIEWS(name, view_of(row->value), v));
}

static bool set_value(struct options *o, const struct option_row *row,
                      const char *value, struct fault *fault)
{
    uint8_t *field = (uint8_t *)o + row->at;
    struct view v = view_of(value);
    uint64_t number = 0;
    uint32_t index = 0;
    bool ok = true;
    if (v.len == 0)
        return message_refuse(fault, ERROR_USAGE, "the value of % is empty",
                              VIEWS(view_of(row->name)));
    for (uint32_t i = 0; i < v.len; i++)
        if (v.at[i] < 0x20 || v.at[i] == 0x7f)
            return message_refuse(fault, ERROR_USAGE, "the value of % has a "
                                  "control character in it: \"%\"",
                                  VIEWS(view_of(row->name), v));
    switch (row->kind) {
    case OPTION_FLAG:
        CHECK(false);
        break;
    case OPTION_STRING:
        memcpy(field, &value, sizeof value);
        break;
    case OPTION_COPY:
        ok = view_copy(v, (char *)field, row->most);
        break;
    case OPTION_NUMBER:
        ok = view_u64(v, row->most, &number) && number >= row->least;
        index = (uint32_t)number;
        break;
    case OPTION_CHOICE:
        ok = choice(view_of(row->value), v, &index);
        break;
    case OPTION_FIELDS:
        ok = fields(&o->spec, v);
        break;
    }
    if (ok && (row->kind == OPTION_NUMBER || row->kind == OPTION_CHOICE))
        memcpy(field, &index, sizeof index);
    return ok || bad_value(row, v, fault);
}

/* Takes a flag, and the next argument if that is its value. */
static bool take_flag(struct options *o, char **argv, int *i, int argc,
                      struct fault *fault)
{
    struct view arg = view_of(argv[*i]);
    uint32_t equals = view_find(arg, '=');
    struct view name = view_slice(arg, 0, equals);
    if (view_is(name, "-h"))
        name = view_of("--help");
    const struct option_row *row = find_row(name);
    if (row == NULL)
        return unknown_flag(o->command, name, fault);
    o->given |= 1ull << (row - option_rows);
    if (row->value == NULL) {
        bool yes = true;
        if (equals < arg.len)
            return message_refuse(fault, ERROR_USAGE, "% takes no value",
                                  VIEWS(name));
        memcpy((uint8_t *)o + row->at, &yes, sizeof yes);
        return true;
    }
    if (equals < arg.len)
        return set_value(o, row, argv[*i] + equals + 1, fault);
    if (*i + 1 >= argc || view_starts(view_of(argv[*i + 1]), "--"))
        return message_refuse(fault, ERROR_USAGE, "% needs a value: % %",
                              VIEWS(name, name, view_of(row->value)));
    ++*i;
    return set_value(o, row, argv[*i], fault);
}

static void set_defaults(struct options *o, char **argv)
{
    *o = (struct options){
        .command = COMMAND_NONE, .give_up_s = 300, .count = 10, .args = argv,
        .when.age = PLAN_NO_AGE,
    };
    view_copy(view_of("UTC"), o->spec.timezone, sizeof o->spec.timezone);
}

static bool take_command(struct options *o, struct view name,
                         struct fault *fault)
{
    for (uint32_t i = 0; i < COMMAND_COUNT; i++)
        if (view_is(name, command_rows[i].name)) {
            o->command = (enum command)i;
            return true;
        }
    return unknown_command(name, fault);
}

static bool fits_command(const struct options *o, struct fault *fault)
{
    const struct command_row *row = &command_rows[o->command];
    for (uint32_t i = 0; i < option_row_count; i++)
        if ((o->given >> i & 1) != 0 && !knows(o->command, &option_rows[i]))
            return unknown_flag(o->command, view_of(option_rows[i].name),
                                fault);
    if (o->help || o->version)
        return true;
    if (o->arg_count > row->arg_most)
        return message_refuse(fault, ERROR_USAGE, "firn % has no use for "
                              "\"%\"; firn % --help",
                              VIEWS(view_of(row->name),
                                    view_of(o->args[row->arg_most]),
                                    view_of(row->name)));
    if (o->arg_count < row->arg_least)
        return message_refuse(fault, ERROR_USAGE, "firn % needs %",
                              VIEWS(view_of(row->name), view_of(row->args)));
    return true;
}

bool options_parse(struct options *o, int argc, char **argv,
                   struct fault *fault)
{
    bool flags = true;
    set_defaults(o, argv);
    for (int i = 1; i < argc; i++) {
        bool ok = true;
        if (flags && strcmp(argv[i], "--") == 0)
            flags = false;
        else if (flags && argv[i][0] == '-' && argv[i][1] != '\0')
            ok = take_flag(o, argv, &i, argc, fault);
        else if (o->command == COMMAND_NONE)
            ok = take_command(o, view_of(argv[i]), fault);
        else
            o->args[o->arg_count++] = argv[i];
        if (!ok)
            return false;
    }
    if (o->command != COMMAND_NONE)
        return fits_command(o, fault);
    return o->help || o->version ||
           message_refuse(fault, ERROR_USAGE, "firn needs a command; firn "
                          "--help lists them", NULL);
}

/* What goes into headers of S3. */
static bool check_storage(const struct spec *spec, struct fault *fault)
{
    struct view class = view_of(spec->storage_class);
    struct view sse = view_of(spec->sse);
    if (!made_of(class, "_"))
        return message_refuse(fault, ERROR_USAGE, "\"%\" is not a storage "
                              "class; GLACIER_IR, say", &class);
    if (sse.len > 0 && !view_is(sse, "AES256") && !view_is(sse, "aws:kms") &&
        !view_is(sse, "aws:kms:dsse"))
        return message_refuse(fault, ERROR_USAGE, "--sse takes AES256, "
                              "aws:kms or aws:kms:dsse, not \"%\"", &sse);
    if (spec->sse_kms_key_id[0] != '\0' && !view_starts(sse, "aws:kms"))
        return message_refuse(fault, ERROR_USAGE, "--sse-kms-key-id needs "
                              "--sse aws:kms beside it", NULL);
    return true;
}

static bool check_archive(struct options *o, int64_t now_ms,
                          struct fault *fault)
{
    struct spec *s = &o->spec;
    if (o->group == NULL || o->to == NULL)
        return message_refuse(fault, ERROR_USAGE, "firn archive needs %",
                              VIEWS(view_of(o->group == NULL
                                            ? "--group NAME"
                                            : "--to s3://BUCKET/KEY")));
    if (!plan_group(view_of(o->group), fault) ||
        !plan_to(s, view_of(o->to), fault) || !check_storage(s, fault) ||
        !plan_window(s, &o->when, now_ms, fault) ||
        !plan_template(s, fault))
        return false;
    s->checksum = o->checksum == CHECKSUM_CRC64NVME;
    if (o->via == VIA_EXPORT) {
        if (s->format == FORMAT_NDJSON && options_given(o, "--format"))
            return message_refuse(fault, ERROR_USAGE, "exports are text, "
                                  "which does not name streams: --via export "
                                  "needs --format text", NULL);
        s->source = SOURCE_EXPORT;
        s->format = FORMAT_TEXT;
    }
    if (s->format == FORMAT_TEXT && (s->field_ingested || s->field_id))
        return message_refuse(fault, ERROR_USAGE, "--fields needs --format "
                              "ndjson; text has no room for them", NULL);
    return view_copy(view_of(o->group), s->group, sizeof s->group);
}

/* Either a whole window of a group, or neither. */
static bool check_merge_day(struct options *o, int64_t now_ms,
                            struct fault *fault)
{
    struct spec *s = &o->spec;
    bool window = o->when.day != NULL || o->when.from != NULL ||
                  o->when.until != NULL;
    if (window != (o->group != NULL))
        return message_refuse(fault, ERROR_USAGE, "to count as a day, a merge "
                              "needs both --group NAME and --day YYYY-MM-DD",
                              NULL);
    if (window)
        return plan_group(view_of(o->group), fault) &&
               plan_window(s, &o->when, now_ms, fault) &&
               plan_template(s, fault) &&
               view_copy(view_of(o->group), s->group, sizeof s->group);
    if (strchr(s->key, '{') != NULL)
        return message_refuse(fault, ERROR_USAGE, "without --group and --day, "
                              "firn merge needs a full key: --to "
                              "s3://BUCKET/KEY", NULL);
    return true;
}

static bool check_merge(struct options *o, int64_t now_ms,
                        struct fault *fault)
{
    struct spec *s = &o->spec;
    struct view bucket, prefix, url = view_of(o->args[0]);
    if (o->to == NULL)
        return message_refuse(fault, ERROR_USAGE, "firn merge needs --to "
                              "s3://BUCKET/KEY", NULL);
    if (!plan_url(url, &bucket, &prefix, fault))
        return false;
    if (prefix.len > 0 && !view_ends(prefix, "/"))
        return message_refuse(fault, ERROR_USAGE, "\"%\" is no prefix; those "
                              "end in \"/\": s3://BUCKET/PREFIX/", &url);
    if (!plan_to(s, view_of(o->to), fault) || !check_storage(s, fault) ||
        !check_merge_day(o, now_ms, fault))
        return false;
    struct view key = view_of(s->key);
    s->source = SOURCE_MERGE;
    s->from = o->args[0];
    s->format = FORMAT_TEXT;
    s->compress = view_ends(key, ".zst") ? COMPRESS_ZSTD : COMPRESS_GZIP;
    s->as_found = !view_ends(key, ".gz") && !view_ends(key, ".zst") &&
                  !view_ends(key, "{ext}");
    s->checksum = o->checksum == CHECKSUM_CRC64NVME;
    return true;
}

static bool check_objects(const struct options *o, struct fault *fault)
{
    struct view bucket, key;
    for (uint32_t i = 0; i < o->arg_count; i++) {
        struct view url = view_of(o->args[i]);
        if (!plan_url(url, &bucket, &key, fault))
            return false;
        if (key.len == 0 || view_ends(key, "/"))
            return message_refuse(fault, ERROR_USAGE, "\"%\" is not one "
                                  "object: s3://BUCKET/KEY", &url);
    }
    return true;
}

static bool check_adopt(struct options *o, int64_t now_ms,
                        struct fault *fault)
{
    struct spec *s = &o->spec;
    struct view bucket, key;
    const struct plan_when *w = &o->when;
    const char *lacks = o->group == NULL ? "--group NAME"
                        : w->day == NULL && w->from == NULL &&
                                  w->until == NULL ? "--day YYYY-MM-DD"
                                                   : NULL;
    if (lacks != NULL)
        return message_refuse(fault, ERROR_USAGE, "firn adopt needs %",
                              VIEWS(view_of(lacks)));
    return check_objects(o, fault) && plan_group(view_of(o->group), fault) &&
           check_storage(s, fault) && plan_window(s, w, now_ms, fault) &&
           plan_url(view_of(o->args[0]), &bucket, &key, fault) &&
           view_copy(bucket, s->bucket, sizeof s->bucket) &&
           view_copy(key, s->key, sizeof s->key) &&
           view_copy(view_of(o->group), s->group, sizeof s->group);
}

bool options_config(const char *arg)
{
    return !view_starts(view_of(arg), "s3://") ||
           view_ends(view_of(arg), ".json");
}

static bool check_cat(struct options *o, struct fault *fault)
{
    if (view_of(o->stream).len > CHOOSE_STREAM_BYTES)
        return message_refuse(fault, ERROR_USAGE, "a log stream's name is of "
                              "512 characters at most, and so is --stream",
                              NULL);
    bool config = o->arg_count == 1 && options_config(o->args[0]);
    if (config != (o->group != NULL))
        return message_refuse(fault, ERROR_USAGE, config
                              ? "firn cat CONFIG needs --group NAME"
                              : "--group needs a configuration: firn cat "
                                "CONFIG --group NAME", NULL);
    return (config ? plan_group(view_of(o->group), fault)
                   : check_objects(o, fault)) &&
           plan_interval(&o->spec, &o->when, fault);
}

static bool check_restore(const struct options *o, struct fault *fault)
{
    if (o->days == 0)
        return message_refuse(fault, ERROR_USAGE, "firn restore needs --days "
                              "N", NULL);
    return check_objects(o, fault);
}

static bool check_status(const struct options *o, struct fault *fault)
{
    struct view bucket, prefix, url = view_of(o->args[0]);
    bool config = options_config(o->args[0]);
    if (!config && !plan_url(url, &bucket, &prefix, fault))
        return false;
    if (!config && prefix.len > 0 && !view_ends(prefix, "/"))
        return message_refuse(fault, ERROR_USAGE, "\"%\" is no prefix of "
                              "archives; those end in \"/\": "
                              "s3://BUCKET/PREFIX/", &url);
    if (o->when.age == 0)
        return message_refuse(fault, ERROR_USAGE, "--age 0 is today, which "
                              "cannot be archived yet", NULL);
    return true;
}

static bool check_retention(struct options *o, int64_t now_ms,
                            struct fault *fault)
{
    struct spec *s = &o->spec;
    const char *lacks = o->group == NULL     ? "--group NAME"
                        : o->days == 0       ? "--days N"
                        : o->archive == NULL ? "--archive s3://BUCKET/KEY"
                                             : NULL;
    if (lacks != NULL)
        return message_refuse(fault, ERROR_USAGE, "firn retention needs %",
                              VIEWS(view_of(lacks)));
    if (!plan_group(view_of(o->group), fault) ||
        !plan_retention(o->days, fault) ||
        !plan_to(s, view_of(o->archive), fault) ||
        !plan_window(s, &o->when, now_ms, fault) ||
        !plan_template(s, fault))
        return false;
    if (strstr(s->key, "{date}") == NULL && strstr(s->key, "{dd}") == NULL)
        return message_refuse(fault, ERROR_USAGE, "--archive \"%\" does not "
                              "tell days apart; it needs {date}, or {yyyy} "
                              "{mm} and {dd}", VIEWS(view_of(s->key)));
    return view_copy(view_of(o->group), s->group, sizeof s->group);
}

static bool check_schedule(struct options *o, int64_t now_ms,
                           struct fault *fault)
{
    struct spec *s = &o->spec;
    if (!plan_interval(s, &o->when, fault) ||
        !schedule_parse(&o->schedule, view_of(o->args[0]),
                        zone_find(view_of(s->timezone)), fault))
        return false;
    if (o->when.from == NULL)
        s->from_ms = now_ms;
    o->schedule.anchor_ms = s->from_ms;
    return schedule_next(&o->schedule, s->from_ms) != SCHEDULE_NEVER ||
           message_refuse(fault, ERROR_USAGE, "schedule \"%\" does not fire "
                          "after % any more",
                          VIEWS(view_of(o->args[0]), o->when.from != NULL
                                ? view_of(o->when.from) : view_of("now")));
}

bool options_given(const struct options *o, const char *name)
{
    const struct option_row *row = find_row(view_of(name));
    CHECK(row != NULL);
    return (o->given >> (row - option_rows) & 1) != 0;
}

bool options_check(struct options *o, int64_t now_ms, struct fault *fault)
{
    struct view owner = view_of(o->bucket_owner);
    if (owner.len > 0 && (owner.len != 12 ||
                          !view_u64(owner, UINT64_MAX, &(uint64_t){0})))
        return message_refuse(fault, ERROR_USAGE, "--expected-bucket-owner "
                              "takes an account of 12 digits, not \"%\"",
                              &owner);
    switch (o->command) {
    case COMMAND_ARCHIVE: return check_archive(o, now_ms, fault);
    case COMMAND_MERGE:   return check_merge(o, now_ms, fault);
    case COMMAND_ADOPT:   return check_adopt(o, now_ms, fault);
    case COMMAND_CAT:     return check_cat(o, fault);
    case COMMAND_VERIFY:
        return ((o->arg_count == 1 && options_config(o->args[0])) ||
                check_objects(o, fault)) && check_storage(&o->spec, fault);
    case COMMAND_RESTORE: return check_restore(o, fault);
    case COMMAND_STATUS:  return check_status(o, fault);
    case COMMAND_RETENTION: return check_retention(o, now_ms, fault);
    case COMMAND_INIT:
        return o->to != NULL
                   ? plan_many(view_of(o->to), fault)
                   : message_refuse(fault, ERROR_USAGE, "firn init needs --to "
                                    "s3://BUCKET/", NULL);
    case COMMAND_SCHEDULE: return check_schedule(o, now_ms, fault);
    case COMMAND_RUN:
    case COMMAND_DAEMON:
    case COMMAND_POLICY:
    case COMMAND_PLAN:
    case COMMAND_DOCTOR:
    case COMMAND_MEMORY:
    case COMMAND_NONE:    break;
    }
    return true;
}
