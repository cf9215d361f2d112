/* copy.h - a part of an upload that S3 copies from another object.
 *
 * upload_copy() closes it; in its turn it is asked for, and its CRC becomes
 * known, or not. For upload.c alone. */
#ifndef FIRN_SHIP_COPY_H
#define FIRN_SHIP_COPY_H

#include "ship/upload.h"

/* Is the next part to be stored a copy? */
bool copy_is_next(const struct upload *u);
enum flow copy_begin(struct upload *u);
/* It is done; its request failed. */
enum flow copy_end(struct upload *u);
enum flow copy_fail(struct upload *u);

#endif
