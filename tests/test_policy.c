/* test_policy.c - what IAM must allow, of configurations of all kinds.
 * Method: rows; blanks are taken out of the document, which must be JSON, and
 * each piece of a row must be in it, or must not. */
#include "row.h"

#include "base/json.h"
#include "task/policy.h"

enum { ROOM_BYTES = 1 << 20 };

static struct config config;
static struct policy policy;
static struct fault fault;
static _Alignas(8) uint8_t room[ROOM_BYTES];
static char plain[POLICY_BYTES];

#define START "{\"region\": \"eu-west-1\", \"to\": \"s3://acme-logs/\""
#define ONE START ", \"groups\": [\"/ecs/api\"]}"
#define ROLE "arn:aws:iam::111122223333:role/there"
#define OTHER START ", \"groups\": [\"/a\", {\"name\": \"/b\", \"role_arn\": " \
    "\"" ROLE "\", \"retention_days\": 30}]}"
#define EXPORTS START ", \"bucket_owner\": \"444455556666\", \"groups\": " \
    "[\"/a\", {\"name\": \"/b\", \"via\": \"export\", \"to\": \"s3://other\"}]}"
#define LIST(sid, actions, resources) "{\"Sid\":\"" sid "\",\"Effect\":" \
    "\"Allow\",\"Action\":[" actions "],\"Resource\":[" resources "]}"

