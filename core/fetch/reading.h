/* reading.h - one object is read in full: summed, inflated and counted.
 *
 *   object (GETs) -> inflate, its input summed -> census
 *
 * The CRC is of the bytes that inflate takes, as it takes them: no second
 * pass, no second buffer. What it finds is held against a receipt, or becomes
 * one, by others.
 *
 *     reading_init(r, site, &fault);
 *     reading_open(r, &what);
 *     while ((flow = reading_step(r, now)) != FLOW_ENDED) ...
 *
 * The caller owns it and the fault; before it is opened, and once it has
 * ended, the workspace and the call of `object` are free for other things. */
#ifndef FIRN_FETCH_READING_H
#define FIRN_FETCH_READING_H

#include "fetch/census.h"
#include "fetch/inflate.h"
#include "fetch/object.h"

/* A stage's input is summed as it is taken. */
struct summed {
    struct stage  stage;
    struct stage *inner;
    uint64_t      crc;       /* CRC-64/NVME */
};

struct reading_want {
    struct object_name name;
    struct view       etag;  /* of the version to be read, with its quotes */
    enum inflate_form form;
    enum census_form  records;
    int64_t from_ms, until_ms;  /* to be tallied; equal: all */
};

struct reading {
    struct object  object;   /* public: next, total */
    struct summed  summed;   /* public: crc */
    struct inflate inflate;  /* public: all that inflate.h says */
    struct census  census;   /* public: all that census.h says */

    struct fault    *fault;
    struct stage_row row;
    struct ring      fetched, raw;
    struct inflate_workspace workspace;
    uint8_t fetched_bytes[CFG_LANE_RING_BYTES];
    uint8_t raw_bytes[CFG_LANE_RING_BYTES];
};

/* The form that a key's ending promises: ".gz", ".zst"; INFLATE_ANY. */
enum inflate_form reading_form(struct view key);

void reading_init(struct reading *r, struct site *site, struct fault *fault);
void reading_open(struct reading *r, const struct reading_want *want);
/* FLOW_FAILED: the fault says why, and for damage at which byte. */
enum flow reading_step(struct reading *r, struct now now);
/* When nobody wants the rest. */
void reading_cancel(struct reading *r);
int64_t reading_wake_ms(const struct reading *r);

#endif
