/* test_doctor.c - each thing that would fail is named, with its cure.
 * Method: rows of an account with one thing amiss, against the simulated AWS;
 * what is said of it, the exit code, and that nothing is left behind. */
#include "run_rig.h"
#include "task/doctor.h"

#define DAYS(n) ((n) * (int64_t)DAY_MS)

static struct doctor doctor;
static char said[65536];

static int look(bool write, int64_t skew_ms, enum output output)
{
    const struct doctor_options options = {
        .tour = {.site = &site, .config = &config}, .write = write,
        .output = output,
    };
    size_t len = 0;
    memset(&site, 0, sizeof site);
    sim_init(&network, model, run_seed++, NOON);
    network.skew_ms = skew_ms;
    sim_site(&site, &network, 1000, run_seed);
    site.give_up_ms = 20000;
    doctor_init(&doctor, &options);
    for (;;) {
        enum flow flow = doctor_step(&doctor, sim_now(&network));
        assert_true(len + doctor.out.len < sizeof said);
        memcpy(said + len, doctor.out.at, doctor.out.len + 1);
        len += doctor.out.len;
        text_reset(&doctor.out);
        if (flow == FLOW_ENDED)
            break;
        if (flow == FLOW_WANT_EVENT)
            assert_true(sim_advance(&network, doctor_wake_ms(&doctor)));
    }
    sim_kill(&network);
    return doctor.exit_code;
}

static bool says(const char *words)
{
    bool has = words == NULL || strstr(said, words) != NULL;
    if (!has)
        fprintf(stderr, "  no \"%s\" in\n%s", words, said);
    return has;
}

#define EXPORTED "{\"name\":\"/a\",\"via\":\"export\",\"format\":\"text\"}"

static const struct amiss {
    const char *name, *groups, *more;
    int         code, retention;
    const char *class, *fault;
    const char *says[2];
} rows[] = {
    {"all is well", "\"/a\"", "", 0, 30, NULL, NULL,
     {"ok      /a: class STANDARD, keeps 30 days\n",
      "ok      s3://" BUCKET ": keeps to conditions\n"}},
    {"whose keys", "\"/a\"", "", 0, 0, NULL, NULL,
     {"ok      credentials: arn:aws:iam::111122223333:user/tester, from: ",
      "ok      clock: as AWS's\n"}},
    {"keys that are not known", "\"/a\"", "", 77, 0, NULL,
     "GetCallerIdentity error=InvalidClientTokenId status=403",
     {"fail    77 credentials: InvalidClientTokenId", NULL}},
    {"STS may be out of reach", "\"/a\"", "", 0, 0, NULL,
     "GetCallerIdentity reset",
     {"note    credentials: from: ", "ok      s3://" BUCKET}},
    {"no such group", "\"/aa\"", "", 78, 0, NULL, NULL,
     {"fail    78 no log group \"/aa\" in us-east-1; nearest: \"/a\"", NULL}},
    {"groups may not be listed", "\"/a\"", "", 77, 0, NULL,
     "DescribeLogGroups error=AccessDeniedException status=400",
     {"Grant: logs:DescribeLogGroups", NULL}},
    {"nor read", "\"/a\"", "", 77, 0, NULL,
     "FilterLogEvents error=AccessDeniedException status=400",
     {"fail    77 /a: AccessDeniedException, logs:FilterLogEvents as arn:",
      "Grant: logs:FilterLogEvents"}},
    {"too short to be sealed", "\"/a\"", "", 0, 7, NULL, NULL,
     {"warning /a: keeps 7 days: no day can be sealed", "Keep 30: aws logs"}},
    {"too short to be read", "\"/a\"", ",\"age_days\":7", 78, 7, NULL, NULL,
     {"fail    78 /a keeps 7 days: the day at \"age_days\" has expired", NULL}},
    {"provisional, and known", "\"/a\"", ",\"age_days\":13,\"retention_days\":"
     "14,\"accept_provisional\":true", 0, 14, NULL, NULL,
     {"note    /a: keeps 14 days: its archives stay provisional", NULL}},
    {"retention to be set", "\"/a\"", ",\"retention_days\":30", 0, 0, NULL,
     NULL, {"note    /a: run sets retention to 30 days once", NULL}},
    {"retention never to be set", "\"/a\"", ",\"retention_days\":14", 0, 0,
     NULL, NULL, {"warning /a: \"retention_days\": 14 comes to nothing", NULL}},
    {"a class not to be read", "\"/a\"", "", 78, 0, "INFREQUENT_ACCESS", NULL,
     {"fail    78 /a is of class INFREQUENT_ACCESS", "\"via\": \"export\""}},
    {"exports that are not let in", EXPORTED, "", 78, 0, NULL, NULL,
     {"fail    78 the policy of s3://" BUCKET " does not let CloudWatch",
      "note    /a: text does not hold the streams' names\n"}},
    {"exports before they are whole", EXPORTED, "", 78, 0, NULL, NULL,
     {"warning /a: \"age_days\": 1: a day is exported 12 hours after", NULL}},
    {"exports beside what is read", "\"/a\"," "{\"name\":\"/b\",\"via\":"
     "\"export\",\"format\":\"text\"}", "", 78, 0, NULL, NULL,
     {"fail    78 the policy of s3://" BUCKET " does not let", NULL}},
    {"entries without a group", "\"/x*\",\"/a\",\"/y*\"", "", 0, 0, NULL, NULL,
     {"warning /x*: there is no log group that this entry speaks for\nok",
      "warning /y*: there is no log group that this"}},
    {"a bucket not to be listed", "\"/a\"", "", 77, 0, NULL,
     "ListObjectsV2 error=AccessDenied status=403",
     {"fail    77 s3://" BUCKET ": AccessDenied, s3:ListBucket as", NULL}},
    {"no such bucket", "{\"name\":\"/a\",\"to\":\"s3://none-such/\"}", "", 78,
     0, NULL, NULL, {"fail    78 s3://none-such: NoSuchBucket", NULL}},
    {"objects not to be read", "\"/a\"", "", 77, 0, NULL,
     "GetObject error=AccessDenied status=403", {"Grant: s3:GetObject", NULL}},
    {"uploads not to be listed", "\"/a\"", "", 77, 0, NULL,
     "ListMultipartUploads error=AccessDenied status=403",
     {"Grant: s3:ListBucketMultipartUploads", NULL}},
    {"not to be written to", "\"/a\"", "", 77, 0, NULL,
     "PutObject error=AccessDenied status=403", {"Grant: s3:PutObject", NULL}},
    {"not to be deleted from", "\"/a\"", "", 77, 0, NULL,
     "DeleteObject error=AccessDenied status=403",
     {"Grant: s3:DeleteObject", NULL}},
    {"nothing answers", "\"/a\"", "", 69, 0, NULL, "* reset",
     {"fail    69 /a: ", NULL}},
};

