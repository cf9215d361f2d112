/* test_group.c - what a log group is, which are there, and when its first
 * event was: replies of every kind, by script. */
#include "caller.h"

#include "fetch/first.h"
#include "fetch/group.h"

#define FIFTY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY
#define REPLY(text) {200, "", text, NULL}
#define NAMED(name) "{\"logGroups\":[{\"logGroupName\":\"" name "\"}]}"
#define STALE \
    {400, "", "{\"__type\":\"InvalidParameterException\"}", NULL}

static struct group group;
static struct first first;
static _Alignas(8) uint8_t room[GROUP_ROOM_BYTES];
static uint8_t replies[65536];

static void prepare(const struct line *lines)
{
    setup(lines, "");
    ring_init(&sink, replies, sizeof replies);
    call_init(&call, &site, &sink);
    site.give_up_ms = 1;
}

/* Answers at once, and lets pauses pass. */
static enum flow end_of(enum flow (*step)(void))
{
    for (int turn = 0; turn < 200000; turn++) {
        enum flow flow = step();
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (flow != FLOW_MOVED && !script_answer(&t))
            pass(100);
        t.count = 0;
    }
    return FLOW_WANT_EVENT;
}

static enum flow step_group(void)
{
    return group_step(&group, now);
}

static enum flow step_first(void)
{
    return first_step(&first, now);
}

static const struct row {
    const char *name, *in;
    const char *account, *log_class;
    bool        masked;
} rows[] = {
    {"all that is told",
     "\"arn\":\"arn:aws:logs:eu-west-1:111122223333:log-group:g:*\","
     "\"logGroupClass\":\"INFREQUENT_ACCESS\","
     "\"dataProtectionStatus\":\"ACTIVATED\"",
     "111122223333", "INFREQUENT_ACCESS", true},
    {"nothing is told", "\"storedBytes\":1", "", "STANDARD", false},
    {"an ARN that is cut", "\"arn\":\"arn:aws\"", "", "STANDARD", false},
    {"an account that is none", "\"arn\":\"arn:aws:logs:r:1234:log-group:g\"",
     "", "STANDARD", false},
    {"a policy of the account's",
     "\"inheritedProperties\":[\"OTHER\",\"ACCOUNT_DATA_PROTECTION\"]", "",
     "STANDARD", true},
    {"inherited, but not that", "\"inheritedProperties\":[\"OTHER\"]", "",
     "STANDARD", false},
};

static void a_group_is_described(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char at[1024];
        (void)snprintf(at, sizeof at, "{\"logGroups\":[{\"logGroupName\":"
                       "\"g\",%s}]}", rows[i].in);
        const struct line lines[] = {REPLY(at), {0}};
        prepare(lines);
        group_init(&group, &call, view_of("g"), (struct span){room,
                                                              sizeof room});
        failures += BROKEN(rows[i].name,
                           end_of(step_group) == FLOW_ENDED &&
                           step_group() == FLOW_ENDED &&
                           row_string(group.info.account, rows[i].account) &&
                           row_string(group.info.log_class,
                                      rows[i].log_class) &&
                           group.info.masked == rows[i].masked);
    }
    assert_int_equal(failures, 0);
}

static const struct missing_row {
    const char *name;
    bool        alone;
    struct line lines[5];
    enum error  want;
    const char *nearest, *what;
} missing_rows[] = {
    {"none is there", false, {REPLY("{\"logGroups\":[]}"),
                              REPLY("{\"logGroups\":[]}")},
     ERROR_MISSING, "", "log group"},
    {"one that begins so, and is compared with none", true,
     {REPLY(NAMED("/web/front2"))}, ERROR_MISSING, "", "log group"},
    {"the nearest of all pages", false,
     {REPLY("{}"),
      REPLY("{\"logGroups\":[{\"logGroupName\":\"/web/frontend\"},{}],"
            "\"nextToken\":\"T\"}"),
      REPLY(NAMED("/web/frony"))},
     ERROR_MISSING, "/web/frony", "log group"},
    {"a name no group can have is compared with none", false,
     {REPLY("{}"), REPLY(NAMED("/web/fron" LONG))}, ERROR_MISSING, "",
     "log group"},
    {"the first of two as near stays", false,
     {REPLY("{}"),
      REPLY("{\"logGroups\":[{\"logGroupName\":\"/web/fronx\"},"
            "{\"logGroupName\":\"/web/frony\"}],\"nextToken\":\"\"}")},
     ERROR_MISSING, "/web/fronx", "log group"},
    {"no JSON", false, {REPLY("<html>")}, ERROR_REMOTE, "",
     "a reply of DescribeLogGroups that is not JSON"},
    {"no leave", false, {{400, "", "{\"__type\":\"AccessDeniedException\"}",
                          NULL}},
     ERROR_DENIED, "", "an unexpected answer"},
};

