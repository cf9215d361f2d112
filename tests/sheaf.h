/* sheaf.h - objects below a prefix, and what a merge of them has to hold.
 *
 * They are made by chance, of sizes about the limits: gzip of some members,
 * zstd, plain; records whose lines go over the border of two objects; a last
 * newline that is missing; an object that is empty, or damaged. Beside them
 * lies what a merge leaves out. One of them may change later. */
#ifndef FIRN_TESTS_SHEAF_H
#define FIRN_TESTS_SHEAF_H

#include "base/chance.h"
#include "judge.h"

enum { SHEAF_OBJECTS = 40, SHEAF_KEY_BYTES = 64 };

struct sheaf_object {
    char          key[SHEAF_KEY_BYTES];
    enum compress form;
    bool          fresh;           /* not what it was at first */
    struct aws_buf raw, stored;
};

struct sheaf {                     /* allocates; zeroed at first */
    struct sheaf_object object[SHEAF_OBJECTS];
    uint32_t    count;
    bool        more;              /* set before: sorted, or deleted after */
    bool        sudden;            /* put in the second of the list: nobody
                                      can tell whether before or after */
    char        bucket[16];
    bool        filtered;          /* only a window's records are wanted */
    bool        composes;          /* they may be put end to end */
    bool        crosses;           /* records go over borders */
    bool        ragged;            /* last newlines are missing */
    bool        rubbish;           /* stands behind some members */
    bool        several;           /* forms */
    bool        decoys;            /* lie beside them */
    bool        named;             /* the keys tell the form */
    enum compress form;
    enum sheaf_lines { SHEAF_WORDS, SHEAF_TEXT, SHEAF_NDJSON } lines;
    bool        damaged;           /* one of them ... */
    bool        noticed;           /* ... which must be */
    uint32_t    line;              /* numbers them */
    int64_t     now_ms;            /* of AWS, when one was put last */
};

/* And completes the spec: what is merged, into what, of which window. */
void sheaf_choose(struct sheaf *s, struct spec *spec, struct chance *c);
/* Into its bucket, which is made if it has to be. */
void sheaf_put(struct sheaf *s, struct aws *m, int64_t now_ms);
/* One of them is replaced, is gone, or is new. */
void sheaf_change(struct sheaf *s, struct chance *c, struct aws *m,
                  int64_t now_ms);
/* What the object has to hold, instead of a group's events. */
void sheaf_read(const struct sheaf *s, const struct spec *spec,
                struct day *d);
/* Whether the object is one of them, or lies beside them. */
bool sheaf_holds(const struct sheaf *s, const struct aws_object_info *info);
/* How many are not as they were put. */
struct sheaf_left {
    uint32_t gone, touched;
    bool     fresh_gone;           /* one of them is not what it was at first */
};
struct sheaf_left sheaf_left(const struct sheaf *s, struct aws *m);

#endif
