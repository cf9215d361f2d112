/* finish.h - how an upload ends: completed, put whole, settled, aborted.
 *
 * The later half of upload.c's states. ListParts becomes the body of Complete;
 * HEAD says what became of it; an abort is repeated until ListParts knows of
 * no part. For upload.c alone. */
#ifndef FIRN_SHIP_FINISH_H
#define FIRN_SHIP_FINISH_H

#include "ship/upload.h"

/* All parts are stored. */
enum flow finish_list(struct upload *u);
/* It is less than a part. */
enum flow finish_put(struct upload *u);
/* Afterwards it is UPLOAD_DONE, ABORTED or FAILED, as `outcome` says. */
enum flow finish_abort(struct upload *u, enum upload_state outcome);

/* A request about all of it was refused: HEAD is to say what it means. */
enum flow finish_settle(struct upload *u);

/* The states, UPLOAD_LISTING to UPLOAD_PROVING. */
enum flow finish_listing(struct upload *u, struct now now);
enum flow finish_completing(struct upload *u, struct now now);
enum flow finish_settling(struct upload *u, struct now now);
enum flow finish_aborting(struct upload *u, struct now now);
enum flow finish_proving(struct upload *u, struct now now);

/* upload.c's: the one place that writes u->state; the ways to a final one; a
 * chain as a body, whose slices stay in u. */
void        upload_enter(struct upload *u, enum upload_state next);
enum flow   upload_leave_as(struct upload *u, enum upload_state final);
enum flow   upload_fail(struct upload *u, enum error error, const char *what,
                        int64_t detail);
enum flow   upload_fail_as(struct upload *u, const struct fault *fault);
struct body upload_body(struct upload *u, const struct chain *c, uint64_t crc);
/* Whether another part, of so many bytes, may begin; else it has failed. */
bool        upload_may_begin(struct upload *u, uint64_t bytes);
/* A part is stored; the bytes of the next. */
void        upload_count(struct upload *u, uint64_t bytes, uint64_t crc);
uint64_t    upload_next_bytes(const struct upload *u);

#endif
