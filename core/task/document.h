/* document.h - what an archive says of itself: receipt and checkpoint. */
#ifndef FIRN_TASK_DOCUMENT_H
#define FIRN_TASK_DOCUMENT_H

#include "task/archive.h"

/* Source and window, into a->receipt: also what a receipt or a checkpoint must
 * say to be of this window. */
void document_describe(struct archive *a);
/* Is a checkpoint of this window, and of the bytes that we would make? */
bool document_is_ours(const struct archive *a, const struct checkpoint *c);
/* How what it has stored is compressed. */
enum compress document_compress(const struct checkpoint *c);
/* The rest of a->receipt, all but what S3 says of the object. */
void document_complete(struct archive *a);
/* The same out of a checkpoint that holds it. */
void document_adopt(struct archive *a, const struct checkpoint *c);
/* A receipt's text, as a->receipt_body; RECEIPT_BYTES lie still there. Without
 * `x` the index is the receipt's own. */
void document_body(struct archive *a, const struct receipt *r,
                   const struct index *x, uint8_t *at);
/* Our receipt's text, likewise; the object has that ETag. */
void document_receipt(struct archive *a, const char *etag, bool confirmed);
/* The checkpoint's text, as of what S3 has stored; lies in a->checkpoint. */
struct view document_checkpoint(struct archive *a,
                                enum checkpoint_state state);

#endif
