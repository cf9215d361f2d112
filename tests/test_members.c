/* test_members.c - an object that firn wrote is read back; a damaged one is
 * refused, with its offset. */
#include "base/members.h"
#include "row.h"

enum { NAMES = 2 };

static char room[64];
static struct text strings;
static struct fault fault;

static struct members reader(struct view all)
{
    text_init(&strings, room, sizeof room);
    fault_reset(&fault);
    return (struct members){all, &strings, &fault, "it is damaged"};
}

static const struct row {
    const char *name, *in, *a, *b;  /* a NULL: refused */
    const char *words;
    int64_t     offset;
} rows[] = {
    {"two members", "{\"a\":1,\"b\":2}", "1", "2", "", 0},
    {"blanks of all kinds", " {\t\"a\"\r:\n1 ,\r\n\"b\" : 2\t} ", "1", "2", "",
     0},
    {"members unknown, of all kinds",
     "{\"x\":{\"a\":[1,{\"b\":\"}]\"}]},\"a\":\"\\\"{\",\"y\":[],\"b\":null}",
     "\"\\\"{\"", "null", "", 0},
    {"a name that is longer", "{\"aa\":0,\"a\":1,\"b\":2}", "1", "2", "", 0},
    {"nothing", "", NULL, NULL, "it is no JSON object", 0},
    {"blanks", "  ", NULL, NULL, "it is no JSON object", 2},
    {"half an object", "{", NULL, NULL, "it is no JSON object", 0},
    {"an array", "[1]", NULL, NULL, "it is no JSON object", 0},
    {"no end", "{\"a\":1,\"b\":2", NULL, NULL, "it is no JSON object", 0},
    {"another end", "{\"a\":1,\"b\":2]", NULL, NULL, "it is no JSON object",
     0},
    {"an empty object", "{}", NULL, NULL, "it lacks \"a\"", 0},
    {"one member is missing", "{\"a\":1}", NULL, NULL, "it lacks \"b\"", 0},
    {"a member twice", "{\"a\":1,\"a\":1,\"b\":2}", NULL, NULL,
     "a member is there twice", 8},
    {"no name", "{\"a\":1,2}", NULL, NULL, "bad JSON", 7},
    {"a name without an end", "{\"a\":1,\"b}", NULL, NULL, "bad JSON", 7},
    {"a name cut behind a backslash", "{\"a\":1,\"b\\}", NULL, NULL,
     "bad JSON", 7},
    {"a name alone", "{\"a\":1,\"b\"}", NULL, NULL, "bad JSON", 7},
    {"no colon", "{\"a\":1,\"b\"2}", NULL, NULL, "bad JSON", 7},
    {"no value", "{\"a\":1,\"b\":}", NULL, NULL, "bad JSON", 7},
    {"no value before the comma", "{\"a\":,\"b\":1}", NULL, NULL, "bad JSON",
     1},
    {"two colons", "{\"a\"::1,\"b\":2}", NULL, NULL, "bad JSON", 1},
    {"a value with a colon", "{\"a\":1:2,\"b\":2}", NULL, NULL, "bad JSON", 6},
    {"a bracket too many", "{\"a\":[1]],\"b\":2}", NULL, NULL, "bad JSON", 8},
    {"a bracket too few", "{\"a\":1,\"b\":[2}", NULL, NULL, "bad JSON", 7},
    {"a string without an end", "{\"a\":1,\"b\":\"2}", NULL, NULL, "bad JSON",
     7},
    {"a comma at the end", "{\"a\":1,\"b\":2,}", NULL, NULL, "bad JSON", 13},
};

static bool row_holds(const struct row *row)
{
    static const char *const names[NAMES] = {"a", "b"};
    struct view values[NAMES];
    struct view in = *row->in == '\0' ? (struct view){0} : view_of(row->in);
    struct members m = reader(in);
    bool ok = members_find(&m, in, names, values, NAMES);
    if (!ok)
        return row->a == NULL && fault.error == ERROR_CORRUPT &&
               row_string(fault.words, row->words) &&
               row_number(fault.detail, row->offset);
    return row->a != NULL && fault.error == ERROR_NONE &&
           view_is(values[0], row->a) && view_is(values[1], row->b);
}

static void members_are_found_or_refused(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, row_holds(&rows[i]));
    assert_int_equal(failures, 0);
}

enum kind { STRING, MAYBE, TIME, TIME_MAYBE, NUMBER, BOOL, DIGEST, CRC };

