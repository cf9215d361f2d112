/* intake.h - what an archive is made of goes to the upload: pages by lanes, or
 * objects by a merge, block after block. */
#ifndef FIRN_TASK_INTAKE_H
#define FIRN_TASK_INTAKE_H

#include "task/archive.h"

/* Lets whatever reads go on. FLOW_ENDED: all is read. */
enum flow intake_step(struct archive *a);
/* The next block, whole, goes from where it was read to the part in hand,
 * unless it is stored already. False: there is none, or no room for it, or it
 * is not what was stored, which sets a->again. */
bool intake_block(struct archive *a);
/* So many bytes of the block in hand go to the upload, unless they are
 * `stored`. */
void intake_move(struct archive *a, uint32_t left, bool stored);
/* The archive's last bytes; of an empty day, all of them. False: there is no
 * room yet. */
bool intake_end(struct archive *a);
/* Whatever reads stops, and gives its slots back. */
void intake_cancel(struct archive *a);

#endif
