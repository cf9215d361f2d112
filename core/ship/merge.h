/* merge.h - the objects below a prefix become one.
 *
 *   compose  they are put end to end as they are: the larger within S3, the
 *            smaller through here (compose.h); gzip members and zstd frames
 *            one behind the other are whole files (RFC 1952 section 2.2)
 *   stream   they are inflated, and their lines cut into blocks again
 *            (pack/recut.h), which the caller takes
 *   check    the same, but nothing is kept: only counted
 *   plan     only listed, and the requests of composing counted
 *
 * A stream may be put in order of time first (ship/order.h).
 *
 * Composing does not look into what it copies. Of what it streams, the first
 * MERGE_PROBE_BYTES are inflated on the way: a file that is damaged is refused,
 * and if a last line has no newline, or rubbish stands behind a member, so that
 * the files cannot simply be put end to end, or their forms differ, then
 * `unfit` is set, and the caller begins again as a stream.
 *
 * Plain objects are looked at to their last byte, and get the newline.
 * Names: a key that ends in .gz or .zst must be that, else ERROR_CORRUPT. */
#ifndef FIRN_SHIP_MERGE_H
#define FIRN_SHIP_MERGE_H

#include "pack/recut.h"
#include "ship/compose.h"
#include "ship/journal.h"
#include "ship/order.h"
#include "ship/sources.h"
#include "ship/upload.h"

enum { MERGE_PROBE_BYTES = 16 << 20 };  /* inflated while composing */

enum merge_mode { MERGE_COMPOSE, MERGE_STREAM, MERGE_CHECK, MERGE_PLAN };

struct merge {
    struct fault    fault;    /* public at FLOW_FAILED */
    char            about[CATALOG_KEY_BYTES];  /* public: its key, or "" */
    const char     *unfit;    /* public: why it cannot be composed; or NULL */
    enum inflate_form form;   /* public: of all objects; ANY: not known yet */
    bool            mixed;    /* public: they are of several */
    bool            unseen;   /* public: some were put end to end without being
                                 inflated; or an earlier run may have */
    struct sources  sources;  /* public: count, bytes, skipped, differs */
    struct recut    recut;    /* public: block, census, what it noted */
    struct compose  compose;  /* public: the requests ... */
    uint64_t        peeks;    /* public: ... and GETs for a few bytes besides */
    uint64_t        raw_guess;  /* public: bytes of lines in them, if what is
                                 compressed is a tenth of them */

    enum merge_mode mode;
    struct upload  *upload;
    struct journal *journal;
    bool            begun;    /* the head is under way ... */
    bool            looked;   /* ... and its form known */
    bool            probing;  /* ... and is inflated */
    int32_t         last;     /* its last byte; -1: not known */
    uint64_t        resume;   /* bytes of the first that are done already */
    uint64_t        probed;
    struct checkpoint_mark mark;  /* of the block that is open */
    bool            ordered;
    struct span     last_memory;  /* of the last merge */
    struct order    order;    /* public: how far it has come */
};

/* What is merged into what. */
struct merge_names {
    struct object_name from;  /* bucket and prefix */
    struct object_name own;   /* what is written */
};

/* Straight after, any of the functions below; the names outlive it. */
void merge_init(struct merge *m, struct site *site,
                const struct merge_names *names);
/* Then one of these. `form` is what the objects must be to be put end to end;
 * ANY: all the same. The journal is told where each part ends. */
void merge_compose(struct merge *m, struct upload *u, struct journal *j,
                   enum inflate_form form);
/* `shared` as recut_init(); NULL: check only. `want` may be NULL. */
void merge_stream(struct merge *m, struct lane_shared *shared,
                  const struct choose_want *want);
/* After merge_stream(): in order of time. `last` is lent from when the setup's
 * memory, of which it may be a part, is free again. */
void merge_order(struct merge *m, const struct order_setup *setup,
                 struct span last);
void merge_plan(struct merge *m);
/* And, if an earlier run came so far, the mark it left. */
void merge_resume(struct merge *m, const struct checkpoint_mark *mark);

/* FLOW_ENDED: all objects are done. FLOW_WANT_ROOM: m->recut.block waits, then
 * merge_take(). When m->unfit or m->sources.differs is set, nothing more can
 * be made of it. */
enum flow merge_step(struct merge *m, struct now now);
/* Notes the block's place in the journal, after journal_add(). */
void merge_note(const struct merge *m, struct journal *j);
void merge_take(struct merge *m);
int64_t merge_wake_ms(const struct merge *m);
void merge_cancel(struct merge *m);

/* What a key's ending promises: ".gz", ".zst"; else ANY. */
enum inflate_form merge_form(struct view key);

#endif
