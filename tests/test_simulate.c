/* test_simulate.c - whatever happens, the day is archived, exactly once, and
 * the objects are merged.
 *
 *   test_simulate              the seeds that are kept, and some more
 *   KIND=archive|merge|sort ...   one kind alone
 *   SEEDS=n [SEED=first] ...   so many from the first, told as it goes
 *   SEED=n SIM_TRACE=1 ...     this one, with all that happens */
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "row.h"
#include "simulate.h"

enum { SEEDS_USUAL = 100 };

static const char *const kinds[] = {"archive", "merge", "sort"};
static enum simulated kind_in_hand;
static uint64_t       seed_in_hand;

/* Seeds that once broke an invariant. A change of mix.c gives each another
 * world: find one that breaks the unrepaired code again. */
static const struct row {
    const char *name;
    uint64_t    seed;
} kept[] = {
    {"settled is not ahead of AWS's clock", 55},
    {"a recount agrees, though our clock was ahead", 404},
    {"an object seen before its receipt is looked at twice", 187},
    {"a Complete that falls silent is not waited for for ever", 202},
    {"pages of one event that are read again are no circle", 15821},
    {"a late event that comes out of order comes once", 17548},
    {"an object replaced by its like is not taken for the new one", 29061},
    {"a run that died while it swept is swept after", 51645},
    {"a request that lay for minutes is signed anew", 109656},
    {"what a dead run left goes though a recount finds less", 8112},
    {"a run that is stopped at once gives up no lease of the one before",
     13570},
    {"a look that took longer than the lease is not gone by", 5969},
    {"a lane without room does not spin while S3 is silent", 1430},
};

/* The same of merges. */
static const struct row kept_merges[] = {
    {"a reply before is not taken for the one that is waited for", 2896},
    {"an object that changed is not gone on with", 206241},
    {"nothing but empty files become a whole file", 500159},
    {"what broke within its first bytes is asked for again", 2326},
    {"the first record tells the form, not the first byte", 609971},
    {"of two beside each other the second may find the damage", 606081},
    {"a segment begun by who lost the lease goes with him", 606447},
    {"an abort where the segment was refused takes the object's upload back",
     707967},
};

/* The same of merges in order of time, or whose objects are deleted. */
static const struct row kept_sorts[] = {
    {"the last part of what is sorted is not cut off", 7},
    {"merged lines that are no records are no damage", 23},
    {"what has no records is known to be merged, too", 29},
    {"two requests under way: both are signed anew", 1774},
    {"a segment is copied before its call is lent to the sort", 1635},
};

static void tell(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

/* A CHECK that failed: which seed it was. */
static void on_trap(int number)
{
    char digits[24];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    for (uint64_t n = seed_in_hand; at > 0 && (n > 0 || at == 23); n /= 10)
        digits[--at] = (char)('0' + n % 10);
    tell("a CHECK failed; replay: make simulate KIND=");
    tell(kinds[kind_in_hand]);
    tell(" SEED=");
    tell(digits + at);
    tell("\n");
    signal(number, SIG_DFL);
    raise(number);
}

static bool holds(enum simulated kind, uint64_t seed, struct simulation *s)
{
    seed_in_hand = seed;
    kind_in_hand = kind;
    if (simulate(kind, seed, s))
        return true;
    fprintf(stderr, "%s, seed %llu: %s (%s); replay: make simulate KIND=%s "
            "SEED=%llu\n", kinds[kind], (unsigned long long)seed, s->broken,
            s->words, kinds[kind], (unsigned long long)seed);
    return false;
}

static void seeds_that_are_kept(void **state)
{
    int failures = 0;
    struct simulation s;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(kept); i++)
        failures += BROKEN(kept[i].name,
                           holds(SIMULATE_ARCHIVE, kept[i].seed, &s));
    for (size_t i = 0; i < ROW_COUNT(kept_merges); i++)
        failures += BROKEN(kept_merges[i].name,
                           holds(SIMULATE_MERGE, kept_merges[i].seed, &s));
    for (size_t i = 0; i < ROW_COUNT(kept_sorts); i++)
        failures += BROKEN(kept_sorts[i].name,
                           holds(SIMULATE_SORT, kept_sorts[i].seed, &s));
    assert_int_equal(failures, 0);
}

static void some_seeds_hold(enum simulated kind)
{
    int failures = 0;
    for (uint64_t seed = 1; seed <= SEEDS_USUAL; seed++) {
        struct simulation s;
        failures += BROKEN("a seed", holds(kind, seed, &s));
    }
    assert_int_equal(failures, 0);
}

static void days_end_archived(void **state)
{
    (void)state;
    some_seeds_hold(SIMULATE_ARCHIVE);
}

static void objects_end_merged(void **state)
{
    (void)state;
    some_seeds_hold(SIMULATE_MERGE);
}

static void objects_end_sorted(void **state)
{
    (void)state;
    some_seeds_hold(SIMULATE_SORT);
}

/* --- very many of them ---------------------------------------------------- */

static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? strtoull(value, NULL, 10)
                                           : otherwise;
}

static int run_many(enum simulated kind, uint64_t first, uint64_t count)
{
    struct simulation sum = {0};
    uint64_t broken = 0;
    double begun = seconds();
    for (uint64_t n = 0; n < count; n++) {
        struct simulation s;
        broken += !holds(kind, first + n, &s);
        sum.lives += s.lives;
        sum.kills += s.kills;
        sum.steps += s.steps;
        sum.requests += s.requests;
        sum.orphans += s.orphans;
        sum.runs += s.runs;
    }
    double took = seconds() - begun;
    printf("%s: %llu seeds, %llu broken: %llu lives, %llu killed, %llu "
           "requests, %llu empty uploads and %llu sorted runs left; %.0f s, "
           "%.0f seeds a minute\n",
           kinds[kind],
           (unsigned long long)count, (unsigned long long)broken,
           (unsigned long long)sum.lives, (unsigned long long)sum.kills,
           (unsigned long long)sum.requests, (unsigned long long)sum.orphans,
           (unsigned long long)sum.runs,
           took, (double)count * 60 / (took > 0 ? took : 1));
    return broken > 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_that_are_kept),
        cmocka_unit_test(days_end_archived),
        cmocka_unit_test(objects_end_merged),
        cmocka_unit_test(objects_end_sorted),
    };
    const char *kind = getenv("KIND");
    int broken = 0;
    signal(SIGILL, on_trap);
    signal(SIGTRAP, on_trap);
    signal(SIGABRT, on_trap);
    if (number("SEEDS", 0) == 0 && number("SEED", 0) == 0)
        return RUN(tests);
    for (int k = SIMULATE_ARCHIVE; k <= SIMULATE_SORT; k++)
        if (kind == NULL || *kind == '\0' || strcmp(kind, kinds[k]) == 0)
            broken |= run_many((enum simulated)k, number("SEED", 1),
                               number("SEEDS", 1));
    return broken;
}
