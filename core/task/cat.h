/* cat.h - the records of archived objects, as lines on stdout.
 *
 *   object (GETs) -> inflate -> record -> [escape] -> out
 *
 * The objects are read one after the other, whole, in the order given. What
 * is wrong with one is told by a note and does not keep the next from being
 * read; what was good of a damaged one comes out before the note. Only when
 * S3 cannot be reached any more the rest is left out.
 *
 *     cat_init(c, site, &options);
 *     do {
 *         flow = cat_step(c, now);
 *         ... write ring_peek(&c->out) to stdout, consume what was taken
 *         ... note = cat_note(c): to stderr, message_fault() or a warning
 *     } while (flow != FLOW_ENDED);
 *     exit(c->exit_code);
 *
 * The caller owns it; the URLs live as long as it does. */
#ifndef FIRN_TASK_CAT_H
#define FIRN_TASK_CAT_H

#include "fetch/inflate.h"
#include "fetch/object.h"
#include "fetch/record.h"
#include "task/escape.h"

enum { CAT_LINES_BYTES = 4096 };  /* between record and escape */

struct cat_options {
    const char *const *urls;  /* "s3://BUCKET/KEY" */
    uint32_t url_count;
    bool     json;            /* --output json: records, not lines */
    bool     escape;          /* stdout is a terminal */
};

struct cat_note {
    struct view  thing;    /* the URL */
    struct fault fault;    /* of a warning only `what` and `words` */
    bool         warning;
};

struct cat {
    struct ring out;       /* public: what is to be written to stdout */
    int         exit_code; /* public: the worst so far; final at the end */

    struct cat_options options;
    enum cat_state {
        CAT_NEXT,          /* the next URL, if there is one */
        CAT_READING,       /* waits for the stages */
        CAT_DRAINING,      /* waits for stdout to take the rest */
        CAT_REPORTING,     /* waits for its notes to be taken */
        CAT_DONE,          /* final */
    } state;
    uint32_t         at;        /* the URL in hand */
    uint32_t         reported;  /* kinds of notes looked at */
    bool             noted;     /* `note` waits to be taken */
    struct cat_note  note;
    struct fault     fault;     /* of the object in hand */
    struct stage_row row;
    struct object    object;
    struct inflate   inflate;
    struct record    record;
    struct escape    escape;
    struct ring      fetched, raw, lines;
    struct inflate_workspace workspace;
    uint8_t fetched_bytes[CFG_LANE_RING_BYTES];
    uint8_t raw_bytes[CFG_LANE_RING_BYTES];
    uint8_t lines_bytes[CAT_LINES_BYTES];
    uint8_t out_bytes[CFG_LANE_RING_BYTES];
};

void cat_init(struct cat *c, struct site *site,
              const struct cat_options *options);
/* FLOW_WANT_ROOM: `out` must be written; FLOW_WANT_EVENT: the network must
 * act. It does not move while a note waits. Never FLOW_FAILED. */
enum flow cat_step(struct cat *c, struct now now);
/* Takes the note that waits; NULL if none does. Valid until the next step. */
const struct cat_note *cat_note(struct cat *c);
/* When to step again without an event; INT64_MAX: no need. */
int64_t cat_wake_ms(const struct cat *c);

#endif
