/* zones.c - writes the time zones that firn carries, as a C header.
 *
 *     find DIR -type f -o -type l | zones DIR > zones.h
 *
 * DIR is a compiled tz database (RFC 8536). What is kept of a zone: the offset
 * in force at 1970, the changes of offset since, and the rule of its footer
 * (POSIX TZ), which also stands for every change that it would make itself.
 * Zones that are then equal share one row. Whatever the header could not say
 * exactly is an error here. Runs on the machine that builds. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHANGES = 400,
    ZONES = 1000,
    RULES = 250,
    SHORT_STEPS = 192,
    STEPS = SHORT_STEPS + (256 - SHORT_STEPS) * 256,
    FILE_BYTES = 1 << 16,
};

struct change {
    int64_t at;      /* seconds since 1970 */
    int32_t offset;  /* from then on, seconds east of UTC */
};

struct turn {  /* a POSIX Mm.w.d/time: week 5 is the last, day 0 a Sunday */
    int32_t month, week, day;
    int32_t second;  /* of local time, may be negative or past a day */
};

struct rule {
    int32_t     base, summer;      /* offsets */
    struct turn to_summer, to_base;
};

struct zone {
    int32_t       initial;
    bool          has_rule;
    struct rule   rule;
    uint32_t      count;
    struct change changes[CHANGES];
};

struct step {
    struct change step;  /* what is added to both */
    uint32_t      uses;
};

struct name {
    char     text[64];
    uint32_t zone;
};

static struct zone zones[ZONES];
static uint32_t zone_count;
static struct name names[ZONES];
static uint32_t name_count;
static struct rule rules[RULES];
static uint32_t rule_count;
static struct step steps[STEPS];
static uint32_t step_count;
static uint8_t paths[UINT16_MAX];
static uint32_t paths_len;
static const char *current = "";

static void fail(const char *why)
{
    fprintf(stderr, "zones: %s: %s\n", current, why);
    exit(1);
}

