/* configure.c - where a configuration comes from. */
#include "command.h"

static bool refuse_file(const char *where, enum file_result result,
                        struct fault *fault)
{
    const char *why[] = {
        [FILE_READ] = "", [FILE_EXPOSED] = "",
        [FILE_MISSING] = "there is no file \"%\"",
        [FILE_UNREADABLE] = "\"%\" cannot be read: no permission, or no "
                            "file",
        [FILE_LONG] = "\"%\" is longer than CFG_CONFIG_BYTES",
    };
    return message_refuse(fault, result == FILE_LONG ? ERROR_LIMIT
                                                     : ERROR_CONFIG,
                          why[result], &(struct view){(const uint8_t *)where,
                                                      view_of(where).len});
}

static bool read_file(struct config *c, const char *where,
                      struct fault *fault)
{
    struct span room = {(uint8_t *)c->text, sizeof c->text};
    bool input = strcmp(where, "-") == 0;
    enum file_result result = input ? posix_read_input(room, &c->len)
                                    : file_read(where, room, &c->len);
    return result == FILE_READ || result == FILE_EXPOSED ||
           refuse_file(input ? "standard input" : where, result, fault);
}

/* All of an object, into the text. */
static bool read_object(struct memory *m, struct view url,
                        struct fault *fault)
{
    struct fetching *f = &m->job.fetching;
    struct config *c = &m->config;
    struct object_name name;
    if (!object_name_parse(url, &name))
        return message_refuse(fault, ERROR_USAGE, "\"%\" is not "
                              "s3://BUCKET/KEY", &url);
    ring_init(&f->ring, f->bytes, sizeof f->bytes);
    object_init(&f->object, &m->runner.site, &f->ring, fault);
    object_open(&f->object, name);
    for (;;) {
        struct now now = posix_now();
        enum flow flow = f->object.stage.step(&f->object.stage, NULL,
                                              &f->ring, now);
        struct view got = ring_peek(&f->ring);
        if (got.len > sizeof c->text - c->len)
            return refuse_file((const char *)url.at, FILE_LONG, fault);
        if (got.len > 0)
            memcpy(c->text + c->len, got.at, got.len);
        c->len += got.len;
        ring_consume(&f->ring, got.len);
        if (flow == FLOW_FAILED || ring_drained(&f->ring))
            return flow != FLOW_FAILED;
        int64_t wake = flow == FLOW_MOVED || got.len > 0
                           ? now.mono_ms : object_wake_ms(&f->object);
        if (runner_wait(&m->runner, wake, now)) {
            fault_set(fault, ERROR_STOPPED, "stopped by a signal", 0);
            return false;
        }
    }
}

/* Where AWS is, if nothing else said so. */
static bool use(struct memory *m, struct fault *fault)
{
    struct runner *r = &m->runner;
    const struct config_settings *s = &m->config.settings;
    r->region = s->region;
    r->rate = s->rate;
    if (r->site.transport == NULL || r->options.region != NULL)
        return true;
    return site_locate(&r->site, s->region, r->options.rate > 0
                           ? r->options.rate : s->rate, fault);
}

/* The text, and what errors call it. */
static bool fetch(struct memory *m, const char *where, struct view *name,
                  struct fault *fault)
{
    struct config *c = &m->config;
    *name = view_of(where);
    c->len = 0;
    if (view_starts(*name, "s3://"))
        return read_object(m, *name, fault);
    if (!view_starts(*name, "{"))
        return read_file(c, where, fault);
    if (name->len > sizeof c->text)
        return refuse_file("FIRN_CONFIG", FILE_LONG, fault);
    memcpy(c->text, where, name->len);
    c->len = name->len;
    *name = view_of("FIRN_CONFIG");
    return true;
}

bool configure(struct memory *m, const char *where, struct fault *fault)
{
    struct span room = {(uint8_t *)&m->job, sizeof m->job};
    bool remote = view_starts(view_of(where), "s3://");
    struct view name;
    if (remote && !runner_begin(&m->runner, room, fault))
        return false;
    return fetch(m, where, &name, fault) &&
           config_read(&m->config, name, room, fault) && use(m, fault) &&
           (remote || runner_begin(&m->runner, room, fault));
}

struct view configured_from(const char *where)
{
    return view_of(view_starts(view_of(where), "s3://") ? where : NULL);
}

/* The one in force waits beside it, as text. */
bool configure_again(struct memory *m, const char *where,
                     struct fault *fault)
{
    struct config *c = &m->config;
    struct span room = {m->job.changing.room, sizeof m->job.changing.room};
    struct text old;
    struct view name;
    text_init(&old, m->job.changing.old, sizeof m->job.changing.old);
    text_put(&old, (struct view){(const uint8_t *)c->text, c->len});
    bool ok = strcmp(where, "-") != 0 ? fetch(m, where, &name, fault)
                                      : message_refuse(
        fault, ERROR_CONFIG, "standard input cannot be read again", NULL);
    if (ok && config_read(c, name, room, fault) && use(m, fault))
        return true;
    memcpy(c->text, old.at, old.len);
    c->len = old.len;
    CHECK(config_read(c, view_of(where), room, &(struct fault){0}));
    return false;
}
