/* test_adopt_odd.c - what S3 and CloudWatch may say that an adoption must not
 * build on. Method: one object of two events, over the simulated AWS
 * (archive_rig.h); a fault or a receipt that is there, row by row. */
#include "archive_rig.h"
#include "task/adopt.h"

#define NOW  (DAY_FROM + 20 * (int64_t)DAY_MS)
#define KEY  "old/x"
#define NOTE "old/_x.receipt.json"
#define LINES "2026-11-09T00:00:01.000Z one\n2026-11-09T00:00:02.000Z two\n"

static struct adopt adopt;

static enum flow run_adopt(void)
{
    memset(&site, 0, sizeof site);
    sim_init(&network, model, job_seed++, NOW);
    sim_site(&site, &network, 20, job_seed);
    adopt_init(&adopt, &site, &spec);
    for (enum flow flow;;) {
        flow = adopt_step(&adopt, sim_now(&network));
        if (flow == FLOW_WANT_EVENT)
            assert_true(sim_advance(&network, adopt_wake_ms(&adopt)));
        if (flow != FLOW_ENDED && flow != FLOW_FAILED)
            continue;
        assert_int_equal(adopt_step(&adopt, sim_now(&network)), flow);
        sim_kill(&network);
        return flow;
    }
}

static const struct row {
    const char    *name, *rule, *receipt;
    enum if_exists how;
    enum error     error;   /* ERROR_NONE: adopted */
    const char    *words;   /* of the fault */
} rows[] = {
    {"nothing is odd", NULL, NULL, EXISTS_FAIL, ERROR_NONE, ""},
    {"CloudWatch does not find a thing", "DescribeLogGroups "
     "error=ResourceNotFoundException status=400 message=no", NULL,
     EXISTS_FAIL, ERROR_MISSING, "no"},
    {"a receipt that cannot be read", NULL, "{", EXISTS_FAIL, ERROR_CONFIG,
     "has a receipt that cannot be read: "},
    {"... nor skipped", NULL, "{", EXISTS_SKIP, ERROR_CONFIG,
     "has a receipt that cannot be read: "},
    {"... but replaced", NULL, "{", EXISTS_REPLACE, ERROR_NONE, ""},
    {"S3 has no checksum of it", "HeadObject drop=x-amz-checksum-crc64nvme",
     NULL, EXISTS_FAIL, ERROR_NONE, ""},
    {"S3 has another", "HeadObject drop=x-amz-checksum-crc64nvme "
     "add=x-amz-checksum-crc64nvme:AAAAAAAAAAA=", NULL, EXISTS_FAIL,
     ERROR_CORRUPT, "its CRC64NVME is another"},
};

static void put_at(const char *key, const char *bytes)
{
    aws_add_object(model, "sim-bucket", key,
                   (struct aws_text){bytes, strlen(bytes)}, NOW - HOUR_MS);
}

static bool holds(const struct row *row)
{
    open_world();
    put_at(KEY, LINES);
    strcpy(spec.key, KEY);
    spec.if_exists = row->how;
    if (row->receipt != NULL)
        put_at(NOTE, row->receipt);
    const char *before = name_of(NOTE);
    if (row->rule != NULL)
        assert_true(aws_fault(model, row->rule));
    enum flow flow = run_adopt();
    bool adopted = strcmp(name_of(NOTE), before) != 0;
    bool same = row_number(adopt.fault.error, row->error) &&
                row_number(flow == FLOW_ENDED, row->error == ERROR_NONE) &&
                row_number(adopted, row->error == ERROR_NONE) &&
                strstr(adopt.fault.words, row->words) != NULL;
    if (!same)
        fprintf(stderr, "  %s %s\n", adopt.fault.what, adopt.fault.words);
    close_world();
    return same;
}

static void what_is_odd(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        broken += BROKEN(rows[i].name, holds(&rows[i]));
    assert_int_equal(broken, 0);
}

/* S3 takes keys of 1,024 bytes; this one is of as many, its receipt's not. */
static void a_long_key_leaves_no_room(void **state)
{
    (void)state;
    open_world();
    memset(spec.key, 'k', 1024);
    spec.key[1024] = '\0';
    assert_int_equal(run_adopt(), FLOW_FAILED);
    assert_int_equal(adopt.fault.error, ERROR_USAGE);
    assert_non_null(strstr(adopt.fault.words, "there is no room"));
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_odd),
        cmocka_unit_test(a_long_key_leaves_no_room),
    };
    return RUN(tests);
}