static int64_t big_endian(const uint8_t *at, uint32_t bytes)
{
    uint64_t value = at[0] & 0x80 ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

/* [+-]h[h[h]][:mm[:ss]], and in `sign` -1 where it counts westward. */
static int32_t read_time(const char **s, int32_t sign)
{
    int32_t part[3] = {0, 0, 0};
    if (**s == '-')
        sign = -sign;
    if (**s == '-' || **s == '+')
        ++*s;
    for (int i = 0; i < 3; i++) {
        part[i] = (int32_t)strtol(*s, (char **)s, 10);
        if (**s != ':')
            break;
        ++*s;
    }
    return sign * (part[0] * 3600 + part[1] * 60 + part[2]);
}

static void skip_word(const char **s)
{
    const char *end = **s == '<' ? strchr(*s, '>') : NULL;
    *s = end != NULL ? end + 1 : *s + strspn(*s,
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

static struct turn read_turn(const char **s)
{
    struct turn t = {0, 0, 0, 7200};
    int taken = 0;
    if (sscanf(*s, ",M%d.%d.%d%n", &t.month, &t.week, &t.day, &taken) != 3)
        fail("a rule that is not of the form M");
    *s += taken;
    if (**s == '/') {
        ++*s;
        t.second = read_time(s, 1);
    }
    return t;
}

static void read_footer(struct zone *z, const char *s)
{
    struct rule *r = &z->rule;
    skip_word(&s);
    r->base = read_time(&s, -1);
    z->has_rule = *s != '\n';
    if (!z->has_rule)
        return;
    skip_word(&s);
    r->summer = r->base + 3600;
    if (*s != ',')
        r->summer = read_time(&s, -1);
    r->to_summer = read_turn(&s);
    r->to_base = read_turn(&s);
    if (*s != '\n')
        fail("a footer with more than a rule");
}

static void add_change(struct zone *z, int64_t at, int32_t offset)
{
    int32_t before = z->count > 0 ? z->changes[z->count - 1].offset
                                  : z->initial;
    if (at <= 0) {
        z->initial = offset;
    } else if (offset != before) {
        if (z->count == CHANGES || at > UINT32_MAX)
            fail("too many changes, or one too late");
        z->changes[z->count++] = (struct change){at, offset};
    }
}

/* The second of a TZif file's two blocks, with 64-bit times. */
static void read_block(struct zone *z, const uint8_t *at, const uint8_t *end)
{
    int64_t n[6];  /* isut, isstd, leap, time, type, char */
    for (int i = 0; i < 6; i++)
        n[i] = big_endian(at + 20 + 4 * i, 4);
    const uint8_t *times = at + 44, *kinds = times + 8 * n[3];
    const uint8_t *types = kinds + n[3];
    const uint8_t *footer = types + 6 * n[4] + n[5] + 12 * n[2] + n[1] + n[0];
    if (footer >= end || *footer != '\n' || end[-1] != '\n')
        fail("not a TZif file of version 2");
    z->initial = (int32_t)big_endian(types, 4);
    for (int64_t i = 0; i < n[3]; i++)
        add_change(z, big_endian(times + 8 * i, 8),
                   (int32_t)big_endian(types + 6 * kinds[i], 4));
    read_footer(z, (const char *)footer + 1);
}

static bool read_zone(struct zone *z, const char *path)
{
    static uint8_t bytes[FILE_BYTES + 1];
    FILE *file = fopen(path, "rb");
    size_t len = file != NULL ? fread(bytes, 1, FILE_BYTES, file) : 0;
    if (file != NULL)
        fclose(file);
    bytes[len] = 0;
    if (len < 88 || memcmp(bytes, "TZif", 4) != 0)
        return false;
    int64_t n[6];
    for (int i = 0; i < 6; i++)
        n[i] = big_endian(bytes + 20 + 4 * i, 4);
    memset(z, 0, sizeof *z);
    read_block(z, bytes + 44 + 5 * n[3] + 6 * n[4] + n[5] + 8 * n[2] +
               n[1] + n[0], bytes + len);
    return true;
}

/* Days since 1970 of the first of a month. */
static int64_t month_start(int64_t year, int32_t month)
{
    int64_t y = year - (month <= 2), m = (month + 9) % 12;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 - 719468;
}

static int64_t turn_at(const struct turn *t, int64_t year, int32_t before)
{
    int64_t first = month_start(year, t->month);
    int64_t next = t->month == 12 ? month_start(year + 1, 1)
                                  : month_start(year, t->month + 1);
    int64_t day = first + (t->day + 7 - (first + 4) % 7) % 7 +
                  7 * (t->week - 1);
    while (day >= next)
        day -= 7;
    return day * 86400 + t->second - before;
}

/* What the footer says happens next after `at`, and what holds at `at`. */
static struct change rule_next(const struct zone *z, int64_t at,
                               int32_t *holds)
{
    const struct rule *r = &z->rule;
    struct change last = {INT64_MIN, 0}, next = {INT64_MAX, 0};
    int64_t year = 1970 + at / 31556952;
    *holds = r->base;
    if (!z->has_rule)
        return next;
    for (int64_t y = year - 2; y <= year + 2; y++) {
        struct change turns[2] = {
            {turn_at(&r->to_summer, y, r->base), r->summer},
            {turn_at(&r->to_base, y, r->summer), r->base},
        };
        for (int i = 0; i < 2; i++)
            if (turns[i].at <= at && turns[i].at > last.at)
                last = turns[i];
            else if (turns[i].at > at && turns[i].at < next.at)
                next = turns[i];
    }
    *holds = last.offset;
    return next;
}

/* Drops the changes at the end that the rule makes by itself. */
static void trim(struct zone *z)
{
    int32_t holds;
    if (z->count == 0) {
        rule_next(z, 1, &holds);
        if (z->has_rule || holds != z->initial)
            fail("a footer that no change leads to");
        return;
    }
    struct change *end = &z->changes[z->count - 1];
    rule_next(z, end->at, &holds);
    if (holds != end->offset)
        fail("a footer that disagrees with the last change");
    while (z->count > 1) {
        struct change before = z->changes[z->count - 2];
        struct change next = rule_next(z, before.at, &holds);
        if (holds != before.offset || next.at != end->at ||
            next.offset != end->offset)
            break;
        z->count--;
        end--;
    }
}

static void add_zone(const char *name, const char *path)
{
    struct zone *z = &zones[zone_count];
    if (zone_count == ZONES || name_count == ZONES)
        fail("too many zones");
    if (!read_zone(z, path))
        return;
    trim(z);
    uint32_t same = 0;
    while (memcmp(&zones[same], z, sizeof *z) != 0)
        same++;
    zone_count += same == zone_count;
    struct name *n = &names[name_count++];
    if (strlen(name) >= sizeof n->text)
        fail("a name too long");
    snprintf(n->text, sizeof n->text, "%s", name);
    n->zone = same;
}

/* Reads one path a line; other views of the same zones are passed over. */
static void read_all(const char *root)
{
    static char line[4096];
    static const char *const not_zones[] = {
        "posix/", "right/", "posixrules", "localtime", "Factory",
    };
    size_t skip = strlen(root) + 1;
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        current = line;
        bool zone = strlen(line) > skip;
        for (int i = 0; zone && i < 5; i++)
            zone = strncmp(line + skip, not_zones[i],
                           strlen(not_zones[i])) != 0;
        if (zone)
            add_zone(line + skip, line);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text,
                  ((const struct name *)b)->text);
}

static void print_version(const char *root)
{
    static char path[4096];
    char version[32] = "unknown";
    snprintf(path, sizeof path, "%s/tzdata.zi", root);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "# version %31[0-9a-z]", version) != 1)
            strcpy(version, "unknown");
        fclose(file);
    }
    printf("/* Made by platform/deps/zones.c from tzdata %s. */\n"
           "#define ZONES_VERSION \"%s\"\n", version, version);
}

