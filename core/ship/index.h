/* index.h - where in an archive which time is: an entry a run of blocks.
 *
 * A fixed number of entries for an archive of any length: when they are all
 * in use, neighbours are joined two by two and an entry stands for twice as
 * many blocks from then on. What an index holds depends on the sequence of
 * blocks alone. In the receipt it is an array of arrays of five numbers. */
#ifndef FIRN_SHIP_INDEX_H
#define FIRN_SHIP_INDEX_H

#include "base/limits.h"
#include "base/text.h"

struct index_entry {
    uint64_t offset;       /* of its first byte in the object */
    uint64_t raw_offset;   /* of the same byte, uncompressed */
    int64_t  least_ms;     /* least timestamp in it */
    int64_t  greatest_ms;
    uint64_t events;       /* that begin in it */
};

struct index {
    struct index_entry entries[CFG_INDEX_BLOCKS];
    uint32_t count;
    uint32_t stride;       /* blocks an entry stands for */
    uint32_t in_last;      /* blocks the last entry stands for so far */
};

enum {
    INDEX_ENTRY_BYTES = 108,      /* written, at most */
    INDEX_STRIDE_MOST = 1 << 24,  /* a read one's: S3's largest object has
                                     fewer blocks, and it can be halved */
};

void index_init(struct index *x);
/* A block's entry; offsets grow from block to block. */
void index_add(struct index *x, const struct index_entry *block);
/* Appends it as JSON: [[offset,raw offset,least,greatest,events],...] */
void index_write(struct text *t, const struct index *x);
/* Makes room: neighbours are joined, as when it is full. */
void index_halve(struct index *x);

/* The first blocks of an archive: what is known of an index that has gone on
 * since. */
struct index_head {
    uint64_t blocks, events;
    int64_t  greatest_ms;   /* of them all */
};
/* As index_write(), of the first blocks alone. */
void index_write_head(struct text *t, const struct index *x,
                      const struct index_head *head);
/* The stride with which index_write_head() wrote is x's. False: it is not an
 * index of so many blocks, or of more than an object can have. */
bool index_read(struct index *x, struct view json, uint64_t blocks,
                uint64_t stride);

/* Reads that again, one entry after the other, in place. */
struct index_cursor {
    struct view rest;
    uint64_t    offset, raw_offset;  /* of the last entry */
    bool        begun, ended;
    bool        bad;  /* public: it is not what index_write() writes */
};

void index_open(struct index_cursor *c, struct view json);
/* False at the end, or when it is bad. */
bool index_next(struct index_cursor *c, struct index_entry *entry);

/* Finds the bytes that hold an interval of time: entries that meet it,
 * neighbours in one range. */
struct index_search {
    struct index_cursor cursor;
    int64_t  from_ms, until_ms;  /* half-open */
    uint64_t bytes;              /* where the object ends */
    struct index_entry entry;    /* the next to look at */
    bool     has_entry;
};

/* False if the index is bad, has no entry, or points behind the object. */
bool index_search(struct index_search *s, struct view json, int64_t from_ms,
                  int64_t until_ms, uint64_t bytes);
/* The next range [*from, *to), never empty; false: there is no other. */
bool index_find(struct index_search *s, uint64_t *from, uint64_t *to);

_Static_assert(CFG_INDEX_BLOCKS % 2 == 0 && CFG_INDEX_BLOCKS >= 2,
               "entries are joined two by two");

#endif
