/* test_task.c - exports: replies that AWS would not give, and those it gives
 * seldom. Method: the machine over a script of answers, in virtual time. */
#include "caller.h"

#include "fetch/export.h"
#include "fetch/export_task.h"

#define FROM  INT64_C(1793577600000)  /* two days and a half before NOON */
#define UNTIL (FROM + DAY_MS)
#define REPLY(text) {200, DATE, text, NULL}
#define POLICY(actions) \
    REPLY("{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":" \
          "\"logs.amazonaws.com\"},\"Action\":[" actions "]}]}")
#define GRANTED POLICY("\"s3:GetBucketAcl\",\"s3:PutObject\"")
#define NONE    REPLY("{\"exportTasks\":[]}")
#define NO_TASK NONE, NONE, NONE  /* pending, running, completed */
#define TASK    REPLY("{\"taskId\":\"T-1\"}")
#define IS(code, more) \
    REPLY("{\"exportTasks\":[{\"taskId\":\"T-1\",\"status\":{\"code\":\"" code \
          "\",\"message\":\"why\"}" more "}]}")
#define REFUSED(code, words) \
    {400, DATE, "{\"__type\":\"" code "\",\"message\":\"" words "\"}", NULL}
#define LATE ",\"executionInfo\":{\"creationTime\":1793500000000}"

enum { LINES = 40 };

static struct export job;
static _Alignas(8) uint8_t room[EXPORT_ROOM_BYTES];
static uint8_t replies[65536];
static struct export_spec spec;

static void prepare(const struct line *lines)
{
    setup(lines, "");
    ring_init(&sink, replies, sizeof replies);
    call_init(&call, &site, &sink);
    spec = (struct export_spec){
        .group = view_of("/g"), .from_ms = FROM, .until_ms = UNTIL,
        .bucket = view_of("acme-logs"), .prefix = view_of("p"),
        .region = view_of("eu-west-1"), .since_ms = NOON,
    };
    export_init(&job, &call, &spec, (struct span){room, sizeof room});
}

static enum flow end_of(void)
{
    for (int turn = 0; turn < 100000; turn++) {
        enum flow flow = export_step(&job, now);
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (flow == FLOW_MOVED)
            continue;
        int64_t wake = export_wake_ms(&job);
        if (!script_answer(&t))
            pass(wake > now.mono_ms ? wake - now.mono_ms : 1);
        t.count = 0;
    }
    return FLOW_WANT_EVENT;
}

