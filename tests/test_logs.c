/* test_logs.c - FilterLogEvents: pages that break, repeat, change or turn in a
 * circle, and long events. Method: a script of replies in virtual time; what
 * is given is written down, a piece in brackets. */
#include "caller.h"

#include "fetch/logs.h"

#define REPLY(text) {200, "", text, NULL}
#define PAGE(events, more) REPLY("{\"events\":[" events "]" more "}")
#define EVENT(ms, id, message) \
    "{\"timestamp\":" ms ",\"eventId\":\"" id "\",\"message\":\"" message "\"}"
#define MORE(token) ",\"nextToken\":\"" token "\""
#define REFUSED(words) \
    {400, "", "{\"__type\":\"InvalidParameterException\",\"message\":\"" \
              words "\"}", NULL}
#define STALE REFUSED("The specified nextToken is invalid.")
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X500 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50
#define X4500 "$"  /* so many, once prepared */
#define LONG EVENT("1500", "l", "L" X4500)

enum { LINES = 45, ROOM = LONG_EVENT_HEAD_BYTES };

static struct logs logs;
static struct logs_scope scope;
static uint8_t out[ROOM];
static char told_bytes[1 << 20];
static struct text told;
static uint32_t requests;
static bool between;      /* may its end change, before a request that is
                             repeated? */

/* A body with each "$" as 4,500 letters. */
static const char *filled(const char *body)
{
    static char bytes[1 << 20];
    static struct text all;
    if (body == NULL) {
        text_init(&all, bytes, sizeof bytes);
        return NULL;
    }
    if (strchr(body, '$') == NULL)
        return body;
    const char *at = bytes + all.len;
    for (; *body != '\0'; body++)
        for (int n = *body == '$' ? 4500 : 1; n > 0; n--)
            text_char(&all, *body == '$' ? 'x' : *body);
    text_char(&all, '\0');
    CHECK(!all.overflow);
    return at;
}

static void prepare(const struct line *lines)
{
    static struct line script[128];
    size_t n = 0;
    (void)filled(NULL);
    for (; lines[n].status != 0 || lines[n].failure != NULL; n++) {
        script[n] = lines[n];
        script[n].body = filled(lines[n].body);
    }
    script[n] = (struct line){0};
    setup(script, "");
    scope = (struct logs_scope){.group = view_of("g"), .form = DECODE_JSON};
    logs_init(&logs, &site, &scope);
    logs_begin(&logs, 1000, 2000);
    text_init(&told, told_bytes, sizeof told_bytes);
    requests = 0;
    between = false;
}

static void tell(void)
{
    if (logs.got == LOGS_NOTHING)
        return;
    bool piece = logs.got != LOGS_EVENT;
    if (piece) {
        text_char(&told, '[');
        text_u64(&told, logs.message_len);
        text_char(&told, ']');
    } else {
        text_put(&told, (struct view){out, logs.message_len});
    }
    if (logs.got != LOGS_PIECE) {
        text_char(&told, '@');
        text_i64(&told, logs.event.timestamp_ms);
        text_char(&told, ' ');
    }
}

static enum flow end_of(void)
{
    for (int turn = 0; turn < 4000000; turn++) {
        enum flow flow = logs_step(&logs, now, (struct span){out, ROOM});
        between |= logs.replay && logs_may_change_end(&logs);
        tell();
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (flow == FLOW_WANT_ROOM)
            logs_is_long(&logs, (struct span){out, ROOM});
        if (flow != FLOW_WANT_EVENT)
            continue;
        requests += t.count;
        t.count = 0;
        if (!script_answer(&t))
            pass(100);
    }
    return FLOW_WANT_EVENT;
}

