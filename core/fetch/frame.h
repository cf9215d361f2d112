/* frame.h - cuts a reply of FilterLogEvents into events, in one pass.
 *
 * The reply is {"events":[{...},...],"nextToken":"..."}, members in any
 * order, of any size and depth. A frame keeps the few small members of one
 * event; the message goes straight to where its line is being made, already
 * in the form it is stored in (decode.h), so that each byte is looked at
 * once. An event's members may be missing, null, doubled (the last counts) or
 * unknown; one without a timestamp is ERROR_REMOTE, and a stream name, event
 * id or token longer than its buffer is ERROR_LIMIT. A reply that has a
 * "__type" is an error in disguise. Depth costs nothing: what is not wanted is
 * skipped by counting. */
#ifndef FIRN_FETCH_FRAME_H
#define FIRN_FETCH_FRAME_H

#include "base/error.h"
#include "base/limits.h"
#include "base/ring.h"
#include "fetch/decode.h"

enum { FRAME_KEY_BYTES = 32, FRAME_ID_BYTES = 128 };

/* One event, as CloudWatch Logs describes it. The views point into the frame
 * and are valid until it is stepped again. */
struct log_event {
    int64_t     timestamp_ms;
    int64_t     ingestion_ms;  /* 0: absent */
    struct view stream;        /* in the frame's form, as messages are */
    struct view id;            /* decoded; empty: absent */
};

enum frame_got {
    FRAME_MORE,   /* wants more input */
    FRAME_ROOM,   /* wants more room for the message */
    FRAME_EVENT,  /* `event` is whole, its message is in `out` */
    FRAME_END,    /* the reply is whole; next_token is set or empty */
    FRAME_BAD,    /* not such a reply; fault says why */
};

struct frame {
    struct log_event event;        /* public at FRAME_EVENT */
    uint32_t         message_len;  /* public: bytes of it in `out` so far */
    struct view      next_token;   /* public at FRAME_END */
    struct fault     fault;        /* public at FRAME_BAD */

    enum decode_form form;
    struct decode    decode;
    uint64_t         offset;       /* bytes of the reply consumed */
    uint64_t         number;
    uint32_t         depth;        /* of a value that is skipped; of a byte
                                      order mark seen */
    uint32_t         key_len, stream_len, id_len, token_len;
    uint8_t          state, member, expected;
    bool             in_event, has_timestamp, negative, has_digit;
    bool             spilled;      /* some of the message was taken */
    bool             escaped;      /* in a skipped string: after a backslash;
                                      in a key: longer than its buffer */
    uint8_t          key[FRAME_KEY_BYTES + DECODE_UNIT_BYTES];
    uint8_t          id[FRAME_ID_BYTES + DECODE_UNIT_BYTES];
    uint8_t          stream[CFG_STREAM_BYTES + DECODE_UNIT_BYTES];
    uint8_t          token[CFG_TOKEN_BYTES + DECODE_UNIT_BYTES];
};

/* For a new reply. */
void frame_init(struct frame *f, enum decode_form form);

/* Reads from `in` until something is to be told. The message is written to
 * `out`, from message_len on; at FRAME_ROOM give a larger `out` that begins
 * with the same bytes, or take the bytes and set message_len to 0. */
enum frame_got frame_step(struct frame *f, struct ring *in, struct span out);

#endif
