/* test_existing.c - what S3 says of a key, before a day is written there. */
#include "caller.h"
#include "ship/existing.h"

static struct existing existing;
static uint8_t room[EXISTING_ROOM_BYTES];

#define NO(code) "<?xml version=\"1.0\"?>\n<Error><Code>" code "</Code>" \
                 "<Message>m</Message></Error>"

static const struct row {
    const char *name;
    struct line receipt, object;
    enum error  want;
    bool        has_object, damaged;
    const char *words;
} rows[] = {
    {"neither", {404, "", NO("NoSuchKey"), NULL}, {404, "", "", NULL},
     ERROR_NONE, false, false, ""},
    {"an object without a receipt", {404, "", NO("NoSuchKey"), NULL},
     {200, "content-length: 7\netag: \"x\"\n", "", NULL}, ERROR_NONE,
     true, false, ""},
    {"a 404 without words", {404, "", "", NULL}, {404, "", "", NULL},
     ERROR_NONE, false, false, ""},
    {"a 404 in another language", {404, "", "<html>No</html>", NULL},
     {404, "", "", NULL}, ERROR_NONE, false, false, ""},
    {"no bucket", {404, "", NO("NoSuchBucket"), NULL}, {0}, ERROR_CONFIG,
     false, false,
     "no bucket \"acme-logs\" exists; create it, or name another"},
    {"no access", {403, DATE, NO("AccessDenied"), NULL}, {0}, ERROR_DENIED,
     false, false, "m"},
    {"a receipt that is none, beside an object", {200, "", "{}", NULL},
     {200, "content-length: 7\n", "", NULL}, ERROR_NONE, true, true, ""},
};

static bool says(const struct row *row)
{
    struct line lines[] = {row->receipt, row->object, {0}};
    enum flow flow = FLOW_MOVED;
    setup(lines, "");
    existing_init(&existing, &call, view_of("acme-logs"), view_of("k"),
                  view_of("k.receipt.json"),
                  (struct span){room, sizeof room});
    while (flow == FLOW_MOVED || (flow == FLOW_WANT_EVENT &&
                                  script_answer(&t)))
        flow = existing_step(&existing, now);
    if (row->want == ERROR_NONE)
        return flow == FLOW_ENDED && !existing.has_receipt &&
               existing.has_object == row->has_object &&
               existing.damaged == row->damaged && t.count == 2;
    return flow == FLOW_FAILED && t.count == 1 &&
           row_number(existing.fault.error, row->want) &&
           row_string(existing.fault.words, row->words);
}

static void each_answer_is_understood(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, says(&rows[i]));
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_is_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
