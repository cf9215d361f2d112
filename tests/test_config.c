/* test_config.c - what a configuration says, and why others are refused. */
#include "row.h"

#include "task/config.h"

enum { ROOM_BYTES = 1 << 20 };

static struct config config;
static struct fault fault;
static _Alignas(8) uint8_t room[ROOM_BYTES];

#define START "{\"region\": \"eu-west-1\", \"to\": \"s3://acme-logs/\",\n"
#define LONG100 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define GROUPS START " \"groups\": [\"/ecs/api\"]"

static bool reads(const char *text)
{
    fault_reset(&fault);
    config.len = (uint32_t)strlen(text);
    assert_true(config.len <= sizeof config.text);
    memcpy(config.text, text, config.len);
    return config_read(&config, view_of("firn.json"),
                       (struct span){room, sizeof room}, &fault);
}

static const struct wrong {
    const char *name, *text, *words;
} wrong[] = {
    {"nothing", "", "firn.json:1:1: it ends too early"},
    {"not JSON", "{]", "firn.json:1:2: this is not JSON"},
    {"cut", "{\"region\": \"eu-west-1\",\n", "firn.json:2:1: it ends too"},
    {"no object", "[1]", "a configuration is an object"},
    {"two documents", GROUPS "}{}", "this is not JSON"},
    {"no region", "{\"to\": \"s3://acme-logs/\", \"groups\": [\"/a\"]}",
     "firn.json:1:1: \"region\" is missing"},
    {"no groups", START "\"since\": \"2026-11-01\"}",
     "\"groups\" is missing"},
    {"empty groups", START "\"groups\": []}",
     "firn.json:2:11: \"groups\" is empty"},
    {"an unknown key", GROUPS ",\n  \"shedule\": \"rate(1 days)\"}",
     "firn.json:3:4: no key \"shedule\"; nearest: \"schedule\""},
    {"a key like none", GROUPS ", \"qqq\": 1}", "no key \"qqq\""},
    {"an unknown key of a group", START
     "\"groups\": [{\"name\": \"/a\", \"formt\": \"text\"}]}",
     "firn.json:2:28: no key \"formt\"; nearest: \"format\""},
    {"a group's key outside", GROUPS ", \"name\": \"/a\"}",
     "\"name\" is of a group"},
    {"the file's key inside", START
     "\"groups\": [{\"name\": \"/a\", \"schedule\": \"x\"}]}",
     "\"schedule\" is of the whole configuration"},
    {"twice", GROUPS ", \"rate\": 1, \"rate\": 2}", "\"rate\" is there twice"},
    {"a comma left out", "{\"region\": \"eu-west-1\" \"to\": \"s3://a/\"}",
     "firn.json:1:10: this is not JSON; look for a comma"},
    {"a comma too many", GROUPS ",}", "firn.json:"},
    {"a key without quotes", "{region: 1}", "not JSON"},
    {"a wrong type", GROUPS ", \"age_days\": \"1\"}",
     "\"age_days\" takes a whole number from 1 to 3653, not \"1\""},
    {"today", GROUPS ", \"age_days\": 0}", "takes a whole number from 1"},
    {"a fraction", GROUPS ", \"age_days\": 1.5}", "not 1.5"},
    {"a schedule that is none", GROUPS ", \"schedule\": \"cron(0 3)\"}",
     "firn.json:2:39: "},
    {"a number for a string", GROUPS ", \"timezone\": 9}",
     "\"timezone\" takes Asia/Seoul, not 9"},
    {"null", GROUPS ", \"since\": null}", "takes 2026-11-01, not null"},
    {"a choice that is none", GROUPS ", \"compress\": \"gz\"}",
     "\"compress\" takes gzip|zstd|none, not \"gz\""},
    {"a class that is none", GROUPS ", \"storage_class\": \"COLD\"}",
     "GLACIER_IR"},
    {"a zone that is none", GROUPS ", \"timezone\": \"Asia/Seol\"}",
     "nearest: \"Asia/Seoul\""},
    {"a day that is none", GROUPS ", \"since\": \"2026-02-30\"}",
     "takes 2026-11-01, not \"2026-02-30\""},
    {"a retention that is none", GROUPS ", \"retention_days\": 29}",
     "for 29 days; nearest: 30"},
    {"yes in quotes", GROUPS ", \"accept_provisional\": \"true\"}",
     "takes true or false"},
    {"a bucket that is none", "{\"region\": \"eu-west-1\", \"to\": \"acme\"}",
     "firn.json:1:32: \"acme\" is not an object of S3"},
    {"a key without days", "{\"region\": \"eu-west-1\", "
     "\"to\": \"s3://acme/{group}\"}", "does not tell days apart"},
    {"a key without groups", "{\"region\": \"eu-west-1\", "
     "\"to\": \"s3://acme/{date}\"}", "does not tell groups apart"},
    {"a region that is none", "{\"region\": \"Seoul!\"}",
     "\"region\" takes eu-central-1"},
    {"an owner that is none", GROUPS ", \"bucket_owner\": \"acme\"}",
     "takes 111122223333"},
    {"a role that is none", GROUPS ", \"role_arn\": \"arn:aws:iam::1:user/x\"}",
     "\"role_arn\" takes arn:aws:iam::111122223333:role/NAME"},
    {"state outside a prefix", GROUPS ", \"state\": \"s3://acme/x\"}",
     "is no prefix"},
    {"fields of text", GROUPS ", \"format\": \"text\", \"fields\": \"+id\"}",
     "\"fields\" needs \"format\": \"ndjson\""},
    {"fields that are none", GROUPS ", \"fields\": \"+size\"}",
     "takes +ingested,+id"},
    {"a KMS key alone", GROUPS ", \"sse_kms_key_id\": \"x\"}",
     "needs \"sse\": \"aws:kms\""},
    {"one group for a list", START "\"groups\": \"/a\"}",
     "\"groups\" takes a list"},
    {"a number for a group", START "\"groups\": [7]}",
     "a log group is a name in quotes"},
    {"a group without a name", START "\"groups\": [{\"via\": \"read\"}]}",
     "a group's \"name\" is missing"},
    {"a name CloudWatch would not take", START "\"groups\": [\"/a b\"]}",
     "\" \" cannot be in its name"},
    {"a group twice", START "\"groups\": [\"/a\", {\"name\": \"/a\"}]}",
     "firn.json:2:18: \"/a\" is there twice"},
    {"but for its slash", START "\"groups\": [\"/a\", \"a\"]}",
     "differs only by its leading \"/\""},
    {"a control character", START "\"groups\": [\"/a\\u0007\"]}",
     "control characters cannot be in it"},
    {"keys of two accounts", "{\"region\": \"eu-west-1\", \"to\": "
     "\"s3://acme/{group}/{date}\", \"groups\": [\"/a\", {\"name\": \"/b\", "
     "\"role_arn\": \"arn:aws:iam::111122223333:role/r\"}]}",
     "needs {account}"},
    {"no name to leave out", GROUPS ", \"exclude\": [7]}",
     "a log group is a name in quotes"},
    {"quotes in a name", START "\"groups\": [\"/a\\\"\"]}",
     "quotes, backslashes and control characters"},
    {"a backslash in a name", START "\"groups\": [\"/a\\\\\"]}",
     "quotes, backslashes and control characters"},
    {"a delete in a name", START "\"groups\": [\"/a\x7f\"]}",
     "quotes, backslashes and control characters"},
    {"half a character", START "\"groups\": [\"/a\\uqqqq\"]}",
     "not JSON"},
    {"ingested in text", GROUPS ", \"format\": \"text\", \"fields\": "
     "\"+ingested\"}", "\"fields\" needs \"format\": \"ndjson\""},
    {"state that is no URL", GROUPS ", \"state\": \"acme\"}",
     "is not an object of S3"},
    {"a zone like none", GROUPS ", \"timezone\": \"xyzzyxyzzyxyzzyx\"}",
     "no time zone \"xyzzyxyzzyxyzzyx\" in tzdata 2"},
    {"a zone too long", GROUPS ", \"timezone\": \"Asia/" LONG100 "\"}",
     "\"timezone\" takes Asia/Seoul, not \"Asia/aaaa"},
    {"a role that is no ARN", GROUPS ", \"role_arn\": \"a:b:c:d:e:role/x\"}",
     "\"role_arn\" takes arn:aws:iam::111122223333:role/NAME"},
    {"a role with a blank", GROUPS ", \"role_arn\": "
     "\"arn:aws:iam::1:role/x y\"}", "\"role_arn\" takes"},
    {"a role too long", GROUPS ", \"role_arn\": \"arn:aws:iam::1:role/"
     LONG100 LONG100 LONG100 LONG100 LONG100 LONG100 LONG100 "\"}",
     "\"role_arn\" takes"},
    {"an owner of letters", GROUPS ", \"bucket_owner\": \"11112222333x\"}",
     "takes 111122223333"},
    {"an age of centuries", GROUPS ", \"age_days\": 99999}",
     "takes a whole number from 1 to 3653, not 99999"},
    {"a name with a * that is too long", START "\"groups\": [\"*" LONG100
     LONG100 LONG100 LONG100 LONG100 LONG100 "\"]}",
     "512 characters at most"},
    {"a sentence that does not fit", START "\"groups\": [\"" LONG100 LONG100
     LONG100 LONG100 " \"]}", "firn.json:2:13: log group \"aaa"},
    {"a column after letters of two bytes",
     "{\"//\": \"\xc3\xa9\xc3\xa9\", \"qqq\": 1}", "firn.json:1:15: no key"},
};

