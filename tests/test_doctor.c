/* test_doctor.c - each thing that would fail is named, with its cure.
 * Method: rows of an account with one thing amiss, against the simulated AWS;
 * what is said of it, the exit code, and that nothing is left behind. */
#include "run_rig.h"
#include "shelf.h"
#include "task/doctor.h"

#define POLICY \
    "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":" \
    "\"logs.us-east-1.amazonaws.com\"},\"Action\":[\"s3:GetBucketAcl\"," \
    "\"s3:PutObject\"]}]}"
#define DAYS(n) ((n) * (int64_t)DAY_MS)

static struct doctor doctor;
static char said[65536];
static const char *learnt;     /* of the bucket: a region; NULL: nothing yet */
static int64_t     deadline_ms;  /* from the beginning; 0: none */
static bool        as_role;      /* the profile has a role */

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
    struct fault fault = {0};
    if (learnt != NULL)
        site_learn(&site, view_of(learnt[0] == 'e' ? "far-logs" : BUCKET),
                   learnt);
    if (deadline_ms > 0)
        site.deadline_mono_ms = sim_now(&network).mono_ms + deadline_ms;
    if (as_role)
        assert_true(site_assume(&site, view_of("arn:aws:iam::111122223333:"
                                               "role/x"), &fault));
    doctor_init(&doctor, &options);
    for (;;) {
        enum flow flow = doctor_step(&doctor, sim_now(&network));
        if (flow != FLOW_ENDED && doctor.out.len > 0)
            assert_int_equal(doctor_step(&doctor, sim_now(&network)),
                             FLOW_WANT_ROOM);
        assert_true(len + doctor.out.len < sizeof said);
        memcpy(said + len, doctor.out.at, doctor.out.len + 1);
        len += doctor.out.len;
        text_reset(&doctor.out);
        if (flow == FLOW_ENDED)
            break;
        if (flow == FLOW_WANT_EVENT)
            assert_true(sim_advance(&network, doctor_wake_ms(&doctor)));
    }
    assert_int_equal(doctor_step(&doctor, sim_now(&network)), FLOW_ENDED);
    assert_int_equal(doctor_wake_ms(&doctor), INT64_MIN);
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

#define ROLE "\"role_arn\":\"arn:aws:iam::111122223333:role/logs\""
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
    {"a group does not", "\"/a\"", "", 69, 0, NULL, "FilterLogEvents reset",
     {"fail    69 /a: ", NULL}},
    {"a bucket does not", "\"/a\"", "", 69, 0, NULL, "ListObjectsV2 reset",
     {"fail    69 s3://" BUCKET ": ", NULL}},
    {"STS may not be asked", "\"/a\"", "", 0, 0, NULL,
     "GetCallerIdentity error=AccessDenied status=403",
     {"note    credentials: from: environment; STS does not tell whose",
      NULL}},
    {"a short retention to be set", "\"/a\"", ",\"retention_days\":14,"
     "\"accept_provisional\":true", 0, 0, NULL, NULL,
     {"note    /a: run sets retention to 14 days once", NULL}},
    {"exports of the day before yesterday", EXPORTED, ",\"age_days\":2", 78,
     0, NULL, NULL, {"does not let CloudWatch Logs write", NULL}},
    {"two exports into one bucket", EXPORTED ",{\"name\":\"/b\",\"via\":"
     "\"export\",\"format\":\"text\"}", "", 78, 0, NULL, NULL,
     {"ok      /b: class STANDARD, keeps all", NULL}},
    {"a role", "{\"name\":\"/a\"," ROLE "},\"/b\"", "", 77, 0, NULL,
     "FilterLogEvents #1 error=AccessDeniedException status=400",
     {"logs:FilterLogEvents as arn:aws:iam::111122223333:role/logs",
      "ok      /b: class"}},
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

