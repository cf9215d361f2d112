/* survey.h - receipts and their objects, several looked at side by side.
 *
 * A day is a GET, and a HEAD unless a list has shown the object; most of that
 * is waiting. So SURVEY_COUNT days are under way at once. They come out in the
 * order they were asked for.
 *
 *     while (!survey_full(s))
 *         survey_ask(s, receipt_key, tag);
 *     if (survey_step(s, now) == FLOW_WANT_ROOM) {
 *         ... survey_eldest(s)->existing ...
 *         survey_take(s);
 *     } */
#ifndef FIRN_SHIP_SURVEY_H
#define FIRN_SHIP_SURVEY_H

#include "ship/catalog.h"
#include "ship/existing.h"

enum {
    SURVEY_COUNT     = CFG_LANE_COUNT,
    SURVEY_KEY_BYTES = 1024 + 32,
};

_Static_assert(SURVEY_COUNT + 2 <= CFG_SOCKET_COUNT,
               "a list and a log group are asked for beside it");

struct survey_place {
    struct existing existing;   /* public, of the eldest at FLOW_WANT_ROOM */
    int64_t         tag;        /* public: the caller's */
    enum flow       flow;       /* of its last step */
    char            key[SURVEY_KEY_BYTES];
    char            listed_key[CATALOG_KEY_BYTES];
    char            listed_etag[HTTP_ETAG_BYTES];
    struct ring     ring;
    struct call     call;
    uint8_t         bytes[CFG_LANE_RING_BYTES];
    uint8_t         room[EXISTING_ROOM_BYTES];
};

struct survey {
    struct fault fault;         /* public at FLOW_FAILED */
    struct view  bucket;
    uint32_t     eldest, count;
    bool         failed;
    struct survey_place place[SURVEY_COUNT];
};

/* The bucket outlives it. */
void survey_init(struct survey *s, struct site *site, struct view bucket);
bool survey_full(const struct survey *s);
/* Asks for the receipt under that key, which is copied, and for the object
 * that it names. */
void survey_ask(struct survey *s, struct view receipt_key, int64_t tag);
/* What was listed next to the receipt asked for last; copied. Perhaps it is
 * that object. */
void survey_listed(struct survey *s, const struct catalog_entry *entry);
/* FLOW_WANT_ROOM: the eldest is known, and waits to be taken. FLOW_ENDED:
 * nothing is under way. */
enum flow survey_step(struct survey *s, struct now now);
const struct survey_place *survey_eldest(const struct survey *s);
void survey_take(struct survey *s);
/* Nothing is under way any more; that is its end. */
void survey_cancel(struct survey *s);
int64_t survey_wake_ms(const struct survey *s);

#endif