static void each_is_named(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const struct amiss *r = &rows[i];
        open_world();
        aws_create_group(model, "/b", NOON - DAYS(40));
        aws_create_group(model, "/a", NOON - DAYS(40));
        aws_group_policy(model, "/a", r->class != NULL ? r->class : "STANDARD",
                         r->retention, false);
        configure(r->groups, r->more);
        if (r->fault != NULL)
            assert_true(aws_fault(model, r->fault));
        int code = look(true, 0, OUTPUT_TEXT);
        broken += BROKEN(r->name, row_number(code, r->code) &&
                                      says(r->says[0]) && says(r->says[1]));
        if (r->fault == NULL)
            broken += BROKEN(r->name, object_count() == 0);
        close_world();
    }
    assert_int_equal(broken, 0);
}

static void a_clock_that_is_wrong_is_said(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(40));
    aws_group_policy(model, "/a", "STANDARD", 0, true);
    configure("\"/a\"", "");
    assert_int_equal(look(false, -630000, OUTPUT_TEXT), 0);
    assert_true(says("warning clock: AWS's is 10 min ahead of ours."));
    assert_true(says("warning /a: a data protection policy masks it"));
    assert_true(says("note    s3://" BUCKET ": not tried without --write: "));
    assert_int_equal(asked("PutObject"), 0);
    close_world();
}

/* A bucket is looked at once; a store that forgets conditions is noticed. */
static void a_bucket_is_looked_at_once(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(40));
    aws_create_group(model, "/b", NOON - DAYS(40));
    configure("\"*\"", "");
    CHECK(aws_set(model, "conditions", 0));
    assert_int_equal(look(true, 0, OUTPUT_JSON), 0);
    assert_int_equal(asked("ListObjectsV2"), 1);
    assert_int_equal(asked("FilterLogEvents"), 2);
    assert_int_equal(asked("PutObject"), 2);
    assert_int_equal(object_count(), 0);
    assert_true(says("{\"state\":\"warning\",\"thing\":\"s3://" BUCKET
                     "\",\"reason\":\"ignores If-None-Match: nothing "));
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_named),
        cmocka_unit_test(a_clock_that_is_wrong_is_said),
        cmocka_unit_test(a_bucket_is_looked_at_once),
    };
    return RUN(tests);
}
