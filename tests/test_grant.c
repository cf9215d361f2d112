/* test_grant.c - what a bucket's policy grants to CloudWatch Logs.
 * Method: rows of policies; region eu-west-1. */
#include "fetch/grant.h"
#include "row.h"

#define ALLOW(who, what) \
    "{\"Effect\":\"Allow\",\"Principal\":" who ",\"Action\":" what "," \
    "\"Resource\":\"arn:aws:s3:::b/*\"}"
#define POLICY(statements) \
    "{\"Version\":\"2012-10-17\",\"Statement\":" statements "}"
#define LOGS "{\"Service\":\"logs.eu-west-1.amazonaws.com\"}"
#define BOTH "[\"s3:GetBucketAcl\",\"s3:PutObject\"]"

enum { TOKENS = 256 };

static const struct row {
    const char *name, *policy;
    uint32_t    want;
} rows[] = {
    {"AWS's own example", POLICY("[" ALLOW(LOGS, "\"s3:GetBucketAcl\"") ","
     ALLOW(LOGS, "\"s3:PutObject\"") "]"), GRANT_ALL},
    {"one statement, both", POLICY(ALLOW(LOGS, BOTH)), GRANT_ALL},
    {"only one of them", POLICY("[" ALLOW(LOGS, "\"s3:PutObject\"") "]"),
     GRANT_PUT},
    {"only the other", POLICY("[" ALLOW(LOGS, "\"s3:GetBucketAcl\"") "]"),
     GRANT_ACL},
    {"the service of any region", POLICY("[" ALLOW(
     "{\"Service\":\"logs.amazonaws.com\"}", BOTH) "]"), GRANT_ALL},
    {"China", POLICY("[" ALLOW(
     "{\"Service\":\"logs.eu-west-1.amazonaws.com.cn\"}", BOTH) "]"),
     GRANT_ALL},
    {"another region", POLICY("[" ALLOW(
     "{\"Service\":\"logs.eu-west-2.amazonaws.com\"}", BOTH) "]"), 0},
    {"another service", POLICY("[" ALLOW(
     "{\"Service\":\"delivery.logs.amazonaws.com\"}", BOTH) "]"), 0},
    {"a name that only begins so", POLICY("[" ALLOW(
     "{\"Service\":\"logs.example.com\"}", BOTH) "]"), 0},
    {"a host of that region elsewhere", POLICY("[" ALLOW(
     "{\"Service\":\"logs.eu-west-1.example.com\"}", BOTH) "]"), 0},
    {"every service", POLICY("[" ALLOW("{\"Service\":\"*\"}", BOTH) "]"),
     GRANT_ALL},
    {"one of several", POLICY("[" ALLOW(
     "{\"Service\":[\"ec2.amazonaws.com\",\"logs.amazonaws.com\"]}", BOTH)
     "]"), GRANT_ALL},
    {"everybody", POLICY("[" ALLOW("\"*\"", "\"s3:*\"") "]"), GRANT_ALL},
    {"everybody of AWS", POLICY("[" ALLOW("{\"AWS\":\"*\"}", "\"*\"") "]"),
     GRANT_ALL},
    {"an account", POLICY("[" ALLOW("{\"AWS\":\"111122223333\"}", "\"*\"")
     "]"), 0},
    {"patterns", POLICY("[" ALLOW(LOGS, "[\"s3:Put*\",\"S3:getbucket???\"]")
     "]"), GRANT_ALL},
    {"patterns that do not fit", POLICY("[" ALLOW(LOGS,
     "[\"s3:Put?\",\"s3:*Acls\",\"s3\",\"\"]") "]"), 0},
    {"stars in a row", POLICY("[" ALLOW(LOGS, "\"**s**:**Object**\"") "]"),
     GRANT_PUT},
    {"a denial grants nothing", POLICY("[{\"Effect\":\"Deny\",\"Principal\":"
     "\"*\",\"Action\":\"s3:*\",\"Resource\":\"*\"}]"), 0},
    {"all but some, of whom and what", POLICY("[{\"Effect\":\"Allow\","
     "\"NotPrincipal\":{\"AWS\":\"1\"},\"NotAction\":\"s3:DeleteObject\"}]"),
     GRANT_ALL},
    {"no statement", "{\"Version\":\"2012-10-17\",\"Statement\":[]}", 0},
    {"nothing", "{}", 0}, {"a list", "[]", 0},
    {"statements that are none", POLICY("[1,null,\"a\",[]]"), 0},
};

static bool holds(const struct row *row)
{
    int32_t words[JSON_WORDS(TOKENS)];
    struct json j;
    return json_parse(&j, view_of(row->policy), words, TOKENS) == JSON_FINE &&
           row_number(grant_read(&j, view_of("eu-west-1")), row->want);
}

static void what_is_granted(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, holds(&rows[i]));
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_granted)};
    return RUN(tests);
}
