/* tidy.c - see tidy.h. */
#include "ship/tidy.h"

#include "base/trace.h"

enum { PROBE_BYTES = 27, NUMBER_DIGITS = 6 };  /* of AWS's making */

static const char *const state_name[] = {"files", "probe", "last", "done",
                                         "failed"};

static enum flow enter(struct tidy *t, enum tidy_state next)
{
    CHECK(t->state < TIDY_DONE);
    trace_state("tidy", state_name[t->state], state_name[next]);
    t->state = next;
    return next == TIDY_DONE     ? FLOW_ENDED
           : next == TIDY_FAILED ? FLOW_FAILED
                                 : FLOW_MOVED;
}

static enum flow fail(struct tidy *t, const struct fault *fault)
{
    fault_adopt(&t->fault, fault);
    call_cancel(&t->catalog.call);
    call_cancel(t->remove.call);
    return enter(t, TIDY_FAILED);
}

/* "STREAM/000000.gz"; of more than a million files a number has more. */
static bool is_file(struct view name)
{
    struct view folder = view_split(&name, '/');
    uint32_t digits = 0;


    while (digits < name.len && name.at[digits] >= '0' &&
           name.at[digits] <= '9')
        digits++;
    return folder.len > 0 && digits >= NUMBER_DIGITS &&
           view_is(view_slice(name, digits, name.len), ".gz");
}

static bool is_exports(const struct tidy *t)
{
    const struct catalog_entry *e = &t->catalog.entry;
    struct view key = text_view(&e->key);

    if (t->state == TIDY_PROBE)
        return view_equal(key, t->want.probe) && e->bytes == PROBE_BYTES;
    struct view name = view_slice(key, t->want.files.len, key.len);
    if (t->want.wide)
        (void)view_split(&name, '/');
    return is_file(name);
}

/* An object is listed. */
static enum flow on_entry(struct tidy *t, struct now now)
{
    const struct catalog_entry *e = &t->catalog.entry;
    enum flow flow;

    if (e->etag[0] == '\0' || !is_exports(t)) {
        t->foreign++;
        catalog_take(&t->catalog);
        return FLOW_MOVED;
    }
    if (remove_add(&t->remove, text_view(&e->key), view_of(e->etag))) {
        catalog_take(&t->catalog);
        return FLOW_MOVED;
    }
    flow = remove_step(&t->remove, now);
    return flow == FLOW_FAILED ? fail(t, &t->remove.fault) : flow;
}

static enum flow on_listing(struct tidy *t, struct now now)
{
    enum flow flow = catalog_step(&t->catalog, now);

    if (flow == FLOW_FAILED)
        return fail(t, &t->catalog.fault);
    if (flow == FLOW_WANT_ROOM)
        return on_entry(t, now);
    if (flow != FLOW_ENDED)
        return flow;
    if (t->state == TIDY_FILES) {
        catalog_init(&t->catalog, t->site, t->want.bucket, t->want.probe);
        return enter(t, TIDY_PROBE);
    }
    remove_end(&t->remove);
    return enter(t, TIDY_LAST);
}

static enum flow on_last(struct tidy *t, struct now now)
{
    enum flow flow = remove_step(&t->remove, now);

    if (flow == FLOW_FAILED)
        return fail(t, &t->remove.fault);
    return flow == FLOW_ENDED ? enter(t, TIDY_DONE) : flow;
}

enum flow tidy_step(struct tidy *t, struct now now)
{
    switch (t->state) {
    case TIDY_FILES:
    case TIDY_PROBE:  return on_listing(t, now);
    case TIDY_LAST:   return on_last(t, now);
    case TIDY_DONE:   return FLOW_ENDED;
    case TIDY_FAILED: break;
    }
    return FLOW_FAILED;
}

int64_t tidy_wake_ms(const struct tidy *t)
{
    int64_t lists = catalog_wake_ms(&t->catalog);
    int64_t removes = remove_wake_ms(&t->remove);
    return lists < removes ? lists : removes;
}

void tidy_init(struct tidy *t, struct site *site, struct call *call,
               const struct tidy_want *want)
{
    CHECK(view_ends(want->files, "/"));
    t->foreign = 0;
    fault_reset(&t->fault);
    t->state = TIDY_FILES;
    t->want = *want;
    t->site = site;
    remove_init(&t->remove, call, want->bucket, want->room);
    catalog_init(&t->catalog, site, want->bucket, want->files);
}
