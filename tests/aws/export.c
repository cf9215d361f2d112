/* export.c - export tasks. */
#include "logs.h"

static void unknown(struct aws_exchange *x)
{
    aws_fail(x, 400, "UnknownOperationException", "");
}

void aws_create_export_task(struct aws_exchange *x, int64_t now)
{
    (void)now;
    unknown(x);
}

void aws_describe_export_tasks(struct aws_exchange *x, int64_t now)
{
    (void)now;
    unknown(x);
}

void aws_cancel_export_task(struct aws_exchange *x, int64_t now)
{
    (void)now;
    unknown(x);
}

void aws_free_exports(struct aws *m)
{
    (void)m;
}
