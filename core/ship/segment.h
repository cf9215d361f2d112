/* segment.h - how an upload goes on where parts of its own would run out.
 *
 * S3 takes 10,000 parts, which at 5 MiB end at 48.8 GiB. Past the first
 * LIMIT_SEGMENT_FROM an upload goes on in segments: a segment is a multipart
 * upload under a key of its own (upload_segments()), takes parts until the next
 * would pass LIMIT_COPY_BYTES, is completed, and its object becomes one part of
 * the upload by UploadPartCopy. The next one replaces that object; the last one
 * is deleted before the whole is completed.
 *
 * Which part goes where follows from their sizes alone (struct upload_place).
 * A segment is completed only once the caller has recorded all of its parts
 * (upload_recorded(), or the commit); so whoever goes on behind a record finds
 *
 *   the segment's upload with these parts: it goes on;
 *   no such upload, but the object: it is copied;
 *   a part of the object's own of that size and CRC: that is done, too.
 *
 * For upload.c and finish.c alone. */
#ifndef FIRN_SHIP_SEGMENT_H
#define FIRN_SHIP_SEGMENT_H

#include "ship/upload.h"

/* Notes in `p` where a part goes. */
void segment_count(const struct upload *u, struct upload_place *p,
                   uint64_t bytes, uint64_t crc);
/* The next part's number, of its own upload. */
uint32_t segment_number(const struct upload *u);
/* What is closed follows anew from what is stored. */
void segment_recount(struct upload *u);
/* Would a part of so many bytes, behind what is closed, be one too many? */
bool segment_is_last(const struct upload *u, uint64_t bytes);
/* Must the segment in hand end before the next part, of so many bytes, may be
 * sent? */
bool segment_is_full(const struct upload *u, uint64_t bytes);
/* Is there one that is no part of the object yet? */
bool segment_is_open(const struct upload *u);
/* Parts of the object's own once that is one. */
uint32_t segment_parts(const struct upload *u);
/* The requests are from now on about the segment, or about the object. */
void segment_switch(struct upload *u, bool inner);
void segment_forget(struct upload *u);
/* The slots for the list of its parts: kept free by parts; and by lanes. */
uint32_t segment_slots(const struct upload *u, uint32_t from);

/* Completes it; copies it, completed, into the object; deletes it. */
enum flow segment_finish(struct upload *u);
enum flow segment_merge(struct upload *u);
enum flow segment_clean(struct upload *u);

/* The list of the object's parts has come, of an upload that is resumed; that
 * of the segment's; or S3 knows no such upload any more. */
enum flow segment_resume(struct upload *u);
enum flow segment_resumed(struct upload *u);
enum flow segment_gone(struct upload *u);

/* The states UPLOAD_MERGING and UPLOAD_CLEANING. */
enum flow segment_merging(struct upload *u, struct now now);
enum flow segment_cleaning(struct upload *u, struct now now);

#endif