static const struct row {
    const char *name;
    struct line lines[LINES];
    const char *want;  /* what is told */
    enum error  error; /* ERROR_NONE: it ends well */
    const char *what;
} rows[] = {
    {"a page", {PAGE(EVENT("1000", "a", "A") "," EVENT("1999", "b", "B"), "")},
     "A@1000 B@1999 ", ERROR_NONE, NULL},
    {"events without an id are all given",
     {PAGE("{\"timestamp\":1001,\"message\":\"A\"},"
           "{\"timestamp\":1001,\"message\":\"A\"}", "")},
     "A@1001 A@1001 ", ERROR_NONE, NULL},
    {"events of elsewhere are not",
     {PAGE(EVENT("999", "a", "A") "," EVENT("2000", "b", "B"), "")}, "",
     ERROR_NONE, NULL},
    {"a repeat on the next page is not",
     {PAGE(EVENT("1001", "a", "A"), MORE("T")),
      PAGE(EVENT("1001", "a", "A") "," EVENT("1001", "b", "B"), "")},
     "A@1001 B@1001 ", ERROR_NONE, NULL},
    {"a token that is refused: what was met is known",
     {PAGE(EVENT("1001", "a", "A"), MORE("T")), STALE,
      PAGE(EVENT("1001", "a", "A") "," EVENT("1002", "b", "B"), "")},
     "A@1001 B@1002 ", ERROR_NONE, NULL},
    {"tokens that are refused for ever",
     {PAGE(EVENT("1001", "a", "A"), MORE("T")), STALE,
      PAGE(EVENT("1001", "a", "A"), MORE("U")), STALE,
      PAGE(EVENT("1001", "a", "A"), MORE("V")), STALE,
      PAGE(EVENT("1001", "a", "A"), MORE("W")), STALE,
      PAGE(EVENT("1001", "a", "A"), MORE("X")), STALE},
     "A@1001 ", ERROR_REMOTE, "an unexpected answer"},
    {"another parameter is refused",
     {PAGE("", MORE("T")), REFUSED("startTime")}, "", ERROR_REMOTE,
     "an unexpected answer"},
    {"no leave any more",
     {PAGE("", MORE("T")),
      {400, "", "{\"__type\":\"AccessDeniedException\",\"message\":"
                "\"nextToken\"}", NULL}},
     "", ERROR_DENIED, "an unexpected answer"},
    {"a token that leads to itself",
     {PAGE("", MORE("T")), PAGE("", MORE("T"))}, "", ERROR_REMOTE,
     "page tokens that walk in a circle"},
    {"a reply that is no JSON, for a while",
     {PAGE(EVENT("1001", "a", "A"), MORE("T")), REPLY("<html>"), REPLY("{"),
      PAGE(EVENT("1002", "b", "B"), "")}, "A@1001 B@1002 ", ERROR_NONE, NULL},
    {"a reply that is no JSON, for ever",
     {REPLY("["), REPLY("["), REPLY("["), REPLY("["), REPLY("[")}, "",
     ERROR_REMOTE, "a reply that is not a JSON object"},
    {"an id that is too long is no passing trouble",
     {PAGE(EVENT("1001", X500, "A"), "")}, "", ERROR_LIMIT,
     "FRAME_ID_BYTES"},
    {"a reply that breaks off",
     {{200, "content-length: 9999\n",
       "{\"events\":[" EVENT("1001", "a", "A") ",", NULL},
      PAGE(EVENT("1001", "a", "A") "," EVENT("1002", "b", "B"), "")},
     "A@1001 B@1002 ", ERROR_NONE, NULL},
    {"a long event, read for its header and again",
     {PAGE(LONG, ""), PAGE(LONG, "")}, "[4096][405]@1500 ", ERROR_NONE, NULL},
    {"a long event whose time stands behind",
     {PAGE("{\"message\":\"L" X4500 "\",\"timestamp\":1500,\"eventId\":\"l\"}",
           ""),
      PAGE("{\"message\":\"L" X4500 "\",\"timestamp\":1500,\"eventId\":\"l\"}",
           "")}, "[4096][405]@1500 ", ERROR_NONE, NULL},
    {"a long event of elsewhere",
     {PAGE(EVENT("999", "l", X4500) "," EVENT("1001", "a", "A"), "")},
     "A@1001 ", ERROR_NONE, NULL},
    {"a long event that is gone", {PAGE(LONG, ""), PAGE("", "")}, "",
     ERROR_REMOTE, "a long event that is gone on the second reading"},
    {"a long event that is on the next page",
     {PAGE(LONG, MORE("T")), PAGE("", MORE("U")), PAGE(LONG, "")},
     "[4096][405]@1500 ", ERROR_NONE, NULL},
    {"a long event that became a short one",
     {PAGE(LONG, ""), PAGE(EVENT("1500", "l", "L"), "")}, "[1]@1500 ",
     ERROR_NONE, NULL},
    {"a short one before it, that is new",
     {PAGE(LONG, ""), PAGE(EVENT("1400", "n", "N") "," LONG, ""),
      PAGE(EVENT("1400", "n", "N") "," LONG, "")}, "N@1400 [4096][405]@1500 ",
     ERROR_NONE, NULL},
    {"one that breaks off goes on where it stopped",
     {PAGE(LONG, ""),
      {200, "content-length: 99999\n", "{\"events\":[{\"timestamp\":1500,"
       "\"eventId\":\"l\",\"message\":\"L" X4500, NULL},
      PAGE(LONG, "")}, "[4096][0][405]@1500 ", ERROR_NONE, NULL},
    {"one that differs on another reading",
     {PAGE(LONG, ""),
      {200, "content-length: 99999\n", "{\"events\":[{\"timestamp\":1500,"
       "\"eventId\":\"l\",\"message\":\"L" X4500 X4500, NULL},
      PAGE(EVENT("1500", "l", "L" X4500 X50 "y" X4500), "")}, "[4096][4096][0]",
     ERROR_CORRUPT, "a long event that differs on another reading"},
    {"another one before it that is long, too",
     {PAGE(LONG, ""),
      PAGE(EVENT("1500", "m", "M" X4500) "," LONG, ""),
      PAGE(EVENT("1500", "m", "M" X4500) "," LONG, ""),
      PAGE(EVENT("1500", "m", "M" X4500) "," LONG, "")},
     "[4096][405]@1500 [4096][405]@1500 ", ERROR_NONE, NULL},
    {"the same, in the midst of it",
     {PAGE(LONG, ""),
      {200, "content-length: 99999\n", "{\"events\":[{\"timestamp\":1500,"
       "\"eventId\":\"l\",\"message\":\"L" X4500, NULL},
      PAGE(EVENT("1500", "m", "M" X4500) "," LONG, "")}, "[4096]",
     ERROR_REMOTE, "a page that changed while a long event was read"},
    {"one that begins the same and ends as another",
     {PAGE(LONG, ""), PAGE(EVENT("1500", "m", "L" X4500), "")}, "[4096]",
     ERROR_REMOTE, "a page that changed while a long event was read"},
    {"a short one that is new in the midst of it",
     {PAGE(LONG, ""),
      {200, "content-length: 99999\n", "{\"events\":[{\"timestamp\":1500,"
       "\"eventId\":\"l\",\"message\":\"L" X4500, NULL},
      PAGE(EVENT("1400", "n", "N") "," LONG, "")}, "[4096]", ERROR_REMOTE,
     "a page that changed while a long event was read"},
    {"a long event with two messages",
     {PAGE("{\"timestamp\":1500,\"message\":\"L" X4500 "\",\"message\":\"\"}",
           ""),
      REPLY("["), REPLY("["), REPLY("["), REPLY("[")}, "", ERROR_REMOTE,
     "a reply that is not a JSON object"},
};

