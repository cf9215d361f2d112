/* test_plan.c - windows, keys and names: what is taken, what it becomes, and
 * the sentence that refuses the rest. */
#include "row.h"

#include "base/date.h"
#include "task/message.h"
#include "task/plan.h"

static struct spec spec;
static struct fault fault;

static void start(const char *zone)
{
    spec = (struct spec){0};
    fault_reset(&fault);
    view_copy(view_of(zone), spec.timezone, sizeof spec.timezone);
}

static int64_t instant(const char *string)
{
    int64_t ms = 0;
    bool local;
    assert_true(date_parse_rfc3339(view_of(string), &ms, &local));
    return ms;
}

/* The fault's words hold this. */
static bool says(const char *part)
{
    bool holds = strstr(fault.words, part) != NULL;
    if (!holds)
        fprintf(stderr, "  words \"%s\"\n", fault.words);
    return holds;
}

static const struct window {
    const char *name, *zone;
    struct plan_when when;
    const char *from, *until;  /* NULL: refused, */
    const char *words;         /* with these among its words */
} windows[] = {
    {"yesterday by default", "UTC", {.age = PLAN_NO_AGE},
     "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z", NULL},
    {"yesterday in Seoul", "Asia/Seoul", {.age = PLAN_NO_AGE},
     "2026-11-20T15:00:00Z", "2026-11-21T15:00:00Z", NULL},
    {"thirteen days ago", "UTC", {.age = 13},
     "2026-11-09T00:00:00Z", "2026-11-10T00:00:00Z", NULL},
    {"today has not ended", "UTC", {.age = 0}, NULL, NULL,
     "the window ends at 2026-11-23T00:00:00.000Z, 12 h 0 min from now"},
    {"a given day", "Europe/Berlin", {"2026-03-29", NULL, NULL, PLAN_NO_AGE},
     "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", NULL},
    {"a day that is none", "UTC", {"2026-02-30", NULL, NULL, PLAN_NO_AGE},
     NULL, NULL, "\"2026-02-30\" is not a day"},
    {"a day that was left out", "Pacific/Apia",
     {"2011-12-30", NULL, NULL, PLAN_NO_AGE}, NULL, NULL,
     "there was no 2011-12-30 in Pacific/Apia"},
    {"a range", "UTC", {NULL, "2026-11-09T00:00:00Z",
     "2026-11-09T01:30:00+01:00", PLAN_NO_AGE},
     "2026-11-09T00:00:00Z", "2026-11-09T00:30:00Z", NULL},
    {"a range of local times", "Asia/Seoul", {NULL, "2026-11-09T09:00:00",
     "2026-11-09T10:00:00", PLAN_NO_AGE},
     "2026-11-09T00:00:00Z", "2026-11-09T01:00:00Z", NULL},
    {"a range without its end", "UTC",
     {NULL, "2026-11-09T00:00:00Z", NULL, PLAN_NO_AGE}, NULL, NULL,
     "both --from and --until"},
    {"a range backwards", "UTC", {NULL, "2026-11-09T00:00:00Z",
     "2026-11-09T00:00:00Z", PLAN_NO_AGE}, NULL, NULL, "is not before"},
    {"no time at all", "UTC", {NULL, "yesterday", "2026-11-09T00:00:00Z",
     PLAN_NO_AGE}, NULL, NULL, "\"yesterday\" is not a time"},
    {"before CloudWatch", "UTC", {"1969-12-31", NULL, NULL, PLAN_NO_AGE},
     NULL, NULL, "before 1970"},
    {"a day and an age", "UTC", {"2026-11-09", NULL, NULL, 1}, NULL, NULL,
     "give one of --day"},
    {"a range whose end is no time", "UTC", {NULL, "2026-11-09", "later",
     PLAN_NO_AGE}, NULL, NULL, "\"later\" is not a time"},
    {"a range without its beginning", "UTC",
     {NULL, NULL, "2026-11-09T00:00:00Z", PLAN_NO_AGE}, NULL, NULL,
     "both --from and --until"},
    {"a zone like no other", "xyzzyxyzzyxyzzyx", {.age = PLAN_NO_AGE}, NULL,
     NULL, "no time zone \"xyzzyxyzzyxyzzyx\" in tzdata 2"},
    {"a zone that is none", "Asia/Seol", {.age = PLAN_NO_AGE}, NULL, NULL,
     "nearest: \"Asia/Seoul\""},
};

static void windows_are_what_was_asked(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(windows); i++) {
        const struct window *w = &windows[i];
        start(w->zone);
        bool ok = plan_window(&spec, &w->when,
                              instant("2026-11-22T12:00:00Z"), &fault);
        bool holds = w->from != NULL
            ? ok && row_number(spec.from_ms, instant(w->from)) &&
              row_number(spec.until_ms, instant(w->until))
            : !ok && fault.error != ERROR_NONE && says(w->words);
        broken += BROKEN(w->name, holds);
    }
    assert_int_equal(broken, 0);
}

