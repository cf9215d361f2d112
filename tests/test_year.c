/* test_year.c - a year of firn daemon in virtual time: every day of twenty
 * groups is archived and sealed, once, and holds every event.
 *
 * Four zones, in each of which the clocks change twice; a leap day; reboots,
 * kills in the middle of a run, sleeps, days without a machine, and hours in
 * which AWS does not answer. Events come late, up to 13 days. In the end the
 * windows of each group adjoin from its first day to its last. YEAR_SEED=n
 * replays another year. */
#include "run_rig.h"

#include "task/daemon.h"

#define DAYS(n) ((n) * (int64_t)DAY_MS)
#define BEGIN   INT64_C(1814400000000)  /* 2027-07-01T00:00:00Z */

enum {
    YEAR = 366, GROUPS = 20, ZONES = 4, EVENTS = 4,
    SPARE = 8,           /* days that the last jump may lead too far */
    FINAL_DAYS = 16,     /* what is older is sealed */
};

static const char *const zones[ZONES] = {
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
    "America/Santiago",
};

static struct chance chance;
static struct daemon clockwork;
static uint8_t provisional[GROUPS][YEAR + SPARE], sealed[GROUPS][YEAR + SPARE];
static uint32_t runs, kills, outages, sleeps, failures;

static uint32_t below(uint32_t most)
{
    return (uint32_t)chance_below(&chance, most);
}

static int64_t wall_ms(void)
{
    return sim_now(&network).wall_ms;
}

static const char *name_of(int group)
{
    static char name[32];
    (void)snprintf(name, sizeof name, "/year/%02d", group);
    return name;
}

static const struct zone *zone_of(int group)
{
    return zone_find(view_of(zones[group % ZONES]));
}

/* Of each group, some for each of its days; one in ten comes late. */
static void put_year(int group)
{
    char message[32];
    for (int64_t at = BEGIN; at < BEGIN + DAYS(YEAR);) {
        at += 1 + (int64_t)chance_below(&chance, 2 * DAY_MS / EVENTS);
        int64_t late = below(10) == 0
                           ? (int64_t)chance_below(&chance, DAYS(13)) : 1000;
        int len = snprintf(message, sizeof message, "%llx",
                           (unsigned long long)chance_next(&chance));
        aws_put_event(model, name_of(group), "s", at, at + late,
                      (struct aws_text){message, (size_t)len});
    }
}

static void write_config(void)
{
    char groups[GROUPS * 128], *at = groups;
    for (int i = 0; i < GROUPS; i++)
        at += sprintf(at, "%s{\"name\":\"%s\",\"timezone\":\"%s\"%s}",
                      i > 0 ? "," : "", name_of(i), zones[i % ZONES],
                      i % 5 == 0 ? ",\"retention_days\":30" : "");
    configure(groups, ",\"schedule\":\"cron(30 2 * * ? *)\","
              "\"timezone\":\"Europe/Berlin\"");
}

static void note(const struct visit *v)
{
    const struct archive *a = &v->archive;
    if (v->told != VISIT_ARCHIVE || v->flow != FLOW_ENDED)
        return;
    int group = atoi(v->spec.group + 6);
    int64_t day = v->spec.day - zone_day_of(zone_of(group), BEGIN);
    assert_true(group < GROUPS && day >= 0 && day < YEAR + SPARE);
    bool done = strcmp(a->result.action, "archived") == 0 ||
                strcmp(a->result.action, "sealed") == 0;
    if (done && strcmp(a->result.state, "provisional") == 0)
        provisional[group][day]++;
    else if (done)
        sealed[group][day]++;
}

/* One that dies after so many steps. */
static void one_run(uint64_t dies_at)
{
    const struct run_options options = {
        .tour = {.site = &site, .config = &config},
    };
    runs++;
    site.success_mono_ms = network.mono_ms;
    run_init(&job, &options);
    for (uint64_t step = 0; step < dies_at; step++) {
        enum flow flow = run_step(&job, sim_now(&network));
        if (flow == FLOW_ENDED) {
            failures += job.exit_code != 0;
            return;
        }
        if (flow == FLOW_WANT_ROOM) {
            note(&job.visit);
            visit_take(&job.visit);
        } else if (flow != FLOW_MOVED) {
            assert_true(sim_advance(&network, run_wake_ms(&job)));
        }
    }
    kills++;
}

/* A process begins. */
static void boot(int64_t wall_ms)
{
    struct fault fault = {0};
    memset(&site, 0, sizeof site);
    sim_kill(&network);
    sim_init(&network, model, chance_next(&chance), wall_ms);
    sim_site(&site, &network, 1000, chance_next(&chance));
    assert_true(daemon_init(&clockwork, config.settings.schedule,
                            zone_find(config.settings.timezone),
                            sim_now(&network), &fault));
}

/* AWS does not answer for some hours from now on. */
static void begin_outage(void)
{
    char line[96];
    int64_t from = wall_ms();
    (void)snprintf(line, sizeof line, "* from=%lld until=%lld reset",
                   (long long)from,
                   (long long)(from + (int64_t)below(30) * HOUR));
    aws_clear_faults(model);
    assert_true(aws_fault(model, line));
    outages++;
}