static void replies_are_read(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        prepare(row->lines);
        enum flow flow = end_of();
        bool good = row->error == ERROR_NONE
                        ? flow == FLOW_ENDED && t.lines->status == 0
                        : flow == FLOW_FAILED && logs.fault.what != NULL &&
                              row_number(logs.fault.error, row->error) &&
                              row_string(logs.fault.what, row->what);
        if (!good)
            fprintf(stderr, "  flow %d, error %d: %s, %s\n", (int)flow,
                    (int)logs.fault.error, logs.fault.what, logs.fault.words);
        failures += BROKEN(row->name, good && row_text(&told, row->want) &&
                           !between && logs_pending(&logs) == 0 &&
                           logs_step(&logs, now, (struct span){out, ROOM}) ==
                               flow);
    }
    assert_int_equal(failures, 0);
}

static void masks_are_taken_off(void **state)
{
    static const struct line lines[] = {PAGE("", ""), {0}};
    (void)state;
    prepare(lines);
    scope.unmask = true;
    scope.stream_prefix = view_of("web/");
    assert_int_equal(end_of(), FLOW_ENDED);
    assert_string_equal(t.body[0], "{\"logGroupName\":\"g\",\"startTime\":1000,"
                        "\"endTime\":2000,\"interleaved\":true,"
                        "\"logStreamNamePrefix\":\"web/\",\"unmask\":true}");
}

/* --- more than is remembered ---------------------------------------------- */

enum { A_PAGE = 1024, PAGES = CFG_SEEN_EVENTS / A_PAGE + 1 };

static const struct many_row {
    const char *name;
    int64_t     step_us;   /* between events */
    bool        disorder;  /* one comes out of order */
    bool        ok;        /* a refused token can be done without */
} many_rows[] = {
    {"in order", 10, false, true},
    {"one out of order", 10, true, false},
    {"all in one millisecond", 0, false, false},
};

static void write_page(struct text *body, const struct many_row *row,
                       uint32_t page)
{
    text_str(body, "{\"events\":[");
    for (uint32_t i = 0; i < A_PAGE; i++) {
        uint32_t n = page * A_PAGE + i;
        bool early = row->disorder && n == 5000;
        text_str(body, i == 0 ? "{\"timestamp\":" : ",{\"timestamp\":");
        text_i64(body, early ? 1000 : 1001 + n * row->step_us / 1000);
        text_str(body, ",\"eventId\":\"");
        text_u64(body, n);
        text_str(body, "\",\"message\":\"\"}");
    }
    text_str(body, "],\"nextToken\":\"");
    text_u64(body, page);
    text_str(body, "\"}");
}

