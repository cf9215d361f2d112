/* adopt.h - an object that something else made becomes a day of ours.
 *
 *   the group is asked for (account, region), and what is under the key
 *   all of the object is read: object -> inflate -> census
 *   its receipt is written, state "imported", under the condition that nobody
 *   else has written one meanwhile; the object itself stays as it is
 *
 * Records begin as head.h says. `events`, their times and the digest in the
 * receipt are of the window's records; how many lie outside, and how many
 * lines belong to no record, `reason` says. `settled` is not known; recount.h
 * compares with what CloudWatch has. The reading counts as the first
 * verification. `via` is "import", so long as the receipt lives.
 *
 *   ERROR_CORRUPT  damaged or cut, at which byte; not what its key promises;
 *                  not what S3's checksum says; no record in it
 *   ERROR_CONFIG   no such group or object; another receipt is there; none of
 *                  its records is in the window
 *
 * The caller owns it; the spec, with a whole key, lives as long. It may be
 * left at any time: nothing is written but a whole receipt. */
#ifndef FIRN_TASK_ADOPT_H
#define FIRN_TASK_ADOPT_H

#include "fetch/group.h"
#include "fetch/reading.h"
#include "ship/existing.h"
#include "ship/put.h"
#include "task/spec.h"

enum { ADOPT_REASON_BYTES = 128 };  /* as long as an archive's */

struct adopt_result {
    const char *action;  /* "adopted", "skipped", "would adopt" */
    const char *state;   /* of the receipt; NULL: there is none */
    uint64_t    events, bytes_raw;  /* if `counted` */
    bool        counted;
    char reason[ADOPT_REASON_BYTES];  /* the receipt's, escaped */
};

struct adopt {
    struct adopt_result result; /* public at FLOW_ENDED */
    struct fault    fault;      /* public at FLOW_FAILED */
    struct reading  reading;    /* public: how far it is */
    struct existing existing;   /* public: bytes, once it is read */
    enum adopt_state {
        ADOPT_GROUP,            /* waits for what the group is */
        ADOPT_EXISTING,         /* waits for receipt and object's head */
        ADOPT_READING,          /* waits for the stages */
        ADOPT_WRITING,          /* waits for S3 to confirm the receipt */
        ADOPT_DONE,             /* final */
        ADOPT_FAILED,           /* final; the fault says why */
    } state;                    /* public */

    const struct spec *spec;
    struct site   *site;
    struct group   group;
    struct receipt receipt;
    struct index   index;
    struct put     put;
    struct target  target;
    struct view    text;
    struct body    body;
    char reason[ADOPT_REASON_BYTES];
    char receipt_key[SPEC_KEY_BYTES];
    uint8_t room[EXISTING_ROOM_BYTES];
};

void adopt_init(struct adopt *a, struct site *site, const struct spec *spec);
enum flow adopt_step(struct adopt *a, struct now now);
/* When to step again without an event; INT64_MAX: no need. */
int64_t adopt_wake_ms(const struct adopt *a);

#endif