static void a_missing_one_is_told(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(missing_rows); i++) {
        const struct missing_row *row = &missing_rows[i];
        prepare(row->lines);
        group_init(&group, &call, view_of("/web/front"),
                   (struct span){room, sizeof room});
        group.alone = row->alone;
        failures += BROKEN(row->name,
                           end_of(step_group) == FLOW_FAILED &&
                           step_group() == FLOW_FAILED &&
                           row_number(group.fault.error, row->want) &&
                           row_string(group.fault.what, row->what) &&
                           row_string(group.nearest, row->nearest));
    }
    assert_int_equal(failures, 0);
}

static void pages_of_names_end(void **state)
{
    static struct line lines[701];
    (void)state;
    for (size_t i = 0; i < 700; i++)
        lines[i] = (struct line)REPLY("{\"logGroups\":[],\"nextToken\":"
                                      "\"T\"}");
    prepare(lines);
    group_init(&group, &call, view_of("g"), (struct span){room, sizeof room});
    assert_int_equal(end_of(step_group), FLOW_FAILED);
    assert_int_equal(group.fault.error, ERROR_MISSING);
    assert_int_equal(group.pages, 600);
}

/* Every group: names that are none are passed over, and a token that has
 * expired is asked for anew, up to three times without another name. */
static void all_are_gone_through(void **state)
{
    static const struct line lines[] = {
        REPLY("{\"logGroups\":[{},{\"logGroupName\":\"" LONG "\"},"
              "{\"logGroupName\":\"a\"}],\"nextToken\":\"T\"}"),
        STALE,
        REPLY("{\"logGroups\":[{\"logGroupName\":\"a\"}],"
              "\"nextToken\":\"T\"}"),
        STALE, REPLY("{\"logGroups\":[{\"logGroupName\":\"a\"}],"
                     "\"nextToken\":\"T\"}"),
        STALE, REPLY("{\"logGroups\":[{\"logGroupName\":\"a\"}],"
                     "\"nextToken\":\"T\"}"),
        STALE, {0}};
    (void)state;
    prepare(lines);
    group_each_init(&group, &call, view_of(""), (struct span){room,
                                                              sizeof room});
    assert_int_equal(end_of(step_group), FLOW_ENDED);
    assert_string_equal(group.found, "a");
    group_next(&group);
    assert_int_equal(end_of(step_group), FLOW_FAILED);
    assert_string_equal(group.fault.code, "InvalidParameterException");
    assert_true(t.lines->status == 0);
    static const struct line denied[] = {
        REPLY("{\"logGroups\":[],\"nextToken\":\"T\"}"),
        {400, "", "{\"__type\":\"AccessDeniedException\"}", NULL}, {0}};
    prepare(denied);
    group_each_init(&group, &call, view_of(""), (struct span){room,
                                                              sizeof room});
    assert_int_equal(end_of(step_group), FLOW_FAILED);
    assert_int_equal(group.fault.error, ERROR_DENIED);
}