static const struct row {
    const char *name, *config;
    enum policy_kind kind;
    const char *role, *source;  /* of a bucket's policy: its owner */
    const char *has[4], *lacks[4];
} rows[] = {
    {"one group", ONE, POLICY_RUN, NULL, NULL,
     {LIST("FindGroups", "\"logs:DescribeLogGroups\"", "\"*\""),
      LIST("ReadGroups", "\"logs:FilterLogEvents\"",
           "\"arn:aws:logs:eu-west-1:*:log-group:/ecs/api:*\""),
      LIST("FindArchives", "\"s3:ListBucket\"", "\"arn:aws:s3:::acme-logs\""),
      LIST("EndRuns", "\"s3:DeleteObject\"",
           "\"arn:aws:s3:::acme-logs/*.checkpoint.json\","
           "\"arn:aws:s3:::acme-logs/*.segment\"")},
     {"Retention", "Export", "kms:", "sts:"}},
    {"groups of one bucket say it once", START ", \"groups\": [\"/a\","
     "{\"name\": \"/b\", \"to\": \"s3://acme-logs\"},"
     "{\"name\": \"/c\", \"to\": \"s3://acme-logs-2/\"}]}",
     POLICY_RUN, NULL, NULL,
     {LIST("FindArchives", "\"s3:ListBucket\"",
           "\"arn:aws:s3:::acme-logs\",\"arn:aws:s3:::acme-logs-2\"")}, {0}},
    {"what the keys have in common", "{\"region\": \"cn-north-1\", \"to\": "
     "\"s3://bkt/x/y-{account}/{group}/{yyyy}/{mm}/{dd}.{ext}\", \"groups\": "
     "[\"/a*\"]}", POLICY_RUN, NULL, NULL,
     {LIST("ReadArchives", "\"s3:GetObject\"", "\"arn:aws-cn:s3:::bkt/x/*\""),
      "\"arn:aws-cn:logs:cn-north-1:*:log-group:/a*:*\""}, {"y-"}},
    {"checkpoints elsewhere", START ", \"state\": \"s3://sss/t/\", "
     "\"groups\": [\"/a\"]}", POLICY_RUN, NULL, NULL,
     {"\"Resource\":[\"arn:aws:s3:::acme-logs\",\"arn:aws:s3:::sss\"]",
      "\"arn:aws:s3:::acme-logs/*\",\"arn:aws:s3:::sss/t/*\"",
      "[\"arn:aws:s3:::sss/t/*.checkpoint.json\","},
     {"acme-logs/*.checkpoint"}},
    {"retention, of those alone that have it", START ", \"groups\": [\"/a\","
     "{\"name\": \"/b\", \"retention_days\": 30}]}", POLICY_RUN, NULL, NULL,
     {LIST("SetRetention", "\"logs:PutRetentionPolicy\"",
           "\"arn:aws:logs:eu-west-1:*:log-group:/b:*\"")}, {0}},
    {"a key of KMS", START ", \"sse\": \"aws:kms\", \"sse_kms_key_id\": "
     "\"1234\", \"groups\": [\"/a\", {\"name\": \"/b\", \"sse_kms_key_id\": "
     "\"arn:aws:kms:eu-west-1:1:key/5\", \"sse\": \"aws:kms\"}, "
     "{\"name\": \"/c\", \"sse_kms_key_id\": \"alias/x\", "
     "\"sse\": \"aws:kms\"}]}", POLICY_RUN, NULL, NULL,
     {LIST("UseKeys", "\"kms:GenerateDataKey\",\"kms:Decrypt\"",
           "\"arn:aws:kms:eu-west-1:*:key/1234\","
           "\"arn:aws:kms:eu-west-1:1:key/5\","
           "\"arn:aws:kms:eu-west-1:*:key/*\"")}, {"alias"}},
    {"roles are assumed, and theirs is not ours", OTHER, POLICY_RUN, NULL,
     NULL, {LIST("BecomeRoles", "\"sts:AssumeRole\"", "\"" ROLE "\"")},
     {"log-group:/b", "Retention"}},
    {"a role's own", OTHER, POLICY_RUN, ROLE, "s3://c/firn.json",
     {"log-group:/b", "logs:PutRetentionPolicy"},
     {"log-group:/a", "sts:", "firn.json"}},
    {"a configuration in S3", ONE, POLICY_RUN, NULL, "s3://c/d/firn.json",
     {LIST("ReadConfiguration", "\"s3:GetObject\"",
           "\"arn:aws:s3:::c/d/firn.json\"")}, {0}},
    {"exports", EXPORTS, POLICY_RUN, NULL, NULL,
     {LIST("ExportGroups", "\"logs:CreateExportTask\"",
           "\"arn:aws:logs:eu-west-1:*:log-group:/b:*\""),
      LIST("ExportsAllowed", "\"s3:GetBucketPolicy\"",
           "\"arn:aws:s3:::other\""),
      LIST("DropExports", "\"s3:DeleteObject\"",
           "\"arn:aws:s3:::other/*.export-*\"")},
     {"acme-logs/*.export"}},
    {"for people on call", OTHER, POLICY_READ_ONLY, NULL, NULL,
     {"logs:DescribeLogGroups", "s3:ListBucket", "s3:GetObject"},
     {"Put", "Delete", "sts:", "Restore"}},
    {"for people on call, of Glacier", START ", \"storage_class\": "
     "\"DEEP_ARCHIVE\", \"groups\": [\"/a\"]}", POLICY_READ_ONLY, NULL, NULL,
     {"s3:RestoreObject"}, {"Put"}},
    {"the bucket's, of exports", EXPORTS, POLICY_BUCKET, NULL, NULL,
     {"\"Action\":\"s3:GetBucketAcl\",\"Resource\":\"arn:aws:s3:::other\","
      "\"Principal\":{\"Service\":\"logs.eu-west-1.amazonaws.com\"}",
      "\"Resource\":\"arn:aws:s3:::other/*\"",
      "{\"s3:x-amz-acl\":\"bucket-owner-full-control\","
      "\"aws:SourceAccount\":\"444455556666\"}",
      "\"arn:aws:logs:eu-west-1:444455556666:log-group:*\""}, {"acme"}},
    {"for people on call, of Glacier's other class", START ", "
     "\"storage_class\": \"GLACIER\", \"groups\": [\"/a\"]}",
     POLICY_READ_ONLY, NULL, NULL, {"s3:RestoreObject"}, {"Put"}},
    {"the bucket's, of exports before others and behind them", START ", "
     "\"groups\": [\"/a\", {\"name\": \"/b\", \"via\": \"export\", "
     "\"to\": \"s3://other\"}, \"/c\", {\"name\": \"/d\", "
     "\"via\": \"export\", \"to\": \"s3://other/x/\"}]}",
     POLICY_BUCKET, NULL, "777788889999",
     {"\"arn:aws:s3:::other/*\"", "\"aws:SourceAccount\":\"777788889999\""},
     {"acme"}},
    {"the bucket's, of a role", OTHER, POLICY_BUCKET, ROLE, NULL,
     {"\"aws:SourceAccount\":\"111122223333\"", "arn:aws:s3:::acme-logs/*"},
     {0}},
};

static const struct wrong {
    const char *name, *config;
    enum policy_kind kind;
    const char *role, *words;
} wrong[] = {
    {"a role that no group has", ONE, POLICY_RUN, ROLE, "no group has the"},
    {"... and its bucket", ONE, POLICY_BUCKET, ROLE, "no group has the"},
    {"nobody's account", ONE, POLICY_BUCKET, NULL, "names the account"},
    {"two buckets", START ", \"bucket_owner\": \"111122223333\", \"groups\": "
     "[\"/a\", {\"name\": \"/b\", \"to\": \"s3://other\"}]}", POLICY_BUCKET,
     NULL, "groups go to \"acme-logs\" and \"other\""},
};

