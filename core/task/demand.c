/* demand.c - see demand.h. */
#include "task/demand.h"

#include "base/date.h"
#include "base/json.h"
#include "base/nearest.h"
#include "task/message.h"
#include "task/plan.h"

enum { TOKENS = 96, WORD_BYTES = 128 };

/* A string of the event, cut to what a sentence has room for. */
static struct view word_of(const struct json *j, int32_t node)
{
    struct view raw = json_raw(j, node);
    return view_slice(raw, 0, raw.len < WORD_BYTES ? raw.len : WORD_BYTES);
}

static bool is_scheduled(const struct json *j, int32_t source)
{
    return json_is(j, json_member(j, 0, "detail-type"), "Scheduled Event") &&
           (json_is(j, source, "aws.events") ||
            json_is(j, source, "aws.scheduler"));
}

static bool known_names(const struct json *j, struct fault *fault)
{
    static const char *const names[] = {"group", "day"};
    for (int32_t n = json_first(j, 0); n != JSON_NONE; n = json_next(j, n)) {
        struct view name = word_of(j, n);
        struct nearest near;
        nearest_init(&near, name);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            nearest_offer(&near, names[i], names[i]);
        if (!json_is(j, n, names[0]) && !json_is(j, n, names[1]))
            return message_refuse(
                fault, ERROR_CONFIG, near.best != NULL
                ? "the event's key \"%\" is not known; nearest: \"%\""
                : "the event's key \"%\" is not known; there are \"group\" "
                  "and \"day\"",
                (const struct view[]){name, view_of(near.best)});
    }
    return true;
}

static bool read_one(struct demand *d, const struct json *j,
                     struct fault *fault)
{
    int64_t days;
    struct text group, day;
    int32_t g = json_member(j, 0, "group"), when = json_member(j, 0, "day");
    text_init(&group, d->group, sizeof d->group);
    text_init(&day, d->day, sizeof d->day);
    if (!known_names(j, fault))
        return false;
    if (json_kind(j, g) != JSON_STRING || json_kind(j, when) != JSON_STRING)
        return message_refuse(fault, ERROR_CONFIG, "an event for one day is "
                              "{\"group\": \"/ecs/api\", \"day\": "
                              "\"2026-11-09\"}, both of them strings", NULL);
    if (!json_text(j, g, &group))
        return message_refuse(fault, ERROR_CONFIG, "the event's \"group\" is "
                              "longer than 512 bytes", NULL);
    if (!json_text(j, when, &day) ||
        !date_parse_day(text_view(&day), &days))
        return message_refuse(fault, ERROR_CONFIG, "the event's \"day\" is "
                              "\"%\", and not a day as 2026-11-09",
                              (const struct view[]){word_of(j, when)});
    d->one = true;
    return plan_group(text_view(&group), fault);
}

bool demand_read(struct demand *d, struct view event, struct fault *fault)
{
    int32_t words[JSON_WORDS(TOKENS)];
    struct json j;
    *d = (struct demand){.one = false};
    switch (json_parse(&j, event, words, TOKENS)) {
    case JSON_FINE:
        break;
    case JSON_MANY:
        return message_refuse(fault, ERROR_CONFIG, "the event holds more than "
                              "firn's do", NULL);
    case JSON_INVALID:
    case JSON_CUT:
        return message_refuse(fault, ERROR_CONFIG, "the event is not JSON",
                              NULL);
    }
    if (json_kind(&j, 0) != JSON_OBJECT)
        return message_refuse(fault, ERROR_CONFIG, "the event is not a JSON "
                              "object", NULL);
    int32_t source = json_member(&j, 0, "source");
    if (json_first(&j, 0) == JSON_NONE || is_scheduled(&j, source))
        return true;
    if (source != JSON_NONE)
        return message_refuse(fault, ERROR_CONFIG, "the event is of \"%\"; "
                              "firn takes the scheduled ones of aws.events "
                              "and aws.scheduler",
                              (const struct view[]){word_of(&j, source)});
    return read_one(d, &j, fault);
}
