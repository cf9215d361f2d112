/* test_message.c - what people read: the thing, what happened, AWS's words
 * and the cure; and no control character gets through. */
#include "row.h"

#include "task/message.h"

static char room[MESSAGE_BYTES];
static struct text out;

static void start(void)
{
    text_init(&out, room, sizeof room);
}

static const struct number {
    uint64_t    value;
    const char *number, *bytes;
} numbers[] = {
    {0, "0", "0 B"},
    {999, "999", "999 B"},
    {1000, "1,000", "1.0 kB"},
    {1065, "1,065", "1.0 kB"},
    {1048576, "1,048,576", "1.0 MB"},
    {99949999, "99,949,999", "99.9 MB"},
    {100000000, "100,000,000", "100 MB"},
    {1234567890123, "1,234,567,890,123", "1.2 TB"},
    {UINT64_MAX, "18,446,744,073,709,551,615", "18.4 EB"},
};

static void numbers_read_well(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(numbers); i++) {
        start();
        message_number(&out, numbers[i].value);
        broken += BROKEN(numbers[i].number, row_text(&out,
                                                     numbers[i].number));
        start();
        message_bytes(&out, numbers[i].value);
        broken += BROKEN(numbers[i].bytes, row_text(&out, numbers[i].bytes));
    }
    assert_int_equal(broken, 0);
}

static const struct duration {
    int64_t     ms;
    const char *want;
} durations[] = {
    {-5, "0 s"}, {4000, "4 s"}, {119999, "119 s"}, {720000, "12 min"},
    {11100000, "3 h 5 min"}, {86400000LL * 17, "17 days"},
};

static void durations_read_well(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(durations); i++) {
        start();
        message_duration(&out, durations[i].ms);
        broken += BROKEN(durations[i].want, row_text(&out,
                                                     durations[i].want));
    }
    assert_int_equal(broken, 0);
}

/* Failure modes 51 and 74. */
static void control_characters_are_escaped(void **state)
{
    (void)state;
    start();
    message_escape(&out, view_of("a\x1b[31mb\n\x7f\xc2\x9b" "1\xc3\xa9"));
    assert_true(row_text(&out, "a\\x1b[31mb\\x0a\\x7f\\x9b1\xc3\xa9"));
    start();  /* U+00A0, half a character twice */
    message_escape(&out, view_of("\xc2\xa0\xc2" "1\xc2"));
    assert_true(row_text(&out, "\xc2\xa0\xc2" "1\xc2"));
}

/* ---- faults ---- */

static const struct fault_row {
    const char *name;
    enum error  error;
    const char *what, *operation, *code, *words;
    int64_t     detail;
    const char *want;
} fault_rows[] = {
    {"throttled", ERROR_THROTTLED, "asked to slow down", "logs:X", "", "", 0,
     "69 t: asked to slow down, logs:X. Run again later, or with a lower "
     "--rate"},
    {"of the service", ERROR_REMOTE, "it failed", "s3:X", "Internal", "w", 500,
     "69 t: Internal, s3:X. AWS: \"w\". Run again later"},
    {"someone else's write", ERROR_CONFLICT, "taken", NULL, "", "", 0,
     "75 t: taken. Run again to go on"},
    {"a signal", ERROR_STOPPED, "stopped", NULL, "", "", 0,
     "75 t: stopped. Run again to go on"},
    {"what says so itself", ERROR_STOPPED, "run it again", NULL, "", "", 0,
     "75 t: run it again"},
    {"a missing key", ERROR_MISSING, "no such key", "s3:X", "NoSuchKey", "",
     404, "78 t: NoSuchKey, s3:X"},
    {"a sentence with an operation", ERROR_CONFIG, "", "s3:X", "", "w", 0,
     "78 t: , s3:X. AWS: \"w\""},
    {"nothing but a code", ERROR_CORRUPT, NULL, NULL, "Code", "w", 7,
     "65 t: Code. AWS: \"w\""},
    {"ours, with words", ERROR_CORRUPT, "cut", NULL, "", "at 7", 7,
     "65 t: cut: at 7"},
    {"a usage", ERROR_USAGE, "odd", NULL, "", "", 0, "64 t: odd"},
    {"another region's", ERROR_DENIED, "refused", "s3:X", "Malformed",
     "expecting a valid region", 400, "77 t: Malformed, s3:X. AWS: "
     "\"expecting a valid region\". Check the region"},
    {"a wrong key", ERROR_DENIED, "refused", "s3:X", "InvalidAccessKeyId",
     "w", 403, "77 t: InvalidAccessKeyId, s3:X. AWS: \"w\". Check the keys "
     "and the clock"},
    {"no word of a HEAD but 401", ERROR_DENIED, "refused", "s3:X", "", "",
     401, "77 t: refused (401), s3:X. Check the keys and the clock"},
    {"no keys at all", ERROR_DENIED, "no keys", NULL, "", "", 0,
     "77 t: no keys"},
    {"no host to name", ERROR_NETWORK, "reset", NULL, "", "", 0,
     "69 t: reset. Run again later"},
    {"a limit without a number", ERROR_LIMIT, "CFG_X", NULL, "", "", -1,
     "78 t: limit reached: CFG_X is 0"},
    {"a limit that AWS names", ERROR_LIMIT, "too many", NULL, "", "ours", 0,
     "78 t: too many: ours"},
};