static void read_config(const char *text)
{
    fault_reset(&fault);
    config.len = (uint32_t)strlen(text);
    memcpy(config.text, text, config.len);
    if (!config_read(&config, view_of("firn.json"),
                     (struct span){room, sizeof room}, &fault))
        fail_msg("%s in %s", fault.words, text);
}

static bool writes(const struct row *r)
{
    bool bucket = r->kind == POLICY_BUCKET;
    const struct policy_options options = {
        .config = &config, .role = view_of(r->role),
        .source = view_of(bucket ? NULL : r->source),
        .owner = view_of(bucket ? r->source : NULL), .kind = r->kind,
    };
    read_config(r->config);
    return policy_write(&policy, &options, &fault);
}

static void blanks_out(void)
{
    uint32_t len = 0;
    for (uint32_t i = 0; i < policy.text.len; i++)
        if (policy.bytes[i] != ' ' && policy.bytes[i] != '\n')
            plain[len++] = policy.bytes[i];
    plain[len] = '\0';
}

static void what_is_needed_is_there_and_no_more(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const struct row *r = &rows[i];
        struct json json;
        if (BROKEN(r->name, writes(r))) {
            broken++;
            continue;
        }
        broken += BROKEN(r->name, json_parse(
            &json, text_view(&policy.text), (int32_t *)(void *)room,
            sizeof room / JSON_WORDS(4)) == JSON_FINE);
        blanks_out();
        for (size_t k = 0; k < ROW_COUNT(r->has); k++) {
            bool has = r->has[k] == NULL || strstr(plain, r->has[k]) != NULL;
            bool lacks = r->lacks[k] == NULL ||
                         strstr(plain, r->lacks[k]) == NULL;
            broken += BROKEN(r->name, has) + BROKEN(r->name, lacks);
            if (!has || !lacks)
                fprintf(stderr, "  %s\n  in %s\n", has ? r->lacks[k]
                                                       : r->has[k], plain);
        }
    }
    assert_int_equal(broken, 0);
}

static void what_cannot_be_is_refused(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(wrong); i++) {
        const struct wrong *w = &wrong[i];
        const struct row r = {.config = w->config, .kind = w->kind,
                              .role = w->role};
        broken += BROKEN(w->name, !writes(&r));
        broken += BROKEN(w->name, fault.error == ERROR_CONFIG &&
                                  strstr(fault.words, w->words) != NULL);
    }
    assert_int_equal(broken, 0);
}

/* Group after group, by a pattern in which % is its number. */
static bool writes_many(const char *start, const char *pattern)
{
    static char text[CFG_CONFIG_BYTES];
    struct text t;
    text_init(&t, text, sizeof text);
    text_str(&t, start);
    for (uint32_t i = 0; i < CFG_CONFIG_GROUPS && t.len < sizeof text - 200;
         i++) {
        text_str(&t, i == 0 ? "" : ",");
        for (const char *c = pattern; *c != '\0'; c++)
            if (*c == '%')
                text_pad(&t, i, 6);
            else
                text_char(&t, *c);
    }
    text_str(&t, "]}");
    assert_false(t.overflow);
    return writes(&(struct row){.config = text, .kind = POLICY_RUN});
}

/* As many names as there may be, as long as fit. */
static void the_largest_is_whole(void **state)
{
    (void)state;
    assert_true(writes_many(START ", \"retention_days\": 30, \"groups\": [",
                            "\"/a/name/of/a/group/that/is/long/enough/%\""));
}

/* A bucket, a key and a role each, and exports: more than there is room for.
 * It is never cut in silence, nor is a statement left out. */
static void one_too_large_is_refused(void **state)
{
    (void)state;
    assert_false(writes_many(START ", \"via\": \"export\", \"groups\": [",
                             "{\"name\":\"/%\",\"to\":\"s3://a%/bbbbbbbbbbbb/"
                             "%/\"}"));
    assert_int_equal(fault.error, ERROR_LIMIT);
    assert_string_equal(fault.what, "POLICY_BYTES");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_needed_is_there_and_no_more),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(the_largest_is_whole),
        cmocka_unit_test(one_too_large_is_refused),
    };
    return RUN(tests);
}