static const struct interval {
    const char *name, *zone, *from, *until;
    const char *begins, *ends;  /* NULL: open */
    const char *words;          /* not NULL: refused */
} intervals[] = {
    {"no interval", "UTC", NULL, NULL, NULL, NULL, NULL},
    {"an open end", "UTC", "2026-11-09T02:10Z", NULL, "2026-11-09T02:10:00Z",
     NULL, NULL},
    {"an open beginning", "UTC", NULL, "2026-11-09T02:10:00.5Z", NULL,
     "2026-11-09T02:10:00.5Z", NULL},
    {"local times, and in the future", "Asia/Seoul", "2036-11-09T02:10",
     "2036-11-10", "2036-11-08T17:10:00Z", "2036-11-09T15:00:00Z", NULL},
    {"backwards", "UTC", "2026-11-09", "2026-11-08", NULL, NULL,
     "--from 2026-11-09 is not before --until 2026-11-08"},
    {"no time", "UTC", "noon", NULL, NULL, NULL, "\"noon\" is not a time"},
    {"no zone", "Asia/Seol", NULL, NULL, NULL, NULL, "\"Asia/Seoul\""},
};

static void intervals_may_be_open(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(intervals); i++) {
        const struct interval *v = &intervals[i];
        struct plan_when when = {NULL, v->from, v->until, PLAN_NO_AGE};
        start(v->zone);
        bool ok = plan_interval(&spec, &when, &fault);
        bool holds = v->words != NULL
            ? !ok && fault.error != ERROR_NONE && says(v->words)
            : ok && row_number(spec.from_ms, v->begins == NULL
                               ? INT64_MIN : instant(v->begins)) &&
              row_number(spec.until_ms, v->ends == NULL
                         ? INT64_MAX : instant(v->ends));
        broken += BROKEN(v->name, holds);
    }
    assert_int_equal(broken, 0);
}

static void a_range_can_be_a_day(void **state)
{
    struct plan_when when = {NULL, "2026-11-09T00:00:00+09:00",
                             "2026-11-10", PLAN_NO_AGE};
    (void)state;
    start("Asia/Seoul");
    assert_true(plan_window(&spec, &when, instant("2026-12-01T00:00:00Z"),
                            &fault));
    assert_true(spec.whole_day);
    assert_int_equal(spec.day, date_days(2026, 11, 9));
    start("UTC");
    assert_true(plan_window(&spec, &when, instant("2026-12-01T00:00:00Z"),
                            &fault));
    assert_false(spec.whole_day);
}