static void wrong_ones_are_refused(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(wrong); i++) {
        const struct wrong *w = &wrong[i];
        bool ok = !reads(w->text) && fault.error == ERROR_CONFIG &&
                  strstr(fault.words, w->words) != NULL;
        if (!ok)
            fprintf(stderr, "  words \"%s\"\n", fault.words);
        broken += BROKEN(w->name, ok);
    }
    assert_int_equal(broken, 0);
}

/* The contract's example, with remarks. */
static const char example[] =
    "\xef\xbb\xbf{\n"
    "  \"$schema\": {\"any\": [1, \"thing\"]}, \"// note\": \"a \\\"b\\\"\",\n"
    "  \"region\": \"ap-northeast-2\",\n"
    "  \"to\": \"s3:\\/\\/acme-logs\\/\",\n"
    "  \"groups\": [\"\\/ecs\\/api\", \"/aws/lambda/*\",\n"
    "    {\"name\": \"/ecs/web\", \"format\": \"text\", \"via\": \"export\",\n"
    "     \"//\": null, \"to\": \"s3://other/{group}/{date}.{ext}\"},\n"
    "    \"/aws/*\"],\n"
    "  \"exclude\": [\"/aws/lambda/tmp-*\"],\n"
    "  \"since\": \"2026-11-01\", \"age_days\": 1, \"backfill_days\": 30,\n"
    "  \"timezone\": \"Asia/Seoul\",\n"
    "  \"schedule\": \"cron(0 3 * * ? *)\",\n"
    "  \"format\": \"ndjson\", \"compress\": \"zstd\",\n"
    "  \"fields\": \"\", \"storage_class\": \"GLACIER_IR\",\n"
    "  \"retention_days\": 30\n"
    "}\n";

