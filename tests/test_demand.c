/* test_demand.c - what Lambda's events ask for, and which ask for nothing. */
#include "row.h"

#include "task/demand.h"

#define RULE(source, type, detail) \
    "{\"version\":\"0\",\"id\":\"cdc73f9d-aea9-11e3-9d5a-835b769c0d9c\"," \
    "\"detail-type\":\"" type "\",\"source\":\"" source "\"," \
    "\"account\":\"123456789012\",\"time\":\"2019-03-01T01:23:45Z\"," \
    "\"region\":\"us-east-2\",\"resources\":[\"arn:aws:events:us-east-2:" \
    "123456789012:rule/my-schedule\"],\"detail\":" detail "}"
#define K100 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk" \
             "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define ONE(group, day) "{\"group\":\"" group "\",\"day\":\"" day "\"}"

static const struct row {
    const char *name, *event;
    const char *words;  /* NULL: taken */
    const char *group;  /* NULL: all that is due */
} rows[] = {
    {"a rule's", RULE("aws.events", "Scheduled Event", "{}"), NULL, NULL},
    {"Scheduler's, with its detail as a string",
     RULE("aws.scheduler", "Scheduled Event", "\"{}\""), NULL, NULL},
    {"empty", "{}", NULL, NULL},
    {"blank and empty", " {\n} ", NULL, NULL},
    {"a group and a day", ONE("/ecs/api", "2026-11-09"), NULL, "/ecs/api"},
    {"the other way round", "{\"day\": \"2026-11-09\", \"group\": \"a\"}",
     NULL, "a"},
    {"escapes are undone", ONE("\\u002fecs\\/api", "2026-11-09"), NULL,
     "/ecs/api"},
    {"of something else", RULE("aws.s3", "Object Created", "{}"),
     "the event is of \"aws.s3\"; firn takes the scheduled ones", NULL},
    {"a rule's, but not by schedule",
     RULE("aws.events", "Rule Changed", "{}"), "is of \"aws.events\"", NULL},
    {"nothing at all", "", "is not JSON", NULL},
    {"no JSON", "hello", "is not JSON", NULL},
    {"half of it", "{\"group\":\"/ecs/api\",\"da", "is not JSON", NULL},
    {"a list", "[]", "is not a JSON object", NULL},
    {"a string", "\"daily\"", "is not a JSON object", NULL},
    {"a day alone", "{\"day\":\"2026-11-09\"}", "an event for one day is",
     NULL},
    {"a group alone", "{\"group\":\"/ecs/api\"}", "an event for one day is",
     NULL},
    {"a number for a day", "{\"group\":\"a\",\"day\":20261109}",
     "both of them strings", NULL},
    {"a day that never was", ONE("a", "2026-02-30"),
     "the event's \"day\" is \"2026-02-30\"", NULL},
    {"a day with a time", ONE("a", "2026-02-03T00:00"), "and not a day", NULL},
    {"a name no group has", ONE("a b", "2026-11-09"), "log group \"a b\"",
     NULL},
    {"an empty name", ONE("", "2026-11-09"), "a log group has a name", NULL},
    {"a bucket of its own choice", "{\"group\":\"a\",\"day\":\"2026-11-09\","
     "\"to\":\"s3://mine/\"}", "the event's key \"to\" is not known", NULL},
    {"a schedule of something else",
     RULE("aws.batch", "Scheduled Event", "{}"), "is of \"aws.batch\"", NULL},
    {"a name of 600 letters", ONE(K100 K100 K100 K100 K100 K100, "2026-11-09"),
     "longer than 512 bytes", NULL},
    {"a long mistake", "{\"" K100 K100 "\":1,\"group\":\"a\",\"day\":"
     "\"2026-11-09\"}", "the event's key \"kkkk", NULL},
    {"a mistake", "{\"grup\":\"a\",\"day\":\"2026-11-09\"}",
     "\"grup\" is not known; nearest: \"group\"", NULL},
    {"too many things", "[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},"
     "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},"
     "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},"
     "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},"
     "{},{},{},{},{},{},{},{},{},{},{},{}]", "holds more than firn's do",
     NULL},
};

static void events_are_taken_or_refused(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const struct row *r = &rows[i];
        struct demand d;
        struct fault fault = {0};
        bool ok = demand_read(&d, view_of(r->event), &fault);
        bool holds = ok == (r->words == NULL) &&
                     (ok || (fault.error != ERROR_NONE &&
                             strstr(fault.words, r->words) != NULL)) &&
                     (!ok || d.one == (r->group != NULL)) &&
                     (r->group == NULL ||
                      (row_string(d.group, r->group) &&
                       row_string(d.day, "2026-11-09")));
        if (!holds)
            fprintf(stderr, "  words \"%s\"\n", fault.words);
        broken += BROKEN(r->name, holds);
    }
    assert_int_equal(broken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_taken_or_refused),
    };
    return RUN(tests);
}