static const struct place {
    const char *name, *to, *group, *prefix;
    bool        whole_day;
    const char *key;    /* NULL: refused, */
    const char *words;  /* with these among its words */
} places[] = {
    {"a bucket alone", "s3://acme-logs", "/ecs/api", "", true,
     "111122223333/eu-west-1/ecs/api/dt=2026-11-09/events.ndjson.gz", NULL},
    {"a folder", "s3://acme-logs/a/b/", "/ecs/api", "", true,
     "a/b/111122223333/eu-west-1/ecs/api/dt=2026-11-09/events.ndjson.gz",
     NULL},
    {"a full key", "s3://acme-logs/a/b.gz", "/ecs/api", "", true, "a/b.gz",
     NULL},
    {"a template", "s3://acme-logs/{group}/{yyyy}/{mm}/{dd}.{ext}", "g", "",
     true, "g/2026/11/09.ndjson.gz", NULL},
    {"a full key for a part of a day", "s3://acme-logs/x.{ext}", "g", "",
     false, "x.ndjson.gz", NULL},
    {"a template for a part of a day", "s3://acme-logs/{group}/{date}", "g",
     "", false, NULL, "needs a full key"},
    {"the default template for a part of a day", "s3://acme-logs", "g", "",
     false, NULL, "needs a full key"},
    {"a template for some streams", "s3://acme-logs", "g", "web-", true, NULL,
     "--stream-prefix needs a full key"},
    {"a full key for some streams", "s3://acme-logs/x", "g", "web-", true,
     "x", NULL},
    {"groups apart but not days", "s3://acme-logs/{group}.{ext}", "g", "",
     true, NULL, "does not tell days apart"},
    {"half a date", "s3://acme-logs/x/{yyyy}/{mm}", "g", "", true, NULL,
     "does not tell days apart"},
    {"a word that is none", "s3://acme-logs/{dat}", "g", "", true, NULL,
     "no {dat}; nearest: {date}"},
    {"an open brace", "s3://acme-logs/{date", "g", "", true, NULL,
     "no closing }"},
    {"only the first slash of a group goes", "s3://acme-logs/{group}/{date}",
     "//a/b", "", true, "/a/b/2026-11-09", NULL},
    {"odd characters stay", "s3://acme-logs/a b/#{date}", "g", "", true,
     "a b/#2026-11-09", NULL},
    {"no S3", "https://acme-logs/x", "g", "", true, NULL,
     "is not an object of S3"},
    {"no bucket", "s3:///x", "g", "", true, NULL, "not a bucket's name"},
    {"a bucket too short", "s3://ab/x", "g", "", true, NULL,
     "not a bucket's name"},
    {"an address as a bucket", "s3://192.168.0.1/x", "g", "", true, NULL,
     "not a bucket's name"},
    {"digits as a bucket", "s3://111122223333/x", "g", "", true, "x", NULL},
    {"an old bucket's name", "s3://Acme_Logs/x", "g", "", true, "x", NULL},
    {"a forbidden beginning", "s3://xn--acme/x", "g", "", true, NULL,
     "not a bucket's name"},
    {"a hyphen at the end", "s3://acme-/x", "g", "", true, NULL,
     "not a bucket's name"},
    {"a control character", "s3://acme-logs/a\nb", "g", "", true, NULL,
     "control character"},
    {"a delete", "s3://acme-logs/a\x7f" "b", "g", "", true, NULL,
     "control character"},
    {"a hyphen at the beginning", "s3://-acme/x", "g", "", true, NULL,
     "not a bucket's name"},
    {"a character of no bucket", "s3://acme!logs/x", "g", "", true, NULL,
     "not a bucket's name"},
    {"an access point's alias", "s3://acme-s3alias/x", "g", "", true, NULL,
     "not a bucket's name"},
    {"two dots", "s3://acme..logs/x", "g", "", true, NULL,
     "not a bucket's name"},
    {"three dots, and no address", "s3://a.b.c.d/x", "g", "", true, "x",
     NULL},
    {"a word like no other", "s3://acme-logs/{xyzzyxyzzy}", "g", "", true,
     NULL, "there are {account}"},
    {"a year and a day", "s3://acme-logs/{yyyy}/{dd}", "g", "", true, NULL,
     "does not tell days apart"},
    {"a month alone", "s3://acme-logs/{mm}", "g", "", true, NULL,
     "does not tell days apart"},
    {"a day alone", "s3://acme-logs/{dd}", "g", "", true, NULL,
     "does not tell days apart"},
};

static void keys_are_made_or_refused(void **state)
{
    const struct plan_place place = {view_of("111122223333"),
                                     view_of("eu-west-1")};
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(places); i++) {
        const struct place *p = &places[i];
        char bytes[SPEC_KEY_BYTES];
        struct text key;
        text_init(&key, bytes, sizeof bytes);
        start("UTC");
        view_copy(view_of(p->group), spec.group, sizeof spec.group);
        view_copy(view_of(p->prefix), spec.stream_prefix,
                  sizeof spec.stream_prefix);
        spec.day = date_days(2026, 11, 9);
        spec.whole_day = p->whole_day;
        bool ok = plan_to(&spec, view_of(p->to), &fault) &&
                  plan_template(&spec, &fault) &&
                  plan_key(&spec, &place, &key, &fault);
        broken += BROKEN(p->name, p->key != NULL
                         ? ok && row_text(&key, p->key)
                         : !ok && fault.error == ERROR_USAGE &&
                           says(p->words));
    }
    assert_int_equal(broken, 0);
}

static const struct many {
    const char *url, *words;  /* NULL: taken */
} many[] = {
    {"s3://acme-logs", NULL},
    {"s3://acme-logs/x/", NULL},
    {"s3://acme-logs/{group}/{yyyy}/{mm}/{dd}.gz", NULL},
    {"s3://acme-logs/{date}", "does not tell groups apart"},
    {"s3://acme-logs/{group}/x", "does not tell days apart"},
    {"s3://acme-logs/x", "does not tell days apart"},
    {"s3://acme-logs/{grup}/{date}", "nearest: {group}"},
    {"acme-logs/", "is not an object of S3"},
};

static void many_need_group_and_day(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(many); i++) {
        const struct many *m = &many[i];
        start("UTC");
        bool ok = plan_many(view_of(m->url), &fault);
        broken += BROKEN(m->url, ok == (m->words == NULL) &&
                                     (ok || says(m->words)));
    }
    assert_int_equal(broken, 0);
}

/* S3's limit holds for the names that come beside the object, too. */
static void long_keys_are_refused(void **state)
{
    const struct plan_place place = {view_of("111122223333"),
                                     view_of("eu-west-1")};
    char url[1200] = "s3://acme-logs/", bytes[SPEC_KEY_BYTES];
    (void)state;
    for (size_t len = 1000; len <= 1030; len++) {
        struct text key;
        memset(url + 15, 'k', len);
        url[15 + len] = '\0';
        start("UTC");
        text_init(&key, bytes, sizeof bytes);
        bool ok = plan_to(&spec, view_of(url), &fault) &&
                  plan_key(&spec, &place, &key, &fault);
        assert_int_equal(ok, len <= 1007);
    }
}