static const struct match {
    const char *group;
    int32_t     entry;
} matches[] = {
    {"/ecs/api", 0}, {"/ecs/web", 2}, {"/ecs/apii", CONFIG_NONE},
    {"/aws/lambda/a", 1}, {"/aws/lambda/", 1}, {"/aws/lambda", 3},
    {"/aws/rds/x", 3}, {"/aws/lambda/tmp-1", CONFIG_NONE},
    {"", CONFIG_NONE},
};

static void groups_find_their_entries(void **state)
{
    int broken = 0;
    (void)state;
    assert_true(reads(example));
    assert_int_equal(config.group_count, 4);
    assert_int_equal(config.exclude_count, 1);
    for (size_t i = 0; i < ROW_COUNT(matches); i++)
        broken += BROKEN(matches[i].group, row_number(
            config_find(&config, view_of(matches[i].group), view_of("")),
            matches[i].entry));
    assert_int_equal(config_find(&config, view_of("/ecs/api"),
                                 view_of("arn:x")), CONFIG_NONE);
    assert_int_equal(broken, 0);
}

static void an_entry_overrules_the_file(void **state)
{
    struct config_settings s;
    struct spec spec;
    (void)state;
    assert_true(reads(example));
    for (int again = 0; again < 2; again++) {
        config_settings(&config, 2, &s);
        config_spec(&s, view_of("/ecs/web"), &spec);
        assert_string_equal(spec.bucket, "other");
        assert_string_equal(spec.key, "{group}/{date}.{ext}");
        assert_int_equal(spec.format, FORMAT_TEXT);
        assert_int_equal(spec.compress, COMPRESS_ZSTD);
        assert_int_equal(s.via, CONFIG_EXPORT);
        config_settings(&config, 0, &s);
        config_spec(&s, config_name(&config, 0), &spec);
        assert_string_equal(spec.group, "/ecs/api");
        assert_string_equal(spec.bucket, "acme-logs");
        assert_string_equal(spec.timezone, "Asia/Seoul");
        assert_string_equal(spec.storage_class, "GLACIER_IR");
        assert_int_equal(spec.format, FORMAT_NDJSON);
        assert_true(spec.checksum);
        assert_int_equal(s.via, CONFIG_READ);
    }
    assert_int_equal(config.settings.retention_days, 30);
    assert_true(view_is(config.settings.region, "ap-northeast-2"));
    assert_true(view_is(config.settings.schedule, "cron(0 3 * * ? *)"));
}

static void the_rest_has_defaults(void **state)
{
    struct config_settings s;
    (void)state;
    assert_true(reads(GROUPS "}"));
    config_settings(&config, 0, &s);
    assert_int_equal(s.age_days, 1);
    assert_int_equal(s.backfill_days, 30);
    assert_int_equal(s.retention_days, 0);
    assert_true(view_is(s.timezone, "UTC"));
    assert_false(s.accept_provisional);
    assert_int_equal(s.since.len + s.role_arn.len, 0);
    assert_true(view_is(s.schedule, "cron(0 3 * * ? *)"));
}

