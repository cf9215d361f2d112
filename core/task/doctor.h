/* doctor.h - what would fail, and the cure, before anything is run.
 *
 *   STS: who we are, and what time it is -> each group of the tour: class,
 *   retention, masking, a FilterLogEvents -> its bucket, once: list, get,
 *   uploads, lifecycle, policy; and with `write` a tiny object, conditionally,
 *   twice, and its deletion
 *
 * Each is a line: "ok", "note", "warning", "fail" and what it is about; a
 * failure is in the words that a run would have for it (message.h), which name
 * the cure. Nothing is changed but, with `write`, one object of firn's own
 * names, which is deleted again.
 *
 *     doctor_init(d, &options);
 *     while ((flow = doctor_step(d, now)) != FLOW_ENDED)
 *         ... write text_view(&d->out) to stdout, then text_reset(&d->out) ...
 *     exit(d->exit_code);
 *
 * The caller owns it. */
#ifndef FIRN_TASK_DOCTOR_H
#define FIRN_TASK_DOCTOR_H

#include "call/reply.h"
#include "task/message.h"
#include "task/options.h"
#include "task/tour.h"

enum {
    DOCTOR_LINE_BYTES = 3 * MESSAGE_BYTES,  /* the longest, escaped */
    DOCTOR_ROOM_BYTES = 65536,  /* a policy or a lifecycle, and its tokens */
    DOCTOR_REPLY_BYTES = DOCTOR_ROOM_BYTES / 2,
};

enum doctor_level { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WARNING, DOCTOR_FAIL };

struct doctor_options {
    struct tour_options tour;
    enum output         output;
    bool                write;    /* also what changes something */
};

struct doctor {
    struct text out;       /* public: to be written, then reset */
    int         exit_code; /* public: the worst so far; final at the end */

    struct doctor_options options;
    enum doctor_state {
        DOCTOR_ASKING,     /* waits for STS */
        DOCTOR_TOURING,    /* waits for the next group */
        DOCTOR_READING,    /* waits for a page of it */
        DOCTOR_PROBING,    /* waits for its bucket */
        DOCTOR_DONE,       /* final */
    } state;
    struct site *site;
    struct now   now;      /* of the step under way */
    int64_t      ask_until_ms;  /* then STS is not waited for any more */
    bool         timed;    /* the clock was looked at */
    bool         over;     /* nothing else would come through */
    uint32_t     entry;    /* behind the last that gave a group */
    uint32_t     probe;    /* of the bucket in hand */
    bool         exported; /* its policy was looked at */
    struct view  role;     /* as which ... */
    char         bucket[SPEC_BUCKET_BYTES];  /* ... this was looked at last */
    char         url[SPEC_BUCKET_BYTES + sizeof "s3://"];
    char         key[SPEC_KEY_BYTES];
    char         identity[256];  /* an ARN, or "" */
    struct spec  spec;     /* of the group in hand */
    struct tour  tour;
    struct tour_room tour_room;
    struct ring  ring;
    struct call  call;
    struct reply reply;
    uint8_t      bytes[CFG_LANE_RING_BYTES];
    _Alignas(8) uint8_t room[DOCTOR_ROOM_BYTES];
    char         out_bytes[4 * DOCTOR_LINE_BYTES];
};

void doctor_init(struct doctor *d, const struct doctor_options *options);
/* FLOW_WANT_ROOM: `out` must be written. Never FLOW_FAILED. */
enum flow doctor_step(struct doctor *d, struct now now);
int64_t doctor_wake_ms(const struct doctor *d);

/* For doctor_bucket.c: the one place that writes d->state; a line, of a
 * pattern whose % are replaced by `parts`, or of a failure; another call; is
 * the group in hand read, or exported? And back: its bucket, and the state
 * DOCTOR_PROBING. */
enum flow doctor_enter(struct doctor *d, enum doctor_state next);
void doctor_say(struct doctor *d, enum doctor_level level, struct view thing,
                const char *pattern, const struct view *parts);
void doctor_say_fault(struct doctor *d, struct view thing,
                      const struct fault *fault);
void doctor_begin(struct doctor *d, const struct operation *operation);
bool doctor_reads(const struct doctor *d);
enum flow doctor_begin_bucket(struct doctor *d);
enum flow doctor_bucket(struct doctor *d);

#endif
