/* mix.c - see mix.h. */
#include "mix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"

enum { LINE_BYTES = 128, HOUR_MS = 3600000, MINUTE_MS = 60000 };
#define DAY_FROM INT64_C(1794182400000)  /* 2026-11-09 */

static bool one_in(struct chance *c, uint64_t n)
{
    return chance_below(c, n) == 0;
}

/* Small numbers as often as large ones. */
static uint64_t some(struct chance *c, uint64_t most)
{
    uint64_t bits = 0;
    while (most >> bits > 1)
        bits++;
    uint64_t n = chance_below(c, (uint64_t)1 << chance_below(c, bits + 1)) + 1;
    return n < most ? n : most;
}

static void choose_spec(struct spec *s, struct chance *c)
{
    *s = (struct spec){.from_ms = DAY_FROM, .until_ms = DAY_FROM + DAY_MS,
                       .day = DAY_FROM / DAY_MS, .whole_day = true};
    strcpy(s->group, "/sim/group");
    strcpy(s->bucket, "sim-bucket");
    strcpy(s->key, "{group}/{date}/events.{ext}");
    strcpy(s->timezone, "UTC");
    s->format = one_in(c, 5) ? FORMAT_TEXT : FORMAT_NDJSON;
    s->compress = one_in(c, 5)   ? COMPRESS_NONE
                  : one_in(c, 6) ? COMPRESS_ZSTD
                                 : COMPRESS_GZIP;
    s->checksum = !one_in(c, 8);
    s->field_ingested = s->format == FORMAT_NDJSON && one_in(c, 2);
    s->field_id = s->format == FORMAT_NDJSON && one_in(c, 2);
    if (!one_in(c, 10))
        return;
    s->whole_day = false;
    s->from_ms += (int64_t)chance_below(c, 12 * HOUR_MS);
    s->until_ms = s->from_ms + 4 + (int64_t)some(c, 8 * HOUR_MS);
    strcpy(s->key, "odd/window.{ext}");
}

/* Mostly a few events; now and then several parts of noise. */
static void choose_day(struct aws_fill *f, const struct spec *s,
                       struct chance *c)
{
    static const char *const profiles[] = {"web", "json", "tiny", "hostile",
                                           "noise"};
    static const char *const spreads[] = {"uniform", "bursts", "nights",
                                          "edges", "instant"};
    uint64_t size = chance_below(c, 100);
    *f = (struct aws_fill){
        .profile = profiles[chance_below(c, 5)],
        .spread = spreads[chance_below(c, 5)],
        .from = s->from_ms, .until = s->until_ms,
        .events = some(c, 200), .streams = 1 + (uint32_t)chance_below(c, 5),
        .seed = chance_next(c),
        .late_permille = one_in(c, 3) ? 200 : 0,
    };
    if (strcmp(f->profile, "hostile") == 0)
        f->events = some(c, 30);
    if (size == 0)
        f->events = 1;  /* at most one: the model makes none of 0 events */
    if (size < 60)
        return;
    /* Parts: noise does not shrink to less than three quarters. */
    f->profile = "noise";
    f->spread = spreads[chance_below(c, 3)];
    f->events = size < 96 ? 100 + chance_below(c, 400)
                          : 600 + chance_below(c, 2000);
}

static void choose_trouble(struct mix *x, struct chance *c)
{
    x->lives = (uint32_t)chance_below(c, 8);
    x->kills = one_in(c, 2);
    x->stops = one_in(c, 5);
    x->beside = one_in(c, 3);
    x->freezes = one_in(c, 4);
    x->late = one_in(c, 3);
    x->recreated = one_in(c, 25);
    x->lifecycle = one_in(c, 12);
    x->flips = one_in(c, 12) && x->spec.checksum;
    x->race = one_in(c, 4);
}