static const struct value_row {
    const char *name;
    enum kind   kind;
    const char *in;
    bool        ok;
    const char *string;
    uint64_t    number;
} value_rows[] = {
    {"a string", STRING, "\"a\\nb\"", true, "a\nb", 0},
    {"an empty string", STRING, "\"\"", true, "", 0},
    {"null is no string", STRING, "null", false, "", 0},
    {"a number is none", STRING, "1", false, "", 0},
    {"two strings", STRING, "\"a\"\"b\"", false, "", 0},
    {"a string longer than the room", STRING,
     "\"0123456789012345678901234567890123456789012345678901234567890123\"",
     false, NULL, 0},
    {"a string that may be null", MAYBE, "\"x\"", true, "x", 0},
    {"null, where it may be", MAYBE, "null", true, "", 0},
    {"a time", TIME, "\"1970-01-01T00:00:01Z\"", true, "", 1000},
    {"a time without a zone", TIME, "\"1970-01-01T00:00:01\"", false, "", 7},
    {"a time without quotes", TIME, "1970-01-01T00:00:01Z", false, "", 7},
    {"half a quote", TIME, "\"", false, "", 7},
    {"no time", TIME, "null", false, "", 7},
    {"a time that may be null", TIME_MAYBE, "\"1970-01-01T00:00:01Z\"", true,
     "", 1000},
    {"null leaves it", TIME_MAYBE, "null", true, "", 7},
    {"neither", TIME_MAYBE, "0", false, "", 7},
    {"the largest number", NUMBER, "18446744073709551615", true, "",
     UINT64_MAX},
    {"one more", NUMBER, "18446744073709551616", false, "", 7},
    {"a number below zero", NUMBER, "-1", false, "", 7},
    {"true", BOOL, "true", true, "", 1},
    {"false", BOOL, "false", true, "", 0},
    {"a bool in quotes", BOOL, "\"true\"", false, "", 0},
    {"a digest", DIGEST, "\"000000000000000a000000000000000b\"", true, "", 10},
    {"a digest without quotes", DIGEST, "000000000000000a000000000000000b",
     false, "", 7},
    {"one too short", DIGEST, "\"0a\"", false, "", 7},
    {"half a quote, for a digest", DIGEST, "\"", false, "", 7},
    {"a CRC", CRC, "\"AAAAAAAAAAo=\"", true, "", 10},
    {"a CRC that is not known", CRC, "null", true, "", 7},
    {"a CRC without quotes", CRC, "AAAAAAAAAAo=", false, "", 7},
    {"a CRC cut", CRC, "\"AAAAAAAA\"", false, "", 7},
    {"half a quote, for a CRC", CRC, "\"", false, "", 7},
};

static bool value_holds(const struct value_row *row)
{
    struct view v = view_of(row->in), string = {0};
    struct members m = reader(v);
    struct tally tally = {.digest = {7, 7}};
    bool ok = false, is = false, known = true;
    uint64_t number = 7;
    int64_t ms = 7;
    switch (row->kind) {
    case STRING:     ok = members_string(&m, v, false, &string); break;
    case MAYBE:      ok = members_string(&m, v, true, &string); break;
    case TIME:       ok = members_time(&m, v, &ms); break;
    case TIME_MAYBE: ok = members_time_or_null(&m, v, &ms); break;
    case NUMBER:     ok = members_number(&m, v, &number); break;
    case BOOL:       ok = members_bool(&m, v, &is); break;
    case DIGEST:     ok = members_digest(&m, v, &tally); break;
    case CRC:        ok = members_crc64(&m, v, &known, &number); break;
    }
    uint64_t got = row->kind == BOOL ? is :
                   row->kind == DIGEST ? tally.digest[0] :
                   row->kind == TIME || row->kind == TIME_MAYBE
                       ? (uint64_t)ms : number;
    return ok == row->ok && (fault.error == ERROR_NONE) == ok &&
           known == (row->kind != CRC || !members_null(v)) &&
           (row->string == NULL || view_is(string, row->string)) &&
           (row->kind <= MAYBE || got == row->number);
}

static void values_are_what_they_must_be(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(value_rows); i++)
        failures += BROKEN(value_rows[i].name, value_holds(&value_rows[i]));
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found_or_refused),
        cmocka_unit_test(values_are_what_they_must_be),
    };
    return RUN(tests);
}