static const struct row {
    const char *name;
    struct line lines[LINES];
    enum error  want;     /* ERROR_NONE: it ends well */
    const char *words;    /* of the fault, or its what */
} rows[] = {
    {"it ends well", {GRANTED, NO_TASK, TASK, IS("COMPLETED", "")},
     ERROR_NONE, ""},
    {"the bucket may not be asked", {POLICY("\"s3:PutObject\"")},
     ERROR_CONFIG, "does not let CloudWatch Logs do s3:GetBucketAcl,"},
    {"nor written to", {POLICY("\"s3:GetBucketAcl\"")}, ERROR_CONFIG,
     "does not let CloudWatch Logs do s3:PutObject,"},
    {"neither", {POLICY("\"s3:GetObject\"")}, ERROR_CONFIG,
     "do s3:GetBucketAcl and s3:PutObject,"},
    {"a policy that is no JSON is AWS's to judge",
     {REPLY("<html>"), NO_TASK, TASK, IS("COMPLETED", "")}, ERROR_NONE, ""},
    {"one that may not be read, too",
     {{403, DATE, "<Error><Code>AccessDenied</Code></Error>", NULL},
      NO_TASK, TASK, IS("COMPLETED", "")}, ERROR_NONE, ""},
    {"no such bucket, too",
     {{404, DATE, "<Error><Code>NoSuchBucket</Code></Error>", NULL},
      NO_TASK, TASK, IS("COMPLETED", "")}, ERROR_NONE, ""},
    {"no words about the bucket, too",
     {{404, DATE, "<Error>", NULL}, NO_TASK, TASK, IS("COMPLETED", "")},
     ERROR_NONE, ""},
    {"no policy", {{404, DATE, "<Error><Code>NoSuchBucketPolicy</Code></Error>",
                    NULL}}, ERROR_CONFIG, "does not let CloudWatch Logs do"},
    {"a list that is no JSON", {GRANTED, REPLY("[")}, ERROR_REMOTE,
     "a reply that is not JSON"},
    {"a list that may not be seen",
     {GRANTED, REFUSED("AccessDeniedException", "no")}, ERROR_DENIED, "no"},
    {"an empty token is the end of a list",
     {GRANTED, REPLY("{\"exportTasks\":[],\"nextToken\":\"\"}"), NONE, NONE,
      TASK, IS("COMPLETED", "")}, ERROR_NONE, ""},
    {"pages of old tasks, done, are not gone through",
     {GRANTED, NONE, NONE,
      REPLY("{\"exportTasks\":[{\"taskId\":\"old\"" LATE "}],"
            "\"nextToken\":\"T\"}"), TASK, IS("COMPLETED", "")},
     ERROR_NONE, ""},
    {"pages of new ones are",
     {GRANTED, NONE, NONE,
      REPLY("{\"exportTasks\":[{\"executionInfo\":{\"creationTime\":"
            "1793880000000}}],\"nextToken\":\"T\"}"), NONE,
      TASK, IS("COMPLETED", "")}, ERROR_NONE, ""},
    {"the bucket's ACL is not for AWS",
     {GRANTED, NO_TASK, REFUSED("InvalidParameterException",
                                "GetBucketAcl call failed")},
     ERROR_CONFIG, "Add to its policy what this prints"},
    {"a bucket of elsewhere",
     {GRANTED, NO_TASK, REFUSED("InvalidParameterException",
                                "other region")},
     ERROR_CONFIG, "is refused. AWS: \"other region\""},
    {"created without leave",
     {GRANTED, NO_TASK, REFUSED("AccessDeniedException", "no")},
     ERROR_DENIED, "no"},
    {"it is there, though not in the list, at first",
     {GRANTED, NO_TASK, REFUSED("ResourceAlreadyExistsException", "there"),
      NO_TASK, TASK, IS("COMPLETED", "")}, ERROR_NONE, ""},
    {"it is there, and never in the list",
     {GRANTED, NO_TASK, REFUSED("ResourceAlreadyExistsException", "there"),
      NO_TASK, REFUSED("ResourceAlreadyExistsException", "there"),
      NO_TASK, REFUSED("ResourceAlreadyExistsException", "there"),
      NO_TASK, REFUSED("ResourceAlreadyExistsException", "there"),
      NO_TASK, REFUSED("ResourceAlreadyExistsException", "there"),
      NO_TASK, REFUSED("ResourceAlreadyExistsException", "there")},
     ERROR_CONFLICT, "there"},
    {"tasks without a sound id, time and again",
     {GRANTED, NO_TASK, REPLY("{}"), NO_TASK, REPLY("["),
      NO_TASK, REPLY("{\"taskId\":\"\"}"), NO_TASK, REPLY("{\"taskId\":7}"),
      NO_TASK, REPLY("{\"taskId\":\"../x\"}"), NO_TASK, REPLY("{}")},
     ERROR_REMOTE, "has no task in it"},
    {"a status that is no JSON", {GRANTED, NO_TASK, TASK, REPLY("{")},
     ERROR_REMOTE, "a reply that is not JSON"},
    {"a status that may not be seen",
     {GRANTED, NO_TASK, TASK, REFUSED("AccessDeniedException", "no")},
     ERROR_DENIED, "no"},
    {"it failed", {GRANTED, NO_TASK, TASK, IS("RUNNING", ""),
                   IS("FAILED", "")}, ERROR_REMOTE, "ended FAILED"},
    {"it failed for its length", {GRANTED, NO_TASK, TASK, IS("FAILED", LATE)},
     ERROR_REMOTE, "not done within 24 hours"},
    {"it was cancelled, late", {GRANTED, NO_TASK, TASK,
                                IS("CANCELLED", LATE)},
     ERROR_REMOTE, "ended CANCELLED"},
    {"it waits for ever", {GRANTED, NO_TASK, TASK, IS("PENDING", LATE)},
     ERROR_REMOTE, "not done within 24 hours"},
    {"it runs for ever", {GRANTED, NO_TASK, TASK, IS("RUNNING", LATE)},
     ERROR_REMOTE, "not done within 24 hours"},
};

static void each_reply_has_its_end(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        prepare(row->lines);
        enum flow flow = end_of();
        bool said = strstr(job.fault.words, row->words) != NULL ||
                    (job.fault.what != NULL &&
                     strstr(job.fault.what, row->words) != NULL);
        if (!said)
            fprintf(stderr, "  %s: %s\n", job.fault.what, job.fault.words);
        failures += BROKEN(row->name,
                           row_number(job.fault.error, row->want) && said &&
                           flow == (row->want == ERROR_NONE ? FLOW_ENDED
                                                            : FLOW_FAILED) &&
                           export_step(&job, now) == flow &&  /* for good */
                           t.lines->status == 0);
    }
    assert_int_equal(failures, 0);
}

/* A bucket that cannot be reached is no matter of its policy. */
static void a_policy_that_does_not_come_ends_it(void **state)
{
    static struct line lines[SCRIPT_SEEN + 1];
    (void)state;
    for (int i = 0; i < SCRIPT_SEEN; i++)
        lines[i] = (struct line){0, NULL, NULL, "timed out"};
    prepare(lines);
    site.give_up_ms = 1000;
    assert_int_equal(end_of(), FLOW_FAILED);
    assert_int_equal(job.fault.error, ERROR_NETWORK);
    prepare(lines);
    site.deadline_mono_ms = now.mono_ms + 1000;
    assert_int_equal(end_of(), FLOW_FAILED);
    assert_int_equal(job.fault.error, ERROR_STOPPED);
}