/* What happens between two looks at the clock. */
static void pass_time(void)
{
    struct now now = sim_now(&network);
    int64_t wait = daemon_wake_ms(&clockwork, now) - now.mono_ms;
    uint32_t dice = below(100);
    if (dice < 3)
        begin_outage();
    if (dice >= 3 && dice < 8) {  /* off for up to four days */
        boot(now.wall_ms + (int64_t)below(4 * 24) * HOUR);
        return;
    }
    if (dice >= 8 && dice < 12) {  /* asleep: only the wall clock goes on */
        network.wall_ms += (int64_t)below(3 * 24) * HOUR;
        sleeps++;
        return;
    }
    network.mono_ms += wait;
}

static void live(void)
{
    boot(BEGIN + HOUR);
    while (wall_ms() < BEGIN + DAYS(YEAR)) {
        enum daemon_act act = daemon_look(&clockwork, sim_now(&network));
        assert_int_not_equal(act, DAEMON_END);
        if (act == DAEMON_WAIT) {
            pass_time();
            continue;
        }
        bool dies = below(25) == 0;
        one_run(dies ? below(4000) : UINT64_MAX);
        if (dies && job.state != RUN_DONE)
            boot(wall_ms() + below(120) * 1000);
        else
            daemon_ran(&clockwork);
    }
    aws_clear_faults(model);
    boot(wall_ms());
    one_run(UINT64_MAX);
    assert_int_equal(job.exit_code, 0);
}

/* All that the group was given in a window, whenever it came. */
static struct tally tally_of(int group, int64_t from_ms, int64_t until_ms)
{
    struct aws_cursor *c = aws_events(model, name_of(group), from_ms,
                                      until_ms, INT64_MAX);
    struct aws_event e;
    struct tally t;
    tally_init(&t);
    while (aws_next_event(c, &e))
        tally_add(&t, e.timestamp,
                  (struct view){(const uint8_t *)e.message.at,
                                (uint32_t)e.message.len});
    aws_end_events(c);
    return t;
}

static int day_is_broken(int group, int64_t day, int64_t *reached_ms)
{
    const struct zone *z = zone_of(group);
    int64_t first = zone_day_of(z, BEGIN), now_ms = wall_ms();
    bool old = day < zone_day_of(z, now_ms) - FINAL_DAYS;
    char name[64], digits[16];
    struct receipt r;
    struct text t;
    text_init(&t, digits, sizeof digits);
    date_day(&t, day);
    (void)snprintf(name, sizeof name, "%s/dt=%s", name_of(group) + 1, digits);
    bool ok = day_of(name, &r) && r.from_ms == *reached_ms &&
              r.from_ms == zone_day_start(z, day) &&
              r.until_ms == zone_day_start(z, day + 1) &&
              provisional[group][day - first] <= 1 &&
              sealed[group][day - first] <= 1;
    if (ok && old) {
        struct tally all = tally_of(group, r.from_ms, r.until_ms);
        ok = r.state == RECEIPT_SEALED && tally_equal(&all, &r.tally);
    }
    if (ok)
        *reached_ms = r.until_ms;
    return BROKEN(name, ok);
}

static void every_day_is_archived_and_sealed_once(void **state)
{
    const char *seed = getenv("YEAR_SEED");
    struct aws_object_info info;
    size_t objects = 0;
    int broken = 0;
    (void)state;
    open_world();
    chance_init(&chance, seed != NULL && *seed != '\0'
                             ? strtoull(seed, NULL, 10) : 1);
    for (int i = 0; i < GROUPS; i++) {
        aws_create_group(model, name_of(i), BEGIN);
        aws_group_policy(model, name_of(i), "STANDARD", i % 2 * 45, false);
        put_year(i);
    }
    write_config();
    live();
    for (int i = 0; i < GROUPS; i++) {
        const struct zone *z = zone_of(i);
        int64_t first = zone_day_of(z, BEGIN);
        int64_t last = zone_day_of(z, wall_ms()) - 1;
        int64_t reached_ms = zone_day_start(z, first);
        for (int64_t day = first; day <= last; day++)
            broken += day_is_broken(i, day, &reached_ms);
        objects += 2 * (size_t)(last - first + 1);
    }
    assert_int_equal(broken, 0);
    assert_true(aws_object_at(model, BUCKET, objects - 1, &info));
    assert_false(aws_object_at(model, BUCKET, objects, &info));
    assert_int_equal(aws_open_uploads(model, BUCKET), 0);
    printf("%u runs (%u not well), %u kills, %u outages, %u sleeps; %llu "
           "requests\n", runs, failures, kills, outages, sleeps,
           (unsigned long long)asked("*"));
    printf("firn is %zu bytes, from the first second to the last\n",
           sizeof job + sizeof site + sizeof config + sizeof clockwork);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_is_archived_and_sealed_once),
    };
    return RUN(tests);
}
