/* plan.c - see plan.h. */
#include "task/plan.h"

#include "base/check.h"
#include "base/date.h"
#include "base/nearest.h"
#include "task/message.h"

#define DEFAULT_NAME "{account}/{region}/{group}/dt={date}/events.{ext}"

/* The receipt and checkpoint beside an object have longer names than it. */
enum { KEY_MOST = 1024 - (sizeof "_.checkpoint.json" - 1) };

static bool is_one_of(uint8_t c, const char *others)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(others, c) != NULL);
}

static bool only(struct view v, const char *others)
{
    for (uint32_t i = 0; i < v.len; i++)
        if (!is_one_of(v.at[i], others))
            return false;
    return true;
}

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool plan_group(struct view group, struct fault *fault)
{
    if (group.len == 0)
        return message_refuse(fault, ERROR_USAGE,
                              "a log group has a name: --group /ecs/api",
                              NULL);
    if (view_starts(group, "arn:"))
        return message_refuse(fault, ERROR_USAGE, "log group \"%\" is an ARN;"
                              " give the name, what follows \":log-group:\"",
                              &group);
    if (group.len >= SPEC_GROUP_BYTES)
        return message_refuse(fault, ERROR_USAGE, "a log group's name is of "
                              "512 characters at most, not \"%...\"",
                              &(struct view){group.at, 40});
    for (uint32_t i = 0; i < group.len; i++)
        if (!is_one_of(group.at[i], UPPER ".-_/#"))
            return message_refuse(
                fault, ERROR_USAGE, "log group \"%\": \"%\" cannot be in its "
                "name; letters, digits and . - _ / # can",
                (const struct view[]){group, {&group.at[i], 1}});
    return true;
}

/* S3 user guide, "Bucket naming rules"; those of before 2018 in us-east-1 may
 * be longer, with upper case and "_". */
