/* merge_compose.h - of a merge (merge.h) what puts objects end to end, and what
 * that would take.
 *
 * A step about the head, which is there; below, what it shares with merge.c. */
#ifndef FIRN_SHIP_MERGE_COMPOSE_H
#define FIRN_SHIP_MERGE_COMPOSE_H

#include "ship/merge.h"

enum flow merge_compose_step(struct merge *m);
enum flow merge_plan_step(struct merge *m);

/* FLOW_FAILED, by a fault about that key; or by what the head is. */
enum flow merge_fail(struct merge *m, const struct fault *fault,
                     struct view key);
enum flow merge_fail_head(struct merge *m, const char *what);
/* Nothing of the head is left to do. */
enum flow merge_take_head(struct merge *m);
/* An object of no bytes adds nothing, unless its name promises a form. */
enum flow merge_pass_empty(struct merge *m);
/* The form of one more object is known. */
void merge_note_form(struct merge *m, enum inflate_form form);

#endif