/* What a bucket and its store are like. */
static const struct store {
    const char *name, *groups, *more;
    const char *setting;      /* of the model; NULL: none */
    int64_t     value;
    const char *policy;       /* NULL: none */
    const char *learnt;
    int         code;
    const char *says;
} stores[] = {
    {"uploads are ended", "\"/a\"", "", "lifecycle", 2, NULL, NULL, 0,
     "ok      s3://" BUCKET ": uploads that nobody ends are ended\n"},
    {"another rule", "\"/a\"", "", "lifecycle", 3, NULL, NULL, 0,
     "warning s3://" BUCKET ": nothing ends uploads that nobody goes on"},
    {"no rule", "\"/a\"", "", "lifecycle", 1, NULL, NULL, 0,
     "warning s3://" BUCKET ": nothing ends uploads that nobody goes on"},
    {"a store without lifecycles", "\"/a\"", "", NULL, 0, NULL, NULL, 0,
     "note    s3://" BUCKET ": its lifecycle cannot be looked at"},
    {"no checksum is told", "\"/a\"", "", "return-sums", 0, NULL, NULL, 0,
     "warning s3://" BUCKET ": may be written to, but tells no checksum"},
    {"nor wanted", "\"/a\"", ",\"checksum\":\"none\"", "return-sums", 0,
     NULL, NULL, 0, "ok      s3://" BUCKET ": may be written to\n"},
    {"exports are let in", EXPORTED, ",\"age_days\":2", NULL, 0, POLICY,
     NULL, 0, "ok      s3://" BUCKET ": lets CloudWatch Logs write exports\n"},
    {"a policy that is none", EXPORTED, "", NULL, 0, "{", NULL, 78,
     "does not let CloudWatch Logs write exports"},
    {"a policy of something else", EXPORTED, "", NULL, 0,
     "{\"Statement\":[]}", NULL, 78,
     "does not let CloudWatch Logs write exports"},
    {"a region that is known", "\"/a\"", "", NULL, 0, NULL, "us-east-1", 0,
     "ok      s3://" BUCKET ": there, and may be listed\n"},
    {"a bucket of another region", "{\"name\":\"/a\",\"to\":\"s3://far-logs/"
     "\"}", "", "check-signature", 0, NULL, "eu-west-1", 0,
     "warning s3://far-logs: is in eu-west-1, the groups in us-east-1: what "
     "goes there is billed"},
    {"an export into one", "{\"name\":\"/a\",\"via\":\"export\",\"format\":"
     "\"text\",\"to\":\"s3://far-logs/\"}", "", "check-signature", 0, NULL,
     "eu-west-1", 78,
     "exports from us-east-1 need a bucket in that region; s3://far-logs is "
     "in eu-west-1"},
};

static void each_store_is_judged(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(stores); i++) {
        const struct store *s = &stores[i];
        open_world();
        aws_create_group(model, "/a", NOON - DAYS(40));
        aws_create_bucket(model, "far-logs", NULL, NULL);
        if (s->setting != NULL)
            assert_true(aws_set(model, s->setting, s->value));
        aws_set_policy(model, BUCKET, s->policy);
        configure(s->groups, s->more);
        learnt = s->learnt;
        broken += BROKEN(s->name, row_number(look(true, 0, OUTPUT_TEXT),
                                             s->code) && says(s->says));
        learnt = NULL;
        close_world();
    }
    assert_int_equal(broken, 0);
}

/* What another doctor left is in the way, and is deleted. */
static void what_is_left_is_deleted(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(40));
    configure("\"/a\"", "");
    assert_true(shelf_put(model, BUCKET, "_firn-doctor.checkpoint.json",
                          view_of("{}")));
    assert_int_equal(look(true, 0, OUTPUT_TEXT), 0);
    assert_true(says("ok      s3://" BUCKET ": keeps to conditions\n"));
    assert_null(strstr(said, "may be written to"));
    assert_int_equal(object_count(), 0);
    close_world();
}

/* At the deadline it ends, whatever is asked for then. */
static void a_deadline_ends_it(void **state)
{
    static const struct {
        const char *fault;
        const char *says;
    } hangs[] = {
        {"GetCallerIdentity hang", "fail    75 credentials: "},
        {"FilterLogEvents hang", "fail    75 /a: "},
        {"GetBucketLifecycle hang", "fail    75 s3://" BUCKET ": "},
    };
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(hangs); i++) {
        open_world();
        aws_create_group(model, "/a", NOON - DAYS(40));
        configure("\"/a\"", "");
        assert_true(aws_set(model, "lifecycle", 2));
        assert_true(aws_fault(model, hangs[i].fault));
        deadline_ms = 3000;
        broken += BROKEN(hangs[i].fault,
                         row_number(look(true, 0, OUTPUT_TEXT), 75) &&
                             says(hangs[i].says));
        deadline_ms = 0;
        close_world();
    }
    assert_int_equal(broken, 0);
}

/* A profile's role is taken first, and is who asks. */
static void a_profiles_role_is_who_asks(void **state)
{
    (void)state;
    open_world();
    aws_create_group(model, "/a", NOON - DAYS(40));
    configure("\"/a\"", "");
    as_role = true;
    assert_int_equal(look(false, 0, OUTPUT_TEXT), 0);
    as_role = false;
    assert_int_equal(asked("AssumeRole"), 1);
    assert_true(says("ok      s3://" BUCKET ": there, and may be listed"));
    close_world();
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
    assert_int_equal(look(false, 630000, OUTPUT_TEXT), 0);
    assert_true(says("warning clock: AWS's is 10 min behind ours."));
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
        cmocka_unit_test(each_store_is_judged),
        cmocka_unit_test(what_is_left_is_deleted),
        cmocka_unit_test(a_deadline_ends_it),
        cmocka_unit_test(a_profiles_role_is_who_asks),
        cmocka_unit_test(a_clock_that_is_wrong_is_said),
        cmocka_unit_test(a_bucket_is_looked_at_once),
    };
    return RUN(tests);
}