static bool bucket_ok(struct view b)
{
    static const char *const prefixes[] = {"xn--", "sthree-",
                                           "amzn-s3-demo-"};
    static const char *const suffixes[] = {"-s3alias", "--ol-s3", ".mrap",
                                           "--x-s3", "--table-s3"};
    if (b.len < 3 || b.len >= SPEC_BUCKET_BYTES || !only(b, UPPER ".-_"))
        return false;
    if (b.len <= 63 && only(b, ".-")) {
        if (!only((struct view){b.at, 1}, "") ||
            !only((struct view){b.at + b.len - 1, 1}, ""))
            return false;
        for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
            if (view_starts(b, prefixes[i]))
                return false;
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (view_ends(b, suffixes[i]))
            return false;
    uint32_t dots = 0, digits = 0;
    for (uint32_t i = 0; i < b.len; i++) {
        dots += b.at[i] == '.';
        digits += b.at[i] >= '0' && b.at[i] <= '9';
        if (i > 0 && b.at[i] == '.' && b.at[i - 1] == '.')
            return false;
    }
    return dots != 3 || dots + digits < b.len;  /* else an IP address */
}

bool plan_url(struct view url, struct view *bucket, struct view *key,
              struct fault *fault)
{
    if (!view_starts(url, "s3://"))
        return message_refuse(fault, ERROR_USAGE, "\"%\" is not an object of "
                              "S3: s3://BUCKET/KEY", &url);
    struct view rest = view_slice(url, 5, url.len);
    uint32_t slash = view_find(rest, '/');
    *bucket = view_slice(rest, 0, slash);
    *key = view_slice(rest, slash + (slash < rest.len), rest.len);
    if (!bucket_ok(*bucket))
        return message_refuse(fault, ERROR_USAGE, "\"%\" is not a bucket's "
                              "name: 3 to 63 of a-z 0-9 . -, a letter or "
                              "digit at each end", bucket);
    for (uint32_t i = 0; i < key->len; i++)
        if (key->at[i] < 0x20 || key->at[i] == 0x7f)
            return message_refuse(fault, ERROR_USAGE, "\"%\" has a control "
                                  "character in its key", &url);
    if (key->len > 1024)
        return message_refuse(fault, ERROR_USAGE, "S3 takes keys of 1,024 "
                              "bytes at most, not \"%...\"",
                              &(struct view){key->at, 60});
    return true;
}

bool plan_to(struct spec *spec, struct view url, struct fault *fault)
{
    struct view bucket, key;
    struct text t;
    if (!plan_url(url, &bucket, &key, fault))
        return false;
    text_init(&t, spec->bucket, sizeof spec->bucket);
    text_put(&t, bucket);
    text_init(&t, spec->key, sizeof spec->key);
    text_put(&t, key);
    if (key.len == 0 || view_ends(key, "/"))
        text_str(&t, DEFAULT_NAME);
    if (t.overflow)
        return message_refuse(fault, ERROR_USAGE, "S3 takes keys of 1,024 "
                              "bytes at most, with the names put in", NULL);
    return true;
}

/* A stamp with a zone, a local time, or a day. */
static bool read_instant(const char *string, const struct zone *z,
                         int64_t *ms, struct fault *fault)
{
    struct view v = view_of(string);
    bool local = false;
    int64_t days;
    if (date_parse_day(v, &days)) {
        *ms = zone_day_start(z, days);
        return true;
    }
    if (!date_parse_rfc3339(v, ms, &local))
        return message_refuse(fault, ERROR_USAGE, "\"%\" is not a time; give "
                              "2026-11-09T00:00:00Z, or with +09:00", &v);
    if (local)
        *ms = zone_local_to_instant(z, *ms);
    return true;
}

static bool take_day(struct spec *spec, const struct zone *z, int64_t days,
                     struct fault *fault)
{
    char name[16];
    struct text t;
    spec->whole_day = true;
    spec->day = days;
    spec->from_ms = zone_day_start(z, days);
    spec->until_ms = zone_day_start(z, days + 1);
    if (spec->from_ms < spec->until_ms)
        return true;
    text_init(&t, name, sizeof name);
    date_day(&t, days);
    return message_refuse(fault, ERROR_USAGE, "there was no % in %: its "
                          "clocks went past it",
                          (const struct view[]){text_view(&t),
                                                view_of(spec->timezone)});
}

/* What is given of a range; the rest is as it was. */
static bool read_range(struct spec *spec, const struct plan_when *when,
                       const struct zone *z, struct fault *fault)
{
    if ((when->from != NULL &&
         !read_instant(when->from, z, &spec->from_ms, fault)) ||
        (when->until != NULL &&
         !read_instant(when->until, z, &spec->until_ms, fault)))
        return false;
    if (spec->from_ms < spec->until_ms)
        return true;
    return message_refuse(fault, ERROR_USAGE, "--from % is not before "
                          "--until %",
                          (const struct view[]){view_of(when->from),
                                                view_of(when->until)});
}

static bool take_range(struct spec *spec, const struct plan_when *when,
                       const struct zone *z, struct fault *fault)
{
    if (when->from == NULL || when->until == NULL)
        return message_refuse(fault, ERROR_USAGE, "a range needs both --from "
                              "and --until; --until itself is not part of it",
                              NULL);
    if (!read_range(spec, when, z, fault))
        return false;
    spec->day = zone_day_of(z, spec->from_ms);
    spec->whole_day = zone_day_start(z, spec->day) == spec->from_ms &&
                      zone_day_start(z, spec->day + 1) == spec->until_ms;
    return true;
}

static bool past(const struct spec *spec, int64_t now_ms, struct fault *fault)
{
    char end[32], wait[32];
    struct text e, w;
    if (spec->from_ms < 0)
        return message_refuse(fault, ERROR_USAGE, "CloudWatch Logs holds "
                              "nothing of before 1970", NULL);
    if (spec->until_ms <= now_ms)
        return true;
    text_init(&e, end, sizeof end);
    date_rfc3339(&e, spec->until_ms);
    text_init(&w, wait, sizeof wait);
    message_duration(&w, spec->until_ms - now_ms);
    return message_refuse(fault, ERROR_USAGE, "the window ends at %, % from "
                          "now; only what has ended can be archived",
                          (const struct view[]){text_view(&e),
                                                text_view(&w)});
}

static const struct zone *read_zone(const struct spec *spec,
                                    struct fault *fault)
{
    struct view name = view_of(spec->timezone);
    const struct zone *z = zone_find(name);
    if (z != NULL)
        return z;
    const char *near = zone_nearest(name);
    message_refuse(fault, ERROR_CONFIG, near != NULL
                   ? "no time zone \"%\" in tzdata %; nearest: \"%\""
                   : "no time zone \"%\" in tzdata %",
                   (const struct view[]){name, view_of(zone_version),
                                         view_of(near)});
    return NULL;
}

bool plan_window(struct spec *spec, const struct plan_when *when,
                 int64_t now_ms, struct fault *fault)
{
    const struct zone *z = read_zone(spec, fault);
    bool range = when->from != NULL || when->until != NULL;
    bool has_age = when->age != PLAN_NO_AGE;
    int64_t days;
    bool taken;
    if (z == NULL)
        return false;
    if ((when->day != NULL) + has_age + range > 1)
        return message_refuse(fault, ERROR_USAGE, "give one of --day, --age "
                              "and --from with --until", NULL);
    if (range) {
        taken = take_range(spec, when, z, fault);
    } else if (when->day != NULL) {
        struct view day = view_of(when->day);
        if (!date_parse_day(day, &days))
            return message_refuse(fault, ERROR_USAGE, "\"%\" is not a day; "
                                  "give YYYY-MM-DD", &day);
        taken = take_day(spec, z, days, fault);
    } else {
        days = zone_day_of(z, now_ms) - (has_age ? when->age : 1);
        taken = take_day(spec, z, days, fault);
    }
    return taken && past(spec, now_ms, fault);
}

bool plan_interval(struct spec *spec, const struct plan_when *when,
                   struct fault *fault)
{
    const struct zone *z = read_zone(spec, fault);

    spec->from_ms = INT64_MIN;
    spec->until_ms = INT64_MAX;
    return z != NULL && read_range(spec, when, z, fault);
}

enum word {
    WORD_ACCOUNT, WORD_REGION, WORD_GROUP, WORD_YYYY, WORD_MM, WORD_DD,
    WORD_DATE, WORD_EXT, WORD_COUNT,
};

static const char *const word_name[WORD_COUNT] = {
    "account", "region", "group", "yyyy", "mm", "dd", "date", "ext",
};

/* What follows in a template: a word, or the bytes before the next one. */
struct token {
    enum word   word;  /* WORD_COUNT: `literal` counts */
    struct view literal;
};

/* Takes a token off *rest, which is not empty; false when it is none. */
static bool next_token(struct view *rest, struct token *token,
                       struct fault *fault)
{
    uint32_t open = view_find(*rest, '{');
    *token = (struct token){WORD_COUNT, view_slice(*rest, 0, open)};
    *rest = view_slice(*rest, open, rest->len);
    if (open > 0)
        return true;
    uint32_t close = view_find(*rest, '}');
    if (close == rest->len)
        return message_refuse(fault, ERROR_USAGE, "key template: \"%\" has "
                              "no closing }", rest);
    struct view name = view_slice(*rest, 1, close);
    *rest = view_slice(*rest, close + 1, rest->len);
    for (uint32_t w = 0; w < WORD_COUNT; w++)
        if (view_is(name, word_name[w])) {
            token->word = (enum word)w;
            return true;
        }
    struct nearest n;
    nearest_init(&n, name);
    for (uint32_t w = 0; w < WORD_COUNT; w++)
        nearest_offer(&n, word_name[w], word_name[w]);
    return message_refuse(fault, ERROR_USAGE, n.best != NULL
                          ? "key template: no {%}; nearest: {%}"
                          : "key template: no {%}; there are {account} "
                            "{region} {group} {yyyy} {mm} {dd} {date} {ext}",
                          (const struct view[]){name, view_of(n.best)});
}

/* The words that a template has. */
static bool find_words(struct view key, bool has[WORD_COUNT + 1],
                       struct fault *fault)
{
    struct token token;
    while (key.len > 0) {
        if (!next_token(&key, &token, fault))
            return false;
        has[token.word] = true;
    }
    return true;
}

static bool tells_days(const bool has[WORD_COUNT + 1])
{
    return has[WORD_DATE] ||
           (has[WORD_YYYY] && has[WORD_MM] && has[WORD_DD]);
}

static bool refuse_days(struct view key, struct fault *fault)
{
    return message_refuse(fault, ERROR_USAGE, "key \"%\" does not tell days "
                          "apart; it needs {date}, or {yyyy} {mm} and {dd}",
                          &key);
}

bool plan_template(const struct spec *spec, struct fault *fault)
{
    struct view key = view_of(spec->key);
    bool has[WORD_COUNT + 1] = {false};
    if (!find_words(key, has, fault))
        return false;
    bool part = has[WORD_YYYY] || has[WORD_MM] || has[WORD_DD];
    bool day = tells_days(has);
    if ((has[WORD_GROUP] || part) && !day)
        return refuse_days(key, fault);
    if (!has[WORD_GROUP] && !day)
        return true;
    if (!spec->whole_day)
        return message_refuse(fault, ERROR_USAGE, "a window that is not a "
                              "whole day needs a full key, without {group} "
                              "and {date}: --to s3://BUCKET/KEY", NULL);
    if (spec->stream_prefix[0] != '\0')
        return message_refuse(fault, ERROR_USAGE, "--stream-prefix needs a "
                              "full key, without {group} and {date}: --to "
                              "s3://BUCKET/KEY", NULL);
    return true;
}

bool plan_many(struct view url, struct fault *fault)
{
    struct view bucket, key;
    bool has[WORD_COUNT + 1] = {false};
    if (!plan_url(url, &bucket, &key, fault) ||
        !find_words(key, has, fault))
        return false;
    bool folder = key.len == 0 || view_ends(key, "/");
    if (folder && key.len + sizeof DEFAULT_NAME > SPEC_KEY_BYTES)
        return message_refuse(fault, ERROR_USAGE, "S3 takes keys of 1,024 "
                              "bytes at most, with the names put in", NULL);
    if (!folder && !tells_days(has))
        return refuse_days(key, fault);
    if (folder || has[WORD_GROUP])
        return true;
    return message_refuse(fault, ERROR_USAGE, "key \"%\" does not tell "
                          "groups apart; it needs {group}", &key);
}

const char *plan_ext(enum format format, enum compress compress)
{
    static const char *const ext[2][3] = {
        {"ndjson.gz", "ndjson.zst", "ndjson"},
        {"log.gz", "log.zst", "log"},
    };
    return ext[format][compress];
}

static void put_word(struct text *key, enum word word,
                     const struct spec *spec, const struct plan_place *place)
{
    struct view group = view_of(spec->group);
    struct civil c = date_civil(spec->day * DAY_MS);
    switch (word) {
    case WORD_ACCOUNT: text_put(key, place->account); break;
    case WORD_REGION:  text_put(key, place->region); break;
    case WORD_GROUP:
        text_put(key, view_slice(group, view_starts(group, "/"), group.len));
        break;
    case WORD_YYYY: text_pad(key, (uint64_t)c.year, 4); break;
    case WORD_MM:   text_pad(key, (uint64_t)c.month, 2); break;
    case WORD_DD:   text_pad(key, (uint64_t)c.day, 2); break;
    case WORD_DATE: date_day(key, spec->day); break;
    case WORD_EXT:
        text_str(key, plan_ext(spec->format, spec->compress));
        break;
    case WORD_COUNT: break;
    }
}

bool plan_key(const struct spec *spec, const struct plan_place *place,
              struct text *key, struct fault *fault)
{
    struct view rest = view_of(spec->key);
    struct token token;
    uint32_t from = key->len;
    while (rest.len > 0) {
        if (!next_token(&rest, &token, fault))
            return false;
        text_put(key, token.literal);
        put_word(key, token.word, spec, place);
    }
    struct view group = view_of(spec->group);
    if (key->overflow || key->len - from > KEY_MOST || key->len == from)
        return message_refuse(fault, ERROR_USAGE, "the key for \"%\" does "
                              "not fit S3's 1,024 bytes, 17 of which are for "
                              "the receipt's and checkpoint's names", &group);
    return true;
}

bool plan_retention(uint32_t days, struct fault *fault)
{
    /* What PutRetentionPolicy takes (API reference). */
    static const uint32_t allowed[] = {
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096,
        1827, 2192, 2557, 2922, 3288, 3653,
    };
    uint32_t best = allowed[0];
    char asked[16], near[16];
    struct text a, n;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        uint32_t to = allowed[i], far = days > best ? days - best
                                                    : best - days;
        if ((days > to ? days - to : to - days) < far)
            best = to;
    }
    if (best == days)
        return true;
    text_init(&a, asked, sizeof asked);
    text_u64(&a, days);
    text_init(&n, near, sizeof near);
    text_u64(&n, best);
    return message_refuse(fault, ERROR_USAGE, "CloudWatch cannot keep logs "
                          "for % days; nearest: % (of 1 3 5 7 14 30 60 90 "
                          "120 150 180 365 400 545 731 1096 1827 2192 2557 "
                          "2922 3288 3653)",
                          (const struct view[]){text_view(&a),
                                                text_view(&n)});
}
