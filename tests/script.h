/* script.h - a transport that follows a script, for one test program.
 *
 * Each exchange that is started is noted and answered, when script_answer()
 * is called, by the next line of the script. Defines the seams transport.h,
 * files.h and trace.h; files are a table. */
#ifndef FIRN_TESTS_SCRIPT_H
#define FIRN_TESTS_SCRIPT_H

#include <stdlib.h>

#include "base/trace.h"
#include "call/files.h"
#include "call/transport.h"

struct line {
    int32_t     status;   /* 0: the exchange fails instead */
    const char *headers;  /* separated by \n */
    const char *body;
    const char *failure;  /* words of a failure */
};

struct file {
    const char *path, *text;  /* text NULL: unreadable */
};

enum { SCRIPT_ACTIVE = 4, SCRIPT_SEEN = 64 };

struct transport {
    const struct line *lines;  /* ended by one that is all zero */
    struct http_exchange *active[SCRIPT_ACTIVE];
    bool     full;             /* refuses to start anything */
    bool     reused;           /* exchanges are on a used connection */
    bool     sends;            /* the body was sent when it failed */
    bool     lasting;          /* failures are of those that do not pass */
    uint32_t count;            /* started so far */
    char     url[SCRIPT_SEEN][1024];
    char     headers[SCRIPT_SEEN][4096];
    char     body[SCRIPT_SEEN][4096];
};

static const struct file *script_files;
static const char *script_exposed;  /* the path that others can read */

bool transport_start(struct transport *t, struct http_exchange *x)
{
    struct text body;
    uint32_t n = t->count, i = 0;
    while (i < SCRIPT_ACTIVE && t->active[i] != NULL)
        i++;
    if (t->full || i == SCRIPT_ACTIVE)
        return false;
    CHECK(n < SCRIPT_SEEN && x->state == HTTP_IDLE);
    x->state = HTTP_ACTIVE;
    t->active[i] = x;
    t->count++;
    snprintf(t->url[n], sizeof t->url[n], "%s %s",
             http_method_name[x->request.method], x->request.url);
    snprintf(t->headers[n], sizeof t->headers[n], "%s", x->request.headers);
    text_init(&body, t->body[n], sizeof t->body[n]);
    for (uint32_t k = 0; k < x->request.body_count; k++)
        text_put(&body, x->request.body[k]);
    return true;
}

void transport_cancel(struct transport *t, struct http_exchange *x)
{
    for (uint32_t i = 0; i < SCRIPT_ACTIVE; i++)
        if (t->active[i] == x)
            t->active[i] = NULL;
    x->state = HTTP_IDLE;
}

/* Answers what was started first; false if nothing is under way. */
static inline bool script_answer(struct transport *t)
{
    struct http_exchange *x = NULL;
    for (uint32_t i = 0; i < SCRIPT_ACTIVE && x == NULL; i++)
        if (t->active[i] != NULL) {
            x = t->active[i];
            t->active[i] = NULL;
        }
    if (x == NULL)
        return false;
    const struct line *line = t->lines;
    if (line->status == 0 && line->failure == NULL) {
        fprintf(stderr, "  not in the script: %s\n", x->request.url);
        abort();
    }
    t->lines++;
    x->reused = t->reused;
    x->sent = t->sends || line->status != 0 ? x->request.body_bytes : 0;
    if (line->status != 0) {
        char status[32];
        snprintf(status, sizeof status, "HTTP/1.1 %d X\r\n", line->status);
        http_head_line(x, view_of(status));
        struct view rest = view_of(line->headers);
        while (rest.len > 0)
            http_head_line(x, view_split(&rest, '\n'));
        CHECK(http_body(x, view_of(line->body)));
    }
    http_finish(x, line->status != 0 ? 0
                   : t->lasting ? 7 + TRANSPORT_LASTING : 7, line->failure);
    return true;
}

enum file_result file_read(const char *path, struct span room, uint32_t *len)
{
    for (const struct file *f = script_files;
         f != NULL && f->path != NULL; f++) {
        if (strcmp(f->path, path) != 0)
            continue;
        if (f->text == NULL)
            return FILE_UNREADABLE;
        *len = (uint32_t)strlen(f->text);
        if (*len > room.len)
            return FILE_LONG;
        memcpy(room.at, f->text, *len);
        return script_exposed != NULL && strcmp(path, script_exposed) == 0
                   ? FILE_EXPOSED : FILE_READ;
    }
    return FILE_MISSING;
}

void trace_state(const char *machine, const char *from, const char *to)
{
    if (getenv("TRACE") != NULL)
        fprintf(stderr, "  %s: %s -> %s\n", machine, from, to);
}

#endif
