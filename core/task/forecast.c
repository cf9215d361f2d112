/* forecast.c - see forecast.h. */
#include "task/forecast.h"

#include "task/message.h"

enum {
    RATIO      = 8,         /* raw to stored */
    PAGE_BYTES = 1 << 20,   /* of FilterLogEvents, about (reference) */
    HOUR_MS    = 3600000,
    GET_NANO   = 400,       /* USD of one GET or HEAD */
    PUT_NANO   = 5000,      /* of one PUT or LIST; DELETE is free */
};

#define PRICES "us-east-1 list prices, table of 2026-11-22, indicative: " \
               "AWS's own list was not read for it"
#define BASIS  "bytes: storedBytes spread over the days that a group holds, " \
               "stored at 1:8; reads: pages of 1 MiB, more where messages " \
               "are short; PutObject: with a checkpoint every 6 s of " \
               "reading; exports: files are not counted"

/* What each day costs for sure, and in which currency. */
static const struct row {
    const char *name;
    uint8_t     archive, recount, retention;
    bool        estimated;
    uint32_t    nano;
} rows[FORECAST_CALLS] = {
    [FORECAST_DESCRIBE] = {"DescribeLogGroups", 2, 1, 1, false, 0},
    [FORECAST_READ]     = {"FilterLogEvents", 0, 0, 1, true, 0},
    [FORECAST_EXPORT]   = {"CreateExportTask", 0, 0, 0, false, 0},
    [FORECAST_RETAIN]   = {"PutRetentionPolicy", 0, 0, 1, false, 0},
    [FORECAST_LIST]     = {"ListObjectsV2", 0, 0, 0, false, PUT_NANO},
    [FORECAST_GET]      = {"GetObject", 3, 3, 0, false, GET_NANO},
    [FORECAST_HEAD]     = {"HeadObject", 3, 2, 0, false, GET_NANO},
    [FORECAST_PUT]      = {"PutObject", 5, 1, 0, false, PUT_NANO},
    [FORECAST_CREATE]   = {"CreateMultipartUpload", 0, 0, 0, true, 0},
    [FORECAST_PART]     = {"UploadPart", 0, 0, 0, true, 0},
    [FORECAST_PARTS]    = {"ListParts", 0, 0, 0, true, GET_NANO},
    [FORECAST_COMPLETE] = {"CompleteMultipartUpload", 0, 0, 0, true, 0},
    [FORECAST_DELETE]   = {"DeleteObject", 1, 0, 0, false, 0},
};

/* A PUT into it, and a GiB there for a month, USD in 10^-9 and 10^-6. */
static const struct class {
    const char *name;
    uint32_t    put_nano, month_micro;
} classes[] = {
    {"STANDARD", PUT_NANO, 23000},
    {"INTELLIGENT_TIERING", PUT_NANO, 23000},
    {"STANDARD_IA", 10000, 12500},
    {"ONEZONE_IA", 10000, 10000},
    {"GLACIER_IR", 20000, 4000},
    {"GLACIER", 30000, 3600},
    {"DEEP_ARCHIVE", 50000, 990},
};

static const struct class *class_of(const char *name, uint64_t bytes)
{
    if (bytes >= TARGET_STANDARD_BYTES)
        for (size_t i = 1; i < sizeof classes / sizeof *classes; i++)
            if (strcmp(classes[i].name, name) == 0)
                return &classes[i];
    return &classes[0];
}

/* ---- one day ---- */

/* Of what the group holds, as much as the window's share of the time. */
static uint64_t bytes_of(const struct visit *v)
{
    const struct calendar_facts *f = &v->calendar.facts;
    int64_t from_ms = v->info.creation_ms > f->held_ms ? v->info.creation_ms
                                                       : f->held_ms;
    int64_t hours = (f->now_ms - from_ms) / HOUR_MS;
    int64_t window = (v->spec.until_ms - v->spec.from_ms) / HOUR_MS;
    if (v->info.stored_bytes <= 0)
        return 0;
    return (uint64_t)(v->info.stored_bytes / (hours > 24 ? hours : 24) *
                      window);
}

/* More than a part is uploaded in parts. */
static void add_upload(struct forecast *f, const struct class *class)
{
    f->calls[FORECAST_PUT] += f->bytes_raw / PAGE_BYTES / 30;  /* the lease's
                                renewals, at five pages a second */
    if (f->bytes_stored < CFG_PART_BYTES)
        return;
    f->calls[FORECAST_CREATE] = f->calls[FORECAST_COMPLETE] = 1;
    f->calls[FORECAST_PARTS] = 1;
    f->calls[FORECAST_PART] = f->bytes_stored / CFG_PART_BYTES + 1;
    f->request_nano += (f->calls[FORECAST_PART] + 2) * class->put_nano;
}