/* The set-up that firn replaces. */
static void fourteen_days_are_possible(void **state)
{
    (void)state;
    assert_true(reads(GROUPS ", \"age_days\": 13, \"retention_days\": 14, "
                      "\"accept_provisional\": true}"));
    assert_int_equal(config.settings.age_days, 13);
    assert_true(config.settings.accept_provisional);
}

/* Accounts of two roles do not see each other's groups. */
static void roles_are_apart(void **state)
{
    static const char role[] = "arn:aws:iam::111122223333:role/logs";
    (void)state;
    assert_true(reads(START "\"groups\": [\"/a\", {\"name\": \"/a\", "
                      "\"role_arn\": \"arn:aws:iam::111122223333:role/logs\"}"
                      "]}"));
    assert_int_equal(config_find(&config, view_of("/a"), view_of("")), 0);
    assert_int_equal(config_find(&config, view_of("/a"), view_of(role)), 1);
}

/* What is taken, though it looks odd. */
static void others_are_taken(void **state)
{
    static const char *const taken[] = {
        GROUPS ", \"fields\": \"+ingested\"}",
        GROUPS ", \"fields\": \"+id,+ingested\"}",
        GROUPS ", \"state\": \"s3://acme-logs\"}",
        GROUPS ", \"state\": \"s3://acme-logs/x/\"}",
        "{\"region\": \"eu-west-1\", \"to\": \"s3://acme/{account}/{group}/"
        "{date}\", \"groups\": [\"/a\", {\"name\": \"/b\", \"role_arn\": "
        "\"arn:aws:iam::111122223333:role/r\"}]}",
    };
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(taken); i++)
        if (!reads(taken[i]))
            fail_msg("%s", fault.words);
    assert_true(config_has(&config, view_of("/b")));
    assert_false(config_has(&config, view_of("/c")));
}

/* Values too long for where they go, and too many of them. */
static void much_is_refused(void **state)
{
    static char text[sizeof config.text];
    static const struct {
        const char *before, *piece;
        int         count;
        const char *behind, *words;
    } longs[] = {
        {GROUPS ", \"sse\": \"aws:kms\", \"sse_kms_key_id\": \"", "k", 2047,
         "\"}", NULL},
        {GROUPS ", \"sse\": \"aws:kms\", \"sse_kms_key_id\": \"", "k", 2048,
         "\"}", "\"sse_kms_key_id\" is too long"},
        {GROUPS ", \"sse\": \"aws:kms\", \"sse_kms_key_id\": \"", "k", 2060,
         "\"}", "a string that is too long"},
        {START "\"groups\": [{\"name\": \"/a\", \"//\": [1", ",1", 500, "]}]}",
         "too much is said of one group"},
    };
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(longs); i++) {
        char *at = text + sprintf(text, "%s", longs[i].before);
        for (int k = 0; k < longs[i].count; k++)
            at += sprintf(at, "%s", longs[i].piece);
        (void)sprintf(at, "%s", longs[i].behind);
        assert_int_equal(reads(text), longs[i].words == NULL);
        if (longs[i].words != NULL)
            assert_non_null(strstr(fault.words, longs[i].words));
    }
    strcpy(config.text, GROUPS "}");
    config.len = (uint32_t)strlen(config.text);
    fault_reset(&fault);
    assert_false(config_read(&config, view_of("firn.json"),
                             (struct span){room, 64}, &fault));
    assert_non_null(strstr(fault.words, "too many values"));
}

static void limits_are_told(void **state)
{
    char *at = config.text;
    (void)state;
    at += sprintf(at, START "\"groups\": [\"/x\"");
    for (int i = 0; i < CFG_CONFIG_GROUPS; i++)
        at += sprintf(at, ",\"/%d\"", i);
    at += sprintf(at, "]}");
    config.len = (uint32_t)(at - config.text);
    fault_reset(&fault);
    assert_false(config_read(&config, view_of("firn.json"),
                             (struct span){room, sizeof room}, &fault));
    assert_int_equal(fault.error, ERROR_LIMIT);
    assert_string_equal(fault.what, "CFG_CONFIG_GROUPS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_ones_are_refused),
        cmocka_unit_test(groups_find_their_entries),
        cmocka_unit_test(an_entry_overrules_the_file),
        cmocka_unit_test(the_rest_has_defaults),
        cmocka_unit_test(fourteen_days_are_possible),
        cmocka_unit_test(roles_are_apart),
        cmocka_unit_test(others_are_taken),
        cmocka_unit_test(much_is_refused),
        cmocka_unit_test(limits_are_told),
    };
    return RUN(tests);
}
