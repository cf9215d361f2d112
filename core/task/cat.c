/* cat.c - see cat.h. */
#include "task/cat.h"

#include "base/trace.h"
#include "fetch/reading.h"

static const char *const state_name[] = {
    [CAT_NEXT] = "next", [CAT_ASKING] = "asking",
    [CAT_JUDGING] = "judging", [CAT_CHOOSING] = "choosing",
    [CAT_READING] = "reading", [CAT_DRAINING] = "draining",
    [CAT_REPORTING] = "reporting", [CAT_DONE] = "done",
};

static enum flow enter(struct cat *c, enum cat_state next)
{
    trace_state("cat", state_name[c->state], state_name[next]);
    c->state = next;
    return next == CAT_DONE ? FLOW_ENDED : FLOW_MOVED;
}

static struct view url_of(const struct cat *c)
{
    return view_of(c->options.urls[c->at]);
}

static bool has_interval(const struct cat *c)
{
    const struct choose_want *w = &c->options.want;

    return w->from_ms != INT64_MIN || w->until_ms != INT64_MAX;
}

static bool is_filtered(const struct cat *c)
{
    return has_interval(c) || c->options.want.stream.len > 0;
}

static void warn(struct cat *c, const char *what, const char *words)
{
    c->note = (struct cat_note){.thing = url_of(c), .warning = true};
    c->note.fault.what = what;
    fault_words(&c->note.fault, view_of(words));
    c->noted = true;
}

static void warn_number(struct cat *c, const char *what, const char *words,
                        uint64_t number)
{
    char bytes[96];
    struct text t;

    text_init(&t, bytes, sizeof bytes);
    text_str(&t, words);
    text_u64(&t, number);
    warn(c, what, bytes);
}

static void tell_fault(struct cat *c, struct view thing,
                       const struct fault *fault)
{
    if (fault->error == ERROR_NONE)
        return;
    c->note = (struct cat_note){.thing = thing, .fault = *fault};
    c->exit_code = exit_worse(c->exit_code, fault_exit(fault->error));
    c->noted = true;
}

/* Tells one gap of the source under way, if there is one left. */
static bool tell_gap(struct cat *c)
{
    struct fault fault = {0};

    if (!interval_tell(&c->interval, &fault))
        return false;
    tell_fault(c, view_of(NULL), &fault);
    return true;
}

/* ---- which object, and which of its bytes ---- */

static void reset_stages(struct cat *c)
{
    enum record_form form = c->options.json ? RECORD_JSON : RECORD_TEXT;

    c->reported = 0;
    inflate_init(&c->inflate, &c->workspace, INFLATE_ANY, &c->fault);
    choose_init(&c->choose, &c->options.want, CHOOSE_ANY, &c->fault);
    record_init(&c->record, form, c->options.escape && !c->options.json,
                &c->fault);
    escape_init(&c->escape, &c->fault);
}

static void ask(struct cat *c)
{
    struct text t;

    text_init(&t, c->receipt_key, sizeof c->receipt_key);
    receipt_key(&t, c->name.key, "receipt");
    call_cancel(&c->object.call);
    ring_reset(&c->fetched);
    existing_init(&c->existing, &c->object.call, c->name.bucket, c->name.key,
                  text_view(&t), (struct span){c->receipt_bytes,
                                               sizeof c->receipt_bytes});
}

static enum flow on_next(struct cat *c)
{
    if (c->at == c->options.url_count && c->options.fed)
        return FLOW_WANT_INPUT;
    if (c->at == c->options.url_count)
        return tell_gap(c) ? FLOW_MOVED : enter(c, CAT_DONE);
    fault_reset(&c->fault);
    reset_stages(c);
    c->indexed = false;
    c->begun = false;
    if (!object_name_parse(url_of(c), &c->name)) {
        fault_set(&c->fault, ERROR_USAGE, "this is not s3://BUCKET/KEY", 0);
        return enter(c, CAT_REPORTING);
    }
    if (!has_interval(c))
        return enter(c, CAT_CHOOSING);
    ask(c);
    return enter(c, CAT_ASKING);
}

void cat_feed(struct cat *c, const char *url)
{
    CHECK(c->state == CAT_NEXT && c->options.fed);
    c->url = url;
    c->at = 0;
    c->options.urls = &c->url;
    c->options.url_count = url != NULL;
    c->options.fed = url != NULL;
}

static enum flow pass_on(struct cat *c)
{
    c->at++;
    return enter(c, CAT_NEXT);
}

