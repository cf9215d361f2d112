/* cat.c - see cat.h. */
#include "task/cat.h"

#include "base/trace.h"

static const char *const state_name[] = {
    [CAT_NEXT] = "next", [CAT_READING] = "reading",
    [CAT_DRAINING] = "draining", [CAT_REPORTING] = "reporting",
    [CAT_DONE] = "done",
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

/* By the key's end: what is named so must be so. */
static enum inflate_form form_of(struct view key)
{
    if (view_ends(key, ".gz"))
        return INFLATE_GZIP;
    return view_ends(key, ".zst") ? INFLATE_ZSTD : INFLATE_ANY;
}

static void wire(struct cat *c)
{
    struct stage_row *row = &c->row;

    ring_reset(&c->raw);
    ring_reset(&c->lines);
    ring_reset(&c->out);
    stage_row_init(row, NULL);
    stage_row_add(row, &c->object.stage, &c->fetched);
    stage_row_add(row, &c->inflate.stage, &c->raw);
    if (c->options.escape) {
        stage_row_add(row, &c->record.stage, &c->lines);
        stage_row_add(row, &c->escape.stage, &c->out);
    } else {
        stage_row_add(row, &c->record.stage, &c->out);
    }
}

static enum flow on_next(struct cat *c)
{
    struct object_name name;

    if (c->at == c->options.url_count)
        return enter(c, CAT_DONE);
    fault_reset(&c->fault);
    c->reported = 0;
    enum record_form form = c->options.json ? RECORD_JSON : RECORD_TEXT;
    record_init(&c->record, form, c->options.escape && !c->options.json,
                &c->fault);
    escape_init(&c->escape, &c->fault);
    inflate_init(&c->inflate, &c->workspace, INFLATE_ANY, &c->fault);
    if (!object_name_parse(url_of(c), &name)) {
        fault_set(&c->fault, ERROR_USAGE, "this is not s3://BUCKET/KEY", 0);
        return enter(c, CAT_REPORTING);
    }
    inflate_init(&c->inflate, &c->workspace, form_of(name.key), &c->fault);
    object_open(&c->object, name);
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
    if (!stage_row_cut(&c->row))
        return enter(c, CAT_DRAINING);
    return FLOW_MOVED;  /* what was good may still come out */
}

static enum flow on_draining(struct cat *c)
{
    if (ring_len(&c->out) > 0)
        return FLOW_WANT_ROOM;
    return enter(c, CAT_REPORTING);
}

static void warn(struct cat *c, const char *what, const char *words,
                 uint64_t number)
{
    char bytes[96];
    struct text t;

    text_init(&t, bytes, sizeof bytes);
    text_str(&t, words);
    text_u64(&t, number);
    c->note = (struct cat_note){.thing = url_of(c), .warning = true};
    c->note.fault.what = what;
    fault_words(&c->note.fault, text_view(&t));
    c->noted = true;
}

static void tell_fault(struct cat *c)
{
    if (c->fault.error == ERROR_NONE)
        return;
    c->note = (struct cat_note){.thing = url_of(c), .fault = c->fault};
    c->exit_code = exit_worse(c->exit_code, fault_exit(c->fault.error));
    c->noted = true;
}

/* A message that does not end is lost data, if nothing else was found. */
static void tell_broken(struct cat *c)
{
    if (c->record.broken_line == 0 || c->fault.error != ERROR_NONE)
        return;
    fault_set(&c->fault, ERROR_CORRUPT,
              "a record's message is not whole; its line",
              (int64_t)c->record.broken_line);
    tell_fault(c);
}

static void tell_trailing(struct cat *c)
{
    const struct inflate *z = &c->inflate;

    if (z->trailing)
        warn(c, z->trailing_zeros
             ? "zeros behind the data were left out"
             : "bytes that are not compressed data were left out",
             "from byte ", z->trailing_offset);
}

static void tell_foreign(struct cat *c)
{
    if (c->record.foreign_line != 0)
        warn(c, "lines that are no record of firn's are printed as they are",
             "the first is line ", c->record.foreign_line);
}

/* Whether it makes no sense to ask S3 for anything else. */
static bool is_hopeless(enum error error)
{
    return error == ERROR_NETWORK || error == ERROR_THROTTLED ||
           error == ERROR_STOPPED;
}

static enum flow on_reporting(struct cat *c)
{
    switch (c->reported++) {
    case 0: tell_fault(c);    return FLOW_MOVED;
    case 1: tell_broken(c);   return FLOW_MOVED;
    case 2: tell_trailing(c); return FLOW_MOVED;
    case 3: tell_foreign(c);  return FLOW_MOVED;
    default: break;
    }
    if (is_hopeless(c->fault.error))
        return enter(c, CAT_DONE);
    c->at++;
    return enter(c, CAT_NEXT);
}

enum flow cat_step(struct cat *c, struct now now)
{
    if (c->noted)
        return FLOW_MOVED;
    switch (c->state) {
    case CAT_NEXT:      return on_next(c);
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
    ring_init(&c->fetched, c->fetched_bytes, sizeof c->fetched_bytes);
    ring_init(&c->raw, c->raw_bytes, sizeof c->raw_bytes);
    ring_init(&c->lines, c->lines_bytes, sizeof c->lines_bytes);
    ring_init(&c->out, c->out_bytes, sizeof c->out_bytes);
    object_init(&c->object, site, &c->fetched, &c->fault);
}