static struct fault fault_of(const struct fault_row *row)
{
    struct fault f = {.what = row->what, .operation = row->operation,
                      .error = row->error, .detail = row->detail};
    strcpy(f.code, row->code);
    strcpy(f.words, row->words);
    return f;
}

static void every_error_says_what_helps(void **state)
{
    const struct message_context context = {.thing = view_of("t")};
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(fault_rows); i++) {
        const struct fault f = fault_of(&fault_rows[i]);
        start();
        message_fault(&out, &f, &context);
        broken += BROKEN(fault_rows[i].name,
                         row_text(&out, fault_rows[i].want));
    }
    assert_int_equal(broken, 0);
}

static void nothing_wrong_needs_no_cure(void **state)
{
    const struct message_context context = {.thing = view_of("t")};
    struct fault f;
    (void)state;
    fault_reset(&f);
    f.what = "fine";
    start();
    message_fault(&out, &f, &context);
    assert_true(row_text(&out, "0 t: fine"));
}

static void a_warning_names_thing_and_words(void **state)
{
    static const struct {
        const char *thing, *what, *words, *want;
    } warnings[] = {
        {"t", "odd", "w", "warning: t: odd: w"},
        {"", "odd", "", "warning: odd"},
        {"t", NULL, "\n", "warning: t: : \\x0a"},
    };
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(warnings); i++) {
        const struct message_context context = {
            .thing = view_of(warnings[i].thing),
        };
        struct fault f = {.what = warnings[i].what};
        strcpy(f.words, warnings[i].words);
        start();
        message_warning(&out, &f, &context);
        broken += BROKEN(warnings[i].want,
                         row_text(&out, warnings[i].want));
    }
    assert_int_equal(broken, 0);
}

static void a_group_that_is_none_has_a_nearest(void **state)
{
    struct fault f = {0};
    (void)state;
    assert_false(message_no_group(&f, view_of("/a"), view_of("r"),
                                  view_of("/b")));
    assert_true(row_string(f.words, "no log group \"/a\" in r; nearest: "
                                    "\"/b\""));
    fault_reset(&f);
    assert_false(message_no_group(&f, view_of("/a"), view_of("r"),
                                  view_of("")));
    assert_true(row_string(f.words, "no log group \"/a\" in r"));
}

static void a_fault_of_aws_names_everything(void **state)
{
    struct fault f;
    struct message_context context = {
        .thing = view_of("/ecs/api"),
        .identity = view_of("arn:aws:sts::1:assumed-role/x"),
    };
    (void)state;
    fault_reset(&f);
    fault_set(&f, ERROR_DENIED, "refused", 400);
    f.operation = "logs:FilterLogEvents";
    strcpy(f.code, "AccessDeniedException");
    strcpy(f.request_id, "6f2c");
    fault_words(&f, view_of("User is not authorized\r\n\x1b[2J"));
    start();
    message_fault(&out, &f, &context);
    assert_true(row_text(&out,
        "77 /ecs/api: AccessDeniedException, logs:FilterLogEvents as "
        "arn:aws:sts::1:assumed-role/x (request 6f2c). AWS: \"User is not "
        "authorized   [2J\". Grant: logs:FilterLogEvents"));
}

