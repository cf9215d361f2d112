/* verify.h - objects are read back in full and held against their receipts.
 *
 * For each URL in turn: the receipt is read and the object asked for; where
 * key, size and ETag agree, all of that version is read, and CRC-64/NVME,
 * uncompressed bytes and, of ndjson, the records' count, first and last time
 * and digest are held against the receipt. If nothing differs, the receipt is
 * written again with the time it was verified, under the condition that
 * nobody else has written it since; all else in it stays as it is.
 *
 * What differs is told with both numbers, and the next object is looked at;
 * only when S3 cannot be reached any more the rest is left out.
 *
 *     verify_init(v, site, &options);
 *     do {
 *         flow = verify_step(v, now);
 *         ... result = verify_result(v): to stdout, its fault to stderr
 *     } while (flow != FLOW_ENDED);
 *     exit(v->exit_code);
 *
 * The caller owns it; the URLs live as long as it does. It may be left at any
 * time: nothing is written but a whole receipt. */
#ifndef FIRN_TASK_VERIFY_H
#define FIRN_TASK_VERIFY_H

#include "fetch/reading.h"
#include "ship/existing.h"
#include "ship/put.h"
#include "task/spec.h"

struct verify_options {
    const char *const *urls;  /* "s3://BUCKET/KEY" */
    uint32_t    url_count;
    struct view sse, sse_kms_key_id;  /* of the receipt; may be empty */
};

/* What became of one object. */
struct verify_result {
    struct view  url;
    struct object_name name;
    const struct receipt *receipt;  /* NULL: none that can be read */
    struct fault fault;             /* ERROR_NONE: it is verified ... */
    const char  *reason;            /* ... and what could not be; or "" */
};

struct verify {
    int      exit_code;       /* public: the worst so far; final at the end */
    uint32_t at;              /* public: the URL in hand */
    struct reading  reading;  /* public: how far it is */
    struct existing existing; /* public: receipt, if has_receipt */

    enum verify_state {
        VERIFY_NEXT,          /* the next URL, if there is one */
        VERIFY_EXISTING,      /* waits for receipt and object's head */
        VERIFY_READING,       /* waits for the stages */
        VERIFY_WRITING,       /* waits for S3 to confirm the receipt */
        VERIFY_TELLING,       /* waits for the result to be taken */
        VERIFY_DONE,          /* final */
    } state;                  /* public */
    struct verify_options options;
    struct site     *site;
    struct object_name name;
    bool             taken;   /* the result was */
    struct verify_result result;
    struct fault     fault;   /* of the object in hand */
    struct put       put;
    struct target    target;
    struct view      text;    /* the receipt, as it is written again */
    struct body      body;
    char receipt_key[SPEC_KEY_BYTES];
    uint8_t room[EXISTING_ROOM_BYTES];
};

void verify_init(struct verify *v, struct site *site,
                 const struct verify_options *options);
/* FLOW_WANT_EVENT: the network must act. It does not move while a result
 * waits. Never FLOW_FAILED. */
enum flow verify_step(struct verify *v, struct now now);
/* Takes the result that waits; NULL if none does. Valid until the next step. */
const struct verify_result *verify_result(struct verify *v);
/* When to step again without an event; INT64_MAX: no need. */
int64_t verify_wake_ms(const struct verify *v);

#endif