/* Objects do not come late, nor expire. */
static void choose_merge(struct mix *x, struct sheaf *s, struct chance *c)
{
    x->merges = true;
    sheaf_choose(s, &x->spec, c);
    x->fill.spread = "uniform";
    x->late = false;
    x->flips = x->flips && x->spec.checksum;
    x->recreated = one_in(c, 5) && !s->damaged;
    x->later = (enum mix_later)chance_below(c, MIX_EXPIRED);
    x->more = s->more;
    if (x->spec.delete_source && x->later == MIX_REPLACE)
        x->later = MIX_SKIP;  /* there is nothing to replace it by */
}

void mix_choose(struct mix *x, struct sheaf *s, struct chance *c)
{
    static const uint32_t slices[] = {16384, 16384, 4096, 700, 64};
    *x = (struct mix){0};
    choose_spec(&x->spec, c);
    choose_day(&x->fill, &x->spec, c);
    x->after_ms = one_in(c, 2) ? 1000 * (int64_t)some(c, 86400)
                               : (int64_t)some(c, 20) * DAY_MS;
    x->keys = one_in(c, 4)   ? MIX_KEYS_CONTAINER
              : one_in(c, 4) ? MIX_KEYS_SESSION
                             : MIX_KEYS_STATIC;
    x->keys_life_ms = MINUTE_MS * (int64_t)some(c, 60);
    x->skewed = one_in(c, 6);
    x->slice_most = slices[chance_below(c, 5)];
    x->bytes_per_ms = one_in(c, 4) ? 1 + (int64_t)some(c, 500) : 0;
    choose_trouble(x, c);
    x->later = (enum mix_later)chance_below(c, 5);
    if (s != NULL)
        choose_merge(x, s, c);
}

/* --- what AWS does anyway ------------------------------------------------- */

static const struct habit {
    const char *name;
    uint64_t    one_in, least, most;
} habits[] = {
    {"latency",       2, 1, 400},
    {"jitter",        2, 1, 2000},
    {"page-events",   3, 1, 500},
    {"page-bytes",    3, 2000, 200000},
    {"scan-events",   8, 5, 500},
    {"end-exclusive", 4, 1, 1},
    {"empty-pages",   6, 1, 400},
    {"short-pages",   6, 1, 600},
    {"repeat-pages",  8, 1, 300},
    {"repeat-border", 8, 1, 20},
    {"repeat-inside", 8, 1, 300},
    {"last-token",    6, 1, 1000},
    {"odd-json",      6, 1, 1},
    {"error-form",    2, 1, 7},
    {"complete-again", 4, 1, 1},
    {"abort-again",   6, 1, 700},
    {"opaque-etags",  6, 1, 1},
    {"spaces",        6, 1, 2000},
    {"chunked",       6, 1, 1},
    {"return-sums",   20, 0, 0},
};

bool mix_habits(const struct mix *x, struct chance *c, struct aws *m)
{
    bool fine = aws_set(m, "part-bytes-min", CFG_PART_BYTES) &&
                aws_set(m, "copy-bytes-max", LIMIT_COPY_BYTES) &&
                (!x->merges ||
                 (aws_set(m, "part-bytes-min", LIMIT_PART_LEAST) &&
                  aws_set(m, "copy-sums", !one_in(c, 4)) &&
                  aws_set(m, "list-entries", 1 + (int64_t)some(c, 40)))) &&
                aws_set(m, "check-signature", x->skewed || one_in(c, 8)) &&
                aws_set(m, "key-life", x->keys_life_ms);
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++) {
        const struct habit *h = &habits[i];
        bool pages = strncmp(h->name, "page-", 5) == 0 ||
                     strncmp(h->name, "scan-", 5) == 0;
        if (pages && strcmp(x->fill.spread, "instant") == 0)
            continue;  /* no one reads 64 pages of one millisecond */
        if (x->merges && strcmp(h->name, "chunked") == 0)
            continue;  /* S3 says how long an object is */
        uint64_t value = h->least + some(c, h->most - h->least + 1) - 1;
        if (one_in(c, h->one_in))
            fine = fine && aws_set(m, h->name, (int64_t)value);
    }
    return fine;
}

/* --- what goes wrong ------------------------------------------------------ */