/* What a bucket's name and a key are before any word is put in. */
static void what_is_too_long_is_refused(void **state)
{
    static const struct {
        const char *name, *before;
        uint32_t    most;    /* of the letters between */
        const char *behind;
        bool        many;    /* plan_many(), not plan_to() */
    } longs[] = {
        {"an old bucket's name", "s3://", SPEC_BUCKET_BYTES - 1, "/x", false},
        {"a key", "s3://acme-logs/", 1024, "", false},
        {"a prefix with the default template", "s3://acme-logs/",
         SPEC_KEY_BYTES - 1 - 50, "/", false},
        {"a prefix of many", "s3://acme-logs/", SPEC_KEY_BYTES - 1 - 50, "/",
         true},
    };
    char url[1400], letters[1200];
    int broken = 0;
    (void)state;
    memset(letters, 'k', sizeof letters);
    for (size_t i = 0; i < ROW_COUNT(longs); i++)
        for (uint32_t more = 0; more < 2; more++) {
            (void)snprintf(url, sizeof url, "%s%.*s%s", longs[i].before,
                           (int)(longs[i].most + more), letters,
                           longs[i].behind);
            start("UTC");
            bool ok = longs[i].many ? plan_many(view_of(url), &fault)
                                    : plan_to(&spec, view_of(url), &fault);
            broken += BROKEN(longs[i].name, ok == (more == 0));
        }
    assert_int_equal(broken, 0);
}

/* A template that nobody has looked at yet, and words that say too much or
 * nothing. */
static void a_key_is_looked_at_when_it_is_made(void **state)
{
    const struct plan_place place = {view_of("111122223333"),
                                     view_of("eu-west-1")};
    static const struct {
        const char *to, *words;
        int         group;  /* letters of its name; 0: "/" */
    } keys[] = {
        {"s3://acme-logs/{dat}", "nearest: {date}", 1},
        {"s3://acme-logs/{group}{group}{group}", "the key for", 500},
        {"s3://acme-logs/{group}", "does not fit", 0},
        {"s3://acme-logs/{group}", NULL, 1},
    };
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(keys); i++) {
        char bytes[SPEC_KEY_BYTES];
        struct text key;
        start("UTC");
        text_init(&key, bytes, sizeof bytes);
        (void)snprintf(spec.group, sizeof spec.group, "%s%0*d", "/",
                       keys[i].group, 0);
        spec.group[1 + keys[i].group] = '\0';
        bool ok = plan_to(&spec, view_of(keys[i].to), &fault) &&
                  plan_key(&spec, &place, &key, &fault);
        broken += BROKEN(keys[i].to, keys[i].words == NULL
                         ? ok : !ok && says(keys[i].words));
    }
    assert_int_equal(broken, 0);
}

static const struct group {
    const char *name, *group, *words;  /* NULL: taken */
} groups[] = {
    {"as ECS names it", "/ecs/api", NULL},
    {"every character", "aZ0._-/#", NULL},
    {"none", "", "a log group has a name"},
    {"a tilde", "/ecs/a~", "\"~\" cannot be in its name"},
    {"a blank", "/ecs/a b", "\" \" cannot be in its name"},
    {"a control character", "/ecs/\x01", "\"\\x01\" cannot be in its name"},
    {"an ARN", "arn:aws:logs:eu-west-1:1:log-group:/x:*", "is an ARN"},
};

static void group_names_are_checked(void **state)
{
    char name[514];
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(groups); i++) {
        start("UTC");
        bool ok = plan_group(view_of(groups[i].group), &fault);
        broken += BROKEN(groups[i].name, groups[i].words == NULL
                         ? ok : !ok && says(groups[i].words));
    }
    assert_false(plan_group((struct view){(const uint8_t *)"a\0b", 3},
                            &fault));
    memset(name, 'g', sizeof name);
    for (uint32_t len = 510; len <= 513; len++) {
        start("UTC");
        assert_int_equal(plan_group((struct view){(uint8_t *)name, len},
                                    &fault), len <= 512);
    }
    assert_int_equal(broken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_what_was_asked),
        cmocka_unit_test(intervals_may_be_open),
        cmocka_unit_test(a_range_can_be_a_day),
        cmocka_unit_test(keys_are_made_or_refused),
        cmocka_unit_test(many_need_group_and_day),
        cmocka_unit_test(long_keys_are_refused),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(a_key_is_looked_at_when_it_is_made),
        cmocka_unit_test(group_names_are_checked),
    };
    return RUN(tests);
}