/* A zone's changes are steps: so long after the one before, so much on top of
 * its offset. Half a year and an hour are in all zones; the commonest steps
 * are written as one byte, the others as two. */
static struct change step_of(const struct zone *z, uint32_t i)
{
    struct change before = {0, z->initial}, c = z->changes[i];
    if (i > 0)
        before = z->changes[i - 1];
    return (struct change){c.at - before.at, c.offset - before.offset};
}

static uint32_t step_index(struct change c)
{
    uint32_t i = 0;
    while (i < step_count &&
           (steps[i].step.at != c.at || steps[i].step.offset != c.offset))
        i++;
    if (i == STEPS)
        fail("too many steps");
    if (i == step_count)
        steps[step_count++].step = c;
    return i;
}

static int by_uses(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->uses != y->uses)
        return x->uses < y->uses ? 1 : -1;
    if (x->step.at != y->step.at)
        return x->step.at < y->step.at ? -1 : 1;
    return x->step.offset < y->step.offset ? -1 : 1;
}

static void print_steps(void)
{
    for (uint32_t z = 0; z < zone_count; z++)
        for (uint32_t i = 0; i < zones[z].count; i++)
            steps[step_index(step_of(&zones[z], i))].uses++;
    qsort(steps, step_count, sizeof *steps, by_uses);
    printf("enum { ZONE_SHORT_STEPS = %d };\n"
           "static const struct zone_step zone_steps[] = {\n", SHORT_STEPS);
    for (uint32_t i = 0; i < step_count; i++)
        printf("{%uu, %d},\n", (uint32_t)steps[i].step.at,
               steps[i].step.offset);
    printf("};\n");
}

/* The bytes of a zone's steps: those that stand there already, or new ones. */
static uint32_t put_path(const struct zone *z)
{
    uint32_t len = 0, from = 0;
    uint8_t *end = &paths[paths_len];
    if (paths_len + 2 * z->count > sizeof paths)
        fail("too many changes in all");
    for (uint32_t i = 0; i < z->count; i++) {
        uint32_t step = step_index(step_of(z, i));
        uint32_t rest = step - SHORT_STEPS;
        if (step >= SHORT_STEPS)
            end[len++] = (uint8_t)(SHORT_STEPS + rest / 256);
        end[len++] = (uint8_t)(step < SHORT_STEPS ? step : rest);
    }
    while (memcmp(&paths[from], end, len) != 0)
        from++;
    paths_len = from + len > paths_len ? from + len : paths_len;
    return from;
}

static uint32_t rule_index(const struct zone *z)
{
    uint32_t i = 0;
    if (!z->has_rule)
        return 0;
    while (i < rule_count && memcmp(&rules[i], &z->rule, sizeof *rules) != 0)
        i++;
    if (i == RULES)
        fail("too many rules");
    if (i == rule_count)
        rules[rule_count++] = z->rule;
    return i + 1;
}

static void print_zones(void)
{
    printf("static const struct zone zone_table[] = {\n");
    for (uint32_t i = 0; i < zone_count; i++) {
        const struct zone *z = &zones[i];
        uint32_t from = put_path(z);
        printf("{%d, %u, %u, %u},\n", z->initial, from, z->count,
               rule_index(z));
    }
    printf("};\nstatic const uint8_t zone_paths[] = {\n");
    for (uint32_t i = 0; i < paths_len; i++)
        printf("%u,\n", paths[i]);
    printf("};\nstatic const struct zone_rule zone_rules[] = {\n");
    for (uint32_t i = 0; i < rule_count; i++) {
        const struct rule *r = &rules[i];
        const struct turn *s = &r->to_summer, *b = &r->to_base;
        printf("{%d, %d, {%d, %d, %d, %d}, {%d, %d, %d, %d}},\n", r->base,
               r->summer, s->month, s->week, s->day, s->second,
               b->month, b->week, b->day, b->second);
    }
    printf("};\n");
}

static void print_names(void)
{
    printf("static const char zone_names[] = {\n");
    for (uint32_t i = 0; i < name_count; i++) {
        for (const char *c = names[i].text; *c != '\0'; c++)
            printf("'%c', ", *c);
        printf("0,\n");
    }
    printf("};\nstatic const uint16_t zone_named[] = {\n");
    for (uint32_t i = 0; i < name_count; i++)
        printf("%u,\n", names[i].zone);
    printf("};\n");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        fail("usage: find DIR | zones DIR");
    read_all(argv[1]);
    if (name_count < 300)
        fail("hardly any zones found");
    qsort(names, name_count, sizeof *names, by_name);
    print_version(argv[1]);
    print_steps();
    print_zones();
    print_names();
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
