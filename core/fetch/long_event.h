/* long_event.h - the event whose message is longer than there is room for.
 *
 * It is read at least twice: first for what stands behind its message, then
 * for the message, in pieces; what an earlier reading gave is dropped from the
 * next, and must be the same. logs.h tells when. */
#ifndef FIRN_FETCH_LONG_EVENT_H
#define FIRN_FETCH_LONG_EVENT_H

#include "fetch/frame.h"

enum { LONG_EVENT_HEAD_BYTES = 4096 };  /* by which it is known again */

/* Where it stands among others. */
struct long_event_place {
    uint64_t previous;     /* seen_hash() of the event before */
    uint64_t head;         /* hash of the message's beginning */
};

/* All public: logs.c steers it. */
struct long_event {
    bool     learned;      /* header known, message wanted */
    bool     matched;      /* it is being read now */
    struct long_event_place place, passed;  /* its own; that of one passed
                                               over */
    uint32_t lessons;      /* readings that were for its header */
    uint64_t id;           /* seen_hash() of the event */
    uint64_t position;     /* message bytes passed, in this reading */
    uint64_t emitted;      /* message bytes given, in all */
    uint32_t crc, crc_again;  /* of what was given; of this reading */
    int64_t  timestamp_ms, ingestion_ms;
    uint32_t stream_len, id_len;
    uint8_t  stream[CFG_STREAM_BYTES], event_id[FRAME_ID_BYTES];
};

void long_event_reset(struct long_event *g);
/* Its header, of which `hash` is seen_hash(). */
void long_event_learn(struct long_event *g, const struct log_event *e,
                      uint64_t hash);
struct log_event long_event_header(const struct long_event *g);
/* `out` begins like one that comes behind `previous`: it is noted as passed.
 * Whether it is the one that was learned. */
bool long_event_is_at(struct long_event *g, uint64_t previous,
                      struct span out);
/* Its message is read from its first byte on. */
void long_event_match(struct long_event *g);
/* The next `len` bytes of the message: of these *fresh are new, and moved to
 * the front. False: what was given before was another message. */
bool long_event_take(struct long_event *g, struct span out, uint32_t len,
                     uint32_t *fresh);

#endif
