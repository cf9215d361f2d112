/* elements.h - the elements of an XML reply, one after the other, as it
 * comes.
 *
 * For replies of any length in fixed memory: ListParts, ListObjectsV2, a
 * Complete that sends white space for minutes (base/xml.h is for small replies
 * whole in memory). Reads the ring in place and stops at each element's end:
 *
 *     while ((event = elements_next(e)) == ELEMENTS_END_TAG)
 *         if (elements_at(e, "ListPartsResult/Part/ETag"))
 *             ... e->value ...
 *
 * Paths are made of local names; attributes, namespaces, comments and
 * processing instructions are skipped. The five entities and character
 * references are decoded; any other entity, a DOCTYPE, CDATA, text that does
 * not nest and a reply cut short are ELEMENTS_BAD: nothing is declared, opened
 * or expanded. No event depends on how the bytes were sliced. */
#ifndef FIRN_SHIP_ELEMENTS_H
#define FIRN_SHIP_ELEMENTS_H

#include "base/ring.h"

enum {
    ELEMENTS_PATH_BYTES  = 160,
    ELEMENTS_VALUE_BYTES = 3 * 1024 + 1,  /* a key, percent-encoded */
    ELEMENTS_DEPTH       = 12,
};

enum elements_event {
    ELEMENTS_MORE,     /* the ring is empty; come again */
    ELEMENTS_END_TAG,  /* path and value tell which element ended */
    ELEMENTS_END,      /* the document is whole, the ring drained; final */
    ELEMENTS_BAD,      /* it is not well formed, or cut; final */
};

struct elements {
    struct ring *in;
    struct text  path;    /* public: "ListPartsResult/Part/ETag" */
    struct text  value;   /* public: its text, if it has no element inside;
                             value.overflow: too long, and cut */
    uint8_t      state, after;     /* private from here on */
    uint8_t      quote;
    uint8_t      dashes;
    bool         pop;              /* the element reported has to go */
    bool         differs;          /* an end tag's name, from the path's */
    uint16_t     matched;
    uint16_t     depth;
    uint16_t     name_from[ELEMENTS_DEPTH];  /* into path */
    struct text  entity;
    char         path_bytes[ELEMENTS_PATH_BYTES];
    char         value_bytes[ELEMENTS_VALUE_BYTES];
    char         entity_bytes[12];
};

/* The ring outlives it. Init again for another reply. */
void elements_init(struct elements *e, struct ring *in);
enum elements_event elements_next(struct elements *e);
/* Whether the element that just ended is at that path. */
bool elements_at(const struct elements *e, const char *path);

/* Appends text as XML character data, its special characters as entities. */
void elements_escape(struct text *t, struct view v);

#endif