static void a_list_without_end_is_refused(void **state)
{
    static struct line lines[2100] = {GRANTED};
    (void)state;
    for (size_t i = 1; i < ROW_COUNT(lines) - 1; i++)
        lines[i] = (struct line)REPLY("{\"exportTasks\":[],\"nextToken\":"
                                      "\"T\"}");
    prepare(lines);
    assert_int_equal(end_of(), FLOW_FAILED);
    assert_string_equal(job.fault.what, "a list of tasks without an end");
    assert_int_equal(job.pages, 2001);
}

/* A task of ours that stands in a list is joined, if it has an id. */
static void a_task_in_the_list_is_joined(void **state)
{
    static char listed[2][1024];
    static const char *const ids[] = {"\"T-9\"", "\"a/b\""};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct line lines[] = {GRANTED, {200, DATE, listed[i], NULL},
                               IS("COMPLETED", ""), {0}};
        struct line refused[] = {GRANTED, {200, DATE, listed[i], NULL}, NONE,
                                 NONE, TASK, IS("COMPLETED", ""), {0}};
        prepare(i == 0 ? lines : refused);
        (void)snprintf(listed[i], sizeof listed[i], "{\"exportTasks\":[{"
                       "\"taskName\":\"%s\",\"logGroupName\":\"/g\","
                       "\"destination\":\"acme-logs\","
                       "\"destinationPrefix\":\"p\",\"from\":%lld,"
                       "\"to\":%lld,\"taskId\":%s}]}", job.name,
                       (long long)FROM, (long long)UNTIL - 1, ids[i]);
        assert_int_equal(end_of(), FLOW_ENDED);
        assert_true(job.joined == (i == 0));
        assert_string_equal(job.id, i == 0 ? "T-9" : "T-1");
        assert_string_equal(job.files, i == 0 ? "p/T-9/" : "p/T-1/");
    }
}

static const struct task_row {
    const char *name, *task, *group, *bucket, *prefix;
    int64_t     from, to;
    bool        is;
} task_rows[] = {
    {"ours", "n", "/g", "acme-logs", "p", FROM, UNTIL - 1, true},
    {"another name", "m", "/g", "acme-logs", "p", FROM, UNTIL - 1, false},
    {"another group", "n", "/h", "acme-logs", "p", FROM, UNTIL - 1, false},
    {"another bucket", "n", "/g", "acme", "p", FROM, UNTIL - 1, false},
    {"another prefix", "n", "/g", "acme-logs", "q", FROM, UNTIL - 1, false},
    {"another begin", "n", "/g", "acme-logs", "p", FROM + 1, UNTIL - 1, false},
    {"another end", "n", "/g", "acme-logs", "p", FROM, UNTIL, false},
};

static void a_task_is_known_by_all_it_is(void **state)
{
    int32_t words[JSON_WORDS(64)];
    char at[512];
    struct json j;
    int failures = 0;
    (void)state;
    prepare(NULL);
    for (size_t i = 0; i < ROW_COUNT(task_rows); i++) {
        const struct task_row *r = &task_rows[i];
        (void)snprintf(at, sizeof at, "{\"taskName\":\"%s\",\"logGroupName\":"
                       "\"%s\",\"destination\":\"%s\",\"destinationPrefix\":"
                       "\"%s\",\"from\":%lld,\"to\":%lld}", r->task, r->group,
                       r->bucket, r->prefix, (long long)r->from,
                       (long long)r->to);
        assert_int_equal(json_parse(&j, view_of(at), words, 64), JSON_FINE);
        failures += BROKEN(r->name, export_task_is(&j, 0, &spec, "n") ==
                                        r->is);
    }
    assert_int_equal(json_parse(&j, view_of("{\"taskName\":\"n\"}"), words,
                                64), JSON_FINE);
    assert_false(export_task_is(&j, 0, &spec, "n"));
    (void)snprintf(at, sizeof at, "{\"taskName\":\"n\",\"logGroupName\":"
                   "\"/g\",\"destination\":\"acme-logs\","
                   "\"destinationPrefix\":\"p\",\"from\":\"%lld\"}",
                   (long long)FROM);
    assert_int_equal(json_parse(&j, view_of(at), words, 64), JSON_FINE);
    assert_false(export_task_is(&j, 0, &spec, "n"));
    assert_int_equal(failures, 0);
}

static void each_state_has_words(void **state)
{
    static const struct { enum export_state state; const char *words; } is[] = {
        {EXPORT_BEGINNING, "export"}, {EXPORT_LISTING, "export"},
        {EXPORT_QUEUING, "export waits for the account's slot"},
        {EXPORT_PENDING, "export pending"}, {EXPORT_RUNNING, "export runs"},
        {EXPORT_ASKING, "export runs"}, {EXPORT_DONE, "export"},
    };
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(is); i++) {
        job.state = is[i].state;
        assert_string_equal(export_phase(&job), is[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reply_has_its_end),
        cmocka_unit_test(a_policy_that_does_not_come_ends_it),
        cmocka_unit_test(a_list_without_end_is_refused),
        cmocka_unit_test(a_task_in_the_list_is_joined),
        cmocka_unit_test(a_task_is_known_by_all_it_is),
        cmocka_unit_test(each_state_has_words),
    };
    return RUN(tests);
}
