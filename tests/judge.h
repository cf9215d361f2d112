/* judge.h - is what stands in S3 the day? Judged from the model alone.
 * Or the merge of other objects (sheaf.h), which is judged alike.
 *
 * A day is read from the model's group: every event a line, in order. An
 * object is right if, unpacked, it is those lines, each once and in order;
 * an event that came after the archive was begun may be missing, or stand
 * where it was met when a page was read again; no other may. A receipt is right
 * if it says of the object what the model knows of it and what the day's lines
 * add up to. */
#ifndef FIRN_TESTS_JUDGE_H
#define FIRN_TESTS_JUDGE_H

#include "day.h"
#include "ship/receipt.h"

/* What is wrong with the object under the key, which must hold all that was
 * ingested by `since`; NULL: nothing. */
const char *judge_object(struct day *d, struct aws *m, const struct spec *s,
                         const char *key, int64_t since);
/* The same of object and receipt together; `since` is the receipt's own. */
const char *judge_both(struct day *d, struct aws *m, const struct spec *s,
                       const char *key);
/* Its receipt says that it was read back. */
bool judge_proved(struct aws *m, const struct spec *s, const char *key);

#endif
