/* tally.h - what a set of events is, in 40 bytes, whatever their order.
 *
 * Two archives of one day, or an archive and a recount in CloudWatch, hold the
 * same records if their tallies are equal. The digest is the sum, modulo 2^64
 * in each of two lanes, of a 128-bit hash of (timestamp, message), so it does
 * not depend on order, on lanes or on how the day was cut: tallies of parts
 * are merged by adding.
 *
 * It detects any event that is missing, added, repeated or altered in its
 * timestamp or one byte of its message, and any number of such accidents
 * together; that they cancel out has a chance of about 2^-64 by each lane
 * alone, and less by both.
 *
 * It does not detect a changed order; a changed stream, ingestion time or id;
 * two events that exchanged their streams; or forgery: the hash has no key and
 * is not cryptographic, so who can choose many messages can build two sets
 * with one digest. The object's checksum guards the archive's bytes; this
 * guards its completeness.
 *
 * The hash (64-bit multiplications folded, in the manner of wyhash) is part of
 * the receipt's format: it must never change. */
#ifndef FIRN_BASE_TALLY_H
#define FIRN_BASE_TALLY_H

#include "base/text.h"

struct tally {
    uint64_t events;
    uint64_t digest[2];
    int64_t  first_ms;  /* least timestamp; INT64_MAX without events */
    int64_t  last_ms;   /* greatest; INT64_MIN without events */
};

enum { TALLY_STRIPE_BYTES = 64, TALLY_TEXT_BYTES = 32 };

/* A message under way. Private. */
struct tally_message {
    uint64_t a[4], b[4];  /* two hashes of 64 bits, four strands each */
    uint64_t bytes;       /* fed so far */
    int64_t  timestamp_ms;
    uint8_t  held[TALLY_STRIPE_BYTES];  /* bytes % TALLY_STRIPE_BYTES */
};

void tally_init(struct tally *t);
void tally_add(struct tally *t, int64_t timestamp_ms, struct view message);
/* Both become one; `from` stays. */
void tally_merge(struct tally *t, const struct tally *from);
bool tally_equal(const struct tally *a, const struct tally *b);

/* The same for a message that comes in pieces of any length. */
void tally_begin(struct tally_message *m, int64_t timestamp_ms);
void tally_feed(struct tally_message *m, struct view piece);
void tally_end(struct tally *t, const struct tally_message *m);

/* The digest as TALLY_TEXT_BYTES hexadecimal digits, and back. */
void tally_text(struct text *t, const struct tally *tally);
bool tally_parse(struct view v, uint64_t digest[2]);

#endif
