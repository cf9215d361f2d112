/* lease.h - who works on a day: the checkpoint's object, held by conditional
 * writes (contract, "The lease").
 *
 *     lease_look()   what is there; the bytes are checkpoint.h's
 *     lease_take()   watches another's for one period, CFG_LEASE_MS, if it is
 *                    not known to be dead; then writes ours in its place
 *     lease_write()  renews it, by a new checkpoint, well before the period
 *                    ends: when lease_is_due()
 *     lease_drop()   deletes it, if it is still ours
 *
 * A lease is dead when it was not renewed for a period: by S3's clock, Date
 * less Last-Modified of one reply (both count whole seconds), or because we
 * saw no other version for so long. Whoever takes it over writes If-Match the
 * version seen, so that of two only one succeeds, and the holder that wakes up
 * fails at its next write: LEASE_LOST.
 *
 * A write whose answer was lost, and that then meets its own success, is
 * settled by HEAD: our size and our checksum. A store that tells no checksum
 * leaves it in doubt, and doubt is a lease lost. A store that ignores
 * conditions is found out by a write that must fail, once a run. */
#ifndef FIRN_SHIP_LEASE_H
#define FIRN_SHIP_LEASE_H

#include "ship/target.h"

enum {
    LEASE_RENEW_MS = CFG_LEASE_MS * 3 / 10,
    LEASE_NEWS_MS  = CFG_LEASE_MS / 20,  /* between two writes, for thrift */
    LEASE_WATCH_MS = CFG_LEASE_MS / 4,   /* between two looks */
    LEASE_CLOCK_MS = 2000,               /* whole seconds, twice */
    LEASE_TRIES    = 3,                  /* of a write refused by a race that
                                            nobody has won */
};

struct lease {
    enum lease_state {
        LEASE_FREE,      /* not held by us */
        LEASE_LOOKING,   /* waits for what is there */
        LEASE_SEEN,      /* it is known what is there */
        LEASE_WATCHING,  /* waits for another version, or for time to pass */
        LEASE_WRITING,   /* waits for the answer to PutObject */
        LEASE_SETTLING,  /* waits for HEAD: was that write ours? */
        LEASE_TESTING,   /* waits for a write to be refused */
        LEASE_HELD,      /* ours */
        LEASE_DROPPING,  /* waits for the answer to DeleteObject */
        LEASE_LOST,      /* final: another run has it */
        LEASE_FAILED,    /* final; fault says why */
    } state;             /* public */
    struct fault fault;     /* public at LEASE_FAILED */
    bool     there;         /* public, once seen: somebody's */
    int64_t  age_ms;        /* public, once seen: since it was renewed */
    bool     released;      /* public, set by the caller once seen: its text
                               says that nobody holds it */
    struct view text;       /* public, once seen: its bytes, in `room` */
    bool     ignored;       /* public: the store ignores conditions */

    struct target target;   /* private from here on */
    struct call  *reader;
    struct span   room;
    uint32_t      attempt;
    char          etag[HTTP_ETAG_BYTES];
    uint32_t      tries;         /* of the write under way */
    struct view   written;       /* what is being written */
    struct body   body;
    bool          tested;        /* whether the store keeps conditions */
    int64_t       since_mono_ms; /* this version is watched, or is written */
    int64_t       look_mono_ms;  /* when to look again */
    struct call   call;
};

/* The names outlive it. */
void lease_init(struct lease *l, struct site *site, struct view bucket,
                struct view key, bool checksum);
/* `reader` is lent until LEASE_SEEN and has a ring; `room` holds the text. */
void lease_look(struct lease *l, struct call *reader, struct span room);
/* Once seen: nobody holds it, or whoever did is known to be dead. */
bool lease_is_stale(const struct lease *l);
/* Once seen. Ends LEASE_HELD, or LEASE_LOST if somebody else is alive. The
 * text lies still until then. */
void lease_take(struct lease *l, struct view text, struct now now);
/* Held, or just being written by its holder, us. */
bool lease_is_ours(const struct lease *l);
/* Held, and so long since it was written: LEASE_RENEW_MS, or less. */
bool lease_is_due(const struct lease *l, struct now now, int64_t after_ms);
/* Once held; the text lies still until it is held again. */
void lease_write(struct lease *l, struct view text, struct now now);
/* Ends LEASE_FREE, whether there was one or not. */
void lease_drop(struct lease *l);
/* Stops whatever is under way; what is there stays. */
void lease_cancel(struct lease *l);
/* FLOW_ENDED: seen, held or free. FLOW_FAILED: lost or failed. */
enum flow lease_step(struct lease *l, struct now now);
int64_t lease_wake_ms(const struct lease *l);

#endif
