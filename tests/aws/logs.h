/* logs.h - what the operations of CloudWatch Logs share. */
#ifndef AWS_LOGS_H
#define AWS_LOGS_H

#include "group.h"
#include "parse.h"

/* Members of the request. The text is decoded into x->held; absent: at NULL.
 * A member of another type fails the exchange. */
struct aws_text aws_arg(struct aws_exchange *x, const char *name);
bool aws_arg_int(struct aws_exchange *x, const char *name, int64_t *value);
bool aws_arg_bool(struct aws_exchange *x, const char *name, bool otherwise);
/* 1..most, else InvalidParameterException and 0. */
int64_t aws_arg_limit(struct aws_exchange *x, int64_t most);
/* The group named by logGroupName or logGroupIdentifier, else NULL and a
 * failure. */
struct aws_group *aws_arg_group(struct aws_exchange *x);
void aws_invalid(struct aws_exchange *x, const char *message);

void aws_put_arn(const struct aws *m, struct aws_buf *out,
                 const char *group);
/* What binds a token to its request: everything but the token itself. */
uint64_t aws_bound(struct aws_exchange *x);

void aws_filter_log_events(struct aws_exchange *x, int64_t now);
void aws_put_log_events(struct aws_exchange *x, int64_t now);
void aws_describe_log_groups(struct aws_exchange *x, int64_t now);
void aws_describe_log_streams(struct aws_exchange *x, int64_t now);
void aws_create_export_task(struct aws_exchange *x, int64_t now);
void aws_describe_export_tasks(struct aws_exchange *x, int64_t now);
void aws_cancel_export_task(struct aws_exchange *x, int64_t now);
void aws_free_exports(struct aws *m);

#endif