static enum flow on_asking(struct cat *c, struct now now)
{
    enum flow flow = existing_step(&c->existing, now);

    if (flow == FLOW_ENDED)
        return enter(c, CAT_JUDGING);
    if (flow != FLOW_FAILED)
        return flow;
    fault_adopt(&c->fault, &c->existing.fault);
    interval_take_unknown(&c->interval);
    return enter(c, CAT_REPORTING);
}

/* It may be that nothing is there at all: reading will tell. */
static enum flow read_whole(struct cat *c)
{
    const struct existing *e = &c->existing;

    if (e->has_object) {
        interval_take_unknown(&c->interval);
        warn(c, e->damaged ? "its receipt is damaged: all of it is read"
             : e->has_receipt ? "its receipt is of another object: all of it "
                                "is read"
             : "it has no receipt: all of it is read",
             "what it lacks of the interval is not known");
    }
    return enter(c, CAT_CHOOSING);
}

/* Whether the index can be used: in gzip, one that begins with the object is
 * of no archive of ours, and its entries may be whole members. */
static bool find_ranges(struct cat *c)
{
    const struct receipt *r = &c->existing.receipt;
    const struct choose_want *w = &c->options.want;

    if (!index_search(&c->search, r->index, w->from_ms, w->until_ms,
                      r->bytes_stored))
        return false;
    if (!view_is(r->format, "ndjson") && !view_is(r->format, "text"))
        return false;
    return view_is(r->compression, "none") ||
           view_is(r->compression, "zstd") ||
           (view_is(r->compression, "gzip") && c->search.entry.offset > 0);
}

static enum flow on_judging(struct cat *c)
{
    const struct receipt *r = &c->existing.receipt;

    if (!existing_agrees(&c->existing))
        return read_whole(c);
    if (interval_is_other(&c->interval, r) && tell_gap(c))
        return FLOW_MOVED;
    if (!interval_take(&c->interval, r))
        warn(c, "its window begins before that of the object before it ends",
             "lines may come twice, or not in the order of time");
    if (!interval_meets(&c->interval, r) ||
        (r->counted && r->tally.events == 0))
        return pass_on(c);
    c->indexed = find_ranges(c);
    return enter(c, CAT_CHOOSING);
}

/* ---- reading ---- */

static void wire(struct cat *c)
{
    struct stage_row *row = &c->row;

    ring_reset(&c->raw);
    ring_reset(&c->chosen);
    ring_reset(&c->lines);
    ring_reset(&c->out);
    stage_row_init(row, NULL);
    stage_row_add(row, &c->object.stage, &c->fetched);
    stage_row_add(row, &c->inflate.stage, &c->raw);
    if (is_filtered(c))
        stage_row_add(row, &c->choose.stage, &c->chosen);
    if (c->options.escape) {
        stage_row_add(row, &c->record.stage, &c->lines);
        stage_row_add(row, &c->escape.stage, &c->out);
    } else {
        stage_row_add(row, &c->record.stage, &c->out);
    }
}

static void open_whole(struct cat *c)
{
    inflate_init(&c->inflate, &c->workspace, reading_form(c->name.key),
                 &c->fault);
    object_open(&c->object, c->name);
}

static void open_range(struct cat *c, uint64_t from, uint64_t to)
{
    const struct receipt *r = &c->existing.receipt;
    bool gzip = view_is(r->compression, "gzip");

    object_open_range(&c->object, c->name, from, to);
    memcpy(c->object.etag, c->existing.etag, sizeof c->object.etag);
    inflate_init(&c->inflate, &c->workspace,
                 view_is(r->compression, "zstd") ? INFLATE_ZSTD
                 : gzip ? INFLATE_GZIP : INFLATE_PLAIN, &c->fault);
    if (gzip)
        inflate_middle(&c->inflate);
    c->inflate.offset = from;  /* damage is where it is in the object */
    choose_init(&c->choose, &c->options.want, view_is(r->format, "text")
                ? CHOOSE_TEXT : CHOOSE_NDJSON, &c->fault);
    choose_middle(&c->choose);
}

static enum flow on_choosing(struct cat *c)
{
    uint64_t from, to;
    bool more = c->indexed ? index_find(&c->search, &from, &to) : !c->begun;

    if (!more)
        return pass_on(c);
    reset_stages(c);
    c->begun = true;
    if (c->indexed)
        open_range(c, from, to);
    else
        open_whole(c);
    wire(c);
    return enter(c, CAT_READING);
}