static const char *const operations[] = {
    "FilterLogEvents", "FilterLogEvents", "DescribeLogGroups", "PutObject",
    "GetObject", "HeadObject", "DeleteObject", "CreateMultipartUpload",
    "UploadPart", "UploadPart", "CompleteMultipartUpload",
    "CompleteMultipartUpload", "AbortMultipartUpload", "ListParts",
};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

/* Of a merge, instead of the first. */
static const char *const merges[] = {
    "ListObjectsV2", "GetObject", "UploadPartCopy",
};

/* What may befall any request; a number is put where %llu stands. */
static const char *const faults[] = {
    "reset", "lost", "cut=?", "cut=%llu", "stall=%llu", "hang", "delay=%llu",
    "drip=%llu", "dup", "error=InternalError status=500",
    "error=ServiceUnavailable status=503", "status=502 html",
    "status=503 nobody", "after error=InternalError status=500",
    "error=RequestTimeout status=400", "after status=503 nobody",
};

static const char *const throttles_logs[] = {"error=ThrottlingException"};
static const char *const throttles_s3[] = {
    "error=SlowDown status=503", "error=SlowDown status=503 retry-after=3",
    "error=OperationAborted status=409",
};
static const char *const pages[] = {"repeat", "empty", "same-token"};
static const char *const flips[] = {"flip=%llu", "break=%llu"};
static const char *const in_200[] = {"in200 error=InternalError",
                                     "in200 error=SlowDown"};

static const char *choose_fault(const struct mix *x, struct chance *c,
                                const char *operation)
{
    bool logs = strstr(operation, "Log") != NULL;
    bool read = strstr(operation, "List") != NULL ||
                strcmp(operation, "HeadObject") == 0 ||
                strcmp(operation, "GetObject") == 0;
    if ((strcmp(operation, "CompleteMultipartUpload") == 0 ||
         strcmp(operation, "UploadPartCopy") == 0) && one_in(c, 4))
        return in_200[chance_below(c, 2)];
    if (strcmp(operation, "FilterLogEvents") == 0 && one_in(c, 4))
        return pages[chance_below(c, 3)];
    if (x->flips && !logs && one_in(c, 3))
        return flips[chance_below(c, 2)];
    if (one_in(c, 5))
        return logs   ? throttles_logs[0]
               : read ? throttles_s3[chance_below(c, 2)]
                      : throttles_s3[chance_below(c, 3)];
    return faults[chance_below(c, sizeof faults / sizeof faults[0])];
}

static bool add_fault(const struct mix *x, struct chance *c, struct aws *m)
{
    uint64_t at = chance_below(c, OPERATIONS);
    const char *operation = x->merges && at < 3 ? merges[at] : operations[at];
    if (x->more && strcmp(operation, "DeleteObject") == 0 && one_in(c, 2))
        operation = "DeleteObjects";
    const char *fault = choose_fault(x, c, operation);
    char line[2 * LINE_BYTES], what[LINE_BYTES];
    (void)snprintf(what, sizeof what, "%s", fault);
    char *number = strstr(what, "%llu");
    if (number != NULL)
        (void)snprintf(number, 32, "%llu",
                       (unsigned long long)some(c, 100000));
    if (one_in(c, 2)) {
        (void)snprintf(line, sizeof line, "%s #%llu %s", operation,
                       (unsigned long long)some(c, 30), what);
    } else {
        (void)snprintf(line, sizeof line, "%s %%%llu %s", operation,
                       (unsigned long long)some(c, 300), what);
    }
    if (getenv("SIM_TRACE") != NULL)
        fprintf(stderr, "fault: %s\n", line);
    return aws_fault(m, line);
}

bool mix_trouble(const struct mix *x, struct chance *c, struct aws *m)
{
    uint64_t count = chance_below(c, 7);
    bool fine = true;
    if (one_in(c, 5))
        fine = aws_set(m, "rate:FilterLogEvents", 1 + (int64_t)some(c, 20));
    for (uint64_t i = 0; i < count; i++)
        fine = fine && add_fault(x, c, m);
    return fine;
}
