/* message.h - what people read when something failed: one or two lines.
 *
 * A message names the exit code, the thing, what happened, AWS's own words
 * and the cure:
 *
 *   77 /ecs/api: AccessDeniedException, logs:FilterLogEvents (request 6f2c).
 *   AWS: "...". Grant: logs:FilterLogEvents on this log group
 *
 * A fault with `what` "" and no operation is a whole sentence of ours, made
 * by message_refuse(), and printed as it stands after the code. Control
 * characters are written as \xNN, so that no text of others reaches a
 * terminal as a command. */
#ifndef FIRN_TASK_MESSAGE_H
#define FIRN_TASK_MESSAGE_H

#include "base/error.h"

enum { MESSAGE_BYTES = 1536 };

struct message_context {
    struct view thing;     /* the group, object or file; may be empty */
    struct view identity;  /* ARN or key id of who asked; may be empty */
    struct view host;      /* that does not answer; may be empty */
};

/* Without a line's end. */
void message_fault(struct text *out, const struct fault *fault,
                   const struct message_context *context);

/* "warning", the thing and what is odd about it. */
void message_warning(struct text *out, const struct fault *fault,
                     const struct message_context *context);

/* Sets a fault whose words are `pattern` with each % replaced by the next of
 * `parts`, which must be as many. Returns false, to return at once. */
bool message_refuse(struct fault *fault, enum error error,
                    const char *pattern, const struct view *parts);

/* The refusal of a log group that is not there: its name, the region, and the
 * name that comes nearest, or nothing. */
bool message_no_group(struct fault *fault, struct view name,
                      struct view region, struct view nearest);

/* Appends v with control characters escaped. */
void message_escape(struct text *out, struct view v);
/* "1,065" */
void message_number(struct text *out, uint64_t value);
/* "1.2 GB", "900 B": decimal units, as S3 and CloudWatch bill them. */
void message_bytes(struct text *out, uint64_t bytes);
/* "4 s", "12 min", "3 h 5 min", "17 days" */
void message_duration(struct text *out, int64_t ms);

#endif
