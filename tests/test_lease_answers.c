/* test_lease_answers.c - what a lease makes of each answer of S3.
 * Method: a script for a run that looks, takes and drops; where it ends, with
 * which fault, after how many requests, and that the end is final. */
#include "caller.h"
#include "ship/lease.h"

enum { ROOM = 64 };
#define END {0, NULL, NULL, NULL}
#define NONE {404, "", "", NULL}
#define DENIED {403, DATE, "", NULL}
#define LIE "x-amz-checksum-crc64nvme: AAAAAAAAAAA=\n"
#define ALIVE DATE "last-modified: Thu, 05 Nov 2026 11:59:59 GMT\n"
#define STORED {200, "etag: \"new\"\n", "", NULL}
#define REFUSED {412, "", "", NULL}
#define NO_SUCH {501, "", "", NULL}
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct row {
    const char *name;
    struct line lines[7];
    bool        take, drop;
    enum lease_state state;
    enum error  error;
    uint32_t    requests, text;  /* bytes of what was seen */
} rows[] = {
    {"nothing there", {NONE, END}, false, false, LEASE_SEEN, ERROR_NONE, 1, 0},
    {"a text", {{200, ALIVE "etag: \"a\"\n", "text", NULL}, END}, false, false,
     LEASE_SEEN, ERROR_NONE, 1, 4},
    {"a text that is not what S3 has", {{200, ALIVE LIE "etag: \"a\"\n",
     "text", NULL}, END}, false, false, LEASE_SEEN, ERROR_NONE, 1, 0},
    {"a text too long", {{200, ALIVE "etag: \"a\"\n", A64 "b", NULL}, END},
     false, false, LEASE_SEEN, ERROR_NONE, 1, ROOM},
    {"not to be looked at", {DENIED, END}, false, false, LEASE_FAILED,
     ERROR_DENIED, 1, 0},
    {"taken", {NONE, STORED, REFUSED, END}, true, false, LEASE_HELD,
     ERROR_NONE, 3, 0},
    {"raced for, and not to be looked at", {NONE, {409, "", "", NULL}, DENIED,
     END}, true, false, LEASE_FAILED, ERROR_DENIED, 3, 0},
    {"alive", {{200, ALIVE "etag: \"a\"\n", "t", NULL},
     {200, ALIVE "etag: \"b\"\n", "", NULL}, END}, true, false, LEASE_LOST,
     ERROR_NONE, 2, 1},
    {"alive, and not to be watched", {{200, ALIVE "etag: \"a\"\n", "t", NULL},
     DENIED, END}, true, false, LEASE_FAILED, ERROR_DENIED, 2, 1},
    {"dropped", {NONE, STORED, REFUSED, {204, "", "", NULL}, END}, true, true,
     LEASE_FREE, ERROR_NONE, 4, 0},
    {"a store that does not delete on condition", {NONE, STORED, REFUSED,
     NO_SUCH, {204, "", "", NULL}, END}, true, true, LEASE_FREE, ERROR_NONE,
     5, 0},
    {"a store that does not delete", {NONE, STORED, REFUSED, NO_SUCH, NO_SUCH,
     END}, true, true, LEASE_FAILED, ERROR_REMOTE, 5, 0},
};

static struct lease lease;
static uint8_t room[ROOM];

static enum flow drive(void)
{
    for (int turn = 0; turn < 1000; turn++) {
        enum flow flow = lease_step(&lease, now);
        if (flow == FLOW_ENDED || flow == FLOW_FAILED)
            return flow;
        if (flow != FLOW_MOVED && !script_answer(&t))
            pass(lease_wake_ms(&lease) - now.mono_ms);
    }
    return FLOW_MOVED;
}

static bool holds(const struct row *row)
{
    setup(row->lines, "");
    lease_init(&lease, &site, view_of("acme-logs"), view_of("k"), true);
    if (lease_step(&lease, now) != FLOW_ENDED || lease_is_ours(&lease))
        return false;  /* not asked for anything yet */
    lease_look(&lease, &call, (struct span){room, sizeof room});
    enum flow flow = drive();
    bool seen = lease.state != LEASE_SEEN ||
                (lease.text.len == row->text &&
                 lease_wake_ms(&lease) == INT64_MAX);
    if (row->take && lease.state == LEASE_SEEN) {
        lease_take(&lease, view_of("ours"), now);
        flow = drive();
    }
    if (row->drop && lease.state == LEASE_HELD) {
        lease_drop(&lease);
        flow = drive();
    }
    bool held = lease.state == LEASE_HELD;
    return seen && row_number(lease.state, row->state) &&
           row_number(lease.fault.error, row->error) &&
           row_number(t.count, row->requests) &&
           lease_step(&lease, now) == flow &&
           lease_is_ours(&lease) == held &&
           (lease_wake_ms(&lease) == INT64_MAX) != held;
}

static void every_answer(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name, holds(&rows[i]));
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer),
    };
    return RUN(tests);
}
