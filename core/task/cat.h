/* cat.h - the records of archived objects, as lines on stdout.
 *
 *   object (GETs) -> inflate -> [choose] -> record -> [escape] -> out
 *
 * The objects are read one after the other, in the order given; each of them
 * whole, unless an interval of time is wanted. Then its receipt says whether
 * it concerns the interval, and which of its bytes do: only those are read, a
 * GET for each run of neighbouring blocks (index_search()), and the records in
 * them chosen by their timestamps. An object without a receipt that agrees
 * with it is read whole, with a note. What lies in the interval but in no
 * window of the receipts is ERROR_CORRUPT (interval.h).
 *
 * What is wrong with one object is told by a note and does not keep the next
 * from being read; what was good of a damaged one comes out before the note.
 * Only when S3 cannot be reached any more the rest is left out.
 *
 *     cat_init(c, site, &options);
 *     do {
 *         flow = cat_step(c, now);
 *         ... write ring_peek(&c->out) to stdout, consume what was taken
 *         ... note = cat_note(c): to stderr, message_fault() or a warning
 *     } while (flow != FLOW_ENDED);
 *     exit(c->exit_code);
 *
 * The caller owns it; the URLs and the prefix live as long as it does. */
#ifndef FIRN_TASK_CAT_H
#define FIRN_TASK_CAT_H

#include "fetch/choose.h"
#include "fetch/inflate.h"
#include "fetch/object.h"
#include "fetch/record.h"
#include "ship/existing.h"
#include "task/escape.h"
#include "task/interval.h"

enum { CAT_LINES_BYTES = 4096 };  /* between two of the later stages */

struct cat_options {
    const char *const *urls;  /* "s3://BUCKET/KEY" */
    uint32_t url_count;
    bool     json;            /* --output json: records, not lines */
    bool     escape;          /* stdout is a terminal */
    struct choose_want want;  /* stream, at most CHOOSE_STREAM_BYTES */
    bool     fed;             /* no URLs yet: they come by cat_feed() */
};

struct cat_note {
    struct view  thing;    /* the URL; empty: the fault is a sentence */
    struct fault fault;    /* of a warning only `what` and `words` */
    bool         warning;
};

struct cat {
    struct ring out;       /* public: what is to be written to stdout */
    int         exit_code; /* public: the worst so far; final at the end */

    struct cat_options options;
    enum cat_state {
        CAT_NEXT,          /* the next URL, if there is one */
        CAT_ASKING,        /* waits for what is known of the object */
        CAT_JUDGING,       /* told what the source before it lacks */
        CAT_CHOOSING,      /* the next range of the object, if there is one */
        CAT_READING,       /* waits for the stages */
        CAT_DRAINING,      /* waits for stdout to take the rest */
        CAT_REPORTING,     /* waits for its notes to be taken */
        CAT_DONE,          /* final */
    } state;
    uint32_t         at;        /* the URL in hand */
    const char      *url;       /* that was fed */
    struct object_name name;    /* of it */
    bool             indexed;   /* read by ranges ... */
    bool             begun;     /* ... otherwise whole, which was begun */
    struct index_search search; /* the ranges */
    struct interval  interval;
    struct existing  existing;
    uint32_t         reported;  /* kinds of notes looked at */
    bool             noted;     /* `note` waits to be taken */
    struct cat_note  note;
    struct fault     fault;     /* of the object in hand */
    struct stage_row row;
    struct object    object;
    struct inflate   inflate;
    struct choose    choose;
    struct record    record;
    struct escape    escape;
    struct ring      fetched, raw, chosen, lines;
    struct inflate_workspace workspace;
    uint8_t fetched_bytes[CFG_LANE_RING_BYTES];
    uint8_t raw_bytes[CFG_LANE_RING_BYTES];
    uint8_t chosen_bytes[CAT_LINES_BYTES];
    uint8_t lines_bytes[CAT_LINES_BYTES];
    uint8_t out_bytes[CFG_LANE_RING_BYTES];
    char    receipt_key[SPEC_KEY_BYTES + 32];
    uint8_t receipt_bytes[EXISTING_ROOM_BYTES];
};

/* At FLOW_WANT_INPUT: the next URL, which lives till then; NULL: that was
 * all. */
void cat_feed(struct cat *c, const char *url);
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
