/* logs.c - CloudWatch Logs: arguments, dispatch, the small operations. */
#include "logs.h"

#include <string.h>

static struct aws_text body_of(const struct aws_exchange *x)
{
    return aws_view(&x->body);
}

void aws_invalid(struct aws_exchange *x, const char *message)
{
    aws_fail(x, 400, "InvalidParameterException", message);
}

static void wrong_type(struct aws_exchange *x)
{
    aws_fail(x, 400, "SerializationException",
             "A member of the request has another type.");
}

struct aws_text aws_arg(struct aws_exchange *x, const char *name)
{
    struct aws_text value, none = {NULL, 0};
    if (!aws_json_member(body_of(x), name, &value)) return none;
    aws_reset(&x->text);
    (void)aws_room(&x->text, value.len);
    if (!aws_json_string(value, &x->text)) {
        wrong_type(x);
        return none;
    }
    return aws_hold(x, aws_view(&x->text));
}

bool aws_arg_int(struct aws_exchange *x, const char *name, int64_t *value)
{
    struct aws_text text;
    if (!aws_json_member(body_of(x), name, &text)) return false;
    if (aws_int(text, value)) return true;
    wrong_type(x);
    return false;
}

bool aws_arg_bool(struct aws_exchange *x, const char *name, bool otherwise)
{
    struct aws_text text;
    if (!aws_json_member(body_of(x), name, &text)) return otherwise;
    if (!aws_is(text, "true") && !aws_is(text, "false")) wrong_type(x);
    return aws_is(text, "true");
}

int64_t aws_arg_limit(struct aws_exchange *x, int64_t most)
{
    int64_t limit = most;
    if (!aws_arg_int(x, "limit", &limit)) return most;
    if (limit >= 1 && limit <= most) return limit;
    aws_reset(&x->text);
    aws_printf(&x->text, "1 validation error detected: Value '%lld' at "
               "'limit' failed to satisfy constraint: Member must have value "
               "less than or equal to %lld", (long long)limit,
               (long long)most);
    aws_invalid(x, x->text.at);
    return 0;
}

static bool name_holds(struct aws_text name)
{
    if (name.len < 1 || name.len > 512) return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9');
        if (!word && (c == '\0' || strchr(".-_/#", c) == NULL)) return false;
    }
    return true;
}

/* An ARN names the group after `log-group:`. */
static struct aws_text name_of_arn(struct aws_text id)
{
    struct aws_text rest = id;
    if (!aws_begins(id, "arn:")) return id;
    for (int i = 0; i < 6; i++) (void)aws_cut(rest, ':', &rest);
    return rest;
}

struct aws_group *aws_arg_group(struct aws_exchange *x)
{
    struct aws_text name = aws_arg(x, "logGroupName");
    struct aws_text id = aws_arg(x, "logGroupIdentifier");
    if (x->failed) return NULL;
    if ((name.at == NULL) == (id.at == NULL)) {
        aws_invalid(x, "Give exactly one of logGroupName and "
                       "logGroupIdentifier.");
        return NULL;
    }
    if (name.at == NULL) name = name_of_arn(id);
    if (!name_holds(name)) {
        aws_invalid(x, "1 validation error detected: Value at 'logGroupName' "
                       "failed to satisfy constraint");
        return NULL;
    }
    struct aws_group *g = aws_find_group(x->model, name);
    if (g == NULL)
        aws_fail(x, 400, "ResourceNotFoundException",
                 "The specified log group does not exist.");
    return g;
}

void aws_put_arn(const struct aws *m, struct aws_buf *out, const char *group)
{
    aws_printf(out, "arn:aws:logs:%s:%s:log-group:%s", m->region, m->account,
               group);
}

uint64_t aws_bound(struct aws_exchange *x)
{
    struct aws_text rest = body_of(x), name, value;
    uint64_t sum = x->op;
    while (aws_json_next(&rest, &name, &value))
        if (!aws_is(name, "nextToken") && !aws_is(name, "limit"))
            sum ^= aws_hash(aws_hash(7, name), value);
    return sum;
}

static void put_retention(struct aws_exchange *x)
{
    static const int allowed[] = {
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096,
        1827, 2192, 2557, 2922, 3288, 3653};
    int64_t days = 0;
    struct aws_group *g = aws_arg_group(x);
    if (g == NULL) return;
    (void)aws_arg_int(x, "retentionInDays", &days);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (days == allowed[i]) {
            g->retention_days = (int)days;
            return;
        }
    aws_invalid(x, "The value of retentionInDays is not one of those "
                   "allowed.");
}

