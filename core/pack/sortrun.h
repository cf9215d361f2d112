/* sortrun.h - records become sorted runs: the first half of an external sort.
 *
 * Bytes come in order, in slices of any size. A line that begins with a time
 * stamp, in the form of text or of ndjson (fetch/head.h), begins a record; any
 * other line belongs to the record before it, and what stands before the first
 * record of all is one of its own, before every time. Records are gathered
 * whole in the span that is lent, from its beginning on, and where they lie
 * and when they were, from its end on, until the next one does not fit. Then
 * they are sorted by their time, equal ones as they came, and are the slices
 * of one request's body: nothing is moved.
 *
 *     while (bytes are left) {
 *         bytes += sortrun_add(r, bytes);
 *         if (r->full) {  (as after sortrun_end())
 *             ... body = sortrun_sort(r), stored under the run's number ...
 *             sortrun_next(r);
 *         }
 *     }
 *
 * A stored run is a row of records, each behind a head of RUN_HEAD_BYTES: its
 * time (int64_t, milliseconds) and its length (uint32_t), least byte first. A
 * head with the length 0 ends it. So a run is read (tournament.h) without
 * knowing what a record looks like. Where runs begin depends on the bytes and
 * on the span's length alone.
 *
 * ERROR_LIMIT: a record that does not fit into an empty span. */
#ifndef FIRN_PACK_SORTRUN_H
#define FIRN_PACK_SORTRUN_H

#include "base/error.h"
#include "fetch/head.h"

enum { RUN_HEAD_BYTES = 12 };
#define SORTRUN_FRONT INT64_MIN  /* the time of what no record is before */

struct sortrun_head {
    int64_t  at_ms;
    uint32_t len;  /* of the record, without this head; 0: the run ends */
};

/* A whole run, to be sent. */
struct sortrun_sorted {
    const struct view *slices;  /* within the span */
    uint32_t count;
    uint64_t bytes, crc;        /* CRC-64/NVME */
};

void            run_head_write(uint8_t *at, struct sortrun_head head);
struct sortrun_head run_head_read(const uint8_t *at);

struct sortrun {
    bool     full;       /* public: sort, then next */
    uint32_t count;      /* public: whole records */

    struct span   span;  /* private from here on */
    struct fault *fault;
    uint32_t used;       /* bytes of records, with the one that is open */
    uint32_t open_at;    /* where that one's head is */
    int64_t  open_ms;
    bool     open;       /* there is one */
    enum sortrun_line {
        RUN_LINE_HEAD,   /* its first bytes are gathered in `held` */
        RUN_LINE_OWED,   /* they are to be appended */
        RUN_LINE_REST,   /* the rest is appended as it comes */
    } line;
    enum sortrun_form {      /* of the file; ANY: not known yet */
        SORTRUN_ANY, SORTRUN_NDJSON, SORTRUN_TEXT,
    } form;
    uint32_t held_len, owed_at;
    uint8_t  held[HEAD_STAMP_BYTES];
};

/* The span's ends are aligned to 16 bytes. */
void sortrun_init(struct sortrun *r, struct span span, struct fault *fault);
/* Takes a prefix, less than all if it becomes full. False: a fault is set. */
bool sortrun_add(struct sortrun *r, struct view *bytes);
/* A file has ended, with a newline: the next may be of the other form. */
void sortrun_file(struct sortrun *r);
/* There is no more: what is open is whole. As long as that makes it full, it
 * is to be called again, behind sortrun_next(). */
bool sortrun_end(struct sortrun *r);

/* The whole records, sorted; valid until sortrun_next(). */
struct sortrun_sorted sortrun_sort(struct sortrun *r);
void              sortrun_next(struct sortrun *r);

#endif
