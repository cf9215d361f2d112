/* options_check.c - what the flags of each command say together; see
 * options.h. */
#include "task/options.h"

#include "base/check.h"
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

static bool take_group(struct options *o, struct fault *fault)
{
    struct view group = view_of(o->group);
    if (!plan_group(group, fault))
        return false;
    CHECK(view_copy(group, o->spec.group, sizeof o->spec.group));
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
    if (!take_group(o, fault) ||
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
    return true;
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
        return take_group(o, fault) &&
               plan_window(s, &o->when, now_ms, fault) &&
               plan_template(s, fault);
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
    if (!check_objects(o, fault) || !take_group(o, fault) ||
        !check_storage(s, fault) || !plan_window(s, w, now_ms, fault))
        return false;
    CHECK(plan_url(view_of(o->args[0]), &bucket, &key, fault));
    CHECK(view_copy(bucket, s->bucket, sizeof s->bucket));
    CHECK(view_copy(key, s->key, sizeof s->key));
    return true;
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
    if (!take_group(o, fault) ||
        !plan_retention(o->days, fault) ||
        !plan_to(s, view_of(o->archive), fault) ||
        !plan_window(s, &o->when, now_ms, fault) ||
        !plan_template(s, fault))
        return false;
    if (strstr(s->key, "{date}") == NULL && strstr(s->key, "{dd}") == NULL)
        return message_refuse(fault, ERROR_USAGE, "--archive \"%\" does not "
                              "tell days apart; it needs {date}, or {yyyy} "
                              "{mm} and {dd}", VIEWS(view_of(s->key)));
    return true;
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
    if (schedule_next(&o->schedule, s->from_ms) != SCHEDULE_NEVER)
        return true;
    return message_refuse(fault, ERROR_USAGE, "schedule \"%\" does not fire "
                          "after % any more",
                          VIEWS(view_of(o->args[0]), o->when.from != NULL
                                ? view_of(o->when.from) : view_of("now")));
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