static void add_reads(struct forecast *f, const struct visit *v)
{
    if (v->spec.source == SOURCE_EXPORT)
        f->exports = f->calls[FORECAST_EXPORT] = 1;
    else
        f->calls[FORECAST_READ] = f->bytes_raw / PAGE_BYTES + 1;
}

/* The days that would expire are each looked at. */
static void add_retention(struct forecast *f, const struct visit *v)
{
    const struct calendar_facts *c = &v->calendar.facts;
    int64_t from_ms = v->info.creation_ms > c->held_ms ? v->info.creation_ms
                                                       : c->held_ms;
    int64_t days = (c->now_ms - from_ms) / DAY_MS -
                   v->options.settings->retention_days;
    f->retentions = 1;
    if (days > 0)
        f->calls[FORECAST_GET] = f->calls[FORECAST_HEAD] = (uint64_t)days;
}

static struct forecast forecast_of(const struct visit *v)
{
    struct forecast f = {0};
    if (v->due != VISIT_KEEP) {
        f.bytes_raw = bytes_of(v);
        add_reads(&f, v);
    }
    if (v->due == VISIT_MISSING) {
        f.archives = 1;
        f.bytes_stored = f.bytes_raw / RATIO;
        const struct class *class = class_of(v->spec.storage_class,
                                             f.bytes_stored);
        add_upload(&f, class);
        f.month_nano = f.bytes_stored / 1024 * class->month_micro / 1049;
        f.calls[FORECAST_GET] = f.calls[FORECAST_HEAD] = v->beside;
    }
    f.recounts = v->due == VISIT_STALE;
    if (v->due == VISIT_KEEP)
        add_retention(&f, v);
    for (uint32_t i = 0; i < FORECAST_CALLS; i++) {
        const struct row *r = &rows[i];
        f.calls[i] += v->due == VISIT_MISSING ? r->archive
                      : v->due == VISIT_STALE ? r->recount : r->retention;
        f.request_nano += f.calls[i] * r->nano;
    }
    return f;
}

static void add(struct forecast *sum, const struct forecast *f)
{
    sum->archives += f->archives;
    sum->recounts += f->recounts;
    sum->retentions += f->retentions;
    sum->bytes_raw += f->bytes_raw;
    sum->bytes_stored += f->bytes_stored;
    sum->exports += f->exports;
    for (uint32_t i = 0; i < FORECAST_CALLS; i++)
        sum->calls[i] += f->calls[i];
    sum->request_nano += f->request_nano;
    sum->month_nano += f->month_nano;
}

/* ---- what is said ---- */

static void put_count(struct text *out, uint64_t count, const char *one,
                      const char *many)
{
    message_number(out, count);
    text_str(out, count == 1 ? one : many);
}

static void put_member(struct text *out, const char *name, uint64_t value)
{
    text_str(out, ",\"");
    text_str(out, name);
    text_str(out, "\":");
    text_u64(out, value);
}

static void put_usd(struct text *out, uint64_t nano)
{
    uint64_t micro = (nano + 500) / 1000;
    text_u64(out, micro / 1000000);
    text_char(out, '.');
    text_pad(out, micro % 1000000, 6);
}

/* The estimates and the requests, behind other members. */
static void put_members(struct text *out, const struct forecast *f)
{
    text_str(out, ",\"estimate\":{\"bytes_raw\":");
    text_u64(out, f->bytes_raw);
    put_member(out, "bytes_stored", f->bytes_stored);
    text_str(out, "},\"requests\":{\"DescribeLogGroups\":");
    text_u64(out, f->calls[FORECAST_DESCRIBE]);
    for (uint32_t i = 1; i < FORECAST_CALLS; i++)
        if (f->calls[i] > 0)
            put_member(out, rows[i].name, f->calls[i]);
    text_char(out, '}');
}

static void put_reason(struct text *out, const struct forecast *f,
                       const struct visit *v)
{
    if (v->due == VISIT_KEEP) {
        put_count(out, v->options.settings->retention_days, " day", " days");
        text_str(out, " of retention, once nothing is lost by it");
        return;
    }
    text_str(out, "about ");
    message_bytes(out, f->bytes_raw);
    text_str(out, v->due == VISIT_STALE ? " to be counted again"
                  : f->exports > 0      ? " to be exported" : " to be read");
    if (v->due == VISIT_MISSING) {
        text_str(out, ", ");
        message_bytes(out, f->bytes_stored);
        text_str(out, " to be stored");
    }
}