static void create_group(struct aws_exchange *x, int64_t now)
{
    struct aws_text name = aws_arg(x, "logGroupName");
    struct aws_text class = aws_arg(x, "logGroupClass");
    if (x->failed) return;
    if (!name_holds(name) || aws_begins(name, "aws/")) {
        aws_invalid(x, "The name of the log group is not allowed.");
        return;
    }
    if (aws_find_group(x->model, name) != NULL) {
        aws_fail(x, 400, "ResourceAlreadyExistsException",
                 "The specified log group already exists");
        return;
    }
    aws_create_group(x->model, name.at, now);
    if (aws_is(class, "INFREQUENT_ACCESS"))
        aws_group_policy(x->model, name.at, class.at, 0, false);
}

static void create_stream(struct aws_exchange *x, int64_t now)
{
    struct aws_group *g = aws_arg_group(x);
    struct aws_text name = aws_arg(x, "logStreamName");
    if (g == NULL || x->failed) return;
    if (name.len < 1 || name.len > 512 * 4 ||
        memchr(name.at, ':', name.len) != NULL ||
        memchr(name.at, '*', name.len) != NULL) {
        aws_invalid(x, "The name of the log stream is not allowed.");
        return;
    }
    if (aws_find_stream(g, name) != SIZE_MAX) {
        aws_fail(x, 400, "ResourceAlreadyExistsException",
                 "The specified log stream already exists");
        return;
    }
    (void)aws_add_stream(g, name, now);
}

static void delete_stream(struct aws_exchange *x)
{
    struct aws_group *g = aws_arg_group(x);
    struct aws_text name = aws_arg(x, "logStreamName");
    if (g == NULL || x->failed) return;
    size_t at = aws_find_stream(g, name);
    if (at == SIZE_MAX)
        aws_fail(x, 400, "ResourceNotFoundException",
                 "The specified log stream does not exist.");
    else
        g->stream[at].deleted = true;
}

static void change_group(struct aws_exchange *x)
{
    struct aws_group *g = aws_arg_group(x);
    if (g == NULL) return;
    if (x->op == AWS_OP_DeleteLogGroup) aws_drop_group(x->model, g);
    else g->retention_days = 0;
}

static bool well_formed(struct aws_exchange *x)
{
    struct aws_text type, body = body_of(x);
    (void)aws_header_of(x, "content-type", &type);
    if (x->op == AWS_OP_UnknownLogs || !aws_is(x->method, "POST") ||
        !aws_is(x->path, "/") || x->query.len > 0)
        aws_fail(x, 404, "UnknownOperationException", "");
    else if (!aws_is(type, "application/x-amz-json-1.1"))
        aws_fail(x, 404, "UnknownOperationException", "Content-Type");
    else if (!aws_json_valid(body) || body.at[0] != '{')
        aws_fail(x, 400, "SerializationException", "The body is not a JSON "
                 "object.");
    return !x->failed;
}

void aws_serve_logs(struct aws_exchange *x, int64_t now)
{
    if (!well_formed(x)) return;
    x->type = "application/x-amz-json-1.1";
    if (x->op == AWS_OP_FilterLogEvents) aws_filter_log_events(x, now);
    else if (x->op == AWS_OP_PutLogEvents) aws_put_log_events(x, now);
    else if (x->op == AWS_OP_DescribeLogGroups)
        aws_describe_log_groups(x, now);
    else if (x->op == AWS_OP_DescribeLogStreams)
        aws_describe_log_streams(x, now);
    else if (x->op == AWS_OP_CreateExportTask) aws_create_export_task(x, now);
    else if (x->op == AWS_OP_DescribeExportTasks)
        aws_describe_export_tasks(x, now);
    else if (x->op == AWS_OP_CancelExportTask) aws_cancel_export_task(x, now);
    else if (x->op == AWS_OP_PutRetentionPolicy) put_retention(x);
    else if (x->op == AWS_OP_CreateLogGroup) create_group(x, now);
    else if (x->op == AWS_OP_CreateLogStream) create_stream(x, now);
    else if (x->op == AWS_OP_DeleteLogStream) delete_stream(x);
    else change_group(x);
}