static void a_long_window_goes_on_by_time(void **state)
{
    static char bodies[PAGES][CFG_LANE_RING_BYTES];
    static struct line lines[PAGES + 3];
    int failures = 0;
    (void)state;
    for (size_t r = 0; r < ROW_COUNT(many_rows); r++) {
        const struct many_row *row = &many_rows[r];
        char asked[64];
        for (uint32_t page = 0; page < PAGES; page++) {
            struct text body;
            text_init(&body, bodies[page], sizeof bodies[page]);
            write_page(&body, row, page);
            assert_false(body.overflow);
            lines[page] = (struct line){200, "", bodies[page], NULL};
        }
        lines[PAGES] = (struct line)STALE;
        lines[PAGES + 1] = (struct line)PAGE("", "");
        prepare(lines);
        enum flow flow = end_of();
        (void)snprintf(asked, sizeof asked, "\"startTime\":%lld,",
                       (long long)logs.max_ms);
        bool by_time = strstr(t.body[0], asked) != NULL &&
                       strstr(t.body[0], "nextToken") == NULL;
        failures += BROKEN(row->name, row->ok
                           ? flow == FLOW_ENDED && by_time
                           : flow == FLOW_FAILED &&
                                 logs.fault.error == ERROR_REMOTE);
    }
    assert_int_equal(failures, 0);
}

/* A page that brings another long event each time is not read for ever. */
static void lessons_end(void **state)
{
    static struct line lines[100];
    static char bodies[2][512];
    (void)state;
    for (int i = 0; i < 2; i++)
        (void)snprintf(bodies[i], sizeof bodies[i], "{\"events\":[%s]}",
                       i == 0 ? EVENT("1500", "a", "A" X4500)
                              : EVENT("1500", "b", "B" X4500) ","
                                EVENT("1500", "a", "A" X4500));
    for (size_t i = 0; i < ROW_COUNT(lines) - 1; i++)
        lines[i] = (struct line){200, "", bodies[i % 2], NULL};
    prepare(lines);
    assert_int_equal(end_of(), FLOW_FAILED);
    assert_string_equal(logs.fault.what, "a page that changed while a long "
                                         "event was read");
}

/* --- what its caller asks ------------------------------------------------- */

static void it_sends_ahead(void **state)
{
    static const struct line lines[] = {
        PAGE(EVENT("1500", "a", "A"), ""), {0}};
    static const struct line none[] = {
        {400, "", "{\"__type\":\"AccessDeniedException\"}", NULL}, {0}};
    (void)state;
    prepare(lines);
    assert_true(logs_is_between(&logs));
    assert_int_equal(logs_send(&logs, now), FLOW_MOVED);
    assert_false(logs_is_between(&logs));
    assert_false(logs_may_change_end(&logs));
    assert_int_equal(logs_send(&logs, now), FLOW_WANT_ROOM);
    assert_int_equal(end_of(), FLOW_ENDED);
    assert_true(row_text(&told, "A@1500 "));
    assert_false(logs_is_between(&logs));
    assert_int_equal(logs_send(&logs, now), FLOW_WANT_ROOM);
    logs_cancel(&logs);
    prepare(none);
    site.deadline_mono_ms = now.mono_ms;
    assert_int_equal(logs_send(&logs, now), FLOW_FAILED);
    assert_int_equal(logs.fault.error, ERROR_STOPPED);
}

/* The message under way will be given for sure only once its time says so. */
static void what_is_under_way_is_certain_or_not(void **state)
{
    static const struct { const char *name, *events; bool certain; } is[] = {
        {"later than all", EVENT("1500", "a", X50), true},
        {"its time is not known yet",
         "{\"message\":\"" X50 "\",\"timestamp\":1500}", false},
        {"before the window", EVENT("999", "a", X50), false},
        {"behind the window", EVENT("2000", "a", X50), false},
        {"no later than another",
         EVENT("1500", "a", "") "," EVENT("1500", "b", X50), false},
        {"later than another",
         EVENT("1499", "a", "") "," EVENT("1500", "b", X50), true},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(is); i++) {
        char body[512];
        (void)snprintf(body, sizeof body, "{\"events\":[%s]}", is[i].events);
        const struct line lines[] = {{200, "", body, NULL}, {0}};
        enum flow flow;
        prepare(lines);
        assert_false(logs_is_certain(&logs));
        do {
            flow = logs_step(&logs, now, (struct span){out, 32});
            if (flow == FLOW_WANT_EVENT)
                assert_true(script_answer(&t));
        } while (flow != FLOW_WANT_ROOM);
        assert_true(logs_pending(&logs) > 0);
        failures += BROKEN(is[i].name,
                           logs_is_certain(&logs) == is[i].certain);
        logs_cancel(&logs);
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read),
        cmocka_unit_test(masks_are_taken_off),
        cmocka_unit_test(a_long_window_goes_on_by_time),
        cmocka_unit_test(lessons_end),
        cmocka_unit_test(it_sends_ahead),
        cmocka_unit_test(what_is_under_way_is_certain_or_not),
    };
    return RUN(tests);
}