void forecast_tell(struct forecast *f, const struct visit *v,
                   struct text *out, enum output form)
{
    static const char *const actions[] = {"archive", "recount", "retention"};
    const struct forecast day = forecast_of(v);
    const struct plan_place place = visit_place(v);
    bool expired = v->spec.from_ms < v->calendar.facts.held_ms;
    char key_at[SPEC_KEY_BYTES], reason_at[128];
    struct fault fault = {0};
    struct text key, reason;
    text_init(&key, key_at, sizeof key_at);
    text_init(&reason, reason_at, sizeof reason_at);
    put_reason(&reason, &day, v);
    if (v->due != VISIT_KEEP)
        (void)plan_key(&v->spec, &place, &key, &fault);
    struct report_result line = {
        .source.group = view_of(v->spec.group),
        .bucket = view_of(v->spec.bucket), .key = text_view(&key),
        .action = actions[v->due], .reason = text_view(&reason),
    };
    if (v->due != VISIT_KEEP) {
        line.source = report_asked(&v->spec);
        line.state = v->due == VISIT_STALE ? "provisional"
                     : expired             ? "expired" : "missing";
    }
    if (form == OUTPUT_TEXT && v->due == VISIT_KEEP) {
        message_escape(out, line.source.group);
        text_str(out, ": ");
        text_put(out, line.reason);
    } else {
        report_result(out, &line, form);
    }
    if (form == OUTPUT_JSON && !out->overflow) {
        text_cut(out, out->len - 1);
        put_members(out, &day);
        text_char(out, '}');
    }
    text_char(out, '\n');
    add(f, &day);
}

/* Seconds of reading, at the pace that is kept to. */
static uint64_t seconds_of(const struct forecast *f, const struct site *site)
{
    uint32_t limit = site->pace.limit > 0 ? site->pace.limit : 1;
    return f->calls[FORECAST_READ] * 1000 / limit;
}

static void sum_json(struct text *out, const struct forecast *f,
                     const struct site *site)
{
    text_str(out, "{\"archives\":");
    text_u64(out, f->archives);
    put_member(out, "recounts", f->recounts);
    put_member(out, "retentions", f->retentions);
    put_member(out, "exports", f->exports);
    put_members(out, f);
    put_member(out, "seconds", seconds_of(f, site));
    put_member(out, "reads_per_1000_seconds", site->pace.limit);
    text_str(out, ",\"usd\":{\"requests\":");
    put_usd(out, f->request_nano);
    text_str(out, ",\"storage_month\":");
    put_usd(out, f->month_nano);
    text_str(out, "},\"prices\":\"" PRICES "\",\"basis\":\"" BASIS "\"}\n");
}

static void put_calls(struct text *out, const struct forecast *f,
                      bool estimated)
{
    const char *before = estimated ? "requests, about: " : "requests: ";
    for (uint32_t i = 0; i < FORECAST_CALLS; i++)
        if (f->calls[i] > 0 && rows[i].estimated == estimated) {
            text_str(out, before);
            message_number(out, f->calls[i]);
            text_char(out, ' ');
            text_str(out, rows[i].name);
            before = ", ";
        }
    if (before[0] == ',')
        text_char(out, '\n');
}

static void sum_text(struct text *out, const struct forecast *f,
                     const struct site *site, uint64_t groups)
{
    put_count(out, groups, " group: ", " groups: ");
    put_count(out, f->archives, " day to archive, ", " days to archive, ");
    message_number(out, f->recounts);
    text_str(out, " to recount\nabout ");
    message_bytes(out, f->bytes_raw);
    text_str(out, " to read, ");
    message_bytes(out, f->bytes_stored);
    text_str(out, " to store; ");
    put_count(out, f->calls[FORECAST_READ], " log read at ",
              " log reads at ");
    text_u64(out, site->pace.limit / 1000);
    text_str(out, " a second: ");
    message_duration(out, (int64_t)seconds_of(f, site) * 1000);
    text_str(out, " at least");
    if (f->exports > 0) {
        text_str(out, "; ");
        put_count(out, f->exports, " export", " exports");
        text_str(out, ", one at a time, minutes to hours each");
    }
    text_char(out, '\n');
    put_calls(out, f, false);
    put_calls(out, f, true);
    put_usd(out, f->request_nano);
    text_str(out, " USD for requests, ");
    put_usd(out, f->month_nano);
    text_str(out, " USD a month for storage (" PRICES ")\n" BASIS "\n");
}

void forecast_write(struct text *out, const struct forecast *f,
                    const struct site *site, uint64_t groups,
                    enum output form)
{
    struct forecast sum = *f;
    uint64_t looked = site->requests - site->retried;
    sum.calls[FORECAST_LIST] += groups;
    sum.calls[FORECAST_DESCRIBE] += looked > groups ? looked - groups : 0;
    sum.request_nano += groups * PUT_NANO;
    if (form == OUTPUT_JSON)
        sum_json(out, &sum, site);
    else
        sum_text(out, &sum, site, groups);
}