static enum flow on_reading(struct cat *c, struct now now)
{
    enum flow flow = stage_row_step(&c->row, now);

    if (flow == FLOW_ENDED)
        return enter(c, CAT_DRAINING);
    if (flow != FLOW_FAILED)
        return flow;
    object_cancel(&c->object);
    CHECK(stage_row_cut(&c->row));  /* the last stages never fail */
    return FLOW_MOVED;  /* what was good may still come out */
}

static enum flow on_draining(struct cat *c)
{
    if (ring_len(&c->out) > 0)
        return FLOW_WANT_ROOM;
    return enter(c, CAT_REPORTING);
}

/* ---- what is said of it ---- */

/* A message that does not end is lost data, if nothing else was found. */
static void tell_broken(struct cat *c)
{
    struct fault fault = {0};

    if (c->record.broken_line == 0 || c->fault.error != ERROR_NONE)
        return;
    fault_set(&fault, ERROR_CORRUPT,
              "a record's message is not whole; its line",
              (int64_t)c->record.broken_line);
    tell_fault(c, url_of(c), &fault);
}

static void tell_trailing(struct cat *c)
{
    const struct inflate *z = &c->inflate;

    if (z->trailing)
        warn_number(c, z->trailing_zeros
                    ? "zeros behind the data were left out"
                    : "bytes that are not compressed data were left out",
                    "from byte ", z->trailing_offset);
}

static void tell_foreign(struct cat *c)
{
    if (c->record.foreign_line != 0)
        warn_number(c, "lines that are no record of firn's are printed as "
                    "they are", "the first is line ", c->record.foreign_line);
    else if (c->choose.foreign != 0)
        warn_number(c, "lines that are no record of firn's are left out",
                    "their number is ", c->choose.foreign);
}

/* Whether it makes no sense to ask S3 for anything else. What is throttled is
 * asked again until the deadline. */
static bool is_hopeless(enum error error)
{
    return error == ERROR_NETWORK || error == ERROR_STOPPED;
}

static enum flow on_reporting(struct cat *c)
{
    switch (c->reported++) {
    case 0: tell_fault(c, url_of(c), &c->fault); return FLOW_MOVED;
    case 1: tell_broken(c);                      return FLOW_MOVED;
    case 2: tell_trailing(c);                    return FLOW_MOVED;
    case 3: tell_foreign(c);                     return FLOW_MOVED;
    default: break;
    }
    if (is_hopeless(c->fault.error))
        return enter(c, CAT_DONE);
    return c->fault.error != ERROR_NONE ? pass_on(c)
                                        : enter(c, CAT_CHOOSING);
}

enum flow cat_step(struct cat *c, struct now now)
{
    if (c->noted)
        return FLOW_MOVED;
    switch (c->state) {
    case CAT_NEXT:      return on_next(c);
    case CAT_ASKING:    return on_asking(c, now);
    case CAT_JUDGING:   return on_judging(c);
    case CAT_CHOOSING:  return on_choosing(c);
    case CAT_READING:   return on_reading(c, now);
    case CAT_DRAINING:  return on_draining(c);
    case CAT_REPORTING: return on_reporting(c);
    case CAT_DONE:      break;
    }
    return FLOW_ENDED;
}

const struct cat_note *cat_note(struct cat *c)
{
    if (!c->noted)
        return NULL;
    c->noted = false;
    return &c->note;
}

int64_t cat_wake_ms(const struct cat *c)
{
    if (c->state == CAT_ASKING)
        return call_wake_ms(&c->object.call);
    return c->state == CAT_READING ? object_wake_ms(&c->object) : INT64_MAX;
}

void cat_init(struct cat *c, struct site *site,
              const struct cat_options *options)
{
    c->options = *options;
    c->exit_code = 0;
    c->state = CAT_NEXT;
    c->at = 0;
    c->noted = false;
    interval_init(&c->interval, options->want.from_ms,
                  options->want.until_ms);
    ring_init(&c->fetched, c->fetched_bytes, sizeof c->fetched_bytes);
    ring_init(&c->raw, c->raw_bytes, sizeof c->raw_bytes);
    ring_init(&c->chosen, c->chosen_bytes, sizeof c->chosen_bytes);
    ring_init(&c->lines, c->lines_bytes, sizeof c->lines_bytes);
    ring_init(&c->out, c->out_bytes, sizeof c->out_bytes);
    object_init(&c->object, site, &c->fetched, &c->fault);
}