static const struct first_row {
    const char *name;
    struct line lines[4];
    bool        ok, found;
    int64_t     at_ms;
    const char *what;
} first_rows[] = {
    {"an event", {REPLY("{\"events\":[{\"timestamp\":1234}]}")}, true, true,
     1234, NULL},
    {"an event at the end", {REPLY("{\"events\":[{\"timestamp\":2000}]}")},
     true, false, 0, NULL},
    {"an event behind two pages",
     {REPLY("{\"events\":[],\"nextToken\":\"A\"}"),
      REPLY("{\"events\":[],\"nextToken\":\"B\"}"),
      REPLY("{\"events\":[{\"timestamp\":1500}]}")}, true, true, 1500, NULL},
    {"an event after a reply that broke off",
     {{200, "content-length: 900\n", "{\"events\":[", NULL},
      REPLY("{\"events\":[{\"timestamp\":1234}]}")}, true, true, 1234, NULL},
    {"none", {REPLY("{\"events\":[]}")}, true, false, 0, NULL},
    {"none, by an empty token", {REPLY("{\"events\":[],\"nextToken\":\"\"}")},
     true, false, 0, NULL},
    {"no JSON", {REPLY("[")}, false, false, 0,
     "FilterLogEvents gave what is not JSON"},
    {"a circle", {REPLY("{\"events\":[],\"nextToken\":\"A\"}"),
                  REPLY("{\"events\":[],\"nextToken\":\"A\"}")},
     false, false, 0, "FilterLogEvents gives empty pages for ever"},
    {"no leave", {{400, "", "{\"__type\":\"AccessDeniedException\"}", NULL}},
     false, false, 0, "an unexpected answer"},
};

static void begin_first(const struct line *lines)
{
    struct first_scope scope = {.group = view_of("g"), .from_ms = 1000,
                                .until_ms = 2000,
                                .room = {room, sizeof room}};
    prepare(lines);
    site.give_up_ms = 100000;
    first_init(&first, &call, &scope);
}

static void the_first_event_is_found(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(first_rows); i++) {
        const struct first_row *row = &first_rows[i];
        begin_first(row->lines);
        enum flow flow = end_of(step_first);
        bool same = row->ok ? flow == FLOW_ENDED && first.found == row->found &&
                                  (!row->found || first.at_ms == row->at_ms)
                            : flow == FLOW_FAILED &&
                                  row_string(first.fault.what, row->what);
        failures += BROKEN(row->name, same && step_first() == flow);
    }
    assert_int_equal(failures, 0);
}

static void large_replies_are_not_read_whole(void **state)
{
    static char many[CFG_TOKEN_BYTES + 200], large[40000];
    struct line lines[] = {{200, "", many, NULL}, {0}};
    (void)state;
    (void)strcpy(many, "{\"events\":[],\"nextToken\":\"");
    size_t len = strlen(many);
    memset(many + len, 't', CFG_TOKEN_BYTES + 10);
    (void)strcpy(many + len + CFG_TOKEN_BYTES + 10, "\"}");
    begin_first(lines);
    assert_int_equal(end_of(step_first), FLOW_FAILED);
    assert_string_equal(first.fault.what,
                        "a page token longer than CFG_TOKEN_BYTES");
    memset(large, 'x', sizeof large - 1);
    lines[0].body = large;
    begin_first(lines);
    assert_int_equal(end_of(step_first), FLOW_ENDED);
    assert_true(first.found && first.at_ms == 1000);
}

static void empty_pages_end(void **state)
{
    static const struct line even = REPLY("{\"events\":[],\"nextToken\":"
                                          "\"A\"}");
    static const struct line odd = REPLY("{\"events\":[],\"nextToken\":"
                                         "\"B\"}");
    static struct line lines[10001];
    (void)state;
    for (size_t i = 0; i < 10000; i++)
        lines[i] = i % 2 == 0 ? even : odd;
    begin_first(lines);
    assert_int_equal(end_of(step_first), FLOW_FAILED);
    assert_string_equal(first.fault.what,
                        "FilterLogEvents gives empty pages for ever");
    assert_int_equal(first.pages, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_described),
        cmocka_unit_test(a_missing_one_is_told),
        cmocka_unit_test(pages_of_names_end),
        cmocka_unit_test(all_are_gone_through),
        cmocka_unit_test(the_first_event_is_found),
        cmocka_unit_test(large_replies_are_not_read_whole),
        cmocka_unit_test(empty_pages_end),
    };
    return RUN(tests);
}