static void what_to_grant_is_the_action_that_lacks(void **state)
{
    struct fault f;
    struct message_context context = {.thing = view_of("s3://b/k")};
    (void)state;
    fault_reset(&f);
    fault_set(&f, ERROR_DENIED, "refused", 400);
    f.operation = "logs:FilterLogEvents";
    strcpy(f.code, "AccessDeniedException");
    fault_words(&f, view_of("x is not authorized to perform: logs:Unmask on "
                            "resource: y"));
    start();
    message_fault(&out, &f, &context);
    assert_true(view_ends(text_view(&out), "\". Grant: logs:Unmask"));
    fault_reset(&f);
    fault_set(&f, ERROR_DENIED, "an unexpected answer", 403);
    f.operation = "s3:GetObject";
    start();
    message_fault(&out, &f, &context);
    assert_true(row_text(&out, "77 s3://b/k: an unexpected answer (403), "
                               "s3:GetObject. Grant: s3:GetObject"));
}

static void a_host_that_does_not_answer_is_named(void **state)
{
    struct fault f;
    struct message_context context = {
        .thing = view_of("/ecs/api"), .host = view_of("logs.example:443"),
    };
    (void)state;
    fault_reset(&f);
    fault_set(&f, ERROR_NETWORK, "connection refused", 7);
    f.operation = "logs:FilterLogEvents";
    start();
    message_fault(&out, &f, &context);
    assert_true(row_text(&out, "69 /ecs/api: connection refused (7), "
        "logs.example:443, logs:FilterLogEvents. Run again later"));
}

static void a_sentence_of_ours_stands_alone(void **state)
{
    struct fault f;
    struct message_context context = {.thing = view_of("/ecs/api")};
    (void)state;
    fault_reset(&f);
    assert_false(message_refuse(&f, ERROR_CONFIG, "no zone \"%\" in %",
                                (const struct view[]){view_of("A\nB"),
                                                      view_of("2025b")}));
    start();
    message_fault(&out, &f, &context);
    assert_true(row_text(&out, "78 no zone \"A\\x0aB\" in 2025b"));
    assert_false(message_refuse(&f, ERROR_USAGE, "later", NULL));
    assert_int_equal(f.error, ERROR_CONFIG);
}

static void a_fault_without_aws_says_what_and_how(void **state)
{
    struct fault f;
    struct message_context context = {.thing = view_of("/ecs/api")};
    (void)state;
    fault_reset(&f);
    fault_set(&f, ERROR_CORRUPT, "gzip: wrong CRC", 1234);
    start();
    message_fault(&out, &f, &context);
    assert_true(row_text(&out, "65 /ecs/api: gzip: wrong CRC (1234)"));
}

static void a_limit_names_the_setting(void **state)
{
    struct fault f;
    struct message_context context = {.thing = view_of("")};
    (void)state;
    fault_reset(&f);
    fault_set(&f, ERROR_LIMIT, "CFG_STREAM_BYTES", 3072);
    start();
    message_fault(&out, &f, &context);
    assert_true(row_text(&out, "78 limit reached: CFG_STREAM_BYTES is 3,072. "
                         "Build with CFG_STREAM_BYTES=6144"));
    fault_reset(&f);
    fault_set(&f, ERROR_LIMIT, "pool full", 1048576);
    start();
    message_fault(&out, &f, &context);
    assert_true(row_text(&out, "78 pool full: 1,048,576 bytes. Build with "
                         "CFG_POOL_BYTES=2097152, or use a lower --rate"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_read_well),
        cmocka_unit_test(durations_read_well),
        cmocka_unit_test(control_characters_are_escaped),
        cmocka_unit_test(a_fault_of_aws_names_everything),
        cmocka_unit_test(what_to_grant_is_the_action_that_lacks),
        cmocka_unit_test(a_host_that_does_not_answer_is_named),
        cmocka_unit_test(a_sentence_of_ours_stands_alone),
        cmocka_unit_test(a_limit_names_the_setting),
        cmocka_unit_test(every_error_says_what_helps),
        cmocka_unit_test(nothing_wrong_needs_no_cure),
        cmocka_unit_test(a_warning_names_thing_and_words),
        cmocka_unit_test(a_group_that_is_none_has_a_nearest),
        cmocka_unit_test(a_fault_without_aws_says_what_and_how),
    };
    return RUN(tests);
}
